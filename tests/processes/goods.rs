//! What a cashier does with goods besides selling them, on real lanes through their API.

use api::{LaneView, Problem};
use catalog::{EmployeeId, Role};
use node::sample;
use sale::{Command, Event, Pin, Refusal, StockWork};
use serde_json::Value;

use crate::common::{Store, plain_items, runtime, scan};

fn back(code: &str, document: Option<&str>) -> Command {
    Command::ReturnUnreceipted {
        code: code.to_owned(),
        quantity: None,
        price: None,
        serial: None,
        document: document.map(str::to_owned),
        reason: "does not fit".to_owned(),
        restock: true,
    }
}

/// A command that the sample store's manager approves.
fn approved(command: Command) -> Command {
    let people = sample::people();
    let manager = people.iter().find(|p| p.role == Role::Manager);
    let manager = manager.expect("the sample store has a manager");
    Command::Approved {
        employee: EmployeeId(manager.number.clone()),
        pin: Pin(manager.pin.clone()),
        command: Box::new(command),
    }
}

#[track_caller]
fn refusal<T: std::fmt::Debug>(answer: Result<T, Problem>) -> Refusal {
    match answer {
        Err(Problem::Refused { refusal, hint, .. }) => {
            assert!(!hint.is_empty());
            refusal
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn goods_come_back_without_a_receipt_and_the_books_know_from_whom() {
    runtime().block_on(async {
        let store = Store::start(2, false).await;
        let lane = &store.lanes[0];
        let item = &plain_items(1)[0];
        lane.sign_in_as(Role::Cashier).await;
        let unknown = lane.try_do(approved(back(item, None))).await;
        assert_eq!(refusal(unknown), Refusal::NotIdentified);
        let alone = lane.try_do(back(item, Some("ID 7"))).await;
        let needs = Role::Manager;
        assert_eq!(refusal(alone), Refusal::NotAllowed { needs });
        let done = lane.done(approved(back(item, Some("ID 7")))).await;
        assert!(matches!(done.events[0], Event::Approved { .. }), "{done:?}");
        let line = done.events.iter().find_map(|event| match event {
            Event::LineAdded { line, .. } => Some(line),
            _ => None,
        });
        let line = line.expect("a line");
        let from = line.unreceipted().expect("it came without a receipt");
        assert_eq!(from.from.key(), "document/ID7");
        let credit = Command::Tender {
            with: sale::PayWith::StoreCredit {
                number: String::new(),
            },
            amount: None,
        };
        let tender = refusal(lane.try_do(credit).await);
        assert!(matches!(tender, Refusal::RefundLimit { .. }), "{tender:?}");
        lane.pay().await;
        let asked = lane.client.price(item).await.expect("an answer");
        assert_eq!(asked.expect("a price").stock_milli, Some(1000));
        // Another lane counts what was given back here.
        lane.wait_shared().await;
        let second = &store.lanes[1];
        second.wait_applied(lane).await;
        let asked = second.client.price(item).await.expect("an answer");
        assert_eq!(asked.expect("a price").stock_milli, Some(1000));
    });
}

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
        let lines = |count| {
            move |view: &LaneView| view.totals.as_ref().is_some_and(|t| t.lines.len() == count)
        };
        let before = lane.shown("one line", lines(1)).await.register;
        let again = lane.client.price(&items[1]).await.expect("an answer");
        assert_eq!(again.expect("a price").totals, asked.totals);
        let after = lane.client.view().await.expect("a view").register;
        assert_eq!(after, before);
        lane.scan(&items[1]).await;
        let shown = lane.shown("two lines", lines(2)).await.totals;
        let shown = shown.expect("an open sale");
        assert_eq!(shown.lines[1].net(), asked.totals.lines[0].net());
        lane.pay().await;
        // What was sold is known at once, whether the store has agreed on it or not.
        let asked = lane.client.price(&items[1]).await.expect("an answer");
        assert_eq!(asked.expect("a price").stock_milli, Some(-1000));
        let unknown = lane.client.price("4006381333948").await.expect("an answer");
        let scanned = "4006381333948".to_owned();
        assert_eq!(refusal(unknown), Refusal::UnknownCode { scanned });
    });
}

fn stock(code: &str, quantity: &str, work: StockWork) -> Command {
    Command::Stock {
        code: code.to_owned(),
        quantity: quantity.to_owned(),
        work,
    }
}

