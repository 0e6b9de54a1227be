//! The simulator's command line.

mod failover;
mod hunt;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread::available_parallelism;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use mimalloc::MiMalloc;
use simulations::scenario::Scenario;
use simulations::{
    Options, Report, Row, Sweep, baskets, mutants, picture, scenario, shrink, simulate, sweep,
};

/// A simulation allocates more than it computes. The product keeps the system's.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// Happenings printed of a failure in a sweep; `run` prints all.
const HAPPENINGS_SHOWN: usize = 60;
/// How often a sweep says how far it is.
const PROGRESS_EVERY: Duration = Duration::from_secs(15);

#[derive(Parser)]
#[command(
    name = "simulations",
    about = "Breaks a simulated store in many ways, by seed."
)]
struct Args {
    #[command(subcommand)]
    command: Command,
    /// Prints one JSON object on standard output.
    #[arg(long, global = true)]
    json: bool,
    /// A file of real baskets (CSV or gzip): cashiers take from it how many lines a basket has, and
    /// how many pieces a line. Without it both are drawn.
    #[arg(long, global = true)]
    baskets: Option<PathBuf>,
}

#[derive(Subcommand)]
enum Command {
    /// Lists the scenarios.
    List,
    /// Runs one scenario with one seed.
    #[command(visible_alias = "replay")]
    Run {
        #[arg(long)]
        scenario: String,
        #[arg(long)]
        seed: u64,
        /// Prints the timeline, with the log of the lanes (RUST_LOG), even if nothing failed.
        #[arg(long)]
        verbose: bool,
        /// Draws the run into a page of HTML that needs nothing else.
        #[arg(long)]
        timeline: Option<PathBuf>,
        /// Plants a bug first, see `mutants`.
        #[arg(long)]
        plant: Option<String>,
    },
    /// Drops faults from a run that fails while the failure stays, and writes what is left as a
    /// scenario.
    Shrink {
        #[arg(long)]
        scenario: String,
        #[arg(long)]
        seed: u64,
        /// Where the smaller scenario goes.
        #[arg(long, default_value = "shrunk.toml")]
        out: PathBuf,
        /// Runs at most.
        #[arg(long, default_value_t = 60)]
        runs: u64,
    },
    /// Plants bugs in the code, one at a time, and fails unless the checks catch every one. Needs a
    /// build with `--features planted`.
    Mutants {
        /// Only these; may be given several times.
        #[arg(long)]
        only: Vec<String>,
        /// Only some, one of each kind, for a gate that has little time.
        #[arg(long, conflicts_with = "only")]
        quick: bool,
        /// The first seed.
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// Seeds for each, instead of its own number.
        #[arg(long)]
        seeds: Option<u64>,
        /// Processes at once; by default as many as the machine has processors.
        #[arg(long)]
        jobs: Option<usize>,
        /// Prints the table as Markdown, with what each bug does.
        #[arg(long, conflicts_with = "json")]
        markdown: bool,
    },
    /// Measures how long a store is without a leader once its leader is killed; fails beyond a second
    /// at the 99th percentile.
    Failover {
        /// How often a leader is killed.
        #[arg(long, default_value_t = 200)]
        trials: usize,
        /// The first seed.
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
    /// Runs many seeds.
    Sweep {
        #[arg(long, default_value = "all")]
        scenario: String,
        /// How many seeds, from 1 on; the first and the one after the last, as in 100..200; or
        /// `fresh` for ones that were never run before, which needs --within.
        #[arg(long, default_value = "20", value_parser = seeds)]
        seeds: (u64, u64),
        /// Begins no further simulation after this time, such as 90s or 10min.
        #[arg(long, value_parser = span)]
        within: Option<Duration>,
        /// Goes on after a failure.
        #[arg(long)]
        keep_going: bool,
        /// Runs each seed twice; the traces must be equal.
        #[arg(long)]
        twice: bool,
        /// Simulations at once; by default as many as the machine has processors.
        #[arg(long)]
        jobs: Option<usize>,
    },
}

/// Fresh seeds that one sweep may use.
const FRESH_SEEDS: u64 = 100_000;

fn span(text: &str) -> Result<Duration, String> {
    let span = scenario::Span::parse(text).ok_or("write a time like 90s or 10min")?;
    Ok(Duration::from_millis(span.0))
}

/// Seeds from the machine's clock: the milliseconds since 1970, which no sweep before had.
fn fresh_seeds() -> (u64, u64) {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let first = since.map_or(1, |since| since.as_millis() as u64);
    (first, first + FRESH_SEEDS - 1)
}

/// Reads `20` or `100..200` as the first and the last seed.
fn seeds(text: &str) -> Result<(u64, u64), String> {
    if text == "fresh" {
        return Ok(fresh_seeds());
    }
    let number = |text: &str| text.trim().parse::<u64>().ok();
    let seeds = match text.split_once("..") {
        Some((first, end)) => number(first).zip(number(end)),
        None => number(text).and_then(|count| Some((1, count.checked_add(1)?))),
    };
    match seeds {
        Some((first, end)) if first < end => Ok((first, end - 1)),
        _ => Err("write a number of seeds, such as 20, or a range, such as 100..200".to_owned()),
    }
}

fn main() -> ExitCode {
    let args = Args::parse();
    let done = match args.baskets.as_deref().map(baskets::shaped_as_in) {
        Some(Err(error)) => Err(error),
        Some(Ok(())) | None => carry_out(args.command, args.json),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}

/// Whether what was asked for came out well.
fn carry_out(command: Command, json: bool) -> anyhow::Result<bool> {
    match command {
        Command::List => list(json),
        Command::Run {
            scenario,
            seed,
            verbose,
            timeline,
            plant,
        } => plant
            .map_or(Ok(()), |name| hunt::plant(&name))
            .and_then(|()| run(&scenario, seed, verbose, timeline.as_deref(), json)),
        Command::Shrink {
            scenario,
            seed,
            out,
            runs,
        } => shrink(&scenario, seed, &out, runs, json),
        Command::Mutants {
            mut only,
            quick,
            seed,
            seeds,
            jobs,
            markdown,
        } => {
            if quick {
                only.extend(mutants::QUICK.map(str::to_owned));
            }
            let shape = match (json, markdown) {
                (true, _) => hunt::Shape::Json,
                (false, true) => hunt::Shape::Markdown,
                (false, false) => hunt::Shape::Text,
            };
            hunt::mutants(&only, seed, seeds, jobs, shape)
        }
        Command::Failover { trials, seed } => failover::failover(trials, seed, json),
        Command::Sweep {
            scenario,
            seeds,
            within,
            keep_going,
            twice,
            jobs,
        } => {
            let machine = available_parallelism().map_or(1, usize::from);
            let plan = scenario::named(&scenario).map(|scenarios| Sweep {
                scenarios,
                seeds,
                within,
                keep_going,
                jobs: jobs.unwrap_or(machine),
                twice,
            });
            plan.map_err(Into::into)
                .and_then(|plan| run_sweep(&plan, json))
        }
    }
}

fn list(json: bool) -> anyhow::Result<bool> {
    let scenarios = scenario::all()?;
    if json {
        let list: Vec<_> = scenarios
            .iter()
            .map(|s| serde_json::json!({ "name": s.name, "about": s.about }))
            .collect();
        println!("{}", serde_json::json!({ "scenarios": list }));
        return Ok(true);
    }
    for scenario in scenarios {
        println!("{:<14} {}", scenario.name, scenario.about);
    }
    Ok(true)
}

/// One scenario; `all` is for sweeps.
fn one_scenario(name: &str) -> anyhow::Result<Scenario> {
    let mut scenarios = scenario::named(name)?;
    anyhow::ensure!(
        scenarios.len() == 1,
        "name one scenario; `sweep` takes them all"
    );
    Ok(scenarios.remove(0))
}

fn shrink(name: &str, seed: u64, out: &Path, runs: u64, json: bool) -> anyhow::Result<bool> {
    let scenario = one_scenario(name)?;
    let shrunk = shrink::shrink(&scenario, seed, runs, &mut |line| eprintln!("  {line}"))?;
    let Some(shrunk) = shrunk else {
        anyhow::bail!("{name} does not fail with seed {seed}, so there is nothing to shrink");
    };
    fs::write(out, shrunk.scenario.to_string())
        .with_context(|| format!("{} cannot be written", out.display()))?;
    let (before, after) = (shrunk.faults_before, shrunk.scenario.faults.len());
    let replay = format!(
        "cargo run -p simulations -- run --scenario {} --seed {seed}{} --verbose",
        out.display(),
        baskets::option()
    );
    if json {
        let report = serde_json::json!({
            "check": shrunk.check, "faults_before": before, "faults": after, "runs": shrunk.runs,
            "scenario": out, "replay": replay, "violations": shrunk.report.violations,
        });
        println!("{report}");
        return Ok(true);
    }
    println!(
        "{before} faults became {after} in {} runs; {} still sees it",
        shrunk.runs, shrunk.check
    );
    println!("again:  {replay}");
    Ok(true)
}

fn run(
    name: &str,
    seed: u64,
    verbose: bool,
    timeline: Option<&Path>,
    json: bool,
) -> anyhow::Result<bool> {
    let scenario = &one_scenario(name)?;
    let options = Options {
        with_log: verbose,
        ..Options::default()
    };
    let report = simulate(scenario, seed, options)?;
    if let Some(path) = timeline {
        picture::write(path, scenario, &report)?;
        eprintln!("drawn into {}", path.display());
    }
    if json {
        println!("{}", serde_json::to_string(&report)?);
        return Ok(report.ok);
    }
    if verbose || !report.ok {
        for happening in &report.timeline {
            println!("{happening}");
        }
    }
    println!(
        "{} {}: {} lanes, {} sales, {} commands, {} kills, {:.1} virtual s, held {} ms at most",
        report.scenario,
        report.seed,
        report.lanes,
        report.sales,
        report.commands,
        report.kills,
        report.virtual_ms as f64 / 1000.0,
        report.held_ms_max,
    );
    for violation in &report.violations {
        println!("  BROKEN  {violation}");
    }
    println!("{}", if report.ok { "ok" } else { "FAILED" });
    Ok(report.ok)
}

fn run_sweep(plan: &Sweep, json: bool) -> anyhow::Result<bool> {
    let seeds = plan.seeds;
    eprintln!("seeds from {} on", seeds.0);
    let begun = Instant::now();
    let mut sum = Row::all();
    let mut shown = Instant::now();
    let swept = sweep(plan, |report| {
        sum.add(report);
        if !report.ok {
            print_failure(report);
        }
        if shown.elapsed() > PROGRESS_EVERY {
            shown = Instant::now();
            print_progress(&sum, report.seed, begun.elapsed());
        }
    })
    .context("the sweep ended early")?;
    if json {
        println!("{}", serde_json::to_string(&swept)?);
        return Ok(swept.ok);
    }
    println!(
        "{:<14} {:>6} {:>8} {:>8} {:>9} {:>6} {:>8} {:>10} {:>5} {:>7} {:>9}",
        "scenario",
        "seeds",
        "hours",
        "sales",
        "commands",
        "kills",
        "held ms",
        "settled ms",
        "lost",
        "double",
        "failures"
    );
    for row in swept.rows.iter().chain([&sum]) {
        print_row(row);
    }
    println!(
        "seeds {} to {}: {} simulations, {:.2} virtual hours, {} sales, lost {}, double {}, {} \
         failures, {:.0} s",
        seeds.0,
        swept.last_seed,
        sum.seeds,
        sum.virtual_hours,
        sum.sales,
        sum.lost,
        sum.double,
        sum.failures,
        swept.real_seconds
    );
    if swept.cut_short {
        println!("stopped before all seeds were run");
    }
    Ok(swept.ok)
}

/// One line on standard error, now and then.
fn print_progress(sum: &Row, seed: u64, elapsed: Duration) {
    let minutes = elapsed.as_secs_f64() / 60.0;
    eprintln!(
        "{:>6} simulations, seed {seed}: {:.1} a minute, {:.2} virtual hours a minute, {} sales, \
         lost {}, double {}, {} failures",
        sum.seeds,
        sum.seeds as f64 / minutes,
        sum.virtual_hours / minutes,
        sum.sales,
        sum.lost,
        sum.double,
        sum.failures
    );
}

fn print_row(row: &Row) {
    println!(
        "{:<14} {:>6} {:>8.2} {:>8} {:>9} {:>6} {:>8} {:>10} {:>5} {:>7} {:>9}",
        row.scenario,
        row.seeds,
        row.virtual_hours,
        row.sales,
        row.commands,
        row.kills,
        row.held_ms_max,
        row.settled_ms_max,
        row.lost,
        row.double,
        row.failures
    );
}

/// Goes to standard error, so that standard output stays one table or one JSON object.
fn print_failure(report: &Report) {
    eprintln!("FAILED {} with seed {}", report.scenario, report.seed);
    let left_out = report.timeline.len().saturating_sub(HAPPENINGS_SHOWN);
    if left_out > 0 {
        eprintln!("  … {left_out} happenings before that");
    }
    for happening in &report.timeline[left_out..] {
        eprintln!("  {happening}");
    }
    for violation in &report.violations {
        eprintln!("  BROKEN  {violation}");
    }
    eprintln!("  again:  {}", report.replay());
}
