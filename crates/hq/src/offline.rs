//! Reading head office's books by plain path, for whoever checks or exports them.
//!
//! Nothing here writes, takes the folder's lock or repairs anything; it works while head office
//! runs, too. What it shows is one moment of the books.

use std::path::Path;

use ledger::{LaneId, Seq, StoreId};
use storage::ReadOnlyDatabase;

use crate::sqlite::{HQ_DATABASE, Reader};
use crate::{HeldEntries, HqError, SetAsideEntry, StoreSummary, TotalRow, TotalsFilter};

/// Head office's folder, opened for reading.
pub struct OfflineHq {
    database: ReadOnlyDatabase,
}

impl OfflineHq {
    /// Opens the books in `folder`.
    pub fn open(folder: &Path) -> Result<OfflineHq, HqError> {
        let database = ReadOnlyDatabase::open(folder, &HQ_DATABASE)?;
        Ok(OfflineHq { database })
    }

    fn read<T>(&self, read: impl FnOnce(&Reader<'_>) -> Result<T, HqError>) -> Result<T, HqError> {
        read(&Reader {
            connection: self.database.connection(),
            error: &|error| self.database.error(error),
        })
    }

    /// Checks every page of the books' file.
    pub fn check(&self) -> Result<(), HqError> {
        Ok(self.database.check()?)
    }

    /// Every store that was ever heard of, with its lanes, cursor and counts, by id.
    pub fn stores(&self) -> Result<Vec<StoreSummary>, HqError> {
        self.read(|reader| reader.stores())
    }

    /// Totals by store, day and lane, in that order.
    pub fn totals(&self, filter: &TotalsFilter) -> Result<Vec<TotalRow>, HqError> {
        self.read(|reader| reader.totals(filter))
    }

    /// A page of a lane's entries from a sequence number on, like `HqStore::lane_entries`.
    pub fn lane_entries(
        &self,
        store: StoreId,
        lane: LaneId,
        from: Seq,
        limit: usize,
    ) -> Result<HeldEntries, HqError> {
        self.read(|reader| reader.lane_entries(store, lane, from, limit))
    }

    /// What was set aside, oldest first, of one store or of all; at most 1,000.
    pub fn set_aside(&self, store: Option<StoreId>) -> Result<Vec<SetAsideEntry>, HqError> {
        self.read(|reader| reader.set_aside(store))
    }
}
