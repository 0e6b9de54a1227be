//! A store, a head office and lanes that ship, in virtual time and in one thread.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use futures::FutureExt;
use futures::channel::oneshot;
use futures::executor::{LocalPool, LocalSpawner};
use futures::future::BoxFuture;
use futures::task::LocalSpawnExt;
use ledger::{Entry, Epoch, LaneId, StoreId};
use providers::{Clock, Random};
use sync::{
    Committed, CommittedError, HqError, HqLink, Published, ShipStatus, ShippedStore, Shipper,
    ShipperParts, Taker, TakerParts,
};
use tokio::sync::watch;
use wire::{HQ_BATCH_ENTRIES_MAX, HqAck, HqBatch, HqLane, HqPublication};

pub const STORE: StoreId = StoreId([7; 16]);

/// Moves only when everything waits.
#[derive(Default)]
struct VirtualClock(Mutex<Timers>);

#[derive(Default)]
struct Timers {
    now: Duration,
    next_id: u64,
    waiting: BTreeMap<(Duration, u64), oneshot::Sender<()>>,
}

impl Clock for VirtualClock {
    fn wall_ms(&self) -> u64 {
        self.monotonic().as_millis() as u64
    }

    fn monotonic(&self) -> Duration {
        self.0.lock().unwrap().now
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        let (wake, woken) = oneshot::channel();
        let mut timers = self.0.lock().unwrap();
        let key = (timers.now + duration, timers.next_id);
        timers.next_id += 1;
        timers.waiting.insert(key, wake);
        Box::pin(async move {
            woken.await.expect("timers are kept until they fire");
        })
    }
}

impl VirtualClock {
    /// Fires the next timer that is due by `end`.
    fn advance(&self, end: Duration) -> bool {
        let mut timers = self.0.lock().unwrap();
        let Some(next) = timers.waiting.first_entry().filter(|e| e.key().0 <= end) else {
            timers.now = end;
            return false;
        };
        let ((at, _), wake) = next.remove_entry();
        timers.now = at;
        // Nobody waits any more for a timer that was dropped.
        let _ = wake.send(());
        true
    }
}

/// Counts up, so that jitter is neither always nothing nor ever different.
struct CountingRandom(Mutex<u64>);

impl Random for CountingRandom {
    fn fill(&self, bytes: &mut [u8]) {
        let mut count = self.0.lock().unwrap();
        *count = count
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(99);
        bytes.fill((*count >> 32) as u8);
    }
}

/// What happens to one delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// None: it arrives, and so does its answer.
    Arrives,
    /// It does not arrive.
    Lost,
    /// It arrives, its answer does not.
    AckLost,
    /// Neither answer nor error ever comes; it does not arrive.
    Hangs,
    /// It arrives when the test says so, whether its sender still waits or not.
    Held,
    /// Head office says no.
    Refused,
}

/// What happens to one question for what was published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// Nothing comes back.
    Lost,
    /// Head office does not know the question.
    OldOffice,
}

/// A head office that takes what continues what it has, like the real one.
#[derive(Default)]
pub struct FakeHq {
    pub held: Vec<(u64, Entry)>,
    pub faults: VecDeque<Fault>,
    /// How many entries each delivery had that was tried, in order.
    pub tried: Vec<usize>,
    /// Deliveries that began behind a gap.
    pub gaps: u64,
    /// Where head office claims to be, whatever it holds.
    pub claims: Option<u64>,
    /// Takes nothing and says so.
    pub stubborn: bool,
    /// The numbers of what it has published, in order.
    pub published: Vec<u64>,
    /// What happens to the next questions; all further ones are answered.
    pub questions: VecDeque<Question>,
    /// Behind which number it was asked for more, each time.
    pub asked: Vec<u64>,
    in_flight: VecDeque<(HqBatch, oneshot::Sender<HqAck>)>,
}

impl FakeHq {
    pub fn cursor(&self) -> u64 {
        self.claims.unwrap_or(self.held.len() as u64)
    }

    fn take(&mut self, batch: HqBatch) -> HqAck {
        assert_eq!(batch.store, STORE);
        assert!(batch.entries.len() <= HQ_BATCH_ENTRIES_MAX);
        for entry in &batch.entries {
            assert!(batch.lanes.iter().any(|l| l.lane == entry.entry.lane));
        }
        if !self.stubborn {
            let cursor = self.held.len() as u64;
            if batch.entries.first().is_some_and(|e| e.global > cursor + 1) {
                self.gaps += 1;
            } else {
                let new = batch.entries.into_iter().filter(|e| e.global > cursor);
                self.held.extend(new.map(|e| (e.global, e.entry)));
            }
        }
        HqAck {
            cursor: self.cursor(),
            published: self.published.last().copied().unwrap_or(0),
        }
    }
}

#[derive(Clone, Default)]
struct FakeLink(Arc<Mutex<FakeHq>>);

