//! Whether sheep may post where they are to: asked before a flock is changed or a sheep is moved.
//!
//! Knows what networks can do, forbid and limit, and what is known of accounts. Everything that stands
//! in the way is said at once, for a person. Knows nothing of where sheep and texts come from.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, hash_map::Entry},
    fmt,
    path::PathBuf,
    sync::Arc,
};

use crate::{
    AccountFacts, AccountId, Action, Ai, Cause, Charge, Corpus, Deed, Fingerprint, Flock, Network,
    Objection, Sheep, SheepConfig, SheepId, TextRefusal, Tier, Usd, Waivers, check_policies, count,
    text::and,
};

/// A sheep as it is to be, and its text.
#[derive(Debug, Clone)]
pub struct Member {
    /// The sheep.
    pub sheep: Sheep,
    /// Where its text is.
    pub text: Origin,
    /// Its text.
    pub corpus: Arc<Corpus>,
}

/// Where a text is, for people.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// In this file.
    File(PathBuf),
    /// Drawn from what is in this file; counted from 1.
    Drawn(PathBuf),
    /// In the table, as the text of this sheep; its lines are counted without blank ones.
    Of(SheepId),
}

impl Origin {
    /// How a problem with a line begins. The number 0 has what people added to what is in the file.
    pub fn at(&self, unit: &str, line: usize) -> String {
        match self {
            Self::File(_) if line == 0 => format!("a post added to {self}"),
            Self::File(_) => format!("{self}:{line}"),
            Self::Drawn(path) => format!("{unit} {line} drawn from {}", path.display()),
            Self::Of(_) => format!("{unit} {line} of {self}"),
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Drawn(path) => write!(f, "what is drawn from {}", path.display()),
            Self::Of(sheep) => write!(f, "the text of {sheep}"),
        }
    }
}

/// What is known of accounts that were added, and of every account of the meadow.
#[derive(Debug, Default)]
pub struct KnownAccounts {
    added: BTreeMap<AccountId, AccountFacts>,
    /// Those that were never added, with the account that was and differs in capitals alone.
    otherwise: BTreeMap<AccountId, AccountId>,
}

impl FromIterator<(AccountId, AccountFacts)> for KnownAccounts {
    fn from_iter<T: IntoIterator<Item = (AccountId, AccountFacts)>>(known: T) -> Self {
        Self { added: known.into_iter().collect(), otherwise: BTreeMap::new() }
    }
}

impl KnownAccounts {
    /// The same, with accounts that were never added, each with the one that was and differs from it in capitals alone.
    #[must_use]
    pub fn spelled(self, otherwise: impl IntoIterator<Item = (AccountId, AccountId)>) -> Self {
        Self { otherwise: otherwise.into_iter().collect(), ..self }
    }

    /// What is known of the account. `None`: it was never added.
    pub fn get(&self, id: &AccountId) -> Option<&AccountFacts> {
        if id.network == Network::Meadow { Some(&AccountFacts::MEADOW) } else { self.added.get(id) }
    }

    /// What is known of the account, or else what is expected of it.
    pub fn expected(&self, id: &AccountId) -> &AccountFacts {
        self.get(id).unwrap_or(&AccountFacts::EXPECTED)
    }
}

/// Whether we can do something through an account of a network and tier, or why not.
pub type Ability = fn(Network, Tier, Action) -> Result<(), String>;

