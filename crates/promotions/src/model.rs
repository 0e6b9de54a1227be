//! A promotion file after it was read: what a merchandiser wrote, understood but for the currency.

use std::collections::{BTreeMap, BTreeSet};

use catalog::{CustomerId, DepartmentId, ItemId, Role, Tier};
use money::Rate;
use serde::{Deserialize, Serialize};

use crate::{PromotionId, When};

/// A promotion file that was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PromotionFile {
    /// In the order of the file; their ids differ.
    pub promotions: Vec<Promotion>,
    /// In the order of the file; their ids differ.
    pub groups: Vec<Group>,
    /// How promotions that want the same unit are chosen.
    pub choose: Choose,
    /// What each role may take off by hand, at most; a role that is not named nothing.
    pub manual_max: BTreeMap<Role, Rate>,
}

/// One promotion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Promotion {
    pub id: PromotionId,
    /// What receipts call it.
    pub name: String,
    /// The line of the file on which it begins.
    pub line: u32,
    /// What it gives; at least one thing.
    pub gives: Vec<Give>,
    /// What else must be in the basket, without being used up.
    pub needs: Vec<Need>,
    pub when: When,
    pub who: Who,
    pub place: Where,
    /// The code of the coupon that must be handed over.
    pub coupon: Option<String>,
    /// The tender it must be paid with.
    pub tender: Option<String>,
    pub phase: Option<Phase>,
    /// The higher comes first.
    pub priority: i32,
    pub group: Option<String>,
    pub exclusive: Option<Exclusive>,
    /// What percentages are taken of (running where it is left out), and which total reaches the
    /// steps of a total (list where it is left out).
    pub of: Option<Of>,
    pub limits: Limits,
    /// The most it takes off a basket.
    pub cap: Option<FileAmount>,
    pub spread: Spread,
    pub over: Over,
}

/// The steps in which a basket is priced, in this order. Tax follows, which is not computed here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// Contract, tier and employee prices, which replace the list price.
    Base,
    /// Off single units.
    Line,
    /// Sets of units. By default a unit gets the better of its line and multi-buy promotions.
    #[serde(rename = "multi-buy")]
    MultiBuy,
    /// Off the basket.
    Threshold,
    /// Off what is left, for coupons.
    Coupon,
    /// By hand.
    Manual,
    /// Loyalty points and coupons for next time.
    Points,
}

/// How promotions that want the same unit are chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Choose {
    /// What is best for the customer.
    #[default]
    Best,
    /// The highest priority takes its units first; what is best decides among equals.
    Priority,
}

/// How the promotions of a group, and groups among each other, stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    pub id: String,
    pub within: Within,
    pub across: Across,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Within {
    /// One promotion for a unit (for the basket, in the basket's phases): what is best.
    #[default]
    Best,
    /// One after the other by priority, each on what the one before left.
    Chain,
    /// Together, each on the price before the first.
    Add,
    /// The one of the highest priority.
    First,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Across {
    /// After the groups before it, on what they left.
    #[default]
    Combine,
    /// In place of other promotions, where it is better.
    Compete,
}

/// A promotion beside which no other is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exclusive {
    /// Wherever it can be given.
    Always,
    /// Where it is better than all others together.
    IfBetter,
}

/// Which prices something is taken of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    /// Before all promotions, after contract prices.
    List,
    /// What the promotions before have left.
    Running,
}

/// Whether an amount to reach is counted with tax.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TaxBasis {
    #[default]
    AsPriced,
    Net,
    Gross,
}

/// Where what does not divide goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Spread {
    /// To the largest remainders; of equal ones, first to units that were rewarded, then to the
    /// first line.
    #[default]
    LargestRemainder,
    /// Shares are rounded down (so prices up), the last unit gets the rest.
    Last,
    /// Shares are rounded down, the first unit gets the rest.
    First,
}

/// Which units of a set bear its discount, and so what a return of some of them refunds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Over {
    /// Those that earned it and those that received it.
    #[default]
    Set,
    /// Those that received it.
    Reward,
}

/// How often a promotion is given: complete sets, or units where it is given unit by unit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    pub basket: Option<u32>,
    pub customer: Option<u32>,
    /// To a customer on a business day. Given by the right of [`crate::Basket::rights`].
    pub customer_day: Option<u32>,
    /// In the whole store. Each lane gives what it holds rights for.
    pub store: Option<u32>,
    /// In the whole store on a business day, likewise.
    pub day: Option<u32>,
}

