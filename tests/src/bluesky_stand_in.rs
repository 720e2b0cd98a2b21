//! A Bluesky PDS as `@atproto/pds` 0.4.217 answers (walked 2026-11-21), with state and with bad days.
//!
//! A record's key is chosen by who writes it, so a request that arrives twice is one post, if it asks for
//! that: `swapRecord: null` writes only where nothing is. Tokens have the form of JWTs and are compared,
//! not verified.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    convert::Infallible,
    future::pending,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{DefaultBodyLimit, Path, Query, State},
    http::{
        HeaderMap, StatusCode,
        header::{AUTHORIZATION, CONTENT_TYPE, LOCATION},
    },
    response::{IntoResponse as _, Response},
    routing::any,
};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use futures_util::stream;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use unicode_segmentation::UnicodeSegmentation as _;

use crate::{clock, foreign::Foreign, server::Server};

/// A Bluesky PDS.
#[derive(Debug)]
pub struct Bluesky {
    server: Server,
    shared: Arc<Shared>,
}

/// What the PDS does to a request, other than its work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BlueskyMisbehave {
    /// The work is done; the answer is 500. What it would refuse is refused.
    AcceptThen500,
    /// The work is done; no answer comes. What it would refuse is refused.
    AcceptThenSilence,
    /// The work is done; somebody else answers. What it would refuse is refused.
    AcceptThen(Foreign),
    /// The work is not done; the answer is 500.
    Refuse500,
    /// 429.
    RateLimited {
        /// When requests are welcome again, to the second; `None`: it does not say.
        reset: Option<Timestamp>,
    },
    /// 401 without a word that is known.
    Unauthorized,
    /// The work is not done; the answer is 200 with a page of HTML.
    Html,
    /// The work is not done; the answer is 200 with a body that never ends.
    Endless,
    /// The work is not done; the answer sends the client elsewhere.
    Redirect(String),
}

/// What the people who run the PDS think of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlueskyStatus {
    /// Nothing special.
    Active,
    /// It broke the rules.
    TakenDown,
    /// It broke the rules, and may come back.
    Suspended,
    /// Its owner put it to sleep.
    Deactivated,
}

/// A record as the account wrote it.
#[derive(Debug, Clone, PartialEq)]
pub struct BlueskyRecord {
    /// `at://did/collection/rkey`
    pub uri: String,
    /// What the PDS calls this version of it.
    pub cid: String,
    /// The record.
    pub value: Value,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<Pds>,
}

#[derive(Debug)]
struct Pds {
    accounts: Vec<Account>,
    /// All tokens ever given out.
    tokens: HashMap<String, Token>,
    /// What may still be refreshed, by `jti`.
    sessions: HashMap<String, Session>,
    /// By collection and key, which sort by time, of each account.
    records: BTreeMap<(String, String, String), (String, Value)>,
    blobs: HashMap<String, Bytes>,
    misbehave: VecDeque<(String, BlueskyMisbehave)>,
    /// The methods that were asked for, oldest first.
    requests: Vec<String>,
    /// How far its clock is ahead of ours.
    ahead: SignedDuration,
    access_lifetime: SignedDuration,
    refresh_grace: SignedDuration,
    /// Where identity documents say that accounts live.
    endpoint: Option<String>,
    number: u64,
}

#[derive(Debug)]
struct Account {
    did: String,
    handle: String,
    app_password: Option<String>,
    status: BlueskyStatus,
    /// When it logged in, or tried to.
    logins: Vec<Timestamp>,
    refreshes: usize,
    /// When it wrote.
    writes: Vec<Timestamp>,
}

#[derive(Debug, Clone)]
struct Token {
    did: String,
    /// Of a refresh token.
    jti: Option<String>,
    expires: Timestamp,
}

#[derive(Debug, Clone)]
struct Session {
    did: String,
    expires: Timestamp,
    /// What it was exchanged for.
    next: Option<String>,
}

/// A request without what makes it HTTP.
struct Call<'a> {
    method: &'a str,
    query: &'a HashMap<String, String>,
    headers: &'a HeaderMap,
    body: &'a Bytes,
}

/// An answer, and how much of which limit is left.
struct Answer {
    status: StatusCode,
    body: Value,
    limit: Option<Limit>,
}

/// `most` requests in `window`, of which `left` are left until `reset`.
struct Limit {
    most: usize,
    window: SignedDuration,
    left: usize,
    reset: Timestamp,
}

impl Bluesky {
    /// Starts a PDS without accounts.
    pub async fn start() -> Self {
        let pds = Pds {
            accounts: Vec::new(),
            tokens: HashMap::new(),
            sessions: HashMap::new(),
            records: BTreeMap::new(),
            blobs: HashMap::new(),
            misbehave: VecDeque::new(),
            requests: Vec::new(),
            ahead: SignedDuration::ZERO,
            access_lifetime: SignedDuration::from_hours(2),
            refresh_grace: SignedDuration::from_hours(2),
            endpoint: None,
            number: 0,
        };
        let shared = Arc::new(Shared { state: Mutex::new(pds) });
        let router = Router::new()
            .route("/xrpc/{method}", any(handle))
            .layer(DefaultBodyLimit::disable())
            .with_state(Arc::clone(&shared));
        Self { server: Server::start(router).await, shared }
    }

