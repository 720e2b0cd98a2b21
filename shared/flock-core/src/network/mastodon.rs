//! What is known of Mastodon (docs.joinmastodon.org, 2026-11). Instances have limits of their own, which are
//! read when an account is added.

use jiff::SignedDuration;

use super::{Action, Can, Facts, Idempotency, Limit, LimitOf, Measured, Tier, free, is_domain};
use crate::{PictureKind, PictureRules, Rule, policy::unlabelled};

pub(super) const FACTS: Facts = Facts {
    name: "mastodon",
    title: "Mastodon",
    account_example: "apollo@botsin.space",
    is_handle,
    text_limit: 500,
    limits_vary: true,
    unit: "characters",
    measure,
    tiers: &[Tier::Standard],
    can,
    idempotency: Idempotency::KeyAndLook,
    // "Rate limits": 300 requests in 5 minutes for each account.
    limits: &[Limit { posts: 300, per: SignedDuration::from_mins(5), of: LimitOf::Account }],
    price: free,
    pictures: PictureRules {
        kinds: &[PictureKind::Png, PictureKind::Jpeg, PictureKind::Gif, PictureKind::Webp],
        most_bytes: 16 * 1024 * 1024,
        most_pixels: None,
        most_alt_chars: 1_500,
    },
    rules: &[Rule {
        name: "mastodon-unlabelled-bot",
        sentence: "An automated account is marked as one in its profile.",
        source: "https://docs.joinmastodon.org/user/profile/",
        remedy: "tick \"This is an automated account\" in the profile, then add the account again",
        forbids: unlabelled,
    }],
    as_of: "2026-11",
};

/// A user and the instance it is on. The user's name is Mastodon's `USERNAME_RE` (app/models/account.rs, 4.5).
fn is_handle(handle: &str) -> bool {
    let is_edge = |c: char| c.is_ascii_alphanumeric() || c == '_';
    handle.split_once('@').is_some_and(|(user, instance)| {
        user.starts_with(is_edge)
            && user.ends_with(is_edge)
            && user.chars().all(|c| is_edge(c) || c == '.' || c == '-')
            && is_domain(instance)
    })
}

/// Characters, with each link as 23.
fn measure(text: &str) -> Measured {
    Measured { length: text.chars().count(), links: 0 }
}

fn can(_: Tier, action: Action) -> Can {
    match action {
        Action::Quote => {
            Can::If("the instance runs Mastodon 4.5 or later and the author allows it")
        }
        Action::Search => Can::If("the instance has full-text search"),
        Action::AiMark => Can::No("it has no such mark"),
        _ => Can::Yes,
    }
}
