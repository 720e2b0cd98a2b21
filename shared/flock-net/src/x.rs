//! X, through its API v2 (docs.x.com and its OpenAPI document 2.167, 2026-08).
//!
//! X has no idempotency key. When an earlier request may have arrived, the account's own newest posts are
//! read first; a "duplicate" answer counts as sent only then.

use std::{collections::BTreeSet, sync::OnceLock, time::Duration};

use flock_aws::CaBundleError;
use flock_core::{Outcome, RemoteId, Sent};
use jiff::{SignedDuration, Timestamp};
use oauth1_request as oauth;
use reqwest::{Response, StatusCode, Url, header::AUTHORIZATION};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

use crate::{Draft, refused};

/// The app's credentials, from the secret `flockwork/x`.
#[derive(Debug, Clone, Deserialize)]
pub struct XApp {
    /// The API key.
    pub consumer_key: SecretString,
    /// The API key's secret.
    pub consumer_secret: SecretString,
}

/// What is needed to post as one account: OAuth 1.0a, whose tokens do not expire.
#[derive(Debug)]
pub struct XKey {
    /// The app.
    pub app: XApp,
    /// The account's token.
    pub token: SecretString,
    /// The token's secret.
    pub token_secret: SecretString,
    /// The account's numeric id.
    pub user_id: String,
}

/// X's API.
#[derive(Debug)]
pub struct X {
    base: String,
    // Built when first needed: most flocks never call X.
    http: OnceLock<Result<reqwest::Client, &'static CaBundleError>>,
}

/// A request to X came to nothing, before or after X had it.
enum Failure {
    /// No connection was made, so X has not got it.
    NotSent(String),
    /// X may have got it.
    Unclear(String),
}

impl X {
    const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
    const TIMEOUT: Duration = Duration::from_secs(10);
    /// Answers are a few KB; anything larger is not X.
    const ANSWER_BYTES: u64 = 1 << 20;
    /// Reading further back than this many pages of 100 is not looking for a recent post.
    const PAGES: usize = 10;
    /// How far X's clock and ours may be apart.
    const CLOCK_SKEW: SignedDuration = SignedDuration::from_mins(5);

    pub(crate) fn new(base: Option<String>) -> Self {
        let base = base.unwrap_or_else(|| "https://api.x.com".to_owned());
        Self { base: base.trim_end_matches('/').to_owned(), http: OnceLock::new() }
    }

    pub(crate) async fn post(&self, draft: &Draft<'_>, key: &XKey) -> Outcome {
        if draft.sent == Sent::Maybe {
            match self.find(draft, key).await {
                Ok(Some(remote_id)) => return Outcome::Posted(remote_id),
                Ok(None) => {}
                Err(outcome) => return still_unknown(outcome),
            }
        }
        let body = serde_json::json!({ "text": draft.post.text });
        let (url, http) = match (self.url("/2/tweets"), self.http()) {
            (Ok(url), Ok(http)) => (url, http),
            (Err(outcome), _) | (_, Err(outcome)) => return outcome,
        };
        let authorization = sign("POST", &url, key);
        let request = http.post(url).header(AUTHORIZATION, authorization).json(&body);
        match send(request).await {
            Ok((StatusCode::CREATED | StatusCode::OK, _, body)) => created(&body),
            Ok((StatusCode::FORBIDDEN, _, body)) if is_duplicate(&body) => {
                self.duplicate(draft, key).await
            }
            Ok((status, headers, body)) => answered(draft, status, &headers, &body),
            Err(Failure::NotSent(why)) => Outcome::TryAgain { why, not_before: None },
            Err(Failure::Unclear(why)) => Outcome::Unknown { why },
        }
    }

    /// X says it has the same text. After a request that may have arrived that is our post; else the
    /// account said it before.
    async fn duplicate(&self, draft: &Draft<'_>, key: &XKey) -> Outcome {
        if draft.sent == Sent::No {
            return refused(
                &draft.post.account,
                &draft.post.sheep,
                "X refused the text because the account posted the same one recently",
                "change the line or wait",
            );
        }
        match self.find(draft, key).await {
            Ok(Some(remote_id)) => Outcome::Posted(remote_id),
            Ok(None) => Outcome::Unknown {
                why: "X says it has the post, but does not list it yet".to_owned(),
            },
            Err(outcome) => still_unknown(outcome),
        }
    }

