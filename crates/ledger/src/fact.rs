//! What can happen on a lane.

use sale::{Cart, Event, HandedCoupon, Line, LineTotal, TaxRules, Tender, Terms};
use serde::{Deserialize, Serialize};

use crate::Entry;
use crate::entry::{format_unsaid, is_format_unsaid};

/// The content of a journal entry. Variants and fields are only ever added.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(
    clippy::large_enum_variant,
    reason = "nearly every fact is an event, and few facts are held at a time"
)]
pub enum Fact {
    /// The lane's process began. The first entry of every journal, and one for each start.
    LaneStarted {
        name: String,
        release: String,
        /// The newest entry format that it reads.
        #[serde(default = "format_unsaid", skip_serializing_if = "is_format_unsaid")]
        reads: u16,
    },
    /// The lane's process ended in good order.
    LaneClosed,
    /// The lane can sell again. It could not, because its journal could not be made durable: for
    /// `reason`, since `since_ms` by its own wall clock.
    SellingResumed { reason: String, since_ms: u64 },
    /// Something happened on the register. `request` is the id under which a caller asked for it,
    /// on every event of that command, so that a command sent twice counts once.
    Register {
        event: Event,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        request: Option<String>,
    },
    /// An entry that another machine wrote under a lane's id, in a journal that parts from the one
    /// that the store has of that lane: a copy of its disk was at work. Kept here as it was written,
    /// by a lane that held it, so that it is not lost with that machine.
    CarriedOver { entry: Entry },
}

impl Fact {
    /// The oldest entry format that can say this.
    pub fn format(&self) -> u16 {
        match self {
            Fact::Register { event, .. } => event_format(event),
            Fact::LaneStarted { .. } | Fact::LaneClosed | Fact::SellingResumed { .. } => {
                FORMAT_FIRST
            }
            // Earlier releases would take it for something that they cannot read.
            Fact::CarriedOver { .. } => FORMAT_CARRIES_OVER,
        }
    }
}

/// The oldest entry format that can say [`Fact::CarriedOver`].
pub const FORMAT_CARRIES_OVER: u16 = 4;

/// What every release reads.
pub const FORMAT_FIRST: u16 = 1;

/// The oldest entry format that can say what decides on a sale's price besides its lines.
pub(crate) const FORMAT_TERMS: u16 = 3;

/// The oldest entry format that can say how a sale is taxed by several authorities, or otherwise
/// than line by line, and which goods are sold along with others, in kits or with their packing.
pub(crate) const FORMAT_GOODS_AND_TAXES: u16 = 5;

/// The oldest entry format that can say what must be bought for a coupon.
const FORMAT_COUPONS_ASK: u16 = 6;

/// The oldest entry format that can say what a card terminal is asked, and what a card paid.
pub(crate) const FORMAT_CARDS: u16 = 8;

/// The oldest entry format that can say that an open sale was quoted anew.
pub const FORMAT_REQUOTES: u16 = 9;

/// The oldest entry format that can say what a customer bought before, by item. What customers buy is
/// counted so from the moment on at which all lanes of a store read it.
pub const FORMAT_BOUGHT: u16 = 10;

/// The oldest entry format that can say that goods came back without a receipt, that stock was moved
/// besides selling, and what happened in training.
pub(crate) const FORMAT_GOODS: u16 = 12;

/// The oldest entry format that can say what goods must cost at least.
pub(crate) const FORMAT_FLOORS: u16 = 13;

/// The oldest entry format that can say what is left of promotions that are given only so often. How
/// often they were given is counted, and what comes back taken off, from the moment on at which all
/// lanes of a store read it.
pub const FORMAT_LIMITS: u16 = 14;

/// The oldest entry format that can say that a gift card was loaded, or spent.
pub(crate) const FORMAT_GIFT_CARDS: u16 = 15;

/// The oldest entry format that can say something of customers.
pub(crate) const FORMAT_CUSTOMERS: u16 = 16;

/// The oldest entry format whose releases keep rules of tenders, what points are worth, and the language of
/// papers.
pub(crate) const FORMAT_TENDER_RULES: u16 = 16;

/// The oldest entry format that can say that a sale is kept as a document.
pub(crate) const FORMAT_DOCUMENTS: u16 = 16;

/// The oldest entry format that can say that points paid. What customers have is counted from the moment
/// on at which all lanes of a store read it.
pub const FORMAT_POINTS: u16 = 16;

/// The oldest entry format whose releases keep when receipts are printed.
pub(crate) const FORMAT_PRINTING: u16 = 17;

/// The oldest entry format whose releases keep the logo and the QR code of receipts.
pub(crate) const FORMAT_PICTURES: u16 = 18;

