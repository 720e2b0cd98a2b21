//! How long the operator of a large flock waits: `flock apply` and `flock remove` of a hundred sheep where each request is
//! 100 ms under way, as to a distant region, beside the same number of requests one after the other; and the feed of the page with
//! five hundred sheep, which all post once a minute, beside reading all of it anew. One command: `cargo bench --bench operator`.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark prints, and stops on failure"
)]

mod measure;

use std::{
    collections::HashMap,
    fmt::Write as _,
    fs,
    io::{BufRead as _, BufReader},
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use aws_sdk_dynamodb::Client;
use flock_store::Store;
use flockwork::connect::LOCAL_NAME;
use secrecy::SecretString;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    time::sleep,
};

use measure::{build, quantile, run};

/// What each request waits on its way.
const DISTANCE: Duration = Duration::from_millis(100);

/// Sheep that are applied.
const SHEEP: usize = 100;

/// Sheep and posts that the page has.
const FEED_SHEEP: usize = 500;
const FEED_POSTS: usize = 100;

/// How often the page is asked, and how long it waits between.
const ASKED: usize = 60;
const PAUSE: Duration = Duration::from_secs(2);

/// How often all is read anew.
const ALL_ANEW: usize = 10;

#[tokio::main]
async fn main() {
    let release = build(&["-p", "flockwork", "--bin", "flockwork"]);
    let flockwork = release.join("flockwork");
    apply(&flockwork).await;
    println!();
    feed(&flockwork).await;
}

async fn apply(flockwork: &Path) {
    let directory = tempfile::tempdir().unwrap();
    write_flock(directory.path(), SHEEP);
    let up = Up::start(flockwork, directory.path());
    let far = Far::start(up.url("AWS_ENDPOINT_URL_DYNAMODB")).await;
    let command = |arguments: &[&str]| {
        let mut command = Command::new(flockwork);
        command
            .args(["--aws", "--table", LOCAL_NAME])
            .args(arguments)
            .current_dir(directory.path())
            .envs(&up.environment)
            .env("AWS_ENDPOINT_URL_DYNAMODB", far.url())
            .stdout(Stdio::null());
        command
    };
    println!("{:<46} {:>12} {:>12} {:>12}", "", "seconds", "requests", "in a row, s");
    for (what, arguments) in [
        ("flock apply, 100 new sheep", &["flock", "apply", "choir"][..]),
        ("flock apply, nothing to do", &["flock", "apply", "choir"]),
        ("flock remove, 100 sheep", &["flock", "remove", "choir", "--yes"]),
    ] {
        far.requests.store(0, Ordering::Relaxed);
        let mut command = command(arguments);
        let started = Instant::now();
        // The way to the table is in this process.
        tokio::task::spawn_blocking(move || run(&mut command)).await.unwrap();
        let took = started.elapsed().as_secs_f64();
        let requests = far.requests.load(Ordering::Relaxed);
        let in_a_row = far.in_a_row(&up, requests).await;
        println!("{what:<46} {took:>12.2} {requests:>12} {in_a_row:>12.2}");
    }
}

async fn feed(flockwork: &Path) {
    let directory = tempfile::tempdir().unwrap();
    write_flock(directory.path(), FEED_SHEEP);
    let command = |arguments: &[&str]| {
        let mut command = Command::new(flockwork);
        command.args(arguments).current_dir(directory.path()).stdout(Stdio::null());
        command
    };
    // A database without the sample flock, and then so many hours at once.
    run(&mut command(&["flock", "apply", "choir"]));
    #[expect(clippy::disallowed_methods, reason = "the process has the clock on the wall")]
    let until = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(100);
    let until = until.to_string();
    let arguments =
        ["run", "--listen", "127.0.0.1:0", "--speed", "1000000", "--until", until.as_str()];
    run(&mut command(&arguments));
    // An hour is a minute: the posts of all sheep come while the page is looked at.
    let up = Up::start_at(flockwork, directory.path(), "60");
    let store = up.store(up.url("AWS_ENDPOINT_URL_DYNAMODB"));
    let feed = format!("{}/feed", up.page);

    let http = reqwest::Client::new();
    let (mut tag, mut is_behind, mut size) = (None, true, 0);
    let (mut first, mut later, mut whole) = (Vec::new(), Vec::new(), Vec::new());
    let mut catching_up = 0;
    while later.len() < ASKED {
        let is_first = later.is_empty() && is_behind;
        if !is_behind {
            sleep(PAUSE).await;
        }
        let started = Instant::now();
        let mut asked = http.get(&feed);
        if let Some(tag) = &tag {
            asked = asked.header("if-none-match", tag);
        }
        let answer = asked.send().await.unwrap();
        tag = answer.headers().get("etag").cloned();
        let is_new = answer.status() == reqwest::StatusCode::OK;
        let text = answer.text().await.unwrap();
        let took = started.elapsed().as_secs_f64() * 1_000.0;
        if is_new {
            is_behind = text.contains("id=\"behind\"");
            size = size.max(text.len());
        }
        if is_first {
            first.push(took);
        } else {
            catching_up += usize::from(is_behind);
            later.push(took);
        }
    }
    for _ in 0..ALL_ANEW {
        let started = Instant::now();
        let sheep = store.sheep_of(None).await.unwrap();
        assert_eq!(sheep.len(), FEED_SHEEP);
        let posts = store.newest_posts_of(&sheep, FEED_POSTS).await.unwrap();
        assert_eq!(posts.len(), FEED_POSTS);
        whole.push(started.elapsed().as_secs_f64() * 1_000.0);
    }
    println!("{:<46} {:>12} {:>12}", "500 sheep, 100 posts each", "the feed", "all anew");
    for (what, part) in [("median, ms", 0.5), ("the slowest, ms", 1.0)] {
        println!(
            "{what:<46} {:>12.1} {:>12.1}",
            quantile(&mut later, part),
            quantile(&mut whole, part)
        );
    }
    println!("{:<46} {:>12}", "the first answers after a start", first.len());
    println!("{:<46} {:>12.1}", "the slowest of those, ms", quantile(&mut first, 1.0));
    println!("{:<46} {catching_up:>12}", "answers later that were not whole");
    #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
    let kb = size as f64 / 1_000.0;
    println!("{:<46} {kb:>12.1}", "the largest, KB");
}

