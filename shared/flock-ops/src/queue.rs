//! Posts that people add to a queue, and what they do to those they added.
//!
//! A change reads the text of the sheep, makes another of it, stores that, and points the sheep to it, as it was read: where it
//! has posted meanwhile, or somebody else was faster, the change is made of what is there then, or refused.

use std::collections::BTreeSet;

use flock_core::{
    Behaviour, Changed, Corpus, CorpusId, QueueChange, QueueRefusal, QueuedPost, Sheep,
    queue_posts, queued,
};
use flock_store::{ChangeError, Read, Store, Write};
use jiff::Timestamp;
use serde::Serialize;

use crate::{Error, Noted, Result};

/// A post of a queue that is to come, as one JSON line.
#[derive(Debug, Serialize)]
pub struct QueuedLine<'a> {
    flock: &'a str,
    sheep: &'a str,
    number: String,
    at: Option<Timestamp>,
    added: bool,
    text: &'a str,
}

impl<'a> QueuedLine<'a> {
    /// The line for a post of `sheep`.
    pub fn new(sheep: &'a Sheep, post: &'a QueuedPost) -> Self {
        Self {
            flock: sheep.id.flock.as_str(),
            sheep: sheep.id.name.as_str(),
            number: post.number.to_string(),
            at: post.at,
            added: post.is_added,
            text: &post.text,
        }
    }
}

/// Whether it takes longer than a moment to change the queue of `sheep`: its text is written anew as a whole.
pub fn queue_takes_long(sheep: &Sheep) -> bool {
    /// At the length of most posts about 100 KB, which is two writes.
    const POSTS: u32 = 1_000;
    sheep.config.behaviour.units().is_some_and(|posts| POSTS < posts)
}

/// The posts of a queue that are to come, in order. Refuses where the sheep is no queue.
pub async fn queue(store: &Store, sheep: &Sheep, now: Timestamp) -> Result<Vec<QueuedPost>> {
    Ok(queued(sheep, &text(store, sheep).await?, now))
}

/// Changes the queue of a sheep. Refuses what its file or network would not take, and what is not as it was when somebody saw it.
pub async fn change_queue(
    store: &Store,
    _: &Noted,
    sheep: Sheep,
    change: &QueueChange,
    now: Timestamp,
) -> Result<Changed> {
    let mut unused = BTreeSet::new();
    let flock = sheep.id.flock.clone();
    let make = |sheep: &Sheep, text: &Corpus| {
        change.apply(sheep, text, now).map_err(|why| refused(sheep, &why))
    };
    let result = carry_out(store, sheep, make, &mut unused).await;
    // Also where it was refused in the end: a text may be stored by then that no sheep has.
    store.let_unused_corpora_go(&flock, unused, now).await?;
    result
}

/// Adds the posts of a file to the queue of a sheep, behind those that are there or at their own times: all of them, or none. `file` is
/// what people call it.
pub async fn import_queue(
    store: &Store,
    _: &Noted,
    sheep: Sheep,
    (posts, file): (&Corpus, &str),
    now: Timestamp,
) -> Result<Sheep> {
    let mut unused = BTreeSet::new();
    let flock = sheep.id.flock.clone();
    let make = |sheep: &Sheep, text: &Corpus| {
        let mut changed: Option<Changed> = None;
        for ((number, said), at) in posts.lines().zip(queue_posts(posts).map(|(at, _)| at)) {
            let text_of = said.to_owned();
            let change = match at {
                None => QueueChange::Add { text: text_of },
                Some(at) => QueueChange::At { at: at.to_string(), text: text_of },
            };
            let (so_far, its_text) =
                changed.as_ref().map_or((sheep, text), |changed| (&changed.sheep, &changed.text));
            changed = Some(change.apply(so_far, its_text, now).map_err(|why| {
                Error::refused(format!(
                    "{file}:{number}: {} keeps its queue as it is: {why}",
                    sheep.id
                ))
            })?);
        }
        let changed = changed.ok_or_else(|| Error::refused(format!("{file} has no post in it")))?;
        // It is one change, however many posts.
        let version = sheep.version.saturating_add(1);
        Ok(Changed { sheep: Sheep { version, ..changed.sheep }, ..changed })
    };
    let result = carry_out(store, sheep, make, &mut unused).await;
    store.let_unused_corpora_go(&flock, unused, now).await?;
    result.map(|changed| changed.sheep)
}

async fn carry_out(
    store: &Store,
    mut sheep: Sheep,
    make: impl Fn(&Sheep, &Corpus) -> Result<Changed>,
    unused: &mut BTreeSet<CorpusId>,
) -> Result<Changed> {
    /// A tick writes a sheep twice per post, and few people change one queue in one moment.
    const TRIES: usize = 20;
    let id = sheep.id.clone();
    for _ in 0..TRIES {
        let text = match text(store, &sheep).await {
            Ok(text) => text,
            Err(err) => {
                // Let go meanwhile, because the sheep has another.
                let newest = store.sheep(&id, Read::Consistent).await?;
                match newest.filter(|newest| newest.config.behaviour != sheep.config.behaviour) {
                    Some(newest) => {
                        sheep = newest;
                        continue;
                    }
                    None => return Err(err),
                }
            }
        };
        let changed = make(&sheep, &text)?;
        put(store, &sheep, &changed.text).await?;
        unused.insert(changed.text.id());
        match store.replace_sheep(&sheep, &changed.sheep).await? {
            Write::Done => {
                unused.insert(text.id());
                // Somebody may have found the text unused before the sheep pointed to it. Whoever does so from now on sees the sheep.
                put(store, &sheep, &changed.text).await?;
                return Ok(changed);
            }
            Write::Conflict(Some(newest)) => sheep = newest,
            Write::Conflict(None) => return Err(ChangeError::Removed(id).into()),
        }
    }
    Err(ChangeError::Busy(id).into())
}

/// Stores the text, where it is not there to stay.
async fn put(store: &Store, sheep: &Sheep, text: &Corpus) -> Result<()> {
    let flock = &sheep.id.flock;
    if !store.missing_corpora(flock, &BTreeSet::from([text.id()])).await?.is_empty() {
        store.put_corpus(flock, text, |_| {}).await?;
    }
    Ok(())
}

/// The text of a queue.
async fn text(store: &Store, sheep: &Sheep) -> Result<Corpus> {
    let queue = sheep.config.behaviour.open_queue();
    let queue = queue.map_err(|what| refused(sheep, &QueueRefusal::NoQueue(what)))?;
    let text = store.corpus(&sheep.id.flock, &queue.corpus).await?;
    text.ok_or_else(|| {
        Error::refused(format!(
            "the text of {} is not in the table; apply its flock again, which stores it",
            sheep.id
        ))
    })
}

fn refused(sheep: &Sheep, why: &QueueRefusal) -> Error {
    Error::refused(format!("{} keeps its queue as it is: {why}", sheep.id))
}

/// How many posts that people added each of `sheep` has still to make: with the sheep they are lost.
pub async fn added_to(store: &Store, sheep: &Sheep) -> Result<u32> {
    let Behaviour::Queue(queue) = &sheep.config.behaviour else { return Ok(0) };
    if queue.added == 0 {
        return Ok(0);
    }
    let text = store.corpus(&sheep.id.flock, &queue.corpus).await?;
    Ok(text.map_or(0, |text| flock_core::added_to_come(sheep, &text)))
}
