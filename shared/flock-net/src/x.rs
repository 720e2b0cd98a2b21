//! X, through its API v2 (docs.x.com and its OpenAPI document 2.167, 2026-08).
//!
//! X has no idempotency key. When an earlier request may have arrived, the account's own newest posts are
//! read first; a "duplicate" answer counts as sent only then. Everything X charges is paid from the purse
//! before it is asked for: what X certainly did not charge is given back, what nobody knows of stays paid.

mod answers;
mod app;
mod follow;
mod key;
mod profile;
mod sign_in;
mod signature;
mod tokens;

use std::sync::{Mutex, PoisonError};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use flock_core::{AccountId, Charge, Network, Picture, RemoteId, Sent};
use flock_store::Store;
use jiff::{SignedDuration, Timestamp};
use reqwest::{
    Method, StatusCode,
    header::{AUTHORIZATION, CONTENT_TYPE},
};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};

pub use self::app::XApp;
pub(crate) use self::key::XKey;

use self::{
    answers::{Created, Deletion, Me, Reposted, Tweet, Tweets, Uploaded, XError},
    key::With,
    signature::{Step, clock_behind, clock_words, sign},
    tokens::{Of, Tokens, over},
};
use crate::{
    Account, Checked, Deleted, Draft, Failure, FailureKind, Purse, ShownPost, Timeline,
    answer::{Answer, DONE, Limit, printable},
    failure::NotDone,
    http::Http,
    look::{Looks, Order},
};

const X_NAME: &str = "X";

/// X's API.
#[derive(Debug)]
pub(crate) struct X {
    base: String,
    /// Where people are, who sign in.
    pages: String,
    http: Http,
    tokens: Tokens,
    looks: Looks,
    // Until when no account of the app may post. A cache: losing it costs one request that is refused.
    app_limited: Mutex<Option<Timestamp>>,
}

/// What is sent with a request. Neither is signed with it (RFC 5849, 3.4.1.3.1).
#[derive(Clone, Copy)]
enum Body<'a> {
    Json(&'a Value),
    Form { kind: &'a str, bytes: &'a [u8] },
}

/// Who asks.
#[derive(Clone, Copy)]
struct Caller<'a> {
    account: &'a Account,
    key: &'a XKey,
    purse: &'a Purse<'a>,
}

impl X {
    /// Own posts per page: each that is listed is charged, and what is looked for is among the newest.
    const PAGE: u32 = 10;
    /// So many posts an account makes in a quarter of an hour at most (docs.x.com, "Rate limits", 2026-08):
    /// a post that was sent just now is among them.
    const PAGES: u32 = 10;
    /// After so many tries, which is some seven minutes, X lists what it has: then what it calls a duplicate is one of
    /// an older post.
    const SURELY_LISTED: u32 = 3;
    /// How far X's clock and ours may be apart: further, and X does not take what we sign.
    const CLOCK_SKEW: SignedDuration = SignedDuration::from_mins(5);

    /// `http` twice: limits on exchanges of tokens are none on posts.
    pub(crate) fn new(
        http: Http,
        exchanges: Http,
        looks: Looks,
        store: Store,
        base: Option<String>,
    ) -> Self {
        let pages = base.clone().unwrap_or_else(|| "https://x.com".to_owned());
        let base = base.unwrap_or_else(|| "https://api.x.com".to_owned());
        let tokens = Tokens::new(base.clone(), exchanges, store);
        Self { base, pages, http, tokens, looks, app_limited: Mutex::default() }
    }

    pub(crate) fn limited_until(&self, account: &AccountId) -> Option<Timestamp> {
        let app = *self.app_limited.lock().unwrap_or_else(PoisonError::into_inner);
        let app = app.filter(|until| self.http.now() < *until);
        self.http.limited_until(account).max(app)
    }

    pub(crate) async fn post(
        &self,
        draft: &Draft<'_>,
        account: &Account,
        key: &XKey,
        purse: &Purse<'_>,
    ) -> Result<RemoteId, Failure> {
        let caller = Caller { account, key, purse };
        if draft.sent == Sent::Maybe
            && let Some(remote_id) = self.find(draft, caller).await?
        {
            return Ok(remote_id);
        }
        let posted = self.say(draft, caller).await;
        posted.map_err(|failure| Self::after_a_look(draft, failure))
    }

