//! Keeps the tokens of OAuth 2.0 good (docs.x.com, "OAuth 2.0 Authorization Code Flow with PKCE", 2026-08).
//!
//! The access token lives two hours; then the refresh token is exchanged for two new ones, and is no good any more. So one
//! process exchanges it, and what it got is stored before it is used. Where the answer to an exchange is lost, X may have made the
//! exchange or not: the same token is tried once more, and when X says that it is none, the account has to be connected again.

use std::time::Duration;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use flock_core::{AccountId, Errand, Renewal, Sent};
use flock_store::Store;
use jiff::{SignedDuration, Timestamp};
use reqwest::{
    Method, StatusCode,
    header::{AUTHORIZATION, CONTENT_TYPE},
};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{X_NAME, answers, app::Client};
use crate::{
    Failure,
    answer::Answer,
    failure::NotDone,
    http::Http,
    lenient,
    renewal::{self, Beside, Claimed, Place, Renewals},
};

/// Keeps tokens good.
#[derive(Debug)]
pub(super) struct Tokens {
    base: String,
    // Of its own, because exchanges have limits of their own.
    http: Http,
    renewals: Renewals,
}

/// What is kept of an account's tokens.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Session {
    tokens: Option<Pair>,
    /// Until when somebody may be at exchanging them.
    renewing_until: Option<Timestamp>,
    /// Whether they may have been exchanged, and nobody got the answer.
    sent: Option<Sent>,
    /// X has said that they cannot be exchanged.
    is_over: bool,
}

#[derive(Debug, Clone, Deserialize)]
struct Pair {
    access: SecretString,
    refresh: SecretString,
    /// When they are to be exchanged; `None`: when the access token is refused.
    renew_at: Option<Timestamp>,
}

/// What X answers to a code and to an exchange.
#[derive(Deserialize)]
pub(super) struct NewTokens {
    pub(super) access_token: SecretString,
    #[serde(default)]
    refresh_token: Option<SecretString>,
    #[serde(default, deserialize_with = "lenient::number")]
    expires_in: Option<i64>,
    /// Where it is not there, it is what was asked for (RFC 6749, 5.1).
    #[serde(default, deserialize_with = "lenient::some_text")]
    pub(super) scope: Option<String>,
}

/// An error as OAuth 2.0 has it (RFC 6749, 5.2).
#[derive(Deserialize)]
struct OAuthError {
    error: String,
}

/// What came of asking for tokens.
pub(super) enum Asked {
    /// There they are.
    Given(NewTokens),
    /// What was shown for them is not good: X's words, if any.
    NotGood(String),
}

/// Whose tokens they are, and with what they are exchanged.
#[derive(Debug, Clone, Copy)]
pub(super) struct Of<'a> {
    pub(super) account: &'a AccountId,
    pub(super) client: &'a Client,
    pub(super) beside: &'a Beside<Session>,
}

impl Tokens {
    /// How long an exchange takes at most: no request lasts longer.
    const TAKES: SignedDuration = SignedDuration::from_secs(11);
    /// How long what was given is tried to be stored: nobody else has it, and it is given once.
    const STORING: Duration = Duration::from_secs(15);
    const AGAIN: Duration = Duration::from_millis(500);

    pub(super) fn new(base: String, http: Http, store: Store) -> Self {
        Self { base, http, renewals: Renewals::new(store) }
    }

    /// The access token of an account: the one it was opened with, as long as that is good.
    pub(super) async fn access(&self, of: Of<'_>) -> Result<SecretString, Failure> {
        match of.beside.session().and_then(|session| session.good_at(self.http.now())) {
            Some(token) => Ok(token),
            // Seldom, and then a lot to keep in mind.
            None => Box::pin(self.renew(of, None)).await,
        }
    }

    /// The same after X has refused the token `refused`, or when none is good.
    pub(super) async fn renew(
        &self,
        of: Of<'_>,
        refused: Option<&SecretString>,
    ) -> Result<SecretString, Failure> {
        let lock = self.renewals.lock(of.account);
        let _held = lock.lock().await;
        let is_good = |session: &Session, now| {
            if session.is_over() {
                return Some(Err(over(session.renewal_was_lost())));
            }
            let good = session.good_at(now);
            good.filter(|token| {
                refused.is_none_or(|refused| refused.expose_secret() != token.expose_secret())
            })
            .map(Ok)
        };
        match self.renewals.claim(of.account, of.beside, &self.http, is_good).await? {
            Claimed::Good(known) => known,
            Claimed::Ours { place, before, session, over } => {
                self.renew_alone(of, &place, &before, session, over).await
            }
        }
    }

