//! What goes wrong at a given moment: the faults of the scenario, and the dice.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::body::Bytes;
use fastrand::Rng;
use http::{HeaderMap, StatusCode};
use jiff::SignedDuration;
use tokio::time::Instant;

use crate::{
    fault::{Fault, FaultKind, Service},
    outside::Answer,
};

/// The weather of one run.
#[derive(Debug)]
pub(crate) struct Weather {
    faults: Vec<Fault>,
    begins: Instant,
    dice: Mutex<Rng>,
    is_over: AtomicBool,
    happened: Mutex<BTreeMap<&'static str, u64>>,
}

/// What becomes of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It is answered, so much later than usual.
    Passes(Duration),
    /// It arrives, and the connection breaks before its answer.
    Broken(Duration),
    /// It arrives, and nothing comes back.
    Unheard(Duration),
    /// No connection stands.
    NotSent,
    /// It gets lost.
    NeverThere,
    /// There are too many.
    Refused,
    /// The server fails before it has done anything.
    Failed,
    /// The key is not accepted.
    Unauthorized,
    /// It is done, and somebody else answers with this status.
    Instead(u16),
    /// Of the events in it some are taken, and some are not.
    Partly,
}

/// How an event fares.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Delivery {
    /// How often it comes.
    pub(crate) times: u8,
    /// How much later than usual at most.
    pub(crate) late: Duration,
}

impl Weather {
    pub(crate) fn new(seed: u64, faults: Vec<Fault>) -> Self {
        // The dice of the world are not those it was drawn with.
        let dice = Mutex::new(Rng::with_seed(seed ^ 0x5eed_0f00_d1ce));
        Self {
            faults,
            begins: Instant::now(),
            dice,
            is_over: AtomicBool::new(false),
            happened: Mutex::default(),
        }
    }

    /// Nothing goes wrong from now on.
    pub(crate) fn clear_up(&self) {
        self.is_over.store(true, Ordering::Relaxed);
    }

    /// The dice, for what is no fault.
    pub(crate) fn dice(&self) -> MutexGuard<'_, Rng> {
        self.dice.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The first of the faults of now that happens and that `of` makes something of.
    fn happens<T>(&self, of: impl Fn(FaultKind) -> Option<T>) -> Option<T> {
        if self.is_over.load(Ordering::Relaxed) {
            return None;
        }
        let now = self.begins.elapsed();
        let faults = self.faults.iter().filter(|fault| fault.from <= now && now < fault.until);
        for fault in faults {
            if let Some(happening) = of(fault.kind)
                && self.dice().u8(..100) < fault.percent
            {
                let mut happened = self.happened.lock().unwrap_or_else(PoisonError::into_inner);
                *happened.entry(fault.kind.name()).or_default() += 1;
                return Some(happening);
            }
        }
        None
    }

