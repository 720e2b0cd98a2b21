//! Whose post it is that a look has found.
//!
//! Several sheep may post through one account, and say the same. So a post that says what was looked for is ours
//! only if none of the account's sheep has recorded it, and it is taken in the table before it is believed: of two
//! looks one gets it. Only who looks pays for that.

use std::{cmp::Ordering, time::Duration};

use flock_aws::Clock;
use flock_core::{RemoteId, Sent, SheepId};
use flock_store::{Read, Store, StoreError, Write};
use jiff::{SignedDuration, Timestamp};

use crate::{Draft, Failure, alike};

/// What looks ask the table.
#[derive(Debug)]
pub(crate) struct Looks {
    store: Store,
    clock: Clock,
}

impl Looks {
    /// How long before a post was due its account's other posts may have been due that are newer: the clocks of
    /// our machines differ, and a tick comes up to two minutes late.
    const BEFORE: SignedDuration = SignedDuration::from_mins(15);

    /// How long the end of another's post is waited for, before the look is put off.
    const PATIENCE: Duration = Duration::from_secs(3);
    const LOOK_AGAIN: Duration = Duration::from_millis(100);

    pub(crate) fn new(store: Store, clock: Clock) -> Self {
        Self { store, clock }
    }

    /// What the draft's post is called, if it was recorded before a crash: then nobody has to be asked.
    pub(crate) async fn recorded(&self, draft: &Draft<'_>) -> Result<Option<RemoteId>, Failure> {
        self.store.recorded_as(&draft.post).await.map_err(|err| unread(&err))
    }

    /// Takes one of `found`, which all say what `draft` says and were made since it was due, for the draft's
    /// post. `None`: all of them are posts of others.
    pub(crate) async fn take(
        &self,
        draft: &Draft<'_>,
        found: &[RemoteId],
    ) -> Result<Option<RemoteId>, Failure> {
        if found.is_empty() {
            return Ok(None);
        }
        let sheep = self.sheep(draft).await.map_err(|err| unread(&err))?;
        if let Some(other) =
            self.whom_to_wait_for(draft, &sheep).await.map_err(|err| unread(&err))?
        {
            return Err(Failure::unknown(format!(
                "{other} is posting the same line through {} at this moment, so nobody knows yet whose \
                 post is there; it is looked at again",
                draft.post.account
            )));
        }
        self.take_free(draft, &sheep, found).await.map_err(|err| unread(&err))
    }

    /// Another sheep that is still at it after some time. Of two that look at once one gives way, and the other
    /// sees it go.
    async fn whom_to_wait_for(
        &self,
        draft: &Draft<'_>,
        sheep: &[SheepId],
    ) -> Result<Option<SheepId>, StoreError> {
        let patience = tokio::time::Instant::now() + Self::PATIENCE;
        loop {
            let Some(other) = self.who_says_the_same(draft, sheep).await? else { return Ok(None) };
            if draft.post.sheep < other || patience <= tokio::time::Instant::now() {
                return Ok(Some(other));
            }
            tokio::time::sleep(Self::LOOK_AGAIN).await;
        }
    }

    /// Another sheep of the account that is in the middle of posting what `draft` says: a post of its may be
    /// there and not be recorded yet.
    async fn who_says_the_same(
        &self,
        draft: &Draft<'_>,
        sheep: &[SheepId],
    ) -> Result<Option<SheepId>, StoreError> {
        let now = self.clock.now();
        for id in sheep.iter().filter(|id| **id != draft.post.sheep) {
            // Before its posts are read: what it records until then it has not in hand any more.
            let Some(sheep) = self.store.sheep(id, Read::Consistent).await? else { continue };
            let same = sheep.intent.as_ref().is_some_and(|intent| {
                let said = intent.errand.work.act.to_string();
                intent.errand.sent == Sent::Maybe && alike::same(&said, &draft.post.text)
            });
            if sheep.is_leased(now) && same && sheep.config.account == draft.post.account {
                return Ok(Some(id.clone()));
            }
        }
        Ok(None)
    }

