//! Walks a real server of a network with the code that posts in production: `.ci/bluesky_peer.sh` and its like.
//!
//! Usage: `network-walk NETWORK --url URL --handle HANDLE --key FILE [--behind URL]`
//!
//! The key file has what a person has: on Bluesky an app password, on Mastodon the password of the account, to sign in on its
//! pages. An account is signed in to, added, posts, posts the same occurrence again, answers, shows a picture, changes its profile, reposts, lists and deletes;
//! after each step the server is asked, in other words than ours, what it shows. Then sheep-tick posts two lines, and wipes the
//! account: of what is recorded, and then of all that is there. What goes
//! over the wire passes a meter: one on a free port before `--url`, or, where the server tells its own address, at
//! `--url`, with the server `--behind` it. Prints a line for each check; the exit code is 1 when one fails.
#![expect(clippy::print_stdout, reason = "what it prints is what it is for")]

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    path::PathBuf,
    process::ExitCode,
    time::Duration,
};

use anyhow::{Context as _, bail};
use aws_sdk_dynamodb::Client;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use dynoxide::Database;
use flock_aws::{Clock, Keyring};
use flock_core::{
    AccountId, Asker, BehaviourKind, Corpus, Cursor, DeliveryId, Flock, Network, Occurrence,
    Outcome, Picture, PostId, ProfilePart, RemoteId, Rhythm, RhythmFields, Sent, Shards, Sheep,
    SheepConfig, SheepId, State, View, Wanted, Whom, Wipe, Work,
};
use flock_net::{
    Account, Accounts, Back, Checked, Deleted, Draft, FailureKind, Networks, NewKey, NotSignedIn,
    Proof, Purse, SignInTo,
};
use flock_ops::{Begun, Noted, Who, begin_wipe, count_wipe};
use flock_store::{AccountItem, By, Post, PostState, Read, Recorded, Store};
use flock_tests::{Meter, Metered};
use flockwork::connect::{LOCAL_NAME, STRANGERS};
use jiff::{SignedDuration, Timestamp};
use local_cloud::{services::LocalCloud, table, template::Template};
use loopback::Token;
use reqwest::Url;
use secrecy::SecretString;
use serde_json::{Value, json};
use sheep_tick::App;

const USAGE: &str = "usage: network-walk NETWORK --url URL --handle HANDLE --key FILE [--behind URL] [--other HANDLE]";

const KEYRING: &str = r#"{"current":"k1","k1":"0123456789abcdef0123456789abcdef"}"#;

/// One red pixel.
const PNG: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==";

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let walked = match Arguments::read(&arguments) {
        Ok(arguments) => Box::pin(walk(&arguments)).await,
        Err(err) => Err(err),
    };
    match walked {
        Ok(results) => {
            println!("{} checks, {} failed", results.passed + results.failed, results.failed);
            ExitCode::from(u8::from(0 < results.failed))
        }
        Err(err) => {
            println!("FAIL  the walk ended early: {err:#}");
            ExitCode::FAILURE
        }
    }
}

struct Arguments {
    network: Network,
    url: String,
    behind: Option<String>,
    handle: String,
    key: PathBuf,
    /// Somebody else there, who can be followed.
    other: Option<String>,
}

impl Arguments {
    fn read(arguments: &[String]) -> anyhow::Result<Self> {
        let [network, options @ ..] = arguments else { bail!(USAGE) };
        let mut given: HashMap<&str, &str> = HashMap::new();
        for pair in options.chunks(2) {
            let [name, value] = pair else { bail!(USAGE) };
            given.insert(name, value);
        }
        let mut option = |name: &str| given.remove(name).map(ToOwned::to_owned);
        let (behind, network) = (option("--behind"), network.parse()?);
        let other = option("--other");
        let arguments = Self {
            network,
            url: option("--url").context(USAGE)?,
            behind,
            handle: option("--handle").context(USAGE)?,
            key: option("--key").context(USAGE)?.into(),
            other,
        };
        if given.is_empty() { Ok(arguments) } else { bail!(USAGE) }
    }
}

/// Signs in on a page of snac's, and gives the code that it shows.
async fn on_pages(page: &str, id: &AccountId, password: &str) -> anyhow::Result<String> {
    let client = reqwest::Client::new();
    let html = client.get(page).send().await?.error_for_status()?.text().await?;
    let attribute = |tag: &str, name: &str| {
        let (_, after) = tag.split_once(&format!("{name}=\""))?;
        Some(after.split('"').next()?.replace("&amp;", "&").replace("&#34;", "\""))
    };
    let mut tags = html.split('<');
    let form = tags.find(|tag| tag.starts_with("form")).context("the page has no form")?;
    let action = attribute(form, "action").context("the form goes nowhere")?;
    let to = Url::parse(page)?.join(&action)?;
    let mut fields = Url::parse("form:/")?;
    for tag in html.split('<').filter(|tag| tag.starts_with("input") && tag.contains("hidden")) {
        if let (Some(name), Some(value)) = (attribute(tag, "name"), attribute(tag, "value")) {
            fields.query_pairs_mut().append_pair(&name, &value);
        }
    }
    let login = id.handle.as_str().split('@').next().unwrap_or_default();
    fields.query_pairs_mut().append_pair("login", login).append_pair("passwd", password);
    let body = fields.query().unwrap_or_default().to_owned();
    let sent = client.post(to).header("content-type", "application/x-www-form-urlencoded");
    let shown = sent.body(body).send().await?.error_for_status()?.text().await?;
    Ok(shown.trim().to_owned())
}

