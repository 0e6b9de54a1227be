//! Whether a history of one register (a value that is written and read) is linearizable: whether its
//! operations can be put into one order in which each takes effect at a moment between its call and
//! its answer, and each read gives the value written last.
//!
//! What promises that, of all that a store does, is what the lanes agree on before anybody is answered:
//! changes of reference data with the reads behind them, and who is let in with which number
//! (`history`). No sale does: a lane that no other can be reached from sells all the same, so that a
//! basket which was put aside may be taken up, and goods may be paid back, at two lanes of which
//! neither knew of the other. What is promised for those instead is checked elsewhere:
//!
//! - a lane grants nothing that it *holds* to have been granted, and refuses nothing that nobody else
//!   claims (`claimed-once`, `returned-once`, `cart-survives`: `customers`);
//! - a command that is repeated under its id is carried out once (`answers-once`: the cashiers);
//! - what two lanes did is found by every lane as it applies the log, once, and is before a person
//!   (`nothing-set-aside`: `conflicts`), and counts in stock, totals and drawers as it happened.
//!
//! A lane that answers from what it holds says how far that goes: shown as "together" it may lag by
//! what is on its way, and no more (`together-is-current`).
//!
//! The search is Wing and Gong's ("Testing and verifying concurrent objects", 1993) with Lowe's memory
//! of what was tried ("Testing for linearizability", 2017): exponential at worst, quick on histories
//! in which few operations overlap.

use std::collections::BTreeSet;

/// The most operations of one history.
pub const OPERATIONS_MAX: usize = 128;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    Write(i64),
    Read(i64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operation {
    pub act: Act,
    /// When it was called.
    pub from: u64,
    /// When it was answered; `None` if it never was, or may take effect once more afterwards.
    pub to: Option<u64>,
    /// Whether it must have taken effect; one that was never answered may have.
    pub required: bool,
}

/// Whether the history can have happened to a register that held `initial` at first.
///
/// # Panics
///
/// With more operations than [`OPERATIONS_MAX`].
pub fn linearizable(initial: i64, operations: &[Operation]) -> bool {
    assert!(operations.len() <= OPERATIONS_MAX, "a history is bounded");
    let required: u128 = (0..operations.len())
        .filter(|i| operations[*i].required)
        .fold(0, |mask, i| mask | 1 << i);
    let mut tried = BTreeSet::new();
    let mut open = vec![(0_u128, initial)];
    while let Some((done, value)) = open.pop() {
        if done & required == required {
            return true;
        }
        if !tried.insert((done, value)) {
            continue;
        }
        let waits = |i: usize| done & (1 << i) == 0;
        // Whatever was answered before another was called comes before it.
        let first_answer = (0..operations.len())
            .filter(|i| waits(*i) && operations[*i].required)
            .filter_map(|i| operations[i].to)
            .min();
        for (i, operation) in operations.iter().enumerate() {
            if !waits(i) || first_answer.is_some_and(|answer| answer < operation.from) {
                continue;
            }
            match operation.act {
                Act::Write(written) => open.push((done | 1 << i, written)),
                Act::Read(read) if read == value => open.push((done | 1 << i, value)),
                Act::Read(_) => {}
            }
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(value: i64, from: u64, to: u64) -> Operation {
        Operation {
            act: Act::Write(value),
            from,
            to: Some(to),
            required: true,
        }
    }

    fn read(value: i64, from: u64, to: u64) -> Operation {
        Operation {
            act: Act::Read(value),
            ..write(0, from, to)
        }
    }

    fn unanswered(value: i64, from: u64) -> Operation {
        Operation {
            to: None,
            required: false,
            ..write(value, from, 0)
        }
    }

    #[test]
    fn histories_are_judged() {
        let check = |operations: &[Operation], expected: bool| {
            assert_eq!(linearizable(0, operations), expected, "{operations:?}");
        };
        check(&[], true);
        check(&[read(0, 1, 2)], true);
        check(&[read(1, 1, 2)], false);
        check(&[write(1, 1, 2), read(1, 3, 4)], true);
        // A stale read: the write was answered before it was called.
        check(&[write(1, 1, 2), read(0, 3, 4)], false);
        // They overlap: either order will do, but not both.
        check(&[write(1, 1, 4), read(0, 2, 3)], true);
        check(&[write(1, 1, 9), read(1, 2, 3), read(0, 4, 5)], false);
        check(&[write(1, 1, 2), write(2, 3, 4), read(1, 5, 6)], false);
        // Two writes at once are seen in one order only.
        check(
            &[
                write(1, 1, 9),
                write(2, 1, 9),
                read(1, 10, 11),
                read(2, 12, 13),
            ],
            false,
        );
        check(
            &[write(1, 1, 9), write(2, 1, 9), read(1, 2, 3), read(2, 4, 5)],
            true,
        );
        // What was never answered may take effect late, once, or never.
        check(&[unanswered(1, 1), read(0, 5, 6), read(1, 7, 8)], true);
        check(&[unanswered(1, 1), read(0, 5, 6)], true);
        check(&[unanswered(1, 1), read(1, 5, 6), read(0, 7, 8)], false);
    }
}
