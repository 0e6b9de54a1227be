//! Whether head office holds the union of the lane journals: no entry missing, none twice, none
//! other, and the totals that follow.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use hq::HeldEntry;
use ledger::{LaneId, Seq};

use super::audit::{Audit, BOOKS_REMEDY, span};
use super::chain::{Broken, Chain};
use super::findings::Check;
use super::head_office::{Books, HeadOffice};
use super::tally::{Counted, Tally, differing};

/// How long a running store may take to bring head office another entry.
const STILL_MAX: Duration = Duration::from_secs(10);
/// How long it may take in all.
const WAIT_MAX: Duration = Duration::from_secs(120);
const LOOK_AGAIN_AFTER: Duration = Duration::from_millis(200);

/// Whether lanes are running that may bring head office what it lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Store {
    Running,
    Stopped,
}

/// Notes what head office holds before the journals are read: no more than they do.
pub fn note_heads(audit: &mut Audit, hq: &HeadOffice) -> anyhow::Result<()> {
    hq.check_file()?;
    for (lane, summary) in hq.books(audit.store)?.lanes {
        audit.claim(hq.name(), lane, summary.entries);
    }
    Ok(())
}

/// Compares head office with everything that was read of the journals.
pub fn check(audit: &mut Audit, hq: &HeadOffice, store: Store) -> anyhow::Result<()> {
    let mut reading = Reading {
        audit,
        hq,
        chains: BTreeMap::new(),
        tally: Tally::default(),
        read: 0,
    };
    let books = reading.read_until_complete(store)?;
    reading.finish(&books);
    Ok(())
}

struct Reading<'a> {
    audit: &'a mut Audit,
    hq: &'a HeadOffice,
    chains: BTreeMap<LaneId, Chain>,
    tally: Tally,
    read: u64,
}

impl Reading<'_> {
    fn problem(&mut self, check: Check, message: String) {
        self.audit.findings.problem(check, self.hq.name(), message);
    }

    /// Reads on until nothing is missing, or a running store has had its time to bring it.
    fn read_until_complete(&mut self, store: Store) -> anyhow::Result<Books> {
        let began = Instant::now();
        let mut moved = Instant::now();
        loop {
            let read_before = self.read;
            let books = self.hq.books(self.audit.store)?;
            for (lane, summary) in &books.lanes {
                self.lane(*lane, summary.entries)?;
            }
            if self.read > read_before {
                moved = Instant::now();
            }
            let waited = moved.elapsed() >= STILL_MAX || began.elapsed() >= WAIT_MAX;
            if store == Store::Stopped || waited || self.missing(&books).is_empty() {
                return Ok(books);
            }
            std::thread::sleep(LOOK_AGAIN_AFTER);
        }
    }

    /// Reads a lane's entries on, up to the last that head office says it holds.
    fn lane(&mut self, lane: LaneId, last: Seq) -> anyhow::Result<()> {
        let store = self.audit.store;
        loop {
            let chain = self.chains.entry(lane);
            let next = chain.or_insert_with(|| Chain::new(store)).head().next_seq;
            if next > last {
                return Ok(());
            }
            let page = self.hq.entries(store, lane, next)?.entries;
            let held: Vec<HeldEntry> = page.into_iter().filter(|e| e.seq <= last).collect();
            if held.is_empty() {
                // Told once, and not looked for again.
                return self.cut_short(lane, last);
            }
            held.iter().for_each(|held| self.entry(lane, held));
        }
    }

    fn cut_short(&mut self, lane: LaneId, last: Seq) -> anyhow::Result<()> {
        let broken = self.chains.get_mut(&lane).and_then(|c| c.cut_short(last));
        if let Some(broken) = broken {
            self.broken(lane, &broken);
        }
        Ok(())
    }

    fn broken(&mut self, lane: LaneId, broken: &Broken) {
        self.audit
            .broken(Check::HeadOffice, self.hq.name(), lane, broken);
    }

    fn entry(&mut self, lane: LaneId, held: &HeldEntry) {
        let entry = held.entry(lane);
        self.read += 1;
        let Some(chain) = self.chains.get_mut(&lane) else {
            return;
        };
        for broken in chain.follow(&entry) {
            self.broken(lane, &broken);
        }
        if held.hash != entry.hash() {
            let message = format!(
                "Entry {} of {} was changed after head office took it: its hash then was {}. \
                 {BOOKS_REMEDY}",
                held.seq,
                self.audit.name(lane),
                held.hash,
            );
            self.problem(Check::HeadOffice, message);
        }
        let counted = self.tally.count(&entry);
        let is_sale = !matches!(counted, Counted::NoSale);
        if let Counted::Again(id) = counted {
            let message = format!("Receipt {id} is there twice. {BOOKS_REMEDY}");
            self.problem(Check::Receipts, message);
        }
        self.audit.known.see(self.hq.name(), &entry, is_sale);
    }

    /// What is known of the lanes and has not come to head office: the last entry there, by lane.
    fn missing(&self, books: &Books) -> Vec<(LaneId, Seq)> {
        let known = &self.audit.known;
        let held = |lane: &LaneId| books.lanes.get(lane).map_or(0, |summary| summary.entries);
        known
            .lanes()
            .map(|lane| (lane, held(&lane)))
            .filter(|(lane, held)| known.last(*lane) > *held)
            .collect()
    }

    fn finish(mut self, books: &Books) {
        self.audit.findings.checked(Check::HeadOffice, self.read);
        for (lane, held) in self.missing(books) {
            let (entries, sales) = self.audit.known.behind(lane, held);
            let message = format!(
                "{} of {} have not come to head office: {entries} entries, {sales} sales. Start \
                 the store's lanes with head office reachable; they send what is missing.",
                span(held + 1, self.audit.known.last(lane)),
                self.audit.name(lane),
            );
            self.problem(Check::HeadOffice, message);
        }
        self.ends(books);
        self.totals(books);
        self.set_aside(books);
    }

    /// Whether each chain ends as head office says, and whether someone was asked who knows it.
    fn ends(&mut self, books: &Books) {
        for (lane, summary) in &books.lanes {
            self.audit.number(*lane, summary.number);
            let chain = self.chains.get(lane);
            let differs = chain.is_some_and(|chain| {
                chain.is_whole()
                    && summary.entries > 0
                    && !chain.ends_at(summary.entries + 1, summary.hash)
            });
            if differs {
                let message = format!(
                    "The entries of {} do not end with the one that head office last took. \
                     {BOOKS_REMEDY}",
                    self.audit.name(*lane)
                );
                self.problem(Check::HeadOffice, message);
            }
        }
    }

    fn totals(&mut self, books: &Books) {
        let findings = &mut self.audit.findings;
        findings.checked(Check::HeadOfficeTotals, books.totals.len() as u64);
        for (day, lane, what) in differing(&books.totals, &self.tally.totals) {
            let message = format!("{}, {day}: {what}. {BOOKS_REMEDY}", self.audit.name(lane));
            self.problem(Check::HeadOfficeTotals, message);
        }
    }

    fn set_aside(&mut self, books: &Books) {
        for aside in &books.set_aside {
            let what = format!(
                "Entry {} of {} was set aside: {}.",
                aside.seq,
                self.audit.name(aside.lane),
                aside.reason
            );
            match aside.held {
                true => self
                    .audit
                    .findings
                    .note(format!("{}: {what}", self.hq.name())),
                false => {
                    let message = format!("{what} It is kept there and is in no total.");
                    self.problem(Check::HeadOffice, message);
                }
            }
        }
    }
}
