//! Disks that fail and disks that are full.
//!
//! A lane that cannot make its journal durable must stop selling and say so, and sell again once it
//! can: while a disk is bad, and for a moment after, a lane may be stopped. What it had answered
//! before must be there afterwards, like any other.

use std::sync::Arc;

use tokio::time::{Instant, sleep_until};

use super::Driver;
use crate::disk::Errors;
use crate::store::Slot;

/// Operations of a thousand that fail where the scenario does not say.
const FAILS_PERMILLE: u64 = 30;
/// Bytes that a full disk still takes.
const LEFT_BYTES: u64 = 64 * 1024;

impl Driver {
    /// Some operations fail. What the lanes agree on may have ended on that lane; so its process is
    /// started again when its disk is good again, as a shop would.
    pub(super) async fn disk_errors(&mut self, end: Instant) {
        let Some((slot, _)) = self.victim() else {
            return;
        };
        let drawn = self.strikes(&[&slot], Vec::new());
        let permille = self.part.fails_permille.unwrap_or(FAILS_PERMILLE);
        slot.device.set_errors(Errors {
            reads_permille: permille,
            writes_permille: permille,
            syncs_permille: self.part.syncs_permille.unwrap_or(0),
        });
        let note = |what: &str| self.store.timeline.note(&slot.name, what);
        note("its disk fails now and then");
        sleep_until(end).await;
        slot.device.set_errors(Errors::default());
        note("its disk is good again");
        self.store.timeline.strike_over(drawn);
        self.start_again(&slot).await;
    }

    /// There is room for a few writes more, and then for none.
    pub(super) async fn disk_full(&mut self, end: Instant) {
        let Some((slot, _)) = self.victim() else {
            return;
        };
        let drawn = self.strikes(&[&slot], Vec::new());
        let left = self.dice.between(0, LEFT_BYTES) as usize;
        slot.device.leave_room(Some(left));
        let note = |what: String| self.store.timeline.note(&slot.name, what);
        note(format!("its disk takes {left} bytes more"));
        sleep_until(end).await;
        slot.device.leave_room(None);
        note("its disk has room again".to_owned());
        self.store.timeline.strike_over(drawn);
    }

    async fn start_again(&self, slot: &Arc<Slot>) {
        if slot.process().is_some() {
            self.store.close(slot).await;
            self.store.start(slot).await;
        }
    }
}
