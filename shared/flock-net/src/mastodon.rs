//! Mastodon and servers that speak as it does (docs.joinmastodon.org, Mastodon's source, and snac 2.75 as it
//! answered; 2026-11).
//!
//! A post carries its id as `Idempotency-Key`, but two of three servers that were tried ignore it, and nothing here
//! counts on it. When an earlier request may have arrived, the account's own newest posts are read first. Some
//! servers list them oldest first, and snac lists everything, whatever it is asked for; so a look ends where
//! the server's own order shows that it may, or where there is no more.

mod follow;
mod profile;
mod sign_in;

use std::{cmp::Ordering, collections::HashSet, time::Duration};

use flock_core::{AccountFacts, AccountId, Picture, RemoteId, Sent, Tier};
use jiff::{SignedDuration, Timestamp};
use reqwest::{
    Method, RequestBuilder, StatusCode,
    header::{CONNECTION, CONTENT_TYPE, LINK},
};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::json;

use crate::{
    Account, Checked, Deleted, Draft, Failure, KeyProblem, NewKey, ShownPost, Timeline, alike,
    answer::{Answer, DONE, Left, printable},
    failure::NotDone,
    form::{Form, Part},
    html,
    http::Http,
    key_file::KeyFile,
    lenient,
    look::{Looks, Order},
    sealed_json,
};

/// What is needed to post as one account.
#[derive(Debug, Deserialize)]
pub struct MastodonKey {
    access_token: SecretString,
}

/// Mastodon's API.
#[derive(Debug)]
pub(crate) struct Mastodon {
    http: Http,
    looks: Looks,
}

impl MastodonKey {
    pub(crate) fn read(key: &SecretString) -> Result<Self, KeyProblem> {
        sealed_json(key)
    }

