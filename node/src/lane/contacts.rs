//! Where siblings were last reached: kept over restarts and told on, so that lanes find each other
//! again without multicast.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use providers::{PeerId, SharedDisk, SharedNetwork};
use wire::LaneContact;

const CONTACTS_FILE: &str = "contacts.json";
/// Addresses kept per lane, newest first.
const ADDRESSES_MAX: usize = 8;
/// Lanes kept.
const CONTACTS_MAX: usize = 256;

/// Addresses by peer, and which of the peers a member has vouched for. Discovery alone makes nobody
/// a member: what it hears may come from anyone.
pub struct Contacts {
    disk: SharedDisk,
    network: SharedNetwork,
    known: Mutex<BTreeMap<PeerId, Vec<String>>>,
    members: Mutex<BTreeSet<PeerId>>,
    /// Peers of lanes that have left the store, whoever still vouches for them.
    left: Mutex<BTreeSet<PeerId>>,
}

impl Contacts {
    /// Keeps what a joining lane was told, for its first start.
    pub fn begin(disk: &SharedDisk, members: &[LaneContact]) {
        write(disk, members);
    }

    /// Reads what was kept. A file that cannot be read counts as empty: addresses are only hints.
    pub fn open(disk: SharedDisk, network: SharedNetwork) -> Contacts {
        let contacts = Contacts {
            known: Mutex::default(),
            members: Mutex::default(),
            left: Mutex::default(),
            disk,
            network,
        };
        let kept = contacts.disk.read(CONTACTS_FILE).ok().flatten();
        let kept = kept.and_then(|bytes| serde_json::from_slice::<Vec<LaneContact>>(&bytes).ok());
        for contact in kept.unwrap_or_default() {
            let peer = PeerId(contact.peer);
            contacts.note(&peer, &contact.addresses);
            contacts.vouch([peer]);
        }
        contacts
    }

    /// Notes addresses of a peer; returns whether any was new.
    pub fn note(&self, peer: &PeerId, addresses: &[String]) -> bool {
        if *peer == self.network.local_peer() {
            return false;
        }
        let mut known = lock(&self.known);
        if known.len() >= CONTACTS_MAX && !known.contains_key(peer) {
            return false;
        }
        let kept = known.entry(peer.clone()).or_default();
        let mut news = false;
        for address in addresses.iter().rev() {
            if kept.first() == Some(address) {
                continue;
            }
            news |= !kept.contains(address);
            kept.retain(|other| other != address);
            kept.insert(0, address.clone());
            kept.truncate(ADDRESSES_MAX);
            self.network.add_address(peer, address);
        }
        news
    }

    /// Takes over what a member knows of the others, and keeps it.
    pub fn merge(&self, contacts: &[LaneContact]) {
        let mut news = false;
        for contact in contacts.iter().take(CONTACTS_MAX) {
            let addresses: Vec<String> = contact
                .addresses
                .iter()
                .take(ADDRESSES_MAX)
                .cloned()
                .collect();
            let peer = PeerId(contact.peer.clone());
            news |= self.note(&peer, &addresses);
            news |= self.vouch([peer]);
        }
        if news {
            self.keep();
        }
    }

    /// Counts peers as members, because the store lists them or a member named them. Returns
    /// whether any was new.
    pub fn vouch(&self, peers: impl IntoIterator<Item = PeerId>) -> bool {
        let left = lock(&self.left);
        let mut members = lock(&self.members);
        let before = members.len();
        let peers = peers.into_iter().filter(|peer| !left.contains(peer));
        members.extend(peers.take(CONTACTS_MAX));
        members.len() > before
    }

    /// Counts `peers`, and no other ones, as those of lanes that have left the store.
    pub fn set_left(&self, peers: BTreeSet<PeerId>) {
        let mut left = lock(&self.left);
        lock(&self.members).retain(|peer| !peers.contains(peer));
        *left = peers;
    }

    /// Whether the peer is that of a lane that has left the store.
    pub fn has_left(&self, peer: &PeerId) -> bool {
        lock(&self.left).contains(peer)
    }

    /// Those who may ask anything at all: every member, and those who have left, who are told so.
    pub fn known_lanes(&self) -> BTreeSet<PeerId> {
        let left = lock(&self.left);
        lock(&self.members).union(&left).cloned().collect()
    }

    /// Every member, this lane first, with the addresses known of it.
    pub fn all(&self) -> Vec<LaneContact> {
        let own = LaneContact {
            peer: self.network.local_peer().0,
            addresses: self.network.local_addresses(),
        };
        let members = lock(&self.members);
        let known = lock(&self.known);
        let others = known.iter().filter(|(peer, _)| members.contains(*peer));
        let others = others.map(|(peer, addresses)| LaneContact {
            peer: peer.0.clone(),
            addresses: addresses.clone(),
        });
        std::iter::once(own).chain(others).collect()
    }

    /// Every member.
    pub fn members(&self) -> BTreeSet<PeerId> {
        lock(&self.members).clone()
    }

    pub fn keep(&self) {
        write(&self.disk, &self.all()[1..]);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn write(disk: &SharedDisk, contacts: &[LaneContact]) {
    let bytes = serde_json::to_vec_pretty(contacts).unwrap_or_default();
    if let Err(error) = disk.write(CONTACTS_FILE, &bytes) {
        tracing::warn!(%error, "the addresses of siblings were not kept");
    }
}
