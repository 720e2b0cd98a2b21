//! What one seed draws: a world, what people do in it, and what goes wrong. It is data, so that a failing one can be made
//! smaller.

use std::{collections::BTreeSet, time::Duration};

use fastrand::Rng;
use flock_core::{BehaviourKind, Network, Rhythm, RhythmFields, Shards};
use flock_tests::Listed;
use jiff::Timestamp;

use serde::{Deserialize, Deserializer, Serialize, de::Error as _};

use crate::fault::{Fault, FaultKind, Service};

/// A name that is known beforehand: of a flock, a person or a behaviour.
type Name = &'static str;

/// A world and its fate.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// What it was drawn from; what is left to chance is drawn from it, too.
    pub seed: u64,
    /// When it begins.
    pub begins: Timestamp,
    /// For how many days things go wrong. A quiet time follows.
    pub days: u32,
    /// Into how many shards the due index is cut, at first and from the middle on.
    pub shards: [u16; 2],
    /// In which second of its minute the schedule fires.
    pub second: u8,
    /// All sheep, by flock.
    pub sheep: Vec<SheepPlan>,
    /// What people do, in order of time.
    pub deeds: Vec<Deed>,
    /// What goes wrong.
    pub faults: Vec<Fault>,
    /// How the servers are.
    pub habits: Habits,
    /// What each flock may spend in a month at first.
    pub cap_cents: u32,
}

/// One sheep of the world.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SheepPlan {
    /// Its flock.
    #[serde(deserialize_with = "one_of_us")]
    pub flock: Name,
    /// Its name.
    pub name: String,
    /// Where it posts.
    pub network: Network,
    /// What it says: a poem, a queue, which ends, or what is drawn from its lines.
    #[serde(deserialize_with = "one_of_us")]
    pub behaviour: Name,
    /// Lines of its text.
    pub lines: u32,
    /// When it posts.
    pub rhythm: RhythmFields,
}

impl SheepPlan {
    /// So many lines of a poem that is posted as threads are one.
    pub(crate) const THREAD: u32 = 3;

    /// Whether its lines are posted as threads: of some poems they are, by the name, so that other worlds stay as they were drawn.
    pub(crate) fn threads(&self) -> bool {
        let number: Option<u32> =
            self.name.rsplit('-').next().and_then(|number| number.parse().ok());
        let latest = self.rhythm.catch_up.as_deref() == Some("latest");
        self.behaviour == "poem" && !latest && number.is_some_and(|number| number % 3 == 1)
    }
}

/// What servers do that is no fault.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Habits {
    /// Whether Mastodon heeds idempotency keys.
    pub heeds_keys: bool,
    /// How Mastodon lists an account's posts.
    pub listed: Listed,
    /// Whether Mastodon sets quotes and dashes as a typographer does.
    pub typographs: bool,
    /// Whether X refuses what was posted a moment ago.
    pub refuses_duplicates: bool,
    /// How many of X's listings lack a new post. Only where it refuses duplicates, as X does: a network that hides what it has and
    /// takes it again is beyond what anybody could find out.
    pub lag: u32,
}

/// Something a person does.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Deed {
    /// When, since the beginning.
    pub at: Duration,
    /// Who, where it is in Slack.
    #[serde(deserialize_with = "one_of_us")]
    pub by: Name,
    /// What.
    pub what: Act,
}

/// What people do.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Act {
    /// They give a command in Slack. `#N` in it stands for the N-th sheep.
    Say(String),
    /// They look whether the post of the N-th sheep that nobody knows the fate of is there, and say so.
    Decide {
        /// Which sheep.
        sheep: usize,
    },
    /// They change the N-th sheep's text: so many lines come, so many go.
    Edit {
        /// Which sheep.
        sheep: usize,
        /// Lines that are added at the end.
        added: u32,
        /// Lines that are taken away at the front.
        removed: u32,
    },
    /// They take out what somebody added to the N-th sheep's queue and comes next of that.
    Unqueue {
        /// Which sheep.
        sheep: usize,
    },
    /// They move the N-th sheep to its other account, or back.
    Move {
        /// Which sheep.
        sheep: usize,
    },
    /// They wipe the account of the N-th sheep, or its flock.
    Wipe {
        /// Which sheep.
        sheep: usize,
        /// Whether its whole flock is wiped.
        flock: bool,
        /// Whether also what is not recorded goes.
        everything: bool,
        /// Whether that is asked for at a command line, and not in Slack.
        desk: bool,
    },
    /// They resume the N-th sheep, or its flock, after it was wiped.
    Anew {
        /// Which sheep.
        sheep: usize,
        /// Whether its whole flock is resumed.
        flock: bool,
    },
    /// They remove a flock.
    Remove {
        /// Which flock.
        #[serde(deserialize_with = "one_of_us")]
        flock: Name,
    },
    /// They apply a flock's files, with this cap in cents.
    Apply {
        /// Which flock.
        #[serde(deserialize_with = "one_of_us")]
        flock: Name,
        /// What it may spend in a month.
        cap_cents: u32,
    },
}