#[async_trait]
impl HqLink for FakeLink {
    async fn deliver(&self, batch: HqBatch) -> Result<HqAck, HqError> {
        let unreachable = || HqError::Unreachable("the line is down".to_owned());
        let late = {
            let mut hq = self.0.lock().unwrap();
            hq.tried.push(batch.entries.len());
            match hq.faults.pop_front().unwrap_or(Fault::Arrives) {
                Fault::Arrives => return Ok(hq.take(batch)),
                Fault::Lost => return Err(unreachable()),
                Fault::Refused => return Err(HqError::Refused("the token is wrong".to_owned())),
                Fault::AckLost => {
                    hq.take(batch);
                    return Err(unreachable());
                }
                Fault::Hangs => None,
                Fault::Held => {
                    let (answer, answered) = oneshot::channel();
                    hq.in_flight.push_back((batch, answer));
                    Some(answered)
                }
            }
        };
        match late {
            Some(answered) => answered.await.map_err(|_| unreachable()),
            None => std::future::pending().await,
        }
    }

    async fn published(
        &self,
        store: StoreId,
        after: u64,
    ) -> Result<Option<HqPublication>, HqError> {
        assert_eq!(store, STORE);
        let mut hq = self.0.lock().unwrap();
        hq.asked.push(after);
        let next = hq.published.iter().find(|number| **number > after);
        let next = next.map(|number| HqPublication {
            number: *number,
            author: "Ada".to_owned(),
            records: Vec::new(),
        });
        let unreachable = || HqError::Unreachable("the line is down".to_owned());
        match hq.questions.pop_front() {
            None => Ok(next),
            Some(Question::Lost) => Err(unreachable()),
            Some(Question::OldOffice) => Err(HqError::PublishesNothing),
        }
    }
}

/// The store's committed state, the same for every lane.
#[derive(Default)]
pub struct FakeStore {
    pub entries: Vec<Entry>,
    pub cursor: u64,
    pub cursor_failures: u32,
    pub recovered: bool,
    /// What it has taken, in order.
    pub taken: Vec<u64>,
    /// A lane of it takes no publications.
    pub takes_nothing: bool,
    pub take_failures: u32,
    /// How often taking something else than what is next was tried.
    pub refused: u32,
    applied: Option<watch::Sender<u64>>,
}

#[derive(Clone)]
struct FakeCommitted(Arc<Mutex<FakeStore>>);

#[async_trait]
impl Committed for FakeCommitted {
    fn store(&self) -> Result<Option<ShippedStore>, CommittedError> {
        let recovered = Epoch { number: 2, mark: 7 };
        Ok(Some(ShippedStore {
            id: STORE,
            name: "Corner shop".to_owned(),
            epoch: match self.0.lock().unwrap().recovered {
                true => recovered,
                false => Epoch::FIRST,
            },
        }))
    }

    fn lanes(&self) -> Result<Vec<HqLane>, CommittedError> {
        Ok((1..=3).map(hq_lane).collect())
    }

    fn hq_cursor(&self) -> Result<u64, CommittedError> {
        Ok(self.0.lock().unwrap().cursor)
    }

    fn entries_after(&self, after: u64, limit: usize) -> Result<Vec<(u64, Entry)>, CommittedError> {
        let store = self.0.lock().unwrap();
        let numbered = (1..).zip(store.entries.iter().cloned());
        Ok(numbered
            .filter(|(global, _)| *global > after)
            .take(limit)
            .collect())
    }

    async fn move_cursor(&self, cursor: u64) -> Result<(), CommittedError> {
        let mut store = self.0.lock().unwrap();
        if store.cursor_failures > 0 {
            store.cursor_failures -= 1;
            return Err(CommittedError("no quorum".to_owned()));
        }
        if cursor > store.entries.len() as u64 {
            return Err(CommittedError("not an entry of this store".to_owned()));
        }
        store.cursor = store.cursor.max(cursor);
        store.applied.as_ref().unwrap().send_modify(|n| *n += 1);
        Ok(())
    }
}

#[async_trait]
impl Published for FakeCommitted {
    fn taken(&self) -> Result<Option<(StoreId, u64)>, CommittedError> {
        let store = self.0.lock().unwrap();
        let last = store.taken.last().copied().unwrap_or(0);
        Ok((!store.takes_nothing).then_some((STORE, last)))
    }

    async fn take(&self, after: u64, publication: HqPublication) -> Result<(), CommittedError> {
        let mut store = self.0.lock().unwrap();
        if store.take_failures > 0 {
            store.take_failures -= 1;
            return Err(CommittedError("no quorum".to_owned()));
        }
        if store.taken.last().copied().unwrap_or(0) != after {
            store.refused += 1;
            return Err(CommittedError("not what is next".to_owned()));
        }
        store.taken.push(publication.number);
        Ok(())
    }
}