/// Counts checks and says how each went.
#[derive(Default)]
struct Results {
    passed: usize,
    failed: usize,
}

impl Results {
    fn check(&mut self, name: &str, good: bool, seen: impl std::fmt::Display) {
        if good {
            self.passed += 1;
            println!("ok    {name}: {seen}");
        } else {
            self.failed += 1;
            println!("FAIL  {name}: {seen}");
        }
    }
}

/// A deployment in memory, and the account that walks.
struct Walk {
    cloud: LocalCloud,
    store: Store,
    settings: sheep_tick::Settings,
    clock: Clock,
    networks: Networks,
    accounts: Accounts,
    id: AccountId,
    flock: Flock,
    meter: Meter,
    peer: Peer,
    results: Results,
}

async fn walk(arguments: &Arguments) -> anyhow::Result<Results> {
    let mut walk = Walk::start(arguments).await?;
    let checked = walk.add_account(arguments).await?;
    walk.check_again().await?;
    let first = walk.post().await?;
    walk.post_again(&first).await?;
    walk.answer(&first).await?;
    walk.show_picture().await?;
    Box::pin(walk.profile()).await?;
    walk.repost(&first).await?;
    if let Some(other) = &arguments.other {
        walk.follow(other).await?;
    }
    walk.list().await?;
    walk.delete(&first).await?;
    let app = Box::pin(walk.tick(checked)).await?;
    Box::pin(walk.wipe(&app)).await?;
    Ok(walk.results)
}

impl Walk {
    async fn start(arguments: &Arguments) -> anyhow::Result<Self> {
        let secrets = HashMap::from([
            ("Keyring".to_owned(), KEYRING.to_owned()),
            ("XApp".to_owned(), json!({}).to_string()),
            ("Slack".to_owned(), json!({}).to_string()),
        ]);
        let database = Database::memory()?;
        let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
        let template = Template::parse(&std::fs::read_to_string(root.join("template.yaml"))?)?;
        table::ensure(&database, LOCAL_NAME, &template.table)?;
        let (cloud, _) = LocalCloud::start(database, secrets, Token::new(), STRANGERS).await?;
        let store = Store::new(Client::new(&cloud.aws()), LOCAL_NAME.to_owned());
        let settings = sheep_tick::Settings {
            table: LOCAL_NAME.to_owned(),
            bus: LOCAL_NAME.to_owned(),
            shards: Shards::ONE,
            networks: flock_net::Settings {
                keyring_secret: "Keyring".to_owned(),
                x_secret: "XApp".to_owned(),
                x_url: None,
                on_loopback: true,
                wire: flock_aws::Wire::default(),
            },
        };
        let clock = Clock::stepped(Clock::wall().now());
        let (at, upstream) = match &arguments.behind {
            Some(behind) => (socket(&arguments.url)?, socket(behind)?),
            None => ("127.0.0.1:0".parse()?, socket(&arguments.url)?),
        };
        let meter = Meter::start(at, upstream).await?;
        let id = AccountId { network: arguments.network, handle: arguments.handle.parse()? };
        Ok(Self {
            accounts: Accounts::new(&cloud.aws(), store.clone(), &settings.networks),
            networks: Networks::new(store.clone(), &settings.networks, &clock),
            peer: Peer::new(arguments.network, format!("http://{upstream}"))?,
            flock: Flock::new("walkers".parse()?),
            results: Results::default(),
            cloud,
            store,
            settings,
            clock,
            id,
            meter,
        })
    }

