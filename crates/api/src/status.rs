//! How a lane stands with its siblings and head office.

use sale::{LaneId, LocalTime};
use serde::{Deserialize, Serialize};

/// The one state of the status bar. A lane sells in each of them but `Stop`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "mode", rename_all = "kebab-case")]
pub enum Mode {
    /// A quorum agrees: what is sold here is committed in the store.
    Together,
    /// Some lanes are reachable, too few to agree; or this lane hears that the store agrees and has
    /// not caught up with it for seconds. Counts include this lane.
    Partial {
        reachable: u32,
        #[serde(rename = "of_lanes")]
        lanes: u32,
    },
    /// No sibling can be reached. `unshared` sales are on this lane alone.
    Alone {
        unshared: u64,
        since: Option<LocalTime>,
    },
    /// The journal cannot be made durable. This lane must not sell.
    Stop { reason: String },
}

/// A lane of the store as this lane sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeerStatus {
    pub lane: LaneId,
    pub number: u32,
    pub name: String,
    pub this_lane: bool,
    pub reachable: bool,
    pub leader: bool,
    pub voter: bool,
}

/// How far head office has what the store has committed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HqStatus {
    pub configured: bool,
    /// Committed entries that HQ has not acknowledged.
    pub lag_entries: u64,
    /// The last publication of HQ that is in force here; 0: none.
    #[serde(default)]
    pub published: u64,
    /// Why the last attempt failed; `None` while it works. Known on the leader only.
    pub problem: Option<String>,
}

/// How the receipt printer stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrinterStatus {
    /// Where it is; none where papers wait and the lane has no printer.
    pub name: Option<String>,
    /// Papers that are not out yet.
    pub waiting: u64,
    /// Why the last one did not come out, or the drawer did not open; none while all is well.
    pub trouble: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LaneStatus {
    #[serde(flatten)]
    pub mode: Mode,
    pub term: u64,
    pub leader: Option<String>,
    pub is_leader: bool,
    pub applied_index: u64,
    pub committed_index: u64,
    /// State hash at `applied_index`, hexadecimal.
    pub state_hash: String,
    /// Number of this lane's newest journal entry.
    pub journal_seq: u64,
    /// This lane's journal entries not yet applied by the store.
    pub unshared_entries: u64,
    /// This lane's receipts among them.
    pub unshared_sales: u64,
    /// Receipts this lane has printed.
    pub receipts: u64,
    pub book_version: u64,
    pub items: u64,
    /// What no rule settled and a person has to look at.
    pub exceptions: u64,
    pub lanes: Vec<PeerStatus>,
    pub hq: HqStatus,
    /// None where the lane has no printer and no paper waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub printer: Option<PrinterStatus>,
    /// What does not work on this machine and what is used instead, for a person to read.
    pub warnings: Vec<String>,
}
