//! What Slack sends, from the raw body of a request that is verified. Fields nobody here needs are ignored.

use std::fmt;

use flock_core::{RoomId, UserId};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::cut;

/// A slash command (Slack, "Implementing slash commands", 2026-11).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlashCommand {
    /// Who typed it.
    pub user: UserId,
    /// Their name, or empty: Slack is phasing it out.
    pub user_name: String,
    /// Where.
    pub room: RoomId,
    /// The command, with its slash.
    pub command: String,
    /// What follows the command; may be empty.
    pub text: String,
    /// Where answers go that come later.
    pub response_url: ResponseUrl,
    /// Opens a dialog within three seconds; may be empty.
    pub trigger_id: String,
}

/// Something on a message of ours was used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Interaction {
    /// A button was pressed.
    Button(Pressed),
    /// Something else, by its type.
    Other(String),
}

/// A pressed button (Slack, "`block_actions` payload", 2026-11).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pressed {
    /// Who pressed it.
    pub user: UserId,
    /// Their name, or empty.
    pub user_name: String,
    /// Where.
    pub room: RoomId,
    /// The button's `action_id`.
    pub action: String,
    /// The button's value; empty if it has none.
    pub value: String,
    /// Where answers go that come later.
    pub response_url: ResponseUrl,
    /// Opens a dialog within three seconds; may be empty.
    pub trigger_id: String,
    /// The `ts` of the message the button is on.
    pub message_ts: Option<String>,
}

/// A request to the events address (Slack, "Events API", 2026-11).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Callback {
    /// Slack asks whether the address is ours: the answer is the challenge.
    UrlVerification {
        /// The text to send back.
        challenge: String,
    },
    /// A person wrote something new.
    Message(Message),
    /// A bot wrote, maybe this one.
    FromBot,
    /// Something else, by its type or subtype: an edit, somebody joined.
    Other(String),
}

/// What a person wrote in a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Who wrote it.
    pub user: UserId,
    /// Where.
    pub room: RoomId,
    /// The text as Slack has it: `&`, `<` and `>` escaped, mentions as `<@U1>`. May be empty.
    pub text: String,
    /// The message's id within the room.
    pub ts: String,
    /// The `ts` of the message whose thread it is in.
    pub thread_ts: Option<String>,
    /// The event's id: the same when Slack delivers the event again.
    pub event_id: String,
    /// Our bot's user, if Slack says so.
    pub bot_user: Option<UserId>,
    /// Whether Slack sent it as a mention of the app. It sends the same message as a plain one, too, under another
    /// `event_id`, if the app reads the room.
    pub mention: bool,
}

/// Where a later answer goes. A credential: whoever knows it can write, so it does not print.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ResponseUrl(String);

impl ResponseUrl {
    /// The URL as Slack sent it; whether it is one of Slack's is checked when it is used.
    pub fn new(url: impl Into<String>) -> Self {
        Self(url.into())
    }

    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ResponseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ResponseUrl([REDACTED])")
    }
}

/// A body is not what Slack sends. Says what is wrong in a few words and holds little of the body.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnreadableBody {
    /// It is not JSON.
    #[error("Slack's {0} is not JSON")]
    NotJson(&'static str),
    /// A field is missing, or is not text.
    #[error("Slack's {body} has no text at {field}")]
    Missing {
        /// What was read.
        body: &'static str,
        /// The field.
        field: &'static str,
    },
    /// A field does not have the form it must have.
    #[error("Slack's {body} has `{value}` at {field}, which is not {expected}")]
    Invalid {
        /// What was read.
        body: &'static str,
        /// The field.
        field: &'static str,
        /// The beginning of what is there.
        value: String,
        /// What should be there.
        expected: &'static str,
    },
}

impl SlashCommand {
    /// Reads a form.
    pub fn parse(body: &[u8]) -> Result<Self, UnreadableBody> {
        let form = Form::parse(body);
        let fields = Fields { body: "slash command", get: |field| form.get(field) };
        Ok(Self {
            user: fields.user("user_id")?,
            user_name: fields.optional("user_name"),
            room: fields.room("channel_id")?,
            command: fields.required("command")?.to_owned(),
            text: fields.optional("text"),
            response_url: ResponseUrl::new(fields.required("response_url")?),
            trigger_id: fields.optional("trigger_id"),
        })
    }
}

