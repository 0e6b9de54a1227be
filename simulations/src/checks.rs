//! What must hold in a store: while it sells, and once everything works again.
//!
//! While it sells: one leader a term; a state that was applied at an index is the same on every lane
//! and for good. Afterwards: nothing waits; every acknowledged sale is there exactly once, in every
//! lane's state and at head office; every journal is one unbroken chain, and every copy is equal to
//! it; totals and stock are the sums of what was acknowledged; each register is the fold of its
//! journal.

use std::collections::{BTreeMap, BTreeSet};

use hq::{ENTRIES_PAGE_MAX, HqStore, TotalsFilter};
use ledger::{
    DayTotal, Entry, Fact, Head, LaneId, Seq, StateHash, StoreView, Table, computed_hash,
    stored_hash,
};
use node::lane::{Lane, LaneError};
use sale::{BusinessDay, Event, Receipt, Register, evolve};

use crate::store::{Acknowledged, Store};
use crate::timeline::Timeline;

/// Entries read at a time.
const PAGE: usize = 500;
const PAGE_BYTES: usize = 8 * 1024 * 1024;
/// State hashes looked at for each lane at a time.
const HASHES: usize = 1_000;

/// What the lanes have shown so far.
#[derive(Default)]
pub struct Monitor {
    leaders: BTreeMap<u64, LaneId>,
    hashes: BTreeMap<u64, (StateHash, String)>,
    /// Up to where each lane's process was looked at.
    seen: BTreeMap<(LaneId, u32), u64>,
}

impl Monitor {
    /// Looks at every lane that runs.
    pub fn look(&mut self, store: &Store) {
        for (slot, process) in store.running() {
            let lane = process.lane.identity().lane;
            let view = process.lane.view().borrow().clone();
            if let api::Mode::Stop { reason } = &view.status.mode {
                let what = format!("P2: the lane has stopped: {reason}");
                store.timeline.violation(&slot.name, what);
            }
            if view.status.is_leader {
                let term = view.status.term;
                let leader = *self.leaders.entry(term).or_insert(lane);
                if leader != lane {
                    let what = format!("leads term {term}, and so does {leader}");
                    store.timeline.violation(&slot.name, what);
                }
            }
            let seen = self.seen.entry((lane, process.run)).or_default();
            match hashes_after(&process.lane, *seen) {
                Ok(hashes) => {
                    for (index, hash) in hashes {
                        *seen = index;
                        let known = self.hashes.entry(index);
                        let (first, by) = known.or_insert_with(|| (hash, slot.name.clone()));
                        if *first != hash {
                            let what =
                                format!("P6: its state at index {index} differs from {by}'s");
                            store.timeline.violation(&slot.name, what);
                        }
                    }
                }
                Err(error) => {
                    let what = format!("its state cannot be read: {error}");
                    store.timeline.violation(&slot.name, what);
                }
            }
        }
    }
}

/// State hashes at the indexes behind `seen`.
fn hashes_after(lane: &Lane, seen: u64) -> Result<Vec<(u64, StateHash)>, LaneError> {
    let rows = lane.read(|tables| {
        let from = (seen + 1).to_be_bytes();
        tables.scan(Table::HashAt, &from, HASHES)
    })?;
    let hashes = rows.into_iter().filter_map(|(key, value)| {
        let index = u64::from_be_bytes(key.try_into().ok()?);
        Some((index, StateHash::from_bytes(&value.try_into().ok()?)))
    });
    Ok(hashes.collect())
}

/// Why the store has not come to rest; `None` once it has.
pub fn unsettled(store: &Store) -> Option<String> {
    let running = store.running();
    if running.len() < store.slots().len() {
        return Some("a lane does not run".to_owned());
    }
    let mut leaders = BTreeSet::new();
    let mut applied = BTreeSet::new();
    let mut heads = BTreeSet::new();
    for (slot, process) in &running {
        let status = process.lane.view().borrow().status.clone();
        let Some(leader) = status.leader else {
            return Some(format!("{} knows no leader", slot.name));
        };
        leaders.insert((status.term, leader));
        applied.insert(status.applied_index);
        let held = process.lane.journal().heads();
        heads.insert(
            held.iter()
                .map(|(l, h)| (*l, h.next_seq))
                .collect::<Vec<_>>(),
        );
        if status.unshared_entries > 0 {
            let waiting = status.unshared_entries;
            return Some(format!(
                "{waiting} entries of {} are not applied",
                slot.name
            ));
        }
        if status.lanes.len() < running.len() {
            return Some(format!(
                "{} knows {} lanes only",
                slot.name,
                status.lanes.len()
            ));
        }
        if status.hq.lag_entries > 0 {
            let behind = status.hq.lag_entries;
            return Some(format!(
                "head office is {behind} entries behind ({})",
                slot.name
            ));
        }
    }
    if leaders.len() != 1 {
        return Some(format!("the lanes follow {leaders:?}"));
    }
    if applied.len() != 1 {
        return Some(format!("the lanes have applied up to {applied:?}"));
    }
    if heads.len() != 1 {
        return Some("some lane lacks copies of a sibling's journal".to_owned());
    }
    None
}

