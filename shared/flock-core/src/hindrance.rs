//! What keeps sheep from posting, each thing once, however many sheep it keeps; and that nothing sees to them at all.

use std::{collections::BTreeMap, fmt};

use jiff::{SignedDuration, Timestamp};

use crate::{Sheep, SheepId, State, named, text::FEW};

/// Sheep that the same keeps from posting.
#[derive(Debug)]
pub struct Hindrance<'a> {
    /// Whether they stopped, until somebody acts.
    pub is_stopped: bool,
    /// What it is, without what is to be done about one of the sheep then.
    pub why: &'a str,
    /// Whom; at least one.
    pub sheep: Vec<&'a Sheep>,
}

impl<'a> Hindrance<'a> {
    /// Those of `sheep`. What is said names a sheep and its account: what keeps others of the account is the same, and where it is
    /// the like with many accounts, they are not told one by one.
    pub fn of(sheep: impl IntoIterator<Item = &'a Sheep>) -> Vec<Self> {
        let mut found: BTreeMap<(bool, String), Self> = BTreeMap::new();
        for sheep in sheep {
            if let Some(why) = sheep.problem() {
                let is_stopped = matches!(sheep.state, State::Stopped { .. });
                let why = reason(&sheep.id, why);
                let key = (is_stopped, why.replace(&sheep.id.to_string(), ""));
                let new = || Self { is_stopped, why, sheep: Vec::new() };
                found.entry(key).or_insert_with(new).sheep.push(sheep);
            }
        }
        let mut alike: BTreeMap<(bool, String), Vec<Self>> = BTreeMap::new();
        for ((is_stopped, why), found) in found {
            let account = found.sheep.first().map(|sheep| sheep.config.account.to_string());
            let kind = account.map_or_else(|| why.clone(), |account| why.replace(&account, ""));
            alike.entry((is_stopped, kind)).or_default().push(found);
        }
        let one = |kind: Vec<Self>| match kind.first() {
            Some(Self { is_stopped, why, .. }) if FEW < kind.len() => {
                let (is_stopped, why) = (*is_stopped, *why);
                let sheep = kind.into_iter().flat_map(|found| found.sheep).collect();
                vec![Self { is_stopped, why, sheep }]
            }
            _ => kind,
        };
        alike.into_values().rev().flat_map(one).collect()
    }

    /// Some of the sheep, and how many more there are.
    pub fn who(&self) -> String {
        named(self.sheep.iter().map(|sheep| &sheep.id))
    }
}

impl fmt::Display for Hindrance<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let how = match (self.is_stopped, self.sheep.len()) {
            (true, 1) => " has stopped",
            (true, _) => " have stopped",
            (false, _) => "",
        };
        write!(f, "{}{how}: {}", self.who(), self.why)
    }
}

/// Why a sheep has stopped, without what is to be done about that sheep then.
pub fn reason<'a>(sheep: &SheepId, why: &'a str) -> &'a str {
    why.strip_suffix(&format!(", then resume {sheep}")).unwrap_or(why)
}

/// A sheep that is due and that no tick has seen to: then the schedule is off, or every tick fails.
#[derive(Debug, Clone, Copy)]
pub struct Overdue<'a> {
    /// The one that waits for the longest time.
    pub sheep: &'a Sheep,
    /// Since when.
    pub since: Timestamp,
}

impl<'a> Overdue<'a> {
    /// Ticks come once a minute, at any second of it, and one may wait for another that is at the same sheep.
    const LATE: SignedDuration = SignedDuration::from_mins(5);

    /// The one of `sheep`, if there is one. Where everything is stopped, there is no wonder.
    pub fn of(sheep: impl IntoIterator<Item = &'a Sheep>, now: Timestamp) -> Option<Self> {
        // What people gave a time may have had it long before the sheep was there, which no tick may have seen yet.
        let is_new = |sheep: &Sheep| sheep.version == 1 && sheep.progress.at.is_some();
        let is_sure = |sheep: &&Sheep| !sheep.is_leased(now) && !is_new(sheep);
        let due = sheep.into_iter().filter(is_sure);
        let due = due.filter_map(|sheep| Some(Self { sheep, since: sheep.next_at()? }));
        let first = due.min_by_key(|due| due.since)?;
        (Self::LATE < now.duration_since(first.since)).then_some(first)
    }

    /// What is said of it, with the sheep and the time as people of a door read them.
    pub fn said(&self, sheep: impl fmt::Display, since: impl fmt::Display) -> String {
        format!("nothing is at work: {sheep} is due since {since}, and no tick has seen to it")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Behaviour, Due, Occurrence, Outcome, Poem, Rhythm, RhythmFields, SheepConfig, TableId,
    };

    const START: &str = "2026-11-21T12:00:00Z";

    fn sheep(name: &str, account: &str) -> Sheep {
        let fields = RhythmFields { line: Some("1h".to_owned()), ..RhythmFields::default() };
        let corpus = "00112233445566778899aabbccddeeff".parse().unwrap();
        let poem = Behaviour::Poem(Poem::of_lines(corpus, 5));
        let config =
            SheepConfig::new(account.parse().unwrap(), poem, Rhythm::parse(&fields).unwrap());
        let id = format!("choir/{name}").parse().unwrap();
        Sheep::create(id, config, Occurrence(1), START.parse().unwrap()).unwrap()
    }

    fn stopped(name: &str, account: &str) -> Sheep {
        let now: Timestamp = START.parse().unwrap();
        let sheep = sheep(name, account);
        let Due::Post(next) = sheep.due(now) else { panic!("it is due") };
        let claimed = sheep.claim(next, crate::Act::post("a"), &TableId::from_random([7; 16]), now);
        let why = format!("{account}: suspended; appeal, then resume choir/{name}");
        claimed.settle(&Outcome::Refused { why }, now)
    }

    #[test]
    fn what_keeps_many_is_said_once() {
        let said = |sheep: &[Sheep]| -> Vec<String> {
            let found = Hindrance::of(sheep);
            found.iter().map(|found| format!("{}: {}", found.who(), found.why)).collect()
        };
        let three = ["a", "b", "c"].map(|name| stopped(name, "x:one"));
        assert_eq!(said(&three), ["choir/a, choir/b and choir/c: x:one: suspended; appeal"]);
        let each = |count: usize| -> Vec<_> {
            (0..count).map(|n| stopped(&format!("s{n:03}"), &format!("x:s{n:03}"))).collect()
        };
        assert_eq!(said(&each(FEW)).len(), FEW);
        assert_eq!(
            said(&each(500)),
            ["choir/s000, choir/s001, choir/s002 and 497 more: x:s000: suspended; appeal"]
        );
    }

    #[test]
    fn what_is_due_for_long_is_overdue() {
        let later =
            |minutes| START.parse::<Timestamp>().unwrap() + SignedDuration::from_mins(minutes);
        let mut other = sheep("b", "x:b");
        let sheep = sheep("a", "meadow:a");
        let overdue = |minutes| {
            Overdue::of([&other, &sheep], later(minutes)).map(|found| found.sheep.id.to_string())
        };
        assert_eq!((overdue(5), overdue(6).as_deref()), (None, Some("choir/b")));
        let Due::Post(next) = other.due(later(6)) else { panic!("it is due") };
        // Somebody is at it.
        other = other.claim(next, crate::Act::post("a"), &TableId::from_random([7; 16]), later(9));
        assert_eq!(Overdue::of([&other], later(6)).map(|found| found.since), None);
    }
}
