//! What a server's HTML says, as plain text, and whether it says what we sent.
//!
//! Mastodon keeps the text it was sent and shows HTML made of it (`TextFormatter`); other servers that speak its
//! API make other HTML, some of it from light markdown (snac 2.75, as it answered). A post that is there and not
//! recognised would be sent twice, so what servers change does not count (2026-11).

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
        let mut plain = String::with_capacity(html.len());
        // The link that is open: where its text begins, and its address.
        let mut link: Option<(usize, String)> = None;
        let (mut has_tags, mut links) = (true, 0);
        let mut rest = html;
        while let Some(mark) = rest.find(['<', '&']) {
            plain.push_str(&rest[..mark]);
            rest = &rest[mark..];
            if let Some((character, length)) = entity(rest) {
                plain.push(character);
                rest = &rest[length..];
                continue;
            }
            let tag = if has_tags { Tag::read(rest) } else { Ok(None) };
            // What is never closed goes on to the end, and looking once is enough.
            has_tags &= tag.is_ok();
            let Ok(Some(tag)) = tag else {
                // Some servers leave these marks as they are.
                plain.push_str(&rest[..1]);
                rest = &rest[1..];
                continue;
            };
            rest = &rest[tag.length..];
            match (tag.name.as_str(), tag.closes) {
                ("a", false) => link = tag.attribute("href").map(|href| (plain.len(), href)),
                ("a", true) => {
                    links += 1;
                    if let Some((from, href)) = link.take()
                        && is_address(&plain[from..])
                        && self.is_by_address(&href, links)
                    {
                        plain.truncate(from);
                        plain.push_str(&href);
                    }
                }
                ("p" | "div" | "blockquote" | "ul" | "ol" | "pre" | "h1" | "h2" | "h3", true) => {
                    plain.push_str("\n\n");
                }
                ("br", _) | ("li", true) => plain.push('\n'),
                // A line of hyphens, where markdown is read (snac).
                ("hr", _) => plain.push_str("---"),
                // Pictures stand for emoji.
                ("img", false) => plain.push_str(&tag.attribute("alt").unwrap_or_default()),
                _ => {}
            }
        }
        plain.push_str(rest);
        plain
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

/// A tag, with its name in lower case.
struct Tag<'a> {
    name: String,
    closes: bool,
    inside: &'a str,
    length: usize,
}

/// A tag or comment without an end.
struct Unclosed;

impl<'a> Tag<'a> {
    /// The tag that `html` begins with, if it does.
    fn read(html: &'a str) -> Result<Option<Self>, Unclosed> {
        if let Some(comment) = html.strip_prefix("<!--") {
            let length = 4 + comment.find("-->").ok_or(Unclosed)? + 3;
            return Ok(Some(Self { name: String::new(), closes: false, inside: "", length }));
        }
        let rest = html.strip_prefix('<').unwrap_or_default();
        let (closes, rest) = match rest.strip_prefix('/') {
            Some(rest) => (true, rest),
            None => (false, rest),
        };
        if !rest.starts_with(|c: char| c.is_ascii_alphabetic()) {
            return Ok(None);
        }
        let mut quote = None;
        let end = rest.char_indices().find_map(|(at, c)| {
            match (quote, c) {
                (None, '>') => return Some(at),
                (None, '"' | '\'') => quote = Some(c),
                (Some(open), _) if open == c => quote = None,
                _ => {}
            }
            None
        });
        let end = end.ok_or(Unclosed)?;
        let inside = &rest[..end];
        let name_end = inside.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(end);
        let name = inside[..name_end].to_ascii_lowercase();
        let length = html.len() - rest.len() + end + 1;
        Ok(Some(Self { name, closes, inside: &inside[name_end..], length }))
    }

