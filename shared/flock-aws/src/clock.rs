//! The time.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant, SystemTime},
};

use jiff::{SignedDuration, Timestamp};

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
}

/// The time was `at` when the wall clock stood at `since`.
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
        Self(Source::Stepped(Arc::new(Mutex::new(Step { at, since: Instant::now() }))))
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            Source::Wall => wall(),
            Source::Ahead(by) => wall().saturating_add(*by).unwrap_or(Timestamp::MAX),
            Source::Stepped(step) => {
                let step = step.lock().unwrap_or_else(PoisonError::into_inner);
                step.at.saturating_add(step.since.elapsed()).unwrap_or(Timestamp::MAX)
            }
        }
    }

    /// Moves a stepped clock; any other stays as it is.
    pub fn step_to(&self, at: Timestamp) {
        if let Source::Stepped(step) = &self.0 {
            let mut step = step.lock().unwrap_or_else(PoisonError::into_inner);
            *step = Step { at, since: Instant::now() };
        }
    }

    /// How much time is left until an instant on the wall clock; none when it has passed.
    pub fn left_until(deadline: SystemTime) -> Duration {
        #[expect(clippy::disallowed_methods, reason = "the edge is where time enters")]
        deadline.duration_since(SystemTime::now()).unwrap_or_default()
    }

    /// How much time an invocation has that the platform ends at `deadline`; as much as is `usual` where it does not
    /// say: `cargo lambda watch` sends a deadline that has passed.
    pub fn time_of_invocation(deadline: SystemTime, usual: Duration) -> Duration {
        match Self::left_until(deadline) {
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

fn wall() -> Timestamp {
    #[expect(clippy::disallowed_methods, reason = "the edge is where time enters")]
    Timestamp::now()
}