    /// Exchanges tokens that nobody else exchanges; `over` is how that is stored.
    async fn renew_alone(
        &self,
        of: Of<'_>,
        place: &Place<'_, Session>,
        before: &Session,
        session: Session,
        over: String,
    ) -> Result<SecretString, Failure> {
        use renewal::Session as _;
        let Some(pair) = session.tokens.clone() else { return Err(self::over(false)) };
        let was = before.renewal();
        let (asked, sent) = if session.renewal().may_ask(Self::TAKES, self.http.now()) {
            let asked = self.exchange(of, &pair).await;
            let sent = match &asked {
                Err(failure) if failure.not_done().is_none() => Sent::Maybe,
                Ok(_) | Err(_) => was.sent,
            };
            (asked.map_err(Failure::posts_nothing), sent)
        } else {
            let why = "the table took too long, so that X was not asked for a new token";
            (Err(Failure::try_again(NotDone::NOT_ASKED, why)), was.sent)
        };
        match asked {
            Ok(Asked::Given(new)) => {
                let new = new.session(Some(&pair.refresh), self.http.now());
                self.store(place, over, &pair, new).await
            }
            Ok(Asked::NotGood(_)) => self.is_over(place, over, &pair, session).await,
            Err(failure) => {
                // The next need not wait until this could have ended; who does not get this waits.
                let ended = session.clone().with(&session.renewal().end(sent));
                let _ = self.renewals.put(place, Some(&over), &ended).await;
                Err(failure)
            }
        }
    }

    /// Stores what X gave for `old`, and then it is good to be used. Nothing else is ever given for it, so whatever somebody has
    /// noted of it meanwhile is written over.
    async fn store(
        &self,
        place: &Place<'_, Session>,
        over: String,
        old: &Pair,
        new: Session,
    ) -> Result<SecretString, Failure> {
        let given = new.tokens.as_ref().map(|pair| pair.access.clone());
        let token = given.ok_or_else(|| self::over(false))?;
        let patience = tokio::time::Instant::now() + Self::STORING;
        let mut over = Some(over);
        loop {
            let failure = match self.renewals.put(place, over.as_deref(), &new).await {
                Ok(Some(_)) => return Ok(token),
                Ok(None) => match self.renewals.look(place).await {
                    Ok(Some((there, sealed))) if there.is_of(old) => {
                        over = sealed;
                        continue;
                    }
                    // It is stored, or the account was connected again: this token is good all the same.
                    Ok(_) => return Ok(token),
                    Err(failure) => failure,
                },
                Err(failure) => failure,
            };
            if patience <= tokio::time::Instant::now() {
                return Err(failure);
            }
            tokio::time::sleep(Self::AGAIN).await;
        }
    }

    /// Notes that X does not exchange `old`, unless somebody else has just done so.
    async fn is_over(
        &self,
        place: &Place<'_, Session>,
        over: String,
        old: &Pair,
        session: Session,
    ) -> Result<SecretString, Failure> {
        use renewal::Session as _;
        let was_lost = session.renewal_was_lost();
        let ended = Session { is_over: true, ..session.clone() };
        let ended = ended.with(&session.renewal().end(session.sent.unwrap_or(Sent::No)));
        // Who does not get this asks X once more.
        if let Ok(None) = self.renewals.put(place, Some(&over), &ended).await
            && let Some((there, _)) = self.renewals.look(place).await?
            && !there.is_of(old)
            && let Some(token) = there.good_at(self.http.now())
        {
            return Ok(token);
        }
        Err(self::over(was_lost))
    }

    async fn exchange(&self, of: Of<'_>, pair: &Pair) -> Result<Asked, Failure> {
        let form =
            [("grant_type", "refresh_token"), ("refresh_token", pair.refresh.expose_secret())];
        self.ask(of.account, of.client, &form).await
    }

