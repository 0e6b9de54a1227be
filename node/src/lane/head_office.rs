//! What the shipper to head office needs of this lane.

use std::time::Duration;

use async_trait::async_trait;
use ledger::{Command, Entry, Outcome, StoreView, TableError};
use storage::StateReader;
use sync::{Committed, CommittedError, ShippedStore};
use wire::HqLane;

use super::propose::Proposer;

/// How long moving the cursor may wait for the other lanes.
const CURSOR_LIMIT: Duration = Duration::from_secs(5);

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
        let command = Command::HqCursor { cursor };
        match self.proposer.propose(&command, CURSOR_LIMIT).await {
            Ok(Outcome::Refused { reason }) => Err(CommittedError(reason)),
            Ok(_) => Ok(()),
            Err(failure) => Err(CommittedError(failure.to_string())),
        }
    }
}
