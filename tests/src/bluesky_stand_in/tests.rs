//! The PDS as a client meets it.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{
    Bluesky,
    faults::{BlueskyMisbehave, BlueskyStatus},
};
use crate::server::{unanswered, until};

const DID: &str = "did:plc:aaaaaaaaaaaaaaaaaaaaaaaa";

async fn bluesky() -> Bluesky {
    let bluesky = Bluesky::start().await;
    bluesky.account("dolly.test", DID, "app-password");
    bluesky
}

fn request(bluesky: &Bluesky, method: &str, token: &str, body: &Value) -> reqwest::RequestBuilder {
    let group = if method.ends_with("Session") { "server" } else { "repo" };
    let url = format!("{}/xrpc/com.atproto.{group}.{method}", bluesky.url());
    reqwest::Client::new().post(url).bearer_auth(token).json(body)
}

async fn answer(request: reqwest::RequestBuilder) -> (u16, Value) {
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

async fn log_in(bluesky: &Bluesky) -> (String, String) {
    let input = json!({ "identifier": "dolly.test", "password": "app-password" });
    let (status, body) = answer(request(bluesky, "createSession", "", &input)).await;
    assert_eq!(status, 200, "{body}");
    let token = |name: &str| body[name].as_str().unwrap().to_owned();
    (token("accessJwt"), token("refreshJwt"))
}

fn put(rkey: &str, text: &str) -> Value {
    json!({
        "repo": DID,
        "collection": "app.bsky.feed.post",
        "rkey": rkey,
        "swapRecord": null,
        "record": {
            "$type": "app.bsky.feed.post",
            "text": text,
            "createdAt": "2026-11-21T08:00:00.000Z",
        },
    })
}

async fn say(bluesky: &Bluesky, token: &str, rkey: &str, text: &str) -> (u16, Value) {
    answer(request(bluesky, "putRecord", token, &put(rkey, text))).await
}

fn name(answer: &(u16, Value)) -> (u16, String) {
    (answer.0, answer.1["error"].as_str().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn a_record_is_written_where_nothing_is() {
    let bluesky = bluesky().await;
    let (token, _) = log_in(&bluesky).await;
    let rkey = "3laaaaaaaaa2a";
    let first = say(&bluesky, &token, rkey, "Baa").await;
    assert_eq!(first.0, 200, "{first:?}");
    assert_eq!(first.1["uri"], format!("at://{DID}/app.bsky.feed.post/{rkey}"));
    assert_eq!(say(&bluesky, &token, rkey, "Baa").await.0, 200, "the same again is no change");
    let other = say(&bluesky, &token, rkey, "Moo").await;
    assert_eq!(name(&other.clone()), (400, "InvalidSwap".to_owned()));
    let was = first.1["cid"].as_str().unwrap();
    assert_eq!(other.1["message"], format!("Record was at {was}"));
    let created = request(&bluesky, "createRecord", &token, &put(rkey, "Baa"));
    assert_eq!(answer(created).await.0, 500);
    let texts: Vec<_> = bluesky.posts(DID).into_iter().map(|post| post.value).collect();
    assert_eq!(texts.len(), 1);
    assert_eq!(texts[0]["text"], "Baa");
}

#[tokio::test]
async fn what_the_lexicon_forbids_is_refused() {
    let bluesky = bluesky().await;
    let (token, _) = log_in(&bluesky).await;
    let refused = "InvalidRequest".to_owned();
    for (rkey, text) in [
        ("not-a-tid", "Baa".to_owned()),
        ("3laaaaaaaaa2a", "a".repeat(301)),
        ("3laaaaaaaaa2a", "👨‍👩‍👧‍👦".repeat(299)),
    ] {
        let refusal = say(&bluesky, &token, rkey, &text).await;
        assert_eq!(name(&refusal), (400, refused.clone()), "{rkey} {text}");
    }
    let mut undated = put("3laaaaaaaaa2a", "Baa");
    undated["record"].as_object_mut().unwrap().remove("createdAt");
    let undated = answer(request(&bluesky, "putRecord", &token, &undated)).await;
    assert_eq!(name(&undated), (400, refused));
    assert_eq!(bluesky.posts(DID), []);
}

#[tokio::test]
async fn tokens_expire_and_rotate() {
    let bluesky = bluesky().await;
    let (access, refresh) = log_in(&bluesky).await;
    let claims = BASE64_URL_SAFE_NO_PAD.decode(access.split('.').nth(1).unwrap()).unwrap();
    let claims: Value = serde_json::from_slice(&claims).unwrap();
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 7_200);
    bluesky.advance(SignedDuration::from_hours(3));
    let expired = (400, "ExpiredToken".to_owned());
    assert_eq!(name(&say(&bluesky, &access, "3laaaaaaaaa2a", "Baa").await), expired);
    let again = |token: String| {
        let request = request(&bluesky, "refreshSession", &token, &Value::Null);
        answer(request)
    };
    let (status, fresh) = again(refresh.clone()).await;
    assert_eq!(status, 200);
    let token = fresh["accessJwt"].as_str().unwrap();
    assert_eq!(say(&bluesky, token, "3laaaaaaaaa2a", "Baa").await.0, 200);
    // The answer may have been lost.
    assert_eq!(again(refresh.clone()).await.0, 200);
    bluesky.advance(SignedDuration::from_hours(3));
    assert_eq!(name(&again(refresh).await), expired);
    let newest = fresh["refreshJwt"].as_str().unwrap().to_owned();
    assert_eq!(again(newest.clone()).await.0, 200);
    bluesky.revoke_app_password(DID);
    assert_eq!(name(&again(newest).await), expired);
    assert_eq!((bluesky.logins(DID), bluesky.refreshes(DID)), (1, 3));
}

#[tokio::test]
async fn logins_are_counted() {
    let bluesky = bluesky().await;
    for _ in 0..30 {
        log_in(&bluesky).await;
    }
    let input = json!({ "identifier": DID, "password": "app-password" });
    let limited = request(&bluesky, "createSession", "", &input).send().await.unwrap();
    assert_eq!(limited.status(), 429);
    assert_eq!(limited.headers()["ratelimit-remaining"], "0");
    assert_eq!(limited.headers()["ratelimit-policy"], "30;w=300");
    bluesky.advance(SignedDuration::from_mins(5));
    log_in(&bluesky).await;
    let input = json!({ "identifier": DID, "password": "wrong" });
    let wrong = answer(request(&bluesky, "createSession", "", &input)).await;
    assert_eq!(name(&wrong), (401, "AuthenticationRequired".to_owned()));
}

#[tokio::test]
async fn accounts_fall_out_of_favour() {
    let bluesky = bluesky().await;
    let (token, _) = log_in(&bluesky).await;
    for (status, expected) in [
        (BlueskyStatus::TakenDown, "AccountTakedown"),
        (BlueskyStatus::Suspended, "AccountSuspended"),
        (BlueskyStatus::Deactivated, "AccountDeactivated"),
    ] {
        bluesky.status(DID, status);
        let refusal = say(&bluesky, &token, "3laaaaaaaaa2a", "Baa").await;
        assert_eq!(name(&refusal), (401, expected.to_owned()));
    }
}

#[tokio::test]
async fn lists_newest_first_in_pages_and_deletes() {
    let bluesky = bluesky().await;
    let (token, _) = log_in(&bluesky).await;
    for last in ["a", "b", "c"] {
        assert_eq!(say(&bluesky, &token, &format!("3laaaaaaaaa2{last}"), last).await.0, 200);
    }
    let list = async |cursor: &str| {
        let url = format!(
            "{}/xrpc/com.atproto.repo.listRecords?repo={DID}&collection=app.bsky.feed.post&limit=2{cursor}",
            bluesky.url()
        );
        answer(reqwest::Client::new().get(url)).await.1
    };
    let first = list("").await;
    assert_eq!(first["records"][0]["value"]["text"], "c");
    assert_eq!(first["cursor"], "3laaaaaaaaa2b");
    let second = list("&cursor=3laaaaaaaaa2b").await;
    assert_eq!(second["records"].as_array().unwrap().len(), 1);
    assert_eq!(list("&cursor=3laaaaaaaaa2a").await, json!({ "records": [] }));
    let gone = json!({ "repo": DID, "collection": "app.bsky.feed.post", "rkey": "3laaaaaaaaa2a" });
    for _ in 0..2 {
        assert_eq!(answer(request(&bluesky, "deleteRecord", &token, &gone)).await.0, 200);
    }
    assert_eq!(bluesky.posts(DID).len(), 2);
}

#[tokio::test]
async fn misbehaves_in_turn() {
    let bluesky = bluesky().await;
    let (token, _) = log_in(&bluesky).await;
    let reset: Timestamp = "2026-11-01T12:00:00Z".parse().unwrap();
    for misbehave in [
        BlueskyMisbehave::AcceptThen500,
        BlueskyMisbehave::Refuse500,
        BlueskyMisbehave::Unauthorized,
        BlueskyMisbehave::RateLimited { reset: Some(reset) },
        BlueskyMisbehave::RateLimited { reset: None },
        BlueskyMisbehave::Html,
        BlueskyMisbehave::Redirect("http://169.254.169.254/".to_owned()),
        BlueskyMisbehave::Endless,
        BlueskyMisbehave::AcceptThenSilence,
    ] {
        bluesky.misbehave("putRecord", misbehave);
    }
    let put = |rkey: &str| request(&bluesky, "putRecord", &token, &put(rkey, rkey));
    assert_eq!(answer(put("3laaaaaaaaa2a")).await.0, 500);
    assert_eq!(answer(put("3laaaaaaaaa2b")).await.0, 500);
    assert_eq!(answer(put("3laaaaaaaaa2c")).await.0, 401);
    let limited = put("3laaaaaaaaa2d").send().await.unwrap();
    assert_eq!(limited.headers()["ratelimit-reset"], reset.as_second().to_string().as_str());
    let limited = put("3laaaaaaaaa2d").send().await.unwrap();
    assert!(limited.status() == 429 && !limited.headers().contains_key("ratelimit-reset"));
    let page = put("3laaaaaaaaa2e").send().await.unwrap();
    assert!(page.text().await.unwrap().starts_with("<!doctype html>"));
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
    let redirect = client.build().unwrap().execute(put("3laaaaaaaaa2f").build().unwrap()).await;
    assert_eq!(redirect.unwrap().status(), 307);
    let mut endless = put("3laaaaaaaaa2g").send().await.unwrap();
    let mut read_bytes = 0;
    while read_bytes < 1 << 21 {
        read_bytes += endless.chunk().await.unwrap().unwrap().len();
    }
    drop(endless);
    unanswered(put("3laaaaaaaaa2h"), until(|| bluesky.posts(DID).len() == 2)).await;
    assert_eq!(bluesky.unspent(), []);
    let keys: Vec<_> =
        bluesky.posts(DID).into_iter().map(|post| post.value["text"].clone()).collect();
    assert_eq!(keys, ["3laaaaaaaaa2a", "3laaaaaaaaa2h"]);
}
