//! A table of posts: a row each.

use jiff::tz::TimeZone;

use super::{tell, tell_time, with_line_feeds};
use crate::{
    CorpusProblem, Item, Mark,
    foreign::{CURLY, STRAIGHT, says_nothing},
};

/// Whether a text begins as a table does.
pub(super) fn begins_a_table(text: &str) -> bool {
    let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let first = first.to_lowercase().replace(['"', ' '], "");
    let names: Vec<_> = first.split([',', ';', '\t']).collect();
    2 <= names.len() && names.contains(&"text") && names.contains(&"at")
}

/// What the columns of a table are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Column {
    Text,
    At,
}

/// The columns that the first line of a table names. `None`: something is wrong with them.
fn columns(
    header: &csv::StringRecord,
    line: usize,
    problems: &mut Vec<CorpusProblem>,
) -> Option<Vec<Column>> {
    let before = problems.len();
    let mut columns = Vec::new();
    let names: Vec<_> = header.iter().map(str::trim).collect();
    // Spreadsheets write empty columns behind the others.
    let count = names.iter().rposition(|name| !name.is_empty()).map_or(0, |last| last + 1);
    for name in names.into_iter().take(count) {
        let column = match name.to_lowercase().as_str() {
            "text" => Column::Text,
            "at" => Column::At,
            _ if is_in_curly(name) => {
                tell(problems, line, format!("the {STRAIGHT}, at `{name}`"));
                continue;
            }
            _ => {
                let why = format!(
                    "unknown column `{name}`; a queue has `text` and, for posts with times of their own, `at`"
                );
                tell(problems, line, why);
                continue;
            }
        };
        if columns.contains(&column) {
            tell(problems, line, format!("the column `{}` is there twice", name.to_lowercase()));
        }
        columns.push(column);
    }
    if !columns.contains(&Column::Text) && !header.iter().any(is_in_curly) {
        let why = "the column `text` is missing; the first line names the columns: `text` and, for posts with \
                   times of their own, `at`";
        tell(problems, line, why);
    }
    (problems.len() == before).then_some(columns)
}

/// Whether a field begins as one does that stands in quotes.
fn is_in_curly(field: &str) -> bool {
    field.trim_start().starts_with(CURLY)
}

/// Whether the double quotes of a row are where RFC 4180 has them. The reader takes any: of two that were forgotten it
/// would make one post of all the rows between.
fn is_well_quoted(row: &str, separator: char) -> bool {
    let is_end = |c: &char| *c == separator || matches!(c, '\r' | '\n');
    let mut rest = row.trim_start_matches(['\r', '\n']).chars().peekable();
    loop {
        if rest.next_if_eq(&'"').is_some() {
            // Two in a row are one in the field.
            loop {
                match rest.next() {
                    None => return false,
                    Some('"') if rest.next_if_eq(&'"').is_none() => break,
                    Some(_) => {}
                }
            }
        } else {
            while rest.next_if(|c| *c != '"' && !is_end(c)).is_some() {}
        }
        match rest.next() {
            None => return true,
            Some(c) if is_end(&c) => {}
            Some(_) => return false,
        }
    }
}

/// The posts of a table, a row each. `None`: nobody knows what its columns are.
pub(super) fn read<'a>(
    text: &'a str,
    zone: &TimeZone,
    problems: &mut Vec<CorpusProblem>,
) -> Option<Vec<Item<'a>>> {
    let header = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    // What Excel writes where the comma stands in numbers.
    if header.to_lowercase().starts_with("sep=") {
        tell(problems, 1, "`sep=` is a line of Excel's own; take it out");
        return None;
    }
    let separator = [';', '\t'].into_iter().find(|c| header.contains(*c)).unwrap_or(',');
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(u8::try_from(separator).unwrap_or(b','))
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes());
    let mut items = Vec::new();
    let mut named: Option<Vec<Column>> = None;
    let mut row = csv::StringRecord::new();
    // Up to where lines are counted, and how many end before.
    let (mut counted, mut lines) = (0, 0);
    loop {
        let position = usize::try_from(reader.position().byte()).unwrap_or(usize::MAX);
        match reader.read_record(&mut row) {
            Ok(true) => {}
            // The text is UTF-8 and in memory, and rows may be of any length: nothing can fail.
            Ok(false) | Err(_) => break,
        }
        let end = usize::try_from(reader.position().byte()).unwrap_or(usize::MAX);
        let raw = text.get(position..end).unwrap_or_default();
        // Blank lines before a row are read with it.
        let start = position + (raw.len() - raw.trim_start_matches(['\r', '\n']).len());
        let skipped = text.get(counted..start).unwrap_or_default();
        lines += skipped.bytes().filter(|byte| *byte == b'\n').count();
        counted = start;
        let line = lines + 1;
        if !is_well_quoted(raw, separator) {
            let why = "double quotes stand around a whole field, from its first character to its last; one \
                       inside is written as \"\"";
            tell(problems, line, why);
        }
        let Some(columns) = &named else {
            named = Some(columns(&row, line, problems)?);
            continue;
        };
        if row.iter().all(says_nothing) {
            continue;
        }
        if row.iter().skip(columns.len()).any(|field| !field.trim().is_empty()) {
            let why = if row.iter().any(is_in_curly) {
                format!("it has more fields than there are columns; the {STRAIGHT}")
            } else {
                format!(
                    "it has more fields than there are columns; put a text with `{separator}` in it between double \
                     quotes"
                )
            };
            tell(problems, line, why);
        }
        let others = [',', ';', '\t'].into_iter().filter(|c| *c != separator);
        if row.len() < columns.len()
            && !raw.trim_start().starts_with('"')
            && let Some(other) = others.into_iter().find(|c| raw.contains(*c))
        {
            let why = format!(
                "it has `{other}` between its fields, or none, and the first line has {separator:?}; write the same, or \
                 put the text between double quotes"
            );
            tell(problems, line, why);
        }
        let field = |column| {
            let index = columns.iter().position(|known| *known == column)?;
            row.get(index)
        };
        let own = field(Column::At).unwrap_or_default();
        let said = with_line_feeds(field(Column::Text).unwrap_or_default()).into_owned();
        let is_timed = !own.trim().is_empty();
        let at = if is_timed { tell_time(own, zone, line, problems) } else { None };
        items.push(Item { number: line, text: said.into(), mark: Mark::at(at) });
    }
    Some(items)
}
