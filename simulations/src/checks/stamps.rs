//! An entry is stamped later than everything that its lane had seen, also across a restart.
//!
//! Looked at from outside: at each look, what the lane holds of its siblings' journals has been seen,
//! and what it writes after that must be stamped later. Stamps further ahead of the lane's wall clock
//! than the product follows are left out, and so is all that came while the clock was set.

use std::collections::BTreeMap;

use ledger::{Hlc, LaneId, Seq};
use node::lane::{Lane, LaneError};
use providers::Clock;

use crate::clock::SimClock;

/// What comes between two looks, or while a lane starts, came to a wall clock that was earlier than at
/// the look by this at most.
const MARGIN_MS: u64 = 60_000;

/// What each lane was last seen to hold.
#[derive(Default)]
pub struct Stamps {
    lanes: BTreeMap<LaneId, Held>,
}

#[derive(Default)]
struct Held {
    /// The process that was looked at.
    run: u32,
    /// The next entry of the lane's own journal.
    own_next: Seq,
    /// What that entry must be stamped behind.
    floor: Hlc,
    /// The next entry of each sibling's journal.
    siblings: BTreeMap<LaneId, Seq>,
    jumps: u64,
}

impl Stamps {
    /// Looks at the `run`-th process of a lane; what is wrong, if anything is.
    pub fn look(
        &mut self,
        lane: &Lane,
        run: u32,
        clock: &SimClock,
    ) -> Result<Option<String>, LaneError> {
        let own = lane.identity().lane;
        let heads = lane.journal().heads();
        let held = self.lanes.entry(own).or_default();
        let wall_ms = clock.wall_ms().saturating_sub(MARGIN_MS);
        let clock_was_set = std::mem::replace(&mut held.jumps, clock.jumps()) != clock.jumps();
        let is_new_run = std::mem::replace(&mut held.run, run) != run;
        // A new process follows what the wall clock allows now, whatever was followed before.
        if is_new_run && (clock_was_set || held.floor.is_ahead_of(wall_ms)) {
            held.floor = Hlc::default();
            held.siblings.clear();
        }
        let own_next = heads.get(&own).map_or(1, |head| head.next_seq);
        let mut wrong = None;
        if held.own_next > 0 && own_next > held.own_next {
            let stamp = stamp_of(lane, own, held.own_next)?;
            if stamp.is_some_and(|stamp| stamp <= held.floor) {
                wrong = Some(format!(
                    "entry {} is stamped {stamp:?}, and the lane had seen {:?}",
                    held.own_next, held.floor
                ));
            }
        }
        held.own_next = own_next;
        for (sibling, head) in heads.iter().filter(|(sibling, _)| **sibling != own) {
            let before = held.siblings.insert(*sibling, head.next_seq);
            if before == Some(head.next_seq) || clock_was_set {
                continue;
            }
            let stamp = stamp_of(lane, *sibling, head.next_seq - 1)?;
            held.floor = stamp.map_or(held.floor, |s| held.floor.merge(s, wall_ms));
        }
        Ok(wrong)
    }
}

fn stamp_of(lane: &Lane, of: LaneId, seq: Seq) -> Result<Option<Hlc>, LaneError> {
    let entries = lane.journal().read(of, seq.max(1), 1, 1)?;
    Ok(entries.first().and_then(|entry| entry.stamp().ok()))
}