    fn purse(&self, act: &str) -> Purse<'_> {
        let now = self.clock.now();
        Purse::new(&self.store, &self.flock, ("walker".to_owned(), act.to_owned()), now, now)
    }

    async fn account(&self) -> anyhow::Result<Account> {
        self.accounts.open(&self.id).await?.context("the account was added")
    }

    fn sheep(name: &str) -> anyhow::Result<SheepId> {
        Ok(SheepId { flock: "walkers".parse()?, name: name.parse()? })
    }

    /// Signs in as a person does: with what they type, or on the pages of the server.
    async fn sign_in(&mut self, arguments: &Arguments) -> anyhow::Result<NewKey> {
        let file: Value = serde_json::from_str(&std::fs::read_to_string(&arguments.key)?)?;
        let (id, server) = (self.id.clone(), self.meter.url());
        let way = *id.network.ways().first().context("it cannot be signed in to")?;
        let to = SignInTo { id: &id, way, server: Some(&server), app: None };
        let begun = self.networks.begin_sign_in(to, Back::Typing).await?;
        let wrong = SecretString::from("wrong-code-0000");
        let refused = self.networks.finish_sign_in(to, &begun.kept, Proof::Typed(&wrong)).await;
        // snac 2.75 takes any code, and what it gives for it is nobody's.
        let why = match refused {
            Ok(key) => {
                let account = Account::from_key_file(self.id.clone(), &key, None)?;
                self.networks.check(&account).await.err().map(|err| err.to_string())
            }
            Err(err) => matches!(err, NotSignedIn::Wrong(_)).then(|| err.to_string()),
        };
        let is_refused = why.is_some();
        self.results.check(
            "what is typed wrong lets nobody in",
            is_refused,
            why.unwrap_or_default(),
        );
        let typed = match file["app_password"].as_str() {
            Some(password) => password.to_owned(),
            None => {
                on_pages(&begun.page, &id, file["password"].as_str().unwrap_or_default()).await?
            }
        };
        let typed = SecretString::from(typed);
        let key = self.networks.finish_sign_in(to, &begun.kept, Proof::Typed(&typed)).await?;
        let sealed: Value = {
            use secrecy::ExposeSecret as _;
            serde_json::from_str(key.key.expose_secret())?
        };
        self.peer.token = sealed["access_token"].as_str().map(ToOwned::to_owned);
        let metered = self.meter.take();
        self.results.check("somebody signs in", true, told(&metered));
        Ok(key)
    }

    /// Asks about the account as it is stored, as `flockwork account check` does.
    async fn check_again(&mut self) -> anyhow::Result<()> {
        self.meter.take();
        let ids = [self.id.clone()];
        let with = (&self.accounts, &self.networks);
        let checks = flock_ops::check_accounts(&self.store, with, &ids, &|_, _| {}).await?;
        let metered = self.meter.take();
        let check = checks.first().context("one account was asked about")?;
        let line = check.line(&View::utc(self.clock.now()));
        self.results.check(
            "it is checked",
            check.works == Some(true),
            format!("{line}; {}", told(&metered)),
        );
        Ok(())
    }

    /// Adds the account as `flockwork account add` does.
    async fn add_account(&mut self, arguments: &Arguments) -> anyhow::Result<Checked> {
        let new = self.sign_in(arguments).await?;
        let account = Account::from_key_file(self.id.clone(), &new, None)?;
        let mut checked = self.networks.check(&account).await?;
        let keyring = Keyring::parse(&SecretString::from(KEYRING))?;
        let session = checked.session.as_ref();
        let item = AccountItem {
            remote_user: checked.remote_user.clone(),
            url: new.url,
            facts: checked.facts.clone(),
            asked_at: checked.asked_at,
            signed_in: None,
            sealed_key: keyring.seal(&self.id, &new.key),
            sealed_session: session.map(|session| keyring.seal(&self.id, session)),
        };
        self.store.put_account(&self.id, item).await?;
        self.peer.remote_user.clone_from(&checked.remote_user);
        let metered = self.meter.take();
        if !checked.facts.labelled {
            self.networks.mark_as_bot(&self.account().await?).await?;
            let marking = self.meter.take();
            checked.facts = self.networks.check(&account).await?.facts;
            self.meter.take();
            let item = self.store.account(&self.id).await?.context("the account was added")?;
            let item = AccountItem { facts: checked.facts.clone(), ..item };
            self.store.put_account(&self.id, item).await?;
            let good = checked.facts.labelled;
            self.results.check("a profile is marked as a bot's", good, told(&marking));
        }
        let known = !checked.remote_user.is_empty() && checked.facts.labelled;
        let seen = format!(
            "{} is {}, {}labelled as a bot; {}",
            self.id,
            checked.remote_user,
            if checked.facts.labelled { "" } else { "not " },
            told(&metered),
        );
        self.results.check("the account is known", known, seen);
        Ok(checked)
    }

    /// Posts one line of the sheep called `sheep`.
    async fn say(
        &self,
        sheep: &str,
        number: u64,
        (text, at): (&str, Timestamp),
        (reply_to, picture): (Option<&RemoteId>, Option<&Picture>),
    ) -> anyhow::Result<RemoteId> {
        let (sheep, occurrence) = (Self::sheep(sheep)?, Occurrence(number));
        let draft = Draft {
            id: occurrence.post_id(&sheep),
            post: Post {
                made: None,
                sheep,
                occurrence,
                account: self.id.clone(),
                at,
                text: text.to_owned(),
                state: PostState::Pending,
                remote_id: None,
                answers: None,
            },
            // As after a request that nobody knows the end of: the post may be there.
            sent: Sent::Maybe,
            last_remote: None,
            reply_to,
            quotes: None,
            attempts: 0,
            read: 1,
            picture,
            made_with_ai: false,
        };
        let purse = self.purse(&occurrence.to_string());
        match self.networks.post(&draft, &self.account().await?, &purse).await {
            Outcome::Done(id) => Ok(id),
            other => bail!("{text:?} was not posted: {other:?}"),
        }
    }

    fn now(&self) -> anyhow::Result<Timestamp> {
        Ok(Timestamp::from_second(self.clock.now().as_second())?)
    }

    async fn post(&mut self) -> anyhow::Result<(RemoteId, Timestamp)> {
        let at = self.now()?;
        let text = "The moon is <late> & \"wide\": https://example.com/moon?a=b #moon";
        let id = self.say("first", 1, (text, at), (None, None)).await?;
        let metered = self.meter.take();
        let shown = self.peer.shown().await?;
        let there = shown.iter().filter(|post| post.id == id.as_str()).collect::<Vec<_>>();
        let good = there.len() == 1 && there[0].text == text;
        self.results.check("a post is there", good, format!("{id}; {}", told(&metered)));
        Ok((id, at))
    }

    async fn post_again(&mut self, first: &(RemoteId, Timestamp)) -> anyhow::Result<()> {
        let text = "The moon is <late> & \"wide\": https://example.com/moon?a=b #moon";
        let again = self.say("first", 1, (text, first.1), (None, None)).await?;
        let metered = self.meter.take();
        let count = self.peer.shown().await?.iter().filter(|post| post.text == text).count();
        let seen = format!("{count} on the server; {}", told(&metered));
        self.results.check("the same occurrence is one post", again == first.0 && count == 1, seen);
        Ok(())
    }

    async fn answer(&mut self, first: &(RemoteId, Timestamp)) -> anyhow::Result<()> {
        let text = "It always is";
        let id = self.say("answer", 1, (text, self.now()?), (Some(&first.0), None)).await?;
        let metered = self.meter.take();
        let shown = self.peer.shown().await?;
        let there = shown.iter().find(|post| post.id == id.as_str()).context("it is there")?;
        let parent = there.answers.as_deref();
        let good = there.text == text && parent == Some(first.0.as_str());
        self.results.check("a reply answers", good, format!("{parent:?}; {}", told(&metered)));
        Ok(())
    }

    async fn show_picture(&mut self) -> anyhow::Result<()> {
        let alt = "One red pixel, seen from very close";
        let picture = Picture::read(BASE64_STANDARD.decode(PNG)?, alt.to_owned())?;
        let id = self.say("picture", 1, ("Look", self.now()?), (None, Some(&picture))).await?;
        let metered = self.meter.take();
        let shown = self.peer.shown().await?;
        let there = shown.iter().find(|post| post.id == id.as_str()).context("it is there")?;
        let good = there.alt.as_deref() == Some(alt);
        let seen = format!("{:?}; {}", there.alt, told(&metered));
        self.results.check("a picture has its words", good, seen);
        Ok(())
    }

    /// Changes what the account shows of itself, as `flockwork ring apply` does, and reads it back.
    async fn profile(&mut self) -> anyhow::Result<()> {
        let texts = BTreeMap::from([
            (ProfilePart::Name, "Book 1 of <Paradise> & \"Lost\"".to_owned()),
            (
                ProfilePart::Bio,
                "Tweets \u{1f411}\nJohn Milton's Paradise Lost in perpetuity".to_owned(),
            ),
        ]);
        let wanted = Wanted { texts, bot: Some(true), ..Wanted::default() };
        let account = self.account().await?;
        self.meter.take();
        let changed = self.networks.change_profile(&account, &wanted).await;
        let metered = self.meter.take();
        let shown = self.networks.profile(&account, &self.purse("profile")).await?;
        let differences = wanted.differences(&shown);
        let name = self.peer.profile_name().await?;
        let good =
            changed.is_ok() && differences.is_empty() && name == "Book 1 of <Paradise> & \"Lost\"";
        let seen = format!("{name}, {changed:?}, {differences:?}; {}", told(&metered));
        self.results.check("a profile says what is wanted", good, seen);

        let picture = Picture::read(BASE64_STANDARD.decode(PNG)?, String::new())?;
        let wanted = Wanted { picture: Some(picture), ..wanted };
        self.meter.take();
        let changed = self.networks.change_profile(&account, &wanted).await;
        let metered = self.meter.take();
        let shown = self.networks.profile(&account, &self.purse("profile")).await?;
        // Who makes another picture of it cannot be asked which it is.
        let left = wanted.without_what_is(&shown);
        let is_there = self.network_tells_pictures() == left.is_nothing();
        let seen = format!("{changed:?}; {}", told(&metered));
        self.results.check("a profile has a picture", changed.is_ok() && is_there, seen);
        if self.network_tells_pictures() {
            self.meter.take();
            self.networks.change_profile(&account, &wanted).await?;
            let requests = self.meter.take().requests;
            let names: Vec<_> = requests.iter().map(|request| short(request)).collect();
            let good = names == ["repo.getRecord"];
            self.results.check(
                "a profile that is so already is not written",
                good,
                names.join(", "),
            );
        }

        let texts = BTreeMap::from([(ProfilePart::Url, "https://example.com/milton".to_owned())]);
        let wanted = Wanted { texts, ..Wanted::default() };
        let changed = self.networks.change_profile(&account, &wanted).await;
        let shown = self.networks.profile(&account, &self.purse("profile")).await?;
        let is_there = wanted.without_what_is(&shown).is_nothing();
        // What a server does not take is said.
        self.results.check(
            "a profile has a link, or that it has none is said",
            is_there == changed.is_ok(),
            format!("{changed:?}"),
        );
        Ok(())
    }

    /// Whether the network says which picture it was given.
    fn network_tells_pictures(&self) -> bool {
        self.id.network == Network::Bluesky
    }

    async fn repost(&mut self, first: &(RemoteId, Timestamp)) -> anyhow::Result<()> {
        let account = self.account().await?;
        let act: PostId = Occurrence(1).post_id(&Self::sheep("repost")?);
        let id = self.networks.repost(&act, &first.0, &account, &self.purse("repost")).await?;
        let metered = self.meter.take();
        let again = self.networks.repost(&act, &first.0, &account, &self.purse("repost")).await?;
        let count = self.peer.reposts_of(&first.0).await?;
        let seen = format!("{count} on the server; {}", told(&metered));
        self.results.check("a repost is there once", id == again && count == 1, seen);
        Ok(())
    }

    /// Follows somebody and no more, each twice.
    async fn follow(&mut self, other: &str) -> anyhow::Result<()> {
        let account = self.account().await?;
        let who = AccountId { network: self.id.network, handle: other.parse()? };
        self.meter.take();
        let id = self.networks.find_user(&account, &who, &self.purse("find")).await?;
        let seen = format!("{id}; {}", told(&self.meter.take()));
        self.results.check("somebody is found by their name", !id.as_str().is_empty(), seen);
        let before = self.peer.follows_of(&id).await?;
        for when in ["", " once, asked for again"] {
            let (_, stands) = self.networks.follow(&id, &account).await?;
            let count = self.peer.follows_of(&id).await?;
            let seen = format!("{stands:?}, {count} on the server; {}", told(&self.meter.take()));
            self.results.check(
                &format!("somebody is followed{when}"),
                (before, count) == (0, 1),
                seen,
            );
        }
        for when in ["", ", asked for again"] {
            let stands = self.networks.unfollow(&id, &account).await?;
            let count = self.peer.follows_of(&id).await?;
            let seen = format!("{stands:?}, {count} on the server; {}", told(&self.meter.take()));
            self.results.check(&format!("and followed no more{when}"), count == 0, seen);
        }
        Ok(())
    }

    /// Posts until a listing has three pages, and reads it.
    async fn list(&mut self) -> anyhow::Result<()> {
        let (total, before) = (self.peer.posts_for_three_pages(), self.peer.shown().await?.len());
        self.meter.take();
        let start = self.now()?;
        // A clock that is set while a session lives: five minutes back, as clocks can be off.
        self.clock.step_to(start - SignedDuration::from_mins(5));
        for number in before..total {
            let at = start + SignedDuration::from_secs(i64::try_from(number)? - 1_000);
            let text = format!("Line {number}");
            self.say("pages", u64::try_from(number)?, (&text, at), (None, None)).await?;
        }
        let metered = self.meter.take();
        self.clock.step_to(start);
        let made = total - before;
        let per_post = |count: usize| count / made.max(1);
        let seen = format!(
            "{made} posts, {} requests, {} bytes sent and {} received for each; besides posts: {:?}",
            metered.requests.len(),
            per_post(metered.sent),
            per_post(metered.received),
            self.peer.besides_posts(&metered),
        );
        let logins = metered.requests.iter().filter(|request| request.ends_with(LOGIN)).count();
        self.results.check("posting needs no login", logins == 0, seen);

        let account = self.account().await?;
        let (mut listed, mut pages, mut page) = (Vec::new(), 0, None::<String>);
        loop {
            let purse = self.purse("list");
            let timeline = self.networks.timeline(&account, page.as_deref(), &purse).await?;
            pages += 1;
            listed.extend(timeline.posts);
            page = timeline.next;
            if page.is_none() {
                break;
            }
        }
        let shown = self.peer.shown().await?;
        let same = listed.len() == shown.len()
            && listed.iter().zip(&shown).all(|(seen, post)| seen.id.as_str() == post.id);
        let seen = format!("{} of {} posts in {pages} pages", listed.len(), shown.len());
        self.results.check("the timeline is what the server shows", same && 3 <= pages, seen);
        Ok(())
    }

    async fn delete(&mut self, first: &(RemoteId, Timestamp)) -> anyhow::Result<()> {
        let account = self.account().await?;
        self.meter.take();
        let deleted = self.networks.delete(&first.0, &account, &self.purse("delete")).await;
        let metered = self.meter.take();
        let gone = !self.peer.shown().await?.iter().any(|post| post.id == first.0.as_str());
        if let Err(failure) = deleted {
            // snac deletes nothing over this API. To say so is all that can be done.
            let good = !gone && matches!(failure.kind, FailureKind::Refused(_));
            self.results.check("a post that is not deleted is told of", good, failure);
            return Ok(());
        }
        let again = self.networks.delete(&first.0, &account, &self.purse("delete")).await;
        let good = gone && deleted == Ok(Deleted::Now) && again == Ok(Deleted::Before);
        let seen = format!("{deleted:?}, then {again:?}; {}", told(&metered));
        self.results.check("a deleted post is gone", good, seen);
        Ok(())
    }

    /// A sheep says two lines, by two ticks of the function that is deployed.
    async fn tick(&mut self, checked: Checked) -> anyhow::Result<App> {
        let flock = &self.flock.name;
        self.store.put_flock(&self.flock).await?;
        let corpus = Corpus::parse(b"first line of a sheep\nsecond line of a sheep\nthird line")
            .map_err(|problems| anyhow::anyhow!("{problems:?}"))?;
        self.store.put_corpus(flock, &corpus, |_| {}).await?;
        let fields = RhythmFields { line: Some("3m".to_owned()), ..RhythmFields::default() };
        let behaviour = BehaviourKind::Poem.with_text(&corpus);
        let rhythm = Rhythm::parse(&fields).map_err(|problems| anyhow::anyhow!("{problems:?}"))?;
        let mut config = SheepConfig::new(self.id.clone(), behaviour, rhythm);
        config.text_limit = checked.facts.text_limit(self.id.network);
        let (start, id) = (self.now()?, Self::sheep("poet")?);
        let sheep = Sheep::create(id.clone(), config, Occurrence(1), start);
        let sheep = sheep.context("its rhythm begins")?;
        self.store.create_sheep(&sheep).await?;
        self.meter.take();
        let app = App::start(self.settings.clone(), &self.cloud.aws(), self.clock.clone()).await?;
        let tick = json!({ "detail-type": "Scheduled Event", "source": "flockwork.schedule" });
        let mut posted = 0;
        for minute in [0, 3] {
            self.clock.step_to(start + SignedDuration::from_mins(minute));
            #[expect(clippy::disallowed_methods, reason = "the deadline is on the wall clock")]
            let deadline = std::time::SystemTime::now() + Duration::from_secs(50);
            posted += app.handle(&tick, deadline).await?.posted;
        }
        let metered = self.meter.take();
        let shown = self.peer.shown().await?;
        let count = |text: &str| shown.iter().filter(|post| post.text == text).count();
        let there = [count("first line of a sheep"), count("second line of a sheep")];
        let recorded = self.store.newest_posts(&id, 10).await?;
        let good = posted == 2
            && there == [1, 1]
            && recorded.len() == 2
            && recorded.iter().all(|post| post.remote_id.is_some());
        let seen = format!("{posted} posted, {there:?} on the server; {}", told(&metered));
        self.results.check("sheep-tick posts two lines in two ticks", good, seen);
        Ok(app)
    }

    /// So many posts the record names when they are wiped; where none is deleted, as many as were made to be listed.
    fn posts_on_record(&self) -> usize {
        if self.network_deletes() { 250 } else { 80 }
    }

    /// Has the record name so many posts of the account, with those of the sheep, and not what else is there.
    async fn record(&self) -> anyhow::Result<()> {
        let (pages, recorded) = (Self::sheep("pages")?, self.posts_on_record());
        self.store.enlist(&[(pages.clone(), self.id.clone())]).await?;
        let start = self.now()?;
        let mut lines = self.peer.shown().await?;
        lines.retain(|post| post.text.starts_with("Line "));
        let mut ids: Vec<RemoteId> =
            lines.iter().map(|post| post.id.parse()).collect::<Result<_, _>>()?;
        for number in ids.len() + OF_THE_SHEEP..recorded {
            // None of them is as one that is there.
            let at = start + SignedDuration::from_secs(i64::try_from(number)? - 500);
            let text = format!("One more line {number}");
            ids.push(self.say("more", u64::try_from(number)?, (&text, at), (None, None)).await?);
        }
        for (id, number) in ids.into_iter().take(recorded - OF_THE_SHEEP).zip(1..) {
            let post = Post {
                made: None,
                sheep: pages.clone(),
                occurrence: Occurrence(number),
                account: self.id.clone(),
                at: start,
                text: format!("Line {number}"),
                state: PostState::Posted,
                remote_id: Some(id),
                answers: None,
            };
            if self.store.put_post(&post, 1).await? != Recorded::Done {
                bail!("post {number} is recorded already");
            }
        }
        Ok(())
    }

    /// Begins a wipe as `flockwork wipe` does, and goes on with it from minute to minute as the function that is deployed does.
    async fn wiped(&self, app: &App, everything: bool) -> anyhow::Result<(u64, Box<Wipe>)> {
        let (of, now) = (Whom::Account(self.id.clone()), self.clock.now());
        let by = By::CommandLine { user: "walker".to_owned(), arn: None };
        let who = Who { by, at: now, id: DeliveryId::of(&["wipe", &now.to_string()]) };
        let noted = Noted::begin(&self.store, who, "wipe".to_owned()).await?;
        let count = count_wipe(&self.store, of, everything, None, now).await?;
        let asker = Asker::CommandLine("walker".to_owned());
        let (Begun::New(job) | Begun::UnderWay(job)) =
            begin_wipe(&self.store, &noted, asker, &count, now).await?;
        let due = json!({ "detail-type": "job.due", "detail": { "id": job.id.as_str() } });
        for _ in 0..MOST_MINUTES {
            #[expect(clippy::disallowed_methods, reason = "the deadline is on the wall clock")]
            let deadline = std::time::SystemTime::now() + Duration::from_secs(50);
            app.handle(&due, deadline).await?;
            let job = self.store.job(&job.id).await?.context("the job is there")?;
            if let (false, Work::Wipe(work)) = (job.is_running(), job.work) {
                return Ok((count.posts(), work));
            }
            self.clock.step_to(self.clock.now() + SignedDuration::from_mins(1));
        }
        bail!("the wipe is not over after {MOST_MINUTES} minutes")
    }

    /// Deletes what is recorded, and then what else is there; or says what stays, where the server deletes nothing.
    async fn wipe(&mut self, app: &App) -> anyhow::Result<()> {
        self.record().await?;
        let ids = |shown: Vec<Shown>| shown.into_iter().map(|post| post.id).collect::<HashSet<_>>();
        let before = ids(self.peer.shown().await?);
        let recorded = self.recorded().await?;
        let unknown: HashSet<_> = before.difference(&recorded).cloned().collect();
        let (deletes, on_record) = (self.network_deletes(), self.posts_on_record());
        for everything in [false, true] {
            self.meter.take();
            let begun = std::time::Instant::now();
            let (counted, work) = self.wiped(app, everything).await?;
            let took = begun.elapsed().as_secs();
            let metered = self.meter.take();
            let left = ids(self.peer.shown().await?);
            let (expected, counts) = match (deletes, everything) {
                (true, false) => (unknown.clone(), (on_record, 0)),
                (true, true) => (HashSet::new(), (unknown.len(), 0)),
                (false, _) => (before.clone(), (0, on_record)),
            };
            let counts = (u64::try_from(counts.0)?, u64::try_from(counts.1)?);
            // What stays beyond the record is counted, too.
            let is_counted = work.deleted == counts.0
                && (work.stayed == counts.1 || (everything && counts.1 < work.stayed));
            let is_told = (work.stayed == 0) == work.stays.is_empty();
            let sheep = self.store.sheep(&Self::sheep("poet")?, Read::Consistent).await?;
            let sheep = sheep.context("it is there")?;
            let is_anew = matches!(sheep.state, State::Paused { .. })
                && (sheep.progress.cursor, &sheep.intent) == (Cursor::default(), &None);
            let seen = format!(
                "{} of {} deleted in {took} s, {} stayed, {} left, {counted} counted; {} requests; {:?}",
                work.deleted,
                before.len(),
                work.stayed,
                left.len(),
                metered.requests.len(),
                work.stays.iter().take(2).collect::<Vec<_>>(),
            );
            let name =
                if everything { "a wipe of everything" } else { "a wipe of what is recorded" };
            let good = left == expected && is_counted && is_told && is_anew;
            self.results.check(name, good, seen);
        }
        let marked = self.recorded().await?.len();
        let good = marked == if deletes { 0 } else { on_record };
        self.results.check("what is deleted is marked so, and nothing else", good, marked);
        Ok(())
    }

    /// What the record names of the account that is not deleted.
    async fn recorded(&self) -> anyhow::Result<HashSet<String>> {
        let mut recorded = HashSet::new();
        for sheep in ["pages", "poet"] {
            let posts = self.store.posts_after(&Self::sheep(sheep)?, Occurrence(0), 500).await?;
            let posts = posts.into_iter().filter(|on_record| on_record.deleted_at.is_none());
            let ids = posts.filter_map(|on_record| on_record.post.remote_id);
            recorded.extend(ids.map(|id| id.as_str().to_owned()));
        }
        Ok(recorded)
    }

    /// Whether the server deletes what it is asked to.
    fn network_deletes(&self) -> bool {
        self.id.network == Network::Bluesky
    }
}

