//! Slack on this machine, in memory: people, rooms and what was said in them, the Web API and the response URLs
//! that the functions call. What Slack sends to us is [`crate::sender`].
//!
//! Any bearer's token is accepted, because there is one app; whoever calls knows the address, which nobody guesses.

use std::{
    collections::{BTreeMap, HashMap},
    io,
    net::Ipv4Addr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use axum::{
    Json, Router,
    body::Bytes,
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Response},
    routing::post,
};
use flock_aws::Clock;
use flock_core::{RoomId, UserId};
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinHandle};

use loopback::{
    Key, Token,
    serve::{Limits, serve_guarded},
    unheard,
};

use crate::{
    limits::{self, Refused},
    mrkdwn::Names,
};

/// The bot's user.
pub const BOT: &str = "U0FLOCK";

/// The name of the bot, and of its user.
pub const BOT_NAME: &str = "flockwork";

/// The workspace.
pub const TEAM: &str = "T0LOCAL";

/// The app.
pub const APP: &str = "A0FLOCK";

/// The app as the author of messages.
pub const BOT_AUTHOR: &str = "B0FLOCK";

const SLACKBOT: &str = "USLACKBOT";

/// How often a response URL is taken, and for how long (Slack, "Handling user interaction", 2026-11).
const ANSWERS: u32 = 5;
const ANSWERED_FOR: Duration = Duration::from_mins(30);

/// Messages kept of a room, the newest.
const KEPT: usize = 500;

/// Who is there from the start; the first owns the workspace.
const PEOPLE: [(&str, &str); 3] = [("U1", "ada"), ("U2", "ben"), ("U3", "cyd")];

/// Which rooms there are from the start, and who made them.
const ROOMS: [(&str, &str, &str); 2] = [("C1", "general", "U1"), ("C2", "random", "U2")];

/// The local Slack. It stops when the last of its clones is dropped.
#[derive(Debug, Clone)]
pub struct LocalSlack {
    url: String,
    workspace: Workspace,
    _serving: Arc<Serving>,
}

/// People, rooms and messages.
#[derive(Debug, Clone)]
pub(crate) struct Workspace {
    clock: Clock,
    state: Arc<Mutex<Slack>>,
}

#[derive(Debug)]
struct Serving(JoinHandle<()>);

#[derive(Debug, Default)]
pub(crate) struct Slack {
    people: BTreeMap<String, String>,
    rooms: BTreeMap<String, Room>,
    answers: HashMap<String, ResponseUrl>,
    /// Counts everything that gets a number of its own.
    count: u64,
    /// When the newest message was said, in microseconds.
    newest_us: i64,
}

#[derive(Debug)]
struct Room {
    name: String,
    creator: String,
    messages: Vec<Message>,
}

/// Something that was said in a room.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// When, and its id within the room.
    pub ts: String,
    /// The message whose thread it is in.
    pub thread_ts: Option<String>,
    /// Who said it.
    pub author: Author,
    /// Who alone sees it.
    pub only_for: Option<UserId>,
    /// The text; where there are blocks, what a notification says.
    pub text: String,
    /// The blocks.
    pub blocks: Vec<Value>,
    /// What the app has written there for itself.
    pub metadata: Option<Value>,
    /// Whether it took the place of another.
    pub edited: bool,
    /// Whether it is gone.
    pub deleted: bool,
    /// The number of the last change to it; later ones are greater.
    pub change: u64,
}

/// Who said something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Author {
    /// A person.
    Person(UserId),
    /// Our app.
    Bot,
    /// Slack itself, which says what went wrong.
    Slackbot,
}

/// What a message is to be.
#[derive(Debug, Clone)]
pub(crate) struct NewMessage {
    pub(crate) author: Author,
    pub(crate) only_for: Option<UserId>,
    pub(crate) thread_ts: Option<String>,
    pub(crate) text: String,
    pub(crate) blocks: Vec<Value>,
    pub(crate) metadata: Option<Value>,
}

/// Where an answer to a command or a button goes.
#[derive(Debug, Clone)]
struct ResponseUrl {
    user: UserId,
    room: RoomId,
    /// The message with the button.
    original: Option<String>,
    left: u32,
    until: Instant,
}

