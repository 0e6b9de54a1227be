//! The rules about what a receipt leaves behind: what can be returned of it, credit notes, used
//! coupons, and what its customer bought.

use catalog::{CustomerId, ItemId, Reference};
use money::Money;
use sale::{CardSource, History, Receipt, Tender, customer_of_points, gift_card_of, points_key};

use crate::apply::Rules;
use crate::fact::{FORMAT_BOUGHT, FORMAT_POINTS};
use crate::store::{row, unreceipted_key};
use crate::{Entry, ExceptionKind, ReceiptRecord, StoreView, Table, TableError};

/// The key of what a customer bought of an item. Neither id holds a zero byte.
pub(crate) fn bought_key(customer: &CustomerId, item: &ItemId) -> Vec<u8> {
    [customer.0.as_bytes(), &[0], item.0.as_bytes()].concat()
}

impl Rules<'_, '_> {
    /// Notes where a receipt is, what it takes back, and what becomes of credit notes. `global` is
    /// the sequence of its entry.
    pub(crate) fn receipt(
        &mut self,
        entry: &Entry,
        global: u64,
        receipt: &Receipt,
    ) -> Result<(), TableError> {
        let mut record = self.receipt_record(&receipt.id)?;
        record.entry = Some(global);
        let sold = receipt.lines.iter().filter(|l| l.detail.returned.is_none());
        record.sold_milli = sold.map(|l| (l.number, l.quantity.milli())).collect();
        let over = record.returned_too_much();
        self.put(Table::Receipt, receipt.id.as_bytes(), &record)?;
        self.history(receipt)?;
        self.given(receipt, &record)?;
        // Its returns may have come before it did.
        for line in over {
            self.returned_too_much(entry, &receipt.id, line)?;
        }
        for line in &receipt.lines {
            let of = line.detail.returned.as_ref();
            if let Some(of) = of.filter(|of| of.unreceipted.is_none()) {
                self.returned(entry, &of.receipt, of.line, line.quantity.milli())?;
            }
        }
        for (key, minor) in receipt.unreceipted() {
            self.unreceipted(entry, receipt, &key, minor)?;
        }
        for (key, added) in receipt.credit_moves() {
            self.credit(entry, &key, added)?;
        }
        self.points(entry, receipt, &record)?;
        for tender in &receipt.tenders {
            if let Tender::Card { amount, card } = tender
                && let Some(of) = &card.refund_of
            {
                self.refunded(of, *amount)?;
            }
        }
        for single in receipt
            .detail
            .coupons_used
            .iter()
            .filter_map(|c| c.single())
        {
            self.coupon(entry, &single, &receipt.id)?;
        }
        Ok(())
    }

    /// Adds a receipt to what its customer bought.
    fn history(&mut self, receipt: &Receipt) -> Result<(), TableError> {
        let Some(customer) = self.customer_on(receipt)? else {
            return Ok(());
        };
        let key = customer.0.as_bytes();
        let mut history: History = row(self.tables, Table::History, key)?.unwrap_or_default();
        history.add(receipt);
        self.put(Table::History, key, &history)?;
        self.bought(&customer, receipt)
    }

    /// Counts what a customer bought, by item. Lanes of earlier releases do not.
    fn bought(&mut self, customer: &CustomerId, receipt: &Receipt) -> Result<(), TableError> {
        let view = StoreView::new(self.tables);
        if view.level()? < FORMAT_BOUGHT {
            return Ok(());
        }
        let mut counted = Vec::new();
        for (item, pieces) in receipt.bought() {
            let before = view.bought(customer, item)?;
            counted.push((bought_key(customer, item), before.saturating_add(pieces)));
        }
        for (key, pieces) in counted {
            self.put(Table::Bought, &key, &pieces)?;
        }
        Ok(())
    }

    /// Notes where a coupon was used that can be used once.
    fn coupon(&mut self, entry: &Entry, single: &str, receipt: &str) -> Result<(), TableError> {
        let first: Option<String> = row(self.tables, Table::Coupon, single.as_bytes())?;
        let Some(first) = first else {
            return self.put(Table::Coupon, single.as_bytes(), &receipt);
        };
        let message = format!(
            "The coupon {single} can be used once and was used twice: on receipt {first} and on \
             receipt {receipt}, on lane {}. Check who handed it in.",
            entry.lane.short()
        );
        self.exception(ExceptionKind::CouponUsedTwice, Some(entry), message)
    }

    fn receipt_record(&self, id: &str) -> Result<ReceiptRecord, TableError> {
        Ok(row(self.tables, Table::Receipt, id.as_bytes())?.unwrap_or_default())
    }

