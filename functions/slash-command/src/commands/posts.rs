//! `posts`: what was posted.

use std::collections::HashMap;

use flock_core::Usage;
use flock_slack::escape;
use flock_store::{Found, PostState};

use crate::{
    call::{Answer, Call, refuse, tell},
    command::{Command, EVERYBODY, Group, Run},
    commands::{local, time},
};

pub(super) const COMMAND: Command = Command {
    usages: &[Usage::new("posts"), Usage::new("posts <sheep|flock>")],
    group: Group::Flock,
    need: EVERYBODY,
    help: "The newest posts, of a sheep, a flock or all",
    example: "posts apollo",
    run: Run::Reads(|call| Box::pin(run(call))),
};

/// Posts that are shown.
const POSTS: usize = 20;

/// Each sheep is one query.
const MOST_SHEEP: usize = 300;

async fn run(call: &Call<'_>) -> Answer {
    let sheep = match call.arguments.get(0) {
        None => call.store().sheep_of(None).await?,
        Some(name) => match call.store().find(name).await? {
            Found::Sheep(sheep) => vec![*sheep],
            Found::Flock(_, sheep) => sheep,
        },
    };
    if MOST_SHEEP < sheep.len() {
        return refuse(format!(
            "Those are {} sheep. Name a smaller flock, or a sheep.",
            sheep.len()
        ));
    }
    let posts = call.store().newest_posts_of(&sheep, POSTS).await?;
    if posts.is_empty() {
        return tell("Nothing has been posted yet.");
    }
    let zones: HashMap<_, _> =
        sheep.iter().map(|sheep| (&sheep.id, sheep.config.rhythm.zone())).collect();
    let lines: Vec<_> = posts
        .iter()
        .map(|post| {
            let state = match post.state {
                PostState::Posted => "",
                PostState::Pending => " _(being posted)_",
                PostState::Unknown => " _(nobody knows whether it was posted)_",
            };
            let at =
                zones.get(&post.sheep).map_or_else(|| time(post.at), |zone| local(post.at, zone));
            format!("{at} *{}* {}{state}", post.sheep, escape(&post.text))
        })
        .collect();
    tell(lines.join("\n"))
}
