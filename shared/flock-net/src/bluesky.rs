//! Bluesky: each account has a repository of records on a PDS (personal data server), and a post is one of them
//! (docs.bsky.app, atproto.com and its lexicons, 2026-11; walked with @atproto/pds 0.4.217).
//!
//! We name our records, and say that nothing may be there yet (`swapRecord: null`). So a request can be sent as
//! often as nobody knows whether it arrived: the same record again is no change, and where it was changed since,
//! `InvalidSwap` makes us look at what is there.

mod follow;
mod profile;
mod record;
mod richtext;
mod session;

use flock_aws::Keyring;
use flock_core::{AccountFacts, AccountId, Picture, PostId, RemoteId, Sent, Tier};
use flock_store::Store;
use jiff::Timestamp;
use reqwest::{
    Method, RequestBuilder, StatusCode,
    header::{AUTHORIZATION, CONTENT_TYPE},
};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    Account, Begun, Checked, Deleted, Draft, Failure, KeyProblem, NewKey, NotSignedIn, ShownPost,
    Timeline,
    answer::{Answer, printable},
    failure::NotDone,
    http::Http,
    key_file::KeyFile,
    lenient,
    renewal::Beside,
    sealed_json,
};
use record::{AtUri, POST, PROFILE, REPOST, Record};
use session::{Access, Session, Sessions, base, bearer, is_over};

/// What messages call whoever answers.
const NAME: &str = "Bluesky";

/// Where people make app passwords (bsky.app, Settings, Privacy and security, App passwords; 2026-11).
const PASSWORDS: &str = "https://bsky.app/settings/app-passwords";

/// What is needed to post as one account.
#[derive(Debug, Deserialize)]
pub struct BlueskyKey {
    app_password: SecretString,
    /// What to log in as the first time, if not the handle.
    #[serde(default)]
    identifier: Option<String>,
    #[serde(skip)]
    beside: Beside<Session>,
}

/// Bluesky's API.
#[derive(Debug)]
pub(crate) struct Bluesky {
    http: Http,
    sessions: Sessions,
}

impl BlueskyKey {
    pub(crate) fn read(key: &SecretString) -> Result<Self, KeyProblem> {
        sealed_json(key)
    }

    pub(crate) fn read_file(_: &AccountId, text: &SecretString) -> Result<NewKey, KeyProblem> {
        let file = KeyFile::read(text, FORM, &["app_password", "identifier", "url"])?;
        let (url, identifier) = (file.some_text("url")?, file.some_text("identifier")?);
        Ok(NewKey { url, ..Self::sealable(&file.secret("app_password")?, identifier.as_deref()) })
    }

    /// Somebody makes a password and types it; nothing is asked of anybody until then.
    pub(crate) fn begin_sign_in() -> Begun {
        Begun {
            page: PASSWORDS.to_owned(),
            kept: SecretString::default(),
            back: SecretString::default(),
        }
    }

    /// The key that an app password is, as somebody typed it. It has the form `xxxx-xxxx-xxxx-xxxx` (@atproto/pds 0.4.217).
    pub(crate) fn from_password(
        typed: &SecretString,
        server: Option<&str>,
    ) -> Result<NewKey, NotSignedIn> {
        let password = typed.expose_secret().trim();
        let parts: Vec<_> = password.split('-').collect();
        let is_part =
            |part: &&str| part.len() == 4 && part.bytes().all(|b| b.is_ascii_alphanumeric());
        if parts.len() != 4 || !parts.iter().all(is_part) {
            let why = "an app password has four times four letters or digits, xxxx-xxxx-xxxx-xxxx; make one in the \
                       account's settings, and do not give the account's own password";
            return Err(NotSignedIn::Wrong(why.to_owned()));
        }
        let url = server.map(ToOwned::to_owned);
        Ok(NewKey { url, ..Self::sealable(&SecretString::from(password), None) })
    }

    fn sealable(app_password: &SecretString, identifier: Option<&str>) -> NewKey {
        let key = json!({ "app_password": app_password.expose_secret(), "identifier": identifier });
        NewKey {
            key: SecretString::from(key.to_string()),
            session: None,
            handle: None,
            url: None,
            remote_user: String::new(),
            facts: facts(false),
            app: None,
        }
    }

    /// Has the key keep the session that was stored with it, and what seals the next one.
    pub(crate) fn keep(&mut self, keyring: Keyring, account: &AccountId, sealed: Option<&str>) {
        self.beside = Beside::stored(keyring, account, sealed);
    }

    fn beside(&self) -> &Beside<Session> {
        &self.beside
    }

