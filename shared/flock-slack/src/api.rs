//! Slack's Web API, and answers to response URLs.

use std::{sync::OnceLock, time::Duration};

use flock_aws::{CaBundleError, Unanswered, Wire};
use flock_core::{DeliveryId, RemoteId, RoomId, UserId};
use jiff::{SignedDuration, Timestamp};
use reqwest::{
    RequestBuilder, Response, StatusCode, Url,
    header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER},
};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{ResponseUrl, cut};

/// The kind of the metadata of a notice's messages.
const NOTICE: &str = "flockwork_notice";

/// A user as Slack knows them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The id.
    pub id: UserId,
    /// The name they once chose, unique in the workspace.
    pub name: String,
    /// The name Slack shows; may be empty.
    pub display_name: String,
    /// Their full name; may be empty.
    pub real_name: String,
    /// Whether the workspace is theirs.
    pub is_owner: bool,
    /// Whether it is an app, or Slackbot.
    pub is_bot: bool,
    /// Whether they have left.
    pub deleted: bool,
}

/// A room as Slack knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomInfo {
    /// The id.
    pub id: RoomId,
    /// The channel's name without `#`; empty for a direct conversation.
    pub name: String,
    /// Who made it, where somebody did.
    pub creator: Option<UserId>,
    /// Whether the app is in it.
    pub has_us: bool,
}

/// Whose a token is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// What the bot is called.
    pub bot: String,
    /// What its workspace is called.
    pub workspace: String,
}

/// Slack's Web API.
#[derive(Debug)]
pub struct SlackApi {
    base: String,
    is_configured: bool,
    // Built when first needed: most requests are answered without it, and reading the CA certificates, Mozilla's, which are
    // compiled in, costs time at every cold start.
    http: OnceLock<Result<reqwest::Client, &'static CaBundleError>>,
    wire: Wire,
}

/// A call to Slack came to nothing. Says what to do, and holds neither tokens nor response URLs.
#[derive(Debug, thiserror::Error)]
pub enum SlackError {
    /// No connection can be trusted.
    #[error("{0}")]
    Certificates(String),
    /// The base URL is none.
    #[error("the address of Slack, `{0}`, is not a URL; correct SLACK_URL")]
    Address(String),
    /// A response URL is not Slack's. Nothing was sent.
    #[error("the response URL is not one of Slack's; nothing was sent there")]
    ForeignUrl,
    /// No connection was made, so Slack has not got it.
    #[error("Slack could not be reached for {method}; try again")]
    NotSent {
        /// The method called.
        method: &'static str,
        /// What the HTTP client says.
        #[source]
        source: Unanswered,
    },
    /// Slack may have done it.
    #[error("Slack did not answer {method} in time; look whether it was done")]
    NoAnswer {
        /// The method called.
        method: &'static str,
        /// What the HTTP client says.
        #[source]
        source: Unanswered,
    },
    /// Slack wants us to wait.
    #[error("Slack has had too many {method} requests; try again in {retry_after_s} s")]
    RateLimited {
        /// The method called.
        method: &'static str,
        /// For how long Slack wants no more, in seconds.
        retry_after_s: u64,
    },
    /// Slack has a problem of its own.
    #[error("Slack failed at {method} with status {status}; try again later (slack-status.com)")]
    Failed {
        /// The method called.
        method: &'static str,
        /// The HTTP status.
        status: u16,
    },
    /// Slack says that it failed on the way: "It's possible some aspect of the operation succeeded" (Slack, "chat.postMessage",
    /// 2026-11).
    #[error("Slack failed at {method} ({code}); look whether it was done, and try again later")]
    Unsure {
        /// The method called.
        method: &'static str,
        /// Slack's word for it.
        code: String,
    },
    /// The answer is not one of Slack's.
    #[error("{method} was not answered as Slack does (status {status}); is SLACK_URL right?")]
    Unreadable {
        /// The method called.
        method: &'static str,
        /// The HTTP status.
        status: u16,
    },
    /// The bot token is wrong, or no longer valid.
    #[error("Slack does not accept the bot token ({0}); put the app's into the Slack secret")]
    Token(String),
    /// The app was not given a permission.
    #[error("the Slack app lacks the scope `{0}`; add it under OAuth & Permissions and reinstall")]
    Scope(String),
    /// The app is not in the room.
    #[error("the Slack app is not in {0}; invite it there (/invite)")]
    NotInRoom(String),
    /// The response URL is used up: it takes five answers in 30 minutes (Slack, "Handling user interaction", 2026-11).
    #[error("Slack takes no more answers to this command ({0}); enter it again")]
    Expired(String),
    /// Slack refuses for another reason.
    #[error("Slack refused {method}: {code}")]
    Refused {
        /// The method called.
        method: &'static str,
        /// Slack's word for it.
        code: String,
    },
}

