//! `help`: what there is, and how it is written.

use flock_core::{Need, Rank, Usage};
use flock_slack::{Reply, escape, typed};

use crate::{
    call::{Answer, Call, Step, code, refuse, tell},
    command::{Command, EVERYBODY, Group, Run},
    commands::{Parsed, TABLE, named, parse, read},
};

pub(super) const COMMAND: Command = Command {
    usages: &[Usage::new("help"), Usage::new("help <command...>")],
    group: Group::About,
    need: EVERYBODY,
    help: "What commands there are, or one of them",
    example: "help pause",
    run: Run::Reads(|call| Box::pin(run(call))),
};

async fn run(call: &Call<'_>) -> Answer {
    match call.arguments.rest() {
        None => Ok(Step::Done(list())),
        Some(name) => one(name),
    }
}

/// Commands that begin with such a word are one line of the list, which is a screen: `help` and the word lists them.
const FAMILIES: &[(&str, &str)] = &[
    ("account", "Accounts on other networks, and their keys"),
    ("do", "Follow and more for all accounts"),
    ("queue", "Posts that people add to a queue"),
    ("level", "Levels of this room"),
];

/// The commands of a family, in order.
fn members(word: &str) -> impl DoubleEndedIterator<Item = &'static Command> {
    TABLE.iter().copied().filter(move |command| command.name().split(' ').next() == Some(word))
}

/// The line of a family.
fn family(word: &str, help: &str) -> String {
    let names: Vec<_> = members(word).map(|member| member.name().replacen(word, "", 1)).collect();
    // The word alone may be a command, too, which is known by it.
    let names: Vec<_> =
        names.iter().map(|name| name.trim()).filter(|name| !name.is_empty()).collect();
    // The last changes something, which not everybody may.
    let sign = members(word).next_back().map_or("", sign);
    format!("• `{word} {}`{sign} - {help}: `help {word}`", names.join("|"))
}

/// All commands, by group.
pub(crate) fn list() -> Reply {
    let mut lines = vec!["Write `/flock` or `@flockwork`, and then:".to_owned()];
    for group in Group::ALL {
        lines.push(format!("*{}*", group.name()));
        for command in TABLE.iter().filter(|command| command.group == group) {
            let name = command.name();
            let is_member = |(word, _): &&(&str, &str)| name.split(' ').next() == Some(*word);
            if let Some((word, help)) = FAMILIES.iter().find(is_member) {
                let first = members(word).next().map(Command::name);
                lines.extend((first == Some(name)).then(|| family(word, help)));
                continue;
            }
            let forms = command.forms().0.into_iter();
            let forms: Vec<_> = forms
                .map(|usage| usage.to_string())
                // What is the same for all of them is said once.
                .filter(|usage| !usage.ends_with(" <page>"))
                .map(|usage| format!("`{}`", escape(&usage)))
                .collect();
            lines.push(format!("• {}{} - {}", forms.join(", "), sign(command), command.help));
        }
    }
    lines.push(escape(
        "¹ rank 1, ² highest level. `help <command>` says more; \"quotes\" make one word of several. Lists have pages: `sheep 2`.",
    ));
    Reply::only_you(lines.join("\n"))
}

fn one(name: &str) -> Answer {
    let (line, words) = read(name);
    let named = named(&words);
    if named.is_empty() {
        let name = typed(line);
        return match parse(line) {
            Parsed::Unknown(Some(closest)) => refuse(format!(
                "There is no command `{}`. Did you mean `/flock help {closest}`?",
                code(&name)
            )),
            Parsed::Unknown(None) | Parsed::Usage(_) | Parsed::Run(..) => refuse(format!(
                "There is no command `{}`. `/flock help` lists all of them.",
                code(&name)
            )),
        };
    }
    let mut lines = Vec::new();
    for command in named {
        let (forms, aliases) = command.forms();
        lines.extend(forms.iter().map(|usage| format!("`/flock {}`", escape(&usage.to_string()))));
        lines.push(format!("{}.{}", command.help, who(command)));
        if !aliases.is_empty() {
            let aliases: Vec<_> =
                aliases.iter().map(|usage| format!("`{}`", escape(&usage.to_string()))).collect();
            lines.push(format!("Also: {}.", aliases.join(", ")));
        }
        lines.push(format!("For example: `/flock {}`", escape(command.example)));
    }
    tell(lines.join("\n"))
}

/// Who may, in the list, which says below what the signs mean.
fn sign(command: &Command) -> &'static str {
    match command.need {
        Need::Rank(Rank(0)) => "",
        Need::Rank(_) => "¹",
        Need::Top => "²",
    }
}

/// Who may, where not everybody may.
fn who(command: &Command) -> String {
    match command.need {
        Need::Rank(Rank(0)) => String::new(),
        Need::Rank(rank) => format!(" (rank {rank})"),
        Need::Top => " (highest level)".to_owned(),
    }
}
