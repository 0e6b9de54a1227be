//! A receipt: everything about a paid sale, readable without any other data.

use std::collections::BTreeMap;

use catalog::{BookVersion, CustomerId, EmployeeId, ItemId};
use money::Money;
use serde::{Deserialize, Serialize};

use crate::terms::is_plain;
use crate::{BusinessDay, CartId, HandedCoupon, Line, LocalTime, Tender, Terms, Totals};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// `<lane number>-<running number>`, unique in the store: a lane number is never used again.
    pub id: String,
    pub cart: CartId,
    pub lane_name: String,
    pub store_name: String,
    pub cashier: EmployeeId,
    pub cashier_name: String,
    pub customer: Option<CustomerId>,
    pub day: BusinessDay,
    pub opened_at: LocalTime,
    /// The moment for which prices were computed.
    pub priced_at: LocalTime,
    pub book: BookVersion,
    /// The caller's own reference, if the cart was opened with one.
    pub reference: Option<String>,
    /// Lines that were not voided, in order.
    pub lines: Vec<Line>,
    pub totals: Totals,
    pub tenders: Vec<Tender>,
    pub change: Money,
    #[serde(default, skip_serializing_if = "ReceiptDetail::is_plain")]
    pub detail: ReceiptDetail,
}

impl Receipt {
    /// Pieces bought of each item, less those that came back. What is weighed is one piece.
    pub fn bought(&self) -> BTreeMap<&ItemId, i64> {
        let mut bought: BTreeMap<&ItemId, i64> = BTreeMap::new();
        for line in &self.lines {
            let pieces = line.quantity.pieces().unwrap_or(1);
            let sum = bought.entry(&line.item).or_default();
            *sum = match line.detail.returned {
                None => sum.saturating_add(pieces),
                Some(_) => sum.saturating_sub(pieces),
            };
        }
        bought
    }
}

/// What few receipts have.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ReceiptDetail {
    /// What was noted of the sale.
    pub notes: Vec<String>,
    /// What decided on its price besides its lines.
    #[serde(skip_serializing_if = "is_plain")]
    pub terms: Terms,
    /// The coupons that it used up; others that were handed over stay the customer's.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub coupons_used: Vec<HandedCoupon>,
    /// It was printed in training, and is no receipt.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub training: bool,
}

impl ReceiptDetail {
    pub fn is_plain(&self) -> bool {
        *self == ReceiptDetail::default()
    }
}
