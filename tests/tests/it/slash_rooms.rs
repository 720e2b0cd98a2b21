//! Who may do what: levels and members, per room.

use flock_core::{Rank, Room};
use proptest::{prelude::*, strategy::ValueTree as _, test_runner::TestRunner};

use crate::slack::{Slack, room, user};

#[tokio::test]
async fn the_first_owner_shares_out_levels_and_they_work_at_once() {
    let mut slack = Slack::start().await;
    let denied = slack.enter("U2", "C1", "/flock start").await;
    assert_eq!(
        denied,
        "*`start` needs at least `shepherd` (rank 1); you have no level here. <@U1> can grant it."
    );
    assert_eq!(
        slack.flock("grant @ben shepherd").await.lines().last(),
        Some("<@U2> is `shepherd` in this room now.")
    );
    // A function that was started before and one that is started now: both know.
    assert_eq!(slack.enter("U2", "C1", "/flock start").await, "*Nothing was stopped.");
    assert_eq!(
        slack.enter("U2", "C1", "/flock whoami").await,
        "*<@U2>, you are `shepherd` here (rank 1)."
    );
    assert_eq!(
        slack.flock("revoke @ben").await.lines().last(),
        Some("<@U2> has no level in this room any more, and was `shepherd`.")
    );
    assert!(slack.enter("U2", "C1", "/flock start").await.contains("needs at least"));
}

#[tokio::test]
async fn a_level_of_one_room_is_none_in_another() {
    let mut slack = Slack::start().await;
    slack.flock("grant U2 owner").await;
    assert!(slack.enter("U2", "C1", "/flock level add elder 5").await.contains("elder"));
    assert!(
        slack
            .enter("U2", "C2", "/flock level add elder 5")
            .await
            .contains("you have no level here")
    );
    assert_eq!(
        slack.enter("U1", "C2", "/flock levels").await,
        "*`shepherd`: rank 1, 0 members\n`owner`: rank 2, 1 member"
    );
    assert_eq!(
        slack.enter("U1", "C2", "/flock members").await,
        "*<@U1>: `owner` (rank 2), the first owner"
    );
    assert_eq!(
        slack.enter("U1", "C1", "/flock members").await,
        "*<@U1>: `elder` (rank 5), the first owner\n<@U2>: `elder` (rank 5)"
    );
}

/// A level that a room may not have, and its rank, are not what is needed there.
#[tokio::test]
async fn a_denial_names_a_level_of_the_room_with_its_rank_there() {
    let mut slack = Slack::start().await;
    slack.flock_sure("level remove shepherd", "Remove the level").await;
    let denied = slack.enter("U2", "C1", "/flock start").await;
    assert_eq!(
        denied,
        "*`start` needs rank 1, which is here at least `owner` (rank 2); you have no level here. <@U1> can \
         grant it."
    );
    slack.flock("level add boss 9").await;
    slack.flock_sure("level remove owner", "Remove the level").await;
    assert_eq!(slack.enter("U1", "C1", "/flock levels").await, "*`boss`: rank 9, 1 member");
    let denied = slack.enter("U2", "C1", "/flock start").await;
    assert!(
        denied.starts_with("*`start` needs rank 1, which is here at least `boss` (rank 9); "),
        "{denied}"
    );
    let denied = slack.enter("U2", "C1", "/flock level add elder 5").await;
    assert!(
        denied.starts_with("*`level add` needs the highest level of this room, `boss` (rank 9); "),
        "{denied}"
    );
    slack.flock("level add helper 1").await;
    let denied = slack.enter("U2", "C1", "/flock start").await;
    assert!(denied.starts_with("*`start` needs at least `helper` (rank 1); "), "{denied}");
}

#[tokio::test]
async fn nobody_reaches_above_themselves() {
    let mut slack = Slack::start().await;
    slack.flock("level add elder 2").await;
    slack.flock("level add boss 9").await;
    slack.flock("grant U2 elder").await;
    let not_below = "*Your rank here is 2, so you can give and take only what is below it.";
    for line in ["grant U3 elder", "grant U3 boss", "grant U1 shepherd", "revoke U1"] {
        assert_eq!(slack.enter("U2", "C1", &format!("/flock {line}")).await, not_below, "{line}");
    }
    let denied = slack.enter("U2", "C1", "/flock level add more 1").await;
    assert_eq!(
        denied,
        "*`level add` needs the highest level of this room, `boss` (rank 9); you are `elder` (rank 2). \
         <@U1> can grant it."
    );
    assert_eq!(
        slack.enter("U2", "C1", "/flock grant U3 shepherd").await,
        "<@U3> is `shepherd` in this room now."
    );
    let first_owner = "*<@U1> is the first owner, who has the highest level of every room; only the \
                       deployment's setting `FirstOwner` changes that.";
    for line in ["revoke U1", "grant U1 owner"] {
        assert_eq!(slack.flock(line).await, first_owner, "{line}");
    }
}