/// So many of the posts that are recorded the sheep has made.
const OF_THE_SHEEP: usize = 2;

/// A wipe that takes longer hangs.
const MOST_MINUTES: usize = 60;

/// How a login ends, among requests.
const LOGIN: &str = "createSession";

/// Requests and bytes of one step.
fn told(metered: &Metered) -> String {
    let Metered { requests, sent, received } = metered;
    let names: Vec<_> = requests.iter().map(|request| short(request)).collect();
    format!(
        "{} requests ({}), {sent} bytes sent, {received} received",
        names.len(),
        names.join(", ")
    )
}

/// The last part of a request's path says enough.
fn short(request: &str) -> &str {
    let name = request.rsplit(['/', ' ']).next().unwrap_or_default();
    name.strip_prefix("com.atproto.").unwrap_or(name)
}

fn socket(url: &str) -> anyhow::Result<std::net::SocketAddr> {
    url.trim_start_matches("http://")
        .trim_end_matches('/')
        .parse()
        .with_context(|| format!("{url} is not http://ADDRESS:PORT"))
}

/// The server, asked in other words than ours.
struct Peer {
    network: Network,
    url: String,
    http: reqwest::Client,
    /// Mastodon's, from the key file.
    token: Option<String>,
    remote_user: String,
}

/// A post as the server shows it.
#[derive(Debug)]
struct Shown {
    id: String,
    text: String,
    /// What the server calls the post it answers.
    answers: Option<String>,
    /// The words of its picture.
    alt: Option<String>,
}

