//! Which units go into which sets, so that the customer gains the most.
//!
//! A set is what a multi-buy takes: three for a price, a bundle, two with the cheaper one free,
//! different titles. Every unit is in at most one set; a unit outside all sets keeps what it gets
//! alone. So what a set gains is its discount less what its units would have got alone.
//!
//! Offers that share no unit are decided apart. Where all that compete are "any n for a price",
//! `equal` decides them by matroid; everything else is decided by `labels`. Both are exact, or say
//! that their budget, a count of steps and never a clock, ended before they were sure.

mod dominant;
mod equal;
mod labels;

use std::collections::BTreeMap;
use std::sync::Arc;

use money::{Money, Rate, Rounding};

use dominant::Worth;

/// Units that are alike to every offer of the problem.
#[derive(Clone, Debug)]
pub(crate) struct Kind {
    /// What one costs before the sets, in minor units.
    pub value: i64,
    /// What one gets off alone, up to `value`.
    pub alone: i64,
    pub count: u32,
    /// The item, for sets of different titles.
    pub title: u32,
    /// Offer and part of it that one may take, in ascending order.
    pub places: Vec<Place>,
}

impl Kind {
    /// What tells kinds apart, in their order.
    pub fn key(&self) -> (i64, i64, &[Place], u32) {
        (-self.value, self.alone, &self.places, self.title)
    }
}

/// A part of an offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub offer: usize,
    pub part: usize,
}

/// What a unit, or a whole set, gets off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Reward {
    Nothing,
    Percent(Rate),
    Amount(i64),
    /// It costs this.
    Price(i64),
}

impl Reward {
    /// What it takes off a price, from nothing up to all of it.
    pub fn off(self, price: i64) -> i64 {
        match self {
            Reward::Nothing => 0,
            Reward::Percent(rate) => percent_of(price, rate),
            Reward::Amount(off) => off.min(price),
            Reward::Price(fixed) => (price - fixed).max(0),
        }
    }
}

/// A share of an amount in minor units, rounded half up.
pub(crate) fn percent_of(minor: i64, rate: Rate) -> i64 {
    const WHOLE: i64 = 1_000_000;
    // What is bought and sold needs no wide numbers, which are slow.
    if (0..1 << 42).contains(&minor) && (0..=WHOLE).contains(&rate.millionths()) {
        return (minor * rate.millionths() + WHOLE / 2) / WHOLE;
    }
    let money = Money::from_minor(minor, money::Currency::USD);
    money.share(rate, Rounding::HalfUp).minor()
}

/// How a set is made up and what it gives.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Shape {
    /// So many units of each part; a reward per unit of each part, or one for the whole set.
    Parts { parts: Vec<Part>, whole: Reward },
    /// Any `of` units, the cheapest `units` of which get `rate` off.
    Cheapest { of: u32, units: u32, rate: Rate },
    /// Units of different titles; so many titles get this share off the set. Ascending.
    Different { tiers: Vec<(u32, Rate)> },
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Part {
    pub units: u32,
    pub reward: Reward,
}

#[derive(Clone, Debug)]
pub(crate) struct SetOffer {
    /// Shared with the book, so that it is not copied for every basket.
    pub shape: Arc<Shape>,
    /// The most sets.
    pub sets_max: Option<u32>,
    /// The most that all its sets together take off.
    pub cap: Option<i64>,
}

/// A set that was chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ChosenSet {
    pub offer: usize,
    /// Kind and part of each of its units, a unit at a time.
    pub units: Vec<(usize, usize)>,
}

pub(crate) struct Chosen {
    /// In the order of the offers.
    pub sets: Vec<ChosenSet>,
    pub proven: bool,
}

