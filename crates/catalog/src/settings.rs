//! The store's settings. Every field has a sane default: a new store needs none.
//!
//! A field that has its default is not written, so that what a release does not know is met only
//! where a store has set it.

use std::collections::{BTreeMap, BTreeSet};

use money::{Currency, Money};
use serde::{Deserialize, Serialize};

use crate::{EmbeddedLayout, Language, Role, TenderRule};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Empty: what the store was called when it was created.
    pub store_name: String,
    /// Lines printed under the store's name on a receipt.
    pub address: Vec<String>,
    pub currency: Currency,
    /// IANA time zone in which business days and promotion times are meant.
    pub time_zone: String,
    /// Printed at the end of every receipt.
    pub receipt_footer: String,
    /// Printed above the store's name on receipts: a PNG file in Base64; empty for none.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub receipt_logo: String,
    /// The text of a QR code at the end of receipts, such as a link, in which `{receipt}` stands for the
    /// receipt's number; empty for none.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub receipt_qr: String,
    /// The language of papers.
    #[serde(skip_serializing_if = "Language::is_default")]
    pub language: Language,
    /// Whether a receipt is printed only where the customer wants one. Slips and reports always are.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub receipts_on_request: bool,
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
    /// The smallest step of an amount of cash, in minor units, such as 5 where there are no
    /// smaller coins; 0 for none. Only what is paid in cash is rounded.
    #[serde(skip_serializing_if = "is_no_step")]
    pub cash_rounding_minor: i64,
    /// Cash of other currencies that is taken; change is given in the store's own.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub foreign_cash: Vec<ForeignRate>,
    /// Head office's number of the store, by which promotions name it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub store_number: String,
    /// Groups of stores to which this one belongs, such as `north`.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub store_groups: BTreeSet<String>,
    /// The numbers of the lanes at which customers scan themselves.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub self_checkout_lanes: BTreeSet<u32>,
    /// Where tax is rounded.
    #[serde(skip_serializing_if = "TaxRounding::is_by_line")]
    pub tax_rounding: TaxRounding,
    /// Whether a deposit is taxed like what it is charged with.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub deposits_taxed: bool,
    /// Whether a card may be charged with a tip.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub tips: bool,
    /// What may be paid with each kind of tender, where there are rules.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub tenders: BTreeMap<String, TenderRule>,
    /// What loyalty points are worth.
    #[serde(skip_serializing_if = "PointsWorth::is_default")]
    pub points: PointsWorth,
    /// For what, and how, goods are taken back without a receipt.
    #[serde(skip_serializing_if = "UnreceiptedReturns::is_default")]
    pub unreceipted_returns: UnreceiptedReturns,
}

/// The limits of what is given back for goods without a receipt. Who may take them back says
/// [`Action::ReturnUnreceipted`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct UnreceiptedReturns {
    /// The most of one return, in minor units; 0 where nothing is taken back without a receipt.
    pub return_max_minor: i64,
    /// The most to one customer, or on one document, on a business day, in minor units.
    pub day_max_minor: i64,
    /// How money is given back for them: `cash`, `store-credit` or `account`.
    pub tenders: BTreeSet<String>,
    /// The most that is given back in cash for one return, in minor units.
    pub cash_max_minor: i64,
}

impl UnreceiptedReturns {
    /// The tenders that money can be given back with where no card paid.
    pub const TENDERS: [&str; 3] = ["cash", "store-credit", "account"];

    fn is_default(&self) -> bool {
        *self == UnreceiptedReturns::default()
    }

    /// Whether each limit is one, and each tender can give money back.
    pub fn is_sound(&self) -> bool {
        let limits = [
            self.return_max_minor,
            self.day_max_minor,
            self.cash_max_minor,
        ];
        let mut tenders = self.tenders.iter().map(String::as_str);
        limits.iter().all(|limit| *limit >= 0) && tenders.all(|t| Self::TENDERS.contains(&t))
    }
}

