//! The bound on what is still to be had, made tight: prices on places in sets (LP duality).
//!
//! Whatever the prices are, as long as they keep what `Rules::prices` says, no choice gains more than
//! every unit's largest gain over the price of a place. So any prices are right, and better ones only
//! end the search sooner. They are bettered step by step against the direction in which the bound
//! falls (the subgradient method, with the step of Polyak 1969), in whole numbers: the same on every
//! machine.

use money::Rate;

use super::{FINE, Game, Rules, Turn, div_up, part_off, share_up};
use crate::best::{Kind, Place, Reward, percent_of};

/// The most times that prices are bettered.
const ROUNDS_MAX: u64 = 120;
/// Rounds without a better bound after which the step is halved.
const PATIENCE: u32 = 6;
/// The whole step, in parts of itself; below one part there is nothing to win.
const STEP: i128 = 256;
/// Parts in which directions are counted.
const PARTS: i128 = 256;

impl Game {
    /// Counts what each unit gets off in each of its places.
    pub(super) fn count_offs(&mut self) {
        for unit in &mut self.kinds {
            let off = |place: &Place| match &self.offers[place.offer].turn {
                Turn::Parts { parts, whole, .. } => {
                    let off = part_off(unit.value, parts[place.part].1, *whole);
                    i128::from(off) * FINE
                }
                Turn::Cheapest { rate, .. } => i128::from(percent_of(unit.value, *rate)) * FINE,
                Turn::Different { best, .. } => share_up(unit.value, *best),
            };
            unit.offs = unit.places.iter().map(off).collect();
        }
    }

    /// What a unit of a kind adds at most in a place, by its number, and how much of each of the
    /// offer's prices it pays there.
    pub(super) fn worth(&self, kind: usize, number: usize) -> (i128, i64) {
        let unit = &self.kinds[kind];
        let (place, off) = (unit.places[number], unit.offs[number]);
        let rules = &self.offers[place.offer];
        let alone = i128::from(unit.alone) * FINE;
        match &rules.turn {
            Turn::Parts { .. } => (off - alone - rules.prices[place.part], 1),
            Turn::Cheapest { of, units, .. } => {
                let price = rules.prices[kind];
                let free = off - alone - price * i128::from(of - units);
                let paid = price * i128::from(*units) - alone;
                match free > paid {
                    true => (free, of - units),
                    false => (paid, -units),
                }
            }
            Turn::Different { .. } => (off - alone, 0),
        }
    }

    /// What a unit adds at most in a cheapest-free set where it is free, or where it is paid for.
    pub(super) fn worth_in_role(&self, kind: usize, number: usize, free: bool) -> i128 {
        let unit = &self.kinds[kind];
        let rules = &self.offers[unit.places[number].offer];
        let Turn::Cheapest { of, units, .. } = &rules.turn else {
            return self.worth(kind, number).0;
        };
        let (price, alone) = (rules.prices[kind], i128::from(unit.alone) * FINE);
        match free {
            true => unit.offs[number] - alone - price * i128::from(of - units),
            false => price * i128::from(*units) - alone,
        }
    }

    /// What a unit of a kind adds at most.
    pub(super) fn adds_at_most(&self, kind: usize) -> i128 {
        let places = 0..self.kinds[kind].places.len();
        let most = places.map(|number| self.worth(kind, number).0).max();
        most.unwrap_or(0).max(0)
    }

    /// Sums up what the units from each step on add at most.
    pub(super) fn count_to_come(&mut self) {
        let adds: Vec<i128> = (0..self.kinds.len())
            .map(|k| self.adds_at_most(k))
            .collect();
        self.to_come = vec![0; self.steps.len() + 1];
        for (step, kind) in self.steps.iter().enumerate().rev() {
            self.to_come[step] = self.to_come[step + 1] + adds[*kind];
        }
    }

    /// The most that all units together gain, in `FINE` parts.
    pub fn bound(&self) -> i128 {
        self.to_come[0] + self.offers.iter().map(Rules::paid_for_limit).sum::<i128>()
    }

