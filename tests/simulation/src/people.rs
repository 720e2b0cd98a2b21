//! What people do: commands in Slack, and at a command line.

use std::{
    collections::{BTreeMap, HashMap},
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use flock_aws::Keyring;
use flock_core::{
    AccountId, Asker, Behaviour, BehaviourKind, Corpus, Cursor, DeliveryId, Drawn, Flock,
    FlockName, Marks, MixPart, Mixed, Network, Post, Rhythm, SheepConfig, SheepId, Source,
    State as SheepState,
};
use flock_ops::{FlockFile, Noted, SheepFile, Who};
use flock_store::{By, Read, Store};
use jiff::tz::TimeZone;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};

use crate::{
    invariants,
    machine::Machine,
    outside::{KEYRING, SIGNING_SECRET, is_renewed},
    platform::{self, FunctionName},
    scenario::{Act, CAP_CENTS, Deed, SheepPlan},
    table,
    world::{World, connect},
};

/// The files of all flocks, as their owners have them.
#[derive(Debug)]
pub(crate) struct Files(Mutex<State>);

#[derive(Debug)]
struct State {
    sheep: Vec<Text>,
    caps: BTreeMap<&'static str, u32>,
    /// The flocks whose files were not carried out to their end.
    unfinished: Vec<&'static str>,
    /// Every text there was, by the name of its corpus; and what was drawn from them, by that name and the first of it.
    texts: BTreeMap<String, Arc<Corpus>>,
    drawn: HashMap<(Behaviour, u32), Option<Arc<Corpus>>>,
}

#[derive(Debug, Clone)]
struct Text {
    lines: Vec<String>,
    written: u32,
    /// Which of its two accounts it is on.
    account: usize,
}

/// What came of something that somebody did.
#[derive(Debug, Clone)]
pub(crate) struct Done {
    /// Who.
    pub(crate) by: &'static str,
    /// What they said.
    pub(crate) line: String,
    /// The status of the answer, where one came.
    pub(crate) status: Option<u64>,
    /// Whether nobody can say any more what the sheep that are named come to. Of those that are wiped it can be said.
    pub(crate) touches: bool,
}

