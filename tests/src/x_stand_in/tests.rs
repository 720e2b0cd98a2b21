//! X as a client meets it.

use std::{collections::BTreeMap, num::NonZeroU64, time::Duration};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use jiff::{SignedDuration, Timestamp};
use oauth1_request as oauth;
use serde_json::{Value, json};

use super::{
    X,
    api::Operation,
    bill::Billed,
    faults::{Misbehave, Trouble},
    pictures::XPicture,
};
use crate::{
    clock::Clock,
    server::{unanswered, until},
};

/// A client of the app `ck`.
struct Client<'a> {
    x: &'a X,
    consumer_key: &'a str,
    token: &'a str,
    token_secret: &'a str,
    /// How far its clock is off.
    seconds_off: i64,
}

impl<'a> Client<'a> {
    fn of(x: &'a X) -> Self {
        Self { x, consumer_key: "ck", token: "7-abc", token_secret: X::SECRET, seconds_off: 0 }
    }

    fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        let url: reqwest::Url = format!("{}{path}", self.x.url()).parse().unwrap();
        let parameters: std::collections::BTreeSet<_> = url.query_pairs().collect();
        let parameters = oauth::request::ParameterList::new(Vec::from_iter(parameters));
        let client = oauth::Credentials::new(self.consumer_key, X::SECRET);
        let mut builder = oauth::Builder::new(client, oauth::HmacSha1::new());
        let second = u64::try_from(Clock::Wall.now().as_second() + self.seconds_off).unwrap();
        builder.token(oauth::Credentials::new(self.token, self.token_secret));
        builder.timestamp(NonZeroU64::new(second));
        let mut endpoint = url.clone();
        endpoint.set_query(None);
        let header = builder.authorize(method, endpoint.as_str(), &parameters);
        let request = reqwest::Client::new().request(method.parse().unwrap(), url);
        request.header("authorization", header)
    }

    async fn ask(&self, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
        let request = self.request(method, path);
        answer(match body {
            Some(body) => request.json(&body),
            None => request,
        })
        .await
    }

    async fn say(&self, text: &str) -> u16 {
        self.ask("POST", "/2/tweets", Some(json!({ "text": text }))).await.0
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        self.ask("GET", path, None).await
    }
}

async fn x() -> X {
    let x = X::start("ck").await;
    x.account("7-abc", "7");
    x.account("8-abc", "8");
    x
}

fn tweet(x: &X, text: &str) -> reqwest::RequestBuilder {
    Client::of(x).request("POST", "/2/tweets").json(&json!({ "text": text }))
}

