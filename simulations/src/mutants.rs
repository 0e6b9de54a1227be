//! Bugs planted in the code under test, one at a time, to see that the checks catch them. A check
//! that catches nothing is worth nothing.
//!
//! Each is planted where a `planted::…` with its name stands, and only in a build with the feature
//! `planted`. Each names the scenario that brings it out, and within how many seeds it must be caught.

use serde::Serialize;

use crate::checks::Check;
use crate::scenario::{self, Scenario};
use crate::simulation::{Options, Report, simulate};

/// A planted bug.
#[derive(Clone, Copy, Debug)]
pub struct Mutant {
    /// What `planted::…` calls it.
    pub name: &'static str,
    pub about: &'static str,
    pub scenario: &'static str,
    /// Lanes, where the scenario's own number would hide it.
    pub lanes: Option<(u64, u64)>,
    /// Virtual seconds of selling.
    pub sells_s: u64,
    /// It must be caught within so many seeds.
    pub seeds_max: u64,
}

const fn mutant(
    name: &'static str,
    scenario: &'static str,
    sells_s: u64,
    seeds_max: u64,
    about: &'static str,
) -> Mutant {
    Mutant {
        name,
        about,
        scenario,
        lanes: None,
        sells_s,
        seeds_max,
    }
}

const fn in_a_store_of(lanes: u64, mutant: Mutant) -> Mutant {
    Mutant {
        lanes: Some((lanes, lanes)),
        ..mutant
    }
}

