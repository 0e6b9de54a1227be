//! Bits that flip in what a disk has held for long.
//!
//! A lane never shows, applies or sends what a bit has changed: it says that the file is damaged, and its
//! next process sets that aside and builds it anew. Until then it may refuse to answer. Many a bit is of
//! no account: it lies in room that is free, or in a page of which the write-ahead log has a newer one.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until};

use super::Driver;
use super::members::LOOK_EVERY;
use crate::store::Slot;

/// The file that rots: the state, which each lane can build anew from its log and its siblings.
const FILE: &str = "store.db";
/// How long a running lane may take to come by a bit that matters: it looks at each row in turn.
const FOUND_WITHIN: Duration = Duration::from_secs(180);
/// What a lane shows of a file that is damaged.
const TOLD: &str = "store.db is damaged";

impl Driver {
    /// One bit flips under a running lane. Whoever stands in front of it restarts it when it says so.
    pub(super) async fn bit_rot(&mut self, end: Instant) {
        let Some((slot, _)) = self.victim() else {
            return;
        };
        let aside = files_set_aside(&slot);
        let Some(place) = slot.device.rot(FILE) else {
            return;
        };
        slot.device.set_rot(true);
        let drawn = self.strikes(&[&slot], Vec::new());
        let note = |what: String| self.store.timeline.note(&slot.name, what);
        note(format!("a bit of byte {place} of its {FILE} flips"));
        let deadline = Instant::now() + FOUND_WITHIN;
        let is_mended = || files_set_aside(&slot) > aside;
        while !is_mended() && Instant::now() < deadline {
            if is_told(&slot) {
                self.store.close(&slot).await;
                self.store.start(&slot).await;
            }
            sleep(LOOK_EVERY).await;
        }
        note(match is_mended() {
            true => format!("has set its {FILE} aside"),
            false => format!("found nothing wrong in its {FILE}"),
        });
        sleep_until(end).await;
        slot.device.set_rot(false);
        self.store.timeline.strike_over(drawn);
    }
}

fn files_set_aside(slot: &Slot) -> usize {
    let files = slot.device.files().into_iter();
    let aside = format!("{FILE}.damaged-");
    files.filter(|name| name.starts_with(&aside)).count()
}

fn is_told(slot: &Arc<Slot>) -> bool {
    slot.process().is_some_and(|process| {
        let view = process.lane.view().borrow().clone();
        let warnings = &view.status.warnings;
        warnings.iter().any(|warning| warning.contains(TOLD))
    })
}