/// A flock `choir` of so many sheep in `directory`.
fn write_flock(directory: &Path, sheep: usize) {
    let choir = directory.join("choir");
    fs::create_dir(&choir).unwrap();
    let mut file = "name = \"choir\"\n[defaults]\nbehaviour = \"poem\"\nline = \"1h\"\n".to_owned();
    for number in 0..sheep {
        let lines: Vec<_> = (0..40).map(|line| format!("line {line} of {number}")).collect();
        fs::write(choir.join(format!("s{number}.txt")), lines.join("\n")).unwrap();
        write!(file, "[[sheep]]\nname = \"s{number}\"\ncorpus = \"s{number}.txt\"\n").unwrap();
    }
    fs::write(choir.join("flock.toml"), file).unwrap();
}

/// A way to the table on which every request is [`DISTANCE`] longer.
struct Far {
    address: SocketAddr,
    requests: Arc<AtomicUsize>,
}

impl Far {
    async fn start(near: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&requests);
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                tokio::spawn(carry(connection, near.clone(), Arc::clone(&counter)));
            }
        });
        Self { address, requests }
    }

    fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How many seconds so many requests take that wait for each other, by the pace of some.
    async fn in_a_row(&self, up: &Up, requests: usize) -> f64 {
        const SOME: u32 = 10;
        let store = up.store(self.url());
        // The connection is made once.
        store.control().await.unwrap();
        let started = Instant::now();
        for _ in 0..SOME {
            store.control().await.unwrap();
        }
        let each = started.elapsed() / SOME;
        each.as_secs_f64() * f64::from(u32::try_from(requests).unwrap())
    }
}

/// Carries what is said on one connection, to the table late and back at once.
async fn carry(far: TcpStream, near: String, requests: Arc<AtomicUsize>) {
    let near = near.trim_start_matches("http://");
    let near = TcpStream::connect(near).await.unwrap();
    let (mut from_far, mut to_far) = far.into_split();
    let (mut from_near, mut to_near) = near.into_split();
    let back = tokio::spawn(async move { tokio::io::copy(&mut from_near, &mut to_far).await });
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(length @ 1..) = from_far.read(&mut buffer).await {
        let bytes = &buffer[..length];
        // A request is more than one packet where it is large; then the rest comes with it.
        if bytes.starts_with(b"POST ") {
            requests.fetch_add(1, Ordering::Relaxed);
            sleep(DISTANCE).await;
        }
        if to_near.write_all(bytes).await.is_err() {
            break;
        }
    }
    back.abort();
}

/// A run that is up, until it is dropped.
struct Up {
    process: Child,
    page: String,
    /// What leads programs to it.
    environment: HashMap<String, String>,
}

impl Up {
    fn start(flockwork: &Path, directory: &Path) -> Self {
        Self::start_at(flockwork, directory, "1")
    }

    /// One whose time runs so many times faster.
    fn start_at(flockwork: &Path, directory: &Path, speed: &str) -> Self {
        let command = || {
            let mut command = Command::new(flockwork);
            command.current_dir(directory);
            command
        };
        let mut run = command();
        run.args(["run", "--listen", "127.0.0.1:0", "--speed", speed]).stdout(Stdio::piped());
        let mut process = run.spawn().unwrap();
        let mut said = BufReader::new(process.stdout.take().unwrap()).lines();
        let page = said.by_ref().map(Result::unwrap).find_map(|line| {
            let (_, url) = line.split_once("http://")?;
            Some(format!("http://{}", url.split([' ', '/']).next()?))
        });
        // What else it says is not to fill the pipe.
        thread::spawn(move || said.for_each(drop));
        let environment = command().arg("env").output().unwrap().stdout;
        let environment = String::from_utf8(environment).unwrap();
        let pairs = environment.lines().filter_map(|line| line.split_once('='));
        let environment = pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Self { process, page: page.unwrap(), environment }
    }

    /// Where its services are.
    fn url(&self, name: &str) -> String {
        self.environment[name].clone()
    }

    /// Its table, by the way that begins at `url`.
    fn store(&self, url: String) -> Store {
        let token = SecretString::from(self.url("AWS_SESSION_TOKEN"));
        let aws = flock_aws::local(url, self.url("AWS_ENDPOINT_URL"), &token);
        Store::new(Client::new(&aws), LOCAL_NAME.to_owned())
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
