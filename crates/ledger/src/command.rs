//! The commands of the replicated log, and what applying them answers.

use std::collections::BTreeMap;

use catalog::{BookVersion, Record};
use sale::{LaneId, StoreId};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::entry::{format_unsaid, is_format_unsaid};
use crate::{Entry, Epoch, InvitationId, LeftWhy, Run, Seq};

/// The version of the command encoding that this release writes, the first byte of each.
pub const COMMAND_FORMAT: u8 = 1;

/// One entry of the replicated log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Command {
    /// The first command of every store.
    CreateStore {
        store: StoreId,
        name: String,
        lane: LaneId,
        lane_name: String,
        peer: String,
        /// The newest entry format that the lane reads.
        #[serde(default = "format_unsaid", skip_serializing_if = "is_format_unsaid")]
        reads: u16,
    },
    /// Journal entries of any lanes, offered by whoever holds them. Only the next entry of a lane
    /// is taken, so offering twice changes nothing.
    Ingest { entries: Vec<Entry> },
    /// New or changed reference data; takes effect as one book version.
    Reference {
        author: String,
        records: Vec<Record>,
    },
    /// A one-time code was shown on a member lane.
    Invite {
        invitation: InvitationId,
        /// BLAKE3 of the code. The code itself is in no log.
        #[serde(with = "serde_bytes")]
        code_hash: [u8; 32],
        expires_ms: u64,
        by: LaneId,
    },
    /// A lane proved that it knows an invitation's code.
    Admit {
        invitation: InvitationId,
        lane: LaneId,
        lane_name: String,
        peer: String,
        /// The admitting lane's wall clock, which decides on expiry the same way everywhere.
        now_ms: u64,
    },
    /// Head office holds every entry up to this global sequence.
    HqCursor { cursor: u64 },
    /// A lane leaves the store for good.
    Retire {
        lane: LaneId,
        why: LeftWhy,
        by: String,
        now_ms: u64,
    },
    /// The store lost its majority for good and goes on with one lane; all others are missing until
    /// they join again.
    Recover {
        epoch: Epoch,
        keeper: LaneId,
        by: String,
        now_ms: u64,
    },
    /// What head office published, as one book version. Taken only where `after` is what the store took
    /// last, so that asking twice, two leaders, a lost answer or a new epoch change nothing; and only
    /// once every lane reads it ([`crate::FORMAT_PUBLICATIONS`]). Of a change by head office and one by
    /// a manager to the same record, the later one in the log is in force.
    Publish {
        /// Head office's own number, from 1. A store is sent only what is meant for it, so that
        /// numbers may be left out.
        number: u64,
        after: u64,
        author: String,
        records: Vec<Record>,
        /// Why further records of it are left out, for a person: the lane that proposes this could not
        /// use them.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        left_out: Vec<String>,
    },
    /// Two processes claimed one lane at a time: the one that came second is barred.
    Bar { lane: LaneId, keeps: Run, bars: Run },
}

/// What applying a command gives. Refusals are outcomes: they are as replicated as successes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    Done,
    /// The next sequence number wanted of each lane that was offered.
    Ingested {
        next: BTreeMap<LaneId, Seq>,
    },
    Changed {
        version: BookVersion,
    },
    /// A lane is a member now, under this node id and lane number.
    Admitted {
        node: u64,
        number: u32,
    },
    Refused {
        reason: String,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    #[error("a command of format {found}; this release reads up to {COMMAND_FORMAT}")]
    FromTheFuture { found: u8 },
    #[error("a command cannot be read: {0}")]
    Unreadable(String),
}

impl Command {
    pub fn encode(&self) -> Vec<u8> {
        encode(self)
    }

    pub fn decode(bytes: &[u8]) -> Result<Command, CommandError> {
        decode(bytes)
    }
}

impl Outcome {
    pub fn encode(&self) -> Vec<u8> {
        encode(self)
    }

    pub fn decode(bytes: &[u8]) -> Result<Outcome, CommandError> {
        decode(bytes)
    }
}

fn encode<T: Serialize>(value: &T) -> Vec<u8> {
    cbor4ii::serde::to_vec(vec![COMMAND_FORMAT], value).expect("plain data always encodes")
}

fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, CommandError> {
    match bytes.split_first() {
        Some((&COMMAND_FORMAT, body)) => cbor4ii::serde::from_slice(body)
            .map_err(|error| CommandError::Unreadable(error.to_string())),
        Some((&found, _)) => Err(CommandError::FromTheFuture { found }),
        None => Err(CommandError::Unreadable("it is empty".to_owned())),
    }
}
