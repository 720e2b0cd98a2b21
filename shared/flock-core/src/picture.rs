//! A picture in a post: what the bytes are, and whether a network takes them. Known before any network is asked.
//!
//! Only the structure is read, not the pixels: it tells the kind and the size, and that the file has its end.
//!
//! Nothing is removed: metadata (EXIF), which can say where a photograph was taken, is sent as it is in the file.

use std::fmt;

use sha2::{Digest as _, Sha256};

/// A whole picture, and what it shows.
#[derive(Clone, PartialEq, Eq)]
pub struct Picture {
    kind: PictureKind,
    width: u32,
    height: u32,
    bytes: Vec<u8>,
    alt: String,
}

/// The SHA-256 of a picture's file, by which two are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PictureDigest(pub [u8; 32]);

/// How a picture is coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PictureKind {
    /// Also an animated one.
    Png,
    /// Also a progressive one.
    Jpeg,
    /// Also an animated one.
    Gif,
    /// Lossy, lossless or animated.
    Webp,
}

/// What a network takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PictureRules {
    /// How a picture may be coded.
    pub kinds: &'static [PictureKind],
    /// How large the file may be.
    pub most_bytes: usize,
    /// How large the picture may be, width times height.
    pub most_pixels: Option<u64>,
    /// How long the alt text may be, in Unicode scalar values.
    pub most_alt_chars: usize,
}

/// Why a file is no picture that could be posted.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
pub enum PictureRefusal {
    /// No bytes at all.
    #[error("the picture is an empty file")]
    Empty,
    /// It begins like nothing that is known.
    #[error("the file is not a picture: use a {kinds}", kinds = list(&PictureKind::ALL))]
    NotAPicture,
    /// It is something else that is known.
    #[error("the file is {0}: use a {kinds}", kinds = list(&PictureKind::ALL))]
    Other(&'static str),
    /// It ends too early.
    #[error("the {0} file is cut off: fetch or save it again")]
    CutOff(PictureKind),
    /// Its structure is wrong.
    #[error("the {kind} file is damaged, {what}: save it again")]
    Damaged {
        /// What it begins as.
        kind: PictureKind,
        /// What is wrong.
        what: &'static str,
    },
    /// The network does not take its kind.
    #[error("a {kind} is not taken: save it as {kinds}", kinds = list(taken))]
    Kind {
        /// What it is.
        kind: PictureKind,
        /// What the network takes.
        taken: &'static [PictureKind],
    },
    /// The network does not take that many bytes.
    #[error("the picture has {bytes} bytes, and at most {most} are taken: make it smaller")]
    TooManyBytes {
        /// What it has.
        bytes: usize,
        /// What the network takes.
        most: usize,
    },
    /// The network does not take that many pixels.
    #[error(
        "the picture has {width} × {height} pixels, and at most {most} are taken: make it smaller"
    )]
    TooManyPixels {
        /// Its width.
        width: u32,
        /// Its height.
        height: u32,
        /// What the network takes.
        most: u64,
    },
    /// The network does not take that long an alt text.
    #[error("the alt text is {length} characters long, and at most {most} are taken: shorten it")]
    AltTooLong {
        /// What it has.
        length: usize,
        /// What the network takes.
        most: usize,
    },
}

impl fmt::Display for PictureDigest {
    /// The first twelve hexadecimal digits, which is enough for people.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().take(6).try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl Picture {
    /// Reads a file. `alt` is what people read who cannot see it.
    pub fn read(bytes: Vec<u8>, alt: String) -> Result<Self, PictureRefusal> {
        if bytes.is_empty() {
            return Err(PictureRefusal::Empty);
        }
        let Some(kind) = kind_of(&bytes) else {
            return Err(other(&bytes).map_or(PictureRefusal::NotAPicture, PictureRefusal::Other));
        };
        let mut reader = Reader { rest: &bytes };
        let size = match kind {
            PictureKind::Png => png(&mut reader),
            PictureKind::Jpeg => jpeg(&mut reader),
            PictureKind::Gif => gif(&mut reader),
            PictureKind::Webp => webp(&mut reader),
        };
        match size {
            Ok((0, _) | (_, 0)) => Err(PictureRefusal::Damaged { kind, what: "it has no pixels" }),
            Ok((width, height)) => Ok(Self { kind, width, height, bytes, alt }),
            Err(Flaw::CutOff) => Err(PictureRefusal::CutOff(kind)),
            Err(Flaw::Damaged(what)) => Err(PictureRefusal::Damaged { kind, what }),
        }
    }

