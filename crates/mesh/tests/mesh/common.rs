//! What the mesh tests share: lanes with fixed keys on loopback, and bounded waiting.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use mesh::{LaneKey, ListenOn, Mesh, MeshConfig, MeshError, Transports};
use providers::{FrameStream, Incoming, Network, PeerId, Random, StreamClass};

/// Bounds every wait, so that a failing test ends. Far above what anything here takes.
const WAIT_MAX: Duration = Duration::from_secs(30);

pub async fn within<T>(what: &str, work: impl Future<Output = T>) -> T {
    tokio::time::timeout(WAIT_MAX, work)
        .await
        .unwrap_or_else(|_| panic!("waited too long for: {what}"))
}

struct Seed(u8);

impl Random for Seed {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(self.0);
    }
}

pub fn key(number: u8) -> LaneKey {
    LaneKey::generate(&Seed(number))
}

pub async fn lane(number: u8, transports: Transports) -> Arc<Mesh> {
    lane_at(number, 0, transports).await
}

pub async fn lane_at(number: u8, port: u16, transports: Transports) -> Arc<Mesh> {
    let config = MeshConfig {
        listen: ListenOn::loopback(port),
        transports,
    };
    let started = within("listening", Mesh::start(key(number), config)).await;
    started.expect("loopback is there")
}

/// A lane on a port that nobody is given by chance while the lane is away: below the range from
/// which the system takes ports, and another one in each process.
pub async fn lane_to_restart(number: u8, transports: Transports) -> Arc<Mesh> {
    const FIRST: u32 = 20_000;
    const COUNT: u32 = 10_000;
    for attempt in 0..100 {
        let port = FIRST + (std::process::id() * 7 + attempt) % COUNT;
        let config = MeshConfig {
            listen: ListenOn::loopback(u16::try_from(port).expect("below 30,000")),
            transports,
        };
        match within("listening", Mesh::start(key(number), config)).await {
            Err(MeshError::PortInUse { .. }) => {}
            started => return started.expect("loopback is there"),
        }
    }
    panic!("no port is free");
}

/// Tells `lane` where `other` is.
pub fn tell(lane: &Mesh, other: &Mesh) {
    for address in other.local_addresses() {
        lane.add_address(&other.local_peer(), &address);
    }
}

pub fn set_members(lane: &Mesh, members: &[PeerId]) {
    lane.set_members(members.iter().cloned().collect());
}

/// Two lanes of one store that know each other's addresses.
pub async fn two_lanes(transports: Transports) -> (Arc<Mesh>, Arc<Mesh>) {
    let (one, two) = (lane(1, transports).await, lane(2, transports).await);
    make_one_store(&one, &two);
    (one, two)
}

pub fn make_one_store(one: &Mesh, two: &Mesh) {
    let both = [one.local_peer(), two.local_peer()];
    for (lane, other) in [(one, two), (two, one)] {
        tell(lane, other);
        set_members(lane, &both);
    }
}

pub async fn open(lane: &Mesh, other: &Mesh, class: StreamClass) -> FrameStream {
    let opened = within("a stream", lane.open(&other.local_peer(), class)).await;
    opened.expect("a member that listens")
}

pub async fn accept(lane: &Mesh) -> Incoming {
    within("an incoming stream", lane.accept())
        .await
        .expect("the mesh runs")
}

pub async fn send(stream: &mut FrameStream, frame: &[u8]) {
    let sent = stream.sink.send(Bytes::copy_from_slice(frame));
    within("sending", sent).await.expect("the stream is open");
}

pub async fn receive(stream: &mut FrameStream) -> Option<Bytes> {
    within("a frame", stream.source.recv())
        .await
        .expect("the stream is open")
}

/// The error a stream ends with; frames before it are skipped.
pub async fn end_of(stream: &mut FrameStream) -> providers::NetworkError {
    within("the end of the stream", async {
        loop {
            match stream.source.recv().await {
                Ok(Some(_)) => {}
                Ok(None) => panic!("the stream ended in good order"),
                Err(error) => return error,
            }
        }
    })
    .await
}

/// Waits until `condition` holds. It is asked again and again because nothing announces it.
pub async fn until(what: &str, condition: impl Fn() -> bool) {
    within(what, async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
}
