//! What X and Z reports say: sums over facts, the same however the facts are divided.
//!
//! A tally is a fold of events. Tallies of parts add up to the tally of the whole, so the reports of
//! cashiers, lanes and hours are sums of the same numbers. All amounts are in minor units of the
//! store's currency. Sums stop at the bounds of an amount instead of wrapping: only forged facts
//! get there, and they must not stop a lane.

use std::collections::BTreeMap;

use money::Money;
use serde::{Deserialize, Serialize};

use crate::terms::is_plain;
use crate::{CashMovement, Event, PartTotal, Receipt, Tender};

/// How often, and how much.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sum {
    pub count: u64,
    pub amount: i64,
}

impl Sum {
    fn add(&mut self, amount: i64) {
        self.count = self.count.saturating_add(1);
        self.amount = self.amount.saturating_add(amount);
    }

    fn merge(&mut self, other: &Sum) {
        self.count = self.count.saturating_add(other.count);
        self.amount = self.amount.saturating_add(other.amount);
    }
}

/// Sums by name, in the order of their names.
pub type Sums = BTreeMap<String, Sum>;

/// The sums of a lane, a cashier or a store over a time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Tally {
    /// Receipts and their totals.
    pub receipts: Sum,
    /// Lines before discounts.
    pub gross: Sum,
    /// What promotions took off, positive.
    pub discount: Sum,
    pub deposits: Sum,
    pub tax_added: i64,
    pub tax_included: i64,
    /// What stayed of each kind of tender: tendered less change.
    pub tenders: Sums,
    /// What lines cost after discounts, by department.
    pub departments: Sums,
    /// Tax by its name and rate.
    pub taxes: Sums,
    /// What taxes were taken of, by the same names.
    pub taxable: Sums,
    /// Tax by the authority that takes it and its rate, where there are several.
    #[serde(skip_serializing_if = "Sums::is_empty")]
    pub tax_parts: Sums,
    /// What authorities took it of, by the same names.
    #[serde(skip_serializing_if = "Sums::is_empty")]
    pub taxable_parts: Sums,
    pub promotions: Sums,
    /// Receipts by the hour in which they were priced, `00` to `23`.
    pub hours: Sums,
    /// Receipts by employee number.
    pub cashiers: Sums,
    pub voided_sales: u64,
    pub voided_lines: u64,
    pub price_overrides: u64,
    pub tax_overrides: u64,
    pub suspended: u64,
    pub resumed: u64,
    pub approvals: u64,
    pub no_sales: u64,
    pub floats: Sum,
    pub drops: Sum,
    pub paid_in: Sum,
    pub paid_out: Sum,
    /// Cash that was paid on sales put aside here, less what had been paid on sales taken up here: a
    /// receipt counts all of its cash where it is printed, and some may lie in another drawer.
    #[serde(skip_serializing_if = "is_zero")]
    pub set_aside: i64,
    /// What counts found over (positive) or short (negative).
    pub over_short: Sum,
    /// What cards were charged besides what the sales cost.
    #[serde(skip_serializing_if = "is_plain")]
    pub tips: Sum,
}

impl Tally {
    /// Whether an event changes a tally at all.
    pub fn counts(event: &Event) -> bool {
        matches!(
            event,
            Event::Completed { .. }
                | Event::CartVoided { .. }
                | Event::LineVoided { .. }
                | Event::PriceOverridden { .. }
                | Event::TaxOverridden { .. }
                | Event::Suspended { .. }
                | Event::Resumed { .. }
                | Event::Approved { .. }
                | Event::NoSale { .. }
                | Event::DrawerOpened { .. }
                | Event::CashMoved { .. }
                | Event::DrawerCounted { .. }
        )
    }

