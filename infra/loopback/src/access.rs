//! Who may ask a port of this machine. Every user and every browser here reaches every port on loopback, so each
//! port wants a token, new with each process, and takes nothing that comes from a page or by another name.

use std::net::IpAddr;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use axum::{
    Json,
    extract::Request,
    http::{
        HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header, request, uri::PathAndQuery,
    },
    response::{IntoResponse as _, Response},
};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::json;

/// Something nobody guesses, which shows that whoever has it may ask. It does not print.
#[derive(Debug, Clone, Deserialize)]
#[serde(transparent)]
pub struct Token(SecretString);

/// Where whoever asks shows the token.
#[derive(Debug, Clone)]
pub enum Key {
    /// As the session token of AWS credentials. Who shows another one is told this sentence.
    Session(Token, &'static str),
    /// As a bearer's.
    Bearer(Token),
    /// As the first part of the path, for those who can be told an address and nothing else.
    Path(Token),
}

/// Where the SDKs put the session token of the credentials they sign with.
const SESSION_TOKEN: HeaderName = HeaderName::from_static("x-amz-security-token");

impl Token {
    /// A new one.
    pub fn new() -> Self {
        Self::from(unheard())
    }

    /// What is told to those who may ask.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// The same, for whom it is a secret.
    pub fn secret(&self) -> &SecretString {
        &self.0
    }

    /// Whether this was given, in a time that says nothing about it.
    pub fn is(&self, given: &str) -> bool {
        verify_slices_are_equal(self.expose().as_bytes(), given.as_bytes()).is_ok()
    }
}

/// 32 hexadecimal digits that nobody knows and that never come again.
pub fn unheard() -> String {
    let mut random = [0; 16];
    aws_lc_rs::rand::fill(&mut random).expect("the system has randomness");
    format!("{:032x}", u128::from_be_bytes(random))
}

impl Default for Token {
    fn default() -> Self {
        Self::new()
    }
}

impl From<String> for Token {
    fn from(text: String) -> Self {
        Self(SecretString::from(text))
    }
}

impl Serialize for Token {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.expose())
    }
}

impl Key {
    /// The request, as whoever answers it is to see it, if it shows the token; or what is answered instead. Its body is
    /// not looked at.
    pub fn admit(&self, mut request: Request) -> Result<Request, Box<Response>> {
        let headers = request.headers();
        // Programs do not say where they come from, and browsers cannot help it.
        if headers.contains_key(header::ORIGIN) || !own_host(headers).is_some_and(is_loopback_name)
        {
            return Err(Box::new(self.refusal()));
        }
        let shown = match self {
            Self::Session(token, _) => {
                only(headers, &SESSION_TOKEN).is_some_and(|given| token.is(given))
            }
            Self::Bearer(token) => {
                let given = only(headers, &header::AUTHORIZATION);
                let given = given.and_then(|value| value.strip_prefix("Bearer "));
                given.is_some_and(|given| token.is(given))
            }
            Self::Path(token) => {
                let whole =
                    request.uri().path_and_query().map(PathAndQuery::as_str).unwrap_or_default();
                let whole = whole.strip_prefix('/').unwrap_or(whole);
                let (given, rest) = whole.split_at(whole.find('/').unwrap_or(whole.len()));
                let rest = rest.parse::<Uri>().ok().filter(|_| token.is(given));
                let shown = rest.is_some();
                if let Some(rest) = rest {
                    *request.uri_mut() = rest;
                }
                shown
            }
        };
        if shown { Ok(request) } else { Err(Box::new(self.refusal())) }
    }

    fn refusal(&self) -> Response {
        match self {
            // As AWS says it, so that its SDKs and its command line show the sentence and do not try again.
            Self::Session(_, sentence) => {
                let what = json!({
                    "__type": "UnrecognizedClientException",
                    "message": sentence,
                });
                (StatusCode::FORBIDDEN, Json(what)).into_response()
            }
            Self::Bearer(_) | Self::Path(_) => StatusCode::FORBIDDEN.into_response(),
        }
    }
}

/// The request with whom it is for in its `Host` alone, as everything here reads it; `None` where it says so twice.
/// What a whole address in its first line says goes before its `Host` (RFC 9112, 3.2.2).
pub fn aimed(mut parts: request::Parts) -> Option<request::Parts> {
    if 1 < parts.headers.get_all(header::HOST).iter().count() {
        return None;
    }
    if let Some(authority) = parts.uri.authority() {
        let host = HeaderValue::from_str(authority.as_str()).ok()?;
        parts.headers.insert(header::HOST, host);
        let path = parts.uri.path_and_query().cloned();
        parts.uri = path.map_or_else(Uri::default, Uri::from);
    }
    Some(parts)
}

