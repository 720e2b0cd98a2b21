//! Connects an account, or gives it a new key, by signing in: first a link is made, then somebody has signed in by it.

use anyhow::anyhow;
use flock_aws::{Instant, Keyring, random_token};
use flock_core::{
    AccountId, JobKind, Network, Objection, Purpose, Remedy, SheepId, SignIn, SigningIn, State,
    TokenDigest, broken_by_account,
};
use flock_net::{Account, Failure, FailureKind, Networks, NewKey};
use flock_store::{AccountItem, AskedSignIn, Read, Store, Stored, Write};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::time::timeout_at;

use crate::{
    Error, KeyFrom, NewAccount, Noted, Result, Steered, VouchedFor,
    at_once::AT_ONCE,
    spelling::{is_there_as, refuse_other_spelling},
    steer,
};

/// A link by which somebody signs in, once.
#[derive(Debug)]
pub struct Link {
    /// The end of its address. Whoever has it can sign in.
    pub token: SecretString,
    /// When it expires.
    pub until: Timestamp,
}

/// Somebody who has signed in, and what for.
#[derive(Debug)]
pub struct SignedIn<'a> {
    /// What they signed in for.
    pub sign_in: &'a SignIn,
    /// The key that came of it.
    pub key: NewKey,
    /// The credentials of the app, on a network that has apps.
    pub app: Option<SecretString>,
    /// How its network is asked.
    pub asking: Asking<'a>,
}

/// How a network is asked for somebody who has signed in.
#[derive(Debug, Clone, Copy)]
pub struct Asking<'a> {
    /// Where the networks are.
    pub networks: &'a Networks,
    /// Until when they may take, with all requests together; `None`: as long as each may.
    pub until: Option<Instant>,
    /// Whether somebody says that the account is labelled as a bot's, or, where we can do that, wants it to be.
    pub labelled: bool,
}

/// An account that has a new key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connected {
    /// Why nothing may be posted through it all the same, for a person.
    pub must_not_post: Vec<String>,
    /// The sheep that go on, because they had stopped for the account.
    pub resumed: Vec<SheepId>,
    /// Whether the account is to be marked as a bot's still, which could not be done now and may be later.
    pub is_to_be_marked: bool,
}

/// Makes a link by which the account `id` is connected; `server` is the address of its server, where that does not follow
/// from its name.
pub async fn link_to_connect(
    store: &Store,
    noted: &Noted,
    id: &AccountId,
    server: Option<String>,
    now: Timestamp,
) -> Result<Link> {
    let token = random_token();
    let work = to_connect(store, &token, id, server).await?;
    make(store, noted, token, work, now).await
}

/// Makes a link by which the account `id` is given a new key.
pub async fn link_to_renew(
    store: &Store,
    noted: &Noted,
    id: &AccountId,
    now: Timestamp,
) -> Result<Link> {
    let token = random_token();
    let work = to_renew(store, &token, id).await?;
    make(store, noted, token, work, now).await
}

/// What is signed in for where that needs no link, because who asks is who signs in.
pub async fn sign_in_here(
    store: &Store,
    id: &AccountId,
    purpose: Purpose,
    server: Option<String>,
) -> Result<SignIn> {
    let token = random_token();
    match purpose {
        Purpose::Connect => to_connect(store, &token, id, server).await,
        Purpose::Renew => to_renew(store, &token, id).await,
    }
}

/// Refuses what cannot be connected.
async fn to_connect(
    store: &Store,
    token: &SecretString,
    id: &AccountId,
    server: Option<String>,
) -> Result<SignIn> {
    refuse_keyless(id)?;
    if let Some(server) = &server {
        refuse_no_server(id, server)?;
    }
    if store.newest_account(id).await?.is_some() {
        return Err(connected_already(id));
    }
    if let Some(other) = is_there_as(store, id).await? {
        let why = format!("{id} is connected already, as {other}: write it so");
        return Err(Error::refused(Objection::from(why).with(Remedy::RenewAccount(other))));
    }
    let (id, account) = (TokenDigest::of(token.expose_secret()), id.clone());
    Ok(SignIn { id, account, purpose: Purpose::Connect, server })
}

