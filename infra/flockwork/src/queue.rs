//! Posts that people add to a queue.

use flock_core::{Changed, QueueChange, QueuedPost, Sheep, local, quoted};
use flock_ops::{self as ops, Error, QueuedLine};

use crate::{
    cli::{Place, QueueCommand},
    command::as_json,
    connect::{Connection, look},
    operator::noted,
    screen::{Said, Screen, What},
    silence,
};

/// Lists a queue, or changes it.
pub(crate) async fn queue(
    place: &Place,
    screen: &Screen,
    command: QueueCommand,
) -> anyhow::Result<()> {
    let (sheep, change, word) = match command {
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
