//! Whole sets instead of single units: where very many offers compete for few units, most of what
//! can be done with a unit is to begin a set that is never completed.
//!
//! The prices of `prices` say what every unit is worth at most. What a set gains less than its units
//! are worth is its loss, never below nothing, and so is what a unit that is left out is worth. All
//! sets and units left out together lose exactly as much as the answer is below the bound. So
//! whoever looks for something better than what is known needs no set that loses more than the
//! bound is above that, and may stop where the losses so far sum to more. The sets that are left are
//! listed, and chosen kind by kind: of two ways to have the same units left, the one that lost less
//! goes on.

use super::{FINE, Game, Turn};
use crate::best::{ChosenSet, SetOffer, Work};

/// The most sets that are listed.
const SETS_MAX: usize = 3_000;
/// The most steps of the listing.
const LISTING_MAX: u64 = 30_000;
/// What looking whether a set can be chosen costs.
const TRY_WORK: u64 = 2;
/// A search has no end in sight where more than so many sets, times units, may be in something better,
const HOPELESS: usize = 3_000;
/// and the bound is further from what is known than its so-manieth part.
const FAR: i128 = 20;
/// What looking at a whole set costs, in steps.
const NOTE_WORK: u64 = 16;
/// How often the listing is begun again with smaller losses where there are too many sets.
const LISTINGS_MAX: u32 = 6;
/// Choices kept for each kind in the first search.
const NARROW: usize = 8;
/// Choices kept for each kind in the second.
const WIDE: usize = 8_192;

/// The kinds that may be in a place of a set, and what each loses there.
type Slot = Vec<(usize, i64)>;

/// A set that may be chosen.
struct Listed {
    offer: usize,
    /// Kind and part of each unit, kinds ascending.
    units: Vec<(usize, usize)>,
    loss: i64,
}

/// What is left of each kind, and then of each limited offer; and how it came to that.
#[derive(Clone, Copy, Default)]
struct Way {
    loss: i64,
    hash: u64,
    /// The sets that were chosen last, newest first, in `Search::chosen`.
    chosen: u32,
}

/// What was found.
pub(in crate::best::labels) struct Packed {
    /// Sets that gain more than what was known, and what they gain.
    pub better: Option<(i64, Vec<ChosenSet>)>,
    /// Whether nothing gains more than that, or than what was known.
    pub proven: bool,
    /// No end of the search is in sight.
    pub hopeless: bool,
}

impl Game {
    /// Looks for sets that gain more than `known`. Spends from `work`.
    pub fn pack(&self, offers: &[SetOffer], known: i64, work: &mut Work) -> Packed {
        let mut packed = Packed {
            better: None,
            proven: false,
            hopeless: false,
        };
        let bound = self.bound();
        let capped = self
            .offers
            .iter()
            .any(|rules| offers[rules.index].cap.is_some());
        let Some(mut search) = Search::new(self, bound).filter(|_| !capped) else {
            return packed;
        };
        let mut allowed = search.allowed(known);
        if allowed < 0 {
            packed.proven = self.is_whole();
            return packed;
        }
        let listed = search.list(offers, allowed, work);
        for width in [NARROW, WIDE] {
            let found = search.choose(allowed, width, work);
            if let Some((loss, sets)) = found.best {
                let gain = (bound - i128::from(loss)).div_euclid(FINE);
                let gain = i64::try_from(gain).unwrap_or(known);
                allowed = search.allowed(gain);
                packed.better = Some((gain, sets));
            }
            if !found.cut || allowed < 0 {
                packed.proven = self.is_whole() && listed >= allowed;
                break;
            }
            if search.is_hopeless(allowed) {
                packed.hopeless = true;
                break;
            }
        }
        packed
    }
}

struct Search<'g> {
    game: &'g Game,
    bound: i128,
    /// What a unit of each kind, and then a set of each limited offer, is worth at most.
    worth: Vec<i64>,
    /// How many there are of each.
    counts: Vec<u16>,
    /// The place of each offer among what is counted, where it is limited.
    limit: Vec<Option<usize>>,
    /// By their first kind, and then by what they lose.
    sets: Vec<Listed>,
    /// Where the sets of each kind begin, and at last where all end.
    from: Vec<usize>,
    /// Chosen sets, each with the one that was chosen before it; 0 is none.
    chosen: Vec<(u32, u32)>,
}

struct Chosen {
    best: Option<(i64, Vec<ChosenSet>)>,
    cut: bool,
}

