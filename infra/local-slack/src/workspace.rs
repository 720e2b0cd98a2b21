//! Slack on this machine, in memory: people, rooms and what was said in them. What apps call is in `web_api.rs`, what
//! Slack sends to them in [`crate::sender`].

use std::{
    collections::{BTreeMap, HashMap},
    io,
    net::Ipv4Addr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use axum::{Router, http::StatusCode};
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
    web_api,
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
pub(crate) const PEOPLE: [(&str, &str); 3] = [("U1", "ada"), ("U2", "ben"), ("U3", "cyd")];

/// Which rooms there are from the start, and who made them.
const ROOMS: [(&str, &str, &str); 2] = [("C1", "general", "U1"), ("C2", "random", "U2")];

/// The local Slack. It stops when the last of its clones is dropped.
#[derive(Debug, Clone)]
pub struct LocalSlack {
    url: String,
    workspace: Workspace,
    _serving: Option<Arc<Serving>>,
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
    pub(crate) people: BTreeMap<String, String>,
    pub(crate) rooms: BTreeMap<String, Room>,
    answers: HashMap<String, ResponseUrl>,
    /// Counts everything that gets a number of its own.
    count: u64,
    /// When the newest message was said, in microseconds.
    newest_us: i64,
}

#[derive(Debug)]
pub(crate) struct Room {
    pub(crate) name: String,
    pub(crate) creator: String,
    pub(crate) messages: Vec<Message>,
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
        let workspace = Workspace::new(clock);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        // Its address alone is told to functions, so that is what nobody else knows.
        let token = Token::new();
        let url = format!("http://{}/{}", listener.local_addr()?, token.expose());
        let router = web_api::router(workspace.clone());
        let key = Key::Path(token);
        let serving = tokio::spawn(async move {
            serve_guarded(listener, key, router, Limits::USUAL).await;
        });
        Ok(Self { url, workspace, _serving: Some(Arc::new(Serving(serving))) })
    }

    /// The same for whoever asks its router, which is what answers for `https://slack.com`.
    pub fn within(clock: Clock) -> (Self, Router) {
        let workspace = Workspace::new(clock);
        let router = web_api::router(workspace.clone());
        (Self { url: "https://slack.com".to_owned(), workspace, _serving: None }, router)
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
    /// With those who are there from the start.
    fn new(clock: Clock) -> Self {
        let mut slack = Slack::default();
        slack.people.extend(PEOPLE.map(|(id, name)| (id.to_owned(), name.to_owned())));
        slack
            .rooms
            .extend(ROOMS.map(|(id, name, creator)| (id.to_owned(), Room::new(name, creator))));
        Self { clock, state: Arc::new(Mutex::new(slack)) }
    }

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
    pub(crate) fn answer(
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
}