    /// Looks for the draft among the account's newest posts.
    async fn find(&self, draft: &Draft<'_>, key: &XKey) -> Result<Option<RemoteId>, Outcome> {
        let mut page: Option<String> = None;
        for _ in 0..Self::PAGES {
            let mut url = self.url(&format!("/2/users/{}/tweets", key.user_id))?;
            url.query_pairs_mut()
                .append_pair("max_results", "100")
                .append_pair("post.fields", "entities");
            if let Some(last) = draft.last_remote {
                // Newer than the post before, whatever the clocks say.
                url.query_pairs_mut().append_pair("since_id", last.as_str());
            } else {
                let from = draft.post.at.saturating_sub(Self::CLOCK_SKEW);
                let from = from.unwrap_or(Timestamp::UNIX_EPOCH);
                url.query_pairs_mut().append_pair("start_time", &from.to_string());
            }
            if let Some(page) = &page {
                url.query_pairs_mut().append_pair("pagination_token", page);
            }
            let authorization = sign("GET", &url, key);
            let request = self.http()?.get(url).header(AUTHORIZATION, authorization);
            let (status, headers, body) = send(request).await.map_err(|failure| match failure {
                Failure::NotSent(why) | Failure::Unclear(why) => Outcome::Unknown { why },
            })?;
            if status != StatusCode::OK {
                return Err(answered(draft, status, &headers, &body));
            }
            let timeline: Timeline = serde_json::from_slice(&body).map_err(|_| {
                Outcome::Unknown { why: "X listed the account's posts unreadably".to_owned() }
            })?;
            // For a user it does not know X answers with errors and success: that is not an empty list.
            if timeline.meta.result_count.is_none() {
                let why = "X did not list the account's posts; is its user_id right?".to_owned();
                return Err(Outcome::Unknown { why });
            }
            if let Some(tweet) = timeline.data.iter().find(|tweet| tweet.says(&draft.post.text)) {
                return Ok(tweet.id.parse().ok());
            }
            match timeline.meta.next_token {
                Some(token) => page = Some(token),
                None => return Ok(None),
            }
        }
        Ok(None)
    }

    fn http(&self) -> Result<&reqwest::Client, Outcome> {
        let http = self.http.get_or_init(|| {
            let builder = flock_aws::https()?
                .connect_timeout(Self::CONNECT_TIMEOUT)
                .timeout(Self::TIMEOUT)
                .user_agent(concat!("flockwork/", env!("CARGO_PKG_VERSION")));
            Ok(builder.build().expect("the TLS settings are given and the others constant"))
        });
        http.as_ref().map_err(|err| Outcome::TryAgain {
            why: format!("{err}: {}", root_cause(err)),
            not_before: None,
        })
    }

    fn url(&self, path: &str) -> Result<Url, Outcome> {
        Url::parse(&format!("{}{path}", self.base)).map_err(|_| Outcome::TryAgain {
            why: format!("the address of X, `{}`, is not a URL; correct X_URL", self.base),
            not_before: None,
        })
    }
}

/// A request's `Authorization` header. The parameters of the query are part of what is signed; a JSON
/// body is not (X, "Creating a signature", 2026-08).
fn sign(method: &str, url: &Url, key: &XKey) -> String {
    let token = oauth::Token::from_parts(
        key.app.consumer_key.expose_secret(),
        key.app.consumer_secret.expose_secret(),
        key.token.expose_secret(),
        key.token_secret.expose_secret(),
    );
    let parameters: BTreeSet<_> = url.query_pairs().collect();
    let parameters = oauth::request::ParameterList::new(Vec::from_iter(parameters));
    let mut endpoint = url.clone();
    endpoint.set_query(None);
    oauth::authorize(method, endpoint.as_str(), &parameters, &token, oauth::HmacSha1::new())
}

/// Sends a request and reads a bounded answer.
async fn send(
    request: reqwest::RequestBuilder,
) -> Result<(StatusCode, reqwest::header::HeaderMap, Vec<u8>), Failure> {
    let response = request.send().await.map_err(|err| {
        // The error's own text holds the URL and nothing secret; its cause says more.
        let why = format!("X did not answer: {}", root_cause(&err));
        if err.is_connect() || err.is_builder() {
            Failure::NotSent(why)
        } else {
            Failure::Unclear(why)
        }
    })?;
    let (status, headers) = (response.status(), response.headers().clone());
    let body = read(response).await?;
    Ok((status, headers, body))
}

