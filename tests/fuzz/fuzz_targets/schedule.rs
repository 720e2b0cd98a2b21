//! Holds: an expression is refused or means what it shows, and each firing is the first one later than the moment asked.
//!
//! Five lines: the expression, the seconds of the anchor and those of the moment, a zone, and the seconds of an end.
#![no_main]

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use libfuzzer_sys::fuzz_target;
use local_cloud::schedule::Expression;

fuzz_target!(|text: &str| {
    let mut lines = text.split('\n');
    let expression = lines.next().unwrap_or_default();
    let mut moment = || Timestamp::from_second(lines.next()?.parse().ok()?).ok();
    let anchor = moment().unwrap_or(Timestamp::UNIX_EPOCH);
    let mut after = moment().unwrap_or(anchor);
    let zone = lines.next().and_then(|name| TimeZone::get(name).ok()).unwrap_or(TimeZone::UTC);
    let end = lines.next().and_then(|end| Timestamp::from_second(end.parse().ok()?).ok());
    let expression: Expression = match expression.parse() {
        Ok(expression) => expression,
        Err(err) => return assert!(!err.to_string().is_empty()),
    };
    assert_eq!(expression.to_string().parse().as_ref(), Ok(&expression));
    let schedule = match expression.within(zone, None, end) {
        Ok(schedule) => schedule,
        Err(err) => return assert!(!err.to_string().is_empty()),
    };
    for _ in 0..20 {
        let Some(next) = schedule.next_after(anchor, after) else { return };
        assert!(after < next, "{schedule}: {next} is not after {after}, {anchor}");
        assert!(schedule.fires_once() || end.is_none_or(|end| next <= end), "{schedule}: {next}");
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
