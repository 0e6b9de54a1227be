//! What is left of promotions that are given only so often: in the store, on a business day, to a
//! customer.
//!
//! What this lane knows of it goes into the open sale by an event, so that the sale costs the same
//! wherever it is priced again. That is looked at with every change of the sale, and once more as
//! paying begins: what other lanes gave meanwhile is then gone, also where the customer was told
//! otherwise. A promotion of which nothing is known is not given.
//!
//! Lanes do not ask each other: what several give in the time that a receipt takes from one to the
//! other, and what sales that are being paid will have given, none of them knows.

use std::collections::BTreeMap;

use promotions::{CompiledBook, GivenBefore, Limits, PromotionId, limited};
use serde::{Deserialize, Serialize};

use crate::price::{basket_of, shopper_of};
use crate::{Cart, Context, Event, LocalTime, Phase, Register, evolve};

/// How often a promotion was given, as far as a lane knows, less what came back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Given {
    /// In the store, and to the customer who was asked about.
    pub before: GivenBefore,
    /// To that customer, on all days.
    pub customer: u32,
}

impl Given {
    /// Adds what a receipt was given of it.
    pub fn add(&mut self, times: u32, on_day: bool, to_customer: bool) {
        let counted = |counts: bool| if counts { u64::from(times) } else { 0 };
        let before = &mut self.before;
        before.store = before.store.saturating_add(u64::from(times));
        before.day = before.day.saturating_add(counted(on_day));
        let both = on_day && to_customer;
        before.customer_day = before.customer_day.saturating_add(counted(both));
        if to_customer {
            self.customer = self.customer.saturating_add(times);
        }
    }
}

/// A promotion that the open sale would have, and that was given as often as it may be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsedUp {
    pub promotion: String,
    pub name: String,
    pub why: WhyUsedUp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WhyUsedUp {
    /// As far as this lane knows.
    LimitReached,
    /// This lane is cut off from the store, and others may be giving what is left.
    CutOff,
}

impl std::fmt::Display for UsedUp {
    /// `The first 50: limit reached`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let why = match self.why {
            WhyUsedUp::LimitReached => "limit reached",
            WhyUsedUp::CutOff => "not while this lane is cut off",
        };
        write!(f, "{}: {why}", self.name)
    }
}

/// The promotions that the open sale would have but for their limits. `cut_off` says that this lane
/// gives none of what is limited in the store.
pub fn used_up(cart: &Cart, book: &CompiledBook, at: LocalTime, cut_off: bool) -> Vec<UsedUp> {
    let Some(currency) = book.currency() else {
        return Vec::new();
    };
    let basket = basket_of(cart, currency);
    let used_up = promotions::used_up(book, &basket, &shopper_of(cart), at.into());
    let why = |id: &PromotionId| match cut_off && book.limits_of(id).is_some_and(Limits::in_store) {
        true => WhyUsedUp::CutOff,
        false => WhyUsedUp::LimitReached,
    };
    used_up
        .into_iter()
        .map(|(id, name)| UsedUp {
            promotion: id.to_string(),
            name: name.to_owned(),
            why: why(id),
        })
        .collect()
}

/// The events of a command, and what is left for the sale that they leave open.
pub(crate) fn with_limits(
    register: &Register,
    mut events: Vec<Event>,
    ctx: &Context<'_>,
) -> Vec<Event> {
    let limited = ctx.limits && (ctx.book.is_limited() || ctx.newest.is_limited());
    // A sale that was put aside may have other promotions than `ctx` has; it is looked at with its next
    // change.
    let resumed = |event: &Event| matches!(event, Event::Resumed { .. });
    if !limited || events.iter().any(resumed) {
        return events;
    }
    let mut after = register.clone();
    events.iter().for_each(|event| evolve(&mut after, event));
    if let Some(cart) = after.cart.filter(|cart| cart.phase == Phase::Selling) {
        let requoted = events.iter().any(|e| matches!(e, Event::Requoted { .. }));
        let book = if requoted { ctx.newest } else { ctx.book };
        events.extend(known(&cart, book, ctx));
    }
    events
}

/// What is left for a sale, where that is not what it says already.
pub(crate) fn known(cart: &Cart, book: &CompiledBook, ctx: &Context<'_>) -> Option<Event> {
    let currency = book.currency().filter(|_| ctx.limits)?;
    let basket = basket_of(cart, currency);
    let limited = limited(book, &basket);
    if limited.is_empty() {
        return None;
    }
    let ids: Vec<&str> = limited.iter().map(|(id, _)| id.0.as_str()).collect();
    let customer = cart.customer.as_ref().map(|(id, _, _)| id);
    let found = ctx.shared.given(&ids, &cart.day, customer);
    let mut rights = cart.terms.rights.clone();
    let mut given = BTreeMap::new();
    for ((id, limits), found) in limited.into_iter().zip(found) {
        if limits.by_right() {
            let told = cart.terms.rights.get(&id.0).copied();
            let left = limits.left(&found.before);
            let left = match limits.in_store() {
                true => ctx.rights.may_give(&id.0, left, told),
                false => left,
            };
            rights.insert(id.0.clone(), left);
        }
        if limits.customer.is_some() && customer.is_some() {
            given.insert(id.0.clone(), found.customer);
        }
    }
    // What is left beyond what the sale can have does not matter.
    let pieces = cart.live_lines().map(|l| l.quantity.pieces().unwrap_or(1));
    let pieces = pieces.fold(0, i64::saturating_add);
    let most = u32::try_from(pieces).unwrap_or(u32::MAX);
    let most = most.max(u32::try_from(cart.terms.coupons.len()).unwrap_or(u32::MAX));
    let capped = |rights: &BTreeMap<String, u32>| -> BTreeMap<String, u32> {
        let capped = rights
            .iter()
            .map(|(id, left)| (id.clone(), *left.min(&most)));
        capped.collect()
    };
    let given_before = &cart.terms.standing.history.given;
    let knows = |(id, times): (&String, &u32)| given_before.get(id).copied().unwrap_or(0) == *times;
    let same = capped(&rights) == capped(&cart.terms.rights) && given.iter().all(knows);
    (!same).then_some(Event::LimitsKnown {
        cart: cart.id,
        rights,
        given,
    })
}
