//! Which rights this lane has to what is scarce in the store.

use consensus::RaftStatus;
use sale::{CutOff, LocalRights, Rights};

/// Whether the store cannot agree now, or this lane does not get what it agrees on.
pub fn is_cut_off(raft: &RaftStatus) -> bool {
    !raft.has_quorum || raft.is_behind
}

pub fn rights(raft: &RaftStatus) -> &'static dyn Rights {
    match is_cut_off(raft) {
        true => &CutOff,
        false => &LocalRights,
    }
}
