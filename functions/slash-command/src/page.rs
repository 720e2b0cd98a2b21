//! Lists that may be long: a screen at a time, with buttons and the words to type for what comes before and after.

use flock_core::View;
use flock_slack::{Button, Line, Reply, Span, fitted, fitted_lines, shortened};

use crate::{
    call::{Call, Obstacle, Step, code, refuse},
    commands::{Parsed, parse},
};

/// Lines of a page: a screen.
pub(crate) const LINES: usize = 20;

/// The action of the button for the page before; its value is the command.
const BEFORE: &str = "page-before";

/// The action of the button for the page after.
const AFTER: &str = "page-after";

/// JSON characters of a line above a page.
const ABOVE: usize = 250;

/// A list.
pub(crate) struct List {
    /// The command, without the number of a page.
    command: String,
    /// Which page is asked for, from 1 on.
    page: usize,
    /// What is on the buttons for the pages before and after.
    labels: [&'static str; 2],
    /// Things of the list on a page.
    size: usize,
    /// What is said above every page.
    above: Vec<String>,
    /// Which zone its times are in; said where there are any.
    times: Option<String>,
}

impl List {
    /// What `command` lists, at its page with the number `page`.
    pub(crate) fn new(command: impl Into<String>, page: usize) -> Self {
        let (command, above) = (command.into(), Vec::new());
        Self { command, page, labels: ["Back", "More"], size: LINES, above, times: None }
    }

    /// Has no more than this on a page, because each takes several lines.
    pub(crate) fn a_page_of(self, size: usize) -> Self {
        Self { size, ..self }
    }

    /// Says this above every page.
    pub(crate) fn above(mut self, lines: impl IntoIterator<Item = String>) -> Self {
        self.above.extend(lines.into_iter().map(|line| shortened(&line, ABOVE)));
        self
    }

    /// Has times in its lines, which are those of this view.
    pub(crate) fn times(self, view: &View) -> Self {
        Self { times: Some(view.times()), ..self }
    }

    /// The page of a list that is there as a whole.
    pub(crate) fn of<T, R: Into<Row>>(mut self, items: &[T], row: impl Fn(&T) -> R) -> Step {
        let last = items.len().div_ceil(self.size).max(1);
        if last < self.page {
            let pages = if last == 1 { "one page" } else { &format!("{last} pages") };
            self.above
                .insert(0, format!("There is no page {}: it is {pages} now. The last:", self.page));
            self.page = last;
        }
        let page = items.chunks(self.size).nth(self.page - 1).unwrap_or_default();
        let goes_on = self.page < last;
        self.show(page.iter().map(row), Some(items.len()), goes_on)
    }

    /// The page of a list of which `items` are the newest, one more than that page ends with where there are more: to count the
    /// whole would be to read it.
    pub(crate) fn newest<T, R: Into<Row>>(mut self, items: &[T], row: impl Fn(&T) -> R) -> Step {
        self.labels = ["Newer", "Older"];
        let before = self.size.saturating_mul(self.page - 1);
        let goes_on = before.saturating_add(self.size) < items.len();
        let page = items.iter().skip(before).take(self.size);
        self.show(page.map(row), None, goes_on)
    }

    fn show<R: Into<Row>>(
        self,
        rows: impl Iterator<Item = R>,
        all: Option<usize>,
        goes_on: bool,
    ) -> Step {
        let Self { command, page, labels: [before, after], size, above, times } = self;
        let (mut marked, mut exact) = (Vec::new(), Vec::new());
        for row in rows {
            match row.into() {
                Row::Marked(line) => marked.push(line),
                Row::Exact(line) => exact.push(line),
            }
        }
        let shown = marked.len() + exact.len();
        let (first, last) = ((page - 1) * size + 1, (page - 1) * size + shown);
        let mut said = above;
        if shown == 0 {
            said.push(match page {
                1 => "There is nothing to show.".to_owned(),
                _ => format!("There is no page {page}: the list ends before."),
            });
        } else {
            said.extend(times);
        }
        said.extend(fitted(&marked));
        let mut lines = fitted_lines(&exact);
        let mut reply = Reply::only_you("");
        reply.replaces = true;
        let at = |page: usize| format!("{command} {page}");
        if 1 < page {
            reply = reply.button(Button::new(before, BEFORE, at(page - 1)));
        }
        if goes_on {
            reply = reply.button(Button::new(after, AFTER, at(page + 1)));
        }
        if 1 < page || goes_on {
            let of = all.map(|all| format!(" of {all}")).unwrap_or_default();
            let (way, page) = if goes_on { (after, page + 1) } else { (before, page - 1) };
            let place = if shown == 0 { String::new() } else { format!("{first}-{last}{of}. ") };
            let ask = vec![
                Span::Text(format!("{place}{way}: ")),
                Span::Code(format!("/flock {}", at(page))),
            ];
            if lines.is_empty() { said.push(flock_slack::marked(&ask)) } else { lines.push(ask) }
        }
        reply.text = said.join("\n");
        Step::Done(reply.lines(lines))
    }
}

/// A line of a list.
pub(crate) enum Row {
    /// In mrkdwn.
    Marked(String),
    /// With something in it that is shown to the letter.
    Exact(Line),
}

impl From<String> for Row {
    fn from(line: String) -> Self {
        Self::Marked(line)
    }
}

impl From<Line> for Row {
    fn from(line: Line) -> Self {
        Self::Exact(line)
    }
}

impl Call<'_> {
    /// The page that the argument with this number asks for, or the first.
    pub(crate) fn page(&self, number: usize) -> Result<usize, Obstacle> {
        /// Nobody reads so far, and what is listed newest first is read up to there.
        const MOST: usize = 50_000;
        let Some(text) = self.arguments.get(number) else { return Ok(1) };
        match text.parse() {
            Ok(page) if (1..=MOST).contains(&page) => Ok(page),
            _ => refuse(format!("`{}` is not the number of a page.", code(text))),
        }
    }
}

/// The command that a button stands for which turns to another page. `None`: it is not one of those. `Some(Err)`: there is
/// no list behind it.
pub(crate) fn turned_to<'a>(action: &str, value: &'a str) -> Option<Result<&'a str, String>> {
    if ![BEFORE, AFTER].contains(&action) {
        return None;
    }
    Some(match parse(value) {
        Parsed::Run(command, _) if !command.changes() => Ok(value),
        Parsed::Run(..) | Parsed::Usage(_) | Parsed::Unknown(_) => {
            Err("There is no list behind that button. Nothing was done.".to_owned())
        }
    })
}
