//! The slip of a suspended sale: what it holds, and the barcode that takes it up again.

use money::Money;
use sale::{Cart, LocalTime, Tender};

use crate::{Align, Block, Document, Emphasis};

/// Lays the slip of a suspended sale out. `at` is when it was put aside.
pub fn slip(number: &str, open: &Cart, store_name: &str, at: Option<LocalTime>) -> Document {
    let mut doc = Document::default();
    doc.text(Align::Center, Emphasis::Tall, store_name);
    doc.push(Block::Blank);
    doc.text(
        Align::Center,
        Emphasis::Bold,
        "SUSPENDED SALE - NOT A RECEIPT",
    );
    doc.push(Block::Blank);
    let time = at.map_or(String::new(), |at| at.to_string());
    doc.columns(Emphasis::Plain, &format!("Slip {number}"), &time);
    if let Some((id, name, _)) = &open.customer {
        doc.columns(
            Emphasis::Plain,
            &format!("Customer {name}"),
            &id.to_string(),
        );
    }
    doc.push(Block::Rule);
    for line in open.live_lines() {
        doc.columns(
            Emphasis::Plain,
            &line.description,
            &line.quantity.to_string(),
        );
    }
    doc.push(Block::Rule);
    for note in &open.notes {
        doc.text(Align::Left, Emphasis::Plain, note);
    }
    if let Some(paid) = open.paid().filter(|paid: &Money| !paid.is_zero()) {
        for tender in &open.tenders {
            doc.columns(Emphasis::Plain, label(tender), &tender.amount().to_string());
        }
        doc.columns(Emphasis::Bold, "Paid so far", &paid.to_string());
    }
    doc.push(Block::Blank);
    doc.push(Block::Barcode(number.to_owned()));
    doc
}

fn label(tender: &Tender) -> &'static str {
    crate::receipt::tender_label(tender)
}
