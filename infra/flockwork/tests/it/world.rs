//! The command as a person has it: a directory of one's own, an empty environment, and a limit on every
//! wait. Knows how to start the binary and how to read what it prints, and nothing of how it works.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{BufRead as _, BufReader, Read, Write as _},
    ops::Deref,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc::{self, Receiver, RecvTimeoutError},
    thread,
    time::{Duration, Instant},
};

use flock_aws::Clock;
use flock_core::Month;
use flock_tests::{Trouble, X};
use jiff::{SignedDuration, Timestamp};
use rustix::{
    fs::{Mode, OFlags, open},
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
    termios::{Winsize, tcsetwinsize},
};
use serde::Deserialize;
use serde_json::{Value, json};
use tempfile::TempDir;

/// What is said beside sheep that would post, where no run is up.
pub(crate) const NOT_RUNNING: &str = "Nothing is posted while `flockwork run` is not running.\n";

/// Longer than anything here takes on a slow machine.
const LIMIT: Duration = Duration::from_mins(2);

/// A directory to work in, gone when dropped.
pub(crate) struct World {
    directory: TempDir,
}

/// A directory whose template has an X of its own, gone when dropped.
pub(crate) struct XWorld {
    world: World,
    pub(crate) x: X,
    // Where X runs.
    runtime: tokio::runtime::Runtime,
}

/// What a command that has ended said.
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    /// None: a signal ended it.
    pub(crate) code: Option<i32>,
}

/// A command that may still run; killed when dropped.
pub(crate) struct Running {
    child: Child,
    stdout: Stream,
    stderr: Stream,
}

/// Which stream of a command nobody reads.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Unread {
    Stdout,
    /// Another process that has it, too, has made it one that does not wait.
    ImpatientStdout,
    Stderr,
}

/// What a command prints, line by line.
struct Stream {
    lines: Receiver<String>,
    read: String,
}

/// A line of `posts --json` or `preview --json`, as far as both have it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub(crate) struct Post {
    pub(crate) at: Timestamp,
    pub(crate) flock: String,
    pub(crate) sheep: String,
    pub(crate) network: String,
    pub(crate) occurrence: u64,
    pub(crate) text: String,
}

