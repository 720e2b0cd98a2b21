//! What is known of Mastodon (docs.joinmastodon.org, and its source where that says more; 2026-11). Instances
//! have limits of their own, which are read when an account is added.

use jiff::SignedDuration;
use unicode_segmentation::UnicodeSegmentation as _;

use super::{Action, Can, Facts, Idempotency, Limit, LimitOf, Measured, Tier, free, is_domain};
use crate::{PictureKind, PictureRules, ProfilePart, ProfileRules, Rule, policy::unlabelled};

pub(super) const FACTS: Facts = Facts {
    name: "mastodon",
    title: "Mastodon",
    account_example: "apollo@example.social",
    is_handle,
    text_limit: 500,
    limits_vary: true,
    unit: "characters",
    measure,
    tiers: &[Tier::Standard],
    can,
    ids_are_servers_own: true,
    has_app: false,
    idempotency: Idempotency::KeyAndLook,
    // "Rate limits": 300 requests in 5 minutes for each account; a post is one. Pictures are 30 in half an hour, and
    // so are deletions.
    limits: &[Limit { posts: 300, per: SignedDuration::from_mins(5), of: LimitOf::Account }],
    deletions: &[Limit { posts: 30, per: SignedDuration::from_mins(30), of: LimitOf::Account }],
    lists: None,
    remembers: None,
    price: free,
    pictures: PictureRules {
        kinds: &[PictureKind::Png, PictureKind::Jpeg, PictureKind::Gif, PictureKind::Webp],
        // `IMAGE_LIMIT`, `MAX_MATRIX_LIMIT` and `MAX_DESCRIPTION_LENGTH`, unless the instance says otherwise.
        most_bytes: 16 * 1024 * 1024,
        most_pixels: Some(33_177_600),
        most_alt_chars: 1_500,
    },
    // `MAX_DISPLAY_NAME_LENGTH`, `MAX_NOTE_LENGTH` and `Account::Field::MAX_CHARACTERS_LOCAL`; an instance can say less, in its own
    // words. A link and a location are fields of the profile.
    profile: ProfileRules {
        texts: &[
            (ProfilePart::Name, 30),
            (ProfilePart::Bio, 500),
            (ProfilePart::Url, 255),
            (ProfilePart::Location, 255),
        ],
        measure: |text| text.graphemes(true).count(),
        picture: Some(PROFILE_PICTURES),
        banner: Some(PROFILE_PICTURES),
        has_bot: true,
    },
    rules: &[Rule {
        name: "mastodon-unlabelled-bot",
        sentence: "An automated account is marked as one in its profile.",
        source: "https://docs.joinmastodon.org/user/profile/#bot",
        remedy: "mark it as automated in its profile and renew the account's key, or have it marked when that is renewed",
        forbids: unlabelled,
    }],
    as_of: "2026-11",
};

