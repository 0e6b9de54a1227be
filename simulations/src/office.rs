//! Head office and the WAN to it.
//!
//! The books are head office's own, on SQLite, in a process that can be killed and started again, at
//! once or in the middle of what it does, with the power of its disk or without. The WAN goes up and
//! down, and loses questions and answers; a lost answer is the interesting one: head office has the
//! batch and nobody knows. A late answer is as good as a lost one where nobody waits that long.
//!
//! Invariant: what head office has acknowledged its books hold, through all its processes.

use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use async_trait::async_trait;
use futures::future::BoxFuture;
use hq::{HqStore, SqliteStore};
use ledger::StoreId;
use providers::Clock;
use sync::{HqError, HqLink};
use wire::{HqAck, HqBatch, HqPublication, HqPublish};

use crate::clock::SimClock;
use crate::disk::{SimDevice, SimDisk, Workers};
use crate::network::End;
use crate::random::Dice;
use crate::scenario::Range;
use crate::store::Death;

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
    device: SimDevice,
    /// What runs now.
    process: Mutex<Option<Process>>,
    clock: SimClock,
    inner: Mutex<Inner>,
}

/// One process of head office.
struct Process {
    store: SqliteStore,
    /// The books' worker. It is polled by whoever asks them, so that asking takes no time.
    workers: Arc<Mutex<Vec<BoxFuture<'static, ()>>>>,
    disk: Arc<SimDisk>,
    /// How it dies at the operation that was counted down to.
    dies: Death,
    /// Set by that operation.
    has_died: Arc<AtomicBool>,
}

impl Process {
    /// Starts the `run`-th process on the device; what a person must know if it did not.
    fn start(device: &SimDevice, run: u32) -> Result<Process, String> {
        let workers = Arc::default();
        let has_died = Arc::new(AtomicBool::new(false));
        let dies = has_died.clone();
        let disk = Arc::new(SimDisk::new(
            &format!("hq-{run}"),
            device,
            Workers::Kept(Arc::clone(&workers)),
            move || dies.store(true, Ordering::Relaxed),
        ));
        let opened = SqliteStore::open(disk.clone()).map_err(|error| error.to_string())?;
        if let Some(set_aside) = opened.set_aside {
            return Err(set_aside.to_string());
        }
        Ok(Process {
            store: opened.store,
            workers,
            disk,
            dies: Death::Killed,
            has_died,
        })
    }

    fn has_died(&self) -> bool {
        self.has_died.load(Ordering::Relaxed)
    }

    /// Asks the books, which answer before any virtual time has passed; `None` if the process dies
    /// of the question.
    fn ask<T>(&self, ask: impl AsyncFnOnce(&SqliteStore) -> T) -> Option<T> {
        let mut ask = pin!(ask(&self.store));
        let mut workers = self.workers.lock().unwrap_or_else(PoisonError::into_inner);
        let mut cx = Context::from_waker(Waker::noop());
        for _ in 0..TURNS_MAX {
            if self.has_died() {
                return None;
            }
            if let Poll::Ready(answer) = ask.as_mut().poll(&mut cx) {
                return (!self.has_died()).then_some(answer);
            }
            workers.retain_mut(|worker| worker.as_mut().poll(&mut cx).is_pending());
        }
        panic!("head office's books do not answer");
    }
}

impl Drop for Process {
    /// The workers hold the disk, and the disk holds the workers.
    fn drop(&mut self) {
        let mut workers = self.workers.lock().unwrap_or_else(PoisonError::into_inner);
        drop(std::mem::take(&mut *workers));
    }
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
    /// The number of the last publication.
    published: u64,
    /// How much later than at once it answers, in milliseconds.
    late_ms: Option<Range>,
    /// Processes begun.
    runs: u32,
}

impl Office {
    /// Opens new books. `clock` is head office's own.
    pub fn open(
        clock: SimClock,
        wan: Wan,
        dice: Dice,
        fault: Option<OfficeFault>,
    ) -> Result<Arc<Office>, String> {
        let device = SimDevice::new(dice.fork("device"));
        let process = Process::start(&device, 1)?;
        let inner = Inner {
            dice,
            wan,
            down: 0,
            fault,
            deliveries: 0,
            acknowledged: 0,
            published: 0,
            late_ms: None,
            runs: 1,
        };
        Ok(Arc::new(Office {
            device,
            process: Mutex::new(Some(process)),
            clock,
            inner: Mutex::new(inner),
        }))
    }

    fn process(&self) -> MutexGuard<'_, Option<Process>> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the process, if one runs.
    pub fn kill(&self, death: Death) {
        if let Some(process) = self.process().take() {
            process.disk.die();
            drop(process);
            self.device.after(death);
        }
    }

