//! Sheep that post at one time: told when a flock is planned, because nobody means it and everybody sees it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use crate::{
    AccountId, Marks, Sheep, SheepId, UpcomingText, preview,
    text::{FEW, local, named},
};

/// How far ahead is looked: a week, so that each day of it is there.
const AHEAD: SignedDuration = SignedDuration::from_hours(24 * 8);

/// So many posts of each sheep are looked at: enough to tell what comes again and again from what happens once.
const POSTS: usize = 24;

/// So many sheep at one second are told of, whatever their accounts: a tick makes them one after the other, and readers get all
/// at once.
const MANY: usize = 20;

/// Where sheep of a flock post at one time: of one account in one minute, or very many in one second. Only groups with one of
/// which `concerns` says so are told of.
pub fn crowded(
    sheep: &[(&Sheep, Marks)],
    now: Timestamp,
    concerns: impl Fn(&SheepId) -> bool,
) -> Vec<String> {
    let until = now.saturating_add(AHEAD).unwrap_or(Timestamp::MAX);
    let posts: Vec<(&Sheep, BTreeSet<i64>)> = sheep
        .iter()
        .map(|(sheep, marks)| {
            // A time that somebody chose is meant, and no rhythm moves it.
            let is_chosen = |what: &UpcomingText| match what {
                UpcomingText::Decided(_) => false,
                UpcomingText::At(turn) => marks.of(turn.cursor).at.is_some(),
            };
            let posts = preview(sheep, marks, now).take(POSTS);
            let posts = posts.filter(|post| !is_chosen(&post.what)).map(|post| post.at.max(now));
            (*sheep, posts.take_while(|at| *at < until).map(Timestamp::as_second).collect())
        })
        .collect();
    let mut accounts: BTreeMap<&AccountId, Vec<&(&Sheep, BTreeSet<i64>)>> = BTreeMap::new();
    for one in &posts {
        accounts.entry(&one.0.config.account).or_default().push(one);
    }
    // Each account with who crowds there and when first, by what pulls them apart.
    let mut crowds: BTreeMap<String, Vec<Crowd<'_>>> = BTreeMap::new();
    for (account, posts) in accounts {
        let by_minute = grouped(&posts, 60);
        let shared =
            |second: &&i64| by_minute.get(&(**second / 60)).is_some_and(|all| 1 < all.len());
        // What meets another now and then, as every 3 minutes and every 7 do, is no crowd.
        let crowd: Vec<_> = posts
            .iter()
            .filter(|(_, own)| {
                !own.is_empty() && own.len() <= 2 * own.iter().filter(shared).count()
            })
            .collect();
        let first = crowd.iter().filter_map(|(_, own)| own.iter().find(shared)).min();
        let (Some(first), true) = (first, crowd.iter().any(|(sheep, _)| concerns(&sheep.id)))
        else {
            continue;
        };
        let sheep: Vec<_> = crowd.iter().map(|(sheep, _)| *sheep).collect();
        let way = way_out(sheep.iter().copied());
        crowds.entry(way).or_default().push(Crowd { account, sheep, first: *first });
    }
    let mut told: Vec<_> =
        crowds.iter().flat_map(|(way, crowds)| in_one_minute(crowds, way)).collect();
    let all: Vec<_> = posts.iter().collect();
    let by_second = grouped(&all, 1);
    let fullest = by_second.iter().filter(|(_, all)| MANY <= all.len());
    let fullest = fullest.max_by_key(|(second, all)| (all.len(), std::cmp::Reverse(**second)));
    if let Some((second, all)) = fullest
        && all.iter().any(|sheep| concerns(&sheep.id))
    {
        let at = said(*second, all.iter().copied());
        let way = way_out(all.iter().copied());
        told.push(format!("{} sheep post in the same second, {at}; {way}", all.len()));
    }
    told
}

/// Sheep that post through one account in the same minutes, from this second on.
struct Crowd<'a> {
    account: &'a AccountId,
    sheep: Vec<&'a Sheep>,
    first: i64,
}

/// What is said of crowds that are pulled apart in one way.
fn in_one_minute(crowds: &[Crowd<'_>], way: &str) -> Vec<String> {
    let of = |crowds: &[Crowd<'_>], accounts: &str| {
        let sheep = || crowds.iter().flat_map(|crowd| crowd.sheep.iter().copied());
        let first = crowds.iter().min_by_key(|crowd| crowd.first)?;
        let at = said(first.first, first.sheep.iter().copied());
        let who = named(sheep().map(|sheep| &sheep.id));
        Some(format!("{who} post through {accounts} in the same minutes, first at {at}; {way}"))
    };
    if FEW < crowds.len() {
        let accounts = named(crowds.iter().map(|crowd| crowd.account));
        let accounts = format!("{accounts}, several through each,");
        return of(crowds, &accounts).into_iter().collect();
    }
    let each = crowds.iter().map(std::slice::from_ref);
    each.zip(crowds).filter_map(|(one, crowd)| of(one, &crowd.account.to_string())).collect()
}

/// Who posts in each time of so many seconds.
fn grouped<'a>(
    posts: &[&(&'a Sheep, BTreeSet<i64>)],
    seconds: i64,
) -> BTreeMap<i64, Vec<&'a Sheep>> {
    let mut groups: BTreeMap<i64, Vec<&Sheep>> = BTreeMap::new();
    for (sheep, own) in posts {
        let times: BTreeSet<_> = own.iter().map(|second| second.div_euclid(seconds)).collect();
        for time in times {
            groups.entry(time).or_default().push(sheep);
        }
    }
    groups
}

fn said<'a>(second: i64, mut sheep: impl Iterator<Item = &'a Sheep>) -> String {
    let at = Timestamp::from_second(second).unwrap_or_default();
    let zone = sheep.next().map(|sheep| sheep.config.rhythm.zone().clone());
    local(at, &zone.unwrap_or(jiff::tz::TimeZone::UTC))
}

