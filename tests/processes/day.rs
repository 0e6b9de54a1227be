//! A cashier's day on real lanes, through their API: what other lanes take part in.

use catalog::Role;
use sale::{BusinessDay, Command, CountedCash, DocumentKind, Event};

use crate::common::{Lane, Store, plain_items, scan};

fn text(text: &str) -> String {
    text.to_owned()
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Runtime::new().expect("a runtime")
}

#[test]
fn a_sale_put_aside_on_one_lane_goes_on_another() {
    runtime().block_on(async {
        let store = Store::start(2, false).await;
        let (first, second) = (&store.lanes[0], &store.lanes[1]);
        first.sign_in().await;
        second.sign_in().await;
        first.scan(&plain_items(1)[0]).await;
        let note = text("for Grace");
        first
            .done(Command::Note {
                line: None,
                text: note,
            })
            .await;
        let done = first.done(Command::Suspend).await;
        let Some(Event::Suspended { slip, open, .. }) = done.events.first() else {
            panic!("{done:?}");
        };
        let path = format!("/v1/slips/{slip}?format=text");
        let paper = first.client.paper(&path).await.expect("a slip");
        assert!(paper.contains("NOT A RECEIPT"), "{paper}");
        assert!(paper.contains(&format!("*{slip}*")), "{paper}");
        first.wait_shared().await;
        second.wait_applied(first).await;
        let resumed = second.done(scan(slip)).await;
        let expected = |event: &Event| matches!(event, Event::Resumed { open: o, .. } if o == open);
        assert!(resumed.events.iter().all(expected), "{resumed:?}");
        second.pay().await;
        second.wait_shared().await;
        first.wait_applied(second).await;
        let again = first.try_do(Command::Resume { slip: slip.clone() }).await;
        assert!(again.is_err(), "{again:?}");
    });
}

#[test]
fn a_quote_of_one_lane_is_listed_and_sold_at_another() {
    runtime().block_on(async {
        let store = Store::start(2, false).await;
        let (first, second) = (&store.lanes[0], &store.lanes[1]);
        first.sign_in().await;
        second.sign_in().await;
        let listed = |lane: &Lane| {
            let client = lane.client.clone();
            async move { client.json("/v1/slips").await.expect("rows") }
        };
        first.scan(&plain_items(1)[0]).await;
        let keep = Command::Keep {
            kind: DocumentKind::Quote,
            until: Some(BusinessDay(text("2099-12-24"))),
        };
        let done = first.done(keep).await;
        let Some(Event::Suspended { slip, .. }) = done.events.first() else {
            panic!("{done:?}");
        };
        let path = format!("/v1/slips/{slip}?format=text");
        let paper = first.client.paper(&path).await.expect("a slip");
        for words in ["QUOTE - NOT A RECEIPT", "Valid until 2099-12-24", "TOTAL"] {
            assert!(paper.contains(words), "{paper}");
        }
        assert_eq!(listed(first).await[0]["kind"], "quote");
        first.wait_shared().await;
        second.wait_applied(first).await;
        let rows = listed(second).await;
        assert_eq!(rows.as_array().map(Vec::len), Some(1), "{rows}");
        assert_eq!(rows[0]["slip"], slip.as_str());
        second.done(scan(slip)).await;
        assert_eq!(listed(second).await, serde_json::json!([]));
        second.pay().await;
    });
}

#[test]
fn a_drawer_and_a_day_from_open_to_close() {
    runtime().block_on(async {
        let mut store = Store::start(1, false).await;
        let item = &plain_items(1)[0];
        let lane = &mut store.lanes[0];
        lane.sign_in_as(Role::Manager).await;
        let day = BusinessDay(text("2026-11-27"));
        lane.done(Command::OpenDay { day: Some(day) }).await;
        let float = text("100");
        lane.done(Command::OpenDrawer { float }).await;
        lane.sell(item).await;
        let amount = text("50");
        lane.done(Command::Drop { amount }).await;
        lane.crash_and_restart().await;
        let report = lane.client.json("/v1/reports/x").await.expect("a report");
        assert_eq!(report["receipts"]["count"], 1);
        assert_eq!(report["drops"]["amount"], 5000);
        let taken = report["tenders"]["cash"]["amount"].as_i64().expect("cash");
        let counted = vec![CountedCash {
            value: text("0.01"),
            pieces: 4000,
        }];
        let done = lane.done(Command::CountDrawer { counted }).await;
        let Event::DrawerCounted { expected, .. } = &done.events[0] else {
            panic!("{done:?}");
        };
        assert_eq!(expected.minor(), 10_000 + taken - 5000);
        lane.done(Command::ReportZ).await;
        lane.done(Command::CloseDay).await;
        lane.wait_shared().await;
        let path = "/v1/reports/day?day=2026-11-27";
        let report = lane.client.json(path).await.expect("a report");
        assert_eq!(report["sum"]["receipts"]["amount"], taken);
        assert_eq!(report["lanes"][0]["closed"], true);
        let paper = lane.client.paper("/v1/reports/x?format=text").await;
        let paper = paper.expect("paper");
        assert!(paper.contains("X report"), "{paper}");
    });
}

#[test]
fn reports_are_printed_once_and_then_reprinted() {
    runtime().block_on(async {
        let mut store = Store::start(1, false).await;
        let lane = &mut store.lanes[0];
        lane.sign_in_as(Role::Manager).await;
        async fn check(lane: &Lane, path: &str, title: &str, reprint: bool) {
            let path = format!("/v1/reports/{path}?format=text");
            let paper = lane.client.paper(&path).await.expect("paper");
            assert!(paper.contains(title), "{paper}");
            assert_eq!(paper.contains("*** REPRINT ***"), reprint, "{paper}");
        }
        lane.sell(&plain_items(1)[0]).await;
        check(lane, "x", "X report", false).await;
        check(lane, "x", "X report", true).await;
        lane.sell(&plain_items(1)[0]).await;
        check(lane, "x", "X report", false).await;
        lane.done(Command::ReportZ).await;
        // What is read as data is no paper.
        let report = lane.client.json("/v1/reports/z/1").await.expect("a report");
        assert_eq!(report["number"], 1);
        assert_eq!(report["report"]["receipts"]["count"], 2);
        check(lane, "z/1", "Z report 1", false).await;
        check(lane, "z/1", "Z report 1", true).await;
        lane.done(Command::ReportZ).await;
        lane.crash_and_restart().await;
        check(lane, "z/2", "Z report 2", true).await;
        let none = lane.client.json("/v1/reports/z/3").await;
        assert!(none.is_err(), "{none:?}");
        lane.done(Command::SignOut).await;
        lane.sign_in_as(Role::Supervisor).await;
        let refused = lane.client.json("/v1/reports/z/1").await;
        assert!(refused.is_err(), "{refused:?}");
    });
}
