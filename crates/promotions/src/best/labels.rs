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
//! The budget is a count of labels made. A step that has too many keeps those with the best hope,
//! and the answer, no worse than taking the offers one after the other, is not proven.

mod game;

use super::{ChosenSet, Kind, SetOffer};
use game::{Choice, Game};

/// The most labels that are made for one basket in the exact search.
pub(super) const STEPS_MAX: u64 = 30_000;
/// Labels kept in each step of the first search, which most baskets do not reach.
const NARROW: usize = 96;
/// Labels kept in each step of the second search.
const WIDE: usize = 2_048;

/// The sets that gain the most, and whether that is sure. Spends from the budget.
pub(super) fn solve(
    kinds: &[Kind],
    offers: &[SetOffer],
    component: &[usize],
    budget: &mut u64,
) -> (Vec<ChosenSet>, bool) {
    let counts: Vec<u32> = kinds.iter().map(|kind| kind.count).collect();
    let game = Game::new(kinds, &counts, offers, component);
    let first = search(&game, NARROW, 0);
    *budget = budget.saturating_sub(first.steps);
    if !first.cut {
        return (game.sets(&first.choices), game.is_whole());
    }
    let mut best = (first.gain, game.sets(&first.choices));
    let greedy = one_after_the_other(kinds, offers, component);
    if greedy.0 > best.0 {
        best = greedy;
    }
    // What is left of the budget, spread over the steps.
    let per_step = *budget / (game.steps().len() as u64 * 2).max(1);
    let width = usize::try_from(per_step).unwrap_or(WIDE).min(WIDE);
    if width <= NARROW {
        return (best.1, false);
    }
    let second = search(&game, width, best.0);
    *budget = budget.saturating_sub(second.steps);
    if second.gain > best.0 {
        best = (second.gain, game.sets(&second.choices));
    }
    (best.1, !second.cut && game.is_whole())
}

/// Takes the offers one after the other, each as well as it can be, those that gain most alone
/// first. At least as good as every offer alone.
fn one_after_the_other(
    kinds: &[Kind],
    offers: &[SetOffer],
    component: &[usize],
) -> (i64, Vec<ChosenSet>) {
    let mut left: Vec<u32> = kinds.iter().map(|kind| kind.count).collect();
    let alone = |left: &[u32], offer: usize| {
        let game = Game::new(kinds, left, offers, &[offer]);
        let found = search(&game, NARROW, 0);
        (found.gain, game.sets(&found.choices))
    };
    let mut order: Vec<(i64, usize)> = component
        .iter()
        .map(|&offer| (alone(&left, offer).0, offer))
        .filter(|(gain, _)| *gain > 0)
        .collect();
    order.sort_by_key(|&(gain, offer)| (-gain, offer));
    let mut taken = (0, Vec::new());
    for (_, offer) in order {
        let (gain, sets) = alone(&left, offer);
        for (kind, _) in sets.iter().flat_map(|set: &ChosenSet| &set.units) {
            left[*kind] -= 1;
        }
        taken.0 += gain;
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
    steps: u64,
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
    parent: u32,
    choice: Choice,
    /// Where its state is in `states`, in states.
    at: u32,
}

/// Finds the choices that gain more than `known`, keeping at most `width` labels a step.
fn search(game: &Game, width: usize, known: i64) -> Found {
    let size = game.state_size();
    let mut found = Found {
        gain: known,
        choices: Vec::new(),
        cut: false,
        steps: 0,
    };
    let mut history: Vec<Vec<(u32, Choice)>> = Vec::with_capacity(game.steps().len());
    let (mut states, mut gains) = (vec![0; size], vec![0_i64]);
    let mut next = Labels::default();
    for step in 0..game.steps().len() {
        make_labels(game, step, (&states, &gains), known, &mut next);
        found.steps += next.made.len() as u64;
        found.cut |= keep_best(&mut next, size, width);
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
                parent: parent as u32,
                choice,
                at: next.made.len() as u32,
            });
            next.states.extend_from_slice(&state);
        }
    }
}

/// Keeps the best label of each state, and no more than `width`, those with the best hope. Answers
/// whether any had to go.
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
    made.truncate(width);
    cut
}

/// FNV-1a over whole words: the same on every machine.
fn hash(state: &[i64]) -> u64 {
    state.iter().fold(0xcbf2_9ce4_8422_2325, |hash, word| {
        (hash ^ word.cast_unsigned()).wrapping_mul(0x0000_0100_0000_01b3)
    })
}
