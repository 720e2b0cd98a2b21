//! What a server's HTML says, as plain text, and whether it says what we sent.
//!
//! Mastodon keeps the text it was sent and shows HTML made of it (`TextFormatter`); other servers that speak its
//! API make other HTML, some of it from light markdown (snac 2.75, as it answered). A post that is there and not
//! recognised would be sent twice, so what servers change does not count (2026-11).

use html5gum::{DefaultEmitter, Token, Tokenizer};

use crate::alike::{bare, same};

/// Whether a post with this `html` says `text`.
#[cfg_attr(not(feature = "test-util"), expect(unreachable_pub, reason = "for fuzz targets"))]
pub fn says(html: &str, text: &str) -> bool {
    // Where a link leads is surer than what is shown of it, but not where a server rewrites links; and of two
    // links in a post each may be another case.
    let sent = bare(text);
    [Reading::Shown, Reading::Linked, Reading::Sent(&sent)]
        .iter()
        .any(|reading| same(&reading.plain(html), text))
}

/// The text of `html`, with line breaks where it has them.
#[cfg_attr(not(feature = "test-util"), expect(unreachable_pub, reason = "for fuzz targets"))]
pub fn plain(html: &str) -> String {
    let plain = Reading::Shown.plain(html);
    let lines: Vec<_> = plain.lines().map(str::trim_end).collect();
    lines.join("\n").trim().to_owned()
}

/// How links are read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reading<'a> {
    /// By their text.
    Shown,
    /// By their address, unless they are mentions or hashtags.
    Linked,
    /// Each by whatever of both is in this bare text.
    Sent(&'a str),
}

impl Reading<'_> {
    /// Texts have fewer links; whoever has more is not ours.
    const MOST_LINKS: usize = 64;

    fn plain(self, html: &str) -> String {
        let html = with_marks(html);
        let mut plain = String::with_capacity(html.len());
        let read = self.read(&html, &mut plain);
        // A tag that is never closed is none, and nothing behind it is one.
        let rest = html[read..].replace('<', "&lt;");
        self.read(&rest, &mut plain);
        plain
    }

    /// Adds the text of `html` to `plain`. Gives how much of it was read: a tag without an end is not.
    fn read(self, html: &str, plain: &mut String) -> usize {
        // The link that is open: where its text begins, and its address.
        let mut link: Option<(usize, String)> = None;
        let (mut read, mut links) = (0, 0);
        let mut emitter = DefaultEmitter::new_with_span();
        // What is in a `<title>` or a `<script>` is text like any other.
        emitter.naively_switch_states(false);
        for Ok(token) in Tokenizer::new_with_emitter(html, emitter) {
            match token {
                Token::String(text) => {
                    plain.push_str(&String::from_utf8_lossy(&text.value));
                    read = text.span.end;
                }
                Token::StartTag(tag) => {
                    let attribute = |name: &str| {
                        let value = tag.attributes.get(name.as_bytes());
                        value.map(|value| String::from_utf8_lossy(&value.value).into_owned())
                    };
                    match tag.name.as_slice() {
                        b"a" => link = attribute("href").map(|href| (plain.len(), href)),
                        b"br" => plain.push('\n'),
                        // A line of hyphens, where markdown is read (snac).
                        b"hr" => plain.push_str("---"),
                        // Pictures stand for emoji.
                        b"img" => plain.push_str(&attribute("alt").unwrap_or_default()),
                        _ => {}
                    }
                    read = tag.span.end;
                }
                Token::EndTag(tag) => {
                    match tag.name.as_slice() {
                        b"a" => {
                            links += 1;
                            if let Some((from, href)) = link.take()
                                && is_address(&plain[from..])
                                && self.is_by_address(&href, links)
                            {
                                plain.truncate(from);
                                plain.push_str(&href);
                            }
                        }
                        b"p" | b"div" | b"blockquote" | b"ul" | b"ol" | b"pre" | b"h1" | b"h2"
                        | b"h3" => plain.push_str("\n\n"),
                        b"br" | b"li" => plain.push('\n'),
                        b"hr" => plain.push_str("---"),
                        _ => {}
                    }
                    read = tag.span.end;
                }
                Token::Comment(comment) => read = comment.span.end,
                Token::Doctype(_) | Token::Error(_) => {}
            }
        }
        read
    }

    /// Whether the link to `href`, the `number`th, is read by its address.
    fn is_by_address(self, href: &str, number: usize) -> bool {
        match self {
            Self::Shown => false,
            Self::Linked => true,
            Self::Sent(sent) => number <= Self::MOST_LINKS && sent.contains(&bare(href)),
        }
    }
}

/// Whether the text of a link is an address or the beginning of one, rather than a name or a label.
fn is_address(text: &str) -> bool {
    !text.starts_with(['@', '#']) && text.contains('.') && !text.contains(char::is_whitespace)
}

