//! The slip of a suspended sale: what it holds, and the barcode that takes it up again.

use catalog::Language;
use money::Money;
use sale::{Cart, LocalTime};

use crate::words::{Phrase, Words};
use crate::{Align, Block, Document, Emphasis};

/// Lays the slip of a suspended sale out. `at` is when it was put aside.
pub fn slip(
    number: &str,
    open: &Cart,
    store_name: &str,
    at: LocalTime,
    language: Language,
) -> Document {
    let words = Words(language);
    let mut doc = Document::new(language);
    doc.text(Align::Center, Emphasis::Tall, store_name);
    doc.push(Block::Blank);
    doc.text(
        Align::Center,
        Emphasis::Bold,
        words.say(Phrase::SuspendedSale),
    );
    doc.push(Block::Blank);
    let label = words.fill(Phrase::Slip, &[number]);
    doc.columns(Emphasis::Plain, &label, &words.time(at));
    if let Some((id, name, _)) = &open.customer {
        doc.columns(
            Emphasis::Plain,
            &words.fill(Phrase::Customer, &[name]),
            &id.to_string(),
        );
    }
    doc.push(Block::Rule);
    for line in open.live_lines() {
        doc.columns(
            Emphasis::Plain,
            &line.description,
            &words.quantity(line.quantity),
        );
    }
    doc.push(Block::Rule);
    for note in &open.notes {
        doc.text(Align::Left, Emphasis::Plain, note);
    }
    if let Some(paid) = open.paid().filter(|paid: &Money| !paid.is_zero()) {
        for tender in &open.tenders {
            let amount = words.money(tender.amount());
            doc.columns(Emphasis::Plain, words.tender(tender), &amount);
        }
        let label = words.say(Phrase::PaidSoFar);
        doc.columns(Emphasis::Bold, label, &words.money(paid));
    }
    doc.push(Block::Blank);
    doc.push(Block::Barcode(number.to_owned()));
    doc
}