impl<'g> Search<'g> {
    /// `None` where amounts are too large to be counted here.
    fn new(game: &'g Game, bound: i128) -> Option<Search<'g>> {
        if bound > i128::from(i64::MAX / 4) {
            return None;
        }
        let kinds = 0..game.kinds.len();
        let mut worth: Vec<i64> = kinds
            .map(|kind| i64::try_from(game.adds_at_most(kind)).ok())
            .collect::<Option<_>>()?;
        let count = |members: &[(usize, u32)]| members.iter().map(|(_, count)| count).sum::<u32>();
        let mut counts: Vec<u16> = (game.kinds.iter())
            .map(|unit| u16::try_from(count(&unit.members)).ok())
            .collect::<Option<_>>()?;
        let mut limit = Vec::with_capacity(game.offers.len());
        for rules in &game.offers {
            limit.push(rules.sets.map(|_| counts.len()));
            if let Some((_, max)) = rules.sets {
                worth.push(i64::try_from(rules.over).ok()?);
                counts.push(max.clamp(0, i64::from(u16::MAX)) as u16);
            }
        }
        Some(Search {
            game,
            bound,
            worth,
            counts,
            limit,
            sets: Vec::new(),
            from: Vec::new(),
            chosen: Vec::new(),
        })
    }

    /// What may be lost by anything that gains more than `known`.
    fn allowed(&self, known: i64) -> i64 {
        let allowed = self.bound - (i128::from(known) + 1) * FINE;
        i64::try_from(allowed).unwrap_or(-1)
    }

    /// Whether the bound is far from what is known, and very many sets are between them.
    fn is_hopeless(&self, allowed: i64) -> bool {
        let sets = self.sets.iter().filter(|set| set.loss <= allowed).count();
        let far = i128::from(allowed) * FAR > self.bound;
        far && sets * self.game.steps.len() > HOPELESS
    }

    /// Lists the sets that lose no more than is allowed. Answers up to which loss all are listed.
    fn list(&mut self, offers: &[SetOffer], allowed: i64, work: &mut Work) -> i64 {
        let mut most = allowed;
        for round in 0..LISTINGS_MAX {
            let mut lister = Lister {
                search: self,
                most,
                units: Vec::new(),
                priced: Vec::new(),
                sets: Vec::new(),
                steps: 0,
                steps_max: LISTING_MAX.min(work.left()),
            };
            let whole = (0..offers_of(lister.search)).all(|place| lister.offer(offers, place));
            work.spend(lister.steps);
            let sets = lister.sets;
            if whole || round + 1 == LISTINGS_MAX || work.left() == 0 {
                self.sort(sets);
                return if whole { most } else { -1 };
            }
            most /= 4;
        }
        -1
    }

    /// Of sets of the same units only the one that loses least is kept.
    fn sort(&mut self, mut sets: Vec<Listed>) {
        sets.sort_by(|a, b| {
            (self.counted(a).cmp(self.counted(b)))
                .then_with(|| (a.loss, a.offer).cmp(&(b.loss, b.offer)))
        });
        sets.dedup_by(|later, earlier| self.counted(later).eq(self.counted(earlier)));
        sets.sort_by_key(|set| (set.units.first().map(|(kind, _)| *kind), set.loss));
        let first = |set: &Listed| set.units.first().map_or(0, |(kind, _)| *kind);
        let kinds = 0..=self.game.kinds.len();
        self.from = kinds
            .map(|kind| sets.partition_point(|set| first(set) < kind))
            .collect();
        self.sets = sets;
    }

    /// What a set uses up: its units, and one of its offer where that is limited.
    fn counted(&self, set: &Listed) -> impl Iterator<Item = usize> {
        let units = set.units.iter().map(|(kind, _)| *kind);
        units.chain(self.limit[set.offer])
    }

    /// Chooses sets kind by kind, keeping so many ways for each.
    fn choose(&mut self, allowed: i64, width: usize, work: &mut Work) -> Chosen {
        let size = self.counts.len();
        let each = size as u64 / 4 + 8;
        self.chosen.clear();
        self.chosen.push((0, 0));
        let mut cut = false;
        let (mut left, mut ways) = (self.counts.clone(), vec![Way::default()]);
        let (mut next_left, mut next_ways) = (Vec::new(), Vec::new());
        let mut state = Vec::with_capacity(size);
        for kind in 0..self.game.kinds.len() {
            next_left.clear();
            next_ways.clear();
            // What each kind to come may cost, so that the last of them has as much as the first.
            let share = work.left() / TRY_WORK / (self.game.kinds.len() - kind) as u64;
            let most = usize::try_from(share / each).unwrap_or(usize::MAX).max(1);
            let mut next = Next {
                left: &mut next_left,
                ways: &mut next_ways,
                most,
                tries_left: share.max(1),
                cut: false,
            };
            for (at, way) in ways.iter().enumerate() {
                state.clear();
                state.extend_from_slice(&left[at * size..(at + 1) * size]);
                self.take(kind, self.from[kind], *way, &mut state, allowed, &mut next);
            }
            cut |= next.cut;
            let tries = share.max(1) - next.tries_left;
            work.spend(tries * TRY_WORK + next_ways.len() as u64 * each);
            let kept = best_ways(&next_left, &next_ways, size);
            cut |= kept.len() > width;
            left.clear();
            ways.clear();
            for at in kept.into_iter().take(width) {
                left.extend_from_slice(&next_left[at * size..(at + 1) * size]);
                ways.push(next_ways[at]);
            }
        }
        // What limited offers are worth and was not used is lost as well.
        let total = |at: usize, way: &Way| {
            let kinds = self.game.kinds.len();
            let rest = left[at * size + kinds..(at + 1) * size].iter();
            let rest = rest.zip(&self.worth[kinds..]);
            way.loss + rest.map(|(n, worth)| i64::from(*n) * worth).sum::<i64>()
        };
        let ends = ways
            .iter()
            .enumerate()
            .map(|(at, way)| (total(at, way), at));
        let best = ends.min().filter(|(loss, _)| *loss <= allowed);
        let best = best.map(|(loss, at)| (loss, self.sets_of(ways[at].chosen)));
        Chosen { best, cut }
    }

    /// Every way to go on with the units of a kind that are left: with sets from `from` on that
    /// begin with it, and the rest left out.
    fn take(
        &mut self,
        kind: usize,
        from: usize,
        way: Way,
        state: &mut [u16],
        allowed: i64,
        next: &mut Next<'_>,
    ) {
        if next.ways.len() >= next.most || next.tries_left == 0 {
            next.cut = true;
            return;
        }
        let there = state[kind];
        let left_out = way.loss.saturating_add(i64::from(there) * self.worth[kind]);
        if left_out <= allowed {
            next.left.extend_from_slice(state);
            let at = next.left.len() - state.len() + kind;
            next.left[at] = 0;
            let hash = way.hash.wrapping_sub(mixed(kind, there));
            next.ways.push(Way {
                loss: left_out,
                hash,
                ..way
            });
        }
        if there == 0 {
            return;
        }
        for at in from..self.from[kind + 1] {
            let loss = way.loss + self.sets[at].loss;
            if loss > allowed {
                break;
            }
            if next.tries_left == 0 {
                next.cut = true;
                return;
            }
            next.tries_left -= 1;
            let Some(hash) = self.use_up(at, state, way.hash) else {
                continue;
            };
            self.chosen.push((at as u32, way.chosen));
            let chosen = self.chosen.len() as u32 - 1;
            self.take(kind, at, Way { loss, hash, chosen }, state, allowed, next);
            let set = &self.sets[at];
            self.counted(set).for_each(|used| state[used] += 1);
        }
    }

    /// Takes what a set uses out of what is left, and answers the new hash; nothing where it is not
    /// there.
    fn use_up(&self, at: usize, state: &mut [u16], mut hash: u64) -> Option<u64> {
        let set = &self.sets[at];
        for (done, used) in self.counted(set).enumerate() {
            if state[used] == 0 {
                self.counted(set)
                    .take(done)
                    .for_each(|used| state[used] += 1);
                return None;
            }
            hash = hash.wrapping_sub(mixed(used, state[used]));
            state[used] -= 1;
            hash = hash.wrapping_add(mixed(used, state[used]));
        }
        Some(hash)
    }

    /// The caller's sets.
    fn sets_of(&self, mut chosen: u32) -> Vec<ChosenSet> {
        let mut left: Vec<Vec<(usize, u32)>> = (self.game.kinds.iter())
            .map(|kind| kind.members.clone())
            .collect();
        let mut sets = Vec::new();
        while chosen != 0 {
            let (at, before) = self.chosen[chosen as usize];
            let set = &self.sets[at as usize];
            let mut units = Vec::with_capacity(set.units.len());
            for &(kind, part) in &set.units {
                if let Some((member, count)) = left[kind].iter_mut().find(|(_, count)| *count > 0) {
                    *count -= 1;
                    units.push((*member, part));
                }
            }
            let offer = self.game.offers[set.offer].index;
            sets.push(ChosenSet { offer, units });
            chosen = before;
        }
        sets.sort_by(|a, b| (a.offer, &a.units).cmp(&(b.offer, &b.units)));
        sets
    }
}

/// Where the ways of the next kind are put.
struct Next<'n> {
    left: &'n mut Vec<u16>,
    ways: &'n mut Vec<Way>,
    /// The most ways, and whether there would have been more.
    most: usize,
    cut: bool,
    /// Sets that may still be looked at.
    tries_left: u64,
}

