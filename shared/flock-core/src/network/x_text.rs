//! How X counts a text: what is a link to it, which emoji are one, and what every character weighs.
//!
//! The rules are those of the official library, npm `twitter-text` 3.1.0 (Apache-2.0, Copyright Twitter, Inc.), with
//! configuration v3, read 2026-11; `.ci/x_text_test.sh` compares the two. The library was last changed in 2020, and so
//! its top-level domains and emoji are those of that year. Like the library, this works on UTF-16 code units: to it, half
//! a character can be part of a domain.
//!
//! The library's expressions try again from many places. Here, every question is answered in one pass, so the time grows
//! with the length of the text only.

use std::{ops::Range, sync::LazyLock};

use icu_normalizer::ComposingNormalizerBorrowed;

mod emoji;

use super::Measured;

/// Counts as X does.
pub(super) fn measure(text: &str) -> Measured {
    let text = ComposingNormalizerBorrowed::new_nfc().normalize(text);
    let text: Vec<u16> = text.encode_utf16().collect();
    let (links, emoji) = (link_spans(&text), emoji_spans(&text));
    let (mut next_link, mut next_emoji) = (links.iter().peekable(), emoji.iter().peekable());
    let (mut length, mut at) = (0, 0);
    while at < text.len() {
        let here = |span: &&Span| span.start == at;
        while next_link.next_if(|span| span.start < at).is_some() {}
        while next_emoji.next_if(|span| span.start < at).is_some() {}
        let (weight, units) = if let Some(link) = next_link.next_if(here) {
            // Every link is shown as a t.co address of this length (configuration v3).
            (23, link.units)
        } else if let Some(emoji) = next_emoji.next_if(here) {
            (2, emoji.units)
        } else {
            character(&text[at..])
        };
        length += weight;
        at += units;
    }
    Measured { length, links: links.len() }
}

/// A link or an emoji in a text.
struct Span {
    start: usize,
    /// What is counted as it. With a domain that is not all Latin, this can be less than what was read as
    /// the link, and end anywhere.
    units: usize,
}

// Characters and emoji.

/// The weight and the units of the character at the front.
fn character(text: &[u16]) -> (usize, usize) {
    let (code, units) = code_point(text).unwrap_or((0, 1));
    match code {
        0..=4351 | 8192..=8205 | 8208..=8223 | 8242..=8247 => (1, units),
        _ => (2, units),
    }
}

/// The emoji of a text, in order.
fn emoji_spans(text: &[u16]) -> Vec<Span> {
    let mut emoji = Vec::new();
    let mut start = 0;
    while let Some((_, character)) = code_point(&text[start..]) {
        let found = emoji_units(&text[start..]);
        emoji.extend(found.map(|units| Span { start, units }));
        start += found.unwrap_or(character);
    }
    emoji
}

/// The character at the front, or half of one if the other half is not there, and its units.
fn code_point(text: &[u16]) -> Option<(u32, usize)> {
    match *text {
        [high @ 0xd800..=0xdbff, low @ 0xdc00..=0xdfff, ..] => {
            Some((0x1_0000 + ((u32::from(high) & 0x3ff) << 10 | u32::from(low) & 0x3ff), 2))
        }
        [unit, ..] => Some((unit.into(), 1)),
        [] => None,
    }
}

/// A set of characters: where it begins and ends, in turn.
struct Set(&'static [u32]);

impl Set {
    fn has(&self, code: u32) -> bool {
        self.0.partition_point(|bound| *bound <= code) % 2 == 1
    }
}

/// The units of the emoji at the front. `None` also for one that is a single character: it weighs what a character does.
fn emoji_units(text: &[u16]) -> Option<usize> {
    const VARIATION: u32 = 0xfe0f;
    const KEYCAP: u32 = 0x20e3;
    const REGIONAL_A: u32 = 0x1f1e6;
    // ©; what comes before it is no emoji without a keycap.
    const FIRST: u32 = 0xa9;
    let is_skin = |code| (0x1f3fb..=0x1f3ff).contains(&code);
    let is_person = |code| code == 0x1f468 || code == 0x1f469;

    let (base, first) = code_point(text)?;
    let mut reader = Reader { rest: &text[first..] };
    let one_if = |found: bool, reader: &Reader<'_>| found.then(|| text.len() - reader.rest.len());

    if matches!(base, 0x23 | 0x2a | 0x30..=0x39) {
        reader.take(|code| code == VARIATION);
        let found = reader.take(|code| code == KEYCAP);
        return one_if(found, &reader);
    }
    // Nearly every character ends here, before the long lists are looked through.
    if base < FIRST {
        return None;
    }
    if let Some(letter) = base.checked_sub(REGIONAL_A).filter(|letter| *letter < 26) {
        let found = reader.take(|code| {
            let pair = [letter, code.wrapping_sub(REGIONAL_A)].map(|n| n.wrapping_add(0x41));
            emoji::FLAGS.split(' ').any(|flag| flag.bytes().map(u32::from).eq(pair))
        });
        return one_if(found, &reader);
    }
    if let Some(sequence) = emoji::SEQUENCES.iter().find(|sequence| starts_with(text, sequence)) {
        return Some(sequence.encode_utf16().count());
    }
    let may_vary = emoji::WITH_VARIATION.has(base);
    let has_skin = emoji::WITH_SKIN.has(base);
    let varied = may_vary && reader.take(|code| code == VARIATION);
    let toned = !varied && has_skin && reader.take(is_skin);
    let joined = if emoji::WITH_GENDER.has(base) {
        (varied || toned || !may_vary)
            && ["\u{200d}♀\u{fe0f}", "\u{200d}♂\u{fe0f}"].iter().any(|sign| reader.take_text(sign))
    } else {
        is_person(base) && emoji::THINGS.iter().any(|thing| reader.take_joined(thing))
    };
    let toned_last = !joined && varied && has_skin && reader.take(is_skin);
    one_if(varied || toned || joined || toned_last, &reader)
}

/// What is still to be read of an emoji.
struct Reader<'t> {
    rest: &'t [u16],
}