/// Every planted bug.
pub const MUTANTS: &[Mutant] = &[
    // Durability.
    mutant(
        "journal-acknowledged-unwritten",
        "lane-crash",
        25,
        3,
        "a sale is acknowledged and its journal entry never written",
    ),
    in_a_store_of(
        3,
        mutant(
            "copy-acknowledged-unwritten",
            "calm",
            20,
            3,
            "a sibling says that it holds copies which it dropped",
        ),
    ),
    mutant(
        "vote-not-kept",
        "power-cut-all",
        25,
        4,
        "a vote is answered and not written",
    ),
    in_a_store_of(
        3,
        mutant(
            "append-not-kept",
            "power-cut-all",
            25,
            4,
            "an entry of the Raft log is acknowledged and not written",
        ),
    ),
    mutant(
        "applied-index-not-kept",
        "lane-crash",
        25,
        4,
        "the applied index is not in the transaction of what was applied",
    ),
    mutant(
        "commits-not-synced",
        "power-cut-all",
        25,
        4,
        "what is said to be durable is written and not synced",
    ),
    // Head office's way down.
    mutant(
        "publication-taken-twice",
        "hq-catalog",
        40,
        3,
        "a publication is taken, and the store does not note how far it has come",
    ),
    mutant(
        "publication-skipped",
        "hq-catalog",
        40,
        3,
        "head office leaves out what comes right behind each third publication",
    ),
    // Membership.
    mutant(
        "held-copies-not-offered",
        "wiped-disk",
        30,
        8,
        "what siblings hold of a lane that is gone never reaches the store",
    ),
    in_a_store_of(
        6,
        mutant(
            "closed-taken-for-dead",
            "night-shutdown",
            50,
            3,
            "a voter that closed in good order is replaced like a dead one",
        ),
    ),
    in_a_store_of(
        3,
        mutant(
            "leadership-not-handed-over",
            "night-shutdown",
            110,
            3,
            "a leader closes and leaves it to the others to notice",
        ),
    ),
    mutant(
        "recovery-not-noticed",
        "recover",
        50,
        3,
        "a lane that comes back goes on as if the store had not been recovered without it",
    ),
    mutant(
        "recovery-keeps-the-epoch",
        "recover",
        50,
        3,
        "a lane goes on alone in the epoch that the lost lanes are in",
    ),
    mutant(
        "recovery-keeps-the-voters",
        "recover",
        50,
        2,
        "a lane that is to go on alone still counts the lost lanes as voters",
    ),
    mutant(
        "sums-overlooked",
        "bit-rot",
        120,
        8,
        "what a bit that flipped on the disk has changed is taken as it is",
    ),
    mutant(
        "branch-forgotten",
        "copy-joins",
        60,
        12,
        "what was sold at a copied disk is forgotten and not carried over",
    ),
    // A lane that joins later would end it, too.
    in_a_store_of(
        2,
        mutant(
            "joint-change-left-half-way",
            "voters-change",
            9,
            6,
            "a change of voters that was interrupted is never finished",
        ),
    ),
    in_a_store_of(
        4,
        mutant(
            "too-few-voters",
            "calm",
            10,
            1,
            "four lanes are content with one voter",
        ),
    ),
    // Raft.
    in_a_store_of(
        5,
        mutant(
            "truncated-too-little",
            "leader-flaps",
            40,
            8,
            "a log that conflicts with the leader's keeps one entry too many",
        ),
    ),
    in_a_store_of(
        3,
        mutant(
            "promoted-at-once",
            "calm",
            10,
            3,
            "a lane votes before it has caught up",
        ),
    ),
    in_a_store_of(
        3,
        mutant(
            "node-id-reused",
            "calm",
            10,
            2,
            "a lane that joins is given the founder's node id",
        ),
    ),
    in_a_store_of(
        4,
        mutant(
            "change-acknowledged-without-quorum",
            "split-in-two",
            45,
            6,
            "a change is answered as made by lanes that cannot agree",
        ),
    ),
    in_a_store_of(
        5,
        mutant(
            "stale-leader-read",
            "split-in-two",
            60,
            6,
            "a leader shows what it holds as what the store holds, and no quorum has confirmed that \
             it leads",
        ),
    ),
    mutant(
        "snapshot-lacks-its-last-entries",
        "short-logs",
        60,
        4,
        "a snapshot says that it has two entries more than it has",
    ),
    mutant(
        "copied-disk-gate-off",
        "cloned-disk",
        45,
        3,
        "of two processes with one lane's disk, both are listened to",
    ),
    // Determinism.
    in_a_store_of(
        3,
        mutant(
            "apply-skips-an-entry",
            "calm",
            20,
            3,
            "one lane leaves a committed entry out",
        ),
    ),
    in_a_store_of(
        2,
        mutant(
            "clock-in-apply",
            "calm",
            8,
            2,
            "what is applied depends on a clock",
        ),
    ),
    in_a_store_of(
        2,
        mutant(
            "unordered-map-in-apply",
            "calm",
            20,
            3,
            "what is applied depends on the order of an unordered map",
        ),
    ),
    mutant(
        "level-ignored",
        "rolling-update",
        40,
        3,
        "an updated register writes what the other lanes cannot read yet",
    ),
    mutant(
        "row-not-hashed",
        "calm",
        15,
        3,
        "a row is written past the state's hash",
    ),
    // Once and only once.
    mutant(
        "ingest-dedupe-off",
        "leader-flaps",
        40,
        6,
        "an entry that is offered twice counts twice",
    ),
    mutant(
        "commands-carried-out-again",
        "calm",
        20,
        3,
        "a command that is repeated under its id is carried out again",
    ),
    mutant(
        "receipt-number-used-again",
        "calm",
        20,
        3,
        "two receipts have one number",
    ),
    in_a_store_of(
        1,
        mutant(
            "offer-skips-an-entry",
            "calm",
            15,
            3,
            "an entry is never offered to the store's log",
        ),
    ),
    in_a_store_of(
        3,
        mutant(
            "copies-skip-an-entry",
            "calm",
            15,
            3,
            "an entry is never copied to a sibling",
        ),
    ),
    mutant(
        "entry-of-another-store",
        "calm",
        15,
        3,
        "an entry is sealed for another store than its lane's",
    ),
    // Head office.
    mutant(
        "cursor-moved-too-early",
        "wan-flap-sync",
        40,
        5,
        "the cursor moves when a batch is sent and not when it is acknowledged",
    ),
    mutant(
        "shipper-skips-an-entry",
        "calm",
        15,
        3,
        "an entry is left out of a batch",
    ),
    mutant(
        "hq-counts-again",
        "wan-flap-sync",
        60,
        8,
        "head office counts a batch again whose answer was lost",
    ),
    mutant(
        "hq-forgets-an-entry",
        "calm",
        15,
        3,
        "head office acknowledges an entry that it does not keep",
    ),
    // Money.
    mutant(
        "tax-rounded-down",
        "calm",
        20,
        3,
        "tax is rounded down instead of to the nearest cent",
    ),
    mutant(
        "change-forgotten",
        "calm",
        20,
        3,
        "a customer who pays with a large note gets no change",
    ),
    mutant(
        "change-stays-in-drawer",
        "calm",
        20,
        3,
        "the day's totals count the change as money in the drawer",
    ),
    mutant(
        "stock-skips-a-line",
        "calm",
        15,
        3,
        "one line of a receipt is not taken off the stock",
    ),
    in_a_store_of(
        2,
        mutant(
            "price-not-pinned",
            "calm",
            40,
            6,
            "a line has today's price and not that of the book its cart pinned",
        ),
    ),
    mutant(
        "pay-out-counted-as-pay-in",
        "calm",
        60,
        4,
        "reports count what is paid out of the drawer as paid in",
    ),
    mutant(
        "cash-put-aside-forgotten",
        "calm",
        60,
        4,
        "what was paid on a sale that is put aside is not in the drawer",
    ),
    // What two lanes must not both do.
    in_a_store_of(
        4,
        mutant(
            "goods-taken-back-twice",
            "calm",
            60,
            6,
            "goods are paid back at a lane that holds that they were paid back elsewhere",
        ),
    ),
    in_a_store_of(
        4,
        mutant(
            "conflict-unnoticed",
            "split-in-two",
            60,
            8,
            "goods that came back twice are before nobody",
        ),
    ),
    // The register.
    mutant(
        "void-not-journalled",
        "calm",
        30,
        4,
        "a line that is taken back is not journalled",
    ),
    in_a_store_of(
        3,
        mutant(
            "sale-waits-for-quorum",
            "split-in-two",
            25,
            3,
            "a lane that is cut off waits for the others before it answers",
        ),
    ),
    mutant(
        "stamp-follows-the-clock",
        "clock-jump",
        30,
        4,
        "a journal's stamps go back with the wall clock",
    ),
    in_a_store_of(
        3,
        mutant(
            "stamps-ignore-siblings",
            "lane-crash",
            20,
            3,
            "an entry is stamped by its lane's clock alone, behind what the lane had seen",
        ),
    ),
];

