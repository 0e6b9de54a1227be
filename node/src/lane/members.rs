//! Keeps the network, the copies and the Raft group in step with the store's list of lanes.

use std::sync::Arc;
use std::time::Duration;

use consensus::{Consensus, Member};
use futures::future::join_all;
use ledger::{LaneRecord, StoreView};
use providers::{Announcement, Discovery, PeerId, SharedClock, SharedNetwork, StreamClass};
use storage::StateReader;
use wire::{Answer, Ask};

use super::Identity;
use super::contacts::Contacts;
use super::copies::Copies;
use super::links::Links;

/// How often the list is looked at even if nothing seems to have changed.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How often siblings tell each other their addresses.
const GOSSIP_EVERY: Duration = Duration::from_secs(20);
const GOSSIP_LIMIT: Duration = Duration::from_secs(2);

pub struct Members {
    pub state: StateReader,
    pub network: SharedNetwork,
    pub consensus: Consensus,
    pub copies: Arc<Copies>,
    pub links: Arc<Links>,
    pub contacts: Arc<Contacts>,
    pub clock: SharedClock,
}

/// The store's short name on the network: enough to tell two stores apart, no secret.
pub fn announced_store(identity: &Identity) -> String {
    identity.store.short()
}

impl Members {
    /// Follows the list of lanes.
    pub async fn follow(self) {
        let mut known: Vec<LaneRecord> = Vec::new();
        let mut admitted = 0;
        let mut gossip_at = self.clock.monotonic() + LOOK_EVERY;
        loop {
            match self.look(&mut known, &mut admitted) {
                Ok(()) => self.admit_to_group(&known).await,
                Err(error) => tracing::error!(error, "the store's lanes cannot be read"),
            }
            if self.clock.monotonic() >= gossip_at {
                self.gossip().await;
                // A lane without the store's list has nobody else to tell it who there is.
                let next = if known.is_empty() {
                    LOOK_EVERY
                } else {
                    GOSSIP_EVERY
                };
                gossip_at = self.clock.monotonic() + next;
            }
            self.clock.sleep(LOOK_EVERY).await;
        }
    }

    fn look(&self, known: &mut Vec<LaneRecord>, admitted: &mut usize) -> Result<(), String> {
        let now_ms = self.clock.wall_ms();
        let (lanes, joining) = self
            .state
            .read(|tables| {
                let store = StoreView::new(tables);
                let joining = store.invitation_open(now_ms)?;
                Ok::<_, ledger::TableError>((store.lanes()?, joining))
            })
            .map_err(|e| e.to_string())?
            .map_err(|e| e.to_string())?;
        self.network.set_joining(joining);
        // A lane that has just joined, or was away while others did, has an old list: those whom a
        // member named may bring the rest.
        let listed = lanes.iter().map(|lane| PeerId(lane.peer.clone()));
        self.contacts.vouch(listed);
        let members = self.contacts.members();
        if members.len() != *admitted {
            *admitted = members.len();
            self.network.set_members(members);
            self.contacts.keep();
        }
        if lanes.len() != known.len() {
            self.copies.set_siblings(&lanes);
            *known = lanes;
        }
        Ok(())
    }

    /// The leader lets every admitted lane take part in the Raft group.
    async fn admit_to_group(&self, lanes: &[LaneRecord]) {
        let status = self.consensus.status().borrow().clone();
        if !status.is_leader {
            return;
        }
        for lane in lanes {
            if status.members.contains_key(&lane.node) {
                continue;
            }
            let member = Member {
                lane: lane.lane,
                peer: lane.peer.clone(),
                name: lane.name.clone(),
            };
            if let Err(error) = self.consensus.add_lane(lane.node, member).await {
                tracing::warn!(lane = lane.name, %error, "a lane is not in the group yet");
            }
        }
    }

    /// Exchanges addresses with every lane that can be reached at a known one. Where multicast is
    /// blocked, this is what makes a lane that has just joined known to the others.
    async fn gossip(&self) {
        let mut peers = self.contacts.members();
        peers.extend(self.network.connected());
        peers.remove(&self.network.local_peer());
        let asks = peers.iter().map(|peer| async move {
            let known = self.contacts.all();
            let ask = Ask::Contacts { known };
            let asked = self
                .links
                .ask(peer, StreamClass::Control, ask, GOSSIP_LIMIT);
            if let Ok(Answer::Contacts { known }) = asked.await {
                self.contacts.merge(&known);
            }
        });
        join_all(asks).await;
    }
}

/// Announces this lane, and again whenever its addresses have changed: a router that gives out new
/// ones leaves the lanes nothing else by which they could find each other.
pub async fn announce(
    identity: Arc<Identity>,
    network: SharedNetwork,
    discovery: Arc<dyn Discovery>,
    clock: SharedClock,
) {
    let mut announced = None;
    loop {
        let addresses = network.local_addresses();
        if announced.as_ref() != Some(&addresses) {
            discovery.announce(Announcement {
                store: announced_store(&identity),
                peer: network.local_peer(),
                lane_name: identity.lane_name.clone(),
                addresses: addresses.clone(),
            });
            announced = Some(addresses);
        }
        clock.sleep(LOOK_EVERY).await;
    }
}

/// Feeds what discovery finds of this store into the contacts.
pub async fn listen(
    identity: Arc<Identity>,
    discovery: Arc<dyn Discovery>,
    contacts: Arc<Contacts>,
) {
    let store = announced_store(&identity);
    while let Some(found) = discovery.next().await {
        if found.store == store && contacts.note(&found.peer, &found.addresses) {
            tracing::info!(peer = %found.peer, name = found.lane_name, "a sibling was seen");
            contacts.keep();
        }
    }
}
