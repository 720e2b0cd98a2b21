//! How fast texts of a grammar are drawn: here, by npm's `tracery-grammar` and by `PyPI`'s `tracery`, of the same grammars in the same
//! run: `cargo bench -p flock-core --bench grammar`. Then, what a file of 5 MB costs, and a draw that never ends.
//!
//! Each program reads its grammar, draws once as many texts as are measured, and only then measures: no start of a program is in it.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark prints, and stops on failure"
)]

use std::{
    fs,
    hint::black_box,
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

use flock_core::{BehaviourKind, Corpus, Dice, Grammar, Source};
use jiff::tz::TimeZone;

/// Each program in turn, so that all meet the same machine.
const ROUNDS: usize = 7;

const TEXTS: u64 = 1_000;

const NPM: &str = "tracery-grammar@2.8.4";
const PYPI: &str = "tracery==0.1.1";

fn main() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let peers = Path::new(env!("CARGO_TARGET_TMPDIR")).join("grammar-peers");
    let (node, python) = (node(&peers), python(&peers));
    println!(
        "{TEXTS} texts drawn, in milliseconds: the best of {ROUNDS} rounds in turn; {NPM}, {PYPI}"
    );
    println!(
        "{:<24} {:>8} {:>8} {:>8} {:>14} {:>14}",
        "", "here", "npm", "PyPI", "npm / here", "PyPI / here"
    );
    for name in ["lighthouse", "heroes", "recipes"] {
        let file = root.join(format!("tests/grammars/{name}.json"));
        let grammar = Grammar::of(&corpus(&fs::read(&file).unwrap())).unwrap();
        let mut rounds = [const { Vec::new() }; 3];
        for _ in 0..ROUNDS {
            let [here, npm, pypi] = &mut rounds;
            draw(&grammar);
            here.push(timed(|| draw(&grammar)).1);
            npm.push(peer(&node, "node", "grammar_peer.cjs", &file));
            pypi.push(peer(&python, python.join("bin/python"), "grammar_peer.py", &file));
        }
        let [here, npm, pypi] = rounds.map(least);
        println!(
            "{name:<24} {here:>8.3} {npm:>8.2} {pypi:>8.2} {:>14.0} {:>14.0}",
            npm / here,
            pypi / here
        );
    }
    println!("\nA file of 5 MB, in milliseconds");
    println!("{:<24} {:>8} {:>8} {:>10} {:>12}", "", "read", "of", "shortest", "1,000 texts");
    for (what, text) in [("rules of 40 letters", long()), ("rules of one letter", short())] {
        let (stored, read) = timed(|| corpus(text.as_bytes()));
        let (grammar, of) = timed(|| Grammar::of(&stored).unwrap());
        let shortest = timed(|| grammar.shortest()).1;
        println!(
            "{what:<24} {read:>8.0} {of:>8.0} {shortest:>10.0} {:>12.2}",
            timed(|| draw(&grammar)).1
        );
    }
    let endless = br##"{"origin":["#origin##origin#","#origin##origin#","x"]}"##;
    let endless = Grammar::of(&corpus(endless)).unwrap();
    println!("\n1,000 draws of which half do not end: {:.0} ms", timed(|| draw(&endless)).1);
}

fn corpus(bytes: &[u8]) -> Corpus {
    let (corpus, problems) =
        BehaviourKind::Grammar.read(&Source::plain("a.json", bytes, &TimeZone::UTC));
    assert!(problems.is_empty(), "{problems:?}");
    corpus.unwrap()
}

fn draw(grammar: &Grammar) {
    for seed in 0..TEXTS {
        black_box(grammar.draw(&mut Dice::new(seed)));
    }
}

/// With the milliseconds it took.
fn timed<T>(work: impl FnOnce() -> T) -> (T, f64) {
    let start = Instant::now();
    let result = work();
    (result, start.elapsed().as_secs_f64() * 1_000.0)
}

/// The least: what else the machine does only adds to it.
fn least(values: Vec<f64>) -> f64 {
    values.into_iter().fold(f64::INFINITY, f64::min)
}

/// The milliseconds that a peer says it took.
fn peer(folder: &Path, program: impl AsRef<std::ffi::OsStr>, script: &str, grammar: &Path) -> f64 {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches").join(script);
    let mut peer = Command::new(program);
    let done = peer.arg(script).arg(folder).arg(grammar).arg(TEXTS.to_string()).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).unwrap().trim().parse().unwrap()
}

/// Where npm's library is, which comes on first use.
fn node(peers: &Path) -> PathBuf {
    let folder = peers.join(NPM);
    if !folder.join("node_modules").exists() {
        fs::create_dir_all(&folder).unwrap();
        let mut npm = Command::new("npm");
        npm.args(["install", "--silent", "--ignore-scripts", "--no-audit", "--no-fund"]);
        run(npm.arg("--prefix").arg(&folder).arg(NPM));
    }
    folder
}

/// The same of Python's.
fn python(peers: &Path) -> PathBuf {
    let folder = peers.join(PYPI);
    if !folder.join("complete").exists() {
        run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder));
        let mut pip = Command::new(folder.join("bin/pip"));
        run(pip.args(["install", "--quiet", "--disable-pip-version-check", PYPI]));
        fs::write(folder.join("complete"), PYPI).unwrap();
    }
    folder
}

fn run(command: &mut Command) {
    let status = command.status().unwrap();
    assert!(status.success(), "{command:?}: {status}");
}

/// 5 MB of sentences.
fn long() -> String {
    let rules: Vec<_> =
        (0..120_000).map(|n| format!("\"sheep number {n} says #word# and #word.s#\"")).collect();
    let words: Vec<_> = (0..1_000).map(|n| format!("\"baa{n}\"")).collect();
    format!("{{\"origin\": [{}],\n\"word\": [{}]}}", rules.join(",\n"), words.join(","))
}

/// 5 MB of as many rules as there can be.
fn short() -> String {
    format!("{{\"origin\": [{}\"x\"]}}", "\"x\",".repeat(900_000))
}
