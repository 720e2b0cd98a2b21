//! People hear of what they have to see to, and of who did what.

use std::sync::Arc;

use flock_core::State;

use super::posts::End;
use crate::world::World;

/// Who has stopped has said why on the bus, so that the control room is told.
pub(crate) fn who_stopped_was_told_of(world: &World, end: &End) {
    let known = world.known();
    let stopped = end.sheep.values().filter_map(|sheep| match &sheep.state {
        State::Stopped { why, .. } => Some((sheep, why)),
        State::Active | State::Paused { .. } | State::Finished { .. } => None,
    });
    let mut silent = Vec::new();
    for (sheep, why) in stopped {
        let id = sheep.id.to_string();
        let is_told = known.published.iter().any(|(event, _)| {
            event["detail-type"] == "sheep.stopped" && event["detail"]["sheep"] == id.as_str()
        });
        if !is_told {
            silent.push(format!("{id} has stopped, and nobody was told: {why}"));
        }
    }
    drop(known);
    for silent in silent {
        world.broken("who_stopped_was_told_of", || silent);
    }
}

/// What the bus has delivered of trouble with a post stands in the control room, with its sheep and number, or with the account that
/// does not let it be made.
pub(crate) fn the_control_room_was_told(world: &World) {
    let (room, user) = ("C2".parse().expect("a room"), "U1".parse().expect("a user"));
    let said: Vec<_> =
        world.outside.slack.messages(&room, &user).into_iter().map(|said| said.text).collect();
    let known = world.known();
    let (published, given_up) = (known.published.clone(), known.given_up.clone());
    drop(known);
    let delivered = published.iter().filter(|(_, times)| 0 < *times);
    for (event, _) in delivered.filter(|(event, _)| !given_up.contains(event)) {
        let trouble = &event["detail"];
        let (Some(sheep), Some(number)) =
            (trouble["sheep"].as_str(), trouble["occurrence"].as_u64())
        else {
            continue;
        };
        let post = format!("its post {number}");
        let is_told = |said: &String| {
            let of_account =
                trouble["account"].as_str().is_some_and(|account| said.contains(account));
            said.contains(sheep) && said.contains(&post) || of_account
        };
        if !said.iter().any(is_told) {
            world.broken("the_control_room_was_told", || format!("{event} is nowhere in {room}"));
        }
    }
}

/// What somebody did, and was told is done, is in the audit log with their name.
pub(crate) async fn what_was_done_is_in_the_audit_log(world: &Arc<World>) -> anyhow::Result<()> {
    let entries = world.store().newest_audit(world.now(), 100_000).await?;
    let lines: Vec<_> = entries.iter().map(|entry| entry.line.clone()).collect();
    let deeds = world.known().deeds.clone();
    for deed in deeds.iter().filter(|deed| deed.by == "ada" && deed.status == Some(200)) {
        if !lines.contains(&deed.line) {
            world.broken("what_was_done_is_in_the_audit_log", || {
                format!("{} was done by {} and is not there", deed.line, deed.by)
            });
        }
    }
    Ok(())
}
