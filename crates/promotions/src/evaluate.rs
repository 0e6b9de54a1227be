//! Pricing a basket: every unit takes part in at most one promotion, so that the whole discount is
//! as large as it can be.
//!
//! A unit is a piece, or the whole of a weighed line. Alone, a unit gets the best percentage or
//! amount off that it qualifies for, rounded half up per unit; that choice never depends on other
//! units. What n-for-a-price sets add is found by `sets`, which counts a unit at what it costs
//! after its own best discount. Ties go to the promotion whose id comes first, and to the line with
//! the lower number.
//!
//! A set's discount is spread over its lines in proportion to what their units cost, by largest
//! remainder; no line is ever discounted below zero.

use std::collections::BTreeMap;

use money::{Money, Rounding, apportion};

use crate::book::Offer;
use crate::sets::{SetOffer, Units, choose_sets};
use crate::{Applied, Basket, BasketLine, CompiledBook, Customer, Instant, Pricing};

/// Units of one line that cost the same.
struct Group {
    line: u32,
    /// What one unit costs, in minor units.
    value: i64,
    count: u32,
    /// The best promotion for one unit alone, and what it takes off.
    alone: Option<(usize, i64)>,
    /// The n-for-a-price promotions it qualifies for.
    sets: Vec<usize>,
}

impl Group {
    fn net(&self) -> i64 {
        self.value - self.alone.map_or(0, |(_, off)| off)
    }
}

/// Promotion → line → discount in minor units, each in order.
type Discounts = BTreeMap<usize, BTreeMap<u32, i64>>;

/// The discounts for a basket, the best for the customer where the answer says `proven`.
///
/// Lines that cost nothing or less, and baskets in another currency than the book's, get none.
pub fn evaluate(book: &CompiledBook, basket: &Basket, customer: &Customer, at: Instant) -> Pricing {
    if book.currency() != Some(basket.currency) {
        return Pricing::none(basket.currency);
    }
    let groups = groups(book, basket, customer, at);
    let mut discounts = Discounts::new();
    let mut alone: Vec<u32> = groups.iter().map(|group| group.count).collect();
    let proven = apply_sets(book, basket, &groups, &mut alone, &mut discounts);
    for (group, count) in groups.iter().zip(alone) {
        if let Some((promotion, off)) = group.alone
            && count > 0
        {
            let line = discounts.entry(promotion).or_default();
            *line.entry(group.line).or_default() += off * i64::from(count);
        }
    }
    pricing(book, basket, &discounts, proven)
}

fn groups(book: &CompiledBook, basket: &Basket, customer: &Customer, at: Instant) -> Vec<Group> {
    // Each promotion is asked once whether it holds, and only when a line meets it.
    let mut holds: Vec<Option<bool>> = vec![None; book.len()];
    let mut lines: Vec<&BasketLine> = basket.lines.iter().collect();
    lines.sort_by_key(|line| line.line);
    let mut groups = Vec::new();
    for line in lines {
        let for_sale = line.quantity.milli() > 0
            && line.extended.minor() > 0
            && line.extended.currency() == basket.currency;
        if !for_sale {
            continue;
        }
        let mut promotions = book.qualifying(line);
        promotions.retain(|&index| {
            *holds[index].get_or_insert_with(|| book.promotion(index).holds(customer, at))
        });
        if !promotions.is_empty() {
            line_groups(book, line, &promotions, &mut groups);
        }
    }
    groups
}

/// The one or two groups of a line: where its price does not divide by its pieces, some of them
/// cost one minor unit more.
fn line_groups(
    book: &CompiledBook,
    line: &BasketLine,
    promotions: &[usize],
    groups: &mut Vec<Group>,
) {
    let pieces = line.quantity.pieces();
    let count = pieces.unwrap_or(1).max(1);
    let (each, more) = (line.extended.minor() / count, line.extended.minor() % count);
    for (value, count) in [(each + 1, more), (each, count - more)] {
        if value == 0 || count == 0 {
            continue;
        }
        let mut group = Group {
            line: line.line,
            value,
            count: u32::try_from(count).unwrap_or(u32::MAX),
            alone: None,
            sets: Vec::new(),
        };
        for &index in promotions {
            let whole = Money::from_minor(value, line.extended.currency());
            let off = match book.promotion(index).offer {
                Offer::NFor { .. } => {
                    if pieces.is_some() {
                        group.sets.push(index);
                    }
                    continue;
                }
                Offer::PercentOff(rate) => whole.share(rate, Rounding::HalfUp),
                Offer::AmountOff(off) if pieces.is_some() => off,
                // No more than the price of a kilogram, so that the product stays an amount.
                Offer::AmountOff(off) => {
                    let per_kilogram = off.minor().min(line.unit_price.minor());
                    Money::from_minor(per_kilogram, line.extended.currency())
                        .for_quantity(line.quantity, Rounding::HalfUp)
                }
            };
            let off = off.minor().min(value);
            if off > group.alone.map_or(0, |(_, best)| best) {
                group.alone = Some((index, off));
            }
        }
        groups.push(group);
    }
}

/// Chooses the n-for-a-price sets, notes their discounts, and takes their units out of `alone`.
/// Answers whether the choice is proven to be the best.
fn apply_sets(
    book: &CompiledBook,
    basket: &Basket,
    groups: &[Group],
    alone: &mut [u32],
    discounts: &mut Discounts,
) -> bool {
    let units: Vec<Units> = groups
        .iter()
        .map(|group| Units {
            net: group.net(),
            count: group.count,
            sets: group.sets.clone(),
        })
        .collect();
    let offer = |index: usize| match book.promotion(index).offer {
        Offer::NFor { units, price } => Some(SetOffer {
            units,
            price: price.minor(),
        }),
        _ => None,
    };
    let chosen = choose_sets(&units, offer);
    for choice in &chosen.choices {
        let weights: Vec<i64> = choice
            .taken
            .iter()
            .map(|&(group, count)| groups[group].value * i64::from(count))
            .collect();
        let before: i64 = weights.iter().sum();
        let total = Money::from_minor(before - choice.price, basket.currency);
        let line_of = discounts.entry(choice.promotion).or_default();
        for (&(group, count), part) in choice.taken.iter().zip(apportion(total, &weights)) {
            alone[group] -= count;
            *line_of.entry(groups[group].line).or_default() += part.minor();
        }
    }
    chosen.proven
}

fn pricing(book: &CompiledBook, basket: &Basket, discounts: &Discounts, proven: bool) -> Pricing {
    let money = |minor: i64| Money::from_minor(minor, basket.currency);
    let applied = discounts.iter().map(|(&index, lines)| {
        let promotion = book.promotion(index);
        let lines = lines.iter().filter(|(_, minor)| **minor > 0);
        let per_line: Vec<(u32, Money)> = lines.map(|(line, m)| (*line, money(*m))).collect();
        Applied {
            promotion: promotion.id.clone(),
            name: promotion.name.clone(),
            amount: per_line.iter().fold(money(0), |sum, (_, part)| sum + *part),
            per_line,
        }
    });
    Pricing {
        currency: basket.currency,
        applied: applied
            .filter(|applied| !applied.amount.is_zero())
            .collect(),
        proven,
    }
}
