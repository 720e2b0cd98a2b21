//! One wish, done for each account of a list.

use jiff::{SignedDuration, Timestamp};

use super::kept;
use crate::{AccountId, DeliveryId, FlockName, JobId, Standing, Unit, Whom, Wish};

/// What is done for each account, and how far it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acts {
    /// What.
    pub wish: Wish,
    /// For whom.
    pub whom: Whom,
    /// Who pays what it costs.
    pub payer: FlockName,
    /// Whether one is done after the other, and not some side by side.
    pub one_by_one: bool,
    /// The last that was begun, in their order.
    pub cursor: Option<Unit>,
    /// Those before it that are tried again.
    pub waiting: Vec<Waiting>,
    /// How many are done.
    pub done: u64,
    /// How many were so already.
    pub already: u64,
    /// How many were refused.
    pub refused: u64,
    /// Of how many nobody knows, or which came to nothing however often they were tried.
    pub unknown: u64,
    /// What is said of those that are so now, a line each, as far as [`Acts::DONE`] goes.
    pub works: Vec<String>,
    /// What is said of those that were refused, as far as [`Acts::REFUSED`] goes.
    pub fails: Vec<String>,
    /// What is said of those that nobody knows of, as far as [`Acts::UNKNOWN`] goes.
    pub unsure: Vec<String>,
}

/// One that is tried again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// Which.
    pub unit: Unit,
    /// How often it was tried.
    pub tries: u32,
    /// Not before this time.
    pub at: Timestamp,
}

/// What came of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Came {
    /// It is so now.
    Done,
    /// It was so already.
    Already,
    /// Somebody else has to agree, who was asked.
    Requested,
    /// It cannot be.
    Refused {
        /// Why, and what to do.
        why: String,
    },
    /// It is not so, or nobody knows, and trying again can help.
    Later {
        /// What happened.
        why: String,
        /// When the network said to come back.
        not_before: Option<Timestamp>,
    },
    /// There was no time for it: it was not tried.
    NotYet,
}

/// What is to be done next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Turn {
    /// These.
    These(Vec<Unit>),
    /// Nothing before some time is over.
    Wait,
    /// Nothing.
    Over,
}

impl Came {
    /// The same where it is said of `unit`, without its account before the words: the line names it.
    #[must_use]
    pub fn said_of(self, unit: &Unit) -> Self {
        let of = format!("{}: ", unit.account);
        let without =
            |why: String| why.strip_prefix(&of).map_or_else(|| why.clone(), str::to_owned);
        match self {
            Self::Refused { why } => Self::Refused { why: without(why) },
            Self::Later { why, not_before } => Self::Later { why: without(why), not_before },
            Self::Done | Self::Already | Self::Requested | Self::NotYet => self,
        }
    }
}

impl Acts {
    /// So many lines are kept of those that are so.
    pub const DONE: usize = 20;

    /// So many lines are kept of those that were refused.
    pub const REFUSED: usize = 30;

    /// So many lines are kept of those that nobody knows of.
    pub const UNKNOWN: usize = 10;

    /// Bytes of a line, about; what is longer is cut, and says so.
    pub const LINE_BYTES: usize = 300;

    /// So many are done in one step, side by side where each is another account's.
    pub const STEP: usize = 8;

    /// How often each is tried.
    pub const TRIES: u32 = 5;

    /// So many wait at a time, with names of up to 600 bytes: what comes after them is not begun until there is room.
    const ROOM: usize = 32;

    /// What is to be waited for longer is given up: a cap that is reached, or a day's limit.
    const LONGEST_WAIT: SignedDuration = SignedDuration::from_hours(6);

    /// What nobody has begun.
    pub fn new(wish: Wish, whom: Whom, payer: FlockName, one_by_one: bool) -> Self {
        Self {
            wish,
            whom,
            payer,
            one_by_one,
            cursor: None,
            waiting: Vec::new(),
            done: 0,
            already: 0,
            refused: 0,
            unknown: 0,
            works: Vec::new(),
            fails: Vec::new(),
            unsure: Vec::new(),
        }
    }

    /// The one job of this kind for these at a time.
    pub fn job(wish: &Wish, whom: &Whom) -> JobId {
        JobId::of(&DeliveryId::of(&["act for", wish.name(), &whom.to_string()]))
    }

