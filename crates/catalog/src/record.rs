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
}
