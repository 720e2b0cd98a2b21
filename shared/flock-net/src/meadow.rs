//! The meadow: the bots' own network, which lives in our table.

use flock_core::RemoteId;
use flock_store::{Post, PostState, Store};

use crate::{Draft, Failure};

/// The meadow. A post's key is its occurrence, so a second put is refused.
#[derive(Debug)]
pub(crate) struct Meadow {
    store: Store,
}

impl Meadow {
    pub(crate) fn new(store: Store) -> Self {
        Self { store }
    }

    pub(crate) async fn post(&self, draft: &Draft<'_>) -> Result<RemoteId, Failure> {
        let remote_id: RemoteId = draft.id.as_str().parse().expect("a post id is visible ASCII");
        let post = Post {
            state: PostState::Posted,
            remote_id: Some(remote_id.clone()),
            ..draft.post.clone()
        };
        // Refused because it is there: an earlier request arrived.
        let put = self.store.put_post(&post).await;
        put.map_err(|err| Failure::unknown(format!("the meadow did not answer: {err}")))?;
        Ok(remote_id)
    }

    #[expect(clippy::unused_self, reason = "reads as the other networks do")]
    pub(crate) fn lacks(&self, what: &str) -> Failure {
        Failure::cannot(format!("accounts of the meadow cannot {what}"))
    }
}
