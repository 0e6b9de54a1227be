//! A simulated store: its lanes' processes, its network and head office, and what its cashiers were
//! told.
//!
//! A lane's process is the real node code, `node::lane::Lane`, on simulated providers, its tasks a
//! process of the [`Executor`]. It can be killed at any moment, at an await or a disk operation that
//! was counted down to, with the power of its disk or without; it can be frozen; and its disk fails
//! as [`SimDevice`] says. Whatever is asked of a lane that may spawn tasks is asked inside its
//! process ([`Process::propose`] and the like).

mod again;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use anyhow::anyhow;
use api::CommandRequest;
use ledger::{Command, LaneId, LeftWhy, Outcome, Seq, StoreId};
use node::lane::{Code, Identity, JoinParts, Lane, LaneParts, ProposeFailure, join, leave_behind};
use providers::{Discovery, PeerId, Providers, SharedDisk};
use sale::Receipt;
use sync::HqLink;
use tokio::sync::watch;
use tokio::time::{Instant, timeout};
use wire::LaneContact;

use crate::checks::{Admission, Check, Copied, Gone, History};
use crate::clock::SimClock;
use crate::customers::Customers;
use crate::discovery::Board;
use crate::disk::{SimDevice, SimDisk, Workers};
use crate::executor::{Executor, ProcessId};
use crate::goods;
use crate::network::{Fabric, SimNet};
use crate::office::{Office, OfficeFault, OfficeLink};
use crate::random::{Dice, SimRandom};
use crate::scenario::Scenario;
use crate::timeline::Timeline;

/// The longest a lane may take to start, alone or not.
const START_MAX: Duration = Duration::from_secs(5);
/// The longest a lane may take to close in good order.
const CLOSE_MAX: Duration = Duration::from_secs(10);
/// How long a closed process may take over its last writes.
const LAST_WRITES: Duration = Duration::from_millis(50);
/// How long a lane may still be stopped once its disk is good again.
const STOPPED_MAX: Duration = Duration::from_secs(5);
/// Between two attempts to start a lane whose disk is bad.
const START_AGAIN_AFTER: Duration = Duration::from_secs(1);
/// How long a new lane looks for the store.
const JOIN_FOR: Duration = Duration::from_secs(30);

/// Goods come back of the newest sales, of so many.
const BACK_WITHIN: usize = 40;

/// A sale that a cashier was told is done.
#[derive(Clone, Debug)]
pub struct Acknowledged {
    pub lane: LaneId,
    /// Its entry in that lane's journal.
    pub seq: Seq,
    pub receipt: Receipt,
}

/// What the cashiers did, in numbers.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    pub commands: u64,
    /// The longest that a command was held, in virtual milliseconds.
    pub held_ms_max: u64,
    pub kills: u64,
    /// Commands that a lane did not take because its disk was bad.
    pub stopped: u64,
    pub restarts: u64,
    pub joined: u64,
    /// Sales at machines with a copy of a lane's disk that became lanes of their own.
    pub sales_at_copies: u64,
    /// From each loss of a leader to the next committed fact, where the scenario asks for it.
    pub failovers_ms: Vec<u64>,
}

/// A lane of the store, through all its processes.
pub struct Slot {
    pub name: String,
    pub peer: PeerId,
    /// Where it is plugged into the network: its peer, but for a copy of another lane's disk.
    pub place: PeerId,
    pub clock: Arc<SimClock>,
    pub device: SimDevice,
    /// The process that runs, if one does.
    process: watch::Sender<Option<Process>>,
    /// Whether its disk is lost, and it with it.
    gone: watch::Sender<bool>,
    /// Whether another machine has gone on as its lane, so that it has to stop.
    apart: watch::Sender<bool>,
    state: Mutex<SlotState>,
}

#[derive(Default)]
struct SlotState {
    /// Processes begun.
    runs: u32,
    /// The lane that its processes are.
    lane: Option<LaneId>,
    /// Whether the lane was started; from the second start on it has the newest release.
    was_started: bool,
    /// The process that runs or starts.
    begun: Option<Begun>,
    /// Since when the process stands still, if it does.
    frozen_at: Option<Instant>,
    /// When the last standstill began and ended.
    stood: Option<(Instant, Instant)>,
}

