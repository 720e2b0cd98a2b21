//! What Slack sends to the app when people type and press: signed requests over HTTP, to the routes of the
//! template. What comes back is shown in the room, as Slack does.

use std::{collections::BTreeMap, time::Duration};

use flock_core::{RoomId, UserId};
use reqwest::header::{CONTENT_TYPE, USER_AGENT};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::time::Instant;

use loopback::unheard;

use crate::{
    limits::TEXT,
    workspace::{
        APP, Author, BOT, BOT_AUTHOR, BOT_NAME, LocalSlack, Message, NewMessage, TEAM, Workspace,
    },
};

/// The one command of the app.
pub const COMMAND: &str = "/flock";

/// How long Slack waits for an answer (Slack, "Implementing slash commands", 2026-11).
const SLACK_WAITS: Duration = Duration::from_secs(3);

/// How long we do, because here a function may be built for debugging and the machine busy.
const WE_WAIT: Duration = Duration::from_secs(30);

/// The local Slack with the app in it.
#[derive(Debug, Clone)]
pub struct SlackSender {
    slack: LocalSlack,
    app_url: String,
    signing_secret: SecretString,
    http: reqwest::Client,
}

/// A button cannot be pressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("there is no such button any more; look at the room again")]
pub struct NoSuchButton;

/// Which button.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ButtonPlace {
    /// The `ts` of its message.
    pub ts: String,
    /// The id of its block.
    pub block: String,
    /// Its own id in the block.
    pub action: String,
}

/// What the app answered to a request.
struct Answer {
    status: u16,
    is_json: bool,
    body: String,
    took: Duration,
}

impl SlackSender {
    /// The local Slack, which sends its requests to `app_url` and signs them.
    pub fn new(slack: LocalSlack, app_url: String, signing_secret: SecretString) -> Self {
        let http = reqwest::Client::builder().no_proxy().timeout(WE_WAIT);
        let http = http.build().expect("the settings are constant");
        Self { slack, app_url, signing_secret, http }
    }

    pub(crate) fn workspace(&self) -> &Workspace {
        self.slack.workspace()
    }

    /// Lets `user` enter `typed` in `room`, in the thread of `thread_ts` if given one, and waits until the app
    /// has answered.
    pub async fn enter(
        &self,
        user: &UserId,
        room: &RoomId,
        thread_ts: Option<String>,
        typed: &str,
    ) {
        let typed = typed.trim();
        if typed.is_empty() {
            return;
        }
        self.workspace().lock().admit(user, room);
        if TEXT < typed.chars().count() {
            let text = format!(
                "Your message is too long: Slack takes {TEXT} characters at most. Send it in parts."
            );
            return self.workspace().slackbot(room, user, text);
        }
        let names = self.name_ids();
        let Some(rest) = typed.strip_prefix('/') else {
            let text = wire(typed, &names, false);
            return self.message(user, room, thread_ts, text).await;
        };
        let (command, text) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
        if !format!("/{command}").eq_ignore_ascii_case(COMMAND) {
            let text = format!("`/{}` is not a valid command.", flock_slack::escape(command));
            return self.workspace().slackbot(room, user, text);
        }
        let typed = wire(typed, &names, false);
        self.command(user, room, &wire(text.trim(), &names, true), typed).await;
    }

