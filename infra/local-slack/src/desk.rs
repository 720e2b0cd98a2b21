//! Where another command enters something in the local Slack of a run that is up, and sees what comes:
//! JSON over HTTP on a loopback port, for those who have the run's token.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use axum::{
    Json, Router,
    extract::State,
    http::StatusCode,
    response::{IntoResponse as _, Response},
    routing::post,
};
use flock_core::{RoomId, UserId};
use serde::{Deserialize, Serialize};
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};

use loopback::{
    Key, Token,
    serve::{Limits, serve_guarded},
};

use crate::{
    mrkdwn,
    sender::{ButtonPlace, SlackSender},
    view,
    workspace::{Author, Message},
};

/// How long what was deferred may take until it is shown as not done.
const SETTLES_WITHIN: Duration = Duration::from_secs(30);

/// The desk; closed when dropped.
#[derive(Debug)]
pub struct SlackDesk {
    address: SocketAddr,
    task: JoinHandle<()>,
}

/// Somebody enters something, or presses a button, or looks.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Asked {
    /// Who.
    pub user: UserId,
    /// Where.
    pub room: RoomId,
    /// What they do.
    pub what: Input,
}

/// What somebody enters or presses.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Input {
    /// They enter this text.
    Enter(String),
    /// They press this button.
    Press(ButtonPlace),
}

/// What came of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Heard {
    /// Whether all that was deferred is done.
    pub settled: bool,
    /// What is new in the room, to who asked.
    pub messages: Vec<Shown>,
}

/// A message for a terminal.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Shown {
    /// Its id within the room.
    pub ts: String,
    /// Who said it.
    pub author: String,
    /// Whether nobody else sees it.
    pub only_you: bool,
    /// Whether it is in a thread.
    pub in_thread: bool,
    /// What became of it.
    pub change: Change,
    /// What it says.
    pub text: String,
    /// Its buttons.
    pub buttons: Vec<ShownButton>,
}

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Change {
    /// It is new.
    Said,
    /// It has the place of another.
    Replaced,
    /// It is gone.
    Deleted,
}

/// A button for a terminal.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ShownButton {
    /// What is on it.
    pub label: String,
    /// What it asks first.
    pub question: Option<String>,
    /// Where it is.
    pub place: ButtonPlace,
}

#[derive(Clone)]
struct Desk {
    sender: SlackSender,
    unhandled: watch::Receiver<usize>,
}

impl SlackDesk {
    /// Opens it on a free loopback port to those who have `token`; `unhandled` says how many events of the bus are
    /// not handled yet.
    pub async fn open(
        sender: SlackSender,
        unhandled: watch::Receiver<usize>,
        token: Token,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let router = Router::new().route("/", post(act)).with_state(Desk { sender, unhandled });
        let key = Key::Bearer(token);
        let task = tokio::spawn(async move {
            serve_guarded(listener, key, router, Limits::USUAL).await;
        });
        Ok(Self { address, task })
    }

    /// Where it is.
    pub fn url(&self) -> String {
        format!("http://{}/", self.address)
    }
}

impl Drop for SlackDesk {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn act(State(desk): State<Desk>, Json(asked): Json<Asked>) -> Response {
    let Desk { sender, mut unhandled } = desk;
    let Asked { user, room, what } = asked;
    let since = sender.workspace().lock().count();
    match what {
        Input::Enter(text) => sender.enter(&user, &room, None, &text).await,
        Input::Press(place) => {
            if let Err(err) = sender.press(&user, &room, &place).await {
                return (StatusCode::NOT_FOUND, err.to_string()).into_response();
            }
        }
    }
    let quiet = unhandled.wait_for(|unhandled| *unhandled == 0);
    let settled = tokio::time::timeout(SETTLES_WITHIN, quiet).await.is_ok();
    let slack = sender.workspace().lock();
    let names = slack.names();
    let seen = slack.seen(&room, &user).into_iter();
    let new = seen
        .filter(|message| since < message.change && message.author != Author::Person(user.clone()));
    let messages = new.map(|message| Shown {
        ts: message.ts.clone(),
        author: view::author(&message, &names),
        only_you: message.only_for.is_some(),
        in_thread: message.thread_ts.is_some(),
        change: match message {
            Message { deleted: true, .. } => Change::Deleted,
            Message { edited: true, .. } => Change::Replaced,
            _ => Change::Said,
        },
        text: view::plain(&message, &names),
        buttons: view::buttons(&message)
            .into_iter()
            .map(|button| ShownButton {
                label: button.label,
                question: button.question.map(|question| {
                    format!("{} {}", question.title, mrkdwn::plain(&question.text, &names))
                }),
                place: button.place,
            })
            .collect(),
    });
    Json(Heard { settled, messages: messages.collect() }).into_response()
}
