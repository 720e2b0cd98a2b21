//! Kills `flockwork run` again and again, while people apply, edit, move, remove and ask for posts, and networks lose
//! answers; then counts.
//!
//! Usage: `kill-loop FLOCKWORK [--lives N] [--seed N]`, FLOCKWORK being the command. Twenty-four sheep post to the
//! meadow, X, Mastodon and Bluesky. What is done in each life is drawn from the seed; when the kill comes is the
//! machine's affair too. After the last life everything is let come to its end. Then each text, none of which is written
//! twice, must be on its network as often as it is recorded, once; each number used once; the texts that nobody edited
//! there in order and without a gap; and what is spent must be what X charged. Prints what it found; the exit code is 1 when
//! anything is lost or doubled.
#![expect(clippy::print_stdout, reason = "what it prints is what it is for")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, ExitCode, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail, ensure};
use clap::Parser as _;
use fastrand::Rng;
use flock_aws::Clock;
use flock_core::{Charge, Month, Network, SheepId};
use flock_store::{PostState, Store};
use flock_tests::{Billed, Bluesky, BlueskyMisbehave, Mastodon, MastodonMisbehave, Misbehave, X};
use flockwork::{
    cli::Cli,
    connect::{Connection, connect},
};
use serde_json::json;

const USAGE: &str = "usage: kill-loop FLOCKWORK [--lives N] [--seed N]";

const FLOCK: &str = "herd";
const CONSUMER_KEY: &str = "CONSUMER-KEY-0123";
const RUN_LOG: &str = "run.log";
const APP_PASSWORD: &str = "abcd-efgh-ijkl-mnop";

/// What the same text goes to in order: six sheep each.
const NETWORKS: [Network; 4] = [Network::Meadow, Network::X, Network::Mastodon, Network::Bluesky];

/// Lines a text begins with: more than are ever posted, so that no line comes twice.
const LINES: usize = 600;

/// How long what was left is given to come to its end: leases of a minute, a few tries that are put off.
const PATIENCE: Duration = Duration::from_mins(15);

/// Longer than any command takes.
const LONGEST: Duration = Duration::from_mins(2);

/// What people do with a sheep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Life {
    /// Nothing, but ask for a post.
    Still,
    /// Its text is edited.
    Edited,
    /// It goes to another account and back.
    Moving,
    /// It is removed and made again with another text.
    Coming,
}

/// A sheep as its flock's file has it.
struct Sheep {
    name: String,
    network: Network,
    life: Life,
    /// Which of its two accounts it is on.
    account: usize,
    /// How often it was made.
    made: u32,
    there: bool,
    lines: Vec<String>,
    /// Lines written so far, so that none is written twice.
    written: usize,
}

/// The networks, and what runs them.
struct Outside {
    x: X,
    mastodon: Mastodon,
    bluesky: Bluesky,
}

struct Herd {
    flockwork: PathBuf,
    dir: PathBuf,
    outside: Outside,
    sheep: Vec<Sheep>,
    random: Rng,
    /// How commands ended.
    ended: BTreeMap<String, u64>,
}

