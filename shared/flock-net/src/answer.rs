//! What an answer means for an act that may have been done: the one place that decides it.
//!
//! Between us and a network stand proxies, and behind one the act may be done whatever its answer says. So there
//! are three cases. Done: the status that the API's documents name, with the JSON they name. Certainly not done: a
//! 4xx in the API's own form of an error. All else - another 2xx, a redirect, a page, an empty body, JSON of
//! somebody else, 408, 5xx - leaves it open, and what is open is looked for before it is asked for again.

use flock_core::Network;
use jiff::{SignedDuration, Timestamp, fmt::rfc2822};
use reqwest::{
    StatusCode,
    header::{DATE, HeaderMap, LOCATION, RETRY_AFTER},
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{Failure, failure::NotDone, lenient};

/// An answer, whatever its status.
#[derive(Debug)]
pub(crate) struct Answer {
    /// Whose it should be.
    pub(crate) network: Network,
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
    /// When it came.
    pub(crate) now: Timestamp,
    /// An earlier request for the same act was answered so that it may have been done: then a refusal of this
    /// one proves nothing.
    pub(crate) is_doubtful: bool,
}

/// Until when a network wants to be left alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reset {
    /// Not before this time; at most a day from now.
    pub(crate) until: Timestamp,
    /// What was asked for, where that is longer.
    asked: Option<String>,
}

/// The statuses with which a post, a repost or an upload is done.
pub(crate) const DONE: [StatusCode; 2] = [StatusCode::OK, StatusCode::CREATED];

impl Answer {
    #[cfg(test)]
    pub(crate) fn for_test(
        network: Network,
        status: u16,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Self {
        let headers = headers.iter().map(|(name, value)| {
            let name: reqwest::header::HeaderName = name.parse().expect("a header's name");
            (name, value.parse().expect("a header's value"))
        });
        Self {
            network,
            status: StatusCode::from_u16(status).expect("a status"),
            headers: headers.collect(),
            body: body.as_bytes().to_vec(),
            now: "2026-11-21T12:00:00Z".parse().expect("an instant"),
            is_doubtful: false,
        }
    }

    /// Proof that what was asked for was not done.
    pub(crate) fn proof(&self) -> Option<NotDone> {
        let refuses = self.status.is_client_error() && self.status != StatusCode::REQUEST_TIMEOUT;
        (refuses && !self.is_doubtful && self.is_own_error()).then_some(NotDone::ANSWERED)
    }

    /// Whether the body is an error in the form its network's API has.
    fn is_own_error(&self) -> bool {
        let Ok(Value::Object(body)) = serde_json::from_slice(&self.body) else { return false };
        let text = |name: &str| body.get(name).is_some_and(Value::is_string);
        match self.network {
            Network::Meadow => false,
            // RFC 9457 with the members that X fills in, or v1.1's list (docs.x.com, "Response codes and
            // errors", 2026-08).
            Network::X => {
                let coded = body.get("errors").and_then(Value::as_array);
                let coded = coded.and_then(|errors| errors.first());
                text("detail") && (text("title") || text("type"))
                    || coded.is_some_and(|error| error["message"].is_string())
            }
            // Mastodon's entity `Error`, and XRPC's error (atproto.com, "HTTP API (XRPC)", 2026-11).
            Network::Mastodon | Network::Bluesky => text("error"),
        }
    }

    /// The body, read as JSON. A success nobody can read leaves open what was done.
    pub(crate) fn json<T: DeserializeOwned>(&self, who: &str) -> Result<T, Failure> {
        serde_json::from_slice(&self.body).map_err(|_| {
            let what = self.what();
            Failure::unknown(format!("{who} answered with {what} that is not its API's JSON"))
        })
    }

    fn what(&self) -> &'static str {
        match self.body.trim_ascii_start() {
            b"" => "an empty body",
            [b'<', ..] => "a page",
            _ => "something",
        }
    }

