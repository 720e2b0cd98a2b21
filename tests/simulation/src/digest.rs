//! What there is at the end, in one number.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use crate::world::World;

/// Drawn by our programs for themselves: by which a write knows itself, nonces, processes.
const DRAWN: [&str; 3] = ["w", "sealed_key", "sealed_session"];

/// How many posts are recorded, and a digest of all items and of what is to be seen on the networks.
pub(crate) fn digest(world: &World) -> (u64, String) {
    let mut hash = Sha256::new();
    let mut posts = 0;
    for ((pk, sk), mut item) in world.outside.table.items() {
        if pk == "INSTANCES" {
            continue;
        }
        posts += u64::from(pk.starts_with("POSTS#") && item["held_from"].is_null());
        if let Some(item) = item.as_object_mut() {
            for drawn in DRAWN {
                item.remove(drawn);
            }
        }
        hash.update(format!("{pk} {sk} {item}\n"));
    }
    for (_, account) in world.accounts() {
        for (id, text) in world.outside.seen(&account) {
            hash.update(format!("{account} {id} {text}\n"));
        }
    }
    let hex = hash.finalize().iter().fold(String::new(), |mut hex, byte| {
        // Writing to a text cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    });
    (posts, hex)
}
