//! Texts that come from outside: files that people have, and what they type.
//!
//! All of them are read here first, and by the same rules: which bytes are text, which characters go, which no network
//! shows, and what says nothing though it is not empty.

use std::{borrow::Cow, collections::BTreeSet, fmt};

/// Quotation marks of languages, which phones and word processors set where straight ones are typed.
pub const CURLY: [char; 5] = ['“', '”', '„', '‘', '’'];

/// What is said of them where they stand for straight ones. A part of a sentence.
pub const STRAIGHT: &str =
    "quotation marks are straight, \"like these\", and not as word processors make them";

/// The signs of Windows-1252 for the bytes from 0x80 to 0x9F; it has none for five of them (Unicode, "CP1252.TXT", 2026-11).
const WINDOWS: &str = "€\u{81}‚ƒ„…†‡ˆ‰Š‹Œ\u{8d}Ž\u{8f}\u{90}‘’“”•–—˜™š›œ\u{9d}žŸ";

/// The first sign in a text that was UTF-8, was read as Windows-1252 and written as UTF-8 once more, and which it was: `Ã©` of `é`.
///
/// Only what hardly stands in any text is taken for one: letters of the Latin alphabet, punctuation and emoji, and of other
/// alphabets two letters in a row.
pub(crate) fn twice_encoded(text: &str) -> Option<(&str, char)> {
    let byte = |c: char| match u32::from(c) {
        code @ 0x80..=0xff => u8::try_from(code).ok(),
        _ => {
            WINDOWS.chars().position(|known| known == c).and_then(|at| u8::try_from(0x80 + at).ok())
        }
    };
    // So many signs from `at` on as one sign has bytes, where they are those of one.
    let read = |at: usize| {
        let rest = text.get(at..)?;
        let first = byte(rest.chars().next()?)?;
        let length =
            first.leading_ones().try_into().ok().filter(|length| (2..=4).contains(length))?;
        let bytes: Option<Vec<u8>> = rest.chars().take(length).map(byte).collect();
        let good = std::str::from_utf8(&bytes?).ok()?.chars().next()?;
        let end = rest.char_indices().nth(length).map_or(text.len(), |(end, _)| at + end);
        Some((text.get(at..end)?, good, end))
    };
    let mut before = None;
    for (at, c) in text.char_indices() {
        let may_begin = ('\u{c2}'..='\u{f4}').contains(&c);
        if let Some((bad, good, end)) = may_begin.then(|| read(at)).flatten() {
            let is_sure = match good {
                // In words of capitals a quotation mark may follow: `DECISÃ“`.
                '\u{80}'..='\u{ff}' => {
                    let may_quote = |c| ('\u{2018}'..='\u{203a}').contains(&c) || "«»".contains(c);
                    !before.is_some_and(char::is_uppercase)
                        || !bad.chars().nth(1).is_some_and(may_quote)
                }
                '\u{2000}'..='\u{20bf}' | '\u{2100}'..='\u{214f}' | '\u{1f000}'.. => true,
                '\u{370}'..='\u{52f}' => {
                    read(end).is_some_and(|(_, next, _)| ('\u{370}'..='\u{52f}').contains(&next))
                }
                _ => false,
            };
            if is_sure {
                return Some((bad, good));
            }
        }
        before = Some(c);
    }
    None
}

/// Bytes that are no text as it is read here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotText {
    /// The bytes are not UTF-8.
    #[error("line {line} is not UTF-8{encoding}")]
    NotUtf8 {
        /// The first line, counted from 1, that is not.
        line: usize,
        /// What they seem to be.
        encoding: Encoding,
    },
    /// They are a document of another program.
    #[error("it is a document ({kind}) and no plain text; save it as plain text in UTF-8")]
    Document {
        /// Whose.
        kind: &'static str,
    },
    /// Lines end as they did on old Macs, so that all of them would be one.
    #[error(
        "line {line} has carriage returns where lines end, as old Macs wrote them; give it line feeds: \
         tr '\\r' '\\n' < old.txt > new.txt"
    )]
    OldMac {
        /// The line, counted from 1, that has the first.
        line: usize,
    },
}

/// In what a text seems to be written that is not UTF-8.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// Nothing that is known here, or UTF-8 with something broken in it.
    Unknown,
    /// Written by most systems before there was UTF-8.
    Latin1,
    /// Windows' own form of it.
    Windows,
    /// The old Macs'.
    Mac,
    /// Windows' "Unicode"; it says itself which of two forms it has.
    Utf16,
    /// The form of Windows, without saying so.
    Utf16Le,
    /// The other.
    Utf16Be,
    /// Four bytes for every character.
    Utf32,
}

