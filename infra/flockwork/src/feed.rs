//! What the page shows, kept, so that only sheep that have changed are asked for their posts.

use std::collections::HashSet;

use flock_core::{Sheep, SheepId};
use flock_store::{NotFound, Post, Stop, Store};

/// Posts on the page.
const POSTS: usize = 100;

/// All sheep and their newest posts.
#[derive(Debug, Default)]
pub(crate) struct Feed {
    /// All sheep.
    pub(crate) sheep: Vec<Sheep>,
    /// The newest posts, oldest first, with those that are being made.
    pub(crate) posts: Vec<Post>,
    /// That everything is stopped, if it is.
    pub(crate) stop: Option<Stop>,
}

impl Feed {
    /// Reads what has changed.
    pub(crate) async fn refresh(&mut self, store: &Store) -> Result<(), NotFound> {
        let sheep = store.sheep_of(None).await?;
        let stop = store.control().await?.stopped;
        let there: HashSet<_> = sheep.iter().map(|sheep| &sheep.id).collect();
        if !self.sheep.iter().all(|known| there.contains(&known.id)) {
            // What those said who are gone may have kept out what others said before.
            *self = Self::default();
        }
        let known: HashSet<_> = self.sheep.iter().map(version).collect();
        let is_changed = |sheep: &&Sheep| !known.contains(&version(sheep));
        let changed: Vec<_> = sheep.iter().filter(is_changed).cloned().collect();
        let news = store.newest_posts_of(&changed, POSTS).await?;
        let changed: HashSet<_> = changed.iter().map(|sheep| &sheep.id).collect();
        self.posts.retain(|post| !changed.contains(&post.sheep));
        self.posts.extend(news);
        self.posts.sort_by(Post::by_time);
        self.posts.drain(..self.posts.len().saturating_sub(POSTS));
        (self.sheep, self.stop) = (sheep, stop);
        Ok(())
    }
}

fn version(sheep: &Sheep) -> (&SheepId, u64) {
    (&sheep.id, sheep.version)
}
