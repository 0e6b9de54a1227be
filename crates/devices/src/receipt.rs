//! The layout of a receipt.

use std::collections::BTreeMap;

use catalog::TaxId;
use money::{Rate, Unit};
use sale::{CardPaid, Line, Receipt, TaxTotal, Tender, Totals};

use crate::{Align, Block, Document, Emphasis};

/// Whether paper is the first for its sale.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PrintKind {
    #[default]
    Original,
    /// Marked as a reprint, so that it cannot pass for a second sale.
    Reprint,
}

/// What a receipt shows besides the sale.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReceiptStyle {
    /// Rows under the store's name.
    pub address: Vec<String>,
    /// Words at the end; empty for none.
    pub footer: String,
    pub kind: PrintKind,
}

/// The letter that joins a line to its row of the tax table.
type TaxLetters = BTreeMap<(TaxId, Rate, bool, bool), char>;

/// Lays a receipt out. The same receipt and style give the same document, always.
pub fn document(receipt: &Receipt, style: &ReceiptStyle) -> Document {
    let mut doc = Document::default();
    let letters = tax_letters(&receipt.totals);
    head(&mut doc, receipt, style);
    doc.push(Block::Rule);
    for line in &receipt.lines {
        sold(&mut doc, line, receipt, &letters);
    }
    doc.push(Block::Rule);
    sums(&mut doc, &receipt.totals);
    paid(&mut doc, receipt);
    doc.push(Block::Rule);
    taxes(&mut doc, &receipt.totals, &letters);
    tail(&mut doc, receipt, style);
    doc
}

fn head(doc: &mut Document, receipt: &Receipt, style: &ReceiptStyle) {
    doc.text(Align::Center, Emphasis::Tall, &receipt.store_name);
    for row in &style.address {
        doc.text(Align::Center, Emphasis::Plain, row);
    }
    doc.push(Block::Blank);
    if receipt.detail.training {
        training(doc);
        doc.push(Block::Blank);
    }
    if style.kind == PrintKind::Reprint {
        doc.text(Align::Center, Emphasis::Bold, "*** REPRINT ***");
        doc.push(Block::Blank);
    }
    let time = receipt.priced_at.to_string();
    doc.columns(Emphasis::Plain, &format!("Receipt {}", receipt.id), &time);
    doc.columns(
        Emphasis::Plain,
        &format!("Cashier {}", receipt.cashier_name),
        &receipt.lane_name,
    );
    if let Some(customer) = &receipt.customer {
        doc.columns(Emphasis::Plain, "Customer", &customer.to_string());
    }
    if let Some(reference) = &receipt.reference {
        doc.columns(Emphasis::Plain, "Reference", reference);
    }
    if let Some(certificate) = &receipt.detail.terms.standing.exemption {
        doc.columns(Emphasis::Plain, "Tax exemption", certificate);
    }
}

/// What no customer and no cashier takes for a receipt.
fn training(doc: &mut Document) {
    for words in ["*** TRAINING ***", "NOT A RECEIPT"] {
        doc.text(Align::Center, Emphasis::Tall, words);
    }
}

