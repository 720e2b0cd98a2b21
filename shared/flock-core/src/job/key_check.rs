//! The networks are asked whether the keys of accounts still work.

use crate::{AccountId, DeliveryId, JobId};

/// Whether the keys of accounts work, and what their networks say of them. It asks and changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KeyCheck {
    /// The one account whose key it is; none where it is that of each.
    pub only: Option<AccountId>,
    /// The last account that was asked about, in the order of their names.
    pub cursor: Option<AccountId>,
    /// How many keys work.
    pub working: u64,
    /// How many do not.
    pub failing: u64,
    /// Of how many nobody knows, because their network did not say it.
    pub unknown: u64,
    /// What is said of those that work, a line each, as far as [`KeyCheck::WORKING`] goes.
    pub works: Vec<String>,
    /// What is said of those that do not, as far as [`KeyCheck::FAILING`] goes.
    pub fails: Vec<String>,
    /// What is said of those that nobody knows of, as far as [`KeyCheck::UNSURE`] goes.
    pub unsure: Vec<String>,
}

/// What a step of a check has come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedKeys {
    /// The last of its accounts.
    pub cursor: AccountId,
    /// Whether the key of each works, where anybody knows, and what is said of it, in a line.
    pub lines: Vec<(Option<bool>, String)>,
}

impl KeyCheck {
    /// So many lines are kept of keys that work. They are written again with every step: with all others, and the longest
    /// names and reasons, a job is 20 KB, which DynamoDB writes for 20 units; it takes 400 KB.
    pub const WORKING: usize = 20;

    /// So many lines are kept of keys that do not work.
    pub const FAILING: usize = 30;

    /// So many lines are kept of keys that nobody knows of.
    pub const UNSURE: usize = 10;

    /// Bytes of a line, about; what is longer is cut, and says so.
    pub const LINE_BYTES: usize = 300;

    /// The one job that asks for this at a time.
    pub fn job(only: Option<&AccountId>) -> JobId {
        let only = only.map(ToString::to_string).unwrap_or_default();
        JobId::of(&DeliveryId::of(&["account check", &only]))
    }

    /// How many accounts were asked about.
    pub fn done(&self) -> u64 {
        self.working.saturating_add(self.failing).saturating_add(self.unknown)
    }

    /// How far it is after a step.
    #[must_use]
    pub fn step(&self, step: &CheckedKeys) -> Self {
        let mut work = Self { cursor: Some(step.cursor.clone()), ..self.clone() };
        for (key_works, line) in &step.lines {
            let (count, lines, most) = match key_works {
                Some(true) => (&mut work.working, &mut work.works, Self::WORKING),
                Some(false) => (&mut work.failing, &mut work.fails, Self::FAILING),
                None => (&mut work.unknown, &mut work.unsure, Self::UNSURE),
            };
            *count = count.saturating_add(1);
            if lines.len() < most {
                lines.push(super::kept(line, Self::LINE_BYTES));
            }
        }
        work
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(first: usize, number: usize, key_works: Option<bool>) -> CheckedKeys {
        let line = |number: usize| (key_works, format!("x:a{number} {}", "ä".repeat(400)));
        CheckedKeys {
            cursor: format!("x:a{}", first + number).parse().unwrap(),
            lines: (first..first + number).map(line).collect(),
        }
    }

    #[test]
    fn a_check_counts_all_and_keeps_some_lines() {
        let (mut work, mut again) = (KeyCheck::default(), KeyCheck::default());
        for number in 0..125 {
            again = work.clone();
            let key_works = [Some(true), Some(false), None, Some(true), Some(false)];
            work = work.step(&step(8 * number, 8, key_works[number % 5]));
        }
        assert_eq!((work.working, work.failing, work.unknown), (400, 400, 200));
        assert_eq!(work.done(), 1_000);
        let kept = [&work.works, &work.fails, &work.unsure].map(Vec::len);
        assert_eq!(kept, [KeyCheck::WORKING, KeyCheck::FAILING, KeyCheck::UNSURE]);
        assert!(work.works[0].starts_with("x:a0 ä") && work.works[0].ends_with("ä…"));
        assert_eq!(
            again.step(&step(8 * 124, 8, Some(false))),
            work,
            "one that is made again counts the same"
        );
        let lines = work.works.iter().chain(&work.fails).chain(&work.unsure);
        assert!(lines.map(String::len).sum::<usize>() <= 20_000);
        let broken =
            CheckedKeys { lines: vec![(Some(true), "a\nb".to_owned())], ..step(0, 1, None) };
        assert_eq!(KeyCheck::default().step(&broken).works, ["a b"]);
    }

    #[test]
    fn checks_of_the_same_are_one_job() {
        let milton = "x:milton".parse().unwrap();
        assert_ne!(KeyCheck::job(None), KeyCheck::job(Some(&milton)));
        assert_eq!(KeyCheck::job(Some(&milton)), KeyCheck::job(Some(&milton)));
    }
}
