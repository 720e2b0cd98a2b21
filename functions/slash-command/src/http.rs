//! The front door: what Slack sends, and nothing else.

use std::sync::Arc;

use axum::{
    Json, Router,
    body::Bytes,
    extract::{DefaultBodyLimit, State},
    http::{HeaderMap, StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse as _, Response},
    routing::post,
};
use flock_core::{DeliveryId, RoomId, UserId};
use flock_slack::{
    Audience, Callback, Interaction, LINK, Message, Pressed, Reply, ResponseUrl, SlackError,
    SlashCommand, Unverified, verify,
};
use flock_store::{Answered, Arrival, Asked};
use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    addressed::addressed,
    app::App,
    call::Stage,
    dispatch::{CANCEL, CONFIRM, room_link},
    page::turned_to,
    slack_secret::SlackSecret,
};

/// What Lambda takes (AWS, "Lambda quotas", 2026-11): what is larger does not come.
const LARGEST_BODY: usize = 6 * 1024 * 1024;

/// Longer than any invocation: the function's timeout in template.yaml is 30 s.
const LONGEST_LIFE: SignedDuration = SignedDuration::from_secs(45);

/// Answers one response URL takes (Slack, "Handling user interaction", 2026-11).
const ANSWERS_PER_URL: usize = 5;

/// A request that Slack has signed.
struct Signed {
    /// When it came.
    at: Timestamp,
    signature: String,
}

/// Why a button answers no question.
struct NotTaken {
    why: String,
    /// Whether the question is there still, for whoever may answer it.
    stays: bool,
}

/// Where a later answer goes.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AnswerTo {
    /// To the response URL of a slash command or button.
    Url(ResponseUrl),
    /// To the response URL of a button, in the place of its message where the answer may take that.
    InPlace(ResponseUrl),
    /// Into the room, or into a thread of it.
    Room {
        /// The thread.
        thread_ts: Option<String>,
    },
}

impl Signed {
    /// What tells the request from all others: what Slack calls it, or else its signature.
    fn id<'a>(&'a self, trigger_id: &'a str) -> &'a str {
        if trigger_id.is_empty() { &self.signature } else { trigger_id }
    }
}

impl App {
    /// Answers `POST /slack/commands`, `/slack/interactivity` and `/slack/events`.
    pub fn router(self: Arc<Self>) -> Router {
        Router::new()
            .route("/slack/commands", post(commands))
            .route("/slack/interactivity", post(interactivity))
            .route("/slack/events", post(events))
            .layer(DefaultBodyLimit::max(LARGEST_BODY))
            .with_state(self)
    }

    /// Lets in what Slack has signed. Before anything of it is read, but for whether it is a check of the certificate.
    async fn let_in(&self, headers: &HeaderMap, body: &[u8]) -> Result<Signed, Response> {
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let unreadable = |err: anyhow::Error| {
            tracing::error!(error = format!("{err:#}"), "no request can be let in");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        };
        let now = self.clock.now();
        let check = |secret: &SlackSecret| {
            let (timestamp, signature) =
                (header("x-slack-request-timestamp"), header("x-slack-signature"));
            verify(&secret.signing_secret, timestamp, signature, body, now)
        };
        let mut checked = check(&self.slack_secret().await.map_err(unreadable)?);
        // The secret may be another by now.
        if let Err(Unverified::Wrong) = checked
            && let Some(secret) = self.newer_slack_secret().await.map_err(unreadable)?
        {
            checked = check(&secret);
        }
        checked.map_err(|why| {
            // Strangers choose how often: a log that they could fill would cost more than their requests do.
            tracing::debug!("refused a request: {why}");
            StatusCode::UNAUTHORIZED.into_response()
        })?;
        Ok(Signed {
            at: now,
            signature: header("x-slack-signature").unwrap_or_default().to_owned(),
        })
    }

