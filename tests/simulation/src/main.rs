//! `cargo run -p flock-simulation -- --seed N`: one world, or many.
#![expect(clippy::print_stdout, reason = "what it prints is what it is for")]

use std::{
    io::{self, Write as _},
    process::ExitCode,
    sync::atomic::{AtomicU64, Ordering},
    thread,
    time::Instant,
};

use clap::Parser;
use flock_simulation::{Failure, Keep, Scenario, Summary, run, shrink};

/// Draws worlds from seeds, lets them live, and looks whether what must always be so is.
///
/// The exit code is 1 where it is not; then the seed, what was broken, the last fifty steps and a smaller world in which the
/// same is broken are printed.
#[derive(Debug, Parser)]
struct Options {
    /// The first seed.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many seeds, from the first on.
    #[arg(long, default_value_t = 1)]
    seeds: u64,
    /// For how many days things go wrong, instead of a number that is drawn.
    #[arg(long)]
    days: Option<u32>,
    /// How many sheep there are, instead of a number that is drawn.
    #[arg(long)]
    sheep: Option<usize>,
    /// Prints every step of one run that says this, such as the name of a sheep; `""`: every step.
    #[arg(long, value_name = "WHOM")]
    replay: Option<String>,
    /// How many runs a failing seed is made smaller with; 0: not at all.
    #[arg(long, default_value_t = 200)]
    shrink: u32,
    /// On how many threads, instead of one for each core.
    #[arg(long)]
    threads: Option<usize>,
}

/// What all runs came to.
#[derive(Default)]
struct Sum {
    runs: AtomicU64,
    bot_days: AtomicU64,
    posts: AtomicU64,
    ticks: AtomicU64,
    requests: AtomicU64,
}

fn main() -> ExitCode {
    let options = Options::parse();
    if let Some(whom) = &options.replay {
        let scenario = Scenario::draw(options.seed, options.days, options.sheep);
        let (result, steps) = run(&scenario, Keep::About(whom.clone()));
        print_lines(&steps, "");
        return match result {
            Ok(_) => ExitCode::SUCCESS,
            Err(failure) => {
                println!("BROKEN {}", failure.violation);
                ExitCode::FAILURE
            }
        };
    }
    let threads =
        options.threads.unwrap_or_else(|| thread::available_parallelism().map_or(1, usize::from));
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
                    let seed = options.seed + number;
                    let scenario = Scenario::draw(seed, options.days, options.sheep);
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
        return ExitCode::SUCCESS;
    }
    let scenario = Scenario::draw(seed, options.days, options.sheep);
    match run(&scenario, Keep::Last).0 {
        Err(failure) => print_failure(scenario, failure, options.shrink),
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
    }

    #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
    fn print(&self, seconds: f64) {
        let of = |count: &AtomicU64| count.load(Ordering::Relaxed);
        println!(
            "{} seeds, {} bot-days, {} posts, {} ticks, {} requests in {seconds:.1} s: {:.0} bot-days a second",
            of(&self.runs),
            of(&self.bot_days),
            of(&self.posts),
            of(&self.ticks),
            of(&self.requests),
            of(&self.bot_days) as f64 / seconds
        );
    }
}

/// Prints them; who reads no further is not told of that.
fn print_lines(lines: &[String], before: &str) {
    let mut out = io::stdout().lock();
    let _ = lines.iter().try_for_each(|line| writeln!(out, "{before}{line}"));
}

fn print_failure(scenario: Scenario, failure: Failure, most: u32) {
    println!("FAIL  seed {}: {}", scenario.seed, failure.violation);
    println!("The last steps:");
    print_lines(&failure.steps, "  ");
    if most == 0 {
        return;
    }
    let (scenario, failure) = shrink(scenario, failure, most);
    println!("The same in a smaller world: {}", failure.violation);
    println!("  begins {}, {} days, shards {:?}", scenario.begins, scenario.days, scenario.shards);
    scenario.sheep.iter().for_each(|sheep| println!("  {sheep:?}"));
    scenario.deeds.iter().for_each(|deed| println!("  {deed:?}"));
    scenario.faults.iter().for_each(|fault| println!("  {fault}"));
    println!("  {:?}", scenario.habits);
    println!("The last steps there:");
    print_lines(&failure.steps, "  ");
}
