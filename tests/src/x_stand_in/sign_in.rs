//! Signing in at X, by OAuth 1.0a and by OAuth 2.0, and renewing what OAuth 2.0 gives. Signatures, callbacks, PINs, PKCE and
//! the rotation of refresh tokens are checked.

use std::collections::{BTreeSet, HashMap};

use axum::http::{HeaderMap, StatusCode, header, request::Parts};
use base64::{
    Engine as _,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{
    Platform, X,
    answers::{Answer, Refusal, coded, problem},
    api::Operation,
    faults::Trouble,
    oauth::{self, Authorization},
};

/// Who sits before the browser that X shows its page to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Person {
    /// They are signed in as the user with this id, and allow what is asked for.
    Allows(String),
    /// The same, but for these scopes (OAuth 2.0).
    AllowsOnly(String, Vec<&'static str>),
    /// They do not allow it.
    Denies,
}

/// What somebody's browser has before it after X's page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shown {
    /// It is sent to this address.
    Elsewhere(String),
    /// A PIN.
    Pin(String),
    /// That something is wrong.
    Error(&'static str),
}

/// The tokens of a user by OAuth 2.0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tokens {
    /// What requests are made with.
    pub access: String,
    /// What it is renewed with, once.
    pub refresh: String,
}

#[derive(Debug)]
pub(super) struct SignIns {
    person: Person,
    /// Where people may be sent back to.
    callbacks: BTreeSet<String>,
    /// The app's id and secret by OAuth 2.0.
    client: Option<(String, Option<String>)>,
    requests: HashMap<String, Request>,
    codes: HashMap<String, Code>,
    access: HashMap<String, Grant>,
    /// What has not been used.
    refresh: HashMap<String, Grant>,
    usernames: HashMap<String, String>,
    /// How many tokens were made.
    made: u64,
    renewed: usize,
    refused: usize,
}

/// A request token.
#[derive(Debug)]
struct Request {
    callback: String,
    /// Who has allowed it, and the verifier that shows it.
    allowed: Option<(String, String)>,
}

#[derive(Debug)]
struct Code {
    redirect_uri: String,
    challenge: String,
    grant: Grant,
}

#[derive(Debug, Clone)]
struct Grant {
    user_id: String,
    scopes: Vec<String>,
    ends: Timestamp,
}

impl Default for SignIns {
    fn default() -> Self {
        Self {
            person: Person::Denies,
            callbacks: BTreeSet::new(),
            client: None,
            requests: HashMap::new(),
            codes: HashMap::new(),
            access: HashMap::new(),
            refresh: HashMap::new(),
            usernames: HashMap::new(),
            made: 0,
            renewed: 0,
            refused: 0,
        }
    }
}

impl X {
    /// How long an access token of OAuth 2.0 lives.
    const LIFE: SignedDuration = SignedDuration::from_hours(2);
    /// And a code.
    const CODE_LIFE: SignedDuration = SignedDuration::from_secs(30);

    /// Names the app by OAuth 2.0; without a secret it is a public client.
    pub fn client(&self, id: &str, secret: Option<&str>) {
        let client = (id.to_owned(), secret.map(ToOwned::to_owned));
        self.shared.state().sign_ins.client = Some(client);
    }

    /// Registers an address that people may be sent back to.
    pub fn callback(&self, address: &str) {
        self.shared.state().sign_ins.callbacks.insert(address.to_owned());
    }

    /// Who opens X's pages from now on; nobody who allows anything, until this is told.
    pub fn person(&self, person: Person) {
        self.shared.state().sign_ins.person = person;
    }

    /// Gives a user another name than `user` and the id.
    pub fn called(&self, user_id: &str, username: &str) {
        let mut state = self.shared.state();
        state.sign_ins.usernames.insert(user_id.to_owned(), username.to_owned());
    }

    /// Somebody opens the page of X at `address`, whatever its host.
    pub fn visit(&self, address: &str) -> Shown {
        let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
        let path = rest.find('/').map_or("", |at| &rest[at..]);
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let query: Vec<_> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        self.shared.state().show(path, &query)
    }

    /// Gives the app tokens of a user who has allowed all that can be asked for.
    pub fn grant(&self, user_id: &str) -> Tokens {
        let mut state = self.shared.state();
        let scopes = SCOPES.map(ToOwned::to_owned).to_vec();
        let now = state.now();
        state.sign_ins.give(Grant { user_id: user_id.to_owned(), scopes, ends: now }, now)
    }