impl Peer {
    fn new(network: Network, url: String) -> anyhow::Result<Self> {
        Ok(Self {
            network,
            url,
            // snac closes its connections without a word.
            http: reqwest::Client::builder().pool_max_idle_per_host(0).build()?,
            token: None,
            remote_user: String::new(),
        })
    }

    async fn get(&self, path: &str, query: &[(&str, &str)]) -> anyhow::Result<Value> {
        let url = Url::parse_with_params(&format!("{}{path}", self.url), query)?;
        let mut request = self.http.get(url);
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        Ok(request.send().await?.error_for_status()?.json().await?)
    }

    /// All posts of the account, newest first.
    async fn shown(&self) -> anyhow::Result<Vec<Shown>> {
        match self.network {
            Network::Bluesky => {
                self.records("app.bsky.feed.post").await?.iter().map(record).collect()
            }
            Network::Mastodon => self.statuses().await?.iter().map(status).collect(),
            Network::Meadow | Network::X => bail!("there is no server of it to walk"),
        }
    }

    /// What the account calls itself.
    async fn profile_name(&self) -> anyhow::Result<String> {
        let name = match self.network {
            Network::Bluesky => {
                let profile = self.records("app.bsky.actor.profile").await?;
                profile.first().context("it has a profile")?["value"]["displayName"].clone()
            }
            Network::Mastodon => {
                self.get("/api/v1/accounts/verify_credentials", &[]).await?["display_name"].clone()
            }
            Network::Meadow | Network::X => bail!("there is no server of it to walk"),
        };
        Ok(name.as_str().unwrap_or_default().to_owned())
    }

