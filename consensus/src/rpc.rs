//! The questions nodes ask each other, and their answers.

use bytes::Bytes;
use openraft::raft::{
    AppendEntriesRequest, AppendEntriesResponse, SnapshotResponse, TransferLeaderRequest,
    TransferLeaderResponse, VoteRequest, VoteResponse,
};
use serde::{Deserialize, Serialize};
use storage::{RowKey, SnapshotSeal};

use crate::NodeId;
use crate::snapshots::Progress;
use crate::types::{Types, Vote};

#[derive(Serialize, Deserialize)]
pub struct Request {
    pub group: String,
    pub from: NodeId,
    pub to: NodeId,
    /// Whether the asker leads and has heard from a quorum lately.
    pub leads_quorum: bool,
    pub ask: Ask,
}

#[derive(Serialize, Deserialize)]
pub enum Ask {
    Append(AppendEntriesRequest<Types>),
    Vote(VoteRequest<Types>),
    PreVote(VoteRequest<Types>),
    TransferLeader(TransferLeaderRequest<Types>),
    SnapshotBegin(SnapshotSeal),
    SnapshotRows {
        seal: SnapshotSeal,
        after: Option<RowKey>,
        rows: Bytes,
    },
    SnapshotEnd {
        seal: SnapshotSeal,
        vote: Vote,
    },
}

#[derive(Debug, Serialize, Deserialize)]
pub enum Answer {
    Append(AppendEntriesResponse<Types>),
    Vote(VoteResponse<Types>),
    TransferLeader(TransferLeaderResponse<Types>),
    SnapshotProgress(Progress),
    SnapshotInstalled(SnapshotResponse<Types>),
    /// The asker is not one of us, or this node cannot do it now.
    Refused(String),
}
