//! The rules by which units go into sets, and the bound on what is still to be had.

mod packing;
mod prices;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use money::Rate;

use crate::best::{ChosenSet, Kind, Place, Reward, SetOffer, Shape, percent_of, rate_of};

/// Parts of a minor unit in which bounds are counted.
pub(super) const FINE: i128 = 1 << 16;
/// The most units that take part; more are left out, and the answer is then not proven.
const UNITS_MAX: usize = 2_000;
/// The most open sets of different titles; fewer where there are many units, so that their product is
/// no more than the second.
const OPEN_MAX: usize = 32;
const OPEN_UNITS_MAX: i64 = 4_096;
/// The words of an open set of different titles.
const OPEN_WORDS: usize = 4;
const TITLES: usize = 0;
const WORTH: usize = 1;
/// The title that was added last, plus one; 0 once another title is handed out.
const LAST: usize = 2;
/// The titles in it that come in several kinds, as bits.
const MASK: usize = 3;

/// What is done with one unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Choice {
    Skip,
    /// Into the open set of an offer, by the place of `Unit::places`.
    Place(u16),
    /// Into an open set of different titles, by its order in the state.
    Join {
        place: u16,
        open: u16,
    },
}

/// What is known of a state without looking at all of it, kept up with each choice.
#[derive(Clone, Copy, Default)]
pub(super) struct Digest {
    /// The same for states that are the same.
    pub hash: u64,
    /// What the open sets of parts are worth beyond what was gained for them, in `FINE` parts.
    open: i128,
    /// How many offers have a set that is not complete, but for those of different titles.
    incomplete: u32,
}

pub(super) struct Game {
    offers: Vec<Rules>,
    /// The offers whose open sets are worth something else with every step: all but those of parts.
    moving: Vec<usize>,
    /// Of those, the offers of different titles.
    different: Vec<usize>,
    kinds: Vec<Unit>,
    /// The kinds that each offer takes, ascending.
    takers: Vec<Vec<usize>>,
    /// The kind of the unit that each step hands out.
    steps: Vec<usize>,
    /// What the units from each step on can add at most, in `FINE` parts.
    to_come: Vec<i128>,
    /// How many titles come from each step on.
    titles_to_come: Vec<usize>,
    /// What one label costs from each step on.
    work_from: Vec<u64>,
    state_size: usize,
    whole: bool,
}

/// A kind as far as this game's offers see it.
struct Unit {
    value: i64,
    alone: i64,
    title: i64,
    /// The bit of a title that comes in several kinds.
    bit: i64,
    places: Vec<Place>,
    /// What it gets off in each of the places at most, in `FINE` parts.
    offs: Vec<i128>,
    /// The caller's kinds, and how many units of each.
    members: Vec<(usize, u32)>,
}

impl Unit {
    /// What tells units apart, in the order in which they are handed out: the dearest first.
    fn key(&self) -> (i64, i64, &[Place], i64) {
        (-self.value, self.alone, &self.places, self.title)
    }

    fn is_for(&self, offer: usize) -> bool {
        self.places.iter().any(|place| place.offer == offer)
    }
}

struct Rules {
    /// The caller's offer.
    index: usize,
    turn: Turn,
    /// Where its words are in a state, and where those of the next begin.
    at: usize,
    end: usize,
    /// The word that counts its sets, where they are limited, and the limit.
    sets: Option<(usize, i64)>,
    /// The word that sums its discount, where that is capped, and the cap.
    cap: Option<(usize, i64)>,
    /// What bounds the rest of the search, in `FINE` parts: of parts, the price of a place in each,
    /// those of a set together no more than what it costs and `over`. Of cheapest-free sets, by kind,
    /// never rising: a unit that is paid for earns it for each free one, which pays it for each paid
    /// one. As in a set no free unit comes before a paid one, that never sums to less than nothing.
    prices: Vec<i128>,
    /// What a set pays for being one of a limited number, in `FINE` parts.
    over: i128,
}

enum Turn {
    Parts {
        /// Units and reward of each part.
        parts: Vec<(i64, Reward)>,
        whole: Reward,
        /// What a set costs: its price, or less than nothing for an amount off.
        cost: i64,
        /// The most sets that there are units for.
        sets_max: i64,
    },
    Cheapest {
        of: i64,
        units: i64,
        rate: Rate,
    },
    Different {
        tiers: Vec<(u32, Rate)>,
        best: Rate,
        open: usize,
        /// The titles that there are: a set with all of them is complete, and leaves the state. 0
        /// where its sets are limited, and so must stay to be counted.
        all: usize,
    },
}

