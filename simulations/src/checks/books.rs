//! What must hold once everything works again.
//!
//! Every acknowledged sale is there exactly once, in every lane's state and at head office; every
//! journal is one unbroken chain, and every copy is equal to it; totals and stock are the sums of
//! what was acknowledged, added up here and not by the code that is checked; each register is the
//! fold of its journal.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use hq::{ENTRIES_PAGE_MAX, HqStore, TotalsFilter};
use ledger::{
    DayTotal, Entry, ExceptionKind, ExceptionRecord, Fact, Head, Hlc, LaneId, Run, Seq, StateHash,
    StoreView, Table, TableError, Tables, computed_hash, stored_hash,
};
use node::lane::Lane;
use sale::{BusinessDay, Event, Receipt, Register, Tally as Report, evolve};

use super::Check as Name;
use super::carried::to_be_counted;
use super::conflicts::{self, Conflict};
use super::copied;
use super::gone::account_for;
use super::money::{Ledger, Totals};
use super::published;
use super::receipts::{self, Sold};
use crate::store::{Acknowledged, Store};
use crate::timeline::Timeline;

/// Entries read at a time.
const PAGE: usize = 500;
const PAGE_BYTES: usize = 8 * 1024 * 1024;
/// Business days of all lanes together; a simulation has far fewer.
const TALLIES_MAX: usize = 100_000;

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
    totals: Totals,
    /// The sums of reports, of each lane's business days.
    reports: Vec<(LaneId, Report)>,
    /// The sums of this lane's register since the last report that ended a period.
    period: Arc<Report>,
    stock: BTreeMap<String, i64>,
    exceptions: Vec<ExceptionRecord>,
    /// Processes that the store has stopped, by the lane whose disk they work with.
    barred: BTreeMap<LaneId, Vec<Run>>,
    hq_cursor: u64,
    stored_hash: StateHash,
    computed_hash: StateHash,
    nodes: Vec<u64>,
    register: Register,
}

/// What managers did and saw, and the prices that customers were asked.
fn check_history(store: &Store, acknowledged: &[Acknowledged]) {
    let history = store.history();
    for what in history.check_admissions() {
        store
            .timeline
            .violation(Name::Linearizable, "admissions", what);
    }
    for what in history.check_order() {
        store
            .timeline
            .violation(Name::Linearizable, "managers", what);
    }
    for Acknowledged { lane, receipt, .. } in acknowledged {
        for what in history.check_prices(*lane, receipt) {
            let who = &receipt.lane_name;
            store.timeline.violation(Name::PriceOfBook, who, what);
        }
    }
}

/// Checks everything, once the store has come to rest.
pub fn check(store: &Store, acknowledged: &[Acknowledged]) -> anyhow::Result<Tally> {
    let given = to_be_counted(store, acknowledged)?;
    let given = given.as_slice();
    let (acknowledged, of_gone_lanes) = account_for(store, given)?;
    let acknowledged = acknowledged.as_slice();
    // Goods may come back of a sale that went with its lane's disk.
    let sold = given.iter().chain(acknowledged);
    let sold = sold.map(|a| (a.receipt.id.as_str(), &a.receipt)).collect();
    let mut all = Vec::new();
    for (slot, process) in store.running() {
        all.push(read_books(&slot.name, &process.lane, acknowledged)?);
    }
    let mut check = Check {
        store,
        timeline: &store.timeline,
        acknowledged,
        gone: store.gone().iter().map(|gone| gone.lane).collect(),
        sold,
        tally: Tally::default(),
    };
    let mut own: BTreeMap<LaneId, Vec<Entry>> = all
        .iter()
        .map(|books| {
            (
                books.lane,
                books.journals.get(&books.lane).cloned().unwrap_or_default(),
            )
        })
        .collect();
    own.extend(of_gone_lanes);
    let ledgers: Ledgers = own
        .iter()
        .map(|(lane, entries)| (*lane, Ledger::of(entries)))
        .collect();
    for books in &all {
        check.money(books, &ledgers);
        check.journals(books, &own);
        check.applied(books, &own);
        check.sums(books);
        check.register(books);
    }
    check.equal(&all);
    check_copies(store)?;
    for Acknowledged { receipt, .. } in acknowledged {
        receipts::check(&store.timeline, receipt, &check.sold);
    }
    published::check(store)?;
    check_history(store, acknowledged);
    if let Some(first) = all.first() {
        check.head_office(first, &own, &ledgers)?;
    }
    Ok(check.tally)
}