impl Files {
    /// As they are at first.
    pub(crate) fn new(sheep: &[SheepPlan], cap_cents: u32) -> Self {
        let texts = sheep.iter().map(|plan| {
            let mut text = Text { lines: Vec::new(), written: 0, account: 0 };
            text.write(&plan.name, plan.lines);
            text
        });
        let caps = sheep.iter().map(|plan| (plan.flock, cap_cents)).collect();
        Self(Mutex::new(State {
            sheep: texts.collect(),
            caps,
            unfinished: Vec::new(),
            texts: BTreeMap::new(),
            drawn: HashMap::new(),
        }))
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The files of a flock.
    fn file(&self, plans: &[SheepPlan], flock: &'static str) -> FlockFile {
        let mut state = self.state();
        let mut texts = BTreeMap::new();
        let of_flock = plans.iter().zip(&state.sheep).filter(|(plan, _)| plan.flock == flock);
        let sheep = of_flock.map(|(plan, text)| {
            let kind: BehaviourKind = plan.behaviour.parse().expect("a behaviour");
            let (corpus, parts) = text.read(kind, plan.threads());
            let corpus = Arc::new(corpus);
            texts.insert(corpus.id().to_string(), Arc::clone(&corpus));
            let post = if plan.threads() { Post::Thread } else { Post::Line };
            let behaviour = kind.with_text(&corpus).divided(post).mixed(parts);
            let rhythm = Rhythm::parse(&plan.rhythm).expect("the rhythm is sound");
            SheepFile {
                name: plan.name.parse().expect("a name"),
                spelled: Vec::new(),
                config: SheepConfig::new(account(plan, text.account), behaviour, rhythm),
                corpus,
                split: false,
                file: PathBuf::from(format!("{}.txt", plan.name)),
                parts: Vec::new(),
            }
        });
        let sheep = sheep.collect();
        state.texts.extend(texts);
        let cents = state.caps.get(flock).copied().unwrap_or(CAP_CENTS);
        let cap = format!("{}.{:02}", cents / 100, cents % 100).parse().expect("an amount");
        let name = flock.parse().expect("a name");
        FlockFile { flock: Flock { monthly_cap: Some(cap), ..Flock::new(name) }, sheep }
    }

    /// The marks of the text of `behaviour`.
    pub(crate) fn marks(&self, behaviour: &Behaviour) -> Marks {
        let state = self.state();
        let text = state.texts.get(behaviour.text().as_str());
        text.map(|text| text.marks().clone()).unwrap_or_default()
    }

    /// What `behaviour` says at the place with this number.
    pub(crate) fn says(&self, behaviour: &Behaviour, number: u32) -> Option<String> {
        let state = &mut *self.state();
        let text = state.texts.get(behaviour.text().as_str())?;
        if !behaviour.draws() {
            return text.line(number).map(ToOwned::to_owned);
        }
        let first = number / Drawn::BATCH * Drawn::BATCH;
        let drawn = state.drawn.entry((behaviour.clone(), first)).or_insert_with(|| {
            let well = behaviour.well(text)?;
            behaviour.draw(&well, Cursor::at(number), 1).map(Arc::new)
        });
        drawn.as_ref()?.line(number).map(ToOwned::to_owned)
    }

    fn finished(&self, flock: &'static str, is_done: bool) {
        let mut state = self.state();
        state.unfinished.retain(|other| *other != flock);
        if !is_done {
            state.unfinished.push(flock);
        }
    }
}

impl Text {
    /// The text as this kind of behaviour reads its file; of a mix, those of its parts.
    fn read(&self, kind: BehaviourKind, threads: bool) -> (Corpus, Vec<MixPart>) {
        let read = |kind: BehaviourKind, file: String| {
            let zone = TimeZone::UTC;
            let post = if threads { Post::Thread } else { Post::Line };
            let source = Source { post, ..Source::plain("text", file.as_bytes(), &zone) };
            kind.read(&source).0.expect("the lines are plain")
        };
        let file = match kind {
            BehaviourKind::Poem if threads => {
                let begins = |line: &String| if is_head(line) { "\n" } else { "" };
                let lines = self.lines.iter().map(|line| format!("{}{line}", begins(line)));
                lines.collect::<Vec<_>>().join("\n")
            }
            BehaviourKind::Poem => self.lines.join("\n"),
            BehaviourKind::Queue => self.lines.join("\n---\n"),
            BehaviourKind::Grammar => self.grammar(""),
            BehaviourKind::Markov => self.sentences(),
            BehaviourKind::Mix => {
                let of = [(self.grammar("so "), 2), (self.grammar(""), 1)];
                let parts = of.map(|(file, weight)| {
                    let text = read(BehaviourKind::Grammar, file);
                    let part = MixPart { says: Mixed::Grammar, lines: text.len(), weight };
                    (text, part)
                });
                let text = Corpus::joined(parts.iter().map(|(text, _)| text));
                let parts = parts.map(|(_, part)| part).to_vec();
                return (text.expect("there are few lines"), parts);
            }
        };
        (read(kind, file), Vec::new())
    }

    /// Rules that say its lines with so many digits that nothing is drawn twice by chance.
    fn grammar(&self, before: &str) -> String {
        let digits: Vec<_> = (0..10).map(|digit| digit.to_string()).collect();
        let origin = [format!("{before}#line# {}", "#digit#".repeat(8))];
        json!({ "origin": origin, "line": self.lines, "digit": digits }).to_string()
    }

    /// Its lines among so many sentences that nothing is drawn twice by chance, in words that no other sheep has.
    fn sentences(&self) -> String {
        let name = self.lines.first().and_then(|line| line.split_once(" says "));
        let digits = name.map_or("", |(name, _)| name).bytes().filter(u8::is_ascii_digit);
        // In letters, because rules of networks that compare texts look at nothing between digits.
        let name: String = digits.map(|digit| char::from(digit - b'0' + b'a')).collect();
        let sentence = |nth: u32| {
            // Knuth's multiplicative hash (The Art of Computer Programming, volume 3, 6.4): no two sentences are alike.
            let word = |word: u32| ((nth * 20 + word).wrapping_mul(2_654_435_761) >> 16) % 97;
            let words = (0..20).map(|nth| format!("{name}w{}", word(nth)));
            words.collect::<Vec<_>>().join(" ")
        };
        let sentences = (1..400).map(sentence);
        sentences.chain(self.lines.iter().cloned()).collect::<Vec<_>>().join("\n")
    }

