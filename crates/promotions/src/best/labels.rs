//! The best sets where bundles, cheapest-free and sets of different titles compete.
//!
//! Units are handed out one after the other, the dearest first. A label is what has been handed out
//! so far, as far as it matters for what comes: how full the open set of each offer is. Of two
//! labels that are the same in this, only the one that gained more goes on, so the number of labels
//! is that of different fillings, not of ways to reach them. The labels of one step are all made
//! before those of the next (dynamic programming); what is best at the end is best of all.
//!
//! A label that cannot become better than what is known already is dropped: what the units still to
//! come can add is bounded by prices on units and on places in a set (LP duality): a unit adds at
//! most its largest gain over the price of a place, and the places of a set together cost no more
//! than the set. The bound is in exact fractions of a minor unit.
//!
//! Units of a cheapest-free set can be taken in the order of their price: among the units that are
//! in such sets, dividing them from the dearest down is never worse (an exchange of two units
//! between two sets shows it).
//!
//! The budget is a count of words of labels. A step that has too many keeps those with the best hope,
//! and the answer, is not proven.

mod game;

use std::cmp::Reverse;
use std::collections::BTreeSet;

use super::{ChosenSet, Kind, Place, SetOffer, components, dominant};
use game::{Choice, FINE, Game};

/// The most work for one basket, in words of states that are looked at: a few milliseconds.
pub(super) const WORK_MAX: u64 = 400_000;
/// The most work for a basket whose components together are larger than `HOPELESS`.
pub(super) const HOPELESS_WORK_MAX: u64 = 50_000;
/// The most work for one offer alone.
const ALONE_WORK_MAX: u64 = 40_000;
/// The most offers that are looked at alone after the first was taken.
const GREEDY_TRIES_MAX: usize = 200;
/// Labels kept in each step of the first search, which finds what the second must beat.
const NARROW: usize = 12;
/// Labels kept in each step of a search for one offer.
const WIDE: usize = 4_096;
/// Labels kept in each step of the searches after the first, as far as the budget goes: what one
/// finds lets the next leave more out.
const WIDTHS: [usize; 4] = [64, 512, 4_096, 16_384];
/// Games that take no more work than this for one label have a budget of their own: they can be
/// brought to their end.
const SMALL: u64 = 30_000;
const SMALL_WORK_MAX: u64 = 3_000_000;
/// Problems larger than this are searched narrowly only: no end of a wide search is in sight.
const MIDDLING: u64 = 40_000;
/// Where a problem is larger than this, the customer has what one offer after the other gives, those
/// that gain most first.
pub(super) const HOPELESS: u64 = 120_000;
/// How often places that cannot lead to something better are looked for.
const ROUNDS_MAX: u32 = 3;

/// The sets that gain the most, and whether that is sure. `whole` is the size of all components of
/// the basket together. Spends from the budget.
pub(super) fn solve(
    kinds: &[Kind],
    offers: &[SetOffer],
    component: &[usize],
    whole: u64,
    budget: &mut u64,
) -> (Vec<ChosenSet>, bool) {
    let counts: Vec<u32> = kinds.iter().map(|kind| kind.count).collect();
    if size(kinds, component) > HOPELESS {
        return (greedy(kinds, offers, component).1, false);
    }
    let every: Vec<usize> = (0..kinds.len()).collect();
    let mut game = Game::new(kinds, &counts, offers, (component, &every));
    let first = search(&game, NARROW, budget, 0);
    if !first.cut {
        return (game.sets(&first.choices), game.is_whole());
    }
    let greedy = greedy(kinds, offers, component);
    let mut known = first.gain.max(greedy.0);
    let mut sets = match greedy.0 > first.gain {
        true => greedy.1,
        false => game.sets(&first.choices),
    };
    if whole > HOPELESS {
        return (sets, false);
    }
    // With good prices the same narrow search goes a better way.
    *budget = budget.saturating_sub(game.improve(i128::from(known) * FINE));
    let second = search(&game, NARROW, budget, known);
    if second.gain > known {
        known = second.gain;
        sets = game.sets(&second.choices);
    }
    if !second.cut || whole > MIDDLING {
        return (sets, !second.cut && game.is_whole());
    }
    let mut left = kinds.to_vec();
    for kind in &mut left {
        let of_game = |place: &Place| component.binary_search(&place.offer).is_ok();
        kind.places.retain(of_game);
    }
    let mut small = SMALL_WORK_MAX;
    for width in WIDTHS {
        game.leave_out(i128::from(known) * FINE, &mut left);
        let (found, sure) = better(
            left.clone(),
            offers,
            (known, width),
            [&mut *budget, &mut small],
        );
        if let Some((gain, better)) = found {
            known = gain;
            sets = better;
        }
        if sure {
            return (sets, game.is_whole());
        }
    }
    (sets, false)
}

