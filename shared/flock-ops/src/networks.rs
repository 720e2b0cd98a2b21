//! What each network can do, takes, charges and forbids, from its facts alone.

use std::collections::BTreeMap;

use flock_core::{
    Action, Can, Charge, Facts, Idempotency, LimitOf, Network, PictureKind, Tier, Usd, span,
};
use serde::Serialize;

use crate::spend::dollars;

/// What accounts of a network and a tier can do, as one JSON line. The names are a promise to scripts.
#[derive(Debug, Serialize)]
pub struct NetworkLine {
    network: &'static str,
    tier: &'static str,
    /// "yes", "if ..." or "no: ...", by action.
    can: BTreeMap<String, String>,
    text_limit: usize,
    unit: &'static str,
    limits_vary: bool,
    limits: Vec<String>,
    /// In dollars, by what is charged.
    prices: BTreeMap<&'static str, f64>,
    /// The month in which this was read.
    as_of: &'static str,
}

impl NetworkLine {
    /// The lines for `network`, one for each tier.
    pub fn of(network: Network) -> impl Iterator<Item = Self> {
        let facts = network.facts();
        facts.tiers.iter().map(move |tier| Self {
            network: facts.name,
            tier: tier.name(),
            can: Action::ALL
                .into_iter()
                .map(|action| (action.to_string(), said((facts.can)(*tier, action))))
                .collect(),
            text_limit: facts.text_limit,
            unit: facts.unit,
            limits_vary: facts.limits_vary,
            limits: limits(facts),
            prices: CHARGES
                .into_iter()
                .map(|(what, charge)| (what, dollars((facts.price)(charge))))
                .collect(),
            as_of: facts.as_of,
        })
    }
}

fn said(can: Can) -> String {
    match can {
        Can::Yes => "yes".to_owned(),
        Can::If(condition) => format!("if {condition}"),
        Can::No(why) => format!("no: {why}"),
    }
}

/// What every network can do, one beside the other.
pub fn networks() -> String {
    let mut table: Vec<_> = network_rows().into_iter().map(row).collect();
    table.push(String::new());
    table.extend(NETWORKS_WORDS.map(str::to_owned));
    table.join("\n")
}

/// What the cells of [`network_rows`] mean.
pub const NETWORKS_WORDS: [&str; 2] = [
    "if: the network's own page says when. *: accounts have limits of their own.",
    "This is what networks let bots do; sheep post texts so far.",
];

/// What every network can do, cell by cell: a row of their names, and one for each thing, which has its name first.
pub fn network_rows() -> Vec<Vec<String>> {
    let columns: Vec<(Network, Tier)> = Network::ALL
        .into_iter()
        .flat_map(|network| network.facts().tiers.iter().map(move |tier| (network, *tier)))
        .collect();
    let row = |head: &str, cell: &dyn Fn(Network, Tier) -> String| -> Vec<String> {
        let cells = columns.iter().map(|(network, tier)| cell(*network, *tier));
        std::iter::once(head.to_owned()).chain(cells).collect()
    };
    let mut rows = vec![row("", &|network, tier| match tier {
        Tier::Standard => network.name().to_owned(),
        Tier::Enterprise => format!("{network} {}", tier.name()),
    })];
    rows.extend(Action::ALL.map(|action| {
        row(&action.to_string(), &|network, tier| match (network.facts().can)(tier, action) {
            Can::Yes => "yes".to_owned(),
            Can::If(_) => "if".to_owned(),
            Can::No(_) => "-".to_owned(),
        })
    }));
    rows.push(row("longest post", &|network, _| {
        let facts = network.facts();
        let more = if facts.limits_vary { "*" } else { "" };
        format!("{}{more}", facts.text_limit)
    }));
    rows.push(row("a post costs", &|network, _| {
        let price = (network.facts().price)(Charge::Post { link: false });
        if price == Usd::ZERO { "nothing".to_owned() } else { price.to_string() }
    }));
    rows
}

fn row(mut cells: Vec<String>) -> String {
    let head = cells.remove(0);
    let cells: Vec<_> = cells.iter().map(|cell| format!("{cell:<13}")).collect();
    format!("{head:<28}{}", cells.join(" ")).trim_end().to_owned()
}

/// Everything about one network.
pub fn network(network: Network) -> String {
    let facts = network.facts();
    let mut sections = vec![
        format!("{} (network = \"{}\")", facts.title, facts.name),
        section("accounts", vec![format!("written like {network}:{}", facts.account_example)]),
        section("can", actions(facts)),
        section("length", length(facts)),
        section("never twice", vec![idempotency(facts.idempotency).to_owned()]),
    ];
    if !facts.limits.is_empty() {
        sections.push(section("limits", limits(facts)));
    }
    sections.push(section("prices", prices(facts)));
    if !facts.pictures.kinds.is_empty() {
        sections.push(section("pictures", vec![pictures(facts)]));
    }
    if !facts.rules.is_empty() {
        sections.push(section("rules", rules(facts)));
    }
    sections.push(format!("As read in {}.", facts.as_of));
    sections.join("\n\n")
}

