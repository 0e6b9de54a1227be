//! A simulated store: its lanes' processes, its network and head office, and what its cashiers were
//! told.
//!
//! A lane's process is the real node code, `node::lane::Lane`, on simulated providers. Killing it:
//! from one moment on nothing it does reaches anybody (network, head office, cashier), and the next
//! process starts on a copy of its data folder taken at that moment. What is left of the old one is
//! closed behind a wall. The node's tasks run on the simulation's one runtime and cannot be dropped
//! from outside; a seam for spawning tasks would let them be, and would let a process be frozen.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use ledger::{Command, LaneId, Outcome, StoreId};
use node::lane::{Identity, JoinParts, Lane, LaneParts, join};
use providers::{Discovery, PeerId, Providers, SharedDisk};
use sale::Receipt;
use sync::HqLink;
use tokio::sync::watch;
use tokio::time::{Instant, timeout};
use wire::LaneContact;

use crate::checks::{Check, History};
use crate::clock::SimClock;
use crate::discovery::Board;
use crate::disk::{SimDisk, copy_as_after_a_kill};
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
/// How long a new lane looks for the store.
const JOIN_FOR: Duration = Duration::from_secs(30);
/// How long the leftovers of a killed process may go on behind the wall.
const LEFTOVER_MAX: Duration = Duration::from_secs(60);

/// A sale that a cashier was told is done.
#[derive(Clone, Debug)]
pub struct Acknowledged {
    pub lane: LaneId,
    pub receipt: Receipt,
}

/// What the cashiers did, in numbers.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    pub commands: u64,
    /// The longest that a command was held, in virtual milliseconds.
    pub held_ms_max: u64,
    pub kills: u64,
    pub restarts: u64,
    pub joined: u64,
    /// From each loss of a leader to its successor, where the scenario asks for it.
    pub failovers_ms: Vec<u64>,
}

/// A lane of the store, through all its processes.
pub struct Slot {
    pub name: String,
    pub peer: PeerId,
    pub clock: Arc<SimClock>,
    /// The process that runs, if one does.
    process: watch::Sender<Option<Process>>,
    next: Mutex<NextRun>,
}

/// Where the next process of a lane works.
struct NextRun {
    run: u32,
    folder: PathBuf,
}

/// A lane's process.
#[derive(Clone)]
pub struct Process {
    pub lane: Lane,
    /// Which process of its lane this is, from 1.
    pub run: u32,
    folder: PathBuf,
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

    /// Whether `run` is the process that runs now: what another one says, nobody hears.
    pub fn runs(&self, run: u32) -> bool {
        let process = self.process.borrow();
        process.as_ref().is_some_and(|process| process.run == run)
    }

    fn next(&self) -> MutexGuard<'_, NextRun> {
        self.next.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The store and everything around it.
pub struct Store {
    pub timeline: Arc<Timeline>,
    pub fabric: Arc<Fabric>,
    pub office: Arc<Office>,
    pub id: StoreId,
    board: Arc<Board>,
    dice: Dice,
    scratch: PathBuf,
    pub scenario: Scenario,
    slots: Mutex<Vec<Arc<Slot>>>,
    told: Mutex<Told>,
}

#[derive(Default)]
struct Told {
    receipts: Vec<Acknowledged>,
    history: History,
    counts: Counts,
}

impl Store {
    /// A store with nothing in it yet.
    pub fn new(
        scenario: &Scenario,
        dice: Dice,
        scratch: &Path,
        timeline: Arc<Timeline>,
        fault: Option<OfficeFault>,
    ) -> anyhow::Result<Arc<Store>> {
        let fabric = Fabric::new(dice.fork("network"), scenario.network.delay_ms);
        let board = Board::new(fabric.clone(), dice.fork("discovery"));
        let office_clock = SimClock::new(timeline.begun(), 0, 0, Duration::ZERO);
        let office = Office::open(
            &scratch.join("hq"),
            office_clock,
            (&scenario.wan).into(),
            dice.fork("wan"),
            fault,
        )
        .context("head office did not open")?;
        let mut id = [0; 16];
        providers::Random::fill(&SimRandom::new(dice.fork("store id")), &mut id);
        Ok(Arc::new(Store {
            timeline,
            fabric,
            office,
            id: StoreId(id),
            board,
            dice,
            scratch: scratch.to_owned(),
            scenario: scenario.clone(),
            slots: Mutex::default(),
            told: Mutex::default(),
        }))
    }

