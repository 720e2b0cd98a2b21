//! A step that deletes the posts of accounts.
//!
//! What is deleted is marked in the record before the step is written, and asked for again by whoever comes after a crash: a
//! post that is gone is a deleted one, and its payment is known by its name.

use std::{collections::HashSet, convert::Infallible, sync::Arc, time::Duration};

use flock_aws::Instant;
use flock_core::{
    AccountId, AccountWipe, Act, Cause, Errand, Flock, Job, Network, Occurrence, Outcome, PostId,
    RemoteId, Sent, Sheep, SheepId, State, Task, Wipe, WipePhase, WipeTally, Work,
};
use flock_errand::{By, Order};
use flock_net::{Account, FailureKind};
use flock_ops::{accounts_of, wiped_before};
use flock_store::{ChangeError, OnRecord, Post, Read};
use futures_util::{StreamExt as _, stream};
use jiff::{SignedDuration, Timestamp};

use super::Step;
use crate::{App, tick::Tick};

/// Posts of one account that one step deletes.
const DELETIONS: usize = 25;

/// Posts of one account that one step looks through, where no network is asked.
const LOOKED_AT: usize = 200;

/// Sheep of one account that one step pauses.
const SHEEP: usize = 50;

/// So long a step begins on something: what it has begun ends in what a tick keeps for that.
const BEGINS_FOR: Duration = Duration::from_secs(5);

/// So long it waits for a sheep that somebody has.
const MINUTE: SignedDuration = SignedDuration::from_mins(1);

/// What one account's share of a step is made with.
#[derive(Clone, Copy)]
struct Share<'a> {
    job: &'a Job,
    work: &'a Wipe,
    payer: &'a Flock,
    tick: &'a Tick,
    until: Instant,
}

/// What became of a sheep that is to begin anew.
enum Quieted {
    Done,
    /// Somebody has it, or its network takes nothing until then.
    Waits(Timestamp),
    /// Nobody knows what became of its post.
    Unknown(String),
}

/// What became of a post that is to be deleted.
enum Deletion {
    Done,
    Stays(String),
    /// Later, when the account says.
    Later,
}

impl App {
    pub(super) async fn step_of_wipe(
        &self,
        work: &Wipe,
        job: &Job,
        tick: &Tick,
    ) -> anyhow::Result<Step> {
        let now = self.clock.now();
        if work.is_over() {
            return Ok(Step::Nothing);
        }
        if work.waits_until(now).is_some() {
            return Ok(Step::Waits);
        }
        let work = if work.all_begun || Wipe::AT_ONCE <= work.under_way.len() {
            work.clone()
        } else {
            let accounts = accounts_of(&self.store, &work.of).await?;
            work.begin(&accounts, &wiped_before(&self.store, job).await?)
        };
        let payer = self.payer_of_wipe(&work, tick).await?;
        let until = Instant::now() + BEGINS_FOR;
        let share = Share { job, work: &work, payer: &payer, tick, until };
        let ready = work.under_way.iter().filter(|account| account.waits_until(now).is_none());
        let shares: Vec<_> =
            ready.map(|account| self.wipe_account(account.clone(), share)).collect();
        let mut shares = stream::iter(shares).buffer_unordered(Wipe::AT_ONCE);
        let mut steps = Vec::new();
        while let Some(step) = shares.next().await {
            steps.push(step?);
        }
        drop(shares);
        let work = work.step(steps);
        let is_last = work.is_over();
        Ok(Step::Made { work: Work::Wipe(Box::new(work)), is_last })
    }

    /// Who pays. On the meadow nobody does.
    async fn payer_of_wipe(&self, work: &Wipe, tick: &Tick) -> anyhow::Result<Arc<Flock>> {
        let is_free = |wipe: &AccountWipe| wipe.account.network == Network::Meadow;
        if work.under_way.iter().all(is_free) {
            return Ok(Arc::new(Flock::new(work.payer.clone())));
        }
        Ok(self.carrier.flock(&work.payer, &tick.payers).await?)
    }

    /// The deletion of a post.
    fn deletion(wipe: &AccountWipe, of: RemoteId, share: Share<'_>) -> Errand {
        let since = share.job.since;
        let task = Task {
            id: PostId::of_job(&share.job.id, since, of.as_str()),
            account: wipe.account.clone(),
            act: Act::Delete { of },
            cause: Cause::Person,
            payer: share.work.payer.clone(),
        };
        Errand::new(task, since)
    }

