//! A lane that stops where it stands, as a machine does that hangs, and wakes up later believing
//! that no time has gone by.

use std::time::Duration;

use crate::robots::Robots;
use crate::store::{Store, runtime};

const SALES: usize = 5;
/// Longer than any time-out of the mesh and of Raft.
const FROZEN_FOR: Duration = Duration::from_secs(6);

#[test]
fn a_frozen_lane_wakes_up() {
    frozen(|store, leader| store.others(&[leader])[0]);
}

#[test]
fn a_frozen_leader_wakes_up_and_leads_no_more() {
    frozen(|_, leader| leader);
}

fn frozen(choose: impl Fn(&Store, usize) -> usize) {
    runtime().block_on(async {
        let Some(store) = Store::start(3).await else {
            return;
        };
        let robots = Robots::start(&store);
        robots.wait_sold(&[0, 1, 2], SALES).await;
        let frozen = choose(&store, store.leader().await);
        let rest = store.others(&[frozen]);
        store.lanes[frozen].freeze();
        store.leader_among(&rest).await;
        robots.wait_sold(&rest, SALES).await;
        tokio::time::sleep(FROZEN_FOR).await;
        let leads = store.leader_among(&rest).await;

        let term = store.lanes[leads].status().await.term;
        store.lanes[frozen].thaw();
        let woken = &store.lanes[frozen];
        let what = "it follows whom the others elected";
        woken
            .wait(what, |status| status.term >= term && !status.is_leader)
            .await;
        robots.wait_sold(&[0, 1, 2], SALES).await;
        store.assert_all_counted(robots).await;
    });
}
