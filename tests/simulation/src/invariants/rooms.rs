//! Rooms: who may.

use std::{collections::BTreeSet, sync::Arc};

use flock_core::{Room, UserId};

use crate::world::World;

async fn room(world: &Arc<World>) -> anyhow::Result<Room> {
    let first: UserId = "U1".parse()?;
    Ok(world.store().room(&"C1".parse()?, Some(&first)).await?)
}

/// The first owner is at the top of every room, whatever anybody has done.
pub(crate) async fn the_first_owner_is_at_the_top(world: &Arc<World>) -> anyhow::Result<()> {
    let room = room(world).await?;
    if room.rank(&"U1".parse()?) != room.top().1 {
        world.broken("the_first_owner_is_at_the_top", || format!("{room:?}"));
    }
    Ok(())
}

/// Who is at the top besides was made that by somebody who was: by the first owner, or by one of whom that is true.
pub(crate) async fn nobody_below_the_top_changes_who_is(world: &Arc<World>) -> anyhow::Result<()> {
    let room = room(world).await?;
    let mut lifted = BTreeSet::from(["U1"]);
    for deed in &world.known().deeds {
        let mut words = deed.line.trim_start_matches("yes to: ").split(' ');
        let (verb, whom) = (words.next(), words.next().unwrap_or_default());
        if verb == Some("grant") && lifted.contains(deed.by) {
            let whom = whom.trim_start_matches("<@").trim_end_matches('>');
            lifted.extend(crate::scenario::PEOPLE.into_iter().filter(|person| *person == whom));
        }
    }
    for (user, _) in room.members().filter(|(user, _)| room.rank(user) == room.top().1) {
        if !lifted.contains(user.as_str()) {
            world.broken("nobody_below_the_top_changes_who_is", || {
                format!("{user} is at the top, and nobody who was has made them that")
            });
        }
    }
    Ok(())
}