    /// Sends a whole reply to where it was asked for.
    pub(crate) async fn send(
        &self,
        reply: &Reply,
        to: &AnswerTo,
        room: &RoomId,
        user: &UserId,
    ) -> anyhow::Result<()> {
        match to {
            AnswerTo::Url(url) | AnswerTo::InPlace(url) => {
                let mut payloads = short_enough(reply.responses(), ANSWERS_PER_URL);
                if let ([page], true, AnswerTo::InPlace(_)) =
                    (payloads.as_mut_slice(), reply.replaces, to)
                {
                    page["replace_original"] = Value::from(true);
                }
                for payload in payloads {
                    self.slack.respond(url, &payload).await?;
                }
            }
            AnswerTo::Room { thread_ts } => {
                let token = self.slack_secret().await?.bot_token;
                // Only the two of them are in a direct conversation.
                let only_you =
                    reply.audience == Audience::OnlyYou && !room.as_str().starts_with('D');
                if only_you {
                    for payload in reply.messages() {
                        let thread = thread_ts.as_deref();
                        self.slack.post_ephemeral(&token, room, user, thread, &payload).await?;
                    }
                } else {
                    self.post(reply, to, room, &token).await?;
                }
            }
        }
        Ok(())
    }

    /// Posts a reply for everybody in a room.
    pub(crate) async fn post(
        &self,
        reply: &Reply,
        to: &AnswerTo,
        room: &RoomId,
        token: &SecretString,
    ) -> Result<(), SlackError> {
        let thread = match to {
            AnswerTo::Room { thread_ts } => thread_ts.as_deref(),
            AnswerTo::Url(_) | AnswerTo::InPlace(_) => None,
        };
        for payload in reply.messages() {
            self.slack.post_message(token, room, thread, &payload).await?;
        }
        Ok(())
    }

    async fn slash_command(&self, command: SlashCommand, signed: &Signed) -> Response {
        let SlashCommand { user, room, text, response_url, trigger_id, .. } = command;
        let now = signed.at;
        let to = AnswerTo::Url(response_url.clone());
        let id = DeliveryId::of(&["command", signed.id(&trigger_id), user.as_str(), &text]);
        let asked = asked(id, user, room, &text, now, &to);
        let Ok(reply) = Box::pin(self.answer_new(&asked)).await else {
            return nothing();
        };
        // The answer to the request is shown after what went to the response URL before it.
        let mut payloads = short_enough(reply.responses(), ANSWERS_PER_URL + 1);
        let last = payloads.pop().unwrap_or_default();
        for payload in &payloads {
            if let Err(err) = self.slack.respond(&response_url, payload).await {
                tracing::error!(delivery = %asked.id, error = %err, "part of an answer is lost");
                let text = "The beginning of this answer could not be sent; ask again.";
                return Json(json!({ "response_type": "ephemeral", "text": text })).into_response();
            }
        }
        Json(last).into_response()
    }

