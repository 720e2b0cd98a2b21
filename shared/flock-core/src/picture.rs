//! Pictures and what networks take of them.

/// A kind of picture file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PictureKind {
    /// PNG.
    Png,
    /// JPEG.
    Jpeg,
    /// GIF.
    Gif,
    /// WebP.
    Webp,
}

/// What a network takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PictureRules {
    /// Which kinds.
    pub kinds: &'static [PictureKind],
    /// The most a file may be.
    pub most_bytes: usize,
    /// The most pixels it may have.
    pub most_pixels: Option<u64>,
    /// The most characters its alternative text may have.
    pub most_alt_chars: usize,
}

/// A picture file with its alternative text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    bytes: Vec<u8>,
    alt: String,
    kind: PictureKind,
    width: u32,
    height: u32,
}

/// A file that is not a picture.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
#[error("the file is not a picture that is known here")]
pub struct PictureRefusal;

impl PictureKind {
    /// What HTTP calls it.
    pub fn mime(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
            Self::Gif => "image/gif",
            Self::Webp => "image/webp",
        }
    }
}

impl Picture {
    /// Reads a picture file.
    pub fn read(bytes: Vec<u8>, alt: String) -> Result<Self, PictureRefusal> {
        let number = |at: usize| {
            let four = bytes.get(at..at + 4)?.try_into().ok()?;
            Some(u32::from_be_bytes(four))
        };
        match (bytes.starts_with(b"\x89PNG\r\n\x1a\n"), number(16), number(20)) {
            (true, Some(width), Some(height)) => {
                Ok(Self { bytes, alt, kind: PictureKind::Png, width, height })
            }
            _ => Err(PictureRefusal),
        }
    }

    /// What kind of file it is.
    pub fn kind(&self) -> PictureKind {
        self.kind
    }

    /// In pixels.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// In pixels.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// The file.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// What is told to those who cannot see it.
    pub fn alt(&self) -> &str {
        &self.alt
    }
}