impl Reader<'_> {
    fn take(&mut self, is_wanted: impl Fn(u32) -> bool) -> bool {
        match code_point(self.rest) {
            Some((code, units)) if is_wanted(code) => {
                self.rest = &self.rest[units..];
                true
            }
            _ => false,
        }
    }

    fn take_text(&mut self, wanted: &str) -> bool {
        let found = starts_with(self.rest, wanted);
        if found {
            self.rest = &self.rest[wanted.encode_utf16().count()..];
        }
        found
    }

    fn take_joined(&mut self, wanted: &str) -> bool {
        match self.rest {
            [0x200d, rest @ ..] if starts_with(rest, wanted) => {
                self.rest = &rest[wanted.encode_utf16().count()..];
                true
            }
            _ => false,
        }
    }
}

/// Whether `text` begins with `start`; upper and lower case of ASCII letters are the same.
fn starts_with(text: &[u16], start: &str) -> bool {
    let lower = |unit: u16| if (0x41..=0x5a).contains(&unit) { unit + 0x20 } else { unit };
    let mut units = text.iter();
    start.encode_utf16().all(|unit| units.next().is_some_and(|other| lower(*other) == unit))
}

// Links.

/// Something that looks like a link.
struct Candidate {
    start: usize,
    /// The units of `http://` or `https://`.
    protocol: usize,
    domain: Range<usize>,
    has_path: bool,
    end: usize,
}

/// The links of a text, in order.
fn link_spans(text: &[u16]) -> Vec<Span> {
    let domains = Domains::of(text, Label::Any);
    let mut links = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let mut found =
            if may_precede(text[at]) { candidate(text, &domains, at + 1) } else { None };
        if at == 0 && found.is_none() {
            found = candidate(text, &domains, 0);
        }
        at = match found {
            Some(candidate) => {
                keep(text, &candidate, &mut links);
                candidate.end
            }
            None => at + 1,
        };
    }
    links
}

/// What looks like a link at `start`.
fn candidate(text: &[u16], domains: &Domains<'_>, start: usize) -> Option<Candidate> {
    let rest = text.get(start..)?;
    let protocol = ["https://", "http://"]
        .into_iter()
        .find(|name| starts_with(rest, name))
        .map_or(0, str::len);
    let (protocol, domain) = match domains.at(start + protocol) {
        Some(domain) => (protocol, domain),
        None => (0, domains.at(start)?),
    };
    let mut end = domain.end;
    if char_at(text, end) == Some(':') {
        let digits = run(text, end + 1, |c| c.is_ascii_digit());
        if end + 1 < digits {
            end = digits;
        }
    }
    let has_path = char_at(text, end) == Some('/');
    if has_path {
        end = path_end(text, end + 1);
    }
    let end = query_end(text, end);
    Some(Candidate { start, protocol, domain, has_path, end })
}

