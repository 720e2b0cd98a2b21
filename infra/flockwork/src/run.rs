//! `flockwork run`: everything in template.yaml, on this machine.

use std::{
    collections::{HashMap, HashSet},
    io,
    path::Path,
    time::Duration,
};

use anyhow::anyhow;
use flock_aws::Clock;
use flock_core::{Network, Occurrence, Sheep, SheepId, State, View, count, local, named, one_line};
use flock_ops::{FlockFile, Noted};
use flock_store::{NotFound, Post, Stop, Store, StoreError};
use jiff::{SignedDuration, Timestamp};
use local_cloud::{
    dispatch::{Dispatcher, Invoked},
    services::LocalCloud,
    timetable::{self, Timetable},
};
use loopback::Token;
use serde_json::Value;
use tokio::{net::TcpListener, time::Instant};

use crate::{
    cli::{Place, Run},
    connect::{check_database, read_template},
    data_dir::{DataDir, Endpoint, FilesInUse, Hold},
    flock_file, functions,
    interrupt::Interrupt,
    local_secrets::Lost,
    machine::{self, Ground, Machine},
    operator, page,
    refusal::refuse,
    show::{aside_line, resume, stopped},
    streams::{LOG, OUT},
    table::{columns, cut},
    terminal::{FAINT, NAME, Paint, Window, harmless},
};

/// The flock a new data directory starts with, when it is there.
const SAMPLE: &str = "infra/sample-flock";

/// New posts of one sheep that are told at once; after a long pause of the terminal there can be many.
const MOST_TOLD: usize = 20;

/// How often a run looks whether its files are still its own.
const WATCHED: Duration = Duration::from_secs(1);

/// How often a run looks what time it is while it waits: a machine that slept does not know how long.
const LOOKED: Duration = Duration::from_mins(1);

/// How long what is not written yet may take when somebody wants the run to end.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Everything that runs.
struct Local {
    dispatcher: Dispatcher,
    schedules: Vec<Scheduled>,
    timetable: Timetable,
    longest_lease: SignedDuration,
    store: Store,
    clock: Clock,
    speed: u32,
    seen: HashMap<SheepId, Told>,
    // Functions of which it has told that they cannot do their work.
    failing: HashSet<String>,
    // How a command begins that is about this run.
    program: String,
    // What it has told of the day and the zone that times are of, at a terminal.
    day: String,
    // Who has stopped everything, as it has told.
    stop: Option<Stop>,
    // What it has told of a sheep that it cannot read.
    unreadable: Option<String>,
    // The time to wake up at, and when that is.
    alarm: Option<(Timestamp, Instant)>,
    // When the clock was moved last.
    stepped: Instant,
}

/// A schedule of a function, and what it is given.
struct Scheduled {
    function: usize,
    input: Value,
}

/// What the terminal has told of a sheep.
struct Told {
    occurrence: Occurrence,
    state: State,
    set_aside: u32,
    problem: Option<String>,
}

/// Runs until Ctrl-C, or until `--until`. Quiet, it tells what is posted and what goes wrong, and no more.
pub async fn run(place: &Place, run: &Run, is_quiet: bool) -> anyhow::Result<()> {
    let note: Note = if is_quiet { |_| Ok(()) } else { say };
    let mut interrupt = Interrupt::listen()?;
    let ended = tokio::select! {
        result = run_all(place, run, note) => result,
        () = interrupt.asked() => Ok(()),
        err = OUT.broken() => Err(anyhow::Error::new(err).context("standard output cannot be written")),
    };
    Interrupt::has_ended();
    let ended = ended.and_then(|()| Ok(note("Stopped.")?));
    let hurried = async {
        interrupt.asked().await;
        tokio::time::sleep(LAST_WORDS).await;
    };
    // Everything has ended but this, which has to end, too.
    tokio::select! {
        // Whether its log was read is no matter.
        (drained, _) = async { tokio::join!(OUT.drain(), LOG.drain()) } => {
            ended.and_then(|()| Ok(drained?))
        }
        () = hurried => ended,
    }
}

/// How what need not be known is told, if it is.
type Note = fn(&str) -> io::Result<()>;

