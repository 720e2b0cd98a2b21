//! What can be done in the world through an account, once: an act.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};

use crate::{Action, ProfilePart, RemoteId};

/// Something that is done through an account. Stored as a map with its `kind`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Act {
    /// A post is made.
    Post(NewPost),
    /// A post is shown to the account's followers.
    Repost {
        /// Which one.
        of: RemoteId,
    },
    /// A post is liked.
    Like {
        /// Which one.
        of: RemoteId,
    },
    /// Somebody is followed.
    Follow {
        /// Who, by the network's id.
        who: RemoteId,
    },
    /// Somebody is followed no more.
    Unfollow {
        /// Who, by the network's id.
        who: RemoteId,
    },
    /// An own post is deleted.
    Delete {
        /// Which one.
        of: RemoteId,
    },
    /// The account's profile is changed, but for its pictures.
    Profile {
        /// The texts of its parts; an empty one takes away what is there.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        texts: BTreeMap<ProfilePart, String>,
        /// Whether it says that it is a bot's.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        bot: Option<bool>,
    },
}

/// A post to be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewPost {
    /// What it says.
    pub text: String,
    /// Whether the text was made with artificial intelligence.
    #[serde(default, rename = "ai", skip_serializing_if = "std::ops::Not::not")]
    pub made_with_ai: bool,
    /// The post it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answers: Option<RemoteId>,
    /// The post that is shown in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quotes: Option<RemoteId>,
    /// Whether it answers the newest post of the same sheep, which makes a thread.
    #[serde(default, rename = "thread", skip_serializing_if = "std::ops::Not::not")]
    pub continues_thread: bool,
}

impl NewPost {
    /// A post of nothing but `text`.
    pub fn of(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            made_with_ai: false,
            answers: None,
            quotes: None,
            continues_thread: false,
        }
    }
}

impl Act {
    /// A post of nothing but `text`.
    pub fn post(text: impl Into<String>) -> Self {
        Self::Post(NewPost::of(text))
    }

    /// The post that it answers, where the newest of the same sheep is `newest`.
    pub fn answers<'a>(&'a self, newest: Option<&'a RemoteId>) -> Option<&'a RemoteId> {
        let Self::Post(post) = self else { return None };
        post.answers.as_ref().or(newest.filter(|_| post.continues_thread))
    }

    /// Whether it answers the newest post of the same sheep.
    pub fn continues_thread(&self) -> bool {
        matches!(self, Self::Post(NewPost { continues_thread: true, .. }))
    }

    /// What the account has to be able to do for it.
    pub fn actions(&self) -> Vec<Action> {
        match self {
            Self::Post(post) => {
                let also = [
                    (post.answers.is_some() || post.continues_thread, Action::Reply),
                    (post.quotes.is_some(), Action::Quote),
                    (post.made_with_ai, Action::AiMark),
                ];
                let also = also.into_iter().filter(|(is_asked, _)| *is_asked);
                [Action::Post].into_iter().chain(also.map(|(_, action)| action)).collect()
            }
            Self::Repost { .. } => vec![Action::Repost],
            Self::Like { .. } => vec![Action::Like],
            Self::Follow { .. } | Self::Unfollow { .. } => vec![Action::Follow],
            Self::Profile { .. } => vec![Action::Profile],
            Self::Delete { .. } => vec![Action::Delete],
        }
    }

    /// What rules of networks may forbid of it. Who answers their own post turns to nobody.
    pub fn deeds(&self) -> Vec<Action> {
        match self {
            Self::Post(post) => {
                let answers = post.answers.iter().map(|_| Action::Reply);
                let quotes = post.quotes.iter().map(|_| Action::Quote);
                [Action::Post].into_iter().chain(answers).chain(quotes).collect()
            }
            // What is gone breaks none.
            Self::Delete { .. } => Vec::new(),
            _ => self.actions(),
        }
    }
}

impl fmt::Display for Act {
    /// The text of a post; of anything else what is done.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Post(post) => f.write_str(&post.text),
            Self::Repost { of } => write!(f, "(repost of {of})"),
            Self::Like { of } => write!(f, "(like of {of})"),
            Self::Follow { who } => write!(f, "(follows {who})"),
            Self::Unfollow { who } => write!(f, "(follows {who} no more)"),
            Self::Profile { .. } => f.write_str("(change of the profile)"),
            Self::Delete { of } => write!(f, "(deletion of {of})"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_is_a_schema() {
        let id = || "123".parse::<RemoteId>().unwrap();
        let acts = [
            Act::post("the moon"),
            Act::Post(NewPost {
                made_with_ai: true,
                answers: Some(id()),
                quotes: Some(id()),
                continues_thread: true,
                ..NewPost::of("rose")
            }),
            Act::Repost { of: id() },
            Act::Like { of: id() },
            Act::Follow { who: id() },
            Act::Unfollow { who: id() },
            Act::Delete { of: id() },
            Act::Profile {
                texts: BTreeMap::from([(ProfilePart::Bio, "reads".to_owned())]),
                bot: Some(true),
            },
        ];
        let mut lines = Vec::new();
        for act in acts {
            let stored = serde_json::to_string(&act).unwrap();
            assert_eq!(serde_json::from_str::<Act>(&stored).unwrap(), act);
            lines.push(format!("{stored} {act} {:?} {:?}", act.actions(), act.deeds()));
        }
        insta::assert_snapshot!(lines.join("\n"), @r#"
        {"kind":"post","text":"the moon"} the moon [Post] [Post]
        {"kind":"post","text":"rose","ai":true,"answers":"123","quotes":"123","thread":true} rose [Post, Reply, Quote, AiMark] [Post, Reply, Quote]
        {"kind":"repost","of":"123"} (repost of 123) [Repost] [Repost]
        {"kind":"like","of":"123"} (like of 123) [Like] [Like]
        {"kind":"follow","who":"123"} (follows 123) [Follow] [Follow]
        {"kind":"unfollow","who":"123"} (follows 123 no more) [Follow] [Follow]
        {"kind":"delete","of":"123"} (deletion of 123) [Delete] []
        {"kind":"profile","texts":{"bio":"reads"},"bot":true} (change of the profile) [Profile] [Profile]
        "#);
    }
}
