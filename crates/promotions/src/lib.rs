//! Promotions: files become a compiled book, and `evaluate` prices a basket with it.
//!
//! Pure: no I/O, no clock, no randomness. The same basket, customer and instant give the same
//! pricing, to the byte, on every lane.

mod basket;
mod book;
mod evaluate;
mod file;

pub use basket::{Applied, Basket, BasketLine, Customer, Instant, Pricing, PromotionId};
pub use book::CompiledBook;
pub use evaluate::evaluate;
pub use file::{FileProblem, PromotionFile};
