//! What there is at the end, in one number.

use std::{collections::BTreeMap, fmt::Write as _};

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::world::World;

/// Drawn by our programs for themselves: by which a write knows itself, a stored text, nonces.
const DRAWN: [&str; 5] = ["w", "edition", "unused", "sealed_key", "sealed_session"];

/// A value with its fields in order: those of the engine's items are in none.
fn in_order(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let fields: BTreeMap<_, _> =
                fields.iter().map(|(name, value)| (name.clone(), in_order(value))).collect();
            fields.into_iter().collect()
        }
        Value::Array(values) => values.iter().map(in_order).collect(),
        other => other.clone(),
    }
}

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
        hash.update(format!("{pk} {sk} {}\n", in_order(&item)));
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
