//! Tables as wide as a terminal, and text in lines of that width. Columns are counted as terminals do: a letter of Chinese or an
//! emoji takes two.

use anstyle::Style;
use flock_core::one_line;
use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::UnicodeWidthStr;

use crate::terminal::{FAINT, HEAD, Paint};

/// Between two columns.
const GAP: usize = 2;

/// Less room than that for a long text, and it has a line of its own.
const NARROW: usize = 20;

/// A column: what is above it, and whether what is in it is text that may be cut. Names never are.
#[derive(Debug)]
pub(crate) struct Column {
    pub(crate) head: String,
    pub(crate) is_long: bool,
}

/// What is in a row of a column.
#[derive(Debug)]
pub(crate) struct Cell {
    text: String,
    style: Style,
}

/// Rows of cells, and what is said above them.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) about: Option<String>,
    pub(crate) columns: Vec<Column>,
    pub(crate) rows: Vec<Vec<Cell>>,
}

/// A column of names, numbers or times.
pub(crate) fn whole(head: &str) -> Column {
    Column { head: head.to_owned(), is_long: false }
}

/// A column of what people or networks wrote.
pub(crate) fn long(head: &str) -> Column {
    Column { head: head.to_owned(), is_long: true }
}

/// A cell of one line.
pub(crate) fn cell(text: &str, style: Style) -> Cell {
    Cell { text: one_line(text), style }
}

impl Table {
    /// The lines for a terminal of so many columns. Where that is too narrow for columns, a row has several lines.
    pub(crate) fn lines(mut self, width: usize, paint: Paint) -> Vec<String> {
        self.drop_empty();
        let mut lines: Vec<_> = self.about.iter().map(|about| paint.on(FAINT, about)).collect();
        match self.widths(width) {
            Some(widths) => {
                let heads = self.columns.iter().map(|column| cell(&column.head, HEAD));
                let heads: Vec<_> = heads.collect();
                let rows = std::iter::once(&heads).chain(&self.rows);
                lines.extend(rows.map(|row| in_columns(row, &widths, paint)));
            }
            None => lines.extend(self.rows.iter().flat_map(|row| self.stacked(row, width, paint))),
        }
        lines
    }

    /// Whether all columns have room side by side.
    pub(crate) fn fits(&self, width: usize) -> bool {
        let widths = self.natural();
        widths.iter().sum::<usize>() + gaps(&widths) <= width
    }

    /// A column in which nothing is said is left out.
    fn drop_empty(&mut self) {
        for place in (0..self.columns.len()).rev() {
            if self.rows.iter().all(|row| row.get(place).is_none_or(|cell| cell.text.is_empty())) {
                self.columns.remove(place);
                for row in self.rows.iter_mut().filter(|row| place < row.len()) {
                    row.remove(place);
                }
            }
        }
    }

    /// How wide the columns are that cut nothing.
    fn natural(&self) -> Vec<usize> {
        let widths = self.columns.iter().enumerate().map(|(place, column)| {
            let cells = self.rows.iter().filter_map(|row| row.get(place));
            cells.map(|cell| columns(&cell.text)).chain([columns(&column.head)]).max()
        });
        widths.map(Option::unwrap_or_default).collect()
    }

    /// How wide the columns are side by side; none where the texts have no room there.
    fn widths(&self, width: usize) -> Option<Vec<usize>> {
        let mut widths = self.natural();
        let gaps = gaps(&widths);
        let pairs = widths.iter_mut().zip(&self.columns);
        let (mut texts, names): (Vec<_>, Vec<_>) = pairs.partition(|(_, column)| column.is_long);
        if texts.is_empty() {
            return Some(widths);
        }
        let names: usize = names.iter().map(|(width, _)| **width).sum();
        let mut room = width.checked_sub(gaps + names)?;
        // Short ones first: what they do not need the others have.
        texts.sort_by_key(|(width, _)| **width);
        let mut left = texts.len();
        for (width, _) in texts {
            let share = room / left;
            if share < *width && share < NARROW {
                return None;
            }
            *width = share.min(*width);
            room -= *width;
            left -= 1;
        }
        Some(widths)
    }

