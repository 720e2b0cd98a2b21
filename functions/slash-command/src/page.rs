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
}

impl List {
    /// What `command` lists, at its page with the number `page`.
    pub(crate) fn new(command: impl Into<String>, page: usize) -> Self {
        let (command, above) = (command.into(), Vec::new());
        Self { command, page, labels: ["Back", "More"], size: LINES, above }
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

    /// The page of a list that is there as a whole.
    pub(crate) fn of<T>(mut self, items: &[T], line: impl Fn(&T) -> String) -> Step {
        let last = items.len().div_ceil(self.size).max(1);
        if last < self.page {
            let pages = if last == 1 { "one page" } else { &format!("{last} pages") };
            self.above
                .insert(0, format!("There is no page {}: it is {pages} now. The last:", self.page));
            self.page = last;
        }
        let page = items.chunks(self.size).nth(self.page - 1).unwrap_or_default();
        let lines: Vec<_> = page.iter().map(line).collect();
        let goes_on = self.page < last;
        self.show(&lines, Some(items.len()), goes_on)
    }

    /// The page of a list of which `items` are the newest, one more than that page ends with where there are more: to count the
    /// whole would be to read it.
    pub(crate) fn newest<T>(mut self, items: &[T], line: impl Fn(&T) -> String) -> Step {
        self.labels = ["Newer", "Older"];
        let before = self.size.saturating_mul(self.page - 1);
        let lines: Vec<_> = items.iter().skip(before).take(self.size).map(line).collect();
        let goes_on = before.saturating_add(self.size) < items.len();
        self.show(&lines, None, goes_on)
    }

    fn show(self, lines: &[String], all: Option<usize>, goes_on: bool) -> Step {
        let Self { command, page, labels: [before, after], size, above } = self;
        let (first, last) = ((page - 1) * size + 1, (page - 1) * size + lines.len());
        let mut said = above;
        if lines.is_empty() {
            said.push(match page {
                1 => "There is nothing to show.".to_owned(),
                _ => format!("There is no page {page}: the list ends before."),
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
