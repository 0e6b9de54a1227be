//! A peer on the network that is no member of the store: it sends garbage, leaves connections half
//! open, drips bytes, announces itself as a lane, and breaks the rules of joining while joining is
//! open. It is refused, costs little, and keeps nobody from selling or from coming back.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use futures::{AsyncReadExt, AsyncWriteExt, StreamExt};
use libp2p::swarm::SwarmEvent;
use libp2p::{Multiaddr, PeerId, Stream, StreamProtocol, Swarm, noise, tcp, yamux};
use mesh::{LaneKey, ListenOn, MdnsDiscovery, Mesh, MeshConfig};
use providers::{Announcement, Discovery, FRAME_BYTES_MAX, Network, Random};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::{sleep, timeout};
use wire::{Answer, Frame};

use crate::dice::Dice;
use crate::lan::{FIRST_NETWORK, Host};
use crate::robots::Robots;
use crate::store::{LIMIT, LOOK_EVERY, Lane, Store, runtime};

const SALES: usize = 5;
/// Silent connections to each lane at a time, more than a lane takes handshakes from one address.
const SILENT: usize = 60;
/// Connections that send garbage to each lane at a time.
const NOISY: usize = 5;
const GARBAGE_BYTES: usize = 64 * 1024;
/// Datagrams of garbage to each lane, and to everybody's multicast.
const DATAGRAMS: usize = 1_000;
const DATAGRAM_BYTES: usize = 1_200;
/// After the lane has hung up.
const AGAIN_AFTER: Duration = Duration::from_millis(250);
const DRIP_EVERY: Duration = Duration::from_millis(200);
/// What a lane may hold more than before because of strangers, in bytes.
const MEMORY_MAX: u64 = 64 * 1024 * 1024;
/// How long a lane may take to refuse, or to show that it does not answer at all.
const REFUSAL_MAX: Duration = Duration::from_secs(20);
/// How long a stranger waits for all of an answer.
const ANSWER_TIME: Duration = Duration::from_secs(3);
const MULTICAST: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::new(224, 0, 0, 251)), 5353);
const JOIN: &str = "/lanemesh/join/1";
/// What stands where a length would when a stream is closed in good order.
const FAREWELL: [u8; 4] = [0xff; 4];
const PING: &str = "/ipfs/ping/1.0.0";
const FOR_MEMBERS: [&str; 4] = [
    "/lanemesh/control/1",
    "/lanemesh/append/1",
    "/lanemesh/copies/1",
    "/lanemesh/snapshot/1",
];

/// A lane as strangers know it.
#[derive(Clone)]
struct Target {
    address: SocketAddr,
    peer: PeerId,
}

impl Target {
    async fn of(lane: &Lane) -> Target {
        let port = std::fs::read_to_string(lane.folder.join("port")).expect("it was kept");
        let address = format!("{}:{}", lane.host.address_in(FIRST_NETWORK), port.trim());
        let key = std::fs::read(lane.folder.join("lane.key")).expect("a key");
        let peer = LaneKey::from_bytes(&key).expect("a key").peer_id();
        Target {
            address: address.parse().expect("an address"),
            peer: peer.0.parse().expect("a peer id"),
        }
    }

    fn multiaddr(&self) -> Multiaddr {
        let address = format!("/ip4/{}/tcp/{}", self.address.ip(), self.address.port());
        address.parse().expect("an address")
    }
}

#[test]
fn strangers_are_refused_and_cost_little() {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let seed = since.expect("after 1970").as_nanos() as u64;
    println!("seed {seed}");
    runtime().block_on(async {
        let Some(mut store) = Store::start(3).await else {
            return;
        };
        let stranger = store.lan.plug_in();
        // Not the machine that besieges the lanes: of that, they take no more handshakes.
        let visitor = store.lan.plug_in();
        let robots = Robots::start(&store);
        robots.wait_sold(&[0, 1, 2], SALES).await;
        let before: Vec<u64> = memory(&store);
        let mut targets = Vec::new();
        for lane in &store.lanes {
            targets.push(Target::of(lane).await);
        }

        let answered = besiege(&stranger, &targets, seed);
        let impostor = pose_as_a_lane(&stranger, &store).await;
        local_api_is_local(&stranger, &store).await;
        robots.wait_sold(&[0, 1, 2], SALES).await;
        // A lane that was away comes back while every handshake is contended for.
        store.lanes[2].host.unplug();
        store.leader_among(&[0, 1]).await;
        let gone = |status: &api::LaneStatus| !status.lanes[2].reachable;
        store.lanes[0].wait("lane 3 is away", gone).await;
        store.lanes[2].host.plug_in_again();
        store.wait_together().await;

        for target in &targets {
            let target = target.clone();
            visitor.run(nothing_is_offered(target)).await;
        }
        store.invite().await;
        let target = targets[0].clone();
        visitor.run(rules_of_joining_hold(target)).await;
        robots.wait_sold(&[0, 1, 2], SALES).await;

        for (lane, before) in store.lanes.iter().zip(before) {
            let grown = lane.resident_bytes().saturating_sub(before);
            println!("lane {} has grown by {} KiB", lane.number, grown / 1024);
            assert!(
                grown < MEMORY_MAX,
                "lane {} holds {grown} more",
                lane.number
            );
            let status = lane.status().await;
            assert_eq!((status.lanes.len(), status.warnings), (3, Vec::new()));
        }
        let talked_to = timeout(
            LOOK_EVERY,
            stranger.run(async move { impostor.accept().await }),
        );
        assert!(talked_to.await.is_err(), "a lane talked to the stranger");
        let answered = answered.load(Ordering::Relaxed);
        println!("{answered} bytes answered to garbage");
        drop(stranger);
        store.assert_all_counted(robots).await;
    });
}

