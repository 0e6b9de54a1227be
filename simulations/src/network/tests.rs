//! What the simulated network does to streams.

use std::collections::BTreeSet;

use bytes::Bytes;
use providers::{FrameStream, Network};

use super::*;

const DELAY_MS: (u64, u64) = (2, 9);

fn peer(name: &str) -> PeerId {
    PeerId(name.to_owned())
}

/// Lanes `a` and `b`, which know and admit each other.
fn two_lanes(seed: u64) -> (Arc<Fabric>, SimNet, SimNet) {
    let fabric = Fabric::new(Dice::new(seed), DELAY_MS);
    let (a, b) = (
        fabric.plug_in(peer("a"), peer("a")),
        fabric.plug_in(peer("b"), peer("b")),
    );
    for (net, other) in [(&a, "b"), (&b, "a")] {
        net.set_members(BTreeSet::from([peer("a"), peer("b")]));
        net.add_address(&peer(other), &format!("/simulated/{other}"));
    }
    (fabric, a, b)
}

async fn stream(a: &SimNet, b: &SimNet) -> (FrameStream, FrameStream) {
    let ours = a.open(&peer("b"), StreamClass::Copies).await.unwrap();
    let theirs = b.accept().await.unwrap();
    assert_eq!(theirs.peer, peer("a"));
    (ours, theirs.stream)
}

#[tokio::test(start_paused = true)]
async fn frames_arrive_in_order_and_late() {
    for seed in 0..20 {
        let (_fabric, a, b) = two_lanes(seed);
        let (mut ours, mut theirs) = stream(&a, &b).await;
        let sent_at = Instant::now();
        for n in 0..50_u8 {
            ours.sink.send(Bytes::from(vec![n])).await.unwrap();
        }
        for n in 0..50_u8 {
            let frame = theirs.source.recv().await.unwrap().unwrap();
            assert_eq!(frame[..], [n]);
        }
        let took = sent_at.elapsed().as_millis();
        assert!((2..=9).contains(&took), "{took}");
        drop(ours);
        assert_eq!(theirs.source.recv().await, Ok(None));
    }
}

#[tokio::test(start_paused = true)]
async fn a_cut_loses_what_is_on_its_way_and_is_noticed_later() {
    for seed in 0..20 {
        let (fabric, a, b) = two_lanes(seed);
        let (mut ours, mut theirs) = stream(&a, &b).await;
        ours.sink.send(Bytes::from_static(b"lost")).await.unwrap();
        fabric.cut(&peer("a"), &peer("b"));
        theirs
            .sink
            .send(Bytes::from_static(b"heard"))
            .await
            .unwrap();
        let heard = ours.source.recv().await;
        assert_eq!(heard, Ok(Some(Bytes::from_static(b"heard"))));
        let cut_at = Instant::now();
        theirs.source.recv().await.unwrap_err();
        ours.source.recv().await.unwrap_err();
        assert!(cut_at.elapsed() <= Duration::from_millis(NOTICED_AFTER_MS.1));
        tokio::time::sleep(Duration::from_secs(3)).await;
        assert!(a.connected().is_empty());
        let refused = a.open(&peer("b"), StreamClass::Copies).await.err();
        assert!(matches!(refused, Some(NetworkError::Unreachable { .. })));
        fabric.mend(&peer("a"), &peer("b"));
        stream(&a, &b).await;
        assert_eq!(a.connected(), BTreeSet::from([peer("b")]));
    }
}

#[tokio::test(start_paused = true)]
async fn a_dial_succeeds_when_the_cut_is_mended_in_time() {
    let (fabric, a, b) = two_lanes(1);
    fabric.cut(&peer("b"), &peer("a"));
    let mend = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        fabric.mend(&peer("b"), &peer("a"));
    };
    tokio::join!(mend, stream(&a, &b));
}

#[tokio::test(start_paused = true)]
async fn a_stranger_may_open_nothing_but_a_join_while_one_is_open() {
    let (fabric, a, b) = two_lanes(1);
    let stranger = fabric.plug_in(peer("s"), peer("s"));
    stranger.set_members(BTreeSet::from([peer("a")]));
    stranger.add_address(&peer("a"), "/simulated/a");
    let open = async |class| stranger.open(&peer("a"), class).await.is_ok();
    assert!(!open(StreamClass::Copies).await);
    assert!(!open(StreamClass::Join).await);
    a.set_joining(true);
    assert!(!open(StreamClass::Copies).await);
    assert!(open(StreamClass::Join).await);
    let not_a_member = b.open(&peer("s"), StreamClass::Control).await.err();
    assert_eq!(not_a_member, Some(NetworkError::NotAMember(peer("s"))));
    assert!(stranger.connected().is_empty());
}

#[tokio::test(start_paused = true)]
async fn closing_the_door_ends_the_streams_of_strangers() {
    let (_fabric, a, b) = two_lanes(1);
    let (_ours, mut theirs) = stream(&a, &b).await;
    b.set_members(BTreeSet::new());
    theirs.source.recv().await.unwrap_err();
}

