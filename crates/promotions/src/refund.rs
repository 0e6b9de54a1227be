//! What a return refunds.
//!
//! Three policies. Prorated and keep-the-benefit read the price of each unit from the sale's own
//! pricing: whatever is returned, in whatever order and in however many returns, the refunds of a
//! line sum to what was paid for it. Re-pricing computes what the kept units would have cost alone,
//! at the moment of the sale, and refunds the difference.

use std::collections::BTreeMap;

use money::{Money, Quantity, Rounding};

use crate::{Basket, CompiledBook, Customer, Instant, Pricing, evaluate};

/// Which units of a line a return takes first, where they cost differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReturnPolicy {
    /// Those that bore a discount first: who returns part of a set gives its discount back.
    Prorated,
    /// Those that bore none first: the customer keeps the benefit as long as a unit that has it is
    /// kept. Meant for promotions that are spread over the rewarded units alone.
    KeepBenefit,
}

impl Pricing {
    /// What a return of `count` units of a line refunds, before added tax and deposit, after
    /// `returned` units of it were returned before. `None` where the line has not so many units
    /// left. Of what is weighed, the whole line is one unit.
    pub fn refund(
        &self,
        line: u32,
        returned: u32,
        count: u32,
        policy: ReturnPolicy,
    ) -> Option<Money> {
        let mut units: Vec<(Money, u32)> = self
            .units
            .iter()
            .filter(|units| units.line == line)
            .map(|units| (units.paid, units.count))
            .collect();
        units.sort_by_key(|(paid, _)| match policy {
            ReturnPolicy::Prorated => paid.minor(),
            ReturnPolicy::KeepBenefit => -paid.minor(),
        });
        let first = |most: u32| {
            let mut left = most;
            let mut sum = Money::zero(self.currency);
            for (paid, count) in &units {
                let taken = left.min(*count);
                sum += paid.times(i64::from(taken));
                left -= taken;
            }
            (left == 0).then_some(sum)
        };
        Some(first(returned.checked_add(count)?)? - first(returned)?)
    }

    /// What all units cost after all discounts, before added tax and deposit.
    pub fn paid(&self) -> Money {
        let paid = self.units.iter();
        let paid = paid.map(|units| units.paid.times(i64::from(units.count)));
        paid.fold(Money::zero(self.currency), |sum, paid| sum + paid)
    }
}

/// What a return refunds where what is kept is priced anew: what was paid, less what the kept units
/// would have cost at the moment of the sale, less what was refunded before; never less than
/// nothing. Once everything is returned, the refunds sum to what was paid.
///
/// `kept` holds pieces by line number; a line that is not named is kept whole, and of what is
/// weighed any number over 0 keeps it whole.
pub fn reprice(
    book: &CompiledBook,
    sold: (&Basket, &Customer, Instant),
    kept: &BTreeMap<u32, u32>,
    refunded: Money,
) -> Money {
    let (basket, customer, at) = sold;
    let paid = evaluate(book, basket, customer, at).paid();
    let mut left = basket.clone();
    left.lines.retain_mut(
        |line| match (kept.get(&line.line), line.quantity.pieces()) {
            (None, _) => true,
            (Some(0), _) => false,
            (Some(_), None) => true,
            (Some(pieces), Some(sold)) => {
                line.quantity = Quantity::each(i64::from(*pieces).min(sold));
                line.extended = line
                    .unit_price
                    .for_quantity(line.quantity, Rounding::HalfUp);
                true
            }
        },
    );
    let due = paid - evaluate(book, &left, customer, at).paid() - refunded;
    match due.is_negative() {
        true => Money::zero(basket.currency),
        false => due,
    }
}
