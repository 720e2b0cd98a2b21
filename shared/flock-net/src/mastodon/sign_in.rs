//! Signing in at an instance: an app of ours is registered there, somebody allows it in their browser, and the code they come back
//! with is exchanged for a key (docs.joinmastodon.org, "Authorizing a user", "apps" and "oauth", 2026-11; snac 2.75).

use flock_core::{AccountFacts, Tier};
use reqwest::{
    Method, StatusCode, Url,
    header::{CONNECTION, CONTENT_TYPE},
};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::json;

use super::{Mastodon, POSTING, host, lacks, may_not_post};
use crate::{
    Back, Begun, Failure, NewKey, NotSignedIn, Proof, SignInTo,
    answer::{Answer, printable},
    failure::NotDone,
    lenient,
};

/// What people see who asks.
const CLIENT_NAME: &str = "Flockwork";

/// Where people are sent who are to be shown a code ("apps": `redirect_uris`).
const SHOWN: &str = "urn:ietf:wg:oauth:2.0:oob";

/// What we do: see who it is and what it has posted; post, repost and delete; upload pictures; mark it as a bot ("OAuth scopes").
const SCOPES: &str = "read:accounts read:statuses read:search write:statuses write:media write:accounts write:follows \
                      write:favourites";

/// The same where a server knows no parts of it.
const WIDE_SCOPES: &str = "read write";

/// Longer codes were not seen: Mastodon's have 43 letters, snac's 32.
const LONGEST_CODE: usize = 512;

/// An app as an instance registers it.
#[derive(Deserialize)]
struct App {
    client_id: String,
    client_secret: SecretString,
}

/// What is kept between the beginning and the end.
#[derive(Deserialize)]
struct Kept {
    client_id: String,
    client_secret: SecretString,
    redirect_uri: String,
    scopes: String,
    state: Option<SecretString>,
}

#[derive(Deserialize)]
struct Token {
    access_token: SecretString,
    /// What it allows, in words between spaces; nothing, where the server says nothing.
    #[serde(default, deserialize_with = "lenient::text")]
    scope: String,
}

/// What an instance says of an exchange that it refuses (RFC 6749, 5.2).
#[derive(Default, Deserialize)]
#[serde(default)]
struct Refused {
    #[serde(deserialize_with = "lenient::text")]
    error: String,
}

/// The server of an account, and what messages call it.
struct Server {
    base: String,
    name: String,
}

impl Server {
    fn of(to: SignInTo<'_>) -> Self {
        let host = host(to.id);
        let base = to.server.map_or_else(|| format!("https://{host}"), ToOwned::to_owned);
        Self { base, name: format!("Mastodon at {host}") }
    }
}

impl Mastodon {
    /// Registers an app and says which page somebody opens.
    pub(crate) async fn begin_sign_in(
        &self,
        to: SignInTo<'_>,
        back: Back<'_>,
    ) -> Result<Begun, Failure> {
        let server = Server::of(to);
        let (redirect_uri, state) = match back {
            Back::Sent { to, state } => (to, Some(state.expose_secret())),
            Back::Typing => (SHOWN, None),
        };
        let (app, scopes) = self.register(to, &server, redirect_uri).await?;
        let mut page = self.http.url(&server.base, "/oauth/authorize")?;
        page.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &app.client_id)
            .append_pair("redirect_uri", redirect_uri)
            .append_pair("scope", scopes)
            // Whoever is signed in there already need not be the account.
            .append_pair("force_login", "true");
        if let Some(state) = state {
            page.query_pairs_mut().append_pair("state", state);
        }
        let kept = json!({
            "client_id": app.client_id,
            "client_secret": app.client_secret.expose_secret(),
            "redirect_uri": redirect_uri,
            "scopes": scopes,
            "state": state,
        });
        Ok(Begun {
            page: page.into(),
            kept: SecretString::from(kept.to_string()),
            back: SecretString::from(state.unwrap_or_default()),
        })
    }

    /// Exchanges what somebody came back with for a key.
    pub(crate) async fn finish_sign_in(
        &self,
        to: SignInTo<'_>,
        kept: &SecretString,
        proof: Proof<'_>,
    ) -> Result<NewKey, NotSignedIn> {
        let kept: Kept =
            serde_json::from_str(kept.expose_secret()).map_err(|_| NotSignedIn::NotOurs)?;
        let code = code(&kept, proof)?;
        let server = Server::of(to);
        let answer = self
            .send_form(
                to,
                &server,
                "/oauth/token",
                &[
                    ("grant_type", "authorization_code"),
                    ("code", code.expose_secret()),
                    ("client_id", &kept.client_id),
                    ("client_secret", kept.client_secret.expose_secret()),
                    ("redirect_uri", &kept.redirect_uri),
                    ("scope", &kept.scopes),
                ],
            )
            .await?;
        if answer.status != StatusCode::OK {
            return Err(not_exchanged(&server, &answer));
        }
        let Token { access_token, scope } =
            answer.json(&server.name).map_err(Failure::posts_nothing)?;
        if !is_code(access_token.expose_secret()) {
            let why = format!("what {} gave as a key is none; try again later", server.name);
            return Err(Failure::refused(NotDone::HARMLESS, why).into());
        }
        let scopes: Vec<_> = scope.split_whitespace().collect();
        if lacks(&scopes, POSTING) {
            return Err(may_not_post(&server.name).into());
        }
        let key = json!({ "access_token": access_token.expose_secret() });
        Ok(NewKey {
            key: SecretString::from(key.to_string()),
            session: None,
            handle: None,
            url: Some(server.base),
            remote_user: String::new(),
            facts: AccountFacts {
                tier: Tier::Standard,
                labelled: false,
                text_limit: None,
                picture_bytes: None,
            },
            app: None,
        })
    }

    /// The app, and what it may ask for: no more than is needed, where the server knows that.
    async fn register(
        &self,
        to: SignInTo<'_>,
        server: &Server,
        redirect_uri: &str,
    ) -> Result<(App, &'static str), Failure> {
        let mut refused = None;
        for scopes in [SCOPES, WIDE_SCOPES] {
            let fields =
                [("client_name", CLIENT_NAME), ("redirect_uris", redirect_uri), ("scopes", scopes)];
            let answer = self.send_form(to, server, "/api/v1/apps", &fields).await?;
            match answer.status {
                StatusCode::OK | StatusCode::CREATED => {
                    let app: App = answer.json(&server.name).map_err(Failure::posts_nothing)?;
                    return Ok((app, scopes));
                }
                StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY => {
                    refused = Some(answer);
                }
                StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => {
                    return Err(Failure::refused(
                        NotDone::HARMLESS,
                        format!(
                            "{} registers no apps; if {} is not the account's server, say which is",
                            server.name, server.base
                        ),
                    ));
                }
                // Nobody has a key yet that could be renewed.
                StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                    return Err(Failure::refused(
                        NotDone::HARMLESS,
                        format!(
                            "{} registers no apps for strangers{}; make one in the account's own settings there (Development), \
                             and add the account with a key file that has its access token, or ask who runs the server",
                            server.name,
                            answer.said()
                        ),
                    ));
                }
                _ => return Err(answer.reading_failure(&server.name)),
            }
        }
        let said = refused.map(|answer| answer.said()).unwrap_or_default();
        let why = format!("{} does not register Flockwork as an app{said}", server.name);
        Err(Failure::refused(NotDone::HARMLESS, why))
    }

    /// Posts a form, which every server understands.
    async fn send_form(
        &self,
        to: SignInTo<'_>,
        server: &Server,
        path: &str,
        fields: &[(&str, &str)],
    ) -> Result<Answer, Failure> {
        let mut form = Url::parse("form:/").expect("it is an address");
        form.query_pairs_mut().extend_pairs(fields);
        let body = form.query().unwrap_or_default().to_owned();
        let request = self
            .http
            .request(Method::POST, &server.base, path)?
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            // As for every request to a server that may close its connections without a word.
            .header(CONNECTION, "close")
            .body(body);
        self.http.send(to.id, &server.name, request).await.map_err(Failure::posts_nothing)
    }
}

