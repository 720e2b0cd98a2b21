//! Connects accounts from the terminal: somebody signs in at the network and types what it shows.
//!
//! The table is let go while they do: others wait for it.

use flock_core::{AccountId, Network, Purpose, SigningIn, Way, capital, named};
use flock_net::{Back, Networks, NotSignedIn, Proof, SignInTo};
use flock_ops::{self as ops, Asking, Connected, SignedIn};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;

use crate::{
    account::{Safe, refuse_other_label},
    cli::{ConnectAccount, Place, SignIn},
    connect::{Connection, connect, read_template},
    data_dir::DataDir,
    functions,
    operator::noted,
    prompt::{Shown, ask, tell},
    refusal::{refuse, refused},
    screen::{Said, What},
};

/// What came of asking somebody to sign in.
#[derive(Debug)]
pub(crate) enum CameTo {
    /// The account is connected. What is to be said of it.
    Connected(Vec<String>),
    /// They do not want to.
    Left,
}

/// A sign-in that goes on at the network.
struct Under {
    work: flock_core::SignIn,
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

/// So often somebody may type what is not it.
const TRIES: usize = 3;

/// What a step of a sign-in works with. The table is let go with it.
struct Desk {
    settings: flock_net::Settings,
    connection: Connection,
}

impl Desk {
    async fn open(place: &Place, sign_in: &SignIn) -> anyhow::Result<Self> {
        let template = read_template(place)?;
        let settings = functions::network_settings(&template, sign_in.at.networks_on_loopback)?;
        Ok(Self { settings, connection: connect(place).await? })
    }

    fn networks(&self) -> Networks {
        let Connection { store, clock, .. } = &self.connection;
        Networks::new(store.clone(), &self.settings, clock)
    }
}

/// Connects an account, or gives it a new key: by a link, where something answers that, or here.
pub(crate) async fn connect_account(
    place: &Place,
    purpose: Purpose,
    options: &ConnectAccount,
) -> anyhow::Result<Said> {
    let ConnectAccount { account: id, here, sign_in, .. } = options;
    refuse_other_label(id.network, sign_in.automated_label, sign_in.mark_as_bot)?;
    if purpose == Purpose::Renew && sign_in.server.is_some() {
        return Err(refuse(format!(
            "{id} keeps its server when it is given a new key; leave --server out"
        )));
    }
    let keys_url = if *here { None } else { keys_url(place, options)? };
    if let Some(keys_url) = keys_url {
        return link(place, purpose, options, &keys_url).await;
    }
    match Box::pin(sign_in_to(place, id, purpose, sign_in)).await? {
        CameTo::Connected(lines) => Ok(Said { done: Some(lines.join("\n")), ..Said::default() }),
        CameTo::Left => Err(refuse(format!("{id} {}; nothing was changed", stays(purpose)))),
    }
}

/// Where people sign in, if anything answers there.
fn keys_url(place: &Place, options: &ConnectAccount) -> anyhow::Result<Option<String>> {
    match (&options.keys_url, place.aws) {
        (Some(_), false) => Err(refuse(
            "--keys-url is the address of a deployed stack: say --aws --table NAME, too",
        )),
        (Some(url), true) => Ok(Some(url.trim_end_matches('/').to_owned())),
        (None, true) => Ok(None),
        (None, false) => {
            let served = DataDir::served_at(&place.data)?;
            Ok(served.and_then(|served| served.environment.get("KEYS_URL").cloned()))
        }
    }
}

/// Makes a link by which somebody signs in.
async fn link(
    place: &Place,
    purpose: Purpose,
    options: &ConnectAccount,
    keys_url: &str,
) -> anyhow::Result<Said> {
    let ConnectAccount { account: id, sign_in, .. } = options;
    refuse_for_link(sign_in)?;
    let connection = connect(place).await?;
    // The functions of a deployment read their own secret, which `doctor` looks at.
    if !place.aws {
        let safe = Safe::open(place, &connection, &sign_in.at).await?;
        safe.refuse_link_without_app(id.network).await?;
    }
    let server = &sign_in.server;
    let (store, now) = (&connection.store, connection.clock.now());
    let deed = format!("account {} {id} (link)", word(purpose));
    let link = noted(&connection, deed, async |noted| match purpose {
        Purpose::Connect => ops::link_to_connect(store, noted, id, server.clone(), now).await,
        Purpose::Renew => ops::link_to_renew(store, noted, id, now).await,
    });
    let link = link.await?;
    let note = format!(
        "Whoever opens it and signs in as {} {} {id}. It works once, for {} minutes; {} signs in at this terminal.",
        id.handle,
        match purpose {
            Purpose::Connect => "connects",
            Purpose::Renew => "gives a new key to",
        },
        SigningIn::LIVES.as_mins(),
        "`--here`",
    );
    let url = format!("{keys_url}/connect/{}", link.token.expose_secret());
    Ok(Said { what: What::Lines(vec![url]), notes: vec![note], ..Said::default() })
}

/// Refuses what a link does not hand on to whoever opens it.
fn refuse_for_link(
    SignIn { automated_label, mark_as_bot, at, server: _ }: &SignIn,
) -> anyhow::Result<()> {
    let (is_said, why) = if *automated_label || *mark_as_bot {
        let word = if *automated_label { "--automated-label" } else { "--mark-as-bot" };
        (word, "the page that a link opens asks for it")
    } else if at.keyring.is_some() {
        ("--keyring", "who answers a link knows its secrets")
    } else if at.x_app.is_some() {
        ("--x-app", "who answers a link knows its secrets")
    } else if at.networks_on_loopback {
        ("--networks-on-loopback", "who answers a link knows where networks may be")
    } else {
        return Ok(());
    };
    Err(refuse(format!(
        "{is_said} is for signing in at this terminal: {why}; leave it out, or say --here instead"
    )))
}

fn word(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Connect => "connect",
        Purpose::Renew => "renew",
    }
}

