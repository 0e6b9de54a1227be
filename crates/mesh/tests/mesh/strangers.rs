//! What somebody who is not a member can do: next to nothing. Some of the strangers here are
//! lanes of another store, some speak libp2p but not our framing.

use std::collections::BTreeSet;

use crate::common::{accept, end_of, key, lane, open, receive, send, set_members, tell, within};
use futures::{AsyncReadExt, AsyncWriteExt, StreamExt};
use libp2p::swarm::SwarmEvent;
use libp2p::{Multiaddr, PeerId, Stream, StreamProtocol, Swarm, identity, noise, tcp, yamux};
use mesh::{LaneKey, Mesh, Transports};
use providers::{FRAME_BYTES_MAX, Network, NetworkError, StreamClass};

const ALL: [&str; 5] = [
    "/lanemesh/control/1",
    "/lanemesh/append/1",
    "/lanemesh/copies/1",
    "/lanemesh/snapshot/1",
    "/lanemesh/join/1",
];

/// A libp2p peer that opens what streams it likes and writes what it likes.
struct Stranger {
    swarm: Swarm<libp2p_stream::Behaviour>,
    control: libp2p_stream::Control,
}

impl Stranger {
    fn new(key: &LaneKey) -> Stranger {
        let keypair = identity::Keypair::ed25519_from_bytes(key.to_bytes()).expect("a key");
        let swarm = libp2p::SwarmBuilder::with_existing_identity(keypair)
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
        Stranger { swarm, control }
    }

    /// Starts dialling `lane`.
    async fn dial(&mut self, lane: &Mesh) -> PeerId {
        let peer: PeerId = lane.local_peer().0.parse().expect("a peer id");
        let addresses = lane.local_addresses();
        let tcp = addresses.iter().find(|address| address.contains("/tcp/"));
        let address: Multiaddr = tcp.expect("TCP").parse().expect("an address");
        let address = address.with_p2p(peer).expect("no peer yet");
        self.swarm.dial(address).expect("an address");
        peer
    }

