//! What a receipt must say, worked out here once more from the prices on its lines, in whole
//! numbers and by this file's own arithmetic, so that a slip in the code that is checked does not
//! repeat itself in its check.

use std::collections::BTreeMap;

use ledger::DayTotal;
use money::Money;
use sale::{Line, LineTotal, Receipt, ReturnOf};

use super::Check;
use crate::goods;
use crate::timeline::Timeline;

/// Millionths in a whole.
const WHOLE: i128 = 1_000_000;

/// `numerator / denominator`, halves away from zero; both are positive here.
fn half_up(numerator: i128, denominator: i128) -> i128 {
    (2 * numerator + denominator) / (2 * denominator)
}

/// What a line costs before promotions, in minor units.
fn extended(line: &Line) -> i128 {
    half_up(
        i128::from(line.unit_price.minor()) * i128::from(line.quantity.milli()),
        1000,
    )
}

fn deposit(line: &Line) -> i128 {
    let pieces = i128::from(line.quantity.milli()) / 1000;
    i128::from(goods::deposit_minor(&line.item.0)) * pieces
}

/// The tax on what is left of a line after promotions.
fn tax(line: &Line, net: i128) -> i128 {
    let (rate, included) = goods::tax_millionths(&line.item.0);
    let rate = i128::from(rate);
    match included {
        true => half_up(net * rate, WHOLE + rate),
        false => half_up(net * rate, WHOLE),
    }
}

/// Receipts by number, for what goods that come back had cost.
pub type Sold<'a> = BTreeMap<&'a str, &'a Receipt>;

fn minor(money: Money) -> i128 {
    i128::from(money.minor())
}

/// What one line costs, in minor units.
#[derive(Clone, Copy, Debug, Default)]
struct Cost {
    extended: i128,
    discount: i128,
    deposit: i128,
    tax: i128,
}

impl Cost {
    fn of_sale(line: &Line, total: &LineTotal) -> Cost {
        let (extended, discount) = (extended(line), minor(total.discount));
        Cost {
            extended,
            discount,
            deposit: deposit(line),
            tax: tax(line, extended - discount),
        }
    }

    /// What is given back: of each amount of the line that was sold its share for the units that come
    /// back, each sum over the first units rounded down.
    fn of_return(line: &Line, of: &ReturnOf, sold: &Sold<'_>) -> Option<Cost> {
        let receipt = sold.get(of.receipt.as_str())?;
        let mut lines = receipt.lines.iter().zip(&receipt.totals.lines);
        let (source, total) = lines.find(|(source, _)| source.number == of.line)?;
        let whole = i128::from(source.quantity.milli());
        let before = i128::from(of.before_milli);
        let after = before + i128::from(line.quantity.milli());
        let is_it = source.item == line.item && source.unit_price == line.unit_price;
        if !is_it || source.detail.returned.is_some() || after > whole {
            return None;
        }
        let part = |amount: i128| amount * before / whole - amount * after / whole;
        let paid = Cost::of_sale(source, total);
        // Each promotion is shared out by itself.
        let discounts = total.promotions.iter().map(|p| part(minor(p.amount)));
        Some(Cost {
            extended: part(paid.extended),
            discount: discounts.sum(),
            deposit: part(paid.deposit),
            tax: part(paid.tax),
        })
    }
}

/// Sums over the lines of a receipt, in minor units.
#[derive(Debug, Default, PartialEq, Eq)]
struct Sums {
    gross: i128,
    discount: i128,
    deposits: i128,
    tax_added: i128,
    tax_included: i128,
}

impl Sums {
    /// `None` where something comes back that was not sold.
    fn of(receipt: &Receipt, sold: &Sold<'_>) -> Option<Sums> {
        let mut sums = Sums::default();
        for (line, total) in receipt.lines.iter().zip(&receipt.totals.lines) {
            let cost = match &line.detail.returned {
                None => Cost::of_sale(line, total),
                Some(of) => Cost::of_return(line, of, sold)?,
            };
            sums.gross += cost.extended;
            sums.discount += cost.discount;
            sums.deposits += cost.deposit;
            match goods::tax_millionths(&line.item.0).1 {
                true => sums.tax_included += cost.tax,
                false => sums.tax_added += cost.tax,
            }
        }
        Some(sums)
    }

    fn total(&self) -> i128 {
        self.gross - self.discount + self.deposits + self.tax_added
    }
}

/// Checks a receipt by itself, and what it takes back against the sale of that.
pub fn check(timeline: &Timeline, receipt: &Receipt, sold: &Sold<'_>) {
    let wrong = |check: Check, what: String| {
        let what = format!("receipt {}: {what}", receipt.id);
        timeline.violation(check, &receipt.lane_name, what);
    };
    let arithmetic = |what: String| wrong(Check::ReceiptArithmetic, what);
    let totals = &receipt.totals;
    if receipt.lines.len() != totals.lines.len() {
        return arithmetic("it has not one total for each line".to_owned());
    }
    let Some(sums) = Sums::of(receipt, sold) else {
        return arithmetic("it takes back what was not sold, or more of it".to_owned());
    };
    let found = Sums {
        gross: minor(totals.gross),
        discount: minor(totals.discount),
        deposits: minor(totals.deposits),
        tax_added: minor(totals.tax_added),
        tax_included: minor(totals.tax_included),
    };
    if found != sums {
        arithmetic(format!(
            "its sums are {found:?}, and its lines give {sums:?}"
        ));
    }
    if minor(totals.total) != sums.total() {
        arithmetic(format!(
            "it costs {}, and its lines {}",
            totals.total,
            sums.total()
        ));
    }
    let promotions: i128 = totals.promotions.iter().map(|p| minor(p.amount)).sum();
    if promotions != sums.discount {
        arithmetic(format!(
            "promotions take off {promotions}, its lines {}",
            sums.discount
        ));
    }
    let taxed: i128 = totals.taxes.iter().map(|tax| minor(tax.amount)).sum();
    if taxed != sums.tax_added + sums.tax_included {
        arithmetic(format!(
            "its taxes add up to {taxed}, those of its lines differ"
        ));
    }
    let tendered: i128 = receipt.tenders.iter().map(|t| minor(t.amount())).sum();
    if tendered - minor(receipt.change) != sums.total() || receipt.change.is_negative() {
        let change = receipt.change;
        wrong(
            Check::Tenders,
            format!(
                "{tendered} was tendered and {change} given back for {}",
                sums.total()
            ),
        );
    }
}

/// Counts a receipt into a day's total.
pub fn count(total: &mut DayTotal, receipt: &Receipt, sold: &Sold<'_>) {
    let sums = Sums::of(receipt, sold).unwrap_or_default();
    let whole = |sum: i128| i64::try_from(sum).unwrap_or(i64::MAX);
    total.receipts += 1;
    total.lines += receipt.lines.len() as u64;
    total.gross += whole(sums.gross);
    total.discount += whole(sums.discount);
    total.deposits += whole(sums.deposits);
    total.tax_added += whole(sums.tax_added);
    total.tax_included += whole(sums.tax_included);
    total.total += whole(sums.total());
    // Every tender of a simulated cashier is cash.
    *total.tenders.entry("cash".to_owned()).or_default() += whole(sums.total());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_go_away_from_zero() {
        let check = |numerator, denominator, expected| {
            assert_eq!(
                half_up(numerator, denominator),
                expected,
                "{numerator}/{denominator}"
            );
        };
        check(5, 10, 1);
        check(4, 10, 0);
        check(15, 10, 2);
        check(14, 10, 1);
        check(0, 7, 0);
        check(7, 7, 1);
    }
}