impl Game {
    /// The game of some offers over `counts` units of each kind. Kinds come dearest first; `among`
    /// names, ascending, at least those that the offers take.
    pub fn new(
        kinds: &[Kind],
        counts: &[u32],
        offers: &[SetOffer],
        (component, among): (&[usize], &[usize]),
    ) -> Game {
        let units = units_of((kinds, counts, among), offers, component);
        let mut takers: Vec<Vec<usize>> = vec![Vec::new(); component.len()];
        for (at, unit) in units.iter().enumerate() {
            for place in &unit.places {
                if takers[place.offer].last() != Some(&at) {
                    takers[place.offer].push(at);
                }
            }
        }
        let mut game = Game {
            takers,
            moving: Vec::new(),
            different: Vec::new(),
            offers: Vec::with_capacity(component.len()),
            kinds: units,
            steps: Vec::new(),
            to_come: Vec::new(),
            titles_to_come: Vec::new(),
            work_from: Vec::new(),
            state_size: 0,
            whole: true,
        };
        for &index in component {
            let place = game.offers.len();
            let rules = game.rules(index, &offers[index], place);
            game.offers.push(rules);
        }
        let turns = game.offers.iter().enumerate();
        for (place, rules) in turns {
            match rules.turn {
                Turn::Parts { .. } => {}
                Turn::Cheapest { .. } => game.moving.push(place),
                Turn::Different { .. } => {
                    game.moving.push(place);
                    game.different.push(place);
                }
            }
        }
        game.count_offs();
        for (at, kind) in game.kinds.iter().enumerate() {
            let count: u32 = kind.members.iter().map(|(_, count)| *count).sum();
            let room = UNITS_MAX - game.steps.len();
            game.whole &= count as usize <= room;
            game.steps
                .extend(std::iter::repeat_n(at, room.min(count as usize)));
        }
        game.count_to_come();
        game.work_from = vec![0; game.steps.len() + 1];
        let each = game.label_work();
        for (step, kind) in game.steps.iter().enumerate().rev() {
            let choices = game.kinds[*kind].places.len() as u64 + 1;
            game.work_from[step] = game.work_from[step + 1] + choices * each;
        }
        game.titles_to_come = vec![0; game.steps.len() + 1];
        if game.different.is_empty() {
            return game;
        }
        let mut titles = BTreeSet::new();
        for (step, kind) in game.steps.iter().enumerate().rev() {
            titles.insert(game.kinds[*kind].title);
            game.titles_to_come[step] = titles.len();
        }
        game
    }

    pub fn steps(&self) -> &[usize] {
        &self.steps
    }

    pub fn state_size(&self) -> usize {
        self.state_size
    }

    /// What making one label costs: its words are copied, which is quick, and what changes with
    /// every step is looked at.
    pub fn label_work(&self) -> u64 {
        let moving = self.moving.iter().map(|place| &self.offers[*place]);
        let moving: usize = moving.map(|rules| rules.end - rules.at).sum();
        (8 + self.state_size / 8 + moving / 2) as u64
    }

    /// The work of one label and all that follow from it, if one of its choices is kept in each
    /// step, from a step on.
    pub fn work_from(&self, step: usize) -> u64 {
        self.work_from[step]
    }

    /// Whether every unit takes part.
    pub fn is_whole(&self) -> bool {
        self.whole
    }

    /// Words for an offer's state; grows the state.
    fn words(&mut self, count: usize) -> usize {
        let at = self.state_size;
        self.state_size += count;
        at
    }

