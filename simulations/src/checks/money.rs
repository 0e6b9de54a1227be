//! Money is conserved: what customers handed over, less what they got back, is what the receipts say,
//! what the day's totals and the reports say, and what lies in the drawers.
//!
//! Everything is added up here from the journals alone, event by event, by this file's own arithmetic,
//! for each lane and business day; then held against what each lane keeps as totals and as sums of
//! reports, and against head office's totals. Reports of what has no business day of its own (a drop, a
//! count) are compared over all days of a lane.

use std::collections::BTreeMap;

use ledger::{DayTotal, Entry, Fact, LaneId};
use sale::{BusinessDay, CashMovement, Event, Receipt, Tally, Tender};

/// Sums by kind of tender, in minor units.
type Tenders = BTreeMap<String, i128>;

/// What the journal of a lane says of money, in minor units.
#[derive(Debug, Default)]
pub struct Ledger {
    /// Tendered less change, and what receipts cost, by business day.
    days: BTreeMap<BusinessDay, (Tenders, i128)>,
    moved: Moved,
    /// What should be in the open drawer, counted along note by note; `None` while none is open.
    drawer: Option<i128>,
    /// Cash handed over for the open sale, at whatever lane.
    paid: i128,
    /// Reports that ended a period.
    reports_z: Vec<Tally>,
    /// What is wrong in the journal itself.
    pub wrong: Vec<String>,
}

/// Cash that moved without a receipt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Moved {
    floats: i128,
    drops: i128,
    paid_in: i128,
    paid_out: i128,
    over_short: i128,
    /// Paid on sales put aside, less what had been paid on sales taken up.
    set_aside: i128,
}

fn cash(tenders: &[Tender]) -> i128 {
    let cash = tenders.iter().filter_map(|tender| match tender {
        Tender::Cash { amount } => Some(i128::from(amount.minor())),
        _ => None,
    });
    cash.sum()
}

impl Ledger {
    /// Adds up a lane's journal.
    pub fn of(entries: &[Entry]) -> Ledger {
        let mut ledger = Ledger::default();
        for entry in entries {
            if let Ok(body) = entry.body()
                && let Fact::Register { event, .. } = body.fact
            {
                ledger.add(&event);
            }
        }
        ledger
    }

    fn put_into_drawer(&mut self, minor: i128) {
        if let Some(drawer) = &mut self.drawer {
            *drawer += minor;
        }
    }

    fn add(&mut self, event: &Event) {
        match event {
            Event::Completed { receipt, .. } => self.receipt(receipt),
            Event::Tendered { tender, .. } => {
                let cash = cash(std::slice::from_ref(tender));
                self.paid += cash;
                self.put_into_drawer(cash);
            }
            Event::TendersReturned { .. } => {
                let paid = std::mem::take(&mut self.paid);
                self.put_into_drawer(-paid);
            }
            Event::CartOpened { .. } | Event::CartVoided { .. } => self.paid = 0,
            Event::Suspended { open, .. } => {
                self.paid = 0;
                self.moved.set_aside += cash(&open.tenders);
            }
            Event::Resumed { open, .. } => {
                self.paid = cash(&open.tenders);
                self.moved.set_aside -= self.paid;
            }
            Event::ReportedZ { report, .. } => self.reports_z.push(report.as_ref().clone()),
            _ => self.drawer_work(event),
        }
    }

