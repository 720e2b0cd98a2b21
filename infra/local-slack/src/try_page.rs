//! `/try`: the local Slack in a browser, for whoever sits at this machine.
//!
//! One can be anybody there, so it is shown to nobody else: the other end must be on this machine, the browser must
//! have come here by this machine's own name, not by one that was pointed here, and by the link that the run has
//! printed, because other users of the machine are here, too.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use axum::{
    Form, Router,
    extract::{ConnectInfo, Query, Request, State},
    http::{HeaderMap, Method, StatusCode, Uri, header},
    middleware::{self, Next},
    response::{Html, IntoResponse, Redirect, Response},
    routing::{any, get, post},
};
use flock_core::{RoomId, UserId};
use jiff::{Timestamp, tz::TimeZone};
use maud::{DOCTYPE, Markup, html};
use serde::Deserialize;

use loopback::Token;

use crate::{
    mrkdwn::Names,
    sender::{ButtonPlace, SlackSender},
    view,
    workspace::{Author, Message},
};

const STYLE: &str = include_str!("try.css");
const SCRIPT: &str = include_str!("try.js");
const DOOR_SCRIPT: &str = include_str!("try_door.js");

/// Where somebody is, and as whom.
#[derive(Deserialize)]
struct Place {
    #[serde(rename = "as", default = "ada")]
    user: String,
    #[serde(default = "general")]
    room: String,
    /// The message whose thread they write in.
    #[serde(default)]
    thread: String,
}

#[derive(Deserialize)]
struct Entered {
    #[serde(rename = "as")]
    user: String,
    room: String,
    #[serde(default)]
    thread: String,
    text: String,
}

#[derive(Deserialize)]
struct Pressed {
    #[serde(rename = "as")]
    user: String,
    room: String,
    ts: String,
    block: String,
    action: String,
}

fn ada() -> String {
    "U1".to_owned()
}

fn general() -> String {
    "C1".to_owned()
}

/// What opens the pages: the token of the link, and after the first visit a cookie.
#[derive(Debug)]
struct Link {
    token: Token,
    /// The path of the pages, which nobody guesses. A browser shows its cookies to every port of this machine, but only
    /// below their path: so no page of another port gets this one's.
    door: String,
    /// What the browser keeps.
    cookie: Token,
    words: Words,
    elsewhere: fn() -> Response,
}

/// In which words people are told where the link is.
#[derive(Debug, Clone, Copy)]
pub struct Words {
    /// The command that starts all this, and prints the link.
    pub run: &'static str,
    /// The command that prints it again.
    pub link: &'static str,
}

const COOKIE: &str = "flockwork";

/// The pages, for those who have come by the link with `token`. Who is not at this machine gets what is `elsewhere`.
pub fn router(
    sender: SlackSender,
    token: Token,
    words: Words,
    elsewhere: fn() -> Response,
) -> Router {
    let door = format!("/try/{}", Token::new().expose());
    let pages = Router::new()
        .route(&format!("{door}/"), get(whole))
        .route(&format!("{door}/room"), get(room))
        .route(&format!("{door}/enter"), post(enter))
        .route(&format!("{door}/press"), post(press));
    let link = Arc::new(Link { token, door, cookie: Token::new(), words, elsewhere });
    let (at_the_door, earlier) = (Arc::clone(&link), Arc::clone(&link));
    pages
        .layer(middleware::from_fn_with_state(Arc::clone(&link), only_by_link))
        .route("/try", get(async move |uri: Uri| at_the_door.come_in(&uri)))
        .route(
            "/try/{*earlier}",
            any(async move |method: Method, uri: Uri| earlier.no_door(&method, &uri)),
        )
        .route("/try.css", get(async || css(STYLE)))
        .route("/try.js", get(async || js(SCRIPT)))
        .route("/try_door.js", get(async || js(DOOR_SCRIPT)))
        .layer(middleware::from_fn_with_state(link, only_here))
        .with_state(sender)
}

/// Whoever is not at this machine finds nothing here.
async fn only_here(
    State(link): State<Arc<Link>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
    next: Next,
) -> Response {
    if is_from_here(peer.ip(), request.method(), request.headers()) {
        next.run(request).await
    } else {
        (link.elsewhere)()
    }
}

/// Who has come by the link brings the cookie.
async fn only_by_link(State(link): State<Arc<Link>>, request: Request, next: Next) -> Response {
    if link.is_kept(request.headers()) {
        return next.run(request).await;
    }
    link.no_door(request.method(), request.uri())
}

