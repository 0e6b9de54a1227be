//! What benchmarks print.

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
        let at = |share: f64| {
            let last = samples.len().saturating_sub(1);
            let index = (last as f64 * share).ceil() as usize;
            samples.get(index).copied().unwrap_or(0.0)
        };
        let p50 = at(0.5);
        Figure {
            what: what.into(),
            unit,
            n: samples.len(),
            p50,
            p99: at(0.99),
            max: at(1.0),
            baseline,
            ratio: baseline.filter(|b| *b > 0.0).map(|b| p50 / b),
        }
    }
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
    fn percentiles_are_of_the_samples() {
        let samples = (1..=100).map(f64::from).collect();
        let figure = Figure::of("x", "ms", samples, Some(25.0));
        assert_eq!((figure.p50, figure.p99, figure.max), (51.0, 100.0, 100.0));
        assert_eq!(figure.ratio, Some(51.0 / 25.0));
        assert_eq!(Figure::of("none", "ms", vec![], None).p50, 0.0);
    }
}
