//! Promotions: files become a compiled book, and `evaluate` prices a basket with it.
//!
//! `PromotionFile::parse` reads what a merchandiser writes and says what is wrong in it, line by
//! line; `CompiledBook::compile` makes it ready once; `evaluate` runs after every scan.
//!
//! Pure: no I/O, no clock, no randomness, and no order of a hash map. The same book, basket, customer
//! and instant give the same pricing, to the byte, on every lane. A unit of the basket takes part in
//! at most one of the promotions that compete for it, and the customer gets the best choice of them;
//! `Pricing::proven` says whether the search for it came to its end.

mod basket;
mod best;
mod book;
mod check;
mod conditions;
mod evaluate;
mod explain;
mod file;
mod limits;
mod model;
mod pool;
mod purchases;
mod refund;
mod spread;
mod state;
mod time;
mod totals;
mod tree;
pub mod workload;

pub use basket::{
    Applied, Basket, BasketLine, Customer, Instant, ManualDiscount, ManualOff, NextCoupon, Place,
    Points, PricedUnits, Pricing, PromotionId,
};
pub use book::CompiledBook;
pub use check::{CheckItem, Finding, FindingKind, check};
pub use evaluate::{EVALUATION_WORK_MAX, evaluate, evaluate_counted, evaluate_greedily};
pub use explain::{Explained, Hint, Lacks, Verdict, Why, explain, hints, refused_by_hand};
pub use file::{FileProblem, JSON_SCHEMA};
pub use limits::{GivenBefore, limited, used_up};
pub use model::{
    Across, Choose, Exclusive, FileAmount, FileReward, Give, Gives, Group, Limits, Measure, Need,
    Of, Over, Phase, Promotion, PromotionFile, Selector, SetPart, Spread, TaxBasis, Where, Who,
    Within,
};
pub use refund::{ReturnPolicy, reprice};
pub use time::{Day, Moment, Span, Weekday, When, Window};