/// What keeps `members` of `flock` from posting through their accounts, whoever else posts.
pub fn unfit(
    flock: &Flock,
    members: &[&Member],
    accounts: &KnownAccounts,
    able: Ability,
) -> Vec<Objection> {
    let mut groups: BTreeMap<(&AccountId, bool, &[Action]), Vec<&Member>> = BTreeMap::new();
    for member in members {
        let SheepConfig { account, made_with_ai, behaviour, .. } = &member.sheep.config;
        let group = (account, *made_with_ai, behaviour.actions());
        groups.entry(group).or_default().push(member);
    }
    let mut problems = Vec::new();
    // What is measured alike.
    let mut measured: BTreeMap<(Network, usize), Vec<&Member>> = BTreeMap::new();
    for ((account, made_with_ai, actions), members) in groups {
        let who = || members.iter().map(|member| &member.sheep.id);
        if accounts.get(account).is_none() {
            problems.push(match accounts.otherwise.get(account) {
                Some(other) => Objection::of(
                    who(),
                    format!("the account {account} was never added; {other} is: write it so"),
                ),
                None => Objection::never_added(who(), account),
            });
        }
        let (network, facts) = (account.network, accounts.expected(account));
        let why = cannot(network, facts, (actions, made_with_ai), &flock.waivers, able);
        problems.extend(why.into_iter().map(|why| Objection::of(who(), why).through(account)));
        // Of an account that is not there nobody knows.
        if network.facts().limits_vary && accounts.get(account).is_some() {
            measured.entry((network, facts.text_limit(network))).or_default().extend(members);
        }
    }
    for ((network, limit), members) in measured {
        let mut seen = BTreeSet::new();
        let members = members.into_iter().filter(|member| seen.insert(&member.text));
        problems.extend(members.flat_map(|member| lines_too_long(member, network, limit)));
    }
    problems
}

/// What of the texts of `members` is longer than usual on networks where that is for servers to say, where nobody knows yet what
/// the account's takes.
pub fn maybe_too_long(members: &[&Member], accounts: &KnownAccounts) -> Vec<Objection> {
    let unknown = members.iter().filter(|member| {
        let account = &member.sheep.config.account;
        account.network.facts().limits_vary && accounts.get(account).is_none()
    });
    unknown
        .filter_map(|member| {
            let account = &member.sheep.config.account;
            let facts = account.network.facts();
            let lines = long_lines(member, account.network, facts.text_limit);
            let (first, _) = lines.first()?;
            let unit = member.sheep.config.behaviour.unit();
            let (many, are) = (
                u64::try_from(lines.len()).unwrap_or(u64::MAX),
                if lines.len() == 1 { "is" } else { "are" },
            );
            let usual = format!(
                "longer than the {} {} that are usual on {}",
                facts.text_limit, facts.unit, facts.title
            );
            let known =
                "whether the account's server takes that is known when the account is added";
            let what = format!(
                "{} {are} {usual}, the first in {}; {known}",
                count(many, unit),
                member.text.at(unit, *first)
            );
            Some(
                Objection::of([&member.sheep.id], what)
                    .through(account)
                    .alike(format!("{unit}s are {usual}; {known}")),
            )
        })
        .collect()
}

/// What the network lacks or forbids, apart from texts.
fn cannot(
    network: Network,
    facts: &AccountFacts,
    (actions, made_with_ai): (&[Action], bool),
    waivers: &Waivers,
    able: Ability,
) -> Vec<String> {
    let able = actions.iter().map(|action| able(network, facts.tier, *action));
    let mut problems: Vec<_> = able.filter_map(Result::err).collect();
    let mark = network.check_action(facts.tier, Action::AiMark);
    let ai = match (made_with_ai, &mark) {
        (true, Ok(())) => Ai::Marked,
        (false, _) | (true, Err(_)) => Ai::No,
    };
    if let (true, Err(lacking)) = (made_with_ai, mark) {
        problems.push(format!("{lacking}; write made_with_ai = false for it"));
    }
    let deed = Deed { ai, ..deed(facts) };
    problems.extend(check_policies(network, &deed, waivers).map(|forbidden| forbidden.to_string()));
    problems
}

/// A post that a rhythm causes.
fn deed(account: &AccountFacts) -> Deed<'_> {
    Deed { action: Action::Post, cause: Cause::Rhythm, ai: Ai::No, account, same_text: None }
}

