//! Offers journal entries to the store's log: this lane's own at once, and the copies of others
//! once their own lane seems unable to.
//!
//! Apply takes only the next entry of a lane, so it does no harm when several lanes offer the same.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ledger::{Command, Entry, Head, LaneId, Outcome, Seq, StoreView};
use providers::{PeerId, SharedClock, SharedNetwork, StreamClass};
use storage::{Journal, StateReader, StorageError};
use tokio::sync::watch;
use wire::{Answer, Ask};

use super::batch::Batch;
use super::haste::Haste;
use super::links::Links;
use super::propose::{ProposeFailure, Proposer};

/// Entries in one offer.
const OFFER_ENTRIES_MAX: usize = 500;
/// How long an offer may wait for the store before it is made again.
const OFFER_LIMIT: Duration = Duration::from_secs(5);
/// After an offer that was not taken.
const RETRY_AFTER: Duration = Duration::from_millis(250);
/// How long a sibling's entries may wait, with their lane connected, before others offer them.
const PATIENCE: Duration = Duration::from_secs(3);
/// How long a lane may take to say what it has of its own journal.
const HEADS_LIMIT: Duration = Duration::from_secs(2);
/// How often held copies are looked over, and at which of these looks even where none has come: a
/// lane's copies may be here before the store lists that lane.
const LOOK_EVERY: Duration = Duration::from_secs(1);
const LOOKS_AT_LEAST: u64 = 5;

pub struct Offers {
    pub lane: LaneId,
    pub journal: Journal,
    pub state: StateReader,
    pub proposer: Proposer,
    pub network: SharedNetwork,
    pub links: Arc<Links>,
    pub clock: SharedClock,
    pub haste: Haste,
    /// How far the store has taken this lane's entries, by the word of whoever leads it. Comes before
    /// this lane has applied them itself.
    pub agreed: watch::Sender<Seq>,
}

/// How far the store has applied a lane, and where that lane can be found.
struct AppliedLane {
    head: Head,
    peer: PeerId,
}

impl Offers {
    /// Offers this lane's own entries as they become durable.
    pub async fn offer_own(self, mut commits: watch::Receiver<u64>) {
        let mut next = self.applied_next();
        let mut batch = Batch::new();
        loop {
            commits.mark_unchanged();
            let end = self.journal.head(self.lane).next_seq;
            if end <= next {
                if commits.changed().await.is_err() {
                    return;
                }
                continue;
            }
            self.haste.gather(next, end).await;
            let entries = match self.read(self.lane, next, &batch) {
                Ok(entries) => entries,
                Err(error) => {
                    tracing::error!(%error, "own entries cannot be offered");
                    self.clock.sleep(LOOK_EVERY).await;
                    continue;
                }
            };
            match self.offer(entries).await {
                // The store may have more of this lane than there is: a copy of its disk is at work.
                Ok(wanted)
                    if wanted.get(&self.lane).is_some_and(|seq| {
                        // More may have come since `end` was looked at, and was offered with it.
                        *seq != next && *seq <= self.journal.head(self.lane).next_seq
                    }) =>
                {
                    batch.arrived();
                    self.agreed.send_replace(wanted[&self.lane] - 1);
                    next = wanted[&self.lane] + u64::from(planted::is("offer-skips-an-entry"));
                }
                Ok(_) => {
                    // Not taken: the admission of this lane may not be applied there yet.
                    self.clock.sleep(RETRY_AFTER).await;
                    next = self.applied_next();
                }
                Err(ProposeFailure::NoQuorum) => {
                    batch.failed();
                    self.clock.sleep(RETRY_AFTER).await;
                }
                Err(ProposeFailure::Closing) => return,
            }
        }
    }

    fn applied_next(&self) -> Seq {
        let applied = self.applied();
        applied
            .get(&self.lane)
            .map_or(1, |applied| applied.head.next_seq)
    }

    /// Offers copies of other lanes' entries that wait longer than they should.
    pub async fn offer_held(self) {
        let mut waiting_since: BTreeMap<LaneId, (Seq, Duration)> = BTreeMap::new();
        let mut batch = Batch::new();
        let mut held = BTreeMap::new();
        for look in 0_u64.. {
            self.clock.sleep(LOOK_EVERY).await;
            let before = std::mem::replace(&mut held, self.journal.heads());
            // Nothing waited, and nothing has come: the state need not be asked.
            if waiting_since.is_empty() && before == held && !look.is_multiple_of(LOOKS_AT_LEAST) {
                continue;
            }
            let now = self.clock.monotonic();
            for (lane, from) in self.overdue(now, &mut waiting_since) {
                if !self.may_speak_for(lane, from).await {
                    continue;
                }
                match self.offer_copies(lane, from, &mut batch).await {
                    Ok(()) => {}
                    Err(ProposeFailure::NoQuorum) => {
                        batch.failed();
                        break;
                    }
                    Err(ProposeFailure::Closing) => return,
                }
            }
        }
    }