/// One line of the sale: what, how much of it, its price, and its deposit.
fn sold(doc: &mut Document, line: &Line, receipt: &Receipt, letters: &TaxLetters) {
    let total = receipt
        .totals
        .lines
        .iter()
        .find(|total| total.line == line.number);
    let Some(total) = total else {
        doc.text(Align::Left, Emphasis::Plain, &line.description);
        return;
    };
    let key = (
        line.tax.id.clone(),
        line.tax.rate,
        line.tax.included,
        total.tax_detail.exempt,
    );
    let letter = letters.get(&key).copied().unwrap_or(' ');
    doc.columns(
        Emphasis::Plain,
        &line.description,
        &format!("{} {letter}", total.extended),
    );
    match line.quantity.unit() {
        Unit::Each if line.quantity.pieces() == Some(1) => {}
        Unit::Each => {
            let detail = format!("  {} × {}", line.quantity, line.unit_price);
            doc.columns(Emphasis::Plain, &detail, "");
        }
        Unit::Kilogram => {
            let detail = format!("  {} × {} /kg", line.quantity, line.unit_price);
            doc.columns(Emphasis::Plain, &detail, "");
        }
    }
    if line.detail.tare_grams != 0 {
        let detail = format!("  less packing {} g", line.detail.tare_grams);
        doc.columns(Emphasis::Plain, &detail, "");
    }
    if let Some(serial) = &line.detail.marks.serial {
        doc.columns(Emphasis::Plain, &format!("  serial number {serial}"), "");
    }
    if let Some(number) = &line.detail.gift_card {
        let detail = format!("  loaded onto gift card {}", ending(number));
        doc.columns(Emphasis::Plain, &detail, "");
    }
    if let Some(changed) = &line.price_override {
        let detail = format!("  price set by {}: {}", changed.by, changed.reason);
        doc.columns(Emphasis::Plain, &detail, "");
    }
    if let Some(of) = &line.detail.returned {
        let detail = match &of.unreceipted {
            None => format!("  returned, receipt {} line {}", of.receipt, of.line),
            Some(_) => "  returned without a receipt".to_owned(),
        };
        doc.columns(Emphasis::Plain, &detail, "");
    }
    if let Some(changed) = &line.detail.tax_override {
        let detail = format!("  tax set by {}: {}", changed.by, changed.reason);
        doc.columns(Emphasis::Plain, &detail, "");
    }
    for note in &line.detail.notes {
        doc.columns(Emphasis::Plain, &format!("  {note}"), "");
    }
    for promotion in &total.promotions {
        let detail = format!("  {}", promotion.name);
        doc.columns(
            Emphasis::Plain,
            &detail,
            &format!("{}  ", -promotion.amount),
        );
    }
    if let Some(deposit) = line.deposit.filter(|_| !total.deposit.is_zero()) {
        let detail = format!("  deposit {} × {deposit}", line.quantity);
        doc.columns(Emphasis::Plain, &detail, &format!("{}  ", total.deposit));
    }
}

fn sums(doc: &mut Document, totals: &Totals) {
    let mut amount = |label: &str, text: String| {
        doc.columns(Emphasis::Plain, label, &format!("{text}  "));
    };
    amount("Items", totals.gross.to_string());
    // Where each line says what it got, the sum is enough.
    match totals.lines.iter().any(|line| !line.promotions.is_empty()) {
        true => amount("Discounts", (-totals.discount).to_string()),
        false => {
            for promotion in &totals.promotions {
                amount(&promotion.name, (-promotion.amount).to_string());
            }
        }
    }
    if !totals.deposits.is_zero() {
        amount("Deposits", totals.deposits.to_string());
    }
    if !totals.tax_added.is_zero() {
        amount("Tax", totals.tax_added.to_string());
    }
    let total = format!("{}  ", totals.total);
    let label = format!("TOTAL {}", totals.total.currency());
    doc.columns(Emphasis::Tall, &label, &total);
}

fn paid(doc: &mut Document, receipt: &Receipt) {
    for tender in &receipt.tenders {
        doc.columns(
            Emphasis::Plain,
            tender_label(tender),
            &format!("{}  ", tender.amount()),
        );
        if let Some(detail) = tender_detail(tender) {
            doc.columns(Emphasis::Plain, &format!("  {detail}"), "");
        }
        if let Tender::Card { card, .. } = tender {
            charged(doc, card);
        }
    }
    doc.columns(Emphasis::Bold, "Change", &format!("{}  ", receipt.change));
    if !receipt.totals.discount.is_zero() {
        let saved = format!("You saved {}", receipt.totals.discount);
        doc.push(Block::Blank);
        doc.text(Align::Center, Emphasis::Bold, &saved);
    }
    let points = receipt.totals.points_total();
    if points != 0 {
        doc.text(
            Align::Center,
            Emphasis::Plain,
            &format!("Points earned: {points}"),
        );
    }
    // Its own number makes each coupon good for one use. In training none is handed out.
    let coupons = receipt.totals.next_coupons.iter();
    for code in coupons.filter(|_| !receipt.detail.training) {
        doc.push(Block::Blank);
        doc.text(Align::Center, Emphasis::Bold, "A coupon for next time");
        doc.push(Block::Barcode(format!("{code}:{}", receipt.id)));
    }
}

/// What a card was charged besides the tender, and which approval it was.
fn charged(doc: &mut Document, card: &CardPaid) {
    let approval = &card.approval;
    if let Some(code) = &approval.approval_code {
        let offline = if approval.offline { ", offline" } else { "" };
        let detail = format!("  approval {code}{offline}");
        doc.columns(Emphasis::Plain, &detail, "");
    }
    if let Some(tip) = card.tip() {
        doc.columns(Emphasis::Plain, "Tip", &format!("{tip}  "));
        let amount = format!("{}  ", approval.amount);
        doc.columns(Emphasis::Plain, "Charged to the card", &amount);
    }
}

