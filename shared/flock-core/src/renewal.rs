//! Renewing what the requests of an account are made with: an errand, because it may be given out for something that is good once
//! only.
//!
//! It goes `renewer` → `claim` (stored, over what was read) → `may_ask` → the network is asked → `end`. Whoever dies in between
//! leaves it claimed: the next cannot tell whether what it is renewed with was used up, and asks all the same, once.

use jiff::{SignedDuration, Timestamp};

use crate::{Errand, Sent};

/// What is to be done: the tokens of an account are exchanged for new ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Renewal;

/// Who renews.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Renewer {
    /// Whoever claims it.
    Us,
    /// Somebody else, until this time.
    Others(Timestamp),
}

impl Errand<Renewal> {
    /// A renewal as it is stored: until when somebody is at it, and whether what it is renewed with may be used up.
    pub fn stored(lease_until: Option<Timestamp>, sent: Sent) -> Self {
        let due = lease_until.unwrap_or(Timestamp::UNIX_EPOCH);
        // Who has claimed it may have died over it.
        let sent = if lease_until.is_some() { Sent::Maybe } else { sent };
        Self { sent, lease_until, ..Self::new(Renewal, due) }
    }

    /// Whose it is. A lease that ends later than `believed` from now is of a clock that is too far from ours.
    pub fn renewer(&self, believed: SignedDuration, now: Timestamp) -> Renewer {
        match self.lease_until {
            Some(until) if now < until && until.duration_since(now) <= believed => {
                Renewer::Others(until)
            }
            Some(_) | None => Renewer::Us,
        }
    }

    /// Whether what it is renewed with may be used up: somebody has used it, and nobody knows what came of that.
    pub fn is_perhaps_burnt(&self) -> bool {
        self.sent == Sent::Maybe
    }

    /// Whether who has claimed it may still ask, which takes so long at most: nobody else does as long as it lasts.
    pub fn may_ask(&self, takes: SignedDuration, now: Timestamp) -> bool {
        self.lease_until.is_some_and(|until| takes <= until.duration_since(now))
    }

    /// It has ended, so that the next need not wait.
    #[must_use]
    pub fn end(self, sent: Sent) -> Self {
        Self { sent, lease_until: None, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BELIEVED: SignedDuration = SignedDuration::from_secs(30);
    const TAKES: SignedDuration = SignedDuration::from_secs(10);

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    #[test]
    fn one_renews_and_the_others_wait() {
        let nobody = Errand::stored(None, Sent::No);
        assert_eq!(
            (nobody.renewer(BELIEVED, at(0)), nobody.is_perhaps_burnt()),
            (Renewer::Us, false)
        );
        let ours = nobody.claim(at(30));
        assert_eq!(ours.renewer(BELIEVED, at(0)), Renewer::Others(at(30)));
        assert_eq!(ours.renewer(BELIEVED, at(29)), Renewer::Others(at(30)));
        assert_eq!(ours.renewer(BELIEVED, at(30)), Renewer::Us);
        // Of a clock that is far ahead.
        assert_eq!(ours.renewer(BELIEVED, at(-1)), Renewer::Us);
        let done = ours.end(Sent::No);
        assert_eq!((done.renewer(BELIEVED, at(1)), done.is_perhaps_burnt()), (Renewer::Us, false));
    }

    #[test]
    fn who_is_late_does_not_ask() {
        let ours = Errand::stored(None, Sent::No).claim(at(30));
        assert!(ours.may_ask(TAKES, at(20)));
        assert!(!ours.may_ask(TAKES, at(21)));
        assert!(!ours.end(Sent::No).may_ask(TAKES, at(0)));
    }

    #[test]
    fn what_somebody_died_over_is_perhaps_burnt() {
        assert!(Errand::stored(Some(at(30)), Sent::No).is_perhaps_burnt());
        let unanswered = Errand::stored(None, Sent::No).claim(at(30)).end(Sent::Maybe);
        assert!(unanswered.is_perhaps_burnt());
        assert_eq!(unanswered.renewer(BELIEVED, at(1)), Renewer::Us);
    }
}
