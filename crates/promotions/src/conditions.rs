//! Whether a promotion is for this customer, here and now, and what is missing.

use crate::book::{Amount, Compiled, Customers, Needed};
use crate::state::State;
use crate::{Basket, Customer, Instant, Where};

/// Why a promotion is not given at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Barrier {
    NotNow,
    NotForCustomer,
    NotHere,
    NoCoupon,
    /// A coupon was handed over, and not what it asks for bought.
    CouponShort(Short),
    OtherTender,
    LimitReached,
}

/// What is wanting of something that must be in the basket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Short {
    Units(i64),
    Distinct(i64),
    Grams(i64),
    /// In minor units.
    Spend(i64),
}

/// `None` where nothing is in the way.
pub(crate) fn barrier(
    promotion: &Compiled,
    basket: &Basket,
    customer: &Customer,
    at: Instant,
) -> Option<Barrier> {
    let coupon = promotion.coupon.as_ref();
    let no_coupon = |code| basket.coupons.get(code).is_none_or(|count| *count == 0);
    let tender = promotion.tender.as_ref();
    // One after the other: most promotions are tried, and few of them have any of it in the way.
    if !promotion.schedule.holds(at) {
        Some(Barrier::NotNow)
    } else if !is_for(&promotion.who, customer, at) {
        Some(Barrier::NotForCustomer)
    } else if !holds_at(&promotion.place, basket) {
        Some(Barrier::NotHere)
    } else if coupon.is_some_and(no_coupon) {
        Some(Barrier::NoCoupon)
    } else if let Some(short) = coupon.and_then(|code| basket.coupon_wanting(code)) {
        Some(Barrier::CouponShort(short))
    } else if tender.is_some_and(|tender| !basket.tenders.contains(tender)) {
        Some(Barrier::OtherTender)
    } else if times_max(promotion, basket, customer) == Some(0) {
        Some(Barrier::LimitReached)
    } else {
        None
    }
}

/// How often it may be given at most; `None` for any number.
pub(crate) fn times_max(promotion: &Compiled, basket: &Basket, customer: &Customer) -> Option<u32> {
    let limits = &promotion.limits;
    if *limits == crate::Limits::default() {
        return None;
    }
    let coupons = promotion
        .coupon
        .as_ref()
        .filter(|code| basket.coupons.contains_key(*code))
        .map(|code| basket.coupons_good(code));
    // A limit a basket is one a coupon, where several are handed over.
    let of_basket = limits
        .basket
        .map(|max| max.saturating_mul(coupons.unwrap_or(1)));
    let given = customer.given.get(&promotion.id).copied().unwrap_or(0);
    let of_customer = limits.customer.map(|max| max.saturating_sub(given));
    let held = basket.rights.get(&promotion.id).copied().unwrap_or(0);
    let by_right = limits.by_right().then_some(held);
    [of_basket, of_customer, by_right]
        .into_iter()
        .flatten()
        .min()
}

fn is_for(who: &Customers, customer: &Customer, at: Instant) -> bool {
    let one_of = |wanted: &std::collections::BTreeSet<String>,
                  has: &std::collections::BTreeSet<String>| {
        wanted.is_empty() || !wanted.is_disjoint(has)
    };
    let tier = customer.tier.is_some_and(|tier| who.tiers.contains(&tier));
    let id = customer.id.as_ref();
    let bought = who.bought.as_ref().is_none_or(|(units, items)| {
        let pieces = items.iter().filter_map(|item| customer.bought.get(item));
        pieces.fold(0_u32, |sum, pieces| sum.saturating_add(*pieces)) >= *units
    });
    (who.tiers.is_empty() || tier)
        && one_of(&who.groups, &customer.groups)
        && (who.customers.is_empty() || id.is_some_and(|id| who.customers.contains(id)))
        && (!who.employees || customer.employee)
        && one_of(&who.contracts, &customer.contracts)
        && (!who.first_purchase || customer.first_purchase)
        && (who.birthday_days).is_none_or(|days| is_birthday(customer, days, at))
        && who.spent.is_none_or(|spent| customer.spent_minor >= spent)
        && bought
}

/// Whether the birthday is at most so many days off. One on a leap day is on the day before the
/// first of March.
fn is_birthday(customer: &Customer, days: u16, at: Instant) -> bool {
    let Some((month, day)) = customer.birthday else {
        return false;
    };
    let seconds = (at.unix_ms / 1_000).cast_signed() + i64::from(at.offset_minutes) * 60;
    let today = crate::Day::since_epoch(seconds.div_euclid(24 * 60 * 60));
    let (year, _, _) = today.date();
    let near = (year - 1..=year + 1).filter_map(|year| {
        let year = u16::try_from(year).ok()?;
        let before = day.checked_sub(1);
        let before = before.and_then(|day| crate::Day::new(year, month, day));
        crate::Day::new(year, month, day).or(before)
    });
    near.map(|birthday| birthday.days_until(today).abs())
        .any(|distance| distance <= i64::from(days))
}

fn holds_at(place: &Where, basket: &Basket) -> bool {
    let at = &basket.place;
    let named = |wanted: &std::collections::BTreeSet<String>, has: &Option<String>| {
        wanted.is_empty() || has.as_ref().is_some_and(|has| wanted.contains(has))
    };
    named(&place.stores, &at.store)
        && (place.store_groups.is_empty() || !place.store_groups.is_disjoint(&at.store_groups))
        && named(&place.channels, &at.channel)
        && (place.lanes.is_empty() || at.lane.is_some_and(|lane| place.lanes.contains(&lane)))
        && (!place.self_checkout || at.self_checkout)
}

/// What is wanting of the first need that is not met.
pub(crate) fn short(needs: &[Needed], state: &State<'_>) -> Option<Short> {
    needs.iter().find_map(|need| short_of(need, state))
}

fn short_of(need: &Needed, state: &State<'_>) -> Option<Short> {
    let select = &need.select;
    let (there, wanted, short): (i64, i64, fn(i64) -> Short) = match need.amount {
        Amount::Units(units) => (state.units(select), i64::from(units), Short::Units),
        Amount::Distinct(items) => (state.distinct(select), i64::from(items), Short::Distinct),
        Amount::Grams(grams) => (state.grams(select), grams, Short::Grams),
        Amount::Spend {
            minor,
            over,
            of,
            tax,
        } => {
            let wanted = minor + i64::from(over);
            (state.spend(select, of, tax), wanted, Short::Spend)
        }
    };
    (there < wanted).then(|| short(wanted - there))
}
