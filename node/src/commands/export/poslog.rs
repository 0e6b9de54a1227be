//! Receipts and movements of cash as ARTS POSLog 6.0.0.
//!
//! The names, their order and their values are those of `POSLogV6.0.0.xsd`. Amounts there have no
//! sign: what comes back is a `Return`, what is given back a tender of the type `Refund`. Totals do.
//! A receipt's `SequenceNumber` is the number of its entry in the lane's journal, which is never used
//! again there, and its `TransactionID` the number of the receipt, which is unique in the store.

use std::io::Write;

use super::bare;
use ledger::Seq;
use money::{Money, Unit};
use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event as Xml};
use sale::{CashMovement, Event, Line, LineTotal, LocalTime, Receipt, TaxTotal, Tender};

const NAMESPACE: &str = "http://www.nrf-arts.org/IXRetail/namespace/";
/// Before what is not in the standard's lists of values.
const OWN: &str = "Lanemesh";

type Attributes<'a> = &'a [(&'a str, &'a str)];

/// Where something happened.
pub struct Place<'a> {
    /// Head office's number of the store, or its id.
    pub store: &'a str,
    pub store_name: &'a str,
    pub lane: u32,
    pub seq: Seq,
}

/// A POSLog that is written piece by piece.
pub struct PosLog<W: Write> {
    out: Writer<W>,
}

