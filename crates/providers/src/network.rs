//! The network between lanes: framed, ordered, authenticated streams, one per kind of traffic so
//! that bulk never delays a heartbeat.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;

/// The largest frame either side accepts, in bytes. A larger one ends its stream.
pub const FRAME_BYTES_MAX: usize = 4 * 1024 * 1024;

/// The public identity of a lane's key, as text. The network has proved it before it hands out a
/// stream.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerId(pub String);

impl fmt::Display for PeerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for PeerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a stream carries. Each class has a stream of its own between two lanes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StreamClass {
    /// Heartbeats, votes, small questions and answers.
    Control,
    /// Raft log entries.
    Append,
    /// Copies of journal entries and offers to the leader.
    Copies,
    /// Snapshots of the store.
    Snapshot,
    /// A lane that is not a member yet, with an invitation. The only class open to strangers.
    Join,
}

impl StreamClass {
    pub const ALL: [StreamClass; 5] = [
        StreamClass::Control,
        StreamClass::Append,
        StreamClass::Copies,
        StreamClass::Snapshot,
        StreamClass::Join,
    ];
}

#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum NetworkError {
    #[error("{peer} cannot be reached: {reason}")]
    Unreachable { peer: PeerId, reason: String },
    #[error("{0} is not a member of this store")]
    NotAMember(PeerId),
    #[error("the stream ended: {0}")]
    Closed(String),
    #[error("a frame of {bytes} bytes is over the limit of {FRAME_BYTES_MAX}")]
    FrameTooLarge { bytes: usize },
}

/// The sending half of a stream. Frames arrive whole, in order, or the stream ends.
#[async_trait]
pub trait FrameSink: Send {
    async fn send(&mut self, frame: Bytes) -> Result<(), NetworkError>;
}

/// The receiving half of a stream.
#[async_trait]
pub trait FrameSource: Send {
    /// The next frame; `None` when the other side closed the stream in good order.
    async fn recv(&mut self) -> Result<Option<Bytes>, NetworkError>;
}

pub struct FrameStream {
    pub sink: Box<dyn FrameSink>,
    pub source: Box<dyn FrameSource>,
}

/// A stream that another peer opened to us.
pub struct Incoming {
    pub peer: PeerId,
    pub class: StreamClass,
    pub stream: FrameStream,
}

#[async_trait]
pub trait Network: Send + Sync + 'static {
    fn local_peer(&self) -> PeerId;
    /// Addresses others can dial, as multiaddr text without the peer part.
    fn local_addresses(&self) -> Vec<String>;
    /// Replaces the set of peers that may talk to this lane. Streams with any other peer are
    /// closed, but for `StreamClass::Join` while `joining` is set.
    fn set_members(&self, members: BTreeSet<PeerId>);
    /// Whether strangers may open `StreamClass::Join` streams now (an invitation is open).
    fn set_joining(&self, open: bool);
    /// Remembers an address to try for `peer`.
    fn add_address(&self, peer: &PeerId, address: &str);
    /// Opens a stream to `peer`. Fails at once for a peer that is not a member, except for
    /// `StreamClass::Join`. Returns within 5 s.
    async fn open(&self, peer: &PeerId, class: StreamClass) -> Result<FrameStream, NetworkError>;
    /// The next stream that a peer opened to us; `None` once the network has been shut down.
    async fn accept(&self) -> Option<Incoming>;
    /// Members with a live connection now.
    fn connected(&self) -> BTreeSet<PeerId>;
}

pub type SharedNetwork = Arc<dyn Network>;