    /// A row in several lines: the names, as many to a line as it holds, and then each text.
    fn stacked(&self, row: &[Cell], width: usize, paint: Paint) -> Vec<String> {
        let (mut lines, mut used) = (vec![String::new()], 0);
        let (mut texts, indent) = (Vec::new(), " ".repeat(GAP));
        for (cell, column) in
            row.iter().zip(&self.columns).filter(|(cell, _)| !cell.text.is_empty())
        {
            if column.is_long {
                let text = cut(&cell.text, width.saturating_sub(GAP));
                texts.push(format!("{indent}{}", paint.on(cell.style, &text)));
                continue;
            }
            if 0 < used && width < used + GAP + columns(&cell.text) {
                lines.push(String::new());
                used = 0;
            }
            let is_first = lines.len() == 1 && used == 0;
            if let (Some(line), false) = (lines.last_mut(), is_first) {
                *line += &indent;
                used += GAP;
            }
            if let Some(line) = lines.last_mut() {
                *line += &paint.on(cell.style, &cell.text);
                used += columns(&cell.text);
            }
        }
        lines.extend(texts);
        lines
    }
}

fn gaps(widths: &[usize]) -> usize {
    GAP * widths.len().saturating_sub(1)
}

fn in_columns(row: &[Cell], widths: &[usize], paint: Paint) -> String {
    let mut line = String::new();
    let mut missing = 0;
    for (Cell { text, style }, width) in row.iter().zip(widths) {
        let text = cut(text, *width);
        line += &" ".repeat(if text.is_empty() { 0 } else { missing });
        if text.is_empty() {
            missing += width + GAP;
        } else {
            line += &paint.on(*style, &text);
            missing = width.saturating_sub(columns(&text)) + GAP;
        }
    }
    line
}

/// How many columns a terminal needs for the text.
pub(crate) fn columns(text: &str) -> usize {
    text.graphemes(true).map(UnicodeWidthStr::width).sum()
}

/// The text, or as much of it as so many columns hold, between two of its signs.
pub(crate) fn cut(text: &str, width: usize) -> String {
    if columns(text) <= width {
        return text.to_owned();
    }
    let mut room = width.saturating_sub(1);
    let fits = |cluster: &&str| {
        let rest = room.checked_sub(cluster.width());
        room = rest.unwrap_or_default();
        rest.is_some()
    };
    let begin: String = text.graphemes(true).take_while(fits).collect();
    format!("{}…", begin.trim_end())
}

/// Lines of names and values for a terminal of so many columns: what of a value has no room goes on below its beginning. A
/// command in backticks stays in one piece.
pub(crate) fn wrapped(text: &str, width: usize, paint: Paint) -> Vec<String> {
    text.split('\n').flat_map(|line| wrap(line, width, paint)).collect()
}

fn wrap(line: &str, width: usize, paint: Paint) -> Vec<String> {
    let blanks = |number: usize| " ".repeat(number);
    let words = line.trim_start_matches(' ');
    let indent = line.len() - words.len();
    // The value begins behind the first gap.
    let (name, value) = words.split_once("  ").unwrap_or(("", words));
    let value = value.trim_start_matches(' ');
    let at = columns(line) - columns(value);
    let head = format!("{}{}", blanks(indent), paint.on(HEAD, name));
    let gap = &words[name.len()..words.len() - value.len()];
    if columns(line) <= width {
        return vec![format!("{head}{gap}{value}")];
    }
    // What would have too little room beside its name goes on below that.
    let (begin, mut used, hang) = if 2 * at <= width {
        (head + gap, at, at)
    } else if name.is_empty() {
        (blanks(2 * GAP), 2 * GAP, 2 * GAP)
    } else {
        (head, indent + columns(name), indent + GAP)
    };
    let mut lines = vec![begin];
    for word in pieces(value) {
        let needed = columns(word);
        if hang < used && width < used + 1 + needed {
            lines.push(" ".repeat(hang));
            used = hang;
        }
        if let Some(line) = lines.last_mut() {
            if hang < used {
                line.push(' ');
                used += 1;
            }
            *line += word;
            used += needed;
        }
    }
    lines
}

