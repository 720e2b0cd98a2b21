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
    /// The most that are looked at of what one browser shows: more than anybody begins within ten minutes.
    pub const MOST: usize = 8;

    /// Reads the headers `Cookie`: all that have the form of ours, at most [`Self::MOST`]. First come those of the sign-in that
    /// `back` was brought back of, so that nobody who could set cookies for this host has that one overlooked.
    pub fn read<'a>(
        headers: impl IntoIterator<Item = &'a str>,
        back: Option<&str>,
        keys_url: &KeysUrl,
    ) -> Vec<Self> {
        let meant = back.map(|back| cookie_name(&TokenDigest::of(back), keys_url));
        let prefix = cookie_prefix(keys_url);
        let cookies = headers.into_iter().flat_map(|header| header.split(';'));
        let mut ours: Vec<_> = cookies
            .filter_map(|cookie| {
                let (name, value) = cookie.trim().split_once('=')?;
                name.strip_prefix(prefix)?;
                let (id, token) = value.split_once('.')?;
                let bearer = Self { id: id.parse().ok()?, browser: TokenDigest::of(token) };
                Some((meant.as_deref() != Some(name), bearer))
            })
            .collect();
        ours.sort_by_key(|(is_another, _)| *is_another);
        ours.into_iter().map(|(_, bearer)| bearer).take(Self::MOST).collect()
    }

    /// The header that has a browser show `token` when it comes back for the sign-in `id` with what has the digest `back`, while that
    /// lives, and as long again as its last page may be loaded once more.
    pub(crate) fn cookie(
        id: &TokenDigest,
        back: &TokenDigest,
        token: &SecretString,
        keys_url: &KeysUrl,
    ) -> String {
        let (name, path) = (cookie_name(back, keys_url), KeysUrl::PATH);
        let seconds = flock_core::SigningIn::LIVES.as_secs();
        let (token, secure) =
            (token.expose_secret(), if keys_url.is_https() { "; Secure" } else { "" });
        // `Lax`: a network sends people back by a link, and that is all that comes from another site with it.
        format!(
            "{name}={id}.{token}; Path={path}; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}"
        )
    }
}

/// Browsers take the name with the prefix from a page by TLS alone (RFC 6265bis, 4.1.3.1); `__Host-` would want the whole host.
fn cookie_prefix(keys_url: &KeysUrl) -> &'static str {
    if keys_url.is_https() { "__Secure-flockwork-sign-in-" } else { "flockwork-sign-in-" }
}

/// Each sign-in has a cookie of its own, so that those in two tabs do not overwrite each other. A part of the digest is enough to tell
/// them apart, and says nothing of what it was made from.
fn cookie_name(back: &TokenDigest, keys_url: &KeysUrl) -> String {
    format!("{}{:.16}", cookie_prefix(keys_url), back.to_string())
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
            let header = Bearer::cookie(&id, &TokenDigest::of("state"), &token, &url);
            assert!(header.ends_with("; Secure") == url.is_https(), "{header}");
            assert!(header.starts_with("__Secure-") == url.is_https(), "{header}");
            assert!(
                header.contains("; Path=/keys; Max-Age=600; HttpOnly; SameSite=Lax"),
                "{header}"
            );
            let (cookie, _) = header.split_once(';').unwrap();
            for back in [None, Some("state"), Some("else")] {
                let shown = format!("other=1;{cookie}; more=2");
                let bearers = Bearer::read([shown.as_str()], back, &url);
                assert_eq!(bearers.len(), 1);
                assert_eq!(bearers[0].id, id);
                assert_eq!(bearers[0].browser, TokenDigest::of("secret"));
            }
            // However many somebody else has planted, the right one is looked at.
            let name = cookie_prefix(&url);
            let planted = (0..50).map(|n| format!("{name}{n:016}={}.x; ", TokenDigest::of("x")));
            let shown = format!("{}{cookie}", planted.collect::<String>());
            let bearers = Bearer::read([shown.as_str()], Some("state"), &url);
            assert_eq!((bearers.len(), &bearers[0].id), (Bearer::MOST, &id));
        }
        let url = "http://127.0.0.1:1/keys".parse().unwrap();
        let name = "flockwork-sign-in-0";
        for header in [String::new(), name.to_owned(), format!("{name}=x"), format!("{name}=x.y")] {
            assert!(Bearer::read([header.as_str()], None, &url).is_empty(), "{header}");
        }
    }
}