    /// What any answer but success means for the act that was asked for, where a network has nothing special
    /// to say of it.
    pub(crate) fn failure(&self, who: &str) -> Failure {
        let Some(proof) = self.proof() else {
            let left = "does not say whether it did it";
            let then = "; that is found out before it is asked again";
            return Failure::unknown(self.leaves_open(who, left, then));
        };
        let said = self.said();
        match self.status {
            StatusCode::TOO_MANY_REQUESTS => {
                let why = format!("{who} has had too many requests{said}");
                match self.reset() {
                    Some(reset) => {
                        Failure::not_before(proof, reset.until, format!("{why}{}", reset.words()))
                    }
                    None => Failure::try_again(proof, why),
                }
            }
            // "Too Early": whoever says so has not looked at it (RFC 8470).
            StatusCode::TOO_EARLY => {
                Failure::try_again(proof, format!("{who} takes it later{said}"))
            }
            StatusCode::UNAUTHORIZED => Failure::refused(
                proof,
                format!("{who} does not accept the account's key{said}; renew the account's key"),
            ),
            status => Failure::refused(
                proof,
                format!("{who} refused with status {}{said}; see to that", status.as_u16()),
            ),
        }
    }

    /// The same of a request that changes nothing: that it can be sent again is sure, whoever answered.
    pub(crate) fn reading_failure(&self, who: &str) -> Failure {
        if self.proof().is_some() {
            return self.failure(who);
        }
        // Whoever asks for the account's name again hears the same until the address is another.
        if self.status.is_redirection() {
            return Failure::refused(NotDone::HARMLESS, self.sends_on(who));
        }
        let why = self.leaves_open(who, "does not answer what was asked", "");
        Failure::try_again(NotDone::HARMLESS, why)
    }

    /// What came, where that does not say what came of it; what it leaves open, and what happens then.
    fn leaves_open(&self, who: &str, left: &str, then: &str) -> String {
        let (status, said) = (self.status.as_u16(), self.said());
        if self.status.is_redirection() {
            return self.sends_on(who);
        }
        // It may have done it before something else failed.
        if self.status.is_server_error() {
            return format!("{who} failed with status {status}{said}");
        }
        let what = match self.what() {
            "something" if self.is_own_error() => format!("status {status}{said}"),
            "something" => format!("status {status} and words that are not its API's"),
            what => format!("status {status} and {what} that is not its API's"),
        };
        let limit = self.limited_until().map(|reset| reset.words_of_time()).unwrap_or_default();
        format!("{who} answered with {what}, which {left}{limit}{then}")
    }

    fn sends_on(&self, who: &str) -> String {
        let place = printable(self.header(LOCATION.as_str()).unwrap_or("somewhere else"));
        format!(
            "{who} sends us on to {place}, which is not followed; if it has moved, add the account under \
             the new address"
        )
    }

    /// What the network said, to follow a status; cut short, because it is not ours.
    pub(crate) fn said(&self) -> String {
        let said: Said = serde_json::from_slice(&self.body).unwrap_or_default();
        let first = said.errors.into_iter().map(|error| error.message);
        let said = [said.detail, said.error_description, said.message, said.error]
            .into_iter()
            .chain(first)
            .find(|text| !text.is_empty());
        said.map_or_else(String::new, |said| format!(": \"{}\"", printable(&said)))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// How far this machine's clock is ahead of the server's, by its `Date`.
    pub(crate) fn clock_ahead(&self) -> Option<SignedDuration> {
        let theirs = rfc2822::parse(self.header(DATE.as_str())?).ok()?.timestamp();
        Some(self.now.duration_since(theirs))
    }

    /// When requests are welcome again, if the network said so: of the limits that are used up the latest reset, and
    /// `Retry-After`; where none of these is told, that of any limit.
    pub(crate) fn reset(&self) -> Option<Reset> {
        let said = self.header(RETRY_AFTER.as_str());
        let said = said.and_then(|text| Reset::read(text, self.now));
        let used_up = LIMITS.iter().filter_map(|limit| limit.used_up(self));
        let of_any = || LIMITS.iter().find_map(|limit| limit.reset(self));
        used_up.chain(said).reduce(Reset::later).or_else(of_any)
    }

    /// What is left of limits, as far as the answer says.
    pub(crate) fn left(&self) -> Vec<Left> {
        LIMITS.iter().chain([&Limit::X_APP_DAY]).filter_map(|limit| limit.left(self)).collect()
    }

    /// Until when nothing more must be sent: the network says so, or that nothing is left of some limit.
    pub(crate) fn limited_until(&self) -> Option<Reset> {
        if self.status == StatusCode::TOO_MANY_REQUESTS {
            return self.reset();
        }
        LIMITS.iter().filter_map(|limit| limit.used_up(self)).reduce(Reset::later)
    }
}

/// What an answer says is left of a limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    /// What it is a limit of.
    pub name: &'static str,
    /// How much is left.
    pub left: u64,
    /// Of how much, where that is said.
    pub of: Option<u64>,
    /// From when on there is more, where that is said; at most a day from now.
    pub until: Option<Timestamp>,
}

