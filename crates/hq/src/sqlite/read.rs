//! The questions that head office answers.

use ledger::{DayTotal, EntryHash, LaneId, Seq, StoreId};
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Row, params};
use sale::BusinessDay;
use storage::StorageError;

use super::publish::list;
use crate::{
    ENTRIES_PAGE_MAX, HeldEntries, HeldEntry, HqError, LaneSummary, Publications, SetAsideEntry,
    StoreSummary, TotalRow, TotalsFilter,
};

/// The most bytes of entries on one page; a page of one entry may be larger.
const PAGE_BYTES_MAX: usize = 4 * 1024 * 1024;

/// The most set-aside entries of one listing.
const SET_ASIDE_MAX: usize = 1_000;

/// A connection to the books, and what a failure of it means.
pub struct Reader<'a> {
    pub connection: &'a Connection,
    pub error: &'a dyn Fn(&rusqlite::Error) -> StorageError,
}

impl Reader<'_> {
    fn checked<T>(&self, result: rusqlite::Result<T>) -> Result<T, HqError> {
        result.map_err(|error| HqError::Storage((self.error)(&error)))
    }

    pub fn stores(&self) -> Result<Vec<StoreSummary>, HqError> {
        self.checked(stores(self.connection))
    }

    pub fn totals(&self, filter: &TotalsFilter) -> Result<Vec<TotalRow>, HqError> {
        self.checked(totals(self.connection, filter))
    }

    pub fn lane_entries(
        &self,
        store: StoreId,
        lane: LaneId,
        from: Seq,
        limit: usize,
    ) -> Result<HeldEntries, HqError> {
        let row = self.checked(store_row(self.connection, store))?;
        let row = row.ok_or(HqError::UnknownStore(store))?;
        let row = self.checked(lane_row(self.connection, row, lane))?;
        let row = row.ok_or(HqError::UnknownLane { store, lane })?;
        let limit = limit.clamp(1, ENTRIES_PAGE_MAX);
        self.checked(lane_entries(self.connection, row, from, limit))
    }

    pub fn publications(&self) -> Result<Publications, HqError> {
        self.checked(list(self.connection))
    }

    pub fn set_aside(&self, store: Option<StoreId>) -> Result<Vec<SetAsideEntry>, HqError> {
        self.checked(set_aside(self.connection, store))
    }
}

fn stores(connection: &Connection) -> rusqlite::Result<Vec<StoreSummary>> {
    let mut statement = connection.prepare_cached(
        "SELECT id, store, name, cursor, heard_ms,
                (SELECT count(*) FROM set_aside JOIN lane ON set_aside.lane = lane.id
                 WHERE lane.store = store.id)
         FROM store ORDER BY store",
    )?;
    let rows = statement.query_map([], |row| {
        let summary = StoreSummary {
            store: StoreId(row.get(1)?),
            name: row.get(2)?,
            cursor: row.get(3)?,
            entries: 0,
            set_aside: row.get(5)?,
            last_heard_ms: row.get(4)?,
            lanes: Vec::new(),
        };
        Ok((row.get(0)?, summary))
    })?;
    rows.map(|row| {
        let (id, mut summary) = row?;
        summary.lanes = lanes(connection, id)?;
        summary.entries = summary.lanes.iter().map(|lane| lane.entries).sum();
        Ok(summary)
    })
    .collect()
}

fn lanes(connection: &Connection, store: i64) -> rusqlite::Result<Vec<LaneSummary>> {
    connection
        .prepare_cached(
            "SELECT lane, number, name, next_seq - 1, hash FROM lane
             WHERE store = ?1 ORDER BY number, lane",
        )?
        .query_map([store], |row| {
            Ok(LaneSummary {
                lane: LaneId(row.get(0)?),
                number: row.get(1)?,
                name: row.get(2)?,
                entries: row.get(3)?,
                hash: lane_hash(row, 4)?,
            })
        })?
        .collect()
}

