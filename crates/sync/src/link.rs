//! The way to head office.

use async_trait::async_trait;
use ledger::StoreId;
use wire::{HqAck, HqBatch, HqPublication};

/// The way to head office: HTTP in a shop, a simulated WAN in the simulator.
#[async_trait]
pub trait HqLink: Send + Sync + 'static {
    /// Delivers a batch. Succeeds once head office holds it durably. After an error nobody knows
    /// whether it does; delivering the batch again is safe.
    async fn deliver(&self, batch: HqBatch) -> Result<HqAck, HqError>;

    /// The first publication for this store behind number `after`, which says at the same time that
    /// the store has taken everything up to there. `None`: there is nothing new.
    async fn published(&self, store: StoreId, after: u64)
    -> Result<Option<HqPublication>, HqError>;
}

/// Why a batch was not acknowledged, or a question not answered, in words for a person at a lane.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HqError {
    #[error("head office cannot be reached: {0}")]
    Unreachable(String),
    #[error("head office refused the store: {0}")]
    Refused(String),
    /// It takes what is sold, as head offices always have.
    #[error("head office has a release that publishes nothing to its stores")]
    PublishesNothing,
}
