//! The instance as a client meets it.

use axum::{body::Bytes, http::Method};
use jiff::{SignedDuration, Timestamp};
use reqwest::RequestBuilder;
use serde_json::{Value, json};

use super::{Mastodon, api::Endpoint, faults::Misbehave, pictures::MastodonPicture};
use crate::server::{unanswered, until};

const PNG: &[u8] = b"\x89PNG\r\n\x1a\nthe rest";

async fn mastodon() -> Mastodon {
    let mastodon = Mastodon::start().await;
    mastodon.account("token-a", "apollo");
    mastodon.account("token-b", "bacchus");
    mastodon
}

fn call(mastodon: &Mastodon, method: Method, path: &str) -> RequestBuilder {
    let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
    let url = format!("{}{path}", mastodon.url());
    http.build().unwrap().request(method, url).bearer_auth("token-a")
}

fn status(mastodon: &Mastodon, body: &Value) -> RequestBuilder {
    call(mastodon, Method::POST, "/api/v1/statuses").json(body)
}

async fn answer(request: RequestBuilder) -> (u16, Value) {
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap_or_default())
}

async fn say(mastodon: &Mastodon, text: &str) -> (u16, Value) {
    answer(status(mastodon, &json!({ "status": text }))).await
}

async fn get(mastodon: &Mastodon, path: &str) -> (u16, Value) {
    answer(call(mastodon, Method::GET, path)).await
}

fn texts(mastodon: &Mastodon) -> Vec<String> {
    mastodon.posts("apollo").into_iter().map(|post| post.text).collect()
}

fn ids(page: &Value) -> Vec<String> {
    let ids = page.as_array().unwrap().iter().map(|post| post["id"].as_str().unwrap());
    ids.map(ToOwned::to_owned).collect()
}

#[tokio::test]
async fn a_key_makes_one_post_an_hour_for_each_account() {
    let mastodon = mastodon().await;
    let keyed = |text: &str| {
        let request = status(&mastodon, &json!({ "status": text }));
        request.header("Idempotency-Key", "post-1")
    };
    let (code, first) = answer(keyed("Baa")).await;
    assert_eq!((code, &first["content"]), (200, &json!("<p>Baa</p>")));
    // The text of the second does not matter.
    assert_eq!(answer(keyed("Boo")).await, (200, first.clone()));
    let other = reqwest::Client::new().post(format!("{}/api/v1/statuses", mastodon.url()));
    let other = other.bearer_auth("token-b").header("Idempotency-Key", "post-1");
    let form = [("status", "Baa"), ("visibility", "unlisted")];
    let encoded = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
    let other = other.header("content-type", "application/x-www-form-urlencoded");
    let (code, other) = answer(other.body(encoded)).await;
    assert_eq!((code, &other["visibility"]), (200, &json!("unlisted")));
    mastodon.advance(SignedDuration::from_hours(1));
    assert_ne!(answer(keyed("Baa")).await.1["id"], first["id"]);
    mastodon.idempotency(false);
    answer(keyed("Baa")).await;
    assert_eq!(texts(&mastodon), ["Baa", "Baa", "Baa"]);
    assert_eq!(mastodon.posts("bacchus").len(), 1);
}

