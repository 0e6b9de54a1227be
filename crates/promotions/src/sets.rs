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

/// The most steps of one search, where a step is a look at up to 64 kinds of units at once: under a
/// millisecond in all.
const STEPS_MAX: u64 = 250_000;

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
pub(crate) fn choose_sets(units: &[Units], offer: impl Fn(usize) -> Option<SetOffer>) -> Chosen {
    let mut chosen = Chosen {
        choices: Vec::new(),
        proven: true,
    };
    for component in components(units, offer) {
        let (best, proven) = Search::run(&component);
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
    groups_of(units, &offers)
        .into_iter()
        .map(|promotions| Component::new(units, promotions, &offers))
        .collect()
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

/// Which units are in sets, and what that gains.
#[derive(Clone)]
struct Taken {
    /// Per promotion.
    sets: Vec<u32>,
    /// Per promotion, how many units of each kind it holds.
    by_promotion: Vec<Vec<u32>>,
    /// Per promotion, the kinds of which it holds a unit.
    held: Vec<Bits>,
    /// Per kind, the units that are in no set, and the kinds that have such a unit.
    left: Vec<u32>,
    free: Bits,
    /// What the sets lower the price by; wider than an amount, because it is a sum of products.
    gain: i128,
}

impl Taken {
    fn nothing(component: &Component) -> Taken {
        let (kinds, promotions) = (&component.kinds, component.offers.len());
        Taken {
            sets: vec![0; promotions],
            by_promotion: vec![vec![0; kinds.len()]; promotions],
            held: vec![Bits::none(kinds.len()); promotions],
            left: kinds.iter().map(|kind| kind.count).collect(),
            free: Bits::of(kinds.iter().map(|kind| kind.count > 0)),
            gain: 0,
        }
    }

    /// Takes a unit that is in no set.
    fn enter(&mut self, promotion: usize, kind: usize) {
        self.left[kind] -= 1;
        self.free.put(kind, self.left[kind] > 0);
        self.put(promotion, kind, self.by_promotion[promotion][kind] + 1);
    }

    /// Hands a unit from one promotion to another.
    fn hand_on(&mut self, from: usize, to: usize, kind: usize) {
        self.put(from, kind, self.by_promotion[from][kind] - 1);
        self.put(to, kind, self.by_promotion[to][kind] + 1);
    }

    fn put(&mut self, promotion: usize, kind: usize, count: u32) {
        self.by_promotion[promotion][kind] = count;
        self.held[promotion].put(kind, count > 0);
    }
}

struct Search<'c> {
    component: &'c Component,
    /// For each promotion, what those from it on could gain at most.
    gain_from: Vec<i128>,
    best: Taken,
    steps: u64,
}

impl<'c> Search<'c> {
    /// The best sets found, and whether no others are better.
    fn run(component: &'c Component) -> (Taken, bool) {
        let nothing = Taken::nothing(component);
        let promotions = component.offers.len();
        let mut search = Search {
            component,
            gain_from: vec![0; promotions + 1],
            best: nothing.clone(),
            steps: 0,
        };
        for promotion in (0..promotions).rev() {
            let alone = search.with_all_sets(&nothing, promotion);
            search.gain_from[promotion] = search.gain_from[promotion + 1] + alone.gain;
            search.offer(&alone);
        }
        search.greedy(&nothing);
        if search.best.gain < search.gain_from[0] {
            search.branch(0, nothing);
        }
        let proven = !search.spent();
        (search.best, proven)
    }

    fn spent(&self) -> bool {
        self.steps > STEPS_MAX
    }

    /// Makes the set that gains most, as long as one gains. As a set never gains more later, a
    /// promotion is looked at again only when its last gain is the largest.
    fn greedy(&mut self, nothing: &Taken) {
        let mut taken = nothing.clone();
        let mut hopes: Vec<i128> = vec![i128::MAX; self.component.offers.len()];
        while let Some(promotion) = (0..hopes.len()).rev().max_by_key(|p| hopes[*p])
            && hopes[promotion] > 0
            && !self.spent()
        {
            let next = self.with_set(&taken, promotion);
            let gain = next.as_ref().map_or(0, |next| next.gain - taken.gain);
            hopes[promotion] = gain;
            let largest = hopes.iter().all(|hope| *hope <= gain);
            if let Some(next) = next.filter(|_| gain > 0 && largest) {
                taken = next;
            }
        }
        self.offer(&taken);
    }

    fn offer(&mut self, taken: &Taken) {
        if taken.gain > self.best.gain {
            self.best = taken.clone();
        }
    }

    /// Tries every number of sets of `promotion` that can still lead to something better.
    fn branch(&mut self, promotion: usize, mut taken: Taken) {
        let rest = promotion + 1;
        while !self.spent() {
            self.offer(&taken);
            if self.hope(rest, &taken) {
                self.branch(rest, taken.clone());
            }
            match self.with_set(&taken, promotion) {
                Some(next) if next.gain > taken.gain => taken = next,
                _ => return,
            }
        }
    }

    /// Whether the promotions from `from` on could add enough to what is taken: first by what each
    /// gains with all units free, then by what each alone gains with those that are left.
    fn hope(&mut self, from: usize, taken: &Taken) -> bool {
        let promotions = self.component.offers.len();
        if from == promotions || taken.gain + self.gain_from[from] <= self.best.gain {
            return false;
        }
        if from + 1 == promotions {
            return true;
        }
        let mut most = taken.gain;
        for promotion in from..promotions {
            most += self.with_all_sets(taken, promotion).gain - taken.gain;
        }
        most > self.best.gain
    }

    /// What is taken with every set of one promotion that gains something.
    fn with_all_sets(&mut self, taken: &Taken, promotion: usize) -> Taken {
        let mut with = taken.clone();
        while !self.spent()
            && let Some(next) = self.with_set(&with, promotion)
            && next.gain > with.gain
        {
            with = next;
        }
        with
    }

    /// One more set of a promotion, of the units that gain most; `None` where units are wanting.
    fn with_set(&mut self, taken: &Taken, promotion: usize) -> Option<Taken> {
        let offer = self.component.offers[promotion];
        // Copying is work too.
        self.steps += (taken.left.len() * taken.sets.len() / 64 + 1) as u64;
        let mut taken = taken.clone();
        for _ in 0..offer.units {
            taken.gain += i128::from(self.add_unit(&mut taken, promotion)?);
        }
        taken.gain -= i128::from(offer.price);
        taken.sets[promotion] += 1;
        Some(taken)
    }

    /// Brings the dearest unit that can be had into the sets of `promotion`: directly, or by way of
    /// other promotions, each handing one of its units on and keeping its number.
    fn add_unit(&mut self, taken: &mut Taken, promotion: usize) -> Option<i64> {
        let (reached, handing) = self.reach(taken, promotion);
        self.steps += (reached.len() * taken.free.0.len()) as u64;
        let allowed = &self.component.allowed;
        let (kind, entry) = reached
            .into_iter()
            .filter_map(|entry| Some((allowed[entry].first_common(&taken.free)?, entry)))
            .min_by_key(|(kind, _)| *kind)?;
        taken.enter(entry, kind);
        let mut from = entry;
        while let Some((to, kind)) = handing[from] {
            taken.hand_on(from, to, kind);
            from = to;
        }
        Some(self.component.kinds[kind].net)
    }

    /// The promotions that a unit may enter by so that `promotion` ends up with one more, nearest
    /// first; and for each, to which promotion it hands a unit on, and of which kind.
    fn reach(
        &mut self,
        taken: &Taken,
        promotion: usize,
    ) -> (Vec<usize>, Vec<Option<(usize, usize)>>) {
        let mut handing = vec![None; taken.sets.len()];
        let mut reached = vec![promotion];
        let mut next = 0;
        while let Some(&to) = reached.get(next) {
            next += 1;
            for (from, hands_to) in handing.iter_mut().enumerate() {
                if from == promotion || hands_to.is_some() || taken.sets[from] == 0 {
                    continue;
                }
                self.steps += taken.free.0.len() as u64;
                let allowed = &self.component.allowed[to];
                if let Some(kind) = allowed.first_common(&taken.held[from]) {
                    *hands_to = Some((to, kind));
                    reached.push(from);
                }
            }
        }
        (reached, handing)
    }
}
