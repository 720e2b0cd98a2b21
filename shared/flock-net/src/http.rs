//! One way to ask any network: every request has a time limit and every answer a size limit, no redirect is
//! followed, and a limit that a network told of is kept to before anything is sent.

use std::{
    collections::HashMap,
    error::Error,
    sync::{Mutex, OnceLock, PoisonError},
    time::Duration,
};

use flock_aws::{CaBundleError, Clock};
use flock_core::AccountId;
use jiff::{SignedDuration, Timestamp, fmt::rfc2822};
use reqwest::{
    Client, Method, RequestBuilder, Response, StatusCode, Url,
    header::{DATE, HeaderMap, LOCATION, RETRY_AFTER},
};
use serde::{Deserialize, de::DeserializeOwned};

use crate::{
    Failure,
    address::{NotPublic, Reach},
};

/// What sends requests.
#[derive(Debug)]
pub(crate) struct Http {
    reach: Reach,
    // Built when first needed: most flocks never leave the meadow.
    client: OnceLock<Result<Client, &'static CaBundleError>>,
    clock: Clock,
    // Until when whom must not be asked. A cache: losing it costs one request that is refused.
    limited: Mutex<HashMap<AccountId, Timestamp>>,
}

/// An answer, whatever its status.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
    now: Timestamp,
}

impl Http {
    const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
    const TIMEOUT: Duration = Duration::from_secs(10);
    /// Answers are a few KB; anything larger is not what was asked for.
    const ANSWER_BYTES: usize = 1 << 20;
    /// Without a word from the network, and because clocks differ, nobody waits longer than this.
    const LONGEST_LIMIT: SignedDuration = SignedDuration::from_hours(25);

    pub(crate) fn new(reach: Reach, clock: Clock) -> Self {
        Self { reach, client: OnceLock::new(), clock, limited: Mutex::default() }
    }

    /// A request to `path` under `base`.
    pub(crate) fn request(
        &self,
        method: Method,
        base: &str,
        path: &str,
    ) -> Result<RequestBuilder, Failure> {
        Ok(self.client()?.request(method, self.url(base, path)?))
    }

    /// The address `path` under `base`.
    pub(crate) fn url(&self, base: &str, path: &str) -> Result<Url, Failure> {
        let base = base.trim_end_matches('/');
        let url = Url::parse(&format!("{base}{path}"));
        let url = url.map_err(|_| Failure::refused(format!("`{base}` is not an address")))?;
        self.reach.check(&url)?;
        Ok(url)
    }

    /// When `account` may be asked again, if it must not be now.
    pub(crate) fn limited_until(&self, account: &AccountId) -> Option<Timestamp> {
        let limited = self.limited.lock().unwrap_or_else(PoisonError::into_inner);
        limited.get(account).copied().filter(|until| self.clock.now() < *until)
    }

    /// Sends a request of `account` to the server that messages call `who`.
    pub(crate) async fn send(
        &self,
        account: &AccountId,
        who: &str,
        request: RequestBuilder,
    ) -> Result<Answer, Failure> {
        if let Some(until) = self.limited_until(account) {
            let why = format!("{who} takes no more requests of {account} until {until}");
            return Err(Failure::not_before(until, why));
        }
        let response = request.send().await.map_err(|err| not_answered(who, &err))?;
        let (status, headers) = (response.status(), response.headers().clone());
        let body = read(who, response).await?;
        let now = self.clock.now();
        let answer = Answer { status, headers, body, now };
        if let Some(until) = answer.limited_until() {
            let mut limited = self.limited.lock().unwrap_or_else(PoisonError::into_inner);
            limited.retain(|_, until| now < *until);
            limited.insert(account.clone(), until);
        }
        if status.is_redirection() {
            let place = answer.header(LOCATION.as_str()).unwrap_or("somewhere else");
            let place: String = place.chars().take(200).collect();
            return Err(Failure::refused(format!(
                "{who} sends us on to {place}, which is not followed; if it has moved, add the \
                 account under the new address"
            )));
        }
        Ok(answer)
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn client(&self) -> Result<&Client, Failure> {
        let client = self.client.get_or_init(|| {
            let mut builder = flock_aws::https()?
                .connect_timeout(Self::CONNECT_TIMEOUT)
                .timeout(Self::TIMEOUT)
                .user_agent(concat!("flockwork/", env!("CARGO_PKG_VERSION")));
            if let Some(resolver) = self.reach.resolver() {
                // A proxy would resolve names itself.
                builder = builder.dns_resolver(resolver).no_proxy();
            }
            Ok(builder.build().expect("the TLS settings are given and the others constant"))
        });
        client.as_ref().map_err(|err| Failure::try_again(format!("{err}: {}", root_cause(err))))
    }
}

impl Answer {
    #[cfg(test)]
    pub(crate) fn for_test(status: StatusCode, headers: HeaderMap, body: &str) -> Self {
        Self { status, headers, body: body.as_bytes().to_vec(), now: Timestamp::UNIX_EPOCH }
    }