    async fn wipe_account(
        &self,
        mut wipe: AccountWipe,
        share: Share<'_>,
    ) -> anyhow::Result<(AccountWipe, WipeTally)> {
        let mut tally = WipeTally::default();
        (wipe.not_before, wipe.why) = (None, None);
        match wipe.phase {
            WipePhase::Quiet => self.quiet(&mut wipe, &mut tally, share).await?,
            WipePhase::Record => Box::pin(self.wipe_record(&mut wipe, &mut tally, share)).await?,
            WipePhase::Listed => Box::pin(self.wipe_listed(&mut wipe, &mut tally, share)).await?,
            WipePhase::Over => {}
        }
        Ok((wipe, tally))
    }

    /// Pauses the account's sheep, finds out what became of their open posts, and has them begin anew.
    async fn quiet(
        &self,
        wipe: &mut AccountWipe,
        tally: &mut WipeTally,
        share: Share<'_>,
    ) -> anyhow::Result<()> {
        let sheep = self.sheep_after(wipe).await?;
        let is_all = sheep.len() <= SHEEP;
        for id in sheep.into_iter().take(SHEEP) {
            let there = self.store.sheep(&id, Read::Consistent).await?;
            if let Some(sheep) = there.filter(|sheep| sheep.config.account == wipe.account) {
                match self.quieted(sheep, share.tick).await? {
                    Quieted::Done => {}
                    Quieted::Waits(until) => {
                        // Whoever has it may be done long before.
                        let soon = self.clock.now().saturating_add(MINUTE).unwrap_or(until);
                        wipe.wait(
                            until.min(soon),
                            Some("a post of its sheep is being made or looked for"),
                        );
                        return Ok(());
                    }
                    Quieted::Unknown(why) => tally.stay(why),
                }
            }
            wipe.sheep = Some(id);
            if share.until < Instant::now() {
                return Ok(());
            }
        }
        if is_all {
            wipe.quiet_at = Some(self.clock.now());
            wipe.enter(WipePhase::Record);
        }
        Ok(())
    }

    /// The sheep that post through the account, or did once, after the one it has come to.
    async fn sheep_after(&self, wipe: &AccountWipe) -> anyhow::Result<Vec<SheepId>> {
        let mut sheep = self.store.sheep_on(&wipe.account).await?;
        sheep.sort();
        sheep.retain(|id| wipe.sheep.as_ref().is_none_or(|last| last < id));
        Ok(sheep)
    }

    async fn quieted(&self, sheep: Sheep, tick: &Tick) -> anyhow::Result<Quieted> {
        let id = sheep.id.clone();
        let now = self.clock.now();
        let pause = |sheep: &Sheep| Ok::<_, Infallible>(sheep.pause(now));
        let sheep = match self.store.change_sheep(sheep, pause).await {
            Ok(Ok(sheep)) => sheep,
            Err(ChangeError::Removed(_)) => return Ok(Quieted::Done),
            Err(err) => return Err(err.into()),
        };
        let lease = |sheep: &Sheep| {
            let lease = sheep.intent.as_ref().and_then(|intent| intent.errand.lease_until);
            lease.filter(|until| now < *until)
        };
        let sheep = if sheep.open().is_some() {
            if let Some(until) = lease(&sheep) {
                return Ok(Quieted::Waits(until));
            }
            if let Some(until) = self.carrier.limited_until(&sheep.config.account) {
                return Ok(Quieted::Waits(until));
            }
            let claimed = sheep.claim_again(tick.lease_until);
            Box::pin(self.finish(&sheep, claimed, (Sent::Maybe, None), tick)).await?;
            let Some(sheep) = self.store.sheep(&id, Read::Consistent).await? else {
                return Ok(Quieted::Done);
            };
            if let Some(intent) = sheep.open() {
                let (number, account) = (intent.occurrence, &sheep.config.account);
                return Ok(lease(&sheep).map_or_else(
                    || {
                        Quieted::Unknown(format!(
                            "{account}: nobody knows whether post {number} of {id} is there, and so the sheep is paused where it \
                             is; say whether it is, then wipe it again"
                        ))
                    },
                    Quieted::Waits,
                ));
            }
            sheep
        } else {
            sheep
        };
        if sheep.config.near_duplicates.is_some() {
            self.store.forget_told(&id.flock, sheep.config.account.network).await?;
        }
        let anew = |sheep: &Sheep| sheep.start_over(now).ok_or(());
        Ok(match self.store.change_sheep(sheep, anew).await {
            // Somebody has resumed it, and it posts.
            Ok(Err(())) => Quieted::Waits(now.saturating_add(MINUTE).unwrap_or(now)),
            Ok(Ok(_)) | Err(ChangeError::Removed(_)) => Quieted::Done,
            Err(err) => return Err(err.into()),
        })
    }

