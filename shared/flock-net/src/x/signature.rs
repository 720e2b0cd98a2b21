//! The signature of OAuth 1.0a (docs.x.com, "Creating a signature" and "Authorizing a request", 2026-08).

use std::{collections::BTreeSet, num::NonZeroU64};

use jiff::{SignedDuration, Timestamp, fmt::rfc2822};
use oauth1_request as oauth;
use reqwest::{StatusCode, Url, header::DATE};
use secrecy::ExposeSecret as _;

use super::{X, answers::XError, app::Consumer, key::Token};
use crate::answer::Answer;

/// What goes into the header besides, while somebody signs in.
#[derive(Debug, Clone, Copy)]
pub(super) enum Step<'a> {
    /// They have.
    None,
    /// Where they are sent back to.
    Callback(&'a str),
    /// What they came back with.
    Verifier(&'a str),
}

/// A request's `Authorization` header. The parameters of the query are part of what is signed; a JSON
/// body is not.
pub(super) fn sign(
    method: &str,
    url: &Url,
    consumer: &Consumer,
    token: Option<&Token>,
    step: Step<'_>,
    at: Timestamp,
) -> String {
    let client =
        oauth::Credentials::new(consumer.key.expose_secret(), consumer.secret.expose_secret());
    let token = token.map(|Token { token, secret }| {
        oauth::Credentials::new(token.expose_secret(), secret.expose_secret())
    });
    let parameters: BTreeSet<_> = url.query_pairs().collect();
    let parameters = oauth::request::ParameterList::new(Vec::from_iter(parameters));
    let mut endpoint = url.clone();
    endpoint.set_query(None);
    let mut builder = oauth::Builder::new(client, oauth::HmacSha1::new());
    builder.token(token);
    match step {
        Step::None => {}
        Step::Callback(to) => {
            builder.callback(to);
        }
        Step::Verifier(verifier) => {
            builder.verifier(verifier);
        }
    }
    builder.timestamp(u64::try_from(at.as_second()).ok().and_then(NonZeroU64::new));
    builder.authorize(method, endpoint.as_str(), &parameters)
}

/// How far this machine's clock is behind X's, where that is why X did not take what was signed then. A bad key
/// is answered with the same status.
pub(super) fn clock_behind(answer: &Answer, signed_at: Timestamp) -> Option<SignedDuration> {
    if answer.status != StatusCode::UNAUTHORIZED {
        return None;
    }
    let date = answer.header(DATE.as_str()).and_then(|date| rfc2822::parse(date).ok());
    // Both as they are written: in whole seconds.
    let behind = date.map(|date| date.timestamp().as_second() - signed_at.as_second());
    let behind = behind.map(SignedDuration::from_secs);
    let is_off = behind.is_some_and(|behind| X::CLOCK_SKEW < behind.abs());
    let said_so = XError::of(answer).has(135, "timestamp out of bounds");
    (is_off || said_so).then(|| behind.unwrap_or_default())
}

pub(super) fn clock_words(behind: SignedDuration) -> String {
    let seconds = behind.as_secs().unsigned_abs();
    let (minutes, seconds) = (seconds / 60, seconds % 60);
    let way = if behind.is_negative() { "ahead of" } else { "behind" };
    format!(
        "the clock of this machine is {minutes} min {seconds} s {way} X's, and X takes nothing that \
         is signed more than 5 min off; set the clock"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Signed once more with the header's own nonce and time: over the query the signature is the same,
    /// without it another.
    #[test]
    fn the_query_is_part_of_the_signature() {
        let consumer = Consumer { key: "ck".into(), secret: "cs".into() };
        let token = Token { token: "t".into(), secret: "ts".into() };
        let url = Url::parse("https://api.x.com/2/users/1/tweets?since_id=2&max_results=100");
        let at: Timestamp = "2026-11-27T12:00:00Z".parse().unwrap();
        let header = sign("GET", &url.unwrap(), &consumer, Some(&token), Step::None, at);
        let field = |name: &str| {
            let (_, rest) = header.split_once(&format!("{name}=\"")).expect(name);
            rest.split_once('"').expect(name).0
        };
        assert_eq!((field("oauth_consumer_key"), field("oauth_token")), ("ck", "t"));
        assert_eq!(field("oauth_timestamp"), at.as_second().to_string());
        let again = |parameters: Vec<(&str, &str)>| {
            let token = oauth::Token::from_parts("ck", "cs", "t", "ts");
            let mut builder = oauth::Builder::new(token.client, oauth::HmacSha1::new());
            builder.token(token.token).nonce(field("oauth_nonce"));
            builder.timestamp(field("oauth_timestamp").parse::<NonZeroU64>().unwrap());
            let parameters = oauth::request::ParameterList::new(parameters);
            builder.get("https://api.x.com/2/users/1/tweets", &parameters)
        };
        assert_eq!(header, again(vec![("max_results", "100"), ("since_id", "2")]));
        assert_ne!(header, again(Vec::new()));
        assert!(!format!("{consumer:?} {token:?}").contains("s\""), "secrets do not print");
    }

    #[test]
    fn how_far_the_clock_is_off_is_said() {
        let words = |seconds| clock_words(SignedDuration::from_secs(seconds));
        assert_eq!(
            words(372),
            "the clock of this machine is 6 min 12 s behind X's, and X takes nothing that is signed \
             more than 5 min off; set the clock"
        );
        assert!(words(-3600).starts_with("the clock of this machine is 60 min 0 s ahead of X's"));
    }
}
