//! What two lanes did that did not know of each other: worked out here from the entries in the order
//! in which the store applied them, to be held against the exceptions that its books have.

use std::collections::{BTreeMap, BTreeSet};

use ledger::{Entry, ExceptionKind, Fact, LaneId, Seq};
use sale::{Event, Receipt};

use super::books::receipt_of;
use super::carried::original_of;

/// A kind of conflict, and the entry that completed it.
pub type Conflict = (ExceptionKind, LaneId, Seq);

/// What was sold and came back of the lines of a receipt, in thousandths.
#[derive(Default)]
struct Account {
    is_sold: bool,
    sold: BTreeMap<u32, i64>,
    back: BTreeMap<u32, i64>,
}

impl Account {
    fn is_over(&self, line: u32) -> bool {
        let of = |sums: &BTreeMap<u32, i64>| sums.get(&line).copied().unwrap_or(0);
        self.is_sold && of(&self.back) > of(&self.sold)
    }
}

#[derive(Default)]
struct Accounts(BTreeMap<String, Account>);

impl Accounts {
    /// Counts a receipt; how many lines it finds or makes to have come back more than once.
    fn count(&mut self, receipt: &Receipt) -> usize {
        let account = self.0.entry(receipt.id.clone()).or_default();
        account.is_sold = true;
        for line in &receipt.lines {
            if line.detail.returned.is_none() {
                account.sold.insert(line.number, line.quantity.milli());
            }
        }
        // Its returns may have come before it did.
        let lines: Vec<u32> = account.back.keys().copied().collect();
        let mut over = lines.into_iter().filter(|l| account.is_over(*l)).count();
        for line in &receipt.lines {
            if let Some(of) = &line.detail.returned {
                let account = self.0.entry(of.receipt.clone()).or_default();
                *account.back.entry(of.line).or_default() += line.quantity.milli();
                over += usize::from(account.is_over(of.line));
            }
        }
        over
    }
}

/// The conflicts in applied entries, in their order.
pub fn expected<'a>(applied: impl Iterator<Item = &'a Entry>) -> Vec<Conflict> {
    let mut found = Vec::new();
    let mut resumed: BTreeSet<String> = BTreeSet::new();
    let mut accounts = Accounts::default();
    let mut carried = BTreeSet::new();
    for entry in applied {
        if let Some(original) = original_of(entry)
            && carried.insert(original.hash())
            && receipt_of(&original).is_some()
        {
            found.push((ExceptionKind::SoldOnCopy, entry.lane, entry.seq));
        }
        let Some(event) = event_of(entry) else {
            continue;
        };
        let mut conflict = |kind| found.push((kind, entry.lane, entry.seq));
        match event {
            Event::Resumed { slip, .. } if !resumed.insert(slip.clone()) => {
                conflict(ExceptionKind::ResumedTwice);
            }
            Event::Completed { receipt, .. } => {
                for _ in 0..accounts.count(&receipt) {
                    conflict(ExceptionKind::ReturnedTwice);
                }
            }
            _ => {}
        }
    }
    found
}

fn event_of(entry: &Entry) -> Option<Event> {
    match entry.body().ok()?.fact {
        Fact::Register { event, .. } => Some(event),
        _ => None,
    }
}
