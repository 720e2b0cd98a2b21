//! `ring <who> <part> <text...>`: what accounts show of themselves.

use flock_core::Usage;
use flock_ops::Noted;

use crate::{
    call::{Answer, Call},
    command::{Command, Group, Run, SHEPHERD},
    commands::{do_for::wish_for, wipe::PAY},
};

pub(super) const COMMAND: Command = Command {
    usages: &[Usage::new("ring <who> <part> <text...>")],
    group: Group::Flock,
    need: SHEPHERD,
    help: "Change profiles",
    example: "ring moon bio Book {n} of {count}",
    run: Run::Changes(|call, noted| Box::pin(run(call, noted))),
};

async fn run(call: &Call<'_>, noted: &Noted) -> Answer {
    let text = call.arguments.rest().unwrap_or_default();
    let words = match (call.argument(1), text.split_once(char::is_whitespace)) {
        (PAY, Some((flock, text))) => format!("{PAY} {flock} profile {text}"),
        (part, _) => format!("profile {part} {text}"),
    };
    wish_for(call, noted, &words).await
}
