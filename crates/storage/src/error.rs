//! What can go wrong with a lane's databases, in words for the person at the lane.

use std::fmt;

use ledger::EntryError;
use providers::DiskError;

use crate::state::STATE;

/// Why a database could not do what was asked. Cloned to every request that shared a commit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StorageError {
    /// A commit failed. What it held counts as not written; everything acknowledged before it is
    /// safe, and the next commit is tried afresh.
    #[error("{file} could not be made durable: {reason}")]
    NotDurable {
        file: String,
        reason: String,
        /// Whether the same write may be made again and be durable then: the disk is full, or did not
        /// take the write at all.
        may_pass: bool,
    },
    /// Something in the database is not what was written. The next start checks the whole file and
    /// sets it aside if it is damaged.
    #[error(
        "{file} is damaged: {reason}. Nothing of what is wrong there was used, shown or sent{}. Restart \
         this lane: it will set the file aside{}",
        kept(file),
        then(file)
    )]
    Damaged { file: String, reason: String },
    #[error(
        "{file} was written by a newer release (format {found}, this one knows {known}): upgrade this lane"
    )]
    Newer {
        file: String,
        found: i64,
        known: i64,
    },
    #[error("cannot {action} {file}: {reason}")]
    Io {
        action: &'static str,
        file: String,
        reason: String,
    },
    /// An entry that does not continue its lane's chain. Nothing of its request was written.
    #[error("refused: {0}")]
    Refused(#[from] EntryError),
    /// A snapshot that is not what its sender or builder sealed.
    #[error("snapshot {file} cannot be used: {reason}")]
    BadSnapshot { file: String, reason: String },
    /// The worker of this database has ended.
    #[error("{file} is closed")]
    Closed { file: String },
}

/// What is not in a file of this name, or somewhere else, too.
fn kept(file: &str) -> &'static str {
    match file.ends_with(STATE.file) {
        true => ", and every sale is kept",
        false => "",
    }
}

/// What the next start does about a file of this name once it is set aside.
fn then(file: &str) -> &'static str {
    match file.ends_with(STATE.file) {
        true => " and build it anew from what it and its siblings hold",
        false => "",
    }
}

impl From<DiskError> for StorageError {
    fn from(error: DiskError) -> StorageError {
        StorageError::Io {
            action: error.action,
            file: error.file,
            reason: error.source.to_string(),
        }
    }
}

/// A damaged database that was moved out of the way, for a person to read about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetAside {
    pub file: String,
    /// The new name; `None` when there was nothing left to move.
    pub moved_to: Option<String>,
    pub reason: String,
}

impl fmt::Display for SetAside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} could not be used ({})", self.file, self.reason)?;
        match &self.moved_to {
            Some(name) => write!(f, "; it was kept as {name} and a new one was begun"),
            None => write!(f, "; a new one was begun"),
        }
    }
}
