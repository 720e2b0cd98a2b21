//! One world from its beginning to its end, in simulated time.
//!
//! Everything runs on one thread of a runtime whose time stands still while anything works, and goes on to whatever comes next
//! when nothing does. So the order of all that happens is that of the times drawn, and a seed is the same run again.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use flock_aws::Keyring;
use flock_core::{
    AccountFacts, AccountId, DeliveryId, Network, Sheep, SheepId, TableId, Tier, Way,
};
use flock_net::{Back, Key, Networks, NewKey, Proof, SignInTo};
use flock_ops::{KeyFrom, NewAccount, Noted, Who};
use flock_store::{AccountItem, By, Store};
use flock_tests::{Clock, Person, Shown};
use jiff::Timestamp;
use secrecy::SecretString;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::{
    fault::{FaultKind, Service},
    invariants::{self, Violation},
    machine::Machine,
    outside::{
        APP_PASSWORD, Answer, Asked, BLUESKY_URL, KEYRING, KEYS_URL, MASTODON_URL, Outside,
        account_name, deletion, did, is_renewed, user_id, x_app,
    },
    people::{self, Done, Files},
    platform::{self, Platform},
    scenario::{DAY, Scenario, SheepPlan},
    steps::{Keep, Steps},
    table::{self, Request},
    weather::Weather,
};

/// A world.
pub(crate) struct World {
    /// What it was drawn as.
    pub scenario: Scenario,
    pub(crate) outside: Outside,
    pub(crate) weather: Weather,
    pub(crate) platform: Platform,
    pub(crate) files: Files,
    steps: Steps,
    clock: Clock,
    known: Mutex<Known>,
}

/// What is seen of it while it goes on.
#[derive(Debug, Default)]
pub(crate) struct Known {
    /// What was broken first.
    broken: Option<Violation>,
    /// Which texts each network has taken, and which it has refused.
    taken: BTreeMap<(Service, String), bool>,
    /// What was put on the bus, and how often it was delivered.
    pub(crate) published: Vec<(Value, u8)>,
    /// What nobody has handled.
    pub(crate) given_up: Vec<Value>,
    /// What was seen of writes.
    pub(crate) seen: invariants::Seen,
    /// What people did.
    pub(crate) deeds: Vec<Done>,
    /// Sheep that somebody has asked something of.
    pub(crate) touched: BTreeSet<usize>,
    /// Sheep that were to be wiped, and when that was asked for first.
    pub(crate) wiped: BTreeMap<usize, Timestamp>,
    /// Sheep that were resumed after that, as they were then, and when.
    pub(crate) resumed: BTreeMap<SheepId, (Sheep, Timestamp)>,
    /// Whether everything is stopped, as the last tick has it.
    held: bool,
    /// Deletions that networks have made.
    deletions: u64,
    /// Ticks that were carried out.
    ticks: u64,
    /// Requests that were made.
    requests: u64,
    /// Exchanges of tokens whose answer was lost on the way, or with the machine that got it.
    pub(crate) lost_exchanges: usize,
}

/// A request, as far as it is looked at before it goes out.
pub(crate) struct What {
    pub(crate) writes: bool,
    pub(crate) words: String,
}

/// What a run came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// Days of a sheep.
    pub bot_days: u64,
    /// Posts that were recorded.
    pub posts: u64,
    /// Ticks.
    pub ticks: u64,
    /// Requests of all machines.
    pub requests: u64,
    /// Wipes that have come to their end.
    pub wipes: u64,
    /// Posts that were deleted on networks.
    pub deletions: u64,
    /// How often each kind of fault that was drawn has happened.
    pub faults: BTreeMap<&'static str, u64>,
    /// A digest of all items and of all that is to be seen on the networks.
    pub digest: String,
}

/// A run in which something was broken.
#[derive(Debug, Clone)]
pub struct Failure {
    /// What.
    pub violation: Violation,
    /// The last steps before that.
    pub steps: Vec<String>,
}

/// How long nothing goes wrong after the trouble: longer than anything is put off.
const QUIET: Duration = Duration::from_hours(30);

