//! `rhythm <sheep> <line>`: another rhythm for a sheep.

use flock_core::{Usage, local};
use flock_ops::{Changed, Noted, change_rhythm, rhythm_of, rhythm_takes_long};
use flock_slack::escape;

use crate::{
    call::{Answer, Call, Stage, Step, announce},
    command::{Command, Group, Run, SHEPHERD},
    commands::goes_on,
};

pub(super) const COMMAND: Command = Command {
    usages: &[Usage::new("rhythm <sheep> <every...>")],
    group: Group::Flock,
    need: SHEPHERD,
    help: "Post every so often: `2 hours`, `3h 2d` with a pause before starting over",
    example: "rhythm apollo 3h 2d",
    run: Run::Changes(|call, noted| Box::pin(run(call, noted))),
};

async fn run(call: &Call<'_>, noted: &Noted) -> Answer {
    let sheep = call.store().find_sheep(None, call.argument(0)).await?;
    let lengths = lengths(call.arguments.words().get(1..).unwrap_or_default());
    let rhythm = match lengths.as_slice() {
        [line] => rhythm_of(&sheep, line, None)?,
        [line, stanza] => rhythm_of(&sheep, line, Some(stanza))?,
        more => rhythm_of(&sheep, &more.join(" "), None)?,
    };
    let network = sheep.config.account.network;
    if call.stage == Stage::Given && rhythm_takes_long(network) {
        return Ok(Step::Later(format!(
            "I am looking whether {} takes that.",
            network.facts().title
        )));
    }
    let Changed { sheep, before, outlook } =
        change_rhythm(call.store(), noted, sheep, rhythm, call.now).await?;
    let next = match sheep.next_at() {
        Some(next) => format!(", next {}", local(next, sheep.config.rhythm.zone())),
        None => format!("; it {}", goes_on(&sheep)),
    };
    let before = before.map(|before| format!(" Before: {}.", escape(&before.to_string())));
    let costs = outlook.map(|outlook| format!("\n{}", escape(&outlook.to_string())));
    announce(format!(
        "*{}* posts {}{next}.{} When its files are applied again, they put back what they say.{}",
        sheep.id,
        escape(&sheep.config.rhythm.to_string()),
        before.unwrap_or_default(),
        costs.unwrap_or_default()
    ))
}

/// The lengths of time that people mean by these words: `every 2 hours` is `2 hours`, `every day` is `1 day`, and a number
/// of something smaller is added to what stands before it.
fn lengths(words: &[String]) -> Vec<String> {
    const FILLERS: [&str; 6] = ["every", "each", "and", "then", "once", "per"];
    const NUMBERS: [&str; 13] = [
        "no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
        "eleven", "twelve",
    ];
    let mut lengths: Vec<String> = Vec::new();
    let (mut number, mut last) = (None, None);
    for word in words.iter().map(|word| word.to_lowercase()) {
        let word = match word.as_str() {
            "a" | "an" => "1".to_owned(),
            "hourly" => "hour".to_owned(),
            "daily" => "day".to_owned(),
            "weekly" => "week".to_owned(),
            word => NUMBERS
                .iter()
                .position(|known| *known == word)
                .map_or(word.to_owned(), |number| number.to_string()),
        };
        if FILLERS.contains(&word.as_str()) {
            // What comes then is the pause, and no part of what stands before.
            if word == "then" {
                lengths.extend(number.take());
                last = None;
            }
            continue;
        }
        let Some(unit) = unit(&word) else {
            lengths.extend(number.take());
            if word.bytes().all(|byte| byte.is_ascii_digit()) {
                number = Some(word);
            } else {
                lengths.push(word);
                last = None;
            }
            continue;
        };
        let length =
            format!("{} {}", number.take().unwrap_or_else(|| "1".to_owned()), UNITS[unit].0);
        match lengths.last_mut() {
            Some(before) if last.is_some_and(|last| unit < last) => {
                before.push(' ');
                before.push_str(&length);
            }
            _ => lengths.push(length),
        }
        last = Some(unit);
    }
    lengths.extend(number);
    lengths
}

/// Units of time, from the smallest on, and how people write them in words.
const UNITS: [(&str, &[&str]); 5] = [
    ("seconds", &["s", "sec", "secs", "second"]),
    ("minutes", &["m", "min", "mins", "minute"]),
    ("hours", &["h", "hr", "hrs", "hour"]),
    ("days", &["d", "day"]),
    ("weeks", &["week"]),
];

fn unit(word: &str) -> Option<usize> {
    UNITS.iter().position(|(name, others)| *name == word || others.contains(&word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(words: &str, expected: &[&str]) {
        let words: Vec<_> = words.split(' ').map(ToOwned::to_owned).collect();
        assert_eq!(lengths(&words), expected, "{words:?}");
    }

    #[test]
    fn lengths_are_read_as_people_write_them() {
        check("3h 2d", &["3h", "2d"]);
        check("2 hours", &["2 hours"]);
        check("every 2 Hours", &["2 hours"]);
        check("every hour then a day", &["1 hours", "1 days"]);
        check("2 hours 30 minutes", &["2 hours 30 minutes"]);
        check("2 hours and 30 min 2 days", &["2 hours 30 minutes", "2 days"]);
        check("two hours 1d", &["2 hours", "1d"]);
        check("daily", &["1 days"]);
        check("every 2 hours then 30 minutes", &["2 hours", "30 minutes"]);
        check("every day then 2 hours", &["1 days", "2 hours"]);
        check("5", &["5"]);
        check("2 d", &["2 days"]);
        check("whenever you like", &["whenever", "you", "like"]);
    }
}
