//! The words of the pages, and what a browser may do with them. They work without scripts, and none could run.

use std::sync::LazyLock;

use axum::http::StatusCode;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use flock_core::{AccountId, Network, NoSignIn, Purpose, View, Way, capital, count};
use flock_ops::Connected;
use flock_store::{AskedSignIn, By};
use jiff::Timestamp;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest as _, Sha256};

use crate::browser::name_of;

const STYLE: &str = include_str!("pages.css");

/// What the policy knows the style by (W3C, "Content Security Policy Level 3").
static STYLE_HASH: LazyLock<String> =
    LazyLock::new(|| BASE64_STANDARD.encode(Sha256::digest(STYLE.as_bytes())));

/// A page.
pub(crate) struct Page {
    /// What the answer is to a program.
    pub(crate) status: StatusCode,
    title: String,
    body: Markup,
    /// Where its form may lead, beside here.
    leads_to: Vec<String>,
}

/// What the page of a link shows.
pub(crate) struct Link<'a> {
    /// What for, and who asked.
    pub(crate) asked: &'a AskedSignIn,
    /// The ways that there are.
    pub(crate) ways: &'a [Way],
    /// Where app passwords are made, on a network that has them.
    pub(crate) passwords: Option<String>,
    /// What was wrong with what was sent.
    pub(crate) wrong: Option<String>,
    /// Where X's pages are, if not at their own address.
    pub(crate) x_url: Option<&'a str>,
    /// The time.
    pub(crate) now: Timestamp,
}

impl Page {
    fn new(status: StatusCode, title: impl Into<String>, body: Markup) -> Self {
        Self { status, title: title.into(), body, leads_to: Vec::new() }
    }

    /// What the browser may load and where it may send forms. Chromium holds the redirect after a form against it, too.
    pub(crate) fn policy(&self) -> String {
        let own = "'self'";
        let leads_to: Vec<_> =
            std::iter::once(own).chain(self.leads_to.iter().map(String::as_str)).collect();
        format!(
            "default-src 'none'; style-src 'sha256-{}'; form-action {}; frame-ancestors 'none'; base-uri \
             'none'",
            *STYLE_HASH,
            leads_to.join(" ")
        )
    }

    /// Its text.
    pub(crate) fn html(self) -> Markup {
        html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    title { (self.title) " - Flockwork" }
                    style { (PreEscaped(STYLE)) }
                }
                body {
                    main {
                        h1 { (self.title) }
                        (self.body)
                    }
                }
            }
        }
    }
}

/// The page of a link that can be used.
pub(crate) fn link(link: &Link<'_>) -> Page {
    let Link { asked, ways, passwords, wrong, x_url, now } = link;
    let work = &asked.sign_in.errand.work;
    let id = &work.account;
    let title = match work.purpose {
        Purpose::Connect => format!("Connect {id}"),
        Purpose::Renew => format!("A new key for {id}"),
    };
    let what = match work.purpose {
        Purpose::Connect => html! {
            p { "Sign in as the bot " strong { (id) } ", and Flockwork can post through it. Nobody sees its password or its key." }
        },
        Purpose::Renew => html! {
            p {
                "Sign in as the bot " strong { (id) } " once more. Its sheep that stopped because its key did not work go on from \
                where they were."
            }
        },
    };
    let body = html! {
        @if let Some(wrong) = wrong { p.wrong role="alert" { (wrong) } }
        (what)
        p.small {
            (asked_by(&asked.by)) " The link works once, until " time datetime=(asked.sign_in.until) {
                (View::utc(*now).alone(asked.sign_in.until))
            } "."
        }
        @if ways.is_empty() {
            p.wrong {
                "Nobody can sign in to " (id.network.title_within()) " yet: the credentials of the app are not here. Whoever has \
                deployed Flockwork fills them in, and this page then works."
            }
        }
        @for (place, way) in ways.iter().enumerate() {
            (form(id, *way, place == 0, passwords.as_deref()))
        }
        p.small { "Did somebody send you this link whom you do not know? Then close this page: nothing happens." }
    };
    let status = if wrong.is_some() {
        StatusCode::UNPROCESSABLE_ENTITY
    } else if ways.is_empty() {
        StatusCode::SERVICE_UNAVAILABLE
    } else {
        StatusCode::OK
    };
    let leads_to = leads_to(id, work.server.as_deref(), *x_url);
    Page { leads_to, ..Page::new(status, title, body) }
}

