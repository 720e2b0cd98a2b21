//! A notice: a message to a room of Slack, which is an errand of its own.

use jiff::Timestamp;

use crate::{AccountId, DeliveryId, Errand, Occurrence, RemoteId, RoomId, Sent, SheepId};

/// A message to a room, by what it is known: the same however often the event is delivered that asks for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Its name. Each of its messages carries it.
    pub id: DeliveryId,
    /// Where it goes.
    pub room: RoomId,
}

impl Notice {
    /// By what is known that something of this kind, such as `sheep.stopped`, happened to a sheep's post, and why.
    pub fn of_sheep(kind: &str, sheep: &SheepId, number: Occurrence, why: &str) -> DeliveryId {
        DeliveryId::of(&[kind, &sheep.to_string(), &number.to_string(), why])
    }

    /// By what is known that an account does not let several sheep post, and why.
    pub fn of_account(account: &AccountId, why: &str) -> DeliveryId {
        DeliveryId::of(&["account.refused", &account.to_string(), why])
    }
}

/// A notice and how far it has come. Every change is one version on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Telling {
    /// The notice on its way.
    pub errand: Errand<Notice>,
    /// What Slack calls its last message, once all of it is there.
    pub told: Option<RemoteId>,
    /// The version of its item.
    pub version: u64,
}

/// What is to be done about a notice that somebody began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GoOn {
    /// Nothing: the room was told.
    Told,
    /// Somebody is telling the room right now.
    Busy,
    /// It is claimed, and certainly not there: post it.
    Post(Telling),
    /// It is claimed, and may be there: look before posting it.
    Look(Telling),
}

impl Telling {
    /// As often as an event is delivered: once, and twice more (`MaximumRetryAttempts` in template.yaml).
    const TRIES: u32 = 3;

    /// A new notice in the hands of somebody until `lease_until`.
    pub fn begin(notice: Notice, now: Timestamp, lease_until: Timestamp) -> Self {
        Self { errand: Errand::new(notice, now).claim(lease_until), told: None, version: 1 }
    }

    /// What whoever the event is delivered to again does, until `lease_until`. When it comes again is the bus's to say.
    pub fn go_on(self, now: Timestamp, lease_until: Timestamp) -> GoOn {
        if self.told.is_some() {
            return GoOn::Told;
        }
        if self.errand.is_leased(now) {
            return GoOn::Busy;
        }
        let sent = self.errand.sent;
        // Whoever had the lease has died with it, which is a try that went wrong, too.
        let attempts = self.errand.attempts + u32::from(self.errand.lease_until.is_some());
        let errand = Errand { attempts, ..self.errand.claim(lease_until) };
        let claimed = Self { errand, version: self.version + 1, told: None };
        match sent {
            Sent::No => GoOn::Post(claimed),
            Sent::Maybe => GoOn::Look(claimed),
        }
    }

    /// Whether the bus delivers the event no more.
    pub fn is_last_try(&self) -> bool {
        Self::TRIES <= self.errand.attempts + 1
    }

    /// The notice whose messages are all there.
    #[must_use]
    pub fn done(self, message: RemoteId) -> Self {
        let errand = Errand { lease_until: None, problem: None, ..self.errand };
        Self { errand, told: Some(message), version: self.version + 1 }
    }

    /// The notice that could not be told, and may be there in part or whole, or not.
    #[must_use]
    pub fn put_off(self, why: &str, sent: Sent, now: Timestamp) -> Self {
        let errand = self.errand.put_off((why, sent), None, 0, now);
        Self { errand, told: None, version: self.version + 1 }
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    fn at(second: i64) -> Timestamp {
        "2026-11-21T12:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_secs(second)
    }

    fn begun() -> Telling {
        let notice = Notice { id: DeliveryId::of(&["x"]), room: "C1".parse().unwrap() };
        Telling::begin(notice, at(0), at(35))
    }

    #[test]
    fn what_may_be_there_is_looked_for() {
        assert_eq!(begun().go_on(at(34), at(70)), GoOn::Busy);
        let GoOn::Look(claimed) = begun().go_on(at(35), at(70)) else { panic!("it died") };
        assert_eq!((claimed.version, claimed.errand.attempts), (2, 1));
        assert_eq!(claimed.errand.lease_until, Some(at(70)));
        let unsure = begun().put_off("no answer", Sent::Maybe, at(3));
        assert!(matches!(unsure.go_on(at(4), at(70)), GoOn::Look(_)), "nobody has it");
        let refused = begun().put_off("too many", Sent::No, at(3));
        assert!(matches!(refused.go_on(at(4), at(70)), GoOn::Post(_)));
        let told = begun().done("1.2".parse().unwrap());
        assert_eq!(told.go_on(at(99), at(199)), GoOn::Told);
    }

    /// However the first two ended.
    #[test]
    fn the_third_try_is_the_last() {
        let died = |telling: Telling| match telling.go_on(at(1_000), at(1_035)) {
            GoOn::Look(claimed) => claimed,
            other => panic!("{other:?}"),
        };
        let failed = |telling: Telling| telling.put_off("no answer", Sent::Maybe, at(500));
        let second = [died(begun()), died(failed(begun()))];
        for second in second {
            assert!(!begun().is_last_try() && !second.is_last_try());
            let over = Errand { lease_until: Some(at(999)), ..second.errand.clone() };
            assert!(died(Telling { errand: over, ..second.clone() }).is_last_try());
            assert!(died(failed(second)).is_last_try());
        }
    }
}
