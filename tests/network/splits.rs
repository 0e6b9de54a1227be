//! Links that are cut: both ways, and one way only.

use api::{LaneStatus, Mode};

use crate::robots::Robots;
use crate::store::{LIMIT, LOOK_EVERY, Lane, Store, runtime};

/// Sales that prove that a lane goes on selling.
const SALES: usize = 5;

#[test]
fn a_partition_heals() {
    runtime().block_on(async {
        let Some(store) = Store::start(3).await else {
            return;
        };
        let robots = Robots::start(&store);
        robots.wait_sold(&[0, 1, 2], SALES).await;

        let led = store.leader().await;
        let rest = store.others(&[led]);
        let alone = &store.lanes[led];
        let others = [
            &store.lanes[rest[0]].host,
            &store.lanes[rest[1]].host,
            &store.hq_host,
        ];
        store.lan.split(&[&alone.host], &others);
        store.leader_among(&rest).await;
        let what = "the old leader sees that it is alone";
        let is_alone = |status: &LaneStatus| matches!(status.mode, Mode::Alone { .. });
        alone.wait(what, is_alone).await;
        robots.wait_sold(&[0, 1, 2], SALES).await;

        store.lan.heal();
        store.wait_together().await;
        robots.wait_sold(&[0, 1, 2], SALES).await;
        store.assert_all_counted(robots).await;
    });
}

/// A lane that hears nothing of the leader's, while the leader hears it: it must not unseat the
/// leader, and what it sells reaches the store through the lane that both can talk to.
#[test]
fn a_lane_that_does_not_hear_the_leader_shares_through_its_sibling() {
    runtime().block_on(async {
        let Some(store) = Store::start(3).await else {
            return;
        };
        let robots = Robots::start(&store);
        let led = store.leader().await;
        let deaf = store.others(&[led])[0];
        let term = store.lanes[led].status().await.term;
        let (leader, lane) = (&store.lanes[led], &store.lanes[deaf]);
        store.lan.cut_one_way(&leader.host, &lane.host);
        let what = "both ends see that the link is dead";
        for (one, other) in [(leader, lane), (lane, leader)] {
            one.wait(what, |status| !reaches(status, other)).await;
        }
        let before = robots.sold()[deaf] as u64;
        robots.wait_sold(&[0, 1, 2], SALES).await;
        let number = lane.number;
        let what = "the store has sales that the deaf lane made meanwhile";
        let started = std::time::Instant::now();
        while leader.receipts_applied().await.get(&number).copied() <= Some(before) {
            assert!(started.elapsed() < LIMIT, "not within {LIMIT:?}: {what}");
            tokio::time::sleep(LOOK_EVERY).await;
        }
        assert_eq!(leader.status().await.term, term, "nobody was elected");

        store.lan.heal();
        store.assert_all_counted(robots).await;
    });
}

/// A leader that hears everybody and is heard by nobody: the others elect one of them.
#[test]
fn a_leader_that_is_not_heard_is_replaced() {
    runtime().block_on(async {
        let Some(store) = Store::start(3).await else {
            return;
        };
        let robots = Robots::start(&store);
        let led = store.leader().await;
        let rest = store.others(&[led]);
        for other in &rest {
            let (from, to) = (&store.lanes[led].host, &store.lanes[*other].host);
            store.lan.cut_one_way(from, to);
        }
        store.leader_among(&rest).await;
        robots.wait_sold(&[0, 1, 2], SALES).await;

        store.lan.heal();
        store.assert_all_counted(robots).await;
    });
}

fn reaches(status: &LaneStatus, lane: &Lane) -> bool {
    let mut lanes = status.lanes.iter();
    lanes.any(|other| u64::from(other.number) == lane.number && other.reachable)
}