/// Runs until `--until`. Everything ends with it when it is dropped.
async fn run_all(place: &Place, run: &Run, note: Note) -> anyhow::Result<()> {
    // What can be refused is, before anything is written.
    refuse_past(run.until, Clock::wall().now())?;
    let template = read_template(place)?;
    functions::refuse_unrunnable(place.template(), &template.functions)?;
    if 1 < run.speed.get() {
        functions::refuse_speed(place.template(), &template.functions)?;
    }
    if let Some(endpoint) = DataDir::served_at(&place.data)? {
        return Err(runs_already(&place.data, &endpoint));
    }
    let sample = sample(&place.data)?;
    let listener = TcpListener::bind(run.listen).await.map_err(|err| {
        refuse(format!("cannot listen on {}: {err}; choose another with --listen", run.listen))
    })?;
    let programs = functions::build(place.template(), &template.functions, note).await?;
    let data_dir = match DataDir::hold(&place.data).await? {
        Hold::Ours(data_dir) => data_dir,
        Hold::Running(endpoint) => return Err(runs_already(&place.data, &endpoint)),
    };
    if sample.is_some() {
        // What is refused leaves no trace.
        check_database(&data_dir, &template)?;
        // Before there is a database: whoever dies before all of it is applied leaves that it is to be.
        data_dir.begin_sample()?;
    }
    let keyring = if run.new_keyring { Lost::Known } else { Lost::Refused };
    let ground = Ground::open(&data_dir, &template, keyring).await?;
    let _sweeper = Task(sweep_expired(ground.database.clone()));
    let files = data_dir.files_in_use();
    let (store, ahead) = (ground.store.clone(), ground.ahead);
    let now = Clock::ahead(ahead).now();
    refuse_past(run.until, now)?;
    // It is refused where none is lost.
    if run.new_keyring {
        let line = "run --new-keyring (accounts sealed with the lost one are to be added again)"
            .to_owned();
        let noted = Noted::begin(&store, operator::here(&line, now), line).await?;
        noted.end(&store, Noted::DONE.to_owned()).await?;
    }
    if let Some(sample) = sample {
        apply_sample(&store, sample, now).await?;
        data_dir.end_sample()?;
        note(&format!("Applied the sample flock in {SAMPLE}/ to begin with."))?;
    }
    let speed = run.speed.get();
    let clock = if speed == 1 { Clock::ahead(ahead) } else { Clock::stepped(now) };
    refuse_wrong_time(&store, speed, ahead).await?;

    let listens = listener.local_addr()?;
    let others = template.functions.iter().filter(|function| !functions::is_linked_in(function));
    let on_the_wall: Vec<_> = others.map(|function| function.logical_id.clone()).collect();
    let functions = template.functions.into_iter().zip(programs).collect();
    let machine = ground.start(functions, &clock, listens, run.networks_on_loopback).await?;
    // The desk and the cloud are open as long as the run is up.
    let Machine { cloud, dispatcher, routes, sender, desk, environment } = machine;
    let page_url = format!("http://{listens}");
    let try_token = Token::new();
    // Whoever is not at this machine finds nothing there.
    let here = machine::reachable(listens);
    let try_link =
        here.ip().is_loopback().then(|| format!("http://{here}/try?token={}", try_token.expose()));
    let _page =
        Task(page::open(listener, store.clone(), clock.clone(), sender, routes, try_token)?);
    data_dir.publish_endpoint(&Endpoint {
        page: page_url.clone(),
        try_link: try_link.clone(),
        token: cloud.token().clone(),
        environment,
        dynamodb: cloud.dynamodb_url(),
        services: cloud.services_url(),
        slack: desk.url(),
    })?;
    greet(note, &page_url, try_link, ahead, &on_the_wall)?;

    let mut local = Local {
        schedules: schedules(&dispatcher),
        timetable: timetable(&dispatcher, clock.now()),
        longest_lease: longest_lease(&dispatcher),
        dispatcher,
        store,
        clock,
        speed,
        seen: HashMap::new(),
        failing: HashSet::new(),
        program: place.command(),
        day: String::new(),
        stop: None,
        unreadable: None,
        alarm: None,
        stepped: Instant::now(),
    };
    for ended in local.timetable.ended() {
        note(&format!("The schedule {ended} has no time left, so it does not fire."))?;
    }
    local.look(false).await?;
    if local.seen.is_empty() {
        let program = &local.program;
        note(&format!("There is no flock yet. In another terminal: {program} flock apply DIR"))?;
    }
    tokio::select! {
        result = local.work(run.until) => result,
        lost = watch(&data_dir, &files, &cloud) => Err(lost?),
    }
}

/// Says where everything is, and what time it is there.
fn greet(
    note: Note,
    page_url: &str,
    try_link: Option<String>,
    ahead: SignedDuration,
    on_the_wall: &[String],
) -> io::Result<()> {
    note(&format!(
        "The meadow is at {page_url} - Ctrl-C stops, and the next start goes on from there."
    ))?;
    if let Some(link) = try_link {
        note(&format!("Try Slack commands at {link}"))?;
    }
    if !ahead.is_zero() {
        note(&format!(
            "Time is {ahead:#} ahead here, because it ran faster once; it goes on from there."
        ))?;
        for name in on_the_wall {
            note(&format!("{name} is a program of its own and sees the clock on the wall."))?;
        }
    }
    Ok(())
}

