//! Pricing a basket.

use crate::{Basket, CompiledBook, Customer, Instant, Pricing};

/// The discounts for a basket.
pub fn evaluate(_: &CompiledBook, basket: &Basket, _: &Customer, _: Instant) -> Pricing {
    Pricing::none(basket.currency)
}
