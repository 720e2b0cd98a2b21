//! Signing in at X (docs.x.com, "3-legged OAuth flow", "PIN-based OAuth" and "OAuth 2.0 Authorization Code Flow with PKCE",
//! 2026-08).
//!
//! X compares where somebody is sent back to with the addresses that are registered for the app, exactly ("Callback URLs": "should
//! always be an exact match"). OAuth 2.0 brings our state back beside it. OAuth 1.0a has none, and a query of our own might not be
//! taken: there the request token, which X makes for one sign-in and brings back, says which it is.

use aws_lc_rs::{constant_time, digest, rand};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use flock_core::{AccountId, Way};
use reqwest::{
    Method, StatusCode,
    header::{AUTHORIZATION, CONTENT_TYPE},
};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::json;

use super::{
    X, X_NAME,
    answers::{self, Me, MeData, XError},
    app::{Client, Consumer, XApp},
    key::{Token, XKey},
    signature::{Step, clock_behind, clock_words, sign},
    tokens::{Asked, NewTokens},
};
use crate::{
    Back, Begun, Failure, NewKey, NotSignedIn, Proof, SignInTo,
    answer::{Answer, printable},
    failure::NotDone,
    sealed_json,
};

/// What we ask for: to read and write posts, to hear whose the key is, to upload pictures, and to renew the key.
const SCOPES: [&str; 5] =
    ["tweet.read", "tweet.write", "users.read", "media.write", "offline.access"];
/// Without these nothing can be posted, or not for longer than two hours.
const NEEDED: [&str; 2] = ["tweet.write", "offline.access"];
/// Stands in the place of an address where somebody is shown a PIN instead ("out of band").
const OOB: &str = "oob";

/// What is kept of a sign-in by OAuth 1.0a.
#[derive(Deserialize)]
struct Signing {
    token: SecretString,
    token_secret: SecretString,
    /// Whether somebody is sent back, who else types a PIN.
    is_sent: bool,
}

/// What is kept of a sign-in by OAuth 2.0.
#[derive(Deserialize)]
struct Coding {
    state: SecretString,
    verifier: SecretString,
    to: String,
}

impl X {
    /// How long a PIN is.
    const PIN: usize = 7;

    pub(crate) async fn begin_sign_in(
        &self,
        to: SignInTo<'_>,
        back: Back<'_>,
    ) -> Result<Begun, Failure> {
        let app = app(to)?;
        match to.way {
            Way::OAuth1 => {
                let consumer =
                    app.consumer().map_err(|lacks| Failure::cannot(lacks.to_string()))?;
                self.begin_signing(to.id, consumer, back).await
            }
            Way::OAuth2 => {
                let client = app.client().map_err(|lacks| Failure::cannot(lacks.to_string()))?;
                self.begin_coding(client, back)
            }
            Way::AppPassword => Err(no_passwords()),
        }
    }

    pub(crate) async fn finish_sign_in(
        &self,
        to: SignInTo<'_>,
        kept: &SecretString,
        proof: Proof<'_>,
    ) -> Result<NewKey, NotSignedIn> {
        let app = app(to)?;
        match to.way {
            Way::OAuth1 => {
                let consumer =
                    app.consumer().map_err(|lacks| Failure::cannot(lacks.to_string()))?;
                let kept: Signing = read(kept)?;
                let verifier = verifier(&kept, proof)?;
                self.finish_signing(to.id, consumer, kept, &verifier).await
            }
            Way::OAuth2 => {
                let client = app.client().map_err(|lacks| Failure::cannot(lacks.to_string()))?;
                let kept: Coding = read(kept)?;
                let code = code(&kept, proof)?;
                self.finish_coding(to.id, client, &kept, &code).await
            }
            Way::AppPassword => Err(no_passwords().into()),
        }
    }