/// How long who has died may hold what it had claimed.
const LONGEST_LEASE: Duration = Duration::from_secs(80);

impl World {
    /// The right time.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn note(&self, what: impl FnOnce() -> String) {
        self.steps.note(self.now(), what);
    }

    pub(crate) fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something that must always be so is not.
    pub(crate) fn broken(&self, invariant: &'static str, what: impl FnOnce() -> String) {
        let mut known = self.known();
        if known.broken.is_none() {
            let violation = Violation { invariant, what: what(), at: self.now() };
            self.steps.note(self.now(), || format!("BROKEN {violation}"));
            known.broken = Some(violation);
        }
    }

    /// A request is about to go out.
    pub(crate) fn begins(&self, machine: &Machine, whom: Service, asked: &Asked) -> What {
        self.known().requests += 1;
        if whom == Service::Bus {
            invariants::tells(self, &machine.name, asked);
        }
        let body = match whom {
            Service::Table => serde_json::from_slice(&asked.body).unwrap_or(Value::Null),
            _ => Value::Null,
        };
        if let Some(request) = Request::of(asked, body) {
            return What { writes: request.writes(), words: request.words() };
        }
        if Service::NETWORKS.contains(&whom)
            && let Some((sheep, _)) = said_in(&asked.body)
        {
            invariants::who_posts_has_claimed(self, &machine.name, &sheep);
            let words =
                format!("{} {}, a post of {sheep}", asked.head.method, asked.head.uri.path());
            return What { writes: true, words };
        }
        let target = asked.head.headers.get("x-amz-target").and_then(|target| target.to_str().ok());
        let words = match target {
            Some(target) => target.rsplit('.').next().unwrap_or(target).to_owned(),
            None => format!("{} {}", asked.head.method, asked.head.uri.path()),
        };
        What { writes: false, words }
    }

    /// A request has arrived.
    pub(crate) async fn arrives(
        self: &Arc<Self>,
        machine: &str,
        whom: Service,
        asked: Asked,
    ) -> Answer {
        let write = invariants::Write::of(self, whom, &asked);
        let deletion = deletion(&asked);
        let answer = if self.refuses(whom, &asked) {
            Weather::text_refused(whom)
        } else {
            self.outside.answer(whom, asked, || self.weather.lag()).await
        };
        if answer.status.is_success()
            && let Some(write) = write
        {
            write.arrived(self, machine);
        }
        if answer.status.is_success()
            && let Some((network, post)) = deletion
        {
            self.known().deletions += 1;
            invariants::nothing_is_deleted_but_by_a_wipe(self, network, &post);
        }
        if !answer.status.is_success() {
            self.note(|| {
                let (status, body) =
                    (answer.status.as_u16(), String::from_utf8_lossy(&answer.body));
                // The item that comes with it has its fields in no order.
                let words = body.split("\"Item\":").next().unwrap_or_default();
                format!("{whom} answers {machine} with {status}: {words}")
            });
        }
        if whom == Service::Bus {
            for event in self.outside.events() {
                platform::deliver(self, &event);
            }
        }
        answer
    }

    /// Whether a network refuses what it is asked to post. It stays with what it has said of a text.
    fn refuses(&self, whom: Service, asked: &Asked) -> bool {
        let is_network = Service::NETWORKS.contains(&whom);
        let Some((_, text)) = said_in(&asked.body).filter(|_| is_network) else { return false };
        let known = self.known().taken.get(&(whom, text.clone())).copied();
        let takes = known.unwrap_or_else(|| !self.weather.refuses_text(whom));
        self.known().taken.insert((whom, text), takes);
        !takes
    }

    pub(crate) fn published(&self, event: &Value, times: u8) {
        self.note(|| match times {
            0 => format!("an event is lost: {event}"),
            1 => format!("an event: {event}"),
            _ => format!("an event that comes {times} times: {event}"),
        });
        self.known().published.push((event.clone(), times));
    }

    pub(crate) fn given_up(&self, event: &Value) {
        self.note(|| format!("given up: {event}"));
        self.known().given_up.push(event.clone());
    }

    pub(crate) fn ticked(&self, report: &Value) {
        self.note(|| format!("a tick ends: {report}"));
        let mut known = self.known();
        known.ticks += 1;
        known.held = report["held"] == true;
    }

    pub(crate) fn did(&self, done: Done) {
        let touched = self.scenario.sheep.iter().enumerate().filter(|(_, plan)| {
            let mut words = done.line.split(' ');
            words.any(|word| word == plan.flock || word == people::sheep_id(plan).to_string())
        });
        let touched: Vec<_> = touched.map(|(number, _)| number).collect();
        let mut known = self.known();
        if done.touches {
            known.touched.extend(touched);
        }
        known.deeds.push(done);
    }

    pub(crate) fn touched(&self, sheep: usize) {
        self.known().touched.insert(sheep);
    }

    /// All accounts that anything may be seen of.
    pub(crate) fn accounts(&self) -> impl Iterator<Item = (&SheepPlan, AccountId)> {
        let plans = self.scenario.sheep.iter();
        plans.flat_map(|plan| [0, 1].map(|which| (plan, people::account(plan, which))))
    }

    /// The table as an observer sees it.
    pub(crate) fn store(self: &Arc<Self>) -> Store {
        let machine = Machine::observer(self);
        Store::new(aws_sdk_dynamodb::Client::new(&machine.aws()), table::NAME.to_owned())
    }
}