/// Who a promotion is for. Every part that is empty holds for everyone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Who {
    pub tiers: Vec<Tier>,
    pub groups: BTreeSet<String>,
    pub customers: BTreeSet<CustomerId>,
    pub employees: bool,
    pub contracts: BTreeSet<String>,
    pub first_purchase: bool,
    /// So many days before and after the birthday.
    pub birthday_days: Option<u16>,
    /// Spent before, at least.
    pub spent: Option<FileAmount>,
    /// Pieces of any of the items bought before, at least.
    pub bought: Option<(u32, BTreeSet<ItemId>)>,
}

/// Where a promotion holds. Every part that is empty holds everywhere.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Where {
    pub stores: BTreeSet<String>,
    pub store_groups: BTreeSet<String>,
    pub channels: BTreeSet<String>,
    pub lanes: BTreeSet<u32>,
    pub self_checkout: bool,
}

/// An amount as written, in the currency of the store that compiles the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileAmount {
    pub text: String,
    pub line: u32,
}

/// Which units: any of `items`, `departments` and `brands` (all of these with `all`), that have
/// every one of the `attributes`, cost no less than `price_from` and no more than `price_to`, and
/// are not in `except`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selector {
    pub items: BTreeSet<ItemId>,
    pub departments: BTreeSet<DepartmentId>,
    pub brands: BTreeSet<String>,
    pub all: bool,
    pub attributes: BTreeMap<String, BTreeSet<String>>,
    pub price_from: Option<FileAmount>,
    pub price_to: Option<FileAmount>,
    pub everything: bool,
    /// Fees and deliveries, which no other selector takes.
    pub fees: bool,
    pub except: Option<Box<Selector>>,
}

impl Selector {
    /// Whether it names nothing at all.
    pub fn is_empty(&self) -> bool {
        *self == Selector::default()
    }
}

/// What a unit, a set or a basket gets off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileReward {
    Percent(Rate),
    /// Per piece or kilogram.
    Amount(FileAmount),
    /// It costs this, per piece or kilogram.
    Price(FileAmount),
}

/// One thing that a promotion gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Give {
    pub what: Gives,
    /// Needed for this alone.
    pub needs: Vec<Need>,
}

/// What a promotion gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Gives {
    /// Off each unit. With steps, the reward of the last step that the number of units reaches.
    Unit {
        selector: Selector,
        steps: Vec<(u32, FileReward)>,
    },
    /// Any `units` qualifying pieces for `price` together, as often as there are enough.
    NFor {
        selector: Selector,
        units: u32,
        price: FileAmount,
    },
    /// Of every `of` units, `units` get this off: the cheapest, or the dearest.
    OfEvery {
        selector: Selector,
        of: u32,
        units: u32,
        rate: Rate,
        dearest: bool,
    },
    /// So many units of each part together.
    Set {
        parts: Vec<SetPart>,
        reward: Option<FileReward>,
    },
    /// Units of different items; so many of them get this share off.
    Different {
        selector: Selector,
        tiers: Vec<(u32, Rate)>,
    },
    /// Off the basket, or what of it is selected: the reward of the last step that is reached, for
    /// every `per` spent where that is stated.
    Total {
        selector: Selector,
        steps: Vec<(Option<FileAmount>, FileReward)>,
        per: Option<FileAmount>,
    },
    /// Prices by item, by the number of its units.
    Prices(BTreeMap<ItemId, Vec<(u32, FileAmount)>>),
    Points(i64),
    /// So many points for every amount spent on what is selected.
    PointsPer {
        selector: Selector,
        points: i64,
        spend: FileAmount,
    },
    /// All other points, times this.
    PointsTimes(u32),
    NextCoupon {
        code: String,
    },
}

/// A part of a set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetPart {
    pub selector: Selector,
    pub units: u32,
    pub reward: Option<FileReward>,
}

/// What must be in the basket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Need {
    pub selector: Selector,
    pub measure: Measure,
}

/// How much must be there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Measure {
    Units(u32),
    Distinct(u32),
    Grams(i64),
    /// At least this, or with `over` more than it.
    Spend {
        amount: FileAmount,
        over: bool,
        of: Of,
        tax: TaxBasis,
    },
}
