//! Sends this lane's journal to every sibling that can be reached, quorum or not, so that a sale
//! survives its lane.
//!
//! One task per sibling: it learns how far the sibling holds this lane's journal and sends what is
//! missing, batch after batch, each answered once it is durable there.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ledger::{LaneId, LaneRecord, Seq};
use providers::{AbortHandle, PeerId, SharedClock, StreamClass};
use storage::Journal;
use tokio::sync::watch;
use wire::{Answer, Ask};

use super::batch::Batch;
use super::haste::Haste;
use super::links::Links;

/// Entries in one batch.
const BATCH_ENTRIES_MAX: usize = 500;
const ANSWER_LIMIT: Duration = Duration::from_secs(5);
/// After a failure, before the sibling is tried again.
const RETRY_AFTER: Duration = Duration::from_millis(500);

/// How far each sibling holds this lane's journal: the next sequence it wants.
pub type Held = watch::Receiver<BTreeMap<LaneId, Seq>>;

/// Keeps one sender per sibling.
pub struct Copies {
    lane: LaneId,
    journal: Journal,
    links: Arc<Links>,
    clock: SharedClock,
    haste: Haste,
    held: watch::Sender<BTreeMap<LaneId, Seq>>,
    senders: Mutex<BTreeMap<LaneId, AbortHandle>>,
}

impl Copies {
    pub fn new(
        lane: LaneId,
        journal: Journal,
        links: Arc<Links>,
        clock: SharedClock,
        haste: Haste,
    ) -> Arc<Copies> {
        Arc::new(Copies {
            lane,
            journal,
            links,
            clock,
            haste,
            held: watch::Sender::default(),
            senders: Mutex::default(),
        })
    }

    pub fn held(&self) -> Held {
        self.held.subscribe()
    }

    /// Starts a sender for each sibling that has none, and ends those of lanes that have left.
    pub fn set_siblings(self: &Arc<Self>, lanes: &[LaneRecord]) {
        let mut senders = self.senders.lock().unwrap_or_else(PoisonError::into_inner);
        for left in lanes.iter().filter(|record| !record.is_member()) {
            if let Some(sender) = senders.remove(&left.lane) {
                sender.abort();
            }
        }
        let siblings = lanes.iter().filter(|record| record.is_member());
        for record in siblings.filter(|record| record.lane != self.lane) {
            senders.entry(record.lane).or_insert_with(|| {
                let (copies, record) = (self.clone(), record.clone());
                providers::spawn(copies.send_to(record)).abort_handle()
            });
        }
    }

    /// Ends every sender.
    pub fn close(&self) {
        let mut senders = self.senders.lock().unwrap_or_else(PoisonError::into_inner);
        for (_, sender) in std::mem::take(&mut *senders) {
            sender.abort();
        }
    }

    async fn send_to(self: Arc<Self>, sibling: LaneRecord) {
        let peer = PeerId(sibling.peer.clone());
        let mut commits = self.journal.subscribe();
        let mut batch = Batch::new();
        loop {
            let sent = self.bring_up_to_date(&sibling, &peer, &mut commits, &mut batch);
            if let Err(reason) = sent.await {
                batch.failed();
                tracing::debug!(sibling = sibling.name, reason, "copies wait");
            }
            self.clock.sleep(RETRY_AFTER).await;
        }
    }

    /// Sends all that is missing, then what is appended; returns when something goes wrong.
    async fn bring_up_to_date(
        &self,
        sibling: &LaneRecord,
        peer: &PeerId,
        commits: &mut watch::Receiver<u64>,
        batch: &mut Batch,
    ) -> Result<(), String> {
        let text = |error: &dyn std::fmt::Display| error.to_string();
        let asked = self
            .links
            .ask(peer, StreamClass::Copies, Ask::Heads, ANSWER_LIMIT);
        let mut next = match asked.await.map_err(|e| text(&e))? {
            Answer::Heads(heads) => heads.get(&self.lane).map_or(1, |head| head.next_seq),
            other => return Err(format!("an unexpected answer: {other:?}")),
        };
        next += u64::from(planted::is("copies-skip-an-entry"));
        self.note(sibling.lane, next);
        loop {
            commits.mark_unchanged();
            let end = self.journal.head(self.lane).next_seq;
            if end < next {
                return Err("the sibling holds more of this journal than there is".to_owned());
            }
            if end == next {
                commits.changed().await.map_err(|e| text(&e))?;
                continue;
            }
            self.haste.company(next, end).await;
            let entries = self
                .journal
                .read(self.lane, next, BATCH_ENTRIES_MAX, batch.bytes_max())
                .map_err(|e| text(&e))?;
            let ask = Ask::Copy { entries };
            let asked = self.links.ask(peer, StreamClass::Copies, ask, ANSWER_LIMIT);
            let held = match asked.await.map_err(|e| text(&e))? {
                Answer::Copied { next } => next.get(&self.lane).copied(),
                other => return Err(format!("an unexpected answer: {other:?}")),
            };
            match held {
                Some(held) if held > next => next = held,
                _ => return Err("the sibling did not take a copy".to_owned()),
            }
            batch.arrived();
            self.note(sibling.lane, next);
        }
    }

    fn note(&self, sibling: LaneId, next: Seq) {
        self.held.send_modify(|held| {
            held.insert(sibling, next);
        });
    }
}
