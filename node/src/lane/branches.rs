//! What a machine with a copy of a lane's disk wrote under that lane's id.
//!
//! Two machines that work with one disk, be it one after the other or in two halves of a split store,
//! write two journals with one beginning. Which of them is the lane's the store's log decides: that
//! of which it takes the next entry first. Entries of the other one are found where they are held, be
//! it as copies or as the own journal of a machine that joined again: by their hashes, at the same
//! sequence numbers. Whoever holds them writes them into its own journal as they are
//! ([`Fact::CarriedOver`](ledger::Fact::CarriedOver)), and only then forgets them as that lane's. So
//! what was sold there is with all lanes and at head office, before a person, and counts nowhere twice.
//!
//! Nothing here looks at the lane's own journal: a lane that finds that the store has another one than
//! itself says so ([`Trouble::Parted`](super::standing::Trouble)) and is to join again.

use std::collections::BTreeMap;
use std::time::Duration;

use ledger::{
    ENTRY_BYTES_MAX, Entry, FORMAT_CARRIES_OVER, Head, LaneId, Seq, StoreView, TableError,
};
use providers::SharedClock;
use storage::{Journal, StateReader, StorageError};

use super::register::RegisterHandle;

const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Applied entries looked at in one go.
const PAGE: u64 = 500;
/// Entries carried over in one commit.
const CARRY_ENTRIES_MAX: usize = 100;
const CARRY_BYTES_MAX: usize = 1024 * 1024;
/// What an entry may have besides the one that it carries over.
const AROUND_BYTES_MAX: usize = 1024;

#[derive(Debug, thiserror::Error)]
enum BranchError {
    #[error(transparent)]
    Storage(#[from] StorageError),
    #[error(transparent)]
    Table(#[from] TableError),
    #[error("entry {0:?} is too large to be carried over; it is kept as it is")]
    TooLarge(Entry),
    #[error("this lane is closing")]
    Closing,
}

/// What is held of a lane.
enum Found {
    /// All that the store has applied, and no more.
    AsApplied,
    /// To be looked at again.
    Undecided,
}

pub struct Branches {
    pub lane: LaneId,
    pub journal: Journal,
    pub state: StateReader,
    pub clock: SharedClock,
    pub register: RegisterHandle,
}

/// Whether the store has other entries than `journal` of a lane that it has applied up to `applied`.
/// False as long as the journal holds less than that.
pub fn parts(journal: &Journal, lane: LaneId, applied: Head) -> Result<bool, StorageError> {
    let held = last_before(journal, lane, applied)?;
    Ok(held.is_some_and(|entry| entry.hash() != applied.hash))
}

/// Whether the store has applied of `lane`, whose own journal this is, what it never wrote.
pub fn is_foreign(journal: &Journal, lane: LaneId, applied: Head) -> Result<bool, StorageError> {
    // What lies in the file counts: an entry is there before the journal tells how far it goes.
    let held = last_before(journal, lane, applied)?;
    Ok(applied.next_seq > 1 && held.is_none_or(|entry| entry.hash() != applied.hash))
}

/// The last entry before the end of a chain, if it is held.
fn last_before(journal: &Journal, lane: LaneId, end: Head) -> Result<Option<Entry>, StorageError> {
    let Some(last) = end.next_seq.checked_sub(1).filter(|last| *last > 0) else {
        return Ok(None);
    };
    Ok(journal.read(lane, last, 1, 1)?.pop())
}

/// Tells whether the store has another entry of a lane where a run of that lane says that it started:
/// as far as this lane has applied the store's log.
pub fn judge(
    journal: Journal,
    state: StateReader,
) -> impl Fn(LaneId, Head) -> bool + Send + Sync + 'static {
    move |lane, started| match starts_elsewhere(&journal, &state, lane, started) {
        Ok(parts) => parts,
        Err(error) => {
            tracing::error!(lane = %lane.short(), %error, "where a sibling started cannot be told");
            false
        }
    }
}

fn starts_elsewhere(
    journal: &Journal,
    state: &StateReader,
    lane: LaneId,
    started: Head,
) -> Result<bool, BranchError> {
    let applied = state.read(|tables| StoreView::new(tables).lane(lane))??;
    let Some(applied) = applied.map(|record| record.head) else {
        return Ok(false);
    };
    if applied.next_seq < started.next_seq {
        return Ok(false);
    }
    // Where this lane holds the store's journal of it, a look is enough.
    let is_held = journal.head(lane).next_seq >= applied.next_seq;
    if is_held && !parts(journal, lane, applied)? {
        return Ok(parts(journal, lane, started)?);
    }
    let mut before: Seq = state.read(|tables| StoreView::new(tables).entries())?? + 1;
    while before > 1 {
        let page = page_before(state, before)?;
        let mut of_lane = page.iter().filter(|(_, entry)| entry.lane == lane);
        let found = of_lane.find(|(_, entry)| entry.seq + 1 == started.next_seq);
        if let Some((_, entry)) = found {
            return Ok(entry.hash() != started.hash);
        }
        before = page.first().map_or(1, |(global, _)| *global);
    }
    Ok(false)
}

/// Applied entries right before the global sequence `before`, in order.
fn page_before(state: &StateReader, before: Seq) -> Result<Vec<(Seq, Entry)>, BranchError> {
    let after = before.saturating_sub(PAGE + 1);
    let count = usize::try_from(before - after - 1).unwrap_or(usize::MAX);
    Ok(state.read(|tables| StoreView::new(tables).entries_after(after, count))??)
}

impl Branches {
    /// Looks over what is held of other lanes, for as long as this one runs.
    pub async fn follow(self) {
        let mut settled = BTreeMap::new();
        loop {
            self.clock.sleep(LOOK_EVERY).await;
            let doubted = self.journal.doubted();
            for (lane, end) in self.journal.heads() {
                let is_settled = settled.get(&lane) == Some(&end) && !doubted.contains(&lane);
                if lane == self.lane || is_settled {
                    continue;
                }
                match self.look(lane, end).await {
                    Ok(Found::AsApplied) => drop(settled.insert(lane, end)),
                    Ok(Found::Undecided) => {}
                    Err(error) => {
                        tracing::warn!(lane = %lane.short(), %error, "a branch is not carried over");
                    }
                }
            }
        }
    }

