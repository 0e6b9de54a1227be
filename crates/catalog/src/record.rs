//! One change of reference data, and the questions a lane asks of it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    Customer, CustomerId, Department, DepartmentId, Employee, EmployeeId, Item, ItemCode, ItemId,
    Settings, TaxCategory, TaxId,
};

/// Counts the committed changes of reference data. A cart pins the version at its first scan.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct BookVersion(pub u64);

impl fmt::Display for BookVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// One new or replaced piece of reference data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Record {
    Item(Item),
    Department(Department),
    Tax(TaxCategory),
    Employee(Employee),
    Customer(Customer),
    /// The whole of the store's promotions, as the text of a promotion file.
    Promotions(String),
    Settings(Settings),
    Recall(Recall),
}

/// Goods that must not be sold, by item and lot. A new recall of an item replaces the one before;
/// one that is lifted is neither all of it nor names a lot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recall {
    pub item: ItemId,
    /// Every lot, and goods that say nothing of their lot.
    #[serde(default)]
    pub all_lots: bool,
    /// At most [`Recall::LOTS_MAX`].
    #[serde(default)]
    pub lots: Vec<String>,
    /// Why, in words for a cashier and a customer.
    pub reason: String,
}

impl Recall {
    /// The most lots of one item that can be recalled by name; recall all of it beyond that.
    pub const LOTS_MAX: usize = 1000;

    /// Whether goods of this lot must not be sold.
    pub fn covers(&self, lot: Option<&str>) -> bool {
        self.all_lots || lot.is_some_and(|lot| self.lots.iter().any(|recalled| recalled == lot))
    }
}

/// What a lane can look up. Answers come from the replicated store and never from the network.
pub trait Reference {
    fn version(&self) -> BookVersion;
    fn item(&self, id: &ItemId) -> Option<Item>;
    fn item_by_code(&self, code: &ItemCode) -> Option<Item>;
    fn department(&self, id: &DepartmentId) -> Option<Department>;
    fn tax(&self, id: &TaxId) -> Option<TaxCategory>;
    fn employee(&self, id: &EmployeeId) -> Option<Employee>;
    fn customer(&self, id: &CustomerId) -> Option<Customer>;
    fn settings(&self) -> Settings;

    /// The recall of an item, where there is one.
    fn recall(&self, _item: &ItemId) -> Option<Recall> {
        None
    }
}
