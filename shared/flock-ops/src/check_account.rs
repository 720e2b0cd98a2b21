//! Whether the keys of accounts still work.

use flock_core::{AccountId, Asker, CheckedKeys, Job, KeyCheck, View, Work};
use flock_net::{Account, Accounts, Checked, FailureKind, Left, Networks};
use flock_store::Store;
use futures_util::{StreamExt as _, stream};
use jiff::Timestamp;
use serde::Serialize;

use crate::{
    Begun, Error, Noted, Result, begin_job,
    connect_account::{not_there, refuse_keyless},
    spelling::refuse_other_spelling,
};

/// Accounts that are asked about at once: networks and their servers are others', and the answers are small.
const AT_ONCE: usize = 8;

/// What an account's network says of its key.
#[derive(Debug, Serialize)]
pub struct AccountCheck {
    /// The account.
    pub account: String,
    /// Whether the key works, and is the account's. `None`: nobody knows, because its network did not say it.
    pub works: Option<bool>,
    /// Whose it is, as its network calls them, where it says so.
    #[serde(rename = "as")]
    pub known_as: Option<String>,
    /// The id of whose it is, where its network or the key itself says so.
    pub user: Option<String>,
    /// Why it does not, or why nobody can say.
    pub why: Option<String>,
    /// What it allows, in the network's words, where it says so.
    pub scopes: Vec<String>,
    /// What it does not allow that posting a text does not need, and what cannot be done then.
    pub lacks: Vec<String>,
    /// What is left of limits, where it says so.
    pub limits: Vec<LimitLine>,
}

/// What is left of a limit.
#[derive(Debug, Serialize)]
pub struct LimitLine {
    /// What it is a limit of.
    pub name: &'static str,
    /// How much is left.
    pub left: u64,
    /// Of how much.
    pub of: Option<u64>,
    /// From when on there is more.
    pub until: Option<Timestamp>,
}

/// Accounts of one step of a job: side by side, so that a step takes no longer than the slowest of them. A network that does not answer
/// is given up after one request, within what a tick keeps for what it has begun.
const STEP: u16 = 8;

/// What a step of a check came to.
#[derive(Debug)]
pub enum CheckStride {
    /// These are done.
    Done {
        /// They, and what is said of each.
        step: CheckedKeys,
        /// Whether no account comes after them.
        is_last: bool,
    },
    /// No account is left.
    Nothing,
}

/// Begins a check of one account, or of all, if none of the same is under way.
pub async fn begin_check(
    store: &Store,
    noted: &Noted,
    asker: Asker,
    only: Option<AccountId>,
    now: Timestamp,
) -> Result<Begun> {
    match &only {
        Some(id) => {
            refuse_keyless(id)?;
            if store.newest_account(id).await?.is_none() {
                return Err(not_there(store, id).await);
            }
        }
        None if store.some_accounts(None, 1).await?.is_empty() => {
            return Err(Error::refused("no account is here whose key could be checked".to_owned()));
        }
        None => {}
    }
    let id = KeyCheck::job(only.as_ref());
    let work = Work::Check(KeyCheck { only, ..KeyCheck::default() });
    begin_job(store, noted, Job::new(id, work, asker, now)).await
}

/// Asks about the next accounts of a check, as many as a step has.
pub async fn check_stride(
    store: &Store,
    (accounts, networks): (&Accounts, &Networks),
    work: &KeyCheck,
    view: &View,
) -> Result<CheckStride> {
    let ids = match &work.only {
        Some(_) if work.cursor.is_some() => Vec::new(),
        Some(only) => vec![only.clone()],
        None => store.some_accounts(work.cursor.as_ref(), STEP).await?,
    };
    let Some(cursor) = ids.last().cloned() else { return Ok(CheckStride::Nothing) };
    let is_last = ids.len() < STEP.into();
    let checks = check_each(accounts, networks, ids, &|_, _| {}).await;
    let lines = checks.iter().map(|check| (check.works, check.line(view))).collect();
    Ok(CheckStride::Done { step: CheckedKeys { cursor, lines }, is_last })
}

/// Asks the networks about these accounts, or about all, and changes nothing but a session that is over. In the order of their names;
/// `progress` is told how many of how many are done.
pub async fn check_accounts(
    store: &Store,
    (accounts, networks): (&Accounts, &Networks),
    ids: &[AccountId],
    progress: &(dyn Fn(u64, u64) + Sync),
) -> Result<Vec<AccountCheck>> {
    let known = store.accounts().await?;
    if let Some(unknown) = ids.iter().find(|id| !known.contains(id)) {
        refuse_other_spelling(store, unknown).await?;
        return Err(Error::refused(format!("the account {unknown} was never added")));
    }
    let mut ids = if ids.is_empty() { known } else { ids.to_vec() };
    ids.sort();
    ids.dedup();
    Ok(check_each(accounts, networks, ids, progress).await)
}