/// Refuses what has no key to be renewed.
async fn to_renew(store: &Store, token: &SecretString, id: &AccountId) -> Result<SignIn> {
    refuse_keyless(id)?;
    let Some(there) = store.newest_account(id).await? else {
        return Err(not_there(store, id).await);
    };
    let (id, account) = (TokenDigest::of(token.expose_secret()), id.clone());
    Ok(SignIn { id, account, purpose: Purpose::Renew, server: there.url })
}

/// What came of a sign-in whose end nobody has noted: `None`, where it has given no key. What is left to do is done.
pub async fn connected_by(
    store: &Store,
    noted: &Noted,
    keyring: Keyring,
    sign_in: &SignIn,
    asking: Asking<'_>,
    now: Timestamp,
) -> Result<Option<Connected>> {
    let id = &sign_in.account;
    let Some(account) = store.newest_account(id).await? else { return Ok(None) };
    if account.signed_in.as_ref() != Some(&sign_in.id) {
        return Ok(None);
    }
    let marked = mark(store, keyring, id, account, None, asking).await?;
    let resumed = resume_for_account(store, noted, id, now).await?;
    Ok(Some(Connected { resumed, ..marked }))
}

/// What a sign-in that is over has reached, if the account still has the key by it. Nothing changes.
pub async fn reached_by(store: &Store, sign_in: &SignIn) -> Result<Option<Connected>> {
    let id = &sign_in.account;
    let account = store.newest_account(id).await?;
    Ok(account.filter(|account| account.signed_in.as_ref() == Some(&sign_in.id)).map(|account| {
        let must_not_post = broken_by_account(id.network, &account.facts);
        Connected { must_not_post, resumed: Vec::new(), is_to_be_marked: false }
    }))
}

/// Asks the network whose the key is that somebody has signed in for, and stores it. Where it is the new key of an account, the
/// sheep go on that had stopped for that, each from where it was.
///
/// What is not answered in time before the key is stored is refused, and the key is lost with it; a mark as a bot that is not made in
/// time is left to [`connected_by`].
pub async fn connect_account(
    store: &Store,
    noted: &Noted,
    keyring: Keyring,
    signed_in: SignedIn<'_>,
    now: Timestamp,
) -> Result<Connected> {
    let SignedIn { sign_in, mut key, app, asking } = signed_in;
    let id = &sign_in.account;
    let there = store.newest_account(id).await?;
    match (sign_in.purpose, &there) {
        (Purpose::Connect, Some(_)) => return Err(connected_already(id)),
        (Purpose::Renew, None) => return Err(not_there(store, id).await),
        (Purpose::Connect, None) => {}
        (Purpose::Renew, Some(there)) => key.facts = there.facts.clone(),
    }
    // There nobody but the person can say so.
    if id.network == Network::X {
        key.facts.labelled |= asking.labelled;
    }
    let new = NewAccount { id: id.clone(), key, app: app.clone(), networks: asking.networks };
    let check = Box::pin(new.check(KeyFrom::SignIn(sign_in.purpose)));
    let checked = within(asking.until, check).await;
    let vouched = checked.ok_or_else(|| not_checked(sign_in))??;
    let mut item = AccountItem { signed_in: Some(sign_in.id.clone()), ..vouched.sealed(&keyring) };
    match &there {
        Some(there) => {
            refuse_another(id, there, &vouched)?;
            item.facts.tier = there.facts.tier;
            item.facts.labelled |= there.facts.labelled;
        }
        None => refuse_twice(store, id, &vouched).await?,
    }
    let written = match &there {
        Some(there) => renew(store, id, there, &item).await?,
        None => store.create_account(id, item.clone()).await?,
    };
    match (written, sign_in.purpose) {
        (Stored::Done, _) => {}
        (Stored::TakenBy(other), Purpose::Connect) => return Err(taken(id, &other)),
        (Stored::TakenBy(other), Purpose::Renew) => {
            let why = format!("{id} keeps its key: its user is connected already, as {other}");
            return Err(Error::refused(why));
        }
        (Stored::Changed, Purpose::Connect) => return Err(connected_already(id)),
        (Stored::Changed, Purpose::Renew) => {
            let why = format!("{id} was given another key, or removed, meanwhile");
            return Err(Error::refused(why));
        }
    }
    let marked = mark(store, keyring, id, item, app.as_ref(), asking).await?;
    let resumed = resume_for_account(store, noted, id, now).await?;
    Ok(Connected { resumed, ..marked })
}

