//! Reading a lane's databases by plain path, for whoever checks or exports them.
//!
//! Nothing here writes an entry or a row, takes the folder's lock or repairs anything; it works
//! while the lane runs, too. What it shows is one moment of each database.

use std::collections::BTreeMap;
use std::path::Path;

use ledger::{Entry, Head, Row, Seq, Table, TableError, Tables};
use providers::SqliteLocation;
use rusqlite::{Connection, OpenFlags};
use sale::LaneId;

use crate::StorageError;
use crate::database::{Kind, connect, is_damage};
use crate::journal::{self, JOURNAL};
use crate::raft_log::RAFT_LOG;
use crate::state::{self, ROWS, STATE, Vouch};
use crate::sums::Sums;

/// Checks every page of each of a lane's databases, and every row that has a sum; gives each file's name and what is wrong with
/// it.
pub fn check_databases(folder: &Path) -> Vec<(&'static str, Result<(), StorageError>)> {
    [&JOURNAL, &RAFT_LOG, &STATE]
        .into_iter()
        .map(|kind| {
            let checked = ReadOnly::open(folder, kind).and_then(|database| {
                database.check()?;
                // Whoever compares journals names each entry that is not in its chain.
                match kind.file == JOURNAL.file {
                    true => Ok(()),
                    false => database.verify(kind),
                }
            });
            (kind.file, checked)
        })
        .collect()
}

/// A lane's journal, opened for reading.
pub struct OfflineJournal(ReadOnly);

impl OfflineJournal {
    /// Opens the journal in a lane's folder as it is now.
    pub fn open(folder: &Path) -> Result<OfflineJournal, StorageError> {
        ReadOnly::open(folder, &JOURNAL).map(OfflineJournal)
    }

    /// The end of every chain held.
    pub fn heads(&self) -> Result<BTreeMap<LaneId, Head>, StorageError> {
        journal::heads(&self.0.connection).map_err(|error| self.0.error(&error))
    }

    /// A lane's entries as they lie there, like `Journal::read`, but also with gaps.
    pub fn read(
        &self,
        lane: LaneId,
        from: Seq,
        entries_max: usize,
        bytes_max: usize,
    ) -> Result<Vec<Entry>, StorageError> {
        journal::read(&self.0.connection, lane, from, entries_max, bytes_max)
            .map_err(|error| self.0.error(&error))
    }
}

/// The store's state as a lane has applied it, opened for reading.
pub struct OfflineState(ReadOnly);

impl OfflineState {
    /// Opens the state in a lane's folder as it is now.
    pub fn open(folder: &Path) -> Result<OfflineState, StorageError> {
        ReadOnly::open(folder, &STATE).map(OfflineState)
    }

    pub fn tables(&self) -> &dyn Tables {
        &self.0
    }

    /// The index up to which the log has been applied; 0 before the first.
    pub fn applied_index(&self) -> Result<u64, StorageError> {
        state::applied_index(&self.0.connection, self.0.sums)
            .map_err(|error| self.0.error(&error))?
            .map_err(|reason| self.0.damaged(reason))
    }
}

/// A database inside one read transaction.
pub struct ReadOnly {
    file: String,
    connection: Connection,
    /// Which rows have sums, if it is a state.
    sums: Sums,
}

impl ReadOnly {
    /// Opens the database of `kind` in `folder` as it is now.
    pub fn open(folder: &Path, kind: &Kind) -> Result<ReadOnly, StorageError> {
        let location = SqliteLocation {
            path: folder.join(kind.file),
            vfs: None,
        };
        let file = location.path.display().to_string();
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let opened = connect(&location, flags).and_then(|connection| {
            let header = |name| connection.pragma_query_value(None, name, |row| row.get(0));
            let ids: (i64, i64) = (header("application_id")?, header("user_version")?);
            // Begins at its first read, which is at once: the database is seen as of now.
            connection.execute_batch("BEGIN; SELECT count(*) FROM sqlite_schema")?;
            let sums = Sums::of(&connection, ROWS)?;
            Ok((connection, sums, ids))
        });
        match opened {
            Ok((connection, sums, (id, version)))
                if id == kind.application_id && kind.knows(version) =>
            {
                Ok(ReadOnly {
                    file,
                    connection,
                    sums,
                })
            }
            Ok((_, _, (id, version)))
                if id == kind.application_id && version > kind.schema_version =>
            {
                Err(StorageError::Newer {
                    file,
                    found: version,
                    known: kind.schema_version,
                })
            }
            Ok(_) => Err(StorageError::Damaged {
                file,
                reason: "its header is not this database's".to_owned(),
            }),
            Err(error) => Err(read_error(&file, &error)),
        }
    }

    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Checks every page and the order of every table.
    pub fn check(&self) -> Result<(), StorageError> {
        let verdict: Result<String, _> =
            self.connection
                .query_row("PRAGMA integrity_check(1)", [], |row| row.get(0));
        match verdict {
            Ok(verdict) if verdict == "ok" => Ok(()),
            Ok(verdict) => Err(self.damaged(&verdict)),
            Err(error) => Err(self.error(&error)),
        }
    }

    /// Looks for damage that SQLite cannot see.
    fn verify(&self, kind: &Kind) -> Result<(), StorageError> {
        match (kind.verify)(&self.connection) {
            Ok(None) => Ok(()),
            Ok(Some(flaw)) => Err(self.damaged(&flaw)),
            Err(error) => Err(self.error(&error)),
        }
    }

    /// What a failed read means.
    pub fn error(&self, error: &rusqlite::Error) -> StorageError {
        read_error(&self.file, error)
    }

    fn damaged(&self, reason: &str) -> StorageError {
        StorageError::Damaged {
            file: self.file.clone(),
            reason: reason.to_owned(),
        }
    }

    fn table_error(&self, error: &rusqlite::Error) -> TableError {
        TableError {
            action: "read",
            reason: self.error(error).to_string(),
        }
    }
}

fn read_error(file: &str, error: &rusqlite::Error) -> StorageError {
    let (file, reason) = (file.to_owned(), error.to_string());
    if is_damage(error) {
        StorageError::Damaged { file, reason }
    } else {
        StorageError::Io {
            action: "read",
            file,
            reason,
        }
    }
}

impl Tables for ReadOnly {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, TableError> {
        state::get(
            &self.connection,
            self.sums,
            Vouch::BothSides,
            table as u8,
            key,
        )
        .map_err(|error| self.table_error(&error))
    }

    fn set(&mut self, _: Table, _: &[u8], _: Option<&[u8]>) -> Result<(), TableError> {
        Err(state::read_only())
    }

    fn scan(&self, table: Table, from: &[u8], limit: usize) -> Result<Vec<Row>, TableError> {
        state::scan(
            &self.connection,
            self.sums,
            Vouch::BothSides,
            table as u8,
            from,
            limit,
        )
        .map_err(|error| self.table_error(&error))
    }
}
