//! A sum beside each row of the state and of the Raft log: SQLite keeps none over its pages, and a bit
//! that flips on a disk would be read as if it had been written.
//!
//! Invariant: a row that has a sum is given out as it was written, or not at all. Rows that an earlier
//! release wrote have none, and are taken as they are until they are written again.
//!
//! What no sum shows by itself is a row that is not found, because a bit of its own key has flipped or
//! one of another key that the search came by. Three things find it:
//! - Whoever writes the state has the rows beside the place vouch for each row that is not found, so that
//!   nothing lasting is ever made of a hidden one: a misled search ends right beside the changed key.
//! - Whoever only reads searches once, because a cashier must not wait for a second search, and has the
//!   row vouch that it comes to. Some rows may stay hidden from it until the state is checked; what it is
//!   shown is as it was written.
//! - A running lane checks the whole state, some rows at a time, over and over
//!   (`StateReader::check_some`).
//!
//! A bit that flips in what leads from page to page, or in a page's own directory, can hide rows until
//! SQLite's own check reads the whole file: of a running lane's state each time that its rows were looked
//! through, of all files at a start after damage was met. The first page of a file, with its header and
//! schema, has no sums either.

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Error, OptionalExtension, Row, ffi};

/// Which rows of a table have sums.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sums {
    /// None: an earlier release made the table, and nobody has upgraded it.
    None,
    /// Those that were written since the table was upgraded.
    Some,
    /// All of them.
    All,
}

impl Sums {
    /// Those of a table, by its schema: in one that began with sums they are never NULL.
    pub fn of(connection: &Connection, table: &str) -> rusqlite::Result<Sums> {
        let is_all: Option<bool> = connection
            .prepare_cached("SELECT \"notnull\" FROM pragma_table_info(?1) WHERE name = 'sum'")?
            .query_row([table], |row| row.get(0))
            .optional()?;
        Ok(match is_all {
            None => Sums::None,
            Some(false) => Sums::Some,
            Some(true) => Sums::All,
        })
    }

    /// The statement for a table with sums, or the one for a table without.
    pub fn sql<'a>(self, with: &'a str, without: &'a str) -> &'a str {
        match self {
            Sums::None => without,
            Sums::Some | Sums::All => with,
        }
    }

    /// Holds a row that was read against its sum.
    pub fn check(
        self,
        table: u8,
        key: &[u8],
        value: &[u8],
        sum: ValueRef<'_>,
    ) -> rusqlite::Result<()> {
        let is_right = match sum {
            ValueRef::Null => self != Sums::All,
            ValueRef::Integer(sum) => {
                sum == sum_of(table, key, value) || planted::is("sums-overlooked")
            }
            ValueRef::Real(_) | ValueRef::Text(_) | ValueRef::Blob(_) => false,
        };
        match is_right {
            true => Ok(()),
            false => Err(damage(format!(
                "what it holds under {} is not what was written",
                in_words(table, key)
            ))),
        }
    }
}

/// The sum of a row: CRC-32 over its table, the length of its key, its key and its value.
pub(crate) fn sum_of(table: u8, key: &[u8], value: &[u8]) -> i64 {
    let mut hasher = crc32fast::Hasher::new();
    let mut header = [table; 9];
    header[1..].copy_from_slice(&(key.len() as u64).to_be_bytes());
    hasher.update(&header);
    hasher.update(key);
    hasher.update(value);
    i64::from(hasher.finalize())
}

/// Damage that SQLite does not see, as an error of the kind that it reports what it sees with.
pub(crate) fn damage(reason: String) -> Error {
    Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_CORRUPT), Some(reason))
}

/// The bytes in a column. Anything else there is damage: only bytes are ever written.
pub(crate) fn bytes<'a>(row: &'a Row<'_>, column: usize) -> rusqlite::Result<&'a [u8]> {
    match row.get_ref(column)? {
        ValueRef::Blob(bytes) => Ok(bytes),
        other => Err(damage(format!(
            "it holds something of type {} where bytes were written",
            other.data_type()
        ))),
    }
}

/// A row's place in words that fit a line.
fn in_words(table: u8, key: &[u8]) -> String {
    const BYTES_SHOWN_MAX: usize = 16;
    let shown = key.iter().take(BYTES_SHOWN_MAX);
    let shown: String = shown.map(|byte| format!("{byte:02x}")).collect();
    let rest = if key.len() > BYTES_SHOWN_MAX {
        "…"
    } else {
        ""
    };
    format!("key {shown}{rest} of table {table}")
}
