//! One wish for an account, or for each account of a flock: what would be done, and the job that does it.

use std::collections::{BTreeMap, BTreeSet};

use flock_core::{
    AccountId, Acts, Ai, Asker, Deed, Flock, FlockName, Job, MOST_OF_EACH_OTHER, Month, Objection,
    Unit, Unwishable, Usd, Whom, Whose, Wish, Work, check_policy,
};
use flock_net::check_action;
use flock_store::{AccountItem, Store};
use futures_util::{StreamExt as _, stream};
use jiff::Timestamp;
use serde::Serialize;

use crate::{Begun, Budget, Error, Noted, Refusal, Result, accounts_of, begin_job, payer_of};

/// Accounts that are read at once.
const AT_ONCE: usize = 32;

/// A wish, for whom it is, and who pays.
#[derive(Debug, Clone)]
pub struct ActFor {
    /// What is to be done.
    pub wish: Wish,
    /// For whom.
    pub whom: Whom,
    /// Who pays, where that is said.
    pub payer: Option<FlockName>,
    /// Whether one is done after the other.
    pub one_by_one: bool,
}

/// What would be done, as far as it can be known without asking a network.
#[derive(Debug)]
pub struct WouldDo {
    /// Each of it, in order.
    pub lines: Vec<ActLine>,
    /// Who pays.
    pub payer: FlockName,
    /// What all that is not refused costs.
    pub price: Usd,
    /// What the payer has spent and may, where it costs something and there is a cap.
    pub budget: Option<Budget>,
}

/// One thing that would be done.
#[derive(Debug, Serialize)]
pub struct ActLine {
    /// Through which account.
    pub account: String,
    /// Whom it is about, where that is somebody.
    pub who: Option<String>,
    /// What its network charges, in dollars.
    pub price: String,
    /// Why it cannot be done, where that is known.
    pub refused: Option<String>,
}

impl ActLine {
    /// The same for people, in a line.
    pub fn line(&self) -> String {
        let who = self.who.as_ref().map(|who| format!(" → {who}")).unwrap_or_default();
        match &self.refused {
            Some(why) => format!("{}{who} would NOT: {why}", self.account),
            None => format!("{}{who} would, for {}", self.account, self.price),
        }
    }
}

impl WouldDo {
    /// How many would be done, and how many would not.
    pub fn counts(&self) -> (usize, usize) {
        let refused = self.lines.iter().filter(|line| line.refused.is_some()).count();
        (self.lines.len() - refused, refused)
    }

    /// What it costs and who pays that, as a sentence without its stop. `None`: nothing.
    pub fn cost(&self) -> Option<String> {
        let Self { payer, price, budget, .. } = self;
        if *price == Usd::ZERO {
            return None;
        }
        let of = match budget {
            Some(Budget { month, spent, cap }) => {
                format!("; it has spent {spent} of the {cap} it may spend in {month}")
            }
            None => "; it has no `monthly_cap`, so that nothing is paid".to_owned(),
        };
        Some(format!("it costs {price}, which flock {payer} pays{of}"))
    }
}

/// What would be done. Refuses what cannot be for any of them, and a profile that one of them cannot have: each is named.
pub async fn would_do(store: &Store, asked: &ActFor, now: Timestamp) -> Result<WouldDo> {
    let ActFor { wish, whom, payer, one_by_one } = asked;
    let accounts = accounts_of(store, whom).await?;
    let units = wish.units(&accounts);
    refuse_pointless(wish, whom, &accounts, &units)?;
    let payer = payer_of(store, whom, payer.as_ref()).await?;
    let flock = store.flock(&payer).await?.unwrap_or_else(|| Flock::new(payer.clone()));
    let known = known(store, &units).await?;
    refuse_servers(wish, &known)?;
    let work = Acts::new(wish.clone(), whom.clone(), payer.clone(), *one_by_one);
    let (mut lines, mut unwishable, mut price) = (Vec::new(), Vec::new(), Usd::ZERO);
    for unit in &units {
        let account = &unit.account;
        let act = wish.act(unit, &work.standing(account, &accounts));
        let refused = match (known.get(account), &act) {
            (_, Err(whys)) => {
                unwishable.extend(whys.iter().map(|why| match why {
                    Unwishable::Profile(refusal) => refusal.to_string(),
                    Unwishable::Unfilled(why) => why.to_string(),
                }));
                Some(joined(whys))
            }
            (None, Ok(_)) => Some("it was never added; connect it".to_owned()),
            (Some(item), Ok(_)) => forbidden(wish, unit, item, &flock, accounts.len()),
        };
        let is_found_out = unit.other.as_ref().is_some_and(|other| !known.contains_key(other));
        let prices = wish.charges(is_found_out).into_iter();
        let own = prices.map(account.network.facts().price).fold(Usd::ZERO, Usd::plus);
        if refused.is_none() {
            price = price.plus(own);
        }
        lines.push(ActLine {
            account: account.to_string(),
            who: unit.other.as_ref().map(ToString::to_string),
            price: own.to_string(),
            refused,
        });
    }
    unwishable.dedup();
    Refusal::unless_fit(unwishable.into_iter().map(Objection::from).collect())?;
    let mut budget = None;
    if price != Usd::ZERO
        && let Some(cap) = flock.monthly_cap
    {
        let month = Month::of(now);
        let spent = store.ledger(&payer, month).await?.spent;
        budget = Some(Budget { month, spent, cap });
    }
    Ok(WouldDo { lines, payer, price, budget })
}

