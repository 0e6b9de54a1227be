//! Which units go into which n-for-a-price sets.
//!
//! Given how many sets of each promotion are made, the best units for them are found exactly: what
//! a unit is worth in a set does not depend on the promotion, so the units that can be taken
//! together form a transversal matroid, and adding the dearest unit that an augmenting path can
//! bring in stays optimal unit by unit (Edmonds and Fulkerson 1965).
//!
//! How many sets to make is searched by branch and bound over the promotions in the order of their
//! ids. The gain as a function of the numbers of sets is submodular: a set is never worth more for
//! other sets having been made. So a promotion stops at its first set without gain, and what the
//! promotions still to come can add is at most what each could add alone.
//!
//! Promotions that share no unit are searched apart. The budget of each search is a count of steps,
//! never a clock: the same answer on a slow lane and on a fast one. When it ends, the answer is the
//! best found so far, never worse than the greedy one, and not `proven`.

use std::collections::BTreeMap;

use super::Work;

/// The most steps of one search, where a step asks whether one promotion can hand a unit to another
/// or take a free one: about a millisecond in all on a slow lane.
const STEPS_MAX: u64 = 100_000;

/// Units that are alike.
pub(crate) struct Units {
    /// What one costs after its own best discount, not negative, in minor units.
    pub net: i64,
    pub count: u32,
    /// The promotions that may take it, in ascending order.
    pub sets: Vec<usize>,
}

#[derive(Clone, Copy)]
pub(crate) struct SetOffer {
    pub units: u32,
    /// What a whole set costs, in minor units.
    pub price: i64,
}

/// The sets of one promotion.
pub(crate) struct Choice {
    pub promotion: usize,
    /// What all its sets cost together, in minor units.
    pub price: i64,
    /// Which of the units it takes, and how many of them.
    pub taken: Vec<(usize, u32)>,
}

pub(crate) struct Chosen {
    /// In the order of the promotions.
    pub choices: Vec<Choice>,
    pub proven: bool,
}

/// Chooses the sets that lower the sum of `net` the most.
pub(crate) fn choose_sets(
    units: &[Units],
    work: &mut Work,
    offer: impl Fn(usize) -> Option<SetOffer>,
) -> Chosen {
    let mut chosen = Chosen {
        choices: Vec::new(),
        proven: true,
    };
    for component in components(units, offer) {
        let (best, proven) = Search::run(&component, work);
        chosen.proven &= proven;
        chosen.choices.extend(component.choices(units, &best));
    }
    chosen.choices.sort_by_key(|choice| choice.promotion);
    chosen
}

/// Promotions that compete for units, directly or through others.
struct Component {
    /// In ascending order.
    promotions: Vec<usize>,
    offers: Vec<SetOffer>,
    /// The dearest first.
    kinds: Vec<Kind>,
    /// Per promotion, the kinds it may take.
    allowed: Vec<Bits>,
}

/// Units that no promotion of the component can tell apart.
struct Kind {
    net: i64,
    count: u32,
    /// Places in the caller's units.
    members: Vec<usize>,
}

/// A set of kinds.
#[derive(Clone)]
struct Bits(Vec<u64>);

impl Bits {
    fn none(kinds: usize) -> Bits {
        Bits(vec![0; kinds.div_ceil(64)])
    }

    fn of(kinds: impl ExactSizeIterator<Item = bool>) -> Bits {
        let mut bits = Bits::none(kinds.len());
        for (place, there) in kinds.enumerate() {
            bits.put(place, there);
        }
        bits
    }

    fn put(&mut self, place: usize, there: bool) {
        let bit = 1 << (place % 64);
        match there {
            true => self.0[place / 64] |= bit,
            false => self.0[place / 64] &= !bit,
        }
    }

    fn is_within(&self, other: &Bits) -> bool {
        self.0.iter().zip(&other.0).all(|(a, b)| a & !b == 0)
    }

