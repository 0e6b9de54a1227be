//! The replicated state as ordered tables of bytes, and the hash over all of it.
//!
//! The ledger's rules read and write through [`Tables`]; storage keeps them in SQLite, tests in a
//! `BTreeMap`. Every write goes through [`Hashed`], which keeps a running hash of the whole state:
//! two lanes at the same applied index have the same hash, or one of them is wrong.

use std::collections::BTreeMap;
use std::fmt;

/// Why a table could not be read or written. Never the fault of a command.
#[derive(Debug, thiserror::Error)]
#[error("the store's state cannot be {action}: {reason}")]
pub struct TableError {
    pub action: &'static str,
    pub reason: String,
}

/// The tables of the replicated state. The numbers are part of the snapshot format: never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Table {
    /// Single values: store, counters, state hash.
    Meta = 1,
    /// Every applied journal entry, by global sequence (big-endian u64).
    Entry = 2,
    /// Lanes by id.
    Lane = 3,
    Item = 4,
    /// Code key → item id.
    Code = 5,
    Department = 6,
    Tax = 7,
    Employee = 8,
    Customer = 9,
    /// Promotion files by book version (big-endian u64).
    Promotions = 10,
    Settings = 11,
    /// Stock by item id, in thousandths of the item's unit.
    Stock = 12,
    /// Totals by business day and lane.
    Total = 13,
    /// What no rule settled, by number (big-endian u64).
    Exception = 14,
    /// Open and used invitations.
    Invitation = 15,
    /// State hash by applied index (big-endian u64), the last `HASHES_KEPT`. Not itself hashed.
    HashAt = 16,
    /// Recalled goods by item id.
    Recall = 17,
    /// Suspended sales by slip.
    Suspended = 18,
    /// Sums of reports by business day and lane.
    Tally = 19,
    /// Where each lane stands in its business days, by lane.
    LaneDay = 20,
    /// Receipts by their number: where they are, and what was returned of them.
    Receipt = 21,
    /// What credit notes hold, in minor units, by number, and gift cards, by [`sale::gift_card_key`].
    Credit = 22,
    /// Receipts on which coupons that can be used once were used, by coupon.
    Coupon = 23,
    /// What customers bought, by customer.
    History = 24,
    /// Pieces that customers bought of items, by customer and item.
    Bought = 25,
    /// How often promotions were given that are given only so often, by promotion, and by promotion and
    /// customer.
    Given = 26,
    /// What is noted of customers besides what is known of them, by customer: when it was said, for whom
    /// their number stands, that they were erased.
    CustomerNotes = 27,
    /// What was given back without a receipt, in minor units, by business day and person.
    Unreceipted = 30,
}

impl Table {
    pub const ALL: [Table; 28] = [
        Table::Meta,
        Table::Entry,
        Table::Lane,
        Table::Item,
        Table::Code,
        Table::Department,
        Table::Tax,
        Table::Employee,
        Table::Customer,
        Table::Promotions,
        Table::Settings,
        Table::Stock,
        Table::Total,
        Table::Exception,
        Table::Invitation,
        Table::HashAt,
        Table::Recall,
        Table::Suspended,
        Table::Tally,
        Table::LaneDay,
        Table::Receipt,
        Table::Credit,
        Table::Coupon,
        Table::History,
        Table::Bought,
        Table::Given,
        Table::CustomerNotes,
        Table::Unreceipted,
    ];
}

/// One row of a table: key and value.
pub type Row = (Vec<u8>, Vec<u8>);

/// Ordered tables of bytes.
pub trait Tables {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, TableError>;
    /// Writes a value, or removes the key with `None`.
    fn set(&mut self, table: Table, key: &[u8], value: Option<&[u8]>) -> Result<(), TableError>;
    /// Rows with a key ≥ `from`, in key order, at most `limit`.
    fn scan(&self, table: Table, from: &[u8], limit: usize) -> Result<Vec<Row>, TableError>;
}

/// Tables in memory, for tests and tools.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MemoryTables(BTreeMap<(Table, Vec<u8>), Vec<u8>>);

impl Tables for MemoryTables {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, TableError> {
        Ok(self.0.get(&(table, key.to_vec())).cloned())
    }

    fn set(&mut self, table: Table, key: &[u8], value: Option<&[u8]>) -> Result<(), TableError> {
        match value {
            Some(value) => self.0.insert((table, key.to_vec()), value.to_vec()),
            None => self.0.remove(&(table, key.to_vec())),
        };
        Ok(())
    }

