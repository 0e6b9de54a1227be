//! Why each promotion was given or not, with numbers.
//!
//! `explain` prices the basket as `evaluate` does, and then says of every promotion in play what
//! became of it: the cashier's "why?", and the customer's "add 1 more to get…". It is asked for, not
//! computed with every scan.

use std::collections::{BTreeMap, BTreeSet};

use money::Money;
use serde::{Deserialize, Serialize};

use crate::best::{SetOffer, Shape};
use crate::book::{CompiledBook, Select, What};
use crate::conditions::{Barrier, Short, barrier, short};
use crate::evaluate::{Outcome, candidates, priced};
use crate::state::State;
use crate::{Basket, Customer, Instant, Pricing, PromotionId};

/// The most promotions that are tried alone to say by how much they were beaten.
const BEATEN_MAX: usize = 200;

/// The most hints of a basket.
const HINTS_MAX: usize = 3;
/// The most units that are worth a hint.
const HINT_UNITS_MAX: i64 = 3;

/// What a customer could still get for a little more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hint {
    pub promotion: PromotionId,
    pub name: String,
    pub lacks: Lacks,
}

/// What is wanting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Serialize, Deserialize)]
#[serde(tag = "lacks", rename_all = "kebab-case")]
pub enum Lacks {
    Units { units: i64 },
    Different { items: i64 },
    Amount { amount: Money },
}

impl std::fmt::Display for Hint {
    /// `Add 1 more: 3 yogurts for 2.50`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.lacks {
            Lacks::Units { units } => write!(f, "Add {units} more: {}", self.name),
            Lacks::Different { items } => write!(f, "Add {items} different: {}", self.name),
            Lacks::Amount { amount } => write!(f, "Spend {amount} more: {}", self.name),
        }
    }
}

/// What is nearest of what a basket does not get: at most three, those that want the fewest units
/// first, and then the least amount. `given` says what it gets already.
pub fn hints(
    book: &CompiledBook,
    basket: &Basket,
    customer: &Customer,
    at: Instant,
    given: &dyn Fn(&PromotionId) -> bool,
) -> Vec<Hint> {
    if book.currency() != Some(basket.currency) {
        return Vec::new();
    }
    let state = State::new(book, basket);
    let whole: i64 = state.cells.iter().map(|cell| cell.now * cell.count).sum();
    let mut near: Vec<((i64, i64), Hint)> = Vec::new();
    for index in candidates(book, basket, customer, at) {
        let compiled = book.promotion(index);
        let wanting = wanting(book, index, &state).filter(|_| !given(&compiled.id));
        let (rank, lacks) = match wanting {
            Some(Short::Units(units)) if units <= HINT_UNITS_MAX => {
                ((units, 0), Lacks::Units { units })
            }
            Some(Short::Distinct(items)) if items <= HINT_UNITS_MAX => {
                ((items, 0), Lacks::Different { items })
            }
            // No more than as much again.
            Some(Short::Spend(minor)) if minor <= whole => {
                let amount = Money::from_minor(minor, basket.currency);
                ((HINT_UNITS_MAX + 1, minor), Lacks::Amount { amount })
            }
            _ => continue,
        };
        let hint = Hint {
            promotion: compiled.id.clone(),
            name: compiled.name.clone(),
            lacks,
        };
        near.push((rank, hint));
    }
    near.sort_by(|(a, one), (b, other)| (a, &one.promotion).cmp(&(b, &other.promotion)));
    near.truncate(HINTS_MAX);
    near.into_iter().map(|(_, hint)| hint).collect()
}

/// A pricing, and what became of every promotion in play, in the order of their ids.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explained {
    pub pricing: Pricing,
    pub verdicts: Vec<Verdict>,
    /// The manual discounts that the role may not give, by their place in the basket.
    pub refused_by_hand: Vec<usize>,
}

/// What became of a promotion.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    pub promotion: PromotionId,
    pub name: String,
    pub why: Why,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verdict", rename_all = "kebab-case")]