    async fn begin_signing(
        &self,
        account: &AccountId,
        consumer: &Consumer,
        back: Back<'_>,
    ) -> Result<Begun, Failure> {
        let (to, is_sent) = match back {
            Back::Sent { to, .. } => (to, true),
            Back::Typing => (OOB, false),
        };
        let step = Step::Callback(to);
        let answer = self.ask_for_token(account, "request_token", consumer, None, step).await?;
        if answer.status != StatusCode::OK {
            return Err(not_begun(&answer, to));
        }
        let form = Form::of(&answer);
        let (Some(token), Some(secret)) = (form.get("oauth_token"), form.get("oauth_token_secret"))
        else {
            return Err(not_a_token());
        };
        // Who does not confirm it speaks OAuth 1.0, in which a sign-in can be finished by somebody else.
        if form.get("oauth_callback_confirmed") != Some("true") {
            return Err(Failure::refused(
                NotDone::HARMLESS,
                "X has not confirmed where the sign-in ends; begin it again",
            ));
        }
        let mut page = self.http.url(&self.base, "/oauth/authorize")?;
        page.query_pairs_mut().append_pair("oauth_token", token);
        let kept = json!({ "token": token, "token_secret": secret, "is_sent": is_sent });
        let kept = SecretString::from(kept.to_string());
        Ok(Begun { page: page.into(), kept, back: SecretString::from(token) })
    }

    async fn finish_signing(
        &self,
        account: &AccountId,
        consumer: &Consumer,
        kept: Signing,
        verifier: &SecretString,
    ) -> Result<NewKey, NotSignedIn> {
        let is_sent = kept.is_sent;
        let token = Token { token: kept.token, secret: kept.token_secret };
        let step = Step::Verifier(verifier.expose_secret());
        let answer =
            self.ask_for_token(account, "access_token", consumer, Some(&token), step).await?;
        if answer.status != StatusCode::OK {
            return Err(not_finished(&answer, is_sent));
        }
        let form = Form::of(&answer);
        let fields = ["oauth_token", "oauth_token_secret", "user_id"].map(|name| form.get(name));
        let [Some(token), Some(secret), Some(user_id)] = fields else {
            return Err(not_a_token().into());
        };
        let token = Token { token: token.into(), secret: secret.into() };
        let handle = form.get("screen_name").map(ToOwned::to_owned);
        Ok(NewKey { handle, ..XKey::signed(&token, user_id.to_owned()) })
    }

    /// Asks for one of the two tokens of OAuth 1.0a.
    async fn ask_for_token(
        &self,
        account: &AccountId,
        which: &str,
        consumer: &Consumer,
        token: Option<&Token>,
        step: Step<'_>,
    ) -> Result<Answer, Failure> {
        let path = format!("/oauth/{which}");
        let url = self.http.url(&self.base, &path)?;
        let signed_at = self.http.time_outside();
        let header = sign("POST", &url, consumer, token, step, signed_at);
        let request = self.http.request(Method::POST, &self.base, &path)?;
        let request = request.header(AUTHORIZATION, header).body("");
        let request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        let answer = self.http.send(account, X_NAME, request).await;
        let answer = answer.map_err(Failure::posts_nothing)?;
        match clock_behind(&answer, signed_at) {
            Some(behind) => Err(Failure::try_again(NotDone::HARMLESS, clock_words(behind))),
            None => Ok(answer),
        }
    }