    /// Lets `user` press a button in `room`.
    pub async fn press(
        &self,
        user: &UserId,
        room: &RoomId,
        place: &ButtonPlace,
    ) -> Result<(), NoSuchButton> {
        let (payload, ts) = {
            let mut slack = self.workspace().lock();
            slack.admit(user, room);
            let message = slack.message(room, &place.ts).ok_or(NoSuchButton)?.clone();
            let seen = message.only_for.as_ref().is_none_or(|only| only == user);
            let button = button(&message, place).filter(|_| seen && !message.deleted);
            let mut action = button.ok_or(NoSuchButton)?.clone();
            let number = slack.number();
            action["block_id"] = json!(place.block);
            action["action_ts"] = json!(format!("{}.{number:06}", self.seconds()));
            let name = slack.person(user.as_str()).unwrap_or_default();
            let mut payload = json!({
                "type": "block_actions",
                "api_app_id": APP,
                "token": "local",
                "team": { "id": TEAM, "domain": "local" },
                "enterprise": null,
                "is_enterprise_install": false,
                "user": { "id": user.as_str(), "username": name, "name": name, "team_id": TEAM },
                "channel": { "id": room.as_str(), "name": slack.room_name(room) },
                "container": {
                    "type": "message", "message_ts": message.ts, "channel_id": room.as_str(),
                    "is_ephemeral": message.only_for.is_some(),
                },
                "trigger_id": trigger_id(),
                "state": { "values": {} },
                "actions": [action],
            });
            // Slack does not say what it has shown to one person alone.
            if message.only_for.is_none() {
                payload["message"] = json!({
                    "type": "message", "user": BOT, "bot_id": BOT_AUTHOR, "app_id": APP, "team": TEAM,
                    "ts": message.ts, "text": message.text, "blocks": message.blocks,
                });
                if let Some(thread_ts) = &message.thread_ts {
                    payload["message"]["thread_ts"] = json!(thread_ts);
                }
            }
            (payload, message.ts)
        };
        let mut payload = payload;
        payload["response_url"] = json!(self.slack.response_url(user, room, Some(&ts)));
        let body = form(&[("payload", &payload.to_string())]);
        match self.send("/slack/interactivity", FORM, body).await {
            Ok(answer) if answer.is_success() => self.tell_if_slow(user, room, &answer),
            Ok(answer) => self.tell_failure(user, room, "This button", &answer.why()),
            Err(why) => self.tell_failure(user, room, "This button", &why),
        }
        Ok(())
    }

    async fn command(&self, user: &UserId, room: &RoomId, text: &str, typed: String) {
        let said = NewMessage {
            author: Author::Person(user.clone()),
            only_for: Some(user.clone()),
            thread_ts: None,
            text: typed,
            blocks: Vec::new(),
            metadata: None,
        };
        let said = self.workspace().add(room, said);
        let response_url = self.slack.response_url(user, room, None);
        let body = {
            let slack = self.workspace().lock();
            form(&[
                ("token", "local"),
                ("team_id", TEAM),
                ("team_domain", "local"),
                ("channel_id", room.as_str()),
                ("channel_name", slack.room_name(room)),
                ("user_id", user.as_str()),
                ("user_name", slack.person(user.as_str()).unwrap_or_default()),
                ("command", COMMAND),
                ("text", text),
                ("api_app_id", APP),
                ("is_enterprise_install", "false"),
                ("response_url", &response_url),
                ("trigger_id", &trigger_id()),
            ])
        };
        let what = "`/flock`";
        let answer = match self.send("/slack/commands", FORM, body).await {
            Ok(answer) if answer.is_success() => answer,
            Ok(answer) => return self.tell_failure(user, room, what, &answer.why()),
            Err(why) => return self.tell_failure(user, room, what, &why),
        };
        if !answer.body.trim().is_empty() {
            let message = match serde_json::from_str::<Value>(&answer.body) {
                Ok(message) if answer.is_json && message.is_object() => message,
                _ => json!({ "text": answer.body }),
            };
            let everybody = message["response_type"] == "in_channel";
            if everybody {
                self.workspace().lock().reveal(room, &said);
            }
            let only_for = (!everybody).then(|| user.clone());
            let added = self.workspace().add_from_app(room, only_for, &message);
            if let Err(refused) = added {
                let why = format!("{}: {}", refused.code, refused.problems.join("; "));
                self.tell_failure(user, room, what, &why);
            }
        }
        self.tell_if_slow(user, room, &answer);
    }

