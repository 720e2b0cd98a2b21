//! What X answers: its JSON, and what its refusals mean, in words a person can act on.

use flock_core::RemoteId;
use jiff::Timestamp;
use serde::Deserialize;

use super::X_NAME;
use crate::{Failure, alike, answer::Answer, lenient};

#[derive(Deserialize)]
pub(super) struct Created {
    data: CreatedTweet,
}

#[derive(Deserialize)]
struct CreatedTweet {
    #[serde(deserialize_with = "lenient::id")]
    id: String,
}

#[derive(Deserialize)]
pub(super) struct Deletion {
    pub(super) data: DeletionData,
}

#[derive(Deserialize)]
pub(super) struct DeletionData {
    pub(super) deleted: bool,
}

#[derive(Deserialize)]
pub(super) struct Reposted {
    data: RepostedData,
}

#[derive(Deserialize)]
struct RepostedData {
    /// The reposted post: what a repost is undone by.
    #[serde(deserialize_with = "lenient::id")]
    rest_id: String,
}

#[derive(Deserialize)]
pub(super) struct Uploaded {
    pub(super) data: UploadedData,
}

#[derive(Deserialize)]
pub(super) struct UploadedData {
    #[serde(deserialize_with = "lenient::id")]
    pub(super) id: String,
}

/// Whose a key is.
#[derive(Deserialize)]
pub(super) struct Me {
    pub(super) data: MeData,
}

#[derive(Deserialize)]
pub(super) struct MeData {
    #[serde(deserialize_with = "lenient::id")]
    pub(super) id: String,
    #[serde(default, deserialize_with = "lenient::some_text")]
    pub(super) username: Option<String>,
}

/// A page of posts.
#[derive(Deserialize)]
pub(super) struct Tweets {
    #[serde(default, deserialize_with = "lenient::nullable")]
    pub(super) data: Vec<Tweet>,
    #[serde(default, deserialize_with = "lenient::nullable")]
    pub(super) meta: Meta,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Meta {
    #[serde(deserialize_with = "lenient::number")]
    pub(super) result_count: Option<u64>,
    #[serde(deserialize_with = "lenient::some_text")]
    pub(super) next_token: Option<String>,
}

/// A post as X shows it.
#[derive(Deserialize)]
pub(super) struct Tweet {
    #[serde(deserialize_with = "lenient::id")]
    id: String,
    text: String,
    pub(super) created_at: Option<Timestamp>,
    #[serde(default, deserialize_with = "lenient::nullable")]
    entities: Entities,
}

#[derive(Deserialize, Default)]
struct Entities {
    urls: Option<Vec<Link>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Link {
    #[serde(deserialize_with = "lenient::some_text")]
    url: Option<String>,
    #[serde(deserialize_with = "lenient::some_text")]
    expanded_url: Option<String>,
    /// Of a picture, which stands behind a link at the end.
    #[serde(deserialize_with = "lenient::some_text")]
    media_key: Option<String>,
}

/// An answer other than success. X has several forms of it.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct XError {
    #[serde(rename = "type", deserialize_with = "lenient::text")]
    kind: String,
    #[serde(deserialize_with = "lenient::text")]
    title: String,
    #[serde(deserialize_with = "lenient::text")]
    detail: String,
    #[serde(deserialize_with = "lenient::text")]
    reason: String,
    #[serde(deserialize_with = "lenient::part")]
    errors: Vec<Coded>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Coded {
    #[serde(deserialize_with = "lenient::number")]
    code: Option<u32>,
    #[serde(deserialize_with = "lenient::text")]
    message: String,
}

impl Created {
    pub(super) fn id(self) -> Result<RemoteId, Failure> {
        let id = self.data.id.parse();
        id.map_err(|_| Failure::unknown("X took the post but did not say its id"))
    }
}

impl Reposted {
    pub(super) fn id(self) -> Result<RemoteId, Failure> {
        let id = self.data.rest_id.parse();
        id.map_err(|_| Failure::unknown("X took the repost but did not say its id"))
    }
}

impl Tweet {
    pub(super) fn id(&self) -> Result<RemoteId, Failure> {
        self.id.parse().map_err(|_| Failure::unknown("X lists a post without an id"))
    }

    /// The text as it was sent: X shortens links, bare domains too, escapes three characters and adds a
    /// link for a picture.
    pub(super) fn plain_text(&self) -> String {
        let mut own = self.text.clone();
        for link in self.entities.urls.iter().flatten() {
            let Some(short) = &link.url else { continue };
            own = match (&link.media_key, &link.expanded_url) {
                (Some(_), _) => own.replace(short, ""),
                (None, Some(expanded)) => own.replace(short, expanded),
                (None, None) => own,
            };
        }
        own.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&").trim().to_owned()
    }

