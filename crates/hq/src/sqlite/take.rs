//! Taking a batch: each entry is held once, set aside, or known already.

use std::collections::{BTreeMap, btree_map};

use ledger::{DayTotal, Entry, EntryHash, Epoch, Fact, Head, LaneId, StoreId};
use rusqlite::{Connection, OptionalExtension, params};
use sale::{BusinessDay, Event, Receipt};
use wire::{HQ_BATCH_ENTRIES_MAX, HqBatch, HqEntry};

use super::read::{day_total, lane_hash};
use crate::HqError;

/// The largest number that SQLite holds.
pub const NUMBER_MAX: u64 = i64::MAX as u64;

/// Checks what every store's release keeps: entries in the store's order without a gap.
pub fn check(batch: &HqBatch) -> Result<(), HqError> {
    let bad = |reason: String| Err(HqError::BadBatch(reason));
    if batch.entries.len() > HQ_BATCH_ENTRIES_MAX {
        return bad(format!(
            "it has {} entries, more than {HQ_BATCH_ENTRIES_MAX}",
            batch.entries.len()
        ));
    }
    for pair in batch.entries.windows(2) {
        if pair[0].global.checked_add(1) != Some(pair[1].global) {
            return bad(format!(
                "entry {} comes right behind entry {}",
                pair[1].global, pair[0].global
            ));
        }
    }
    match (batch.entries.first(), batch.entries.last()) {
        (Some(first), _) if first.global == 0 => bad("entries are numbered from 1".to_owned()),
        (_, Some(last)) if last.global > NUMBER_MAX => {
            bad(format!("no store has {} entries", last.global))
        }
        _ => Ok(()),
    }
}

/// The newest epoch in which the store was heard of; `None` if it never was.
pub fn epoch(connection: &Connection, store: StoreId) -> rusqlite::Result<Option<Epoch>> {
    connection
        .prepare_cached("SELECT epoch, epoch_mark FROM store WHERE store = ?1")?
        .query_row(params![store.0], |row| {
            Ok(Epoch {
                number: row.get(0)?,
                mark: row.get(1)?,
            })
        })
        .optional()
}

/// Whether who ships in `epoch` was left behind when the store went on in the one that is known.
/// Both count from numbers of their own by then. Of two recoveries of one epoch the one that head
/// office heard of first goes on.
pub fn is_left_behind(epoch: Epoch, known: Epoch) -> bool {
    epoch.number < known.number || (epoch.number == known.number && epoch.mark != known.mark)
}

/// Takes a batch inside a transaction and gives the cursor after it.
pub fn take(connection: &Connection, batch: &HqBatch, heard_ms: u64) -> rusqlite::Result<u64> {
    let (store, cursor) = hear_from(connection, batch, heard_ms)?;
    if batch.entries.first().is_some_and(|e| e.global > cursor + 1) {
        return Ok(cursor);
    }
    let mut taking = Taking {
        connection,
        store,
        store_id: batch.store,
        lanes: BTreeMap::new(),
        totals: BTreeMap::new(),
    };
    for lane in &batch.lanes {
        taking.name_lane(lane.lane, lane.number, &lane.name)?;
    }
    for entry in &batch.entries {
        taking.entry(entry)?;
    }
    taking.finish()?;
    let last = batch.entries.last().map_or(0, |e| e.global);
    let cursor = cursor.max(last);
    connection
        .prepare_cached("UPDATE store SET cursor = ?2 WHERE id = ?1")?
        .execute(params![store, cursor])?;
    Ok(cursor)
}

/// Notes that the store was heard of; gives its row and its cursor.
fn hear_from(
    connection: &Connection,
    batch: &HqBatch,
    heard_ms: u64,
) -> rusqlite::Result<(i64, u64)> {
    connection
        .prepare_cached(
            "INSERT INTO store (store, name, cursor, heard_ms, epoch, epoch_mark)
             VALUES (?1, ?2, 0, ?3, ?4, ?5)
             ON CONFLICT (store) DO UPDATE
             SET name = ?2, heard_ms = ?3, epoch = ?4, epoch_mark = ?5
             RETURNING id, cursor",
        )?
        .query_row(
            params![
                batch.store.0,
                batch.store_name,
                heard_ms.min(NUMBER_MAX),
                batch.epoch.number,
                batch.epoch.mark
            ],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
}

/// A lane's row, and the end of its chain as far as this batch has come.
struct Lane {
    row: i64,
    head: Head,
}

struct Taking<'a> {
    connection: &'a Connection,
    store: i64,
    store_id: StoreId,
    lanes: BTreeMap<LaneId, Lane>,
    totals: BTreeMap<(i64, BusinessDay), DayTotal>,
}