/// Sees to it that what this run has in memory is in its files, and gives an error when they are not its own any more.
async fn watch(
    data_dir: &DataDir,
    files: &FilesInUse,
    cloud: &LocalCloud,
) -> anyhow::Result<anyhow::Error> {
    let mut every = tokio::time::interval(WATCHED);
    loop {
        every.tick().await;
        if let Some(missing) = files.missing() {
            return Ok(anyhow!(
                "{} was moved, removed or replaced while this run had it open, so that another run could begin beside \
                 it; put it back where it is to be had, and start the run again",
                missing.display()
            ));
        }
        cloud.with_secrets(|secrets| {
            for (name, text) in secrets {
                if data_dir.secret_path(name).try_exists().is_ok_and(|is_there| !is_there) {
                    data_dir.put_secret(name, text)?;
                    say(&format!("The secret {name} was gone from its file, and is there again."))?;
                }
            }
            anyhow::Ok(())
        })?;
    }
}

/// A task that ends when this is dropped.
struct Task(tokio::task::JoinHandle<()>);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// All schedules of the functions.
fn schedules(dispatcher: &Dispatcher) -> Vec<Scheduled> {
    let functions = dispatcher.functions().iter().enumerate();
    let schedules = functions.flat_map(|(function, local)| {
        let inputs = local.definition.schedules.iter().map(|event| event.input.clone());
        inputs.map(move |input| Scheduled { function, input })
    });
    schedules.collect()
}

/// The same, at their times, from `start` on.
fn timetable(dispatcher: &Dispatcher, start: Timestamp) -> Timetable {
    let functions = dispatcher.functions().iter();
    let schedules = functions.flat_map(|local| &local.definition.schedules);
    let schedules = schedules.map(|event| event.schedule.clone());
    Timetable::new(schedules.collect(), start, Instant::now().into_std())
}

/// Longer than any function of this machine has a sheep for itself, because it is ended then.
fn longest_lease(dispatcher: &Dispatcher) -> SignedDuration {
    let timeouts = dispatcher.functions().iter().map(|local| local.definition.timeout);
    let longest = timeouts.max().and_then(|longest| SignedDuration::try_from(longest).ok());
    longest.unwrap_or_default() + SignedDuration::from_mins(1)
}

fn runs_already(data: &Path, endpoint: &Endpoint) -> anyhow::Error {
    refuse(format!(
        "{} is running already: {}; choose another directory with --data",
        data.display(),
        endpoint.page
    ))
}

/// The sample flock, where the data directory is to have it and it is there.
fn sample(data: &Path) -> anyhow::Result<Option<FlockFile>> {
    let dir = Path::new(SAMPLE);
    if !DataDir::wants_sample(data) || !dir.is_dir() {
        return Ok(None);
    }
    flock_file::read(dir).map(Some).map_err(|err| refuse(err.to_string()))
}

/// Applies the sample flock, for whoever started the run.
async fn apply_sample(store: &Store, sample: FlockFile, now: Timestamp) -> anyhow::Result<()> {
    let plan = flock_ops::plan(store, sample, now).await?;
    let line = format!("flock apply {} (the sample flock, for a new data directory)", plan.flock());
    let who = operator::here(&line, now);
    let applied = Noted::around(store, who, line, async |noted| {
        Box::pin(plan.apply(store, noted, now, &|_, _, _| {})).await
    });
    Ok(applied.await?)
}

fn refuse_past(until: Option<Timestamp>, now: Timestamp) -> anyhow::Result<()> {
    match until {
        Some(until) if until <= now => {
            Err(refuse(format!("--until {until} has passed: it is {now} here")))
        }
        _ => Ok(()),
    }
}

/// A network that is not ours would see weeks in minutes, or hours at the wrong time.
async fn refuse_wrong_time(store: &Store, speed: u32, ahead: SignedDuration) -> anyhow::Result<()> {
    /// What a clock may be ahead that is that of other networks.
    const MOST_AHEAD: SignedDuration = SignedDuration::from_mins(5);
    let why = match speed {
        2.. => {
            "--speed is for the meadow alone, because other networks would get every post at once"
        }
        _ if MOST_AHEAD < ahead => {
            "time is ahead in this directory, because it ran faster once, and posts to other networks would come at \
             wrong times; begin another directory for them with --data DIR"
        }
        _ => return Ok(()),
    };
    let others: Vec<_> = store
        .sheep_of(None)
        .await?
        .into_iter()
        .filter(|sheep| sheep.config.account.network != Network::Meadow)
        .map(|sheep| format!("{} on {}", sheep.id, sheep.config.account))
        .collect();
    if others.is_empty() {
        return Ok(());
    }
    Err(refuse(format!("{why}; these post elsewhere: {}", named(others))))
}

