//! Pricing a basket, phase by phase.
//!
//! Base prices first (contracts, tiers, employees), then line promotions and multi-buys, which
//! compete for units (`pool`) before what comes off totals (`totals`), then the same for the
//! threshold phase and for coupons, then what the cashier takes off by hand, then points. Each
//! phase reads what the phases before it left, unless a promotion says that it reads the list.
//!
//! Within a phase the choice is the best for the customer where the answer says `proven`; between
//! phases nothing is weighed: a discount of an earlier phase is given even where a later one would
//! then be smaller. A basket where an exclusive promotion holds is priced with it alone.

use std::collections::BTreeMap;

use money::{Money, Rounding};

use crate::best::{Search, WORK_MAX};
use crate::book::{Compiled, CompiledBook, What};
use crate::conditions::{barrier, short, times_max};
use crate::pool::{self, Entrant};
use crate::state::{Cell, State};
use crate::totals;
use crate::{
    Applied, Basket, Choose, Customer, Exclusive, Instant, ManualOff, NextCoupon, Of, Phase,
    Points, PricedUnits, Pricing, PromotionId, Spread, TaxBasis, Within,
};

/// Phases that are decided together, in their order.
const STAGES: [&[Phase]; 4] = [
    &[Phase::Base],
    &[Phase::Line, Phase::MultiBuy],
    &[Phase::Threshold],
    &[Phase::Coupon],
];
/// The most work that the search for the best choice counts in one evaluation: what is set aside for
/// it, and as much again for what was begun with the last of that.
pub const EVALUATION_WORK_MAX: u64 = 2 * WORK_MAX;
/// The most exclusive promotions that are tried against all others together.
const EXCLUSIVES_MAX: usize = 64;

/// The discounts for a basket, the best for the customer where the answer says `proven`.
///
/// Lines that cost nothing or less, and baskets in another currency than the book's, get none.
pub fn evaluate(book: &CompiledBook, basket: &Basket, customer: &Customer, at: Instant) -> Pricing {
    counted(book, (basket, customer, at), Search::Best).0
}

/// `evaluate`, and the work that its search counted: about 10 ns each on the machine of today, and
/// never more than `EVALUATION_WORK_MAX`, whatever the basket and the book.
pub fn evaluate_counted(
    book: &CompiledBook,
    basket: &Basket,
    customer: &Customer,
    at: Instant,
) -> (Pricing, u64) {
    counted(book, (basket, customer, at), Search::Best)
}

/// What `evaluate` is measured against: promotions that compete are given one after the other, the
/// one that takes the most off what is left first. Never better than `evaluate`, and not `proven`
/// where there are sets.
pub fn evaluate_greedily(
    book: &CompiledBook,
    basket: &Basket,
    customer: &Customer,
    at: Instant,
) -> Pricing {
    counted(book, (basket, customer, at), Search::Greedy).0
}

fn counted(
    book: &CompiledBook,
    (basket, customer, at): (&Basket, &Customer, Instant),
    search: Search,
) -> (Pricing, u64) {
    if book.currency() != Some(basket.currency) {
        return (Pricing::none(basket.currency), 0);
    }
    let mut state = State::new(book, basket);
    state.search = search;
    let candidates = met(book, &state, (basket, customer, at));
    let outcome = priced_from(state, book, (basket, customer), &candidates);
    let work = outcome.state.work.spent();
    (outcome.pricing(), work)
}

/// The promotions that lines meet and nothing stands in the way of, ascending.
pub(crate) fn candidates(
    book: &CompiledBook,
    basket: &Basket,
    customer: &Customer,
    at: Instant,
) -> Vec<usize> {
    met(book, &State::new(book, basket), (basket, customer, at))
}

fn met(
    book: &CompiledBook,
    state: &State<'_>,
    (basket, customer, at): (&Basket, &Customer, Instant),
) -> Vec<usize> {
    let mut met = book.met_by_any(&state.met);
    met.retain(|index| {
        !book.glance(*index).conditional
            || barrier(book.promotion(*index), basket, customer, at).is_none()
    });
    met
}

/// A basket that went through all phases.
pub(crate) struct Outcome<'b> {
    pub state: State<'b>,
    book: &'b CompiledBook,
    basket: &'b Basket,
    points: Vec<Points>,
    next_coupons: Vec<NextCoupon>,
    /// The manual discounts that the role may not give, by their place.
    pub refused: Vec<usize>,
    /// The exclusive promotion that kept all others out.
    pub exclusive: Option<usize>,
}

