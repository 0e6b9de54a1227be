//! SIGKILL at random moments of a lane that is ringing up: nothing acknowledged is lost, nothing
//! is counted twice.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::common::{Lane, Store, plain_items, run, scan, text};
use api::CommandRequest;
use node::client::LaneClient;
use sale::{Command, Event};
use serde_json::Value;

const KILLS: u32 = 200;
/// The latest moment after a start at which the lane is killed.
const KILL_WITHIN_MS: u64 = 60;
/// Lines of a sale.
const SALE_LINES: usize = 7;

/// What the cashier was told.
#[derive(Default)]
struct Told {
    /// Lines of the open cart that were acknowledged.
    open_lines: Vec<u32>,
    receipts: Vec<String>,
}

/// xorshift64*; source: Vigna, "An experimental exploration of Marsaglia's xorshift generators".
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) % limit
    }
}

/// Rings up until the lane no longer answers.
async fn ring(client: LaneClient, items: Vec<String>, told: Arc<Mutex<Told>>) {
    for n in 0.. {
        let lines = told.lock().expect("no panic").open_lines.len();
        let command = match lines >= SALE_LINES {
            true => Command::TenderCash { amount: None },
            false => scan(&items[n % items.len()]),
        };
        let request = CommandRequest { id: None, command };
        let Ok(answer) = client.command(&request).await else {
            return;
        };
        let done = answer.expect("nothing is refused here");
        let mut told = told.lock().expect("no panic");
        for event in done.events {
            match event {
                Event::LineAdded { line, .. } => told.open_lines.push(line.number),
                Event::Completed { receipt, .. } => {
                    told.open_lines.clear();
                    told.receipts.push(receipt.id);
                }
                _ => {}
            }
        }
    }
}

/// Compares the lane that came back with what its cashier was told. The one command that was under
/// way may have been carried out or not.
async fn compare(lane: &Lane, told: &Mutex<Told>) {
    let view = lane.client.view().await.expect("a view");
    let mut told = told.lock().expect("no panic");
    let held: Vec<u32> = match &view.register.cart {
        Some(cart) => cart.lines.iter().map(|line| line.number).collect(),
        None => Vec::new(),
    };
    if let Some(receipt) = view.register.last_receipt.filter(|_| held.is_empty())
        && told.receipts.last() != Some(&receipt.id)
    {
        // Paid, and the answer was lost.
        assert_eq!(told.open_lines.len(), SALE_LINES, "{}", receipt.id);
        told.open_lines.clear();
        told.receipts.push(receipt.id);
    }
    let known = told.open_lines.len();
    assert_eq!(
        held[..known],
        told.open_lines[..],
        "an acknowledged scan is missing"
    );
    assert!(
        held.len() <= known + 1,
        "{held:?} but told {:?}",
        told.open_lines
    );
    told.open_lines = held;
}

#[test]
fn two_hundred_kills_lose_nothing_that_was_acknowledged() {
    let seed = std::env::var("LANEMESH_SEED")
        .ok()
        .and_then(|s| s.parse().ok());
    let seed = seed.unwrap_or_else(|| {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .expect("a clock");
        now.as_nanos() as u64 | 1
    });
    println!("seed {seed}: repeat with LANEMESH_SEED={seed}");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let mut dice = Dice(seed | 1);
        let mut store = Store::start(1, false).await;
        store.lanes[0].sign_in().await;
        let items = plain_items(30);
        let told = Arc::new(Mutex::new(Told::default()));
        for _ in 0..KILLS {
            let lane = &mut store.lanes[0];
            let ringing = tokio::spawn(ring(lane.client.clone(), items.clone(), told.clone()));
            let moment = Duration::from_micros(dice.below(KILL_WITHIN_MS * 1000));
            tokio::time::sleep(moment).await;
            lane.process.kill();
            ringing.await.expect("the cashier does not panic");
            *lane = Lane::start(&lane.folder.clone()).await;
            compare(lane, &told).await;
        }
        store.wait_complete().await;
        store.assert_verified();
        let told = told.lock().expect("no panic");
        println!("{} receipts over {KILLS} kills", told.receipts.len());
        assert!(!told.receipts.is_empty(), "something was sold");
        assert_eq!(journalled_receipts(&store), told.receipts);
    });
}

/// The receipts of the journal, in order; each may stand in it once.
fn journalled_receipts(store: &Store) -> Vec<String> {
    let out = store.folder.path().join("journal.jsonl");
    let folder = store.lane_folder(1);
    let exported = run(&["export", text(&folder), "--out", text(&out)]);
    assert!(exported.status.success(), "{exported:?}");
    let journal = std::fs::read_to_string(out).expect("the export is text");
    let receipts: Vec<String> = journal
        .lines()
        .filter_map(|line| {
            let entry: Value = serde_json::from_str(line).expect("JSON lines");
            let event = &entry["fact"]["Register"]["event"];
            let id = event["receipt"]["id"].as_str();
            id.map(str::to_owned)
        })
        .collect();
    let once: BTreeSet<&String> = receipts.iter().collect();
    assert_eq!(once.len(), receipts.len(), "a receipt stands twice");
    receipts
}
