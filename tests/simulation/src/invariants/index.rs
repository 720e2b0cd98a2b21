//! The due index.

use flock_core::State;
use jiff::Timestamp;
use serde_json::Value;

use super::posts::End;
use crate::{people::sheep_id, world::World};

/// The index has a sheep exactly when it posts, and at the time at which it is to be looked at next.
pub(crate) fn index_and_sheep_agree(world: &World, end: &End) {
    let items = world.outside.table.items();
    for plan in &world.scenario.sheep {
        let id = sheep_id(plan);
        let Some(sheep) = end.sheep.get(&id) else { continue };
        let key = (format!("FLOCK#{}", id.flock), format!("SHEEP#{}", id.name));
        let item = items.get(&key).unwrap_or(&Value::Null);
        let next_at = item["next_at"]["N"].as_str().and_then(|at| at.parse::<i64>().ok());
        let expected = sheep.next_at().map(Timestamp::as_second);
        if next_at != expected || item["due"].is_null() != expected.is_none() {
            world.broken("index_and_sheep_agree", || {
                format!("{id} is at {next_at:?} in the index, and should be at {expected:?}")
            });
        }
    }
}

/// Exactly those that post have a next time.
pub(crate) fn who_posts_is_in_the_index(world: &World, end: &End) {
    for (id, sheep) in &end.sheep {
        let expected = sheep.next_at();
        if matches!(sheep.state, State::Active) == expected.is_none() {
            world.broken("who_posts_is_in_the_index", || {
                format!("{id} is {} and its next time is {expected:?}", sheep.state.name())
            });
        }
    }
}