/// The code that somebody came back with: in the query, typed, or in the address of the page that they were shown.
fn code(kept: &Kept, proof: Proof<'_>) -> Result<SecretString, NotSignedIn> {
    let typed = match proof {
        Proof::Query(query) => return code_in(kept, query, true),
        Proof::Typed(typed) => typed.expose_secret().trim(),
    };
    if let Some(address) = Url::parse(typed).ok().filter(Url::has_host) {
        let query: Vec<_> = address.query_pairs().into_owned().collect();
        return code_in(kept, &query, false);
    }
    if is_code(typed) {
        return Ok(SecretString::from(typed));
    }
    let why = "this is no code; copy all of the code that the page shows, or the page's address";
    Err(NotSignedIn::Wrong(why.to_owned()))
}

/// The code in a query. Whoever was sent here brings the state; a page that only shows a code knows of none.
fn code_in(
    kept: &Kept,
    query: &[(String, String)],
    is_sent: bool,
) -> Result<SecretString, NotSignedIn> {
    let field = |name: &str| {
        let (_, value) = query.iter().find(|(field, _)| field == name)?;
        Some(value.as_str()).filter(|value| !value.is_empty())
    };
    let expected = kept.state.as_ref().map(secrecy::ExposeSecret::expose_secret);
    if field("state") != expected && (is_sent || field("state").is_some()) {
        return Err(NotSignedIn::NotOurs);
    }
    match (field("error"), field("code")) {
        (Some("access_denied"), _) => Err(NotSignedIn::Cancelled),
        (Some(error), _) => {
            let said = printable(field("error_description").unwrap_or(error));
            Err(NotSignedIn::Wrong(format!("the server says: {said}")))
        }
        (None, Some(code)) if is_code(code) => Ok(SecretString::from(code)),
        (None, _) => Err(NotSignedIn::Wrong("there is no code in the address".to_owned())),
    }
}

/// Whether it has the form of what servers give: visible, and of one word.
fn is_code(text: &str) -> bool {
    (1..=LONGEST_CODE).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// What it means that a code was not exchanged.
fn not_exchanged(server: &Server, answer: &Answer) -> NotSignedIn {
    let Refused { error } = serde_json::from_slice(&answer.body).unwrap_or_default();
    match (answer.status, error.as_str()) {
        (StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED, "invalid_grant") => {
            NotSignedIn::Wrong(
                "the server does not take the code: it was used already, is too old, or is not whole; sign in again"
                    .to_owned(),
            )
        }
        (StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED, "invalid_client") => {
            Failure::refused(
                NotDone::HARMLESS,
                format!("{} has forgotten the app that was registered; begin again", server.name),
            )
            .into()
        }
        // As snac says it, in no words at all.
        (StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN, _) => {
            NotSignedIn::Wrong(format!("the server does not take the code{}", answer.said()))
        }
        _ => answer.reading_failure(&server.name).into(),
    }
}
