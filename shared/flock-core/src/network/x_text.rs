//! The length of a text as X counts it (twitter-text configuration v3).

use super::Measured;

/// Weighs 1 for Latin, Greek, Cyrillic and the like, 2 for everything else.
pub(crate) fn measure(text: &str) -> Measured {
    let weight = |c: char| match u32::from(c) {
        0..=4351 | 8192..=8205 | 8208..=8223 | 8242..=8247 => 1,
        _ => 2,
    };
    let links = text.matches("https://").count() + text.matches("http://").count();
    Measured { length: text.chars().map(weight).sum(), links }
}