impl Default for UnreceiptedReturns {
    /// 50.00 a return, 100.00 a day, in cash.
    fn default() -> UnreceiptedReturns {
        UnreceiptedReturns {
            return_max_minor: 5_000,
            day_max_minor: 10_000,
            tenders: ["cash".to_owned()].into(),
            cash_max_minor: 5_000,
        }
    }
}

/// What loyalty points pay.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PointsWorth {
    /// Points are spent in steps of so many.
    pub step: u32,
    /// What one step is worth, in minor units; 0 where points pay nothing.
    pub worth_minor: i64,
}

impl PointsWorth {
    fn is_default(&self) -> bool {
        *self == PointsWorth::default()
    }

    /// The largest step.
    pub const STEP_MAX: u32 = 1_000_000;

    /// Whether a step is one, and worth something or nothing.
    pub fn is_sound(&self) -> bool {
        (1..=Self::STEP_MAX).contains(&self.step) && self.worth_minor >= 0
    }
}

impl Default for PointsWorth {
    fn default() -> PointsWorth {
        PointsWorth {
            step: 100,
            worth_minor: 0,
        }
    }
}

/// Where tax is rounded to the smallest unit of the currency, half up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TaxRounding {
    /// On each line.
    #[default]
    Line,
    /// Once for all lines of a receipt that one authority taxes at one rate; what comes of it is
    /// divided over those lines.
    Invoice,
}

impl TaxRounding {
    fn is_by_line(&self) -> bool {
        *self == TaxRounding::Line
    }
}

/// What cash of another currency is worth.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ForeignRate {
    pub currency: Currency,
    /// What one of it is worth in the store's currency, such as `1.0845`.
    pub rate: String,
}

impl ForeignRate {
    /// The most decimals of a rate.
    const DECIMALS_MAX: usize = 8;

    /// What so much of it is worth, rounded down; `None` where the rate is no number over zero or
    /// the amount is beyond all bounds.
    pub fn convert(&self, given: Money, into: Currency) -> Option<Money> {
        let (whole, part) = self.rate.split_once('.').unwrap_or((&self.rate, ""));
        let digits = format!("{whole}{part}");
        if part.len() > Self::DECIMALS_MAX || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let rate: i128 = digits.parse().ok().filter(|rate| *rate > 0)?;
        let decimals = u32::try_from(part.len()).ok()?;
        let up = 10_i128.pow(into.minor_digits());
        let down = 10_i128.pow(decimals + given.currency().minor_digits());
        let minor = i128::from(given.minor())
            .checked_mul(rate)?
            .checked_mul(up)?
            / down;
        Some(Money::from_minor(i64::try_from(minor).ok()?, into))
    }
}

fn is_no_step(step: &i64) -> bool {
    *step <= 1
}