    async fn take_free(
        &self,
        draft: &Draft<'_>,
        sheep: &[SheepId],
        found: &[RemoteId],
    ) -> Result<Option<RemoteId>, StoreError> {
        let post = &draft.post;
        let from = post.at.saturating_sub(Self::BEFORE).unwrap_or(Timestamp::UNIX_EPOCH);
        let mut recorded = Vec::new();
        for id in sheep {
            recorded.extend(self.store.recorded_since(id, from).await?);
        }
        let free = |id: &&RemoteId| !recorded.contains(id) && draft.last_remote != Some(id);
        let free: Vec<_> = found.iter().filter(free).collect();
        // What this very post took before a crash is its own, and nobody else's any more: it is not to take
        // another one besides.
        if 1 < free.len() {
            let ours = (post.sheep.to_string(), post.occurrence);
            for id in &free {
                if self.store.taken(&post.account, id).await?.as_ref() == Some(&ours) {
                    return Ok(Some((*id).clone()));
                }
            }
        }
        let name = (&post.sheep, post.occurrence);
        for id in free {
            let taken = self.store.take(&post.account, id, name, self.clock.now()).await?;
            if taken == Write::Done {
                return Ok(Some(id.clone()));
            }
        }
        Ok(None)
    }

    /// The sheep that post through the draft's account, or did once.
    ///
    /// What an older version applied is not noted; then this flock's are noted now. Those of other flocks are
    /// when they look, or are applied again.
    async fn sheep(&self, draft: &Draft<'_>) -> Result<Vec<SheepId>, StoreError> {
        let (own, account) = (&draft.post.sheep, &draft.post.account);
        let mut known = self.store.sheep_on(account).await?;
        if !known.contains(own) {
            let flock = self.store.sheep_of_flock(&own.flock).await?.into_iter();
            let here = flock.filter(|sheep| sheep.config.account == *account).map(|sheep| sheep.id);
            known.extend(here.chain([own.clone()]));
            known.sort();
            known.dedup();
            let rows: Vec<_> = known.iter().map(|id| (id.clone(), account.clone())).collect();
            self.store.enlist(&rows).await?;
        }
        Ok(known)
    }
}

/// Whether posts come newest first. Not every server lists them so, and only where it was seen does an old post
/// mean that no new one follows.
#[derive(Debug, Default)]
pub(crate) struct Order {
    older: usize,
    newer: usize,
    /// The same by their ids alone, of posts of one moment. Where ids have no order both come up.
    older_by_id: usize,
    newer_by_id: usize,
}

impl Order {
    /// So many posts, each older than the one before it, are no accident.
    const ENOUGH: usize = 8;

    /// Notes how a post compares to the one listed after it.
    pub(crate) fn note(&mut self, with_next: Ordering) {
        match with_next {
            Ordering::Greater => self.older += 1,
            Ordering::Less => self.newer += 1,
            Ordering::Equal => {}
        }
    }

    /// Notes how the ids of two posts of one moment compare.
    pub(crate) fn note_ids(&mut self, with_next: Ordering) {
        match with_next {
            Ordering::Greater => self.older_by_id += 1,
            Ordering::Less => self.newer_by_id += 1,
            Ordering::Equal => {}
        }
    }

    /// Newest first, beyond doubt.
    pub(crate) fn is_newest_first(&self) -> bool {
        let by_id = if self.newer_by_id == 0 { self.older_by_id } else { 0 };
        self.newer == 0 && Self::ENOUGH <= self.older + by_id
    }

    /// Nothing speaks against newest first.
    pub(crate) fn may_be_newest_first(&self) -> bool {
        self.newer == 0 && !self.is_oldest_first()
    }

    /// Oldest first or newest first, beyond doubt.
    pub(crate) fn is_sorted(&self) -> bool {
        self.is_newest_first() || self.is_oldest_first()
    }

    fn is_oldest_first(&self) -> bool {
        let by_id = if self.older_by_id == 0 { self.newer_by_id } else { 0 };
        self.older == 0 && Self::ENOUGH <= self.newer + by_id
    }
}

/// A look that cannot tell whose a post is has found out nothing.
fn unread(err: &StoreError) -> Failure {
    Failure::unknown(format!("the posts of the account's other sheep could not be read: {err}"))
}
