//! One tick.

use std::{
    borrow::Cow,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

use anyhow::Context as _;
use flock_aws::{Clock, EventBus, Instant, SdkConfig, process_id};
use flock_core::{
    Cursor, Due, Event, Intent, JobId, Occurrence, Outcome, Sent, Shards, Sheep, SheepId, State,
};
use flock_errand::{By, Carrier, Numbered, Order, Payers};
use flock_store::{DueEntry, Presence, Read, Store, Units, Write};
use futures_util::{StreamExt as _, stream};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use tracing::{error, info, warn};

use crate::{
    jobs::{self, Round},
    near::{Near, Said},
    settings::Settings,
};

/// Posts in flight at once: enough to hide a network's 200 ms, few enough for 128 MB.
const CONCURRENCY: usize = 64;

/// Sheep per page of the due index.
const PAGE: i32 = 500;

/// Posts one sheep makes in one tick, when ticks were further apart than its posts. A thread is one.
const POSTS_PER_SHEEP: u64 = 3;

/// Parts of threads that are posted of one sheep in one tick, each of which takes a request to its network and two writes.
const PARTS_PER_SHEEP: u64 = 25;

/// What a post begun last needs until it is recorded: the network's timeout and two writes.
const WRAP_UP: Duration = Duration::from_secs(15);

/// What is kept of an invocation for writing down what people were told.
const WRITE_DOWN: Duration = Duration::from_secs(3);

/// The invocation's length where the platform does not say. Same as the function's timeout in template.yaml.
const DEFAULT_LENGTH: Duration = Duration::from_secs(50);

/// What the function keeps between invocations.
#[derive(Debug)]
pub struct App {
    pub(crate) store: Store,
    pub(crate) carrier: Carrier,
    pub(crate) bus: EventBus,
    pub(crate) clock: Clock,
    // Every shard that may hold sheep.
    shards: Shards,
    presence: Presence,
    // Held by who draws texts.
    pub(crate) drawing: tokio::sync::Mutex<()>,
}

/// What a tick did. Counts of sheep, but for `posted`, which counts posts.
#[derive(Debug, Default, Clone, PartialEq, Serialize)]
pub struct Report {
    /// Posts made and recorded.
    pub posted: u64,
    /// To be tried again, because a network could not take the post now.
    pub put_off: u64,
    /// Whose text was set aside, because its network does not take it.
    pub set_aside: u64,
    /// Texts that were passed over, because nearly the same was said.
    pub passed_over: u64,
    /// Stopped until somebody acts.
    pub stopped: u64,
    /// Whose post may or may not be on its network.
    pub unknown: u64,
    /// Claimed by another tick first.
    pub lost_races: u64,
    /// That could not be dealt with, because the table or a secret failed.
    pub failed: u64,
    /// Steps made of jobs.
    pub job_steps: u64,
    /// Whether time ran out; the next tick goes on.
    pub cut_short: bool,
    /// Whether nothing was done, because somebody has stopped everything.
    pub held: bool,
    /// Shards handed to invocations of their own.
    pub handed_on: u64,
    /// Events that could not be published, though they were sent again.
    pub unpublished: u64,
    /// How long, when it was looked at, that sheep had been due which had been so for longest, in seconds.
    pub late_seconds: u64,
    /// Write units spent.
    pub write_units: f64,
    /// Read units spent.
    pub read_units: f64,
}

/// One event's work: what is read once for many sheep.
pub(crate) struct Tick {
    pub(crate) lease_until: Timestamp,
    /// Until when the parts of a thread are begun on.
    post_until: Instant,
    /// Until when it may be tried to publish something.
    pub(crate) publish_until: Instant,
    pub(crate) payers: Payers,
    // As the report has them.
    late_seconds: AtomicU64,
    passed_over: AtomicU64,
    pub(crate) near: Near,
    /// Sheep for which texts are to be drawn from there on, before they need them.
    pub(crate) ahead: Mutex<Vec<(Sheep, Cursor)>>,
}

/// What came of one step with one sheep.
pub(crate) enum Step {
    /// Nothing is to be done, or its network takes nothing right now.
    Idle,
    /// A post was made; the sheep as it is now.
    Posted(Box<Sheep>),
    /// Its text is one that its network does not take.
    SetAside,
    /// It will be tried again.
    PutOff,
    /// The sheep stopped.
    Stopped,
    /// Nobody knows.
    Unknown,
    /// Another tick has it.
    LostRace,
}

/// What came of one sheep in one tick.
struct SheepReport {
    posted: u64,
    last: Result<Step, (SheepId, anyhow::Error)>,
}

impl Tick {
    /// What holds for those who pay.
    pub(crate) fn payers(&self) -> &Payers {
        &self.payers
    }
}

impl App {
    /// Connects to the table, which also opens the connection the first event will use.
    pub async fn start(settings: Settings, aws: &SdkConfig, clock: Clock) -> anyhow::Result<Self> {
        let store = Store::new(aws_sdk_dynamodb::Client::new(aws), settings.table);
        let (store, shards) =
            store.with_shards(settings.shards).await.context("could not start")?;
        // One for both, because it counts what is not published.
        let bus = EventBus::new(aws, settings.bus);
        let carrier =
            Carrier::new(aws, store.clone(), &settings.networks, bus.clone(), clock.clone());
        let presence = Presence::new("sheep-tick", process_id(), clock.now());
        let drawing = tokio::sync::Mutex::default();
        Ok(Self { store, carrier, bus, clock, shards, presence, drawing })
    }

    /// Handles one event; `deadline` is when the platform ends the invocation.
    pub async fn handle(&self, event: &Value, deadline: SystemTime) -> anyhow::Result<Report> {
        let event = Event::read(event)?;
        let (before, unpublished) = (self.store.units(), self.bus.unpublished());
        let control = self.store.control().await?;
        self.carrier.drop_older(control.rebooted_at);
        let mut report = match event {
            _ if control.stopped.is_some() => Report { held: true, ..Report::default() },
            Event::Scheduled if self.shards == Shards::ONE => self.work(0, deadline).await?,
            Event::Scheduled => self.hand_on(deadline).await,
            Event::ShardDue { shard } => self.work(shard, deadline).await?,
            Event::SheepDue { flock, sheep } => {
                self.work_on(SheepId { flock, name: sheep }, deadline).await?
            }
            Event::JobDue { id } => self.work_on_jobs(vec![id], deadline).await?,
            other => return Err(other.is_not_for("sheep-tick").into()),
        };
        let Units { read, write } = self.store.units();
        report.read_units = read - before.read;
        report.write_units = write - before.write;
        report.unpublished = self.bus.unpublished() - unpublished;
        if let Err(err) = self.store.note(&self.presence, self.clock.now()).await {
            // Only the list of processes misses it.
            warn!(error = %err, "this process is not noted");
        }
        info!(
            posted = report.posted,
            put_off = report.put_off,
            set_aside = report.set_aside,
            passed_over = report.passed_over,
            stopped = report.stopped,
            unknown = report.unknown,
            lost_races = report.lost_races,
            failed = report.failed,
            job_steps = report.job_steps,
            cut_short = report.cut_short,
            held = report.held,
            handed_on = report.handed_on,
            unpublished = report.unpublished,
            late_seconds = report.late_seconds,
            write_units = report.write_units,
            read_units = report.read_units,
            "tick done"
        );
        Ok(report)
    }

    /// Starts one invocation per shard. A shard for which none can be started is behind until the next tick, and the others are
    /// not.
    async fn hand_on(&self, deadline: SystemTime) -> Report {
        let tick = self.tick(self.time_left(deadline));
        let parts: Vec<_> = self.shards.numbers().map(|shard| Event::ShardDue { shard }).collect();
        let behind = match self.bus.publish(&parts, tick.publish_until).await {
            Ok(()) => 0,
            Err(err) => {
                let behind = err.unpublished();
                error!(
                    error = format!("{:#}", anyhow::Error::from(err)),
                    "shards are not handed on"
                );
                behind
            }
        };
        let handed_on = u64::try_from(parts.len().saturating_sub(behind)).unwrap_or(u64::MAX);
        Report { handed_on, ..Report::default() }
    }

    fn time_left(&self, deadline: SystemTime) -> Duration {
        self.clock.time_of_invocation(deadline, DEFAULT_LENGTH)
    }

    /// The work of an event whose invocation has so much time.
    fn tick(&self, left: Duration) -> Tick {
        Tick {
            lease_until: self.clock.lease(left),
            post_until: post_until(left),
            publish_until: Instant::now() + left.saturating_sub(WRITE_DOWN),
            payers: Payers::default(),
            late_seconds: AtomicU64::new(0),
            passed_over: AtomicU64::new(0),
            near: Near::default(),
            ahead: Mutex::default(),
        }
    }

    /// Works through what is due of one shard: the sheep, the longest due first, and then the jobs, because a post has a
    /// time and a job has none. A step of each comes before all, though: what pauses a flock must not wait for its posts. What asks
    /// networks has none then: one that does not answer must not hold up posts.
    async fn work(&self, shard: u16, deadline: SystemTime) -> anyhow::Result<Report> {
        let left = self.time_left(deadline);
        let stop_at = post_until(left);
        let now = self.clock.now();
        let tick = self.tick(left);

        let in_time = || Instant::now() < stop_at;
        let mut report = Report::default();
        let (mut from, mut jobs) = (None, Vec::new());
        while in_time() {
            let page = self.store.due(shard, now, PAGE, from).await?;
            let (mut sheep, mut new_jobs) = (Vec::new(), Vec::new());
            for entry in page.entries {
                match entry {
                    DueEntry::Sheep(id) => sheep.push(id),
                    DueEntry::Job(id) => new_jobs.push(id),
                    DueEntry::Unknown(key) => warn!(key, "passed over: another version's"),
                }
            }
            jobs.extend(
                self.go_on_with(new_jobs, &tick, &mut report, (Round::BeforeSheep, || false)).await,
            );
            let mut results = stream::iter(sheep)
                .take_while(|_| std::future::ready(in_time()))
                .map(|id| self.see_to(id, &tick))
                .buffer_unordered(CONCURRENCY);
            while let Some(result) = results.next().await {
                report.count(result);
            }
            let Some(next) = page.next else { break };
            from = Some(next);
        }
        if in_time() {
            self.go_on_with(jobs, &tick, &mut report, (Round::AfterSheep, in_time)).await;
            Box::pin(self.draw_ahead(&tick, in_time)).await;
        }
        report.cut_short = !in_time();
        (report.late_seconds, report.passed_over) = tick.counted();
        Ok(report)
    }

    /// Goes on with one job, as an invocation would that has so much time left, for whoever runs it where no function does. Nothing
    /// is done where another has it.
    pub async fn go_on_with_job(&self, id: &JobId, left: Duration) -> anyhow::Result<()> {
        let stop_at = post_until(left);
        let round = (Round::AfterSheep, || Instant::now() < stop_at);
        Box::pin(self.go_on(id, &self.tick(left), round)).await.map(drop)
    }

    /// Goes on with jobs alone.
    async fn work_on_jobs(&self, jobs: Vec<JobId>, deadline: SystemTime) -> anyhow::Result<Report> {
        let left = self.time_left(deadline);
        let stop_at = post_until(left);
        let in_time = || Instant::now() < stop_at;
        let mut report = Report::default();
        self.go_on_with(jobs, &self.tick(left), &mut report, (Round::AfterSheep, in_time)).await;
        report.cut_short = !in_time();
        Ok(report)
    }

    /// Goes on with each of these jobs, and gives those that no other tick has.
    async fn go_on_with(
        &self,
        jobs: Vec<JobId>,
        tick: &Tick,
        report: &mut Report,
        (round, in_time): (Round, impl Fn() -> bool + Copy),
    ) -> Vec<JobId> {
        let mut ours = Vec::new();
        let mut results = stream::iter(jobs)
            .map(async |id| (Box::pin(self.go_on(&id, tick, (round, in_time))).await, id))
            .buffer_unordered(jobs::AT_ONCE);
        while let Some((result, id)) = results.next().await {
            match result {
                Ok(None) => {}
                Ok(Some(steps)) => {
                    report.job_steps += steps;
                    ours.push(id);
                }
                Err(err) => {
                    error!(job = %id, error = format!("{err:#}"), "not gone on with, next tick will");
                    report.failed += 1;
                }
            }
        }
        ours
    }

    /// Sees to one sheep.
    async fn work_on(&self, id: SheepId, deadline: SystemTime) -> anyhow::Result<Report> {
        let tick = self.tick(self.time_left(deadline));
        let mut report = Report::default();
        report.count(Box::pin(self.see_to(id, &tick)).await);
        (report.late_seconds, report.passed_over) = tick.counted();
        Ok(report)
    }

    /// Makes the posts of one sheep that are due.
    async fn see_to(&self, id: SheepId, tick: &Tick) -> SheepReport {
        let mut report = SheepReport { posted: 0, last: Ok(Step::Idle) };
        let mut sheep = match self.store.sheep(&id, Read::Eventual).await {
            Ok(Some(sheep)) => sheep,
            Ok(None) => return report,
            Err(err) => return SheepReport { last: Err((id, err.into())), ..report },
        };
        let mut whole = 0;
        while whole < POSTS_PER_SHEEP {
            let finishing = sheep.intent.is_some();
            match self.step(&sheep, tick).await {
                Ok(Step::Posted(next)) => {
                    report.posted += 1;
                    tick.posted(&next);
                    if next.progress.follows == 0 {
                        whole += 1;
                        // What was missed since an intent was left is not made up for in the same moment.
                        if finishing {
                            return report;
                        }
                    } else if PARTS_PER_SHEEP <= report.posted || tick.post_until < Instant::now() {
                        return report;
                    }
                    sheep = *next;
                }
                Ok(step) => return SheepReport { last: Ok(step), ..report },
                Err(err) => return SheepReport { last: Err((id, err)), ..report },
            }
        }
        report
    }

    /// Makes one post, if one is due.
    async fn step(&self, sheep: &Sheep, tick: &Tick) -> anyhow::Result<Step> {
        let now = self.clock.now();
        if self.carrier.limited_until(&sheep.config.account).is_some() {
            return Ok(Step::Idle);
        }
        let due = sheep.due(now);
        if due != Due::No {
            tick.saw(sheep, now);
        }
        let mut aside = None;
        let (claimed, sent) = match due {
            Due::No => return Ok(Step::Idle),
            Due::Over => return self.over(sheep, now).await,
            Due::Finish => {
                let sent = sheep.intent.as_ref().map_or(Sent::Maybe, |intent| intent.errand.sent);
                (sheep.claim_again(tick.lease_until), sent)
            }
            Due::Post(next) => {
                let Some(said) = Box::pin(self.say(sheep, next, tick)).await? else {
                    return self.without_text(sheep, tick, now).await;
                };
                let Said { next, act, aside: is_near, passed_over } = said;
                tick.passed_over.fetch_add(passed_over.into(), Ordering::Relaxed);
                aside = is_near;
                let table = self.store.table_id().await?;
                (sheep.claim(next, act, table, tick.lease_until), Sent::No)
            }
        };
        self.finish(sheep, claimed, (sent, aside), tick).await
    }

    /// Does what the intent of `claimed` wants, which is `sheep` in our hands, and nobody else knows it yet. `sent`: whether its network
    /// may have it; `aside`: why it is not to be posted.
    pub(crate) async fn finish(
        &self,
        sheep: &Sheep,
        claimed: Sheep,
        (sent, aside): (Sent, Option<String>),
        tick: &Tick,
    ) -> anyhow::Result<Step> {
        let intent = claimed.intent.as_ref().context("a claimed sheep has an intent")?;
        let made = claimed.made();
        let by = Numbered {
            sheep: &sheep.id,
            number: intent.occurrence,
            read: sheep.version,
            newest: claimed.progress.last_remote.as_ref(),
            made: made.as_ref(),
        };
        let tell_until = tick.publish_until;
        let order = Order { errand: &intent.errand, sent, by: By::Sheep(by), tell_until };
        let payer = self.carrier.payer(&intent.errand, &tick.payers).await?;
        let account = match Box::pin(self.carrier.prepare(order, &payer)).await {
            Ok(account) => account,
            Err(outcome) => return self.settle_unclaimed(&claimed, &outcome, tick).await,
        };
        let raised = claimed.taking(account.facts.text_limit(account.id.network));
        let claimed = raised.as_ref().unwrap_or(&claimed);
        let aside = aside.map(|why| Outcome::SetAside { why });
        let unfit = aside.or_else(|| claimed.unfit(sent));
        if unfit.is_none() && sheep.needs_no_claim(claimed) {
            let carried = Box::pin(self.carrier.carry_out(order, &account, &payer)).await?;
            // What else it may be is seen to by who has the sheep.
            if matches!(carried.outcome, Outcome::Done(_)) {
                return self.settle_by_number(claimed, &carried.outcome).await;
            }
        }
        if self.store.replace_sheep(sheep, claimed).await? != Write::Done {
            return Ok(Step::LostRace);
        }
        if unfit.is_none() && sent == Sent::No {
            self.note_told(claimed, tick).await;
        }
        let by = Numbered { read: claimed.version, ..by };
        let order = Order { by: By::Sheep(by), ..order };
        let known = match (unfit, sent) {
            (Some(unfit), _) => Some(claimed.with_rest(unfit)),
            (None, Sent::Maybe) => self.carrier.known(by).await?,
            (None, Sent::No) => None,
        };
        if let Some(outcome) = known {
            return self.settle(by, claimed, &outcome, tell_until).await;
        }
        let carried = Box::pin(self.carrier.carry_out(order, &account, &payer)).await?;
        let outcome = claimed.with_rest(carried.outcome.clone());
        let step = self.settle(by, claimed, &outcome, tell_until).await?;
        self.carrier.close(&carried).await;
        Ok(step)
    }

    /// Writes down what came of the intent. Somebody may have changed the sheep meanwhile; then the
    /// answer is applied to the sheep as it is now.
    async fn settle(
        &self,
        by: Numbered<'_>,
        claimed: &Sheep,
        outcome: &Outcome,
        tell_until: Instant,
    ) -> anyhow::Result<Step> {
        let outcome = &*self.announced(claimed, outcome, tell_until).await;
        if let (Outcome::SetAside { why }, Some(intent)) = (outcome, &claimed.intent) {
            self.carrier.set_aside(by, &intent.errand, why).await?;
        }
        // Another tick finished the intent where it is not there: while it is open the sheep is not removed.
        let post_id = claimed.intent.as_ref().map(Intent::post_id);
        let is_ours = |sheep: &Sheep| sheep.intent.as_ref().map(Intent::post_id) == post_id;
        let settled = claimed.settle(outcome, self.clock.now());
        self.write_settled(claimed, settled, outcome, is_ours).await
    }

    /// Writes down that a post is made, which nobody had to claim. Somebody may have changed the sheep meanwhile; then it
    /// goes on as it is now, where the number is still the next.
    async fn settle_by_number(&self, claimed: &Sheep, outcome: &Outcome) -> anyhow::Result<Step> {
        let number = claimed.progress.occurrence;
        let is_ours =
            |sheep: &Sheep| sheep.posts_by_number() && sheep.progress.occurrence == number;
        let settled = self.settled_at_once(claimed, outcome);
        self.write_settled(claimed, settled, outcome, is_ours).await
    }

    /// Writes down what came of an intent that was not claimed, because its network was not asked.
    async fn settle_unclaimed(
        &self,
        claimed: &Sheep,
        outcome: &Outcome,
        tick: &Tick,
    ) -> anyhow::Result<Step> {
        let outcome = &*self.announced(claimed, outcome, tick.publish_until).await;
        let settled = self.settled_at_once(claimed, outcome);
        self.write_settled(claimed, settled, outcome, |_| false).await
    }

    /// The sheep after `outcome`, where its claim was never written: this is the one change since it was read.
    fn settled_at_once(&self, claimed: &Sheep, outcome: &Outcome) -> Sheep {
        Sheep { version: claimed.version, ..claimed.settle(outcome, self.clock.now()) }
    }

    /// Writes a settled sheep. Where it is another by now, and its post still `is_ours`, the outcome is applied to that.
    async fn write_settled(
        &self,
        claimed: &Sheep,
        mut settled: Sheep,
        outcome: &Outcome,
        is_ours: impl Fn(&Sheep) -> bool,
    ) -> anyhow::Result<Step> {
        let occurrence = claimed.intent.as_ref().map(|intent| intent.occurrence);
        loop {
            match self.store.put_sheep(&settled).await? {
                Write::Done => return Ok(step_of(outcome, occurrence, settled)),
                Write::Conflict(Some(sheep)) if is_ours(&sheep) => {
                    settled = sheep.settle(outcome, self.clock.now());
                }
                Write::Conflict(_) => return Ok(Step::LostRace),
            }
        }
    }

    /// Lets people know what they have to see to. Gives what is to be written down: a sheep does not stop, and leaves nothing out,
    /// while nobody can be told; it tries again, and then tells.
    async fn announced<'a>(
        &self,
        claimed: &Sheep,
        outcome: &'a Outcome,
        until: Instant,
    ) -> Cow<'a, Outcome> {
        let is_told = match claimed.news(outcome) {
            Some(news) => self.carrier.tell(news, until).await,
            None => true,
        };
        if is_told { Cow::Borrowed(outcome) } else { Cow::Owned(outcome.clone().untold()) }
    }

    /// Its end has come while nobody looked: what was due is not posted any more.
    async fn over(&self, sheep: &Sheep, now: Timestamp) -> anyhow::Result<Step> {
        let ended = sheep.end(now);
        if self.store.replace_sheep(sheep, &ended).await? != Write::Done {
            return Ok(Step::LostRace);
        }
        let missed = ended.progress.missed - sheep.progress.missed;
        warn!(sheep = %sheep.id, missed, "finished: its end came before its last posts were made");
        Ok(Step::Idle)
    }

    /// What it says is not there: either the sheep has just been given another corpus, or it is lost.
    async fn without_text(
        &self,
        sheep: &Sheep,
        tick: &Tick,
        now: Timestamp,
    ) -> anyhow::Result<Step> {
        match self.store.sheep(&sheep.id, Read::Consistent).await? {
            Some(newest) if newest.version == sheep.version => {
                for corpus in sheep.config.behaviour.corpora() {
                    self.store.note_incomplete(&sheep.id.flock, corpus).await?;
                }
                let why = format!(
                    "its text is not in the table; apply its flock's files again, which restores it, then \
                     resume {}",
                    sheep.id
                );
                self.stop(sheep, why, tick, now).await
            }
            _ => Ok(Step::LostRace),
        }
    }

    async fn stop(
        &self,
        sheep: &Sheep,
        why: String,
        tick: &Tick,
        now: Timestamp,
    ) -> anyhow::Result<Step> {
        let news = sheep.trouble(Event::SheepStopped, &why);
        if !self.carrier.tell(news, tick.publish_until).await {
            warn!(sheep = %sheep.id, "to be stopped when somebody can be told: {why}");
            return Ok(Step::PutOff);
        }
        error!(sheep = %sheep.id, "stopped: {why}");
        Ok(match self.store.put_sheep(&sheep.stop(why, now)).await? {
            Write::Done => Step::Stopped,
            Write::Conflict(_) => Step::LostRace,
        })
    }
}

