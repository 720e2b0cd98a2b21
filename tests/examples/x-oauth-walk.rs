//! Signs in at a provider of OAuth that stands for X, with the code that does so in production: `.ci/x_oauth_peer.sh`.
//!
//! Usage: `x-oauth-walk URL`, where `.ci/x_oauth_peer.py` listens. Prints a line for each check; the exit code is 1 when one
//! fails.
#![expect(clippy::print_stdout, reason = "what it prints is what it is for")]

use std::{collections::HashMap, path::PathBuf, process::ExitCode};

use anyhow::{Context as _, bail};
use aws_sdk_dynamodb::Client;
use dynoxide::Database;
use flock_aws::{Clock, Keyring};
use flock_core::{AccountId, Flock, Occurrence, Outcome, Sent, SheepId, Way};
use flock_net::{
    Account, Back, Begun, Draft, Networks, NewKey, NotSignedIn, Proof, Purse, SignInTo,
};
use flock_store::{AccountItem, Post, PostState, Store};
use flockwork::connect::{LOCAL_NAME, STRANGERS};
use jiff::SignedDuration;
use local_cloud::{services::LocalCloud, table, template::Template};
use loopback::Token;
use reqwest::{header::LOCATION, redirect::Policy};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};

const KEYRING: &str = r#"{"current":"k1","k1":"0123456789abcdef0123456789abcdef"}"#;

/// As the provider has it.
const CALLBACK: &str = "http://127.0.0.1/keys/callback";

#[tokio::main]
async fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let walked = match arguments.next() {
        Some(url) => Box::pin(walk(url)).await,
        None => Err(anyhow::anyhow!("usage: x-oauth-walk URL")),
    };
    match walked {
        Ok(failed) => {
            println!("{failed} checks failed");
            ExitCode::from(u8::from(0 < failed))
        }
        Err(err) => {
            println!("FAIL  the walk ended early: {err:#}");
            ExitCode::FAILURE
        }
    }
}

/// A deployment in memory, and somebody with a browser.
struct Walk {
    url: String,
    store: Store,
    networks: Networks,
    clock: Clock,
    browser: reqwest::Client,
    id: AccountId,
    app: SecretString,
    posts: u64,
    failed: usize,
    _cloud: LocalCloud,
}

async fn walk(url: String) -> anyhow::Result<usize> {
    let mut walk = Walk::start(url).await?;
    for way in [Way::OAuth1, Way::OAuth2] {
        walk.cancel(way).await?;
        let key = walk.sign_in(way).await?;
        walk.store(&key).await?;
        let posted = walk.post().await?;
        walk.check(&format!("{way}: a key of somebody who was sent back posts"), posted);
    }
    walk.renew().await?;
    let key = walk.type_pin().await?;
    walk.store(&key).await?;
    let posted = walk.post().await?;
    walk.check("OAuth 1.0a: a key of somebody who typed a PIN posts", posted);
    Ok(walk.failed)
}

impl Walk {
    async fn start(url: String) -> anyhow::Result<Self> {
        let app = json!({
            "consumer_key": "peer-consumer",
            "consumer_secret": "peer-hush",
            "client_id": "peer-client",
            "client_secret": "peer-client-hush",
        });
        let database = Database::memory()?;
        let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
        let template = Template::parse(&std::fs::read_to_string(root.join("template.yaml"))?)?;
        table::ensure(&database, LOCAL_NAME, &template.table)?;
        let secrets = HashMap::from(
            ["Keyring", "XApp", "Slack"].map(|name| (name.to_owned(), "{}".to_owned())),
        );
        let (cloud, _) = LocalCloud::start(database, secrets, Token::new(), STRANGERS).await?;
        let store = Store::new(Client::new(&cloud.aws()), LOCAL_NAME.to_owned());
        let settings = flock_net::Settings {
            keyring_secret: "Keyring".to_owned(),
            x_secret: "XApp".to_owned(),
            x_url: Some(url.clone()),
            on_loopback: true,
            wire: flock_aws::Wire::default(),
        };
        let clock = Clock::stepped(Clock::wall().now());
        Ok(Self {
            networks: Networks::new(store.clone(), &settings, &clock),
            store,
            clock,
            url,
            browser: reqwest::Client::builder().redirect(Policy::none()).build()?,
            id: "x:flockbot".parse()?,
            app: SecretString::from(app.to_string()),
            posts: 0,
            failed: 0,
            _cloud: cloud,
        })
    }

