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
}
