//! The rules about promotions that are given only so often: how often each was, in the store, to a
//! customer, and on which business days, less what came back.
//!
//! Counted is what a receipt's terms say this lane had rights to, so that what counts follows from the
//! log alone and not from what a release makes of a promotion file. What a customer was given counts of
//! every promotion, in the customer's history.
//!
//! What comes back frees what was given with it, in proportion to the goods that it was given on and
//! rounded down: all of it once all of them are back. It is taken off the customer and the day that got
//! it, whoever brings the goods and whenever.

use std::collections::BTreeMap;

use catalog::CustomerId;
use sale::{BusinessDay, Event, History, Receipt};

use crate::apply::Rules;
use crate::fact::FORMAT_LIMITS;
use crate::store::row;
use crate::{Fact, GivenRecord, ReceiptRecord, StoreView, Table, TableError};

/// The business days of which is known how often a promotion was given on them, the latest.
pub const GIVEN_DAYS_KEPT: usize = 8;

/// The key of how often a promotion was given: in the store, or to a customer. No id of a promotion
/// holds a zero byte.
pub(crate) fn given_key(promotion: &str, customer: Option<&CustomerId>) -> Vec<u8> {
    match customer {
        None => promotion.as_bytes().to_vec(),
        Some(customer) => [promotion.as_bytes(), &[0], customer.0.as_bytes()].concat(),
    }
}

impl GivenRecord {
    /// Adds so many times on a day; a day before those that are kept counts only in all.
    fn add(&mut self, day: &BusinessDay, times: u64) {
        self.times = self.times.saturating_add(times);
        let on_day = self.days.entry(day.clone()).or_default();
        *on_day = on_day.saturating_add(times);
        while self.days.len() > GIVEN_DAYS_KEPT {
            self.days.pop_first();
        }
    }

    /// Adds what was given to somebody who turned out to be the same customer.
    pub(crate) fn join(&mut self, other: GivenRecord) {
        let on_days: u64 = other.days.values().fold(0, |sum, n| sum.saturating_add(*n));
        self.times = self
            .times
            .saturating_add(other.times.saturating_sub(on_days));
        for (day, times) in other.days {
            self.add(&day, times);
        }
    }

    fn take_off(&mut self, day: &BusinessDay, times: u64) {
        self.times = self.times.saturating_sub(times);
        if let Some(on_day) = self.days.get_mut(day) {
            *on_day = on_day.saturating_sub(times);
        }
    }
}

impl Rules<'_, '_> {
    /// Counts what a receipt was given. Some of its goods may have come back before it did.
    pub(crate) fn given(
        &mut self,
        receipt: &Receipt,
        record: &ReceiptRecord,
    ) -> Result<(), TableError> {
        if StoreView::new(self.tables).level()? < FORMAT_LIMITS {
            return Ok(());
        }
        let times = receipt.totals.promotions.iter().filter(|p| p.times > 0);
        let times = times.map(|p| (p.promotion.as_str(), u64::from(p.times)));
        self.change_given(receipt, times.collect(), GivenRecord::add)?;
        let freed = freed(receipt, &record.returned_milli);
        self.free(receipt, freed)
    }

    /// Frees what was given with goods of a receipt that came back: `before` and `after` are what was
    /// known of it.
    pub(crate) fn given_back(
        &mut self,
        before: &ReceiptRecord,
        after: &ReceiptRecord,
    ) -> Result<(), TableError> {
        let view = StoreView::new(self.tables);
        let Some(global) = after.entry.filter(|global| *global > 0) else {
            return Ok(());
        };
        if view.level()? < FORMAT_LIMITS {
            return Ok(());
        }
        let entries = view.entries_after(global - 1, 1)?;
        let body = entries.first().and_then(|(_, entry)| entry.body().ok());
        let Some(Fact::Register {
            event: Event::Completed { receipt, .. },
            ..
        }) = body.map(|body| body.fact)
        else {
            return Ok(());
        };
        self.points_back(&receipt, before, after)?;
        let mut more = freed(&receipt, &after.returned_milli);
        for (promotion, times) in freed(&receipt, &before.returned_milli) {
            let sum = more.entry(promotion).or_default();
            *sum = sum.saturating_sub(times);
        }
        self.free(&receipt, more)
    }

    /// Takes times off those that a receipt was given.
    fn free(&mut self, receipt: &Receipt, times: BTreeMap<&str, u64>) -> Result<(), TableError> {
        let times: BTreeMap<&str, u64> = times.into_iter().filter(|(_, n)| *n > 0).collect();
        let customer = self.customer_on(receipt)?;
        if let Some(customer) = customer.filter(|_| !times.is_empty()) {
            let key = customer.0.as_bytes();
            let mut history: History = row(self.tables, Table::History, key)?.unwrap_or_default();
            for (promotion, times) in &times {
                if let Some(given) = history.given.get_mut(*promotion) {
                    let times = u32::try_from(*times).unwrap_or(u32::MAX);
                    *given = given.saturating_sub(times);
                }
            }
            self.put(Table::History, key, &history)?;
        }
        self.change_given(receipt, times, GivenRecord::take_off)
    }

    /// Changes the counts of those promotions to which the receipt's lane had rights.
    fn change_given(
        &mut self,
        receipt: &Receipt,
        times: BTreeMap<&str, u64>,
        change: fn(&mut GivenRecord, &BusinessDay, u64),
    ) -> Result<(), TableError> {
        let rights = &receipt.detail.terms.rights;
        let counted = times.into_iter().filter(|(id, _)| rights.contains_key(*id));
        let customer = self.customer_on(receipt)?;
        for (promotion, times) in counted {
            let customer = customer.as_ref().map(Some);
            for customer in [None].into_iter().chain(customer) {
                let key = given_key(promotion, customer);
                let record = row::<GivenRecord>(self.tables, Table::Given, &key)?;
                let mut record = record.unwrap_or_default();
                change(&mut record, &receipt.day, times);
                self.put(Table::Given, &key, &record)?;
            }
        }
        Ok(())
    }
}

/// How much of what a receipt was given is free again, where so many thousandths of its lines came back.
fn freed<'r>(receipt: &'r Receipt, returned_milli: &BTreeMap<u32, i64>) -> BTreeMap<&'r str, u64> {
    let mut freed = BTreeMap::new();
    for given in receipt.totals.promotions.iter().filter(|p| p.times > 0) {
        let (mut sold, mut back) = (0_i128, 0_i128);
        let lines = receipt.lines.iter().filter(|line| {
            let total = receipt.totals.lines.iter().find(|t| t.line == line.number);
            let has = |total: &sale::LineTotal| {
                let mut parts = total.promotions.iter();
                parts.any(|part| part.promotion == given.promotion)
            };
            line.detail.returned.is_none() && total.is_some_and(has)
        });
        for line in lines {
            let milli = line.quantity.milli();
            let returned = returned_milli.get(&line.number).copied().unwrap_or(0);
            sold += i128::from(milli);
            back += i128::from(returned.clamp(0, milli.max(0)));
        }
        if sold > 0 && back > 0 {
            let times = i128::from(given.times) * back / sold;
            let times = u64::try_from(times).expect("no more than were given");
            freed.insert(given.promotion.as_str(), times);
        }
    }
    freed
}
