//! Writes the files of a first flock.

use std::{fs, path::Path};

use anyhow::Context as _;
use flock_core::FlockName;

use crate::{
    cli::{Init, Place, quoted},
    refusal::refuse,
};

/// The first poem: what a sheep is called after its file says.
const POEM: &str = "\
Every line of this file is a post.
A blank line is a pause.

Write your own here,
or put other text files beside it: each becomes a sheep.
";

/// Writes a flock into the directory that `options` names, which may be there and must not have one. Says what to do then.
pub(crate) fn init(place: &Place, options: &Init) -> anyhow::Result<String> {
    let dir = &options.dir;
    let name = name(dir, options.name.as_ref())?;
    let file = dir.join("flock.toml");
    if file.try_exists().unwrap_or(true) {
        return Err(refuse(format!("{} is there already; nothing was changed", file.display())));
    }
    let poems = dir.join("poems");
    fs::create_dir_all(&poems).with_context(|| format!("cannot make {}", poems.display()))?;
    let poem = poems.join("first.txt");
    if !poem.try_exists().unwrap_or(true) {
        fs::write(&poem, POEM).with_context(|| format!("cannot write {}", poem.display()))?;
    }
    // Last: it is what makes the directory a flock's.
    fs::write(&file, flock_toml(&name))
        .with_context(|| format!("cannot write {}", file.display()))?;
    let (program, shown, dir) = (place.command(), dir.display(), quoted(dir));
    Ok(format!(
        "Flock {name} is in {shown}: flock.toml says who posts what and when, poems/ what they say.\n\
         `{program} flock plan {dir}` shows what applying it does, `{program} flock apply {dir}` does it, and \
         `{program} preview --flock {name}` shows its next posts."
    ))
}

/// What the flock is called: as was said, or like its directory.
fn name(dir: &Path, said: Option<&FlockName>) -> anyhow::Result<FlockName> {
    if let Some(name) = said {
        return Ok(name.clone());
    }
    // `.` is called something, too.
    let full = std::path::absolute(dir).unwrap_or_else(|_| dir.to_owned());
    let stem = full.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    let words: Vec<_> =
        stem.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    words.join("-").parse().map_err(|_| {
        refuse(format!(
            "{} gives no name for a flock (lowercase letters, digits and hyphens); say one with --name",
            dir.display()
        ))
    })
}

fn flock_toml(name: &FlockName) -> String {
    format!(
        r#"name = "{name}"

# The clock that times of day are read by: an IANA name, such as "Europe/London".
time_zone = "UTC"

# What every sheep starts with; any sheep may say it otherwise.
[defaults]
network = "meadow" # or "mastodon", "bluesky", "x": add the accounts first
line = "1h"        # from one line to the next: "30s", "5m", "2h"
stanza = "6h"      # the longer pause at a blank line

# Every file in poems/ is a sheep, called like the file.
[[sheep]]
files = "poems/*.txt"
behaviour = "poem"
"#
    )
}