#[test]
fn stock_is_moved_on_one_lane_and_seen_on_another() {
    runtime().block_on(async {
        let store = Store::start(2, false).await;
        let (first, second) = (&store.lanes[0], &store.lanes[1]);
        let items = plain_items(2);
        let row = |lane: &crate::common::Lane, code: &str| {
            let (client, path) = (lane.client.clone(), format!("/v1/stock/{code}"));
            async move { client.json(&path).await.expect("a row")["stock_milli"].clone() }
        };
        assert_eq!(row(first, &items[0]).await, Value::Null);
        first.sign_in_as(Role::Manager).await;
        second.sign_in_as(Role::Cashier).await;
        let reference = Some("D-1".to_owned());
        let receive = StockWork::Receive { reference };
        first.done(stock(&items[0], "10", receive)).await;
        let adjust = StockWork::Adjust {
            reason: "broken".to_owned(),
        };
        first.done(stock(&items[0], "-2", adjust)).await;
        let to = "north".to_owned();
        first
            .done(stock(&items[0], "3", StockWork::TransferOut { to }))
            .await;
        assert_eq!(row(first, &items[0]).await, 5000);
        first.wait_shared().await;
        second.wait_applied(first).await;
        second.sell(&items[0]).await;
        assert_eq!(row(second, &items[0]).await, 4000);
        second.wait_shared().await;
        first.wait_applied(second).await;
        let done = first.done(stock(&items[0], "7", StockWork::Count)).await;
        assert!(
            matches!(done.events[..], [Event::StockMoved { milli: 3000, .. }]),
            "{done:?}"
        );
        let needs = Role::Supervisor;
        let refused = second.try_do(stock(&items[0], "7", StockWork::Count)).await;
        assert_eq!(refusal(refused), Refusal::NotAllowed { needs });
        first.wait_shared().await;
        second.wait_applied(first).await;
        let all = second
            .client
            .json("/v1/stock?limit=10")
            .await
            .expect("rows");
        let rows = all.as_array().expect("rows");
        assert_eq!(rows.len(), 1, "{all}");
        assert_eq!(rows[0]["stock_milli"], 7000);
        let item = rows[0]["item"].as_str().expect("an item");
        let rest = format!("/v1/stock?after={item}");
        let rest = second.client.json(&rest).await.expect("rows");
        assert_eq!(rest, Value::Array(Vec::new()));
        assert!(second.client.json("/v1/stock/4006381333948").await.is_err());
        store.assert_verified();
    });
}

/// The tender of gift card G-1, for as much as it holds of what is due.
fn gift_card() -> Command {
    Command::Tender {
        with: sale::PayWith::GiftCard {
            number: "G-1".to_owned(),
        },
        amount: None,
    }
}

#[test]
fn a_gift_card_that_one_lane_loads_pays_at_another() {
    runtime().block_on(async {
        let store = Store::start(2, false).await;
        let lane = &store.lanes[0];
        let card = "item_id,description,department,price,tax,gift_card\n\
                    GC25,Gift card 25.00,Gift cards,25.00,none,yes\n";
        let bytes = card.as_bytes().to_vec();
        let report = lane.client.import(Some("items"), bytes, &mut |_| ()).await;
        assert_eq!(report.expect("a report")["problem_count"], 0);
        lane.sign_in().await;
        let asked = refusal(lane.try_do(scan("GC25")).await);
        assert!(matches!(asked, Refusal::GiftCardNeeded { .. }), "{asked:?}");
        let sell = Command::Sell {
            code: "GC25".to_owned(),
            quantity: None,
            price: None,
            serial: Some("G-1".to_owned()),
        };
        lane.done(sell).await;
        let before = lane.client.json("/v1/gift-cards/G-1").await;
        assert!(before.is_err(), "it is not paid: {before:?}");
        lane.pay().await;
        lane.wait_shared().await;
        let second = &store.lanes[1];
        second.wait_applied(lane).await;
        second.sign_in().await;
        second.scan(&plain_items(1)[0]).await;
        let done = second.done(gift_card()).await;
        let left = done.events.iter().find_map(|event| match event {
            Event::Completed { receipt, .. } => match &receipt.tenders[..] {
                [sale::Tender::GiftCard { left, .. }] => Some(*left),
                other => panic!("{other:?}"),
            },
            _ => None,
        });
        let left = left.expect("a receipt");
        assert!(left.minor() < 2500, "{left}");
        second.wait_shared().await;
        lane.wait_applied(second).await;
        for lane in &store.lanes {
            let holds = lane.client.json("/v1/gift-cards/G-1").await;
            let holds = holds.expect("it was loaded");
            assert_eq!(holds["holds"], serde_json::json!(left));
        }
        store.assert_verified();
    });
}
