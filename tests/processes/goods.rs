//! What a cashier does with goods besides selling them, on real lanes through their API.

use api::Problem;
use catalog::Role;
use sale::Refusal;

use crate::common::{Store, plain_items, runtime};

#[test]
fn a_price_is_asked_without_touching_the_sale() {
    runtime().block_on(async {
        let store = Store::start(1, false).await;
        let lane = &store.lanes[0];
        let items = plain_items(2);
        // Before anybody is signed in, as at a price checker.
        let asked = lane.client.price(&items[1]).await.expect("an answer");
        let asked = asked.expect("a price");
        assert_eq!(asked.stock_milli, None);
        lane.sign_in_as(Role::Cashier).await;
        lane.scan(&items[0]).await;
        let before = lane.client.view().await.expect("a view").register;
        let again = lane.client.price(&items[1]).await.expect("an answer");
        assert_eq!(again.expect("a price").totals, asked.totals);
        let after = lane.client.view().await.expect("a view").register;
        assert_eq!(after, before);
        lane.scan(&items[1]).await;
        let shown = lane.client.view().await.expect("a view").totals;
        let shown = shown.expect("an open sale");
        assert_eq!(shown.lines[1].net(), asked.totals.lines[0].net());
        lane.pay().await;
        // What was sold is known at once, whether the store has agreed on it or not.
        let asked = lane.client.price(&items[1]).await.expect("an answer");
        assert_eq!(asked.expect("a price").stock_milli, Some(-1000));
        let unknown = lane.client.price("4006381333948").await.expect("an answer");
        let Err(Problem::Refused { refusal, hint, .. }) = unknown else {
            panic!("{unknown:?}");
        };
        let scanned = "4006381333948".to_owned();
        assert_eq!(refusal, Refusal::UnknownCode { scanned });
        assert!(!hint.is_empty());
    });
}
