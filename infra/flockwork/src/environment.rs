//! `flockwork env`: the environment in which other programs reach what a `flockwork run` serves, with the token it
//! wants.

use std::io::{self, Write as _};

use crate::{
    cli::Place,
    data_dir::{DataDir, Endpoint},
    refusal::refuse,
};

/// Prints it, one variable a line; for a shell with `export`.
pub fn print(place: &Place, export: bool) -> anyhow::Result<()> {
    let Endpoint { environment, .. } = endpoint(place)?;
    let mut lines = Vec::new();
    for (key, value) in environment {
        if export {
            lines.push(format!("export {key}='{}'\n", value.replace('\'', r"'\''")));
        } else if value.contains(['\n', '\r']) {
            return Err(refuse(format!(
                "{key} has more than one line, which no environment file can hold; use --export"
            )));
        } else {
            lines.push(format!("{key}={value}\n"));
        }
    }
    io::stdout().write_all(lines.concat().as_bytes())?;
    Ok(())
}

/// Where the run is that is up.
pub(crate) fn endpoint(place: &Place) -> anyhow::Result<Endpoint> {
    if place.aws {
        return Err(refuse("this is about the run on this machine; leave out --aws"));
    }
    DataDir::served_at(&place.data)?.ok_or_else(|| {
        refuse(format!(
            "no `flockwork run` is up in {}; start one in another terminal, or name its directory with --data",
            place.data.display()
        ))
    })
}