    /// The first kind that is in both.
    fn first_common(&self, other: &Bits) -> Option<usize> {
        let both = self.0.iter().zip(&other.0).map(|(a, b)| a & b);
        both.enumerate()
            .find(|(_, word)| *word != 0)
            .map(|(at, word)| at * 64 + word.trailing_zeros() as usize)
    }
}

/// The promotions that would gain something alone, by what they share. One that gains nothing alone
/// gains nothing in company.
fn components(units: &[Units], offer: impl Fn(usize) -> Option<SetOffer>) -> Vec<Component> {
    let mut members: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (at, unit) in units.iter().enumerate() {
        for set in &unit.sets {
            members.entry(*set).or_default().push(at);
        }
    }
    let mut offers: BTreeMap<usize, SetOffer> = BTreeMap::new();
    for (promotion, members) in &mut members {
        members.sort_by_key(|at| (-units[*at].net, *at));
        offers.extend(
            offer(*promotion)
                .filter(|offer| first_set_gains(units, members, *offer))
                .map(|offer| (*promotion, offer)),
        );
    }
    drop_dominated(units.len(), &members, &mut offers);
    groups_of(units, &offers)
        .into_iter()
        .map(|promotions| Component::new(units, promotions, &offers))
        .collect()
}

/// Drops each offer beside which another is at least as good: as many units, no dearer, and for all
/// the same units. Of two that are alike the first stays.
fn drop_dominated(
    units: usize,
    members: &BTreeMap<usize, Vec<usize>>,
    offers: &mut BTreeMap<usize, SetOffer>,
) {
    let mut by_size: BTreeMap<u32, Vec<(i64, usize)>> = BTreeMap::new();
    for (promotion, offer) in offers.iter() {
        let same_size = by_size.entry(offer.units).or_default();
        same_size.push((offer.price, *promotion));
    }
    for same_size in by_size.values_mut() {
        same_size.sort_unstable();
        let mut kept: Vec<Bits> = Vec::new();
        for (_, promotion) in same_size {
            let mut own = Bits::none(units);
            members[promotion].iter().for_each(|at| own.put(*at, true));
            match kept.iter().any(|better| own.is_within(better)) {
                true => _ = offers.remove(promotion),
                false => kept.push(own),
            }
        }
    }
}

fn first_set_gains(units: &[Units], dearest_first: &[usize], offer: SetOffer) -> bool {
    let mut needed = i128::from(offer.units);
    let mut worth = 0;
    for at in dearest_first {
        let taken = needed.min(i128::from(units[*at].count));
        worth += taken * i128::from(units[*at].net);
        needed -= taken;
    }
    needed == 0 && worth > i128::from(offer.price)
}

/// The promotions divided so that those that share a unit are together.
fn groups_of(units: &[Units], offers: &BTreeMap<usize, SetOffer>) -> Vec<Vec<usize>> {
    let mut group_of: BTreeMap<usize, usize> = offers.keys().map(|p| (*p, *p)).collect();
    for unit in units {
        let mut here = unit
            .sets
            .iter()
            .filter_map(|set| group_of.get(set).copied());
        let Some(first) = here.next() else {
            continue;
        };
        let others: Vec<usize> = here.filter(|group| *group != first).collect();
        if !others.is_empty() {
            for group in group_of.values_mut().filter(|g| others.contains(g)) {
                *group = first;
            }
        }
    }
    let mut groups: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (promotion, group) in group_of {
        groups.entry(group).or_default().push(promotion);
    }
    groups.into_values().collect()
}