    fn session(&self) -> Option<&Session> {
        self.beside.session()
    }
}

const FORM: &str = "`app_password`, and if need be `identifier` and `url`";

fn facts(labelled: bool) -> AccountFacts {
    AccountFacts { tier: Tier::Standard, labelled, text_limit: None, picture_bytes: None }
}

impl Bluesky {
    /// The most a page of a listing may have.
    const PAGE: usize = 100;

    /// `http` twice: limits on logins are none on posts.
    pub(crate) fn new(http: Http, logins: Http, store: Store) -> Self {
        Self { http, sessions: Sessions::new(logins, store) }
    }

    pub(crate) fn limited_until(&self, account: &AccountId) -> Option<Timestamp> {
        self.http.limited_until(account)
    }

    pub(crate) async fn post(
        &self,
        draft: &Draft<'_>,
        account: &Account,
        key: &BlueskyKey,
    ) -> Result<RemoteId, Failure> {
        let posted = self.post_or_find(draft, account, key).await;
        // With a bad key, too: a sheep that stopped would say it again under another name once it has a good one.
        if draft.sent == Sent::Maybe { posted.map_err(Failure::leaves_unknown) } else { posted }
    }

    async fn post_or_find(
        &self,
        draft: &Draft<'_>,
        account: &Account,
        key: &BlueskyKey,
    ) -> Result<RemoteId, Failure> {
        let answers = match draft.reply_to {
            Some(parent) => {
                let parent =
                    self.record(account, key, parent).await.map_err(Failure::posts_nothing)?;
                // What has no name for its version cannot be answered.
                Some(parent.filter(Record::is_named).ok_or_else(|| {
                    // Somebody has deleted a part of a thread: its rest has nothing to go on with.
                    if draft.reply_to == draft.last_remote {
                        let why = "the part before it is not there any more";
                        return Failure::not_this_text(NotDone::NOT_ASKED, why);
                    }
                    Failure::cannot("the post it answers is not there; answer another")
                })?)
            }
            None => None,
        };
        let embed = match draft.picture {
            Some(picture) => {
                let blob = self.upload(account, key, picture).await?;
                Some(record::embed(picture, &blob))
            }
            None => None,
        };
        let own = answers.as_ref().filter(|_| draft.reply_to == draft.last_remote);
        let at = own.map_or(draft.post.at, |own| record::time_after(own, draft.post.at));
        let post = record::post(&draft.post.text, at, answers.as_ref(), embed);
        let rkey = record::post_key(&draft.id, draft.post.at);
        let rkey = own.map_or_else(|| rkey.clone(), |own| record::key_after(own, &rkey));
        let is_ours = |there: &Value| record::is_ours(there, &post);
        self.put(account, key, (POST, &rkey), &post, is_ours).await
    }

    pub(crate) async fn repost(
        &self,
        id: &PostId,
        of: &RemoteId,
        account: &Account,
        key: &BlueskyKey,
    ) -> Result<RemoteId, Failure> {
        let post = self.record(account, key, of).await.map_err(Failure::posts_nothing)?;
        let post = post
            .filter(Record::is_named)
            .ok_or_else(|| Failure::cannot("the post to show is not there; show another"))?;
        let repost = record::repost(&post, self.http.now());
        let is_ours = |there: &Value| there["subject"]["uri"] == repost["subject"]["uri"];
        self.put(account, key, (REPOST, &record::act_key(id)), &repost, is_ours).await
    }

    /// Writes a record where nothing is, or finds that it is there.
    async fn put(
        &self,
        account: &Account,
        key: &BlueskyKey,
        (collection, rkey): (&str, &str),
        record: &Value,
        is_ours: impl Fn(&Value) -> bool,
    ) -> Result<RemoteId, Failure> {
        let answer = self
            .write(account, key, |access| {
                let input = json!({
                    "repo": access.did,
                    "collection": collection,
                    "rkey": rkey,
                    "swapRecord": null,
                    "record": record,
                });
                let path = "/xrpc/com.atproto.repo.putRecord";
                Ok(self.http.request(Method::POST, &access.server, path)?.json(&input))
            })
            .await?;
        if answer.status == StatusCode::OK {
            let Written { uri } = answer.json(NAME)?;
            let id = uri.parse().ok().filter(|_| AtUri::parse(&uri).is_some());
            return id
                .ok_or_else(|| Failure::unknown("Bluesky took it but did not say its address"));
        }
        let Some(proof) = answer.proof().filter(|_| error_name(&answer) == "InvalidSwap") else {
            return Err(failure(&answer));
        };
        // Something is there; the network has been asked before, so nothing is certain until it is seen.
        let uri = format!("at://{}/{collection}/{rkey}", account.remote_user);
        let id: RemoteId = uri
            .parse()
            .map_err(|_| Failure::refused(proof, "the account's id is not one of Bluesky's"))?;
        match self.record(account, key, &id).await.map_err(Failure::leaves_unknown)? {
            Some(there) if is_ours(&there.value) => Ok(id),
            Some(_) => Err(Failure::refused(
                proof,
                format!(
                    "Bluesky has something else under the name of this post, {uri}; see whether somebody \
                     changed it, and delete it if the line is to be said again"
                ),
            )),
            None => Err(Failure::try_again(proof, format!("{uri} was there and is not any more"))),
        }
    }

