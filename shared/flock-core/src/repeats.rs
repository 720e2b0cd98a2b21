//! Posts that a network would refuse because their account has said the same a short while before.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    hash::{DefaultHasher, Hash as _, Hasher as _},
};

use jiff::{SignedDuration, Timestamp};

use crate::{
    AccountId, Cursor, Member, Needs, Objection, SheepId, UpcomingText, count, limits::span,
    preview,
};

/// How far ahead is looked.
const AHEAD: SignedDuration = SignedDuration::from_hours(24 * 30);

/// A post to come.
struct ToCome<'a> {
    at: Timestamp,
    /// What it says, as a number: there can be very many.
    text: u64,
    member: &'a Member,
    /// The line of its text.
    line: Option<u32>,
}

/// What `members` will post within what their network remembers of the same account, for each account. What is
/// repeated is set aside there, which nobody has to find out one by one.
pub fn repeats(members: &[&Member], now: Timestamp) -> Vec<Objection> {
    let mut accounts: BTreeMap<&AccountId, Vec<&Member>> = BTreeMap::new();
    for member in members {
        let account = &member.sheep.config.account;
        if account.network.facts().remembers.is_some() {
            accounts.entry(account).or_default().push(member);
        }
    }
    accounts
        .into_iter()
        .filter_map(|(account, members)| of_account(account, &members, now))
        .collect()
}

fn of_account(account: &AccountId, members: &[&Member], now: Timestamp) -> Option<Objection> {
    let remembers = account.network.facts().remembers?;
    let repeats = repeated(members, remembers, now);
    let first = repeats.first()?;
    let ids: BTreeSet<&SheepId> = repeats.iter().map(|post| &post.member.sheep.id).collect();
    let unit = first.member.sheep.config.behaviour.unit();
    let number =
        first.line.and_then(|line| first.member.corpus.lines().nth(usize::try_from(line).ok()?));
    let place =
        number.map(|(number, _)| format!(", the first in {}", first.member.text.at(unit, number)));
    let many = u64::try_from(repeats.len()).unwrap_or(u64::MAX);
    let (before, title) = (span(remembers), account.network.facts().title);
    let what = format!(
        "{} of the next 30 days would say what {account} said less than {before} before{}; {title} refuses that, and the sheep \
         leave it out, or stop after three of them in a row",
        count(many, "post"),
        place.unwrap_or_default(),
    );
    Some(Objection::of(ids, what).alike(format!(
        "posts of the next 30 days would say what their account said less than {before} before; {title} refuses that, and the \
         sheep leave them out, or stop after three in a row"
    )))
}

/// Their posts to come that say what one of them said less than `remembers` before, in order.
fn repeated<'a>(
    members: &[&'a Member],
    remembers: SignedDuration,
    now: Timestamp,
) -> Vec<ToCome<'a>> {
    let until = now.saturating_add(AHEAD).unwrap_or(Timestamp::MAX);
    let mut posts: Vec<_> = members.iter().flat_map(|member| to_come(member, now, until)).collect();
    posts.sort_by_key(|post| post.at);
    let mut said: HashMap<u64, Timestamp> = HashMap::new();
    // What is refused was not said.
    posts.retain(|post| match said.get(&post.text) {
        Some(before) if post.at.duration_since(*before) < remembers => true,
        _ => {
            said.insert(post.text, post.at);
            false
        }
    });
    posts
}

fn to_come(member: &Member, now: Timestamp, until: Timestamp) -> impl Iterator<Item = ToCome<'_>> {
    let behaviour = &member.sheep.config.behaviour;
    // A line is said many times, and no behaviour looks at the hour.
    let mut known: HashMap<(Cursor, u64), Option<u64>> = HashMap::new();
    preview(&member.sheep, member.corpus.marks(), now)
        .take_while(move |post| post.at < until)
        .filter_map(move |post| {
            let (text, line) = match post.what {
                UpcomingText::Decided(act) => (number(&act.to_string()), None),
                UpcomingText::At(turn) => {
                    let text = known.entry((turn.cursor, turn.seed)).or_insert_with(|| {
                        let material = member.corpus.material(&behaviour.needs(turn.cursor))?;
                        Some(number(&behaviour.say(turn, material).act.to_string()))
                    });
                    let Needs::Line { index, .. } = behaviour.needs(turn.cursor);
                    ((*text)?, Some(index))
                }
            };
            Some(ToCome { at: post.at.max(now), text, member, line })
        })
}