    fn begin_coding(&self, client: &Client, back: Back<'_>) -> Result<Begun, Failure> {
        let Back::Sent { to, state } = back else {
            return Err(Failure::cannot(
                "with OAuth 2.0 X sends people back to an address, and shows nothing that could be typed; sign in \
                 with OAuth 1.0a, which has a PIN",
            ));
        };
        let mut bytes = [0; 32];
        rand::fill(&mut bytes)
            .map_err(|_| Failure::try_again(NotDone::NOT_ASKED, "the system has no randomness"))?;
        let verifier = BASE64_URL_SAFE_NO_PAD.encode(bytes);
        let challenge = digest::digest(&digest::SHA256, verifier.as_bytes());
        let challenge = BASE64_URL_SAFE_NO_PAD.encode(challenge);
        let mut page = self.http.url(&self.pages, "/i/oauth2/authorize")?;
        page.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", client.id.expose_secret())
            .append_pair("redirect_uri", to)
            .append_pair("scope", &SCOPES.join(" "))
            .append_pair("state", state.expose_secret())
            .append_pair("code_challenge", &challenge)
            .append_pair("code_challenge_method", "S256");
        // As X writes it: a plus is a space in forms alone.
        let query = page.query().unwrap_or_default().replace('+', "%20");
        page.set_query(Some(&query));
        let kept = json!({ "state": state.expose_secret(), "verifier": verifier, "to": to });
        let kept = SecretString::from(kept.to_string());
        Ok(Begun { page: page.into(), kept, back: state.clone() })
    }

    async fn finish_coding(
        &self,
        account: &AccountId,
        client: &Client,
        kept: &Coding,
        code: &SecretString,
    ) -> Result<NewKey, NotSignedIn> {
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code.expose_secret()),
            ("redirect_uri", kept.to.as_str()),
            ("code_verifier", kept.verifier.expose_secret()),
        ];
        let asked = self.tokens.ask(account, client, &form).await;
        let new = match asked.map_err(Failure::posts_nothing)? {
            Asked::Given(new) => new,
            Asked::NotGood(said) => {
                // It lives for half a minute.
                let why = format!(
                    "X does not take the code that it sent{said}: it has ended or was used; begin again"
                );
                return Err(NotSignedIn::Wrong(why));
            }
        };
        let granted = new.scope.clone().unwrap_or_else(|| SCOPES.join(" "));
        let granted: Vec<_> = granted.split_whitespace().collect();
        let lacks = NEEDED.into_iter().find(|scope| !granted.contains(scope));
        if let Some(lacks) = lacks {
            return Err(not_enough(lacks).into());
        }
        let me = self.whose(account, &new).await?;
        let session = new.first(self.http.now()).ok_or_else(|| not_enough("offline.access"))?;
        Ok(NewKey { handle: me.username, ..XKey::bearer(session, &granted, me.id) })
    }

    /// Whose a token is. X charges for that like for one user that is looked up; it is asked once per sign-in.
    async fn whose(&self, account: &AccountId, new: &NewTokens) -> Result<MeData, Failure> {
        let request = self.http.request(Method::GET, &self.base, "/2/users/me")?;
        let request = request.header(AUTHORIZATION, super::bearer(&new.access_token));
        let answer = self.http.send(account, X_NAME, request).await;
        let answer = answer.map_err(Failure::posts_nothing)?;
        if answer.status != StatusCode::OK {
            return Err(answers::reading_failure(&answer));
        }
        let me: Me = answer.json(X_NAME).map_err(Failure::posts_nothing)?;
        Ok(me.data)
    }
}

/// The fields of an answer in the form of a form.
struct Form(Vec<(String, String)>);

impl Form {
    fn of(answer: &Answer) -> Self {
        Self(form_urlencoded::parse(&answer.body).into_owned().collect())
    }

    fn get(&self, name: &str) -> Option<&str> {
        value(&self.0, name)
    }
}

/// What a name stands for; nothing where that is empty.
fn value<'a>(pairs: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let pair = pairs.iter().find(|(own, _)| own == name);
    pair.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
}

fn app(to: SignInTo<'_>) -> Result<XApp, Failure> {
    let app = to.app.ok_or_else(|| Failure::cannot("the X app's credentials are missing"))?;
    XApp::read(app).map_err(|problem| Failure::cannot(problem.to_string()))
}

fn no_passwords() -> Failure {
    Failure::cannot("X has no app passwords; sign in with OAuth 1.0a or OAuth 2.0")
}