    pub(crate) fn read_file(id: &AccountId, text: &SecretString) -> Result<NewKey, KeyProblem> {
        let form = "`access_token`, and `url` if need be";
        let file = KeyFile::read(text, form, &["access_token", "url"])?;
        let instance = host(id);
        let url = file.some_text("url")?.unwrap_or_else(|| format!("https://{instance}"));
        let key = json!({ "access_token": file.token("access_token")?.expose_secret() });
        Ok(NewKey {
            key: SecretString::from(key.to_string()),
            session: None,
            handle: None,
            url: Some(url),
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
}

impl Mastodon {
    /// Posts asked for at once: well within the size of an answer.
    const PAGE: usize = 20;
    /// The most that Mastodon gives.
    const WIDE_PAGE: usize = 40;
    /// Reading more than this many pages is not looking for a recent post.
    const PAGES: usize = 10;
    /// How far the clocks of our own machines may be apart.
    const CLOCK_SKEW: SignedDuration = SignedDuration::from_mins(5);
    /// How long to wait before each look at a picture that is being processed. Longer than all of them, and
    /// the post is for the next tick, which uploads it again.
    const PROCESSING: [Duration; 3] =
        [Duration::from_millis(500), Duration::from_secs(1), Duration::from_secs(2)];

    pub(crate) fn new(http: Http, looks: Looks) -> Self {
        Self { http, looks }
    }

    pub(crate) fn limited_until(&self, account: &AccountId) -> Option<Timestamp> {
        self.http.limited_until(account)
    }

    pub(crate) async fn post(
        &self,
        draft: &Draft<'_>,
        account: &Account,
        key: &MastodonKey,
    ) -> Result<RemoteId, Failure> {
        let instance = self.instance(account, key);
        if draft.sent == Sent::Maybe {
            let found = instance.find(draft, &self.looks).await.map_err(Failure::leaves_unknown);
            if let Some(remote_id) = found? {
                return Ok(remote_id);
            }
        }
        let mut body = json!({ "status": draft.post.text });
        if let Some(reply_to) = draft.reply_to {
            body["in_reply_to_id"] = reply_to.as_str().into();
        }
        if let Some(picture) = draft.picture {
            body["media_ids"] = json!([instance.upload(picture, draft).await?]);
        }
        let request = match (draft.sent, draft.picture) {
            (Sent::No, None) => instance.lasting_request(Method::POST, "/api/v1/statuses")?,
            _ => instance.request(Method::POST, "/api/v1/statuses")?,
        };
        let request = request.header("idempotency-key", draft.id.as_str()).json(&body);
        let answer = instance.send(request).await?;
        if DONE.contains(&answer.status) {
            let made: Made = answer.json(&instance.name)?;
            return made.id.parse().map_err(|_| instance.nameless());
        }
        Err(match (answer.status, answer.proof()) {
            (StatusCode::NOT_FOUND, Some(proof)) if draft.reply_to.is_some() => Failure::refused(
                proof,
                format!(
                    "{} does not find the post it answers{}; it may have been deleted",
                    instance.name,
                    answer.said()
                ),
            ),
            // Whom an instance shuts out it shows public posts, or none: the look said nothing.
            (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN, _) if draft.sent == Sent::Maybe => {
                instance.failure(&answer).leaves_unknown()
            }
            _ => instance.failure(&answer),
        })
    }

    /// Reblogs `of`. Asked again, Mastodon answers with the one there is, and snac with the post itself.
    pub(crate) async fn repost(
        &self,
        of: &RemoteId,
        account: &Account,
        key: &MastodonKey,
    ) -> Result<RemoteId, Failure> {
        let instance = self.instance(account, key);
        let path = format!("/api/v1/statuses/{}/reblog", segment(of.as_str()));
        let answer = instance.send(instance.request(Method::POST, &path)?).await?;
        match (answer.status, answer.proof()) {
            (StatusCode::NOT_FOUND, Some(proof)) => Err(Failure::refused(
                proof,
                format!(
                    "{} does not find the post to repost{}; it may have been deleted",
                    instance.name,
                    answer.said()
                ),
            )),
            (status, _) if DONE.contains(&status) => {
                let made: Made = answer.json(&instance.name)?;
                made.id.parse().map_err(|_| instance.nameless())
            }
            _ => Err(instance.failure(&answer)),
        }
    }

    pub(crate) async fn delete(
        &self,
        post: &RemoteId,
        account: &Account,
        key: &MastodonKey,
    ) -> Result<Deleted, Failure> {
        let instance = self.instance(account, key);
        let path = format!("/api/v1/statuses/{}", segment(post.as_str()));
        let answer = instance.send(instance.request(Method::DELETE, &path)?).await?;
        match answer.status {
            // What was there, as an object.
            StatusCode::OK => {
                let _: serde_json::Map<String, serde_json::Value> = answer.json(&instance.name)?;
                Ok(Deleted::Now)
            }
            // That there is no such post and that there is no such request look the same (snac).
            StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => {
                let look = instance.send(instance.request(Method::GET, &path)?).await?;
                match (look.status, look.proof()) {
                    (StatusCode::NOT_FOUND | StatusCode::GONE, Some(_)) => Ok(Deleted::Before),
                    (StatusCode::OK, _) => {
                        let _: Made = look.json(&instance.name)?;
                        let why = format!(
                            "{} does not delete posts for us, and it is still there; delete it on its \
                             pages",
                            instance.name
                        );
                        Err(Failure::refused(NotDone::LOOKED, why))
                    }
                    _ => Err(instance.failure(&look).leaves_unknown()),
                }
            }
            _ => Err(instance.failure(&answer)),
        }
    }

    pub(crate) async fn timeline(
        &self,
        account: &Account,
        key: &MastodonKey,
        page: Option<&str>,
    ) -> Result<Timeline, Failure> {
        let instance = self.instance(account, key);
        let user = instance.user().await?;
        let place = page.map_or(Place::Newest, Place::Before);
        let (statuses, answer) = instance.list(&user, place).await?;
        let mut statuses = older_than(statuses, page);
        let more_here = Self::PAGE < statuses.len();
        statuses.truncate(Self::PAGE);
        let next =
            statuses.last().filter(|_| more_here || has_next(&answer)).map(|last| last.id.clone());
        let mut posts = Vec::new();
        for status in statuses.iter().filter(|status| !status.repeats_another()) {
            let id = status.id.parse().map_err(|_| instance.nameless())?;
            let at = status.at().ok_or_else(|| {
                Failure::unknown(format!("{} does not say when a post was made", instance.name))
            })?;
            posts.push(ShownPost { id, text: status.text(), at });
        }
        Ok(Timeline { posts, next })
    }

    pub(crate) async fn check(
        &self,
        account: &Account,
        key: &MastodonKey,
    ) -> Result<Checked, Failure> {
        let instance = self.instance(account, key);
        let (me, left) = instance.me().await?;
        // Who gives the account a number alone knows the key all the same.
        let handle = Some(printable(me.name())).filter(|name| !name.is_empty());
        if handle.is_none() && me.id.is_empty() {
            let why = format!("{} does not say whose the key is; try again later", instance.name);
            return Err(Failure::refused(NotDone::HARMLESS, why));
        }
        let scopes = instance.scopes().await;
        if lacks(&scopes, POSTING) {
            return Err(may_not_post(&instance.name));
        }
        let limits = instance.limits().await?;
        Ok(Checked {
            is_proven: !me.id.is_empty(),
            remote_user: me.id,
            handle,
            facts: AccountFacts {
                tier: Tier::Standard,
                labelled: me.bot,
                text_limit: limits.characters,
                picture_bytes: limits.picture_bytes,
            },
            asked_at: Some(self.http.now()),
            session: None,
            lacks: NOT_FOR_TEXTS
                .iter()
                .filter(|(scope, _)| lacks(&scopes, scope))
                .map(|(scope, what)| format!("`{scope}`, {what}"))
                .collect(),
            scopes,
            limits: left,
        })
    }

    /// What is known of the account, with what its server takes now.
    pub(crate) async fn facts(
        &self,
        account: &Account,
        key: &MastodonKey,
    ) -> Result<AccountFacts, Failure> {
        let Limits { characters, picture_bytes } = self.instance(account, key).limits().await?;
        Ok(AccountFacts { text_limit: characters, picture_bytes, ..account.facts.clone() })
    }

    fn instance<'a>(&'a self, account: &'a Account, key: &'a MastodonKey) -> Instance<'a> {
        let host = host(&account.id);
        let base = account.url.clone().unwrap_or_else(|| format!("https://{host}"));
        Instance { http: &self.http, account, key, base, name: format!("Mastodon at {host}") }
    }
}

/// Without this no text is posted ("OAuth scopes", docs.joinmastodon.org, 2026-11).
const POSTING: &str = "write:statuses";

/// Without this nobody is followed, and nobody followed no more.
const FOLLOWING: &str = "write:follows";

/// Without this nothing is liked.
const LIKING: &str = "write:favourites";

/// Without this nobody is found whom the server does not know yet.
const SEARCHING: &str = "read:search";

/// What else we use, and what cannot be done without it.
const NOT_FOR_TEXTS: [(&str, &str); 6] = [
    (
        "read:statuses",
        "so that its posts cannot be listed, nor looked for where an answer was lost",
    ),
    ("write:media", "so that it cannot post pictures"),
    ("write:accounts", "so that it cannot be marked as a bot from here"),
    (FOLLOWING, "so that it cannot follow anybody"),
    (LIKING, "so that it cannot like posts"),
    (SEARCHING, "so that it finds nobody whom its server does not know"),
];

/// Whether a key that allows `scopes` does not allow `scope`: neither it nor what it is a part of. Who says nothing in the words of
/// Mastodon says nothing of it.
fn lacks(scopes: &[impl AsRef<str>], scope: &str) -> bool {
    let whole = |scope: &str| scope.split(':').next().unwrap_or_default().to_owned();
    let is_known = |own: &str| matches!(whole(own).as_str(), "read" | "write");
    scopes.iter().any(|own| is_known(own.as_ref()))
        && !scopes.iter().any(|own| own.as_ref() == scope || own.as_ref() == whole(scope))
}

/// The instance called `name` gave a key by which nothing can be posted.
fn may_not_post(name: &str) -> Failure {
    Failure::refused(
        NotDone::HARMLESS,
        format!(
            "the key of {name} cannot post: it lacks `{POSTING}`; sign in again, or allow that to the application (in the account's \
             settings there, Development), make its access token anew, and renew the account's key"
        ),
    )
}

/// What an instance says of the app that a key was given to.
#[derive(Default, Deserialize)]
#[serde(default)]
struct AppFacts {
    #[serde(deserialize_with = "lenient::nullable")]
    scopes: Vec<String>,
}

/// The instance an account is on: what is behind the `@` that all handles of Mastodon have.
fn host(id: &AccountId) -> &str {
    let handle = id.handle.as_str();
    handle.split_once('@').map_or(handle, |(_, host)| host)
}

/// One account on its instance.
struct Instance<'a> {
    http: &'a Http,
    account: &'a Account,
    key: &'a MastodonKey,
    base: String,
    /// What it is called in sentences.
    name: String,
}

