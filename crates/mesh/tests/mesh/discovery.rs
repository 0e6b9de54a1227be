//! Multicast discovery between two lanes of this process.

use std::time::Duration;

use crate::common::key;
use mesh::MdnsDiscovery;
use providers::{Announcement, Discovery, Found, PeerId};

const FIND_TIME_MAX: Duration = Duration::from_secs(20);

fn announcement(number: u8) -> Announcement {
    Announcement {
        store: "7f3a".to_owned(),
        peer: key(number).peer_id(),
        lane_name: format!("Lane {number}"),
        addresses: vec![format!("/ip4/127.0.0.1/udp/400{number}/quic-v1")],
    }
}

/// Waits for `peer` among whatever else is announced on this network.
async fn find(discovery: &MdnsDiscovery, peer: &PeerId) -> Option<Found> {
    let finding = async {
        loop {
            let found = discovery.next().await.expect("it does not end");
            if found.peer == *peer {
                return found;
            }
        }
    };
    tokio::time::timeout(FIND_TIME_MAX, finding).await.ok()
}

#[tokio::test]
async fn two_lanes_of_one_machine_find_each_other() {
    let (first, second) = (announcement(1), announcement(2));
    let one = MdnsDiscovery::start(first.peer.clone());
    let two = MdnsDiscovery::start(second.peer.clone());
    one.announce(first.clone());
    two.announce(second.clone());
    let (of_two, of_one) = tokio::join!(find(&one, &second.peer), find(&two, &first.peer));
    let (Some(of_two), Some(of_one)) = (of_two, of_one) else {
        let reason = one.unavailable().or(two.unavailable());
        assert!(
            std::env::var_os("CI").is_none(),
            "lanes were not found by multicast: {reason:?}"
        );
        eprintln!("not tested: this machine carries no multicast ({reason:?})");
        return;
    };
    for (found, expected) in [(of_one, first), (of_two, second)] {
        assert_eq!(found.store, expected.store);
        assert_eq!(found.lane_name, expected.lane_name);
        assert_eq!(found.addresses, expected.addresses);
    }
    assert_eq!((one.unavailable(), two.unavailable()), (None, None));
}