    fn slots_lock(&self) -> MutexGuard<'_, Vec<Arc<Slot>>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Every lane that was ever begun, in order.
    pub fn slots(&self) -> Vec<Arc<Slot>> {
        self.slots_lock().clone()
    }

    /// Lanes with a process, and that process.
    pub fn running(&self) -> Vec<(Arc<Slot>, Process)> {
        let slots = self.slots().into_iter();
        slots
            .filter_map(|slot| slot.process().map(|process| (slot, process)))
            .collect()
    }

    /// The lane that leads, as far as it knows itself.
    pub fn leader(&self) -> Option<(Arc<Slot>, Process)> {
        let leads = |process: &Process| process.lane.view().borrow().status.is_leader;
        self.running().into_iter().find(|(_, p)| leads(p))
    }

    pub fn acknowledge(&self, lane_name: &str, acknowledged: Acknowledged) {
        self.timeline.sale(lane_name, &acknowledged.receipt);
        self.told().receipts.push(acknowledged);
    }

    /// What managers changed and read so far.
    pub fn history(&self) -> History {
        self.told().history.clone()
    }

    pub fn record<T>(&self, record: impl FnOnce(&mut History) -> T) -> T {
        record(&mut self.told().history)
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
        };
        let disk: SharedDisk = Arc::new(SimDisk::new(&slot.next().folder)?);
        identity.write(&disk)?;
        drop(disk);
        self.start(&slot).await;
        let process = slot
            .process()
            .ok_or_else(|| anyhow!("the first lane did not start"))?;
        let command = Command::Reference {
            author: "simulation".to_owned(),
            records: goods::everything(),
        };
        match process.lane.propose(&command).await? {
            Outcome::Changed { .. } => Ok(slot),
            other => Err(anyhow!("the goods were not taken: {other:?}")),
        }
    }

    fn new_slot(&self) -> Arc<Slot> {
        let mut slots = self.slots_lock();
        let name = format!("lane-{}", slots.len() + 1);
        let mut dice = self.dice.fork(&format!("clock of {name}"));
        let offset_max = self.scenario.clocks.offset_ms_max;
        let drift_max = self.scenario.clocks.drift_ppm_max;
        let mut around_zero = |max: u64| dice.between(0, 2 * max) as i64 - max as i64;
        let (offset_ms, drift_ppm) = (around_zero(offset_max), around_zero(drift_max));
        let up_for = Duration::from_secs(dice.between(0, 1_000_000));
        let clock = SimClock::new(self.timeline.begun(), offset_ms, drift_ppm, up_for);
        let next = NextRun {
            run: 1,
            folder: self.scratch.join(format!("{name}-1")),
        };
        let slot = Arc::new(Slot {
            peer: PeerId(format!("peer-of-{name}")),
            name,
            clock: Arc::new(clock),
            process: watch::Sender::new(None),
            next: Mutex::new(next),
        });
        slots.push(slot.clone());
        slot
    }

    /// The simulated world for a lane's next process.
    fn providers(
        &self,
        slot: &Slot,
    ) -> anyhow::Result<(Providers, Arc<SimNet>, Arc<dyn Discovery>)> {
        let (run, folder) = {
            let next = slot.next();
            (next.run, next.folder.clone())
        };
        let disk = SimDisk::new(&folder)?;
        let network = Arc::new(self.fabric.plug_in(slot.peer.clone()));
        let random = self.dice.fork(&format!("{} {run}", slot.name));
        let providers = Providers {
            clock: slot.clock.clone(),
            random: Arc::new(SimRandom::new(random)),
            network: network.clone(),
            disk: Arc::new(disk),
        };
        let discovery = Arc::new(self.board.join(slot.peer.clone()));
        Ok((providers, network, discovery))
    }

    /// Starts a lane's next process on its folder.
    pub async fn start(&self, slot: &Arc<Slot>) {
        match self.providers(slot) {
            Ok((providers, network, discovery)) => {
                self.start_with(slot, providers, network, discovery).await;
            }
            Err(error) => self.timeline.violation(
                Check::Starts,
                &slot.name,
                format!("cannot start: {error:#}"),
            ),
        }
    }