/// The rules an account breaks with every post, unless they are waived.
pub fn broken_by_account(network: Network, facts: &AccountFacts) -> Vec<String> {
    let nothing = Waivers::new();
    check_policies(network, &deed(facts), &nothing).map(|broken| broken.to_string()).collect()
}

/// Numbers of lines that are shown of many.
const SHOWN: usize = 5;

/// The lines of the member's text that `network` does not take, and why.
fn long_lines(member: &Member, network: Network, limit: usize) -> Vec<(usize, TextRefusal)> {
    // What people added is nowhere in the file; it is asked about by itself.
    let lines = member.corpus.lines().filter(|(number, _)| 0 < *number);
    let refused = lines.filter_map(|(number, line)| {
        network.check_text(line, limit).err().map(|refusal| (number, refusal))
    });
    refused.collect()
}

/// An objection to each line of the member's text that `network` does not take, or one to all where they are many.
pub fn lines_too_long(member: &Member, network: Network, limit: usize) -> Vec<Objection> {
    let do_this = member.sheep.config.behaviour.kind().for_long_texts();
    let alike = format!(
        "the text is longer by {network}'s counting than the {limit} {} that {network} takes{do_this}",
        network.facts().unit
    );
    let lines = long_lines(member, network, limit);
    let at = |number| member.text.at(member.sheep.config.behaviour.unit(), number);
    if let Some(more @ 1..) = lines.len().checked_sub(SHOWN) {
        let first = lines.iter().take(SHOWN).map(|(number, _)| at(*number));
        return vec![Objection::of(first, &*alike).and_more(more).alike(&*alike)];
    }
    let lines = lines.into_iter().map(|(number, refusal)| {
        let do_this = if refusal == TextRefusal::Empty { "" } else { do_this };
        Objection::of([at(number)], format!("{refusal}{do_this}")).alike(&*alike)
    });
    lines.collect()
}

/// A text, and who posts it on one network.
struct Said<'a> {
    text: &'a Origin,
    corpus: &'a Corpus,
    /// For each account the first of its sheep.
    by: BTreeMap<&'a AccountId, &'a SheepId>,
}

/// Lines that several accounts of one network would say, where it forbids that. `concerns` chooses the
/// sheep that are asked about.
pub fn said_twice(
    flock: &Flock,
    members: &[&Member],
    accounts: &KnownAccounts,
    concerns: impl Fn(&SheepId) -> bool,
) -> Vec<Objection> {
    let mut networks: BTreeMap<Network, BTreeMap<&SheepId, &Member>> = BTreeMap::new();
    for member in members {
        let account = &member.sheep.config.account;
        if forbids_same(account, accounts.expected(account), flock) {
            networks.entry(account.network).or_default().insert(&member.sheep.id, member);
        }
    }
    let mut problems = Vec::new();
    for members in networks.into_values() {
        let mut texts: Vec<Said<'_>> = Vec::new();
        let mut known = HashMap::new();
        for (id, member) in members {
            let index = *known.entry(member.corpus.id()).or_insert_with(|| {
                texts.push(Said {
                    text: &member.text,
                    corpus: &member.corpus,
                    by: BTreeMap::new(),
                });
                texts.len() - 1
            });
            if let Some(text) = texts.get_mut(index) {
                text.by.entry(&member.sheep.config.account).or_insert(id);
            }
        }
        // What is of `own`, too, and what is said of that where it is the same with many.
        let clash = |[what, alike]: [&str; 2],
                     (other, first): (&AccountId, &SheepId),
                     (own, id)| {
            let (account, id): (&AccountId, &SheepId) = (own, id);
            let facts = accounts.expected(account);
            let deed = Deed { same_text: Some(other), ..deed(facts) };
            let plain = Deed { same_text: None, ..deed };
            let plain: Vec<_> = check_policies(account.network, &plain, &flock.waivers).collect();
            let forbidden = check_policies(account.network, &deed, &flock.waivers)
                .find(|forbidden| plain.iter().all(|plain| plain.rule != forbidden.rule))?;
            let objection =
                Objection::of([id], format!("{what}, which {first} posts: {forbidden}"));
            Some(objection.through(account).alike(format!("{alike}: {forbidden}")))
        };
        for text in &texts {
            let mut by = text.by.iter();
            let Some((other, first)) = by.next() else { continue };
            for (own, id) in by.filter(|(_, id)| concerns(id) || concerns(first)) {
                let what = format!("every line of it is in {}, too", text.text);
                let alike = "every line of it is in the text of another, too";
                problems.extend(clash([&what, alike], (other, first), (own, id)));
            }
        }
        for (own, other, lines) in shared_lines(&texts) {
            let (Some(own), Some(other)) = (texts.get(own), texts.get(other)) else { continue };
            let pairs =
                own.by.iter().flat_map(|own| other.by.iter().map(move |other| (own, other)));
            let mut clashing = pairs.filter(|((own, _), (other, _))| own != other);
            let Some(((account, id), (other_account, first))) =
                clashing.find(|((_, id), (_, first))| concerns(id) || concerns(first))
            else {
                continue;
            };
            let are = if lines.len() == 1 { "is" } else { "are" };
            let lines = some_lines(&lines);
            let what = format!("{lines} of {} {are} in {}, too", own.text, other.text);
            let alike = "some of its lines are in the text of another, too";
            problems.extend(clash([&what, alike], (other_account, first), (account, id)));
        }
    }
    problems
}

