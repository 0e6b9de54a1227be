//! Promotions that compete for units: every unit gets what is best of what it gets alone and what
//! sets give, so that the whole discount is as large as it can be.
//!
//! A unit is a piece, or the whole of a weighed line, which takes part in no set. What a unit gets
//! alone never depends on other units and is rounded half up per unit. Ties go to the promotion
//! whose id comes first, and to the line with the lower number.

use std::collections::BTreeMap;
use std::sync::Arc;

use money::{Money, Rounding};

use crate::best::{self, ChosenSet, Discount, Kind, Place, Reward, SetOffer, Shape};
use crate::book::{Act, Compiled, CompiledBook, Glance, Numbers, What};
use crate::spread::{Share, spread};
use crate::state::{Cell, State};
use crate::{Of, Over, Within};

/// A promotion's act that takes part, and how often it may still be given.
#[derive(Clone, Copy)]
pub(crate) struct Entrant<'k> {
    pub promotion: usize,
    pub glance: Glance,
    pub compiled: &'k Compiled,
    pub act: &'k Act,
    pub times_max: Option<u32>,
    /// How often it is given off a total: once for each coupon, where it is limited by coupon.
    pub coupons: i64,
}

impl Entrant<'_> {
    /// Whether it is given by the unit, but counted or capped, so that its units must be chosen
    /// among.
    fn is_limited(&self) -> bool {
        let limited = self.times_max.is_some() || self.glance.capped;
        limited && matches!(self.act.what, What::Unit { .. })
    }
}

/// What one unit of a cell gets alone: how much each promotion takes off.
enum Alone {
    Nothing,
    One((usize, i64)),
    Several(Vec<(usize, i64)>),
}

impl Alone {
    fn offs(&self) -> &[(usize, i64)] {
        match self {
            Alone::Nothing => &[],
            Alone::One(one) => std::slice::from_ref(one),
            Alone::Several(offs) => offs,
        }
    }

    fn sum(&self) -> i64 {
        self.offs().iter().map(|(_, off)| off).sum()
    }
}

/// Gives the entrants to the open cells.
pub(crate) fn run(book: &CompiledBook, state: &mut State<'_>, entrants: &[Entrant<'_>]) {
    let matches = matches(state, entrants);
    let rewards: Vec<Reward> = entrants
        .iter()
        .map(|entrant| reward(state, entrant))
        .collect();
    let asked = Asked { entrants, rewards };
    let alone: Vec<Alone> = (0..state.cells.len())
        .map(|cell| best_alone(book, state, &asked, matches.of(cell), cell))
        .collect();
    let (offers, owners) = set_offers(&asked);
    let mut taken: Vec<Vec<(usize, i64)>> = vec![Vec::new(); state.cells.len()];
    let mut in_sets = vec![0_i64; state.cells.len()];
    if !offers.is_empty() {
        let (kinds, members) = kinds(state, entrants, &owners, &matches, &alone);
        let chosen = best::choose(kinds, &offers, state.search, &mut state.work);
        state.proven &= chosen.proven;
        let mut units = Members::new(&members, state);
        let mut caps: BTreeMap<usize, i64> = BTreeMap::new();
        for set in &chosen.sets {
            let owner = owners[set.offer];
            let cells = units.take(set);
            give_set(
                state,
                (&entrants[owner], asked.rewards[owner]),
                &offers[set.offer],
                &cells,
                &mut caps,
                &mut taken,
            );
            cells.iter().for_each(|(cell, _)| in_sets[*cell] += 1);
        }
    }
    settle(state, &alone, &in_sets, taken);
}

/// Entrants, and the reward that each gives one unit alone.
struct Asked<'a> {
    entrants: &'a [Entrant<'a>],
    rewards: Vec<Reward>,
}

/// For each cell, entrants and the part of each that takes it, one cell after the other.
struct Matches {
    all: Vec<(usize, usize)>,
    /// Where those of each cell end.
    ends: Vec<usize>,
}

