//! Connects accounts from the terminal: somebody signs in at the network and types what it shows.
//!
//! The table is let go while they do: others wait for it.

use flock_core::{AccountId, Network, Way, capital};
use flock_net::{Back, Networks, NotSignedIn, Proof, SignInTo};
use flock_ops::{KeyFrom, NewAccount};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;

use crate::{
    account::Safe,
    cli::{ConnectAccount, Place, SignIn},
    connect::{connect, read_template},
    functions,
    operator::noted,
    prompt::{Shown, ask, tell},
    refusal::refuse,
};

/// What came of asking somebody to sign in.
#[derive(Debug)]
pub(crate) enum SignedIn {
    /// The account is connected. What is to be said of it.
    Connected(Vec<String>),
    /// They do not want to.
    Left,
}

/// A sign-in that goes on at the network.
struct Under {
    way: Way,
    /// The page of the network.
    page: String,
    kept: SecretString,
}

/// How a sign-in begins.
enum Beginning {
    At(Under),
    /// Nobody knows the app yet.
    WantsApp,
}

/// How a sign-in ends.
enum End {
    /// The account is connected. What is to be said of it.
    Connected(Vec<String>),
    /// What was typed was not it: why.
    Wrong(String),
}

/// Connects an account, or gives it a new key.
pub(crate) async fn connect_account(
    place: &Place,
    options: &ConnectAccount,
) -> anyhow::Result<String> {
    let ConnectAccount { account, sign_in } = options;
    match Box::pin(sign_in_to(place, account, sign_in)).await? {
        SignedIn::Connected(lines) => Ok(lines.join("\n")),
        SignedIn::Left => Err(refuse(format!("{account} is not connected; nothing was changed"))),
    }
}

/// Has somebody sign in to the account, as often as they want a new link.
pub(crate) async fn sign_in_to(
    place: &Place,
    id: &AccountId,
    sign_in: &SignIn,
) -> anyhow::Result<SignedIn> {
    sign_in.at.check(place)?;
    let mut app = None;
    'link: loop {
        let under = match Box::pin(begin(place, id, sign_in, app.as_ref())).await? {
            Beginning::At(under) => under,
            Beginning::WantsApp => {
                let Some(asked) = ask_for_app()? else { return Ok(SignedIn::Left) };
                app = Some(asked);
                continue;
            }
        };
        tell(&what_to_do(id, &under))?;
        loop {
            let Some(typed) = ask(question(under.way, id.network), shown(under.way))? else {
                return Ok(SignedIn::Left);
            };
            match typed.expose_secret().to_lowercase().as_str() {
                "" => continue,
                "n" | "no" => return Ok(SignedIn::Left),
                "r" | "renew" => continue 'link,
                _ => {}
            }
            let ended = finish(place, id, sign_in, app.as_ref(), &under, &typed).await?;
            match ended {
                End::Connected(lines) => return Ok(SignedIn::Connected(lines)),
                End::Wrong(why) => tell(&format!("{why}. Try again, `r` for a new link, or `n`."))?,
            }
        }
    }
}

/// Asks the network for a page. Refuses an account that is connected.
async fn begin(
    place: &Place,
    id: &AccountId,
    sign_in: &SignIn,
    typed_app: Option<&SecretString>,
) -> anyhow::Result<Beginning> {
    let Some(way) = id.network.ways().first().copied() else {
        return Err(refuse("accounts of the meadow need no key: just name them"));
    };
    let settings =
        functions::network_settings(&read_template(place)?, sign_in.at.networks_on_loopback)?;
    let connection = connect(place).await?;
    if connection.store.newest_account(id).await?.is_some() {
        return Err(refuse(format!("{id} is connected already; nothing was changed")));
    }
    let safe = Safe::open(place, &connection, &sign_in.at).await?;
    if typed_app.is_none() && id.network.facts().has_app && safe.lacks_app_of_ours()? {
        return Ok(Beginning::WantsApp);
    }
    let app = safe.x_app(id.network, typed_app).await?;
    let networks = Networks::new(connection.store.clone(), &settings, &connection.clock);
    let to = SignInTo { id, way, server: sign_in.server.as_deref(), app: app.as_ref() };
    let begun = networks.begin_sign_in(to, Back::Typing).await;
    let begun = begun.map_err(|failure| refuse(format!("{id} is not connected: {failure}")))?;
    Ok(Beginning::At(Under { way, page: begun.page, kept: begun.kept }))
}

