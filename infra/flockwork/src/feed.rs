//! Posts of several sheep as one list.

use flock_core::{Sent, Sheep};
use flock_store::{Post, PostState, Store};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};

/// Queries at once.
const CONCURRENCY: usize = 16;

/// The newest `limit` posts of `sheep`, oldest first, with those being made right now.
pub async fn newest(store: &Store, sheep: &[Sheep], limit: usize) -> anyhow::Result<Vec<Post>> {
    let queries: Vec<_> = sheep.iter().map(|sheep| store.newest_posts(&sheep.id, limit)).collect();
    let mut posts: Vec<Post> =
        stream::iter(queries).buffer_unordered(CONCURRENCY).try_concat().await?;
    posts.extend(sheep.iter().filter_map(intended));
    posts.sort_by(|a, b| (a.at, &a.sheep, a.occurrence).cmp(&(b.at, &b.sheep, b.occurrence)));
    // A meadow post is there before its sheep says so.
    posts.dedup_by(|b, a| a.sheep == b.sheep && a.occurrence == b.occurrence);
    let older = posts.len().saturating_sub(limit);
    Ok(posts.split_off(older))
}

/// The post a sheep is making, or trying to.
fn intended(sheep: &Sheep) -> Option<Post> {
    let intent = sheep.intent.as_ref()?;
    let unknown = intent.sent == Sent::Maybe && 0 < intent.attempts;
    Some(Post {
        sheep: sheep.id.clone(),
        occurrence: intent.occurrence,
        account: sheep.config.account.clone(),
        at: intent.at,
        text: intent.text.clone(),
        state: if unknown { PostState::Unknown } else { PostState::Pending },
        remote_id: None,
    })
}
