//! What a cashier, a robot or a kiosk may ask of a lane.

use std::collections::BTreeMap;
use std::fmt;

use catalog::{CustomerField, CustomerId, EmployeeId, TaxId};
use serde::{Deserialize, Serialize};

use crate::{BusinessDay, DocumentKind, PayWith, StockWork};

/// A PIN on its way to being checked. Never shown, logged or journalled.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Pin(pub String);

impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pin(…)")
    }
}

/// A request to a lane. Amounts and quantities are text as typed: `12.34`, `3`, `0.455`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Command {
    SignIn {
        employee: EmployeeId,
        pin: Pin,
    },
    SignOut,
    /// Opens a cart before the first scan, with a reference of the caller's that the receipt keeps.
    OpenCart {
        #[serde(default)]
        reference: Option<String>,
    },
    /// Adds what a code stands for. `quantity` is pieces, or kilograms for what is weighed.
    Scan {
        code: String,
        #[serde(default)]
        quantity: Option<String>,
    },
    /// Adds what a code stands for, with what its scan asked for: the price of goods that have none
    /// of their own, per piece or kilogram, and the serial number of a piece.
    Sell {
        code: String,
        #[serde(default)]
        quantity: Option<String>,
        #[serde(default)]
        price: Option<String>,
        #[serde(default)]
        serial: Option<String>,
    },
    SetQuantity {
        line: u32,
        quantity: String,
    },
    VoidLine {
        line: u32,
    },
    /// Another unit price for a line; needs a supervisor.
    OverridePrice {
        line: u32,
        unit_price: String,
        reason: String,
    },
    /// The cashier has seen that the buyer is at least `years` old. Holds for the whole sale.
    ConfirmAge {
        years: u8,
    },
    /// The buyer showed when they were born, such as `1999-12-31`. How old that makes them is kept,
    /// and not the date.
    ConfirmBirth {
        born: String,
    },
    SetCustomer {
        customer: CustomerId,
    },
    /// Pays with cash; without an amount, exactly what is due.
    TenderCash {
        #[serde(default)]
        amount: Option<String>,
    },
    /// Gives all tenders back and goes on selling.
    CancelTender,
    VoidCart {
        reason: String,
    },
    /// Carries a command out with the role of somebody else, who proves it with a PIN on this lane.
    Approved {
        employee: EmployeeId,
        pin: Pin,
        command: Box<Command>,
    },
    /// Another tax for a line.
    OverrideTax {
        line: u32,
        tax: TaxId,
        reason: String,
    },
    /// A note on a line, or on the whole sale.
    Note {
        #[serde(default)]
        line: Option<u32>,
        text: String,
    },
    /// Puts the open sale aside, with what was paid so far, to be taken up on any lane.
    Suspend,
    /// Keeps the open sale as a document: a quote, whose prices hold until a day, or an order, which its
    /// customer collects on a day. It is taken up like a suspended sale.
    Keep {
        kind: DocumentKind,
        #[serde(default)]
        until: Option<BusinessDay>,
    },
    /// Takes a suspended sale up by the number on its slip. Scanning the slip does the same.
    Resume {
        slip: String,
    },
    /// Opens a business day on this lane; without a date, today's.
    OpenDay {
        #[serde(default)]
        day: Option<BusinessDay>,
    },
    /// Ends the lane's business day. The drawer must have been counted.
    CloseDay,
    /// Puts money into the drawer to begin with and assigns it to who is signed in.
    OpenDrawer {
        float: String,
    },
    AssignDrawer {
        employee: EmployeeId,
    },
    /// Opens the drawer without a sale.
    NoSale {
        reason: String,
    },
    /// Takes cash out of the drawer to the safe.
    Drop {
        amount: String,
    },
    PayIn {
        amount: String,
        reason: String,
    },
    PayOut {
        amount: String,
        reason: String,
    },
    /// Says what is in the drawer, without being told what should be, and closes it.
    CountDrawer {
        counted: Vec<CountedCash>,
    },
    /// Ends the period of this lane's reports and begins the next.
    ReportZ,
    /// Takes goods of a receipt back, of any lane: without a quantity, all that is left of a line.
    Return {
        receipt: String,
        line: u32,
        #[serde(default)]
        quantity: Option<String>,
        reason: String,
        /// Whether the goods go back to stock.
        #[serde(default)]
        restock: bool,
        /// The serial number of the piece, where it was sold by that.
        #[serde(default)]
        serial: Option<String>,
    },
    /// Takes goods back without a receipt, for what they cost now; needs a manager. Whoever brings them
    /// is the customer of the sale, or shows a document.
    ReturnUnreceipted {
        code: String,
        #[serde(default)]
        quantity: Option<String>,
        /// Of goods that have no price of their own, per piece or kilogram.
        #[serde(default)]
        price: Option<String>,
        #[serde(default)]
        serial: Option<String>,
        /// Which document was shown, such as `passport C01X0006H`; never the number of a card.
        #[serde(default)]
        document: Option<String>,
        reason: String,
        /// Whether the goods go back to stock; damaged ones do not.
        #[serde(default)]
        restock: bool,
    },
    /// Pays with what is not the store's own cash, or gives money back as store credit or on
    /// account; without an amount, all that is due.
    Tender {
        with: PayWith,
        #[serde(default)]
        amount: Option<String>,
    },
    /// Takes something off a line, or off the sale, by hand: either a percentage or an amount.
    Discount {
        #[serde(default)]
        line: Option<u32>,
        #[serde(default)]
        percent: Option<String>,
        #[serde(default)]
        amount: Option<String>,
        reason: String,
    },
    /// Takes a discount by hand back, counted from 1.
    VoidDiscount {
        number: u32,
    },
    /// Hands a coupon in. Scanning it does the same.
    Coupon {
        code: String,
    },
    /// Hands a coupon back, counted from 1.
    VoidCoupon {
        number: u32,
    },
    /// Quotes the sale as paid with a tender, such as `account`; without one, with any.
    Quote {
        #[serde(default)]
        tender: Option<String>,
    },
    /// Gives the open sale the newest prices and promotions, also where it then costs more. Where it
    /// costs less, that happens by itself as paying begins.
    Requote,
    /// Gives one tender back, counted from 1.
    VoidTender {
        number: u32,
    },
    /// Moves stock besides selling: goods that come in, a count, what puts it right, a transfer.
    Stock {
        code: String,
        /// Pieces or kilograms. Below zero only to put stock right, 0 only of a count.
        quantity: String,
        work: StockWork,
    },
    /// Makes a customer known; without a number, under one that the lane gives.
    CreateCustomer {
        #[serde(default)]
        customer: Option<CustomerId>,
        /// The name is needed.
        fields: BTreeMap<CustomerField, String>,
    },
    /// Says something of a customer anew. An empty text takes away what was known; what is not named
    /// stays.
    EditCustomer {
        customer: CustomerId,
        fields: BTreeMap<CustomerField, String>,
    },
    /// Two customers are one and the same: the number of the first stands for the second from now on.
    MergeCustomers {
        from: CustomerId,
        into: CustomerId,
        reason: String,
    },
    /// Forgets a customer, who asked for it.
    EraseCustomer {
        customer: CustomerId,
        reason: String,
    },
    /// From now on nothing that is rung up on this lane counts; needs a supervisor.
    BeginTraining,
    /// Drops what is rung up in training, and sells again; needs a supervisor.
    EndTraining,
    /// Has the card terminal give up what it is asked for, where it still can.
    CancelCard,
    /// Leaves a card payment to a person, of which the terminal cannot say what became of it.
    LeaveCard {
        reason: String,
    },
}