    /// What went wrong with a post that may be there, though no look has found it: X lists what is new a little late, so as long as
    /// X does not speak of the text it is looked for again, and neither asked for without that nor forgotten.
    fn after_a_look(draft: &Draft<'_>, failure: Failure) -> Failure {
        match failure.kind {
            FailureKind::TryAgain { .. } | FailureKind::Refused(_) if draft.sent == Sent::Maybe => {
                failure.leaves_unknown()
            }
            FailureKind::TryAgain { .. }
            | FailureKind::Refused(_)
            | FailureKind::NotThisText(_)
            | FailureKind::Unknown => failure,
        }
    }

    /// Asks for the post.
    async fn say(&self, draft: &Draft<'_>, caller: Caller<'_>) -> Result<RemoteId, Failure> {
        let Caller { account, purse, .. } = caller;
        self.may_ask(account)?;
        let mut body = json!({ "text": draft.post.text });
        if draft.made_with_ai {
            body["made_with_ai"] = true.into();
        }
        if let Some(reply_to) = draft.reply_to {
            body["reply"] = json!({ "in_reply_to_tweet_id": id(reply_to)? });
        }
        if let Some(picture) = draft.picture {
            let media_id = self.upload(picture, caller).await?;
            body["media"] = json!({ "media_ids": [media_id] });
        }
        let bill = purse.pay(Network::X, "post", charge(draft)).await?;
        let answer = self.ask(Method::POST, "/2/tweets", &[], Some(&body), caller).await;
        let posted = match answer {
            Ok(answer) => match is_duplicate(&answer) {
                Some(proof) => self.duplicate(draft, proof, caller).await,
                None => read(&answer).and_then(|created: Created| created.id()),
            },
            Err(failure) => Err(failure),
        };
        // Before anything is given back: what may be there is paid for.
        let posted = posted.map_err(|failure| Self::after_a_look(draft, failure));
        if let Some(proof) = posted.as_ref().err().and_then(Failure::not_done) {
            purse.give_back(&bill, proof).await?;
        }
        posted
    }

    /// X says it has the same text. After a request that may have arrived that is our post; else the
    /// account said it before.
    async fn duplicate(
        &self,
        draft: &Draft<'_>,
        proof: NotDone,
        caller: Caller<'_>,
    ) -> Result<RemoteId, Failure> {
        let said_before =
            || Failure::not_this_text(proof, "X has the same text from the account already");
        if draft.sent == Sent::No {
            return Err(said_before());
        }
        let found = self.find(draft, caller).await?;
        found.ok_or_else(|| {
            if draft.attempts < Self::SURELY_LISTED {
                Failure::unknown("X says it has the post, but does not list it yet")
            } else {
                said_before()
            }
        })
    }

    /// Looks for the draft among the account's newest posts. Whatever goes wrong, with a bad key, too, what
    /// was looked for stays unknown: a sheep that stopped would say it again once it has a good one.
    async fn find(
        &self,
        draft: &Draft<'_>,
        caller: Caller<'_>,
    ) -> Result<Option<RemoteId>, Failure> {
        self.search(draft, caller).await.map_err(Failure::leaves_unknown)
    }

    async fn search(
        &self,
        draft: &Draft<'_>,
        caller: Caller<'_>,
    ) -> Result<Option<RemoteId>, Failure> {
        if let Some(ours) = self.looks.recorded(draft).await? {
            return Ok(Some(ours));
        }
        let due = draft.post.at.saturating_sub(Self::CLOCK_SKEW).unwrap_or(Timestamp::UNIX_EPOCH);
        let from = match draft.last_remote.and_then(|last| id(last).ok()) {
            // Newer than the post before, whatever the clocks say.
            Some(last) => ("since_id", last.to_owned()),
            None => ("start_time", due.to_string()),
        };
        let mut page = None;
        let (mut order, mut end, mut passed) = (Order::default(), None, false);
        for _ in 0..Self::PAGES {
            let tweets = self.page(Some(&from), page.as_deref(), caller).await?;
            // What is older than the intent is not what came of it, though it says the same.
            let is_old = |tweet: &Tweet| tweet.created_at.is_some_and(|at| at < due);
            let mut found = Vec::new();
            for tweet in &tweets.data {
                let id = tweet.id()?;
                passed |= is_old(tweet);
                let place = (id.as_str().len(), id.as_str().to_owned());
                if let Some(before) = end.replace(place.clone()) {
                    order.note(before.cmp(&place));
                }
                if !is_old(tweet) && tweet.says(&draft.post.text) {
                    found.push(id);
                }
            }
            if let Some(ours) = self.looks.take(draft, &found).await? {
                return Ok(Some(ours));
            }
            match tweets.meta.next_token {
                // Older ones cost money, and say nothing.
                Some(_) if passed && order.is_newest_first() => return Ok(None),
                Some(next) => page = Some(next),
                None => return Ok(None),
            }
        }
        Err(Failure::unknown(format!(
            "the post is not among the account's {} newest on X; look whether it is there",
            Self::PAGES * Self::PAGE
        )))
    }

