//! Opening a lane's databases, and telling damage from everything else that can fail.
//!
//! Invariant: a database that may hold something is never overwritten. One that is damaged is moved
//! aside with its write-ahead log, and a small status file beside it remembers, across a crash at
//! any moment, that it was made, that it must be checked, or that it is being moved.
//!
//! Opening is fast: nothing here reads a whole file unless damage was seen before.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use providers::{DiskError, SharedDisk, SqliteLocation};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags, ffi};
use tokio::sync::mpsc;

use crate::journal::lock;
use crate::{SetAside, StorageError};

/// How long a connection waits for another one's lock. Locks are held for milliseconds.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// Statements each connection keeps compiled.
const STATEMENTS_KEPT_MAX: usize = 32;
/// A write-ahead log larger than this is cut back when it has been checkpointed, in bytes.
const WAL_KEPT_BYTES_MAX: i64 = 64 * 1024 * 1024;

/// Room that the write-ahead log of a database with durable commits begins with, in bytes: what it
/// grows to until it is checkpointed.
const WAL_RESERVED_BYTES: u64 = 3 * 1024 * 1024;

/// When a commit is durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// Before it returns.
    EachCommit,
    /// At the next checkpoint; a power cut takes back whole commits, newest first.
    AtCheckpoint,
}

/// What a database is for, and what is in a new one.
#[derive(Debug)]
pub struct Kind {
    pub file: &'static str,
    /// SQLite's `application_id`, so that no other program's file is taken for ours.
    pub application_id: i64,
    /// SQLite's `user_version`.
    pub schema_version: i64,
    /// What a new database begins with.
    pub schema: &'static str,
    /// What leads from each earlier version that ever was to the one after it, the last to
    /// `schema_version`.
    pub upgrades: &'static [&'static str],
    pub durability: Durability,
    /// Pages in the write-ahead log at which SQLite itself checkpoints, inside a commit; 0: never.
    pub auto_checkpoint_pages: u32,
    /// The connection that writes keeps this much in memory, in KiB.
    pub cache_kib: u32,
    /// Looks for damage that SQLite cannot see, in a whole file in which some was met: what is wrong
    /// with its content, if something is.
    pub verify: fn(&Connection) -> rusqlite::Result<Option<String>>,
}

/// Of a database whose content cannot tell.
pub fn nothing_to_verify(_: &Connection) -> rusqlite::Result<Option<String>> {
    Ok(None)
}

/// Limits that only tests set.
#[derive(Clone, Copy, Debug, Default)]
pub struct Limits {
    /// Acts as a disk with room for this many pages.
    pub pages_max: Option<u32>,
}

/// A database that has been opened: makes connections and classifies errors.
#[derive(Clone)]
pub struct Database {
    disk: SharedDisk,
    kind: &'static Kind,
    location: Arc<SqliteLocation>,
    damage: DamageMet,
}

/// The first damage that was met in a database since it was opened, for the person at the lane. Does
/// not keep it open.
#[derive(Clone, Default)]
pub struct DamageMet(Arc<Mutex<Option<StorageError>>>);

impl DamageMet {
    pub fn first(&self) -> Option<StorageError> {
        lock(&self.0).clone()
    }
}

/// What the status file beside a database says.
#[derive(Debug, PartialEq, Eq)]
enum Status {
    /// No database was ever completed here.
    New,
    Made,
    /// A read or write met damage; the whole file is to be checked.
    Check(String),
    /// The file is being moved aside, and may be in part already.
    Aside(String),
}

impl Status {
    fn parse(text: &str) -> Status {
        match text.split_once(": ") {
            Some(("check", reason)) => Status::Check(reason.to_owned()),
            Some(("aside", reason)) => Status::Aside(reason.to_owned()),
            _ => Status::Made,
        }
    }

    fn text(&self) -> String {
        match self {
            Status::New | Status::Made => "made".to_owned(),
            Status::Check(reason) => format!("check: {reason}"),
            Status::Aside(reason) => format!("aside: {reason}"),
        }
    }
}

/// What an attempt to open found.
enum Found {
    Ours(Connection),
    /// A database without a header or a table: a new file, or one that was emptied.
    Empty(Connection),
    Absent,
    Damaged(String),
}

