//! What shipping to head office, and taking what it publishes, need of this lane.

use std::time::Duration;

use async_trait::async_trait;
use catalog::Reference;
use ledger::{
    Command, Entry, FORMAT_FIRST, FORMAT_PUBLICATIONS, Outcome, StoreId, StoreView, TableError,
    record_format,
};
use storage::StateReader;
use sync::{Committed, CommittedError, Published, ShippedStore};
use wire::{HqLane, HqPublication};

use super::propose::Proposer;
use crate::vet;

/// How long moving the cursor may wait for the other lanes.
const CURSOR_LIMIT: Duration = Duration::from_secs(5);
/// How long a publication may wait for them.
const PUBLICATION_LIMIT: Duration = Duration::from_secs(5);

/// The store as this lane has applied it.
pub struct CommittedHere {
    pub state: StateReader,
    pub proposer: Proposer,
}

impl CommittedHere {
    fn read<T>(
        &self,
        read: impl FnOnce(&StoreView<'_>) -> Result<T, TableError>,
    ) -> Result<T, CommittedError> {
        let answer = self.state.read(|tables| read(&StoreView::new(tables)));
        answer
            .map_err(|error| CommittedError(error.to_string()))?
            .map_err(|error| CommittedError(error.to_string()))
    }

    async fn propose(&self, command: &Command, limit: Duration) -> Result<(), CommittedError> {
        match self.proposer.propose(command, limit).await {
            Ok(Outcome::Refused { reason }) => Err(CommittedError(reason)),
            Ok(_) => Ok(()),
            Err(failure) => Err(CommittedError(failure.to_string())),
        }
    }
}

#[async_trait]
impl Committed for CommittedHere {
    fn store(&self) -> Result<Option<ShippedStore>, CommittedError> {
        let record = self.read(|store| store.store())?;
        Ok(record.map(|record| ShippedStore {
            id: record.store,
            epoch: record.epoch(),
            name: record.name,
        }))
    }

    fn lanes(&self) -> Result<Vec<HqLane>, CommittedError> {
        let lanes = self.read(|store| store.lanes())?.into_iter();
        Ok(lanes
            .map(|lane| HqLane {
                lane: lane.lane,
                number: lane.number,
                name: lane.name,
            })
            .collect())
    }

    fn hq_cursor(&self) -> Result<u64, CommittedError> {
        self.read(|store| store.hq_cursor())
    }

    fn entries_after(&self, after: u64, limit: usize) -> Result<Vec<(u64, Entry)>, CommittedError> {
        self.read(|store| store.entries_after(after, limit))
    }

    async fn move_cursor(&self, cursor: u64) -> Result<(), CommittedError> {
        self.propose(&Command::HqCursor { cursor }, CURSOR_LIMIT)
            .await
    }
}

#[async_trait]
impl Published for CommittedHere {
    fn taken(&self) -> Result<Option<(StoreId, u64)>, CommittedError> {
        self.read(|view| {
            let Some(store) = view.store()? else {
                return Ok(None);
            };
            let reads = store.level >= FORMAT_PUBLICATIONS;
            let last = view.published()?.last;
            Ok(reads.then_some((store.store, last)))
        })
    }

    async fn take(&self, after: u64, publication: HqPublication) -> Result<(), CommittedError> {
        let currency = self.read(|store| Ok(store.settings().currency))?;
        let mut records = Vec::with_capacity(publication.records.len());
        let mut left_out = Vec::new();
        for (sent, place) in publication.records.iter().zip(1..) {
            match sent.record() {
                Ok(record) => match vet::unusable(&record, currency) {
                    None => records.push(record),
                    Some(reason) => left_out.push(reason),
                },
                Err(error) => left_out.push(format!(
                    "Record {place} cannot be read ({error}): it is of a later release, or damaged."
                )),
            }
        }
        let wanted = records.iter().map(record_format).max();
        let wanted = wanted.unwrap_or(FORMAT_FIRST);
        if let Some(lanes) = self.read(|store| store.held_back_by(wanted))? {
            let number = publication.number;
            return Err(CommittedError(format!(
                "Publication {number} waits: {lanes} cannot read it. It is of an earlier release of \
                 Lanemesh: update it."
            )));
        }
        let command = Command::Publish {
            number: publication.number,
            after,
            author: publication.author,
            records,
            left_out,
        };
        self.propose(&command, PUBLICATION_LIMIT).await
    }
}