    /// How often each kind of fault has happened; none where it was drawn and never did.
    pub(crate) fn happened(&self) -> BTreeMap<&'static str, u64> {
        let mut all: BTreeMap<_, _> =
            self.faults.iter().map(|fault| (fault.kind.name(), 0)).collect();
        let happened = self.happened.lock().unwrap_or_else(PoisonError::into_inner);
        all.extend(happened.iter().map(|(name, times)| (*name, *times)));
        all
    }

    /// Whether a network refuses a text that it has neither taken nor refused before.
    pub(crate) fn refuses_text(&self, whom: Service) -> bool {
        self.happens(|kind| (kind == FaultKind::RefusesTexts(whom)).then_some(())).is_some()
    }

    /// What a network says of a text that it does not take, each in its own words.
    pub(crate) fn text_refused(whom: Service) -> Answer {
        match whom {
            Service::X => Answer::of(
                403,
                r#"{"title":"Forbidden","status":403,"detail":"Tweet needs to be a bit shorter. (186)"}"#,
            ),
            Service::Bluesky => Answer::of(
                400,
                r#"{"error":"InvalidRequest","message":"Invalid app.bsky.feed.post record: not this"}"#,
            ),
            _ => Answer::of(422, r#"{"error":"Validation failed: Text is not taken here"}"#),
        }
    }

    /// What becomes of a request to `whom`.
    pub(crate) fn fate(&self, whom: Service, writes: bool) -> Fate {
        let fate = self.happens(|kind| {
            Some(match kind {
                FaultKind::LostRequests(of) if of == whom => Fate::NeverThere,
                FaultKind::LostAnswers(of) if of == whom => {
                    if self.dice().bool() {
                        Fate::Broken(Duration::ZERO)
                    } else {
                        Fate::Unheard(Duration::ZERO)
                    }
                }
                FaultKind::NoConnection(of) if of == whom => Fate::NotSent,
                FaultKind::Late(of, most) if of == whom => Fate::Passes(self.up_to(most)),
                FaultKind::Throttled(of) if of == whom => Fate::Refused,
                FaultKind::Failing(of) if of == whom => {
                    if self.dice().bool() {
                        Fate::Failed
                    } else {
                        Fate::Instead(500)
                    }
                }
                FaultKind::Revoked(of) if of == whom => Fate::Unauthorized,
                FaultKind::Foreign(of, status) if of == whom => Fate::Instead(status),
                FaultKind::RefusedEvents if whom == Service::Bus => Fate::Partly,
                FaultKind::FullDisk if whom == Service::Table && writes => Fate::Failed,
                _ => return None,
            })
        });
        fate.unwrap_or(Fate::Passes(Duration::ZERO))
    }

    /// How long a request to `whom` takes one way.
    pub(crate) fn latency(&self, whom: Service) -> Duration {
        let most = if whom.is_aws() { 9 } else { 250 };
        Duration::from_millis(self.dice().u64(1..=most))
    }

    /// How late the copies of the table are.
    pub(crate) fn lag(&self) -> Duration {
        let lag = self.happens(|kind| match kind {
            FaultKind::StaleReads(most) => Some(self.up_to(most)),
            _ => None,
        });
        lag.unwrap_or(Duration::ZERO)
    }

    /// At which of its requests a process dies, and whether that still goes out.
    pub(crate) fn death(&self) -> Option<(usize, bool)> {
        self.happens(|kind| (kind == FaultKind::Deaths).then_some(()))?;
        let mut dice = self.dice();
        Some((dice.usize(..24), dice.bool()))
    }

    /// How far the clock of a process is from the right time.
    pub(crate) fn skew(&self) -> SignedDuration {
        let skew = self.happens(|kind| match kind {
            FaultKind::SkewedClocks(most) | FaultKind::JumpingClocks(most) => {
                let most = i64::from(most) * 100;
                Some(self.dice().i64(-most..=most))
            }
            _ => None,
        });
        SignedDuration::from_millis(skew.unwrap_or(0))
    }

    /// Whether the clock of a process jumps.
    pub(crate) fn jumps(&self) -> bool {
        self.happens(|kind| matches!(kind, FaultKind::JumpingClocks(_)).then_some(())).is_some()
    }

    /// How an event fares.
    pub(crate) fn delivery(&self) -> Delivery {
        let is_dropped = self.happens(|kind| (kind == FaultKind::DroppedEvents).then_some(()));
        let is_doubled = self.happens(|kind| (kind == FaultKind::DoubledEvents).then_some(()));
        let late = self.happens(|kind| match kind {
            FaultKind::LateEvents(most) => Some(self.up_to(most)),
            _ => None,
        });
        let times = match (is_dropped, is_doubled) {
            (Some(()), _) => 0,
            (None, Some(())) => 2,
            (None, None) => 1,
        };
        Delivery { times, late: late.unwrap_or(Duration::ZERO) }
    }

    /// How often the schedule fires in this minute.
    pub(crate) fn ticks(&self) -> u8 {
        let fires = self.happens(|kind| match kind {
            FaultKind::NoTicks => Some(0),
            FaultKind::DoubledTicks => Some(2),
            _ => None,
        });
        fires.unwrap_or(1)
    }

    /// Up to so many seconds.
    fn up_to(&self, seconds: u8) -> Duration {
        Duration::from_millis(self.dice().u64(..u64::from(seconds) * 1_000))
    }

    /// What `whom` says where there are too many requests.
    pub(crate) fn refusal(whom: Service) -> Answer {
        if whom.is_aws() {
            let body =
                r#"{"__type":"com.amazonaws#ThrottlingException","message":"Rate exceeded"}"#;
            return Answer::of(400, body);
        }
        let mut headers = HeaderMap::new();
        headers.insert("retry-after", http::HeaderValue::from_static("7"));
        let body = Bytes::from_static(
            br#"{"title":"Too Many Requests","status":429,"error":"Too many requests"}"#,
        );
        Answer { status: StatusCode::TOO_MANY_REQUESTS, headers, body }
    }
}

impl Fate {
    /// What it is, to be written behind what was asked.
    pub(crate) fn words(self) -> String {
        match self {
            Self::Passes(Duration::ZERO) => String::new(),
            Self::Passes(late) => format!(" (arrives {:.1} s late)", late.as_secs_f64()),
            Self::Broken(_) => " (done, and the connection breaks)".to_owned(),
            Self::Unheard(_) => " (done, and no answer comes)".to_owned(),
            Self::NotSent => " (no connection)".to_owned(),
            Self::NeverThere => " (lost on the way)".to_owned(),
            Self::Refused => " (refused: too many requests)".to_owned(),
            Self::Unauthorized => " (refused: the key is not accepted)".to_owned(),
            Self::Failed => " (not done: the server fails)".to_owned(),
            Self::Partly => " (not every event is taken)".to_owned(),
            Self::Instead(status) => format!(" (done, and answered with {status})"),
        }
    }
}
