//! Why a post was made, and why it says what it says.

use flock_core::{
    Charge, Corpus, Flock, Made, Material, NearDuplicates, Network, Occurrence, Sheep, SheepId,
    count, local, one_line, quoted,
};
use flock_store::{Post, PostState, Read, Store};
use jiff::{Timestamp, tz::TimeZone};
use serde::Serialize;

use crate::{Error, Result};

/// A post, and what is known of why.
#[derive(Debug)]
pub struct Why {
    post: Post,
    /// As it is now; its sheep may be there no more.
    sheep: Option<Sheep>,
    flock: Flock,
    again: Again,
}

/// What comes of making a post again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Again {
    /// The same text.
    Same,
    /// Another: it was edited while the post was being made.
    Other,
    /// What it was made of is not there any more.
    Gone,
    /// Nobody kept what it was made of.
    Unknown,
}

/// Why the post of a sheep was made that has this number; the newest, where none is given. `None`: it has posted nothing so far.
pub async fn why(store: &Store, sheep: &str, number: Option<Occurrence>) -> Result<Option<Why>> {
    let removed = match sheep.parse::<SheepId>() {
        Ok(id) if store.sheep(&id, Read::Consistent).await?.is_none() => Some(id),
        _ => None,
    };
    // Posts outlive their sheep.
    let (id, sheep) = match removed {
        Some(id) if !store.newest_posts(&id, 1).await?.is_empty() => (id, None),
        Some(_) | None => {
            let sheep = store.find_sheep(None, sheep).await?;
            (sheep.id.clone(), Some(sheep))
        }
    };
    let Some(post) = post(store, &id, sheep.as_ref(), number).await? else { return Ok(None) };
    let flock = store.flock(&id.flock).await?.unwrap_or_else(|| Flock::new(id.flock.clone()));
    let again = again(store, &post, sheep.as_ref()).await?;
    Ok(Some(Why { post, sheep, flock, again }))
}

async fn post(
    store: &Store,
    id: &SheepId,
    sheep: Option<&Sheep>,
    number: Option<Occurrence>,
) -> Result<Option<Post>> {
    let under_way = sheep.and_then(Post::intended);
    let found = match number {
        Some(number) => {
            let recorded = store.posts_numbered(&[(id.clone(), number)]).await?.pop();
            recorded.or_else(|| under_way.filter(|post| post.occurrence == number))
        }
        None => store.newest_posts(id, 1).await?.pop().or(under_way),
    };
    if let Some(post) = found {
        return Ok(Some(post));
    }
    let Some(number) = number else { return Ok(None) };
    if let Some(aside) = store.aside(id, number).await? {
        return Err(Error::refused(format!(
            "number {number} of {id}, \"{}\", was set aside and not posted: {}",
            quoted(&aside.text),
            one_line(&aside.why)
        )));
    }
    let next = sheep.map(|sheep| sheep.progress.occurrence);
    Err(Error::refused(match next {
        _ if number == Occurrence(0) => format!("the posts of {id} are numbered from 1"),
        Some(next) if next <= number => {
            format!("{id} has not come to number {number}; its next is {next}")
        }
        _ => format!(
            "{id} has no post with number {number}: it was missed in an outage, passed over by a wipe, or is older than the {} days that posts are kept",
            flock_store::POST_RETENTION_DAYS
        ),
    }))
}

async fn again(store: &Store, post: &Post, sheep: Option<&Sheep>) -> Result<Again> {
    let Some(made) = &post.made else { return Ok(Again::Unknown) };
    let needs = made.needs();
    let mut material = store.material(&post.sheep.flock, &needs).await?;
    if material.is_none()
        && let Some(sheep) = sheep.filter(|sheep| sheep.still_draws(made))
    {
        let drawn: Option<Corpus> = store.draw(sheep, made.cursor).await?;
        material = drawn.and_then(|drawn| drawn.material(&needs));
    }
    Ok(match material {
        None => Again::Gone,
        Some(Material::Line { text, .. }) if text == post.text => Again::Same,
        Some(_) => Again::Other,
    })
}

impl Why {
    /// What is to be told: each with its name.
    pub fn rows(&self) -> Vec<(&'static str, String)> {
        let Self { post, sheep, .. } = self;
        let zone = sheep.as_ref().map_or(TimeZone::UTC, |sheep| sheep.config.rhythm.zone().clone());
        let state = match post.state {
            PostState::Posted => "",
            PostState::Pending => ", being posted",
            PostState::Unknown => ", and nobody knows whether it was posted",
            PostState::Deleted => ", deleted since",
        };
        let mut rows = vec![
            ("post", format!("{} of {}{state}", post.occurrence, post.sheep)),
            ("text", quoted(&post.text)),
            ("account", post.account.to_string()),
        ];
        // On the meadow a post is its own record.
        if post.state == PostState::Deleted && post.text.is_empty() {
            rows.retain(|(name, _)| *name != "text");
            rows.push(("source", "it went with the post".to_owned()));
            rows.push(("time", self.time(&zone)));
            return rows;
        }
        rows.extend(post.remote_id.as_ref().map(|id| ("there", id.to_string())));
        rows.push(("source", self.source()));
        if let (Some(made), Some(seed)) = (&post.made, self.seed()) {
            rows.push((
                "seed",
                format!("{seed}, for number {} of what is drawn", made.cursor.index()),
            ));
        }
        rows.push(("made again", self.made_again()));
        rows.push(("time", self.time(&zone)));
        rows.extend(self.asked().into_iter().map(|asked| ("asked", asked)));
        rows
    }