    /// Uploads a picture, to be seen with what is written next, and says what its server calls it.
    async fn upload(
        &self,
        account: &Account,
        key: &BlueskyKey,
        picture: &Picture,
    ) -> Result<Value, Failure> {
        let path = "/xrpc/com.atproto.repo.uploadBlob";
        let answer = self.write(account, key, |access| {
            let request = self.http.request(Method::POST, &access.server, path)?;
            let request = request.header(CONTENT_TYPE, picture.kind().mime());
            Ok(request.body(picture.bytes().to_vec()))
        });
        let answer = answer.await.map_err(Failure::posts_nothing)?;
        if answer.status == StatusCode::OK {
            let Uploaded { blob } = answer.json(NAME).map_err(Failure::posts_nothing)?;
            return Ok(blob);
        }
        Err(match answer.status {
            StatusCode::PAYLOAD_TOO_LARGE => Failure::refused(
                NotDone::HARMLESS,
                "the picture is larger than the account's server takes; shrink it",
            ),
            // A PDS measures pictures, and breaks over those it cannot read.
            status if status.is_server_error() => Failure::try_again(
                NotDone::HARMLESS,
                format!(
                    "Bluesky failed over the picture with status {}{}; if it stays so, look whether the \
                     picture is whole",
                    status.as_u16(),
                    answer.said()
                ),
            ),
            _ => reading_failure(&answer),
        })
    }

    pub(crate) async fn delete(
        &self,
        post: &RemoteId,
        account: &Account,
        key: &BlueskyKey,
    ) -> Result<Deleted, Failure> {
        let uri = at_uri(post)?;
        // Profiles, follows and whatever else is there are records, too.
        if ![POST, REPOST].contains(&uri.collection) {
            let why = format!("{post} is a record of {} and not a post", uri.collection);
            return Err(Failure::cannot(why));
        }
        self.remove(post, account, key).await
    }

    /// Removes an own record.
    async fn remove(
        &self,
        record: &RemoteId,
        account: &Account,
        key: &BlueskyKey,
    ) -> Result<Deleted, Failure> {
        let uri = at_uri(record)?;
        let answer = self
            .write(account, key, |access| {
                if uri.repo != access.did {
                    let why = format!("{record} is not a record of {}", account.id);
                    return Err(Failure::cannot(why));
                }
                let input =
                    json!({ "repo": uri.repo, "collection": uri.collection, "rkey": uri.rkey });
                let path = "/xrpc/com.atproto.repo.deleteRecord";
                Ok(self.http.request(Method::POST, &access.server, path)?.json(&input))
            })
            .await?;
        if answer.status != StatusCode::OK {
            return Err(failure(&answer));
        }
        let Removed { commit } = answer.json(NAME)?;
        Ok(if commit.is_some() { Deleted::Now } else { Deleted::Before })
    }

    pub(crate) async fn timeline(
        &self,
        account: &Account,
        key: &BlueskyKey,
        page: Option<&str>,
    ) -> Result<Timeline, Failure> {
        let limit = Self::PAGE.to_string();
        let mut query =
            vec![("repo", repo(account)), ("collection", POST), ("limit", limit.as_str())];
        query.extend(page.map(|page| ("cursor", page)));
        let answer = self.read(account, key, "com.atproto.repo.listRecords", &query).await?;
        if answer.status != StatusCode::OK {
            return Err(reading_failure(&answer));
        }
        let listed: Listed = answer.json(NAME)?;
        // It says where it stopped also when nothing follows.
        let next = listed.cursor.filter(|_| Self::PAGE <= listed.records.len());
        // What has no time or text is no post that anybody can see.
        let posts = listed.records.into_iter().filter_map(|record| {
            Some(ShownPost {
                id: record.uri.parse().ok()?,
                text: record.value["text"].as_str()?.to_owned(),
                at: record.value["createdAt"].as_str()?.parse().ok()?,
            })
        });
        Ok(Timeline { posts: posts.collect(), next })
    }

