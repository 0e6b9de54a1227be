//! Everything a checkout window shows, as one value.

use catalog::Language;
use money::{Currency, Money};

use sale::{Hint, LaneId, LocalTime, Register, StoreId, Totals, UsedUp};
use serde::{Deserialize, Serialize};

use crate::LaneStatus;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LaneView {
    pub store: StoreId,
    pub store_name: String,
    /// Rows under the store's name on a receipt.
    pub address: Vec<String>,
    /// Words at the end of a receipt; empty for none.
    pub receipt_footer: String,
    /// The language of papers.
    #[serde(default)]
    pub language: Language,
    pub lane: LaneId,
    pub lane_number: u32,
    pub lane_name: String,
    pub currency: Currency,
    pub now: LocalTime,
    pub register: Register,
    /// What the open cart costs now; none while no cart is open.
    pub totals: Option<Totals>,
    /// What the customer could still get for a little more, the nearest first.
    #[serde(default)]
    pub hints: Vec<Hint>,
    /// Promotions that the open cart would have but for their limits.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub used_up: Vec<UsedUp>,
    /// What the open cart would cost with the newest prices and promotions, where it has older ones.
    /// It gets them by itself as paying begins where that is less, and otherwise when it is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newest_total: Option<Money>,
    pub status: LaneStatus,
}