    /// Every access token ends now, and only X knows.
    pub fn expire_access(&self) {
        self.shared.state().sign_ins.access.clear();
    }

    /// How often tokens were renewed, and how often that was refused.
    pub fn renewals(&self) -> (usize, usize) {
        let state = self.shared.state();
        (state.sign_ins.renewed, state.sign_ins.refused)
    }
}

const SCOPES: [&str; 5] =
    ["tweet.read", "tweet.write", "users.read", "media.write", "offline.access"];

fn value<'a>(pairs: &'a [(String, String)], name: &str) -> &'a str {
    let pair = pairs.iter().find(|(own, _)| own == name);
    pair.map(|(_, value)| value.as_str()).unwrap_or_default()
}

fn with_query(address: &str, pairs: &[(&str, &str)]) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    let sign = if address.contains('?') { '&' } else { '?' };
    format!("{address}{sign}{}", query.extend_pairs(pairs).finish())
}

/// An error as OAuth 2.0 has it, in X's words.
fn oauth_error(status: StatusCode, error: &str, description: &str) -> Refusal {
    let body = json!({ "error": error, "error_description": description });
    Refusal(Answer::new(status, body))
}

fn not_authenticated() -> Refusal {
    coded(StatusCode::UNAUTHORIZED, 32, "Could not authenticate you.")
}

fn form(pairs: &[(&str, &str)]) -> Answer {
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    let content_type = "text/html; charset=utf-8";
    Answer { content_type, ..Answer::new(StatusCode::OK, Value::String(body)) }
}

impl SignIns {
    fn number(&mut self) -> u64 {
        self.made += 1;
        self.made
    }

    fn give(&mut self, grant: Grant, now: Timestamp) -> Tokens {
        let number = self.number();
        let grant = Grant { ends: now + X::LIFE, ..grant };
        let tokens =
            Tokens { access: format!("access-{number}"), refresh: format!("refresh-{number}") };
        self.access.insert(tokens.access.clone(), grant.clone());
        if grant.scopes.iter().any(|scope| scope == "offline.access") {
            self.refresh.insert(tokens.refresh.clone(), grant);
        }
        tokens
    }

    /// Whether there is such a user, of whom we have a token.
    pub(super) fn knows(&self, user_id: &str) -> bool {
        self.access.values().any(|grant| grant.user_id == user_id)
    }

    pub(super) fn username(&self, user_id: &str) -> String {
        self.usernames.get(user_id).cloned().unwrap_or_else(|| format!("user{user_id}"))
    }

    /// Whose the token is, if it is good for that.
    pub(super) fn authenticate(
        &self,
        token: &str,
        operation: Operation,
        now: Timestamp,
    ) -> Option<Result<String, Refusal>> {
        let grant = self.access.get(token).filter(|grant| now < grant.ends)?;
        let scope = match operation {
            Operation::Post | Operation::Delete | Operation::Repost => "tweet.write",
            Operation::Timeline => "tweet.read",
            Operation::Upload | Operation::AltText => "media.write",
            // None opens v1.1.
            Operation::Profile | Operation::ProfileImage | Operation::ProfileBanner => "",
            Operation::Follow | Operation::Unfollow => "follows.write",
            Operation::Like => "like.write",
            Operation::Me
            | Operation::User
            | Operation::UserByName
            | Operation::RequestToken
            | Operation::AccessToken
            | Operation::OAuth2Token => "users.read",
        };
        if !grant.scopes.iter().any(|own| own == scope) {
            return Some(Err(problem(StatusCode::FORBIDDEN, "Forbidden")));
        }
        Some(Ok(grant.user_id.clone()))
    }
}

impl Platform {
    /// Does what is asked for by somebody who signs in.
    pub(super) fn sign_in(
        &mut self,
        operation: Operation,
        consumer_key: &str,
        head: &Parts,
        body: &[u8],
    ) -> Result<Answer, Refusal> {
        match (operation, self.trouble) {
            (Operation::OAuth2Token, Some(Trouble::Revoked)) => {
                Err(self.not_renewed("Value passed for the token was invalid."))
            }
            (_, Some(trouble)) => Err(trouble.refusal()),
            (Operation::OAuth2Token, None) => self.oauth2_token(&head.headers, body),
            (_, None) => {
                let authorization =
                    Authorization::read(&head.headers).ok_or_else(not_authenticated)?;
                let endpoint = oauth::endpoint(&head.headers, &head.uri);
                let is_signed = authorization.is_signed_by(
                    Self::SECRET,
                    Self::SECRET,
                    head.method.as_str(),
                    &endpoint,
                    &oauth::query(&head.uri),
                );
                if authorization.parameter("oauth_consumer_key") != consumer_key || !is_signed {
                    return Err(not_authenticated());
                }
                self.check_clock(&authorization)?;
                if operation == Operation::RequestToken {
                    self.request_token(&authorization)
                } else {
                    self.access_token(&authorization)
                }
            }
        }
    }

