//! Holds: a file is refused with a sentence, or it is a picture with pixels, which more bytes do not change.
#![no_main]

use flock_core::{Picture, PictureKind, PictureRules};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let picture = match Picture::read(bytes.to_vec(), String::new()) {
        Ok(picture) => picture,
        Err(refusal) => {
            assert!(!refusal.to_string().is_empty());
            return;
        }
    };
    assert!(picture.width() != 0 && picture.height() != 0);
    assert_eq!(picture.bytes(), bytes);
    assert!(picture.kind().mime().starts_with("image/"));

    // What stands behind the end does not matter.
    let longer = Picture::read([bytes, b"\0"].concat(), String::new()).expect("it has its end");
    assert_eq!(
        (longer.kind(), longer.width(), longer.height()),
        (picture.kind(), picture.width(), picture.height())
    );

    let pixels = u64::from(picture.width()) * u64::from(picture.height());
    let rules = PictureRules {
        kinds: &PictureKind::ALL,
        most_bytes: bytes.len(),
        most_pixels: Some(pixels),
        most_alt_chars: 0,
    };
    rules.check(&picture).expect("it is as large as the rules allow");
    let stricter = PictureRules { most_pixels: Some(pixels - 1), ..rules };
    stricter.check(&picture).expect_err("it is larger than the rules allow");
});