impl SlotState {
    /// Ends a standstill; whether there was one.
    fn thaw(&mut self) -> bool {
        let Some(since) = self.frozen_at.take() else {
            return false;
        };
        self.stood = Some((since, Instant::now()));
        true
    }

    /// For how long the process stands still, or stood still until less than `last` ago.
    fn stood_still(&self, last: Duration) -> Duration {
        if let Some(since) = self.frozen_at {
            return since.elapsed();
        }
        let stood = self.stood.filter(|(_, until)| until.elapsed() < last);
        stood.map_or(Duration::ZERO, |(since, until)| until - since)
    }
}

/// What the simulator itself has of a process, from its first moment.
#[derive(Clone)]
struct Begun {
    id: ProcessId,
    disk: Arc<SimDisk>,
}

/// How a process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Death {
    /// What it had written is there for the next one.
    Killed,
    /// Of what it had not synced, any part is lost.
    PowerCut,
    /// Of each write that it had not synced, some sectors are lost and others are not.
    TornPowerCut,
}

/// A lane's process.
#[derive(Clone)]
pub struct Process {
    pub lane: Lane,
    /// Which process of its lane this is, from 1.
    pub run: u32,
    id: ProcessId,
    executor: Executor,
}

impl Process {
    /// Runs something in this process; `None` if it is killed before that is done.
    async fn within<T, F>(&self, work: impl FnOnce(Lane) -> F + Send + 'static) -> Option<T>
    where
        T: Send + 'static,
        F: Future<Output = T> + Send + 'static,
    {
        let lane = self.lane.clone();
        let work = async move { work(lane).await };
        self.executor.call(self.id, work).await
    }

    /// Has the store agree on a change.
    pub async fn propose(&self, command: Command) -> Result<Outcome, ProposeFailure> {
        self.within(async move |lane: Lane| lane.propose(&command).await)
            .await
            .unwrap_or(Err(ProposeFailure::NoQuorum))
    }

    /// Takes a lane out of the store, on a manager's word.
    pub async fn retire(&self, lane: LaneId) -> Result<Outcome, ProposeFailure> {
        let command = Command::Retire {
            lane,
            why: LeftWhy::Retired,
            by: "manager".to_owned(),
            now_ms: self.lane.providers().clock.wall_ms(),
        };
        self.propose(command).await
    }

    /// Has the register carry out a command; `None` if the process is killed before it answers.
    pub async fn command(&self, command: sale::Command) -> Option<api::Answer> {
        let request = CommandRequest { id: None, command };
        self.within(async move |lane: Lane| lane.command(request).await)
            .await
    }

    /// How far the store has applied this lane's journal, once it has up to `seq` or after `limit`.
    pub async fn wait_shared(&self, seq: Seq, limit: Duration) -> Option<Seq> {
        let waited = self.within(async move |lane: Lane| lane.wait_shared(seq, limit).await);
        waited.await?.ok()
    }

    async fn invite(&self) -> Result<Code, ProposeFailure> {
        self.within(async move |lane: Lane| lane.invite().await)
            .await
            .unwrap_or(Err(ProposeFailure::NoQuorum))
    }
}

impl Slot {
    pub fn process(&self) -> Option<Process> {
        self.process.borrow().clone()
    }

    pub fn watch(&self) -> watch::Receiver<Option<Process>> {
        self.process.subscribe()
    }

    /// The lane's number in the simulation, from 1; 0 for a name that has none.
    pub fn number(&self) -> usize {
        let digits = self.name.trim_start_matches("lane-");
        digits.parse().unwrap_or(0)
    }

    /// Whether it works with a copy of another lane's disk.
    pub fn is_copy(&self) -> bool {
        self.place != self.peer
    }

    /// Whether its process is to stop selling, as another one works as its lane.
    pub fn is_apart(&self) -> bool {
        self.is_copy() || *self.apart.borrow()
    }

    /// Completes once its process has stopped selling because another one works as its lane.
    pub async fn fenced(&self) {
        if !self.is_copy() {
            let (mut apart, mut process) = (self.apart.subscribe(), self.watch());
            let fails = apart.wait_for(|apart| *apart).await.is_err()
                || process.wait_for(Option::is_some).await.is_err();
            if fails {
                // Nobody is left to say that it has.
                std::future::pending().await
            }
        }
        self.stopped().await;
    }