    /// Adds what an event says. Events that no report is about change nothing.
    pub fn add(&mut self, event: &Event) {
        match event {
            Event::Completed { receipt, .. } => self.add_receipt(receipt),
            Event::CartVoided { .. } => self.voided_sales += 1,
            Event::LineVoided { .. } => self.voided_lines += 1,
            Event::PriceOverridden { .. } => self.price_overrides += 1,
            Event::TaxOverridden { .. } => self.tax_overrides += 1,
            Event::Suspended { .. } => {
                self.suspended += 1;
                self.set_aside = self.set_aside.saturating_add(cash_effect(event));
            }
            Event::Resumed { .. } => {
                self.resumed += 1;
                self.set_aside = self.set_aside.saturating_add(cash_effect(event));
            }
            Event::Approved { .. } => self.approvals += 1,
            Event::NoSale { .. } => self.no_sales += 1,
            Event::DrawerOpened { float, .. } => self.floats.add(float.minor()),
            Event::CashMoved {
                movement, amount, ..
            } => match movement {
                CashMovement::Drop => self.drops.add(amount.minor()),
                CashMovement::PayIn => self.paid_in.add(amount.minor()),
                CashMovement::PayOut if planted::is("pay-out-counted-as-pay-in") => {
                    self.paid_in.add(amount.minor());
                }
                CashMovement::PayOut => self.paid_out.add(amount.minor()),
            },
            Event::DrawerCounted {
                counted, expected, ..
            } => {
                let over = counted.minor().saturating_sub(expected.minor());
                self.over_short.add(over);
            }
            _ => {}
        }
    }

    fn add_receipt(&mut self, receipt: &Receipt) {
        let totals = &receipt.totals;
        let total = totals.total.minor();
        self.receipts.add(total);
        self.hours
            .entry(receipt.priced_at.hour())
            .or_default()
            .add(total);
        let cashier = receipt.cashier.to_string();
        self.cashiers.entry(cashier).or_default().add(total);
        self.gross.add(totals.gross.minor());
        self.discount.add(totals.discount.minor());
        self.deposits.add(totals.deposits.minor());
        self.tax_added = self.tax_added.saturating_add(totals.tax_added.minor());
        self.tax_included = self
            .tax_included
            .saturating_add(totals.tax_included.minor());
        for (kind, amount) in tendered(receipt) {
            self.tenders.entry(kind.to_owned()).or_default().add(amount);
        }
        for tender in &receipt.tenders {
            if let Tender::Card { card, .. } = tender
                && let Some(tip) = card.tip()
            {
                self.tips.add(tip.minor());
            }
        }
        for line in &receipt.lines {
            let cost = totals.lines.iter().find(|total| total.line == line.number);
            let net = cost.map_or(0, |cost| cost.net().minor());
            let department = line.department.to_string();
            self.departments.entry(department).or_default().add(net);
        }
        for tax in &totals.taxes {
            let exempt = if tax.exempt { " exempt" } else { "" };
            let name = format!("{} {}{exempt}", tax.name, tax.rate);
            for part in &tax.parts {
                self.add_part(part);
            }
            self.taxable
                .entry(name.clone())
                .or_default()
                .add(tax.taxable.minor());
            self.taxes.entry(name).or_default().add(tax.amount.minor());
        }
        for promotion in &totals.promotions {
            let sum = self.promotions.entry(promotion.promotion.clone());
            sum.or_default().add(promotion.amount.minor());
        }
    }

    fn add_part(&mut self, part: &PartTotal) {
        let name = format!("{} {}", part.name, part.rate);
        let taxable = self.taxable_parts.entry(name.clone()).or_default();
        taxable.add(part.taxable.minor());
        let tax = self.tax_parts.entry(name).or_default();
        tax.add(part.amount.minor());
    }

