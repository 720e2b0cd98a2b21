//! Holds: a queue, as a table or as a text, is refused with lines that are in it, or its posts are in the order of the file
//! and their times do not go backwards; what its posts are written as in a table is the same queue.
#![no_main]

use flock_core::{BehaviourKind, Corpus, CorpusProblem, Cursor, Source, says_nothing};
use jiff::{Timestamp, tz::TimeZone};
use libfuzzer_sys::fuzz_target;

fn read(name: &str, bytes: &[u8]) -> (Option<Corpus>, Vec<CorpusProblem>) {
    let zone = TimeZone::get("Europe/London").expect("it is bundled");
    BehaviourKind::Queue.read(&Source::plain(name, bytes, &zone))
}

fn at(corpus: &Corpus, index: usize) -> Option<Timestamp> {
    corpus.marks().of(Cursor::at(u32::try_from(index).expect("there are fewer lines"))).at
}

fuzz_target!(|input: (bool, &[u8])| {
    let (is_table, bytes) = input;
    let line_count = bytes.split(|byte| *byte == b'\n').count();
    let (corpus, problems) = read(if is_table { "queue.csv" } else { "queue.txt" }, bytes);
    for problem in &problems {
        assert!(problem.line().is_none_or(|line| (1..=line_count).contains(&line)), "{problem}");
    }
    let Some(corpus) = corpus else { return assert!(!problems.is_empty()) };
    let numbers: Vec<_> = corpus.lines().map(|(number, _)| number).collect();
    assert!(numbers.is_sorted() && numbers.iter().all(|number| (1..=line_count).contains(number)));
    if !problems.is_empty() {
        return;
    }
    let times: Vec<_> = (0..numbers.len()).map(|index| at(&corpus, index)).collect();
    assert!(times.iter().flatten().is_sorted());

    let mut table = "text,at\n".to_owned();
    for ((_, text), at) in corpus.lines().zip(&times) {
        let at = at.map(|at| at.to_string()).unwrap_or_default();
        table += &format!("\"{}\",{at}\n", text.replace('"', "\"\""));
    }
    // What says nothing and has no time is left out of a table.
    if corpus.lines().zip(&times).any(|((_, text), at)| says_nothing(text) && at.is_none()) {
        return;
    }
    let (again, problems) = read("again.csv", table.as_bytes());
    assert_eq!(
        (again.map(|again| again.id()), problems),
        (Some(corpus.id()), Vec::new()),
        "{table}"
    );
});