fn read<T: serde::de::DeserializeOwned>(kept: &SecretString) -> Result<T, NotSignedIn> {
    // It belongs to a sign-in in another way.
    sealed_json(kept).map_err(|_| NotSignedIn::NotOurs)
}

/// Whether both say the same, in a time that does not tell how much of it.
fn is_same(one: &str, other: &SecretString) -> bool {
    let other = other.expose_secret().as_bytes();
    constant_time::verify_slices_are_equal(one.as_bytes(), other).is_ok()
}

/// What shows that who comes back is who went there.
fn verifier(kept: &Signing, proof: Proof<'_>) -> Result<SecretString, NotSignedIn> {
    match (proof, kept.is_sent) {
        (Proof::Query(query), true) => {
            let is_ours =
                |name| value(query, name).is_some_and(|token| is_same(token, &kept.token));
            if is_ours("denied") {
                return Err(NotSignedIn::Cancelled);
            }
            let verifier = value(query, "oauth_verifier").filter(|_| is_ours("oauth_token"));
            verifier.map(SecretString::from).ok_or(NotSignedIn::NotOurs)
        }
        (Proof::Typed(typed), false) => pin(typed),
        (Proof::Query(_), false) | (Proof::Typed(_), true) => Err(NotSignedIn::NotOurs),
    }
}

/// A PIN as it is meant: people copy it with what stands around it, and write it in groups.
fn pin(typed: &SecretString) -> Result<SecretString, NotSignedIn> {
    let is_filler = |c: char| c.is_whitespace() || matches!(c, '-' | '\u{2010}'..='\u{2015}');
    let pin: String = typed.expose_secret().chars().filter(|c| !is_filler(*c)).collect();
    if pin.len() == X::PIN && pin.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(SecretString::from(pin));
    }
    Err(NotSignedIn::Wrong(format!(
        "a PIN of X has {} digits; type the one that X shows after \"Authorize app\"",
        X::PIN
    )))
}

/// The code that X sent somebody back with.
fn code(kept: &Coding, proof: Proof<'_>) -> Result<SecretString, NotSignedIn> {
    let Proof::Query(query) = proof else { return Err(NotSignedIn::NotOurs) };
    if !value(query, "state").is_some_and(|state| is_same(state, &kept.state)) {
        return Err(NotSignedIn::NotOurs);
    }
    match (value(query, "error"), value(query, "code")) {
        (Some("access_denied"), _) => Err(NotSignedIn::Cancelled),
        (Some(error), _) => Err(NotSignedIn::Wrong(format!(
            "X has not signed anybody in: \"{}\"; begin again",
            printable(error)
        ))),
        (None, Some(code)) => Ok(SecretString::from(code)),
        (None, None) => Err(NotSignedIn::NotOurs),
    }
}

/// Why X gives no token to begin with.
fn not_begun(answer: &Answer, to: &str) -> Failure {
    let body = String::from_utf8_lossy(&answer.body);
    // In XML, too (people have shown it since 2018).
    if XError::of(answer).has(415, "callback url not approved")
        || body.contains("Callback URL not approved")
    {
        return Failure::refused(
            NotDone::HARMLESS,
            format!(
                "X does not know {} as an address of the app; enter it in X's developer console (console.x.com), \"User \
                 authentication settings\", \"Callback URI\", exactly so",
                if to == OOB { "signing in with a PIN" } else { to }
            ),
        );
    }
    if answer.status == StatusCode::UNAUTHORIZED {
        return Failure::refused(
            NotDone::HARMLESS,
            format!(
                "X does not accept the app's consumer_key and consumer_secret{}; put those of X's developer console \
                 (console.x.com, \"Keys and tokens\") into the secret of the X app",
                answer.said()
            ),
        );
    }
    answers::reading_failure(answer)
}