/// Has somebody sign in to the account, as often as they want a new link.
pub(crate) async fn sign_in_to(
    place: &Place,
    id: &AccountId,
    purpose: Purpose,
    sign_in: &SignIn,
) -> anyhow::Result<CameTo> {
    sign_in.at.check(place)?;
    let mut app = None;
    'link: loop {
        let under = match Box::pin(begin(place, (id, purpose), sign_in, app.as_ref())).await? {
            Beginning::At(under) => under,
            Beginning::WantsApp => {
                let Some(asked) = ask_for_app()? else { return Ok(CameTo::Left) };
                app = Some(asked);
                continue;
            }
        };
        tell(&what_to_do(id, &under))?;
        let mut tries = TRIES;
        loop {
            let Some(typed) = ask(question(under.way, id.network), shown(under.way))? else {
                return Ok(CameTo::Left);
            };
            match typed.expose_secret().to_lowercase().as_str() {
                "" => continue,
                "n" | "no" => return Ok(CameTo::Left),
                "r" | "renew" => continue 'link,
                _ => {}
            }
            let ended = Box::pin(finish(place, sign_in, app.as_ref(), &under, &typed)).await?;
            match ended {
                End::Connected(lines) => return Ok(CameTo::Connected(lines)),
                End::Wrong(why) => {
                    tries -= 1;
                    if tries == 0 {
                        let stays = stays(purpose);
                        return Err(refuse(format!(
                            "{id} {stays}: what was typed was wrong {TRIES} times. {why}"
                        )));
                    }
                    tell(&format!("{why}. Try again, `r` for a new link, or `n`."))?;
                }
            }
        }
    }
}

