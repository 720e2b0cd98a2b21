//! `flockwork account rotate`: seals the keys of all accounts anew. It is a job: where something is at work it goes on there by itself,
//! and is only looked at here.

use std::time::Duration;

use flock_aws::Secrets;
use flock_core::{AccountId, Asker, Job, Rotation, Work, count, named, natural};
use flock_ops::{self as ops, Begun, Noted};

use crate::{
    account,
    cli::{Place, Rotate},
    connect::{Connection, connect},
    job::see_through,
    operator::{self, noted},
    screen::{Said, Screen},
};

/// Begins it, or finds one that is under way, and sees it through or looks on.
pub(crate) async fn rotate(
    place: &Place,
    screen: &Screen,
    options: &Rotate,
) -> anyhow::Result<Said> {
    let connection = &connect(place).await?;
    let secrets = Secrets::new(&connection.aws);
    let name = account::keyring_name(place, options.keyring.as_deref())?;
    let keyring = account::read_keyring(place, connection, &secrets, &name).await?;
    let line = if options.new_key { "account rotate --new-key" } else { "account rotate" };
    let began = noted(connection, line.to_owned(), async |noted| {
        begin(connection, noted, (&secrets, &name), keyring.current(), options.new_key).await
    });
    let Began { job, added } = Box::pin(began).await?;
    let stopped = connection.store.control().await?.stopped.is_some();
    let mut done = Vec::new();
    done.extend(added.map(|key| format!("The keyring has the new key {key}, which is current.")));
    let following = connection.is_at_work;
    let job = if following && (options.detach || stopped) {
        done.push(if stopped {
            let program = &connection.program;
            format!("Everything is stopped, and so the rotation waits until `{program} start`.")
        } else {
            goes_on(&job, connection)
        });
        return Ok(Said { done: Some(done.join("\n")), ..Said::default() });
    } else {
        let accounts = connection.store.accounts().await?.len();
        let of = ("accounts", u64::try_from(accounts).ok());
        Box::pin(see_through(place, connection, screen, (job, false), of)).await?
    };
    if job.is_running() {
        done.push(goes_on(&job, connection));
        return Ok(Said { done: Some(done.join("\n")), ..Said::default() });
    }
    let Work::Rotation(work) = &job.work else {
        return Err(anyhow::anyhow!("the job {} is another", job.id));
    };
    // As it is now: somebody else may have added a key.
    secrets.drop_if_older(&name, Duration::ZERO);
    let keyring = account::read_keyring(place, connection, &secrets, &name).await?;
    let used = ops::keys_in_use(&connection.store).await?;
    let mut idle: Vec<_> = keyring.names().filter(|key| !used.contains(*key)).collect();
    idle.sort_by(|a, b| natural(a, b));
    done.push(match &job.cancelled_by {
        None => format!(
            "The keys of {} are sealed with {} now.",
            count(work.sealed, "account"),
            keyring.current()
        ),
        Some(by) => format!(
            "{by} has ended it in Slack, with {} sealed anew; the rest is as it was.",
            count(work.sealed, "account")
        ),
    });
    done.extend(match &*idle {
        [] => None,
        [key] => Some(format!("The key {key} of the keyring seals nothing any more.")),
        keys => Some(format!("The keys {} of the keyring seal nothing any more.", named(keys))),
    });
    let notes = unopened(work, &connection.program).into_iter().collect();
    Ok(Said { done: Some(done.join("\n")), notes, ..Said::default() })
}

/// A job, and the key that was added for it.
struct Began {
    job: Job,
    added: Option<String>,
}

/// Begins it with the `current` key of the keyring, or with a new one.
async fn begin(
    connection: &Connection,
    noted: &Noted,
    (secrets, keyring): (&Secrets, &str),
    current: &str,
    new_key: bool,
) -> ops::Result<Began> {
    let Connection { store, clock, .. } = connection;
    let now = clock.now();
    let asker = Asker::CommandLine(operator::name());
    if !new_key {
        let under = Some(current.to_owned());
        let begun = ops::begin_rotation(store, noted, asker, under, (now, None)).await?;
        let (Begun::New(job) | Begun::UnderWay(job)) = begun;
        return Ok(Began { job, added: None });
    }
    let at = (keyring, now);
    match Box::pin(ops::begin_with_new_key(store, noted, asker, secrets, at)).await? {
        (Begun::New(job), added) => Ok(Began { job, added }),
        (Begun::UnderWay(job), _) => Err(ops::Error::refused(format!(
            "the keys of all accounts are being sealed anew already, since {:.0}: see that through with `{} account rotate`, \
             and add a key then",
            job.since, connection.program
        ))),
    }
}

/// That it does not need this command.
fn goes_on(job: &Job, connection: &Connection) -> String {
    format!(
        "The rotation goes on by itself ({} so far): `{} account rotate` shows how far it is, and so does `/flock running`.",
        count(job.work.done(), "account"),
        connection.program
    )
}

/// Of which accounts nothing could be opened, and what to do.
fn unopened(work: &Rotation, program: &str) -> Option<String> {
    let Rotation { unopened, named, .. } = work;
    if named.is_empty() {
        return None;
    }
    let names: Vec<_> = named.iter().map(AccountId::to_string).collect();
    let more =
        if u64::try_from(names.len()).is_ok_and(|named| named < *unopened) { ", ..." } else { "" };
    Some(format!(
        "What is stored of {} could not be opened, and is as it was ({}{more}). Put the key of the keyring back that it was sealed \
         with, or give the accounts new keys (`{program} account renew`).",
        count(*unopened, "account"),
        names.join(", ")
    ))
}