    /// Asks for tokens. Who asks with a secret shows that, and who has none says who it is.
    pub(super) async fn ask(
        &self,
        account: &AccountId,
        client: &Client,
        form: &[(&str, &str)],
    ) -> Result<Asked, Failure> {
        let mut request = self.http.request(Method::POST, &self.base, "/2/oauth2/token")?;
        let mut form = form.to_vec();
        match &client.secret {
            Some(secret) => {
                request = request.header(AUTHORIZATION, basic(&client.id, secret));
            }
            None => form.push(("client_id", client.id.expose_secret())),
        }
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let content_type = "application/x-www-form-urlencoded";
        let request = request.header(CONTENT_TYPE, content_type).body(body);
        let answer = self.http.send(account, X_NAME, request).await?;
        if answer.status == StatusCode::OK {
            return answer.json(X_NAME).map(Asked::Given);
        }
        refusal(&answer)
    }
}

/// What any answer but tokens means.
fn refusal(answer: &Answer) -> Result<Asked, Failure> {
    let refuses = [StatusCode::BAD_REQUEST, StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN];
    let error = serde_json::from_slice::<OAuthError>(&answer.body).ok();
    match error.filter(|_| refuses.contains(&answer.status)) {
        // X says the second: "Value passed for the token was invalid." (people have shown it since 2022).
        Some(OAuthError { error })
            if matches!(error.as_str(), "invalid_grant" | "invalid_request") =>
        {
            Ok(Asked::NotGood(answer.said()))
        }
        Some(OAuthError { error })
            if matches!(error.as_str(), "invalid_client" | "unauthorized_client") =>
        {
            Err(Failure::refused(
                NotDone::ANSWERED,
                format!(
                    "X does not accept the app's client_id and client_secret{}; put those of X's developer console \
                     (console.x.com, \"Keys and tokens\") into the secret of the X app",
                    answer.said()
                ),
            ))
        }
        Some(_) | None => Err(answers::failure(answer)),
    }
}

/// What says who the app is (RFC 6749, 2.3.1: both are encoded as in a form first).
fn basic(id: &SecretString, secret: &SecretString) -> String {
    let encoded = |text: &SecretString| -> String {
        form_urlencoded::byte_serialize(text.expose_secret().as_bytes()).collect()
    };
    format!("Basic {}", BASE64_STANDARD.encode(format!("{}:{}", encoded(id), encoded(secret))))
}

/// The tokens are over, and only somebody who signs in can make others.
pub(super) fn over(was_lost: bool) -> Failure {
    let why = if was_lost {
        "X's answer to the renewal of its key was lost, and so its key is no longer good; connect it again"
    } else {
        "X does not renew its key any more, so its key is no longer good; connect it again"
    };
    Failure::refused(NotDone::HARMLESS, why)
}

impl renewal::Session for Session {
    /// Two exchanges at once would burn a token, so it is long enough for a slow table before the exchange and for clocks that
    /// differ by half a minute. Only who died in it is waited for so long.
    const LONGEST: SignedDuration = SignedDuration::from_secs(60);
    const BELIEVED: SignedDuration = SignedDuration::from_secs(120);

    fn read(text: &SecretString) -> Option<Self> {
        serde_json::from_str(text.expose_secret()).ok()
    }

    fn text(&self) -> SecretString {
        let tokens = self.tokens.as_ref().map(|pair| {
            json!({
                "access": pair.access.expose_secret(),
                "refresh": pair.refresh.expose_secret(),
                "renew_at": pair.renew_at,
            })
        });
        let text: Value = json!({
            "tokens": tokens,
            "renewing_until": self.renewing_until,
            "sent": self.sent,
            "is_over": self.is_over,
        });
        SecretString::from(text.to_string())
    }

    fn renewal(&self) -> Errand<Renewal> {
        Errand::stored(self.renewing_until, self.sent.unwrap_or(Sent::No))
    }

    fn with(self, renewal: &Errand<Renewal>) -> Self {
        // Of what is claimed it is known that it was in doubt before, until it ends.
        let sent = if renewal.lease_until.is_some() {
            Some(self.renewal().sent)
        } else {
            Some(renewal.sent)
        };
        Self { renewing_until: renewal.lease_until, sent, ..self }
    }
}

impl Session {
    /// The access token, if it is good at `now`.
    fn good_at(&self, now: Timestamp) -> Option<SecretString> {
        let good = |pair: &&Pair| pair.renew_at.is_none_or(|renew_at| now < renew_at);
        self.tokens.as_ref().filter(good).map(|pair| pair.access.clone())
    }

    fn is_over(&self) -> bool {
        self.is_over || self.tokens.is_none()
    }

    /// Whether somebody has exchanged the tokens before and has not heard what came of it.
    fn renewal_was_lost(&self) -> bool {
        self.sent == Some(Sent::Maybe)
    }

