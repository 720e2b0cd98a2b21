//! Makes a failing scenario smaller: fewer faults, deeds, sheep and days that break the same thing.

use std::mem::discriminant;

use crate::{
    invariants::Violation,
    scenario::{Act, DAY, Scenario},
    steps::Keep,
    world::{Failure, run},
};

/// The smallest scenario that was found within `most` runs in which the same thing is broken, and how.
pub fn shrink(scenario: Scenario, failure: Failure, mut most: u32) -> (Scenario, Failure) {
    let mut best = (scenario, failure);
    loop {
        let mut is_smaller = false;
        for smaller in smaller_than(&best.0) {
            if most == 0 {
                return best;
            }
            most -= 1;
            if let (Err(failure), _) = run(&smaller, Keep::Last)
                && is_the_same(&failure.violation, &best.1.violation)
            {
                best = (smaller, failure);
                is_smaller = true;
                break;
            }
        }
        if !is_smaller {
            return best;
        }
    }
}

fn is_the_same(one: &Violation, other: &Violation) -> bool {
    one.invariant == other.invariant
}

/// Scenarios that are smaller, the smallest first.
fn smaller_than(scenario: &Scenario) -> Vec<Scenario> {
    let mut all = Vec::new();
    let mut add = |change: &dyn Fn(&mut Scenario)| {
        let mut smaller = scenario.clone();
        change(&mut smaller);
        all.push(smaller);
    };
    if !scenario.deeds.is_empty() {
        add(&|smaller| smaller.deeds.clear());
    }
    // One kind of fault after the other.
    let mut kinds: Vec<_> = scenario.faults.iter().map(|fault| discriminant(&fault.kind)).collect();
    kinds.sort_by_key(|kind| format!("{kind:?}"));
    kinds.dedup();
    for kind in kinds {
        add(&|smaller| smaller.faults.retain(|fault| discriminant(&fault.kind) != kind));
    }
    for half in halves(scenario.sheep.len()) {
        add(&|smaller| keep_sheep(smaller, &half));
    }
    for half in halves(scenario.deeds.len()) {
        add(&|smaller| smaller.deeds = half.iter().map(|n| scenario.deeds[*n].clone()).collect());
    }
    for half in halves(scenario.faults.len()) {
        add(&|smaller| smaller.faults = half.iter().map(|n| scenario.faults[*n].clone()).collect());
    }
    if 1 < scenario.days {
        for days in [1, scenario.days / 2, scenario.days - 1] {
            add(&|smaller| {
                smaller.days = days;
                let end = DAY * days;
                smaller.deeds.retain(|deed| deed.at < end);
                smaller.faults.retain(|fault| fault.from < end);
                for fault in &mut smaller.faults {
                    fault.until = fault.until.min(end);
                }
            });
        }
    }
    all
}

/// Ever larger parts of so many things: halves, quarters, and all but one of them.
fn halves(count: usize) -> Vec<Vec<usize>> {
    let mut parts = Vec::new();
    let mut size = count / 2;
    while 0 < size {
        for begin in (0..count).step_by(size) {
            parts.push((0..count).filter(|n| !(begin..begin + size).contains(n)).collect());
        }
        size /= 2;
    }
    parts.retain(|part: &Vec<usize>| !part.is_empty() || count == 1);
    parts
}

/// Leaves only these sheep, and of the deeds those that are about them.
fn keep_sheep(scenario: &mut Scenario, kept: &[usize]) {
    let new = |old: usize| kept.iter().position(|n| *n == old);
    scenario.sheep = kept.iter().map(|n| scenario.sheep[*n].clone()).collect();
    scenario.deeds.retain_mut(|deed| match &mut deed.what {
        Act::Say(line) => {
            let words = line.split(' ').map(|word| {
                match word.strip_prefix('#').and_then(|number| number.parse().ok()) {
                    Some(number) => new(number).map(|number| format!("#{number}")),
                    None => Some(word.to_owned()),
                }
            });
            match words.collect::<Option<Vec<_>>>() {
                Some(words) => *line = words.join(" "),
                None => return false,
            }
            true
        }
        Act::Edit { sheep, .. }
        | Act::Move { sheep }
        | Act::Unqueue { sheep }
        | Act::Wipe { sheep, .. }
        | Act::Anew { sheep, .. }
        | Act::Decide { sheep } => match new(*sheep) {
            Some(number) => {
                *sheep = number;
                true
            }
            None => false,
        },
        Act::Remove { .. } | Act::Apply { .. } => true,
    });
}
