//! `flockwork run`: everything in template.yaml, on this machine.

use std::{
    collections::HashMap,
    io::{self, Write as _},
    path::Path,
    time::Duration,
};

use anyhow::Context as _;
use flock_aws::Clock;
use flock_core::{Network, Occurrence, Sheep, SheepId, State};
use flock_store::Store;
use jiff::{SignedDuration, Timestamp};
use tokio::{net::TcpListener, time::Instant};

use crate::{
    cli::{Place, Run},
    connect::read_template,
    data_dir::{DataDir, Endpoint, Hold},
    dispatch::{Dispatcher, Invoked},
    flock_file::{self, FlockFile},
    functions,
    loopback::Token,
    machine::{self, Ground, Machine},
    page, plan,
    refusal::refuse,
    show::local,
    template::ScheduleEvent,
};

/// The flock a new data directory starts with, when it is there.
const SAMPLE: &str = "infra/sample-flock";

/// New posts of one sheep that are told at once; after a long pause of the terminal there can be many.
const MOST_TOLD: usize = 20;

/// Everything that runs.
struct Local {
    dispatcher: Dispatcher,
    schedules: Vec<Scheduled>,
    store: Store,
    clock: Clock,
    speed: u32,
    seen: HashMap<SheepId, Seen>,
    // The time to wake up at, and when that is.
    alarm: Option<(Timestamp, Instant)>,
    // When the clock was moved last.
    stepped: Instant,
}

/// A schedule of a function.
struct Scheduled {
    function: usize,
    event: ScheduleEvent,
    /// When it fires next; none while it is being handled.
    due: Option<Timestamp>,
    /// When it fired last.
    fired: Timestamp,
}

/// What the terminal has told of a sheep.
struct Seen {
    occurrence: Occurrence,
    state: State,
    problem: Option<String>,
}

/// Runs until Ctrl-C, or until `--until`.
pub async fn run(place: &Place, run: &Run) -> anyhow::Result<()> {
    // What can be refused is, before anything is written.
    refuse_past(run.until, Clock::wall().now())?;
    let template = read_template(place)?;
    functions::check(place.template(), &template.functions)?;
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
    let programs = functions::build(place.template(), &template.functions, say).await?;
    let data_dir = match DataDir::hold(&place.data).await? {
        Hold::Ours(data_dir) => data_dir,
        Hold::Running(endpoint) => return Err(runs_already(&place.data, &endpoint)),
    };
    let ground = Ground::open(&data_dir, &template).await?;
    let sweeper = sweep_expired(ground.database.clone());
    let (store, ahead) = (ground.store.clone(), ground.ahead);
    let now = Clock::ahead(ahead).now();
    refuse_past(run.until, now)?;
    if let Some(sample) = sample {
        plan::plan(&store, sample, now).await?.apply(&store, now).await?;
        say(&format!("Applied the sample flock in {SAMPLE}/ to begin with."))?;
    }
    let speed = run.speed.get();
    let clock = if speed == 1 { Clock::ahead(ahead) } else { Clock::stepped(now) };
    if 1 < speed {
        refuse_other_networks(&store).await?;
    }

    let listens = listener.local_addr()?;
    let others = template.functions.iter().filter(|function| !functions::is_linked_in(function));
    let on_the_wall: Vec<_> = others.map(|function| function.logical_id.clone()).collect();
    let functions = template.functions.into_iter().zip(programs).collect();
    let machine = ground.start(functions, &clock, listens, run.networks_on_loopback).await?;
    let Machine { cloud, dispatcher, routes, sender, desk, environment } = machine;
    let page_url = format!("http://{listens}");
    let try_token = Token::new();
    // Whoever is not at this machine finds nothing there.
    let here = machine::reachable(listens);
    let try_link =
        here.ip().is_loopback().then(|| format!("http://{here}/try?token={}", try_token.expose()));
    let page = page::serve(listener, store.clone(), clock.clone(), sender, routes, try_token)?;
    data_dir.publish_endpoint(&Endpoint {
        page: page_url.clone(),
        try_link: try_link.clone(),
        token: cloud.token().clone(),
        environment,
        dynamodb: cloud.dynamodb_url(),
        services: cloud.services_url(),
        slack: desk.url(),
    })?;
    say(&format!(
        "The meadow is at {page_url} - Ctrl-C stops, and the next start goes on from there."
    ))?;
    if let Some(link) = try_link {
        say(&format!("Try Slack commands at {link}"))?;
    }
    if !ahead.is_zero() {
        say(&format!(
            "Time is {ahead:#} ahead here, because it ran faster once; it goes on from there."
        ))?;
        for name in &on_the_wall {
            say(&format!("{name} is a program of its own and sees the clock on the wall."))?;
        }
    }

    let mut local = Local {
        schedules: schedules(&dispatcher, clock.now()),
        dispatcher,
        store,
        clock,
        speed,
        seen: HashMap::new(),
        alarm: None,
        stepped: Instant::now(),
    };
    local.look(false).await?;
    if local.seen.is_empty() {
        say("There is no flock yet. In another terminal: flockwork flock apply DIR")?;
    }
    let result = tokio::select! {
        result = local.work(run.until) => result,
        _ = tokio::signal::ctrl_c() => Ok(()),
    };
    page.abort();
    drop((desk, cloud));
    sweeper.abort();
    say("Stopped.")?;
    result
}

