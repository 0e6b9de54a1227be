//! Why a command was not carried out, in words for a cashier, with what would be allowed.

mod french;
mod german;
mod spanish;
mod why;

use catalog::{CustomerField, Language, Role};
use money::Money;
use serde::{Deserialize, Serialize};

use crate::BusinessDay;
pub use why::Why;

/// A command that was refused. Nothing was changed by it. Over the API it stands beside a `message`
/// and a `hint`, so no field may be written under these names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "code", rename_all = "kebab-case")]
pub enum Refusal {
    #[error("No one is signed in on this lane.")]
    NotSignedIn,
    #[error("{name} is signed in on this lane.")]
    AlreadySignedIn { name: String },
    #[error("That number and PIN do not match.")]
    WrongPin,
    #[error("Too many wrong PINs for this number. Try again in {seconds} s.")]
    TooManyWrongPins { seconds: u32 },
    #[error("An older release on {lanes} does not know this yet.")]
    NotInStoreYet { lanes: String },
    #[error("A sale is open.")]
    SaleOpen,
    #[error("There is no open sale.")]
    NoSale,
    #[error("Paying has begun: {paid} of {due} is paid.")]
    Paying { paid: Money, due: Money },
    #[error("Paying has not begun.")]
    NotPaying,
    #[error("No item has the code {scanned}.")]
    UnknownCode { scanned: String },
    #[error("{reason}")]
    BadCode { scanned: String, reason: Box<Why> },
    #[error("{description} is sold by weight.")]
    WeightNeeded {
        scanned: String,
        description: String,
    },
    #[error("{description} has no price of its own.")]
    PriceNeeded {
        scanned: String,
        description: String,
    },
    #[error("{description} has a price of its own.")]
    PriceIsSet { description: String },
    #[error("{description} is sold by its serial number.")]
    SerialNeeded {
        scanned: String,
        description: String,
    },
    #[error("{description} with the serial number {serial} is in this sale already.")]
    SerialTwice { description: String, serial: String },
    #[error("{description} of that receipt has another serial number.")]
    OtherSerial { description: String },
    #[error("That is sold along with line {with}.")]
    LinkedLine { with: u32 },
    #[error("{description} is sold along with item {item}, which cannot be sold so.")]
    LinkedMissing { description: String, item: String },
    #[error("{born} is no date of birth.")]
    BadBirth { born: String },
    #[error("{description}: the buyer must be {years} or older.")]
    AgeCheck {
        scanned: String,
        description: String,
        years: u8,
    },
    #[error("{description} expired on {expires}.")]
    Expired {
        description: String,
        expires: String,
    },
    #[error("{description} was recalled: {reason}")]
    Recalled { description: String, reason: String },
    #[error("No promotion here takes the coupon {coupon}.")]
    CouponUnknown { coupon: String },
    #[error("The coupon {coupon} is good {good}.")]
    CouponNotNow { coupon: String, good: Box<Why> },
    #[error("The coupon {coupon} was handed over already.")]
    CouponTwice { coupon: String },
    #[error("The coupon {coupon} was used on receipt {receipt}.")]
    CouponUsed { coupon: String, receipt: String },
    #[error("There is no coupon or discount {number} in this sale.")]
    NoSuchOffer { number: u32 },
    #[error("That is more than anybody may take off by hand.")]
    DiscountTooLarge,
    #[error("That is no name of a tender.")]
    BadTender,
    #[error("Paid with {tender} it costs {due}, and the customer was told {told}.")]
    OtherPrice {
        tender: String,
        told: Money,
        due: Money,
    },
    #[error("The sale has the newest prices already.")]
    NoNewerPrices,
    #[error("{reason}")]
    BadQuantity { reason: Box<Why> },
    #[error("{reason}")]
    BadAmount { reason: Box<Why> },
    #[error("There is no line {line} in this sale.")]
    NoSuchLine { line: u32 },
    #[error("There is no customer {customer}.")]
    UnknownCustomer { customer: String },
    #[error("An order has a customer.")]
    CustomerNeeded,
    #[error("There is a customer {customer} already.")]
    CustomerExists { customer: String },
    #[error("{}: {reason}.", field.name())]
    BadCustomer {
        field: CustomerField,
        reason: Box<Why>,
    },
    #[error("That is what is known of {name} already.")]
    CustomerAsKnown { name: String },
    #[error("Both numbers are of the customer {customer}.")]
    SameCustomer { customer: String },
    #[error("That needs a {}.", role_name(*needs))]
    NotAllowed { needs: Role },
    #[error("The sale has {lines} lines, the most that one sale can have.")]
    CartFull { lines: usize },
    #[error("There is nothing in the sale to pay for.")]
    NothingToPay,
    #[error("The store's tax category {tax} is missing.")]
    TaxMissing { tax: String },
    #[error("A reason is needed.")]
    ReasonNeeded,
    #[error("That command cannot be approved for another.")]
    NotApprovable,
    #[error("{reason}")]
    BadNote { reason: Box<Why> },
    #[error("No suspended sale has the slip {slip}.")]
    UnknownSlip { slip: String },
    #[error("The business day {day} is open.")]
    DayOpen { day: BusinessDay },
    #[error("No business day was opened on this lane.")]
    NoDayOpen,
    #[error("{day} is no day.")]
    BadDay { day: BusinessDay },
    #[error("The drawer is open and has not been counted.")]
    DrawerOpen,
    #[error("No drawer is open on this lane.")]
    NoDrawer,
    #[error("The drawer is {employee}'s.")]
    DrawerOfAnother { employee: String },
    #[error("There is no employee {employee}.")]
    UnknownEmployee { employee: String },
    #[error("No receipt {receipt} is known on this lane.")]
    UnknownReceipt { receipt: String },
    #[error("{description} is not taken back.")]
    NotReturnable { description: String },
    #[error("{description}: {left} of it can still be returned.")]
    AlreadyReturned { description: String, left: String },
    #[error("Goods are taken back without a receipt only from somebody who is identified.")]
    NotIdentified,
    #[error("No more than {left} is given back without a receipt.")]
    ReturnLimit { left: Money },
    #[error("Without a receipt, no more than {left} is given back with {tender}.")]
    RefundLimit { tender: String, left: Money },
    #[error("{description} is a kit: its parts are in stock.")]
    KitStock { description: String },
    #[error("A transfer names the store that it goes to or comes from.")]
    PlaceNeeded,
    #[error("This lane is in training.")]
    InTraining,
    #[error("This lane is not in training.")]
    NotInTraining,
    #[error("That line takes goods back.")]
    ReturnLine,
    #[error("No more than {left} can be taken.")]
    OverTender { left: Money },
    #[error("With {tender}, no less than {least} is paid.")]
    TenderTooSmall { tender: String, least: Money },
    #[error("With {tender}, no more than {left} can be paid on this sale.")]
    TenderTooLarge { tender: String, left: Money },
    #[error("With {tender}, all of the {left} is paid.")]
    TenderWhole { tender: String, left: Money },
    #[error("Money is not given back that way.")]
    NotForRefunds,
    #[error("{currency} is not taken here.")]
    CurrencyNotTaken { currency: String },
    #[error("That number cannot be kept.")]
    BadNumber,
    #[error("There is no credit note {number}.")]
    UnknownCredit { number: String },
    #[error("The credit note holds {left}.")]
    CreditTooSmall { left: Money },
    #[error("There is no gift card {number}.")]
    UnknownGiftCard { number: String },
    #[error("The gift card holds {left}.")]
    GiftCardTooSmall { left: Money },
    #[error("This lane is cut off from the store: the gift card may be spent elsewhere.")]
    GiftCardCutOff,
    #[error("{description} is loaded onto a card, whose number is needed.")]
    GiftCardNeeded {
        scanned: String,
        description: String,
    },
    #[error("{description} costs what is loaded onto the card.")]
    GiftCardLine { description: String },
    #[error("Points pay nothing in this sale.")]
    NoPoints,
    #[error("The customer has {points} points, and {step} of them are the least that pay.")]
    PointsTooFew { points: i64, step: u32 },
    #[error("This lane is cut off from the store: the points may be spent elsewhere.")]
    PointsCutOff,
    #[error("The sale has no customer who may buy on account.")]
    NoAccount,
    #[error("There is no tender {number} in this sale.")]
    NoSuchTender { number: u32 },
    #[error("No card terminal belongs to this lane.")]
    NoTerminal,
    #[error("The card terminal is at {amount}.")]
    CardOpen { amount: Money },
    #[error("The card terminal is asked for nothing.")]
    NoCardOpen,
    #[error("Tender {number} was paid by card.")]
    CardPaid { number: u32 },
    #[error("That was given back to the card.")]
    CardRefunded,
    #[error("No card paid for what comes back, or it was given all of it back.")]
    NoCardToRefund,
    #[error("No tips are taken here.")]
    NoTips,
}

