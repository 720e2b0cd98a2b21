//! The posts of accounts are deleted, all of them, and their sheep begin anew.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{
    AccountId, DeliveryId, FlockName, JobId, Limit, LimitOf, Month, Network, Occurrence, RemoteId,
    SheepId, Whom, errand::whole_seconds,
};

/// A wipe. Of each account the sheep are paused and begin anew, then what is recorded of it is deleted, and then what else
/// its network lists, where that is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wipe {
    /// Whose posts.
    pub of: Whom,
    /// Whether also what is not recorded is deleted, as far as networks list it.
    pub everything: bool,
    /// Whose money it costs.
    pub payer: FlockName,
    /// A digest of the accounts that were asked about.
    pub accounts: String,
    /// The last account that was begun with, in the order of their names.
    pub cursor: Option<AccountId>,
    /// Whether all are begun with.
    pub all_begun: bool,
    /// Those that are begun with and not finished.
    pub under_way: Vec<AccountWipe>,
    /// How many accounts are finished.
    pub finished: u64,
    /// How many posts are deleted, or were gone.
    pub deleted: u64,
    /// How many posts stayed, and whatever else could not be done.
    pub stayed: u64,
    /// What stayed and why, a line each, as far as [`Wipe::STAYS`] goes.
    pub stays: Vec<String>,
}

/// How far the wipe of one account is. Stored as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountWipe {
    /// The account.
    #[serde(with = "as_text")]
    pub account: AccountId,
    /// What is being done.
    pub phase: WipePhase,
    /// The last sheep that is done with in this phase, or of which the post `number` is.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "as_text::perhaps")]
    pub sheep: Option<SheepId>,
    /// The last of its posts that is done with.
    #[serde(default)]
    pub number: Occurrence,
    /// The page of the network's list that is being worked on. `None`: the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<String>,
    /// The page after that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_page: Option<String>,
    /// What is left of that page.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub listed: Vec<RemoteId>,
    /// Whether the page had more than is kept at once, of which this many are deleted. `None`: it had not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cut: Option<u32>,
    /// The last post of that list that is deleted. Who lists it still has not deleted it, or not yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gone: Option<RemoteId>,
    /// How often it was listed still.
    #[serde(default)]
    pub lags: u32,
    /// How many pages were turned.
    #[serde(default)]
    pub pages: u32,
    /// Since when its sheep are paused. What they post later, because somebody has resumed them, is not deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quiet_at: Option<Timestamp>,
    /// What was asked for, as each limit of the network counts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub counted: Vec<Counted>,
    /// Nothing is done before this time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Timestamp>,
    /// Why, for a person, where that is no limit of ours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// How often the same went wrong.
    #[serde(default)]
    pub attempts: u32,
    /// How many were refused one after the other, for the reason `refused`.
    #[serde(default)]
    pub alike: u32,
    /// Why the last one was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
}

/// What is being done with an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WipePhase {
    /// Its sheep are paused, what they have begun is settled, and they begin anew.
    Quiet,
    /// What is recorded of it is deleted.
    Record,
    /// What else its network lists is deleted.
    Listed,
    /// It is finished.
    Over,
}

/// Deletions that a limit counts together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counted {
    /// How many.
    pub done: u32,
    /// When the last of them was.
    pub last: Timestamp,
}

/// What a step has come to with one account.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WipeTally {
    /// How many posts are deleted, or were gone.
    pub deleted: u64,
    /// How many stayed.
    pub stayed: u64,
    /// What stayed and why, as far as somebody has to hear it.
    pub stays: Vec<String>,
}

/// Names as they are written, in what is stored.
mod as_text {
    use std::{fmt::Display, str::FromStr};

    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    pub(super) fn serialize<T: Display, S: Serializer>(
        name: &T,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_str(name)
    }

    pub(super) fn deserialize<'de, T, D>(deserializer: D) -> Result<T, D::Error>
    where
        T: FromStr<Err: Display>,
        D: Deserializer<'de>,
    {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }

    pub(super) mod perhaps {
        use super::{Deserializer, Display, FromStr, Serializer};

        #[expect(clippy::ref_option, reason = "serde hands over what the field is")]
        pub(in super::super) fn serialize<T: Display, S: Serializer>(
            name: &Option<T>,
            serializer: S,
        ) -> Result<S::Ok, S::Error> {
            match name {
                Some(name) => serializer.collect_str(name),
                None => serializer.serialize_none(),
            }
        }