fn totals(connection: &Connection, filter: &TotalsFilter) -> rusqlite::Result<Vec<TotalRow>> {
    let store = filter.store.map(|store| store.0);
    let day = filter.day.as_ref().map(|day| day.0.as_str());
    connection
        .prepare_cached(
            "SELECT store.store, total.day, lane.lane, lane.number, total.total
             FROM total JOIN lane ON total.lane = lane.id JOIN store ON lane.store = store.id
             WHERE (?1 IS NULL OR store.store = ?1) AND (?2 IS NULL OR total.day = ?2)
             ORDER BY store.store, total.day, lane.number, lane.lane",
        )?
        .query_map(params![store, day], |row| {
            Ok(TotalRow {
                store: StoreId(row.get(0)?),
                day: BusinessDay(row.get(1)?),
                lane: LaneId(row.get(2)?),
                lane_number: row.get(3)?,
                total: decoded(row, 4)?,
            })
        })?
        .collect()
}

fn store_row(connection: &Connection, store: StoreId) -> rusqlite::Result<Option<i64>> {
    connection
        .prepare_cached("SELECT id FROM store WHERE store = ?1")?
        .query_row([store.0], |row| row.get(0))
        .optional()
}

fn lane_row(connection: &Connection, store: i64, lane: LaneId) -> rusqlite::Result<Option<i64>> {
    connection
        .prepare_cached("SELECT id FROM lane WHERE store = ?1 AND lane = ?2")?
        .query_row(params![store, lane.0], |row| row.get(0))
        .optional()
}

fn lane_entries(
    connection: &Connection,
    lane: i64,
    from: Seq,
    limit: usize,
) -> rusqlite::Result<HeldEntries> {
    let Ok(from) = i64::try_from(from) else {
        return Ok(HeldEntries {
            entries: Vec::new(),
            next: None,
        });
    };
    let mut statement = connection.prepare_cached(
        "SELECT seq, global, hash, bytes FROM entry WHERE lane = ?1 AND seq >= ?2 ORDER BY seq",
    )?;
    let mut rows = statement.query(params![lane, from])?;
    let mut entries: Vec<HeldEntry> = Vec::new();
    let mut bytes = 0;
    while let Some(row) = rows.next()? {
        let entry = HeldEntry {
            seq: row.get(0)?,
            global: row.get(1)?,
            hash: lane_hash(row, 2)?,
            bytes: row.get(3)?,
        };
        bytes += entry.bytes.len();
        let over = bytes > PAGE_BYTES_MAX && !entries.is_empty();
        if over || entries.len() == limit {
            let next = Some(entry.seq);
            return Ok(HeldEntries { entries, next });
        }
        entries.push(entry);
    }
    Ok(HeldEntries {
        entries,
        next: None,
    })
}

fn set_aside(
    connection: &Connection,
    store: Option<StoreId>,
) -> rusqlite::Result<Vec<SetAsideEntry>> {
    connection
        .prepare_cached(
            "SELECT store.store, lane.lane, set_aside.seq, set_aside.global, set_aside.reason,
                    set_aside.held
             FROM set_aside JOIN lane ON set_aside.lane = lane.id
                            JOIN store ON lane.store = store.id
             WHERE ?1 IS NULL OR store.store = ?1
             ORDER BY set_aside.id LIMIT ?2",
        )?
        .query_map(params![store.map(|s| s.0), SET_ASIDE_MAX as i64], |row| {
            Ok(SetAsideEntry {
                store: StoreId(row.get(0)?),
                lane: LaneId(row.get(1)?),
                seq: row.get(2)?,
                global: row.get(3)?,
                reason: row.get(4)?,
                held: row.get(5)?,
            })
        })?
        .collect()
}

/// What a lane took on a day, as far as it is stored.
pub fn day_total(
    connection: &Connection,
    lane: i64,
    day: &BusinessDay,
) -> rusqlite::Result<Option<DayTotal>> {
    connection
        .prepare_cached("SELECT total FROM total WHERE lane = ?1 AND day = ?2")?
        .query_row(params![lane, day.0], |row| decoded(row, 0))
        .optional()
}

pub fn lane_hash(row: &Row<'_>, column: usize) -> rusqlite::Result<EntryHash> {
    Ok(EntryHash(row.get(column)?))
}

fn decoded(row: &Row<'_>, column: usize) -> rusqlite::Result<DayTotal> {
    let bytes: Vec<u8> = row.get(column)?;
    cbor4ii::serde::from_slice(&bytes).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(column, Type::Blob, Box::new(error))
    })
}
