//! Keeps accounts logged in.
//!
//! A login is dear: 30 in five minutes and 300 a day for each account (docs.bsky.app, "Rate limits", 2026-11).
//! So its two tokens are kept, sealed, beside the account's key. The access token lives two hours; then the
//! refresh token is exchanged for two new ones, and is itself no good any more, or not for long. Who exchanges
//! it writes down first that they do, over the very session that they read, so that one process does. One that
//! dies before it has written what it got leaves the old refresh token behind: a PDS takes that for two more
//! hours (`REFRESH_GRACE_MS` of @atproto/pds 0.4.217), and after that there is the app password.
//!
//! Only how long a token lives is taken from it, never when it was made: clocks differ.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use flock_core::{Errand, Renewal, Sent};
use flock_store::Store;
use jiff::{SignedDuration, Timestamp};
use reqwest::{Method, StatusCode, header::AUTHORIZATION};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{BlueskyKey, NAME, error_name, reading_failure};
use crate::{
    Account, Failure,
    answer::Answer,
    failure::NotDone,
    http::Http,
    lenient,
    renewal::{self, Claimed, Place, Renewals, Session as _},
};

/// Keeps accounts logged in.
#[derive(Debug)]
pub(super) struct Sessions {
    // Of its own, because logins have limits of their own.
    http: Http,
    renewals: Renewals,
}

/// What is needed to write as an account.
#[derive(Debug, Clone)]
pub(super) struct Access {
    /// Goes into the header of each request.
    pub(super) token: SecretString,
    /// Whose repository is written to.
    pub(super) did: String,
    /// The server it is on.
    pub(super) server: String,
}

/// What is kept of an account's logins.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Session {
    tokens: Option<Tokens>,
    /// Until when somebody may be at exchanging the tokens.
    renewing_until: Option<Timestamp>,
    /// The newest logins, oldest first.
    logins: Vec<Timestamp>,
}

#[derive(Debug, Clone, Deserialize)]
struct Tokens {
    did: String,
    server: String,
    access: SecretString,
    refresh: SecretString,
    /// When the access token is to be exchanged; `None`: when it is refused.
    renew_at: Option<Timestamp>,
}

/// What a PDS answers to a login or an exchange.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct NewSession {
    access_jwt: SecretString,
    refresh_jwt: SecretString,
    pub(super) did: String,
    #[serde(default, deserialize_with = "lenient::text")]
    pub(super) handle: String,
    #[serde(default)]
    did_doc: Value,
    #[serde(default, deserialize_with = "lenient::some_flag")]
    active: Option<bool>,
}

/// What of an access token matters to who was given it.
#[derive(Deserialize)]
struct Claims {
    #[serde(deserialize_with = "lenient::number")]
    iat: Option<i64>,
    #[serde(deserialize_with = "lenient::number")]
    exp: Option<i64>,
}

impl Sessions {
    /// Not more logins than this in this time: 288 a day, and never 30 in five minutes.
    const LOGINS: usize = 3;
    const LOGINS_IN: SignedDuration = SignedDuration::from_mins(15);

    pub(super) fn new(http: Http, store: Store) -> Self {
        Self { http, renewals: Renewals::new(store) }
    }

    /// What the account writes with: from the session it was opened with, as long as that is good.
    pub(super) async fn access(
        &self,
        account: &Account,
        key: &BlueskyKey,
    ) -> Result<Access, Failure> {
        match key.session().and_then(|session| session.good_at(self.http.now())) {
            Some(access) => Ok(access),
            None => self.renew(account, key, None).await,
        }
    }

    /// What the account writes with, after the server has refused the token `refused`, or when none is good.
    pub(super) async fn renew(
        &self,
        account: &Account,
        key: &BlueskyKey,
        refused: Option<&SecretString>,
    ) -> Result<Access, Failure> {
        let lock = self.renewals.lock(&account.id);
        let _held = lock.lock().await;
        let is_good = |session: &Session, now| {
            session.good_at(now).filter(|access| {
                refused.is_none_or(|token| token.expose_secret() != access.token.expose_secret())
            })
        };
        let claim = self.renewals.claim(&account.id, key.beside(), &self.http, is_good);
        match claim.await? {
            Claimed::Good(access) => Ok(access),
            Claimed::Ours { place, session, over, .. } => {
                self.renew_alone(account, key, &place, session, over).await
            }
        }
    }