/// The flocks there may be.
pub(crate) const FLOCKS: [&str; 2] = ["choir", "herd"];

/// What is more than a flock can spend in so few days.
pub(crate) const CAP_CENTS: u32 = 500;

/// People in Slack: the first owner, somebody who may give commands, somebody who may not.
pub(crate) const PEOPLE: [&str; 3] = ["U1", "U2", "U3"];

/// Most say a poem.
const BEHAVIOURS: [&str; 8] =
    ["poem", "poem", "poem", "queue", "queue", "grammar", "markov", "mix"];

/// Beginnings near which something is the matter with the calendar, and ordinary ones.
const BEGINNINGS: [&str; 7] = [
    "2026-03-28T09:00:00Z",
    "2026-10-24T12:00:00Z",
    "2026-03-07T20:00:00Z",
    "2026-06-10T00:00:00Z",
    "2026-12-30T17:00:00Z",
    "2026-02-27T06:30:00Z",
    "2026-09-05T10:00:00Z",
];

const ZONES: [&str; 5] =
    ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia"];

/// The most sheep and days of a world that nobody asked for others of.
const MOST_SHEEP: usize = 10;
const MOST_DAYS: u32 = 6;

impl Scenario {
    /// Draws a world, with so many days and sheep where somebody says so.
    pub fn draw(seed: u64, days: Option<u32>, sheep: Option<usize>) -> Self {
        let mut rng = Rng::with_seed(seed);
        let days = days.unwrap_or_else(|| rng.u32(1..=MOST_DAYS));
        let count = sheep.unwrap_or_else(|| match rng.u8(..16) {
            // So many that pausing them is a job.
            0 => rng.usize(52..70),
            _ => rng.usize(1..=MOST_SHEEP),
        });
        let begins = choose(&mut rng, &BEGINNINGS).parse().expect("a timestamp");
        // Few networks in one world, so that sheep meet.
        let networks: Vec<_> = (0..2).map(|_| choose(&mut rng, &Network::ALL)).collect();
        let flocks = if MOST_SHEEP < count { &FLOCKS[..1] } else { &FLOCKS };
        let draw = |number| draw_sheep(&mut rng, (number, days), flocks, &networks);
        let sheep: Vec<_> = (0..count).map(draw).collect();
        let refuses_duplicates = rng.bool();
        let first = choose(&mut rng, &[1, 1, 1, 2, 4]);
        let then = if rng.u8(..4) == 0 { choose(&mut rng, &[1, 3, 4]) } else { first };
        Self {
            seed,
            begins,
            days,
            shards: [first, then],
            second: rng.u8(..60),
            deeds: with_wipes(seed, days, &sheep, draw_deeds(&mut rng, days, &sheep)),
            faults: draw_faults(&mut rng, days, &services(&networks)),
            habits: Habits {
                heeds_keys: rng.bool(),
                listed: choose(
                    &mut rng,
                    &[Listed::NewestFirst, Listed::NewestFirst, Listed::Unpaged],
                ),
                typographs: rng.u8(..4) == 0,
                refuses_duplicates,
                lag: if refuses_duplicates && rng.bool() { rng.u32(1..=4) } else { 0 },
            },
            sheep,
            cap_cents: choose(&mut rng, &[CAP_CENTS, CAP_CENTS, CAP_CENTS, 20, 4]),
        }
    }

    /// The world as sentences.
    pub fn words(&self) -> Vec<String> {
        let Self { begins, days, shards, second, cap_cents, .. } = self;
        let mut words = vec![format!(
            "It begins at {begins}, and things go wrong for {days} days; the schedule fires in second {second}, shards {shards:?}, \
             a flock may spend {cap_cents} cents."
        )];
        words.push(format!("{:?}", self.habits));
        words.extend(self.sheep.iter().map(|sheep| format!("{sheep:?}")));
        words.extend(self.deeds.iter().map(|deed| {
            format!("after {:.1} h, {}: {:?}", deed.at.as_secs_f64() / 3_600.0, deed.by, deed.what)
        }));
        words.extend(self.faults.iter().map(Fault::to_string));
        words
    }

