//! Everything that machines ask: AWS, the networks and Slack. They never fail by themselves; what goes wrong on the way
//! there is drawn in `machine.rs`.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes, to_bytes},
    extract::Path,
    http::request::Parts,
    response::IntoResponse as _,
    routing::post,
};
use flock_core::{AccountId, Network};
use flock_tests::{Bluesky, Clock, Mastodon, X};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use local_cloud::services::{self, BusEvent};
use local_slack::workspace::LocalSlack;
use tokio::sync::mpsc::UnboundedReceiver;
use tower::ServiceExt as _;

use crate::{fault::Service, scenario::Scenario, table::Table};

/// The app of X.
pub(crate) const CONSUMER: &str = "consumer-of-the-simulation";

/// The same by OAuth 2.0.
const CLIENT: &str = "client-of-the-simulation";

/// Where people are sent back to who have signed in.
pub(crate) const KEYS_URL: &str = "https://keys.example/keys/callback";

pub(crate) const KEYRING: &str = r#"{"current":"k1","k1":"0123456789abcdef0123456789abcdef"}"#;

pub(crate) const SIGNING_SECRET: &str = "8f742231b10e8888abcd99yyyzzz85a5";

pub(crate) const APP_PASSWORD: &str = "abcd-efgh-ijkl-mnop";

/// Where the servers are.
pub(crate) const X_URL: &str = "http://api.x.example";
pub(crate) const MASTODON_URL: &str = "https://mastodon.example";
pub(crate) const BLUESKY_URL: &str = "https://bluesky.example";

/// What is in the secret of the X app.
pub(crate) fn x_app() -> String {
    let secret = X::SECRET;
    format!(
        r#"{{"consumer_key":"{CONSUMER}","consumer_secret":"{secret}","client_id":"{CLIENT}","client_secret":"{secret}"}}"#
    )
}

/// Whether an account has a key of OAuth 2.0: some of X's have, by the name, so that other worlds stay as they were drawn.
pub(crate) fn is_renewed(account: &AccountId) -> bool {
    let bytes = account_name(account).bytes();
    account.network == Network::X && bytes.map(u32::from).sum::<u32>() % 2 == 0
}

/// A request on its way.
#[derive(Debug)]
pub(crate) struct Asked {
    /// Method, address and headers.
    pub(crate) head: Parts,
    /// What it says.
    pub(crate) body: Bytes,
}

/// What comes back.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    /// The status.
    pub(crate) status: StatusCode,
    /// The headers.
    pub(crate) headers: HeaderMap,
    /// What it says.
    pub(crate) body: Bytes,
}

type Answers = Arc<Mutex<HashMap<String, Vec<Bytes>>>>;

/// The world outside.
#[derive(Debug)]
pub(crate) struct Outside {
    pub(crate) table: Table,
    pub(crate) x: X,
    pub(crate) mastodon: Mastodon,
    pub(crate) bluesky: Bluesky,
    pub(crate) slack: LocalSlack,
    /// What came where answers to commands go, by the number of the command, newest last.
    answers: Answers,
    events: Mutex<UnboundedReceiver<BusEvent>>,
    services: Router,
    slack_router: Router,
}