/// Runs a scenario to its end.
pub fn run(scenario: &Scenario, keep: Keep) -> (Result<Summary, Failure>, Vec<String>) {
    // What AWS's clients draw for themselves.
    fastrand::seed(scenario.seed);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime without I/O can be built");
    runtime.block_on(async {
        let clock = Clock::simulated(scenario.begins);
        let stale = |kind: FaultKind| matches!(kind, FaultKind::StaleReads(_));
        let late = scenario.faults.iter().any(|fault| stale(fault.kind));
        let world = Arc::new(World {
            scenario: scenario.clone(),
            outside: Outside::new(scenario, late, clock),
            weather: Weather::new(scenario.seed, scenario.faults.clone()),
            platform: Platform::default(),
            files: Files::new(&scenario.sheep, scenario.cap_cents),
            steps: Steps::new(keep),
            clock,
            known: Mutex::default(),
        });
        let result = Box::pin(live(&world)).await;
        let steps = world.steps.kept();
        let result = match (result, world.known().broken.clone()) {
            (_, Some(violation)) => Err(Failure { violation, steps: steps.clone() }),
            (Err(err), None) => {
                let what = format!("{err:#}");
                let violation =
                    Violation { invariant: "a_world_begins_and_ends", what, at: world.now() };
                Err(Failure { violation, steps: steps.clone() })
            }
            (Ok(summary), None) => Ok(summary),
        };
        (result, steps)
    })
}

async fn live(world: &Arc<World>) -> anyhow::Result<Summary> {
    let observer = Machine::observer(world);
    begin(world, &observer).await?;
    let sheep = world.store().sheep_of(None).await?;
    go_on(world).await;
    world.weather.clear_up();
    // What had died may hold a lease, and then two ticks.
    let settled = world.scenario.trouble() + LONGEST_LEASE + Duration::from_mins(3);
    Box::pin(people::finish(world)).await?;
    world.known().held = false;
    ticks_until(world, settled).await;
    let behind = invariants::who_is_behind(world).await?;
    ticks_until(world, settled + Duration::from_mins(1)).await;
    invariants::nothing_is_due(world, &behind).await?;
    ticks_until(world, world.scenario.trouble() + QUIET).await;
    invariants::at_the_end(world, &sheep).await?;
    let known = world.known();
    let (ticks, requests) = (known.ticks, known.requests);
    let (wipes, deletions) = (known.seen.wipes.ended(), known.deletions);
    drop(known);
    let days = u64::from(world.scenario.days) + QUIET.as_secs() / DAY.as_secs();
    let (posts, digest) = crate::digest::digest(world);
    let bot_days = days * u64::try_from(world.scenario.sheep.len()).unwrap_or(0);
    let faults = world.weather.happened();
    Ok(Summary { bot_days, posts, ticks, requests, wipes, deletions, faults, digest })
}