    const SECRET: &'static str = X::SECRET;

    fn request_token(&mut self, authorization: &Authorization) -> Result<Answer, Refusal> {
        let callback = authorization.parameter("oauth_callback").to_owned();
        if callback != "oob" && !self.sign_ins.callbacks.contains(&callback) {
            let words = "Callback URL not approved for this client application. Approved callback URLs can be adjusted \
                         in your application settings";
            return Err(coded(StatusCode::FORBIDDEN, 415, words));
        }
        let token = format!("request-{}", self.sign_ins.number());
        self.sign_ins.requests.insert(token.clone(), Request { callback, allowed: None });
        Ok(form(&[
            ("oauth_token", &token),
            ("oauth_token_secret", Self::SECRET),
            ("oauth_callback_confirmed", "true"),
        ]))
    }

    fn access_token(&mut self, authorization: &Authorization) -> Result<Answer, Refusal> {
        let token = authorization.parameter("oauth_token");
        let verifier = authorization.parameter("oauth_verifier");
        let allowed = self.sign_ins.requests.get(token).and_then(|asked| asked.allowed.as_ref());
        let user_id =
            allowed.filter(|(_, own)| own == verifier).map(|(user_id, _)| user_id.clone());
        let Some(user_id) = user_id else {
            // In plain words, as people have shown it.
            let said = "Error processing your OAuth request: Invalid oauth_verifier parameter";
            let body = Value::String(said.to_owned());
            let content_type = "text/html; charset=utf-8";
            let answer = Answer::new(StatusCode::UNAUTHORIZED, body);
            return Err(Refusal(Answer { content_type, ..answer }));
        };
        self.sign_ins.requests.remove(token);
        let token = format!("{user_id}-{}", self.sign_ins.number());
        self.users.insert(token.clone(), user_id.clone());
        Ok(form(&[
            ("oauth_token", &token),
            ("oauth_token_secret", Self::SECRET),
            ("user_id", &user_id),
            ("screen_name", &self.sign_ins.username(&user_id)),
        ]))
    }

    /// What somebody's browser is shown.
    pub(super) fn show(&mut self, path: &str, query: &[(String, String)]) -> Shown {
        match path {
            "/oauth/authorize" => self.show_signing(value(query, "oauth_token")),
            "/i/oauth2/authorize" => self.show_coding(query),
            _ => Shown::Error("there is no such page"),
        }
    }

    fn show_signing(&mut self, token: &str) -> Shown {
        let number = self.sign_ins.number();
        let Some(asked) = self.sign_ins.requests.get_mut(token) else {
            return Shown::Error("This page is no longer valid.");
        };
        let callback = asked.callback.clone();
        let (Person::Allows(user_id) | Person::AllowsOnly(user_id, _)) = &self.sign_ins.person
        else {
            self.sign_ins.requests.remove(token);
            return match &*callback {
                "oob" => Shown::Error("You have not signed in"),
                callback => Shown::Elsewhere(with_query(callback, &[("denied", token)])),
            };
        };
        let verifier = if callback == "oob" {
            format!("{:07}", 1_000_000 + number)
        } else {
            format!("verifier-{number}")
        };
        asked.allowed = Some((user_id.clone(), verifier.clone()));
        if callback == "oob" {
            return Shown::Pin(verifier);
        }
        let pairs = [("oauth_token", token), ("oauth_verifier", &*verifier)];
        Shown::Elsewhere(with_query(&callback, &pairs))
    }

