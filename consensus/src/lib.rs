//! The store's lanes agree on one log: Raft, on openraft, which no other crate names.
//!
//! A node keeps its vote and log with [`storage::RaftLogDb`], hands committed proposals to an
//! [`Applier`] that works on the store's tables, and talks to the others over a [`Transport`]. The
//! leader's autopilot decides which lanes vote.
//!
//! Invariants: a vote is durable before it is answered; an entry is acknowledged after its fsync;
//! the log is purged only up to a snapshot that is durable; a node that lost its log never takes
//! part again. Our own timers run on the provider clock; openraft's run on its runtime, which
//! `types` names.
//!
//! Nothing here knows what a proposal means, prices anything or opens a connection.

mod autopilot;
mod autopilot_task;
mod codec;
mod config;
mod liveness;
mod log_store;
mod network;
mod node;
mod recovery;
mod rpc;
mod runtime;
mod snapshots;
mod state_machine;
mod status;
#[cfg(test)]
mod tests;
mod transport;
mod types;

pub use config::{ConsensusConfig, LogLimits, Timing};
pub use node::{Consensus, ConsensusError, ProposeError};
pub use recovery::voters;
pub use state_machine::Applier;
pub use status::RaftStatus;
pub use transport::{Transport, TransportError};
pub use types::{Member, NodeId};
