//! When the schedules of a run fire, whatever becomes of the clock on the wall.
//!
//! Times are the wall's, so that a schedule fires at its minute. But that clock can be set, and a machine can
//! sleep; a clock that only goes on tells. What is planned by the calendar goes by the wall, and what keeps a distance by
//! the other. Knows nothing of functions and of waiting.

use std::time::Instant;

use jiff::{SignedDuration, Timestamp};

use crate::schedule::Schedule;

/// What both clocks may differ by until the wall's counts as set: time servers correct it in small steps.
const TOLERANCE: SignedDuration = SignedDuration::from_secs(1);

/// A calendar names no two times that are closer: where the clock was set back by less, its last time has been.
const CALENDAR: SignedDuration = SignedDuration::from_mins(1);

/// What a person is told of.
const WORTH_TELLING: SignedDuration = SignedDuration::from_mins(1);

/// All schedules of a run.
#[derive(Debug)]
pub struct Timetable {
    /// From where the distances are counted that have no start of their own.
    began: Timestamp,
    schedules: Vec<Timed>,
    /// The time on the wall when the other clock stood at `since`.
    wall: Timestamp,
    since: Instant,
}

#[derive(Debug)]
struct Timed {
    schedule: Schedule,
    /// When it fires next; none while it is being handled, and when it has no further time.
    due: Option<Timestamp>,
    /// The time that it fired for last, by the wall as it is now.
    fired: Option<Timestamp>,
    is_handled: bool,
}

impl Timetable {
    /// `schedules`, of which those that keep distances are due at once.
    pub fn new(schedules: Vec<Schedule>, now: Timestamp, instant: Instant) -> Self {
        let timed = schedules.into_iter().map(|schedule| {
            let due = schedule.first(now);
            Timed { schedule, due, fired: None, is_handled: false }
        });
        Self { began: now, schedules: timed.collect(), wall: now, since: instant }
    }

    /// Those that fire no more, as they stand in the template.
    pub fn ended(&self) -> impl Iterator<Item = &Schedule> {
        let ended = self.schedules.iter().filter(|timed| timed.due.is_none() && !timed.is_handled);
        ended.map(|timed| &timed.schedule)
    }

    /// When the next one fires, if none is added.
    pub fn due(&self) -> Option<Timestamp> {
        self.schedules.iter().filter_map(|schedule| schedule.due).min()
    }

    /// Keeps the distances when the clock on the wall, which shows `now`, was set. How far it went, if it did.
    ///
    /// Where it went back, every distance goes back with it: nothing is waited for longer than that. Of a calendar it is
    /// that time again, too. Where it went on, or the machine slept, what was due meanwhile is due now, once.
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
            self.began = back(self.began);
            for timed in &mut self.schedules {
                timed.fired = timed.fired.map(back);
                timed.due = match timed.due {
                    Some(due) if timed.schedule.keeps_distance() => Some(back(due)),
                    None if timed.is_handled => None,
                    _ => timed.next(self.began, now),
                };
            }
        }
        Some(went)
    }

    /// Those that are due at `at`, by their places. They have no next time until they are done.
    pub fn fire(&mut self, at: Timestamp) -> Vec<usize> {
        let due = |timed: &Timed| timed.due.is_some_and(|due| due <= at);
        let fired = self.schedules.iter_mut().enumerate().filter(|(_, timed)| due(timed));
        let fired = fired.map(|(place, timed)| {
            (timed.fired, timed.is_handled) = (timed.due.take(), true);
            place
        });
        fired.collect()
    }

    /// What the schedule at `place` fired is done at `now`.
    pub fn done(&mut self, place: usize, now: Timestamp) {
        let began = self.began;
        if let Some(timed) = self.schedules.get_mut(place) {
            timed.is_handled = false;
            timed.due = timed.next(began, now);
        }
    }
}

