//! Whatever people type.

use futures_util::{StreamExt as _, stream};
use proptest::{
    prelude::*,
    strategy::ValueTree as _,
    test_runner::{Config, TestRunner},
};
use reqwest::StatusCode;
use slash_command::{Parsed, TABLE, parse, read};

use crate::slack::{Slack, slash_body};

const LINES: u32 = 10_000;

/// Lines made of the words of the table, of what could stand for an argument, and of anything.
fn lines() -> impl Strategy<Value = String> {
    let known: Vec<String> = TABLE
        .iter()
        .flat_map(|command| command.usages.iter())
        .flat_map(|usage| usage.to_string().split(' ').map(str::to_owned).collect::<Vec<_>>())
        .collect();
    let argument = prop_oneof![
        Just("flock/apollo"),
        Just("apollo"),
        Just("flock"),
        Just("flock/*"),
        Just("U0"),
        Just("U1"),
        Just("<@U0|mallory>"),
        Just("<@U1>"),
        Just("@ada"),
        Just("owner"),
        Just("shepherd"),
        Just("5"),
        Just("0"),
        Just("3h"),
        Just("<#C1|general>"),
        Just("C1"),
        Just("&lt;!channel&gt;"),
        Just("…"),
        Just("\u{202e}"),
        Just("\""),
        Just("“two words”"),
        Just("``"),
        Just("*apollo*"),
        Just("`/flock"),
        Just("‘Flock’"),
        Just("\u{200b}"),
        Just(":wave:"),
    ];
    let word = prop_oneof![
        4 => prop::sample::select(known),
        4 => argument.prop_map(str::to_owned),
        1 => any::<String>(),
    ];
    // Whole commands with arguments that fit, and anything.
    let usage = prop::sample::select(
        TABLE.iter().flat_map(|command| command.usages.iter()).collect::<Vec<_>>(),
    );
    let fitting = (usage, prop::collection::vec(word.clone(), 6)).prop_map(|(usage, words)| {
        let mut words = words.into_iter();
        let filled = usage
            .to_string()
            .split(' ')
            .map(|part| {
                if part.starts_with(['<', '.', '*']) {
                    words.next().unwrap()
                } else {
                    part.to_owned()
                }
            })
            .collect::<Vec<_>>();
        filled.join(" ")
    });
    prop_oneof![fitting, prop::collection::vec(word, 0..6).prop_map(|words| words.join(" "))]
}

/// Whether `words` are what `usage` says, told in another way than the product does.
fn fits(usage: &str, words: &[String]) -> bool {
    let parts: Vec<_> = usage.split(' ').collect();
    let (fixed, least) = match parts.split_last() {
        Some((&"...", fixed)) => (fixed, 0),
        Some((last, fixed)) if last.ends_with("...>") => (fixed, 1),
        _ => (parts.as_slice(), usize::MAX),
    };
    let enough = match least {
        usize::MAX => words.len() == fixed.len(),
        least => fixed.len() + least <= words.len(),
    };
    enough
        && fixed.iter().zip(words).all(|(part, word)| {
            *part == "*" || part.starts_with('<') || part.eq_ignore_ascii_case(word)
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(LINES))]

    #[test]
    fn only_what_the_table_says_is_run(line in lines()) {
        let words: Vec<_> = read(&line).1.into_iter().map(|word| word.text).collect();
        let expected = TABLE.iter().find(|command| {
            command.usages.iter().any(|usage| fits(&usage.to_string(), &words))
        });
        match (parse(&line), expected) {
            (Parsed::Run(command, _), Some(expected)) => prop_assert_eq!(command.name(), expected.name()),
            (Parsed::Run(command, _), None) => prop_assert!(false, "{line:?} runs {}", command.name()),
            (Parsed::Usage(_) | Parsed::Unknown(_), expected) => prop_assert!(expected.is_none(), "{line:?}"),
        }
    }
}

/// Through the front door, as somebody without a level.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_without_a_level_changes_anything() {
    let mut slack = Slack::start().await;
    slack.world.sheep("apollo", flock_core::Network::Meadow, 3).await;
    slack.flock("grant U2 shepherd").await;
    let before = slack.table().await;
    let mut runner = TestRunner::new_with_rng(
        Config::default(),
        proptest::test_runner::TestRng::deterministic_rng(
            proptest::test_runner::RngAlgorithm::ChaCha,
        ),
    );
    let lines: Vec<String> =
        (0..LINES).map(|_| lines().new_tree(&mut runner).unwrap().current()).collect();
    let changing = lines.iter().filter(|line| match parse(line) {
        Parsed::Run(command, _) => command.changes(),
        Parsed::Usage(_) | Parsed::Unknown(_) => false,
    });
    assert!(1_000 < changing.count(), "the lines try to change things");
    let slack = &slack;
    stream::iter(lines.iter().enumerate())
        .for_each_concurrent(32, |(number, line)| async move {
            let body = slash_body("U0", "C1", line, &number.to_string());
            // Signed when it is sent: ten thousand take longer than a signature counts on a busy machine.
            let now = slack.world.clock.now().to_string();
            let answer = slack.send_at("/slack/commands", &body, &now).await;
            assert_eq!(answer.status(), StatusCode::OK, "{line:?}");
            let text = answer.text().await.unwrap();
            assert!(!text.contains("went wrong on our side"), "{line:?}: {text}");
            assert!(!text.contains("in_channel"), "{line:?}: {text}");
        })
        .await;
    // Commands that ask Slack who somebody is would be run behind the answer.
    assert_eq!(slack.table().await, before);
}