/// All schedules of the functions, due at `start`.
fn schedules(dispatcher: &Dispatcher, start: Timestamp) -> Vec<Scheduled> {
    let functions = dispatcher.functions().iter().enumerate();
    let schedules = functions.flat_map(|(function, local)| {
        let events = local.definition.schedules.iter().cloned();
        events.map(move |event| Scheduled { function, event, due: Some(start), fired: start })
    });
    schedules.collect()
}

fn runs_already(data: &Path, endpoint: &Endpoint) -> anyhow::Error {
    refuse(format!(
        "{} is running already: {}; choose another directory with --data",
        data.display(),
        endpoint.page
    ))
}

/// The sample flock, where the data directory is new and the sample is there.
fn sample(data: &Path) -> anyhow::Result<Option<FlockFile>> {
    let dir = Path::new(SAMPLE);
    if !DataDir::is_new(data) || !dir.is_dir() {
        return Ok(None);
    }
    flock_file::read(dir).map(Some).map_err(|err| refuse(err.to_string()))
}

fn refuse_past(until: Option<Timestamp>, now: Timestamp) -> anyhow::Result<()> {
    match until {
        Some(until) if until <= now => {
            Err(refuse(format!("--until {until} has passed: it is {now} here")))
        }
        _ => Ok(()),
    }
}

