//! The store's settings. Every field has a sane default: a new store needs none.
//!
//! A field that has its default is not written, so that what a release does not know is met only
//! where a store has set it.

use std::collections::BTreeMap;

use money::Currency;
use serde::{Deserialize, Serialize};

use crate::{EmbeddedLayout, Role};

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
    /// Who may do what, where it differs from [`Action::default_role`].
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub permissions: BTreeMap<Action, Role>,
    /// The full hour, 0 to 23, at which a business day begins that nobody opened.
    #[serde(skip_serializing_if = "is_zero")]
    pub day_starts_at_hour: u8,
    /// Whether only the cashier to whom the drawer is assigned may take cash.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub drawer_per_cashier: bool,
}

fn is_zero(hour: &u8) -> bool {
    *hour == 0
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
            permissions: BTreeMap::new(),
            day_starts_at_hour: 0,
            drawer_per_cashier: false,
        }
    }
}

impl Settings {
    /// The role that an action needs in this store.
    pub fn role_for(&self, action: Action) -> Role {
        let set = self.permissions.get(&action).copied();
        set.unwrap_or_else(|| action.default_role())
    }
}

/// What a role may be needed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    ChangeQuantity,
    OverridePrice,
    OverrideTax,
    VoidLine,
    VoidSale,
    Suspend,
    Resume,
    OpenDay,
    CloseDay,
    OpenDrawer,
    AssignDrawer,
    NoSale,
    Drop,
    PayIn,
    PayOut,
    CountDrawer,
    ReportX,
    ReportZ,
}

impl Action {
    /// The role that is needed where the settings say nothing.
    pub fn default_role(self) -> Role {
        match self {
            Action::ChangeQuantity
            | Action::VoidLine
            | Action::VoidSale
            | Action::Suspend
            | Action::Resume
            | Action::OpenDrawer
            | Action::Drop
            | Action::CountDrawer => Role::Cashier,
            Action::OverridePrice
            | Action::OverrideTax
            | Action::OpenDay
            | Action::AssignDrawer
            | Action::NoSale
            | Action::PayIn
            | Action::PayOut
            | Action::ReportX => Role::Supervisor,
            Action::CloseDay | Action::ReportZ => Role::Manager,
        }
    }
}
