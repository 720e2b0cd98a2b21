//! `stop`: everything, at once.

use flock_core::{Usage, View, WHILE_STOPPED, count, preview};
use flock_ops::Noted;
use flock_slack::mention;
use jiff::SignedDuration;

use crate::{
    call::{Answer, Call, Obstacle, Stage, Sure, announce, refuse, who},
    command::{Command, Group, Run, SHEPHERD},
};

pub(super) const COMMAND: Command = Command {
    usages: &[Usage::new("stop"), Usage::new("shutdown")],
    group: Group::System,
    need: SHEPHERD,
    help: "Stop everything within a minute; asks first",
    example: "stop",
    run: Run::Changes(|call, noted| Box::pin(run(call, noted))),
};

async fn run(call: &Call<'_>, noted: &Noted) -> Answer {
    if let Some(stop) = &call.control.stopped {
        return refuse(format!(
            "Everything is stopped already: {} did that at {}.",
            who(&stop.by),
            View::utc(call.now).alone(stop.at)
        ));
    }
    if call.stage == Stage::Given {
        return Sure::ask(consequence(call).await?, "Stop everything");
    }
    if !flock_ops::stop(call.store(), noted).await? {
        return refuse("Everything is stopped already.");
    }
    announce(format!(
        "{} has stopped everything: within a minute nothing is posted any more. `/flock start` lets it go on.",
        mention(call.user())
    ))
}

/// What will not happen. Counted as far as there is time for it.
async fn consequence(call: &Call<'_>) -> Result<String, Obstacle> {
    /// Sheep whose posts are counted.
    const MOST_SHEEP: usize = 200;
    /// Posts of one sheep that are counted: one a minute for a day.
    const MOST_POSTS: usize = 24 * 60;
    let mut sheep = call.store().some_sheep(MOST_SHEEP + 1).await?;
    if MOST_SHEEP < sheep.len() {
        return Ok(format!(
            "This stops everything: more than {MOST_SHEEP} sheep, and all their posts. {WHILE_STOPPED}"
        ));
    }
    sheep.retain(|sheep| sheep.next_at().is_some());
    let tomorrow = call.now.saturating_add(SignedDuration::from_hours(24)).unwrap_or(call.now);
    let mut posts = 0_usize;
    for sheep in &sheep {
        let marks = call.store().marks(sheep).await?;
        let next = preview(sheep, &marks, call.now).take(MOST_POSTS);
        posts += next.take_while(|post| post.at < tomorrow).count();
    }
    let posts = count(u64::try_from(posts).unwrap_or(u64::MAX), "post");
    let sheep = count(u64::try_from(sheep.len()).unwrap_or(u64::MAX), "sheep");
    Ok(format!(
        "This stops everything: {sheep}, and {posts} planned for the next 24 hours. {WHILE_STOPPED}"
    ))
}
