//! The table of commands. A command is one entry here and one file beside it.
#![expect(
    clippy::unused_async,
    reason = "some commands wait for nothing, and all have the same form"
)]

mod account;
mod account_check;
mod account_rotate;
mod alive;
mod audit;
mod do_for;
mod flocks;
mod grant;
mod grant_room_owners;
pub(crate) mod help;
mod instances;
mod jobs_cancel;
mod level_add;
mod level_remove;
mod levels;
mod members;
mod networks;
mod now;
mod pause;
mod posts;
mod preview;
mod queue;
mod reboot;
mod redraw;
mod resume;
mod revoke;
mod rhythm;
mod ring;
mod running;
mod say;
mod send_again;
mod sent;
mod sheep;
mod show;
mod spend;
mod start;
mod stop;
mod version;
mod whoami;
mod why;
mod wipe;

use std::{collections::BTreeMap, slice};

use flock_core::{
    Arguments, FlockName, JobKind, LevelName, Occurrence, Sent, Sheep, State, Usage, Usd, Word,
    count, slip, words,
};
use flock_ops::{Noted, Price, Steered, steer};
use flock_slack::{bare_line, bare_name, escape, trim};
use flock_store::Found;
use futures_util::{StreamExt as _, stream};

use crate::{
    call::{Answer, Call, Obstacle, Stage, Step, Sure, announce, code, refuse},
    command::Command,
    jobs::how_to_end,
};

/// All commands. The first usage that fits is taken, so what is written out stands before what takes any word.
pub static TABLE: &[&Command] = &[
    &help::COMMAND,
    &alive::COMMAND,
    &version::COMMAND,
    &whoami::COMMAND,
    &flocks::COMMAND,
    &sheep::COMMAND,
    &show::COMMAND,
    &posts::COMMAND,
    &why::COMMAND,
    &preview::COMMAND,
    &spend::COMMAND,
    &networks::COMMAND,
    &account::LIST,
    &account::CONNECT,
    &account_check::COMMAND,
    &account::RENEW,
    &account::REMOVE,
    &pause::COMMAND,
    &resume::COMMAND,
    &now::COMMAND,
    &redraw::COMMAND,
    &rhythm::COMMAND,
    &queue::LIST,
    &queue::ADD,
    &queue::AT,
    &queue::EDIT,
    &queue::REMOVE,
    &queue::MOVE,
    &queue::NEXT,
    &wipe::COMMAND,
    &say::COMMAND,
    &do_for::DRY_RUN,
    &do_for::COMMAND,
    &ring::COMMAND,
    &sent::COMMAND,
    &send_again::COMMAND,
    &stop::COMMAND,
    &start::COMMAND,
    &reboot::COMMAND,
    &running::COMMAND,
    &jobs_cancel::COMMAND,
    &account_rotate::COMMAND,
    &instances::COMMAND,
    &levels::COMMAND,
    &level_add::COMMAND,
    &level_remove::COMMAND,
    &members::COMMAND,
    &grant_room_owners::COMMAND,
    &grant::COMMAND,
    &revoke::COMMAND,
    &audit::COMMAND,
];

/// What our answers write before a command that is to be typed.
const SLASH_COMMAND: &str = "/flock";

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

/// The words of a line, and the line they stand in, without what comes along when people copy from our answers, or from
/// anywhere.
pub fn read(line: &str) -> (&str, Vec<Word>) {
    let line = bare_line(line);
    let (first, after) = line.split_at(line.find(char::is_whitespace).unwrap_or(line.len()));
    let line = if first.eq_ignore_ascii_case(SLASH_COMMAND) { trim(after) } else { line };
    let mut words = words(line);
    // Empty quotes are a word; what nobody sees is none.
    words.retain(|word| word.text.is_empty() || !trim(&word.text).is_empty());
    for word in &mut words {
        word.text = bare_name(&word.text);
    }
    (line, words)
}