impl NotText {
    /// The line it is about, counted from 1.
    pub fn line(&self) -> usize {
        match self {
            Self::NotUtf8 { line, .. } | Self::OldMac { line } => *line,
            Self::Document { .. } => 1,
        }
    }
}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (title, name) = match self {
            Self::Unknown => return f.write_str("; save the file as UTF-8"),
            Self::Latin1 => ("Latin-1", "ISO-8859-1"),
            Self::Windows => ("Windows-1252", "CP1252"),
            Self::Mac => ("Mac Roman, with the line ends of old Macs", "MACINTOSH"),
            Self::Utf16 => ("UTF-16", "UTF-16"),
            Self::Utf16Le => ("UTF-16", "UTF-16LE"),
            Self::Utf16Be => ("UTF-16", "UTF-16BE"),
            Self::Utf32 => ("UTF-32", "UTF-32"),
        };
        write!(
            f,
            " but, as it seems, {title}; convert the file: iconv -f {name} -t UTF-8 old.txt"
        )?;
        f.write_str(if *self == Self::Mac { " | tr '\\r' '\\n' > new.txt" } else { " > new.txt" })
    }
}

/// How documents begin that people take for texts: "Rich Text Format 1.9.1", "APPNOTE 6.3.10" of PKWARE, "ISO 32000-1, 7.5.2".
const DOCUMENTS: [(&[u8], &str); 3] = [
    (b"{\\rtf", "rich text, RTF"),
    (b"PK\x03\x04", "of Word, Excel or LibreOffice"),
    (b"%PDF-", "PDF"),
];

/// The text that `bytes` are, without byte order marks, wherever they are.
pub fn text_of(bytes: &[u8]) -> Result<Cow<'_, str>, NotText> {
    let document = DOCUMENTS.iter().find(|(begins, _)| bytes.starts_with(begins));
    if let Some((_, kind)) = document {
        return Err(NotText::Document { kind });
    }
    if let Some(encoding) = of_wide_units(bytes) {
        return Err(NotText::NotUtf8 { line: 1, encoding });
    }
    let text = std::str::from_utf8(bytes).map_err(|err| {
        let good = bytes.get(..err.valid_up_to()).unwrap_or_default();
        let line = good.split(|byte| *byte == b'\n').count();
        NotText::NotUtf8 { line, encoding: of_bytes(bytes, good) }
    })?;
    Ok(without_marks(text))
}

/// The same, where the lines of a text mean something.
pub fn lines_of(bytes: &[u8]) -> Result<Cow<'_, str>, NotText> {
    let text = text_of(bytes)?;
    match old_mac_line(&text) {
        Some(line) => Err(NotText::OldMac { line }),
        None => Ok(text),
    }
}

/// A text without U+FEFF: a byte order mark, which is left where files were put one behind the other. Nobody sees it,
/// and words with it in them are not the same words.
pub fn without_marks(text: &str) -> Cow<'_, str> {
    const MARK: char = '\u{feff}';
    if text.contains(MARK) { text.replace(MARK, "").into() } else { text.into() }
}

/// The first character that no network shows: a control character that is no line end and no tab, or one that Unicode
/// says is none.
pub(crate) fn odd(text: &str) -> Option<char> {
    text.chars().find(|c| (c.is_control() && !matches!(c, '\t' | '\n')) || is_noncharacter(*c))
}

/// Unicode 17.0, "23.7 Noncharacters".
fn is_noncharacter(c: char) -> bool {
    matches!(c, '\u{fdd0}'..='\u{fdef}') || 0xfffe <= u32::from(c) & 0xffff
}

/// Whether nobody would see anything of a text.
pub fn says_nothing(text: &str) -> bool {
    text.chars().all(|c| c.is_whitespace() || is_invisible(c))
}

/// Whether a character has no look of its own: Unicode's `Default_Ignorable_Code_Point` (17.0), the signs of annotations, and the
/// blank of Braille, which has a width and no dot. It may mean something within a word of a language, and nothing in a name.
pub fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
        | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// UTF-16 or UTF-32, by its mark, or by the bytes that are the same in most of its characters.
fn of_wide_units(bytes: &[u8]) -> Option<Encoding> {
    /// Enough to know.
    const LOOKED_AT: usize = 4_096;
    match bytes {
        [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] => return Some(Encoding::Utf32),
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => return Some(Encoding::Utf16),
        _ => {}
    }
    // Some line ends, at least, and spaces, have a zero.
    if !bytes.len().is_multiple_of(2) || !bytes.contains(&0) {
        return None;
    }
    let begin = bytes.get(..LOOKED_AT).unwrap_or(bytes);
    let (fours, rest) = begin.as_chunks::<4>();
    let is_scalar = |unit: u32| unit != 0 && char::from_u32(unit).is_some();
    if rest.is_empty()
        && (fours.iter().all(|four| is_scalar(u32::from_le_bytes(*four)))
            || fours.iter().all(|four| is_scalar(u32::from_be_bytes(*four))))
    {
        return Some(Encoding::Utf32);
    }
    let (pairs, _) = begin.as_chunks::<2>();
    if is_utf16(pairs.iter().map(|[low, high]| (*high, *low))) {
        Some(Encoding::Utf16Le)
    } else if is_utf16(pairs.iter().map(|[high, low]| (*high, *low))) {
        Some(Encoding::Utf16Be)
    } else {
        None
    }
}

