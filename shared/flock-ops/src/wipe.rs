//! Deletes all posts of an account or a flock: what that would be, and the job that does it.

use std::collections::{BTreeMap, BTreeSet};

use flock_core::{
    AccountId, Asker, Charge, FlockName, Job, JobId, Month, Network, Sheep, SheepId, Usd, Whom,
    Wipe, Work, count, listed,
};
use flock_store::Store;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use jiff::{SignedDuration, Timestamp};

use crate::{
    Begun, Error, Noted, Result, accounts_of, begin_job, connect_account::not_there, payer_of,
    whom::accounts_of_sheep,
};

/// Accounts that are looked through at once.
const AT_ONCE: usize = 16;

/// Posts that are read at once.
const PAGE: usize = 500;

/// What a wipe would delete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WipeCount {
    /// Whose posts.
    pub of: Whom,
    /// Whether also what is not recorded, of which nobody knows how much it is.
    pub everything: bool,
    /// Whose money it costs.
    pub payer: FlockName,
    /// The accounts, by name, each with how many posts are recorded of it and not deleted.
    pub accounts: Vec<(AccountId, u64)>,
    /// What the deletions cost that are known of.
    pub price: Usd,
    /// What is left of the payer's cap this month. `None`: it has no cap.
    pub left: Option<Usd>,
    /// How long it takes by the limits of the networks alone.
    pub time: SignedDuration,
    sheep: Vec<(SheepId, AccountId)>,
}

/// Counts what a wipe would delete, and what it costs; no network is asked. Refuses what has no account, and accounts of a flock that
/// others post through, too.
pub async fn count_wipe(
    store: &Store,
    of: Whom,
    everything: bool,
    pay: Option<&FlockName>,
    now: Timestamp,
) -> Result<WipeCount> {
    let all = store.sheep_of(None).await?;
    let accounts = match &of {
        Whom::Account(account) => {
            let is_known = account.network == Network::Meadow
                || store.newest_account(account).await?.is_some();
            if !is_known {
                return Err(not_there(store, account).await);
            }
            vec![account.clone()]
        }
        Whom::Flock(flock) => {
            // Says which flocks there are, where it is none.
            store.sheep_of(Some(flock)).await?;
            let accounts = accounts_of_sheep(all.iter().filter(|sheep| sheep.id.flock == *flock));
            refuse_shared(flock, &accounts, &all)?;
            accounts
        }
    };
    let here = all.iter().filter(|sheep| accounts.contains(&sheep.config.account));
    let sheep: Vec<_> =
        here.map(|sheep| (sheep.id.clone(), sheep.config.account.clone())).collect();
    let counts: Vec<_> = accounts.iter().map(|account| recorded(store, account, &sheep)).collect();
    let counted: Vec<(AccountId, u64, Vec<SheepId>)> =
        stream::iter(counts).buffered(AT_ONCE).try_collect().await?;
    let price = counted.iter().fold(Usd::ZERO, |sum, (account, posts, _)| {
        sum.plus((account.network.facts().price)(Charge::Delete).times(*posts))
    });
    let payer = payer_of(store, &of, pay).await?;
    let spent = store.ledger(&payer, Month::of(now)).await?.spent;
    let cap = store.flock(&payer).await?.and_then(|flock| flock.monthly_cap);
    let known: Vec<_> =
        counted.iter().map(|(account, posts, _)| (account.network, *posts)).collect();
    Ok(WipeCount {
        of,
        everything,
        payer,
        accounts: counted.into_iter().map(|(account, posts, _)| (account, posts)).collect(),
        price,
        left: cap.map(|cap| cap.minus(spent)),
        time: Wipe::time_for(&known),
        sheep,
    })
}

/// Begins the wipe that was counted, if none of the same is under way. Refuses what costs more than is left, and what another wipe is
/// at.
pub async fn begin_wipe(
    store: &Store,
    noted: &Noted,
    asker: Asker,
    count: &WipeCount,
    now: Timestamp,
) -> Result<Begun> {
    count.refuse_unpaid()?;
    let names: Vec<_> = count.accounts.iter().map(|(account, _)| account.clone()).collect();
    if let Some(why) = being_wiped(store, &names, Some(&count.of)).await? {
        return Err(Error::refused(why));
    }
    // What an older version applied is not noted, nor is what was on the meadow then.
    store.enlist(&count.sheep).await?;
    let work = Wipe::new(count.of.clone(), count.everything, count.payer.clone(), &names);
    let work = Work::Wipe(Box::new(work));
    let begun = begin_job(store, noted, Job::new(Wipe::job(&count.of), work, asker, now)).await?;
    if let Begun::UnderWay(Job { id, work: Work::Wipe(other), .. }) = &begun
        && (other.everything, &other.payer) != (count.everything, &count.payer)
    {
        let beyond = if other.everything { "with" } else { "without" };
        return Err(Error::refused(format!(
            "the job {id} wipes {} right now, {beyond} what is not recorded, and flock {} pays; wait until it is over, or end it              first",
            other.of.named(),
            other.payer
        )));
    }
    Ok(begun)
}

