//! Finding the other lanes of this network segment. A hint, never an authority.

use async_trait::async_trait;

use crate::PeerId;

/// What a lane tells the network about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Announcement {
    /// The first characters of the store id: enough to tell two stores apart, no secret.
    pub store: String,
    pub peer: PeerId,
    pub lane_name: String,
    /// Addresses as multiaddr text, without the peer part.
    pub addresses: Vec<String>,
}

/// A lane seen on the network. Unauthenticated: only the network's handshake proves a peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    pub store: String,
    pub peer: PeerId,
    pub lane_name: String,
    pub addresses: Vec<String>,
}

#[async_trait]
pub trait Discovery: Send + Sync + 'static {
    /// Starts, or replaces, what this lane announces.
    fn announce(&self, announcement: Announcement);
    /// The next lane seen or seen anew; this lane's own announcements are left out. `None` once
    /// discovery has ended, with the reason in `unavailable`.
    async fn next(&self) -> Option<Found>;
    /// Why discovery does not work on this machine, in words for a person; `None` while it works.
    fn unavailable(&self) -> Option<String>;
}