impl Matches {
    fn of(&self, cell: usize) -> &[(usize, usize)] {
        let from = cell.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.all[from..self.ends[cell]]
    }
}

/// For each cell, the entrants whose act takes it, and by which part of it. The entrants are in the
/// order of their promotions, so those of a line are found among them.
fn matches(state: &State<'_>, entrants: &[Entrant<'_>]) -> Matches {
    // By promotion, the place of its first entrant, plus one.
    let promotions = entrants.last().map_or(0, |entrant| entrant.promotion + 1);
    let mut first = vec![0_u32; promotions];
    for (at, entrant) in entrants.iter().enumerate().rev() {
        first[entrant.promotion] = at as u32 + 1;
    }
    let open = |cell: &&Cell| !cell.closed && cell.room() > 0;
    let met = state.cells.iter().filter(open);
    let mut matches: Vec<(usize, usize)> =
        Vec::with_capacity(met.map(|cell| state.met[cell.at].len()).sum());
    let mut ends = Vec::with_capacity(state.cells.len());
    for cell in &state.cells {
        if !open(&cell) {
            ends.push(matches.len());
            continue;
        }
        let fee = state.keys[cell.at].fee;
        let pieces = state.line(cell).quantity.pieces().is_some();
        for &promotion in &state.met[cell.at] {
            let promotion = promotion as usize;
            let Some(at) = first.get(promotion).and_then(|at| at.checked_sub(1)) else {
                continue;
            };
            let at = at as usize;
            if entrants[at].glance.takes_all_met && !fee {
                if pieces || !matches!(entrants[at].act.what, What::Set { .. }) {
                    matches.push((at, 0));
                }
                continue;
            }
            for (at, entrant) in entrants.iter().enumerate().skip(at) {
                if entrant.promotion != promotion {
                    break;
                }
                parts_for(state, cell, entrant, |part| matches.push((at, part)));
            }
        }
        ends.push(matches.len());
    }
    Matches { all: matches, ends }
}

/// What an entrant that is given by the unit gives each, for as many as there are.
fn reward(state: &State<'_>, entrant: &Entrant<'_>) -> Reward {
    match &entrant.act.what {
        What::Unit { select, steps } => {
            let units = match steps.as_slice() {
                [(1, _)] => 1,
                _ => state.units(select),
            };
            reached(steps, units)
        }
        _ => Reward::Nothing,
    }
}

/// Tells the parts of an entrant's act that take a cell.
fn parts_for(state: &State<'_>, cell: &Cell, entrant: &Entrant<'_>, mut tell: impl FnMut(usize)) {
    match &entrant.act.what {
        What::Unit { select, .. } if state.takes(select, cell) => tell(0),
        What::Prices(prices) => {
            let item = state.keys[cell.at].item;
            if item.is_some_and(|item| prices.contains_key(&item)) {
                tell(0);
            }
        }
        What::Set { parts, .. } if state.line(cell).quantity.pieces().is_some() => {
            let takes = |(_, select): &(usize, &_)| state.takes(select, cell);
            let parts = parts.iter().enumerate().filter(takes);
            parts.for_each(|(part, _)| tell(part));
        }
        _ => {}
    }
}

