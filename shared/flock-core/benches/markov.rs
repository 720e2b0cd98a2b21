//! How fast a Markov chain learns 5 MB and says something, in how much memory and how new it is, beside `PyPI`'s markovify with the
//! same text: `cargo bench -p flock-core --bench markov`.
//!
//! Each trains in a process of its own, so that its memory is its own. What they say is judged here, by the lines of the file alone.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark prints, and stops on failure"
)]

use std::{
    collections::HashSet,
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Instant,
};

use flock_core::{BehaviourKind, Chain, ChainRules, Dice, Source};
use jiff::tz::TimeZone;
use serde_json::{Value, json};

/// The libraries of the other, and the text: conversations, one message a line.
const PYTHON_PACKAGES: [&str; 2] = ["markovify==0.9.4", "chitchat-dataset==0.9.0"];

const CORPUS_BYTES: usize = 5_000_000;

/// Texts that each draws.
const TEXTS: usize = 1_000;

/// Texts of Flockwork in which verbatim runs are looked for.
const MANY: usize = 10_000;

/// Runs of each, in turn, so that both meet the same machine.
const ROUNDS: usize = 3;

/// A run of so many words is verbatim: one more than a chain lets through by default.
const VERBATIM: usize = 7;

fn main() {
    let arguments: Vec<_> = env::args().collect();
    if let [_, role, corpus, texts] = arguments.as_slice()
        && role == "train"
    {
        return println!("{}", train(corpus, texts));
    }
    let this = env::current_exe().unwrap();
    // This program is in target/release/deps.
    let folder = this.ancestors().nth(3).unwrap().join("markov");
    let file = |name: &str| folder.join(name).into_os_string().into_string().unwrap();
    fs::create_dir_all(&folder).unwrap();
    let python = python(&folder);
    let peer = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/markov_peer.py");
    let (corpus, ours, theirs) = (file("corpus.txt"), file("ours.txt"), file("theirs.txt"));
    output(Command::new(&python).args([peer, "corpus", &corpus, &CORPUS_BYTES.to_string()]));

    let source = fs::read_to_string(&corpus).unwrap();
    let lines: Vec<Vec<_>> = source.lines().map(|line| line.split_whitespace().collect()).collect();
    let runs: HashSet<&[&str]> = lines.iter().flat_map(|line| line.windows(VERBATIM)).collect();
    let mut rounds: [Vec<Round>; 3] = Default::default();
    for _ in 0..ROUNDS {
        let mut told = output(Command::new(&this).args(["train", &corpus, &ours]));
        let number = TEXTS.to_string();
        told += &output(Command::new(&python).args([peer, "train", &corpus, &theirs, &number]));
        let files = [ours.clone(), theirs.clone(), theirs.clone() + ".held"];
        for ((rounds, told), file) in rounds.iter_mut().zip(told.lines()).zip(files) {
            let told = serde_json::from_str(told).unwrap();
            rounds.push(Round::of(&told, &fs::read_to_string(file).unwrap(), &runs));
        }
    }
    println!(
        "{CORPUS_BYTES} bytes, {} lines, {} words of chitchat-dataset; order 2; {TEXTS} texts; medians of {ROUNDS} rounds in turn\n\
         `held`: compiled before it draws, max_overlap_ratio=1, max_overlap_total={}",
        lines.len(),
        lines.iter().map(Vec::len).sum::<usize>(),
        VERBATIM - 1,
    );
    println!(
        "{:<44} {:>11} {:>11} {:>9} {:>11} {:>9}",
        "", "Flockwork", "markovify", "ratio", "held", "ratio"
    );
    for (what, of) in [
        ("training, s", |round: &Round| round.train_seconds),
        ("resident at most until then, MB", |round| round.peak_mb),
        ("drawing 1,000 texts, s", |round| round.draw_seconds),
        ("attempts of which no text came", |round| round.failed),
        ("texts with 7 words in a row of a line, %", |round| round.verbatim_percent),
        ("texts that are there twice, %", |round| round.twice_percent),
        ("words in a text, mean", |round| round.words),
        ("distinct-2: different pairs of all pairs", |round| round.distinct_2),
    ] as [(&str, fn(&Round) -> f64); 8]
    {
        let [ours, theirs, held] = rounds.each_ref().map(|rounds| median(rounds.iter().map(of)));
        let ratio = |theirs: f64| match theirs / ours {
            ratio if ratio.is_finite() => format!("{ratio:.2}x"),
            _ => "-".to_owned(),
        };
        let (theirs_ratio, held_ratio) = (ratio(theirs), ratio(held));
        println!(
            "{what:<44} {ours:>11.4} {theirs:>11.4} {theirs_ratio:>9} {held:>11.4} {held_ratio:>9}"
        );
    }
    let many = fs::read_to_string(ours + ".many").unwrap();
    let round = Round::judged(&many, &runs);
    println!(
        "of {MANY} texts of Flockwork, {:.4} % have {VERBATIM} words in a row of a line; distinct-2 {:.4}",
        round.verbatim_percent, round.distinct_2
    );
}

