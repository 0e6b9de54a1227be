//! What a store knows: items and their codes, prices, departments, tax rates, employees, customers
//! and settings; how codes are read; how CSV files become records.
//!
//! Everything here is reference data in the sense of the design: versioned, replicated, the same on
//! every lane. Nothing in this crate does I/O, knows a clock or draws randomness.

mod code;
mod import;
mod item;
mod people;
mod record;
mod settings;

pub use code::{CodeError, EmbeddedLayout, Embeds, Gtin, ItemCode, ScannedCode};
pub use import::{Import, ImportKind, ImportProblem, MapPin};
pub use item::{Department, DepartmentId, Item, ItemId, PriceSince, TaxCategory, TaxId};
pub use people::{Customer, CustomerId, Employee, EmployeeId, Role, Tier};
pub use record::{BookVersion, Record, Reference};
pub use settings::Settings;
