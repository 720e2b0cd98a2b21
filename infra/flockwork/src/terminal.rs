//! What reads the command's words: whether it is a terminal, how large that is, and in which colours it shows things.

use std::{
    env,
    io::{self, IsTerminal as _},
};

use anstream::{AutoStream, ColorChoice, stream::RawStream};
use anstyle::{AnsiColor, Style};
use flock_core::one_line;
use rustix::termios::tcgetwinsize;

pub(crate) const PLAIN: Style = Style::new();
pub(crate) const HEAD: Style = Style::new().bold();
pub(crate) const FAINT: Style = Style::new().dimmed();
pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
pub(crate) const WORD: Style = AnsiColor::Yellow.on_default();
pub(crate) const BAD: Style = AnsiColor::Red.on_default();
pub(crate) const NAME: Style = AnsiColor::Cyan.on_default();

/// Where a plan has its signs: those of the flock and its sheep, and those of lines of their texts.
const SIGNS_AT: [usize; 3] = [0, 2, 11];

/// What stands before the line of a text that is posted next, as wide as what stands before the others.
const NEXT: &str = "next > ";

/// How wide a terminal is that does not say so.
const USUAL: Window = Window { columns: 80, rows: 24 };

/// Says for the whole process when colours are wanted: what was asked for, or else what suits the stream and the environment.
pub fn choose_colours(asked: clap::ColorChoice) {
    let choice = match asked {
        clap::ColorChoice::Always => ColorChoice::Always,
        clap::ColorChoice::Never => ColorChoice::Never,
        // `anstream` would have colours there in CI.
        clap::ColorChoice::Auto
            if env::var_os("TERM").is_some_and(|term| term == "dumb")
                && env::var_os("CLICOLOR_FORCE").is_none() =>
        {
            ColorChoice::Never
        }
        clap::ColorChoice::Auto => ColorChoice::Auto,
    };
    choice.write_global();
}

/// What `arguments` ask for, for what is said before they are understood: help, and what is wrong with them.
pub fn colours_asked(arguments: impl Iterator<Item = String>) -> clap::ColorChoice {
    let mut asked = clap::ColorChoice::Auto;
    let mut arguments = arguments.take_while(|argument| argument != "--");
    while let Some(argument) = arguments.next() {
        let value = match argument.strip_prefix("--color") {
            Some("") => arguments.next().unwrap_or_default(),
            Some(value) => value.strip_prefix('=').unwrap_or_default().to_owned(),
            None => continue,
        };
        asked = value.parse().unwrap_or(asked);
    }
    asked
}

/// Puts text into colours, or leaves it as it is.
#[derive(Debug, Clone, Copy)]
pub struct Paint(bool);

impl Paint {
    /// No colours.
    pub(crate) const NONE: Self = Self(false);

    /// As standard output wants it.
    pub fn stdout() -> Self {
        Self::of(&io::stdout())
    }

    /// As standard error wants it.
    pub fn stderr() -> Self {
        Self::of(&io::stderr())
    }

    fn of<S: RawStream>(stream: &S) -> Self {
        Self(AutoStream::choice(stream) != ColorChoice::Never)
    }

    pub(crate) fn on(self, style: Style, text: &str) -> String {
        if self.0 && style != PLAIN && !text.is_empty() {
            format!("{style}{text}{style:#}")
        } else {
            text.to_owned()
        }
    }

    /// Each line in the colour of the sign it begins with, if it has one.
    pub(crate) fn signs(self, text: &str) -> String {
        let lines = text.split('\n').map(|line| self.on(of_sign(line), line));
        lines.collect::<Vec<_>>().join("\n")
    }

    /// What can be typed, which stands in backticks, apart from the words around it.
    pub(crate) fn commands(self, text: &str) -> String {
        let parts: Vec<_> = text.split('`').collect();
        let last = parts.len() - 1;
        let parts = parts.into_iter().enumerate().map(|(place, part)| match place % 2 {
            0 => part.to_owned(),
            // The backtick before it has no other.
            _ if place == last => format!("`{part}"),
            _ => self.on(NAME, &format!("`{part}`")),
        });
        parts.collect()
    }

