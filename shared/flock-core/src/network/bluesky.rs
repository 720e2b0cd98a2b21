//! What is known of Bluesky (docs.bsky.app and its lexicons, 2026-11).

use jiff::SignedDuration;
use unicode_segmentation::UnicodeSegmentation as _;

use super::{Action, Can, Facts, Idempotency, Limit, LimitOf, Measured, Tier, free, is_domain};
use crate::{
    Cause, PictureKind, PictureRules, ProfilePart, ProfileRules, Rule, policy::unlabelled,
};

pub(super) const FACTS: Facts = Facts {
    name: "bluesky",
    title: "Bluesky",
    account_example: "apollo.bsky.social",
    is_handle,
    text_limit: 300,
    limits_vary: false,
    unit: "graphemes",
    measure,
    tiers: &[Tier::Standard],
    can,
    // A DID is the same on whichever server the account is (atproto.com, "Identity", 2026-11).
    ids_are_servers_own: false,
    has_app: false,
    idempotency: Idempotency::OwnName,
    // "Rate limits": 5,000 points an hour and 35,000 a day for each account; a new record takes 3. One that is
    // put takes 2 (putRecord of @atproto/pds 0.4.217); the page does not say so.
    limits: &[
        Limit { posts: 1_666, per: SignedDuration::from_hours(1), of: LimitOf::Account },
        Limit { posts: 11_666, per: SignedDuration::from_hours(24), of: LimitOf::Account },
    ],
    // The same page: a deletion takes 1 point; and 3,000 requests in 5 minutes from one place, whatever they are for.
    deletions: &[
        Limit { posts: 3_000, per: SignedDuration::from_mins(5), of: LimitOf::App },
        Limit { posts: 5_000, per: SignedDuration::from_hours(1), of: LimitOf::Account },
        Limit { posts: 35_000, per: SignedDuration::from_hours(24), of: LimitOf::Account },
    ],
    lists: None,
    remembers: None,
    price: free,
    // Lexicon app.bsky.embed.images.
    pictures: PictureRules {
        kinds: &[PictureKind::Png, PictureKind::Jpeg, PictureKind::Gif, PictureKind::Webp],
        most_bytes: 1_000_000,
        most_pixels: None,
        // The lexicon has no limit; this is that of Bluesky's own app.
        most_alt_chars: 2_000,
    },
    // Lexicon app.bsky.actor.profile: 64 and 256 graphemes of ten bytes each. It has no place for a location.
    profile: ProfileRules {
        texts: &[(ProfilePart::Name, 64), (ProfilePart::Bio, 256), (ProfilePart::Url, 2_000)],
        measure: |text| text.graphemes(true).count().max(text.len().div_ceil(10)),
        picture: Some(PROFILE_PICTURES),
        banner: Some(PROFILE_PICTURES),
        has_bot: true,
    },
    rules: &[
        Rule {
            name: "bluesky-unlabelled-bot",
            sentence: "An automated account carries the label `bot`.",
            source: "https://docs.bsky.app/docs/starter-templates/bots",
            remedy: "renew the account's key and have it marked as a bot",
            forbids: unlabelled,
        },
        Rule {
            name: "bluesky-unasked",
            sentence: "A bot turns to people only when they tagged it.",
            source: "https://docs.bsky.app/docs/starter-templates/bots",
            remedy: "wait until they do",
            forbids: |deed| {
                matches!(
                    deed.action,
                    Action::Reply | Action::Like | Action::Follow | Action::DirectMessage
                ) && !matches!(deed.cause, Cause::Asked | Cause::Person)
            },
        },
    ],
    as_of: "2026-11",
};

/// What the lexicon takes of both pictures.
const PROFILE_PICTURES: PictureRules = PictureRules {
    kinds: &[PictureKind::Png, PictureKind::Jpeg],
    most_bytes: 1_000_000,
    most_pixels: None,
    most_alt_chars: 0,
};

/// A domain name whose last part does not begin with a digit (atproto.com, "Handle", 2026-11); lower case,
/// because case makes no difference there.
fn is_handle(handle: &str) -> bool {
    let last = handle.rsplit_once('.').map(|(_, last)| last);
    is_domain(handle) && last.is_some_and(|last| last.starts_with(|c: char| c.is_ascii_lowercase()))
}

/// Grapheme clusters, of which 300 may take 3,000 bytes (lexicon app.bsky.feed.post, `maxGraphemes` and
/// `maxLength`). A text with more bytes counts by them, ten to one, and so is too long.
fn measure(text: &str) -> Measured {
    const MOST_BYTES: usize = 3_000;
    let graphemes = text.graphemes(true).count();
    let length =
        if text.len() <= MOST_BYTES { graphemes } else { graphemes.max(text.len().div_ceil(10)) };
    Measured { length, links: 0 }
}

fn can(_: Tier, action: Action) -> Can {
    match action {
        Action::AiMark => Can::No("it has no such mark"),
        Action::Search | Action::DirectMessage => Can::If("the app view answers"),
        _ => Can::Yes,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, length: usize) {
        assert_eq!(measure(text).length, length, "{text}");
    }

    /// As a PDS counted them (@atproto/pds 0.4.217: taken to 300, refused from 301).
    #[test]
    fn graphemes_are_counted() {
        check("", 0);
        check("baa", 3);
        check("e\u{301}", 1);
        check("🐑🏴󠁧󠁢󠁷󠁬󠁳󠁿", 2);
        check(&"a".repeat(300), 300);
        check(&"🐑".repeat(300), 300);
        check(&"猫".repeat(300), 300);
    }

    /// 300 families are 7,500 bytes, which is refused as too many.
    #[test]
    fn bytes_are_counted_where_they_are_more() {
        let family = "👨\u{200d}👩\u{200d}👧\u{200d}👦";
        assert_eq!(family.len(), 25);
        check(&family.repeat(120), 120);
        check(&family.repeat(121), 303);
        check(&format!("{}a", family.repeat(120)), 301);
    }
}