/// The token in a query, and the query without it.
fn without_token(query: &str) -> (Option<String>, String) {
    let (mut given, mut others) = (None, form_urlencoded::Serializer::new(String::new()));
    for (key, value) in form_urlencoded::parse(query.as_bytes()) {
        if key == "token" {
            given = Some(value.into_owned());
        } else {
            others.append_pair(&key, &value);
        }
    }
    (given, others.finish())
}

impl Link {
    /// Says where the link is, to people; and to the page of an earlier run that it is one.
    fn no_door(&self, method: &Method, asked: &Uri) -> Response {
        if *method == Method::GET && !asked.path().ends_with("/room") {
            return self.where_it_is();
        }
        let Words { run, link } = self.words;
        let what = format!(
            "the link to this page is of an earlier run. Open the one that `{run}` has printed, or that `{link}` prints."
        );
        (StatusCode::FORBIDDEN, what).into_response()
    }

    fn where_it_is(&self) -> Response {
        let page = where_the_link_is(self.words);
        (StatusCode::FORBIDDEN, Html(page.into_string())).into_response()
    }

    /// Lets the link in and keeps its token out of the address bar.
    fn come_in(&self, here: &Uri) -> Response {
        let (given, others) = without_token(here.query().unwrap_or_default());
        if !given.is_some_and(|given| self.token.is(&given)) {
            return self.where_it_is();
        }
        let Self { door, cookie, .. } = self;
        let query = if others.is_empty() { others } else { format!("?{others}") };
        let cookie =
            format!("{COOKIE}={}; Path={door}; HttpOnly; SameSite=Strict", cookie.expose());
        let headers =
            [(header::SET_COOKIE, cookie), (header::CACHE_CONTROL, "no-store".to_owned())];
        (headers, Redirect::to(&format!("{door}/{query}"))).into_response()
    }

    /// Whether the browser has been here before.
    fn is_kept(&self, headers: &HeaderMap) -> bool {
        let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
        let mut cookies = lines.flat_map(|line| line.split(';'));
        cookies.any(|cookie| {
            let cookie = cookie.trim().split_once('=');
            cookie.is_some_and(|(name, value)| name == COOKIE && self.cookie.is(value))
        })
    }
}

fn where_the_link_is(Words { run, link }: Words) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "Slack on this machine" }
                link rel="stylesheet" href="/page.css";
            }
            body {
                header { h1 { "Slack on this machine" } }
                // One child, because each is a column of the page.
                main { div {
                    p {
                        "Here one can be anybody, so it opens with a link that only you have. "
                        "It is in the terminal of " code { (run) } ", in the line that begins with "
                        em { "Try Slack commands at" } "; "
                        code { (link) } " prints it again. Each run has a new one."
                    }
                    // Where the link was on a page of another address, the browser keeps the cookie back at first.
                    p { "You have just opened it? " a href="" { "Go on" } "." }
                    p { a href="/" { "The meadow" } " needs none." }
                } }
                script src="/try_door.js" {}
            }
        }
    }
}

fn css(text: &'static str) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/css")], text)
}

fn js(text: &'static str) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/javascript")], text)
}

fn is_from_here(peer: IpAddr, method: &Method, headers: &HeaderMap) -> bool {
    // What came through a tunnel or proxy came from somewhere else.
    let forwarded = ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip"];
    if !peer.to_canonical().is_loopback()
        || forwarded.iter().any(|name| headers.contains_key(*name))
    {
        return false;
    }
    loopback::own_host(headers).is_some_and(loopback::is_loopback_name)
        && loopback::is_own_origin(headers)
        && (method == Method::GET || headers.contains_key(header::ORIGIN))
}