/// Trains a chain of this crate, and draws.
fn train(corpus: &str, texts: &str) -> Value {
    let bytes = fs::read(corpus).unwrap();
    let started = Instant::now();
    let (text, problems) =
        BehaviourKind::Markov.read(&Source::plain("corpus.txt", &bytes, &TimeZone::UTC));
    assert_eq!(problems, []);
    drop(bytes);
    let text = text.unwrap();
    let chain = Chain::of(&text, &ChainRules::default()).unwrap();
    let train_seconds = started.elapsed().as_secs_f64();
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let peak_kb: f64 = peak.trim().trim_end_matches(" kB").parse().unwrap();

    let started = Instant::now();
    let (mut drawn, mut failed) = (Vec::new(), 0);
    for seed in 0.. {
        match chain.draw(&mut Dice::new(seed)) {
            Some(text) => drawn.push(text),
            None => failed += 1,
        }
        if drawn.len() == TEXTS {
            break;
        }
    }
    let draw_seconds = started.elapsed().as_secs_f64();
    fs::write(texts, drawn.join("\n")).unwrap();
    let many = (0..).filter_map(|seed| chain.draw(&mut Dice::new(seed))).take(MANY);
    fs::write(texts.to_owned() + ".many", many.collect::<Vec<_>>().join("\n")).unwrap();
    json!({ "train_seconds": train_seconds, "peak_kb": peak_kb, "draw_seconds": draw_seconds, "failed": failed })
}

/// One training and what was drawn after it.
#[derive(Default)]
struct Round {
    train_seconds: f64,
    peak_mb: f64,
    draw_seconds: f64,
    failed: f64,
    verbatim_percent: f64,
    twice_percent: f64,
    words: f64,
    distinct_2: f64,
}

impl Round {
    fn of(told: &Value, texts: &str, runs: &HashSet<&[&str]>) -> Self {
        let told = |name: &str| told[name].as_f64().unwrap();
        Self {
            train_seconds: told("train_seconds"),
            peak_mb: told("peak_kb") / 1024.0,
            draw_seconds: told("draw_seconds"),
            failed: told("failed"),
            ..Self::judged(texts, runs)
        }
    }

    /// What can be seen of the texts.
    fn judged(texts: &str, runs: &HashSet<&[&str]>) -> Self {
        let texts: Vec<Vec<_>> =
            texts.lines().map(|text| text.split_whitespace().collect()).collect();
        let verbatim =
            texts.iter().filter(|text| text.windows(VERBATIM).any(|run| runs.contains(run)));
        let pairs: Vec<_> = texts.iter().flat_map(|text| text.windows(2)).collect();
        let different: HashSet<_> = pairs.iter().collect();
        let distinct: HashSet<_> = texts.iter().collect();
        Self {
            verbatim_percent: 100.0 * part(verbatim.count(), texts.len()),
            twice_percent: 100.0 * part(texts.len() - distinct.len(), texts.len()),
            words: part(texts.iter().map(Vec::len).sum(), texts.len()),
            distinct_2: part(different.len(), pairs.len()),
            ..Self::default()
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a few thousand")]
fn part(some: usize, all: usize) -> f64 {
    some as f64 / all as f64
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Python with the libraries, which come from `PyPI` on first use.
fn python(folder: &Path) -> PathBuf {
    let venv = folder.join("venv");
    let (python, complete) = (venv.join("bin/python"), venv.join("complete"));
    let wanted = PYTHON_PACKAGES.join("\n");
    if fs::read_to_string(&complete).ok().as_ref() != Some(&wanted) {
        output(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&venv));
        let mut pip = Command::new(&python);
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
        output(pip.args(PYTHON_PACKAGES));
        fs::write(complete, wanted).unwrap();
    }
    python
}

/// What a program says, if all went well.
fn output(command: &mut Command) -> String {
    let output = command.stderr(Stdio::inherit()).output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", output.status);
    String::from_utf8(output.stdout).unwrap()
}
