//! Snapshots of the state: whole copies as of one applied index, kept, sent and received.
//!
//! Invariant: a snapshot counts only once it is adopted: its seal is written down, and only after
//! all its rows are durable. The newest one adopted is kept; the Raft log may be purged up to it,
//! because a lost or damaged state is rebuilt from it.
//!
//! A snapshot travels as rows in key order, in chunks that name the row they begin after: a broken
//! transfer goes on where it stopped, and a release may change how SQLite lays out its pages.

use std::ops::ControlFlow;
#[cfg(test)]
use std::path::Path;
use std::sync::{Arc, Mutex};

use providers::{SharedDisk, SqliteLocation};
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, params};

use crate::database::{connect, is_damage, not_durable};
use crate::journal::lock;
use crate::state::{self, PRIVATE, ROWS, STATE, Vouch};
use crate::sums::{Sums, sum_of};
use crate::{StateReader, StorageError};

/// Snapshots at one time: the newest, the one before it while it is still being sent, one being
/// built and one being received.
const SLOTS: [&str; 4] = [
    "snapshot-0.db",
    "snapshot-1.db",
    "snapshot-2.db",
    "snapshot-3.db",
];
/// The bytes of rows after which a chunk ends. One row more may exceed it.
pub const SNAPSHOT_CHUNK_BYTES: usize = 256 * 1024;
/// What a snapshot holds, to be checked after transfer: BLAKE3 over its rows as they travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct SnapshotSeal {
    pub applied_index: u64,
    pub rows: u64,
    pub hash: [u8; 32],
}

/// A row's place in a state or a snapshot: table number and key.
pub type RowKey = (u8, Vec<u8>);

/// The lane's snapshots. Clones share them.
#[derive(Clone)]
pub struct Snapshots(Arc<Shared>);

struct Shared {
    disk: SharedDisk,
    slots: [Arc<Slot>; SLOTS.len()],
    current: Mutex<Option<SnapshotFile>>,
}

/// A place for one snapshot. It is in use while anyone holds it beside [`Shared::slots`].
struct Slot {
    file: &'static str,
    location: SqliteLocation,
}

impl Slot {
    fn bad(&self, reason: impl ToString) -> StorageError {
        StorageError::BadSnapshot {
            file: self.file.to_owned(),
            reason: reason.to_string(),
        }
    }

    /// A snapshot that could not be written: the disk does not take it, or it cannot be used.
    fn unwritten(&self, error: &rusqlite::Error) -> StorageError {
        match not_durable(&self.location, self.file, error) {
            refused @ StorageError::NotDurable { may_pass: true, .. } => refused,
            _ => self.bad(error),
        }
    }

    fn open(&self, flags: OpenFlags) -> rusqlite::Result<Connection> {
        connect(&self.location, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)
    }
}

impl Snapshots {
    /// Finds the newest adopted snapshot in a lane's folder. What was never adopted is left over
    /// from an interrupted build or transfer, and its place is used again; a damaged one is set
    /// aside.
    pub fn open(disk: SharedDisk) -> Result<Snapshots, StorageError> {
        let slots = SLOTS.map(|file| {
            Arc::new(Slot {
                file,
                location: disk.sqlite(file),
            })
        });
        let mut current: Option<SnapshotFile> = None;
        for slot in &slots {
            let newest = current.as_ref().map(|file| file.seal.applied_index);
            if let Some(seal) = stored_seal(&disk, slot)?
                && newest < Some(seal.applied_index)
            {
                let slot = slot.clone();
                current = Some(SnapshotFile { slot, seal });
            }
        }
        Ok(Snapshots(Arc::new(Shared {
            disk,
            slots,
            current: Mutex::new(current),
        })))
    }

    /// The newest snapshot adopted.
    pub fn current(&self) -> Option<SnapshotFile> {
        lock(&self.0.current).clone()
    }

    /// Copies the state as it is now into a snapshot, while it stays in use, and adopts it. Blocks
    /// until the copy is durable.
    pub fn build(&self, state: &StateReader) -> Result<SnapshotFile, StorageError> {
        let slot = self.take_slot()?;
        let source = state.database().connect()?;
        let path = slot.location.path.to_string_lossy().into_owned();
        source
            .execute("VACUUM INTO ?1", [path])
            .map_err(|error| state.database().error("copy", &error))?;
        let connection = slot
            .open(OpenFlags::SQLITE_OPEN_READ_WRITE)
            .map_err(|error| slot.bad(error))?;
        // The copy has the sums of the state's rows: one that has changed goes no further.
        let seal = computed_seal(&connection).map_err(|error| match is_damage(&error) {
            true => state.database().damaged(error.to_string()),
            false => slot.bad(error),
        })?;
        make_durable(&connection).map_err(|error| slot.unwritten(&error))?;
        let file = SnapshotFile { slot, seal };
        self.adopt(&file)?;
        Ok(file)
    }