    /// A page of the account's own posts, without reposts; paid for by the post.
    async fn page(
        &self,
        from: Option<&(&str, String)>,
        page: Option<&str>,
        caller: Caller<'_>,
    ) -> Result<Tweets, Failure> {
        self.may_ask(caller.account)?;
        let purse = caller.purse;
        let bill = purse.pay_each(Network::X, "look", Charge::OwnPosts(Self::PAGE)).await?;
        let mut query = vec![
            ("max_results", Self::PAGE.to_string()),
            ("exclude", "retweets".to_owned()),
            ("post.fields", "created_at,entities".to_owned()),
        ];
        query.extend(from.cloned());
        query.extend(page.map(|page| ("pagination_token", page.to_owned())));
        let tweets = self.list(&query, caller).await;
        match &tweets {
            Ok(tweets) => {
                let listed = u32::try_from(tweets.data.len()).unwrap_or(Self::PAGE);
                purse.settle_at(&bill, Charge::OwnPosts(listed.min(Self::PAGE))).await?;
            }
            Err(failure) => match failure.not_done() {
                Some(_) => purse.settle_at(&bill, Charge::OwnPosts(0)).await?,
                None => purse.settle_at(&bill, Charge::OwnPosts(Self::PAGE)).await?,
            },
        }
        tweets
    }

    async fn list(&self, query: &[(&str, String)], caller: Caller<'_>) -> Result<Tweets, Failure> {
        let path = format!("/2/users/{}/tweets", caller.account.remote_user);
        let answer = self.ask(Method::GET, &path, query, None, caller).await?;
        if answer.status != StatusCode::OK {
            return Err(failure(&answer));
        }
        let tweets: Tweets = answer.json(X_NAME)?;
        match tweets.meta.result_count {
            Some(count) if usize::try_from(count) == Ok(tweets.data.len()) => Ok(tweets),
            // What is missing may be what is looked for.
            Some(count) => Err(Failure::unknown(format!(
                "X says that it lists {count} posts, and lists {}",
                tweets.data.len()
            ))),
            // For a user it does not know X answers with errors and success: that is not an empty list.
            None => Err(Failure::refused(
                NotDone::HARMLESS,
                "X does not know the account's `user_id`; add the account again with the right one",
            )),
        }
    }

    /// Hands a picture over, with its alternative text. Until a post shows it nothing is done, so whatever
    /// goes wrong can be tried again.
    async fn upload(&self, picture: &Picture, caller: Caller<'_>) -> Result<String, Failure> {
        let body = json!({
            "media": BASE64_STANDARD.encode(picture.bytes()),
            "media_category": "tweet_image",
        });
        let answer = self.ask(Method::POST, "/2/media/upload", &[], Some(&body), caller).await;
        let uploaded = answer.and_then(|answer| read::<Uploaded>(&answer));
        let media_id = uploaded.map_err(Failure::posts_nothing)?.data.id;
        if !picture.alt().is_empty() {
            self.describe(&media_id, picture.alt(), caller)
                .await
                .map_err(Failure::posts_nothing)?;
        }
        Ok(media_id)
    }

    async fn describe(&self, media_id: &str, alt: &str, caller: Caller<'_>) -> Result<(), Failure> {
        let bill = caller.purse.pay_each(Network::X, "alt", Charge::AltText).await?;
        let body = json!({ "id": media_id, "metadata": { "alt_text": { "text": alt } } });
        let answer = self.ask(Method::POST, "/2/media/metadata", &[], Some(&body), caller).await;
        let described = answer.and_then(|answer| read::<Value>(&answer));
        match described.as_ref().err().and_then(Failure::not_done) {
            Some(proof) => caller.purse.give_back(&bill, proof).await?,
            None => caller.purse.settle_at(&bill, Charge::AltText).await?,
        }
        described.map(|_| ())
    }

