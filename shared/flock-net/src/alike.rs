//! Whether a network shows what we sent, compared as people would.
//!
//! A post that is there and not recognised would be sent twice. So what servers do to a text does not count:
//! they curl quotes, draw dashes and dots together, compose characters, trim, collapse or break lines, hide
//! schemes, write hosts small and shorten links (Mastodon, snac, Friendica, X, and Rails' and PHP's typographers;
//! 2026-11). Two lines that only look alike are told apart by whose they are ([`crate::look`]).

use icu_normalizer::ComposingNormalizerBorrowed;

/// Whether `shown`, plain text as a network shows it, is the text `sent`.
pub(crate) fn same(shown: &str, sent: &str) -> bool {
    let bare_sent = bare(sent);
    if bare_sent.is_empty() {
        // Nothing but marks: then they are what it says.
        return same_marks(shown, sent);
    }
    bare(shown) == bare_sent
        || lengthened(shown, sent).is_some_and(|shown| bare(&shown) == bare_sent)
}

/// Whether `source`, which some servers show beside their HTML, is the text `sent`: nothing has become a tag.
pub(crate) fn same_source(source: &str, sent: &str) -> bool {
    solid(source) == solid(sent)
}

/// What stays the same whatever a server does to a text.
pub(crate) fn bare(text: &str) -> String {
    let text = without_schemes(&folded(text));
    let mut bare = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(at) = rest.find('@') {
        push_bare(&mut bare, &rest[..at]);
        let name = &rest[at + 1..];
        let user = run(name, is_user);
        push_bare(&mut bare, &rest[at..=at + user]);
        rest = &name[user..];
        // Of `@user@domain` Mastodon shows `@user` alone, and snac adds a domain where there is none.
        if let Some(domain) = rest.strip_prefix('@')
            && 0 < user
        {
            rest = &domain[run(domain, is_domain)..];
        }
    }
    push_bare(&mut bare, rest);
    bare
}

/// Characters that are no marks: those of markdown become tags, and slashes come and go at the ends of links.
fn push_bare(bare: &mut String, text: &str) {
    let marks = ['*', '_', '~', '`', '#', '>', '-', '\\', '/'];
    bare.extend(text.chars().filter(|c| !c.is_whitespace() && !marks.contains(c)));
}

/// A text without white space: servers trim it, and make paragraphs of empty lines.
fn solid(text: &str) -> String {
    let mut solid = folded(text);
    solid.retain(|c| !c.is_whitespace());
    solid
}

/// Marks alone. A drawn dash may stand for two or three hyphens, but three asterisks are not two.
fn same_marks(shown: &str, sent: &str) -> bool {
    let sent = solid(sent);
    let typewritten = [["-", "-"], ["--", "---"], ["-", "--"]];
    typewritten.iter().any(|[short, long]| {
        let shown = shown.replace('\u{2013}', short).replace('\u{2014}', long);
        solid(&shown) == sent
    })
}

/// A text with one spelling of what is written in several ways.
fn folded(text: &str) -> String {
    let composed = ComposingNormalizerBorrowed::new_nfc();
    let mut folded = String::with_capacity(text.len());
    // What is not shown comes and goes, and would keep apart what is to be composed.
    let shown: String = text.chars().filter(|c| !is_hidden(*c)).collect();
    for c in composed.normalize(&shown).chars() {
        match c {
            // Quotation marks and apostrophes, curled, primed or low.
            '\u{2018}'..='\u{201b}'
            | '\u{2032}'
            | '\u{2035}'
            | '\u{2039}'
            | '\u{203a}'
            | '\u{b4}'
            | '\u{2bc}' => folded.push('\''),
            '\u{201c}'..='\u{201f}' | '\u{2033}' | '\u{2036}' | '\u{ab}' | '\u{bb}' => {
                folded.push('"');
            }
            // Hyphens, dashes, the horizontal bar and the minus sign.
            '\u{2010}'..='\u{2015}' | '\u{2212}' => folded.push('-'),
            '\u{2026}' => folded.push_str("..."),
            other => folded.push(other),
        }
    }
    folded
}