/// Opens the database of `kind`, or begins a new one where there is none or a damaged one.
/// The returned connection is the one that writes.
pub fn open(
    disk: &SharedDisk,
    kind: &'static Kind,
    limits: Limits,
) -> Result<(Database, Connection, Option<SetAside>), StorageError> {
    let database = Database {
        disk: disk.clone(),
        kind,
        location: Arc::new(disk.sqlite(kind.file)),
        damage: DamageMet::default(),
    };
    let (connection, set_aside) = database.open_or_begin()?;
    database.upgrade(&connection)?;
    database.prepare_writer(&connection, limits)?;
    if kind.durability == Durability::EachCommit {
        database.begin_log_anew(&connection)?;
    }
    if let Some(set_aside) = &set_aside {
        tracing::error!("{set_aside}");
    }
    Ok((database, connection, set_aside))
}

impl Kind {
    /// The oldest version that ever was.
    fn first_version(&self) -> i64 {
        self.schema_version - self.upgrades.len() as i64
    }

    /// Whether a database of this version is one that this release can read.
    pub(crate) fn knows(&self, version: i64) -> bool {
        (self.first_version()..=self.schema_version).contains(&version)
    }
}

impl Database {
    pub fn file(&self) -> &'static str {
        self.kind.file
    }

    fn open_or_begin(&self) -> Result<(Connection, Option<SetAside>), StorageError> {
        let status = self.status()?;
        let reason = match status {
            Status::Aside(reason) => reason,
            Status::New => match self.look(OpenFlags::SQLITE_OPEN_CREATE)? {
                Found::Ours(connection) => {
                    self.set_status(&Status::Made)?;
                    return Ok((connection, None));
                }
                Found::Empty(connection) => return Ok((self.begin(connection)?, None)),
                Found::Absent => return Err(self.io("open", "it cannot be made here")),
                Found::Damaged(reason) => reason,
            },
            Status::Made | Status::Check(_) => match self.look(OpenFlags::empty())? {
                Found::Ours(connection) => match self.check_if_suspect(&connection, &status)? {
                    None => return Ok((connection, None)),
                    Some(reason) => reason,
                },
                Found::Empty(_) => "it was emptied".to_owned(),
                Found::Absent => "it was deleted".to_owned(),
                Found::Damaged(reason) => reason,
            },
        };
        let set_aside = self.set_aside(reason)?;
        match self.look(OpenFlags::SQLITE_OPEN_CREATE)? {
            Found::Empty(connection) => Ok((self.begin(connection)?, Some(set_aside))),
            _ => Err(self.io("begin", "something else writes to this folder")),
        }
    }

    /// Checks a whole file in which damage was seen; gives the damage it finds.
    fn check_if_suspect(
        &self,
        connection: &Connection,
        status: &Status,
    ) -> Result<Option<String>, StorageError> {
        let Status::Check(seen) = status else {
            return Ok(None);
        };
        let verdict = connection.query_row("PRAGMA integrity_check(1)", [], |row| {
            row.get::<_, String>(0)
        });
        let flaw = verdict.and_then(|verdict| match verdict == "ok" {
            true => (self.kind.verify)(connection),
            false => Ok(Some(verdict)),
        });
        match flaw {
            Ok(None) => {
                tracing::warn!("{} is whole after all; seen before: {seen}", self.file());
                self.set_status(&Status::Made)?;
                Ok(None)
            }
            Ok(flaw) => Ok(flaw),
            Err(error) if is_damage(&error) => Ok(Some(error.to_string())),
            Err(error) => Err(self.io("check", in_words(&self.location, &error))),
        }
    }

    fn look(&self, create: OpenFlags) -> Result<Found, StorageError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | create;
        let found = connect(&self.location, flags).and_then(|connection| {
            let header = |name| connection.pragma_query_value(None, name, |row| row.get(0));
            let application_id: i64 = header("application_id")?;
            let version: i64 = header("user_version")?;
            let tables: i64 =
                connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
            Ok((connection, application_id, version, tables))
        });
        let known = self.kind.schema_version;
        match found {
            Ok((connection, 0, 0, 0)) => Ok(Found::Empty(connection)),
            Ok((_, id, _, _)) if id != self.kind.application_id => Ok(Found::Damaged(
                "its header is not this database's".to_owned(),
            )),
            Ok((_, _, version, _)) if version > known => Err(StorageError::Newer {
                file: self.file().to_owned(),
                found: version,
                known,
            }),
            Ok((_, _, version, _)) if !self.kind.knows(version) => Ok(Found::Damaged(format!(
                "its format {version} never existed"
            ))),
            Ok((connection, ..)) => Ok(Found::Ours(connection)),
            Err(error) if is_damage(&error) => Ok(Found::Damaged(error.to_string())),
            // A file that is there and cannot be opened (rights, too many open files) is no damage.
            Err(error)
                if error.sqlite_error_code() == Some(ErrorCode::CannotOpen)
                    && self.disk.read(self.file())?.is_none() =>
            {
                Ok(Found::Absent)
            }
            Err(error) => Err(self.io("open", error)),
        }
    }

    /// Writes the schema into an empty database, as one step. EXTRA, because the change to a
    /// write-ahead log goes through a rollback journal: were its removal lost with the power, the
    /// next start would roll everything back that was written since.
    fn begin(&self, connection: Connection) -> Result<Connection, StorageError> {
        let Kind {
            application_id,
            schema_version,
            schema,
            ..
        } = self.kind;
        connection
            .pragma_update(None, "synchronous", "EXTRA")
            .and_then(|()| connection.pragma_update(None, "journal_mode", "WAL"))
            .and_then(|()| {
                connection.execute_batch(&format!(
                    "BEGIN IMMEDIATE; {schema};
                     PRAGMA application_id = {application_id};
                     PRAGMA user_version = {schema_version}; COMMIT"
                ))
            })
            .map_err(|error| self.commit_failed(&error))?;
        self.set_status(&Status::Made)?;
        Ok(connection)
    }

    /// Brings a database of an earlier release to this one's schema, as one step.
    fn upgrade(&self, connection: &Connection) -> Result<(), StorageError> {
        let version = connection.pragma_query_value(None, "user_version", |row| row.get(0));
        let version: i64 = version.map_err(|error| self.error("open", &error))?;
        let done = usize::try_from(version - self.kind.first_version());
        let due = self
            .kind
            .upgrades
            .get(done.unwrap_or(0)..)
            .unwrap_or_default();
        if due.is_empty() {
            return Ok(());
        }
        let (steps, known) = (due.join("; "), self.kind.schema_version);
        let step = format!("BEGIN IMMEDIATE; {steps}; PRAGMA user_version = {known}; COMMIT");
        let upgraded = connection.execute_batch(&step);
        upgraded.map_err(|error| self.commit_failed(&error))?;
        tracing::info!(
            "{} was brought from format {version} to {known}",
            self.file()
        );
        Ok(())
    }

    fn prepare_writer(&self, connection: &Connection, limits: Limits) -> Result<(), StorageError> {
        let synchronous = match self.kind.durability {
            Durability::EachCommit => planted::instead("commits-not-synced", "OFF", "FULL"),
            Durability::AtCheckpoint => "NORMAL",
        };
        let prepare = || -> rusqlite::Result<String> {
            connection.pragma_update(None, "synchronous", synchronous)?;
            connection.pragma_update(None, "cache_size", -i64::from(self.kind.cache_kib))?;
            connection.pragma_update(None, "journal_size_limit", WAL_KEPT_BYTES_MAX)?;
            let pages = self.kind.auto_checkpoint_pages;
            connection.pragma_update(None, "wal_autocheckpoint", pages)?;
            if let Some(pages) = limits.pages_max {
                connection.pragma_update(None, "max_page_count", pages)?;
            }
            connection.pragma_query_value(None, "journal_mode", |row| row.get(0))
        };
        match prepare() {
            Ok(mode) if mode == "wal" => {
                if self.kind.durability == Durability::EachCommit {
                    let log = format!("{}-wal", self.file());
                    self.disk.reserve(&log, WAL_RESERVED_BYTES);
                }
                Ok(())
            }
            Ok(mode) => Err(self.io("open", format!("its journal mode is {mode}, not wal"))),
            Err(error) => Err(self.error("open", &error)),
        }
    }

    /// Copies what an earlier process left in the write-ahead log into the database, durably, and
    /// begins the log anew.
    ///
    /// After a sync that failed, the system gives back what was written as if it were on the disk,
    /// and never writes it again. A process that went on behind that would leave a hole in the log,
    /// and a power cut would take everything behind the hole, however often it was synced.
    fn begin_log_anew(&self, connection: &Connection) -> Result<(), StorageError> {
        let checkpoint = || -> rusqlite::Result<()> {
            let pages: i64 =
                connection.query_row("PRAGMA wal_checkpoint(FULL)", [], |row| row.get("log"))?;
            if pages <= 0 {
                return Ok(());
            }
            // Any commit: the first after a whole checkpoint writes the log from its beginning.
            let version = self.kind.schema_version;
            connection.pragma_update(None, "user_version", version)
        };
        checkpoint().map_err(|error| self.error("checkpoint", &error))
    }

    /// Another connection, for reading or for checkpoints.
    pub fn connect(&self) -> Result<Connection, StorageError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection =
            connect(&self.location, flags).map_err(|error| self.error("open", &error))?;
        // Checkpoints are the writer's or the checkpointer's business alone.
        connection
            .pragma_update(None, "wal_autocheckpoint", 0)
            .map_err(|error| self.error("open", &error))?;
        Ok(connection)
    }

    /// Another connection, which cannot write.
    pub fn connect_reader(&self) -> Result<Connection, StorageError> {
        let connection = self.connect()?;
        connection
            .pragma_update(None, "query_only", true)
            .map_err(|error| self.error("open", &error))?;
        Ok(connection)
    }

    /// Has SQLite check every page, read anew.
    pub fn check_pages(&self) -> Result<(), StorageError> {
        let connection = self.connect_reader()?;
        let verdict =
            connection.query_row("PRAGMA quick_check(1)", [], |row| row.get::<_, String>(0));
        match verdict {
            Ok(verdict) if verdict == "ok" => Ok(()),
            Ok(flaw) => Err(self.damaged(flaw)),
            Err(error) => Err(self.error("check", &error)),
        }
    }

    /// What a failed statement means. Damage is remembered for the next start.
    pub fn error(&self, action: &'static str, error: &rusqlite::Error) -> StorageError {
        if is_damage(error) {
            return self.damaged(error.to_string());
        }
        if Ill::of(error).is_some_and(Ill::may_pass) {
            return self.commit_failed(error);
        }
        self.io(action, in_words(&self.location, error))
    }

    /// Something failed in a transaction, SQLite rolled all of it back, and whoever wrote or read
    /// went on as if nothing had been.
    fn rolled_back(&self) -> StorageError {
        self.io(
            "go on with",
            "something failed within a transaction, most likely a read from the disk; all of it was \
             rolled back, and nothing was changed. Look at the system's log",
        )
    }

    /// What a failed commit means: not durable, unless the file is damaged.
    pub fn commit_failed(&self, error: &rusqlite::Error) -> StorageError {
        if is_damage(error) {
            return self.damaged(error.to_string());
        }
        not_durable(&self.location, self.file(), error)
    }

    /// Remembers damage, so that the next start checks the whole file.
    pub fn damaged(&self, reason: String) -> StorageError {
        tracing::error!("{} is damaged: {reason}", self.file());
        if let Err(error) = self.set_status(&Status::Check(reason.clone())) {
            tracing::error!("the next start will not check {}: {error}", self.file());
        }
        let error = StorageError::Damaged {
            file: self.file().to_owned(),
            reason,
        };
        lock(&self.damage.0).get_or_insert(error.clone());
        error
    }

    pub fn damage_met(&self) -> DamageMet {
        self.damage.clone()
    }

    pub fn io(&self, action: &'static str, reason: impl ToString) -> StorageError {
        StorageError::Io {
            action,
            file: self.location.path.display().to_string(),
            reason: reason.to_string(),
        }
    }

    /// Waits until the device has done what was last committed.
    pub async fn flushed(&self) {
        self.disk.flushed().await;
    }

    pub fn closed(&self) -> StorageError {
        StorageError::Closed {
            file: self.file().to_owned(),
        }
    }

    fn status_file(&self) -> String {
        format!("{}.status", self.file())
    }

    fn status(&self) -> Result<Status, StorageError> {
        Ok(match self.disk.read(&self.status_file())? {
            None => Status::New,
            Some(bytes) => Status::parse(&String::from_utf8_lossy(&bytes)),
        })
    }

    fn set_status(&self, status: &Status) -> Result<(), StorageError> {
        let text = status.text();
        Ok(self.disk.write(&self.status_file(), text.as_bytes())?)
    }

    /// Moves the file and its write-ahead log aside. The status file makes the order of the moves
    /// indifferent: after a crash in between, the next start goes on moving.
    fn set_aside(&self, reason: String) -> Result<SetAside, StorageError> {
        self.set_status(&Status::Aside(reason.clone()))?;
        let move_aside = |suffix: &str| {
            let file = format!("{}{suffix}", self.file());
            match self.disk.set_aside(&file) {
                Ok(name) => Ok(Some(name)),
                Err(DiskError { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => {
                    Ok(None)
                }
                Err(error) => Err(error),
            }
        };
        let moved_to = move_aside("")?;
        move_aside("-wal")?;
        move_aside("-shm")?;
        Ok(SetAside {
            file: self.file().to_owned(),
            moved_to,
            reason,
        })
    }
}

/// Opens a connection with the settings that all of ours share.
pub(crate) fn connect(location: &SqliteLocation, flags: OpenFlags) -> rusqlite::Result<Connection> {
    let connection = match &location.vfs {
        Some(vfs) => Connection::open_with_flags_and_vfs(&location.path, flags, vfs.as_str())?,
        None => Connection::open_with_flags(&location.path, flags)?,
    };
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_KEPT_MAX);
    // A kept statement is not compiled again because a LIMIT was bound to another number.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    // Damaged cells are noticed when a page is read, not when they have misled a search.
    connection.pragma_update(None, "cell_size_check", true)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    Ok(connection)
}