impl Instance<'_> {
    /// A request whose connection is not used again. Some servers close theirs without a word (snac), and a
    /// request that follows at once is lost in it: nobody could say whether it arrived.
    fn request(&self, method: Method, path: &str) -> Result<RequestBuilder, Failure> {
        Ok(self.lasting_request(method, path)?.header(CONNECTION, "close"))
    }

    /// A request whose connection the next post may use.
    fn lasting_request(&self, method: Method, path: &str) -> Result<RequestBuilder, Failure> {
        let request = self.http.request(method, &self.base, path)?;
        Ok(request.bearer_auth(self.key.access_token.expose_secret()))
    }

    async fn send(&self, request: RequestBuilder) -> Result<Answer, Failure> {
        self.http.send(&self.account.id, &self.name, request).await
    }

    /// What any answer but success means.
    fn failure(&self, answer: &Answer) -> Failure {
        let (name, said) = (&self.name, answer.said());
        match (answer.status, answer.proof()) {
            // "Your login is currently disabled": suspended, or not confirmed yet.
            (StatusCode::FORBIDDEN, Some(proof)) => Failure::refused(
                proof,
                format!(
                    "{name} shuts the account out{said}; ask its moderators, or move the sheep to another \
                     account"
                ),
            ),
            (StatusCode::GONE, Some(proof)) => Failure::refused(
                proof,
                format!("{name} is gone{said}; move the sheep to another account"),
            ),
            (StatusCode::UNPROCESSABLE_ENTITY, Some(proof)) => {
                Failure::not_this_text(proof, format!("{name} does not take the post{said}"))
            }
            _ => answer.failure(name),
        }
    }

    /// The same of a request that changes nothing.
    fn reading_failure(&self, answer: &Answer) -> Failure {
        match (answer.status, answer.proof()) {
            (_, Some(_)) => self.failure(answer),
            // A page: nothing that reads waits for it to go.
            (StatusCode::GONE, None) => Failure::refused(
                NotDone::HARMLESS,
                format!("{} is gone; move the sheep to another account", self.name),
            ),
            _ => answer.reading_failure(&self.name),
        }
    }

    fn nameless(&self) -> Failure {
        Failure::unknown(format!("{} took it but did not say its id", self.name))
    }

    /// Looks for the draft among the account's newest posts. `None`: it is not there, because all that can be it
    /// was seen.
    async fn find(&self, draft: &Draft<'_>, looks: &Looks) -> Result<Option<RemoteId>, Failure> {
        if let Some(ours) = looks.recorded(draft).await? {
            return Ok(Some(ours));
        }
        let user = self.user().await?;
        let from = draft.post.at.saturating_sub(Mastodon::CLOCK_SKEW);
        let mut look = Look {
            from: from.unwrap_or(Timestamp::UNIX_EPOCH),
            last: draft.last_remote.map(RemoteId::as_str),
            known: HashSet::new(),
            old: None,
            highest: None,
            end: None,
            order: Order::default(),
            passed: false,
            all_here: false,
        };
        let mut step = Step::Down(None);
        for _ in 0..Mastodon::PAGES {
            let place = match &step {
                Step::Down(None) => Place::Newest,
                Step::Down(Some(before)) => Place::Before(before),
                Step::Wide => Place::NewestOfMany,
                Step::Up(after) => Place::After(after),
                Step::Seen => return Ok(None),
                Step::Lost => break,
            };
            let (statuses, answer) = self.list(&user, place).await?;
            let found = look.found(&statuses, draft, &answer)?;
            if let Some(ours) = looks.take(draft, &found).await? {
                return Ok(Some(ours));
            }
            step = match &step {
                Step::Up(after) => look.up(after, statuses),
                Step::Wide => look.wide(statuses, has_next(&answer)),
                _ => look.down(statuses, has_next(&answer)),
            };
        }
        if matches!(step, Step::Seen) {
            return Ok(None);
        }
        let most = Mastodon::PAGES * Mastodon::PAGE;
        Err(Failure::unknown(if look.order.may_be_newest_first() && most <= look.known.len() {
            format!(
                "the post is not among the account's {most} newest at {}; look whether it is there",
                self.name
            )
        } else {
            format!(
                "the post is not among the {} posts that {} lists, in an order that does not show whether \
                 they are all; look whether it is there",
                look.known.len(),
                self.name
            )
        }))
    }

    /// Some of the account's own posts.
    async fn list(&self, user: &str, place: Place<'_>) -> Result<(Vec<Status>, Answer), Failure> {
        let limit = match place {
            Place::Newest | Place::Before(_) | Place::After(_) => Mastodon::PAGE,
            Place::NewestOfMany => Mastodon::WIDE_PAGE,
        };
        let mut path = format!(
            "/api/v1/accounts/{}/statuses?limit={limit}&exclude_reblogs=true",
            segment(user),
        );
        let bound = match place {
            Place::Newest | Place::NewestOfMany => None,
            Place::Before(id) => Some(("max_id", id)),
            Place::After(id) => Some(("min_id", id)),
        };
        if let Some((name, id)) = bound {
            path = format!("{path}&{name}={}", segment(id));
        }
        let answer = self.send(self.request(Method::GET, &path)?).await?;
        if answer.status != StatusCode::OK {
            return Err(self.reading_failure(&answer));
        }
        Ok((answer.json(&self.name)?, answer))
    }

    /// The account's id, which is asked for only when nobody did when it was added.
    async fn user(&self) -> Result<String, Failure> {
        if self.account.remote_user.is_empty() {
            let (Me { id, .. }, _) = self.me().await?;
            if id.is_empty() {
                let why = format!("{} does not say the account's id", self.name);
                return Err(Failure::try_again(NotDone::HARMLESS, why));
            }
            return Ok(id);
        }
        Ok(self.account.remote_user.clone())
    }

    async fn me(&self) -> Result<(Me, Vec<Left>), Failure> {
        let request = self.request(Method::GET, "/api/v1/accounts/verify_credentials")?;
        let answer = self.send(request).await?;
        match answer.status {
            StatusCode::OK => Ok((answer.json(&self.name)?, answer.left())),
            // snac's word for a key it does not know, and Mastodon's for one that is an app's.
            StatusCode::UNPROCESSABLE_ENTITY => Err(Failure::refused(
                NotDone::HARMLESS,
                format!("{} does not accept the account's key{}", self.name, answer.said()),
            )),
            _ => Err(self.reading_failure(&answer)),
        }
    }

    /// What the key allows: since Mastodon 4.3 its app says so. Where nothing is said of it, nothing is claimed.
    async fn scopes(&self) -> Vec<String> {
        let asked = async {
            let request = self.request(Method::GET, "/api/v1/apps/verify_credentials")?;
            self.send(request).await
        };
        let answer = asked.await.ok().filter(|answer| answer.status == StatusCode::OK);
        let app = answer.and_then(|answer| serde_json::from_slice::<AppFacts>(&answer.body).ok());
        app.unwrap_or_default().scopes.iter().map(|scope| printable(scope)).collect()
    }

    /// The instance's limits, as far as it tells them, wherever it does.
    async fn limits(&self) -> Result<Limits, Failure> {
        let (mut limits, mut failed) = (Limits::default(), None);
        // The second is deprecated, all that servers have who follow Mastodon from afar, and where some say more.
        for path in ["/api/v2/instance", "/api/v1/instance"] {
            let answer = self.send(self.request(Method::GET, path)?).await?;
            let facts = match (answer.status, serde_json::from_slice::<InstanceFacts>(&answer.body))
            {
                (StatusCode::OK, Ok(facts)) => facts,
                // It has no such address, or tells nobody who is not on its pages.
                (status, _)
                    if status.is_client_error()
                        && status != StatusCode::TOO_MANY_REQUESTS
                        && status != StatusCode::GONE =>
                {
                    continue;
                }
                _ => {
                    failed = failed.or_else(|| Some(self.reading_failure(&answer)));
                    continue;
                }
            };
            let told = facts.limits();
            limits.characters = limits.characters.or(told.characters);
            limits.picture_bytes = limits.picture_bytes.or(told.picture_bytes);
            if limits.characters.is_some() && limits.picture_bytes.is_some() {
                return Ok(limits);
            }
        }
        match failed {
            Some(failure) if limits.characters.is_none() => Err(failure),
            Some(_) | None => Ok(limits),
        }
    }

    /// Uploads a picture and waits until it can be posted. Done twice it leaves a picture nobody sees, which
    /// instances throw away.
    async fn upload(&self, picture: &Picture, draft: &Draft<'_>) -> Result<String, Failure> {
        let (content_type, body) = form(picture, draft.id.as_str());
        let request = self.request(Method::POST, "/api/v2/media")?;
        let request = request.header(CONTENT_TYPE, content_type).body(body);
        let answer = self.send(request).await.map_err(Failure::posts_nothing)?;
        match answer.status {
            StatusCode::OK | StatusCode::ACCEPTED => {}
            // The second is often the word of what stands before the instance; it is as final.
            StatusCode::UNPROCESSABLE_ENTITY | StatusCode::PAYLOAD_TOO_LARGE => {
                return Err(Failure::refused(
                    NotDone::HARMLESS,
                    format!(
                        "{} does not take the picture{}; use another",
                        self.name,
                        answer.said()
                    ),
                ));
            }
            _ => return Err(self.reading_failure(&answer)),
        }
        let Made { id } = answer.json(&self.name).map_err(Failure::posts_nothing)?;
        if answer.status == StatusCode::ACCEPTED {
            self.processed(&id).await.map_err(Failure::posts_nothing)?;
        }
        Ok(id)
    }

    /// Waits until the picture `id` is processed.
    async fn processed(&self, id: &str) -> Result<(), Failure> {
        let path = format!("/api/v1/media/{}", segment(id));
        for pause in Mastodon::PROCESSING {
            tokio::time::sleep(pause).await;
            let answer = self.send(self.request(Method::GET, &path)?).await?;
            match answer.status {
                StatusCode::PARTIAL_CONTENT => {}
                StatusCode::OK => return Ok(()),
                StatusCode::UNPROCESSABLE_ENTITY => {
                    return Err(Failure::refused(
                        NotDone::HARMLESS,
                        format!(
                            "{} cannot read the picture{}; use another",
                            self.name,
                            answer.said()
                        ),
                    ));
                }
                _ => return Err(self.reading_failure(&answer)),
            }
        }
        let why = format!("{} is still processing the picture", self.name);
        Err(Failure::try_again(NotDone::HARMLESS, why))
    }
}