/// Adds the links that a candidate is: none, one, or, without a protocol, one for each domain of Latin letters in it.
fn keep(text: &[u16], candidate: &Candidate, links: &mut Vec<Span>) {
    const MOST_UNITS: usize = 4_096;
    const MOST_SHORT_CODE: usize = 40;
    let Candidate { start, protocol, ref domain, has_path, end } = *candidate;
    let name = &text[domain.clone()];
    let said = if protocol == 0 { "https://".len() } else { protocol };
    if !is_name(name) || MOST_UNITS < said + (end - start) {
        return;
    }
    if protocol == 0 {
        let before = start.checked_sub(1).and_then(|before| char_at(text, before));
        if matches!(before, Some('-' | '_' | '.' | '/')) {
            return;
        }
        let latin = Domains::of(name, Label::Latin).all();
        let (mut from, last) = (0, latin.len());
        for (number, range) in (1..).zip(latin) {
            // The library looks for its letters again and can find them earlier, in a longer word.
            let letters = &name[range.clone()];
            let earlier = range.start - from;
            let found = (0..earlier).find(|skip| name[from + skip..].starts_with(letters));
            let start = from + found.unwrap_or(earlier);
            from = start + range.len();
            let rest = if has_path && number == last { end - domain.end } else { 0 };
            links.push(Span { start: domain.start + start, units: range.len() + rest });
        }
    } else {
        let units = match short_link(&text[start..end], protocol) {
            Some((code, _)) if MOST_SHORT_CODE < code => return,
            Some((_, units)) => units,
            None => end - start,
        };
        links.push(Span { start, units });
    }
}

/// Of a t.co link: the length of its code, and of all that belongs to it.
fn short_link(link: &[u16], protocol: usize) -> Option<(usize, usize)> {
    const HOST: &str = "t.co/";
    let rest = link.get(protocol..).filter(|rest| starts_with(rest, HOST))?;
    let code = run(rest, HOST.len(), |c| c.is_ascii_alphanumeric());
    let length = code - HOST.len();
    (0 < length).then(|| (length, protocol + query_end(rest, code)))
}

/// The end of the path whose `/` is before `at`: it ends with a letter, a digit, one of some signs,
/// or a pair of brackets.
fn path_end(text: &[u16], mut at: usize) -> usize {
    let mut end = at;
    loop {
        if let Some(c) = char_at(text, at).filter(|c| is_path(*c)) {
            at += 1;
            if is_path_end(c) {
                end = at;
            }
        } else if let Some(after) = after_brackets(text, at) {
            // Brackets after a sign that cannot be the last are not, either.
            if end == at {
                end = after;
            }
            at = after;
        } else {
            return end;
        }
    }
}

/// Where the pair of round brackets at `at` ends; there can be one more pair in it.
fn after_brackets(text: &[u16], at: usize) -> Option<usize> {
    let is = |at, wanted| char_at(text, at) == Some(wanted);
    if !is(at, '(') {
        return None;
    }
    let inner = run(text, at + 1, is_path);
    if is(inner, ')') {
        return (at + 1 < inner).then_some(inner + 1);
    }
    let close = run(text, inner + 1, is_path);
    if !is(inner, '(') || !is(close, ')') || close == inner + 1 {
        return None;
    }
    let close = run(text, close + 1, is_path);
    is(close, ')').then_some(close + 1)
}

/// The end of the query at `at`, which is `at` if there is none.
fn query_end(text: &[u16], at: usize) -> usize {
    if char_at(text, at) != Some('?') {
        return at;
    }
    let end =
        run(text, at + 1, |c| c.is_ascii_alphanumeric() || "!?*'@();:&=+$/%#[]-_.,~|".contains(c));
    let query = &text[at + 1..end];
    let is_end = |unit: &u16| {
        let c = char_of(*unit);
        c.is_ascii_alphanumeric() || "-_&=#/".contains(c)
    };
    query.iter().rposition(is_end).map_or(at, |last| at + 1 + last + 1)
}

/// Whether a link may begin after this.
fn may_precede(unit: u16) -> bool {
    let c = char_of(unit);
    !(c.is_ascii_alphanumeric()
        || matches!(c, '@' | '＠' | '$' | '#' | '＃' | '\u{fffe}' | '\u{feff}' | '\u{ffff}'))
}

fn is_path(c: char) -> bool {
    is_path_end(c) || matches!(c, '–') || "!*';:,.$%[]~@|&".contains(c)
}

fn is_path_end(c: char) -> bool {
    c.is_ascii_alphanumeric() || "+-=_#/".contains(c) || is_latin(c) || is_cyrillic(c)
}

/// Latin letters with accents, accents, and whatever differs from one of them in case only.
fn is_latin(c: char) -> bool {
    matches!(c,
        '\u{c0}'..='\u{d6}' | '\u{d8}'..='\u{f6}' | '\u{f8}'..='\u{24f}' | '\u{253}' | '\u{254}'
        | '\u{256}' | '\u{257}' | '\u{259}' | '\u{25b}' | '\u{260}' | '\u{263}' | '\u{268}'
        | '\u{269}' | '\u{26f}' | '\u{272}' | '\u{275}' | '\u{280}' | '\u{283}'
        | '\u{288}'..='\u{28c}' | '\u{292}' | '\u{2bb}' | '\u{300}'..='\u{36f}' | '\u{399}'
        | '\u{3b9}' | '\u{1e00}'..='\u{1eff}' | '\u{1fbe}' | '\u{2c65}' | '\u{2c66}' | '\u{2c7e}'
        | '\u{2c7f}' | '\u{a7dc}')
}