    /// Begins to receive a snapshot.
    pub fn receive(&self) -> Result<SnapshotIncoming, StorageError> {
        let slot = self.take_slot()?;
        let begin = || -> rusqlite::Result<Connection> {
            let connection =
                slot.open(OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE)?;
            // Until it is sealed a snapshot is worth nothing, so nothing waits for the disk.
            connection.execute_batch(&format!(
                "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; {};
                 PRAGMA application_id = {}; PRAGMA user_version = {}",
                STATE.schema, STATE.application_id, STATE.schema_version
            ))?;
            Ok(connection)
        };
        let connection = begin().map_err(|error| slot.bad(error))?;
        Ok(SnapshotIncoming {
            slot,
            connection,
            digest: Digest::default(),
            last: None,
        })
    }

    /// Writes the seal down durably, and keeps this snapshot if none is newer. Adopting it again
    /// changes nothing.
    pub fn adopt(&self, file: &SnapshotFile) -> Result<(), StorageError> {
        let write = || -> rusqlite::Result<()> {
            let connection = file.slot.open(OpenFlags::SQLITE_OPEN_READ_WRITE)?;
            if read_seal(&connection)?.is_some() {
                return Ok(());
            }
            connection.execute_batch("PRAGMA synchronous = EXTRA")?;
            let SnapshotSeal {
                applied_index,
                rows,
                hash,
            } = file.seal;
            connection
                .execute(
                    "INSERT INTO seal (applied_index, rows, hash) VALUES (?1, ?2, ?3)",
                    params![applied_index, rows, &hash[..]],
                )
                .map(|_| ())
        };
        write().map_err(|error| file.slot.unwritten(&error))?;
        let mut current = lock(&self.0.current);
        let newest = current.as_ref().map(|kept| kept.seal.applied_index);
        if newest <= Some(file.seal.applied_index) {
            *current = Some(file.clone());
        }
        Ok(())
    }

    /// A place that is neither the newest snapshot's nor in use, emptied.
    fn take_slot(&self) -> Result<Arc<Slot>, StorageError> {
        let free = {
            // Counted and taken under the lock, so that two takers cannot find the same one.
            let _current = lock(&self.0.current);
            let mut slots = self.0.slots.iter();
            slots.find(|slot| Arc::strong_count(slot) == 1).cloned()
        };
        let slot = free.ok_or_else(|| StorageError::Io {
            action: "make",
            file: "a snapshot".to_owned(),
            reason: "too many are being sent or received".to_owned(),
        })?;
        for suffix in ["-journal", "-wal", "-shm", ""] {
            self.0.disk.remove(&format!("{}{suffix}", slot.file))?;
        }
        Ok(slot)
    }
}

/// A whole snapshot. Its file is kept while this or a clone lives.
#[derive(Clone)]
pub struct SnapshotFile {
    slot: Arc<Slot>,
    seal: SnapshotSeal,
}

impl SnapshotFile {
    pub fn seal(&self) -> SnapshotSeal {
        self.seal
    }

    /// A private value of the state at that moment, see `StateTransaction::set_private`.
    pub fn private(&self, name: &str) -> Result<Option<Vec<u8>>, StorageError> {
        let connection = self.connect()?;
        Sums::of(&connection, ROWS)
            .and_then(|sums| {
                state::get(
                    &connection,
                    sums,
                    Vouch::BothSides,
                    PRIVATE,
                    name.as_bytes(),
                )
            })
            .map_err(|error| self.slot.bad(error))
    }

    /// Opens the snapshot for sending.
    pub fn rows(&self) -> Result<SnapshotRows, StorageError> {
        Ok(SnapshotRows {
            connection: self.connect()?,
            file: self.clone(),
        })
    }

    /// Checks every row against the seal.
    pub fn verify(&self) -> Result<(), StorageError> {
        match computed_seal(&self.connect()?) {
            Ok(seal) if seal == self.seal => Ok(()),
            Ok(_) => Err(self.not_as_sealed()),
            Err(error) => Err(self.slot.bad(error)),
        }
    }

    fn not_as_sealed(&self) -> StorageError {
        self.slot.bad("its rows are not those it was sealed with")
    }

