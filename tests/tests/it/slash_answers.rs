//! What simple commands answer, a line each. `*` stands before what only who asked can see.

use crate::slack::Slack;

const ANSWERS: &[(&str, &str)] = &[
    ("version", "*Flockwork 0.1.0."),
    ("alive", "*Yes."),
    ("status", "*Yes."),
    ("flocks", "*There is no flock yet. One comes with the first files that <@U1> applies."),
    ("sheep", "*There are no sheep."),
    ("posts", "*Nothing has been posted yet."),
    ("spend", "*No flock pays for anything."),
    ("networks myspace", "*`myspace` is not a network: there are meadow, x, mastodon, bluesky."),
    ("rc", "*Nothing is in flight."),
    ("doihaveprivs", "*<@U1>, you are `owner` here (rank 2), as the first owner of every room."),
    ("audit", "*Nobody has changed anything yet that is this room's business."),
    ("preview moon 101", "*`101` is not a number from 1 to 100."),
    (
        "show Mo!on",
        "*`mo!on` is not a sheep name: use 1 to 48 of a-z, 0-9, `-` and `_`, starting with a letter or digit.",
    ),
    (
        "pasue moon",
        "*There is no command `pasue`. Did you mean `/flock pause`? `/flock help` lists all of them.",
    ),
    ("sandwich", "*There is no command `sandwich`. `/flock help` lists all of them."),
    ("help sandwich", "*There is no command `sandwich`. `/flock help` lists all of them."),
    (
        "pause",
        "*That is not how it is written:\n`/flock pause &lt;sheep|flock&gt;` - Stop posting; for a flock it asks first\nFor example `/flock pause moon/apollo`.",
    ),
];

#[tokio::test]
async fn simple_commands_answer() {
    let mut slack = Slack::start().await;
    for (line, expected) in ANSWERS {
        assert_eq!(slack.flock(line).await, *expected, "{line}");
    }
}

#[tokio::test]
async fn help_is_there_in_full_and_for_one() {
    let mut slack = Slack::start().await;
    let shown =
        [slack.flock("").await, slack.flock("help grant").await, slack.flock("help help").await];
    insta::assert_snapshot!(shown.join("\n\n---\n\n"));
}

/// Who reads a notification, or Slack without blocks, sees the list as a whole.
#[tokio::test]
async fn help_is_one_screen() {
    let mut slack = Slack::start().await;
    let shown = slack.flock("help").await;
    let message = slack.seen("U1", "C1").pop().unwrap();
    assert_eq!(message.blocks.len(), 1);
    assert_eq!(shown, format!("*{}", message.text));
}
