//! The hybrid clock of this lane: what it writes is stamped later than all that it had seen, its own
//! entries and its siblings', whatever their wall clocks say.
//!
//! Invariant: a stamp given out is later than every stamp given out before, and than every sibling's
//! that was seen, unless that was further ahead of this lane's wall clock than [`Hlc::AHEAD_MS_MAX`]
//! when it came. Stamps order what happened; nothing is priced or decided by them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ledger::{Entry, Hlc, LaneId};
use providers::SharedClock;
use storage::{Journal, StorageError};

#[derive(Default)]
struct Latest {
    stamp: Hlc,
    /// A sibling's clock is far ahead, which is said once.
    warned: bool,
}

pub struct Stamps {
    own: LaneId,
    clock: SharedClock,
    latest: Mutex<Latest>,
}

impl Stamps {
    /// The clock of the lane `own`, which has seen all copies that the journal holds.
    pub fn of(
        own: LaneId,
        journal: &Journal,
        clock: SharedClock,
    ) -> Result<Arc<Stamps>, StorageError> {
        let stamps = Stamps {
            own,
            clock,
            latest: Mutex::default(),
        };
        for (lane, head) in journal.heads() {
            let last = head.next_seq.saturating_sub(1).max(1);
            stamps.see(&journal.read(lane, last, 1, 1)?);
        }
        Ok(Arc::new(stamps))
    }

    fn latest(&self) -> MutexGuard<'_, Latest> {
        self.latest.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Goes on behind this lane's own newest entry, however far ahead its clock was then.
    pub fn resume(&self, own: Hlc) {
        let mut latest = self.latest();
        latest.stamp = latest.stamp.max(own);
    }

    /// The stamp of the next entry. One whose entry was not written is not used again.
    pub fn next(&self) -> Hlc {
        let wall_ms = self.clock.wall_ms();
        let mut latest = self.latest();
        latest.stamp = latest.stamp.tick(wall_ms);
        latest.stamp
    }

    /// The newest that was given out or followed.
    pub fn newest(&self) -> Hlc {
        self.latest().stamp
    }

    /// Entries have come. Within a lane the last has the latest stamp; one that cannot be
    /// read is for whoever stores or applies it to report.
    pub fn see(&self, entries: &[Entry]) {
        let last: BTreeMap<LaneId, &Entry> = entries.iter().map(|e| (e.lane, e)).collect();
        let siblings = last.values().filter(|entry| entry.lane != self.own);
        for stamp in siblings.filter_map(|entry| entry.stamp().ok()) {
            self.hear(stamp);
        }
    }

    /// A sibling's stamp has come.
    pub fn hear(&self, seen: Hlc) {
        if planted::is("stamps-ignore-siblings") {
            return;
        }
        let wall_ms = self.clock.wall_ms();
        let mut latest = self.latest();
        latest.stamp = latest.stamp.merge(seen, wall_ms);
        if seen.is_ahead_of(wall_ms) && !std::mem::replace(&mut latest.warned, true) {
            let ahead_s = (seen.wall_ms - wall_ms) / 1000;
            tracing::warn!(
                ahead_s,
                "a sibling's clock is ahead of this one: set both right"
            );
        }
    }
}