async fn answer(request: reqwest::RequestBuilder) -> (u16, Value) {
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

fn texts(page: &Value) -> Vec<&str> {
    page["data"].as_array().unwrap().iter().map(|post| post["text"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_post_is_made_once_per_text_and_quarter_of_an_hour() {
    let x = x().await;
    let client = Client::of(&x);
    let baa = || Some(json!({ "text": "Baa", "made_with_ai": true }));
    let (status, body) = client.ask("POST", "/2/tweets", baa()).await;
    let first = x.posts("7").remove(0);
    assert!(first.made_with_ai);
    assert_eq!((status, body), (201, json!({ "data": { "id": first.id, "text": "Baa" } })));
    let (status, body) = client.ask("POST", "/2/tweets", baa()).await;
    let detail = "You are not allowed to create a Tweet with duplicate content.";
    let refusal = json!(
        {"detail": detail, "type": "about:blank", "title": "Forbidden", "status": 403}
    );
    assert_eq!((status, body), (403, refusal));
    x.advance(SignedDuration::from_mins(15));
    assert_eq!(client.say("Baa").await, 201);
    x.duplicate_check(false);
    assert_eq!(client.say("Baa").await, 201);
    let ids: Vec<_> = x.posts("7").into_iter().map(|post| post.id.parse::<u64>()).collect();
    assert!(ids.len() == 3 && ids.is_sorted_by(|a, b| a.as_ref().ok() < b.as_ref().ok()));
    assert_eq!(x.posts("8"), []);
    assert_eq!(x.bill("7"), BTreeMap::from([(Billed::Post, 3)]));
}

#[tokio::test]
async fn what_x_would_not_take_is_refused() {
    let x = x().await;
    let good = || Client::of(&x);
    for (wrong, status) in [
        (Client { consumer_key: "other", ..good() }, 401),
        (Client { token: "9-abc", ..good() }, 401),
        (Client { token_secret: "other", ..good() }, 401),
        (Client { seconds_off: 301, ..good() }, 401),
        (Client { seconds_off: -301, ..good() }, 401),
        (Client { seconds_off: -298, ..good() }, 200),
    ] {
        assert_eq!(wrong.get("/2/users/7/tweets?max_results=5").await.0, status);
    }
    let unsigned = reqwest::Client::new().get(format!("{}/2/users/me", x.url()));
    assert_eq!(answer(unsigned).await.0, 401);
    for wrong in [
        json!({}),
        json!({ "text": "" }),
        json!({ "text": "a", "poll": {} }),
        json!({ "text": "a", "reply": {} }),
        json!({ "text": "a", "media": { "media_ids": [] } }),
        json!({ "text": "a", "media": { "media_ids": ["1"] } }),
    ] {
        assert_eq!(good().ask("POST", "/2/tweets", Some(wrong.clone())).await.0, 400, "{wrong}");
    }
    for wrong in [
        "max_results=4",
        "since_id=x",
        "start_time=soon",
        "pagination_token=1",
        "tweet.fields=entities",
        "exclude=everything",
    ] {
        let path = format!("/2/users/7/tweets?{wrong}");
        assert_eq!(good().get(&path).await.0, 400, "{wrong}");
    }
    assert_eq!(good().get("/2/tweets").await.0, 404);
}

#[tokio::test]
async fn a_clock_that_is_off_is_told_so_and_when_it_is() {
    let x = x().await;
    x.clients_behind(SignedDuration::from_mins(6));
    let response = tweet(&x, "a").send().await.unwrap();
    assert_eq!(response.status(), 401);
    let date = response.headers()["date"].to_str().unwrap();
    let date = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(date).unwrap();
    let off = date.duration_since(Clock::Wall.now());
    assert!((350..=361).contains(&off.as_secs()), "{off}");
    let body: Value = response.json().await.unwrap();
    let said = json!({ "code": 135, "message": "Timestamp out of bounds." });
    assert_eq!(body, json!({ "errors": [said] }));
}

#[tokio::test]
async fn lists_newest_first_in_pages_and_charges_for_each() {
    let x = x().await;
    let client = Client::of(&x);
    for number in 0..7 {
        client.say(&format!("Baa {number}")).await;
    }
    let (_, first) = client.get("/2/users/7/tweets?max_results=5").await;
    assert_eq!(texts(&first), ["Baa 6", "Baa 5", "Baa 4", "Baa 3", "Baa 2"]);
    assert_eq!(first["meta"]["result_count"], 5);
    let token = first["meta"]["next_token"].as_str().unwrap();
    let path = format!("/2/users/7/tweets?max_results=5&pagination_token={token}");
    let (_, second) = client.get(&path).await;
    assert_eq!(texts(&second), ["Baa 1", "Baa 0"]);
    assert_eq!(second["meta"]["next_token"], Value::Null);
    let since = &x.posts("7")[5].id;
    let (_, newer) = client.get(&format!("/2/users/7/tweets?since_id={since}")).await;
    assert_eq!(texts(&newer), ["Baa 6"]);
    let after_all = Clock::Wall.now() + SignedDuration::from_mins(1);
    let (_, none) = client.get(&format!("/2/users/7/tweets?start_time={after_all}")).await;
    assert_eq!(none, json!({ "meta": { "result_count": 0 } }));
    let (status, unknown) = client.get("/2/users/99/tweets").await;
    assert_eq!((status, &unknown["data"]), (200, &Value::Null));
    assert_eq!(unknown["errors"][0]["detail"], "Could not find user with id: [99].");
    assert_eq!(x.bill("7"), BTreeMap::from([(Billed::Post, 7), (Billed::OwnPost, 8)]));
    assert_eq!(x.billed_micros("7"), 7 * 15_000 + 8 * 1_000);
}

#[tokio::test]
async fn a_new_post_is_listed_late_when_told_so() {
    let x = x().await;
    let client = Client::of(&x);
    x.lag(2);
    client.say("Baa").await;
    for expected in [0, 0, 1, 1] {
        let (_, page) = client.get("/2/users/7/tweets").await;
        assert_eq!(page["meta"]["result_count"], expected);
    }
}

#[tokio::test]
async fn texts_are_shown_escaped_and_links_shortened() {
    let x = x().await;
    let client = Client::of(&x);
    client.say("é <b> & https://a.example/?x=1&y=2, http:// see b.example.").await;
    let (_, page) = client.get("/2/users/7/tweets?post.fields=entities,created_at").await;
    let post = &page["data"][0];
    let (first, second) = ("https://t.co/0000000001", "https://t.co/0000000002");
    assert_eq!(post["text"], format!("é &lt;b&gt; &amp; {first}, http:// see {second}."));
    let urls = &post["entities"]["urls"];
    assert_eq!(
        urls[0],
        json!({
            "start": 18,
            "end": 41,
            "url": first,
            "expanded_url": "https://a.example/?x=1&y=2",
            "display_url": "a.example/?x=1&y=2",
        })
    );
    assert_eq!(urls[1]["expanded_url"], "http://b.example");
    assert!(post["created_at"].as_str().unwrap().parse::<Timestamp>().is_ok());
    client.say("to me@b.example about v1.2.com2 and e.g.this").await;
    let billed = [(Billed::Post, 1), (Billed::PostWithLink, 1), (Billed::OwnPost, 1)];
    assert_eq!(x.bill("7"), BTreeMap::from(billed));
}

#[tokio::test]
async fn only_those_who_were_mentioned_may_reply() {
    let x = x().await;
    let client = Client::of(&x);
    let reply = |text: &str, to: &str| {
        Some(json!({ "text": text, "reply": { "in_reply_to_tweet_id": to } }))
    };
    let other = x.made_elsewhere("8", "Nice, @user77!");
    let (status, body) = client.ask("POST", "/2/tweets", reply("a", &other)).await;
    assert_eq!(status, 403);
    assert!(body["detail"].as_str().unwrap().starts_with("Reply to this conversation is not"));
    let asked = x.made_elsewhere("8", "What say you, @user7?");
    assert_eq!(client.ask("POST", "/2/tweets", reply("b", &asked)).await.0, 201);
    let own = x.posts("7")[0].id.clone();
    assert_eq!(client.ask("POST", "/2/tweets", reply("c", &own)).await.0, 201);
    assert_eq!(client.ask("POST", "/2/tweets", reply("d", "1")).await.0, 403);
    assert_eq!(x.posts("7")[1].reply_to.as_ref(), Some(&own));
    let (_, page) = client.get("/2/users/7/tweets").await;
    assert_eq!(texts(&page), ["c", "@user8 b"]);
    let billed = [(Billed::Post, 1), (Billed::SummonedReply, 1), (Billed::OwnPost, 2)];
    assert_eq!(x.bill("7"), BTreeMap::from(billed));
}

#[tokio::test]
async fn pictures_are_uploaded_described_and_posted() {
    let x = x().await;
    let client = Client::of(&x);
    let png = b"\x89PNG and so on";
    let upload = |bytes: &[u8]| {
        let media = BASE64_STANDARD.encode(bytes);
        Some(json!({ "media": media, "media_category": "tweet_image" }))
    };
    for wrong in [upload(b"text"), upload(&vec![0x89; 5_000_001]), Some(json!({ "media": "" }))] {
        assert_eq!(client.ask("POST", "/2/media/upload", wrong).await.0, 400);
    }
    let (status, body) = client.ask("POST", "/2/media/upload", upload(png)).await;
    assert_eq!(status, 200);
    let media_id = body["data"]["id"].as_str().unwrap();
    let alt = |id: &str, text: &str| {
        Some(json!({ "id": id, "metadata": { "alt_text": { "text": text } } }))
    };
    let path = "/2/media/metadata";
    assert_eq!(client.ask("POST", path, alt(media_id, "A sheep")).await.0, 200);
    assert_eq!(client.ask("POST", path, alt(media_id, &"a".repeat(1_001))).await.0, 400);
    assert_eq!(client.ask("POST", path, alt("1", "A sheep")).await.0, 400);
    let post = json!({ "text": "Look", "media": { "media_ids": [media_id] } });
    assert_eq!(client.ask("POST", "/2/tweets", Some(post)).await.0, 201);
    let picture = XPicture { bytes: png.to_vec(), alt: Some("A sheep".to_owned()) };
    assert_eq!(x.posts("7")[0].pictures, [picture]);
    let (_, page) = client.get("/2/users/7/tweets?post.fields=entities").await;
    assert_eq!(texts(&page), ["Look https://t.co/0000000001"]);
    let key = &page["data"][0]["entities"]["urls"][0]["media_key"];
    assert_eq!(*key, format!("3_{media_id}"));
    let billed = [(Billed::Post, 1), (Billed::OwnPost, 1), (Billed::AltText, 1)];
    assert_eq!(x.bill("7"), BTreeMap::from(billed));
}

#[tokio::test]
async fn reposts_once_and_says_who_is_asking() {
    let x = x().await;
    let client = Client::of(&x);
    let of = x.made_elsewhere("8", "Baa");
    let repost = |of: &str| Some(json!({ "tweet_id": of }));
    let (status, body) = client.ask("POST", "/2/users/7/retweets", repost(&of)).await;
    assert_eq!(status, 200);
    assert_eq!(body, json!({ "data": { "retweeted": true, "rest_id": of } }));
    assert_eq!(client.ask("POST", "/2/users/7/retweets", repost(&of)).await.0, 403);
    assert_eq!(client.ask("POST", "/2/users/8/retweets", repost(&of)).await.0, 403);
    assert_eq!(client.ask("POST", "/2/users/7/retweets", repost("1")).await.0, 404);
    assert_eq!(x.posts("7")[0].repost_of.as_ref(), Some(&of));
    let (_, page) = client.get("/2/users/7/tweets").await;
    assert_eq!(texts(&page), ["RT @user8: Baa"]);
    let (_, page) = client.get("/2/users/7/tweets?exclude=retweets").await;
    assert_eq!(page["meta"]["result_count"], 0);
    let (_, me) = client.get("/2/users/me").await;
    let me = &me["data"];
    assert_eq!((&me["id"], &me["username"]), (&json!("7"), &json!("user7")));
    let billed = [(Billed::Repost, 1), (Billed::OwnPost, 1), (Billed::User, 1)];
    assert_eq!(x.bill("7"), BTreeMap::from(billed));
}

#[tokio::test]
async fn deletes_own_posts() {
    let x = x().await;
    let client = Client::of(&x);
    client.say("Baa").await;
    let path = format!("/2/tweets/{}", x.posts("7")[0].id);
    let other = Client { token: "8-abc", ..Client::of(&x) };
    assert_eq!(other.ask("DELETE", &path, None).await.0, 403);
    let deleted = json!({ "data": { "deleted": true } });
    assert_eq!(client.ask("DELETE", &path, None).await, (200, deleted));
    assert_eq!(client.ask("DELETE", &path, None).await.0, 404);
    // Its text is free again.
    assert_eq!(client.say("Baa").await, 201);
    let billed = [(Billed::Post, 2), (Billed::Delete, 1)];
    assert_eq!(x.bill("7"), BTreeMap::from(billed));
}

#[tokio::test]
async fn limits_are_counted_and_kept() {
    let x = x().await;
    x.limit(Operation::Post, 2);
    x.app_limit(3);
    let header = |response: &reqwest::Response, name: &str| {
        response.headers().get(name).map(|value| value.to_str().unwrap().to_owned())
    };
    for left in ["1", "0"] {
        let response = tweet(&x, left).send().await.unwrap();
        assert_eq!(header(&response, "x-rate-limit-limit").as_deref(), Some("2"));
        assert_eq!(header(&response, "x-rate-limit-remaining").as_deref(), Some(left));
    }
    let over = tweet(&x, "over").send().await.unwrap();
    assert_eq!(over.status(), 429);
    let reset = header(&over, "x-rate-limit-reset").unwrap().parse::<i64>().unwrap();
    assert!((890..=900).contains(&(reset - Clock::Wall.now().as_second())));
    x.advance(SignedDuration::from_mins(15));
    let third = tweet(&x, "third").send().await.unwrap();
    assert_eq!(third.status(), 201);
    assert_eq!(header(&third, "x-app-limit-24hour-remaining").as_deref(), Some("0"));
    let over = tweet(&x, "fourth").send().await.unwrap();
    assert_eq!(over.status(), 429);
    assert_eq!(header(&over, "x-rate-limit-remaining").as_deref(), Some("0"));
    assert_eq!(header(&over, "x-app-limit-24hour-remaining").as_deref(), Some("0"));
    // Listings have a window of their own.
    assert_eq!(Client::of(&x).get("/2/users/7/tweets").await.0, 200);
}

#[tokio::test]
async fn trouble_lasts_until_it_is_over() {
    let x = x().await;
    let client = Client::of(&x);
    for (trouble, status) in [
        (Trouble::Revoked, 401),
        (Trouble::Suspended, 403),
        (Trouble::AppSuspended, 401),
        (Trouble::Tier, 403),
        (Trouble::OutOfCredits, 402),
    ] {
        x.trouble(trouble);
        assert_eq!(client.say("a").await, status);
        assert_eq!(client.get("/2/users/7/tweets").await.0, status);
    }
    x.well();
    assert_eq!(client.say("a").await, 201);
}

#[tokio::test]
async fn misbehaves_in_turn() {
    let x = x().await;
    let client = Client::of(&x);
    let reset: Timestamp = "2026-11-01T12:00:00Z".parse().unwrap();
    for misbehave in [
        Misbehave::AcceptThen500,
        Misbehave::Refuse500,
        Misbehave::Forbidden("Too long.".to_owned()),
        Misbehave::Unauthorized,
        Misbehave::RateLimited { reset },
        Misbehave::RateLimitedForHowLong,
        Misbehave::Code88 { reset: Some(reset) },
        Misbehave::Html,
        Misbehave::Endless,
        Misbehave::Huge,
        Misbehave::Redirect("http://169.254.169.254/".to_owned()),
        Misbehave::AcceptThenSilence,
        Misbehave::AcceptLate(Duration::from_hours(1)),
    ] {
        x.misbehave(misbehave);
    }
    x.misbehave_at(Operation::Timeline, Misbehave::Refuse500);
    assert_eq!(client.say("accepted").await, 500);
    assert_eq!(client.say("refused").await, 500);
    let a = Some(json!({ "text": "a" }));
    let (status, forbidden) = client.ask("POST", "/2/tweets", a).await;
    assert_eq!((status, &forbidden["detail"]), (403, &json!("Too long.")));
    assert_eq!(client.say("b").await, 401);
    let limited = tweet(&x, "c").send().await.unwrap();
    assert_eq!(limited.status(), 429);
    let reset = reset.as_second().to_string();
    assert_eq!(limited.headers()["x-rate-limit-reset"].to_str().unwrap(), reset);
    let limited = tweet(&x, "c").send().await.unwrap();
    assert_eq!(limited.status(), 429);
    assert!(!limited.headers().contains_key("x-rate-limit-reset"));
    let c = Some(json!({ "text": "c" }));
    let (status, limited) = client.ask("POST", "/2/tweets", c).await;
    assert_eq!((status, &limited["errors"][0]["code"]), (429, &json!(88)));
    let page = tweet(&x, "d").send().await.unwrap();
    assert_eq!(page.status(), 200);
    assert!(page.text().await.unwrap().starts_with("<!doctype html>"));
    let mut endless = tweet(&x, "e").send().await.unwrap();
    assert_eq!(endless.status(), 201);
    let mut read_bytes = 0;
    while read_bytes < 1 << 21 {
        read_bytes += endless.chunk().await.unwrap().unwrap().len();
    }
    drop(endless);
    let huge = tweet(&x, "f").send().await.unwrap();
    assert_eq!(huge.content_length(), Some(100_000_000));
    assert_eq!(huge.bytes().await.unwrap().len(), 100_000_000);
    let straight = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
    let (http, redirected) = tweet(&x, "g").build_split();
    drop(http);
    let redirected = straight.build().unwrap().execute(redirected.unwrap()).await.unwrap();
    assert_eq!(redirected.status(), 307);
    assert_eq!(redirected.headers()["location"], "http://169.254.169.254/");
    let has = |text: &'static str| {
        let x = &x;
        until(move || x.posts("7").iter().any(|post| post.text == text))
    };
    unanswered(tweet(&x, "silent"), has("silent")).await;
    unanswered(tweet(&x, "late"), has("late")).await;
    assert_eq!(client.get("/2/users/7/tweets").await.0, 500);
    assert_eq!(x.unspent(), []);
    assert_eq!(client.say("good").await, 201);
    assert_eq!((x.asked(Operation::Post), x.asked(Operation::Timeline)), (14, 1));
    let texts: Vec<_> = x.posts("7").into_iter().map(|post| post.text).collect();
    assert_eq!(texts, ["accepted", "silent", "late", "good"]);
    assert_eq!(x.bill("7"), BTreeMap::from([(Billed::Post, 4)]));
}
