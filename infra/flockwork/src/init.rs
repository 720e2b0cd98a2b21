//! Writes the files of a first flock.

use std::{
    fs::{self, File},
    io::Write as _,
    path::Path,
};

use anyhow::Context as _;
use flock_core::FlockName;

use crate::{
    cli::{Init, Place, quoted},
    flock_file::plain,
    refusal::refuse,
    screen::Said,
};

/// The first poem. It is posted.
const POEM: &str = "\
A sheep stands in the meadow,
and every line it has is a post.

After the last it waits a while,
and begins again with the first.
";

/// Writes a flock into the directory that `options` names, which may be there and must not have one. Says what to do then.
pub(crate) fn init(place: &Place, options: &Init) -> anyhow::Result<Said> {
    let dir = &options.dir;
    let name = name(dir, options.name.as_ref())?;
    let file = dir.join("flock.toml");
    if dir.is_file() {
        return Err(refuse(format!(
            "{} is a file; name the directory it is to be in",
            dir.display()
        )));
    }
    if file.symlink_metadata().is_ok() {
        return Err(refuse(format!("{} is there already; nothing was changed", file.display())));
    }
    let poems = dir.join("poems");
    fs::create_dir_all(&poems).with_context(|| format!("cannot make {}", poems.display()))?;
    let poem = poems.join("first.txt");
    if poem.symlink_metadata().is_err() {
        write_new(&poem, POEM)?;
    }
    // Last: it is what makes the directory a flock's.
    write_new(&file, &flock_toml(&name))?;
    let (program, shown, dir) = (place.command(), dir.display(), quoted(dir));
    let done = format!(
        "Flock {name} is in {shown}: flock.toml says who posts what and when, poems/ what they say.\n\
         `{program} flock plan {dir}` shows what applying it does, `{program} preview {dir}` its next posts, and \
         `{program} flock apply {dir}` does it."
    );
    Ok(Said { done: Some(done), ..Said::default() })
}

/// Writes a file that is not there, and follows no link to where it would be.
fn write_new(path: &Path, text: &str) -> anyhow::Result<()> {
    File::create_new(path)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .with_context(|| format!("cannot write {}", path.display()))
}

/// What the flock is called: as was said, or like its directory.
pub(crate) fn name(dir: &Path, said: Option<&FlockName>) -> anyhow::Result<FlockName> {
    if let Some(name) = said {
        return Ok(name.clone());
    }
    // `.` is called something, too.
    let full = std::path::absolute(dir).unwrap_or_else(|_| dir.to_owned());
    let stem = plain(&full.file_name().unwrap_or_default().to_string_lossy());
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
line = "1h"        # from one line to the next: "5m", "2h", "1d"
stanza = "6h"      # from the last line until the first comes again

# Every file in poems/ is a sheep, called like the file.
[[sheep]]
files = "poems/*.txt"
behaviour = "poem"
"#
    )
}