    /// The body, read as JSON. A success nobody can read leaves open what was done.
    pub(crate) fn json<T: DeserializeOwned>(&self, who: &str) -> Result<T, Failure> {
        serde_json::from_slice(&self.body).map_err(|_| {
            let what =
                if self.body.trim_ascii_start().starts_with(b"<") { "a page" } else { "something" };
            Failure::unknown(format!("{who} answered with {what} that is not its API's JSON"))
        })
    }

    /// What any status but success means, where a network has nothing special to say of it.
    pub(crate) fn failure(&self, who: &str) -> Failure {
        let said = self.said();
        match self.status {
            StatusCode::TOO_MANY_REQUESTS => {
                let why = format!("{who} has had too many requests{said}");
                match self.reset() {
                    Some(reset) => Failure::not_before(reset, why),
                    None => Failure::try_again(why),
                }
            }
            // It may have done it before something else failed.
            status if status.is_server_error() => {
                Failure::unknown(format!("{who} failed with status {}{said}", status.as_u16()))
            }
            StatusCode::UNAUTHORIZED => Failure::refused(format!(
                "{who} does not accept the account's key{said}; add the account again with a fresh \
                 key (`flockwork account add`)"
            )),
            status => Failure::refused(format!(
                "{who} refused with status {}{said}; see to that",
                status.as_u16()
            )),
        }
    }

