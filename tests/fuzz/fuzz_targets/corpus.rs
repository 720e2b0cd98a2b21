//! Holds: a text is refused with lines that are in it, or every line in which something is seen is in the pieces, once and
//! in order, without byte order marks; by stanza and whole it says the same words.
#![no_main]

use flock_core::{BehaviourKind, Corpus, Post, Source, says_nothing};
use jiff::tz::TimeZone;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let line_count = bytes.split(|byte| *byte == b'\n').count();
    let corpus = match Corpus::parse(bytes) {
        Ok(corpus) => corpus,
        Err(problems) => {
            assert!(!problems.is_empty());
            for problem in problems {
                assert!(
                    problem.line().is_none_or(|line| (1..=line_count).contains(&line)),
                    "{problem}"
                );
            }
            return;
        }
    };
    let text = std::str::from_utf8(bytes).expect("a corpus is UTF-8").replace('\u{feff}', "");
    let expected: Vec<(usize, &str)> = (1..)
        .zip(text.split('\n').map(str::trim))
        .filter(|(_, line)| !says_nothing(line))
        .collect();
    assert_eq!(corpus.lines().collect::<Vec<_>>(), expected);
    assert_eq!(corpus.len() as usize, expected.len());

    let mut lines = expected.iter().map(|(_, line)| *line);
    let mut next = 0;
    for piece in corpus.pieces() {
        assert_eq!(piece.first, next);
        assert!(!piece.lines.is_empty());
        // As DynamoDB counts a list.
        assert!(piece.lines.iter().map(|line| line.len() + 4).sum::<usize>() <= 3_800);
        for line in piece.lines {
            assert_eq!(Some(line.as_str()), lines.next());
            next += 1;
        }
    }
    assert_eq!(lines.next(), None);

    let words = |text: &str| text.split_whitespace().map(ToOwned::to_owned).collect::<Vec<_>>();
    let seen = |corpus: &Corpus| {
        let words = corpus.lines().flat_map(|(_, line)| words(line));
        words.filter(|word| !says_nothing(word)).collect::<Vec<_>>()
    };
    let zone = TimeZone::UTC;
    for post in [Post::Stanza, Post::Thread, Post::File] {
        let source = Source { post, ..Source::plain("a.txt", bytes, &zone) };
        let (divided, _) = BehaviourKind::Poem.read(&source);
        assert_eq!(divided.map(|divided| seen(&divided)), Some(seen(&corpus)));
    }

    // What is made of the lines alone is the same corpus.
    let lines: Vec<&str> = corpus.lines().map(|(_, line)| line).collect();
    let again =
        Corpus::parse(format!("\n{}", lines.join("\n")).as_bytes()).expect("these are its lines");
    assert_eq!(again.id(), corpus.id());
});