    fn rules(&mut self, index: usize, offer: &SetOffer, place: usize) -> Rules {
        let turn = match &*offer.shape {
            Shape::Parts { parts, whole } => self.parts(place, parts, *whole),
            Shape::Cheapest { of, units, rate } => Turn::Cheapest {
                of: i64::from(*of),
                units: i64::from(*units),
                rate: *rate,
            },
            Shape::Different { tiers } => {
                let fewest = tiers.first().map_or(1, |(titles, _)| *titles).max(1);
                let units = self.units_for(place, 0);
                let sets = units / i64::from(fewest);
                let sets = sets.min(i64::from(offer.sets_max.unwrap_or(u32::MAX)));
                let open = usize::try_from(sets).unwrap_or(0);
                let most = usize::try_from(OPEN_UNITS_MAX / units.max(1)).unwrap_or(0);
                let most = most.clamp(4, OPEN_MAX);
                self.whole &= open <= most;
                let titles: BTreeSet<i64> = self
                    .kinds
                    .iter()
                    .filter(|kind| kind.is_for(place))
                    .map(|kind| kind.title)
                    .collect();
                let all = if offer.sets_max.is_none() {
                    titles.len()
                } else {
                    0
                };
                Turn::Different {
                    tiers: tiers.clone(),
                    best: tiers
                        .iter()
                        .map(|(_, rate)| *rate)
                        .max()
                        .unwrap_or(Rate::ZERO),
                    open: open.min(most),
                    all,
                }
            }
        };
        let prices = self.first_prices(place, &turn);
        let words = match &turn {
            Turn::Parts { parts, .. } => parts.len(),
            Turn::Cheapest { .. } => 1,
            Turn::Different { open, .. } => open * OPEN_WORDS,
        };
        let at = self.words(words);
        let counted = !matches!(turn, Turn::Different { .. });
        let sets = offer.sets_max.filter(|_| counted);
        let sets = sets.map(|max| (self.words(1), i64::from(max)));
        let cap = offer.cap.filter(|_| counted);
        let cap = cap.map(|cap| (self.words(1), cap));
        Rules {
            index,
            turn,
            at,
            end: self.state_size,
            sets,
            cap,
            prices,
            over: 0,
        }
    }

    /// How many units may go into a part.
    fn units_for(&self, offer: usize, part: usize) -> i64 {
        let takes = |kind: &&Unit| kind.places.binary_search(&Place { offer, part }).is_ok();
        let kinds = self.takers[offer].iter().map(|kind| &self.kinds[*kind]);
        let counts = kinds.filter(takes).flat_map(|kind| &kind.members);
        counts.map(|(_, count)| i64::from(*count)).sum()
    }

    fn parts(&self, place: usize, parts: &[crate::best::Part], whole: Reward) -> Turn {
        let cost = match whole {
            Reward::Price(price) => price,
            Reward::Amount(off) => -off,
            Reward::Nothing | Reward::Percent(_) => 0,
        };
        let parts: Vec<(i64, Reward)> = parts
            .iter()
            .map(|part| (i64::from(part.units), part.reward))
            .collect();
        let sets = (0..parts.len()).map(|part| self.units_for(place, part) / parts[part].0);
        let sets_max = sets.min().unwrap_or(0);
        Turn::Parts {
            parts,
            whole,
            cost,
            sets_max,
        }
    }

    /// What can be done with the unit of a step, in a state that was brought to it (`begin`).
    pub fn choices(&self, step: usize, state: &[i64], choices: &mut Vec<Choice>) {
        choices.push(Choice::Skip);
        let kind = &self.kinds[self.steps[step]];
        for (number, place) in kind.places.iter().enumerate() {
            let number = number as u16;
            let rules = &self.offers[place.offer];
            let left = rules.sets.map(|(word, max)| max - state[word]);
            match &rules.turn {
                Turn::Parts {
                    parts, sets_max, ..
                } => {
                    let sets = left.unwrap_or(*sets_max).min(*sets_max);
                    if state[rules.at + place.part] < parts[place.part].0 * sets {
                        choices.push(Choice::Place(number));
                    }
                }
                Turn::Cheapest { .. } => {
                    if left.is_none_or(|left| left > 0) {
                        choices.push(Choice::Place(number));
                    }
                }
                Turn::Different { open, .. } => {
                    let sets = &state[rules.at..rules.at + open * OPEN_WORDS];
                    different_choices(kind, number, sets, choices);
                }
            }
        }
    }

    /// The state and its digest before the first step.
    pub fn start(&self) -> (Vec<i64>, Digest) {
        let state = vec![0; self.state_size];
        let parts = self.offers.iter().filter(|rules| rules.is_of_parts());
        let digest = Digest {
            open: parts.map(|rules| rules.open(None, 0, &state)).sum(),
            ..Digest::default()
        };
        (state, digest)
    }

