//! Keeps the network, the copies and the Raft group in step with the store's list of lanes.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use consensus::{Consensus, Member};
use futures::future::join_all;
use ledger::{Command, Head, LaneId, LaneRecord, LeftWhy, Run, StoreView};
use providers::{Announcement, Discovery, PeerId, SharedClock, SharedNetwork, StreamClass};
use storage::{Journal, StateReader};
use tokio::sync::watch;
use wire::{Answer, Ask};

use super::Identity;
use super::branches::is_foreign;
use super::contacts::Contacts;
use super::copies::Copies;
use super::links::Links;
use super::propose::Proposer;
use super::roll::Roll;
use super::standing::{Trouble, report};

/// How often the list is looked at even if nothing seems to have changed.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How often siblings tell each other their addresses.
const GOSSIP_EVERY: Duration = Duration::from_secs(20);
const GOSSIP_LIMIT: Duration = Duration::from_secs(2);
/// How long a lane that was let in may take to begin its work.
const SEAT_KEPT_MS: u64 = 7 * 24 * 60 * 60 * 1000;
/// How long giving up such a seat may wait for the other lanes.
const SEAT_LIMIT: Duration = Duration::from_secs(2);
/// The rule's name in the store's books.
const SEAT_RULE: &str = "seat kept for seven days";

pub struct Members {
    pub state: StateReader,
    pub network: SharedNetwork,
    pub consensus: Consensus,
    pub copies: Arc<Copies>,
    pub links: Arc<Links>,
    pub contacts: Arc<Contacts>,
    pub clock: SharedClock,
    pub proposer: Proposer,
    pub lane: LaneId,
    pub journal: Journal,
    pub run: Run,
    pub roll: Arc<Roll>,
    pub trouble: watch::Sender<Option<Trouble>>,
}

/// The lanes and who of them belongs to the store: what the network and the copies follow.
type Seats = Vec<(LaneId, bool)>;

fn seats(lanes: &[LaneRecord]) -> Seats {
    let seats = lanes.iter();
    seats.map(|lane| (lane.lane, lane.is_member())).collect()
}

/// What the state said when it was last read.
struct Listed {
    /// The log had been applied so far at least.
    applied: u64,
    lanes: Arc<Vec<LaneRecord>>,
    joining: bool,
}

/// The store's short name on the network: enough to tell two stores apart, no secret.
pub fn announced_store(identity: &Identity) -> String {
    identity.store.short()
}