    fn check(&mut self, name: &str, good: bool) {
        println!("{}  {name}", if good { "ok  " } else { "FAIL" });
        self.failed += usize::from(!good);
    }

    fn to(&self, way: Way) -> SignInTo<'_> {
        SignInTo { id: &self.id, way, server: None, app: Some(&self.app) }
    }

    async fn tell(&self, path: &str) -> anyhow::Result<Value> {
        let answer = self.browser.get(format!("{}{path}", self.url)).send().await?;
        Ok(serde_json::from_str(&answer.error_for_status()?.text().await?)?)
    }

    async fn begin(&self, way: Way) -> anyhow::Result<Begun> {
        let state = SecretString::from("walked0123456789");
        let back = Back::Sent { to: CALLBACK, state: &state };
        Ok(self.networks.begin_sign_in(self.to(way), back).await?)
    }

    /// Opens the page, and comes back with what it was sent back with.
    async fn finish(&self, way: Way, begun: &Begun) -> anyhow::Result<Result<NewKey, NotSignedIn>> {
        let page = self.browser.get(&begun.page).send().await?;
        let to = page.headers().get(LOCATION).context("nobody is sent back")?.to_str()?;
        let query = to.strip_prefix(CALLBACK).and_then(|rest| rest.strip_prefix('?'));
        let query = query.with_context(|| format!("somebody is sent to {to}"))?;
        let query: Vec<_> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let proof = Proof::Query(&query);
        Ok(self.networks.finish_sign_in(self.to(way), &begun.kept, proof).await)
    }

    async fn cancel(&mut self, way: Way) -> anyhow::Result<()> {
        self.tell("/person/deny").await?;
        let begun = self.begin(way).await?;
        let end = self.finish(way, &begun).await?.map(drop);
        self.check(&format!("{way}: who does not allow it"), end == Err(NotSignedIn::Cancelled));
        self.tell("/person/allow").await?;
        Ok(())
    }

    async fn sign_in(&mut self, way: Way) -> anyhow::Result<NewKey> {
        let begun = self.begin(way).await?;
        let key = self.finish(way, &begun).await??;
        let is_theirs = key.remote_user == "42" && key.handle.as_deref() == Some("flockbot");
        self.check(&format!("{way}: somebody signs in"), is_theirs);
        Ok(key)
    }

    async fn type_pin(&mut self) -> anyhow::Result<NewKey> {
        let to = self.to(Way::OAuth1);
        let begun = self.networks.begin_sign_in(to, Back::Typing).await?;
        let page = self.browser.get(&begun.page).send().await?.text().await?;
        let pin = page.split(['<', '>']).nth(2).context("the page shows a PIN")?;
        let wrong = SecretString::from(if pin == "0000000" { "0000001" } else { "0000000" });
        let end = self.networks.finish_sign_in(to, &begun.kept, Proof::Typed(&wrong)).await;
        let is_wrong = matches!(end, Err(NotSignedIn::Wrong(_)));
        let typed = SecretString::from(format!(" {pin}\n"));
        let key = self.networks.finish_sign_in(to, &begun.kept, Proof::Typed(&typed)).await;
        self.check("OAuth 1.0a: a wrong PIN is told of, and the right one is taken", is_wrong);
        Ok(key?)
    }

    async fn store(&self, key: &NewKey) -> anyhow::Result<()> {
        let keyring = Keyring::parse(&SecretString::from(KEYRING))?;
        let session = key.session.as_ref();
        let item = AccountItem {
            remote_user: key.remote_user.clone(),
            url: None,
            facts: key.facts.clone(),
            asked_at: None,
            signed_in: None,
            sealed_key: keyring.seal(&self.id, &key.key),
            sealed_session: session.map(|session| keyring.seal(&self.id, session)),
        };
        Ok(self.store.put_account(&self.id, item).await?)
    }

    async fn account(&self) -> anyhow::Result<Account> {
        let item = self.store.newest_account(&self.id).await?.context("it was stored")?;
        let keyring = Keyring::parse(&SecretString::from(KEYRING))?;
        Account::from_item(&self.id, item, keyring, Some(&self.app))
    }

    /// Whether a post is there afterwards.
    async fn post(&mut self) -> anyhow::Result<bool> {
        self.posts += 1;
        let (occurrence, now) = (Occurrence(self.posts), self.clock.now());
        let sheep = SheepId { flock: "walkers".parse()?, name: "walker".parse()? };
        let text = format!("Step {}", self.posts);
        let draft = Draft {
            id: occurrence.post_id(&sheep),
            post: Post {
                made: None,
                sheep,
                occurrence,
                account: self.id.clone(),
                at: now,
                text: text.clone(),
                state: PostState::Pending,
                remote_id: None,
                answers: None,
            },
            sent: Sent::No,
            attempts: 0,
            read: 1,
            last_remote: None,
            reply_to: None,
            quotes: None,
            picture: None,
            made_with_ai: false,
        };
        let cap = Some("10".parse()?);
        let flock = Flock { monthly_cap: cap, ..Flock::new("walkers".parse()?) };
        let purse = ("walker".to_owned(), occurrence.to_string());
        let purse = Purse::new(&self.store, &flock, purse, now, now);
        match self.networks.post(&draft, &self.account().await?, &purse).await {
            Outcome::Done(_) => {}
            other => bail!("{text:?} was not posted: {other:?}"),
        }
        let seen = self.tell("/seen").await?;
        Ok(seen.as_array().is_some_and(|seen| seen.iter().any(|seen| *seen == *text)))
    }

    /// The tokens that are stored, opened.
    async fn tokens(&self) -> anyhow::Result<Value> {
        let item = self.store.newest_account(&self.id).await?.context("it was stored")?;
        let sealed = item.sealed_session.context("it has tokens")?;
        let session = Keyring::parse(&SecretString::from(KEYRING))?.open(&self.id, &sealed)?;
        let session: Value = serde_json::from_str(session.expose_secret())?;
        Ok(session["tokens"].clone())
    }

    /// Twice two hours pass; then a token that was used is shown once more.
    async fn renew(&mut self) -> anyhow::Result<()> {
        let mut before = Vec::new();
        let first = self.store.newest_account(&self.id).await?.context("it was stored")?;
        for time in ["once", "twice"] {
            before.push(self.tokens().await?);
            self.tell("/clock/forward?seconds=7201").await?;
            let later = self.clock.now().saturating_add(SignedDuration::from_secs(7201))?;
            self.clock.step_to(later);
            let posted = self.post().await?;
            let tokens = self.tokens().await?;
            let is_new = before
                .iter()
                .all(|old| ["access", "refresh"].iter().all(|name| old[*name] != tokens[*name]));
            self.check(&format!("OAuth 2.0: tokens are renewed {time}"), posted && is_new);
        }
        self.store.put_account(&self.id, first).await?;
        let end = self.networks.check(&self.account().await?).await.map(drop);
        let why = end.err().map(|failure| failure.why).unwrap_or_default();
        let is_over = why.ends_with("its key is no longer good; connect it again");
        self.check("OAuth 2.0: a refresh token that was used is refused", is_over);
        Ok(())
    }
}
