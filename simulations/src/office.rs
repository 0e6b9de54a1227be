//! Head office and the WAN to it.
//!
//! The books are head office's own, on SQLite. The WAN goes up and down, and loses questions and
//! answers; a lost answer is the interesting one: head office has the batch and nobody knows.

use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use async_trait::async_trait;
use futures::future::BoxFuture;
use hq::{HqError as OfficeError, HqStore, SqliteStore};
use providers::Clock;
use sync::{HqError, HqLink};
use wire::{HqAck, HqBatch};

use crate::clock::SimClock;
use crate::disk::{SimDevice, SimDisk, Workers};
use crate::network::End;
use crate::random::Dice;

/// How long a lane waits for an answer that does not come, in milliseconds: below the shipper's own
/// limit and above it.
const UNANSWERED_MS: (u64, u64) = (500, 15_000);

/// Turns that the books and a question to them may take; far more than any takes.
const TURNS_MAX: usize = 10_000;

/// What the WAN does.
#[derive(Clone, Copy, Debug)]
pub struct Wan {
    /// One way, in milliseconds.
    pub delay_ms: (u64, u64),
    pub lost_questions_permille: u64,
    pub lost_answers_permille: u64,
}

/// A fault of head office's own that a test plants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OfficeFault {
    /// It acknowledges an entry that it did not keep.
    LosesAnEntry,
}

/// Head office with its line.
pub struct Office {
    store: SqliteStore,
    /// The books' worker. It is polled by whoever asks them, so that asking takes no time.
    workers: Arc<Mutex<Vec<BoxFuture<'static, ()>>>>,
    clock: SimClock,
    inner: Mutex<Inner>,
}

struct Inner {
    dice: Dice,
    wan: Wan,
    /// How many faults keep the WAN down now.
    down: u32,
    fault: Option<OfficeFault>,
    deliveries: u64,
    /// The cursor that was last answered.
    acknowledged: u64,
}

impl Office {
    /// Opens new books. `clock` is head office's own.
    pub fn open(
        clock: SimClock,
        wan: Wan,
        dice: Dice,
        fault: Option<OfficeFault>,
    ) -> Result<Arc<Office>, OfficeError> {
        let workers = Arc::default();
        let device = SimDevice::new(dice.fork("device"));
        let disk = SimDisk::new("hq", &device, Workers::Kept(Arc::clone(&workers)), || {});
        let opened = SqliteStore::open(Arc::new(disk))?;
        let inner = Inner {
            dice,
            wan,
            down: 0,
            fault,
            deliveries: 0,
            acknowledged: 0,
        };
        Ok(Arc::new(Office {
            store: opened.store,
            workers,
            clock,
            inner: Mutex::new(inner),
        }))
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the WAN down. Calls add up: it is up again once each has been taken back.
    pub fn wan_down(&self) {
        self.lock().down += 1;
    }

    pub fn wan_up(&self) {
        self.lock().down -= 1;
    }

    /// Up to where the books hold the store's entries.
    pub fn acknowledged(&self) -> u64 {
        self.lock().acknowledged
    }

    /// Asks the books, which answer before any virtual time has passed.
    pub fn books<T>(&self, ask: impl AsyncFnOnce(&SqliteStore) -> T) -> T {
        let mut ask = pin!(ask(&self.store));
        let mut workers = self.workers.lock().unwrap_or_else(PoisonError::into_inner);
        let mut cx = Context::from_waker(Waker::noop());
        for _ in 0..TURNS_MAX {
            if let Poll::Ready(answer) = ask.as_mut().poll(&mut cx) {
                return answer;
            }
            workers.retain_mut(|worker| worker.as_mut().poll(&mut cx).is_pending());
        }
        panic!("head office's books do not answer");
    }

    fn take(&self, mut batch: HqBatch) -> Result<HqAck, HqError> {
        let promised = batch.entries.last().map(|entry| entry.global);
        let fault = {
            let mut inner = self.lock();
            inner.deliveries += u64::from(promised.is_some());
            inner.fault.filter(|_| inner.deliveries >= 2)
        };
        if fault == Some(OfficeFault::LosesAnEntry) && promised.is_some() {
            batch.entries.pop();
            self.lock().fault = None;
        }
        let heard_ms = self.clock.wall_ms();
        let taken = self.books(async |store| store.take(batch, heard_ms).await);
        let ack = taken.map_err(|error| HqError::Refused(error.to_string()))?;
        self.lock().acknowledged = ack.cursor;
        Ok(match (fault, promised) {
            (Some(OfficeFault::LosesAnEntry), Some(cursor)) => HqAck { cursor },
            _ => ack,
        })
    }
}

/// One lane's way to head office.
pub struct OfficeLink {
    office: Arc<Office>,
    end: Arc<End>,
}

impl OfficeLink {
    pub fn new(office: Arc<Office>, end: Arc<End>) -> OfficeLink {
        OfficeLink { office, end }
    }

    fn is_up(&self) -> bool {
        self.end.is_plugged_in() && self.office.lock().down == 0
    }

    /// One way over the WAN; whether it arrives.
    async fn travel(&self, lost_permille: u64) -> bool {
        let (delay_ms, lost) = {
            let mut inner = self.office.lock();
            let wan = inner.wan;
            let delay_ms = inner.dice.between(wan.delay_ms.0, wan.delay_ms.1);
            (delay_ms, inner.dice.chance(lost_permille))
        };
        let was_up = self.is_up();
        tokio::time::sleep(Duration::from_millis(delay_ms)).await;
        was_up && !lost && self.is_up()
    }

    async fn no_answer(&self) -> HqError {
        let wait_ms = {
            let mut inner = self.office.lock();
            inner.dice.between(UNANSWERED_MS.0, UNANSWERED_MS.1)
        };
        tokio::time::sleep(Duration::from_millis(wait_ms)).await;
        HqError::Unreachable("no answer over the simulated WAN".to_owned())
    }
}

#[async_trait]
impl HqLink for OfficeLink {
    async fn deliver(&self, batch: HqBatch) -> Result<HqAck, HqError> {
        let wan = self.office.lock().wan;
        if !self.travel(wan.lost_questions_permille).await {
            return Err(self.no_answer().await);
        }
        let answer = self.office.take(batch);
        if !self.travel(wan.lost_answers_permille).await {
            return Err(self.no_answer().await);
        }
        answer
    }
}