    /// How it is coded.
    pub fn kind(&self) -> PictureKind {
        self.kind
    }

    /// Pixels in a row, as coded: an orientation in the metadata is not regarded.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Rows of pixels.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// The file.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// By what it is told apart from others.
    pub fn digest(&self) -> PictureDigest {
        PictureDigest(Sha256::digest(&self.bytes).into())
    }

    /// What people read who cannot see it. May be empty.
    pub fn alt(&self) -> &str {
        &self.alt
    }
}

impl fmt::Debug for Picture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, width, height, bytes, alt } = self;
        write!(f, "Picture({kind}, {width} × {height}, {} bytes, {alt:?})", bytes.len())
    }
}

impl PictureKind {
    /// All kinds.
    pub const ALL: [Self; 4] = [Self::Png, Self::Jpeg, Self::Gif, Self::Webp];

    /// Its media type.
    pub fn mime(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
            Self::Gif => "image/gif",
            Self::Webp => "image/webp",
        }
    }
}

impl fmt::Display for PictureKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Png => "PNG",
            Self::Jpeg => "JPEG",
            Self::Gif => "GIF",
            Self::Webp => "WebP",
        })
    }
}

impl PictureRules {
    /// Refuses what the network would not take.
    pub fn check(&self, picture: &Picture) -> Result<(), PictureRefusal> {
        let Picture { kind, width, height, ref bytes, ref alt } = *picture;
        if !self.kinds.contains(&kind) {
            return Err(PictureRefusal::Kind { kind, taken: self.kinds });
        }
        if self.most_bytes < bytes.len() {
            let most = self.most_bytes;
            return Err(PictureRefusal::TooManyBytes { bytes: bytes.len(), most });
        }
        let pixels = u64::from(width) * u64::from(height);
        if let Some(most) = self.most_pixels.filter(|most| *most < pixels) {
            return Err(PictureRefusal::TooManyPixels { width, height, most });
        }
        let length = alt.chars().count();
        if self.most_alt_chars < length {
            return Err(PictureRefusal::AltTooLong { length, most: self.most_alt_chars });
        }
        Ok(())
    }
}