/// DynamoDB drops expired items on its own; the embedded one has to be told.
fn sweep_expired(database: dynoxide::Database) -> tokio::task::JoinHandle<()> {
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(Duration::from_hours(1)).await;
            let database = database.clone();
            // What is not swept now is swept in an hour.
            let _ = tokio::task::spawn_blocking(move || database.sweep_ttl()).await;
        }
    })
}

fn ahead_of_wall(clock: &Clock) -> SignedDuration {
    clock.now().duration_since(Clock::wall().now())
}

/// Tells the person at the terminal, without waiting for whoever reads it. Fails when nobody reads any more.
fn say(line: &str) -> io::Result<()> {
    OUT.say(&told(line))
}

/// The line as the terminal shows it.
fn told(line: &str) -> String {
    Paint::stdout().signs(&harmless(line))
}

impl Local {
    /// Fires the schedules, each at its times, and delivers events as they come.
    async fn work(&mut self, until: Option<Timestamp>) -> anyhow::Result<()> {
        loop {
            self.keep_up()?;
            let due = self.timetable.due();
            let ends = until.filter(|until| due.is_none_or(|due| *until < due));
            // Quick time waits until everything is done that belongs to the time it is.
            let target = ends.or(due).filter(|_| self.speed == 1 || self.dispatcher.is_quiet());
            let alarm = target.map(|at| self.wakes_at(at));
            let wake = async {
                match alarm {
                    Some(alarm) => tokio::time::sleep_until(alarm).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                invoked = self.dispatcher.next() => self.told(invoked).await?,
                () = wake => {
                    self.alarm = None;
                    let Some(at) = target else { continue };
                    // It may be another time than the one that was waited for.
                    if self.keep_up()? || (self.speed == 1 && self.clock.now() < at) {
                        continue;
                    }
                    self.clock.step_to(at);
                    if ends.is_some() {
                        return self.finish().await;
                    }
                    self.fire(at).await?;
                }
            }
        }
    }

    /// Goes by the clock on the wall also when it was set, and tells. Whether it was. A clock that is stepped is
    /// set by nobody else.
    fn keep_up(&mut self) -> io::Result<bool> {
        if 1 < self.speed {
            return Ok(false);
        }
        let went = self.timetable.keep_up(self.clock.now(), Instant::now().into_std());
        if let Some(line) = went.and_then(timetable::told) {
            say(&line)?;
        }
        Ok(went.is_some())
    }

    /// When to look again on the way to `at`.
    fn wakes_at(&mut self, at: Timestamp) -> Instant {
        let alarm = self.alarm_at(at);
        // Quick time has no wall to look at.
        if self.speed == 1 { alarm.min(Instant::now() + LOOKED) } else { alarm }
    }

    /// When it will be `at`. A clock that is stepped jumps there instead, as much sooner as the speed says;
    /// what the functions took is part of the wait.
    fn alarm_at(&mut self, at: Timestamp) -> Instant {
        let left = Duration::try_from(at.duration_since(self.clock.now())).unwrap_or_default();
        if self.speed == 1 {
            return Instant::now() + left;
        }
        match self.alarm {
            // It was set before something else happened.
            Some((target, alarm)) if target == at => alarm,
            _ => {
                self.stepped = (self.stepped + left / self.speed).max(Instant::now());
                self.alarm = Some((at, self.stepped));
                self.stepped
            }
        }
    }

    /// Invokes what is due at `at`.
    async fn fire(&mut self, at: Timestamp) -> anyhow::Result<()> {
        if 1 < self.speed {
            // One may have been applied meanwhile.
            refuse_wrong_time(&self.store, self.speed, SignedDuration::ZERO).await?;
            // Kept at every step, because a killed run must go on from here too.
            self.store.put_clock_ahead(ahead_of_wall(&self.clock)).await?;
        }
        for place in self.timetable.fire(at) {
            if let Some(Scheduled { function, input }) = self.schedules.get(place) {
                self.dispatcher.fire(*function, input.clone(), place);
            }
        }
        Ok(())
    }

    /// Tells what a function did, and sets the next time of the schedule that invoked it.
    async fn told(&mut self, invoked: Invoked) -> anyhow::Result<()> {
        let Invoked { function, schedule, answer } = invoked;
        match answer {
            Ok(report) => self.tell_of_failures(&function, &report)?,
            Err(err) => {
                tracing::error!(function = %function, error = format!("{err:#}"), "an event was not handled");
                // What a function says is its own: it does not look like what we say.
                let lines: Vec<_> = format!("{err:#}").lines().map(one_line).collect();
                say(&format!("! {function} could not handle an event: {}", lines.join("\n  ")))?;
            }
        }
        if let Some(place) = schedule {
            self.keep_up()?;
            self.timetable.done(place, self.clock.now());
        }
        if self.speed == 1 || self.dispatcher.is_quiet() {
            self.look(true).await?;
        }
        Ok(())
    }

    /// Tells once that a function says it could not do all of its work, and when it can again. In the cloud its log has it.
    fn tell_of_failures(&mut self, function: &str, report: &Value) -> io::Result<()> {
        match report["failed"].as_u64() {
            Some(0) => {
                if self.failing.remove(function) {
                    say(&format!("{function} can do its work again."))?;
                }
            }
            Some(failed) if self.failing.insert(function.to_owned()) => say(&format!(
                "! {function} could not see to {}, because the table or a secret failed; it tries again each time, and with \
                 RUST_LOG=warn the run says more",
                count(failed, "sheep")
            ))?,
            Some(_) | None => {}
        }
        Ok(())
    }

    /// Lets what is under way come to its end.
    async fn finish(&mut self) -> anyhow::Result<()> {
        while !self.dispatcher.is_quiet() {
            let invoked = self.dispatcher.next().await;
            self.told(invoked).await?;
        }
        self.look(true).await
    }

    /// Tells what has changed since the last look.
    async fn look(&mut self, aloud: bool) -> anyhow::Result<()> {
        self.tell_of_stop().await?;
        let mut lines = Vec::new();
        let sheep = match self.store.sheep_of(None).await {
            // Functions pass over it, so that the others go on.
            Err(NotFound::Store(err @ StoreError::Corrupt { .. })) => return self.cannot_read(err),
            sheep => sheep?,
        };
        let at = self.clock.now();
        let view = View::of(&sheep, at);
        let (mut paused, mut resumed) = (Vec::new(), Vec::new());
        for sheep in &sheep {
            self.shorten_lease(sheep).await?;
            let before = self.seen.insert(sheep.id.clone(), Told::of(sheep));
            if !aloud {
                continue;
            }
            lines.extend(self.new_posts(sheep, before.as_ref(), &view).await?);
            if before.as_ref().is_some_and(|seen| seen.set_aside < sheep.progress.set_aside) {
                let newest = self.store.newest_asides(&sheep.id, 1).await?;
                lines.extend(newest.iter().map(|aside| {
                    let aside = aside_line(aside);
                    (at, told(&format!("! {} has set aside its post {aside}", sheep.id)))
                }));
            }
            let news = news(sheep, before.as_ref(), &self.program);
            lines.extend(news.iter().map(|line| (at, told(line))));
            match (before.map(|before| before.state), &sheep.state) {
                (Some(State::Paused { .. }), State::Paused { .. })
                | (Some(State::Active), State::Active) => {}
                (Some(_), State::Paused { .. }) => paused.push(&sheep.id),
                (Some(_), State::Active) => resumed.push(&sheep.id),
                (Some(_) | None, _) => {}
            }
        }
        // A flock of many is one line.
        for (ids, one, many) in [(paused, "is paused", "are paused"), (resumed, "goes on", "go on")]
        {
            if let Some(last) = ids.len().checked_sub(1) {
                let what = if last == 0 { one } else { many };
                lines.push((at, told(&format!("{} {what}", named(ids.into_iter())))));
            }
        }
        self.tell_day(&view, !lines.is_empty())?;
        lines.sort();
        for (_, line) in lines {
            OUT.say(&line)?;
        }
        Ok(())
    }

    /// Tells when everything was stopped since the last look, or goes on.
    async fn tell_of_stop(&mut self) -> anyhow::Result<()> {
        let stop = self.store.control().await?.stopped;
        match (&self.stop, &stop) {
            (before, now) if before == now => {}
            (_, Some(stop)) => say(&format!("! {}", stopped(stop)))?,
            (_, None) => say("Everything goes on.")?,
        }
        self.stop = stop;
        Ok(())
    }

    /// Tells whose times are shown, and of which day, at a terminal: there only the time of day is with each post.
    fn tell_day(&mut self, view: &View, is_more_told: bool) -> io::Result<()> {
        let now = view.whole(self.clock.now());
        let date = now.split(' ').next().unwrap_or_default();
        let day = format!("{date}. {}", view.times());
        if !is_more_told || self.day == day || Window::stdout().is_none() {
            return Ok(());
        }
        OUT.say(&Paint::stdout().on(FAINT, &day))?;
        self.day = day;
        Ok(())
    }

    /// Tells once that a sheep cannot be read, and what that means.
    fn cannot_read(&mut self, err: StoreError) -> anyhow::Result<()> {
        let what = format!("{:#}", anyhow::Error::from(err));
        if self.unreadable.as_ref() != Some(&what) {
            say(&format!("! {what}; the others go on, but nothing more is told here of any"))?;
            self.unreadable = Some(what);
        }
        Ok(())
    }

    /// Ends a lease no function of ours can have taken by this clock: it was taken by a clock that has been set
    /// back since, and would hold the sheep for as long as that went. Whoever took it may still be at work, so it
    /// lives for as long as a lease does, from now on.
    async fn shorten_lease(&self, sheep: &Sheep) -> anyhow::Result<()> {
        let longest = self.clock.now().saturating_add(self.longest_lease)?;
        let shortened = sheep.lease_at_most(longest);
        if shortened != *sheep {
            // Where somebody has changed the sheep meanwhile, the next look sees to it.
            self.store.put_sheep(&shortened).await?;
        }
        Ok(())
    }

    /// A line for each post the sheep has made since it was seen as `before`.
    async fn new_posts(
        &self,
        sheep: &Sheep,
        before: Option<&Told>,
        view: &View,
    ) -> anyhow::Result<Vec<(Timestamp, String)>> {
        let next = sheep.progress.occurrence;
        // Of a sheep that was applied since, the newest post, if it has made one.
        let unseen = u64::from(sheep.progress.last_remote.is_some());
        let told = before.map_or(next.0.saturating_sub(unseen), |before| before.occurrence.0);
        let count = usize::try_from(next.0.saturating_sub(told)).unwrap_or(usize::MAX);
        let posts = self.store.newest_posts(&sheep.id, count.min(MOST_TOLD)).await?;
        let new = posts.into_iter().filter(|post| told <= post.occurrence.0);
        let window = Window::stdout();
        let lines = new.map(|post| {
            let line = match window {
                Some(window) => shown_post(&post, sheep, view, window.columns),
                None => post_line(&post, sheep),
            };
            (post.at, line)
        });
        Ok(lines.collect())
    }
}

/// The line of a new post, whole.
fn post_line(post: &Post, sheep: &Sheep) -> String {
    let zone = sheep.config.rhythm.zone();
    let next = sheep.next_at().map_or_else(String::new, |next| {
        let (at, next) = (post.at.to_zoned(zone.clone()), next.to_zoned(zone.clone()));
        let form = if at.date() == next.date() { "%H:%M:%S" } else { "%Y-%m-%d %H:%M:%S" };
        format!("  (next {})", next.strftime(form))
    });
    let (at, name, text) = (local(post.at, zone), sheep.id.name.as_str(), post.quoted());
    format!("{at}  {name:<22} {text}{next}")
}

/// The same for a terminal of so many columns: the text has what the others leave, and when the next is made only where there
/// is room for it.
fn shown_post(post: &Post, sheep: &Sheep, view: &View, width: usize) -> String {
    const LEAST: usize = 20;
    let paint = Paint::stdout();
    let (at, text) = (view.clock(post.at), post.quoted());
    let next = sheep.next_at().map(|next| format!("  (next {})", view.clock(next)));
    let next = next.unwrap_or_default();
    let name = sheep.id.name.as_str();
    let [wide, narrow] = [format!("{name:<22}"), format!("{name} ")];
    let room =
        |name: &str, next: &str| width.saturating_sub(columns(&format!("{at}  {name} {next}")));
    let forms = [(&wide, &next), (&narrow, &next), (&narrow, &String::new())];
    let has_room = |form: &&(&String, &String)| LEAST.min(columns(&text)) <= room(form.0, form.1);
    let (name, next) = forms.iter().find(has_room).unwrap_or(&forms[2]);
    let text = cut(&text, room(name, next).max(1));
    let (at, name) = (paint.on(FAINT, &at), paint.on(NAME, name));
    format!("{at}  {name} {text}{}", paint.on(FAINT, next))
}

impl Told {
    fn of(sheep: &Sheep) -> Self {
        Self {
            occurrence: sheep.progress.occurrence,
            state: sheep.state.clone(),
            set_aside: sheep.progress.set_aside,
            problem: sheep.intent.as_ref().and_then(|intent| intent.errand.problem.clone()),
        }
    }
}

/// What else a person wants to hear of a sheep that was seen as `before`.
fn news(sheep: &Sheep, before: Option<&Told>, program: &str) -> Vec<String> {
    let seen = Told::of(sheep);
    let mut lines = Vec::new();
    if before.map(|before| &before.state) != Some(&seen.state) {
        match &seen.state {
            State::Stopped { why, .. } => {
                let resume = resume(sheep, program);
                lines.push(format!(
                    "! {} has stopped: {}\n!   to go on: {resume}",
                    sheep.id,
                    one_line(why)
                ));
            }
            State::Finished { .. } => lines.push(format!("{} has made its last post", sheep.id)),
            State::Active | State::Paused { .. } => {}
        }
    }
    if let Some(problem) = &seen.problem
        && before.and_then(|before| before.problem.as_ref()) != Some(problem)
    {
        lines.push(format!("! {} will try again: {}", sheep.id, one_line(problem)));
    }
    lines
}

#[cfg(test)]
mod tests {
    use flock_core::{Act, Due, SheepId};
    use jiff::tz::TimeZone;
    use local_cloud::{schedule::Expression, template::Template};