impl<W: Write> PosLog<W> {
    pub fn begin(out: W) -> std::io::Result<PosLog<W>> {
        let mut out = Writer::new_with_indent(out, b' ', 1);
        out.write_event(Xml::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
        let mut log = PosLog { out };
        let version = [
            ("xmlns", NAMESPACE),
            ("MajorVersion", "6"),
            ("MinorVersion", "0"),
            ("FixVersion", "0"),
        ];
        log.open("POSLog", &version)?;
        Ok(log)
    }

    pub fn end(mut self) -> std::io::Result<W> {
        self.close("POSLog")?;
        let mut out = self.out.into_inner();
        out.write_all(b"\n")?;
        Ok(out)
    }

    /// Writes what happened on a register, where the standard has something for it; whether it did.
    pub fn event(&mut self, place: &Place<'_>, event: &Event) -> std::io::Result<bool> {
        let (at, by) = match event {
            Event::Completed { receipt, .. } => {
                self.receipt(place, receipt)?;
                return Ok(true);
            }
            Event::SignedIn { employee, at, .. } => (*at, Some(employee)),
            Event::SignedOut { at } => (*at, None),
            Event::NoSale { by, at, .. }
            | Event::CashMoved { by, at, .. }
            | Event::DrawerOpened { by, at, .. } => (*at, Some(by)),
            _ => return Ok(false),
        };
        self.open("Transaction", &[])?;
        self.header(place, None)?;
        if let Some(by) = by {
            self.text("OperatorID", &[], &by.to_string())?;
        }
        if let Event::CashMoved { amount, .. } | Event::DrawerOpened { float: amount, .. } = event {
            self.text("CurrencyCode", &[], amount.currency().code())?;
        }
        self.text("BeginDateTime", &[], &at.iso())?;
        match event {
            Event::SignedIn { .. } => self.session("OperatorSignOn", at)?,
            Event::SignedOut { .. } => self.session("OperatorSignOff", at)?,
            Event::NoSale { reason, .. } => {
                self.open("ControlTransaction", &[])?;
                self.text("ReasonCode", &[], reason)?;
                self.text("NoSale", &[], &at.iso())?;
                self.close("ControlTransaction")?;
            }
            Event::CashMoved {
                movement,
                amount,
                reason,
                ..
            } => self.cash(*movement, *amount, reason)?,
            Event::DrawerOpened { float, .. } => self.in_tender_control(|log| {
                log.open("TenderLoan", &[("TenderType", "Cash")])?;
                log.open("Totals", &[])?;
                log.amount("Amount", *float)?;
                log.close("Totals")?;
                log.close("TenderLoan")
            })?,
            _ => unreachable!("every other event was left above"),
        }
        self.close("Transaction")?;
        Ok(true)
    }

    fn session(&mut self, name: &str, at: LocalTime) -> std::io::Result<()> {
        self.open("ControlTransaction", &[])?;
        self.open(name, &[])?;
        let word = match name {
            "OperatorSignOn" => "StartDateTimestamp",
            _ => "EndDateTimestamp",
        };
        self.text(word, &[], &at.iso())?;
        self.close(name)?;
        self.close("ControlTransaction")
    }

    fn in_tender_control(
        &mut self,
        write: impl FnOnce(&mut Self) -> std::io::Result<()>,
    ) -> std::io::Result<()> {
        self.open("TenderControlTransaction", &[])?;
        write(self)?;
        self.close("TenderControlTransaction")
    }

    fn cash(&mut self, movement: CashMovement, amount: Money, reason: &str) -> std::io::Result<()> {
        self.in_tender_control(|log| {
            let name = match movement {
                CashMovement::Drop => "TenderPickup",
                CashMovement::PayIn => "PaidIn",
                CashMovement::PayOut => "PaidOut",
            };
            log.open(name, &[("TenderType", "Cash")])?;
            if movement == CashMovement::Drop {
                log.open("Totals", &[("TenderType", "Cash")])?;
            }
            log.amount("Amount", amount)?;
            if !reason.is_empty() {
                log.text("Reason", &[], reason)?;
            }
            if movement == CashMovement::Drop {
                log.close("Totals")?;
            }
            log.close(name)
        })
    }

    /// Where something happened, as every transaction begins.
    fn header(&mut self, place: &Place<'_>, id: Option<&str>) -> std::io::Result<()> {
        self.open("BusinessUnit", &[])?;
        let unit = [("Name", place.store_name), ("TypeCode", "RetailStore")];
        self.text("UnitID", &unit, place.store)?;
        self.close("BusinessUnit")?;
        self.text(
            "WorkstationID",
            &[("TypeCode", "POS")],
            &place.lane.to_string(),
        )?;
        self.text("SequenceNumber", &[], &place.seq.to_string())?;
        match id {
            Some(id) => self.text("TransactionID", &[], id),
            None => Ok(()),
        }
    }

    fn receipt(&mut self, place: &Place<'_>, receipt: &Receipt) -> std::io::Result<()> {
        let kind = kind(receipt);
        self.open("Transaction", &[("TypeCode", kind)])?;
        self.header(place, Some(&receipt.id))?;
        let operator = [
            ("OperatorName", receipt.cashier_name.as_str()),
            ("OperatorType", "Cashier"),
        ];
        self.text("OperatorID", &operator, &receipt.cashier.to_string())?;
        let currency = receipt.totals.total.currency();
        self.text("CurrencyCode", &[], currency.code())?;
        self.text("ReceiptDateTime", &[], &receipt.priced_at.iso())?;
        self.text("ReceiptNumber", &[], &receipt.id)?;
        self.open("RetailTransaction", &[("TransactionStatus", "Finished")])?;
        let mut lines = Lines {
            log: self,
            number: receipt
                .lines
                .iter()
                .map(|line| line.number)
                .max()
                .unwrap_or(0),
        };
        lines.goods(receipt)?;
        lines.taxes(&receipt.totals.taxes)?;
        lines.tenders(receipt)?;
        self.totals(receipt)?;
        if let Some(customer) = &receipt.customer {
            self.open("Customer", &[])?;
            self.text("CustomerID", &[], &customer.to_string())?;
            self.close("Customer")?;
        }
        self.close("RetailTransaction")?;
        self.text("BusinessDayDate", &[], &receipt.day.0)?;
        self.text("BeginDateTime", &[], &receipt.opened_at.iso())?;
        self.text("EndDateTime", &[], &receipt.priced_at.iso())?;
        self.close("Transaction")
    }

    fn totals(&mut self, receipt: &Receipt) -> std::io::Result<()> {
        let totals = &receipt.totals;
        let currency = totals.total.currency();
        let currency = currency.code();
        for (name, amount) in [
            ("TransactionGrossAmount", totals.gross),
            ("DiscountAmount", totals.discount),
            // Deposits are sold along; tax that prices contain is in it.
            ("TransactionNetAmount", totals.total - totals.tax_added),
            ("TransactionTaxAmount", totals.tax_added),
            ("TransactionTaxIncluded", totals.tax_included),
            ("TransactionGrandAmount", totals.total),
        ] {
            let attributes = [("TotalType", name), ("CurrencyCode", currency)];
            self.text("Total", &attributes, &amount.to_string())?;
        }
        Ok(())
    }

    fn open(&mut self, name: &str, attributes: Attributes<'_>) -> std::io::Result<()> {
        let mut start = BytesStart::new(name);
        for (key, value) in attributes {
            start.push_attribute((*key, clean(value).as_str()));
        }
        self.out.write_event(Xml::Start(start))
    }

    fn close(&mut self, name: &str) -> std::io::Result<()> {
        self.out.write_event(Xml::End(BytesEnd::new(name)))
    }

    fn text(&mut self, name: &str, attributes: Attributes<'_>, text: &str) -> std::io::Result<()> {
        self.open(name, attributes)?;
        let text = clean(text);
        self.out.write_event(Xml::Text(BytesText::new(&text)))?;
        self.close(name)
    }

    /// An amount, without its sign.
    fn amount(&mut self, name: &str, amount: Money) -> std::io::Result<()> {
        self.amount_with(name, amount, &[])
    }

    fn amount_with(
        &mut self,
        name: &str,
        amount: Money,
        more: Attributes<'_>,
    ) -> std::io::Result<()> {
        let currency = amount.currency();
        let attributes = [&[("Currency", currency.code())], more].concat();
        self.text(name, &attributes, &absolute(amount).to_string())
    }
}

/// The lines of a receipt. Goods keep their numbers; what the store adds is numbered on.
struct Lines<'l, W: Write> {
    log: &'l mut PosLog<W>,
    number: u32,
}

