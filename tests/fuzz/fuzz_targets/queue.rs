//! Holds: a queue, as a table, a text or a calendar, is refused with lines that are in it, or its posts are in the order of the
//! file, or of their times, which do not go backwards; what its posts are written as, in a table and, where all have times, in a
//! calendar, is the same queue.
#![no_main]

use flock_core::{
    BehaviourKind, Corpus, CorpusProblem, Cursor, Source, queue_csv, queue_ical, queue_posts,
    says_nothing,
};
use jiff::{Timestamp, tz::TimeZone};
use libfuzzer_sys::fuzz_target;

/// As far as numbers of years have four digits.
const YEARS: std::ops::Range<i64> = -62_000_000_000..253_000_000_000;

fn read(name: &str, bytes: &[u8]) -> (Option<Corpus>, Vec<CorpusProblem>) {
    let zone = TimeZone::get("Europe/London").expect("it is bundled");
    BehaviourKind::Queue.read(&Source::plain(name, bytes, &zone))
}

fn at(corpus: &Corpus, index: usize) -> Option<Timestamp> {
    corpus.marks().of(Cursor::at(u32::try_from(index).expect("there are fewer lines"))).at
}

fuzz_target!(|input: (u8, &[u8])| {
    let (form, bytes) = input;
    let line_count = bytes.split(|byte| *byte == b'\n').count();
    let name = ["queue.csv", "queue.txt", "queue.ics"][usize::from(form) % 3];
    let (corpus, problems) = read(name, bytes);
    for problem in &problems {
        assert!(problem.line().is_none_or(|line| (1..=line_count).contains(&line)), "{problem}");
    }
    let Some(corpus) = corpus else { return assert!(!problems.is_empty()) };
    let numbers: Vec<_> = corpus.lines().map(|(number, _)| number).collect();
    assert!(numbers.is_sorted() || name == "queue.ics");
    assert!(numbers.iter().all(|number| (1..=line_count).contains(number)));
    if !problems.is_empty() {
        return;
    }
    let times: Vec<_> = (0..numbers.len()).map(|index| at(&corpus, index)).collect();
    assert!(times.iter().flatten().is_sorted());

    let is_written = |at: &Timestamp| YEARS.contains(&at.as_second());
    let all: Option<Vec<_>> = queue_posts(&corpus).map(|(at, text)| Some((at?, text))).collect();
    if let Some(all) = all.filter(|all| {
        all.iter().all(|(at, text)| is_written(at) && !says_nothing(text))
    }) {
        let calendar = queue_ical("a/b", all, Timestamp::UNIX_EPOCH);
        assert!(calendar.split("\r\n").all(|line| line.len() <= 75 && !line.contains('\n')));
        let (again, problems) = read("again.ics", calendar.as_bytes());
        assert_eq!((again.map(|again| again.id()), problems), (Some(corpus.id()), Vec::new()));
    }

    let zone = TimeZone::get("Asia/Kathmandu").expect("it is bundled");
    let table = queue_csv(queue_posts(&corpus), &zone);
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
