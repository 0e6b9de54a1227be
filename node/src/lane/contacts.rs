//! Where siblings were last reached: kept over restarts and told on, so that lanes find each other
//! again without multicast.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use providers::{PeerId, SharedDisk, SharedNetwork};
use wire::LaneContact;

const CONTACTS_FILE: &str = "contacts.json";
/// Addresses kept per lane, newest first.
const ADDRESSES_MAX: usize = 8;
/// Lanes kept.
const CONTACTS_MAX: usize = 256;

pub struct Contacts {
    disk: SharedDisk,
    network: SharedNetwork,
    known: Mutex<BTreeMap<PeerId, Vec<String>>>,
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
            disk,
            network,
        };
        let kept = contacts.disk.read(CONTACTS_FILE).ok().flatten();
        let kept = kept.and_then(|bytes| serde_json::from_slice::<Vec<LaneContact>>(&bytes).ok());
        for contact in kept.unwrap_or_default() {
            contacts.note(&PeerId(contact.peer), &contact.addresses);
        }
        contacts
    }

    /// Notes addresses of a peer; returns whether any was new.
    pub fn note(&self, peer: &PeerId, addresses: &[String]) -> bool {
        if *peer == self.network.local_peer() {
            return false;
        }
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
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

    /// Takes over what a sibling knows, and keeps it.
    pub fn merge(&self, contacts: &[LaneContact]) {
        let mut news = false;
        for contact in contacts.iter().take(CONTACTS_MAX) {
            let addresses: Vec<String> = contact
                .addresses
                .iter()
                .take(ADDRESSES_MAX)
                .cloned()
                .collect();
            news |= self.note(&PeerId(contact.peer.clone()), &addresses);
        }
        if news {
            self.keep();
        }
    }

    /// Everything known, this lane's own addresses first.
    pub fn all(&self) -> Vec<LaneContact> {
        let own = LaneContact {
            peer: self.network.local_peer().0,
            addresses: self.network.local_addresses(),
        };
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let others = known.iter().map(|(peer, addresses)| LaneContact {
            peer: peer.0.clone(),
            addresses: addresses.clone(),
        });
        std::iter::once(own).chain(others).collect()
    }

    /// Every peer known by address.
    pub fn peers(&self) -> BTreeSet<PeerId> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.keys().cloned().collect()
    }

    pub fn keep(&self) {
        write(&self.disk, &self.all()[1..]);
    }
}

fn write(disk: &SharedDisk, contacts: &[LaneContact]) {
    let bytes = serde_json::to_vec_pretty(contacts).unwrap_or_default();
    if let Err(error) = disk.write(CONTACTS_FILE, &bytes) {
        tracing::warn!(%error, "the addresses of siblings were not kept");
    }
}