    /// Adds another tally.
    pub fn merge(&mut self, other: &Tally) {
        let pairs = [
            (&mut self.receipts, &other.receipts),
            (&mut self.gross, &other.gross),
            (&mut self.discount, &other.discount),
            (&mut self.deposits, &other.deposits),
            (&mut self.floats, &other.floats),
            (&mut self.drops, &other.drops),
            (&mut self.paid_in, &other.paid_in),
            (&mut self.paid_out, &other.paid_out),
            (&mut self.over_short, &other.over_short),
            (&mut self.tips, &other.tips),
        ];
        for (sum, more) in pairs {
            sum.merge(more);
        }
        let named = [
            (&mut self.tenders, &other.tenders),
            (&mut self.departments, &other.departments),
            (&mut self.taxes, &other.taxes),
            (&mut self.taxable, &other.taxable),
            (&mut self.tax_parts, &other.tax_parts),
            (&mut self.taxable_parts, &other.taxable_parts),
            (&mut self.promotions, &other.promotions),
            (&mut self.hours, &other.hours),
            (&mut self.cashiers, &other.cashiers),
        ];
        for (sums, more) in named {
            for (name, sum) in more {
                sums.entry(name.clone()).or_default().merge(sum);
            }
        }
        let counts = [
            (&mut self.voided_sales, other.voided_sales),
            (&mut self.voided_lines, other.voided_lines),
            (&mut self.price_overrides, other.price_overrides),
            (&mut self.tax_overrides, other.tax_overrides),
            (&mut self.suspended, other.suspended),
            (&mut self.resumed, other.resumed),
            (&mut self.approvals, other.approvals),
            (&mut self.no_sales, other.no_sales),
        ];
        for (count, more) in counts {
            *count = count.saturating_add(more);
        }
        self.tax_added = self.tax_added.saturating_add(other.tax_added);
        self.tax_included = self.tax_included.saturating_add(other.tax_included);
        self.set_aside = self.set_aside.saturating_add(other.set_aside);
    }

    /// What a drawer should hold after these facts: floats, cash taken and paid in, and what was paid
    /// on sales put aside, less what was dropped and paid out.
    pub fn cash(&self) -> i64 {
        let taken = self.tenders.get("cash").map_or(0, |sum| sum.amount);
        [
            self.floats.amount,
            taken,
            self.paid_in.amount,
            self.set_aside,
        ]
        .into_iter()
        .chain([self.drops.amount, self.paid_out.amount].map(|out| -out))
        .fold(0, i64::saturating_add)
    }
}

/// What an event adds to the cash of an open drawer, in minor units.
pub(crate) fn cash_effect(event: &Event) -> i64 {
    match event {
        Event::Completed { receipt, .. } => tendered(receipt)
            .into_iter()
            .filter(|(kind, _)| *kind == "cash")
            .fold(0, |sum, (_, amount)| sum.saturating_add(amount)),
        Event::CashMoved {
            movement, amount, ..
        } => match movement {
            CashMovement::PayIn => amount.minor(),
            CashMovement::Drop | CashMovement::PayOut => -amount.minor(),
        },
        // What was paid so far stays in this drawer, whichever lane prints the receipt.
        Event::Suspended { .. } if planted::is("cash-put-aside-forgotten") => 0,
        Event::Suspended { open, .. } => cash_of(&open.tenders),
        Event::Resumed { open, .. } => -cash_of(&open.tenders),
        _ => 0,
    }
}

fn cash_of(tenders: &[Tender]) -> i64 {
    let cash = tenders.iter().filter(|tender| tender.kind() == "cash");
    cash.fold(0, |sum, tender| sum.saturating_add(tender.amount().minor()))
}

fn is_zero(amount: &i64) -> bool {
    *amount == 0
}

/// What stayed of each tender of a receipt. Change is always given in cash.
fn tendered(receipt: &Receipt) -> Vec<(&'static str, i64)> {
    let mut kept: Vec<(&'static str, i64)> = receipt
        .tenders
        .iter()
        .map(|tender| (tender.kind(), tender.amount().minor()))
        .collect();
    let change: Money = receipt.change;
    if change.is_zero() {
        return kept;
    }
    match kept.iter_mut().rev().find(|(kind, _)| *kind == "cash") {
        Some((_, amount)) => *amount = amount.saturating_sub(change.minor()),
        None => kept.push(("cash", -change.minor())),
    }
    kept
}
