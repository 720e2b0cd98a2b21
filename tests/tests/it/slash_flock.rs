//! Seeing and steering a flock.

use flock_core::{Flock, FlockName, Network, RhythmFields};
use flock_tests::Misbehave;
use jiff::SignedDuration;
use local_slack::{mrkdwn::Names, view, workspace::Message};
use serde_json::json;

use crate::{
    slack::{Slack, slash_body},
    world::{far_deadline, tick},
};

/// Three sheep, one of which has posted.
async fn slack() -> Slack {
    let slack = Slack::start().await;
    for name in ["apollo", "hermes", "zeus"] {
        slack.world.sheep(name, Network::Meadow, 40).await;
    }
    slack
}

#[tokio::test]
async fn a_flock_can_be_looked_at() {
    let mut slack = slack().await;
    let tick = slack.world.app().await;
    slack.world.tick_at(&tick, 0).await;
    let mut shown = Vec::new();
    for line in [
        "flocks",
        "sheep",
        "sheep flock",
        "show apollo",
        "posts",
        "posts zeus",
        "preview flock 4",
        "preview zeus",
    ] {
        shown.push(format!("> {line}\n{}", slack.flock(line).await));
    }
    let shown = shown.join("\n\n");
    insta::with_settings!({ filters => vec![(r"\d\d:\d\d:\d\d", "HH:MM:SS")] }, {
        insta::assert_snapshot!(shown);
    });
}