/// `AccountAvatar::LIMIT` and `AccountHeader::LIMIT`.
const PROFILE_PICTURES: PictureRules = PictureRules {
    kinds: &[PictureKind::Png, PictureKind::Jpeg, PictureKind::Gif, PictureKind::Webp],
    most_bytes: 8 * 1024 * 1024,
    most_pixels: Some(33_177_600),
    most_alt_chars: 0,
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

/// Grapheme clusters, with each link as 23 and each mention without its domain (`StatusLengthValidator`).
///
/// A link is what Mastodon's `valid_url` finds, but for one thing: its list of top-level domains is not looked
/// at, so that a link to a domain that does not exist is a link here and text there.
fn measure(text: &str) -> Measured {
    /// `characters_reserved_per_url`.
    const LINK: &str = "xxxxxxxxxxxxxxxxxxxxxxx";
    let text = text.trim();
    let (mut counted, mut links) = (String::with_capacity(text.len()), 0);
    let mut before = None;
    let mut at = 0;
    while let Some(character) = text[at..].chars().next() {
        let rest = &text[at..];
        let step = if let Some(length) = link(before, rest) {
            links += 1;
            counted.push_str(LINK);
            length
        } else if let Some((shown, length)) = mention(before, rest) {
            counted.push_str(shown);
            length
        } else {
            counted.push(character);
            character.len_utf8()
        };
        before = rest[..step].chars().next_back();
        at += step;
    }
    Measured { length: counted.graphemes(true).count(), links }
}

/// The length of the link that `text` begins with.
fn link(before: Option<char>, text: &str) -> Option<usize> {
    const SCHEMES: [&str; 9] =
        ["https", "http", "dat", "dweb", "ipfs", "ipns", "ssb", "gopher", "gemini"];
    if before
        .is_some_and(|c| c.is_ascii_alphanumeric() || "@＠$#＃\u{fffe}\u{feff}\u{ffff}".contains(c))
    {
        return None;
    }
    let scheme = SCHEMES.into_iter().find_map(|scheme| {
        let (begin, rest) = text.split_at_checked(scheme.len())?;
        let is_it = begin.eq_ignore_ascii_case(scheme) && rest.starts_with("://");
        is_it.then_some(scheme.len() + "://".len())
    })?;
    let mut end = scheme + domain(&text[scheme..])?;
    if let Some(port) = text[end..].strip_prefix(':') {
        let digits = port.bytes().take_while(u8::is_ascii_digit).count();
        end += if digits == 0 { 0 } else { 1 + digits };
    }
    end += path(&text[end..]);
    end += query(&text[end..]);
    Some(end)
}

/// The length of the domain that `text` begins with: up to the last label that may be a top-level domain.
fn domain(text: &str) -> Option<usize> {
    let is_label = |c: char| c.is_alphanumeric() || c == '-' || c == '_';
    let (mut from, mut found) = (0, None);
    loop {
        let label = &text[from..];
        let label = &label[..label.find(|c| !is_label(c)).unwrap_or(label.len())];
        let next = text[from + label.len()..].chars().next();
        if label.is_empty() || label.starts_with('-') || label.ends_with('-') {
            return found;
        }
        let is_top = 1 < label.chars().count() && label.chars().all(char::is_alphabetic)
            || label.starts_with("xn--");
        if is_top && 0 < from && next != Some('@') {
            found = Some(from + label.len());
        }
        if next != Some('.') {
            return found;
        }
        from += label.len() + 1;
    }
}

/// The length of the path that `text` begins with, if it does: without marks at its end, with brackets in pairs.
fn path(text: &str) -> usize {
    if !text.starts_with('/') {
        return 0;
    }
    let is_path = |c: char| !c.is_whitespace() && !"<>()?".contains(c);
    let may_end = |c: char| is_path(c) && !"!*\"'「」;:=,.$%[]~&|@".contains(c);
    let (mut at, mut end) = (1, 1);
    while let Some(character) = text[at..].chars().next() {
        if character == '(' {
            let Some(length) = brackets(&text[at..], is_path) else { break };
            at += length;
            end = at;
        } else if is_path(character) {
            at += character.len_utf8();
            if may_end(character) {
                end = at;
            }
        } else {
            break;
        }
    }
    end
}

/// The length of the brackets that `text` begins with, with at most one pair inside.
fn brackets(text: &str, is_path: impl Fn(char) -> bool) -> Option<usize> {
    let (mut open, mut pairs, mut last_was_open) = (0, 0, false);
    for (at, character) in text.char_indices() {
        match character {
            '(' if open < 2 && pairs == 0 => open += 1,
            ')' if last_was_open => return None,
            ')' if open == 2 => {
                open = 1;
                pairs += 1;
            }
            ')' => return Some(at + 1),
            other if is_path(other) => {}
            _ => return None,
        }
        last_was_open = character == '(';
    }
    None
}

/// The length of the query that `text` begins with, if it does.
fn query(text: &str) -> usize {
    let is_query = |c: char| {
        c.is_ascii_alphanumeric() || "!?*'();:&=+$/%#[]-_.,~|@^".contains(c) || '\u{a0}' <= c
    };
    let may_end = |c: char| c.is_ascii_alphanumeric() || "_&=#/-".contains(c) || '\u{a0}' <= c;
    let Some(rest) = text.strip_prefix('?') else { return 0 };
    let rest = &rest[..rest.find(|c| !is_query(c)).unwrap_or(rest.len())];
    let rest = rest.trim_end_matches(|c| !may_end(c));
    if rest.is_empty() { 0 } else { 1 + rest.len() }
}

/// What is counted of the mention that `text` begins with, and the mention's length (`Account::MENTION_RE`).
fn mention(before: Option<char>, text: &str) -> Option<(&str, usize)> {
    /// `Extractor::MAX_DOMAIN_LENGTH`
    const LONGEST_DOMAIN: usize = 253;
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    if !text.starts_with('@') || before.is_some_and(|c| is_word(c) || c == '=' || c == '/') {
        return None;
    }
    let user = words(&text[1..], |c| c.is_ascii_alphanumeric() || c == '_')?;
    let user = &text[..=user];
    let domain = text[user.len()..].strip_prefix('@').and_then(|domain| words(domain, is_word));
    let length = user.len() + domain.map_or(0, |domain| 1 + domain);
    // `end_mention_match`: then it is no mention at all.
    let rest = &text[length..];
    let goes_on = rest.starts_with(['@', '＠']) || rest.starts_with("://");
    let is_latin = |c: char| ('\u{c0}'..='\u{24f}').contains(&c) && c != '×' && c != '÷';
    let is_mention = !goes_on
        && !rest.starts_with(is_latin)
        && domain.is_none_or(|length| length <= LONGEST_DOMAIN);
    is_mention.then_some((user, length))
}

/// The length of the words that `text` begins with, which may have dots and hyphens between them.
fn words(text: &str, is_word: impl Fn(char) -> bool) -> Option<usize> {
    let end = text.find(|c| !is_word(c) && c != '.' && c != '-').unwrap_or(text.len());
    let words = text[..end].trim_end_matches(['.', '-']);
    words.starts_with(is_word).then_some(words.len())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, length: usize, links: usize) {
        assert_eq!(measure(text), Measured { length, links }, "{text:?}");
    }

    #[test]
    fn graphemes_are_counted() {
        check("", 0, 0);
        check("  Baa\n", 3, 0);
        check("a\nb", 3, 0);
        check("猫👩\u{200d}👩\u{200d}👧e\u{301}", 3, 0);
    }

    #[test]
    fn a_link_is_23() {
        check("https://example.com", 23, 1);
        check("http://a.example/b?c=d#e, and", 23 + 5, 1);
        check("HTTPS://WWW.EXAMPLE.COM:8080/a/b/", 23, 1);
        check("(https://example.com/a_(b)_c)", 25, 1);
        check("see https://example.com/a_(b_(c)_d).", 4 + 23 + 1, 1);
        check("https://example.com/?q=a!b?", 24, 1);
        check("https://example.com? https://example.com/!", 23 + 2 + 23 + 1, 2);
        check("https://münchen.example/ü/猫?ö=ä x", 23 + 2, 1);
        check("https://a.b.xn--p1ai/c", 23, 1);
        check("gemini://example.org/a", 23, 1);
        check("\"https://example.com/a\"", 25, 1);
        check("éhttps://example.com", 24, 1);
    }

    #[test]
    fn what_only_looks_like_a_link_is_text() {
        for text in [
            "example.com",
            "https://localhost/a",
            "https://127.0.0.1/a",
            "https://",
            "xhttps://example.com/long/path",
            "@https://example.com/a/long/path",
            "ftp://example.com/a/long/path",
            "https://-.com",
        ] {
            check(text, text.len(), 0);
        }
        // The domain ends where it can.
        check("https://example.com.1", 23 + 2, 1);
        check("https://example.com@elsewhere", 29, 0);
    }

    #[test]
    fn a_mention_has_no_domain() {
        check("@apollo@a.very.long.example", 7, 0);
        check("hi @apollo@a.example, @bacchus and @c.d-e@f.", 3 + 7 + 2 + 8 + 5 + 6 + 1, 0);
        check("@apollo@a.example.", 8, 0);
        for text in
            ["a@b.example", "/@a@b.example", "@a@b.example@c", "@a@b.example://c", "@@", "@a@"]
        {
            check(text, text.len(), 0);
        }
        let domain = format!("{}.example", "a".repeat(250));
        check(&format!("@a@{domain}"), 3 + domain.len(), 0);
    }
}
