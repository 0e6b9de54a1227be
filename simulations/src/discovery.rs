//! Discovery on the simulated network: announcements reach the lanes that the network reaches.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use providers::{Announcement, Discovery, Found, PeerId};
use tokio::sync::mpsc;

use crate::executor::spawn_world;
use crate::network::Fabric;
use crate::random::Dice;

/// How long an announcement is on its way, in milliseconds.
const HEARD_AFTER_MS: (u64, u64) = (50, 1_000);
/// Announcements that a lane has not looked at yet; more are dropped, as multicast is.
const UNHEARD_MAX: usize = 256;

/// What is announced, and who listens, by their places on the network.
pub struct Board {
    fabric: Arc<Fabric>,
    inner: Mutex<Inner>,
}

struct Inner {
    dice: Dice,
    announced: BTreeMap<PeerId, Announcement>,
    listeners: BTreeMap<PeerId, mpsc::Sender<Found>>,
}

impl Board {
    pub fn new(fabric: Arc<Fabric>, dice: Dice) -> Arc<Board> {
        let inner = Inner {
            dice,
            announced: BTreeMap::new(),
            listeners: BTreeMap::new(),
        };
        Arc::new(Board {
            fabric,
            inner: Mutex::new(inner),
        })
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The discovery of a lane's process; takes the place of that of an earlier one.
    pub fn join(self: &Arc<Self>, place: PeerId) -> SimDiscovery {
        let (sender, found) = mpsc::channel(UNHEARD_MAX);
        let known = {
            let mut inner = self.lock();
            inner.listeners.insert(place.clone(), sender);
            inner.of_others(&place)
        };
        for (from, announcement) in &known {
            self.tell(from, announcement, &place);
        }
        SimDiscovery {
            board: self.clone(),
            place,
            found: tokio::sync::Mutex::new(found),
        }
    }

    /// Takes back what a process that is gone had announced.
    pub fn leave(&self, place: &PeerId) {
        let mut inner = self.lock();
        inner.announced.remove(place);
        inner.listeners.remove(place);
    }

    /// Announces everything again, as happens when a network comes back.
    pub fn repeat(&self) {
        let (announced, listeners) = {
            let inner = self.lock();
            let listeners: Vec<PeerId> = inner.listeners.keys().cloned().collect();
            (inner.announced.clone(), listeners)
        };
        for (from, announcement) in &announced {
            for listener in listeners.iter().filter(|place| *place != from) {
                self.tell(from, announcement, listener);
            }
        }
    }

    fn tell(&self, from: &PeerId, announcement: &Announcement, listener: &PeerId) {
        if !self.fabric.carries(from, listener) {
            return;
        }
        let mut inner = self.lock();
        let after_ms = inner.dice.between(HEARD_AFTER_MS.0, HEARD_AFTER_MS.1);
        let Some(sender) = inner.listeners.get(listener).cloned() else {
            return;
        };
        let found = Found {
            store: announcement.store.clone(),
            peer: announcement.peer.clone(),
            lane_name: announcement.lane_name.clone(),
            addresses: announcement.addresses.clone(),
        };
        spawn_world(async move {
            tokio::time::sleep(Duration::from_millis(after_ms)).await;
            // A lane that does not listen, or no more, misses it.
            drop(sender.try_send(found));
        });
    }
}

impl Inner {
    /// What was announced elsewhere, and where.
    fn of_others(&self, place: &PeerId) -> Vec<(PeerId, Announcement)> {
        let others = self.announced.iter().filter(|(from, _)| *from != place);
        others
            .map(|(from, announcement)| (from.clone(), announcement.clone()))
            .collect()
    }
}

/// What one lane's process sees of the board.
pub struct SimDiscovery {
    board: Arc<Board>,
    place: PeerId,
    found: tokio::sync::Mutex<mpsc::Receiver<Found>>,
}

#[async_trait]
impl Discovery for SimDiscovery {
    fn announce(&self, announcement: Announcement) {
        let listeners: Vec<PeerId> = {
            let mut inner = self.board.lock();
            inner
                .announced
                .insert(self.place.clone(), announcement.clone());
            inner.listeners.keys().cloned().collect()
        };
        for listener in listeners.iter().filter(|place| **place != self.place) {
            self.board.tell(&self.place, &announcement, listener);
        }
    }

    async fn next(&self) -> Option<Found> {
        self.found.lock().await.recv().await
    }

    fn unavailable(&self) -> Option<String> {
        None
    }
}