fn offers_of(search: &Search<'_>) -> usize {
    search.game.offers.len()
}

fn mixed(at: usize, left: u16) -> u64 {
    super::mixed(at, i64::from(left))
}

/// The places of the ways, one for each that is different, those that lost least first.
fn best_ways(left: &[u16], ways: &[Way], size: usize) -> Vec<usize> {
    let state = |at: usize| &left[at * size..(at + 1) * size];
    let mut order: Vec<(u64, i64, usize)> = (ways.iter().enumerate())
        .map(|(at, way)| (way.hash, way.loss, at))
        .collect();
    order.sort_unstable_by(|a, b| {
        (a.0.cmp(&b.0))
            .then_with(|| state(a.2).cmp(state(b.2)))
            .then_with(|| (a.1, a.2).cmp(&(b.1, b.2)))
    });
    order.dedup_by(|later, earlier| later.0 == earlier.0 && state(later.2) == state(earlier.2));
    let mut kept: Vec<(i64, usize)> = order.iter().map(|(_, loss, at)| (*loss, *at)).collect();
    kept.sort_unstable();
    kept.into_iter().map(|(_, at)| at).collect()
}

/// Lists the sets of offers that lose no more than `most`.
struct Lister<'s, 'g> {
    search: &'s Search<'g>,
    most: i64,
    /// Kind and part of each unit of the set that is being put together.
    units: Vec<(usize, usize)>,
    /// Value and part of each of them, where the set is looked at as a whole.
    priced: Vec<(i64, usize)>,
    sets: Vec<Listed>,
    steps: u64,
    steps_max: u64,
}

