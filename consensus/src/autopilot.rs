//! Which lanes vote: decided by the leader, one change at a time.
//!
//! [`decide`] is pure: it looks at the group and names the next step, or none. Few voters keep a
//! commit fast, enough of them survive a lane's death, and an odd number wastes none. A dead voter is
//! replaced by promoting another lane before it is demoted.
//!
//! A lane that closed for the night is not dead: it keeps its vote, so that the lanes that open in
//! the morning are the ones that can agree. Only where the loss of one voter more would stop the
//! store does an open lane stand in for it.
//!
//! A store grows from one voter to three in one joint step, never by way of two. While that step is
//! under way the store needs the first voter and either of the new ones; with two voters it would
//! need both. What no order of steps can change: until the step is committed, the first voter is the
//! only one whose log is known to be whole, so losing it for good before then means a new epoch.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::NodeId;

/// Entries that a lane may lack and still count as caught up: what is on its way to it.
pub const CAUGHT_UP_ENTRIES_MAX: u64 = 256;

/// How many voters a store of `lanes` lanes has.
pub fn voters_wanted(lanes: usize) -> usize {
    match lanes {
        0..=2 => 1,
        3..=4 => planted::instead("too-few-voters", 1, 3),
        5..=14 => 5,
        _ => 7,
    }
}

/// What the leader knows of another lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Contact {
    /// How long ago it was last heard from.
    pub silent_for: Duration,
    /// For how long it has been caught up and heard from; `None` when it is not.
    pub caught_up_for: Option<Duration>,
}

/// The group as its leader sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    pub me: NodeId,
    /// The voters; two sets while a change is under way.
    pub voters: Vec<BTreeSet<NodeId>>,
    pub learners: BTreeSet<NodeId>,
    /// Whether the latest membership is committed.
    pub is_settled: bool,
    /// Lanes that said they close.
    pub closed: BTreeSet<NodeId>,
    pub contacts: BTreeMap<NodeId, Contact>,
}

/// One step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Ends a change of voters that was interrupted half-way: these are to vote.
    Finish(BTreeSet<NodeId>),
    Promote(BTreeSet<NodeId>),
    Demote(BTreeSet<NodeId>),
}

/// The next step, if one is due.
pub fn decide(view: &View, stable_for: Duration, dead_after: Duration) -> Option<Change> {
    if !view.is_settled {
        return None;
    }
    let (voters, interrupted) = match view.voters.as_slice() {
        [] => return None,
        [voters] => (voters, false),
        [.., goal] => (goal, true),
    };
    if interrupted {
        let is_left = planted::is("joint-change-left-half-way");
        return (!is_left).then(|| Change::Finish(voters.clone()));
    }
    let wanted = voters_wanted(voters.union(&view.learners).count());
    if voters.len() > wanted {
        let demoted = least_useful(view, voters, dead_after, voters.len() - wanted);
        return (!demoted.is_empty()).then_some(Change::Demote(demoted));
    }
    let dead = voters
        .iter()
        .filter(|node| view.is_dead(**node, dead_after));
    let dead = dead.count();
    let away = voters
        .iter()
        .filter(|node| view.is_away(**node, dead_after));
    let live = voters.len() - dead - away.count();
    let spare = live.saturating_sub(voters.len() / 2 + 1);
    let missing = match spare {
        // One loss more would stop the store.
        0 => wanted.saturating_sub(live),
        _ => wanted - (voters.len() - dead),
    };
    let ready = view
        .learners
        .iter()
        .filter(|node| view.is_ready(**node, stable_for));
    let mut promoted: BTreeSet<NodeId> = ready.take(missing).copied().collect();
    let grown = voters.len() + promoted.len();
    // An even number of voters survives no more deaths than one fewer. One that exceeds what is
    // wanted only passes: the dead leave next.
    if grown <= wanted && grown.is_multiple_of(2) {
        promoted.pop_last();
    }
    (!promoted.is_empty()).then_some(Change::Promote(promoted))
}

/// The voters to do without: the dead first, then the closed, then those that came last. Never the
/// leader.
fn least_useful(
    view: &View,
    voters: &BTreeSet<NodeId>,
    dead_after: Duration,
    count: usize,
) -> BTreeSet<NodeId> {
    let mut others: Vec<NodeId> = voters.iter().copied().filter(|n| *n != view.me).collect();
    others.sort_by_key(|node| {
        let is_dead = view.is_dead(*node, dead_after);
        let is_closed = view.closed.contains(node);
        (!is_dead, !is_closed, std::cmp::Reverse(*node))
    });
    others.into_iter().take(count).collect()
}