        pub(in super::super) fn deserialize<'de, T, D>(
            deserializer: D,
        ) -> Result<Option<T>, D::Error>
        where
            T: FromStr<Err: Display>,
            D: Deserializer<'de>,
        {
            super::deserialize(deserializer).map(Some)
        }
    }
}

impl Wipe {
    /// Accounts that are wiped beside each other. Each has up to [`AccountWipe::LISTED_BYTES`] of what its network lists in the
    /// job's item, which is written with every step: with all lines it is 27 KB, and DynamoDB takes 400 KB.
    pub const AT_ONCE: usize = 8;

    /// So many lines are kept of what stayed.
    pub const STAYS: usize = 25;

    /// Bytes of a line, about; what is longer is cut, and says so.
    pub const LINE_BYTES: usize = 200;

    /// A wipe that nobody has begun, of these accounts.
    pub fn new(of: Whom, everything: bool, payer: FlockName, accounts: &[AccountId]) -> Self {
        Self {
            of,
            everything,
            payer,
            accounts: Self::digest(accounts),
            cursor: None,
            all_begun: false,
            under_way: Vec::new(),
            finished: 0,
            deleted: 0,
            stayed: 0,
            stays: Vec::new(),
        }
    }

    /// What tells other accounts from these.
    pub fn digest(accounts: &[AccountId]) -> String {
        let names: Vec<_> = accounts.iter().map(ToString::to_string).collect();
        let names: Vec<_> = names.iter().map(String::as_str).collect();
        JobId::of(&DeliveryId::of(&names)).to_string()
    }

    /// The one job that wipes this at a time.
    pub fn job(of: &Whom) -> JobId {
        JobId::of(&DeliveryId::of(&["wipe", &of.to_string()]))
    }

    /// How many posts are done with.
    pub fn done(&self) -> u64 {
        self.deleted.saturating_add(self.stayed)
    }

    /// Begins with as many of `accounts` as there is room for, which are those of its target now, by name. Others than were asked
    /// about are not touched, nor are those that another wipe has `taken`.
    #[must_use]
    pub fn begin(&self, accounts: &[AccountId], taken: &BTreeMap<AccountId, JobId>) -> Self {
        let mut work = self.clone();
        if Self::digest(accounts) != self.accounts {
            work.all_begun = true;
            work.stay(&format!(
                "{} has other accounts by now than were asked about: of those, none was begun any more; wipe it again",
                self.of.named()
            ));
            return work;
        }
        let room = Self::AT_ONCE.saturating_sub(self.under_way.len());
        let after = |account: &&AccountId| self.cursor.as_ref().is_none_or(|last| last < *account);
        let mut left = accounts.iter().filter(after);
        for account in left.by_ref().take(room) {
            if let Some(other) = taken.get(account) {
                work.stay(&format!("{account}: the job {other} wipes it"));
                work.finished = work.finished.saturating_add(1);
            } else {
                work.under_way.push(AccountWipe::new(account.clone()));
            }
            work.cursor = Some(account.clone());
        }
        work.all_begun = left.next().is_none();
        work
    }

    /// How far it is after a step with some of its accounts.
    #[must_use]
    pub fn step(&self, steps: Vec<(AccountWipe, WipeTally)>) -> Self {
        let mut work = self.clone();
        for (account, tally) in steps {
            work.deleted = work.deleted.saturating_add(tally.deleted);
            work.stayed = work.stayed.saturating_add(tally.stayed);
            for line in tally.stays {
                work.keep(&line);
            }
            match account.phase {
                WipePhase::Over => {
                    work.finished = work.finished.saturating_add(1);
                    work.under_way.retain(|other| other.account != account.account);
                }
                WipePhase::Quiet | WipePhase::Record | WipePhase::Listed => {
                    let mut there = work.under_way.iter_mut();
                    if let Some(there) = there.find(|other| other.account == account.account) {
                        *there = account;
                    }
                }
            }
        }
        work
    }

    /// Whether nothing is left to do.
    pub fn is_over(&self) -> bool {
        self.all_begun && self.under_way.is_empty()
    }