/// Prices a basket with some promotions of the book.
pub(crate) fn priced<'b>(
    book: &'b CompiledBook,
    basket: &'b Basket,
    customer: &Customer,
    candidates: &[usize],
) -> Outcome<'b> {
    priced_from(
        State::new(book, basket),
        book,
        (basket, customer),
        candidates,
    )
}

fn priced_from<'b>(
    start: State<'b>,
    book: &'b CompiledBook,
    (basket, customer): (&'b Basket, &Customer),
    candidates: &[usize],
) -> Outcome<'b> {
    // All that is tried shares one budget.
    let mut work = start.work;
    let mut pass = |candidates: &[usize]| {
        let mut state = start.clone();
        state.work = work;
        for stage in STAGES {
            run_stage(book, &mut state, basket, customer, candidates, stage);
            if stage == [Phase::Base] {
                state.cells.iter_mut().for_each(|cell| cell.list = cell.now);
            }
        }
        work = state.work;
        state
    };
    let exclusive = |index: &&usize| book.glance(**index).exclusive;
    let (alone, together): (Vec<&usize>, Vec<&usize>) = candidates.iter().partition(exclusive);
    let together: Vec<usize> = together.into_iter().copied().collect();
    let mut state = pass(&together);
    let mut winner = None;
    let mut always: Vec<usize> = Vec::new();
    for &index in alone.into_iter().take(EXCLUSIVES_MAX) {
        if book.promotion(index).exclusive == Some(Exclusive::Always) {
            always.push(index);
            continue;
        }
        let tried = pass(&[index]);
        if tried.total_off() > state.total_off() {
            state = tried;
            winner = Some(index);
        }
    }
    always.sort_by_key(|index| (-book.promotion(*index).priority, *index));
    for index in always {
        let tried = pass(&[index]);
        if tried.total_off() > 0 {
            state = tried;
            winner = Some(index);
            break;
        }
    }
    state.work = work;
    let refused = by_hand(book, &mut state, basket);
    let (points, next_coupons) = match winner {
        None => points(book, &state, basket, customer, &together),
        Some(index) => points(book, &state, basket, customer, &[index]),
    };
    Outcome {
        state,
        book,
        basket,
        points,
        next_coupons,
        refused,
        exclusive: winner,
    }
}

fn run_stage(
    book: &CompiledBook,
    state: &mut State<'_>,
    basket: &Basket,
    customer: &Customer,
    candidates: &[usize],
    stage: &[Phase],
) {
    let giving = |promotion: &&usize| book.glance(**promotion).gives_in(stage);
    let most = candidates.iter().filter(giving).count();
    let mut totals: Vec<Entrant<'_>> = Vec::new();
    let mut units: Vec<Entrant<'_>> = Vec::with_capacity(most);
    for &promotion in candidates.iter().filter(giving) {
        let glance = book.glance(promotion);
        let compiled = book.promotion(promotion);
        let (times_max, coupons) = match glance.conditional {
            true => times(compiled, basket, customer),
            false => (None, 1),
        };
        let acts = compiled.acts.iter();
        for act in acts.filter(|act| stage.contains(&act.phase)) {
            let of_kind = match act.what {
                What::Total { .. } => &mut totals,
                _ => &mut units,
            };
            of_kind.push(Entrant {
                promotion,
                glance,
                compiled,
                act,
                times_max,
                coupons,
            });
        }
    }
    for layer in 0..=book.layers.len() {
        // Without groups that combine there is one layer, and it is everyone's.
        let of_layer = match book.layers.is_empty() {
            true => std::mem::take(&mut units),
            false => units
                .extract_if(.., |entrant| entrant.compiled.layer == layer)
                .collect(),
        };
        if !of_layer.is_empty() {
            run_layer(book, state, of_layer, layer);
        }
    }
    if !totals.is_empty() {
        totals::run(book, state, &totals);
    }
}

fn times(compiled: &Compiled, basket: &Basket, customer: &Customer) -> (Option<u32>, i64) {
    let handed = compiled
        .coupon
        .as_ref()
        .filter(|code| basket.coupons.contains_key(*code))
        .map(|code| basket.coupons_good(code));
    let coupons = match (handed, compiled.limits.basket) {
        (Some(count), Some(_)) => i64::from(count),
        _ => 1,
    };
    (times_max(compiled, basket, customer), coupons)
}

