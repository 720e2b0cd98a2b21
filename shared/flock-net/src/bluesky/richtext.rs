//! What in a text is a link or a hashtag: Bluesky shows as plain text what nobody names.
//!
//! Found as Bluesky's own app finds it (`detectFacets` of @atproto/api 0.19.19, 2026-11), with these differences: a link
//! with its scheme may stand behind a quotation mark, all that ends a sentence is no part of a link, an address of mail
//! is none, and what stands in a hashtag is no link besides. Mentions are left plain: they ring people, and a bot turns to
//! those who asked. `tlds.txt` has the names in ASCII of npm's `tlds` 1.261.0, which the app asks.

use std::{ops::Range, sync::LazyLock};

use icu_properties::{
    CodePointMapData,
    props::{GeneralCategory, GeneralCategoryGroup},
};
use reqwest::Url;
use serde_json::{Value, json};

/// The links and hashtags of a text, in order. None overlaps another.
pub(super) fn facets(text: &str) -> Vec<Value> {
    let mut facets = Vec::new();
    for word in words(text) {
        let (start, word) = (word.start, &text[word]);
        let mut add = |place: Range<usize>, feature: Value| {
            let index = json!({ "byteStart": start + place.start, "byteEnd": start + place.end });
            facets.push(json!({ "index": index, "features": [feature] }));
        };
        let mut from = 0;
        if let Some((length, name)) = tag(word) {
            from = length;
            add(0..length, json!({ "$type": "app.bsky.richtext.facet#tag", "tag": name }));
        }
        if let Some((place, uri)) = links(word).find(|(place, _)| from <= place.start) {
            add(place, json!({ "$type": "app.bsky.richtext.facet#link", "uri": uri }));
        }
    }
    facets
}

/// What has no white space in it: JavaScript's, to which a byte order mark belongs.
fn words(text: &str) -> impl Iterator<Item = Range<usize>> {
    let mut from = 0;
    std::iter::from_fn(move || {
        let start = from + text[from..].find(|c| !is_space(c))?;
        let end = text[start..].find(is_space).map_or(text.len(), |length| start + length);
        from = end;
        Some(start..end)
    })
}

fn is_space(c: char) -> bool {
    c.is_whitespace() && c != '\u{85}' || c == '\u{FEFF}'
}

/// Where in a word links begin and end, and where they lead. Each is one only if none before it is.
fn links(word: &str) -> impl Iterator<Item = (Range<usize>, String)> {
    let quoted = word.len() - word.trim_start_matches(['(', '[', '"', '“', '‘', '«']).len();
    let behind_brackets = word.match_indices('(').map(|(at, _)| at + 1);
    let starts = std::iter::once(0).chain(behind_brackets);
    let at = |at: usize, found: Option<(usize, String)>| {
        found.map(|(length, uri)| (at..at + length, uri))
    };
    let any = move |start: usize| {
        let rest = &word[start..];
        at(start, with_scheme(rest).or_else(|| bare(rest)))
    };
    at(quoted, with_scheme(&word[quoted..])).into_iter().chain(starts.filter_map(any))
}

/// The link that begins here with its scheme: how long it is, and where it leads.
fn with_scheme(text: &str) -> Option<(usize, String)> {
    let scheme = ["https://", "http://"].into_iter().find(|scheme| {
        text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    })?;
    let link = without_end(text);
    if link.len() <= scheme.len() {
        return None;
    }
    Some((link.len(), uri(link)?.0))
}

/// The same of a domain without a scheme.
fn bare(text: &str) -> Option<(usize, String)> {
    static TOP_LEVEL: LazyLock<Vec<&str>> =
        LazyLock::new(|| include_str!("richtext/tlds.txt").lines().collect());
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '.';
    let domain = &text[..text.find(|c| !is_part(c)).unwrap_or(text.len())];
    // A label ends at a dot that another follows.
    let domain = match domain.find("..") {
        Some(end) => &domain[..end],
        None => domain.strip_suffix('.').unwrap_or(domain),
    };
    let (_, last) = domain.rsplit_once('.')?;
    let is_one = domain.starts_with(|c: char| c.is_ascii_alphabetic())
        && TOP_LEVEL.binary_search(&last).is_ok();
    let link = match text[domain.len()..].chars().next() {
        _ if !is_one => return None,
        Some('/' | '?' | '#' | ':') => without_end(text),
        // The name of somebody, or another name.
        Some(c) if c.is_alphanumeric() || matches!(c, '-' | '_' | '@') => return None,
        Some(_) | None => domain,
    };
    let (uri, url) = uri(&format!("https://{link}"))?;
    // `me.first@example.com` is a person, and no page of `example.com`.
    (url.username().is_empty() && url.password().is_none()).then_some((link.len(), uri))
}