fn section(head: &str, lines: Vec<String>) -> String {
    let lines: Vec<_> =
        lines.into_iter().map(|line| format!("  {line}").trim_end().to_owned()).collect();
    format!("{head}\n{}", lines.join("\n"))
}

/// What accounts can do, tier by tier where that differs.
fn actions(facts: &Facts) -> Vec<String> {
    let mut lines = Vec::new();
    for action in Action::ALL {
        let name = action.to_string();
        let mut answers: Vec<(Vec<Tier>, String)> = Vec::new();
        for tier in facts.tiers {
            let answer = said((facts.can)(*tier, action));
            match answers.iter_mut().find(|(_, known)| *known == answer) {
                Some((tiers, _)) => tiers.push(*tier),
                None => answers.push((vec![*tier], answer)),
            }
        }
        let differs = 1 < answers.len();
        for (index, (tiers, answer)) in answers.into_iter().enumerate() {
            let head = if index == 0 { name.as_str() } else { "" };
            let tiers: Vec<_> = tiers.iter().map(|tier| tier.name()).collect();
            let of = if differs { format!("{}: ", tiers.join(", ")) } else { String::new() };
            lines.push(format!("{head:<27} {of}{answer}"));
        }
    }
    lines
}

/// How it counts, shown on what networks count differently.
fn length(facts: &Facts) -> Vec<String> {
    const SAMPLES: [(&str, &str); 5] = [
        ("a", "a"),
        ("é", "é"),
        ("猫", "猫"),
        ("👩‍👩‍👧", "👩‍👩‍👧 (a family of three)"),
        ("https://example.com/poems/of/the/meadow", "https://example.com/poems/of/the/meadow"),
    ];
    let vary =
        if facts.limits_vary { ", unless the account's server takes more or less" } else { "" };
    let mut lines = vec![format!("{} {}{vary}", facts.text_limit, facts.unit)];
    let counted = SAMPLES.map(|(text, shown)| {
        let length = (facts.measure)(text).length;
        format!("{length:>4} for {shown}")
    });
    lines.extend(counted);
    lines
}

fn idempotency(idempotency: Idempotency) -> &'static str {
    match idempotency {
        Idempotency::OwnName => "we name the post; the network refuses a second of that name",
        Idempotency::KeyAndLook => {
            "the request carries a key; because not every server heeds it, own posts are looked at when \
             no answer came"
        }
        Idempotency::Look => "nothing but looking at own posts when no answer came",
    }
}

fn limits(facts: &Facts) -> Vec<String> {
    let limits = facts.limits.iter().map(|limit| {
        let of = match limit.of {
            LimitOf::Account => "each account",
            LimitOf::App => "all accounts of an app together",
        };
        format!("{} posts in {} for {of}", limit.posts, span(limit.per))
    });
    limits.collect()
}

/// What is charged, as people call it.
const CHARGES: [(&str, Charge); 8] = [
    ("a post", Charge::Post { link: false }),
    ("a post with a link", Charge::Post { link: true }),
    ("a reply", Charge::Reply),
    ("a repost", Charge::Repost),
    ("a deletion", Charge::Delete),
    ("an own post that is read", Charge::OwnPosts(1)),
    ("a person that is looked up", Charge::Users(1)),
    ("an alternative text", Charge::AltText),
];

fn prices(facts: &Facts) -> Vec<String> {
    let prices = CHARGES.map(|(what, charge)| (what, (facts.price)(charge)));
    if prices.iter().all(|(_, price)| *price == Usd::ZERO) {
        return vec!["nothing".to_owned()];
    }
    prices.map(|(what, price)| format!("{what:<27} {price}")).to_vec()
}

fn pictures(facts: &Facts) -> String {
    let rules = facts.pictures;
    let kinds = rules.kinds.iter().map(|kind| match kind {
        PictureKind::Png => "PNG",
        PictureKind::Jpeg => "JPEG",
        PictureKind::Gif => "GIF",
        PictureKind::Webp => "WebP",
    });
    let kinds: Vec<_> = kinds.collect();
    let pixels =
        rules.most_pixels.map_or_else(String::new, |pixels| format!(" and {pixels} pixels"));
    format!(
        "{}, up to {} bytes{pixels}, with up to {} characters of alternative text",
        kinds.join(", "),
        rules.most_bytes,
        rules.most_alt_chars
    )
}

/// The rules. Which of them a sheep can break, plans say.
fn rules(facts: &Facts) -> Vec<String> {
    let rules = facts.rules.iter().flat_map(|rule| {
        [format!("{}: {}", rule.name, rule.sentence), format!("  {}", rule.source)]
    });
    let waive = "A flock can waive one with a reason: [waive] in its flock.toml.".to_owned();
    rules.chain([waive]).collect()
}