    async fn message(&self, user: &UserId, room: &RoomId, thread_ts: Option<String>, text: String) {
        let mentions = text.contains(&format!("<@{BOT}>"));
        let new = NewMessage {
            author: Author::Person(user.clone()),
            only_for: None,
            thread_ts: thread_ts.clone(),
            text: text.clone(),
            blocks: Vec::new(),
            metadata: None,
        };
        let ts = self.workspace().add(room, new);
        let in_private = room.as_str().starts_with('D');
        // Slack sends the same message twice to an app that reads the room, each with an id of its own.
        for kind in ["app_mention", "message"] {
            if kind == "app_mention" && (!mentions || in_private) {
                continue;
            }
            let mut event = json!({
                "type": kind, "user": user.as_str(), "text": text, "ts": ts, "event_ts": ts,
                "channel": room.as_str(), "team": TEAM,
            });
            if kind == "message" {
                event["channel_type"] = json!(match room.as_str().chars().next() {
                    Some('D') => "im",
                    Some('G') => "group",
                    _ => "channel",
                });
            }
            if let Some(thread_ts) = &thread_ts {
                event["thread_ts"] = json!(thread_ts);
            }
            let body = json!({
                "token": "local", "team_id": TEAM, "api_app_id": APP, "type": "event_callback",
                "event_id": format!("Ev{}", unheard()),
                "event_time": self.seconds(), "event": event,
                "authorizations": [{
                    "enterprise_id": null, "team_id": TEAM, "user_id": BOT, "is_bot": true,
                    "is_enterprise_install": false,
                }],
                "is_ext_shared_channel": false,
            });
            match self.send("/slack/events", JSON, body.to_string()).await {
                Ok(answer) if answer.is_success() => self.tell_if_slow(user, room, &answer),
                Ok(answer) => self.tell_failure(user, room, "The event", &answer.why()),
                Err(why) => self.tell_failure(user, room, "The event", &why),
            }
        }
    }

    /// Sends a signed request; otherwise why it came to nothing.
    async fn send(&self, path: &str, kind: &str, body: String) -> Result<Answer, String> {
        let now = self.workspace().clock().now();
        let signature = flock_slack::sign(&self.signing_secret, now, body.as_bytes());
        let started = Instant::now();
        let request = self
            .http
            .post(format!("{}{path}", self.app_url))
            .header(CONTENT_TYPE, kind)
            .header(USER_AGENT, "Slackbot 1.0 (+https://api.slack.com/robots)")
            .header("X-Slack-Request-Timestamp", now.as_second().to_string())
            .header("X-Slack-Signature", signature)
            .body(body);
        let answer = async {
            let response = request.send().await?;
            let status = response.status().as_u16();
            let kind = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
            let is_json = kind.is_some_and(|kind| kind.starts_with("application/json"));
            let body = response.text().await?;
            Ok(Answer { status, is_json, body, took: started.elapsed() })
        };
        answer.await.map_err(|err: reqwest::Error| {
            if err.is_timeout() {
                format!("operation_timeout: the app did not answer within {} s", WE_WAIT.as_secs())
            } else {
                "dispatch_failed: the app cannot be reached".to_owned()
            }
        })
    }

    fn tell_failure(&self, user: &UserId, room: &RoomId, what: &str, why: &str) {
        let text = format!("{what} failed with the error {}", flock_slack::escape(why));
        self.workspace().slackbot(room, user, text);
    }

    fn tell_if_slow(&self, user: &UserId, room: &RoomId, answer: &Answer) {
        if SLACK_WAITS < answer.took {
            let took = answer.took.as_secs_f32();
            let text = format!(
                "The app took {took:.1} s to answer. Slack waits for 3 s and then shows operation_timeout."
            );
            self.workspace().slackbot(room, user, text);
        }
    }

    /// Ids by what people type.
    fn name_ids(&self) -> BTreeMap<String, String> {
        let names = self.workspace().lock().names();
        let people = names.people.into_iter().map(|(id, name)| (format!("@{name}"), id));
        let rooms = names.rooms.into_iter().map(|(id, name)| (format!("#{name}"), id));
        people.chain(rooms).collect()
    }

