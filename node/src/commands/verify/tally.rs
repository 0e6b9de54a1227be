//! What a set of entries comes to, counted anew: totals, stock, receipts.

use std::collections::{BTreeMap, BTreeSet};

use catalog::ItemId;
use ledger::{DayTotal, Entry, EntryError, Fact, LaneId};
use money::Money;
use sale::{BusinessDay, Event, Receipt};

/// Totals by business day and lane.
pub type Totals = BTreeMap<(BusinessDay, LaneId), DayTotal>;

/// The receipt in an entry, if it is a sale's.
pub fn receipt(entry: &Entry) -> Result<Option<Box<Receipt>>, EntryError> {
    Ok(match event(entry)? {
        Some(Event::Completed { receipt, .. }) => Some(receipt),
        _ => None,
    })
}

/// What happened on the register by an entry.
fn event(entry: &Entry) -> Result<Option<Event>, EntryError> {
    Ok(match entry.body()?.fact {
        Fact::Register { event, .. } => Some(event),
        Fact::LaneStarted { .. }
        | Fact::LaneClosed
        | Fact::SellingResumed { .. }
        | Fact::CarriedOver { .. } => None,
    })
}

/// Sums over entries.
#[derive(Default)]
pub struct Tally {
    pub totals: Totals,
    /// What was moved, in thousandths of the item's unit; negative: what left stock.
    pub stock_milli: BTreeMap<ItemId, i64>,
    receipts: BTreeSet<String>,
    /// Receipts whose amounts do not add up with the others of their day.
    pub uncountable: Vec<String>,
    /// Entries that this release cannot read.
    pub unreadable: u64,
}

/// What an entry was to the tally.
pub enum Counted {
    NoSale,
    Sale,
    /// A receipt of this number has been counted before.
    Again(String),
}

impl Tally {
    pub fn count(&mut self, entry: &Entry) -> Counted {
        let event = match event(entry) {
            Ok(Some(event)) => event,
            Ok(None) => return Counted::NoSale,
            Err(_) => {
                self.unreadable += 1;
                return Counted::NoSale;
            }
        };
        self.move_stock(&event);
        let Event::Completed { receipt, .. } = event else {
            return Counted::NoSale;
        };
        self.add(entry.lane, &receipt);
        match self.receipts.insert(receipt.id.clone()) {
            true => Counted::Sale,
            false => Counted::Again(receipt.id),
        }
    }

    fn add(&mut self, lane: LaneId, receipt: &Receipt) {
        let zero = || DayTotal::zero(receipt.totals.total.currency());
        let key = (receipt.day.clone(), lane);
        let mut total = self.totals.remove(&key).unwrap_or_else(zero);
        if total.add_receipt(receipt).is_err() {
            self.uncountable.push(receipt.id.clone());
        }
        // A day on which nothing could be counted has no total.
        if total.receipts > 0 {
            self.totals.insert(key, total);
        }
    }

    fn move_stock(&mut self, event: &Event) {
        for (item, milli) in event.stock_moves() {
            let stock = self.stock_milli.entry(item.clone()).or_default();
            let moved = i64::try_from(milli).unwrap_or(i64::MAX);
            *stock = stock.saturating_add(moved);
        }
    }

    /// How many receipts were counted.
    pub fn receipts(&self) -> u64 {
        self.receipts.len() as u64
    }
}

/// Where stored totals are not what they should be: the day, the lane, and both in words.
pub fn differing(stored: &Totals, counted: &Totals) -> Vec<(BusinessDay, LaneId, String)> {
    let keys: BTreeSet<_> = stored.keys().chain(counted.keys()).collect();
    keys.into_iter()
        .filter(|key| stored.get(key) != counted.get(key))
        .map(|key| {
            let (day, lane) = key.clone();
            let message = format!(
                "{} stand there; the receipts come to {}",
                in_words(stored.get(key)),
                in_words(counted.get(key)),
            );
            (day, lane, message)
        })
        .collect()
}

fn in_words(total: Option<&DayTotal>) -> String {
    match total {
        None => "no sales".to_owned(),
        Some(total) => format!(
            "{} receipts, {} lines, {} {} in all",
            total.receipts,
            total.lines,
            Money::from_minor(total.total, total.currency),
            total.currency,
        ),
    }
}