    async fn start_with(
        &self,
        slot: &Arc<Slot>,
        providers: Providers,
        network: Arc<SimNet>,
        discovery: Arc<dyn Discovery>,
    ) {
        let link = OfficeLink::new(self.office.clone(), network.end().clone());
        let parts = LaneParts {
            providers,
            discovery,
            hq: Some(Arc::new(link) as Arc<dyn HqLink>),
            hq_token: None,
            pin_check: Arc::new(|employee, pin| employee.pin_hash == pin.0),
            release: "simulated".to_owned(),
        };
        let started_at = Instant::now();
        let started = Lane::start(parts).await;
        let took = started_at.elapsed();
        if took > START_MAX {
            let what = format!("P2: it took {took:?} to start");
            self.timeline.violation(Check::Starts, &slot.name, what);
        }
        match started {
            Ok(lane) => {
                let (run, folder) = {
                    let next = slot.next();
                    (next.run, next.folder.clone())
                };
                self.timeline
                    .note(&slot.name, format!("runs, process {run}"));
                slot.process
                    .send_replace(Some(Process { lane, run, folder }));
            }
            Err(error) => {
                self.fabric.unplug(&slot.peer);
                self.timeline.violation(
                    Check::Starts,
                    &slot.name,
                    format!("did not start: {error}"),
                );
            }
        }
    }

    /// Kills a lane's process: what it had committed is there for the next one, and nothing else.
    pub fn kill(&self, slot: &Arc<Slot>) {
        let Some(process) = slot.process.send_replace(None) else {
            return;
        };
        self.timeline.note(&slot.name, "is killed");
        self.count(|counts| counts.kills += 1);
        self.wall_off(slot);
        self.copy_for_next(slot, &process);
        // What is left of it winds down where nobody hears it.
        tokio::spawn(async move {
            drop(timeout(LEFTOVER_MAX, process.lane.close()).await);
            drop(process.lane);
            drop(fs::remove_dir_all(process.folder));
        });
    }

    /// Closes a lane in good order.
    pub async fn close(&self, slot: &Arc<Slot>) {
        let Some(process) = slot.process.send_replace(None) else {
            return;
        };
        self.timeline.note(&slot.name, "closes");
        self.count(|counts| counts.restarts += 1);
        if timeout(CLOSE_MAX, process.lane.close()).await.is_err() {
            let what = format!("did not close within {CLOSE_MAX:?}");
            self.timeline.violation(Check::Starts, &slot.name, what);
        }
        self.timeline.note(&slot.name, "is closed");
        self.wall_off(slot);
        self.copy_for_next(slot, &process);
        drop(process.lane);
        drop(fs::remove_dir_all(process.folder));
    }

    fn wall_off(&self, slot: &Slot) {
        self.fabric.unplug(&slot.peer);
        self.board.leave(&slot.peer);
    }

    fn copy_for_next(&self, slot: &Slot, process: &Process) {
        let run = process.run + 1;
        let folder = self.scratch.join(format!("{}-{run}", slot.name));
        if let Err(error) = copy_as_after_a_kill(&process.folder, &folder) {
            let what = format!("the simulator could not copy its folder: {error}");
            self.timeline.violation(Check::Starts, &slot.name, what);
        }
        *slot.next() = NextRun { run, folder };
    }

    /// A new lane joins, invited by `inviter`. Not getting in is no fault where lanes cannot agree.
    pub async fn join(&self, inviter: &(Arc<Slot>, Process)) -> Option<Arc<Slot>> {
        let (host, process) = inviter;
        let code = match process.lane.invite().await {
            Ok(code) => code,
            Err(failure) => {
                self.timeline
                    .note(&host.name, format!("cannot invite: {failure}"));
                return None;
            }
        };
        let slot = self.new_slot();
        self.timeline
            .note(&slot.name, format!("joins, invited by {}", host.name));
        let (providers, network, discovery) = self
            .providers(&slot)
            .inspect_err(|e| {
                self.timeline
                    .violation(Check::Starts, &slot.name, format!("cannot join: {e:#}"))
            })
            .ok()?;
        let contact = LaneContact {
            peer: host.peer.0.clone(),
            addresses: process.lane.providers().network.local_addresses(),
        };
        let joined = join(JoinParts {
            providers: providers.clone(),
            discovery: discovery.clone(),
            code,
            lane_name: slot.name.clone(),
            known: vec![contact],
            limit: JOIN_FOR,
        });
        match joined.await {
            Ok(_) => {
                self.count(|counts| counts.joined += 1);
                self.start_with(&slot, providers, network, discovery).await;
                Some(slot)
            }
            Err(error) => {
                self.timeline
                    .note(&slot.name, format!("did not join: {error}"));
                self.wall_off(&slot);
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