    /// Whether a world that somebody has written is one that could have been drawn; what is the matter where it is not.
    pub fn check(&self) -> Result<(), String> {
        let within = |what: &str, is_it: bool| {
            if is_it { Ok(()) } else { Err(format!("{what} is not one that is drawn")) }
        };
        let years = self.begins.as_second() / (366 * 24 * 3_600);
        within("when it begins", (0..=100).contains(&years))?;
        within("`days`", (1..=366).contains(&self.days))?;
        within("`second`", self.second < 60)?;
        for shards in self.shards {
            Shards::try_from(shards).map_err(|err| err.to_string())?;
        }
        within("the number of sheep", (1..=10_000).contains(&self.sheep.len()))?;
        let mut names = BTreeSet::new();
        for sheep in &self.sheep {
            let SheepPlan { flock, name, behaviour, lines, rhythm, .. } = sheep;
            // Requests are told apart by it.
            let number = name.strip_prefix("sheep-").and_then(|number| number.parse::<u16>().ok());
            within(&format!("the name `{name}`"), number.is_some() && names.insert(name))?;
            within(&format!("the flock of {name}"), FLOCKS.contains(flock))?;
            within(&format!("`lines` of {name}"), (1..=10_000).contains(lines))?;
            behaviour.parse::<BehaviourKind>().map_err(|err| err.to_string())?;
            let rhythm = Rhythm::parse(rhythm).map_err(|err| format!("{name}: {err:?}"))?;
            within(&format!("the `end` of {name}"), rhythm.first_slot(self.begins).is_some())?;
        }
        for deed in &self.deeds {
            within("when somebody does something", deed.at <= self.trouble())?;
            within(deed.by, PEOPLE.contains(&deed.by))?;
            let about = match &deed.what {
                Act::Edit { sheep, added, .. } => {
                    within("`added`", *added <= 10_000)?;
                    vec![*sheep]
                }
                Act::Decide { sheep }
                | Act::Move { sheep }
                | Act::Unqueue { sheep }
                | Act::Wipe { sheep, .. }
                | Act::Anew { sheep, .. } => {
                    vec![*sheep]
                }
                Act::Say(line) => numbers(line).collect(),
                Act::Remove { flock } | Act::Apply { flock, .. } => {
                    within(&format!("the flock {flock}"), FLOCKS.contains(flock))?;
                    Vec::new()
                }
            };
            if let Some(number) = about.into_iter().find(|number| self.sheep.len() <= *number) {
                return Err(format!("there is no sheep {number}, which somebody sees to"));
            }
        }
        for fault in &self.faults {
            let Fault { kind, from, until, percent } = fault;
            within(&format!("when {kind}"), from < until && *until <= self.trouble())?;
            within(&format!("how often {kind}"), *percent <= 100)?;
            let how = match kind {
                FaultKind::Late(_, most)
                | FaultKind::StaleReads(most)
                | FaultKind::LateEvents(most)
                | FaultKind::SkewedClocks(most)
                | FaultKind::JumpingClocks(most) => 0 < *most,
                FaultKind::Foreign(_, status) => (200..600).contains(status),
                _ => true,
            };
            within(&format!("that {kind}"), how)?;
        }
        Ok(())
    }

    /// How long things go wrong.
    pub fn trouble(&self) -> Duration {
        DAY * self.days
    }
}

pub(crate) const DAY: Duration = Duration::from_hours(24);

/// The numbers of the sheep that a line stands for with `#N`.
fn numbers(line: &str) -> impl Iterator<Item = usize> {
    line.split(' ').filter_map(|word| word.strip_prefix('#')?.parse().ok())
}

/// Reads a name that a scenario may have, of a flock, a person or a behaviour.
fn one_of_us<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Name, D::Error> {
    let name = String::deserialize(deserializer)?;
    let known = FLOCKS.iter().chain(&PEOPLE).chain(&BEHAVIOURS).find(|known| **known == name);
    known.copied().ok_or_else(|| D::Error::custom(format!("nothing here is called {name}")))
}

fn choose<T: Copy>(rng: &mut Rng, from: &[T]) -> T {
    from[rng.usize(..from.len())]
}

