//! A lane in training, through its API: nothing of it counts, anywhere.

use api::LaneView;
use sale::{Command, Event};
use serde_json::Value;

use crate::common::{Lane, Store, plain_items, runtime};

async fn figures(lane: &Lane, item: &str) -> Vec<Value> {
    let mut found = Vec::new();
    for path in ["/v1/totals", "/v1/reports/x", "/v1/exceptions", "/v1/stock"] {
        found.push(lane.client.json(path).await.expect("an answer"));
    }
    let price = lane.client.price(item).await.expect("an answer");
    found.push(Value::from(price.expect("a price").stock_milli));
    found
}

#[test]
fn a_training_counts_nowhere_and_outlives_a_crash() {
    runtime().block_on(async {
        let mut store = Store::start(1, true).await;
        let item = plain_items(1)[0].clone();
        let lane = &mut store.lanes[0];
        lane.sign_in().await;
        lane.sell(&item).await;
        lane.wait_shared().await;
        let before = figures(lane, &item).await;
        let receipts = lane.status().await.receipts;
        lane.done(Command::BeginTraining).await;
        let scanned = lane.scan(&item).await;
        let marked = |event: &Event| matches!(event, Event::Training { .. });
        assert!(scanned.events.iter().all(marked), "{scanned:?}");
        lane.crash_and_restart().await;
        let trains = |view: &LaneView| view.register.is_training && view.totals.is_some();
        let view = lane.shown("the sale of the training", trains).await;
        assert_eq!(view.totals.expect("an open sale").lines.len(), 1);
        lane.pay().await;
        let paid = |view: &LaneView| view.register.last_receipt.is_some();
        let view = lane.shown("a receipt", paid).await;
        let receipt = view.register.last_receipt.expect("a receipt");
        assert_eq!(receipt.id, "T1-000001");
        let path = format!("/v1/receipts/{}?format=text", receipt.id);
        let paper = lane.client.paper(&path).await.expect("paper");
        assert!(paper.contains("*** TRAINING ***"), "{paper}");
        assert!(paper.contains("NOT A RECEIPT"), "{paper}");
        let report = lane.client.json("/v1/reports/x").await.expect("a report");
        assert_eq!(report["training"], true);
        assert_eq!(report["report"]["receipts"]["count"], 1);
        let paper = lane.client.paper("/v1/reports/x?format=text").await;
        assert!(paper.expect("paper").contains("*** TRAINING ***"));
        assert_eq!(lane.status().await.receipts, receipts);
        assert!(lane.try_do(Command::SignOut).await.is_err());
        lane.scan(&item).await;
        lane.done(Command::EndTraining).await;
        let sells = |view: &LaneView| !view.register.is_training;
        let view = lane.shown("the end of the training", sells).await;
        assert_eq!(view.register.cart, None);
        assert!(lane.client.paper(&path).await.is_err());
        lane.wait_shared().await;
        assert_eq!(figures(lane, &item).await, before);
        // What is sold next goes on where sales stopped.
        lane.sell(&item).await;
        let second = |view: &LaneView| {
            let last = view.register.last_receipt.as_ref();
            last.is_some_and(|receipt| receipt.id == "1-000002")
        };
        lane.shown("the second receipt", second).await;
        store.wait_complete().await;
        store.assert_verified();
    });
}
