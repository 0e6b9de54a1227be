//! Payments by card: a lane, its terminal, and what happens to either.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use devices::nexo::{Behaviour, Script, Simulator};
use sale::{Command, Event, PayWith, Receipt, Tender};

use crate::common::{LIMIT, Lane, Store, lanemesh, plain_items, runtime};

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

/// The only lane of a store, started again with a terminal that listens there.
async fn with_terminal(store: &mut Store, address: &str) {
    let lane = &mut store.lanes[0];
    lane.stop();
    let terminal = format!("POI-1@{address}");
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
        with_terminal(&mut store, &simulator.address().to_string()).await;
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

/// A child that does not outlive its test.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_terminal_without_cards_does_what_it_is_told() {
    let child = lanemesh()
        .args(["terminal", "--port", "0", "--json"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut terminal = Killed(child.expect("the binary runs"));
    let child = &mut terminal.0;
    let mut words = child.stdin.take().expect("it is piped");
    let mut said = BufReader::new(child.stderr.take().expect("it is piped")).lines();
    // What it says next under a name.
    let mut next = |name: &str| loop {
        let line = said.next().expect("it says more").expect("it is text");
        let line: serde_json::Value = serde_json::from_str(&line).expect("it is JSON");
        if let Some(text) = line[name].as_str() {
            return text.to_owned();
        }
    };
    let address = next("listening");
    runtime().block_on(async {
        let mut store = Store::start(1, false).await;
        with_terminal(&mut store, &address).await;
        let lane = &store.lanes[0];
        writeln!(words, "give me money").expect("it listens");
        assert_eq!(next("not_understood"), "give me money");
        writeln!(words, "decline").expect("it listens");
        assert_eq!(next("told"), "decline");
        lane.scan(&plain_items(1)[0]).await;
        lane.done(with_card()).await;
        let started = Instant::now();
        while register(lane).await.cards.open.is_some() {
            assert!(started.elapsed() < LIMIT, "the terminal declines");
            tokio::time::sleep(LOOK_EVERY).await;
        }
        // The answer is lost, and asked for again.
        writeln!(words, "drop-after").expect("it listens");
        assert_eq!(next("told"), "drop-after");
        lane.done(with_card()).await;
        let paid = receipt(lane, 1).await;
        assert_paid_by_card(&paid);
        assert_eq!(next("charged"), paid.totals.total.to_string());
    });
    let pid = child.id().to_string();
    let asked = std::process::Command::new("kill")
        .args(["-TERM", &pid])
        .status();
    assert!(asked.expect("kill runs").success());
    let mut report = String::new();
    let mut printed = child.stdout.take().expect("it is piped");
    printed.read_to_string(&mut report).expect("it is text");
    let report: serde_json::Value = serde_json::from_str(&report).expect("it is JSON");
    let told = (report["ok"].as_bool(), report["charges"].as_u64());
    assert_eq!(told, (Some(true), Some(1)));
}
