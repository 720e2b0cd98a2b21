//! How much networks take of an account and of an app, and whether rhythms keep to it: asked before a flock is changed or a
//! sheep gets another account or rhythm.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp, tz::TimeZone};

use crate::{
    AccountId, Limit, LimitOf, Marks, Network, Objection, Sheep, SheepId, preview,
    text::{count, local},
};

/// How far ahead limits are looked at: the longest that networks have.
const AHEAD: SignedDuration = SignedDuration::from_hours(24);

/// A sheep and the marks of the lines of its text.
pub type Timed<S> = (S, Marks);

/// Where `sheep`, with `others` beside them, would pass what their networks take of an account or of an app.
pub fn too_many(
    sheep: &[Timed<&Sheep>],
    others: &[Timed<Sheep>],
    now: Timestamp,
) -> Vec<Objection> {
    // Schedules are in whole seconds.
    let now = Timestamp::from_second(now.as_second()).unwrap_or(now);
    let until = now.saturating_add(AHEAD).unwrap_or(Timestamp::MAX);
    let posts_of = |sheep: &Sheep, marks: &Marks| -> Vec<Timestamp> {
        let posts = preview(sheep, marks, now).map(|post| post.at.max(now));
        posts.take_while(|at| *at < until).collect()
    };
    let mut networks: BTreeMap<Network, Vec<(bool, &Sheep, &Marks)>> = BTreeMap::new();
    let own = sheep.iter().map(|(sheep, marks)| (true, *sheep, marks));
    let others = others.iter().map(|(sheep, marks)| (false, sheep, marks));
    for (is_own, sheep, marks) in own.chain(others) {
        networks.entry(sheep.config.account.network).or_default().push((is_own, sheep, marks));
    }
    let mut problems = Vec::new();
    for (network, sheep) in networks {
        let facts = network.facts();
        if facts.limits.is_empty() || !sheep.iter().any(|(is_own, ..)| *is_own) {
            continue;
        }
        let mut accounts: BTreeMap<&AccountId, (BTreeSet<&SheepId>, Vec<Timestamp>)> =
            BTreeMap::new();
        for (_, sheep, marks) in &sheep {
            let (ids, posts) = accounts.entry(&sheep.config.account).or_default();
            ids.insert(&sheep.id);
            posts.extend(posts_of(sheep, marks));
        }
        let ours: BTreeSet<_> =
            sheep.iter().filter(|own| own.0).map(|(_, sheep, _)| &sheep.config.account).collect();
        for (account, (ids, posts)) in &mut accounts {
            posts.sort_unstable();
            let limits = facts.limits.iter().filter(|limit| limit.of == LimitOf::Account);
            for limit in limits.filter(|_| ours.contains(account)) {
                if let Some((what, alike)) = passed(posts, limit, facts.title) {
                    let objection = Objection::of(ids.iter().copied(), what);
                    problems.push(objection.through(account).alike(alike));
                }
            }
        }
        let mut all: Vec<_> = accounts.into_values().flat_map(|(_, posts)| posts).collect();
        all.sort_unstable();
        for limit in facts.limits.iter().filter(|limit| limit.of == LimitOf::App) {
            let who = format!("all sheep on {} together", facts.title);
            problems.extend(
                passed(&all, limit, facts.title).map(|(what, _)| Objection::of([who], what)),
            );
        }
    }
    problems
}

/// What is said where `posts`, in order, pass the limit somewhere, and where the posts of many accounts do.
fn passed(posts: &[Timestamp], limit: &Limit, title: &str) -> Option<(String, String)> {
    let last = posts.iter().skip(limit.posts);
    let (from, _) =
        posts.iter().zip(last).find(|(first, last)| last.duration_since(**first) < limit.per)?;
    let within = |at: &&Timestamp| at.duration_since(*from) < limit.per;
    let made = posts.iter().filter(|at| from <= *at).take_while(within).count();
    let of = match limit.of {
        LimitOf::Account => "one account",
        LimitOf::App => "one app",
    };
    let (per, at) = (span(limit.per), local(*from, &TimeZone::UTC));
    let takes = format!("{title} takes {} of {of}; give them a slower rhythm", limit.posts);
    Some((
        format!("{made} posts in {per} from {at} on, but {takes}"),
        format!("more posts in {per} than {takes}"),
    ))
}

/// A length of time in its largest unit.
pub fn span(span: SignedDuration) -> String {
    let minutes = span.as_mins().unsigned_abs();
    if minutes.is_multiple_of(60) { count(minutes / 60, "hour") } else { count(minutes, "minute") }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: &str = "2026-11-21T12:00:00Z";

    #[test]
    fn windows_are_counted_wherever_they_begin() {
        let posts: Vec<Timestamp> = (0_i64..60)
            .map(|minute| START.parse::<Timestamp>().unwrap() + SignedDuration::from_mins(minute))
            .collect();
        let limit = |posts, minutes| Limit {
            posts,
            per: SignedDuration::from_mins(minutes),
            of: LimitOf::Account,
        };
        assert_eq!(passed(&posts, &limit(15, 15), "X"), None);
        insta::assert_snapshot!(passed(&posts, &limit(14, 15), "X").unwrap().0, @"15 posts in 15 minutes from 2026-11-21 12:00:00 UTC on, but X takes 14 of one account; give them a slower rhythm");
        assert_eq!(passed(&posts, &limit(60, 60), "X"), None);
        assert_eq!(passed(&[], &limit(1, 60), "X"), None);
        insta::assert_snapshot!(passed(&posts[30..], &limit(1, 60), "X").unwrap().0, @"30 posts in 1 hour from 2026-11-21 12:30:00 UTC on, but X takes 1 of one account; give them a slower rhythm");
    }
}