    async fn reposts_of(&self, post: &RemoteId) -> anyhow::Result<usize> {
        let post = post.as_str();
        Ok(match self.network {
            Network::Bluesky => {
                let reposts = self.records("app.bsky.feed.repost").await?;
                reposts.iter().filter(|repost| repost["value"]["subject"]["uri"] == post).count()
            }
            Network::Mastodon => {
                let path = format!("/api/v1/statuses/{post}");
                usize::from(self.get(&path, &[]).await?["reblogged"] == true)
            }
            Network::Meadow | Network::X => bail!("there is no server of it to walk"),
        })
    }

    /// How often the account follows somebody.
    async fn follows_of(&self, who: &RemoteId) -> anyhow::Result<usize> {
        let who = who.as_str();
        Ok(match self.network {
            Network::Bluesky => {
                let follows = self.records("app.bsky.graph.follow").await?;
                follows.iter().filter(|follow| follow["value"]["subject"] == who).count()
            }
            Network::Mastodon => {
                let path = "/api/v1/accounts/relationships";
                let shown = self.get(path, &[("id[]", who)]).await?;
                usize::from(shown[0]["following"] == true)
            }
            Network::Meadow | Network::X => bail!("there is no server of it to walk"),
        })
    }

    async fn records(&self, collection: &str) -> anyhow::Result<Vec<Value>> {
        let (mut records, mut cursor) = (Vec::new(), None::<String>);
        loop {
            let mut query = vec![
                ("repo", self.remote_user.as_str()),
                ("collection", collection),
                ("limit", "90"),
            ];
            query.extend(cursor.as_deref().map(|cursor| ("cursor", cursor)));
            let page = self.get("/xrpc/com.atproto.repo.listRecords", &query).await?;
            let found = page["records"].as_array().context("it lists records")?;
            if found.is_empty() {
                return Ok(records);
            }
            records.extend(found.iter().cloned());
            cursor = page["cursor"].as_str().map(ToOwned::to_owned);
        }
    }