    /// Prices to begin with.
    pub(super) fn first_prices(&self, offer: usize, turn: &Turn) -> Vec<i128> {
        match turn {
            Turn::Parts {
                parts, whole, cost, ..
            } => {
                let rewards = parts.iter().enumerate();
                let best: Vec<i64> = rewards
                    .map(|(part, (_, reward))| {
                        self.best_gain(Place { offer, part }, *reward, *whole)
                    })
                    .collect();
                let there = |part: usize| self.units_for(offer, part) * 1_000 / parts[part].0;
                let scarce = (0..parts.len()).min_by_key(|&part| (there(part), part));
                scarce_pays(parts, &best, *cost, scarce)
            }
            Turn::Cheapest { of, rate, .. } => {
                let kinds = self.kinds.iter();
                kinds.map(|kind| share_of(kind.value, *rate, *of)).collect()
            }
            Turn::Different { .. } => Vec::new(),
        }
    }

    fn best_gain(&self, place: Place, reward: Reward, whole: Reward) -> i64 {
        let kinds = self.takers[place.offer].iter();
        let kinds = kinds.map(|kind| &self.kinds[*kind]);
        let takes = kinds.filter(|kind| kind.places.binary_search(&place).is_ok());
        let gains = takes.map(|kind| part_off(kind.value, reward, whole) - kind.alone);
        gains.max().unwrap_or(0)
    }

    /// Betters the prices until the bound says that nothing gains more than `known`, or it gets no
    /// better, or `most` work is done. Answers the work it was, in places and prices.
    pub fn improve(&mut self, known: i128, most: u64) -> u64 {
        let places: usize = self.kinds.iter().map(|kind| kind.places.len() + 1).sum();
        let prices: usize = self.offers.iter().map(|rules| rules.prices.len()).sum();
        let each = (places + 2 * prices) as u64;
        let rounds = ROUNDS_MAX.min(most / each.max(1));
        let counts = self.counts();
        let mut paid = Paid::new(&self.offers);
        let mut best = self.pay(&counts, &mut paid);
        let mut kept = Kept::new(self.offers.len(), &paid);
        let (mut bound, mut step, mut waited, mut done) = (best, STEP, 0, 0);
        while done < rounds && step > 0 && best >= known + FINE {
            done += 1;
            self.turn_prices(&paid, step * (bound - known), &mut kept);
            bound = self.pay(&counts, &mut paid);
            if bound < best {
                (best, waited) = (bound, 0);
                kept.keep(&paid);
                continue;
            }
            waited += 1;
            if waited > PATIENCE {
                (bound, step, waited) = (best, step / 2, 0);
                kept.restore(&mut self.offers);
                paid.become_as(&kept.paid);
            }
        }
        kept.restore(&mut self.offers);
        self.count_to_come();
        done * each
    }

    fn counts(&self) -> Vec<i128> {
        let mut counts = vec![0; self.kinds.len()];
        self.steps.iter().for_each(|kind| counts[*kind] += 1);
        counts
    }

    /// Moves all prices in the direction in which the bound falls. Those of an offer whose prices
    /// nobody pays stay where they are, which is most of them where many offers compete.
    fn turn_prices(&mut self, paid: &Paid, far: i128, kept: &mut Kept) {
        let mut turned: Vec<usize> = Vec::new();
        let mut directions: Vec<i128> = Vec::new();
        for (at, rules) in self.offers.iter().enumerate() {
            if paid.is_paid(at) || rules.over > 0 {
                turned.push(at);
                rules.direction(paid.of(at), &mut directions);
            }
        }
        let norm: i128 = directions.iter().map(|d| d * d).sum();
        if norm == 0 {
            return;
        }
        let mut directions = directions.into_iter();
        for at in turned {
            let rules = &mut self.offers[at];
            kept.save(at, rules);
            for (price, d) in rules.prices.iter_mut().zip(directions.by_ref()) {
                if d != 0 {
                    *price += far * d / norm;
                }
            }
            rules.settle();
        }
    }

