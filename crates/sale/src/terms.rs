//! What decides on a sale's price besides its lines: where it is sold and to whom, the coupons that
//! were handed over, what is taken off by hand, and the tender it will be paid with.
//!
//! All of it is in the cart, and so in the journal and on the receipt: a sale can be priced again
//! from those alone. A coupon whose promotions gave nothing stays the customer's. Whether two lanes
//! that cannot reach each other take the same single coupon is found when their entries are applied.

use std::collections::{BTreeMap, BTreeSet};

use catalog::{CouponCode, Customer, EmployeeId, ItemId, Purchases, Role, Settings};
use money::{Currency, Money, Rate};
use promotions::{
    Basket, CompiledBook, ManualDiscount, ManualOff, Place, PromotionId, refused_by_hand,
};
use serde::{Deserialize, Serialize};

use crate::decide::{Decision, parse_amount, selling, with_cart};
use crate::people::{Who, reasoned};
use crate::price::{basket_of, price, shopper_of};
use crate::{Cart, Context, Event, Phase, Refusal, Register, TaxRules, Why, gift_cards};

/// The most coupons of one sale, and the most discounts by hand.
const COUPONS_MAX: usize = 50;
const DISCOUNTS_MAX: usize = 50;
/// The longest name of a tender, in characters.
const TENDER_CHARS_MAX: usize = 40;
/// Between the code of a coupon and its own number, where it has one: `SPRING:1-000123`.
const SERIAL_MARK: char = ':';

/// The channel of what is sold at a register.
const CHANNEL: &str = "store";

/// What decides on a sale's price besides its lines.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Terms {
    /// Where the sale was opened.
    #[serde(skip_serializing_if = "is_plain")]
    pub place: SoldAt,
    #[serde(skip_serializing_if = "is_plain")]
    pub standing: Standing,
    /// At most [`COUPONS_MAX`].
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub coupons: Vec<HandedCoupon>,
    /// At most [`DISCOUNTS_MAX`].
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub discounts: Vec<HandDiscount>,
    /// The tender for which the sale was quoted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tender: Option<String>,
    /// How often promotions that are limited in the store or by the day may still be given, as far as
    /// the lane knew. One that is not named is not given.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub rights: BTreeMap<String, u32>,
}

pub(crate) fn is_plain<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl Terms {
    /// Whether there is something that a release without terms would price otherwise.
    pub fn matter(&self) -> bool {
        let Terms {
            place: _,
            standing,
            coupons,
            discounts,
            tender,
            rights,
        } = self;
        !is_plain(standing)
            || !coupons.is_empty()
            || !discounts.is_empty()
            || tender.is_some()
            || !rights.is_empty()
    }

    /// Whether they decide on the tax.
    pub fn decide_on_tax(&self) -> bool {
        !is_plain(&self.place.tax) || self.standing.exemption.is_some()
    }
}

/// The lane at which a sale was opened, as promotions know it, and how its store taxes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SoldAt {
    /// Head office's number of the store; empty where it has none.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub store: String,
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub store_groups: BTreeSet<String>,
    /// 0 where it is not known.
    pub lane: u32,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub self_checkout: bool,
    #[serde(skip_serializing_if = "is_plain")]
    pub tax: TaxRules,
}

impl SoldAt {
    pub(crate) fn of(settings: &Settings, lane: u32) -> SoldAt {
        SoldAt {
            store: settings.store_number.clone(),
            store_groups: settings.store_groups.clone(),
            lane,
            self_checkout: settings.self_checkout_lanes.contains(&lane),
            tax: TaxRules::of(settings),
        }
    }

    fn place(&self) -> Place {
        Place {
            store: Some(self.store.clone()).filter(|store| !store.is_empty()),
            store_groups: self.store_groups.clone(),
            channel: (self.lane > 0).then(|| CHANNEL.to_owned()),
            lane: Some(self.lane).filter(|lane| *lane > 0),
            self_checkout: self.self_checkout,
        }
    }
}

/// What a customer's promotions depend on, as it was when the customer was set.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Standing {
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub groups: BTreeSet<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub employee: bool,
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub contracts: BTreeSet<String>,
    /// Month and day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub birthday: Option<(u8, u8)>,
    #[serde(skip_serializing_if = "is_plain")]
    pub history: History,
    /// Pieces bought before, of the items that the cart's promotions ask about.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub bought: BTreeMap<ItemId, u32>,
    /// The certificate by which no tax is added.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exemption: Option<String>,
}