    /// Does it, and answers what it gains at once.
    pub fn take(&self, step: usize, choice: Choice, state: &mut [i64], digest: &mut Digest) -> i64 {
        let kind = &self.kinds[self.steps[step]];
        let (number, open) = match choice {
            Choice::Skip => return 0,
            Choice::Place(number) => (usize::from(number), None),
            Choice::Join { place, open } => (usize::from(place), Some(usize::from(open))),
        };
        let rules = &self.offers[kind.places[number].offer];
        let before = rules.digest(state);
        let gain = match open {
            None => self.place(kind, kind.places[number], state),
            Some(open) => join(kind, rules, open, state),
        };
        digest.change(before, rules.digest(state));
        gain
    }

    fn place(&self, kind: &Unit, place: Place, state: &mut [i64]) -> i64 {
        let rules = &self.offers[place.offer];
        let capped = |off: i64, state: &mut [i64]| match rules.cap {
            None => off,
            Some((word, cap)) => {
                let off = off.min(cap - state[word]);
                state[word] += off;
                off
            }
        };
        match &rules.turn {
            Turn::Parts {
                parts, whole, cost, ..
            } => {
                let off = part_off(kind.value, parts[place.part].1, *whole);
                let off = match whole {
                    Reward::Price(_) => off,
                    _ => capped(off, state),
                };
                let mut gain = off - kind.alone;
                let filled = &mut state[rules.at..rules.at + parts.len()];
                filled[place.part] += 1;
                if filled
                    .iter()
                    .zip(parts)
                    .all(|(there, (units, _))| there >= units)
                {
                    filled
                        .iter_mut()
                        .zip(parts)
                        .for_each(|(there, (units, _))| *there -= units);
                    gain -= cost;
                    rules.sets.inspect(|(word, _)| state[*word] += 1);
                }
                gain
            }
            Turn::Cheapest { of, units, rate } => {
                let there = state[rules.at];
                let off = match there >= of - units {
                    true => capped(percent_of(kind.value, *rate), state),
                    false => 0,
                };
                state[rules.at] = (there + 1) % of;
                if there + 1 == *of {
                    rules.sets.inspect(|(word, _)| state[*word] += 1);
                }
                off - kind.alone
            }
            Turn::Different { .. } => 0,
        }
    }

    /// Brings a state to a step, before its choices are looked at: they name open sets by their order,
    /// which this may change. The title that was added last only matters while more units of it come.
    pub fn begin(&self, step: usize, state: &mut [i64], digest: &mut Digest) {
        let kind = &self.kinds[self.steps[step]];
        for place in &self.different {
            let rules = &self.offers[*place];
            let sets = &state[rules.at..rules.end];
            let forgets = |set: &[i64]| set[LAST] != 0 && set[LAST] != kind.title + 1;
            if !sets.chunks_exact(OPEN_WORDS).any(forgets) {
                continue;
            }
            let before = rules.digest(state);
            let sets = &mut state[rules.at..rules.end];
            for set in sets.chunks_exact_mut(OPEN_WORDS) {
                if set[LAST] != kind.title + 1 {
                    set[LAST] = 0;
                }
            }
            sort_open(sets);
            digest.change(before, rules.digest(state));
        }
    }

    /// The most that a label with this gain can come to.
    pub fn hope(&self, step: usize, gain: i64, state: &[i64], digest: &Digest) -> i64 {
        let next = self.steps.get(step).copied();
        let titles = self.titles_to_come[step];
        let moving = self.moving.iter().map(|place| &self.offers[*place]);
        let moving: i128 = moving.map(|rules| rules.open(next, titles, state)).sum();
        let fine = i128::from(gain) * FINE + digest.open + moving + self.to_come[step];
        i64::try_from(fine.div_euclid(FINE)).unwrap_or(i64::MAX)
    }

    /// What the state adds when no unit comes any more; `None` where a set is not complete.
    pub fn at_the_end(&self, state: &[i64], digest: &Digest) -> Option<i64> {
        if digest.incomplete > 0 {
            return None;
        }
        let mut more = 0;
        for place in &self.different {
            let rules = &self.offers[*place];
            let Turn::Different { tiers, .. } = &rules.turn else {
                continue;
            };
            for set in state[rules.at..rules.end].chunks_exact(OPEN_WORDS) {
                let titles = usize::try_from(set[TITLES]).unwrap_or(0);
                let rate = rate_of(tiers, titles);
                if titles > 0 && rate == Rate::ZERO {
                    return None;
                }
                more += percent_of(set[WORTH], rate);
            }
        }
        Some(more)
    }

