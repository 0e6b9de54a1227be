//! Money and quantities, exact.
//!
//! An amount is a whole number of minor units (cents) with its currency; a quantity is a whole
//! number of thousandths of its unit. There is no float anywhere, and every rounding is named where
//! it happens. Nothing here does I/O or knows a clock.

mod amount;
mod apportion;
mod currency;
mod quantity;

pub use amount::{Money, MoneyError, Rate, Rounding};
pub use apportion::apportion;
pub use currency::Currency;
pub use quantity::{MILLI_MAX, Quantity, QuantityError, Unit};