impl Component {
    fn new(units: &[Units], promotions: Vec<usize>, offers: &BTreeMap<usize, SetOffer>) -> Self {
        let mut kinds: BTreeMap<(i64, Vec<bool>), Kind> = BTreeMap::new();
        for (at, unit) in units.iter().enumerate() {
            let allowed: Vec<bool> = promotions.iter().map(|p| unit.sets.contains(p)).collect();
            if !allowed.contains(&true) {
                continue;
            }
            let kind = kinds.entry((-unit.net, allowed)).or_insert_with(|| Kind {
                net: unit.net,
                count: 0,
                members: Vec::new(),
            });
            kind.count = kind.count.saturating_add(unit.count);
            kind.members.push(at);
        }
        let allowed = |place| {
            kinds
                .keys()
                .map(move |(_, allowed): &(i64, Vec<bool>)| allowed[place])
        };
        Component {
            offers: promotions.iter().map(|p| offers[p]).collect(),
            allowed: (0..promotions.len())
                .map(|place| Bits::of(allowed(place)))
                .collect(),
            promotions,
            kinds: kinds.into_values().collect(),
        }
    }

    /// Hands the taken units of each kind out to the promotions, earlier members first. Sets that
    /// gain nothing are left out: the best choice has none, a search that was ended may.
    fn choices(&self, units: &[Units], taken: &Taken) -> Vec<Choice> {
        let mut choices: Vec<Choice> = self
            .promotions
            .iter()
            .zip(&self.offers)
            .zip(&taken.sets)
            .map(|((promotion, offer), sets)| Choice {
                promotion: *promotion,
                price: offer.price * i64::from(*sets),
                taken: Vec::new(),
            })
            .collect();
        for (place, kind) in self.kinds.iter().enumerate() {
            let mut left = kind.members.iter().map(|at| (*at, units[*at].count));
            let mut open = left.next();
            for (choice, by_kind) in choices.iter_mut().zip(&taken.by_promotion) {
                let mut wanted = by_kind[place];
                while let Some((at, count)) = open.filter(|_| wanted > 0) {
                    let part = wanted.min(count);
                    wanted -= part;
                    choice.taken.push((at, part));
                    open = match count - part {
                        0 => left.next(),
                        rest => Some((at, rest)),
                    };
                }
            }
        }
        choices.retain(|choice| {
            let worth = choice.taken.iter();
            let worth: i128 = worth
                .map(|&(at, count)| i128::from(units[at].net) * i128::from(count))
                .sum();
            worth > i128::from(choice.price)
        });
        choices
    }
}

/// The sets that were found best.
struct Taken {
    /// Per promotion.
    sets: Vec<u32>,
    /// Per promotion, how many units of each kind it takes.
    by_promotion: Vec<Vec<u32>>,
    gain: i128,
}

/// One change of a `State`.
#[derive(Clone, Copy)]
enum Move {
    /// A unit that was free is taken.
    Enter { by: usize, kind: usize },
    /// A promotion hands a unit to another.
    Hand { from: usize, to: usize, kind: usize },
    /// A set is complete.
    Close { by: usize },
}

/// Which units are in sets while the search goes on. Every change can be taken back.
struct State<'c> {
    component: &'c Component,
    sets: Vec<u32>,
    /// The promotions with a set, in the order of their first.
    holders: Vec<usize>,
    by_promotion: Vec<Vec<u32>>,
    /// Per promotion, the kinds of which it takes a unit.
    held: Vec<Bits>,
    /// Per kind, the units that are in no set, and the kinds that have such a unit.
    left: Vec<u32>,
    free: Bits,
    /// What the sets lower the price by; wider than an amount, because it is a sum of products.
    gain: i128,
    moves: Vec<Move>,
}

