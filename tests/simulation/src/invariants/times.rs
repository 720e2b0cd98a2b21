//! When posts come, by the fields of the rhythm as people have written them.

use flock_core::{Network, RhythmFields};
use flock_store::Post;
use jiff::{
    SignedDuration, Span, Timestamp,
    civil::{Date, Time},
    tz::{AmbiguousOffset, TimeZone},
};

use super::posts::{End, untouched};
use crate::{scenario::Act, world::World};

/// How long after trouble posts may still be made up for.
const AFTERWARDS: SignedDuration = SignedDuration::from_hours(30);

/// A post of a sheep that nobody asked anything of is due at one of its times, in the zone that its files name, or within what
/// jitter and spread add; or so much later as something was the matter.
pub(crate) fn posts_come_at_their_local_times(world: &World, end: &End) {
    let calm = |post: &&&Post| !is_troubled(world, post.at);
    for (plan, sheep) in untouched(world, end) {
        let number = world.scenario.sheep.iter().position(|other| other.name == plan.name);
        let wiped = number.and_then(|number| world.known().wiped.get(&number).copied());
        // Where money is wanting, a post waits, and what comes after it is late.
        if plan.network == Network::X {
            continue;
        }
        // The parts of a thread come with its beginning.
        let posts: Vec<_> =
            end.posts_of(&sheep.id).iter().filter(|post| post.answers.is_none()).collect();
        // Who is wiped begins anew when somebody says so.
        let anew = world.known().seen.wipes.anew(&sheep.id).first().map(|anew| anew.number);
        let is_before = |post: &&Post| {
            wiped.is_none_or(|wiped| post.at < wiped)
                && anew.is_none_or(|anew| post.occurrence.0 < anew)
        };
        let posts: Vec<_> = posts.into_iter().filter(is_before).collect();
        let fields = &plan.rhythm;
        let zone = TimeZone::get(fields.time_zone.as_deref().unwrap_or("UTC"));
        let zone = zone.expect("the zone is there");
        for post in posts.iter().filter(calm) {
            if !is_at_its_time(fields, &zone, post.at) {
                world.broken("posts_come_at_their_local_times", || {
                    let at = post.at.to_zoned(zone.clone());
                    format!(
                        "post {} of {} is due at {at}, of {fields:?}",
                        post.occurrence, sheep.id
                    )
                });
            }
        }
        let Some(line) = fields.line.as_deref().filter(|_| fields.window.is_none()) else {
            continue;
        };
        let line = span(Some(line));
        for pair in posts.windows(2).filter(|pair| pair.iter().all(|post| calm(&post))) {
            let gap = pair[1].at.duration_since(pair[0].at);
            if added(fields) < (gap - line).abs() {
                world.broken("posts_come_at_their_local_times", || {
                    let numbers = (pair[0].occurrence, pair[1].occurrence);
                    format!("{} s lie between posts {numbers:?} of {}", gap.as_secs(), sheep.id)
                });
            }
        }
    }
}

/// Whether something was the matter then, or so shortly before that it is still being made up for.
fn is_troubled(world: &World, at: Timestamp) -> bool {
    let begins = world.scenario.begins;
    let faults = world.scenario.faults.iter();
    let mut faults = faults.map(|fault| (begins + fault.from, begins + fault.until + AFTERWARDS));
    let stops = |act: &Act| matches!(act, Act::Say(line) if line == "stop");
    let stopped = world.scenario.deeds.iter().find(|deed| stops(&deed.what));
    faults.any(|(from, until)| from <= at && at <= until)
        || stopped.is_some_and(|deed| begins + deed.at <= at)
}

fn is_at_its_time(fields: &RhythmFields, zone: &TimeZone, at: Timestamp) -> bool {
    let local = zone.to_datetime(at);
    if let Some(window) = &fields.window {
        let (from, until) = window.split_once('-').expect("a window");
        let (from, until) = (time(from), time(until));
        // What was planned at its end may come a little later.
        let latest = until.saturating_add(Span::try_from(added(fields)).expect("a short span"));
        return from <= local.time() && local.time() <= latest;
    }
    let dates = [local.date(), local.date().yesterday().unwrap_or(local.date())];
    let mut slots = dates.iter().flat_map(|date| slots(fields, zone, *date));
    fields.at.is_empty()
        || slots.any(|(from, until)| {
            from <= at && at <= until.saturating_add(added(fields)).unwrap_or(until)
        })
}

/// When the times of a day are: each an instant, but where the clocks go over it.
fn slots(fields: &RhythmFields, zone: &TimeZone, date: Date) -> Vec<(Timestamp, Timestamp)> {
    let day = date.strftime("%a").to_string().to_lowercase();
    if !fields.days.is_empty() && !fields.days.contains(&day) {
        return Vec::new();
    }
    let slot = |text: &String| {
        let there = zone.to_ambiguous_timestamp(date.to_datetime(time(text)));
        match there.offset() {
            AmbiguousOffset::Gap { .. } => Some((there.earlier().ok()?, there.later().ok()?)),
            _ => there.earlier().ok().map(|at| (at, at)),
        }
    };
    fields.at.iter().filter_map(slot).collect()
}

/// By how much a post may be later than planned.
fn added(fields: &RhythmFields) -> SignedDuration {
    span(fields.jitter.as_deref()) + span(fields.spread.as_deref())
}

/// So many minutes, such as `11m`.
fn span(text: Option<&str>) -> SignedDuration {
    let minutes = text.and_then(|text| text.strip_suffix('m')?.parse().ok());
    SignedDuration::from_mins(minutes.unwrap_or(0))
}

/// A time, such as `07:30`.
fn time(text: &str) -> Time {
    let (hour, minute) = text.split_once(':').expect("a time");
    let part = |part: &str| part.parse().expect("a number");
    Time::constant(part(hour), part(minute), 0, 0)
}