impl Outside {
    /// Everything as it is before anybody has asked.
    pub(crate) fn new(scenario: &Scenario, late: bool, clock: Clock) -> Self {
        let secrets = [
            ("Keyring".to_owned(), KEYRING.to_owned()),
            ("XApp".to_owned(), x_app()),
            (
                "Slack".to_owned(),
                format!(r#"{{"signing_secret":"{SIGNING_SECRET}","bot_token":"xoxb-hush"}}"#),
            ),
        ];
        let (services, events) = services::router(secrets);
        let habits = scenario.habits;
        let x = X::within(CONSUMER, clock);
        x.client(CLIENT, Some(X::SECRET));
        x.callback(KEYS_URL);
        x.duplicate_check(habits.refuses_duplicates);
        x.lag(habits.lag);
        let mastodon = Mastodon::within(clock);
        mastodon.idempotency(habits.heeds_keys);
        mastodon.listed(habits.listed);
        mastodon.typographs(habits.typographs);
        let slack_clock = flock_aws::Clock::simulated(clock.now());
        let (slack, slack_router) = LocalSlack::within(slack_clock);
        let answers = Answers::default();
        let kept = Arc::clone(&answers);
        let keep = async move |Path(number): Path<String>, body: Bytes| {
            let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
            kept.entry(number).or_default().push(body);
            "ok"
        };
        let answered = Router::new().route("/commands/{id}", post(keep));
        Self {
            table: Table::new(late),
            x,
            mastodon,
            bluesky: Bluesky::within(clock),
            slack,
            answers,
            events: Mutex::new(events),
            services,
            slack_router: slack_router.merge(answered),
        }
    }

    /// Whom a request is for.
    pub(crate) fn whom(asked: &Asked) -> Option<Service> {
        let target = asked.head.headers.get("x-amz-target").and_then(|target| target.to_str().ok());
        let host = asked.head.uri.host().unwrap_or_default();
        Some(match (target, host) {
            (Some(target), _) if target.starts_with("DynamoDB_") => Service::Table,
            (Some(target), _) if target.starts_with("AWSEvents.") => Service::Bus,
            (Some(_), _) => Service::Secrets,
            (None, "api.x.example") => Service::X,
            (None, "mastodon.example") => Service::Mastodon,
            (None, "bluesky.example") => Service::Bluesky,
            (None, "slack.com" | "hooks.slack.com") => Service::Slack,
            (None, _) => return None,
        })
    }

    /// Answers a request that has arrived; what is written to the table is seen everywhere after `lag`.
    pub(crate) async fn answer(
        &self,
        whom: Service,
        asked: Asked,
        lag: impl Fn() -> Duration,
    ) -> Answer {
        let router = match whom {
            Service::Table => return self.table.answer(asked, lag).await,
            Service::Bus | Service::Secrets => self.services.clone(),
            Service::X => self.x.router(),
            Service::Mastodon => self.mastodon.router(),
            Service::Bluesky => self.bluesky.router(),
            Service::Slack => self.slack_router.clone(),
        };
        answer_of(router, asked).await
    }

    /// What came where the answers to a command go, oldest first.
    pub(crate) fn answers(&self, command: u32) -> Vec<serde_json::Value> {
        let answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        let answers = answers.get(&command.to_string()).into_iter().flatten();
        answers.filter_map(|body| serde_json::from_slice(body).ok()).collect()
    }

    /// What was put on the bus since the last time this was asked.
    pub(crate) fn events(&self) -> Vec<BusEvent> {
        let mut events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        std::iter::from_fn(|| events.try_recv().ok()).collect()
    }

    /// What is to be seen of an account on its network, oldest first, each with the network's name for it.
    pub(crate) fn seen(&self, account: &AccountId) -> Vec<(String, String)> {
        let name = account_name(account);
        match account.network {
            Network::Meadow => Vec::new(),
            Network::X => {
                let posts = self.x.posts(&user_id(name)).into_iter();
                posts.map(|post| (post.id, post.text)).collect()
            }
            Network::Mastodon => {
                let posts = self.mastodon.posts(name).into_iter();
                posts.map(|post| (post.id, post.text)).collect()
            }
            Network::Bluesky => {
                let posts = self.bluesky.posts(&did(name)).into_iter();
                let text = |value: &serde_json::Value| value["text"].as_str().map(str::to_owned);
                posts.filter_map(|post| Some((post.uri, text(&post.value)?))).collect()
            }
        }
    }
}

/// Where the post is that a network is asked to delete, and what it is called there.
pub(crate) fn deletion(asked: &Asked) -> Option<(Network, String)> {
    let (host, path) = (asked.head.uri.host()?, asked.head.uri.path());
    let last = || path.rsplit('/').next().map(str::to_owned);
    let is_delete = asked.head.method == http::Method::DELETE;
    if is_delete && path.starts_with("/2/tweets/") {
        return Some((Network::X, last()?));
    }
    if is_delete && path.starts_with("/api/v1/statuses/") {
        return Some((Network::Mastodon, last()?));
    }
    if host != "bluesky.example" || !path.ends_with("com.atproto.repo.deleteRecord") {
        return None;
    }
    let body: serde_json::Value = serde_json::from_slice(&asked.body).ok()?;
    let text = |name: &str| body[name].as_str();
    let (did, collection, key) = (text("repo")?, text("collection")?, text("rkey")?);
    Some((Network::Bluesky, format!("at://{did}/{collection}/{key}")))
}

/// Which account it is, whatever its network calls it.
pub(crate) fn account_name(account: &AccountId) -> &str {
    let handle = account.handle.as_str();
    let end = handle.find(['@', '.']).unwrap_or(handle.len());
    &handle[..end]
}

/// X's users have numbers.
pub(crate) fn user_id(name: &str) -> String {
    name.bytes().fold(7_u64, |id, byte| (id * 31 + u64::from(byte)) % 1_000_000_007).to_string()
}

/// Who an account of Bluesky is, whatever its handle.
pub(crate) fn did(name: &str) -> String {
    format!("did:plc:{:a<24}", name.replace('-', ""))
}

/// What a router says to a request.
pub(crate) async fn answer_of(router: Router, asked: Asked) -> Answer {
    let Asked { mut head, body } = asked;
    // Clients of HTTP/1.1 say this on the wire.
    let host = head.uri.authority().map(http::uri::Authority::as_str);
    if let Some(host) = host.and_then(|host| HeaderValue::from_str(host).ok()) {
        head.headers.insert(header::HOST, host);
    }
    let request = http::Request::from_parts(head, Body::from(body));
    let answer = match router.oneshot(request).await {
        Ok(answer) => answer,
        Err(never) => match never {},
    };
    let (head, body) = answer.into_response().into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
    Answer { status: head.status, headers: head.headers, body }
}
