//! The next posts, before they are made.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use flock_core::{
    Charge, Corpus, Drawn, FlockName, Hindrance, Month, Occurrence, Sheep, SheepId, State, Usd,
    named, preview_all,
};
use flock_store::{Store, UpcomingPost, needs_of};
use jiff::Timestamp;
use serde::Serialize;

use crate::{
    Result,
    texts::{Texts, Wells},
};

/// A post to come, as one JSON line.
#[derive(Debug, Serialize)]
pub struct UpcomingLine<'a> {
    at: Timestamp,
    flock: &'a str,
    sheep: &'a str,
    network: &'static str,
    occurrence: Occurrence,
    text: &'a str,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    continues_thread: bool,
}

impl<'a> UpcomingLine<'a> {
    /// The line for `post`.
    pub fn new(post: &'a UpcomingPost) -> Self {
        Self {
            at: post.at,
            flock: post.sheep.flock.as_str(),
            sheep: post.sheep.name.as_str(),
            network: post.account.network.name(),
            occurrence: post.occurrence,
            text: &post.text,
            continues_thread: post.continues_thread,
        }
    }
}

/// A sheep that is previewed, with its text.
#[derive(Debug, Clone)]
pub struct WithText {
    /// As it is, or as it is to be.
    pub sheep: Sheep,
    /// `None`: it is not in the table, or is not needed.
    pub text: Option<Arc<Corpus>>,
}

/// Up to so many posts it is looked which sheep make them, so that no text is read that nobody sees.
const LOOKED_AT: usize = 4_096;

/// No more texts are drawn for a sheep, whoever asks for more posts.
const MOST_DRAWN: usize = 10_000;

/// The sheep with the texts that their next `count` posts together need: what is to be read before any of them is shown, and all
/// that is.
pub async fn with_texts_for(
    store: &Store,
    sheep: Vec<Sheep>,
    count: usize,
    now: Timestamp,
) -> Result<Vec<WithText>> {
    let is_timed = |sheep: &&Sheep| sheep.config.behaviour.timed_text().is_some();
    let read = Texts::of(store, sheep.iter().filter(is_timed)).await?;
    let marks: Vec<_> = sheep
        .iter()
        .map(|sheep| read.get(sheep).map(|text| text.marks().clone()).unwrap_or_default())
        .collect();
    let posting = sheep.iter().filter(|sheep| sheep.next_at().is_some()).count();
    let mut seen = BTreeSet::new();
    let mut looked_at = 0;
    for (index, _) in preview_all(sheep.iter().zip(marks), now).take(count.min(LOOKED_AT)) {
        seen.insert(index);
        looked_at += 1;
        if seen.len() == posting {
            break;
        }
    }
    let is_needed =
        |index: &usize| seen.contains(index) || (looked_at == LOOKED_AT && looked_at < count);
    let needed =
        sheep.iter().enumerate().filter(|(index, sheep)| is_needed(index) && !is_timed(sheep));
    let texts = Texts::of(store, needed.map(|(_, sheep)| sheep)).await?.plus(read);
    let mut wells = Wells::default();
    // One sheep may make all posts.
    let batches = u32::try_from(count.min(MOST_DRAWN)).unwrap_or(u32::MAX) / Drawn::BATCH + 2;
    let with_text = |sheep: Sheep| {
        let text = texts.get(&sheep).and_then(|text| wells.said_by(&sheep, &text, batches));
        WithText { sheep, text }
    };
    Ok(sheep.into_iter().map(with_text).collect())
}

/// The posts of all `sheep` together from `now` on, in order, each found when it is asked for.
pub fn upcoming(
    sheep: &[WithText],
    now: Timestamp,
) -> impl Iterator<Item = UpcomingPost> + use<'_> {
    let marks = sheep.iter().map(|one| {
        (&one.sheep, one.text.as_ref().map(|text| text.marks().clone()).unwrap_or_default())
    });
    preview_all(marks, now).filter_map(move |(index, next)| {
        let WithText { sheep, text } = sheep.get(index)?;
        let material = needs_of(sheep, &next).and_then(|needs| text.as_ref()?.material(&needs));
        Some(UpcomingPost::new(sheep, next, material))
    })
}

/// What flocks may still spend this month: then which of the posts to come wait until the next.
#[derive(Debug)]
pub struct Budgets {
    month: Month,
    left: HashMap<FlockName, Usd>,
    /// Sheep whose post waits, and with it what comes after.
    waiting: BTreeSet<SheepId>,
}

impl Budgets {
    /// Those of the flocks of `sheep` that pay.
    pub async fn of(
        store: &Store,
        sheep: impl IntoIterator<Item = &Sheep>,
        now: Timestamp,
    ) -> Result<Self> {
        let month = Month::of(now);
        let (mut left, mut waiting) = (HashMap::new(), BTreeSet::new());
        for sheep in sheep {
            let flock = &sheep.id.flock;
            if !sheep.config.account.network.bills() {
                continue;
            }
            if sheep.waits_for_cap(now).is_some() {
                waiting.insert(sheep.id.clone());
            }
            if left.contains_key(flock) {
                continue;
            }
            if let Some(cap) = store.flock(flock).await?.and_then(|flock| flock.monthly_cap) {
                let spent = store.ledger(flock, month).await?.spent;
                left.insert(flock.clone(), cap.minus(spent));
            }
        }
        Ok(Self { month, left, waiting })
    }

    /// Until when the post waits because the cap is used up by then, if it does. To be asked of one post after the other, as they
    /// come. What is paid besides, to look for posts, is not known before.
    pub fn waits(&mut self, post: &UpcomingPost) -> Option<Timestamp> {
        let end = self.month.end();
        if end <= post.at {
            return None;
        }
        let facts = post.account.network.facts();
        let link = 0 < (facts.measure)(&post.text).links;
        let price = (facts.price)(Charge::Post { link });
        if price == Usd::ZERO {
            return None;
        }
        let left = self.left.get_mut(&post.sheep.flock)?;
        if self.waiting.contains(&post.sheep) || *left < price {
            self.waiting.insert(post.sheep.clone());
            return Some(end);
        }
        *left = left.minus(price);
        None
    }
}

/// That a post waits, until a time as people of a door read it.
pub fn waits_for_cap(until: &str) -> String {
    format!("waits: the cap is used up until {until}")
}

/// Why some of `sheep` do not appear in a preview, a line for each reason.
pub fn silent<'a>(sheep: impl IntoIterator<Item = &'a Sheep>) -> Vec<String> {
    let sheep: Vec<&Sheep> = sheep.into_iter().collect();
    let in_state = |is: fn(&State) -> bool, [one, several]: [&str; 2]| {
        let ids: Vec<&SheepId> =
            sheep.iter().filter(|sheep| is(&sheep.state)).map(|sheep| &sheep.id).collect();
        let are = if ids.len() == 1 { one } else { several };
        (!ids.is_empty()).then(|| format!("{} {are}", named(ids)))
    };
    let paused =
        in_state(|state| matches!(state, State::Paused { .. }), ["is paused", "are paused"]);
    let finished = in_state(
        |state| matches!(state, State::Finished { .. }),
        ["has finished", "have finished"],
    );
    let stopped = Hindrance::of(sheep.iter().copied()).into_iter();
    let stopped = stopped.filter(|found| found.is_stopped).map(|found| found.to_string());
    paused.into_iter().chain(stopped).chain(finished).collect()
}