/// How large the problem is: choices of all units, times offers.
pub(super) fn size(kinds: &[Kind], component: &[usize]) -> u64 {
    let of_component = |place: &&Place| component.binary_search(&place.offer).is_ok();
    let choices = kinds
        .iter()
        .map(|kind| u64::from(kind.count) * kind.places.iter().filter(of_component).count() as u64);
    choices.sum::<u64>() * component.len() as u64
}

/// The games that are left once every place is left out that cannot lead to a gain over `wanted`;
/// `None` where nothing can.
fn narrowed(
    mut kinds: Vec<Kind>,
    offers: &[SetOffer],
    wanted: i128,
    budget: &mut u64,
) -> Option<Vec<Game>> {
    let counts: Vec<u32> = kinds.iter().map(|kind| kind.count).collect();
    let mut rounds = 0;
    loop {
        rounds += 1;
        let worth = dominant::worth_trying(&kinds, offers);
        for kind in &mut kinds {
            kind.places.retain(|place| worth[place.offer]);
        }
        let parts = components(&kinds, offers.len());
        let every: Vec<usize> = (0..kinds.len()).collect();
        let game = |part: &Vec<usize>| Game::new(&kinds, &counts, offers, (part, &every));
        let mut games: Vec<Game> = parts.iter().map(game).collect();
        for at in 0..games.len() {
            let known = wanted - bound_but(&games, at);
            *budget = budget.saturating_sub(games[at].improve(known));
        }
        if games.iter().map(Game::bound).sum::<i128>() < wanted + FINE {
            return None;
        }
        let mut fewer = false;
        for at in 0..games.len() {
            let known = wanted - bound_but(&games, at);
            fewer |= games[at].leave_out(known, &mut kinds);
        }
        if !fewer || rounds == ROUNDS_MAX {
            return Some(games);
        }
    }
}

/// Sets that gain more than `known` and what they gain, and whether it is sure that there are none
/// better than those, or than `known` where there are none.
fn better(
    kinds: Vec<Kind>,
    offers: &[SetOffer],
    (known, width): (i64, usize),
    [budget, small]: [&mut u64; 2],
) -> (Option<(i64, Vec<ChosenSet>)>, bool) {
    let wanted = i128::from(known) * FINE;
    let Some(mut games) = narrowed(kinds, offers, wanted, budget) else {
        return (None, true);
    };
    // The smallest first: what it turns out to gain tells more about what the others must.
    games.sort_by_key(|game| game.work_from(0));
    let (mut sets, mut gained, mut sure) = (Vec::new(), 0, true);
    let mut bounds: Vec<i128> = games.iter().map(Game::bound).collect();
    for (at, game) in games.iter().enumerate() {
        let others: i128 = bounds.iter().sum::<i128>() - bounds[at];
        let known = (wanted - others).div_euclid(FINE);
        let known = i64::try_from(known).unwrap_or(i64::MIN);
        let found = match game.work_from(0) <= SMALL {
            true => search(game, width, &mut *small, known),
            false => search(game, width, budget, known),
        };
        if found.choices.is_empty() {
            return (None, !found.cut && games.iter().all(Game::is_whole));
        }
        if !found.cut {
            bounds[at] = i128::from(found.gain) * FINE;
        }
        sure &= !found.cut && game.is_whole();
        gained += found.gain;
        sets.extend(game.sets(&found.choices));
    }
    let sums: i128 = bounds.iter().sum();
    let sure = sure || sums < i128::from(gained + 1) * FINE && games.iter().all(Game::is_whole);
    ((gained > known).then_some((gained, sets)), sure)
}