    /// The value of an attribute, decoded.
    fn attribute(&self, name: &str) -> Option<String> {
        let mut rest = self.inside;
        loop {
            rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == '/');
            let end = rest.find(|c: char| c.is_whitespace() || c == '=').unwrap_or(rest.len());
            if end == 0 {
                return None;
            }
            let found = rest[..end].eq_ignore_ascii_case(name);
            rest = rest[end..].trim_start();
            let mut value = "";
            if let Some(given) = rest.strip_prefix('=') {
                let given = given.trim_start();
                let quote = given.chars().next().filter(|c| "\"'".contains(*c));
                let begin = usize::from(quote.is_some());
                let length = match quote {
                    Some(quote) => given[begin..].find(quote),
                    None => given.find(char::is_whitespace),
                };
                let length = length.unwrap_or(given.len() - begin);
                value = &given[begin..begin + length];
                rest = given[begin + length..].trim_start_matches(['"', '\'']);
            }
            if found {
                return Some(decoded(value));
            }
        }
    }
}

/// `text` with its entities as the characters they stand for.
fn decoded(text: &str) -> String {
    let mut decoded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(mark) = rest.find('&') {
        decoded.push_str(&rest[..mark]);
        rest = &rest[mark..];
        let (character, length) = entity(rest).unwrap_or(('&', 1));
        decoded.push(character);
        rest = &rest[length..];
    }
    decoded.push_str(rest);
    decoded
}

/// The character that the entity `text` begins with stands for, and its length.
fn entity(text: &str) -> Option<(char, usize)> {
    /// No entity that is met is longer.
    const LONGEST: usize = 12;
    let rest = text.strip_prefix('&')?;
    let end = rest.bytes().take(LONGEST).position(|byte| byte == b';')?;
    let name = &rest[..end];
    let character = match name.strip_prefix('#') {
        Some(number) => {
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16),
                None => number.parse(),
            };
            char::from_u32(code.ok()?)?
        }
        None => named(name)?,
    };
    Some((character, end + 2))
}

/// The character that is called so: what escapes a text, what typographers make of one, and Latin letters,
/// which some servers write by name.
fn named(name: &str) -> Option<char> {
    /// U+00A0 to U+00FF, in order (HTML 4, "Character entity references in HTML 4").
    const LATIN: &str = "nbsp iexcl cent pound curren yen brvbar sect uml copy ordf laquo not shy reg macr \
        deg plusmn sup2 sup3 acute micro para middot cedil sup1 ordm raquo frac14 frac12 frac34 iquest \
        Agrave Aacute Acirc Atilde Auml Aring AElig Ccedil Egrave Eacute Ecirc Euml Igrave Iacute Icirc Iuml \
        ETH Ntilde Ograve Oacute Ocirc Otilde Ouml times Oslash Ugrave Uacute Ucirc Uuml Yacute THORN szlig \
        agrave aacute acirc atilde auml aring aelig ccedil egrave eacute ecirc euml igrave iacute icirc iuml \
        eth ntilde ograve oacute ocirc otilde ouml divide oslash ugrave uacute ucirc uuml yacute thorn yuml";
    const OTHERS: [(&str, char); 28] = [
        ("amp", '&'),
        ("lt", '<'),
        ("gt", '>'),
        ("quot", '"'),
        ("apos", '\''),
        ("hellip", '…'),
        ("ndash", '–'),
        ("mdash", '—'),
        ("minus", '−'),
        ("lsquo", '‘'),
        ("rsquo", '’'),
        ("sbquo", '‚'),
        ("ldquo", '“'),
        ("rdquo", '”'),
        ("bdquo", '„'),
        ("lsaquo", '‹'),
        ("rsaquo", '›'),
        ("prime", '′'),
        ("Prime", '″'),
        ("bull", '•'),
        ("trade", '™'),
        ("euro", '€'),
        ("ensp", '\u{2002}'),
        ("emsp", '\u{2003}'),
        ("thinsp", '\u{2009}'),
        ("zwnj", '\u{200c}'),
        ("zwj", '\u{200d}'),
        ("OElig", 'Œ'),
    ];
    let other = OTHERS.iter().find(|(known, _)| *known == name).map(|(_, character)| *character);
    other.or_else(|| {
        let place = LATIN.split_whitespace().position(|known| known == name)?;
        char::from_u32(0xa0 + u32::try_from(place).ok()?)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let letter = |name: &str| entity(&format!("&{name};")).map(|(letter, _)| letter);
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
            assert_eq!(letter(name), Some(expected), "{name}");
        }
        assert_eq!(letter("nothing"), None);
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
        check("<3 & &co; &#xffffffff;", "<3 & &co; &#xffffffff;", true);
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
}
