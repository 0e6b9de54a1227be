//! Employees and customers.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::item::text_id;

text_id!(
    /// What an employee types to sign in, such as `101`.
    EmployeeId
);
text_id!(
    /// A customer's number, as printed on the loyalty card.
    CustomerId
);

/// What an employee may do. Each role may do all that the roles before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    Cashier,
    Supervisor,
    Manager,
}

/// Someone who may sign in. The PIN is kept only as an argon2id hash (PHC string format).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Employee {
    pub id: EmployeeId,
    pub name: String,
    pub role: Role,
    pub pin_hash: String,
}

impl fmt::Debug for Employee {
    /// Leaves the PIN hash out, so that no log can hold it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Employee")
            .field("id", &self.id)
            .field("name", &self.name)
            .field("role", &self.role)
            .finish_non_exhaustive()
    }
}

/// A loyalty tier, lowest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tier {
    Basic,
    Silver,
    Gold,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Customer {
    pub id: CustomerId,
    pub name: String,
    pub tier: Tier,
    pub phone: Option<String>,
    #[serde(default, skip_serializing_if = "CustomerDetail::is_empty")]
    pub detail: CustomerDetail,
}

/// What a store may know of a customer besides.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CustomerDetail {
    pub email: Option<String>,
    /// The number of the certificate by which no tax is added.
    pub exemption: Option<String>,
    /// May buy on account.
    pub on_account: bool,
    /// Groups that promotions name, such as `club`.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub groups: BTreeSet<String>,
    /// Works for the store.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub employee: bool,
    /// Contracts whose prices hold.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub contracts: BTreeSet<String>,
    /// Month and day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub birthday: Option<(u8, u8)>,
}

impl CustomerDetail {
    pub fn is_empty(&self) -> bool {
        *self == CustomerDetail::default()
    }
}
