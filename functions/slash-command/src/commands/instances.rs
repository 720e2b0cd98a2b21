//! `instances`: the processes at work.

use flock_core::{Usage, View};
use flock_slack::escape;
use flock_store::Instance;

use crate::{
    call::{Answer, Call, tell},
    command::{Command, EVERYBODY, Group, Run},
    page::List,
};

pub(super) const COMMAND: Command = Command {
    usages: &[Usage::new("instances"), Usage::new("instances <page>")],
    group: Group::System,
    need: EVERYBODY,
    help: "The processes at work in the last half hour",
    example: "instances",
    run: Run::Reads(|call| Box::pin(run(call))),
};

async fn run(call: &Call<'_>) -> Answer {
    let instances = call.store().instances(call.now).await?;
    if instances.is_empty() {
        return tell("None has noted itself yet.");
    }
    let view = View::utc(call.now);
    let line = |instance: &Instance| {
        format!(
            "*{}* {} (version {}), started {}, last noted {}",
            escape(&instance.function),
            escape(&instance.id),
            escape(&instance.version),
            view.clock(instance.since),
            view.clock(instance.seen)
        )
    };
    Ok(List::new("instances", call.page(0)?).times(&view).of(&instances, line))
}
