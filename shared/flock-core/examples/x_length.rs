//! Counts texts as X does: a text as a JSON string on each line in, `LENGTH LINKS` on each line out. For `.ci/x_text_test.sh`.

use std::io::{self, BufRead as _, Write as _};

use flock_core::Network;

fn main() -> io::Result<()> {
    let mut out = io::BufWriter::new(io::stdout());
    for line in io::stdin().lock().lines() {
        let text: String = serde_json::from_str(&line?)?;
        let measured = (Network::X.facts().measure)(&text);
        writeln!(out, "{} {}", measured.length, measured.links)?;
    }
    out.flush()
}
