//! What people typed, from the text Slack's clients send of it.

use std::borrow::Cow;

use flock_core::is_invisible;

use crate::with_characters;

/// What Slack puts around words in bold and in code: our own answers show names and commands so, and people copy them.
const MARKS: [char; 2] = ['*', '`'];

/// What ends a sentence, or a part of it.
const PUNCTUATION: &[char] =
    &[',', ';', ':', '.', '!', '?', '…', '，', '；', '：', '。', '！', '？', '¿', '¡'];

/// What was typed, as it was before Slack's clients named the emoji in it, marked links, names and dates, and escaped the
/// rest (Slack, "Formatting text for app surfaces", 2026-11).
pub fn typed(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, marked)) = rest.split_once('<') {
        plain.push_str(&words(before));
        let inside = marked.find(['<', '>']).and_then(|end| marked.split_at_checked(end));
        let mark =
            inside.and_then(|(mark, after)| Some((unmarked(mark)?, after.strip_prefix('>')?)));
        // Slack escapes what is no mark.
        let (was, after) = mark.unwrap_or_else(|| ("<".to_owned(), marked));
        plain.push_str(&was);
        rest = after;
    }
    plain.push_str(&words(rest));
    plain
}

/// Takes back what [`escape`](crate::escape) does.
pub fn unescape(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

/// A line that somebody gave as a command, without what is around it: blanks, what nobody sees, and the marks of an answer
/// it is copied from.
pub fn bare_line(line: &str) -> &str {
    let line = trim(line);
    let inside = MARKS.iter().find_map(|mark| {
        let inside = line.strip_prefix(*mark)?.strip_suffix(*mark)?;
        (!inside.contains(*mark)).then_some(inside)
    });
    trim(inside.unwrap_or(line))
}

/// A word of a command, such as a name: as it was typed, without quotes and marks around it and without what nobody sees.
/// Somebody or a room stays `<@U1|ada>`, `<#C1|general>`.
pub fn bare_word(word: &str) -> String {
    let word: Cow<'_, str> = if word.contains(is_invisible) {
        word.replace(is_invisible, "").into()
    } else {
        word.into()
    };
    let word = without_marks(&word);
    if word.starts_with("<@") || word.starts_with("<#") {
        return unescape(word);
    }
    without_marks(&typed(word)).to_owned()
}

/// A [bare word](bare_word) without the punctuation of the sentence that it ends: nothing that people name ends so.
pub fn bare_name(word: &str) -> String {
    let mut bare = word.to_owned();
    loop {
        // First of all, because a name in a mark is found by what is around it.
        let name = bare_word(without_punctuation(&bare));
        if name.is_empty() {
            return bare_word(&bare);
        }
        if name == bare {
            return bare;
        }
        bare = name;
    }
}

/// A word without the punctuation at its end. A character that Slack has escaped has none.
fn without_punctuation(word: &str) -> &str {
    let mut word = word;
    while !["&amp;", "&lt;", "&gt;"].iter().any(|escaped| word.ends_with(escaped))
        && let Some(shorter) = word.strip_suffix(|c| PUNCTUATION.contains(&c) || is_invisible(c))
    {
        word = shorter;
    }
    word
}

/// `text` without blanks and without what nobody sees around it. An emoji may end with what is seen with it alone.
pub fn trim(text: &str) -> &str {
    let is_joined =
        |c| matches!(c, '\u{200d}' | '\u{fe00}'..='\u{fe0f}' | '\u{e0000}'..='\u{e0fff}');
    let text = text.trim_start_matches(|c: char| c.is_whitespace() || is_invisible(c));
    text.trim_end_matches(|c: char| c.is_whitespace() || is_invisible(c) && !is_joined(c))
}

/// A word without the quotes and marks at its ends. An asterisk has its partner at the other end: `moon/*` is a flock.
fn without_marks(word: &str) -> &str {
    const QUOTES: &[char] =
        &['"', '\'', '`', '“', '”', '„', '‟', '‘', '’', '‚', '‛', '«', '»', '‹', '›'];
    let mut bare = word.trim();
    loop {
        let bold = bare.strip_prefix('*').and_then(|inside| inside.strip_suffix('*'));
        let next = bold.filter(|inside| !inside.is_empty()).unwrap_or(bare);
        let next = next.trim_matches(QUOTES).trim();
        if next.is_empty() || next == bare {
            return bare;
        }
        bare = next;
    }
}

/// Text between marks.
fn words(text: &str) -> String {
    with_characters(&unescape(text))
}

