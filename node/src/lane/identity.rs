//! What a lane knows about itself, kept in its data folder.

use ledger::Epoch;
use providers::{DiskError, SharedDisk};
use sale::{LaneId, StoreId};
use serde::{Deserialize, Serialize};

/// The file that makes a folder a lane's.
pub const LANE_FILE: &str = "lane.toml";

/// A lane's membership.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// Format of this file; this release writes and reads 1.
    pub format: u32,
    pub store: StoreId,
    pub store_name: String,
    pub lane: LaneId,
    pub lane_name: String,
    /// From 1, printed on receipts.
    pub number: u32,
    /// Raft node id.
    pub node: u64,
    /// Where head office is; none for a store without one.
    pub hq_url: Option<String>,
    /// This lane created the store and has yet to write its first log entry.
    #[serde(default)]
    pub founding: bool,
    /// The store's epoch that this lane belongs to.
    #[serde(default, skip_serializing_if = "Epoch::is_first")]
    pub epoch: Epoch,
    /// This lane was told to go on alone in that epoch, and has yet to begin it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovering: Option<Recovering>,
}

/// By whom and when a recovery was confirmed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recovering {
    pub by: String,
    pub at_ms: u64,
}

#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    #[error("this folder holds no lane: run `lanemesh store create` or `lanemesh join` first")]
    NoLane,
    #[error("{LANE_FILE} cannot be read ({0}): restore it from a backup, or join again")]
    Unreadable(String),
    #[error(transparent)]
    Disk(#[from] DiskError),
}

impl Identity {
    /// The name of the Raft group: lanes of two epochs never agree on anything.
    pub fn group(&self) -> String {
        match self.epoch.is_first() {
            true => self.store.to_string(),
            false => format!("{}/{}", self.store, self.epoch),
        }
    }

    pub fn read(disk: &SharedDisk) -> Result<Identity, IdentityError> {
        Identity::parse(disk.read(LANE_FILE)?.ok_or(IdentityError::NoLane)?)
    }

    /// Reads the content of [`LANE_FILE`].
    pub fn parse(bytes: Vec<u8>) -> Result<Identity, IdentityError> {
        let text =
            String::from_utf8(bytes).map_err(|e| IdentityError::Unreadable(e.to_string()))?;
        let identity: Identity =
            toml::from_str(&text).map_err(|e| IdentityError::Unreadable(e.message().to_owned()))?;
        match identity.format {
            1 => Ok(identity),
            other => Err(IdentityError::Unreadable(format!(
                "format {other} was written by a later release"
            ))),
        }
    }

    pub fn write(&self, disk: &SharedDisk) -> Result<(), IdentityError> {
        let text = toml::to_string(self).map_err(|e| IdentityError::Unreadable(e.to_string()))?;
        Ok(disk.write(LANE_FILE, text.as_bytes())?)
    }
}
