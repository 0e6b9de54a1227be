//! The mesh between lanes: the production `Network` and `Discovery`, on libp2p and mDNS.
//!
//! Invariant: a frame is handed over only from a peer whose key libp2p has proved and that is a
//! member of the store at that moment; the one exception is a `Join` stream while an invitation is
//! open. Everything a stranger can make this lane hold (connections, streams, handshakes, bytes)
//! has a named maximum.
//!
//! Not here: what the frames mean, who is a member (the node says so through `set_members`), and
//! when to connect again (whoever needs a stream opens it; nothing is dialled in the background).
//!
//! - `key`: the lane's identity.
//! - `address`: reading addresses, and the book of those that worked.
//! - `frame`: the frame layout, and a libp2p stream as a pair of frame halves.
//! - `gate`: which peer may open what; streams by class. A libp2p behaviour.
//! - `heard`: when a connection last brought anything.
//! - `driver`: the task that owns the swarm: dials, liveness, shutdown.
//! - `mesh`: the handle, `providers::Network`.
//! - `mdns`, `fixed`: `providers::Discovery` by multicast and from a list.
//!
//! The streams are opened by `gate` and not by the crate `libp2p-stream`, which drops an incoming
//! stream when two of a class arrive at once, opens on a random connection of a peer even when
//! that one is half dead, and keeps a sender for every connection there ever was.

mod address;
mod driver;
mod error;
mod fixed;
mod frame;
mod gate;
mod heard;
mod key;
mod listen;
mod mdns;
mod mesh;

pub use error::MeshError;
pub use fixed::StaticDiscovery;
pub use key::LaneKey;
pub use listen::{ListenOn, MeshConfig, Transports};
pub use mdns::MdnsDiscovery;
pub use mesh::Mesh;
