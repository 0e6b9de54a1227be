//! What can go wrong at head office, and what to do about it.

use std::net::SocketAddr;

use ledger::{LaneId, StoreId};
use providers::DiskError;
use storage::StorageError;

#[derive(Debug, thiserror::Error)]
pub enum HqError {
    #[error(
        "another program listens on {address}: stop it, or choose another address for head office"
    )]
    PortInUse { address: SocketAddr },
    #[error("head office cannot listen on {address}: {reason}")]
    Listen { address: SocketAddr, reason: String },
    #[error(
        "the token in {file} cannot be used: {reason}. Put the old one back from a backup, or remove the file to get a new token, which every store must then be told"
    )]
    BadToken { file: String, reason: String },
    #[error("the machine gives no random numbers for a token: {0}")]
    NoRandomness(String),
    #[error("cannot {}", .0)]
    Disk(#[from] DiskError),
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// A batch that no release of a store sends.
    #[error("the batch cannot be taken: {0}")]
    BadBatch(String),
    /// What nobody could take.
    #[error("nothing was published: {0}")]
    BadPublication(String),
    /// A batch of a part of the store that did not take part in its recovery.
    #[error(
        "store {0} was recovered on another of its lanes and goes on there: what is sold here is kept, and counts once this lane has joined again (`lanemesh join --again`)"
    )]
    LeftBehind(StoreId),
    #[error("head office has heard nothing of store {0}: check the id")]
    UnknownStore(StoreId),
    #[error("store {store} has shown head office no lane {lane}: check the id")]
    UnknownLane { store: StoreId, lane: LaneId },
    #[error("head office is shutting down: try again in a moment")]
    Closed,
}
