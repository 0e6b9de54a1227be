//! The layout of a receipt.

use std::collections::BTreeMap;

use catalog::{Language, TaxId};
use money::{Money, Rate, Unit};
use sale::{CardApproval, CardPaid, Line, Receipt, TaxTotal, Tender, Totals};

use crate::words::{Phrase, Words};
use crate::{Align, Block, Document, Emphasis, Picture};

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
    /// Above the store's name.
    pub logo: Option<Picture>,
    /// A QR code under the footer: its text, in which `{receipt}` stands for the receipt's number; empty for
    /// none.
    pub qr: String,
    pub language: Language,
    pub kind: PrintKind,
}

/// The letter that joins a line to its row of the tax table.
type TaxLetters = BTreeMap<(TaxId, Rate, bool, bool), char>;

/// Lays a receipt out. The same receipt and style give the same document, always.
pub fn document(receipt: &Receipt, style: &ReceiptStyle) -> Document {
    let mut paper = Paper {
        doc: Document::new(style.language),
        words: Words(style.language),
        letters: tax_letters(&receipt.totals),
    };
    paper.head(receipt, style);
    paper.doc.push(Block::Rule);
    for line in &receipt.lines {
        paper.sold(line, receipt);
    }
    paper.doc.push(Block::Rule);
    paper.sums(&receipt.totals);
    paper.paid(receipt);
    paper.doc.push(Block::Rule);
    paper.taxes(&receipt.totals);
    paper.tail(receipt, style);
    paper.doc
}

/// A receipt under way to paper.
struct Paper {
    doc: Document,
    words: Words,
    letters: TaxLetters,
}

impl Paper {
    /// A row of words, indented under what it is about.
    fn detail(&mut self, text: &str) {
        self.doc.columns(Emphasis::Plain, &format!("  {text}"), "");
    }

    /// A phrase with an amount beside it, clear of the column of the tax letters.
    fn amount(&mut self, emphasis: Emphasis, label: &str, amount: Money) {
        let amount = format!("{}  ", self.words.money(amount));
        self.doc.columns(emphasis, label, &amount);
    }

    fn head(&mut self, receipt: &Receipt, style: &ReceiptStyle) {
        let (doc, words) = (&mut self.doc, self.words);
        store_head(doc, receipt, style);
        if receipt.detail.training {
            self.training();
            self.doc.push(Block::Blank);
        }
        let doc = &mut self.doc;
        if style.kind == PrintKind::Reprint {
            doc.text(Align::Center, Emphasis::Bold, words.say(Phrase::Reprint));
            doc.push(Block::Blank);
        }
        let mut row = |left: &str, right: &str| doc.columns(Emphasis::Plain, left, right);
        row(
            &words.fill(Phrase::Receipt, &[&receipt.id]),
            &words.time(receipt.priced_at),
        );
        row(
            &words.fill(Phrase::Cashier, &[&receipt.cashier_name]),
            &receipt.lane_name,
        );
        if let Some(customer) = &receipt.customer {
            let label = words.fill(Phrase::Customer, &[""]);
            row(label.trim_end(), &customer.to_string());
        }
        if let Some(reference) = &receipt.reference {
            row(words.say(Phrase::Reference), reference);
        }
        if let Some(certificate) = &receipt.detail.terms.standing.exemption {
            row(words.say(Phrase::TaxExemption), certificate);
        }
    }

    /// What no customer and no cashier takes for a receipt.
    fn training(&mut self) {
        for phrase in [Phrase::Training, Phrase::NoReceipt] {
            let text = self.words.say(phrase);
            self.doc.text(Align::Center, Emphasis::Tall, text);
        }
    }

    /// One line of the sale: what, how much of it, its price, and its deposit.
    fn sold(&mut self, line: &Line, receipt: &Receipt) {
        let words = self.words;
        let mut totals = receipt.totals.lines.iter();
        let Some(total) = totals.find(|total| total.line == line.number) else {
            self.doc
                .text(Align::Left, Emphasis::Plain, &line.description);
            return;
        };
        let key = (
            line.tax.id.clone(),
            line.tax.rate,
            line.tax.included,
            total.tax_detail.exempt,
        );
        let letter = self.letters.get(&key).copied().unwrap_or(' ');
        let extended = format!("{} {letter}", words.money(total.extended));
        self.doc
            .columns(Emphasis::Plain, &line.description, &extended);
        let (quantity, price) = (words.quantity(line.quantity), words.money(line.unit_price));
        match line.quantity.unit() {
            Unit::Each if line.quantity.pieces() == Some(1) => {}
            Unit::Each => self.detail(&format!("{quantity} × {price}")),
            Unit::Kilogram => self.detail(&format!("{quantity} × {price} /kg")),
        }
        self.about(line);
        for promotion in &total.promotions {
            let label = format!("  {}", promotion.name);
            self.amount(Emphasis::Plain, &label, -promotion.amount);
        }
        if let Some(deposit) = line.deposit.filter(|_| !total.deposit.is_zero()) {
            let each = words.money(deposit);
            let label = words.fill(Phrase::DepositOf, &[&quantity, &each]);
            self.amount(Emphasis::Plain, &format!("  {label}"), total.deposit);
        }
    }