/// What a tender is called on paper.
pub(crate) fn tender_label(tender: &Tender) -> &'static str {
    match tender {
        Tender::Cash { .. } => "Cash",
        Tender::Rounding { .. } => "Rounding",
        Tender::ForeignCash { .. } => "Foreign cash",
        Tender::Voucher { .. } => "Voucher",
        Tender::Cheque { .. } => "Cheque",
        Tender::StoreCredit { .. } => "Store credit",
        Tender::GiftCard { .. } => "Gift card",
        Tender::Points { .. } => "Points",
        Tender::Account { .. } => "On account",
        Tender::Card { .. } => "Card",
    }
}

/// The end of a gift card's number: whoever finds the paper must not spend the card.
fn ending(number: &str) -> String {
    const SHOWN: usize = 4;
    let hidden = number.chars().count().saturating_sub(SHOWN);
    let shown: String = number.chars().skip(hidden).collect();
    format!("**** {shown}")
}

/// What else is to be said of a tender.
fn tender_detail(tender: &Tender) -> Option<String> {
    match tender {
        Tender::Cash { .. } | Tender::Rounding { .. } => None,
        Tender::ForeignCash { given, rate, .. } => {
            Some(format!("{given} {} at {rate}", given.currency()))
        }
        Tender::Voucher { number, face, .. } => Some(format!("{number} worth {face}")),
        Tender::Cheque { number, .. } => Some(number.clone()),
        Tender::StoreCredit { number, .. } => Some(format!("Credit note {number}")),
        Tender::GiftCard { number, left, .. } => Some(format!("{} holds {left}", ending(number))),
        Tender::Points { points, left, .. } => {
            let what = if *points < 0 { "given" } else { "spent" };
            Some(format!("{} {what}, {left} left", points.abs()))
        }
        Tender::Account { customer, .. } => Some(format!("Customer {customer}")),
        Tender::Card { card, .. } => {
            let brand = card.approval.brand.as_deref();
            let digits = card.approval.last_four.as_deref();
            let digits = digits.map(|digits| format!("**** {digits}"));
            let words: Vec<&str> = brand.into_iter().chain(digits.as_deref()).collect();
            Some(words.join(" ")).filter(|words| !words.is_empty())
        }
    }
}

fn tax_letters(totals: &Totals) -> TaxLetters {
    let taxes = totals.taxes.iter().zip('A'..='Z');
    taxes.map(|(tax, letter)| (tax_key(tax), letter)).collect()
}

fn tax_key(tax: &TaxTotal) -> (TaxId, Rate, bool, bool) {
    (tax.tax.clone(), tax.rate, tax.included, tax.exempt)
}

/// Each tax category with its rate, what it is taken of and what it comes to; under it what each
/// authority takes, where there are several.
fn taxes(doc: &mut Document, totals: &Totals, letters: &TaxLetters) {
    for tax in &totals.taxes {
        let letter = letters.get(&tax_key(tax)).copied().unwrap_or(' ');
        let kind = if tax.included { "incl. " } else { "" };
        let exempt = if tax.exempt { " exempt" } else { "" };
        let label = match tax.parts.first() {
            // Each authority has a rate of its own.
            Some(_) => format!("{letter} {kind}{}", tax.name),
            None => format!(
                "{letter} {kind}{} {}{exempt} of {}",
                tax.name, tax.rate, tax.taxable
            ),
        };
        doc.columns(Emphasis::Plain, &label, &format!("{}  ", tax.amount));
        for part in &tax.parts {
            let label = format!("    {} {} of {}", part.name, part.rate, part.taxable);
            doc.columns(Emphasis::Plain, &label, &format!("{}  ", part.amount));
        }
    }
}

fn tail(doc: &mut Document, receipt: &Receipt, style: &ReceiptStyle) {
    if !style.footer.trim().is_empty() {
        doc.push(Block::Blank);
        doc.text(Align::Center, Emphasis::Plain, &style.footer);
    }
    for note in &receipt.detail.notes {
        doc.push(Block::Blank);
        doc.text(Align::Left, Emphasis::Plain, note);
    }
    doc.push(Block::Blank);
    match receipt.detail.training {
        true => training(doc),
        false => doc.push(Block::Barcode(receipt.id.clone())),
    }
}