/// What it means that the server of `id` was asked and has not answered in the time there was, which is less than it may take: nobody
/// knows what came of it.
pub fn late(id: &AccountId) -> Failure {
    let network = id.network.title_within();
    let who = match (id.network, id.handle.as_str().split_once('@')) {
        (Network::Mastodon, Some((_, host))) => format!("{network} at {host}"),
        (Network::Meadow | Network::X | Network::Mastodon | Network::Bluesky, _) => network,
    };
    Failure { kind: FailureKind::Unknown, why: format!("{who} has not answered in time") }
}

/// What `work` comes to, if it does so in time.
async fn within<T>(until: Option<Instant>, work: impl Future<Output = T>) -> Option<T> {
    match until {
        Some(until) => timeout_at(until, work).await.ok(),
        None => Some(work.await),
    }
}

/// Whose the key is has not been said in time.
fn not_checked(sign_in: &SignIn) -> Error {
    let id = &sign_in.account;
    let not_done = match sign_in.purpose {
        Purpose::Connect => "is not added",
        Purpose::Renew => "has no new key",
    };
    Error::refused(format!("{id} {not_done}: {}; sign in again later", late(id)))
}

/// Has the network show that the account, whose key is stored, is a bot's, if that is wanted and we can do it. Nothing is resumed.
async fn mark(
    store: &Store,
    keyring: Keyring,
    id: &AccountId,
    mut item: AccountItem,
    app: Option<&SecretString>,
    asking: Asking<'_>,
) -> Result<Connected> {
    let is_marked_here = match id.network {
        Network::Mastodon | Network::Bluesky => true,
        Network::X | Network::Meadow => false,
    };
    let mut must_not_post = Vec::new();
    let mut is_to_be_marked = false;
    if asking.labelled && is_marked_here && !item.facts.labelled {
        let account = Account::from_item(id, item.clone(), keyring, app)?;
        let marked = within(asking.until, Box::pin(asking.networks.mark_as_bot(&account))).await;
        match marked.unwrap_or_else(|| Err(late(id))) {
            Ok(()) => {
                item.facts.labelled = true;
                store.put_label(id, true).await?;
            }
            Err(failure) => {
                is_to_be_marked = match failure.kind {
                    FailureKind::TryAgain { .. } | FailureKind::Unknown => true,
                    FailureKind::NotThisText(_) | FailureKind::Refused(_) => false,
                };
                must_not_post.push(format!(
                    "{id} could not be marked as a bot: {failure}; mark it in its settings on the network, then renew \
                     its key"
                ));
            }
        }
    }
    must_not_post.extend(broken_by_account(id.network, &item.facts));
    Ok(Connected { must_not_post, resumed: Vec::new(), is_to_be_marked })
}

/// Writes the new key of an account over the one that was `there`, however that is sealed by now.
pub(crate) async fn renew(
    store: &Store,
    id: &AccountId,
    there: &AccountItem,
    item: &AccountItem,
) -> Result<Stored> {
    /// A rotation seals a key anew once.
    const TRIES: usize = 3;
    let mut sealed_key = there.sealed_key.clone();
    for _ in 0..TRIES {
        match store.renew_account(id, &sealed_key, item.clone()).await? {
            stored @ (Stored::Done | Stored::TakenBy(_)) => return Ok(stored),
            Stored::Changed => {}
        }
        match store.newest_account(id).await? {
            Some(newest)
                if newest.signed_in == there.signed_in
                    && newest.remote_user == there.remote_user
                    && newest.sealed_key != sealed_key =>
            {
                sealed_key = newest.sealed_key;
            }
            Some(_) | None => break,
        }
    }
    Ok(Stored::Changed)
}

/// Lets the sheep go on that had stopped because of their account `id`. What stopped for anything else, or was paused, stays so.
pub async fn resume_for_account(
    store: &Store,
    noted: &Noted,
    id: &AccountId,
    now: Timestamp,
) -> Result<Vec<SheepId>> {
    let mut resumed = Vec::new();
    for sheep in store.sheep_on(id).await? {
        let Some(sheep) = store.sheep(&sheep, Read::Consistent).await? else { continue };
        let is_meant = sheep.config.account == *id
            && matches!(sheep.state, State::Stopped { for_account: true, .. });
        if is_meant {
            let Steered { sheep, is_changed } =
                steer(store, noted, JobKind::Resume, sheep, now).await?;
            resumed.extend(is_changed.then_some(sheep.id));
        }
    }
    Ok(resumed)
}