/// A way to sign in, with its button.
fn form(id: &AccountId, way: Way, is_first: bool, passwords: Option<&str>) -> Markup {
    let network = id.network.title_within();
    let label_id = format!("labelled-{}", name_of(way));
    let button = match way {
        Way::AppPassword => "Connect".to_owned(),
        Way::OAuth1 | Way::OAuth2 if is_first => format!("Sign in on {network}"),
        Way::OAuth1 | Way::OAuth2 => format!("Sign in on {network} with {way} instead"),
    };
    html! {
        form method="post" autocomplete="off" {
            input type="hidden" name="way" value=(name_of(way));
            @if !is_first && id.network == Network::X {
                p.small {
                    "With " (way) " the key is exchanged every two hours. If an answer of X is lost on the way then, the account \
                    has to be signed in to again."
                }
            }
            @if way == Way::AppPassword {
                label for="password" { "App password of " (id.handle) }
                input #password name="password" type="password" autocomplete="off" required autofocus;
                p.small {
                    "Not the account's own password: "
                    @if let Some(passwords) = passwords {
                        a href=(passwords) rel="noreferrer" target="_blank" { "make an app password" }
                        " in its settings, "
                    } @else { "make an app password in its settings, " }
                    "which can be revoked there."
                }
            }
            p.check {
                input type="checkbox" name="labelled" value="yes" id=(label_id) checked[id.network != Network::X];
                " "
                label for=(label_id) {
                    @if id.network == Network::X { "This account carries X's label for automated accounts" }
                    @else { "Have " (network) " show that this is a bot's account" }
                }
            }
            button .second[!is_first] { (button) }
        }
    }
}

/// What a link's form may lead to beside this page: the network's own pages, where somebody signs in there.
fn leads_to(id: &AccountId, server: Option<&str>, x_url: Option<&str>) -> Vec<String> {
    /// Where X's pages for signing in are and send each other (docs.x.com, "Log in with X", 2026-11).
    const X: [&str; 3] = ["https://api.x.com", "https://x.com", "https://twitter.com"];
    match id.network {
        Network::Meadow | Network::Bluesky => Vec::new(),
        Network::X => X.into_iter().map(str::to_owned).chain(x_url.and_then(origin)).collect(),
        Network::Mastodon => {
            let host =
                id.handle.as_str().split_once('@').map(|(_, host)| format!("https://{host}"));
            server.map(str::to_owned).or(host).as_deref().and_then(origin).into_iter().collect()
        }
    }
}

/// The origin of an address, if it has nothing in it that means something in a policy.
fn origin(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    let host = rest.split(['/', '?', '#']).next()?;
    let is_of_host = |b: u8| b.is_ascii_alphanumeric() || b"-.:[]".contains(&b);
    let is_host = !host.is_empty() && host.bytes().all(is_of_host);
    (["https", "http"].contains(&scheme) && is_host).then(|| format!("{scheme}://{host}"))
}

/// There is a key; whether the room that is to be told of it is.
pub(crate) fn connected(asked: &AskedSignIn, connected: &Connected, is_told: bool) -> Page {
    let work = &asked.sign_in.errand.work;
    let id = &work.account;
    let title = match work.purpose {
        Purpose::Connect => format!("{id} is connected"),
        Purpose::Renew => format!("{id} has a new key"),
    };
    let resumed = u64::try_from(connected.resumed.len()).unwrap_or(u64::MAX);
    let is_left = connected.is_to_be_marked || !is_told;
    let body = html! {
        p { (title) "." @if !is_left { " You can close this." } }
        @if 0 < resumed {
            p {
                (count(resumed, "sheep")) @if resumed == 1 { " goes" } @else { " go" } " on from where "
                @if resumed == 1 { "it was." } @else { "they were." }
            }
        }
        @if !connected.must_not_post.is_empty() {
            p { "But it must not post yet:" }
            ul { @for why in &connected.must_not_post { li { (why) } } }
        }
        @if is_left {
            p {
                @if connected.is_to_be_marked { "The mark can be tried once more. " }
                @if !is_told { "Slack could not be told of it. " }
                "Load this page again in a minute, and send the form again if the browser asks: then that is made up for."
            }
        }
    };
    Page::new(StatusCode::OK, title, body)
}

