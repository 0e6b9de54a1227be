//! Who belongs to the store: admission, leaving, a lane whose disk was copied, a new epoch.
//!
//! Invariants: a node id and a lane number are given out once; a lane that has left is never let in
//! again under its old id, but what it sold before is taken like any other lane's; of two processes
//! that claim one lane, the first that was confirmed is never barred for the sake of the other.

use std::fmt;

use sale::LaneId;
use serde::{Deserialize, Serialize};

/// Which of a store's epochs: one begins when the store is created, the next when it is recovered
/// after losing its majority for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Epoch {
    /// From 1.
    pub number: u32,
    /// Random, so that two lanes that recover one store apart from each other are found out; 0 in
    /// the first epoch.
    pub mark: u32,
}

impl Epoch {
    pub const FIRST: Epoch = Epoch { number: 1, mark: 0 };

    pub fn is_first(&self) -> bool {
        *self == Epoch::FIRST
    }
}

impl Default for Epoch {
    fn default() -> Epoch {
        Epoch::FIRST
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{:08x}", self.number, self.mark)
    }
}

/// One run of a lane's process, at random; two at a time are two processes with one lane's disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Run(pub u64);

/// How many barred runs of a lane are remembered, newest last.
pub const BARRED_RUNS_KEPT: usize = 16;

/// That a lane has left the store, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Left {
    pub why: LeftWhy,
    /// Who said so: an employee's number, or the rule's name.
    pub by: String,
    pub at_ms: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LeftWhy {
    /// A manager retired it.
    Retired,
    /// The same machine joined again, as this lane.
    Replaced { by: LaneId },
    /// It was admitted, and never began to work.
    NeverCame,
    /// It could not be reached when the store was recovered into this epoch.
    Missing { epoch: u32 },
}

impl LeftWhy {
    /// For the person at the lane that has left.
    pub fn in_words(&self) -> &'static str {
        match self {
            LeftWhy::Retired => "a manager took this lane out of the store",
            LeftWhy::Replaced { .. } => "this machine joined the store again as a new lane",
            LeftWhy::NeverCame => "this lane was let in but did not begin to work in time",
            LeftWhy::Missing { .. } => {
                "the store was recovered on another lane while this one was missing"
            }
        }
    }
}