    fn returned(
        &mut self,
        entry: &Entry,
        id: &str,
        line: u32,
        milli: i64,
    ) -> Result<(), TableError> {
        let before = self.receipt_record(id)?;
        let mut record = before.clone();
        let sum = record.returned_milli.entry(line).or_default();
        *sum = sum.saturating_add(milli);
        let over = record.returned_too_much().contains(&line);
        self.put(Table::Receipt, id.as_bytes(), &record)?;
        self.given_back(&before, &record)?;
        match over {
            true => self.returned_too_much(entry, id, line),
            false => Ok(()),
        }
    }

    /// Counts what was given back without a receipt to one person on a business day.
    fn unreceipted(
        &mut self,
        entry: &Entry,
        receipt: &Receipt,
        person: &str,
        minor: i64,
    ) -> Result<(), TableError> {
        let key = unreceipted_key(&receipt.day, person);
        let before: i64 = row(self.tables, Table::Unreceipted, &key)?.unwrap_or(0);
        let sum = before.saturating_add(minor);
        self.put(Table::Unreceipted, &key, &sum)?;
        let settings = StoreView::new(self.tables).settings();
        let most = settings.unreceipted_returns.day_max_minor;
        if sum <= most || before > most {
            return Ok(());
        }
        let amount = |minor| Money::from_minor(minor, settings.currency);
        let message = format!(
            "{} was given back without a receipt to {person} on {}, where {} is the most; the last of \
             it on lane {}. Check who was given the money.",
            amount(sum),
            receipt.day,
            amount(most),
            entry.lane.short()
        );
        self.exception(ExceptionKind::ReturnedOverLimit, Some(entry), message)
    }

    /// Notes what was given back to a card: `amount` is below zero.
    fn refunded(&mut self, of: &CardSource, amount: Money) -> Result<(), TableError> {
        let mut record = self.receipt_record(&of.receipt)?;
        let sum = record.refunded_minor.entry(of.tender).or_default();
        *sum = sum.saturating_sub(amount.minor());
        self.put(Table::Receipt, of.receipt.as_bytes(), &record)
    }

    fn returned_too_much(&mut self, entry: &Entry, id: &str, line: u32) -> Result<(), TableError> {
        if planted::is("conflict-unnoticed") {
            return Ok(());
        }
        let message = format!(
            "More of line {line} of receipt {id} came back than was sold; the last of it on lane \
             {}. Check who was given the money.",
            entry.lane.short()
        );
        self.exception(ExceptionKind::ReturnedTwice, Some(entry), message)
    }

    /// Counts the points that a receipt's customer earned and spent. Some of its goods may have come back
    /// before it did.
    fn points(
        &mut self,
        entry: &Entry,
        receipt: &Receipt,
        record: &ReceiptRecord,
    ) -> Result<(), TableError> {
        let counts = StoreView::new(self.tables).level()? >= FORMAT_POINTS;
        let Some(customer) = self.customer_on(receipt)?.filter(|_| counts) else {
            return Ok(());
        };
        match receipt.points_moved() {
            0 => {}
            moved => self.credit(entry, &points_key(&customer), moved)?,
        }
        self.points_back(receipt, &ReceiptRecord::default(), record)
    }

    /// Takes the points off that were earned with goods of a receipt that came back: `before` and `after`
    /// are what was known of it.
    pub(crate) fn points_back(
        &mut self,
        receipt: &Receipt,
        before: &ReceiptRecord,
        after: &ReceiptRecord,
    ) -> Result<(), TableError> {
        let counts = StoreView::new(self.tables).level()? >= FORMAT_POINTS;
        let known = receipt.points_back(&before.returned_milli);
        let back = receipt.points_back(&after.returned_milli) - known;
        let customer = self.customer_on(receipt)?;
        let Some(customer) = customer.filter(|_| counts && back != 0) else {
            return Ok(());
        };
        let key = points_key(&customer);
        let held: i64 = row(self.tables, Table::Credit, key.as_bytes())?.unwrap_or(0);
        self.put(Table::Credit, key.as_bytes(), &held.saturating_sub(back))
    }

    /// Adds to what a credit note or a gift card holds, or to a customer's points; below zero it is spent.
    fn credit(&mut self, entry: &Entry, key: &str, added: i64) -> Result<(), TableError> {
        let held: i64 = row(self.tables, Table::Credit, key.as_bytes())?.unwrap_or(0);
        let left = held.saturating_add(added);
        self.put(Table::Credit, key.as_bytes(), &left)?;
        if left >= 0 || added >= 0 {
            return Ok(());
        }
        let lane = entry.lane.short();
        let message = match (gift_card_of(key), customer_of_points(key)) {
            (_, Some(customer)) => {
                format!("Customer {customer} spent more points than they had, on lane {lane}.")
            }
            (Some(number), None) => format!(
                "Gift card {number} was spent beyond what it held, on lane {lane}. Check who used it."
            ),
            (None, None) => format!(
                "Credit note {key} was spent beyond what it held, on lane {lane}. Check who used it."
            ),
        };
        self.exception(ExceptionKind::CreditOverspent, Some(entry), message)
    }
}
