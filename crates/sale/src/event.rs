//! What happened on a register. Events are the journal's content: once written, a variant or a
//! field is never given another meaning.

use std::collections::BTreeMap;

use catalog::{
    BookVersion, CustomerField, CustomerId, DepartmentId, EmployeeId, ItemId, KitPart, Marks, Role,
    TaxCategory, TaxId, TaxPart, Tier,
};
use money::{Money, Quantity, Rate};
use serde::{Deserialize, Serialize};

use crate::terms::is_plain;
use crate::{
    BusinessDay, CardAnswer, CardAsk, CardPaid, Cart, CartId, HandDiscount, HandedCoupon,
    LocalTime, Receipt, ReturnOf, SoldAt, Standing, StockWork, Tally,
};

/// The tax of a line as it was when the item was scanned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineTax {
    pub id: TaxId,
    pub name: String,
    pub rate: Rate,
    pub included: bool,
    /// Each authority's part, where there are several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<TaxPart>,
}

impl From<TaxCategory> for LineTax {
    fn from(tax: TaxCategory) -> LineTax {
        LineTax {
            id: tax.id,
            name: tax.name,
            rate: tax.rate,
            included: tax.included,
            parts: tax.parts,
        }
    }
}

/// Why a line does not have the price of the book.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OverrideReason {
    pub by: EmployeeId,
    pub reason: String,
}

/// One line of a cart, complete in itself: it can be shown, priced and printed without a catalog.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// From 1, in order of scanning; never used again in a cart.
    pub number: u32,
    pub item: ItemId,
    /// What was scanned or typed.
    pub code: String,
    pub description: String,
    pub department: DepartmentId,
    pub brand: Option<String>,
    pub quantity: Quantity,
    /// Per piece or per kilogram.
    pub unit_price: Money,
    /// Per piece, charged besides the price.
    pub deposit: Option<Money>,
    pub tax: LineTax,
    #[serde(default)]
    pub price_override: Option<OverrideReason>,
    #[serde(default)]
    pub voided: bool,
    #[serde(default, skip_serializing_if = "LineDetail::is_plain")]
    pub detail: LineDetail,
}

/// What few lines have.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LineDetail {
    /// Lot, dates and serial number, as the code said.
    pub marks: Marks,
    pub notes: Vec<String>,
    /// Why the line does not have the tax of its item.
    pub tax_override: Option<OverrideReason>,
    /// Set where the line takes goods back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub returned: Option<Box<ReturnOf>>,
    /// The line that this one is sold along with: they change and go together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub linked_to: Option<u32>,
    /// What leaves stock for each one, instead of the item itself.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub kit: Vec<KitPart>,
    /// The packing that was taken off the weight, and is taken off another one.
    #[serde(skip_serializing_if = "is_plain")]
    pub tare_grams: i64,
    /// The least that a piece or a kilogram may cost after what promotions and hands take off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub floor: Option<Money>,
    /// The number of the gift card onto which the price of the line is loaded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gift_card: Option<String>,
}

impl LineDetail {
    pub fn is_plain(&self) -> bool {
        *self == LineDetail::default()
    }
}

/// Money, or what stands for it, handed over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum Tender {
    Cash {
        amount: Money,
    },
    /// What rounding to the smallest coin left over (positive) or gave too much (negative).
    Rounding {
        amount: Money,
    },
    ForeignCash {
        given: Money,
        /// What one was worth in the store's currency.
        rate: String,
        amount: Money,
    },
    Voucher {
        number: String,
        /// What it said it was worth.
        face: Money,
        amount: Money,
    },
    Cheque {
        number: String,
        amount: Money,
    },
    /// A credit note: spent, or made where the amount is below zero.
    StoreCredit {
        number: String,
        amount: Money,
    },
    Account {
        customer: CustomerId,
        amount: Money,
    },
    /// A gift card: spent, or loaded where the amount is below zero.
    GiftCard {
        number: String,
        amount: Money,
        /// What it holds then, as far as the lane knew.
        left: Money,
    },
    /// Loyalty points of a customer's: spent, or given where the amount is below zero.
    Points {
        customer: CustomerId,
        points: i64,
        amount: Money,
        /// What the customer has then, as far as the lane knew, without what the sale itself earns.
        left: i64,
    },
    /// A card was charged, or given back to where the amount is below zero.
    Card {
        amount: Money,
        card: Box<CardPaid>,
    },
}

