//! The keys of all accounts are sealed anew.

use crate::{AccountId, DeliveryId, JobId};

/// The keys of all accounts, and what was got with them, sealed with the current key of the keyring.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rotation {
    /// A key that the keyring has, or else it is not read newly enough; none where whatever is current will do.
    pub under: Option<String>,
    /// The last account that is done, in the order of their names.
    pub cursor: Option<AccountId>,
    /// How many of those done are sealed with that key, by this job or before.
    pub sealed: u64,
    /// How many could not be opened, and so are as they were.
    pub unopened: u64,
    /// Those, as far as [`Rotation::NAMED`] goes.
    pub named: Vec<AccountId>,
}

/// What a step of a rotation has come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resealed {
    /// The last of its accounts.
    pub cursor: AccountId,
    /// How many are sealed with the current key now.
    pub sealed: u64,
    /// Those that could not be opened.
    pub unopened: Vec<AccountId>,
}

impl Rotation {
    /// So many accounts are named that could not be opened.
    pub const NAMED: usize = 20;

    /// The one job of this kind that there is: no two rotate at once.
    pub fn job() -> JobId {
        JobId::of(&DeliveryId::of(&["account rotate"]))
    }

    /// How many accounts are done.
    pub fn done(&self) -> u64 {
        self.sealed.saturating_add(self.unopened)
    }

    /// How far it is after a step.
    #[must_use]
    pub fn step(&self, step: &Resealed) -> Self {
        let Resealed { cursor, sealed, unopened } = step;
        let named = self.named.iter().chain(unopened).take(Self::NAMED).cloned().collect();
        let number = u64::try_from(unopened.len()).unwrap_or(u64::MAX);
        Self {
            under: self.under.clone(),
            cursor: Some(cursor.clone()),
            sealed: self.sealed.saturating_add(*sealed),
            unopened: self.unopened.saturating_add(number),
            named,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rotation_counts_all_that_it_cannot_open_and_names_some() {
        let account = |number: u64| format!("x:a{number}").parse::<AccountId>().unwrap();
        let begun = Rotation { under: Some("k2".to_owned()), ..Rotation::default() };
        let step = |first: u64| Resealed {
            cursor: account(first + 14),
            sealed: 5,
            unopened: (first..first + 15).map(account).collect(),
        };
        let twice = begun.step(&step(0)).step(&step(15));
        assert_eq!((twice.done(), twice.sealed, twice.unopened), (40, 10, 30));
        assert_eq!((twice.named.len(), &twice.named[19]), (20, &account(19)));
        assert_eq!((twice.cursor, twice.under.as_deref()), (Some(account(29)), Some("k2")));
    }
}
