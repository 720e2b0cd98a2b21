//! Rooms: who may do what in each.
//!
//! A room has levels, each a name with a rank, and members, each with one level. The deployment's first owner
//! has the highest level of every room, whatever is stored of it. Every change is a function from a room to a
//! room, or a refusal; the caller writes the result if the room is unchanged since it was read. Three things
//! always hold: where somebody is at the top, somebody stays there; nobody gives or takes what is not below
//! their own rank, except from the top; and levels that come and go lift nobody to the top.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use serde::{Deserialize, Serialize};

use crate::{LevelName, RoomId, UserId};

/// How much one may do. 0 is everybody's.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default,
)]
#[serde(transparent)]
pub struct Rank(pub u32);

impl Rank {
    /// The highest a level can have.
    pub const HIGHEST: u32 = 1_000;
}

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
    /// What is stored: each has one of `levels`. What it says of the first owner counts when somebody else is
    /// that.
    members: BTreeMap<UserId, LevelName>,
    /// Who is at the top whatever `members` says. Not stored, because it is the deployment's to say.
    first_owner: Option<UserId>,
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
        /// The rank of that level, which may be higher.
        rank: Rank,
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
    #[error("a level's rank is from 1 to {}; rank 0 is everybody's", Rank::HIGHEST)]
    BadRank,
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
    /// Only from the top.
    #[error("that needs the highest level of the room, `{top}`, and your rank there is {}", own.0)]
    NotAtTheTop {
        /// The highest level.
        top: LevelName,
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
    /// The deployment says who that is, and no room.
    #[error(
        "{0} is the first owner, who has the highest level of every room; only the deployment's setting \
         `FirstOwner` changes that"
    )]
    FirstOwner(UserId),
    /// Whoever is below the top would be at it.
    #[error(
        "`{next}` would be the highest level then, and {user} has it without being at the top of this room \
         now; revoke that first, or give {user} `{removed}`"
    )]
    LiftsToTheTop {
        /// The level that is to go.
        removed: LevelName,
        /// The one below it.
        next: LevelName,
        /// One who has it.
        user: UserId,
    },
}

/// A changed room, and what to tell of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Granted {
    /// The room as it is to be written.
    pub room: Room,
    /// The level they had.
    pub before: Option<LevelName>,
}

/// A room with one level less, and what to tell of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removed {
    /// The room as it is to be written.
    pub room: Room,
    /// Who had the level and has another now; by user.
    pub fallen: Vec<(UserId, LevelName)>,
}

impl Room {
    /// A room nobody has changed: `shepherd` (rank 1) and `owner` (2), and nobody but the first owner.
    pub fn new(id: RoomId, first_owner: Option<&UserId>) -> Self {
        let name = |text: &str| text.parse::<LevelName>().expect("a level name");
        let levels = BTreeMap::from([(name("shepherd"), Rank(1)), (name("owner"), Rank(2))]);
        let first_owner = first_owner.cloned();
        Self { id, levels, members: BTreeMap::new(), first_owner, version: 0 }
    }

    /// A room as it was stored. `None`: a member has a level that is not there.
    pub fn stored(
        id: RoomId,
        levels: BTreeMap<LevelName, Rank>,
        members: BTreeMap<UserId, LevelName>,
        version: u64,
        first_owner: Option<&UserId>,
    ) -> Option<Self> {
        let sound = !levels.is_empty() && members.values().all(|level| levels.contains_key(level));
        let first_owner = first_owner.cloned();
        sound.then_some(Self { id, levels, members, first_owner, version })
    }

    /// Rank by name of the level.
    pub fn levels(&self) -> &BTreeMap<LevelName, Rank> {
        &self.levels
    }

    /// All who have a level, each with it, by user.
    pub fn members(&self) -> impl Iterator<Item = (&UserId, &LevelName)> {
        let first_owner = self.first_owner.as_ref();
        let unsaid = first_owner.filter(|user| !self.members.contains_key(*user));
        let users: BTreeSet<_> = self.members.keys().chain(unsaid).collect();
        users.into_iter().filter_map(|user| Some((user, self.level(user)?)))
    }

