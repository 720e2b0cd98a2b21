//! Rooms, their levels and members.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::types::{KeysAndAttributes, ReturnConsumedCapacity};
use flock_core::{LevelName, Rank, Room, RoomId, UserId};
use serde::{Deserialize, Serialize};

use crate::{Control, Keyed, Read, Store, StoreError, Write, key::Key, request_error};

/// A room as stored: one item, so that one condition guards everything that is decided from it. 400 KB
/// hold some ten thousand members. The first owner is not in it.
#[derive(Debug, Serialize, Deserialize)]
struct RoomItem {
    version: u64,
    levels: BTreeMap<LevelName, Rank>,
    members: BTreeMap<UserId, LevelName>,
}

impl Store {
    /// The room called `id`, at whose top `first_owner` is. One that nobody has changed is as new.
    pub async fn room(
        &self,
        id: &RoomId,
        first_owner: Option<&UserId>,
    ) -> Result<Room, StoreError> {
        let what = format!("room {id}");
        let item: Option<RoomItem> = self.one(&what, Key::room(id), Read::Consistent).await?;
        RoomItem::into_room(item, id, first_owner)
    }

    /// The room called `id`, and what the whole system was told, in one request.
    pub async fn room_and_control(
        &self,
        id: &RoomId,
        first_owner: Option<&UserId>,
    ) -> Result<(Room, Control), StoreError> {
        let what = format!("room {id}");
        let keys = KeysAndAttributes::builder()
            .keys(Key::room(id).attributes())
            .keys(Key::control().attributes())
            .consistent_read(true)
            .build()
            .map_err(|err| StoreError::Corrupt { what: what.clone(), source: Box::new(err) })?;
        let output = self
            .client
            .batch_get_item()
            .request_items(&self.table, keys)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await
            .map_err(|err| request_error("read", &what, err))?;
        self.meter.read(output.consumed_capacity());
        let is_left = |left: &HashMap<_, _>| !left.is_empty();
        if output.unprocessed_keys().is_some_and(is_left) {
            // The table is busy; alone, each read is tried again.
            return Ok((self.room(id, first_owner).await?, self.control().await?));
        }
        let (mut room, mut control) = (None, Control::default());
        let items = output.responses.and_then(|mut found| found.remove(&self.table));
        for item in items.unwrap_or_default() {
            if item.get("pk").and_then(|pk| pk.as_s().ok()) == Some(&Key::control().pk) {
                control = Keyed::read(item, "the control item")?.value;
            } else {
                room = Some(Keyed::read(item, &what)?.value);
            }
        }
        Ok((RoomItem::into_room(room, id, first_owner)?, control))
    }

    /// Writes a changed room if it is still at the version before. A conflict gives the room as it is now.
    pub async fn put_room(&self, room: &Room) -> Result<Write<Room>, StoreError> {
        let item = RoomItem {
            version: room.version(),
            levels: room.levels().clone(),
            members: room.stored_members().clone(),
        };
        let what = format!("room {}", room.id);
        let before = room.version() - 1;
        let written = self.put_version(&what, Key::room(&room.id), &item, before).await?;
        match written.read(&what)? {
            Write::Done => Ok(Write::Done),
            Write::Conflict(there) => {
                Ok(Write::Conflict(RoomItem::into_room(there, &room.id, room.first_owner())?))
            }
        }
    }
}

impl RoomItem {
    fn into_room(
        item: Option<Self>,
        id: &RoomId,
        first_owner: Option<&UserId>,
    ) -> Result<Room, StoreError> {
        let Some(Self { version, levels, members }) = item else {
            return Ok(Room::new(id.clone(), first_owner));
        };
        let room = Room::stored(id.clone(), levels, members, version, first_owner);
        room.ok_or_else(|| StoreError::Corrupt {
            what: format!("room {id}"),
            source: "a member has a level that is not there".into(),
        })
    }
}
