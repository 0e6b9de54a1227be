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
