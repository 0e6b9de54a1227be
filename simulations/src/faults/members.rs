//! Lanes that are lost for good, and lanes that take their place.

use std::sync::Arc;
use std::time::Duration;

use ledger::LaneId;
use tokio::time::{Instant, sleep, sleep_until};

use super::Driver;
use crate::store::{Process, Slot};

/// How long a disk waits for a moment at which the store can do without its lane for good.
const LOSES_WITHIN: Duration = Duration::from_secs(20);
/// How often that is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// After what the lanes could not agree on, before it is asked for again.
const ASK_AGAIN_AFTER: Duration = Duration::from_secs(1);
/// How long replacing a lane may take, faults of others included.
const REPLACED_WITHIN: Duration = Duration::from_secs(120);

impl Driver {
    /// A lane's disk is lost. The shop puts another machine in its place, which joins as a new lane,
    /// and takes the lost one out of the store, in either order.
    pub(super) async fn wiped_disk(&mut self, end: Instant) {
        let Some(slot) = self.dispensable().await else {
            return;
        };
        let Some(process) = slot.process() else {
            return;
        };
        let lane = process.lane.identity().lane;
        drop(process);
        let drawn = self.strikes(&[&slot], Vec::new());
        if self.store.lose(&slot) {
            sleep_until(end).await;
            match self.dice.chance(500) {
                true => {
                    self.replace().await;
                    self.retire(lane).await;
                }
                false => {
                    self.retire(lane).await;
                    self.replace().await;
                }
            }
        }
        self.store.timeline.strike_over(drawn);
    }

    /// A lane that the store can do without for good, once there is one.
    async fn dispensable(&mut self) -> Option<Arc<Slot>> {
        let deadline = Instant::now() + LOSES_WITHIN;
        while Instant::now() < deadline.min(self.until) {
            if let Some((slot, process)) = self.victim()
                && self.can_do_without(&slot, &process)
            {
                return Some(slot);
            }
            sleep(LOOK_EVERY).await;
        }
        None
    }

    /// Whether a quorum is left without this lane, none of the voters being lost before.
    fn can_do_without(&self, slot: &Slot, process: &Process) -> bool {
        let Some((_, leader)) = self.store.leader() else {
            return false;
        };
        let raft = leader.lane.raft();
        let node = process.lane.identity().node;
        let lives = |node: &u64| {
            let running = self.store.running();
            let mut nodes = running.iter().map(|(_, other)| other.lane.identity().node);
            nodes.any(|other| other == *node)
        };
        let left = raft
            .voters
            .iter()
            .filter(|voter| **voter != node && lives(voter));
        let left = left.count();
        !raft.is_changing
            && raft.has_quorum
            && left > raft.voters.len() / 2
            && !slot.is_frozen()
            && !slot.may_be_stopped()
    }

    /// Has a new lane join, as soon as the lanes agree on it.
    async fn replace(&mut self) {
        let deadline = Instant::now() + REPLACED_WITHIN;
        while Instant::now() < deadline {
            let mut running = self.store.running();
            if !running.is_empty() {
                let inviter = running.swap_remove(self.dice.index(running.len()));
                if let Some(slot) = self.store.join(&inviter).await {
                    // Nobody listens any more once the store has closed.
                    drop(self.joined.send(slot));
                    return;
                }
            }
            sleep(ASK_AGAIN_AFTER).await;
        }
    }

    /// A manager takes a lane out of the store, as soon as the lanes agree on it.
    async fn retire(&mut self, lane: LaneId) {
        let deadline = Instant::now() + REPLACED_WITHIN;
        while Instant::now() < deadline {
            let mut running = self.store.running();
            if !running.is_empty() {
                let (slot, process) = running.swap_remove(self.dice.index(running.len()));
                if process.retire(lane).await.is_ok() {
                    let what = format!("a manager takes lane {} out of the store", lane.short());
                    self.store.timeline.note(&slot.name, what);
                    return;
                }
            }
            sleep(ASK_AGAIN_AFTER).await;
        }
    }
}