    /// The sets that the choices make, with the caller's offers and kinds.
    pub fn sets(&self, choices: &[Choice]) -> Vec<ChosenSet> {
        let mut makers: Vec<Maker> = self.offers.iter().map(Maker::new).collect();
        let mut left: Vec<Vec<(usize, u32)>> =
            self.kinds.iter().map(|kind| kind.members.clone()).collect();
        for (step, choice) in choices.iter().enumerate() {
            let kind = &self.kinds[self.steps[step]];
            for maker in &mut makers {
                maker.forget_last(kind);
            }
            let (number, open) = match *choice {
                Choice::Skip => continue,
                Choice::Place(number) => (number, None),
                Choice::Join { place, open } => (place, Some(usize::from(open))),
            };
            let place = kind.places[usize::from(number)];
            let members = &mut left[self.steps[step]];
            while members.first().is_some_and(|(_, count)| *count == 0) {
                members.remove(0);
            }
            let Some((member, count)) = members.first_mut() else {
                continue;
            };
            *count -= 1;
            makers[place.offer].add((*member, place.part), kind, open);
        }
        makers.into_iter().flat_map(Maker::finish).collect()
    }
}

impl Digest {
    /// One offer's part of a state became another.
    fn change(&mut self, before: Digest, after: Digest) {
        self.hash = (self.hash.wrapping_add(after.hash)).wrapping_sub(before.hash);
        self.open += after.open - before.open;
        self.incomplete = self.incomplete + after.incomplete - before.incomplete;
    }
}

