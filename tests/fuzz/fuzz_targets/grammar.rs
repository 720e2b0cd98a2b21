//! Holds: a grammar is refused with lines that are in it, or texts can be drawn by it; each is one that a post can be, and the same
//! from the same seed; what is stored of it is the same grammar; and whatever is stored is a grammar or none, whose draws end.
#![no_main]

use flock_core::{BehaviourKind, Corpus, Dice, Grammar, Source, says_nothing};
use jiff::tz::TimeZone;
use libfuzzer_sys::fuzz_target;
use serde_json::{Map, Value};

/// The lines are rules of these in turn.
const SYMBOLS: [&str; 4] = ["origin", "a", "b", "c"];

fn of_rules(lines: &str) -> String {
    let mut symbols = Map::new();
    for (rule, symbol) in lines.split('\n').zip(SYMBOLS.iter().cycle()) {
        let rules = symbols.entry(*symbol).or_insert_with(|| Value::Array(Vec::new()));
        rules.as_array_mut().expect("they are lists").push(rule.into());
    }
    serde_json::to_string_pretty(&symbols).expect("texts are JSON")
}

fuzz_target!(|input: (bool, u64, &[u8])| {
    let (is_rules, seed, bytes) = input;
    let made = std::str::from_utf8(bytes).ok().filter(|_| is_rules).map(of_rules);
    let bytes = made.as_ref().map_or(bytes, |made| made.as_bytes());
    let line_count = bytes.split(|byte| *byte == b'\n').count();
    let (corpus, problems) = BehaviourKind::Grammar.read(&Source::plain("a.json", bytes, &TimeZone::UTC));
    assert_eq!(corpus.is_none(), !problems.is_empty());
    for problem in &problems {
        assert!(problem.line().is_none_or(|line| (1..=line_count).contains(&line)), "{problem}");
    }
    // What somebody else stored.
    if let Ok(any) = Corpus::parse(bytes) {
        if let Some(grammar) = Grammar::of(&any) {
            assert_eq!(grammar.draw(&mut Dice::new(seed)), grammar.draw(&mut Dice::new(seed)));
            grammar.shortest();
        }
    }
    let Some(corpus) = corpus else { return };
    let numbers: Vec<_> = corpus.lines().map(|(number, _)| number).collect();
    assert!(numbers.is_sorted() && numbers.iter().all(|number| (1..=line_count).contains(number)));
    let grammar = Grammar::of(&corpus).expect("it was read");
    let again = Corpus::of_pieces(corpus.pieces()).expect("it has lines");
    assert_eq!(again.id(), corpus.id());
    let again = Grammar::of(&again).expect("it is the same");
    assert_eq!(again, grammar);
    for seed in [seed, seed.wrapping_add(1)] {
        let text = grammar.draw(&mut Dice::new(seed));
        assert_eq!(text, again.draw(&mut Dice::new(seed)));
        let Some(text) = text else { continue };
        assert!(!says_nothing(&text) && text.len() <= 3_700 && text.trim() == text, "{text:?}");
    }
    grammar.shortest();
});