/// Asks the network for a page. Refuses what cannot be signed in to for that.
async fn begin(
    place: &Place,
    (id, purpose): (&AccountId, Purpose),
    sign_in: &SignIn,
    typed_app: Option<&SecretString>,
) -> anyhow::Result<Beginning> {
    let desk = Desk::open(place, sign_in).await?;
    let connection = &desk.connection;
    let work = ops::sign_in_here(&connection.store, id, purpose, sign_in.server.clone()).await?;
    let safe = Safe::open(place, connection, &sign_in.at).await?;
    if typed_app.is_none() && id.network.facts().has_app && safe.lacks_app_of_ours()? {
        return Ok(Beginning::WantsApp);
    }
    if typed_app.is_none() {
        safe.refuse_here_without_app(id.network).await?;
    }
    let app = safe.x_app(id.network, typed_app).await?;
    let networks = desk.networks();
    let way = id.network.ways().first().copied().unwrap_or(Way::AppPassword);
    let to = SignInTo { id, way, server: work.server.as_deref(), app: app.as_ref() };
    let begun = networks.begin_sign_in(to, Back::Typing).await;
    let begun = begun.map_err(|failure| refuse(format!("{id} {}: {failure}", stays(purpose))))?;
    Ok(Beginning::At(Under { work, way, page: begun.page, kept: begun.kept }))
}

/// Hands the network what was typed, and stores the key once it has said whose it is.
async fn finish(
    place: &Place,
    sign_in: &SignIn,
    typed_app: Option<&SecretString>,
    Under { work, way, kept, .. }: &Under,
    typed: &SecretString,
) -> anyhow::Result<End> {
    let desk = Desk::open(place, sign_in).await?;
    let connection = &desk.connection;
    let (store, now) = (&connection.store, connection.clock.now());
    let safe = Safe::open(place, connection, &sign_in.at).await?;
    let id = &work.account;
    let app = safe.x_app(id.network, typed_app).await?;
    let networks = desk.networks();
    let to = SignInTo { id, way: *way, server: work.server.as_deref(), app: app.as_ref() };
    let key = match networks.finish_sign_in(to, kept, Proof::Typed(typed)).await {
        Ok(key) => key,
        Err(NotSignedIn::Wrong(why)) => return Ok(End::Wrong(capital(&why))),
        Err(err) => return Err(refuse(format!("{id} {}: {err}", stays(work.purpose)))),
    };
    let labelled = match id.network {
        Network::X => sign_in.automated_label,
        Network::Meadow | Network::Mastodon | Network::Bluesky => sign_in.mark_as_bot,
    };
    // Nobody ends it but who waits.
    let asking = Asking { networks: &networks, until: None, labelled };
    let signed_in = SignedIn { sign_in: work, key, app, asking };
    let line = format!("account {} {id}", word(work.purpose));
    let connected = noted(connection, line, async |noted| {
        safe.keep_x_app(typed_app)?;
        Box::pin(ops::connect_account(store, noted, safe.keyring, signed_in, now)).await
    });
    match (connected.await, way) {
        (Ok(connected), _) => Ok(End::Connected(said(work, connected))),
        // A password is not used up, and nothing has changed.
        (Err(err), Way::AppPassword) => refused(&err, place).map(End::Wrong).ok_or(err),
        (Err(err), Way::OAuth1 | Way::OAuth2) => Err(err),
    }
}

/// What an account is where nothing came of a sign-in.
fn stays(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Connect => "is not connected",
        Purpose::Renew => "keeps the key it has",
    }
}

/// What is said of an account that is connected.
fn said(work: &flock_core::SignIn, connected: Connected) -> Vec<String> {
    let Connected { must_not_post, resumed, is_to_be_marked: _ } = connected;
    let is = match work.purpose {
        Purpose::Connect => "is connected",
        Purpose::Renew => "has a new key",
    };
    let id = &work.account;
    let mut lines = vec![match must_not_post.as_slice() {
        [] => format!("{id} {is}."),
        [_, ..] => format!("{id} {is}. But it must not post yet:"),
    }];
    lines.extend(must_not_post.into_iter().map(|why| format!("  {why}")));
    if !resumed.is_empty() {
        lines.push(format!("{} had stopped for its key, and goes on.", named(&resumed)));
    }
    lines
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