impl<'c> State<'c> {
    fn nothing_taken(component: &'c Component) -> State<'c> {
        let (kinds, promotions) = (&component.kinds, component.offers.len());
        State {
            component,
            sets: vec![0; promotions],
            holders: Vec::new(),
            by_promotion: vec![vec![0; kinds.len()]; promotions],
            held: vec![Bits::none(kinds.len()); promotions],
            left: kinds.iter().map(|kind| kind.count).collect(),
            free: Bits::of(kinds.iter().map(|kind| kind.count > 0)),
            gain: 0,
            moves: Vec::new(),
        }
    }

    fn make(&mut self, change: Move) {
        match change {
            Move::Enter { by, kind } => {
                self.change(by, kind, 1);
                self.left[kind] -= 1;
                self.free.put(kind, self.left[kind] > 0);
                self.gain += i128::from(self.component.kinds[kind].net);
            }
            Move::Hand { from, to, kind } => {
                self.change(from, kind, -1);
                self.change(to, kind, 1);
            }
            Move::Close { by } => {
                self.sets[by] += 1;
                if self.sets[by] == 1 {
                    self.holders.push(by);
                }
                self.gain -= i128::from(self.component.offers[by].price);
            }
        }
        self.moves.push(change);
    }

    /// Takes back what was made since there were `moves` moves.
    fn undo_to(&mut self, moves: usize) {
        for change in self.moves.split_off(moves).into_iter().rev() {
            match change {
                Move::Enter { by, kind } => {
                    self.change(by, kind, -1);
                    self.left[kind] += 1;
                    self.free.put(kind, true);
                    self.gain -= i128::from(self.component.kinds[kind].net);
                }
                Move::Hand { from, to, kind } => {
                    self.change(to, kind, -1);
                    self.change(from, kind, 1);
                }
                Move::Close { by } => {
                    self.sets[by] -= 1;
                    if self.sets[by] == 0 {
                        self.holders.pop();
                    }
                    self.gain += i128::from(self.component.offers[by].price);
                }
            }
        }
    }

    fn change(&mut self, promotion: usize, kind: usize, by: i32) {
        let count = &mut self.by_promotion[promotion][kind];
        *count = count.saturating_add_signed(by);
        self.held[promotion].put(kind, *count > 0);
    }
}

struct Search<'c> {
    component: &'c Component,
    state: State<'c>,
    best: Taken,
    /// For each promotion, what those from it on could gain at most with all units free.
    gain_from: Vec<i128>,
    steps: u64,
    steps_max: u64,
    /// Where units can enter, kept to be used again. See `reach`.
    reached: Vec<usize>,
    handing: Vec<Option<(usize, usize)>>,
}

impl<'c> Search<'c> {
    /// The best sets found, and whether no others are better.
    fn run(component: &'c Component, work: &mut Work) -> (Taken, bool) {
        let promotions = component.offers.len();
        let state = State::nothing_taken(component);
        let mut search = Search {
            component,
            best: Taken {
                sets: state.sets.clone(),
                by_promotion: state.by_promotion.clone(),
                gain: 0,
            },
            state,
            gain_from: vec![0; promotions + 1],
            steps: 0,
            steps_max: STEPS_MAX.min(work.left()),
            reached: Vec::new(),
            handing: vec![None; promotions],
        };
        for promotion in (0..promotions).rev() {
            let alone = search.gain_alone(promotion);
            search.gain_from[promotion] = search.gain_from[promotion + 1] + alone;
        }
        search.greedy();
        if search.best.gain < search.gain_from[0] {
            search.branch(0);
        }
        let proven = !search.spent();
        work.spend(search.steps);
        (search.best, proven)
    }

    fn spent(&self) -> bool {
        self.steps > self.steps_max
    }

    fn note_if_best(&mut self) {
        if self.state.gain > self.best.gain {
            self.best.sets.clone_from(&self.state.sets);
            self.best.by_promotion.clone_from(&self.state.by_promotion);
            self.best.gain = self.state.gain;
        }
    }

