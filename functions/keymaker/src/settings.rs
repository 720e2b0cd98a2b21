//! What the function reads of its environment.

use std::{fmt, str::FromStr};

use flock_aws::Reader;

/// The settings of the function, as template.yaml gives them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The DynamoDB table.
    pub table: String,
    /// The event bus.
    pub bus: String,
    /// Where the pages are.
    pub keys_url: KeysUrl,
    /// Where networks are, and what seals keys.
    pub networks: flock_net::Settings,
}

/// The address that the pages' paths begin with, such as `https://example.org/keys`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeysUrl(String);

/// A text that is no address of the pages.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an address such as https://example.org/keys")]
pub struct NoKeysUrl(String);

impl Settings {
    /// Reads them.
    pub fn read(reader: &mut Reader<'_>) -> Self {
        Self {
            table: reader.required("TABLE_NAME"),
            bus: reader.required("BUS_NAME"),
            keys_url: reader
                .one_of("KEYS_URL", "an address such as https://example.org/keys", |text| {
                    text.parse().ok()
                })
                .unwrap_or_default(),
            networks: flock_net::Settings::read(reader),
        }
    }
}

impl KeysUrl {
    /// What the paths of all pages begin with.
    pub const PATH: &str = "/keys";

    /// Whether browsers come by TLS.
    pub fn is_https(&self) -> bool {
        self.0.starts_with("https://")
    }

    /// What a browser calls the origin of the pages.
    pub fn origin(&self) -> &str {
        self.0.strip_suffix(Self::PATH).unwrap_or_default()
    }

    /// Where networks send people back to.
    pub fn callback(&self) -> String {
        format!("{self}/callback")
    }
}

impl FromStr for KeysUrl {
    type Err = NoKeysUrl;

    fn from_str(text: &str) -> Result<Self, NoKeysUrl> {
        let host = ["https://", "http://"].into_iter().find_map(|scheme| text.strip_prefix(scheme));
        let host = host.and_then(|rest| rest.strip_suffix(Self::PATH));
        // What is written into headers has nothing in it that means something there.
        let is_host = |host: &str| {
            let is_of_host = |b: u8| b.is_ascii_alphanumeric() || b"-.:[]".contains(&b);
            !host.is_empty() && host.bytes().all(is_of_host)
        };
        match host {
            Some(host) if is_host(host) => Ok(Self(text.to_owned())),
            _ => Err(NoKeysUrl(text.to_owned())),
        }
    }
}

impl fmt::Display for KeysUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pages_are_below_one_path() {
        let url: KeysUrl = "https://a1.execute-api.eu-west-1.amazonaws.com/keys".parse().unwrap();
        assert_eq!(url.origin(), "https://a1.execute-api.eu-west-1.amazonaws.com");
        assert!(url.is_https());
        assert_eq!(url.callback(), "https://a1.execute-api.eu-west-1.amazonaws.com/keys/callback");
        let local: KeysUrl = "http://127.0.0.1:8080/keys".parse().unwrap();
        assert_eq!((local.is_https(), local.origin()), (false, "http://127.0.0.1:8080"));
        for text in
            ["", "/keys", "https:///keys", "https://a.example", "https://a b/keys", "ftp://a/keys"]
        {
            assert!(text.parse::<KeysUrl>().is_err(), "{text:?}");
        }
    }
}
