//! X, through its API v2 (docs.x.com and its OpenAPI document 2.167, 2026-08).
//!
//! X has no idempotency key. When an earlier request may have arrived, the account's own newest posts are
//! read first; a "duplicate" answer counts as sent only then. Everything X charges is paid from the purse
//! before it is asked for.

use std::collections::BTreeSet;

use flock_core::{AccountFacts, AccountId, Charge, Network, RemoteId, Sent, Tier};
use jiff::{SignedDuration, Timestamp};
use oauth1_request as oauth;
use reqwest::{Method, RequestBuilder, StatusCode, Url, header::AUTHORIZATION};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::json;

use crate::{
    Account, Checked, Deleted, Draft, Failure, FailureKind, KeyProblem, NewKey, Purse, Timeline,
    http::Http, secret_json,
};

const X_NAME: &str = "X";

/// The app's credentials, from the secret `flockwork/x`.
#[derive(Debug, Clone, Deserialize)]
struct XApp {
    consumer_key: SecretString,
    consumer_secret: SecretString,
}

/// What is sealed of an account.
#[derive(Debug, Deserialize)]
struct XToken {
    token: SecretString,
    token_secret: SecretString,
}

/// A key file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct XKeyFile {
    token: SecretString,
    token_secret: SecretString,
    user_id: String,
    consumer_key: Option<SecretString>,
    consumer_secret: Option<SecretString>,
    #[serde(default)]
    tier: Tier,
    #[serde(default)]
    automated_label: bool,
}

/// What is needed to post as one account: OAuth 1.0a, whose tokens do not expire.
#[derive(Debug)]
pub struct XKey {
    app: XApp,
    token: XToken,
}

/// X's API.
#[derive(Debug)]
pub(crate) struct X {
    base: String,
    http: Http,
}

impl XKey {
    pub(crate) fn read(key: &SecretString, app: Option<&SecretString>) -> Result<Self, KeyProblem> {
        let app =
            app.ok_or_else(|| KeyProblem("the X app's credentials are missing".to_owned()))?;
        let app = serde_json::from_str(app.expose_secret()).map_err(|_| {
            KeyProblem("the secret of the X app lacks consumer_key or consumer_secret".to_owned())
        })?;
        Ok(Self { app, token: secret_json(key, "`token` and `token_secret`")? })
    }

    pub(crate) fn read_file(text: &SecretString) -> Result<NewKey, KeyProblem> {
        let file: XKeyFile = secret_json(text, "`token`, `token_secret` and `user_id`")?;
        if file.user_id.is_empty() || !file.user_id.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(KeyProblem("`user_id` is the account's number, digits only".to_owned()));
        }
        let key = json!({
            "token": file.token.expose_secret(),
            "token_secret": file.token_secret.expose_secret(),
        });
        let app = file.consumer_key.zip(file.consumer_secret).map(|(key, secret)| {
            let app = json!({
                "consumer_key": key.expose_secret(),
                "consumer_secret": secret.expose_secret(),
            });
            SecretString::from(app.to_string())
        });
        Ok(NewKey {
            key: SecretString::from(key.to_string()),
            url: None,
            remote_user: file.user_id,
            facts: AccountFacts {
                tier: file.tier,
                labelled: file.automated_label,
                text_limit: None,
                picture_bytes: None,
            },
            app,
        })
    }
}

impl X {
    /// Reading further back than this many pages of 100 is not looking for a recent post.
    const PAGES: usize = 10;
    /// How far X's clock and ours may be apart.
    const CLOCK_SKEW: SignedDuration = SignedDuration::from_mins(5);

    pub(crate) fn new(http: Http, base: Option<String>) -> Self {
        Self { base: base.unwrap_or_else(|| "https://api.x.com".to_owned()), http }
    }

    pub(crate) fn limited_until(&self, account: &AccountId) -> Option<Timestamp> {
        self.http.limited_until(account)
    }

    pub(crate) async fn post(
        &self,
        draft: &Draft<'_>,
        account: &Account,
        key: &XKey,
        purse: &Purse<'_>,
    ) -> Result<RemoteId, Failure> {
        if draft.sent == Sent::Maybe
            && let Some(remote_id) =
                self.find(draft, account, key, purse).await.map_err(Failure::of_look)?
        {
            return Ok(remote_id);
        }
        let links = (Network::X.facts().measure)(&draft.post.text).links;
        let bill = purse.pay(Network::X, "post", Charge::Post { link: 0 < links }).await?;
        let body = json!({ "text": draft.post.text });
        let request = self.request(Method::POST, "/2/tweets", &[], key)?.json(&body);
        let posted = match self.http.send(&account.id, X_NAME, request).await {
            Ok(answer) => match answer.status {
                StatusCode::CREATED | StatusCode::OK => created(&answer.body),
                StatusCode::FORBIDDEN if is_duplicate(&answer.body) => {
                    self.duplicate(draft, account, key, purse).await
                }
                _ => Err(answer.failure(X_NAME)),
            },
            Err(failure) => Err(failure),
        };
        if let Err(Failure { kind: FailureKind::TryAgain { .. } | FailureKind::Refused, .. }) =
            posted
        {
            purse.settle(&bill, None).await?;
        }
        posted
    }

