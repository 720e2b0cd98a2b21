//! A sheep goes on where it is, through another account.

use flock_core::{
    AccountId, Flock, KnownAccounts, Member, Month, Objection, Outlook, Sheep, SheepConfig,
    SheepId, TextRefusal, Usd, forbids_same, lines_too_long, said_twice, too_many, unfit,
    without_cap,
};
use flock_store::Store;
use jiff::Timestamp;

use crate::{
    Error, Noted, Refusal, Result,
    accounts::{able, known},
    plan::cannot_move,
    texts::{other_flocks, with_marks, with_texts},
    wipe::being_wiped,
};

/// A sheep that has another account.
#[derive(Debug)]
pub struct Moved {
    /// As it is now.
    pub sheep: Sheep,
    /// What it and its flock will cost, where that is something.
    pub outlook: Option<Outlook>,
}

/// Why a sheep stays where it is, when that shows only while it is moved.
#[derive(Debug, thiserror::Error)]
enum Stays {
    /// Nobody knows whether the old account has its post.
    #[error("{0}")]
    Unknown(Objection),
    /// What it is about to post does not fit.
    #[error("{sheep}: its post {text:?} waits to be made, but {why}")]
    Post {
        sheep: SheepId,
        text: String,
        #[source]
        why: TextRefusal,
    },
}

/// Moves `sheep` to `account`. Refuses what a plan would. `None`: it posts through that account already.
pub async fn move_sheep(
    store: &Store,
    _: &Noted,
    sheep: Sheep,
    account: AccountId,
    now: Timestamp,
) -> Result<Option<Moved>> {
    let id = sheep.id.clone();
    if sheep.config.account == account {
        return Ok(None);
    }
    let flock = store.flock(&id.flock).await?.unwrap_or_else(|| Flock::new(id.flock.clone()));
    let rest = store.sheep_of_flock(&id.flock).await?.into_iter().filter(|other| other.id != id);
    let rest: Vec<_> = rest.collect();
    let on_network = |sheep: &&Sheep| sheep.config.account.network == account.network;
    let neighbours: Vec<_> = rest.iter().filter(on_network).cloned().collect();

    let ids = neighbours.iter().map(|sheep| &sheep.config.account).chain([&account]).collect();
    let accounts = known(store, ids).await?;
    let text_limit = accounts
        .get(&account)
        .map_or(account.network.facts().text_limit, |facts| facts.text_limit(account.network));
    let change = |sheep: &Sheep| transition(sheep, &account, text_limit, now);
    let mut problems: Vec<Objection> = Vec::new();
    let moved = match change(&sheep) {
        Ok(moved) => moved,
        Err(stays) => {
            problems.push(stays.into());
            sheep.reconfigure(through(&sheep, &account, text_limit), now)
        }
    };
    let mut members = with_texts(store, vec![moved]).await?;
    let texts = neighbours_with_texts(store, &account, &accounts, &flock, neighbours).await?;
    members.extend(texts);
    problems.extend(
        being_wiped(store, std::slice::from_ref(&account), None).await?.map(Objection::from),
    );
    problems.extend(fit(store, &flock, &id, (&members, &rest), &accounts, now).await?);
    Refusal::unless_fit(problems)?;
    let outlook = outlook(store, &flock, &members, now).await?;
    store.enlist(&[(id, account.clone())]).await?;
    let sheep = store.change_sheep(sheep, change).await?;
    Ok(Some(Moved { sheep: sheep.map_err(Error::refused)?, outlook }))
}

impl From<Stays> for Objection {
    fn from(stays: Stays) -> Self {
        match stays {
            Stays::Unknown(why) => why,
            stays @ Stays::Post { .. } => stays.to_string().into(),
        }
    }
}

/// The sheep with the other account, at the place where it is.
fn transition(
    sheep: &Sheep,
    account: &AccountId,
    text_limit: usize,
    now: Timestamp,
) -> Result<Sheep, Stays> {
    if let Some(why) = cannot_move(sheep, account) {
        return Err(Stays::Unknown(why));
    }
    let config = through(sheep, account, text_limit);
    if let Some(intent) = &sheep.intent {
        let act = &intent.errand.work.act;
        config.check(act).map_err(|why| Stays::Post {
            sheep: sheep.id.clone(),
            text: act.to_string(),
            why,
        })?;
    }
    Ok(sheep.reconfigure(config, now))
}

fn through(sheep: &Sheep, account: &AccountId, text_limit: usize) -> SheepConfig {
    let config = sheep.config.clone();
    let behaviour = config.behaviour.drawn_for(&sheep.id, account.network);
    SheepConfig { account: account.clone(), text_limit, behaviour, ..config }
}