/// What all games but one gain at most.
fn bound_but(games: &[Game], at: usize) -> i128 {
    let others = games.iter().enumerate().filter(|(other, _)| *other != at);
    others.map(|(_, game)| game.bound()).sum()
}

/// Takes the offer that gains most on the units that are left, as long as one gains: so at least
/// what every offer gains alone. An offer never gains more for fewer units being left, so what it
/// gained before, or can gain at most, says when it need not be looked at.
pub(super) fn greedy(
    kinds: &[Kind],
    offers: &[SetOffer],
    component: &[usize],
) -> (i64, Vec<ChosenSet>) {
    let mut left: Vec<u32> = kinds.iter().map(|kind| kind.count).collect();
    let most = dominant::gains_at_most(kinds, offers);
    let mut hopes: BTreeSet<(Reverse<i64>, usize)> = component
        .iter()
        .map(|&offer| (Reverse(most[offer]), offer))
        .collect();
    let mut takers: Vec<Vec<usize>> = vec![Vec::new(); offers.len()];
    for (at, kind) in kinds.iter().enumerate() {
        for place in &kind.places {
            if takers[place.offer].last() != Some(&at) {
                takers[place.offer].push(at);
            }
        }
    }
    let mut taken: (i64, Vec<ChosenSet>) = (0, Vec::new());
    let mut tries = 0;
    while let Some((Reverse(hope), offer)) = hopes.pop_first() {
        if hope <= 0 || tries >= GREEDY_TRIES_MAX {
            break;
        }
        tries += usize::from(!taken.1.is_empty());
        let game = Game::new(kinds, &left, offers, (&[offer], &takers[offer]));
        let mut budget = ALONE_WORK_MAX;
        let found = search(&game, WIDE, &mut budget, 0);
        let next = hopes.first().map_or(0, |(Reverse(hope), _)| *hope);
        if found.gain < next {
            hopes.insert((Reverse(found.gain), offer));
            continue;
        }
        let sets = game.sets(&found.choices);
        for (kind, _) in sets.iter().flat_map(|set: &ChosenSet| &set.units) {
            left[*kind] -= 1;
        }
        taken.0 += found.gain;
        taken.1.extend(sets);
    }
    taken
}

struct Found {
    /// What the choices gain; that of `known` where nothing better was found.
    gain: i64,
    /// One for each step; empty where nothing better was found.
    choices: Vec<Choice>,
    /// Whether labels were dropped that might have become better.
    cut: bool,
}

/// The labels of one step, as they are made.
#[derive(Default)]
struct Labels {
    /// Their states one after the other.
    states: Vec<i64>,
    made: Vec<Made>,
}

#[derive(Clone, Copy)]
struct Made {
    hash: u64,
    gain: i64,
    hope: i64,
    /// What it comes to when every unit to come is skipped; `None` where a set is not complete.
    if_ended: Option<i64>,
    parent: u32,
    choice: Choice,
    /// Where its state is in `states`, in states.
    at: u32,
}

