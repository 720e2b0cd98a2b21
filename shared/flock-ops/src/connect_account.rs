//! Connects an account, or gives it a new key, by signing in: first a link is made, then somebody has signed in by it.

use anyhow::anyhow;
use flock_aws::{Keyring, random_token};
use flock_core::{
    AccountId, JobKind, Network, Objection, Purpose, Remedy, SheepId, SignIn, SigningIn, State,
    TokenDigest, broken_by_account,
};
use flock_net::{Account, Networks, NewKey};
use flock_store::{AccountItem, AskedSignIn, Read, Store, Stored, Write};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};

use crate::{
    Error, KeyFrom, NewAccount, Noted, Result, Steered, VouchedFor, at_once::AT_ONCE, steer,
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
    /// Whether they say that the account is labelled as a bot's, or, where we can do that, want it to be.
    pub labelled: bool,
    /// Where the networks are.
    pub networks: &'a Networks,
}

/// An account that has a new key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connected {
    /// Why nothing may be posted through it all the same, for a person.
    pub must_not_post: Vec<String>,
    /// The sheep that go on, because they had stopped for the account.
    pub resumed: Vec<SheepId>,
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
    let (id, account) = (TokenDigest::of(token.expose_secret()), id.clone());
    Ok(SignIn { id, account, purpose: Purpose::Connect, server })
}

/// Refuses what has no key to be renewed.
async fn to_renew(store: &Store, token: &SecretString, id: &AccountId) -> Result<SignIn> {
    refuse_keyless(id)?;
    let there = store.newest_account(id).await?.ok_or_else(|| not_there(id))?;
    let (id, account) = (TokenDigest::of(token.expose_secret()), id.clone());
    Ok(SignIn { id, account, purpose: Purpose::Renew, server: there.url })
}

/// What came of a sign-in whose end nobody has noted: `None`, where it has given no key. What is left to do is done.
pub async fn connected_by(
    store: &Store,
    noted: &Noted,
    sign_in: &SignIn,
    now: Timestamp,
) -> Result<Option<Connected>> {
    let id = &sign_in.account;
    let Some(account) = store.newest_account(id).await? else { return Ok(None) };
    if account.signed_in.as_ref() != Some(&sign_in.id) {
        return Ok(None);
    }
    let resumed = resume_for_account(store, noted, id, now).await?;
    Ok(Some(Connected { must_not_post: broken_by_account(id.network, &account.facts), resumed }))
}

/// What a sign-in that is over has reached, if the account still has the key by it. Nothing changes.
pub async fn reached_by(store: &Store, sign_in: &SignIn) -> Result<Option<Connected>> {
    let id = &sign_in.account;
    let account = store.newest_account(id).await?;
    Ok(account.filter(|account| account.signed_in.as_ref() == Some(&sign_in.id)).map(|account| {
        let must_not_post = broken_by_account(id.network, &account.facts);
        Connected { must_not_post, resumed: Vec::new() }
    }))
}

/// Asks the network whose the key is that somebody has signed in for, and stores it. Where it is the new key of an account, the
/// sheep go on that had stopped for that, each from where it was.
pub async fn connect_account(
    store: &Store,
    noted: &Noted,
    keyring: Keyring,
    signed_in: SignedIn<'_>,
    now: Timestamp,
) -> Result<Connected> {
    let SignedIn { sign_in, mut key, app, labelled, networks } = signed_in;
    let id = &sign_in.account;
    let there = store.newest_account(id).await?;
    match (sign_in.purpose, &there) {
        (Purpose::Connect, Some(_)) => return Err(connected_already(id)),
        (Purpose::Renew, None) => return Err(not_there(id)),
        (Purpose::Connect, None) => {}
        (Purpose::Renew, Some(there)) => key.facts = there.facts.clone(),
    }
    // There nobody but the person can say so.
    if id.network == Network::X {
        key.facts.labelled |= labelled;
    }
    let new = NewAccount { id: id.clone(), key, app: app.clone(), networks };
    let vouched = Box::pin(new.check(KeyFrom::SignIn(sign_in.purpose))).await?;
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
    let mut must_not_post = Vec::new();
    let is_marked_here = match id.network {
        Network::Mastodon | Network::Bluesky => true,
        Network::X | Network::Meadow => false,
    };
    if labelled && is_marked_here && !item.facts.labelled {
        let account = Account::from_item(id, item.clone(), keyring, app.as_ref())?;
        match networks.mark_as_bot(&account).await {
            Ok(()) => {
                item.facts.labelled = true;
                store.label_account(id).await?;
            }
            Err(failure) => must_not_post.push(format!(
                "{id} could not be marked as a bot: {failure}; mark it in its settings on the network, then renew \
                 its key"
            )),
        }
    }
    must_not_post.extend(broken_by_account(id.network, &item.facts));
    let resumed = resume_for_account(store, noted, id, now).await?;
    Ok(Connected { must_not_post, resumed })
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

fn refuse_no_server(id: &AccountId, server: &str) -> Result<()> {
    /// A name of a host has 253 characters at most (RFC 1035), and more is hardly an address.
    const LONGEST: usize = 300;
    if id.network == Network::X {
        return Err(Error::refused("X has one server alone; leave its address out".to_owned()));
    }
    let begins = ["https://", "http://"].iter().any(|scheme| server.starts_with(scheme));
    if !begins || LONGEST < server.len() || !server.bytes().all(|b| b.is_ascii_graphic()) {
        let why = "that is no address of a server; write it as https://example.social";
        return Err(Error::refused(why.to_owned()));
    }
    Ok(())
}

fn connected_already(id: &AccountId) -> Error {
    let why = format!("{id} is connected already");
    Error::refused(Objection::from(why).with(Remedy::RenewAccount(id.clone())))
}

pub(crate) fn not_there(id: &AccountId) -> Error {
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
