//! What a store knows: items and their codes, prices, departments, tax rates, employees, customers
//! and settings; how codes are read; how CSV files become records.
//!
//! Everything here is reference data in the sense of the design: versioned, replicated, the same on
//! every lane. Nothing in this crate does I/O, knows a clock or draws randomness.

mod code;
mod coupon;
mod customer;
mod gs1;
mod import;
mod item;
mod language;
mod people;
mod record;
mod scan;
mod settings;
mod tender_rule;

pub use code::{CodeError, EmbeddedLayout, Embeds, Gtin, ItemCode};
pub use coupon::{Least, Purchase, PurchaseRule, Purchases};
pub use customer::{Customer, CustomerDetail, CustomerField, CustomerFieldError, CustomerId, Tier};
pub use import::{Import, ImportKind, ImportProblem, MapPin};
pub use item::{
    Department, DepartmentId, Item, ItemId, KitPart, PriceSince, Selling, TaxCategory, TaxHoliday,
    TaxId, TaxPart, TaxThreshold,
};
pub use language::Language;
pub use people::{Employee, EmployeeId, Role};
pub use record::{BookVersion, Recall, Record, Reference};
pub use scan::{CodeRules, CouponCode, Marks, ScannedCode, ScannedItem};
pub use settings::{Action, ForeignRate, PointsWorth, Settings, TaxRounding, UnreceiptedReturns};
pub use tender_rule::TenderRule;