    fn write(&mut self, name: &str, lines: u32) {
        for _ in 0..lines {
            // With what servers of Mastodon set as a typographer does.
            self.lines.push(format!("{name} says {}: \"so it's -- or ...\"", self.written));
            self.written += 1;
        }
    }
}

/// Which line of its poem a text is.
pub(crate) fn number_of(text: &str) -> u64 {
    let (_, number) = text.split_once(" says ").unwrap_or_default();
    let number = number.split(':').next().and_then(|number| number.parse().ok());
    number.unwrap_or(u64::MAX / 2)
}

/// Whether a line begins a thread, where its poem is posted as such.
pub(crate) fn is_head(line: &str) -> bool {
    number_of(line).is_multiple_of(u64::from(SheepPlan::THREAD))
}

/// One of the two accounts of a sheep.
pub(crate) fn account(plan: &SheepPlan, which: usize) -> AccountId {
    let name = format!("{}{}", plan.name, ["", "b"][which]);
    let handle = match plan.network {
        Network::Meadow | Network::X => name.replace('-', "_"),
        Network::Mastodon => format!("{}@mastodon.example", name.replace('-', "_")),
        Network::Bluesky => format!("{name}.bluesky.example"),
    };
    AccountId { network: plan.network, handle: handle.parse().expect("a handle") }
}

/// Somebody does something.
pub(crate) async fn act(world: &Arc<World>, deed: &Deed) {
    let plans = &world.scenario.sheep;
    match &deed.what {
        Act::Say(line) => {
            let line = named(line, plans);
            let answered = Box::pin(say(world, deed.by, &line)).await;
            // Who is not answered asks once more, or does not.
            if !answered && world.weather.dice().bool() {
                tokio::time::sleep(Duration::from_secs(20)).await;
                Box::pin(say(world, deed.by, &line)).await;
            }
        }
        Act::Decide { sheep } => {
            let id = sheep_id(&plans[*sheep]);
            let now = world.now();
            let Ok(Some(sheep)) = world.store().sheep(&id, Read::Consistent).await else { return };
            let Some(intent) = sheep.unknown(now) else { return };
            let text = intent.errand.work.act.to_string();
            let seen = world.outside.seen(&intent.errand.work.account);
            let is_there = seen.iter().any(|(_, shown)| *shown == text);
            let verb = if is_there { "sent" } else { "send-again" };
            Box::pin(say(world, deed.by, &format!("{verb} {id} {}", intent.occurrence))).await;
        }
        Act::Edit { sheep, added, removed } => {
            let flock = plans[*sheep].flock;
            {
                let mut state = world.files.state();
                let text = &mut state.sheep[*sheep];
                let removed = usize::try_from(*removed).unwrap_or(0);
                let removed = removed.min(text.lines.len().saturating_sub(2));
                text.lines.drain(..removed);
                text.write(&plans[*sheep].name, *added);
            }
            world.touched(*sheep);
            apply(world, flock).await;
        }
        Act::Unqueue { sheep } => {
            let id = sheep_id(&plans[*sheep]);
            let now = world.now();
            let Ok(Some(sheep)) = world.store().sheep(&id, Read::Consistent).await else { return };
            let posts = flock_ops::queue(&world.store(), &sheep, now).await.unwrap_or_default();
            let Some(post) = posts.iter().find(|post| post.is_added) else { return };
            Box::pin(say(world, deed.by, &format!("queue remove {id} {}", post.number))).await;
        }
        Act::Wipe { sheep, flock, everything, desk } => {
            let plan = &plans[*sheep];
            let which = world.files.state().sheep[*sheep].account;
            let whom =
                if *flock { plan.flock.to_owned() } else { account(plan, which).to_string() };
            let about = of(plans, *sheep, *flock);
            world.known().wiped.extend(about.map(|number| (number, world.now())));
            if *desk {
                wipe(world, whom, *everything).await;
            } else {
                let everything = if *everything { " everything" } else { "" };
                Box::pin(ask(world, deed.by, &format!("wipe {whom}{everything}"), false)).await;
            }
        }
        Act::Anew { sheep, flock } => {
            let plan = &plans[*sheep];
            let whom = if *flock { plan.flock.to_owned() } else { sheep_id(plan).to_string() };
            Box::pin(ask(world, deed.by, &format!("resume {whom}"), false)).await;
            for number in of(plans, *sheep, *flock) {
                resumed(world, &plans[number]).await;
            }
        }
        Act::Move { sheep } => {
            world.touched(*sheep);
            move_sheep(world, *sheep).await;
        }
        Act::Remove { flock } => remove(world, flock).await,
        Act::Apply { flock, cap_cents } => {
            world.files.state().caps.insert(flock, *cap_cents);
            apply(world, flock).await;
        }
    }
}

/// The numbers of the sheep that are wiped with this one.
fn of(plans: &[SheepPlan], sheep: usize, flock: bool) -> impl Iterator<Item = usize> {
    let is_it = move |(number, plan): &(usize, &SheepPlan)| {
        *number == sheep || flock && plan.flock == plans[sheep].flock
    };
    plans.iter().enumerate().filter(is_it).map(|(number, _)| number)
}

/// Notes how a sheep is that posts again after it was wiped: what it should post is counted from then on.
async fn resumed(world: &Arc<World>, plan: &SheepPlan) {
    let Ok(Some(sheep)) = world.store().sheep(&sheep_id(plan), Read::Consistent).await else {
        return;
    };
    if sheep.state == SheepState::Active {
        let now = world.now();
        world.known().resumed.insert(sheep.id.clone(), (sheep, now));
    }
}

/// When all is well again, the first owner lets everything go on, those whose files were not carried out apply them again, and
/// accounts are connected again whose keys are over.
pub(crate) async fn finish(world: &Arc<World>) -> anyhow::Result<()> {
    let observer = Machine::observer(world);
    for (_, account) in world.accounts().filter(|(_, account)| is_renewed(account)) {
        if is_key_lost(world, &account).await? {
            connect(world, &observer, &account).await?;
        }
    }
    Box::pin(say(world, "U1", "start")).await;
    let unfinished = world.files.state().unfinished.clone();
    for flock in unfinished {
        apply(world, flock).await;
    }
    Ok(())
}

/// Whether the tokens of an account are over, or may be.
async fn is_key_lost(world: &Arc<World>, account: &AccountId) -> anyhow::Result<bool> {
    let Some(item) = world.store().newest_account(account).await? else { return Ok(false) };
    let keyring = Keyring::parse(&SecretString::from(KEYRING))?;
    let session = keyring.open(account, &item.sealed_session.unwrap_or_default())?;
    let session: Value = serde_json::from_str(session.expose_secret())?;
    let is_in_doubt = session["sent"] == "maybe" || !session["renewing_until"].is_null();
    Ok(is_in_doubt || session["is_over"] == true)
}

/// The line, with the names of sheep.
fn named(line: &str, plans: &[SheepPlan]) -> String {
    let words = line.split(' ').map(|word| {
        let number = word.strip_prefix('#').and_then(|number| number.parse::<usize>().ok());
        match number {
            Some(number) => format!("{}/{}", plans[number].flock, plans[number].name),
            None => word.to_owned(),
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

/// Somebody gives a command in C1, and says yes to what is asked. Whether they are answered.
async fn say(world: &Arc<World>, by: &'static str, line: &str) -> bool {
    ask(world, by, line, true).await
}

/// The same; `touches` says whether nobody can say any more what becomes of the sheep that are named.
async fn ask(world: &Arc<World>, by: &'static str, line: &str, touches: bool) -> bool {
    world.note(|| format!("{by} says: /flock {line}"));
    let number = world.weather.dice().u32(..);
    let response_url = format!("https://hooks.slack.com/commands/{number}");
    let trigger = format!("trigger-{number}");
    let body = form(&[
        ("command", "/flock"),
        ("text", line),
        ("user_id", by),
        ("channel_id", "C1"),
        ("response_url", &response_url),
        ("trigger_id", &trigger),
    ]);
    let answer = request(world, "/slack/commands", body).await;
    let said = heard(world, by, line, answer.as_ref(), touches);
    let mut value = said.as_ref().and_then(confirm);
    if value.is_none() && answer.is_some() && line.starts_with("wipe ") {
        value = asked_later(world, number).await;
    }
    let Some(value) = value else { return answer.is_some() };
    // A moment to read it.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let payload = json!({
        "type": "block_actions",
        "user": { "id": by, "username": by },
        "channel": { "id": "C1" },
        "container": { "message_ts": format!("{number}.1") },
        "trigger_id": format!("trigger-{number}-yes"),
        "response_url": response_url,
        "actions": [{ "type": "button", "action_id": "confirm", "value": value }],
    });
    let body = form(&[("payload", &payload.to_string())]);
    let answer = request(world, "/slack/interactivity", body).await;
    heard(world, by, &format!("yes to: {line}"), answer.as_ref(), touches);
    // Whoever has said yes looks before they say it again.
    true
}

/// The value of the button that says yes, where the question comes once everything is counted: whoever waits for it waits some
/// minutes.
async fn asked_later(world: &Arc<World>, command: u32) -> Option<String> {
    for _ in 0..60 {
        if let Some(value) = world.outside.answers(command).iter().find_map(confirm) {
            return Some(value);
        }
        tokio::time::sleep(Duration::from_secs(3)).await;
    }
    None
}

fn form(fields: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

/// Notes what came of a command; the body of its answer.
fn heard(
    world: &Arc<World>,
    by: &'static str,
    line: &str,
    answer: Option<&Value>,
    touches: bool,
) -> Option<Value> {
    let status = answer.and_then(|answer| answer["statusCode"].as_u64());
    let body = answer.and_then(|answer| answer["body"].as_str()).unwrap_or_default();
    let body: Option<Value> = serde_json::from_str(body).ok();
    let said = body.as_ref().and_then(|body| body["text"].as_str()).unwrap_or_default().to_owned();
    world.note(|| match status {
        Some(status) => format!("{by} is answered {status}: {said}"),
        None => format!("{by} is not answered"),
    });
    world.did(Done { by, line: line.to_owned(), status, touches });
    body
}

/// The value of the button that says yes.
fn confirm(body: &Value) -> Option<String> {
    let blocks = body["blocks"].as_array()?.iter();
    let mut elements = blocks.filter_map(|block| block["elements"].as_array()).flatten();
    let button = elements.find(|element| element["action_id"] == "confirm")?;
    button["value"].as_str().map(str::to_owned)
}

/// What Slack sends through API Gateway.
async fn request(world: &Arc<World>, path: &str, body: String) -> Option<Value> {
    let now = world.now();
    let signature = flock_slack::sign(&SecretString::from(SIGNING_SECRET), now, body.as_bytes());
    let event = json!({
        "version": "2.0",
        "routeKey": format!("POST {path}"),
        "rawPath": path,
        "rawQueryString": "",
        "headers": {
            "content-type": "application/x-www-form-urlencoded",
            "host": "flock.execute-api.us-east-1.amazonaws.com",
            "x-slack-request-timestamp": now.as_second().to_string(),
            "x-slack-signature": signature,
        },
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "flock",
            "domainName": "flock.execute-api.us-east-1.amazonaws.com",
            "http": {
                "method": "POST", "path": path, "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.10", "userAgent": "Slackbot 1.0",
            },
            "requestId": "request",
            "routeKey": format!("POST {path}"),
            "stage": "$default",
            "time": "21/Nov/2026:10:10:06 +0000",
            "timeEpoch": now.as_millisecond(),
        },
        "body": body,
        "isBase64Encoded": false,
    });
    platform::invoke(world, FunctionName::SlashCommand, event).await.ok()
}

/// Somebody at a command line, with what they need there; their machine may die at any request.
struct Desk {
    machine: Arc<Machine>,
    store: Store,
}

impl Desk {
    fn new(world: &Arc<World>) -> Self {
        let machine = Machine::new(world, "the command line".to_owned(), world.weather.death());
        Self::on(machine)
    }

    fn on(machine: Arc<Machine>) -> Self {
        let client = aws_sdk_dynamodb::Client::new(&machine.aws());
        Self { store: Store::new(client, table::NAME.to_owned()), machine }
    }
}

/// Carries out `line` at a command line, as far as the machine lives. Whether it was done.
async fn at_desk<F: Future<Output = flock_ops::Result<()>> + Send + 'static>(
    world: &Arc<World>,
    line: String,
    work: impl FnOnce(Desk, Who, String) -> F,
) -> bool {
    let desk = Desk::new(world);
    let machine = Arc::clone(&desk.machine);
    let at = world.now();
    let by = By::CommandLine { user: "ada".to_owned(), arn: None };
    let who = Who { by, at, id: DeliveryId::of(&[&line, &at.to_string()]) };
    world.note(|| format!("at the command line: {line}"));
    let mut work = tokio::spawn(work(desk, who, line.clone()));
    let done = tokio::select! {
        biased;
        done = &mut work => Some(done),
        () = machine.died() => None,
    };
    work.abort();
    let (status, said) = match done {
        Some(Ok(Ok(()))) => (Some(200), String::new()),
        Some(Ok(Err(err))) => (Some(400), format!("{err:#}")),
        Some(Err(err)) => {
            invariants::nothing_panics(world, "the command line", &err);
            (None, String::new())
        }
        None => (None, String::new()),
    };
    world.note(|| format!("the command line ends {status:?}: {said}"));
    // Applying what is there already asks nothing of anybody.
    let touches = !line.starts_with("flock apply") && !line.starts_with("wipe");
    world.did(Done { by: "ada", line, status, touches });
    status == Some(200)
}

async fn apply(world: &Arc<World>, flock: &'static str) {
    let file = world.files.file(&world.scenario.sheep, flock);
    if file.sheep.is_empty() {
        return;
    }
    let line = format!("flock apply {flock}");
    let done = at_desk(world, line, |desk, who, line| carry_out(desk, who, line, file)).await;
    world.files.finished(flock, done);
}

async fn carry_out(desk: Desk, who: Who, line: String, file: FlockFile) -> flock_ops::Result<()> {
    let now = desk.machine.clock.now();
    let store = desk.store.with_current_shards().await?;
    let plan = flock_ops::plan(&store, file, now).await?;
    let result = Noted::around(&store, who, line, async |noted| {
        Box::pin(plan.apply(&store, noted, now, &|_, _, _| {})).await
    });
    result.await
}

/// The first apply of all, where nothing goes wrong.
pub(crate) async fn begin(world: &Arc<World>, machine: &Arc<Machine>) -> flock_ops::Result<()> {
    let mut flocks: Vec<_> = world.scenario.sheep.iter().map(|plan| plan.flock).collect();
    flocks.sort_unstable();
    flocks.dedup();
    for flock in flocks {
        let line = format!("flock apply {flock}");
        let by = By::CommandLine { user: "ada".to_owned(), arn: None };
        let who = Who { by, at: world.now(), id: DeliveryId::of(&[&line, "at first"]) };
        let file = world.files.file(&world.scenario.sheep, flock);
        carry_out(Desk::on(Arc::clone(machine)), who, line, file).await?;
    }
    Ok(())
}

async fn remove(world: &Arc<World>, flock: &'static str) {
    let plans = &world.scenario.sheep;
    for (number, plan) in plans.iter().enumerate().filter(|(_, plan)| plan.flock == flock) {
        world.touched(number);
        // Who makes it anew has something new to say, so that what is said twice is a fault.
        let mut state = world.files.state();
        let text = &mut state.sheep[number];
        text.lines.clear();
        text.write(&plan.name, plan.lines.max(200));
    }
    let line = format!("flock remove {flock}");
    let name: FlockName = flock.parse().expect("a name");
    at_desk(world, line, async move |desk, who, line| {
        let sheep = desk.store.sheep_of_flock(&name).await?;
        let now = desk.machine.clock.now();
        let store = &desk.store;
        Noted::around(store, who, line, async |noted| {
            flock_ops::remove_flock(store, noted, &name, &sheep, now).await.map(drop)
        })
        .await
    })
    .await;
}

async fn wipe(world: &Arc<World>, whom: String, everything: bool) {
    let line = format!("wipe {whom}{}", if everything { " --everything" } else { "" });
    at_desk(world, line, async move |desk, who, line| {
        let now = desk.machine.clock.now();
        let store = &desk.store;
        let of = flock_ops::whom(store, &whom).await?;
        Noted::around(store, who, line, async |noted| {
            let count = flock_ops::count_wipe(store, of, everything, None, now).await?;
            let asker = Asker::CommandLine("ada".to_owned());
            flock_ops::begin_wipe(store, noted, asker, &count, now).await.map(drop)
        })
        .await
    })
    .await;
}

async fn move_sheep(world: &Arc<World>, number: usize) {
    let plan = &world.scenario.sheep[number];
    let to = {
        let mut state = world.files.state();
        let text = &mut state.sheep[number];
        text.account = 1 - text.account;
        account(plan, text.account)
    };
    let id = sheep_id(plan);
    let line = format!("sheep move {id} {to}");
    let done = at_desk(world, line, async move |desk, who, line| {
        let now = desk.machine.clock.now();
        let store = &desk.store;
        let sheep = store.sheep(&id, Read::Consistent).await?;
        let Some(sheep) = sheep else {
            return Err(flock_ops::Error::refused(format!("{id} is not there")));
        };
        Noted::around(store, who, line, async |noted| {
            flock_ops::move_sheep(store, noted, sheep, to, now).await.map(drop)
        })
        .await
    })
    .await;
    if !done {
        world.files.finished(plan.flock, false);
    }
}

/// The id of a sheep.
pub(crate) fn sheep_id(plan: &SheepPlan) -> SheepId {
    SheepId { flock: plan.flock.parse().expect("a name"), name: plan.name.parse().expect("a name") }
}