/// A limit as headers tell of it: what is left, and from when on there is more.
pub(crate) struct Limit {
    /// What it is a limit of, for people.
    of: &'static str,
    most: &'static str,
    remaining: &'static str,
    reset: &'static str,
}

/// The limits of an account: X's of an endpoint and of a day's posts, Mastodon's, Bluesky's (docs.x.com, "Rate limits", and
/// what X answers with, 2026-08; docs.joinmastodon.org, docs.bsky.app, "Rate limits", 2026-11).
const LIMITS: [Limit; 4] = [
    Limit {
        of: "requests of this kind",
        most: "x-rate-limit-limit",
        remaining: "x-rate-limit-remaining",
        reset: "x-rate-limit-reset",
    },
    Limit::X_USER_DAY,
    Limit {
        of: "requests",
        most: "x-ratelimit-limit",
        remaining: "x-ratelimit-remaining",
        reset: "x-ratelimit-reset",
    },
    Limit {
        of: "requests",
        most: "ratelimit-limit",
        remaining: "ratelimit-remaining",
        reset: "ratelimit-reset",
    },
];

impl Limit {
    /// A day's posts of the account at X.
    pub(crate) const X_USER_DAY: Self = Self {
        of: "posts of the account a day",
        most: "x-user-limit-24hour-limit",
        remaining: "x-user-limit-24hour-remaining",
        reset: "x-user-limit-24hour-reset",
    };
    /// A day's posts of the whole app at X.
    pub(crate) const X_APP_DAY: Self = Self {
        of: "posts of the app a day",
        most: "x-app-limit-24hour-limit",
        remaining: "x-app-limit-24hour-remaining",
        reset: "x-app-limit-24hour-reset",
    };

    /// When there is more, if the answer says that nothing is left.
    pub(crate) fn used_up(&self, answer: &Answer) -> Option<Reset> {
        let left = answer.header(self.remaining)?.trim().parse::<i64>().ok()?;
        if 0 < left { None } else { self.reset(answer) }
    }

    fn reset(&self, answer: &Answer) -> Option<Reset> {
        Reset::read(answer.header(self.reset)?, answer.now)
    }

    fn left(&self, answer: &Answer) -> Option<Left> {
        let number = |name: &str| answer.header(name)?.trim().parse().ok();
        Some(Left {
            name: self.of,
            left: number(self.remaining)?,
            of: number(self.most),
            until: self.reset(answer).map(|reset| reset.until),
        })
    }
}

impl Reset {
    /// Nobody waits longer, whatever is asked for: the longest limit of a network is a day's, and a mistake, or
    /// a clock that is years off, must not silence a sheep for years.
    const LONGEST: SignedDuration = SignedDuration::from_hours(24);