impl<W: Write> Lines<'_, W> {
    fn within(
        &mut self,
        number: Option<u32>,
        write: impl FnOnce(&mut PosLog<W>) -> std::io::Result<()>,
    ) -> std::io::Result<()> {
        let number = number.unwrap_or_else(|| {
            self.number += 1;
            self.number
        });
        self.log.open("LineItem", &[])?;
        write(self.log)?;
        self.log.text("SequenceNumber", &[], &number.to_string())?;
        self.log.close("LineItem")
    }

    fn goods(&mut self, receipt: &Receipt) -> std::io::Result<()> {
        for (line, total) in receipt.lines.iter().zip(&receipt.totals.lines) {
            self.within(Some(line.number), |log| log.goods(line, total))?;
            if !total.deposit.is_zero() {
                self.within(None, |log| log.deposit(line, total))?;
            }
        }
        Ok(())
    }

    fn taxes(&mut self, taxes: &[TaxTotal]) -> std::io::Result<()> {
        for tax in taxes.iter().filter(|tax| !tax.amount.is_zero()) {
            self.within(None, |log| {
                log.open("Tax", &[("TaxType", tax_type(tax.included))])?;
                log.taxed(None, tax.taxable, tax.included, tax.amount, &tax.rate)?;
                log.text("TaxGroupID", &[("Name", &tax.name)], &tax.tax.0)?;
                log.close("Tax")
            })?;
        }
        Ok(())
    }

    fn tenders(&mut self, receipt: &Receipt) -> std::io::Result<()> {
        for tender in &receipt.tenders {
            self.within(None, |log| log.tender(tender))?;
        }
        if receipt.change.is_zero() {
            return Ok(());
        }
        self.within(None, |log| {
            log.open("TenderChange", &[("TenderType", "Cash")])?;
            log.amount("Amount", receipt.change)?;
            log.close("TenderChange")
        })
    }
}

impl<W: Write> PosLog<W> {
    fn goods(&mut self, line: &Line, total: &LineTotal) -> std::io::Result<()> {
        let returned = line.detail.returned.as_deref();
        let name = if returned.is_some() { "Return" } else { "Sale" };
        self.open(name, &[("ItemType", "Stock")])?;
        self.open("POSIdentity", &[])?;
        self.text("POSItemID", &[], &line.code)?;
        self.close("POSIdentity")?;
        self.text("ItemID", &[], &line.item.0)?;
        let department = [("Level", "Department")];
        self.text("MerchandiseHierarchy", &department, &line.department.0)?;
        if let Some(lot) = &line.detail.marks.lot {
            self.text("LotNumber", &[], lot)?;
        }
        self.text("Description", &[("TypeCode", "Short")], &line.description)?;
        let unit = unit(line);
        self.unit_price("RegularSalesUnitPrice", line.unit_price, unit)?;
        self.unit_price("ActualSalesUnitPrice", line.unit_price, unit)?;
        self.amount("ExtendedAmount", total.net())?;
        if !total.discount.is_zero() {
            self.amount("ExtendedDiscountAmount", total.discount)?;
        }
        let quantity = bare(line.quantity);
        self.text("Quantity", &[("UnitOfMeasureCode", unit)], &quantity)?;
        self.modifiers(line, total)?;
        self.line_tax(line, total)?;
        if let Some(serial) = &line.detail.marks.serial {
            self.text("SerialNumber", &[], serial)?;
        }
        if let Some(of) = returned.filter(|_| line.unreceipted().is_none()) {
            self.open("TransactionLink", &[("ReasonCode", "Return")])?;
            self.text("TransactionID", &[], &of.receipt)?;
            self.text("LineItemSequenceNumber", &[], &of.line.to_string())?;
            self.close("TransactionLink")?;
        }
        if let Some(with) = line.detail.linked_to {
            self.text("ItemLink", &[], &with.to_string())?;
        }
        let included = if line.tax.included { "true" } else { "false" };
        self.text("TaxIncludedInPriceFlag", &[], included)?;
        if let Some(of) = returned {
            let method = if of.restock {
                "ReturnToStock"
            } else {
                "WriteOff"
            };
            self.open("Disposal", &[("Method", method)])?;
            self.close("Disposal")?;
            self.text("Reason", &[], &of.reason)?;
        }
        self.close(name)
    }

