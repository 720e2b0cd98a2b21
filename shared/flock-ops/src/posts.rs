//! What was posted.

use std::collections::BTreeSet;

use flock_core::{FlockName, RemoteId, Sheep, SheepId, View};
use flock_store::{Post, PostState, Read, Store};
use jiff::{Timestamp, tz::TimeZone};
use serde::Serialize;

use crate::Result;

/// Posts, and the sheep that made them as far as they are still there.
#[derive(Debug)]
pub struct Posts {
    /// The posts, oldest first.
    pub posts: Vec<Post>,
    sheep: Vec<Sheep>,
}

/// The newest posts of the sheep, the flock, or all. A sheep that is there no more is to be named in full.
pub async fn posts(
    store: &Store,
    flock: Option<&FlockName>,
    sheep: Option<&str>,
    limit: usize,
) -> Result<Posts> {
    if let Some(Ok(id)) = sheep.map(str::parse::<SheepId>)
        && store.sheep(&id, Read::Consistent).await?.is_none()
    {
        let mut posts = store.newest_posts(&id, limit).await?;
        posts.reverse();
        if !posts.is_empty() {
            return Ok(Posts { posts, sheep: Vec::new() });
        }
    }
    let sheep = match sheep {
        Some(sheep) => vec![store.find_sheep(flock, sheep).await?],
        None => store.sheep_of(flock).await?,
    };
    let posts = store.newest_posts_of(&sheep, limit).await?;
    Ok(Posts { posts, sheep })
}

impl Posts {
    /// The zone the sheep of `post` lives in.
    pub fn zone(&self, post: &Post) -> TimeZone {
        let sheep = self.sheep.iter().find(|sheep| sheep.id == post.sheep);
        sheep.map_or(TimeZone::UTC, |sheep| sheep.config.rhythm.zone().clone())
    }

    /// The posts in one view: in the zone of those who made them.
    pub fn view(&self, now: Timestamp) -> View {
        let made: BTreeSet<_> = self.posts.iter().map(|post| &post.sheep).collect();
        View::of(self.sheep.iter().filter(|sheep| made.contains(&sheep.id)), now)
    }
}

/// A post as one JSON line. The names are a promise to scripts.
#[derive(Debug, Serialize)]
pub struct PostLine<'a> {
    at: Timestamp,
    flock: &'a str,
    sheep: &'a str,
    network: &'a str,
    occurrence: u64,
    text: &'a str,
    state: PostState,
    remote_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    answers: Option<&'a str>,
}

impl<'a> PostLine<'a> {
    /// The line for `post`.
    pub fn new(post: &'a Post) -> Self {
        Self {
            at: post.at,
            flock: post.sheep.flock.as_str(),
            sheep: post.sheep.name.as_str(),
            network: post.account.network.name(),
            occurrence: post.occurrence.0,
            text: &post.text,
            state: post.state,
            remote_id: post.remote_id.as_ref().map(RemoteId::as_str),
            answers: post.answers.as_ref().map(RemoteId::as_str),
        }
    }
}
