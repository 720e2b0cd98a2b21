//! What sheep point to stays: their texts, and their places among those who post through an account.

use super::posts::End;
use crate::{people::sheep_id, world::World};
use flock_core::Network;

/// No text that a sheep points to is gone or is to go.
pub(crate) fn texts_of_sheep_stay(world: &World, end: &End) {
    let items = world.outside.table.items();
    for sheep in end.sheep.values() {
        let text = sheep.config.behaviour.text();
        let corpus = format!("CORPUS#{}#{text}", sheep.id.flock);
        let is_its = |((pk, _), _): &(&(String, String), _)| *pk == corpus;
        let pieces: Vec<_> = items.iter().filter(is_its).collect();
        let goes = pieces.iter().filter(|(_, item)| !item["ttl"].is_null()).count();
        if pieces.is_empty() || 0 < goes {
            world.broken("texts_of_sheep_stay", || {
                format!("{goes} of the {} pieces of {corpus} of {} go", pieces.len(), sheep.id)
            });
        }
    }
}

/// Whoever has posted through an account is noted there, so that no look of another takes their posts.
pub(crate) fn who_posts_through_an_account_is_known_there(world: &World, end: &End) {
    for (plan, account) in world.accounts() {
        let id = sheep_id(plan);
        let key =
            (format!("ACCOUNT#{}#{}", account.network, account.handle), format!("SHEEP#{id}"));
        let posts = end.posts_of(&id).iter().any(|post| post.account == account);
        if account.network != Network::Meadow && posts && world.outside.table.item(&key).is_none() {
            world.broken("who_posts_through_an_account_is_known_there", || {
                format!("{id} has posted through {account}, and is not noted there")
            });
        }
    }
}
