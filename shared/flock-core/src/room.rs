//! Rooms: who may do what in each.
//!
//! A room has levels, each a name with a rank, and members, each with one level. Every change is a function
//! from a room to a room, or a refusal; the caller writes the result if the room is unchanged since it was
//! read. Two things always hold: where anybody is a member, somebody has the top rank; and nobody gives or
//! takes what is not below their own rank, except from the top.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};

use crate::{LevelName, RoomId, UserId};

/// How much one may do. 0 is everybody's.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default,
)]
#[serde(transparent)]
pub struct Rank(pub u32);

/// What a command asks of who runs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// At least this rank.
    Rank(Rank),
    /// The highest rank of the room.
    Top,
}

/// A room: a Slack channel with its levels and members.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Room {
    /// The channel.
    pub id: RoomId,
    /// Rank by name; at least one, every rank at least 1.
    levels: BTreeMap<LevelName, Rank>,
    /// Each has one of `levels`.
    members: BTreeMap<UserId, LevelName>,
    /// Counts the changes, so that a write can require the room to be as it was read. 0: never written.
    version: u64,
}

/// Why somebody may not do something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Denied {
    /// They lack the rank.
    TooLow {
        /// What is needed.
        needed: Rank,
        /// The lowest level that has it.
        level: LevelName,
        /// Members who can grant it.
        ask: Vec<UserId>,
    },
    /// No level of the room is high enough.
    AboveAll {
        /// What is needed.
        needed: Rank,
        /// The highest rank there is.
        top: Rank,
    },
}

/// Why a room is not changed. Says it to a person; users are written as Slack ids.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RoomRefusal {
    /// The level is not there.
    #[error("there is no level `{level}` in this room; there are: {}", levels.join(", "))]
    UnknownLevel {
        /// What was asked for.
        level: LevelName,
        /// What there is.
        levels: Vec<String>,
    },
    /// The level is there already.
    #[error("there is a level `{level}` already, with rank {}", rank.0)]
    LevelExists {
        /// Its name.
        level: LevelName,
        /// Its rank.
        rank: Rank,
    },
    /// A level of rank 0 would be no level.
    #[error("a level's rank is at least 1; rank 0 is everybody's")]
    RankZero,
    /// The level is in use.
    #[error("`{level}` is held by {}; revoke or change that first", crate::count(*count, "member"))]
    LevelInUse {
        /// The level.
        level: LevelName,
        /// How many have it.
        count: u32,
    },
    /// There must be a level.
    #[error("`{0}` is the only level of this room; add another first")]
    LastLevel(LevelName),
    /// Only from below one's own rank, but for the top.
    #[error("your rank here is {}, so you can give and take only what is below it", own.0)]
    NotBelowOwn {
        /// The rank of who asked.
        own: Rank,
    },
    /// They have no level.
    #[error("{0} has no level in this room")]
    NotAMember(UserId),
    /// Nobody would be left at the top.
    #[error(
        "{0} is the last one with the highest level of this room; give it to somebody else first"
    )]
    LastAtTheTop(UserId),
}

/// A changed room, and what to tell of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Granted {
    /// The room as it is to be written.
    pub room: Room,
    /// The level they had.
    pub before: Option<LevelName>,
}

impl Room {
    /// A room nobody has changed: `shepherd` (rank 1) and `owner` (2), and `first_owner` as its owner.
    pub fn new(id: RoomId, first_owner: Option<&UserId>) -> Self {
        let name = |text: &str| text.parse::<LevelName>().expect("a level name");
        let levels = BTreeMap::from([(name("shepherd"), Rank(1)), (name("owner"), Rank(2))]);
        let members = first_owner.map(|user| (user.clone(), name("owner")));
        Self { id, levels, members: members.into_iter().collect(), version: 0 }
    }

    /// A room as it was stored. `None`: a member has a level that is not there.
    pub fn stored(
        id: RoomId,
        levels: BTreeMap<LevelName, Rank>,
        members: BTreeMap<UserId, LevelName>,
        version: u64,
    ) -> Option<Self> {
        let sound = !levels.is_empty() && members.values().all(|level| levels.contains_key(level));
        sound.then_some(Self { id, levels, members, version })
    }

    /// Rank by name of the level.
    pub fn levels(&self) -> &BTreeMap<LevelName, Rank> {
        &self.levels
    }

