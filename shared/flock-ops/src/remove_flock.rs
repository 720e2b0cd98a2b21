//! Removes a flock: its sheep go, what they posted stays.

use anyhow::anyhow;
use flock_core::{FlockName, Objection, Remedy, Sheep, SheepId, State, count};
use flock_store::{Store, Write};
use futures_util::future::BoxFuture;
use jiff::Timestamp;

use crate::{Error, Noted, Refusal, Result, at_once::all, plan::Done};

/// Refuses to remove sheep whose posts may be on their networks.
pub fn refuse_to_remove(sheep: &[Sheep], now: Timestamp) -> Result<(), Refusal> {
    Refusal::unless_fit(sheep.iter().filter_map(|sheep| cannot_remove(sheep, now)).collect())
}

/// Removes a flock and its sheep; their corpora go in a day. Posts stay, and numbers go on after them. Refuses if the
/// flock has other sheep than `asked`.
pub async fn remove_flock(
    store: &Store,
    _: &Noted,
    flock: &FlockName,
    asked: &[Sheep],
    now: Timestamp,
) -> Result<usize> {
    let sheep = store.sheep_of_flock(flock).await?;
    if !sheep.iter().map(|sheep| &sheep.id).eq(asked.iter().map(|sheep| &sheep.id)) {
        return Err(Error::refused(format!(
            "flock {flock} has other sheep by now; nothing was removed; look at it and try again"
        )));
    }
    refuse_to_remove(&sheep, now)?;
    let done = Done::default();
    let result = remove_all(store, &sheep, &done, now).await;
    let gone = store.let_unused_corpora_go(flock, done.into_unused(), now).await;
    result?;
    gone?;
    store.delete_flock(flock).await?;
    Ok(sheep.len())
}

/// A tick writes a sheep twice per post, so a few tries always suffice.
const TRIES: usize = 20;

/// Removes the sheep.
pub(crate) async fn remove_all(
    store: &Store,
    sheep: &[Sheep],
    done: &Done,
    now: Timestamp,
) -> Result<()> {
    let removals = sheep.iter().map(|sheep| -> BoxFuture<'_, _> {
        Box::pin(async move {
            remove(store, sheep.clone(), done, now).await??;
            done.changed();
            Ok(())
        })
    });
    all(removals.collect()).await.map_err(|err| match (err, done.changes()) {
        // What was refused with something changed is no refusal.
        (Error::Refused(why), removed @ 1..) => Error::Failed(anyhow!(
            "{why}; {} of the flock went before that, and the others stay",
            count(u64::try_from(removed).unwrap_or(u64::MAX), "sheep")
        )),
        (err, _) => err,
    })
}

/// Removes one sheep, and notes every corpus it was seen with. The inner error says why it stays.
async fn remove(
    store: &Store,
    mut sheep: Sheep,
    done: &Done,
    now: Timestamp,
) -> Result<Result<(), Refusal>> {
    let id = sheep.id.clone();
    for _ in 0..TRIES {
        done.seen_with([sheep.config.behaviour.text().clone()]);
        // A tick may have begun a post since the flock was read.
        if let Some(why) = cannot_remove(&sheep, now) {
            return Ok(Err(why.into()));
        }
        match store.remove_sheep(&sheep, now).await? {
            Write::Conflict(Some(newest)) => sheep = newest,
            // Also where somebody else has removed it.
            Write::Done | Write::Conflict(None) => return Ok(Ok(())),
        }
    }
    Ok(Err(Objection::from(changed_meanwhile(&id)).into()))
}

/// What is lost with a sheep: its name and where it is, and so many posts that people added to its queue.
pub fn loss(sheep: &Sheep, added: u32) -> String {
    let behaviour = &sheep.config.behaviour;
    let (unit, next) = (behaviour.unit(), behaviour.position(sheep.next_place().cursor));
    let posts = match sheep.progress.occurrence.0.saturating_sub(1) {
        0 => "no post yet".to_owned(),
        last => format!("last post is number {last}"),
    };
    let added = if added == 0 { String::new() } else { format!("; {}", lost_with_it(added)) };
    format!("{} on {}: {posts}, next is {unit} {next}{added}", sheep.id.name, sheep.config.account)
}

/// That what people added to a queue goes with it.
pub(crate) fn lost_with_it(added: u32) -> String {
    let are = if added == 1 { "is" } else { "are" };
    format!(
        "{} that people added to its queue and it has not made {are} lost",
        count(added, "post")
    )
}

/// A post that may be on its network must be settled first: nobody would find out any more.
pub(crate) fn cannot_remove(sheep: &Sheep, now: Timestamp) -> Option<Objection> {
    let number = sheep.open()?.occurrence;
    let (id, account) = (&sheep.id, &sheep.config.account);
    let objection = |why: String, alike: &str| Objection::of([id], why).alike(alike);
    Some(if sheep.unknown(now).is_some() {
        let why = format!(
            "nobody knows whether its post {number} is on {account}; look there and say whether it is, or wait until it is \
             found out; then remove it"
        );
        let alike = "nobody knows whether a post of it is on its account; look there and say whether it is, or wait until it is \
                     found out; then remove it";
        objection(why, alike).with(Remedy::SayWhetherSent(id.clone(), number))
    } else if matches!(sheep.state, State::Active) {
        objection(
            format!("its post {number} is just being made on {account}; remove it in a minute"),
            "a post of it is just being made; remove it in a minute",
        )
    } else {
        let state = sheep.state.name();
        let why = format!(
            "its post {number} may be on {account}, and nobody looks while it is {state}; resume it, and remove it in a minute"
        );
        let alike = format!(
            "a post of it may be on its account, and nobody looks while it is {state}; resume it, and remove it in a minute"
        );
        objection(why, &alike).with(Remedy::ResumeSheep(id.clone()))
    })
}

pub(crate) fn changed_meanwhile(id: &SheepId) -> String {
    format!("{id} is being changed by somebody else; try again")
}