    /// Its address, in place of `https://bsky.social`.
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// Makes an account. Its profile does not say that it is a bot.
    pub fn account(&self, handle: &str, did: &str, app_password: &str) {
        self.shared.state().accounts.push(Account {
            did: did.to_owned(),
            handle: handle.to_owned(),
            app_password: Some(app_password.to_owned()),
            status: BlueskyStatus::Active,
            logins: Vec::new(),
            refreshes: 0,
            writes: Vec::new(),
        });
    }

    /// Gives the account a profile that says of itself what `labels` say, such as `bot`.
    pub fn profile(&self, did: &str, labels: &[&str]) {
        let values: Vec<_> = labels.iter().map(|label| json!({ "val": label })).collect();
        let record = json!({
            "$type": "app.bsky.actor.profile",
            "displayName": "A sheep",
            "labels": { "$type": "com.atproto.label.defs#selfLabels", "values": values },
        });
        self.write(did, "app.bsky.actor.profile", "self", record);
    }

    /// Writes a record as if the account had done so elsewhere.
    pub fn write(&self, did: &str, collection: &str, rkey: &str, record: Value) {
        let key = (did.to_owned(), collection.to_owned(), rkey.to_owned());
        let cid = cid("bafyrei", &record.to_string());
        self.shared.state().records.insert(key, (cid, record));
    }

    /// Has the next request for `method` (such as `putRecord`) that is not spoken for misbehave.
    pub fn misbehave(&self, method: &str, misbehave: BlueskyMisbehave) {
        self.shared.state().misbehave.push_back((method.to_owned(), misbehave));
    }

    /// What no request has met yet: none, when a test ends.
    pub fn unspent(&self) -> Vec<BlueskyMisbehave> {
        self.shared.state().misbehave.iter().map(|(_, misbehave)| misbehave.clone()).collect()
    }

    /// Sets its clock forward, or back.
    pub fn advance(&self, by: SignedDuration) {
        let mut state = self.shared.state();
        state.ahead = state.ahead.checked_add(by).expect("a test stays within a few centuries");
    }

    /// How long access tokens live from now on; two hours unless told otherwise.
    pub fn access_lifetime(&self, lifetime: SignedDuration) {
        self.shared.state().access_lifetime = lifetime;
    }

    /// How long a refresh token is good after it was used; two hours unless told otherwise.
    pub fn refresh_grace(&self, grace: SignedDuration) {
        self.shared.state().refresh_grace = grace;
    }

    /// Where the identity documents in its answers say that accounts live.
    pub fn endpoint(&self, url: &str) {
        self.shared.state().endpoint = Some(url.to_owned());
    }

    /// Ends the life of all access tokens given out so far, without telling anybody.
    pub fn expire_access(&self) {
        let mut state = self.shared.state();
        let now = state.now();
        let access = state.tokens.values_mut().filter(|token| token.jti.is_none());
        access.for_each(|token| token.expires = now);
    }

    /// Ends all sessions: nothing can be refreshed any more.
    pub fn end_sessions(&self) {
        self.shared.state().sessions.clear();
    }

    /// Takes the app password away. Access tokens live on, as they do on the real one.
    pub fn revoke_app_password(&self, did: &str) {
        let mut state = self.shared.state();
        state.sessions.retain(|_, session| session.did != did);
        state.owner(did).app_password = None;
    }

    /// Changes what is thought of the account.
    pub fn status(&self, did: &str, status: BlueskyStatus) {
        self.shared.state().owner(did).status = status;
    }

    /// The account's posts, oldest key first.
    pub fn posts(&self, did: &str) -> Vec<BlueskyRecord> {
        self.records(did, "app.bsky.feed.post")
    }

    /// The account's records of one kind, oldest key first.
    pub fn records(&self, did: &str, collection: &str) -> Vec<BlueskyRecord> {
        let state = self.shared.state();
        let own =
            state.records.iter().filter(|((owner, kind, _), _)| owner == did && kind == collection);
        own.map(|((_, _, rkey), (cid, value))| BlueskyRecord {
            uri: uri(did, collection, rkey),
            cid: cid.clone(),
            value: value.clone(),
        })
        .collect()
    }

    /// The picture that a record calls `link`.
    pub fn picture(&self, link: &str) -> Option<Vec<u8>> {
        self.shared.state().blobs.get(link).map(|bytes| bytes.to_vec())
    }

    /// How often the account logged in, or tried to.
    pub fn logins(&self, did: &str) -> usize {
        self.shared.state().owner(did).logins.len()
    }

