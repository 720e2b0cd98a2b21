//! Holds: an expression is refused or means what it shows, and each firing is the first one later than the moment asked.
//!
//! Three lines: the expression, the seconds of the anchor and those of the moment.
#![no_main]

use jiff::{SignedDuration, Timestamp};
use libfuzzer_sys::fuzz_target;
use local_cloud::schedule::Schedule;

fuzz_target!(|text: &str| {
    let mut lines = text.splitn(3, '\n');
    let expression = lines.next().unwrap_or_default();
    let mut moment = || Timestamp::from_second(lines.next()?.parse().ok()?).ok();
    let anchor = moment().unwrap_or(Timestamp::UNIX_EPOCH);
    let mut after = moment().unwrap_or(anchor);
    let schedule: Schedule = match expression.parse() {
        Ok(schedule) => schedule,
        Err(err) => return assert!(!err.to_string().is_empty()),
    };
    assert_eq!(schedule.to_string().parse().as_ref(), Ok(&schedule));
    for _ in 0..20 {
        let Some(next) = schedule.next_after(anchor, after) else { return };
        assert!(after < next, "{schedule}: {next} is not after {after}, {anchor}");
        let half = (next.as_nanosecond() - after.as_nanosecond()) / 2;
        for moment in
            [after + SignedDuration::from_nanos_i128(half), next - SignedDuration::from_nanos(1)]
        {
            let found = schedule.next_after(anchor, moment);
            assert_eq!(found, Some(next), "{schedule} at {moment} and at {after}, {anchor}");
        }
        after = next;
    }
});
