//! Seals the keys of all accounts anew, with the current key of the keyring. It is a job.

use std::collections::BTreeSet;

use flock_aws::{Keyring, Secrets};
use flock_core::{Asker, Job, Rotation, Work};
use flock_store::Store;
use jiff::{SignedDuration, Timestamp};

use crate::{Begun, Error, Noted, Result, begin_job};

/// How long the job is held while a key is added to the keyring: longer than the requests for it can last.
const HELD: SignedDuration = SignedDuration::from_mins(5);

/// Begins a rotation, if none is under way, with a keyring that has the key `under`, if any is said. Until `held_until` nobody goes
/// on with it but who began it.
pub async fn begin_rotation(
    store: &Store,
    noted: &Noted,
    asker: Asker,
    under: Option<String>,
    (now, held_until): (Timestamp, Option<Timestamp>),
) -> Result<Begun> {
    let work = Work::Rotation(Rotation { under, ..Rotation::default() });
    let job = Job::new(Rotation::job(), work, asker, now);
    begin_job(store, noted, Job { lease_until: held_until, ..job }).await
}

/// Begins a rotation with a fresh key, which the keyring called `name` has from then on as the current one; the keys that are there
/// stay. Says how it is called; nothing where a rotation is under way. The job is held until the key is there, so that no two add
/// one at a time: whoever dies in between leaves a rotation with the key that is current then.
pub async fn begin_with_new_key(
    store: &Store,
    noted: &Noted,
    asker: Asker,
    secrets: &Secrets,
    (name, now): (&str, Timestamp),
) -> Result<(Begun, Option<String>)> {
    let held_until = now.saturating_add(HELD).unwrap_or(Timestamp::MAX);
    let begun = begin_rotation(store, noted, asker, None, (now, Some(held_until))).await?;
    let Begun::New(job) = begun else { return Ok((begun, None)) };
    let added = add_key(store, secrets, name).await;
    let held = (job.lease_until, job.since);
    let changed = |job: &Job| match (&added, &job.work) {
        // Somebody else has it by now.
        _ if (job.lease_until, job.since) != held || !job.is_running() => job.clone(),
        (Ok(key), Work::Rotation(work)) => {
            let work = Rotation { under: Some(key.clone()), ..work.clone() };
            Job { work: Work::Rotation(work), ..job.release() }
        }
        _ => job.end(now),
    };
    let job = store.change_job(job, changed).await?;
    Ok((Begun::New(job), Some(added?)))
}

async fn add_key(store: &Store, secrets: &Secrets, name: &str) -> Result<String> {
    let text = secrets.get(name).await.map_err(anyhow::Error::new)?;
    let keyring = Keyring::parse(&text).map_err(anyhow::Error::new)?;
    let used = keys_in_use(store).await?;
    // What is older than the newest key would be written over it, and what is sealed with that would be lost.
    if let Some(lacks) = used.iter().find(|key| !keyring.has(key)) {
        return Err(Error::refused(format!(
            "the keyring {name} lacks the key `{lacks}`, which accounts are sealed with; put it back first, or give the \
             command again in a minute, if it was added just now"
        )));
    }
    let (text, key) = Keyring::with_new_key(&text, used.iter().map(String::as_str))
        .map_err(anyhow::Error::new)?;
    secrets.put(name, &text).await.map_err(anyhow::Error::new)?;
    Ok(key)
}

/// How the keys of the keyring are called that accounts are sealed with.
pub async fn keys_in_use(store: &Store) -> Result<BTreeSet<String>> {
    let mut keys = BTreeSet::new();
    for id in store.accounts().await? {
        let Some(item) = store.newest_account(&id).await? else { continue };
        let sealed = [Some(item.sealed_key), item.sealed_session].into_iter().flatten();
        keys.extend(sealed.filter_map(|sealed| Keyring::key_of(&sealed).map(ToOwned::to_owned)));
    }
    Ok(keys)
}