/// Finds what `line` asks for. The first usage of the table that fits exactly is taken.
pub fn parse(line: &str) -> Parsed {
    let (line, words) = read(line);
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
        Some((slip(&typed, &name)?, name))
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

/// The flock that a list is asked of, where it is one alone, and the page. A number alone is that of a page, whatever
/// is called so: buttons and answers count on that.
fn flock_or_page(call: &Call<'_>) -> Result<(Option<FlockName>, usize), Obstacle> {
    if call.arguments.get(0).is_none() {
        return Ok((None, 1));
    }
    if is_page(call) {
        return Ok((None, call.page(0)?));
    }
    Ok((Some(call.flock(0)?), call.page(1)?))
}

/// Whether the only argument is a number.
fn is_page(call: &Call<'_>) -> bool {
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    call.arguments.words().len() == 1 && call.arguments.get(0).is_some_and(is_number)
}

/// The level an argument names.
fn level(call: &Call<'_>, number: usize) -> Result<LevelName, Obstacle> {
    let text = call.argument(number);
    match text.to_lowercase().parse() {
        Ok(level) => Ok(level),
        Err(_) => refuse(format!(
            "`{}` is not the name of a level: use a-z, 0-9, `-` and `_`.",
            code(text)
        )),
    }
}

/// The number of a post of the sheep that the first argument names.
fn occurrence(call: &Call<'_>, number: usize) -> Result<Occurrence, Obstacle> {
    let text = call.argument(number);
    match text.parse() {
        Ok(number @ 1..) => Ok(Occurrence(number)),
        Ok(0) | Err(_) => refuse(format!(
            "`{}` is not the number of a post; `/flock show {}` says which is next.",
            code(text),
            code(call.argument(0))
        )),
    }
}

/// What comes of it for the sheep, which may be one that does not post: a part of a sentence.
fn goes_on(sheep: &Sheep) -> String {
    match sheep.state {
        State::Active => "goes on".to_owned(),
        State::Paused { .. } | State::Stopped { .. } => {
            format!("goes on once it is resumed: it is {}", sheep.state.name())
        }
        State::Finished { .. } => sheep.ended().to_owned(),
    }
}

/// The account of a sheep, in mrkdwn: as code, because `meadow:moon:` would be shown with an emoji in it.
fn account(sheep: &Sheep) -> String {
    format!("`{}`", escape(&sheep.config.account.to_string()))
}

/// Where a post that is quoted below would go, and what it would cost.
fn paid_post(sheep: &Sheep, price: &Price) -> String {
    let Price { price, link, budget } = price;
    let link = if *link { ", because it has a link" } else { "" };
    let budget = budget.as_ref().map(|budget| {
        let waits = if budget.is_passed_by(*price) {
            ", so the post would wait until the month is over, or until the cap is raised"
        } else {
            ""
        };
        let (spent, cap, month) = (budget.spent, budget.cap, budget.month);
        let flock = &sheep.id.flock;
        format!(
            "\nThe flock *{flock}* has spent {spent} of the {cap} it may spend in {month}{waits}."
        )
    });
    format!(
        "This posts the text below through *{}* as {}, for {price}{link}.{}",
        sheep.id,
        account(sheep),
        budget.unwrap_or_default()
    )
}

/// What the sheep pay at once, now that they are resumed: a sentence, where it is something.
async fn paid_at_once(call: &Call<'_>, resumed: &[Sheep]) -> Result<String, Obstacle> {
    /// Prices that are looked for at a time.
    const CONCURRENCY: usize = 16;
    // What may be there is looked for first, and its money is reserved.
    let may_be_sent = |sheep: &Sheep| {
        sheep.intent.as_ref().is_some_and(|intent| intent.errand.sent == Sent::Maybe)
    };
    let is_due = |sheep: &Sheep| sheep.next_at().is_some_and(|at| at <= call.now);
    let due = resumed.iter().filter(|sheep| is_due(sheep) && !may_be_sent(sheep));
    let priced: Vec<_> =
        due.map(|sheep| flock_ops::price_of_next(call.store(), sheep, call.now)).collect();
    let mut priced = stream::iter(priced).buffer_unordered(CONCURRENCY);
    let (mut posts, mut all) = (0_u64, Usd::ZERO);
    while let Some(next) = priced.next().await {
        if let Some((_, price)) = next?
            && price.price != Usd::ZERO
        {
            (posts, all) = (posts + 1, all.plus(price.price));
        }
    }
    let are = if posts == 1 { "is" } else { "are" };
    Ok(match posts {
        0 => String::new(),
        posts => format!(" {} {are} due at once, for {all}.", count(posts, "post")),
    })
}

/// The command goes on when there is time to look somebody up.
#[expect(clippy::unnecessary_wraps, reason = "it is what a command ends with")]
fn look_up(call: &Call<'_>) -> Answer {
    Ok(Step::Later(format!("I am asking Slack who `{}` is.", code(call.argument(0)))))
}

/// Sheep of a flock that are counted while somebody waits.
const COUNTED: usize = 500;

/// A change of a sheep or of many, and how it is spoken of.
struct Words {
    /// What happens to each; of a flock that is too large to wait for it is a job.
    job: JobKind,
    /// While it is being done.
    doing: &'static str,
    /// When it is done.
    done: &'static str,
    /// Where it hurts a flock.
    hurts: Option<Hurts>,
}

/// What is asked before many sheep are changed.
struct Hurts {
    /// What would happen.
    happens: &'static str,
    /// What it comes to.
    comes_to: &'static str,
    /// What is on the button that lets it happen.
    label: &'static str,
}

/// Changes the sheep, or all sheep of the flock, that the first argument names.
async fn change_all(call: &Call<'_>, noted: &Noted, words: Words) -> Answer {
    match call.store().find_some(call.argument(0), Some(COUNTED + 1)).await? {
        Found::Sheep(sheep) => change_one(call, noted, &words, *sheep).await,
        Found::Flock(flock, sheep) => change_flock(call, noted, &words, &flock, sheep).await,
    }
}

async fn change_one(call: &Call<'_>, noted: &Noted, words: &Words, sheep: Sheep) -> Answer {
    let Steered { sheep, is_changed } =
        steer(call.store(), noted, words.job, sheep, call.now).await?;
    let is_so = match &sheep.state {
        state if is_changed && state.name() == words.job.becomes() => {
            let price = paid_at_once(call, slice::from_ref(&sheep)).await?;
            return announce(format!("{} *{}*.{price}", words.done, sheep.id));
        }
        State::Active => "is active already".to_owned(),
        State::Paused { .. } => "is paused already".to_owned(),
        State::Stopped { why, .. } => {
            format!("has stopped already, and posts nothing until it is resumed: {}", escape(why))
        }
        State::Finished { .. } => sheep.ended().to_owned(),
    };
    let text = format!("*{}* {is_so}.", sheep.id);
    if is_changed { announce(text) } else { refuse(text) }
}

async fn change_flock(
    call: &Call<'_>,
    noted: &Noted,
    words: &Words,
    flock: &FlockName,
    sheep: Vec<Sheep>,
) -> Answer {
    /// More would take longer than Slack waits, and is a job.
    const AT_ONCE: usize = 50;
    /// Writes at a time.
    const CONCURRENCY: usize = 32;
    let Words { job, doing, done, ref hurts, .. } = *words;
    let becomes = job.becomes();
    let is_counted = sheep.len() <= COUNTED;
    let number =
        if is_counted { number_of(sheep.len()) } else { format!("more than {COUNTED} sheep") };
    let what = format!("the flock *{flock}*, {number}");
    if let (Stage::Given, Some(Hurts { happens, comes_to, label })) = (call.stage, hurts) {
        let after = |sheep: &Sheep| job.change(sheep, call.now);
        let stay = sheep.iter().filter(|sheep| after(sheep).version == sheep.version);
        let stay: Vec<_> = stay.map(|sheep| sheep.state.name()).collect();
        if !is_counted || stay.len() < sheep.len() {
            let but = if is_counted { but(&stay, becomes) } else { String::new() };
            let text = format!("{happens} {what}{but}. {comes_to}");
            return Sure::ask(text, label);
        }
    }
    if AT_ONCE < sheep.len() {
        if job == JobKind::Resume {
            flock_ops::forget_notices(call.store(), &sheep).await?;
        }
        let job = call.begin_job(noted, job, flock).await?;
        return announce(format!(
            "{doing} {what}, as job `{}`. I tell you here when it is done; {}.",
            job.id,
            how_to_end(&job.id)
        ));
    }
    let (mut changed, mut others) = (Vec::new(), Vec::new());
    let edit = |sheep| steer(call.store(), noted, job, sheep, call.now);
    let edits: Vec<_> = sheep.into_iter().map(edit).collect();
    let mut edits = stream::iter(edits).buffer_unordered(CONCURRENCY);
    while let Some(edit) = edits.next().await {
        let Steered { sheep, is_changed } = edit?;
        let state = sheep.state.name();
        if is_changed && state == becomes { changed.push(sheep) } else { others.push(state) }
    }
    let but = but(&others, becomes);
    if changed.is_empty() {
        return refuse(format!("Nothing to do for {what}{but}."));
    }
    let price = paid_at_once(call, &changed).await?;
    announce(format!("{done} {what}{but}.{price}"))
}

/// In which states the sheep are that have not become what was wanted.
fn but(states: &[&str], becomes: &str) -> String {
    let mut counts = BTreeMap::new();
    for state in states {
        *counts.entry(*state).or_insert(0_usize) += 1;
    }
    let counts = counts.into_iter().map(|(state, count)| {
        let already = if state == becomes { " already" } else { "" };
        format!("{count} {state}{already}")
    });
    let counts: Vec<_> = counts.collect();
    if counts.is_empty() { String::new() } else { format!(" ({})", counts.join(", ")) }
}

/// So many sheep.
fn number_of(sheep: usize) -> String {
    count(u64::try_from(sheep).unwrap_or(u64::MAX), "sheep")
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use flock_core::{Need, Rank};

    use super::*;
    use crate::command::Group;

    /// The table as the README shows it.
    fn markdown() -> String {
        let mut rows = "| | `/flock` ... | who | does |\n|---|---|---|---|\n".to_owned();
        for group in Group::ALL {
            for command in TABLE.iter().filter(|command| command.group == group) {
                let (forms, aliases) = command.forms();
                let cell = |usages: &[flock_core::Usage]| {
                    let usages =
                        usages.iter().map(|usage| format!("`{usage}`").replace('|', "\\|"));
                    usages.collect::<Vec<_>>().join(", ")
                };
                let who = match command.need {
                    Need::Rank(Rank(0)) => "all".to_owned(),
                    Need::Rank(rank) => format!("rank {rank}"),
                    Need::Top => "top".to_owned(),
                };
                let also = match cell(&aliases) {
                    aliases if aliases.is_empty() => String::new(),
                    aliases => format!(" (also {aliases})"),
                };
                let (group, forms) = (group.name(), cell(&forms));
                writeln!(rows, "| {group} | {forms}{also} | {who} | {} |", command.help).unwrap();
            }
        }
        rows
    }

    #[test]
    fn the_readme_shows_the_table() {
        let readme = include_str!("../../../../README.md");
        let table = markdown();
        assert!(readme.contains(&table), "put this into README.md:\n\n{table}");
    }

    #[test]
    fn the_chapter_on_commands_shows_a_real_one() {
        let chapter = include_str!("../../../../CONTRIBUTING.md");
        assert!(chapter.contains(include_str!("version.rs")));
    }

    #[test]
    fn every_example_and_every_usage_runs_its_command() {
        for command in TABLE {
            let lines = command.usages.iter().map(|usage| {
                let words = usage.to_string();
                let word = |word: &str| {
                    if word.starts_with('<') { "5".to_owned() } else { word.replace("...", "") }
                };
                words.split(' ').map(word).collect::<Vec<_>>().join(" ")
            });
            for line in lines.chain([command.example.to_owned()]) {
                let Parsed::Run(found, _) = parse(&line) else { panic!("{line:?} runs nothing") };
                assert_eq!(found.name(), command.name(), "{line:?}");
            }
        }
    }

    #[track_caller]
    fn check(line: &str, expected: &str) {
        let parsed = match parse(line) {
            Parsed::Run(command, arguments) => {
                format!("{} {:?}", command.name(), arguments.words())
            }
            Parsed::Usage(named) => {
                let them: Vec<_> = named.iter().map(|command| command.name()).collect();
                format!("usage of {}", them.join(", "))
            }
            Parsed::Unknown(closest) => format!("closest {closest:?}"),
        };
        assert_eq!(parsed, expected, "{line:?}");
    }

    #[test]
    fn lines_find_their_command() {
        check("ALIVE", "alive []");
        check("level ADD Elder 5", r#"level add ["Elder", "5"]"#);
        check("“Show” ‘Apollo’", r#"show ["Apollo"]"#);
        check("`/flock resume moon/apollo`", r#"resume ["moon/apollo"]"#);
        check("/Flock *show* *moon/apollo*", r#"show ["moon/apollo"]"#);
        check("\u{2060}pause\u{200b} \u{feff} `moon/*`", r#"pause ["moon/*"]"#);
        check("grant *<@U1|ada>* &lt;Elder&gt;", r#"grant ["<@U1|ada>", "<Elder>"]"#);
        check("alive?", "alive []");
        check("help!", "help []");
        check("Show apollo, please", "usage of show");
        check("show, apollo?", r#"show ["apollo"]"#);
        check("?", "closest None");
        check("\u{200b}", "closest None");
        check("grant room-owners", "grant room-owners []");
        check("grant room-owners C1 C2", r#"grant room-owners ["C1", "C2"]"#);
        check("grant <@U1|ada> owner", r#"grant ["<@U1|ada>", "owner"]"#);
        check("remove privileges U1", r#"revoke ["U1"]"#);
        check("unprivilege user U1", r#"revoke ["U1"]"#);
        check("alive and kicking", "usage of alive");
        check("remove U1", "usage of revoke");
        check("privilege 1 owner now please", "usage of grant");
        check("grant", "usage of grant");
        check("grant room-owners-all", "usage of grant");
        check("level", "usage of level add, level remove");
        check("alvie", "closest Some(\"alive\")");
        check("previw moon", "closest Some(\"preview\")");
        check("levle add x 1", "closest Some(\"level add\")");
        check("make me a sandwich", "closest None");
        check("", "closest None");
    }
}
