//! Ships the store's committed entries to head office while this lane leads.
//!
//! Invariants:
//! - what is sent begins right behind what head office last said it holds; the first message of a
//!   leader is an empty batch that asks for that, because neither the store's cursor (an old leader
//!   may have died before committing it) nor head office (it may have been restored from a backup)
//!   is taken on trust;
//! - the store's cursor follows what head office acknowledged, never what was sent;
//! - one thing is under way at a time: a delivery, a move of the cursor, or a pause.
//!
//! It does not decide what may be shipped (everything committed is) and keeps nothing on disk.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::future::BoxFuture;
use ledger::{Entry, Epoch, StoreId};
use providers::{SharedClock, SharedRandom, timeout};
use tokio::sync::watch;
use wire::{HQ_BATCH_ENTRIES_MAX, HqAck, HqBatch, HqEntry, HqLane};

use crate::{HqError, HqLink};

/// The most bytes of entries in one batch; a batch of one entry may be larger.
pub const BATCH_BYTES_MAX: usize = 2 * 1024 * 1024;

/// Entries read from the store at a time while a batch is filled.
const READ_ENTRIES: usize = 100;

/// How long new entries gather before they are sent, so that a busy store sends a few batches a
/// second and not one for each scan.
const GATHER: Duration = Duration::from_millis(250);

/// How long a delivery or a move of the cursor may take before it counts as failed.
const ATTEMPT_MAX: Duration = Duration::from_secs(12);

/// The pause after the first failure; it doubles with each further one.
const BACKOFF_MIN: Duration = Duration::from_millis(500);
const BACKOFF_MAX: Duration = Duration::from_secs(30);

/// The store as a lane knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShippedStore {
    pub id: StoreId,
    pub name: String,
    /// After the first the store has given out numbers again that head office knows other entries
    /// by, and head office may be ahead of the store.
    pub epoch: Epoch,
}

/// What the shipper needs of the store as this lane has applied it.
#[async_trait]
pub trait Committed: Send + Sync + 'static {
    /// `None` while this lane knows of none.
    fn store(&self) -> Result<Option<ShippedStore>, CommittedError>;
    /// Every lane ever admitted.
    fn lanes(&self) -> Result<Vec<HqLane>, CommittedError>;
    /// The committed cursor: up to where head office is known to have everything.
    fn hq_cursor(&self) -> Result<u64, CommittedError>;
    /// Applied entries with a global sequence over `after`, in order, at most `limit`.
    fn entries_after(&self, after: u64, limit: usize) -> Result<Vec<(u64, Entry)>, CommittedError>;
    /// Proposes `ledger::Command::HqCursor` and waits until it is applied here. A cursor that the
    /// store refuses is an error.
    async fn move_cursor(&self, cursor: u64) -> Result<(), CommittedError>;
}

/// Why the store could not be read, or did not take a cursor.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct CommittedError(pub String);

/// What a shipper is made of.
pub struct ShipperParts {
    pub committed: Arc<dyn Committed>,
    pub link: Arc<dyn HqLink>,
    pub clock: SharedClock,
    pub random: SharedRandom,
    /// Whether this lane leads. When the sender is gone the shipper ends.
    pub is_leader: watch::Receiver<bool>,
    /// Changes after entries were applied; the applied index will do. When the sender is gone the
    /// shipper ends.
    pub applied: watch::Receiver<u64>,
}

/// How the shipper of this lane stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ShipStatus {
    /// What head office last said it holds; `None` until it was asked, and while another lane
    /// leads.
    pub acknowledged: Option<u64>,
    /// The number of the last publication that head office says it has for this store; 0 before it
    /// said so.
    pub published: u64,
    /// Why the last attempt failed, in words for a person; `None` while it works.
    pub problem: Option<String>,
}

/// The task that ships. Runs on every lane, works on the leader.
pub struct Shipper {
    committed: Arc<dyn Committed>,
    link: Arc<dyn HqLink>,
    clock: SharedClock,
    random: SharedRandom,
    is_leader: watch::Receiver<bool>,
    applied: watch::Receiver<u64>,
    status: watch::Sender<ShipStatus>,
    /// What is under way; `None` while another lane leads or there is nothing to send.
    work: Option<BoxFuture<'static, Event>>,
    leading: bool,
    /// Whether the last batch was as large as it may be, or only a question.
    more: bool,
    /// Attempts that failed or got nowhere since the last progress.
    failures: u32,
}

enum Event {
    Leading(bool),
    Applied,
    Delivered {
        /// How many entries the batch had.
        sent: usize,
        /// The number of the last of them; 0 for none.
        last: u64,
        answer: Result<HqAck, HqError>,
    },
    CursorMoved(Result<(), CommittedError>),
    Rested,
    Ended,
}

