//! What every benchmark does: build, and count.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

/// Builds programs as they are released, but for the processor. The folder they are in then.
pub(crate) fn build(arguments: &[&str]) -> PathBuf {
    let mut cargo = Command::new(env!("CARGO"));
    run(cargo.current_dir(root()).args(["build", "--release"]).args(arguments));
    // This program is in target/release/deps.
    let program = std::env::current_exe().unwrap();
    program.ancestors().nth(2).unwrap().to_owned()
}

pub(crate) fn run(command: &mut Command) {
    let status = command.status().unwrap();
    assert!(status.success(), "{command:?}: {status}");
}

/// Of these values, the one that this part of them does not exceed; sorts.
pub(crate) fn quantile(values: &mut [f64], part: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a few thousand values"
    )]
    let place = (part * values.len() as f64).ceil() as usize;
    values[place.clamp(1, values.len()) - 1]
}

/// The root of the repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}