/// A link without what ends the sentence, or the quotation, that it stands in.
fn without_end(mut link: &str) -> &str {
    let ends = |c: char| {
        matches!(c, '.' | ',' | ';' | ':' | '!' | '?' | '\'' | '"' | ']' | '}' | '>')
            || !c.is_ascii() && is_punctuation(c)
    };
    loop {
        let shorter = link.trim_end_matches(ends);
        // A bracket that was opened in the link belongs to it.
        let shorter = match shorter.strip_suffix(')') {
            Some(without) if shorter.matches(')').count() > shorter.matches('(').count() => without,
            _ => shorter,
        };
        if shorter.len() == link.len() {
            return link;
        }
        link = shorter;
    }
}

/// Written as it is where that is a URI; else escaped.
fn uri(link: &str) -> Option<(String, Url)> {
    let url =
        Url::parse(link).ok().filter(|url| url.host_str().is_some_and(|host| !host.is_empty()))?;
    let uri = if link.is_ascii() { link.to_owned() } else { url.to_string() };
    Some((uri, url))
}

/// The hashtag a word begins with: how much of the word it is, and its name.
fn tag(word: &str) -> Option<(usize, &str)> {
    /// Lexicon app.bsky.richtext.facet: 64 graphemes, which the app counts in units of UTF-16.
    const MOST_UNITS: usize = 64;
    let name = word.strip_prefix(['#', '＃'])?;
    let sign = word.len() - name.len();
    // What ends a name besides white space, as the app's expression has it.
    let ends = |c| {
        matches!(
            c,
            '\u{AD}' | '\u{2060}' | '\u{200A}' | '\u{200B}' | '\u{200C}' | '\u{200D}' | '\u{20E2}'
        )
    };
    let name = &name[..name.find(ends).unwrap_or(name.len())];
    // A keycap is no hashtag: `#` and what draws it as one.
    let is_keycap = name.starts_with(['\u{FE0F}', '\u{20E3}']);
    let says_something = name.chars().any(|c| !c.is_ascii_digit() && !is_punctuation(c));
    let name = name.trim_end_matches(is_punctuation);
    let fits = (1..=MOST_UNITS).contains(&name.encode_utf16().count());
    (!is_keycap && says_something && fits).then_some((sign + name.len(), name))
}

/// Unicode's general category P.
fn is_punctuation(c: char) -> bool {
    let category = CodePointMapData::<GeneralCategory>::new().get(c);
    GeneralCategoryGroup::Punctuation.contains(category)
}