fn role_name(role: Role) -> &'static str {
    match role {
        Role::Cashier => "cashier",
        Role::Supervisor => "supervisor",
        Role::Manager => "manager",
    }
}

impl Refusal {
    /// The message and the hint in a store's language, with numbers and dates as it writes them.
    pub fn said(&self, language: Language) -> (String, &'static str) {
        match language {
            Language::English => (self.to_string(), self.hint()),
            Language::German => german::said(self),
            Language::French => french::said(self),
            Language::Spanish => spanish::said(self),
        }
    }

    pub(crate) fn amount(reason: impl Into<Why>) -> Refusal {
        let reason = Box::new(reason.into());
        Refusal::BadAmount { reason }
    }

    pub(crate) fn quantity(reason: impl Into<Why>) -> Refusal {
        let reason = Box::new(reason.into());
        Refusal::BadQuantity { reason }
    }

    pub(crate) fn note(reason: Why) -> Refusal {
        let reason = Box::new(reason);
        Refusal::BadNote { reason }
    }

    /// What the person can do next.
    pub fn hint(&self) -> &'static str {
        match self {
            Refusal::NotSignedIn => "Sign in with your number and PIN.",
            Refusal::AlreadySignedIn { .. } => "Sign out first.",
            Refusal::WrongPin => "Type both again. A manager can set a new PIN.",
            Refusal::TooManyWrongPins { .. } => {
                "Wait, then type both again. A manager can set a new PIN."
            }
            Refusal::SaleOpen => "Finish the sale or void it first.",
            Refusal::NoSale => "Scan an item to begin.",
            Refusal::Paying { .. } => "Take the rest, or go back to the sale.",
            Refusal::NotPaying => "Press Pay first.",
            Refusal::NotInStoreYet { .. } => "Go on without it until that release is updated.",
            Refusal::UnknownCode { .. } => "Check the number, or look the item up by name.",
            Refusal::BadCode { .. } => "Scan it again, or type the number under the bars.",
            Refusal::WeightNeeded { .. } => "Put it on the scale, or type the weight in kilograms.",
            Refusal::PriceNeeded { .. } => "Type its price.",
            Refusal::PriceIsSet { .. } => {
                "Scan it without a price. A supervisor can set another on the line."
            }
            Refusal::SerialNeeded { .. } => "Scan or type the serial number of the piece.",
            Refusal::SerialTwice { .. } => "Take the next piece, or check the number.",
            Refusal::OtherSerial { .. } => {
                "Look for the line with the number that is on the goods; take no others back."
            }
            Refusal::LinkedLine { .. } => "Change or void that line: this one goes with it.",
            Refusal::LinkedMissing { .. } => {
                "A manager must import that item, by the piece and with a price."
            }
            Refusal::BadBirth { .. } => "Write it like 1999-12-31.",
            Refusal::AgeCheck { .. } => "Check the buyer's age, then confirm.",
            Refusal::Expired { .. } => "Take it off the shelf and offer the customer another.",
            Refusal::Recalled { .. } => "Keep it from the customer and tell a manager.",
            Refusal::CouponUnknown { .. } => {
                "Give it back; a manager can ask head office about it."
            }
            Refusal::CouponNotNow { .. } => "Give it back to the customer.",
            Refusal::CouponTwice { .. } => "Go on with the sale.",
            Refusal::CouponUsed { .. } => "Keep it, and ask a supervisor if the customer objects.",
            Refusal::NoSuchOffer { .. } => "Choose one that is shown.",
            Refusal::DiscountTooLarge => {
                "Take less off. What each role may give is stated in the store's promotions."
            }
            Refusal::BadTender => "Write it like store-card.",
            Refusal::OtherPrice { .. } => "Quote the price with it first, then take the money.",
            Refusal::NoNewerPrices => "Go on with the sale.",
            Refusal::BadQuantity { .. } => "Type a number over zero.",
            Refusal::BadAmount { .. } => "Type an amount such as 20.00.",
            Refusal::NoSuchLine { .. } => "Choose a line that is shown.",
            Refusal::UnknownCustomer { .. } => "Check the number, or go on without a customer.",
            Refusal::CustomerNeeded => "Set the customer, or make them known first.",
            Refusal::CustomerExists { .. } => {
                "Say what is new of that customer, or leave the number out: the lane gives one."
            }
            Refusal::BadCustomer { .. } => "Write it so, or leave it out.",
            Refusal::CustomerAsKnown { .. } | Refusal::SameCustomer { .. } => {
                "Nothing is left to do."
            }
            Refusal::NotAllowed { .. } => "Ask a supervisor or manager to approve it on this lane.",
            Refusal::CartFull { .. } => "Finish this sale and begin another.",
            Refusal::NothingToPay => "Scan an item first, or void the sale.",
            Refusal::ReasonNeeded => "Say why, in a few words.",
            Refusal::NotApprovable => "Let the person do it after signing in.",
            Refusal::BadNote { .. } => "Write something else.",
            Refusal::UnknownSlip { .. } => {
                "Check the number. It may have been taken up on another lane, or not be here yet."
            }
            Refusal::DayOpen { .. } => "Close it first.",
            Refusal::NoDayOpen => "Open the day first; without that, days follow the calendar.",
            Refusal::BadDay { .. } => "Write it like 2026-11-27.",
            Refusal::DrawerOpen => "Count the drawer first.",
            Refusal::NoDrawer => "Open the drawer with its float first.",
            Refusal::DrawerOfAnother { .. } => "Have the drawer assigned, or take another tender.",
            Refusal::UnknownReceipt { .. } => {
                "Check the number. A lane that is cut off may have it and not have shared it yet."
            }
            Refusal::NotReturnable { .. } => "A manager decides on what else to offer.",
            Refusal::AlreadyReturned { .. } => "Void the line and take back no more than that.",
            Refusal::NotIdentified => {
                "Set the customer of the sale, or say which document was shown."
            }
            Refusal::ReturnLimit { .. } => {
                "Ask for the receipt, or take back less. The store's settings say how much."
            }
            Refusal::RefundLimit { .. } => {
                "Give the rest another way that the store's settings allow, or void the line."
            }
            Refusal::KitStock { .. } => "Move its parts.",
            Refusal::PlaceNeeded => "Say which store, by its name or number.",
            Refusal::InTraining => "End the training first.",
            Refusal::NotInTraining => "Go on selling.",
            Refusal::ReturnLine => "Void the line and take the goods back again.",
            Refusal::OverTender { .. } => {
                "Take that much. For what change is given stands in the store's settings."
            }
            Refusal::TenderTooSmall { .. }
            | Refusal::TenderTooLarge { .. }
            | Refusal::TenderWhole { .. } => {
                "Take that much, or another tender. The store's settings say so."
            }
            Refusal::NotForRefunds => "Give cash, store credit, or take it off the account.",
            Refusal::CurrencyNotTaken { .. } => {
                "Take one that the store's settings have a rate for."
            }
            Refusal::BadNumber => {
                "Type letters, digits and dashes, at most 40, and no card number."
            }
            Refusal::UnknownCredit { .. } => "Check the number on the note.",
            Refusal::CreditTooSmall { .. } | Refusal::GiftCardTooSmall { .. } => {
                "Take that much, and the rest otherwise."
            }
            Refusal::UnknownGiftCard { .. } => {
                "Check the number on the card; it holds something once it was sold and paid."
            }
            Refusal::NoPoints => {
                "Set the customer first. What points are worth stands in the store's settings."
            }
            Refusal::PointsTooFew { .. } => "Take no more than that, and the rest otherwise.",
            Refusal::GiftCardCutOff | Refusal::PointsCutOff => {
                "Take another tender, or put the sale aside until the lanes are together."
            }
            Refusal::GiftCardNeeded { .. } => "Scan or type the number of the card.",
            Refusal::GiftCardLine { .. } => "Void the line, and load another amount.",
            Refusal::NoAccount => "Set the customer first, or take another tender.",
            Refusal::NoSuchTender { .. } => "Choose a tender that is shown.",
            Refusal::NoTerminal => {
                "Take another tender. The lane is told of its terminal at its start."
            }
            Refusal::CardOpen { .. } => {
                "Wait for its answer. It can be cancelled, and left to a person once it is in doubt."
            }
            Refusal::NoCardOpen => "Go on with the sale.",
            Refusal::CardPaid { .. } => "Give that tender back first.",
            Refusal::CardRefunded => "Finish the return; a new sale can charge the card again.",
            Refusal::NoCardToRefund => "Give the rest as cash or store credit.",
            Refusal::NoTips => "Charge it without a tip. The store's settings can allow them.",
            Refusal::UnknownEmployee { .. } => "Check the number.",
            Refusal::TaxMissing { .. } => "A manager must import the store's tax categories.",
        }
    }
}