fn is_zero(hour: &u8) -> bool {
    *hour == 0
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            store_name: String::new(),
            address: Vec::new(),
            currency: Currency::USD,
            time_zone: "UTC".to_owned(),
            receipt_footer: "Thank you. Please come again.".to_owned(),
            receipt_logo: String::new(),
            receipt_qr: String::new(),
            language: Language::default(),
            receipts_on_request: false,
            embedded_codes: EmbeddedLayout::defaults(),
            permissions: BTreeMap::new(),
            day_starts_at_hour: 0,
            drawer_per_cashier: false,
            cash_rounding_minor: 0,
            foreign_cash: Vec::new(),
            store_number: String::new(),
            store_groups: BTreeSet::new(),
            self_checkout_lanes: BTreeSet::new(),
            tax_rounding: TaxRounding::Line,
            deposits_taxed: false,
            tips: false,
            tenders: BTreeMap::new(),
            points: PointsWorth::default(),
            unreceipted_returns: UnreceiptedReturns::default(),
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
    /// Taking goods back against a receipt.
    Return,
    /// Taking goods back without one.
    ReturnUnreceipted,
    TakeCheque,
    /// Taking goods into stock.
    ReceiveStock,
    CountStock,
    /// Putting stock right.
    AdjustStock,
    /// Goods that go to another store, or come from one.
    TransferStock,
    /// Making customers known, and saying how they are called and reached.
    EditCustomer,
    /// Saying what decides on what a customer pays, such as the tier.
    GrantCustomer,
    /// Saying that two customers are one and the same.
    MergeCustomers,
    EraseCustomer,
    /// Beginning and ending a training.
    Train,
    /// Leaving a card payment to a person, of which nobody knows what became of it.
    LeaveCard,
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
            | Action::EditCustomer
            | Action::Drop
            | Action::CountDrawer => Role::Cashier,
            Action::OverridePrice
            | Action::OverrideTax
            | Action::OpenDay
            | Action::AssignDrawer
            | Action::NoSale
            | Action::PayIn
            | Action::PayOut
            | Action::ReportX
            | Action::Return
            | Action::TakeCheque
            | Action::ReceiveStock
            | Action::CountStock
            | Action::TransferStock
            | Action::MergeCustomers
            | Action::Train
            | Action::LeaveCard => Role::Supervisor,
            Action::CloseDay
            | Action::ReportZ
            | Action::ReturnUnreceipted
            | Action::GrantCustomer
            | Action::EraseCustomer
            | Action::AdjustStock => Role::Manager,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_cash_is_worth_its_rate() {
        let check = |rate: &str, from: &str, minor: i64, into: &str, expected: Option<i64>| {
            let rate = ForeignRate {
                currency: from.parse().unwrap(),
                rate: rate.to_owned(),
            };
            let given = Money::from_minor(minor, rate.currency);
            let got = rate.convert(given, into.parse().unwrap());
            assert_eq!(got.map(Money::minor), expected, "{rate:?} {minor}");
        };
        check("1.0845", "EUR", 1000, "USD", Some(1084));
        check("0.0067", "JPY", 1000, "USD", Some(670));
        check("150", "USD", 250, "JPY", Some(375));
        check("3.25", "KWD", 1234, "USD", Some(401));
        check("0", "EUR", 1000, "USD", None);
        check("", "EUR", 1000, "USD", None);
        check("-1", "EUR", 1000, "USD", None);
        check("1.123456789", "EUR", 1000, "USD", None);
        check(
            "99999999999999999999999999999999999999",
            "EUR",
            1000,
            "USD",
            None,
        );
    }

    #[test]
    fn limits_of_returns_are_checked() {
        let check = |text: &str, expected: bool| {
            let settings: Settings = toml::from_str(text).unwrap();
            assert_eq!(settings.unreceipted_returns.is_sound(), expected, "{text}");
        };
        check("", true);
        check("[unreceipted_returns]\ncash_max_minor = 0", true);
        check("[unreceipted_returns]\ncash_max_minor = -1", false);
        check("[unreceipted_returns]\nday_max_minor = -1", false);
        check("[unreceipted_returns]\nreturn_max_minor = -1", false);
        check(r#"unreceipted_returns = { tenders = ["card"] }"#, false);
        check(
            r#"unreceipted_returns = { tenders = ["store-credit"] }"#,
            true,
        );
    }

    #[test]
    fn what_points_are_worth_is_checked() {
        let check = |step, worth_minor, expected: bool| {
            let points = PointsWorth { step, worth_minor };
            assert_eq!(points.is_sound(), expected, "{points:?}");
        };
        check(100, 0, true);
        check(1, 1, true);
        check(0, 1, false);
        check(1_000_001, 1, false);
        check(100, -1, false);
    }

    #[test]
    fn every_action_needs_a_role() {
        let mut settings = Settings::default();
        assert_eq!(settings.role_for(Action::OverridePrice), Role::Supervisor);
        settings
            .permissions
            .insert(Action::OverridePrice, Role::Cashier);
        assert_eq!(settings.role_for(Action::OverridePrice), Role::Cashier);
    }
}
