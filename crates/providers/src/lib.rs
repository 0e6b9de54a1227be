//! The five things a lane takes from the world: time, randomness, network, disk and discovery.
//!
//! Node and consensus code is written against these traits alone, so that the same code runs on
//! tokio, libp2p, SQLite files and mDNS in a shop and on virtual time, a simulated network and a
//! simulated disk in the simulator.
//!
//! Tasks come with them: [`spawn`] is the one way in which lane code begins one.
//!
//! Nothing in this crate performs I/O; the production set is wired in `node`.

mod clock;
mod discovery;
mod disk;
mod network;
mod random;
mod task;

pub use clock::{Clock, SharedClock, timeout};
pub use discovery::{Announcement, Discovery, Found};
pub use disk::{Disk, DiskError, SharedDisk, SqliteLocation, WorkerEnd};
pub use network::{
    FRAME_BYTES_MAX, FrameSink, FrameSource, FrameStream, Incoming, Network, NetworkError, PeerId,
    SharedNetwork, StreamClass,
};
pub use random::{Random, SharedRandom};
pub use task::{
    Abort, AbortHandle, Entered, JoinError, JoinHandle, Spawner, enter, seeded_random, spawn,
};

/// Everything a lane needs from the world, handed over once at start.
#[derive(Clone)]
pub struct Providers {
    pub clock: SharedClock,
    pub random: SharedRandom,
    pub network: SharedNetwork,
    pub disk: SharedDisk,
}
