//! What the rest of the lane sees of the group.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use openraft::async_runtime::watch::WatchReceiver;
use openraft::metrics::RaftMetrics;
use openraft::{Instant, ServerState};
use providers::SharedClock;
use tokio::sync::watch;

use crate::liveness::Liveness;
use crate::types::{LogId, StoredMembership, Types};
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
    /// Whether a leader has told this node for some seconds of what it has not applied yet.
    pub is_behind: bool,
    /// Why this node takes no part any more; it has to be started again.
    pub failed: Option<String>,
}

/// Where openraft publishes its metrics.
pub type Metrics = openraft::type_config::alias::WatchReceiverOf<Types, RaftMetrics<Types>>;

pub fn index(id: Option<&LogId>) -> u64 {
    id.map_or(0, |id| id.index())
}

/// What the status is made of, kept to see cheaply whether any of it has changed: openraft publishes
/// its metrics some seventy times a second, most of them the same.
struct Source {
    term: u64,
    state: ServerState,
    leader: Option<NodeId>,
    applied: Option<LogId>,
    committed: Option<LogId>,
    last_log: Option<u64>,
    purged: Option<LogId>,
    membership: Arc<StoredMembership>,
    committed_membership: Arc<StoredMembership>,
    has_failed: bool,
    /// Whether this node is the only voter.
    is_alone: bool,
}

impl Source {
    fn of(metrics: &RaftMetrics<Types>) -> Source {
        let mut voters = metrics.membership_config.voter_ids();
        let is_alone = voters.next() == Some(metrics.id) && voters.next().is_none();
        Source {
            term: metrics.current_term,
            state: metrics.state,
            leader: metrics.current_leader,
            applied: metrics.last_applied,
            committed: metrics.local_committed,
            last_log: metrics.last_log_index,
            purged: metrics.purged,
            membership: metrics.membership_config.clone(),
            committed_membership: metrics.committed_membership_config.clone(),
            has_failed: metrics.running_state.is_err(),
            is_alone,
        }
    }

    fn is_still(&self, metrics: &RaftMetrics<Types>) -> bool {
        self.term == metrics.current_term
            && self.state == metrics.state
            && self.leader == metrics.current_leader
            && self.applied == metrics.last_applied
            && self.committed == metrics.local_committed
            && self.last_log == metrics.last_log_index
            && self.purged == metrics.purged
            && Arc::ptr_eq(&self.membership, &metrics.membership_config)
            && Arc::ptr_eq(
                &self.committed_membership,
                &metrics.committed_membership_config,
            )
            && self.has_failed == metrics.running_state.is_err()
    }

    /// Whether the store can agree now, as far as this node knows. Passes with time alone.
    fn has_quorum(
        &self,
        metrics: &RaftMetrics<Types>,
        liveness: &Liveness,
        timing: &Timing,
    ) -> bool {
        // Long enough that one lost heartbeat changes nothing, shorter than an election.
        let span = timing.election_max + timing.heartbeat;
        let is_leader = self.state == ServerState::Leader;
        let has_heard = || {
            if planted::is("stale-leader-read") {
                return true;
            }
            let acked = metrics.last_quorum_acked;
            acked.is_some_and(|at| at.into_inner().elapsed() <= span)
        };
        let leads_quorum = is_leader && (self.is_alone || has_heard());
        liveness.set_leads_quorum(leads_quorum);
        leads_quorum || (!is_leader && liveness.hears_leader(span))
    }

    /// Whether this node lags behind what its leader tells it. Passes with time alone.
    fn is_behind(&self, liveness: &Liveness) -> bool {
        let lags = liveness.is_behind(index(self.applied.as_ref()));
        lags && self.state != ServerState::Leader
    }
}

/// The status from openraft's metrics and what was heard on the network.
pub fn status_of(metrics: &RaftMetrics<Types>, liveness: &Liveness, timing: &Timing) -> RaftStatus {
    let source = Source::of(metrics);
    let has_quorum = source.has_quorum(metrics, liveness, timing);
    let membership = &metrics.membership_config;
    let voters: BTreeSet<NodeId> = membership.voter_ids().collect();
    let members: BTreeMap<NodeId, Member> = membership
        .nodes()
        .map(|(node, member)| (*node, member.clone()))
        .collect();
    RaftStatus {
        me: metrics.id,
        term: metrics.current_term,
        leader: metrics
            .current_leader
            .and_then(|leader| members.get(&leader).cloned()),
        is_leader: metrics.state == ServerState::Leader,
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
        has_quorum,
        is_behind: source.is_behind(liveness),
        failed: metrics
            .running_state
            .as_ref()
            .err()
            .map(ToString::to_string),
    }
}

/// Brings what is shown up to date.
fn show(
    metrics: &RaftMetrics<Types>,
    source: &mut Option<Source>,
    liveness: &Liveness,
    timing: &Timing,
    status: &watch::Sender<RaftStatus>,
) {
    if let Some(source) = source.as_ref().filter(|source| source.is_still(metrics)) {
        let has_quorum = source.has_quorum(metrics, liveness, timing);
        let is_behind = source.is_behind(liveness);
        status.send_if_modified(|shown| {
            let before = (shown.has_quorum, shown.is_behind);
            (shown.has_quorum, shown.is_behind) = (has_quorum, is_behind);
            before != (has_quorum, is_behind)
        });
        return;
    }
    *source = Some(Source::of(metrics));
    let now = status_of(metrics, liveness, timing);
    status.send_if_modified(|shown| {
        let is_new = *shown != now;
        *shown = now;
        is_new
    });
}

/// Keeps the status up to date until openraft or all who look have gone.
pub async fn follow(
    mut metrics: Metrics,
    liveness: Arc<Liveness>,
    timing: Timing,
    clock: SharedClock,
    status: watch::Sender<RaftStatus>,
    mut stop: watch::Receiver<()>,
) {
    let mut source = None;
    // One timer for many looks.
    let mut look = clock.sleep(LOOK_EVERY);
    loop {
        show(
            &metrics.borrow_watched(),
            &mut source,
            &liveness,
            &timing,
            &status,
        );
        tokio::select! {
            biased;
            _ = stop.changed() => break,
            changed = metrics.changed() => {
                if changed.is_err() {
                    break;
                }
            }
            () = &mut look => look = clock.sleep(LOOK_EVERY),
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
