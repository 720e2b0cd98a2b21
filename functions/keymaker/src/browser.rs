//! What a browser sends: the form of a page, and the cookie by which a sign-in is bound to it. Nothing of it prints.

use flock_core::{TokenDigest, Way};
use secrecy::{ExposeSecret as _, SecretString};

use crate::KeysUrl;

/// Bytes of the largest form that is read.
pub const SENT_FORM_BYTES: usize = 16 * 1024;

/// What somebody has filled in.
#[derive(Debug)]
pub struct SentForm {
    /// The way that they have chosen, if it is one.
    pub way: Option<Way>,
    /// Whether they say that the account is labelled as a bot's, or want it to be.
    pub labelled: bool,
    /// The app password, on a page that asks for one.
    pub password: Option<SecretString>,
}

/// A browser that has begun a sign-in.
#[derive(Debug)]
pub struct Bearer {
    /// Which.
    pub id: TokenDigest,
    /// The digest of what it shows.
    pub browser: TokenDigest,
}

impl SentForm {
    /// Reads the body of a form. Of fields that are there twice, the last counts.
    pub fn read(body: &[u8]) -> Self {
        let (mut way, mut labelled, mut password) = (None, false, None);
        for (name, value) in form_urlencoded::parse(body) {
            match &*name {
                "way" => way = WAYS.iter().find(|(name, _)| *name == value).map(|(_, way)| *way),
                "labelled" => labelled = value == "yes",
                "password" => password = Some(SecretString::from(value.into_owned())),
                _ => {}
            }
        }
        Self { way, labelled, password }
    }
}

/// How forms spell ways.
const WAYS: [(&str, Way); 3] =
    [("oauth1", Way::OAuth1), ("oauth2", Way::OAuth2), ("password", Way::AppPassword)];

/// How a form spells the way.
pub(crate) fn name_of(way: Way) -> &'static str {
    WAYS.iter().find(|(_, known)| *known == way).map_or("", |(name, _)| name)
}

impl Bearer {
    /// Reads the headers `Cookie`. The first that has the form of ours counts.
    pub fn read<'a>(
        headers: impl IntoIterator<Item = &'a str>,
        keys_url: &KeysUrl,
    ) -> Option<Self> {
        let name = cookie_name(keys_url);
        let cookies = headers.into_iter().flat_map(|header| header.split(';'));
        let mut ours = cookies.filter_map(|cookie| {
            let value = cookie.trim().strip_prefix(name)?.strip_prefix('=')?;
            let (id, token) = value.split_once('.')?;
            Some(Self { id: id.parse().ok()?, browser: TokenDigest::of(token) })
        });
        ours.next()
    }

    /// The header that has a browser show `token` when it comes back for the sign-in `id`, while that lives.
    pub(crate) fn cookie(id: &TokenDigest, token: &SecretString, keys_url: &KeysUrl) -> String {
        let seconds = flock_core::SigningIn::LIVES.as_secs();
        header(&format!("{id}.{}", token.expose_secret()), seconds, keys_url)
    }

    /// The header that has a browser forget.
    pub(crate) fn forget(keys_url: &KeysUrl) -> String {
        header("", 0, keys_url)
    }
}

/// Browsers take the name with the prefix from a page by TLS alone (RFC 6265bis, 4.1.3.1); `__Host-` would want the whole host.
fn cookie_name(keys_url: &KeysUrl) -> &'static str {
    if keys_url.is_https() { "__Secure-flockwork-sign-in" } else { "flockwork-sign-in" }
}

/// `Lax`: a network sends people back by a link, and that is all that comes from another site with it.
fn header(value: &str, seconds: i64, keys_url: &KeysUrl) -> String {
    let (name, path) = (cookie_name(keys_url), KeysUrl::PATH);
    let secure = if keys_url.is_https() { "; Secure" } else { "" };
    format!("{name}={value}; Path={path}; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_read() {
        let form = SentForm::read(b"way=oauth1&labelled=yes&else=1");
        assert_eq!(
            (form.way, form.labelled, form.password.is_some()),
            (Some(Way::OAuth1), true, false)
        );
        let form = SentForm::read(b"way=password&password=a%2Bb+c");
        assert_eq!(form.password.unwrap().expose_secret(), "a+b c");
        assert!(SentForm::read(b"way=OAUTH1").way.is_none());
        assert!(SentForm::read(b"\xff%zz&&=&=").way.is_none());
    }

    #[test]
    fn a_browser_shows_what_it_was_given() {
        let urls = ["https://a.example/keys", "http://127.0.0.1:1/keys"];
        for url in urls.map(|url| url.parse::<KeysUrl>().unwrap()) {
            let (id, token) = (TokenDigest::of("link"), SecretString::from("secret"));
            let header = Bearer::cookie(&id, &token, &url);
            assert!(header.ends_with("; Secure") == url.is_https(), "{header}");
            assert!(header.starts_with("__Secure-") == url.is_https(), "{header}");
            assert!(
                header.contains("; Path=/keys; Max-Age=600; HttpOnly; SameSite=Lax"),
                "{header}"
            );
            let (cookie, _) = header.split_once(';').unwrap();
            let shown = format!("other=1;{cookie}; more=2");
            let bearer = Bearer::read([shown.as_str()], &url).unwrap();
            assert_eq!((bearer.id, bearer.browser), (id, TokenDigest::of("secret")));
            assert!(Bearer::read([Bearer::forget(&url).as_str()], &url).is_none());
        }
        let url = "http://127.0.0.1:1/keys".parse().unwrap();
        for header in ["", "flockwork-sign-in", "flockwork-sign-in=x", "flockwork-sign-in=x.y"] {
            assert!(Bearer::read([header], &url).is_none(), "{header}");
        }
    }
}