impl Lister<'_, '_> {
    /// Answers whether all of the offer's sets are listed.
    fn offer(&mut self, offers: &[SetOffer], place: usize) -> bool {
        let game = self.search.game;
        let offer = &offers[game.offers[place].index];
        let slots: Vec<Slot> = match &game.offers[place].turn {
            Turn::Parts { parts, .. } => {
                let slots = parts.iter().enumerate().flat_map(|(part, (units, _))| {
                    std::iter::repeat_n(part, usize::try_from(*units).unwrap_or(0))
                });
                let parts: Vec<usize> = slots.collect();
                return self.parts(offer, place, &parts);
            }
            Turn::Cheapest { of, units, .. } => {
                let roles = (0..*of).map(|at| at >= of - units);
                roles
                    .map(|free| self.slacks(place, 0, Some(free)))
                    .collect()
            }
            Turn::Different { .. } => return self.different(offer, place),
        };
        self.slots(offer, place, &slots, 0)
    }

    fn parts(&mut self, offer: &SetOffer, place: usize, parts: &[usize]) -> bool {
        let mut slots: Vec<Slot> = Vec::with_capacity(parts.len());
        for (at, &part) in parts.iter().enumerate() {
            match at.checked_sub(1).filter(|before| parts[*before] == part) {
                Some(before) => slots.push(slots[before].clone()),
                None => slots.push(self.slacks(place, part, None)),
            }
        }
        self.units.clear();
        self.part_slots(offer, place, (parts, &slots), 0)
    }

    /// The kinds that may be in a part, and what each loses there: of units that are free or paid
    /// for, in that role.
    fn slacks(&self, place: usize, part: usize, free: Option<bool>) -> Slot {
        let game = self.search.game;
        let mut slacks = Vec::new();
        for &kind in &game.takers[place] {
            let unit = &game.kinds[kind];
            let wanted = crate::best::Place { offer: place, part };
            let Ok(number) = unit.places.binary_search(&wanted) else {
                continue;
            };
            let worth = match free {
                None => game.worth(kind, number).0,
                Some(free) => game.worth_in_role(kind, number, free),
            };
            let slack = i128::from(self.search.worth[kind]) - worth;
            if let Ok(slack) = i64::try_from(slack)
                && slack <= self.most
            {
                slacks.push((kind, slack));
            }
        }
        slacks
    }