pub(crate) fn is_damage(error: &rusqlite::Error) -> bool {
    let code = error.sqlite_error_code();
    let is_seen = matches!(
        code,
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
    );
    // The type of each value is written beside it: only one that has changed is of another.
    is_seen || {
        use rusqlite::Error::{IntegralValueOutOfRange, InvalidColumnType, Utf8Error};
        matches!(
            error,
            InvalidColumnType(..) | IntegralValueOutOfRange(..) | Utf8Error(..)
        )
    }
}

/// What a disk does that fails an operation of SQLite's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ill {
    /// The system says that no space is left.
    Full,
    /// It refused a write for another reason, which SQLite does not hand on: it fails, a quota is
    /// used up, or a file has its largest size.
    Refuses,
    /// It did not make durable what it had taken. What that was may be lost.
    Forgets,
    /// It gave nothing back.
    Unreadable,
}

impl Ill {
    /// What failed, where it was the disk.
    fn of(error: &rusqlite::Error) -> Option<Ill> {
        let code = error.sqlite_error()?;
        match (code.code, code.extended_code) {
            (ErrorCode::DiskFull, _) => Some(Ill::Full),
            // The index of the write-ahead log is made when a database is opened, and grows.
            (_, ffi::SQLITE_IOERR_WRITE | ffi::SQLITE_IOERR_SHMSIZE) => Some(Ill::Refuses),
            (_, ffi::SQLITE_IOERR_FSYNC | ffi::SQLITE_IOERR_DIR_FSYNC) => Some(Ill::Forgets),
            (_, ffi::SQLITE_IOERR_READ | ffi::SQLITE_IOERR_SHORT_READ) => Some(Ill::Unreadable),
            _ => None,
        }
    }

