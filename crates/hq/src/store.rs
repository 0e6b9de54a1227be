//! What head office keeps and answers, whatever database it is kept in.

use async_trait::async_trait;
use ledger::{DayTotal, Entry, EntryHash, LaneId, Seq, StoreId};
use sale::BusinessDay;
use serde::{Deserialize, Serialize};
use wire::{HqAck, HqBatch, HqPublication, HqPublish};

use crate::{HqError, hex};

/// The most entries of one page of a lane's journal.
pub const ENTRIES_PAGE_MAX: usize = 1_000;

/// The books of head office. Embedded SQLite today; the seam for PostgreSQL.
#[async_trait]
pub trait HqStore: Send + Sync + 'static {
    /// Takes a batch whole or not at all, and answers up to where the store's entries are held
    /// durably. A batch that begins behind a gap changes nothing and is answered the same way.
    /// `heard_ms` is head office's wall clock, milliseconds since the Unix epoch.
    ///
    /// Fails with [`HqError::BadBatch`] on a batch whose entries are not in order.
    async fn take(&self, batch: HqBatch, heard_ms: u64) -> Result<HqAck, HqError>;
    /// Every store that was ever heard of, by id.
    async fn stores(&self) -> Result<Vec<StoreSummary>, HqError>;
    /// Totals by store, day and lane, in that order.
    async fn totals(&self, filter: TotalsFilter) -> Result<Vec<TotalRow>, HqError>;
    /// A lane's entries from a sequence number on, in order, at most `limit` and at most
    /// [`ENTRIES_PAGE_MAX`].
    ///
    /// Fails with [`HqError::UnknownStore`] and [`HqError::UnknownLane`].
    async fn lane_entries(
        &self,
        store: StoreId,
        lane: LaneId,
        from: Seq,
        limit: usize,
    ) -> Result<HeldEntries, HqError>;
    /// What was set aside, oldest first, of one store or of all; at most 1,000.
    async fn set_aside(&self, store: Option<StoreId>) -> Result<Vec<SetAsideEntry>, HqError>;
    /// Publishes reference data and answers its number once it is durable: above every number that was
    /// given out, and above every one that a store says it has taken, so that a head office restored
    /// from a backup gives none out twice. `now_ms` is head office's wall clock, Unix milliseconds.
    ///
    /// Fails with [`HqError::BadPublication`] on one that no store could take.
    async fn publish(&self, publish: HqPublish, now_ms: u64) -> Result<u64, HqError>;
    /// The first publication for a store behind number `after`, which is what it says it has taken.
    async fn published(
        &self,
        store: StoreId,
        after: u64,
        now_ms: u64,
    ) -> Result<Option<HqPublication>, HqError>;
    /// The newest publications, oldest first, at most [`PUBLICATIONS_LISTED_MAX`]; and what each store
    /// has taken.
    async fn publications(&self) -> Result<Publications, HqError>;
}

/// The most publications of one listing.
pub const PUBLICATIONS_LISTED_MAX: usize = 200;

/// What was published, and how far each store has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Publications {
    pub publications: Vec<PublicationSummary>,
    /// Every store that was ever heard of, by id.
    pub stores: Vec<TakenByStore>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublicationSummary {
    pub number: u64,
    pub author: String,
    /// By head office's clock, Unix milliseconds.
    pub published_ms: u64,
    pub records: u64,
    /// The stores that it is for; `None`: all of them.
    pub stores: Option<Vec<StoreId>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TakenByStore {
    pub store: StoreId,
    /// Empty for a store that has sent nothing yet.
    pub name: String,
    /// The number of the last publication for it.
    pub last: u64,
    /// The number of the last one that it has taken; 0: none.
    pub taken: u64,
    /// When it last asked, by head office's clock, Unix milliseconds; 0: never.
    pub asked_ms: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreSummary {
    pub store: StoreId,
    pub name: String,
    /// The store's own count of committed entries, up to which everything is here.
    pub cursor: u64,
    /// Entries held.
    pub entries: u64,
    /// Entries that did not fit or could not be read.
    pub set_aside: u64,
    /// When the store last sent anything, by head office's clock, Unix milliseconds.
    pub last_heard_ms: u64,
    /// By lane number.
    pub lanes: Vec<LaneSummary>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LaneSummary {
    pub lane: LaneId,
    /// 0 for a lane of which only entries were ever sent.
    pub number: u32,
    pub name: String,
    /// Entries held: 1 up to this number, without a gap.
    pub entries: u64,
    /// Hash of the last of them.
    #[serde(with = "hex::hash")]
    pub hash: EntryHash,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TotalsFilter {
    pub store: Option<StoreId>,
    pub day: Option<BusinessDay>,
}

/// What a lane took on a day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TotalRow {
    pub store: StoreId,
    pub day: BusinessDay,
    pub lane: LaneId,
    pub lane_number: u32,
    #[serde(flatten)]
    pub total: DayTotal,
}

/// An entry as it was sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldEntry {
    pub seq: Seq,
    /// Its place in the store's own order when it was first taken.
    pub global: u64,
    /// BLAKE3 over `bytes`, as computed when the entry was taken.
    #[serde(with = "hex::hash")]
    pub hash: EntryHash,
    #[serde(with = "hex")]
    pub bytes: Vec<u8>,
}

impl HeldEntry {
    /// The same entry with the lane's label, to be checked or decoded.
    pub fn entry(&self, lane: LaneId) -> Entry {
        Entry {
            lane,
            seq: self.seq,
            bytes: self.bytes.clone(),
        }
    }
}

/// A page of a lane's journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldEntries {
    pub entries: Vec<HeldEntry>,
    /// Where the next page begins; `None` at the end.
    pub next: Option<Seq>,
}

/// An entry that a person has to look at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetAsideEntry {
    pub store: StoreId,
    pub lane: LaneId,
    pub seq: Seq,
    pub global: u64,
    pub reason: String,
    /// Whether the entry is held in its lane's journal all the same: it fits the chain, and only
    /// its content could not be used.
    pub held: bool,
}