    /// Whether its tokens are those.
    fn is_of(&self, pair: &Pair) -> bool {
        let is = |own: &Pair| own.refresh.expose_secret() == pair.refresh.expose_secret();
        self.tokens.as_ref().is_some_and(is)
    }
}

impl NewTokens {
    /// What is kept of an answer that came at `now`; where it has no refresh token, `old` stays good (RFC 6749, 6).
    fn session(self, old: Option<&SecretString>, now: Timestamp) -> Session {
        let tokens = self.refresh_token.or_else(|| old.cloned()).map(|refresh| {
            let lives = self.expires_in.filter(|seconds| 0 < *seconds);
            // Longer than a day would be kept for a mistake, and a tenth is for clocks that are set and for what a request takes.
            let lives = lives.map(|seconds| SignedDuration::from_secs(seconds.min(24 * 60 * 60)));
            let renew_at = lives.and_then(|lives| now.saturating_add(lives * 9 / 10).ok());
            Pair { access: self.access_token, refresh, renew_at }
        });
        Session { tokens, ..Session::default() }
    }

    /// The same of a sign-in. `None`: they cannot be renewed.
    pub(super) fn first(self, now: Timestamp) -> Option<SecretString> {
        use renewal::Session as _;
        let session = self.session(None, now);
        session.tokens.is_some().then(|| session.text())
    }
}

/// What is read of any answer can be kept, sealed and read again.
#[cfg(feature = "test-util")]
pub(super) fn check_answer(body: &[u8]) {
    use renewal::Session as _;
    let Ok(new) = serde_json::from_slice::<NewTokens>(body) else { return };
    let now = Timestamp::UNIX_EPOCH;
    let session = new.session(Some(&SecretString::from("old")), now);
    let latest = now.saturating_add(SignedDuration::from_hours(24)).expect("it is in 1970");
    let renew_at = session.tokens.as_ref().and_then(|pair| pair.renew_at);
    assert!(renew_at.is_none_or(|at| now <= at && at <= latest), "{session:?}");
    let again = Session::read(&session.text()).expect("it was just written");
    assert_eq!(again.text().expose_secret(), session.text().expose_secret());
    assert!(format!("{session:?}").contains("REDACTED"), "tokens do not print");
}

#[cfg(test)]
mod tests {
    use renewal::Session as _;

    use super::*;

    fn new(json: &str) -> NewTokens {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn tokens_are_kept_until_a_tenth_before_they_end() {
        let now: Timestamp = "2026-11-28T12:00:00Z".parse().unwrap();
        let given = new(r#"{"access_token":"a","refresh_token":"r","expires_in":7200}"#);
        let session = given.session(None, now);
        let renew_at = now + SignedDuration::from_secs(6480);
        assert!(session.good_at(renew_at - SignedDuration::from_secs(1)).is_some());
        assert!(session.good_at(renew_at).is_none());
        let again = Session::read(&session.text()).unwrap();
        assert_eq!(again.text().expose_secret(), session.text().expose_secret());
        assert!(new(r#"{"access_token":"a"}"#).first(now).is_none());
        let kept = new(r#"{"access_token":"a"}"#).session(Some(&"old".into()), now);
        assert_eq!(kept.tokens.unwrap().refresh.expose_secret(), "old");
    }

    #[test]
    fn what_is_in_doubt_stays_so_until_it_ends() {
        let until: Timestamp = "2026-11-28T12:00:30Z".parse().unwrap();
        let session = Session::default();
        assert!(!session.renewal().is_perhaps_burnt());
        let claimed = session.clone().with(&session.renewal().claim(until));
        // We know what we have not done yet; who finds this does not.
        assert!(!claimed.renewal_was_lost());
        assert!(claimed.renewal().is_perhaps_burnt());
        let next = claimed.clone().with(&claimed.renewal().claim(until));
        assert!(next.renewal_was_lost());
        let ended = claimed.clone().with(&claimed.renewal().end(Sent::No));
        assert!(!ended.renewal().is_perhaps_burnt());
        let unheard = claimed.clone().with(&claimed.renewal().end(Sent::Maybe));
        assert!(unheard.renewal().is_perhaps_burnt() && unheard.renewal_was_lost());
    }

    #[test]
    fn what_says_who_the_app_is_is_encoded_first() {
        assert_eq!(basic(&"i d".into(), &"s:1".into()), "Basic aStkOnMlM0Ex");
    }
}