    /// Completes once the lane is gone for good.
    pub async fn has_gone(&self) {
        let mut gone = self.gone.subscribe();
        if gone.wait_for(|gone| *gone).await.is_err() {
            // Nobody is left to say that it has.
            std::future::pending().await
        }
    }

    /// Completes once its process has stopped selling.
    async fn stopped(&self) {
        let is_stop = |mode: &api::Mode| matches!(mode, api::Mode::Stop { .. });
        let Some(process) = self.process() else {
            return;
        };
        let mut view = process.lane.view();
        let stopped = view.wait_for(|view| is_stop(&view.status.mode));
        // A process that has ended has stopped, too.
        drop(stopped.await);
    }

    /// Whether `run` is the process that runs now: what another one says, nobody hears.
    pub fn runs(&self, run: u32) -> bool {
        let process = self.process.borrow();
        process.as_ref().is_some_and(|process| process.run == run)
    }

    fn state(&self) -> MutexGuard<'_, SlotState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether its process is frozen now.
    pub fn is_frozen(&self) -> bool {
        self.state().frozen_at.is_some()
    }

    /// Whether the lane may refuse to sell now: its disk is bad, or was a moment ago. A process that
    /// stood still meanwhile has yet to notice that its disk is good again.
    pub fn may_be_stopped(&self) -> bool {
        let stood_still = self.state().stood_still(STOPPED_MAX);
        self.device.was_bad_within(STOPPED_MAX + stood_still)
    }

    /// Whether the process stood still at some moment since `then`, or has a slow disk.
    pub fn was_held_up_since(&self, then: Instant) -> bool {
        let state = self.state();
        let thawed = state.stood.is_some_and(|(_, until)| until >= then);
        state.frozen_at.is_some() || thawed || self.device.is_slow()
    }

    /// Kills the process at its `operations`-th next operation on its disk.
    pub fn die_after_operations(&self, operations: u64) {
        if let Some(begun) = &self.state().begun {
            begun.disk.die_after(operations);
        }
    }
}

/// Whether a process has started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Started {
    /// It has, or never will.
    Done,
    /// Not on this disk as it is now.
    DiskIsBad,
}

/// What a process is begun with.
struct World {
    id: ProcessId,
    run: u32,
    providers: Providers,
    network: Arc<SimNet>,
    discovery: Arc<dyn Discovery>,
}

/// The store and everything around it.
pub struct Store {
    pub timeline: Arc<Timeline>,
    pub fabric: Arc<Fabric>,
    pub office: Arc<Office>,
    pub id: StoreId,
    board: Arc<Board>,
    executor: Executor,
    dice: Dice,
    pub scenario: Scenario,
    slots: Mutex<Vec<Arc<Slot>>>,
    /// Machines that work with a copy of a lane's disk.
    copies: Mutex<Vec<Arc<Slot>>>,
    /// Those that became lanes of their own, as they were before.
    adopted: Mutex<Vec<Copied>>,
    /// Lanes that were not there when the store was told to go on without them.
    missing: Mutex<BTreeSet<LaneId>>,
    /// Lanes whose disks are no more.
    gone: Mutex<Vec<Gone>>,
    told: Mutex<Told>,
    /// What customers carry from lane to lane.
    pub customers: Customers,
}

#[derive(Default)]
struct Told {
    receipts: Vec<Acknowledged>,
    /// Receipts of copies: nobody but their own disks has to have them.
    at_copies: Vec<Acknowledged>,
    history: History,
    counts: Counts,
}

