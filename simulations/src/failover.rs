//! `simulations failover`: how long a store is without a leader once it has lost one.
//!
//! The counterpart of `lanemesh bench failover`, which kills real processes: here the leader of three
//! lanes is killed in virtual time, which passes in no computation, and the clock runs until another
//! lane shows that it leads a quorum. A lane looks at that ten times a second at most, so up to 0.1 s
//! of each figure is the looking.

use anyhow::ensure;
use simulations::{Options, scenario, simulate};

/// The promise, at the 99th percentile.
const P99_MS_MAX: u64 = 1_000;
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
    took_ms.sort_unstable();
    let (p50, p99) = (percentile(&took_ms, 50), percentile(&took_ms, 99));
    let longest = took_ms.last().copied().unwrap_or(0);
    let ok = p99 <= P99_MS_MAX;
    if json {
        let figures = serde_json::json!({
            "ok": ok, "trials": took_ms.len(), "seeds": [seed, next - 1],
            "failover_ms": { "p50": p50, "p99": p99, "max": longest },
        });
        println!("{figures}");
    } else {
        println!(
            "leader killed → next leader with a quorum: p50 {p50} ms, p99 {p99} ms, longest \
             {longest} ms, of {} trials, seeds {seed} to {}",
            took_ms.len(),
            next - 1
        );
    }
    Ok(ok)
}

/// Of sorted values, the smallest that `percent` of them do not exceed; 0 of none.
fn percentile(sorted: &[u64], percent: usize) -> u64 {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_the_smallest_value_that_so_many_do_not_exceed() {
        let check = |count: u64, percent, expected| {
            let sorted: Vec<u64> = (1..=count).collect();
            assert_eq!(percentile(&sorted, percent), expected);
        };
        check(0, 99, 0);
        check(1, 50, 1);
        check(2, 50, 1);
        check(100, 99, 99);
        check(200, 99, 198);
        check(3, 99, 3);
    }
}
