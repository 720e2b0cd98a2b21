//! Signing in: what somebody does at a network so that a key of an account is made without anybody touching one.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{AccountId, Network};

/// How a network is shown that an account is one's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Way {
    /// OAuth 1.0a: a key that does not expire.
    OAuth1,
    /// OAuth 2.0, on X with a key that is exchanged every two hours.
    OAuth2,
    /// A password for programs, which is made in the account's settings.
    AppPassword,
}

impl Network {
    /// How its accounts are signed in to, what is best first; none where accounts have no key.
    pub fn ways(self) -> &'static [Way] {
        match self {
            Self::Meadow => &[],
            Self::X => &[Way::OAuth1, Way::OAuth2],
            Self::Mastodon => &[Way::OAuth2],
            Self::Bluesky => &[Way::AppPassword],
        }
    }
}

impl AccountId {
    /// Whether its network means it by `name`.
    pub fn is_called(&self, name: &str) -> bool {
        let handle = self.handle.as_str();
        let own = match self.network {
            // A server calls its own by what stands before its address.
            Network::Mastodon => handle.split('@').next().unwrap_or_default(),
            Network::Meadow | Network::X | Network::Bluesky => handle,
        };
        own.eq_ignore_ascii_case(name)
    }
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::OAuth1 => "OAuth 1.0a",
            Self::OAuth2 => "OAuth 2.0",
            Self::AppPassword => "app password",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_known_by_what_its_network_calls_it() {
        for (account, name, is) in [
            ("x:Milton_book1", "milton_BOOK1", true),
            ("x:milton", "milton_book1", false),
            ("mastodon:iris@example.social", "iris", true),
            ("mastodon:iris@example.social", "iris@example.social", false),
            ("bluesky:a.example", "A.example", true),
        ] {
            let account: AccountId = account.parse().unwrap();
            assert_eq!(account.is_called(name), is, "{account} {name}");
        }
    }
}