/// The oldest entry format that can say that this happened on a register.
pub fn event_format(event: &Event) -> u16 {
    match event {
        // Earlier releases do not read these.
        Event::CustomerKept { .. }
        | Event::CustomersMerged { .. }
        | Event::CustomerErased { .. } => FORMAT_CUSTOMERS,
        Event::Suspended { open, .. } if open.kept.is_some() => FORMAT_DOCUMENTS,
        Event::Completed { receipt, .. } if any_points(&receipt.tenders) => FORMAT_POINTS,
        Event::Suspended { open, .. } | Event::Resumed { open, .. }
            if any_points(&open.tenders) =>
        {
            FORMAT_POINTS
        }
        // Earlier releases would load nothing onto the card.
        Event::LineAdded { line, .. } if is_gift_card(line) => FORMAT_GIFT_CARDS,
        Event::Completed { receipt, .. }
            if receipt.lines.iter().any(is_gift_card) || any_gift_card(&receipt.tenders) =>
        {
            FORMAT_GIFT_CARDS
        }
        Event::Suspended { open, .. } | Event::Resumed { open, .. }
            if open.lines.iter().any(is_gift_card) || any_gift_card(&open.tenders) =>
        {
            FORMAT_GIFT_CARDS
        }
        // Earlier releases would give what is limited in the store to nobody.
        Event::LimitsKnown { .. } => FORMAT_LIMITS,
        Event::Completed { receipt, .. } if any_rights(&receipt.detail.terms) => FORMAT_LIMITS,
        Event::Suspended { open, .. } | Event::Resumed { open, .. } if any_rights(&open.terms) => {
            FORMAT_LIMITS
        }
        // Earlier releases would take more off than they should.
        Event::LineAdded { line, .. } if has_floor(line) => FORMAT_FLOORS,
        Event::Completed { receipt, .. } if receipt.lines.iter().any(has_floor) => FORMAT_FLOORS,
        Event::Suspended { open, .. } | Event::Resumed { open, .. }
            if open.lines.iter().any(has_floor) =>
        {
            FORMAT_FLOORS
        }
        // Earlier releases would count these as returns of a receipt without a number.
        Event::LineAdded { line, .. } if line.unreceipted().is_some() => FORMAT_GOODS,
        Event::Completed { receipt, .. } if any_unreceipted(&receipt.lines) => FORMAT_GOODS,
        Event::Suspended { open, .. } | Event::Resumed { open, .. }
            if any_unreceipted(&open.lines) =>
        {
            FORMAT_GOODS
        }
        // Earlier releases do not read these.
        Event::StockMoved { .. } | Event::TrainingBegun { .. } | Event::TrainingEnded { .. } => {
            FORMAT_GOODS
        }
        Event::Training { event } => FORMAT_GOODS.max(event_format(event)),
        // Earlier releases would take it that nothing was bought.
        Event::CustomerSet { standing, .. } if !standing.bought.is_empty() => FORMAT_BOUGHT,
        Event::Completed { receipt, .. } if any_bought(&receipt.detail.terms) => FORMAT_BOUGHT,
        Event::Suspended { open, .. } | Event::Resumed { open, .. } if any_bought(&open.terms) => {
            FORMAT_BOUGHT
        }
        // Earlier releases do not read these.
        Event::Requoted { .. } => FORMAT_REQUOTES,
        Event::CardAsked { .. }
        | Event::CardCancelled { .. }
        | Event::CardAnswered { .. }
        | Event::CardLeft { .. } => FORMAT_CARDS,
        Event::Completed { receipt, .. } if any_card(&receipt.tenders) => FORMAT_CARDS,
        Event::Suspended { open, .. } | Event::Resumed { open, .. } if any_card(&open.tenders) => {
            FORMAT_CARDS
        }
        // Earlier releases would give something for coupons whose purchases were not made.
        Event::CouponTaken { coupon, .. } if asks(coupon) => FORMAT_COUPONS_ASK,
        Event::Completed { receipt, .. } if any_asks(&receipt.detail.terms) => FORMAT_COUPONS_ASK,
        Event::Suspended { open, .. } | Event::Resumed { open, .. } if any_asks(&open.terms) => {
            FORMAT_COUPONS_ASK
        }
        // Earlier releases would tax these sales otherwise, report less of them, and take a kit itself
        // out of stock.
        Event::CartOpened { place, .. } if place.tax != TaxRules::default() => {
            FORMAT_GOODS_AND_TAXES
        }
        Event::CustomerSet { standing, .. } if standing.exemption.is_some() => {
            FORMAT_GOODS_AND_TAXES
        }
        Event::LineAdded { line, .. } if !line_is_old(line) => FORMAT_GOODS_AND_TAXES,
        Event::TaxOverridden { tax, .. } if !tax.parts.is_empty() => FORMAT_GOODS_AND_TAXES,
        Event::Completed { receipt, .. }
            if receipt.detail.terms.decide_on_tax()
                || !receipt.lines.iter().all(line_is_old)
                || !receipt.totals.lines.iter().all(total_is_old) =>
        {
            FORMAT_GOODS_AND_TAXES
        }
        Event::Suspended { open, .. } | Event::Resumed { open, .. } if !cart_is_old(open) => {
            FORMAT_GOODS_AND_TAXES
        }
        Event::SignedIn { .. }
        | Event::SignedOut { .. }
        | Event::SignInFailed { .. }
        | Event::CartOpened { .. }
        | Event::LineAdded { .. }
        | Event::QuantityChanged { .. }
        | Event::PriceOverridden { .. }
        | Event::LineVoided { .. }
        | Event::AgeConfirmed { .. }
        | Event::CustomerSet { .. }
        | Event::TenderStarted { .. }
        | Event::TendersReturned { .. }
        | Event::CartVoided { .. } => 1,
        Event::Tendered { tender, .. } => tender_format(tender),
        Event::Completed { receipt, .. } => {
            // Earlier releases would count what came back as sold.
            let returns = receipt.lines.iter().any(|l| l.detail.returned.is_some());
            let tenders = receipt.tenders.iter().map(tender_format).max();
            tenders.unwrap_or(1).max(if returns { 2 } else { 1 })
        }
        // Earlier releases would price these sales without what decides on their price.
        Event::CouponTaken { .. }
        | Event::CouponReturned { .. }
        | Event::DiscountGiven { .. }
        | Event::DiscountVoided { .. }
        | Event::TenderQuoted { .. } => FORMAT_TERMS,
        Event::Suspended { open, .. } | Event::Resumed { open, .. } if open.terms.matter() => {
            FORMAT_TERMS
        }
        Event::Suspended { .. }
        | Event::Resumed { .. }
        | Event::TaxOverridden { .. }
        | Event::Noted { .. }
        | Event::Approved { .. }
        | Event::DayOpened { .. }
        | Event::DayClosed { .. }
        | Event::DrawerOpened { .. }
        | Event::DrawerAssigned { .. }
        | Event::NoSale { .. }
        | Event::CashMoved { .. }
        | Event::DrawerCounted { .. }
        | Event::TenderVoided { .. }
        | Event::ReportedZ { .. } => 2,
    }
}