    async fn statuses(&self) -> anyhow::Result<Vec<Value>> {
        let path = format!("/api/v1/accounts/{}/statuses", self.remote_user);
        let (mut statuses, mut before) = (Vec::new(), None::<String>);
        let mut known = HashSet::new();
        loop {
            let mut query = vec![("limit", "20"), ("exclude_reblogs", "true")];
            query.extend(before.as_deref().map(|before| ("max_id", before)));
            let page = self.get(&path, &query).await?;
            let found = page.as_array().context("it lists statuses")?;
            let Some(last) = found.last() else { return Ok(statuses) };
            before = last["id"].as_str().map(ToOwned::to_owned);
            // snac gives everything again, whatever page it is asked for.
            let new = |status: &&Value| known.insert(status["id"].to_string());
            let new: Vec<_> = found.iter().filter(new).collect();
            if new.is_empty() {
                return Ok(statuses);
            }
            // A post that its own account reposted is to snac a repost of itself.
            let own = |status: &&Value| {
                status["reblog"].is_null() || status["reblog"]["id"] == status["id"]
            };
            statuses.extend(new.into_iter().filter(own).cloned());
        }
    }

    /// As many posts as three pages of our own listing do not hold less than.
    fn posts_for_three_pages(&self) -> usize {
        match self.network {
            Network::Bluesky => 205,
            Network::Mastodon => 85,
            Network::Meadow | Network::X => 0,
        }
    }