impl SlackApi {
    /// Slack gives us three seconds in all.
    const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
    const TIMEOUT: Duration = Duration::from_millis(2_500);
    /// A page of users is some 400 KB; anything larger is not Slack.
    const ANSWER_BYTES: usize = 1 << 20;
    /// Users a page; Slack recommends no more than this (Slack, "`users.list`", 2026-11).
    const PAGE_USERS: &str = "200";
    /// More pages than this are not a workspace but a loop.
    const PAGES: usize = 500;
    /// Messages a page, of which the longest take some 20 KB; Slack recommends at most 200, and returns the newest first
    /// (Slack, "conversations.history", 2026-11).
    const PAGE_MESSAGES: &str = "50";
    /// More than this are not said in a room between two tries, which are minutes apart.
    const PAGES_OF_HISTORY: usize = 100;

    /// Slack at `url`, or at its own address, over `wire`. Response URLs may then be there, too.
    pub fn new(url: Option<String>, wire: Wire) -> Self {
        let is_configured = url.is_some();
        let base = url.unwrap_or_else(|| "https://slack.com/api".to_owned());
        let base = base.trim_end_matches('/').to_owned();
        Self { base, is_configured, http: OnceLock::new(), wire }
    }

    /// Sends an answer to a response URL. It takes five in 30 minutes.
    pub async fn respond(&self, url: &ResponseUrl, payload: &Value) -> Result<(), SlackError> {
        const METHOD: &str = "response_url";
        let url = Url::parse(url.expose()).map_err(|_| SlackError::ForeignUrl)?;
        if !self.is_ours(&url) {
            return Err(SlackError::ForeignUrl);
        }
        let (status, body) = self.send(METHOD, json(self.http()?.post(url), payload)).await?;
        if status.is_success() {
            // `ok` as text, or JSON.
            return match serde_json::from_slice::<Answer>(&body) {
                Ok(Answer { ok: false, error: Some(code), .. }) => {
                    Err(SlackError::Refused { method: METHOD, code: cut(&code) })
                }
                _ => Ok(()),
            };
        }
        let code = match serde_json::from_slice::<Answer>(&body) {
            Ok(answer) => answer.error.unwrap_or_default(),
            Err(_) => String::from_utf8_lossy(&body).trim().to_owned(),
        };
        match code.as_str() {
            "used_url" | "expired_url" => Err(SlackError::Expired(code)),
            code if is_code(code) => Err(SlackError::Refused { method: METHOD, code: cut(code) }),
            _ => Err(SlackError::Unreadable { method: METHOD, status: status.as_u16() }),
        }
    }

    /// Posts a message for the whole room, in a thread if given one. Returns its `ts`.
    pub async fn post_message(
        &self,
        token: &SecretString,
        room: &RoomId,
        thread_ts: Option<&str>,
        payload: &Value,
    ) -> Result<RemoteId, SlackError> {
        const METHOD: &str = "chat.postMessage";
        let body = addressed(payload, room, None, thread_ts);
        let request = json(self.request(METHOD, token)?, &body);
        let answer = self.call(METHOD, request, room.as_str()).await?;
        // It was posted, whatever else the answer lacks.
        let ts = answer.ts.and_then(|ts| ts.parse().ok());
        ts.ok_or(SlackError::Unreadable { method: METHOD, status: 200 })
    }

    /// The messages of the notice called `id` that are in `room` and were posted after `since`: the number of each, and what
    /// Slack calls it. Slack's clock may differ from ours.
    pub async fn messages_of_notice(
        &self,
        token: &SecretString,
        room: &RoomId,
        id: &DeliveryId,
        since: Timestamp,
    ) -> Result<Vec<(usize, RemoteId)>, SlackError> {
        const METHOD: &str = "conversations.history";
        const MARGIN: SignedDuration = SignedDuration::from_mins(5);
        let oldest = since.saturating_sub(MARGIN).unwrap_or(since).as_second().to_string();
        let (mut found, mut cursor) = (Vec::new(), String::new());
        for _ in 0..Self::PAGES_OF_HISTORY {
            let mut fields = vec![
                ("channel", room.as_str()),
                ("oldest", &oldest),
                ("limit", Self::PAGE_MESSAGES),
                ("include_all_metadata", "true"),
            ];
            if !cursor.is_empty() {
                fields.push(("cursor", &cursor));
            }
            let request = form(self.request(METHOD, token)?, &fields);
            let answer = self.call(METHOD, request, room.as_str()).await?;
            // Without them it is no history, and nothing is known from it.
            let messages =
                answer.messages.ok_or(SlackError::Unreadable { method: METHOD, status: 200 })?;
            found.extend(messages.iter().filter_map(|message| message.of_notice(id)));
            cursor = answer.response_metadata.next_cursor;
            if cursor.is_empty() {
                return Ok(found);
            }
        }
        Err(SlackError::Unreadable { method: METHOD, status: 200 })
    }

    /// Posts a message that only `user` sees, for as long as their Slack is open.
    pub async fn post_ephemeral(
        &self,
        token: &SecretString,
        room: &RoomId,
        user: &UserId,
        thread_ts: Option<&str>,
        payload: &Value,
    ) -> Result<(), SlackError> {
        const METHOD: &str = "chat.postEphemeral";
        let body = addressed(payload, room, Some(user), thread_ts);
        let request = json(self.request(METHOD, token)?, &body);
        self.call(METHOD, request, room.as_str()).await.map(drop)
    }