    /// X says it has the same text. After a request that may have arrived that is our post; else the
    /// account said it before.
    async fn duplicate(
        &self,
        draft: &Draft<'_>,
        account: &Account,
        key: &XKey,
        purse: &Purse<'_>,
    ) -> Result<RemoteId, Failure> {
        if draft.sent == Sent::No {
            return Err(Failure::refused(
                "X refused the text because the account posted the same one recently; change the \
                 line or wait",
            ));
        }
        match self.find(draft, account, key, purse).await.map_err(Failure::of_look)? {
            Some(remote_id) => Ok(remote_id),
            None => Err(Failure::unknown("X says it has the post, but does not list it yet")),
        }
    }

    /// Looks for the draft among the account's newest posts.
    async fn find(
        &self,
        draft: &Draft<'_>,
        account: &Account,
        key: &XKey,
        _purse: &Purse<'_>,
    ) -> Result<Option<RemoteId>, Failure> {
        let mut page: Option<String> = None;
        for _ in 0..Self::PAGES {
            let mut query =
                vec![("max_results", "100".to_owned()), ("post.fields", "entities".to_owned())];
            if let Some(last) = draft.last_remote {
                // Newer than the post before, whatever the clocks say.
                query.push(("since_id", last.to_string()));
            } else {
                let from = draft.post.at.saturating_sub(Self::CLOCK_SKEW);
                query.push(("start_time", from.unwrap_or(Timestamp::UNIX_EPOCH).to_string()));
            }
            query.extend(page.take().map(|page| ("pagination_token", page)));
            let path = format!("/2/users/{}/tweets", account.remote_user);
            let request = self.request(Method::GET, &path, &query, key)?;
            let answer = self.http.send(&account.id, X_NAME, request).await?;
            if answer.status != StatusCode::OK {
                return Err(answer.failure(X_NAME));
            }
            let timeline: Tweets = answer.json(X_NAME)?;
            // For a user it does not know X answers with errors and success: that is not an empty list.
            if timeline.meta.result_count.is_none() {
                let why = "X did not list the account's posts; is its user_id right?";
                return Err(Failure::unknown(why));
            }
            if let Some(tweet) = timeline.data.iter().find(|tweet| tweet.says(&draft.post.text)) {
                return Ok(tweet.id.parse().ok());
            }
            match timeline.meta.next_token {
                Some(token) => page = Some(token),
                None => return Ok(None),
            }
        }
        Ok(None)
    }

    pub(crate) async fn repost(
        &self,
        _of: &RemoteId,
        _account: &Account,
        _key: &XKey,
        _purse: &Purse<'_>,
    ) -> Result<RemoteId, Failure> {
        Err(Failure::refused("X is not asked for this yet"))
    }

    pub(crate) async fn delete(
        &self,
        _post: &RemoteId,
        _account: &Account,
        _key: &XKey,
        _purse: &Purse<'_>,
    ) -> Result<Deleted, Failure> {
        Err(Failure::refused("X is not asked for this yet"))
    }

    pub(crate) async fn timeline(
        &self,
        _account: &Account,
        _key: &XKey,
        _page: Option<&str>,
        _purse: &Purse<'_>,
    ) -> Result<Timeline, Failure> {
        Err(Failure::refused("X is not asked for this yet"))
    }

    pub(crate) async fn check(&self, account: &Account, _key: &XKey) -> Result<Checked, Failure> {
        let (remote_user, facts) = (account.remote_user.clone(), account.facts.clone());
        Ok(Checked { remote_user, facts, session: None })
    }

    /// A signed request.
    fn request(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, String)],
        key: &XKey,
    ) -> Result<RequestBuilder, Failure> {
        let mut url = self.http.url(&self.base, path)?;
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let authorization = sign(method.as_str(), &url, key);
        let path = match url.query() {
            Some(query) => format!("{path}?{query}"),
            None => path.to_owned(),
        };
        let request = self.http.request(method, &self.base, &path)?;
        Ok(request.header(AUTHORIZATION, authorization))
    }
}