    fn unit_price(&mut self, name: &str, price: Money, unit: &str) -> std::io::Result<()> {
        self.amount_with(name, price, &[("UnitOfMeasureCode", unit)])
    }

    /// What a price was set to by hand, and what promotions took off.
    fn modifiers(&mut self, line: &Line, total: &LineTotal) -> std::io::Result<()> {
        let mut number = 0;
        let mut next = || {
            number += 1;
            number.to_string()
        };
        if let Some(set) = &line.price_override {
            self.open("RetailPriceModifier", &[("MethodCode", "PriceOverride")])?;
            self.text("SequenceNumber", &[], &next())?;
            self.unit_price("NewPrice", line.unit_price, unit(line))?;
            self.text("ReasonCode", &[], &set.reason)?;
            self.close("RetailPriceModifier")?;
        }
        for part in total
            .promotions
            .iter()
            .filter(|part| !part.amount.is_zero())
        {
            self.open("RetailPriceModifier", &[("MethodCode", "Promotion")])?;
            self.text("SequenceNumber", &[], &next())?;
            self.amount_with("Amount", part.amount, &[("Action", "Subtract")])?;
            self.text("PromotionID", &[], &part.promotion)?;
            self.text("Description", &[], &part.name)?;
            self.close("RetailPriceModifier")?;
        }
        Ok(())
    }

    fn line_tax(&mut self, line: &Line, total: &LineTotal) -> std::io::Result<()> {
        let kind = [("TaxType", tax_type(line.tax.included))];
        if total.tax_detail.parts.is_empty() {
            self.open("Tax", &kind)?;
            let (rate, included) = (&line.tax.rate, line.tax.included);
            self.taxed(None, total.taxable(), included, total.tax, rate)?;
            self.text("TaxGroupID", &[("Name", &line.tax.name)], &line.tax.id.0)?;
            return self.close("Tax");
        }
        for part in &total.tax_detail.parts {
            self.open("Tax", &kind)?;
            let authority = Some(part.name.as_str());
            self.taxed(
                authority,
                part.taxable,
                line.tax.included,
                part.amount,
                &part.rate,
            )?;
            self.close("Tax")?;
        }
        Ok(())
    }

    fn taxed(
        &mut self,
        authority: Option<&str>,
        taxable: Money,
        included: bool,
        amount: Money,
        rate: &money::Rate,
    ) -> std::io::Result<()> {
        if let Some(authority) = authority {
            self.text("TaxAuthority", &[], authority)?;
        }
        let flag = if included { "true" } else { "false" };
        let flag = [("TaxIncludedInTaxableAmountFlag", flag)];
        self.amount_with("TaxableAmount", taxable, &flag)?;
        self.amount("Amount", amount)?;
        self.text("Percent", &[], rate.to_string().trim_end_matches('%'))
    }

    /// The deposit of a line.
    fn deposit(&mut self, line: &Line, total: &LineTotal) -> std::io::Result<()> {
        let (name, kind) = match line.detail.returned {
            None => ("Sale", "Deposit"),
            Some(_) => ("Return", "DepositRefund"),
        };
        self.open(name, &[("ItemType", kind)])?;
        self.text("ItemID", &[], &line.item.0)?;
        self.text("Description", &[("TypeCode", "Short")], &line.description)?;
        self.amount("ExtendedAmount", total.deposit)?;
        self.text("ItemLink", &[], &line.number.to_string())?;
        self.close(name)
    }

