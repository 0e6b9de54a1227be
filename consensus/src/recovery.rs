//! A group that lost its majority for good goes on with one of its nodes.
//!
//! Nothing of the node's log is given up: entries that the old group may or may not have agreed on
//! are agreed on now. The log goes on at the next index, so no index and no node id is used twice.
//! That the two groups never talk is the business of their names.

use std::collections::{BTreeMap, BTreeSet};

use openraft::entry::RaftEntry;
use openraft::storage::{IOFlushed, RaftLogStorage};
use openraft::type_config::TypeConfigExt;
use openraft::vote::RaftLeaderIdExt;
use openraft::{Membership, RaftLogReader};
use storage::StateDb;

use crate::codec::decode;
use crate::log_store::LogStore;
use crate::snapshots::MEMBERSHIP;
use crate::types::{Entry, LogId, StoredMembership, Types, Vote};
use crate::{ConsensusError, Member, NodeId};

/// The nodes that voted, as far as this lane has applied the log; empty for a lane that was never
/// in a group.
pub fn voters(state: &StateDb) -> Result<BTreeSet<NodeId>, ConsensusError> {
    let Some(bytes) = state.writer.private(MEMBERSHIP)? else {
        return Ok(BTreeSet::new());
    };
    let membership: StoredMembership =
        decode(&bytes).map_err(|error| ConsensusError::Other(error.to_string()))?;
    Ok(membership.voter_ids().collect())
}

/// Makes this node the only member, by a last entry of its log. To be called before the node is
/// started; once more does no harm as long as no other node has been added.
pub async fn go_on_alone(
    log: &mut LogStore,
    me: NodeId,
    member: Member,
) -> Result<(), ConsensusError> {
    let failed = |error: std::io::Error| ConsensusError::Other(error.to_string());
    let vote = log.read_vote().await.map_err(failed)?;
    let last = log.get_log_state().await.map_err(failed)?.last_log_id;
    let voted = vote.map_or(0, |vote| vote.leader_id().term);
    let logged = last.map_or(0, |last| last.committed_leader_id().term);
    let term = voted.max(logged) + 1;
    let leader = openraft::impls::leader_id_adv::LeaderId::new_committed(term, me);
    let id = LogId::new(leader, last.map_or(0, |last| last.index() + 1));
    let membership = Membership::new(vec![BTreeSet::from([me])], BTreeMap::from([(me, member)]))
        .map_err(|error| ConsensusError::Other(error.to_string()))?;
    // Vote first: no log is ever ahead of what its node has promised.
    log.save_vote(&Vote::new(term, me)).await.map_err(failed)?;
    let (done, flushed) = Types::oneshot();
    let entry = Entry::new_membership(id, membership);
    let appended = log.append([entry], IOFlushed::signal(done));
    appended.await.map_err(failed)?;
    let flushed = flushed
        .await
        .map_err(|_| ConsensusError::Other("the log was closed".to_owned()))?;
    flushed.map_err(failed)
}