/// The `Host` of a request.
pub fn own_host(headers: &HeaderMap) -> Option<&str> {
    only(headers, &header::HOST)
}

/// The value of a header that is there once. Of two, nobody knows which was meant.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}

/// Whether a `Host` names this machine as such. With any port: a page that was pointed here by a name of its own
/// has that name, and what is forwarded from another port has a port of its own.
pub fn is_loopback_name(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let address = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
    name.eq_ignore_ascii_case("localhost")
        || address.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Whether a request comes from no page, or from one that was served under the name it is sent to.
pub fn is_own_origin(headers: &HeaderMap) -> bool {
    let Some(host) = own_host(headers) else { return false };
    let own = format!("http://{host}");
    !headers.contains_key(header::ORIGIN) || only(headers, &header::ORIGIN) == Some(own.as_str())
}

#[cfg(test)]
mod tests {
    use axum::{Router, body::Body, extract::Path, routing::any};
    use tower::ServiceExt as _;

    use super::*;

    async fn ask(key: &Key, path: &str, headers: &[(&str, &str)]) -> (u16, String) {
        let inner = Router::new()
            .route("/{name}", any(async |Path(name): Path<String>| name))
            .route("/", any(async || "root"));
        let mut request = Request::builder().uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::empty()).unwrap();
        let response = match key.admit(request) {
            Ok(request) => inner.oneshot(request).await.unwrap(),
            Err(refusal) => *refusal,
        };
        let status = response.status().as_u16();
        assert!(!response.headers().keys().any(|name| name.as_str().starts_with("access-control")));
        let body = axum::body::to_bytes(response.into_body(), 1_000).await.unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn only_who_shows_the_token_is_let_in() {
        let token = || Token::from("secret".to_owned());
        let host = ("host", "127.0.0.1:4");
        for (key, path, header) in [
            (Key::Session(token(), "no"), "/a", Some(("x-amz-security-token", "secret"))),
            (Key::Bearer(token()), "/a", Some(("authorization", "Bearer secret"))),
            (Key::Path(token()), "/secret/a?b=c", None),
        ] {
            let with = |more: &[(&'static str, &'static str)]| {
                header.into_iter().chain(more.iter().copied()).collect::<Vec<_>>()
            };
            assert_eq!(ask(&key, path, &with(&[host])).await, (200, "a".to_owned()));
            for wrong in [
                with(&[]),
                with(&[("host", "evil.test:4")]),
                with(&[host, ("host", "evil.test")]),
                with(&[host, ("origin", "http://127.0.0.1:4")]),
                with(&[host, ("origin", "null")]),
            ] {
                assert_eq!(ask(&key, path, &wrong).await.0, 403, "{key:?} {wrong:?}");
            }
            for more in header.into_iter().chain(header.map(|(name, _)| (name, "guess"))) {
                for twice in [with(&[host, more]), vec![more, host, header.unwrap()]] {
                    assert_eq!(ask(&key, path, &twice).await.0, 403, "{key:?} {twice:?}");
                }
            }
            assert!(!format!("{key:?}").contains("secret"), "{key:?}");
        }
        for (key, path, header) in [
            (Key::Session(token(), "no"), "/a?X-Amz-Security-Token=secret", None),
            (Key::Session(token(), "no"), "/a", Some(("x-amz-security-token", "secre"))),
            (Key::Session(token(), "no"), "/a", Some(("authorization", "Bearer secret"))),
            (Key::Bearer(token()), "/a", Some(("authorization", "secret"))),
            (Key::Bearer(token()), "/a", Some(("authorization", "Bearer "))),
            (Key::Path(token()), "/a", None),
            (Key::Path(token()), "/secretive/a", None),
            (Key::Path(token()), "//secret/a", None),
            (Key::Path(token()), "/a/secret", None),
            (Key::Path(token()), "/secret", None),
        ] {
            let headers: Vec<_> = header.into_iter().chain([host]).collect();
            assert_eq!(ask(&key, path, &headers).await.0, 403, "{key:?} {path} {headers:?}");
        }
        let root = ask(&Key::Path(token()), "/secret/", &[host]).await;
        assert_eq!(root, (200, "root".to_owned()));
    }
}