    /// The requests that made no post, by name, with how many there were.
    fn besides_posts(&self, metered: &Metered) -> HashMap<String, usize> {
        let post = match self.network {
            Network::Bluesky => "repo.putRecord",
            Network::Meadow | Network::X | Network::Mastodon => "statuses",
        };
        let mut counts = HashMap::new();
        for name in metered.requests.iter().map(|request| short(request)) {
            if name != post {
                *counts.entry(name.to_owned()).or_insert(0) += 1;
            }
        }
        counts
    }
}

/// A record of Bluesky's.
fn record(record: &Value) -> anyhow::Result<Shown> {
    let value = &record["value"];
    let text = |value: &Value| value.as_str().map(ToOwned::to_owned);
    Ok(Shown {
        id: text(&record["uri"]).context("a record has an address")?,
        text: text(&value["text"]).context("a post has a text")?,
        answers: text(&value["reply"]["parent"]["uri"]),
        alt: text(&value["embed"]["images"][0]["alt"]),
    })
}

/// A status of Mastodon's.
fn status(status: &Value) -> anyhow::Result<Shown> {
    let text = |value: &Value| value.as_str().map(ToOwned::to_owned);
    Ok(Shown {
        id: text(&status["id"]).context("a status has an id")?,
        // snac shows what it was sent, too, and its HTML does not escape.
        text: match text(&status["text"]) {
            Some(sent) => sent,
            None => plain(status["content"].as_str().context("a status has content")?),
        },
        answers: text(&status["in_reply_to_id"]),
        alt: text(&status["media_attachments"][0]["description"]),
    })
}

/// What a piece of HTML says.
fn plain(html: &str) -> String {
    let mut text = String::new();
    let mut rest = html;
    while let Some((before, tag)) = rest.split_once('<') {
        text.push_str(before);
        rest = tag.split_once('>').map_or("", |(_, after)| after);
    }
    text.push_str(rest);
    for (escaped, plain) in [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#34;", "\""),
        ("&#39;", "'"),
        ("&amp;", "&"),
    ] {
        text = text.replace(escaped, plain);
    }
    text.trim().to_owned()
}