    /// Deletes what is recorded of the account, sheep by sheep and oldest first.
    async fn wipe_record(
        &self,
        wipe: &mut AccountWipe,
        tally: &mut WipeTally,
        share: Share<'_>,
    ) -> anyhow::Result<()> {
        let mut sheep = Vec::from_iter(wipe.sheep.clone());
        sheep.extend(self.sheep_after(wipe).await?);
        let mut opened = None;
        let (mut looked_at, mut asked) = (0, 0);
        for id in sheep {
            if wipe.sheep.as_ref() != Some(&id) {
                (wipe.sheep, wipe.number) = (Some(id.clone()), Occurrence::default());
            }
            loop {
                let page = self.store.posts_after(&id, wipe.number, DELETIONS).await?;
                let is_last = page.len() < DELETIONS;
                for on_record in page {
                    if LOOKED_AT <= looked_at || DELETIONS <= asked || share.until < Instant::now()
                    {
                        return Ok(());
                    }
                    looked_at += 1;
                    let (number, was_asked) = (on_record.post.occurrence, !wipe.gives_up());
                    match self.wipe_recorded(on_record, wipe, &mut opened, share).await? {
                        None => {}
                        Some(Deletion::Done) => {
                            asked += usize::from(wipe.account.network != Network::Meadow);
                            tally.deleted += 1;
                        }
                        Some(Deletion::Stays(why)) => {
                            asked += 1;
                            let which = format!("post {number} of {id}");
                            stays(tally, wipe, (&which, was_asked), &why);
                        }
                        Some(Deletion::Later) => return Ok(()),
                    }
                    wipe.number = number;
                }
                if is_last {
                    break;
                }
            }
        }
        if share.work.everything && wipe.account.network != Network::Meadow {
            wipe.enter(WipePhase::Listed);
        } else {
            wipe.enter(WipePhase::Over);
        }
        Ok(())
    }

    /// Deletes one post of the record. `None`: it is no concern of this wipe.
    async fn wipe_recorded(
        &self,
        OnRecord { post, deleted_at }: OnRecord,
        wipe: &mut AccountWipe,
        opened: &mut Option<Account>,
        share: Share<'_>,
    ) -> anyhow::Result<Option<Deletion>> {
        if post.account != wipe.account || !wipe.is_of(post.at) {
            return Ok(None);
        }
        if let Some(at) = deleted_at {
            // By a step of this wipe that was not written down.
            return Ok((share.job.since <= at).then_some(Deletion::Done));
        }
        if post.account.network == Network::Meadow {
            self.store.mark_deleted(&post, self.clock.now()).await?;
            return Ok(Some(Deletion::Done));
        }
        let Some(remote) = post.remote_id.clone() else {
            let why = "nobody knows what its network calls it; delete it there".to_owned();
            return Ok(Some(Deletion::Stays(why)));
        };
        self.wipe_post(remote, Some(&post), wipe, opened, share).await.map(Some)
    }

