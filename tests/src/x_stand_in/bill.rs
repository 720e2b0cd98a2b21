//! What X charges for.

use std::collections::BTreeMap;

use super::{Platform, X};

/// What X charges for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Billed {
    /// A post without a link.
    Post,
    /// A post with a link.
    PostWithLink,
    /// A reply to somebody who asked for it.
    SummonedReply,
    /// A repost.
    Repost,
    /// A deletion.
    Delete,
    /// One own post, read.
    OwnPost,
    /// One user, looked up.
    User,
    /// The description of a picture.
    AltText,
}

impl X {
    /// How often the account was charged for what.
    pub fn bill(&self, user_id: &str) -> BTreeMap<Billed, u64> {
        let mut bill = BTreeMap::new();
        for (_, billed) in self.shared.state().bill.iter().filter(|(user, _)| user == user_id) {
            *bill.entry(*billed).or_default() += 1;
        }
        bill
    }

    /// What the account was charged, in millionths of a dollar.
    pub fn billed_micros(&self, user_id: &str) -> u64 {
        self.bill(user_id).into_iter().map(|(billed, count)| billed.micros() * count).sum()
    }
}

impl Billed {
    /// X's price, in millionths of a dollar (docs.x.com, "Pricing", 2026-08, pay per use).
    pub fn micros(self) -> u64 {
        match self {
            Self::Post | Self::Repost => 15_000,
            Self::PostWithLink => 200_000,
            Self::SummonedReply | Self::Delete | Self::User => 10_000,
            Self::OwnPost => 1_000,
            Self::AltText => 5_000,
        }
    }
}

impl Platform {
    pub(super) fn charge(&mut self, user_id: &str, billed: Billed) {
        self.bill.push((user_id.to_owned(), billed));
    }
}