pub enum Why {
    /// It takes this off, or gives points or a coupon; `capped` where a cap or a floor held some of
    /// it back.
    Applied {
        amount: Money,
        points: i64,
        capped: bool,
    },
    /// It does not hold now; the store's time at which it next does, within about two years.
    Inactive {
        until: Option<String>,
    },
    NotForThisCustomer,
    NotHere,
    /// This coupon was not handed over.
    NeedsCoupon {
        coupon: String,
    },
    /// It must be paid like this.
    NeedsTender {
        tender: String,
    },
    /// It was given as often as it may be.
    LimitReached,
    /// So many more units are needed.
    ShortOfUnits {
        units: i64,
    },
    /// So many more different items are needed.
    ShortOfDifferent {
        items: i64,
    },
    ShortOfGrams {
        grams: i64,
    },
    /// So much more must be spent.
    ShortOfAmount {
        amount: Money,
    },
    /// An exclusive promotion keeps it out.
    Blocked {
        by: PromotionId,
    },
    /// Its units are better off with others, by so much.
    Beaten {
        by: Vec<PromotionId>,
        gain: Money,
    },
    /// It would take nothing off.
    NothingToGain,
}

/// Prices a basket and explains every promotion that its lines meet. See `evaluate`.
pub fn explain(
    book: &CompiledBook,
    basket: &Basket,
    customer: &Customer,
    at: Instant,
) -> Explained {
    if book.currency() != Some(basket.currency) {
        return Explained {
            pricing: Pricing::none(basket.currency),
            verdicts: Vec::new(),
            refused_by_hand: Vec::new(),
        };
    }
    let state = State::new(book, basket);
    let met = book.met_by_any(&state.met);
    let barriers: BTreeMap<usize, Option<Barrier>> = met
        .iter()
        .map(|index| {
            (
                *index,
                barrier(book.promotion(*index), basket, customer, at),
            )
        })
        .collect();
    let candidates: Vec<usize> = barriers
        .iter()
        .filter(|(_, barrier)| barrier.is_none())
        .map(|(index, _)| *index)
        .collect();
    let outcome = priced(book, basket, customer, &candidates);
    let asker = Asker {
        book,
        basket,
        customer,
        at,
        by_promotion: outcome.by_promotion(),
        exclusive: outcome.exclusive,
    };
    let mut tries = 0;
    let mut verdicts = Vec::with_capacity(met.len());
    for (index, barrier) in &barriers {
        let why = match barrier {
            Some(barrier) => asker.hindered(*index, barrier),
            None => asker.why(*index, &outcome, &mut tries),
        };
        let compiled = book.promotion(*index);
        verdicts.push(Verdict {
            promotion: compiled.id.clone(),
            name: compiled.name.clone(),
            why,
        });
    }
    Explained {
        verdicts,
        refused_by_hand: outcome.refused.clone(),
        pricing: outcome.pricing(),
    }
}

/// The discounts by hand that the role may not give, by their place in the basket.
pub fn refused_by_hand(
    book: &CompiledBook,
    basket: &Basket,
    customer: &Customer,
    at: Instant,
) -> Vec<usize> {
    if book.currency() != Some(basket.currency) {
        return (0..basket.manual.len()).collect();
    }
    let candidates = candidates(book, basket, customer, at);
    priced(book, basket, customer, &candidates).refused
}

struct Asker<'a> {
    book: &'a CompiledBook,
    basket: &'a Basket,
    customer: &'a Customer,
    at: Instant,
    by_promotion: BTreeMap<usize, BTreeMap<u32, i64>>,
    exclusive: Option<usize>,
}