    /// Whose the token is: what the bot is called, and its workspace (Slack, "auth.test", 2026-11).
    pub async fn identity(&self, token: &SecretString) -> Result<Identity, SlackError> {
        const METHOD: &str = "auth.test";
        let answer = self.call(METHOD, form(self.request(METHOD, token)?, &[]), "").await?;
        match (answer.user, answer.team.as_str()) {
            (Some(Who::Name(bot)), Some(team)) => {
                Ok(Identity { bot: cut(&bot), workspace: cut(team) })
            }
            _ => Err(SlackError::Unreadable { method: METHOD, status: 200 }),
        }
    }

    /// A user, if Slack knows them.
    pub async fn user(
        &self,
        token: &SecretString,
        user: &UserId,
    ) -> Result<Option<User>, SlackError> {
        const METHOD: &str = "users.info";
        let request = form(self.request(METHOD, token)?, &[("user", user.as_str())]);
        match self.call(METHOD, request, "").await {
            Ok(Answer { user: Some(Who::Member(found)), .. }) => match found.read() {
                Some(user) => Ok(Some(user)),
                None => Err(SlackError::Unreadable { method: METHOD, status: 200 }),
            },
            Ok(_) => Err(SlackError::Unreadable { method: METHOD, status: 200 }),
            Err(SlackError::Refused { code, .. }) if code == "user_not_found" => Ok(None),
            Err(err) => Err(err),
        }
    }

    /// All users of the workspace, those who left among them. One request for every 200.
    pub async fn users(&self, token: &SecretString) -> Result<Vec<User>, SlackError> {
        const METHOD: &str = "users.list";
        let (mut users, mut cursor) = (Vec::new(), String::new());
        for _ in 0..Self::PAGES {
            let mut fields = vec![("limit", Self::PAGE_USERS)];
            if !cursor.is_empty() {
                fields.push(("cursor", &cursor));
            }
            let request = form(self.request(METHOD, token)?, &fields);
            let answer = self.call(METHOD, request, "").await?;
            // Who has an id that is none cannot be meant by anything here.
            users.extend(answer.members.into_iter().filter_map(Member::read));
            cursor = answer.response_metadata.next_cursor;
            if cursor.is_empty() {
                return Ok(users);
            }
        }
        Err(SlackError::Unreadable { method: METHOD, status: 200 })
    }

    /// A room, if Slack knows it and lets the app see it.
    pub async fn room(
        &self,
        token: &SecretString,
        room: &RoomId,
    ) -> Result<Option<RoomInfo>, SlackError> {
        const METHOD: &str = "conversations.info";
        let request = form(self.request(METHOD, token)?, &[("channel", room.as_str())]);
        match self.call(METHOD, request, room.as_str()).await {
            Ok(Answer { channel: Some(Channel::Object { name, creator, is_member }), .. }) => {
                let creator = creator.and_then(|creator| creator.parse().ok());
                let name = name.unwrap_or_default();
                Ok(Some(RoomInfo { id: room.clone(), name, creator, has_us: is_member }))
            }
            Ok(_) => Err(SlackError::Unreadable { method: METHOD, status: 200 }),
            Err(SlackError::Refused { code, .. }) if code == "channel_not_found" => Ok(None),
            Err(err) => Err(err),
        }
    }

    /// Whether a response URL is Slack's, or where Slack was said to be.
    fn is_ours(&self, url: &Url) -> bool {
        let is_slacks = url.scheme() == "https"
            && url.host_str() == Some("hooks.slack.com")
            && url.port().is_none();
        let is_configured = self.is_configured
            && Url::parse(&self.base).is_ok_and(|base| base.origin() == url.origin());
        // A name in the URL would be sent as another credential.
        (is_slacks || is_configured) && url.username().is_empty() && url.password().is_none()
    }

    fn request(
        &self,
        method: &'static str,
        token: &SecretString,
    ) -> Result<RequestBuilder, SlackError> {
        let url = Url::parse(&format!("{}/{method}", self.base))
            .map_err(|_| SlackError::Address(cut(&self.base)))?;
        let token = token.expose_secret();
        if token.is_empty() || HeaderValue::from_str(token).is_err() {
            return Err(SlackError::Token("it is empty or not one line".to_owned()));
        }
        Ok(self.http()?.post(url).bearer_auth(token))
    }