/// Which of the account's posts are asked for.
#[derive(Clone, Copy)]
enum Place<'a> {
    Newest,
    /// As many of them as Mastodon gives at once.
    NewestOfMany,
    /// Those older than this one.
    Before(&'a str),
    /// Those newer than this one.
    After(&'a str),
}

/// What a look asks for next.
enum Step {
    /// The newest posts, or those listed before this one: as long as the server lists newest first.
    Down(Option<String>),
    /// The newest posts, more of them: whether a server that gives the same again has no more.
    Wide,
    /// What is newer than a post that was there before ours was due: all of it, whatever the order.
    Up(String),
    /// Nothing: all that can be it was seen.
    Seen,
    /// Nothing: the server does not show where its posts end.
    Lost,
}

/// What a look has seen so far.
struct Look<'a> {
    /// What was made before is not it.
    from: Timestamp,
    /// The sheep's post before this one.
    last: Option<&'a str>,
    known: HashSet<String>,
    /// The newest of the posts that are too old, by its id, and the newest of all.
    old: Option<String>,
    highest: Option<String>,
    /// The post listed last.
    end: Option<(String, Option<Timestamp>)>,
    order: Order,
    /// A post was seen that ours is newer than.
    passed: bool,
    /// The first page had room for more.
    all_here: bool,
}