async fn whole(State(sender): State<SlackSender>, Query(place): Query<Place>) -> Response {
    let (user, at) = match ids(&place.user, &place.room) {
        Ok(ids) => ids,
        Err(response) => return response,
    };
    let thread = place.thread.as_str();
    sender.workspace().lock().admit(&user, &at);
    let names = sender.workspace().lock().names();
    let me = name(&names.people, user.as_str());
    let room_name = name(&names.rooms, at.as_str());
    let link = |user: &str, room: &str| format!("?as={user}&room={room}");
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "#" (room_name) " - Slack on this machine" }
                link rel="stylesheet" href="/try.css";
            }
            body {
                aside {
                    header {
                        h1 { "Slack on this machine" }
                        p { "You are " strong { (me) } ". " a href="/" { "The meadow" } }
                    }
                    nav aria-label="Rooms" {
                        h2 { "Rooms" }
                        ul { @for (id, name) in &names.rooms {
                            li {
                                a href=(link(user.as_str(), id)) aria-current=[(*id == at.as_str()).then_some("page")] {
                                    "# " (name)
                                }
                            }
                        } }
                    }
                    nav aria-label="Be somebody else" {
                        h2 { "Be" }
                        ul { @for (id, name) in names.people.iter().filter(|(id, _)| is_person(id)) {
                            li {
                                a href=(link(id, at.as_str())) aria-current=[(*id == user.as_str()).then_some("true")] {
                                    (avatar(name)) (name) " " small { (id) }
                                }
                            }
                        } }
                    }
                    details {
                        summary { "Somebody or somewhere new" }
                        form method="get" {
                            label { "User id" input name="as" value=(user) pattern="[UW][A-Z0-9]{1,31}" required; }
                            label { "Room id" input name="room" value=(at) pattern="[CGD][A-Z0-9]{1,31}" required; }
                            button { "Go there" }
                        }
                    }
                }
                main {
                    header { h2 { "# " (room_name) } }
                    div #messages role="log" aria-live="polite" aria-label={ "Messages in " (room_name) }
                        data-from={ "room?as=" (user) "&room=" (at) } tabindex="0" {
                        (messages(&sender, &user, &at))
                    }
                    form #composer method="post" action="enter" {
                        input type="hidden" name="as" value=(user);
                        input type="hidden" name="room" value=(at);
                        input type="hidden" name="thread" value=(thread);
                        label for="text" {
                            @if thread.is_empty() { "Message #" (room_name) " as " (me) }
                            @else { "Reply in the thread as " (me) " (" a href=(link(user.as_str(), at.as_str())) { "leave it" } ")" }
                        }
                        div.line {
                            input #text name="text" autocomplete="off" autofocus required maxlength="4000" placeholder="/flock help";
                            button.primary { "Send" }
                        }
                        p.hint { "Try " code { "/flock help" } " or " code { "@flockwork alive" } "." }
                    }
                }
                script src="/try.js" {}
            }
        }
    };
    Html(page.into_string()).into_response()
}

async fn room(State(sender): State<SlackSender>, Query(place): Query<Place>) -> Response {
    match ids(&place.user, &place.room) {
        Ok((user, room)) => Html(messages(&sender, &user, &room).into_string()).into_response(),
        Err(response) => response,
    }
}

async fn enter(State(sender): State<SlackSender>, Form(entered): Form<Entered>) -> Response {
    let Entered { user, room, thread, text } = entered;
    let (user, room) = match ids(&user, &room) {
        Ok(ids) => ids,
        Err(response) => return response,
    };
    let thread_ts = is_ts(&thread).then(|| thread.clone());
    sender.enter(&user, &room, thread_ts, &text).await;
    let thread = if is_ts(&thread) { format!("&thread={thread}") } else { String::new() };
    Redirect::to(&format!("./?as={user}&room={room}{thread}")).into_response()
}

async fn press(State(sender): State<SlackSender>, Form(pressed): Form<Pressed>) -> Response {
    let Pressed { user, room, ts, block, action } = pressed;
    let (user, room) = match ids(&user, &room) {
        Ok(ids) => ids,
        Err(response) => return response,
    };
    match sender.press(&user, &room, &ButtonPlace { ts, block, action }).await {
        Ok(()) => Redirect::to(&format!("./?as={user}&room={room}")).into_response(),
        Err(err) => (StatusCode::NOT_FOUND, err.to_string()).into_response(),
    }
}

#[expect(clippy::result_large_err, reason = "made once a request")]
fn ids(user: &str, room: &str) -> Result<(UserId, RoomId), Response> {
    let refused =
        |err: flock_core::InvalidId| (StatusCode::BAD_REQUEST, err.to_string()).into_response();
    Ok((user.parse().map_err(refused)?, room.parse().map_err(refused)?))
}

fn is_ts(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
}

/// Slack's own have longer names.
fn is_person(id: &str) -> bool {
    id != crate::workspace::BOT && id != "USLACKBOT"
}

fn name<'n>(names: &'n std::collections::BTreeMap<String, String>, id: &'n str) -> &'n str {
    names.get(id).map_or(id, String::as_str)
}