    /// Makes the set that gains most, as long as one gains. As a set never gains more later, a
    /// promotion is looked at again only when its last gain is the largest.
    fn greedy(&mut self) {
        let mut hopes: Vec<i128> = vec![i128::MAX; self.component.offers.len()];
        while let Some(promotion) = (0..hopes.len()).rev().max_by_key(|p| hopes[*p])
            && hopes[promotion] > 0
            && !self.spent()
        {
            let before = (self.state.moves.len(), self.state.gain);
            hopes[promotion] = 0;
            if self.make_gaining_set(promotion) {
                let gain = self.state.gain - before.1;
                hopes[promotion] = gain;
                if hopes.iter().any(|hope| *hope > gain) {
                    self.state.undo_to(before.0);
                }
            }
        }
        self.note_if_best();
        self.state.undo_to(0);
    }

    /// Tries every number of sets of `promotion` that can still lead to something better. What the
    /// promotions after it can add only falls as sets are made, so the last figure stays a bound.
    fn branch(&mut self, promotion: usize) {
        let before = self.state.moves.len();
        let (rest, promotions) = (promotion + 1, self.component.offers.len());
        let mut rest_adds_max = self.gain_from[rest];
        loop {
            self.note_if_best();
            if self.state.gain + rest_adds_max > self.best.gain {
                rest_adds_max = (rest..promotions).map(|p| self.gain_alone(p)).sum();
            }
            // For the last promotion, what it adds alone is the answer already.
            if rest + 1 < promotions && self.state.gain + rest_adds_max > self.best.gain {
                self.branch(rest);
            }
            if self.spent() || !self.make_gaining_set(promotion) {
                break;
            }
        }
        self.state.undo_to(before);
    }

    /// What the sets of one promotion add to what is taken.
    fn gain_alone(&mut self, promotion: usize) -> i128 {
        let before = (self.state.moves.len(), self.state.gain);
        while !self.spent() && self.make_gaining_set(promotion) {}
        self.note_if_best();
        let gain = self.state.gain - before.1;
        self.state.undo_to(before.0);
        gain
    }

    /// Makes one more set of a promotion, of the units that gain most; nothing where the set would
    /// gain nothing or units are wanting.
    fn make_gaining_set(&mut self, promotion: usize) -> bool {
        let before = (self.state.moves.len(), self.state.gain);
        let units = self.component.offers[promotion].units;
        let complete = (0..units).all(|_| self.add_unit(promotion));
        if complete {
            self.state.make(Move::Close { by: promotion });
        }
        let gains = complete && self.state.gain > before.1;
        if !gains {
            self.state.undo_to(before.0);
        }
        gains
    }

    /// Brings the dearest unit that can be had into the sets of `promotion`: directly, or by way of
    /// other promotions, each handing one of its units on and keeping its number.
    fn add_unit(&mut self, promotion: usize) -> bool {
        self.reach(promotion);
        self.steps += self.reached.len() as u64;
        let (allowed, free) = (&self.component.allowed, &self.state.free);
        let entries = self.reached.iter();
        let Some((kind, by)) = entries
            .filter_map(|by| Some((allowed[*by].first_common(free)?, *by)))
            .min_by_key(|(kind, _)| *kind)
        else {
            return false;
        };
        self.state.make(Move::Enter { by, kind });
        let mut from = by;
        while let Some((to, kind)) = self.handing[from] {
            self.state.make(Move::Hand { from, to, kind });
            from = to;
        }
        true
    }

    /// Finds the promotions that a unit may enter by so that `promotion` ends up with one more,
    /// nearest first; and for each, to which promotion it hands a unit on, and of which kind.
    fn reach(&mut self, promotion: usize) {
        self.handing.fill(None);
        self.reached.clear();
        self.reached.push(promotion);
        let mut next = 0;
        while let Some(&to) = self.reached.get(next) {
            next += 1;
            let allowed = &self.component.allowed[to];
            for &from in &self.state.holders {
                self.steps += 1;
                if from == promotion || self.handing[from].is_some() {
                    continue;
                }
                if let Some(kind) = allowed.first_common(&self.state.held[from]) {
                    self.handing[from] = Some((to, kind));
                    self.reached.push(from);
                }
            }
        }
    }
}
