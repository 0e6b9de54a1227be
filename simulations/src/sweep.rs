//! Many seeds of many scenarios, several at once, each in a thread of its own.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{anyhow, bail};
use serde::Serialize;

use crate::scenario::Scenario;
use crate::simulation::{Options, Report, simulate};

/// A simulation that takes longer than this, by the machine's clock, does not end at all.
const ENDS_WITHIN: Duration = Duration::from_secs(300);

/// What is swept.
pub struct Sweep {
    pub scenarios: Vec<Scenario>,
    /// From the first to the last, both included.
    pub seeds: (u64, u64),
    pub jobs: usize,
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
    fn add(&mut self, report: &Report) {
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
    pub real_seconds: f64,
    pub rows: Vec<Row>,
    pub failures: Vec<Report>,
}

/// Runs every seed of every scenario; `each` is told as they end.
pub fn sweep(sweep: &Sweep, mut each: impl FnMut(&Report)) -> anyhow::Result<Swept> {
    let (first, last) = sweep.seeds;
    let mut work: Vec<(&Scenario, u64)> = Vec::new();
    for seed in first..=last {
        work.extend(sweep.scenarios.iter().map(|scenario| (scenario, seed)));
    }
    let begun = Instant::now();
    let mut rows: Vec<Row> = Vec::new();
    for scenario in &sweep.scenarios {
        rows.push(Row {
            scenario: scenario.name.clone(),
            ..Row::default()
        });
    }
    let mut failures = Vec::new();
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        let (done, reports) = channel();
        for _ in 0..sweep.jobs.clamp(1, work.len().max(1)) {
            let (done, next, work) = (done.clone(), &next, &work);
            scope.spawn(move || {
                while let Some((scenario, seed)) = work.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let report = simulate(scenario, *seed, Options::default());
                    if done.send(report).is_err() {
                        return;
                    }
                }
            });
        }
        drop(done);
        while let Some(report) = next_report(&reports, &next, &work)? {
            each(&report);
            let row = rows.iter_mut().find(|row| row.scenario == report.scenario);
            row.ok_or_else(|| anyhow!("a report of no scenario"))?
                .add(&report);
            if !report.ok {
                failures.push(report);
            }
        }
        Ok::<_, anyhow::Error>(())
    })?;
    Ok(Swept {
        ok: failures.is_empty(),
        seeds: sweep.seeds,
        real_seconds: begun.elapsed().as_secs_f64(),
        rows,
        failures,
    })
}

/// The next report; `None` after the last.
fn next_report(
    reports: &Receiver<anyhow::Result<Report>>,
    next: &AtomicUsize,
    work: &[(&Scenario, u64)],
) -> anyhow::Result<Option<Report>> {
    match reports.recv_timeout(ENDS_WITHIN) {
        Ok(report) => report.map(Some),
        Err(RecvTimeoutError::Disconnected) => Ok(None),
        Err(RecvTimeoutError::Timeout) => {
            let started = next.load(Ordering::Relaxed).min(work.len());
            let (scenario, seed) = work[started - 1];
            bail!(
                "no simulation ended within {ENDS_WITHIN:?}; the last one begun is {} with seed \
                 {seed}, and time stands still in it or in one of the few before it",
                scenario.name
            )
        }
    }
}
