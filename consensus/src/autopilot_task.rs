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
            .filter(|node| entries_behind(metrics, *node) <= CAUGHT_UP_ENTRIES_MAX)
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

/// How many of the leader's entries `node` is not known to have.
fn entries_behind(metrics: &RaftMetrics<Types>, node: NodeId) -> u64 {
    let next = |index: Option<u64>| index.map_or(0, |index| index + 1);
    let matched = metrics
        .replication
        .as_ref()
        .and_then(|map| *map.get(&node)?)
        .map(|id| id.index());
    next(metrics.last_log_index).saturating_sub(next(matched))
}
