//! A deployment in memory with Slack in front of it: what people type, and what they are shown.

use std::sync::Arc;

use flock_core::{RoomId, UserId};
use flock_slack::sign;
use local_slack::{
    sender::SlackSender,
    view,
    workspace::{Author, LocalSlack, Message},
};
use reqwest::{Response, StatusCode};
use secrecy::SecretString;
use serde_json::{Value, json};
use slash_command::App;

use crate::world::{SIGNING_SECRET, World, far_deadline, slack_settings, ts};

/// A deployment whose first owner is U1, and Slack.
pub(crate) struct Slack {
    pub(crate) world: World,
    pub(crate) app: Arc<App>,
    pub(crate) local: LocalSlack,
    sender: SlackSender,
    url: String,
    http: reqwest::Client,
    server: tokio::task::JoinHandle<()>,
}

pub(crate) fn user(id: &str) -> UserId {
    id.parse().unwrap()
}

pub(crate) fn room(id: &str) -> RoomId {
    id.parse().unwrap()
}

impl Slack {
    pub(crate) async fn start() -> Self {
        let world = World::start().await;
        let local = LocalSlack::start(world.clock.clone()).await.unwrap();
        let app = Self::cold(&world, &local).await;
        let (url, server) = serve(&app).await;
        let secret = SecretString::from(SIGNING_SECRET);
        let sender = SlackSender::new(local.clone(), url.clone(), secret);
        Self { world, app, local, sender, url, http: reqwest::Client::new(), server }
    }

    /// Has the function start again with another first owner.
    pub(crate) async fn deploy(&mut self, first_owner: Option<&str>) {
        self.server.abort();
        self.app = Self::with(&self.world, &self.local, first_owner).await;
        (self.url, self.server) = serve(&self.app).await;
        let secret = SecretString::from(SIGNING_SECRET);
        self.sender = SlackSender::new(self.local.clone(), self.url.clone(), secret);
    }

    /// Has the function start again in a deployment whose pages for signing in are at `url`.
    pub(crate) async fn with_pages(mut self, url: &str) -> Self {
        self.server.abort();
        let mut settings = Self::settings(&self.local, Some("U1"));
        settings.keys_url = Some(url.to_owned());
        let (aws, clock) = (self.world.cloud.aws(), self.world.clock.clone());
        self.app = Arc::new(App::start(settings, &aws, clock).await.unwrap());
        (self.url, self.server) = serve(&self.app).await;
        let secret = SecretString::from(SIGNING_SECRET);
        self.sender = SlackSender::new(self.local.clone(), self.url.clone(), secret);
        self
    }

    /// The address behind the button that was offered last.
    pub(crate) fn link(&self, who: &str, place: &str) -> String {
        let seen = self.seen(who, place);
        let elements = seen.iter().rev().flat_map(|message| &message.blocks);
        let mut elements = elements.filter_map(|block| block["elements"].as_array()).flatten();
        elements.find_map(|element| element["url"].as_str()).unwrap().to_owned()
    }

    /// The function as it is after a cold start.
    pub(crate) async fn cold(world: &World, local: &LocalSlack) -> Arc<App> {
        Self::with(world, local, Some("U1")).await
    }

    async fn with(world: &World, local: &LocalSlack, first_owner: Option<&str>) -> Arc<App> {
        let settings = Self::settings(local, first_owner);
        Arc::new(App::start(settings, &world.cloud.aws(), world.clock.clone()).await.unwrap())
    }

    fn settings(local: &LocalSlack, first_owner: Option<&str>) -> slash_command::Settings {
        let mut settings = slack_settings();
        settings.slack_url = Some(local.api_url());
        settings.first_owner = first_owner.map(user);
        settings.slack_room = Some(room("C2"));
        settings
    }

