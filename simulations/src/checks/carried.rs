//! Receipts of machines that worked with a copy of a lane's disk, where their journal is not the one
//! that the store has of that lane: they are carried over, count nowhere, and are before a person.

use std::collections::BTreeSet;

use ledger::{Entry, Fact, StoreView};
use sale::Receipt;

use super::books::{applied_entries, receipt_of};
use crate::store::{Acknowledged, Store};

/// What an entry carries over.
pub fn original_of(entry: &Entry) -> Option<Entry> {
    match entry.body().ok()?.fact {
        Fact::CarriedOver { entry } => Some(entry),
        _ => None,
    }
}

/// What was acknowledged less what was carried over: what must count.
pub fn to_be_counted(
    store: &Store,
    acknowledged: &[Acknowledged],
) -> anyhow::Result<Vec<Acknowledged>> {
    let mut left = acknowledged.to_vec();
    for (original, receipt) in receipts(store)? {
        let given = left.iter().position(|given| {
            (given.lane, given.seq) == (original.lane, original.seq) && given.receipt == receipt
        });
        // One that nobody was given may be there: its machine stopped before it could answer.
        if let Some(given) = given {
            left.remove(given);
        }
    }
    Ok(left)
}

/// Receipts that were carried over, each once, with their entries.
fn receipts(store: &Store) -> anyhow::Result<Vec<(Entry, Receipt)>> {
    let Some((_, process)) = store.running().into_iter().next() else {
        return Ok(Vec::new());
    };
    let entries = process
        .lane
        .read(|tables| applied_entries(&StoreView::new(tables)))?;
    let mut hashes = BTreeSet::new();
    let originals = entries.iter().filter_map(|(_, entry)| original_of(entry));
    let new = originals.filter(|original| hashes.insert(original.hash()));
    let receipts = new.filter_map(|original| {
        let receipt = receipt_of(&original)?;
        Some((original, receipt))
    });
    Ok(receipts.collect())
}