    /// The bound; and how often each price is paid where every unit goes where it adds most.
    fn pay(&self, counts: &[i128], paid: &mut Paid) -> i128 {
        paid.clear();
        let mut bound: i128 = self.offers.iter().map(Rules::paid_for_limit).sum();
        for (kind, count) in counts.iter().enumerate() {
            let mut best = (0, 0, None);
            for (number, place) in self.kinds[kind].places.iter().enumerate() {
                let (worth, pays) = self.worth(kind, number);
                if worth > best.0 {
                    best = (worth, pays, Some(*place));
                }
            }
            bound += best.0 * count;
            if let (_, pays, Some(place)) = best {
                let at = match self.offers[place.offer].turn {
                    Turn::Parts { .. } => place.part,
                    Turn::Cheapest { .. } => kind,
                    Turn::Different { .. } => continue,
                };
                paid.add(place.offer, at, i128::from(pays) * count);
            }
        }
        bound
    }

    /// Leaves out of `kinds` the places that no choice that gains more than `known` uses. Answers
    /// whether there were any.
    pub fn leave_out(&self, known: i128, kinds: &mut [Kind]) -> bool {
        let bound = self.bound();
        let mut any = false;
        for (kind, unit) in self.kinds.iter().enumerate() {
            let adds = self.adds_at_most(kind);
            for (number, place) in unit.places.iter().enumerate() {
                let wasted = adds - self.worth(kind, number).0;
                if bound - wasted >= known + FINE {
                    continue;
                }
                any = true;
                let offer = self.offers[place.offer].index;
                let gone = Place { offer, ..*place };
                for (member, _) in &unit.members {
                    kinds[*member].places.retain(|place| *place != gone);
                }
            }
        }
        any
    }
}

/// How often each price of each offer is paid.
#[derive(Clone)]
struct Paid {
    /// Where the prices of each offer begin, and at last where all end.
    from: Vec<usize>,
    times: Vec<i128>,
    /// The places in `times` that were added to, and the offers that they are of, as they came.
    added: Vec<usize>,
    offers: Vec<bool>,
}

impl Paid {
    fn new(offers: &[Rules]) -> Paid {
        let mut from = vec![0];
        for rules in offers {
            from.push(from[from.len() - 1] + rules.prices.len());
        }
        Paid {
            times: vec![0; from[offers.len()]],
            from,
            added: Vec::new(),
            offers: vec![false; offers.len()],
        }
    }

    fn become_as(&mut self, other: &Paid) {
        self.clear();
        for &at in &other.added {
            self.times[at] = other.times[at];
        }
        self.added.extend_from_slice(&other.added);
        self.offers.copy_from_slice(&other.offers);
    }

    fn clear(&mut self) {
        self.added.drain(..).for_each(|at| self.times[at] = 0);
        self.offers.fill(false);
    }

    fn add(&mut self, offer: usize, price: usize, times: i128) {
        let at = self.from[offer] + price;
        self.times[at] += times;
        self.added.push(at);
        self.offers[offer] = true;
    }

    fn of(&self, offer: usize) -> &[i128] {
        &self.times[self.from[offer]..self.from[offer + 1]]
    }

    fn is_paid(&self, offer: usize) -> bool {
        self.offers[offer]
    }
}

/// The best prices so far, as far as others have taken their place, and how they are paid.
struct Kept {
    paid: Paid,
    /// Offers whose prices were changed since, and what these were.
    saved: Vec<(usize, Vec<i128>, i128)>,
    is_saved: Vec<bool>,
}

impl Kept {
    fn new(offers: usize, paid: &Paid) -> Kept {
        Kept {
            paid: paid.clone(),
            saved: Vec::new(),
            is_saved: vec![false; offers],
        }
    }

    /// Notes an offer's prices before they are changed.
    fn save(&mut self, offer: usize, rules: &Rules) {
        if !self.is_saved[offer] {
            self.is_saved[offer] = true;
            self.saved.push((offer, rules.prices.clone(), rules.over));
        }
    }

    /// The prices of now are the best.
    fn keep(&mut self, paid: &Paid) {
        for (offer, ..) in self.saved.drain(..) {
            self.is_saved[offer] = false;
        }
        self.paid.become_as(paid);
    }

    fn restore(&mut self, offers: &mut [Rules]) {
        for (offer, prices, over) in self.saved.drain(..) {
            self.is_saved[offer] = false;
            offers[offer].prices = prices;
            offers[offer].over = over;
        }
    }
}

