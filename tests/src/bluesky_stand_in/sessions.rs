//! Sessions: who a token is, and until when.

use axum::http::{StatusCode, header::AUTHORIZATION};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{
    Account, Pds,
    answers::{Answer, Limit, bad_request, error, narrowest, ok, text, too_many},
    api::Call,
    faults::BlueskyStatus,
};

/// How every token of a session begins. What is sealed may have the first letters of it by chance, and hardly all.
pub const TOKENS_BEGIN: &str = "eyJhbGciOiJIUzI1NiI";

#[derive(Debug, Clone)]
pub(super) struct Token {
    pub(super) did: String,
    /// Of a refresh token.
    pub(super) jti: Option<String>,
    pub(super) expires: Timestamp,
}

#[derive(Debug, Clone)]
pub(super) struct Session {
    pub(super) did: String,
    pub(super) expires: Timestamp,
    /// What it was exchanged for.
    pub(super) next: Option<String>,
}

impl Pds {
    pub(super) fn create_session(&mut self, call: &Call<'_>) -> Result<Answer, Answer> {
        let input = call.input()?;
        let (identifier, password) = (text(&input, "identifier")?, text(&input, "password")?);
        let now = self.now();
        let known =
            |account: &&mut Account| account.did == identifier || account.handle == identifier;
        let wrong = || {
            let message = "Invalid identifier or password";
            error(StatusCode::UNAUTHORIZED, "AuthenticationRequired", message)
        };
        let account = self.accounts.iter_mut().find(known).ok_or_else(wrong)?;
        let limit = narrowest(&account.logins, now, &[(30, 5), (300, 24 * 60)]);
        if limit.left == 0 {
            return Err(Answer { limit: Some(limit), ..too_many() });
        }
        account.logins.push(now);
        let limit = Limit { left: limit.left - 1, ..limit };
        if account.own_password.as_ref() == Some(&password) {
            let message = "A sign in code has been sent to your email address";
            let wanted = error(StatusCode::UNAUTHORIZED, "AuthFactorTokenRequired", message);
            return Err(Answer { limit: Some(limit), ..wanted });
        }
        // An account that was taken down has no app passwords.
        if account.status == BlueskyStatus::TakenDown || account.app_password != Some(password) {
            return Err(Answer { limit: Some(limit), ..wrong() });
        }
        let did = account.did.clone();
        let jti = self.number("jti");
        Ok(Answer { limit: Some(limit), ..self.session(&did, jti) })
    }

    pub(super) fn refresh_session(&mut self, call: &Call<'_>) -> Result<Answer, Answer> {
        let now = self.now();
        let token = self.token(call)?;
        let Some(jti) = token.jti else {
            return Err(bad_request("InvalidToken", "Invalid token type"));
        };
        self.standing(&token.did, false)?;
        let next = self.number("jti");
        let grace = now.saturating_add(self.refresh_grace).expect("a duration of hours");
        let revoked = || bad_request("ExpiredToken", "Token has been revoked");
        let session = self.sessions.get_mut(&jti).ok_or_else(revoked)?;
        if session.expires <= now {
            return Err(revoked());
        }
        // Exchanged again, it becomes the same as before.
        session.expires = session.expires.min(grace);
        let next = session.next.get_or_insert(next).clone();
        self.owner(&token.did).refreshes += 1;
        Ok(self.session(&token.did, next))
    }

    pub(super) fn get_session(&mut self, call: &Call<'_>) -> Result<Answer, Answer> {
        let did = self.authenticate(call)?;
        let handle = self.owner(&did).handle.clone();
        Ok(ok(json!({ "did": did, "handle": handle, "active": true })))
    }