    use super::*;
    use crate::connect::LOCAL_NAME;

    const MINUTE: Duration = Duration::from_mins(1);

    /// A run whose wall clock is the test's.
    struct TestRun {
        local: Local,
        wall: Clock,
        // What the run stands on.
        table: aws_sdk_dynamodb::Client,
        _directory: tempfile::TempDir,
        _data_dir: DataDir,
    }

    impl TestRun {
        async fn start() -> Self {
            let directory = tempfile::tempdir().unwrap();
            let data = directory.path().join("data");
            let Hold::Ours(data_dir) = DataDir::hold(&data).await.unwrap() else {
                panic!("nobody else has it")
            };
            let template = Template::parse(include_str!("../../../template.yaml")).unwrap();
            let ground = Ground::open(&data_dir, &template, Lost::Refused).await.unwrap();
            let store = ground.store.clone();
            let wall = Clock::stepped("2026-11-26T12:00:00Z".parse().unwrap());
            let functions = template.functions.into_iter().map(|function| (function, None));
            let listens = ([127, 0, 0, 1], 1).into();
            let machine = ground.start(functions.collect(), &wall, listens, false).await.unwrap();
            let flock = directory.path().join("choir");
            std::fs::create_dir(&flock).unwrap();
            let toml = "name = \"choir\"\n[[sheep]]\nfiles = \"*.txt\"\nbehaviour = \"poem\"\nline = \"1m\"\n";
            std::fs::write(flock.join("flock.toml"), toml).unwrap();
            std::fs::write(flock.join("alto.txt"), "one\ntwo\nthree\nfour\nfive\nsix\n").unwrap();
            let file = flock_file::read(&flock).unwrap();
            let plan = flock_ops::plan(&store, file, wall.now()).await.unwrap();
            let who = operator::here("flock apply choir", wall.now());
            let noted = Noted::begin(&store, who, "flock apply choir".to_owned()).await.unwrap();
            plan.apply(&store, &noted, wall.now(), &|_, _, _| {}).await.unwrap();
            let dispatcher = machine.dispatcher;
            let local = Local {
                schedules: schedules(&dispatcher),
                timetable: timetable(&dispatcher, wall.now()),
                longest_lease: longest_lease(&dispatcher),
                dispatcher,
                store,
                clock: wall.clone(),
                speed: 1,
                seen: HashMap::new(),
                failing: HashSet::new(),
                program: "flockwork".to_owned(),
                day: String::new(),
                stop: None,
                unreadable: None,
                alarm: None,
                stepped: Instant::now(),
            };
            let table = aws_sdk_dynamodb::Client::new(&machine.cloud.aws());
            // They stop when they are dropped.
            std::mem::forget((machine.cloud, machine.desk));
            Self { local, wall, table, _directory: directory, _data_dir: data_dir }
        }

