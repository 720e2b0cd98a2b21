//! Texts that nobody writes.

use super::{
    super::{Template, TemplateError},
    GOOD, REAL,
};
use crate::exposure;

/// Numbers that are the same in every run (xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).expect("31 bits fit") % end.max(1)
    }

    fn pick<'t>(&mut self, of: &[&'t str]) -> &'t str {
        of[self.below(of.len())]
    }
}

fn mutate(text: &str, random: &mut Random) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    for _ in 0..=random.below(3) {
        let (at, other) = (random.below(lines.len()), random.below(lines.len()));
        match random.below(8) {
            0 => drop(lines.remove(at)),
            1 => lines.swap(at, other),
            2 => lines.insert(at, lines[other].clone()),
            3 => lines.truncate(at.max(1)),
            4 => lines[at].insert_str(0, random.pick(&[" ", "  ", "- ", "\t", "? ", "&a "])),
            5 => lines[at] = lines[at].trim_start().to_owned(),
            _ => {
                let place = random.below(lines[at].chars().count());
                let cut = random.below(3);
                let chars: Vec<char> = lines[at].chars().collect();
                let with = random.pick(&[
                    "", ":", ": ", "{", "}", "[", "]", "!", "!Ref ", "!Sub ", "${", "&a ", "*a",
                    "'", "\"", "#", "|", ">", "-", "@", "%", "\u{0}", "\u{feff}", "ü", "\u{2028}",
                    "~", "<<: ", "*", "?", "\\", "!!str ", "!<x> ", "---", "...", "1", ",",
                ]);
                let rest = (place + cut).min(chars.len());
                lines[at] = chars[..place].iter().collect::<String>()
                    + with
                    + &chars[rest..].iter().collect::<String>();
            }
        }
        if lines.is_empty() {
            break;
        }
    }
    lines.join("\n")
}

#[test]
fn nothing_makes_it_panic() {
    let mut random = Random(0x5EED);
    let (mut read, mut refused) = (0, 0);
    for round in 0..1000 {
        let text = mutate(if round % 4 == 0 { REAL } else { GOOD }, &mut random);
        exposure::check(&text, &[]);
        match Template::parse(&text) {
            Ok(_) => read += 1,
            Err(TemplateError(findings)) => {
                refused += 1;
                // A parser that ran out of text points behind the last line.
                let lines = 1..=text.split('\n').count() + 1;
                assert!(!findings.is_empty(), "{text}");
                for finding in findings {
                    assert!(lines.contains(&finding.line), "{finding}\n{text}");
                }
            }
        }
    }
    assert!(read > 10 && refused > 10, "{read} read and {refused} refused");
}

/// Whatever single line is missing.
#[test]
fn a_missing_line_makes_nothing_panic() {
    let lines: Vec<&str> = REAL.lines().collect();
    for missing in 0..lines.len() {
        let text = [&lines[..missing], &lines[missing + 1..]].concat().join("\n");
        if let Err(findings) = Template::parse(&text) {
            assert!(!findings.findings().is_empty(), "without line {}", missing + 1);
        }
    }
}
