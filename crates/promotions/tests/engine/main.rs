//! What the engine gives, and that nothing better can be given.

mod case_list;
mod cases;
mod common;
mod exact;
mod findings;
mod golden;
mod guide;
mod laws;
mod makers_coupons;
mod refunds;
mod schema;
