//! How much X lets an account and an app ask in a time.

use axum::http::StatusCode;
use jiff::{SignedDuration, Timestamp};

use super::{
    Platform,
    answers::{Refusal, limit_headers, problem, too_many},
    api::Operation,
};

#[derive(Debug, Clone, Copy)]
pub(super) struct Window {
    pub(super) from: Timestamp,
    pub(super) requests: u32,
}

impl Platform {
    /// Counts a request. Returns the headers that say what is left.
    pub(super) fn count(
        &mut self,
        user_id: &str,
        operation: Operation,
    ) -> Result<Vec<(&'static str, String)>, Refusal> {
        const WINDOW: SignedDuration = SignedDuration::from_mins(15);
        const DAY: SignedDuration = SignedDuration::from_hours(24);
        let now = self.now();
        let limit = self.limits.get(&operation).copied().unwrap_or_else(|| operation.limit());
        let window = self.windows.get(&(user_id.to_owned(), operation)).copied();
        let window = Window::of(window, now, WINDOW);
        let mut headers = limit_headers(limit, window.left(limit), window.from + WINDOW).to_vec();
        let app_window = Window::of(self.app_window, now, DAY);
        if operation == Operation::Post {
            headers.extend([
                ("x-app-limit-24hour-limit", self.app_limit.to_string()),
                ("x-app-limit-24hour-remaining", app_window.left(self.app_limit).to_string()),
                ("x-app-limit-24hour-reset", (app_window.from + DAY).as_second().to_string()),
            ]);
            if self.app_limit < app_window.requests {
                let Refusal(mut answer) =
                    problem(StatusCode::TOO_MANY_REQUESTS, "Too Many Requests");
                answer.headers = headers;
                return Err(Refusal(answer));
            }
        }
        let user_window = Window::of(self.user_windows.get(user_id).copied(), now, DAY);
        if operation == Operation::Post
            && let Some(limit) = self.user_limit
        {
            headers.extend([
                ("x-user-limit-24hour-limit", limit.to_string()),
                ("x-user-limit-24hour-remaining", user_window.left(limit).to_string()),
                ("x-user-limit-24hour-reset", (user_window.from + DAY).as_second().to_string()),
            ]);
            if limit < user_window.requests {
                let Refusal(mut answer) =
                    problem(StatusCode::TOO_MANY_REQUESTS, "Too Many Requests");
                answer.headers = headers;
                return Err(Refusal(answer));
            }
        }
        if limit < window.requests {
            return Err(too_many(limit, Some(window.from + WINDOW)));
        }
        self.windows.insert((user_id.to_owned(), operation), window);
        if operation == Operation::Post {
            self.app_window = Some(app_window);
            self.user_windows.insert(user_id.to_owned(), user_window);
        }
        Ok(headers)
    }
}

impl Window {
    /// The window a request at `now` falls into, and it counted.
    pub(super) fn of(window: Option<Self>, now: Timestamp, length: SignedDuration) -> Self {
        let open = window.filter(|window| now < window.from + length);
        let Self { from, requests } = open.unwrap_or(Self { from: now, requests: 0 });
        Self { from, requests: requests + 1 }
    }

    fn left(&self, limit: u32) -> u32 {
        limit.saturating_sub(self.requests)
    }
}