/// One of each kind, quickly caught.
pub const QUICK: [&str; 7] = [
    "journal-acknowledged-unwritten",
    "vote-not-kept",
    "clock-in-apply",
    "commands-carried-out-again",
    "hq-forgets-an-entry",
    "change-forgotten",
    "void-not-journalled",
];

/// What became of a planted bug.
#[derive(Clone, Debug, Serialize)]
pub struct Outcome {
    pub mutant: &'static str,
    pub about: &'static str,
    pub scenario: &'static str,
    pub seeds_max: u64,
    /// `None`: no check saw it.
    pub caught: Option<Caught>,
}

/// How a planted bug was caught.
#[derive(Clone, Debug, Serialize)]
pub struct Caught {
    /// The checks that saw it, the first first.
    pub by: Vec<Check>,
    pub seed: u64,
    /// How many seeds that took.
    pub seeds: u64,
    pub what: String,
}

impl Mutant {
    /// The scenario that brings it out, cut down to what is needed for that.
    fn scenario(&self) -> anyhow::Result<Scenario> {
        let mut scenario = scenario::named(self.scenario)?.remove(0);
        scenario.shorten(self.sells_s * 1000);
        if let Some(lanes) = self.lanes {
            scenario.set_lanes(lanes);
        }
        Ok(scenario)
    }

    /// Plants the bug for all that this process does from now on.
    ///
    /// Fails in a build without planted bugs.
    pub fn plant(&self) -> anyhow::Result<()> {
        anyhow::ensure!(
            planted::plant(self.name),
            "this build has no planted bugs: use `cargo run -p simulations --features planted -- …`"
        );
        Ok(())
    }

    /// Runs the scenario with the bug planted, seed after seed, until a check sees it.
    pub fn hunt(&self, first_seed: u64, seeds_max: Option<u64>) -> anyhow::Result<Outcome> {
        let scenario = self.scenario()?;
        let seeds_max = seeds_max.unwrap_or(self.seeds_max);
        let mut caught = None;
        self.plant()?;
        for seed in first_seed..first_seed + seeds_max {
            let report = simulate(&scenario, seed, Options::default())?;
            if !report.ok {
                // What fails without the bug, too, was not caught.
                planted::plant("");
                let control = simulate(&scenario, seed, Options::default())?;
                if let Some(violation) = control.violations.first() {
                    anyhow::bail!(
                        "{} with seed {seed} fails without the bug '{}', too: {violation}",
                        self.scenario,
                        self.name
                    );
                }
                caught = Some(Caught::of(&report, seed + 1 - first_seed));
                break;
            }
        }
        planted::plant("");
        Ok(Outcome {
            mutant: self.name,
            about: self.about,
            scenario: self.scenario,
            seeds_max,
            caught,
        })
    }
}

impl Caught {
    fn of(report: &Report, seeds: u64) -> Caught {
        let mut by: Vec<Check> = Vec::new();
        for violation in &report.violations {
            if !by.contains(&violation.check) {
                by.push(violation.check);
            }
        }
        Caught {
            by,
            seed: report.seed,
            seeds,
            what: report
                .violations
                .first()
                .map_or(String::new(), ToString::to_string),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_mutant_has_a_name_of_its_own_and_a_scenario() {
        let names: BTreeSet<&str> = MUTANTS.iter().map(|mutant| mutant.name).collect();
        assert_eq!(names.len(), MUTANTS.len());
        for name in QUICK {
            assert!(names.contains(name), "{name}");
        }
        for mutant in MUTANTS {
            mutant.scenario().unwrap();
        }
    }

    #[test]
    fn every_mutant_is_planted_somewhere_and_every_planted_bug_is_listed() {
        let root = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
        let mut found = BTreeSet::new();
        for folder in ["crates", "consensus", "node"] {
            collect(&root.join(folder), &mut found);
        }
        let listed: BTreeSet<String> = MUTANTS.iter().map(|m| m.name.to_owned()).collect();
        assert_eq!(found, listed);
    }

    /// The names in the calls of `planted` in the sources under a folder.
    fn collect(folder: &std::path::Path, found: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                collect(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                for call in text.split("planted::").skip(1) {
                    found.extend(call.split('"').nth(1).map(str::to_owned));
                }
            }
        }
    }
}