    /// Renews a session that nobody else renews; `over` is how it is stored.
    async fn renew_alone(
        &self,
        account: &Account,
        key: &BlueskyKey,
        place: &Place<'_, Session>,
        begun: Session,
        over: String,
    ) -> Result<Access, Failure> {
        let (mut session, mut over) = (begun, over);
        let mut renewed = match &session.tokens {
            Some(tokens) => self.exchange(account, tokens).await,
            None => Ok(None),
        };
        if let Ok(None) = renewed {
            match session.log_in_at(self.http.now()) {
                Ok(begun) => {
                    // Counted first: a process that dies in a login has had it.
                    session = begun;
                    let Some(counted) = self.renewals.put(place, Some(&over), &session).await?
                    else {
                        let why = "the account was changed meanwhile";
                        return Err(Failure::try_again(NotDone::NOT_ASKED, why));
                    };
                    over = counted;
                    let Account { id, remote_user, .. } = account;
                    let who = if remote_user.is_empty() { id.handle.as_str() } else { remote_user };
                    renewed = self.log_in(account, key, who).await.map(Some);
                }
                Err(at) => {
                    let why = format!(
                        "Bluesky has ended the session of {id}, which has logged in too often lately",
                        id = account.id
                    );
                    renewed = Err(Failure::not_before(NotDone::NOT_ASKED, at, why));
                }
            }
        }
        let tokens = match renewed {
            Ok(new) => new.map(|new| new.tokens(&base(account), self.http.now())),
            Err(failure) => {
                // The next need not wait until this could have ended; who does not get this waits.
                let ended = Session { renewing_until: None, ..session };
                let _ = self.renewals.put(place, Some(&over), &ended).await;
                return Err(failure);
            }
        };
        let tokens = tokens
            .ok_or_else(|| Failure::try_again(NotDone::HARMLESS, "Bluesky gave no session"))?;
        let access = tokens.access();
        let session = Session { tokens: Some(tokens), renewing_until: None, ..session };
        // A conflict means that the account was added again meanwhile: this token is good all the same.
        self.renewals.put(place, Some(&over), &session).await?;
        Ok(access)
    }

    /// Exchanges the tokens. `None`: the server does not know them any more.
    async fn exchange(
        &self,
        account: &Account,
        tokens: &Tokens,
    ) -> Result<Option<NewSession>, Failure> {
        let path = "/xrpc/com.atproto.server.refreshSession";
        let request = self
            .http
            .request(Method::POST, &base(account), path)?
            .header(AUTHORIZATION, bearer(&tokens.refresh));
        let answer =
            self.http.send(&account.id, NAME, request).await.map_err(Failure::posts_nothing)?;
        match answer.status {
            StatusCode::OK => answer.json(NAME).map(Some).map_err(Failure::posts_nothing),
            _ if is_over(&answer) => Ok(None),
            _ => Err(reading_failure(&answer)),
        }
    }

    /// Logs in as `who`.
    pub(super) async fn log_in(
        &self,
        account: &Account,
        key: &BlueskyKey,
        who: &str,
    ) -> Result<NewSession, Failure> {
        let path = "/xrpc/com.atproto.server.createSession";
        let input = json!({ "identifier": who, "password": key.app_password.expose_secret() });
        let request = self.http.request(Method::POST, &base(account), path)?.json(&input);
        let answer =
            self.http.send(&account.id, NAME, request).await.map_err(Failure::posts_nothing)?;
        match answer.status {
            StatusCode::OK => answer.json(NAME).map_err(Failure::posts_nothing),
            // "A sign in code has been sent to your email address" (@atproto/pds 0.4.217): only the account's own password
            // wants one.
            _ if error_name(&answer) == "AuthFactorTokenRequired" => Err(Failure::refused(
                NotDone::HARMLESS,
                "Bluesky wants a code by mail, which it asks for with the account's own password; make an app \
                 password in its settings (Privacy and security, App passwords), and give that",
            )),
            _ if error_name(&answer) == "AuthenticationRequired" => {
                // Of a key that was just given nobody has said yet whose it is: there is none to renew.
                let is_new = account.remote_user.is_empty();
                let instead = if is_new {
                    "give a new one"
                } else {
                    "renew the account's key with a new app password"
                };
                Err(Failure::refused(
                    NotDone::HARMLESS,
                    format!(
                        "Bluesky does not accept the account's app password{}; it is mistyped or was revoked, or \
                         the account was taken down: look in its settings, and {instead}",
                        answer.said()
                    ),
                ))
            }
            _ => Err(reading_failure(&answer)),
        }
    }

    /// The session that a login just given to us makes, as it is to be kept.
    pub(super) fn first(&self, account: &Account, new: NewSession) -> (Access, SecretString) {
        let now = self.http.now();
        let tokens = new.tokens(&base(account), now);
        let access = tokens.access();
        let session = Session { tokens: Some(tokens), renewing_until: None, logins: vec![now] };
        (access, session.text())
    }
}

impl renewal::Session for Session {
    /// Longer than a request can last.
    const LONGEST: SignedDuration = SignedDuration::from_secs(11);
    /// Two at once do no harm.
    const BELIEVED: SignedDuration = Self::LONGEST;

    fn read(text: &SecretString) -> Option<Self> {
        serde_json::from_str(text.expose_secret()).ok()
    }

    fn text(&self) -> SecretString {
        let tokens = self.tokens.as_ref().map(|tokens| {
            json!({
                "did": tokens.did,
                "server": tokens.server,
                "access": tokens.access.expose_secret(),
                "refresh": tokens.refresh.expose_secret(),
                "renew_at": tokens.renew_at,
            })
        });
        let text = json!({
            "tokens": tokens,
            "renewing_until": self.renewing_until,
            "logins": self.logins,
        });
        SecretString::from(text.to_string())
    }

