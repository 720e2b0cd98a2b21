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