#[tokio::test]
async fn there_are_as_many_levels_as_a_room_likes() {
    let mut slack = Slack::start().await;
    for rank in 3..40 {
        let told = slack.flock(&format!("level add level-{rank} {rank}")).await;
        assert!(
            told.contains("It is the highest, so those who had the highest have it."),
            "{told}"
        );
    }
    assert!(slack.flock("levels 2").await.contains("\n21-39 of 39. "));
    assert_eq!(
        slack.flock_sure("level remove level-3", "Remove the level").await,
        "This room has no level `level-3` any more."
    );
    assert_eq!(
        slack.flock_sure("level remove level-39", "Remove the level").await,
        "This room has no level `level-39` any more. <@U1> falls to `level-38` (rank 38)."
    );
    assert_eq!(
        slack.flock("level add level-4 7").await,
        "*There is a level `level-4` already, with rank 4."
    );
    assert_eq!(
        slack.flock("level add none 0").await,
        "*A level's rank is from 1 to 1000; rank 0 is everybody's."
    );
    assert_eq!(
        slack.flock("level add none -1").await,
        "*`-1` is not a rank: use a number from 1 to 1000."
    );
    assert!(
        slack
            .flock("grant U2 gardener")
            .await
            .starts_with("*There is no level `gardener` in this room; there are: `level-10`")
    );
}

#[tokio::test]
async fn who_has_left_slack_loses_their_level_all_the_same() {
    let mut slack = Slack::start().await;
    // As if they had been granted it when Slack still knew them.
    let (one, gone) = (user("U1"), user("U77"));
    let room = Room::new(room("C1"), Some(&one));
    let room = room.grant(&one, &gone, &"owner".parse().unwrap()).unwrap().room;
    slack.world.store.put_room(&room).await.unwrap();
    assert!(slack.flock("grant U77 shepherd").await.contains("was `owner`"));
    assert!(slack.flock("revoke <@U77>").await.contains("no level in this room any more"));
    assert!(slack.flock("grant U77 shepherd").await.contains("I know nobody called `U77`"));
}

#[tokio::test]
async fn a_mistaken_level_can_be_undone() {
    let mut slack = Slack::start().await;
    slack.flock("grant U2 owner").await;
    slack.flock("level add god 1000").await;
    assert!(slack.enter("U2", "C1", "/flock whoami").await.contains("`god` here (rank 1000)"));
    slack.enter("U2", "C1", "/flock level remove god").await;
    slack.press("U2", "C1", "Remove the level").await;
    assert!(slack.enter("U1", "C1", "/flock whoami").await.contains("`owner` here (rank 2)"));
    assert!(
        slack.enter("U2", "C1", "/flock revoke U2").await.contains("no level"),
        "one may resign"
    );
}

#[tokio::test]
async fn people_are_named_as_slack_names_them() {
    let mut slack = Slack::start().await;
    for name in ["<@U2|ben>", "U2", "@ben", "@BEN"] {
        let told = slack.flock(&format!("grant {name} shepherd")).await;
        assert!(told.contains("<@U2>"), "{name}: {told}");
        slack.flock("revoke U2").await;
    }
    let nobody = |name: &str| {
        format!("*I know nobody called `{name}`. Write @ and choose one from Slack's list.")
    };
    assert_eq!(slack.flock("grant U99 shepherd").await, nobody("U99"));
    assert_eq!(slack.flock("revoke U99").await, nobody("U99"));
    assert_eq!(
        slack.flock("grant @nobody shepherd").await.lines().last().unwrap(),
        nobody("@nobody")
    );
    assert_eq!(slack.flock("revoke U3").await, "*<@U3> has no level in this room.");
    // What Botpy's people were used to.
    assert!(slack.flock("privilege U2 owner").await.contains("<@U2> is `owner`"));
    assert!(slack.flock("addpriv U2 owner").await.contains("already"));
    assert!(slack.flock("unprivilege user U2").await.contains("no level"));
    assert!(slack.enter("U2", "C1", "/flock amiprivileged").await.contains("no level"));
}