    fn tender(&mut self, tender: &Tender) -> std::io::Result<()> {
        let amount = tender.amount();
        if let Tender::Rounding { .. } = tender {
            // Who pays less has the sum rounded down.
            let direction = if amount.is_negative() { "Up" } else { "Down" };
            return self.amount_with("Rounding", amount, &[("RoundingDirection", direction)]);
        }
        let own = format!("{OWN}:StoreCredit");
        let points = format!("{OWN}:Points");
        let kind = match tender {
            Tender::Cash { .. } | Tender::Rounding { .. } | Tender::ForeignCash { .. } => "Cash",
            Tender::Voucher { .. } => "Voucher",
            Tender::Cheque { .. } => "Check",
            Tender::StoreCredit { .. } => &own,
            Tender::GiftCard { .. } => "GiftCard",
            Tender::Points { .. } => &points,
            Tender::Account { .. } => "CustomerAccount",
            Tender::Card { .. } => "CreditDebit",
        };
        let code = if amount.is_negative() {
            "Refund"
        } else {
            "Sale"
        };
        self.open("Tender", &[("TenderType", kind), ("TypeCode", code)])?;
        self.amount("Amount", amount)?;
        match tender {
            Tender::ForeignCash { given, rate, .. } => {
                self.open("ForeignCurrency", &[])?;
                self.text("CurrencyCode", &[], given.currency().code())?;
                self.amount("OriginalFaceAmount", *given)?;
                self.text("ExchangeRate", &[], rate)?;
                self.close("ForeignCurrency")?;
            }
            Tender::Voucher { number, face, .. } => {
                self.open("Voucher", &[("TypeCode", "Voucher")])?;
                self.amount("FaceValueAmount", *face)?;
                self.text("SerialNumber", &[], number)?;
                self.close("Voucher")?;
            }
            Tender::StoreCredit { number, .. } => {
                self.open("Voucher", &[("TypeCode", "Voucher")])?;
                self.text("SerialNumber", &[], number)?;
                self.close("Voucher")?;
            }
            Tender::GiftCard { number, left, .. } => {
                self.open("GiftCard", &[])?;
                self.text("CardNumber", &[], number)?;
                self.amount("CurrentBalance", *left)?;
                self.close("GiftCard")?;
            }
            Tender::Card { card, .. } => {
                if let Some(code) = &card.approval.approval_code {
                    self.open("Authorization", &[])?;
                    self.text("AuthorizationCode", &[], code)?;
                    self.text("ReferenceNumber", &[], &card.approval.transaction.id)?;
                    self.close("Authorization")?;
                }
                if let Some(tip) = card.approval.tip {
                    self.amount("Tip", tip)?;
                }
            }
            Tender::Account { customer, .. } | Tender::Points { customer, .. } => {
                self.open("StoreAccount", &[])?;
                self.text("AccountID", &[], &customer.to_string())?;
                self.close("StoreAccount")?;
            }
            Tender::Cash { .. } | Tender::Rounding { .. } | Tender::Cheque { .. } => {}
        }
        self.close("Tender")
    }
}

/// What kind of transaction it is.
fn kind(receipt: &Receipt) -> &'static str {
    let returned = receipt.lines.iter().filter(|l| l.detail.returned.is_some());
    match returned.count() {
        0 => "SaleTransaction",
        all if all == receipt.lines.len() => "ReturnTransaction",
        _ => "ExchangeTransaction",
    }
}

fn tax_type(included: bool) -> &'static str {
    if included { "VAT" } else { "Sales" }
}

fn unit(line: &Line) -> &'static str {
    match line.quantity.unit() {
        Unit::Each => "EA",
        Unit::Kilogram => "KGM",
    }
}

fn absolute(amount: Money) -> Money {
    if amount.is_negative() {
        -amount
    } else {
        amount
    }
}

/// Without the characters that XML has no way to write.
fn clean(text: &str) -> String {
    let sound = |c: &char| !c.is_control() || matches!(c, '\t' | '\n' | '\r');
    let sound = |c: &char| sound(c) && !matches!(c, '\u{fffe}' | '\u{ffff}');
    text.chars().filter(sound).collect()
}