/// Whether units of two bytes may be a text: ASCII, or in one script or two beside it, whose characters have the upper byte
/// alike.
fn is_utf16(units: impl Iterator<Item = (u8, u8)>) -> bool {
    /// Fewer letters of a far script may be anything.
    const FEW: usize = 4;
    let (mut scripts, mut number, mut ascii) = (BTreeSet::new(), 0, 0);
    for (high, low) in units {
        number += 1;
        match high {
            0 if low == 0 => return false,
            0 => ascii += 1,
            // Marks of punctuation, and the halves of what is beyond the first plane.
            0x20 | 0xd8..=0xdf => {}
            script => {
                scripts.insert(script);
            }
        }
    }
    0 < ascii && (ascii == number || FEW <= number) && scripts.len() <= 2
}

/// What bytes are of which only `good`, the first, are UTF-8.
fn of_bytes(bytes: &[u8], good: &[u8]) -> Encoding {
    // Where letters are UTF-8 that are not ASCII, the whole was to be.
    let far = bytes.utf8_chunks().any(|chunk| !chunk.valid().is_ascii());
    if far || !good.is_ascii() || bytes.contains(&0) {
        return Encoding::Unknown;
    }
    if bytes.contains(&b'\r') && !bytes.contains(&b'\n') {
        return Encoding::Mac;
    }
    // What has few letters of ASCII is in another alphabet, of which there are many.
    let letters = bytes.iter().filter(|byte| byte.is_ascii_alphabetic()).count();
    if letters < bytes.iter().filter(|byte| !byte.is_ascii()).count() {
        return Encoding::Unknown;
    }
    let mut encoding = Encoding::Latin1;
    for byte in bytes {
        match byte {
            // Windows-1252 has nothing there.
            0x81 | 0x8d | 0x8f | 0x90 | 0x9d => return Encoding::Unknown,
            0x80..=0x9f => encoding = Encoding::Windows,
            _ => {}
        }
    }
    encoding
}

