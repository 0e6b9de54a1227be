//! The applied state of the store: the ledger's tables, as of one applied index.
//!
//! Invariant: the applied index and whatever else consensus keeps is written in the same
//! transaction as the rows it stands for, and a reader never sees half a transaction. A power cut
//! may take back the newest transactions; the Raft log applies them again.
//!
//! There is one writer, and any number of readers that never wait for it.

use std::cell::RefCell;
use std::sync::{Arc, Mutex};

use ledger::{Row, Table, TableError, Tables};
use providers::SharedDisk;
use rusqlite::{Connection, OptionalExtension, params};

use crate::database::{self, Database, Durability, Kind, Limits, run_cached};
use crate::journal::lock;
use crate::{SetAside, SnapshotFile, StorageError};

/// Read connections kept open. More are opened while more reads run at once.
const READERS_KEPT_MAX: usize = 4;

/// The table number of what is not the ledger's: no [`Table`] has it.
pub(crate) const PRIVATE: u8 = 0;
/// The private row that holds the applied index, a big-endian u64.
const APPLIED: &str = "applied-index";

pub(crate) const STATE: Kind = Kind {
    file: "store.db",
    application_id: 0x4c4e_4d53, // LNMS
    schema_version: 1,
    schema: "CREATE TABLE kv (
        tbl INTEGER NOT NULL, key BLOB NOT NULL, value BLOB NOT NULL,
        PRIMARY KEY (tbl, key)
    ) WITHOUT ROWID",
    upgrades: &[],
    durability: Durability::AtCheckpoint,
    auto_checkpoint_pages: 2000,
    cache_kib: 16 * 1024,
    verify: database::nothing_to_verify,
};

/// The state's one writer and its first reader.
pub struct StateDb {
    pub writer: StateWriter,
    pub reader: StateReader,
}

impl StateDb {
    /// Opens the state in a lane's folder, or begins one. A damaged state is set aside: consensus
    /// rebuilds it from its last snapshot and the log.
    pub fn open(disk: SharedDisk) -> Result<(StateDb, Option<SetAside>), StorageError> {
        let (database, connection, set_aside) = database::open(&disk, &STATE, Limits::default())?;
        let reader = StateReader(Arc::new(Pool {
            database: database.clone(),
            idle: Mutex::new(Vec::new()),
        }));
        let writer = StateWriter {
            database,
            connection,
        };
        Ok((StateDb { writer, reader }, set_aside))
    }

    pub fn reader(&self) -> StateReader {
        self.reader.clone()
    }
}

/// The only one that writes the state.
pub struct StateWriter {
    database: Database,
    connection: Connection,
}

impl StateWriter {
    /// Runs `write` as one transaction: all of it or, on an error, nothing.
    pub fn transaction<T, E: From<StorageError>>(
        &mut self,
        write: impl FnOnce(&mut StateTransaction<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let database = &self.database;
        database::transact(database, &self.connection, |connection| {
            let mut transaction = StateTransaction {
                view: View::new(database, connection),
            };
            let outcome = write(&mut transaction);
            match transaction.view.failed.into_inner() {
                Some(error) => Err(error.into()),
                None => outcome,
            }
        })
    }

    /// The index up to which the log has been applied; 0 before the first.
    pub fn applied_index(&self) -> Result<u64, StorageError> {
        self.view().applied_index()
    }

    /// Makes all that was written durable, which a power cut could else take back. To be called while
    /// nobody reads.
    pub fn make_durable(&self) -> Result<(), StorageError> {
        let checkpoint = "PRAGMA wal_checkpoint(FULL)";
        let done = self.connection.query_row(checkpoint, [], |row| {
            Ok((
                row.get::<_, i64>("log")?,
                row.get::<_, i64>("checkpointed")?,
            ))
        });
        match done {
            Ok((pages, done)) if pages == done => Ok(()),
            Ok(_) => Err(self.database.io("checkpoint", "something else reads it")),
            Err(error) => Err(self.database.error("checkpoint", &error)),
        }
    }

    /// A private value, see [`StateTransaction::set_private`].
    pub fn private(&self, name: &str) -> Result<Option<Vec<u8>>, StorageError> {
        self.view().private(name)
    }

    fn view(&self) -> View<'_> {
        View::new(&self.database, &self.connection)
    }