    /// Hands every row to `copy`; an error in the end if they are not those it was sealed with.
    pub(crate) fn copy_rows(
        &self,
        mut copy: impl FnMut(u8, &[u8], &[u8]) -> Result<(), StorageError>,
    ) -> Result<(), StorageError> {
        /// Which side failed.
        enum Failed {
            Reading(rusqlite::Error),
            Copying(StorageError),
        }
        impl From<rusqlite::Error> for Failed {
            fn from(error: rusqlite::Error) -> Failed {
                Failed::Reading(error)
            }
        }
        let mut digest = Digest::default();
        let copied = state::for_each_row(&self.connect()?, None, |table, key, value| {
            digest.add(table, key, value);
            copy(table, key, value).map_err(Failed::Copying)?;
            Ok(ControlFlow::Continue(()))
        });
        match copied {
            Ok(()) if digest.seal() == self.seal => Ok(()),
            Ok(()) => Err(self.not_as_sealed()),
            Err(Failed::Reading(error)) => Err(self.slot.bad(error)),
            Err(Failed::Copying(error)) => Err(error),
        }
    }

    #[cfg(test)]
    pub(crate) fn path(&self) -> &Path {
        &self.slot.location.path
    }

    fn connect(&self) -> Result<Connection, StorageError> {
        self.slot
            .open(OpenFlags::SQLITE_OPEN_READ_ONLY)
            .map_err(|error| self.slot.bad(error))
    }
}

/// Rows of a snapshot as they travel.
pub struct SnapshotChunk {
    pub bytes: Vec<u8>,
    /// The chunk's last row: the next chunk begins after it. `None` in the chunk behind the last
    /// row, which is empty.
    pub last: Option<RowKey>,
}

/// A snapshot being sent.
pub struct SnapshotRows {
    connection: Connection,
    file: SnapshotFile,
}

impl SnapshotRows {
    /// The chunk that begins after the row `after`, from the first row with `None`.
    pub fn chunk(&self, after: Option<&RowKey>) -> Result<SnapshotChunk, StorageError> {
        let mut chunk = SnapshotChunk {
            bytes: Vec::with_capacity(SNAPSHOT_CHUNK_BYTES),
            last: None,
        };
        let after = after.map(|(table, key)| (*table, key.as_slice()));
        state::for_each_row(&self.connection, after, |table, key, value| {
            write_row(&mut chunk.bytes, table, key, value);
            let last = chunk.last.get_or_insert_default();
            last.0 = table;
            last.1.clear();
            last.1.extend_from_slice(key);
            Ok(match chunk.bytes.len() < SNAPSHOT_CHUNK_BYTES {
                true => ControlFlow::Continue(()),
                false => ControlFlow::Break(()),
            })
        })
        .map_err(|error: rusqlite::Error| self.file.slot.bad(error))?;
        Ok(chunk)
    }
}

/// A snapshot being received.
pub struct SnapshotIncoming {
    slot: Arc<Slot>,
    connection: Connection,
    digest: Digest,
    last: Option<RowKey>,
}

impl SnapshotIncoming {
    /// The last row received: the sender goes on after it.
    pub fn last(&self) -> Option<&RowKey> {
        self.last.as_ref()
    }

    /// Takes the chunk that follows [`SnapshotIncoming::last`].
    pub fn append(&mut self, chunk: &[u8]) -> Result<(), StorageError> {
        let unreadable = || self.slot.bad("a chunk that was sent is unreadable");
        let insert = |rows: &[RawRow<'_>]| -> rusqlite::Result<()> {
            self.connection.execute_batch("BEGIN")?;
            let mut insert = self
                .connection
                .prepare_cached("INSERT INTO kv (tbl, key, value, sum) VALUES (?1, ?2, ?3, ?4)")?;
            for row in rows {
                let sum = sum_of(row.table, row.key, row.value);
                insert.execute(params![row.table, row.key, row.value, sum])?;
            }
            self.connection.execute_batch("COMMIT")
        };
        let rows = read_rows(chunk).ok_or_else(unreadable)?;
        insert(&rows).map_err(|error| self.slot.bad(error))?;
        for row in &rows {
            self.digest.add(row.table, row.key, row.value);
        }
        if let Some(row) = rows.last() {
            self.last = Some((row.table, row.key.to_vec()));
        }
        Ok(())
    }

    /// Checks what was received against the sender's seal and makes it durable. It counts once it
    /// is adopted.
    pub fn finish(self, expected: &SnapshotSeal) -> Result<SnapshotFile, StorageError> {
        let seal = self.digest.seal();
        if seal != *expected {
            return Err(self.slot.bad("it is not what its sender sealed"));
        }
        make_durable(&self.connection).map_err(|error| self.slot.bad(error))?;
        Ok(SnapshotFile {
            slot: self.slot,
            seal,
        })
    }
}

