//! Who may do what: levels and members, per room.

use crate::slack::Slack;

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
    assert_eq!(slack.enter("U1", "C2", "/flock members").await, "*<@U1>: `owner` (rank 2)");
    assert_eq!(
        slack.enter("U1", "C1", "/flock members").await,
        "*<@U1>: `elder` (rank 5)\n<@U2>: `elder` (rank 5)"
    );
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
    assert_eq!(
        slack.flock("revoke U1").await,
        "*<@U1> is the last one with the highest level of this room; give it to somebody else first."
    );
    assert_eq!(
        slack.flock("grant U1 owner").await,
        "*<@U1> is the last one with the highest level of this room; give it to somebody else first."
    );
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
    assert_eq!(slack.flock("levels").await.lines().count(), 39);
    assert_eq!(
        slack.flock("level remove level-3").await,
        "This room has no level `level-3` any more."
    );
    assert_eq!(
        slack.flock("level remove level-39").await,
        "This room has no level `level-39` any more."
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
    let (one, gone) = (crate::slack::user("U1"), crate::slack::user("U77"));
    let room = flock_core::Room::new(crate::slack::room("C1"), Some(&one));
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
    assert!(slack.enter("U1", "C1", "/flock whoami").await.contains("`owner` here (rank 2)"));
    assert!(
        slack.enter("U1", "C1", "/flock revoke U1").await.contains("no level"),
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
            "In <#C1>: Your rank here is 0, so you can give and take only what is below it."
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