impl Store {
    /// A store with nothing in it yet.
    pub fn new(
        scenario: &Scenario,
        dice: Dice,
        executor: Executor,
        timeline: Arc<Timeline>,
        fault: Option<OfficeFault>,
    ) -> anyhow::Result<Arc<Store>> {
        let fabric = Fabric::new(dice.fork("network"), scenario.network.delay_ms);
        let board = Board::new(fabric.clone(), dice.fork("discovery"));
        let office_clock = SimClock::new(timeline.begun(), 0, 0, Duration::ZERO);
        let office = Office::open(
            office_clock,
            (&scenario.wan).into(),
            dice.fork("wan"),
            fault,
        )
        .map_err(|reason| anyhow!("head office did not open: {reason}"))?;
        let mut id = [0; 16];
        providers::Random::fill(&SimRandom::new(dice.fork("store id")), &mut id);
        Ok(Arc::new(Store {
            timeline,
            fabric,
            office,
            id: StoreId(id),
            board,
            executor,
            dice,
            scenario: scenario.clone(),
            slots: Mutex::default(),
            copies: Mutex::default(),
            adopted: Mutex::default(),
            missing: Mutex::default(),
            gone: Mutex::default(),
            told: Mutex::default(),
            customers: Customers::default(),
        }))
    }

    fn slots_lock(&self) -> MutexGuard<'_, Vec<Arc<Slot>>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Every lane that was ever begun, in order, but for those that are gone.
    pub fn slots(&self) -> Vec<Arc<Slot>> {
        self.slots_lock().clone()
    }

    /// The lane of that number, from 1, unless it is gone.
    pub fn slot(&self, number: usize) -> Option<Arc<Slot>> {
        let slots = self.slots_lock();
        slots.iter().find(|slot| slot.number() == number).cloned()
    }

    fn gone_lock(&self) -> MutexGuard<'_, Vec<Gone>> {
        self.gone.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lanes whose disks are no more, in the order in which they went.
    pub fn gone(&self) -> Vec<Gone> {
        self.gone_lock().clone()
    }

    /// A lane's disk is lost with all that is on it, and the lane will not come back. Whether it was:
    /// what cannot be read now could not be checked afterwards.
    pub fn lose(&self, slot: &Arc<Slot>) -> bool {
        let Some(gone) = Gone::of(self, slot) else {
            return false;
        };
        self.kill(slot, Death::Killed);
        slot.device.wipe();
        slot.gone.send_replace(true);
        self.timeline.note(&slot.name, gone.in_words());
        self.slots_lock().retain(|other| !Arc::ptr_eq(other, slot));
        let mut all = self.gone_lock();
        all.iter_mut()
            .for_each(|earlier| earlier.forget(&slot.name));
        all.push(gone);
        true
    }

    /// Lanes with a process, and that process.
    pub fn running(&self) -> Vec<(Arc<Slot>, Process)> {
        let slots = self.slots().into_iter();
        slots
            .filter_map(|slot| slot.process().map(|process| (slot, process)))
            .collect()
    }

    /// The lane that leads, as far as it knows itself; of several the one with the highest term.
    pub fn leader(&self) -> Option<(Arc<Slot>, Process)> {
        let term = |process: &Process| {
            let view = process.lane.view();
            let status = &view.borrow().status;
            status.is_leader.then_some(status.term)
        };
        let awake = self.running().into_iter();
        awake
            .filter(|(slot, process)| !slot.is_frozen() && term(process).is_some())
            .max_by_key(|(_, process)| term(process))
    }

    pub fn acknowledge(&self, lane_name: &str, acknowledged: Acknowledged) {
        self.timeline.sale(lane_name, &acknowledged.receipt);
        let is_copy = self.copies().iter().any(|copy| copy.name == lane_name);
        let mut told = self.told();
        match is_copy {
            true => told.at_copies.push(acknowledged),
            false => told.receipts.push(acknowledged),
        }
    }

    /// Receipts that cashiers got of copies.
    pub fn acknowledged_at_copies(&self) -> Vec<Acknowledged> {
        self.told().at_copies.clone()
    }

    /// Receipts that cashiers got of a lane's copy must be with all lanes in the end.
    fn take_receipts_of_copy(&self, lane: LaneId) {
        let mut told = self.told();
        let at_copies = std::mem::take(&mut told.at_copies);
        let (taken, left) = at_copies.into_iter().partition(|given| given.lane == lane);
        told.at_copies = left;
        let taken: Vec<Acknowledged> = taken;
        told.counts.sales_at_copies += taken.len() as u64;
        told.receipts.extend(taken);
    }