impl Interaction {
    /// Reads a form with JSON in its field `payload`.
    pub fn parse(body: &[u8]) -> Result<Self, UnreadableBody> {
        const BODY: &str = "interaction";
        let form = Form::parse(body);
        let payload =
            form.get("payload").ok_or(UnreadableBody::Missing { body: BODY, field: "payload" })?;
        let payload: Value =
            serde_json::from_str(payload).map_err(|_| UnreadableBody::NotJson(BODY))?;
        let fields = Fields { body: BODY, get: |field| payload.pointer(field)?.as_str() };
        let kind = fields.required("/type")?;
        if kind != "block_actions" {
            return Ok(Self::Other(cut(kind)));
        }
        // Slack sends one action at a time.
        let element = fields.required("/actions/0/type")?;
        if element != "button" {
            return Ok(Self::Other(cut(element)));
        }
        Ok(Self::Button(Pressed {
            user: fields.user("/user/id")?,
            user_name: fields.first(["/user/username", "/user/name"]).unwrap_or_default(),
            room: fields
                .room("/channel/id")
                .or_else(|err| fields.room("/container/channel_id").map_err(|_| err))?,
            action: fields.required("/actions/0/action_id")?.to_owned(),
            value: fields.optional("/actions/0/value"),
            response_url: ResponseUrl::new(fields.required("/response_url")?),
            trigger_id: fields.optional("/trigger_id"),
            message_ts: fields.first(["/container/message_ts", "/message/ts"]),
        }))
    }
}

impl Callback {
    /// Reads JSON.
    pub fn parse(body: &[u8]) -> Result<Self, UnreadableBody> {
        const BODY: &str = "event";
        let body: Value =
            serde_json::from_slice(body).map_err(|_| UnreadableBody::NotJson(BODY))?;
        let fields = Fields { body: BODY, get: |field| body.pointer(field)?.as_str() };
        match fields.required("/type")? {
            "event_callback" => {}
            "url_verification" => {
                let challenge = fields.required("/challenge")?.to_owned();
                return Ok(Self::UrlVerification { challenge });
            }
            other => return Ok(Self::Other(cut(other))),
        }
        let kind = fields.required("/event/type")?;
        if kind != "message" && kind != "app_mention" {
            return Ok(Self::Other(cut(kind)));
        }
        let is_there = |field| body.pointer(field).is_some_and(|value| !value.is_null());
        let subtype = (fields.get)("/event/subtype");
        let bot_user = is_true(&body, "/authorizations/0/is_bot")
            .then(|| fields.user("/authorizations/0/user_id").ok())
            .flatten();
        let user = (fields.get)("/event/user");
        // Slackbot has no `bot_id`.
        let from_bot = is_there("/event/bot_id")
            || is_there("/event/bot_profile")
            || subtype == Some("bot_message")
            || user == Some("USLACKBOT")
            || (user.is_some() && user == bot_user.as_ref().map(UserId::as_str));
        if from_bot {
            return Ok(Self::FromBot);
        }
        match subtype {
            None | Some("thread_broadcast" | "file_share") => {}
            Some(other) => return Ok(Self::Other(cut(other))),
        }
        // A mention that an edit brought in comes without a subtype.
        if is_there("/event/edited") {
            return Ok(Self::Other("edited".to_owned()));
        }
        Ok(Self::Message(Message {
            user: fields.user("/event/user")?,
            room: fields.room("/event/channel")?,
            text: fields.optional("/event/text"),
            ts: fields.required("/event/ts")?.to_owned(),
            thread_ts: fields.first(["/event/thread_ts"]),
            event_id: fields.required("/event_id")?.to_owned(),
            bot_user,
            mention: kind == "app_mention",
        }))
    }
}

fn is_true(body: &Value, field: &str) -> bool {
    body.pointer(field).and_then(Value::as_bool) == Some(true)
}

/// A form's fields, decoded.
struct Form(Vec<(String, String)>);

impl Form {
    fn parse(body: &[u8]) -> Self {
        Self(form_urlencoded::parse(body).into_owned().collect())
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// The text fields of a body: `get` finds one by its name or JSON pointer.
struct Fields<F> {
    body: &'static str,
    get: F,
}

impl<'a, F: Fn(&'static str) -> Option<&'a str>> Fields<F> {
    fn required(&self, field: &'static str) -> Result<&'a str, UnreadableBody> {
        let text = (self.get)(field).filter(|text| !text.is_empty());
        text.ok_or(UnreadableBody::Missing { body: self.body, field })
    }

    fn optional(&self, field: &'static str) -> String {
        (self.get)(field).unwrap_or_default().to_owned()
    }

    fn first<const N: usize>(&self, fields: [&'static str; N]) -> Option<String> {
        fields.into_iter().find_map(|field| self.required(field).ok()).map(str::to_owned)
    }

    fn user(&self, field: &'static str) -> Result<UserId, UnreadableBody> {
        let id = self.required(field)?;
        id.parse().map_err(|_| self.invalid(field, id, "a user's id"))
    }

    fn room(&self, field: &'static str) -> Result<RoomId, UnreadableBody> {
        let id = self.required(field)?;
        id.parse().map_err(|_| self.invalid(field, id, "a channel's id"))
    }

    fn invalid(&self, field: &'static str, value: &str, expected: &'static str) -> UnreadableBody {
        UnreadableBody::Invalid { body: self.body, field, value: cut(value), expected }
    }
}
