//! Lanes find their store, and each other again, by multicast alone.

use crate::robots::Robots;
use crate::store::{Store, runtime};

const SALES: usize = 5;
/// What a lane keeps of where the others are, and of where it was itself.
const ADDRESSES: [&str; 2] = ["contacts.json", "port"];

/// A lane that joins is told the code and no address; lanes that have forgotten every address find
/// each other again.
#[test]
fn lanes_find_their_store_and_each_other() {
    runtime().block_on(async {
        let Some(mut store) = Store::start(2).await else {
            return;
        };
        let robots = Robots::start(&store);
        robots.wait_sold(&[0, 1], SALES).await;
        store.join(3).await;
        store.wait_together().await;
        robots.wait_sold(&[0, 1], SALES).await;
        let mut receipts = robots.finish().await;

        for lane in &mut store.lanes {
            lane.close();
            for file in ADDRESSES {
                std::fs::remove_file(lane.folder.join(file)).expect("it was kept");
            }
        }
        for lane in &mut store.lanes {
            lane.open().await;
        }
        store.wait_together().await;
        let robots = Robots::start(&store);
        robots.wait_sold(&[0, 1, 2], SALES).await;
        receipts.extend(robots.finish().await);
        store.assert_counted(receipts).await;
    });
}