fn memory(store: &Store) -> Vec<u64> {
    let all = store.lanes.iter();
    all.map(|lane| lane.resident_bytes()).collect()
}

/// Begins all that needs no libp2p. It goes on until the host is gone; counts what was answered.
fn besiege(stranger: &Host, targets: &[Target], seed: u64) -> Arc<AtomicU64> {
    let answered = Arc::<AtomicU64>::default();
    let mut seeds = seed..;
    let mut dice = || Dice::new(seeds.next().expect("without an end"));
    for target in targets {
        let to = target.address;
        for _ in 0..SILENT {
            stranger.spawn(connect_again_and_again(to, Vec::new(), answered.clone()));
        }
        for _ in 0..NOISY {
            let garbage = dice().bytes(GARBAGE_BYTES);
            stranger.spawn(connect_again_and_again(to, garbage, answered.clone()));
        }
        stranger.spawn(drip(to));
        stranger.spawn(send_datagrams(to, dice()));
    }
    stranger.spawn(send_datagrams(MULTICAST, dice()));
    answered
}

/// Connects, writes, and stays until the lane hangs up.
async fn connect_again_and_again(to: SocketAddr, bytes: Vec<u8>, answered: Arc<AtomicU64>) {
    loop {
        if let Ok(mut stream) = TcpStream::connect(to).await {
            // The lane may hang up in the middle.
            let _ = stream.write_all(&bytes).await;
            let mut answer = Vec::new();
            let _ = stream.read_to_end(&mut answer).await;
            answered.fetch_add(answer.len() as u64, Ordering::Relaxed);
        }
        sleep(AGAIN_AFTER).await;
    }
}

/// Begins as libp2p does, a byte at a time.
async fn drip(to: SocketAddr) {
    loop {
        if let Ok(mut stream) = TcpStream::connect(to).await {
            for byte in b"\x13/multistream/1.0.0\n\x07/noise\n".iter().cycle() {
                if stream.write_all(&[*byte]).await.is_err() {
                    break;
                }
                sleep(DRIP_EVERY).await;
            }
        }
        sleep(LOOK_EVERY).await;
    }
}

/// Sends datagrams that look like the first packet of QUIC, or like nothing.
async fn send_datagrams(to: SocketAddr, mut dice: Dice) {
    let socket = UdpSocket::bind("0.0.0.0:0").await.expect("a socket");
    for n in 0..DATAGRAMS {
        let mut datagram = dice.bytes(DATAGRAM_BYTES);
        if n % 2 == 0 {
            datagram[..6].copy_from_slice(&[0xc3, 0, 0, 0, 1, 8]);
        }
        // A full queue is no reason to stop.
        let _ = socket.send_to(&datagram, to).await;
        sleep(Duration::from_millis(1)).await;
    }
}

struct Seed(u8);

impl Random for Seed {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(self.0);
    }
}

/// Announces a lane of this store that is none, and listens for who believes it.
async fn pose_as_a_lane(stranger: &Host, store: &Store) -> Arc<Mesh> {
    let short = store.announced().await;
    stranger
        .run(async move {
            let key = LaneKey::generate(&Seed(9));
            let config = MeshConfig::new(ListenOn::every_interface(0));
            let mesh = Mesh::start(key.clone(), config).await.expect("a mesh");
            mesh.set_joining(true);
            let discovery = MdnsDiscovery::start(key.peer_id());
            discovery.announce(Announcement {
                store: short,
                peer: key.peer_id(),
                lane_name: "Lane 4".to_owned(),
                addresses: mesh.local_addresses(),
            });
            // It goes on announcing until the host is gone.
            tokio::spawn(async move { while discovery.next().await.is_some() {} });
            mesh
        })
        .await
}