/// Gives the promotions of a layer by the unit: all together, or by priority one after the other.
fn run_layer(
    book: &CompiledBook,
    state: &mut State<'_>,
    mut entrants: Vec<Entrant<'_>>,
    layer: usize,
) {
    let within = match layer {
        0 => None,
        layer => Some(book.layers[layer - 1]),
    };
    let by_priority = match within {
        None => book.choose == Choose::Priority,
        Some(within) => matches!(within, Within::Chain | Within::First),
    };
    state.cells.iter_mut().for_each(|cell| cell.closed = false);
    if !by_priority {
        keep_met(state, &mut entrants);
        pool::run(book, state, &entrants);
        return;
    }
    let mut levels: BTreeMap<(i32, usize), Vec<Entrant<'_>>> = BTreeMap::new();
    for entrant in entrants {
        // In a chain each promotion is a level of its own; in the pool equals compete.
        let own = if within.is_some() {
            entrant.promotion
        } else {
            0
        };
        let key = (-entrant.compiled.priority, own);
        levels.entry(key).or_default().push(entrant);
    }
    for (_, mut level) in levels {
        keep_met(state, &mut level);
        pool::run(book, state, &level);
        if within == Some(Within::Chain) {
            state.cells.iter_mut().for_each(|cell| cell.closed = false);
        }
    }
}

/// Leaves out what needs something that is not in the basket.
fn keep_met(state: &State<'_>, entrants: &mut Vec<Entrant<'_>>) {
    entrants.retain(|entrant| {
        !entrant.glance.needy
            || short(&entrant.compiled.needs, state)
                .or(short(&entrant.act.needs, state))
                .is_none()
    });
}

/// Takes off what the cashier gives by hand, and answers what the role may not give.
fn by_hand(book: &CompiledBook, state: &mut State<'_>, basket: &Basket) -> Vec<usize> {
    let mut refused = Vec::new();
    for (number, manual) in basket.manual.iter().enumerate() {
        let selected: Vec<bool> = state
            .cells
            .iter()
            .map(|cell| match manual.line {
                Some(line) => state.line(cell).line == line,
                None => !state.line(cell).fee,
            })
            .collect();
        let chosen = state
            .cells
            .iter()
            .zip(&selected)
            .filter(|(_, selected)| **selected);
        let whole: i64 = chosen.map(|(cell, _)| cell.now * cell.count).sum();
        let whole = Money::from_minor(whole, basket.currency);
        let off = match manual.off {
            ManualOff::Percent(rate) => whole.share(rate, Rounding::HalfUp).minor(),
            ManualOff::Amount(amount) => amount.minor(),
        };
        let allowed = book.manual_max.get(&manual.role);
        let most = allowed.map_or(0, |rate| whole.share(*rate, Rounding::HalfUp).minor());
        if off < 0 || off > most {
            refused.push(number);
            continue;
        }
        let promotion = book.len() + number;
        totals::spread_over(state, &selected, promotion, off, Spread::LargestRemainder);
        state.note(promotion, 1);
    }
    refused
}

/// Points and coupons for next time, counted on what is paid.
fn points(
    book: &CompiledBook,
    state: &State<'_>,
    basket: &Basket,
    customer: &Customer,
    candidates: &[usize],
) -> (Vec<Points>, Vec<NextCoupon>) {
    let mut points: BTreeMap<usize, i64> = BTreeMap::new();
    let mut factors: Vec<(usize, i64)> = Vec::new();
    let mut coupons = Vec::new();
    let giving = |index: &&usize| book.glance(**index).gives_in(&[Phase::Points]);
    for &index in candidates.iter().filter(giving) {
        let compiled = book.promotion(index);
        if short(&compiled.needs, state).is_some() {
            continue;
        }
        let acts = compiled
            .acts
            .iter()
            .filter(|act| act.phase == Phase::Points);
        for act in acts.filter(|act| short(&act.needs, state).is_none()) {
            let (times_max, _) = times(compiled, basket, customer);
            let most = times_max.map_or(i64::MAX, i64::from);
            match &act.what {
                What::Points(fixed) => *points.entry(index).or_default() += fixed,
                What::PointsPer {
                    select,
                    points: each,
                    spend,
                } => {
                    let spent = state.spend(select, Of::Running, TaxBasis::AsPriced);
                    *points.entry(index).or_default() += (spent / spend).min(most) * each;
                }
                What::PointsTimes(factor) => factors.push((index, i64::from(*factor))),
                What::NextCoupon(code) => coupons.push(NextCoupon {
                    promotion: compiled.id.clone(),
                    code: code.clone(),
                    count: 1,
                }),
                _ => {}
            }
        }
    }
    // Factors multiply what was earned, not each other's part.
    let earned: i64 = points.values().sum();
    for (index, factor) in factors {
        *points.entry(index).or_default() += earned.saturating_mul(factor - 1);
    }
    let named = points.into_iter().filter(|(_, points)| *points > 0);
    let named = named.map(|(index, points)| Points {
        promotion: book.promotion(index).id.clone(),
        name: book.promotion(index).name.clone(),
        points,
    });
    (named.collect(), coupons)
}