    pub(crate) async fn repost(
        &self,
        of: &RemoteId,
        account: &Account,
        key: &XKey,
        purse: &Purse<'_>,
    ) -> Result<RemoteId, Failure> {
        let caller = Caller { account, key, purse };
        self.may_ask(account)?;
        let body = json!({ "tweet_id": id(of)? });
        let bill = purse.pay(Network::X, "repost", Charge::Repost).await?;
        let path = format!("/2/users/{}/retweets", account.remote_user);
        let answer = self.ask(Method::POST, &path, &[], Some(&body), caller).await;
        let reposted = match answer {
            // Perhaps by an earlier request of ours, which was charged: so nothing is given back.
            Ok(answer)
                if answer.proof().is_some()
                    && XError::of(&answer).has(327, "already retweeted") =>
            {
                Ok(of.clone())
            }
            Ok(answer) => read(&answer).and_then(|reposted: Reposted| reposted.id()),
            Err(failure) => Err(failure),
        };
        if let Some(proof) = reposted.as_ref().err().and_then(Failure::not_done) {
            purse.give_back(&bill, proof).await?;
        }
        reposted
    }

    pub(crate) async fn delete(
        &self,
        post: &RemoteId,
        account: &Account,
        key: &XKey,
        purse: &Purse<'_>,
    ) -> Result<Deleted, Failure> {
        let caller = Caller { account, key, purse };
        self.may_ask(account)?;
        let path = format!("/2/tweets/{}", id(post)?);
        let bill = purse.pay(Network::X, "delete", Charge::Delete).await?;
        let answer = self.ask(Method::DELETE, &path, &[], None, caller).await;
        let deleted = match answer {
            // Perhaps by an earlier request of ours, which was charged: so nothing is given back.
            Ok(answer) if answer.status == StatusCode::NOT_FOUND && answer.proof().is_some() => {
                Ok(Deleted::Before)
            }
            Ok(answer) => match read(&answer) {
                Ok(Deletion { data }) if data.deleted => Ok(Deleted::Now),
                // It may be there: what is gone is answered 404.
                Ok(Deletion { .. }) => {
                    Err(Failure::unknown("X says that it did not delete the post, and not why"))
                }
                Err(failure) => Err(failure),
            },
            Err(failure) => Err(failure),
        };
        if let Some(proof) = deleted.as_ref().err().and_then(Failure::not_done) {
            purse.give_back(&bill, proof).await?;
        }
        deleted
    }

    pub(crate) async fn timeline(
        &self,
        account: &Account,
        key: &XKey,
        page: Option<&str>,
        purse: &Purse<'_>,
    ) -> Result<Timeline, Failure> {
        let tweets = self.page(None, page, Caller { account, key, purse }).await?;
        let posts = tweets.data.iter().map(|tweet| {
            let at = tweet.created_at;
            let at = at.ok_or_else(|| Failure::unknown("X does not say when a post was made"))?;
            Ok(ShownPost { id: tweet.id()?, text: tweet.plain_text(), at })
        });
        Ok(Timeline { posts: posts.collect::<Result<_, Failure>>()?, next: tweets.meta.next_token })
    }

    /// Looking up whose key it is would be charged. A listing is charged by the post, and one of what was
    /// posted from now on is empty: so it costs nothing to hear that X takes the key and knows the account.
    /// Whose the key is, its token says itself, and who signed in with OAuth 2.0 was looked up then.
    pub(crate) async fn check(&self, account: &Account, key: &XKey) -> Result<Checked, Failure> {
        let token = match &key.with {
            With::Signature { token, .. } => token.token.expose_secret(),
            With::Bearer { .. } => "",
        };
        let owner = token.split_once('-').map(|(owner, _)| owner);
        let owner = owner
            .filter(|owner| !owner.is_empty() && owner.bytes().all(|byte| byte.is_ascii_digit()));
        if owner.is_some_and(|owner| owner != account.remote_user) {
            return Err(Failure::cannot(format!(
                "the token is not one of the account {}; take `user_id` and `token` of the same \
                 account",
                account.remote_user
            )));
        }
        let path = format!("/2/users/{}/tweets", account.remote_user);
        // In whole seconds, and in X's past: its clock need not agree with ours.
        let from = Timestamp::from_second(self.http.now().as_second() - 60).unwrap_or_default();
        let query = [("max_results", "5".to_owned()), ("start_time", from.to_string())];
        let answer = self.ask_as(Method::GET, &path, &query, None, account, key).await?;
        if answer.status != StatusCode::OK {
            return Err(answers::reading_failure(&answer));
        }
        if matches!(key.with, With::Signature { .. }) {
            may_write(&answer)?;
        }
        let limits = answer.left();
        let tweets: Tweets = answer.json(X_NAME).map_err(Failure::posts_nothing)?;
        if tweets.meta.result_count.is_none() {
            let why = "X does not know an account with this `user_id`";
            return Err(Failure::refused(NotDone::HARMLESS, why));
        }
        let (remote_user, facts) = (account.remote_user.clone(), account.facts.clone());
        Ok(Checked {
            remote_user,
            is_proven: owner.is_some(),
            handle: None,
            facts,
            asked_at: None,
            session: None,
            scopes: Vec::new(),
            lacks: Vec::new(),
            limits,
        })
    }

