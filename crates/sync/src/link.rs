//! The way to head office.

use async_trait::async_trait;
use wire::{HqAck, HqBatch};

/// The way to head office: HTTP in a shop, a simulated WAN in the simulator.
#[async_trait]
pub trait HqLink: Send + Sync + 'static {
    /// Delivers a batch. Succeeds once head office holds it durably. After an error nobody knows
    /// whether it does; delivering the batch again is safe.
    async fn deliver(&self, batch: HqBatch) -> Result<HqAck, HqError>;
}

/// Why a batch was not acknowledged, in words for a person at a lane.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HqError {
    #[error("head office cannot be reached: {0}")]
    Unreachable(String),
    #[error("head office refused the store: {0}")]
    Refused(String),
}