/// What was typed where there is a mark, of which this is the inside.
fn unmarked(mark: &str) -> Option<String> {
    let (target, label) = mark.split_once('|').unwrap_or((mark, ""));
    if let Some(what) = target.strip_prefix("!date^") {
        // A fallback has to be there; without it nobody knows what was shown.
        let fallback = if label.is_empty() { what } else { label };
        return Some(unescape(fallback));
    }
    if let Some(id) = target.strip_prefix(['@', '#', '!']) {
        let sign = if target.starts_with('#') { '#' } else { '@' };
        // A group is `<!subteam^S1|@group>`.
        let id = id.strip_prefix("subteam^").unwrap_or(id);
        let name = if label.is_empty() { id } else { label.trim_start_matches(sign) };
        return Some(format!("{sign}{}", unescape(name)));
    }
    let (scheme, _) = target.split_once(':')?;
    let is_scheme = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
    if scheme.is_empty() || !scheme.chars().all(is_scheme) {
        return None;
    }
    let (target, label) = (unescape(target), words(label));
    Some(if label.is_empty() {
        target.strip_prefix("mailto:").map(str::to_owned).unwrap_or(target)
    } else if same_address(&target, &label) {
        label
    } else {
        // The words, and where they lead: neither is lost.
        format!("{label} ({target})")
    })
}

/// Whether a link's label is its address as somebody writes it. Slack makes a link of `example.com` and of `a@example.com`.
fn same_address(target: &str, label: &str) -> bool {
    if let Some(number) = target.strip_prefix("tel:") {
        let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
        return digits(number) == digits(label);
    }
    address(target) == address(label)
}

/// An address without what people leave out of it.
fn address(text: &str) -> String {
    let after = |text: &str, scheme: &str| {
        let start = text.get(..scheme.len()).filter(|start| start.eq_ignore_ascii_case(scheme))?;
        text.get(start.len()..).map(str::to_owned)
    };
    let plain = percent_decoded(text);
    let bare = ["https://", "http://", "mailto:"].iter().find_map(|scheme| after(&plain, scheme));
    let bare = bare.unwrap_or(plain);
    let (host, path) = bare.split_at(bare.find(['/', '?', '#']).unwrap_or(bare.len()));
    format!("{}{}", host.to_lowercase(), path.strip_suffix('/').unwrap_or(path))
}

/// The text that `%C3%A9` stands for, where it stands for text.
fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let digit = |at: usize| char::from(*after.get(at)?).to_digit(16);
        let byte =
            (*first == b'%').then(|| u8::try_from(digit(0)? * 16 + digit(1)?).ok()).flatten();
        bytes.push(byte.unwrap_or(*first));
        rest = after.get(if byte.is_some() { 2 } else { 0 }..).unwrap_or_default();
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

