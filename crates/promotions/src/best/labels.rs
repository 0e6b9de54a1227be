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

use super::{ChosenSet, Kind, SetOffer, dominant};
use game::{Choice, Game};

/// The most work for one basket, in words of states that are looked at: a few milliseconds.
pub(super) const WORK_MAX: u64 = 400_000;
/// The most work for one offer alone.
const ALONE_WORK_MAX: u64 = 40_000;
/// The most offers that are looked at alone after the first was taken.
const GREEDY_TRIES_MAX: usize = 200;
/// Labels kept in each step of the first search, which finds what the second must beat.
const NARROW: usize = 12;
/// Labels kept in each step of the second search, as far as the budget goes.
const WIDE: usize = 4_096;
/// The sets that gain the most, and whether that is sure. Spends from the budget.
pub(super) fn solve(
    kinds: &[Kind],
    offers: &[SetOffer],
    component: &[usize],
    budget: &mut u64,
) -> (Vec<ChosenSet>, bool) {
    let counts: Vec<u32> = kinds.iter().map(|kind| kind.count).collect();
    let game = Game::new(kinds, &counts, offers, component);
    let first = search(&game, NARROW, budget, 0);
    if !first.cut {
        return (game.sets(&first.choices), game.is_whole());
    }
    let greedy = greedy(kinds, offers, component);
    let known = first.gain.max(greedy.0);
    let second = search(&game, WIDE, budget, known);
    let sets = if second.gain > known {
        game.sets(&second.choices)
    } else if greedy.0 > first.gain {
        greedy.1
    } else {
        game.sets(&first.choices)
    };
    (sets, !second.cut && game.is_whole())
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
    let mut taken: (i64, Vec<ChosenSet>) = (0, Vec::new());
    let mut tries = 0;
    while let Some((Reverse(hope), offer)) = hopes.pop_first() {
        if hope <= 0 || tries >= GREEDY_TRIES_MAX {
            break;
        }
        tries += usize::from(!taken.1.is_empty());
        let game = Game::new(kinds, &left, offers, &[offer]);
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