    fn drawer_work(&mut self, event: &Event) {
        match event {
            Event::DrawerOpened { float, .. } => {
                self.moved.floats += i128::from(float.minor());
                self.drawer = Some(i128::from(float.minor()));
            }
            Event::CashMoved {
                movement, amount, ..
            } => {
                let amount = i128::from(amount.minor());
                let (sum, into) = match movement {
                    CashMovement::Drop => (&mut self.moved.drops, -amount),
                    CashMovement::PayIn => (&mut self.moved.paid_in, amount),
                    CashMovement::PayOut => (&mut self.moved.paid_out, -amount),
                };
                *sum += amount;
                self.put_into_drawer(into);
            }
            Event::DrawerCounted {
                pieces,
                counted,
                expected,
                ..
            } => {
                let pieces = pieces.iter();
                let sum: i128 = pieces
                    .map(|(value, count)| i128::from(value.minor()) * i128::from(*count))
                    .sum();
                let (counted, expected) =
                    (i128::from(counted.minor()), i128::from(expected.minor()));
                let there = self.drawer.take();
                if (sum, Some(expected)) != (counted, there) {
                    self.wrong.push(format!(
                        "{sum} in notes and coins was counted as {counted}, and the drawer was said \
                         to hold {expected} and by its entries holds {there:?}"
                    ));
                }
                self.moved.over_short += counted - expected;
            }
            _ => {}
        }
    }

    fn receipt(&mut self, receipt: &Receipt) {
        let change = i128::from(receipt.change.minor());
        if cash(&receipt.tenders) != std::mem::take(&mut self.paid) {
            let id = &receipt.id;
            self.wrong.push(format!(
                "the cash on receipt {id} is not what was handed over"
            ));
        }
        self.put_into_drawer(-change);
        let (tenders, total) = self.days.entry(receipt.day.clone()).or_default();
        for tender in &receipt.tenders {
            *tenders.entry(tender.kind().to_owned()).or_default() +=
                i128::from(tender.amount().minor());
        }
        if change != 0 {
            *tenders.entry("cash".to_owned()).or_default() -= change;
        }
        *total += i128::from(receipt.totals.total.minor());
    }

    /// What somebody's totals of this lane's days say that the journal does not.
    pub fn against_totals(&self, lane: LaneId, totals: &Totals) -> Option<String> {
        let found: BTreeMap<BusinessDay, (Tenders, i128)> = totals
            .iter()
            .filter(|((_, of), _)| *of == lane)
            .map(|((day, _), total)| {
                let tenders = total.tenders.iter();
                let tenders = tenders.map(|(kind, sum)| (kind.clone(), i128::from(*sum)));
                (day.clone(), (tenders.collect(), i128::from(total.total)))
            })
            .collect();
        (found != self.days).then(|| {
            format!(
                "the totals of lane {} are {found:?}, and its journal adds up to {:?}",
                lane.short(),
                self.days
            )
        })
    }

    /// What the lane's reports of periods, and what it has added up since the last one, say that the
    /// journal does not.
    pub fn against_periods(&self, lane: LaneId, since: &Tally) -> Option<String> {
        self.against_reports(lane, self.reports_z.iter().chain([since]))
    }

    /// What the reports of all of this lane's days say that the journal does not.
    pub fn against_reports<'a>(
        &self,
        lane: LaneId,
        reports: impl Iterator<Item = &'a Tally>,
    ) -> Option<String> {
        let mut all = Tally::default();
        reports.for_each(|tally| all.merge(tally));
        let tenders = all.tenders.iter();
        let tenders: Tenders = tenders
            .map(|(kind, sum)| (kind.clone(), i128::from(sum.amount)))
            .collect();
        let found = Moved {
            floats: i128::from(all.floats.amount),
            drops: i128::from(all.drops.amount),
            paid_in: i128::from(all.paid_in.amount),
            paid_out: i128::from(all.paid_out.amount),
            over_short: i128::from(all.over_short.amount),
            set_aside: i128::from(all.set_aside),
        };
        let mut expected = Tenders::new();
        for (tenders, _) in self.days.values() {
            for (kind, sum) in tenders {
                *expected.entry(kind.clone()).or_default() += sum;
            }
        }
        (found != self.moved || tenders != expected).then(|| {
            format!(
                "the reports of lane {} say {found:?} and {tenders:?}, and its journal adds up to \
                 {:?} and {expected:?}",
                lane.short(),
                self.moved
            )
        })
    }
}

/// Totals by business day and lane.
pub type Totals = BTreeMap<(BusinessDay, LaneId), DayTotal>;