    fn scan(&self, table: Table, from: &[u8], limit: usize) -> Result<Vec<Row>, TableError> {
        Ok(self
            .0
            .range((table, from.to_vec())..)
            .take_while(|((t, _), _)| *t == table)
            .take(limit)
            .map(|((_, key), value)| (key.clone(), value.clone()))
            .collect())
    }
}

/// Tables with changes over them that are not written.
pub(crate) struct Over<'a> {
    below: &'a dyn Tables,
    changed: BTreeMap<(Table, Vec<u8>), Option<Vec<u8>>>,
}

impl<'a> Over<'a> {
    pub fn new(below: &'a dyn Tables) -> Over<'a> {
        Over {
            below,
            changed: BTreeMap::new(),
        }
    }
}

impl Tables for Over<'_> {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, TableError> {
        match self.changed.get(&(table, key.to_vec())) {
            Some(changed) => Ok(changed.clone()),
            None => self.below.get(table, key),
        }
    }

    fn set(&mut self, table: Table, key: &[u8], value: Option<&[u8]>) -> Result<(), TableError> {
        let value = value.map(<[u8]>::to_vec);
        self.changed.insert((table, key.to_vec()), value);
        Ok(())
    }

    fn scan(&self, table: Table, from: &[u8], limit: usize) -> Result<Vec<Row>, TableError> {
        let changed = self.changed.range((table, from.to_vec())..);
        let changed = changed.take_while(|((t, _), _)| *t == table);
        let gone = changed.clone().filter(|(_, value)| value.is_none()).count();
        let below = self.below.scan(table, from, limit.saturating_add(gone))?;
        let mut rows: BTreeMap<Vec<u8>, Vec<u8>> = below.into_iter().collect();
        for ((_, key), value) in changed {
            match value {
                Some(value) => rows.insert(key.clone(), value.clone()),
                None => rows.remove(key),
            };
        }
        Ok(rows.into_iter().take(limit).collect())
    }
}

/// A hash over a set of rows that does not depend on the order in which they were written: the
/// sum, modulo 2^64 in each of four words, of the BLAKE3 hashes of the rows.
///
/// It finds lanes that have drifted apart. It is no defence against someone who forges rows on
/// purpose: that is what the lanes' hash chains are for.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct StateHash([u64; 4]);

impl StateHash {
    fn of_row(table: Table, key: &[u8], value: &[u8]) -> StateHash {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&[table as u8]);
        hasher.update(&(key.len() as u64).to_be_bytes());
        hasher.update(key);
        hasher.update(value);
        StateHash::from_bytes(hasher.finalize().as_bytes())
    }

    pub fn add_row(&mut self, table: Table, key: &[u8], value: &[u8]) {
        let row = StateHash::of_row(table, key, value);
        for (word, other) in self.0.iter_mut().zip(row.0) {
            *word = word.wrapping_add(other);
        }
    }

    pub fn remove_row(&mut self, table: Table, key: &[u8], value: &[u8]) {
        let row = StateHash::of_row(table, key, value);
        for (word, other) in self.0.iter_mut().zip(row.0) {
            *word = word.wrapping_sub(other);
        }
    }

    pub fn to_bytes(self) -> [u8; 32] {
        let mut bytes = [0; 32];
        for (chunk, word) in bytes.chunks_exact_mut(8).zip(self.0) {
            chunk.copy_from_slice(&word.to_be_bytes());
        }
        bytes
    }

    pub fn from_bytes(bytes: &[u8; 32]) -> StateHash {
        let mut words = [0; 4];
        for (word, chunk) in words.iter_mut().zip(bytes.chunks_exact(8)) {
            *word = u64::from_be_bytes(chunk.try_into().expect("chunks of eight"));
        }
        StateHash(words)
    }
}

impl fmt::Display for StateHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|word| write!(f, "{word:016x}"))
    }
}

impl fmt::Debug for StateHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Where the running hash is kept. Left out of the hash itself, like the table of past hashes.
const HASH_KEY: &[u8] = b"state-hash";

/// Whether a row counts towards the state hash.
fn is_hashed(table: Table, key: &[u8]) -> bool {
    table != Table::HashAt && !(table == Table::Meta && key == HASH_KEY)
}

/// How many applied indexes back a state hash can still be asked for.
pub const HASHES_KEPT: u64 = 4096;

/// Tables that keep the state hash as they are written.
pub struct Hashed<'a> {
    inner: &'a mut dyn Tables,
    hash: StateHash,
}