    fn copies_lock(&self) -> MutexGuard<'_, Vec<Arc<Slot>>> {
        self.copies.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Machines that work with a copy of a lane's disk.
    pub fn copies(&self) -> Vec<Arc<Slot>> {
        self.copies_lock().clone()
    }

    /// Machines that worked with a copy of a lane's disk beside it, and what each was told.
    pub fn copies_met(&self) -> Vec<Copied> {
        let copies = self.copies();
        let mut copied: Vec<Copied> = copies.iter().filter_map(|c| Copied::of(c)).collect();
        copied.extend(self.adopted_lock().iter().copied());
        copied
    }

    fn adopted_lock(&self) -> MutexGuard<'_, Vec<Copied>> {
        self.adopted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lanes that were not there when the store was told to go on without them.
    pub fn missing(&self) -> BTreeSet<LaneId> {
        let missing = self.missing.lock();
        missing.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Another machine begins to work with a copy of a lane's disk, as it is now.
    pub async fn copy(self: &Arc<Self>, original: &Slot) -> Arc<Slot> {
        let copy = self.copied(original);
        self.start(&copy).await;
        copy
    }

    /// A machine that is to work with a copy of a lane's disk, as it is now, and is not started yet.
    pub fn copied(&self, original: &Slot) -> Arc<Slot> {
        let number = self.copies().len() + self.adopted_lock().len() + 1;
        let name = format!("copy-{number}-of-{}", original.name);
        let clock = self.new_clock(&name);
        let copy = Arc::new(Slot {
            peer: original.peer.clone(),
            place: PeerId(format!("place-of-{name}")),
            device: SimDevice::new(self.dice.fork(&format!("device of {name}"))),
            name,
            clock: Arc::new(clock),
            process: watch::Sender::new(None),
            gone: watch::Sender::new(false),
            apart: watch::Sender::new(false),
            state: Mutex::default(),
        });
        copy.device.become_copy_of(&original.device);
        self.copies_lock().push(copy.clone());
        let what = format!("begins with a copy of the disk of {}", original.name);
        self.timeline.note(&copy.name, what);
        copy
    }

    /// What managers changed and read so far.
    pub fn history(&self) -> History {
        self.told().history.clone()
    }

    pub fn record<T>(&self, record: impl FnOnce(&mut History) -> T) -> T {
        record(&mut self.told().history)
    }

    /// One of the newest sales.
    pub fn any_sale(&self, dice: &mut Dice) -> Option<Acknowledged> {
        let told = self.told();
        let newest = &told.receipts[told.receipts.len().saturating_sub(BACK_WITHIN)..];
        (!newest.is_empty()).then(|| dice.pick(newest).clone())
    }

    /// How much of a line was sold, in thousandths; 0 for what was never sold.
    pub fn sold_milli(&self, receipt: &str, line: u32) -> i64 {
        let told = self.told();
        let sold = told.receipts.iter().rev();
        let lines = sold
            .filter(|sale| sale.receipt.id == receipt)
            .flat_map(|sale| &sale.receipt.lines);
        let mut sold = lines.filter(|sold| sold.number == line && sold.detail.returned.is_none());
        sold.next().map_or(0, |line| line.quantity.milli())
    }

    pub fn acknowledged(&self) -> Vec<Acknowledged> {
        self.told().receipts.clone()
    }

    pub fn count(&self, count: impl FnOnce(&mut Counts)) {
        count(&mut self.told().counts);
    }

    pub fn counts(&self) -> Counts {
        self.told().counts.clone()
    }

    /// Creates the store on its first lane and gives it something to sell.
    pub async fn create(self: &Arc<Self>) -> anyhow::Result<Arc<Slot>> {
        let slot = self.new_slot();
        let random = SimRandom::new(self.dice.fork("first lane"));
        let identity = Identity {
            format: 1,
            store: self.id,
            store_name: "Simulated store".to_owned(),
            lane: LaneId(providers::Random::id(&random)),
            lane_name: slot.name.clone(),
            number: 1,
            node: 1,
            hq_url: None,
            founding: true,
            epoch: ledger::Epoch::FIRST,
            recovering: None,
        };
        let maker = self.executor.new_process(|| {});
        let workers = Workers::Process(self.executor.clone(), maker);
        let disk: SharedDisk = Arc::new(SimDisk::new("maker", &slot.device, workers, || {}));
        identity.write(&disk)?;
        self.start(&slot).await;
        let process = slot
            .process()
            .ok_or_else(|| anyhow!("the first lane did not start"))?;
        let command = Command::Reference {
            author: "simulation".to_owned(),
            records: goods::everything(),
        };
        match process.propose(command).await? {
            Outcome::Changed { .. } => Ok(slot),
            other => Err(anyhow!("the goods were not taken: {other:?}")),
        }
    }

    fn new_slot(&self) -> Arc<Slot> {
        self.new_slot_on(None)
    }

    /// A lane that is to be, on a machine of its own, or on that of a lane that was.
    fn new_slot_on(&self, machine: Option<&Slot>) -> Arc<Slot> {
        let gone = self.gone_lock().len();
        let mut slots = self.slots_lock();
        let name = format!("lane-{}", slots.len() + gone + 1);
        let clock = machine.map(|machine| machine.clock.clone());
        let clock = clock.unwrap_or_else(|| Arc::new(self.new_clock(&name)));
        let device = machine.map(|machine| machine.device.clone());
        let dice = || self.dice.fork(&format!("device of {name}"));
        let device = device.unwrap_or_else(|| SimDevice::new(dice()));
        let peer = PeerId(format!("peer-of-{name}"));
        let slot = Arc::new(Slot {
            place: peer.clone(),
            peer,
            device,
            name,
            clock,
            process: watch::Sender::new(None),
            gone: watch::Sender::new(false),
            apart: watch::Sender::new(false),
            state: Mutex::default(),
        });
        slots.push(slot.clone());
        slot
    }

    fn new_clock(&self, name: &str) -> SimClock {
        let mut dice = self.dice.fork(&format!("clock of {name}"));
        let offset_max = self.scenario.clocks.offset_ms_max;
        let drift_max = self.scenario.clocks.drift_ppm_max;
        let mut around_zero = |max: u64| dice.between(0, 2 * max) as i64 - max as i64;
        let (offset_ms, drift_ppm) = (around_zero(offset_max), around_zero(drift_max));
        let up_for = Duration::from_secs(dice.between(0, 1_000_000));
        SimClock::new(self.timeline.begun(), offset_ms, drift_ppm, up_for)
    }

    /// The simulated world for a lane's next process.
    fn begin(self: &Arc<Self>, slot: &Arc<Slot>) -> World {
        let run = {
            let mut state = slot.state();
            state.runs += 1;
            state.runs
        };
        let (store, died) = (Arc::downgrade(self), Arc::downgrade(slot));
        let id = self.executor.new_process(move || {
            if let (Some(store), Some(slot)) = (store.upgrade(), Weak::upgrade(&died)) {
                store.end(&slot, "dies at a disk operation or an await");
            }
        });
        let executor = self.executor.clone();
        let disk = Arc::new(SimDisk::new(
            &format!("{}-{run}", slot.name),
            &slot.device,
            Workers::Process(executor.clone(), id),
            move || executor.kill_from_within(id),
        ));
        slot.state().begun = Some(Begun {
            id,
            disk: disk.clone(),
        });
        let plugged_in = self.fabric.plug_in(slot.place.clone(), slot.peer.clone());
        let network = Arc::new(plugged_in);
        let random = self.dice.fork(&format!("{} {run}", slot.name));
        World {
            id,
            run,
            providers: Providers {
                clock: slot.clock.clone(),
                random: Arc::new(SimRandom::new(random)),
                network: network.clone(),
                disk,
            },
            network,
            discovery: Arc::new(self.board.join(slot.place.clone())),
        }
    }

    /// Starts a lane's next process on its disk; again and again while the disk is bad.
    pub async fn start(self: &Arc<Self>, slot: &Arc<Slot>) {
        // Two faults that overlap may both want the lane they struck to run again, or one of them may
        // have ended it for good.
        while slot.state().begun.is_none() && !*slot.gone.borrow() {
            let world = self.begin(slot);
            match self.start_in(slot, world).await {
                Started::Done => return,
                Started::DiskIsBad => tokio::time::sleep(START_AGAIN_AFTER).await,
            }
        }
    }

    async fn start_in(&self, slot: &Arc<Slot>, world: World) -> Started {
        let World {
            id,
            run,
            providers,
            network,
            discovery,
        } = world;
        let link = OfficeLink::new(self.office.clone(), network.end().clone());
        let parts = LaneParts {
            providers,
            discovery,
            hq: Some(Arc::new(link) as Arc<dyn HqLink>),
            hq_token: None,
            pin_check: Arc::new(|employee, pin| employee.pin_hash == pin.0),
            release: "simulated".to_owned(),
            log_limits: self.scenario.log_limits(),
            reads: self.release_of(slot),
            terminal: None,
            printer: None,
        };
        let started_at = Instant::now();
        let Some(started) = self.executor.call(id, Lane::start(parts)).await else {
            return Started::Done;
        };
        let took = started_at.elapsed();
        let excused = slot.was_held_up_since(started_at) || slot.device.was_bad_within(took);
        if took > START_MAX && !excused {
            let what = format!("P2: it took {took:?} to start");
            self.timeline.violation(Check::Starts, &slot.name, what);
        }
        match started {
            Ok(lane) => {
                slot.state().lane = Some(lane.identity().lane);
                self.timeline
                    .note(&slot.name, format!("runs, process {run}"));
                let executor = self.executor.clone();
                slot.process.send_replace(Some(Process {
                    lane,
                    run,
                    id,
                    executor,
                }));
            }
            Err(error) if slot.device.was_bad_within(took) => {
                self.end(slot, &format!("does not start on a bad disk: {error}"));
                return Started::DiskIsBad;
            }
            Err(error) => {
                self.end(slot, "gives up");
                self.timeline.violation(
                    Check::Starts,
                    &slot.name,
                    format!("did not start: {error}"),
                );
            }
        }
        Started::Done
    }

    /// What the release reads with which a lane starts now.
    fn release_of(&self, slot: &Slot) -> u16 {
        let was_started = std::mem::replace(&mut slot.state().was_started, true);
        match self.scenario.older_release && !was_started {
            true => ledger::FORMAT_FIRST,
            false => ledger::ENTRY_FORMAT,
        }
    }

    /// Ends a lane's process, running or starting, at once.
    pub fn kill(&self, slot: &Arc<Slot>, death: Death) {
        let told = match death {
            Death::Killed => "is killed",
            Death::PowerCut => "loses its power",
            Death::TornPowerCut => "loses its power while it writes",
        };
        if self.end(slot, told) {
            self.count(|counts| counts.kills += 1);
        }
        slot.device.after(death);
    }

    /// Kills a lane's process before its `polls`-th next step, at whatever await that is.
    pub fn kill_after_polls(&self, slot: &Slot, polls: u64) {
        if let Some(begun) = &slot.state().begun {
            self.executor.kill_after_polls(begun.id, polls);
        }
    }

    /// The process stands still: it does, answers and notices nothing until it thaws.
    pub fn freeze(&self, slot: &Slot) {
        let mut state = slot.state();
        if let Some(begun) = &state.begun {
            self.executor.freeze(begun.id);
            state.frozen_at.get_or_insert_with(Instant::now);
            self.timeline.note(&slot.name, "is frozen");
        }
    }

    /// A frozen process goes on, as if nothing had been.
    pub fn thaw(&self, slot: &Slot) {
        let mut state = slot.state();
        if state.thaw() {
            self.timeline.note(&slot.name, "goes on");
            if let Some(begun) = &state.begun {
                self.executor.thaw(begun.id);
            }
        }
    }

    /// Takes the process away from everything; whether there was one.
    fn end(&self, slot: &Slot, told: &str) -> bool {
        let begun = {
            let mut state = slot.state();
            state.thaw();
            state.begun.take()
        };
        let Some(begun) = begun else {
            return false;
        };
        begun.disk.die();
        self.executor.kill(begun.id);
        self.wall_off(slot);
        self.timeline.note(&slot.name, told);
        slot.process.send_replace(None);
        true
    }

    /// Closes a lane in good order.
    pub async fn close(&self, slot: &Arc<Slot>) {
        let Some(process) = slot.process.send_replace(None) else {
            return;
        };
        self.timeline.note(&slot.name, "closes");
        self.count(|counts| counts.restarts += 1);
        let closing = process.within(async |lane: Lane| lane.close().await);
        let closed = timeout(CLOSE_MAX, closing).await;
        if closed.is_err() && !slot.is_frozen() {
            let what = format!("did not close within {CLOSE_MAX:?}");
            self.timeline.violation(Check::Starts, &slot.name, what);
        }
        // Whatever it still had to write it writes when its last handle goes.
        drop(process);
        tokio::time::sleep(LAST_WRITES).await;
        self.end(slot, "is closed");
    }

    fn wall_off(&self, slot: &Slot) {
        self.fabric.unplug(&slot.place);
        self.board.leave(&slot.place);
    }

    /// A new lane joins, invited by `inviter`. Not getting in is no fault where lanes cannot agree.
    pub async fn join(self: &Arc<Self>, inviter: &(Arc<Slot>, Process)) -> Option<Arc<Slot>> {
        let (host, process) = inviter;
        let code = match process.invite().await {
            Ok(code) => code,
            Err(failure) => {
                self.timeline
                    .note(&host.name, format!("cannot invite: {failure}"));
                return None;
            }
        };
        let slot = self.new_slot();
        self.join_as(slot, inviter, code).await
    }

    /// A machine joins with what there is on its disk, which is no lane's any more.
    async fn join_as(
        self: &Arc<Self>,
        slot: Arc<Slot>,
        inviter: &(Arc<Slot>, Process),
        code: Code,
    ) -> Option<Arc<Slot>> {
        let (host, process) = inviter;
        self.timeline
            .note(&slot.name, format!("joins, invited by {}", host.name));
        let world = self.begin(&slot);
        let contact = LaneContact {
            peer: host.peer.0.clone(),
            addresses: process.lane.providers().network.local_addresses(),
        };
        let parts = JoinParts {
            providers: world.providers.clone(),
            discovery: world.discovery.clone(),
            code,
            lane_name: slot.name.clone(),
            known: vec![contact],
            limit: JOIN_FOR,
        };
        let disk = world.providers.disk.clone();
        let asked_us = self.timeline.elapsed_us();
        let joined = async move {
            leave_behind(&disk).map_err(|error| error.to_string())?;
            join(parts).await.map_err(|error| error.to_string())
        };
        match self.executor.call(world.id, joined).await {
            Some(Ok(joined)) => {
                let identity = joined.identity;
                self.record(|history| {
                    history.admitted(Admission {
                        asked_us,
                        answered_us: self.timeline.elapsed_us(),
                        epoch: identity.epoch,
                        number: identity.number,
                        node: identity.node,
                    });
                });
                self.count(|counts| counts.joined += 1);
                self.start_in(&slot, world).await;
                Some(slot)
            }
            failed => {
                let why = failed.and_then(Result::err);
                let why = why.unwrap_or_else(|| "it was killed".to_owned());
                self.timeline
                    .note(&slot.name, format!("did not join: {why}"));
                self.end(&slot, "gives up");
                self.slots_lock().retain(|other| !Arc::ptr_eq(other, &slot));
                None
            }
        }
    }

    /// Announces all lanes again, as happens when a network heals.
    pub fn announce_again(&self) {
        self.board.repeat();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Found by mixed with seeds 50039 and 50098: a disk became good again under a frozen process.
    #[tokio::test(start_paused = true)]
    async fn how_long_a_process_stood_still_counts_for_a_while_after() {
        let last = Duration::from_secs(5);
        let seconds = |s| tokio::time::advance(Duration::from_secs(s));
        let mut state = SlotState::default();
        assert!(!state.thaw());
        assert_eq!(state.stood_still(last), Duration::ZERO);
        state.frozen_at = Some(Instant::now());
        seconds(20).await;
        assert_eq!(state.stood_still(last), Duration::from_secs(20));
        assert!(state.thaw());
        seconds(4).await;
        assert_eq!(state.stood_still(last), Duration::from_secs(20));
        seconds(1).await;
        assert_eq!(state.stood_still(last), Duration::ZERO);
    }
}