    /// Until when nothing can be done.
    pub fn waits_until(&self, now: Timestamp) -> Option<Timestamp> {
        let has_room = !self.all_begun && self.under_way.len() < Self::AT_ONCE;
        if has_room || self.under_way.is_empty() {
            return None;
        }
        let waits = self.under_way.iter().map(|account| account.waits_until(now));
        waits.collect::<Option<Vec<_>>>()?.into_iter().min()
    }

    /// Whether some of it is put off until the month is over, as what passes its payer's cap is.
    pub fn waits_for_cap(&self, now: Timestamp) -> bool {
        self.under_way.iter().any(|account| account.waits_for_cap(now))
    }

    /// The wipe of which nothing waits for the cap of its payer any more.
    #[must_use]
    pub fn retry_for_cap(&self, now: Timestamp) -> Self {
        let mut work = self.clone();
        for account in work.under_way.iter_mut().filter(|account| account.waits_for_cap(now)) {
            (account.not_before, account.why) = (None, None);
        }
        work
    }

    /// Counts what could not be done, and keeps its line.
    fn stay(&mut self, line: &str) {
        self.stayed = self.stayed.saturating_add(1);
        self.keep(line);
    }

    fn keep(&mut self, line: &str) {
        if self.stays.len() < Self::STAYS {
            self.stays.push(super::kept(line, Self::LINE_BYTES));
        }
    }

    /// How long it takes, by the limits of networks alone, to delete so many posts of each account.
    pub fn time_for(accounts: &[(Network, u64)]) -> SignedDuration {
        let mut lanes = [SignedDuration::ZERO; Self::AT_ONCE];
        for (network, posts) in accounts {
            let limits = network.facts().deletions;
            if let Some(lane) = lanes.iter_mut().min() {
                *lane = lane.saturating_add(time_of(*posts, limits));
            }
        }
        lanes.into_iter().max().unwrap_or_default()
    }
}

/// What passes between the end of a limit's time and the next tick, which comes once a minute.
const TICK: SignedDuration = SignedDuration::from_mins(1);

/// How long it takes to delete so many posts of one account, by `limits`, the shortest first.
fn time_of(posts: u64, limits: &[Limit]) -> SignedDuration {
    let Some((longest, shorter)) = limits.split_last() else { return SignedDuration::ZERO };
    let share = u64::from(share(longest)).max(1);
    let Some(before_last) = posts.checked_sub(1) else { return SignedDuration::ZERO };
    let (full, rest) = (before_last / share, before_last % share + 1);
    let each = time_of(share, shorter).saturating_add(longest.per).saturating_add(TICK);
    let full = i32::try_from(full).unwrap_or(i32::MAX);
    each.checked_mul(full).unwrap_or(SignedDuration::MAX).saturating_add(time_of(rest, shorter))
}

/// How much of a limit one account takes.
fn share(limit: &Limit) -> u32 {
    let share = match limit.of {
        LimitOf::Account => limit.posts,
        LimitOf::App => limit.posts / Wipe::AT_ONCE,
    };
    u32::try_from(share).unwrap_or(u32::MAX)
}

impl AccountWipe {
    /// Bytes of what a network lists that are kept, so that a list that is charged for is read once.
    pub const LISTED_BYTES: usize = 2_000;

    /// So often a network may list what it has deleted.
    pub const LAGS: u32 = 3;

    /// More pages of a network's list are not read: 100,000 posts where a page has 10.
    pub const PAGES: u32 = 10_000;

    /// After so many refusals one after the other for the same reason, the network is not asked about the rest.
    pub const ALIKE: u32 = 10;

    /// After so many failures, which is after about two hours, a post is left.
    pub const PATIENCE: u32 = 8;

    /// An account that is not begun with.
    pub fn new(account: AccountId) -> Self {
        Self {
            account,
            phase: WipePhase::Quiet,
            sheep: None,
            number: Occurrence::default(),
            page: None,
            next_page: None,
            listed: Vec::new(),
            cut: None,
            gone: None,
            lags: 0,
            pages: 0,
            quiet_at: None,
            counted: Vec::new(),
            not_before: None,
            why: None,
            attempts: 0,
            alike: 0,
            refused: None,
        }
    }

    /// Until when nothing can be done with it.
    pub fn waits_until(&self, now: Timestamp) -> Option<Timestamp> {
        self.not_before.filter(|at| now < *at)
    }

    /// Whether it is put off until the month is over, as what passes its payer's cap is.
    pub fn waits_for_cap(&self, now: Timestamp) -> bool {
        self.not_before.is_some_and(|at| Month::of(now).end() <= at)
    }