/// Whether the network forbids to say what another account says.
pub fn forbids_same(account: &AccountId, facts: &AccountFacts, flock: &Flock) -> bool {
    let plain = deed(facts);
    let same = Deed { same_text: Some(account), ..plain };
    let broken = |deed: &Deed<'_>| check_policies(account.network, deed, &flock.waivers).count();
    broken(&plain) < broken(&same)
}

/// The lines that a text has in common with one before it, of which different accounts say one each: the two
/// texts and the lines' numbers in the first.
fn shared_lines(texts: &[Said<'_>]) -> Vec<(usize, usize, Vec<usize>)> {
    let mut first: HashMap<u128, usize> = HashMap::new();
    let mut shared: BTreeMap<(usize, usize), Vec<usize>> = BTreeMap::new();
    for (index, text) in texts.iter().enumerate() {
        for (number, line) in text.corpus.lines() {
            let Some(fingerprint) = fingerprint(line) else { continue };
            let other = match first.entry(fingerprint) {
                Entry::Vacant(entry) => {
                    entry.insert(index);
                    continue;
                }
                Entry::Occupied(entry) => *entry.get(),
            };
            let accounts: BTreeSet<_> =
                texts.get(other).iter().flat_map(|other| other.by.keys()).collect();
            if other != index && text.by.keys().any(|own| accounts.iter().any(|a| *a != own)) {
                shared.entry((index, other)).or_default().push(number);
            }
        }
    }
    shared.into_iter().map(|((own, other), lines)| (own, other, lines)).collect()
}

/// A fingerprint as a number, which takes a tenth of the room: there can be millions.
fn fingerprint(line: &str) -> Option<u128> {
    u128::from_str_radix(Fingerprint::of(line)?.as_str(), 16).ok()
}

/// What is said of the lines with these numbers.
fn some_lines(numbers: &[usize]) -> String {
    if let [number] = numbers {
        return format!("line {number}");
    }
    let shown: Vec<_> = numbers.iter().take(SHOWN).map(ToString::to_string).collect();
    match numbers.len().checked_sub(SHOWN).filter(|more| 0 < *more) {
        Some(more) => format!("lines {} and {more} more", shown.join(", ")),
        None => format!("lines {}", and(&shown)),
    }
}

/// What is said where a flock has no cap and its networks charge.
pub fn without_cap(flock: &Flock, sheep: &[&Sheep], cost: Usd) -> Option<Objection> {
    let network = sheep.iter().map(|sheep| sheep.config.account.network).find(|n| n.bills())?;
    let price = |link| (network.facts().price)(Charge::Post { link });
    flock.monthly_cap.is_none().then(|| {
        let title = network.facts().title;
        let charges = format!(
            "{title} charges {} for a post and {} with a link, {cost} in the next 30 days",
            price(false),
            price(true)
        );
        Objection::no_cap(&flock.name, charges)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{BehaviourKind, Occurrence, Rhythm, RhythmFields};

    fn able(network: Network, tier: Tier, action: Action) -> Result<(), String> {
        network.check_action(tier, action).map_err(|lacking| lacking.to_string())
    }

    const START: &str = "2026-11-21T12:00:00Z";

    /// Sheep by name, account and text, every hour.
    fn members(sheep: &[(&str, &str, &str)]) -> Vec<Member> {
        let fields = RhythmFields { line: Some("1h".to_owned()), ..RhythmFields::default() };
        let rhythm = Rhythm::parse(&fields).unwrap();
        let member = |(name, account, text): &(&str, &str, &str)| {
            let corpus = Arc::new(Corpus::parse(text.as_bytes()).unwrap());
            let behaviour = BehaviourKind::Poem.with_text(&corpus);
            let account = account.parse().unwrap();
            let config = SheepConfig::new(account, behaviour, rhythm.clone());
            let id = format!("choir/{name}").parse().unwrap();
            let sheep = Sheep::create(id, config, Occurrence(1), START.parse().unwrap()).unwrap();
            Member { sheep, text: Origin::File(format!("{name}.txt").into()), corpus }
        };
        sheep.iter().map(member).collect()
    }

    /// Accounts that are labelled and take so much.
    fn accounts(limits: &[(&str, Option<usize>)]) -> KnownAccounts {
        let facts = limits.iter().map(|(account, text_limit)| {
            let tier = Tier::Standard;
            let facts =
                AccountFacts { tier, labelled: true, text_limit: *text_limit, picture_bytes: None };
            (account.parse().unwrap(), facts)
        });
        facts.collect()
    }

    fn lines(objections: &[Objection]) -> String {
        objections.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    }

    fn flock() -> Flock {
        Flock::new("choir".parse().unwrap())
    }

    #[test]
    fn what_a_network_lacks_is_said_with_what_to_do() {
        let mut members = members(&[
            ("a", "bluesky:a.example.com", "one"),
            ("b", "mastodon:b@example.social", "one"),
            ("c", "x:c", "one"),
            ("d", "meadow:d", "one"),
        ]);
        for member in &mut members {
            member.sheep.config.made_with_ai = true;
        }
        let accounts = accounts(&[
            ("bluesky:a.example.com", None),
            ("mastodon:b@example.social", None),
            ("x:c", None),
        ]);
        let members: Vec<_> = members.iter().collect();
        insta::assert_snapshot!(lines(&unfit(&flock(), &members, &accounts, able)), @"
        choir/b (mastodon:b@example.social): Mastodon cannot mark posts as made with AI: it has no such mark; write made_with_ai = false for it
        choir/a (bluesky:a.example.com): Bluesky cannot mark posts as made with AI: it has no such mark; write made_with_ai = false for it
        ");
    }

    #[test]
    fn what_a_behaviour_wants_to_do_is_asked_of_network_and_tier() {
        let actions = [Action::Post, Action::Reply, Action::Quote, Action::Repost, Action::Like];
        let mut said = Vec::new();
        for network in Network::ALL {
            for tier in network.facts().tiers {
                let facts = AccountFacts { tier: *tier, ..AccountFacts::MEADOW };
                let waived =
                    network.facts().rules.iter().map(|rule| (rule.name.to_owned(), String::new()));
                let problems = cannot(network, &facts, (&actions, false), &waived.collect(), able);
                said.extend(problems.into_iter().map(|why| format!("{tier:?}: {why}")));
            }
        }
        insta::assert_snapshot!(said.join("\n"), @"
        Standard: The meadow cannot quote: bots only post there so far
        Standard: The meadow cannot repost: bots only post there so far
        Standard: The meadow cannot like: bots only post there so far
        Standard: X cannot quote: since 2026-04-20 for Enterprise customers only
        Standard: X cannot like: since 2026-04-20 for Enterprise customers only
        ");
    }

    #[test]
    fn lines_are_measured_by_the_account() {
        let text = format!("{}\n\n{}\n", "a".repeat(20), "b".repeat(21));
        let account = "mastodon:b@example.social";
        let members = members(&[("a", account, &text), ("b", account, &text)]);
        let members: Vec<_> = members.iter().collect();
        let said = |limit| lines(&unfit(&flock(), &members, &accounts(&[(account, limit)]), able));
        assert_eq!(said(None), "");
        assert_eq!(said(Some(21)), "");
        insta::assert_snapshot!(said(Some(20)), @"
        a.txt:3: the text is 21 characters long by mastodon's counting; mastodon takes 20; write split = true to make a thread of it, which cuts no link
        b.txt:3: the text is 21 characters long by mastodon's counting; mastodon takes 20; write split = true to make a thread of it, which cuts no link
        ");
    }

    #[test]
    fn very_many_long_lines_are_one_thing() {
        let text = format!("{}\n", "a".repeat(21)).repeat(100_000);
        let account = "mastodon:b@example.social";
        let names: Vec<_> = (0..10).map(|number| format!("s{number}")).collect();
        let sheep: Vec<_> = names.iter().map(|name| (name.as_str(), account, &*text)).collect();
        let members = members(&sheep);
        let members: Vec<_> = members.iter().collect();
        let found = unfit(&flock(), &members, &accounts(&[(account, Some(20))]), able);
        let said = lines(&Objection::grouped(found));
        insta::assert_snapshot!(said, @"s0.txt:1, s0.txt:2, s0.txt:3 and 999997 more: the text is longer by mastodon's counting than the 20 characters that mastodon takes; write split = true to make a thread of it, which cuts no link");
    }

    #[test]
    fn what_several_accounts_would_say_is_found() {
        let poem = "the moon\nthe sun\nthe rain\n";
        let members = members(&[
            ("a", "x:apollo", poem),
            ("b", "x:iris", poem),
            ("c", "x:apollo", "THE MOON!\nsomething else\nThe sun...\n"),
            ("d", "x:pan", "!\nthe snow\nsomething else\n"),
            // On other networks and by the same account it may be said.
            ("e", "x:pan", "the snow\n"),
            ("f", "mastodon:b@example.social", poem),
            ("g", "x:echo", "only here\n?\n"),
        ]);
        let known = ["x:apollo", "x:iris", "x:pan", "x:echo", "mastodon:b@example.social"];
        let accounts = accounts(&known.map(|account| (account, None)));
        let all: Vec<_> = members.iter().collect();
        let said = |flock: &Flock, concerns: fn(&SheepId) -> bool| {
            let said = said_twice(flock, &all, &accounts, concerns);
            let said: Vec<_> = said.iter().map(ToString::to_string).collect();
            let short = said.iter().filter_map(|said| Some(said.split_once(": against")?.0));
            short.collect::<Vec<_>>().join("\n")
        };
        insta::assert_snapshot!(said(&flock(), |_| true), @"
        choir/b (x:iris): every line of it is in a.txt, too, which choir/a posts
        choir/c (x:apollo): lines 1 and 3 of c.txt are in a.txt, too, which choir/b posts
        choir/d (x:pan): line 3 of d.txt is in c.txt, too, which choir/c posts
        ");
        assert_eq!(said(&flock(), |id| id.name.as_str() == "g"), "");
        assert_eq!(said(&flock(), |id| id.name.as_str() == "d").lines().count(), 1);
        let waivers = [("x-identical-text".to_owned(), "why".to_owned())].into();
        assert_eq!(said(&Flock { waivers, ..flock() }, |_| true), "");
    }
}