    /// How many are over.
    pub fn done(&self) -> u64 {
        let so = self.done.saturating_add(self.already);
        so.saturating_add(self.refused).saturating_add(self.unknown)
    }

    /// Where an account stands among all of them.
    pub fn standing(&self, account: &AccountId, accounts: &[AccountId]) -> Standing {
        let n = accounts.iter().position(|one| one == account).map_or(1, |at| at + 1);
        Standing { n, count: accounts.len().max(1), flock: self.payer.clone() }
    }

    /// Which of `units`, which are all in their order, is next.
    pub fn turn(&self, units: &[Unit], now: Timestamp) -> Turn {
        let most = if self.one_by_one { 1 } else { Self::STEP };
        let due = self.waiting.iter().filter(|waiting| waiting.at <= now);
        let mut these: Vec<_> = due.map(|waiting| waiting.unit.clone()).take(most).collect();
        let room = Self::ROOM.saturating_sub(self.waiting.len());
        let fresh = units.iter().filter(|unit| self.is_to_come(unit));
        these.extend(fresh.take(room.min(most - these.len())).cloned());
        if !these.is_empty() {
            Turn::These(these)
        } else if self.waiting.is_empty() {
            Turn::Over
        } else {
            Turn::Wait
        }
    }

    fn is_to_come(&self, unit: &Unit) -> bool {
        self.cursor.as_ref().is_none_or(|cursor| cursor < unit)
    }

    /// How far it is after a step. Whether that was the last says [`Acts::turn`].
    #[must_use]
    pub fn step(&self, came: &[(Unit, Came)], now: Timestamp) -> Self {
        let mut work = self.clone();
        for (unit, came) in came {
            let before = work.waiting.iter().position(|waiting| waiting.unit == *unit);
            let tries = before.map_or(0, |at| work.waiting.remove(at).tries);
            if work.is_to_come(unit) {
                work.cursor = Some(unit.clone());
            }
            match came {
                Came::Done => work.so(unit, "done"),
                Came::Requested => work.so(unit, "asked for; who is asked has to agree"),
                Came::Already => {
                    work.already = work.already.saturating_add(1);
                    keep(&mut work.works, Self::DONE, unit, "was so already");
                }
                Came::Refused { why } => {
                    work.refused = work.refused.saturating_add(1);
                    keep(&mut work.fails, Self::REFUSED, unit, why);
                }
                Came::Later { why, not_before } => {
                    work.later(unit, tries + 1, why, *not_before, now);
                }
                Came::NotYet => {
                    work.waiting.push(Waiting { unit: unit.clone(), tries, at: now });
                }
            }
        }
        work
    }

    fn so(&mut self, unit: &Unit, how: &str) {
        self.done = self.done.saturating_add(1);
        keep(&mut self.works, Self::DONE, unit, how);
    }

    /// Has it tried again, after a while that is doubled each time; or gives it up.
    fn later(
        &mut self,
        unit: &Unit,
        tries: u32,
        why: &str,
        not_before: Option<Timestamp>,
        now: Timestamp,
    ) {
        let wait = SignedDuration::from_mins(1 << tries.saturating_sub(1).min(8));
        let at = now.saturating_add(wait).unwrap_or(now).max(not_before.unwrap_or(now));
        let is_too_long = Self::LONGEST_WAIT < at.duration_since(now);
        if tries < Self::TRIES && !is_too_long {
            let at = Timestamp::from_second(at.as_second()).unwrap_or(at);
            self.waiting.push(Waiting { unit: unit.clone(), tries, at });
            return;
        }
        self.unknown = self.unknown.saturating_add(1);
        let why = if is_too_long {
            format!("{why}; that is too long to wait for, so ask for it again then")
        } else {
            format!("{why}; it was tried {tries} times, so ask for it again later")
        };
        keep(&mut self.unsure, Self::UNKNOWN, unit, &why);
    }
}