#[tokio::test(start_paused = true)]
async fn an_unplugged_process_reaches_nobody_and_its_successor_does() {
    for seed in 0..20 {
        let (fabric, a, b) = two_lanes(seed);
        let (mut ours, mut theirs) = stream(&a, &b).await;
        ours.sink
            .send(Bytes::from_static(b"too late"))
            .await
            .unwrap();
        fabric.unplug(&peer("a"));
        theirs.source.recv().await.unwrap_err();
        ours.source.recv().await.unwrap_err();
        assert!(a.accept().await.is_none());
        let dead = a.open(&peer("b"), StreamClass::Copies).await.err();
        assert!(matches!(dead, Some(NetworkError::Unreachable { .. })));
        let again = fabric.plug_in(peer("a"), peer("a"));
        again.set_members(BTreeSet::from([peer("b")]));
        stream(&again, &b).await;
    }
}

const GOOD: Quality = Quality {
    delay_ms: Some((1, 1)),
    bytes_per_s: None,
    lost_permille: 0,
    breaks_permille: 0,
};

#[tokio::test(start_paused = true)]
async fn on_a_slow_link_bulk_holds_up_a_heartbeat() {
    let (fabric, a, b) = two_lanes(1);
    let (mut bulk, _bulk_end) = stream(&a, &b).await;
    let (mut beat, mut beat_end) = stream(&a, &b).await;
    let slow = Quality {
        bytes_per_s: Some(100_000),
        ..GOOD
    };
    fabric.worsen(&peer("a"), &peer("b"), 1, slow);
    let sent_at = Instant::now();
    bulk.sink.send(Bytes::from(vec![0; 50_000])).await.unwrap();
    beat.sink.send(Bytes::from_static(b"beat")).await.unwrap();
    beat_end.source.recv().await.unwrap();
    let took = sent_at.elapsed().as_millis();
    assert!((500..510).contains(&took), "{took}");
    fabric.relieve(&peer("a"), &peer("b"), 1);
    let sent_at = Instant::now();
    beat.sink.send(Bytes::from_static(b"beat")).await.unwrap();
    beat_end.source.recv().await.unwrap();
    assert!(sent_at.elapsed().as_millis() <= 9);
}

#[tokio::test(start_paused = true)]
async fn a_lossy_link_delays_its_streams_apart_and_keeps_their_order() {
    let lossy = Quality {
        lost_permille: 200,
        ..GOOD
    };
    let mut overtaken = 0;
    for seed in 0..20 {
        let (fabric, a, b) = two_lanes(seed);
        let (mut one, mut one_end) = stream(&a, &b).await;
        let (mut other, mut other_end) = stream(&a, &b).await;
        fabric.worsen(&peer("a"), &peer("b"), 1, lossy);
        for n in 0..10_u8 {
            one.sink.send(Bytes::from(vec![n])).await.unwrap();
        }
        other.sink.send(Bytes::from_static(b"other")).await.unwrap();
        other_end.source.recv().await.unwrap();
        let other_at = Instant::now();
        for n in 0..10_u8 {
            let frame = one_end.source.recv().await.unwrap().unwrap();
            assert_eq!(frame[..], [n]);
        }
        overtaken += usize::from(Instant::now() > other_at);
    }
    assert!(overtaken > 5, "{overtaken}");
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_breaks_is_broken_for_both_sides() {
    let (fabric, a, b) = two_lanes(1);
    let (mut ours, mut theirs) = stream(&a, &b).await;
    let breaks = Quality {
        breaks_permille: 1_000,
        ..GOOD
    };
    fabric.worsen(&peer("a"), &peer("b"), 1, breaks);
    ours.sink
        .send(Bytes::from_static(b"gone"))
        .await
        .unwrap_err();
    theirs.source.recv().await.unwrap_err();
    fabric.relieve(&peer("a"), &peer("b"), 1);
    stream(&a, &b).await;
}

#[tokio::test(start_paused = true)]
async fn a_direction_is_as_bad_as_all_faults_of_it_together() {
    let (fabric, a, b) = two_lanes(1);
    let (mut beat, mut beat_end) = stream(&a, &b).await;
    let slow = Quality {
        delay_ms: Some((100, 100)),
        ..Quality::default()
    };
    let narrow = Quality {
        bytes_per_s: Some(1_000),
        ..Quality::default()
    };
    let mut check = async |expected: std::ops::Range<u128>| {
        let sent_at = Instant::now();
        beat.sink.send(Bytes::from(vec![0; 50])).await.unwrap();
        beat_end.source.recv().await.unwrap();
        let took = sent_at.elapsed().as_millis();
        assert!(expected.contains(&took), "{took}");
    };
    fabric.worsen(&peer("a"), &peer("b"), 1, slow);
    check(100..102).await;
    fabric.worsen(&peer("a"), &peer("b"), 2, narrow);
    check(150..152).await;
    fabric.relieve(&peer("a"), &peer("b"), 1);
    check(50..60).await;
    fabric.relieve(&peer("a"), &peer("b"), 2);
    check(0..10).await;
}