/// Hands the network what was typed, and stores the key once it has said whose it is.
async fn finish(
    place: &Place,
    id: &AccountId,
    sign_in: &SignIn,
    typed_app: Option<&SecretString>,
    under: &Under,
    typed: &SecretString,
) -> anyhow::Result<End> {
    let settings =
        functions::network_settings(&read_template(place)?, sign_in.at.networks_on_loopback)?;
    let connection = connect(place).await?;
    let safe = Safe::open(place, &connection, &sign_in.at).await?;
    let app = safe.x_app(id.network, typed_app).await?;
    let networks = Networks::new(connection.store.clone(), &settings, &connection.clock);
    let to = SignInTo { id, way: under.way, server: sign_in.server.as_deref(), app: app.as_ref() };
    let mut key = match networks.finish_sign_in(to, &under.kept, Proof::Typed(typed)).await {
        Ok(key) => key,
        Err(NotSignedIn::Wrong(why)) => return Ok(End::Wrong(capital(&why))),
        Err(err) => return Err(refuse(format!("{id} is not connected: {err}"))),
    };
    key.facts.labelled |= sign_in.automated_label;
    let new = NewAccount { id: id.clone(), key, app, networks: &networks };
    let vouched = Box::pin(new.check(KeyFrom::SignIn)).await?;
    let may_not = noted(&connection, format!("account connect {id}"), async |noted| {
        safe.keep_x_app(typed_app)?;
        let added = vouched.add(&connection.store, noted, safe.keyring, sign_in.mark_as_bot);
        Box::pin(added).await
    });
    let may_not = may_not.await?;
    let mut lines = vec![match may_not.as_slice() {
        [] => format!("{id} is connected."),
        [_, ..] => format!("{id} is connected. But it must not post yet:"),
    }];
    lines.extend(may_not.into_iter().map(|why| format!("  {why}")));
    Ok(End::Connected(lines))
}

/// The credentials of the app, as X's pages call them. `None`: there is no more to read.
fn ask_for_app() -> anyhow::Result<Option<SecretString>> {
    tell(
        "X wants an app, which is not known here yet. Make one at https://developer.x.com with read and write \
         permission; its page \"Keys and tokens\" has the API key and its secret.",
    )?;
    let Some(key) = ask("API key:", Shown::Yes)? else { return Ok(None) };
    let Some(secret) = ask("API key secret (not shown):", Shown::No)? else { return Ok(None) };
    let app = json!({
        "consumer_key": key.expose_secret(),
        "consumer_secret": secret.expose_secret(),
    });
    Ok(Some(SecretString::from(app.to_string())))
}

fn what_to_do(id: &AccountId, Under { way, page, .. }: &Under) -> String {
    let handle = &id.handle;
    match way {
        Way::OAuth1 | Way::OAuth2 => format!(
            "Open this page, sign in as {handle} - a private window asks for it -, and allow it:\n  {page}"
        ),
        Way::AppPassword => format!(
            "Make an app password as {handle}, in its settings, Privacy and security, App passwords:\n  {page}"
        ),
    }
}

fn question(way: Way, network: Network) -> &'static str {
    match (way, network) {
        (Way::AppPassword, _) => "App password (not shown):",
        (_, Network::X) => "PIN:",
        (Way::OAuth1 | Way::OAuth2, _) => "Code:",
    }
}

/// A PIN or code is good once, and a password as long as it is not revoked.
fn shown(way: Way) -> Shown {
    match way {
        Way::OAuth1 | Way::OAuth2 => Shown::Yes,
        Way::AppPassword => Shown::No,
    }
}