    /// What `who` sees after entering `typed` in `place`, and after all that was deferred.
    pub(crate) async fn enter(&mut self, who: &str, place: &str, typed: &str) -> String {
        let before = self.seen(who, place);
        self.sender.enter(&user(who), &room(place), None, typed).await;
        self.events().await;
        shown(&before, &self.seen(who, place))
    }

    /// What U1 is told in C1 about `/flock <line>`.
    pub(crate) async fn flock(&mut self, line: &str) -> String {
        self.enter("U1", "C1", &format!("/flock {line}")).await
    }

    /// What `who` sees after pressing the button that was offered last.
    pub(crate) async fn press(&mut self, who: &str, place: &str, label: &str) -> String {
        let before = self.seen(who, place);
        self.press_alone(who, place, label).await;
        self.events().await;
        shown(&before, &self.seen(who, place))
    }

    /// Presses it, and leaves what is deferred on the bus.
    pub(crate) async fn press_alone(&self, who: &str, place: &str, label: &str) {
        let before = self.seen(who, place);
        let mut buttons = before.iter().flat_map(view::buttons);
        let button = buttons.rfind(|button| button.label == label);
        let button = button.unwrap_or_else(|| panic!("no button {label}: {before:?}"));
        self.sender.press(&user(who), &room(place), &button.place).await.unwrap();
    }

    /// What `who` sees after entering `/flock <line>` in C1 and pressing what was asked.
    pub(crate) async fn flock_sure(&mut self, line: &str, label: &str) -> String {
        self.flock(line).await;
        self.press("U1", "C1", label).await
    }

    /// The value of the button that was offered last.
    pub(crate) fn value(&self, who: &str, place: &str, label: &str) -> String {
        let seen = self.seen(who, place);
        let elements = seen.iter().rev().flat_map(|message| &message.blocks);
        let mut elements = elements.filter_map(|block| block["elements"].as_array()).flatten();
        let button = elements.find(|element| element["text"]["text"] == label).unwrap();
        button["value"].as_str().unwrap().to_owned()
    }

    /// Shows a button of the app to everybody in `place`, whatever is behind it.
    pub(crate) async fn offer(&self, place: &str, label: &str, action: &str, value: &str) {
        let mut button = json!({
            "type": "button", "action_id": action,
            "text": { "type": "plain_text", "text": label },
        });
        if !value.is_empty() {
            button["value"] = json!(value);
        }
        let message = json!({
            "channel": place, "text": label,
            "blocks": [{ "type": "actions", "elements": [button] }],
        });
        let url = format!("{}/chat.postMessage", self.local.api_url());
        let request = self.http.post(url).bearer_auth("x").json(&message).send();
        let answer: Value = request.await.unwrap().json().await.unwrap();
        assert_eq!(answer["ok"], true, "{answer}");
    }

    pub(crate) fn seen(&self, who: &str, place: &str) -> Vec<Message> {
        let messages = self.local.messages(&room(place), &user(who));
        messages.into_iter().filter(|message| !message.deleted).collect()
    }

    /// Delivers what is on the bus to the function that has rules for it.
    pub(crate) async fn events(&mut self) {
        while let Ok(event) = self.world.events.try_recv() {
            let event = json!({ "detail-type": event.detail_type, "detail": event.detail });
            // Those for the tick are its own tests' matter.
            if !["sheep.due", "job.due"].iter().any(|kind| event["detail-type"] == *kind) {
                self.app.handle(&event, far_deadline()).await.unwrap();
            }
        }
    }

    /// Sends `body` as Slack does, signed at `at`, which may be another time than now.
    pub(crate) async fn send_at(&self, path: &str, body: &str, at: &str) -> Response {
        let (timestamp, secret) = (ts(at), SecretString::from(SIGNING_SECRET));
        let signature = sign(&secret, timestamp, body.as_bytes());
        let headers = [
            ("x-slack-request-timestamp", timestamp.as_second().to_string()),
            ("x-slack-signature", signature),
        ];
        self.send(path, body, &headers).await
    }