impl Members {
    /// Follows the list of lanes.
    pub async fn follow(self) {
        let mut known: Seats = Seats::new();
        let mut listed = None;
        let mut admitted = BTreeSet::new();
        let mut gossip_at = self.clock.monotonic() + LOOK_EVERY;
        loop {
            match self.look(&mut listed, &mut known, &mut admitted) {
                Ok(lanes) => self.lead(&lanes).await,
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

    /// The lanes as the state has them. They change with the log alone, so a lane at rest does not read
    /// them again, except while an invitation is open, which ends with time alone. One that has ended
    /// does not begin again where the clock is set back.
    fn listed(&self, before: Option<Listed>) -> Result<(Listed, bool), String> {
        // Looked at before the state is read: what is applied in between is read again next time.
        let applied = self.consensus.status().borrow().applied;
        if let Some(listed) = before.filter(|l| l.applied == applied && !l.joining) {
            return Ok((listed, false));
        }
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
        let listed = Listed {
            applied,
            lanes: Arc::new(lanes),
            joining,
        };
        Ok((listed, true))
    }

    fn look(
        &self,
        listed: &mut Option<Listed>,
        known: &mut Seats,
        admitted: &mut BTreeSet<PeerId>,
    ) -> Result<Arc<Vec<LaneRecord>>, String> {
        let (now, is_new) = self.listed(listed.take())?;
        let lanes = now.lanes.clone();
        let joining = now.joining;
        *listed = Some(now);
        if is_new {
            self.take_over(&lanes, joining);
        }
        let known_lanes = self.contacts.known_lanes();
        if known_lanes != *admitted {
            self.network.set_members(known_lanes.clone());
            *admitted = known_lanes;
            self.contacts.keep();
        }
        if is_new && seats(&lanes) != *known {
            self.copies.set_siblings(&lanes);
            *known = seats(&lanes);
        }
        Ok(lanes)
    }

    /// Has the parts of this lane follow what the state says of the lanes.
    fn take_over(&self, lanes: &[LaneRecord], joining: bool) {
        self.network.set_joining(joining);
        // A lane that has just joined, or was away while others did, has an old list: those whom a
        // member named may bring the rest.
        let peers = |member: bool| {
            let lanes = lanes.iter().filter(move |lane| lane.is_member() == member);
            lanes.map(|lane| PeerId(lane.peer.clone()))
        };
        let listed: BTreeSet<PeerId> = peers(true).collect();
        self.contacts
            .set_left(peers(false).filter(|peer| !listed.contains(peer)).collect());
        self.contacts.vouch(listed);
        for record in lanes {
            self.roll.set_barred(record.lane, &record.barred);
        }
        let own = lanes.iter().find(|lane| lane.lane == self.lane);
        if own.is_some_and(|own| own.barred.contains(&self.run)) {
            report(&self.trouble, Trouble::Copied);
        }
        if let Some(own) = own {
            self.compare_journals(own.head);
        }
    }

    /// Whether the store goes on with this lane's journal, or with that of a copy of its disk.
    fn compare_journals(&self, applied: Head) {
        match is_foreign(&self.journal, self.lane, applied) {
            Ok(true) => report(&self.trouble, Trouble::Parted),
            Ok(false) => {}
            Err(error) => tracing::error!(%error, "this lane's journal cannot be compared"),
        }
    }

    /// What the leader does about the lanes that come and go.
    async fn lead(&self, lanes: &[LaneRecord]) {
        let nodes = lanes.iter().filter(|lane| lane.closed);
        self.consensus
            .set_closed(nodes.map(|lane| lane.node).collect());
        self.admit_to_group(lanes).await;
        self.remove_from_group(lanes).await;
        self.give_up_seats(lanes).await;
    }

    /// A lane that has left the store takes no part in its decisions.
    async fn remove_from_group(&self, lanes: &[LaneRecord]) {
        for lane in lanes.iter().filter(|lane| !lane.is_member()) {
            let status = self.consensus.status().borrow().clone();
            if !status.is_leader || !status.members.contains_key(&lane.node) {
                continue;
            }
            match self.consensus.remove_lane(lane.node).await {
                Ok(()) => tracing::info!(lane = lane.name, "a lane is out of the group"),
                Err(error) => {
                    tracing::warn!(lane = lane.name, %error, "a lane is still in the group");
                }
            }
        }
    }

    /// A lane that was let in and never began, because its machine failed or its answer was lost,
    /// does not stay on the list for ever.
    async fn give_up_seats(&self, lanes: &[LaneRecord]) {
        let now_ms = self.clock.wall_ms();
        let is_empty = |lane: &LaneRecord| {
            lane.is_member()
                && lane.head == Head::default()
                && lane.admitted_ms > 0
                && now_ms.saturating_sub(lane.admitted_ms) > SEAT_KEPT_MS
        };
        if !self.consensus.status().borrow().is_leader {
            return;
        }
        let connected = self.network.connected();
        for lane in lanes.iter().filter(|lane| is_empty(lane)) {
            if connected.contains(&PeerId(lane.peer.clone())) {
                continue;
            }
            let command = Command::Retire {
                lane: lane.lane,
                why: LeftWhy::NeverCame,
                by: SEAT_RULE.to_owned(),
                now_ms,
            };
            match self.proposer.propose(&command, SEAT_LIMIT).await {
                Ok(_) => tracing::info!(lane = lane.name, "a seat that was never taken is free"),
                Err(error) => tracing::warn!(lane = lane.name, %error, "a seat is kept"),
            }
        }
    }

    /// The leader lets every admitted lane take part in the Raft group.
    async fn admit_to_group(&self, lanes: &[LaneRecord]) {
        let status = self.consensus.status().borrow().clone();
        if !status.is_leader {
            return;
        }
        for lane in lanes.iter().filter(|lane| lane.is_member()) {
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
        peers.retain(|peer| !self.contacts.has_left(peer));
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
