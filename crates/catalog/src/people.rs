//! Employees.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::item::text_id;

text_id!(
    /// What an employee types to sign in, such as `101`.
    EmployeeId
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