    async fn button(&self, pressed: Pressed, signed: &Signed) {
        // It has opened its page, and is nothing else.
        if pressed.action == LINK {
            return;
        }
        let now = signed.at;
        let Pressed { user, room, action, value, response_url, trigger_id, message_ts, .. } =
            pressed;
        let to = AnswerTo::Url(response_url.clone());
        let message = message_ts.unwrap_or_default();
        let trigger = signed.id(&trigger_id);
        let id = DeliveryId::of(&["button", trigger, user.as_str(), &message, &action, &value]);
        if ![CONFIRM, CANCEL].contains(&action.as_str()) {
            // Any other button stands for a command; it is parsed and allowed like one that is typed.
            let (line, to) = match turned_to(&action, &value) {
                None => (format!("{action} {value}"), to),
                Some(Ok(line)) => (line.to_owned(), AnswerTo::InPlace(response_url)),
                Some(Err(why)) => {
                    tracing::warn!(%user, %room, "a button has no list behind it");
                    return self.tell_presser(&Reply::only_you(why), &to, &room, &user).await;
                }
            };
            let asked = asked(id, user, room, &line, now, &to);
            if let Ok(reply) = Box::pin(self.answer_new(&asked)).await {
                self.tell_presser(&reply, &to, &asked.room, &asked.user).await;
            }
            return;
        }
        match self.claim(&id).await {
            Ok(Arrival::First) => {}
            Ok(Arrival::Begun { .. } | Arrival::Done) => return,
            Err(err) => {
                tracing::error!(error = %err, "a button cannot be taken");
                let reply = Reply::only_you("That went wrong on our side; press the button again.");
                return self.tell_presser(&reply, &to, &room, &user).await;
            }
        }
        let taken = self.take(&value, &user, &room, now).await;
        // A button that stays would promise more. Where the question stays, so does its button.
        if !matches!(taken, Err(NotTaken { stays: true, .. }))
            && let Err(err) =
                self.slack.respond(&response_url, &json!({ "delete_original": true })).await
        {
            tracing::warn!(error = %err, "a question stays in Slack");
        }
        let reply = match taken {
            Ok(line) if action == CONFIRM => {
                let asked = asked(id, user.clone(), room.clone(), &line, now, &to);
                Box::pin(self.go_on_with(&asked, Stage::Confirmed)).await
            }
            Ok(_) => Reply::only_you("Nothing was done."),
            Err(NotTaken { why, .. }) => Reply::only_you(format!("{why} Nothing was done.")),
        };
        self.tell_presser(&reply, &to, &room, &user).await;
    }

    /// The command a question was about, which is answered now.
    async fn take(
        &self,
        id: &str,
        user: &UserId,
        room: &RoomId,
        now: Timestamp,
    ) -> Result<String, NotTaken> {
        let gone = |why: &str| NotTaken { why: why.to_owned(), stays: false };
        let stays = |why: &str| NotTaken { why: why.to_owned(), stays: true };
        let id: DeliveryId = id.parse().map_err(|_| stays("That button is not one of mine."))?;
        match self.store.take_question(&id, user, room, now).await {
            Ok(Answered::Taken(asked)) => Ok(asked.line),
            Ok(Answered::Gone) => {
                Err(gone("That question is answered already, or is older than five minutes."))
            }
            Ok(Answered::NotYours) => {
                tracing::warn!(%user, %room, "somebody else's question is not answered");
                Err(stays("That question was put to somebody else."))
            }
            Ok(Answered::NotHere { room: there }) => {
                tracing::warn!(%user, %room, "another room's question is not answered");
                let there = room_link(&there);
                Err(stays(&format!(
                    "That question was asked in {there}, and its buttons count there alone."
                )))
            }
            Err(err) => {
                tracing::error!(error = format!("{:#}", anyhow::Error::from(err)), "no question");
                Err(gone("That went wrong on our side; give the command again."))
            }
        }
    }

    async fn tell_presser(&self, reply: &Reply, to: &AnswerTo, room: &RoomId, user: &UserId) {
        if let Err(err) = self.send(reply, to, room, user).await {
            tracing::error!(error = format!("{err:#}"), "the answer did not reach Slack");
        }
    }

    /// Unlike a command or a button, where the person sees that nothing came, Slack tells of a message again until it
    /// hears that it has arrived.
    async fn message(&self, message: Message, now: Timestamp) -> StatusCode {
        let Message { user, room, text, ts, thread_ts, bot_user, .. } = message;
        let is_direct = room.as_str().starts_with('D');
        let line = addressed(&text, bot_user.as_ref()).or(is_direct.then_some(text.as_str()));
        let Some(line) = line else { return StatusCode::OK };
        // Slack sends a mention twice, as a mention and as a message, with an event id for each.
        let id = DeliveryId::of(&["message", room.as_str(), &ts]);
        let to = AnswerTo::Room { thread_ts };
        let asked = asked(id, user, room, line, now, &to);
        let reply = match Box::pin(self.answer_new(&asked)).await {
            Ok(reply) => reply,
            Err(Arrival::First | Arrival::Done) => return StatusCode::OK,
            Err(Arrival::Begun { since }) if now.duration_since(since) < LONGEST_LIFE => {
                // Slack comes again, and by then it is done, or nobody is at it any more.
                return StatusCode::SERVICE_UNAVAILABLE;
            }
            Err(Arrival::Begun { .. }) => Reply::only_you(
                "Your last words were cut off on our side, and part of it may be done. Look (`/flock audit`), \
                 and say it again.",
            ),
        };
        if let Err(err) = self.send(&reply, &to, &asked.room, &asked.user).await {
            tracing::error!(delivery = %asked.id, error = format!("{err:#}"), "an answer is lost");
        }
        if let Err(err) = self.store.seen_and_done(&asked.id, now).await {
            tracing::warn!(delivery = %asked.id, error = %err, "not noted as done");
        }
        StatusCode::OK
    }
}

