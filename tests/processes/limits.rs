//! Promotions that are given only so often, at several registers of one store.

use std::time::Duration;

use sale::{Command, Event, Receipt, UsedUp, WhyUsedUp};

use crate::common::{Lane, Store, plain_items, runtime};

/// How many of the door-buster there are in the store.
const IN_STORE: u32 = 6;
/// Longer than a lane that is cut off counts on the quorum that it heard from.
const NOTICED_AFTER: Duration = Duration::from_secs(3);
const CUSTOMER: &str = "700";

/// The door-buster, and what is given once a customer.
struct Goods {
    limited: String,
    once: String,
}

impl Goods {
    async fn on_sale(store: &Store) -> Goods {
        let [limited, once] = plain_items(2).try_into().expect("two items");
        let promotions = format!(
            r#"schema = 2

[[promotion]]
id = "first"
name = "The first {IN_STORE}"
price = "0.01"
items = ["{limited}"]
limit = {{ store = {IN_STORE} }}

[[promotion]]
id = "once"
name = "Once a customer"
price = "0.02"
items = ["{once}"]
limit = {{ customer = 1 }}
"#
        );
        let client = &store.lanes[0].client;
        for (kind, text) in [
            ("promotions", promotions),
            (
                "customers",
                format!("customer_id,name,tier,phone\n{CUSTOMER},Grace,basic,\n"),
            ),
        ] {
            let text = text.into_bytes();
            let report = client.import(Some(kind), text, &mut |_| ()).await;
            let report = report.expect("it is imported");
            assert_eq!(report["problem_count"], 0, "{report}");
        }
        store.settle().await;
        Goods { limited, once }
    }
}

/// Pays the open sale.
async fn pay(lane: &Lane) -> Receipt {
    let done = lane.done(Command::TenderCash { amount: None }).await;
    let receipt = done.events.into_iter().find_map(|event| match event {
        Event::Completed { receipt, .. } => Some(*receipt),
        _ => None,
    });
    receipt.expect("a paid sale")
}

fn given(receipt: &Receipt, promotion: &str) -> u32 {
    let parts = receipt.totals.promotions.iter();
    let parts = parts.filter(|part| part.promotion == promotion);
    parts.map(|part| part.times).sum()
}

/// Sells the door-buster; gives how often it was one.
async fn bust(lane: &Lane, goods: &Goods) -> u32 {
    lane.scan(&goods.limited).await;
    given(&pay(lane).await, "first")
}

/// Sells to the customer what is given once; gives its receipt, and whether it was.
async fn sell_once(lane: &Lane, goods: &Goods) -> (Receipt, u32) {
    lane.done(Command::SetCustomer {
        customer: CUSTOMER.into(),
    })
    .await;
    lane.scan(&goods.once).await;
    let receipt = pay(lane).await;
    let times = given(&receipt, "once");
    (receipt, times)
}

async fn used_up(lane: &Lane) -> Vec<UsedUp> {
    lane.client.view().await.expect("a view").used_up
}

#[test]
fn a_door_buster_is_given_at_all_registers_together_as_often_as_it_says() {
    runtime().block_on(async {
        let store = Store::start(3, false).await;
        let goods = Goods::on_sale(&store).await;
        for lane in &store.lanes {
            lane.sign_in().await;
        }
        // One after the other: exactly.
        let mut in_all = 0;
        for turn in 0..4 {
            in_all += bust(&store.lanes[turn % 3], &goods).await;
            store.settle().await;
        }
        assert_eq!(in_all, 4);
        // Sales that are paid at the same moment do not know of each other: each of the other two lanes
        // may give what is left once more.
        let scanned = store.lanes.iter().map(|lane| lane.scan(&goods.limited));
        futures::future::join_all(scanned).await;
        let paid = store.lanes.iter().map(pay);
        let paid = futures::future::join_all(paid).await;
        in_all += paid.iter().map(|r| given(r, "first")).sum::<u32>();
        store.settle().await;
        let most = IN_STORE + 2;
        assert!(
            (IN_STORE..=most).contains(&in_all),
            "{in_all} of {IN_STORE}"
        );
        for lane in &store.lanes {
            lane.scan(&goods.limited).await;
            let why: Vec<WhyUsedUp> = used_up(lane).await.iter().map(|u| u.why).collect();
            assert_eq!(why, [WhyUsedUp::LimitReached]);
            assert_eq!(given(&pay(lane).await, "first"), 0);
        }
        store.settle().await;
        store.assert_verified();
    });
}

#[test]
fn a_customer_has_it_once_at_whichever_register_and_again_once_it_came_back() {
    runtime().block_on(async {
        let store = Store::start(2, false).await;
        let goods = Goods::on_sale(&store).await;
        for lane in &store.lanes {
            lane.sign_in().await;
        }
        let (one, other) = (&store.lanes[0], &store.lanes[1]);
        let (first, times) = sell_once(one, &goods).await;
        assert_eq!(times, 1);
        store.settle().await;
        assert_eq!(sell_once(other, &goods).await.1, 0);
        other
            .done(Command::Return {
                receipt: first.id,
                line: 1,
                quantity: None,
                reason: "broken".to_owned(),
                restock: false,
                serial: None,
            })
            .await;
        pay(other).await;
        store.settle().await;
        assert_eq!(sell_once(one, &goods).await.1, 1);
        store.settle().await;
        assert_eq!(sell_once(other, &goods).await.1, 0);
        store.settle().await;
        store.assert_verified();
    });
}

#[test]
fn a_register_that_is_cut_off_gives_none_of_what_is_limited_in_the_store() {
    runtime().block_on(async {
        let mut store = Store::start(3, false).await;
        let goods = Goods::on_sale(&store).await;
        store.lanes[2].sign_in().await;
        assert_eq!(bust(&store.lanes[2], &goods).await, 1);
        store.settle().await;
        store.lanes[0].stop();
        store.lanes[1].stop();
        let alone = &store.lanes[2];
        let what = "the lane is alone";
        alone
            .wait(what, |s| matches!(s.mode, api::Mode::Alone { .. }))
            .await;
        // It still counts on what it heard half a second ago.
        tokio::time::sleep(NOTICED_AFTER).await;
        alone.scan(&goods.limited).await;
        let words: Vec<String> = used_up(alone)
            .await
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(words, ["The first 6: not while this lane is cut off"]);
        assert_eq!(given(&pay(alone).await, "first"), 0);
        // What is limited by customer it counts by what it knows, its own sales that nobody has yet.
        assert_eq!(sell_once(alone, &goods).await.1, 1);
        assert_eq!(sell_once(alone, &goods).await.1, 0);
        for index in 0..2 {
            let folder = store.lanes[index].folder.clone();
            store.lanes[index] = Lane::start(&folder).await;
        }
        store.wait_together().await;
        store.settle().await;
        assert_eq!(bust(&store.lanes[2], &goods).await, 1);
        store.settle().await;
        store.assert_verified();
    });
}
