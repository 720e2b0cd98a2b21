//! `flockwork account rotate`: seals the keys of all accounts anew. It is a job: where something is at work it goes on there by itself,
//! and is only looked at here.

use std::time::Duration;

use anyhow::Context as _;
use flock_aws::{Keyring, Secrets};
use flock_core::{AccountId, Asker, Job, Rotation, Work, count, named, natural};
use flock_net::{Stride, reseal};
use flock_ops::{self as ops, Noted, Rotating};
use flock_store::Write;
use indicatif::ProgressBar;

use crate::{
    account,
    cli::{Place, Rotate},
    connect::{Connection, connect},
    operator::{self, noted},
    refusal::refuse,
    screen::{Said, Screen},
};

/// How often is looked how far it is.
const LOOK: Duration = Duration::from_secs(1);

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
        let bar = bar(connection, screen).await?;
        let seen = if following {
            look_on(connection, job, &bar).await
        } else {
            carry_on(connection, job, &secrets, &name, &bar).await
        };
        bar.finish_and_clear();
        seen?
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
        let (Rotating::Begun(job) | Rotating::UnderWay(job)) = begun;
        return Ok(Began { job, added: None });
    }
    let at = (keyring, now);
    match Box::pin(ops::begin_with_new_key(store, noted, asker, secrets, at)).await? {
        (Rotating::Begun(job), added) => Ok(Began { job, added }),
        (Rotating::UnderWay(job), _) => Err(ops::Error::refused(format!(
            "the keys of all accounts are being sealed anew already, since {:.0}: see that through with `{} account rotate`, \
             and add a key then",
            job.since, connection.program
        ))),
    }
}

/// What shows how far it is: on the terminal alone.
async fn bar(connection: &Connection, screen: &Screen) -> anyhow::Result<ProgressBar> {
    let accounts = connection.store.accounts().await?.len();
    let accounts = u64::try_from(accounts).unwrap_or(u64::MAX);
    let bar = screen.progress().with_message("accounts");
    bar.set_length(accounts);
    Ok(bar)
}

/// Looks on until it has ended, or Ctrl-C is pressed.
async fn look_on(connection: &Connection, job: Job, bar: &ProgressBar) -> anyhow::Result<Job> {
    let mut job = job;
    let interrupted = tokio::signal::ctrl_c();
    tokio::pin!(interrupted);
    while job.is_running() {
        show(&job, bar);
        tokio::select! {
            heard = &mut interrupted => {
                heard.context("cannot listen for Ctrl-C")?;
                return Ok(job);
            }
            () = tokio::time::sleep(LOOK) => {}
        }
        job = connection.store.job(&job.id).await?.context("the job is forgotten")?;
    }
    Ok(job)
}

/// Goes on with it here, where nobody else is at work: whatever is left of it is nobody's.
async fn carry_on(
    connection: &Connection,
    job: Job,
    secrets: &Secrets,
    name: &str,
    bar: &ProgressBar,
) -> anyhow::Result<Job> {
    let Connection { store, clock, .. } = connection;
    let keyring = Keyring::parse(&secrets.get(name).await?)?;
    let mut job = job;
    while job.is_running() {
        show(&job, bar);
        let Work::Rotation(work) = &job.work else {
            return Err(anyhow::anyhow!("the job {} is another", job.id));
        };
        if job.cancelled_by.is_some() {
            job = store.change_job(job, |job| job.end(clock.now())).await?;
            break;
        }
        let stride = reseal(store, &keyring, work.cursor.as_ref(), clock.now()).await?;
        let next = match stride {
            Stride::Done { step, is_last } => {
                let stepped = job.step(Work::Rotation(work.step(&step)));
                let ended = is_last.then(|| job.end(clock.now()).ended).flatten();
                Job { ended, lease_until: None, ..stepped }
            }
            Stride::Busy(_) => {
                // Left by a run that has died: it is over soon.
                tokio::time::sleep(LOOK).await;
                continue;
            }
            Stride::Nothing => job.end(clock.now()),
        };
        let Write::Done = store.put_job(&next).await? else {
            return Err(refuse("somebody else is at it; give the command again"));
        };
        job = next;
    }
    Ok(job)
}

fn show(job: &Job, bar: &ProgressBar) {
    if let Work::Rotation(work) = &job.work {
        bar.set_position(work.done());
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