    /// Level by member.
    pub fn members(&self) -> &BTreeMap<UserId, LevelName> {
        &self.members
    }

    /// How often it was changed; 0 when it was never written.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// The level of `user`; none without one.
    pub fn level(&self, user: &UserId) -> Option<&LevelName> {
        self.members.get(user)
    }

    /// The rank of `user`; 0 without a level.
    pub fn rank(&self, user: &UserId) -> Rank {
        self.level(user).map_or(Rank(0), |level| self.rank_of(level))
    }

    fn rank_of(&self, level: &LevelName) -> Rank {
        self.levels.get(level).copied().unwrap_or_default()
    }

    /// The highest level.
    pub fn top(&self) -> (&LevelName, Rank) {
        let top = self.levels.iter().max_by_key(|(_, rank)| **rank);
        let (level, rank) = top.expect("a room has a level");
        (level, *rank)
    }

    /// Whether `user` may do what needs `need`.
    pub fn permit(&self, user: &UserId, need: Need) -> Result<(), Denied> {
        let top = self.top().1;
        let needed = match need {
            Need::Rank(rank) => rank,
            Need::Top => top,
        };
        if needed <= self.rank(user) {
            return Ok(());
        }
        let enough = self.levels.iter().filter(|(_, rank)| needed <= **rank);
        let Some((level, _)) = enough.min_by_key(|(_, rank)| **rank) else {
            return Err(Denied::AboveAll { needed, top });
        };
        let can_grant =
            |member: &&UserId| self.rank_of(level) < self.rank(member) || self.is_top(member);
        let ask = self.members.keys().filter(can_grant).cloned().collect();
        Err(Denied::TooLow { needed, level: level.clone(), ask })
    }

    fn is_top(&self, user: &UserId) -> bool {
        self.rank(user) == self.top().1
    }

    /// Whether `by` may give or take `rank`.
    fn may_handle(&self, by: &UserId, rank: Rank) -> Result<(), RoomRefusal> {
        let own = self.rank(by);
        if self.is_top(by) || rank < own { Ok(()) } else { Err(RoomRefusal::NotBelowOwn { own }) }
    }

    fn find_level(&self, level: &LevelName) -> Result<Rank, RoomRefusal> {
        self.levels.get(level).copied().ok_or_else(|| RoomRefusal::UnknownLevel {
            level: level.clone(),
            levels: self.levels.keys().map(|level| format!("`{level}`")).collect(),
        })
    }

    /// The room with another level. One above all others goes to `by` at once, because a room has somebody
    /// at its top.
    pub fn add_level(
        &self,
        by: &UserId,
        level: &LevelName,
        rank: Rank,
    ) -> Result<Self, RoomRefusal> {
        self.only_from_the_top(by)?;
        if rank == Rank(0) {
            return Err(RoomRefusal::RankZero);
        }
        if let Some(rank) = self.levels.get(level).copied() {
            return Err(RoomRefusal::LevelExists { level: level.clone(), rank });
        }
        let mut room = self.changed();
        room.levels.insert(level.clone(), rank);
        if self.top().1 < rank {
            room.members.insert(by.clone(), level.clone());
        }
        Ok(room)
    }

    /// The room without a level that nobody has.
    pub fn remove_level(&self, by: &UserId, level: &LevelName) -> Result<Self, RoomRefusal> {
        self.only_from_the_top(by)?;
        self.find_level(level)?;
        let count = self.members.values().filter(|held| *held == level).count();
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        if 0 < count {
            return Err(RoomRefusal::LevelInUse { level: level.clone(), count });
        }
        if self.levels.len() == 1 {
            return Err(RoomRefusal::LastLevel(level.clone()));
        }
        let mut room = self.changed();
        room.levels.remove(level);
        Ok(room)
    }

    /// The room where `user` has `level`, and no other.
    pub fn grant(
        &self,
        by: &UserId,
        user: &UserId,
        level: &LevelName,
    ) -> Result<Granted, RoomRefusal> {
        let rank = self.find_level(level)?;
        self.may_handle(by, rank.max(self.rank(user)))?;
        if rank < self.top().1 {
            self.not_the_last_at_the_top(user)?;
        }
        let mut room = self.changed();
        let before = room.members.insert(user.clone(), level.clone());
        Ok(Granted { room, before })
    }