impl LocalSlack {
    /// Starts it on a free loopback port; messages have the time of `clock`.
    pub async fn start(clock: Clock) -> io::Result<Self> {
        let mut slack = Slack::default();
        slack.people.extend(PEOPLE.map(|(id, name)| (id.to_owned(), name.to_owned())));
        slack
            .rooms
            .extend(ROOMS.map(|(id, name, creator)| (id.to_owned(), Room::new(name, creator))));
        let workspace = Workspace { clock, state: Arc::new(Mutex::new(slack)) };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        // Its address alone is told to functions, so that is what nobody else knows.
        let token = Token::new();
        let url = format!("http://{}/{}", listener.local_addr()?, token.expose());
        let router = Router::new()
            .route("/api/{method}", post(web_api))
            .route("/response/{id}", post(response_url))
            .with_state(workspace.clone());
        let key = Key::Path(token);
        let serving = tokio::spawn(async move {
            serve_guarded(listener, key, router, Limits::USUAL).await;
        });
        Ok(Self { url, workspace, _serving: Arc::new(Serving(serving)) })
    }

    /// Where the Web API is, for `SLACK_URL`.
    pub fn api_url(&self) -> String {
        format!("{}/api", self.url)
    }

    /// What `user` sees in `room`, oldest first.
    pub fn messages(&self, room: &RoomId, user: &UserId) -> Vec<Message> {
        self.workspace.lock().seen(room, user)
    }

    pub(crate) fn workspace(&self) -> &Workspace {
        &self.workspace
    }