/// What a customer bought before, as far as a lane knows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct History {
    pub receipts: u64,
    /// In minor units of the store's currency; what came back is taken off.
    pub spent_minor: i64,
    /// How often each promotion was given that takes something off.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub given: BTreeMap<String, u32>,
}

impl History {
    /// Adds a receipt of the customer's.
    pub fn add(&mut self, receipt: &crate::Receipt) {
        self.receipts = self.receipts.saturating_add(1);
        let total = receipt.totals.total.minor();
        self.spent_minor = self.spent_minor.saturating_add(total);
        for promotion in receipt.totals.promotions.iter().filter(|p| p.times > 0) {
            let given = self.given.entry(promotion.promotion.clone()).or_default();
            *given = given.saturating_add(promotion.times);
        }
    }
}

impl Standing {
    pub(crate) fn of(
        customer: &Customer,
        history: History,
        bought: BTreeMap<ItemId, u32>,
    ) -> Standing {
        let detail = &customer.detail;
        Standing {
            groups: detail.groups.clone(),
            employee: detail.employee,
            contracts: detail.contracts.clone(),
            birthday: detail.birthday,
            history,
            bought,
            exemption: detail.exemption.clone(),
        }
    }
}

/// A coupon that was handed over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandedCoupon {
    /// By which promotions name it.
    pub code: String,
    /// Its own number, where it has one; it can then be used once.
    pub serial: Option<String>,
    /// What must be bought, where its code says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asks: Option<Box<Purchases>>,
}

impl HandedCoupon {
    /// What no other coupon has; none for coupons that are all alike.
    pub fn single(&self) -> Option<String> {
        let serial = self.serial.as_ref()?;
        Some(format!("{}{SERIAL_MARK}{serial}", self.code))
    }
}

impl std::fmt::Display for HandedCoupon {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.single().unwrap_or_else(|| self.code.clone()))
    }
}

/// What is taken off by hand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandDiscount {
    /// The whole sale where it is left out.
    pub line: Option<u32>,
    pub off: HandOff,
    pub reason: String,
    /// Who answers for it, with which role.
    pub by: EmployeeId,
    pub role: Role,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HandOff {
    Percent(Rate),
    Amount(Money),
}

/// Puts the terms of a sale into its basket.
pub(crate) fn apply(terms: &Terms, basket: &mut Basket) {
    basket.place = terms.place.place();
    for coupon in &terms.coupons {
        *basket.coupons.entry(coupon.code.clone()).or_default() += 1;
        if let Some(asks) = &coupon.asks {
            let of_code = basket.asks.entry(coupon.code.clone()).or_default();
            of_code.push(Purchases::clone(asks));
        }
    }
    basket.tenders.extend(terms.tender.clone());
    let rights = terms.rights.iter();
    basket.rights = rights
        .map(|(id, left)| (PromotionId(id.clone()), *left))
        .collect();
    basket.manual = terms.discounts.iter().map(manual).collect();
}

fn manual(discount: &HandDiscount) -> ManualDiscount {
    ManualDiscount {
        line: discount.line,
        off: match discount.off {
            HandOff::Percent(rate) => ManualOff::Percent(rate),
            HandOff::Amount(amount) => ManualOff::Amount(amount),
        },
        role: discount.role,
        reason: discount.reason.clone(),
    }
}

/// Folds what concerns the terms of a cart.
pub(crate) fn evolve(terms: &mut Terms, event: &Event) {
    let remove = |len: usize, number: u32| {
        let place = usize::try_from(number).unwrap_or(usize::MAX);
        (1..=len).contains(&place).then(|| place - 1)
    };
    match event {
        Event::CouponTaken { coupon, .. } => terms.coupons.push(coupon.clone()),
        Event::CouponReturned { number, .. } => {
            if let Some(at) = remove(terms.coupons.len(), *number) {
                terms.coupons.remove(at);
            }
        }
        Event::DiscountGiven { discount, .. } => terms.discounts.push(discount.clone()),
        Event::DiscountVoided { number, .. } => {
            if let Some(at) = remove(terms.discounts.len(), *number) {
                terms.discounts.remove(at);
            }
        }
        Event::TenderQuoted { tender, .. } => terms.tender.clone_from(tender),
        Event::LimitsKnown { rights, given, .. } => {
            terms.rights.clone_from(rights);
            terms.standing.history.given.extend(given.clone());
        }
        _ => {}
    }
}

