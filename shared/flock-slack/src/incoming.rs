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

/// Whether a form is Slack's question whether there is a valid certificate at the address: `ssl_check=1`, beside
/// a token nobody checks any more (Slack, "Implementing slash commands" and `SslCheck` of its framework Bolt,
/// 2026-11). It asks for nothing, whatever else is in it.
pub fn is_ssl_check(body: &[u8]) -> bool {
    form_urlencoded::parse(body).any(|(name, value)| name == "ssl_check" && value == "1")
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    const COMMAND: &str = "token=t&team_id=T1&channel_id=C1&channel_name=flock&user_id=U1\
        &user_name=ada&command=%2Fflock&text=say+%22a%26b%22&api_app_id=A1\
        &response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1%2F2%2Fsecret&trigger_id=1.2.3";

    fn press() -> Value {
        json!({
            "type": "block_actions", "team": { "id": "T1" }, "trigger_id": "1.2.3",
            "user": { "id": "U1", "username": "ada", "name": "ada", "team_id": "T1" },
            "container": { "type": "message", "message_ts": "1.2", "channel_id": "C1" },
            "channel": { "id": "C1", "name": "flock" }, "message": { "ts": "1.2", "text": "x" },
            "response_url": "https://hooks.slack.com/actions/T1/2/secret",
            "actions": [{
                "type": "button", "action_id": "wipe", "block_id": "b", "value": "w1",
                "text": { "type": "plain_text", "text": "Wipe" }, "action_ts": "1.3",
            }],
        })
    }

    fn event() -> Value {
        json!({
            "type": "event_callback", "team_id": "T1", "event_id": "Ev1", "event_time": 123,
            "authorizations": [{ "team_id": "T1", "user_id": "UBOT", "is_bot": true }],
            "event": {
                "type": "message", "channel_type": "channel", "channel": "C1", "user": "U1",
                "text": "hello &lt;", "ts": "1.2", "event_ts": "1.2", "client_msg_id": "c",
            },
        })
    }

    /// `value` with `field` replaced, or removed for null.
    fn with(mut value: Value, field: &str, to: impl Into<Value>) -> Value {
        let (parent, name) = field.rsplit_once('/').unwrap();
        let parent = value.pointer_mut(parent).unwrap().as_object_mut().unwrap();
        match to.into() {
            Value::Null => parent.remove(name),
            to => parent.insert(name.to_owned(), to),
        };
        value
    }

    fn form(payload: &Value) -> Vec<u8> {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("payload", &payload.to_string()).finish().into_bytes()
    }

    fn callback(body: &Value) -> Result<Callback, UnreadableBody> {
        Callback::parse(body.to_string().as_bytes())
    }

    fn interaction(payload: &Value) -> Result<Interaction, UnreadableBody> {
        Interaction::parse(&form(payload))
    }

    /// The callback that a change of the event makes.
    #[track_caller]
    fn changed(field: &str, to: impl Into<Value>, expected: &str) {
        let found = callback(&with(event(), field, to));
        let found = found.map(|callback| match callback {
            Callback::Message(message) => format!("{} {:?}", message.user, message.text),
            other => format!("{other:?}"),
        });
        assert_eq!(found.unwrap_or_else(|err| err.to_string()), expected, "{field}");
    }

    #[test]
    fn a_slash_command() {
        insta::assert_debug_snapshot!(SlashCommand::parse(COMMAND.as_bytes()).unwrap(), @r#"
        SlashCommand {
            user: UserId(
                "U1",
            ),
            user_name: "ada",
            room: RoomId(
                "C1",
            ),
            command: "/flock",
            text: "say \"a&b\"",
            response_url: ResponseUrl([REDACTED]),
            trigger_id: "1.2.3",
        }
        "#);
        let short = "user_id=W1&channel_id=D1&command=/flock&response_url=x";
        let command = SlashCommand::parse(short.as_bytes()).unwrap();
        assert_eq!((command.text.as_str(), command.user_name.as_str()), ("", ""));
    }

    #[test]
    fn a_check_of_the_certificate() {
        for yes in ["ssl_check=1", "ssl_check=1&token=t", "token=t&ssl_check=1", "ssl%5Fcheck=%31"]
        {
            assert!(is_ssl_check(yes.as_bytes()), "{yes}");
        }
        assert!(is_ssl_check(format!("{COMMAND}&ssl_check=1").as_bytes()));
        for no in ["", "ssl_check", "ssl_check=", "ssl_check=0", "ssl_check=11", "ssl_check= 1"] {
            assert!(!is_ssl_check(no.as_bytes()), "{no}");
        }
        let inside = COMMAND.replace("text=", "text=ssl_check%3D1%26ssl_check%3D1");
        for no in [COMMAND, &inside, "text=ssl_check=1", r#"{"ssl_check":"1"}"#, "SSL_CHECK=1"] {
            assert!(!is_ssl_check(no.as_bytes()), "{no}");
        }
    }

    #[test]
    fn a_pressed_button() {
        insta::assert_debug_snapshot!(interaction(&press()).unwrap(), @r#"
        Button(
            Pressed {
                user: UserId(
                    "U1",
                ),
                user_name: "ada",
                room: RoomId(
                    "C1",
                ),
                action: "wipe",
                value: "w1",
                response_url: ResponseUrl([REDACTED]),
                trigger_id: "1.2.3",
                message_ts: Some(
                    "1.2",
                ),
            },
        )
        "#);
        let Ok(Interaction::Button(pressed)) = interaction(&with(press(), "/channel", Value::Null))
        else {
            panic!("a button was pressed")
        };
        assert_eq!(pressed.room.as_str(), "C1");
    }

    #[test]
    fn other_interactions() {
        let other = |kind: &str| Ok(Interaction::Other(kind.to_owned()));
        let found = interaction(&json!({ "type": "view_submission", "view": {} }));
        assert_eq!(found, other("view_submission"));
        let menu = json!([{ "type": "static_select", "action_id": "a" }]);
        assert_eq!(interaction(&with(press(), "/actions", menu)), other("static_select"));
    }

    #[test]
    fn a_message() {
        insta::assert_debug_snapshot!(callback(&event()).unwrap(), @r#"
        Message(
            Message {
                user: UserId(
                    "U1",
                ),
                room: RoomId(
                    "C1",
                ),
                text: "hello &lt;",
                ts: "1.2",
                thread_ts: None,
                event_id: "Ev1",
                bot_user: Some(
                    UserId(
                        "UBOT",
                    ),
                ),
                mention: false,
            },
        )
        "#);
        let mention = with(event(), "/event/type", "app_mention");
        let mention = with(mention, "/event/thread_ts", "1.1");
        let Ok(Callback::Message(message)) = callback(&mention) else { panic!("a mention") };
        assert!(message.mention);
        assert_eq!(message.thread_ts.as_deref(), Some("1.1"));
    }

    #[test]
    fn slack_asks_for_the_address() {
        let found =
            callback(&json!({ "token": "t", "challenge": "c", "type": "url_verification" }));
        assert_eq!(found, Ok(Callback::UrlVerification { challenge: "c".to_owned() }));
    }

    #[test]
    fn only_new_messages_of_people_count() {
        let message = r#"U1 "hello &lt;""#;
        changed("/event/subtype", Value::Null, message);
        changed("/event/subtype", "thread_broadcast", message);
        changed("/event/subtype", "file_share", message);
        changed("/authorizations", json!([]), message);
        changed("/event/text", Value::Null, r#"U1 """#);
        changed("/event/bot_id", "B1", "FromBot");
        changed("/event/bot_profile", json!({}), "FromBot");
        changed("/event/subtype", "bot_message", "FromBot");
        changed("/event/user", "UBOT", "FromBot");
        changed("/event/user", "USLACKBOT", "FromBot");
        changed("/event/subtype", "message_changed", r#"Other("message_changed")"#);
        changed("/event/subtype", "channel_join", r#"Other("channel_join")"#);
        changed("/event/edited", json!({ "user": "U1" }), r#"Other("edited")"#);
        changed("/event/type", "reaction_added", r#"Other("reaction_added")"#);
        changed("/type", "app_rate_limited", r#"Other("app_rate_limited")"#);
    }

    #[test]
    fn what_is_missing_is_named() {
        changed("/type", Value::Null, "Slack's event has no text at /type");
        changed("/event", Value::Null, "Slack's event has no text at /event/type");
        changed("/event_id", Value::Null, "Slack's event has no text at /event_id");
        changed("/event/user", 7, "Slack's event has no text at /event/user");
        changed(
            "/event/channel",
            "general",
            "Slack's event has `general` at /event/channel, which is not a channel's id",
        );
        let said = |body: &str| SlashCommand::parse(body.as_bytes()).unwrap_err().to_string();
        assert_eq!(said(""), "Slack's slash command has no text at user_id");
        assert_eq!(
            said(&format!("user_id={}%0A", "x".repeat(39) + "%0Ay")),
            format!(
                "Slack's slash command has `{}\\n…` at user_id, which is not a user's id",
                "x".repeat(39)
            )
        );
        let said = |body: &[u8]| Interaction::parse(body).unwrap_err().to_string();
        assert_eq!(said(b"{}"), "Slack's interaction has no text at payload");
        assert_eq!(said(b"payload={"), "Slack's interaction is not JSON");
        let no_action = with(press(), "/actions", json!([]));
        assert_eq!(said(&form(&no_action)), "Slack's interaction has no text at /actions/0/type");
        let no_url = with(press(), "/response_url", Value::Null);
        assert_eq!(said(&form(&no_url)), "Slack's interaction has no text at /response_url");
    }

    #[test]
    fn response_urls_are_stored_and_do_not_print() {
        let url = ResponseUrl::new("https://hooks.slack.com/commands/secret");
        let stored = serde_json::to_string(&url).unwrap();
        assert_eq!(stored, r#""https://hooks.slack.com/commands/secret""#);
        assert_eq!(serde_json::from_str::<ResponseUrl>(&stored).unwrap(), url);
        assert_eq!(format!("{url:?}"), "ResponseUrl([REDACTED])");
    }

    /// Reads `body` as everything it could be; what is wrong with it is said in a few words.
    fn read(body: &[u8]) {
        let errors = [
            SlashCommand::parse(body).err(),
            Interaction::parse(body).err(),
            Callback::parse(body).err(),
        ];
        for err in errors.into_iter().flatten() {
            assert!(err.to_string().chars().count() < 500, "{err}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(body in prop::collection::vec(any::<u8>(), 0..300)) {
            read(&body);
        }

        #[test]
        fn damaged_bodies_are_read_or_refused(
            which in 0_usize..3, place: prop::sample::Index, length in 0_usize..20,
            by in prop_oneof![
                prop::collection::vec(any::<u8>(), 0..8), Just(b"null".to_vec()),
                Just(b"[{}]".to_vec()), Just(b"\"".to_vec()), Just(b"%ff".to_vec()),
            ],
        ) {
            let mut body = match which {
                0 => COMMAND.as_bytes().to_vec(),
                1 => form(&press()),
                _ => event().to_string().into_bytes(),
            };
            let start = place.index(body.len());
            let end = (start + length).min(body.len());
            body.splice(start..end, by);
            read(&body);
        }
    }
}