    /// Whether this is `text`. Before a reply X puts the names of those it answers.
    pub(super) fn says(&self, text: &str) -> bool {
        let own = self.plain_text();
        let mut own = own.as_str();
        // More names than this have no room.
        for _ in 0..=100 {
            if alike::same(own, text) {
                return true;
            }
            match own.split_once(' ') {
                Some((name, rest)) if name.starts_with('@') => own = rest.trim_start(),
                _ => return false,
            }
        }
        false
    }
}

impl XError {
    pub(super) fn of(answer: &Answer) -> Self {
        serde_json::from_slice(&answer.body).unwrap_or_default()
    }

    /// Whether it has the code, or says these words (lower case), in whatever form.
    pub(super) fn has(&self, code: u32, words: &str) -> bool {
        let says = |text: &str| text.to_lowercase().contains(words);
        says(&self.detail)
            || says(&self.title)
            || says(&self.kind)
            || says(&self.reason)
            || self.errors.iter().any(|error| error.code == Some(code) || says(&error.message))
    }
}

/// What an answer other than success means. Codes are v1.1's, which v2 still answers with here and there
/// (docs.x.com, "Response codes and errors", 2026-08; bodies as people have shown them since 2023).
pub(super) fn failure(answer: &Answer) -> Failure {
    /// No code says it.
    const NO_CODE: u32 = u32::MAX;
    let Some(proof) = answer.proof() else { return answer.failure(X_NAME) };
    let status = answer.status.as_u16();
    let said = answer.said();
    let problem = XError::of(answer);
    let has = |code, words| problem.has(code, words);
    let words = match status {
        401 | 403 if has(416, "suspended application") => {
            format!("X has suspended the app{said}; see to it in X's developer console")
        }
        // Of the whole app, and over when it is paid for: no sheep has to be resumed.
        402 => {
            let why = format!(
                "the app's credits at X are used up{said}; buy more in X's developer console \
                 (console.x.com)"
            );
            return Failure::try_again(proof, why);
        }
        403 if has(NO_CODE, "problems/credits") => {
            let why = format!(
                "the app has reached the spending limit that is set for it at X{said}; raise it in X's \
                 developer console, or wait for its next billing cycle"
            );
            return Failure::try_again(proof, why);
        }
        403 if has(64, "suspended") || has(63, "suspended") => {
            format!("X has suspended the account{said}; appeal at help.x.com")
        }
        403 if has(326, "temporarily locked") => {
            format!("X has locked the account{said}; log in to x.com as it and unlock it")
        }
        403 if has(261, "oauth1 app permissions") => format!(
            "the app may only read at X{said}; give it \"Read and write\" in X's developer console, \
             then renew the account's key"
        ),
        403 if has(453, "client-forbidden") || has(453, "client-not-enrolled") => format!(
            "X does not let the app's tier do this{said}; see the app's access in X's developer \
             console"
        ),
        403 if has(NO_CODE, "reply to this conversation is not allowed") => format!(
            "X lets the account reply to those alone who mentioned or quoted it{said}; post without \
             replying"
        ),
        403 if has(186, "needs to be a bit shorter") => {
            return Failure::not_this_text(proof, format!("the text is too long for X{said}"));
        }
        429 if has(NO_CODE, "usage-capped") => {
            let why = format!("the app's monthly cap at X is used up{said}");
            return Failure::try_again(proof, why);
        }
        _ => return answer.failure(X_NAME),
    };
    Failure::refused(proof, words)
}

/// The same of a request that changes nothing.
pub(super) fn reading_failure(answer: &Answer) -> Failure {
    if answer.proof().is_some() { failure(answer) } else { answer.reading_failure(X_NAME) }
}

#[cfg(test)]
mod tests {
    use flock_core::Network;

    use super::*;
    use crate::failure::NotDone;

    fn tweet(text: &str, urls: &str) -> Tweet {
        let json = format!(r#"{{"id":"1","text":"{text}","entities":{{"urls":{urls}}}}}"#);
        serde_json::from_str(&json).unwrap()
    }

    #[test]
    fn a_post_is_known_again_through_links_and_escapes() {
        let tweet = tweet(
            "a &lt;b&gt; &amp;amp; https://t.co/x and https://t.co/y",
            r#"[{"url":"https://t.co/x","expanded_url":"https://example.com/page"},
                {"url":"https://t.co/y","expanded_url":"http://example.org"}]"#,
        );
        assert!(tweet.says("a <b> &amp; https://example.com/page and example.org"));
        assert!(!tweet.says("a <b> &amp; https://example.com/pages and example.org"));
    }

