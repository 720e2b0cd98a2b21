//! The simulation itself: that a seed is the same run again, and that what it says of a failing one is so.

use std::{collections::BTreeSet, fs, path::Path, time::Duration};

use flock_simulation::{Fault, FaultKind, Keep, Scenario, Summary, kinds_of_faults, run};

/// Makes a world one that cannot be.
type Spoil = fn(&mut Scenario);

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

/// What is printed of a failing world is that world.
#[test]
fn a_world_that_was_saved_is_the_same_world() {
    let drawn = Scenario::draw(3, None, None);
    let saved = serde_json::to_string(&drawn).expect("a world is JSON");
    let read: Scenario = serde_json::from_str(&saved).expect("it can be read");
    assert_eq!(read.check(), Ok(()));
    assert_eq!(serde_json::to_string(&read).expect("a world is JSON"), saved);
    let summary = |scenario| run(scenario, Keep::Last).0.map_err(|failure| failure.violation);
    assert_eq!(summary(&drawn), summary(&read));
}

#[test]
fn a_world_that_cannot_be_is_refused() {
    let saved = serde_json::to_string(&Scenario::draw(3, None, None)).expect("a world is JSON");
    let unknown = saved.replace("\"choir\"", "\"quire\"").replace("\"herd\"", "\"quire\"");
    let err = serde_json::from_str::<Scenario>(&unknown).expect_err("there is no such flock");
    assert!(err.to_string().starts_with("nothing here is called quire"), "{err}");
    let mut empty = Scenario::draw(3, None, None);
    empty.sheep.clear();
    assert_eq!(empty.check(), Err("the number of sheep is not one that is drawn".to_owned()));
    let mut fewer = Scenario::draw(3, None, None);
    fewer.deeds[0].what = flock_simulation::Act::Say("now #99".to_owned());
    assert_eq!(fewer.check(), Err("there is no sheep 99, which somebody sees to".to_owned()));
    let odd: [(&str, Spoil); 6] = [
        ("`days`", |world| world.days = 3_000_000),
        ("`second`", |world| world.second = 255),
        ("the name `a b`", |world| world.sheep[0].name = "a b".to_owned()),
        ("the flock of sheep-0", |world| world.sheep[0].flock = "U1"),
        ("`lines` of sheep-0", |world| world.sheep[0].lines = u32::MAX),
        ("how often processes die", |world| {
            let (from, until) = (Duration::ZERO, Duration::from_secs(1));
            world.faults = vec![Fault { kind: FaultKind::Deaths, from, until, percent: 255 }];
        }),
    ];
    for (what, make) in odd {
        let mut world = Scenario::draw(3, None, None);
        make(&mut world);
        assert_eq!(world.check(), Err(format!("{what} is not one that is drawn")));
    }
    for seed in 1..=200 {
        assert_eq!(Scenario::draw(seed, None, None).check(), Ok(()), "{seed}");
    }
}

/// No kind of fault is forgotten where worlds are drawn.
#[test]
fn every_kind_of_fault_is_drawn() {
    let worlds = (1..=200).map(|seed| Scenario::draw(seed, None, None));
    let drawn: BTreeSet<_> =
        worlds.flat_map(|world| world.faults).map(|fault| fault.kind.name()).collect();
    assert_eq!(drawn, kinds_of_faults());
}

/// What is reported as broken has a function of its name, with the sentence that says what it means.
#[test]
fn what_is_reported_is_a_function() {
    let mut sources = String::new();
    let mut left = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(path) = left.pop() {
        if path.is_dir() {
            let entries = fs::read_dir(&path).expect("a directory");
            left.extend(entries.map(|entry| entry.expect("an entry").path()));
        } else {
            sources.push_str(&fs::read_to_string(&path).expect("a source"));
        }
    }
    let reported = sources
        .split(".broken(")
        .skip(1)
        .filter_map(|after| after.trim_start().strip_prefix('"')?.split('"').next());
    let reported: BTreeSet<_> = reported.collect();
    assert!(30 < reported.len(), "{reported:?}");
    let mut lines = sources.lines();
    let mut documented = BTreeSet::new();
    let mut before = "";
    for line in &mut lines {
        let line = line.trim_start();
        if let Some((_, rest)) = line.split_once("fn ")
            && before.starts_with("/// ")
        {
            documented.insert(rest.split('(').next().unwrap_or_default());
        }
        before = line;
    }
    let missing: Vec<_> = reported.difference(&documented).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