fn number(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;
    use crate::{
        BehaviourKind, Occurrence, Origin, Rhythm, RhythmFields, Sheep, SheepConfig, Source,
    };

    const NOW: &str = "2026-11-21T12:00:00Z";

    fn member(number: usize, (lines, minutes, stanza): (Vec<u8>, u32, u32), queue: bool) -> Member {
        let lines: Vec<_> = lines.iter().map(|line| format!("text {line}")).collect();
        let text = lines.join(if queue { "\n---\n" } else { "\n" });
        let (name, kind) =
            if queue { ("q.txt", BehaviourKind::Queue) } else { ("p.txt", BehaviourKind::Poem) };
        let source = Source {
            name,
            bytes: text.as_bytes(),
            zone: &jiff::tz::TimeZone::UTC,
            post: crate::Post::default(),
            split: false,
            skip: &[],
        };
        let (corpus, problems) = kind.read(&source);
        assert_eq!(problems, []);
        let corpus = Arc::new(corpus.unwrap());
        let fields = RhythmFields {
            line: Some(format!("{minutes}m")),
            stanza: (!queue).then(|| format!("{}m", minutes + stanza)),
            ..RhythmFields::default()
        };
        let rhythm = Rhythm::parse(&fields).unwrap();
        let account = "x:apollo".parse().unwrap();
        let config = SheepConfig::new(account, kind.with_text(&corpus), rhythm);
        let id = format!("choir/s{number}").parse().unwrap();
        let sheep = Sheep::create(id, config, Occurrence(1), NOW.parse().unwrap()).unwrap();
        Member { sheep, text: Origin::File(name.into()), corpus }
    }

    /// The same, as one would find it with pencil and paper: each post against all before it.
    fn simply(
        members: &[&Member],
        remembers: SignedDuration,
        now: Timestamp,
    ) -> Vec<(Timestamp, SheepId)> {
        let mut posts: Vec<(Timestamp, String, &Member)> = Vec::new();
        for member in members {
            for post in preview(&member.sheep, member.corpus.marks(), now) {
                if now + AHEAD <= post.at {
                    break;
                }
                let UpcomingText::At(turn) = post.what else { unreachable!("nothing is decided") };
                let needs = member.sheep.config.behaviour.needs(turn.cursor);
                let material = member.corpus.material(&needs).unwrap();
                let text = member.sheep.config.behaviour.say(turn, material).act.to_string();
                posts.push((post.at.max(now), text, member));
            }
        }
        posts.sort_by_key(|post| post.0);
        let mut said: Vec<(Timestamp, String)> = Vec::new();
        let mut repeated = Vec::new();
        for (at, text, member) in posts {
            let before = said.iter().rev().find(|(_, before)| *before == text);
            if before.is_some_and(|(before, _)| at.duration_since(*before) < remembers) {
                repeated.push((at, member.sheep.id.clone()));
            } else {
                said.push((at, text));
            }
        }
        repeated
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]
        #[test]
        fn no_repeat_is_missed(
            sheep in prop::collection::vec(
                ((prop::collection::vec(0_u8..12, 1..9), 20_u32..300, 0_u32..400), any::<bool>()),
                1..4,
            ),
        ) {
            let members = sheep.into_iter().enumerate();
            let members: Vec<_> =
                members.map(|(number, (fields, queue))| member(number, fields, queue)).collect();
            let members: Vec<_> = members.iter().collect();
            let (now, remembers) = (NOW.parse().unwrap(), SignedDuration::from_hours(6));
            let found = repeated(&members, remembers, now);
            let found: Vec<_> =
                found.iter().map(|post| (post.at, post.member.sheep.id.clone())).collect();
            prop_assert_eq!(found, simply(&members, remembers, now));
        }
    }
}