/// The coupon that a text stands for where a promotion of the book asks for it: its code, or its
/// code and its own number after a colon.
pub(crate) fn coupon_in(book: &CompiledBook, text: &str) -> Option<HandedCoupon> {
    if book.takes_coupon(text) {
        let code = text.to_owned();
        return Some(HandedCoupon {
            code,
            serial: None,
            asks: None,
        });
    }
    let (code, serial) = text.split_once(SERIAL_MARK)?;
    let known = book.takes_coupon(code) && !serial.is_empty();
    known.then(|| HandedCoupon {
        code: code.to_owned(),
        serial: Some(serial.to_owned()),
        asks: None,
    })
}

/// Takes a coupon whose code follows a standard.
pub(crate) fn take_standard(
    register: &Register,
    coupon: &CouponCode,
    ctx: &Context<'_>,
) -> Decision {
    let handed = HandedCoupon {
        code: coupon.name(),
        serial: coupon.serial.clone(),
        asks: coupon.asks.clone().map(Box::new),
    };
    if !ctx.book.takes_coupon(&handed.code) {
        return Err(Refusal::CouponUnknown {
            coupon: handed.code,
        });
    }
    // ISO dates sort as text.
    let today = ctx.now.business_day().0;
    let starts = coupon.starts.as_ref().filter(|day| **day > today);
    let expires = coupon.expires.as_ref().filter(|day| **day < today);
    let good = match (starts, expires) {
        (Some(day), _) => Some(Why::GoodFrom(day.clone())),
        (None, Some(day)) => Some(Why::GoodUntil(day.clone())),
        (None, None) => None,
    };
    if let Some(good) = good {
        let coupon = handed.code;
        let good = Box::new(good);
        return Err(Refusal::CouponNotNow { coupon, good });
    }
    take_coupon(register, handed, ctx)
}

pub(crate) fn take_coupon(
    register: &Register,
    coupon: HandedCoupon,
    ctx: &Context<'_>,
) -> Decision {
    let there: &[HandedCoupon] = match &register.cart {
        Some(cart) => &cart.terms.coupons,
        None => &[],
    };
    let again = match &coupon.serial {
        Some(_) => there.iter().any(|other| other.single() == coupon.single()),
        None => false,
    };
    let counted = ctx.book.counts_coupons(&coupon.code);
    let another = there.iter().any(|other| other.code == coupon.code);
    if again || (another && !counted) || there.len() >= COUPONS_MAX {
        return Err(Refusal::CouponTwice {
            coupon: coupon.to_string(),
        });
    }
    let used = coupon.single().and_then(|own| ctx.shared.coupon_used(&own));
    if let Some(receipt) = used {
        return Err(Refusal::CouponUsed {
            coupon: coupon.to_string(),
            receipt,
        });
    }
    with_cart(register, ctx, |cart| Event::CouponTaken { cart, coupon })
}

/// Hands a coupon back, counted from 1.
pub(crate) fn return_coupon(register: &Register, number: u32) -> Decision {
    let cart = selling(register)?;
    there_is(&cart.terms.coupons, number)?;
    Ok(vec![Event::CouponReturned {
        cart: cart.id,
        number,
    }])
}

fn there_is<T>(list: &[T], number: u32) -> Result<(), Refusal> {
    let there = usize::try_from(number).is_ok_and(|n| (1..=list.len()).contains(&n));
    there.then_some(()).ok_or(Refusal::NoSuchOffer { number })
}

/// What is to be taken off, as the command says it.
pub(crate) struct AskedDiscount<'a> {
    pub line: Option<u32>,
    pub percent: Option<&'a str>,
    pub amount: Option<&'a str>,
    pub reason: &'a str,
}

/// Takes something off by hand, as far as the book lets the role.
pub(crate) fn give_discount(
    register: &Register,
    who: &Who<'_>,
    asked: &AskedDiscount<'_>,
    ctx: &Context<'_>,
) -> Decision {
    let cart = selling(register)?;
    if let Some(line) = asked.line {
        let line = crate::lines::sold_line(cart, line)?;
        gift_cards::costs_what_it_holds(line)?;
    }
    let currency = ctx.reference.settings().currency;
    let discount = |role| {
        Ok::<_, Refusal>(HandDiscount {
            line: asked.line,
            off: off(asked, currency)?,
            reason: reasoned(asked.reason)?,
            by: who.id(),
            role,
        })
    };
    if cart.terms.discounts.len() >= DISCOUNTS_MAX {
        return Err(Refusal::amount(Why::DiscountsFull(DISCOUNTS_MAX)));
    }
    let own = discount(who.role())?;
    if may_give(cart, &own, currency, ctx) {
        return Ok(vec![Event::DiscountGiven {
            cart: cart.id,
            discount: own,
        }]);
    }
    for role in [Role::Supervisor, Role::Manager] {
        if role > who.role() && may_give(cart, &discount(role)?, currency, ctx) {
            return Err(Refusal::NotAllowed { needs: role });
        }
    }
    Err(Refusal::DiscountTooLarge)
}