    /// An error as it is told.
    pub fn error(self, text: &str) -> String {
        format!("{} {}", self.on(BAD.bold(), "error:"), self.commands(&harmless(text)))
    }
}

fn of_sign(line: &str) -> Style {
    let rest = line.trim_start_matches(' ');
    let (indent, rest) = match rest.strip_prefix(NEXT) {
        Some(text) => (line.len() - text.len(), text),
        None => (line.len() - rest.len(), rest),
    };
    if !SIGNS_AT.contains(&indent) {
        return PLAIN;
    }
    match rest.get(..2) {
        Some("+ ") => GOOD,
        Some("- ") => BAD,
        Some("~ " | "! ") => WORD,
        Some(_) | None => PLAIN,
    }
}

/// The text in its lines, without what would command a terminal. What others wrote may be in it.
pub fn harmless(text: &str) -> String {
    let line = |line: &str| line.split('\t').map(one_line).collect::<Vec<_>>().join("\t");
    text.split('\n').map(line).collect::<Vec<_>>().join("\n")
}

/// How much a terminal shows at once.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Window {
    pub(crate) columns: usize,
    pub(crate) rows: usize,
}

impl Window {
    /// That of standard output; none where it is no terminal.
    pub(crate) fn stdout() -> Option<Self> {
        let stdout = io::stdout();
        if !stdout.is_terminal() {
            return None;
        }
        let size = tcgetwinsize(&stdout).ok();
        let said = |name: &str| {
            let size = env::var_os(name)?.to_str()?.parse().ok()?;
            (0 < size).then_some(size)
        };
        let of = |known: Option<u16>, name, usual| {
            known.filter(|size| 0 < *size).map(usize::from).or_else(|| said(name)).unwrap_or(usual)
        };
        Some(Self {
            columns: of(size.map(|size| size.ws_col), "COLUMNS", USUAL.columns),
            rows: of(size.map(|size| size.ws_row), "LINES", USUAL.rows),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_is_known_before_all_else_is() {
        let check = |arguments: &str, expected| {
            let asked = colours_asked(arguments.split(' ').map(str::to_owned));
            assert_eq!(asked, expected, "{arguments}");
        };
        check("posts", clap::ColorChoice::Auto);
        check("--color never posts", clap::ColorChoice::Never);
        check("posts --color=always", clap::ColorChoice::Always);
        check("posts --color=always --color", clap::ColorChoice::Always);
        check("posts --color=blue", clap::ColorChoice::Auto);
        check("posts --colorful=always", clap::ColorChoice::Auto);
        check("slack -- --color always", clap::ColorChoice::Auto);
    }

    #[test]
    fn what_can_be_typed_stands_out() {
        let check = |text: &str, expected: &str| {
            let shown =
                Paint(true).commands(text).replace("\u{1b}[36m", "<").replace("\u{1b}[0m", ">");
            assert_eq!(shown, expected);
            assert_eq!(Paint::NONE.commands(text), text);
        };
        check("", "");
        check("none", "none");
        check("`a` and `b c`.", "<`a`> and <`b c`>.");
        check("it`s `a`", "it<`s `>a`");
        check("it`s", "it`s");
    }

    #[test]
    fn the_sign_says_the_colour() {
        let check = |line: &str, expected| assert_eq!(of_sign(line), expected, "{line:?}");
        check("  + create alto", GOOD);
        check("  - remove alto", BAD);
        check("  ~ change alto", WORD);
        check("! alto has stopped", WORD);
        check("           - an old line", BAD);
        check("    next > + a new line", GOOD);
        // What is said in a text is no sign.
        check("             - a line that stays", PLAIN);
        check("    next >   - a line that stays", PLAIN);
        check("1 to create", PLAIN);
        check("--- ", PLAIN);
        check("  é", PLAIN);
    }
}
