//! `cargo run -p flock-simulation -- --seed N`: one world, or many.
#![expect(clippy::print_stdout, reason = "what it prints is what it is for")]

use std::{
    collections::BTreeMap,
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
    process::ExitCode,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Instant,
};

use clap::Parser;
use flock_simulation::{Failure, Keep, Scenario, Summary, kinds_of_faults, run, shrink};

/// Draws worlds from seeds, lets them live, and looks whether what must always be so is.
///
/// The exit code is 1 where it is not; then the seed, what was broken, the last fifty steps and a smaller world in which the
/// same is broken are printed. That is 1, too, where a kind of fault was drawn in none of 200 worlds or more, or never happened.
#[derive(Debug, Parser)]
struct Options {
    /// The first seed.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// A world from this file, as the smaller one of a failing seed is printed, instead of one that is drawn.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["seed", "seeds", "days", "sheep"])]
    world: Option<PathBuf>,
    /// How many seeds, from the first on.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    seeds: u64,
    /// For how many days things go wrong, instead of a number that is drawn.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=366))]
    days: Option<u32>,
    /// How many sheep there are, instead of a number that is drawn.
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=10_000))]
    sheep: Option<u16>,
    /// Prints the world, and every step of one run that says this, such as the name of a sheep; `""`: every step.
    #[arg(long, value_name = "WHOM")]
    replay: Option<String>,
    /// How many runs a failing seed is made smaller with; 0: not at all.
    #[arg(long, default_value_t = 200)]
    shrink: u32,
    /// On how many threads, instead of one for each core.
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=64))]
    threads: Option<u16>,
}

impl Options {
    fn scenario(&self, seed: u64) -> Scenario {
        Scenario::draw(seed, self.days, self.sheep.map(usize::from))
    }
}

/// What all runs came to.
#[derive(Default)]
struct Sum {
    runs: AtomicU64,
    bot_days: AtomicU64,
    posts: AtomicU64,
    ticks: AtomicU64,
    requests: AtomicU64,
    wipes: AtomicU64,
    deletions: AtomicU64,
    faults: Mutex<BTreeMap<&'static str, u64>>,
}

fn main() -> ExitCode {
    let options = Options::parse();
    let world = match options.world.as_deref().map(read).transpose() {
        Ok(world) => world,
        Err(err) => {
            print_lines(&[err], "");
            return ExitCode::from(2);
        }
    };
    let drawn = || options.scenario(options.seed);
    match (world, &options.replay) {
        (world, Some(whom)) => replay(&world.unwrap_or_else(drawn), whom),
        (Some(world), None) => match run(&world, Keep::Last).0 {
            Ok(summary) => {
                println!("Nothing is broken in {} bot-days.", summary.bot_days);
                ExitCode::SUCCESS
            }
            Err(failure) => {
                print_failure(world, failure, &options);
                ExitCode::FAILURE
            }
        },
        (None, None) => run_all(&options),
    }
}

/// Reads a world that was printed.
fn read(file: &Path) -> Result<Scenario, String> {
    let said = |err: &dyn std::fmt::Display| format!("{}: {err}", file.display());
    let text = fs::read_to_string(file).map_err(|err| said(&err))?;
    let world: Scenario = serde_json::from_str(&text).map_err(|err| said(&err))?;
    world.check().map_err(|what| said(&what))?;
    Ok(world)
}

fn replay(scenario: &Scenario, whom: &str) -> ExitCode {
    print_lines(&scenario.words(), "");
    let (result, steps) = run(scenario, Keep::About(whom.to_owned()));
    print_lines(&steps, "");
    if steps.is_empty() {
        let none = format!("No step says {whom:?}: sheep are called sheep-0, sheep-1 and so on.");
        print_lines(&[none], "");
    }
    match result {
        Ok(_) => ExitCode::SUCCESS,
        Err(failure) => {
            print_lines(&[format!("BROKEN {}", failure.violation)], "");
            ExitCode::FAILURE
        }
    }
}

