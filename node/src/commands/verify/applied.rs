//! One lane's copy of the store's state, checked against itself: no gap in what was applied, every
//! figure equal to what the applied sales come to, the hash equal to the rows.

use std::collections::BTreeMap;

use catalog::ItemId;
use ledger::{
    Entry, Epoch, ExceptionKind, LaneId, LaneRecord, StateHash, StoreView, Table, TableError,
    Tables, computed_hash, hashes_at, stored_hash,
};

use super::audit::{Audit, STATE_REMEDY, span};
use super::chain::{Broken, Chain};
use super::findings::Check;
use super::rows::Rows;
use super::tally::{Counted, Tally, differing};

/// Entries read at a time.
const PAGE_ENTRIES: usize = 1_000;

/// What of a state matters for comparing it with another lane's.
pub struct Applied {
    pub place: String,
    /// State hash by log index, the newest few thousand.
    pub hashes: BTreeMap<u64, StateHash>,
    /// The store's epoch it belongs to.
    pub epoch: Epoch,
}

/// Checks a state. Fails where it cannot be read.
pub fn check(audit: &mut Audit, place: &str, tables: &dyn Tables) -> Result<Applied, TableError> {
    let hashes = hashes_at(tables)?;
    let view = StoreView::new(tables);
    let applied = Applied {
        place: place.to_owned(),
        hashes,
        epoch: view.store()?.map_or(Epoch::FIRST, |record| record.epoch()),
    };
    match view.store()? {
        None => {
            audit
                .findings
                .note(format!("{place} has not received the store's state yet."));
            return Ok(applied);
        }
        Some(record) if record.store != audit.store => {
            let message = format!(
                "The state is of store {} ({}), the lane is of store {}. {STATE_REMEDY}",
                record.store, record.name, audit.store
            );
            audit.findings.problem(Check::Folders, place, message);
            return Ok(applied);
        }
        Some(_) => {}
    }
    let lanes = view.lanes()?;
    for lane in &lanes {
        audit.number(lane.lane, lane.number);
    }
    let mut reading = Reading {
        audit,
        place,
        chains: BTreeMap::new(),
        tally: Tally::default(),
        last: 0,
        gaps: false,
    };
    reading.entries(tables, &view)?;
    reading.ends(&view, &lanes)?;
    reading.totals(&view)?;
    reading.stock(tables, &view)?;
    reading.hash(tables, &applied)?;
    reading.exceptions(&view)?;
    Ok(applied)
}

struct Reading<'a> {
    audit: &'a mut Audit,
    place: &'a str,
    chains: BTreeMap<LaneId, Chain>,
    tally: Tally,
    /// The last global sequence seen.
    last: u64,
    /// Whether applied entries are missing. What follows from that is not told again.
    gaps: bool,
}