/// Cyrillic letters, and whatever differs from one of them in case only.
fn is_cyrillic(c: char) -> bool {
    matches!(c, '\u{400}'..='\u{4ff}' | '\u{1c80}'..='\u{1c87}')
}

/// Whether a domain can hold it: no punctuation of ASCII but quotation marks, no white space, nothing
/// that sets the direction.
fn is_domain(c: char) -> bool {
    !matches!(c,
        '\t'..='\r' | ' ' | '!' | '#'..='/' | ':'..='@' | '['..='_' | '{'..='~' | '\u{85}'
        | '\u{a0}' | '\u{61c}' | '\u{1680}' | '\u{180e}' | '\u{2000}'..='\u{200a}' | '\u{200e}'
        | '\u{200f}' | '\u{2028}'..='\u{202f}' | '\u{205f}' | '\u{2066}'..='\u{2069}' | '\u{3000}'
        | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

/// The end of the characters that are wanted from `at` on.
fn run(text: &[u16], at: usize, is_wanted: impl Fn(char) -> bool) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    at + rest.iter().take_while(|unit| is_wanted(char_of(**unit))).count()
}

fn char_at(text: &[u16], at: usize) -> Option<char> {
    text.get(at).copied().map(char_of)
}

/// The character of one unit. Half a character is part of a domain and nothing else, as the replacement character is.
fn char_of(unit: u16) -> char {
    char::from_u32(unit.into()).unwrap_or(char::REPLACEMENT_CHARACTER)
}

// Domains.

/// What the labels of a domain are made of.
#[derive(Clone, Copy)]
enum Label {
    /// Of nearly everything, with `-` and `_` inside; the last one before the top-level domain has no `_`.
    Any,
    /// Of Latin letters, digits and `-`.
    Latin,
}

impl Label {
    fn may_hold(self, c: char) -> bool {
        match self {
            Self::Any => is_domain(c) || matches!(c, '-' | '_'),
            Self::Latin => self.may_begin_with(c),
        }
    }

    /// Or end.
    fn may_begin_with(self, c: char) -> bool {
        match self {
            Self::Any => is_domain(c),
            Self::Latin => c.is_ascii_alphanumeric() || c == '-' || is_latin(c),
        }
    }
}

/// Every place of a text where a domain could be, found in one pass.
struct Domains<'t> {
    text: &'t [u16],
    label: Label,
    dots: Vec<Dot>,
}

/// A dot, and what stands around it.
struct Dot {
    at: usize,
    /// Where the characters before it begin that can be in its label.
    label: usize,
    /// The last `_` among them.
    underscore: Option<usize>,
    /// Where the top-level domain after it ends.
    top: Option<usize>,
    /// Where the longest domain ends that goes on after it by at least one label and a dot.
    further: Option<usize>,
}

impl<'t> Domains<'t> {
    fn of(text: &'t [u16], label: Label) -> Self {
        let mut dots = Vec::new();
        let (mut start, mut underscore) = (0, None);
        for (at, unit) in text.iter().enumerate() {
            let c = char_of(*unit);
            if label.may_hold(c) {
                if c == '_' {
                    underscore = Some(at);
                }
                continue;
            }
            if c == '.' {
                let top = top_level(text, at + 1);
                dots.push(Dot { at, label: start, underscore, top, further: None });
            }
            (start, underscore) = (at + 1, None);
        }
        let mut domains = Self { text, label, dots };
        for next in (1..domains.dots.len()).rev() {
            let after = domains.dots[next - 1].at + 1;
            domains.dots[next - 1].further = domains.end_by(after, &domains.dots[next]);
        }
        domains
    }

    /// The longest domain that begins at `start`.
    fn at(&self, start: usize) -> Option<Range<usize>> {
        let dot = self.dots.get(self.dots.partition_point(|dot| dot.at < start))?;
        Some(start..self.end_by(start, dot)?)
    }

    /// Its end, if `dot` is the first one in it.
    fn end_by(&self, start: usize, dot: &Dot) -> Option<usize> {
        let may_begin = |at| char_at(self.text, at).is_some_and(|c| self.label.may_begin_with(c));
        if start < dot.label || dot.at <= start || !may_begin(start) || !may_begin(dot.at - 1) {
            return None;
        }
        let is_last = dot.underscore.is_none_or(|underscore| underscore < start);
        dot.further.or(dot.top.filter(|_| is_last))
    }