    /// Calls a method. `room` is what a refusal to post there names.
    async fn call(
        &self,
        method: &'static str,
        request: RequestBuilder,
        room: &str,
    ) -> Result<Answer, SlackError> {
        let (status, body) = self.send(method, request).await?;
        let Ok(answer) = serde_json::from_slice::<Answer>(&body) else {
            return Err(SlackError::Unreadable { method, status: status.as_u16() });
        };
        if answer.ok && status.is_success() {
            return Ok(answer);
        }
        let code = answer.error.unwrap_or_default();
        Err(match code.as_str() {
            "invalid_auth"
            | "not_authed"
            | "account_inactive"
            | "token_revoked"
            | "token_expired"
            | "not_allowed_token_type" => SlackError::Token(code),
            "missing_scope" => SlackError::Scope(cut(&answer.needed.unwrap_or_default())),
            "not_in_channel" => SlackError::NotInRoom(room.to_owned()),
            // Who wants to post to a private room without being in it is told that there is none.
            "channel_not_found"
                if method.starts_with("chat.") || method == "conversations.history" =>
            {
                SlackError::NotInRoom(room.to_owned())
            }
            // Slack asks for a minute where it does not say how long.
            "ratelimited" | "rate_limited" => SlackError::RateLimited { method, retry_after_s: 60 },
            "internal_error" | "fatal_error" | "request_timeout" | "service_unavailable" => {
                SlackError::Unsure { method, code }
            }
            "" => SlackError::Unreadable { method, status: status.as_u16() },
            code => SlackError::Refused { method, code: cut(code) },
        })
    }

    /// Sends a request and reads a bounded answer.
    async fn send(
        &self,
        method: &'static str,
        request: RequestBuilder,
    ) -> Result<(StatusCode, Vec<u8>), SlackError> {
        let response = self.wire.send(request.timeout(Self::TIMEOUT)).await;
        let response = response.map_err(|source| match source {
            Unanswered::NotSent(_) => SlackError::NotSent { method, source },
            Unanswered::Lost(_) => SlackError::NoAnswer { method, source },
        })?;
        let status = response.status();
        if status == StatusCode::TOO_MANY_REQUESTS {
            let after = response.headers().get(RETRY_AFTER);
            let after = after.and_then(|value| value.to_str().ok()?.parse().ok());
            return Err(SlackError::RateLimited { method, retry_after_s: after.unwrap_or(60) });
        }
        if status.is_server_error() {
            return Err(SlackError::Failed { method, status: status.as_u16() });
        }
        Ok((status, read(method, response).await?))
    }

    fn http(&self) -> Result<&reqwest::Client, SlackError> {
        let http = self.http.get_or_init(|| {
            let builder = flock_aws::https()?
                .connect_timeout(Self::CONNECT_TIMEOUT)
                .user_agent(concat!("flockwork/", env!("CARGO_PKG_VERSION")));
            Ok(builder.build().expect("the TLS settings are given and the others constant"))
        });
        http.as_ref().map_err(|err| SlackError::Certificates(err.to_string()))
    }
}

impl SlackError {
    /// Whether Slack may have done what was asked.
    pub fn may_be_done(&self) -> bool {
        match self {
            Self::NoAnswer { .. }
            | Self::Failed { .. }
            | Self::Unsure { .. }
            | Self::Unreadable { .. } => true,
            Self::Certificates(_)
            | Self::Address(_)
            | Self::ForeignUrl
            | Self::NotSent { .. }
            | Self::RateLimited { .. }
            | Self::Token(_)
            | Self::Scope(_)
            | Self::NotInRoom(_)
            | Self::Expired(_)
            | Self::Refused { .. } => false,
        }
    }
}

