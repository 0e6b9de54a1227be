//! The applied state of the store: the ledger's tables, as of one applied index.
//!
//! Invariant: the applied index and whatever else consensus keeps is written in the same
//! transaction as the rows it stands for, and a reader never sees half a transaction. A power cut
//! may take back the newest transactions; the Raft log applies them again. A row is given out as it was
//! written, or not at all (see [`crate::sums`]).
//!
//! There is one writer, and any number of readers that never wait for it.

use std::cell::RefCell;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};

use ledger::{Row, Table, TableError, Tables};
use providers::SharedDisk;
use rusqlite::{Connection, params};

use crate::database::{self, Database, Durability, Kind, Limits, run_cached};
use crate::journal::lock;
use crate::sums::{self, Sums, sum_of};
use crate::{RowKey, SetAside, SnapshotFile, StorageError};

/// Read connections kept open. More are opened while more reads run at once.
const READERS_KEPT_MAX: usize = 4;

/// Rows that are looked at for damage in one go. At least two, or a check would not get on.
const CHECKED_ROWS_MAX: usize = 128;

/// The table number of what is not the ledger's: no [`Table`] has it.
pub(crate) const PRIVATE: u8 = 0;
/// The private row that holds the applied index, a big-endian u64.
const APPLIED: &str = "applied-index";

pub(crate) const STATE: Kind = Kind {
    file: "store.db",
    application_id: 0x4c4e_4d53, // LNMS
    schema_version: 2,
    schema: "CREATE TABLE kv (
        tbl INTEGER NOT NULL, key BLOB NOT NULL, value BLOB NOT NULL, sum INTEGER NOT NULL,
        PRIMARY KEY (tbl, key)
    ) WITHOUT ROWID",
    upgrades: &["ALTER TABLE kv ADD COLUMN sum INTEGER"],
    durability: Durability::AtCheckpoint,
    auto_checkpoint_pages: 2000,
    cache_kib: 16 * 1024,
    verify: changed_row,
};

/// The table of the rows.
pub(crate) const ROWS: &str = "kv";

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
        let sums = Sums::of(&connection, ROWS).map_err(|error| database.error("read", &error))?;
        let reader = StateReader(Arc::new(Pool {
            database: database.clone(),
            sums,
            idle: Mutex::new(Vec::new()),
        }));
        let writer = StateWriter {
            database,
            connection,
            sums,
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
    sums: Sums,
}

