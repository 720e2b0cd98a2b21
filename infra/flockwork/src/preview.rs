//! The next posts, before they are made: of what is in the table, or of a directory that nobody has applied yet.
//!
//! Everything they need is read first, and the data directory let go: whoever reads the lines may take any time. Then each post is
//! found when it is printed, so the first ones are there at once, however many are asked for.

use std::{
    io::{self, Write as _},
    path::Path,
};

use flock_core::{Hindrance, Sheep, View};
use flock_ops::{self as ops, Budgets, Error, UpcomingLine, WithText};
use jiff::Timestamp;

use crate::{
    cli::{Place, Preview},
    command::as_json,
    connect::{Connection, look},
    flock_file,
    refusal::{missing, refuse},
    screen::{Said, Screen},
    show::{self, Coming},
    silence::{self, nothing_posts},
};

/// So many rows of a table are found before the first of them is shown, because all of them tell how wide it is. More are
/// shown as lines, on a terminal, too.
const MOST_ROWS: usize = 10_000;

/// What is read before anything is printed.
struct ToShow {
    sheep: Vec<WithText>,
    now: Timestamp,
    view: View,
    /// Of what is applied: what a directory says may be another cap.
    budgets: Option<Budgets>,
    /// What people should know besides.
    notes: Vec<String>,
}

/// Prints them.
pub(crate) async fn preview(
    place: &Place,
    screen: &Screen,
    options: &Preview,
) -> anyhow::Result<()> {
    let ToShow { sheep, now, view, mut budgets, notes } = match &options.dir {
        Some(dir) => Box::pin(of_directory(place, dir, options)).await?,
        None => of_table(place, options).await?,
    };
    let posts = ops::upcoming(&sheep, now).take(options.count).map(|post| {
        let waits = budgets.as_mut().and_then(|budgets| budgets.waits(&post));
        Coming { post, waits }
    });
    if screen.window.is_some() && !options.json && options.count <= MOST_ROWS {
        let posts: Vec<_> = posts.collect();
        if posts.is_empty() {
            return screen.say(Said { notes, ..Said::default() });
        }
        let table = || show::upcoming_table(&posts, &view);
        let what = screen.list(table, |_| Vec::new());
        return screen.page(Said { what, notes, ..Said::default() });
    }
    for post in posts {
        let line = if options.json {
            as_json([UpcomingLine::new(&post.post)])?.concat()
        } else {
            show::upcoming_line(&post, screen.paint)
        };
        writeln!(io::stdout(), "{line}")?;
    }
    screen.say(Said { notes, ..Said::default() })
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
    let (view, notes) = around(&connection, &sheep, options.json).await?;
    let budgets = Budgets::of(store, sheep.iter().map(|one| &one.sheep), now).await?;
    Ok(ToShow { sheep, now, view, budgets: Some(budgets), notes })
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
    let Connection { store, clock, .. } = &connection;
    let now = clock.now();
    let plan = ops::plan(store, file, now).await?;
    let sheep = plan.sheep_to_be(store).await?;
    let (view, mut notes) = around(&connection, &sheep, options.json).await?;
    notes.extend(missing(plan.missing(), place));
    Ok(ToShow { sheep, now, view, budgets: None, notes })
}

/// How the times are shown, and why not everything is posted as it is shown.
async fn around(
    connection: &Connection,
    sheep: &[WithText],
    json: bool,
) -> anyhow::Result<(View, Vec<String>)> {
    let stop = connection.store.control().await?.stopped;
    let sheep = || sheep.iter().map(|one| &one.sheep);
    let mut notes = ops::silent(sheep());
    let hindrances = Hindrance::of(sheep()).into_iter().filter(|found| !found.is_stopped);
    notes.extend(hindrances.map(|found| found.to_string()));
    let sheep: Vec<&Sheep> = sheep().collect();
    notes.extend(nothing_posts(connection, stop.as_ref(), &sheep, json));
    Ok((silence::view(connection, stop.as_ref(), &sheep), notes))
}