impl Tender {
    pub fn amount(&self) -> Money {
        match self {
            Tender::Cash { amount }
            | Tender::Rounding { amount }
            | Tender::ForeignCash { amount, .. }
            | Tender::Voucher { amount, .. }
            | Tender::Cheque { amount, .. }
            | Tender::StoreCredit { amount, .. }
            | Tender::Account { amount, .. }
            | Tender::GiftCard { amount, .. }
            | Tender::Points { amount, .. }
            | Tender::Card { amount, .. } => *amount,
        }
    }

    /// The tender's name in totals and reports.
    pub fn kind(&self) -> &'static str {
        match self {
            Tender::Cash { .. } => "cash",
            Tender::Rounding { .. } => "rounding",
            Tender::ForeignCash { .. } => "foreign-cash",
            Tender::Voucher { .. } => "voucher",
            Tender::Cheque { .. } => "cheque",
            Tender::StoreCredit { .. } => "store-credit",
            Tender::Account { .. } => "account",
            Tender::GiftCard { .. } => "gift-card",
            Tender::Points { .. } => "points",
            Tender::Card { .. } => "card",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
#[expect(
    clippy::large_enum_variant,
    reason = "most events are added lines, and few events are held at a time"
)]
pub enum Event {
    SignedIn {
        employee: EmployeeId,
        name: String,
        role: Role,
        at: LocalTime,
    },
    /// Somebody typed a PIN that is not this number's. The PIN is not kept.
    SignInFailed {
        employee: EmployeeId,
        at: LocalTime,
    },
    SignedOut {
        at: LocalTime,
    },
    CartOpened {
        cart: CartId,
        /// The prices and promotions of this version hold for the whole cart.
        book: BookVersion,
        day: BusinessDay,
        at: LocalTime,
        reference: Option<String>,
        #[serde(default, skip_serializing_if = "is_plain")]
        place: SoldAt,
    },
    LineAdded {
        cart: CartId,
        line: Line,
    },
    QuantityChanged {
        cart: CartId,
        line: u32,
        quantity: Quantity,
    },
    PriceOverridden {
        cart: CartId,
        line: u32,
        unit_price: Money,
        reason: OverrideReason,
    },
    LineVoided {
        cart: CartId,
        line: u32,
    },
    AgeConfirmed {
        cart: CartId,
        years: u8,
        by: EmployeeId,
    },
    CustomerSet {
        cart: CartId,
        customer: CustomerId,
        name: String,
        tier: Tier,
        #[serde(default, skip_serializing_if = "is_plain")]
        standing: Box<Standing>,
    },
    /// Prices are fixed at this moment; tendering begins.
    TenderStarted {
        cart: CartId,
        at: LocalTime,
        due: Money,
    },
    Tendered {
        cart: CartId,
        tender: Tender,
    },
    TendersReturned {
        cart: CartId,
    },
    CartVoided {
        cart: CartId,
        reason: String,
        at: LocalTime,
    },
    /// The sale is paid. Once this is durable the receipt is printed.
    Completed {
        cart: CartId,
        receipt: Box<Receipt>,
    },
    /// Somebody with another role let the command that follows be carried out.
    Approved {
        by: EmployeeId,
        name: String,
        role: Role,
        /// The cashier who asked.
        asked_by: EmployeeId,
        /// The command's name, such as `override-price`.
        command: String,
        at: LocalTime,
    },
    TaxOverridden {
        cart: CartId,
        line: u32,
        tax: LineTax,
        reason: OverrideReason,
    },
    Noted {
        cart: CartId,
        line: Option<u32>,
        text: String,
    },
    /// A sale was put aside as it stood.
    Suspended {
        /// Number on the slip, unique in the store.
        slip: String,
        open: Box<Cart>,
        by: EmployeeId,
        at: LocalTime,
    },
    /// A sale that was put aside, here or on another lane, goes on here.
    Resumed {
        slip: String,
        open: Box<Cart>,
        by: EmployeeId,
        at: LocalTime,
    },
    DayOpened {
        day: BusinessDay,
        by: EmployeeId,
        at: LocalTime,
    },
    DayClosed {
        day: BusinessDay,
        /// Receipts of this lane that the store did not have yet.
        unshared_receipts: u64,
        by: EmployeeId,
        at: LocalTime,
    },
    DrawerOpened {
        float: Money,
        by: EmployeeId,
        at: LocalTime,
    },
    DrawerAssigned {
        employee: EmployeeId,
        by: EmployeeId,
        at: LocalTime,
    },
    NoSale {
        reason: String,
        by: EmployeeId,
        at: LocalTime,
    },
    CashMoved {
        movement: CashMovement,
        /// Over zero.
        amount: Money,
        reason: String,
        by: EmployeeId,
        at: LocalTime,
    },
    /// The drawer was counted and closed.
    DrawerCounted {
        /// Value of one piece and how many of them, dearest first.
        pieces: Vec<(Money, u32)>,
        counted: Money,
        expected: Money,
        by: EmployeeId,
        at: LocalTime,
    },
    /// One tender was given back. The sale goes on where it was the only one.
    TenderVoided {
        cart: CartId,
        /// Its place among the tenders, from 1.
        number: u32,
    },
    CouponTaken {
        cart: CartId,
        coupon: HandedCoupon,
    },
    CouponReturned {
        cart: CartId,
        /// Its place among the coupons, from 1.
        number: u32,
    },
    /// Something is taken off by hand.
    DiscountGiven {
        cart: CartId,
        discount: HandDiscount,
    },
    DiscountVoided {
        cart: CartId,
        /// Its place among the discounts by hand, from 1.
        number: u32,
    },
    /// The customer was told what the sale costs with a tender, or with any.
    TenderQuoted {
        cart: CartId,
        tender: Option<String>,
        before: Money,
        due: Money,
    },
    /// The open sale has the newest prices and promotions from now on.
    Requoted {
        cart: CartId,
        book: BookVersion,
        /// The new prices, by line.
        prices: BTreeMap<u32, Money>,
        /// What it cost before, and what it costs now.
        before: Money,
        due: Money,
    },
    /// What is left of promotions that are given only so often, as far as this lane knows.
    LimitsKnown {
        cart: CartId,
        /// How often each that is limited in the store or by the day may still be given; in place of
        /// what the sale knew of that.
        rights: BTreeMap<String, u32>,
        /// How often each that is limited by customer was given to the sale's.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        given: BTreeMap<String, u32>,
    },
    /// The card terminal is asked for something. Once this is durable it hears the question.
    CardAsked {
        ask: Box<CardAsk>,
    },
    /// The cashier wants the terminal to give up what it is asked for.
    CardCancelled {
        number: u64,
        by: EmployeeId,
        at: LocalTime,
    },
    /// What became of a question to the card terminal.
    CardAnswered {
        ask: Box<CardAsk>,
        answer: CardAnswer,
        /// It had been left to a person.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        late: bool,
        at: LocalTime,
    },
    /// Nobody could say what became of a question. The sale goes on as if it had not been asked, and a
    /// person finds out.
    CardLeft {
        ask: Box<CardAsk>,
        /// Why nobody could.
        doubt: String,
        reason: String,
        by: EmployeeId,
        at: LocalTime,
    },
    /// Stock was moved besides selling.
    StockMoved {
        item: ItemId,
        /// What was scanned or typed.
        code: String,
        work: StockWork,
        /// What it adds to stock, in thousandths of the item's unit; below zero what it takes.
        milli: i64,
        /// What was there, as far as the lane knew; none where nothing had been moved of it.
        before_milli: Option<i64>,
        by: EmployeeId,
        at: LocalTime,
    },
    /// A customer was made known, or something was said of one anew.
    CustomerKept {
        customer: CustomerId,
        /// Nothing was known of the customer, as far as the lane knew.
        created: bool,
        /// What was said, field by field; an empty text takes what was known away.
        fields: BTreeMap<CustomerField, String>,
        by: EmployeeId,
        at: LocalTime,
    },
    /// Two customers were found to be one and the same.
    CustomersMerged {
        /// Stands for the other one from now on.
        from: CustomerId,
        into: CustomerId,
        reason: String,
        by: EmployeeId,
        at: LocalTime,
    },
    /// A customer asked to be forgotten.
    CustomerErased {
        customer: CustomerId,
        reason: String,
        by: EmployeeId,
        at: LocalTime,
    },
    /// From now on nothing that is rung up on this lane counts.
    TrainingBegun {
        by: EmployeeId,
        at: LocalTime,
    },
    /// The lane sells again; what was rung up in training is gone.
    TrainingEnded {
        by: EmployeeId,
        at: LocalTime,
    },
    /// Something happened in training, and counts nowhere.
    Training {
        event: Box<Event>,
    },
    /// The period of the lane's reports ended.
    ReportedZ {
        /// From 1 on each lane.
        number: u64,
        report: Box<Tally>,
        by: EmployeeId,
        at: LocalTime,
    },
}

/// Cash that goes in or out of a drawer without a sale.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CashMovement {
    /// To the safe.
    Drop,
    PayIn,
    PayOut,
}
