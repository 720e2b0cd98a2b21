//! `queue ...`: posts that people add to a queue.

use flock_core::{Changed, QueueChange, QueueNumber, QueuedPost, Sheep, Usage, quoted};
use flock_ops::{Noted, change_queue, queue_takes_long, silent};
use flock_slack::{Line, Reply, Span, escape, nameless_mention, trim, typed};

use crate::{
    call::{Answer, Call, Obstacle, Stage, Step, Sure, code, refuse},
    command::{Command, EVERYBODY, Group, Run, SHEPHERD},
    page::List,
};

pub(super) const LIST: Command = Command {
    usages: &[Usage::new("queue list <sheep>"), Usage::new("queue list <sheep> <page>")],
    group: Group::Flock,
    need: EVERYBODY,
    help: "The posts of a queue that are to come, with their numbers and times",
    example: "queue list crier",
    run: Run::Reads(|call| Box::pin(list(call))),
};

pub(super) const ADD: Command = Command {
    usages: &[Usage::new("queue add <sheep> <text...>")],
    group: Group::Flock,
    need: SHEPHERD,
    help: "Add a post at the end of a queue",
    example: "queue add crier The market opens at nine.",
    run: Run::Changes(|call, noted| Box::pin(add(call, noted))),
};

pub(super) const AT: Command = Command {
    usages: &[Usage::new("queue at <time> <sheep> <text...>")],
    group: Group::Flock,
    need: SHEPHERD,
    help: "Add a post to a queue that is made at a time of its own, in the sheep's zone",
    example: "queue at 2030-12-01T09:00 crier The market opens now.",
    run: Run::Changes(|call, noted| Box::pin(at(call, noted))),
};

pub(super) const EDIT: Command = Command {
    usages: &[Usage::new("queue edit <sheep> <number> <text...>")],
    group: Group::Flock,
    need: SHEPHERD,
    help: "Give a post that was added to a queue another text",
    example: "queue edit crier 5-e1f0 The market opens at ten.",
    run: Run::Changes(|call, noted| Box::pin(edit(call, noted))),
};

pub(super) const REMOVE: Command = Command {
    usages: &[Usage::new("queue remove <sheep> <number>")],
    group: Group::Flock,
    need: SHEPHERD,
    help: "Take a post out of a queue that was added to it",
    example: "queue remove crier 5-e1f0",
    run: Run::Changes(|call, noted| Box::pin(remove(call, noted))),
};

pub(super) const MOVE: Command = Command {
    usages: &[Usage::new("queue move <sheep> <number> <to>")],
    group: Group::Flock,
    need: SHEPHERD,
    help: "Put a post that was added to a queue in the place of another",
    example: "queue move crier 5-e1f0 3",
    run: Run::Changes(|call, noted| Box::pin(move_to(call, noted))),
};

pub(super) const NEXT: Command = Command {
    usages: &[Usage::new("queue next <sheep> <number>")],
    group: Group::Flock,
    need: SHEPHERD,
    help: "Put a post that was added to a queue before all others",
    example: "queue next crier 5-e1f0",
    run: Run::Changes(|call, noted| Box::pin(next(call, noted))),
};

async fn list(call: &Call<'_>) -> Answer {
    let sheep = call.store().find_sheep(None, call.argument(0)).await?;
    let posts = flock_ops::queue(call.store(), &sheep, call.now).await?;
    let view = call.view([&sheep]);
    let line = |post: &QueuedPost| -> Line {
        let at = post.at.map(|at| format!(" {}", view.to_come(at))).unwrap_or_default();
        let added = if post.is_added { " (added)" } else { "" };
        vec![
            Span::Code(post.number.to_string()),
            Span::Text(format!("{at}{added} {}", quoted(&post.text))),
        ]
    };
    let but = silent([&sheep]).into_iter().map(|line| escape(&line));
    let command = format!("queue list {}", sheep.id);
    Ok(List::new(command, call.page(1)?).above(but).times(&view).of(&posts, line))
}

async fn add(call: &Call<'_>, noted: &Noted) -> Answer {
    let change = QueueChange::Add { text: text(call)? };
    changed(call, noted, call.argument(0), change).await
}

async fn at(call: &Call<'_>, noted: &Noted) -> Answer {
    let change = QueueChange::At { at: call.argument(0).to_owned(), text: text(call)? };
    changed(call, noted, call.argument(1), change).await
}

async fn edit(call: &Call<'_>, noted: &Noted) -> Answer {
    let change = QueueChange::Edit { post: number(call, 1)?, text: text(call)? };
    changed(call, noted, call.argument(0), change).await
}

