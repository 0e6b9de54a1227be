//! The slip of a sale that is put aside: what it holds, what a quote or an order costs, and the barcode that
//! takes it up again.

use catalog::Language;
use money::Money;
use sale::{Cart, DocumentKind, LocalTime};

use crate::words::{Phrase, Words};
use crate::{Align, Block, Document, Emphasis};

/// Lays the slip of a sale that is put aside out. `at` is when it was put aside.
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
    let kept = open.kept.as_deref();
    let (title, day) = match kept.map(|kept| kept.kind) {
        None => (Phrase::SuspendedSale, None),
        Some(DocumentKind::Quote) => (Phrase::QuoteTitle, Some(Phrase::ValidUntil)),
        Some(DocumentKind::Order) => (Phrase::OrderTitle, Some(Phrase::CollectOn)),
    };
    doc.text(Align::Center, Emphasis::Bold, words.say(title));
    if let Some((phrase, until)) = day.zip(kept.and_then(|kept| kept.until.as_ref())) {
        let text = words.fill(phrase, &[&words.day(&until.0)]);
        doc.text(Align::Center, Emphasis::Bold, &text);
    }
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
        let quantity = words.quantity(line.quantity);
        let right = match kept {
            None => quantity,
            Some(_) => format!("{quantity} × {}", words.money(line.unit_price)),
        };
        doc.columns(Emphasis::Plain, &line.description, &right);
    }
    doc.push(Block::Rule);
    for note in &open.notes {
        doc.text(Align::Left, Emphasis::Plain, note);
    }
    if let Some(kept) = kept {
        let label = words.fill(Phrase::Total, &[kept.due.currency().code()]);
        doc.columns(Emphasis::Tall, &label, &words.money(kept.due));
    }
    if let Some(paid) = open.paid().filter(|paid: &Money| !paid.is_zero()) {
        for tender in &open.tenders {
            let amount = words.money(tender.amount());
            doc.columns(Emphasis::Plain, words.tender(tender), &amount);
        }
        let label = words.say(Phrase::PaidSoFar);
        doc.columns(Emphasis::Bold, label, &words.money(paid));
        if let Some(kept) = kept {
            let label = words.say(Phrase::StillToPay);
            doc.columns(Emphasis::Bold, label, &words.money(kept.due - paid));
        }
    }
    doc.push(Block::Blank);
    doc.push(Block::Barcode(number.to_owned()));
    doc
}
