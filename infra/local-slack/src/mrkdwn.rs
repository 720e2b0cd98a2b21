//! Slack's own markup, mrkdwn, and its rich text, as HTML and as plain text.
//!
//! As Slack shows it ("Formatting text for app surfaces", read 2026-11). Knows nothing of messages and of other blocks.

use std::collections::BTreeMap;

use maud::{Markup, html};
use serde_json::Value;

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

/// A block of rich text as HTML: what stands in it is no mrkdwn, and nothing of it is escaped.
pub fn rich_html(block: &Value) -> Markup {
    html! { p { (lines_html(&rich(block))) } }
}

/// The same, as it is read in a terminal.
pub fn rich_plain(block: &Value) -> String {
    lines_plain(&rich(block), "")
}

fn rich(block: &Value) -> Vec<Vec<Span>> {
    let parts = |value: &Value| value["elements"].as_array().cloned().unwrap_or_default();
    let mut lines = vec![Vec::new()];
    for element in parts(block).iter().flat_map(parts) {
        let kind = element["type"].as_str().unwrap_or_default();
        let Some(text) = element["text"].as_str().filter(|_| kind == "text") else {
            let unknown = Span::Text(format!("[{kind}: not shown here]"));
            lines.last_mut().into_iter().for_each(|line| line.push(unknown.clone()));
            continue;
        };
        let has = |style: &str| element["style"][style] == true;
        for (number, text) in text.split('\n').enumerate() {
            if 0 < number {
                lines.push(Vec::new());
            }
            let mut span = Span::Text(text.to_owned());
            if has("code") {
                span = Span::Code(text.to_owned());
            }
            for (style, of) in [
                ("strike", Span::Strike as fn(_) -> _),
                ("italic", Span::Italic),
                ("bold", Span::Bold),
            ] {
                if has(style) {
                    span = of(vec![span]);
                }
            }
            if let Some(line) = lines.last_mut().filter(|_| !text.is_empty()) {
                line.push(span);
            }
        }
    }
    lines
}

/// Text that is not formatted: only what Slack escapes is decoded.
pub fn decoded(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

/// Text that is formatted otherwise than as code: emoji are shown for their names.
fn shown(text: &str) -> String {
    flock_slack::with_characters(&decoded(text))
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
    Line::new(line, names).spans(0, line.len())
}

/// The marks that stand around something.
const MARKS: [char; 4] = ['*', '_', '~', '`'];

/// A line that is read from its beginning to its end, once: whoever writes it may want that to take long.
struct Line<'t> {
    text: &'t str,
    names: &'t Names,
    /// For each of [`MARKS`], where it can end what it began; what comes first is last. It ends a word there.
    ends: [Vec<usize>; 4],
    /// Where a `>` is, likewise.
    closes: Vec<usize>,
    /// How often it went on; the text itself counts, too.
    #[cfg(test)]
    steps: usize,
}

impl<'t> Line<'t> {
    fn new(text: &'t str, names: &'t Names) -> Self {
        let mut ends: [Vec<usize>; 4] = Default::default();
        let mut closes = Vec::new();
        let mut after: Option<char> = None;
        for (at, c) in text.char_indices().rev() {
            if c == '>' {
                closes.push(at);
            } else if let Some(ends) =
                MARKS.iter().position(|mark| *mark == c).and_then(|mark| ends.get_mut(mark))
            {
                let before = text.get(..at).and_then(|before| before.chars().next_back());
                let ends_word = before.is_some_and(|before| c == '`' || !before.is_whitespace());
                if ends_word && !after.is_some_and(char::is_alphanumeric) {
                    ends.push(at);
                }
            }
            after = Some(c);
        }
        Self {
            text,
            names,
            ends,
            closes,
            #[cfg(test)]
            steps: text.len(),
        }
    }

    fn part(&self, from: usize, to: usize) -> &'t str {
        self.text.get(from..to).unwrap_or_default()
    }

    /// What is from `from` to `to`. Only what is after it is asked for afterwards.
    ///
    /// A mark ends what it began at the first place where it can, so there is none of the same kind within, and
    /// this is not called deeper than there are kinds.
    fn spans(&mut self, from: usize, to: usize) -> Vec<Span> {
        let mut spans = Vec::new();
        let (mut at, mut plain) = (from, from);
        let mut before = None;
        while let Some(c) = self.part(at, to).chars().next() {
            #[cfg(test)]
            {
                self.steps += 1;
            }
            let found = match c {
                '<' => self.token(at, to),
                '`' => self
                    .inside(at, to, c, None)
                    .map(|end| (Span::Code(decoded(self.part(at + 1, end))), end)),
                '*' | '_' | '~' => self.inside(at, to, c, before).map(|end| {
                    let within = self.spans(at + 1, end);
                    let span = match c {
                        '*' => Span::Bold(within),
                        '_' => Span::Italic(within),
                        _ => Span::Strike(within),
                    };
                    (span, end)
                }),
                _ => None,
            };
            if let Some((span, end)) = found {
                if plain < at {
                    spans.push(Span::Text(shown(self.part(plain, at))));
                }
                spans.push(span);
                // All that ends something is one byte long.
                at = end + 1;
                plain = at;
                before = Some(' ');
            } else {
                before = Some(c);
                at += c.len_utf8();
            }
        }
        if plain < at {
            spans.push(Span::Text(shown(self.part(plain, at))));
        }
        spans
    }

    /// Where ends what the mark at `at` begins, if it begins something. Marks stand at the edge of words.
    fn inside(&mut self, at: usize, to: usize, mark: char, before: Option<char>) -> Option<usize> {
        if before.is_some_and(char::is_alphanumeric)
            || self.part(at + 1, to).starts_with([' ', mark])
        {
            return None;
        }
        let kind = MARKS.iter().position(|known| *known == mark)?;
        while self.ends.get(kind)?.last().is_some_and(|end| *end <= at) {
            #[cfg(test)]
            {
                self.steps += 1;
            }
            self.ends.get_mut(kind)?.pop();
        }
        self.ends.get(kind)?.last().copied().filter(|end| *end < to)
    }

    /// `<...>` at `at`: a link, a mention, a room; and where it ends.
    fn token(&mut self, at: usize, to: usize) -> Option<(Span, usize)> {
        while self.closes.last().is_some_and(|close| *close <= at) {
            #[cfg(test)]
            {
                self.steps += 1;
            }
            self.closes.pop();
        }
        let close = self.closes.last().copied().filter(|close| *close < to)?;
        let token = self.part(at + 1, close);
        // Asked before it is looked through: the next `<` may have the same end.
        let starts = ["@", "#", "!", "http://", "https://", "mailto:"];
        starts
            .iter()
            .any(|start| token.starts_with(start))
            .then(|| (span(token, self.names), close))
    }
}

