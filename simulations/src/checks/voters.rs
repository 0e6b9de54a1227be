//! Which lanes vote, held against the plan: written down here once more, not asked of the code that
//! is checked.

use std::collections::BTreeSet;

use ledger::StoreView;

use super::Check;
use crate::store::Store;

/// Voters of a store of so many lanes: few keep a commit fast, an odd number wastes none.
fn planned(lanes: usize) -> usize {
    match lanes {
        0..=2 => 1,
        3..=4 => 3,
        5..=14 => 5,
        _ => 7,
    }
}

/// Why the voters are not as planned, once all lanes run; `None` where they are.
pub fn off_plan(store: &Store) -> Option<String> {
    let Some((slot, leader)) = store.leader() else {
        return Some("nobody leads".to_owned());
    };
    let raft = leader.lane.raft();
    if raft.is_changing {
        return Some(format!(
            "{} is in the middle of a change of voters",
            slot.name
        ));
    }
    let (voters, lanes) = (raft.voters.len(), raft.members.len());
    let wanted = planned(lanes);
    (voters != wanted).then(|| format!("of {lanes} lanes {voters} vote, and {wanted} should"))
}

/// Watches the voters while the store sells.
#[derive(Default)]
pub struct Voters {
    before: BTreeSet<u64>,
    lanes: usize,
}

impl Voters {
    /// A lane that closed keeps its vote as long as the store can lose another one: only lanes that
    /// are dead are replaced at once.
    pub fn look(&mut self, store: &Store) {
        let Some((slot, leader)) = store.leader() else {
            return;
        };
        let raft = leader.lane.raft();
        if raft.is_changing {
            return;
        }
        let lanes = std::mem::replace(&mut self.lanes, raft.members.len());
        let before = std::mem::replace(&mut self.before, raft.voters.clone());
        let wanted = planned(lanes);
        let exceeds = raft.voters.len() > wanted && before.len() == wanted;
        if !exceeds || lanes != raft.members.len() {
            return;
        }
        let Ok(records) = leader.lane.read(|tables| StoreView::new(tables).lanes()) else {
            return;
        };
        let running = store.running().into_iter();
        let running: BTreeSet<u64> = running
            .map(|(_, process)| process.lane.identity().node)
            .collect();
        let closed = |node: &u64| records.iter().any(|lane| lane.node == *node && lane.closed);
        let away: Vec<u64> = before.difference(&running).copied().collect();
        let can_lose_one = before.len() - away.len() > before.len() / 2 + 1;
        if !away.is_empty() && away.iter().all(closed) && can_lose_one {
            let what = format!("takes {away:?} for dead, which are closed");
            let check = Check::VotersAsPlanned;
            store.timeline.violation(check, &slot.name, what);
        }
    }
}