impl View {
    fn is_silent(&self, node: NodeId, dead_after: Duration) -> bool {
        let is_silent = |contact: &Contact| contact.silent_for >= dead_after;
        node != self.me && self.contacts.get(&node).is_some_and(is_silent)
    }

    fn is_dead(&self, node: NodeId, dead_after: Duration) -> bool {
        let is_closed = self.closed.contains(&node) && !planted::is("closed-taken-for-dead");
        !is_closed && self.is_silent(node, dead_after)
    }

    /// Whether it has been closed for so long that it is not just being started again.
    fn is_away(&self, node: NodeId, dead_after: Duration) -> bool {
        self.closed.contains(&node) && self.is_silent(node, dead_after)
    }

    fn is_ready(&self, node: NodeId, stable_for: Duration) -> bool {
        let is_stable = |contact: &Contact| {
            planted::is("promoted-at-once") || contact.caught_up_for >= Some(stable_for)
        };
        !self.closed.contains(&node) && self.contacts.get(&node).is_some_and(is_stable)
    }
}

/// Since when each lane has been caught up.
#[derive(Debug, Default)]
pub struct Tracker {
    caught_up_since: BTreeMap<NodeId, Duration>,
}

impl Tracker {
    /// Notes which lanes are caught up at `now`, and for how long each of them has been.
    pub fn observe(
        &mut self,
        now: Duration,
        caught_up: &BTreeSet<NodeId>,
    ) -> BTreeMap<NodeId, Duration> {
        self.caught_up_since
            .retain(|node, _| caught_up.contains(node));
        for node in caught_up {
            self.caught_up_since.entry(*node).or_insert(now);
        }
        let spans = self.caught_up_since.iter();
        spans
            .map(|(node, since)| (*node, now.saturating_sub(*since)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STABLE: Duration = Duration::from_secs(2);
    const DEAD: Duration = Duration::from_secs(30);

    fn set(nodes: &[NodeId]) -> BTreeSet<NodeId> {
        nodes.iter().copied().collect()
    }

    /// A settled group led by node 1 in which every lane is well.
    fn group(voters: &[NodeId], learners: &[NodeId]) -> View {
        let well = Contact {
            silent_for: Duration::from_millis(50),
            caught_up_for: Some(STABLE),
        };
        let nodes = voters.iter().chain(learners);
        View {
            me: 1,
            voters: vec![set(voters)],
            learners: set(learners),
            is_settled: true,
            closed: BTreeSet::new(),
            contacts: nodes.map(|node| (*node, well)).collect(),
        }
    }

    fn dead(mut view: View, nodes: &[NodeId]) -> View {
        for node in nodes {
            let contact = Contact {
                silent_for: DEAD,
                caught_up_for: None,
            };
            view.contacts.insert(*node, contact);
        }
        view
    }

    fn behind(mut view: View, nodes: &[NodeId]) -> View {
        for node in nodes {
            let contact = view.contacts.get_mut(node).unwrap();
            contact.caught_up_for = Some(STABLE - Duration::from_millis(1));
        }
        view
    }

    fn closed(mut view: View, nodes: &[NodeId]) -> View {
        view.closed = set(nodes);
        dead(view, nodes)
    }

    fn check(view: View, expected: Option<Change>) {
        assert_eq!(decide(&view, STABLE, DEAD), expected, "{view:?}");
    }

    fn promote(nodes: &[NodeId]) -> Option<Change> {
        Some(Change::Promote(set(nodes)))
    }

    fn demote(nodes: &[NodeId]) -> Option<Change> {
        Some(Change::Demote(set(nodes)))
    }

    #[test]
    fn a_store_has_as_many_voters_as_it_needs() {
        let wanted: Vec<usize> = (1..=16).map(voters_wanted).collect();
        assert_eq!(wanted, [1, 1, 3, 3, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 7, 7]);
    }

    #[test]
    fn a_group_grows_by_pairs() {
        check(group(&[1], &[]), None);
        check(group(&[1], &[2]), None);
        check(group(&[1], &[2, 3]), promote(&[2, 3]));
        check(behind(group(&[1], &[2, 3]), &[3]), None);
        check(behind(group(&[1], &[2, 3, 4]), &[2]), promote(&[3, 4]));
        check(group(&[1, 2, 3], &[4]), None);
        check(group(&[1, 2, 3], &[4, 5]), promote(&[4, 5]));
        check(group(&[1], &[2, 3, 4, 5]), promote(&[2, 3, 4, 5]));
        check(behind(group(&[1], &[2, 3, 4, 5]), &[5]), promote(&[2, 3]));
        check(group(&[1, 2], &[3]), promote(&[3]));
    }

    #[test]
    fn a_group_shrinks_to_what_it_needs() {
        check(group(&[1, 2], &[]), demote(&[2]));
        check(group(&[1, 2, 3, 4, 5], &[]), None);
        check(group(&[1, 2, 3, 4], &[]), demote(&[4]));
        check(dead(group(&[1, 2, 3, 4], &[]), &[2]), demote(&[2]));
        check(closed(group(&[1, 2, 3, 4], &[]), &[3]), demote(&[3]));
    }

    #[test]
    fn a_dead_voter_is_replaced_by_promoting_before_demoting() {
        check(dead(group(&[1, 2, 3], &[4]), &[2]), promote(&[4]));
        check(dead(group(&[1, 2, 3, 4], &[]), &[2]), demote(&[2]));
        check(dead(group(&[1, 3, 4], &[2]), &[2]), None);
        check(dead(group(&[1, 2, 3], &[]), &[2]), None);
        check(dead(group(&[1, 2, 3], &[4]), &[2, 4]), None);
        check(
            dead(group(&[1, 2, 3, 4, 5], &[6, 7]), &[2, 3]),
            promote(&[6, 7]),
        );
        check(
            dead(group(&[1, 2, 3, 4, 5, 6, 7], &[]), &[2, 3]),
            demote(&[2, 3]),
        );
        check(dead(group(&[1, 2, 3, 4, 5], &[6]), &[2, 3]), promote(&[6]));
    }

    #[test]
    fn a_lane_that_closed_is_not_dead_and_not_promoted() {
        check(closed(group(&[1, 2, 3, 4, 5], &[6]), &[2]), None);
        check(closed(group(&[1], &[2, 3]), &[3]), None);
        check(closed(group(&[1, 2, 3], &[]), &[2]), None);
        check(closed(group(&[1, 2, 3], &[4]), &[2, 4]), None);
        let all_but_one = closed(group(&[1, 2, 3, 4, 5], &[6, 7]), &[2, 3, 4, 5, 6, 7]);
        check(all_but_one, None);
    }

    #[test]
    fn an_open_lane_stands_in_where_one_loss_more_would_stop_the_store() {
        check(closed(group(&[1, 2, 3], &[4]), &[2]), promote(&[4]));
        check(closed(group(&[1, 2, 3, 4], &[]), &[2]), demote(&[2]));
        let two = || closed(group(&[1, 2, 3, 4, 5], &[6, 7]), &[2, 3]);
        check(two(), promote(&[6, 7]));
        check(
            closed(group(&[1, 2, 3, 4, 5, 6, 7], &[]), &[2, 3]),
            demote(&[2, 3]),
        );
        // One that closed a moment ago may be starting again.
        let mut just_now = two();
        just_now.contacts.get_mut(&2).unwrap().silent_for = Duration::ZERO;
        check(just_now, None);
    }

    #[test]
    fn an_interrupted_change_is_finished_once_it_is_committed() {
        let mut view = group(&[1, 2, 3], &[]);
        view.voters = vec![set(&[1]), set(&[1, 2, 3])];
        check(view.clone(), Some(Change::Finish(set(&[1, 2, 3]))));
        view.is_settled = false;
        check(view, None);
    }

    #[test]
    fn a_spell_begins_anew_after_each_lapse() {
        let mut tracker = Tracker::default();
        let mut check = |now: u64, caught_up: &[NodeId], expected: &[(NodeId, u64)]| {
            let spans = tracker.observe(Duration::from_secs(now), &set(caught_up));
            let expected: BTreeMap<NodeId, Duration> = expected
                .iter()
                .map(|(node, s)| (*node, Duration::from_secs(*s)))
                .collect();
            assert_eq!(spans, expected);
        };
        check(10, &[2], &[(2, 0)]);
        check(12, &[2, 3], &[(2, 2), (3, 0)]);
        check(13, &[3], &[(3, 1)]);
        check(14, &[2, 3], &[(2, 0), (3, 2)]);
    }
}
