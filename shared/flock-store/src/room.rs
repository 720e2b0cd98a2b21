//! Rooms, their levels and members.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use flock_core::{LevelName, Rank, Room, RoomId, UserId};
use serde::{Deserialize, Serialize};

use crate::{Read, Store, StoreError, Write, key::Key};

/// A room as stored: one item, so that one condition guards everything that is decided from it. 400 KB
/// hold some ten thousand members.
#[derive(Debug, Serialize, Deserialize)]
struct RoomItem {
    v: u8,
    version: u64,
    levels: BTreeMap<LevelName, Rank>,
    members: BTreeMap<UserId, LevelName>,
}

impl Store {
    /// The room called `id`. `None`: nobody has changed anything there.
    pub async fn room(&self, id: &RoomId) -> Result<Option<Room>, StoreError> {
        let what = format!("room {id}");
        let item: Option<RoomItem> = self.one(&what, Key::room(id), Read::Consistent).await?;
        let Some(RoomItem { v: 1, version, levels, members }) = item else {
            return item.map_or(Ok(None), |item| {
                let source = format!("it has schema version {}, this program knows 1", item.v);
                Err(StoreError::Corrupt { what, source: source.into() })
            });
        };
        let room = Room::stored(id.clone(), levels, members, version);
        room.map(Some).ok_or_else(|| StoreError::Corrupt {
            what,
            source: "a member has a level that is not there".into(),
        })
    }

    /// Writes a changed room if it is still at the version before.
    pub async fn put_room(&self, room: &Room) -> Result<Write, StoreError> {
        let item = RoomItem {
            v: 1,
            version: room.version(),
            levels: room.levels().clone(),
            members: room.members().clone(),
        };
        let what = format!("room {}", room.id);
        let put = self.put_one(&what, Key::room(&room.id), item)?;
        let before = room.version() - 1;
        let put = if before == 0 {
            put.condition_expression("attribute_not_exists(pk)")
        } else {
            put.condition_expression("version = :read")
                .expression_attribute_values(":read", AttributeValue::N(before.to_string()))
        };
        self.write(put, &what).await
    }
}
