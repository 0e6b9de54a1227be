//! Items, departments and tax categories.

use std::fmt;

use money::{Money, Rate, Unit};
use serde::{Deserialize, Serialize};

use crate::{BookVersion, ItemCode};

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub String);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                $name(text.to_owned())
            }
        }
    };
}
pub(crate) use text_id;

text_id!(
    /// The store's own number for an item. Never used again for another item.
    ItemId
);
text_id!(
    /// A department's short code, such as `produce`.
    DepartmentId
);
text_id!(
    /// A tax category's short code, such as `standard`.
    TaxId
);

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Department {
    pub id: DepartmentId,
    pub name: String,
}

/// A tax category and its rate. Tax is added to the price (`included: false`) or contained in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaxCategory {
    pub id: TaxId,
    pub name: String,
    pub rate: Rate,
    pub included: bool,
    /// Where several authorities tax one sale: each one's part. The rate above is then their sum,
    /// for showing only.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<TaxPart>,
}

/// The tax of one authority, such as a state, a county or a city.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaxPart {
    pub name: String,
    pub rate: Rate,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<TaxThreshold>,
    /// Days on which it is not taken.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub holidays: Vec<TaxHoliday>,
}

/// A price per piece that decides on a part of a tax.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TaxThreshold {
    /// Below this price nothing is taxed; from it on, all of it.
    ExemptBelow(Money),
    /// Only what a piece costs above this price is taxed.
    OnlyAbove(Money),
}

/// Days on which a part of a tax is not taken, both included, as ISO 8601 dates.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaxHoliday {
    pub first_day: String,
    pub last_day: String,
    /// The dearest piece for which it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price_max: Option<Money>,
}

/// A price and the book version from which it holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriceSince {
    pub since: BookVersion,
    pub price: Money,
}

/// Something a lane can sell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    pub id: ItemId,
    pub description: String,
    pub department: DepartmentId,
    pub brand: Option<String>,
    /// Each, or Kilogram for what is weighed.
    pub sold_by: Unit,
    /// The regular price per piece or per kilogram.
    pub price: Money,
    /// Earlier prices, newest first, so that an open cart keeps the price of its pinned book
    /// version. Filled by the ledger when a price changes; empty in what is imported. At most
    /// `Item::PRICES_KEPT`.
    #[serde(default)]
    pub earlier_prices: Vec<PriceSince>,
    /// The book version at which `price` took effect. Set by the ledger.
    #[serde(default)]
    pub price_since: BookVersion,
    pub tax: TaxId,
    /// Whole years a buyer must be, for age-restricted items.
    pub age_min: Option<u8>,
    /// Bottle deposit per piece, charged with the line and never discounted.
    pub deposit: Option<Money>,
    /// Every code that finds this item, the item id excepted.
    pub codes: Vec<ItemCode>,
    #[serde(default, skip_serializing_if = "Selling::is_plain")]
    pub selling: Selling,
}

/// What is out of the ordinary about selling an item.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Selling {
    /// The price is typed at the lane.
    pub open_price: bool,
    /// The serial number of each piece is asked for.
    pub ask_serial: bool,
    /// Never taken back.
    pub not_returnable: bool,
    /// Items that are sold along, one for each piece: a bag, a fee, a warranty.
    pub linked: Vec<ItemId>,
    /// What a kit is made of: these leave stock, not the kit itself.
    pub kit: Vec<KitPart>,
    /// The weight of the packing, taken off a weight that is entered or read.
    pub tare_grams: i64,
    /// The least that a piece or a kilogram may cost: promotions and discounts by hand take no more
    /// off. At most the price.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub floor: Option<Money>,
    /// A gift card: what it costs is loaded onto the card whose number is asked for.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub gift_card: bool,
}

impl Selling {
    /// The most items that one is linked to, and the most parts of one kit.
    pub const PARTS_MAX: usize = 50;

    pub fn is_plain(&self) -> bool {
        *self == Selling::default()
    }
}

/// One part of a kit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KitPart {
    pub item: ItemId,
    /// How much of it one kit holds, in thousandths of its unit.
    pub milli: i64,
}

impl Item {
    /// How many earlier prices are kept for open carts.
    pub const PRICES_KEPT: usize = 8;

    /// The price in force at a book version; the oldest known price for a version before that.
    pub fn price_at(&self, version: BookVersion) -> Money {
        if self.price_since <= version {
            return self.price;
        }
        self.earlier_prices
            .iter()
            .find(|p| p.since <= version)
            .or(self.earlier_prices.last())
            .map_or(self.price, |p| p.price)
    }
}