#[tokio::test]
async fn what_mastodon_would_not_take_is_refused() {
    let mastodon = mastodon().await;
    let blank = json!({ "error": "Validation failed: Text can't be blank" });
    assert_eq!(say(&mastodon, " \n").await, (422, blank));
    let too_long = "Validation failed: Text character limit of 500 exceeded";
    assert_eq!(say(&mastodon, &"猫".repeat(501)).await, (422, json!({ "error": too_long })));
    // Graphemes are counted, a link is 23 and a mention has no domain.
    assert_eq!(say(&mastodon, &"👩‍👩‍👧".repeat(500)).await.0, 200);
    let link = format!("https://a.example/{}", "x".repeat(600));
    assert_eq!(say(&mastodon, &format!("{} {link}", "a".repeat(476))).await.0, 200);
    assert_eq!(say(&mastodon, &format!("{} {link}", "a".repeat(477))).await.0, 422);
    let mention = "@somebody@a.very.long.example";
    assert_eq!(say(&mastodon, &format!("{} {mention}", "a".repeat(490))).await.0, 200);
    assert_eq!(say(&mastodon, &format!("{} {mention}", "a".repeat(491))).await.0, 422);
    for (wrong, code) in [
        (json!({ "status": "a", "in_reply_to_id": "7" }), 404),
        (json!({ "status": "a", "media_ids": ["7"] }), 422),
        (json!({ "status": "a", "visibility": "secret" }), 422),
        (json!({ "status": "a", "text": "b" }), 422),
    ] {
        assert_eq!(answer(status(&mastodon, &wrong)).await.0, code, "{wrong}");
    }
    mastodon.suspend("apollo", true);
    let disabled = json!({ "error": "Your login is currently disabled" });
    assert_eq!(say(&mastodon, "a").await, (403, disabled));
    mastodon.revoke("token-a");
    let invalid = json!({ "error": "The access token is invalid" });
    assert_eq!(say(&mastodon, "a").await, (401, invalid));
}

#[tokio::test]
async fn lists_newest_first_in_pages() {
    let mastodon = mastodon().await;
    for number in 0..5 {
        say(&mastodon, &format!("Baa {number}")).await;
    }
    let (_, me) = get(&mastodon, "/api/v1/accounts/verify_credentials").await;
    assert_eq!((&me["username"], &me["bot"]), (&json!("apollo"), &json!(true)));
    let path = format!("/api/v1/accounts/{}/statuses", me["id"].as_str().unwrap());
    let all: Vec<_> = mastodon.posts("apollo").into_iter().map(|post| post.id).rev().collect();
    assert_eq!(ids(&get(&mastodon, &path).await.1), all);
    let page = call(&mastodon, Method::GET, &format!("{path}?limit=2")).send().await.unwrap();
    let link = page.headers()["link"].to_str().unwrap().to_owned();
    assert_eq!(ids(&page.json().await.unwrap()), all[..2]);
    assert!(link.contains(&format!("?limit=2&max_id={}>; rel=\"next\"", all[1])), "{link}");
    let older = get(&mastodon, &format!("{path}?limit=2&max_id={}", all[1])).await.1;
    assert_eq!(ids(&older), all[2..4]);
    let since = get(&mastodon, &format!("{path}?limit=2&since_id={}", all[3])).await.1;
    assert_eq!(ids(&since), all[..2]);
    let min = get(&mastodon, &format!("{path}?limit=2&min_id={}", all[3])).await.1;
    assert_eq!(ids(&min), all[1..3]);
    assert_eq!(get(&mastodon, "/api/v1/accounts/7/statuses").await.0, 404);
    // A revoked token is no token, and public posts are public.
    mastodon.revoke("token-a");
    assert_eq!(ids(&get(&mastodon, &path).await.1), all);
    mastodon.suspend("apollo", true);
    assert_eq!(get(&mastodon, &path).await.1, json!([]));
}

#[tokio::test]
async fn texts_are_shown_as_html() {
    let mastodon = mastodon().await;
    mastodon.knows("friend@away.example");
    let long = "https://www.a.example/a/path?that=goes&on=beyond+what+is+shown";
    let text = format!("one & <two>\nthree\n\n@bacchus @friend@away.example @no@b.c #Tag {long}.");
    let (_, post) = say(&mastodon, &text).await;
    let expected = concat!(
        "<p>one &amp; &lt;two&gt;<br />three</p><p>",
        r#"<span class="h-card" translate="no"><a href="https://stand-in.example/@bacchus" "#,
        r#"class="u-url mention">@<span>bacchus</span></a></span> "#,
        r#"<span class="h-card" translate="no"><a href="https://away.example/@friend" "#,
        r#"class="u-url mention">@<span>friend</span></a></span> @no@b.c "#,
        r#"<a href="https://stand-in.example/tags/Tag" class="mention hashtag" "#,
        r##"rel="tag">#<span>Tag</span></a> "##,
        r#"<a href="https://www.a.example/a/path?that=goes&amp;on=beyond+what+is+shown" "#,
        r#"target="_blank" rel="nofollow noopener" translate="no">"#,
        r#"<span class="invisible">https://www.</span>"#,
        r#"<span class="ellipsis">a.example/a/path?that=goes&amp;on=</span>"#,
        r#"<span class="invisible">beyond+what+is+shown</span></a>.</p>"#,
    );
    assert_eq!(post["content"], expected);
}