/// What Slack answers; which fields there are depends on the method.
#[derive(Deserialize)]
struct Answer {
    ok: bool,
    error: Option<String>,
    needed: Option<String>,
    ts: Option<String>,
    user: Option<Who>,
    #[serde(default)]
    team: Value,
    #[serde(default)]
    members: Vec<Member>,
    channel: Option<Channel>,
    messages: Option<Vec<Said>>,
    #[serde(default)]
    response_metadata: Metadata,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Metadata {
    next_cursor: String,
}

/// A message of a room's history.
#[derive(Deserialize)]
struct Said {
    ts: String,
    /// Anybody's, in any form.
    metadata: Option<Value>,
}

impl Said {
    /// Its number, and what Slack calls it, if it is a message of the notice.
    fn of_notice(&self, id: &DeliveryId) -> Option<(usize, RemoteId)> {
        let metadata = self.metadata.as_ref()?;
        let payload = &metadata["event_payload"];
        if metadata["event_type"] != NOTICE || payload["id"] != id.as_str() {
            return None;
        }
        let number = usize::try_from(payload["number"].as_u64()?).ok()?;
        Some((number, self.ts.parse().ok()?))
    }
}

/// A message with the name of its notice and its number there, for who looks for it. People do not see them (Slack, "Message
/// metadata", 2026-11).
pub fn with_notice(mut message: Value, id: &DeliveryId, number: usize) -> Value {
    message["metadata"] = serde_json::json!({
        "event_type": NOTICE,
        "event_payload": { "id": id.as_str(), "number": number },
    });
    message
}

/// `chat.postMessage` answers with an id, `conversations.info` with all there is.
#[derive(Deserialize)]
#[serde(untagged)]
enum Channel {
    Object {
        name: Option<String>,
        creator: Option<String>,
        #[serde(default)]
        is_member: bool,
    },
    Id(#[allow(dead_code, reason = "the room is known")] String),
}

/// `users.info` answers with all there is, `auth.test` with a name.
#[derive(Deserialize)]
#[serde(untagged)]
enum Who {
    Member(Member),
    Name(String),
}

#[derive(Deserialize)]
#[allow(clippy::struct_excessive_bools, reason = "it is Slack's")]
struct Member {
    id: String,
    #[serde(default)]
    name: String,
    real_name: Option<String>,
    #[serde(default)]
    profile: Profile,
    #[serde(default)]
    is_owner: bool,
    #[serde(default)]
    is_primary_owner: bool,
    #[serde(default)]
    is_bot: bool,
    #[serde(default)]
    deleted: bool,
}

#[derive(Deserialize, Default)]
struct Profile {
    display_name: Option<String>,
    real_name: Option<String>,
}

impl Member {
    fn read(self) -> Option<User> {
        Some(User {
            // Slack says of Slackbot that it is none.
            is_bot: self.is_bot || self.id == "USLACKBOT",
            id: self.id.parse().ok()?,
            name: self.name,
            display_name: self.profile.display_name.unwrap_or_default(),
            real_name: self.profile.real_name.or(self.real_name).unwrap_or_default(),
            is_owner: self.is_owner || self.is_primary_owner,
            deleted: self.deleted,
        })
    }
}

/// A payload with its address. Who sees it is said by the method.
fn addressed(
    payload: &Value,
    room: &RoomId,
    user: Option<&UserId>,
    thread_ts: Option<&str>,
) -> Value {
    let mut body = payload.as_object().cloned().unwrap_or_else(Map::new);
    body.remove("response_type");
    body.insert("channel".to_owned(), Value::from(room.as_str()));
    if let Some(user) = user {
        body.insert("user".to_owned(), Value::from(user.as_str()));
    }
    if let Some(thread_ts) = thread_ts {
        body.insert("thread_ts".to_owned(), Value::from(thread_ts));
    }
    Value::Object(body)
}

fn json(request: RequestBuilder, body: &Value) -> RequestBuilder {
    // Without the charset Slack warns in every answer.
    request.header(CONTENT_TYPE, "application/json; charset=utf-8").body(body.to_string())
}

fn form(request: RequestBuilder, fields: &[(&str, &str)]) -> RequestBuilder {
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(body)
}

async fn read(method: &'static str, mut response: Response) -> Result<Vec<u8>, SlackError> {
    let status = response.status().as_u16();
    let mut body = Vec::new();
    loop {
        let chunk = response.chunk().await;
        let chunk = chunk.map_err(|err| SlackError::NoAnswer { method, source: err.into() })?;
        let Some(chunk) = chunk else { return Ok(body) };
        if SlackApi::ANSWER_BYTES < body.len() + chunk.len() {
            return Err(SlackError::Unreadable { method, status });
        }
        body.extend_from_slice(&chunk);
    }
}

/// Whether a text is one of Slack's error codes, such as `no_text`.
fn is_code(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
}

#[cfg(test)]
mod tests {
    use std::{
        collections::VecDeque,
        sync::{Arc, Mutex},
    };

    use axum::{
        Router,
        body::Bytes,
        http::{HeaderMap, Uri},
        response::IntoResponse as _,
    };
    use serde_json::json;

    use super::*;

