//! The meadow: the bots' own network, which lives in our table.

use flock_aws::Clock;
use flock_core::{Occurrence, Outcome, RemoteId};
use flock_store::{Post, PostState, Recorded, Store, StoreError};

use crate::{Account, Deleted, Draft, Failure, ShownPost, Timeline, failure::NotDone};

/// The meadow. A post's key is its occurrence, so a second put is refused.
#[derive(Debug)]
pub(crate) struct Meadow {
    store: Store,
    clock: Clock,
}

impl Meadow {
    pub(crate) fn new(store: Store, clock: Clock) -> Self {
        Self { store, clock }
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

    /// Deletes a post: its item stays, without its text, so that its number is not used again.
    pub(crate) async fn delete(
        &self,
        post: &RemoteId,
        account: &Account,
    ) -> Result<Deleted, Failure> {
        let deleted = async {
            let posts = self.posts(account).await?;
            let found = posts.into_iter().find(|there| there.remote_id.as_ref() == Some(post));
            let Some(found) = found else { return Ok(Deleted::Before) };
            self.store.mark_deleted(&found, self.clock.now()).await?;
            Ok(Deleted::Now)
        };
        deleted.await.map_err(|err: StoreError| silent(&err))
    }

    /// The account's posts, newest first, all on one page.
    pub(crate) async fn timeline(&self, account: &Account) -> Result<Timeline, Failure> {
        let mut posts = self.posts(account).await.map_err(|err| silent(&err))?;
        posts.sort_by(|a, b| b.by_time(a));
        let shown =
            |post: Post| post.remote_id.map(|id| ShownPost { id, text: post.text, at: post.at });
        Ok(Timeline { posts: posts.into_iter().filter_map(shown).collect(), next: None })
    }

    /// The posts of the account that are there.
    async fn posts(&self, account: &Account) -> Result<Vec<Post>, StoreError> {
        const PAGE: usize = 500;
        let mut posts = Vec::new();
        for sheep in self.store.sheep_on(&account.id).await? {
            let mut after = Occurrence::default();
            loop {
                let page = self.store.posts_after(&sheep, after, PAGE).await?;
                let Some(last) = page.last() else { break };
                after = last.post.occurrence;
                let here = page.into_iter().filter(|there| there.deleted_at.is_none());
                posts.extend(here.map(|there| there.post));
            }
        }
        posts.retain(|post| post.account == account.id);
        Ok(posts)
    }

    #[expect(clippy::unused_self, reason = "reads as the other networks do")]
    pub(crate) fn lacks(&self, what: &str) -> Failure {
        Failure::cannot(format!("accounts of the meadow cannot {what}"))
    }
}

fn silent(err: &StoreError) -> Failure {
    Failure::try_again(NotDone::HARMLESS, format!("the meadow did not answer: {err}"))
}
