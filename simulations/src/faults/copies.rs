//! Machines that work with a copy of a lane's disk, beside that lane or in its place.

use std::sync::Arc;
use std::time::Duration;

use ledger::LaneId;
use tokio::time::{Instant, sleep, sleep_until};

use super::members::{ASK_AGAIN_AFTER, REPLACED_WITHIN};
use super::recovery::wait_until;
use super::{Driver, around};
use crate::checks::Check;
use crate::scenario::Range;
use crate::store::{Death, Slot};

/// How long a machine may work with a copy of a disk, where the store has another journal of that
/// lane, before it is told.
const TOLD_WITHIN: Duration = Duration::from_secs(30);
/// What it then shows to the person in front of it.
const TOLD: &str = "with a copy of";
/// How long such a machine is left as it is, once it shows that, in milliseconds.
const LEFT_FOR_MS: Range = (0, 4_000);

impl Driver {
    /// Another machine works with a copy of a lane's disk beside it.
    pub(super) async fn copied_disk(&mut self, end: Instant) {
        let Some((slot, _)) = self.victim() else {
            return;
        };
        let drawn = self.strikes(&[&slot], Vec::new());
        let copy = self.store.copy(&slot).await;
        // Nobody listens any more once the store has closed.
        drop(self.joined.send(copy));
        sleep_until(end).await;
        self.store.timeline.strike_over(drawn);
    }

    /// The same; the copy is told, and joins as a register of its own with what it sold.
    pub(super) async fn copy_joins(&mut self) {
        let Some((slot, process)) = self.victim() else {
            return;
        };
        let lane = process.lane.identity().lane;
        let drawn = self.strikes(&[&slot], Vec::new());
        let copy = self.store.copy(&slot).await;
        drop(self.joined.send(copy.clone()));
        self.tell_and_join(&copy, lane).await;
        self.store.timeline.strike_over(drawn);
    }

    /// The same; but until `end` the copy hears nobody and nobody hears it, and its cashier sells.
    pub(super) async fn copy_alone(&mut self, end: Instant) {
        let Some((slot, process)) = self.victim() else {
            return;
        };
        let lane = process.lane.identity().lane;
        let drawn = self.strikes(&[&slot], Vec::new());
        let copy = self.store.copied(&slot);
        let cuts = around(&copy.place, &self.peers());
        for (from, to) in &cuts {
            self.store.fabric.cut(from, to);
        }
        self.store.start(&copy).await;
        drop(self.joined.send(copy.clone()));
        sleep_until(end).await;
        for (from, to) in &cuts {
            self.store.fabric.mend(from, to);
        }
        let note = |what| self.store.timeline.note(&copy.name, what);
        note("is no longer cut off".to_owned());
        self.store.announce_again();
        self.tell_and_join(&copy, lane).await;
        self.store.timeline.strike_over(drawn);
    }

    async fn tell_and_join(&mut self, copy: &Arc<Slot>, lane: LaneId) {
        if self.is_told(copy).await {
            self.store.adopt(copy, lane);
            self.join_as_own_lane(copy, lane).await;
        }
    }

    /// A lane's machine fails, and a spare one works in its place with an image of its disk; at `end`
    /// the spare one is put away again. What the first one sells from then on the store has no place
    /// for: it is told, and joins as a register of its own with what it sold.
    pub(super) async fn spare_machine(&mut self, end: Instant) {
        let Some((slot, process)) = self.victim() else {
            return;
        };
        let lane = process.lane.identity().lane;
        let drawn = self.strikes(&[&slot], Vec::new());
        let death = match self.dice.chance(500) {
            true => Death::Killed,
            false => Death::PowerCut,
        };
        self.store.kill(&slot, death);
        let spare = self.store.copy(&slot).await;
        drop(self.joined.send(spare.clone()));
        sleep_until(end).await;
        self.store.put_away(&spare, &slot, lane).await;
        self.store.start(&slot).await;
        if self.is_told(&slot).await {
            self.join_as_own_lane(&slot, lane).await;
            self.retire(lane).await;
        }
        self.store.timeline.strike_over(drawn);
    }

    async fn is_told(&mut self, slot: &Arc<Slot>) -> bool {
        let shows_it = || {
            let process = slot.process();
            process.is_some_and(|process| {
                let view = process.lane.view().borrow().clone();
                let warnings = &view.status.warnings;
                warnings.iter().any(|warning| warning.contains(TOLD))
            })
        };
        let is_told = wait_until(TOLD_WITHIN, shows_it).await;
        if !is_told {
            let what = format!(
                "works with a disk that was copied, and was not told within {TOLD_WITHIN:?}"
            );
            let timeline = &self.store.timeline;
            timeline.violation(Check::Starts, &slot.name, what);
        }
        sleep(self.draw(LEFT_FOR_MS)).await;
        is_told
    }

    async fn join_as_own_lane(&mut self, machine: &Arc<Slot>, lane: LaneId) {
        self.store.close(machine).await;
        let deadline = Instant::now() + REPLACED_WITHIN;
        while Instant::now() < deadline {
            let mut running = self.store.running();
            if !running.is_empty() {
                let inviter = running.swap_remove(self.dice.index(running.len()));
                let joined = self.store.join_again(machine, lane, &inviter).await;
                if let Some(successor) = joined {
                    drop(self.joined.send(successor));
                    return;
                }
            }
            sleep(ASK_AGAIN_AFTER).await;
        }
    }
}
