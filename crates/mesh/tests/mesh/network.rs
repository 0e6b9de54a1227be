//! Lanes of one store: streams, dials, losing each other and meeting again.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use crate::common::{
    accept, end_of, key, lane, lane_at, lane_to_restart, make_one_store, open, receive, send,
    set_members, tell, two_lanes, until, within,
};
use bytes::Bytes;
use mesh::{ListenOn, Mesh, MeshConfig, Transports};
use providers::{FRAME_BYTES_MAX, Network, NetworkError, PeerId, StreamClass};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

async fn check_every_class_both_ways(transports: Transports) {
    let (one, two) = two_lanes(transports).await;
    for class in StreamClass::ALL {
        for (from, to) in [(&one, &two), (&two, &one)] {
            let mut near = open(from, to, class).await;
            send(&mut near, b"hello").await;
            let mut far = accept(to).await;
            assert_eq!((far.class, &far.peer), (class, &from.local_peer()));
            assert_eq!(
                receive(&mut far.stream).await.as_deref(),
                Some(&b"hello"[..])
            );

            for frame in [
                vec![],
                vec![1; 200],
                vec![2; 100_000],
                vec![3; FRAME_BYTES_MAX],
            ] {
                let frame = Bytes::from(frame);
                let (sent, received) = within("a frame across", async {
                    tokio::join!(far.stream.sink.send(frame.clone()), near.source.recv())
                })
                .await;
                assert_eq!((sent, received), (Ok(()), Ok(Some(frame))));
            }
            drop(near);
            assert_eq!(receive(&mut far.stream).await, None, "closed in good order");
        }
    }
    assert_eq!(one.connected(), BTreeSet::from([two.local_peer()]));
    assert_eq!(two.connected(), BTreeSet::from([one.local_peer()]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_class_carries_frames_both_ways_over_quic() {
    check_every_class_both_ways(Transports::QuicOnly).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_class_carries_frames_both_ways_over_tcp() {
    check_every_class_both_ways(Transports::TcpOnly).await;
}

#[tokio::test]
async fn a_lane_without_quic_and_one_with_both_meet_over_tcp() {
    let (both, tcp) = (
        lane(1, Transports::QuicThenTcp).await,
        lane(2, Transports::TcpOnly).await,
    );
    assert_eq!(both.local_addresses().len(), 2);
    assert_eq!(
        tcp.local_addresses(),
        [format!("/ip4/127.0.0.1/tcp/{}", tcp.port())]
    );
    for (from, to) in [(&both, &tcp), (&tcp, &both)] {
        set_members(from, &[to.local_peer()]);
        tell(from, to);
    }
    for (from, to) in [(&both, &tcp), (&tcp, &both)] {
        let mut near = open(from, to, StreamClass::Control).await;
        send(&mut near, b"hello").await;
        let mut far = accept(to).await;
        assert_eq!(
            receive(&mut far.stream).await.as_deref(),
            Some(&b"hello"[..])
        );
    }
}

#[tokio::test]
async fn tcp_is_used_where_quic_does_not_answer() {
    let (one, two) = (
        lane(1, Transports::QuicThenTcp).await,
        lane(2, Transports::TcpOnly).await,
    );
    set_members(&one, &[two.local_peer()]);
    set_members(&two, &[one.local_peer()]);
    // A socket that takes packets and never answers.
    let mute = std::net::UdpSocket::bind("127.0.0.1:0").expect("a free port");
    let port = mute.local_addr().expect("bound").port();
    one.add_address(
        &two.local_peer(),
        &format!("/ip4/127.0.0.1/udp/{port}/quic-v1"),
    );
    tell(&one, &two);
    let mut near = open(&one, &two, StreamClass::Control).await;
    send(&mut near, b"hello").await;
    let mut far = accept(&two).await;
    assert_eq!(
        receive(&mut far.stream).await.as_deref(),
        Some(&b"hello"[..])
    );
}

#[tokio::test]
async fn an_address_that_does_not_answer_does_not_stay_in_the_way() {
    let (one, two) = (
        lane(1, Transports::QuicOnly).await,
        lane(2, Transports::QuicOnly).await,
    );
    set_members(&one, &[two.local_peer()]);
    set_members(&two, &[one.local_peer()]);
    let mute = std::net::UdpSocket::bind("127.0.0.1:0").expect("a free port");
    let port = mute.local_addr().expect("bound").port();
    one.add_address(
        &two.local_peer(),
        &format!("/ip4/127.0.0.1/udp/{port}/quic-v1"),
    );
    let opened = within(
        "a failure",
        one.open(&two.local_peer(), StreamClass::Control),
    )
    .await;
    let error = opened.err().expect("nobody answers").to_string();
    assert!(error.contains("no answer within"), "{error}");
    tell(&one, &two);
    let mut near = open(&one, &two, StreamClass::Control).await;
    send(&mut near, b"hello").await;
    let mut far = accept(&two).await;
    assert_eq!(
        receive(&mut far.stream).await.as_deref(),
        Some(&b"hello"[..])
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dialling_each_other_at_once_breaks_nothing() {
    const STREAMS: usize = 8;
    let (one, two) = two_lanes(Transports::QuicThenTcp).await;
    let exchange = async |from: Arc<Mesh>, to: PeerId| {
        let mut streams = Vec::new();
        for _ in 0..STREAMS {
            let opened = from.open(&to, StreamClass::Control).await;
            streams.push(opened.expect("a member that listens"));
        }
        for stream in &mut streams {
            send(stream, b"hello").await;
        }
        for stream in &mut streams {
            assert_eq!(receive(stream).await.as_deref(), Some(&b"hello"[..]));
        }
    };
    let echo = async |lane: Arc<Mesh>| {
        let mut streams = Vec::new();
        for _ in 0..STREAMS {
            let mut incoming = accept(&lane).await;
            let frame = receive(&mut incoming.stream).await.expect("a frame");
            send(&mut incoming.stream, &frame).await;
            streams.push(incoming.stream);
        }
        // Held until the other side has read its answer and closed.
        for stream in &mut streams {
            assert_eq!(receive(stream).await, None);
        }
    };
    within("all streams", async {
        tokio::join!(
            exchange(Arc::clone(&one), two.local_peer()),
            exchange(Arc::clone(&two), one.local_peer()),
            echo(Arc::clone(&one)),
            echo(Arc::clone(&two)),
        )
    })
    .await;
}

#[tokio::test]
async fn who_is_not_a_member_is_not_dialled() {
    let (one, two) = two_lanes(Transports::TcpOnly).await;
    set_members(&one, &[]);
    let check = async |peer: PeerId, class: StreamClass, expected: &str| {
        let error = within("a refusal", one.open(&peer, class)).await.err();
        let error = error.expect("refused").to_string();
        assert!(error.contains(expected), "{error}");
    };
    let not_a_member = format!("{} is not a member of this store", two.local_peer());
    check(two.local_peer(), StreamClass::Control, &not_a_member).await;
    check(
        PeerId("lane 2".to_owned()),
        StreamClass::Join,
        "not the id of a lane",
    )
    .await;
    check(
        key(3).peer_id(),
        StreamClass::Join,
        "no address of it is known",
    )
    .await;
    let gone = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = gone.local_addr().expect("bound").port();
    drop(gone);
    one.add_address(&key(4).peer_id(), &format!("/ip4/127.0.0.1/tcp/{port}"));
    check(key(4).peer_id(), StreamClass::Join, "refused").await;
    // Somebody else listens where lane 5 is said to be.
    for address in two.local_addresses() {
        one.add_address(&key(5).peer_id(), &address);
    }
    check(key(5).peer_id(), StreamClass::Join, "is another lane").await;
}

#[tokio::test]
async fn removing_a_member_ends_its_streams_at_once() {
    for transports in [Transports::QuicOnly, Transports::TcpOnly] {
        let (one, two) = two_lanes(transports).await;
        let mut near = open(&one, &two, StreamClass::Control).await;
        send(&mut near, b"hello").await;
        let mut far = accept(&two).await;
        assert_eq!(
            receive(&mut far.stream).await.as_deref(),
            Some(&b"hello"[..])
        );

        set_members(&one, &[]);
        let expected = "its peer may not talk to this lane any more";
        assert_eq!(
            end_of(&mut near).await,
            NetworkError::Closed(expected.to_owned())
        );
        end_of(&mut far.stream).await;
        let refused = within("a send", near.sink.send(Bytes::from_static(b"more"))).await;
        assert_eq!(refused, Err(NetworkError::Closed(expected.to_owned())));
        until("nobody is connected", || {
            one.connected().is_empty() && two.connected().is_empty()
        })
        .await;
        let again = within(
            "a refusal",
            two.open(&one.local_peer(), StreamClass::Control),
        )
        .await;
        let error = again.err().expect("refused").to_string();
        assert!(
            error.contains("may not know this lane as a member"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_lane_that_was_restarted_is_found_again() {
    for transports in [Transports::QuicOnly, Transports::TcpOnly] {
        let one = lane(1, transports).await;
        let two = lane_to_restart(2, transports).await;
        make_one_store(&one, &two);
        let mut near = open(&one, &two, StreamClass::Control).await;
        send(&mut near, b"hello").await;
        accept(&two).await;

        let port = two.port();
        within("shutdown", two.shutdown()).await;
        assert!(within("the end", two.accept()).await.is_none());
        end_of(&mut near).await;
        until("it is gone", || one.connected().is_empty()).await;

        let two = lane_at(2, port, transports).await;
        set_members(&two, &[one.local_peer()]);
        let mut near = open(&one, &two, StreamClass::Control).await;
        send(&mut near, b"again").await;
        let mut far = accept(&two).await;
        assert_eq!(
            receive(&mut far.stream).await.as_deref(),
            Some(&b"again"[..])
        );
        assert_eq!(one.connected(), BTreeSet::from([two.local_peer()]));
    }
}

/// Forwards TCP connections to `to` until told to fall silent, and then holds them open.
async fn proxy(to: u16, silent: watch::Receiver<bool>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let port = listener.local_addr().expect("bound").port();
    tokio::spawn(async move {
        while let Ok((mut near, _)) = listener.accept().await {
            let mut silent = silent.clone();
            tokio::spawn(async move {
                let Ok(mut far) = TcpStream::connect(("127.0.0.1", to)).await else {
                    return;
                };
                tokio::select! {
                    _ = copy_bidirectional(&mut near, &mut far) => {}
                    _ = told(&mut silent) => std::future::pending().await,
                }
            });
        }
    });
    port
}

async fn told(silent: &mut watch::Receiver<bool>) {
    if silent.wait_for(|silent| *silent).await.is_err() {
        // The test is over.
        std::future::pending().await
    }
}

#[tokio::test]
async fn a_peer_that_falls_silent_is_taken_for_dead() {
    let (one, two) = (
        lane(1, Transports::TcpOnly).await,
        lane(2, Transports::TcpOnly).await,
    );
    set_members(&one, &[two.local_peer()]);
    set_members(&two, &[one.local_peer()]);
    let (silence, silent) = watch::channel(false);
    let port = proxy(two.port(), silent).await;
    one.add_address(&two.local_peer(), &format!("/ip4/127.0.0.1/tcp/{port}"));
    let mut near = open(&one, &two, StreamClass::Control).await;
    send(&mut near, b"hello").await;
    let mut far = accept(&two).await;
    assert_eq!(
        receive(&mut far.stream).await.as_deref(),
        Some(&b"hello"[..])
    );

    silence.send_replace(true);
    let expected = NetworkError::Closed("its peer does not answer".to_owned());
    assert_eq!(end_of(&mut near).await, expected);
    assert_eq!(end_of(&mut far.stream).await, expected);
    assert_eq!(one.connected(), BTreeSet::new());
}

#[tokio::test]
async fn a_cancelled_send_leaves_the_frames_whole() {
    for transports in [Transports::QuicOnly, Transports::TcpOnly] {
        let (one, two) = two_lanes(transports).await;
        let mut near = open(&one, &two, StreamClass::Copies).await;
        send(&mut near, b"first").await;
        let mut far = accept(&two).await;
        // Too large for any window, and nobody reads: it gets stuck in the middle.
        let large = Bytes::from(vec![7; FRAME_BYTES_MAX]);
        for _ in 0..4 {
            let stuck =
                tokio::time::timeout(Duration::from_millis(1), near.sink.send(large.clone()));
            // How far it gets does not matter.
            let _ = stuck.await;
        }
        let read = async {
            let mut frames = Vec::new();
            while let Some(frame) = far.stream.source.recv().await.expect("whole frames") {
                frames.push(frame);
            }
            frames
        };
        let finish = async {
            near.sink
                .send(Bytes::from_static(b"last"))
                .await
                .expect("open");
            drop(near);
        };
        let (frames, ()) = within("the rest", async { tokio::join!(read, finish) }).await;
        let (last, before) = frames.split_last().expect("frames");
        assert_eq!((&frames[0][..], &last[..]), (&b"first"[..], &b"last"[..]));
        assert!(before[1..].iter().all(|frame| *frame == large));
    }
}

#[tokio::test]
async fn a_port_in_use_says_what_to_do() {
    let one = lane(1, Transports::QuicThenTcp).await;
    let config = MeshConfig::new(ListenOn::loopback(one.port()));
    let error = Mesh::start(key(2), config).await.err().expect("in use");
    assert_eq!(
        error.to_string(),
        format!(
            "port {} is in use by another process: choose another with --port, or stop the \
             process that has it",
            one.port()
        )
    );
}

#[tokio::test]
async fn addresses_on_every_interface_are_real_ones() {
    let config = MeshConfig::new(ListenOn::every_interface(0));
    let started = within("listening", Mesh::start(key(1), config)).await;
    let one = started.expect("a free port");
    let addresses = one.local_addresses();
    assert!(!addresses.is_empty());
    for address in &addresses {
        assert!(!address.contains("0.0.0.0"), "{address}");
        assert!(address.contains(&one.port().to_string()), "{address}");
    }
    let of = |carrier: &str| {
        let all = addresses.iter();
        all.filter(|address| address.contains(carrier)).count()
    };
    assert_eq!(of("/quic-v1"), of("/tcp/"));
    assert_eq!(of("/quic-v1") + of("/tcp/"), addresses.len());
}