impl Timed {
    /// When it fires next. After a long invocation, one firing is enough.
    fn next(&self, began: Timestamp, now: Timestamp) -> Option<Timestamp> {
        let Some(fired) = self.fired else { return self.schedule.next_after(began, now) };
        if self.schedule.fires_once() {
            return None;
        }
        let just_before = SignedDuration::from_nanos(1);
        let apart = if self.schedule.keeps_distance() {
            SignedDuration::ZERO
        } else {
            CALENDAR - just_before
        };
        self.schedule.next_after(began, now.max(fired.saturating_add(apart).ok()?))
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

    use jiff::tz::TimeZone;
    use proptest::prelude::*;

    use super::*;
    use crate::schedule::Expression;

    const MINUTE: SignedDuration = SignedDuration::from_mins(1);

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn schedule(expression: &str, start: Option<&str>, end: Option<&str>) -> Schedule {
        let expression: Expression = expression.parse().unwrap();
        expression.within(TimeZone::UTC, start.map(at), end.map(at)).unwrap()
    }

    /// A machine with two clocks, as a run sees it.
    struct Machine {
        timetable: Timetable,
        wall: Timestamp,
        instant: Instant,
    }

    impl Machine {
        fn new(schedules: &[&str]) -> Self {
            Self::with(schedules.iter().map(|text| schedule(text, None, None)).collect())
        }

        fn with(schedules: Vec<Schedule>) -> Self {
            let (wall, instant) = (at("2026-11-26T12:00:30Z"), Instant::now());
            Self { timetable: Timetable::new(schedules, wall, instant), wall, instant }
        }

        /// When it fires next by the wall, if nothing happens.
        fn due(&mut self) -> Option<String> {
            self.timetable.keep_up(self.wall, self.instant);
            self.timetable.due().map(|due| due.to_string())
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
                self.timetable.done(*place, self.wall);
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
        machine.timetable.done(0, machine.wall);
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
    fn a_calendar_goes_by_the_wall() {
        let mut machine = Machine::new(&["cron(0 9 * * ? *)"]);
        assert_eq!(machine.due().unwrap(), "2026-11-27T09:00:00Z", "and not at once");
        // The machine sleeps over it: it fires when that is seen, once.
        machine.wall = at("2026-11-29T08:00:00Z");
        assert_eq!(machine.next(), (SignedDuration::ZERO, vec![0]));
        assert_eq!(machine.due().unwrap(), "2026-11-29T09:00:00Z");
        // Somebody sets the clock back: it is that time again sooner than it was.
        machine.wall = at("2026-11-26T08:59:00Z");
        assert_eq!(machine.next(), (MINUTE, vec![0]));
        assert_eq!(machine.due().unwrap(), "2026-11-27T09:00:00Z");
        // By an hour, also while it is handled.
        machine.wall = at("2026-11-27T09:00:00Z");
        machine.timetable.keep_up(machine.wall, machine.instant);
        assert_eq!(machine.timetable.fire(machine.wall), [0]);
        machine.wall -= SignedDuration::from_hours(1);
        assert_eq!(machine.due(), None);
        machine.timetable.done(0, machine.wall);
        assert_eq!(machine.due().unwrap(), "2026-11-27T09:00:00Z");
    }

    #[test]
    fn a_clock_that_was_a_little_ahead_repeats_nothing_of_a_calendar() {
        let mut machine = Machine::new(&["cron(0 9 * * ? *)", "cron(* * * * ? *)"]);
        machine.wall = at("2026-11-27T09:00:05Z");
        assert_eq!(machine.next(), (SignedDuration::ZERO, vec![0, 1]));
        machine.wall = at("2026-11-27T09:01:00Z");
        assert_eq!(machine.next(), (SignedDuration::ZERO, vec![1]));
        machine.wall = at("2026-11-28T09:00:05Z");
        assert_eq!(machine.next(), (SignedDuration::ZERO, vec![0, 1]));
        machine.wall = at("2026-11-28T08:59:40Z");
        assert_eq!(machine.due().unwrap(), "2026-11-28T09:00:00Z", "what was late comes again");
        machine.next();
        machine.wall -= SignedDuration::from_secs(30);
        assert_eq!(machine.due().unwrap(), "2026-11-28T09:01:00Z", "what was not does not");
        assert_eq!(machine.next().1, [1]);
    }

    #[test]
    fn what_fires_once_does_so_once() {
        let mut machine = Machine::new(&["at(2026-11-26T12:00:30)", "at(2026-11-26T13:00:00)"]);
        let ended: Vec<_> = machine.timetable.ended().map(ToString::to_string).collect();
        assert_eq!(ended, ["at(2026-11-26T12:00:30)"], "it has passed");
        machine.passes(SignedDuration::from_hours(2));
        assert_eq!(machine.next(), (SignedDuration::ZERO, vec![1]));
        assert_eq!(machine.due(), None);
        machine.wall = at("2026-11-26T11:00:00Z");
        assert_eq!(machine.due().unwrap(), "2026-11-26T12:00:30Z", "the other comes again");
        machine.next();
        assert_eq!((machine.due(), machine.timetable.ended().count()), (None, 2));
    }

    #[test]
    fn a_start_and_an_end_are_kept() {
        let (start, end) = (Some("2026-11-26T13:00:00Z"), Some("2026-11-26T13:20:00Z"));
        let mut machine = Machine::with(vec![
            schedule("rate(10 minutes)", start, end),
            schedule("cron(0/15 * * * ? *)", start, end),
        ]);
        let mut fired = Vec::new();
        while machine.timetable.due().is_some() {
            let places = machine.next().1;
            fired.push((machine.wall.strftime("%H:%M:%S").to_string(), places));
        }
        let expected = [
            ("13:00:00", vec![0, 1]),
            ("13:10:00", vec![0]),
            ("13:15:00", vec![1]),
            ("13:20:00", vec![0]),
        ];
        assert_eq!(fired, expected.map(|(time, places)| (time.to_owned(), places)));
        // A rate that began long ago counts from there, and one that has no start ends all the same.
        let mut machine = Machine::with(vec![
            schedule("rate(7 minutes)", Some("2026-11-26T12:00:00Z"), None),
            schedule("rate(1 hour)", None, Some("2026-11-26T12:00:00Z")),
        ]);
        assert_eq!(machine.due().unwrap(), "2026-11-26T12:07:00Z");
        machine.wall -= SignedDuration::from_mins(20);
        assert_eq!(machine.due().unwrap(), "2026-11-26T12:00:00Z");
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