    /// Opens a stream; `None` when the lane does not give it one.
    async fn stream(&mut self, peer: PeerId, protocol: &'static str) -> Option<Stream> {
        let mut control = self.control.clone();
        let opening = control.open_stream(peer, StreamProtocol::new(protocol));
        let mut opening = std::pin::pin!(opening);
        within("a stream or a refusal", async {
            loop {
                tokio::select! {
                    opened = &mut opening => return opened.ok(),
                    event = self.swarm.select_next_some() => {
                        if matches!(event, SwarmEvent::ConnectionClosed { .. }) {
                            return None;
                        }
                    }
                }
            }
        })
        .await
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

#[tokio::test]
async fn a_stranger_is_offered_nothing() {
    let one = lane(1, Transports::TcpOnly).await;
    for protocol in ALL
        .into_iter()
        .chain(["/ipfs/id/1.0.0", "/ipfs/ping/1.0.0"])
    {
        let mut stranger = Stranger::new(&key(9));
        let peer = stranger.dial(&one).await;
        assert!(
            stranger.stream(peer, protocol).await.is_none(),
            "{protocol}"
        );
    }
    assert_eq!(one.connected(), BTreeSet::new());
}

#[tokio::test]
async fn a_lane_of_another_store_gets_no_stream() {
    for transports in [Transports::QuicOnly, Transports::TcpOnly] {
        let (one, two) = (lane(1, transports).await, lane(2, transports).await);
        tell(&two, &one);
        set_members(&two, &[one.local_peer()]);
        for class in StreamClass::ALL {
            let opened = within("a refusal", two.open(&one.local_peer(), class)).await;
            let error = opened.err().expect("refused").to_string();
            assert!(
                error.contains("may not know this lane as a member"),
                "{error}"
            );
        }
        assert_eq!(one.connected(), BTreeSet::new());
        within("shutdown", one.shutdown()).await;
        let arrived = within("what arrived", one.accept()).await;
        assert!(arrived.is_none());
    }
}

#[tokio::test]
async fn joining_is_possible_while_it_is_open() {
    for transports in [Transports::QuicOnly, Transports::TcpOnly] {
        let (one, two) = (lane(1, transports).await, lane(2, transports).await);
        tell(&two, &one);
        let join = StreamClass::Join;
        let closed = within("a refusal", two.open(&one.local_peer(), join)).await;
        assert!(matches!(
            closed.err(),
            Some(NetworkError::Unreachable { .. })
        ));

        one.set_joining(true);
        let mut near = open(&two, &one, join).await;
        send(&mut near, b"the code").await;
        let mut far = accept(&one).await;
        assert_eq!((far.class, &far.peer), (join, &two.local_peer()));
        assert_eq!(
            receive(&mut far.stream).await.as_deref(),
            Some(&b"the code"[..])
        );
        send(&mut far.stream, b"welcome").await;
        assert_eq!(receive(&mut near).await.as_deref(), Some(&b"welcome"[..]));
        assert_eq!(one.connected(), BTreeSet::new(), "a guest is no member");

        one.set_joining(false);
        end_of(&mut far.stream).await;
        end_of(&mut near).await;
        let closed = within("a refusal", two.open(&one.local_peer(), join)).await;
        assert!(matches!(
            closed.err(),
            Some(NetworkError::Unreachable { .. })
        ));
    }
}

#[tokio::test]
async fn who_has_joined_keeps_the_connection() {
    let (one, two) = (
        lane(1, Transports::QuicOnly).await,
        lane(2, Transports::QuicOnly).await,
    );
    tell(&two, &one);
    one.set_joining(true);
    let mut near = open(&two, &one, StreamClass::Join).await;
    send(&mut near, b"the code").await;
    let mut far = accept(&one).await;
    assert_eq!(
        receive(&mut far.stream).await.as_deref(),
        Some(&b"the code"[..])
    );

    set_members(&one, &[two.local_peer()]);
    one.set_joining(false);
    send(&mut far.stream, b"welcome").await;
    assert_eq!(receive(&mut near).await.as_deref(), Some(&b"welcome"[..]));
    set_members(&two, &[one.local_peer()]);
    // It knows no address of lane 2: this is the connection that lane 2 made.
    let mut back = open(&one, &two, StreamClass::Control).await;
    send(&mut back, b"hello").await;
    let mut there = accept(&two).await;
    assert_eq!(
        receive(&mut there.stream).await.as_deref(),
        Some(&b"hello"[..])
    );
}

#[tokio::test]
async fn a_guest_is_offered_joining_and_nothing_else() {
    let one = lane(1, Transports::TcpOnly).await;
    one.set_joining(true);
    let mut stranger = Stranger::new(&key(9));
    let peer = stranger.dial(&one).await;
    let mut open = Vec::new();
    for protocol in ALL {
        let stream = stranger.stream(peer, protocol).await;
        assert_eq!(
            stream.is_some(),
            protocol == "/lanemesh/join/1",
            "{protocol}"
        );
        open.extend(stream);
    }
    assert_eq!(accept(&one).await.class, StreamClass::Join);
}

#[tokio::test]
async fn only_so_many_guests_come_in() {
    const GUESTS: u8 = 8;
    let one = lane(1, Transports::TcpOnly).await;
    one.set_joining(true);
    let mut guests = Vec::new();
    for number in 0..=GUESTS {
        let mut stranger = Stranger::new(&key(100 + number));
        let peer = stranger.dial(&one).await;
        let stream = stranger.stream(peer, "/lanemesh/join/1").await;
        assert_eq!(stream.is_some(), number < GUESTS, "guest {number}");
        guests.push((stranger, stream));
    }
}

#[tokio::test]
async fn a_broken_frame_ends_its_stream_and_nothing_else() {
    let one = lane(1, Transports::TcpOnly).await;
    set_members(&one, &[key(9).peer_id()]);
    let mut member = Stranger::new(&key(9));
    let peer = member.dial(&one).await;
    let mut good = member.stream(peer, ALL[1]).await.expect("a member");
    let mut oversize = member.stream(peer, ALL[0]).await.expect("a member");
    let mut truncated = member.stream(peer, ALL[2]).await.expect("a member");
    member.run();

    let mut ends = [accept(&one).await, accept(&one).await, accept(&one).await];
    ends.sort_by_key(|incoming| incoming.class);
    let [of_oversize, of_good, of_truncated] = &mut ends;

    let bytes = FRAME_BYTES_MAX + 1;
    let header = (bytes as u32).to_be_bytes();
    oversize
        .write_all(&header)
        .await
        .expect("a writable stream");
    oversize.flush().await.expect("a writable stream");
    let error = end_of(&mut of_oversize.stream).await;
    assert_eq!(error, NetworkError::FrameTooLarge { bytes });
    let refused = of_oversize.stream.sink.send("answer".into()).await;
    assert!(matches!(refused, Err(NetworkError::Closed(_))));
    let mut nothing = Vec::new();
    within("its end", oversize.read_to_end(&mut nothing))
        .await
        .expect("an end");
    assert_eq!(nothing, b"", "not even an answer");

    truncated
        .write_all(&[0, 0, 0, 9, 1])
        .await
        .expect("a writable stream");
    truncated.close().await.expect("a writable stream");
    assert_eq!(
        end_of(&mut of_truncated.stream).await,
        NetworkError::Closed("it was cut off inside a frame".to_owned())
    );

    good.write_all(b"\0\0\0\x05hello")
        .await
        .expect("a writable stream");
    good.flush().await.expect("a writable stream");
    assert_eq!(
        receive(&mut of_good.stream).await.as_deref(),
        Some(&b"hello"[..])
    );
    send(&mut of_good.stream, b"fine").await;
    let mut answer = [0; 8];
    within("the answer", good.read_exact(&mut answer))
        .await
        .expect("8 bytes");
    assert_eq!(&answer, b"\0\0\0\x04fine");
}