    /// A response URL for what `user` does in `room`, on the message `original` if it is one with a button.
    pub(crate) fn response_url(
        &self,
        user: &UserId,
        room: &RoomId,
        original: Option<&str>,
    ) -> String {
        let id = unheard();
        let answer = ResponseUrl {
            user: user.clone(),
            room: room.clone(),
            original: original.map(str::to_owned),
            left: ANSWERS,
            until: Instant::now() + ANSWERED_FOR,
        };
        self.workspace.lock().answers.insert(id.clone(), answer);
        format!("{}/response/{id}", self.url)
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Room {
    fn new(name: impl Into<String>, creator: impl Into<String>) -> Self {
        Self { name: name.into(), creator: creator.into(), messages: Vec::new() }
    }
}

impl Workspace {
    pub(crate) fn clock(&self) -> &Clock {
        &self.clock
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Slack> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a message to a room that is there; returns its `ts`.
    pub(crate) fn add(&self, room: &RoomId, new: NewMessage) -> String {
        let now = self.clock.now();
        self.lock().add(room, new, now)
    }

    /// Lets Slack say something to `user` alone.
    pub(crate) fn slackbot(&self, room: &RoomId, user: &UserId, text: String) {
        let (author, only_for) = (Author::Slackbot, Some(user.clone()));
        let (thread_ts, blocks, metadata) = (None, Vec::new(), None);
        self.add(room, NewMessage { author, only_for, thread_ts, text, blocks, metadata });
    }

    /// Adds what the app says; with it come the problems of a message Slack does not take.
    pub(crate) fn add_from_app(
        &self,
        room: &RoomId,
        only_for: Option<UserId>,
        message: &Value,
    ) -> Result<String, Refused> {
        limits::check(message)?;
        Ok(self.add(room, NewMessage::from_app(only_for, message)))
    }
}

impl NewMessage {
    fn from_app(only_for: Option<UserId>, message: &Value) -> Self {
        let text = |field: &str| message[field].as_str().map(str::to_owned);
        Self {
            author: Author::Bot,
            only_for,
            thread_ts: text("thread_ts"),
            text: text("text").unwrap_or_default(),
            blocks: message["blocks"].as_array().cloned().unwrap_or_default(),
            metadata: limits::metadata(message),
        }
    }
}

impl Slack {
    pub(crate) fn number(&mut self) -> u64 {
        self.count += 1;
        self.count
    }

    /// How many changes there have been.
    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    /// Lets somebody and a room be there, who may be new.
    pub(crate) fn admit(&mut self, user: &UserId, room: &RoomId) {
        let user = user.as_str();
        self.people.entry(user.to_owned()).or_insert_with(|| user.to_lowercase());
        self.rooms
            .entry(room.to_string())
            .or_insert_with(|| Room::new(room.as_str().to_lowercase(), user));
    }

    pub(crate) fn person(&self, user: &str) -> Option<&str> {
        self.people.get(user).map(String::as_str)
    }

    pub(crate) fn room_name<'s>(&'s self, room: &'s RoomId) -> &'s str {
        self.rooms.get(room.as_str()).map_or(room.as_str(), |room| &room.name)
    }

    /// What ids are shown as.
    pub(crate) fn names(&self) -> Names {
        let mut people = self.people.clone();
        people.insert(BOT.to_owned(), BOT_NAME.to_owned());
        people.insert(SLACKBOT.to_owned(), "Slackbot".to_owned());
        let rooms = self.rooms.iter().map(|(id, room)| (id.clone(), room.name.clone()));
        Names { people, rooms: rooms.collect() }
    }

    /// What `user` sees in a room, oldest first.
    pub(crate) fn seen(&self, room: &RoomId, user: &UserId) -> Vec<Message> {
        let messages = self.rooms.get(room.as_str()).into_iter().flat_map(|room| &room.messages);
        let seen = |message: &&Message| message.only_for.as_ref().is_none_or(|only| only == user);
        messages.filter(seen).cloned().collect()
    }

    pub(crate) fn message(&self, room: &RoomId, ts: &str) -> Option<&Message> {
        self.rooms.get(room.as_str())?.messages.iter().find(|message| message.ts == ts)
    }

    fn message_mut(&mut self, room: &RoomId, ts: &str) -> Option<&mut Message> {
        let room = self.rooms.get_mut(room.as_str())?;
        room.messages.iter_mut().find(|message| message.ts == ts)
    }

    /// Lets everybody see a message that one alone saw.
    pub(crate) fn reveal(&mut self, room: &RoomId, ts: &str) {
        if let Some(message) = self.message_mut(room, ts) {
            message.only_for = None;
        }
    }

    fn add(&mut self, room: &RoomId, new: NewMessage, now: Timestamp) -> String {
        let change = self.number();
        let NewMessage { author, only_for, thread_ts, text, blocks, metadata } = new;
        // Nothing else ever has it, also not in the next run: the functions know messages by it.
        self.newest_us = now.as_microsecond().max(self.newest_us + 1);
        let ts = format!("{}.{:06}", self.newest_us / 1_000_000, self.newest_us % 1_000_000);
        let blocks = self.identified(blocks);
        let message = Message {
            ts: ts.clone(),
            thread_ts: thread_ts.filter(|thread_ts| *thread_ts != ts),
            author,
            only_for,
            text,
            blocks,
            metadata,
            edited: false,
            deleted: false,
            change,
        };
        if let Some(room) = self.rooms.get_mut(room.as_str()) {
            room.messages.push(message);
            let surplus = room.messages.len().saturating_sub(KEPT);
            room.messages.drain(..surplus);
        }
        ts
    }

    /// The blocks, each with an id, and each element in them with one too, as Slack gives them.
    fn identified(&mut self, mut blocks: Vec<Value>) -> Vec<Value> {
        for block in &mut blocks {
            if block.get("block_id").is_none() {
                block["block_id"] = json!(format!("b{}", self.number()));
            }
            let mut elements: Vec<&mut Value> = Vec::new();
            if let Some(Value::Object(block)) = Some(block) {
                for (key, value) in block.iter_mut() {
                    match (key.as_str(), value) {
                        ("accessory", accessory) => elements.push(accessory),
                        ("elements", Value::Array(list)) => elements.extend(list),
                        _ => {}
                    }
                }
            }
            for element in elements {
                if element["type"] == "button" && element.get("action_id").is_none() {
                    element["action_id"] = json!(format!("a{}", self.number()));
                }
            }
        }
        blocks
    }

    /// Takes an answer at a response URL; otherwise the status and Slack's word for why not.
    fn answer(
        &mut self,
        id: &str,
        message: &Value,
        now: Timestamp,
    ) -> Result<(), (StatusCode, &'static str)> {
        let not_found = |code| Err((StatusCode::NOT_FOUND, code));
        let Some(url) = self.answers.get(id).cloned() else { return not_found("no_such_url") };
        if url.until < Instant::now() {
            return not_found("expired_url");
        }
        if url.left == 0 {
            return not_found("used_url");
        }
        let is = |field: &str| message[field] == true || message[field] == "true";
        let deletes = is("delete_original");
        if !deletes {
            limits::check(message).map_err(|refused| (StatusCode::BAD_REQUEST, refused.code))?;
        }
        if let Some(url) = self.answers.get_mut(id) {
            url.left -= 1;
        }
        let new = NewMessage::from_app(
            (message["response_type"] != "in_channel").then(|| url.user.clone()),
            message,
        );
        let change = self.number();
        let original = url.original.as_deref();
        let original =
            original.filter(|ts| self.message(&url.room, ts).is_some()).map(str::to_owned);
        match original {
            Some(ts) if deletes => {
                if let Some(original) = self.message_mut(&url.room, &ts) {
                    (original.deleted, original.change) = (true, change);
                }
            }
            Some(ts) if is("replace_original") => {
                let blocks = self.identified(new.blocks);
                if let Some(original) = self.message_mut(&url.room, &ts) {
                    (original.text, original.blocks) = (new.text, blocks);
                    (original.edited, original.change) = (true, change);
                }
            }
            _ if deletes => {}
            _ => drop(self.add(&url.room, new, now)),
        }
        Ok(())
    }

    /// What everybody in a room has seen, newest first and page by page, as `conversations.history` gives it (Slack,
    /// "conversations.history", read 2026-11): neither what one alone sees, nor what is in threads.
    fn history(&self, room: &RoomId, arguments: &Value) -> Value {
        // Arguments of a form are text.
        let argument = |field: &str| match &arguments[field] {
            Value::String(text) => text.clone(),
            Value::Null => String::new(),
            other => other.to_string(),
        };
        let time = |field: &str| microseconds(&argument(field));
        let is = |field: &str| ["true", "1"].contains(&argument(field).as_str());
        let limit = argument("limit").parse().unwrap_or(100).clamp(1, 999);
        let (oldest, latest) = (time("oldest").unwrap_or(0), time("latest").unwrap_or(i64::MAX));
        let before = argument("cursor").strip_prefix("before:").map(str::to_owned);
        let messages = self.rooms.get(room.as_str()).into_iter().flat_map(|room| &room.messages);
        let mut messages = messages.rev().filter(|message| {
            let at = microseconds(&message.ts).unwrap_or(0);
            let inclusive = is("inclusive") && (at == oldest || at == latest);
            !message.deleted
                && message.only_for.is_none()
                && message.thread_ts.is_none()
                && (inclusive || (oldest < at && at < latest))
                && before.as_ref().is_none_or(|before| message.ts < *before)
        });
        let page: Vec<_> = messages.by_ref().take(limit).collect();
        let more = messages.next().is_some();
        let cursor = page.last().filter(|_| more).map(|last| format!("before:{}", last.ts));
        let page = page.into_iter().map(|message| {
            let mut said = json!({ "type": "message", "ts": message.ts, "text": message.text });
            match &message.author {
                Author::Person(user) => said["user"] = json!(user.as_str()),
                Author::Bot | Author::Slackbot => {
                    said["bot_id"] = json!(BOT_AUTHOR);
                    said["blocks"] = json!(message.blocks);
                }
            }
            if let Some(metadata) = &message.metadata {
                said["metadata"] = if is("include_all_metadata") {
                    metadata.clone()
                } else {
                    json!({ "event_type": metadata["event_type"] })
                };
            }
            said
        });
        json!({
            "ok": true, "messages": page.collect::<Vec<_>>(), "has_more": more,
            "response_metadata": { "next_cursor": cursor.unwrap_or_default() },
        })
    }

    fn user_json(&self, id: &str) -> Option<Value> {
        let name = match id {
            BOT => BOT_NAME,
            id => self.person(id)?,
        };
        let owner = id == PEOPLE[0].0;
        Some(json!({
            "id": id, "team_id": TEAM, "name": name, "real_name": name, "deleted": false,
            "is_owner": owner, "is_admin": owner, "is_primary_owner": owner, "is_bot": id == BOT,
            "tz": "Etc/UTC", "profile": { "display_name": name, "real_name": name },
        }))
    }
}

/// A time as Slack writes it, such as `1795262400.000100` or `1795262400`.
fn microseconds(text: &str) -> Option<i64> {
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
    let fraction: i64 = format!("{fraction:0<6}").get(..6)?.parse().ok()?;
    seconds.parse::<i64>().ok()?.checked_mul(1_000_000)?.checked_add(fraction)
}

async fn web_api(
    State(workspace): State<Workspace>,
    Path(method): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Json<Value> {
    let arguments = arguments(&headers, &body);
    let has_token = headers.get(header::AUTHORIZATION).is_some_and(|value| {
        value.to_str().is_ok_and(|value| value.len() > 7 && value.starts_with("Bearer "))
    });
    Json(match arguments {
        _ if !has_token => failed("not_authed"),
        Ok(arguments) => {
            let answer = workspace.call(&method, &arguments);
            answer.unwrap_or_else(|Refused { code, problems }| {
                let mut answer = failed(code);
                if !problems.is_empty() {
                    answer["response_metadata"] = json!({ "messages": problems });
                }
                answer
            })
        }
        Err(code) => failed(code),
    })
}

fn failed(code: &str) -> Value {
    json!({ "ok": false, "error": code })
}

/// The arguments of a call, sent as JSON or as a form.
fn arguments(headers: &HeaderMap, body: &[u8]) -> Result<Value, &'static str> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    if kind.is_some_and(|kind| kind.starts_with("application/json")) {
        let value = serde_json::from_slice::<Value>(body).map_err(|_| "invalid_json")?;
        return if value.is_object() { Ok(value) } else { Err("json_not_object") };
    }
    let mut arguments = serde_json::Map::new();
    for (key, value) in form_urlencoded::parse(body) {
        let value = match &*key {
            "blocks" | "metadata" => {
                serde_json::from_str(&value).map_err(|_| "invalid_blocks_format")?
            }
            _ => Value::from(value.into_owned()),
        };
        arguments.insert(key.into_owned(), value);
    }
    Ok(Value::Object(arguments))
}

impl Workspace {
    fn call(&self, method: &str, arguments: &Value) -> Result<Value, Refused> {
        let refused = |code| Refused { code, problems: Vec::new() };
        let text = |field: &str| arguments[field].as_str().unwrap_or_default();
        let room = || {
            let room = text("channel").parse::<RoomId>();
            let room = room.ok().filter(|room| self.lock().rooms.contains_key(room.as_str()));
            room.ok_or_else(|| refused("channel_not_found"))
        };
        match method {
            "auth.test" => Ok(json!({
                "ok": true, "url": "https://local.slack.test/", "team": "Local", "user": BOT_NAME,
                "team_id": TEAM, "user_id": BOT, "bot_id": BOT_AUTHOR,
            })),
            "chat.postMessage" => {
                let room = room()?;
                let ts = self.add_from_app(&room, None, arguments)?;
                Ok(json!({
                    "ok": true, "channel": room.as_str(), "ts": ts,
                    "message": {
                        "type": "message", "user": BOT, "bot_id": BOT_AUTHOR, "app_id": APP,
                        "ts": ts, "text": text("text"),
                    },
                }))
            }
            "chat.postEphemeral" => {
                let room = room()?;
                let user = text("user").parse::<UserId>().ok();
                let user = user.filter(|user| self.lock().person(user.as_str()).is_some());
                let user = user.ok_or_else(|| refused("user_not_found"))?;
                let ts = self.add_from_app(&room, Some(user), arguments)?;
                Ok(json!({ "ok": true, "message_ts": ts }))
            }
            "conversations.info" => {
                let room = room()?;
                let slack = self.lock();
                let found = &slack.rooms[room.as_str()];
                let kind = |start: &str| room.as_str().starts_with(start);
                Ok(json!({ "ok": true, "channel": {
                    "id": room.as_str(), "name": found.name, "creator": found.creator,
                    "is_channel": kind("C"), "is_group": kind("G"), "is_im": kind("D"),
                    "is_private": !kind("C"), "is_member": true, "is_archived": false,
                } }))
            }
            "conversations.history" => {
                let room = room()?;
                Ok(self.lock().history(&room, arguments))
            }
            "users.info" => {
                let user = self.lock().user_json(text("user"));
                user.map(|user| json!({ "ok": true, "user": user }))
                    .ok_or_else(|| refused("user_not_found"))
            }
            "users.list" => {
                let slack = self.lock();
                let people = slack.people.keys().map(String::as_str).chain([BOT]);
                let members: Vec<_> = people.filter_map(|id| slack.user_json(id)).collect();
                Ok(json!({
                    "ok": true, "members": members, "response_metadata": { "next_cursor": "" },
                }))
            }
            _ => Err(refused("unknown_method")),
        }
    }
}

async fn response_url(
    State(workspace): State<Workspace>,
    Path(id): Path<String>,
    body: Bytes,
) -> Response {
    let Ok(message) = serde_json::from_slice::<Value>(&body) else {
        return (StatusCode::BAD_REQUEST, Json(failed("invalid_payload"))).into_response();
    };
    let now = workspace.clock.now();
    match workspace.lock().answer(&id, &message, now) {
        Ok(()) => "ok".into_response(),
        Err((status, code)) => (status, Json(failed(code))).into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn post(url: &str, body: &Value) -> (u16, Value) {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let response = client.post(url).bearer_auth("any").json(body).send().await.unwrap();
        let status = response.status().as_u16();
        let text = response.text().await.unwrap();
        (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    async fn call(slack: &LocalSlack, method: &str, arguments: &Value) -> Value {
        post(&format!("{}/{method}", slack.api_url()), arguments).await.1
    }

    fn ids() -> (UserId, RoomId) {
        ("U1".parse().unwrap(), "C1".parse().unwrap())
    }

    fn texts(slack: &LocalSlack, user: &str) -> Vec<String> {
        let seen = slack.workspace().lock().seen(&ids().1, &user.parse().unwrap());
        let there = seen.into_iter().filter(|message| !message.deleted);
        there.map(|message| message.text).collect()
    }

    #[tokio::test]
    async fn the_web_api_answers_as_slack_does() {
        let slack = LocalSlack::start(Clock::wall()).await.unwrap();
        let error = async |method, arguments| {
            call(&slack, method, &arguments).await["error"].as_str().unwrap_or("none").to_owned()
        };
        let post = "chat.postMessage";
        assert_eq!(error(post, json!({ "channel": "C1", "text": "hello" })).await, "none");
        assert_eq!(error(post, json!({ "channel": "C9", "text": "x" })).await, "channel_not_found");
        assert_eq!(error(post, json!({ "channel": "C1" })).await, "no_text");
        let empty = json!([{ "type": "section", "text": { "type": "mrkdwn", "text": "" } }]);
        let refused = call(&slack, post, &json!({ "channel": "C1", "blocks": empty })).await;
        assert_eq!(refused["error"], "invalid_blocks");
        assert_eq!(refused["response_metadata"]["messages"][0], "blocks/0/text: text is empty");
        let ephemeral = "chat.postEphemeral";
        let whisper = |user: &str| json!({ "channel": "C1", "user": user, "text": "psst" });
        assert_eq!(error(ephemeral, whisper("U2")).await, "none");
        assert_eq!(error(ephemeral, whisper("U9")).await, "user_not_found");
        assert_eq!(texts(&slack, "U2"), ["hello", "psst"]);
        assert_eq!(texts(&slack, "U1"), ["hello"]);
        assert_eq!(error("users.info", json!({ "user": "U9" })).await, "user_not_found");
        assert_eq!(
            call(&slack, "users.info", &json!({ "user": "U1" })).await["user"]["name"],
            "ada"
        );
        let members = call(&slack, "users.list", &json!({})).await["members"].clone();
        assert_eq!(members.as_array().unwrap().len(), 4);
        let room = call(&slack, "conversations.info", &json!({ "channel": "C2" })).await;
        assert_eq!(
            (&room["channel"]["name"], &room["channel"]["creator"]),
            (&json!("random"), &json!("U2"))
        );
        assert_eq!(call(&slack, "auth.test", &json!({})).await["user_id"], BOT);
        assert_eq!(error("chat.dance", json!({})).await, "unknown_method");

        // The same as a form, and without a token.
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let request = || {
            let request = client.post(format!("{}/users.info", slack.api_url()));
            request.header("content-type", "application/x-www-form-urlencoded").body("user=U2")
        };
        let answer: Value =
            request().bearer_auth("any").send().await.unwrap().json().await.unwrap();
        assert_eq!(answer["user"]["name"], "ben");
        let answer: Value = request().send().await.unwrap().json().await.unwrap();
        assert_eq!(answer["error"], "not_authed");
    }

    #[tokio::test]
    async fn a_rooms_history_is_read_page_by_page_newest_first() {
        let slack = LocalSlack::start(Clock::wall()).await.unwrap();
        let mine = json!({ "event_type": "a-kind", "event_payload": { "id": "7" } });
        let wrong = json!({ "event_type": "a.kind", "event_payload": {} });
        for (number, metadata) in [mine.clone(), wrong, json!(null)].into_iter().enumerate() {
            let text = format!("message {number}");
            let said = json!({ "channel": "C1", "text": text, "metadata": metadata });
            assert_eq!(call(&slack, "chat.postMessage", &said).await["ok"], true);
        }
        let whisper = json!({ "channel": "C1", "user": "U2", "text": "psst" });
        call(&slack, "chat.postEphemeral", &whisper).await;
        let history = async |more: Value| {
            let mut arguments = json!({ "channel": "C1", "limit": 2 });
            arguments.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            call(&slack, "conversations.history", &arguments).await
        };
        let texts = |page: &Value| -> Vec<String> {
            let messages = page["messages"].as_array().unwrap().iter();
            messages.map(|message| message["text"].as_str().unwrap().to_owned()).collect()
        };
        let first = history(json!({})).await;
        assert_eq!(texts(&first), ["message 2", "message 1"]);
        assert_eq!(first["has_more"], true);
        assert_eq!(first["messages"][1].get("metadata"), None, "Slack leaves it out");
        let cursor = first["response_metadata"]["next_cursor"].clone();
        let second = history(json!({ "cursor": cursor, "include_all_metadata": true })).await;
        assert_eq!(texts(&second), ["message 0"]);
        assert_eq!(second["response_metadata"]["next_cursor"], "");
        assert_eq!(second["messages"][0]["metadata"], mine);
        let kind = history(json!({ "cursor": cursor })).await["messages"][0]["metadata"].clone();
        assert_eq!(kind, json!({ "event_type": "a-kind" }));
        let newer = history(json!({ "oldest": second["messages"][0]["ts"] })).await;
        assert_eq!(texts(&newer), ["message 2", "message 1"]);
        let gone = json!({ "channel": "C9" });
        let refused = call(&slack, "conversations.history", &gone).await;
        assert_eq!(refused["error"], "channel_not_found");
    }

    #[tokio::test]
    async fn a_response_url_takes_five_answers() {
        let slack = LocalSlack::start(Clock::wall()).await.unwrap();
        let (user, room) = ids();
        let original = slack.workspace().add_from_app(&room, None, &json!({ "text": "first" }));
        let url = slack.response_url(&user, &room, Some(&original.unwrap()));
        let say = |text: &str| json!({ "text": text });
        assert_eq!(post(&url, &json!({ "text": "new", "replace_original": true })).await.0, 200);
        assert_eq!(texts(&slack, "U2"), ["new"]);
        assert_eq!(post(&url, &json!({})).await, (400, json!({ "ok": false, "error": "no_text" })));
        assert_eq!(post(&url, &say("for ada")).await, (200, json!("ok")));
        assert_eq!(
            post(&url, &json!({ "text": "for all", "response_type": "in_channel" })).await.0,
            200
        );
        assert_eq!(texts(&slack, "U1"), ["new", "for ada", "for all"]);
        assert_eq!(texts(&slack, "U2"), ["new", "for all"]);
        assert_eq!(post(&url, &json!({ "delete_original": true })).await.0, 200);
        assert_eq!(texts(&slack, "U2"), ["for all"]);
        assert_eq!(post(&url, &say("fifth")).await.0, 200);
        assert_eq!(
            post(&url, &say("sixth")).await,
            (404, json!({ "ok": false, "error": "used_url" }))
        );
        let other = format!("{}x", slack.response_url(&user, &room, None));
        assert_eq!(post(&other, &say("x")).await.0, 404);

        // Who does not know the whole address has none.
        let (host, _) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
        for path in ["api/users.list", "response/x", "x/api/users.list"] {
            assert_eq!(post(&format!("http://{host}/{path}"), &json!({})).await.0, 403, "{path}");
        }
    }
}