/// What a promotion's act, which gives this `reward` by the unit, takes off one unit of a cell that
/// costs `price`, alone.
fn unit_off(
    state: &State<'_>,
    (entrant, reward): (&Entrant<'_>, Reward),
    cell: &Cell,
    price: i64,
) -> i64 {
    let line = state.line(cell);
    let reward = match &entrant.act.what {
        What::Unit { .. } => reward,
        What::Prices(prices) => {
            let breaks = state.keys[cell.at].item.and_then(|item| prices.get(&item));
            let same = |other: &&Cell| state.keys[other.at].item == state.keys[cell.at].item;
            let units = state.cells.iter().filter(same).map(|cell| cell.count).sum();
            let breaks = breaks.map_or(&[][..], Vec::as_slice);
            let price = breaks
                .iter()
                .rev()
                .find(|(from, _)| i64::from(*from) <= units);
            price.map_or(Reward::Nothing, |(_, price)| Reward::Price(*price))
        }
        _ => Reward::Nothing,
    };
    let weighed = line.quantity.pieces().is_none();
    let of_line = |per_kilogram: i64| {
        // No more than the price of a kilogram, so that the product stays an amount.
        let per_kilogram = per_kilogram.min(line.unit_price.minor());
        Money::from_minor(per_kilogram, line.extended.currency())
            .for_quantity(line.quantity, Rounding::HalfUp)
            .minor()
    };
    let off = match reward {
        Reward::Percent(_) if entrant.compiled.of == Some(Of::List) => reward.off(cell.list),
        Reward::Amount(off) if weighed => of_line(off),
        Reward::Price(fixed) if weighed && fixed < line.unit_price.minor() => {
            price - of_line(fixed)
        }
        Reward::Price(_) if weighed => 0,
        reward => reward.off(price),
    };
    off.clamp(0, (price - cell.floor).max(0))
}

/// The reward of the last step that is reached.
fn reached(steps: &[(u32, Reward)], units: i64) -> Reward {
    let step = steps
        .iter()
        .rev()
        .find(|(from, _)| i64::from(*from) <= units);
    step.map_or(Reward::Nothing, |(_, reward)| *reward)
}

/// The best that one unit of a cell gets alone: from one promotion, all of whose acts add, or from
/// one competing group.
fn best_alone(
    book: &CompiledBook,
    state: &State<'_>,
    asked: &Asked<'_>,
    matches: &[(usize, usize)],
    number: usize,
) -> Alone {
    let cell = &state.cells[number];
    // The best of single promotions, the first of equals; matches come promotion by promotion.
    let (mut single, mut now): ((usize, i64), (usize, i64)) = ((0, 0), (0, 0));
    let mut grouped: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for &(at, _) in matches {
        let entrant = &asked.entrants[at];
        if entrant.is_limited() || matches!(entrant.act.what, What::Set { .. }) {
            continue;
        }
        match entrant.compiled.competing {
            Some(group) if book.competing[group] != Within::Best => {
                grouped.entry(group).or_default().push(at);
            }
            _ if entrant.compiled.layer > 0
                && book.layers[entrant.compiled.layer - 1] == Within::Add =>
            {
                let layer = entrant.compiled.layer + book.competing.len();
                grouped.entry(layer).or_default().push(at);
            }
            _ => {
                if now.0 != entrant.promotion {
                    now = (entrant.promotion, 0);
                }
                now.1 += unit_off(state, (entrant, asked.rewards[at]), cell, cell.now);
                if now.1.min(cell.room()) > single.1 {
                    single = (now.0, now.1.min(cell.room()));
                }
            }
        }
    }
    let mut best = match single.1 > 0 {
        true => Alone::One(single),
        false => Alone::Nothing,
    };
    for (group, members) in grouped {
        let within = book.competing.get(group).copied().unwrap_or(Within::Add);
        let alone = combined(state, asked, members, cell, within);
        if alone.sum() > best.sum() {
            best = alone;
        }
    }
    best
}

/// What the members of a group take off a unit together.
fn combined(
    state: &State<'_>,
    asked: &Asked<'_>,
    mut members: Vec<usize>,
    cell: &Cell,
    within: Within,
) -> Alone {
    let entrants = asked.entrants;
    members.sort_by_key(|at| (-entrants[*at].compiled.priority, entrants[*at].promotion));
    let mut alone = Vec::new();
    let mut left = cell.now;
    for at in members {
        let price = match within {
            Within::Add => cell.now,
            _ => left,
        };
        let off = unit_off(state, (&entrants[at], asked.rewards[at]), cell, price);
        let off = off.min((left - cell.floor).max(0));
        if off > 0 {
            alone.push((entrants[at].promotion, off));
            left -= off;
            if within == Within::First {
                break;
            }
        }
    }
    Alone::Several(alone)
}

/// The offers of the entrants whose units must be chosen among, and the entrant of each.
fn set_offers(asked: &Asked<'_>) -> (Vec<SetOffer>, Vec<usize>) {
    let mut offers = Vec::new();
    let mut owners = Vec::new();
    for (at, entrant) in asked.entrants.iter().enumerate() {
        let shape = match &entrant.act.what {
            What::Set { offer, .. } => Arc::clone(&offer.shape),
            // Limited: each unit is a set of its own.
            What::Unit { .. } if entrant.is_limited() => Arc::new(Shape::Parts {
                parts: vec![best::Part {
                    units: 1,
                    reward: asked.rewards[at],
                }],
                whole: Reward::Nothing,
            }),
            _ => continue,
        };
        offers.push(SetOffer {
            shape,
            sets_max: entrant.times_max,
            cap: entrant.compiled.cap,
        });
        owners.push(at);
    }
    (offers, owners)
}

/// Units that no offer can tell apart, the dearest first, and the cells of each.
fn kinds(
    state: &State<'_>,
    entrants: &[Entrant<'_>],
    owners: &[usize],
    matches: &Matches,
    alone: &[Alone],
) -> (Vec<Kind>, Vec<Vec<usize>>) {
    let mut offer_of = vec![None; entrants.len()];
    for (offer, owner) in owners.iter().enumerate() {
        offer_of[*owner] = Some(offer);
    }
    // By the number of the item's name, or by the item where no promotion names it.
    let mut titles: Numbers<(Option<u32>, Option<&catalog::ItemId>)> = Numbers::default();
    let mut alike: Vec<(Kind, usize)> = Vec::with_capacity(state.cells.len());
    for (number, cell) in state.cells.iter().enumerate() {
        let place = |&(at, part): &(usize, usize)| {
            let offer = offer_of[at]?;
            Some(Place { offer, part })
        };
        let places: Vec<Place> = matches.of(number).iter().filter_map(place).collect();
        if places.is_empty() {
            continue;
        }
        let next = titles.len() as u32;
        let title = match state.keys[cell.at].item {
            Some(name) => (Some(name), None),
            None => (None, Some(&state.line(cell).item)),
        };
        let kind = Kind {
            value: cell.now,
            alone: alone[number].sum(),
            count: 0,
            title: *titles.entry(title).or_insert(next),
            places,
        };
        alike.push((kind, number));
    }
    alike.sort_by(|(a, _), (b, _)| a.key().cmp(&b.key()));
    let mut kinds: Vec<Kind> = Vec::with_capacity(alike.len());
    let mut members: Vec<Vec<usize>> = Vec::with_capacity(alike.len());
    for (kind, number) in alike {
        if kinds.last().is_none_or(|last| last.key() != kind.key()) {
            kinds.push(kind);
            members.push(Vec::new());
        }
        if let Some(cells) = members.last_mut() {
            cells.push(number);
        }
    }
    for (kind, cells) in kinds.iter_mut().zip(&members) {
        let count: i64 = cells.iter().map(|cell| state.cells[*cell].count).sum();
        kind.count = u32::try_from(count).unwrap_or(u32::MAX);
    }
    (kinds, members)
}

/// Hands the units of kinds out, those of earlier cells first.
struct Members<'m> {
    cells: &'m [Vec<usize>],
    left: Vec<i64>,
}

impl<'m> Members<'m> {
    fn new(cells: &'m [Vec<usize>], state: &State<'_>) -> Members<'m> {
        let left = state.cells.iter().map(|cell| cell.count).collect();
        Members { cells, left }
    }

    /// The cell and the part of each unit of a set.
    fn take(&mut self, set: &ChosenSet) -> Vec<(usize, usize)> {
        let mut units = Vec::with_capacity(set.units.len());
        for &(kind, part) in &set.units {
            let open = self.cells[kind].iter().find(|cell| self.left[**cell] > 0);
            if let Some(&cell) = open {
                self.left[cell] -= 1;
                units.push((cell, part));
            }
        }
        units.sort_unstable();
        units
    }
}