    /// What the network said, to follow a status; cut short, because it is not ours.
    pub(crate) fn said(&self) -> String {
        let said: Said = serde_json::from_slice(&self.body).unwrap_or_default();
        let first = said.errors.into_iter().map(|error| error.message);
        let said = [said.detail, said.error_description, said.message, said.error]
            .into_iter()
            .chain(first)
            .find(|text| !text.is_empty());
        said.map_or_else(String::new, |said| {
            let plain = said.chars().filter(|c| !c.is_control()).take(200);
            format!(": \"{}\"", plain.collect::<String>())
        })
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// How far this machine's clock is ahead of the server's, by its `Date`.
    pub(crate) fn clock_ahead(&self) -> Option<SignedDuration> {
        let theirs = rfc2822::parse(self.header(DATE.as_str())?).ok()?.timestamp();
        Some(self.now.duration_since(theirs))
    }

    /// When requests are welcome again, if the network said so: X's `x-rate-limit-reset`, Mastodon's
    /// `X-RateLimit-Reset`, Bluesky's `ratelimit-reset`, or `Retry-After`.
    pub(crate) fn reset(&self) -> Option<Timestamp> {
        let named =
            ["x-rate-limit-reset", "x-ratelimit-reset", "ratelimit-reset", RETRY_AFTER.as_str()];
        let reset = named.iter().find_map(|name| self.instant(self.header(name)?))?;
        let latest = self.now.saturating_add(Http::LONGEST_LIMIT).ok()?;
        Some(reset.min(latest))
    }

    /// An instant as networks write one: seconds since 1970, seconds from now, RFC 3339 or RFC 2822.
    fn instant(&self, text: &str) -> Option<Timestamp> {
        const A_BILLION: i64 = 1_000_000_000;
        match text.trim().parse::<i64>() {
            Ok(seconds) if A_BILLION <= seconds => Timestamp::from_second(seconds).ok(),
            Ok(seconds) if 0 <= seconds => {
                self.now.saturating_add(SignedDuration::from_secs(seconds)).ok()
            }
            Ok(_) => None,
            Err(_) => {
                let written: Option<Timestamp> = text.trim().parse().ok();
                written.or_else(|| Some(rfc2822::parse(text).ok()?.timestamp()))
            }
        }
    }

    /// Until when nothing more must be sent: the network says so, or that nothing is left.
    fn limited_until(&self) -> Option<Timestamp> {
        let named = ["x-rate-limit-remaining", "x-ratelimit-remaining", "ratelimit-remaining"];
        let left = named.iter().find_map(|name| self.header(name)?.trim().parse::<i64>().ok());
        let used_up = left.is_some_and(|left| left <= 0);
        if used_up || self.status == StatusCode::TOO_MANY_REQUESTS { self.reset() } else { None }
    }
}

/// How networks say what is wrong.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Said {
    detail: String,
    error_description: String,
    message: String,
    error: String,
    errors: Vec<SaidError>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct SaidError {
    message: String,
}

/// The error's own text holds the URL and nothing secret; its cause says more.
fn not_answered(who: &str, err: &reqwest::Error) -> Failure {
    if let Some(not_public) = causes(err).find_map(|cause| cause.downcast_ref::<NotPublic>()) {
        return Failure::refused(format!("{who} cannot be called: {not_public}"));
    }
    let why = format!("{who} did not answer: {}", root_cause(err));
    // Before a connection stood nothing was sent.
    if err.is_connect() || err.is_builder() {
        Failure::try_again(why)
    } else {
        Failure::unknown(why)
    }
}

async fn read(who: &str, mut response: Response) -> Result<Vec<u8>, Failure> {
    let mut body = Vec::new();
    loop {
        let chunk = response.chunk().await.map_err(|err| {
            Failure::unknown(format!("{who} broke off its answer: {}", root_cause(&err)))
        })?;
        let Some(chunk) = chunk else { return Ok(body) };
        body.extend_from_slice(&chunk);
        if Http::ANSWER_BYTES < body.len() {
            return Err(Failure::unknown(format!("the answer of {who} has no end")));
        }
    }
}

fn causes<'a>(err: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    let mut next = Some(err);
    std::iter::from_fn(move || {
        let cause = next?;
        next = cause.source();
        Some(cause)
    })
}

fn root_cause(err: &(dyn Error + 'static)) -> String {
    causes(err).last().map(ToString::to_string).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Answer {
        let headers = headers.iter().map(|(name, value)| {
            let name: reqwest::header::HeaderName = name.parse().unwrap();
            (name, value.parse().unwrap())
        });
        Answer {
            status: StatusCode::from_u16(status).unwrap(),
            headers: headers.collect(),
            body: body.as_bytes().to_vec(),
            now: "2026-11-21T12:00:00Z".parse().unwrap(),
        }
    }

    #[track_caller]
    fn check_reset(header: (&str, &str), expected: Option<&str>) {
        let got = answer(429, &[header], "").reset();
        assert_eq!(got, expected.map(|at| at.parse().unwrap()), "{header:?}");
    }

    #[test]
    fn every_way_to_name_the_reset_is_read() {
        check_reset(("x-rate-limit-reset", "1795262700"), Some("2026-11-21T12:05:00Z"));
        check_reset(
            ("X-RateLimit-Reset", "2026-11-21T12:05:00.000Z"),
            Some("2026-11-21T12:05:00Z"),
        );
        check_reset(("ratelimit-reset", "300"), Some("2026-11-21T12:05:00Z"));
        check_reset(("Retry-After", "Sat, 21 Nov 2026 12:05:00 GMT"), Some("2026-11-21T12:05:00Z"));
        check_reset(("Retry-After", "99999999"), Some("2026-11-22T13:00:00Z"));
        check_reset(("Retry-After", "-1"), None);
        check_reset(("Retry-After", "soon"), None);
        check_reset(("date", "Sat, 21 Nov 2026 12:05:00 GMT"), None);
    }

    #[track_caller]
    fn check(status: u16, body: &str, expected: &str) {
        assert_eq!(format!("{:?}", answer(status, &[], body).failure("X")), expected);
    }

    #[test]
    fn answers_are_told_apart() {
        check(
            403,
            r#"{"detail":"Your account is suspended.","title":"Forbidden"}"#,
            "Failure { kind: Refused, why: \"X refused with status 403: \\\"Your account is \
             suspended.\\\"; see to that\" }",
        );
        check(
            429,
            "",
            "Failure { kind: TryAgain { not_before: None }, why: \"X has had too many requests\" }",
        );
        check(
            503,
            r#"{"errors":[{"code":130,"message":"Over capacity"}]}"#,
            "Failure { kind: Unknown, why: \"X failed with status 503: \\\"Over capacity\\\"\" }",
        );
    }

    #[test]
    fn the_clocks_are_compared() {
        let date = ("date", "Sat, 21 Nov 2026 11:55:00 GMT");
        let ahead = answer(401, &[date], "").clock_ahead();
        assert_eq!(ahead, Some(SignedDuration::from_mins(5)));
    }
}
