//! Between a store and head office: batches of committed entries up, cursors down.

use ledger::{Entry, Epoch, LaneId, StoreId};
use serde::{Deserialize, Serialize};

/// The most entries in one batch.
pub const HQ_BATCH_ENTRIES_MAX: usize = 2_000;

/// A lane as head office names it in reports.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HqLane {
    pub lane: LaneId,
    pub number: u32,
    pub name: String,
}

/// A committed entry and its place in the store's order, from 1 without gaps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HqEntry {
    pub global: u64,
    pub entry: Entry,
}

/// Entries in the store's order. An empty batch asks for the cursor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HqBatch {
    pub store: StoreId,
    pub store_name: String,
    /// Who ships it last heard that the store is in this epoch. Unsaid, it is the first.
    #[serde(default = "first_epoch", skip_serializing_if = "Epoch::is_first")]
    pub epoch: Epoch,
    /// Every lane that occurs in `entries`.
    pub lanes: Vec<HqLane>,
    pub entries: Vec<HqEntry>,
}

fn first_epoch() -> Epoch {
    Epoch::FIRST
}

/// Head office holds, durably, every entry of the store up to `cursor`; the next batch begins
/// behind it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HqAck {
    pub cursor: u64,
}