/// Makes all rows durable, and a place for the seal; EXTRA, so that the removal of the rollback
/// journal is durable, too, and nothing rolls back what was sealed.
fn make_durable(connection: &Connection) -> rusqlite::Result<()> {
    // A commit syncs the whole file, also what was written before without syncing.
    connection.execute_batch(
        "PRAGMA synchronous = EXTRA; PRAGMA journal_mode = DELETE;
         CREATE TABLE seal (applied_index INTEGER, rows INTEGER, hash BLOB)",
    )
}

struct RawRow<'a> {
    table: u8,
    key: &'a [u8],
    value: &'a [u8],
}

/// A row as it travels: table number, length of key and of value (u32, big-endian), key, value.
fn write_row(bytes: &mut Vec<u8>, table: u8, key: &[u8], value: &[u8]) {
    bytes.extend_from_slice(&row_header(table, key, value));
    bytes.extend_from_slice(key);
    bytes.extend_from_slice(value);
}

fn row_header(table: u8, key: &[u8], value: &[u8]) -> [u8; 9] {
    // SQLite keeps no value over 1 GB, so the lengths fit.
    let [k0, k1, k2, k3] = (key.len() as u32).to_be_bytes();
    let [v0, v1, v2, v3] = (value.len() as u32).to_be_bytes();
    [table, k0, k1, k2, k3, v0, v1, v2, v3]
}

/// Reads what [`write_row`] wrote; `None` when it is anything else.
fn read_rows(mut bytes: &[u8]) -> Option<Vec<RawRow<'_>>> {
    let mut rows = Vec::new();
    while !bytes.is_empty() {
        let (header, rest) = bytes.split_first_chunk::<9>()?;
        let [table, k0, k1, k2, k3, v0, v1, v2, v3] = *header;
        let key_bytes = u32::from_be_bytes([k0, k1, k2, k3]) as usize;
        let value_bytes = u32::from_be_bytes([v0, v1, v2, v3]) as usize;
        let (key, rest) = rest.split_at_checked(key_bytes)?;
        let (value, rest) = rest.split_at_checked(value_bytes)?;
        rows.push(RawRow { table, key, value });
        bytes = rest;
    }
    Some(rows)
}

/// BLAKE3 over rows as they travel, with what else a seal holds.
#[derive(Default)]
struct Digest {
    hasher: blake3::Hasher,
    rows: u64,
    applied_index: u64,
}

impl Digest {
    fn add(&mut self, table: u8, key: &[u8], value: &[u8]) {
        self.hasher.update(&row_header(table, key, value));
        self.hasher.update(key);
        self.hasher.update(value);
        self.rows += 1;
        if let Some(index) = state::applied_index_in(table, key, value) {
            self.applied_index = index;
        }
    }

    fn seal(&self) -> SnapshotSeal {
        SnapshotSeal {
            applied_index: self.applied_index,
            rows: self.rows,
            hash: *self.hasher.finalize().as_bytes(),
        }
    }
}

fn computed_seal(connection: &Connection) -> rusqlite::Result<SnapshotSeal> {
    let mut digest = Digest::default();
    state::for_each_row(connection, None, |table, key, value| {
        digest.add(table, key, value);
        Ok::<_, rusqlite::Error>(ControlFlow::Continue(()))
    })?;
    Ok(digest.seal())
}

/// The seal that was written down; `None` when there is none.
fn read_seal(connection: &Connection) -> rusqlite::Result<Option<SnapshotSeal>> {
    let has_table: bool = connection.query_row(
        "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'seal')",
        [],
        |row| row.get(0),
    )?;
    if !has_table {
        return Ok(None);
    }
    connection
        .query_row("SELECT applied_index, rows, hash FROM seal", [], |row| {
            Ok(SnapshotSeal {
                applied_index: row.get(0)?,
                rows: row.get(1)?,
                hash: row.get(2)?,
            })
        })
        .optional()
}

/// The seal in a slot's file; `None` when there is no file or it was never adopted.
fn stored_seal(disk: &SharedDisk, slot: &Slot) -> Result<Option<SnapshotSeal>, StorageError> {
    let read = || read_seal(&slot.open(OpenFlags::SQLITE_OPEN_READ_WRITE)?);
    match read() {
        Ok(seal) => Ok(seal),
        Err(error) if is_damage(&error) => {
            let moved_to = disk.set_aside(slot.file)?;
            tracing::warn!("{} was damaged and is kept as {moved_to}", slot.file);
            Ok(None)
        }
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::CannotOpen) => Ok(None),
        Err(error) => Err(slot.bad(error)),
    }
}