/// Sales that were lost, and that count more than once, anywhere.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    pub lost: u64,
    pub double: u64,
}

/// What one lane holds in the end.
struct Books {
    name: String,
    lane: LaneId,
    journals: BTreeMap<LaneId, Vec<Entry>>,
    heads: BTreeMap<LaneId, Head>,
    /// The store's entries in their order, as this lane applied them.
    applied: Vec<(u64, Entry)>,
    totals: BTreeMap<(BusinessDay, LaneId), DayTotal>,
    stock: BTreeMap<String, i64>,
    exceptions: Vec<String>,
    hq_cursor: u64,
    stored_hash: StateHash,
    computed_hash: StateHash,
    nodes: Vec<u64>,
    register: Register,
}

/// Checks everything, once the store has come to rest.
pub fn check(store: &Store, acknowledged: &[Acknowledged]) -> anyhow::Result<Tally> {
    let mut all = Vec::new();
    for (slot, process) in store.running() {
        all.push(read_books(&slot.name, &process.lane, acknowledged)?);
    }
    let mut check = Check {
        store,
        timeline: &store.timeline,
        acknowledged,
        tally: Tally::default(),
    };
    let own: BTreeMap<LaneId, Vec<Entry>> = all
        .iter()
        .map(|books| {
            (
                books.lane,
                books.journals.get(&books.lane).cloned().unwrap_or_default(),
            )
        })
        .collect();
    for books in &all {
        check.journals(books, &own);
        check.applied(books, &own);
        check.sums(books);
        check.register(books);
    }
    check.equal(&all);
    if let Some(first) = all.first() {
        check.head_office(first, &own)?;
    }
    Ok(check.tally)
}

fn read_books(name: &str, lane: &Lane, acknowledged: &[Acknowledged]) -> anyhow::Result<Books> {
    let heads = lane.journal().heads();
    let mut journals = BTreeMap::new();
    for id in heads.keys() {
        journals.insert(*id, journal(lane, *id)?);
    }
    let items: BTreeSet<_> = acknowledged
        .iter()
        .flat_map(|a| a.receipt.lines.iter().map(|line| line.item.clone()))
        .collect();
    let books = lane.read(|tables| {
        let view = StoreView::new(tables);
        let mut applied = Vec::new();
        loop {
            let after = applied
                .last()
                .map_or(0, |(global, _): &(u64, Entry)| *global);
            let page = view.entries_after(after, PAGE)?;
            if page.is_empty() {
                break;
            }
            applied.extend(page);
        }
        let totals = view.totals()?.into_iter();
        let exceptions = view.exception_list()?.into_iter();
        let stock = items
            .iter()
            .map(|item| Ok((item.to_string(), view.stock_milli(item)?)));
        Ok(Books {
            name: name.to_owned(),
            lane: lane.identity().lane,
            applied,
            totals: totals
                .map(|(day, lane, total)| ((day, lane), total))
                .collect(),
            stock: stock.collect::<Result<_, ledger::TableError>>()?,
            exceptions: exceptions.map(|e| e.message).collect(),
            hq_cursor: view.hq_cursor()?,
            stored_hash: stored_hash(tables)?,
            computed_hash: computed_hash(tables)?,
            nodes: view.lanes()?.iter().map(|lane| lane.node).collect(),
            register: lane.view().borrow().register.clone(),
            journals: BTreeMap::new(),
            heads: BTreeMap::new(),
        })
    })?;
    Ok(Books {
        journals,
        heads,
        ..books
    })
}

fn journal(lane: &Lane, of: LaneId) -> anyhow::Result<Vec<Entry>> {
    let mut entries: Vec<Entry> = Vec::new();
    loop {
        let from = entries.last().map_or(1, |entry| entry.seq + 1);
        let page = lane.journal().read(of, from, PAGE, PAGE_BYTES)?;
        if page.is_empty() {
            return Ok(entries);
        }
        entries.extend(page);
    }
}

