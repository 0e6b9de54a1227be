//! Promotions off a total: the basket's, or of what of it is selected.

use std::collections::BTreeMap;

use crate::best::Reward;
use crate::book::{CompiledBook, What};
use crate::conditions::short;
use crate::pool::Entrant;
use crate::spread::{Share, spread};
use crate::state::{Cell, State};
use crate::{Of, TaxBasis, Within};

/// Gives the entrants' totals. Each group chooses within as it says; the groups follow each other.
pub(crate) fn run(book: &CompiledBook, state: &mut State<'_>, entrants: &[Entrant<'_>]) {
    let mut layers: BTreeMap<(usize, Option<usize>), Vec<Entrant<'_>>> = BTreeMap::new();
    for entrant in entrants {
        let key = (entrant.compiled.layer, entrant.compiled.competing);
        layers.entry(key).or_default().push(*entrant);
    }
    let mut competing: Vec<(Within, Vec<Entrant<'_>>)> = Vec::new();
    for ((layer, group), mut members) in layers {
        members.sort_by_key(|entrant| (-entrant.compiled.priority, entrant.promotion));
        let within = match (layer, group) {
            // Without a group, totals follow each other.
            (0, None) => Within::Chain,
            (0, Some(group)) => book.competing[group],
            (layer, _) => book.layers[layer - 1],
        };
        match group {
            Some(_) => competing.push((within, members)),
            None => group_of(state, within, &members),
        }
    }
    let mut best: Option<State<'_>> = None;
    for (within, members) in &competing {
        let mut tried = state.clone();
        group_of(&mut tried, *within, members);
        if best
            .as_ref()
            .is_none_or(|best| tried.total_off() > best.total_off())
        {
            best = Some(tried);
        }
    }
    if let Some(best) = best {
        *state = best;
    }
}

fn group_of(state: &mut State<'_>, within: Within, members: &[Entrant<'_>]) {
    match within {
        Within::Chain => {
            for entrant in members {
                let off = total_off(state, entrant, None);
                give(state, entrant, off);
            }
        }
        Within::Add => {
            let before = state.clone();
            for entrant in members {
                let off = total_off(state, entrant, Some(&before));
                give(state, entrant, off);
            }
        }
        Within::First => {
            let first = members
                .iter()
                .find(|entrant| total_off(state, entrant, None) > 0);
            if let Some(entrant) = first {
                let off = total_off(state, entrant, None);
                give(state, entrant, off);
            }
        }
        Within::Best => {
            let offs = members
                .iter()
                .map(|entrant| total_off(state, entrant, None));
            let best = members.iter().zip(offs).rev().max_by_key(|(_, off)| *off);
            if let Some((entrant, off)) = best {
                give(state, entrant, off);
            }
        }
    }
}

/// What a promotion takes off the total that it selects, with its amounts counted in `before` where
/// several are added on the same start.
pub(crate) fn total_off(
    state: &State<'_>,
    entrant: &Entrant<'_>,
    before: Option<&State<'_>>,
) -> i64 {
    let basis = before.unwrap_or(state);
    let What::Total { select, steps, per } = &entrant.act.what else {
        return 0;
    };
    if short(&entrant.compiled.needs, basis)
        .or(short(&entrant.act.needs, basis))
        .is_some()
    {
        return 0;
    }
    let spend = |of| basis.spend(select, of, TaxBasis::AsPriced);
    let to_reach = spend(entrant.compiled.of.unwrap_or(Of::List));
    let Some((_, reward)) = steps.iter().rev().find(|(from, _)| *from <= to_reach) else {
        return 0;
    };
    let wanted = per.map_or(entrant.coupons, |per| to_reach / per);
    let times = wanted.min(entrant.times_max.map_or(i64::MAX, i64::from));
    let off = match reward {
        Reward::Amount(off) => off.saturating_mul(times),
        reward => reward.off(spend(entrant.compiled.of.unwrap_or(Of::Running))),
    };
    let room = state.cells.iter().filter(|cell| state.takes(select, cell));
    let room = room.fold(0_i64, |sum, cell| {
        sum.saturating_add(cell.room() * cell.count)
    });
    off.min(entrant.compiled.cap.unwrap_or(off)).min(room)
}

/// Spreads a discount over the units that the promotion selects.
fn give(state: &mut State<'_>, entrant: &Entrant<'_>, off: i64) {
    let What::Total { select, .. } = &entrant.act.what else {
        return;
    };
    if off <= 0 {
        return;
    }
    let selected: Vec<bool> = state
        .cells
        .iter()
        .map(|cell| state.takes(select, cell))
        .collect();
    let promotion = entrant.promotion;
    spread_over(state, &selected, promotion, off, entrant.compiled.spread);
    state.note(promotion, 1);
    if entrant.compiled.cap.is_some_and(|cap| off == cap) {
        state.note_capped(promotion);
    }
}

/// Spreads a discount over the selected cells, in proportion to what they cost.
pub(crate) fn spread_over(
    state: &mut State<'_>,
    selected: &[bool],
    promotion: usize,
    off: i64,
    rule: crate::Spread,
) {
    let share = |(cell, selected): (&Cell, &bool)| Share {
        weight: cell.now,
        room: if *selected { cell.room() } else { 0 },
        count: cell.count,
        rewarded: true,
    };
    let shares: Vec<Share> = state.cells.iter().zip(selected).map(share).collect();
    let cells = std::mem::take(&mut state.cells);
    state.cells.reserve(cells.len() + cells.len() / 2);
    for (cell, parts) in cells.into_iter().zip(spread(off, &shares, rule)) {
        if parts.is_empty() {
            state.cells.push(cell);
            continue;
        }
        let split = parts
            .iter()
            .map(|(off, count)| cell.with_off(promotion, *off, *count));
        state.cells.extend(split);
    }
}
