//! `simulations failover`: how long a store agrees on nothing once it has lost its leader.
//!
//! The counterpart of `lanemesh bench failover`, which kills real processes, and measured alike: a fact
//! is made durable on a surviving lane at the moment of the leader's death, and the clock, here the
//! virtual one, stops when that lane has applied it as committed.

use anyhow::ensure;
use figures::{Figure, table};
use simulations::{Options, scenario, simulate};

/// The promise, at the 99th percentile.
const P99_MS_MAX: f64 = 1_000.0;
const SCENARIO: &str = "leader-killed";
/// Simulations at most for one more trial: each has several, so this many without one is a fault.
const RUNS_PER_TRIAL_MAX: u64 = 2;

/// Runs seeds from `seed` on until a leader was lost `trials` times; whether the promise was kept.
pub fn failover(trials: usize, seed: u64, json: bool) -> anyhow::Result<bool> {
    let scenarios = scenario::named(SCENARIO)?;
    ensure!(scenarios.len() == 1, "there is no scenario {SCENARIO}");
    let mut took_ms: Vec<u64> = Vec::new();
    let mut next = seed;
    let end = seed + trials as u64 * RUNS_PER_TRIAL_MAX;
    while took_ms.len() < trials {
        ensure!(next < end, "leaders were lost {} times only", took_ms.len());
        let report = simulate(&scenarios[0], next, Options::default())?;
        ensure!(
            report.ok,
            "a promise was broken; again: {}",
            report.replay()
        );
        took_ms.extend(&report.failovers_ms);
        eprintln!("  seed {next}: {} of {trials} trials", took_ms.len());
        next += 1;
    }
    took_ms.truncate(trials);
    let what = "leader killed → next fact committed through a survivor";
    let samples = took_ms.iter().map(|ms| *ms as f64).collect();
    let figure = Figure::of(what, "ms", samples, None);
    let ok = figure.p99 <= P99_MS_MAX;
    if json {
        let seeds = [seed, next - 1];
        let report = serde_json::json!({
            "ok": ok, "bench": "failover", "seeds": seeds, "figures": [figure],
        });
        println!("{report}");
    } else {
        print!("{}", table(&[figure]));
        println!("in virtual time, seeds {seed} to {}", next - 1);
    }
    Ok(ok)
}