impl Look<'_> {
    /// The posts of a page that may be the draft's, which is then known.
    fn found(
        &mut self,
        page: &[Status],
        draft: &Draft<'_>,
        answer: &Answer,
    ) -> Result<Vec<RemoteId>, Failure> {
        // Their clock is read off their answer, so that it need not agree with ours.
        let ahead = answer.clock_ahead().unwrap_or_default();
        let mut found = Vec::new();
        for status in page {
            let at = status.at().and_then(|at| at.saturating_add(ahead).ok());
            if at.is_some_and(|at| at < self.from) || self.last == Some(&status.id) {
                self.passed = true;
                keep_newest(&mut self.old, &status.id);
            } else if status.is(draft) {
                let nameless =
                    |_| Failure::unknown("a post that may be it is listed without an id");
                found.push(status.id.parse().map_err(nameless)?);
            }
        }
        Ok(found)
    }

    /// What to ask for after a page of the newest posts, or of those before the one that was listed last.
    fn down(&mut self, page: Vec<Status>, has_next: bool) -> Step {
        let (length, is_first) = (page.len(), self.known.is_empty());
        // A server that does not page gives the same again.
        let repeats = page.iter().any(|status| self.known.contains(&status.id));
        if repeats {
            // Then its first post is no neighbour of the one that was listed last.
            self.end = None;
        }
        self.add(page);
        let is_all = self.is_all(length, Mastodon::PAGE, has_next);
        if is_first {
            self.all_here = is_all;
        }
        if self.order.is_newest_first() && self.passed {
            return Step::Seen;
        }
        if self.order.may_be_newest_first() {
            let end = self.end.as_ref().map(|(id, _)| id.clone());
            return match (is_all, repeats) {
                (true, false) => Step::Seen,
                (false, false) => Step::Down(end),
                (_, true) => Step::Wide,
            };
        }
        self.newer()
    }

    /// What to ask for after a page of the newest posts that had room for more.
    fn wide(&mut self, page: Vec<Status>, has_next: bool) -> Step {
        let ids: HashSet<_> = page.iter().map(|status| status.id.clone()).collect();
        let shows_all = self.known.is_subset(&ids);
        (self.end, self.order) = (None, Order::default());
        self.add(page);
        if shows_all && self.is_all(ids.len(), Mastodon::WIDE_PAGE, has_next) {
            return Step::Seen;
        }
        self.newer()
    }

    /// Whether a page of the newest posts is all there are: it has fewer than were asked for, or more, which comes from a
    /// server that gives all at once, and newest first as far as one sees.
    fn is_all(&self, length: usize, asked: usize, has_next: bool) -> bool {
        !has_next && (length < asked || asked < length && self.order.may_be_newest_first())
    }

    /// Asks for what is newer than a post that was there before, if one is known.
    fn newer(&self) -> Step {
        // In another order old posts say nothing. What is newer than one of them is asked for.
        let last = self.last.map(ToOwned::to_owned);
        let here = self.highest.clone().filter(|_| self.all_here);
        last.or_else(|| self.old.clone()).or(here).map_or(Step::Lost, Step::Up)
    }

    /// What to ask for after a page of what is newer than `after`.
    fn up(&mut self, after: &str, page: Vec<Status>) -> Step {
        let ids: HashSet<_> = page.iter().map(|status| status.id.clone()).collect();
        let is_newer = |id: &String| is_older(after, id);
        if !ids.iter().all(is_newer) {
            // It was not asked. If it gave the little it has twice, there is no more.
            let same = self.all_here && ids == self.known;
            return if same { Step::Seen } else { Step::Lost };
        }
        let has_room = page.len() < Mastodon::PAGE;
        if has_room {
            // What it showed before it has to show again, or it has not understood.
            let shows_all = self.known.iter().filter(|id| is_newer(id)).all(|id| ids.contains(id));
            return if shows_all { Step::Seen } else { Step::Lost };
        }
        self.end = None;
        self.order = Order::default();
        let any_new = self.add(page);
        let next = ids.into_iter().reduce(|a, b| if is_older(&a, &b) { b } else { a });
        // Which of the newer ones these are, a page out of order does not tell.
        next.filter(|_| any_new && self.order.is_sorted()).map_or(Step::Lost, Step::Up)
    }

    /// Notes the posts of a page, and whether any of them was new.
    fn add(&mut self, page: Vec<Status>) -> bool {
        let mut any_new = false;
        for status in page {
            let at = status.at();
            let before = self.end.replace((status.id.clone(), at));
            if let Some((id, before)) = before {
                match (before, at) {
                    // snac's clock knows seconds, and its ids no order within one.
                    (Some(before), Some(at)) if before == at => {
                        self.order.note_ids(compare_ids(&id, &status.id));
                    }
                    (Some(before), Some(at)) => self.order.note(before.cmp(&at)),
                    _ => self.order.note(Ordering::Less),
                }
            }
            keep_newest(&mut self.highest, &status.id);
            any_new |= self.known.insert(status.id);
        }
        any_new
    }
}

