//! Whether lanes that have applied the same log hold the same state, also where one has applied
//! more than another.

use std::collections::BTreeMap;

use ledger::{StateHash, Table, TableError, Tables};

use super::applied::Applied;
use super::audit::{Audit, STATE_REMEDY};
use super::findings::Check;
use super::rows::differing_tables;

/// Lanes that agree: places in the list of states. The first stands for all.
type Group = Vec<usize>;

/// Compares the states with each other.
pub fn check(audit: &mut Audit, states: &[(Applied, &dyn Tables)]) {
    let mut groups: Vec<Group> = Vec::new();
    let newest = states.iter().map(|(state, _)| state.epoch.number).max();
    for (i, (state, _)) in states.iter().enumerate() {
        if state.hashes.is_empty() {
            continue;
        }
        if Some(state.epoch.number) != newest {
            audit.findings.note(format!(
                "{} is of the epoch before the store was recovered, and is compared with no other \
                 state. Let it join again.",
                state.place
            ));
            continue;
        }
        let same = groups
            .iter()
            .map(|group| shared(state, &states[group[0]].0));
        match same.enumerate().find(|(_, shared)| match shared {
            Some((_, left, right)) => left == right,
            None => false,
        }) {
            Some((agreeing, _)) => groups[agreeing].push(i),
            None => groups.push(vec![i]),
        }
    }
    let lanes = groups.iter().map(Vec::len).sum::<usize>();
    audit.findings.checked(Check::Agreement, lanes as u64);
    // The largest group is taken to be right.
    groups.sort_by_key(|group| std::cmp::Reverse(group.len()));
    let Some((most, others)) = groups.split_first() else {
        return;
    };
    for other in others {
        disagree(audit, states, most, other);
    }
}

/// The newest log index at which both hashes are known, and the two hashes.
fn shared(left: &Applied, right: &Applied) -> Option<(u64, StateHash, StateHash)> {
    let mut newest_first = left.hashes.iter().rev();
    newest_first.find_map(|(index, hash)| Some((*index, *hash, *right.hashes.get(index)?)))
}

fn disagree(audit: &mut Audit, states: &[(Applied, &dyn Tables)], most: &Group, other: &Group) {
    let names = |group: &Group| {
        let places = group.iter().map(|i| states[*i].0.place.as_str());
        places.collect::<Vec<_>>().join(", ")
    };
    let ((left, left_tables), (right, right_tables)) = (&states[most[0]], &states[other[0]]);
    let Some((index, _, _)) = shared(left, right) else {
        audit.findings.note(format!(
            "{} and {} are too far apart in the log to be compared.",
            names(other),
            names(most)
        ));
        return;
    };
    let is_newest = |hashes: &BTreeMap<u64, StateHash>| hashes.keys().next_back() == Some(&index);
    let detail = match is_newest(&left.hashes) && is_newest(&right.hashes) {
        false => String::new(),
        true => match differing_tables(*left_tables, *right_tables) {
            Ok(tables) => format!(" {}.", in_words(&tables)),
            Err(TableError { reason, .. }) => format!(" What differs cannot be read ({reason})."),
        },
    };
    let message = format!(
        "At log index {index} the state is not the same as in {}.{detail} One of them is wrong. \
         {STATE_REMEDY}",
        names(most)
    );
    audit
        .findings
        .problem(Check::Agreement, &names(other), message);
}

fn in_words(tables: &[(Table, u64)]) -> String {
    let words: Vec<String> = tables
        .iter()
        .map(|(table, rows)| format!("{table:?} {rows}"))
        .collect();
    format!("Rows that differ: {}", words.join(", "))
}