/// Killed when dropped.
struct Running(Child);

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(err) => {
            println!("FAIL  the loop ended early: {err:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> anyhow::Result<bool> {
    let [flockwork, options @ ..] = arguments else { bail!(USAGE) };
    let (mut lives, mut seed) = (12, fastrand::u64(..));
    for pair in options.chunks(2) {
        match pair {
            [name, value] if name == "--lives" => lives = value.parse().context(USAGE)?,
            [name, value] if name == "--seed" => seed = value.parse().context(USAGE)?,
            _ => bail!(USAGE),
        }
    }
    println!("{lives} lives from seed {seed}");
    let runtime = tokio::runtime::Runtime::new()?;
    let outside = runtime.block_on(async {
        Outside {
            x: X::start(CONSUMER_KEY).await,
            mastodon: Mastodon::start().await,
            bluesky: Bluesky::start().await,
        }
    });
    let _entered = runtime.enter();
    let directory = tempfile::tempdir()?;
    let flockwork = fs::canonicalize(flockwork).with_context(|| format!("no {flockwork}"))?;
    let mut herd = Herd {
        flockwork,
        dir: directory.path().to_owned(),
        outside,
        sheep: (0..24).map(Sheep::new).collect(),
        random: Rng::with_seed(seed),
        ended: BTreeMap::new(),
    };
    let counted = herd.all_lives(lives, &runtime);
    if counted.is_err() {
        let log = fs::read_to_string(herd.dir.join(RUN_LOG)).unwrap_or_default();
        let end = log.lines().rev().take(30).collect::<Vec<_>>();
        println!("what `run` said last:");
        end.iter().rev().for_each(|line| println!("  {line}"));
    }
    counted
}

impl Sheep {
    fn new(number: usize) -> Self {
        let network = NETWORKS[number % NETWORKS.len()];
        let life = match number / NETWORKS.len() {
            0 | 1 => Life::Still,
            2 | 3 => Life::Edited,
            4 => Life::Moving,
            _ => Life::Coming,
        };
        let mut sheep = Self {
            name: format!("s{number}"),
            network,
            life,
            account: 0,
            made: 0,
            there: true,
            lines: Vec::new(),
            written: 0,
        };
        sheep.write_anew();
        sheep
    }

    fn write_anew(&mut self) {
        self.made += 1;
        self.lines = (0..LINES).map(|_| self.line()).collect();
    }

    /// A line nobody has written before.
    fn line(&mut self) -> String {
        self.written += 1;
        format!("{} sings its verse {} of book {}", self.name, self.written, self.made)
    }

    fn handles(&self) -> [String; 2] {
        [format!("{}a", self.name), format!("{}b", self.name)].map(|name| match self.network {
            Network::Meadow | Network::X => name,
            Network::Mastodon => format!("{name}@stand-in.example"),
            Network::Bluesky => format!("{name}.test"),
        })
    }
}

fn user(handle: &str) -> &str {
    handle.split(['@', '.']).next().unwrap_or(handle)
}

/// X's users have numbers.
fn user_id(handle: &str) -> String {
    handle.bytes().map(|byte| byte.to_string()).collect()
}

fn did(handle: &str) -> String {
    format!("did:plc:{:a<24}", user(handle))
}

impl Herd {
    fn all_lives(&mut self, lives: u32, runtime: &tokio::runtime::Runtime) -> anyhow::Result<bool> {
        self.settle_in()?;
        for life in 1..=lives {
            self.live().with_context(|| format!("life {life}"))?;
        }
        self.come_to_an_end(runtime)?;
        println!("commands ended: {:?}", self.ended);
        runtime.block_on(self.count())
    }

    /// Adds the accounts, and applies the flock.
    fn settle_in(&mut self) -> anyhow::Result<()> {
        let real = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../template.yaml"))?;
        let secret = "X_SECRET: !Ref XApp\n";
        ensure!(real.contains(secret), "there is a place for X's address");
        let own = format!("{secret}          X_URL: {}\n", self.outside.x.url());
        fs::write(self.dir.join("template.yaml"), real.replace(secret, &own))?;
        // X would hide a double behind its own check.
        self.outside.x.duplicate_check(false);
        let accounts = self
            .sheep
            .iter()
            .flat_map(|sheep| sheep.handles().into_iter().map(|handle| (sheep.network, handle)));
        for (network, handle) in accounts.collect::<Vec<_>>() {
            let Outside { x, mastodon, bluesky } = &self.outside;
            let key = match network {
                Network::Meadow => continue,
                Network::X => {
                    x.account(&format!("{handle}-token"), &user_id(&handle));
                    json!({
                        "token": format!("{handle}-token"), "token_secret": X::SECRET,
                        "user_id": user_id(&handle), "automated_label": true,
                        "consumer_key": CONSUMER_KEY, "consumer_secret": X::SECRET,
                    })
                }
                Network::Mastodon => {
                    mastodon.account(&format!("token-of-{}", user(&handle)), user(&handle));
                    mastodon.bot(user(&handle), true);
                    json!({ "access_token": format!("token-of-{}", user(&handle)), "url": mastodon.url() })
                }
                Network::Bluesky => {
                    bluesky.account(&handle, &did(&handle), APP_PASSWORD);
                    bluesky.profile(&did(&handle), &["bot"]);
                    json!({ "app_password": APP_PASSWORD, "url": bluesky.url() })
                }
            };
            fs::write(self.dir.join("key.json"), key.to_string())?;
            let add =
                format!("account add {network}:{handle} --key key.json --networks-on-loopback");
            self.must(&add)?;
        }
        self.write_flock()?;
        self.must("flock apply herd")
    }

    fn write_flock(&self) -> anyhow::Result<()> {
        let dir = self.dir.join(FLOCK);
        fs::create_dir_all(&dir)?;
        let mut file = format!(
            "name = \"{FLOCK}\"\nmonthly_cap = \"1000\"\n[defaults]\nbehaviour = \"poem\"\nline = \"1m\"\n"
        );
        for sheep in self.sheep.iter().filter(|sheep| sheep.there) {
            let Sheep { name, network, account, .. } = sheep;
            let handle = &sheep.handles()[*account];
            write!(
                file,
                "[[sheep]]\nname = \"{name}\"\ncorpus = \"{name}.txt\"\nnetwork = \"{network}\"\n\
                 account = \"{handle}\"\n"
            )?;
            fs::write(dir.join(format!("{name}.txt")), sheep.lines.join("\n"))?;
        }
        fs::write(dir.join("flock.toml"), file)?;
        Ok(())
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.flockwork);
        command
            .args(arguments)
            .current_dir(&self.dir)
            .env_clear()
            .envs(["PATH", "HOME"].map(|name| (name, std::env::var_os(name).unwrap_or_default())))
            .stdin(Stdio::null());
        command
    }

    /// A command that has to succeed.
    fn must(&self, line: &str) -> anyhow::Result<()> {
        let output = self.command(&line.split_whitespace().collect::<Vec<_>>()).output()?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "`flockwork {line}`: {}: {said}", output.status);
        Ok(())
    }

    /// A command somebody gives while everything may die; it may be killed itself.
    fn try_to(&mut self, arguments: &[&str]) -> anyhow::Result<()> {
        let dies =
            (self.random.u8(..4) == 0).then(|| Duration::from_millis(self.random.u64(..400)));
        let error = self.dir.join("stderr");
        let mut command = self.command(arguments);
        command.stdout(Stdio::null()).stderr(fs::File::create(&error)?);
        let mut running = Running(command.spawn()?);
        let started = Instant::now();
        let how = loop {
            if let Some(status) = running.0.try_wait()? {
                break status
                    .code()
                    .map_or_else(|| "by a signal".to_owned(), |code| code.to_string());
            }
            if dies.is_some_and(|after| after < started.elapsed()) {
                running.0.kill()?;
                break "killed".to_owned();
            }
            ensure!(started.elapsed() < LONGEST, "{arguments:?} does not end");
            thread::sleep(Duration::from_millis(5));
        };
        let said = fs::read_to_string(&error)?;
        ensure!(!said.contains("panicked"), "{arguments:?}: {said}");
        *self.ended.entry(how).or_default() += 1;
        Ok(())
    }

    /// Starts `run`, and waits until it is up.
    fn start(&self) -> anyhow::Result<Running> {
        let run = ["run", "--listen", "127.0.0.1:0", "--networks-on-loopback"];
        let log = fs::File::options().create(true).append(true).open(self.dir.join(RUN_LOG))?;
        let endpoint = self.dir.join(".flockwork/endpoint.json");
        // Left by the one that was killed.
        let _ = fs::remove_file(&endpoint);
        let mut command = self.command(&run);
        let mut running = Running(command.stdout(log.try_clone()?).stderr(log).spawn()?);
        let started = Instant::now();
        while !endpoint.exists() {
            ensure!(running.0.try_wait()?.is_none(), "`run` does not start");
            ensure!(started.elapsed() < LONGEST, "`run` does not come up");
            thread::sleep(Duration::from_millis(5));
        }
        Ok(running)
    }

    /// One life of `run`, and what people and networks do in it.
    fn live(&mut self) -> anyhow::Result<()> {
        self.misbehave();
        let mut running = self.start()?;
        let ends = Instant::now() + Duration::from_millis(self.random.u64(..3_000));
        let killer = thread::spawn(move || {
            thread::sleep(ends.saturating_duration_since(Instant::now()));
            running.0.kill()
        });
        for _ in 0..self.random.u8(1..4) {
            self.act()?;
        }
        // Who meets a refusal stops.
        for _ in 0..3 {
            let number = self.random.usize(..self.sheep.len());
            self.resume(number)?;
        }
        killer.join().map_err(|_| anyhow::anyhow!("the killer died"))??;
        Ok(())
    }

    /// The answer to some request is lost, or means nothing; one at a time, because each puts the next try off.
    fn misbehave(&mut self) {
        let Outside { x, mastodon, bluesky } = &self.outside;
        match self.random.u8(..12) {
            0 if x.unspent().is_empty() => x.misbehave(Misbehave::AcceptThen500),
            1 if x.unspent().is_empty() => x.misbehave(Misbehave::Refuse500),
            2 if x.unspent().is_empty() => x.misbehave(Misbehave::Html),
            3 if mastodon.unspent().is_empty() => {
                mastodon.misbehave(MastodonMisbehave::AcceptThen500);
            }
            4 if mastodon.unspent().is_empty() => mastodon.misbehave(MastodonMisbehave::NotFound),
            5 => mastodon.idempotency(self.random.bool()),
            6 if bluesky.unspent().is_empty() => {
                let put = "com.atproto.repo.putRecord";
                bluesky.misbehave(put, BlueskyMisbehave::AcceptThen500);
            }
            7 => bluesky.expire_access(),
            _ => {}
        }
    }

    /// Something somebody does.
    fn act(&mut self) -> anyhow::Result<()> {
        let number = self.random.usize(..self.sheep.len());
        let doing = self.random.u8(..10);
        let sheep = &mut self.sheep[number];
        let full_name = format!("{FLOCK}/{}", sheep.name);
        if doing < 6 {
            return self.try_to(&["slack", &format!("/flock now {full_name}")]);
        }
        match sheep.life {
            Life::Still => {
                self.try_to(&["sheep", "pause", &full_name])?;
                return self.resume(number);
            }
            Life::Edited => {
                for _ in 0..self.random.u8(1..4) {
                    let line = sheep.line();
                    let at = self.random.usize(..40);
                    match self.random.u8(..3) {
                        0 => sheep.lines.insert(at, line),
                        1 => drop(sheep.lines.remove(at)),
                        _ => sheep.lines[at] = line,
                    }
                }
            }
            Life::Moving => {
                sheep.account = 1 - sheep.account;
                if self.random.bool() {
                    let account = format!("{}:{}", sheep.network, sheep.handles()[sheep.account]);
                    return self.try_to(&["sheep", "move", &full_name, &account]);
                }
            }
            Life::Coming => {
                sheep.there = !sheep.there;
                if sheep.there {
                    sheep.write_anew();
                }
            }
        }
        self.write_flock()?;
        self.try_to(&["flock", "apply", FLOCK, "--yes"])
    }

    fn resume(&mut self, number: usize) -> anyhow::Result<()> {
        let full_name = format!("{FLOCK}/{}", self.sheep[number].name);
        self.try_to(&["sheep", "resume", &full_name])
    }

    /// Everything that was left is let come to its end: what was under way when the last life ended, and what was applied.
    fn come_to_an_end(&mut self, runtime: &tokio::runtime::Runtime) -> anyhow::Result<()> {
        for sheep in &mut self.sheep {
            sheep.there = true;
        }
        self.write_flock()?;
        let mut running = self.start()?;
        for sheep in self.sheep.iter().filter(|sheep| sheep.life != Life::Coming) {
            self.must(&format!("sheep resume {FLOCK}/{}", sheep.name))?;
        }
        let connection = runtime.block_on(self.connect())?;
        let open = || runtime.block_on(open(&connection.store));
        println!("{} posts were under way when the last life ended", open()?.len());
        Self::settle(&open)?;
        // What was refused while a post was under way.
        self.must("flock apply herd --yes")?;
        Self::settle(&open)?;
        running.0.kill()?;
        Ok(())
    }

    /// Waits for a moment in which no post is under way.
    fn settle(open: &impl Fn() -> anyhow::Result<BTreeSet<(SheepId, u64)>>) -> anyhow::Result<()> {
        let started = Instant::now();
        loop {
            let open = open()?;
            if open.is_empty() {
                return Ok(());
            }
            ensure!(started.elapsed() < PATIENCE, "these do not come to an end: {open:?}");
            thread::sleep(Duration::from_secs(1));
        }
    }

    async fn connect(&self) -> anyhow::Result<Connection> {
        let data = self.dir.join(".flockwork");
        let template = self.dir.join("template.yaml");
        let arguments = [Path::new("flockwork"), "--data".as_ref(), &data, "--template".as_ref()];
        let cli = Cli::try_parse_from(arguments.into_iter().chain([&*template]))?;
        connect(&cli.place).await
    }

    /// Holds what is recorded against what the networks have.
    async fn count(&self) -> anyhow::Result<bool> {
        let connection = self.connect().await?;
        let store = &connection.store;
        let mut faults = Vec::new();
        let (mut recorded_in_all, mut seen_in_all) = (0, 0);
        for sheep in &self.sheep {
            let id: SheepId = format!("{FLOCK}/{}", sheep.name).parse()?;
            let posts = store.newest_posts(&id, 1_000_000).await?;
            let mut recorded: BTreeMap<&str, usize> = BTreeMap::new();
            let mut numbers = BTreeSet::new();
            for post in &posts {
                *recorded.entry(&post.text).or_default() += 1;
                if post.state != PostState::Posted || post.remote_id.is_none() {
                    faults.push(format!("{id} {}: recorded as {:?}", post.occurrence, post.state));
                }
                if !numbers.insert(post.occurrence) {
                    faults.push(format!("{id}: number {} is used twice", post.occurrence));
                }
            }
            let seen = self.seen(sheep, posts.iter().map(|post| post.text.as_str()));
            recorded_in_all += posts.len();
            seen_in_all += seen.values().sum::<usize>();
            for text in recorded.keys().copied().chain(seen.keys().map(String::as_str)) {
                let (recorded, seen) = (
                    recorded.get(text).copied().unwrap_or_default(),
                    seen.get(text).copied().unwrap_or_default(),
                );
                if 1 < seen || 1 < recorded {
                    faults.push(format!("DOUBLED {text:?}: {seen} there, {recorded} recorded"));
                } else if seen != recorded {
                    faults.push(format!("LOST {text:?}: {seen} there, {recorded} recorded"));
                }
            }
            if sheep.life == Life::Still {
                let texts: Vec<_> = posts.iter().rev().map(|post| &post.text).collect();
                if !texts.iter().copied().eq(&sheep.lines[..texts.len()]) {
                    faults.push(format!("{id}: not its lines in order: {texts:?}"));
                }
            }
        }
        faults.extend(self.bills(store).await?);
        faults.sort();
        faults.dedup();
        for fault in &faults {
            println!("FAIL  {fault}");
        }
        let lost = faults.iter().filter(|fault| fault.starts_with("LOST")).count();
        let doubled = faults.iter().filter(|fault| fault.starts_with("DOUBLED")).count();
        println!(
            "{recorded_in_all} posts recorded, {seen_in_all} there: lost {lost}, doubled {doubled}, other faults {}",
            faults.len() - lost - doubled
        );
        Ok(faults.is_empty())
    }

    /// How often each text is there, on all accounts of the sheep.
    fn seen<'a>(
        &self,
        sheep: &Sheep,
        recorded: impl Iterator<Item = &'a str>,
    ) -> BTreeMap<String, usize> {
        let Outside { x, mastodon, bluesky } = &self.outside;
        let mut texts: Vec<String> = Vec::new();
        for handle in sheep.handles() {
            match sheep.network {
                // There the record is the post.
                Network::Meadow => {}
                Network::X => {
                    texts.extend(x.posts(&user_id(&handle)).into_iter().map(|post| post.text));
                }
                Network::Mastodon => {
                    texts.extend(mastodon.posts(user(&handle)).into_iter().map(|post| post.text));
                }
                Network::Bluesky => {
                    let posts = bluesky.posts(&did(&handle)).into_iter();
                    let text =
                        |value: &serde_json::Value| value["text"].as_str().map(str::to_owned);
                    texts.extend(posts.filter_map(|post| text(&post.value)));
                }
            }
        }
        if sheep.network == Network::Meadow {
            texts.extend(recorded.map(str::to_owned));
        }
        let mut seen = BTreeMap::new();
        for text in texts {
            *seen.entry(text).or_default() += 1;
        }
        seen
    }

    /// What is spent is what X has charged; of posts it read, pages may be paid that nobody heard of.
    async fn bills(&self, store: &Store) -> anyhow::Result<Vec<String>> {
        let month = Month::of(Clock::wall().now());
        let ledger = store.ledger(&FLOCK.parse()?, month).await?;
        let on_x = self.sheep.iter().filter(|sheep| sheep.network == Network::X);
        let (mut posts, mut read) = (0, 0);
        for handle in on_x.flat_map(Sheep::handles) {
            let bill = self.outside.x.bill(&user_id(&handle));
            posts += bill.get(&Billed::Post).copied().unwrap_or_default();
            read += bill.get(&Billed::OwnPost).copied().unwrap_or_default();
        }
        let counted =
            |charge: Charge| ledger.counts.get(charge.kind()).copied().unwrap_or_default();
        let (our_posts, our_read) =
            (counted(Charge::Post { link: false }), counted(Charge::OwnPosts(0)));
        println!("X charged {posts} posts and {read} read, {our_posts} and {our_read} are counted");
        let mut faults = Vec::new();
        if our_posts != posts {
            faults.push(format!("X charged {posts} posts, {our_posts} are counted"));
        }
        if our_read < read {
            faults.push(format!("X charged {read} posts read, {our_read} are counted"));
        }
        Ok(faults)
    }
}

/// The posts that are decided and not recorded.
async fn open(store: &Store) -> anyhow::Result<BTreeSet<(SheepId, u64)>> {
    let sheep = store.sheep_of(None).await?;
    let open = sheep.into_iter().filter_map(|sheep| Some((sheep.id, sheep.intent?.occurrence.0)));
    Ok(open.collect())
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
