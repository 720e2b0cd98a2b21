//! What can go wrong, and when. A fault is a window of time in which one kind of thing goes wrong now and then; how often is
//! drawn with it, and whether it does at a given moment is drawn when that comes.

use std::{fmt, time::Duration};

use serde::{Deserialize, Serialize};

/// One kind of thing that goes wrong for a while.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fault {
    /// What.
    pub kind: FaultKind,
    /// From when on, since the beginning.
    pub from: Duration,
    /// Until when, since the beginning.
    pub until: Duration,
    /// In how many of a hundred cases.
    pub percent: u8,
}

/// Whom machines ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Service {
    /// DynamoDB.
    Table,
    /// EventBridge.
    Bus,
    /// Secrets Manager.
    Secrets,
    /// X.
    X,
    /// An instance of Mastodon.
    Mastodon,
    /// A PDS of Bluesky.
    Bluesky,
    /// Slack.
    Slack,
}

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum FaultKind {
    /// Requests do not arrive, and nobody says so.
    LostRequests(Service),
    /// Requests arrive, and their answers do not.
    LostAnswers(Service),
    /// No connection stands.
    NoConnection(Service),
    /// Requests, or their answers, take up to so many seconds.
    Late(Service, u8),
    /// Too many requests: nothing is done.
    Throttled(Service),
    /// An error of the server's own; what was asked for is done in half of the cases.
    Failing(Service),
    /// The accounts' keys are not accepted.
    Revoked(Service),
    /// A network does not take what it is asked to post. What it has taken once it takes again, and what it has refused it refuses,
    /// as whoever goes by what a text says does.
    RefusesTexts(Service),
    /// Somebody who stands before the server answers with this status, after it was done.
    Foreign(Service, u16),
    /// The table's disk is full: it answers what is read, and writes nothing.
    FullDisk,
    /// The index and reads that need not be consistent show what was there up to so many seconds ago.
    StaleReads(u8),
    /// A process dies, at any moment.
    Deaths,
    /// The bus takes some of the events of a request, and not the others.
    RefusedEvents,
    /// Events come twice.
    DoubledEvents,
    /// Events come up to so many seconds late, and so in another order.
    LateEvents(u8),
    /// Events never come.
    DroppedEvents,
    /// The schedule fires twice in a minute.
    DoubledTicks,
    /// The schedule does not fire.
    NoTicks,
    /// The clocks of processes differ by up to so many tenths of a second.
    SkewedClocks(u8),
    /// They jump by as much while the process works.
    JumpingClocks(u8),
}

impl Service {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Table,
        Self::Bus,
        Self::Secrets,
        Self::X,
        Self::Mastodon,
        Self::Bluesky,
        Self::Slack,
    ];

    /// Those that people post to.
    pub const NETWORKS: [Self; 3] = [Self::X, Self::Mastodon, Self::Bluesky];

    /// Whether it is one of AWS's.
    pub fn is_aws(self) -> bool {
        matches!(self, Self::Table | Self::Bus | Self::Secrets)
    }
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Table => "the table",
            Self::Bus => "the bus",
            Self::Secrets => "the secrets",
            Self::X => "X",
            Self::Mastodon => "Mastodon",
            Self::Bluesky => "Bluesky",
            Self::Slack => "Slack",
        })
    }
}

impl FaultKind {
    /// What is counted together, whoever does it and however much.
    pub fn name(self) -> &'static str {
        match self {
            Self::LostRequests(_) => "lost requests",
            Self::LostAnswers(_) => "lost answers",
            Self::NoConnection(_) => "no connection",
            Self::Late(..) => "late",
            Self::Throttled(_) => "throttled",
            Self::Failing(_) => "failing",
            Self::Revoked(_) => "revoked keys",
            Self::RefusesTexts(_) => "refused texts",
            Self::Foreign(..) => "foreign answers",
            Self::FullDisk => "full disk",
            Self::StaleReads(_) => "stale reads",
            Self::Deaths => "deaths",
            Self::DoubledEvents => "doubled events",
            Self::LateEvents(_) => "late events",
            Self::DroppedEvents => "dropped events",
            Self::RefusedEvents => "refused events",
            Self::DoubledTicks => "doubled ticks",
            Self::NoTicks => "no ticks",
            Self::SkewedClocks(_) => "skewed clocks",
            Self::JumpingClocks(_) => "jumping clocks",
        }
    }

    /// Whether it is something that `whom` does, or that happens on the way there.
    pub fn is_about(self, whom: Service) -> bool {
        match self {
            Self::LostRequests(of)
            | Self::LostAnswers(of)
            | Self::NoConnection(of)
            | Self::Late(of, _)
            | Self::Throttled(of)
            | Self::Failing(of)
            | Self::Revoked(of)
            | Self::RefusesTexts(of)
            | Self::Foreign(of, _) => of == whom,
            Self::FullDisk | Self::StaleReads(_) => whom == Service::Table,
            Self::Deaths => true,
            Self::RefusedEvents
            | Self::DoubledEvents
            | Self::LateEvents(_)
            | Self::DroppedEvents => whom == Service::Bus,
            Self::DoubledTicks | Self::NoTicks | Self::SkewedClocks(_) | Self::JumpingClocks(_) => {
                false
            }
        }
    }
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LostRequests(whom) => write!(f, "requests to {whom} are lost"),
            Self::LostAnswers(whom) => write!(f, "answers of {whom} are lost"),
            Self::NoConnection(whom) => write!(f, "{whom} cannot be reached"),
            Self::Late(whom, most) => write!(f, "{whom} takes up to {most} s"),
            Self::Throttled(whom) => write!(f, "{whom} has too many requests"),
            Self::Failing(whom) => write!(f, "{whom} has errors of its own"),
            Self::Revoked(whom) => write!(f, "{whom} does not accept keys"),
            Self::RefusesTexts(whom) => write!(f, "{whom} refuses texts"),
            Self::Foreign(whom, status) => {
                write!(f, "somebody before {whom} answers with {status}")
            }
            Self::FullDisk => f.write_str("the table's disk is full"),
            Self::StaleReads(most) => write!(f, "reads are up to {most} s old"),
            Self::Deaths => f.write_str("processes die"),
            Self::RefusedEvents => f.write_str("the bus does not take every event"),
            Self::DoubledEvents => f.write_str("events come twice"),
            Self::LateEvents(most) => write!(f, "events are up to {most} s late"),
            Self::DroppedEvents => f.write_str("events never come"),
            Self::DoubledTicks => f.write_str("the schedule fires twice"),
            Self::NoTicks => f.write_str("the schedule does not fire"),
            Self::SkewedClocks(most) => {
                write!(f, "clocks differ by up to {}.{} s", most / 10, most % 10)
            }
            Self::JumpingClocks(most) => {
                write!(f, "clocks jump by up to {}.{} s", most / 10, most % 10)
            }
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hours = |at: Duration| at.as_secs_f64() / 3_600.0;
        let Self { kind, from, until, percent } = self;
        write!(f, "{kind}, {percent} in 100, from hour {:.1} to {:.1}", hours(*from), hours(*until))
    }
}