/// What a free unit of so many pays each, in `FINE` parts.
fn share_of(value: i64, rate: Rate, of: i64) -> i128 {
    let off = percent_of(value, rate);
    // What is bought and sold needs no wide numbers, which are slow.
    match (0..1 << 42).contains(&off) {
        true => i128::from(off * FINE as i64 / of),
        false => i128::from(off) * FINE / i128::from(of),
    }
}

/// The part with the fewest units for its places takes the whole surplus of the best set; a place
/// in another part costs what its best unit gains there.
fn scarce_pays(
    parts: &[(i64, Reward)],
    best: &[i64],
    cost: i64,
    scarce: Option<usize>,
) -> Vec<i128> {
    let sums = parts.iter().zip(best);
    let sums = sums.map(|((units, _), best)| i128::from(*units) * i128::from(*best));
    let surplus = sums.sum::<i128>() - i128::from(cost);
    let price = |part: usize| {
        let own = i128::from(best[part]) * FINE;
        match scarce == Some(part) {
            // Rounded down, so that the places never cost more than the set.
            true => own - div_up(surplus * FINE, i128::from(parts[part].0)),
            false => own,
        }
    };
    (0..parts.len()).map(price).collect()
}

impl Rules {
    /// What all sets of a limited number pay for that.
    fn paid_for_limit(&self) -> i128 {
        self.sets.map_or(0, |(_, max)| i128::from(max) * self.over)
    }

    /// Where prices go, in `PARTS`: up where more units want a place than there are sets for. One for
    /// each price is added to `directions`.
    fn direction(&self, paid: &[i128], directions: &mut Vec<i128>) {
        match (&self.turn, self.sets) {
            (Turn::Parts { parts, .. }, Some((_, max))) => {
                let all = if self.over > 0 { i128::from(max) } else { 0 };
                let wanted = paid.iter().zip(parts);
                let wanted = wanted.map(|(paid, (units, _))| paid - all * i128::from(*units));
                directions.extend(wanted.map(|wanted| wanted * PARTS));
            }
            (Turn::Parts { parts, .. }, None) => {
                // Of what the prices of a set may not sum to more than, only the rest is a direction.
                let units = || parts.iter().map(|(units, _)| i128::from(*units));
                let squares: i128 = units().map(|units| units * units).sum();
                let sets: i128 = units().zip(paid).map(|(units, paid)| units * paid).sum();
                let rest = |(units, paid): (i128, &i128)| {
                    paid * PARTS - units * sets * PARTS / squares.max(1)
                };
                directions.extend(units().zip(paid).map(rest));
            }
            (Turn::Cheapest { .. }, _) => directions.extend(paid.iter().map(|paid| paid * PARTS)),
            (Turn::Different { .. }, _) => {}
        }
    }

    /// Brings the prices back to what they must keep.
    fn settle(&mut self) {
        match &self.turn {
            Turn::Parts { parts, cost, .. } => {
                let units = parts.iter().map(|(units, _)| i128::from(*units));
                let sum: i128 = units.clone().zip(&self.prices).map(|(u, p)| u * p).sum();
                let more = sum - i128::from(*cost) * FINE;
                self.over = 0;
                if more > 0 && self.sets.is_some() {
                    self.over = more;
                    return;
                }
                let each = div_up(more, units.sum());
                self.prices.iter_mut().for_each(|price| *price -= each);
            }
            Turn::Cheapest { .. } => never_rising(&mut self.prices),
            Turn::Different { .. } => {}
        }
    }
}

/// The nearest prices that never rise and are not below nothing (pool adjacent violators).
fn never_rising(prices: &mut [i128]) {
    let mut pools: Vec<(i128, i128)> = Vec::with_capacity(prices.len());
    for price in prices.iter() {
        let mut pool = (*price, 1);
        while let Some(before) = pools.pop_if(|before| before.0 * pool.1 < pool.0 * before.1) {
            pool = (pool.0 + before.0, pool.1 + before.1);
        }
        pools.push(pool);
    }
    let mut at = 0;
    for (sum, count) in pools {
        for price in &mut prices[at..at + count as usize] {
            *price = sum.div_euclid(count).max(0);
        }
        at += count as usize;
    }
}