    /// Logs in, which says whose the key is, and reads what the account says of itself.
    pub(crate) async fn check(
        &self,
        account: &Account,
        key: &BlueskyKey,
    ) -> Result<Checked, Failure> {
        let handle = account.id.handle.as_str();
        let who = key.identifier.as_deref().unwrap_or(handle);
        let new = self.sessions.log_in(account, key, who).await?;
        let named = Some(printable(&new.handle)).filter(|name| !name.is_empty());
        if !new.is_active() {
            return Err(Failure::refused(
                NotDone::HARMLESS,
                "the account is asleep or was taken down; see to that on Bluesky, and sign in again then",
            ));
        }
        let did = new.did.clone();
        let profile = format!("at://{did}/{PROFILE}/self");
        let whole = AtUri::parse(&profile).ok_or_else(|| {
            let why = "Bluesky did not say who the account is in a form that is known";
            Failure::refused(NotDone::HARMLESS, why)
        })?;
        let (access, session) = self.sessions.first(account, new);
        let profile = self.record_at(account, &access.server, &whole).await?;
        let labelled = profile.is_some_and(|profile| record::is_labelled(&profile.value));
        let facts = facts(labelled);
        Ok(Checked {
            remote_user: did,
            is_proven: true,
            handle: named,
            facts,
            asked_at: None,
            session: Some(session),
            scopes: Vec::new(),
            lacks: Vec::new(),
            limits: Vec::new(),
        })
    }

    /// The same of an account that is stored, by its session: a login is not spent on it, unless the session is over.
    pub(crate) async fn check_again(
        &self,
        account: &Account,
        key: &BlueskyKey,
    ) -> Result<Checked, Failure> {
        let path = "/xrpc/com.atproto.server.getSession";
        let answer =
            self.write(account, key, |access| self.http.request(Method::GET, &access.server, path));
        let answer = answer.await.map_err(Failure::posts_nothing)?;
        if answer.status != StatusCode::OK {
            return Err(reading_failure(&answer));
        }
        let limits = answer.left();
        let shown: ShownSession = answer.json(NAME).map_err(Failure::posts_nothing)?;
        if shown.active == Some(false) {
            let why = "the account is asleep or was taken down; see to that on Bluesky";
            return Err(Failure::refused(NotDone::HARMLESS, why));
        }
        Ok(Checked {
            remote_user: shown.did,
            is_proven: true,
            handle: Some(printable(&shown.handle)).filter(|name| !name.is_empty()),
            facts: account.facts.clone(),
            asked_at: None,
            session: None,
            scopes: Vec::new(),
            lacks: Vec::new(),
            limits,
        })
    }

    /// The record at an address, if it is there.
    async fn record(
        &self,
        account: &Account,
        key: &BlueskyKey,
        uri: &RemoteId,
    ) -> Result<Option<Record>, Failure> {
        self.record_at(account, &server(account, key), &at_uri(uri)?).await
    }

    async fn record_at(
        &self,
        account: &Account,
        server: &str,
        uri: &AtUri<'_>,
    ) -> Result<Option<Record>, Failure> {
        let query = [("repo", uri.repo), ("collection", uri.collection), ("rkey", uri.rkey)];
        let answer = self.get(account, server, "com.atproto.repo.getRecord", &query).await?;
        match answer.status {
            StatusCode::OK => answer.json(NAME).map(Some),
            _ if answer.proof().is_some() && error_name(&answer) == "RecordNotFound" => Ok(None),
            _ => Err(reading_failure(&answer)),
        }
    }

    async fn read(
        &self,
        account: &Account,
        key: &BlueskyKey,
        method: &str,
        query: &[(&str, &str)],
    ) -> Result<Answer, Failure> {
        self.get(account, &server(account, key), method, query).await
    }

    /// Asks for something that is public.
    async fn get(
        &self,
        account: &Account,
        server: &str,
        method: &str,
        query: &[(&str, &str)],
    ) -> Result<Answer, Failure> {
        let mut url = self.http.url(server, &format!("/xrpc/{method}"))?;
        url.query_pairs_mut().extend_pairs(query);
        let path = format!("{}?{}", url.path(), url.query().unwrap_or_default());
        let request = self.http.request(Method::GET, server, &path)?;
        self.http.send(&account.id, NAME, request).await
    }