    /// All domains, from left to right.
    fn all(&self) -> Vec<Range<usize>> {
        let mut all = Vec::new();
        let mut start = 0;
        while start < self.text.len() {
            start = match self.at(start) {
                Some(domain) => {
                    all.push(domain.clone());
                    domain.end
                }
                None => start + 1,
            };
        }
        all
    }
}

/// The end of the top-level domain at `at`: the longest of the list, or one in Punycode.
fn top_level(text: &[u16], at: usize) -> Option<usize> {
    static NAMES: LazyLock<Vec<&str>> =
        LazyLock::new(|| include_str!("x_text/tlds.txt").lines().collect());
    const LONGEST: usize = 18;

    let mut name = String::new();
    let mut end = None;
    for at in at..at + LONGEST {
        match char_at(text, at) {
            Some(c) if c.is_ascii_alphanumeric() || !c.is_ascii() => name.push(fold(c)),
            _ => break,
        }
        let goes_on = |c: char| c.is_ascii_alphanumeric() || matches!(c, '@' | '+' | '-');
        if !char_at(text, at + 1).is_some_and(goes_on) && NAMES.binary_search(&&*name).is_ok() {
            end = Some(at + 1);
        }
    }
    end.or_else(|| {
        let prefix = "xn--";
        let rest = text.get(at..).filter(|rest| starts_with(rest, prefix))?;
        let end = run(rest, prefix.len(), |c| c.is_ascii_alphanumeric() || c == '-');
        (prefix.len() < end).then_some(at + end)
    })
}

/// Makes upper and lower case the same, as an expression of JavaScript that ignores case does: what is not ASCII never
/// becomes ASCII, and what becomes several characters stays.
fn fold(c: char) -> char {
    fn one(c: char, mut changed: impl ExactSizeIterator<Item = char>) -> char {
        match (changed.len(), changed.next()) {
            (1, Some(other)) if other.is_ascii() == c.is_ascii() => other,
            _ => c,
        }
    }
    let upper = one(c, c.to_uppercase());
    one(upper, upper.to_lowercase())
}

/// Whether a domain can be written in the domain name system.
fn is_name(domain: &[u16]) -> bool {
    const PREFIX: [u16; 4] = [0x78, 0x6e, 0x2d, 0x2d];
    if domain.starts_with(&PREFIX) && Domains::of(domain, Label::Latin).all().is_empty() {
        return false;
    }
    domain.split(|unit| *unit == 0x2e).all(is_label)
}

/// Whether a label, in Punycode if it must be, is short enough.
fn is_label(label: &[u16]) -> bool {
    const MOST: usize = 63;
    // No character becomes less than one: a longer label need not be written to know that it is too long.
    if 2 * MOST < label.len() {
        return false;
    }
    // Dots of East Asia separate parts that are written one by one, but count as one label.
    let parts = label.split(|unit| matches!(*unit, 0x3002 | 0xff0e | 0xff61));
    let lengths = parts.map(|part| {
        if part.iter().all(|unit| matches!(*unit, 0x20..=0x7e)) {
            return part.len();
        }
        let mut characters = Vec::new();
        let mut rest = part;
        while let Some((code, units)) = code_point(rest) {
            characters.push(code);
            rest = &rest[units..];
        }
        "xn--".len() + punycode_length(&characters)
    });
    (1..=MOST).contains(&(lengths.map(|length| length + 1).sum::<usize>() - 1))
}

