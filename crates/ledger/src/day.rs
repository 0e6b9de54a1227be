//! The rules about a lane's day: business days, the sums of reports, suspended sales.

use catalog::Reference;
use sale::{BusinessDay, Cart, Event, LaneId, LocalTime, Tally};

use crate::apply::Rules;
use crate::store::{day_key, row};
use crate::{Entry, ExceptionKind, LaneDayRecord, StoreView, SuspendedRecord, Table, TableError};

impl Rules<'_, '_> {
    pub(crate) fn day(&mut self, entry: &Entry, event: &Event) -> Result<(), TableError> {
        let day = self.follow_days(entry.lane, event)?;
        if Tally::counts(event)
            && let Some(day) = day
        {
            let key = day_key(&day, entry.lane);
            let mut tally: Tally = row(self.tables, Table::Tally, &key)?.unwrap_or_default();
            tally.add(event);
            self.put(Table::Tally, &key, &tally)?;
        }
        match event {
            Event::Suspended { slip, open, .. } => self.suspended(slip, open),
            Event::Resumed { slip, .. } => self.resumed(entry, slip),
            _ => Ok(()),
        }
    }

    /// The business day an event belongs to. Events that say nothing of a day belong to the one
    /// that is open on their lane, or else to the one on which something last happened there.
    fn follow_days(
        &mut self,
        lane: LaneId,
        event: &Event,
    ) -> Result<Option<BusinessDay>, TableError> {
        let before: LaneDayRecord = row(self.tables, Table::LaneDay, &lane.0)?.unwrap_or_default();
        let mut after = before.clone();
        let day = match event {
            Event::CartOpened { day, .. } => Some(day.clone()),
            Event::Completed { receipt, .. } => Some(receipt.day.clone()),
            Event::DayOpened { day, .. } => {
                after.open = Some(day.clone());
                Some(day.clone())
            }
            Event::DayClosed { day, .. } => {
                after.open = None;
                after.closed = Some(day.clone());
                Some(day.clone())
            }
            _ => match (&before.open, moment(event)) {
                (Some(open), _) => Some(open.clone()),
                (None, Some(at)) => {
                    let settings = StoreView::new(self.tables).settings();
                    Some(at.business_day_from(settings.day_starts_at_hour))
                }
                (None, None) => before.last.clone(),
            },
        };
        if day.is_some() {
            after.last.clone_from(&day);
        }
        if after != before {
            self.put(Table::LaneDay, &lane.0, &after)?;
        }
        Ok(day)
    }

    fn suspended(&mut self, slip: &str, open: &Cart) -> Result<(), TableError> {
        // Another lane may have taken it up from a copy before this entry was applied.
        if row::<SuspendedRecord>(self.tables, Table::Suspended, slip.as_bytes())?.is_some() {
            return Ok(());
        }
        let record = SuspendedRecord {
            open: Some(open.clone()),
            resumed_on: None,
        };
        self.put(Table::Suspended, slip.as_bytes(), &record)
    }

    fn resumed(&mut self, entry: &Entry, slip: &str) -> Result<(), TableError> {
        let known: SuspendedRecord =
            row(self.tables, Table::Suspended, slip.as_bytes())?.unwrap_or_default();
        if let Some(first) = known.resumed_on {
            let message = format!(
                "The suspended sale {slip} was taken up twice: on lane {} and on lane {}. Check \
                 whether the customer paid for it once.",
                first.short(),
                entry.lane.short()
            );
            return self.exception(ExceptionKind::ResumedTwice, Some(entry), message);
        }
        let record = SuspendedRecord {
            open: None,
            resumed_on: Some(entry.lane),
        };
        self.put(Table::Suspended, slip.as_bytes(), &record)
    }
}

/// When an event happened, where it says so.
fn moment(event: &Event) -> Option<LocalTime> {
    match event {
        Event::SignedIn { at, .. }
        | Event::SignedOut { at }
        | Event::CartOpened { at, .. }
        | Event::TenderStarted { at, .. }
        | Event::CartVoided { at, .. }
        | Event::Approved { at, .. }
        | Event::Suspended { at, .. }
        | Event::Resumed { at, .. }
        | Event::DayOpened { at, .. }
        | Event::DayClosed { at, .. }
        | Event::DrawerOpened { at, .. }
        | Event::DrawerAssigned { at, .. }
        | Event::NoSale { at, .. }
        | Event::CashMoved { at, .. }
        | Event::DrawerCounted { at, .. }
        | Event::ReportedZ { at, .. }
        | Event::StockMoved { at, .. }
        | Event::CustomerKept { at, .. }
        | Event::CustomersMerged { at, .. }
        | Event::CustomerErased { at, .. }
        | Event::TrainingBegun { at, .. }
        | Event::TrainingEnded { at, .. }
        | Event::CardCancelled { at, .. }
        | Event::CardAnswered { at, .. }
        | Event::CardLeft { at, .. } => Some(*at),
        Event::CardAsked { ask } => Some(ask.at),
        _ => None,
    }
}