    /// The room where all `users` have its highest level, and the level's name.
    pub fn grant_top<'a>(
        &self,
        by: &UserId,
        users: impl IntoIterator<Item = &'a UserId>,
    ) -> Result<(Self, LevelName), RoomRefusal> {
        self.only_from_the_top(by)?;
        let level = self.top().0.clone();
        let mut room = self.changed();
        room.members.extend(users.into_iter().map(|user| (user.clone(), level.clone())));
        Ok((room, level))
    }

    /// The room where `user` has no level.
    pub fn revoke(&self, by: &UserId, user: &UserId) -> Result<Granted, RoomRefusal> {
        if !self.members.contains_key(user) {
            return Err(RoomRefusal::NotAMember(user.clone()));
        }
        self.may_handle(by, self.rank(user))?;
        self.not_the_last_at_the_top(user)?;
        let mut room = self.changed();
        let before = room.members.remove(user);
        Ok(Granted { room, before })
    }

    fn only_from_the_top(&self, by: &UserId) -> Result<(), RoomRefusal> {
        if self.is_top(by) { Ok(()) } else { Err(RoomRefusal::NotBelowOwn { own: self.rank(by) }) }
    }

    fn not_the_last_at_the_top(&self, user: &UserId) -> Result<(), RoomRefusal> {
        let others = self.members.keys().any(|member| member != user && self.is_top(member));
        if self.is_top(user) && !others {
            return Err(RoomRefusal::LastAtTheTop(user.clone()));
        }
        Ok(())
    }

    fn changed(&self) -> Self {
        Self { version: self.version + 1, ..self.clone() }
    }
}

impl fmt::Display for Rank {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn user(text: &str) -> UserId {
        text.parse().unwrap()
    }

    fn level(text: &str) -> LevelName {
        text.parse().unwrap()
    }

    fn room() -> Room {
        Room::new("C1".parse().unwrap(), Some(&user("U1")))
    }

    /// A room with U1 as owner, U2 as shepherd and U3 as `elder`, rank 5 of 9 (`boss`, U4).
    fn large() -> Room {
        let boss = user("U1");
        let room = room().add_level(&boss, &level("elder"), Rank(5)).unwrap();
        let room = room.add_level(&boss, &level("boss"), Rank(9)).unwrap();
        let room = room.grant(&boss, &user("U4"), &level("boss")).unwrap().room;
        let room = room.grant(&boss, &user("U2"), &level("shepherd")).unwrap().room;
        let room = room.grant(&boss, &user("U3"), &level("elder")).unwrap().room;
        room.grant(&boss, &user("U1"), &level("owner")).unwrap().room
    }

    #[test]
    fn ranks_are_those_of_the_levels() {
        let room = large();
        let ranks = ["U1", "U2", "U3", "U4", "U5"].map(|u| room.rank(&user(u)).0);
        assert_eq!(ranks, [2, 1, 5, 9, 0]);
        assert!(room.permit(&user("U5"), Need::Rank(Rank(0))).is_ok());
        assert!(room.permit(&user("U2"), Need::Rank(Rank(1))).is_ok());
        assert!(room.permit(&user("U3"), Need::Top).is_err());
        assert!(room.permit(&user("U4"), Need::Top).is_ok());
    }

    #[test]
    fn a_denial_says_what_is_needed_and_who_can_grant_it() {
        let denied = room().permit(&user("U5"), Need::Rank(Rank(1))).unwrap_err();
        let ask = vec![user("U1")];
        assert_eq!(denied, Denied::TooLow { needed: Rank(1), level: level("shepherd"), ask });
        let denied = large().permit(&user("U5"), Need::Rank(Rank(1))).unwrap_err();
        let ask = vec![user("U1"), user("U3"), user("U4")];
        assert_eq!(denied, Denied::TooLow { needed: Rank(1), level: level("shepherd"), ask });
        let denied = room().permit(&user("U1"), Need::Rank(Rank(3))).unwrap_err();
        assert_eq!(denied, Denied::AboveAll { needed: Rank(3), top: Rank(2) });
    }