    /// A refresh token is taken once more after it was used, so nobody has to know whether it was.
    fn renewal(&self) -> Errand<Renewal> {
        Errand::stored(self.renewing_until, Sent::No)
    }

    fn with(self, renewal: &Errand<Renewal>) -> Self {
        Self { renewing_until: renewal.lease_until, ..self }
    }
}

impl Session {
    /// What is written with, if it is good at `now`.
    fn good_at(&self, now: Timestamp) -> Option<Access> {
        let good = |tokens: &&Tokens| tokens.renew_at.is_none_or(|renew_at| now < renew_at);
        self.tokens.as_ref().filter(good).map(Tokens::access)
    }

    /// The server the account is on, as far as that is known.
    pub(super) fn server(&self) -> Option<&str> {
        self.tokens.as_ref().map(|tokens| tokens.server.as_str())
    }

    /// The session with one more login, or when that may be.
    fn log_in_at(&self, now: Timestamp) -> Result<Self, Timestamp> {
        let recent = |login: &&Timestamp| now.duration_since(**login) < Sessions::LOGINS_IN;
        let mut logins: Vec<Timestamp> = self.logins.iter().filter(recent).copied().collect();
        match logins.first() {
            Some(first) if Sessions::LOGINS <= logins.len() => {
                // A login of a clock that was ahead is not waited for longer than any other.
                let from = (*first).min(now);
                Err(from.saturating_add(Sessions::LOGINS_IN).unwrap_or(Timestamp::MAX))
            }
            _ => {
                logins.push(now);
                Ok(Self { logins, ..self.clone() })
            }
        }
    }
}

impl Tokens {
    fn access(&self) -> Access {
        Access { token: self.access.clone(), did: self.did.clone(), server: self.server.clone() }
    }
}

impl NewSession {
    /// Whether the account is awake, which one is of which nothing is said.
    pub(super) fn is_active(&self) -> bool {
        self.active.unwrap_or(true)
    }

    /// What is kept of an answer that came at `now` from the server at `base`.
    fn tokens(self, base: &str, now: Timestamp) -> Tokens {
        let server = server_of(&self.did_doc).map_or_else(|| base.to_owned(), ToOwned::to_owned);
        let renew_at = lifetime(self.access_jwt.expose_secret())
            // A tenth of it is for clocks that are set, and for what a request takes.
            .and_then(|lifetime| now.saturating_add(lifetime * 9 / 10).ok());
        Tokens {
            did: self.did,
            server,
            access: self.access_jwt,
            refresh: self.refresh_jwt,
            renew_at,
        }
    }
}

/// Where the account lives by its identity document (atproto.com/specs/did, 2026-11).
fn server_of(did_doc: &Value) -> Option<&str> {
    let services = did_doc["service"].as_array()?;
    let pds = services.iter().find(|service| {
        service["id"].as_str().is_some_and(|id| id.ends_with("#atproto_pds"))
            && service["type"] == "AtprotoPersonalDataServer"
    })?;
    pds["serviceEndpoint"].as_str()
}

/// How long an access token lives; `None` when it does not say, because that is the server's own business.
fn lifetime(jwt: &str) -> Option<SignedDuration> {
    let claims = BASE64_URL_SAFE_NO_PAD.decode(jwt.split('.').nth(1)?).ok()?;
    let Claims { iat, exp } = serde_json::from_slice(&claims).ok()?;
    let seconds = exp?.checked_sub(iat?).filter(|seconds| 0 < *seconds)?;
    // Longer than a day would be kept for a mistake.
    Some(SignedDuration::from_secs(seconds.min(24 * 60 * 60)))
}

/// Whether the server says that tokens are not good any more, or never were.
pub(super) fn is_over(answer: &Answer) -> bool {
    let name = error_name(answer);
    match answer.status {
        StatusCode::BAD_REQUEST => matches!(name.as_str(), "ExpiredToken" | "InvalidToken"),
        StatusCode::UNAUTHORIZED => !name.starts_with("Account"),
        _ => false,
    }
}

pub(super) fn bearer(token: &SecretString) -> String {
    format!("Bearer {}", token.expose_secret())
}

/// The server an account logs in at.
pub(super) fn base(account: &Account) -> String {
    account.url.clone().unwrap_or_else(|| "https://bsky.social".to_owned())
}

/// What is read of any answer to a login can be kept, sealed and read again.
#[cfg(feature = "test-util")]
pub(super) fn check_answer(body: &[u8]) {
    let Ok(new) = serde_json::from_slice::<NewSession>(body) else { return };
    let now = Timestamp::UNIX_EPOCH;
    let tokens = new.tokens("https://bsky.social", now);
    let latest = now.saturating_add(SignedDuration::from_hours(24)).expect("it is in 1970");
    assert!(tokens.renew_at.is_none_or(|at| now <= at && at <= latest), "{tokens:?}");
    let session = Session { tokens: Some(tokens), renewing_until: Some(now), logins: vec![now] };
    let text = session.text();
    let again = Session::read(&text).expect("it was just written");
    assert_eq!(again.text().expose_secret(), text.expose_secret());
    assert_eq!(again.server(), session.server());
    assert!(format!("{session:?}").contains("REDACTED"), "tokens do not print");
}
