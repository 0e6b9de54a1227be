//! Carries Raft's messages over the links.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use consensus::{Member, Transport, TransportError};
use providers::{PeerId, StreamClass};
use serde_bytes::ByteBuf;
use wire::{Answer, Ask};

use super::links::{LinkError, Links};

pub struct RaftOverLinks(pub Arc<Links>);

#[async_trait]
impl Transport for RaftOverLinks {
    async fn call(
        &self,
        to: &Member,
        class: StreamClass,
        request: Bytes,
        limit: Duration,
    ) -> Result<Bytes, TransportError> {
        let ask = Ask::Raft(ByteBuf::from(request.to_vec()));
        let peer = PeerId(to.peer.clone());
        match self.0.ask(&peer, class, ask, limit).await {
            Ok(Answer::Raft(answer)) => Ok(Bytes::from(answer.into_vec())),
            Ok(Answer::Refused { reason }) => Err(TransportError::Refused(reason)),
            Ok(other) => Err(TransportError::Refused(format!("answered {other:?}"))),
            Err(LinkError::Timeout(..)) => Err(TransportError::Timeout),
            Err(error) => Err(TransportError::Unreachable(error.to_string())),
        }
    }
}
