//! What every total and every receipt adds up to.

use money::{Currency, Money};
use sale::{Receipt, Totals};

fn sum(amounts: impl Iterator<Item = Money>) -> Money {
    amounts.fold(Money::zero(Currency::USD), |sum, amount| sum + amount)
}

/// Totals are the sums of their lines, by every way of adding them up.
pub fn assert_adds_up(totals: &Totals) {
    let lines = &totals.lines;
    assert_eq!(totals.gross, sum(lines.iter().map(|l| l.extended)));
    assert_eq!(totals.discount, sum(lines.iter().map(|l| l.discount)));
    assert_eq!(
        totals.discount,
        sum(totals.promotions.iter().map(|p| p.amount))
    );
    for line in lines {
        assert_eq!(line.discount, sum(line.promotions.iter().map(|p| p.amount)));
    }
    for whole in &totals.promotions {
        let parts = lines.iter().flat_map(|line| &line.promotions);
        let parts = parts.filter(|part| part.promotion == whole.promotion);
        assert_eq!(whole.amount, sum(parts.map(|part| part.amount)));
    }
    assert_eq!(totals.deposits, sum(lines.iter().map(|l| l.deposit)));
    let tax = sum(lines.iter().map(|l| l.tax));
    assert_eq!(totals.tax_added + totals.tax_included, tax);
    assert_eq!(tax, sum(totals.taxes.iter().map(|t| t.amount)));
    let net = sum(lines.iter().map(|l| l.net()));
    let taxable = sum(lines.iter().map(|l| l.taxable()));
    assert_eq!(taxable, sum(totals.taxes.iter().map(|t| t.taxable)));
    for line in lines.iter().filter(|l| !l.tax_detail.parts.is_empty()) {
        assert_eq!(
            line.tax,
            sum(line.tax_detail.parts.iter().map(|p| p.amount))
        );
    }
    for tax in totals.taxes.iter().filter(|t| !t.parts.is_empty()) {
        assert_eq!(tax.amount, sum(tax.parts.iter().map(|p| p.amount)));
    }
    assert_eq!(totals.total, net + totals.deposits + totals.tax_added);
    // Lines that take goods back are all below zero, the others are not.
    assert!(lines.iter().all(|l| match l.extended.is_negative() {
        true => l.net().minor() <= 0,
        false => !l.net().is_negative(),
    }));
}

/// A receipt's tenders less its change are its total, and its lines are those that were priced.
pub fn assert_balances(receipt: &Receipt) {
    assert_adds_up(&receipt.totals);
    let tendered = sum(receipt.tenders.iter().map(|t| t.amount()));
    assert_eq!(tendered - receipt.change, receipt.totals.total);
    assert!(!receipt.change.is_negative());
    assert!(receipt.lines.iter().all(|line| !line.voided));
    let lines = receipt.lines.iter().map(|line| line.number);
    assert!(lines.eq(receipt.totals.lines.iter().map(|total| total.line)));
}
