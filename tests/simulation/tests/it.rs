//! The simulation itself: that a seed is the same run again, and that what it says of a failing one is so.

use flock_simulation::{Keep, Scenario, Summary, run};

fn summary(seed: u64) -> Summary {
    let scenario = Scenario::draw(seed, None, None);
    match run(&scenario, Keep::Last).0 {
        Ok(summary) => summary,
        Err(failure) => panic!("seed {seed}: {}\n{}", failure.violation, failure.steps.join("\n")),
    }
}

/// In another thread maps have another order of their own, and what is left in memory by other runs is not there.
#[test]
fn a_seed_is_the_same_run_again() {
    let first: Vec<_> = (1..=20).map(summary).collect();
    let again = std::thread::spawn(|| (1..=20).rev().map(summary).collect::<Vec<_>>());
    let mut again = again.join().expect("the runs end");
    again.reverse();
    for (seed, (first, again)) in (1..).zip(first.into_iter().zip(again)) {
        assert_eq!(first, again, "seed {seed}");
    }
}