/// Asks about each of these accounts, some at once.
async fn check_each(
    accounts: &Accounts,
    networks: &Networks,
    ids: Vec<AccountId>,
    progress: &(dyn Fn(u64, u64) + Sync),
) -> Vec<AccountCheck> {
    let all = u64::try_from(ids.len()).unwrap_or(u64::MAX);
    progress(0, all);
    let asked: Vec<_> = ids.into_iter().map(|id| check(accounts, networks, id)).collect();
    let mut asked = stream::iter(asked).buffer_unordered(AT_ONCE);
    let mut checks = Vec::new();
    while let Some(check) = asked.next().await {
        checks.push(check);
        progress(u64::try_from(checks.len()).unwrap_or(u64::MAX), all);
    }
    checks.sort_by(|(a, _), (b, _)| a.cmp(b));
    checks.into_iter().map(|(_, check)| check).collect()
}

async fn check(
    accounts: &Accounts,
    networks: &Networks,
    id: AccountId,
) -> (AccountId, AccountCheck) {
    let check = match accounts.open(&id).await {
        Ok(Some(account)) => of_account(networks, &account).await,
        Ok(None) => AccountCheck::not(
            &id,
            "it was removed meanwhile, or never was wholly there; connect it again".to_owned(),
        ),
        Err(err) => AccountCheck::not(&id, format!("its key cannot be opened: {err:#}")),
    };
    (id, check)
}

async fn of_account(networks: &Networks, account: &Account) -> AccountCheck {
    let id = &account.id;
    let Checked { remote_user, is_proven, handle, scopes, lacks, limits, .. } =
        match Box::pin(networks.check_again(account)).await {
            Ok(checked) => checked,
            Err(failure) => {
                return match failure.kind {
                    FailureKind::NotThisText(_) | FailureKind::Refused(_) => {
                        AccountCheck::not(id, failure.to_string())
                    }
                    FailureKind::TryAgain { .. } | FailureKind::Unknown => AccountCheck {
                        works: None,
                        ..AccountCheck::not(id, format!("{failure}; try again later"))
                    },
                };
            }
        };
    let others = handle.as_ref().filter(|theirs| !id.is_called(theirs));
    let other_user = || {
        let known = [&account.remote_user, &remote_user];
        known.iter().all(|user| !user.is_empty()) && account.remote_user != remote_user
    };
    let why = if other_user() {
        Some(format!(
            "the key is that of the user {remote_user}, not of {} as when it was added; renew its key",
            account.remote_user
        ))
    } else {
        // Whoever was added may call themselves otherwise by now, and is the same all the same.
        others.filter(|_| account.remote_user.is_empty()).map(|theirs| {
            format!("the key is that of {theirs}, not of {}; renew its key", id.handle)
        })
    };
    let limits = limits.into_iter().map(LimitLine::from).collect();
    let works = Some(why.is_none());
    let user = is_proven.then_some(remote_user);
    AccountCheck {
        account: id.to_string(),
        works,
        known_as: handle,
        user,
        why,
        scopes,
        lacks,
        limits,
    }
}

impl AccountCheck {
    fn not(id: &AccountId, why: String) -> Self {
        Self {
            account: id.to_string(),
            works: Some(false),
            known_as: None,
            user: None,
            why: Some(why),
            scopes: Vec::new(),
            lacks: Vec::new(),
            limits: Vec::new(),
        }
    }

    /// The same for people, in a line.
    pub fn line(&self, view: &View) -> String {
        let mut parts = Vec::new();
        parts.push(match (&self.why, &self.known_as, &self.user) {
            (Some(why), ..) if self.works.is_none() => {
                format!("nobody knows whether {} works: {why}", self.account)
            }
            (Some(why), ..) => format!("{} does NOT work: {why}", self.account),
            (None, Some(name), _) => format!("{} works, as {name}", self.account),
            (None, None, Some(user)) => format!("{} works, as the user {user}", self.account),
            (None, None, None) => format!("{} works", self.account),
        });
        if !self.scopes.is_empty() {
            parts.push(format!("it allows {}", self.scopes.join(", ")));
        }
        parts.extend(self.lacks.iter().map(|lacks| format!("it lacks {lacks}")));
        for LimitLine { name, left, of, until } in &self.limits {
            let of = of.map(|of| format!(" of {of}")).unwrap_or_default();
            let until = until.map(|at| format!(" until {}", view.clock(at))).unwrap_or_default();
            parts.push(format!("{left}{of} {name} left{until}"));
        }
        parts.join("; ")
    }
}

impl From<Left> for LimitLine {
    fn from(Left { name, left, of, until }: Left) -> Self {
        Self { name, left, of, until }
    }
}
