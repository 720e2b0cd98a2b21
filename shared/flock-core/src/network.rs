//! The networks posts go to, and what each accepts as a text.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// Where posts go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Network {
    /// The bots' own network, built in.
    Meadow,
    /// X, formerly Twitter.
    X,
}

/// A name that is no network's.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` is not a network: use one of {names}", names = Network::names())]
pub struct UnknownNetwork(String);

/// A text a network would not take, or that nobody should be sent.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
pub enum TextRefusal {
    /// Nothing but white space.
    #[error("the text is empty")]
    Empty,
    /// Longer than the network allows, by the network's own counting.
    #[error(
        "the text is {length} characters long by {network}'s counting; {network} takes {limit}"
    )]
    TooLong {
        /// The network that counts.
        network: Network,
        /// What it counts.
        length: usize,
        /// What it takes.
        limit: usize,
    },
}

impl Network {
    /// All networks.
    pub const ALL: [Self; 2] = [Self::Meadow, Self::X];

    /// The name in files, tables and messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Meadow => "meadow",
            Self::X => "x",
        }
    }

    fn names() -> String {
        Self::ALL.map(Self::name).join(", ")
    }

    /// The most a post may be, in the unit [`Network::length`] counts.
    ///
    /// X: 280 (docs.x.com, "Counting characters", 2026-08). The meadow's 500 is ours.
    pub fn text_limit(self) -> usize {
        match self {
            Self::Meadow => 500,
            Self::X => 280,
        }
    }

    /// The length of `text` as the network counts it.
    ///
    /// The meadow counts Unicode scalar values. X weighs them: 1 for Latin, Greek, Cyrillic and the
    /// like, 2 for everything else (twitter-text configuration v3, read 2026-11). Not counted as X
    /// does: a link, which X takes as 23, and a joined emoji, which X takes as 2.
    pub fn length(self, text: &str) -> usize {
        match self {
            Self::Meadow => text.chars().count(),
            Self::X => text
                .chars()
                .map(|c| match u32::from(c) {
                    0..=4351 | 8192..=8205 | 8208..=8223 | 8242..=8247 => 1,
                    _ => 2,
                })
                .sum(),
        }
    }

    /// Refuses what the network would not take.
    pub fn check_text(self, text: &str) -> Result<(), TextRefusal> {
        if text.trim().is_empty() {
            return Err(TextRefusal::Empty);
        }
        let (length, limit) = (self.length(text), self.text_limit());
        if limit < length {
            return Err(TextRefusal::TooLong { network: self, length, limit });
        }
        Ok(())
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Network {
    type Err = UnknownNetwork;

    fn from_str(name: &str) -> Result<Self, UnknownNetwork> {
        Self::ALL
            .into_iter()
            .find(|network| network.name() == name)
            .ok_or_else(|| UnknownNetwork(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(network: Network, text: &str, expected: &str) {
        let got = network.check_text(text).map_or_else(|err| err.to_string(), |()| "ok".to_owned());
        assert_eq!(got, expected);
    }

    #[test]
    fn texts_are_checked_as_the_network_counts() {
        check(Network::Meadow, "a line", "ok");
        check(Network::Meadow, " \t", "the text is empty");
        check(Network::Meadow, &"é".repeat(500), "ok");
        check(
            Network::Meadow,
            &"a".repeat(501),
            "the text is 501 characters long by meadow's counting; meadow takes 500",
        );
        check(Network::X, &"a".repeat(280), "ok");
        check(
            Network::X,
            &"猫".repeat(141),
            "the text is 282 characters long by x's counting; x takes 280",
        );
    }

    #[test]
    fn an_unknown_network_is_answered_with_the_known_ones() {
        assert_eq!(
            "myspace".parse::<Network>().unwrap_err().to_string(),
            "`myspace` is not a network: use one of meadow, x"
        );
    }
}