fn has_floor(line: &Line) -> bool {
    line.detail.floor.is_some()
}

fn any_rights(terms: &Terms) -> bool {
    !terms.rights.is_empty()
}

fn any_bought(terms: &Terms) -> bool {
    !terms.standing.bought.is_empty()
}

fn any_unreceipted(lines: &[Line]) -> bool {
    lines.iter().any(|line| line.unreceipted().is_some())
}

fn asks(coupon: &HandedCoupon) -> bool {
    coupon.asks.is_some()
}

fn any_asks(terms: &Terms) -> bool {
    terms.coupons.iter().any(asks)
}

/// Whether releases before [`FORMAT_GOODS_AND_TAXES`] make of it what it says.
fn cart_is_old(cart: &Cart) -> bool {
    !cart.terms.decide_on_tax() && cart.lines.iter().all(line_is_old)
}

fn line_is_old(line: &Line) -> bool {
    let detail = &line.detail;
    let returned = detail.returned.as_ref();
    let plain = detail.linked_to.is_none() && detail.kit.is_empty() && detail.tare_grams == 0;
    plain && line.tax.parts.is_empty() && returned.is_none_or(|of| total_is_old(&of.cost))
}

fn total_is_old(total: &LineTotal) -> bool {
    total.tax_detail.is_plain()
}

fn tender_format(tender: &Tender) -> u16 {
    match tender {
        Tender::Cash { .. } => 1,
        Tender::Rounding { .. }
        | Tender::ForeignCash { .. }
        | Tender::Voucher { .. }
        | Tender::Cheque { .. }
        | Tender::StoreCredit { .. }
        | Tender::Account { .. } => 2,
        Tender::Card { .. } => FORMAT_CARDS,
        Tender::GiftCard { .. } => FORMAT_GIFT_CARDS,
        Tender::Points { .. } => FORMAT_POINTS,
    }
}

fn any_points(tenders: &[Tender]) -> bool {
    let is_one = |tender: &Tender| matches!(tender, Tender::Points { .. });
    tenders.iter().any(is_one)
}

fn is_gift_card(line: &Line) -> bool {
    line.detail.gift_card.is_some()
}

fn any_gift_card(tenders: &[Tender]) -> bool {
    let is_one = |tender: &Tender| matches!(tender, Tender::GiftCard { .. });
    tenders.iter().any(is_one)
}

fn any_card(tenders: &[Tender]) -> bool {
    tenders.iter().any(|t| matches!(t, Tender::Card { .. }))
}