/// The accounts that a wipe which was asked for before `job` has, each with that. Two that were asked for at once have both begun.
pub async fn wiped_before(store: &Store, job: &Job) -> Result<BTreeMap<AccountId, JobId>> {
    let mut taken = BTreeMap::new();
    for other in store.running_jobs().await? {
        let Work::Wipe(wipe) = &other.work else { continue };
        if (other.since, &other.id) < (job.since, &job.id) {
            let accounts = accounts_of(store, &wipe.of).await?;
            taken.extend(accounts.into_iter().map(|account| (account, other.id.clone())));
        }
    }
    Ok(taken)
}

/// Why nobody else may have these accounts: a wipe is at one of them, which is none `of` that.
pub(crate) async fn being_wiped(
    store: &Store,
    accounts: &[AccountId],
    of: Option<&Whom>,
) -> Result<Option<String>> {
    for job in store.running_jobs().await? {
        let Work::Wipe(wipe) = &job.work else { continue };
        if of == Some(&wipe.of) {
            continue;
        }
        let others = accounts_of(store, &wipe.of).await?;
        if let Some(account) = accounts.iter().find(|account| others.contains(account)) {
            let whole = match &wipe.of {
                Whom::Account(_) => String::new(),
                Whom::Flock(_) => format!("{}, and ", wipe.of.named()),
            };
            return Ok(Some(format!(
                "the job {} wipes {whole}{account} right now; wait until it is over",
                job.id
            )));
        }
    }
    Ok(None)
}

/// The wipes that wait for the cap of this flock, which pays for them.
pub(crate) async fn waiting_for_cap(
    store: &Store,
    payer: &FlockName,
    now: Timestamp,
) -> Result<Vec<Job>> {
    let mut jobs = store.running_jobs().await?;
    jobs.retain(|job| is_waiting(job, payer, now));
    Ok(jobs)
}

fn is_waiting(job: &Job, payer: &FlockName, now: Timestamp) -> bool {
    let Work::Wipe(wipe) = &job.work else { return false };
    job.is_running() && wipe.payer == *payer && wipe.waits_for_cap(now)
}

/// Has the wipes go on that wait for the cap of this flock.
pub(crate) async fn wake_wipes(store: &Store, payer: &FlockName, now: Timestamp) -> Result<()> {
    for job in waiting_for_cap(store, payer, now).await? {
        // A tick that is at another of its accounts makes its step again.
        let woken = |job: &Job| match &job.work {
            Work::Wipe(wipe) if is_waiting(job, payer, now) => {
                job.step(Work::Wipe(Box::new(wipe.retry_for_cap(now))))
            }
            _ => job.clone(),
        };
        store.change_job(job, woken).await?;
    }
    Ok(())
}

impl WipeCount {
    /// How many posts are known of.
    pub fn posts(&self) -> u64 {
        self.accounts.iter().map(|(_, posts)| posts).sum()
    }

    /// Refuses what costs more than is left under the payer's cap.
    pub fn refuse_unpaid(&self) -> Result<()> {
        let left = self.left.unwrap_or(Usd::ZERO);
        if self.price <= left {
            return Ok(());
        }
        let price = self.price;
        Err(Error::refused(match self.left {
            Some(left) => format!(
                "to delete {} costs {price}, and flock {} has {left} left of its `monthly_cap` this month; raise that in its \
                 flock.toml and apply it, or have another flock pay",
                count(self.posts(), "post"),
                self.payer
            ),
            None => format!(
                "to delete {} costs {price}, and flock {} has no `monthly_cap`; write one in its flock.toml and apply it, or \
                 have another flock pay",
                count(self.posts(), "post"),
                self.payer
            ),
        }))
    }

