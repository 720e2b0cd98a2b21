//! Lists that may be long: a screen at a time, with buttons and the words to type for what comes before and after.

use flock_slack::{Button, Reply, fitted, shortened};

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
const ABOVE: usize = 400;

/// A list.
pub(crate) struct List {
    /// The command, without the number of a page.
    command: String,
    /// Which page is asked for, from 1 on.
    page: usize,
    /// What is on the buttons for the pages before and after.
    labels: [&'static str; 2],
    /// What is said above every page.
    above: Vec<String>,
}

/// A part of a list that is read newest first, and whether it goes on: to count the whole would be to read it.
pub(crate) struct Newest {
    /// The lines of the page.
    pub(crate) lines: Vec<String>,
    /// Whether there are older ones.
    pub(crate) goes_on: bool,
}

impl Newest {
    /// The page with the number `page` of `items`, the newest there are, of which more than that page are known where there are
    /// more.
    pub(crate) fn of<T>(items: &[T], page: usize, line: impl Fn(&T) -> String) -> Self {
        let before = LINES.saturating_mul(page - 1);
        let lines = items.iter().skip(before).take(LINES).map(line).collect();
        Self { lines, goes_on: before.saturating_add(LINES) < items.len() }
    }
}

impl List {
    /// What `command` lists, at its page with the number `page`.
    pub(crate) fn new(command: impl Into<String>, page: usize) -> Self {
        let (command, above) = (command.into(), Vec::new());
        Self { command, page, labels: ["Back", "More"], above }
    }

    /// Says this above every page.
    pub(crate) fn above(mut self, lines: impl IntoIterator<Item = String>) -> Self {
        self.above.extend(lines.into_iter().map(|line| shortened(&line, ABOVE)));
        self
    }

    /// The page of a list that is there as a whole.
    pub(crate) fn of<T>(mut self, items: &[T], line: impl Fn(&T) -> String) -> Step {
        let last = items.len().div_ceil(LINES).max(1);
        if last < self.page {
            let pages = if last == 1 { "one page" } else { &format!("{last} pages") };
            self.above
                .insert(0, format!("There is no page {}: it is {pages} now. The last:", self.page));
            self.page = last;
        }
        let page = items.chunks(LINES).nth(self.page - 1).unwrap_or_default();
        let (lines, goes_on) = (page.iter().map(line).collect(), self.page < last);
        self.show(lines, Some(items.len()), goes_on)
    }

    /// The page of a list of which no more is known than that page, newest first.
    pub(crate) fn newest(mut self, newest: Newest) -> Step {
        self.labels = ["Newer", "Older"];
        self.show(newest.lines, None, newest.goes_on)
    }

    fn show(self, lines: Vec<String>, all: Option<usize>, goes_on: bool) -> Step {
        let Self { command, page, labels: [before, after], above } = self;
        let (first, last) = ((page - 1) * LINES + 1, (page - 1) * LINES + lines.len());
        let mut said = above;
        if lines.is_empty() {
            said.push(match page {
                1 => "There is nothing to show.".to_owned(),
                _ => format!("There is no page {page}: nothing is so old."),
            });
        }
        let nothing = lines.is_empty();
        said.extend(fitted(lines));
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
            let ask = |page| format!("`/flock {}`", code(&at(page)));
            let ask = match (1 < page, goes_on) {
                (_, true) => format!("{}: {}", after, ask(page + 1)),
                (true, false) => format!("{}: {}", before, ask(page - 1)),
                (false, false) => String::new(),
            };
            said.push(if nothing { ask } else { format!("{first}-{last}{of}. {ask}") });
        }
        reply.text = said.join("\n");
        Step::Done(reply)
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