/// Whether one id is that of an older post than the other ("API guidelines": ids are sorted by length, then as
/// text).
fn is_older(id: &str, than: &str) -> bool {
    compare_ids(id, than).is_lt()
}

fn compare_ids(a: &str, b: &str) -> Ordering {
    (a.len(), a).cmp(&(b.len(), b))
}

fn keep_newest(newest: &mut Option<String>, id: &str) {
    if newest.as_ref().is_none_or(|newest| is_older(newest, id)) {
        *newest = Some(id.to_owned());
    }
}

/// A picture with its alternative text.
fn form(picture: &Picture, name: &str) -> (String, Vec<u8>) {
    let mut form = Form::new(name);
    if !picture.alt().is_empty() {
        form.add(Part::text("description", picture.alt()));
    }
    form.add(Part::picture("file", picture));
    form.finish()
}

/// Whether the server says that there are older posts.
fn has_next(answer: &Answer) -> bool {
    answer.header(LINK.as_str()).is_some_and(|links| links.contains("rel=\"next\""))
}

/// What is left of a page when what is not older than the post `before` is dropped: not every server does it.
fn older_than(mut statuses: Vec<Status>, before: Option<&str>) -> Vec<Status> {
    let Some(before) = before else { return statuses };
    if let Some(position) = statuses.iter().position(|status| status.id == before) {
        statuses.drain(..=position);
    } else {
        statuses.retain(|status| is_older(&status.id, before));
    }
    statuses
}

