//! Promotions: files become a compiled book, and `evaluate` prices a basket with it.
//!
//! `PromotionFile::parse` reads what a merchandiser writes and says what is wrong in it, line by
//! line; `CompiledBook::compile` makes it ready once; `evaluate` runs after every scan.
//!
//! Pure: no I/O, no clock, no randomness, and no order of a hash map. The same book, basket, customer
//! and instant give the same pricing, to the byte, on every lane. A unit of the basket takes part in
//! at most one promotion, and the customer gets the best choice of them; `Pricing::proven` says
//! whether the search for it came to its end.

mod basket;
mod book;
mod evaluate;
mod file;
mod sets;
mod time;

pub use basket::{Applied, Basket, BasketLine, Customer, Instant, Pricing, PromotionId};
pub use book::CompiledBook;
pub use evaluate::evaluate;
pub use file::{FileAmount, FileProblem, Gives, Promotion, PromotionFile, Qualifies};
pub use time::{Day, Span, Weekday, When};