    /// Lanes of which this one holds more than the store has applied, and has for too long.
    fn overdue(
        &self,
        now: Duration,
        waiting_since: &mut BTreeMap<LaneId, (Seq, Duration)>,
    ) -> Vec<(LaneId, Seq)> {
        let held = self.journal.heads();
        let connected = self.network.connected();
        let mut overdue = Vec::new();
        for (lane, applied) in self.applied() {
            let next = applied.head.next_seq;
            let holds_more = held.get(&lane).is_some_and(|head| head.next_seq > next);
            let is_skipped = planted::is("held-copies-not-offered");
            if lane == self.lane || !holds_more || is_skipped {
                waiting_since.remove(&lane);
                continue;
            }
            let since = waiting_since.entry(lane).or_insert((next, now));
            if since.0 != next {
                *since = (next, now);
            }
            if !connected.contains(&applied.peer) || now.saturating_sub(since.1) > PATIENCE {
                overdue.push((lane, next));
            }
        }
        overdue
    }

    /// Whether entries of `lane` from `from` on may be offered for it. What a lane in reach does not
    /// have itself was written by a copy of its disk, and must not take the place of what it will
    /// write.
    async fn may_speak_for(&self, lane: LaneId, from: Seq) -> bool {
        let applied = self.applied();
        let peer = applied.get(&lane).map(|applied| &applied.peer);
        let Some(peer) = peer.filter(|peer| self.network.connected().contains(peer)) else {
            return true;
        };
        let asked = self
            .links
            .ask(peer, StreamClass::Copies, Ask::Heads, HEADS_LIMIT);
        match asked.await {
            Ok(Answer::Heads(heads)) => heads.get(&lane).is_some_and(|head| head.next_seq > from),
            // It cannot be asked, so it cannot offer either.
            _ => true,
        }
    }

    async fn offer_copies(
        &self,
        lane: LaneId,
        mut next: Seq,
        batch: &mut Batch,
    ) -> Result<(), ProposeFailure> {
        loop {
            let entries = match self.read(lane, next, batch) {
                Ok(entries) if !entries.is_empty() => entries,
                Ok(_) => return Ok(()),
                Err(error) => {
                    tracing::error!(%error, "held copies cannot be offered");
                    return Ok(());
                }
            };
            let count = entries.len();
            match self.offer(entries).await?.get(&lane) {
                Some(wanted) if *wanted > next => {
                    batch.arrived();
                    next = *wanted;
                }
                _ => return Ok(()),
            }
            tracing::info!(lane = %lane.short(), count, "copies were offered for their lane");
        }
    }

    fn read(&self, lane: LaneId, from: Seq, batch: &Batch) -> Result<Vec<Entry>, StorageError> {
        self.journal
            .read(lane, from, OFFER_ENTRIES_MAX, batch.bytes_max())
    }

    async fn offer(&self, entries: Vec<Entry>) -> Result<BTreeMap<LaneId, Seq>, ProposeFailure> {
        let command = Command::Ingest { entries };
        match self.proposer.propose(&command, OFFER_LIMIT).await? {
            Outcome::Ingested { next } => Ok(next),
            other => {
                tracing::warn!(?other, "an offer was not taken");
                Ok(BTreeMap::new())
            }
        }
    }

    fn applied(&self) -> BTreeMap<LaneId, AppliedLane> {
        let lanes = self.state.read(|tables| StoreView::new(tables).lanes());
        match lanes {
            Ok(Ok(lanes)) => lanes
                .into_iter()
                .map(|record| {
                    let (head, peer) = (record.head, PeerId(record.peer));
                    (record.lane, AppliedLane { head, peer })
                })
                .collect(),
            Ok(Err(error)) => {
                tracing::error!(%error, "the store's lanes cannot be read");
                BTreeMap::new()
            }
            Err(error) => {
                tracing::error!(%error, "the store's lanes cannot be read");
                BTreeMap::new()
            }
        }
    }
}
