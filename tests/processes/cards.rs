//! Payments by card: a lane, its terminal, and what happens to either.

use std::time::{Duration, Instant};

use devices::nexo::{Behaviour, Script, Simulator};
use sale::{Command, Event, PayWith, Receipt, Tender};

use crate::common::{LIMIT, Lane, Store, plain_items, runtime};

const LOOK_EVERY: Duration = Duration::from_millis(20);

fn with_card() -> Command {
    Command::Tender {
        with: PayWith::Card { tip: None },
        amount: None,
    }
}

/// What the terminal does with one payment after the other; then it approves.
fn simulator(behaviours: Vec<Behaviour>) -> Simulator {
    let script: Script = Box::new(move |before| {
        let place = usize::try_from(before).unwrap_or(usize::MAX);
        *behaviours.get(place).unwrap_or(&Behaviour::Approve)
    });
    Simulator::start(0, script).expect("a free port")
}

/// The only lane of a store, started again with a terminal.
async fn with_terminal(store: &mut Store, simulator: &Simulator) {
    let lane = &mut store.lanes[0];
    lane.stop();
    let terminal = format!("POI-1@{}", simulator.address());
    *lane = Lane::start_with(&lane.folder.clone(), &["--terminal", &terminal]).await;
    lane.sign_in().await;
}

async fn register(lane: &Lane) -> sale::Register {
    let view = lane.client.json("/v1/view").await.expect("a view");
    serde_json::from_value(view["register"].clone()).expect("a register")
}

/// Waits until the register has so many receipts; gives the last.
async fn receipt(lane: &Lane, receipts: u64) -> Receipt {
    let started = Instant::now();
    loop {
        let register = register(lane).await;
        if register.receipts >= receipts {
            assert!(register.cards.open.is_none());
            return *register.last_receipt.expect("there is one");
        }
        assert!(started.elapsed() < LIMIT, "{:?}", register.cards);
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

fn assert_paid_by_card(receipt: &Receipt) {
    let [Tender::Card { amount, card }] = receipt.tenders.as_slice() else {
        panic!("{:?}", receipt.tenders);
    };
    assert_eq!(*amount, receipt.totals.total);
    assert_eq!(card.terminal, "POI-1");
    assert_eq!(card.approval.last_four.as_deref(), Some("0119"));
}

#[test]
fn a_lane_without_a_terminal_refuses_cards_alone() {
    runtime().block_on(async {
        let store = Store::start(1, false).await;
        let lane = &store.lanes[0];
        lane.sign_in().await;
        lane.scan(&plain_items(1)[0]).await;
        let refused = lane.try_do(with_card()).await.expect_err("no terminal");
        let said = serde_json::to_value(&refused).expect("it is JSON");
        assert_eq!(said["code"], "no-terminal", "{said}");
        lane.pay().await;
    });
}

#[test]
fn a_card_pays_once_whatever_happens() {
    // Declined at first, then the answer is lost, then the lane crashes while the customer waits.
    let simulator = simulator(vec![
        Behaviour::Decline,
        Behaviour::DropAfter,
        Behaviour::Delay(Duration::from_secs(20)),
    ]);
    runtime().block_on(async {
        let mut store = Store::start(1, false).await;
        with_terminal(&mut store, &simulator).await;
        let item = &plain_items(1)[0];
        let lane = &mut store.lanes[0];
        lane.scan(item).await;
        let asked = lane.done(with_card()).await;
        let is_asked = |event: &Event| matches!(event, Event::CardAsked { .. });
        assert!(asked.events.iter().any(is_asked), "{asked:?}");
        let started = Instant::now();
        while register(lane).await.cards.open.is_some() {
            assert!(started.elapsed() < LIMIT, "the terminal declines");
            tokio::time::sleep(LOOK_EVERY).await;
        }
        assert_eq!(simulator.charges(), []);

        lane.done(with_card()).await;
        assert_paid_by_card(&receipt(lane, 1).await);
        assert_eq!(simulator.charges().len(), 1);

        lane.scan(item).await;
        lane.done(with_card()).await;
        let started = Instant::now();
        while simulator.charges().len() < 2 {
            assert!(started.elapsed() < LIMIT, "the terminal charges");
            tokio::time::sleep(LOOK_EVERY).await;
        }
        lane.process.kill();
        let terminal = format!("POI-1@{}", simulator.address());
        *lane = Lane::start_with(&lane.folder.clone(), &["--terminal", &terminal]).await;
        let paid = receipt(lane, 2).await;
        assert_paid_by_card(&paid);
        assert_eq!(simulator.charges().len(), 2);
        let path = format!("/v1/receipts/{}?format=text", paid.id);
        let paper = lane.client.paper(&path).await.expect("a receipt");
        assert!(paper.contains("VISA **** 0119"), "{paper}");
        let path = format!("/v1/receipts/{}?format=html", paid.id);
        let page = lane.client.paper(&path).await.expect("a page");
        let title = format!("<title>Receipt {}</title>", paid.id);
        assert!(
            page.contains(&title) && page.contains("VISA **** 0119"),
            "{page}"
        );
        let path = format!("/v1/receipts/{}?paper=card-slip", paid.id);
        let slip = lane.client.paper(&path).await.expect("a slip");
        assert!(
            slip.contains("CARD SLIP") && slip.contains("VISA **** 0119"),
            "{slip}"
        );
        let path = format!("/v1/receipts/{}?format=paper", paid.id);
        assert!(lane.client.paper(&path).await.is_err());
    });
}