impl Outcome<'_> {
    /// The points that a promotion gives; 0 where it gives a coupon instead.
    pub fn points_of(&self, promotion: &PromotionId) -> Option<i64> {
        let points = self
            .points
            .iter()
            .find(|points| points.promotion == *promotion);
        let coupon = self
            .next_coupons
            .iter()
            .any(|coupon| coupon.promotion == *promotion);
        points.map(|points| points.points).or(coupon.then_some(0))
    }

    /// Promotion by its place in the book, line by its number, and what the one took off the other;
    /// ascending.
    fn offs(&self) -> Vec<(usize, u32, i64)> {
        let mut offs: Vec<(usize, u32, i64)> = Vec::with_capacity(2 * self.state.cells.len());
        for cell in &self.state.cells {
            let line = self.state.line(cell).line;
            let of_cell = cell.offs.iter();
            offs.extend(of_cell.map(|(promotion, off)| (*promotion, line, off * cell.count)));
        }
        offs.sort_unstable();
        offs.dedup_by(|later, earlier| {
            let same = (later.0, later.1) == (earlier.0, earlier.1);
            if same {
                earlier.2 += later.2;
            }
            same
        });
        offs
    }

    /// What each promotion took off, by its place in the book and by line number.
    pub fn by_promotion(&self) -> BTreeMap<usize, BTreeMap<u32, i64>> {
        let mut sums: BTreeMap<usize, BTreeMap<u32, i64>> = BTreeMap::new();
        for (promotion, line, off) in self.offs() {
            sums.entry(promotion).or_default().insert(line, off);
        }
        sums
    }

    pub fn pricing(self) -> Pricing {
        let offs = self.offs();
        let applied = offs.chunk_by(|a, b| a.0 == b.0);
        Pricing {
            currency: self.basket.currency,
            applied: applied.map(|lines| self.applied(lines)).collect(),
            units: self.units(),
            proven: self.state.proven,
            points: self.points,
            next_coupons: self.next_coupons,
        }
    }

    /// What one promotion took off these lines.
    fn applied(&self, lines: &[(usize, u32, i64)]) -> Applied {
        let index = lines[0].0;
        let money = |minor: i64| Money::from_minor(minor, self.basket.currency);
        let note = self.state.notes.get(&index).copied().unwrap_or_default();
        let (promotion, name, phase) = match index.checked_sub(self.book.len()) {
            None => {
                let compiled = self.book.promotion(index);
                let phase = compiled.acts.iter().map(|act| act.phase).min();
                let phase = phase.unwrap_or(Phase::Line);
                (compiled.id.clone(), compiled.name.clone(), phase)
            }
            Some(number) => {
                let id = PromotionId(format!("by-hand-{}", number + 1));
                (id, self.basket.manual[number].reason.clone(), Phase::Manual)
            }
        };
        Applied {
            promotion,
            name,
            phase,
            amount: money(lines.iter().map(|(_, _, off)| off).sum()),
            per_line: lines
                .iter()
                .map(|(_, line, off)| (*line, money(*off)))
                .collect(),
            times: note.times,
            capped: note.capped,
        }
    }

    fn units(&self) -> Vec<PricedUnits> {
        let money = |minor: i64| Money::from_minor(minor, self.basket.currency);
        let key = |cell: &Cell| (cell.at, std::cmp::Reverse(cell.now), cell.listed);
        let cells = self.state.cells.iter();
        let mut merged: Vec<_> = cells.map(|cell| (key(cell), cell.count)).collect();
        merged.sort_unstable();
        merged.dedup_by(|later, earlier| {
            let same = later.0 == earlier.0;
            if same {
                earlier.1 += later.1;
            }
            same
        });
        let units = merged
            .into_iter()
            .map(|((at, now, listed), count)| PricedUnits {
                line: self.state.lines[at].line,
                count: u32::try_from(count).unwrap_or(u32::MAX),
                list: money(listed),
                paid: money(now.0),
            });
        units.collect()
    }
}
