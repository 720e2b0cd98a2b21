//! A text of posts, with a line of three hyphens between two.

use jiff::tz::TimeZone;

use super::{tell_time, with_line_feeds};
use crate::{
    Corpus, CorpusProblem, Cursor, Item, Mark, foreign::says_nothing, rhythm::parse_moment,
};

/// Whether a line stands between two posts of a text.
pub(super) fn is_between(line: &str) -> bool {
    let line = line.trim();
    3 <= line.len() && line.bytes().all(|byte| byte == b'-')
}

/// The posts of a text, between lines of three hyphens. What is blank between two is none.
pub(super) fn read<'a>(
    text: &'a str,
    zone: &TimeZone,
    problems: &mut Vec<CorpusProblem>,
) -> Vec<Item<'a>> {
    let mut items = Vec::new();
    // Where the post begins, in lines and in bytes.
    let mut begin: Option<(usize, usize)> = None;
    let mut at = 0;
    for (number, line) in (1..).zip(text.split_inclusive('\n').chain(["---"])) {
        let start = at;
        at += line.len();
        if !is_between(line) {
            if begin.is_none() && !says_nothing(line) {
                begin = Some((number, start));
            }
            continue;
        }
        let Some((number, from)) = begin.take() else { continue };
        let whole = text.get(from..start.min(text.len())).unwrap_or_default();
        let first = whole.lines().next().unwrap_or_default();
        let (said, own) = match first.trim().split_once(':') {
            Some((name, own)) if name.eq_ignore_ascii_case("at") => {
                // From the end of that line on, so that lines are counted as they stand in the file.
                let rest = whole.get(first.len()..).unwrap_or_default();
                (rest, tell_time(own, zone, number, problems))
            }
            _ => (whole, None),
        };
        items.push(Item { number, text: with_line_feeds(said), mark: Mark::at(own) });
    }
    items
}

/// Lines of the posts of a text that somebody may have meant for more than words: the number of each and what it looks like.
pub(super) fn doubts(text: &Corpus) -> Vec<(usize, String)> {
    let times = (0..).map(|index| text.marks().of(Cursor::at(index)).at);
    let mut doubts = Vec::new();
    for ((number, said), own) in text.lines().zip(times) {
        // The line of its time is none of what it says.
        let first = number + usize::from(own.is_some());
        let mut may_begin = own.is_none();
        for (number, line) in (first..).zip(said.lines()) {
            if may_begin && looks_like_a_time(line) {
                let why = format!(
                    "`{}` looks like a time, and is posted as text; write `at: 2026-12-01 09:00` as the first line of a post",
                    line.trim()
                );
                doubts.push((number, why));
            } else if looks_like_a_line_between(line) {
                let why = format!(
                    "`{}` looks like a line between two posts, and is posted as text; write three hyphens: `---`",
                    line.trim()
                );
                doubts.push((number, why));
            }
            may_begin = looks_like_a_line_between(line);
        }
    }
    doubts
}

/// Whether it is a date and a time, with or without a word before it.
pub(super) fn looks_like_a_time(line: &str) -> bool {
    let is_sign =
        |c: char| c.is_whitespace() || matches!(c, ':' | '：' | '=' | '-' | '@' | '#' | '*' | '[');
    let line = line.trim().trim_end_matches([']', ':', '*']);
    let word = line.trim_start_matches(is_sign);
    let word_ends = word.find(|c: char| !c.is_alphabetic()).unwrap_or(word.len());
    let (word, rest) = word.split_at(word_ends);
    let is_known = ["", "at", "on", "time", "date", "when", "post", "schedule", "scheduled"];
    is_known.iter().any(|known| known.eq_ignore_ascii_case(word))
        && parse_moment(rest.trim_start_matches(is_sign), &TimeZone::UTC).is_some()
}

/// Whether it is made of what people or their programs write for hyphens, or of signs that divide texts elsewhere.
pub(super) fn looks_like_a_line_between(line: &str) -> bool {
    let line: String = line.chars().filter(|c| !c.is_whitespace()).collect();
    let all = |signs: &[char]| !line.is_empty() && line.chars().all(|c| signs.contains(&c));
    let dashes =
        ['-', '\u{2010}', '\u{2011}', '\u{2012}', '\u{2013}', '\u{2014}', '\u{2015}', '\u{2212}'];
    let has_dash = line.chars().any(|c| c != '-');
    (all(&dashes) && (has_dash || 2 <= line.len()))
        || ["*", "_", "=", "~", "+"]
            .iter()
            .any(|sign| 3 <= line.len() && line.replace(sign, "").is_empty())
}
