//! Discovery from a list, for networks that do not carry multicast.

use std::collections::VecDeque;
use std::time::Duration;

use async_trait::async_trait;
use providers::{Announcement, Discovery, Found, PeerId};
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep_until};

/// How often the whole list is yielded again: the lanes on it may have been away.
const REPEAT_INTERVAL: Duration = Duration::from_secs(10);

/// Yields the lanes of a list, all of them at once and again every 10 s. What is yielded carries
/// no store and no lane name (empty text): the list does not know them.
pub struct StaticDiscovery {
    list: Vec<Found>,
    interval: Duration,
    round: Mutex<Round>,
}

/// What is left of this round, and when the next one starts.
struct Round {
    left: VecDeque<Found>,
    next: Instant,
}

impl StaticDiscovery {
    /// `list`: each lane with its addresses as multiaddr text. An entry for `local`, this lane, is
    /// left out, so that all lanes of a store can be given the same list.
    pub fn new(local: &PeerId, list: Vec<(PeerId, Vec<String>)>) -> StaticDiscovery {
        let others = list.into_iter().filter(|(peer, _)| peer != local);
        let list = others.map(|(peer, addresses)| Found {
            store: String::new(),
            peer,
            lane_name: String::new(),
            addresses,
        });
        StaticDiscovery {
            list: list.collect(),
            interval: REPEAT_INTERVAL,
            round: Mutex::new(Round {
                left: VecDeque::new(),
                next: Instant::now(),
            }),
        }
    }
}

#[async_trait]
impl Discovery for StaticDiscovery {
    /// Does nothing: the others have this lane on their own lists.
    fn announce(&self, _announcement: Announcement) {}

    async fn next(&self) -> Option<Found> {
        let mut round = self.round.lock().await;
        loop {
            if let Some(found) = round.left.pop_front() {
                return Some(found);
            }
            sleep_until(round.next).await;
            round.next = Instant::now() + self.interval;
            round.left = self.list.iter().cloned().collect();
        }
    }

    fn unavailable(&self) -> Option<String> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_list_comes_round_without_this_lane() {
        let peer = |name: &str| PeerId(name.to_owned());
        let address = |port: u16| vec![format!("/ip4/10.0.0.7/tcp/{port}")];
        let list = vec![
            (peer("one"), address(1)),
            (peer("me"), address(2)),
            (peer("three"), address(3)),
        ];
        let discovery = StaticDiscovery {
            interval: Duration::from_millis(1),
            ..StaticDiscovery::new(&peer("me"), list)
        };
        let mut seen = Vec::new();
        for _ in 0..4 {
            let found = discovery.next().await.expect("never ends");
            assert_eq!((found.store, found.lane_name), Default::default());
            seen.push((found.peer.0, found.addresses));
        }
        let round = [
            ("one".to_owned(), address(1)),
            ("three".to_owned(), address(3)),
        ];
        assert_eq!(seen, [round.clone(), round].concat());
        assert_eq!(discovery.unavailable(), None);
    }
}