    /// Level by member as it is to be stored.
    pub fn stored_members(&self) -> &BTreeMap<UserId, LevelName> {
        &self.members
    }

    /// Who is at the top of every room.
    pub fn first_owner(&self) -> Option<&UserId> {
        self.first_owner.as_ref()
    }

    /// Whether `user` is the first owner.
    pub fn is_first_owner(&self, user: &UserId) -> bool {
        self.first_owner.as_ref() == Some(user)
    }

    /// How often it was changed; 0 when it was never written.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// The level of `user`; none without one.
    pub fn level(&self, user: &UserId) -> Option<&LevelName> {
        let stored = self.members.get(user);
        if !self.is_first_owner(user) {
            return stored;
        }
        let (top, rank) = self.top();
        Some(stored.filter(|level| self.rank_of(level) == rank).unwrap_or(top))
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
        let Some((level, rank)) = enough.min_by_key(|(_, rank)| **rank) else {
            return Err(Denied::AboveAll { needed, top });
        };
        let can_grant = |member: &&UserId| *rank < self.rank(member) || self.is_top(member);
        let members = self.members().map(|(member, _)| member);
        let ask = members.filter(can_grant).cloned().collect();
        Err(Denied::TooLow { needed, level: level.clone(), rank: *rank, ask })
    }

    fn is_top(&self, user: &UserId) -> bool {
        self.rank(user) == self.top().1
    }