fn draw_sheep(
    rng: &mut Rng,
    (number, days): (usize, u32),
    flocks: &[&'static str],
    networks: &[Network],
) -> SheepPlan {
    // Most have so much to say that no line comes twice, however long it goes: the shortest rhythm is of 31 posts a day.
    let lines = if rng.u8(..4) == 0 { rng.u32(2..9) } else { (32 * days).clamp(400, 10_000) };
    SheepPlan {
        flock: choose(rng, flocks),
        name: format!("sheep-{number}"),
        network: choose(rng, networks),
        behaviour: choose(rng, &BEHAVIOURS),
        lines,
        rhythm: draw_rhythm(rng),
    }
}

fn draw_rhythm(rng: &mut Rng) -> RhythmFields {
    let mut fields = RhythmFields {
        time_zone: Some(choose(rng, &ZONES).to_owned()),
        catch_up: Some(choose(rng, &["skip", "latest", "all(1)", "all(3)"]).to_owned()),
        ..RhythmFields::default()
    };
    if rng.bool() {
        // Two a day, now and then within the hours that daylight saving takes or gives.
        let hours = [rng.u8(..4), rng.u8(4..24)];
        fields.at = hours.map(|hour| format!("{hour:02}:{:02}", rng.u8(..60))).to_vec();
        if rng.u8(..4) == 0 {
            fields.days = vec!["mon".to_owned(), "thu".to_owned(), "sun".to_owned()];
        }
    } else {
        fields.line = Some(format!("{}m", choose(rng, &[47, 180, 400, 720, 1_000])));
        if rng.u8(..4) == 0 {
            fields.window = Some("07:00-22:30".to_owned());
        }
    }
    if rng.u8(..3) == 0 {
        fields.jitter = Some("11m".to_owned());
    }
    if rng.u8(..5) == 0 {
        fields.spread = Some("10m".to_owned());
    }
    fields
}

/// Some moment of the trouble.
fn moment(rng: &mut Rng, days: u32) -> Duration {
    Duration::from_secs(rng.u64(..(DAY * days).as_secs()))
}

fn draw_deeds(rng: &mut Rng, days: u32, sheep: &[SheepPlan]) -> Vec<Deed> {
    // In some worlds people see to little but to who may what.
    let is_about_rooms = rng.u8(..4) == 0;
    let most = if is_about_rooms { 12 } else { 3 };
    let count = rng.usize(..=most * usize::try_from(days).unwrap_or(1));
    let mut deeds: Vec<_> = (0..count)
        .map(|_| Deed {
            at: moment(rng, days),
            by: choose(rng, &["U1", "U1", "U2", "U2", "U3"]),
            what: draw_act(rng, sheep, is_about_rooms),
        })
        .collect();
    deeds.sort_by_key(|deed| deed.at);
    deeds
}

/// In some worlds people wipe, and mostly have the sheep begin anew afterwards. That is drawn apart, so that other worlds stay as they
/// were drawn.
fn with_wipes(seed: u64, days: u32, sheep: &[SheepPlan], mut deeds: Vec<Deed>) -> Vec<Deed> {
    let rng = &mut Rng::with_seed(seed ^ u64::from_be_bytes(*b"jonestow"));
    if rng.u8(..3) != 0 {
        return deeds;
    }
    for _ in 0..rng.u8(1..=2) {
        let (some, flock) = (rng.usize(..sheep.len()), rng.u8(..3) == 0);
        // When there is something to delete.
        let at = moment(rng, days).max(DAY / 4);
        let what = Act::Wipe { sheep: some, flock, everything: rng.bool(), desk: rng.bool() };
        deeds.push(Deed { at, by: "U1", what });
        let again = at + Duration::from_mins(rng.u64(20..900));
        if rng.u8(..4) != 0 && again < DAY * days {
            deeds.push(Deed { at: again, by: "U1", what: Act::Anew { sheep: some, flock } });
        }
    }
    deeds.sort_by_key(|deed| deed.at);
    deeds
}

/// Which sheep are queues.
fn of_queues(sheep: &[SheepPlan]) -> Vec<usize> {
    let queues = sheep.iter().enumerate().filter(|(_, plan)| plan.behaviour == "queue");
    queues.map(|(number, _)| number).collect()
}

fn draw_act(rng: &mut Rng, sheep: &[SheepPlan], is_about_rooms: bool) -> Act {
    let some = rng.usize(..sheep.len());
    let flock = sheep[some].flock;
    let person = choose(rng, &PEOPLE);
    let say = |line: String| Act::Say(line);
    match if is_about_rooms { rng.u8(11..15) } else { rng.u8(..27) } {
        20 | 21 => Act::Decide { sheep: some },
        22 => say("reboot".to_owned()),
        // Only queues take it.
        24 | 25 => {
            let queues = of_queues(sheep);
            let some = if queues.is_empty() { some } else { choose(rng, &queues) };
            say(format!("queue add #{some} said-{} by somebody", rng.u32(..)))
        }
        26 => {
            let queues = of_queues(sheep);
            Act::Unqueue { sheep: if queues.is_empty() { some } else { choose(rng, &queues) } }
        }
        0 | 1 => say(format!("now #{some}")),
        2 => say(format!("say #{some} said-{} by somebody", rng.u32(..))),
        3 => say(format!("pause #{some}")),
        4 | 5 => say(format!("resume #{some}")),
        6 => say(format!("pause {flock}")),
        7 => say(format!("resume {flock}")),
        8 => say("stop".to_owned()),
        9 | 10 => say("start".to_owned()),
        11 => say(format!("grant <@{person}> {}", choose(rng, &["shepherd", "owner"]))),
        12 => say(format!("revoke <@{person}>")),
        13 => say(format!("level add level-{} {}", rng.u8(..4), rng.u8(1..6))),
        14 => say(format!("level remove {}", choose(rng, &["owner", "shepherd", "level-1"]))),
        15 => say(format!("rhythm #{some} {}m", choose(rng, &[90, 300, 1_440]))),
        16 => Act::Edit { sheep: some, added: rng.u32(..9), removed: rng.u32(..3) },
        17 => Act::Move { sheep: some },
        18 => Act::Remove { flock },
        _ => Act::Apply { flock, cap_cents: choose(rng, &[3, 20, CAP_CENTS]) },
    }
}

/// Not all kinds in one world: what hides behind something else that always happens would never be seen.
fn draw_faults(rng: &mut Rng, days: u32, networks: &[Service]) -> Vec<Fault> {
    let kinds = rng.usize(..=6);
    let mut faults = Vec::new();
    for _ in 0..kinds {
        let kind = draw_kind(rng, networks);
        for _ in 0..rng.u32(1..=days) {
            let from = moment(rng, days);
            let most = match kind {
                // Longer than a night nobody leaves that alone.
                FaultKind::NoTicks | FaultKind::FullDisk => Duration::from_hours(9),
                _ => DAY,
            };
            let long = Duration::from_secs(rng.u64(60..most.as_secs()));
            let percent = choose(rng, &[2, 10, 30, 60]);
            faults.push(Fault { kind, from, until: (from + long).min(DAY * days), percent });
        }
    }
    faults.sort_by_key(|fault| fault.from);
    faults
}

/// The servers of these networks. What happens to those that nobody asks is nothing.
fn services(networks: &[Network]) -> Vec<Service> {
    let service = |network: &Network| match network {
        Network::Meadow => None,
        Network::X => Some(Service::X),
        Network::Mastodon => Some(Service::Mastodon),
        Network::Bluesky => Some(Service::Bluesky),
    };
    networks.iter().filter_map(service).collect()
}

fn draw_kind(rng: &mut Rng, networks: &[Service]) -> FaultKind {
    let kinds = one_of_each(rng, networks);
    choose(rng, &kinds)
}

/// One fault of each kind; what is likelier than others is there twice.
fn one_of_each(rng: &mut Rng, networks: &[Service]) -> [FaultKind; 23] {
    let ours = [Service::Table, Service::Bus, Service::Secrets, Service::Slack];
    let others = if networks.is_empty() { &Service::NETWORKS } else { networks };
    let network = choose(rng, others);
    let whom = if rng.bool() { network } else { choose(rng, &ours) };
    [
        FaultKind::LostRequests(whom),
        FaultKind::LostAnswers(whom),
        FaultKind::NoConnection(whom),
        FaultKind::Late(whom, choose(rng, &[2, 12, 40])),
        FaultKind::Throttled(whom),
        FaultKind::Failing(whom),
        FaultKind::Foreign(network, choose(rng, &[202, 308, 409, 502])),
        FaultKind::Revoked(network),
        FaultKind::RefusesTexts(network),
        FaultKind::FullDisk,
        FaultKind::StaleReads(choose(rng, &[1, 5, 60])),
        FaultKind::Deaths,
        FaultKind::Deaths,
        FaultKind::DoubledEvents,
        FaultKind::LateEvents(choose(rng, &[5, 100])),
        FaultKind::DroppedEvents,
        // There are few events to be refused.
        FaultKind::RefusedEvents,
        FaultKind::RefusedEvents,
        FaultKind::RefusedEvents,
        FaultKind::DoubledTicks,
        FaultKind::NoTicks,
        FaultKind::SkewedClocks(rng.u8(1..=22)),
        FaultKind::JumpingClocks(rng.u8(1..=22)),
    ]
}

/// The names of all kinds of faults that are drawn.
pub fn kinds_of_faults() -> BTreeSet<&'static str> {
    one_of_each(&mut Rng::with_seed(0), &Service::NETWORKS)
        .into_iter()
        .map(FaultKind::name)
        .collect()
}
