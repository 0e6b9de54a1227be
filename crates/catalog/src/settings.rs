//! The store's settings. Every field has a sane default: a new store needs none.

use money::Currency;
use serde::{Deserialize, Serialize};

use crate::EmbeddedLayout;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    pub store_name: String,
    /// Lines printed under the store's name on a receipt.
    pub address: Vec<String>,
    pub currency: Currency,
    /// IANA time zone in which business days and promotion times are meant.
    pub time_zone: String,
    /// Printed at the end of every receipt.
    pub receipt_footer: String,
    /// How price- and weight-embedded store codes are laid out.
    pub embedded_codes: Vec<EmbeddedLayout>,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            store_name: "Lanemesh store".to_owned(),
            address: Vec::new(),
            currency: Currency::USD,
            time_zone: "UTC".to_owned(),
            receipt_footer: "Thank you. Please come again.".to_owned(),
            embedded_codes: EmbeddedLayout::defaults(),
        }
    }
}
