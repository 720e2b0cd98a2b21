//! Mastodon and servers that speak as it does (docs.joinmastodon.org, Mastodon's source, and snac 2.75 as it
//! answered; 2026-11).
//!
//! A post carries its id as `Idempotency-Key`, but two of three servers that were tried ignore it. So when an
//! earlier request may have arrived, the account's own newest posts are read first. Nothing a server says of
//! order, paging or time is needed for that to be right: snac lists everything, whatever it is asked for.

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
    Account, Checked, Deleted, Draft, Failure, KeyProblem, NewKey, Seen, Timeline, html,
    http::{Answer, Http, printable},
    secret_json,
};

/// A key file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct MastodonKeyFile {
    access_token: SecretString,
    url: Option<String>,
}

/// What is needed to post as one account.
#[derive(Debug, Deserialize)]
pub struct MastodonKey {
    access_token: SecretString,
}

/// Mastodon's API.
#[derive(Debug)]
pub(crate) struct Mastodon {
    http: Http,
}

impl MastodonKey {
    pub(crate) fn read(key: &SecretString) -> Result<Self, KeyProblem> {
        secret_json(key, "`access_token`")
    }

    pub(crate) fn read_file(id: &AccountId, text: &SecretString) -> Result<NewKey, KeyProblem> {
        let file: MastodonKeyFile = secret_json(text, "`access_token`, and `url` if need be")?;
        let instance = host(id);
        let url = file.url.unwrap_or_else(|| format!("https://{instance}"));
        let key = json!({ "access_token": file.access_token.expose_secret() });
        Ok(NewKey {
            key: SecretString::from(key.to_string()),
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
    /// Posts asked for at once. Mastodon gives up to 40; half of them are well within the size of an answer.
    const PAGE: usize = 20;
    /// Reading further back than this many pages is not looking for a recent post.
    const PAGES: usize = 10;
    /// How far the clocks of our own machines may be apart.
    const CLOCK_SKEW: SignedDuration = SignedDuration::from_mins(5);
    /// How long to wait before each look at a picture that is being processed. Longer than all of them, and
    /// the post is for the next tick, which uploads it again.
    const PROCESSING: [Duration; 3] =
        [Duration::from_millis(500), Duration::from_secs(1), Duration::from_secs(2)];

    pub(crate) fn new(http: Http) -> Self {
        Self { http }
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
            let found = instance.find(draft).await.map_err(Failure::leaves_unknown);
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
        if !answer.status.is_success() {
            return Err(match answer.status {
                StatusCode::NOT_FOUND if draft.reply_to.is_some() => Failure::refused(format!(
                    "{} does not find the post it answers{}; it may have been deleted",
                    instance.name,
                    answer.said()
                )),
                // Whom an instance shuts out it shows public posts, or none: the look said nothing.
                StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN if draft.sent == Sent::Maybe => {
                    instance.failure(&answer).leaves_unknown()
                }
                _ => instance.failure(&answer),
            });
        }
        let made: Made = answer.json(&instance.name)?;
        made.id.parse().map_err(|_| instance.nameless())
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
        match answer.status {
            status if status.is_success() => {
                let made: Made = answer.json(&instance.name)?;
                made.id.parse().map_err(|_| instance.nameless())
            }
            StatusCode::NOT_FOUND => Err(Failure::refused(format!(
                "{} does not find the post to repost{}; it may have been deleted",
                instance.name,
                answer.said()
            ))),
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
            status if status.is_success() => Ok(Deleted::Now),
            // That there is no such post and that there is no such request look the same (snac).
            StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => {
                let look = instance.send(instance.request(Method::GET, &path)?).await?;
                match look.status {
                    StatusCode::NOT_FOUND | StatusCode::GONE => Ok(Deleted::Before),
                    StatusCode::OK => {
                        let _: Made = look.json(&instance.name)?;
                        Err(Failure::refused(format!(
                            "{} does not delete posts for us, and it is still there; delete it on \
                             its pages",
                            instance.name
                        )))
                    }
                    _ => Err(instance.failure(&look)),
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
        let (statuses, answer) = instance.list(&user, page).await?;
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
            posts.push(Seen { id, text: status.text(), at });
        }
        Ok(Timeline { posts, next })
    }

    pub(crate) async fn check(
        &self,
        account: &Account,
        key: &MastodonKey,
    ) -> Result<Checked, Failure> {
        let instance = self.instance(account, key);
        let me = instance.me().await?;
        let user = account.id.handle.as_str().split('@').next().unwrap_or_default();
        if !me.username.eq_ignore_ascii_case(user) {
            let theirs = printable(&me.username);
            return Err(Failure::refused(format!(
                "the key is that of @{theirs} at {}, not of @{user}; give the right key, or the \
                 right name",
                instance.name
            )));
        }
        let configuration = instance.configuration().await?;
        Ok(Checked {
            remote_user: me.id,
            facts: AccountFacts {
                tier: Tier::Standard,
                labelled: me.bot,
                text_limit: configuration.statuses.max_characters,
                picture_bytes: configuration.media_attachments.image_size_limit,
            },
            session: None,
        })
    }

    /// Ticks "This is an automated account" in the account's profile.
    pub(crate) async fn mark_as_bot(
        &self,
        account: &Account,
        key: &MastodonKey,
    ) -> Result<(), Failure> {
        let instance = self.instance(account, key);
        let request = instance.request(Method::PATCH, "/api/v1/accounts/update_credentials")?;
        let answer = instance.send(request.json(&json!({ "bot": true }))).await?;
        if answer.status != StatusCode::OK {
            return Err(instance.failure(&answer));
        }
        let me: Me = answer.json(&instance.name)?;
        if me.bot {
            return Ok(());
        }
        Err(Failure::refused(format!(
            "{} took the mark and does not show it; set it in the account's profile",
            instance.name
        )))
    }

    fn instance<'a>(&'a self, account: &'a Account, key: &'a MastodonKey) -> Instance<'a> {
        let host = host(&account.id);
        let base = account.url.clone().unwrap_or_else(|| format!("https://{host}"));
        Instance { http: &self.http, account, key, base, name: format!("Mastodon at {host}") }
    }
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

    /// What any status but success means.
    fn failure(&self, answer: &Answer) -> Failure {
        let (name, said) = (&self.name, answer.said());
        match answer.status {
            // "Your login is currently disabled": suspended, or not confirmed yet.
            StatusCode::FORBIDDEN => Failure::refused(format!(
                "{name} shuts the account out{said}; ask its moderators, or move the sheep to another \
                 account (`flockwork sheep move`)"
            )),
            StatusCode::GONE => Failure::refused(format!(
                "{name} is gone{said}; move the sheep to another account (`flockwork sheep move`)"
            )),
            StatusCode::UNPROCESSABLE_ENTITY => {
                Failure::refused(format!("{name} does not take the post{said}; see to that"))
            }
            _ => answer.failure(name),
        }
    }

    fn nameless(&self) -> Failure {
        Failure::unknown(format!("{} took it but did not say its id", self.name))
    }

    /// Looks for the draft among the account's newest posts.
    async fn find(&self, draft: &Draft<'_>) -> Result<Option<RemoteId>, Failure> {
        let user = self.user().await?;
        let mut known = HashSet::new();
        let mut oldest: Option<String> = None;
        for _ in 0..Mastodon::PAGES {
            let (statuses, answer) = self.list(&user, oldest.as_deref()).await?;
            // Fewer are the last; more come from a server that gives all at once.
            let is_last = match statuses.len().cmp(&Mastodon::PAGE) {
                Ordering::Less => !has_next(&answer),
                Ordering::Equal => false,
                Ordering::Greater => true,
            };
            // Their clock is read off their answer, so that it need not agree with ours.
            let ahead = answer.clock_ahead().unwrap_or_default();
            let from = draft.post.at.saturating_sub(Mastodon::CLOCK_SKEW);
            let from = from.unwrap_or(Timestamp::UNIX_EPOCH);
            let is_before = |status: &Status| {
                let at = status.at().and_then(|at| at.saturating_add(ahead).ok());
                at.is_some_and(|at| at < from)
            };
            let (mut any_new, mut passed_it) = (false, false);
            for status in statuses {
                if draft.last_remote.is_some_and(|last| last.as_str() == status.id) {
                    return Ok(None);
                }
                // The rest of the page all the same: an old post may stand before new ones.
                if is_before(&status) {
                    passed_it = true;
                } else if status.is(draft) {
                    return status.id.parse().map(Some).map_err(|_| self.nameless());
                }
                any_new |= known.insert(status.id.clone());
                oldest = Some(status.id);
            }
            // A server that does not page gives the same again.
            if is_last || passed_it || !any_new {
                return Ok(None);
            }
        }
        Err(Failure::unknown(format!(
            "the post is not among the account's {} newest at {}; look whether it is there",
            Mastodon::PAGES * Mastodon::PAGE,
            self.name
        )))
    }

    /// The account's own newest posts, or those before the post `before`.
    async fn list(
        &self,
        user: &str,
        before: Option<&str>,
    ) -> Result<(Vec<Status>, Answer), Failure> {
        let mut path = format!(
            "/api/v1/accounts/{}/statuses?limit={}&exclude_reblogs=true",
            segment(user),
            Mastodon::PAGE
        );
        if let Some(before) = before {
            path.push_str("&max_id=");
            path.push_str(&segment(before));
        }
        let answer = self.send(self.request(Method::GET, &path)?).await?;
        if answer.status != StatusCode::OK {
            return Err(self.failure(&answer));
        }
        Ok((answer.json(&self.name)?, answer))
    }

    /// The account's id, which is asked for only when nobody did when it was added.
    async fn user(&self) -> Result<String, Failure> {
        if self.account.remote_user.is_empty() {
            return Ok(self.me().await?.id);
        }
        Ok(self.account.remote_user.clone())
    }

    async fn me(&self) -> Result<Me, Failure> {
        let request = self.request(Method::GET, "/api/v1/accounts/verify_credentials")?;
        let answer = self.send(request).await?;
        match answer.status {
            StatusCode::OK => answer.json(&self.name),
            // snac's word for a key it does not know, and Mastodon's for one that is an app's.
            StatusCode::UNPROCESSABLE_ENTITY => Err(Failure::refused(format!(
                "{} does not accept the account's key{}",
                self.name,
                answer.said()
            ))),
            _ => Err(self.failure(&answer)),
        }
    }

    /// The instance's limits, as far as it tells them.
    async fn configuration(&self) -> Result<Configuration, Failure> {
        // The second is deprecated, and all that servers have who follow Mastodon from afar.
        for path in ["/api/v2/instance", "/api/v1/instance"] {
            let answer = self.send(self.request(Method::GET, path)?).await?;
            if answer.status == StatusCode::OK {
                return Ok(answer.json::<InstanceFacts>(&self.name)?.configuration);
            }
            if answer.status != StatusCode::NOT_FOUND {
                return Err(self.failure(&answer));
            }
        }
        Ok(Configuration::default())
    }

    /// Uploads a picture and waits until it can be posted. Done twice it leaves a picture nobody sees, which
    /// instances throw away.
    async fn upload(&self, picture: &Picture, draft: &Draft<'_>) -> Result<String, Failure> {
        let (content_type, body) = form(picture, draft.id.as_str());
        let request = self.request(Method::POST, "/api/v2/media")?;
        let request = request.header(CONTENT_TYPE, content_type).body(body);
        let answer = self.send(request).await.map_err(Failure::posts_nothing)?;
        match answer.status {
            status if status.is_success() => {}
            StatusCode::UNPROCESSABLE_ENTITY | StatusCode::PAYLOAD_TOO_LARGE => {
                return Err(Failure::refused(format!(
                    "{} does not take the picture{}; use another",
                    self.name,
                    answer.said()
                )));
            }
            _ => return Err(self.failure(&answer).posts_nothing()),
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
                status if status.is_success() => return Ok(()),
                StatusCode::UNPROCESSABLE_ENTITY => {
                    return Err(Failure::refused(format!(
                        "{} cannot read the picture{}; use another",
                        self.name,
                        answer.said()
                    )));
                }
                _ => return Err(self.failure(&answer)),
            }
        }
        Err(Failure::try_again(format!("{} is still processing the picture", self.name)))
    }
}

/// A picture with its alternative text as `multipart/form-data`: its content type and body.
fn form(picture: &Picture, name: &str) -> (String, Vec<u8>) {
    let boundary = format!("flockwork-{name}");
    let mime = picture.kind().mime();
    let extension = mime.split('/').next_back().unwrap_or_default();
    let mut body = Vec::with_capacity(picture.bytes().len() + 1_000);
    if !picture.alt().is_empty() {
        let head = "Content-Disposition: form-data; name=\"description\"\r\n\r\n";
        body.extend_from_slice(format!("--{boundary}\r\n{head}{}\r\n", picture.alt()).as_bytes());
    }
    // The type is needed, and a file name is how it is told to be a file.
    let head = format!(
        "--{boundary}\r\nContent-Disposition: form-data; name=\"file\"; \
         filename=\"picture.{extension}\"\r\nContent-Type: {mime}\r\n\r\n"
    );
    body.extend_from_slice(head.as_bytes());
    body.extend_from_slice(picture.bytes());
    body.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
    (format!("multipart/form-data; boundary={boundary}"), body)
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
        // "API guidelines": ids are sorted by length, then as text.
        let before = (before.len(), before);
        statuses.retain(|status| (status.id.len(), status.id.as_str()) < before);
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
    id: String,
}

/// The account of a key.
#[derive(Debug, Deserialize)]
struct Me {
    id: String,
    username: String,
    #[serde(default)]
    bot: bool,
}

#[derive(Debug, Deserialize)]
struct InstanceFacts {
    #[serde(default)]
    configuration: Configuration,
}

#[derive(Debug, Deserialize, Default)]
#[serde(default)]
struct Configuration {
    statuses: StatusConfiguration,
    media_attachments: MediaConfiguration,
}

#[derive(Debug, Deserialize, Default)]
#[serde(default)]
struct StatusConfiguration {
    max_characters: Option<usize>,
}

#[derive(Debug, Deserialize, Default)]
#[serde(default)]
struct MediaConfiguration {
    image_size_limit: Option<usize>,
}

/// A post as a server shows it.
#[derive(Debug, Deserialize)]
struct Status {
    id: String,
    created_at: Option<String>,
    #[serde(default)]
    content: String,
    /// What was sent, where the server shows it.
    text: Option<String>,
    in_reply_to_id: Option<String>,
    reblog: Option<Box<Status>>,
    #[serde(default)]
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
        let says = itself.text.as_deref().is_some_and(|source| html::is_source(source, text))
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
        assert!(html::is_source(&status.text(), &status.text()));
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
            "line 1: a key file is JSON with `access_token`, and `url` if need be",
        );
    }
}
