//! Between lanes: questions and answers, matched by number on one stream.

use std::collections::BTreeMap;

use ledger::{Entry, Epoch, Head, Hlc, LaneId, Run, Seq, StoreId};
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use crate::decode;

/// The ends of the journals that a lane holds.
pub type Heads = BTreeMap<LaneId, Head>;

/// One frame of a stream: a question, or the answer to the question of the same number.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Frame {
    Ask { id: u64, ask: Ask },
    Answer { id: u64, answer: Answer },
}

/// The number of a question, also where this release does not know its kind: then it is answered
/// with [`Answer::Refused`], so that the asker need not wait. `None` for everything else.
pub fn question_id(frame: &[u8]) -> Option<u64> {
    /// A frame of which only the kind and the number are looked at.
    #[derive(Deserialize)]
    enum Numbered {
        Ask { id: u64 },
    }
    match decode(frame) {
        Ok(Numbered::Ask { id }) => Some(id),
        Err(_) => None,
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Ask {
    /// A Raft request, opaque here.
    Raft(ByteBuf),
    /// Which journals do you hold, and how far?
    Heads,
    /// Keep these entries; answer once they are durable.
    Copy {
        entries: Vec<Entry>,
    },
    /// Propose this ledger command, for the leader.
    Propose(ByteBuf),
    /// How can you be reached, and how can others, as far as you know?
    Contacts {
        known: Vec<LaneContact>,
    },
    Join(JoinRequest),
    /// This is who I am: do I belong to the store? The one question that is answered to a lane that
    /// has left, or is of another epoch. The first one on every stream between members.
    Standing(Hello),
    /// Which process of this lane do you deal with?
    WhichRun {
        lane: LaneId,
    },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Answer {
    Raft(ByteBuf),
    Heads(Heads),
    /// Durable here: the next sequence number wanted of each lane that was sent.
    Copied {
        next: BTreeMap<LaneId, Seq>,
    },
    /// The command was committed and applied with this outcome.
    Proposed(ByteBuf),
    /// Not the leader; the leader's peer where it is known.
    NotLeader {
        leader: Option<String>,
    },
    Contacts {
        known: Vec<LaneContact>,
    },
    Welcome(Welcome),
    JoinRefused(JoinRefusal),
    /// The question was not understood, or cannot be answered now.
    Refused {
        reason: String,
    },
    Standing(Standing),
    /// `None`: with none that lives.
    Run(Option<SeenRun>),
}

/// A process of some lane, as another lane heard of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenRun {
    pub run: Run,
    /// Whether the lane that answers deals with it; otherwise it is about to find out whether it may.
    pub seated: bool,
}

/// What a lane says of itself, on every stream, and every second to every sibling.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    pub lane: LaneId,
    pub epoch: Epoch,
    pub run: Run,
    /// The ticket of the last answer from the lane that is asked, 0 for none: it proves that this
    /// run was there after that answer.
    pub ticket: u64,
    /// The stamp that its hybrid clock gave last; 0 from an earlier release.
    #[serde(default, skip_serializing_if = "is_none_yet")]
    pub stamp: Hlc,
    /// The end of its journal once this run had noted its start there; none from an earlier release,
    /// and from one that only looks around. By it a run with an image of a disk with which another
    /// machine went on meanwhile is told from that lane.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started: Option<Head>,
}

/// How the asker stands with the lane that answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// The lane that answers, and its epoch.
    pub lane: LaneId,
    pub epoch: Epoch,
    pub verdict: Verdict,
    /// To be shown with the next question. Never given out twice by one run.
    pub ticket: u64,
    /// How far the answering lane has applied the store's log.
    pub applied: u64,
    /// The stamp that the answering lane's hybrid clock gave last; 0 from an earlier release.
    #[serde(default, skip_serializing_if = "is_none_yet")]
    pub stamp: Hlc,
    /// The process that answers. Always there; left out by none but builds older than the first
    /// release.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<Run>,
    /// Whether the answering lane deals with the process that asked; it does so with one process of
    /// each lane.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub seated: bool,
    /// [`Hello::started`] of the process that answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started: Option<Head>,
}

fn is_none_yet(stamp: &Hlc) -> bool {
    *stamp == Hlc::default()
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Verdict {
    /// Nothing speaks against it.
    Member,
    /// It has left the store; why, in words for a person.
    Left { why: String },
    /// Its disk was copied, and the other process with it is the one that goes on.
    Copied,
    /// The store has other entries of its lane than its journal: a copy of its disk was at work. Said
    /// to none but those that say where they started.
    Parted,
}

/// A lane and where it was last reached.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LaneContact {
    pub peer: String,
    /// Multiaddr text, most recent success first.
    pub addresses: Vec<String>,
}

/// A lane that is no member asks to become one. It shows that it knows the code without sending it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JoinRequest {
    pub invitation: u32,
    /// Keyed BLAKE3 over both peers and the lane id, see `node`'s invitation module.
    #[serde(with = "serde_bytes")]
    pub proof: [u8; 32],
    pub lane: LaneId,
    pub lane_name: String,
    /// The newest entry format that it reads.
    #[serde(
        default = "ledger::format_unsaid",
        skip_serializing_if = "ledger::is_format_unsaid"
    )]
    pub reads: u16,
}

/// What a new member needs to take part. Sent inside the authenticated, encrypted stream.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Welcome {
    pub store: StoreId,
    pub store_name: String,
    #[serde(default, skip_serializing_if = "Epoch::is_first")]
    pub epoch: Epoch,
    /// The new lane's Raft node id.
    pub node: u64,
    pub number: u32,
    /// The members, the answering lane first.
    pub members: Vec<LaneContact>,
    /// Where head office is, and the key that opens it.
    pub hq: Option<(String, String)>,
    /// Proves to the joining lane that the store knows the code, too.
    #[serde(with = "serde_bytes")]
    pub proof: [u8; 32],
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JoinRefusal {
    /// In words for the person at the joining lane.
    pub reason: String,
}
