//! `flockwork wipe`: deletes all posts of an account or a flock. It is a job: where something is at work it goes on there by itself,
//! and is looked at here.

use anyhow::anyhow;
use flock_core::{Asker, Job, Whom, Work, count};
use flock_ops::{self as ops, Begun, WipeCount, begin_wipe, count_wipe};

use crate::{
    ask,
    cli::{Place, Wipe},
    connect::{Connection, connect, look},
    job::see_through,
    operator::{self, noted},
    screen::{Said, Screen},
};

/// Counts, asks, and sees it through. An error where something stayed, behind what is shown.
pub(crate) async fn wipe(place: &Place, screen: &Screen, options: &Wipe) -> anyhow::Result<()> {
    let (of, counted) = {
        let Connection { store, clock, .. } = &look(place).await?;
        let of = ops::whom(store, &options.target).await?;
        let pay = options.pay.as_ref();
        let now = clock.now();
        let counted = count_wipe(store, of.clone(), options.everything, pay, now).await?;
        (of, counted)
    };
    if options.dry_run {
        screen.page(lines(&counted).into())?;
        return Ok(counted.refuse_unpaid()?);
    }
    counted.refuse_unpaid()?;
    if !options.yes {
        let deed = format!("this deletes {} for good", count(counted.posts(), "post"));
        let price = match counted.price {
            flock_core::Usd::ZERO => String::new(),
            price => format!(" for {price}"),
        };
        let question = format!("Delete {}{price}?", count(counted.posts(), "post"));
        ask::consent(&deed, || screen.say(lines(&counted).into()), &question)?;
    }
    let connection = &connect(place).await?;
    let job = begin(connection, options, (&of, &counted)).await?;
    if options.detach && connection.is_at_work {
        return screen.say(Said { done: Some(goes_on(&job)), ..Said::default() });
    }
    let bar = ("posts", Some(counted.posts()).filter(|_| !options.everything));
    let job = (job, options.networks_on_loopback);
    let job = Box::pin(see_through(place, connection, screen, job, bar)).await?;
    if job.is_running() {
        return screen.say(Said { done: Some(goes_on(&job)), ..Said::default() });
    }
    ended(screen, &job)
}

/// Begins it as it was asked about, or finds it under way.
async fn begin(
    connection: &Connection,
    options: &Wipe,
    (of, asked): (&Whom, &WipeCount),
) -> anyhow::Result<Job> {
    let Connection { store, clock, .. } = connection;
    let now = clock.now();
    let everything = if options.everything { " --everything" } else { "" };
    let line = format!("wipe {}{everything}", options.target);
    let begun = noted(connection, line, async |noted| {
        let pay = options.pay.as_ref();
        let counted = count_wipe(store, of.clone(), options.everything, pay, now).await?;
        if !options.yes && (counted.posts(), counted.price) != (asked.posts(), asked.price) {
            return Err(ops::Error::refused(format!(
                "it is {} by now, for {}; nothing was deleted; give the command again",
                count(counted.posts(), "post"),
                counted.price
            )));
        }
        let operator = Asker::CommandLine(operator::name());
        begin_wipe(store, noted, operator, &counted, now).await
    });
    let (Begun::New(job) | Begun::UnderWay(job)) = Box::pin(begun).await?;
    Ok(job)
}

/// What would be deleted, with a line for each account where there are several.
fn lines(counted: &WipeCount) -> Vec<String> {
    let mut lines = Vec::new();
    if 1 < counted.accounts.len() {
        let each = counted.accounts.iter();
        lines.extend(each.map(|(account, posts)| format!("{account}: {}", count(*posts, "post"))));
    }
    lines.push(counted.consequence());
    lines
}

/// That it does not need this command.
fn goes_on(job: &Job) -> String {
    format!(
        "The job {} goes on by itself ({} so far); the same command shows how far it is, and so does `/flock running`.",
        job.id,
        count(job.work.done(), "post")
    )
}

/// What came of it.
fn ended(screen: &Screen, job: &Job) -> anyhow::Result<()> {
    let Work::Wipe(work) = &job.work else {
        return Err(anyhow!("the job {} is another", job.id));
    };
    let deleted = count(work.deleted, "post");
    let mut done = vec![match &job.cancelled_by {
        None => format!(
            "Deleted {deleted} of {}. Its sheep are paused, and begin at line 1 when they are resumed.",
            work.of.named()
        ),
        Some(by) => {
            format!("{by} has ended it in Slack, with {deleted} deleted; the rest is as it was.")
        }
    }];
    if work.everything {
        let network = work.cursor.as_ref().map(|account| account.network);
        done.extend(ops::lists_newest(network.into_iter()));
    }
    let said = Said { done: Some(done.join("\n")), ..Said::from(work.stays.clone()) };
    screen.say(said)?;
    match work.stayed {
        0 => Ok(()),
        1 => Err(anyhow!("1 thing stayed or could not be done")),
        stayed => Err(anyhow!("{stayed} posts stayed or could not be asked for")),
    }
}