/// What is between `<` and `>`, where that is something.
fn span(token: &str, names: &Names) -> Span {
    let (target, label) = match token.split_once('|') {
        Some((target, label)) => (target, Some(shown(label)).filter(|label| !label.is_empty())),
        None => (token, None),
    };
    let name_of = |names: &BTreeMap<String, String>, id: &str| {
        label.clone().or_else(|| names.get(id).cloned()).unwrap_or_else(|| id.to_owned())
    };
    if let Some(id) = target.strip_prefix('@') {
        Span::Mention(format!("@{}", name_of(&names.people, id)))
    } else if let Some(id) = target.strip_prefix('#') {
        Span::Room(format!("#{}", name_of(&names.rooms, id)))
    } else if let Some(what) = target.strip_prefix('!') {
        // `<!date^...|text>` is shown as its text here.
        match label {
            Some(label) => Span::Text(label),
            None => Span::Mention(format!("@{what}")),
        }
    } else {
        Span::Link { url: decoded(target), label }
    }
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
    use proptest::prelude::*;

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
        check(
            ":wave: `:wave:` :nobody:",
            "<p>👋 <code>:wave:</code> :nobody:</p>",
            "👋 `:wave:` :nobody:",
        );
        check("*é* *a*!", "<p><strong>é</strong> <strong>a</strong>!</p>", "é a!");
    }

    /// The same spans as a text says what they are: each mark looks for its end in all that follows.
    fn by_definition(line: &str, names: &Names) -> Vec<Span> {
        let mut spans = Vec::new();
        let mut plain = String::new();
        let (mut before, mut rest) = (None, line);
        while let Some(c) = rest.chars().next() {
            let after = &rest[c.len_utf8()..];
            let begins = match c {
                '`' => true,
                '*' | '_' | '~' => !before.is_some_and(char::is_alphanumeric),
                _ => false,
            };
            let end = || {
                let ends = after.match_indices(c).map(|(at, _)| at);
                let mut ends = ends.filter(|_| !after.starts_with([' ', c]));
                ends.find(|at| {
                    let (inside, after) = (&after[..*at], &after[at + 1..]);
                    let ends_word = c == '`' || !inside.ends_with(char::is_whitespace);
                    !inside.is_empty() && ends_word && !after.starts_with(char::is_alphanumeric)
                })
            };
            let end = if begins { end() } else { None };
            let token = after.split_once('>').filter(|_| c == '<').map(|(token, _)| token);
            let starts = ["@", "#", "!", "http://", "https://", "mailto:"];
            let token = token.filter(|token| {
                let target = token.split('|').next().unwrap_or_default();
                starts.iter().any(|start| target.starts_with(start))
            });
            let found = match (end, token) {
                (Some(end), _) => {
                    let inside = &after[..end];
                    let span = match c {
                        '`' => Span::Code(decoded(inside)),
                        '*' => Span::Bold(by_definition(inside, names)),
                        '_' => Span::Italic(by_definition(inside, names)),
                        _ => Span::Strike(by_definition(inside, names)),
                    };
                    Some((span, end))
                }
                (None, Some(token)) => Some((super::span(token, names), token.len())),
                (None, None) => None,
            };
            if let Some((span, end)) = found {
                if !plain.is_empty() {
                    spans.push(Span::Text(shown(&std::mem::take(&mut plain))));
                }
                spans.push(span);
                (before, rest) = (Some(' '), &after[end + 1..]);
            } else {
                plain.push(c);
                (before, rest) = (Some(c), after);
            }
        }
        if !plain.is_empty() {
            spans.push(Span::Text(shown(&plain)));
        }
        spans
    }

    const ANY: &str = "(<@|<#|<!|<https://|:wave:|[*_~`<>|@ aé\\t&]){0,30}";

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_000))]

        #[test]
        fn a_line_is_read_as_it_is_defined(line in ANY) {
            prop_assert_eq!(spans(&line, &names()), by_definition(&line, &names()));
        }
    }

    proptest! {
        /// What is written a thousand times over takes a thousand times as long, and not a million times.
        #[test]
        fn a_line_is_read_once(
            unit in "(<@|<#|<!|<https://|[*_~`<>|@ aé]){1,6}", after in ANY, count in 1_usize..3_000,
        ) {
            let text = unit.repeat(count) + &after;
            let names = names();
            let mut line = Line::new(&text, &names);
            line.spans(0, text.len());
            prop_assert!(line.steps <= 3 * text.len(), "{} steps for {} bytes", line.steps, text.len());
        }
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
