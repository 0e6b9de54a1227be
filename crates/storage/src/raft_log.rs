//! The Raft log and vote on disk: numbered blobs and a few named values. What they mean is known to
//! consensus alone.
//!
//! Invariant: writes take effect in the order in which they were submitted, and a write is reported
//! done only when it and all before it are durable. A write that the disk does not take, because it is
//! full or fails, is made again until it does. After a write has failed for any other reason nothing
//! more is written, so that the log never has a hole; only opening it again goes on. A row is given out
//! as it was written, or not at all (see [`crate::sums`]).

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, Mutex};

use providers::SharedDisk;
use rusqlite::{Connection, OptionalExtension, Row, params};
use tokio::sync::mpsc;

use crate::database::{self, Checkpointer, DamageMet, Database, Durability, Kind, Limits};
use crate::journal::lock;
use crate::sums::{self, Sums, sum_of};
use crate::{Room, SetAside, StorageError};

/// Writes that may wait for the worker; more wait at the caller.
const QUEUE_WRITES_MAX: usize = 4096;
/// Writes that share one commit at most.
const GROUP_WRITES_MAX: usize = 512;
/// Entries removed by one commit while nothing else waits.
const PURGE_ENTRIES_MAX: u64 = 1000;

pub(crate) const RAFT_LOG: Kind = Kind {
    file: "raft.db",
    application_id: 0x4c4e_4d52, // LNMR
    schema_version: 2,
    schema: "CREATE TABLE log (
            idx INTEGER PRIMARY KEY, bytes BLOB NOT NULL, sum INTEGER NOT NULL
        );
        CREATE TABLE value (
            name TEXT PRIMARY KEY, bytes BLOB NOT NULL, sum INTEGER NOT NULL
        ) WITHOUT ROWID",
    upgrades: &["ALTER TABLE log ADD COLUMN sum INTEGER;
        ALTER TABLE value ADD COLUMN sum INTEGER"],
    durability: Durability::EachCommit,
    auto_checkpoint_pages: 0,
    cache_kib: 2048,
    verify: changed_row,
};

/// The numbers under which the sums know the two tables.
const ENTRIES: u8 = 1;
const VALUES: u8 = 2;

/// The value that holds the index up to which the log has been purged.
const PURGED_TO: &str = "purged-to";