    /// How often its session was refreshed.
    pub fn refreshes(&self, did: &str) -> usize {
        self.shared.state().owner(did).refreshes
    }

    /// What was asked for since the last time this was, oldest first, such as `putRecord`.
    pub fn take_requests(&self) -> Vec<String> {
        std::mem::take(&mut self.shared.state().requests)
    }
}

async fn handle(
    State(shared): State<Arc<Shared>>,
    Path(name): Path<String>,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let method = name.rsplit('.').next().unwrap_or_default();
    let misbehave = {
        let mut state = shared.state();
        state.requests.push(method.to_owned());
        let next = state.misbehave.iter().position(|(of, _)| of == method);
        next.and_then(|index| state.misbehave.remove(index)).map(|(_, misbehave)| misbehave)
    };
    let call = Call { method, query: &query, headers: &headers, body: &body };
    let work = || shared.answer(&call);
    match misbehave {
        None => work().into_response(),
        Some(BlueskyMisbehave::AcceptThen500) => match work() {
            Answer { status, .. } if status.is_success() => internal_error().into_response(),
            refused => refused.into_response(),
        },
        Some(BlueskyMisbehave::AcceptThenSilence) => match work() {
            Answer { status, .. } if status.is_success() => pending().await,
            refused => refused.into_response(),
        },
        Some(BlueskyMisbehave::AcceptThen(foreign)) => match work() {
            Answer { status, .. } if status.is_success() => foreign.response(),
            refused => refused.into_response(),
        },
        Some(BlueskyMisbehave::Refuse500) => internal_error().into_response(),
        Some(BlueskyMisbehave::RateLimited { reset }) => {
            let limit = reset.map(|reset| Limit {
                most: 5_000,
                window: SignedDuration::from_hours(1),
                left: 0,
                reset,
            });
            Answer { limit, ..too_many() }.into_response()
        }
        Some(BlueskyMisbehave::Unauthorized) => {
            error(StatusCode::UNAUTHORIZED, "AuthMissing", "Authentication Required")
                .into_response()
        }
        Some(BlueskyMisbehave::Html) => {
            let page = "<!doctype html><title>Bluesky</title><p>Something went wrong.</p>\n";
            ([(CONTENT_TYPE, "text/html; charset=utf-8")], page).into_response()
        }
        Some(BlueskyMisbehave::Endless) => {
            let chunk = Bytes::from_static(&[b' '; 16 * 1024]);
            let body = stream::repeat(Ok::<_, Infallible>(chunk));
            ([(CONTENT_TYPE, "application/json")], Body::from_stream(body)).into_response()
        }
        Some(BlueskyMisbehave::Redirect(to)) => {
            (StatusCode::TEMPORARY_REDIRECT, [(LOCATION, to)]).into_response()
        }
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, Pds> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answer(&self, call: &Call<'_>) -> Answer {
        let mut state = self.state();
        let result = match call.method {
            "describeServer" => Ok(ok(json!({
                "did": "did:web:pds.test",
                "availableUserDomains": [".test"],
                "inviteCodeRequired": false,
                "links": {},
                "contact": {},
            }))),
            "createSession" => state.create_session(call),
            "refreshSession" => state.refresh_session(call),
            "getSession" => state.get_session(call),
            "createRecord" | "putRecord" => state.write_record(call),
            "deleteRecord" => state.delete_record(call),
            "getRecord" => state.get_record(call),
            "listRecords" => state.list_records(call),
            "uploadBlob" => state.upload_blob(call),
            _ => Err(error(StatusCode::NOT_IMPLEMENTED, "MethodNotImplemented", "Not Found")),
        };
        result.unwrap_or_else(|refusal| refusal)
    }
}

impl Pds {
    fn now(&self) -> Timestamp {
        clock::now().saturating_add(self.ahead).expect("a duration without days or months")
    }

    #[track_caller]
    fn owner(&mut self, did: &str) -> &mut Account {
        let owner = self.accounts.iter_mut().find(|account| account.did == did);
        owner.unwrap_or_else(|| panic!("no account {did} was made"))
    }

    fn create_session(&mut self, call: &Call<'_>) -> Result<Answer, Answer> {
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
        // An account that was taken down has no app passwords.
        if account.status == BlueskyStatus::TakenDown || account.app_password != Some(password) {
            return Err(Answer { limit: Some(limit), ..wrong() });
        }
        let did = account.did.clone();
        let jti = self.number("jti");
        Ok(Answer { limit: Some(limit), ..self.session(&did, jti) })
    }

    fn refresh_session(&mut self, call: &Call<'_>) -> Result<Answer, Answer> {
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

    fn get_session(&mut self, call: &Call<'_>) -> Result<Answer, Answer> {
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
    fn authenticate(&mut self, call: &Call<'_>) -> Result<String, Answer> {
        let token = self.token(call)?;
        if token.jti.is_some() {
            return Err(bad_request("InvalidToken", "Bad token scope"));
        }
        self.standing(&token.did, true)?;
        Ok(token.did)
    }

    /// Whose repository is written to, and what the limits say.
    fn writer(&mut self, call: &Call<'_>, input: &Value) -> Result<(String, Limit), Answer> {
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

    fn write_record(&mut self, call: &Call<'_>) -> Result<Answer, Answer> {
        let input = call.input()?;
        let (did, limit) = self.writer(call, &input)?;
        let collection = text(&input, "collection")?;
        let create = call.method == "createRecord";
        let rkey = match input["rkey"].as_str() {
            Some(rkey) => rkey.to_owned(),
            None if create => self.number("3laaaaaaaa").chars().take(13).collect(),
            None => {
                return Err(bad_request("InvalidRequest", "Input must have the property \"rkey\""));
            }
        };
        if rkey != "self" && !is_tid(&rkey) {
            return Err(bad_request(
                "InvalidRequest",
                &format!(
                    "Invalid record key for {collection}: Invalid TID string (got \"{rkey}\") at $"
                ),
            ));
        }
        let record = &input["record"];
        self.check(&collection, record)?;
        let key = (did.clone(), collection.clone(), rkey.clone());
        let cid = cid("bafyrei", &record.to_string());
        let uri = uri(&did, &collection, &rkey);
        let mut body = json!({ "uri": uri, "cid": cid, "validationStatus": "valid" });
        if let Some((existing, _)) = self.records.get(&key) {
            if create {
                return Err(internal_error());
            }
            if *existing == cid {
                // Nothing to be done, whatever may be swapped.
                return Ok(Answer { limit: Some(limit), ..ok(body) });
            }
            let may = match input.get("swapRecord") {
                None => true,
                Some(swap) => swap.as_str() == Some(existing),
            };
            if !may {
                return Err(bad_request("InvalidSwap", &format!("Record was at {existing}")));
            }
        } else if input["swapRecord"].is_string() {
            return Err(bad_request("InvalidSwap", "Record was at null"));
        }
        body["commit"] = json!({ "cid": cid, "rev": "3laaaaaaaaa2a" });
        self.records.insert(key, (cid, record.clone()));
        Ok(Answer { limit: Some(limit), ..ok(body) })
    }

    /// Refuses what the lexicons do not allow, as far as we write such records.
    fn check(&self, collection: &str, record: &Value) -> Result<(), Answer> {
        let invalid = |what: String| {
            bad_request("InvalidRequest", &format!("Invalid {collection} record: {what}"))
        };
        if record["$type"] != collection {
            let got = &record["$type"];
            return Err(bad_request(
                "InvalidRequest",
                &format!("Invalid $type: expected {collection}, got {got}"),
            ));
        }
        let required: &[&str] = match collection {
            "app.bsky.feed.post" => &["text", "createdAt"],
            "app.bsky.feed.repost" => &["subject", "createdAt"],
            _ => &[],
        };
        if let Some(missing) = required.iter().find(|key| record.get(**key).is_none()) {
            return Err(invalid(format!("Missing required key \"{missing}\" at $.record")));
        }
        if let Some(created) = record.get("createdAt") {
            let time = created.as_str().and_then(|time| time.parse::<Timestamp>().ok());
            if time.is_none() {
                return Err(invalid(format!(
                    "Invalid datetime (got {created}) at $.record.createdAt"
                )));
            }
        }
        if let Some(text) = record["text"].as_str() {
            let (bytes, graphemes) = (text.len(), text.graphemes(true).count());
            if 3_000 < bytes {
                return Err(invalid(format!(
                    "string too big (maximum 3000, got {bytes}) at $.record.text"
                )));
            }
            if 300 < graphemes {
                return Err(invalid(format!(
                    "grapheme too big (maximum 300, got {graphemes}) at $.record.text"
                )));
            }
        }
        for reference in ["subject", "reply"].iter().filter_map(|key| record.get(key)) {
            let strong = |value: &Value| value["uri"].is_string() && value["cid"].is_string();
            let both = strong(&reference["root"]) && strong(&reference["parent"]);
            if !strong(reference) && !both {
                return Err(invalid(format!("Missing required key \"cid\" at {reference}")));
            }
        }
        for facet in record["facets"].as_array().into_iter().flatten() {
            let byte = |name: &str| facet["index"][name].as_u64();
            let has_feature = facet["features"][0]["$type"].is_string();
            if !has_feature || byte("byteStart").is_none() || byte("byteEnd").is_none() {
                return Err(invalid("Missing required key at $.record.facets".to_owned()));
            }
        }
        let images = record["embed"]["images"].as_array();
        for (number, image) in images.into_iter().flatten().enumerate() {
            if !image["alt"].is_string() {
                return Err(invalid(format!(
                    "Missing required key \"alt\" at $.record.embed.images[{number}]"
                )));
            }
            let link = image["image"]["ref"]["$link"].as_str().unwrap_or_default();
            let Some(blob) = self.blobs.get(link) else {
                return Err(bad_request("BlobNotFound", &format!("Could not find blob: {link}")));
            };
            if 1_000_000 < blob.len() {
                return Err(invalid(format!(
                    "blob too big (maximum 1000000, got {}) at $.record.embed.images[{number}].image",
                    blob.len()
                )));
            }
        }
        Ok(())
    }

    fn delete_record(&mut self, call: &Call<'_>) -> Result<Answer, Answer> {
        let input = call.input()?;
        let (did, limit) = self.writer(call, &input)?;
        let key = (did, text(&input, "collection")?, text(&input, "rkey")?);
        let body = match self.records.remove(&key) {
            Some((cid, _)) => json!({ "commit": { "cid": cid, "rev": "3laaaaaaaaa2a" } }),
            None => json!({}),
        };
        Ok(Answer { limit: Some(limit), ..ok(body) })
    }

    fn get_record(&self, call: &Call<'_>) -> Result<Answer, Answer> {
        let (repo, collection) = (call.parameter("repo")?, call.parameter("collection")?);
        let rkey = call.parameter("rkey")?;
        let did = self.did(repo).ok_or_else(|| {
            // It would ask an AppView, and has none.
            let message = "Upstream service unreachable";
            error(StatusCode::BAD_GATEWAY, "UpstreamFailure", message)
        })?;
        let uri = uri(&did, collection, rkey);
        let record = self.records.get(&(did, collection.to_owned(), rkey.to_owned()));
        let (cid, value) = record.ok_or_else(|| {
            bad_request("RecordNotFound", &format!("Could not locate record: {uri}"))
        })?;
        Ok(ok(json!({ "uri": uri, "cid": cid, "value": value })))
    }

    fn list_records(&self, call: &Call<'_>) -> Result<Answer, Answer> {
        let (repo, collection) = (call.parameter("repo")?, call.parameter("collection")?);
        let did = self.did(repo).ok_or_else(|| {
            bad_request("InvalidRequest", &format!("Could not find repo: {repo}"))
        })?;
        let limit = call.query.get("limit").map_or(Some(50), |limit| limit.parse().ok());
        let limit = limit.filter(|limit| (1..=100).contains(limit)).ok_or_else(internal_error)?;
        let cursor = call.query.get("cursor");
        let records: Vec<_> = self
            .records
            .iter()
            .rev()
            .filter(|((owner, kind, rkey), _)| {
                *owner == did && kind == collection && cursor.is_none_or(|cursor| rkey < cursor)
            })
            .take(limit)
            .collect();
        let shown: Vec<_> = records
            .iter()
            .map(|((_, _, rkey), (cid, value))| {
                json!({ "uri": uri(&did, collection, rkey), "cid": cid, "value": value })
            })
            .collect();
        let mut body = json!({ "records": shown });
        // It says where it stopped, also at the end.
        if let Some(((_, _, rkey), _)) = records.last() {
            body["cursor"] = rkey.clone().into();
        }
        Ok(ok(body))
    }

    fn upload_blob(&mut self, call: &Call<'_>) -> Result<Answer, Answer> {
        /// `blobUploadLimit` of the PDS, unless configured.
        const MOST_BYTES: usize = 5 << 20;
        self.authenticate(call)?;
        if MOST_BYTES < call.body.len() {
            let message = "request entity too large";
            return Err(error(StatusCode::PAYLOAD_TOO_LARGE, "PayloadTooLarge", message));
        }
        // It measures pictures that begin as one.
        if call.body.starts_with(b"\x89PNG") && !call.body.windows(4).any(|four| four == b"IEND") {
            return Err(internal_error());
        }
        let kind = call.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let kind = kind.ok_or_else(|| {
            bad_request("InvalidRequest", "Request encoding (Content-Type) required")
        })?;
        let link = cid("bafkrei", &format!("{:?}", call.body));
        let size = call.body.len();
        self.blobs.insert(link.clone(), call.body.clone());
        Ok(ok(json!({ "blob": {
            "$type": "blob",
            "ref": { "$link": link },
            "mimeType": kind,
            "size": size,
        } })))
    }

    /// The id of an account that lives here.
    fn did(&self, repo: &str) -> Option<String> {
        let known = |account: &&Account| account.did == repo || account.handle == repo;
        self.accounts.iter().find(known).map(|account| account.did.clone())
    }

    fn number(&mut self, of: &str) -> String {
        self.number += 1;
        format!("{of}{:03}", self.number)
    }
}

impl Call<'_> {
    fn input(&self) -> Result<Value, Answer> {
        let content_type = self.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        if !content_type.is_some_and(|value| value.starts_with("application/json")) {
            let message = "Wrong request encoding (Content-Type)";
            return Err(bad_request("InvalidRequest", message));
        }
        serde_json::from_slice(self.body)
            .map_err(|err| bad_request("InvalidRequest", &err.to_string()))
    }

    fn parameter(&self, name: &str) -> Result<&str, Answer> {
        let value = self.query.get(name).map(String::as_str);
        value.ok_or_else(|| {
            bad_request(
                "InvalidRequest",
                &format!("Error: Params must have the property \"{name}\""),
            )
        })
    }
}

impl Answer {
    fn into_response(self) -> Response {
        let content_type = [(CONTENT_TYPE, "application/json; charset=utf-8")];
        let mut response = (self.status, content_type, self.body.to_string()).into_response();
        if let Some(limit) = self.limit {
            let headers = response.headers_mut();
            let policy = format!("{};w={}", limit.most, limit.window.as_secs());
            headers.insert("ratelimit-limit", limit.most.into());
            headers.insert("ratelimit-remaining", limit.left.into());
            headers.insert("ratelimit-reset", limit.reset.as_second().into());
            headers.insert("ratelimit-policy", policy.parse().expect("digits and letters"));
        }
        response
    }
}

/// The limit of which least is left; each is a number of requests and of minutes.
fn narrowest(times: &[Timestamp], now: Timestamp, limits: &[(usize, i64)]) -> Limit {
    let limits = limits.iter().map(|(most, minutes)| {
        let window = SignedDuration::from_mins(*minutes);
        let recent = times.iter().filter(|time| now.duration_since(**time) < window);
        let left = most.saturating_sub(recent.clone().count());
        let from = recent.min().copied().unwrap_or(now);
        let reset = from.saturating_add(window).expect("a duration of minutes");
        Limit { most: *most, window, left, reset }
    });
    limits.min_by_key(|limit| limit.left).expect("there is a limit")
}

fn uri(did: &str, collection: &str, rkey: &str) -> String {
    format!("at://{did}/{collection}/{rkey}")
}

/// Something in the form of a content id, the same for the same content.
fn cid(prefix: &str, content: &str) -> String {
    const LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    let mut hasher = DefaultHasher::new();
    content.hash(&mut hasher);
    let hash = hasher.finish();
    let letter = |place: u32| char::from(LETTERS[(hash >> (5 * (place % 12)) & 31) as usize]);
    prefix.chars().chain((0..52).map(letter)).collect()
}

/// atproto.com/specs/tid: 13 letters, of which the first has its high bit clear.
fn is_tid(rkey: &str) -> bool {
    rkey.len() == 13
        && rkey.starts_with(|first| "234567abcdefghij".contains(first))
        && rkey.chars().all(|letter| "234567abcdefghijklmnopqrstuvwxyz".contains(letter))
}

fn text(input: &Value, name: &str) -> Result<String, Answer> {
    let value = input[name].as_str().map(ToOwned::to_owned);
    value.ok_or_else(|| {
        bad_request("InvalidRequest", &format!("Input must have the property \"{name}\""))
    })
}

fn ok(body: Value) -> Answer {
    Answer { status: StatusCode::OK, body, limit: None }
}

fn error(status: StatusCode, name: &str, message: &str) -> Answer {
    Answer { status, body: json!({ "error": name, "message": message }), limit: None }
}

fn bad_request(name: &str, message: &str) -> Answer {
    error(StatusCode::BAD_REQUEST, name, message)
}

fn too_many() -> Answer {
    error(StatusCode::TOO_MANY_REQUESTS, "RateLimitExceeded", "Rate Limit Exceeded")
}

fn internal_error() -> Answer {
    let message = "Internal Server Error";
    error(StatusCode::INTERNAL_SERVER_ERROR, "InternalServerError", message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::{unanswered, until};

    const DID: &str = "did:plc:aaaaaaaaaaaaaaaaaaaaaaaa";

    async fn bluesky() -> Bluesky {
        let bluesky = Bluesky::start().await;
        bluesky.account("dolly.test", DID, "app-password");
        bluesky
    }

    fn request(
        bluesky: &Bluesky,
        method: &str,
        token: &str,
        body: &Value,
    ) -> reqwest::RequestBuilder {
        let group = if method.ends_with("Session") { "server" } else { "repo" };
        let url = format!("{}/xrpc/com.atproto.{group}.{method}", bluesky.url());
        reqwest::Client::new().post(url).bearer_auth(token).json(body)
    }

    async fn answer(request: reqwest::RequestBuilder) -> (u16, Value) {
        let response = request.send().await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap())
    }

    async fn log_in(bluesky: &Bluesky) -> (String, String) {
        let input = json!({ "identifier": "dolly.test", "password": "app-password" });
        let (status, body) = answer(request(bluesky, "createSession", "", &input)).await;
        assert_eq!(status, 200, "{body}");
        let token = |name: &str| body[name].as_str().unwrap().to_owned();
        (token("accessJwt"), token("refreshJwt"))
    }

    fn put(rkey: &str, text: &str) -> Value {
        json!({
            "repo": DID,
            "collection": "app.bsky.feed.post",
            "rkey": rkey,
            "swapRecord": null,
            "record": {
                "$type": "app.bsky.feed.post",
                "text": text,
                "createdAt": "2026-11-21T08:00:00.000Z",
            },
        })
    }

    async fn say(bluesky: &Bluesky, token: &str, rkey: &str, text: &str) -> (u16, Value) {
        answer(request(bluesky, "putRecord", token, &put(rkey, text))).await
    }

    fn name(answer: &(u16, Value)) -> (u16, String) {
        (answer.0, answer.1["error"].as_str().unwrap_or_default().to_owned())
    }

    #[tokio::test]
    async fn a_record_is_written_where_nothing_is() {
        let bluesky = bluesky().await;
        let (token, _) = log_in(&bluesky).await;
        let rkey = "3laaaaaaaaa2a";
        let first = say(&bluesky, &token, rkey, "Baa").await;
        assert_eq!(first.0, 200, "{first:?}");
        assert_eq!(first.1["uri"], format!("at://{DID}/app.bsky.feed.post/{rkey}"));
        assert_eq!(say(&bluesky, &token, rkey, "Baa").await.0, 200, "the same again is no change");
        let other = say(&bluesky, &token, rkey, "Moo").await;
        assert_eq!(name(&other.clone()), (400, "InvalidSwap".to_owned()));
        let was = first.1["cid"].as_str().unwrap();
        assert_eq!(other.1["message"], format!("Record was at {was}"));
        let created = request(&bluesky, "createRecord", &token, &put(rkey, "Baa"));
        assert_eq!(answer(created).await.0, 500);
        let texts: Vec<_> = bluesky.posts(DID).into_iter().map(|post| post.value).collect();
        assert_eq!(texts.len(), 1);
        assert_eq!(texts[0]["text"], "Baa");
    }

    #[tokio::test]
    async fn what_the_lexicon_forbids_is_refused() {
        let bluesky = bluesky().await;
        let (token, _) = log_in(&bluesky).await;
        let refused = "InvalidRequest".to_owned();
        for (rkey, text) in [
            ("not-a-tid", "Baa".to_owned()),
            ("3laaaaaaaaa2a", "a".repeat(301)),
            ("3laaaaaaaaa2a", "👨‍👩‍👧‍👦".repeat(299)),
        ] {
            let refusal = say(&bluesky, &token, rkey, &text).await;
            assert_eq!(name(&refusal), (400, refused.clone()), "{rkey} {text}");
        }
        let mut undated = put("3laaaaaaaaa2a", "Baa");
        undated["record"].as_object_mut().unwrap().remove("createdAt");
        let undated = answer(request(&bluesky, "putRecord", &token, &undated)).await;
        assert_eq!(name(&undated), (400, refused));
        assert_eq!(bluesky.posts(DID), []);
    }

    #[tokio::test]
    async fn tokens_expire_and_rotate() {
        let bluesky = bluesky().await;
        let (access, refresh) = log_in(&bluesky).await;
        let claims = BASE64_URL_SAFE_NO_PAD.decode(access.split('.').nth(1).unwrap()).unwrap();
        let claims: Value = serde_json::from_slice(&claims).unwrap();
        assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 7_200);
        bluesky.advance(SignedDuration::from_hours(3));
        let expired = (400, "ExpiredToken".to_owned());
        assert_eq!(name(&say(&bluesky, &access, "3laaaaaaaaa2a", "Baa").await), expired);
        let again = |token: String| {
            let request = request(&bluesky, "refreshSession", &token, &Value::Null);
            answer(request)
        };
        let (status, fresh) = again(refresh.clone()).await;
        assert_eq!(status, 200);
        let token = fresh["accessJwt"].as_str().unwrap();
        assert_eq!(say(&bluesky, token, "3laaaaaaaaa2a", "Baa").await.0, 200);
        // The answer may have been lost.
        assert_eq!(again(refresh.clone()).await.0, 200);
        bluesky.advance(SignedDuration::from_hours(3));
        assert_eq!(name(&again(refresh).await), expired);
        let newest = fresh["refreshJwt"].as_str().unwrap().to_owned();
        assert_eq!(again(newest.clone()).await.0, 200);
        bluesky.revoke_app_password(DID);
        assert_eq!(name(&again(newest).await), expired);
        assert_eq!((bluesky.logins(DID), bluesky.refreshes(DID)), (1, 3));
    }

    #[tokio::test]
    async fn logins_are_counted() {
        let bluesky = bluesky().await;
        for _ in 0..30 {
            log_in(&bluesky).await;
        }
        let input = json!({ "identifier": DID, "password": "app-password" });
        let limited = request(&bluesky, "createSession", "", &input).send().await.unwrap();
        assert_eq!(limited.status(), 429);
        assert_eq!(limited.headers()["ratelimit-remaining"], "0");
        assert_eq!(limited.headers()["ratelimit-policy"], "30;w=300");
        bluesky.advance(SignedDuration::from_mins(5));
        log_in(&bluesky).await;
        let input = json!({ "identifier": DID, "password": "wrong" });
        let wrong = answer(request(&bluesky, "createSession", "", &input)).await;
        assert_eq!(name(&wrong), (401, "AuthenticationRequired".to_owned()));
    }

    #[tokio::test]
    async fn accounts_fall_out_of_favour() {
        let bluesky = bluesky().await;
        let (token, _) = log_in(&bluesky).await;
        for (status, expected) in [
            (BlueskyStatus::TakenDown, "AccountTakedown"),
            (BlueskyStatus::Suspended, "AccountSuspended"),
            (BlueskyStatus::Deactivated, "AccountDeactivated"),
        ] {
            bluesky.status(DID, status);
            let refusal = say(&bluesky, &token, "3laaaaaaaaa2a", "Baa").await;
            assert_eq!(name(&refusal), (401, expected.to_owned()));
        }
    }

    #[tokio::test]
    async fn lists_newest_first_in_pages_and_deletes() {
        let bluesky = bluesky().await;
        let (token, _) = log_in(&bluesky).await;
        for last in ["a", "b", "c"] {
            assert_eq!(say(&bluesky, &token, &format!("3laaaaaaaaa2{last}"), last).await.0, 200);
        }
        let list = async |cursor: &str| {
            let url = format!(
                "{}/xrpc/com.atproto.repo.listRecords?repo={DID}&collection=app.bsky.feed.post&limit=2{cursor}",
                bluesky.url()
            );
            answer(reqwest::Client::new().get(url)).await.1
        };
        let first = list("").await;
        assert_eq!(first["records"][0]["value"]["text"], "c");
        assert_eq!(first["cursor"], "3laaaaaaaaa2b");
        let second = list("&cursor=3laaaaaaaaa2b").await;
        assert_eq!(second["records"].as_array().unwrap().len(), 1);
        assert_eq!(list("&cursor=3laaaaaaaaa2a").await, json!({ "records": [] }));
        let gone =
            json!({ "repo": DID, "collection": "app.bsky.feed.post", "rkey": "3laaaaaaaaa2a" });
        for _ in 0..2 {
            assert_eq!(answer(request(&bluesky, "deleteRecord", &token, &gone)).await.0, 200);
        }
        assert_eq!(bluesky.posts(DID).len(), 2);
    }

    #[tokio::test]
    async fn misbehaves_in_turn() {
        let bluesky = bluesky().await;
        let (token, _) = log_in(&bluesky).await;
        let reset: Timestamp = "2026-11-01T12:00:00Z".parse().unwrap();
        for misbehave in [
            BlueskyMisbehave::AcceptThen500,
            BlueskyMisbehave::Refuse500,
            BlueskyMisbehave::Unauthorized,
            BlueskyMisbehave::RateLimited { reset: Some(reset) },
            BlueskyMisbehave::RateLimited { reset: None },
            BlueskyMisbehave::Html,
            BlueskyMisbehave::Redirect("http://169.254.169.254/".to_owned()),
            BlueskyMisbehave::Endless,
            BlueskyMisbehave::AcceptThenSilence,
        ] {
            bluesky.misbehave("putRecord", misbehave);
        }
        let put = |rkey: &str| request(&bluesky, "putRecord", &token, &put(rkey, rkey));
        assert_eq!(answer(put("3laaaaaaaaa2a")).await.0, 500);
        assert_eq!(answer(put("3laaaaaaaaa2b")).await.0, 500);
        assert_eq!(answer(put("3laaaaaaaaa2c")).await.0, 401);
        let limited = put("3laaaaaaaaa2d").send().await.unwrap();
        assert_eq!(limited.headers()["ratelimit-reset"], reset.as_second().to_string().as_str());
        let limited = put("3laaaaaaaaa2d").send().await.unwrap();
        assert!(limited.status() == 429 && !limited.headers().contains_key("ratelimit-reset"));
        let page = put("3laaaaaaaaa2e").send().await.unwrap();
        assert!(page.text().await.unwrap().starts_with("<!doctype html>"));
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
        let redirect = client.build().unwrap().execute(put("3laaaaaaaaa2f").build().unwrap()).await;
        assert_eq!(redirect.unwrap().status(), 307);
        let mut endless = put("3laaaaaaaaa2g").send().await.unwrap();
        let mut read_bytes = 0;
        while read_bytes < 1 << 21 {
            read_bytes += endless.chunk().await.unwrap().unwrap().len();
        }
        drop(endless);
        unanswered(put("3laaaaaaaaa2h"), until(|| bluesky.posts(DID).len() == 2)).await;
        assert_eq!(bluesky.unspent(), []);
        let keys: Vec<_> =
            bluesky.posts(DID).into_iter().map(|post| post.value["text"].clone()).collect();
        assert_eq!(keys, ["3laaaaaaaaa2a", "3laaaaaaaaa2h"]);
    }
}
