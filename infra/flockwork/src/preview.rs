//! The next posts, before they are made: of what is in the table, or of a directory that nobody has applied yet.
//!
//! Everything they need is read first, and the data directory let go: whoever reads the lines may take any time. Then each post is
//! found when it is printed, so the first ones are there at once, however many are asked for.

use std::{
    io::{self, Write as _},
    path::Path,
};

use flock_core::{Hindrance, Sheep};
use flock_ops::{self as ops, Error, UpcomingLine, WithText};
use jiff::Timestamp;

use crate::{
    cli::{Place, Preview},
    connect::{Connection, look},
    flock_file,
    quiet::nothing_posts,
    refusal::{missing, refuse},
    show,
};

/// What is read before anything is printed.
struct ToShow {
    sheep: Vec<WithText>,
    now: Timestamp,
    /// What people should know besides.
    notes: Vec<String>,
}

/// Prints them.
pub(crate) async fn preview(place: &Place, options: &Preview) -> anyhow::Result<()> {
    let ToShow { sheep, now, notes } = match &options.dir {
        Some(dir) => Box::pin(of_directory(place, dir, options)).await?,
        None => of_table(place, options).await?,
    };
    for post in ops::upcoming(&sheep, now).take(options.count) {
        let line = if options.json {
            serde_json::to_string(&UpcomingLine::new(&post))?
        } else {
            show::upcoming_line(&post)
        };
        writeln!(io::stdout(), "{line}")?;
    }
    for note in notes {
        writeln!(io::stderr(), "{note}")?;
    }
    Ok(())
}

async fn of_table(place: &Place, options: &Preview) -> anyhow::Result<ToShow> {
    let connection = look(place).await?;
    let Connection { store, clock, .. } = &connection;
    let sheep = match &options.sheep {
        Some(sheep) => vec![store.find_sheep(None, sheep).await.map_err(Error::from)?],
        None => store.sheep_of(options.flock.as_ref()).await.map_err(Error::from)?,
    };
    let now = clock.now();
    let sheep = ops::with_texts_for(store, sheep, options.count, now).await?;
    let notes = notes(&connection, &sheep, options.json).await?;
    Ok(ToShow { sheep, now, notes })
}

/// As it would be if it was applied now.
async fn of_directory(place: &Place, dir: &Path, options: &Preview) -> anyhow::Result<ToShow> {
    if !dir.exists() {
        return Err(refuse(format!(
            "{}: it does not exist; of a flock or a sheep that is applied `--flock NAME` or `--sheep NAME` shows the posts",
            dir.display()
        )));
    }
    let file = flock_file::read(dir).map_err(|err| refuse(err.to_string()))?;
    let connection = look(place).await?;
    let Connection { store, clock, program, .. } = &connection;
    let now = clock.now();
    let plan = ops::plan(store, file, now).await?;
    let sheep = plan.sheep_to_be(store).await?;
    let mut notes = notes(&connection, &sheep, options.json).await?;
    notes.extend(missing(plan.missing(), program));
    Ok(ToShow { sheep, now, notes })
}

/// Why not everything is posted as it is shown.
async fn notes(
    connection: &Connection,
    sheep: &[WithText],
    json: bool,
) -> anyhow::Result<Vec<String>> {
    let sheep = || sheep.iter().map(|one| &one.sheep);
    let mut notes = ops::silent(sheep());
    let hindrances = Hindrance::of(sheep()).into_iter().filter(|found| !found.is_stopped);
    notes.extend(hindrances.map(|found| format!("{}: {}", found.who(), found.why)));
    let sheep: Vec<&Sheep> = sheep().collect();
    notes.extend(nothing_posts(connection, &sheep, json).await?);
    Ok(notes)
}