    /// The process dies at its `operations`-th next operation on its disk.
    pub fn die_after(&self, operations: u64, death: Death) {
        if let Some(process) = &mut *self.process() {
            process.dies = death;
            process.disk.die_after(operations);
        }
    }

    /// Starts the next process, unless one runs. What is wrong, if it does not start or does not
    /// hold what was acknowledged.
    pub fn start(&self) -> Result<(), String> {
        if self.process().is_some() {
            return Ok(());
        }
        let (run, acknowledged) = {
            let mut inner = self.lock();
            inner.runs += 1;
            (inner.runs, inner.acknowledged)
        };
        *self.process() = Some(Process::start(&self.device, run)?);
        let stores = self.books(async |store| store.stores().await);
        let stores = stores.map_err(|error| error.to_string())?;
        let cursor = stores.first().map_or(0, |store| store.cursor);
        let listed = self.books(async |store| store.publications().await);
        let listed = listed.map_err(|error| error.to_string())?.publications;
        self.lock().published = listed.last().map_or(0, |last| last.number);
        match cursor >= acknowledged {
            true => Ok(()),
            false => Err(format!(
                "it had acknowledged {acknowledged} entries, and its books hold {cursor}"
            )),
        }
    }

    /// Head office's wall clock.
    pub fn clock(&self) -> &SimClock {
        &self.clock
    }

    /// From now on it answers so much later; `None`: at once.
    pub fn set_late(&self, late_ms: Option<Range>) {
        self.lock().late_ms = late_ms;
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

    /// Asks the books of a head office that runs and is not about to die.
    pub fn books<T>(&self, ask: impl AsyncFnOnce(&SqliteStore) -> T) -> T {
        self.try_books(ask).expect("head office runs")
    }

    /// Asks the books; `None` if no process answers.
    fn try_books<T>(&self, ask: impl AsyncFnOnce(&SqliteStore) -> T) -> Option<T> {
        let (answer, death) = {
            let process = self.process();
            let process = process.as_ref()?;
            let answer = process.ask(ask);
            (answer, process.has_died().then_some(process.dies))
        };
        if let Some(death) = death {
            self.kill(death);
        }
        answer
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
        let taken = self.try_books(async |store| store.take(batch, heard_ms).await);
        let taken = taken.ok_or_else(not_there)?;
        let ack = taken.map_err(|error| HqError::Refused(error.to_string()))?;
        self.lock().acknowledged = ack.cursor;
        Ok(match (fault, promised) {
            (Some(OfficeFault::LosesAnEntry), Some(cursor)) => HqAck { cursor, ..ack },
            _ => ack,
        })
    }
}

impl Office {
    /// Publishes; gives the number. After an error it may be published all the same.
    pub fn publish(&self, publish: HqPublish) -> Result<u64, HqError> {
        let now_ms = self.clock.wall_ms();
        let asked = self.try_books(async |books| books.publish(publish, now_ms).await);
        let number = asked.ok_or_else(not_there)?;
        let number = number.map_err(|error| HqError::Refused(error.to_string()))?;
        self.lock().published = number;
        Ok(number)
    }

    /// The number of the last publication, as far as a process of head office has said; 0: none.
    pub fn last_published(&self) -> u64 {
        self.lock().published
    }

    /// The first publication for a store behind number `after`.
    fn published(&self, store: StoreId, after: u64) -> Result<Option<HqPublication>, HqError> {
        let now_ms = self.clock.wall_ms();
        let asked = self.try_books(async |books| books.published(store, after, now_ms).await);
        let answer = asked.ok_or_else(not_there)?;
        answer.map_err(|error| HqError::Refused(error.to_string()))
    }
}

fn not_there() -> HqError {
    HqError::Unreachable("no process of head office answers".to_owned())
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

    /// Head office takes its time, before it has looked at the question or after.
    async fn be_late(&self) {
        let late_ms = {
            let mut inner = self.office.lock();
            let Some((low, high)) = inner.late_ms else {
                return;
            };
            if inner.dice.chance(500) {
                return;
            }
            inner.dice.between(low, high)
        };
        tokio::time::sleep(Duration::from_millis(late_ms)).await;
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
        self.be_late().await;
        let answer = self.office.take(batch);
        self.be_late().await;
        if !self.travel(wan.lost_answers_permille).await {
            return Err(self.no_answer().await);
        }
        answer
    }

    async fn published(
        &self,
        store: StoreId,
        after: u64,
    ) -> Result<Option<HqPublication>, HqError> {
        let wan = self.office.lock().wan;
        if !self.travel(wan.lost_questions_permille).await {
            return Err(self.no_answer().await);
        }
        self.be_late().await;
        let answer = self.office.published(store, after);
        self.be_late().await;
        if !self.travel(wan.lost_answers_permille).await {
            return Err(self.no_answer().await);
        }
        answer
    }
}