    #[test]
    fn nobody_handles_what_is_not_below_their_rank() {
        let room = large();
        let (elder, own) = (user("U3"), Rank(5));
        assert!(room.grant(&elder, &user("U5"), &level("owner")).is_ok());
        assert!(room.revoke(&elder, &user("U1")).is_ok());
        let refused = |result: Result<Granted, RoomRefusal>| {
            assert_eq!(result.unwrap_err(), RoomRefusal::NotBelowOwn { own });
        };
        refused(room.grant(&elder, &user("U5"), &level("elder")));
        refused(room.grant(&elder, &user("U5"), &level("boss")));
        refused(room.grant(&elder, &user("U4"), &level("shepherd")));
        refused(room.grant(&elder, &elder, &level("shepherd")));
        refused(room.revoke(&elder, &elder));
        refused(room.revoke(&elder, &user("U4")));
        assert!(room.add_level(&elder, &level("new"), Rank(1)).is_err());
        assert!(room.remove_level(&elder, &level("shepherd")).is_err());
        assert!(room.grant(&user("U4"), &user("U5"), &level("boss")).is_ok(), "the top may");
    }

    #[test]
    fn the_last_at_the_top_stays() {
        let (room, owner) = (room(), user("U1"));
        let last = RoomRefusal::LastAtTheTop(owner.clone());
        assert_eq!(room.revoke(&owner, &owner).unwrap_err(), last);
        assert_eq!(room.grant(&owner, &owner, &level("shepherd")).unwrap_err(), last);
        let two = room.grant(&owner, &user("U2"), &level("owner")).unwrap().room;
        assert!(two.revoke(&user("U2"), &owner).is_ok());
    }

    #[test]
    fn a_level_above_all_goes_to_who_adds_it() {
        let room = room().add_level(&user("U1"), &level("boss"), Rank(3)).unwrap();
        assert_eq!(room.level(&user("U1")), Some(&level("boss")));
        assert!(room.remove_level(&user("U1"), &level("owner")).is_ok());
        let refusal = room.remove_level(&user("U1"), &level("boss")).unwrap_err();
        assert_eq!(refusal, RoomRefusal::LevelInUse { level: level("boss"), count: 1 });
        let refusal = room.add_level(&user("U1"), &level("nobody"), Rank(0)).unwrap_err();
        assert_eq!(refusal, RoomRefusal::RankZero);
    }

    #[derive(Debug, Clone)]
    enum Change {
        AddLevel(String, u32),
        RemoveLevel(String),
        Grant(String, String),
        Revoke(String),
    }

    fn changes() -> impl Strategy<Value = Vec<(String, Change)>> {
        let user = "U[1-4]";
        let level = prop_oneof![
            Just("shepherd".to_owned()),
            Just("owner".to_owned()),
            "[a-c]".prop_map(String::from)
        ];
        let change = prop_oneof![
            (level.clone(), 0..6_u32).prop_map(|(level, rank)| Change::AddLevel(level, rank)),
            level.clone().prop_map(Change::RemoveLevel),
            (user, level).prop_map(|(user, level)| Change::Grant(user, level)),
            user.prop_map(Change::Revoke),
        ];
        prop::collection::vec((user, change), 1..40)
    }

    proptest! {
        /// Whatever anybody tries: somebody stays at the top, members have levels that exist, and only
        /// those at the top change what is not below their own rank.
        #[test]
        fn ranks_hold(changes in changes()) {
            let mut room = room();
            for (by, change) in changes {
                let by = user(&by);
                let after = match &change {
                    Change::AddLevel(name, rank) => room.add_level(&by, &level(name), Rank(*rank)),
                    Change::RemoveLevel(name) => room.remove_level(&by, &level(name)),
                    Change::Grant(who, name) => {
                        room.grant(&by, &user(who), &level(name)).map(|granted| granted.room)
                    }
                    Change::Revoke(who) => room.revoke(&by, &user(who)).map(|granted| granted.room),
                };
                let Ok(after) = after else { continue };
                let (own, top) = (room.rank(&by), room.top().1);
                prop_assert!(Rank(0) < own);
                for who in room.members().keys().chain(after.members().keys()) {
                    let touched = room.level(who) != after.level(who);
                    let reach = room.rank(who).max(after.rank(who));
                    prop_assert!(!touched || own == top || reach < own, "{change:?}");
                }
                prop_assert!(after.members().keys().any(|who| after.rank(who) == after.top().1));
                let parts = (after.levels.clone(), after.members.clone());
                prop_assert!(Room::stored(after.id.clone(), parts.0, parts.1, 1).is_some());
                prop_assert_eq!(after.version(), room.version() + 1);
                room = after;
            }
        }
    }
}
