//! Lanes that are lost for good and lanes that take their place, a change of members that is
//! interrupted, and the night.

use std::sync::Arc;
use std::time::Duration;

use ledger::LaneId;
use tokio::time::{Instant, sleep, sleep_until};

use super::Driver;
use super::recovery::wait_until;
use crate::checks::{Check, off_plan};
use crate::scenario::{Range, Who};
use crate::store::{Death, Process, Slot};

/// How long a store that has just opened may take until as many lanes vote as should.
const PLANNED_WITHIN: Duration = Duration::from_secs(20);
/// How long after a voter's death another lane votes in its place: it counts as dead after 30 s, and
/// a leader that took over meanwhile counts anew.
const VOTES_INSTEAD_WITHIN: Duration = Duration::from_secs(60);

/// How long a disk waits for a moment at which the store can do without its lane for good.
const LOSES_WITHIN: Duration = Duration::from_secs(20);
/// How often that is looked at.
pub(super) const LOOK_EVERY: Duration = Duration::from_millis(250);
/// After what the lanes could not agree on, before it is asked for again.
pub(super) const ASK_AGAIN_AFTER: Duration = Duration::from_secs(1);
/// How long replacing a lane may take, faults of others included.
pub(super) const REPLACED_WITHIN: Duration = Duration::from_secs(120);

/// How often it is looked whether a change is under way: each takes a few milliseconds.
const CHANGE_LOOK: Duration = Duration::from_millis(1);
/// How far into a change its leader dies, in milliseconds.
const INTO_CHANGE_MS: Range = (0, 8);
/// How often a change of voters is waited for: most changes are of lanes that join.
const VOTERS_ONLY_PERMILLE: u64 = 700;
/// Between one lane that closes or opens and the next, in milliseconds.
const NEXT_LANE_MS: Range = (0, 2_000);
/// How long after its leader has closed a store may be without the next one; an election alone
/// takes longer.
const HANDED_OVER_MAX: Duration = Duration::from_millis(150);

impl Driver {
    /// The next change of members, or of voters, loses its leader half-way.
    pub(super) async fn crash_changing(&mut self, lasts: Duration) {
        let voters_only = self.dice.chance(VOTERS_ONLY_PERMILLE);
        let mut settled = None;
        while Instant::now() < self.until {
            if let Some((slot, process)) = self.store.leader() {
                let raft = process.lane.raft();
                if !raft.is_changing {
                    settled = Some(raft.voters);
                } else if !voters_only
                    || settled
                        .as_ref()
                        .is_some_and(|settled| *settled != raft.voters)
                {
                    sleep(self.draw(INTO_CHANGE_MS)).await;
                    // Another fault may have been quicker.
                    if slot.runs(process.run) {
                        let end = (Instant::now() + lasts).min(self.until);
                        self.crash(slot, process, Death::Killed, end).await;
                    }
                    return;
                }
            }
            sleep(CHANGE_LOOK).await;
        }
    }

    /// A voter dies and stays away until `end`; long before, another lane votes in its place. Nothing
    /// happens where so little time is left that nobody could say that it should have.
    pub(super) async fn dead_voter(&mut self, end: Instant) {
        let deadline = Instant::now() + PLANNED_WITHIN;
        while off_plan(&self.store).is_some() && Instant::now() < deadline {
            sleep(LOOK_EVERY).await;
        }
        let Some((slot, process)) = self.voter() else {
            return;
        };
        if end.saturating_duration_since(Instant::now()) < VOTES_INSTEAD_WITHIN {
            return;
        }
        let node = process.lane.identity().node;
        let drawn = self.strikes(&[&slot], Vec::new());
        let death = match self.dice.chance(500) {
            true => Death::Killed,
            false => Death::PowerCut,
        };
        self.store.kill(&slot, death);
        let is_replaced = || {
            let leader = self.store.leader();
            let votes = leader.is_some_and(|(_, leader)| leader.lane.raft().voters.contains(&node));
            !votes && off_plan(&self.store).is_none()
        };
        if !wait_until(VOTES_INSTEAD_WITHIN, is_replaced).await {
            let what = format!(
                "is dead, and no other lane votes in its place {VOTES_INSTEAD_WITHIN:?} later"
            );
            let timeline = &self.store.timeline;
            timeline.violation(Check::VotersAsPlanned, &slot.name, what);
        }
        sleep_until(end).await;
        self.store.start(&slot).await;
        self.store.timeline.strike_over(drawn);
    }

    /// A lane that runs and votes: the one that the scenario names, or one that the seed draws.
    fn voter(&mut self) -> Option<(Arc<Slot>, Process)> {
        let (_, leader) = self.store.leader()?;
        let voters = leader.lane.raft().voters;
        let votes = |process: &Process| voters.contains(&process.lane.identity().node);
        if self.part.lane != Who::Any {
            return self.victim().filter(|(_, process)| votes(process));
        }
        let mut running = self.store.running();
        running.retain(|(_, process)| votes(process));
        (!running.is_empty()).then(|| running.swap_remove(self.dice.index(running.len())))
    }

    /// The evening, the night until `end`, and the morning.
    pub(super) async fn night_shutdown(&mut self, end: Instant) {
        let mut slots = self.store.slots();
        let hit: Vec<&Slot> = slots.iter().map(Arc::as_ref).collect();
        let drawn = self.strikes(&hit, Vec::new());
        self.dice.shuffle(&mut slots);
        for slot in &slots {
            self.close_for_the_night(slot).await;
            sleep(self.draw(NEXT_LANE_MS)).await;
        }
        self.store.timeline.note("store", "the night");
        sleep_until(end).await;
        self.dice.shuffle(&mut slots);
        for slot in &slots {
            self.store.start(slot).await;
            sleep(self.draw(NEXT_LANE_MS)).await;
        }
        self.store.timeline.strike_over(drawn);
    }

    /// Closes a lane; one that leads while enough others can has handed that over by then.
    async fn close_for_the_night(&self, slot: &Arc<Slot>) {
        let Some(process) = slot.process() else {
            return;
        };
        let raft = process.lane.raft();
        let others = || {
            let running = self.store.running().into_iter();
            running.filter(|(other, _)| !Arc::ptr_eq(other, slot))
        };
        let is_voter = |process: &Process| raft.voters.contains(&process.lane.identity().node);
        let voters = others().filter(|(_, process)| is_voter(process)).count();
        let must_hand_over = raft.is_leader
            && raft.has_quorum
            && voters > raft.voters.len() / 2
            && !raft.is_changing;
        drop(process);
        self.store.close(slot).await;
        if !must_hand_over {
            return;
        }
        let deadline = Instant::now() + HANDED_OVER_MAX;
        while !others().any(|(_, process)| process.lane.raft().is_leader) {
            if Instant::now() > deadline {
                let what = format!("closed, and nobody led {HANDED_OVER_MAX:?} later");
                let timeline = &self.store.timeline;
                return timeline.violation(Check::HandedOver, &slot.name, what);
            }
            sleep(CHANGE_LOOK).await;
        }
    }

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
    pub(super) async fn retire(&mut self, lane: LaneId) {
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
