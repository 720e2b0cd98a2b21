//! A deployment in memory.

use std::{
    collections::HashMap,
    path::Path,
    time::{Duration, SystemTime},
};

use aws_sdk_dynamodb::{Client, types::AttributeValue};
use dynoxide::Database;
use flock_aws::{Clock, Keyring, SdkConfig, Wire};
use flock_core::{
    AccountFacts, AccountId, BehaviourKind, Corpus, CorpusId, Flock, FlockName, Network,
    Occurrence, Rhythm, RhythmFields, Shards, Sheep, SheepConfig, SheepId, Tier,
};
use flock_net::{Account, Checked, Failure, Key, Networks};
use flock_store::{AccountItem, Post, Read, Store};
use flock_tests::{Bluesky, Mastodon, X};
use flockwork::connect::{LOCAL_NAME, STRANGERS};
use jiff::Timestamp;
use local_cloud::{
    runtime_api::{FunctionProcess, RuntimeApi},
    services::{BusEvent, LocalCloud},
    table,
    template::Template,
};
use loopback::Token;
use secrecy::SecretString;
use serde_json::json;
use sheep_tick::{App, Report, Settings};
use tokio::sync::mpsc::UnboundedReceiver;

/// In the past, so that X, which has a clock of its own, gets posts after they were due.
pub(crate) const START: &str = "2026-03-02T12:00:00Z";

pub(crate) const KEYRING: &str = r#"{"current":"k1","k1":"0123456789abcdef0123456789abcdef"}"#;

/// What AWS wants to be shown here; processes are told it beside its addresses.
pub(crate) const TOKEN: &str = "token-of-the-test";

pub(crate) const SIGNING_SECRET: &str = "8f742231b10e8888abcd99yyyzzz85a5";

pub(crate) const APP_PASSWORD: &str = "abcd-efgh-ijkl-mnop";

pub(crate) const CONSUMER: &str = "consumer-of-the-test";

pub(crate) const CLIENT: &str = "client-of-the-test";

pub(crate) struct World {
    pub(crate) cloud: LocalCloud,
    pub(crate) events: UnboundedReceiver<BusEvent>,
    pub(crate) store: Store,
    pub(crate) clock: Clock,
    pub(crate) x: X,
    pub(crate) bluesky: Bluesky,
    /// Where Bluesky's accounts are told that it is.
    pub(crate) bluesky_url: String,
    pub(crate) mastodon: Mastodon,
    /// Where Mastodon's accounts are told that it is.
    pub(crate) mastodon_url: String,
}