    /// What few lines have to say.
    fn about(&mut self, line: &Line) {
        let (words, detail) = (self.words, &line.detail);
        if detail.tare_grams != 0 {
            let grams = detail.tare_grams.to_string();
            self.detail(&words.fill(Phrase::LessPacking, &[&grams]));
        }
        if let Some(serial) = &detail.marks.serial {
            self.detail(&words.fill(Phrase::Serial, &[serial]));
        }
        if let Some(number) = &detail.gift_card {
            self.detail(&words.fill(Phrase::LoadedOnto, &[&ending(number)]));
        }
        if let Some(changed) = &line.price_override {
            let by = changed.by.to_string();
            self.detail(&words.fill(Phrase::PriceSetBy, &[&by, &changed.reason]));
        }
        if let Some(of) = &detail.returned {
            let source = of.line.to_string();
            self.detail(&match &of.unreceipted {
                None => words.fill(Phrase::Returned, &[&of.receipt, &source]),
                Some(_) => words.say(Phrase::ReturnedWithout).to_owned(),
            });
        }
        if let Some(changed) = &detail.tax_override {
            let by = changed.by.to_string();
            self.detail(&words.fill(Phrase::TaxSetBy, &[&by, &changed.reason]));
        }
        for note in &detail.notes {
            self.detail(note);
        }
    }

    fn sums(&mut self, totals: &Totals) {
        let words = self.words;
        self.amount(Emphasis::Plain, words.say(Phrase::Items), totals.gross);
        // Where each line says what it got, the sum is enough.
        match totals.lines.iter().any(|line| !line.promotions.is_empty()) {
            true => {
                let label = words.say(Phrase::Discounts);
                self.amount(Emphasis::Plain, label, -totals.discount);
            }
            false => {
                for promotion in &totals.promotions {
                    self.amount(Emphasis::Plain, &promotion.name, -promotion.amount);
                }
            }
        }
        for (phrase, amount) in [
            (Phrase::Deposits, totals.deposits),
            (Phrase::Tax, totals.tax_added),
        ] {
            if !amount.is_zero() {
                self.amount(Emphasis::Plain, words.say(phrase), amount);
            }
        }
        let currency = totals.total.currency();
        let label = words.fill(Phrase::Total, &[currency.code()]);
        self.amount(Emphasis::Tall, &label, totals.total);
    }

    fn paid(&mut self, receipt: &Receipt) {
        let words = self.words;
        for tender in &receipt.tenders {
            self.amount(Emphasis::Plain, words.tender(tender), tender.amount());
            if let Some(detail) = tender_detail(tender, words) {
                self.detail(&detail);
            }
            if let Tender::Card { card, .. } = tender {
                self.charged(card);
            }
        }
        self.amount(Emphasis::Bold, words.say(Phrase::Change), receipt.change);
        if !receipt.totals.discount.is_zero() {
            let saved = words.money(receipt.totals.discount);
            let saved = words.fill(Phrase::Saved, &[&saved]);
            self.doc.push(Block::Blank);
            self.doc.text(Align::Center, Emphasis::Bold, &saved);
        }
        let points = receipt.totals.points_total();
        if points != 0 {
            let earned = words.fill(Phrase::PointsEarned, &[&points.to_string()]);
            self.doc.text(Align::Center, Emphasis::Plain, &earned);
        }
        // Its own number makes each coupon good for one use. In training none is handed out.
        let coupons = receipt.totals.next_coupons.iter();
        for code in coupons.filter(|_| !receipt.detail.training) {
            let label = words.say(Phrase::NextCoupon);
            self.doc.push(Block::Blank);
            self.doc.text(Align::Center, Emphasis::Bold, label);
            self.doc
                .push(Block::Barcode(format!("{code}:{}", receipt.id)));
        }
    }

    /// What a card was charged besides the tender, and which approval it was.
    fn charged(&mut self, card: &CardPaid) {
        let (words, approval) = (self.words, &card.approval);
        if let Some(text) = approval_text(approval, words) {
            self.detail(&text);
        }
        if let Some(tip) = card.tip() {
            self.amount(Emphasis::Plain, words.say(Phrase::Tip), tip);
            self.amount(Emphasis::Plain, words.say(Phrase::Charged), approval.amount);
        }
    }