    /// Has the network delete a post, and marks it in the record where it is there.
    async fn wipe_post(
        &self,
        of: RemoteId,
        on_record: Option<&Post>,
        wipe: &mut AccountWipe,
        opened: &mut Option<Account>,
        share: Share<'_>,
    ) -> anyhow::Result<Deletion> {
        if wipe.gives_up() {
            let why = wipe.refused.clone().unwrap_or_default();
            return Ok(Deletion::Stays(why));
        }
        let now = self.clock.now();
        if let Err(again) = wipe.may_delete(now) {
            wipe.wait(again, None);
            return Ok(Deletion::Later);
        }
        if let Some(until) = self.carrier.limited_until(&wipe.account) {
            wipe.wait(until, Some("its network takes nothing until then"));
            return Ok(Deletion::Later);
        }
        let errand = Self::deletion(wipe, of, share);
        let order = Order {
            errand: &errand,
            sent: Sent::No,
            by: By::Job(&share.job.id),
            tell_until: share.tick.publish_until,
        };
        let account = match opened {
            Some(account) => account,
            None => match Box::pin(self.carrier.prepare(order, share.payer)).await {
                Ok(account) => opened.insert(account),
                Err(outcome) => return Ok(self.not_deleted(wipe, outcome)),
            },
        };
        let carried = Box::pin(self.carrier.carry_out(order, account, share.payer)).await?;
        // What is counted is when it was asked for at the latest.
        wipe.count(self.clock.now());
        if let Outcome::Done(_) = &carried.outcome {
            if let Some(post) = on_record {
                self.store.mark_deleted(post, self.clock.now()).await?;
            }
            self.carrier.close(&carried).await;
            wipe.is_deleted();
            return Ok(Deletion::Done);
        }
        Ok(self.not_deleted(wipe, carried.outcome.clone()))
    }

    /// What is made of a deletion that came to nothing.
    fn not_deleted(&self, wipe: &mut AccountWipe, outcome: Outcome) -> Deletion {
        match outcome {
            Outcome::Refused { why } | Outcome::SetAside { why } | Outcome::Taken { why, .. } => {
                wipe.is_refused(&why);
                Deletion::Stays(why)
            }
            Outcome::TryAgain { why, not_before: Some(at) }
            | Outcome::Untold { why, not_before: Some(at) } => {
                wipe.wait(at, Some(&why));
                Deletion::Later
            }
            Outcome::TryAgain { why, not_before: None }
            | Outcome::Untold { why, not_before: None }
            | Outcome::Unknown { why } => self.try_again(wipe, why),
            Outcome::Done(_) => Deletion::Done,
        }
    }

    fn try_again(&self, wipe: &mut AccountWipe, why: String) -> Deletion {
        if AccountWipe::PATIENCE <= wipe.attempts.saturating_add(1) {
            wipe.is_refused(&why);
            return Deletion::Stays(why);
        }
        let now = self.clock.now();
        let failed = Errand { attempts: wipe.attempts, ..Errand::new((), now) };
        let put_off = failed.put_off((&why, Sent::No), None, wipe.attempts.into(), now);
        wipe.attempts = put_off.attempts;
        wipe.wait(put_off.retry_at.unwrap_or(now), Some(&why));
        Deletion::Later
    }

    /// Deletes what the network lists of the account beyond the record, a page after the other.
    async fn wipe_listed(
        &self,
        wipe: &mut AccountWipe,
        tally: &mut WipeTally,
        share: Share<'_>,
    ) -> anyhow::Result<()> {
        let mut opened = None;
        if wipe.listed.is_empty() && !self.list(wipe, tally, &mut opened, share).await? {
            return Ok(());
        }
        let mut asked = 0;
        while let Some(of) = wipe.listed.first().cloned() {
            if DELETIONS <= asked || share.until < Instant::now() {
                return Ok(());
            }
            asked += 1;
            let was_asked = !wipe.gives_up();
            match self.wipe_post(of.clone(), None, wipe, &mut opened, share).await? {
                Deletion::Done => {
                    tally.deleted += 1;
                    wipe.gone = Some(of);
                }
                Deletion::Stays(why) => {
                    stays(tally, wipe, (&format!("post {of}"), was_asked), &why);
                }
                Deletion::Later => return Ok(()),
            }
            wipe.listed.remove(0);
        }
        wipe.turn_page();
        Ok(())
    }