    pub(crate) async fn send(
        &self,
        path: &str,
        body: &str,
        headers: &[(&'static str, String)],
    ) -> Response {
        let mut request = self.http.post(format!("{}{path}", self.url)).body(body.to_owned());
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        request.send().await.unwrap()
    }

    /// All items of the table but those that only remember what was delivered.
    pub(crate) async fn table(&self) -> Vec<String> {
        let client = aws_sdk_dynamodb::Client::new(&self.world.cloud.aws());
        #[expect(clippy::disallowed_methods, reason = "a test looks at everything")]
        let mut pages = client
            .scan()
            .table_name(flockwork::connect::LOCAL_NAME)
            .into_paginator()
            .items()
            .send();
        let mut items = Vec::new();
        while let Some(item) = pages.next().await {
            let item = item.unwrap();
            let pk = item["pk"].as_s().unwrap();
            if !pk.starts_with("DELIVERY#") && pk != "INSTANCES" {
                // Its maps have an order; DynamoDB's have none.
                let item: Value = serde_dynamo::from_item(item).unwrap();
                items.push(item.to_string());
            }
        }
        items.sort();
        items
    }
}

/// The function behind an address.
pub(crate) async fn serve(app: &Arc<App>) -> (String, tokio::task::JoinHandle<()>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = Arc::clone(app).router();
    (url, tokio::spawn(async move { axum::serve(listener, router).await.unwrap() }))
}

impl Drop for Slack {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// The text of a block; of rich text, with the marks that mrkdwn has.
fn text_of(block: &Value) -> Option<String> {
    if block["type"] != "rich_text" {
        return block["text"]["text"].as_str().map(ToOwned::to_owned);
    }
    let parts = block["elements"][0]["elements"].as_array().unwrap();
    let part = |part: &Value| {
        let text = part["text"].as_str().unwrap();
        let has = |style: &str| part["style"][style] == true;
        let mark = if has("bold") {
            "*"
        } else if has("code") {
            "`"
        } else {
            ""
        };
        format!("{mark}{text}{mark}")
    };
    Some(parts.iter().map(part).collect())
}

/// What is new, as text: `*` before what only they see, and the buttons.
pub(crate) fn shown(before: &[Message], after: &[Message]) -> String {
    let new = after.iter().filter(|message| {
        !matches!(message.author, Author::Person(_)) && !before.contains(message)
    });
    let lines = new.map(|message| {
        let texts: Vec<_> = message.blocks.iter().filter_map(text_of).collect();
        let text = if texts.is_empty() { message.text.clone() } else { texts.join("\n") };
        let only = if message.only_for.is_some() { "*" } else { "" };
        let buttons: Vec<_> = view::buttons(message)
            .into_iter()
            .map(|button| format!(" [{}]", button.label))
            .collect();
        format!("{only}{text}{}", buttons.concat())
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// A slash command as Slack sends it.
pub(crate) fn slash_body(who: &str, place: &str, text: &str, trigger: &str) -> String {
    let mut body = form_urlencoded::Serializer::new(String::new());
    body.append_pair("command", "/flock").append_pair("text", text);
    body.append_pair("user_id", who).append_pair("channel_id", place);
    body.append_pair("response_url", "https://hooks.slack.com/commands/1/2/3");
    body.append_pair("trigger_id", trigger);
    body.finish()
}

/// A message as Slack sends it.
pub(crate) fn message_body(event: &Value) -> String {
    let event_id = event.get("event_id").cloned().unwrap_or_else(|| json!("Ev1"));
    json!({
        "type": "event_callback",
        "event_id": event_id,
        "authorizations": [{ "user_id": "U0FLOCK", "is_bot": true }],
        "event": event,
    })
    .to_string()
}

pub(crate) async fn status(response: Response) -> (StatusCode, String) {
    (response.status(), response.text().await.unwrap())
}