impl Shipper {
    pub fn new(parts: ShipperParts) -> (Shipper, watch::Receiver<ShipStatus>) {
        let (status, watched) = watch::channel(ShipStatus::default());
        let shipper = Shipper {
            committed: parts.committed,
            link: parts.link,
            clock: parts.clock,
            random: parts.random,
            is_leader: parts.is_leader,
            applied: parts.applied,
            status,
            work: None,
            leading: false,
            more: false,
            failures: 0,
        };
        (shipper, watched)
    }

    /// Ships until the senders of `is_leader` or `applied` are gone.
    pub async fn run(mut self) {
        let leading = *self.is_leader.borrow_and_update();
        self.apply(Event::Leading(leading));
        loop {
            match self.select().await {
                Event::Ended => return,
                event => self.apply(event),
            }
        }
    }

    async fn select(&mut self) -> Event {
        let Shipper {
            is_leader,
            applied,
            work,
            ..
        } = self;
        let work = async {
            match work {
                Some(work) => work.await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            changed = is_leader.changed() => match changed {
                Ok(()) => Event::Leading(*is_leader.borrow_and_update()),
                Err(_) => Event::Ended,
            },
            event = work => event,
            changed = applied.changed() => match changed {
                Ok(()) => Event::Applied,
                Err(_) => Event::Ended,
            },
        }
    }

    fn apply(&mut self, event: Event) {
        match event {
            Event::Leading(leading) => self.lead(leading),
            // Whatever is under way looks for new entries when it is done.
            Event::Applied if self.leading && self.work.is_none() => self.rest(GATHER),
            Event::Applied => {}
            Event::Delivered { sent, last, answer } => {
                self.work = None;
                match answer {
                    Ok(ack) => self.acknowledged(sent, last, ack),
                    Err(_) if sent > 0 && planted::is("cursor-moved-too-early") => {
                        let before = self.status.borrow().acknowledged.unwrap_or(0);
                        let cursor = before + sent as u64;
                        let published = 0;
                        self.acknowledged(sent, last, HqAck { cursor, published });
                    }
                    Err(error) => self.failed(error.to_string()),
                }
            }
            Event::CursorMoved(answer) => {
                self.work = None;
                match answer {
                    Ok(()) => self.progressed(),
                    Err(error) => self.failed(error.to_string()),
                }
            }
            Event::Rested => {
                self.work = None;
                self.ship();
            }
            Event::Ended => unreachable!("run ends on it"),
        }
        assert!(
            self.leading || self.work.is_none(),
            "only a leader ships anything"
        );
    }

    fn lead(&mut self, leading: bool) {
        if leading == self.leading {
            return;
        }
        // What an earlier term had under way is dropped: its answer says nothing about now.
        self.work = None;
        self.leading = leading;
        self.failures = 0;
        self.status.send_replace(ShipStatus::default());
        if leading {
            self.ship();
        }
    }

    /// Does what is due: asks head office what it holds, or commits its answer, or sends what comes
    /// behind it. Stops when nothing is due.
    fn ship(&mut self) {
        if let Err(error) = self.try_ship() {
            self.failed(error.to_string());
        }
    }

    fn try_ship(&mut self) -> Result<(), CommittedError> {
        let Some(store) = self.committed.store()? else {
            return Ok(());
        };
        let acknowledged = self.status.borrow().acknowledged;
        let Some(acknowledged) = acknowledged else {
            self.deliver(store, Vec::new(), true)?;
            return Ok(());
        };
        if acknowledged > self.committed.hq_cursor()? {
            self.move_cursor(acknowledged);
            return Ok(());
        }
        let (entries, more) = self.entries_behind(acknowledged)?;
        if !entries.is_empty() {
            self.deliver(store, entries, more)?;
        }
        Ok(())
    }

    fn deliver(
        &mut self,
        store: ShippedStore,
        entries: Vec<HqEntry>,
        more: bool,
    ) -> Result<(), CommittedError> {
        let mut lanes = self.committed.lanes()?;
        lanes.retain(|lane| entries.iter().any(|e| e.entry.lane == lane.lane));
        self.more = more;
        let sent = entries.len();
        let last = entries.last().map_or(0, |entry| entry.global);
        let batch = HqBatch {
            store: store.id,
            store_name: store.name,
            epoch: store.epoch,
            lanes,
            entries,
        };
        let (link, clock) = (self.link.clone(), self.clock.clone());
        self.begin(async move {
            let answer = timeout(clock.as_ref(), ATTEMPT_MAX, link.deliver(batch)).await;
            let late = || HqError::Unreachable(format!("no answer within {ATTEMPT_MAX:?}"));
            let answer = answer.unwrap_or_else(|| Err(late()));
            Event::Delivered { sent, last, answer }
        });
        Ok(())
    }

    /// Up to which of the store's numbers head office is known to hold everything.
    fn held(&self, sent: usize, last: u64, cursor: u64) -> Result<u64, CommittedError> {
        let store = self.committed.store()?;
        if store.is_none_or(|store| store.epoch.is_first()) {
            return Ok(cursor);
        }
        // Its cursor may count entries of the epoch before. What was taken just now it holds, and
        // what the store has agreed that it holds; it keeps whatever is sent again once.
        let known = match sent {
            0 => self.committed.hq_cursor()?,
            _ => last,
        };
        Ok(cursor.min(known))
    }

    fn acknowledged(&mut self, sent: usize, last: u64, ack: HqAck) {
        let before = self.status.borrow().acknowledged;
        let held = match self.held(sent, last, ack.cursor) {
            Ok(held) => held,
            Err(error) => return self.failed(error.to_string()),
        };
        self.status.send_modify(|status| {
            status.acknowledged = Some(held);
            status.published = ack.published;
        });
        // Once is what a head office that was restored meanwhile says; without a pause, one that
        // takes nothing would be asked again and again.
        if sent > 0 && before.is_some_and(|before| held <= before) {
            return self.failed(format!(
                "head office holds the store's entries up to {} and did not take the {sent} that \
                 were sent to it; they are sent again",
                held
            ));
        }
        self.progressed();
    }

    fn move_cursor(&mut self, cursor: u64) {
        let (committed, clock) = (self.committed.clone(), self.clock.clone());
        self.begin(async move {
            let moved = committed.move_cursor(cursor);
            let answer = timeout(clock.as_ref(), ATTEMPT_MAX, moved).await;
            let late = || CommittedError(format!("no answer of the store within {ATTEMPT_MAX:?}"));
            Event::CursorMoved(answer.unwrap_or_else(|| Err(late())))
        });
    }

    fn progressed(&mut self) {
        self.failures = 0;
        self.status
            .send_if_modified(|status| status.problem.take().is_some());
        let cursor_is_behind = self.committed.hq_cursor().is_ok_and(|known| {
            let acknowledged = self.status.borrow().acknowledged;
            acknowledged > Some(known)
        });
        if cursor_is_behind || self.more {
            self.ship();
        } else {
            self.rest(GATHER);
        }
    }

    fn failed(&mut self, problem: String) {
        tracing::warn!("not shipped to head office: {problem}");
        self.failures = self.failures.saturating_add(1);
        self.status
            .send_modify(|status| status.problem = Some(problem));
        let pause = backoff(self.failures, self.random.u64());
        self.rest(pause);
    }

    fn rest(&mut self, pause: Duration) {
        let rested = self.clock.sleep(pause);
        self.begin(async move {
            rested.await;
            Event::Rested
        });
    }

    fn begin(&mut self, work: impl Future<Output = Event> + Send + 'static) {
        assert!(self.work.is_none(), "one thing is under way at a time");
        self.work = Some(Box::pin(work));
    }

    /// As many entries behind `after` as one batch may hold, and whether that limit was met.
    fn entries_behind(&self, after: u64) -> Result<(Vec<HqEntry>, bool), CommittedError> {
        let mut entries: Vec<HqEntry> = Vec::new();
        let mut bytes = 0;
        loop {
            let last = entries.last().map_or(after, |e| e.global);
            let page = self.committed.entries_after(last, READ_ENTRIES)?;
            let page_is_last = page.len() < READ_ENTRIES;
            for (global, entry) in page {
                if planted::is("shipper-skips-an-entry") && global.is_multiple_of(20) {
                    continue;
                }
                bytes += entry.bytes.len();
                let over = bytes > BATCH_BYTES_MAX && !entries.is_empty();
                if over || entries.len() == HQ_BATCH_ENTRIES_MAX {
                    return Ok((entries, true));
                }
                entries.push(HqEntry { global, entry });
            }
            if page_is_last {
                return Ok((entries, false));
            }
        }
    }
}

/// The pause after the n-th failure in a row: doubling, bounded, and between a half and the whole
/// of that, so that the stores of a chain do not come back all at once.
pub(crate) fn backoff(failures: u32, random: u64) -> Duration {
    let doublings = failures.saturating_sub(1).min(16);
    let whole = (BACKOFF_MIN * 2_u32.pow(doublings)).min(BACKOFF_MAX);
    let half_ms = u64::try_from(whole.as_millis() / 2).unwrap_or(u64::MAX);
    Duration::from_millis(half_ms + random % (half_ms + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_half_a_minute() {
        let check = |failures, random, expected_ms: u64| {
            let pause = backoff(failures, random);
            assert_eq!(pause, Duration::from_millis(expected_ms), "{failures}");
        };
        check(1, 0, 250);
        check(1, 250, 500);
        check(2, 0, 500);
        check(2, 500, 1000);
        check(6, 0, 8_000);
        check(7, 0, 15_000);
        check(7, 15_000, 30_000);
        check(u32::MAX, 15_000, 30_000);
    }
}