    /// Whether the same write may be made again and be durable then.
    fn may_pass(self) -> bool {
        matches!(self, Ill::Full | Ill::Refuses)
    }

    /// What happened, what was kept and what to do, for the person at the lane whose folder it is.
    fn in_words(self, folder: &Path) -> String {
        let folder = folder.display();
        match self {
            Ill::Full => {
                format!("the disk is full: free space on {folder}, nothing acknowledged was lost")
            }
            Ill::Refuses => format!(
                "the disk refused a write (it fails, a quota is used up, or a file may grow no \
                 further): nothing acknowledged was lost, and it is tried again. If it goes on, look \
                 at the system's log: replace the disk, or free space on {folder}"
            ),
            Ill::Forgets => format!(
                "the disk failed to make a write durable: nothing acknowledged was lost, and what was \
                 being written does not count. Look at the system's log, save {folder} and replace \
                 the disk"
            ),
            Ill::Unreadable => format!(
                "the disk failed to read what it holds: nothing was changed. Restart this lane; if it \
                 happens again, look at the system's log, save {folder} and replace the disk"
            ),
        }
    }
}

/// An error of SQLite's in words: those of the disk that failed, where it was the disk.
fn in_words(location: &SqliteLocation, error: &rusqlite::Error) -> String {
    match (Ill::of(error), location.path.parent()) {
        (Some(ill), Some(folder)) => ill.in_words(folder),
        _ => error.to_string(),
    }
}

