//! Another rhythm for a sheep, until its files are applied again.

use std::convert::Infallible;

use flock_core::{
    Flock, Marks, Month, Network, Outlook, Rhythm, RhythmFields, Sheep, SheepConfig, Usd, preview,
    too_many, without_cap,
};
use flock_store::Store;
use jiff::{SignedDuration, Timestamp};

use crate::{
    Error, Noted, Refusal, Result,
    texts::{other_flocks, with_marks, with_texts},
};

/// A sheep that has another rhythm.
#[derive(Debug)]
pub struct Changed {
    /// As it is now.
    pub sheep: Sheep,
    /// The rhythm it had, where that was another.
    pub before: Option<Rhythm>,
    /// What it and its flock will cost, where that is something.
    pub outlook: Option<Outlook>,
}

/// Whether it takes longer than a moment to find out if `network` takes a rhythm: what all others post there counts.
pub fn rhythm_takes_long(network: Network) -> bool {
    network.bills() || !network.facts().limits.is_empty()
}

/// The rhythm in which the sheep posts every `line`, with `stanza` before it starts over, as before where it is not said.
pub fn rhythm_of(sheep: &Sheep, line: &str, stanza: Option<&str>) -> Result<Rhythm> {
    let before = sheep.config.rhythm.fields();
    let fields = RhythmFields {
        line: Some(line.to_owned()),
        stanza: stanza.map(str::to_owned).or_else(|| before.stanza.clone()),
        at: Vec::new(),
        days: Vec::new(),
        ..before
    };
    let fits = match sheep.config.behaviour.kind().check(&fields, sheep.config.behaviour.threads())
    {
        problems if problems.is_empty() => Rhythm::parse(&fields),
        problems => Err(problems),
    };
    fits.map_err(|problems| {
        let problems: Vec<_> = problems.iter().map(ToString::to_string).collect();
        Error::refused(format!("that is no rhythm: {}", problems.join("; ")))
    })
}

/// Gives the sheep this rhythm. Refuses what its network does not take, as a plan would.
pub async fn change_rhythm(
    store: &Store,
    _: &Noted,
    sheep: Sheep,
    rhythm: Rhythm,
    now: Timestamp,
) -> Result<Changed> {
    let change = |sheep: &Sheep| {
        let config = SheepConfig { rhythm: rhythm.clone(), ..sheep.config.clone() };
        sheep.reconfigure(config, now)
    };
    let outlook = fit(store, &sheep, &change(&sheep), now).await?;
    let before = Some(sheep.config.rhythm.clone()).filter(|before| *before != rhythm);
    let change = |sheep: &Sheep| Ok::<_, Infallible>(change(sheep));
    let Ok(sheep) = store.change_sheep(sheep, change).await?;
    Ok(Changed { sheep, before, outlook })
}

/// Refuses what the network does not take, and says what it costs: also of a sheep that is paused, which is to go on.
async fn fit(
    store: &Store,
    before: &Sheep,
    sheep: &Sheep,
    now: Timestamp,
) -> Result<Option<Outlook>> {
    let (before, sheep) = (&before.resume(now), &sheep.resume(now));
    let network = sheep.config.account.network;
    if !rhythm_takes_long(network) {
        return Ok(None);
    }
    let name = &sheep.id.flock;
    let beside = store.sheep_of_flock(name).await?.into_iter().filter(|other| other.id != sheep.id);
    let beside: Vec<_> = beside.collect();
    let mut objections = Vec::new();
    let marks = store.marks(sheep).await?;
    // Where there are too many already, fewer are the way out.
    let is_slower = posts_in_a_day(sheep, &marks, now) < posts_in_a_day(before, &marks, now);
    if !is_slower {
        let mut others = other_flocks(store, name).await?;
        others.extend(with_marks(store, beside.clone()).await?);
        objections.extend(too_many(&[(sheep, marks)], &others, now));
    }
    let mut outlook = None;
    if network.bills() {
        let flock = store.flock(name).await?.unwrap_or_else(|| Flock::new(name.clone()));
        let spent = store.ledger(name, Month::of(now)).await?.spent;
        let billed = beside.into_iter().filter(|other| other.config.account.network.bills());
        let members =
            with_texts(store, std::iter::once(sheep.clone()).chain(billed).collect()).await?;
        let pairs = members.iter().map(|member| (member, member.sheep.id == sheep.id));
        outlook = Outlook::of(&flock, pairs, spent, now);
        let cost = outlook.as_ref().map_or(Usd::ZERO, |outlook| outlook.all.cost);
        objections.extend(without_cap(&flock, &[sheep], cost));
    }
    Refusal::unless_fit(objections)?;
    Ok(outlook)
}

fn posts_in_a_day(sheep: &Sheep, marks: &Marks, now: Timestamp) -> usize {
    let tomorrow = now.saturating_add(SignedDuration::from_hours(24)).unwrap_or(Timestamp::MAX);
    preview(sheep, marks, now).take_while(|post| post.at < tomorrow).count()
}