/// What pulls them apart, as far as their rhythms let it.
fn way_out<'a>(sheep: impl Iterator<Item = &'a Sheep>) -> String {
    const USUAL: SignedDuration = SignedDuration::from_mins(10);
    // Within one minute nobody sees them apart.
    const SHORTEST: SignedDuration = SignedDuration::from_mins(2);
    let rhythms = sheep.map(|sheep| &sheep.config.rhythm);
    let (most, spread) = rhythms.fold((USUAL, SignedDuration::MAX), |(most, spread), rhythm| {
        (most.min(rhythm.most_spread()), spread.min(rhythm.spread()))
    });
    if most < SHORTEST {
        "give them times of their own, or a slower rhythm".to_owned()
    } else if spread.is_zero() {
        format!("`spread = \"{most:#}\"` pulls them apart")
    } else {
        "a longer `spread` pulls them apart".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{BehaviourKind, Occurrence, Rhythm, RhythmFields, SheepConfig};

    const START: &str = "2026-11-21T12:00:00Z";

    fn sheep(name: &str, account: &str, fields: &RhythmFields) -> Sheep {
        let corpus = "00112233445566778899aabbccddeeff".parse().unwrap();
        let poem = crate::Behaviour::Poem(crate::Poem::of_lines(corpus, 5));
        assert_eq!(poem.kind(), BehaviourKind::Poem);
        let rhythm = Rhythm::parse(fields).unwrap();
        let config = SheepConfig::new(account.parse().unwrap(), poem, rhythm);
        let id = format!("choir/{name}").parse().unwrap();
        Sheep::create(id, config, Occurrence(1), START.parse().unwrap()).unwrap()
    }

    #[track_caller]
    fn told(sheep: &[Sheep]) -> String {
        let timed: Vec<_> = sheep.iter().map(|sheep| (sheep, Marks::default())).collect();
        crowded(&timed, START.parse().unwrap(), |_| true).join("\n")
    }

    fn daily(spread: Option<&str>) -> RhythmFields {
        RhythmFields {
            at: vec!["09:00".to_owned()],
            time_zone: Some("Europe/Berlin".to_owned()),
            spread: spread.map(ToOwned::to_owned),
            ..RhythmFields::default()
        }
    }

    fn every(line: &str) -> RhythmFields {
        RhythmFields { line: Some(line.to_owned()), ..RhythmFields::default() }
    }

    #[test]
    fn sheep_of_one_account_in_one_minute_are_told_of() {
        let (a, b) = ("x:a", "x:b");
        let plain = daily(None);
        insta::assert_snapshot!(told(&[sheep("moss", a, &plain), sheep("tern", a, &plain), sheep("elm", b, &plain)]), @r#"choir/moss and choir/tern post through x:a in the same minutes, first at 2026-11-22 09:00:00 CET; `spread = "10m"` pulls them apart"#);
        assert_eq!(told(&[sheep("moss", a, &plain), sheep("tern", b, &plain)]), "");
        let mut later = plain.clone();
        later.at = vec!["09:01".to_owned()];
        assert_eq!(told(&[sheep("moss", a, &plain), sheep("tern", a, &later)]), "");
        // What begins together and goes on together; what meets now and then.
        insta::assert_snapshot!(told(&[sheep("moss", a, &every("1h")), sheep("tern", a, &every("2h"))]), @r#"choir/moss and choir/tern post through x:a in the same minutes, first at 2026-11-21 12:00:00 UTC; `spread = "10m"` pulls them apart"#);
        assert_eq!(told(&[sheep("moss", a, &every("3m")), sheep("tern", a, &every("7m"))]), "");
        let ways = ["5m", "1m"].map(|line| {
            let told = told(&[sheep("moss", a, &every(line)), sheep("tern", a, &every(line))]);
            told.rsplit_once("; ").unwrap().1.to_owned()
        });
        assert_eq!(ways[0], "`spread = \"5m\"` pulls them apart");
        assert_eq!(ways[1], "give them times of their own, or a slower rhythm");
        let spread = |name| sheep(name, a, &daily(Some("10m")));
        assert_eq!(told(&[spread("moss"), spread("tern"), spread("elm")]), "");
    }

    #[test]
    fn very_many_sheep_in_one_second_are_told_of() {
        let flock = |spread| -> Vec<Sheep> {
            let one = |n| sheep(&format!("s{n}"), &format!("meadow:s{n}"), &daily(spread));
            (0..40).map(one).collect()
        };
        insta::assert_snapshot!(told(&flock(None)), @r#"40 sheep post in the same second, 2026-11-22 09:00:00 CET; `spread = "10m"` pulls them apart"#);
        assert_eq!(told(&flock(Some("10m"))), "");
        insta::assert_snapshot!(told(&flock(Some("1s"))), @"40 sheep post in the same second, 2026-11-22 09:00:00 CET; a longer `spread` pulls them apart");
        assert_eq!(told(&flock(None)[..MANY - 1]), "");
    }

    #[test]
    fn only_what_is_new_is_told_of() {
        let sheep = [sheep("moss", "x:a", &daily(None)), sheep("tern", "x:a", &daily(None))];
        let timed: Vec<_> = sheep.iter().map(|sheep| (sheep, Marks::default())).collect();
        let told = |name: Option<&str>| {
            crowded(&timed, START.parse().unwrap(), |id| Some(id.name.as_str()) == name).len()
        };
        assert_eq!((told(Some("tern")), told(None)), (1, 0));
    }
}