/// The texts of the sheep beside it, where it matters what they say.
async fn neighbours_with_texts(
    store: &Store,
    account: &AccountId,
    accounts: &KnownAccounts,
    flock: &Flock,
    neighbours: Vec<Sheep>,
) -> Result<Vec<Member>> {
    let matters = account.network.bills()
        || accounts.get(account).is_some_and(|facts| forbids_same(account, facts, flock));
    if matters { with_texts(store, neighbours).await } else { Ok(Vec::new()) }
}

/// What stands in the way of the sheep `id`, the first of `members`, at its new place; `rest` are the other
/// sheep of its flock.
async fn fit(
    store: &Store,
    flock: &Flock,
    id: &SheepId,
    (members, rest): (&[Member], &[Sheep]),
    accounts: &KnownAccounts,
    now: Timestamp,
) -> Result<Vec<Objection>> {
    let Some(moved) = members.first().filter(|member| member.sheep.id == *id) else {
        let why = format!("{id}: its text is not in the table; apply the flock again");
        return Ok(vec![why.into()]);
    };
    let config = &moved.sheep.config;
    let network = config.account.network;
    let mut problems = unfit(flock, &[moved], accounts, able);
    // Where accounts have limits of their own, that was looked at already.
    if !network.facts().limits_vary {
        problems.extend(lines_too_long(moved, network, config.text_limit));
    }
    let all: Vec<_> = members.iter().collect();
    problems.extend(said_twice(flock, &all, accounts, |sheep| sheep == id));
    let mut beside = other_flocks(store, &id.flock).await?;
    beside.extend(with_marks(store, rest.to_vec()).await?);
    let timed = (&moved.sheep, moved.corpus.marks().clone());
    problems.extend(too_many(&[timed], &beside, now));
    let outlook = Outlook::of(flock, [(moved, true)].into_iter(), Usd::ZERO, now);
    let cost = outlook.map_or(Usd::ZERO, |outlook| outlook.new.cost);
    problems.extend(without_cap(flock, &[&moved.sheep], cost));
    Ok(problems)
}

/// What it and the flock will cost.
async fn outlook(
    store: &Store,
    flock: &Flock,
    members: &[Member],
    now: Timestamp,
) -> Result<Option<Outlook>> {
    let bills = |member: &Member| member.sheep.config.account.network.bills();
    if !members.first().is_some_and(bills) {
        return Ok(None);
    }
    let spent = store.ledger(&flock.name, Month::of(now)).await?.spent;
    let first = std::iter::once(true).chain(std::iter::repeat(false));
    Ok(Outlook::of(flock, members.iter().zip(first), spent, now))
}

#[cfg(test)]
mod tests {
    use super::*;
    use flock_core::{Act, Due, Errand, Occurrence, Outcome, Rhythm, RhythmFields, TableId, Task};

    #[test]
    fn what_waits_to_be_posted_moves_along_or_holds_it_back() {
        let now: Timestamp = "2026-11-21T12:00:00Z".parse().unwrap();
        let fields = RhythmFields { line: Some("1h".to_owned()), ..RhythmFields::default() };
        let corpus = "00112233445566778899aabbccddeeff".parse().unwrap();
        let config = SheepConfig::new(
            "meadow:echo".parse().unwrap(),
            flock_core::Behaviour::Poem(flock_core::Poem::of_lines(corpus, 3)),
            Rhythm::parse(&fields).unwrap(),
        );
        let sheep = Sheep::create("choir/echo".parse().unwrap(), config, Occurrence(1), now);
        let sheep = sheep.unwrap();
        let Due::Post(next) = sheep.due(now) else { panic!("it is due") };
        let table = TableId::from_random([7; 16]);
        let claimed = sheep.claim(next, Act::post("a line"), &table, now);
        let why = "why".to_owned();
        let later = Outcome::TryAgain { why: why.clone(), not_before: None };
        let put_off = claimed.settle(&later, now);
        let unknown = claimed.settle(&Outcome::Unknown { why }, now);

        let x: AccountId = "x:echo".parse().unwrap();
        let to_x = |sheep: &Sheep, limit| transition(sheep, &x, limit, now);
        let moved = to_x(&put_off, 280).unwrap();
        let (waits, waited) =
            (moved.intent.unwrap().errand, put_off.intent.clone().unwrap().errand);
        assert_eq!((&moved.config.account, &waits.work.account), (&x, &x));
        let along = Task { account: waited.work.account.clone(), ..waits.work.clone() };
        assert_eq!(Errand { work: along, ..waits }, waited);
        assert_eq!((moved.progress, moved.config.text_limit), (put_off.progress.clone(), 280));
        insta::assert_snapshot!(to_x(&put_off, 5).unwrap_err(), @r#"choir/echo: its post "a line" waits to be made, but the text is 6 characters long by x's counting; x takes 5"#);
        for busy in [&unknown, &claimed] {
            let err = to_x(busy, 280).unwrap_err().to_string();
            insta::allow_duplicates! { insta::assert_snapshot!(err, @"choir/echo: its post 1 may be on meadow:echo already; try again when that is known") }
        }
    }
}