    /// Fills the slots of parts one after the other; kinds of one part ascend.
    fn part_slots(
        &mut self,
        offer: &SetOffer,
        place: usize,
        (parts, slots): (&[usize], &[Slot]),
        lost: i64,
    ) -> bool {
        let at = self.units.len();
        let Some(slot) = slots.get(at) else {
            return self.note(offer, place);
        };
        let before = at
            .checked_sub(1)
            .filter(|before| parts[*before] == parts[at]);
        let least = before.map_or(0, |before| self.units[before].0);
        for &(kind, slack) in slot.iter().filter(|(kind, _)| *kind >= least) {
            if lost + slack > self.most || !self.has(kind) {
                continue;
            }
            if self.is_spent() {
                return false;
            }
            self.units.push((kind, parts[at]));
            let whole = self.part_slots(offer, place, (parts, slots), lost + slack);
            self.units.pop();
            if !whole {
                return false;
            }
        }
        true
    }

    /// Fills slots that all take the same kinds, the dearest first.
    fn slots(&mut self, offer: &SetOffer, place: usize, slots: &[Slot], lost: i64) -> bool {
        let at = self.units.len();
        let Some(slot) = slots.get(at) else {
            return self.note(offer, place);
        };
        let least = self.units.last().map_or(0, |(kind, _)| *kind);
        for &(kind, slack) in slot.iter().filter(|(kind, _)| *kind >= least) {
            if lost + slack > self.most || !self.has(kind) {
                continue;
            }
            if self.is_spent() {
                return false;
            }
            self.units.push((kind, 0));
            let whole = self.slots(offer, place, slots, lost + slack);
            self.units.pop();
            if !whole {
                return false;
            }
        }
        true
    }

    fn different(&mut self, offer: &SetOffer, place: usize) -> bool {
        let slacks = self.slacks(place, 0, None);
        self.units.clear();
        self.titles(offer, place, &slacks, 0)
    }

    /// Adds units of further titles, kinds ascending; each set on the way may be one.
    fn titles(
        &mut self,
        offer: &SetOffer,
        place: usize,
        slacks: &[(usize, i64)],
        lost: i64,
    ) -> bool {
        if !self.units.is_empty() && !self.note(offer, place) {
            return false;
        }
        for (at, &(kind, slack)) in slacks.iter().enumerate() {
            let title = |kind: usize| self.search.game.kinds[kind].title;
            let there = self
                .units
                .iter()
                .any(|(other, _)| title(*other) == title(kind));
            if there || lost + slack > self.most {
                continue;
            }
            if self.is_spent() {
                return false;
            }
            self.units.push((kind, 0));
            let whole = self.titles(offer, place, &slacks[at + 1..], lost + slack);
            self.units.pop();
            if !whole {
                return false;
            }
        }
        true
    }

    /// Whether there is one more unit of a kind than the set has already.
    fn has(&self, kind: usize) -> bool {
        let there = self.units.iter().filter(|(other, _)| *other == kind);
        there.count() < usize::from(self.search.counts[kind])
    }

    fn is_spent(&mut self) -> bool {
        self.steps += 1;
        self.steps > self.steps_max
    }

    /// Lists the set, if it does not lose too much. Answers whether there is room for more.
    fn note(&mut self, offer: &SetOffer, place: usize) -> bool {
        self.steps += NOTE_WORK;
        let game = self.search.game;
        self.priced.clear();
        let priced = self.units.iter();
        let priced = priced.map(|&(kind, part)| (game.kinds[kind].value, part));
        self.priced.extend(priced);
        let off = offer.whole_discount(&self.priced);
        let kinds = || self.units.iter().map(|(kind, _)| *kind);
        let alone: i64 = kinds().map(|kind| game.kinds[kind].alone).sum();
        let worth = kinds().chain(self.search.limit[place]);
        let worth: i128 = worth.map(|kind| i128::from(self.search.worth[kind])).sum();
        let loss = worth - i128::from(off - alone) * FINE;
        let Ok(loss) = i64::try_from(loss) else {
            return true;
        };
        if loss > self.most || off <= alone {
            return true;
        }
        let mut units = self.units.clone();
        units.sort_unstable();
        self.sets.push(Listed {
            offer: place,
            units,
            loss,
        });
        self.sets.len() < SETS_MAX
    }
}
