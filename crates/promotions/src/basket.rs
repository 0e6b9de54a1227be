//! What is priced, for whom, where and when; and the pricing.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use catalog::{CustomerId, DepartmentId, Gtin, ItemId, Purchases, Role, Tier};
use money::{Currency, Money, Quantity, Rate, Rounding};
use serde::{Deserialize, Serialize};

use crate::Phase;

/// A promotion's short code, such as `fruit-friday`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PromotionId(pub String);

impl fmt::Display for PromotionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&str> for PromotionId {
    fn from(text: &str) -> Self {
        PromotionId(text.to_owned())
    }
}

/// One line of a basket that is for sale: voided lines and returns are left out by the caller.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BasketLine {
    /// The line's number in its sale, unique in the basket.
    pub line: u32,
    pub item: ItemId,
    pub department: DepartmentId,
    pub brand: Option<String>,
    /// What else is known of the item, such as `size` = `1l`.
    pub attributes: BTreeMap<String, String>,
    pub quantity: Quantity,
    /// Per piece or per kilogram, before any discount.
    pub unit_price: Money,
    /// The line's price before any discount, without deposit. What discounts are limited by.
    pub extended: Money,
    /// The least that a piece or kilogram may cost after all discounts.
    pub floor: Option<Money>,
    /// The tax on the line: its rate, and whether prices contain it.
    pub tax: Option<(Rate, bool)>,
    /// A fee or a delivery: only promotions that say so are for it.
    pub fee: bool,
    /// The number on the goods, as far as it matters to a coupon.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gtin: Option<Gtin>,
}

impl BasketLine {
    /// A line with nothing special about it; its price is unit price × quantity.
    pub fn new(
        line: u32,
        item: ItemId,
        department: DepartmentId,
        quantity: Quantity,
        unit_price: Money,
    ) -> BasketLine {
        BasketLine {
            line,
            item,
            department,
            brand: None,
            attributes: BTreeMap::new(),
            quantity,
            unit_price,
            extended: unit_price.for_quantity(quantity, Rounding::HalfUp),
            floor: None,
            tax: None,
            fee: false,
            gtin: None,
        }
    }
}

/// What is priced, and where. The order of the lines does not matter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Basket {
    pub currency: Currency,
    pub lines: Vec<BasketLine>,
    pub place: Place,
    /// The coupons that were handed over, and how many of each. Whether a coupon may still be used
    /// is for the caller to know.
    pub coupons: BTreeMap<String, u32>,
    /// What must be bought for those of them whose codes say so, one for each such coupon.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub asks: BTreeMap<String, Vec<Purchases>>,
    /// How it is paid, as far as that is known, such as `store-card`.
    pub tenders: BTreeSet<String>,
    /// How often a promotion that is limited in the whole store, or by the day, may still be given by
    /// this lane: the rights that it holds. A promotion that is not named has none left.
    pub rights: BTreeMap<PromotionId, u32>,
    /// What the cashier takes off by hand, after everything else.
    pub manual: Vec<ManualDiscount>,
}

impl Basket {
    /// A basket of these lines and nothing else.
    pub fn new(currency: Currency, lines: Vec<BasketLine>) -> Basket {
        Basket {
            currency,
            lines,
            place: Place::default(),
            coupons: BTreeMap::new(),
            asks: BTreeMap::new(),
            tenders: BTreeSet::new(),
            rights: BTreeMap::new(),
            manual: Vec::new(),
        }
    }
}

/// Where something is sold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    pub store: Option<String>,
    pub store_groups: BTreeSet<String>,
    /// Such as `store`, `phone`, `web`.
    pub channel: Option<String>,
    pub lane: Option<u32>,
    pub self_checkout: bool,
}

/// A discount given by hand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManualDiscount {
    /// The line it is for; the whole basket where it is left out.
    pub line: Option<u32>,
    pub off: ManualOff,
    /// Who gives it. What the role may give is limited by the book.
    pub role: Role,
    pub reason: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ManualOff {
    Percent(Rate),
    Amount(Money),
}

/// Who buys. `Customer::default()` is someone unknown, for whom no tier holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Customer {
    pub id: Option<CustomerId>,
    pub tier: Option<Tier>,
    pub groups: BTreeSet<String>,
    pub employee: bool,
    /// The contracts whose prices hold for a business customer.
    pub contracts: BTreeSet<String>,
    /// Whether it is known that nothing was bought before.
    pub first_purchase: bool,
    /// Month and day.
    pub birthday: Option<(u8, u8)>,
    /// What was spent before, in minor units of the store's currency.
    pub spent_minor: i64,
    /// Pieces bought before, by item.
    pub bought: BTreeMap<ItemId, u32>,
    /// How often a promotion was given to this customer, for those that are limited.
    pub given: BTreeMap<PromotionId, u32>,
}

/// The store's local time, given by the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instant {
    /// Milliseconds since 1970-01-01 00:00 UTC.
    pub unix_ms: u64,
    /// What is added to UTC to give the store's local time, in minutes.
    pub offset_minutes: i32,
}

/// What one promotion takes off a basket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Applied {
    pub promotion: PromotionId,
    pub name: String,
    pub phase: Phase,
    /// The whole discount, over zero; the sum of `per_line`.
    pub amount: Money,
    /// Line number and discount over zero, in the order of the line numbers.
    pub per_line: Vec<(u32, Money)>,
    /// How often it was given: complete sets, or units where it is given unit by unit.
    pub times: u32,
    /// Whether its cap, or a floor of an item, held some of it back.
    pub capped: bool,
}

/// Units of a line that cost the same after all discounts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PricedUnits {
    pub line: u32,
    /// How many; 1 for the whole of what is weighed.
    pub count: u32,
    /// What one costs before any discount.
    pub list: Money,
    /// What one costs.
    pub paid: Money,
}

/// Loyalty points that a promotion gives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Points {
    pub promotion: PromotionId,
    pub name: String,
    pub points: i64,
}

/// A coupon to hand out for next time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NextCoupon {
    pub promotion: PromotionId,
    pub code: String,
    pub count: u32,
}

/// The discounts of a basket, in the order of the promotions' ids; those by hand after them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pricing {
    pub currency: Currency,
    pub applied: Vec<Applied>,
    /// What each unit costs, in the order of the lines, the cheaper units of a line last. Lines
    /// that cannot be discounted are left out.
    pub units: Vec<PricedUnits>,
    /// In the order of the promotions' ids.
    pub points: Vec<Points>,
    /// In the order of the promotions' ids.
    pub next_coupons: Vec<NextCoupon>,
    /// Whether no other choice of promotions gives the customer more.
    pub proven: bool,
}

impl Pricing {
    /// No discount at all.
    pub fn none(currency: Currency) -> Pricing {
        Pricing {
            currency,
            applied: Vec::new(),
            units: Vec::new(),
            points: Vec::new(),
            next_coupons: Vec::new(),
            proven: true,
        }
    }

    /// What all promotions together take off a line.
    pub fn line_discount(&self, line: u32) -> Money {
        self.applied
            .iter()
            .flat_map(|applied| &applied.per_line)
            .filter(|(number, _)| *number == line)
            .fold(Money::zero(self.currency), |sum, (_, part)| sum + *part)
    }

    /// What all promotions together take off the basket.
    pub fn total(&self) -> Money {
        self.applied
            .iter()
            .fold(Money::zero(self.currency), |sum, a| sum + a.amount)
    }

    /// All loyalty points.
    pub fn points_total(&self) -> i64 {
        let points = self.points.iter().map(|points| points.points);
        points.fold(0, i64::saturating_add)
    }
}