/// An id as a part of an address. Ids are text, and whose text is not ours.
fn segment(id: &str) -> String {
    use std::fmt::Write as _;
    id.bytes().fold(String::with_capacity(id.len()), |mut segment, byte| {
        if byte.is_ascii_alphanumeric() || b"-_".contains(&byte) {
            segment.push(char::from(byte));
        } else {
            let _ = write!(segment, "%{byte:02X}");
        }
        segment
    })
}

/// Something that was made.
#[derive(Debug, Deserialize)]
struct Made {
    #[serde(deserialize_with = "lenient::id")]
    id: String,
}

/// The account of a key.
#[derive(Debug, Deserialize, Default)]
#[serde(default)]
struct Me {
    #[serde(deserialize_with = "lenient::text")]
    id: String,
    #[serde(deserialize_with = "lenient::text")]
    username: String,
    /// The same, and of an account of another server its server.
    #[serde(deserialize_with = "lenient::text")]
    acct: String,
    #[serde(deserialize_with = "lenient::flag")]
    bot: bool,
}

impl Me {
    /// What the account is called on its server.
    fn name(&self) -> &str {
        let acct = self.acct.split('@').next().unwrap_or_default();
        if self.username.is_empty() { acct } else { &self.username }
    }
}

/// What a server says of itself.
#[derive(Debug, Deserialize, Default)]
#[serde(default)]
struct InstanceFacts {
    #[serde(deserialize_with = "lenient::part")]
    configuration: Configuration,
    /// Where glitch-soc, Hometown, Pleroma, Akkoma, `GoToSocial` and Friendica say it, in the older form alone or in both.
    #[serde(deserialize_with = "lenient::number")]
    max_toot_chars: Option<usize>,
    /// Where Pleroma and Akkoma do, of any file.
    #[serde(deserialize_with = "lenient::number")]
    upload_limit: Option<usize>,
}

#[derive(Debug, Deserialize, Default)]
#[serde(default)]
struct Configuration {
    #[serde(deserialize_with = "lenient::part")]
    statuses: StatusConfiguration,
    #[serde(deserialize_with = "lenient::part")]
    media_attachments: MediaConfiguration,
}

#[derive(Debug, Deserialize, Default)]
#[serde(default)]
struct StatusConfiguration {
    #[serde(deserialize_with = "lenient::number")]
    max_characters: Option<usize>,
}

#[derive(Debug, Deserialize, Default)]
#[serde(default)]
struct MediaConfiguration {
    #[serde(deserialize_with = "lenient::number")]
    image_size_limit: Option<usize>,
}

/// What a server takes, as far as it says.
#[derive(Debug, Default, Clone, Copy)]
struct Limits {
    characters: Option<usize>,
    picture_bytes: Option<usize>,
}

impl InstanceFacts {
    fn limits(&self) -> Limits {
        // Nothing at all is no limit, but a setting that nobody made.
        let any = |places: [Option<usize>; 2]| places.into_iter().flatten().find(|most| 0 < *most);
        let Configuration { statuses, media_attachments } = &self.configuration;
        Limits {
            characters: any([statuses.max_characters, self.max_toot_chars]),
            picture_bytes: any([media_attachments.image_size_limit, self.upload_limit]),
        }
    }
}

/// A post as a server shows it.
#[derive(Debug, Deserialize)]
struct Status {
    #[serde(deserialize_with = "lenient::id")]
    id: String,
    #[serde(default, deserialize_with = "lenient::some_text")]
    created_at: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    content: String,
    /// What was sent, where the server shows it.
    #[serde(default, deserialize_with = "lenient::some_text")]
    text: Option<String>,
    #[serde(default, deserialize_with = "lenient::some_text")]
    in_reply_to_id: Option<String>,
    reblog: Option<Box<Status>>,
    #[serde(default, deserialize_with = "lenient::nullable")]
    media_attachments: Vec<serde::de::IgnoredAny>,
}