        /// How long the run would sleep now.
        fn sleeps(&mut self) -> Duration {
            self.local.keep_up().unwrap();
            let due = self.local.timetable.due().unwrap();
            self.local.alarm_at(due).saturating_duration_since(Instant::now())
        }

        /// Fires what is due, and lets it come to its end.
        async fn fire(&mut self) {
            self.local.keep_up().unwrap();
            self.local.fire(self.wall.now()).await.unwrap();
            self.local.finish().await.unwrap();
        }

        async fn sheep(&self) -> Sheep {
            self.local.store.sheep_of(None).await.unwrap().swap_remove(0)
        }

        async fn posts(&self) -> Vec<String> {
            let id: SheepId = "choir/alto".parse().unwrap();
            let mut posts = self.local.store.newest_posts(&id, 100).await.unwrap();
            posts.sort_by_key(|post| post.occurrence);
            posts.into_iter().map(|post| post.text).collect()
        }

        fn set(&self, by: SignedDuration) {
            self.wall.step_to(self.wall.now() + by);
        }
    }

    #[tokio::test]
    async fn a_clock_that_goes_back_stops_no_tick_and_repeats_no_post() {
        let mut run = TestRun::start().await;
        run.set(SignedDuration::from_mins(2));
        run.fire().await;
        let before = run.posts().await;
        assert!(!before.is_empty(), "it posts");
        run.set(SignedDuration::from_hours(-2));
        assert!(run.sleeps() <= MINUTE, "{:?}", run.sleeps());
        run.set(SignedDuration::from_mins(1));
        run.fire().await;
        assert!(run.sleeps() <= MINUTE, "{:?}", run.sleeps());
        assert_eq!(run.posts().await, before, "what is planned for later waits");
        // Two hours later it is that time again.
        run.set(SignedDuration::from_hours(2));
        run.fire().await;
        let after = run.posts().await;
        assert!(before.len() < after.len() && after.starts_with(&before), "{after:?}");
    }