    /// Goes on with the next phase.
    pub fn enter(&mut self, phase: WipePhase) {
        let (account, counted) = (self.account.clone(), std::mem::take(&mut self.counted));
        *self = Self { phase, counted, quiet_at: self.quiet_at, ..Self::new(account) };
    }

    /// Does nothing before `at`.
    pub fn wait(&mut self, at: Timestamp, why: Option<&str>) {
        self.not_before = Some(at);
        self.why = why.map(|why| super::kept(why, Wipe::LINE_BYTES));
    }

    /// Whether a post may be deleted now; if not, from when on. A limit's time begins anew so long after the last deletion, so that it
    /// is kept to however its network counts.
    pub fn may_delete(&self, now: Timestamp) -> Result<(), Timestamp> {
        let full = |(limit, counted): (&Limit, &Counted)| {
            let again = counted.last.saturating_add(limit.per).unwrap_or(Timestamp::MAX);
            (share(limit) <= counted.done && now < again).then_some(again)
        };
        let limits = self.account.network.facts().deletions;
        match limits.iter().zip(&self.counted).filter_map(full).max() {
            Some(again) => Err(again),
            None => Ok(()),
        }
    }

    /// Counts that its network is asked to delete a post.
    pub fn count(&mut self, now: Timestamp) {
        // Not earlier than it is.
        let now = whole_seconds(now).saturating_add(SignedDuration::from_secs(1)).unwrap_or(now);
        let limits = self.account.network.facts().deletions;
        self.counted.resize(limits.len(), Counted { done: 0, last: now });
        for (limit, counted) in limits.iter().zip(&mut self.counted) {
            let is_over = counted.last.saturating_add(limit.per).is_ok_and(|again| again <= now);
            let done = if is_over { 0 } else { counted.done };
            *counted = Counted { done: done.saturating_add(1), last: now };
        }
    }

    /// A post is deleted, or left for good: what went wrong before has nothing to do with the next.
    pub fn is_done(&mut self) {
        (self.attempts, self.not_before, self.why) = (0, None, None);
    }

    /// A post is deleted.
    pub fn is_deleted(&mut self) {
        self.is_done();
        (self.alike, self.refused) = (0, None);
        self.cut = self.cut.map(|deleted| deleted.saturating_add(1));
    }

    /// A post is refused.
    pub fn is_refused(&mut self, why: &str) {
        self.is_done();
        let why = super::kept(why, Wipe::LINE_BYTES);
        self.alike =
            if self.refused.as_ref() == Some(&why) { self.alike.saturating_add(1) } else { 1 };
        self.refused = Some(why);
    }

    /// Whether its network is not asked any more.
    pub fn gives_up(&self) -> bool {
        Self::ALIKE <= self.alike
    }

    /// Whether a post that was due at this time is to be deleted.
    pub fn is_of(&self, due: Timestamp) -> bool {
        self.quiet_at.is_none_or(|quiet| due <= quiet)
    }

    /// Keeps what its network lists, as much as there is room for; `next` is the page after it. Says whether to go on: who goes on
    /// listing what was deleted would be asked for ever.
    #[must_use]
    pub fn list(&mut self, listed: Vec<RemoteId>, next: Option<String>) -> bool {
        if self.gone.as_ref().is_some_and(|gone| listed.contains(gone)) {
            self.lags = self.lags.saturating_add(1);
            if Self::LAGS < self.lags {
                return false;
            }
        }
        let all = listed.len();
        let mut bytes = 0_usize;
        let fits = |id: &RemoteId| {
            bytes = bytes.saturating_add(id.as_str().len()).saturating_add(1);
            bytes <= Self::LISTED_BYTES
        };
        self.listed = listed.into_iter().take_while(fits).collect();
        self.cut = (self.listed.len() < all).then_some(0);
        self.next_page = next;
        true
    }

    /// Goes on where what was listed is done with: with the same page, where that had more and some of it is gone, or with the next.
    pub fn turn_page(&mut self) {
        if self.cut.take().is_some_and(|deleted| 0 < deleted) {
            return;
        }
        self.pages = self.pages.saturating_add(1);
        match self.next_page.take() {
            // The same again, and again, would be read for ever.
            Some(next) if self.page.as_ref() != Some(&next) && self.pages < Self::PAGES => {
                self.page = Some(next);
            }
            _ => self.enter(WipePhase::Over),
        }
    }
}