/// "PNG, JPEG or GIF".
fn list(kinds: &[PictureKind]) -> String {
    let names: Vec<String> = kinds.iter().map(ToString::to_string).collect();
    match names.as_slice() {
        [] => "something else".to_owned(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

fn kind_of(bytes: &[u8]) -> Option<PictureKind> {
    match bytes {
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some(PictureKind::Png),
        [0xff, 0xd8, 0xff, ..] => Some(PictureKind::Jpeg),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some(PictureKind::Gif),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some(PictureKind::Webp),
        _ => None,
    }
}

/// What people take for a picture and no network does, or what is served instead of one.
fn other(bytes: &[u8]) -> Option<&'static str> {
    let start = bytes.trim_ascii_start().get(..16).unwrap_or_default().to_ascii_lowercase();
    match bytes {
        [b'B', b'M', ..] if 54 <= bytes.len() => return Some("a BMP picture"),
        [b'I', b'I', b'*', 0, ..] | [b'M', b'M', 0, b'*', ..] => return Some("a TIFF picture"),
        [_, _, _, _, b'f', b't', b'y', b'p', brand @ ..] => {
            return Some(match brand {
                [b'a', b'v', b'i', b'f' | b's', ..] => "an AVIF picture",
                [b'h', b'e', ..] | [b'm', b'i', b'f', b'1', ..] => "a HEIC picture",
                _ => "a video",
            });
        }
        _ => {}
    }
    [
        (&b"<svg"[..], "an SVG picture"),
        (b"<?xml", "an XML file"),
        (b"<!doctype", "a web page"),
        (b"<html", "a web page"),
        (b"%pdf-", "a PDF document"),
    ]
    .into_iter()
    .find_map(|(wanted, what)| start.starts_with(wanted).then_some(what))
}

enum Flaw {
    CutOff,
    Damaged(&'static str),
}

type Size = Result<(u32, u32), Flaw>;

/// What is still to be read of a file. Whatever is not there has been cut off.
struct Reader<'b> {
    rest: &'b [u8],
}

impl<'b> Reader<'b> {
    fn take(&mut self, count: usize) -> Result<&'b [u8], Flaw> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or(Flaw::CutOff)?;
        self.rest = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Flaw> {
        let (taken, rest) = self.rest.split_first_chunk().ok_or(Flaw::CutOff)?;
        self.rest = rest;
        Ok(*taken)
    }

    fn byte(&mut self) -> Result<u8, Flaw> {
        self.array().map(|[byte]| byte)
    }

    /// A length, which is cut off if it is none that this machine could hold.
    fn length(&mut self, read: fn([u8; 4]) -> u32) -> Result<usize, Flaw> {
        self.array().and_then(|bytes| usize::try_from(read(bytes)).map_err(|_| Flaw::CutOff))
    }
}

/// Chunks from IHDR to IEND (W3C, "PNG Specification, Third Edition", section 5).
fn png(reader: &mut Reader<'_>) -> Size {
    reader.take(8)?;
    let mut size = None;
    let mut has_data = false;
    loop {
        let length = reader.length(u32::from_be_bytes)?;
        let name: [u8; 4] = reader.array()?;
        let mut data = Reader { rest: reader.take(length)? };
        let _checksum: [u8; 4] = reader.array()?;
        match (&name, size) {
            (b"IHDR", None) => {
                let wrong = |_| Flaw::Damaged("its header is too short");
                let width = data.array().map(u32::from_be_bytes).map_err(wrong)?;
                let height = data.array().map(u32::from_be_bytes).map_err(wrong)?;
                size = Some((width, height));
            }
            (_, None) => return Err(Flaw::Damaged("it does not begin with a header")),
            (b"IDAT", _) => has_data = true,
            (b"IEND", Some(size)) if has_data => return Ok(size),
            (b"IEND", _) => return Err(Flaw::Damaged("no picture is in it")),
            _ => {}
        }
    }
}

/// Segments from SOI to EOI (ITU-T T.81, annex B).
fn jpeg(reader: &mut Reader<'_>) -> Size {
    reader.take(2)?;
    let mut size = None;
    let mut has_scan = false;
    loop {
        if reader.byte()? != 0xff {
            return Err(Flaw::Damaged("a marker is missing"));
        }
        let marker = loop {
            // Before a marker, there can be any number of these.
            match reader.byte()? {
                0xff => {}
                marker => break marker,
            }
        };
        match marker {
            0xd9 => {
                let whole = size.filter(|_| has_scan);
                return whole.ok_or(Flaw::Damaged("no picture is in it"));
            }
            0x01 | 0xd0..=0xd7 => continue,
            0x00 | 0xd8 => return Err(Flaw::Damaged("a marker is wrong")),
            _ => {}
        }
        let length = usize::from(u16::from_be_bytes(reader.array()?));
        let length = length.checked_sub(2).ok_or(Flaw::Damaged("a segment is too short"))?;
        let segment = reader.take(length)?;
        match (marker, segment) {
            // Not DHT, JPG and DAC.
            (0xc0..=0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf, segment) => {
                let [_, h1, h0, w1, w0, ..] = *segment else {
                    return Err(Flaw::Damaged("its header is too short"));
                };
                let pair = |high, low| u32::from(u16::from_be_bytes([high, low]));
                size = Some((pair(w1, w0), pair(h1, h0)));
            }
            (0xda, _) => {
                has_scan = true;
                // The coded pixels go on to the next marker. A zero after 0xff says that it is none, and a restart is
                // part of them.
                let end = reader
                    .rest
                    .windows(2)
                    .position(|pair| pair[0] == 0xff && !matches!(pair[1], 0 | 0xd0..=0xd7));
                reader.take(end.ok_or(Flaw::CutOff)?)?;
            }
            _ => {}
        }
    }
}

/// Blocks to the trailer ("Graphics Interchange Format, Version 89a").
fn gif(reader: &mut Reader<'_>) -> Size {
    fn skip_colours(reader: &mut Reader<'_>, flags: u8) -> Result<(), Flaw> {
        if flags & 0x80 != 0 {
            reader.take(3 << ((flags & 7) + 1))?;
        }
        Ok(())
    }
    fn skip_blocks(reader: &mut Reader<'_>) -> Result<(), Flaw> {
        loop {
            match reader.byte()? {
                0 => return Ok(()),
                length => reader.take(length.into())?,
            };
        }
    }
    reader.take(6)?;
    let [w0, w1, h0, h1, flags, _background, _aspect] = reader.array()?;
    skip_colours(reader, flags)?;
    let mut has_image = false;
    loop {
        match reader.byte()? {
            0x2c => {
                let [.., flags] = reader.array::<9>()?;
                skip_colours(reader, flags)?;
                let _code_size = reader.byte()?;
                skip_blocks(reader)?;
                has_image = true;
            }
            0x21 => {
                let _label = reader.byte()?;
                skip_blocks(reader)?;
            }
            0x3b if has_image => {
                return Ok((
                    u16::from_le_bytes([w0, w1]).into(),
                    u16::from_le_bytes([h0, h1]).into(),
                ));
            }
            0x3b => return Err(Flaw::Damaged("no picture is in it")),
            _ => return Err(Flaw::Damaged("a block is of no known kind")),
        }
    }
}

/// Chunks of a RIFF file of the size it says (RFC 9649).
fn webp(reader: &mut Reader<'_>) -> Size {
    reader.take(4)?;
    let length = reader.length(u32::from_le_bytes)?;
    let mut file = Reader { rest: reader.take(length)? };
    file.take(4)?;
    let mut size = None;
    let mut has_image = false;
    while !file.rest.is_empty() {
        let name: [u8; 4] = file.array()?;
        let length = file.length(u32::from_le_bytes)?;
        let data = file.take(length)?;
        if length % 2 == 1 {
            file.byte()?;
        }
        let found = match (&name, data) {
            (b"VP8X", [_, _, _, _, w0, w1, w2, h0, h1, h2, ..]) => {
                let triple = |a, b, c| u32::from_le_bytes([a, b, c, 0]) + 1;
                Some((triple(*w0, *w1, *w2), triple(*h0, *h1, *h2)))
            }
            (b"VP8 ", [_, _, _, 0x9d, 0x01, 0x2a, w0, w1, h0, h1, ..]) => {
                has_image = true;
                let pair = |low, high| u32::from(u16::from_le_bytes([low, high]) & 0x3fff);
                Some((pair(*w0, *w1), pair(*h0, *h1)))
            }
            (b"VP8L", [0x2f, a, b, c, d, ..]) => {
                has_image = true;
                let bits = u32::from_le_bytes([*a, *b, *c, *d]);
                Some(((bits & 0x3fff) + 1, (bits >> 14 & 0x3fff) + 1))
            }
            (b"VP8X" | b"VP8 " | b"VP8L", _) => {
                return Err(Flaw::Damaged("its header is wrong"));
            }
            (b"ANMF", _) => {
                has_image = true;
                None
            }
            _ => None,
        };
        size = size.or(found);
    }
    size.filter(|_| has_image).ok_or(Flaw::Damaged("no picture is in it"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    macro_rules! sample {
        ($name:literal) => {
            include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/pictures/", $name))
        };
    }

    /// One file of each form, written by Pillow 13.0 (2026-11), with what it says they are.
    const FILES: [(&[u8], &str); 13] = [
        (sample!("rgb.png"), "PNG, 5 × 3"),
        (sample!("palette.png"), "PNG, 7 × 4"),
        (sample!("animated.png"), "PNG, 6 × 2"),
        (sample!("baseline.jpg"), "JPEG, 17 × 9"),
        (sample!("progressive.jpg"), "JPEG, 40 × 33"),
        (sample!("exif.jpg"), "JPEG, 16 × 8"),
        (sample!("restarts.jpg"), "JPEG, 24 × 24"),
        (sample!("still.gif"), "GIF, 4 × 5"),
        (sample!("animated.gif"), "GIF, 6 × 6"),
        (sample!("lossy.webp"), "WebP, 16 × 11"),
        (sample!("lossless.webp"), "WebP, 9 × 13"),
        (sample!("alpha.webp"), "WebP, 10 × 4"),
        (sample!("animated.webp"), "WebP, 8 × 6"),
    ];

    fn read(bytes: &[u8]) -> Result<Picture, PictureRefusal> {
        Picture::read(bytes.to_vec(), "a sheep".to_owned())
    }

    #[track_caller]
    fn check(bytes: &[u8], expected: &str) {
        let got = read(bytes).map_or_else(
            |err| err.to_string(),
            |picture| format!("{}, {} × {}", picture.kind, picture.width, picture.height),
        );
        assert_eq!(got, expected);
    }

    #[test]
    fn a_picture_is_known_by_its_content() {
        for (bytes, expected) in FILES {
            check(bytes, expected);
            // Cameras put more behind the end.
            check(&[bytes, b"more"].concat(), expected);
        }
    }

    #[test]
    fn a_file_that_ends_too_early_is_refused() {
        for (bytes, name) in FILES {
            for length in 0..bytes.len() {
                let cut = &bytes[..length];
                let expected = match (length, kind_of(cut)) {
                    (0, _) => PictureRefusal::Empty,
                    (_, None) => PictureRefusal::NotAPicture,
                    (_, Some(kind)) => PictureRefusal::CutOff(kind),
                };
                assert_eq!(read(cut), Err(expected), "{name}, {length} bytes");
            }
        }
    }

    #[test]
    fn what_is_no_picture_is_refused_with_what_to_do() {
        check(b"", "the picture is an empty file");
        check(b"a line", "the file is not a picture: use a PNG, JPEG, GIF or WebP");
        check(b"RIFF\x04\0\0\0WAVE", "the file is not a picture: use a PNG, JPEG, GIF or WebP");
        check(b"\n<!DOCTYPE html><html>", "the file is a web page: use a PNG, JPEG, GIF or WebP");
        check(b"<svg xmlns='a'></svg>", "the file is an SVG picture: use a PNG, JPEG, GIF or WebP");
        check(
            b"\0\0\0\x18ftypheic\0\0\0\0",
            "the file is a HEIC picture: use a PNG, JPEG, GIF or WebP",
        );
        check(b"\0\0\0\x18ftypmp42\0\0\0\0", "the file is a video: use a PNG, JPEG, GIF or WebP");
        check(b"\x89PNG\r\n\x1a\n", "the PNG file is cut off: fetch or save it again");
        check(
            b"\x89PNG\r\n\x1a\n\0\0\0\0IEND\0\0\0\0",
            "the PNG file is damaged, it does not begin with a header: save it again",
        );
        check(b"\xff\xd8\xff\xd9", "the JPEG file is damaged, no picture is in it: save it again");
        check(
            b"\xff\xd8\xff\xe0\0\x02x",
            "the JPEG file is damaged, a marker is missing: save it again",
        );
        check(
            b"GIF89a\x01\0\x01\0\0\0\0;",
            "the GIF file is damaged, no picture is in it: save it again",
        );
        check(
            b"GIF89a\0\0\x01\0\0\0\0\x2c\0\0\0\0\0\0\0\0\0\x02\0;",
            "the GIF file is damaged, it has no pixels: save it again",
        );
        check(
            b"RIFF\x04\0\0\0WEBP",
            "the WebP file is damaged, no picture is in it: save it again",
        );
        check(b"RIFF\x05\0\0\0WEBP", "the WebP file is cut off: fetch or save it again");
    }

    #[test]
    fn a_refusal_says_what_the_network_takes() {
        const RULES: PictureRules = PictureRules {
            kinds: &[PictureKind::Png, PictureKind::Jpeg],
            most_bytes: 1_000,
            most_pixels: Some(1_000),
            most_alt_chars: 7,
        };
        #[track_caller]
        fn check(rules: PictureRules, bytes: &[u8], alt: &str, expected: &str) {
            let picture = Picture::read(bytes.to_vec(), alt.to_owned()).unwrap();
            let got =
                rules.check(&picture).map_or_else(|err| err.to_string(), |()| "ok".to_owned());
            assert_eq!(got, expected);
        }
        let large = PictureRules { most_bytes: 10_000, ..RULES };
        check(RULES, sample!("rgb.png"), "a sheep", "ok");
        check(RULES, sample!("rgb.png"), "schäfer", "ok");
        check(
            RULES,
            sample!("rgb.png"),
            "two sheep",
            "the alt text is 9 characters long, and at most 7 are taken: shorten it",
        );
        check(RULES, sample!("still.gif"), "", "a GIF is not taken: save it as PNG or JPEG");
        check(
            PictureRules { most_bytes: 80, ..RULES },
            sample!("rgb.png"),
            "",
            &format!(
                "the picture has {} bytes, and at most 80 are taken: make it smaller",
                sample!("rgb.png").len()
            ),
        );
        check(
            large,
            sample!("progressive.jpg"),
            "",
            "the picture has 40 × 33 pixels, and at most 1000 are taken: make it smaller",
        );
        check(PictureRules { most_pixels: None, ..large }, sample!("progressive.jpg"), "", "ok");
    }

    #[test]
    fn a_picture_is_not_printed() {
        let picture = read(sample!("still.gif")).unwrap();
        let bytes = picture.bytes().len();
        assert_eq!(
            format!("{picture:?}"),
            format!("Picture(GIF, 4 × 5, {bytes} bytes, \"a sheep\")")
        );
    }

    proptest! {
        #[test]
        fn any_change_is_read_or_refused(
            file in prop::sample::select(FILES.map(|(bytes, _)| bytes).to_vec()),
            changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        ) {
            let mut bytes = file.to_vec();
            for (at, byte) in changes {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            if let Ok(picture) = read(&bytes) {
                prop_assert!(picture.width() != 0 && picture.height() != 0);
                prop_assert_eq!(picture.bytes(), bytes);
            }
        }
    }
}
