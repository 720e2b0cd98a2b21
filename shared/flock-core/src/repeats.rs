//! Posts that a network would refuse because their account has said the same a short while before.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    hash::{DefaultHasher, Hash as _, Hasher as _},
};

use jiff::{SignedDuration, Timestamp};

use crate::{AccountId, Member, Objection, SheepId, UpcomingText, count, limits::span, preview};

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
    let until = now.saturating_add(AHEAD).unwrap_or(Timestamp::MAX);
    let mut posts: Vec<_> = members.iter().flat_map(|member| to_come(member, now, until)).collect();
    posts.sort_by_key(|post| post.at);
    let mut said: HashMap<u64, Timestamp> = HashMap::new();
    // What is refused was not said.
    let repeats: Vec<_> = posts
        .iter()
        .filter(|post| match said.get(&post.text) {
            Some(before) if post.at.duration_since(*before) < remembers => true,
            _ => {
                said.insert(post.text, post.at);
                false
            }
        })
        .collect();
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

fn to_come(member: &Member, now: Timestamp, until: Timestamp) -> impl Iterator<Item = ToCome<'_>> {
    let behaviour = &member.sheep.config.behaviour;
    preview(&member.sheep, member.corpus.times(), now)
        .take_while(move |post| post.at < until)
        .filter_map(move |post| {
            let (text, line) = match post.what {
                UpcomingText::Decided(text) => (text, None),
                UpcomingText::At(turn) => {
                    let material = member.corpus.material(&behaviour.needs(turn.cursor))?;
                    (behaviour.say(turn, material).act.to_string(), Some(turn.cursor.index()))
                }
            };
            let mut hasher = DefaultHasher::new();
            text.hash(&mut hasher);
            Some(ToCome { at: post.at.max(now), text: hasher.finish(), member, line })
        })
}
