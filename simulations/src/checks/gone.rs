//! What of a lane must outlive it, once its disk is lost for good.
//!
//! A sale survives its lane where a sibling that lives on said that it holds a copy. So what is left
//! of a lost lane's journal is a beginning of it, at least as long as the longest copy that was held
//! when it went, and all of it is applied: whoever holds a copy offers it to the store. The applied
//! state of every lane and head office are checked against that beginning as against the journal of a
//! lane that lives. Nobody copies it any more, so a lane may hold less of it outside of the state.

use std::collections::BTreeMap;

use ledger::{Entry, LaneId, Seq, StoreView};
use node::lane::{Lane, LaneError};
use sale::Receipt;

use super::Check;
use super::books::{applied_entries, journal, receipt_of};
use crate::store::{Acknowledged, Process, Slot, Store};

/// A lane whose disk is no more.
#[derive(Clone, Debug)]
pub struct Gone {
    pub name: String,
    pub lane: LaneId,
    /// Its journal at its end.
    entries: Vec<Entry>,
    /// By the siblings that live: how many of its entries they held then.
    held: BTreeMap<String, Seq>,
    /// How many of its receipts its cashier was shown as shared. A sibling that shared them and is
    /// gone itself takes that back.
    shown_shared: u64,
    /// Two machines wrote journals of it: of which the store has taken most is its own.
    parted: bool,
}

/// By lane.
type Journals = BTreeMap<LaneId, Vec<Entry>>;

/// How many entries of `of` the store has applied, as far as `lane` knows.
pub fn applied(lane: &Lane, of: LaneId) -> Result<Seq, LaneError> {
    let record = lane.read(|tables| StoreView::new(tables).lane(of))?;
    Ok(record.map_or(0, |record| record.head.next_seq - 1))
}

/// The sales that must be there, and what is left of the journals of lanes that are gone: of what
/// was acknowledged, what had no copy went with its lane's disk.
pub fn account_for(
    store: &Store,
    acknowledged: &[Acknowledged],
) -> anyhow::Result<(Vec<Acknowledged>, Journals)> {
    let mut must_be_there = acknowledged.to_vec();
    let mut journals = Journals::new();
    for mut gone in store.gone() {
        if gone.parted {
            gone.entries = applied_of_lane(store, gone.lane)?;
        }
        gone.check_given(store, acknowledged);
        let applied = match store.running().first() {
            Some((_, process)) => applied(&process.lane, gone.lane)?,
            None => 0,
        };
        let kept = gone.kept(store, applied);
        must_be_there.retain(|given| given.lane != gone.lane);
        must_be_there.extend(gone.receipts(kept));
        if !kept.is_empty() {
            journals.insert(gone.lane, kept.to_vec());
        }
    }
    Ok((must_be_there, journals))
}

/// What the store has taken of a lane's journal, as the first lane has applied it.
fn applied_of_lane(store: &Store, lane: LaneId) -> anyhow::Result<Vec<Entry>> {
    let Some((_, process)) = store.running().into_iter().next() else {
        return Ok(Vec::new());
    };
    let entries = process
        .lane
        .read(|tables| applied_entries(&StoreView::new(tables)))?;
    let entries = entries.into_iter().map(|(_, entry)| entry);
    Ok(entries.filter(|entry| entry.lane == lane).collect())
}

impl Gone {
    /// What there is of a lane that is about to lose its disk; `None` where it does not run, or its
    /// journal cannot be read.
    pub fn of(store: &Store, slot: &Slot) -> Option<Gone> {
        let process = slot.process().filter(|_| !slot.is_frozen())?;
        let lane = process.lane.identity().lane;
        let entries = journal(&process.lane, lane).ok()?;
        let siblings = store.running().into_iter();
        let held = siblings
            .filter(|(sibling, _)| sibling.name != slot.name)
            .map(|(sibling, process)| {
                let head = process.lane.journal().head(lane);
                (sibling.name.clone(), head.next_seq - 1)
            });
        let view = process.lane.view().borrow().clone();
        let shown_shared = match store.gone().is_empty() {
            true => view
                .status
                .receipts
                .saturating_sub(view.status.unshared_sales),
            // What an earlier one that is gone had of it, it is still shown as shared.
            false => 0,
        };
        Some(Gone {
            name: slot.name.clone(),
            lane,
            entries,
            held: held.collect(),
            shown_shared,
            parted: false,
        })
    }

