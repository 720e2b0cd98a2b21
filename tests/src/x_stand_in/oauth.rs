//! OAuth 1.0a as X checks it: the signature is made once more, from what came over the wire.

use std::{collections::BTreeSet, num::NonZeroU64};

use axum::http::{HeaderMap, Uri, header};
use oauth1_request as oauth;

/// The parameters of an `Authorization` header, percent-decoded.
#[derive(Debug)]
pub(super) struct Authorization(Vec<(String, String)>);

impl Authorization {
    pub(super) fn read(headers: &HeaderMap) -> Option<Self> {
        let header = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
        let parameters = header.strip_prefix("OAuth ")?.split(',').map(|parameter| {
            let (name, value) = parameter.trim().split_once('=')?;
            let value = value.strip_prefix('"')?.strip_suffix('"')?;
            // A plus sign is itself here, and a space in what this decodes.
            let value = value.replace('+', "%2B");
            let (value, _) = form_urlencoded::parse(value.as_bytes()).next()?;
            Some((name.to_owned(), value.into_owned()))
        });
        parameters.collect::<Option<_>>().map(Self)
    }

    /// What the header says, or nothing.
    pub(super) fn parameter(&self, name: &str) -> &str {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str()).unwrap_or_default()
    }

    /// When the request was signed, in seconds.
    pub(super) fn timestamp(&self) -> Option<NonZeroU64> {
        self.parameter("oauth_timestamp").parse().ok()
    }

    /// Whether these secrets made the signature, over this request. A JSON body is not part of what is
    /// signed (X, "Creating a signature", 2026-08).
    pub(super) fn is_signed_by(
        &self,
        consumer_secret: &str,
        token_secret: &str,
        method: &str,
        endpoint: &str,
        parameters: &[(String, String)],
    ) -> bool {
        let Some(timestamp) = self.timestamp() else { return false };
        let nonce = self.parameter("oauth_nonce");
        let version = self.parameter("oauth_version");
        if self.parameter("oauth_signature_method") != "HMAC-SHA1"
            || nonce.is_empty()
            || !["", "1.0"].contains(&version)
        {
            return false;
        }
        let client = oauth::Credentials::new(self.parameter("oauth_consumer_key"), consumer_secret);
        let some = |name| Some(self.parameter(name)).filter(|value| !value.is_empty());
        let token = some("oauth_token").map(|token| oauth::Credentials::new(token, token_secret));
        let mut builder = oauth::Builder::new(client, oauth::HmacSha1::new());
        builder.callback(some("oauth_callback")).verifier(some("oauth_verifier"));
        builder.token(token).nonce(nonce).timestamp(timestamp).version(!version.is_empty());
        let parameters: BTreeSet<_> = parameters.iter().map(|(k, v)| (k, v)).collect();
        let parameters = oauth::request::ParameterList::new(Vec::from_iter(parameters));
        let again = builder.authorize(method, endpoint, &parameters);
        let mut headers = HeaderMap::new();
        headers.insert(header::AUTHORIZATION, again.parse().expect("a header we made"));
        let again = Self::read(&headers).expect("a header we made");
        self.parameter("oauth_signature") == again.parameter("oauth_signature")
    }
}

/// Where a request went, as its sender signs it: without the query.
pub(super) fn endpoint(headers: &HeaderMap, uri: &Uri) -> String {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    format!("http://{host}{}", uri.path())
}

/// The pairs of a query.
pub(super) fn query(uri: &Uri) -> Vec<(String, String)> {
    form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).into_owned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of X's "Creating a signature" (docs.x.com, 2026-08), which signs for X's own address.
    #[test]
    fn the_documented_signature_is_right_and_others_are_not() {
        let header = concat!(
            r#"OAuth oauth_consumer_key="xvz1evFS4wEEPTGEFPHBog", "#,
            r#"oauth_nonce="kYjzVBB8Y0ZFabxSWbWovY3uYSQ2pTgmZeNu2VS4cg", "#,
            r#"oauth_signature="Ls93hJiZbQ3akF3HF3x1Bz8%2FzU4%3D", "#,
            r#"oauth_signature_method="HMAC-SHA1", oauth_timestamp="1318622958", "#,
            r#"oauth_token="370773112-GmHxMAgYyLbNEtIKZeRNFsMKPR9EyMZeS9weJAEb", "#,
            r#"oauth_version="1.0""#,
        );
        let mut headers = HeaderMap::new();
        headers.insert(header::AUTHORIZATION, header.parse().unwrap());
        let authorization = Authorization::read(&headers).unwrap();
        let check = |status: &str, token_secret: &str| {
            let parameters = [("include_entities", "true"), ("status", status)];
            authorization.is_signed_by(
                "kAcSOqF21Fu85e7zjz7ZN2U4ZRhfV3WpwPAoE3Z7kBw",
                token_secret,
                "POST",
                "https://api.x.com/1.1/statuses/update.json",
                &parameters.map(|(name, value)| (name.to_owned(), value.to_owned())),
            )
        };
        let (status, secret) = (
            "Hello Ladies + Gentlemen, a signed OAuth request!",
            "LswwdoUaIvS8ltyTt5jkRh4J50vUPVVHtR2YPi5kE",
        );
        assert!(check(status, secret));
        assert!(!check("Hello", secret));
        assert!(!check(status, "other"));
    }
}
