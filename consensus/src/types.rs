//! The one place that fixes openraft's type parameters, the runtime among them.

use bytes::Bytes;
use ledger::LaneId;
use openraft::type_config::alias;
use serde::{Deserialize, Serialize};

use crate::runtime::LaneRuntime;

/// A lane's number in the group. The leader gives it out; it is never used again.
pub type NodeId = u64;

/// Who a node is, kept in the group's membership.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    pub lane: LaneId,
    /// The lane's identity on the network, as text.
    pub peer: String,
    /// The lane's name, for people.
    pub name: String,
}

/// A proposal: opaque here, a ledger command to the applier.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payload(pub Bytes);

impl std::fmt::Display for Payload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

impl std::fmt::Debug for Payload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

/// What the applier answered to a proposal; empty for entries it does not see.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Applied(#[serde(with = "serde_bytes")] pub Vec<u8>);

openraft::declare_raft_types!(
    /// openraft with our types and runtime.
    pub Types:
        D = Payload,
        R = Applied,
        NodeId = NodeId,
        Node = Member,
        AsyncRuntime = LaneRuntime,
);

pub type Entry = alias::EntryOf<Types>;
pub type LogId = alias::LogIdOf<Types>;
pub type Vote = alias::VoteOf<Types>;
pub type StoredMembership = alias::StoredMembershipOf<Types>;
pub type SnapshotMeta = alias::SnapshotMetaOf<Types>;