fn avatar(name: &str) -> Markup {
    let initial: String = name.chars().take(1).flat_map(char::to_uppercase).collect();
    // One of a few colours, always the same for a name.
    let colour = name.bytes().fold(0_u32, |sum, byte| (sum * 5 + u32::from(byte)) % 101) % 6;
    html! { span class={ "avatar colour-" (colour) } aria-hidden="true" { (initial) } }
}

/// The room as `user` sees it.
fn messages(sender: &SlackSender, user: &UserId, room: &RoomId) -> Markup {
    let (seen, names) = {
        let slack = sender.workspace().lock();
        (slack.seen(room, user), slack.names())
    };
    let seen: Vec<_> = seen.into_iter().filter(|message| !message.deleted).collect();
    let is_there = |ts: &str| seen.iter().any(|message| message.ts == ts);
    let is_reply =
        |message: &Message| message.thread_ts.as_ref().is_some_and(|thread_ts| is_there(thread_ts));
    html! {
        @if seen.is_empty() { p.hint { "Nothing has been said here." } }
        @for message in seen.iter().filter(|message| !is_reply(message)) {
            (one(message, user, room, &names))
            @let replies: Vec<_> = seen
                .iter()
                .filter(|reply| reply.thread_ts.as_ref() == Some(&message.ts))
                .collect();
            @if !replies.is_empty() {
                div.thread role="group" aria-label="Replies" {
                    @for reply in replies { (one(reply, user, room, &names)) }
                }
            }
        }
    }
}

fn one(message: &Message, user: &UserId, room: &RoomId, names: &Names) -> Markup {
    let author = view::author(message, names);
    let at = message.ts.split('.').next().and_then(|seconds| seconds.parse().ok());
    let at = at.and_then(|seconds| Timestamp::from_second(seconds).ok());
    let pressing = [("as", user.as_str()), ("room", room.as_str())];
    html! {
        article.only-you[message.only_for.is_some()] {
            (avatar(&author))
            div.message {
                @if message.only_for.is_some() { p.only { "Only visible to you" } }
                p.who {
                    strong { (author) }
                    @if message.author == Author::Bot { " " span.app { "APP" } }
                    @if let Some(at) = at {
                        " " time datetime=(at) { (at.to_zoned(TimeZone::UTC).strftime("%H:%M")) }
                    }
                    @if message.only_for.is_none() && message.thread_ts.is_none() {
                        " " a.reply href={ "?as=" (user) "&room=" (room) "&thread=" (message.ts) } { "Reply" }
                    }
                }
                div.body { (view::html(message, names, &pressing)) }
                @if message.edited { p.edited { "(edited)" } }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(
        peer: &str,
        method: &Method,
        headers: &[(&'static str, &'static str)],
        expected: bool,
    ) {
        let headers = headers.iter().map(|(name, value)| {
            (header::HeaderName::from_static(name), header::HeaderValue::from_static(value))
        });
        let found = is_from_here(peer.parse().expect("an address"), method, &headers.collect());
        assert_eq!(found, expected, "{peer} {method}");
    }

    #[test]
    fn only_this_machine_by_its_own_name() {
        let (get, post) = (&Method::GET, &Method::POST);
        for host in ["localhost:4280", "127.0.0.1:4280", "[::1]:4280", "LOCALHOST", "127.0.0.1"] {
            check("127.0.0.1", get, &[("host", host)], true);
            check("::1", get, &[("host", host)], true);
            check("::ffff:127.0.0.1", get, &[("host", host)], true);
            check("192.168.1.9", get, &[("host", host)], false);
        }
        for host in
            ["evil.test:4280", "localhost.evil.test", "192.168.1.5:4280", "", "127.0.0.1.nip.io"]
        {
            check("127.0.0.1", get, &[("host", host)], false);
        }
        check("127.0.0.1", get, &[], false);
        check("127.0.0.1", get, &[("host", "localhost"), ("x-forwarded-for", "9.9.9.9")], false);
        let host = ("host", "localhost:4280");
        check("127.0.0.1", post, &[host, ("origin", "http://localhost:4280")], true);
        check("127.0.0.1", post, &[host], false);
        for origin in ["http://localhost:81", "http://127.0.0.1:4280", "null", "http://evil.test"] {
            check("127.0.0.1", post, &[host, ("origin", origin)], false);
        }
    }
}