    fn seed(&self) -> Option<u64> {
        let (made, sheep) = (self.post.made.as_ref()?, self.sheep.as_ref()?);
        sheep.config.behaviour.seed().filter(|_| sheep.still_draws(made))
    }

    /// What made it, of what.
    fn source(&self) -> String {
        let Some(Made { kind, corpus, cursor, .. }) = &self.post.made else {
            return "somebody had it said, or it was made before sources were kept".to_owned();
        };
        let number = cursor.index().saturating_add(1);
        let (unit, of) = if kind.draws() { ("text", "what is drawn, ") } else { ("piece", "") };
        format!("{}: {unit} {number} of {of}corpus {corpus}", kind.a_name())
    }

    fn made_again(&self) -> String {
        match self.again {
            Again::Same => "the same text",
            Again::Other => "another text: what it is made of was edited while the post was being made",
            Again::Gone => "its source is gone: the file was edited since, or its sheep was given another or removed",
            Again::Unknown => "nothing is kept of what it was made of",
        }
        .to_owned()
    }

    fn time(&self, zone: &TimeZone) -> String {
        let due = local(self.post.at, zone);
        let Some(made) = &self.post.made else { return format!("due at {due}") };
        let rhythm = self.sheep.as_ref().map(|sheep| sheep.config.rhythm.to_string());
        let rhythm = rhythm
            .map_or_else(String::new, |rhythm| format!(", by the rhythm that is now {rhythm}"));
        if made.slot == self.post.at {
            return format!("due at {due}{rhythm}");
        }
        format!("planned for {}, due at {due}{rhythm}", local(made.slot, zone))
    }

    /// The limits and rules that it was measured by: as they are now, but for the length.
    fn asked(&self) -> Vec<String> {
        let network = self.post.account.network;
        let facts = network.facts();
        let length = (facts.measure)(&self.post.text);
        let limit = self.post.made.as_ref().map_or(facts.text_limit, |made| made.limit);
        let mut asked = vec![format!("length: {} of {limit} {}", length.length, facts.unit)];
        for rule in facts.rules {
            asked.push(match self.flock.waivers.get(rule.name) {
                Some(reason) => format!("rule {}: waived, because {}", rule.name, one_line(reason)),
                None => format!("rule {}: {}", rule.name, rule.sentence),
            });
        }
        let price = (facts.price)(Charge::Post { link: 0 < length.links });
        asked.push(match self.flock.monthly_cap {
            _ if !network.bills() => "money: its network charges nothing".to_owned(),
            Some(cap) => format!("money: {price}, of a cap of {cap} a month"),
            None => format!("money: {price}, and the flock has no cap"),
        });
        let near = self.sheep.as_ref().and_then(|sheep| sheep.config.near_duplicates);
        if let Some(NearDuplicates { last, distance }) = near {
            asked.push(format!(
                "near duplicates: the last {last} posts of its flock there, distance {distance}"
            ));
        }
        if let Some(remembers) = facts.remembers {
            asked.push(format!(
                "said before: {} takes no text twice in {}",
                facts.title,
                count(u64::try_from(remembers.as_hours()).unwrap_or(0), "hour")
            ));
        }
        asked
    }
}

/// Why a post was made, as JSON. The names are a promise to scripts.
#[derive(Debug, Serialize)]
pub struct WhyLine<'a> {
    flock: &'a str,
    sheep: &'a str,
    occurrence: u64,
    text: &'a str,
    network: Network,
    at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    behaviour: Option<flock_core::BehaviourKind>,
    #[serde(skip_serializing_if = "Option::is_none")]
    corpus: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cursor: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seed: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    planned: Option<Timestamp>,
    made_again: &'a Again,
    asked: Vec<String>,
}

impl<'a> WhyLine<'a> {
    /// The line for `why`.
    pub fn new(why: &'a Why) -> Self {
        let Why { post, again, .. } = why;
        let made = post.made.as_ref();
        Self {
            flock: post.sheep.flock.as_str(),
            sheep: post.sheep.name.as_str(),
            occurrence: post.occurrence.0,
            text: &post.text,
            network: post.account.network,
            at: post.at,
            behaviour: made.map(|made| made.kind),
            corpus: made.map(|made| made.corpus.as_str()),
            cursor: made.map(|made| made.cursor.index()),
            seed: why.seed(),
            planned: made.map(|made| made.slot),
            made_again: again,
            asked: why.asked(),
        }
    }
}