impl WipeTally {
    /// Something stayed.
    pub fn stay(&mut self, line: String) {
        self.stayed = self.stayed.saturating_add(1);
        self.stays.push(line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: i64) -> Timestamp {
        "2026-11-21T12:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_mins(minute)
    }

    fn account(number: usize) -> AccountId {
        format!("x:a{number:02}").parse().unwrap()
    }

    #[test]
    fn a_limit_is_kept_to_before_anybody_says_so() {
        let mut wipe = AccountWipe::new(account(0));
        for _ in 0..50 {
            assert_eq!(wipe.may_delete(at(0)), Ok(()));
            wipe.count(at(0));
        }
        let again = at(15) + SignedDuration::from_secs(1);
        assert_eq!(wipe.may_delete(at(15)), Err(again));
        assert_eq!(wipe.may_delete(again), Ok(()));
        wipe.count(again);
        assert_eq!(wipe.counted.first().unwrap().done, 1);
        let mut free = AccountWipe::new("meadow:a".parse().unwrap());
        for _ in 0..10_000 {
            free.count(at(0));
            assert_eq!(free.may_delete(at(0)), Ok(()));
        }
    }

    #[test]
    fn the_time_that_it_takes_is_that_of_the_limits() {
        let minutes = |network, posts: u64| Wipe::time_for(&[(network, posts)]).as_mins();
        assert_eq!(minutes(Network::Meadow, 10_000), 0);
        assert_eq!((minutes(Network::X, 0), minutes(Network::X, 50)), (0, 0));
        assert_eq!(minutes(Network::X, 51), 16);
        assert_eq!(minutes(Network::X, 10_000), 199 * 16);
        assert_eq!(minutes(Network::Mastodon, 250), 8 * 31);
        assert_eq!(minutes(Network::Bluesky, 250), 0);
        assert_eq!(minutes(Network::Bluesky, 10_000), 13 * 6 + 61 + 13 * 6);
        // A day's worth, and one more.
        assert_eq!(minutes(Network::Bluesky, 35_001), 7 * 13 * 6 + 6 * 61 + 24 * 60 + 1);
        let several = |number: usize| Wipe::time_for(&vec![(Network::X, 100); number]).as_mins();
        assert_eq!((several(8), several(9)), (16, 32));
    }

    #[test]
    fn accounts_are_wiped_some_at_a_time_and_no_others() {
        let accounts: Vec<_> = (0..10).map(account).collect();
        let flock = || "moon".parse::<FlockName>().unwrap();
        let work = Wipe::new(Whom::Flock(flock()), false, flock(), &accounts);
        let begun = work.begin(&accounts, &BTreeMap::new());
        assert_eq!((begun.under_way.len(), begun.all_begun), (8, false));
        assert_eq!(begun.begin(&accounts, &BTreeMap::new()), begun);
        let over = AccountWipe { phase: WipePhase::Over, ..AccountWipe::new(account(3)) };
        let mut stays = WipeTally { deleted: 7, ..WipeTally::default() };
        stays.stay("x:a03\n1: no".to_owned());
        let stepped = begun.step(vec![(over, stays)]);
        assert_eq!((stepped.finished, stepped.deleted, stepped.stayed), (1, 7, 1));
        assert_eq!(stepped.stays, ["x:a03 1: no"]);
        let other = stepped.begin(&accounts[1..], &BTreeMap::new());
        assert_eq!((other.under_way.len(), other.all_begun, other.stayed), (7, true, 2));
        let next = stepped.begin(&accounts, &BTreeMap::new());
        assert_eq!((next.under_way.len(), next.all_begun), (8, false));
        assert_eq!(next.cursor, Some(account(8)));
        let waiting = |mut work: Wipe, minutes: &[i64]| {
            for (account, minute) in work.under_way.iter_mut().zip(minutes) {
                account.wait(at(*minute), None);
            }
            work.waits_until(at(0))
        };
        assert_eq!(waiting(next.clone(), &[9, 8, 7, 6, 5, 4, 3, 2]), Some(at(2)));
        assert_eq!(waiting(next, &[9, 8, 7, 6, 5, 4, 3]), None);
    }

    #[test]
    fn what_waits_for_the_cap_goes_on_when_it_is_raised() {
        let accounts = [account(0), account(1)];
        let payer = "moon".parse::<FlockName>().unwrap();
        let mut work = Wipe::new(Whom::Flock(payer.clone()), false, payer, &accounts);
        work = work.begin(&accounts, &BTreeMap::new());
        assert!(!work.waits_for_cap(at(0)));
        let month = Month::of(at(0)).end();
        work.under_way[0].wait(at(15), None);
        work.under_way[1].wait(month, Some("it has spent all"));
        assert!(work.waits_for_cap(at(0)) && !work.waits_for_cap(month));
        let woken = work.retry_for_cap(at(0));
        assert_eq!(woken.under_way[0], work.under_way[0]);
        assert_eq!(woken.under_way[1], AccountWipe::new(account(1)));
    }

    #[test]
    fn a_page_that_is_cut_is_listed_again_while_some_of_it_goes() {
        let ids = |number: usize| (0..number).map(|n| format!("at://{n:0>70}").parse().unwrap());
        let mut wipe = AccountWipe::new("bluesky:a.test".parse().unwrap());
        wipe.enter(WipePhase::Listed);
        assert!(wipe.list(ids(100).collect(), Some("next".to_owned())));
        assert_eq!((wipe.listed.len(), wipe.cut), (26, Some(0)));
        wipe.listed.clear();
        wipe.is_deleted();
        wipe.turn_page();
        assert_eq!((wipe.page.as_deref(), wipe.phase), (None, WipePhase::Listed));
        assert!(wipe.list(ids(100).collect(), Some("next".to_owned())));
        wipe.turn_page();
        assert_eq!(wipe.page.as_deref(), Some("next"));
        assert!(wipe.list(ids(3).collect(), None));
        assert_eq!(wipe.cut, None);
        wipe.turn_page();
        assert_eq!(wipe.phase, WipePhase::Over);
    }

    #[test]
    fn what_is_refused_alike_is_not_asked_for_again_and_again() {
        let mut wipe = AccountWipe::new(account(0));
        for number in 0..20 {
            wipe.is_refused(if number % 2 == 0 { "no" } else { "not this one" });
        }
        assert!(!wipe.gives_up());
        for _ in 0..9 {
            wipe.is_refused("suspended");
        }
        assert!(!wipe.gives_up());
        wipe.is_refused("suspended");
        assert!(wipe.gives_up());
    }
    #[test]
    fn who_lists_what_was_deleted_is_not_asked_for_ever() {
        let ids =
            |from: usize| (from..from + 3).map(|id| id.to_string().parse().unwrap()).collect();
        let mut wipe = AccountWipe::new(account(1));
        for _ in 0..AccountWipe::LAGS {
            assert!(wipe.list(ids(7), None));
            wipe.gone = wipe.listed.last().cloned();
        }
        assert!(wipe.list(ids(7), None), "the first time it was not listed before");
        assert!(!wipe.list(ids(7), None));
        assert!(wipe.list(ids(10), Some("a".to_owned())), "others are");
        wipe.turn_page();
        assert_eq!(wipe.page.as_deref(), Some("a"));
        assert!(wipe.list(ids(20), Some("a".to_owned())));
        wipe.turn_page();
        assert_eq!(wipe.phase, WipePhase::Over, "the same page again");
    }

    #[test]
    fn what_another_wipe_has_and_what_came_later_is_left() {
        let accounts: Vec<_> = (1..4).map(account).collect();
        let flock: FlockName = "moon".parse().unwrap();
        let wipe = Wipe::new(Whom::Flock(flock.clone()), false, flock, &accounts);
        let other: JobId = "0123abcd".parse().unwrap();
        let begun = wipe.begin(&accounts, &BTreeMap::from([(account(2), other)]));
        let under_way: Vec<_> = begun.under_way.iter().map(|wipe| &wipe.account).collect();
        assert_eq!(under_way, [&account(1), &account(3)]);
        assert_eq!((begun.finished, begun.stayed, begun.all_begun), (1, 1, true));
        assert!(begun.stays[0].ends_with("the job 0123abcd wipes it"), "{:?}", begun.stays);

        let mut one = AccountWipe::new(account(1));
        assert!(one.is_of(at(9)), "nobody has paused its sheep yet");
        one.quiet_at = Some(at(3));
        one.enter(WipePhase::Record);
        assert!(one.is_of(at(3)) && !one.is_of(at(4)));
    }
}