#[tokio::test]
async fn pictures_are_uploaded_processed_and_attached_once() {
    let mastodon = mastodon().await;
    mastodon.processing(1);
    let body = |mime: &str, bytes: &[u8]| {
        let head = "--b\r\nContent-Disposition: form-data; name=\"description\"\r\n\r\na \"sheep\"\r\n\
                        --b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.png\"\r\n";
        let mut body = format!("{head}Content-Type: {mime}\r\n\r\n").into_bytes();
        body.extend_from_slice(bytes);
        body.extend_from_slice(b"\r\n--b--\r\n");
        let request = call(&mastodon, Method::POST, "/api/v2/media");
        request.header("content-type", "multipart/form-data; boundary=b").body(body)
    };
    assert_eq!(answer(body("image/png", b"no picture")).await.0, 422);
    assert_eq!(answer(body("image/tiff", PNG)).await.0, 422);
    let large = [PNG, &vec![0; Mastodon::PICTURE_BYTES]].concat();
    assert_eq!(answer(body("image/png", &large)).await.0, 422);
    let (code, media) = answer(body("image/png", PNG)).await;
    assert_eq!(
        (code, &media["url"], &media["description"]),
        (202, &Value::Null, &json!("a \"sheep\""))
    );
    let id = media["id"].as_str().unwrap();
    let post = json!({ "status": "look", "media_ids": [id] });
    assert_eq!(answer(status(&mastodon, &post)).await.0, 422, "it is not ready");
    let path = format!("/api/v1/media/{id}");
    assert_eq!(get(&mastodon, &path).await.0, 206);
    assert_eq!(get(&mastodon, &path).await.0, 200);
    assert_eq!(answer(status(&mastodon, &post)).await.0, 200);
    assert_eq!(answer(status(&mastodon, &post)).await.0, 422, "it is attached already");
    let picture = MastodonPicture {
        mime: "image/png".to_owned(),
        alt: "a \"sheep\"".to_owned(),
        bytes: Bytes::from_static(PNG),
    };
    assert_eq!(mastodon.posts("apollo")[0].pictures, [picture]);
}

#[tokio::test]
async fn reblogs_once_and_deletes() {
    let mastodon = mastodon().await;
    let (_, original) = say(&mastodon, "Baa").await;
    let path = format!("/api/v1/statuses/{}", original["id"].as_str().unwrap());
    let (_, reblog) = answer(call(&mastodon, Method::POST, &format!("{path}/reblog"))).await;
    assert_eq!(reblog["reblog"]["id"], original["id"]);
    let again = answer(call(&mastodon, Method::POST, &format!("{path}/reblog"))).await;
    assert_eq!(again, (200, reblog));
    assert_eq!(get(&mastodon, &path).await.0, 200);
    let (code, deleted) = answer(call(&mastodon, Method::DELETE, &path)).await;
    assert_eq!((code, &deleted["text"]), (200, &json!("Baa")));
    assert_eq!(answer(call(&mastodon, Method::DELETE, &path)).await.0, 404);
    assert_eq!(get(&mastodon, &path).await.0, 404);
    assert_eq!(mastodon.posts("apollo"), []);
}