impl Taking<'_> {
    fn name_lane(&mut self, lane: LaneId, number: u32, name: &str) -> rusqlite::Result<()> {
        self.connection
            .prepare_cached(
                "INSERT INTO lane (store, lane, number, name, next_seq, hash)
                 VALUES (?1, ?2, ?3, ?4, 1, ?5)
                 ON CONFLICT (store, lane) DO UPDATE SET number = ?3, name = ?4",
            )?
            .execute(params![
                self.store,
                lane.0,
                number,
                name,
                EntryHash::GENESIS.0
            ])?;
        Ok(())
    }

    fn lane(&mut self, lane: LaneId) -> rusqlite::Result<&mut Lane> {
        if !self.lanes.contains_key(&lane) {
            let found = self.stored_lane(lane)?;
            let found = match found {
                Some(found) => found,
                None => {
                    self.name_lane(lane, 0, "")?;
                    self.stored_lane(lane)?
                        .ok_or(rusqlite::Error::QueryReturnedNoRows)?
                }
            };
            self.lanes.insert(lane, found);
        }
        self.lanes
            .get_mut(&lane)
            .ok_or(rusqlite::Error::QueryReturnedNoRows)
    }

    fn stored_lane(&self, lane: LaneId) -> rusqlite::Result<Option<Lane>> {
        self.connection
            .prepare_cached("SELECT id, next_seq, hash FROM lane WHERE store = ?1 AND lane = ?2")?
            .query_row(params![self.store, lane.0], |row| {
                Ok(Lane {
                    row: row.get(0)?,
                    head: Head {
                        next_seq: row.get(1)?,
                        hash: lane_hash(row, 2)?,
                    },
                })
            })
            .optional()
    }

    fn entry(&mut self, sent: &HqEntry) -> rusqlite::Result<()> {
        let store = self.store_id;
        let entry = &sent.entry;
        let lane = self.lane(entry.lane)?;
        let row = lane.row;
        if entry.seq < lane.head.next_seq {
            return self.known_entry(row, sent);
        }
        match entry.check_follows(store, &lane.head) {
            Err(error) => self.set_aside(row, sent, &error.to_string(), false),
            Ok(head) => {
                lane.head = head;
                if !planted::every(60, "hq-forgets-an-entry") {
                    self.hold(row, sent, head.hash)?;
                }
                self.count(row, sent)
            }
        }
    }

    fn known_entry(&mut self, lane: i64, sent: &HqEntry) -> rusqlite::Result<()> {
        let held: Option<[u8; 32]> = self
            .connection
            .prepare_cached("SELECT hash FROM entry WHERE lane = ?1 AND seq = ?2")?
            .query_row(params![lane, sent.entry.seq], |row| row.get(0))
            .optional()?;
        if held == Some(sent.entry.hash().0) {
            if planted::is("hq-counts-again") {
                return self.count(lane, sent);
            }
            return Ok(());
        }
        let reason = "another entry of the same number is held";
        self.set_aside(lane, sent, reason, false)
    }

    fn hold(&self, lane: i64, sent: &HqEntry, hash: EntryHash) -> rusqlite::Result<()> {
        self.connection
            .prepare_cached(
                "INSERT INTO entry (lane, seq, global, hash, bytes) VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute(params![
                lane,
                sent.entry.seq,
                sent.global,
                hash.0,
                sent.entry.bytes
            ])?;
        Ok(())
    }

    fn count(&mut self, lane: i64, sent: &HqEntry) -> rusqlite::Result<()> {
        let receipt = match receipt(&sent.entry) {
            Ok(Some(receipt)) => receipt,
            Ok(None) => return Ok(()),
            Err(reason) => return self.set_aside(lane, sent, &reason, true),
        };
        let total = match self.totals.entry((lane, receipt.day.clone())) {
            btree_map::Entry::Occupied(known) => known.into_mut(),
            btree_map::Entry::Vacant(new) => {
                let stored = day_total(self.connection, lane, &receipt.day)?;
                let zero = || DayTotal::zero(receipt.totals.total.currency());
                new.insert(stored.unwrap_or_else(zero))
            }
        };
        match total.add_receipt(&receipt) {
            Ok(()) => Ok(()),
            Err(error) => {
                let reason = format!("receipt {} is not in the totals: {error}", receipt.id);
                self.set_aside(lane, sent, &reason, true)
            }
        }
    }

    fn set_aside(
        &self,
        lane: i64,
        sent: &HqEntry,
        reason: &str,
        held: bool,
    ) -> rusqlite::Result<()> {
        tracing::warn!(
            "set aside {:?} of store {}: {reason}",
            sent.entry,
            self.store_id
        );
        self.connection
            .prepare_cached(
                "INSERT INTO set_aside (lane, seq, global, hash, reason, held, bytes)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
                 ON CONFLICT (lane, seq, hash) DO NOTHING",
            )?
            .execute(params![
                lane,
                sent.entry.seq.min(NUMBER_MAX),
                sent.global,
                sent.entry.hash().0,
                reason,
                held,
                sent.entry.bytes
            ])?;
        Ok(())
    }

    fn finish(self) -> rusqlite::Result<()> {
        for lane in self.lanes.values() {
            self.connection
                .prepare_cached("UPDATE lane SET next_seq = ?2, hash = ?3 WHERE id = ?1")?
                .execute(params![lane.row, lane.head.next_seq, lane.head.hash.0])?;
        }
        for ((lane, day), total) in &self.totals {
            let total = cbor4ii::serde::to_vec(Vec::new(), total)
                .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
            self.connection
                .prepare_cached(
                    "INSERT INTO total (lane, day, total) VALUES (?1, ?2, ?3)
                     ON CONFLICT (lane, day) DO UPDATE SET total = ?3",
                )?
                .execute(params![lane, day.0, total])?;
        }
        Ok(())
    }
}

/// The receipt in an entry, if it is one's. Fails with why the entry cannot be read.
fn receipt(entry: &Entry) -> Result<Option<Box<Receipt>>, String> {
    let body = entry.body().map_err(|error| error.to_string())?;
    Ok(match body.fact {
        Fact::Register {
            event: Event::Completed { receipt, .. },
            ..
        } => Some(receipt),
        Fact::Register { .. }
        | Fact::LaneStarted { .. }
        | Fact::LaneClosed
        | Fact::SellingResumed { .. }
        | Fact::CarriedOver { .. } => None,
    })
}
