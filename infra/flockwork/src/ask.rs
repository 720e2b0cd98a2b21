//! Asks whoever sits at the terminal, before sheep are removed.

use std::io::{self, BufRead, IsTerminal as _, Read as _, Write};

use flock_core::{Sheep, count, listed};

use crate::refusal::refuse;

/// Longer answers are not "yes" either.
const LONGEST_ANSWER: u64 = 1_000;

/// So many sheep are named where nobody looks at a list.
const NAMED: usize = 10;

/// Refuses unless somebody who was shown the `list` types "yes" to `question`. `deed` is what was to be done, for
/// where nobody can be asked.
pub(crate) fn consent(
    deed: &str,
    list: impl FnOnce() -> anyhow::Result<()>,
    question: &str,
) -> anyhow::Result<()> {
    if !io::stdin().is_terminal() {
        return Err(refuse(format!(
            "{deed}, and there is nobody to ask here; nothing was changed; add --yes if it is meant"
        )));
    }
    list()?;
    // Not on standard output, which may be read by a program.
    if says_yes(&mut io::stdin().lock(), &mut io::stderr(), question)? {
        return Ok(());
    }
    Err(refuse("the answer is not yes; nothing was changed"))
}

fn says_yes(from: &mut impl BufRead, to: &mut impl Write, question: &str) -> io::Result<bool> {
    write!(to, "{question} Type yes to go on: ")?;
    to.flush()?;
    let mut answer = Vec::new();
    from.take(LONGEST_ANSWER).read_until(b'\n', &mut answer)?;
    if !answer.ends_with(b"\n") {
        // The end of the input: what comes next begins at the start of a line all the same.
        writeln!(to)?;
    }
    Ok(answer.trim_ascii().eq_ignore_ascii_case(b"yes"))
}

/// How many sheep these are.
pub(crate) fn number(sheep: &[Sheep]) -> String {
    count(u64::try_from(sheep.len()).unwrap_or(u64::MAX), "sheep")
}

/// The same, with their names, or those of the first.
pub(crate) fn named(sheep: &[Sheep]) -> String {
    format!("{} ({})", number(sheep), listed(sheep.iter().map(|sheep| &sheep.id.name), NAMED))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(answer: &[u8], expected: bool) {
        let mut asked = Vec::new();
        let said = says_yes(&mut &*answer, &mut asked, "Remove it?").unwrap();
        assert_eq!(said, expected, "{answer:?}");
        assert!(asked.starts_with(b"Remove it? Type yes to go on: "), "{asked:?}");
    }

    #[test]
    fn only_yes_is_yes() {
        for yes in ["yes\n", "  YES \r\n", "yes"] {
            check(yes.as_bytes(), true);
        }
        for no in ["", "\n", "y\n", "no\n", "yes please\n", "\nyes\n"] {
            check(no.as_bytes(), false);
        }
        check(b"\xff\xfe\n", false);
        check(&vec![b'y'; 100_000], false);
    }
}