/// Why X gives no token at the end: what somebody came back with is not good, or anything else.
fn not_finished(answer: &Answer, is_sent: bool) -> NotSignedIn {
    let is_about_it = [StatusCode::BAD_REQUEST, StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN];
    if !is_about_it.contains(&answer.status) {
        return answers::reading_failure(answer).into();
    }
    let said = answer.said();
    NotSignedIn::Wrong(if is_sent {
        format!("X does not take what it sent{said}: it has ended or was used; begin again")
    } else {
        format!(
            "X does not take this PIN{said}; type the one that it shows, and if that is not taken, begin again"
        )
    })
}

fn not_a_token() -> Failure {
    Failure::try_again(
        NotDone::HARMLESS,
        "X answered with something else than a token; begin the sign-in again",
    )
}

fn not_enough(scope: &str) -> Failure {
    let what = match scope {
        "offline.access" => "so that its key would end after two hours",
        _ => "so that nothing could be posted",
    };
    Failure::refused(
        NotDone::HARMLESS,
        format!(
            "X gave a key without `{scope}`, {what}; allow the app all that it asks for, and let it read and write in X's \
             developer console (console.x.com, \"User authentication settings\")"
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(text: &str) -> Vec<(String, String)> {
        form_urlencoded::parse(text.as_bytes()).into_owned().collect()
    }

    fn said(proof: Result<SecretString, NotSignedIn>) -> String {
        match proof {
            Ok(secret) => secret.expose_secret().to_owned(),
            Err(why) => why.to_string(),
        }
    }

    const NOT_OURS: &str = "this is not how the sign-in that was begun here ends";
    const CANCELLED: &str = "it was cancelled on the network";

    #[test]
    fn a_pin_is_read_as_it_is_meant() {
        let check = |typed: &str| said(pin(&SecretString::from(typed)));
        for typed in ["1234567", " 1234567\n", "123-45 67", "1 2 3 4 5 6 7", "123\u{2013}4567"] {
            assert_eq!(check(typed), "1234567", "{typed:?}");
        }
        for typed in ["", "123456", "12345678", "123456a", "PIN 1234567", "١٢٣٤٥٦٧"] {
            let no = "a PIN of X has 7 digits; type the one that X shows after \"Authorize app\"";
            assert_eq!(check(typed), no, "{typed:?}");
        }
    }

    #[test]
    fn who_comes_back_shows_the_request_token() {
        let kept = |is_sent| Signing { token: "t-1".into(), token_secret: "s".into(), is_sent };
        let check = |text: &str| said(verifier(&kept(true), Proof::Query(&query(text))));
        assert_eq!(check("oauth_token=t-1&oauth_verifier=v"), "v");
        assert_eq!(check("denied=t-1"), CANCELLED);
        for text in ["", "denied=t-2", "oauth_token=t-2&oauth_verifier=v", "oauth_token=t-1"] {
            assert_eq!(check(text), NOT_OURS, "{text}");
        }
        let typed = SecretString::from("1234567");
        assert_eq!(said(verifier(&kept(true), Proof::Typed(&typed))), NOT_OURS);
        assert_eq!(said(verifier(&kept(false), Proof::Typed(&typed))), "1234567");
        assert_eq!(said(verifier(&kept(false), Proof::Query(&query("denied=t-1")))), NOT_OURS);
    }

    #[test]
    fn who_comes_back_shows_the_state() {
        let kept = Coding { state: "s-1".into(), verifier: "v".into(), to: String::new() };
        let check = |text: &str| said(code(&kept, Proof::Query(&query(text))));
        assert_eq!(check("state=s-1&code=c"), "c");
        assert_eq!(check("state=s-1&error=access_denied"), CANCELLED);
        assert_eq!(
            check("state=s-1&error=server_error"),
            "X has not signed anybody in: \"server_error\"; begin again"
        );
        for text in ["", "code=c", "state=s-2&code=c", "state=s-2&error=access_denied", "state=s-1"]
        {
            assert_eq!(check(text), NOT_OURS, "{text}");
        }
    }
}
