//! What a command is, and finding the one that is meant.

use std::{fmt, future::Future, pin::Pin};

use flock_core::{Arguments, Need, Rank, Usage, Word, words};

use crate::{
    call::{Answer, Call},
    commands::TABLE,
};

/// A command: everything that help, the parser, the README and the tests know of it.
#[derive(Debug)]
pub struct Command {
    /// Ways to write it. The first ones up to an alias have its name; aliases follow.
    pub usages: &'static [Usage],
    /// Where it stands in the list.
    pub group: Group,
    /// Who may.
    pub need: Need,
    /// Whether it is written into the audit log.
    pub effect: Effect,
    /// What it does, in a line.
    pub help: &'static str,
    /// Words that could be typed.
    pub example: &'static str,
    pub(crate) run: Run,
}

/// What commands are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// The bot itself.
    About,
    /// Flocks and sheep.
    Flock,
    /// Everything at once.
    System,
    /// Who may what.
    Rooms,
    /// What happened.
    Audit,
}

/// What a command does to the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// It only looks.
    Reads,
    /// It changes something, so it is written into the audit log.
    Changes,
}

/// Carries a command out.
pub(crate) struct Run(
    pub(crate) for<'a> fn(&'a Call<'a>) -> Pin<Box<dyn Future<Output = Answer> + Send + 'a>>,
);

/// Everybody may.
pub(crate) const EVERYBODY: Need = Need::Rank(Rank(0));

/// What changes what the world sees.
pub(crate) const SHEPHERD: Need = Need::Rank(Rank(1));

/// What a line asks for.
#[derive(Debug)]
pub enum Parsed {
    /// A command with its arguments.
    Run(&'static Command, Arguments),
    /// Commands of that name, which want fewer, more or other words.
    Usage(Vec<&'static Command>),
    /// No command; the closest one, if any is close.
    Unknown(Option<String>),
}

/// Finds what `line` asks for. The first usage of the table that fits exactly is taken.
pub fn parse(line: &str) -> Parsed {
    let words = words(line);
    for command in TABLE {
        for usage in command.usages {
            if let Some(arguments) = usage.matches(line, &words) {
                return Parsed::Run(command, arguments);
            }
        }
    }
    let named = named(&words);
    if !named.is_empty() {
        return Parsed::Usage(named);
    }
    let closest = usages().filter_map(|usage| {
        let name = usage.name();
        let typed = words.iter().take(name.split(' ').count()).map(|word| word.text.to_lowercase());
        let typed = typed.collect::<Vec<_>>().join(" ");
        // So long is no slip, and to compare takes the one length times the other.
        if 3 * name.len() < typed.len() {
            return None;
        }
        let distance = strsim::damerau_levenshtein(&name, &typed);
        // A third of the letters may be wrong: more would be another word.
        (3 * distance <= name.chars().count().max(3)).then_some((distance, name))
    });
    Parsed::Unknown(closest.min().map(|(_, name)| name))
}

/// The commands that have one of these words as their name, or the first of them as its beginning.
pub(crate) fn named(words: &[Word]) -> Vec<&'static Command> {
    let whole = |usage: &Usage| usage.name().split(' ').count() == usage.begins_like(words);
    let begun = |usage: &Usage| 0 < usage.begins_like(words);
    let with = |fits: &dyn Fn(&Usage) -> bool| -> Vec<_> {
        TABLE.iter().filter(|command| command.usages.iter().any(fits)).copied().collect()
    };
    let wholly = with(&whole);
    if wholly.is_empty() { with(&begun) } else { wholly }
}

fn usages() -> impl Iterator<Item = Usage> {
    TABLE.iter().flat_map(|command| command.usages.iter().copied())
}

impl Command {
    /// Its name: the words before the first argument.
    pub fn name(&self) -> String {
        self.usages.first().map(|usage| usage.name()).unwrap_or_default()
    }

    /// The usages that have its name, and the other ones.
    pub fn forms(&self) -> (Vec<Usage>, Vec<Usage>) {
        let name = self.name();
        self.usages.iter().partition(|usage| usage.name() == name)
    }
}

impl Group {
    /// All groups, in the order of the list.
    pub const ALL: [Self; 5] = [Self::About, Self::Flock, Self::System, Self::Rooms, Self::Audit];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::About => "about",
            Self::Flock => "flock",
            Self::System => "system",
            Self::Rooms => "rooms",
            Self::Audit => "audit",
        }
    }
}

impl fmt::Debug for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Run")
    }
}