/// The account is here already, by another link or a key file.
pub(crate) fn connected_already(asked: &AskedSignIn) -> Page {
    let id = &asked.sign_in.errand.work.account;
    let body = html! { p { "Nothing has changed. " (command(asked, Purpose::Renew)) " makes a link that gives it a new key." } };
    Page::new(StatusCode::CONFLICT, format!("{id} is connected already"), body)
}

/// The sign-in gave no key, and its link is used up.
pub(crate) fn refused(asked: &AskedSignIn, why: &str) -> Page {
    let id = &asked.sign_in.errand.work.account;
    let body = html! {
        p.wrong { (sentence(why)) }
        p { "Nothing has changed. " (fresh(asked)) }
    };
    let title = match asked.sign_in.errand.work.purpose {
        Purpose::Connect => format!("{id} is not connected"),
        Purpose::Renew => format!("{id} has no new key"),
    };
    Page::new(StatusCode::FORBIDDEN, title, body)
}

/// Something came back that is not the end of this sign-in, which goes on.
pub(crate) fn not_ours(asked: &AskedSignIn, why: &str) -> Page {
    let body = html! {
        p.wrong { (sentence(why)) }
        p { "Nothing has changed. Go back to the network's page and go on there. " (fresh(asked)) }
    };
    Page::new(StatusCode::BAD_REQUEST, "That is not how this sign-in ends", body)
}

/// A sign-in does not go on.
pub(crate) fn no_sign_in(asked: &AskedSignIn, why: &NoSignIn) -> Page {
    let id = &asked.sign_in.errand.work.account;
    let fresh = fresh(asked);
    let (reached, not_reached, at_work) = match asked.sign_in.errand.work.purpose {
        Purpose::Connect => ("is connected", "is not connected", "connected"),
        Purpose::Renew => ("was given a new key", "was given no new key", "given a new key"),
    };
    let (status, title, body) = match why {
        NoSignIn::Expired => (
            StatusCode::GONE,
            "This link has expired".to_owned(),
            html! { p { "A link lives ten minutes, and so does a sign-in that it has begun. Nothing has changed. " (fresh) } },
        ),
        NoSignIn::Used => (
            StatusCode::GONE,
            "This link was used".to_owned(),
            html! {
                p {
                    "Somebody has begun to sign in by it, and it works once. If that was you, go on where you are; if not, somebody \
                    else has the link. " (fresh)
                }
            },
        ),
        NoSignIn::Failed(why) => (
            StatusCode::GONE,
            "This link was used".to_owned(),
            html! { p { "It works once, and " (id) " " (not_reached) " by it: " (why) ". " (fresh) } },
        ),
        NoSignIn::Done => (
            StatusCode::GONE,
            "This link was used".to_owned(),
            html! { p { (id) " " (reached) " by it. You can close this." } },
        ),
        NoSignIn::Busy => (
            StatusCode::CONFLICT,
            "Somebody is at it".to_owned(),
            html! {
                p {
                    "The same button was pressed, or the same page opened, twice, and the other is at work. Look there; if nothing \
                    comes of it, load this page again in a minute."
                }
            },
        ),
        NoSignIn::OtherBrowser => return no_cookie(),
        NoSignIn::Unknown => (
            StatusCode::GONE,
            "Nobody knows what came of this".to_owned(),
            html! {
                p {
                    "Something broke while " (id) " was being " (at_work) ", and what you came back with works once. No key is stored. "
                    (fresh)
                }
            },
        ),
    };
    Page::new(status, title, body)
}

/// No sign-in is known by that token.
pub(crate) fn unknown_link() -> Page {
    let body = html! { p { "It is not whole, or it is older than a day. Ask for a fresh one where you got it." } };
    Page::new(StatusCode::NOT_FOUND, "This link is not known", body)
}

