//! The store's side of the head office protocol: ships committed entries in batches and moves the
//! store's cursor by what head office acknowledges.

use async_trait::async_trait;
use wire::{HqAck, HqBatch};

/// The way to head office: HTTP in a shop, a simulated WAN in the simulator.
#[async_trait]
pub trait HqLink: Send + Sync + 'static {
    /// Delivers a batch. Succeeds once head office holds it durably.
    async fn deliver(&self, batch: HqBatch) -> Result<HqAck, HqError>;
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HqError {
    #[error("head office cannot be reached: {0}")]
    Unreachable(String),
    #[error("head office refused the store: {0}")]
    Refused(String),
}
