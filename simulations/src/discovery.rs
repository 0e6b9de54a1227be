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

/// What is announced, and who listens.
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
    pub fn join(self: &Arc<Self>, peer: PeerId) -> SimDiscovery {
        let (sender, found) = mpsc::channel(UNHEARD_MAX);
        let known: Vec<Announcement> = {
            let mut inner = self.lock();
            inner.listeners.insert(peer.clone(), sender);
            inner.announced.values().cloned().collect()
        };
        for announcement in known.iter().filter(|known| known.peer != peer) {
            self.tell(announcement, &peer);
        }
        SimDiscovery {
            board: self.clone(),
            peer,
            found: tokio::sync::Mutex::new(found),
        }
    }

    /// Takes back what a process that is gone had announced.
    pub fn leave(&self, peer: &PeerId) {
        let mut inner = self.lock();
        inner.announced.remove(peer);
        inner.listeners.remove(peer);
    }

    /// Announces everything again, as happens when a network comes back.
    pub fn repeat(&self) {
        let (announced, listeners) = {
            let inner = self.lock();
            let announced: Vec<Announcement> = inner.announced.values().cloned().collect();
            let listeners: Vec<PeerId> = inner.listeners.keys().cloned().collect();
            (announced, listeners)
        };
        for announcement in &announced {
            for listener in listeners.iter().filter(|peer| **peer != announcement.peer) {
                self.tell(announcement, listener);
            }
        }
    }

    fn tell(&self, announcement: &Announcement, listener: &PeerId) {
        if !self.fabric.carries(&announcement.peer, listener) {
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

/// What one lane's process sees of the board.
pub struct SimDiscovery {
    board: Arc<Board>,
    peer: PeerId,
    found: tokio::sync::Mutex<mpsc::Receiver<Found>>,
}

#[async_trait]
impl Discovery for SimDiscovery {
    fn announce(&self, announcement: Announcement) {
        let listeners: Vec<PeerId> = {
            let mut inner = self.board.lock();
            inner
                .announced
                .insert(self.peer.clone(), announcement.clone());
            inner.listeners.keys().cloned().collect()
        };
        for listener in listeners.iter().filter(|peer| **peer != self.peer) {
            self.board.tell(&announcement, listener);
        }
    }

    async fn next(&self) -> Option<Found> {
        self.found.lock().await.recv().await
    }

    fn unavailable(&self) -> Option<String> {
        None
    }
}