    #[tokio::test]
    async fn a_clock_that_goes_ahead_makes_no_burst() {
        let mut run = TestRun::start().await;
        run.set(SignedDuration::from_mins(2));
        run.fire().await;
        let before = run.posts().await.len();
        run.set(SignedDuration::from_hours(8));
        assert_eq!(run.sleeps(), Duration::ZERO);
        run.fire().await;
        assert!(run.sleeps() <= MINUTE && Duration::ZERO < run.sleeps());
        let made = run.posts().await.len() - before;
        assert!((1..=3).contains(&made), "{made}");
    }

    /// What it waits for would be late by as long as the machine slept.
    #[tokio::test]
    async fn a_run_looks_at_the_clock_while_it_waits_for_days() {
        let mut run = TestRun::start().await;
        let weekly: Expression = "cron(0 9 ? * MON *)".parse().unwrap();
        let weekly = weekly.within(TimeZone::UTC, None, None).unwrap();
        let started = Instant::now();
        run.local.timetable = Timetable::new(vec![weekly], run.wall.now(), started.into_std());
        let due = run.local.timetable.due().unwrap();
        assert!(Duration::from_hours(90) < run.sleeps());
        assert!(run.local.wakes_at(due) <= Instant::now() + MINUTE);
        run.wall.step_to(due);
        assert!(run.local.keep_up().unwrap(), "it has slept");
        assert!(run.local.wakes_at(due) <= Instant::now());
    }