fn run_all(options: &Options) -> ExitCode {
    let cores = || thread::available_parallelism().map_or(1, usize::from);
    let threads = options.threads.map_or_else(cores, usize::from);
    let (next, sum, failed) = (AtomicU64::new(0), Sum::default(), AtomicU64::new(u64::MAX));
    let started = Instant::now();
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if options.seeds <= number || failed.load(Ordering::Relaxed) != u64::MAX {
                        return;
                    }
                    let seed = options.seed.wrapping_add(number);
                    let scenario = options.scenario(seed);
                    match run(&scenario, Keep::Last).0 {
                        Ok(summary) => sum.add(&summary),
                        Err(_) => {
                            failed.fetch_min(seed, Ordering::Relaxed);
                        }
                    }
                }
            });
        }
    });
    sum.print(started.elapsed().as_secs_f64());
    let seed = failed.into_inner();
    if seed == u64::MAX {
        // Fewer worlds have not everything in them.
        return if sum.lacks_nothing() || options.seeds < 200 {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        };
    }
    let scenario = options.scenario(seed);
    match run(&scenario, Keep::Last).0 {
        Err(failure) => print_failure(scenario, failure, options),
        Ok(_) => println!("seed {seed} failed, and does not when it is run again"),
    }
    ExitCode::FAILURE
}

impl Sum {
    fn add(&self, summary: &Summary) {
        self.runs.fetch_add(1, Ordering::Relaxed);
        self.bot_days.fetch_add(summary.bot_days, Ordering::Relaxed);
        self.posts.fetch_add(summary.posts, Ordering::Relaxed);
        self.ticks.fetch_add(summary.ticks, Ordering::Relaxed);
        self.requests.fetch_add(summary.requests, Ordering::Relaxed);
        self.wipes.fetch_add(summary.wipes, Ordering::Relaxed);
        self.deletions.fetch_add(summary.deletions, Ordering::Relaxed);
        let mut faults = self.faults.lock().unwrap_or_else(PoisonError::into_inner);
        for (name, times) in &summary.faults {
            *faults.entry(name).or_default() += times;
        }
    }

    /// Whether every kind of fault has happened, and posts were deleted; says what has not.
    fn lacks_nothing(&self) -> bool {
        let faults = self.faults.lock().unwrap_or_else(PoisonError::into_inner);
        let happens = |name: &&str| faults.get(name).is_some_and(|times| 0 < *times);
        let mut never = kinds_of_faults().into_iter().filter(|name| !happens(name)).peekable();
        let lacks_nothing = never.peek().is_none();
        never.for_each(|name| println!("never happened: {name}"));
        if self.deletions.load(Ordering::Relaxed) == 0 {
            println!("never happened: deletions");
            return false;
        }
        lacks_nothing
    }

    #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
    fn print(&self, seconds: f64) {
        let of = |count: &AtomicU64| count.load(Ordering::Relaxed);
        println!(
            "{} seeds, {} bot-days, {} posts, {} wipes, {} deletions, {} ticks, {} requests in {seconds:.1} s: {:.0} bot-days a second",
            of(&self.runs),
            of(&self.bot_days),
            of(&self.posts),
            of(&self.wipes),
            of(&self.deletions),
            of(&self.ticks),
            of(&self.requests),
            of(&self.bot_days) as f64 / seconds
        );
        let faults = self.faults.lock().unwrap_or_else(PoisonError::into_inner);
        let faults: Vec<_> = faults.iter().map(|(name, times)| format!("{name} {times}")).collect();
        println!("what went wrong, and how often: {}", faults.join(", "));
    }
}

/// Prints them; who reads no further is not told of that.
fn print_lines(lines: &[String], before: &str) {
    let mut out = io::stdout().lock();
    let _ = lines.iter().try_for_each(|line| writeln!(out, "{before}{line}"));
}

fn print_failure(scenario: Scenario, failure: Failure, options: &Options) {
    let most = options.shrink;
    println!("FAIL  seed {}: {}", scenario.seed, failure.violation);
    let days = options.days.map(|days| format!(" --days {days}")).unwrap_or_default();
    let sheep = options.sheep.map(|sheep| format!(" --sheep {sheep}")).unwrap_or_default();
    match &options.world {
        Some(file) => println!("Again: --world {}", file.display()),
        None => println!("Again: --seed {}{days}{sheep}", scenario.seed),
    }
    println!("The last steps:");
    print_lines(&failure.steps, "  ");
    if most == 0 {
        return;
    }
    let (scenario, failure) = shrink(scenario, failure, most);
    println!("The same in a smaller world: {}", failure.violation);
    print_lines(&scenario.words(), "  ");
    if let Ok(world) = serde_json::to_string(&scenario) {
        println!("It is this line; save it, and run it again with --world FILE:\n{world}");
    }
    println!("The last steps there:");
    print_lines(&failure.steps, "  ");
}
