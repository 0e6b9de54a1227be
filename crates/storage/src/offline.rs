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
use crate::state::{self, STATE};

/// A lane's folder, opened for reading.
pub struct OfflineLane {
    journal: ReadOnly,
    state: ReadOnly,
}

impl OfflineLane {
    /// Opens the journal and the state in `folder`.
    pub fn open(folder: &Path) -> Result<OfflineLane, StorageError> {
        Ok(OfflineLane {
            journal: ReadOnly::open(folder, &JOURNAL)?,
            state: ReadOnly::open(folder, &STATE)?,
        })
    }

    /// The end of every chain in the journal.
    pub fn heads(&self) -> Result<BTreeMap<LaneId, Head>, StorageError> {
        let connection = &self.journal.connection;
        journal::heads(connection).map_err(|error| self.journal.error(&error))
    }

    /// A lane's entries as they lie there, like `Journal::read`, but also with gaps.
    pub fn read(
        &self,
        lane: LaneId,
        from: Seq,
        entries_max: usize,
        bytes_max: usize,
    ) -> Result<Vec<Entry>, StorageError> {
        let connection = &self.journal.connection;
        journal::read(connection, lane, from, entries_max, bytes_max)
            .map_err(|error| self.journal.error(&error))
    }

    /// The store's applied state.
    pub fn tables(&self) -> &dyn Tables {
        &self.state
    }

    /// The index up to which the log has been applied; 0 before the first.
    pub fn applied_index(&self) -> Result<u64, StorageError> {
        state::applied_index(&self.state.connection)
            .map_err(|error| self.state.error(&error))?
            .map_err(|reason| self.state.damaged(reason))
    }
}

/// A database inside one read transaction.
pub struct ReadOnly {
    file: String,
    connection: Connection,
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
            // Begins at its first read, which is at once: both databases are seen as of now.
            connection.execute_batch("BEGIN; SELECT count(*) FROM sqlite_schema")?;
            Ok((connection, ids))
        });
        match opened {
            Ok((connection, (id, version)))
                if (id, version) == (kind.application_id, kind.schema_version) =>
            {
                Ok(ReadOnly { file, connection })
            }
            Ok((_, (id, version)))
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
        state::get(&self.connection, table as u8, key).map_err(|error| self.table_error(&error))
    }

    fn set(&mut self, _: Table, _: &[u8], _: Option<&[u8]>) -> Result<(), TableError> {
        Err(state::read_only())
    }

    fn scan(&self, table: Table, from: &[u8], limit: usize) -> Result<Vec<Row>, TableError> {
        state::scan(&self.connection, table as u8, from, limit)
            .map_err(|error| self.table_error(&error))
    }
}