/// What a machine sold that works with a copy of a lane's disk is on its own disk. That none of it
/// is anywhere else, the lanes' books show.
fn check_copies(store: &Store) -> anyhow::Result<()> {
    let acknowledged = store.acknowledged_at_copies();
    for copy in store.copies() {
        let Some(process) = copy.process() else {
            continue;
        };
        let lane = process.lane.identity().lane;
        let kept = journal(&process.lane, lane)?;
        let kept: Vec<Receipt> = kept.iter().filter_map(receipt_of).collect();
        let sold = acknowledged.iter().filter(|a| a.lane == lane);
        for Acknowledged { receipt, .. } in sold {
            if !kept.contains(receipt) {
                let what = format!("receipt {} is not on its disk", receipt.id);
                store
                    .timeline
                    .violation(Name::NothingLost, &copy.name, what);
            }
        }
    }
    Ok(())
}

/// All that a store has applied, in its order.
pub fn applied_entries(view: &StoreView<'_>) -> Result<Vec<(u64, Entry)>, TableError> {
    let mut applied = Vec::new();
    loop {
        let after = applied
            .last()
            .map_or(0, |(global, _): &(u64, Entry)| *global);
        let page = view.entries_after(after, PAGE)?;
        if page.is_empty() {
            return Ok(applied);
        }
        applied.extend(page);
    }
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
        let applied = applied_entries(&view)?;
        let totals = view.totals()?.into_iter();
        let lanes = view.lanes()?;
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
            reports: reports(tables)?,
            period: lane.working().period,
            stock: stock.collect::<Result<_, ledger::TableError>>()?,
            exceptions: view.exception_list()?,
            hq_cursor: view.hq_cursor()?,
            stored_hash: stored_hash(tables)?,
            computed_hash: computed_hash(tables)?,
            nodes: lanes.iter().map(|lane| lane.node).collect(),
            barred: lanes.into_iter().map(|l| (l.lane, l.barred)).collect(),
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

/// The sums of reports of every business day, by lane.
fn reports(tables: &dyn Tables) -> Result<Vec<(LaneId, Report)>, TableError> {
    let keys = tables.scan(Table::Tally, &[], TALLIES_MAX)?.into_iter();
    let days: BTreeSet<BusinessDay> = keys
        .filter_map(|(key, _)| {
            let slash = key.iter().position(|byte| *byte == b'/')?;
            Some(BusinessDay(String::from_utf8(key[..slash].to_vec()).ok()?))
        })
        .collect();
    let mut reports = Vec::new();
    for day in days {
        reports.extend(StoreView::new(tables).tallies(&day)?);
    }
    Ok(reports)
}

/// All that a lane holds of a journal.
pub fn journal(lane: &Lane, of: LaneId) -> anyhow::Result<Vec<Entry>> {
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
pub fn receipt_of(entry: &Entry) -> Option<Receipt> {
    match entry.body().ok()?.fact {
        Fact::Register {
            event: Event::Completed { receipt, .. },
            ..
        } => Some(*receipt),
        _ => None,
    }
}

/// What the journals say of money, by lane.
type Ledgers = BTreeMap<LaneId, Ledger>;

struct Check<'a> {
    store: &'a Store,
    timeline: &'a Timeline,
    acknowledged: &'a [Acknowledged],
    /// Lanes whose disks are no more.
    gone: BTreeSet<LaneId>,
    sold: Sold<'a>,
    tally: Tally,
}

impl Check<'_> {
    fn demand(&self, check: Name, who: &str, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            self.timeline.violation(check, who, what());
        }
    }

    /// P6: each journal held is one chain with stamps that go forward, and equal to its lane's own.
    fn journals(&self, books: &Books, own: &BTreeMap<LaneId, Vec<Entry>>) {
        let who = &books.name;
        for (lane, entries) in &books.journals {
            let mut head = Head::default();
            for entry in entries {
                match entry.check_follows(self.store.id, &head) {
                    Ok(next) => head = next,
                    Err(error) => {
                        let what = format!("a journal it holds is broken: {error}");
                        return self.timeline.violation(Name::Chain, who, what);
                    }
                }
            }
            self.demand(
                Name::Chain,
                who,
                books.heads.get(lane) == Some(&head),
                || format!("the end of the journal of {lane:?} is not where its chain ends"),
            );
            let is_gone = self.gone.contains(lane);
            let is_copy = own.get(lane).is_some_and(|own| match is_gone {
                true => own.starts_with(entries),
                false => own == entries,
            });
            self.demand(Name::CopiesEqual, who, is_copy, || {
                format!("its copy of the journal of {lane:?} differs from that lane's own")
            });
            self.stamps(who, entries);
        }
        let mut living = own.keys().filter(|lane| !self.gone.contains(*lane));
        let missing = living.find(|lane| !books.journals.contains_key(lane));
        self.demand(Name::CopiesEqual, who, missing.is_none(), || {
            format!("it holds no copy of the journal of {missing:?}")
        });
    }

    /// The hybrid clock's stamps of a journal go forward, whatever the wall clock did.
    fn stamps(&self, who: &str, entries: &[Entry]) {
        let mut last = Hlc::default();
        for entry in entries {
            let Ok(body) = entry.body() else {
                continue;
            };
            self.demand(Name::ClockForward, who, body.hlc > last, || {
                format!("{entry:?} is stamped {:?}, behind {last:?}", body.hlc)
            });
            last = body.hlc;
        }
    }

    /// P1: what a lane has applied is the union of the journals, each entry once, in its order.
    fn applied(&mut self, books: &Books, own: &BTreeMap<LaneId, Vec<Entry>>) {
        let who = &books.name;
        let mut applied: BTreeMap<LaneId, Vec<Entry>> = BTreeMap::new();
        for (place, (global, entry)) in (1..).zip(&books.applied) {
            self.demand(Name::Union, who, place == *global, || {
                format!("applied entry {global} stands at place {place}")
            });
            applied.entry(entry.lane).or_default().push(entry.clone());
        }
        self.demand(Name::Union, who, applied == *own, || {
            "what it applied is not the union of the journals".to_owned()
        });
        let entries = books.applied.iter().map(|(_, entry)| entry);
        self.receipts(who, entries.filter_map(receipt_of));
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
                [one] => self.demand(Name::ReceiptUnchanged, who, one == receipt, || {
                    format!("receipt {id} differs from the one that was printed")
                }),
                [] => {
                    self.tally.lost += 1;
                    let what = format!("receipt {id} is lost");
                    self.timeline.violation(Name::NothingLost, who, what);
                }
                more => {
                    self.tally.double += 1;
                    let what = format!("receipt {id} is there {} times", more.len());
                    self.timeline.violation(Name::NothingDouble, who, what);
                }
            }
        }
        for id in times.keys() {
            let what = format!("receipt {id} was printed for nobody");
            self.timeline.violation(Name::NothingInvented, who, what);
        }
    }

    fn expected_totals(&self) -> BTreeMap<(BusinessDay, LaneId), DayTotal> {
        let mut totals: BTreeMap<(BusinessDay, LaneId), DayTotal> = BTreeMap::new();
        for Acknowledged { lane, receipt, .. } in self.acknowledged {
            let currency = receipt.totals.total.currency();
            let key = (receipt.day.clone(), *lane);
            let total = totals.entry(key).or_insert(DayTotal::zero(currency));
            receipts::count(total, receipt, &self.sold);
        }
        totals
    }

    /// The day's totals that somebody keeps are the sums of the receipts.
    fn totals(&self, who: &str, found: &BTreeMap<(BusinessDay, LaneId), DayTotal>) {
        let expected = self.expected_totals();
        self.demand(Name::Totals, who, *found == expected, || {
            format!("its totals are {found:?}, and the receipts add up to {expected:?}")
        });
        for total in found.values() {
            let drawer: i64 = total.tenders.values().sum();
            self.demand(Name::Tenders, who, drawer == total.total, || {
                format!(
                    "{drawer} stayed in the drawer, and {} was sold",
                    total.total
                )
            });
        }
    }

    fn conserved(&self, who: &str, wrong: Option<String>) {
        if let Some(what) = wrong {
            self.timeline.violation(Name::Money, who, what);
        }
    }

    /// What a lane keeps as totals and sums of reports is what the journals say.
    fn money(&self, books: &Books, ledgers: &Ledgers) {
        let who = &books.name;
        for (lane, ledger) in ledgers {
            self.conserved(who, ledger.against_totals(*lane, &books.totals));
            let reports = books.reports.iter().filter(|(of, _)| of == lane);
            let reports = reports.map(|(_, tally)| tally);
            self.conserved(who, ledger.against_reports(*lane, reports));
        }
        if let Some(own) = ledgers.get(&books.lane) {
            self.conserved(who, own.against_periods(books.lane, &books.period));
            self.conserved(who, own.wrong.first().cloned());
        }
    }

    /// Stock is what was acknowledged, and nothing was set aside.
    fn sums(&self, books: &Books) {
        let who = &books.name;
        self.totals(who, &books.totals);
        let mut stock: BTreeMap<String, i64> = BTreeMap::new();
        for line in self.acknowledged.iter().flat_map(|a| &a.receipt.lines) {
            let moved = match &line.detail.returned {
                None => -line.quantity.milli(),
                Some(of) if of.restock => line.quantity.milli(),
                Some(_) => 0,
            };
            *stock.entry(line.item.to_string()).or_default() += moved;
        }
        self.demand(Name::Stock, who, books.stock == stock, || {
            format!("its stock is {:?}, and sold was {stock:?}", books.stock)
        });
        self.exceptions(books);
        let hash_holds = books.stored_hash == books.computed_hash;
        self.demand(Name::HashOfRows, who, hash_holds, || {
            "its state hash is not that of its rows".to_owned()
        });
    }

    /// P9: what two lanes did that did not know of each other is before a person, each copied disk
    /// that the store stopped, and each lane that it went on without; nothing else is.
    fn exceptions(&self, books: &Books) {
        let who = &books.name;
        let of_kind = |kind| {
            let records = books.exceptions.iter();
            records.filter(move |e: &&ExceptionRecord| e.kind == kind)
        };
        let found: Vec<Option<Conflict>> = books
            .exceptions
            .iter()
            .filter(|e| {
                !matches!(
                    e.kind,
                    ExceptionKind::LaneMissing
                        | ExceptionKind::LaneCopied
                        | ExceptionKind::NotPublished
                )
            })
            .map(|e| Some((e.kind, e.lane?, e.seq?)))
            .collect();
        let expected = conflicts::expected(books.applied.iter().map(|(_, entry)| entry));
        let is_expected = found.iter().copied().eq(expected.iter().copied().map(Some));
        self.demand(Name::NothingSetAside, who, is_expected, || {
            format!(
                "two lanes did {expected:?}, and its exceptions are {:?}",
                books.exceptions
            )
        });
        let stopped = of_kind(ExceptionKind::LaneCopied).map(|e| e.lane).collect();
        let wrong = copied::wrong(&self.store.copies_met(), &books.barred, stopped);
        self.demand(Name::NothingSetAside, who, wrong.is_none(), || {
            wrong.unwrap_or_default()
        });
        let missing: Vec<_> = of_kind(ExceptionKind::LaneMissing)
            .map(|e| e.lane)
            .collect();
        let wrong = copied::wrongly_missing(&self.store.missing(), &self.gone, &missing);
        self.demand(Name::NothingSetAside, who, wrong.is_none(), || {
            wrong.unwrap_or_default()
        });
    }

    /// A register is the fold of its journal.
    fn register(&self, books: &Books) {
        let mut register = Register::default();
        let own = books.journals.get(&books.lane).into_iter().flatten();
        for entry in own {
            match entry.body() {
                Ok(body) => {
                    if let Fact::Register { event, .. } = &body.fact {
                        self.receipt_is_folded(&books.name, &register, event);
                        evolve(&mut register, event);
                    }
                }
                Err(error) => {
                    let what = format!("an entry cannot be read: {error}");
                    self.timeline.violation(Name::Chain, &books.name, what);
                }
            }
        }
        // The view shows a part of the register.
        let is_fold = register.shown() == books.register;
        self.demand(Name::RegisterFold, &books.name, is_fold, || {
            "its register is not what its journal says".to_owned()
        });
    }

    /// A receipt has the lines that the journal before it adds up to.
    fn receipt_is_folded(&self, who: &str, register: &Register, event: &Event) {
        let Event::Completed { receipt, .. } = event else {
            return;
        };
        let cart = register.cart.iter();
        let is_folded = cart.flat_map(|cart| cart.live_lines()).eq(&receipt.lines);
        self.demand(Name::RegisterFold, who, is_folded, || {
            format!(
                "the lines of receipt {} are not what its journal says",
                receipt.id
            )
        });
    }

    /// P6: at rest all lanes have the same state.
    fn equal(&self, all: &[Books]) {
        let Some(first) = all.first() else {
            return;
        };
        for books in all {
            let is_equal = books.stored_hash == first.stored_hash;
            self.demand(Name::StateHash, &books.name, is_equal, || {
                format!("its state differs from that of {}", first.name)
            });
            let is_complete = books.hq_cursor == first.applied.len() as u64;
            self.demand(Name::CursorHonest, &books.name, is_complete, || {
                format!("its cursor of head office is {}", books.hq_cursor)
            });
        }
        let mut nodes = first.nodes.clone();
        nodes.sort_unstable();
        nodes.dedup();
        let is_unique = nodes.len() == first.nodes.len();
        self.demand(Name::NodeIdsUnique, &first.name, is_unique, || {
            format!("a node id was used again: {:?}", first.nodes)
        });
    }

    /// P1, P6: head office holds the union of the journals, and adds up the same.
    fn head_office(
        &mut self,
        lane: &Books,
        own: &BTreeMap<LaneId, Vec<Entry>>,
        ledgers: &Ledgers,
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
        let is_complete = cursor == lane.applied.len() as u64;
        self.demand(Name::CursorHonest, "hq", is_complete, || {
            format!("its cursor is {cursor} of {} entries", lane.applied.len())
        });
        self.demand(Name::NothingSetAside, "hq", set_aside.is_empty(), || {
            format!("it set aside {set_aside:?}")
        });
        self.demand(Name::Union, "hq", held == *own, || {
            "what it holds is not the union of the journals".to_owned()
        });
        self.receipts("hq", held.values().flatten().filter_map(receipt_of));
        let found: BTreeMap<_, _> = totals
            .into_iter()
            .map(|row| ((row.day, row.lane), row.total))
            .collect();
        self.totals("hq", &found);
        for (lane, ledger) in ledgers {
            self.conserved("hq", ledger.against_totals(*lane, &found));
        }
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
