//! Carries out what [`crate::autopilot`] decides, while this node leads.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use openraft::async_runtime::watch::WatchReceiver;
use openraft::metrics::RaftMetrics;
use openraft::{ChangeMembers, Instant, ServerState};
use providers::{SharedClock, timeout};
use tokio::sync::watch;

use crate::autopilot::{CAUGHT_UP_ENTRIES_MAX, Change, Contact, Tracker, View, decide};
use crate::node::{RaftNode, change_error};
use crate::types::Types;
use crate::{NodeId, Timing};

pub struct Autopilot {
    pub raft: RaftNode,
    pub timing: Timing,
    pub clock: SharedClock,
    pub closed: Arc<Mutex<BTreeSet<NodeId>>>,
    /// Held while this node changes the group: one change at a time.
    pub changing: Arc<tokio::sync::Mutex<()>>,
}

/// What is remembered while this node leads without a break.
struct Reign {
    term: u64,
    since: Duration,
    tracker: Tracker,
}

impl Autopilot {
    pub async fn run(self, mut stop: watch::Receiver<()>) {
        let mut reign: Option<Reign> = None;
        loop {
            tokio::select! {
                biased;
                _ = stop.changed() => return,
                () = self.clock.sleep(self.timing.autopilot_every) => {}
            }
            let metrics = self.raft.metrics().borrow_watched().clone();
            if metrics.state != ServerState::Leader {
                reign = None;
                continue;
            }
            let now = self.clock.monotonic();
            let term = metrics.current_term;
            let current = reign.take().filter(|reign| reign.term == term);
            let reign = reign.insert(current.unwrap_or_else(|| Reign {
                term,
                since: now,
                tracker: Tracker::default(),
            }));
            let view = self.view(&metrics, reign, now);
            if let Some(change) = decide(&view, self.timing.stable_for, self.timing.dead_after) {
                self.carry_out(change).await;
            }
        }
    }

    fn view(&self, metrics: &RaftMetrics<Types>, reign: &mut Reign, now: Duration) -> View {
        let membership = &metrics.membership_config;
        let voters: BTreeSet<NodeId> = membership.voter_ids().collect();
        let nodes: BTreeSet<NodeId> = membership.nodes().map(|(node, _)| *node).collect();
        let reign_span = now.saturating_sub(reign.since);
        // A leader that just began has heard from nobody: silence counts from then on.
        let silent_for: BTreeMap<NodeId, Duration> = nodes
            .iter()
            .map(|node| {
                let silent = silent_for(metrics, *node).unwrap_or(reign_span);
                (*node, silent.min(reign_span))
            })
            .collect();
        let caught_up = nodes
            .iter()
            .copied()
            .filter(|node| silent_for[node] <= 2 * self.timing.election_max)
            .filter(|node| has_caught_up(metrics, *node))
            .collect();
        let spans = reign.tracker.observe(now, &caught_up);
        let contact = |node: &NodeId| Contact {
            silent_for: silent_for[node],
            caught_up_for: spans.get(node).copied(),
        };
        View {
            me: metrics.id,
            voters: membership.get_joint_config().clone(),
            learners: nodes.difference(&voters).copied().collect(),
            is_settled: metrics.membership_config == metrics.committed_membership_config,
            closed: self
                .closed
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .clone(),
            contacts: nodes.iter().map(|node| (*node, contact(node))).collect(),
        }
    }

    async fn carry_out(&self, change: Change) {
        tracing::info!("the voters change: {change:?}");
        let members = match change {
            Change::Finish(voters) => ChangeMembers::ReplaceAllVoters(voters),
            Change::Promote(nodes) => ChangeMembers::AddVoterIds(nodes),
            Change::Demote(nodes) => ChangeMembers::RemoveVoters(nodes),
        };
        // A demoted lane stays in the group. Without a quorum the change waits; whoever leads then
        // looks at it again.
        let changed = Box::pin(async {
            let _one_at_a_time = self.changing.lock().await;
            self.raft.change_membership(members, true).await
        });
        let limit = self.timing.propose_limit;
        match timeout(self.clock.as_ref(), limit, changed).await {
            Some(Ok(_)) => {}
            Some(Err(error)) => {
                tracing::warn!("the voters did not change: {}", change_error(error));
            }
            None => tracing::warn!("the voters did not change in time"),
        }
    }
}

/// How long ago the leader last heard from `node`; `None` if never.
pub fn silent_for(metrics: &RaftMetrics<Types>, node: NodeId) -> Option<Duration> {
    let heard = metrics.heartbeat.as_ref().and_then(|map| *map.get(&node)?);
    heard.map(|at| at.into_inner().elapsed())
}

/// Whether `node` is known to have nearly all of the leader's entries. One that has confirmed none, as
/// long as it answers heartbeats alone, is not, however few there are.
fn has_caught_up(metrics: &RaftMetrics<Types>, node: NodeId) -> bool {
    let replication = metrics.replication.as_ref();
    let matched = replication.and_then(|map| map.get(&node)?.as_ref());
    let last = metrics.last_log_index.unwrap_or(0);
    matched.is_some_and(|id| last.saturating_sub(id.index()) <= CAUGHT_UP_ENTRIES_MAX)
}

#[cfg(test)]
mod tests {
    use openraft::LogId;
    use openraft::impls::leader_id_adv::LeaderId;
    use openraft::vote::RaftLeaderIdExt as _;

    use super::*;

    /// Found by leader-flaps with seed 90012: a lane that joined a young store was to vote before it
    /// held any of the log.
    #[test]
    fn a_lane_that_is_heard_and_has_confirmed_nothing_has_not_caught_up() {
        let log_id = |index| LogId::new(LeaderId::new_committed(1, 1), index);
        let check = |last: u64, matched: Option<u64>, expected: bool| {
            let mut metrics = RaftMetrics::<Types>::new_initial(1);
            metrics.last_log_index = Some(last);
            let replication = BTreeMap::from([(7, matched.map(log_id))]);
            metrics.replication = Some(replication);
            assert_eq!(
                has_caught_up(&metrics, 7),
                expected,
                "{matched:?} of {last}"
            );
        };
        check(20, None, false);
        check(20, Some(0), true);
        check(20, Some(20), true);
        check(CAUGHT_UP_ENTRIES_MAX + 9, Some(9), true);
        check(CAUGHT_UP_ENTRIES_MAX + 9, Some(8), false);
        // Of a lane that was just admitted the leader's metrics say nothing yet.
        assert!(!has_caught_up(&RaftMetrics::new_initial(1), 7));
    }
}
