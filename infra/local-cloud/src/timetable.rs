//! When the schedules of a run fire, whatever becomes of the clock on the wall.
//!
//! Times are the wall's, so that a schedule fires at its minute. But that clock can be set, and a machine can
//! sleep; a clock that only goes on tells. Knows nothing of functions and of waiting.

use std::time::Instant;

use jiff::{SignedDuration, Timestamp};

use crate::schedule::Schedule;

/// What both clocks may differ by until the wall's counts as set: time servers correct it in small steps.
const TOLERANCE: SignedDuration = SignedDuration::from_secs(1);

/// What a person is told of.
const WORTH_TELLING: SignedDuration = SignedDuration::from_mins(1);

/// All schedules of a run.
#[derive(Debug)]
pub struct Timetable {
    /// From where the distances are counted.
    start: Timestamp,
    schedules: Vec<Timed>,
    /// The time on the wall when the other clock stood at `since`.
    wall: Timestamp,
    since: Instant,
}

#[derive(Debug)]
struct Timed {
    every: Schedule,
    /// When it fires next; none while it is being handled.
    due: Option<Timestamp>,
    /// When it fired last.
    fired: Timestamp,
}

impl Timetable {
    /// `schedules`, all due at once.
    pub fn new(schedules: Vec<Schedule>, now: Timestamp, instant: Instant) -> Self {
        let schedules = schedules
            .into_iter()
            .map(|every| Timed { every, due: Some(now), fired: now })
            .collect();
        Self { start: now, schedules, wall: now, since: instant }
    }

    /// When the next one fires, if none is added.
    pub fn due(&self) -> Option<Timestamp> {
        self.schedules.iter().filter_map(|schedule| schedule.due).min()
    }

    /// Keeps the distances when the clock on the wall, which shows `now`, was set. How far it went, if it did.
    ///
    /// Where it went back, every schedule goes back with it: nothing is waited for longer than its distance.
    /// Where it went on, or the machine slept, what was due meanwhile is due now, once.
    pub fn keep_up(&mut self, now: Timestamp, instant: Instant) -> Option<SignedDuration> {
        let passed = SignedDuration::try_from(instant.saturating_duration_since(self.since));
        let expected = self.wall.saturating_add(passed.ok()?).ok()?;
        let went = now.duration_since(expected);
        if went.abs() < TOLERANCE {
            return None;
        }
        (self.wall, self.since) = (now, instant);
        if went.is_negative() {
            // Before the first moment there is, the moment itself will do.
            let back = |at: Timestamp| at.saturating_add(went).unwrap_or(Timestamp::MIN);
            self.start = back(self.start);
            for schedule in &mut self.schedules {
                schedule.due = schedule.due.map(back);
                schedule.fired = back(schedule.fired);
            }
        }
        Some(went)
    }

    /// Those that are due at `at`, by their places. They have no next time until they are done.
    pub fn fire(&mut self, at: Timestamp) -> Vec<usize> {
        let due = |schedule: &Timed| schedule.due.is_some_and(|due| due <= at);
        let fired = self.schedules.iter_mut().enumerate().filter(|(_, schedule)| due(schedule));
        let fired = fired.map(|(place, schedule)| {
            schedule.due = None;
            schedule.fired = at;
            place
        });
        fired.collect()
    }

    /// What the schedule at `place` fired is done at `now`. Whether it fires again.
    pub fn done(&mut self, place: usize, now: Timestamp) -> bool {
        let start = self.start;
        let schedule = self.schedules.get_mut(place);
        let next = schedule.and_then(|schedule| {
            // After a long invocation, one firing is enough.
            schedule.due = schedule.every.next_after(start, schedule.fired.max(now));
            schedule.due
        });
        next.is_some()
    }
}