    type Answer = (u16, &'static str, String);

    /// A server that gives the answers it was given, in turn, and notes the requests.
    struct StandIn {
        url: String,
        seen: Arc<Mutex<Vec<String>>>,
        answers: Arc<Mutex<VecDeque<Answer>>>,
    }

    impl StandIn {
        async fn start(answers: impl IntoIterator<Item = Answer>) -> Self {
            let seen = Arc::new(Mutex::new(Vec::new()));
            let answers = Arc::new(Mutex::new(answers.into_iter().collect::<VecDeque<_>>()));
            let (noted, left) = (Arc::clone(&seen), Arc::clone(&answers));
            let handler = async move |uri: Uri, headers: HeaderMap, body: Bytes| {
                let header = |name| headers.get(name).map_or("-", |value| value.to_str().unwrap());
                let body = String::from_utf8(body.to_vec()).unwrap();
                let (kind, token) = (header("content-type"), header("authorization"));
                noted.lock().unwrap().push(format!("{uri} {kind} {token} {body}"));
                let (status, header, body) = left.lock().unwrap().pop_front().unwrap();
                let (name, value) = header.split_once(": ").unwrap();
                let status = StatusCode::from_u16(status).unwrap();
                (status, [(name.to_owned(), value.to_owned())], body).into_response()
            };
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            let url = format!("http://{}", listener.local_addr().unwrap());
            let router = Router::new().fallback(handler);
            tokio::spawn(async move { axum::serve(listener, router).await });
            Self { url, seen, answers }
        }

        fn api(&self) -> SlackApi {
            SlackApi::new(Some(format!("{}/api/", self.url)), Wire::default())
        }

        /// The requests, once all answers are given.
        #[track_caller]
        fn seen(&self) -> Vec<String> {
            assert!(self.answers.lock().unwrap().is_empty(), "an answer was not asked for");
            self.seen.lock().unwrap().clone()
        }
    }

    fn answer(body: &Value) -> Answer {
        (200, "content-type: application/json", body.to_string())
    }

    fn token() -> SecretString {
        SecretString::from("xoxb-token")
    }

    fn room() -> RoomId {
        "C1".parse().unwrap()
    }

    fn user() -> UserId {
        "U1".parse().unwrap()
    }

    /// What posting says when Slack answers so.
    async fn refused(answer: Answer) -> SlackError {
        let slack = StandIn::start([answer]).await;
        let payload = json!({ "text": "x" });
        let err = slack.api().post_message(&token(), &room(), None, &payload).await.unwrap_err();
        assert_eq!(slack.seen().len(), 1);
        err
    }

    async fn refused_with(code: &str) -> String {
        refused(answer(&json!({ "ok": false, "error": code, "needed": "chat:write" })))
            .await
            .to_string()
    }

    #[tokio::test]
    async fn messages_are_posted() {
        let posted = json!({ "ok": true, "channel": "C1", "ts": "1.2", "message": {} });
        let slack = StandIn::start([answer(&posted), answer(&json!({ "ok": true }))]).await;
        let (api, payload) = (slack.api(), json!({ "text": "x", "response_type": "ephemeral" }));
        let ts = api.post_message(&token(), &room(), Some("1.1"), &payload).await.unwrap();
        assert_eq!(ts.as_str(), "1.2");
        api.post_ephemeral(&token(), &room(), &user(), None, &payload).await.unwrap();
        let head = "application/json; charset=utf-8 Bearer xoxb-token";
        assert_eq!(
            slack.seen(),
            [
                format!(
                    r#"/api/chat.postMessage {head} {{"channel":"C1","text":"x","thread_ts":"1.1"}}"#
                ),
                format!(
                    r#"/api/chat.postEphemeral {head} {{"channel":"C1","text":"x","user":"U1"}}"#
                ),
            ]
        );
    }

    #[tokio::test]
    async fn users_are_read_page_by_page() {
        let ada = json!({
            "id": "U1", "name": "ada", "is_owner": false, "is_primary_owner": true, "tz": null,
            "profile": { "display_name": "Ada", "real_name": "Ada L." },
        });
        let gone = json!({ "id": "U2", "deleted": true, "real_name": "Bob", "profile": {} });
        let bots = [
            json!({ "id": "USLACKBOT", "name": "slackbot", "is_bot": false }),
            json!({
                "id": "U3", "is_bot": true, "profile": { "display_name": null },
            }),
        ];
        let more = json!({ "next_cursor": "dXNlcg==" });
        let slack = StandIn::start([
            answer(&json!({ "ok": true, "members": [ada, gone], "response_metadata": more })),
            answer(
                &json!({ "ok": true, "members": bots, "response_metadata": { "next_cursor": "" } }),
            ),
            answer(&json!({ "ok": true, "user": ada })),
            answer(&json!({ "ok": false, "error": "user_not_found" })),
        ])
        .await;
        let api = slack.api();
        let users = api.users(&token()).await.unwrap();
        let expected = User {
            id: user(),
            name: "ada".to_owned(),
            display_name: "Ada".to_owned(),
            real_name: "Ada L.".to_owned(),
            is_owner: true,
            is_bot: false,
            deleted: false,
        };
        assert_eq!(users[0], expected);
        assert_eq!((users[1].deleted, users[1].real_name.as_str()), (true, "Bob"));
        assert_eq!(
            users.iter().map(|user| user.is_bot).collect::<Vec<_>>(),
            [false, false, true, true]
        );
        assert_eq!(api.user(&token(), &user()).await.unwrap(), Some(expected));
        assert_eq!(api.user(&token(), &user()).await.unwrap(), None);
        let head = "application/x-www-form-urlencoded Bearer xoxb-token";
        assert_eq!(
            slack.seen(),
            [
                format!("/api/users.list {head} limit=200"),
                format!("/api/users.list {head} limit=200&cursor=dXNlcg%3D%3D"),
                format!("/api/users.info {head} user=U1"),
                format!("/api/users.info {head} user=U1"),
            ]
        );
    }

    #[tokio::test]
    async fn rooms_are_read() {
        let flock = json!({ "id": "C1", "name": "flock", "creator": "U1", "is_channel": true });
        let slack = StandIn::start([
            answer(&json!({ "ok": true, "channel": flock })),
            answer(&json!({ "ok": true, "channel": { "id": "D1", "is_im": true, "user": "U1" } })),
            answer(&json!({ "ok": false, "error": "channel_not_found" })),
        ])
        .await;
        let api = slack.api();
        let found = api.room(&token(), &room()).await.unwrap();
        let name = "flock".to_owned();
        assert_eq!(
            found,
            Some(RoomInfo { id: room(), name, creator: Some(user()), has_us: false })
        );
        let direct: RoomId = "D1".parse().unwrap();
        let found = api.room(&token(), &direct).await.unwrap();
        assert_eq!(
            found,
            Some(RoomInfo { id: direct, name: String::new(), creator: None, has_us: false })
        );
        assert_eq!(api.room(&token(), &room()).await.unwrap(), None);
        assert!(slack.seen()[0].ends_with(" channel=C1"));
    }

    #[tokio::test]
    async fn a_refusal_says_what_to_do() {
        insta::assert_snapshot!(refused_with("invalid_auth").await, @"Slack does not accept the bot token (invalid_auth); put the app's into the Slack secret");
        insta::assert_snapshot!(refused_with("missing_scope").await, @"the Slack app lacks the scope `chat:write`; add it under OAuth & Permissions and reinstall");
        insta::assert_snapshot!(refused_with("not_in_channel").await, @"the Slack app is not in C1; invite it there (/invite)");
        assert!(refused_with("channel_not_found").await.contains("invite it"));
        insta::assert_snapshot!(refused_with("ratelimited").await, @"Slack has had too many chat.postMessage requests; try again in 60 s");
        insta::assert_snapshot!(refused_with(&"is_archived".repeat(9)).await, @"Slack refused chat.postMessage: is_archivedis_archivedis_archivedis_arch…");
        let limited = refused((429, "retry-after: 30", String::new())).await;
        insta::assert_snapshot!(limited, @"Slack has had too many chat.postMessage requests; try again in 30 s");
        assert!(matches!(limited, SlackError::RateLimited { retry_after_s: 30, .. }));
        let html = "<!doctype html><title>Slack</title>".to_owned();
        let err = refused((503, "content-type: text/html", html.clone())).await;
        insta::assert_snapshot!(err, @"Slack failed at chat.postMessage with status 503; try again later (slack-status.com)");
        let err = refused((200, "content-type: text/html", html)).await;
        insta::assert_snapshot!(err, @"chat.postMessage was not answered as Slack does (status 200); is SLACK_URL right?");
    }

    #[tokio::test]
    async fn the_messages_of_a_notice_are_found_on_any_page() {
        let id = DeliveryId::of(&["x"]);
        let ours = with_notice(json!({ "ts": "7.2" }), &id, 2);
        let others = [
            json!({ "ts": "7.1", "text": "hello" }),
            json!({ "ts": "7.3", "metadata": null }),
            json!({ "ts": "7.4", "metadata": { "event_type": NOTICE } }),
            with_notice(json!({ "ts": "7.5" }), &DeliveryId::of(&["y"]), 2),
            json!({ "ts": "7.6", "metadata": {
                "event_type": "theirs", "event_payload": ours["metadata"]["event_payload"],
            } }),
        ];
        let more = json!({ "next_cursor": "bmV4dA==" });
        let slack = StandIn::start([
            answer(&json!({ "ok": true, "messages": others, "response_metadata": more })),
            answer(&json!({ "ok": true, "messages": [ours], "has_more": false })),
            answer(&json!({ "ok": false, "error": "missing_scope", "needed": "groups:history" })),
            answer(&json!({ "ok": false, "error": "channel_not_found" })),
            answer(&json!({ "ok": true })),
        ])
        .await;
        let api = slack.api();
        let since = "2026-11-21T12:00:00Z".parse().unwrap();
        let find = async || api.messages_of_notice(&token(), &room(), &id, since).await;
        assert_eq!(find().await.unwrap(), [(2, "7.2".parse().unwrap())]);
        assert!(matches!(find().await, Err(SlackError::Scope(scope)) if scope == "groups:history"));
        assert!(matches!(find().await, Err(SlackError::NotInRoom(_))));
        assert!(matches!(find().await, Err(SlackError::Unreadable { .. })), "it is no history");
        let first = "/api/conversations.history application/x-www-form-urlencoded Bearer xoxb-token \
                     channel=C1&oldest=1795262100&limit=50&include_all_metadata=true";
        let seen = slack.seen();
        assert_eq!(seen[..2], [first.to_owned(), format!("{first}&cursor=bmV4dA%3D%3D")]);
    }

    /// What Slack has certainly not done is done again; what it may have done is looked for.
    #[tokio::test]
    async fn what_may_be_done_is_told_from_what_is_not() {
        for code in ["internal_error", "fatal_error", "request_timeout", "service_unavailable"] {
            let err = refused(answer(&json!({ "ok": false, "error": code }))).await;
            assert!(err.may_be_done() && err.to_string().contains(code), "{err}");
        }
        for code in
            ["is_archived", "channel_not_found", "missing_scope", "invalid_auth", "ratelimited"]
        {
            let err = refused(answer(&json!({ "ok": false, "error": code }))).await;
            assert!(!err.may_be_done(), "{err}");
        }
        let plain = |status| (status, "content-type: text/plain", String::new());
        assert!(!refused(plain(429)).await.may_be_done());
        for status in [200, 302, 403, 408, 500, 502, 503, 504] {
            let err = refused(plain(status)).await;
            assert!(err.may_be_done(), "{status}: {err}");
        }
    }

    #[tokio::test]
    async fn what_is_not_slack_is_refused() {
        let large = format!(r#"{{"ok":true,"ts":"1.2","x":"{}"}}"#, "x".repeat(1 << 20));
        let err = refused((200, "content-type: application/json", large)).await;
        assert!(matches!(err, SlackError::Unreadable { .. }), "{err}");
        let err = refused(answer(&json!({ "ok": true }))).await;
        assert!(matches!(err, SlackError::Unreadable { .. }), "it has no ts: {err}");
        let err = refused(answer(&json!([]))).await;
        assert!(matches!(err, SlackError::Unreadable { status: 200, .. }), "{err}");
        // A redirect is not followed: the token would go with it.
        let err = refused((302, "location: /elsewhere", String::new())).await;
        assert!(matches!(err, SlackError::Unreadable { status: 302, .. }), "{err}");
        assert!(err.may_be_done());
        let api = SlackApi::new(Some("slack".to_owned()), Wire::default());
        let err = api.users(&token()).await.unwrap_err();
        assert!(matches!(err, SlackError::Address(_)), "{err}");
    }

    #[tokio::test]
    async fn a_token_that_cannot_be_one_is_not_sent() {
        let slack = StandIn::start([]).await;
        for token in ["", "xoxb-1\nxoxb-2"] {
            let err = slack.api().users(&SecretString::from(token)).await.unwrap_err();
            assert!(matches!(err, SlackError::Token(_)), "{err}");
            assert!(!format!("{err} {err:?}").contains("xoxb"));
        }
        assert!(slack.seen().is_empty());
    }

    #[tokio::test]
    async fn nobody_there_is_said_without_the_address() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        drop(listener);
        let api = SlackApi::new(Some(url.clone()), Wire::default());
        let url = ResponseUrl::new(format!("{url}/commands/T1/secret"));
        let err = api.respond(&url, &json!({})).await.unwrap_err();
        assert!(matches!(err, SlackError::NotSent { .. }), "{err}");
        assert!(!format!("{err} {err:?}").contains("secret"));
    }

    #[tokio::test]
    async fn answers_go_to_response_urls() {
        let slack = StandIn::start([
            (200, "content-type: text/plain", "ok".to_owned()),
            answer(&json!({ "ok": true })),
            answer(&json!({ "ok": false, "error": "invalid_blocks" })),
            (404, "content-type: text/plain", "used_url".to_owned()),
            (400, "content-type: text/plain", "no_text".to_owned()),
            (404, "content-type: text/html", "<html>".to_owned()),
            (302, "location: /elsewhere", String::new()),
        ])
        .await;
        let api = slack.api();
        let url = ResponseUrl::new(format!("{}/commands/T1/2/secret", slack.url));
        let payload = json!({ "text": "x", "response_type": "ephemeral" });
        api.respond(&url, &payload).await.unwrap();
        api.respond(&url, &payload).await.unwrap();
        let mut said = Vec::new();
        for _ in 0..5 {
            said.push(api.respond(&url, &payload).await.unwrap_err().to_string());
        }
        assert!(!said.concat().contains("secret"));
        insta::assert_snapshot!(said.join("\n"), @r"
        Slack refused response_url: invalid_blocks
        Slack takes no more answers to this command (used_url); enter it again
        Slack refused response_url: no_text
        response_url was not answered as Slack does (status 404); is SLACK_URL right?
        response_url was not answered as Slack does (status 302); is SLACK_URL right?
        ");
        assert_eq!(
            slack.seen()[0],
            "/commands/T1/2/secret application/json; charset=utf-8 - \
             {\"response_type\":\"ephemeral\",\"text\":\"x\"}"
        );
    }

    #[tokio::test]
    async fn foreign_response_urls_get_nothing() {
        let slack = StandIn::start([]).await;
        let url = format!("{}/commands/T1", slack.url);
        let err =
            SlackApi::new(None, Wire::default()).respond(&ResponseUrl::new(url), &json!({})).await;
        assert!(matches!(err, Err(SlackError::ForeignUrl)));
        assert!(slack.seen().is_empty());
    }

    #[test]
    fn response_urls_are_slacks_or_of_the_configured_origin() {
        let ours = |base: Option<&str>, url: &str| {
            SlackApi::new(base.map(str::to_owned), Wire::default())
                .is_ours(&Url::parse(url).unwrap())
        };
        assert!(ours(None, "https://hooks.slack.com/commands/T1"));
        assert!(ours(None, "https://HOOKS.slack.com:443/commands/T1"));
        for foreign in [
            "http://hooks.slack.com/commands",
            "https://hooks.slack.com:8443/commands",
            "https://hooks.slack.com.example/commands",
            "https://example/hooks.slack.com",
            "https://hooks.slack.com@example/commands",
            "https://a:b@hooks.slack.com/commands",
            "https://slack.com/api",
            "file:///hooks.slack.com/commands",
        ] {
            assert!(!ours(None, foreign), "{foreign}");
        }
        let base = Some("http://127.0.0.1:4000/api");
        assert!(ours(base, "http://127.0.0.1:4000/respond"));
        assert!(ours(base, "https://hooks.slack.com/commands"));
        assert!(!ours(base, "http://127.0.0.1:4001/respond"));
        assert!(!ours(base, "https://127.0.0.1:4000/respond"));
        // Opaque origins equal nothing, not even each other.
        assert!(!ours(Some("data:x"), "data:x"));
    }
}