fn keep(lines: &mut Vec<String>, most: usize, unit: &Unit, what: &str) {
    if lines.len() < most {
        lines.push(kept(&format!("{unit}: {what}"), Acts::LINE_BYTES));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_795_262_400 + second).unwrap()
    }

    fn units(number: usize) -> Vec<Unit> {
        let account = |n: usize| Unit { account: format!("x:a{n}").parse().unwrap(), other: None };
        (0..number).map(account).collect()
    }

    fn acts(one_by_one: bool) -> Acts {
        let flock: FlockName = "moon".parse().unwrap();
        let wish = "profile bio Baa".parse().unwrap();
        Acts::new(wish, Whom::Flock(flock.clone()), flock, one_by_one)
    }

    fn later(not_before: Option<Timestamp>) -> Came {
        Came::Later { why: "it is away".to_owned(), not_before }
    }

    /// All of it, each as `came` says, with the steps it took and the seconds.
    fn through(
        mut work: Acts,
        number: usize,
        came: impl Fn(&Unit, i64) -> Came,
    ) -> (Acts, usize, i64) {
        let (all, mut steps, mut second) = (units(number), 0, 0);
        loop {
            match work.turn(&all, at(second)) {
                Turn::Over => return (work, steps, second),
                Turn::Wait => second += 60,
                Turn::These(these) => {
                    assert!(these.len() <= Acts::STEP && work.waiting.len() <= Acts::ROOM);
                    let came: Vec<_> =
                        these.into_iter().map(|unit| (unit.clone(), came(&unit, second))).collect();
                    work = work.step(&came, at(second));
                    steps += 1;
                }
            }
            assert!(steps < 10_000, "{work:?}");
        }
    }

    #[test]
    fn each_has_its_turn_once() {
        let (work, steps, seconds) = through(acts(false), 1_000, |_, _| Came::Done);
        assert_eq!((work.done, steps, seconds, work.works.len()), (1_000, 125, 0, Acts::DONE));
        let (work, steps, _) = through(acts(true), 10, |_, _| Came::Already);
        assert_eq!((work.already, steps), (10, 10));
        assert_eq!(work.works[0], "x:a0: was so already");
    }

    #[test]
    fn what_is_away_is_tried_again_so_often_and_holds_up_nobody() {
        let is_third = |unit: &Unit| unit.account.handle.as_str().ends_with('3');
        let (work, _, seconds) =
            through(
                acts(false),
                100,
                |unit, _| {
                    if is_third(unit) { later(None) } else { Came::Done }
                },
            );
        assert_eq!((work.done, work.unknown, work.waiting.len()), (90, 10, 0));
        // 1, 2, 4 and 8 minutes.
        assert_eq!(seconds, 15 * 60);
        assert_eq!(
            work.unsure[0],
            "x:a3: it is away; it was tried 5 times, so ask for it again later"
        );
        // It is back before that.
        let (work, ..) = through(acts(false), 100, |unit, second| {
            if is_third(unit) && second < 120 { later(Some(at(120))) } else { Came::Done }
        });
        assert_eq!((work.done, work.unknown), (100, 0));
        // All are away, more than there is room for.
        let (work, ..) = through(acts(false), 200, |_, _| later(None));
        assert_eq!(work.unknown, 200);
    }

    #[test]
    fn nobody_waits_for_the_next_month() {
        let (work, steps, _) = through(acts(false), 1, |_, _| later(Some(at(7 * 3_600))));
        assert_eq!((work.unknown, steps), (1, 1));
        assert_eq!(
            work.unsure[0],
            "x:a0: it is away; that is too long to wait for, so ask for it again then"
        );
    }

    #[test]
    fn a_step_that_is_made_again_counts_the_same() {
        let work = acts(false).step(&[(units(1)[0].clone(), later(None))], at(0));
        let came = [(units(1)[0].clone(), Came::Refused { why: "no\nway".to_owned() })];
        assert_eq!(work.step(&came, at(60)), work.step(&came, at(60)));
        assert_eq!(work.step(&came, at(60)).fails, ["x:a0: no way"]);
        let untried = work.step(&[(units(1)[0].clone(), Came::NotYet)], at(60));
        assert_eq!(untried.waiting, [Waiting { unit: units(1)[0].clone(), tries: 1, at: at(60) }]);
    }

    #[test]
    fn jobs_of_one_kind_and_target_are_one() {
        let moon = Whom::Flock("moon".parse().unwrap());
        let job = |wish: &str| Acts::job(&wish.parse().unwrap(), &moon);
        assert_eq!(job("follow x:a"), job("follow x:b"));
        assert_ne!(job("follow x:a"), job("unfollow x:a"));
        let account = Whom::Account("x:moon".parse().unwrap());
        assert_ne!(job("follow x:a"), Acts::job(&"follow x:a".parse().unwrap(), &account));
    }
}