impl StateWriter {
    /// Runs `write` as one transaction: all of it or, on an error, nothing.
    pub fn transaction<T, E: From<StorageError>>(
        &mut self,
        write: impl FnOnce(&mut StateTransaction<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let (database, sums) = (&self.database, self.sums);
        database::transact(database, &self.connection, |connection| {
            let mut transaction = StateTransaction {
                view: View::new(database, connection, sums),
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
        View::new(&self.database, &self.connection, self.sums)
    }

    /// Replaces everything by a snapshot's rows, if they are those it was sealed with. One
    /// transaction: readers see the old state or the new one, and so does whoever starts after a
    /// crash. Chosen over exchanging files because open readers and the write-ahead log stay valid.
    ///
    /// Waits for no reader, however long it reads. Like every change of the state it becomes durable
    /// with some later checkpoint; until then an adopted snapshot gives it back after a power cut.
    pub fn replace_with(&mut self, snapshot: &SnapshotFile) -> Result<(), StorageError> {
        let database = &self.database;
        let failed = |error: rusqlite::Error| database.error("install a snapshot in", &error);
        database::transact(database, &self.connection, |connection| {
            connection.execute("DELETE FROM kv", []).map_err(failed)?;
            snapshot.copy_rows(|table, key, value| {
                put(connection, table, key, Some(value)).map_err(failed)
            })
        })
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
        let sums = self.view.sums;
        self.attempt("read", |connection| {
            get(connection, sums, Vouch::BothSides, table as u8, key)
        })
        .map_err(of_table("read"))
    }

    fn set(&mut self, table: Table, key: &[u8], value: Option<&[u8]>) -> Result<(), TableError> {
        self.attempt("write", |connection| {
            put(connection, table as u8, key, value)
        })
        .map_err(of_table("written"))
    }

    fn scan(&self, table: Table, from: &[u8], limit: usize) -> Result<Vec<Row>, TableError> {
        let sums = self.view.sums;
        self.attempt("read", |connection| {
            scan(connection, sums, Vouch::BothSides, table as u8, from, limit)
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
                "INSERT INTO kv (tbl, key, value, sum) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (tbl, key) DO UPDATE SET value = excluded.value, sum = excluded.sum",
            )?
            .execute(params![table, key, value, sum_of(table, key, value)])?,
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
    sums: Sums,
    /// The first failure. Whoever looks at the view may overlook it.
    failed: RefCell<Option<StorageError>>,
}

impl<'a> View<'a> {
    pub fn new(database: &'a Database, connection: &'a Connection, sums: Sums) -> View<'a> {
        View {
            database,
            connection,
            sums,
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
        get(
            self.connection,
            self.sums,
            Vouch::BothSides,
            PRIVATE,
            name.as_bytes(),
        )
        .map_err(|error| self.failed("read", &error))
    }

    pub fn applied_index(&self) -> Result<u64, StorageError> {
        applied_index(self.connection, self.sums)
            .map_err(|error| self.failed("read", &error))?
            .map_err(|reason| self.database.damaged(reason.to_owned()))
    }
}

/// For whoever looks, cashiers above all, who wait for no second search: see [`crate::sums`].
impl Tables for View<'_> {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, TableError> {
        get(self.connection, self.sums, Vouch::Behind, table as u8, key)
            .map_err(|error| self.read_error(&error))
    }

    fn set(&mut self, _: Table, _: &[u8], _: Option<&[u8]>) -> Result<(), TableError> {
        Err(read_only())
    }

    fn scan(&self, table: Table, from: &[u8], limit: usize) -> Result<Vec<Row>, TableError> {
        scan(
            self.connection,
            self.sums,
            Vouch::Behind,
            table as u8,
            from,
            limit,
        )
        .map_err(|error| self.read_error(&error))
    }
}

/// A row of the table `kv`, held against its sum: table, key and value.
fn checked<'a>(
    row: &'a rusqlite::Row<'_>,
    sums: Sums,
) -> rusqlite::Result<(u8, &'a [u8], &'a [u8])> {
    let (table, key, value) = (row.get(0)?, sums::bytes(row, 1)?, sums::bytes(row, 2)?);
    sums.check(table, key, value, row.get_ref(3)?)?;
    Ok((table, key, value))
}

/// Where rows begin.
#[derive(Clone, Copy)]
enum Begin<'a> {
    At(u8, &'a [u8]),
    Behind(u8, &'a [u8]),
}

/// Hands every row from there on, in order, to `visit`, until it says no.
fn walk<E: From<rusqlite::Error>>(
    connection: &Connection,
    sums: Sums,
    begin: Begin<'_>,
    mut visit: impl FnMut(u8, &[u8], &[u8]) -> Result<ControlFlow<()>, E>,
) -> Result<(), E> {
    let (select, params) = match begin {
        Begin::At(table, key) => {
            let with = "SELECT tbl, key, value, sum FROM kv WHERE (tbl, key) >= (?1, ?2) \
                ORDER BY tbl, key";
            let without = "SELECT tbl, key, value, NULL FROM kv WHERE (tbl, key) >= (?1, ?2) \
                ORDER BY tbl, key";
            (sums.sql(with, without), (table, key))
        }
        Begin::Behind(table, key) => {
            let with = "SELECT tbl, key, value, sum FROM kv WHERE (tbl, key) > (?1, ?2) \
                ORDER BY tbl, key";
            let without = "SELECT tbl, key, value, NULL FROM kv WHERE (tbl, key) > (?1, ?2) \
                ORDER BY tbl, key";
            (sums.sql(with, without), (table, key))
        }
    };
    let mut select = connection.prepare_cached(select)?;
    let mut rows = select.query(params)?;
    while let Some(row) = rows.next()? {
        let (table, key, value) = checked(row, sums)?;
        if visit(table, key, value)?.is_break() {
            break;
        }
    }
    Ok(())
}

/// Holds the row right before a place against its sum. A search that a changed key has misled ends
/// beside that key: so, where nothing is found, the rows on both sides of the place vouch for it.
fn check_before(
    connection: &Connection,
    sums: Sums,
    table: u8,
    key: &[u8],
) -> rusqlite::Result<()> {
    let select = sums.sql(
        "SELECT tbl, key, value, sum FROM kv WHERE (tbl, key) < (?1, ?2) \
         ORDER BY tbl DESC, key DESC LIMIT 1",
        "SELECT tbl, key, value, NULL FROM kv WHERE (tbl, key) < (?1, ?2) \
         ORDER BY tbl DESC, key DESC LIMIT 1",
    );
    let mut select = connection.prepare_cached(select)?;
    let mut rows = select.query(params![table, key])?;
    match rows.next()? {
        Some(row) => checked(row, sums).map(|_| ()),
        None => Ok(()),
    }
}

/// Which rows vouch for there being none at a place that is searched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Vouch {
    /// The one behind it, which the search comes to anyway.
    Behind,
    /// Those on both sides, which takes a second search.
    BothSides,
}

/// A row, where there is one, held against its sum.
pub(crate) fn get(
    connection: &Connection,
    sums: Sums,
    vouch: Vouch,
    table: u8,
    key: &[u8],
) -> rusqlite::Result<Option<Vec<u8>>> {
    let mut found = None;
    let visit = |in_table: u8, at: &[u8], value: &[u8]| {
        if (in_table, at) == (table, key) {
            found = Some(value.to_vec());
        }
        Ok::<_, rusqlite::Error>(ControlFlow::Break(()))
    };
    walk(connection, sums, Begin::At(table, key), visit)?;
    if found.is_none() && vouch == Vouch::BothSides {
        check_before(connection, sums, table, key)?;
    }
    Ok(found)
}

/// Rows held against their sums, with what lies behind them.
pub(crate) fn scan(
    connection: &Connection,
    sums: Sums,
    vouch: Vouch,
    table: u8,
    from: &[u8],
    limit: usize,
) -> rusqlite::Result<Vec<Row>> {
    if vouch == Vouch::BothSides {
        check_before(connection, sums, table, from)?;
    }
    let mut rows: Vec<Row> = Vec::new();
    let visit = |in_table: u8, key: &[u8], value: &[u8]| {
        if in_table != table || rows.len() >= limit {
            return Ok(ControlFlow::Break(()));
        }
        push_in_order(&mut rows, table, key, value)?;
        Ok::<_, rusqlite::Error>(ControlFlow::Continue(()))
    };
    walk(connection, sums, Begin::At(table, from), visit)?;
    Ok(rows)
}

/// SQLite takes the order of a page's rows for granted.
fn push_in_order(rows: &mut Vec<Row>, table: u8, key: &[u8], value: &[u8]) -> rusqlite::Result<()> {
    if rows.last().is_some_and(|(last, _)| last.as_slice() >= key) {
        return Err(out_of_order(table));
    }
    rows.push((key.to_vec(), value.to_vec()));
    Ok(())
}

fn out_of_order(table: u8) -> rusqlite::Error {
    sums::damage(format!("its table {table} is out of order"))
}

/// Holds the rows from `place` on, so many, against their sums and in their order; gives the place to
/// go on at, `None` behind the last row.
///
/// The row at the place itself was seen before and is looked at again: what is right behind it can then
/// not be stepped over by a search for it.
fn check_some(
    connection: &Connection,
    sums: Sums,
    place: Option<&RowKey>,
    rows_max: usize,
) -> rusqlite::Result<Option<RowKey>> {
    let begin = match place {
        Some((table, key)) => Begin::At(*table, key),
        None => Begin::At(0, &[]),
    };
    let mut last: Option<RowKey> = None;
    let mut left = rows_max;
    let visit = |table: u8, key: &[u8], _: &[u8]| {
        if last
            .as_ref()
            .is_some_and(|(t, k)| (*t, k.as_slice()) >= (table, key))
        {
            return Err(out_of_order(table));
        }
        last = Some((table, key.to_vec()));
        left -= 1;
        Ok(match left {
            0 => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        })
    };
    walk(connection, sums, begin, visit)?;
    Ok(last.filter(|_| left == 0))
}

/// Goes through every row, from the one after `after`, until `visit` says no.
pub(crate) fn for_each_row<E: From<rusqlite::Error>>(
    connection: &Connection,
    after: Option<(u8, &[u8])>,
    visit: impl FnMut(u8, &[u8], &[u8]) -> Result<ControlFlow<()>, E>,
) -> Result<(), E> {
    let sums = Sums::of(connection, ROWS)?;
    let begin = match after {
        Some((table, key)) => Begin::Behind(table, key),
        None => Begin::At(0, &[]),
    };
    walk(connection, sums, begin, visit)
}

/// Reads every row of a state in which damage was seen, which says where one is not what was written.
fn changed_row(connection: &Connection) -> rusqlite::Result<Option<String>> {
    let visit = |_: u8, _: &[u8], _: &[u8]| Ok(ControlFlow::Continue(()));
    for_each_row(connection, None, visit).map(|()| None)
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
    sums: Sums,
) -> rusqlite::Result<Result<u64, &'static str>> {
    let index = match get(
        connection,
        sums,
        Vouch::BothSides,
        PRIVATE,
        APPLIED.as_bytes(),
    )? {
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
    sums: Sums,
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

    /// Looks for damage in the next rows from `place` on, from the first row with `None`; gives the
    /// place to go on at, `None` once all were looked at. Damage is remembered like any that is met.
    ///
    /// Behind the last row SQLite checks the pages themselves: a bit that flipped in one's directory hides
    /// rows, and none of those that are found is wrong.
    pub fn check_some(&self, place: Option<&RowKey>) -> Result<Option<RowKey>, StorageError> {
        let next = self.with(|view| {
            check_some(view.connection, view.sums, place, CHECKED_ROWS_MAX)
                .map_err(|error| view.failed("check", &error))
        })?;
        if next.is_none() {
            self.0.database.check_pages()?;
        }
        Ok(next)
    }

    /// The first damage that was met in the state since it was opened.
    pub fn damage(&self) -> Option<StorageError> {
        self.0.database.damage_met().first()
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
        let view = View::new(database, &connection, self.0.sums);
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