fn off(asked: &AskedDiscount<'_>, currency: Currency) -> Result<HandOff, Refusal> {
    let off = match (asked.percent, asked.amount) {
        (Some(percent), None) => {
            let rate = Rate::parse_percent(percent.trim().trim_end_matches('%').trim());
            HandOff::Percent(rate.map_err(Refusal::amount)?)
        }
        (None, Some(amount)) => HandOff::Amount(parse_amount(amount, Money::zero(currency))?),
        _ => return Err(Refusal::amount(Why::PercentOrAmount)),
    };
    match off {
        HandOff::Percent(Rate::ZERO) => Err(Refusal::amount(Why::NothingOff)),
        HandOff::Amount(amount) if amount.is_zero() => Err(Refusal::amount(Why::NothingOff)),
        off => Ok(off),
    }
}

fn may_give(cart: &Cart, discount: &HandDiscount, currency: Currency, ctx: &Context<'_>) -> bool {
    let mut with = cart.clone();
    with.terms.discounts.push(discount.clone());
    let basket = basket_of(&with, currency);
    let refused = refused_by_hand(ctx.book, &basket, &shopper_of(&with), ctx.now.into());
    !refused.contains(&(with.terms.discounts.len() - 1))
}

pub(crate) fn void_discount(register: &Register, number: u32) -> Decision {
    let cart = selling(register)?;
    there_is(&cart.terms.discounts, number)?;
    Ok(vec![Event::DiscountVoided {
        cart: cart.id,
        number,
    }])
}

/// Quotes what the sale costs when all of it is paid with a tender, or with any.
pub(crate) fn quote(register: &Register, tender: Option<&str>, ctx: &Context<'_>) -> Decision {
    let cart = selling(register)?;
    let tender = tender.map(str::trim).filter(|tender| !tender.is_empty());
    let sound = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let named = tender.is_none_or(|t| t.len() <= TENDER_CHARS_MAX && t.chars().all(sound));
    if !named {
        return Err(Refusal::BadTender);
    }
    let currency = ctx.reference.settings().currency;
    let due = |cart: &Cart| price(cart, ctx.book, ctx.now, currency).total;
    Ok(vec![Event::TenderQuoted {
        cart: cart.id,
        tender: tender.map(str::to_owned),
        before: due(cart),
        due: due(&quoted(cart, tender)),
    }])
}

fn quoted(cart: &Cart, tender: Option<&str>) -> Cart {
    let mut quoted = cart.clone();
    quoted.terms.tender = tender.map(str::to_owned);
    quoted
}

/// Refuses a tender with which the sale would cost something else than the customer was told.
pub(crate) fn costs_the_same_with(
    cart: &Cart,
    book: &CompiledBook,
    tender: &str,
    currency: Currency,
    ctx: &Context<'_>,
) -> Result<(), Refusal> {
    if !book.looks_at_tenders() || cart.terms.tender.as_deref() == Some(tender) {
        return Ok(());
    }
    let (at, told) = match cart.phase {
        Phase::Paying { at, due } => (at, due),
        Phase::Selling => (ctx.now, price(cart, book, ctx.now, currency).total),
    };
    let due = price(&quoted(cart, Some(tender)), book, at, currency).total;
    // Once paying has begun, another tender may cost the customer more, never less.
    let same = match cart.phase {
        Phase::Selling => due == told,
        Phase::Paying { .. } => due <= told,
    };
    same.then_some(()).ok_or_else(|| Refusal::OtherPrice {
        tender: tender.to_owned(),
        told,
        due,
    })
}

/// The coupons that a sale uses up: those whose promotions gave something, and of several of the same
/// code no more than were good.
pub(crate) fn used_coupons(
    cart: &Cart,
    book: &CompiledBook,
    given: &[&str],
    currency: Currency,
) -> Vec<HandedCoupon> {
    let basket = basket_of(cart, currency);
    let used: BTreeSet<&str> = given
        .iter()
        .filter_map(|id| book.coupon_of(&PromotionId::from(*id)))
        .collect();
    let coupons = cart.terms.coupons.iter();
    let coupons = coupons.filter(|coupon| used.contains(coupon.code.as_str()));
    let mut taken: BTreeMap<&str, u32> = BTreeMap::new();
    let coupons = coupons.filter(|coupon| {
        let taken = taken.entry(&coupon.code).or_default();
        *taken += 1;
        *taken <= basket.coupons_good(&coupon.code)
    });
    coupons.cloned().collect()
}