/// A failed write of `file` at `location`, in words for the person at the lane.
pub(crate) fn not_durable(
    location: &SqliteLocation,
    file: &str,
    error: &rusqlite::Error,
) -> StorageError {
    StorageError::NotDurable {
        file: file.to_owned(),
        reason: in_words(location, error),
        may_pass: Ill::of(error).is_some_and(Ill::may_pass),
    }
}

/// Runs `write` as one transaction: all of it or nothing.
pub fn transact<T, E: From<StorageError>>(
    database: &Database,
    connection: &Connection,
    write: impl FnOnce(&Connection) -> Result<T, E>,
) -> Result<T, E> {
    run_cached(connection, "BEGIN IMMEDIATE").map_err(|error| database.error("write", &error))?;
    let outcome = write(connection).and_then(|value| {
        if connection.is_autocommit() {
            return Err(database.rolled_back().into());
        }
        run_cached(connection, "COMMIT").map_err(|error| database.commit_failed(&error))?;
        Ok(value)
    });
    // SQLite has rolled back by itself after some errors, a full disk among them.
    if outcome.is_err() && !connection.is_autocommit() {
        run_cached(connection, "ROLLBACK").map_err(|error| database.error("undo", &error))?;
    }
    outcome
}

pub(crate) fn run_cached(connection: &Connection, sql: &str) -> rusqlite::Result<()> {
    connection.prepare_cached(sql)?.execute([]).map(|_| ())
}

