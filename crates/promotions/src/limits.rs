//! How often promotions may be given: which of those a basket meets are limited, and which gave nothing
//! because they were given as often as they may be.

use crate::conditions::{Barrier, barrier};
use crate::state::State;
use crate::{Basket, CompiledBook, Customer, Instant, Limits, PromotionId};

/// How often a promotion was given before, less what came back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GivenBefore {
    pub store: u64,
    /// On this business day.
    pub day: u64,
    /// To this customer on this business day.
    pub customer_day: u64,
}

impl Limits {
    /// Whether only a right to it lets it be given ([`Basket::rights`]): it is limited in the store, or
    /// by the day.
    pub fn by_right(&self) -> bool {
        self.in_store() || self.customer_day.is_some()
    }

    /// Whether it is limited in the whole store: what one lane gives, no other can.
    pub fn in_store(&self) -> bool {
        self.store.or(self.day).is_some()
    }

    /// How often it may still be given by right.
    pub fn left(&self, given: &GivenBefore) -> u32 {
        let left = [
            (self.store, given.store),
            (self.day, given.day),
            (self.customer_day, given.customer_day),
        ];
        let left = left.into_iter().filter_map(|(most, given)| {
            let given = u32::try_from(given).unwrap_or(u32::MAX);
            Some(most?.saturating_sub(given))
        });
        left.min().unwrap_or(0)
    }

    /// Whether it matters how often it was given in other baskets.
    pub fn beyond_basket(&self) -> bool {
        self.by_right() || self.customer.is_some()
    }
}

/// The promotions that a basket's lines meet and that other baskets count towards, in the order of their
/// ids, whether they hold now or not.
pub fn limited<'b>(book: &'b CompiledBook, basket: &Basket) -> Vec<(&'b PromotionId, &'b Limits)> {
    if book.currency() != Some(basket.currency) || !book.is_limited() {
        return Vec::new();
    }
    let met = book.met_by_any(&State::new(book, basket).met);
    let met = met.into_iter().map(|index| book.promotion(index));
    let limited = met.filter(|promotion| promotion.limits.beyond_basket());
    limited.map(|p| (&p.id, &p.limits)).collect()
}

/// The promotions that would be for a basket and were given as often as they may be: ids and names, in
/// the order of the ids.
pub fn used_up<'b>(
    book: &'b CompiledBook,
    basket: &Basket,
    customer: &Customer,
    at: Instant,
) -> Vec<(&'b PromotionId, &'b str)> {
    if book.currency() != Some(basket.currency) || !book.is_limited() {
        return Vec::new();
    }
    let met = book.met_by_any(&State::new(book, basket).met);
    let met = met.into_iter().map(|index| book.promotion(index));
    let reached = |p: &&_| {
        matches!(
            barrier(p, basket, customer, at),
            Some(Barrier::LimitReached)
        )
    };
    let used_up = met.filter(reached);
    used_up.map(|p| (&p.id, p.name.as_str())).collect()
}