impl Asker<'_> {
    fn money(&self, minor: i64) -> Money {
        Money::from_minor(minor, self.basket.currency)
    }

    fn hindered(&self, index: usize, barrier: &Barrier) -> Why {
        let compiled = self.book.promotion(index);
        match barrier {
            Barrier::NotNow => Why::Inactive {
                until: compiled.schedule.next_start(self.at).map(|m| m.to_string()),
            },
            Barrier::NotForCustomer => Why::NotForThisCustomer,
            Barrier::NotHere => Why::NotHere,
            Barrier::NoCoupon => Why::NeedsCoupon {
                coupon: compiled.coupon.clone().unwrap_or_default(),
            },
            Barrier::CouponShort(short) => self.short_words(*short),
            Barrier::OtherTender => Why::NeedsTender {
                tender: compiled.tender.clone().unwrap_or_default(),
            },
            Barrier::LimitReached => Why::LimitReached,
        }
    }

    fn why(&self, index: usize, outcome: &Outcome<'_>, tries: &mut usize) -> Why {
        let amount: i64 = self
            .by_promotion
            .get(&index)
            .map_or(0, |lines| lines.values().sum());
        let points = outcome.points_of(&self.book.promotion(index).id);
        if amount > 0 || points.is_some() {
            let note = outcome.state.notes.get(&index);
            return Why::Applied {
                amount: self.money(amount),
                points: points.unwrap_or(0),
                capped: note.is_some_and(|note| note.capped),
            };
        }
        if let Some(by) = self.exclusive.filter(|by| *by != index) {
            let by = self.book.promotion(by).id.clone();
            return Why::Blocked { by };
        }
        if let Some(short) = wanting(self.book, index, &outcome.state) {
            return self.short_words(short);
        }
        *tries += 1;
        match *tries <= BEATEN_MAX {
            true => self.beaten(index),
            false => Why::NothingToGain,
        }
    }

    fn short_words(&self, short: Short) -> Why {
        match short {
            Short::Units(units) => Why::ShortOfUnits { units },
            Short::Distinct(items) => Why::ShortOfDifferent { items },
            Short::Grams(grams) => Why::ShortOfGrams { grams },
            Short::Spend(minor) => Why::ShortOfAmount {
                amount: self.money(minor),
            },
        }
    }

    /// What it would give alone, against what its lines got.
    fn beaten(&self, index: usize) -> Why {
        let alone = priced(self.book, self.basket, self.customer, &[index]);
        let lines = alone.by_promotion().remove(&index).unwrap_or_default();
        let worth: i64 = lines.values().sum();
        if worth == 0 {
            return Why::NothingToGain;
        }
        let mut by = BTreeSet::new();
        let mut got = 0;
        for (other, other_lines) in &self.by_promotion {
            let shared = other_lines
                .iter()
                .filter(|(line, _)| lines.contains_key(line));
            let off: i64 = shared.map(|(_, off)| *off).sum();
            if off > 0 {
                got += off;
                by.insert(*other);
            }
        }
        let named = by.into_iter().filter(|other| *other < self.book.len());
        Why::Beaten {
            by: named
                .map(|other| self.book.promotion(other).id.clone())
                .collect(),
            gain: self.money((got - worth).max(0)),
        }
    }
}

/// What is wanting of a need, of the first step, or of the units of a set.
fn wanting(book: &CompiledBook, index: usize, state: &State<'_>) -> Option<Short> {
    let compiled = book.promotion(index);
    let of_needs = short(&compiled.needs, state);
    let of_acts = || {
        compiled
            .acts
            .iter()
            .find_map(|act| short(&act.needs, state).or_else(|| short_of_act(&act.what, state)))
    };
    of_needs.or_else(of_acts)
}

fn short_of_act(what: &What, state: &State<'_>) -> Option<Short> {
    match what {
        What::Unit { select, steps } => {
            let first = steps.first().map_or(1, |(units, _)| *units);
            let wanting = i64::from(first) - state.units(select);
            (wanting > 0).then_some(Short::Units(wanting))
        }
        What::Set { offer, parts } => short_of_set(offer, parts, state),
        What::Total { select, steps, per } => {
            let first = steps.first().map_or(0, |(from, _)| *from);
            let first = first.max(per.unwrap_or(0));
            let spend = state.spend(select, crate::Of::List, crate::TaxBasis::AsPriced);
            (spend < first).then_some(Short::Spend(first - spend))
        }
        _ => None,
    }
}

fn short_of_set(offer: &SetOffer, parts: &[Select], state: &State<'_>) -> Option<Short> {
    match &*offer.shape {
        Shape::Parts { parts: sizes, .. } => {
            // Parts for the same units need them all together; that is left to the search.
            let wanting = sizes.iter().zip(parts).map(|(part, select)| {
                let there = state.units(select);
                (i64::from(part.units) - there).max(0)
            });
            let wanting: i64 = wanting.sum();
            (wanting > 0).then_some(Short::Units(wanting))
        }
        Shape::Cheapest { of, .. } => {
            let wanting = i64::from(*of) - state.units(&parts[0]);
            (wanting > 0).then_some(Short::Units(wanting))
        }
        Shape::Different { tiers } => {
            let first = tiers.first().map_or(0, |(titles, _)| i64::from(*titles));
            let wanting = first - state.distinct(&parts[0]);
            (wanting > 0).then_some(Short::Distinct(wanting))
        }
    }
}