/// What is found in any text is in it, in order, and whole characters.
#[cfg(any(test, feature = "test-util"))]
pub(super) fn check_text(text: &str) {
    let mut from = 0;
    for facet in facets(text) {
        let byte = |name: &str| {
            let at = facet["index"][name].as_u64().expect("a facet has a place");
            usize::try_from(at).expect("it is in the text")
        };
        let (start, end) = (byte("byteStart"), byte("byteEnd"));
        assert!(from <= start && start < end, "{facet} after {from}");
        let shown = text.get(start..end).expect("whole characters");
        assert!(!shown.contains(is_space), "{shown:?}");
        from = end;
        let feature = &facet["features"][0];
        let target = feature["uri"].as_str().or(feature["tag"].as_str()).expect("a target");
        assert!(!target.is_empty() && !target.contains(is_space), "{target:?}");
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[track_caller]
    fn check_facets(text: &str, expected: &[(&str, &str)]) {
        let found: Vec<_> = facets(text)
            .iter()
            .map(|facet| {
                let byte = |name: &str| usize::try_from(facet["index"][name].as_u64().unwrap());
                let shown = &text[byte("byteStart").unwrap()..byte("byteEnd").unwrap()];
                let feature = &facet["features"][0];
                let target = feature["uri"].as_str().or(feature["tag"].as_str()).unwrap();
                (shown.to_owned(), target.to_owned())
            })
            .collect();
        let found: Vec<_> = found.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn links_and_hashtags_are_found() {
        check_facets("plain words, a@b.example and @someone.test", &[]);
        check_facets(
            "é https://a.example/x?y=1#z, then (http://b.example).",
            &[
                ("https://a.example/x?y=1#z", "https://a.example/x?y=1#z"),
                ("http://b.example", "http://b.example"),
            ],
        );
        check_facets(
            "https://en.wikipedia.org/wiki/Moss_(plant) (see https://b.example/a_(b)).",
            &[
                (
                    "https://en.wikipedia.org/wiki/Moss_(plant)",
                    "https://en.wikipedia.org/wiki/Moss_(plant)",
                ),
                ("https://b.example/a_(b)", "https://b.example/a_(b)"),
            ],
        );
        check_facets("https:// http://", &[]);
        check_facets("HTTPS://A.example/B", &[("HTTPS://A.example/B", "HTTPS://A.example/B")]);
        check_facets("https://a.example/", &[("https://a.example/", "https://a.example/")]);
        check_facets(
            "https://käse.example/ü",
            &[("https://käse.example/ü", "https://xn--kse-qla.example/%C3%BC")],
        );
        check_facets(
            "#moss, ＃苔! #2026 # #a#b #x_y-z. #️⃣ #🐑",
            &[
                ("#moss", "moss"),
                ("＃苔", "苔"),
                ("#a#b", "a#b"),
                ("#x_y-z", "x_y-z"),
                ("#🐑", "🐑"),
            ],
        );
        check_facets("twice #a #a", &[("#a", "a"), ("#a", "a")]);
    }

    /// The cases are those of the app's own tests (`rich-text-detection.test.ts`), without mentions and cashtags, and some
    /// that its library was asked about.
    #[test]
    fn links_and_hashtags_are_those_of_blueskys_own_app() {
        #[derive(Deserialize)]
        struct Case(String, Vec<(usize, usize, String)>);

        let cases: Vec<Case> = serde_json::from_str(include_str!("richtext/cases.json")).unwrap();
        assert!(100 < cases.len());
        for Case(text, expected) in cases {
            let found: Vec<_> = facets(&text)
                .iter()
                .map(|facet| {
                    let byte = |name: &str| usize::try_from(facet["index"][name].as_u64().unwrap());
                    let feature = &facet["features"][0];
                    let target = feature["uri"].as_str().or(feature["tag"].as_str()).unwrap();
                    (byte("byteStart").unwrap(), byte("byteEnd").unwrap(), target.to_owned())
                })
                .collect();
            assert_eq!(found, expected, "{text:?}");
        }
    }

    /// Where the app itself would lead nobody anywhere.
    #[test]
    fn a_bare_domain_leads_where_a_reader_would_go() {
        let example = ("example.com", "https://example.com");
        check_facets("example.com’s page, example.com... and (see example.com).", &[example; 3]);
        check_facets("example.com\u{200B}more", &[example]);
        check_facets("(example.com/a_(b)).", &[("example.com/a_(b)", "https://example.com/a_(b)")]);
        check_facets("httpbin.org", &[("httpbin.org", "https://httpbin.org")]);
        check_facets(
            "first.me@example.com me.you:pw@example.com näh.com example.comé x.com-y",
            &[],
        );
        check_facets("#a(b.com) example.com", &[("#a(b.com", "a(b.com"), example]);
        check_facets("example.com/ü", &[("example.com/ü", "https://example.com/%C3%BC")]);
    }

    #[test]
    fn the_top_level_domains_are_in_order() {
        let names: Vec<&str> = include_str!("richtext/tlds.txt").lines().collect();
        assert!(names.is_sorted_by(|a, b| a < b) && names.contains(&"com"));
    }

    proptest::proptest! {
        /// Whatever the text: what is found is in it, in order, and whole characters.
        #[test]
        fn any_text_has_links_and_hashtags_in_their_places(
            text in "([#＃(). a@\u{FE0F}\u{200D}é🐑/:-]|example[.]com|https://|[\u{85}\u{FEFF}\u{3000}]|\\PC){0,30}",
        ) {
            check_text(&text);
        }
    }
}
