//! `grant room-owners ...`: the highest level for who owns the room.

use std::collections::BTreeSet;

use flock_core::{Need, RoomId, Usage};
use flock_ops::Noted;
use flock_slack::{User, mention};

use crate::{
    call::{Answer, Call, Obstacle, Stage, Step, announce, code, refuse},
    command::{Command, Group, Run},
    dispatch::room_link,
    slack_secret::SlackSecret,
};

pub(super) const COMMAND: Command = Command {
    usages: &[Usage::new("grant room-owners ...")],
    group: Group::Rooms,
    need: Need::Top,
    help: "Give the highest level to the channel's maker and the workspace's owners",
    example: "grant room-owners #general",
    run: Run::Changes(|call, noted| Box::pin(run(call, noted))),
};

async fn run(call: &Call<'_>, noted: &Noted) -> Answer {
    let mut rooms = Vec::new();
    for word in call.arguments.words() {
        rooms.push(room_named(word)?);
    }
    if rooms.is_empty() {
        rooms.push(call.asked.room.clone());
    }
    if call.stage != Stage::Deferred {
        return Ok(Step::Later("I am asking Slack who owns it.".to_owned()));
    }
    let SlackSecret { bot_token, .. } = call.app.slack_secret().await?;
    let users = call.slack().users(&bot_token).await?;
    let people = |user: &&User| !user.deleted && !user.is_bot;
    let owners: BTreeSet<_> = users
        .iter()
        .filter(people)
        .filter(|user| user.is_owner)
        .map(|user| user.id.clone())
        .collect();
    let (mut granted_in, mut refused) = (Vec::new(), Vec::new());
    for room in rooms {
        let Some(info) = call.slack().room(&bot_token, &room).await? else {
            refused.push(format!("Slack shows me no channel `{room}`: invite me there."));
            continue;
        };
        let creator =
            users.iter().filter(people).find(|user| Some(&user.id) == info.creator.as_ref());
        let mut owners = owners.clone();
        owners.extend(creator.map(|user| user.id.clone()));
        let granted =
            call.app.change_room(noted, &room, |room| room.grant_top(call.user(), &owners)).await;
        match granted {
            Ok(top) => {
                let owners: Vec<_> = owners.iter().map(mention).collect();
                let (room, owners) = (room_link(&room), owners.join(", "));
                granted_in.push(format!("In {room} `{top}` is now held by {owners}."));
            }
            Err(Obstacle::Refused(why)) => refused.push(format!("In {}: {why}", room_link(&room))),
            Err(failed @ Obstacle::Failed(_)) => return Err(failed),
        }
    }
    if refused.is_empty() {
        return announce(granted_in.join("\n"));
    }
    // Who is refused where, is nobody else's business.
    granted_in.extend(refused);
    refuse(granted_in.join("\n"))
}

/// The channel a word means: `<#C1|general>` or `C1`.
fn room_named(word: &str) -> Result<RoomId, Obstacle> {
    let bracketed = word.strip_prefix("<#").and_then(|word| word.strip_suffix('>'));
    let id = bracketed.map_or(word, |word| word.split_once('|').map_or(word, |(id, _)| id));
    match id.to_uppercase().parse() {
        Ok(room) => Ok(room),
        Err(_) => refuse(format!(
            "`{}` is not a channel. Write # and choose one from Slack\u{2019}s list.",
            code(word)
        )),
    }
}
