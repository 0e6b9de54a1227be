//! X and Z reports on paper.

use catalog::Language;
use money::{Currency, Money};
use sale::{LocalTime, Sum, Sums, Tally};

use crate::words::{Phrase, Words};
use crate::{Align, Block, Document, Emphasis};

/// Which report it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReportKind {
    X,
    /// Of a training, which counts nowhere.
    TrainingX,
    /// With its number.
    Z(u64),
}

/// What stands over the sums of a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportHead {
    pub store_name: String,
    pub kind: ReportKind,
    pub lane_name: String,
    pub at: LocalTime,
    /// Marks paper that is not the first for its report.
    pub reprint: bool,
    pub language: Language,
}

/// Lays a report out.
pub fn report(head: &ReportHead, tally: &Tally, currency: Currency) -> Document {
    let words = Words(head.language);
    let mut doc = Document::new(head.language);
    let title = match head.kind {
        ReportKind::X => words.say(Phrase::ReportX).to_owned(),
        ReportKind::TrainingX => {
            format!(
                "{} {}",
                words.say(Phrase::Training),
                words.say(Phrase::ReportX)
            )
        }
        ReportKind::Z(number) => words.fill(Phrase::ReportZ, &[&number.to_string()]),
    };
    doc.text(Align::Center, Emphasis::Tall, &head.store_name);
    doc.text(Align::Center, Emphasis::Bold, &title);
    if head.reprint {
        doc.text(Align::Center, Emphasis::Bold, words.say(Phrase::Reprint));
    }
    doc.text(Align::Center, Emphasis::Plain, &head.lane_name);
    doc.text(Align::Center, Emphasis::Plain, &words.time(head.at));
    let paper = &mut Paper {
        doc: &mut doc,
        words,
        currency,
    };
    paper.section(Phrase::Sales);
    paper.sum(Phrase::Receipts, &tally.receipts);
    paper.sum(Phrase::Items, &tally.gross);
    paper.sum(Phrase::Discounts, &tally.discount);
    paper.sum(Phrase::Deposits, &tally.deposits);
    paper.amount(Phrase::TaxAdded, tally.tax_added);
    paper.amount(Phrase::TaxIncluded, tally.tax_included);
    let kind = |kind: &str| words.kind_of_tender(kind);
    paper.sums(Phrase::Tenders, &tally.tenders, &kind);
    if tally.tips.count != 0 {
        paper.sum(Phrase::TipsBesides, &tally.tips);
    }
    paper.section(Phrase::Drawer);
    paper.sum(Phrase::Floats, &tally.floats);
    paper.sum(Phrase::PaidIn, &tally.paid_in);
    paper.sum(Phrase::PaidOut, &tally.paid_out);
    paper.sum(Phrase::Drops, &tally.drops);
    paper.sum(Phrase::OverShort, &tally.over_short);
    if tally.set_aside != 0 {
        paper.amount(Phrase::SetAside, tally.set_aside);
    }
    paper.row(&words.kind_of_tender("cash"), tally.cash());
    for (title, sums) in [
        (Phrase::Departments, &tally.departments),
        (Phrase::Taxes, &tally.taxes),
        (Phrase::Taxed, &tally.taxable),
        (Phrase::TaxesByAuthority, &tally.tax_parts),
        (Phrase::TaxedByAuthority, &tally.taxable_parts),
        (Phrase::Promotions, &tally.promotions),
        (Phrase::Hours, &tally.hours),
        (Phrase::Cashiers, &tally.cashiers),
    ] {
        paper.sums(title, sums, &str::to_owned);
    }
    paper.section(Phrase::Counts);
    for (label, count) in [
        (Phrase::SalesVoided, tally.voided_sales),
        (Phrase::LinesVoided, tally.voided_lines),
        (Phrase::PriceOverrides, tally.price_overrides),
        (Phrase::TaxOverrides, tally.tax_overrides),
        (Phrase::SalesSuspended, tally.suspended),
        (Phrase::SalesResumed, tally.resumed),
        (Phrase::Approvals, tally.approvals),
        (Phrase::NoSales, tally.no_sales),
    ] {
        let label = words.say(label);
        paper
            .doc
            .columns(Emphasis::Plain, label, &count.to_string());
    }
    doc
}

struct Paper<'a> {
    doc: &'a mut Document,
    words: Words,
    currency: Currency,
}

impl Paper<'_> {
    fn section(&mut self, title: Phrase) {
        self.doc.push(Block::Rule);
        let title = self.words.say(title);
        self.doc.text(Align::Left, Emphasis::Bold, title);
    }

    fn row(&mut self, label: &str, minor: i64) {
        let amount = self.words.money(Money::from_minor(minor, self.currency));
        self.doc.columns(Emphasis::Plain, label, &amount);
    }

    fn amount(&mut self, label: Phrase, minor: i64) {
        self.row(self.words.say(label), minor);
    }

    fn sum(&mut self, label: Phrase, sum: &Sum) {
        self.counted(self.words.say(label), sum);
    }

    fn counted(&mut self, label: &str, sum: &Sum) {
        self.row(&format!("{label} ({})", sum.count), sum.amount);
    }

    fn sums(&mut self, title: Phrase, sums: &Sums, named: &dyn Fn(&str) -> String) {
        if sums.is_empty() {
            return;
        }
        self.section(title);
        for (name, sum) in sums {
            self.counted(&named(name), sum);
        }
    }
}
