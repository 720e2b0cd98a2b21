//! Posts that people add to a queue.

use std::{
    io::{self, Write as _},
    path::Path,
};

use flock_core::{
    BehaviourKind, Changed, QueueChange, QueuedPost, Sheep, Source, count, local, queue_csv,
    queue_ical, quoted,
};
use flock_ops::{self as ops, Error, QueuedLine};

use crate::{
    cli::{Place, QueueCommand, QueueFormat},
    command::as_json,
    connect::{Connection, look},
    files,
    operator::noted,
    screen::{Said, Screen, What},
    silence,
};

/// The largest file of posts to add: more than the 500 that a queue takes can be long.
const MOST_BYTES: u64 = 4 * 1024 * 1024;

/// Lists a queue, or changes it.
pub(crate) async fn queue(
    place: &Place,
    screen: &Screen,
    command: QueueCommand,
) -> anyhow::Result<()> {
    let (sheep, change, word) = match command {
        QueueCommand::Export { sheep, format } => {
            return export(place, &sheep, format).await;
        }
        QueueCommand::Import { sheep, file } => {
            return screen.say(Box::pin(import(place, &sheep, &file)).await?);
        }
        QueueCommand::List { sheep, count, json } => {
            return screen.page(list(place, &sheep, count, json).await?);
        }
        QueueCommand::Add { sheep, text } => {
            (sheep, QueueChange::Add { text: text.join(" ") }, "add".to_owned())
        }
        QueueCommand::At { sheep, time, text } => {
            let line = format!("at {time}");
            (sheep, QueueChange::At { at: time, text: text.join(" ") }, line)
        }
        QueueCommand::Edit { sheep, number, text } => {
            let line = format!("edit {number}");
            (sheep, QueueChange::Edit { post: number, text: text.join(" ") }, line)
        }
        QueueCommand::Remove { sheep, number } => {
            let line = format!("remove {number}");
            (sheep, QueueChange::Remove { post: number }, line)
        }
        QueueCommand::Move { sheep, number, to } => {
            let line = format!("move {number} {to}");
            (sheep, QueueChange::Move { post: number, to }, line)
        }
        QueueCommand::Next { sheep, number } => {
            let line = format!("next {number}");
            (sheep, QueueChange::Next { post: number }, line)
        }
    };
    screen.say(Box::pin(changed(place, &sheep, &change, &word)).await?)
}

async fn list(place: &Place, sheep: &str, count: usize, json: bool) -> anyhow::Result<Said> {
    let connection = &look(place).await?;
    let Connection { store, clock, .. } = connection;
    let sheep = store.find_sheep(None, sheep).await.map_err(Error::from)?;
    let mut posts = ops::queue(store, &sheep, clock.now()).await?;
    posts.truncate(count);
    let stop = store.control().await?.stopped;
    let mut notes = ops::silent([&sheep]);
    notes.extend(silence::nothing_posts(connection, stop.as_ref(), &[&sheep], json));
    if json {
        let lines = as_json(posts.iter().map(|post| QueuedLine::new(&sheep, post)))?;
        return Ok(Said { what: What::Lines(lines), notes, ..Said::default() });
    }
    let lines = posts.iter().map(|post| line(&sheep, post)).collect();
    Ok(Said { what: What::Rows(lines), notes, ..Said::default() })
}

/// The posts to come, as another program reads them.
async fn export(place: &Place, sheep: &str, format: QueueFormat) -> anyhow::Result<()> {
    let Connection { store, clock, .. } = &look(place).await?;
    let sheep = store.find_sheep(None, sheep).await.map_err(Error::from)?;
    let now = clock.now();
    let posts = ops::queue(store, &sheep, now).await?;
    let file = match format {
        QueueFormat::Csv => {
            let posts = posts.iter().map(|post| (post.own_time, post.text.as_str()));
            queue_csv(posts, sheep.config.rhythm.zone())
        }
        QueueFormat::Ical => {
            let planned = |post: &QueuedPost| {
                post.at.ok_or_else(|| {
                    Error::refused(format!(
                        "post {} of {} has no time as long as the sheep does not post; resume it, or write a table: --format csv",
                        post.number, sheep.id
                    ))
                })
            };
            let times: Vec<_> = posts.iter().map(planned).collect::<Result<_, _>>()?;
            let posts = times.into_iter().zip(posts.iter().map(|post| post.text.as_str()));
            queue_ical(&sheep.id.to_string(), posts, now)
        }
    };
    // As it is: lines of a calendar end with a carriage return, and no text has another control character.
    io::stdout().write_all(file.as_bytes())?;
    Ok(())
}

async fn import(place: &Place, sheep: &str, path: &Path) -> anyhow::Result<Said> {
    let connection = &look(place).await?;
    let Connection { store, clock, .. } = connection;
    let sheep = store.find_sheep(None, sheep).await.map_err(Error::from)?;
    let file = path.display().to_string();
    let bytes =
        files::read(path, MOST_BYTES).map_err(|err| Error::refused(format!("{file} {err}")))?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let source = Source::plain(&name, &bytes, sheep.config.rhythm.zone());
    let (posts, problems) = BehaviourKind::Queue.read(&source);
    let Some(posts) = posts.filter(|_| problems.is_empty()) else {
        let told = problems.iter().map(|problem| match problem.line() {
            Some(line) => format!("{file}:{line}: {problem}"),
            None => format!("{file}: {problem}"),
        });
        return Err(Error::refused(told.collect::<Vec<_>>().join("\n")).into());
    };
    let many = count(posts.len(), "post");
    let line = format!("queue import {} {name}", sheep.id);
    let now = clock.now();
    let sheep = noted(connection, line, async |noted| {
        ops::import_queue(store, noted, sheep, (&posts, &file), now).await
    });
    let sheep = Box::pin(sheep).await?;
    let stop = store.control().await?.stopped;
    let mut notes = ops::silent([&sheep]);
    notes.extend(silence::nothing_posts(connection, stop.as_ref(), &[&sheep], false));
    let said = format!("{many} added to the queue of {}.", sheep.id);
    Ok(Said { what: What::Lines(vec![said]), notes, ..Said::default() })
}

/// A post of a list.
fn line(sheep: &Sheep, post: &QueuedPost) -> String {
    let zone = sheep.config.rhythm.zone();
    let at = post.at.map(|at| format!("{}  ", local(at, zone))).unwrap_or_default();
    let added = if post.is_added { "  (added)" } else { "" };
    format!("{:<10}  {at}{}{added}", post.number.to_string(), quoted(&post.text))
}

async fn changed(
    place: &Place,
    sheep: &str,
    change: &QueueChange,
    word: &str,
) -> anyhow::Result<Said> {
    // Where nothing is there yet, there is no sheep to change either.
    let connection = &look(place).await?;
    let Connection { store, clock, .. } = connection;
    let sheep = store.find_sheep(None, sheep).await.map_err(Error::from)?;
    let line = format!("queue {word} {}", sheep.id);
    let now = clock.now();
    let changed = noted(connection, line, async |noted| {
        ops::change_queue(store, noted, sheep, change, now).await
    });
    let Changed { sheep, post, before, .. } = Box::pin(changed).await?;
    let said = match post {
        Some(post) => self::line(&sheep, &post),
        None => format!("removed: {}", quoted(&before.unwrap_or_default())),
    };
    let stop = store.control().await?.stopped;
    let mut notes = ops::silent([&sheep]);
    notes.extend(silence::nothing_posts(connection, stop.as_ref(), &[&sheep], false));
    Ok(Said { what: What::Lines(vec![said]), notes, ..Said::default() })
}