/// Makes the accounts, and applies the files.
async fn begin(world: &Arc<World>, observer: &Arc<Machine>) -> anyhow::Result<()> {
    world.platform.deploy(world.scenario.shards[0]);
    // As drawn from the seed: posts are named by it.
    let mut bytes = [0; 16];
    world.weather.dice().fill(&mut bytes);
    let id = String::from(TableId::from_random(bytes));
    let store = world.store();
    world.outside.table.put(&json!({
        "pk": { "S": "SYSTEM" }, "sk": { "S": "SHARDS" }, "v": { "N": "1" },
        "current": { "N": world.scenario.shards[0].to_string() },
        "highest": { "N": world.scenario.shards[0].to_string() },
        "table": { "S": id },
    }));
    let keyring = || Keyring::parse(&SecretString::from(KEYRING));
    let networks =
        Networks::new(store.clone(), &platform::networks(observer), &observer.clock.clone());
    for (_, id) in world.accounts() {
        let name = account_name(&id).to_owned();
        let file = match id.network {
            Network::Meadow => continue,
            Network::X if is_renewed(&id) => {
                connect(world, observer, &id).await?;
                continue;
            }
            Network::X => {
                let token = format!("token-of-{}", name.replace('_', "-"));
                world.outside.x.account(&token, &user_id(&name));
                let key = json!({ "token": token, "token_secret": "hush" }).to_string();
                let sealed_key = keyring()?.seal(&id, &SecretString::from(key));
                let facts = AccountFacts {
                    tier: Tier::Standard,
                    labelled: true,
                    text_limit: None,
                    picture_bytes: None,
                };
                let item = AccountItem {
                    remote_user: user_id(&name),
                    url: None,
                    facts,
                    asked_at: None,
                    signed_in: None,
                    sealed_key,
                    sealed_session: None,
                };
                store.put_account(&id, item).await?;
                continue;
            }
            Network::Mastodon => {
                let token = format!("token-of-{name}");
                world.outside.mastodon.account(&token, &name);
                json!({ "access_token": token, "url": MASTODON_URL })
            }
            Network::Bluesky => {
                world.outside.bluesky.account(id.handle.as_str(), &did(&name), APP_PASSWORD);
                world.outside.bluesky.profile(&did(&name), &["bot"]);
                json!({ "app_password": APP_PASSWORD, "url": BLUESKY_URL })
            }
        };
        let key = Key::read_file(&id, &SecretString::from(file.to_string()))?;
        let new = NewAccount { id: id.clone(), key, app: None, networks: &networks };
        let vouched = Box::pin(new.check(KeyFrom::File("the file"))).await?;
        let line = format!("account add {id}");
        let by = By::CommandLine { user: "ada".to_owned(), arn: None };
        let who = Who { by, at: world.now(), id: DeliveryId::of(&[&line]) };
        Noted::around(&store, who, line, async |noted| {
            vouched.add(&store, noted, keyring().map_err(anyhow::Error::from)?, true).await
        })
        .await?;
    }
    people::begin(world, observer).await?;
    Ok(())
}

