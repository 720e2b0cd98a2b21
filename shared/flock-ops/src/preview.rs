//! The next posts, before they are made.

use std::{collections::BTreeSet, sync::Arc};

use flock_core::{Corpus, Hindrance, Occurrence, Sheep, SheepId, State, named, preview_all};
use flock_store::{Store, UpcomingPost, needs_of};
use jiff::Timestamp;
use serde::Serialize;

use crate::{Result, texts::Texts};

/// A post to come, as one JSON line.
#[derive(Debug, Serialize)]
pub struct UpcomingLine<'a> {
    at: Timestamp,
    flock: &'a str,
    sheep: &'a str,
    network: &'static str,
    occurrence: Occurrence,
    text: &'a str,
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
    let times: Vec<_> = sheep
        .iter()
        .map(|sheep| read.get(sheep).map(|text| text.times().clone()).unwrap_or_default())
        .collect();
    let posting = sheep.iter().filter(|sheep| sheep.next_at().is_some()).count();
    let mut seen = BTreeSet::new();
    let mut looked_at = 0;
    for (index, _) in preview_all(sheep.iter().zip(times), now).take(count.min(LOOKED_AT)) {
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
    let with_text = |sheep: Sheep| WithText { text: texts.get(&sheep), sheep };
    Ok(sheep.into_iter().map(with_text).collect())
}

/// The posts of all `sheep` together from `now` on, in order, each found when it is asked for.
pub fn upcoming(
    sheep: &[WithText],
    now: Timestamp,
) -> impl Iterator<Item = UpcomingPost> + use<'_> {
    let times = sheep.iter().map(|one| {
        (&one.sheep, one.text.as_ref().map(|text| text.times().clone()).unwrap_or_default())
    });
    preview_all(times, now).filter_map(move |(index, next)| {
        let WithText { sheep, text } = sheep.get(index)?;
        let material = needs_of(sheep, &next).and_then(|needs| text.as_ref()?.material(&needs));
        Some(UpcomingPost::new(sheep, next, material))
    })
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