#[tokio::test]
async fn a_sheep_or_a_flock_pauses_and_goes_on() {
    let mut slack = slack().await;
    let app = slack.world.app().await;
    assert_eq!(slack.flock("pause apollo").await, "Paused *flock/apollo*.");
    assert_eq!(slack.flock("pause flock/apollo").await, "**flock/apollo* is paused already.");
    assert_eq!(slack.world.tick_at(&app, 0).await.posted, 2);
    insta::assert_snapshot!(slack.flock("pause flock").await, @"
    *This pauses the flock *flock*, 3 sheep (1 paused already). While a sheep is paused it posts nothing, and what is due then is left out; resumed, it goes on in its text where it was.
    The button works for 5 minutes. [Pause the flock] [Cancel]
    ");
    // Asking alone pauses nothing.
    assert_eq!(slack.world.tick_at(&app, 3).await.posted, 2);
    assert_eq!(
        slack.press("U1", "C1", "Pause the flock").await,
        "Paused the flock *flock*, 3 sheep (1 paused already)."
    );
    assert_eq!(slack.world.tick_at(&app, 6).await.posted, 0);
    assert_eq!(
        slack.flock("pause flock").await,
        "*Nothing to do for the flock *flock*, 3 sheep (3 paused already)."
    );
    assert_eq!(slack.flock("resume flock").await, "Resumed the flock *flock*, 3 sheep.");
    assert_eq!(slack.world.tick_at(&app, 9).await.posted, 3);
    assert_eq!(
        slack.flock("pause nobody").await,
        "*There is no sheep and no flock `nobody`. `/flock sheep` lists them."
    );
    assert_eq!(slack.flock("sheep nobody").await, "*There is no flock `nobody`; there are: flock.");
}

#[tokio::test]
async fn a_large_flock_pauses_behind_the_answer() {
    let mut slack = Slack::start().await;
    for number in 0..60 {
        slack.world.sheep(&format!("sheep-{number}"), Network::Meadow, 3).await;
    }
    // The answer is there before the work is done, and the work is seen.
    slack.flock("pause flock").await;
    let before = slack.seen("U1", "C1");
    slack.press_alone("U1", "C1", "Pause the flock").await;
    let answer = crate::slack::shown(&before, &slack.seen("U1", "C1"));
    assert!(answer.starts_with("Pausing the flock *flock*, 60 sheep, as job `"), "{answer}");
    let event = slack.world.events.try_recv().unwrap();
    assert_eq!(event.detail_type, "job.due");
    let running = slack.flock("running").await;
    assert!(running.contains("pauses the flock *flock*: not begun yet"), "{running}");
    // Once more is harmless.
    let event = json!({ "detail-type": event.detail_type, "detail": event.detail });
    let app = slack.world.app().await;
    for steps in [1, 0] {
        let report = Box::pin(app.handle(&event, far_deadline())).await.unwrap();
        assert_eq!(report.job_steps, steps);
    }
    let told = slack.flock("running").await;
    let over = "<@U1>: Paused the flock *flock*, 60 sheep.";
    assert_eq!(told, format!("*Nothing is in flight.\n{over}"));
    assert!(slack.flock("flocks").await.contains("60 sheep, 60 of them paused"));
}

#[tokio::test]
async fn a_post_can_be_asked_for_at_once() {
    let mut slack = slack().await;
    let app = slack.world.app().await;
    slack.world.tick_at(&app, 0).await;
    let id = "flock/apollo".parse().unwrap();
    let planned = slack.world.read(&id).await.next_at();
    assert_eq!(slack.flock("now apollo").await, "*flock/apollo* posts its next line now.");
    let due =
        json!({ "detail-type": "sheep.due", "detail": { "flock": "flock", "sheep": "apollo" } });
    let deadline = crate::world::far_deadline();
    assert_eq!(app.handle(&due, deadline).await.unwrap().posted, 1);
    assert_eq!(app.handle(&due, deadline).await.unwrap().posted, 0, "the event may come again");
    // A button stands for one post.
    slack.flock("show apollo").await;
    slack.press("U1", "C1", "Post now").await;
    assert_eq!(app.handle(&due, deadline).await.unwrap().posted, 1);
    let again = slack.press("U1", "C1", "Post now").await;
    assert_eq!(again, "**flock/apollo* does not: it is past number 3 already; its next is 4.");
    let texts =
        |posts: Vec<flock_store::Post>| posts.into_iter().map(|post| post.text).collect::<Vec<_>>();
    assert_eq!(
        texts(slack.world.posts(&id).await),
        ["apollo line 0", "apollo line 1", "apollo line 2"]
    );
    assert_eq!(slack.world.read(&id).await.next_at(), planned);

    assert_eq!(
        slack.flock("say apollo Good  evening, <all>!").await,
        "*flock/apollo* is going to say as `meadow:apollo`:\nGood  evening, &lt;all&gt;!"
    );
    assert_eq!(
        slack.flock("say apollo again").await,
        "**flock/apollo* does not: it is about to post already; ask again in a minute."
    );
    // Without the event, the next tick does it.
    assert_eq!(app.handle(&tick(), deadline).await.unwrap().posted, 1);
    let posts = texts(slack.world.posts(&id).await);
    assert_eq!(posts[3], "Good  evening, <all>!");
    assert_eq!(slack.world.tick_at(&app, 3).await.posted, 3);
    assert_eq!(texts(slack.world.posts(&id).await)[4], "apollo line 3");

    slack.flock("pause apollo").await;
    assert_eq!(
        slack.flock("now apollo").await,
        "**flock/apollo* does not: it is paused; resume it first. `/flock resume flock/apollo` resumes it."
    );
    assert_eq!(
        slack.flock("say apollo x").await,
        "**flock/apollo* does not: it is paused; resume it first. `/flock resume flock/apollo` resumes it."
    );
}

/// What `say` posts for what somebody typed into Slack, through the local one.
#[tokio::test]
async fn what_is_said_is_what_was_typed() {
    let mut slack = slack().await;
    let app = slack.world.app().await;
    let id = "flock/apollo".parse().unwrap();
    for (typed, text) in [
        ("👋🏼 hello ❤️", "👋🏼 hello ❤️"),
        (":wave::skin-tone-3: :tada: :our-own:", "👋🏼 🎉 :our-own:"),
        ("“Stay,” she said. “Stay.”", "“Stay,” she said. “Stay.”"),
        ("\"One quotation.\"", "\"One quotation.\""),
        ("see example.com & https://x.test/?a&b", "see example.com & https://x.test/?a&b"),
        ("me@example.com, @ada@example.com", "me@example.com, @ada@example.com"),
        ("\u{200b}<3  *bold*\u{feff}", "<3  *bold*"),
    ] {
        let shown = flock_slack::escape(text);
        assert_eq!(
            slack.flock(&format!("SAY *Apollo* {typed}")).await,
            format!("*flock/apollo* is going to say as `meadow:apollo`:\n{shown}")
        );
        slack.world.tick_at(&app, 0).await;
        let posts = slack.world.posts(&id).await;
        assert_eq!(posts.last().unwrap().text, text, "{typed:?}");
    }
    // Whatever marks are in it, people see the text and no bold or quotation, here and in Slack.
    for text in ["*bold* _x_ ~y~ `code` #1 &amp; :wave", "> quoted\n• one\n1. two\n```\nx\n```"] {
        let told = slack.flock(&format!("say apollo {text}")).await;
        assert!(told.starts_with("*flock/apollo* is going to say"), "{told}");
        slack.world.tick_at(&app, 0).await;
        assert_eq!(slack.world.posts(&id).await.last().unwrap().text, text);
        let message = slack.seen("U1", "C1").pop().unwrap();
        let shown = &message.blocks[1]["text"];
        assert_eq!((&shown["type"], &shown["emoji"]), (&json!("plain_text"), &json!(false)));
        assert_eq!(flock_slack::unescape(shown["text"].as_str().unwrap()), text);
        let names = local_slack::mrkdwn::Names::default();
        assert!(view::plain(&message, &names).ends_with(&format!(":\n{text}")), "{text}");
        let page = view::html(&message, &names, &[]).into_string();
        let page = page.split_once("</p>").unwrap().1;
        assert!(
            !["<b>", "<strong>", "<code>", "<blockquote>", "<pre>"]
                .iter()
                .any(|mark| page.contains(mark)),
            "{page}"
        );
    }
    // What only a client makes: a link with words of its own, a date, a name of several people.
    for (sent, text) in [
        ("<https://x.test/a|our poems>", "our poems (https://x.test/a)"),
        ("<!date^1392734382^{date}|18 Feb> <!subteam^S1|@poets>", "18 Feb @poets"),
    ] {
        let body = slash_body("U1", "C1", &format!("say apollo {sent}"), sent);
        let now = slack.world.clock.now().to_string();
        let answer = slack.send_at("/slack/commands", &body, &now).await;
        assert_eq!(answer.status(), 200);
        slack.world.tick_at(&app, 0).await;
        assert_eq!(slack.world.posts(&id).await.last().unwrap().text, text);
    }
    assert!(
        slack
            .flock("say apollo \u{200b}")
            .await
            .contains("`/flock say &lt;sheep&gt; &lt;text...&gt;`")
    );
}

/// However people write a command that means one thing.
#[tokio::test]
async fn a_command_is_understood_as_people_write_it() {
    let mut slack = slack().await;
    let shown = slack.flock("show flock/apollo").await;
    for line in [
        "Show Apollo",
        "SHOW FLOCK/APOLLO",
        "show “apollo”",
        "show ‘Apollo’",
        "*show* *flock/apollo*",
        "show `apollo`",
        "`/flock show apollo`",
        "*show apollo*",
        "\u{200b}show\u{2060} \u{feff}apollo\u{200d}",
        "show apollo,",
        "Show, *apollo*?",
        "show “apollo”!",
        "`show apollo.`",
    ] {
        assert_eq!(slack.flock(line).await, shown, "{line:?}");
    }
    let mention = slack.enter("U1", "C1", "*@flockwork*, `show apollo`").await;
    assert_eq!(mention, shown);
    for rhythm in ["2H “1D”", "2 hours 1 day", "every two hours, then a day."] {
        let told = slack.flock(&format!("rhythm Apollo {rhythm}")).await;
        assert!(told.starts_with("*flock/apollo* posts every 2h, pause 1d"), "{told}");
    }
    let told = slack.flock("rhythm apollo every 2 hours 30 minutes").await;
    assert!(told.starts_with("*flock/apollo* posts every 2h 30m"), "{told}");
    let told = slack.flock("rhythm apollo now and then").await;
    insta::assert_snapshot!(told, @"*That is no rhythm: line: `now` is not a length of time; write it as 30s, 3m, 2h or 1d.");
    assert_eq!(slack.enter("U1", "C1", "@flockwork! alive?").await, "*Yes.");
    assert_eq!(slack.enter("U1", "C1", "/Flock alive?").await, "*Yes.");
    assert_eq!(slack.flock("help!").await, slack.flock("").await);
    assert_eq!(slack.flock("sheep FLOCK").await, slack.flock("sheep").await);
    assert!(slack.flock("Pause Flock/*").await.contains("[Pause the flock]"));
    assert_eq!(
        slack.flock("Level Add *Elder* `5`").await,
        "This room has a level `elder` now, with rank 5. It is the highest, so those who had the highest have it."
    );
    let granted = slack.flock("grant cyd, shepherd.").await;
    assert!(granted.ends_with("<@U3> is `shepherd` in this room now."), "{granted}");
    let granted = slack.flock("grant u2 SHEPHERD").await;
    assert!(granted.ends_with("<@U2> is `shepherd` in this room now."), "{granted}");
    assert_eq!(slack.flock("networks “X”").await, slack.flock("networks x").await);
}

/// What costs is asked about, with what it is, where it goes and what it costs.
#[tokio::test]
async fn what_costs_is_said_after_a_question() {
    let mut slack = Slack::start().await;
    let id = slack.world.sheep("apollo", Network::X, 40).await;
    let flock: FlockName = "flock".parse().unwrap();
    let cap =
        |cap: &str| Flock { monthly_cap: Some(cap.parse().unwrap()), ..Flock::new(flock.clone()) };
    slack.world.store.put_flock(&cap("1.00")).await.unwrap();
    let app = slack.world.app().await;
    let mut told = Vec::new();
    told.push(slack.flock("say apollo Good evening :wave:").await);
    assert!(slack.world.read(&id).await.intent.is_none(), "a question posts nothing");
    told.push(slack.press("U1", "C1", "Post it").await);
    assert_eq!(slack.world.tick_at(&app, 0).await.posted, 1);
    told.push(slack.flock("say apollo see example.com").await);
    told.push(slack.press("U1", "C1", "Cancel").await);
    slack.world.store.put_flock(&cap("0.10")).await.unwrap();
    told.push(slack.flock("say apollo see example.com").await);
    slack.flock("pause apollo").await;
    told.push(slack.press("U1", "C1", "Post it").await);
    told.push(slack.flock("say apollo hello").await);
    insta::assert_snapshot!(told.join("\n"), @r"
    *This posts the text below through *flock/apollo* as `x:apollo`, for $0.015.
    The flock *flock* has spent $0.00 of the $1.00 it may spend in 2026-03.
    The button works for 5 minutes.
    Good evening 👋 [Post it] [Cancel]
    *flock/apollo* is going to say as `x:apollo`, for $0.015:
    Good evening 👋
    *This posts the text below through *flock/apollo* as `x:apollo`, for $0.20, because it has a link.
    The flock *flock* has spent $0.015 of the $1.00 it may spend in 2026-03.
    The button works for 5 minutes.
    see example.com [Post it] [Cancel]
    *Nothing was done.
    *This posts the text below through *flock/apollo* as `x:apollo`, for $0.20, because it has a link.
    The flock *flock* has spent $0.015 of the $0.10 it may spend in 2026-03, so the post would wait until the month is over, or until the cap is raised.
    The button works for 5 minutes.
    see example.com [Post it] [Cancel]
    **flock/apollo* does not: it is paused; resume it first. `/flock resume flock/apollo` resumes it.
    **flock/apollo* does not: it is paused; resume it first. `/flock resume flock/apollo` resumes it.
    ");
    assert_eq!(slack.world.posts(&id).await.last().unwrap().text, "Good evening 👋");
}

#[tokio::test]
async fn a_number_is_made_or_next_or_to_come() {
    let mut slack = slack().await;
    let app = slack.world.app().await;
    slack.world.tick_at(&app, 0).await;
    let before = slack.world.read(&"flock/apollo".parse().unwrap()).await;
    let mut told = Vec::new();
    for line in ["now apollo 1", "now apollo 3", "now apollo 999", "now apollo 0", "now apollo two"]
    {
        told.push(format!("> {line}\n{}", slack.flock(line).await));
    }
    for number in ["1", "2", "3", "999", "0", "-1"] {
        let said = slack.flock(&format!("sent apollo {number}")).await;
        assert_eq!(slack.flock(&format!("send-again apollo {number}")).await, said);
        told.push(format!("> sent apollo {number}\n{said}"));
    }
    insta::assert_snapshot!(told.join("\n"), @"
    > now apollo 1
    **flock/apollo* does not: it is past number 1 already; its next is 2.
    > now apollo 3
    **flock/apollo* does not: it has not come to number 3; its next is 2.
    > now apollo 999
    **flock/apollo* does not: it has not come to number 999; its next is 2.
    > now apollo 0
    *`0` is not the number of a post; `/flock show apollo` says which is next.
    > now apollo two
    *`two` is not the number of a post; `/flock show apollo` says which is next.
    > sent apollo 1
    *It is known by now what became of post 1 of flock/apollo: nothing is open with that number, and the next is 2.
    > sent apollo 2
    *Post 2 of flock/apollo counts as not sent and is still to be made, so there is nothing to decide.
    > sent apollo 3
    **flock/apollo* has not come to number 3; its next is 2.
    > sent apollo 999
    **flock/apollo* has not come to number 999; its next is 2.
    > sent apollo 0
    *`0` is not the number of a post; `/flock show apollo` says which is next.
    > sent apollo -1
    *`-1` is not the number of a post; `/flock show apollo` says which is next.
    ");
    assert_eq!(slack.world.read(&before.id).await, before);
    assert_eq!(slack.flock("now apollo 2").await, "*flock/apollo* posts its next line now.");
}

/// A sheep of a flock whose days are over an hour after the start.
async fn ends_soon(slack: &Slack, name: &str) -> flock_core::SheepId {
    let end = Some("2026-03-02T13:00".to_owned());
    let rhythm = RhythmFields { end, ..RhythmFields::default() };
    slack.world.sheep_with(name, Network::Meadow, 40, &rhythm).await
}

#[tokio::test]
async fn what_has_ended_is_not_said_to_go_on() {
    let mut slack = slack().await;
    let app = slack.world.app().await;
    let ids = [ends_soon(&slack, "leto").await, ends_soon(&slack, "maia").await];
    slack.flock("pause leto").await;
    slack.world.tick_at(&app, 90).await;
    slack.world.tick_at(&app, 91).await;
    let [leto, maia] = &ids;
    assert_eq!(slack.world.read(maia).await.state.name(), "finished");
    assert_eq!(slack.world.read(leto).await.state.name(), "paused");
    let mut told = Vec::new();
    for line in [
        "resume leto",
        "resume leto",
        "pause leto",
        "now leto",
        "say leto hello",
        "resume maia",
        "pause maia",
        "resume apollo",
        "resume flock",
        "pause flock",
    ] {
        told.push(format!("> {line}\n{}", slack.flock(line).await));
    }
    told.push(slack.press("U1", "C1", "Pause the flock").await);
    for line in ["pause flock", "resume flock", "resume flock"] {
        told.push(format!("> {line}\n{}", slack.flock(line).await));
    }
    insta::assert_snapshot!(told.join("\n"), @"
    > resume leto
    *flock/leto* has finished, because its `end` has come; apply its flock with a later one to let it go on.
    > resume leto
    **flock/leto* has finished, because its `end` has come; apply its flock with a later one to let it go on.
    > pause leto
    **flock/leto* has finished, because its `end` has come; apply its flock with a later one to let it go on.
    > now leto
    **flock/leto* does not: it has finished, because its `end` has come; apply its flock with a later one to let it go on.
    > say leto hello
    **flock/leto* does not: it has finished, because its `end` has come; apply its flock with a later one to let it go on.
    > resume maia
    **flock/maia* has finished, because its `end` has come; apply its flock with a later one to let it go on.
    > pause maia
    **flock/maia* has finished, because its `end` has come; apply its flock with a later one to let it go on.
    > resume apollo
    **flock/apollo* is active already.
    > resume flock
    *Nothing to do for the flock *flock*, 5 sheep (3 active already, 2 finished).
    > pause flock
    *This pauses the flock *flock*, 5 sheep (2 finished). While a sheep is paused it posts nothing, and what is due then is left out; resumed, it goes on in its text where it was.
    The button works for 5 minutes. [Pause the flock] [Cancel]
    Paused the flock *flock*, 5 sheep (2 finished).
    > pause flock
    *Nothing to do for the flock *flock*, 5 sheep (2 finished, 3 paused already).
    > resume flock
    Resumed the flock *flock*, 5 sheep (2 finished).
    > resume flock
    *Nothing to do for the flock *flock*, 5 sheep (3 active already, 2 finished).
    ");
}

/// Its post may be there, and nobody would ever look.
#[tokio::test]
async fn what_was_open_when_its_end_came_is_found_out_when_it_is_resumed() {
    let mut slack = Slack::start().await;
    let end = Some("2026-03-02T13:00".to_owned());
    let rhythm = RhythmFields { end, ..RhythmFields::default() };
    let id = slack.world.sheep_with("apollo", Network::X, 3, &rhythm).await;
    let app = slack.world.app().await;
    slack.world.x.misbehave(Misbehave::AcceptThen500);
    assert_eq!(slack.world.tick_at(&app, 0).await.unknown, 1);
    slack.flock("pause apollo").await;
    assert_eq!(slack.world.tick_at(&app, 90).await.posted, 0);
    assert_eq!(slack.flock("resume apollo").await, "Resumed *flock/apollo*.");
    assert_eq!(slack.world.tick_at(&app, 91).await.posted, 1);
    assert_eq!(slack.world.seen(&id).await, ["apollo line 0"], "it was there, and nothing more is");
    assert_eq!(slack.world.posts(&id).await.len(), 1);
    let told = slack.flock("resume apollo").await;
    assert!(
        told.starts_with("**flock/apollo* has finished, because its `end` has come; "),
        "{told}"
    );
}

#[tokio::test]
async fn what_is_decided_for_a_paused_sheep_waits_until_it_is_resumed() {
    for (command, button, waits) in
        [("sent", None, false), ("send-again", Some("Send it again"), true)]
    {
        let mut slack = Slack::start().await;
        let id = slack.world.sheep("apollo", Network::X, 3).await;
        let app = slack.world.app().await;
        slack.world.x.misbehave(Misbehave::AcceptThen500);
        assert_eq!(slack.world.tick_at(&app, 0).await.unknown, 1);
        slack.flock("pause apollo").await;
        let mut told = slack.flock(&format!("{command} apollo 1")).await;
        if let Some(button) = button {
            told = slack.press("U1", "C1", button).await;
        }
        assert!(told.contains("he sheep goes on once it is resumed: it is paused."), "{told}");
        assert_eq!(slack.world.read(&id).await.intent.is_some(), waits);
        assert_eq!(slack.world.tick_at(&app, 9).await.posted, 0);
    }
}

#[tokio::test]
async fn a_rhythm_can_be_changed() {
    let mut slack = slack().await;
    let told = slack.flock("rhythm apollo 4h 2d").await;
    assert!(
        told.starts_with("*flock/apollo* posts every 4h, pause 2d, next 2026-03-02 "),
        "{told}"
    );
    let told = slack.flock("rhythm apollo often").await;
    assert!(told.starts_with("*That is no rhythm: "), "{told}");
    slack.flock("pause apollo").await;
    let told = slack.flock("rhythm apollo 5h").await;
    let waits = "every 5h, pause 2d; it goes on once it is resumed: it is paused. Before: every 4h, pause 2d. When its files ";
    assert!(told.contains(waits), "{told}");
}

/// Nobody loses the times of a rhythm without a word.
#[tokio::test]
async fn another_rhythm_says_which_it_was_before() {
    let mut slack = Slack::start().await;
    let fields = RhythmFields {
        at: vec!["09:00".to_owned(), "17:30".to_owned()],
        days: vec!["mon".to_owned()],
        ..RhythmFields::default()
    };
    slack.world.sheep_that_says("apollo", Network::Meadow, &["one".to_owned()], &fields).await;
    let filters = vec![(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "TIME")];
    let told = [slack.flock("rhythm apollo 2h").await, slack.flock("rhythm apollo 2h").await];
    insta::with_settings!({ filters => filters }, {
        insta::assert_snapshot!(told.join("\n"), @"
        *flock/apollo* posts every 2h, next TIME UTC. Before: at 09:00 17:30, mon. When its files are applied again, they put back what they say.
        *flock/apollo* posts every 2h, next TIME UTC. When its files are applied again, they put back what they say.
        ");
    });
}

/// Whoever takes a flock for a sheep is told which sheep it has.
#[tokio::test]
async fn a_flock_is_no_sheep() {
    let mut slack = slack().await;
    for number in 0..4 {
        slack.world.sheep(&format!("muse-{number}"), Network::Meadow, 1).await;
    }
    let mut told = Vec::new();
    for line in ["show flock", "now Flock", "rhythm flock 2h"] {
        told.push(slack.flock(line).await);
    }
    insta::assert_snapshot!(told.join("\n"), @"
    *`flock` is a flock, no sheep; its sheep are flock/apollo, flock/hermes, flock/muse-0, flock/muse-1, flock/muse-2 and 2 more.
    *`flock` is a flock, no sheep; its sheep are flock/apollo, flock/hermes, flock/muse-0, flock/muse-1, flock/muse-2 and 2 more.
    *`flock` is a flock, no sheep; its sheep are flock/apollo, flock/hermes, flock/muse-0, flock/muse-1, flock/muse-2 and 2 more.
    ");
}

/// Texts are shown as they will be posted, whatever marks are in them.
#[tokio::test]
async fn texts_in_lists_are_shown_to_the_letter() {
    let mut slack = Slack::start().await;
    let text = ["*bold*, _x_ ~y~ `z` :wave: <@U1> & > quoted".to_owned(), "b".to_owned()];
    slack.world.sheep_that_says("apollo", Network::Meadow, &text, &RhythmFields::default()).await;
    let app = slack.world.app().await;
    let mut told = vec![slack.flock("preview apollo 1").await];
    slack.world.tick_at(&app, 0).await;
    told.push(slack.flock("posts").await);
    let line = &text[0];
    for told in told {
        assert!(told.ends_with(&format!("*flock/apollo* {line}")), "{told}");
    }
    // As who looks at the room sees it.
    let seen = slack.seen("U1", "C1");
    let posts = seen.last().unwrap();
    let (plain, html) =
        (view::plain(posts, &Names::default()), view::html(posts, &Names::default(), &[]));
    assert!(plain.ends_with(&format!("flock/apollo {line}")), "{plain}");
    let html = html.into_string();
    let exact = "</strong> *bold*, _x_ ~y~ `z` :wave: &lt;@U1&gt; &amp; &gt; quoted</p>";
    assert!(html.contains(&format!("<strong>flock/apollo{exact}")), "{html}");
    // And who is notified.
    assert!(posts.text.ends_with("&lt;@U1&gt; &amp; &gt; quoted"), "{}", posts.text);
}

#[tokio::test]
async fn the_buttons_of_a_sheep_work_for_those_who_may() {
    let mut slack = slack().await;
    assert!(slack.enter("U2", "C1", "/flock show apollo").await.ends_with(" [Post now] [Pause]"));
    assert!(slack.press("U2", "C1", "Pause").await.contains("`pause` needs at least `shepherd`"));
    slack.flock("show apollo").await;
    assert_eq!(slack.press("U1", "C1", "Pause").await, "Paused *flock/apollo*.");
    assert_eq!(slack.press("U1", "C1", "Pause").await, "**flock/apollo* is paused already.");
    assert!(slack.flock("show apollo").await.ends_with(" [Resume]"));
}

#[tokio::test]
async fn what_others_wrote_rings_nobody() {
    let mut slack = slack().await;
    let app = slack.world.app().await;
    // Whom Slack names by an id alone, nobody elsewhere knows.
    let told = slack.flock("say apollo hi <@U2>").await;
    assert!(told.contains("Slack has told me U2 and not the name that was typed"), "{told}");
    slack.flock("say apollo <!channel> *bold*").await;
    slack.world.tick_at(&app, 1).await;
    assert_eq!(
        slack.world.posts(&"flock/apollo".parse().unwrap()).await[0].text,
        "<!channel> *bold*"
    );
    let shown = slack.flock("posts apollo").await;
    // To the letter: nothing in it is bold, and it rings nobody.
    let exact = |message: &Message| {
        message.blocks.iter().any(|block| {
            block["type"] == "rich_text"
                && block["elements"][0]["elements"][2]
                    == json!({ "type": "text", "text": " <!channel> *bold*" })
        })
    };
    assert!(slack.seen("U1", "C1").last().is_some_and(exact), "{shown}");
    let show = slack.flock("preview apollo 1").await;
    assert!(show.contains("*flock/apollo* "), "{show}");
    let told = slack.flock("<!channel>`x`").await;
    assert!(!told.contains('<'), "{told}");
}

#[tokio::test]
async fn a_long_list_is_read_a_screen_at_a_time() {
    let mut slack = Slack::start().await;
    let rhythm = RhythmFields { line: Some("1d".to_owned()), ..RhythmFields::default() };
    for number in 0..450 {
        let name = format!("a-sheep-with-quite-a-long-name-{number:04}");
        slack.world.sheep_with(&name, Network::Meadow, 1, &rhythm).await;
    }
    let number = |shown: &str| {
        let names = shown.split("*flock/a-sheep-with-quite-a-long-name-").skip(1);
        names.map(|rest| rest[..4].parse().unwrap()).collect::<Vec<usize>>()
    };
    let mut page = slack.flock("sheep").await;
    let there = slack.seen("U1", "C1").len();
    assert!(page.ends_with("\n1-20 of 450. More: `/flock sheep 2` [More]"), "{page}");
    let mut seen = number(&page);
    for _ in 1..23 {
        page = slack.press("U1", "C1", "More").await;
        assert!(page.lines().count() <= 22, "{page}");
        seen.extend(number(&page));
    }
    assert_eq!(seen, (0..450).collect::<Vec<_>>());
    assert!(page.ends_with("\n441-450 of 450. Back: `/flock sheep 22` [Back]"), "{page}");
    let back = slack.press("U1", "C1", "Back").await;
    assert_eq!(number(&back), (420..440).collect::<Vec<_>>());
    assert!(back.ends_with(" [Back] [More]"), "{back}");
    assert_eq!(slack.seen("U1", "C1").len(), there, "a page takes the place of the one before");
    // The same without buttons, of a flock as of all.
    assert_eq!(number(&slack.flock("sheep flock 22").await), (420..440).collect::<Vec<_>>());
    let typed = slack.flock("sheep 23").await;
    assert_eq!(number(&typed), (440..450).collect::<Vec<_>>());
    for gone in ["sheep 24", "sheep 9999"] {
        let shown = slack.flock(gone).await;
        assert!(shown.starts_with("*There is no page "), "{shown}");
        assert_eq!(number(&shown), (440..450).collect::<Vec<_>>());
    }
    assert_eq!(slack.flock("sheep flock 0").await, "*`0` is not the number of a page.");
    assert_eq!(slack.flock("sheep flock two").await, "*`two` is not the number of a page.");
    // A number is a page, whatever is called so.
    slack.world.sheep_with("2", Network::Meadow, 1, &rhythm).await;
    let page = slack.flock("posts 2").await;
    assert!(page.contains("Nothing has been posted yet."), "{page}");
}

/// The list is as it is when its button is pressed, whoever presses it and whatever is behind it.
#[tokio::test]
async fn a_button_of_a_list_stands_for_no_more_than_its_page() {
    let mut slack = Slack::start().await;
    for number in 0..45 {
        slack.world.sheep(&format!("s{number:02}"), Network::Meadow, 1).await;
    }
    slack.flock("sheep").await;
    slack.press("U1", "C1", "More").await;
    let last = slack.press("U1", "C1", "More").await;
    assert!(last.contains("\n41-45 of 45. "), "{last}");
    // The page is gone that a button stands for.
    slack.press("U1", "C1", "Back").await;
    let now = slack.world.clock.now();
    for number in 10..45 {
        let id = format!("flock/s{number:02}").parse().unwrap();
        slack.world.store.remove_sheep(&slack.world.read(&id).await, now).await.unwrap();
    }
    let shown = slack.press("U1", "C1", "More").await;
    assert!(shown.starts_with("*There is no page 3: it is one page now. The last:\n"), "{shown}");
    assert!(shown.contains("*flock/s09*") && !shown.contains('['), "{shown}");
    // What only shepherds see is not to be had by a button.
    for number in 0..25 {
        slack.flock(&format!("level add l{number} {}", 5 + number)).await;
    }
    slack.flock("audit").await;
    let older = slack.value("U1", "C1", "Older");
    assert_eq!(older, "audit 100 2");
    let page = slack.press("U1", "C1", "Older").await;
    assert!(
        page.starts_with("*Times are in UTC.\n12:0") && page.contains("`level add l4 9`"),
        "{page}"
    );
    assert!(page.ends_with("\n21-25. Newer: `/flock audit 100 1` [Newer]"), "{page}");
    slack.offer("C1", "Older entries", "page-after", &older).await;
    let told = slack.press("U3", "C1", "Older entries").await;
    assert!(told.starts_with("*`audit` needs at least "), "{told}");
    // Nor does such a button do anything.
    let before = slack.table().await;
    for forged in ["pause flock", "stop", "sandwich", "sheep 1 2 3", ""] {
        slack.offer("C1", "Forged", "page-after", forged).await;
        let told = slack.press("U1", "C1", "Forged").await;
        assert_eq!(told, "*There is no list behind that button. Nothing was done.", "{forged}");
    }
    assert_eq!(slack.table().await, before);
}

/// Whoever posted last, and however many they are.
#[tokio::test]
async fn posts_of_a_large_flock_are_read_newest_first() {
    let mut slack = Slack::start().await;
    let mut ids = Vec::new();
    for number in 0..301 {
        ids.push(slack.world.sheep(&format!("s{number:03}"), Network::Meadow, 9).await);
    }
    let app = slack.world.app().await;
    for minute in [0, 3] {
        assert_eq!(slack.world.tick_at(&app, minute).await.posted, 301);
    }
    slack.world.clock.step_to(slack.world.clock.now() + SignedDuration::from_secs(1));
    slack.flock("say s007 A word\nof its own").await;
    slack.world.clock.step_to(slack.world.clock.now() + SignedDuration::from_secs(1));
    slack.flock("say s100 and the last").await;
    assert_eq!(slack.world.tick_at(&app, 4).await.posted, 2);
    let mut posts = Vec::new();
    for id in &ids {
        posts.extend(slack.world.posts(id).await);
    }
    posts.sort_by(|a, b| b.by_time(a));
    let newest: Vec<_> = posts.iter().take(2).map(|post| (post.at, &*post.text)).collect();
    assert!(matches!(&*newest, [(_, "and the last"), (_, "A word\nof its own")]), "{newest:?}");
    let expected: Vec<_> = posts
        .iter()
        .map(|post| format!(" *{}* {}", post.sheep, post.text.replace('\n', " / ")))
        .collect();
    let lines = |shown: &str| {
        let lines = shown.lines().filter(|line| line.contains("*flock/s"));
        lines.map(|line| line[line.find(" *flock").unwrap()..].to_owned()).collect::<Vec<_>>()
    };
    let shown = slack.flock("posts").await;
    let begins = "*I am looking for the newest posts of 301 sheep.\n*Times are in UTC.\n12:0";
    assert!(shown.starts_with(begins), "{shown}");
    assert!(shown.ends_with("\n1-20. Older: `/flock posts 2` [Older]"), "{shown}");
    assert_eq!(lines(&shown), expected[..20]);
    let there = slack.seen("U1", "C1").len();
    let older = slack.press("U1", "C1", "Older").await;
    assert_eq!(slack.seen("U1", "C1").len(), there, "in the place of the page before");
    assert!(older.ends_with("\n21-40. Older: `/flock posts 3` [Newer] [Older]"), "{older}");
    assert_eq!(lines(&older), expected[20..40]);
    assert_eq!(lines(&slack.flock("posts flock 31").await), expected[600..]);
    assert_eq!(lines(&slack.flock("posts flock/* 2").await), expected[20..40]);
    let end = slack.flock("posts 32").await;
    assert!(
        end.ends_with(
            "*There is no page 32: the list ends before.\nNewer: `/flock posts 31` [Newer]"
        ),
        "{end}"
    );
    let of_one = slack.flock("posts s007").await;
    assert_eq!(lines(&of_one).len(), 3, "{of_one}");
    assert!(!of_one.contains('['), "{of_one}");
    assert_eq!(slack.flock("posts 101").await, "*Posts are listed up to page 100.");
}

/// What is long in one line is cut where people see it, so that a page stays one message.
#[tokio::test]
async fn a_page_of_long_texts_is_one_message() {
    let mut slack = Slack::start().await;
    let text: Vec<_> = (0..25).map(|n| format!("{n} {}", "<a & b> \"c\" ".repeat(30))).collect();
    slack.world.sheep_that_says("apollo", Network::Meadow, &text, &RhythmFields::default()).await;
    let app = slack.world.app().await;
    for number in 0..25 {
        assert_eq!(slack.world.tick_at(&app, 3 * number).await.posted, 1);
    }
    let before = slack.seen("U1", "C1").len();
    let shown = slack.flock("posts apollo").await;
    // What was typed, and the answer.
    assert_eq!(slack.seen("U1", "C1").len(), before + 2);
    assert_eq!(shown.lines().filter(|line| line.ends_with('…')).count(), 20, "{shown}");
    let older = slack.press("U1", "C1", "Older").await;
    assert!(older.contains("*flock/apollo* 0 <a & b> \"c\" "), "{older}");
    assert!(!older.contains('…'), "what fits is whole: {older}");
}

#[tokio::test]
async fn what_costs_is_posted_at_once_after_a_question() {
    let mut slack = Slack::start().await;
    let text = ["a", "b", "see example.com", "no link"].map(str::to_owned);
    let rhythm = RhythmFields::default();
    let id = slack.world.sheep_that_says("apollo", Network::X, &text, &rhythm).await;
    let app = slack.world.app().await;
    assert_eq!(slack.world.tick_at(&app, 0).await.posted, 1);
    let mut told = Vec::new();
    told.push(slack.flock("now apollo").await);
    // The line that was asked about is made meanwhile, and the next one has another price.
    assert_eq!(slack.world.tick_at(&app, 3).await.posted, 1);
    told.push(slack.press("U1", "C1", "Post it").await);
    slack.flock("show apollo").await;
    told.push(slack.press("U1", "C1", "Post now").await);
    told.push(slack.press("U1", "C1", "Cancel").await);
    assert_eq!(slack.world.read(&id).await.progress.owed, 0, "a question posts nothing");
    slack.flock("now apollo").await;
    told.push(slack.press("U1", "C1", "Post it").await);
    assert_eq!(slack.world.tick_at(&app, 4).await.posted, 1, "{told:#?}");
    told.push(slack.flock("now apollo 2").await);
    // Who resumes what is due reads what that costs; what is due later costs nothing yet.
    slack.flock("pause apollo").await;
    told.push(slack.flock("resume apollo").await);
    slack.flock("pause apollo").await;
    slack.world.clock.step_to(slack.world.clock.now() + SignedDuration::from_mins(9));
    told.push(slack.flock("resume apollo").await);
    insta::assert_snapshot!(told.join("\n"), @"
    *This posts the text below through *flock/apollo* as `x:apollo`, for $0.015.
    The flock *flock* has spent $0.015 of the $1000.00 it may spend in 2026-03.
    The button works for 5 minutes.
    b [Post it] [Cancel]
    **flock/apollo* does not: it is past number 2 already; its next is 3.
    *This posts the text below through *flock/apollo* as `x:apollo`, for $0.20, because it has a link.
    The flock *flock* has spent $0.03 of the $1000.00 it may spend in 2026-03.
    The button works for 5 minutes.
    see example.com [Post it] [Cancel]
    *Nothing was done.
    *flock/apollo* posts its next line now, for $0.20.
    **flock/apollo* does not: it is past number 2 already; its next is 4.
    Resumed *flock/apollo*.
    Resumed *flock/apollo*. 1 post is due at once, for $0.015.
    ");
}

#[tokio::test]
async fn who_misspells_a_flock_is_asked_whether_they_meant_it() {
    let mut slack = slack().await;
    for (line, told) in [
        ("pause flokc", "*There is no sheep and no flock `flokc`; did you mean `flock`?"),
        ("preview appolo", "*There is no sheep and no flock `appolo`; did you mean `apollo`?"),
        ("posts flokc/*", "*There is no flock `flokc`; did you mean `flock`?"),
        ("sheep flokc", "*There is no flock `flokc`; did you mean `flock`?"),
        ("spend flokc", "*There is no flock `flokc`; did you mean `flock`?"),
        ("sheep other", "*There is no flock `other`; there are: flock."),
    ] {
        let said = slack.flock(line).await;
        assert!(said.starts_with(told), "{line}: {said}");
    }
}

#[tokio::test]
async fn people_decide_what_nobody_knows() {
    let mut slack = Slack::start().await;
    let id = slack.world.sheep("apollo", Network::X, 3).await;
    let app = slack.world.app().await;
    slack.world.x.misbehave(Misbehave::AcceptThen500);
    let report = slack.world.tick_at(&app, 0).await;
    assert_eq!(report.unknown, 1);
    // The control room is told, once.
    let before = slack.seen("U1", "C2");
    let mut events = Vec::new();
    while let Ok(event) = slack.world.events.try_recv() {
        events.push(json!({ "detail-type": event.detail_type, "detail": event.detail }));
    }
    for event in events.iter().chain(&events) {
        slack.app.handle(event, far_deadline()).await.unwrap();
    }
    let after = slack.seen("U1", "C2");
    assert_eq!(after.len(), before.len() + 1);
    assert!(slack.enter("U2", "C2", "/flock sent apollo 1").await.contains("needs at least"));
    assert_eq!(
        slack.press("U1", "C2", "Sent").await,
        "Post 1 of *flock/apollo* counts as sent, and the sheep goes on."
    );
    let sheep = slack.world.read(&id).await;
    assert_eq!((sheep.intent, sheep.progress.occurrence.0), (None, 2));
    assert_eq!(slack.world.posts(&id).await.len(), 1);
    assert!(slack.press("U1", "C2", "Send again").await.contains("known by now"));
}

#[tokio::test]
async fn what_is_sent_again_while_it_is_looked_for_is_asked_first() {
    let mut slack = Slack::start().await;
    let id = slack.world.sheep("apollo", Network::X, 3).await;
    let app = slack.world.app().await;
    slack.world.x.misbehave(Misbehave::AcceptThen500);
    assert_eq!(slack.world.tick_at(&app, 0).await.unknown, 1);
    while let Ok(event) = slack.world.events.try_recv() {
        let event = json!({ "detail-type": event.detail_type, "detail": event.detail });
        slack.app.handle(&event, far_deadline()).await.unwrap();
    }
    let filters = [(r"\d\d:\d\d:\d\d", "HH:MM:SS")];
    let asked = slack.press("U1", "C2", "Send again").await;
    insta::with_settings!({ filters => filters }, {
        insta::assert_snapshot!(asked, @r"
        *The network may have post 1 of *flock/apollo* all the same, and then it is there twice. The look for it has not come to an end: the next one is at HH:MM:SS UTC (in 1 min), and if the post is not there, it is sent again by itself.
        The button works for 5 minutes. [Send it again] [Cancel]
        ");
    });
    // Asking alone sends nothing, and the look goes on.
    let sent = |sheep: &flock_core::Sheep| sheep.intent.as_ref().map(|intent| intent.errand.sent);
    assert_eq!(sent(&slack.world.read(&id).await), Some(flock_core::Sent::Maybe));
    assert_eq!(
        slack.press("U1", "C2", "Send it again").await,
        "Post 1 of *flock/apollo* is sent again."
    );
    assert_eq!(sent(&slack.world.read(&id).await), Some(flock_core::Sent::No));
    let log = slack.enter("U1", "C2", "/flock audit").await;
    assert!(log.contains("<@U1> in <#C2>: `send-again flock/apollo 1` - done"), "{log}");
    assert!(log.contains("`send-again flock/apollo 1` - asked whether they are sure"), "{log}");
    // What was decided in between is not decided again.
    let told = slack.enter("U1", "C2", "/flock send-again apollo 1").await;
    assert_eq!(
        told,
        "*Post 1 of flock/apollo counts as not sent and is still to be made, so there is nothing to decide."
    );
}

#[tokio::test]
async fn a_sheep_that_stops_says_why_and_can_be_resumed() {
    let mut slack = Slack::start().await;
    let id = slack.world.sheep("apollo", Network::X, 3).await;
    let app = slack.world.app().await;
    slack.world.x.misbehave(Misbehave::Forbidden("Your account is suspended".to_owned()));
    assert_eq!(slack.world.tick_at(&app, 0).await.stopped, 1);
    let event = slack.world.events.try_recv().unwrap();
    let event = json!({ "detail-type": event.detail_type, "detail": event.detail });
    slack.app.handle(&event, far_deadline()).await.unwrap();
    let told = slack.seen("U3", "C2").pop().unwrap();
    assert!(told.text.starts_with("*flock/apollo* has stopped at its post 1: "), "{}", told.text);
    slack.press("U1", "C2", "Resume").await;
    assert!(slack.world.read(&id).await.next_at().is_some());
}

#[tokio::test]
async fn the_control_room_hears_of_the_spending_once() {
    let mut slack = Slack::start().await;
    for number in 0..12 {
        slack.world.sheep(&format!("sheep-{number}"), Network::X, 3).await;
    }
    let flock: FlockName = "flock".parse().unwrap();
    let cap = Some("0.15".parse().unwrap());
    let flock = Flock { monthly_cap: cap, ..Flock::new(flock) };
    slack.world.store.put_flock(&flock).await.unwrap();
    let app = slack.world.app().await;
    assert_eq!(slack.world.tick_at(&app, 0).await.posted, 10);
    let before = slack.seen("U1", "C2").len();
    while let Ok(event) = slack.world.events.try_recv() {
        let event = json!({ "detail-type": event.detail_type, "detail": event.detail });
        slack.app.handle(&event, far_deadline()).await.unwrap();
    }
    let told: Vec<_> = slack.seen("U1", "C2").split_off(before);
    assert_eq!(told.len(), 2, "{told:?}");
    let near = told.iter().filter(|told| told.text.ends_with("may spend in 2026-03.")).count();
    assert_eq!(near, 1, "{told:?}");
    assert!(
        told.iter().any(|told| told.text.contains("waits until the month is over")),
        "{told:?}"
    );
}

#[tokio::test]
async fn the_control_room_hears_of_a_network_that_is_away_for_hours() {
    let mut slack = Slack::start().await;
    let id = slack.world.sheep("apollo", Network::X, 3).await;
    let app = slack.world.app().await;
    let (mut minute, mut last) = (0, 0);
    for _ in 0..8 {
        last = minute;
        slack.world.x.misbehave(Misbehave::RateLimitedForHowLong);
        slack.world.tick_at(&app, minute).await;
        assert!(slack.world.seen(&id).await.is_empty());
        let next = slack.world.read(&id).await.next_at().unwrap();
        minute = next.duration_since(crate::world::ts(crate::world::START)).as_mins() + 1;
    }
    assert!((120..180).contains(&last), "{last}");
    let before = slack.seen("U1", "C2").len();
    let event = slack.world.events.try_recv().unwrap();
    assert!(slack.world.events.try_recv().is_err());
    let event = json!({ "detail-type": event.detail_type, "detail": event.detail });
    slack.app.handle(&event, far_deadline()).await.unwrap();
    let told = slack.seen("U1", "C2").split_off(before);
    let text = &told[0].text;
    assert!(text.starts_with("*flock/apollo* has not been able to make its post 1 for"), "{text}");
    slack.world.tick_at(&app, minute).await;
    assert_eq!(slack.world.seen(&id).await, ["apollo line 0"]);
}

/// An answer has one zone and says it once; what is not today's has its date, and what stays in a room the whole of it.
#[tokio::test]
async fn times_are_in_the_zone_of_their_sheep() {
    let mut slack = Slack::start().await;
    let rhythm = |line: &str, zone: &str| RhythmFields {
        line: Some(line.to_owned()),
        time_zone: Some(zone.to_owned()),
        ..RhythmFields::default()
    };
    for (name, line, zone) in [("apollo", "2h", "Asia/Tokyo"), ("hermes", "2d", "Asia/Tokyo")] {
        slack.world.sheep_with(name, Network::Meadow, 9, &rhythm(line, zone)).await;
    }
    let app = slack.world.app().await;
    assert_eq!(slack.world.tick_at(&app, 0).await.posted, 2);
    slack.world.clock.step_to(crate::world::ts("2026-03-02T12:10:00Z"));
    slack.flock("say hermes hello").await;
    let mut told = Vec::new();
    for line in ["sheep", "show apollo", "show hermes", "posts", "running", "rhythm apollo 4h"] {
        told.push(format!("> {line}\n{}", slack.flock(line).await));
    }
    slack.world.sheep_with("zeus", Network::Meadow, 9, &rhythm("2h", "Europe/Berlin")).await;
    slack.world.clock.step_to(crate::world::ts("2026-03-03T09:00:00Z"));
    for line in ["sheep", "posts", "alive"] {
        told.push(format!("> {line}\n{}", slack.flock(line).await));
    }
    let seconds = [(r"(\d\d:\d\d):\d\d", "$1:SS")];
    insta::with_settings!({ filters => seconds }, {
        insta::assert_snapshot!(told.join("\n\n"), @"
        > sheep
        *Times are in Asia/Tokyo.
        *flock/apollo* on meadow:apollo, next 23:00:SS, in 2 h
        *flock/hermes* on meadow:hermes, next 21:10:SS, now

        > show apollo
        **flock/apollo*
        account: meadow:apollo
        behaviour: poem of 9 lines
        rhythm: every 2h, in Asia/Tokyo
        state: active
        next post: 23:00:SS, in 2 h
        next line: 2 of 9, as post 2
        Times are in Asia/Tokyo. [Post now] [Pause]

        > show hermes
        **flock/hermes*
        account: meadow:hermes
        behaviour: poem of 9 lines
        rhythm: every 2d, in Asia/Tokyo
        state: active
        next post: 21:10:SS, now
        next line: 2 of 9, as post 2
        being posted: 2: hello
        Times are in Asia/Tokyo. [Post now] [Pause]

        > posts
        *Times are in Asia/Tokyo.
        21:10:SS *flock/hermes* (being posted) hello
        21:00:SS *flock/hermes* hermes line 0
        21:00:SS *flock/apollo* apollo line 0

        > running
        *Times are in Asia/Tokyo.
        *flock/hermes* has its post 2 open, due since 21:10:SS: it is about to be made; the next try is at 21:10:SS, now

        > rhythm apollo 4h
        *flock/apollo* posts every 4h, in Asia/Tokyo, next 2026-03-02 23:00:SS JST. Before: every 2h, in Asia/Tokyo. When its files are applied again, they put back what they say.

        > sheep
        *Times are in UTC.
        *flock/apollo* on meadow:apollo, next 2026-03-02 14:00:SS
        *flock/hermes* on meadow:hermes, next 2026-03-02 12:10:SS
        *flock/zeus* on meadow:zeus, next 2026-03-02 12:00:SS

        > posts
        *Times are in UTC.
        2026-03-02 12:10:SS *flock/hermes* (being posted) hello
        2026-03-02 12:00:SS *flock/hermes* hermes line 0
        2026-03-02 12:00:SS *flock/apollo* apollo line 0

        > alive
        *Yes, but nothing is at work: *flock/zeus* is due since 2026-03-02 12:00:SS UTC, and no tick has seen to it. The schedule of `sheep-tick` may be off, or it fails; its log says why. That is for <@U1> to see to.
        ");
    });
}
