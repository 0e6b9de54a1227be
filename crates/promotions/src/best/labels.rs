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
//! Where many offers compete, whole sets are listed and chosen instead (`game::packing`), and only what
//! that leaves undecided is gone through unit by unit.
//!
//! The budget is a count of steps. A step that has too many labels keeps those with the best hope, and
//! the answer is then not proven.

mod game;

use std::cmp::Reverse;
use std::collections::BTreeSet;

use super::dominant::Worth;
use super::{ChosenSet, Kind, Place, SetOffer, Work, components};
use game::{Choice, Digest, FINE, Game};

/// Games in which one label costs more work than this are not looked at unit by unit before the
/// bound is known.
const QUICK: u64 = 3_000;
/// The most work for one offer alone.
const ALONE_WORK_MAX: u64 = 40_000;
/// What a search for one offer costs before it begins.
const GAME_WORK: u64 = 100;
/// The most offers that are looked at alone after the first was taken.
const GREEDY_TRIES_MAX: usize = 200;
/// Labels kept in each step of the first search, which finds what the second must beat.
const NARROW: usize = 12;
/// Labels kept in each step of a search for one offer.
const WIDE: usize = 4_096;
/// Labels kept in each step of the searches after the first, as far as the budget goes: what one
/// finds lets the next leave more out.
const WIDTHS: [usize; 4] = [64, 512, 4_096, 16_384];
/// Games in which one label costs more work than this are not looked at unit by unit at all.
const MIDDLING: u64 = 40_000;
/// The most work of finding the prices of the bound: at first, and where sets alone did not decide.
const FIRST_PRICES_WORK_MAX: u64 = 15_000;
const PRICES_WORK_MAX: u64 = 60_000;
/// What a place costs when games are made anew.
const PLACE_WORK: u64 = 4;
/// How often places that cannot lead to something better are looked for.
const ROUNDS_MAX: u32 = 3;

/// The sets that gain the most, and whether that is sure. Spends from `work`, and from
/// `simple` what one offer after the other takes.
pub(super) fn solve(
    (kinds, worth): (&[Kind], &Worth),
    offers: &[SetOffer],
    component: &[usize],
    [work, simple]: [&mut Work; 2],
) -> (Vec<ChosenSet>, bool) {
    if work.left() == 0 {
        return (greedy((kinds, worth), offers, component, simple).1, false);
    }
    let counts: Vec<u32> = kinds.iter().map(|kind| kind.count).collect();
    let every: Vec<usize>;
    let among = match component {
        [only] => &worth.takers[*only],
        _ => {
            every = (0..kinds.len()).collect();
            &every
        }
    };
    let mut game = Game::new(kinds, &counts, offers, (component, among));
    let (mut known, mut sets) = (0, Vec::new());
    if game.work_from(0) <= QUICK {
        let first = search(&game, NARROW, work, 0);
        (known, sets) = (first.gain, game.sets(&first.choices));
        if !first.cut {
            return (sets, game.is_whole());
        }
    }
    let greedy = greedy((kinds, worth), offers, component, simple);
    if greedy.0 > known {
        (known, sets) = greedy;
    }
    // With good prices the same narrow search goes a better way.
    work.spend(game.improve(i128::from(known) * FINE, FIRST_PRICES_WORK_MAX));
    let packed = game.pack(offers, known, work);
    if let Some((gain, better)) = packed.better {
        (known, sets) = (gain, better);
    }
    if packed.proven || packed.hopeless {
        return (sets, packed.proven);
    }
    if game.work_from(0) <= MIDDLING {
        let second = search(&game, NARROW, work, known);
        if second.gain > known {
            known = second.gain;
            sets = game.sets(&second.choices);
        }
        if !second.cut {
            return (sets, game.is_whole());
        }
    }
    let mut left = kinds.to_vec();
    for kind in &mut left {
        let of_game = |place: &Place| component.binary_search(&place.offer).is_ok();
        kind.places.retain(of_game);
    }
    for width in WIDTHS {
        game.leave_out(i128::from(known) * FINE, &mut left);
        let (found, sure) = better(left.clone(), offers, (known, width), work);
        if let Some((gain, better)) = found {
            known = gain;
            sets = better;
        }
        if sure || work.left() == 0 {
            return (sets, sure && game.is_whole());
        }
    }
    (sets, false)
}

