//! Head office publishes: prices change at every lane, also at those that were closed meanwhile, and an
//! outage of head office loses nothing.

use serde_json::Value;

use crate::common::{Lane, Store, run_json, runtime, stop, text};

/// Runs a command of head office's.
fn office(store: &Store, arguments: &[&str]) -> (i32, Value) {
    let (_, url) = store.hq.as_ref().expect("a head office");
    let token = store.hq_folder().join("hq-token");
    let place = ["--to", url, "--token-file", text(&token)];
    run_json(&[&["hq"], arguments, &place].concat())
}

/// Publishes one item's price to every store, or to one.
fn publish(store: &Store, price: &str, only: Option<&str>) -> (i32, Value) {
    let file = store.folder.path().join("new-prices.csv");
    let rows = format!("item_id,description,department,price\nnew-jam,New jam,Pantry,{price}\n");
    std::fs::write(&file, rows).expect("a file of prices");
    let mut arguments = vec!["publish", text(&file), "--author", "Ada"];
    arguments.extend(only.iter().flat_map(|store| ["--store", store]));
    office(store, &arguments)
}

/// Waits until a lane has a publication; the price that it then asks, in cents.
async fn price_behind(lane: &Lane, number: u64) -> i64 {
    let what = "the publication is in force";
    lane.wait(what, |status| status.hq.published == number)
        .await;
    let item = lane
        .client
        .json("/v1/items/new-jam")
        .await
        .expect("it is known");
    item["price"]["minor"].as_i64().expect("a price")
}

#[test]
fn what_head_office_publishes_is_in_force_at_every_lane() {
    runtime().block_on(async {
        let mut store = Store::start(2, true).await;
        let (code, published) = publish(&store, "2.50", None);
        assert_eq!((code, &published["numbers"][0]), (0, &Value::from(1)));
        for lane in &store.lanes {
            assert_eq!(price_behind(lane, 1).await, 250);
        }
        let elsewhere = "00".repeat(16);
        assert_eq!(publish(&store, "9.99", Some(&elsewhere)).0, 0);

        // A lane is closed, and head office goes away and comes back.
        store.lanes[1].stop();
        assert_eq!(publish(&store, "2.60", None).0, 0);
        if let Some((hq, _)) = &mut store.hq {
            stop(hq);
        }
        store.lanes[0].sign_in().await;
        store.lanes[0].sell("new-jam").await;
        store.start_hq().await;
        assert_eq!(price_behind(&store.lanes[0], 3).await, 260);
        let folder = store.lanes[1].folder.clone();
        store.lanes[1] = Lane::start(&folder).await;
        assert_eq!(price_behind(&store.lanes[1], 3).await, 260);

        let (code, listed) = office(&store, &["publications"]);
        assert_eq!(code, 0, "{listed}");
        let numbers = listed["publications"].as_array().expect("a list").iter();
        let numbers: Vec<_> = numbers.filter_map(|row| row["number"].as_u64()).collect();
        assert_eq!(numbers, [1, 2, 3]);
        let mut stores = listed["stores"].as_array().expect("a list").iter();
        let shop = stores.find(|row| row["name"] == "Test store");
        assert_eq!(shop.expect("it has asked")["last"], 3, "{listed}");
        store.wait_complete().await;
        store.assert_verified();
    });
}