/// One change of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RaftWrite {
    /// Appends entries: index and bytes, without a gap to those before.
    Append(Vec<(u64, Vec<u8>)>),
    /// Removes all entries from this index on.
    TruncateFrom(u64),
    /// Forgets all entries up to and with this index, and keeps a named value in the same step. The
    /// space is given back bit by bit.
    PurgeTo(u64, &'static str, Vec<u8>),
    /// Sets a named value.
    Set(&'static str, Vec<u8>),
    /// Sets a named value that need not be durable by itself: it is written with the next write.
    SetLazily(&'static str, Vec<u8>),
}

type Done = Box<dyn FnOnce(Result<(), StorageError>) + Send>;

/// A handle to the Raft log; clones share it. The worker ends with the last handle.
#[derive(Clone)]
pub struct RaftLogDb {
    writes: mpsc::Sender<(RaftWrite, Done)>,
    shared: Arc<Shared>,
}

struct Shared {
    database: Database,
    reader: Mutex<Connection>,
    sums: Sums,
}

impl RaftLogDb {
    /// Opens the Raft log in a lane's folder, or begins one. A damaged log is set aside, and the
    /// caller is told: a voter that has lost its vote must never vote again under its id.
    pub fn open(
        disk: SharedDisk,
        room: Room,
    ) -> Result<(RaftLogDb, Option<SetAside>), StorageError> {
        RaftLogDb::open_limited(disk, room, Limits::default())
    }

    pub(crate) fn open_limited(
        disk: SharedDisk,
        room: Room,
        limits: Limits,
    ) -> Result<(RaftLogDb, Option<SetAside>), StorageError> {
        let (database, connection, set_aside) = database::open(&disk, &RAFT_LOG, limits)?;
        let shared = Arc::new(Shared {
            reader: Mutex::new(database.connect_reader()?),
            database: database.clone(),
            sums: kept_sums(&connection).map_err(|error| database.error("read", &error))?,
        });
        let (writes, mut queue) = mpsc::channel(QUEUE_WRITES_MAX);
        let mut writer = Writer {
            checkpointer: Checkpointer::start(&database)?,
            purging: has_purged_entries(&connection, shared.sums)
                .map_err(|error| database.error("read", &error))?,
            database,
            connection,
            sums: shared.sums,
            lazy: BTreeMap::new(),
            failed: None,
            room,
        };
        disk.spawn_worker(
            "raft-log",
            Box::pin(async move {
                let mut group = Vec::with_capacity(GROUP_WRITES_MAX);
                while writer.purge_while(|| queue.is_empty() && !queue.is_closed())
                    && queue.recv_many(&mut group, GROUP_WRITES_MAX).await > 0
                {
                    writer.commit(&mut group).await;
                }
                writer.flush();
            }),
        );
        Ok((RaftLogDb { writes, shared }, set_aside))
    }

    /// Queues a write; `done` is called once it is durable, or has failed.
    pub async fn submit(
        &self,
        write: RaftWrite,
        done: impl FnOnce(Result<(), StorageError>) + Send + 'static,
    ) {
        if let Err(mpsc::error::SendError((_, done))) =
            self.writes.send((write, Box::new(done))).await
        {
            done(Err(self.shared.database.closed()));
        }
    }

    /// A named value, as of the last durable write.
    pub fn value(&self, name: &str) -> Result<Option<Vec<u8>>, StorageError> {
        self.query(|reader| value(reader, self.shared.sums, name))
    }

    /// The index of the last entry; `None` when there is none.
    pub fn last_index(&self) -> Result<Option<u64>, StorageError> {
        self.query(|reader| {
            let last = reader
                .prepare_cached("SELECT idx FROM log ORDER BY idx DESC LIMIT 1")?
                .query_row([], |row| row.get(0))
                .optional()?;
            let purged = purged_to(reader, self.shared.sums)?;
            Ok(last.filter(|index| Some(*index) > purged))
        })
    }

    /// Where the first damage is noted that is met in the log.
    pub fn damage_met(&self) -> DamageMet {
        self.shared.database.damage_met()
    }

    /// The durable entries within `range`, in order, without those purged; at most `bytes_max`
    /// unless the first alone is larger.
    pub fn read(
        &self,
        range: Range<u64>,
        bytes_max: usize,
    ) -> Result<Vec<(u64, Vec<u8>)>, StorageError> {
        let sums = self.shared.sums;
        self.query(|reader| {
            let purged = purged_to(reader, sums)?.map_or(0, |index| index + 1);
            let end = range.end.min(i64::MAX as u64);
            let mut select = reader.prepare_cached(
                "SELECT idx, bytes, sum FROM log WHERE idx >= ?1 AND idx < ?2 ORDER BY idx",
            )?;
            let mut rows = select.query(params![range.start.max(purged), end])?;
            let mut entries: Vec<(u64, Vec<u8>)> = Vec::new();
            let mut bytes_total = 0;
            while let Some(row) = rows.next()? {
                let (index, bytes) = checked_entry(row, sums)?;
                let before = entries.last().map(|(before, _)| *before);
                if before.is_some_and(|before| index != before + 1) {
                    return Err(sums::damage(format!(
                        "its entries before {index} are missing"
                    )));
                }
                bytes_total += bytes.len();
                if bytes_total > bytes_max && !entries.is_empty() {
                    break;
                }
                entries.push((index, bytes.to_vec()));
            }
            Ok(entries)
        })
    }

    fn query<T>(
        &self,
        query: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StorageError> {
        query(&lock(&self.shared.reader))
            .map_err(|error| self.shared.database.error("read", &error))
    }
}

/// Which rows have sums. Both tables were made, or upgraded, in one step.
fn kept_sums(connection: &Connection) -> rusqlite::Result<Sums> {
    Sums::of(connection, "log")
}

fn checked_entry<'a>(row: &'a Row<'_>, sums: Sums) -> rusqlite::Result<(u64, &'a [u8])> {
    let (index, bytes): (u64, _) = (row.get(0)?, sums::bytes(row, 1)?);
    sums.check(ENTRIES, &index.to_be_bytes(), bytes, row.get_ref(2)?)?;
    Ok((index, bytes))
}

/// A named value. All are read, they are few: one whose name has changed must not be taken for one
/// that was never written.
fn value(connection: &Connection, sums: Sums, name: &str) -> rusqlite::Result<Option<Vec<u8>>> {
    let mut select = connection.prepare_cached("SELECT name, bytes, sum FROM value")?;
    let mut rows = select.query([])?;
    let mut found = None;
    while let Some(row) = rows.next()? {
        let (key, bytes): (String, _) = (row.get(0)?, sums::bytes(row, 1)?);
        sums.check(VALUES, key.as_bytes(), bytes, row.get_ref(2)?)?;
        if key == name {
            found = Some(bytes.to_vec());
        }
    }
    Ok(found)
}

/// Reads every row of a log in which damage was seen, which says where one is not what was written.
fn changed_row(connection: &Connection) -> rusqlite::Result<Option<String>> {
    let sums = kept_sums(connection)?;
    if sums == Sums::None {
        return Ok(None);
    }
    let purged = purged_to(connection, sums)?;
    let mut entries = connection.prepare("SELECT idx, bytes, sum FROM log ORDER BY idx")?;
    let mut rows = entries.query([])?;
    let mut before: Option<u64> = None;
    while let Some(row) = rows.next()? {
        let (index, _) = checked_entry(row, sums)?;
        // Of what was purged any part may be left.
        let before = before
            .replace(index)
            .filter(|before| Some(*before) > purged);
        if before.is_some_and(|before| index != before + 1) {
            return Ok(Some(format!("its entries before {index} are missing")));
        }
    }
    Ok(None)
}

fn purged_to(connection: &Connection, sums: Sums) -> rusqlite::Result<Option<u64>> {
    let bytes = value(connection, sums, PURGED_TO)?;
    Ok(bytes.and_then(|bytes| bytes.try_into().ok().map(u64::from_be_bytes)))
}

fn has_purged_entries(connection: &Connection, sums: Sums) -> rusqlite::Result<bool> {
    let Some(purged) = purged_to(connection, sums)? else {
        return Ok(false);
    };
    connection.query_row(
        "SELECT EXISTS (SELECT 1 FROM log WHERE idx <= ?1)",
        [purged],
        |row| row.get(0),
    )
}

/// The worker's side: the only one that writes.
struct Writer {
    database: Database,
    connection: Connection,
    sums: Sums,
    checkpointer: Checkpointer,
    /// Whether purged entries still take space.
    purging: bool,
    /// Values that go with the next write.
    lazy: BTreeMap<&'static str, Vec<u8>>,
    /// Why nothing is written any more.
    failed: Option<StorageError>,
    room: Room,
}

impl Writer {
    /// One commit for the whole group, then all callbacks in order.
    async fn commit(&mut self, group: &mut Vec<(RaftWrite, Done)>) {
        let mut writes = Vec::with_capacity(group.len());
        let mut dones = Vec::with_capacity(group.len());
        for (write, done) in group.drain(..) {
            match write {
                RaftWrite::SetLazily(name, bytes) => {
                    self.lazy.insert(name, bytes);
                }
                write => writes.push(write),
            }
            dones.push(done);
        }
        let outcome = match &self.failed {
            Some(error) => Err(error.clone()),
            None if writes.is_empty() => Ok(()),
            None => self.write_when_there_is_room(&writes).await,
        };
        if let Err(error) = &outcome {
            self.failed = Some(error.clone());
        }
        if !writes.is_empty() {
            self.database.flushed().await;
        }
        for done in dones {
            done(outcome.clone());
        }
        let bytes = writes.iter().map(bytes_of).sum();
        self.checkpointer
            .committed(bytes, &self.database, &self.connection);
    }

    async fn write_when_there_is_room(&mut self, writes: &[RaftWrite]) -> Result<(), StorageError> {
        loop {
            let written = self.write(writes);
            match &written {
                Err(error) if self.room.wait_after(error).await => {}
                _ => return written,
            }
        }
    }

    fn write(&mut self, writes: &[RaftWrite]) -> Result<(), StorageError> {
        let database = &self.database;
        let lazy = &self.lazy;
        database::transact(database, &self.connection, |connection| {
            lazy.iter()
                .try_for_each(|(name, bytes)| set(connection, name, bytes))
                .and_then(|()| writes.iter().try_for_each(|write| apply(connection, write)))
                .map_err(|error| database.commit_failed(&error))
        })?;
        self.lazy.clear();
        self.purging |= writes
            .iter()
            .any(|write| matches!(write, RaftWrite::PurgeTo(..)));
        Ok(())
    }

    /// Removes purged entries, some per commit, while `idle` says so. Always true.
    fn purge_while(&mut self, idle: impl Fn() -> bool) -> bool {
        while self.purging && self.failed.is_none() && idle() {
            let (database, sums) = (&self.database, self.sums);
            let removed = database::transact(database, &self.connection, |connection| {
                remove_some_purged(connection, sums).map_err(|error| database.commit_failed(&error))
            });
            match removed {
                Ok(removed) => self.purging = removed > 0,
                Err(error) => {
                    // It is tried again after the next purge; meanwhile it only takes space.
                    tracing::warn!("purged log entries stay for now: {error}");
                    self.purging = false;
                }
            }
        }
        true
    }

    /// Writes what was left to the next write, when there will be none.
    fn flush(&mut self) {
        if self.failed.is_none()
            && !self.lazy.is_empty()
            && let Err(error) = self.write(&[])
        {
            tracing::warn!("{error}");
        }
    }
}

fn bytes_of(write: &RaftWrite) -> usize {
    match write {
        RaftWrite::Append(entries) => entries.iter().map(|(_, bytes)| bytes.len()).sum(),
        RaftWrite::TruncateFrom(_) => 0,
        RaftWrite::PurgeTo(_, _, bytes)
        | RaftWrite::Set(_, bytes)
        | RaftWrite::SetLazily(_, bytes) => bytes.len(),
    }
}

fn apply(connection: &Connection, write: &RaftWrite) -> rusqlite::Result<()> {
    match write {
        RaftWrite::Append(entries) => {
            let mut insert = connection
                .prepare_cached("INSERT INTO log (idx, bytes, sum) VALUES (?1, ?2, ?3)")?;
            entries.iter().try_for_each(|(index, bytes)| {
                let sum = sum_of(ENTRIES, &index.to_be_bytes(), bytes);
                insert.execute(params![index, bytes, sum]).map(|_| ())
            })
        }
        RaftWrite::TruncateFrom(index) => connection
            .prepare_cached("DELETE FROM log WHERE idx >= ?1")?
            .execute([index])
            .map(|_| ()),
        RaftWrite::PurgeTo(index, name, bytes) => {
            set(connection, PURGED_TO, &index.to_be_bytes())?;
            set(connection, name, bytes)
        }
        RaftWrite::Set(name, bytes) | RaftWrite::SetLazily(name, bytes) => {
            set(connection, name, bytes)
        }
    }
}

fn set(connection: &Connection, name: &str, bytes: &[u8]) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO value (name, bytes, sum) VALUES (?1, ?2, ?3)
             ON CONFLICT (name) DO UPDATE SET bytes = excluded.bytes, sum = excluded.sum",
        )?
        .execute(params![name, bytes, sum_of(VALUES, name.as_bytes(), bytes)])
        .map(|_| ())
}

/// Removes the oldest purged entries; how many.
fn remove_some_purged(connection: &Connection, sums: Sums) -> rusqlite::Result<usize> {
    let Some(purged) = purged_to(connection, sums)? else {
        return Ok(0);
    };
    let first: Option<u64> =
        connection.query_row("SELECT min(idx) FROM log", [], |row| row.get(0))?;
    let Some(first) = first.filter(|first| *first <= purged) else {
        return Ok(0);
    };
    let end = purged.min(first + PURGE_ENTRIES_MAX - 1);
    connection.execute("DELETE FROM log WHERE idx <= ?1", [end])
}