/// The games that are left once every place is left out that cannot lead to a gain over `wanted`;
/// `None` where nothing can.
fn narrowed(
    mut kinds: Vec<Kind>,
    offers: &[SetOffer],
    wanted: i128,
    work: &mut Work,
) -> Option<Vec<Game>> {
    let counts: Vec<u32> = kinds.iter().map(|kind| kind.count).collect();
    let mut rounds = 0;
    loop {
        rounds += 1;
        let worth = Worth::of(&kinds, offers);
        for kind in &mut kinds {
            kind.places.retain(|place| worth.trying[place.offer]);
        }
        let parts = components(&kinds, offers.len());
        let every: Vec<usize> = (0..kinds.len()).collect();
        let game = |part: &Vec<usize>| Game::new(&kinds, &counts, offers, (part, &every));
        let mut games: Vec<Game> = parts.iter().map(game).collect();
        work.spend(
            kinds
                .iter()
                .map(|kind| PLACE_WORK * kind.places.len() as u64)
                .sum(),
        );
        for at in 0..games.len() {
            let known = wanted - bound_but(&games, at);
            work.spend(games[at].improve(known, PRICES_WORK_MAX));
        }
        if games.iter().map(Game::bound).sum::<i128>() < wanted + FINE {
            return None;
        }
        let mut fewer = false;
        for at in 0..games.len() {
            let known = wanted - bound_but(&games, at);
            fewer |= games[at].leave_out(known, &mut kinds);
        }
        if !fewer || rounds == ROUNDS_MAX || work.left() == 0 {
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
    work: &mut Work,
) -> (Option<(i64, Vec<ChosenSet>)>, bool) {
    let places: usize = kinds.iter().map(|kind| kind.places.len()).sum();
    if PLACE_WORK * places as u64 > work.left() {
        return (None, false);
    }
    let wanted = i128::from(known) * FINE;
    let Some(mut games) = narrowed(kinds, offers, wanted, work) else {
        return (None, true);
    };
    // The smallest first: what it turns out to gain tells more about what the others must.
    games.sort_by_key(|game| game.work_from(0));
    if games.iter().map(|game| game.work_from(0)).sum::<u64>() > work.left() {
        return (None, false);
    }
    let (mut sets, mut gained, mut sure) = (Vec::new(), 0, true);
    let mut bounds: Vec<i128> = games.iter().map(Game::bound).collect();
    for (at, game) in games.iter().enumerate() {
        let others: i128 = bounds.iter().sum::<i128>() - bounds[at];
        let known = (wanted - others).div_euclid(FINE);
        let known = i64::try_from(known).unwrap_or(i64::MIN);
        let found = search(game, width, work, known);
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
    (kinds, worth): (&[Kind], &Worth),
    offers: &[SetOffer],
    component: &[usize],
    work: &mut Work,
) -> (i64, Vec<ChosenSet>) {
    let mut left: Vec<u32> = kinds.iter().map(|kind| kind.count).collect();
    let mut hopes: BTreeSet<(Reverse<i64>, usize)> = component
        .iter()
        .map(|&offer| (Reverse(worth.most[offer]), offer))
        .collect();
    let mut taken: (i64, Vec<ChosenSet>) = (0, Vec::new());
    let mut tries = 0;
    while let Some((Reverse(hope), offer)) = hopes.pop_first() {
        if hope <= 0 || tries >= GREEDY_TRIES_MAX || work.left() == 0 {
            break;
        }
        tries += usize::from(!taken.1.is_empty());
        let game = Game::new(kinds, &left, offers, (&[offer], &worth.takers[offer]));
        let mut own = work.at_most(ALONE_WORK_MAX);
        let found = search(&game, WIDE, &mut own, 0);
        work.spend(own.spent() + GAME_WORK);
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
    /// Hashes and places in `made`, to find those that are the same.
    order: Vec<(u64, u32)>,
    /// Those that go on, the best hope first: that, less than nothing, and the place in `made`.
    kept: Vec<(i64, u32)>,
    /// A state before a choice and after it, and the choices there are, kept to be used again.
    before: Vec<i64>,
    after: Vec<i64>,
    choices: Vec<Choice>,
}

#[derive(Clone, Copy)]
struct Made {
    digest: Digest,
    gain: i64,
    hope: i64,
    /// What it comes to when every unit to come is skipped; `None` where a set is not complete.
    if_ended: Option<i64>,
    parent: u32,
    choice: Choice,
}

/// Finds the choices that gain more than `known`, keeping at most `width` labels a step, and no
/// more than the budget allows for the steps to come.
fn search(game: &Game, width: usize, work: &mut Work, known: i64) -> Found {
    let size = game.state_size();
    let mut found = Found {
        gain: known,
        choices: Vec::new(),
        cut: false,
    };
    // The labels of all steps, and where those of each begin.
    let mut history: Vec<(u32, Choice)> = Vec::new();
    let mut begins: Vec<usize> = Vec::with_capacity(game.steps().len());
    let (mut states, start) = game.start();
    let mut heads = vec![(0_i64, start)];
    let mut next = Labels::default();
    for step in 0..game.steps().len() {
        make_labels(game, step, (&states, &heads), known, &mut next);
        work.spend(next.made.len() as u64 * game.label_work());
        let affordable = work.left() / game.work_from(step + 1).max(1);
        let affordable = usize::try_from(affordable).unwrap_or(width);
        found.cut |= keep_best(&mut next, size, width.min(affordable).max(1));
        states.clear();
        heads.clear();
        begins.push(history.len());
        for (_, at) in &next.kept {
            let (label, from) = (&next.made[*at as usize], *at as usize * size);
            states.extend_from_slice(&next.states[from..from + size]);
            heads.push((label.gain, label.digest));
            history.push((label.parent, label.choice));
        }
    }
    let mut last = None;
    for (at, (gain, digest)) in heads.iter().enumerate() {
        let state = &states[at * size..(at + 1) * size];
        if let Some(more) = game.at_the_end(state, digest)
            && gain + more > found.gain
        {
            found.gain = gain + more;
            last = Some(at);
        }
    }
    if let Some(mut at) = last {
        for begin in begins.iter().rev() {
            let (parent, choice) = history[begin + at];
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
    (states, heads): (&[i64], &[(i64, Digest)]),
    known: i64,
    next: &mut Labels,
) {
    let size = game.state_size();
    let Labels {
        states: next_states,
        made,
        before,
        after: state,
        choices,
        ..
    } = next;
    next_states.clear();
    made.clear();
    before.resize(size, 0);
    state.resize(size, 0);
    for (parent, (gain, before_it)) in heads.iter().enumerate() {
        before.copy_from_slice(&states[parent * size..(parent + 1) * size]);
        let mut begun = *before_it;
        game.begin(step, before, &mut begun);
        choices.clear();
        game.choices(step, before, choices);
        for &choice in choices.iter() {
            state.copy_from_slice(before);
            let mut digest = begun;
            let gain = gain + game.take(step, choice, state, &mut digest);
            let hope = game.hope(step + 1, gain, state, &digest);
            if hope <= known {
                continue;
            }
            made.push(Made {
                digest,
                gain,
                hope,
                if_ended: (game.at_the_end(state, &digest)).map(|more| gain + more),
                parent: parent as u32,
                choice,
            });
            next_states.extend_from_slice(state);
        }
    }
}

/// Keeps the best label of each state, and no more than `width`: those with the best hope, and the
/// one that comes to most if it ended here, so that there is always an answer. Answers whether any
/// had to go.
fn keep_best(labels: &mut Labels, size: usize, width: usize) -> bool {
    let Labels {
        states,
        made,
        order,
        kept,
        ..
    } = labels;
    let state = |at: u32| &states[at as usize * size..(at as usize + 1) * size];
    // By hash first, which is quick; equal hashes are told apart by the states themselves. Only
    // hashes and places are moved about: labels are large.
    order.clear();
    order.extend((made.iter().zip(0..)).map(|(label, at)| (label.digest.hash, at)));
    order.sort_unstable_by(|(a, at), (b, bt)| {
        (a.cmp(b))
            .then_with(|| state(*at).cmp(state(*bt)))
            .then_with(|| made[*bt as usize].gain.cmp(&made[*at as usize].gain))
            .then_with(|| at.cmp(bt))
    });
    order.dedup_by(|later, earlier| later.0 == earlier.0 && state(later.1) == state(earlier.1));
    let cut = order.len() > width;
    kept.clear();
    kept.extend(order.iter().map(|(_, at)| (-made[*at as usize].hope, *at)));
    kept.sort_unstable();
    if cut {
        let if_ended = |at: u32| made[at as usize].if_ended.unwrap_or(i64::MIN);
        let safest = (kept.iter().enumerate())
            .max_by_key(|(place, (_, at))| (if_ended(*at), std::cmp::Reverse(*place)));
        let safest = safest.map(|(place, label)| (place, *label));
        kept.truncate(width);
        if let (Some((place, label)), Some(last)) = (safest, kept.last_mut())
            && place >= width
        {
            *last = label;
        }
    }
    cut
}
