//! Shows what a command says: to a terminal in tables and colours, page by page where it is long; to a program in whole lines.

use std::io::{self, Write as _};

use anstream::adapter::strip_str;
use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressStyle};

use crate::{
    cli::Look,
    pager,
    table::{Table, columns, wrapped},
    terminal::{GOOD, Paint, Window, harmless},
};

/// What a command has to say.
#[derive(Debug, Default)]
pub(crate) struct Said {
    /// What was asked for, on standard output.
    pub(crate) what: What,
    /// What has been done, behind that.
    pub(crate) done: Option<String>,
    /// What people should know besides, on standard error: a program may read the other.
    pub(crate) notes: Vec<String>,
}

/// What was asked for.
#[derive(Debug)]
pub(crate) enum What {
    /// Lines that are told as they are. What others wrote may be in them.
    Lines(Vec<String>),
    /// Names and values, which a terminal shows in lines of its width and a program reads whole.
    Rows(Vec<String>),
    /// Lines that are as the terminal shows them.
    Shown(Vec<String>),
}

impl Default for What {
    fn default() -> Self {
        Self::Lines(Vec::new())
    }
}

impl From<Vec<String>> for Said {
    fn from(lines: Vec<String>) -> Self {
        Self { what: What::Lines(lines), ..Self::default() }
    }
}

impl From<String> for Said {
    fn from(text: String) -> Self {
        vec![text].into()
    }
}

/// Where things are shown, and how people want them.
#[derive(Debug)]
pub(crate) struct Screen {
    /// That of the terminal; none where there is none.
    pub(crate) window: Option<Window>,
    pub(crate) paint: Paint,
    pub(crate) is_quiet: bool,
    has_pager: bool,
}

impl Screen {
    /// The screen of this process.
    pub(crate) fn new(look: &Look) -> Self {
        Self {
            window: Window::stdout(),
            paint: Paint::stdout(),
            is_quiet: look.quiet,
            has_pager: !look.no_pager,
        }
    }

    /// A list: a table for a terminal, whole lines for a program. What others wrote is harmless in both.
    pub(crate) fn list(
        &self,
        table: impl FnOnce() -> Table,
        lines: impl FnOnce(Paint) -> Vec<String>,
    ) -> What {
        What::Shown(match self.window {
            Some(window) => table().lines(window.columns, self.paint),
            None => lines(self.paint),
        })
    }

    /// How far something is, drawn on the terminal alone; whoever has it clears it at the end.
    pub(crate) fn progress(&self) -> ProgressBar {
        let bar = if self.is_quiet { ProgressBar::hidden() } else { ProgressBar::no_length() };
        bar.with_style(
            ProgressStyle::with_template("{msg} {bar:40} {pos}/{len}")
                .expect("the template is well-formed"),
        )
    }

    /// Shows something, page by page where it is longer than the screen.
    pub(crate) fn page(&self, said: Said) -> anyhow::Result<()> {
        self.show(said, self.has_pager)
    }

    /// Shows what came of something that was done.
    pub(crate) fn say(&self, said: Said) -> anyhow::Result<()> {
        self.show(said, false)
    }

    fn show(&self, Said { what, done, notes }: Said, in_pages: bool) -> anyhow::Result<()> {
        let mut lines = self.lines(what);
        if let Some(done) = done.filter(|_| !self.is_quiet) {
            let mut parts = done.split('\n');
            lines.extend(parts.next().map(|first| self.paint.on(GOOD, &harmless(first))));
            lines.extend(parts.map(|part| self.paint.commands(&harmless(part))));
        }
        self.write(&lines, in_pages)
            .context("what was asked for is done, but it cannot be shown")?;
        let paint = Paint::stderr();
        for note in notes.iter().filter(|_| !self.is_quiet) {
            writeln!(io::stderr(), "{}", paint.commands(&harmless(note)))?;
        }
        Ok(())
    }

    fn lines(&self, what: What) -> Vec<String> {
        match what {
            What::Rows(rows) => {
                let width = self.window.map_or(usize::MAX, |window| window.columns);
                let rows = rows.iter().map(|row| harmless(row));
                rows.flat_map(|row| wrapped(&row, width, self.paint)).collect()
            }
            What::Lines(lines) => {
                lines.iter().map(|line| self.paint.signs(&harmless(line))).collect()
            }
            What::Shown(lines) => lines,
        }
    }

    fn write(&self, lines: &[String], in_pages: bool) -> io::Result<()> {
        if lines.is_empty() {
            return Ok(());
        }
        let text = format!("{}\n", lines.join("\n"));
        let is_long = self.window.is_some_and(|window| window.is_filled_by(&text));
        if in_pages && is_long && pager::show(&text)? {
            return Ok(());
        }
        io::stdout().write_all(text.as_bytes())
    }
}

impl Window {
    /// Whether the text leaves no room for what is typed next.
    fn is_filled_by(self, text: &str) -> bool {
        let needed = text
            .lines()
            .map(|line| columns(&strip_str(line).to_string()).div_ceil(self.columns).max(1));
        let mut rows = 0;
        needed.into_iter().any(|needed| {
            rows += needed;
            self.rows <= rows
        })
    }
}