    /// Each tax category with its rate, what it is taken of and what it comes to; under it what each
    /// authority takes, where there are several.
    fn taxes(&mut self, totals: &Totals) {
        let words = self.words;
        for tax in &totals.taxes {
            let letter = self.letters.get(&tax_key(tax)).copied().unwrap_or(' ');
            let mut label = letter.to_string();
            let included = tax.included.then(|| words.say(Phrase::Included));
            for word in included.into_iter().chain([tax.name.as_str()]) {
                label = format!("{label} {word}");
            }
            // Each authority has a rate of its own.
            if tax.parts.is_empty() {
                label = format!("{label} {}", words.rate(tax.rate));
                if tax.exempt {
                    label = format!("{label} {}", words.say(Phrase::Exempt));
                }
                label = words.fill(Phrase::Of, &[&label, &words.money(tax.taxable)]);
            }
            self.amount(Emphasis::Plain, &label, tax.amount);
            for part in &tax.parts {
                let name = format!("    {} {}", part.name, words.rate(part.rate));
                let label = words.fill(Phrase::Of, &[&name, &words.money(part.taxable)]);
                self.amount(Emphasis::Plain, &label, part.amount);
            }
        }
    }

    fn tail(&mut self, receipt: &Receipt, style: &ReceiptStyle) {
        if !style.footer.trim().is_empty() {
            self.doc.push(Block::Blank);
            self.doc.text(Align::Center, Emphasis::Plain, &style.footer);
        }
        for note in &receipt.detail.notes {
            self.doc.push(Block::Blank);
            self.doc.text(Align::Left, Emphasis::Plain, note);
        }
        // Whoever follows the code finds no sale of a training.
        if !style.qr.is_empty() && !receipt.detail.training {
            self.doc.push(Block::Blank);
            self.doc.qr(&style.qr.replace("{receipt}", &receipt.id));
        }
        self.doc.push(Block::Blank);
        match receipt.detail.training {
            true => self.training(),
            false => self.doc.push(Block::Barcode(receipt.id.clone())),
        }
    }
}

/// Which store a paper is of.
pub(crate) fn store_head(doc: &mut Document, receipt: &Receipt, style: &ReceiptStyle) {
    if let Some(logo) = &style.logo {
        doc.push(Block::Picture(logo.clone()));
    }
    doc.text(Align::Center, Emphasis::Tall, &receipt.store_name);
    for row in &style.address {
        doc.text(Align::Center, Emphasis::Plain, row);
    }
    doc.push(Block::Blank);
}

/// The end of a gift card's number: whoever finds the paper must not spend the card.
fn ending(number: &str) -> String {
    const SHOWN: usize = 4;
    let hidden = number.chars().count().saturating_sub(SHOWN);
    let shown: String = number.chars().skip(hidden).collect();
    format!("**** {shown}")
}

/// What else is to be said of a tender.
fn tender_detail(tender: &Tender, words: Words) -> Option<String> {
    match tender {
        Tender::Cash { .. } | Tender::Rounding { .. } => None,
        Tender::ForeignCash { given, rate, .. } => {
            let (much, rate) = (words.money(*given), words.decimal(rate));
            let currency = given.currency();
            Some(words.fill(Phrase::ForeignRate, &[&much, currency.code(), &rate]))
        }
        Tender::Voucher { number, face, .. } => {
            Some(words.fill(Phrase::Worth, &[number, &words.money(*face)]))
        }
        Tender::Cheque { number, .. } => Some(number.clone()),
        Tender::StoreCredit { number, .. } => Some(words.fill(Phrase::CreditNote, &[number])),
        Tender::GiftCard { number, left, .. } => {
            Some(words.fill(Phrase::Holds, &[&ending(number), &words.money(*left)]))
        }
        Tender::Points { points, left, .. } => {
            let phrase = match *points < 0 {
                true => Phrase::PointsGiven,
                false => Phrase::PointsSpent,
            };
            let much = points.unsigned_abs().to_string();
            Some(words.fill(phrase, &[&much, &left.to_string()]))
        }
        Tender::Account { customer, .. } => {
            Some(words.fill(Phrase::Customer, &[&customer.to_string()]))
        }
        Tender::Card { card, .. } => card_digits(&card.approval),
    }
}

/// Which card it was, as far as it may be told.
pub(crate) fn card_digits(approval: &CardApproval) -> Option<String> {
    let brand = approval.brand.as_deref();
    let digits = approval.last_four.as_deref();
    let digits = digits.map(|digits| format!("**** {digits}"));
    let words: Vec<&str> = brand.into_iter().chain(digits.as_deref()).collect();
    Some(words.join(" ")).filter(|words| !words.is_empty())
}

/// Which approval it was; none where the terminal named none.
pub(crate) fn approval_text(approval: &CardApproval, words: Words) -> Option<String> {
    let code = approval.approval_code.as_deref()?;
    let phrase = match approval.offline {
        true => Phrase::ApprovalOffline,
        false => Phrase::Approval,
    };
    Some(words.fill(phrase, &[code]))
}

fn tax_letters(totals: &Totals) -> TaxLetters {
    let taxes = totals.taxes.iter().zip('A'..='Z');
    taxes.map(|(tax, letter)| (tax_key(tax), letter)).collect()
}

fn tax_key(tax: &TaxTotal) -> (TaxId, Rate, bool, bool) {
    (tax.tax.clone(), tax.rate, tax.included, tax.exempt)
}
