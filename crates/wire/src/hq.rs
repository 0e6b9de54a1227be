//! Between a store and head office: batches of committed entries up; cursors, and what head office
//! publishes, down.

use catalog::Record;
use ledger::{Entry, Epoch, LaneId, StoreId};
use serde::{Deserialize, Serialize};

use crate::{WireError, decode, encode};

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
    /// The number of the last publication for this store, so that nothing new has to be asked for; 0
    /// where there is none, and from a head office that publishes nothing.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub published: u64,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// The most records in one publication; larger ones are cut into several.
pub const HQ_PUBLICATION_RECORDS_MAX: usize = 500;

/// The most bytes of records in one publication.
pub const HQ_PUBLICATION_BYTES_MAX: usize = 1024 * 1024;

/// The longest name of an author, in characters.
pub const HQ_AUTHOR_CHARS_MAX: usize = 100;

/// The most stores that one publication names.
pub const HQ_STORES_NAMED_MAX: usize = 10_000;

/// A record as bytes of its own: one of a later release is told from the others, and left out alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct HqRecord(#[serde(with = "serde_bytes")] pub Vec<u8>);

impl HqRecord {
    pub fn of(record: &Record) -> Result<HqRecord, WireError> {
        encode(record).map(HqRecord)
    }

    /// Fails on a record that only a later release reads.
    pub fn record(&self) -> Result<Record, WireError> {
        decode(&self.0)
    }
}

/// Reference data that head office is to publish.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HqPublish {
    /// Who says so, for people.
    pub author: String,
    /// The stores that it is for; left out, all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stores: Option<Vec<StoreId>>,
    pub records: Vec<HqRecord>,
}

/// What head office published under a number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HqPublication {
    pub number: u64,
    pub author: String,
    pub records: Vec<HqRecord>,
}

/// What comes behind the publication that a store took last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HqNext {
    /// The first of them that is for this store; left out where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub publication: Option<HqPublication>,
}