/// So many coins or notes of one value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CountedCash {
    /// The value of one, such as `0.25`.
    pub value: String,
    pub pieces: u32,
}

impl Command {
    /// The names of all commands.
    pub const NAMES: [&str; 49] = [
        "sign-in",
        "sign-out",
        "open-cart",
        "scan",
        "sell",
        "set-quantity",
        "void-line",
        "override-price",
        "confirm-age",
        "confirm-birth",
        "set-customer",
        "tender-cash",
        "cancel-tender",
        "void-cart",
        "approved",
        "override-tax",
        "note",
        "suspend",
        "keep",
        "resume",
        "open-day",
        "close-day",
        "open-drawer",
        "assign-drawer",
        "no-sale",
        "drop",
        "pay-in",
        "pay-out",
        "count-drawer",
        "report-z",
        "return",
        "return-unreceipted",
        "tender",
        "void-tender",
        "discount",
        "void-discount",
        "coupon",
        "void-coupon",
        "quote",
        "requote",
        "stock",
        "create-customer",
        "edit-customer",
        "merge-customers",
        "erase-customer",
        "begin-training",
        "end-training",
        "cancel-card",
        "leave-card",
    ];

    /// The command's name as the API writes it.
    pub fn name(&self) -> &'static str {
        match self {
            Command::SignIn { .. } => "sign-in",
            Command::SignOut => "sign-out",
            Command::OpenCart { .. } => "open-cart",
            Command::Scan { .. } => "scan",
            Command::Sell { .. } => "sell",
            Command::SetQuantity { .. } => "set-quantity",
            Command::VoidLine { .. } => "void-line",
            Command::OverridePrice { .. } => "override-price",
            Command::ConfirmAge { .. } => "confirm-age",
            Command::ConfirmBirth { .. } => "confirm-birth",
            Command::SetCustomer { .. } => "set-customer",
            Command::TenderCash { .. } => "tender-cash",
            Command::CancelTender => "cancel-tender",
            Command::VoidCart { .. } => "void-cart",
            Command::Approved { .. } => "approved",
            Command::OverrideTax { .. } => "override-tax",
            Command::Note { .. } => "note",
            Command::Suspend => "suspend",
            Command::Keep { .. } => "keep",
            Command::Resume { .. } => "resume",
            Command::OpenDay { .. } => "open-day",
            Command::CloseDay => "close-day",
            Command::OpenDrawer { .. } => "open-drawer",
            Command::AssignDrawer { .. } => "assign-drawer",
            Command::NoSale { .. } => "no-sale",
            Command::Drop { .. } => "drop",
            Command::PayIn { .. } => "pay-in",
            Command::PayOut { .. } => "pay-out",
            Command::CountDrawer { .. } => "count-drawer",
            Command::ReportZ => "report-z",
            Command::Return { .. } => "return",
            Command::ReturnUnreceipted { .. } => "return-unreceipted",
            Command::Tender { .. } => "tender",
            Command::VoidTender { .. } => "void-tender",
            Command::Discount { .. } => "discount",
            Command::VoidDiscount { .. } => "void-discount",
            Command::Coupon { .. } => "coupon",
            Command::VoidCoupon { .. } => "void-coupon",
            Command::Quote { .. } => "quote",
            Command::Requote => "requote",
            Command::Stock { .. } => "stock",
            Command::CreateCustomer { .. } => "create-customer",
            Command::EditCustomer { .. } => "edit-customer",
            Command::MergeCustomers { .. } => "merge-customers",
            Command::EraseCustomer { .. } => "erase-customer",
            Command::BeginTraining => "begin-training",
            Command::EndTraining => "end-training",
            Command::CancelCard => "cancel-card",
            Command::LeaveCard { .. } => "leave-card",
        }
    }
}