#[tokio::test]
async fn who_owns_the_room_gets_its_highest_level() {
    let mut slack = Slack::start().await;
    // C2 was made by U2, and U1 owns the workspace.
    let told = slack.flock("grant room-owners <#C2|random>").await;
    assert_eq!(
        told,
        "*I am asking Slack who owns it.\nIn <#C2> `owner` is now held by <@U1>, <@U2>."
    );
    assert_eq!(
        slack.enter("U2", "C2", "/flock whoami").await,
        "*<@U2>, you are `owner` here (rank 2)."
    );
    assert!(slack.enter("U2", "C1", "/flock whoami").await.contains("no level"));
    // Being an owner here gives no right to name another room.
    slack.enter("U2", "C2", "/flock grant U3 owner").await;
    let told = slack.enter("U3", "C2", "/flock grant room-owners C1").await;
    assert!(
        told.ends_with(
            "In <#C1>: That needs the highest level of the room, `owner`, and your rank there is 0."
        ),
        "{told}"
    );
    let told = slack.flock("grant room-owners #nowhere").await;
    assert!(told.contains("choose one from Slack"), "{told}");
}

#[tokio::test]
async fn changes_at_once_are_all_kept() {
    let slack = Slack::start().await;
    // Twelve people get a level at the same moment, by twelve requests.
    let grants = (10..22).map(|number| {
        let body = crate::slack::slash_body(
            "U1",
            "C1",
            &format!("level add l{number} 1"),
            &number.to_string(),
        );
        let slack = &slack;
        async move {
            slack.send_at("/slack/commands", &body, crate::world::START).await.text().await.unwrap()
        }
    });
    for told in futures_util::future::join_all(grants).await {
        assert!(told.contains("This room has a level"), "{told}");
    }
    let mut slack = slack;
    assert_eq!(slack.flock("levels").await.lines().count(), 14);
}