impl Reading<'_> {
    fn problem(&mut self, check: Check, message: &str) {
        let message = format!("{message} {STATE_REMEDY}");
        self.audit.findings.problem(check, self.place, message);
    }

    /// Every applied entry, in the store's order.
    fn entries(&mut self, tables: &dyn Tables, view: &StoreView<'_>) -> Result<(), TableError> {
        let mut read = 0;
        while self.last < u64::MAX {
            match view.entries_after(self.last, PAGE_ENTRIES) {
                Ok(page) if page.is_empty() => break,
                Ok(page) => {
                    read += page.len() as u64;
                    page.iter()
                        .for_each(|(global, entry)| self.entry(*global, entry));
                }
                Err(_) => {
                    read += 1;
                    self.one_entry(tables, view)?;
                }
            }
        }
        self.audit.findings.checked(Check::AppliedEntries, read);
        let receipts = self.tally.receipts();
        self.audit.findings.checked(Check::Receipts, receipts);
        Ok(())
    }

    /// The next entry alone: it, or one close behind it, is no entry.
    fn one_entry(&mut self, tables: &dyn Tables, view: &StoreView<'_>) -> Result<(), TableError> {
        let error = match view.entries_after(self.last, 1) {
            Ok(page) => {
                page.iter()
                    .for_each(|(global, entry)| self.entry(*global, entry));
                return Ok(());
            }
            Err(error) => error,
        };
        let from = (self.last + 1).to_be_bytes();
        let rows = tables.scan(Table::Entry, &from, 1)?;
        let Some(global) = rows.first().and_then(|(key, _)| global_of(key)) else {
            return Err(error);
        };
        self.number(global);
        self.gaps = true;
        self.problem(
            Check::AppliedEntries,
            &format!("Number {global} of the applied entries cannot be read ({error})."),
        );
        Ok(())
    }

    /// Takes note of a place in the store's order.
    fn number(&mut self, global: u64) {
        if global > self.last + 1 {
            self.gap(self.last + 1, global - 1);
        }
        self.last = global;
    }

    fn gap(&mut self, from: u64, to: u64) {
        self.gaps = true;
        let message = format!(
            "{} in the store's order: not there, although later ones were applied.",
            span(from, to)
        );
        self.problem(Check::AppliedEntries, &message);
    }

    fn entry(&mut self, global: u64, entry: &Entry) {
        self.number(global);
        let store = self.audit.store;
        let chain = self.chains.entry(entry.lane);
        let chain = chain.or_insert_with(|| Chain::new(store));
        for broken in chain.follow(entry) {
            let told = self.gaps && matches!(broken, Broken::Missing { .. });
            if !told {
                self.audit
                    .broken(Check::AppliedEntries, self.place, entry.lane, &broken);
            }
        }
        let counted = self.tally.count(entry);
        let is_sale = !matches!(counted, Counted::NoSale);
        if let Counted::Again(id) = counted {
            let message = format!("Receipt {id} is counted twice.");
            self.problem(Check::Receipts, &message);
        }
        self.audit.known.see(self.place, entry, is_sale);
    }

    /// Whether the entries end where the store's own counts say.
    fn ends(&mut self, view: &StoreView<'_>, lanes: &[LaneRecord]) -> Result<(), TableError> {
        let counted = view.entries()?;
        if counted > self.last {
            self.gap(self.last + 1, counted);
        } else if counted < self.last {
            let message = format!(
                "{} entries are there; the store has counted {counted}.",
                self.last
            );
            self.problem(Check::AppliedEntries, &message);
        }
        let store = self.audit.store;
        for lane in lanes {
            let chain = self.chains.remove(&lane.lane);
            let chain = chain.unwrap_or_else(|| Chain::new(store));
            self.audit.applied_to(self.place, lane.lane, chain.last());
            let may_differ = self.gaps || !chain.is_whole();
            if chain.head() != lane.head && !may_differ {
                let message = format!(
                    "The applied entries of {} end with {}; the store's record of the lane says \
                     {}.",
                    self.audit.name(lane.lane),
                    chain.last(),
                    lane.head.next_seq.saturating_sub(1),
                );
                self.problem(Check::AppliedEntries, &message);
            }
        }
        for lane in std::mem::take(&mut self.chains).into_keys() {
            let message = format!(
                "Entries of {} were applied, and it is no lane of this store.",
                self.audit.name(lane)
            );
            self.problem(Check::AppliedEntries, &message);
        }
        Ok(())
    }

    fn totals(&mut self, view: &StoreView<'_>) -> Result<(), TableError> {
        let stored = view.totals()?;
        let stored = stored
            .into_iter()
            .map(|(day, lane, total)| ((day, lane), total))
            .collect();
        for (day, lane, what) in differing(&stored, &self.tally.totals) {
            let message = format!("{}, {day}: {what}.", self.audit.name(lane));
            self.problem(Check::Totals, &message);
        }
        let findings = &mut self.audit.findings;
        findings.checked(Check::Totals, stored.len() as u64);
        Ok(())
    }

    fn stock(&mut self, tables: &dyn Tables, view: &StoreView<'_>) -> Result<(), TableError> {
        let mut counted = std::mem::take(&mut self.tally.stock_milli);
        let mut figures = 0;
        for row in Rows::new(tables, Table::Stock) {
            let (key, _) = row?;
            let item = ItemId(String::from_utf8_lossy(&key).into_owned());
            self.stock_of(&item, view.stock_milli(&item)?, counted.remove(&item));
            figures += 1;
        }
        for (item, stock_milli) in counted {
            self.stock_of(&item, 0, Some(stock_milli));
        }
        self.audit.findings.checked(Check::Stock, figures);
        Ok(())
    }

    fn stock_of(&mut self, item: &ItemId, stored_milli: i64, counted_milli: Option<i64>) {
        let counted_milli = counted_milli.unwrap_or(0);
        if stored_milli != counted_milli {
            let message = format!(
                "Item {item}: the stock says {stored_milli}, its sales come to {counted_milli} \
                 (thousandths of its unit)."
            );
            self.problem(Check::Stock, &message);
        }
    }

    fn hash(&mut self, tables: &dyn Tables, applied: &Applied) -> Result<(), TableError> {
        let (stored, computed) = (stored_hash(tables)?, computed_hash(tables)?);
        self.audit.findings.checked(Check::StateHashes, 1);
        let newest = applied.hashes.last_key_value();
        if stored != computed {
            self.problem(
                Check::StateHashes,
                &format!(
                    "The rows have the hash {computed}, and {stored} was written down: a row was \
                     changed past the store's rules."
                ),
            );
        } else if let Some((index, newest)) = newest.filter(|(_, newest)| **newest != stored) {
            self.problem(
                Check::StateHashes,
                &format!("The hash noted at log index {index} is {newest}, the state's {stored}."),
            );
        }
        Ok(())
    }

    fn exceptions(&mut self, view: &StoreView<'_>) -> Result<(), TableError> {
        let exceptions = view.exception_list()?;
        let refused = exceptions
            .iter()
            .filter(|e| e.kind == ExceptionKind::BrokenChain)
            .count();
        let findings = &mut self.audit.findings;
        if !exceptions.is_empty() {
            findings.note(format!(
                "{}: {} exceptions are written down for a person, {refused} of them about \
                 journals that were not taken.",
                self.place,
                exceptions.len()
            ));
        }
        if self.tally.unreadable > 0 {
            findings.note(format!(
                "{}: {} entries are of a later release and count in no total yet.",
                self.place, self.tally.unreadable
            ));
        }
        for receipt in &self.tally.uncountable {
            findings.note(format!(
                "{}: receipt {receipt} cannot be added to its day's total.",
                self.place
            ));
        }
        Ok(())
    }
}

fn global_of(key: &[u8]) -> Option<u64> {
    Some(u64::from_be_bytes(key.try_into().ok()?))
}