/// The first line in which carriage returns are followed by something else than the line's end.
fn old_mac_line(text: &str) -> Option<usize> {
    let is_old = |line: &str| line.trim_end_matches(['\n', '\r']).contains('\r');
    if !text.contains('\r') {
        return None;
    }
    text.split_inclusive('\n').position(is_old).map(|index| index + 1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(bytes: &[u8], expected: &str) {
        let got = lines_of(bytes).map_or_else(|err| err.to_string(), |text| format!("{text:?}"));
        assert_eq!(got, expected);
    }

    fn utf16(text: &str, to: impl Fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(to).collect()
    }

    #[test]
    fn what_was_encoded_twice_is_known() {
        let check = |text: &str, expected| assert_eq!(twice_encoded(text), expected, "{text}");
        check("cafÃ© noir", Some(("Ã©", 'é')));
        check("Ã‰tÃ©", Some(("Ã‰", 'É')));
        check("itâ€™s", Some(("â€™", '’')));
        check("5 â‚¬", Some(("â‚¬", '€')));
        check("fin ðŸ˜€", Some(("ðŸ˜€", '😀')));
        check("ÐœÐ¾Ñ€Ðµ", Some(("Ðœ", 'М')));
        // What people write.
        for text in [
            "",
            "plain",
            "café, naïve, Ångström",
            "MAÇÃ”",
            "Spaß”",
            "BEAUTÉ\u{a0}!",
            "maçã…”",
            "Ð and Ñ",
            "море",
            "£5 – «é»",
            "Łódź",
            "São Tomé e Príncipe",
            "Ü”",
            "😀",
        ] {
            check(text, None);
        }
    }

    proptest::proptest! {
        /// Whatever is beside it.
        #[test]
        fn each_letter_that_was_encoded_twice_is_known(
            before in "[a-z ]{0,5}",
            letter in "[é-ÿß’“”–€😀]",
            after in "[a-z ]{0,5}",
        ) {
            let good = format!("{before}{letter}{after}");
            let read = |byte: u8| match byte {
                0x80..=0x9f => WINDOWS.chars().nth(usize::from(byte - 0x80)).unwrap(),
                _ => char::from(byte),
            };
            let bad: String = good.bytes().map(read).collect();
            let found = twice_encoded(&bad).map(|(_, good)| good);
            proptest::prop_assert_eq!(found, letter.chars().next());
            proptest::prop_assert_eq!(twice_encoded(&good), None);
        }
    }

    #[test]
    fn what_is_no_text_is_named() {
        check("\u{feff}a\u{feff}b\r\n\u{feff}".as_bytes(), r#""ab\r\n""#);
        check(b"a\r\r\nb\r", r#""a\r\r\nb\r""#);
        let old = "has carriage returns where lines end, as old Macs wrote them; give it line feeds: tr '\\r' '\\n' < old.txt > new.txt";
        check(b"a\rb\r", &format!("line 1 {old}"));
        check(b"a\nb\rc\n", &format!("line 2 {old}"));
        let wide = |name| {
            format!(
                "line 1 is not UTF-8 but, as it seems, UTF-16; convert the file: iconv -f {name} -t UTF-8 old.txt > new.txt"
            )
        };
        check(&utf16("\u{feff}Луна\n", u16::to_le_bytes), &wide("UTF-16"));
        check(&utf16("\u{feff}The moon\n", u16::to_be_bytes), &wide("UTF-16"));
        check(&utf16("The moon\n", u16::to_le_bytes), &wide("UTF-16LE"));
        check(&utf16("The moon\n", u16::to_be_bytes), &wide("UTF-16BE"));
        for (far, other) in [("Луна и солнце\n", "Hi\n"), ("月👩‍🚀…\n", "Trăng – sáng\n")]
        {
            for text in [far, other] {
                check(&utf16(text, u16::to_le_bytes), &wide("UTF-16LE"));
                check(&utf16(text, u16::to_be_bytes), &wide("UTF-16BE"));
                let fours: Vec<u8> =
                    text.chars().flat_map(|c| u32::from(c).to_le_bytes()).collect();
                check(&fours, &wide("UTF-32").replace("UTF-16", "UTF-32"));
            }
        }
        // A zero that was left in a text makes no other encoding of it.
        check(b"a\0b\n", r#""a\0b\n""#);
        check(b"ab\0d", r#""ab\0d""#);
        check(b"the moon\0 and the sun\n ", r#""the moon\0 and the sun\n ""#);
        check(
            b"ok\ncaf\xe9\n",
            "line 2 is not UTF-8 but, as it seems, Latin-1; convert the file: iconv -f ISO-8859-1 -t UTF-8 old.txt > new.txt",
        );
        check(
            b"\x93caf\xe9\x94\n",
            "line 1 is not UTF-8 but, as it seems, Windows-1252; convert the file: iconv -f CP1252 -t UTF-8 old.txt > new.txt",
        );
        check(
            b"a\rcaf\x8e\r",
            "line 1 is not UTF-8 but, as it seems, Mac Roman, with the line ends of old Macs; convert the file: iconv -f MACINTOSH -t UTF-8 old.txt | tr '\\r' '\\n' > new.txt",
        );
        check(
            "é\n".as_bytes().iter().chain(b"\xe9\n").copied().collect::<Vec<_>>().as_slice(),
            "line 2 is not UTF-8; save the file as UTF-8",
        );
        // Cyrillic, as Windows wrote it.
        check(b"\xcf\xf0\xe8\xe2\xe5\xf2, ok\n", "line 1 is not UTF-8; save the file as UTF-8");
        check(b"a\x81\n", "line 1 is not UTF-8; save the file as UTF-8");
    }

    #[test]
    fn what_nobody_sees_says_nothing() {
        let blank = [
            "",
            " \t",
            "\u{200b}",
            "\u{2060}\u{ad}",
            "\u{2800}\u{2800}",
            "\u{3164} \u{feff}",
            "\u{e0020}",
        ];
        assert!(blank.into_iter().all(says_nothing));
        assert!(!["a", "\u{200b}.", "👩\u{200d}🚀", "⠁"].into_iter().any(says_nothing));
        assert_eq!(odd("a\tb\nc👩\u{200d}🚀"), None);
        for c in ['\u{fffe}', '\u{ffff}', '\u{fdd0}', '\u{1fffe}', '\u{10ffff}', '\r', '\u{85}'] {
            assert_eq!(odd(&format!("a{c}b")), Some(c));
        }
    }

    proptest! {
        #[test]
        fn what_is_text_stays_but_for_marks(text in "(\\PC|\u{feff}|\n|\r\n){0,30}") {
            let read = lines_of(text.as_bytes()).unwrap();
            prop_assert_eq!(&*read, text.replace('\u{feff}', ""));
        }

        #[test]
        fn what_is_not_is_refused_with_a_line_that_is_there(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            let lines = bytes.split(|byte| *byte == b'\n').count();
            if let Err(why) = lines_of(&bytes) {
                prop_assert!((1..=lines).contains(&why.line()));
            }
        }
    }
}