async fn make(
    store: &Store,
    noted: &Noted,
    token: SecretString,
    work: SignIn,
    now: Timestamp,
) -> Result<Link> {
    let sign_in = SigningIn::new(work, now);
    let until = sign_in.until;
    let by = noted.who().by.clone();
    match store.put_sign_in(&AskedSignIn { sign_in, by }).await? {
        Write::Done => Ok(Link { token, until }),
        Write::Conflict(()) => Err(Error::Failed(anyhow!("a random token was drawn twice"))),
    }
}

pub(crate) fn refuse_keyless(id: &AccountId) -> Result<()> {
    if id.network.ways().is_empty() {
        let network = id.network.title_within();
        return Err(Error::refused(format!(
            "accounts of {network} need no key: just name them in a flock"
        )));
    }
    Ok(())
}

pub(crate) fn refuse_no_server(id: &AccountId, server: &str) -> Result<()> {
    /// A name of a host has 253 characters at most (RFC 1035), and more is hardly an address.
    const LONGEST: usize = 300;
    if id.network == Network::X {
        return Err(Error::refused("X has one server alone; leave its address out".to_owned()));
    }
    let rest = ["https://", "http://"].iter().find_map(|scheme| server.strip_prefix(scheme));
    let is_plain = rest.is_some_and(|rest| {
        let parts = rest.trim_end_matches('/').split('/');
        let is_part = |part: &str| !matches!(part, "" | "." | "..");
        // With a password, a query or an end that browsers keep to themselves it would be another way to write the same.
        parts.into_iter().all(is_part) && !rest.contains(['@', '?', '#', '%', '\\'])
    });
    if !is_plain || LONGEST < server.len() || !server.bytes().all(|b| b.is_ascii_graphic()) {
        let why = "that is no address of a server; write it as https://example.social, without a password and without \
                   anything behind the name";
        return Err(Error::refused(why.to_owned()));
    }
    Ok(())
}

fn connected_already(id: &AccountId) -> Error {
    let why = format!("{id} is connected already");
    Error::refused(Objection::from(why).with(Remedy::RenewAccount(id.clone())))
}

/// That the account was never added, or how it is written.
pub(crate) async fn not_there(store: &Store, id: &AccountId) -> Error {
    if let Err(err) = refuse_other_spelling(store, id).await {
        return err;
    }
    let why = format!("the account {id} was never added");
    Error::refused(Objection::from(why).with(Remedy::AddAccount(id.clone())))
}

/// Refuses the key of somebody else under the same name.
fn refuse_another(id: &AccountId, there: &AccountItem, vouched: &VouchedFor<'_>) -> Result<()> {
    let (before, now) = (there.remote_user.as_str(), vouched.remote_user());
    if before.is_empty() || before == now {
        return Ok(());
    }
    Err(Error::refused(format!(
        "{id} keeps its key: the new one is that of the user {now}, and {id} is the user {before}; sign in as that one"
    )))
}

/// The user of the account is connected as another.
pub(crate) fn taken(id: &AccountId, other: &AccountId) -> Error {
    Error::refused(format!("{id} is not added: it is connected already, as {other}"))
}

/// Refuses an account that is here under another name, since before whose an account is was noted.
pub(crate) async fn refuse_twice(
    store: &Store,
    id: &AccountId,
    vouched: &VouchedFor<'_>,
) -> Result<()> {
    let remote_user = vouched.remote_user();
    let others = store.accounts().await?.into_iter();
    let others: Vec<_> = others
        .filter(|other| other.network == id.network && other != id)
        .map(|other| async move {
            let account = store.newest_account(&other).await?;
            Ok::<_, Error>(account.map(|account| (other, account)))
        })
        .collect();
    let others: Vec<_> = stream::iter(others).buffered(AT_ONCE).try_collect().await?;
    let server = id.server_of_ids(vouched.url());
    let is_same = |(other, account): &&(AccountId, AccountItem)| {
        account.remote_user == remote_user && other.server_of_ids(account.url.as_deref()) == server
    };
    match others.iter().flatten().find(is_same) {
        Some((other, _)) if !remote_user.is_empty() => Err(taken(id, other)),
        Some(_) | None => Ok(()),
    }
}
