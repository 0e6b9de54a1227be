//! How often promotions were given in the baskets before, and what is left of those that are limited in
//! the store or by the day.

use std::collections::BTreeMap;

use promotions::{Applied, CompiledBook, GivenBefore, Instant, PromotionFile, PromotionId};

/// A promotion, a day of the store's calendar, and a household.
type OnDay = (PromotionId, u64, Option<String>);

pub struct Given<'b> {
    book: &'b CompiledBook,
    /// The promotions that are given by right.
    limited: Vec<PromotionId>,
    in_all: BTreeMap<PromotionId, u64>,
    /// In all of the store where no household is named.
    on_day: BTreeMap<OnDay, u64>,
}

/// Days since 1970, by the store's clock.
fn day_of(at: Instant) -> u64 {
    at.unix_ms / (24 * 60 * 60 * 1_000)
}

impl<'b> Given<'b> {
    pub fn new(book: &'b CompiledBook, file: &PromotionFile) -> Given<'b> {
        let limited = file.promotions.iter().filter(|p| p.limits.by_right());
        Given {
            book,
            limited: limited.map(|promotion| promotion.id.clone()).collect(),
            in_all: BTreeMap::new(),
            on_day: BTreeMap::new(),
        }
    }

    /// How often each may still be given at a time, to a household.
    pub fn left(&self, at: Instant, household: Option<&String>) -> BTreeMap<PromotionId, u32> {
        let of = |id: &PromotionId| {
            let day = |household: Option<&String>| {
                let key = (id.clone(), day_of(at), household.cloned());
                self.on_day.get(&key).copied().unwrap_or(0)
            };
            let given = GivenBefore {
                store: self.in_all.get(id).copied().unwrap_or(0),
                day: day(None),
                customer_day: household.map_or(0, |id| day(Some(id))),
            };
            Some((id.clone(), self.book.limits_of(id)?.left(&given)))
        };
        self.limited.iter().filter_map(of).collect()
    }

    pub fn add(&mut self, applied: &[Applied], at: Instant, household: Option<&String>) {
        for Applied {
            promotion, times, ..
        } in applied
            .iter()
            .filter(|a| self.limited.contains(&a.promotion))
        {
            let times = u64::from(*times);
            *self.in_all.entry(promotion.clone()).or_default() += times;
            let mut on_day = |household: Option<String>| {
                let key = (promotion.clone(), day_of(at), household);
                *self.on_day.entry(key).or_default() += times;
            };
            on_day(None);
            if let Some(household) = household {
                on_day(Some(household.clone()));
            }
        }
    }
}
