//! Makes a failure smaller: drops faults while the failure stays, so that what is left is what it
//! takes.
//!
//! The failing run is first written down fault by fault as it struck (which lane, which links, when
//! and for how long). Of that list, parts are left out and runs repeated under the same seed, by delta
//! debugging (Zeller and Hildebrandt, "Simplifying and isolating failure-inducing input", 2002). What
//! counts as the same failure is the same check.

use std::collections::BTreeMap;

use crate::checks::Check;
use crate::scenario::{FaultPart, Link, Scenario, SpanRange, What, When, Who};
use crate::simulation::{Options, Report, simulate};
use crate::timeline::{Marks, Strike};

/// Faults that a run is written down with.
const STRIKES_MAX: usize = 200;

/// A failure, made smaller.
#[derive(Debug)]
pub struct Shrunk {
    pub scenario: Scenario,
    /// The last run that failed.
    pub report: Report,
    /// The check that saw it.
    pub check: Check,
    pub faults_before: usize,
    pub runs: u64,
}

struct Shrinker<'a> {
    seed: u64,
    check: Check,
    runs: u64,
    runs_max: u64,
    tell: &'a mut dyn FnMut(&str),
}

/// Shrinks the failure of a scenario with a seed, with at most `runs_max` further runs. `None` if
/// it does not fail.
pub fn shrink(
    scenario: &Scenario,
    seed: u64,
    runs_max: u64,
    tell: &mut dyn FnMut(&str),
) -> anyhow::Result<Option<Shrunk>> {
    let first = simulate(scenario, seed, Options::default())?;
    let Some(check) = first.violations.first().map(|violation| violation.check) else {
        return Ok(None);
    };
    let mut parts = written_down(&first.marks, &scenario.faults);
    let faults_before = parts.len();
    tell(&format!(
        "it fails with {faults_before} faults; {check} saw it"
    ));
    let mut shrinker = Shrinker {
        seed,
        check,
        runs: 0,
        runs_max,
        tell,
    };
    let fixed = scenario.with_faults(first.marks.lanes_at_opening, parts.clone());
    let Some(mut report) = shrinker.fails(&fixed)? else {
        anyhow::bail!(
            "the run does not fail in the same way once its faults are written down: \
             {check} does not see it any more"
        );
    };
    let mut chunk = parts.len().div_ceil(2).max(1);
    while !parts.is_empty() && shrinker.has_runs_left() {
        let mut start = 0;
        let mut dropped_any = false;
        while start < parts.len() && shrinker.has_runs_left() {
            let mut fewer = parts.clone();
            fewer.drain(start..(start + chunk).min(parts.len()));
            let candidate = fixed.with_faults(fixed.lanes().0, fewer.clone());
            match shrinker.fails(&candidate)? {
                Some(failed) => {
                    (parts, report, dropped_any) = (fewer, failed, true);
                    let left = parts.len();
                    (shrinker.tell)(&format!("{left} faults are left"));
                }
                None => start += chunk,
            }
        }
        if chunk == 1 && !dropped_any {
            break;
        }
        chunk = (chunk / 2).max(1);
    }
    let runs = shrinker.runs;
    Ok(Some(Shrunk {
        scenario: fixed.with_faults(fixed.lanes().0, parts),
        report,
        check,
        faults_before,
        runs,
    }))
}

impl Shrinker<'_> {
    fn has_runs_left(&self) -> bool {
        self.runs < self.runs_max
    }

    /// The report, if the scenario fails in the same way.
    fn fails(&mut self, scenario: &Scenario) -> anyhow::Result<Option<Report>> {
        self.runs += 1;
        let report = simulate(scenario, self.seed, Options::default())?;
        let seen = report.violations.iter().any(|v| v.check == self.check);
        Ok(seen.then_some(report))
    }
}

/// The faults of a run, each as a part of a scenario that happens once.
fn written_down(marks: &Marks, faults: &[FaultPart]) -> Vec<FaultPart> {
    let words: BTreeMap<String, What> = What::ALL.iter().map(|what| (what.word(), *what)).collect();
    let strikes = marks.strikes.iter().take(STRIKES_MAX);
    strikes
        .filter_map(|strike| {
            let what = *words.get(&strike.what)?;
            let drawn_from = faults.get(strike.part);
            part(what, strike, marks.opened_ms, drawn_from)
        })
        .collect()
}

/// `drawn_from` is the part of the scenario that struck; what it sets stays set.
fn part(
    what: What,
    strike: &Strike,
    opened_ms: u64,
    drawn_from: Option<&FaultPart>,
) -> Option<FaultPart> {
    let at_ms = strike.from_ms.checked_sub(opened_ms)?;
    let lasts_ms = strike.to_ms.map_or(0, |to_ms| to_ms - strike.from_ms);
    let what = match what {
        What::RollingRestart => What::Restart,
        what => what,
    };
    let lane = match strike.lanes[..] {
        [lane] if what.hits_one_lane() && strike.links.is_empty() => Who::Lane(lane),
        _ => Who::Any,
    };
    Some(FaultPart {
        what,
        at: When::After(SpanRange(at_ms, at_ms)),
        lasts: SpanRange(lasts_ms, lasts_ms),
        again: None,
        lane,
        links: strike
            .links
            .iter()
            .map(|(from, to)| Link {
                from: *from,
                to: *to,
            })
            .collect(),
        by_ms: strike.by_ms,
        ppm: drawn_from.and_then(|part| part.ppm),
        fails_permille: drawn_from.and_then(|part| part.fails_permille),
        syncs_permille: drawn_from.and_then(|part| part.syncs_permille),
        delay_ms: drawn_from.and_then(|part| part.delay_ms),
        bytes_per_s: drawn_from.and_then(|part| part.bytes_per_s),
        lost_permille: drawn_from.and_then(|part| part.lost_permille),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario;

    #[test]
    fn a_run_that_was_written_down_reads_back_as_it_struck() {
        let strike = |what: &str, lanes: &[usize], links: &[(usize, usize)]| Strike {
            what: what.to_owned(),
            from_ms: 7_250,
            to_ms: Some(9_000),
            lanes: lanes.to_vec(),
            links: links.to_vec(),
            ..Strike::default()
        };
        let marks = Marks {
            opened_ms: 4_000,
            lanes_at_opening: 3,
            strikes: vec![
                strike("crash", &[2], &[]),
                strike("rolling-restart", &[1], &[]),
                strike("split", &[], &[(1, 2), (2, 1)]),
                strike("wan-down", &[], &[]),
            ],
            ..Marks::default()
        };
        let scenario = scenario::named("split-in-two").unwrap().remove(0);
        let text = scenario
            .with_faults(3, written_down(&marks, &[]))
            .to_string();
        let back = scenario::parse("shrunk.toml", &text).unwrap();
        assert_eq!(back.lanes(), (3, 3));
        assert_eq!(back.to_string(), text);
        let expected = [
            "what = \"crash\"\nat = \"3250ms\"\nlasts = \"1750ms\"\nlane = 2\n",
            "what = \"restart\"\nat = \"3250ms\"\nlasts = \"1750ms\"\nlane = 1\n",
            "what = \"split\"\nat = \"3250ms\"\nlasts = \"1750ms\"\nlinks = [\"1>2\", \"2>1\"]\n",
            "what = \"wan-down\"\nat = \"3250ms\"\nlasts = \"1750ms\"\n",
        ];
        for part in expected {
            assert!(text.contains(part), "{part}\nin\n{text}");
        }
    }
}