/// What is said when the clock went so far.
pub fn told(went: SignedDuration) -> Option<String> {
    let by = went.abs();
    if by < WORTH_TELLING {
        return None;
    }
    let by = SignedDuration::from_secs(by.as_secs());
    Some(if went.is_negative() {
        format!(
            "The clock of this machine went back {by:#}. Schedules go on as before; what is planned for \
             later waits until it is that time again."
        )
    } else {
        format!(
            "The clock of this machine went {by:#} ahead, or the machine slept. Schedules go on from here; \
             what was planned meanwhile counts as missed."
        )
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    const MINUTE: SignedDuration = SignedDuration::from_mins(1);

    /// A machine with two clocks, as a run sees it.
    struct Machine {
        timetable: Timetable,
        wall: Timestamp,
        instant: Instant,
    }

    impl Machine {
        fn new(schedules: &[&str]) -> Self {
            let wall = "2026-11-26T12:00:30Z".parse().unwrap();
            let schedules = schedules.iter().map(|every| every.parse().unwrap()).collect();
            let instant = Instant::now();
            Self { timetable: Timetable::new(schedules, wall, instant), wall, instant }
        }

        fn passes(&mut self, time: SignedDuration) {
            self.wall += time;
            self.instant += Duration::try_from(time).unwrap();
        }

        /// Goes on until something is due, and is done with it at once. How long it waited, and what fired.
        fn next(&mut self) -> (SignedDuration, Vec<usize>) {
            self.timetable.keep_up(self.wall, self.instant);
            let due = self.timetable.due().unwrap();
            let left = due.duration_since(self.wall).max(SignedDuration::ZERO);
            self.passes(left);
            let fired = self.timetable.fire(self.wall);
            for place in &fired {
                assert!(self.timetable.done(*place, self.wall));
            }
            (left, fired)
        }
    }

    #[test]
    fn a_clock_that_goes_back_holds_nothing_up() {
        let mut machine = Machine::new(&["rate(1 minute)"]);
        assert_eq!(machine.next(), (SignedDuration::ZERO, vec![0]));
        assert_eq!(machine.next(), (MINUTE, vec![0]));
        machine.passes(SignedDuration::from_secs(20));
        machine.wall -= SignedDuration::from_hours(2);
        assert_eq!(machine.next(), (SignedDuration::from_secs(40), vec![0]));
        assert_eq!(machine.next(), (MINUTE, vec![0]));
        // While it is being handled.
        machine.passes(MINUTE);
        assert_eq!(machine.timetable.fire(machine.wall), [0]);
        machine.wall -= SignedDuration::from_hours(48);
        machine.timetable.keep_up(machine.wall, machine.instant);
        assert!(machine.timetable.done(0, machine.wall));
        assert_eq!(machine.next(), (MINUTE, vec![0]));
    }

    #[test]
    fn a_clock_that_goes_ahead_fires_once() {
        let mut machine = Machine::new(&["rate(1 minute)", "rate(1 hour)"]);
        assert_eq!(machine.next(), (SignedDuration::ZERO, vec![0, 1]));
        machine.wall += SignedDuration::from_hours(5);
        assert_eq!(machine.next(), (SignedDuration::ZERO, vec![0, 1]));
        assert_eq!(machine.next(), (MINUTE, vec![0]));
    }

    #[test]
    fn small_corrections_are_not_told() {
        let mut machine = Machine::new(&["rate(1 minute)"]);
        machine.next();
        let mut went = |by: SignedDuration| {
            machine.wall += by;
            machine.timetable.keep_up(machine.wall, machine.instant).and_then(told)
        };
        assert_eq!(went(SignedDuration::from_millis(-900)), None);
        assert_eq!(went(SignedDuration::from_secs(-30)), None);
        insta::assert_snapshot!(went(SignedDuration::from_secs(-7_265)).unwrap(), @"The clock of this machine went back 2h 1m 5s. Schedules go on as before; what is planned for later waits until it is that time again.");
        insta::assert_snapshot!(went(SignedDuration::from_hours(8)).unwrap(), @"The clock of this machine went 8h ahead, or the machine slept. Schedules go on from here; what was planned meanwhile counts as missed.");
        assert_eq!(went(SignedDuration::ZERO), None, "it is said once");
    }

    proptest! {
        /// By the clock that only goes on, a schedule fires at its distance at the latest, and no two firings of
        /// one follow each other at once, unless the clock on the wall went ahead between them.
        #[test]
        fn distances_are_kept_however_the_clock_is_set(
            sets in prop::collection::vec((0_i64..300, -100_000_i64..100_000), 1..60),
        ) {
            let periods = [MINUTE, SignedDuration::from_mins(7), SignedDuration::from_hours(1)];
            let mut machine = Machine::new(&["rate(1 minute)", "rate(7 minutes)", "rate(1 hour)"]);
            let mut last = [machine.instant; 3];
            // After it went ahead one comes at once, and the next at its time.
            let mut went_ahead = [2_i32; 3];
            for (seconds, went) in sets {
                let until = machine.instant + Duration::from_secs(seconds.unsigned_abs());
                loop {
                    machine.timetable.keep_up(machine.wall, machine.instant);
                    let due = machine.timetable.due().unwrap().duration_since(machine.wall);
                    let due = Duration::try_from(due).unwrap_or_default();
                    if until < machine.instant + due {
                        break;
                    }
                    let (_, fired) = machine.next();
                    for place in fired {
                        let passed = machine.instant.duration_since(last[place]);
                        let period = Duration::try_from(periods[place]).unwrap();
                        prop_assert!(passed <= period + Duration::from_secs(1), "{place}: {passed:?}");
                        let early = passed + Duration::from_secs(1) < period;
                        prop_assert!(!early || 0 < went_ahead[place], "{place}: {passed:?}");
                        last[place] = machine.instant;
                        went_ahead[place] -= 1;
                    }
                }
                machine.passes(SignedDuration::try_from(until - machine.instant).unwrap());
                machine.wall += SignedDuration::from_secs(went);
                if 0 < went {
                    went_ahead = [2; 3];
                }
            }
        }
    }
}
