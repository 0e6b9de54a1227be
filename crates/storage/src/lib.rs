//! All that is durable on a lane, on SQLite: the journal, the Raft log and vote, the applied state
//! and its snapshots, and the data folder they live in.
//!
//! Invariants: one writer per database; requests that wait together share one commit; what was
//! acknowledged is on disk; a row or an entry of which a bit has flipped is not given out; a damaged
//! database is set aside and never overwritten; a file of a newer
//! release is refused, not guessed at.
//!
//! Nothing here decides what an entry or a row means, names a consensus type or talks to a network.

mod database;
mod error;
mod file_disk;
mod journal;
mod offline;
mod raft_log;
mod room;
mod snapshot;
mod state;
mod sums;

pub use database::{
    DamageMet, Database, Durability, Kind as DatabaseKind, Limits, nothing_to_verify,
    open as open_database, transact,
};
pub use error::{SetAside, StorageError};
pub use file_disk::FileDisk;
pub use journal::Journal;
pub use offline::{OfflineJournal, OfflineState, ReadOnly as ReadOnlyDatabase, check_databases};
pub use raft_log::{RaftLogDb, RaftWrite};
pub use room::Room;
pub use snapshot::{
    RowKey, SNAPSHOT_CHUNK_BYTES, SnapshotChunk, SnapshotFile, SnapshotIncoming, SnapshotRows,
    SnapshotSeal, Snapshots,
};
pub use state::{StateDb, StateReader, StateTransaction, StateWriter};

#[cfg(test)]
mod tests;