    /// Who has the highest rank.
    fn at_the_top(&self) -> impl Iterator<Item = &UserId> {
        self.members().map(|(member, _)| member).filter(|member| self.is_top(member))
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

    /// The room with another level. One above all others goes at once to those who had the highest and to
    /// nobody else.
    pub fn add_level(
        &self,
        by: &UserId,
        level: &LevelName,
        rank: Rank,
    ) -> Result<Self, RoomRefusal> {
        self.only_from_the_top(by)?;
        if !(1..=Rank::HIGHEST).contains(&rank.0) {
            return Err(RoomRefusal::BadRank);
        }
        if let Some(rank) = self.levels.get(level).copied() {
            return Err(RoomRefusal::LevelExists { level: level.clone(), rank });
        }
        let mut room = self.changed();
        room.levels.insert(level.clone(), rank);
        let top = self.top().1;
        if top < rank {
            // What is stored of the first owner counts as it says, for when somebody else is that.
            let at_the_top = room.members.values_mut().filter(|held| self.rank_of(held) == top);
            at_the_top.for_each(|held| held.clone_from(level));
        }
        Ok(room)
    }

    /// The room without a level. One that somebody has must be the highest, and they fall to the next one, unless
    /// that lifted others to the top.
    pub fn remove_level(&self, by: &UserId, level: &LevelName) -> Result<Removed, RoomRefusal> {
        self.only_from_the_top(by)?;
        let rank = self.find_level(level)?;
        if self.levels.len() == 1 {
            return Err(RoomRefusal::LastLevel(level.clone()));
        }
        let holders: Vec<_> = self.members().filter(|(_, held)| *held == level).collect();
        if !holders.is_empty() && rank < self.top().1 {
            let count = u32::try_from(holders.len()).unwrap_or(u32::MAX);
            return Err(RoomRefusal::LevelInUse { level: level.clone(), count });
        }
        let mut room = self.changed();
        room.levels.remove(level);
        let next = room.top().0.clone();
        // What is stored of the first owner below the top does not count, and must not come to count for more.
        room.members
            .retain(|user, held| !self.is_first_owner(user) || self.rank_of(held) == self.top().1);
        for held in room.members.values_mut().filter(|held| *held == level) {
            held.clone_from(&next);
        }
        if let Some(user) = room.at_the_top().find(|user| !self.is_top(user)) {
            let (removed, user) = (level.clone(), user.clone());
            return Err(RoomRefusal::LiftsToTheTop { removed, next, user });
        }
        let fallen = holders.into_iter().filter_map(|(user, _)| {
            let now = room.level(user)?;
            Some((user.clone(), now.clone()))
        });
        let fallen = fallen.collect();
        Ok(Removed { room, fallen })
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
            self.may_leave_the_top(user)?;
        }
        let mut room = self.changed();
        room.members.insert(user.clone(), level.clone());
        Ok(Granted { room, before: self.level(user).cloned() })
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

    /// The room where `user` has no level. One's own level one may always give up.
    pub fn revoke(&self, by: &UserId, user: &UserId) -> Result<Granted, RoomRefusal> {
        let Some(before) = self.level(user) else {
            return Err(RoomRefusal::NotAMember(user.clone()));
        };
        if by != user {
            self.may_handle(by, self.rank(user))?;
        }
        self.may_leave_the_top(user)?;
        let mut room = self.changed();
        room.members.remove(user);
        Ok(Granted { room, before: Some(before.clone()) })
    }

    fn only_from_the_top(&self, by: &UserId) -> Result<(), RoomRefusal> {
        if self.is_top(by) {
            return Ok(());
        }
        Err(RoomRefusal::NotAtTheTop { top: self.top().0.clone(), own: self.rank(by) })
    }

    fn may_leave_the_top(&self, user: &UserId) -> Result<(), RoomRefusal> {
        if self.is_first_owner(user) {
            return Err(RoomRefusal::FirstOwner(user.clone()));
        }
        if self.is_top(user) && self.at_the_top().all(|member| member == user) {
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

    /// A new room whose first owner is U1.
    fn room() -> Room {
        Room::new("C1".parse().unwrap(), Some(&user("U1")))
    }

    /// A room with these levels and members.
    fn stored(levels: &[(&str, u32)], members: &[(&str, &str)], first_owner: &str) -> Room {
        let levels = levels.iter().map(|(name, rank)| (level(name), Rank(*rank))).collect();
        let members = members.iter().map(|(who, held)| (user(who), level(held))).collect();
        let first_owner = Some(first_owner).filter(|who| !who.is_empty()).map(user);
        let id = "C1".parse().unwrap();
        Room::stored(id, levels, members, 1, first_owner.as_ref()).unwrap()
    }

    /// A room with two levels in a deployment without a first owner.
    fn without_first_owner(members: &[(&str, &str)]) -> Room {
        stored(&[("shepherd", 1), ("owner", 2)], members, "")
    }

    /// A room with U1 as owner, U2 as shepherd and U3 as `elder`, rank 5 of 9 (`boss`, U4).
    fn large() -> Room {
        let levels = [("shepherd", 1), ("owner", 2), ("elder", 5), ("boss", 9)];
        let members = [("U1", "owner"), ("U2", "shepherd"), ("U3", "elder"), ("U4", "boss")];
        stored(&levels, &members, "")
    }

    /// All members with their levels.
    fn members(room: &Room) -> String {
        let members = room.members().map(|(user, level)| format!("{user} {level}"));
        members.collect::<Vec<_>>().join(", ")
    }

    fn with_first_owner(room: &Room, first_owner: Option<&UserId>) -> Option<Room> {
        let (levels, members) = (room.levels.clone(), room.stored_members().clone());
        Room::stored(room.id.clone(), levels, members, room.version, first_owner)
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
        let shepherd =
            |ask| Denied::TooLow { needed: Rank(1), level: level("shepherd"), rank: Rank(1), ask };
        let denied = room().permit(&user("U5"), Need::Rank(Rank(1))).unwrap_err();
        let ask = vec![user("U1")];
        assert_eq!(denied, shepherd(ask));
        let denied = large().permit(&user("U5"), Need::Rank(Rank(1))).unwrap_err();
        let ask = vec![user("U1"), user("U3"), user("U4")];
        assert_eq!(denied, shepherd(ask));
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
        assert!(room.revoke(&elder, &elder).is_ok(), "what is one's own can be given up");
        refused(room.revoke(&elder, &user("U4")));
        assert!(room.add_level(&elder, &level("new"), Rank(1)).is_err());
        assert!(room.remove_level(&elder, &level("shepherd")).is_err());
        assert!(room.grant(&user("U4"), &user("U5"), &level("boss")).is_ok(), "the top may");
    }

    #[test]
    fn the_last_at_the_top_stays() {
        let (room, owner) = (without_first_owner(&[("U1", "owner")]), user("U1"));
        let last = RoomRefusal::LastAtTheTop(owner.clone());
        assert_eq!(room.revoke(&owner, &owner).unwrap_err(), last);
        assert_eq!(room.grant(&owner, &owner, &level("shepherd")).unwrap_err(), last);
        let two = room.grant(&owner, &user("U2"), &level("owner")).unwrap().room;
        assert!(two.revoke(&user("U2"), &owner).is_ok());
        let shared = with_first_owner(&room, Some(&user("U3"))).unwrap();
        assert!(shared.revoke(&owner, &owner).is_ok(), "the first owner is left");
    }

    #[test]
    fn the_first_owner_is_at_the_top_of_every_room() {
        let first = user("U1");
        let refusal = RoomRefusal::FirstOwner(first.clone());
        let below =
            stored(&[("shepherd", 1), ("boss", 9)], &[("U1", "shepherd"), ("U2", "boss")], "U1");
        let absent = stored(&[("shepherd", 1), ("boss", 9)], &[("U2", "boss")], "U1");
        for room in [below, absent] {
            assert_eq!(members(&room), "U1 boss, U2 boss");
            for by in ["U1", "U2"].map(user) {
                assert_eq!(room.revoke(&by, &first).unwrap_err(), refusal, "{by}");
                let granted = room.grant(&by, &first, &level("shepherd"));
                assert_eq!(granted.unwrap_err(), refusal, "{by}");
            }
            assert_eq!(members(&room.revoke(&first, &user("U2")).unwrap().room), "U1 boss");
            let higher = room.add_level(&user("U2"), &level("god"), Rank(10)).unwrap();
            assert_eq!(members(&higher), "U1 god, U2 god");
        }
    }

    #[test]
    fn the_first_owner_is_the_one_of_now() {
        let (one, two) = (user("U1"), user("U2"));
        let room = room().grant(&one, &user("U3"), &level("shepherd")).unwrap().room;
        let other = with_first_owner(&room, Some(&two)).unwrap();
        assert_eq!(members(&other), "U2 owner, U3 shepherd", "nothing is said of U1");
        let kept = room.grant(&one, &one, &level("owner")).unwrap().room;
        let other = with_first_owner(&kept, Some(&two)).unwrap();
        assert_eq!(members(&other), "U1 owner, U2 owner, U3 shepherd");
        assert!(other.revoke(&two, &one).is_ok());
        assert_eq!(members(&with_first_owner(&room, None).unwrap()), "U3 shepherd");
    }

    /// As it was found: U2 was lifted to the top by two changes of levels, and took the room.
    #[test]
    fn levels_that_come_and_go_lift_nobody_to_the_top() {
        let (one, two) = (user("U1"), user("U2"));
        let (shepherd, owner) = (level("shepherd"), level("owner"));
        let with = |first_owner: Option<&UserId>| {
            let room = without_first_owner(&[("U1", "owner"), ("U2", "shepherd")]);
            with_first_owner(&room, first_owner).unwrap()
        };
        for room in
            [with(None), with(Some(&one)), room().grant(&one, &two, &shepherd).unwrap().room]
        {
            let lifted = RoomRefusal::LiftsToTheTop {
                removed: owner.clone(),
                next: shepherd.clone(),
                user: two.clone(),
            };
            assert_eq!(room.remove_level(&one, &owner).unwrap_err(), lifted);
            let room = room.add_level(&one, &level("chief"), Rank(9)).unwrap();
            assert_eq!(members(&room), "U1 chief, U2 shepherd");
            assert!(room.revoke(&two, &one).is_err());
            let room = room.remove_level(&one, &owner).unwrap().room;
            assert_eq!(members(&room), "U1 chief, U2 shepherd");
        }
    }

    #[test]
    fn what_does_not_count_of_the_first_owner_comes_to_count_for_nothing_more() {
        let one = user("U1");
        let levels = [("shepherd", 1), ("elder", 5), ("boss", 9)];
        for (held, gone) in [("elder", "elder"), ("elder", "boss"), ("shepherd", "elder")] {
            let room = stored(&levels, &[("U1", held)], "U1");
            let removed = room.remove_level(&one, &level(gone)).unwrap();
            let other = with_first_owner(&removed.room, Some(&user("U2"))).unwrap();
            assert_eq!(other.level(&one), None, "{held} {gone}");
        }
    }

    #[test]
    fn a_level_above_all_goes_to_those_at_the_top() {
        let one = user("U1");
        for room in [room(), without_first_owner(&[("U1", "owner")])] {
            let boss = room.add_level(&one, &level("boss"), Rank(3)).unwrap();
            assert_eq!(boss.level(&one), Some(&level("boss")));
            assert_eq!(boss.remove_level(&one, &level("owner")).unwrap().fallen, []);
            let back = boss.remove_level(&one, &level("boss")).unwrap();
            assert_eq!(back.fallen, [(one.clone(), level("owner"))], "a mistake can be undone");
            assert_eq!(back.room.level(&one), Some(&level("owner")));
            let two = boss.grant(&one, &user("U2"), &level("shepherd")).unwrap().room;
            let refusal = two.remove_level(&one, &level("shepherd")).unwrap_err();
            assert_eq!(refusal, RoomRefusal::LevelInUse { level: level("shepherd"), count: 1 });
        }
        for rank in [0, 1_001] {
            let refusal = room().add_level(&one, &level("nobody"), Rank(rank)).unwrap_err();
            assert_eq!(refusal, RoomRefusal::BadRank);
        }
    }

    proptest! {
        #[test]
        fn a_denial_names_a_level_of_the_room_that_is_enough_and_who_can_give_it(
            levels in prop::collection::btree_map("[a-e]", 1..8_u32, 1..5),
            held in prop::collection::vec(any::<prop::sample::Index>(), 0..4),
            needed in prop_oneof![Just(Need::Top), (0..9_u32).prop_map(|rank| Need::Rank(Rank(rank)))],
        ) {
            let names: Vec<_> = levels.keys().map(|name| level(name)).collect();
            let levels: BTreeMap<_, _> =
                levels.iter().map(|(name, rank)| (level(name), Rank(*rank))).collect();
            let members = held.iter().zip(1..).map(|(held, number)| {
                (user(&format!("U{number}")), held.get(&names).clone())
            });
            let room = Room::stored("C1".parse().unwrap(), levels, members.collect(), 1, None).unwrap();
            for who in ["U1", "U2", "U9"].map(user) {
                match room.permit(&who, needed) {
                    Ok(()) => match needed {
                        Need::Rank(rank) => prop_assert!(rank <= room.rank(&who)),
                        Need::Top => prop_assert!(room.is_top(&who)),
                    },
                    Err(Denied::AboveAll { needed, top }) => {
                        prop_assert!(top < needed && room.levels().values().all(|rank| *rank <= top));
                    }
                    Err(Denied::TooLow { needed, level, rank, ask }) => {
                        prop_assert_eq!(room.levels().get(&level), Some(&rank));
                        let enough = room.levels().values().filter(|rank| needed <= **rank);
                        prop_assert_eq!(enough.min(), Some(&rank), "none of less is enough");
                        prop_assert!(room.rank(&who) < needed);
                        for by in ask {
                            let granted = room.grant(&by, &who, &level);
                            prop_assert!(granted.unwrap().room.permit(&who, Need::Rank(needed)).is_ok());
                        }
                    }
                }
            }
        }
    }

    #[derive(Debug, Clone)]
    enum Change {
        AddLevel(&'static str, u32),
        RemoveLevel(&'static str),
        Grant(&'static str, &'static str),
        GrantTop(Vec<&'static str>),
        Revoke(&'static str),
        /// The deployment gets another first owner.
        Deploy(&'static str),
    }

    impl Change {
        fn on(&self, room: &Room, by: &UserId) -> Result<Room, RoomRefusal> {
            match self {
                Self::AddLevel(name, rank) => room.add_level(by, &level(name), Rank(*rank)),
                Self::RemoveLevel(name) => {
                    room.remove_level(by, &level(name)).map(|removed| removed.room)
                }
                Self::Grant(who, name) => {
                    room.grant(by, &user(who), &level(name)).map(|granted| granted.room)
                }
                Self::GrantTop(who) => {
                    let who: Vec<_> = who.iter().map(|who| user(who)).collect();
                    room.grant_top(by, &who).map(|(room, _)| room)
                }
                Self::Revoke(who) => room.revoke(by, &user(who)).map(|granted| granted.room),
                Self::Deploy(first_owner) => {
                    Ok(with_first_owner(room, Some(&user(first_owner))).unwrap())
                }
            }
        }
    }

    fn changes() -> impl Strategy<Value = Vec<(&'static str, Change)>> {
        let user = || prop::sample::select(&["U1", "U2", "U3", "U4"][..]);
        let level = || prop::sample::select(&["shepherd", "owner", "a", "b", "c"][..]);
        let change = prop_oneof![
            4 => (level(), 0..6_u32).prop_map(|(level, rank)| Change::AddLevel(level, rank)),
            4 => level().prop_map(Change::RemoveLevel),
            6 => (user(), level()).prop_map(|(user, level)| Change::Grant(user, level)),
            1 => prop::collection::vec(user(), 0..3).prop_map(Change::GrantTop),
            4 => user().prop_map(Change::Revoke),
            1 => user().prop_map(Change::Deploy),
        ];
        let user = user();
        prop::collection::vec((user, change), 1..30)
    }

    /// Who of the people there are is at the top.
    fn top(room: &Room) -> Vec<&UserId> {
        room.at_the_top().collect()
    }

    /// Whatever `by` tries: what comes of it is a sound room in which nobody got or took what is not theirs to.
    fn is_in_order(
        room: &Room,
        by: &UserId,
        change: &Change,
        after: &Room,
    ) -> Result<(), TestCaseError> {
        let (own, highest) = (room.rank(by), room.top().1);
        prop_assert!(Rank(0) < own);
        for (who, _) in room.members().chain(after.members()) {
            let touched = room.level(who) != after.level(who);
            let reach = room.rank(who).max(after.rank(who));
            let gives_up = who == by && after.level(who).is_none();
            prop_assert!(!touched || own == highest || reach < own || gives_up, "{change:?}");
        }
        let is_of_levels = matches!(change, Change::AddLevel(..) | Change::RemoveLevel(_));
        if own < highest || is_of_levels {
            prop_assert_eq!(top(room), top(after), "{:?}", change);
        }
        prop_assert_eq!(after.version(), room.version() + 1);
        Ok(())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn the_first_owner_stays_at_the_top_and_nobody_below_it_changes_who_is(changes in changes()) {
            let (mut room, mut first_owner) = (room(), user("U1"));
            for (by, change) in changes {
                let by = user(by);
                let Ok(after) = change.on(&room, &by) else { continue };
                if let Change::Deploy(other) = &change {
                    first_owner = user(other);
                } else {
                    is_in_order(&room, &by, &change, &after)?;
                }
                prop_assert!(top(&after).contains(&&first_owner), "{:?}", change);
                prop_assert!(with_first_owner(&after, None).is_some(), "{:?}", change);
                room = after;
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1_000))]

        #[test]
        fn without_a_first_owner_somebody_stays_at_the_top(changes in changes()) {
            let mut room = without_first_owner(&[("U1", "owner"), ("U2", "shepherd")]);
            let changes = changes.into_iter();
            for (by, change) in changes.filter(|(_, change)| !matches!(change, Change::Deploy(_))) {
                let by = user(by);
                let Ok(after) = change.on(&room, &by) else { continue };
                is_in_order(&room, &by, &change, &after)?;
                prop_assert!(!top(&after).is_empty(), "{:?}", change);
                prop_assert!(with_first_owner(&after, None).is_some(), "{:?}", change);
                room = after;
            }
        }
    }
}
