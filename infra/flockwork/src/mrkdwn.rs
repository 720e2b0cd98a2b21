//! Slack's own markup, mrkdwn, as HTML and as plain text.
//!
//! As Slack shows it ("Formatting text for app surfaces", read 2026-11). Knows nothing of messages and blocks.

use std::collections::BTreeMap;

use maud::{Markup, html};

/// What Slack shows in the place of ids.
#[derive(Debug, Clone, Default)]
pub struct Names {
    /// Names of people by user id.
    pub people: BTreeMap<String, String>,
    /// Names of rooms by channel id.
    pub rooms: BTreeMap<String, String>,
}

/// A part of a text that stands by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Lines(Vec<Vec<Span>>),
    Quote(Vec<Vec<Span>>),
    Fence(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Span {
    Text(String),
    Bold(Vec<Span>),
    Italic(Vec<Span>),
    Strike(Vec<Span>),
    Code(String),
    Link {
        url: String,
        label: Option<String>,
    },
    /// Somebody, or a whole room that is rung, as it is shown.
    Mention(String),
    Room(String),
}

const FENCE: &str = "```";

/// The text as HTML.
pub fn html(text: &str, names: &Names) -> Markup {
    html! {
        @for part in parts(text, names) {
            @match part {
                Part::Lines(lines) => p { (lines_html(&lines)) },
                Part::Quote(lines) => blockquote { (lines_html(&lines)) },
                Part::Fence(text) => pre { code { (text) } },
            }
        }
    }
}

/// The text as it is read in a terminal.
pub fn plain(text: &str, names: &Names) -> String {
    let parts = parts(text, names).into_iter().map(|part| match part {
        Part::Lines(lines) => lines_plain(&lines, ""),
        Part::Quote(lines) => lines_plain(&lines, "> "),
        Part::Fence(text) => text,
    });
    parts.collect::<Vec<_>>().join("\n")
}

/// Text that is not formatted: only what Slack escapes is decoded.
pub fn decoded(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

fn parts(text: &str, names: &Names) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(FENCE) {
        let Some((inside, after)) =
            after.split_once(FENCE).filter(|(inside, _)| !inside.is_empty())
        else {
            break;
        };
        lines(before.strip_suffix('\n').unwrap_or(before), names, &mut parts);
        let inside = inside.strip_prefix('\n').unwrap_or(inside);
        parts.push(Part::Fence(decoded(inside.strip_suffix('\n').unwrap_or(inside))));
        rest = after.strip_prefix('\n').unwrap_or(after);
    }
    lines(rest, names, &mut parts);
    parts
}

fn lines(text: &str, names: &Names, parts: &mut Vec<Part>) {
    if text.is_empty() {
        return;
    }
    for line in text.split('\n') {
        let quoted = line.strip_prefix("&gt;").or_else(|| line.strip_prefix('>'));
        let quoted = quoted.map(|line| spans(line.strip_prefix(' ').unwrap_or(line), names));
        match (parts.last_mut(), quoted) {
            (Some(Part::Quote(lines)), Some(spans)) => lines.push(spans),
            (_, Some(spans)) => parts.push(Part::Quote(vec![spans])),
            (Some(Part::Lines(lines)), None) => lines.push(spans(line, names)),
            (_, None) => parts.push(Part::Lines(vec![spans(line, names)])),
        }
    }
}

fn spans(line: &str, names: &Names) -> Vec<Span> {
    let mut spans = Vec::new();
    let mut plain = String::new();
    let mut before = None;
    let mut rest = line;
    while let Some(c) = rest.chars().next() {
        let found = match c {
            '<' => token(rest, names),
            '`' => inside(rest, '`', None).map(|(text, after)| (Span::Code(decoded(text)), after)),
            '*' | '_' | '~' => inside(rest, c, before).map(|(text, after)| {
                let within = self::spans(text, names);
                let span = match c {
                    '*' => Span::Bold(within),
                    '_' => Span::Italic(within),
                    _ => Span::Strike(within),
                };
                (span, after)
            }),
            _ => None,
        };
        if let Some((span, after)) = found {
            if !plain.is_empty() {
                spans.push(Span::Text(decoded(&std::mem::take(&mut plain))));
            }
            spans.push(span);
            rest = after;
            before = Some(' ');
        } else {
            plain.push(c);
            before = Some(c);
            rest = &rest[c.len_utf8()..];
        }
    }
    if !plain.is_empty() {
        spans.push(Span::Text(decoded(&plain)));
    }
    spans
}

/// What is between two marks, the first of which begins `text`, and what follows. They stand at the edge of
/// words.
fn inside(text: &str, mark: char, before: Option<char>) -> Option<(&str, &str)> {
    if before.is_some_and(char::is_alphanumeric) {
        return None;
    }
    let text = &text[mark.len_utf8()..];
    if text.starts_with([' ', mark]) {
        return None;
    }
    let ends = text.match_indices(mark).find(|(at, _)| {
        let (inside, after) = (&text[..*at], &text[at + mark.len_utf8()..]);
        let ends_word = mark == '`' || !inside.ends_with(char::is_whitespace);
        !inside.is_empty() && ends_word && !after.starts_with(char::is_alphanumeric)
    });
    ends.map(|(at, _)| (&text[..at], &text[at + mark.len_utf8()..]))
}

/// `<...>`: a link, a mention, a room.
fn token<'t>(text: &'t str, names: &Names) -> Option<(Span, &'t str)> {
    let (token, after) = text[1..].split_once('>')?;
    let (target, label) = match token.split_once('|') {
        Some((target, label)) => (target, Some(decoded(label)).filter(|label| !label.is_empty())),
        None => (token, None),
    };
    let name_of = |names: &BTreeMap<String, String>, id: &str| {
        label.clone().or_else(|| names.get(id).cloned()).unwrap_or_else(|| id.to_owned())
    };
    let span = if let Some(id) = target.strip_prefix('@') {
        Span::Mention(format!("@{}", name_of(&names.people, id)))
    } else if let Some(id) = target.strip_prefix('#') {
        Span::Room(format!("#{}", name_of(&names.rooms, id)))
    } else if let Some(what) = target.strip_prefix('!') {
        // `<!date^...|text>` is shown as its text here.
        match label {
            Some(label) => Span::Text(label),
            None => Span::Mention(format!("@{what}")),
        }
    } else if ["http://", "https://", "mailto:"].iter().any(|start| target.starts_with(start)) {
        Span::Link { url: decoded(target), label }
    } else {
        return None;
    };
    Some((span, after))
}

