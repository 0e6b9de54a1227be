//! How fast three nodes in one process agree, on real files: proposals per second and how long each
//! took, with 1, 16 and 128 in flight; and how long the store waits for its next commit when its
//! leader hands over or is cut off.
//!
//! `cargo run --release -p consensus --example figures`

#[path = "../tests/in_process/mod.rs"]
mod in_process;

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use figures::percentile;
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use in_process::{Node, Store, member};

const NODES: u64 = 3;
const SPAN: Duration = Duration::from_secs(3);
const PROPOSAL_BYTES: usize = 200;
const CHANGES_OF_LEADER: u32 = 20;
const LOOK_EVERY: Duration = Duration::from_millis(1);

#[tokio::main]
async fn main() {
    let folder = tempfile::tempdir().expect("a folder for the nodes");
    let store = Store::new(folder.path(), |config| {
        config.timing.stable_for = Duration::from_millis(100);
        config.timing.autopilot_every = Duration::from_millis(50);
    });
    let mut nodes = Vec::new();
    for id in 1..=NODES {
        nodes.push(store.start(id).await.expect("a node starts"));
    }
    form_group(&nodes[0]).await;
    println!("in flight  proposals/s  p50 ms  p99 ms");
    for in_flight in [1, 16, 128] {
        let took = measure(&nodes[0], in_flight).await;
        let per_second = took.len() as f64 / SPAN.as_secs_f64();
        let (p50, p99) = p50_and_p99(took);
        println!("{in_flight:>9}  {per_second:>11.0}  {p50:>6.2}  {p99:>6.2}");
    }
    println!("next commit after   p50 ms  p99 ms");
    let mut handed_over = Vec::new();
    let mut cut_off = Vec::new();
    for change in 0..CHANGES_OF_LEADER {
        handed_over.push(hand_over(&nodes, change).await);
        cut_off.push(cut_leader_off(&store, &nodes, change).await);
    }
    for (what, took) in [("hand-over", handed_over), ("cut", cut_off)] {
        let (p50, p99) = p50_and_p99(took);
        println!("{what:<18}  {p50:>6.1}  {p99:>6.1}");
    }
    for node in nodes {
        println!(
            "node {} applied {}, the last change of leader was {}",
            node.id,
            node.proposals.load(Ordering::Relaxed),
            node.value("cut").expect("it was committed"),
        );
        node.consensus.shutdown().await;
        node.kill();
    }
}

async fn form_group(leader: &Node) {
    let consensus = &leader.consensus;
    consensus
        .create(member(1))
        .await
        .expect("a group is created");
    let mut status = consensus.status();
    let leads = status.wait_for(|status| status.is_leader);
    drop(leads.await.expect("the node runs"));
    for id in 2..=NODES {
        let added = consensus.add_lane(id, member(id));
        added.await.expect("a lane is added");
    }
    let voting = status.wait_for(|s| s.voters.len() == NODES as usize && !s.is_changing);
    drop(voting.await.expect("the node runs"));
}

/// In milliseconds.
fn p50_and_p99(mut took: Vec<Duration>) -> (f64, f64) {
    took.sort_unstable();
    let at = |percent| percentile(&took, percent).unwrap_or_default();
    (at(50).as_secs_f64() * 1e3, at(99).as_secs_f64() * 1e3)
}

/// How long each proposal took, with `in_flight` of them under way at any time.
async fn measure(leader: &Node, in_flight: usize) -> Vec<Duration> {
    let propose = || async {
        let begun = Instant::now();
        let proposed = leader.consensus.propose(vec![b'x'; PROPOSAL_BYTES]).await;
        proposed.map(|_| begun.elapsed())
    };
    let begun = Instant::now();
    let mut took = Vec::new();
    let mut under_way: FuturesUnordered<_> = (0..in_flight).map(|_| propose()).collect();
    while let Some(outcome) = under_way.next().await {
        took.push(outcome.expect("a proposal is committed"));
        if begun.elapsed() < SPAN {
            under_way.push(propose());
        }
    }
    took
}

/// The node that leads, other than `not`.
async fn leader<'a>(nodes: &'a [Node], not: Option<&Node>) -> &'a Node {
    loop {
        let found = nodes.iter().find(|node| {
            let status = node.consensus.status().borrow().clone();
            status.is_leader && status.has_quorum && not.is_none_or(|not| not.id != node.id)
        });
        match found {
            Some(node) => return node,
            None => tokio::time::sleep(LOOK_EVERY).await,
        }
    }
}

/// Proposes until another node than `not` has committed it; how long that took since `begun`.
async fn commit(nodes: &[Node], not: &Node, proposal: &str, begun: Instant) -> Duration {
    loop {
        let node = leader(nodes, Some(not)).await;
        if node.consensus.propose(proposal.into()).await.is_ok() {
            return begun.elapsed();
        }
    }
}

async fn hand_over(nodes: &[Node], change: u32) -> Duration {
    let old = leader(nodes, None).await;
    let begun = Instant::now();
    assert!(old.consensus.hand_over_leadership().await);
    commit(nodes, old, &format!("hand-over={change}"), begun).await
}

async fn cut_leader_off(store: &Store, nodes: &[Node], change: u32) -> Duration {
    let old = leader(nodes, None).await;
    store.links.cut_off(&[old.id]);
    let begun = Instant::now();
    let took = commit(nodes, old, &format!("cut={change}"), begun).await;
    store.links.cut_off(&[]);
    let mut status = old.consensus.status();
    let follows = status.wait_for(|status| !status.is_leader && status.has_quorum);
    drop(follows.await.expect("the node runs"));
    took
}
