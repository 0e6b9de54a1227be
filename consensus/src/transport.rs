//! What consensus asks of the network: one question, one answer, within a limit.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use providers::StreamClass;

use crate::Member;

/// Why a question was not answered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// There is no connection: asking again at once is of no use.
    #[error("cannot be reached: {0}")]
    Unreachable(String),
    #[error("did not answer in time")]
    Timeout,
    /// The other side answers, but not this.
    #[error("refused: {0}")]
    Refused(String),
}

/// Carries questions to other nodes' [`crate::Consensus::handle`].
#[async_trait]
pub trait Transport: Send + Sync + 'static {
    /// Asks `to` over its stream for `class` and returns the answer. Votes, heartbeats and appends
    /// to one node are answered in the order in which they were asked.
    async fn call(
        &self,
        to: &Member,
        class: StreamClass,
        request: Bytes,
        limit: Duration,
    ) -> Result<Bytes, TransportError>;
}