/// Begins the job that does it, unless one of the same kind for the same is under way, or nothing of it can be done.
pub async fn begin_acts(
    store: &Store,
    noted: &Noted,
    asker: Asker,
    wanted: ActFor,
    now: Timestamp,
) -> Result<Begun> {
    let would = would_do(store, &wanted, now).await?;
    if would.lines.iter().all(|line| line.refused.is_some()) {
        let whys = would.lines.iter().filter_map(|line| {
            let why = line.refused.as_ref()?;
            Some(Objection::from(format!("{} does not: {why}", line.account)))
        });
        Refusal::unless_fit(whys.collect())?;
    }
    let ActFor { wish, whom, one_by_one, .. } = wanted;
    let id = Acts::job(&wish, &whom);
    let work = Work::Acts(Acts::new(wish, whom, would.payer, one_by_one));
    begin_job(store, noted, Job::new(id, work, asker, now)).await
}

fn joined(whys: &[Unwishable]) -> String {
    whys.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// Refuses what is for nobody, or for too many.
fn refuse_pointless(
    wish: &Wish,
    whom: &Whom,
    accounts: &[AccountId],
    units: &[Unit],
) -> Result<()> {
    let is_each_other =
        matches!(wish, Wish::Follow(Whose::EachOther) | Wish::Unfollow(Whose::EachOther));
    let why = match (wish, whom) {
        (Wish::Delete(_), Whom::Flock(_)) => {
            "a post is that of one account: name the account in the place of the flock".to_owned()
        }
        _ if is_each_other && MOST_OF_EACH_OTHER < accounts.len() => format!(
            "{} accounts are too many to follow each other: {MOST_OF_EACH_OTHER} can",
            accounts.len()
        ),
        _ if units.is_empty() && is_each_other => {
            format!(
                "no two accounts of {whom} are on the same network, where they could follow each other"
            )
        }
        _ if units.is_empty() => match wish.network() {
            Some(network) => {
                format!("{whom} has no account on {} that could do that", network.title_within())
            }
            None => format!("{whom} has no account outside the meadow, whose bots only post"),
        },
        _ => return Ok(()),
    };
    Err(Error::refused(why))
}

/// Refuses a post by an id that means another one, or none, on one of the servers.
fn refuse_servers(wish: &Wish, known: &BTreeMap<AccountId, AccountItem>) -> Result<()> {
    if !matches!(wish, Wish::Repost(_) | Wish::Like(_)) {
        return Ok(());
    }
    let servers: BTreeSet<_> =
        known.iter().filter_map(|(id, item)| id.server_of_ids(item.url.as_deref())).collect();
    if servers.len() <= 1 {
        return Ok(());
    }
    Err(Error::refused(format!(
        "the accounts are on {} servers, each of which has an id of its own for a post: do it for one account after the other",
        servers.len()
    )))
}

/// What is stored of those who do it and of those it is about.
async fn known(store: &Store, units: &[Unit]) -> Result<BTreeMap<AccountId, AccountItem>> {
    let named = units.iter().flat_map(|unit| [Some(&unit.account), unit.other.as_ref()]);
    let named: BTreeSet<_> = named.flatten().cloned().collect();
    let read: Vec<_> = named
        .into_iter()
        .map(|id| async move { Ok::<_, flock_store::StoreError>((store.account(&id).await?, id)) })
        .collect();
    let mut read = stream::iter(read).buffer_unordered(AT_ONCE);
    let mut known = BTreeMap::new();
    while let Some(one) = read.next().await {
        if let (Some(item), id) = one? {
            known.insert(id, item);
        }
    }
    Ok(known)
}

/// Why the account cannot do it, by its network, its tier or a rule.
fn forbidden(
    wish: &Wish,
    unit: &Unit,
    item: &AccountItem,
    flock: &Flock,
    accounts: usize,
) -> Option<String> {
    let network = unit.account.network;
    if let Err(cannot) = check_action(network, item.facts.tier, wish.action()) {
        return Some(cannot.to_string());
    }
    let deed = Deed {
        action: wish.action(),
        cause: wish.cause(accounts),
        ai: Ai::No,
        account: &item.facts,
        same_text: None,
    };
    check_policy(network, &deed, &flock.waivers).err().map(|forbidden| forbidden.to_string())
}