fn lines_html(lines: &[Vec<Span>]) -> Markup {
    html! {
        @for (number, line) in lines.iter().enumerate() {
            @if 0 < number { br; }
            (spans_html(line))
        }
    }
}

fn spans_html(spans: &[Span]) -> Markup {
    html! {
        @for span in spans {
            @match span {
                Span::Text(text) => (text),
                Span::Bold(within) => strong { (spans_html(within)) },
                Span::Italic(within) => em { (spans_html(within)) },
                Span::Strike(within) => s { (spans_html(within)) },
                Span::Code(text) => code { (text) },
                Span::Link { url, label } => a href=(url) rel="noopener noreferrer" {
                    (label.as_deref().unwrap_or(url))
                },
                Span::Mention(name) | Span::Room(name) => span.mention { (name) },
            }
        }
    }
}

fn lines_plain(lines: &[Vec<Span>], before: &str) -> String {
    let lines = lines.iter().map(|line| format!("{before}{}", spans_plain(line)));
    lines.collect::<Vec<_>>().join("\n")
}

fn spans_plain(spans: &[Span]) -> String {
    let spans = spans.iter().map(|span| match span {
        Span::Text(text) | Span::Mention(text) | Span::Room(text) => text.clone(),
        Span::Bold(within) | Span::Italic(within) | Span::Strike(within) => spans_plain(within),
        Span::Code(text) => format!("`{text}`"),
        Span::Link { url, label: Some(label) } if label != url => format!("{label} ({url})"),
        Span::Link { url, .. } => url.clone(),
    });
    spans.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Names {
        Names {
            people: [("U1".to_owned(), "ada".to_owned())].into(),
            rooms: [("C1".to_owned(), "general".to_owned())].into(),
        }
    }

    #[track_caller]
    fn check(text: &str, html: &str, plain: &str) {
        assert_eq!(super::html(text, &names()).into_string(), html, "{text:?}");
        assert_eq!(super::plain(text, &names()), plain, "{text:?}");
    }

    #[test]
    fn marks_stand_at_the_edge_of_words() {
        check(
            "*a* _b_ ~c~ `d`",
            "<p><strong>a</strong> <em>b</em> <s>c</s> <code>d</code></p>",
            "a b c `d`",
        );
        check("(*a _b_*)", "<p>(<strong>a <em>b</em></strong>)</p>", "(a b)");
        check("a*b*c snake_case_name", "<p>a*b*c snake_case_name</p>", "a*b*c snake_case_name");
        check("2 * 3 * 4", "<p>2 * 3 * 4</p>", "2 * 3 * 4");
        check("*a\nb*", "<p>*a<br>b*</p>", "*a\nb*");
        check("** __ ``", "<p>** __ ``</p>", "** __ ``");
        check("`*a* &lt;b&gt;`", "<p><code>*a* &lt;b&gt;</code></p>", "`*a* <b>`");
        check("*é* *a*!", "<p><strong>é</strong> <strong>a</strong>!</p>", "é a!");
    }

    #[test]
    fn ids_and_links_are_shown_by_name() {
        check(
            "<@U1> in <#C1>",
            "<p><span class=\"mention\">@ada</span> in <span class=\"mention\">#general</span></p>",
            "@ada in #general",
        );
        check(
            "<@U9|eve> <!here>",
            "<p><span class=\"mention\">@eve</span> <span class=\"mention\">@here</span></p>",
            "@eve @here",
        );
        check(
            "<https://x.test/?a=1&amp;b=2|the page> <https://y.test>",
            "<p><a href=\"https://x.test/?a=1&amp;b=2\" rel=\"noopener noreferrer\">the page</a> <a \
             href=\"https://y.test\" rel=\"noopener noreferrer\">https://y.test</a></p>",
            "the page (https://x.test/?a=1&b=2) https://y.test",
        );
        check(
            "<javascript:alert(1)|x>",
            "<p>&lt;javascript:alert(1)|x&gt;</p>",
            "<javascript:alert(1)|x>",
        );
        check("a < b & c", "<p>a &lt; b &amp; c</p>", "a < b & c");
        check("&lt;!channel&gt; &amp;lt;", "<p>&lt;!channel&gt; &amp;lt;</p>", "<!channel> &lt;");
    }

    #[test]
    fn quotes_and_code_are_parts() {
        check(
            "one\n> two\n&gt;three\nfour",
            "<p>one</p><blockquote>two<br>three</blockquote><p>four</p>",
            "one\n> two\n> three\nfour",
        );
        check(
            "a\n```\n*b*\n c &amp;\n```\nd",
            "<p>a</p><pre><code>*b*\n c &amp;</code></pre><p>d</p>",
            "a\n*b*\n c &\nd",
        );
        check("``` open", "<p>``` open</p>", "``` open");
        check("", "", "");
    }
}
