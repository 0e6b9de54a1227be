//! Which machines with a copied disk, and which missing lanes, the store must have put before a person.
//!
//! Of two machines that work with one disk at a time, lanes that meet both have the store stop one:
//! its process, and no other, is then named in the books, and there is one exception for it. A copy
//! that finds by itself that the store has another journal than its own has stopped before anybody
//! met it beside its original; of that one the books may say nothing.

use std::collections::{BTreeMap, BTreeSet};

use ledger::{LaneId, Run};
use node::lane::Trouble;

use crate::store::Slot;

/// A machine that worked with a copy of a lane's disk beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Copied {
    pub lane: LaneId,
    pub run: Run,
    /// Whether it was told that the store has stopped it.
    pub is_stopped: bool,
}

impl Copied {
    /// How such a machine stands now; `None` where its process has ended.
    pub fn of(copy: &Slot) -> Option<Copied> {
        let process = copy.process()?;
        let view = process.lane.view().borrow().clone();
        let is_stopped = match &view.status.mode {
            api::Mode::Stop { reason } => *reason == Trouble::Copied.in_words(),
            _ => false,
        };
        Some(Copied {
            lane: process.lane.identity().lane,
            run: process.lane.run(),
            is_stopped,
        })
    }
}

/// What is wrong with the processes that a lane's books name as stopped (`barred`), and with the lanes
/// of the exceptions that say so (`told`).
pub fn wrong(
    copied: &[Copied],
    barred: &BTreeMap<LaneId, Vec<Run>>,
    told: Vec<Option<LaneId>>,
) -> Option<String> {
    let named = barred.iter();
    let named = named.flat_map(|(lane, runs)| runs.iter().map(|run| (*lane, *run)));
    let named: BTreeSet<(LaneId, Run)> = named.collect();
    let is_copy = |(lane, run): &(LaneId, Run)| {
        let mut copied = copied.iter();
        copied.any(|copy| (copy.lane, copy.run) == (*lane, *run))
    };
    if let Some(innocent) = named.iter().find(|named| !is_copy(named)) {
        return Some(format!("it stopped {innocent:?}, which works with no copy"));
    }
    let mut stopped = copied.iter().filter(|copy| copy.is_stopped);
    if let Some(copy) = stopped.find(|copy| !named.contains(&(copy.lane, copy.run))) {
        return Some(format!("{copy:?} was stopped, and its books do not say so"));
    }
    let (mut told, mut lanes) = (told, Vec::new());
    lanes.extend(named.iter().map(|(lane, _)| Some(*lane)));
    told.sort();
    lanes.sort();
    (told != lanes).then(|| {
        format!("it stopped copies of {lanes:?}, and before a person are those of {told:?}")
    })
}

/// What is wrong with the lanes of the exceptions that say that a lane was missing (`told`), where the
/// store went on without `missing`. A lane whose disk was lost for good may have been missing as well.
pub fn wrongly_missing(
    missing: &BTreeSet<LaneId>,
    gone: &BTreeSet<LaneId>,
    told: &[Option<LaneId>],
) -> Option<String> {
    let each: BTreeSet<LaneId> = told.iter().flatten().copied().collect();
    let may_be = |lane: &LaneId| missing.contains(lane) || gone.contains(lane);
    let is_right = each.len() == told.len() && missing.is_subset(&each) && each.iter().all(may_be);
    let all_missing = match missing.is_empty() {
        true => told.is_empty(),
        false => is_right,
    };
    (!all_missing)
        .then(|| format!("the store went on without {missing:?}, and before a person are {told:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: LaneId = LaneId([1; 16]);
    const TWO: LaneId = LaneId([2; 16]);

    #[test]
    fn what_was_stopped_is_a_copy_and_before_a_person_once() {
        let copy = |run, is_stopped| Copied {
            lane: ONE,
            run: Run(run),
            is_stopped,
        };
        let check = |copied: &[Copied], barred: &[u64], told: &[LaneId], is_right: bool| {
            let runs = barred.iter().map(|run| Run(*run)).collect();
            let barred = BTreeMap::from([(ONE, runs), (TWO, Vec::new())]);
            let told = told.iter().copied().map(Some).collect();
            let wrong = wrong(copied, &barred, told);
            assert_eq!(wrong.is_none(), is_right, "{wrong:?}");
        };
        check(&[], &[], &[], true);
        check(&[copy(7, true)], &[7], &[ONE], true);
        // It stopped by itself, before or after the store had decided.
        check(&[copy(7, false)], &[], &[], true);
        check(&[copy(7, false)], &[7], &[ONE], true);
        check(&[copy(7, true), copy(8, true)], &[7, 8], &[ONE, ONE], true);
        // The original was stopped; nobody is told, twice, or of the wrong lane.
        check(&[copy(7, true)], &[6], &[ONE], false);
        check(&[copy(7, true)], &[], &[], false);
        check(&[copy(7, true)], &[7], &[], false);
        check(&[copy(7, true)], &[7], &[ONE, ONE], false);
        check(&[copy(7, true)], &[7], &[TWO], false);
        check(&[], &[], &[ONE], false);
    }

    #[test]
    fn each_lane_that_the_store_went_on_without_is_before_a_person_once() {
        let check = |missing: &[LaneId], gone: &[LaneId], told: &[LaneId], is_right: bool| {
            let set = |lanes: &[LaneId]| lanes.iter().copied().collect();
            let told: Vec<_> = told.iter().copied().map(Some).collect();
            let wrong = wrongly_missing(&set(missing), &set(gone), &told);
            assert_eq!(wrong.is_none(), is_right, "{wrong:?}");
        };
        check(&[], &[], &[], true);
        check(&[ONE], &[], &[ONE], true);
        check(&[ONE], &[TWO], &[ONE, TWO], true);
        check(&[ONE, TWO], &[], &[ONE], false);
        check(&[ONE], &[], &[ONE, ONE], false);
        check(&[ONE], &[], &[ONE, TWO], false);
        check(&[], &[TWO], &[TWO], false);
    }
}
