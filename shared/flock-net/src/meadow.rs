//! The meadow: the bots' own network, which lives in our table.

use flock_core::{Outcome, RemoteId};
use flock_store::{Post, PostState, Store};

use crate::Draft;

/// The meadow. A post's key is its occurrence, so a second put is refused.
#[derive(Debug)]
pub struct Meadow {
    store: Store,
}

impl Meadow {
    pub(crate) fn new(store: Store) -> Self {
        Self { store }
    }

    pub(crate) async fn post(&self, draft: &Draft<'_>) -> Outcome {
        let remote_id: RemoteId = draft.id.as_str().parse().expect("a post id is visible ASCII");
        let post = Post {
            state: PostState::Posted,
            remote_id: Some(remote_id.clone()),
            ..draft.post.clone()
        };
        match self.store.put_post(&post).await {
            // Refused because it is there: an earlier request arrived.
            Ok(_) => Outcome::Posted(remote_id),
            Err(err) => Outcome::Unknown { why: format!("the meadow did not answer: {err}") },
        }
    }
}