impl World {
    pub(crate) fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        self.directory.path().join(relative)
    }

    /// Writes a file, and the directories above it.
    pub(crate) fn write(&self, relative: &str, content: impl AsRef<[u8]>) {
        let path = self.path(relative);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    /// Every file and directory below `relative` with its content. Not `lock`, which only
    /// says whether a run has it.
    pub(crate) fn files(&self, relative: &str) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut files = BTreeMap::new();
        let mut directories = vec![self.path(relative)];
        while let Some(directory) = directories.pop() {
            let Ok(entries) = fs::read_dir(directory) else { continue };
            for entry in entries {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    directories.push(path.clone());
                    files.insert(path, Vec::new());
                } else if !path.ends_with("lock") {
                    let content = fs::read(&path).unwrap();
                    files.insert(path, content);
                }
            }
        }
        files
    }

    /// Where the run answers that is up, and what it wants to be shown.
    #[track_caller]
    pub(crate) fn endpoint(&self) -> Value {
        let endpoint = fs::read(self.path(".flockwork/endpoint.json")).unwrap();
        serde_json::from_slice(&endpoint).unwrap()
    }

    /// The command with arguments as in a shell, separated by blanks.
    pub(crate) fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_flockwork"));
        command
            .args(arguments.split_whitespace())
            .current_dir(self.directory.path())
            .env_clear()
            .envs(["PATH", "HOME"].map(|name| (name, std::env::var_os(name).unwrap_or_default())));
        command
    }

    pub(crate) fn start(&self, arguments: &str) -> Running {
        Running::spawn(self.command(arguments))
    }

    /// Starts a command at a terminal, and gives the end of it where somebody types.
    pub(crate) fn start_at_terminal(&self, arguments: &str) -> (Running, File) {
        let (keyboard, terminal) = terminal();
        let running = Running::spawn_with(self.command(arguments), terminal.into());
        (running, keyboard)
    }

    /// What a command shows at a terminal of so many columns and rows, where also its errors go.
    #[track_caller]
    pub(crate) fn seen(&self, arguments: &str, size: (u16, u16)) -> String {
        seen(self.command(arguments), size)
    }

    /// What a command says to whom `answer` is typed at a terminal.
    #[track_caller]
    pub(crate) fn answered(&self, arguments: &str, answer: &str) -> Output {
        let (running, mut keyboard) = self.start_at_terminal(arguments);
        keyboard.write_all(answer.as_bytes()).unwrap();
        running.finish()
    }

    /// What a command says that ends by itself.
    #[track_caller]
    pub(crate) fn flockwork(&self, arguments: &str) -> Output {
        self.start(arguments).finish()
    }

    /// The standard output of a command that succeeds and complains of nothing. That no run is up is no complaint.
    #[track_caller]
    pub(crate) fn ok(&self, arguments: &str) -> String {
        let output = self.flockwork(arguments);
        let stderr = output.stderr.strip_suffix(NOT_RUNNING).unwrap_or(&output.stderr);
        assert!(output.code == Some(0) && stderr.is_empty(), "{arguments}: {output:#?}");
        output.stdout
    }

    /// What a refused command says on standard error, where everything it says must be.
    #[track_caller]
    pub(crate) fn refused(&self, arguments: &str) -> String {
        let output = self.flockwork(arguments);
        assert!(output.code == Some(2) && output.stdout.is_empty(), "{arguments}: {output:#?}");
        assert!(output.stderr.starts_with("error: "), "{arguments}: {output:#?}");
        output.stderr
    }

    /// What a command prints as JSON lines.
    #[track_caller]
    pub(crate) fn json(&self, arguments: &str) -> Vec<Value> {
        let lines = self.ok(arguments);
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The posts that `posts` or `preview` lists.
    #[track_caller]
    pub(crate) fn posts(&self, arguments: &str) -> Vec<Post> {
        let lines = self.json(&format!("{arguments} --json"));
        lines.into_iter().map(|line| serde_json::from_value(line).unwrap()).collect()
    }

    /// Everything the commands show of the table.
    #[track_caller]
    pub(crate) fn table(&self) -> String {
        ["flock list --json", "sheep list --json", "posts --limit 100000 --json"]
            .map(|arguments| self.ok(arguments))
            .join("\n")
    }

    /// Lets there be a data directory, where `place` says, with a flock of one sheep in it: who only looks makes none.
    #[track_caller]
    pub(crate) fn begin(&self, place: &str) {
        self.write_flock("begun", &[("first", "one\n", "line = \"1h\"")]);
        self.ok(&format!("flock apply begun {place}"));
        fs::remove_dir_all(self.path("begun")).unwrap();
    }

    /// Runs the flock in quick time from now until `until`.
    #[track_caller]
    pub(crate) fn run_until(&self, until: Timestamp) {
        let said = self.ok(&format!("run --listen 127.0.0.1:0 --speed {QUICK} --until {until:.0}"));
        assert!(said.ends_with("Stopped.\n"), "{said}");
    }

    /// A flock called `name`, whose sheep each have a table in `sheep` and the text in `sheep.txt`.
    pub(crate) fn write_flock(&self, name: &str, sheep: &[(&str, &str, &str)]) {
        self.write_flock_with(name, "", sheep);
    }

    /// The same, with the lines `top` at the top.
    /// Writes the file of a sheep `d` whose texts are drawn, and gives what stands of it in `flock.toml`, above the other sheep.
    pub(crate) fn write_drawn(&self, flock: &str) -> String {
        self.write(&format!("{flock}/d.json"), r#"{"origin": ["moo", "baa"]}"#);
        "[[sheep]]\nname = \"d\"\nbehaviour = \"grammar\"\ncorpus = \"d.json\"\nline = \"1h\"\n"
            .to_owned()
    }

    /// Likewise of a sheep `e` that is a queue.
    pub(crate) fn write_queue(&self, flock: &str) -> String {
        self.write(&format!("{flock}/e.txt"), "moon\n---\nrose\n");
        self.write("more.txt", "more\n");
        "[[sheep]]\nname = \"e\"\nbehaviour = \"queue\"\ncorpus = \"e.txt\"\nline = \"1h\"\n"
            .to_owned()
    }

    pub(crate) fn write_flock_with(&self, name: &str, top: &str, sheep: &[(&str, &str, &str)]) {
        let tables: Vec<_> = sheep
            .iter()
            .map(|(sheep, text, rhythm)| {
                self.write(&format!("{name}/{sheep}.txt"), text);
                format!(
                    "[[sheep]]\nname = \"{sheep}\"\nbehaviour = \"poem\"\ncorpus = \"{sheep}.txt\"\n{rhythm}\n"
                )
            })
            .collect();
        let file = format!("name = \"{name}\"\n{top}\n{}", tables.join("\n"));
        self.write(&format!("{name}/flock.toml"), file);
    }
}

impl XWorld {
    pub(crate) fn new() -> Self {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let x = runtime.block_on(X::start(CONSUMER_KEY));
        let world = World::new();
        let real = include_str!("../../../../template.yaml");
        let own = format!("X_SECRET: !Ref XApp\n          X_URL: {}\n", x.url());
        assert!(real.contains("X_SECRET: !Ref XApp\n"), "there is a place for X's address");
        world.write("template.yaml", real.replace("X_SECRET: !Ref XApp\n", &own));
        Self { world, x, runtime }
    }

    /// Adds the account of X called `handle`, which has X's label.
    #[track_caller]
    pub(crate) fn add(&self, handle: &str) {
        // Any number will do that no other account has.
        let user_id: String = handle.bytes().map(|byte| byte.to_string()).collect();
        let token = format!("{handle}-token").replace('_', "-");
        self.x.account(&token, &user_id);
        self.x.called(&user_id, handle);
        let file = json!({
            "token": token,
            "token_secret": X::SECRET,
            "user_id": user_id,
            "consumer_key": CONSUMER_KEY,
            "consumer_secret": X::SECRET,
            "automated_label": true,
        });
        self.write("key.json", file.to_string());
        let said = self.ok(&format!("account add x:{handle} --key key.json"));
        assert_eq!(said, format!("x:{handle} can post now. Delete key.json.\n"));
    }

    /// Lets the account whose number is `user_id` in, with the token `token`.
    pub(crate) fn let_in(&self, token: &str, user_id: &str) {
        self.x.account(token, user_id);
    }

    /// What X has against whoever asks, from now on.
    pub(crate) fn trouble(&self, trouble: Trouble) {
        self.x.trouble(trouble);
    }

    /// What the account called `handle` has posted on X.
    pub(crate) fn on_x(&self, handle: &str) -> Vec<String> {
        let _entered = self.runtime.enter();
        let user_id: String = handle.bytes().map(|byte| byte.to_string()).collect();
        self.x.posts(&user_id).into_iter().map(|post| post.text).collect()
    }
}

impl Deref for XWorld {
    type Target = World;

    fn deref(&self) -> &World {
        &self.world
    }
}

/// The key of the app of that X.
pub(crate) const CONSUMER_KEY: &str = "CONSUMER-KEY-0123";

/// The text with every time, and the month it is, as `TIME` and `MONTH`.
pub(crate) fn timeless(text: &str) -> String {
    let month = Month::of(Clock::wall().now()).to_string();
    let is_part = |word: &str, length: usize, sign: char| {
        word.len() == length
            && word.matches(sign).count() == 2
            && word.chars().all(|c| c.is_ascii_digit() || c == sign)
    };
    let lines = text.split('\n').map(|line| {
        let words: Vec<_> = line.split(' ').collect();
        let words: Vec<_> = words
            .iter()
            .filter(|word| !is_part(word, 10, '-'))
            .map(|word| if is_part(word, 8, ':') { "TIME" } else { word })
            .collect();
        words.join(" ").replace(&month, "MONTH")
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// So quick that the ticks follow each other without a pause.
pub(crate) const QUICK: u32 = 100_000;

/// The time on the wall, and some more.
pub(crate) fn from_now(more: SignedDuration) -> Timestamp {
    Clock::wall().now() + more
}

/// Looks until there is something to see.
#[track_caller]
pub(crate) fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(started.elapsed() < LIMIT, "it does not happen: {what}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// What a request was answered.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) kind: String,
    pub(crate) policy: String,
    pub(crate) location: String,
    pub(crate) cookie: String,
    /// What tells whether it is another by now.
    pub(crate) tag: String,
    /// The time of the run.
    pub(crate) now: String,
    /// Whether other pages may read it.
    pub(crate) shared: bool,
    pub(crate) body: String,
}

/// Sends the request that `make` makes. Redirections are answers.
#[track_caller]
pub(crate) fn http(make: impl FnOnce(&reqwest::Client) -> reqwest::RequestBuilder) -> Answer {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        let response = make(&client).send().await.unwrap();
        let header = |name| {
            let value = response.headers().get(name);
            value.map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
        };
        let (kind, policy) = (header("content-type"), header("content-security-policy"));
        let (location, cookie) = (header("location"), header("set-cookie"));
        let (tag, now) = (header("etag"), header("flockwork-now"));
        let mut names = response.headers().keys();
        let shared = names.any(|name| name.as_str().starts_with("access-control"));
        let status = response.status().as_u16();
        let body = response.text().await.unwrap();
        Answer { status, kind, policy, location, cookie, tag, now, shared, body }
    })
}

/// A poem of `lines` lines, which begin with `name`.
pub(crate) fn poem(name: &str, lines: u32) -> String {
    let lines: Vec<_> = (1..=lines).map(|line| format!("{name} {line}")).collect();
    lines.join("\n")
}

/// That the posts of `sheep` are the lines of its poem over and over, each once.
#[track_caller]
pub(crate) fn check_lines(posts: &[Post], sheep: &str, poem: &str) {
    let posts: Vec<_> = posts.iter().filter(|post| post.sheep == sheep).collect();
    let numbers: Vec<_> = posts.iter().map(|post| post.occurrence).collect();
    let expected: Vec<_> = (1..).take(posts.len()).collect();
    assert_eq!(numbers, expected, "{sheep}");
    let texts: Vec<_> = posts.iter().map(|post| post.text.as_str()).collect();
    let expected: Vec<_> = poem.lines().cycle().take(posts.len()).collect();
    assert_eq!(texts, expected, "{sheep}");
}

impl Running {
    pub(crate) fn spawn(command: Command) -> Self {
        Self::spawn_with(command, Stdio::null())
    }

    fn spawn_with(mut command: Command, stdin: Stdio) -> Self {
        let command = command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let stdout = Stream::of(child.stdout.take().unwrap());
        let stderr = Stream::of(child.stderr.take().unwrap());
        Self { child, stdout, stderr }
    }

    /// As [`Running::spawn`], at a terminal of so many columns and rows: that is what it reads and where it writes.
    pub(crate) fn spawn_in_window(mut command: Command, (columns, rows): (u16, u16)) -> Self {
        let (outside, inside) = terminal();
        let size = Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&outside, size).unwrap();
        let known = command.get_envs().any(|(name, _)| name == "TERM");
        if !known {
            command.env("TERM", "xterm-256color");
        }
        command.stdin(inside.try_clone().unwrap());
        command.stdout(inside.try_clone().unwrap()).stderr(inside);
        let child = command.spawn().unwrap();
        // Its copies of the terminal would keep it open.
        drop(command);
        let (stdout, stderr) = (Stream::of(outside), Stream::of(std::io::empty()));
        Self { child, stdout, stderr }
    }

    /// As [`Running::spawn`], but nobody reads one of its streams, which is full.
    pub(crate) fn spawn_unread(mut command: Command, which: Unread) -> (Self, std::io::PipeReader) {
        let (unread, mut full) = std::io::pipe().unwrap();
        // As much as Linux keeps in a pipe (pipe(7), 2026-11).
        full.write_all(&b".".repeat(65_536)).unwrap();
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        match which {
            Unread::Stdout => command.stdout(full),
            Unread::ImpatientStdout => {
                rustix::fs::fcntl_setfl(&full, OFlags::NONBLOCK).unwrap();
                command.stdout(full)
            }
            Unread::Stderr => command.stderr(full),
        };
        let mut child = command.spawn().unwrap();
        // Its copies of the pipe would keep it open.
        drop(command);
        let read = |stream: Option<Box<dyn Read + Send>>| {
            Stream::of(stream.unwrap_or_else(|| Box::new(std::io::empty())))
        };
        let stdout = read(child.stdout.take().map(|stdout| Box::new(stdout) as _));
        let stderr = read(child.stderr.take().map(|stderr| Box::new(stderr) as _));
        (Self { child, stdout, stderr }, unread)
    }

    /// As [`Running::spawn`], but its standard output is closed before it can write.
    pub(crate) fn spawn_unheard(mut command: Command) -> Self {
        let command = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        drop(child.stdout.take());
        let stderr = Stream::of(child.stderr.take().unwrap());
        Self { child, stdout: Stream::of(std::io::empty()), stderr }
    }

    /// Waits for a line of standard output with `text` in it.
    #[track_caller]
    pub(crate) fn line(&mut self, text: &str) -> String {
        let deadline = Instant::now() + LIMIT;
        while let Some(line) = self.stdout.next(deadline) {
            if line.contains(text) {
                return line;
            }
        }
        self.stderr.rest(deadline);
        panic!("no line with {text:?}: {}\n{}", self.stdout.read, self.stderr.read);
    }

    /// Waits for a line of standard error with `text` in it.
    #[track_caller]
    pub(crate) fn log_line(&mut self, text: &str) -> String {
        let deadline = Instant::now() + LIMIT;
        while let Some(line) = self.stderr.next(deadline) {
            if line.contains(text) {
                return line;
            }
        }
        panic!("nothing is logged with {text:?}: {}", self.stderr.read);
    }

    /// Waits for the address of the page.
    #[track_caller]
    pub(crate) fn url(&mut self) -> String {
        let line = self.line("The meadow is at ");
        let url = line.split_whitespace().find(|word| word.starts_with("http://"));
        url.unwrap_or_else(|| panic!("no address in {line}")).to_owned()
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Ctrl-C.
    #[track_caller]
    pub(crate) fn interrupt(self) -> Output {
        self.signal("INT");
        self.finish()
    }

    /// Sends the signal called `signal`.
    #[track_caller]
    pub(crate) fn signal(&self, signal: &str) {
        let kill = format!("kill -{signal} {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    }

    /// Whether it has ended by itself.
    #[track_caller]
    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// `kill -9`.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits for the end.
    #[track_caller]
    pub(crate) fn finish(mut self) -> Output {
        let deadline = Instant::now() + LIMIT;
        self.stdout.rest(deadline);
        self.stderr.rest(deadline);
        let status = eventually("the command ends", || self.child.try_wait().unwrap());
        let read = |stream: &mut Stream| std::mem::take(&mut stream.read);
        let (stdout, stderr) = (read(&mut self.stdout), read(&mut self.stderr));
        Output { stdout, stderr, code: status.code() }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Stream {
    fn of(source: impl Read + Send + 'static) -> Self {
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(source).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        Self { lines, read: String::new() }
    }

    /// The next line; none at the end.
    #[track_caller]
    fn next(&mut self, deadline: Instant) -> Option<String> {
        match self.lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(line) => {
                self.read += &line;
                self.read.push('\n');
                Some(line)
            }
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => panic!("it says no more after: {}", self.read),
        }
    }

    #[track_caller]
    fn rest(&mut self, deadline: Instant) {
        while self.next(deadline).is_some() {}
    }
}

/// Both ends of a new terminal: where somebody types and looks, and where programs are.
fn terminal() -> (File, File) {
    let outside = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&outside).unwrap();
    unlockpt(&outside).unwrap();
    let name = ptsname(&outside, Vec::new()).unwrap();
    let inside = open(name, OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).unwrap();
    (outside.into(), inside.into())
}

/// What a command shows at a terminal, where also its errors go. Escapes begin with `^`.
#[track_caller]
pub(crate) fn seen(command: Command, size: (u16, u16)) -> String {
    let output = Running::spawn_in_window(command, size).finish();
    output.stdout.replace('\r', "").replace('\u{1b}', "^")
}

/// The permission bits of a file.
pub(crate) fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// Sets the permission bits of a file.
pub(crate) fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}
