//! Stores that write journals, as head office sees them.

use catalog::{BookVersion, EmployeeId};
use ledger::{Entry, EntryBody, Epoch, Fact, Head, Hlc, LaneId, StoreId};
use money::{Currency, Money};
use sale::{BusinessDay, CartId, Event, LocalTime, Receipt, Tender, Totals};
use wire::{HqBatch, HqEntry, HqLane};

pub const DAY: &str = "2026-11-27";

/// A store whose lanes sell, and the order in which it committed what they sold.
pub struct Shop {
    pub store: StoreId,
    lanes: Vec<(HqLane, Head)>,
    pub committed: Vec<Entry>,
}

fn usd(minor: i64) -> Money {
    Money::from_minor(minor, Currency::USD)
}

fn receipt(lane: LaneId, number: u64, day: &str, minor: i64) -> Receipt {
    let at = LocalTime {
        unix_ms: 1_795_773_600_000,
        offset_minutes: 0,
    };
    let zero = usd(0);
    Receipt {
        id: format!("1-{number:06}"),
        cart: CartId { lane, number },
        lane_name: "Lane".to_owned(),
        store_name: "Shop".to_owned(),
        cashier: EmployeeId::from("101"),
        cashier_name: "Ada".to_owned(),
        customer: None,
        day: BusinessDay(day.to_owned()),
        opened_at: at,
        priced_at: at,
        book: BookVersion(1),
        reference: None,
        lines: Vec::new(),
        totals: Totals {
            lines: Vec::new(),
            promotions: Vec::new(),
            taxes: Vec::new(),
            gross: usd(minor),
            discount: zero,
            deposits: zero,
            tax_added: zero,
            tax_included: zero,
            total: usd(minor),
            points: Vec::new(),
            next_coupons: Vec::new(),
        },
        tenders: vec![Tender::Cash {
            amount: usd(minor + 5),
        }],
        change: usd(5),
        detail: Default::default(),
    }
}

impl Shop {
    /// A store with `lanes` lanes. The lanes of two stores have the same ids, which never happens
    /// outside a test.
    pub fn new(id: u8, lanes: u8) -> Shop {
        let lane = |number: u8| HqLane {
            lane: LaneId([number; 16]),
            number: u32::from(number),
            name: format!("Lane {number}"),
        };
        Shop {
            store: StoreId([id; 16]),
            lanes: (1..=lanes).map(|n| (lane(n), Head::default())).collect(),
            committed: Vec::new(),
        }
    }

    pub fn lane(&self, lane: usize) -> LaneId {
        self.lanes[lane].0.lane
    }

    /// Something happens on a lane and is committed.
    pub fn happen(&mut self, lane: usize, fact: Fact) {
        self.happen_in_format(lane, 1, fact);
    }

    /// The same, journalled in another version of the entry format.
    pub fn happen_in_format(&mut self, lane: usize, v: u16, fact: Fact) {
        let (lane, head) = &mut self.lanes[lane];
        let entry = Entry::seal(&EntryBody {
            v,
            store: self.store,
            lane: lane.lane,
            seq: head.next_seq,
            prev: head.hash,
            hlc: Hlc::default(),
            fact,
        });
        *head = entry.check_follows(self.store, head).unwrap();
        self.committed.push(entry);
    }

    /// A sale of `minor` cents on a lane.
    pub fn sell(&mut self, lane: usize, day: &str, minor: i64) {
        let number = self.committed.len() as u64;
        let receipt = receipt(self.lane(lane), number, day, minor);
        self.happen(
            lane,
            Fact::Register {
                event: Event::Completed {
                    cart: receipt.cart,
                    receipt: Box::new(receipt),
                },
                request: None,
            },
        );
    }

    /// `count` sales of 1.00, 1.01, … on the lanes in turn.
    pub fn sell_some(&mut self, count: usize) {
        for n in 0..count {
            self.sell(n % self.lanes.len(), DAY, 100 + n as i64);
        }
    }

    /// The committed entries `from..=to` of the store's order as a batch.
    pub fn batch(&self, from: u64, to: u64) -> HqBatch {
        let numbered = (1..).zip(&self.committed);
        HqBatch {
            store: self.store,
            store_name: format!("Shop {}", self.store.short()),
            epoch: Epoch::FIRST,
            lanes: self.lanes.iter().map(|(lane, _)| lane.clone()).collect(),
            entries: numbered
                .filter(|(global, _)| (from..=to).contains(global))
                .map(|(global, entry)| HqEntry {
                    global,
                    entry: entry.clone(),
                })
                .collect(),
        }
    }

    pub fn everything(&self) -> HqBatch {
        self.batch(1, u64::MAX)
    }

    /// What head office should hold of a lane: sequence numbers and bytes.
    pub fn journal(&self, lane: usize) -> Vec<(u64, Vec<u8>)> {
        let lane = self.lane(lane);
        let own = self.committed.iter().filter(|e| e.lane == lane);
        own.map(|e| (e.seq, e.bytes.clone())).collect()
    }
}