/// What was found to take a room from its first owner, with the answers it gets now.
#[tokio::test]
async fn a_room_is_not_taken_from_its_first_owner() {
    let mut slack = Slack::start().await;
    let mut said = Vec::new();
    for (who, line) in [
        ("U1", "grant U2 shepherd"),
        ("U1", "level remove owner"),
        ("U1", "level add chief 9"),
        ("U1", "members"),
        ("U1", "levels"),
        ("U2", "whoami"),
        ("U2", "revoke U1"),
        ("U1", "level remove owner"),
        ("U1", "whoami"),
    ] {
        let told = slack.enter(who, "C1", &format!("/flock {line}")).await;
        said.push(format!("{who} {line}\n  {}", told.replace('\n', "\n  ")));
    }
    insta::assert_snapshot!(said.join("\n"), @r"
    U1 grant U2 shepherd
      <@U2> is `shepherd` in this room now.
    U1 level remove owner
      *`shepherd` would be the highest level then, and <@U2> has it without being at the top of this room now; revoke that first, or give <@U2> `owner`.
    U1 level add chief 9
      This room has a level `chief` now, with rank 9. It is the highest, so those who had the highest have it.
    U1 members
      *<@U1>: `chief` (rank 9), the first owner
      <@U2>: `shepherd` (rank 1)
    U1 levels
      *`shepherd`: rank 1, 1 member
      `owner`: rank 2, 0 members
      `chief`: rank 9, 1 member
    U2 whoami
      *<@U2>, you are `shepherd` here (rank 1).
    U2 revoke U1
      *Your rank here is 1, so you can give and take only what is below it.
    U1 level remove owner
      *This removes the level `owner` (rank 2) from this room. Nobody has it.
      The button works for 5 minutes. [Remove the level] [Cancel]
    U1 whoami
      *<@U1>, you are `chief` here (rank 9), as the first owner of every room.
    ");
    // Also where the room says otherwise, as one may that was taken before.
    let told = taken().await.enter("U3", "C1", "/flock members").await;
    assert_eq!(told, "*<@U1>: `chief` (rank 9), the first owner\n<@U2>: `chief` (rank 9)");
    for (who, line) in [("U2", "revoke U1"), ("U2", "grant U1 shepherd"), ("U1", "revoke U1")] {
        let mut slack = taken().await;
        let told = slack.enter(who, "C1", &format!("/flock {line}")).await;
        assert!(told.starts_with("*<@U1> is the first owner"), "{who} {line}: {told}");
        assert_eq!(
            slack.flock("revoke U2").await,
            "<@U2> has no level in this room any more, and was `chief`."
        );
    }
}

/// A room that says nothing of U1, who is the first owner.
async fn taken() -> Slack {
    let slack = Slack::start().await;
    let levels = [("shepherd".parse().unwrap(), Rank(1)), ("chief".parse().unwrap(), Rank(9))];
    let members = [(user("U2"), "chief".parse().unwrap())];
    let room = Room::stored(room("C1"), levels.into(), members.into(), 1, None).unwrap();
    slack.world.store.put_room(&room).await.unwrap();
    slack
}

#[tokio::test]
async fn another_first_owner_is_at_the_top_and_the_one_before_has_what_the_room_says() {
    let mut slack = Slack::start().await;
    slack.flock("grant U3 shepherd").await;
    slack.enter("U1", "C2", "/flock grant U1 owner").await;
    slack.deploy(Some("U2")).await;
    let told = slack.enter("U3", "C1", "/flock members").await;
    assert_eq!(told, "*<@U2>: `owner` (rank 2), the first owner\n<@U3>: `shepherd` (rank 1)");
    assert_eq!(slack.flock("whoami").await, "*<@U1>, you have no level in this room.");
    let denied = slack.flock("level add elder 5").await;
    assert!(denied.ends_with("<@U2> can grant it."), "{denied}");
    let told = slack.enter("U1", "C2", "/flock whoami").await;
    assert_eq!(told, "*<@U1>, you are `owner` here (rank 2).");
    let told = slack.enter("U2", "C2", "/flock revoke U1").await;
    assert_eq!(told, "<@U1> has no level in this room any more, and was `owner`.");
    // Where there is none, a room says all there is.
    slack.enter("U2", "C2", "/flock grant U2 owner").await;
    slack.deploy(None).await;
    let told = slack.enter("U3", "C2", "/flock members").await;
    assert_eq!(told, "*<@U2>: `owner` (rank 2)");
    let told = slack.enter("U2", "C2", "/flock revoke U2").await;
    assert!(told.contains("is the last one with the highest level"), "{told}");
    let denied = slack.enter("U3", "C1", "/flock level add elder 5").await;
    assert!(
        denied.ends_with("Nobody here can grant it: the deployment has no FirstOwner."),
        "{denied}"
    );
}

/// Whatever anybody says in rooms, through the front door. What the rules alone hold, `flock-core` tries ten
/// thousand times.
#[tokio::test]
async fn the_first_owner_stays_at_the_top_whatever_anybody_says() {
    const ROOMS: usize = 12;
    const LINES: usize = 25;
    let who = || prop::sample::select(&["U1", "U2", "U3"][..]);
    let level = || prop::sample::select(&["shepherd", "owner", "elder", "boss"][..]);
    let line = prop_oneof![
        3 => (level(), 0..6_u32).prop_map(|(level, rank)| format!("level add {level} {rank}")),
        3 => level().prop_map(|level| format!("level remove {level}")),
        4 => (who(), level()).prop_map(|(user, level)| format!("grant {user} {level}")),
        3 => who().prop_map(|user| format!("revoke {user}")),
        1 => Just("grant room-owners".to_owned()),
    ];
    let lines = prop::collection::vec((who(), line), LINES);
    let mut runner = TestRunner::deterministic();
    let first = user("U1");
    let mut slack = Slack::start().await;
    let (mut changes, mut confirmed) = (0, 0);
    for number in 0..ROOMS {
        let place = format!("C{}", 100 + number);
        let mut before = slack.world.store.room(&room(&place), Some(&first)).await.unwrap();
        for (who, line) in lines.new_tree(&mut runner).unwrap().current() {
            let told = slack.enter(who, &place, &format!("/flock {line}")).await;
            assert!(!told.contains("went wrong on our side"), "{line}: {told}");
            if told.contains("[Remove the level]") {
                confirmed += 1;
                slack.press(who, &place, "Remove the level").await;
            }
            let after = slack.world.store.room(&room(&place), Some(&first)).await.unwrap();
            assert_eq!(after.rank(&first), after.top().1, "{who} {line}");
            if before.rank(&user(who)) < before.top().1 || line.starts_with("level ") {
                assert_eq!(at_the_top(&before), at_the_top(&after), "{who} {line}");
            }
            changes += usize::from(before != after);
            before = after;
        }
    }
    assert!(50 < changes && 5 < confirmed, "they change things: {changes}, {confirmed}");
}

fn at_the_top(room: &Room) -> Vec<String> {
    let members = room.members().map(|(member, _)| member);
    let top = members.filter(|member| room.rank(member) == room.top().1);
    top.map(ToString::to_string).collect()
}
