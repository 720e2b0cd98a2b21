//! What a command is.

use std::{fmt, future::Future, pin::Pin};

use flock_core::{Need, Rank, Usage};
use flock_ops::Noted;

use crate::call::{Answer, Call};

/// A command: everything that help, the parser, the README and the tests know of it.
#[derive(Debug)]
pub struct Command {
    /// Ways to write it. The first ones up to an alias have its name; aliases follow.
    pub usages: &'static [Usage],
    /// Where it stands in the list.
    pub group: Group,
    /// Who may.
    pub need: Need,
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

/// Carries a command out.
pub(crate) enum Run {
    /// It only looks.
    Reads(for<'a> fn(&'a Call<'a>) -> Running<'a>),
    /// It changes something, so it is written into the audit log first.
    Changes(for<'a> fn(&'a Call<'a>, &'a Noted) -> Running<'a>),
}

/// A command that is being carried out.
pub(crate) type Running<'a> = Pin<Box<dyn Future<Output = Answer> + Send + 'a>>;

/// Everybody may.
pub(crate) const EVERYBODY: Need = Need::Rank(Rank(0));

/// What changes what the world sees.
pub(crate) const SHEPHERD: Need = Need::Rank(Rank(1));

impl Command {
    /// Its name: the words before the first argument.
    pub fn name(&self) -> String {
        self.usages.first().map(|usage| usage.name()).unwrap_or_default()
    }

    /// Whether it changes something, and is in the audit log.
    pub fn changes(&self) -> bool {
        matches!(self.run, Run::Changes(_))
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
        f.write_str(match self {
            Self::Reads(_) => "Reads",
            Self::Changes(_) => "Changes",
        })
    }
}
