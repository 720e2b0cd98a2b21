//! An errand: one act that must happen once in the world, on its way there.
//!
//! It goes `claim` (who has it, and until when, is stored) → the world is asked → what came of it is settled. Whoever dies
//! in between leaves it claimed, as one that may have arrived: the next who has it looks first. Every change is a
//! function from an errand to an errand; who owns it writes the result under the condition that it is as it was read.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{AccountId, Act, Cause, FlockName, Month, Occurrence, PostId, RemoteId};

/// One act on its way. `W` is what is to be done, under which name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Errand<W = Task> {
    /// What is to be done.
    pub work: W,
    /// When it was due.
    pub due: Timestamp,
    /// Whether it may be done already.
    pub sent: Sent,
    /// How often it went wrong.
    pub attempts: u32,
    /// Not tried again before this time.
    pub retry_at: Option<Timestamp>,
    /// What went wrong last, for a person.
    pub problem: Option<String>,
    /// Until when somebody has it for themselves.
    pub lease_until: Option<Timestamp>,
}

/// An act through an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// Its name, the same however often it is tried: the idempotency key wherever a network has one.
    pub id: PostId,
    /// Through which account it is done.
    pub account: AccountId,
    /// What is done.
    pub act: Act,
    /// What made somebody do it.
    pub cause: Cause,
    /// Whose money it costs.
    pub payer: FlockName,
}

/// Whether the world may have been asked already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sent {
    /// Certainly not, or it has certainly not done it.
    No,
    /// A request may have arrived: look before asking again.
    Maybe,
}

/// What came of asking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It is done.
    Done(RemoteId),
    /// It is certainly not done, and trying again can help.
    TryAgain {
        /// What happened, for a person.
        why: String,
        /// When the network said to come back.
        not_before: Option<Timestamp>,
    },
    /// It is certainly not done and never will be, because of what it says; another text can be.
    SetAside {
        /// What is wrong with the text, for a person.
        why: String,
    },
    /// It is certainly not done, and nothing like it can be until somebody acts.
    Refused {
        /// What happened and what to do, for a person.
        why: String,
    },
    /// It is certainly not done, and people have to hear why, and nobody could be told.
    Untold {
        /// What they have to hear.
        why: String,
        /// When the network said to come back.
        not_before: Option<Timestamp>,
    },
    /// It may be done, and no answer came.
    Unknown {
        /// What happened, for a person.
        why: String,
    },
    /// Another post is recorded under its number, so that it cannot be.
    Taken {
        /// What its network calls it. `None`: it is certainly not there.
        posted: Option<RemoteId>,
        /// The first number nobody has.
        free: Occurrence,
        /// What happened, for a person.
        why: String,
    },
}

impl Outcome {
    /// The same, where people have to hear of it and nobody could be told: as what is tried again, so that it comes to it
    /// once more. Whether it is done is looked for as rarely as ever, because that may cost something.
    #[must_use]
    pub fn untold(self) -> Self {
        match self {
            Self::Refused { why }
            | Self::SetAside { why }
            | Self::Taken { posted: None, why, .. } => Self::Untold { why, not_before: None },
            Self::TryAgain { why, not_before } => Self::Untold { why, not_before },
            Self::Taken { posted: Some(_), why, .. } => Self::Unknown { why },
            Self::Done(_) | Self::Untold { .. } | Self::Unknown { .. } => self,
        }
    }
}

impl<W> Errand<W> {
    /// After so many failures, which is after about two hours, people are told.
    const PATIENCE: u32 = 8;

    /// Something new to do, which nobody has begun.
    pub fn new(work: W, due: Timestamp) -> Self {
        Self {
            work,
            due: whole_seconds(due),
            sent: Sent::No,
            attempts: 0,
            retry_at: None,
            problem: None,
            lease_until: None,
        }
    }

    /// The errand in the hands of somebody until `lease_until`. From when that is written on, it may be done.
    #[must_use]
    pub fn claim(self, lease_until: Timestamp) -> Self {
        Self { sent: Sent::Maybe, lease_until: Some(lease_until), ..self }
    }

    /// Whether somebody has it.
    pub fn is_leased(&self, now: Timestamp) -> bool {
        self.lease_until.is_some_and(|until| now < until)
    }

    /// Whether it may be done, and nobody knows, and nobody is finding out.
    pub fn is_unknown(&self, now: Timestamp) -> bool {
        !self.is_leased(now) && self.sent == Sent::Maybe && 0 < self.attempts
    }

    /// The errand to be tried again, after a while that grows each time; `seed` spreads those that failed together.
    #[must_use]
    pub fn put_off(
        self,
        (why, sent): (&str, Sent),
        not_before: Option<Timestamp>,
        seed: u64,
        now: Timestamp,
    ) -> Self {
        let attempts = self.attempts.saturating_add(1);
        let errand = self.waiting(why, retry_after(attempts, seed), not_before, now);
        Self { sent, attempts, ..errand }
    }