    /// The same, with what X calls whoever has the key. X charges for that like for one user that is looked up ($0.01).
    pub(crate) async fn check_whose(
        &self,
        account: &Account,
        key: &XKey,
    ) -> Result<Checked, Failure> {
        let checked = self.check(account, key).await?;
        let answer = self.ask_as(Method::GET, "/2/users/me", &[], None, account, key).await;
        let answer = answer.map_err(Failure::posts_nothing)?;
        if answer.status != StatusCode::OK {
            return Err(answers::reading_failure(&answer));
        }
        let Me { data } = answer.json(X_NAME).map_err(Failure::posts_nothing)?;
        Ok(Checked {
            remote_user: data.id,
            is_proven: true,
            handle: data.username.map(|name| printable(&name)),
            ..checked
        })
    }

    /// Whether X takes requests of the account now.
    fn may_ask(&self, account: &Account) -> Result<(), Failure> {
        self.http.may_ask(&account.id, X_NAME)?;
        let Some(until) = self.limited_until(&account.id) else { return Ok(()) };
        let why = format!("X takes no more requests of {} until {until}", account.id);
        Err(Failure::not_before(NotDone::NOT_ASKED, until, why))
    }

    async fn ask(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, String)],
        body: Option<&Value>,
        Caller { account, key, .. }: Caller<'_>,
    ) -> Result<Answer, Failure> {
        self.ask_as(method, path, query, body.map(Body::Json), account, key).await
    }

    /// Sends a request of the account and returns the answer, whatever its status; once more where a token turns out to be over
    /// that should have been good. Then nothing was done before.
    async fn ask_as(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, String)],
        body: Option<Body<'_>>,
        account: &Account,
        key: &XKey,
    ) -> Result<Answer, Failure> {
        let mut url = self.http.url(&self.base, path)?;
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let path = match url.query() {
            Some(query) => format!("{path}?{query}"),
            None => path.to_owned(),
        };
        let ask = async |authorization: String| {
            let request = self.http.request(method.clone(), &self.base, &path)?;
            let request = request.header(AUTHORIZATION, authorization);
            let request = match body {
                Some(Body::Json(body)) => request.json(body),
                Some(Body::Form { kind, bytes }) => {
                    request.header(CONTENT_TYPE, kind).body(bytes.to_vec())
                }
                None => request,
            };
            self.send(account, request).await
        };
        match &key.with {
            With::Signature { consumer, token } => {
                let signed_at = self.http.time_outside();
                let (method, token) = (method.as_str(), Some(token));
                let answer =
                    ask(sign(method, &url, consumer, token, Step::None, signed_at)).await?;
                match answer.proof().zip(clock_behind(&answer, signed_at)) {
                    Some((proof, behind)) => Err(Failure::try_again(proof, clock_words(behind))),
                    None => Ok(answer),
                }
            }
            With::Bearer { client, beside } => {
                let of = Of { account: &account.id, client, beside };
                let token = self.tokens.access(of).await?;
                let answer = ask(bearer(&token)).await?;
                if !is_over(&answer) {
                    return Ok(answer);
                }
                let token = Box::pin(self.tokens.renew(of, Some(&token))).await?;
                let answer = ask(bearer(&token)).await?;
                if is_over(&answer) { Err(over(false)) } else { Ok(answer) }
            }
        }
    }

    async fn send(
        &self,
        account: &Account,
        request: reqwest::RequestBuilder,
    ) -> Result<Answer, Failure> {
        let answer = self.http.send(&account.id, X_NAME, request).await?;
        // Said of the whole app, so it holds for its other accounts, too.
        if let Some(reset) = Limit::X_APP_DAY.used_up(&answer) {
            let mut limited = self.app_limited.lock().unwrap_or_else(PoisonError::into_inner);
            *limited = limited.max(Some(reset.until));
        }
        Ok(answer)
    }
}