/// The id of somebody or of a room that `text` mentions without the name people know: what Slack makes of a name in a message to the bot
/// (Slack, "Formatting message text", 2026-11).
pub fn nameless_mention(text: &str) -> Option<&str> {
    let marks = text.split('<').skip(1).filter_map(|rest| Some(rest.split_once('>')?.0));
    let mut ids = marks.filter_map(|mark| mark.strip_prefix(['@', '#']));
    ids.find(|id| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{escape, with_shortcodes};

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(typed(text), expected, "{text:?}");
    }

    #[test]
    fn who_is_mentioned_without_a_name_is_found() {
        assert_eq!(
            nameless_mention("hi <@U1|ada> in <#C1|general> <!here> <https://x.test/@U1>"),
            None
        );
        assert_eq!(nameless_mention("1 <2 @ 3> <@>"), None);
        assert_eq!(nameless_mention("hi <@U1|ada> and <@U2>"), Some("U2"));
        assert_eq!(nameless_mention("in <#C1>"), Some("C1"));
    }

    #[test]
    fn what_slack_marked_is_plain_again() {
        check("a &lt;b&gt; &amp;amp; c", "a <b> &amp; c");
        check("see <https://example.com/a|example.com/a> ok", "see example.com/a ok");
        check("see <https://example.com/?a=1&amp;b=2>", "see https://example.com/?a=1&b=2");
        check("<mailto:a@example.com|a@example.com>", "a@example.com");
        check("<mailto:a@example.com>", "a@example.com");
        check("@<mailto:ada@example.social|ada@example.social>", "@ada@example.social");
        check("<tel:+491234|+49 (12) 34>", "+49 (12) 34");
        check("<@U1|ada> in <#C1|general>, <!here>", "@ada in #general, @here");
        check("<@U1> <#C1> <#C1|> <!subteam^S1|@poets> <!subteam^S1>", "@U1 #C1 #C1 @poets @S1");
        check("1 &lt; 2 <unclosed", "1 < 2 <unclosed");
        check("<no mark> <: > <a b:c> :wave:", "<no mark> <: > <a b:c> 👋");
        check("<a:b <@U1|ada>", "<a:b @ada");
    }

    #[test]
    fn a_label_is_what_was_typed_where_it_is_the_address() {
        check("<http://Example.com|Example.com>", "Example.com");
        check("<http://example.com/|example.com>", "example.com");
        check("<https://de.example/M%C3%BCnchen|de.example/München>", "de.example/München");
        check("<https://example.com/?a&amp;b|example.com/?a&amp;b>", "example.com/?a&b");
        // The end of an address is no address.
        check("<https://example.com/poems|poems>", "poems (https://example.com/poems)");
        check("<https://example.com/A|example.com/a>", "example.com/a (https://example.com/A)");
        check("<https://evil.example|example.com>", "example.com (https://evil.example)");
        check("<https://x.example|:wave: our &amp; poems>", "👋 our & poems (https://x.example)");
        check("<https://x.example/%FF|x.example/%FF>", "x.example/%FF");
    }

    #[test]
    fn dates_show_their_fallback() {
        check(
            "since <!date^1392734382^{date_num} {time}|2014-02-18 &amp; later>",
            "since 2014-02-18 & later",
        );
        check("<!date^1392734382^{date}^https://example.com/|Feb 18>", "Feb 18");
    }

    #[track_caller]
    fn check_word(word: &str, expected: &str) {
        assert_eq!(bare_word(word), expected, "{word:?}");
    }

    #[test]
    fn words_are_bare() {
        for word in [
            "apollo",
            "*apollo*",
            "`apollo`",
            "*`apollo`*",
            "“apollo”",
            "‘apollo’",
            "„apollo“",
            "«\u{a0}apollo\u{a0}»",
            "\u{200b}apollo\u{2060}",
            "ap\u{ad}ollo",
            "\u{feff}*apollo*",
            "`apollo",
            "apollo`",
            "\"apollo\"",
            "'apollo'",
            "\u{2068}apollo\u{2069}",
        ] {
            check_word(word, "apollo");
        }
        check_word("moon/*", "moon/*");
        check_word("*moon/**", "moon/*");
        check_word("*", "*");
        check_word("**", "**");
        check_word("\"", "\"");
        check_word("<@U1|ada>", "<@U1|ada>");
        check_word("*<@U1>*", "<@U1>");
        check_word("<@U1|a&amp;b>", "<@U1|a&b>");
        check_word("<http://moon.example|moon.example>", "moon.example");
        check_word("&lt;flock&gt;", "<flock>");
        check_word("\u{200b}", "");
    }

    #[test]
    fn names_end_before_their_punctuation() {
        let check = |word: &str, expected: &str| assert_eq!(bare_name(word), expected, "{word:?}");
        for word in
            ["apollo,", "apollo?!", "*apollo*.", "“apollo”,", "`apollo,`", "apollo…", "apollo："]
        {
            check(word, "apollo");
        }
        check("moon/*,", "moon/*");
        check("<@U1|ada>,", "<@U1|ada>");
        check("*<@U1|ada>*,\u{200b}", "<@U1|ada>");
        check("mastodon:ada@a.example.", "mastodon:ada@a.example");
        check("&lt;moon&gt;,", "<moon>");
        check("?", "?");
        check("...", "...");
    }

    #[test]
    fn lines_are_bare() {
        let check = |line: &str, expected: &str| assert_eq!(bare_line(line), expected, "{line:?}");
        for line in ["show moon", " show moon\u{200b}", "`show moon`", "\u{2060}*show moon*"] {
            check(line, "show moon");
        }
        check("`show` `moon`", "`show` `moon`");
        check("*show* moon*", "*show* moon*");
        check("say moon ❤\u{fe0f}\u{200b} ", "say moon ❤\u{fe0f}");
        check("\u{fe0f}\u{200d}", "");
        check("``", "");
    }

    proptest! {
        #[test]
        fn what_slack_escaped_is_undone(text in "[^:]{0,40}|(<|>|&|amp;|lt;|[|]|@|#|!|👋| ){0,20}") {
            prop_assert_eq!(typed(&escape(&with_shortcodes(&text))), text);
        }

        #[test]
        fn any_text_is_read(text in "(<|>|[|]|@|#|!|!date\\^|:|https://|mailto:|%C3|%|[*]|`|“|”|\u{200b}|&amp;|[a-z]|é|\\PC){0,30}") {
            let _ = typed(&text);
            let word = bare_word(&text);
            prop_assert!(!word.starts_with(char::is_whitespace));
            prop_assert!(text.contains(bare_line(&text)));
        }

        #[test]
        fn a_name_is_found_in_whatever_is_around_it(name in "[a-z0-9][a-z0-9_-]{0,10}(/[a-z]{1,5})?", around in 0_usize..7) {
            let (open, close) = [("*", "*"), ("`", "`"), ("“", "”"), ("‘", "’"), ("*`", "`*"), ("\u{200b}\"", "\"\u{feff}"), ("", "")][around];
            prop_assert_eq!(bare_word(&format!("{open}{name}{close}")), name);
        }
    }
}