impl Status {
    fn at(&self) -> Option<Timestamp> {
        self.created_at.as_deref()?.parse().ok()
    }

    /// The post itself: a post that its own account reblogged is to snac a reblog of itself.
    fn itself(&self) -> &Self {
        self.reblog.as_deref().filter(|reblog| reblog.id == self.id).unwrap_or(self)
    }

    fn repeats_another(&self) -> bool {
        self.itself().reblog.as_ref().is_some_and(|reblog| reblog.id != self.id)
    }

    fn text(&self) -> String {
        let itself = self.itself();
        itself.text.clone().unwrap_or_else(|| html::plain(&itself.content))
    }

    /// Whether it is the post that `draft` makes.
    fn is(&self, draft: &Draft<'_>) -> bool {
        let itself = self.itself();
        let text = &draft.post.text;
        let says = itself.text.as_deref().is_some_and(|source| alike::same_source(source, text))
            || html::says(&itself.content, text);
        // Only what a server says can speak against it: some lose what a post answers.
        let answers = match (draft.reply_to, &itself.in_reply_to_id) {
            (Some(to), Some(theirs)) => to.as_str() == theirs,
            (None, Some(_)) => false,
            (_, None) => true,
        };
        let shows = draft.picture.is_none() || !itself.media_attachments.is_empty();
        says && answers && shows && !self.repeats_another()
    }
}

/// For fuzzing: reads any answer as everything an instance is asked for.
#[cfg(feature = "test-util")]
pub fn check_answer(body: &[u8]) {
    let _ = serde_json::from_slice::<Me>(body);
    let _ = serde_json::from_slice::<Made>(body);
    let _ = serde_json::from_slice::<InstanceFacts>(body);
    let Ok(statuses) = serde_json::from_slice::<Vec<Status>>(body) else { return };
    for status in &statuses {
        let (_, _) = (status.at(), status.repeats_another());
        assert!(alike::same_source(&status.text(), &status.text()));
        assert!(segment(&status.id).bytes().all(|byte| !b"/?#.\\".contains(&byte)));
    }
    let ids: Vec<_> = statuses.iter().map(|status| status.id.clone()).collect();
    let Some(before) = ids.get(ids.len() / 2) else { return };
    // A page that goes on after a post never gives it again, so that paging ends.
    let left = older_than(statuses, Some(before));
    assert!(left.len() < ids.len());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(id: &str) -> Status {
        serde_json::from_value(json!({ "id": id, "created_at": "2026-11-21T16:28:47.000Z" }))
            .unwrap()
    }

    #[track_caller]
    fn check_older(before: Option<&str>, expected: &[&str]) {
        let statuses = older_than(["12", "11", "9", "8"].map(status).into(), before);
        let ids: Vec<_> = statuses.iter().map(|status| status.id.as_str()).collect();
        assert_eq!(ids, expected, "{before:?}");
    }

    #[test]
    fn a_page_begins_where_the_one_before_ended_even_where_servers_do_not_page() {
        check_older(None, &["12", "11", "9", "8"]);
        check_older(Some("11"), &["9", "8"]);
        check_older(Some("8"), &[]);
        // It was deleted since.
        check_older(Some("10"), &["9", "8"]);
    }

    #[test]
    fn a_post_its_account_reblogged_is_still_that_post_on_snac() {
        let shown: Status = serde_json::from_value(json!({
            "id": "1", "content": "", "created_at": "2026-11-21T16:28:47Z",
            "reblog": { "id": "1", "content": "Baa<br>", "created_at": null },
        }))
        .unwrap();
        assert_eq!((shown.text().as_str(), shown.repeats_another()), ("Baa", false));
        let other: Status = serde_json::from_value(json!({
            "id": "2", "reblog": { "id": "1", "content": "Baa<br>" },
        }))
        .unwrap();
        assert!(other.repeats_another());
    }

    #[test]
    fn ids_stay_within_their_part_of_an_address() {
        assert_eq!(segment("179527852732f9798397caac"), "179527852732f9798397caac");
        assert_eq!(segment("../a?b#c d"), "%2E%2E%2Fa%3Fb%23c%20d");
    }

    #[track_caller]
    fn check_file(id: &str, text: &str, expected: &str) {
        let read = MastodonKey::read_file(&id.parse().unwrap(), &SecretString::from(text));
        let got = read.map_or_else(|err| err.to_string(), |new| new.url.unwrap_or_default());
        assert_eq!(got, expected);
    }

    #[test]
    fn a_key_file_has_a_token_and_the_handle_an_instance() {
        let token = r#"{"access_token":"hush"}"#;
        check_file("mastodon:apollo@i.example", token, "https://i.example");
        let url = r#"{"access_token":"hush","url":"https://api.i.example"}"#;
        check_file("mastodon:apollo@i.example", url, "https://api.i.example");
        check_file(
            "mastodon:apollo@i.example",
            r#"{"token":"hush"}"#,
            "`token` is not known here; did you mean `access_token`?",
        );
    }
}