/// A number for a word of a state, whose sums tell states apart (the finaliser of a splitmix64).
/// Most words are 0, and so is the number of those.
fn mixed(at: usize, word: i64) -> u64 {
    if word == 0 {
        return 0;
    }
    let z = (at as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let z = z.wrapping_add(word.cast_unsigned());
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Puts a unit into an open set of different titles, and answers what it gains at once.
fn join(kind: &Unit, rules: &Rules, open: usize, state: &mut [i64]) -> i64 {
    let at = rules.at + open * OPEN_WORDS;
    state[at + TITLES] += 1;
    state[at + WORTH] += kind.value;
    state[at + LAST] = kind.title + 1;
    state[at + MASK] |= kind.bit;
    let mut gain = -kind.alone;
    if let Turn::Different { tiers, all, .. } = &rules.turn {
        if state[at + TITLES] == *all as i64 {
            gain += percent_of(state[at + WORTH], rate_of(tiers, *all));
            state[at..at + OPEN_WORDS].fill(0);
        }
        sort_open(&mut state[rules.at..rules.end]);
    }
    gain
}

impl Rules {
    fn is_of_parts(&self) -> bool {
        matches!(self.turn, Turn::Parts { .. })
    }

    /// The digest of its words alone.
    fn digest(&self, state: &[i64]) -> Digest {
        let words = (self.at..self.end).map(|at| mixed(at, state[at]));
        let sets = match &self.turn {
            Turn::Parts { parts, .. } => parts.len(),
            Turn::Cheapest { .. } => 1,
            Turn::Different { .. } => 0,
        };
        let mut filled = state[self.at..self.at + sets].iter();
        Digest {
            hash: words.fold(0, u64::wrapping_add),
            open: match self.is_of_parts() {
                true => self.open(None, 0, state),
                false => 0,
            },
            incomplete: u32::from(filled.any(|there| *there > 0)),
        }
    }

    /// What an open set may still be worth beyond what was gained for it, in `FINE` parts, where
    /// the units to come are of the kind `next` and those after it, and of so many titles.
    fn open(&self, next: Option<usize>, titles: usize, state: &[i64]) -> i128 {
        match &self.turn {
            Turn::Parts { parts, .. } => {
                let filled = &state[self.at..self.at + parts.len()];
                let prices = filled.iter().zip(&self.prices);
                let paid = prices.map(|(there, price)| i128::from(*there) * price);
                let left = self.sets.map_or(0, |(word, max)| max - state[word]);
                i128::from(left) * self.over - paid.sum::<i128>()
            }
            Turn::Cheapest { of, units, .. } => {
                let there = state[self.at];
                let price = next.map_or(0, |kind| self.prices[kind]);
                if there == 0 || price == 0 {
                    return 0;
                }
                let times = match there <= of - units {
                    true => there * units,
                    false => (of - there) * (of - units),
                };
                price * i128::from(times)
            }
            Turn::Different { tiers, open, .. } => {
                let sets = &state[self.at..self.at + open * OPEN_WORDS];
                let worth = sets.chunks_exact(OPEN_WORDS).map(|set| match set[TITLES] {
                    0 => 0,
                    there => {
                        let there = usize::try_from(there).unwrap_or(0);
                        let most = (there..=there + titles).map(|n| rate_of(tiers, n)).max();
                        share_up(set[WORTH], most.unwrap_or(Rate::ZERO))
                    }
                });
                worth.sum()
            }
        }
    }
}

/// What a unit gets off in a part; its whole value where the set has a price.
fn part_off(value: i64, reward: Reward, whole: Reward) -> i64 {
    match whole {
        Reward::Nothing => reward.off(value),
        Reward::Percent(rate) => percent_of(value, rate),
        Reward::Amount(_) => 0,
        Reward::Price(_) => value,
    }
}

fn div_up(a: i128, b: i128) -> i128 {
    -(-a).div_euclid(b)
}

/// A share in `FINE` parts, and half a minor unit more for the rounding.
fn share_up(value: i64, rate: Rate) -> i128 {
    const WHOLE: i64 = 1_000_000;
    let millionths = rate.millionths();
    // What is bought and sold needs no wide numbers, which are slow.
    if (0..1 << 26).contains(&value) && (0..=WHOLE).contains(&millionths) {
        let share = (value * millionths * FINE as i64 + WHOLE - 1) / WHOLE;
        return i128::from(share) + FINE / 2;
    }
    let share = i128::from(value) * i128::from(millionths) * FINE;
    div_up(share, i128::from(WHOLE)) + FINE / 2
}

/// The fullest first, the empty ones last; equal ones are alike.
fn sort_open(sets: &mut [i64]) {
    let mut open: Vec<[i64; OPEN_WORDS]> = sets
        .chunks_exact(OPEN_WORDS)
        .map(|set| [set[0], set[1], set[2], set[3]])
        .collect();
    open.sort_unstable_by(|a, b| b.cmp(a));
    for (set, sorted) in sets.chunks_exact_mut(OPEN_WORDS).zip(open) {
        set.copy_from_slice(&sorted);
    }
}

/// Joining each different open set that lacks the title, or opening one more.
fn different_choices(kind: &Unit, place: u16, sets: &[i64], choices: &mut Vec<Choice>) {
    let mut before: Option<&[i64]> = None;
    for (open, set) in sets.chunks_exact(OPEN_WORDS).enumerate() {
        let has_it = set[LAST] == kind.title + 1 || set[MASK] & kind.bit != 0;
        if !has_it && before != Some(set) {
            let open = open as u16;
            choices.push(Choice::Join { place, open });
        }
        before = Some(set);
    }
}

/// The kinds that an offer of the component may take, merged where these offers see no difference.
fn units_of(
    (kinds, counts, among): (&[Kind], &[u32], &[usize]),
    offers: &[SetOffer],
    component: &[usize],
) -> Vec<Unit> {
    let titles_matter = component
        .iter()
        .any(|at| matches!(*offers[*at].shape, Shape::Different { .. }));
    let first = component.first().copied().unwrap_or(0);
    let last = component.last().copied().unwrap_or(0);
    let mut units: Vec<Unit> = Vec::with_capacity(among.len());
    for &at in among.iter().filter(|at| counts[**at] > 0) {
        let kind = &kinds[at];
        let from = kind.places.partition_point(|place| place.offer < first);
        let places = kind.places[from..].iter();
        let places: Vec<Place> = places
            .take_while(|place| place.offer <= last)
            .filter_map(|place| {
                let offer = component.binary_search(&place.offer).ok()?;
                Some(Place { offer, ..*place })
            })
            .collect();
        if places.is_empty() {
            continue;
        }
        let title = if titles_matter { kind.title } else { 0 };
        units.push(Unit {
            value: kind.value,
            alone: kind.alone,
            title: i64::from(title),
            bit: 0,
            offs: Vec::new(),
            places,
            members: vec![(at, counts[at])],
        });
    }
    units.sort_by(|a, b| a.key().cmp(&b.key()));
    units.dedup_by(|later, earlier| {
        let same = later.key() == earlier.key();
        if same {
            earlier.members.append(&mut later.members);
        }
        same
    });
    if !titles_matter {
        return units;
    }
    let mut kinds_of: BTreeMap<i64, u32> = BTreeMap::new();
    for unit in &units {
        *kinds_of.entry(unit.title).or_default() += 1;
    }
    let several = kinds_of.into_iter().filter(|(_, kinds)| *kinds > 1);
    // A title beyond the bits shares the last: it is then kept apart more than it need be.
    let bits: BTreeMap<i64, i64> = several
        .zip(0..)
        .map(|((title, _), bit): ((i64, u32), u32)| (title, 1 << bit.min(62)))
        .collect();
    for unit in &mut units {
        unit.bit = bits.get(&unit.title).copied().unwrap_or(0);
    }
    units
}

/// The words of an open set of different titles, and its units.
type OpenSet = ([i64; OPEN_WORDS], Vec<(usize, usize)>);

/// Puts the sets of one offer together again from the choices.
struct Maker<'g> {
    rules: &'g Rules,
    /// Units of the open set, by part; those of a later set may be there already.
    parts: Vec<Vec<usize>>,
    /// Open sets of different titles, beside their words.
    open: Vec<OpenSet>,
    done: Vec<ChosenSet>,
}

impl<'g> Maker<'g> {
    fn new(rules: &'g Rules) -> Maker<'g> {
        let (parts, open) = match &rules.turn {
            Turn::Parts { parts, .. } => (parts.len(), 0),
            Turn::Cheapest { .. } => (1, 0),
            Turn::Different { open, .. } => (0, *open),
        };
        Maker {
            rules,
            parts: vec![Vec::new(); parts],
            open: vec![([0; OPEN_WORDS], Vec::new()); open],
            done: Vec::new(),
        }
    }

    fn forget_last(&mut self, kind: &Unit) {
        for (words, _) in &mut self.open {
            if words[LAST] != kind.title + 1 {
                words[LAST] = 0;
            }
        }
        self.open.sort_by_key(|(words, _)| Reverse(*words));
    }

    fn add(&mut self, unit: (usize, usize), kind: &Unit, open: Option<usize>) {
        match (&self.rules.turn, open) {
            (Turn::Different { all, .. }, Some(open)) => {
                let (words, units) = &mut self.open[open];
                words[TITLES] += 1;
                words[WORTH] += kind.value;
                words[LAST] = kind.title + 1;
                words[MASK] |= kind.bit;
                units.push(unit);
                if words[TITLES] == *all as i64 {
                    *words = [0; OPEN_WORDS];
                    self.done.push(ChosenSet {
                        offer: self.rules.index,
                        units: std::mem::take(units),
                    });
                }
                self.open.sort_by_key(|(words, _)| Reverse(*words));
            }
            (Turn::Parts { parts, .. }, _) => {
                let needed: Vec<usize> = parts.iter().map(|(units, _)| *units as usize).collect();
                self.add_to_part(unit, &needed);
            }
            (Turn::Cheapest { of, .. }, _) => self.add_to_part(unit, &[*of as usize]),
            (Turn::Different { .. }, None) => {}
        }
    }

    fn add_to_part(&mut self, (member, part): (usize, usize), needed: &[usize]) {
        self.parts[part].push(member);
        if self
            .parts
            .iter()
            .zip(needed)
            .any(|(there, needed)| there.len() < *needed)
        {
            return;
        }
        let mut units = Vec::new();
        for (part, needed) in needed.iter().enumerate() {
            units.extend(
                self.parts[part]
                    .drain(..needed)
                    .map(|member| (member, part)),
            );
        }
        self.done.push(ChosenSet {
            offer: self.rules.index,
            units,
        });
    }

    fn finish(self) -> Vec<ChosenSet> {
        let mut done = self.done;
        let open = self.open.into_iter().filter(|(_, units)| !units.is_empty());
        done.extend(open.map(|(_, units)| ChosenSet {
            offer: self.rules.index,
            units,
        }));
        done
    }
}
