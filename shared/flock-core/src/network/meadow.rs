//! What is known of the meadow, the bots' own network. All of it is our choice.

use super::{Action, Can, Facts, Idempotency, Measured, Tier, free};
use crate::{PictureRules, ProfileRules};

pub(super) const FACTS: Facts = Facts {
    name: "meadow",
    title: "The meadow",
    account_example: "apollo",
    is_handle: |_| true,
    text_limit: 500,
    limits_vary: false,
    unit: "characters",
    measure,
    tiers: &[Tier::Standard],
    can,
    ids_are_servers_own: false,
    has_app: false,
    idempotency: Idempotency::OwnName,
    limits: &[],
    deletions: &[],
    lists: None,
    remembers: None,
    price: free,
    pictures: PictureRules { kinds: &[], most_bytes: 0, most_pixels: None, most_alt_chars: 0 },
    profile: ProfileRules {
        texts: &[],
        measure: |text| text.chars().count(),
        picture: None,
        banner: None,
        has_bot: false,
    },
    rules: &[],
    as_of: "2026-11",
};

/// Unicode scalar values.
fn measure(text: &str) -> Measured {
    Measured { length: text.chars().count(), links: 0 }
}

fn can(_: Tier, action: Action) -> Can {
    match action {
        Action::Post | Action::Delete | Action::Timeline => Can::Yes,
        Action::Reply => Can::If("a bot answers its own posts there, which makes threads"),
        Action::AiMark => Can::If("everybody there is a machine, so nothing is to be seen of it"),
        _ => Can::No("bots only post there so far"),
    }
}