/// Control characters but line breaks, soft hyphens, what has no width, and what chooses how an emoji or the
/// direction is drawn. Joiners stay: they make one emoji of several.
fn is_hidden(c: char) -> bool {
    c.is_control() && !c.is_whitespace()
        || matches!(c,
            '\u{ad}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}' | '\u{2066}'..='\u{2069}' | '\u{fe0e}' | '\u{fe0f}' | '\u{feff}')
}

/// What stands before a link is shown by some and hidden by others, and the case of a host means nothing.
fn without_schemes(text: &str) -> String {
    let mut without = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((at, length)) = scheme(rest) {
        without.push_str(&rest[..at]);
        rest = &rest[at + length..];
        let host = rest.find(|c: char| c.is_whitespace() || "/?#:\"'<>()".contains(c));
        let (host, after) = rest.split_at(host.unwrap_or(rest.len()));
        without.push_str(&host.to_lowercase());
        rest = after;
    }
    without.push_str(rest);
    without
}

/// Where the next `http://` or `https://` is, and how long it is.
fn scheme(text: &str) -> Option<(usize, usize)> {
    let mut from = 0;
    while let Some(slashes) = text[from..].find("://") {
        let end = from + slashes;
        let before = text.as_bytes().get(..end)?;
        let ends = |name: &[u8]| {
            before.len() >= name.len()
                && before[before.len() - name.len()..].eq_ignore_ascii_case(name)
        };
        for name in ["https", "http"] {
            if ends(name.as_bytes()) {
                return Some((end - name.len(), name.len() + 3));
            }
        }
        from = end + 3;
    }
    None
}

/// The links of a text, each with where it begins.
fn links(text: &str) -> Vec<(usize, &str)> {
    let mut links = Vec::new();
    let mut from = 0;
    while let Some((at, length)) = scheme(&text[from..]) {
        let start = from + at;
        let rest = &text[start..];
        let end = rest.find(|c: char| c.is_whitespace() || "<>\"".contains(c));
        let link = rest[..end.unwrap_or(rest.len())]
            .trim_end_matches(['.', ',', ';', ':', '!', '?', ')', '\'', '\u{2019}', '\u{201d}']);
        if length < link.len() {
            links.push((start, link));
        }
        from = start + length.max(link.len());
    }
    links
}

/// `shown` with the links of `sent` in the places of shortened ones, if there are any.
fn lengthened(shown: &str, sent: &str) -> Option<String> {
    let (theirs, ours) = (links(shown), links(sent));
    if theirs.len() != ours.len() {
        return None;
    }
    let mut text = String::with_capacity(shown.len() + sent.len());
    let mut from = 0;
    let mut any = false;
    for ((at, link), (_, long)) in theirs.into_iter().zip(ours) {
        if is_short_for(link, long) {
            any = true;
            text.push_str(&shown[from..at]);
            text.push_str(long);
            from = at + link.len();
        }
    }
    text.push_str(&shown[from..]);
    any.then_some(text)
}