    /// Looks at what is held of a lane, which ends at `end`.
    async fn look(&self, lane: LaneId, end: Head) -> Result<Found, BranchError> {
        let (applied, level) = self.state.read(|tables| {
            let store = StoreView::new(tables);
            Ok::<_, TableError>((store.lane(lane)?, store.level()?))
        })??;
        let Some(applied) = applied.map(|record| record.head) else {
            return Ok(Found::Undecided);
        };
        let may_differ = match end.next_seq >= applied.next_seq {
            true => parts(&self.journal, lane, applied)?,
            false => self.journal.doubted().contains(&lane),
        };
        if !may_differ && end == applied {
            self.journal.trust(lane);
            return Ok(Found::AsApplied);
        }
        if !may_differ {
            return Ok(Found::Undecided);
        }
        let common = self.common(lane, end)?;
        if common == end {
            self.journal.trust(lane);
            return Ok(Found::Undecided);
        }
        // Until every lane can read it, it stays where it is.
        if level < FORMAT_CARRIES_OVER {
            return Ok(Found::Undecided);
        }
        if !planted::is("branch-forgotten") {
            self.carry_over(lane, common, end).await?;
        }
        if self.journal.forget_branch(lane, common, end).await? {
            let count = end.next_seq - common.next_seq;
            tracing::warn!(
                lane = %lane.short(),
                count,
                "what a copy of that lane's disk wrote was carried over"
            );
        }
        Ok(Found::Undecided)
    }

    /// How far what is held of a lane is what the store has: at most up to `end`.
    fn common(&self, lane: LaneId, end: Head) -> Result<Head, BranchError> {
        let mut before: Seq = self
            .state
            .read(|tables| StoreView::new(tables).entries())??
            + 1;
        while before > 1 {
            let page = page_before(&self.state, before)?;
            let of_lane = page.iter().rev().map(|(_, entry)| entry);
            for entry in of_lane.filter(|e| e.lane == lane && e.seq < end.next_seq) {
                let head = Head {
                    next_seq: entry.seq + 1,
                    hash: entry.hash(),
                };
                if !parts(&self.journal, lane, head)? {
                    return Ok(head);
                }
            }
            before = page.first().map_or(1, |(global, _)| *global);
        }
        Ok(Head::default())
    }

    /// Writes what is held behind `common` into this lane's own journal, but for what the store has
    /// been given already.
    async fn carry_over(&self, lane: LaneId, common: Head, end: Head) -> Result<(), BranchError> {
        let mut next = common.next_seq;
        while next < end.next_seq {
            let page = self
                .journal
                .read(lane, next, CARRY_ENTRIES_MAX, CARRY_BYTES_MAX)?;
            let Some(last) = page.last() else {
                return Ok(());
            };
            next = last.seq + 1;
            let is_too_large = |e: &&Entry| e.bytes.len() + AROUND_BYTES_MAX > ENTRY_BYTES_MAX;
            if let Some(entry) = page.iter().find(is_too_large) {
                return Err(BranchError::TooLarge(entry.clone()));
            }
            let carried: Vec<bool> = self.state.read(|tables| {
                let store = StoreView::new(tables);
                let hashes = page.iter().map(Entry::hash);
                let carried = hashes.map(|hash| store.is_carried_over(hash));
                carried.collect::<Result<_, _>>()
            })??;
            let new = page.into_iter().zip(carried).filter(|(_, known)| !known);
            let new: Vec<Entry> = new.map(|(entry, _)| entry).collect();
            if !new.is_empty() {
                let carried = self.register.carry_over(new).await;
                carried.ok_or(BranchError::Closing)??;
            }
        }
        Ok(())
    }
}
