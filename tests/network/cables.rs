//! Interfaces that go down, cables that are pulled, addresses that change.

use api::{LaneStatus, Mode};

use crate::robots::Robots;
use crate::store::{Lane, Store, runtime};

const SALES: usize = 5;
/// The first three numbers of the addresses that a new router gives out.
const NEXT_NETWORK: &str = "10.78.0";

async fn wait_alone(lane: &Lane) {
    let is_alone = |status: &LaneStatus| matches!(status.mode, Mode::Alone { .. });
    lane.wait("the lane sees that it is alone", is_alone).await;
}

#[test]
fn an_interface_goes_down_and_comes_back() {
    runtime().block_on(async {
        let Some(store) = Store::start(3).await else {
            return;
        };
        let robots = Robots::start(&store);
        let led = store.leader().await;
        // The leader's, and then that of a lane that follows.
        for cut_off in [led, store.others(&[led])[0]] {
            let lane = &store.lanes[cut_off];
            lane.host.interface_down();
            store.leader_among(&store.others(&[cut_off])).await;
            wait_alone(lane).await;
            robots.wait_sold(&[0, 1, 2], SALES).await;
            lane.host.interface_up();
            store.wait_together().await;
        }
        store.assert_all_counted(robots).await;
    });
}

#[test]
fn every_cable_is_pulled() {
    runtime().block_on(async {
        let Some(store) = Store::start(3).await else {
            return;
        };
        let robots = Robots::start(&store);
        // With all cables pulled nobody can agree, and everybody sells.
        for lane in &store.lanes {
            lane.host.unplug();
        }
        for lane in &store.lanes {
            wait_alone(lane).await;
        }
        robots.wait_sold(&[0, 1, 2], SALES).await;
        for lane in &store.lanes {
            lane.host.plug_in_again();
        }
        store.assert_all_counted(robots).await;
    });
}

/// Every address there was is gone, so what the lanes know of each other is of no use: only a
/// multicast that tells the new ones brings them together.
#[test]
fn every_lane_gets_another_address() {
    runtime().block_on(async {
        let Some(store) = Store::start(3).await else {
            return;
        };
        let robots = Robots::start(&store);
        for lane in &store.lanes {
            lane.host.interface_down();
        }
        for lane in &store.lanes {
            wait_alone(lane).await;
        }
        for lane in &store.lanes {
            lane.host.set_network(NEXT_NETWORK);
            lane.host.interface_up();
            // Head office stays where it is.
            lane.host.route_to(&store.hq_host);
        }
        store.hq_host.also_in_network(NEXT_NETWORK);
        store.wait_together().await;
        robots.wait_sold(&[0, 1, 2], SALES).await;
        store.assert_all_counted(robots).await;
    });
}
