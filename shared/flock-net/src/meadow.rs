//! The meadow: the bots' own network, which lives in our table.

use flock_core::{Outcome, RemoteId};
use flock_store::{Post, PostState, Recorded, Store};

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

    pub(crate) async fn post(&self, draft: &Draft<'_>) -> Outcome {
        let remote_id = RemoteId::from(&draft.id);
        let post = Post {
            state: PostState::Posted,
            remote_id: Some(remote_id.clone()),
            ..draft.post.clone()
        };
        match self.store.put_post(&post, draft.read).await {
            Ok(Recorded::Done) => Outcome::Done(remote_id),
            Ok(Recorded::Held) => Outcome::TryAgain {
                why: "its sheep was changed meanwhile".to_owned(),
                not_before: None,
            },
            // The record is the post: without it there is none.
            Ok(Recorded::Taken(taken)) => {
                Outcome::Taken { posted: None, free: taken.free, why: taken.why(&post, false) }
            }
            Err(err) => Outcome::Unknown { why: format!("the meadow did not answer: {err}") },
        }
    }

    #[expect(clippy::unused_self, reason = "reads as the other networks do")]
    pub(crate) fn lacks(&self, what: &str) -> Failure {
        Failure::cannot(format!("accounts of the meadow cannot {what}"))
    }
}