/// `--speed` would make a network that is not ours see weeks in minutes.
async fn refuse_other_networks(store: &Store) -> anyhow::Result<()> {
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
    Err(refuse(format!(
        "--speed is for the meadow alone, because other networks would get every post at once; these \
         post elsewhere: {}",
        others.join(", ")
    )))
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

/// Tells the person at the terminal. Fails when nobody reads any more.
fn say(line: &str) -> io::Result<()> {
    writeln!(io::stdout(), "{line}")
}

impl Local {
    /// Fires the schedules, each at its times, the first time at once, and delivers events as they come.
    async fn work(&mut self, until: Option<Timestamp>) -> anyhow::Result<()> {
        let start = self.clock.now();
        loop {
            let due = self.schedules.iter().filter_map(|schedule| schedule.due).min();
            let ends = until.filter(|until| due.is_none_or(|due| *until < due));
            // Quick time waits until everything is done that belongs to the time it is.
            let target = ends.or(due).filter(|_| self.speed == 1 || self.dispatcher.is_quiet());
            let alarm = target.map(|at| self.alarm_at(at));
            let wake = async {
                match alarm {
                    Some(alarm) => tokio::time::sleep_until(alarm).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                invoked = self.dispatcher.next() => self.told(invoked, start).await?,
                () = wake => {
                    self.alarm = None;
                    let Some(at) = target else { continue };
                    self.clock.step_to(at);
                    if ends.is_some() {
                        return self.finish(start).await;
                    }
                    self.fire(at).await?;
                }
            }
        }
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
            refuse_other_networks(&self.store).await?;
            // Kept at every step, because a killed run must go on from here too.
            self.store.put_clock_ahead(ahead_of_wall(&self.clock)).await?;
        }
        for (index, schedule) in self.schedules.iter_mut().enumerate() {
            if schedule.due.is_some_and(|due| due <= at) {
                schedule.due = None;
                schedule.fired = at;
                self.dispatcher.fire(schedule.function, schedule.event.input.clone(), index);
            }
        }
        Ok(())
    }

    /// Tells what a function did, and sets the next time of the schedule that invoked it.
    async fn told(&mut self, invoked: Invoked, start: Timestamp) -> anyhow::Result<()> {
        let Invoked { function, schedule, failure } = invoked;
        if let Some(err) = failure {
            tracing::error!(function = %function, error = format!("{err:#}"), "an event was not handled");
            say(&format!("! {function} could not handle an event: {err:#}"))?;
        }
        if let Some(schedule) = schedule.and_then(|index| self.schedules.get_mut(index)) {
            // After a machine slept, or a long invocation, one firing is enough.
            let next = schedule.event.every.next_after(start, schedule.fired.max(self.clock.now()));
            schedule.due = Some(next.context("the schedule has no further time")?);
        }
        if self.speed == 1 || self.dispatcher.is_quiet() {
            self.look(true).await?;
        }
        Ok(())
    }

    /// Lets what is under way come to its end.
    async fn finish(&mut self, start: Timestamp) -> anyhow::Result<()> {
        while !self.dispatcher.is_quiet() {
            let invoked = self.dispatcher.next().await;
            self.told(invoked, start).await?;
        }
        self.look(true).await
    }

    /// Tells what has changed since the last look.
    async fn look(&mut self, aloud: bool) -> anyhow::Result<()> {
        let mut lines = Vec::new();
        for sheep in self.store.sheep_of(None).await? {
            let before = self.seen.insert(sheep.id.clone(), Seen::of(&sheep));
            if aloud {
                lines.extend(self.new_posts(&sheep, before.as_ref()).await?);
                let at = self.clock.now();
                lines.extend(news(&sheep, before.as_ref()).into_iter().map(|line| (at, line)));
            }
        }
        lines.sort();
        for (_, line) in lines {
            say(&line)?;
        }
        Ok(())
    }

    /// A line for each post the sheep has made since it was seen as `before`.
    async fn new_posts(
        &self,
        sheep: &Sheep,
        before: Option<&Seen>,
    ) -> anyhow::Result<Vec<(Timestamp, String)>> {
        let next = sheep.progress.occurrence;
        // Of a sheep that was applied since, the newest post, if it has made one.
        let unseen = u64::from(sheep.progress.last_remote.is_some());
        let told = before.map_or(next.0.saturating_sub(unseen), |before| before.occurrence.0);
        let count = usize::try_from(next.0.saturating_sub(told)).unwrap_or(usize::MAX);
        let zone = sheep.config.rhythm.zone();
        let next = sheep.next_at().map_or_else(String::new, |next| {
            format!("  (next {})", next.to_zoned(zone.clone()).strftime("%H:%M:%S"))
        });
        let name = sheep.id.name.as_str();
        let posts = self.store.newest_posts(&sheep.id, count.min(MOST_TOLD)).await?;
        let new = posts.into_iter().filter(|post| told <= post.occurrence.0);
        let lines = new.map(|post| {
            let at = local(post.at, zone);
            (post.at, format!("{at}  {name:<22} {}{next}", post.text))
        });
        Ok(lines.collect())
    }
}

impl Seen {
    fn of(sheep: &Sheep) -> Self {
        Self {
            occurrence: sheep.progress.occurrence,
            state: sheep.state.clone(),
            problem: sheep.intent.as_ref().and_then(|intent| intent.problem.clone()),
        }
    }
}

/// What else a person wants to hear of a sheep that was seen as `before`.
fn news(sheep: &Sheep, before: Option<&Seen>) -> Vec<String> {
    let seen = Seen::of(sheep);
    let mut lines = Vec::new();
    if before.map(|before| &before.state) != Some(&seen.state) {
        match &seen.state {
            State::Stopped { why, .. } => lines.push(format!("! {} has stopped: {why}", sheep.id)),
            State::Finished { .. } => lines.push(format!("{} has made its last post", sheep.id)),
            State::Active | State::Paused { .. } => {}
        }
    }
    if let Some(problem) = &seen.problem
        && before.and_then(|before| before.problem.as_ref()) != Some(problem)
    {
        lines.push(format!("! {} will try again: {problem}", sheep.id));
    }
    lines
}