/// The receipt in an entry, if it is one.
fn receipt_of(entry: &Entry) -> Option<Receipt> {
    match entry.body().ok()?.fact {
        Fact::Register {
            event: Event::Completed { receipt, .. },
            ..
        } => Some(*receipt),
        _ => None,
    }
}

struct Check<'a> {
    store: &'a Store,
    timeline: &'a Timeline,
    acknowledged: &'a [Acknowledged],
    tally: Tally,
}

impl Check<'_> {
    fn demand(&self, who: &str, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            self.timeline.violation(who, what());
        }
    }

    /// P6: each journal held is one chain, and equal to its lane's own.
    fn journals(&self, books: &Books, own: &BTreeMap<LaneId, Vec<Entry>>) {
        for (lane, entries) in &books.journals {
            let mut head = Head::default();
            for entry in entries {
                match entry.check_follows(self.store.id, &head) {
                    Ok(next) => head = next,
                    Err(error) => {
                        let what = format!("P6: a journal it holds is broken: {error}");
                        return self.timeline.violation(&books.name, what);
                    }
                }
            }
            self.demand(&books.name, books.heads.get(lane) == Some(&head), || {
                format!("P6: the end of the journal of {lane:?} is not where its chain ends")
            });
            self.demand(&books.name, own.get(lane) == Some(entries), || {
                format!("P6: its copy of the journal of {lane:?} differs from that lane's own")
            });
        }
        let missing = own.keys().find(|lane| !books.journals.contains_key(lane));
        self.demand(&books.name, missing.is_none(), || {
            format!("it holds no copy of the journal of {missing:?}")
        });
    }

    /// P1: what a lane has applied is the union of the journals, each entry once, in its order.
    fn applied(&mut self, books: &Books, own: &BTreeMap<LaneId, Vec<Entry>>) {
        let mut applied: BTreeMap<LaneId, Vec<Entry>> = BTreeMap::new();
        for (place, (global, entry)) in (1..).zip(&books.applied) {
            self.demand(&books.name, place == *global, || {
                format!("P6: applied entry {global} stands at place {place}")
            });
            applied.entry(entry.lane).or_default().push(entry.clone());
        }
        self.demand(&books.name, applied == *own, || {
            "P1: what it applied is not the union of the journals".to_owned()
        });
        let entries = books.applied.iter().map(|(_, entry)| entry);
        self.receipts(&books.name, entries.filter_map(receipt_of));
    }

    /// P1: every acknowledged receipt is there once, as it was printed, and no other.
    fn receipts(&mut self, who: &str, found: impl Iterator<Item = Receipt>) {
        let mut times: BTreeMap<String, Vec<Receipt>> = BTreeMap::new();
        for receipt in found {
            times.entry(receipt.id.clone()).or_default().push(receipt);
        }
        for Acknowledged { receipt, .. } in self.acknowledged {
            let id = &receipt.id;
            let found = times.remove(id).unwrap_or_default();
            match &found[..] {
                [one] => self.demand(who, one == receipt, || {
                    format!("P1: receipt {id} differs from the one that was printed")
                }),
                [] => {
                    self.tally.lost += 1;
                    self.timeline
                        .violation(who, format!("P1: receipt {id} is lost"));
                }
                more => {
                    self.tally.double += 1;
                    let what = format!("P1: receipt {id} is there {} times", more.len());
                    self.timeline.violation(who, what);
                }
            }
        }
        for id in times.keys() {
            self.timeline
                .violation(who, format!("receipt {id} was printed for nobody"));
        }
    }

    fn expected_totals(&self) -> BTreeMap<(BusinessDay, LaneId), DayTotal> {
        let mut totals: BTreeMap<(BusinessDay, LaneId), DayTotal> = BTreeMap::new();
        for Acknowledged { lane, receipt } in self.acknowledged {
            let currency = receipt.totals.total.currency();
            let key = (receipt.day.clone(), *lane);
            let total = totals.entry(key).or_insert(DayTotal::zero(currency));
            if let Err(error) = total.add_receipt(receipt) {
                let what = format!("receipt {} cannot be added up: {error}", receipt.id);
                self.timeline.violation("check", what);
            }
        }
        totals
    }

    /// Money and stock are the sums of what was acknowledged, and nothing was set aside.
    fn sums(&self, books: &Books) {
        let expected = self.expected_totals();
        self.demand(&books.name, books.totals == expected, || {
            let found = &books.totals;
            format!("P1: its totals are {found:?}, and the receipts add up to {expected:?}")
        });
        let mut stock: BTreeMap<String, i64> = BTreeMap::new();
        for line in self.acknowledged.iter().flat_map(|a| &a.receipt.lines) {
            *stock.entry(line.item.to_string()).or_default() -= line.quantity.milli();
        }
        self.demand(&books.name, books.stock == stock, || {
            format!("its stock is {:?}, and sold was {stock:?}", books.stock)
        });
        self.demand(&books.name, books.exceptions.is_empty(), || {
            format!("it has exceptions: {:?}", books.exceptions)
        });
        self.demand(
            &books.name,
            books.stored_hash == books.computed_hash,
            || "P6: its state hash is not that of its rows".to_owned(),
        );
    }

    /// A register is the fold of its journal.
    fn register(&self, books: &Books) {
        let mut register = Register::default();
        let own = books.journals.get(&books.lane).into_iter().flatten();
        for entry in own {
            match entry.body() {
                Ok(body) => {
                    if let Fact::Register { event, .. } = &body.fact {
                        evolve(&mut register, event);
                    }
                }
                Err(error) => {
                    let what = format!("P6: an entry cannot be read: {error}");
                    self.timeline.violation(&books.name, what);
                }
            }
        }
        self.demand(&books.name, register == books.register, || {
            "its register is not what its journal says".to_owned()
        });
    }

    /// P6: at rest all lanes have the same state.
    fn equal(&self, all: &[Books]) {
        let Some(first) = all.first() else {
            return;
        };
        for books in all {
            self.demand(&books.name, books.stored_hash == first.stored_hash, || {
                format!("P6: its state differs from that of {}", first.name)
            });
            self.demand(
                &books.name,
                books.hq_cursor == first.applied.len() as u64,
                || format!("its cursor of head office is {}", books.hq_cursor),
            );
        }
        let mut nodes = first.nodes.clone();
        nodes.sort_unstable();
        nodes.dedup();
        self.demand(&first.name, nodes.len() == first.nodes.len(), || {
            format!("a node id was used again: {:?}", first.nodes)
        });
    }

    /// P1, P6: head office holds the union of the journals, and adds up the same.
    fn head_office(
        &mut self,
        lane: &Books,
        own: &BTreeMap<LaneId, Vec<Entry>>,
    ) -> anyhow::Result<()> {
        let store = self.store.id;
        let ids: Vec<LaneId> = own.keys().copied().collect();
        let held = self.store.office.books(async |books| {
            let mut held = BTreeMap::new();
            for lane in ids {
                held.insert(lane, office_journal(books, store, lane).await?);
            }
            let totals = books.totals(TotalsFilter::default()).await?;
            let stores = books.stores().await?;
            let set_aside = books.set_aside(None).await?;
            Ok::<_, hq::HqError>((held, totals, stores, set_aside))
        });
        let (held, totals, stores, set_aside) = held?;
        let cursor = stores.first().map_or(0, |store| store.cursor);
        self.demand("hq", cursor == lane.applied.len() as u64, || {
            format!("its cursor is {cursor} of {} entries", lane.applied.len())
        });
        self.demand("hq", set_aside.is_empty(), || {
            format!("it set aside {set_aside:?}")
        });
        self.demand("hq", held == *own, || {
            "P6: what it holds is not the union of the journals".to_owned()
        });
        self.receipts("hq", held.values().flatten().filter_map(receipt_of));
        let found: BTreeMap<_, _> = totals
            .into_iter()
            .map(|row| ((row.day, row.lane), row.total))
            .collect();
        let expected = self.expected_totals();
        self.demand("hq", found == expected, || {
            format!("P1: its totals are {found:?}, and the receipts add up to {expected:?}")
        });
        Ok(())
    }
}

async fn office_journal(
    books: &impl HqStore,
    store: ledger::StoreId,
    lane: LaneId,
) -> Result<Vec<Entry>, hq::HqError> {
    let mut entries = Vec::new();
    let mut from: Option<Seq> = Some(1);
    while let Some(seq) = from {
        let page = match books.lane_entries(store, lane, seq, ENTRIES_PAGE_MAX).await {
            Ok(page) => page,
            // Of a lane that never sold anything head office has heard nothing.
            Err(hq::HqError::UnknownLane { .. } | hq::HqError::UnknownStore(_)) => break,
            Err(error) => return Err(error),
        };
        entries.extend(page.entries.iter().map(|held| held.entry(lane)));
        from = page.next;
    }
    Ok(entries)
}