fn hq_lane(number: u8) -> HqLane {
    HqLane {
        lane: LaneId([number; 16]),
        number: u32::from(number),
        name: format!("Lane {number}"),
    }
}

pub struct World {
    pub hq: Arc<Mutex<FakeHq>>,
    pub store: Arc<Mutex<FakeStore>>,
    pub status: Vec<watch::Receiver<ShipStatus>>,
    leading: Vec<watch::Sender<bool>>,
    applied: watch::Sender<u64>,
    clock: Arc<VirtualClock>,
    pool: LocalPool,
    ended: Arc<Mutex<usize>>,
}

impl World {
    /// A store with `lanes` lanes, none of which leads.
    pub fn new(lanes: usize) -> World {
        let (applied, watched) = watch::channel(0);
        let mut world = World {
            hq: Arc::default(),
            store: Arc::default(),
            status: Vec::new(),
            leading: Vec::new(),
            applied: applied.clone(),
            clock: Arc::default(),
            pool: LocalPool::new(),
            ended: Arc::default(),
        };
        world.store.lock().unwrap().applied = Some(applied);
        let spawner = world.pool.spawner();
        for _ in 0..lanes {
            world.start_lane(&spawner, watched.clone());
        }
        world
    }

    fn start_lane(&mut self, spawner: &LocalSpawner, applied: watch::Receiver<u64>) {
        let (leading, is_leader) = watch::channel(false);
        let (shipper, status) = Shipper::new(ShipperParts {
            committed: Arc::new(FakeCommitted(self.store.clone())),
            link: Arc::new(FakeLink(self.hq.clone())),
            clock: self.clock.clone(),
            random: Arc::new(CountingRandom(Mutex::new(self.leading.len() as u64))),
            is_leader: is_leader.clone(),
            applied,
        });
        let taker = Taker::new(TakerParts {
            published: Arc::new(FakeCommitted(self.store.clone())),
            link: Arc::new(FakeLink(self.hq.clone())),
            clock: self.clock.clone(),
            random: Arc::new(CountingRandom(Mutex::new(self.leading.len() as u64))),
            is_leader,
            shipping: status.clone(),
        });
        self.leading.push(leading);
        self.status.push(status);
        for task in [shipper.run().boxed_local(), taker.run().boxed_local()] {
            let ended = self.ended.clone();
            spawner
                .spawn_local(async move {
                    task.await;
                    *ended.lock().unwrap() += 1;
                })
                .unwrap();
        }
    }

    /// The store applies `count` more entries of `bytes` bytes each, of its lanes in turn.
    pub fn append_sized(&mut self, count: usize, bytes: usize) {
        let mut store = self.store.lock().unwrap();
        for _ in 0..count {
            let number = store.entries.len() as u64;
            store.entries.push(Entry {
                lane: LaneId([(number % 3) as u8 + 1; 16]),
                seq: number / 3 + 1,
                bytes: vec![number as u8; bytes],
            });
        }
        drop(store);
        self.applied.send_modify(|n| *n += 1);
    }

    pub fn append(&mut self, count: usize) {
        self.append_sized(count, 10);
    }

    /// Lane `lane` is told that it leads, or that it does not any more.
    pub fn lead(&mut self, lane: usize, leading: bool) {
        self.leading[lane].send_replace(leading);
    }

    pub fn fail(&mut self, faults: &[Fault]) {
        self.hq.lock().unwrap().faults.extend(faults);
    }

    pub fn run(&mut self, duration: Duration) {
        let end = self.clock.monotonic() + duration;
        self.pool.run_until_stalled();
        while self.clock.advance(end) {
            self.pool.run_until_stalled();
        }
    }

    /// What was held up on its way arrives at head office now.
    pub fn release_held(&mut self) {
        let mut hq = self.hq.lock().unwrap();
        while let Some((batch, answer)) = hq.in_flight.pop_front() {
            let ack = hq.take(batch);
            // The sender may have given up.
            let _ = answer.send(ack);
        }
    }

    /// The lanes' processes end in good order; gives how many shippers and takers have ended.
    pub fn close(mut self) -> usize {
        self.leading.clear();
        self.pool.run_until_stalled();
        *self.ended.lock().unwrap()
    }

    pub fn tried(&self) -> Vec<usize> {
        self.hq.lock().unwrap().tried.clone()
    }

    pub fn problem(&self, lane: usize) -> Option<String> {
        self.status[lane].borrow().problem.clone()
    }

    /// Head office holds what the store has, each entry once and in order, no delivery ever began
    /// behind a gap, and the store knows.
    pub fn assert_in_step(&self) {
        let hq = self.hq.lock().unwrap();
        let store = self.store.lock().unwrap();
        let expected: Vec<_> = (1..).zip(store.entries.iter().cloned()).collect();
        assert_eq!(hq.held, expected);
        assert_eq!(store.cursor, store.entries.len() as u64);
        assert_eq!(hq.gaps, 0);
    }
}
