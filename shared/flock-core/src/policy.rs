//! What networks forbid bots, as rules that are checked when a flock is planned and before each post.
//!
//! A network's rules are in its file under `network/`. A flock can waive one in its file, with a reason,
//! which goes into the audit log: some rules have exceptions that only people can know of.

use std::collections::BTreeMap;

use crate::{AccountFacts, AccountId, Action, Network};

/// A rule of a network.
#[derive(Debug)]
pub struct Rule {
    /// Its name in files and messages.
    pub name: &'static str,
    /// What it asks, in one sentence.
    pub sentence: &'static str,
    /// Where the network says so.
    pub source: &'static str,
    /// What to do about it.
    pub remedy: &'static str,
    /// Whether it forbids a deed.
    pub forbids: fn(&Deed<'_>) -> bool,
}

/// What a sheep is about to do.
#[derive(Debug, Clone, Copy)]
pub struct Deed<'a> {
    /// What.
    pub action: Action,
    /// Why.
    pub cause: Cause,
    /// Who made the text.
    pub ai: Ai,
    /// The account it is done through.
    pub account: &'a AccountFacts,
    /// Another account that says the same text.
    pub same_text: Option<&'a AccountId>,
}

/// What makes a sheep do something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// Its rhythm.
    Rhythm,
    /// Somebody who steers it.
    Person,
    /// Somebody who steers many, and has all of them do it.
    Many,
    /// The person it turns to asked for it: mentioned, quoted or wrote to the account.
    Asked,
    /// A post that was found by a word.
    Found,
    /// Somebody followed the account.
    Followed,
    /// A topic many talk about.
    Trend,
}

/// Whether artificial intelligence made a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ai {
    /// It did not.
    No,
    /// It did, and the post says so.
    Marked,
    /// It did, and the post does not say so.
    Unmarked,
}

/// Rules a flock does not keep, by name, each with the reason.
pub type Waivers = BTreeMap<String, String>;

/// A rule forbids a deed.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
#[error("against {title}'s rule {rule}: {sentence} {detail}({source_link}) To do: {remedy}")]
pub struct Forbidden {
    /// The rule's name.
    pub rule: &'static str,
    title: &'static str,
    sentence: &'static str,
    detail: String,
    source_link: &'static str,
    remedy: &'static str,
}

/// Refuses what a rule of `network` forbids, unless it is waived.
pub fn check(network: Network, deed: &Deed<'_>, waivers: &Waivers) -> Result<(), Forbidden> {
    check_all(network, deed, waivers).next().map_or(Ok(()), Err)
}

/// Every rule of `network` that forbids the deed and is not waived.
pub fn check_all<'a>(
    network: Network,
    deed: &'a Deed<'_>,
    waivers: &'a Waivers,
) -> impl Iterator<Item = Forbidden> + 'a {
    let facts = network.facts();
    let is_broken = |rule: &&Rule| !waivers.contains_key(rule.name) && (rule.forbids)(deed);
    facts.rules.iter().filter(is_broken).map(|rule| {
        let same = deed
            .same_text
            .filter(|_| (rule.forbids)(&Deed { same_text: None, ..*deed }) != (rule.forbids)(deed));
        Forbidden {
            rule: rule.name,
            title: facts.title,
            sentence: rule.sentence,
            detail: same.map_or_else(String::new, |other| format!("{other} says it, too. ")),
            source_link: rule.source,
            remedy: rule.remedy,
        }
    })
}

/// The rules of all networks.
pub fn rules() -> impl Iterator<Item = &'static Rule> {
    Network::ALL.into_iter().flat_map(|network| network.facts().rules)
}

/// Another account says the same.
pub(crate) fn identical_text(deed: &Deed<'_>) -> bool {
    deed.action == Action::Post && deed.same_text.is_some()
}

/// The account does not say that it is a bot's. What is changed of its profile may be just that, and what it deletes nobody sees any
/// more.
pub(crate) fn unlabelled(deed: &Deed<'_>) -> bool {
    !deed.account.labelled && !matches!(deed.action, Action::Profile | Action::Delete)
}