    /// Reads an instant as networks write one: seconds since 1970, seconds from now, RFC 3339 or RFC 2822. What
    /// is none of them, and what is past, says nothing.
    pub(crate) fn read(text: &str, now: Timestamp) -> Option<Self> {
        const A_BILLION: i64 = 1_000_000_000;
        let text = text.trim();
        let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let asked = match text.parse::<i64>() {
            Ok(seconds) if A_BILLION <= seconds => {
                Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX)
            }
            Ok(seconds) if 0 <= seconds => {
                now.saturating_add(SignedDuration::from_secs(seconds)).unwrap_or(Timestamp::MAX)
            }
            Ok(_) => return None,
            // More seconds than there are.
            Err(_) if is_number => Timestamp::MAX,
            Err(_) => {
                let written: Option<Timestamp> = text.parse().ok();
                written.or_else(|| Some(rfc2822::parse(text).ok()?.timestamp()))?
            }
        };
        let latest = now.saturating_add(Self::LONGEST).unwrap_or(Timestamp::MAX);
        let longer = || {
            if is_number && asked == Timestamp::MAX { printable(text) } else { asked.to_string() }
        };
        Some(Self { until: asked.min(latest), asked: (latest < asked).then(longer) })
    }

    /// The later of the two.
    pub(crate) fn later(self, other: Self) -> Self {
        if self.until < other.until { other } else { self }
    }

    /// What follows the words of a refusal: nothing, unless more was asked for than is granted.
    pub(crate) fn words(&self) -> String {
        match &self.asked {
            None => String::new(),
            Some(asked) => format!(
                " and wants to be left alone until {asked}; nobody waits longer than a day, so it is tried \
                 again at {}",
                self.until
            ),
        }
    }

    /// The same where nothing else says when.
    pub(crate) fn words_of_time(&self) -> String {
        match &self.asked {
            None => format!(" and wants to be left alone until {}", self.until),
            Some(_) => self.words(),
        }
    }
}

/// How networks say what is wrong.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Said {
    #[serde(deserialize_with = "lenient::text")]
    detail: String,
    #[serde(deserialize_with = "lenient::text")]
    error_description: String,
    #[serde(deserialize_with = "lenient::text")]
    message: String,
    #[serde(deserialize_with = "lenient::text")]
    error: String,
    #[serde(deserialize_with = "lenient::part")]
    errors: Vec<SaidError>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct SaidError {
    #[serde(deserialize_with = "lenient::text")]
    message: String,
}

/// What a server wrote, as it can be shown: not ours, and so cut short and without what steers a terminal.
pub(crate) fn printable(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(200).collect()
}