    /// The errand to be tried again in a minute, because what people have to hear of it was told to nobody. That does not count:
    /// what is told at a certain failure is told when that comes again, and the wait grows no longer than the network makes it.
    #[must_use]
    pub fn untold(
        self,
        why: &str,
        not_before: Option<Timestamp>,
        seed: u64,
        now: Timestamp,
    ) -> Self {
        Self { sent: Sent::No, ..self.waiting(why, retry_after(1, seed), not_before, now) }
    }

    /// The errand in nobody's hands for so long, or until `not_before`.
    fn waiting(
        self,
        why: &str,
        wait: SignedDuration,
        not_before: Option<Timestamp>,
        now: Timestamp,
    ) -> Self {
        let now = whole_seconds(now);
        let retry_at = now.saturating_add(wait).unwrap_or(now);
        Self {
            retry_at: Some(not_before.map_or(retry_at, |at| at.max(retry_at))),
            problem: Some(why.to_owned()),
            lease_until: None,
            ..self
        }
    }

    /// The errand to be tried at once.
    #[must_use]
    pub fn hurry(self, now: Timestamp) -> Self {
        Self { retry_at: Some(whole_seconds(now)), ..self }
    }

    /// Whether one more failure is one that people should hear of.
    pub fn is_losing_patience(&self) -> bool {
        self.attempts + 1 == Self::PATIENCE
    }

    /// Whether it is put off until the month is over, as what passes its payer's cap is.
    pub fn waits_for_cap(&self, now: Timestamp) -> bool {
        self.sent == Sent::No && self.retry_at.is_some_and(|at| Month::of(now).end() <= at)
    }
}

/// How long to wait after the given number of failures: a minute, doubled each time, six hours at
/// most, and up to a quarter more, which `seed` chooses.
fn retry_after(attempts: u32, seed: u64) -> SignedDuration {
    const FIRST: i64 = 60;
    const MOST: i64 = 6 * 60 * 60;
    let doubled = FIRST << attempts.saturating_sub(1).min(16);
    let wait = doubled.min(MOST);
    let quarter = (wait / 4).unsigned_abs();
    let jitter = i64::try_from(seed % quarter.max(1)).unwrap_or(0);
    SignedDuration::from_secs(wait + jitter)
}

/// Times are whole seconds, as the table stores them.
pub(crate) fn whole_seconds(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ts(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn what_goes_wrong_waits_longer_each_time() {
        let now = ts("2026-11-21T12:00:00Z");
        let mut errand = Errand::new((), now);
        let mut waits = Vec::new();
        for _ in 0..12 {
            let leased = errand.claim(now + SignedDuration::from_secs(60));
            assert!(leased.is_leased(now) && !leased.is_unknown(now));
            errand = leased.put_off(("it is away", Sent::No), None, 7, now);
            waits.push(errand.retry_at.unwrap().duration_since(now).as_secs());
        }
        assert_eq!(waits[..3], [67, 127, 247]);
        let most = 6 * 3600 * 5 / 4;
        let grows = |(a, b): (&i64, &i64)| *b <= most && (a < b || 6 * 3600 <= *b);
        assert!(waits.iter().zip(&waits[1..]).all(grows), "{waits:?}");
        let reset = ts("2026-11-23T00:00:00Z");
        let limited = errand.clone().put_off(("limited", Sent::No), Some(reset), 7, now);
        assert_eq!((limited.retry_at, limited.waits_for_cap(now)), (Some(reset), false));
        let unknown = errand.put_off(("no answer", Sent::Maybe), None, 7, now);
        assert!(unknown.is_unknown(now));
        assert!(!unknown.clone().claim(reset).is_unknown(now));
        assert_eq!(unknown.hurry(now).retry_at, Some(now));
    }

    #[test]
    fn people_hear_of_it_once() {
        let now = ts("2026-11-21T12:00:00Z");
        let mut errand = Errand::new((), now);
        let mut told = 0;
        for _ in 0..20 {
            told += u32::from(errand.is_losing_patience());
            errand = errand.put_off(("it is away", Sent::No), None, 0, now);
        }
        assert_eq!(told, 1);
    }

    /// However long it went wrong before, and however long nobody can be told.
    #[test]
    fn what_nobody_was_told_comes_again_in_a_minute_and_does_not_count() {
        let now = ts("2026-11-21T12:00:00Z");
        let mut errand = Errand::new((), now);
        for failures in 0..20 {
            let mut untold = errand.clone();
            for seed in 0..5 {
                untold = untold.claim(now).untold("the key is bad", None, seed, now);
                let wait = untold.retry_at.unwrap().duration_since(now).as_secs();
                assert!((60..=75).contains(&wait), "{wait} s after {failures} failures");
                let losing = (untold.is_losing_patience(), errand.is_losing_patience());
                assert_eq!(
                    (losing.0, untold.attempts, untold.sent),
                    (losing.1, failures, Sent::No)
                );
            }
            let reset = ts("2026-11-22T00:00:00Z");
            let limited = untold.untold("limited", Some(reset), 7, now);
            assert_eq!(limited.retry_at, Some(reset));
            errand = errand.put_off(("it is away", Sent::No), None, 7, now);
        }
    }
}