/// The API of a lane is there for its own machine alone.
async fn local_api_is_local(stranger: &Host, store: &Store) {
    for lane in &store.lanes {
        let file = std::fs::read(lane.folder.join("api.json")).expect("it says where it is");
        let api: serde_json::Value = serde_json::from_slice(&file).expect("JSON");
        let url = api["url"].as_str().expect("a URL");
        let port = url.rsplit(':').next().expect("a port");
        let address = format!("{}:{port}", lane.host.address_in(FIRST_NETWORK));
        let connected = stranger.run(async move { TcpStream::connect(address).await.is_ok() });
        assert!(
            !connected.await,
            "the local API can be reached from outside"
        );
    }
}

/// A libp2p peer that opens what streams it likes and writes what it likes.
struct Peer {
    swarm: Swarm<libp2p_stream::Behaviour>,
    control: libp2p_stream::Control,
}

impl Peer {
    fn dial(target: &Target) -> Peer {
        let mut swarm = libp2p::SwarmBuilder::with_new_identity()
            .with_tokio()
            .with_tcp(
                tcp::Config::default(),
                noise::Config::new,
                yamux::Config::default,
            )
            .expect("a transport")
            .with_behaviour(|_| libp2p_stream::Behaviour::new())
            .expect("a behaviour")
            .build();
        let control = swarm.behaviour().new_control();
        let address = target.multiaddr().with_p2p(target.peer);
        swarm
            .dial(address.expect("no peer yet"))
            .expect("an address");
        Peer { swarm, control }
    }

    /// Opens a stream; `None` when the lane does not give it one.
    async fn stream(&mut self, target: &Target, protocol: &'static str) -> Option<Stream> {
        let mut control = self.control.clone();
        let opening = control.open_stream(target.peer, StreamProtocol::new(protocol));
        let mut opening = std::pin::pin!(opening);
        let opened = async {
            loop {
                tokio::select! {
                    opened = &mut opening => return opened.ok(),
                    event = self.swarm.select_next_some() => {
                        let over = matches!(
                            event,
                            SwarmEvent::ConnectionClosed { .. }
                                | SwarmEvent::OutgoingConnectionError { .. }
                        );
                        if over {
                            return None;
                        }
                    }
                }
            }
        };
        timeout(REFUSAL_MAX, opened).await.unwrap_or(None)
    }

    /// Goes on in the background, so that its streams live.
    fn run(mut self) {
        tokio::spawn(async move {
            loop {
                self.swarm.select_next_some().await;
            }
        });
    }
}

/// Who is no member gets no stream of any kind while nobody is invited.
async fn nothing_is_offered(target: Target) {
    for protocol in FOR_MEMBERS.into_iter().chain([JOIN, PING]) {
        let mut peer = Peer::dial(&target);
        let stream = peer.stream(&target, protocol).await;
        assert!(stream.is_none(), "{protocol}");
    }
}

/// While somebody is invited, a stranger may join and nothing else, and a broken frame ends its
/// stream or is refused.
async fn rules_of_joining_hold(target: Target) {
    let started = Instant::now();
    let (mut peer, first) = loop {
        // The lane opens its door a moment after the invitation.
        let mut peer = Peer::dial(&target);
        if let Some(stream) = peer.stream(&target, JOIN).await {
            break (peer, stream);
        }
        assert!(started.elapsed() < LIMIT, "joining is not open");
        sleep(LOOK_EVERY).await;
    };
    for protocol in FOR_MEMBERS {
        let stream = peer.stream(&target, protocol).await;
        assert!(stream.is_none(), "{protocol}");
    }
    peer.run();
    let oversize = (FRAME_BYTES_MAX as u32 + 1).to_be_bytes();
    refused_at_most(first, &oversize).await;

    let mut peer = Peer::dial(&target);
    let garbage = peer.stream(&target, JOIN).await.expect("it is open");
    let slow = peer.stream(&target, JOIN).await.expect("it is open");
    peer.run();
    refused_at_most(garbage, b"\0\0\0\x07garbage").await;
    // A frame of the largest size of which nothing more than the beginning ever comes.
    let mut frame = (FRAME_BYTES_MAX as u32).to_be_bytes().to_vec();
    frame.extend([0; 100]);
    refused_at_most(slow, &frame).await;
}

/// Writes and makes sure that nothing comes back but a refusal.
async fn refused_at_most(mut stream: Stream, bytes: &[u8]) {
    stream.write_all(bytes).await.expect("a writable stream");
    stream.flush().await.expect("a writable stream");
    let mut answer = Vec::new();
    // The end of the stream and none are as good.
    let _ = timeout(ANSWER_TIME, stream.read_to_end(&mut answer)).await;
    let Some((length, frame)) = answer.split_first_chunk::<4>() else {
        return;
    };
    if *length == FAREWELL {
        return;
    }
    let length = u32::from_be_bytes(*length) as usize;
    match wire::decode::<Frame>(&frame[..length.min(frame.len())]) {
        Ok(Frame::Answer {
            answer: Answer::Refused { .. },
            ..
        }) => {}
        other => panic!("{bytes:?} was answered with {other:?}"),
    }
}
