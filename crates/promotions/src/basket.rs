//! What is priced, for whom and when; and the pricing.

use std::fmt;

use catalog::{CustomerId, DepartmentId, ItemId, Tier};
use money::{Currency, Money, Quantity};
use serde::{Deserialize, Serialize};

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
    pub quantity: Quantity,
    /// Per piece or per kilogram, before any discount.
    pub unit_price: Money,
    /// The line's price before any discount, without deposit. What discounts are limited by.
    pub extended: Money,
}

/// What is priced. The order of the lines does not matter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Basket {
    pub currency: Currency,
    pub lines: Vec<BasketLine>,
}

/// Who buys. `Customer::default()` is someone unknown, for whom no tier holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Customer {
    pub id: Option<CustomerId>,
    pub tier: Option<Tier>,
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
    /// The whole discount, over zero; the sum of `per_line`.
    pub amount: Money,
    /// Line number and discount over zero, in the order of the line numbers.
    pub per_line: Vec<(u32, Money)>,
}

/// The discounts of a basket, in the order of the promotions' ids.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pricing {
    pub currency: Currency,
    pub applied: Vec<Applied>,
    /// Whether no other choice of promotions gives the customer more.
    pub proven: bool,
}

impl Pricing {
    /// No discount at all.
    pub fn none(currency: Currency) -> Pricing {
        Pricing {
            currency,
            applied: Vec::new(),
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
}
