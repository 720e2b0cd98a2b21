//! What apps call in the local Slack: the Web API, and the response URLs of commands and buttons.
//!
//! Any bearer's token is accepted, because there is one app; whoever calls knows the address, which nobody guesses.

use axum::{
    Json, Router,
    body::Bytes,
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Response},
    routing::post,
};
use flock_core::{RoomId, UserId};
use serde_json::{Value, json};

use crate::{
    limits::Refused,
    workspace::{APP, Author, BOT, BOT_AUTHOR, BOT_NAME, PEOPLE, Slack, TEAM, Workspace},
};

/// Where they are called.
pub(crate) fn router(workspace: Workspace) -> Router {
    Router::new()
        .route("/api/{method}", post(web_api))
        .route("/response/{id}", post(response_url))
        .with_state(workspace)
}

impl Slack {
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
    let now = workspace.clock().now();
    match workspace.lock().answer(&id, &message, now) {
        Ok(()) => "ok".into_response(),
        Err((status, code)) => (status, Json(failed(code))).into_response(),
    }
}

#[cfg(test)]
mod tests {
    use flock_aws::Clock;

    use super::*;
    use crate::workspace::LocalSlack;

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