/// Somebody signs in at X as the account, by OAuth 2.0.
pub(crate) async fn connect(
    world: &Arc<World>,
    observer: &Arc<Machine>,
    id: &AccountId,
) -> anyhow::Result<()> {
    let user = user_id(account_name(id));
    world.outside.x.called(&user, id.handle.as_str());
    world.outside.x.person(Person::Allows(user));
    let networks =
        Networks::new(world.store(), &platform::networks(observer), &observer.clock.clone());
    let app = SecretString::from(x_app());
    let to = SignInTo { id, way: Way::OAuth2, server: None, app: Some(&app) };
    let state = SecretString::from("state");
    let begun = networks.begin_sign_in(to, Back::Sent { to: KEYS_URL, state: &state }).await?;
    let Shown::Elsewhere(back) = world.outside.x.visit(&begun.page) else {
        anyhow::bail!("nobody can sign in as {id}");
    };
    let query = back.split_once('?').map(|(_, query)| query).unwrap_or_default();
    let query: Vec<_> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let key = networks.finish_sign_in(to, &begun.kept, Proof::Query(&query)).await?;
    // They say that the account has X's label.
    let key = NewKey { facts: AccountFacts { labelled: true, ..key.facts }, ..key };
    let new = NewAccount { id: id.clone(), key, app: Some(app.clone()), networks: &networks };
    let vouched = Box::pin(new.check(KeyFrom::SignIn(flock_core::Purpose::Connect))).await?;
    let line = format!("account connect {id}");
    let by = By::CommandLine { user: "ada".to_owned(), arn: None };
    let who = Who { by, at: world.now(), id: DeliveryId::of(&[&line, &world.now().to_string()]) };
    let keyring = Keyring::parse(&SecretString::from(KEYRING))?;
    let store = world.store();
    Noted::around(&store, who, line, async |noted| {
        vouched.add(&store, noted, keyring, false).await
    })
    .await?;
    Ok(())
}

/// Does something beside all else. A panic in it is seen.
pub(crate) fn alongside(world: &Arc<World>, what: impl Future<Output = ()> + Send + 'static) {
    let (world, task) = (Arc::clone(world), tokio::spawn(what));
    tokio::spawn(async move {
        if let Err(err) = task.await {
            invariants::nothing_panics(&world, "the simulation", &err);
        }
    });
}

/// The days in which things go wrong.
async fn go_on(world: &Arc<World>) {
    let begun = Instant::now();
    let half = world.scenario.trouble() / 2;
    let mut redeployed = world.scenario.shards[0] == world.scenario.shards[1];
    let deeds = world.scenario.deeds.clone();
    for deed in &deeds {
        if !redeployed && half <= deed.at {
            ticks_until(world, half).await;
            world.platform.deploy(world.scenario.shards[1]);
            redeployed = true;
        }
        ticks_until(world, deed.at).await;
        let (doing, deed) = (Arc::clone(world), deed.clone());
        alongside(world, async move { Box::pin(people::act(&doing, &deed)).await });
    }
    ticks_until(world, world.scenario.trouble()).await;
    debug_assert!(world.known().broken.is_some() || world.scenario.trouble() <= begun.elapsed());
}

/// Lets the schedule fire until so much time has passed since the beginning. Minutes in which nothing is due are left out.
async fn ticks_until(world: &Arc<World>, until: Duration) {
    let end = world.scenario.begins + until;
    let second = i64::from(world.scenario.second);
    loop {
        let now = world.now().as_second();
        let held = world.known().held;
        // The first time from now on that the schedule fires, or from when something is due.
        let due = world.outside.table.next_due().filter(|_| !held);
        let Some(from) = due.map(|due| due.max(now)) else { break };
        let minutes = (from - second).div_euclid(60) + 1;
        let at = Timestamp::from_second(minutes * 60 + second).expect("within a few centuries");
        if end < at {
            break;
        }
        sleep_until(world, at).await;
        platform::fire(world);
        // What it does is done, or takes longer than until the next.
        tokio::time::sleep(Duration::from_secs(30)).await;
        if world.known().broken.is_some() {
            return;
        }
    }
    sleep_until(world, end).await;
    // Somebody may have let it go on.
    world.known().held = false;
}

async fn sleep_until(world: &World, at: Timestamp) {
    let left = at.duration_since(world.now());
    if let Ok(left) = Duration::try_from(left) {
        tokio::time::sleep(left).await;
    }
}

/// The sheep of which a request to a network has a line, and how that begins, with its number.
fn said_in(body: &[u8]) -> Option<(String, String)> {
    // Forms have a plus where texts have a space.
    let text = String::from_utf8_lossy(body).replace('+', " ");
    let at = text.find(" says ")?;
    let begin = text[..at].rfind("sheep-")?;
    let number = text[at + " says ".len()..].split(|c: char| !c.is_ascii_digit()).next()?;
    Some((text[begin..at].to_owned(), format!("{} says {number}", &text[begin..at])))
}
