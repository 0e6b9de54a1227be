//! Many seeds of many scenarios, several at once, each in a thread of its own.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{anyhow, bail};
use serde::Serialize;

use crate::checks::Check;
use crate::scenario::Scenario;
use crate::simulation::{Options, Report, simulate};
use crate::timeline::Violation;

/// A simulation that takes longer than this, by the machine's clock, does not end at all.
const ENDS_WITHIN: Duration = Duration::from_secs(300);
/// Failures after which a sweep ends even if it was to go on.
const FAILURES_MAX: usize = 100;

/// What is swept.
pub struct Sweep {
    pub scenarios: Vec<Scenario>,
    /// From the first to the last, both included.
    pub seeds: (u64, u64),
    /// No simulation begins later than this.
    pub within: Option<Duration>,
    /// Whether it goes on after a failure.
    pub keep_going: bool,
    pub jobs: usize,
    /// Whether each seed runs twice, and the traces must be equal.
    pub twice: bool,
}

/// A scenario's part of a sweep.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Row {
    pub scenario: String,
    pub seeds: u64,
    pub virtual_hours: f64,
    pub sales: u64,
    pub commands: u64,
    pub kills: u64,
    pub held_ms_max: u64,
    pub settled_ms_max: u64,
    pub lost: u64,
    pub double: u64,
    pub failures: u64,
}

impl Row {
    /// A row for all scenarios together.
    pub fn all() -> Row {
        Row {
            scenario: "all".to_owned(),
            ..Row::default()
        }
    }

    pub fn add(&mut self, report: &Report) {
        self.seeds += 1;
        self.virtual_hours += report.virtual_ms as f64 / 3_600_000.0;
        self.sales += report.sales;
        self.commands += report.commands;
        self.kills += report.kills;
        self.held_ms_max = self.held_ms_max.max(report.held_ms_max);
        let settled_ms = report.settled_after_ms.unwrap_or(0);
        self.settled_ms_max = self.settled_ms_max.max(settled_ms);
        self.lost += report.lost;
        self.double += report.double;
        self.failures += u64::from(!report.ok);
    }
}

/// How a sweep went.
#[derive(Clone, Debug, Serialize)]
pub struct Swept {
    pub ok: bool,
    pub seeds: (u64, u64),
    /// The last seed that was run.
    pub last_seed: u64,
    /// Whether time or a failure ended it before all seeds were run.
    pub cut_short: bool,
    pub real_seconds: f64,
    pub rows: Vec<Row>,
    pub failures: Vec<Report>,
}

/// What a sweep's threads share.
struct Work<'a> {
    sweep: &'a Sweep,
    /// How many simulations were begun; they are numbered seed by seed, and within a seed in the
    /// order of the scenarios.
    begun: AtomicU64,
    stop: AtomicBool,
    began_at: Instant,
}

impl<'a> Work<'a> {
    fn nth(&self, number: u64) -> Option<(&'a Scenario, u64)> {
        let kinds = self.sweep.scenarios.len() as u64;
        let (first, last) = self.sweep.seeds;
        let seed = first.checked_add(number.checked_div(kinds)?)?;
        let scenario = &self.sweep.scenarios[(number % kinds) as usize];
        (seed <= last).then_some((scenario, seed))
    }

    fn next(&self) -> Option<(&'a Scenario, u64)> {
        let in_time = self
            .sweep
            .within
            .is_none_or(|within| self.began_at.elapsed() < within);
        if !in_time || self.stop.load(Ordering::Relaxed) {
            return None;
        }
        self.nth(self.begun.fetch_add(1, Ordering::Relaxed))
    }

    fn simulate(&self, scenario: &Scenario, seed: u64) -> anyhow::Result<Report> {
        let mut report = simulate(scenario, seed, Options::default())?;
        if self.sweep.twice {
            let again = simulate(scenario, seed, Options::default())?;
            if again.trace_hash != report.trace_hash {
                report.ok = false;
                report.violations.push(Violation {
                    check: Check::TraceRepeats,
                    at_ms: report.virtual_ms,
                    who: "simulator".to_owned(),
                    what: "run twice, the seed gave two traces".to_owned(),
                });
            }
        }
        Ok(report)
    }

    /// The one that was begun last.
    fn newest(&self) -> Option<(&'a Scenario, u64)> {
        self.nth(self.begun.load(Ordering::Relaxed).checked_sub(1)?)
    }
}

/// Runs every seed of every scenario; `each` is told as they end. Ends early after a failure, or
/// when the time is over; what has begun is brought to its end.
pub fn sweep(sweep: &Sweep, mut each: impl FnMut(&Report)) -> anyhow::Result<Swept> {
    let work = Work {
        sweep,
        begun: AtomicU64::new(0),
        stop: AtomicBool::new(false),
        began_at: Instant::now(),
    };
    let mut rows: Vec<Row> = Vec::new();
    for scenario in &sweep.scenarios {
        rows.push(Row {
            scenario: scenario.name.clone(),
            ..Row::default()
        });
    }
    let mut failures = Vec::new();
    let mut last_seed = sweep.seeds.0;
    thread::scope(|scope| {
        let (done, reports) = channel();
        for _ in 0..sweep.jobs.max(1) {
            let (done, work) = (done.clone(), &work);
            scope.spawn(move || {
                while let Some((scenario, seed)) = work.next() {
                    let report = work.simulate(scenario, seed);
                    if done.send(report).is_err() {
                        return;
                    }
                }
            });
        }
        drop(done);
        while let Some(report) = next_report(&reports, &work)? {
            each(&report);
            last_seed = last_seed.max(report.seed);
            let row = rows.iter_mut().find(|row| row.scenario == report.scenario);
            row.ok_or_else(|| anyhow!("a report of no scenario"))?
                .add(&report);
            if !report.ok {
                let go_on = sweep.keep_going && failures.len() < FAILURES_MAX;
                work.stop.store(!go_on, Ordering::Relaxed);
                failures.push(report);
            }
        }
        Ok::<_, anyhow::Error>(())
    })?;
    let simulations: u64 = rows.iter().map(|row| row.seeds).sum();
    Ok(Swept {
        ok: failures.is_empty(),
        seeds: sweep.seeds,
        last_seed,
        cut_short: work.nth(simulations).is_some(),
        real_seconds: work.began_at.elapsed().as_secs_f64(),
        rows,
        failures,
    })
}

/// The next report; `None` after the last.
fn next_report(
    reports: &Receiver<anyhow::Result<Report>>,
    work: &Work<'_>,
) -> anyhow::Result<Option<Report>> {
    match reports.recv_timeout(ENDS_WITHIN) {
        Ok(report) => report.map(Some),
        Err(RecvTimeoutError::Disconnected) => Ok(None),
        Err(RecvTimeoutError::Timeout) => {
            let (scenario, seed) = work
                .newest()
                .ok_or_else(|| anyhow!("no simulation has begun"))?;
            bail!(
                "no simulation ended within {ENDS_WITHIN:?}; the last one begun is {} with seed \
                 {seed}, and time stands still in it or in one of the few before it",
                scenario.name
            )
        }
    }
}
