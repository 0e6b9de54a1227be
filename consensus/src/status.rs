//! What the rest of the lane sees of the group.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use openraft::async_runtime::watch::WatchReceiver;
use openraft::metrics::RaftMetrics;
use openraft::{Instant, ServerState};
use providers::{SharedClock, timeout};
use tokio::sync::watch;

use crate::liveness::Liveness;
use crate::types::{LogId, Types};
use crate::{Member, NodeId, Timing};

/// How often the status is looked at when nothing happens, to notice silence.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// The group as this node sees it. Indexes are 0 while there is nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RaftStatus {
    pub me: NodeId,
    pub term: u64,
    /// The leader this node knows of.
    pub leader: Option<Member>,
    pub is_leader: bool,
    /// Applied to this lane's state.
    pub applied: u64,
    /// Known to be committed.
    pub committed: u64,
    /// In this lane's log.
    pub last_log: u64,
    /// Entries up to this one are gone from this lane's log; a snapshot holds them.
    pub purged: u64,
    pub voters: BTreeSet<NodeId>,
    pub learners: BTreeSet<NodeId>,
    /// Whether a change of members or voters is under way, as far as this node knows.
    pub is_changing: bool,
    pub members: BTreeMap<NodeId, Member>,
    /// Whether the store can agree now, as far as this node knows: a leader that has heard from a
    /// quorum lately, or a node that has heard from such a leader.
    pub has_quorum: bool,
    /// Why this node takes no part any more; it has to be started again.
    pub failed: Option<String>,
}

/// Where openraft publishes its metrics.
pub type Metrics = openraft::type_config::alias::WatchReceiverOf<Types, RaftMetrics<Types>>;

pub fn index(id: Option<&LogId>) -> u64 {
    id.map_or(0, |id| id.index())
}

fn has_heard_quorum(metrics: &RaftMetrics<Types>, span: Duration) -> bool {
    let voters: BTreeSet<NodeId> = metrics.membership_config.voter_ids().collect();
    let is_alone = voters.len() == 1 && voters.contains(&metrics.id);
    let acked = metrics
        .last_quorum_acked
        .map(|at| at.into_inner().elapsed());
    is_alone || acked.is_some_and(|ago| ago <= span)
}

/// The status from openraft's metrics and what was heard on the network.
pub fn status_of(metrics: &RaftMetrics<Types>, liveness: &Liveness, timing: &Timing) -> RaftStatus {
    let membership = &metrics.membership_config;
    let voters: BTreeSet<NodeId> = membership.voter_ids().collect();
    let members: BTreeMap<NodeId, Member> = membership
        .nodes()
        .map(|(node, member)| (*node, member.clone()))
        .collect();
    let is_leader = metrics.state == ServerState::Leader;
    // Long enough that one lost heartbeat changes nothing, shorter than an election.
    let span = timing.election_max + timing.heartbeat;
    let leads_quorum = is_leader && has_heard_quorum(metrics, span);
    liveness.set_leads_quorum(leads_quorum);
    RaftStatus {
        me: metrics.id,
        term: metrics.current_term,
        leader: metrics
            .current_leader
            .and_then(|leader| members.get(&leader).cloned()),
        is_leader,
        applied: index(metrics.last_applied.as_ref()),
        committed: index(metrics.local_committed.as_ref()),
        last_log: metrics.last_log_index.unwrap_or(0),
        purged: index(metrics.purged.as_ref()),
        learners: members
            .keys()
            .copied()
            .filter(|node| !voters.contains(node))
            .collect(),
        voters,
        is_changing: membership.get_joint_config().len() > 1
            || metrics.membership_config != metrics.committed_membership_config,
        members,
        has_quorum: leads_quorum || (!is_leader && liveness.hears_leader(span)),
        failed: metrics
            .running_state
            .as_ref()
            .err()
            .map(ToString::to_string),
    }
}

/// Keeps the status up to date until openraft or all who look have gone.
pub async fn follow(
    mut metrics: Metrics,
    liveness: std::sync::Arc<Liveness>,
    timing: Timing,
    clock: SharedClock,
    status: watch::Sender<RaftStatus>,
    mut stop: watch::Receiver<()>,
) {
    loop {
        let now = status_of(&metrics.borrow_watched(), &liveness, &timing);
        status.send_if_modified(|shown| {
            let is_new = *shown != now;
            *shown = now;
            is_new
        });
        tokio::select! {
            biased;
            _ = stop.changed() => break,
            changed = timeout(clock.as_ref(), LOOK_EVERY, metrics.changed()) => {
                if let Some(Err(_)) = changed {
                    break;
                }
            }
        }
    }
    status.send_modify(|status| {
        status.is_leader = false;
        status.has_quorum = false;
        status
            .failed
            .get_or_insert_with(|| "it was shut down".to_owned());
    });
}