/// Until when an invocation that has so much time begins on posts.
fn post_until(left: Duration) -> Instant {
    Instant::now() + left.saturating_sub(WRAP_UP).max(left / 4)
}

impl Tick {
    /// A sheep that is due at `now` is looked at.
    fn saw(&self, sheep: &Sheep, now: Timestamp) {
        let late = sheep.next_at().map_or(0, |at| now.duration_since(at).as_secs());
        self.late_seconds.fetch_max(u64::try_from(late).unwrap_or(0), Ordering::Relaxed);
    }

    /// A post was made, and the sheep is like this now.
    fn posted(&self, sheep: &Sheep) {
        if let Some(cursor) = sheep.config.behaviour.draws_ahead(sheep.progress.cursor) {
            let mut ahead = self.ahead.lock().unwrap_or_else(PoisonError::into_inner);
            ahead.push((sheep.clone(), cursor));
        }
    }

    /// How late the latest sheep was, in seconds, and how many texts were passed over.
    fn counted(&self) -> (u64, u64) {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        (count(&self.late_seconds), count(&self.passed_over))
    }
}

/// What a tick makes of a sheep whose post came to `outcome`.
fn step_of(outcome: &Outcome, occurrence: Option<Occurrence>, settled: Sheep) -> Step {
    let id = &settled.id;
    match outcome {
        Outcome::Done(_) => {
            info!(sheep = %id, occurrence = occurrence.map(|o| o.0), "posted");
            Step::Posted(Box::new(settled))
        }
        Outcome::SetAside { why } => {
            warn!(sheep = %id, "a text is set aside: {why}");
            match settled.state {
                State::Stopped { .. } => Step::Stopped,
                State::Active | State::Paused { .. } | State::Finished { .. } => Step::SetAside,
            }
        }
        Outcome::TryAgain { why, .. } => {
            warn!(sheep = %id, "to be tried again: {why}");
            Step::PutOff
        }
        Outcome::Untold { why, .. } => {
            warn!(sheep = %id, "to be tried again, because nobody could be told: {why}");
            Step::PutOff
        }
        Outcome::Unknown { why } => {
            warn!(sheep = %id, "unknown whether it was posted: {why}");
            Step::Unknown
        }
        Outcome::Refused { why } | Outcome::Taken { why, .. } => {
            error!(sheep = %id, "stopped: {why}");
            Step::Stopped
        }
    }
}

impl Report {
    fn count(&mut self, of_sheep: SheepReport) {
        self.posted += of_sheep.posted;
        match of_sheep.last {
            Ok(Step::Idle | Step::Posted(_)) => {}
            Ok(Step::SetAside) => self.set_aside += 1,
            Ok(Step::PutOff) => self.put_off += 1,
            Ok(Step::Stopped) => self.stopped += 1,
            Ok(Step::Unknown) => self.unknown += 1,
            Ok(Step::LostRace) => self.lost_races += 1,
            Err((id, err)) => {
                error!(sheep = %id, error = format!("{err:#}"), "not dealt with, next tick will");
                self.failed += 1;
            }
        }
    }
}