/// `html` with entities in place of marks that begin neither a tag nor an entity: some servers leave them as they are, and
/// the standard would make a comment of `</3`, and a copyright sign of `&copy=1`.
fn with_marks(html: &str) -> String {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '#';
    let mut marked = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(mark) = rest.find(['<', '&']) {
        let (before, from) = rest.split_at(mark);
        marked.push_str(before);
        let behind = &from[1..];
        let is_letter = |text: &str| text.starts_with(|c: char| c.is_ascii_alphabetic());
        let is_entity = || behind.trim_start_matches(is_name).starts_with(';');
        marked.push_str(match &from[..1] {
            "<" if is_letter(behind.strip_prefix('/').unwrap_or(behind)) => "<",
            "<" if behind.starts_with("!--") => "<",
            "<" => "&lt;",
            "&" if is_entity() => "&",
            _ => "&amp;",
        });
        rest = behind;
    }
    marked + rest
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Pieces that mean something, in any order.
    const PIECES: &[&str] = &[
        "<", ">", "&", "\"", "'", "/", "!", "--", "?", "#", "x3c", ";", "amp", "lt", "not", "a",
        " ", "\n", "\r", "\0", "br", "=", "\u{fffd}", "é",
    ];

    #[track_caller]
    fn check(html: &str, text: &str, expected: bool) {
        assert_eq!(says(html, text), expected, "{html:?} {text:?}");
    }

    #[test]
    fn what_mastodon_shows_is_what_was_sent() {
        check("<p>Baa</p>", "Baa", true);
        check(
            "<p>one &amp; &lt;two&gt;<br />three</p><p>it&#39;s four</p>",
            "one & <two>\nthree\n\nit's four",
            true,
        );
        check("<p>Baa!</p>", "Baa?", false);
        check("<p>Baa 1</p>", "Baa 10", false);
        let link = r#"<p>see <a href="https://www.a.example/a/path?that=goes&amp;on=beyond"><span class="invisible">https://www.</span><span class="ellipsis">a.example/a/path?that=goes&amp;on</span><span class="invisible">=beyond</span></a>.</p>"#;
        check(link, "see https://www.a.example/a/path?that=goes&on=beyond.", true);
        check(link, "see https://www.a.example/a/path?that=goes&on=other.", false);
        let mention = r#"<p>hi <span class="h-card"><a href="https://away.example/@friend" class="u-url mention">@<span>friend</span></a></span> and @no@b.c, <a href="https://i.example/tags/Tag" class="mention hashtag" rel="tag">#<span>Tag</span></a></p>"#;
        check(mention, "hi @friend@away.example and @no@b.c, #Tag", true);
        check(mention, "hi @friend and @no, #Tag", true);
        let colon = r#"<p><a class="u-url mention">@<span>friend</span></a>: hi</p>"#;
        check(colon, "@friend@away.example: hi", true);
        check(mention, "hi @fiend@away.example and @no@b.c, #Tag", false);
    }

    /// As snac 2.75 answered on 2026-11-21.
    #[test]
    fn what_snac_shows_is_what_was_sent() {
        check("two<br>lines<br><br>and a paragraph<br>", "two\nlines\n\nand a paragraph", true);
        check(
            "<i>bold</i> <b>strong</b> _u_ <u>uu</u> <s>strike</s> <code>code</code><br>",
            "*bold* **strong** _u_ __uu__ ~~strike~~ `code`",
            true,
        );
        check("a < b & c > d \"quoted\" 'single'<br>", "a < b & c > d \"quoted\" 'single'", true);
        check(
            r#"see <a href="https://example.com/a?b=1&c=2&#35;frag" target="_blank">https://example.com/a?b=1&c=2&#35;frag</a>, ok<br>"#,
            "see https://example.com/a?b=1&c=2#frag, ok",
            true,
        );
        check(
            r#"hi <span class="h-card"><a href="http://127.0.0.1:18931/flock" class="u-url mention">@flock@127.0.0.1:18931</a></span> and @someone@example.com <a href="http://127.0.0.1:18931?t=hashtag" class="mention hashtag" rel="tag">#hashtag</a><br>"#,
            "hi @flock and @someone@example.com #hashtag",
            true,
        );
        check(
            "<h2>heading</h2><blockquote>quote<br><hr></blockquote>end<br>",
            "# heading\n> quote\n---\nend",
            true,
        );
        check("<pre>pre * x *<br></pre>", "```\npre * x *\n```", true);
        check("leading and trailing<br>", "  leading and trailing  ", true);
        check(
            "under_score_word <i>a</i> b<i>c</i>d 2<i>3</i>4<br>",
            "under_score_word *a* b*c*d 2*3*4",
            true,
        );
        check("a<br>b<br>", "a\r\nb", true);
    }

    #[test]
    fn what_other_servers_do_to_links_does_not_count() {
        let cut = r#"<a href="https://a.example/a/long/path">a.example/a/lo…</a>"#;
        check(cut, "https://a.example/a/long/path", true);
        check(cut, "https://a.example/a/longer/path", false);
        let slash = r#"<a href="https://a.example/">https://a.example/</a>"#;
        check(slash, "https://a.example", true);
        let moved = r#"<a href="https://away.example/?to=a">https://a.example/x</a>"#;
        check(moved, "https://a.example/x", true);
        check(r#"<p><img src="x.png" alt=":sheep:" /> baa</p>"#, ":sheep: baa", true);
    }

    #[test]
    fn what_typographers_and_other_spellings_make_of_a_text_is_what_was_sent() {
        check(
            "<p>Don&#8217;t say &ldquo;no&rdquo; &#x2014; ever&hellip;</p>",
            "Don't say \"no\" --- ever...",
            true,
        );
        check("<p>na&iuml;ve caf&eacute;, &frac12; &szlig; &euro;</p>", "naïve café, ½ ß €", true);
        check("cafe\u{301}<br>", "café", true);
        check("&amp;amp; &amp;rsquo;", "&amp; &rsquo;", true);
        check("<hr>", "---", true);
        check("<hr>", "--", false);
        check("<p>&mdash;</p>", "--", true);
        let mixed = r#"<a href="https://t.example/away?to=1">a.example/x</a> <a href="https://b.example/a/long/path">b.example/a/lo…</a>"#;
        check(mixed, "https://a.example/x https://b.example/a/long/path", true);
        check(mixed, "https://a.example/x https://b.example/a/long/road", false);
        let short = r#"see <a href="https://sho.rt/x1Y">sho.rt/x1Y</a>!"#;
        check(short, "see https://a.example/a/long/path!", true);
        check(short, "look: https://a.example/a/long/path!", false);
    }

    #[test]
    fn all_latin_letters_have_their_names() {
        let letter = |name: &str| Reading::Shown.plain(&format!("&{name};"));
        let names = [
            ("nbsp", '\u{a0}'),
            ("shy", '\u{ad}'),
            ("iquest", '¿'),
            ("Agrave", 'À'),
            ("times", '×'),
        ];
        for (name, expected) in
            names.into_iter().chain([("szlig", 'ß'), ("divide", '÷'), ("yuml", 'ÿ')])
        {
            assert_eq!(letter(name), expected.to_string(), "{name}");
        }
        assert_eq!(letter("thing"), "&thing;");
        // The standard reads the names of HTML 2 without their end, too.
        assert_eq!(letter("nothing"), "¬hing;");
    }

    #[test]
    fn marks_alone_are_told_apart() {
        check("<p>***</p>", "***", true);
        check("<p>***</p>", "**", false);
        check("<p>🐑</p>", "🐑", true);
        check("<p>🐑</p>", "🐏", false);
        check("", "Baa", false);
        check("<br>", "", true);
    }

    #[test]
    fn broken_html_is_read_as_far_as_it_goes() {
        check("a <b", "a <b", true);
        check("<3 & &co;", "<3 & &co;", true);
        // What is no character stands for that.
        check("&#xffffffff;", "\u{fffd}", true);
        check(
            "i </3 you <!doctype> <?php &copy=1 &copy;",
            "i </3 you <!doctype> <?php &copy=1 ©",
            true,
        );
        check("<b>a</b> <a href='b' & c < d &amp; <!-- e", "a <a href='b' & c < d & <!-- e", true);
        check("<title>a</title><script>b &lt; c</script>", "ab < c", true);
        check("<p title='a > b'>x</p><!-- y -->", "x", true);
        check("<a href=https://a.example/b class>a.example…</a>", "https://a.example/b", true);
        check("<a href>a.b</a>", "a.b", true);
    }

    /// A minute of looking for the end of each would be a minute without posts.
    #[test]
    fn tags_without_an_end_are_looked_for_once() {
        for piece in ["<a ", "<!--", "&#", "<a href='"] {
            let html = piece.repeat(1 << 16);
            assert!(!says(&html, "Baa"));
        }
    }

    #[test]
    fn plain_text_has_lines() {
        let html =
            "<p>one &amp; <b>two</b> <br />three</p><p>four</p><ul><li>a</li><li>b</li></ul>";
        assert_eq!(plain(html), "one & two\nthree\n\nfour\n\na\nb");
        assert_eq!(plain("plain<br>"), "plain");
    }

    proptest! {
        #[test]
        fn what_is_shown_escaped_is_what_was_sent(
            pieces in prop::collection::vec(prop::sample::select(PIECES), 0..12),
        ) {
            let text = pieces.concat();
            let mut shown = String::from("<p>");
            for character in text.chars() {
                match character {
                    '&' => shown.push_str("&amp;"),
                    '<' => shown.push_str("&lt;"),
                    '>' => shown.push_str("&gt;"),
                    '"' => shown.push_str("&quot;"),
                    '\'' => shown.push_str("&#39;"),
                    '\n' => shown.push_str("<br />"),
                    other => shown.push(other),
                }
            }
            check(&(shown + "</p>"), &text, true);
            // What stands for no character is the longest that comes of a short name.
            prop_assert!(plain(&text).len() <= 3 * text.len(), "{:?}", text);
        }
    }
}
