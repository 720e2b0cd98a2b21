//! Draws texts of a grammar: `draw FILE COUNT SEED` prints each as a JSON string, or `null` where a draw came to none; the draw
//! number n has the seed SEED + n. `draw FILE distinct COUNT SEED` prints each different text once, in order. For
//! `.ci/grammar_peer.sh`.

use std::{
    collections::BTreeSet,
    error::Error,
    io::{self, Write as _},
};

use flock_core::{BehaviourKind, Dice, Grammar, Source};
use jiff::tz::TimeZone;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1).peekable();
    let mut next = || arguments.next().ok_or("usage: draw FILE [distinct] COUNT SEED");
    let file = next()?;
    let mut count = next()?;
    let is_distinct = count == "distinct";
    if is_distinct {
        count = next()?;
    }
    let (count, seed): (u64, u64) = (count.parse()?, next()?.parse()?);
    let bytes = std::fs::read(&file)?;
    let (corpus, problems) =
        BehaviourKind::Grammar.read(&Source::plain(&file, &bytes, &TimeZone::UTC));
    if let Some(problem) = problems.first() {
        return Err(format!("{file}:{}: {problem}", problem.line().unwrap_or(0)).into());
    }
    let grammar = corpus.as_ref().and_then(Grammar::of).ok_or("it was read as no grammar")?;
    let texts = (seed..seed + count).map(|seed| grammar.draw(&mut Dice::new(seed)));
    let mut out = io::BufWriter::new(io::stdout());
    if is_distinct {
        for text in texts.collect::<BTreeSet<_>>() {
            writeln!(out, "{}", serde_json::to_string(&text)?)?;
        }
    } else {
        for text in texts {
            writeln!(out, "{}", serde_json::to_string(&text)?)?;
        }
    }
    out.flush().map_err(Into::into)
}
