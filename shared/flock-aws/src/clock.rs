//! The time.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

/// How much longer than the invocation a lease lives, for clocks that differ.
const LEASE_MARGIN: SignedDuration = SignedDuration::from_secs(5);

/// Where time comes from: the wall in the cloud, and locally also a clock that is moved by hand.
#[derive(Debug, Clone, Default)]
pub struct Clock(Source);

#[derive(Debug, Clone, Default)]
enum Source {
    #[default]
    Wall,
    Ahead(SignedDuration),
    Stepped(Arc<Mutex<Step>>),
    Simulated(Arc<Mutex<Step>>),
}

/// The time was `at` when the runtime's stood at `since`.
#[derive(Debug)]
struct Step {
    at: Timestamp,
    since: Instant,
}

impl Clock {
    /// The clock on the wall.
    pub fn wall() -> Self {
        Self(Source::Wall)
    }

    /// A clock that is ahead of the wall.
    pub fn ahead(by: SignedDuration) -> Self {
        Self(Source::Ahead(by))
    }

    /// A clock that stands at `at` now, goes on as usual and can be moved.
    pub fn stepped(at: Timestamp) -> Self {
        Self(Source::Stepped(Step::now(at)))
    }

    /// The clock of a machine in a runtime whose time is simulated: it stands at `at` now, goes with that time and can be
    /// moved. Its platform has no other, so the deadlines of invocations are by it.
    pub fn simulated(at: Timestamp) -> Self {
        Self(Source::Simulated(Step::now(at)))
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            Source::Wall => wall(),
            Source::Ahead(by) => wall().saturating_add(*by).unwrap_or(Timestamp::MAX),
            Source::Stepped(step) | Source::Simulated(step) => {
                let step = step.lock().unwrap_or_else(PoisonError::into_inner);
                step.at.saturating_add(step.since.elapsed()).unwrap_or(Timestamp::MAX)
            }
        }
    }

    /// Moves a stepped or simulated clock; any other stays as it is.
    pub fn step_to(&self, at: Timestamp) {
        if let Source::Stepped(step) | Source::Simulated(step) = &self.0 {
            let mut step = step.lock().unwrap_or_else(PoisonError::into_inner);
            *step = Step { at, since: Instant::now() };
        }
    }

    /// How much time is left until an instant on the platform's clock; none when it has passed.
    pub fn left_until(&self, deadline: SystemTime) -> Duration {
        deadline.duration_since(self.of_machine().into()).unwrap_or_default()
    }

    /// What the clock of this machine says, which others outside hold against theirs; whatever time its flocks live in.
    pub fn of_machine(&self) -> Timestamp {
        match &self.0 {
            Source::Wall | Source::Ahead(_) | Source::Stepped(_) => wall(),
            Source::Simulated(_) => self.now(),
        }
    }

    /// How much time an invocation has that the platform ends at `deadline`; as much as is `usual` where it does not
    /// say: `cargo lambda watch` sends a deadline that has passed.
    pub fn time_of_invocation(&self, deadline: SystemTime, usual: Duration) -> Duration {
        match self.left_until(deadline) {
            Duration::ZERO => usual,
            left => left,
        }
    }

    /// When a lease ends that is taken now by an invocation which has so much time.
    pub fn lease(&self, left: Duration) -> Timestamp {
        let end = self.now().saturating_add(left).and_then(|end| end.saturating_add(LEASE_MARGIN));
        end.unwrap_or(Timestamp::MAX)
    }
}

impl Step {
    fn now(at: Timestamp) -> Arc<Mutex<Self>> {
        Arc::new(Mutex::new(Self { at, since: Instant::now() }))
    }
}

fn wall() -> Timestamp {
    #[expect(clippy::disallowed_methods, reason = "the edge is where time enters")]
    Timestamp::now()
}