/// Whether `link` looks like what a shortener makes of `long`: another host, and one short word behind it.
fn is_short_for(link: &str, long: &str) -> bool {
    const LONGEST_WORD: usize = 12;
    let parts = |link: &str| {
        let (_, rest) = link.split_once("://").unwrap_or(("", link));
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        (host.to_lowercase(), path.to_owned())
    };
    let ((host, word), (other, _)) = (parts(link), parts(long));
    host != other
        && link.len() < long.len()
        && (1..=LONGEST_WORD).contains(&word.len())
        && word.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// How many bytes of `text` are a name: characters that `is_name` takes, not ending with a dot, hyphen or colon.
fn run(text: &str, is_name: fn(char) -> bool) -> usize {
    let end = text.find(|c| !is_name(c)).unwrap_or(text.len());
    text[..end].trim_end_matches(['.', '-', ':']).len()
}

/// Mastodon's `USERNAME_RE`.
fn is_user(c: char) -> bool {
    c.is_ascii_alphanumeric() || "_.-".contains(c)
}

/// Mastodon's `MENTION_RE`, and a port, which servers on trial have.
fn is_domain(c: char) -> bool {
    c.is_alphanumeric() || "_.-:".contains(c)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(shown: &str, sent: &str, expected: bool) {
        assert_eq!(same(shown, sent), expected, "{shown:?} {sent:?}");
    }

    #[test]
    fn what_typographers_do_does_not_count() {
        check("Don’t say “maybe” – ever…", "Don't say \"maybe\" -- ever...", true);
        check("‘tis the ‚low‘ „one“, «ici» ‹là›", "'tis the 'low' \"one\", \"ici\" 'là'", true);
        check("5′ 10″ and −3 or rock’n’roll", "5' 10\" and -3 or rock'n'roll", true);
        check("a—b", "a---b", true);
        check("wait . . . and . . .", "wait... and…", true);
        check("Don’t", "Dont", false);
        check("its", "it's", false);
        check("'a'", "\"a\"", false);
    }

    #[test]
    fn how_it_is_written_down_does_not_count() {
        check("re\u{301}sume\u{301} A\u{30a}", "résumé Å", true);
        check("cafe", "café", false);
        check("  a   b\n\n c\u{a0}d ", "a b c d", true);
        check("soft\u{ad}hy\u{200b}phen \u{feff}❤\u{fe0f}", "softhyphen ❤", true);
        check("👩‍👩‍👧", "👩👩👧", false);
        check("BAA", "Baa", false);
    }

    #[test]
    fn links_are_what_they_lead_to() {
        let sent = "see HTTPS://Example.COM/Path?Q=1#x, ok";
        check("see https://example.com/Path?Q=1#x, ok", sent, true);
        check("see example.com/Path?Q=1#x, ok", sent, true);
        check("see https://example.com/path?Q=1#x, ok", sent, false);
        check("see https://t.example/AbC123, ok", sent, true);
        check("see https://t.example/AbC123 and https://t.example/d, ok", sent, false);
        check("see https://t.example/AbC123, no", sent, false);
        check("see https://other.example/a/long/path/of/another/page, ok", sent, false);
        check("see https://example.com/AbC123, ok", sent, false);
        check("at http:// and ://", "at http:// and ://", true);
    }

    #[test]
    fn marks_alone_are_told_apart() {
        check("***", "***", true);
        check(" *\n* * ", "***", true);
        check("***", "**", false);
        check("* * *", "~", false);
        for (drawn, typed) in [("—", "---"), ("—", "--"), ("–", "--"), ("–", "-"), ("——", "------")]
        {
            check(drawn, typed, true);
        }
        check("---", "--", false);
        check("—", "*", false);
        check("", "-", false);
    }

    /// What a server may do to any text, one thing after the other.
    fn served(text: &str, habits: u8) -> String {
        let habit = |bit: u8| habits & (1 << bit) != 0;
        let mut text = text.to_owned();
        if habit(0) {
            text = text.replace("...", "…").replace('\'', "’");
        }
        if habit(1) {
            text = text.replace('"', "”");
        }
        if habit(2) {
            text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        }
        if habit(3) {
            let decomposed = icu_normalizer::DecomposingNormalizerBorrowed::new_nfd();
            text = decomposed.normalize(&text).into_owned();
        }
        if habit(4) {
            text = text.replace(' ', "\u{a0}\n");
        }
        if habit(5) {
            text = text.chars().flat_map(|c| [c, '\u{200b}']).collect();
        }
        text
    }

    proptest! {
        #[test]
        fn a_text_is_known_again_whatever_a_server_does(text in "\\PC{0,60}", habits in any::<u8>()) {
            prop_assert!(same(&served(&text, habits), &text));
            prop_assert!(same_source(&served(&text, habits), &text));
        }

        /// Letters and numbers are never lost in the comparison.
        #[test]
        fn another_text_is_not_taken_for_it(a in "[a-zA-Z0-9é猫 .,!?]{1,20}", b in "[a-zA-Z0-9é猫 .,!?]{1,20}") {
            let words = |text: &str| text.replace(' ', "");
            prop_assert_eq!(same(&a, &b), words(&a) == words(&b));
        }

        #[test]
        fn links_are_parts_of_their_text(text in "(http|https|HTTP|://|[a-z/. ]|\\PC){0,40}") {
            for (at, link) in links(&text) {
                prop_assert!(text[at..].starts_with(link));
            }
        }
    }
}