fn asked(
    id: DeliveryId,
    user: UserId,
    room: RoomId,
    line: &str,
    now: Timestamp,
    to: &AnswerTo,
) -> Asked {
    let answer_to = serde_json::to_string(to).expect("texts become JSON");
    let since = Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now);
    Asked { id, user, room, line: line.trim().to_owned(), since, answer_to }
}

/// The messages of a reply, at most so many. What does not fit is told of.
fn short_enough(mut payloads: Vec<Value>, most: usize) -> Vec<Value> {
    let left = payloads.len().saturating_sub(most);
    if 0 < left {
        payloads.truncate(most - 1);
        let text = format!("The answer goes on for {} messages more. Ask for less.", left + 1);
        let reply = Reply::only_you(text);
        payloads.extend(reply.responses());
    }
    payloads
}

fn nothing() -> Response {
    StatusCode::OK.into_response()
}

/// The body is signed by Slack and yet not what Slack sends.
fn unreadable(err: &flock_slack::UnreadableBody) -> Response {
    tracing::error!("a request cannot be read: {err}");
    (StatusCode::BAD_REQUEST, format!("{err}")).into_response()
}

/// Whether Slack looks whether the address has a certificate. It does not sign that, and wants no more than an answer.
fn is_ssl_check(headers: &HeaderMap, body: &[u8]) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let kind = kind.and_then(|kind| kind.split(';').next()).unwrap_or_default().trim();
    kind.eq_ignore_ascii_case("application/x-www-form-urlencoded")
        && flock_slack::is_ssl_check(body)
}

async fn commands(State(app): State<Arc<App>>, headers: HeaderMap, body: Bytes) -> Response {
    if is_ssl_check(&headers, &body) {
        return nothing();
    }
    let signed = match app.let_in(&headers, &body).await {
        Ok(signed) => signed,
        Err(response) => return response,
    };
    match SlashCommand::parse(&body) {
        Ok(command) => app.slash_command(command, &signed).await,
        Err(err) => unreadable(&err),
    }
}

async fn interactivity(State(app): State<Arc<App>>, headers: HeaderMap, body: Bytes) -> Response {
    if is_ssl_check(&headers, &body) {
        return nothing();
    }
    let signed = match app.let_in(&headers, &body).await {
        Ok(signed) => signed,
        Err(response) => return response,
    };
    match Interaction::parse(&body) {
        Ok(Interaction::Button(pressed)) => {
            app.button(pressed, &signed).await;
            nothing()
        }
        Ok(Interaction::Other(_)) => nothing(),
        Err(err) => unreadable(&err),
    }
}

async fn events(State(app): State<Arc<App>>, headers: HeaderMap, body: Bytes) -> Response {
    let signed = match app.let_in(&headers, &body).await {
        Ok(signed) => signed,
        Err(response) => return response,
    };
    match Callback::parse(&body) {
        Ok(Callback::UrlVerification { challenge }) => {
            Json(json!({ "challenge": challenge })).into_response()
        }
        Ok(Callback::Message(message)) => app.message(message, signed.at).await.into_response(),
        Ok(Callback::FromBot | Callback::Other(_)) => nothing(),
        Err(err) => unreadable(&err),
    }
}