#[tokio::test]
async fn tells_of_itself_and_of_its_limits() {
    let mastodon = mastodon().await;
    mastodon.most_characters(1000);
    let (_, instance) = get(&mastodon, "/api/v2/instance").await;
    assert_eq!(instance["configuration"]["statuses"]["max_characters"], 1000);
    mastodon.v2_instance(false);
    assert_eq!(get(&mastodon, "/api/v2/instance").await.0, 404);
    assert_eq!(
        get(&mastodon, "/api/v1/instance").await.1["configuration"],
        instance["configuration"]
    );
    let update = call(&mastodon, Method::PATCH, "/api/v1/accounts/update_credentials");
    let (_, me) = answer(update.json(&json!({ "bot": false, "note": "<3" }))).await;
    assert_eq!((&me["bot"], &me["note"]), (&json!(false), &json!("<p>&lt;3</p>")));
    let so_far = mastodon.shared.state().accounts[0].window.1;
    mastodon.rate_limit(so_far + 1);
    let verify = || call(&mastodon, Method::GET, "/api/v1/accounts/verify_credentials").send();
    let last = verify().await.unwrap();
    assert_eq!(
        (last.status().as_u16(), &last.headers()["x-ratelimit-remaining"]),
        (200, &"0".parse().unwrap())
    );
    let reset: Timestamp = last.headers()["x-ratelimit-reset"].to_str().unwrap().parse().unwrap();
    assert_eq!(reset.as_second() % 300, 0);
    assert_eq!(verify().await.unwrap().status(), 429);
}

#[tokio::test]
async fn misbehaves_in_turn() {
    let mastodon = mastodon().await;
    let reset: Timestamp = "2026-11-01T12:00:00Z".parse().unwrap();
    for misbehave in [
        Misbehave::AcceptThen500,
        Misbehave::Refuse500,
        Misbehave::RateLimited { reset: Some(reset) },
        Misbehave::RateLimited { reset: None },
        Misbehave::Unauthorized,
        Misbehave::Suspended,
        Misbehave::Unprocessable("No.".to_owned()),
        Misbehave::Gone,
        Misbehave::NotFound,
        Misbehave::Html,
        Misbehave::Redirect("http://169.254.169.254/latest".to_owned()),
        Misbehave::Huge,
        Misbehave::Endless,
        Misbehave::AcceptThenSilence,
    ] {
        mastodon.misbehave(misbehave);
    }
    mastodon.misbehave_at(Endpoint::Verify, Misbehave::Html);
    assert_eq!(get(&mastodon, "/api/v1/accounts/verify_credentials").await.0, 200);
    assert_eq!(say(&mastodon, "accepted").await.0, 500);
    assert_eq!(say(&mastodon, "refused").await.0, 500);
    let send = || status(&mastodon, &json!({ "status": "a" })).send();
    let limited = send().await.unwrap();
    assert_eq!(limited.status(), 429);
    assert_eq!(limited.headers()["x-ratelimit-reset"], "2026-11-01T12:00:00.000000Z");
    let limited = send().await.unwrap();
    assert_eq!(limited.status(), 429);
    assert!(!limited.headers().contains_key("x-ratelimit-reset"));
    assert_eq!(say(&mastodon, "b").await.0, 401);
    assert_eq!(say(&mastodon, "c").await.0, 403);
    assert_eq!(say(&mastodon, "d").await, (422, json!({ "error": "No." })));
    assert_eq!(say(&mastodon, "e").await.0, 410);
    assert_eq!(say(&mastodon, "f").await.0, 404);
    assert!(send().await.unwrap().text().await.unwrap().starts_with("<!doctype html>"));
    let redirect = send().await.unwrap();
    assert_eq!(redirect.status(), 302);
    assert_eq!(redirect.headers()["location"], "http://169.254.169.254/latest");
    assert_eq!(send().await.unwrap().content_length(), Some(104_857_600));
    let mut endless = send().await.unwrap();
    let mut read_bytes = 0;
    while read_bytes < 1 << 21 {
        read_bytes += endless.chunk().await.unwrap().unwrap().len();
    }
    drop(endless);
    let silent = status(&mastodon, &json!({ "status": "silent" }));
    unanswered(silent, until(|| texts(&mastodon).contains(&"silent".to_owned()))).await;
    assert_eq!(mastodon.unspent(), []);
    assert_eq!(say(&mastodon, "good").await.0, 200);
    assert_eq!(texts(&mastodon), ["accepted", "silent", "good"]);
    assert_eq!(mastodon.requests(Endpoint::Post), 15);
}