    fn show_coding(&mut self, query: &[(String, String)]) -> Shown {
        let get = |name: &str| value(query, name);
        let is_ours = self.sign_ins.client.as_ref().is_some_and(|(id, _)| id == get("client_id"));
        let (to, state) = (get("redirect_uri"), get("state"));
        let is_sound = get("response_type") == "code"
            && get("code_challenge_method") == "S256"
            && get("code_challenge").len() == 43
            && (1..=500).contains(&state.len());
        if !is_ours || !is_sound || !self.sign_ins.callbacks.contains(to) {
            return Shown::Error(
                "Something went wrong. You weren't able to give access to the App.",
            );
        }
        let asked: Vec<_> = get("scope").split(' ').map(ToOwned::to_owned).collect();
        if !asked.iter().all(|scope| SCOPES.contains(&scope.as_str())) {
            return Shown::Error(
                "Something went wrong. You weren't able to give access to the App.",
            );
        }
        let (user_id, scopes) = match self.sign_ins.person.clone() {
            Person::Denies => {
                let pairs = [("error", "access_denied"), ("state", state)];
                return Shown::Elsewhere(with_query(to, &pairs));
            }
            Person::Allows(user_id) => (user_id, asked),
            Person::AllowsOnly(user_id, only) => {
                (user_id, asked.into_iter().filter(|scope| only.contains(&&**scope)).collect())
            }
        };
        let code = format!("code-{}", self.sign_ins.number());
        let ends = self.now() + X::CODE_LIFE;
        let grant = Grant { user_id, scopes, ends };
        let (redirect_uri, challenge) = (to.to_owned(), get("code_challenge").to_owned());
        self.sign_ins.codes.insert(code.clone(), Code { redirect_uri, challenge, grant });
        Shown::Elsewhere(with_query(to, &[("state", state), ("code", &code)]))
    }

    fn oauth2_token(&mut self, headers: &HeaderMap, body: &[u8]) -> Result<Answer, Refusal> {
        let fields: Vec<_> = form_urlencoded::parse(body).into_owned().collect();
        self.check_client(headers, value(&fields, "client_id"))?;
        let now = self.now();
        let grant = match value(&fields, "grant_type") {
            "authorization_code" => {
                let code = self.sign_ins.codes.remove(value(&fields, "code"));
                let verifier = Sha256::digest(value(&fields, "code_verifier").as_bytes());
                let challenge = BASE64_URL_SAFE_NO_PAD.encode(verifier);
                let code = code.filter(|code| {
                    code.challenge == challenge
                        && code.redirect_uri == value(&fields, "redirect_uri")
                        && now <= code.grant.ends
                });
                code.map(|code| code.grant).ok_or_else(|| {
                    let words = "Value passed for the authorization code was invalid.";
                    oauth_error(StatusCode::BAD_REQUEST, "invalid_request", words)
                })?
            }
            "refresh_token" => {
                let grant = self.sign_ins.refresh.remove(value(&fields, "refresh_token"));
                match grant {
                    Some(grant) => {
                        self.sign_ins.renewed += 1;
                        grant
                    }
                    None => {
                        return Err(self.not_renewed("Value passed for the token was invalid."));
                    }
                }
            }
            _ => {
                let words = "Missing required parameter [grant_type].";
                return Err(oauth_error(StatusCode::BAD_REQUEST, "invalid_request", words));
            }
        };
        let is_offline = grant.scopes.iter().any(|scope| scope == "offline.access");
        let scope = grant.scopes.join(" ");
        let tokens = self.sign_ins.give(grant, now);
        let mut body = json!({
            "token_type": "bearer",
            "expires_in": X::LIFE.as_secs(),
            "access_token": tokens.access,
            "scope": scope,
        });
        if is_offline {
            body["refresh_token"] = tokens.refresh.into();
        }
        Ok(Answer::new(StatusCode::OK, body))
    }

    fn not_renewed(&mut self, words: &str) -> Refusal {
        self.sign_ins.refused += 1;
        oauth_error(StatusCode::BAD_REQUEST, "invalid_request", words)
    }

    fn check_client(&self, headers: &HeaderMap, id_in_body: &str) -> Result<(), Refusal> {
        let refused = |words| oauth_error(StatusCode::UNAUTHORIZED, "unauthorized_client", words);
        let Some((id, secret)) = &self.sign_ins.client else {
            return Err(refused("Client is unknown"));
        };
        let shown = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        match (secret, shown) {
            (None, None) if id_in_body == id => Ok(()),
            (Some(secret), Some(shown)) => {
                let own = BASE64_STANDARD.encode(format!("{id}:{secret}"));
                let is_own = shown.strip_prefix("Basic ") == Some(&*own);
                if is_own { Ok(()) } else { Err(refused("Missing valid authorization header")) }
            }
            (Some(_), None) | (None, _) => Err(refused("Missing valid authorization header")),
        }
    }
}