impl<'a> Hashed<'a> {
    pub fn new(inner: &'a mut dyn Tables) -> Result<Hashed<'a>, TableError> {
        let hash = stored_hash(inner)?;
        Ok(Hashed { inner, hash })
    }

    /// Writes the hash down as the state's hash at `index`, and forgets the oldest one kept.
    pub fn seal(self, index: u64) -> Result<StateHash, TableError> {
        let bytes = self.hash.to_bytes();
        self.inner.set(Table::Meta, HASH_KEY, Some(&bytes))?;
        self.inner
            .set(Table::HashAt, &index.to_be_bytes(), Some(&bytes))?;
        if let Some(old) = index.checked_sub(HASHES_KEPT) {
            self.inner.set(Table::HashAt, &old.to_be_bytes(), None)?;
        }
        Ok(self.hash)
    }
}

impl Tables for Hashed<'_> {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, TableError> {
        self.inner.get(table, key)
    }

    fn set(&mut self, table: Table, key: &[u8], value: Option<&[u8]>) -> Result<(), TableError> {
        if is_hashed(table, key) && !planted::every(50, "row-not-hashed") {
            if let Some(old) = self.inner.get(table, key)? {
                self.hash.remove_row(table, key, &old);
            }
            if let Some(new) = value {
                self.hash.add_row(table, key, new);
            }
        }
        self.inner.set(table, key, value)
    }

    fn scan(&self, table: Table, from: &[u8], limit: usize) -> Result<Vec<Row>, TableError> {
        self.inner.scan(table, from, limit)
    }
}

/// The hash as it was written down by the last `seal`.
pub fn stored_hash(tables: &dyn Tables) -> Result<StateHash, TableError> {
    Ok(tables
        .get(Table::Meta, HASH_KEY)?
        .and_then(|bytes| <[u8; 32]>::try_from(bytes).ok())
        .map(|bytes| StateHash::from_bytes(&bytes))
        .unwrap_or_default())
}

/// The hashes kept, by applied index.
pub fn hashes_at(tables: &dyn Tables) -> Result<BTreeMap<u64, StateHash>, TableError> {
    let rows = tables.scan(Table::HashAt, &[], 2 * HASHES_KEPT as usize)?;
    Ok(rows
        .into_iter()
        .filter_map(|(key, value)| {
            let index = u64::from_be_bytes(key.try_into().ok()?);
            Some((index, StateHash::from_bytes(&value.try_into().ok()?)))
        })
        .collect())
}

/// The hash computed from every row, for verification.
pub fn computed_hash(tables: &dyn Tables) -> Result<StateHash, TableError> {
    const PAGE_ROWS: usize = 4096;
    let mut hash = StateHash::default();
    for table in Table::ALL {
        let mut from = Vec::new();
        loop {
            let rows = tables.scan(table, &from, PAGE_ROWS)?;
            for (key, value) in rows.iter().filter(|(key, _)| is_hashed(table, key)) {
                hash.add_row(table, key, value);
            }
            match rows.last() {
                Some((key, _)) if rows.len() == PAGE_ROWS => {
                    from = key.clone();
                    from.push(0);
                }
                _ => break,
            }
        }
    }
    Ok(hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_running_hash_is_the_computed_hash_in_any_order() {
        let write = |rows: &[(Table, &str, Option<&str>)]| {
            let mut tables = MemoryTables::default();
            let mut hashed = Hashed::new(&mut tables).unwrap();
            for (table, key, value) in rows {
                hashed
                    .set(*table, key.as_bytes(), value.map(str::as_bytes))
                    .unwrap();
            }
            let hash = hashed.seal(7).unwrap();
            assert_eq!(hash, computed_hash(&tables).unwrap());
            assert_eq!(hash, stored_hash(&tables).unwrap());
            assert_eq!(hashes_at(&tables).unwrap()[&7], hash);
            hash
        };
        let straight = write(&[
            (Table::Item, "a", Some("1")),
            (Table::Item, "b", Some("2")),
            (Table::Stock, "a", Some("1")),
        ]);
        let detour = write(&[
            (Table::Stock, "a", Some("1")),
            (Table::Item, "b", Some("x")),
            (Table::Item, "c", Some("gone")),
            (Table::Item, "a", Some("1")),
            (Table::Item, "c", None),
            (Table::Item, "b", Some("2")),
        ]);
        assert_eq!(straight, detour);
        let other = write(&[(Table::Item, "a", Some("1"))]);
        assert_ne!(straight, other);
    }
}