    /// Somebody or another version has written what this one cannot read.
    #[tokio::test]
    async fn a_sheep_that_cannot_be_read_does_not_keep_the_others_from_posting() {
        use aws_sdk_dynamodb::types::AttributeValue as Value;
        let mut run = Box::pin(TestRun::start()).await;
        run.fire().await;
        let text = |text: &str| Value::S(text.to_owned());
        let bad = run.table.put_item().table_name(LOCAL_NAME).item("pk", text("FLOCK#choir"));
        let bad = bad.item("sk", text("SHEEP#bad")).item("due", text("0"));
        bad.item("next_at", Value::N("0".to_owned())).send().await.unwrap();
        for _ in 0..2 {
            run.set(SignedDuration::from_mins(1));
            run.fire().await;
        }
        assert_eq!(run.posts().await, ["one", "two", "three"]);
        let told = run.local.unreadable.unwrap();
        assert!(told.starts_with("choir/bad does not have the expected form: "), "{told}");
    }

    /// A tick that died left it, and then the clock was set back.
    #[tokio::test]
    async fn a_lease_of_a_later_time_holds_no_sheep() {
        let mut run = TestRun::start().await;
        run.set(SignedDuration::from_mins(2));
        let (now, sheep) = (run.wall.now(), run.sheep().await);
        let Due::Post(next) = sheep.due(now) else { panic!("it is due: {sheep:?}") };
        let later = now + SignedDuration::from_hours(2);
        let table = run.local.store.table_id().await.unwrap().clone();
        let claimed = sheep.claim(next, Act::post("one"), &table, later);
        assert_eq!(run.local.store.put_sheep(&claimed).await.unwrap(), flock_store::Write::Done);
        run.fire().await;
        assert!(run.posts().await.is_empty(), "whoever has it may be at work");
        let lease = run.sheep().await.intent.unwrap().errand.lease_until.unwrap();
        assert!(lease <= run.wall.now() + run.local.longest_lease, "{lease}");
        run.wall.step_to(lease);
        run.fire().await;
        assert_eq!(run.posts().await.first().map(String::as_str), Some("one"));
        // What a healthy tick has is left alone.
        let sheep = run.sheep().await;
        let soon = lease + SignedDuration::from_secs(50);
        let leased = sheep.say("two", &table, soon).unwrap().claim_again(soon);
        assert_eq!(leased.lease_at_most(soon), leased);
    }
}