/// Notes what a set takes off each of its units.
fn give_set(
    state: &mut State<'_>,
    (entrant, reward): (&Entrant<'_>, Reward),
    offer: &SetOffer,
    units: &[(usize, usize)],
    caps: &mut BTreeMap<usize, i64>,
    taken: &mut [Vec<(usize, i64)>],
) {
    let priced: Vec<(i64, usize)> = units
        .iter()
        .map(|&(cell, part)| (state.cells[cell].now, part))
        .collect();
    let limited_unit = match &entrant.act.what {
        What::Unit { .. } => units
            .first()
            .map(|&(cell, _)| unit_off(state, (entrant, reward), &state.cells[cell], priced[0].0)),
        _ => None,
    };
    let discount = match limited_unit {
        Some(off) => Discount::PerUnit(vec![off]),
        None => offer.discount(&priced),
    };
    let whole: i64 = match &discount {
        Discount::PerUnit(offs) => offs.iter().sum(),
        Discount::Whole(off) => *off,
    };
    let mut total = whole;
    if let Some(cap) = entrant.compiled.cap {
        let left = caps.entry(entrant.promotion).or_insert(cap);
        total = total.min(*left);
        *left -= total;
    }
    let receives = |at: usize| match &discount {
        Discount::PerUnit(offs) => offs[at] > 0,
        Discount::Whole(_) => true,
    };
    let shares: Vec<Share> = units
        .iter()
        .enumerate()
        .map(|(at, &(cell, _))| Share {
            weight: priced[at].0,
            room: match entrant.compiled.over == Over::Set || receives(at) {
                true => state.cells[cell].room(),
                false => 0,
            },
            count: 1,
            rewarded: receives(at),
        })
        .collect();
    let parts = match (&discount, entrant.compiled.over) {
        (Discount::PerUnit(offs), Over::Reward) if total == whole => offs
            .iter()
            .zip(&shares)
            .map(|(off, share)| vec![((*off).min(share.room), 1)])
            .collect(),
        _ => spread(total, &shares, entrant.compiled.spread),
    };
    let mut given = 0;
    for (&(cell, _), parts) in units.iter().zip(parts) {
        let off: i64 = parts.iter().map(|(off, count)| off * count).sum();
        given += off;
        taken[cell].push((entrant.promotion, off));
    }
    if given < whole {
        state.note_capped(entrant.promotion);
        // The search counted on more; something else might have given it.
        state.proven &= given == whole || entrant.compiled.cap.is_some();
    }
    state.note(entrant.promotion, 1);
}

/// Splits the cells by what their units got.
fn settle(state: &mut State<'_>, alone: &[Alone], in_sets: &[i64], taken: Vec<Vec<(usize, i64)>>) {
    let cells = std::mem::take(&mut state.cells);
    state.cells.reserve(cells.len() + cells.len() / 2);
    for ((number, cell), mut taken) in cells.into_iter().enumerate().zip(taken) {
        taken.sort_unstable();
        for units in taken.chunk_by(|a, b| a == b) {
            let (promotion, off) = units[0];
            let mut part = cell.with_off(promotion, off, units.len() as i64);
            part.closed = true;
            state.cells.push(part);
        }
        let left = cell.count - in_sets[number];
        if left == 0 {
            continue;
        }
        let mut rest = cell;
        rest.count = left;
        for &(promotion, off) in alone[number].offs() {
            rest.take_off(promotion, off);
            rest.closed = true;
            state.note(promotion, left);
        }
        state.cells.push(rest);
    }
}