    fn seconds(&self) -> i64 {
        self.workspace().clock().now().as_second()
    }
}

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";

impl Answer {
    fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    fn why(&self) -> String {
        let body: String = self.body.chars().take(200).collect();
        format!("http_service_error: the app answered {} {body}", self.status).trim_end().to_owned()
    }
}

fn form(fields: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

fn trigger_id() -> String {
    format!("13345224609.738474920.{}", unheard())
}

/// The button at a place in a message.
fn button<'m>(message: &'m Message, place: &ButtonPlace) -> Option<&'m Value> {
    let block = message.blocks.iter().find(|block| block["block_id"] == place.block.as_str())?;
    let elements = block["elements"].as_array().into_iter().flatten();
    let mut buttons = elements.chain(block.get("accessory"));
    buttons.find(|element| {
        element["type"] == "button" && element["action_id"] == place.action.as_str()
    })
}

/// What people type as Slack's clients send it: `&`, `<` and `>` escaped, links marked, emoji by their names, names of people
/// and rooms as ids. In a command the name is beside the id. What stands as code is no link and no emoji.
fn wire(typed: &str, ids: &BTreeMap<String, String>, in_command: bool) -> String {
    let mut text = String::new();
    let mut rest = typed;
    let (mut at_edge, mut in_code) = (true, false);
    // What is not sent yet, because an emoji may be several characters.
    let mut plain = String::new();
    let send = |plain: &mut String, in_code: bool| {
        let plain = std::mem::take(plain);
        flock_slack::escape(&if in_code { plain } else { flock_slack::with_shortcodes(&plain) })
    };
    while let Some(c) = rest.chars().next() {
        let mark = || special(rest, ids, in_command).or_else(|| link(rest).filter(|_| !in_code));
        if at_edge && let Some((sent, after)) = mark() {
            text += &send(&mut plain, in_code);
            text += &sent;
            rest = after;
            at_edge = false;
            continue;
        }
        plain.push(c);
        if c == '`' {
            text += &send(&mut plain, in_code);
            in_code = !in_code;
        }
        at_edge = !c.is_alphanumeric();
        rest = &rest[c.len_utf8()..];
    }
    text + &send(&mut plain, in_code)
}

/// A link at the start of `rest`, marked: an address that says how to get there, or what is one without that.
fn link(rest: &str) -> Option<(String, &str)> {
    let end = rest.find(|c: char| c.is_whitespace() || "<>`|".contains(c)).unwrap_or(rest.len());
    // What follows an address in a sentence.
    let word = rest[..end].trim_end_matches(|c: char| ".,;:!?)'\"*_~…’”".contains(c));
    let after = &rest[word.len()..];
    let sent = flock_slack::escape(word);
    if ["http://", "https://"]
        .iter()
        .any(|scheme| word.len() > scheme.len() && word.starts_with(scheme))
    {
        return Some((format!("<{sent}>"), after));
    }
    // X knows the same top-level domains, and counts what has one as a link.
    let is_address = |text: &str| {
        text.starts_with(char::is_alphanumeric)
            && (flock_core::Network::X.facts().measure)(text).links == 1
    };
    let is_plain = |text: &str| text.chars().all(|c| c.is_alphanumeric() || "-_.+".contains(c));
    if let Some((name, host)) = word.split_once('@') {
        let is_email = !name.is_empty() && is_plain(name) && is_plain(host) && is_address(host);
        return is_email.then(|| (format!("<mailto:{sent}|{sent}>"), after));
    }
    let (host, _) = word.split_at(word.find(['/', '?', '#']).unwrap_or(word.len()));
    (is_plain(host) && is_address(host)).then(|| (format!("<http://{sent}|{sent}>"), after))
}