/// How far a write-ahead log grows before it is copied into the database, in pages.
const CHECKPOINT_PAGES: u64 = 1000;
/// How far it may grow while commits leave the checkpointer no gap to finish in, in pages. Then one
/// commit waits for the checkpoint.
const CHECKPOINT_WAIT_PAGES: u64 = 16 * CHECKPOINT_PAGES;
const PAGE_BYTES: u64 = 4096;
/// Pages that a commit writes beside its rows: the path down to them.
const COMMIT_PAGES: u64 = 3;

/// Copies the write-ahead log into the database on a worker of its own, so that no commit waits for
/// it: SQLite lets commits go on during a passive checkpoint.
pub(crate) struct Checkpointer {
    wake: mpsc::Sender<()>,
    /// Pages written since the checkpointer was last woken, estimated.
    pages: u64,
    /// Pages written since the writer last checkpointed by itself, estimated.
    pages_unwaited: u64,
}

impl Checkpointer {
    pub fn start(database: &Database) -> Result<Checkpointer, StorageError> {
        let connection = database.connect()?;
        let (wake, mut woken) = mpsc::channel(1);
        let own = database.clone();
        database.disk.spawn_worker(
            &format!("{} checkpoints", database.file()),
            Box::pin(async move {
                while woken.recv().await.is_some() {
                    checkpoint_passively(&own, &connection);
                }
            }),
        );
        Ok(Checkpointer {
            wake,
            pages: 0,
            pages_unwaited: 0,
        })
    }

    /// Tells of a commit with `bytes` of rows, after it was answered.
    pub fn committed(&mut self, bytes: usize, database: &Database, writer: &Connection) {
        let pages = COMMIT_PAGES + bytes as u64 / PAGE_BYTES;
        self.pages += pages;
        self.pages_unwaited += pages;
        if self.pages_unwaited >= CHECKPOINT_WAIT_PAGES {
            // Nothing is written meanwhile, so this one reaches the end and the log starts over.
            checkpoint_passively(database, writer);
            self.pages_unwaited = 0;
            self.pages = 0;
        } else if self.pages >= CHECKPOINT_PAGES && self.wake.try_send(()).is_ok() {
            self.pages = 0;
        }
    }
}

fn checkpoint_passively(database: &Database, connection: &Connection) {
    let done = connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
    // Nothing is lost: the write-ahead log keeps everything and grows until one succeeds.
    if let Err(error) = done {
        let error = database.error("checkpoint", &error);
        tracing::warn!("{error}");
    }
}