/// A request's `Authorization` header. The parameters of the query are part of what is signed; a JSON
/// body is not (X, "Creating a signature", 2026-08).
fn sign(method: &str, url: &Url, key: &XKey) -> String {
    let token = oauth::Token::from_parts(
        key.app.consumer_key.expose_secret(),
        key.app.consumer_secret.expose_secret(),
        key.token.token.expose_secret(),
        key.token.token_secret.expose_secret(),
    );
    let parameters: BTreeSet<_> = url.query_pairs().collect();
    let parameters = oauth::request::ParameterList::new(Vec::from_iter(parameters));
    let mut endpoint = url.clone();
    endpoint.set_query(None);
    oauth::authorize(method, endpoint.as_str(), &parameters, &token, oauth::HmacSha1::new())
}

fn created(body: &[u8]) -> Result<RemoteId, Failure> {
    let id =
        serde_json::from_slice::<Created>(body).ok().and_then(|body| body.data.id.parse().ok());
    id.ok_or_else(|| Failure::unknown("X took the post but did not say its id"))
}

fn is_duplicate(body: &[u8]) -> bool {
    let problem: Problem = serde_json::from_slice(body).unwrap_or_default();
    problem.detail.contains("duplicate content")
}

#[derive(Deserialize)]
struct Created {
    data: CreatedTweet,
}

#[derive(Deserialize)]
struct CreatedTweet {
    id: String,
}

#[derive(Deserialize)]
struct Tweets {
    #[serde(default)]
    data: Vec<Tweet>,
    #[serde(default)]
    meta: Meta,
}

#[derive(Deserialize, Default)]
struct Meta {
    result_count: Option<u64>,
    next_token: Option<String>,
}

#[derive(Deserialize)]
struct Tweet {
    id: String,
    text: String,
    #[serde(default)]
    entities: Entities,
}

#[derive(Deserialize, Default)]
struct Entities {
    #[serde(default)]
    urls: Vec<Link>,
}

#[derive(Deserialize)]
struct Link {
    url: String,
    #[serde(default)]
    expanded_url: String,
}

#[derive(Deserialize, Default)]
struct Problem {
    #[serde(default)]
    detail: String,
}

impl Tweet {
    /// Whether this is `text` as it was sent: X shortens links, bare domains too, and escapes three
    /// characters.
    fn says(&self, text: &str) -> bool {
        let mut own = self.text.clone();
        for link in &self.entities.urls {
            own = own.replace(&link.url, &link.expanded_url);
        }
        let own = own.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
        let plain = |text: &str| text.replace("https://", "").replace("http://", "");
        plain(&own).trim() == plain(text).trim()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_post_is_known_again_through_links_and_escapes() {
        let tweet: Tweet = serde_json::from_str(
            r#"{"id":"1","text":"a &lt;b&gt; &amp;amp; https://t.co/x and https://t.co/y","entities":{"urls":[
                {"url":"https://t.co/x","expanded_url":"https://example.com/page"},
                {"url":"https://t.co/y","expanded_url":"http://example.org"}]}}"#,
        )
        .unwrap();
        assert!(tweet.says("a <b> &amp; https://example.com/page and example.org"));
        assert!(!tweet.says("a <b> &amp; https://example.com/pages and example.org"));
    }

    /// Signed once more with the header's own nonce and time: over the query the signature is the same,
    /// without it another.
    #[test]
    fn the_query_is_part_of_the_signature() {
        let key = XKey {
            app: XApp { consumer_key: "ck".into(), consumer_secret: "cs".into() },
            token: XToken { token: "t".into(), token_secret: "ts".into() },
        };
        let url = Url::parse("https://api.x.com/2/users/1/tweets?since_id=2&max_results=100");
        let header = sign("GET", &url.unwrap(), &key);
        let field = |name: &str| {
            let (_, rest) = header.split_once(&format!("{name}=\"")).expect(name);
            rest.split_once('"').expect(name).0
        };
        assert_eq!((field("oauth_consumer_key"), field("oauth_token")), ("ck", "t"));
        let again = |parameters: Vec<(&str, &str)>| {
            let token = oauth::Token::from_parts("ck", "cs", "t", "ts");
            let mut builder = oauth::Builder::new(token.client, oauth::HmacSha1::new());
            builder.token(token.token).nonce(field("oauth_nonce"));
            builder.timestamp(field("oauth_timestamp").parse::<std::num::NonZeroU64>().unwrap());
            let parameters = oauth::request::ParameterList::new(parameters);
            builder.get("https://api.x.com/2/users/1/tweets", &parameters)
        };
        assert_eq!(header, again(vec![("max_results", "100"), ("since_id", "2")]));
        assert_ne!(header, again(Vec::new()));
        assert!(!format!("{key:?}").contains("ts"), "secrets do not print");
    }
}
