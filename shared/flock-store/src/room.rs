//! Rooms, their levels and members.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes, ReturnConsumedCapacity};
use flock_core::{LevelName, Rank, Room, RoomId, UserId};
use serde::{Deserialize, Serialize};

use crate::{Control, Read, Store, StoreError, Write, from_item, key::Key, request_error};

/// A room as stored: one item, so that one condition guards everything that is decided from it. 400 KB
/// hold some ten thousand members. The first owner is not in it.
#[derive(Debug, Serialize, Deserialize)]
struct RoomItem {
    v: u8,
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
                control = from_item(item, "the control item")?;
            } else {
                room = Some(from_item(item, what.clone())?);
            }
        }
        Ok((RoomItem::into_room(room, id, first_owner)?, control))
    }

    /// Writes a changed room if it is still at the version before.
    pub async fn put_room(&self, room: &Room) -> Result<Write, StoreError> {
        let item = RoomItem {
            v: 1,
            version: room.version(),
            levels: room.levels().clone(),
            members: room.stored_members().clone(),
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

impl RoomItem {
    fn into_room(
        item: Option<Self>,
        id: &RoomId,
        first_owner: Option<&UserId>,
    ) -> Result<Room, StoreError> {
        let corrupt =
            |why: String| StoreError::Corrupt { what: format!("room {id}"), source: why.into() };
        let Some(Self { v, version, levels, members }) = item else {
            return Ok(Room::new(id.clone(), first_owner));
        };
        if v != 1 {
            return Err(corrupt(format!("it has schema version {v}, this program knows 1")));
        }
        let room = Room::stored(id.clone(), levels, members, version, first_owner);
        room.ok_or_else(|| corrupt("a member has a level that is not there".to_owned()))
    }
}