    /// Sends what only the account itself may, logged in, and once more when its session turns out to be over:
    /// then nothing was done.
    async fn write(
        &self,
        account: &Account,
        key: &BlueskyKey,
        request: impl Fn(&Access) -> Result<RequestBuilder, Failure>,
    ) -> Result<Answer, Failure> {
        let mut access = self.sessions.access(account, key).await?;
        // Whether a request was answered so that it may have been carried out all the same.
        let mut renewed = None;
        loop {
            let request = request(&access)?.header(AUTHORIZATION, bearer(&access.token));
            let sent = self.http.send(&account.id, NAME, request).await;
            let answer = match renewed {
                None | Some(false) => sent?,
                Some(true) => {
                    Answer { is_doubtful: true, ..sent.map_err(Failure::leaves_unknown)? }
                }
            };
            if renewed.is_some() || !is_over(&answer) {
                return Ok(answer);
            }
            let is_doubtful = answer.proof().is_none();
            let again = self.sessions.renew(account, key, Some(&access.token)).await;
            access = if is_doubtful { again.map_err(Failure::leaves_unknown) } else { again }?;
            renewed = Some(is_doubtful);
        }
    }
}

/// The account's own repository.
fn repo(account: &Account) -> &str {
    if account.remote_user.is_empty() { account.id.handle.as_str() } else { &account.remote_user }
}

/// Where the account's repository is.
fn server(account: &Account, key: &BlueskyKey) -> String {
    let known = key.session().and_then(Session::server);
    known.map_or_else(|| base(account), ToOwned::to_owned)
}

fn at_uri(id: &RemoteId) -> Result<AtUri<'_>, Failure> {
    AtUri::parse(id.as_str()).ok_or_else(|| {
        let why = format!("{id} is not the address of a post, such as at://did:plc:.../{POST}/...");
        Failure::cannot(why)
    })
}

/// What Bluesky calls an error, if it is one.
fn error_name(answer: &Answer) -> String {
    problem(answer).error
}

fn problem(answer: &Answer) -> XrpcError {
    serde_json::from_slice(&answer.body).unwrap_or_default()
}

/// How a server's words begin over a post that it does not take.
const INVALID_POST: &str = "Invalid app.bsky.feed.post record";

/// What an answer other than success means.
fn failure(answer: &Answer) -> Failure {
    let Some(proof) = answer.proof() else { return answer.failure(NAME) };
    match error_name(answer).as_str() {
        "AccountTakedown" => Failure::refused(
            proof,
            "Bluesky has taken the account down; let its owner appeal to the server's moderators",
        ),
        "AccountSuspended" => Failure::refused(
            proof,
            "Bluesky has suspended the account; let its owner appeal to the server's moderators",
        ),
        "AccountDeactivated" => Failure::refused(
            proof,
            "the account is deactivated; let its owner wake it in its settings",
        ),
        // What a record is made of is ours, but for the text: "Invalid app.bsky.feed.post record: grapheme too big
        // (maximum 300, got 301) at $.record.text" (a PDS of 2026-11).
        "InvalidRequest" if problem(answer).message.starts_with(INVALID_POST) => {
            let why = format!("Bluesky does not take the text{}", answer.said());
            Failure::not_this_text(proof, why)
        }
        _ => answer.failure(NAME),
    }
}

/// The same of a request that changes nothing.
fn reading_failure(answer: &Answer) -> Failure {
    if answer.proof().is_some() { failure(answer) } else { answer.reading_failure(NAME) }
}

/// Reads `body` as everything that Bluesky could answer, and panics when what must hold does not.
#[cfg(feature = "test-util")]
pub fn check_answer(body: &[u8]) {
    session::check_answer(body);
    let problem: XrpcError = serde_json::from_slice(body).unwrap_or_default();
    let Listed { records, .. } =
        serde_json::from_slice(body).unwrap_or(Listed { records: Vec::new(), cursor: None });
    for record in records {
        record::check(&record);
    }
    richtext::check_text(&problem.error);
    richtext::check_text(&String::from_utf8_lossy(body));
}

/// Whose a session is.
#[derive(Deserialize)]
struct ShownSession {
    did: String,
    #[serde(default, deserialize_with = "lenient::text")]
    handle: String,
    #[serde(default, deserialize_with = "lenient::some_flag")]
    active: Option<bool>,
}

#[derive(Deserialize)]
struct Written {
    uri: String,
}

#[derive(Deserialize)]
struct Uploaded {
    blob: Value,
}

#[derive(Deserialize)]
struct Removed {
    commit: Option<Value>,
}

#[derive(Deserialize)]
struct Listed {
    records: Vec<Record>,
    #[serde(default, deserialize_with = "lenient::some_text")]
    cursor: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct XrpcError {
    #[serde(deserialize_with = "lenient::text")]
    error: String,
    #[serde(deserialize_with = "lenient::text")]
    message: String,
}
