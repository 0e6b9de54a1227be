//! The papers that go with a receipt: for whoever gets a present, for what a card was charged, and for
//! what the store owes.

use sale::{Receipt, Tender};
use serde::Deserialize;

use crate::receipt::{approval_text, card_digits, store_head};
use crate::words::{Phrase, Words};
use crate::{Align, Block, Document, Emphasis, ReceiptStyle};

/// A paper that goes with a receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Beside {
    /// A receipt without a price, with which a present can be brought back; none where nothing was sold.
    GiftReceipt,
    /// What was charged to cards, or given back to them, for the store to keep; none where no card paid.
    CardSlip,
    /// What the store owes the bearer since this receipt, with the number that spends it; none where it made
    /// no credit note.
    CreditNote,
}

impl Beside {
    /// Lays the paper out. There is none of a training, of which nothing may be brought back or spent.
    pub fn document(self, receipt: &Receipt, style: &ReceiptStyle) -> Option<Document> {
        if receipt.detail.training {
            return None;
        }
        match self {
            Beside::GiftReceipt => gift_receipt(receipt, style),
            Beside::CardSlip => card_slip(receipt, style),
            Beside::CreditNote => credit_note(receipt, style),
        }
    }
}

fn gift_receipt(receipt: &Receipt, style: &ReceiptStyle) -> Option<Document> {
    let sold = receipt.lines.iter();
    let mut sold = sold
        .filter(|line| line.detail.returned.is_none())
        .peekable();
    sold.peek()?;
    let mut doc = begun(receipt, style, Phrase::GiftReceipt);
    let words = Words(style.language);
    doc.push(Block::Rule);
    for line in sold {
        let quantity = words.quantity(line.quantity);
        doc.columns(Emphasis::Plain, &line.description, &quantity);
        if let Some(serial) = &line.detail.marks.serial {
            let serial = words.fill(Phrase::Serial, &[serial]);
            doc.columns(Emphasis::Plain, &format!("  {serial}"), "");
        }
    }
    doc.push(Block::Rule);
    doc.push(Block::Blank);
    doc.push(Block::Barcode(receipt.id.clone()));
    Some(doc)
}

fn card_slip(receipt: &Receipt, style: &ReceiptStyle) -> Option<Document> {
    let mut cards = receipt.tenders.iter().filter_map(|tender| match tender {
        Tender::Card { amount, card } => Some((*amount, card)),
        _ => None,
    });
    let first = cards.next()?;
    let mut doc = begun(receipt, style, Phrase::CardSlip);
    let words = Words(style.language);
    for (amount, card) in std::iter::once(first).chain(cards) {
        let approval = &card.approval;
        doc.push(Block::Rule);
        let number = card.number.to_string();
        let label = words.fill(Phrase::CardPayment, &[&number]);
        doc.columns(Emphasis::Plain, &label, &card.terminal);
        let transaction = &approval.transaction;
        let label = words.fill(Phrase::CardTransaction, &[&transaction.id]);
        doc.columns(Emphasis::Plain, &label, "");
        doc.columns(Emphasis::Plain, &transaction.time, "");
        let told = [card_digits(approval), approval_text(approval, words)];
        for text in told.into_iter().flatten() {
            doc.columns(Emphasis::Plain, &text, "");
        }
        if let Some(tip) = card.tip() {
            let label = words.say(Phrase::Tip);
            doc.columns(Emphasis::Plain, label, &words.money(tip));
        }
        let label = match amount.is_negative() {
            true => Phrase::CardRefunded,
            false => Phrase::Charged,
        };
        let charged = words.money(approval.amount);
        doc.columns(Emphasis::Bold, words.say(label), &charged);
    }
    Some(doc)
}

fn credit_note(receipt: &Receipt, style: &ReceiptStyle) -> Option<Document> {
    // What was given as a credit note stands below zero.
    let given = receipt.tenders.iter().filter_map(|tender| match tender {
        Tender::StoreCredit { number, amount } if amount.is_negative() => Some((number, -*amount)),
        _ => None,
    });
    let (number, worth) = given.reduce(|(number, sum), (_, more)| (number, sum + more))?;
    let mut doc = begun(receipt, style, Phrase::CreditNoteTitle);
    let words = Words(style.language);
    doc.push(Block::Rule);
    let label = words.fill(Phrase::CreditNote, &[number]);
    doc.columns(Emphasis::Plain, &label, "");
    let label = words.fill(Phrase::Total, &[worth.currency().code()]);
    doc.columns(Emphasis::Tall, &label, &words.money(worth));
    doc.push(Block::Rule);
    doc.push(Block::Blank);
    doc.push(Block::Barcode(number.clone()));
    Some(doc)
}

/// Which store and receipt a paper goes with, and what it is.
fn begun(receipt: &Receipt, style: &ReceiptStyle, title: Phrase) -> Document {
    let words = Words(style.language);
    let mut doc = Document::new(style.language);
    store_head(&mut doc, receipt, style);
    doc.text(Align::Center, Emphasis::Bold, words.say(title));
    doc.push(Block::Blank);
    let label = words.fill(Phrase::Receipt, &[&receipt.id]);
    doc.columns(Emphasis::Plain, &label, &words.time(receipt.priced_at));
    doc
}