pub(crate) fn ts(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(crate) fn tick() -> serde_json::Value {
    json!({ "detail-type": "Scheduled Event", "source": "flockwork.schedule" })
}

/// The secret of the X app, which has both ways of signing in.
pub(crate) fn x_app() -> serde_json::Value {
    json!({
        "consumer_key": CONSUMER,
        "consumer_secret": X::SECRET,
        "client_id": CLIENT,
        "client_secret": X::SECRET,
    })
}

/// Of slash-command, where nobody owns every room and no room is told.
pub(crate) fn slack_settings() -> slash_command::Settings {
    slash_command::Settings {
        table: LOCAL_NAME.to_owned(),
        bus: LOCAL_NAME.to_owned(),
        slack_secret: "Slack".to_owned(),
        slack_url: None,
        slack_room: None,
        keys_url: None,
        first_owner: None,
        wire: Wire::default(),
    }
}

/// When an invocation would be ended: not before the slowest machine has done its work.
pub(crate) fn far_deadline() -> SystemTime {
    #[expect(clippy::disallowed_methods, reason = "the platform's deadlines are on the wall clock")]
    let now = SystemTime::now();
    now + Duration::from_hours(1)
}

impl World {
    pub(crate) async fn start() -> Self {
        let secrets = HashMap::from([
            ("Keyring".to_owned(), KEYRING.to_owned()),
            ("XApp".to_owned(), x_app().to_string()),
            (
                "Slack".to_owned(),
                json!({ "signing_secret": SIGNING_SECRET, "bot_token": "xoxb-hush" }).to_string(),
            ),
        ]);
        let token = Token::from(TOKEN.to_owned());
        let database = Database::memory().unwrap();
        let template =
            Template::parse(&std::fs::read_to_string("../template.yaml").unwrap()).unwrap();
        table::ensure(&database, LOCAL_NAME, &template.table).unwrap();
        let (cloud, events) = LocalCloud::start(database, secrets, token, STRANGERS).await.unwrap();
        let store = Store::new(Client::new(&cloud.aws()), LOCAL_NAME.to_owned());
        // As in a table whose first post was made long ago.
        store.table_id().await.unwrap();
        let x = X::start(CONSUMER).await;
        x.client(CLIENT, Some(X::SECRET));
        let bluesky = Bluesky::start().await;
        let mastodon = Mastodon::start().await;
        let (bluesky_url, mastodon_url) = (bluesky.url(), mastodon.url());
        let clock = Clock::stepped(ts(START));
        Self { cloud, events, store, clock, x, bluesky, bluesky_url, mastodon, mastodon_url }
    }

    /// As sheep-tick has them, with so many shards.
    pub(crate) fn settings(&self, shards: u16) -> Settings {
        Settings {
            table: LOCAL_NAME.to_owned(),
            bus: LOCAL_NAME.to_owned(),
            shards: Shards::try_from(shards).unwrap(),
            networks: self.networks(),
        }
    }

    /// Of whoever asks networks.
    pub(crate) fn networks(&self) -> flock_net::Settings {
        flock_net::Settings {
            keyring_secret: "Keyring".to_owned(),
            x_secret: "XApp".to_owned(),
            x_url: Some(self.x.url()),
            on_loopback: true,
            wire: Wire::default(),
        }
    }

    pub(crate) async fn app(&self) -> App {
        self.app_on(&self.cloud.aws()).await
    }

    pub(crate) async fn app_on(&self, aws: &SdkConfig) -> App {
        App::start(self.settings(1), aws, self.clock.clone()).await.unwrap()
    }

    /// One tick at the clock's time.
    pub(crate) async fn tick(&self, app: &App) -> Report {
        Box::pin(app.handle(&tick(), far_deadline())).await.unwrap()
    }

    /// Moves the clock to `minute` minutes after the start and ticks.
    pub(crate) async fn tick_at(&self, app: &App, minute: i64) -> Report {
        self.clock.step_to(ts(START) + jiff::SignedDuration::from_mins(minute));
        self.tick(app).await
    }

    /// A poem sheep whose lines are `<name> line <n>`.
    pub(crate) async fn sheep(&self, name: &str, network: Network, lines: u32) -> SheepId {
        self.sheep_with(name, network, lines, &RhythmFields::default()).await
    }

    pub(crate) async fn sheep_with(
        &self,
        name: &str,
        network: Network,
        lines: u32,
        rhythm: &RhythmFields,
    ) -> SheepId {
        let text: Vec<_> = (0..lines).map(|line| format!("{name} line {line}")).collect();
        self.sheep_that_says(name, network, &text, rhythm).await
    }

    /// A poem sheep of this text.
    pub(crate) async fn sheep_that_says(
        &self,
        name: &str,
        network: Network,
        text: &[String],
        rhythm: &RhythmFields,
    ) -> SheepId {
        let flock: FlockName = "flock".parse().unwrap();
        let corpus = Corpus::parse(text.join("\n").as_bytes()).unwrap();
        let cap = Some("1000".parse().unwrap());
        self.store
            .put_flock(&Flock { monthly_cap: cap, ..Flock::new(flock.clone()) })
            .await
            .unwrap();
        self.store.put_corpus(&flock, &corpus, |_| {}).await.unwrap();
        let fields = RhythmFields {
            line: rhythm.line.clone().or_else(|| rhythm.at.is_empty().then(|| "3m".to_owned())),
            ..rhythm.clone()
        };
        let account = match network {
            Network::Bluesky => bluesky_account(name),
            Network::Mastodon => mastodon_account(name),
            Network::Meadow | Network::X => AccountId { network, handle: name.parse().unwrap() },
        };
        let behaviour = BehaviourKind::Poem.with_text(&corpus);
        let config = SheepConfig::new(account.clone(), behaviour, Rhythm::parse(&fields).unwrap());
        let id = SheepId { flock, name: name.parse().unwrap() };
        // All are born at the start, however long storing their corpora took.
        self.clock.step_to(ts(START));
        let now = self.clock.now();
        let sheep = Sheep::create(id.clone(), config, Occurrence(1), now).unwrap();
        // As apply does.
        self.store.enlist(&[(id.clone(), account.clone())]).await.unwrap();
        self.store.create_sheep(&sheep).await.unwrap();
        if network == Network::X {
            let token = format!("token-of-{name}");
            self.x.account(&token, &user_id(name));
            let key = json!({ "token": token, "token_secret": "hush" }).to_string();
            let keyring = Keyring::parse(&SecretString::from(KEYRING)).unwrap();
            let sealed_key = keyring.seal(&account, &SecretString::from(key));
            let facts = AccountFacts {
                tier: Tier::Standard,
                labelled: true,
                text_limit: None,
                picture_bytes: None,
            };
            let item = AccountItem {
                remote_user: user_id(name),
                url: None,
                facts,
                asked_at: None,
                signed_in: None,
                sealed_key,
                sealed_session: None,
            };
            self.store.put_account(&account, item).await.unwrap();
        }
        if network == Network::Bluesky {
            self.bluesky.account(account.handle.as_str(), &did(name), APP_PASSWORD);
            self.bluesky.profile(&did(name), &["bot"]);
            self.add_bluesky(&account, &self.clock).await.unwrap();
        }
        if network == Network::Mastodon {
            let token = format!("token-of-{name}");
            self.mastodon.account(&token, name);
            self.add_mastodon(&account, &token).await.unwrap();
        }
        id
    }

    /// The key of an account of X is one of OAuth 2.0 from now on, whose tokens are to be renewed at `renew_at`.
    pub(crate) async fn x_bearer(&self, account: &AccountId, renew_at: Timestamp) {
        let item = self.store.newest_account(account).await.unwrap().unwrap();
        let tokens = self.x.grant(&item.remote_user);
        let keyring = Keyring::parse(&SecretString::from(KEYRING)).unwrap();
        let seal = |value: serde_json::Value| {
            keyring.seal(account, &SecretString::from(value.to_string()))
        };
        let sealed_key = seal(json!({ "way": "oauth2", "scopes": ["tweet.write"] }));
        let (access, refresh) = (tokens.access, tokens.refresh);
        let pair = json!({ "access": access, "refresh": refresh, "renew_at": renew_at });
        let sealed_session = Some(seal(json!({ "tokens": pair })));
        let item = AccountItem { sealed_key, sealed_session, ..item };
        self.store.put_account(account, item).await.unwrap();
    }

    /// Adds an account of Bluesky, whose first session begins when `clock` says.
    pub(crate) async fn add_bluesky(
        &self,
        id: &AccountId,
        clock: &Clock,
    ) -> Result<Checked, Failure> {
        let file = json!({ "app_password": APP_PASSWORD, "url": self.bluesky_url }).to_string();
        self.add(id, file, clock).await
    }

    /// Adds an account of Mastodon.
    pub(crate) async fn add_mastodon(
        &self,
        id: &AccountId,
        token: &str,
    ) -> Result<Checked, Failure> {
        let file = json!({ "access_token": token, "url": self.mastodon_url }).to_string();
        self.add(id, file, &self.clock).await
    }

    async fn add(&self, id: &AccountId, file: String, clock: &Clock) -> Result<Checked, Failure> {
        let new = Key::read_file(id, &SecretString::from(file)).unwrap();
        let account = Account::from_key_file(id.clone(), &new, None).unwrap();
        let networks = Networks::new(self.store.clone(), &self.networks(), clock);
        let checked = networks.check(&account).await?;
        let keyring = Keyring::parse(&SecretString::from(KEYRING)).unwrap();
        let item = AccountItem {
            remote_user: checked.remote_user.clone(),
            url: new.url,
            facts: checked.facts.clone(),
            asked_at: checked.asked_at,
            signed_in: None,
            sealed_key: keyring.seal(id, &new.key),
            sealed_session: checked.session.as_ref().map(|session| keyring.seal(id, session)),
        };
        self.store.put_account(id, item).await.unwrap();
        Ok(checked)
    }

    /// Every item of the corpus vanishes, whoever did it.
    pub(crate) async fn lose_corpus(&self, corpus: &CorpusId) {
        self.lose(|pk, _| pk.ends_with(corpus.as_str())).await;
    }

    /// The items vanish whose `pk` and `sk` are meant, whoever did it.
    pub(crate) async fn lose(&self, is_meant: impl Fn(&str, &str) -> bool) {
        let client = Client::new(&self.cloud.aws());
        for mut item in self.items().await {
            let (pk, sk) = (item.remove("pk").unwrap(), item.remove("sk").unwrap());
            if is_meant(pk.as_s().unwrap(), sk.as_s().unwrap()) {
                let delete = client.delete_item().table_name(LOCAL_NAME);
                delete.key("pk", pk).key("sk", sk).send().await.unwrap();
            }
        }
    }

    /// Everything in the table.
    pub(crate) async fn items(&self) -> Vec<HashMap<String, AttributeValue>> {
        #[expect(clippy::disallowed_methods, reason = "a test looks at everything")]
        let scan = Client::new(&self.cloud.aws()).scan();
        let items = scan.table_name(LOCAL_NAME).into_paginator().items().send();
        items.collect::<Result<_, _>>().await.unwrap()
    }

    /// Takes the account's item away, as a removal that dies after that has.
    pub(crate) async fn forget_account(&self, id: &AccountId) {
        let of =
            [("pk", format!("ACCOUNT#{}#{}", id.network, id.handle)), ("sk", "ACCOUNT".into())];
        let key = of.map(|(name, value)| (name.to_owned(), AttributeValue::S(value)));
        let delete = Client::new(&self.cloud.aws()).delete_item().table_name(LOCAL_NAME);
        delete.set_key(Some(key.into())).send().await.unwrap();
    }

    pub(crate) async fn read(&self, id: &SheepId) -> Sheep {
        self.store.sheep(id, Read::Consistent).await.unwrap().unwrap()
    }

    /// The recorded posts of a sheep, oldest first.
    pub(crate) async fn posts(&self, id: &SheepId) -> Vec<Post> {
        let mut posts = self.store.newest_posts(id, 10_000).await.unwrap();
        posts.reverse();
        posts
    }

    /// What is to be seen on the sheep's network, oldest first.
    pub(crate) async fn seen(&self, id: &SheepId) -> Vec<String> {
        match self.read(id).await.config.account.network {
            Network::Meadow => self.posts(id).await.into_iter().map(|post| post.text).collect(),
            Network::Mastodon => {
                let posts = self.mastodon.posts(id.name.as_str());
                posts.into_iter().map(|post| post.text).collect()
            }
            Network::Bluesky => {
                let posts = self.bluesky.posts(&did(id.name.as_str())).into_iter();
                posts.map(|post| post.value["text"].as_str().unwrap().to_owned()).collect()
            }
            Network::X => {
                let posts = self.x.posts(&user_id(id.name.as_str()));
                posts.into_iter().map(|post| post.text).collect()
            }
        }
    }
}

/// The function, built as a binary of this package from the same main.rs.
pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_sheep-tick-process");

/// Starts the function's process, with DynamoDB, the other services of AWS, and X at these addresses.
pub(crate) fn spawn(runtime: &RuntimeApi, urls: &[String; 3], shards: &str) -> FunctionProcess {
    spawn_with(runtime, urls, shards, &[])
}

/// The same, with more variables.
pub(crate) fn spawn_with(
    runtime: &RuntimeApi,
    urls: &[String; 3],
    shards: &str,
    more: &[(&str, &str)],
) -> FunctionProcess {
    let [dynamodb, services, x] = urls;
    let mut env = vec![
        ("AWS_ENDPOINT_URL_DYNAMODB", dynamodb.as_str()),
        ("AWS_ENDPOINT_URL", services),
        ("AWS_SESSION_TOKEN", TOKEN),
        ("TABLE_NAME", LOCAL_NAME),
        ("BUS_NAME", LOCAL_NAME),
        ("DUE_SHARDS", shards),
        ("KEYRING_SECRET", "Keyring"),
        ("X_SECRET", "XApp"),
        ("X_URL", x),
        ("NETWORKS_ON_LOOPBACK", "true"),
        ("RUST_LOG", "info"),
        // What the template's LoggingConfig makes Lambda set.
        ("AWS_LAMBDA_LOG_FORMAT", "JSON"),
        ("AWS_LAMBDA_LOG_LEVEL", "TRACE"),
    ];
    env.extend(more);
    FunctionProcess::spawn(runtime, Path::new(BINARY), &env).unwrap()
}

/// Mastodon's handles name their instance.
pub(crate) fn mastodon_account(name: &str) -> AccountId {
    AccountId {
        network: Network::Mastodon,
        handle: format!("{name}@stand-in.example").parse().unwrap(),
    }
}

/// Bluesky's handles are domains.
pub(crate) fn bluesky_account(name: &str) -> AccountId {
    AccountId { network: Network::Bluesky, handle: format!("{name}.test").parse().unwrap() }
}

/// Who an account of Bluesky is, whatever its handle.
pub(crate) fn did(name: &str) -> String {
    format!("did:plc:{:a<24}", name.replace('-', ""))
}

/// X's users have numbers.
pub(crate) fn user_id(name: &str) -> String {
    name.bytes().fold(7_u64, |id, byte| (id * 31 + u64::from(byte)) % 1_000_000_007).to_string()
}
