//! `posts`: what was posted.

use flock_core::{Sheep, Usage, View};
use flock_slack::{Line, Span};
use flock_store::{Found, Post, PostState};

use crate::{
    call::{Answer, Call, Obstacle, Stage, Step, refuse, tell},
    command::{Command, EVERYBODY, Group, Run},
    commands::{is_page, number_of},
    page::{LINES, List},
};

pub(super) const COMMAND: Command = Command {
    usages: &[
        Usage::new("posts"),
        Usage::new("posts <sheep|flock>"),
        Usage::new("posts <page>"),
        Usage::new("posts <sheep|flock> <page>"),
    ],
    group: Group::Flock,
    need: EVERYBODY,
    help: "The newest posts",
    example: "posts apollo 2",
    run: Run::Reads(|call| Box::pin(run(call))),
};

/// Each sheep is one query: the posts of more are looked for when the first answer is given.
const AT_ONCE: usize = 300;

/// Those of more take longer than an invocation.
const MOST_SHEEP: usize = 5_000;

/// What comes before is read for every page.
const PAGES: usize = 100;

async fn run(call: &Call<'_>) -> Answer {
    let (command, sheep, page) = asked_for(call).await?;
    if PAGES < page {
        return refuse(format!("Posts are listed up to page {PAGES}."));
    }
    if MOST_SHEEP < sheep.len() {
        return refuse(format!(
            "Those are more than {MOST_SHEEP} sheep. Name a flock, or a sheep."
        ));
    }
    if AT_ONCE < sheep.len() && call.stage == Stage::Given {
        return Ok(Step::Later(format!(
            "I am looking for the newest posts of {}.",
            number_of(sheep.len())
        )));
    }
    let mut posts = call.store().newest_posts_of(&sheep, page * LINES + 1).await?;
    if posts.is_empty() {
        return tell("Nothing has been posted yet.");
    }
    posts.reverse();
    let view = call.view(&sheep);
    let list = List::new(command, page).times(&view);
    Ok(list.newest(&posts, |post| line(post, &view)))
}

/// The command without its page, whose posts it asks for - one more than may be asked for stands for all others -, and which
/// page.
async fn asked_for(call: &Call<'_>) -> Result<(String, Vec<Sheep>, usize), Obstacle> {
    let all = || call.store().some_sheep(MOST_SHEEP + 1);
    let Some(name) = call.arguments.get(0) else {
        return Ok(("posts".to_owned(), all().await?, 1));
    };
    if is_page(call) {
        return Ok(("posts".to_owned(), all().await?, call.page(0)?));
    }
    let command = format!("posts {}", name.to_lowercase());
    match call.store().find_some(name, Some(MOST_SHEEP + 1)).await {
        Ok(Found::Sheep(sheep)) => Ok((command, vec![*sheep], call.page(1)?)),
        Ok(Found::Flock(_, sheep)) => Ok((command, sheep, call.page(1)?)),
        Err(err) => Err(err.into()),
    }
}

fn line(post: &Post, view: &View) -> Line {
    let state = match post.state {
        PostState::Posted => "",
        PostState::Pending => "(being posted) ",
        PostState::Unknown => "(nobody knows whether it was posted) ",
        PostState::Deleted => "(deleted since) ",
    };
    vec![
        Span::Text(format!("{} ", view.clock(post.at))),
        Span::Bold(post.sheep.to_string()),
        Span::Text(format!(" {state}{}", post.quoted())),
    ]
}
