//! Accounts: what is known of one beside its key.

use serde::{Deserialize, Serialize};

use crate::{Network, PictureRules, Tier};

/// What was read of an account when it was added, or declared then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountFacts {
    /// What its network lets it do.
    #[serde(default)]
    pub tier: Tier,
    /// Whether it says that it is a bot's: Mastodon's and Bluesky's own marks; for X, which does not tell,
    /// what whoever added it declared.
    #[serde(default)]
    pub labelled: bool,
    /// The most its posts may be, where its server says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text_limit: Option<usize>,
    /// The most a picture of it may be in bytes, where its server says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub picture_bytes: Option<usize>,
}

impl AccountFacts {
    /// An account of the meadow, which needs no key and no label: everybody there is a bot.
    pub const MEADOW: Self =
        Self { tier: Tier::Standard, labelled: true, text_limit: None, picture_bytes: None };

    /// What is expected of an account that nobody has added yet, until it is known better: what its network grants everybody,
    /// and that whoever adds it marks it as a bot's.
    pub const EXPECTED: Self =
        Self { tier: Tier::Standard, labelled: true, text_limit: None, picture_bytes: None };

    /// The most a post of the account may be.
    pub fn text_limit(&self, network: Network) -> usize {
        self.text_limit.unwrap_or(network.facts().text_limit)
    }

    /// Which pictures the account may post.
    pub fn picture_rules(&self, network: Network) -> PictureRules {
        let rules = network.facts().pictures;
        PictureRules { most_bytes: self.picture_bytes.unwrap_or(rules.most_bytes), ..rules }
    }
}