/// The words of a text; what is in backticks is one.
fn pieces(text: &str) -> Vec<&str> {
    let mut is_code = false;
    let ends = |c: char| {
        is_code ^= c == '`';
        c == ' ' && !is_code
    };
    text.split(ends).filter(|word| !word.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::terminal::PLAIN;

    #[track_caller]
    fn check_cut(text: &str, width: usize, expected: &str) {
        assert_eq!(cut(text, width), expected, "{text:?} in {width}");
    }

    #[test]
    fn a_text_is_cut_between_its_signs() {
        check_cut("four", 4, "four");
        check_cut("fours", 4, "fou…");
        check_cut("one two", 5, "one…");
        check_cut("猫猫猫", 6, "猫猫猫");
        check_cut("猫猫猫", 5, "猫猫…");
        check_cut("猫猫猫", 4, "猫…");
        // A family of three, and an e with an accent of its own.
        check_cut("👨‍👩‍👧👨‍👩‍👧", 4, "👨‍👩‍👧👨‍👩‍👧");
        check_cut("👨‍👩‍👧👨‍👩‍👧", 3, "👨‍👩‍👧…");
        check_cut("e\u{301}e\u{301}e\u{301}", 2, "e\u{301}…");
        check_cut("any", 1, "…");
        check_cut("", 0, "");
    }

    fn shown(rows: &[[&str; 3]], width: usize) -> String {
        let row = |row: &[&str; 3]| row.iter().map(|text| cell(text, PLAIN)).collect();
        let table = Table {
            about: None,
            columns: vec![whole("NAME"), whole("STATE"), long("TEXT")],
            rows: rows.iter().map(row).collect(),
        };
        table.lines(width, Paint::NONE).join("\n")
    }

    #[test]
    fn a_table_is_as_wide_as_the_terminal() {
        let rows = [
            ["choir/alto", "", "Of Man's first disobedience, and the fruit"],
            ["choir/bass", "unknown", "猫猫猫猫猫猫猫猫猫猫猫猫猫猫猫猫猫猫"],
            ["a/b", "", "short\u{1b}[31m\nand two lines"],
        ];
        insta::assert_snapshot!(shown(&rows, 100), @r"
        NAME        STATE    TEXT
        choir/alto           Of Man's first disobedience, and the fruit
        choir/bass  unknown  猫猫猫猫猫猫猫猫猫猫猫猫猫猫猫猫猫猫
        a/b                  short\u{1b}[31m\nand two lines
        ");
        insta::assert_snapshot!(shown(&rows, 44), @r"
        NAME        STATE    TEXT
        choir/alto           Of Man's first disobed…
        choir/bass  unknown  猫猫猫猫猫猫猫猫猫猫猫…
        a/b                  short\u{1b}[31m\nand t…
        ");
        insta::assert_snapshot!(shown(&rows, 40), @r"
        choir/alto
          Of Man's first disobedience, and the…
        choir/bass  unknown
          猫猫猫猫猫猫猫猫猫猫猫猫猫猫猫猫猫猫
        a/b
          short\u{1b}[31m\nand two lines
        ");
        insta::assert_snapshot!(shown(&rows, 12), @r"
        choir/alto
          Of Man's…
        choir/bass
          unknown
          猫猫猫猫…
        a/b
          short\u{1…
        ");
        insta::assert_snapshot!(shown(&rows[..1], 44), @"
        NAME        TEXT
        choir/alto  Of Man's first disobedience, an…
        ");
    }

    #[test]
    fn a_value_goes_on_below_its_beginning() {
        let text = "cap       $25.00 is not reached in 2026-11\nlinks     see `flockwork networks x` for more\n\nalone in its line";
        let check = |width: usize| wrapped(text, width, Paint::NONE).join("\n");
        insta::assert_snapshot!(check(80), @"
        cap       $25.00 is not reached in 2026-11
        links     see `flockwork networks x` for more

        alone in its line
        ");
        insta::assert_snapshot!(check(30), @"
        cap       $25.00 is not
                  reached in 2026-11
        links     see
                  `flockwork networks x`
                  for more

        alone in its line
        ");
        insta::assert_snapshot!(check(14), @"
        cap $25.00 is
          not reached
          in 2026-11
        links see
          `flockwork networks x`
          for more

        alone in its
        line
        ");
    }

    proptest! {
        #[test]
        fn no_line_is_wider_than_the_terminal_and_no_name_is_cut(
            rows in prop::collection::vec(("[a-z]{1,12}/[a-z]{1,8}", "(猫|[a-z]|é|👨‍👩‍👧| |\u{301}|\u{1b}){0,60}"), 1..6),
            width in 24_usize..120,
        ) {
            let table = rows.iter().map(|(name, text)| [name.as_str(), "state", text.as_str()]);
            let said = shown(&table.collect::<Vec<_>>(), width);
            for line in said.lines() {
                prop_assert!(columns(line) <= width, "{line:?} in {width}");
                prop_assert!(!line.chars().any(char::is_control), "{line:?}");
            }
            for (name, text) in &rows {
                prop_assert!(said.contains(name.as_str()));
                let begin: String = one_line(text).graphemes(true).take(5).collect();
                prop_assert!(said.contains(begin.trim_end()), "{begin:?} in {said}");
            }
        }
    }
}
