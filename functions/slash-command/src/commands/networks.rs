//! `networks`: what networks can do, take, charge and forbid.

use flock_core::{Network, Usage};
use flock_slack::escape;

use crate::{
    call::{Answer, Call, code, refuse, tell},
    command::{Command, EVERYBODY, Group, Run},
};

pub(super) const COMMAND: Command = Command {
    usages: &[Usage::new("networks"), Usage::new("networks <name>")],
    group: Group::Flock,
    need: EVERYBODY,
    help: "What each network can do, takes, charges and forbids",
    example: "networks x",
    run: Run::Reads(|call| Box::pin(run(call))),
};

async fn run(call: &Call<'_>) -> Answer {
    let Some(name) = call.arguments.get(0) else {
        return tell(format!(
            "```\n{}\n```\nOne in full: `/flock networks &lt;name&gt;`.",
            escape(&flock_ops::networks())
        ));
    };
    let Ok(network) = name.to_lowercase().parse::<Network>() else {
        let names: Vec<_> = Network::ALL.iter().map(|network| network.name()).collect();
        return refuse(format!(
            "`{}` is not a network: there are {}.",
            code(name),
            names.join(", ")
        ));
    };
    tell(format!("```\n{}\n```", escape(&flock_ops::network(network))))
}