/// Refuses a token that may only read: with answers to signed requests X says what it may (X's announcement "The new permission model
/// is now in effect", 2011-06-30: "read, read-write, or read-write-directmessages"), which a token keeps when the app is allowed more
/// (developer.x.com, "App permissions", read 2026-11). Where it says nothing, nothing is claimed.
fn may_write(answer: &Answer) -> Result<(), Failure> {
    let level = answer.header("x-access-level").map(str::trim);
    if !level.is_some_and(|level| level.eq_ignore_ascii_case("read")) {
        return Ok(());
    }
    Err(Failure::refused(
        NotDone::HARMLESS,
        "X lets the key only read; set \"Read and write\" in X's developer console (console.x.com, \"User authentication \
         settings\"), then sign in again: an older key keeps the old right",
    ))
}

/// The body of a success, or what any other answer means.
fn read<T: serde::de::DeserializeOwned>(answer: &Answer) -> Result<T, Failure> {
    if DONE.contains(&answer.status) {
        return answer.json(X_NAME);
    }
    Err(failure(answer))
}

fn failure(answer: &Answer) -> Failure {
    let Some(proof) = answer.proof().filter(|_| answer.status == StatusCode::TOO_MANY_REQUESTS)
    else {
        return answers::failure(answer);
    };
    let days = [("the app", Limit::X_APP_DAY), ("the account", Limit::X_USER_DAY)];
    let used_up = days.iter().filter_map(|(who, day)| Some((*who, day.used_up(answer)?)));
    let Some((who, day)) = used_up.max_by_key(|(_, reset)| reset.until) else {
        return answers::failure(answer);
    };
    // What X says of its other limits may last longer.
    let reset = answer.reset().map_or(day.clone(), |other| day.later(other));
    let why =
        format!("{who} has made all the posts of its day on X{}{}", answer.said(), reset.words());
    Failure::not_before(proof, reset.until, why)
}

/// What posting the draft is charged as. A reply is to somebody who asked for it, because X takes no others,
/// unless it goes on where the sheep itself stopped.
fn charge(draft: &Draft<'_>) -> Charge {
    match draft.reply_to {
        Some(reply_to) if draft.last_remote != Some(reply_to) => Charge::Reply,
        _ => Charge::Post { link: 0 < (Network::X.facts().measure)(&draft.post.text).links },
    }
}

/// X says that it has the text already, and has made nothing.
fn is_duplicate(answer: &Answer) -> Option<NotDone> {
    // 187 is what v1.1 calls it.
    let says_so =
        answer.status == StatusCode::FORBIDDEN && XError::of(answer).has(187, "duplicate content");
    answer.proof().filter(|_| says_so)
}

/// An id as X takes it.
fn id(remote_id: &RemoteId) -> Result<&str, Failure> {
    let id = remote_id.as_str();
    if (1..=19).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(id);
    }
    Err(Failure::cannot(format!("`{id}` is not the number of a post on X")))
}

/// Whether X says, in its own words, that it does not take the token.
fn is_over(answer: &Answer) -> bool {
    answer.status == StatusCode::UNAUTHORIZED
        && answer.proof().is_some()
        && !XError::of(answer).has(416, "suspended application")
}

fn bearer(token: &SecretString) -> String {
    format!("Bearer {}", token.expose_secret())
}

/// Reads `body` as what X could answer to who asks for tokens, and panics when what must hold does not.
#[cfg(feature = "test-util")]
pub fn check_answer(body: &[u8]) {
    tokens::check_answer(body);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_numbers_are_ids_of_x() {
        let check = |text: &str| id(&text.parse().unwrap()).map(ToOwned::to_owned);
        assert_eq!(check("2124182926852620288").as_deref(), Ok("2124182926852620288"));
        for wrong in ["at://did:plc:a/b/c", "21241829268526202880", "1/../2"] {
            let why = format!("`{wrong}` is not the number of a post on X");
            assert_eq!(check(wrong), Err(Failure::cannot(why)));
        }
    }
}
