//! One process's place on the simulated network.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use providers::{FrameStream, Incoming, Network, NetworkError, PeerId, StreamClass};
use tokio::sync::mpsc;

use super::Fabric;

/// Streams that wait to be accepted; one more is refused.
const WAITING_MAX: usize = 64;

/// What a process has told the network.
pub struct End {
    /// Where it is plugged in; a copied disk makes two places of one peer.
    place: PeerId,
    peer: PeerId,
    state: Mutex<State>,
}

struct State {
    members: BTreeSet<PeerId>,
    joining: bool,
    addresses_of: BTreeSet<PeerId>,
    /// Gone once the process is unplugged.
    incoming: Option<mpsc::Sender<Incoming>>,
}

impl End {
    pub(super) fn new(place: PeerId, peer: PeerId) -> (Arc<End>, mpsc::Receiver<Incoming>) {
        let (incoming, accepted) = mpsc::channel(WAITING_MAX);
        let state = State {
            members: BTreeSet::new(),
            joining: false,
            addresses_of: BTreeSet::new(),
            incoming: Some(incoming),
        };
        let end = End {
            place,
            peer,
            state: Mutex::new(state),
        };
        (Arc::new(end), accepted)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn peer(&self) -> &PeerId {
        &self.peer
    }

    /// What cuts and qualities go by.
    pub fn place(&self) -> &PeerId {
        &self.place
    }

    /// Whether the process lives: what an ended one still tries must reach nobody.
    pub fn is_plugged_in(&self) -> bool {
        self.lock().incoming.is_some()
    }

    pub(super) fn unplug(&self) {
        self.lock().incoming = None;
    }

    pub(super) fn admits(&self, peer: &PeerId) -> bool {
        self.lock().members.contains(peer)
    }

    pub(super) fn admits_stream(&self, peer: &PeerId, class: StreamClass) -> bool {
        let state = self.lock();
        state.members.contains(peer) || (class == StreamClass::Join && state.joining)
    }

    pub(super) fn knows_address_of(&self, peer: &PeerId) -> bool {
        self.lock().addresses_of.contains(peer)
    }

    pub(super) fn offer(&self, stream: Incoming) -> bool {
        let incoming = self.lock().incoming.clone();
        incoming.is_some_and(|incoming| incoming.try_send(stream).is_ok())
    }
}

/// The address under which a lane is dialled.
fn address_of(peer: &PeerId) -> String {
    format!("/simulated/{peer}")
}

/// The network as one process has it.
pub struct SimNet {
    fabric: Arc<Fabric>,
    end: Arc<End>,
    incoming: tokio::sync::Mutex<mpsc::Receiver<Incoming>>,
}

impl SimNet {
    pub(super) fn new(
        fabric: Arc<Fabric>,
        end: Arc<End>,
        incoming: mpsc::Receiver<Incoming>,
    ) -> SimNet {
        SimNet {
            fabric,
            end,
            incoming: tokio::sync::Mutex::new(incoming),
        }
    }

    pub fn end(&self) -> &Arc<End> {
        &self.end
    }
}

#[async_trait]
impl Network for SimNet {
    fn local_peer(&self) -> PeerId {
        self.end.peer.clone()
    }

    fn local_addresses(&self) -> Vec<String> {
        vec![address_of(&self.end.peer)]
    }

    fn set_members(&self, members: BTreeSet<PeerId>) {
        self.end.lock().members = members;
        self.fabric.close_strangers(&self.end);
        self.fabric.changed();
    }

    fn set_joining(&self, open: bool) {
        let before = std::mem::replace(&mut self.end.lock().joining, open);
        if before != open {
            self.fabric.close_strangers(&self.end);
            self.fabric.changed();
        }
    }

    fn add_address(&self, peer: &PeerId, address: &str) {
        if address == address_of(peer) {
            self.end.lock().addresses_of.insert(peer.clone());
            self.fabric.changed();
        }
    }

    async fn open(&self, peer: &PeerId, class: StreamClass) -> Result<FrameStream, NetworkError> {
        self.fabric.open(&self.end, peer, class).await
    }

    async fn accept(&self) -> Option<Incoming> {
        self.incoming.lock().await.recv().await
    }

    fn connected(&self) -> BTreeSet<PeerId> {
        let members = self.end.lock().members.clone();
        let connected = |peer: &PeerId| self.fabric.connected(&self.end, peer);
        members.into_iter().filter(connected).collect()
    }
}