async fn read(mut response: Response) -> Result<Vec<u8>, Failure> {
    let mut body = Vec::new();
    loop {
        let chunk = response.chunk().await.map_err(|err| {
            Failure::Unclear(format!("X broke off its answer: {}", root_cause(&err)))
        })?;
        let Some(chunk) = chunk else { return Ok(body) };
        body.extend_from_slice(&chunk);
        if X::ANSWER_BYTES < u64::try_from(body.len()).unwrap_or(u64::MAX) {
            return Err(Failure::Unclear("X's answer has no end".to_owned()));
        }
    }
}

fn root_cause(err: &dyn std::error::Error) -> String {
    let mut cause = err;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

fn created(body: &[u8]) -> Outcome {
    let id =
        serde_json::from_slice::<Created>(body).ok().and_then(|body| body.data.id.parse().ok());
    match id {
        Some(remote_id) => Outcome::Posted(remote_id),
        None => Outcome::Unknown { why: "X took the post but did not say its id".to_owned() },
    }
}

/// What an answer other than success means for the draft.
fn answered(
    draft: &Draft<'_>,
    status: StatusCode,
    headers: &reqwest::header::HeaderMap,
    body: &[u8],
) -> Outcome {
    let problem: Problem = serde_json::from_slice(body).unwrap_or_default();
    let said = problem.said();
    match status {
        StatusCode::TOO_MANY_REQUESTS => {
            let reset = headers
                .get("x-rate-limit-reset")
                .and_then(|value| value.to_str().ok()?.parse().ok())
                .and_then(|second| Timestamp::from_second(second).ok());
            let why = "X has had too many requests from this account".to_owned();
            Outcome::TryAgain { why, not_before: reset }
        }
        // It may have accepted the post before something else failed.
        _ if status.is_server_error() => {
            Outcome::Unknown { why: format!("X failed with status {}{said}", status.as_u16()) }
        }
        StatusCode::UNAUTHORIZED => refused(
            &draft.post.account,
            &draft.post.sheep,
            "X does not accept the account's key",
            "add the account again with a fresh key (`flockwork account add`)",
        ),
        _ => refused(
            &draft.post.account,
            &draft.post.sheep,
            &format!("X refused the post with status {}{said}", status.as_u16()),
            "see to that",
        ),
    }
}

/// A search that failed leaves the truth open, whatever it failed with; only a bad key ends it.
fn still_unknown(outcome: Outcome) -> Outcome {
    match outcome {
        Outcome::TryAgain { why, .. } => Outcome::Unknown { why },
        other => other,
    }
}

fn is_duplicate(body: &[u8]) -> bool {
    let problem: Problem = serde_json::from_slice(body).unwrap_or_default();
    problem.detail.contains("duplicate content")
}

#[derive(Deserialize)]
struct Created {
    data: CreatedTweet,
}

#[derive(Deserialize)]
struct CreatedTweet {
    id: String,
}

#[derive(Deserialize)]
struct Timeline {
    #[serde(default)]
    data: Vec<Tweet>,
    #[serde(default)]
    meta: Meta,
}

#[derive(Deserialize, Default)]
struct Meta {
    result_count: Option<u64>,
    next_token: Option<String>,
}

#[derive(Deserialize)]
struct Tweet {
    id: String,
    text: String,
    #[serde(default)]
    entities: Entities,
}

#[derive(Deserialize, Default)]
struct Entities {
    #[serde(default)]
    urls: Vec<Link>,
}

#[derive(Deserialize)]
struct Link {
    url: String,
    #[serde(default)]
    expanded_url: String,
}

#[derive(Deserialize, Default)]
struct Problem {
    #[serde(default)]
    detail: String,
    #[serde(default)]
    errors: Vec<ProblemError>,
}

#[derive(Deserialize, Default)]
struct ProblemError {
    #[serde(default)]
    message: String,
}

impl Problem {
    /// What X said, to follow a status; cut short, because it is not ours.
    fn said(&self) -> String {
        let first = self.errors.first().map(|error| error.message.as_str()).unwrap_or_default();
        let said = if self.detail.is_empty() { first } else { &self.detail };
        if said.is_empty() {
            String::new()
        } else {
            format!(": \"{}\"", said.chars().take(200).collect::<String>())
        }
    }
}

impl Tweet {
    /// Whether this is `text` as it was sent: X shortens links, bare domains too, and escapes three
    /// characters.
    fn says(&self, text: &str) -> bool {
        let mut own = self.text.clone();
        for link in &self.entities.urls {
            own = own.replace(&link.url, &link.expanded_url);
        }
        let own = own.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
        let plain = |text: &str| text.replace("https://", "").replace("http://", "");
        plain(&own).trim() == plain(text).trim()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flock_core::{AccountId, Network, Occurrence};
    use flock_store::{Post, PostState};

    fn draft() -> Draft<'static> {
        let sheep = "moon/apollo".parse().unwrap();
        Draft {
            id: Occurrence(1).post_id(&sheep),
            post: Post {
                sheep,
                occurrence: Occurrence(1),
                account: AccountId { network: Network::X, handle: "apollo".parse().unwrap() },
                at: Timestamp::UNIX_EPOCH,
                text: "hello".to_owned(),
                state: PostState::Pending,
                remote_id: None,
            },
            sent: Sent::No,
            last_remote: None,
        }
    }

    #[track_caller]
    fn check(status: u16, body: &str, expected: &str) {
        let status = StatusCode::from_u16(status).unwrap();
        let headers = reqwest::header::HeaderMap::new();
        let got = answered(&draft(), status, &headers, body.as_bytes());
        assert_eq!(format!("{got:?}"), expected);
    }

    #[test]
    fn answers_are_told_apart() {
        check(
            403,
            r#"{"detail":"Your account is suspended.","title":"Forbidden"}"#,
            "Refused { why: \"X refused the post with status 403: \\\"Your account is suspended.\\\" \
             (x:apollo); see to that, then `flockwork sheep resume moon/apollo`\" }",
        );
        check(
            429,
            "",
            "TryAgain { why: \"X has had too many requests from this account\", not_before: None }",
        );
        check(
            503,
            r#"{"errors":[{"code":130,"message":"Over capacity"}]}"#,
            "Unknown { why: \"X failed with status 503: \\\"Over capacity\\\"\" }",
        );
    }

    #[test]
    fn a_post_is_known_again_through_links_and_escapes() {
        let tweet: Tweet = serde_json::from_str(
            r#"{"id":"1","text":"a &lt;b&gt; &amp;amp; https://t.co/x and https://t.co/y","entities":{"urls":[
                {"url":"https://t.co/x","expanded_url":"https://example.com/page"},
                {"url":"https://t.co/y","expanded_url":"http://example.org"}]}}"#,
        )
        .unwrap();
        assert!(tweet.says("a <b> &amp; https://example.com/page and example.org"));
        assert!(!tweet.says("a <b> &amp; https://example.com/pages and example.org"));
    }

    /// Signed once more with the header's own nonce and time: over the query the signature is the same,
    /// without it another.
    #[test]
    fn the_query_is_part_of_the_signature() {
        let key = XKey {
            app: XApp { consumer_key: "ck".into(), consumer_secret: "cs".into() },
            token: "t".into(),
            token_secret: "ts".into(),
            user_id: "1".to_owned(),
        };
        let url = Url::parse("https://api.x.com/2/users/1/tweets?since_id=2&max_results=100");
        let header = sign("GET", &url.unwrap(), &key);
        let field = |name: &str| {
            let (_, rest) = header.split_once(&format!("{name}=\"")).expect(name);
            rest.split_once('"').expect(name).0
        };
        assert_eq!((field("oauth_consumer_key"), field("oauth_token")), ("ck", "t"));
        let again = |parameters: Vec<(&str, &str)>| {
            let token = oauth::Token::from_parts("ck", "cs", "t", "ts");
            let mut builder = oauth::Builder::new(token.client, oauth::HmacSha1::new());
            builder.token(token.token).nonce(field("oauth_nonce"));
            builder.timestamp(field("oauth_timestamp").parse::<std::num::NonZeroU64>().unwrap());
            let parameters = oauth::request::ParameterList::new(parameters);
            builder.get("https://api.x.com/2/users/1/tweets", &parameters)
        };
        assert_eq!(header, again(vec![("max_results", "100"), ("since_id", "2")]));
        assert_ne!(header, again(Vec::new()));
        assert!(!format!("{key:?}").contains("ts"), "secrets do not print");
    }
}
