//! What measurements say: figures of lanes, of consensus and of the simulator, summed up in one way,
//! so that one may be held against another.
//!
//! Measures nothing, and knows no clock.

use std::time::Duration;

use serde::Serialize;
use serde_json::{Value, json};

/// One line of a benchmark. `ratio` is p50 ÷ `baseline`, both in `unit`.
#[derive(Debug, Clone, Serialize)]
pub struct Figure {
    pub what: String,
    pub unit: &'static str,
    pub n: usize,
    pub p50: f64,
    pub p99: f64,
    pub max: f64,
    pub baseline: Option<f64>,
    pub ratio: Option<f64>,
}

impl Figure {
    /// A distribution of durations, in milliseconds.
    pub fn times(what: impl Into<String>, samples: &[Duration], baseline: Option<f64>) -> Figure {
        let milliseconds = samples.iter().map(|s| s.as_secs_f64() * 1000.0).collect();
        Figure::of(what, "ms", milliseconds, baseline)
    }

    /// Any samples in a stated unit; no samples give zeros with `n` 0.
    pub fn of(
        what: impl Into<String>,
        unit: &'static str,
        mut samples: Vec<f64>,
        baseline: Option<f64>,
    ) -> Figure {
        samples.sort_by(f64::total_cmp);
        let at = |percent| percentile(&samples, percent).unwrap_or(0.0);
        let p50 = at(50);
        Figure {
            what: what.into(),
            unit,
            n: samples.len(),
            p50,
            p99: at(99),
            max: at(100),
            baseline,
            ratio: baseline.filter(|b| *b > 0.0).map(|b| p50 / b),
        }
    }
}

/// Of sorted values, the smallest that `percent` of them do not exceed (the nearest rank); `None` of
/// none. `percent` is from 1 to 100.
pub fn percentile<T: Copy>(sorted: &[T], percent: usize) -> Option<T> {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied()
}

/// What was measured on, so that figures are not compared across machines by accident.
pub fn machine() -> Value {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .map(|rest| rest.trim_start_matches([' ', '\t', ':']).to_owned());
    json!({
        "os": std::env::consts::OS,
        "arch": std::env::consts::ARCH,
        "cores": cores,
        "cpu": model,
        "build": if cfg!(debug_assertions) { "development" } else { "release" },
    })
}

/// As a table for a person.
pub fn table(figures: &[Figure]) -> String {
    let mut text = format!(
        "{:<58} {:>8} {:>6} {:>10} {:>10} {:>10} {:>10} {:>6}\n",
        "what", "unit", "n", "p50", "p99", "max", "baseline", "ratio"
    );
    let shown = |value: Option<f64>| value.map_or("-".to_owned(), |v| format!("{v:.2}"));
    for figure in figures {
        text.push_str(&format!(
            "{:<58} {:>8} {:>6} {:>10.2} {:>10.2} {:>10.2} {:>10} {:>6}\n",
            figure.what,
            figure.unit,
            figure.n,
            figure.p50,
            figure.p99,
            figure.max,
            shown(figure.baseline),
            shown(figure.ratio),
        ));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_of_the_samples() {
        let samples = (1..=100).rev().map(f64::from).collect();
        let figure = Figure::of("x", "ms", samples, Some(25.0));
        assert_eq!((figure.p50, figure.p99, figure.max), (50.0, 99.0, 100.0));
        assert_eq!(figure.ratio, Some(2.0));
        assert_eq!(Figure::of("none", "ms", vec![], None).p50, 0.0);
    }

    #[test]
    fn a_percentile_is_the_smallest_value_that_so_many_do_not_exceed() {
        let check = |count: u64, percent, expected| {
            let sorted: Vec<u64> = (1..=count).collect();
            assert_eq!(percentile(&sorted, percent), expected);
        };
        check(0, 99, None);
        check(1, 50, Some(1));
        check(2, 50, Some(1));
        check(3, 99, Some(3));
        check(100, 99, Some(99));
        check(200, 99, Some(198));
        check(200, 100, Some(200));
    }
}