fn special<'t>(
    rest: &'t str,
    ids: &BTreeMap<String, String>,
    in_command: bool,
) -> Option<(String, &'t str)> {
    // Whoever knows the form may use it.
    if rest.starts_with("<@") || rest.starts_with("<#") {
        let end = rest.find('>')? + 1;
        let inside = &rest[2..end - 1];
        let plain = |c: char| c.is_ascii_alphanumeric() || "|-_.".contains(c);
        return inside.chars().all(plain).then(|| (rest[..end].to_owned(), &rest[end..]));
    }
    if !rest.starts_with(['@', '#']) {
        return None;
    }
    let end = rest[1..].find(|c: char| !c.is_alphanumeric() && !"-_.".contains(c));
    let (name, after) = rest.split_at(end.map_or(rest.len(), |end| end + 1));
    if ["@here", "@channel", "@everyone"].contains(&name) {
        return Some((format!("<!{}>", &name[1..]), after));
    }
    let id = ids.get(&name.to_lowercase())?;
    let (mark, name) = name.split_at(1);
    let label = if in_command || mark == "#" {
        let name = if id == BOT { BOT_NAME } else { name };
        format!("|{}", name.to_lowercase())
    } else {
        String::new()
    };
    Some((format!("<{mark}{id}{label}>"), after))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// The app reads what was typed: what it undoes is what this does.
        #[test]
        fn what_is_sent_can_be_read(typed in "(👋|👋🏼|❤️|example\\.com|https://x\\.test/|me@a\\.com|[^:@`#<>|]|[&.,@/] ){0,20}") {
            let sent = wire(&typed, &BTreeMap::new(), false);
            prop_assert_eq!(flock_slack::typed(&sent), typed);
        }
    }

    #[track_caller]
    fn check(typed: &str, message: &str, command: &str) {
        let ids = [("@ben", "U2"), ("@flockwork", BOT), ("#general", "C1")];
        let ids = ids.map(|(name, id)| (name.to_owned(), id.to_owned())).into();
        assert_eq!(wire(typed, &ids, false), message, "{typed:?}");
        assert_eq!(wire(typed, &ids, true), command, "{typed:?}");
    }

    #[test]
    fn text_is_sent_as_slack_sends_it() {
        check("a < b & c", "a &lt; b &amp; c", "a &lt; b &amp; c");
        check("@flockwork alive", "<@U0FLOCK> alive", "<@U0FLOCK|flockwork> alive");
        check("@flo alive @nobody", "@flo alive @nobody", "@flo alive @nobody");
        check("grant @Ben, now", "grant <@U2>, now", "grant <@U2|ben>, now");
        check("in #general", "in <#C1|general>", "in <#C1|general>");
        check("mail a@ben", "mail a@ben", "mail a@ben");
        check("<@U2> <#C1> <@U2|ben>", "<@U2> <#C1> <@U2|ben>", "<@U2> <#C1> <@U2|ben>");
        check("<!channel> @here", "&lt;!channel&gt; <!here>", "&lt;!channel&gt; <!here>");
        let both = |typed: &str, sent: &str| check(typed, sent, sent);
        both("hi 👋🏼, ❤️!", "hi :wave::skin-tone-3:, :heart:!");
        both(":wave: `👋 a.com`", ":wave: `👋 a.com`");
        both("see example.com.", "see <http://example.com|example.com>.");
        both("(Example.com/a?b&c)", "(<http://Example.com/a?b&amp;c|Example.com/a?b&amp;c>)");
        both("e.g. cool.jpg, 2.5 a.b", "e.g. cool.jpg, 2.5 a.b");
        both("me@example.com", "<mailto:me@example.com|me@example.com>");
        both("@ada@example.com", "@<mailto:ada@example.com|ada@example.com>");
        both("https://x.test/a, or http://", "<https://x.test/a>, or http://");
        check(
            "see https://x.test/?a&b now",
            "see <https://x.test/?a&amp;b> now",
            "see <https://x.test/?a&amp;b> now",
        );
    }
}