    /// For the timeline.
    pub fn in_words(&self) -> String {
        let (kept, all) = (self.entries_min(), self.entries.len());
        format!("loses its disk; siblings hold {kept} of its {all} entries")
    }

    /// A sibling went, too, with the copies that it held.
    pub fn forget(&mut self, sibling: &str) {
        self.held.remove(sibling);
        self.shown_shared = 0;
    }

    /// A lane that joined again as `successor` on the same machine: all of its journal is there.
    pub fn moved(
        machine: &Slot,
        lane: LaneId,
        successor: &Slot,
        process: &Process,
    ) -> Option<Gone> {
        let entries = journal(&process.lane, lane).ok()?;
        let held = BTreeMap::from([(successor.name.clone(), entries.len() as Seq)]);
        Some(Gone {
            name: machine.name.clone(),
            lane,
            entries,
            held,
            shown_shared: 0,
            parted: false,
        })
    }

    /// A lane as which two machines worked, one after the other, the second with a copy of its disk.
    pub fn parted(name: &str, lane: LaneId) -> Gone {
        Gone {
            name: name.to_owned(),
            lane,
            entries: Vec::new(),
            held: BTreeMap::new(),
            shown_shared: 0,
            parted: true,
        }
    }

    /// How many entries there must be at least.
    fn entries_min(&self) -> usize {
        let held = self.held.values().copied().max().unwrap_or(0);
        let receipts = (1..).zip(&self.entries);
        let receipts = receipts.filter(|(_, entry)| receipt_of(entry).is_some());
        let shared = (self.shown_shared as usize).checked_sub(1);
        let shown = shared.and_then(|last| receipts.map(|(seq, _)| seq).nth(last));
        usize::try_from(held)
            .unwrap_or(usize::MAX)
            .max(shown.unwrap_or(0))
    }

    /// Its journal as it is now, where the store has applied so many of its entries.
    fn kept(&self, store: &Store, applied: Seq) -> &[Entry] {
        let applied = usize::try_from(applied).unwrap_or(usize::MAX);
        let (kept, least) = (applied.min(self.entries.len()), self.entries_min());
        if kept < least {
            let what = format!(
                "{kept} entries of its journal are left, and its siblings held {least} of {}",
                self.entries.len()
            );
            let check = Check::NothingLost;
            store.timeline.violation(check, &self.name, what);
        }
        &self.entries[..kept]
    }

    /// The receipts that `kept` of its journal holds. One of them nobody may have been given: its
    /// lane went before it could answer.
    fn receipts(&self, kept: &[Entry]) -> Vec<Acknowledged> {
        let receipts = kept.iter().filter_map(|entry| {
            Some(Acknowledged {
                lane: self.lane,
                seq: entry.seq,
                receipt: receipt_of(entry)?,
            })
        });
        receipts.collect()
    }

    /// Says what is wrong with what its cashiers were given, against what its journal had.
    fn check_given(&self, store: &Store, given: &[Acknowledged]) {
        let wrong = |check, what: String| store.timeline.violation(check, &self.name, what);
        let had: Vec<Receipt> = self.entries.iter().filter_map(receipt_of).collect();
        let given = given.iter().filter(|given| given.lane == self.lane);
        let given: Vec<&Receipt> = given.map(|given| &given.receipt).collect();
        for receipt in &given {
            if !had.contains(receipt) {
                let what = format!("receipt {} was not in its journal", receipt.id);
                wrong(Check::NothingLost, what);
            }
        }
        let unheard = had.iter().filter(|receipt| !given.contains(receipt));
        let unheard: Vec<&str> = unheard.map(|receipt| receipt.id.as_str()).collect();
        if unheard.len() > 1 {
            let what = format!("receipts {unheard:?} were printed for nobody");
            wrong(Check::NothingInvented, what);
        }
    }
}