impl SetOffer {
    /// What a set of units with these prices and parts takes off: per unit where the offer says
    /// which unit gets what, as a whole otherwise.
    pub fn discount(&self, units: &[(i64, usize)]) -> Discount {
        let whole = units.iter().map(|(value, _)| value).sum();
        match &*self.shape {
            Shape::Parts {
                parts,
                whole: Reward::Nothing,
            } => Discount::PerUnit(
                units
                    .iter()
                    .map(|&(value, part)| parts[part].reward.off(value))
                    .collect(),
            ),
            Shape::Parts {
                whole: Reward::Percent(rate),
                ..
            } => Discount::PerUnit(units.iter().map(|(v, _)| percent_of(*v, *rate)).collect()),
            Shape::Parts { whole: reward, .. } => Discount::Whole(reward.off(whole)),
            Shape::Cheapest {
                of,
                units: free,
                rate,
            } => {
                let mut order: Vec<usize> = (0..units.len()).collect();
                order.sort_by_key(|at| (-units[*at].0, *at));
                let mut off = vec![0; units.len()];
                for &at in order.iter().skip((of - free) as usize) {
                    off[at] = percent_of(units[at].0, *rate);
                }
                Discount::PerUnit(off)
            }
            Shape::Different { tiers } => {
                Discount::Whole(percent_of(whole, rate_of(tiers, units.len())))
            }
        }
    }
}

impl SetOffer {
    /// What a set of units with these prices and parts takes off in all.
    pub fn whole_discount(&self, units: &[(i64, usize)]) -> i64 {
        if let Shape::Parts { parts, whole } = &*self.shape {
            let values = units.iter().map(|(value, _)| *value);
            return match whole {
                Reward::Nothing => {
                    let offs = units.iter();
                    offs.map(|&(value, part)| parts[part].reward.off(value))
                        .sum()
                }
                Reward::Percent(rate) => values.map(|value| percent_of(value, *rate)).sum(),
                reward => reward.off(values.sum()),
            };
        }
        match self.discount(units) {
            Discount::PerUnit(offs) => offs.iter().sum(),
            Discount::Whole(off) => off,
        }
    }
}

/// What a set takes off.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Discount {
    PerUnit(Vec<i64>),
    Whole(i64),
}

/// The share that so many different titles get.
fn rate_of(tiers: &[(u32, Rate)], titles: usize) -> Rate {
    let reached = tiers
        .iter()
        .rev()
        .find(|(from, _)| *from as usize <= titles);
    reached.map_or(Rate::ZERO, |(_, rate)| *rate)
}

/// The most work for the whole pricing of a basket, in all of its phases: about 10 ns each. What is
/// begun with the last of it is brought to an end, so a little more may be spent.
pub(crate) const WORK_MAX: u64 = 900_000;

/// One part of so many is set aside for one offer after the other.
const SIMPLE_OF: u64 = 4;

/// What the search may still do, in steps and never in time, so that it answers the same everywhere.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Work {
    left: u64,
    spent: u64,
}

impl Work {
    pub fn new(most: u64) -> Work {
        Work {
            left: most,
            spent: 0,
        }
    }

    pub fn left(&self) -> u64 {
        self.left
    }

    pub fn spent(&self) -> u64 {
        self.spent
    }

    pub fn spend(&mut self, steps: u64) {
        self.left = self.left.saturating_sub(steps);
        self.spent = self.spent.saturating_add(steps);
    }

    /// A part of it, to be settled with `spend`.
    pub fn at_most(&self, most: u64) -> Work {
        Work::new(self.left.min(most))
    }
}

/// How sets are looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Search {
    /// The best there are.
    Best,
    /// One offer after the other, that which gains most first: what the best is measured against.
    Greedy,
}

