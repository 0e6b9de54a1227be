//! A group of nodes over its life: elections, deaths, cuts, catching up, and what survives.
//!
//! Nothing here waits for luck: each step waits until a node's status says that it has come about.

mod in_process;

use std::collections::BTreeSet;
use std::fs;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use consensus::{Consensus, ConsensusConfig, ConsensusError, NodeId, ProposeError, RaftStatus};
use in_process::{Node, Store, member};
use providers::StreamClass;

/// Far beyond what any step takes; reached only when it never comes about.
const DEADLINE: Duration = Duration::from_secs(60);

fn brisk(config: &mut ConsensusConfig) {
    config.timing.autopilot_every = Duration::from_millis(50);
    config.timing.stable_for = Duration::from_millis(200);
    config.timing.dead_after = Duration::from_secs(2);
    config.timing.propose_limit = Duration::from_secs(2);
}

/// With thresholds that a few entries reach.
fn brisk_and_forgetful(config: &mut ConsensusConfig) {
    brisk(config);
    config.limits.snapshot_after_entries = 50;
    config.limits.entries_kept = 5;
}

async fn until(consensus: &Consensus, what: &str, is_so: impl Fn(&RaftStatus) -> bool) {
    let mut status = consensus.status();
    let waited = tokio::time::timeout(DEADLINE, status.wait_for(&is_so)).await;
    if waited.is_err() {
        panic!(
            "never came about: {what}; {:#?}",
            *consensus.status().borrow()
        );
    }
    waited.unwrap().unwrap();
}

fn set(nodes: &[NodeId]) -> BTreeSet<NodeId> {
    nodes.iter().copied().collect()
}