/// How long `characters` are in Punycode (RFC 3492, section 6.3). The steps are counted, not written.
fn punycode_length(characters: &[u32]) -> usize {
    const BASE: u32 = 36;
    const T_MIN: u32 = 1;
    const T_MAX: u32 = 26;
    const SKEW: u32 = 38;
    const DAMP: u32 = 700;

    let basic = characters.iter().filter(|code| **code < 0x80).count();
    let mut length = if basic == 0 { 0 } else { basic + 1 };
    let (mut least, mut delta, mut bias) = (0x80, 0, 72);
    let mut handled = u32::try_from(basic).unwrap_or(u32::MAX);
    while let Some(next) = characters.iter().copied().filter(|code| least <= *code).min() {
        delta += (next - least) * (handled + 1);
        least = next;
        for code in characters {
            if *code < least {
                delta += 1;
            }
            if *code != least {
                continue;
            }
            let mut rest = delta;
            let mut step = BASE;
            loop {
                let threshold = step.saturating_sub(bias).clamp(T_MIN, T_MAX);
                length += 1;
                if rest < threshold {
                    break;
                }
                rest = (rest - threshold) / (BASE - threshold);
                step += BASE;
            }
            let is_first = usize::try_from(handled) == Ok(basic);
            handled += 1;
            delta = if is_first { delta / DAMP } else { delta / 2 };
            delta += delta / handled;
            bias = 0;
            while (BASE - T_MIN) * T_MAX / 2 < delta {
                delta /= BASE - T_MIN;
                bias += BASE;
            }
            bias += (BASE - T_MIN + 1) * delta / (delta + SKEW);
            delta = 0;
        }
        delta += 1;
        least += 1;
    }
    length
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use proptest::prelude::*;
    use saphyr_parser::{Event, Parser};

    use super::*;

    #[track_caller]
    fn check(text: &str, length: usize, links: usize) {
        assert_eq!(measure(text), Measured { length, links }, "{text:?}");
    }

    #[test]
    fn characters_weigh_one_or_two() {
        check("", 0, 0);
        check("a line\r\n", 8, 0);
        check("naïve Ελλάδα привет", 19, 0);
        check("猫が好き", 8, 0);
        check("안녕", 4, 0);
        check("“it’s” – so…", 13, 0);
        check("\u{200b}\u{200d}\u{2010}\u{2033}", 4, 0);
        check("\u{200e}\u{202a}\u{feff}", 6, 0);
        check("𝒳 \u{10ffff}", 5, 0);
    }

    #[test]
    fn it_is_counted_as_normalized() {
        check("cafe\u{301}", 4, 0);
        check("\u{1100}\u{1161}\u{11a8}", 2, 0);
        check("\u{212b}\u{2126}", 2, 0);
        check("q\u{323}\u{307}", 3, 0);
    }

    #[test]
    fn an_emoji_weighs_two_however_it_is_made() {
        check("😀🫠", 4, 0);
        check("👍🏽", 2, 0);
        check("👩‍⚕️👨🏿‍🚀", 4, 0);
        check("👨‍👩‍👧‍👦👩‍❤️‍💋‍👨", 4, 0);
        check("🏋🏻‍♀️🏋️‍♀️🏃‍♂️🏃🏾‍♂️🧟‍♀️", 10, 0);
        check("🏳️‍🌈🏴‍☠️👁‍🗨", 6, 0);
        check("🇩🇪🇺🇳🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}", 6, 0);
        check("1️⃣#⃣*️⃣", 6, 0);
        check("❤️☝🏽☝️🏽©️", 8, 0);
    }

    #[test]
    fn what_only_looks_like_one_emoji_weighs_more() {
        check("©®1#", 4, 0);
        check("1️", 3, 0);
        check("😀️", 4, 0);
        check("❤︎", 4, 0);
        check("🇩🇪🇩", 4, 0);
        check("🇨🇶", 4, 0);
        check("🏋‍♀️", 5, 0);
        check("🏃‍♂", 5, 0);
        check("👨‍👦‍👧", 5, 0);
        // Newer than the library.
        check("🧑‍🚀🐈‍⬛❤️‍🔥", 15, 0);
        check("🧑🏻‍🤝‍🧑🏿", 8, 0);
    }

    #[test]
    fn a_link_weighs_23() {
        check("https://example.com/a/very/long/path?with=a&query#and-more", 23, 1);
        check("HTTP://X.CO", 23, 1);
        check("see example.com ok", 30, 1);
        check("a.com b.com\nwww.c.co.uk", 71, 3);
        check("example.com:8080/x", 23, 1);
        check("example.com:8080", 28, 1);
        check("example.com?x=1", 27, 1);
        check("example.com/?x=1", 23, 1);
        check("http://münchen.de/straße http://例え.みんな", 47, 2);
        check("http://пример.рф ПРИМЕР.РФ", 33, 1);
        check("http://xn--e1afmkfd.xn--p1ai", 23, 1);
        check("https://en.wikipedia.org/wiki/Rust_(programming_language(s))", 23, 1);
        check("(https://example.com/a).", 26, 1);
        check("https://example.com/,(a)", 27, 1);
        check("https://example.com/a(b)(c),(d)", 27, 1);
    }

    #[test]
    fn what_only_looks_like_a_link_is_text() {
        check("e.g. 3.14 foo.baz.html U.S.A. index.txt", 39, 0);
        check("me@example.com #example.com @example.com $example.com", 53, 0);
        check("-example.com .example.com /example.com _example.com", 51, 0);
        check("http://localhost http://192.168.0.1/ ftp:/x", 43, 0);
        check("http://example http://.com http://a_b.com https://-a.com", 56, 0);
        check("example.comx example.com-x example.com@x", 40, 0);
        check("http://xn--日.рф", 16, 0);
    }

    #[test]
    fn a_domain_without_protocol_is_a_link_where_it_is_latin() {
        check("日本example.com日本", 31, 1);
        check("a.com日b.com/x", 48, 2);
        check("例え.jp", 7, 0);
        check("a.com。b.com", 48, 2);
        check("http://a_b.example.com a_b.example.com", 49, 2);
        check("example.com/x日本", 27, 1);
        // After a link that ends in the middle of what was read as one, the rest is counted.
        check("t.cox日t.co/x", 29, 1);
        check("a.in🤼‍♂️.한국/", 36, 1);
        check("example.com日本.한국/x", 30, 1);
    }

    #[test]
    fn a_short_link_ends_with_its_code() {
        check("https://t.co/abc123/def", 27, 1);
        check("https://t.co/abc?x=1/", 23, 1);
        check("http://t.co/", 23, 1);
        check(&format!("https://t.co/{}", "a".repeat(40)), 23, 1);
        check(&format!("https://t.co/{}", "a".repeat(41)), 54, 0);
    }

    #[test]
    fn a_link_can_be_too_long() {
        check(&format!("https://a.com/{}", "x".repeat(4_096 - 22)), 23, 1);
        check(&format!("https://a.com/{}", "x".repeat(4_096 - 21)), 4_089, 0);
        check(&format!("a.com/{}", "x".repeat(4_096 - 14)), 23, 1);
        check(&format!("a.com/{}", "x".repeat(4_096 - 13)), 4_089, 0);
        check(&format!("{}.com", "a".repeat(63)), 23, 1);
        check(&format!("{}.com", "a".repeat(64)), 68, 0);
        check(&format!("http://{}.com", "猫".repeat(50)), 23, 1);
        check(&format!("http://{}.com", "猫".repeat(61)), 133, 0);
    }

    /// The lengths that RFC 3492 gives, section 7.1 (A, B, I and L).
    #[test]
    fn punycode_is_as_long_as_the_standard_says() {
        for (text, coded) in [
            ("ليهمابتكلموشعربي؟", "egbpdaj6bu4bxfgehfvwxn"),
            ("他们为什么不说中文", "ihqwcrb4cv8a8dqg056pqjye"),
            ("почемужеонинеговорятпорусски", "b1abfaaepdrnnbgefbadotcwatmq2g4l"),
            ("3年B組金八先生", "3B-ww4c5e180e575a65lsy2b"),
        ] {
            let characters: Vec<u32> = text.chars().map(u32::from).collect();
            assert_eq!(punycode_length(&characters), coded.len(), "{text}");
        }
    }

    #[test]
    fn the_tables_are_in_order() {
        let names: Vec<&str> = include_str!("x_text/tlds.txt").lines().collect();
        assert!(names.is_sorted_by(|a, b| a < b));
        assert_eq!(names.iter().map(|name| name.encode_utf16().count()).max(), Some(18));
        for set in [emoji::WITH_VARIATION, emoji::WITH_SKIN, emoji::WITH_GENDER] {
            assert!(set.0.is_sorted_by(|a, b| a < b) && set.0.len().is_multiple_of(2));
        }
    }

    /// The scalars of a YAML file, each with the keys that lead to it.
    fn scalars(yaml: &str) -> Vec<(String, String)> {
        enum Level {
            Mapping(Option<String>),
            Sequence,
        }
        let (mut scalars, mut levels) = (Vec::new(), Vec::new());
        for event in Parser::new_from_str(yaml) {
            match (event.unwrap().0, levels.last_mut()) {
                (Event::MappingStart(..), _) => levels.push(Level::Mapping(None)),
                (Event::SequenceStart(..), _) => levels.push(Level::Sequence),
                (Event::MappingEnd | Event::SequenceEnd, _) => {
                    levels.pop();
                    if let Some(Level::Mapping(key)) = levels.last_mut() {
                        *key = None;
                    }
                }
                (Event::Scalar(text, ..), Some(Level::Mapping(key @ None))) => {
                    *key = Some(text.into_owned());
                }
                (Event::Scalar(text, ..), _) => {
                    let keys = levels.iter().filter_map(|level| match level {
                        Level::Mapping(key) => key.as_deref(),
                        Level::Sequence => None,
                    });
                    scalars.push((keys.collect::<Vec<_>>().join("/"), text.into_owned()));
                    if let Some(Level::Mapping(key)) = levels.last_mut() {
                        *key = None;
                    }
                }
                _ => {}
            }
        }
        scalars
    }

    /// The weighted cases of twitter-text's conformance tests (github.com/twitter/twitter-text, `conformance/validate.yml`,
    /// Apache-2.0, read 2026-11).
    #[test]
    fn the_conformance_cases_are_counted_as_expected() {
        const YAML: &str =
            include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/twitter-text/validate.yml"));
        // Their section is for configuration v2, which takes no emoji for one. This is what the library counts with v3.
        const OF_V2: [(&str, usize); 2] = [
            ("Count a mix of single byte single word, and double word unicode characters", 7),
            (
                "Count unicode emoji chars outside the basic multilingual plane with skin tone modifiers",
                4,
            ),
        ];
        let (mut cases, mut wrong) = ([0; 3], String::new());
        let (mut description, mut text) = (String::new(), String::new());
        for (key, value) in scalars(YAML) {
            let (section, key) = key.strip_prefix("tests/").unwrap().split_once('/').unwrap();
            match key {
                "description" => description = value,
                "text" => text = value,
                "expected/weightedLength" => {
                    let of_v2 = OF_V2.iter().find(|(name, _)| {
                        section == "WeightedTweetsCounterTest" && *name == description
                    });
                    let expected = of_v2.map_or_else(|| value.parse().unwrap(), |(_, v3)| *v3);
                    let length = measure(&text).length;
                    if length != expected {
                        writeln!(wrong, "{description}: {length}, not {expected}").unwrap();
                    }
                    let sections = [
                        "WeightedTweetsCounterTest",
                        "WeightedTweetsWithDiscountedEmojiCounterTest",
                        "UnicodeDirectionalMarkerCounterTest",
                    ];
                    cases[sections.iter().position(|name| *name == section).unwrap()] += 1;
                }
                _ => {}
            }
        }
        assert_eq!(wrong, "");
        assert_eq!(cases, [20, 22, 2]);
    }

    /// What a text may weigh. X counts the composed form, and a few characters are two in it (U+1D15E, a half note).
    fn at_most(text: &str, measured: Measured) -> usize {
        let composed = ComposingNormalizerBorrowed::new_nfc().normalize(text);
        2 * composed.chars().count() + 23 * measured.links
    }

    #[test]
    fn a_character_counts_as_what_it_is_composed_of() {
        assert_eq!(measure("\u{1d15e}"), Measured { length: 4, links: 0 });
    }

    /// If the time grew with the square of the length, this would take a minute.
    #[test]
    fn a_hostile_text_takes_no_longer_than_another() {
        for part in [
            "a.",
            "a_",
            "a_.",
            "_.",
            "a.a_",
            "日.",
            "a.com",
            "a.com,",
            "a.co/(",
            "a.co/(a(",
            "a.co/(((",
            "a.co?!",
            "a.co/,(a)",
            "http://",
            "http://a",
            "http://a.",
            "xn--a.",
            "a.xn--",
            "日.xn--a",
            "https://t.co/a?",
            "e\u{301}",
            "\u{301}",
            "\u{315}\u{300}",
            "👨\u{200d}",
            "🇩",
            "1\u{fe0f}",
            "(",
            "?",
            "a.嘉里大酒店",
            "。",
            "a。",
            "\u{1100}\u{1161}\u{11a8}",
        ] {
            let text = part.repeat(50_000 / part.len());
            let measured = measure(&text);
            assert!(measured.length <= at_most(&text, measured), "{part}");
            measure(&format!("https://{text}.com"));
        }
    }

    proptest! {
        #[test]
        fn any_text_has_a_length(text in any::<String>()) {
            let measured = measure(&text);
            prop_assert!(measured.length <= at_most(&text, measured));
            prop_assert!(measured.links <= text.matches('.').count());
        }

        #[test]
        fn a_text_of_what_links_and_emoji_are_made_of_has_a_length(
            parts in prop::collection::vec(prop::sample::select(PARTS), 0..40),
        ) {
            let text = parts.concat();
            let measured = measure(&text);
            prop_assert!(measured.length <= at_most(&text, measured));
        }

        #[test]
        fn ascii_without_a_link_has_its_own_length(text in "[ -~\n]{0,300}") {
            let measured = measure(&text);
            if measured.links == 0 {
                prop_assert_eq!(measured.length, text.len());
            }
        }

        #[test]
        fn lines_without_a_link_add_up(one in any::<String>(), other in "[^.]{0,100}") {
            let one = one.replace('.', "");
            let both = measure(&format!("{one}\n{other}"));
            let sum = measure(&one).length + 1 + measure(&other).length;
            prop_assert_eq!(both, Measured { length: sum, links: 0 });
        }
    }

    const PARTS: &[&str] = &[
        "http://", "https://", "a", "com", "co.uk", ".", ".", ".", "/", "?", "=", "-", "_", "@",
        "#", "$", ":", "80", "(", ")", ",", " ", "xn--", "é", "ж", "日", "рф", "t.co/", "。",
        "\u{301}", "\u{200d}", "\u{fe0f}", "👩", "👨", "❤", "🏽", "♀", "🏳", "🌈", "🇩", "🇪", "1",
        "\u{20e3}", "🏋", "⚕", "\u{202e}", "\u{feff}",
    ];
}
