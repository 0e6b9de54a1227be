//! X and Z reports on paper.

use money::{Currency, Money};
use sale::{Sum, Sums, Tally};

use crate::{Align, Block, Document, Emphasis};

/// What stands over the sums of a report.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReportHead {
    pub store_name: String,
    /// `X report`, or `Z report 12`.
    pub title: String,
    /// Lane, business day, time: one row each.
    pub rows: Vec<String>,
    /// Marks paper that is not the first for its report.
    pub reprint: bool,
}

/// Lays a report out.
pub fn report(head: &ReportHead, tally: &Tally, currency: Currency) -> Document {
    let mut doc = Document::default();
    doc.text(Align::Center, Emphasis::Tall, &head.store_name);
    doc.text(Align::Center, Emphasis::Bold, &head.title);
    if head.reprint {
        doc.text(Align::Center, Emphasis::Bold, "*** REPRINT ***");
    }
    for row in &head.rows {
        doc.text(Align::Center, Emphasis::Plain, row);
    }
    let paper = &mut Paper {
        doc: &mut doc,
        currency,
    };
    paper.section("SALES");
    paper.sum("Receipts", &tally.receipts);
    paper.sum("Items", &tally.gross);
    paper.sum("Discounts", &tally.discount);
    paper.sum("Deposits", &tally.deposits);
    paper.amount("Tax added", tally.tax_added);
    paper.amount("Tax included", tally.tax_included);
    paper.sums("TENDERS", &tally.tenders);
    if tally.tips.count != 0 {
        paper.sum("Tips, besides the tenders", &tally.tips);
    }
    paper.section("DRAWER");
    paper.sum("Floats", &tally.floats);
    paper.sum("Paid in", &tally.paid_in);
    paper.sum("Paid out", &tally.paid_out);
    paper.sum("Drops", &tally.drops);
    paper.sum("Over and short", &tally.over_short);
    if tally.set_aside != 0 {
        paper.amount("Paid on sales put aside", tally.set_aside);
    }
    paper.amount("Cash", tally.cash());
    paper.sums("DEPARTMENTS", &tally.departments);
    paper.sums("TAXES", &tally.taxes);
    paper.sums("TAXED", &tally.taxable);
    paper.sums("TAXES BY AUTHORITY", &tally.tax_parts);
    paper.sums("TAXED BY AUTHORITY", &tally.taxable_parts);
    paper.sums("PROMOTIONS", &tally.promotions);
    paper.sums("HOURS", &tally.hours);
    paper.sums("CASHIERS", &tally.cashiers);
    paper.section("COUNTS");
    for (label, count) in [
        ("Sales voided", tally.voided_sales),
        ("Lines voided", tally.voided_lines),
        ("Price overrides", tally.price_overrides),
        ("Tax overrides", tally.tax_overrides),
        ("Sales suspended", tally.suspended),
        ("Sales resumed", tally.resumed),
        ("Approvals", tally.approvals),
        ("Drawer opened without a sale", tally.no_sales),
    ] {
        paper
            .doc
            .columns(Emphasis::Plain, label, &count.to_string());
    }
    doc
}

struct Paper<'a> {
    doc: &'a mut Document,
    currency: Currency,
}

impl Paper<'_> {
    fn section(&mut self, title: &str) {
        self.doc.push(Block::Rule);
        self.doc.text(Align::Left, Emphasis::Bold, title);
    }

    fn amount(&mut self, label: &str, minor: i64) {
        let amount = Money::from_minor(minor, self.currency).to_string();
        self.doc.columns(Emphasis::Plain, label, &amount);
    }

    fn sum(&mut self, label: &str, sum: &Sum) {
        self.amount(&format!("{label} ({})", sum.count), sum.amount);
    }

    fn sums(&mut self, title: &str, sums: &Sums) {
        if sums.is_empty() {
            return;
        }
        self.section(title);
        for (name, sum) in sums {
            self.sum(name, sum);
        }
    }
}