    /// Reads the page of the network's list that is next. Says whether it is there.
    async fn list(
        &self,
        wipe: &mut AccountWipe,
        tally: &mut WipeTally,
        opened: &mut Option<Account>,
        share: Share<'_>,
    ) -> anyhow::Result<bool> {
        let id = wipe.account.clone();
        let account = match self.carrier.accounts().open(&id).await {
            Ok(Some(account)) => opened.insert(account),
            Ok(None) => {
                tally.stay(format!(
                    "{id}: it was removed meanwhile, so that nobody can list what else is there"
                ));
                wipe.enter(WipePhase::Over);
                return Ok(false);
            }
            Err(err) => return Err(err.context(format!("the key of {id} could not be read"))),
        };
        let page = wipe.page.clone();
        let from = (&*account, page.as_deref());
        let due = (&share.job.id, share.job.since);
        let until = share.tick.publish_until;
        let listed = Box::pin(self.carrier.list(from, due, share.payer, until)).await;
        let failure = match listed {
            Ok(timeline) => {
                let mut known = self.left_on_record(&id, share).await?;
                let from = self.later_posts(wipe, &mut known).await?;
                let posts = timeline.posts.into_iter();
                let posts = posts.filter(|post| from.is_none_or(|from| post.at <= from));
                let ids = posts.map(|post| post.id).filter(|id| !known.contains(id)).collect();
                if !wipe.list(ids, timeline.next) {
                    tally.stay(format!(
                        "{id}: its network lists what it said that it has deleted; look there, and delete there what stays"
                    ));
                    wipe.enter(WipePhase::Over);
                    return Ok(false);
                }
                wipe.attempts = 0;
                return Ok(true);
            }
            Err(failure) => failure,
        };
        match failure.kind {
            FailureKind::TryAgain { not_before: Some(at), .. } => wipe.wait(at, Some(&failure.why)),
            FailureKind::TryAgain { not_before: None, .. } | FailureKind::Unknown
                if wipe.attempts.saturating_add(1) < AccountWipe::PATIENCE =>
            {
                self.try_again(wipe, failure.why);
            }
            FailureKind::TryAgain { .. }
            | FailureKind::Unknown
            | FailureKind::NotThisText(_)
            | FailureKind::Refused(_) => {
                tally.stay(format!("{id}: what else is there cannot be listed: {}", failure.why));
                wipe.enter(WipePhase::Over);
            }
        }
        Ok(false)
    }

    /// Adds what the account's sheep have posted since they were paused, because somebody has resumed them. Where one posts now, what
    /// it has just posted may not be recorded yet: nothing is theirs to delete from the time on that is given.
    async fn later_posts(
        &self,
        wipe: &AccountWipe,
        known: &mut HashSet<RemoteId>,
    ) -> anyhow::Result<Option<Timestamp>> {
        let Some(quiet) = wipe.quiet_at else { return Ok(None) };
        let mut posts_now = false;
        for id in self.store.sheep_on(&wipe.account).await? {
            known.extend(self.store.recorded_since(&id, quiet).await?);
            let sheep = self.store.sheep(&id, Read::Consistent).await?;
            let posts_here = |sheep: Sheep| {
                sheep.config.account == wipe.account && matches!(sheep.state, State::Active)
            };
            posts_now |= sheep.is_some_and(posts_here);
        }
        Ok(posts_now.then_some(quiet))
    }

    /// What is recorded of the account and stayed: it was asked for already.
    async fn left_on_record(
        &self,
        account: &AccountId,
        share: Share<'_>,
    ) -> anyhow::Result<HashSet<RemoteId>> {
        let mut left = HashSet::new();
        if share.work.stayed == 0 {
            return Ok(left);
        }
        for id in self.store.sheep_on(account).await? {
            let mut after = Occurrence::default();
            loop {
                let page = self.store.posts_after(&id, after, LOOKED_AT).await?;
                let Some(last) = page.last() else { break };
                after = last.post.occurrence;
                let stayed = page.into_iter().filter(|on_record| on_record.deleted_at.is_none());
                left.extend(stayed.filter_map(|on_record| on_record.post.remote_id));
            }
        }
        Ok(left)
    }
}

/// Notes that a post stayed. Of those that nobody asks for any more, the first alone says so.
fn stays(tally: &mut WipeTally, wipe: &AccountWipe, (which, was_asked): (&str, bool), why: &str) {
    let account = &wipe.account;
    tally.stayed += 1;
    if !was_asked {
        return;
    }
    // A refusal names the account itself.
    let why = why.strip_prefix(&format!("{account}: ")).unwrap_or(why);
    tally.stays.push(format!("{account}: {which}: {why}"));
    if wipe.gives_up() {
        let times = AccountWipe::ALIKE;
        tally.stays.push(format!(
            "{account}: the same was said of {times} one after the other, so its others stay unasked for"
        ));
    }
}
