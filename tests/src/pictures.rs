//! Picture files.

/// A whole PNG of this size in pixels, with so many bytes of what nobody reads.
pub fn png(width: u32, height: u32, bytes: usize) -> Vec<u8> {
    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    let mut chunk = |kind: &[u8], data: &[u8]| {
        png.extend(u32::try_from(data.len()).expect("a test's picture is small").to_be_bytes());
        png.extend(kind);
        png.extend(data);
        // Its checksum, which nobody reads, either.
        png.extend([0; 4]);
    };
    let size = [width.to_be_bytes(), height.to_be_bytes()].concat();
    chunk(b"IHDR", &[&size[..], b"\x08\x02\0\0\0"].concat());
    chunk(b"IDAT", &vec![0; bytes]);
    chunk(b"IEND", &[]);
    png
}
