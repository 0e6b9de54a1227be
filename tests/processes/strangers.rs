//! Who is no member of the store, against a running lane: refused, whatever it says.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use ledger::{Command, LaneId};
use mesh::{LaneKey, ListenOn, Mesh, MeshConfig};
use providers::{FrameStream, Network, PeerId, Random, StreamClass};
use serde_bytes::ByteBuf;
use wire::{Answer, Ask, Frame, JoinRequest};

use crate::common::{LIMIT, Store, plain_items, runtime};

struct FixedRandom;

impl Random for FixedRandom {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(0x5a);
    }
}

/// A peer with a key of its own, which takes `lane` for its sibling.
async fn stranger(lane: &PeerId, addresses: &[String]) -> Arc<Mesh> {
    let key = LaneKey::generate(&FixedRandom);
    let config = MeshConfig::new(ListenOn::loopback(0));
    let mesh = Mesh::start(key, config).await.expect("loopback is there");
    for address in addresses {
        mesh.add_address(lane, address);
    }
    mesh.set_members([lane.clone()].into());
    mesh
}

async fn within<T>(what: &str, work: impl Future<Output = T>) -> T {
    let done = tokio::time::timeout(LIMIT, work).await;
    done.unwrap_or_else(|_| panic!("waited too long for {what}"))
}

/// A question of each kind that members ask each other.
fn members_questions() -> Vec<Ask> {
    let command = Command::HqCursor { cursor: 0 };
    vec![
        Ask::Heads,
        Ask::Contacts { known: Vec::new() },
        Ask::Copy {
            entries: Vec::new(),
        },
        Ask::Propose(ByteBuf::from(command.encode())),
        Ask::Raft(ByteBuf::from(b"vote for me".to_vec())),
    ]
}

async fn ask(stream: &mut FrameStream, id: u64, ask: Ask) -> Answer {
    let frame = wire::encode(&Frame::Ask { id, ask }).expect("a question");
    let sent = stream.sink.send(Bytes::from(frame)).await;
    sent.expect("the stream is open");
    let frame = within("an answer", stream.source.recv()).await;
    let frame = frame.expect("the stream is open").expect("an answer");
    match wire::decode(&frame) {
        Ok(Frame::Answer { id: of, answer }) if of == id => answer,
        other => panic!("{other:?}"),
    }
}

/// What does not speak the protocol gets a greeting at most, whatever it sends.
fn send_garbage_on_tcp(addresses: &[String]) {
    let tcp = addresses.iter().find_map(|address| {
        let mut parts = address.split('/').skip(2);
        let (ip, kind, port) = (parts.next()?, parts.next()?, parts.next()?);
        (kind == "tcp").then(|| format!("{ip}:{port}"))
    });
    let mut stream = TcpStream::connect(tcp.expect("lanes listen on TCP")).expect("it listens");
    stream.write_all(&[0x5a; 4096]).expect("bytes");
    let limit = Some(Duration::from_secs(1));
    stream.set_read_timeout(limit).expect("a limit");
    let mut answered = Vec::new();
    // Hung up on, or left alone: either is fine.
    let _ = stream.read_to_end(&mut answered);
    assert!(answered.len() < 64, "{answered:?}");
}

#[test]
fn a_stranger_gets_nothing_but_refusals() {
    runtime().block_on(async {
        let store = Store::start(1, false).await;
        let lane = &store.lanes[0];
        lane.sign_in().await;
        let invitation = lane.client.invite().await.expect("a code");
        let known = invitation.addresses.iter();
        let known: Vec<(&str, &str)> = known.filter_map(|a| a.split_once("/p2p/")).collect();
        let peer = PeerId(known[0].1.to_owned());
        let addresses: Vec<String> = known
            .iter()
            .map(|(address, _)| (*address).to_owned())
            .collect();
        send_garbage_on_tcp(&addresses);

        let stranger = stranger(&peer, &addresses).await;
        for class in StreamClass::ALL {
            if class != StreamClass::Join {
                let opened = within("a refusal", stranger.open(&peer, class)).await;
                assert!(opened.is_err(), "{class:?} was opened to a stranger");
            }
        }
        // While an invitation is open it may ask to join, and nothing else.
        let opened = within("a stream", stranger.open(&peer, StreamClass::Join)).await;
        let mut stream = opened.expect("an invitation is open");
        for (id, question) in (1..).zip(members_questions()) {
            let shown = format!("{question:?}");
            let answer = ask(&mut stream, id, question).await;
            let Answer::Refused { reason } = answer else {
                panic!("{shown}: {answer:?}");
            };
            assert_eq!(reason, "not on this stream", "{shown}");
        }
        let guess = JoinRequest {
            invitation: 1,
            proof: [7; 32],
            lane: LaneId([9; 16]),
            lane_name: "Lane 9".to_owned(),
            reads: ledger::ENTRY_FORMAT,
        };
        let answer = ask(&mut stream, 99, Ask::Join(guess)).await;
        assert!(matches!(answer, Answer::JoinRefused(_)), "{answer:?}");
        let garbage = Bytes::from_static(&[0xa7; 300]);
        stream.sink.send(garbage).await.expect("the stream is open");
        let end = within("the end", stream.source.recv()).await;
        assert!(matches!(end, Ok(None) | Err(_)), "{end:?}");
        stranger.shutdown().await;

        lane.sell(&plain_items(1)[0]).await;
        store.wait_complete().await;
        assert_eq!(lane.status().await.lanes.len(), 1);
        store.assert_verified();
    });
}