    /// Replaces everything by a snapshot's rows, after checking them against its seal. One
    /// transaction: readers see the old state or the new one, and so does whoever starts after a
    /// crash. Chosen over exchanging files because open readers and the write-ahead log stay valid.
    ///
    /// Waits for no reader, however long it reads. Like every change of the state it becomes durable
    /// with some later checkpoint; until then an adopted snapshot gives it back after a power cut.
    pub fn replace_with(&mut self, snapshot: &SnapshotFile) -> Result<(), StorageError> {
        snapshot.verify()?;
        let database = self.database.clone();
        let failed = |error: rusqlite::Error| database.error("install a snapshot in", &error);
        let path = snapshot.path().to_string_lossy().into_owned();
        self.connection
            .execute("ATTACH ?1 AS snapshot", [path])
            .map_err(failed)?;
        let replaced = database::transact(&self.database, &self.connection, |connection| {
            connection
                .execute_batch(
                    "DELETE FROM main.kv;
                     INSERT INTO main.kv SELECT * FROM snapshot.kv ORDER BY tbl, key",
                )
                .map_err(failed)
        });
        let detached = self.connection.execute_batch("DETACH snapshot");
        replaced.and(detached.map_err(failed))
    }
}

/// The state inside a transaction that writes.
///
/// Once something has failed in it nothing more is read or written, and it is not committed, even if
/// whoever writes overlooks the failure: SQLite rolls back by itself after some of them, and what
/// came behind would be a transaction of its own.
pub struct StateTransaction<'a> {
    view: View<'a>,
}

impl StateTransaction<'_> {
    /// Notes the index up to which the log is applied with this transaction.
    pub fn set_applied_index(&mut self, index: u64) -> Result<(), StorageError> {
        self.set_private(APPLIED, &index.to_be_bytes())
    }

    /// Keeps a value beside the ledger's tables: in snapshots, but not in the state hash.
    pub fn set_private(&mut self, name: &str, value: &[u8]) -> Result<(), StorageError> {
        self.attempt("write", |connection| {
            put(connection, PRIVATE, name.as_bytes(), Some(value))
        })
    }

    fn attempt<T>(
        &self,
        action: &'static str,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StorageError> {
        if let Some(error) = &*self.view.failed.borrow() {
            return Err(error.clone());
        }
        work(self.view.connection).map_err(|error| self.view.failed(action, &error))
    }
}

/// A table's error has no place for what a database's says; the transaction keeps that.
fn of_table(action: &'static str) -> impl FnOnce(StorageError) -> TableError {
    move |error| TableError {
        action,
        reason: error.to_string(),
    }
}

impl Tables for StateTransaction<'_> {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, TableError> {
        self.attempt("read", |connection| get(connection, table as u8, key))
            .map_err(of_table("read"))
    }

    fn set(&mut self, table: Table, key: &[u8], value: Option<&[u8]>) -> Result<(), TableError> {
        self.attempt("write", |connection| {
            put(connection, table as u8, key, value)
        })
        .map_err(of_table("written"))
    }

    fn scan(&self, table: Table, from: &[u8], limit: usize) -> Result<Vec<Row>, TableError> {
        self.attempt("read", |connection| {
            scan(connection, table as u8, from, limit)
        })
        .map_err(of_table("read"))
    }
}

fn put(
    connection: &Connection,
    table: u8,
    key: &[u8],
    value: Option<&[u8]>,
) -> rusqlite::Result<()> {
    match value {
        Some(value) => connection
            .prepare_cached(
                "INSERT INTO kv (tbl, key, value) VALUES (?1, ?2, ?3)
                 ON CONFLICT (tbl, key) DO UPDATE SET value = excluded.value",
            )?
            .execute(params![table, key, value])?,
        None => connection
            .prepare_cached("DELETE FROM kv WHERE tbl = ?1 AND key = ?2")?
            .execute(params![table, key])?,
    };
    Ok(())
}

/// The state through one connection; what it shows is one moment if the connection is in a
/// transaction.
pub(crate) struct View<'a> {
    pub database: &'a Database,
    pub connection: &'a Connection,
    /// The first failure. Whoever looks at the view may overlook it.
    failed: RefCell<Option<StorageError>>,
}

impl<'a> View<'a> {
    pub fn new(database: &'a Database, connection: &'a Connection) -> View<'a> {
        View {
            database,
            connection,
            failed: RefCell::new(None),
        }
    }

    fn failed(&self, action: &'static str, error: &rusqlite::Error) -> StorageError {
        let error = self.database.error(action, error);
        self.failed.borrow_mut().get_or_insert(error).clone()
    }

    fn read_error(&self, error: &rusqlite::Error) -> TableError {
        of_table("read")(self.failed("read", error))
    }

    pub fn private(&self, name: &str) -> Result<Option<Vec<u8>>, StorageError> {
        get(self.connection, PRIVATE, name.as_bytes()).map_err(|error| self.failed("read", &error))
    }

    pub fn applied_index(&self) -> Result<u64, StorageError> {
        applied_index(self.connection)
            .map_err(|error| self.failed("read", &error))?
            .map_err(|reason| self.database.damaged(reason.to_owned()))
    }
}

