//! The networks: each posts a draft and says what came of it.
//!
//! A network is one file and one arm of [`Networks::post`]. What differs is honest: who has no
//! idempotency key looks at its own newest posts when an earlier request may have arrived.

mod meadow;
mod x;

use flock_core::{AccountId, Outcome, PostId, RemoteId, Sent, SheepId};
use flock_store::{Post, Store};

pub use meadow::Meadow;
pub use x::{X, XApp, XKey};

/// A post about to be made.
#[derive(Debug)]
pub struct Draft<'a> {
    /// Its id, the idempotency key wherever the network has one.
    pub id: PostId,
    /// The post as it will be recorded, without the network's id.
    pub post: Post,
    /// Whether the network may have it already.
    pub sent: Sent,
    /// The sheep's newest post before this one, as the network calls it.
    pub last_remote: Option<&'a RemoteId>,
}

/// The key of an account, opened.
#[derive(Debug)]
pub enum Key {
    /// The meadow is ours and needs none.
    Meadow,
    /// X.
    X(Box<XKey>),
}

/// All networks, each ready to post.
#[derive(Debug)]
pub struct Networks {
    meadow: Meadow,
    x: X,
}

impl Networks {
    /// The networks, with the meadow in `store` and X at `x_url` or its own address.
    pub fn new(store: Store, x_url: Option<String>) -> Self {
        Self { meadow: Meadow::new(store), x: X::new(x_url) }
    }

    /// Posts `draft` with the account's key, at most once.
    pub async fn post(&self, draft: &Draft<'_>, key: &Key) -> Outcome {
        match key {
            Key::Meadow => self.meadow.post(draft).await,
            Key::X(key) => self.x.post(draft, key).await,
        }
    }
}

/// What a person is told when a network cannot take the post of `sheep` as it is.
fn refused(account: &AccountId, sheep: &SheepId, what: &str, advice: &str) -> Outcome {
    Outcome::Refused {
        why: format!("{what} ({account}); {advice}, then `flockwork sheep resume {sheep}`"),
    }
}