/// Chooses the sets that gain the most. Kinds come dearest first.
pub(crate) fn choose(
    mut kinds: Vec<Kind>,
    offers: &[SetOffer],
    search: Search,
    work: &mut Work,
) -> Chosen {
    let mut chosen = Chosen {
        sets: Vec::new(),
        proven: true,
    };
    let worth = Worth::of(&kinds, offers);
    for kind in &mut kinds {
        kind.places.retain(|place| worth.trying[place.offer]);
    }
    let kinds = kinds.as_slice();
    let mut components = components(kinds, offers.len());
    // The smallest first: one that has no end must not take from those that have.
    components.sort_by_cached_key(|component| (component.len(), component[0]));
    // What is set aside gives everyone at least one offer after the other.
    let mut simple = work.at_most(work.left() / SIMPLE_OF);
    let mut exact = work.at_most(work.left() - simple.left());
    for component in components {
        let (sets, proven) = match component.iter().all(|at| is_equal(&offers[*at])) {
            _ if search == Search::Greedy => (
                labels::greedy((kinds, &worth), offers, &component, work).1,
                false,
            ),
            true => equal_sets(kinds, offers, &component, &mut exact),
            false => labels::solve(
                (kinds, &worth),
                offers,
                &component,
                [&mut exact, &mut simple],
            ),
        };
        chosen.sets.extend(sets);
        chosen.proven &= proven;
    }
    work.spend(exact.spent() + simple.spent());
    chosen.sets.sort_by_key(|set| set.offer);
    chosen
}

/// The offers divided so that those that share a unit are together.
fn components(kinds: &[Kind], offers: usize) -> Vec<Vec<usize>> {
    let mut leader: Vec<usize> = (0..offers).collect();
    fn find(leader: &mut [usize], mut at: usize) -> usize {
        while leader[at] != at {
            leader[at] = leader[leader[at]];
            at = leader[at];
        }
        at
    }
    let mut touched = vec![false; offers];
    for kind in kinds {
        let Some(first) = kind.places.first() else {
            continue;
        };
        for place in &kind.places {
            touched[place.offer] = true;
            let (a, b) = (
                find(&mut leader, first.offer),
                find(&mut leader, place.offer),
            );
            leader[a.max(b)] = a.min(b);
        }
    }
    let mut groups: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for offer in (0..offers).filter(|offer| touched[*offer]) {
        groups
            .entry(find(&mut leader, offer))
            .or_default()
            .push(offer);
    }
    groups.into_values().collect()
}

/// Whether it is "any n for a price", without limits.
fn is_equal(offer: &SetOffer) -> bool {
    offer.sets_max.is_none() && offer.cap.is_none() && equal_offer(offer).is_some()
}

fn equal_offer(offer: &SetOffer) -> Option<equal::SetOffer> {
    match &*offer.shape {
        Shape::Parts {
            parts,
            whole: Reward::Price(price),
        } => match parts.as_slice() {
            [part] => Some(equal::SetOffer {
                units: part.units,
                price: *price,
            }),
            _ => None,
        },
        _ => None,
    }
}

fn equal_sets(
    kinds: &[Kind],
    offers: &[SetOffer],
    component: &[usize],
    work: &mut Work,
) -> (Vec<ChosenSet>, bool) {
    let units: Vec<equal::Units> = kinds
        .iter()
        .map(|kind| {
            let places = kind.places.iter().map(|place| place.offer);
            equal::Units {
                net: kind.value - kind.alone,
                count: kind.count,
                sets: places
                    .filter(|at| component.binary_search(at).is_ok())
                    .collect(),
            }
        })
        .collect();
    let chosen = equal::choose_sets(&units, work, |at| equal_offer(&offers[at]));
    let mut sets = Vec::new();
    for choice in chosen.choices {
        let size = equal_offer(&offers[choice.promotion]).map_or(1, |offer| offer.units as usize);
        // The dearest together, so that the sets, and so the refunds, are the same everywhere.
        let mut taken = choice.taken;
        taken.sort_by_key(|(at, _)| *at);
        let units: Vec<(usize, usize)> = taken
            .iter()
            .flat_map(|&(at, count)| (0..count).map(move |_| (at, 0)))
            .collect();
        sets.extend(units.chunks(size).map(|units| ChosenSet {
            offer: choice.promotion,
            units: units.to_vec(),
        }));
    }
    (sets, chosen.proven)
}