impl Tables for View<'_> {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, TableError> {
        get(self.connection, table as u8, key).map_err(|error| self.read_error(&error))
    }

    fn set(&mut self, _: Table, _: &[u8], _: Option<&[u8]>) -> Result<(), TableError> {
        Err(read_only())
    }

    fn scan(&self, table: Table, from: &[u8], limit: usize) -> Result<Vec<Row>, TableError> {
        scan(self.connection, table as u8, from, limit).map_err(|error| self.read_error(&error))
    }
}

pub(crate) fn get(
    connection: &Connection,
    table: u8,
    key: &[u8],
) -> rusqlite::Result<Option<Vec<u8>>> {
    connection
        .prepare_cached("SELECT value FROM kv WHERE tbl = ?1 AND key = ?2")?
        .query_row(params![table, key], |row| row.get(0))
        .optional()
}

pub(crate) fn scan(
    connection: &Connection,
    table: u8,
    from: &[u8],
    limit: usize,
) -> rusqlite::Result<Vec<Row>> {
    connection
        .prepare_cached(
            "SELECT key, value FROM kv WHERE tbl = ?1 AND key >= ?2 ORDER BY key LIMIT ?3",
        )?
        .query_map(
            params![table, from, i64::try_from(limit).unwrap_or(i64::MAX)],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?
        .collect()
}

/// What a table that is only read answers to a write.
pub(crate) fn read_only() -> TableError {
    TableError {
        action: "written",
        reason: "it is opened for reading only".to_owned(),
    }
}

/// The applied index, 0 before the first; or what is wrong with it.
pub(crate) fn applied_index(
    connection: &Connection,
) -> rusqlite::Result<Result<u64, &'static str>> {
    let index = match get(connection, PRIVATE, APPLIED.as_bytes())? {
        None => Ok(0),
        Some(bytes) => bytes
            .try_into()
            .map(u64::from_be_bytes)
            .map_err(|_| "its applied index is unreadable"),
    };
    Ok(index)
}

/// The applied index, if that is what the row holds.
pub(crate) fn applied_index_in(table: u8, key: &[u8], value: &[u8]) -> Option<u64> {
    let is_it = table == PRIVATE && key == APPLIED.as_bytes();
    is_it
        .then(|| value.try_into().ok().map(u64::from_be_bytes))
        .flatten()
}

/// Reads the state; clones share a few connections.
#[derive(Clone)]
pub struct StateReader(Arc<Pool>);

struct Pool {
    database: Database,
    idle: Mutex<Vec<Connection>>,
}

impl StateReader {
    /// Runs `read` on one moment of the state. Blocks for as long as `read` does.
    pub fn read<T>(&self, read: impl FnOnce(&dyn Tables) -> T) -> Result<T, StorageError> {
        self.with(|view| Ok(read(view)))
    }

    /// The index up to which the log has been applied; 0 before the first.
    pub fn applied_index(&self) -> Result<u64, StorageError> {
        self.with(|view| view.applied_index())
    }

    pub(crate) fn database(&self) -> &Database {
        &self.0.database
    }

    fn with<T>(
        &self,
        read: impl FnOnce(&View<'_>) -> Result<T, StorageError>,
    ) -> Result<T, StorageError> {
        let database = &self.0.database;
        let idle = lock(&self.0.idle).pop();
        let connection = match idle {
            Some(connection) => connection,
            None => database.connect_reader()?,
        };
        let failed = |error: rusqlite::Error| database.error("read", &error);
        run_cached(&connection, "BEGIN").map_err(failed)?;
        let view = View::new(database, &connection);
        let outcome = read(&view);
        // What was made of a read that failed is of no worth, and SQLite may have ended the
        // transaction by itself. The connection is not used again.
        if let Some(error) = view.failed.into_inner() {
            return Err(error);
        }
        run_cached(&connection, "COMMIT").map_err(failed)?;
        let mut idle = lock(&self.0.idle);
        if idle.len() < READERS_KEPT_MAX {
            idle.push(connection);
        }
        outcome
    }
}
