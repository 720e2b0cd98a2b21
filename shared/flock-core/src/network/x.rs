//! What is known of X: docs.x.com and its OpenAPI document 2.167 (2026-08), prices and limits as read in
//! 2026-11.

use jiff::SignedDuration;

use super::{Action, Can, Charge, Facts, Idempotency, Limit, LimitOf, Tier, x_text};
use crate::{
    Ai, Cause, Deed, PictureKind, PictureRules, ProfilePart, ProfileRules, Rule, Usd,
    policy::{identical_text, unlabelled},
};

pub(super) const FACTS: Facts = Facts {
    name: "x",
    title: "X",
    account_example: "apollo_bot",
    is_handle,
    text_limit: 280,
    limits_vary: false,
    unit: "characters",
    measure: x_text::measure,
    tiers: &[Tier::Standard, Tier::Enterprise],
    can,
    ids_are_servers_own: false,
    has_app: true,
    idempotency: Idempotency::Look,
    limits: &[
        Limit { posts: 100, per: SignedDuration::from_mins(15), of: LimitOf::Account },
        Limit { posts: 10_000, per: SignedDuration::from_hours(24), of: LimitOf::App },
    ],
    // docs.x.com, "Rate limits", 2026-08: 50 in a quarter of an hour for each user.
    deletions: &[Limit { posts: 50, per: SignedDuration::from_mins(15), of: LimitOf::Account }],
    // docs.x.com, "User Posts timeline", 2026-08.
    lists: Some(3_200),
    // "A few hours", one of its engineers wrote to its developers' list in 2010; no page says more.
    remembers: Some(SignedDuration::from_hours(6)),
    price,
    // docs.x.com, "Media upload: best practices".
    pictures: PictureRules {
        kinds: &[PictureKind::Png, PictureKind::Jpeg, PictureKind::Webp],
        most_bytes: 5_000_000,
        most_pixels: None,
        most_alt_chars: 1_000,
    },
    // "POST account/update_profile", "... update_profile_image" and "... update_profile_banner" of API v1.1, to which ordinary
    // tiers are not let (code 453). Its Automated label is set by hand.
    profile: ProfileRules {
        texts: &[
            (ProfilePart::Name, 50),
            (ProfilePart::Bio, 160),
            (ProfilePart::Url, 100),
            (ProfilePart::Location, 30),
        ],
        measure: |text| text.chars().count(),
        picture: Some(PictureRules { most_bytes: 700_000, ..PROFILE_PICTURES }),
        banner: Some(PROFILE_PICTURES),
        has_bot: false,
    },
    rules: &RULES,
    as_of: "2026-11",
};

/// What is beside and above its posts.
const PROFILE_PICTURES: PictureRules = PictureRules {
    kinds: &[PictureKind::Png, PictureKind::Jpeg, PictureKind::Gif],
    most_bytes: 5_000_000,
    most_pixels: None,
    most_alt_chars: 0,
};

/// help.x.com, "Help with username registration", 2026-11.
fn is_handle(handle: &str) -> bool {
    (1..=15).contains(&handle.len())
        && handle.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

fn can(tier: Tier, action: Action) -> Can {
    match (action, tier) {
        (Action::Quote | Action::Like | Action::Follow, Tier::Standard) => {
            Can::No("since 2026-04-20 for Enterprise customers only")
        }
        (Action::Reply, Tier::Standard) => {
            Can::If("the author of the other post mentioned or quoted the account")
        }
        // There is no such request in API v2, and v1.1 answers ordinary tiers 403 with code 453.
        (Action::Profile, _) => Can::If("X lets the app; it refuses most"),
        (Action::DirectMessage, _) => Can::If("the other person has written first"),
        _ => Can::Yes,
    }
}

/// Pay per use, self-serve.
fn price(charge: Charge) -> Usd {
    match charge {
        Charge::Post { link: false } | Charge::Repost => Usd::from_micros(15_000),
        Charge::Post { link: true } => Usd::from_micros(200_000),
        Charge::Reply | Charge::Delete => Usd::from_micros(10_000),
        Charge::OwnPosts(count) => Usd::from_micros(1_000).times(count.into()),
        Charge::Users(count) => Usd::from_micros(10_000).times(count.into()),
        // "Media Metadata" (docs.x.com, "Pricing", 2026-08).
        Charge::AltText => Usd::from_micros(5_000),
    }
}

/// docs.x.com, "Developer guidelines", 2026-08.
const GUIDELINES: &str = "https://docs.x.com/developer-guidelines";

/// help.x.com, "X's automation development rules", 2026-08.
const AUTOMATION: &str = "https://help.x.com/en/rules-and-policies/x-automation";

const RULES: [Rule; 9] = [
    Rule {
        name: "x-identical-text",
        sentence: "The same text is not posted through several accounts.",
        source: AUTOMATION,
        remedy: "give each account a text of its own, or let one account say it",
        forbids: identical_text,
    },
    Rule {
        name: "x-unlabelled-bot",
        sentence: "An automated account carries X's Automated label and says who runs it.",
        source: GUIDELINES,
        remedy: "set the label (Settings, Your account, Automation), name yourself in the bio, then \
                 renew the account's key and say there that it carries the label",
        forbids: unlabelled,
    },
    Rule {
        name: "x-unmarked-ai",
        sentence: "A text made with artificial intelligence is marked as such.",
        source: GUIDELINES,
        remedy: "write made_with_ai = true",
        forbids: |deed| deed.ai == Ai::Unmarked,
    },
    Rule {
        name: "x-ai-reply",
        sentence: "Replies made with artificial intelligence need X's written approval.",
        source: AUTOMATION,
        remedy: "reply with a text people wrote, or ask X for its approval",
        forbids: |deed| deed.action == Action::Reply && deed.ai != Ai::No,
    },
    Rule {
        name: "x-keyword-reply",
        sentence: "Posts that were found by a word are not replied to.",
        source: AUTOMATION,
        remedy: "reply to those who mention the account",
        forbids: |deed| deed.action == Action::Reply && deed.cause == Cause::Found,
    },
    Rule {
        name: "x-automated-like",
        sentence: "Nothing is liked automatically.",
        source: AUTOMATION,
        remedy: "like by hand",
        forbids: |deed| deed.action == Action::Like && deed.cause != Cause::Person,
    },
    Rule {
        name: "x-automated-follow",
        sentence: "Nobody is followed automatically, in bulk or back.",
        source: AUTOMATION,
        remedy: "follow by hand",
        forbids: |deed| deed.action == Action::Follow && deed.cause != Cause::Person,
    },
    Rule {
        name: "x-unasked-message",
        sentence: "Nobody is sent a message they did not ask for, not even as a welcome.",
        source: AUTOMATION,
        remedy: "wait until they write",
        forbids: |deed| deed.action == Action::DirectMessage && deed.cause != Cause::Asked,
    },
    Rule {
        name: "x-trend",
        sentence: "Posts do not take up trending topics to be seen.",
        source: AUTOMATION,
        remedy: "leave trending topics out",
        forbids: |deed: &Deed<'_>| deed.action == Action::Post && deed.cause == Cause::Trend,
    },
];