/// Somebody came back whose browser has begun nothing.
pub(crate) fn no_cookie() -> Page {
    let body = html! {
        p {
            "Whoever comes back from a network has to come with the browser that pressed the button of the link, and within ten \
            minutes; this one has not. Nothing has changed."
        }
        p { "Did you press it in another browser? Go on there. Otherwise ask for a fresh link, and open it in this one." }
    };
    Page::new(StatusCode::FORBIDDEN, "This browser has begun no sign-in", body)
}

/// Another site has sent the form.
pub(crate) fn foreign() -> Page {
    let body = html! { p { "Another site has sent it. Open the link itself, and press the button there. Nothing has changed." } };
    Page::new(StatusCode::FORBIDDEN, "This form is not from this page", body)
}

/// The body of a request is larger than any form of ours.
pub(crate) fn too_long() -> Page {
    let body = html! { p { "What was sent is longer than any form here. Open the link again. Nothing has changed." } };
    Page::new(StatusCode::PAYLOAD_TOO_LARGE, "That is too long", body)
}

/// Nothing is at that path.
pub(crate) fn not_found() -> Page {
    let body =
        html! { p { "Pages here are opened by a link. Ask for one where you give commands." } };
    Page::new(StatusCode::NOT_FOUND, "There is no such page", body)
}

/// Something else than looking and pressing was tried.
pub(crate) fn no_method() -> Page {
    let body = html! { p { "Open the link in a browser. Nothing has changed." } };
    Page::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "This page can be opened and its button pressed",
        body,
    )
}

/// It is our fault. Logged here, once.
pub(crate) fn failed(err: &anyhow::Error) -> Page {
    tracing::error!(failed = 1, error = format!("{err:#}"), "a sign-in could not go on");
    let body = html! {
        p { "It is not your fault. Load this page again in a minute: if a key was stored, it then says so; if not, you can go on." }
        p { "Should it come again, tell whoever has deployed Flockwork: the log has the reason." }
    };
    Page::new(StatusCode::INTERNAL_SERVER_ERROR, "That went wrong on our side", body)
}

/// A sentence. What begins with the name of an account keeps it as it is.
pub(crate) fn sentence(text: &str) -> String {
    let first = text.split(' ').next().unwrap_or_default();
    if first.parse::<AccountId>().is_ok() {
        format!("{text}.")
    } else {
        format!("{}.", capital(text))
    }
}

/// Who asked for the link.
fn asked_by(by: &By) -> Markup {
    html! {
        @match by {
            By::Slack { user, room } => { "Asked for in Slack by the member " (user) ", in the channel " (room) "." }
            By::CommandLine { user, .. } => { "Asked for at the command line by " (user) "." }
        }
    }
}

/// How somebody gets another link.
fn fresh(asked: &AskedSignIn) -> Markup {
    html! { (command(asked, asked.sign_in.errand.work.purpose)) " makes a fresh link." }
}

/// The command that makes a link, in the words of where this one came from. An account that is there keeps its server.
fn command(asked: &AskedSignIn, purpose: Purpose) -> Markup {
    let work = &asked.sign_in.errand.work;
    let account = &work.account;
    let server = work.server.as_deref().filter(|_| purpose == Purpose::Connect);
    let what = match purpose {
        Purpose::Connect => "connect",
        Purpose::Renew => "renew",
    };
    let (place, program, at) = match asked.by {
        By::Slack { .. } => ("In Slack ", "/flock", " "),
        By::CommandLine { .. } => ("At the command line ", "flockwork", " --server "),
    };
    html! {
        (place)
        code { (program) " account " (what) " " (account) @if let Some(server) = server { (at) (server) } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_leads_to_the_network_it_is_for_and_nowhere_else() {
        let of = |id: &str, server| leads_to(&id.parse().unwrap(), server, None).join(" ");
        assert_eq!(of("bluesky:a.example", Some("https://pds.example")), "");
        assert_eq!(of("x:milton", None), "https://api.x.com https://x.com https://twitter.com");
        assert_eq!(of("mastodon:iris@example.social", None), "https://example.social");
        assert_eq!(of("mastodon:iris@a.example", Some("https://b.example/x")), "https://b.example");
        let evil = "https://b.example;script-src *";
        assert_eq!(of("mastodon:iris@a.example", Some(evil)), "");
    }
}