    /// What will happen, in sentences.
    pub fn consequence(&self) -> String {
        let accounts = match &*self.accounts {
            [(account, _)] => account.to_string(),
            several => {
                let number = u64::try_from(several.len()).unwrap_or(u64::MAX);
                format!("{}, {}", self.of, count(number, "account"))
            }
        };
        let sheep = u64::try_from(self.sheep.len()).unwrap_or(u64::MAX);
        let mut said = vec![format!(
            "This deletes {} of {accounts} for good, as far as the record of 400 days has them.",
            count(self.posts(), "post")
        )];
        if self.everything {
            said.push("What the networks list beyond it is deleted, too; how much that is, is not known before.".to_owned());
            said.extend(self.lists_newest());
        }
        said.push(match self.sheep.len() {
            0 => "No sheep posts there now.".to_owned(),
            1 => "Its sheep is paused, and begins at line 1 when it is resumed.".to_owned(),
            _ => format!(
                "{} are paused, and begin at line 1 when they are resumed.",
                count(sheep, "sheep")
            ),
        });
        if self.price != Usd::ZERO {
            let beyond = if self.everything {
                ", and more for what is found beyond the record: a listing and a deletion of each"
            } else {
                ""
            };
            let left = self.left.map(|left| format!(" (it has {left} left this month)"));
            said.push(format!(
                "It costs {}{beyond}, which flock {} pays{}.",
                self.price,
                self.payer,
                left.unwrap_or_default()
            ));
        }
        said.push(self.duration());
        said.join(" ")
    }

    /// How long it takes.
    pub fn duration(&self) -> String {
        const HOUR: i64 = 3_600;
        match self.time.as_secs() {
            0 => "It is done within some minutes.".to_owned(),
            seconds if seconds < HOUR => {
                format!("By the networks' limits it takes {} minutes.", self.time.as_mins())
            }
            seconds => {
                let hours = u64::try_from(seconds.saturating_add(HOUR - 1) / HOUR).unwrap_or(0);
                format!("By the networks' limits it takes {}.", count(hours, "hour"))
            }
        }
    }

    /// Which networks do not list all.
    fn lists_newest(&self) -> Vec<String> {
        let networks: BTreeSet<_> =
            self.accounts.iter().map(|(account, _)| account.network).collect();
        lists_newest(networks.into_iter())
    }
}

/// What networks do not list all of, in sentences.
pub fn lists_newest(networks: impl Iterator<Item = Network>) -> Vec<String> {
    let newest = networks.filter_map(|network| Some((network, network.facts().lists?)));
    let said = newest.map(|(network, newest)| {
        let title = network.facts().title;
        format!("{title} lists the newest {newest} posts of an account; what is older and not recorded stays.")
    });
    said.collect()
}

/// Refuses accounts of a flock that others post through, too.
fn refuse_shared(flock: &FlockName, accounts: &[AccountId], all: &[Sheep]) -> Result<()> {
    /// More is no sentence.
    const SHOWN: usize = 5;
    let others = all.iter().filter(|sheep| sheep.id.flock != *flock);
    let shared = accounts_of_sheep(others).into_iter().filter(|account| accounts.contains(account));
    let shared: Vec<_> = shared.collect();
    if shared.is_empty() {
        return Ok(());
    }
    Err(Error::refused(format!(
        "sheep of other flocks post through {}, too, whose posts would go with those of {flock}; wipe the accounts one by one",
        listed(&shared, SHOWN)
    )))
}

/// How many posts of an account are recorded and not deleted, and the sheep that made some.
async fn recorded(
    store: &Store,
    account: &AccountId,
    sheep: &[(SheepId, AccountId)],
) -> Result<(AccountId, u64, Vec<SheepId>)> {
    let here = sheep.iter().filter(|(_, on)| on == account).map(|(id, _)| id.clone());
    let mut ids: BTreeSet<_> = here.collect();
    ids.extend(store.sheep_on(account).await?);
    let mut posts = 0_u64;
    for id in &ids {
        let mut after = flock_core::Occurrence::default();
        loop {
            let page = store.posts_after(id, after, PAGE).await?;
            let Some(last) = page.last() else { break };
            after = last.post.occurrence;
            let is_last = page.len() < PAGE;
            let there = page.iter().filter(|on_record| {
                on_record.deleted_at.is_none() && on_record.post.account == *account
            });
            posts = posts.saturating_add(u64::try_from(there.count()).unwrap_or(u64::MAX));
            if is_last {
                break;
            }
        }
    }
    Ok((account.clone(), posts, ids.into_iter().collect()))
}