/// Reads any answer of any network, and panics when what must hold does not.
#[cfg(feature = "test-util")]
pub fn check_answer(network: Network, status: u16, retry_after: &str, body: &[u8]) {
    let Ok(status) = StatusCode::from_u16(status) else { return };
    let mut headers = HeaderMap::new();
    if let Ok(value) = retry_after.parse() {
        headers.insert(RETRY_AFTER, value);
    }
    let now = Timestamp::UNIX_EPOCH;
    let answer = Answer { network, status, headers, body: body.to_vec(), now, is_doubtful: false };
    let failure = answer.failure("It");
    let is_own = answer.proof().is_some();
    assert!(!is_own || status.is_client_error() && body.trim_ascii_start().starts_with(b"{"));
    assert_eq!(failure.not_done().is_some(), is_own, "{failure:?}");
    assert!(answer.reading_failure("It").not_done().is_some());
    let doubtful = Answer { is_doubtful: true, ..answer };
    assert_eq!(doubtful.failure("It").kind, crate::FailureKind::Unknown);
    if let Some(reset) = doubtful.reset() {
        assert!(reset.until.duration_since(now) <= Reset::LONGEST, "{reset:?}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::FailureKind;

    #[track_caller]
    fn check_reset(header: (&str, &str), expected: Option<&str>) {
        let got = Answer::for_test(Network::X, 429, &[header], "").reset();
        let got = got.map(|reset| reset.until);
        assert_eq!(got, expected.map(|at| at.parse().unwrap()), "{header:?}");
    }

    #[test]
    fn every_way_to_name_the_reset_is_read_and_none_is_longer_than_a_day() {
        check_reset(("x-rate-limit-reset", "1795262700"), Some("2026-11-21T12:05:00Z"));
        check_reset(
            ("X-RateLimit-Reset", "2026-11-21T12:05:00.000Z"),
            Some("2026-11-21T12:05:00Z"),
        );
        check_reset(("ratelimit-reset", "300"), Some("2026-11-21T12:05:00Z"));
        check_reset(("Retry-After", "Sat, 21 Nov 2026 12:05:00 GMT"), Some("2026-11-21T12:05:00Z"));
        check_reset(("Retry-After", "0"), Some("2026-11-21T12:00:00Z"));
        // Ten years, in four ways, and more than there are.
        for forever in [
            "315576000",
            "2110622400",
            "2036-11-21T12:00:00Z",
            "Fri, 21 Nov 2036 12:00:00 GMT",
            "9223372036854775807",
            "99999999999999999999999999",
        ] {
            check_reset(("Retry-After", forever), Some("2026-11-22T12:00:00Z"));
        }
        for nonsense in
            ["-1", "soon", "", " ", "1e9", "NaN", "+", "2026-13-40", "0x10", "5 minutes"]
        {
            check_reset(("Retry-After", nonsense), None);
        }
        check_reset(("date", "Sat, 21 Nov 2026 12:05:00 GMT"), None);
    }

    /// When nothing more must be sent, by the minute past noon.
    #[track_caller]
    fn check_limits(status: u16, headers: &[(&str, &str)], expected: Option<&str>) {
        let got = Answer::for_test(Network::X, status, headers, X_ERROR).limited_until();
        let got = got.map(|reset| reset.until);
        assert_eq!(got, expected.map(|at| at.parse().unwrap()), "{headers:?}");
    }

    #[test]
    fn of_all_limits_that_are_used_up_the_latest_reset_counts() {
        let quarter = ("x-rate-limit-reset", "1795263300");
        let day = ("x-user-limit-24hour-reset", "1795298400");
        let (at_quarter, at_day) = (Some("2026-11-21T12:15:00Z"), Some("2026-11-21T22:00:00Z"));
        let left = |quarter_left, day_left| {
            [
                ("x-rate-limit-remaining", quarter_left),
                quarter,
                ("x-user-limit-24hour-remaining", day_left),
                day,
            ]
        };
        for status in [201, 429] {
            check_limits(status, &left("0", "0"), at_day);
            check_limits(status, &left("0", "1"), at_quarter);
            check_limits(status, &left("5", "0"), at_day);
            check_limits(status, &left("5", " 0 "), at_day);
        }
        check_limits(201, &left("5", "1"), None);
        // Refused, and no limit is used up by their account: what is named first.
        check_limits(429, &left("5", "1"), at_quarter);
        let mut all = left("0", "0").to_vec();
        all.push(("retry-after", "60"));
        check_limits(429, &all, at_day);
        all.push(("ratelimit-remaining", "0"));
        all.push(("ratelimit-reset", "1795305600"));
        check_limits(429, &all, Some("2026-11-22T00:00:00Z"));
        // What says no time says nothing.
        check_limits(201, &[("x-user-limit-24hour-remaining", "0")], None);
        check_limits(201, &[("x-user-limit-24hour-remaining", "none"), day], None);
    }

    #[test]
    fn what_was_asked_for_is_said_where_it_is_not_granted() {
        let why = |retry_after: &str, status, body: &str| {
            let header = [("retry-after", retry_after)];
            Answer::for_test(Network::Mastodon, status, &header, body).failure("It").why
        };
        let own = r#"{"error":"Too many requests"}"#;
        insta::assert_snapshot!(why("315576000", 429, own), @r#"It has had too many requests: "Too many requests" and wants to be left alone until 2036-11-21T00:00:00Z; nobody waits longer than a day, so it is tried again at 2026-11-22T12:00:00Z"#);
        insta::assert_snapshot!(why("99999999999999999999", 429, ""), @"It answered with status 429 and an empty body that is not its API's, which does not say whether it did it and wants to be left alone until 99999999999999999999; nobody waits longer than a day, so it is tried again at 2026-11-22T12:00:00Z; that is found out before it is asked again");
        insta::assert_snapshot!(why("60", 429, own), @r#"It has had too many requests: "Too many requests""#);
    }

    const X_ERROR: &str = r#"{"title":"Forbidden","detail":"No.","type":"about:blank"}"#;
    const X_CODED: &str = r#"{"errors":[{"code":187,"message":"No."}]}"#;
    const NAMED: &str = r#"{"error":"No."}"#;
    const FOREIGN: [&str; 8] = [
        "",
        "<h1>No.</h1>",
        "\n<!doctype html>",
        r#"{"message":"No Route matched with those values"}"#,
        r#"{"code":404,"msg":"No.","detail":"No."}"#,
        r#"{"error":{"code":404}}"#,
        r#""error""#,
        "[]",
    ];

    /// Nothing but a 4xx in the network's own words proves that nothing was done, and 408 never does.
    #[test]
    fn only_a_networks_own_words_are_proof() {
        for (network, own) in [
            (Network::X, X_ERROR),
            (Network::X, X_CODED),
            (Network::Mastodon, NAMED),
            (Network::Bluesky, NAMED),
        ] {
            for status in 200..600 {
                let answer = |body: &str| Answer::for_test(network, status, &[], body);
                let certain = (400..500).contains(&status) && status != 408;
                assert_eq!(answer(own).proof().is_some(), certain, "{network:?} {status}");
                assert_eq!(answer(own).failure("It").not_done().is_some(), certain);
                for foreign in FOREIGN {
                    let failure = answer(foreign).failure("It");
                    assert_eq!(failure.kind, FailureKind::Unknown, "{status} {foreign}");
                }
            }
        }
        let other = Answer::for_test(Network::X, 404, &[], NAMED);
        assert_eq!(other.proof(), None, "the words of another network");
        let doubtful =
            Answer { is_doubtful: true, ..Answer::for_test(Network::Bluesky, 401, &[], NAMED) };
        assert_eq!(doubtful.proof(), None);
    }

    /// The kind, and the words.
    fn told(network: Network, status: u16, body: &str) -> String {
        let Failure { kind, why } =
            Answer::for_test(network, status, &[("location", "https://a.example/")], body)
                .failure("It");
        let kind = match kind {
            FailureKind::TryAgain { .. } => "try again",
            FailureKind::NotThisText(_) => "not this text",
            FailureKind::Refused(_) => "refused",
            FailureKind::Unknown => "unknown",
        };
        format!("{status} {kind}: {why}")
    }

    #[test]
    fn answers_are_told_apart_in_words() {
        let mut lines = Vec::new();
        for (status, body) in [
            (202, ""),
            (204, ""),
            (308, ""),
            (400, NAMED),
            (401, NAMED),
            (401, ""),
            (404, "<h1>404</h1>"),
            (404, FOREIGN[3]),
            (408, NAMED),
            (425, NAMED),
            (425, ""),
            (429, NAMED),
            (503, NAMED),
            (503, ""),
        ] {
            lines.push(told(Network::Mastodon, status, body));
        }
        insta::assert_snapshot!(lines.join("\n"), @r#"
        202 unknown: It answered with status 202 and an empty body that is not its API's, which does not say whether it did it; that is found out before it is asked again
        204 unknown: It answered with status 204 and an empty body that is not its API's, which does not say whether it did it; that is found out before it is asked again
        308 unknown: It sends us on to https://a.example/, which is not followed; if it has moved, add the account under the new address
        400 refused: It refused with status 400: "No."; see to that
        401 refused: It does not accept the account's key: "No."; renew the account's key
        401 unknown: It answered with status 401 and an empty body that is not its API's, which does not say whether it did it; that is found out before it is asked again
        404 unknown: It answered with status 404 and a page that is not its API's, which does not say whether it did it; that is found out before it is asked again
        404 unknown: It answered with status 404 and words that are not its API's, which does not say whether it did it; that is found out before it is asked again
        408 unknown: It answered with status 408: "No.", which does not say whether it did it; that is found out before it is asked again
        425 try again: It takes it later: "No."
        425 unknown: It answered with status 425 and an empty body that is not its API's, which does not say whether it did it; that is found out before it is asked again
        429 try again: It has had too many requests: "No."
        503 unknown: It failed with status 503: "No."
        503 unknown: It failed with status 503
        "#);
    }

    #[test]
    fn the_clocks_are_compared() {
        let date = [("date", "Sat, 21 Nov 2026 11:55:00 GMT")];
        let ahead = Answer::for_test(Network::X, 401, &date, "").clock_ahead();
        assert_eq!(ahead, Some(SignedDuration::from_mins(5)));
    }
}
