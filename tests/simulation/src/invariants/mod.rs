//! What must always be so. Each is a function with a name, and the sentence above it says what it means.

mod index;
mod keys;
mod money;
mod posts;
mod rooms;
mod telling;
mod texts;
mod times;
mod wipes;
mod writes;

use std::{fmt, sync::Arc};

use flock_core::{Event, Sheep};
use jiff::Timestamp;
use serde_json::Value;
use tokio::task::JoinError;

use crate::world::World;

pub(crate) use wipes::nothing_is_deleted_but_by_a_wipe;
pub(crate) use writes::{Seen, Write, is_not_taken, tells, who_posts_has_claimed, works};

/// Something that must always be so was not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The name of what was broken.
    pub invariant: &'static str,
    /// How.
    pub what: String,
    /// When that was seen.
    pub at: Timestamp,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.invariant, self.what)
    }
}

/// No handler and no command panics, whatever it meets.
pub(crate) fn nothing_panics(world: &World, whose: &str, err: &JoinError) {
    world.broken("nothing_panics", || format!("{whose} panics: {err}"));
}

/// Whatever is put on the bus can be read by whoever gets it.
pub(crate) fn events_are_readable(world: &World, event: &Value) {
    if let Err(err) = Event::read(event) {
        world.broken("events_are_readable", || format!("{event}: {err}"));
    }
}

/// Whatever is put on the bus has one function that listens to it.
pub(crate) fn events_are_listened_to(world: &World, event: &Value, functions: usize) {
    if functions != 1 {
        world.broken("events_are_listened_to", || format!("{functions} functions get {event}"));
    }
}

/// The sheep that are behind by now.
pub(crate) use posts::who_is_behind;

/// When faults have ended, everything due is posted within two ticks; `before` are those that were behind a tick ago.
pub(crate) async fn nothing_is_due(world: &Arc<World>, before: &[Sheep]) -> anyhow::Result<()> {
    posts::everything_due_is_posted(world, before).await
}

/// All that can be seen when everything has come to its end. `before` are the sheep as they were first applied.
pub(crate) async fn at_the_end(world: &Arc<World>, before: &[Sheep]) -> anyhow::Result<()> {
    let end = posts::End::of(world).await?;
    posts::no_text_is_there_twice(world, &end);
    posts::what_is_recorded_is_there_and_nothing_else(world, &end);
    posts::lines_are_in_order(world, &end);
    posts::threads_are_whole(world, &end);
    posts::the_network_has_the_order_of_the_record(world, &end);
    posts::every_line_due_is_accounted_for(world, &end, before);
    posts::every_number_is_accounted_for(world, &end);
    posts::nobody_waits_at_the_end(world, &end).await?;
    times::posts_come_at_their_local_times(world, &end);
    texts::texts_of_sheep_stay(world, &end);
    texts::who_posts_through_an_account_is_known_there(world, &end);
    index::index_and_sheep_agree(world, &end);
    index::who_posts_is_in_the_index(world, &end);
    keys::a_key_is_lost_with_an_answer_alone(world);
    money::bills_are_equal(world).await?;
    money::a_sum_is_that_of_what_is_counted(world).await?;
    money::each_post_is_paid_once(world, &end).await?;
    money::each_deletion_is_paid_once(world).await?;
    wipes::every_wipe_comes_to_its_end(world).await?;
    wipes::who_asked_for_a_wipe_is_told_once(world);
    rooms::the_first_owner_is_at_the_top(world).await?;
    rooms::nobody_below_the_top_changes_who_is(world).await?;
    telling::who_stopped_was_told_of(world, &end);
    telling::the_control_room_was_told(world);
    telling::what_was_done_is_in_the_audit_log(world).await?;
    Ok(())
}