    /// Gives out two tokens.
    fn session(&mut self, did: &str, jti: String) -> Answer {
        let now = self.now();
        let access_until = now.saturating_add(self.access_lifetime).expect("a duration of hours");
        let refresh_until =
            now.saturating_add(SignedDuration::from_hours(90 * 24)).expect("a duration of hours");
        let session = Session { did: did.to_owned(), expires: refresh_until, next: None };
        let session = self.sessions.entry(jti.clone()).or_insert(session);
        session.next = None;
        let mut token = |kind: &str, scope: &str, expires: Timestamp, jti: Option<String>| {
            self.number += 1;
            let mut claims = json!({
                "scope": scope,
                "aud": "did:web:pds.test",
                "sub": did,
                "iat": now.as_second(),
                "exp": expires.as_second(),
            });
            if let Some(jti) = &jti {
                claims["jti"] = jti.clone().into();
            }
            let parts = [
                json!({ "typ": kind, "alg": "HS256" }).to_string(),
                claims.to_string(),
                format!("signature {}", self.number),
            ];
            let jwt = parts.map(|part| BASE64_URL_SAFE_NO_PAD.encode(part)).join(".");
            assert!(jwt.starts_with(TOKENS_BEGIN), "{jwt}");
            let token = Token { did: did.to_owned(), jti, expires };
            self.tokens.insert(jwt.clone(), token);
            jwt
        };
        let access = token("at+jwt", "com.atproto.appPass", access_until, None);
        let refresh = token("refresh+jwt", "com.atproto.refresh", refresh_until, Some(jti));
        let endpoint = self.endpoint.clone();
        let account = self.owner(did);
        let mut body = json!({
            "accessJwt": access,
            "refreshJwt": refresh,
            "did": did,
            "handle": account.handle,
            "email": "sheep@flock.test",
            "emailConfirmed": false,
            "active": account.status == BlueskyStatus::Active,
        });
        if let Some(endpoint) = endpoint {
            body["didDoc"] = json!({
                "id": did,
                "service": [{
                    "id": "#atproto_pds",
                    "type": "AtprotoPersonalDataServer",
                    "serviceEndpoint": endpoint,
                }],
            });
        }
        ok(body)
    }

    /// The token a request was sent with, if it is still good.
    fn token(&self, call: &Call<'_>) -> Result<Token, Answer> {
        let header = call.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let Some(jwt) = header.and_then(|value| value.strip_prefix("Bearer ")) else {
            let message = "Authentication Required";
            return Err(error(StatusCode::UNAUTHORIZED, "AuthMissing", message));
        };
        let token = self.tokens.get(jwt);
        let token =
            token.ok_or_else(|| bad_request("InvalidToken", "Token could not be verified"))?;
        if token.expires <= self.now() {
            return Err(bad_request("ExpiredToken", "Token has expired"));
        }
        Ok(token.clone())
    }

    /// Whether the account may act at all.
    fn standing(&mut self, did: &str, awake: bool) -> Result<(), Answer> {
        let (name, message) = match self.owner(did).status {
            BlueskyStatus::TakenDown => ("AccountTakedown", "Account has been taken down"),
            BlueskyStatus::Suspended => ("AccountSuspended", "Account has been suspended"),
            BlueskyStatus::Deactivated if awake => ("AccountDeactivated", "Account is deactivated"),
            BlueskyStatus::Active | BlueskyStatus::Deactivated => return Ok(()),
        };
        Err(error(StatusCode::UNAUTHORIZED, name, message))
    }

    /// Who sent a request.
    pub(super) fn authenticate(&mut self, call: &Call<'_>) -> Result<String, Answer> {
        let token = self.token(call)?;
        if token.jti.is_some() {
            return Err(bad_request("InvalidToken", "Bad token scope"));
        }
        self.standing(&token.did, true)?;
        Ok(token.did)
    }

    /// Whose repository is written to, and what the limits say.
    pub(super) fn writer(
        &mut self,
        call: &Call<'_>,
        input: &Value,
    ) -> Result<(String, Limit), Answer> {
        let did = self.authenticate(call)?;
        if text(input, "repo")? != did {
            return Err(error(StatusCode::FORBIDDEN, "AccountNotFound", "Account not found"));
        }
        let now = self.now();
        let account = self.owner(&did);
        let limit = narrowest(&account.writes, now, &[(3_000, 5)]);
        if limit.left == 0 {
            return Err(Answer { limit: Some(limit), ..too_many() });
        }
        account.writes.push(now);
        Ok((did, Limit { left: limit.left - 1, ..limit }))
    }
}