/// The node that leads, once there is one that can commit.
async fn leader(nodes: &[Node]) -> &Node {
    let led = async {
        loop {
            for node in nodes {
                let status = node.consensus.status().borrow().clone();
                if status.is_leader && status.has_quorum {
                    return node;
                }
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let found = tokio::time::timeout(DEADLINE, led).await;
    found.unwrap_or_else(|_| {
        let statuses = nodes
            .iter()
            .map(|node| node.consensus.status().borrow().clone());
        panic!("no node leads; {:#?}", statuses.collect::<Vec<_>>())
    })
}

/// Proposes until it is committed, wherever the leader is; the index.
async fn commit(nodes: &[Node], proposal: &str) -> u64 {
    loop {
        let node = leader(nodes).await;
        if let Ok(answer) = node.consensus.propose(proposal.into()).await {
            return u64::from_be_bytes(answer.try_into().unwrap());
        }
    }
}

async fn until_applied(node: &Node, index: u64) {
    let mut applied = node.consensus.applied();
    let waited = tokio::time::timeout(DEADLINE, applied.wait_for(|applied| *applied >= index));
    waited.await.expect("never applied").unwrap();
}

/// A group of nodes 1 to `count`, created by node 1, with the voters its autopilot gave it.
async fn group(store: &Store, count: u64) -> Vec<Node> {
    let mut nodes = Vec::new();
    for id in 1..=count {
        nodes.push(store.start(id).await.unwrap());
    }
    nodes[0].consensus.create(member(1)).await.unwrap();
    until(&nodes[0].consensus, "the first leads", |s| s.is_leader).await;
    for id in 2..=count {
        nodes[0].consensus.add_lane(id, member(id)).await.unwrap();
        nodes[0].consensus.add_lane(id, member(id)).await.unwrap();
    }
    let voters = match count {
        0..=2 => 1,
        3..=4 => 3,
        _ => 5,
    };
    for node in &nodes {
        until(&node.consensus, "the voters are in place", |status| {
            !status.is_changing
                && status.voters.len() == voters
                && status.members.len() == count as usize
                && status.has_quorum
        })
        .await;
    }
    nodes
}

fn take(nodes: &mut Vec<Node>, id: NodeId) -> Node {
    let at = nodes.iter().position(|node| node.id == id).unwrap();
    nodes.remove(at)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_lanes_agree_and_a_follower_names_its_leader() {
    let folder = tempfile::tempdir().unwrap();
    let nodes = group(&Store::new(folder.path(), brisk), 3).await;
    let index = commit(&nodes, "milk=129").await;
    for node in &nodes {
        until_applied(node, index).await;
        assert_eq!(node.value("milk").as_deref(), Some("129"));
        assert_eq!(node.consensus.status().borrow().voters, set(&[1, 2, 3]));
    }
    let leads = leader(&nodes).await.id;
    let follower = nodes.iter().find(|node| node.id != leads).unwrap();
    let refused = follower.consensus.propose(b"milk=1".to_vec()).await;
    let leader = Some(member(leads));
    assert_eq!(refused, Err(ProposeError::NotLeader { leader }));
    let again = nodes[0].consensus.create(member(1)).await;
    assert!(matches!(again, Err(ConsensusError::AlreadyCreated)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_proposals_at_once_are_each_answered_once() {
    let folder = tempfile::tempdir().unwrap();
    let nodes = group(&Store::new(folder.path(), brisk), 3).await;
    let leader = leader(&nodes).await;
    let proposals = (0..500).map(|i| leader.consensus.propose(format!("{i}={i}").into_bytes()));
    let answers = futures::future::join_all(proposals).await;
    let indexes: BTreeSet<Vec<u8>> = answers.into_iter().map(Result::unwrap).collect();
    assert_eq!(indexes.len(), 500);
    assert_eq!(leader.value("499").as_deref(), Some("499"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_the_leader_is_killed_another_commits_and_the_killed_one_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(folder.path(), brisk);
    let mut nodes = group(&store, 3).await;
    let before = commit(&nodes, "milk=129").await;
    let killed = leader(&nodes).await.id;
    take(&mut nodes, killed).kill();
    let index = commit(&nodes, "milk=135").await;
    assert!(index > before);
    let back = store.start(killed).await.unwrap();
    until_applied(&back, index).await;
    assert_eq!(back.value("milk").as_deref(), Some("135"));
    until(&back.consensus, "it follows", |status| {
        status.has_quorum && status.leader.is_some()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_committed_survives_the_restart_of_all() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(folder.path(), brisk);
    let nodes = group(&store, 3).await;
    let index = commit(&nodes, "milk=129").await;
    let term = nodes[0].consensus.status().borrow().term;
    for node in nodes {
        node.consensus.shutdown().await;
        node.kill();
    }
    let mut nodes = Vec::new();
    for id in 1..=3 {
        nodes.push(store.start(id).await.unwrap());
    }
    let next = commit(&nodes, "bread=249").await;
    assert!(next > index);
    assert!(leader(&nodes).await.consensus.status().borrow().term > term);
    for node in &nodes {
        until_applied(node, next).await;
        assert_eq!(node.value("milk").as_deref(), Some("129"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leader_that_is_cut_off_commits_nothing_and_follows_when_it_returns() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(folder.path(), brisk);
    let mut nodes = group(&store, 3).await;
    let cut = leader(&nodes).await.id;
    store.links.cut_off(&[cut]);
    let alone = take(&mut nodes, cut);
    let lost = alone.consensus.propose(b"milk=1".to_vec()).await;
    assert!(
        matches!(
            lost,
            Err(ProposeError::NoQuorum | ProposeError::NotLeader { .. })
        ),
        "{lost:?}"
    );
    until(&alone.consensus, "it knows that it is alone", |status| {
        !status.has_quorum
    })
    .await;
    let index = commit(&nodes, "milk=129").await;
    store.links.cut_off(&[]);
    until_applied(&alone, index).await;
    assert_eq!(alone.value("milk").as_deref(), Some("129"));
    until(&alone.consensus, "it follows", |status| {
        status.has_quorum && !status.is_leader
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lane_that_was_away_for_long_and_a_new_one_catch_up_by_snapshot() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(folder.path(), brisk_and_forgetful);
    let mut nodes = group(&store, 3).await;
    let away = nodes
        .iter()
        .find(|node| !node.consensus.status().borrow().is_leader);
    let away = away.unwrap().id;
    take(&mut nodes, away).kill();
    // Each value is large, so that the snapshot takes several chunks.
    let value = "x".repeat(10_000);
    let mut index = 0;
    for i in 0..200 {
        index = commit(&nodes, &format!("{i}={value}")).await;
    }
    let leader = leader(&nodes).await;
    until(&leader.consensus, "the log is cut", |s| s.purged > 100).await;
    let back = store.start(away).await.unwrap();
    let new = store.start(4).await.unwrap();
    leader.consensus.add_lane(4, member(4)).await.unwrap();
    for node in [&back, &new] {
        until_applied(node, index).await;
        let proposals = node.proposals.load(Ordering::Relaxed);
        assert!(proposals < 150, "{proposals} came by the log");
        for key in ["0", "99", "199"] {
            assert_eq!(node.value(key).as_ref(), Some(&value));
        }
    }
    nodes.extend([back, new]);
    commit(&nodes, "after=1").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_state_is_rebuilt_from_the_snapshot_and_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(folder.path(), brisk_and_forgetful);
    let mut nodes = group(&store, 1).await;
    for i in 0..170 {
        commit(&nodes, &format!("{i}=1")).await;
    }
    let index = commit(&nodes, "last=1").await;
    let node = take(&mut nodes, 1);
    node.consensus.shutdown().await;
    node.kill();
    for file in ["store.db", "store.db-wal", "store.db-shm"] {
        let _ = fs::remove_file(store.folder(1).join(file));
    }
    let node = store.start(1).await.unwrap();
    until_applied(&node, index).await;
    for key in ["0", "169", "last"] {
        assert_eq!(node.value(key).as_deref(), Some("1"), "{key}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_lost_its_log_never_takes_part_again() {
    for damage in [
        |folder: &std::path::Path| fs::remove_file(folder.join("raft.db")).unwrap(),
        |folder: &std::path::Path| fs::write(folder.join("raft.db"), [7; 9000]).unwrap(),
        |folder: &std::path::Path| {
            // As if the file had never been there.
            fs::remove_file(folder.join("raft.db")).unwrap();
            fs::remove_file(folder.join("raft.db.status")).unwrap();
        },
    ] {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path(), brisk);
        let mut nodes = group(&store, 1).await;
        commit(&nodes, "milk=129").await;
        let node = take(&mut nodes, 1);
        node.consensus.shutdown().await;
        node.kill();
        drop(store.start(1).await.map(Node::kill));
        damage(&store.folder(1));
        for _ in 0..2 {
            let refused = store.start(1).await.err().unwrap();
            assert!(
                matches!(refused, ConsensusError::LogLost { .. }),
                "{refused}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_voter_is_replaced_and_a_closed_one_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(folder.path(), brisk);
    let mut nodes = group(&store, 4).await;
    let status = leader(&nodes).await.consensus.status().borrow().clone();
    let spare = *status.learners.first().unwrap();
    let leads = leader(&nodes).await.id;
    let mut others = status.voters.iter().copied().filter(|node| *node != leads);
    let (dead, closed) = (others.next().unwrap(), others.next().unwrap());
    for node in &nodes {
        node.consensus.set_closed(set(&[closed]));
    }
    take(&mut nodes, dead).kill();
    let wanted = set(&[leads, closed, spare]);
    for node in &nodes {
        until(&node.consensus, "the dead voter is replaced", |status| {
            status.voters == wanted && status.learners == set(&[dead])
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lanes_leave_until_one_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let nodes = group(&Store::new(folder.path(), brisk), 3).await;
    let leads = leader(&nodes).await;
    let others: Vec<NodeId> = (1..=3).filter(|node| *node != leads.id).collect();
    leads.consensus.remove_lane(others[0]).await.unwrap();
    leads.consensus.remove_lane(others[0]).await.unwrap();
    until(&leads.consensus, "two lanes have one voter", |status| {
        status.members.len() == 2 && status.voters.len() == 1 && !status.is_changing
    })
    .await;
    let left = nodes.iter().find(|node| node.id == others[1]).unwrap();
    until(&left.consensus, "the other one follows", |status| {
        status.has_quorum
    })
    .await;
    // The only voter leaves: the other lane votes and leads in its place.
    let itself = leads.consensus.remove_lane(leads.id).await;
    assert!(
        matches!(itself, Ok(()) | Err(ConsensusError::NotLeader { .. })),
        "{itself:?}"
    );
    until(&left.consensus, "the other one leads", |s| s.is_leader).await;
    left.consensus.remove_lane(leads.id).await.unwrap();
    until(&left.consensus, "one is left", |s| s.members.len() == 1).await;
    let last = left.consensus.remove_lane(left.id).await;
    assert!(matches!(last, Err(ConsensusError::LastVoter)), "{last:?}");
    let proposed = left.consensus.propose(b"milk=129".to_vec()).await;
    proposed.unwrap();
}

/// xorshift64*; source: Vigna, "An experimental exploration of Marsaglia's xorshift generators".
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) % limit
    }
}

/// Three lanes of which the first leads, about to become voters.
async fn growing(folder: &std::path::Path) -> (Store, Vec<Node>) {
    let store = Store::new(folder, |config| {
        brisk(config);
        config.timing.stable_for = Duration::from_millis(1);
        config.timing.autopilot_every = Duration::from_millis(5);
    });
    let mut nodes = Vec::new();
    for id in 1..=3 {
        nodes.push(store.start(id).await.unwrap());
    }
    nodes[0].consensus.create(member(1)).await.unwrap();
    until(&nodes[0].consensus, "the first leads", |s| s.is_leader).await;
    for id in 2..=3 {
        nodes[0].consensus.add_lane(id, member(id)).await.unwrap();
    }
    (store, nodes)
}

/// Long enough to reach from before a growth to after it.
const GROWN_WITHIN_US: u64 = 60_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leader_that_closes_while_its_group_grows_leaves_one_that_can_agree() {
    const TRIALS: u64 = 8;
    let seed = std::process::id().into();
    println!("seed {seed}");
    let mut dice = Dice(seed);
    for _ in 0..TRIALS {
        let folder = tempfile::tempdir().unwrap();
        let (_store, mut nodes) = growing(folder.path()).await;
        commit(&nodes, "milk=129").await;
        tokio::time::sleep(Duration::from_micros(dice.below(GROWN_WITHIN_US))).await;
        let closing = take(&mut nodes, 1);
        closing.consensus.hand_over_leadership().await;
        let status = closing.consensus.status().borrow().clone();
        closing.consensus.shutdown().await;
        closing.kill();
        // Unless nobody else had a vote yet, or the change took longer than a closing lane waits.
        if status.voters != set(&[1]) && !status.is_changing {
            commit(&nodes, "milk=135").await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_growth_that_was_interrupted_anywhere_is_finished() {
    const TRIALS: u64 = 12;
    let seed = std::process::id().into();
    println!("seed {seed}");
    let mut dice = Dice(seed);
    for _ in 0..TRIALS {
        let folder = tempfile::tempdir().unwrap();
        let (store, mut nodes) = growing(folder.path()).await;
        let before = commit(&nodes, "milk=129").await;
        tokio::time::sleep(Duration::from_micros(dice.below(GROWN_WITHIN_US))).await;
        take(&mut nodes, 1).kill();
        nodes.push(store.start(1).await.unwrap());
        for node in &nodes {
            until(&node.consensus, "all three vote", |status| {
                status.voters == set(&[1, 2, 3]) && !status.is_changing && status.has_quorum
            })
            .await;
        }
        assert!(commit(&nodes, "milk=135").await > before);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replacement_that_its_leader_did_not_finish_is_finished_by_the_next() {
    const KILLED_WITHIN_US: u64 = 40_000;
    let seed = std::process::id().into();
    println!("seed {seed}");
    let mut dice = Dice(seed);
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(folder.path(), |config| {
        brisk(config);
        config.timing.dead_after = Duration::from_millis(400);
    });
    let mut nodes = group(&store, 6).await;
    let status = leader(&nodes).await.consensus.status().borrow().clone();
    let leads = leader(&nodes).await.id;
    let dead = *status.voters.iter().find(|node| **node != leads).unwrap();
    let learner = *status.learners.first().unwrap();
    take(&mut nodes, dead).kill();
    let old = take(&mut nodes, leads);
    until(&old.consensus, "the learner is promoted", |status| {
        status.voters.contains(&learner) || !status.is_leader
    })
    .await;
    tokio::time::sleep(Duration::from_micros(dice.below(KILLED_WITHIN_US))).await;
    old.kill();
    let next = leader(&nodes).await;
    until(&next.consensus, "the change is over", |status| {
        !status.is_changing && !status.voters.contains(&dead) && status.voters.contains(&learner)
    })
    .await;
    commit(&nodes, "milk=129").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn leadership_is_handed_over_before_a_lane_closes() {
    let folder = tempfile::tempdir().unwrap();
    let mut nodes = group(&Store::new(folder.path(), brisk), 3).await;
    let closing = take(&mut nodes, 1);
    until(&closing.consensus, "it leads", |status| status.is_leader).await;
    assert!(closing.consensus.hand_over_leadership().await);
    assert!(closing.consensus.hand_over_leadership().await);
    closing.consensus.shutdown().await;
    let refused = closing.consensus.propose(b"milk=1".to_vec()).await;
    assert!(
        matches!(refused, Err(ProposeError::Stopped { .. })),
        "{refused:?}"
    );
    until(&closing.consensus, "it says that it ended", |status| {
        status.failed.is_some()
    })
    .await;
    closing.kill();
    commit(&nodes, "milk=129").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_node_goes_on_alone_and_never_mixes_with_the_group_it_left() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(folder.path(), brisk);
    let mut nodes = group(&store, 3).await;
    let index = commit(&nodes, "milk=129").await;
    for node in &nodes {
        until_applied(node, index).await;
    }
    let terms = nodes
        .iter()
        .map(|node| node.consensus.status().borrow().term);
    let term = terms.max().unwrap();
    take(&mut nodes, 1).kill();
    take(&mut nodes, 2).kill();
    let survivor = take(&mut nodes, 3);
    // Whatever it may have been offered and nobody agreed on stays in its log.
    let lost = survivor.consensus.propose(b"bread=249".to_vec()).await;
    lost.unwrap_err();
    survivor.consensus.shutdown().await;
    survivor.kill();
    store.recovered.lock().unwrap().insert(3);
    *store.alone.lock().unwrap() = Some(member(3));
    let nodes = vec![store.start(3).await.unwrap()];
    let next = commit(&nodes, "milk=135").await;
    assert!(next > index, "no index is used twice");
    let status = nodes[0].consensus.status().borrow().clone();
    assert_eq!((status.voters, status.members.len()), (set(&[3]), 1));
    assert!(status.term > term);
    assert_eq!(nodes[0].value("milk").as_deref(), Some("135"));
    // The others come back, agree with each other, and neither side hears the other.
    let old = vec![store.start(1).await.unwrap(), store.start(2).await.unwrap()];
    commit(&old, "milk=1").await;
    commit(&nodes, "tea=499").await;
    assert_eq!(nodes[0].value("milk").as_deref(), Some("135"));
    assert_eq!(old[0].value("tea"), None);
    // A lane joins the new group, under a number that was never used.
    store.recovered.lock().unwrap().insert(next);
    let joined = store.start(next).await.unwrap();
    nodes[0]
        .consensus
        .add_lane(next, member(next))
        .await
        .unwrap();
    let index = commit(&nodes, "eggs=399").await;
    until_applied(&joined, index).await;
    assert_eq!(joined.value("tea").as_deref(), Some("499"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_question_of_a_stranger_is_refused_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let nodes = group(&Store::new(folder.path(), brisk), 1).await;
    let node = &nodes[0].consensus;
    let before = node.status().borrow().clone();
    for question in [
        &b""[..],
        b"\x01",
        b"\x09anything",
        b"\x01\xa1\x61\x61\x01",
        &[0xff; 4096],
    ] {
        let answer = node
            .handle(StreamClass::Control, Bytes::copy_from_slice(question))
            .await;
        let text = String::from_utf8_lossy(&answer).into_owned();
        assert!(text.contains("Refused"), "{text}");
    }
    assert_eq!(*node.status().borrow(), before);
    commit(&nodes, "milk=129").await;
}