async fn remove(call: &Call<'_>, noted: &Noted) -> Answer {
    let change = QueueChange::Remove { post: number(call, 1)? };
    changed(call, noted, call.argument(0), change).await
}

async fn move_to(call: &Call<'_>, noted: &Noted) -> Answer {
    let change = QueueChange::Move { post: number(call, 1)?, to: number(call, 2)? };
    changed(call, noted, call.argument(0), change).await
}

async fn next(call: &Call<'_>, noted: &Noted) -> Answer {
    let change = QueueChange::Next { post: number(call, 1)? };
    changed(call, noted, call.argument(0), change).await
}

/// The text of a post, to the letter.
fn text(call: &Call<'_>) -> Result<String, Obstacle> {
    let said = call.arguments.rest().unwrap_or_default();
    if let Some(id) = nameless_mention(said) {
        return refuse(format!(
            "Slack has told me {id} and not the name that was typed, so nothing is added. Give it as `/flock queue ...`, or \
             write the name without @ or #."
        ));
    }
    Ok(trim(&typed(said)).to_owned())
}

/// The argument that is the number of a post in a queue.
fn number(call: &Call<'_>, argument: usize) -> Result<QueueNumber, Obstacle> {
    call.argument(argument).parse().or_else(|_| {
        refuse(format!(
            "`{}` is not the number of a post in a queue; `/flock queue list {}` shows them.",
            code(call.argument(argument)),
            code(call.argument(0))
        ))
    })
}

async fn changed(call: &Call<'_>, noted: &Noted, sheep: &str, change: QueueChange) -> Answer {
    let sheep = call.store().find_sheep(None, sheep).await?;
    if call.stage != Stage::Deferred && queue_takes_long(&sheep) {
        return Ok(Step::Later(format!("The queue of *{}* is long; one moment.", sheep.id)));
    }
    if let Some(sure) = which(call, &sheep, &change).await? {
        return Ok(Step::Sure(sure));
    }
    let changed = change_queue(call.store(), noted, sheep, &change, call.now).await?;
    // What has waited in an empty queue for the first that is added may be due.
    if changed.sheep.next_at().is_some_and(|at| at <= call.now) {
        call.hurry(&changed.sheep).await;
    }
    Ok(Step::Done(told(call, &change, &changed)))
}

/// Who gives a number alone is asked whether it is the post that has it now, and the button stands for that one: what has the number
/// when it is pressed may be another.
async fn which(
    call: &Call<'_>,
    sheep: &Sheep,
    change: &QueueChange,
) -> Result<Option<Sure>, Obstacle> {
    let (post, word, what, label) = match change {
        QueueChange::Remove { post } => (post, "remove", "takes this post out of", "Remove it"),
        QueueChange::Next { post } => (post, "next", "puts this post first in", "Put it first"),
        QueueChange::Move { post, .. } => (post, "move", "moves this post in", "Move it"),
        // A text may be longer than what a button stands for; it is refused with what it would take.
        QueueChange::Edit { .. } | QueueChange::Add { .. } | QueueChange::At { .. } => {
            return Ok(None);
        }
    };
    if post.is_whole() || call.stage != Stage::Given {
        return Ok(None);
    }
    let posts = flock_ops::queue(call.store(), sheep, call.now).await?;
    let found = posts.into_iter().find(|found| found.is_added && found.number.is_at(post));
    // What is not there, or is not theirs, is refused with its reason.
    let Some(found) = found else { return Ok(None) };
    let to = match change {
        QueueChange::Move { to, .. } => format!(" {to}"),
        _ => String::new(),
    };
    Ok(Some(Sure {
        text: format!("This {what} the queue of *{}*:", sheep.id),
        quoted: found.text,
        label,
        command: Some(format!("queue {word} {} {}{to}", sheep.id, found.number)),
    }))
}

/// What came of it, for the room.
fn told(call: &Call<'_>, change: &QueueChange, changed: &Changed) -> Reply {
    let Changed { sheep, post, before, .. } = changed;
    let Some(post) = post else {
        let told = format!("*{}* does not post this any more:", sheep.id);
        return Reply::everybody(told).quote(before.as_deref().unwrap_or_default());
    };
    let when = match post.at {
        Some(at) => format!("at {}", call.view([sheep]).alone(at)),
        None => format!("once it posts again: it is {}", sheep.state.name()),
    };
    let before = match (change, before) {
        (QueueChange::Edit { .. }, Some(before)) => format!(" instead of \"{}\"", code(before)),
        _ => String::new(),
    };
    let told = format!(
        "*{}* is going to post this {when}, as `{}` of its queue{before}:",
        sheep.id, post.number
    );
    Reply::everybody(told).quote(&post.text)
}
