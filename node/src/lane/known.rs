//! What this lane knows of the store's lanes: what the store has applied, and what its journal holds
//! beyond that, its own entries and copies of its siblings'.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use catalog::{Customer, CustomerId, ItemId, Reference};
use ledger::{Entry, FORMAT_BOUGHT, FORMAT_POINTS, Fact, LaneId, Said, StoreView};
use sale::{
    BusinessDay, Cart, Event, Given, GivenBefore, History, Receipt, Shared, SoldReceipt, Tender,
    customer_of_points,
};
use storage::{Journal, StorageError};

/// Entries read at once.
const PAGE: usize = 1000;
const PAGE_BYTES: usize = 4 * 1024 * 1024;
/// The most entries of one lane that are looked through; a lane that is further behind the store
/// than that has been alone for days.
const ENTRIES_MAX: usize = 200_000;

/// A view of the store that goes beyond what was applied.
pub struct Known<'a> {
    journal: &'a Journal,
    store: &'a StoreView<'a>,
    own: LaneId,
    /// The first failure of a read that could not answer with an error of its own.
    error: RefCell<Option<String>>,
}

impl<'a> Known<'a> {
    pub fn new(journal: &'a Journal, store: &'a StoreView<'a>, own: LaneId) -> Known<'a> {
        Known {
            journal,
            store,
            own,
            error: RefCell::new(None),
        }
    }

    /// Whether an answer was wanting because something could not be read. Ask after a decision,
    /// before acting on it.
    pub fn check(&self) -> Result<(), String> {
        match self.error.borrow_mut().take() {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    fn noted<T: Default, E: std::fmt::Display>(&self, read: Result<T, E>) -> T {
        read.unwrap_or_else(|error| {
            self.error.borrow_mut().get_or_insert(error.to_string());
            T::default()
        })
    }

    /// Hands over every event of a lane that the store has not applied yet, in order.
    fn unapplied_of(&self, lane: LaneId, each: &mut dyn FnMut(&Entry, Event)) {
        let applied = self.noted(self.store.lane(lane));
        let mut from = applied.map_or(1, |record| record.head.next_seq);
        let mut seen = 0;
        while seen < ENTRIES_MAX {
            let page: Result<_, StorageError> = self.journal.read(lane, from, PAGE, PAGE_BYTES);
            let page = self.noted(page);
            let Some(last) = page.last() else {
                return;
            };
            from = last.seq + 1;
            seen += page.len();
            for entry in &page {
                // What a later release wrote is passed over here as it is in the books.
                if let Ok(body) = entry.body()
                    && let Fact::Register { event, .. } = body.fact
                {
                    each(entry, event);
                }
            }
        }
    }

    /// The receipt in an applied entry.
    fn applied_receipt(&self, global: u64) -> Option<Receipt> {
        let entries = self.noted(self.store.entries_after(global.checked_sub(1)?, 1));
        let (_, entry) = entries.into_iter().next()?;
        completed(&entry)
    }

    /// A receipt from before receipts were kept by number: looked for in the journal of the lane
    /// whose number it carries, from its end.
    fn early_receipt(&self, id: &str) -> Option<Receipt> {
        let number: u32 = id.split_once('-')?.0.parse().ok()?;
        let lanes = self.noted(self.store.lanes());
        let lane = lanes.iter().find(|record| record.number == number)?.lane;
        self.newest_in(lane, &|entry| {
            completed(entry).filter(|receipt| receipt.id == id)
        })
    }

    /// A Z report of this lane: its event.
    pub fn report_z(&self, number: u64) -> Option<Event> {
        self.newest_in(self.own, &|entry| match entry.body().ok()?.fact {
            Fact::Register { event, .. } => {
                let is_it = matches!(&event, Event::ReportedZ { number: n, .. } if *n == number);
                is_it.then_some(event)
            }
            _ => None,
        })
    }

    /// Looks through a lane's journal from its end.
    fn newest_in<T>(&self, lane: LaneId, look: &dyn Fn(&Entry) -> Option<T>) -> Option<T> {
        let mut before = self.journal.head(lane).next_seq;
        let oldest = before.saturating_sub(ENTRIES_MAX as u64).max(1);
        while before > oldest {
            let from = before.saturating_sub(PAGE as u64).max(oldest);
            let count = usize::try_from(before - from).unwrap_or(PAGE);
            let page = self.noted(self.journal.read(lane, from, count, usize::MAX));
            if let Some(found) = page.iter().rev().find_map(look) {
                return Some(found);
            }
            before = from;
        }
        None
    }

    /// What entries that are not applied yet say of customers.
    fn unapplied_customers(&self) -> Vec<(Said, Event)> {
        let mut told = Vec::new();
        self.unapplied(&mut |entry, event| {
            if event.is_about_customers() {
                let at = self.noted(entry.stamp());
                let on = entry.lane;
                told.push((Said { at, on }, event));
            }
        });
        told
    }

    /// A customer by their number, or by one that stands for it.
    pub fn find_customer(&self, number: &CustomerId) -> Option<Customer> {
        let told = self.unapplied_customers();
        let found = self
            .store
            .with_customers(told, |store| store.customer_of(number));
        self.noted(found)
    }

    /// Those of these customers, and of all of whom something is said that is not applied yet, who are
    /// found by words of theirs: as they are known now, in order of their numbers.
    pub fn customers_found(&self, words: &str, among: BTreeSet<CustomerId>) -> Vec<Customer> {
        let told = self.unapplied_customers();
        let mut numbers = among;
        numbers.extend(told.iter().filter_map(|(_, event)| match event {
            Event::CustomerKept { customer, .. } => Some(customer.clone()),
            Event::CustomersMerged { into, .. } => Some(into.clone()),
            _ => None,
        }));
        // Their number itself, too, which may stand for another one's.
        numbers.insert(CustomerId(words.trim().to_owned()));
        let found = self.store.with_customers(told, |store| {
            let mut found = BTreeMap::new();
            for number in &numbers {
                if let Some(customer) = store.customer_of(number)?
                    && (customer.is_found_by(words) || number.0 == words.trim())
                {
                    found.insert(customer.id.clone(), customer);
                }
            }
            Ok(found)
        });
        self.noted(found).into_values().collect()
    }

    /// What entries that are not applied yet add to stock, in thousandths.
    fn unapplied_stock(&self) -> BTreeMap<ItemId, i128> {
        let mut moved: BTreeMap<ItemId, i128> = BTreeMap::new();
        self.unapplied(&mut |_, event| {
            for (item, milli) in event.stock_moves() {
                let sum = moved.entry(item.clone()).or_default();
                *sum = sum.saturating_add(milli);
            }
        });
        moved
    }

    /// Sales that are put aside and were not taken up, by slip, after a slip, at most `limit`: a page of all.
    pub fn put_aside_after(&self, after: Option<&str>, limit: usize) -> Vec<(String, Cart)> {
        let (mut put, mut taken) = (BTreeMap::new(), BTreeSet::new());
        self.unapplied(&mut |_, event| match event {
            Event::Suspended { slip, open, .. } => {
                put.insert(slip, *open);
            }
            Event::Resumed { slip, .. } => {
                taken.insert(slip);
            }
            _ => {}
        });
        let wanted = limit.saturating_add(taken.len());
        let applied = self.noted(self.store.put_aside_after(after, wanted));
        let is_last = applied.len() < wanted;
        let last = applied.last().map(|(slip, _)| slip.clone());
        let comes_later = |slip: &String| !is_last && last.as_ref().is_some_and(|last| slip > last);
        let put = put.into_iter().filter(|(slip, _)| {
            after.is_none_or(|after| slip.as_str() > after) && !comes_later(slip)
        });
        let mut page: BTreeMap<String, Cart> = put.collect();
        page.extend(applied);
        page.retain(|slip, _| !taken.contains(slip));
        page.into_iter().take(limit).collect()
    }

    /// Stock after an item, in order of items, at most `limit`: a page of all of which something was
    /// ever moved.
    pub fn stock_after(&self, after: Option<&ItemId>, limit: usize) -> Vec<(ItemId, i64)> {
        let applied = self.noted(self.store.stock_after(after, limit));
        let is_last = applied.len() < limit;
        let last = applied.last().map(|(item, _)| item.clone());
        let mut page: BTreeMap<ItemId, i64> = applied.into_iter().collect();
        for (item, milli) in self.unapplied_stock() {
            let comes_later = !is_last && last.as_ref().is_some_and(|last| item > *last);
            if after.is_none_or(|after| item > *after) && !comes_later {
                let stock = page.entry(item).or_default();
                *stock = plus(*stock, milli);
            }
        }
        page.into_iter().take(limit).collect()
    }

    fn unapplied(&self, each: &mut dyn FnMut(&Entry, Event)) {
        for lane in self.journal.heads().into_keys() {
            self.unapplied_of(lane, each);
        }
    }
}

/// Stock after a movement, as the books bound it.
fn plus(stock_milli: i64, moved_milli: i128) -> i64 {
    let sum = i128::from(stock_milli).saturating_add(moved_milli);
    let bounded = sum.clamp(i128::from(i64::MIN), i128::from(i64::MAX));
    i64::try_from(bounded).expect("clamped to its bounds")
}

/// The receipt that an entry prints, where it does.
fn completed(entry: &Entry) -> Option<Receipt> {
    match entry.body().ok()?.fact {
        Fact::Register {
            event: Event::Completed { receipt, .. },
            ..
        } => Some(*receipt),
        _ => None,
    }
}

impl Shared for Known<'_> {
    fn customer(&self, _reference: &dyn Reference, id: &CustomerId) -> Option<Customer> {
        self.find_customer(id)
    }

    fn suspended(&self, slip: &str) -> Option<Cart> {
        let applied = self.noted(self.store.suspended(slip)).unwrap_or_default();
        let (mut open, mut taken) = (applied.open, applied.resumed_on.is_some());
        self.unapplied(&mut |_, event| match event {
            Event::Suspended {
                slip: put_aside,
                open: cart,
                ..
            } if put_aside == slip => open = Some(*cart),
            Event::Resumed { slip: resumed, .. } if resumed == slip => taken = true,
            _ => {}
        });
        open.filter(|_| !taken)
    }

    fn receipt(&self, id: &str) -> Option<SoldReceipt> {
        let record = self.noted(self.store.receipt(id)).unwrap_or_default();
        let mut found = record.entry.and_then(|global| self.applied_receipt(global));
        let mut returned_milli = record.returned_milli;
        let mut refunded_minor = record.refunded_minor;
        self.unapplied(&mut |_, event| {
            let Event::Completed { receipt, .. } = event else {
                return;
            };
            for line in &receipt.lines {
                if let Some(of) = line.detail.returned.as_ref().filter(|of| of.receipt == id) {
                    *returned_milli.entry(of.line).or_default() += line.quantity.milli();
                }
            }
            for tender in &receipt.tenders {
                if let Tender::Card { amount, card } = tender
                    && let Some(of) = card.refund_of.as_ref().filter(|of| of.receipt == id)
                {
                    let sum = refunded_minor.entry(of.tender).or_default();
                    *sum = sum.saturating_sub(amount.minor());
                }
            }
            if receipt.id == id {
                found = Some(*receipt);
            }
        });
        let found = found.or_else(|| self.early_receipt(id));
        found.map(|receipt| SoldReceipt {
            receipt,
            returned_milli,
            refunded_minor,
        })
    }

    fn credit_minor(&self, number: &str) -> Option<i64> {
        let mut held = self.noted(self.store.credit_minor(number));
        // Points are counted from the same moment on as in the books.
        let points_of = customer_of_points(number);
        if points_of.is_some() && self.noted(self.store.level()) < FORMAT_POINTS {
            return None;
        }
        self.unapplied(&mut |_, event| {
            let Event::Completed { receipt, .. } = event else {
                return;
            };
            let of_receipt = receipt.customer.as_ref().map(|id| id.0.as_str());
            if points_of.is_some() && of_receipt == points_of {
                held = Some(held.unwrap_or(0).saturating_add(receipt.points_moved()));
            }
            for (key, added) in receipt.credit_moves() {
                if key == number {
                    held = Some(held.unwrap_or(0).saturating_add(added));
                }
            }
        });
        held
    }

    fn coupon_used(&self, single: &str) -> Option<String> {
        let mut used = self.noted(self.store.coupon_used(single));
        self.unapplied(&mut |_, event| {
            if let Event::Completed { receipt, .. } = event
                && receipt
                    .detail
                    .coupons_used
                    .iter()
                    .any(|coupon| coupon.single().as_deref() == Some(single))
            {
                used.get_or_insert(receipt.id);
            }
        });
        used
    }

    fn bought(&self, customer: &CustomerId, items: &BTreeSet<ItemId>) -> BTreeMap<ItemId, u32> {
        // Counted from the same moment on as in the books.
        if self.noted(self.store.level()) < FORMAT_BOUGHT {
            return BTreeMap::new();
        }
        let applied = |item| self.noted(self.store.bought(customer, item));
        let mut bought: BTreeMap<&ItemId, i64> =
            items.iter().map(|item| (item, applied(item))).collect();
        self.unapplied(&mut |_, event| {
            if let Event::Completed { receipt, .. } = event
                && receipt.customer.as_ref() == Some(customer)
            {
                for (item, pieces) in receipt.bought() {
                    if let Some(sum) = bought.get_mut(item) {
                        *sum = sum.saturating_add(pieces);
                    }
                }
            }
        });
        let over_zero = bought.into_iter().filter(|(_, pieces)| *pieces > 0);
        over_zero
            .map(|(item, pieces)| (item.clone(), u32::try_from(pieces).unwrap_or(u32::MAX)))
            .collect()
    }

    fn given(
        &self,
        promotions: &[&str],
        day: &BusinessDay,
        customer: Option<&CustomerId>,
    ) -> Vec<Given> {
        let history = customer.map(|id| self.noted(self.store.history(id)));
        let history = history.unwrap_or_default();
        let applied = |id: &&str| {
            let in_store = self.noted(self.store.given(id, None));
            let to_customer = customer.map(|who| self.noted(self.store.given(id, Some(who))));
            Given {
                before: GivenBefore {
                    store: in_store.times,
                    day: in_store.on(day),
                    customer_day: to_customer.map_or(0, |given| given.on(day)),
                },
                customer: history.given.get(*id).copied().unwrap_or(0),
            }
        };
        let mut given: Vec<Given> = promotions.iter().map(applied).collect();
        // What comes back frees nothing before it is applied.
        self.unapplied(&mut |_, event| {
            let Event::Completed { receipt, .. } = event else {
                return;
            };
            for part in &receipt.totals.promotions {
                let place = promotions.iter().position(|id| *id == part.promotion);
                if let Some(given) = place.and_then(|place| given.get_mut(place)) {
                    let on_day = receipt.day == *day;
                    let to_customer = customer.is_some() && receipt.customer.as_ref() == customer;
                    given.add(part.times, on_day, to_customer);
                }
            }
        });
        given
    }

    fn history(&self, customer: &CustomerId) -> History {
        let mut history = self.noted(self.store.history(customer));
        self.unapplied(&mut |_, event| {
            if let Event::Completed { receipt, .. } = event
                && receipt.customer.as_ref() == Some(customer)
            {
                history.add(&receipt);
            }
        });
        history
    }

    fn unreceipted_minor(&self, day: &BusinessDay, key: &str) -> i64 {
        let mut sum = self.noted(self.store.unreceipted_minor(day, key));
        self.unapplied(&mut |_, event| {
            if let Event::Completed { receipt, .. } = event
                && receipt.day == *day
            {
                let given = receipt.unreceipted().filter(|(of, _)| of == key);
                sum = given.fold(sum, |sum, (_, minor)| sum.saturating_add(minor));
            }
        });
        sum
    }

    fn stock_milli(&self, item: &ItemId) -> Option<i64> {
        let applied = self.noted(self.store.stock_known(item));
        let moved = self.unapplied_stock().remove(item);
        match (applied, moved) {
            (None, None) => None,
            (applied, moved) => Some(plus(applied.unwrap_or(0), moved.unwrap_or(0))),
        }
    }

    fn unshared_receipts(&self) -> u64 {
        let mut receipts = 0;
        self.unapplied_of(self.own, &mut |_, event| {
            receipts += u64::from(matches!(event, Event::Completed { .. }));
        });
        receipts
    }
}