/// Finds the choices that gain more than `known`, keeping at most `width` labels a step, and no
/// more than the budget allows for the steps to come.
fn search(game: &Game, width: usize, budget: &mut u64, known: i64) -> Found {
    let size = game.state_size();
    let mut found = Found {
        gain: known,
        choices: Vec::new(),
        cut: false,
    };
    let mut history: Vec<Vec<(u32, Choice)>> = Vec::with_capacity(game.steps().len());
    let (mut states, mut gains) = (vec![0; size], vec![0_i64]);
    let mut next = Labels::default();
    for step in 0..game.steps().len() {
        make_labels(game, step, (&states, &gains), known, &mut next);
        *budget = budget.saturating_sub(next.made.len() as u64 * game.label_work());
        let affordable = *budget / game.work_from(step + 1).max(1);
        let affordable = usize::try_from(affordable).unwrap_or(width);
        found.cut |= keep_best(&mut next, size, width.min(affordable).max(1));
        states.clear();
        gains.clear();
        for label in &next.made {
            let from = label.at as usize * size;
            states.extend_from_slice(&next.states[from..from + size]);
            gains.push(label.gain);
        }
        history.push(next.made.iter().map(|l| (l.parent, l.choice)).collect());
    }
    let mut last = None;
    for (at, gain) in gains.iter().enumerate() {
        let state = &states[at * size..(at + 1) * size];
        if let Some(more) = game.at_the_end(state)
            && gain + more > found.gain
        {
            found.gain = gain + more;
            last = Some(at);
        }
    }
    if let Some(mut at) = last {
        for step in history.iter().rev() {
            let (parent, choice) = step[at];
            found.choices.push(choice);
            at = parent as usize;
        }
        found.choices.reverse();
    }
    found
}

/// Makes every label that follows from the given ones and can still become better than `known`.
fn make_labels(
    game: &Game,
    step: usize,
    (states, gains): (&[i64], &[i64]),
    known: i64,
    next: &mut Labels,
) {
    let size = game.state_size();
    next.states.clear();
    next.made.clear();
    let mut state = vec![0; size];
    let mut choices = Vec::new();
    for (parent, gain) in gains.iter().enumerate() {
        let before = &states[parent * size..(parent + 1) * size];
        choices.clear();
        game.choices(step, before, &mut choices);
        for &choice in &choices {
            state.copy_from_slice(before);
            let gain = gain + game.take(step, choice, &mut state);
            let hope = game.hope(step + 1, gain, &state);
            if hope <= known {
                continue;
            }
            next.made.push(Made {
                hash: hash(&state),
                gain,
                hope,
                if_ended: game.at_the_end(&state).map(|more| gain + more),
                parent: parent as u32,
                choice,
                at: next.made.len() as u32,
            });
            next.states.extend_from_slice(&state);
        }
    }
}

/// Keeps the best label of each state, and no more than `width`: those with the best hope, and the
/// one that comes to most if it ended here, so that there is always an answer. Answers whether any
/// had to go.
fn keep_best(labels: &mut Labels, size: usize, width: usize) -> bool {
    let Labels { states, made } = labels;
    let state = |label: &Made| &states[label.at as usize * size..(label.at as usize + 1) * size];
    // By hash first, which is quick; equal hashes are told apart by the states themselves.
    made.sort_unstable_by(|a, b| {
        (a.hash.cmp(&b.hash))
            .then_with(|| state(a).cmp(state(b)))
            .then_with(|| b.gain.cmp(&a.gain))
            .then_with(|| a.at.cmp(&b.at))
    });
    made.dedup_by(|later, earlier| later.hash == earlier.hash && state(later) == state(earlier));
    let cut = made.len() > width;
    made.sort_unstable_by_key(|label| (-label.hope, label.at));
    if cut {
        let safest = made
            .iter()
            .enumerate()
            .max_by_key(|(at, label)| (label.if_ended.unwrap_or(i64::MIN), std::cmp::Reverse(*at)));
        let safest = safest.map(|(at, label)| (at, *label));
        made.truncate(width);
        if let (Some((at, label)), Some(last)) = (safest, made.last_mut())
            && at >= width
        {
            *last = label;
        }
    }
    cut
}

/// FNV-1a over whole words: the same on every machine.
fn hash(state: &[i64]) -> u64 {
    state.iter().fold(0xcbf2_9ce4_8422_2325, |hash, word| {
        (hash ^ word.cast_unsigned()).wrapping_mul(0x0000_0100_0000_01b3)
    })
}