    #[test]
    fn a_post_is_known_again_behind_names_and_before_a_picture() {
        let photo = r#"[{"url":"https://t.co/p","expanded_url":"https://x.com/a/status/1/photo/1",
            "media_key":"3_1"}]"#;
        assert!(tweet("@a @b_c Baa https://t.co/p", photo).says("Baa"));
        assert!(tweet("https://t.co/p", photo).says(""));
        assert!(tweet("@a Baa", "null").says("@a Baa"));
        assert!(!tweet("@a Baa", "[]").says("@b Baa"));
        assert!(!tweet("a Baa", "[]").says("Baa"));
    }

    /// Ids are text in X's documents, and numbers in what some tools make of them. What tells of links is not left out.
    #[test]
    fn a_listing_is_read_as_it_is_meant() {
        let read = |json: &str| serde_json::from_str::<Tweets>(json).ok();
        let page = read(
            r#"{"data":[{"id":7,"text":"a https://t.co/x","entities":{"urls":[{"url":"https://t.co/x",
                "expanded_url":"https://a.example","media_key":null}]}}],
                "meta":{"result_count":"1","next_token":5}}"#,
        );
        let page = page.unwrap();
        assert_eq!((page.meta.result_count, page.meta.next_token.as_deref()), (Some(1), Some("5")));
        assert_eq!(page.data[0].id().unwrap().as_str(), "7");
        assert!(page.data[0].says("a https://a.example"));
        let empty = read(r#"{"data":null,"meta":null}"#).unwrap();
        assert_eq!((empty.data.len(), empty.meta.result_count), (0, None));
        assert!(read(r#"{"data":[{"id":7,"text":"a","entities":null}]}"#).is_some());
        for broken in [
            r#"{"data":[{"id":null,"text":"a"}]}"#,
            r#"{"data":[{"id":7,"text":"a","entities":{"urls":"none"}}]}"#,
            r#"{"data":{}}"#,
        ] {
            assert!(read(broken).is_none(), "{broken}");
        }
    }

    #[test]
    fn an_error_with_a_null_in_it_is_told_apart() {
        let body =
            r#"{"title":"Forbidden","detail":null,"errors":[{"code":"187","message":null}]}"#;
        let problem = XError::of(&Answer::for_test(Network::X, 403, &[], body));
        assert!(problem.has(187, "duplicate content") && !problem.has(186, "shorter"));
    }

    #[track_caller]
    fn check(status: u16, body: &str, expected: &str) {
        let answer = Answer::for_test(Network::X, status, &[], body);
        assert_eq!(format!("{:?}", failure(&answer)), expected);
    }

    fn refused(why: &str) -> String {
        format!("{:?}", Failure::refused(NotDone::ANSWERED, why))
    }

    #[test]
    fn refusals_say_what_to_do() {
        check(
            401,
            r#"{"errors":[{"code":89,"message":"Invalid or expired token."}]}"#,
            &refused(
                "X does not accept the account's key: \"Invalid or expired token.\"; renew the \
                 account's key",
            ),
        );
        check(
            402,
            r#"{"title":"CreditsDepleted","detail":"No credits.","type":"https://api.x.com/2/problems/credits"}"#,
            &format!(
                "{:?}",
                Failure::try_again(
                    NotDone::ANSWERED,
                    "the app's credits at X are used up: \"No credits.\"; buy more in X's developer \
                     console (console.x.com)",
                )
            ),
        );
        check(
            403,
            r#"{"detail":"Your account is suspended.","title":"Forbidden"}"#,
            &refused(
                "X has suspended the account: \"Your account is suspended.\"; appeal at help.x.com",
            ),
        );
        check(
            403,
            r#"{"errors":[{"code":453,"message":"A subset."}]}"#,
            &refused(
                "X does not let the app's tier do this: \"A subset.\"; see the app's access in X's \
                 developer console",
            ),
        );
        check(
            403,
            r#"{"type":"https://api.x.com/2/problems/oauth1-permissions","detail":"Your client app is not configured with the appropriate oauth1 app permissions for this endpoint."}"#,
            &refused(
                "the app may only read at X: \"Your client app is not configured with the \
                 appropriate oauth1 app permissions for this endpoint.\"; give it \"Read and write\" \
                 in X's developer console, then renew the account's key",
            ),
        );
        check(
            403,
            r#"{"detail":"No.","type":"about:blank"}"#,
            &refused("X refused with status 403: \"No.\"; see to that"),
        );
        let page = "X answered with status 403 and a page that is not its API's, which does not say \
                    whether it did it; that is found out before it is asked again";
        check(403, "\n<!doctype html>", &format!("{:?}", Failure::unknown(page)));
    }
}
