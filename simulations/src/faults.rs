//! What goes wrong in a store, and when.
//!
//! Each fault of a scenario has a driver of its own, with dice of its own; it takes back what it
//! did by the end of the selling time, so that afterwards everything works again.

mod copies;
mod disks;
mod links;
mod machines;
mod members;
mod offices;
mod recovery;
mod rot;

use std::sync::Arc;
use std::time::Duration;

use ledger::{Command, Outcome, Seq, StoreView};
use providers::PeerId;
use sale::Command as SaleCommand;
use tokio::time::{Instant, sleep, sleep_until};

use crate::checks::{Answer, Change, Check};
use crate::goods;
use crate::random::Dice;
use crate::scenario::{FaultPart, Link, Range, What, Who};
use crate::store::{Death, Process, Slot, Store};
use crate::timeline::Strike;

/// The most a clock jumps, either way, in milliseconds.
const JUMP_MS_MAX: u64 = 3_600_000;
/// Lanes a simulated store has at most after others have joined.
const LANES_MAX: usize = 12;
/// How long a slow disk takes over a sync, in milliseconds.
const SLOW_SYNC_MS: Range = (20, 300);
/// Within how many operations on its disk, or steps of its tasks, a process dies midway.
const OPERATIONS_MAX: u64 = 60;
const POLLS_MAX: u64 = 3_000;
/// How long a manager waits at a lane for a change to reach it before turning to something else.
const SEEN_MAX: Duration = Duration::from_secs(20);
/// How often a manager looks whether a change has reached the lane.
const LOOK_EVERY: Duration = Duration::from_millis(20);

pub struct Driver {
    pub store: Arc<Store>,
    /// Which of the scenario's faults this is, from 0.
    pub number: usize,
    pub part: FaultPart,
    pub first_ms: Range,
    pub lasts_ms: Range,
    pub again_ms: Option<Range>,
    pub dice: Dice,
    /// When everything must work again.
    pub until: Instant,
    /// Told about lanes that joined.
    pub joined: tokio::sync::mpsc::UnboundedSender<Arc<Slot>>,
}

impl Driver {
    pub async fn run(mut self) {
        let mut next = Instant::now() + self.draw(self.first_ms);
        while next < self.until {
            sleep_until(next).await;
            let lasts = self.draw(self.lasts_ms);
            let end = (next + lasts).min(self.until);
            self.strike(lasts, end).await;
            let Some(again_ms) = self.again_ms else {
                return;
            };
            next = Instant::now() + self.draw(again_ms);
        }
    }

    fn draw(&mut self, range_ms: Range) -> Duration {
        Duration::from_millis(self.dice.between(range_ms.0, range_ms.1))
    }

    async fn strike(&mut self, lasts: Duration, end: Instant) {
        match self.part.what {
            What::Split => {
                let cuts = self.links().unwrap_or_else(|| self.split());
                self.cut("splits", cuts, end).await;
            }
            What::AloneAll => {
                let peers = self.peers();
                let all = peers.iter().flat_map(|peer| around(peer, &peers));
                let mut cuts: Vec<_> = all.collect();
                cuts.sort();
                cuts.dedup();
                self.cut("leaves every lane alone", cuts, end).await;
            }
            What::OneWay => {
                let cuts = self.links().unwrap_or_else(|| self.one_way());
                self.cut("carries one direction only", cuts, end).await;
            }
            What::Cut => {
                let cuts = self.links().or_else(|| {
                    let (slot, _) = self.victim()?;
                    Some(around(&slot.place, &self.peers()))
                });
                self.cut("is cut around a lane", cuts.unwrap_or_default(), end)
                    .await;
            }
            What::Crash => {
                if let Some((slot, process)) = self.victim() {
                    self.crash(slot, process, Death::Killed, end).await;
                }
            }
            What::PowerCut => {
                if let Some((slot, process)) = self.victim() {
                    self.crash(slot, process, Death::PowerCut, end).await;
                }
            }
            What::PowerCutTorn => {
                if let Some((slot, process)) = self.victim() {
                    self.crash(slot, process, Death::TornPowerCut, end).await;
                }
            }
            What::CrashMidway => {
                if let Some((slot, process)) = self.victim() {
                    self.crash_midway(&slot, process.run, end).await;
                }
            }
            What::Freeze => {
                if let Some((slot, _)) = self.victim() {
                    let drawn = self.strikes(&[&slot], Vec::new());
                    self.store.freeze(&slot);
                    sleep_until(end).await;
                    self.store.thaw(&slot);
                    self.store.timeline.strike_over(drawn);
                }
            }
            What::SlowDisk => {
                if let Some((slot, _)) = self.victim() {
                    let drawn = self.strikes(&[&slot], Vec::new());
                    let (from_ms, to_ms) = SLOW_SYNC_MS;
                    let takes = (Duration::from_millis(from_ms), Duration::from_millis(to_ms));
                    slot.device.set_sync_takes(Some(takes));
                    sleep_until(end).await;
                    slot.device.set_sync_takes(None);
                    self.store.timeline.strike_over(drawn);
                }
            }
            What::PowerCutAll => self.power_cut(end).await,
            What::Restart => {
                if let Some((slot, _)) = self.victim() {
                    self.restart(&slot, end).await;
                }
            }
            What::RollingRestart => {
                for slot in self.store.slots() {
                    let end = (Instant::now() + lasts).min(self.until);
                    if slot.process().is_some() {
                        self.restart(&slot, end).await;
                    }
                }
            }
            What::WanDown => self.wan_down(end).await,
            What::HqCrash => self.office_crash(end).await,
            What::HqLate => self.office_late(end).await,
            What::DiskErrors => self.disk_errors(end).await,
            What::DiskFull => self.disk_full(end).await,
            What::BitRot => self.bit_rot(end).await,
            What::SlowLink | What::NarrowLink | What::LossyLink => self.bad_links(end).await,
            What::Suspend => self.suspend(end).await,
            What::SlowStart => self.slow_start(end).await,
            What::ClockDrift => self.drift(end).await,
            What::WrongDay => self.wrong_day(end).await,
            What::ClockJump => self.jump(),
            What::Join => self.join().await,
            What::WipedDisk => self.wiped_disk(end).await,
            What::DeadVoter => self.dead_voter(end).await,
            What::CrashChanging => self.crash_changing(lasts).await,
            What::MajorityLost => self.majority_lost(end).await,
            What::NightShutdown => self.night_shutdown(end).await,
            What::NewPrices => self.new_prices().await,
            What::HqPublishes => self.office_publishes(),
            What::CopiedDisk => self.copied_disk(end).await,
            What::CopyJoins => self.copy_joins().await,
            What::CopyAlone => self.copy_alone(end).await,
            What::SpareMachine => self.spare_machine(end).await,
        }
    }

    /// Draws the fault into the timeline.
    fn strikes(&self, slots: &[&Slot], links: Vec<(usize, usize)>) -> usize {
        self.store.timeline.strike(Strike {
            what: self.part.what.word(),
            part: self.number,
            lanes: slots.iter().map(|slot| slot.number()).collect(),
            links,
            ..Strike::default()
        })
    }

    fn peers(&self) -> Vec<PeerId> {
        let mut slots = self.store.slots();
        slots.extend(self.store.copies());
        slots.iter().map(|slot| slot.place.clone()).collect()
    }

    /// The lane that is hit.
    fn victim(&mut self) -> Option<(Arc<Slot>, Process)> {
        match self.part.lane {
            Who::Leader => self.store.leader(),
            Who::Lane(number) => {
                let slot = self.store.slot(number)?;
                slot.process().map(|process| (slot, process))
            }
            Who::Any => {
                let mut running = self.store.running();
                match running.is_empty() {
                    true => None,
                    false => Some(running.swap_remove(self.dice.index(running.len()))),
                }
            }
        }
    }

    /// The directions that the scenario names, if it does.
    fn links(&self) -> Option<Vec<(PeerId, PeerId)>> {
        let peer = |number: usize| self.store.slot(number).map(|slot| slot.place.clone());
        let named = self.part.links.iter();
        let links: Vec<_> = named
            .filter_map(|Link { from, to }| peer(*from).zip(peer(*to)))
            .collect();
        (!self.part.links.is_empty()).then_some(links)
    }

    /// Both directions between two groups of lanes.
    fn split(&mut self) -> Vec<(PeerId, PeerId)> {
        let mut peers = self.peers();
        if peers.len() < 2 {
            return Vec::new();
        }
        self.dice.shuffle(&mut peers);
        let (left, right) = peers.split_at(self.dice.between(1, peers.len() as u64 - 1) as usize);
        left.iter().flat_map(|peer| around(peer, right)).collect()
    }

    fn one_way(&mut self) -> Vec<(PeerId, PeerId)> {
        let mut peers = self.peers();
        self.dice.shuffle(&mut peers);
        match &peers[..] {
            [from, to, ..] => vec![(from.clone(), to.clone())],
            _ => Vec::new(),
        }
    }

    /// Directions by the numbers of their lanes.
    fn numbered(&self, links: &[(PeerId, PeerId)]) -> Vec<(usize, usize)> {
        let slots = self.store.slots();
        let number = |peer: &PeerId| {
            let slot = slots.iter().find(|slot| slot.place == *peer);
            slot.map_or(0, |slot| slot.number())
        };
        let links = links.iter();
        links.map(|(from, to)| (number(from), number(to))).collect()
    }

    async fn cut(&self, what: &str, cuts: Vec<(PeerId, PeerId)>, end: Instant) {
        if cuts.is_empty() {
            return;
        }
        let links = self.numbered(&cuts);
        let listed: Vec<String> = links
            .iter()
            .map(|(from, to)| format!("{from}→{to}"))
            .collect();
        let drawn = self.strikes(&[], links);
        self.store
            .timeline
            .note("network", format!("{what}: {}", listed.join(" ")));
        for (from, to) in &cuts {
            self.store.fabric.cut(from, to);
        }
        sleep_until(end).await;
        for (from, to) in &cuts {
            self.store.fabric.mend(from, to);
        }
        self.store.timeline.strike_over(drawn);
        self.store
            .timeline
            .note("network", format!("no longer {what}"));
        self.store.announce_again();
    }

    async fn crash(&self, slot: Arc<Slot>, process: Process, death: Death, end: Instant) {
        let led = process.lane.view().borrow().status.is_leader;
        let drawn = self.strikes(&[&slot], Vec::new());
        self.store.kill(&slot, death);
        if led && let Some(limit) = self.store.scenario.expect.failover_max {
            let limit = Duration::from_millis(limit.0);
            self.failover(limit).await;
        }
        sleep_until(end).await;
        self.store.start(&slot).await;
        self.store.timeline.strike_over(drawn);
    }

    /// Kills a process in the middle of what it does: at an operation on its disk, or at an await.
    async fn crash_midway(&mut self, slot: &Arc<Slot>, run: u32, end: Instant) {
        let drawn = self.strikes(&[slot], Vec::new());
        match self.dice.chance(500) {
            true => slot.die_after_operations(self.dice.between(1, OPERATIONS_MAX)),
            false => {
                let polls = self.dice.between(1, POLLS_MAX);
                self.store.kill_after_polls(slot, polls);
            }
        }
        sleep_until(end).await;
        // One that has little to do may have come through; it dies now.
        if slot.runs(run) {
            self.store.kill(slot, Death::Killed);
        }
        if slot.process().is_none() {
            self.store.start(slot).await;
        }
        self.store.timeline.strike_over(drawn);
    }

    /// Makes a fact on a lane that is left, and notes how long it takes until it is committed and
    /// applied there. The lanes take turns: the next leader and those that follow it differ.
    async fn failover(&self, limit: Duration) {
        let turn = self.store.counts().failovers_ms.len();
        let running = self.store.running();
        let Some((slot, process)) = running.get(turn % running.len().max(1)) else {
            return;
        };
        let begun = Instant::now();
        let Some(seq) = self.fact(process).await else {
            return;
        };
        let applied = process.wait_shared(seq, 2 * limit).await;
        let took = begun.elapsed();
        self.store.count(|counts| {
            let took_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
            counts.failovers_ms.push(took_ms);
        });
        let timeline = &self.store.timeline;
        match applied {
            Some(applied) if applied >= seq && took <= limit => {
                let what = format!("its next fact was committed {took:?} after the leader's death");
                timeline.note(&slot.name, what);
            }
            _ => {
                let what = format!("nothing was committed within {limit:?}, after {took:?}");
                timeline.violation(Check::Expected, &slot.name, what);
            }
        }
    }

    /// Has a lane journal something that does not change what its cashier rings up.
    async fn fact(&self, process: &Process) -> Option<Seq> {
        let words = || "failover".to_owned();
        let steps = [
            SaleCommand::NoSale { reason: words() },
            SaleCommand::Note {
                line: None,
                text: words(),
            },
        ];
        for step in steps {
            if let Some(Ok(done)) = process.command(step).await {
                return Some(done.seq);
            }
        }
        None
    }

    async fn power_cut(&self, end: Instant) {
        let slots = self.store.slots();
        let hit: Vec<&Slot> = slots
            .iter()
            .map(Arc::as_ref)
            .filter(|slot| slot.process().is_some())
            .collect();
        let drawn = self.strikes(&hit, Vec::new());
        self.store.timeline.note("store", "the power fails");
        let mut killed = Vec::new();
        for slot in slots {
            if slot.process().is_some() {
                self.store.kill(&slot, Death::PowerCut);
                killed.push(slot);
            }
        }
        sleep_until(end).await;
        self.store.timeline.note("store", "the power is back");
        self.store.timeline.strike_over(drawn);
        for slot in killed {
            self.store.start(&slot).await;
        }
    }

    async fn restart(&self, slot: &Arc<Slot>, end: Instant) {
        let drawn = self.strikes(&[slot], Vec::new());
        self.store.close(slot).await;
        sleep_until(end).await;
        self.store.start(slot).await;
        self.store.timeline.strike_over(drawn);
    }

    fn jump(&mut self) {
        let slots = self.store.slots();
        let drawn_ms = self.dice.between(0, 2 * JUMP_MS_MAX) as i64 - JUMP_MS_MAX as i64;
        let by_ms = self.part.by_ms.unwrap_or(drawn_ms);
        let slot = match self.part.lane {
            Who::Lane(number) => slots.iter().find(|slot| slot.number() == number),
            Who::Leader | Who::Any => Some(self.dice.pick(&slots)),
        };
        let Some(slot) = slot else {
            return;
        };
        self.store.timeline.strike(Strike {
            what: self.part.what.word(),
            part: self.number,
            lanes: vec![slot.number()],
            to_ms: Some(self.store.timeline.elapsed_ms()),
            by_ms: Some(by_ms),
            ..Strike::default()
        });
        slot.clock.jump(by_ms);
        let what = format!("its wall clock jumps by {by_ms} ms");
        self.store.timeline.note(&slot.name, what);
    }

    async fn join(&mut self) {
        if self.store.slots().len() >= LANES_MAX {
            return;
        }
        if let Some(inviter) = self.victim() {
            let drawn = self.strikes(&[&inviter.0], Vec::new());
            if let Some(slot) = self.store.join(&inviter).await {
                // Nobody listens any more once the store has closed.
                drop(self.joined.send(slot));
            }
            self.store.timeline.strike_over(drawn);
        }
    }

    /// A manager changes prices at a lane, and then reads there what is in force.
    async fn new_prices(&mut self) {
        let Some((slot, process)) = self.victim() else {
            return;
        };
        let Some(number) = self.store.record(|history| history.begin()) else {
            return;
        };
        let (records, prices) = goods::new_prices(&mut self.dice, number);
        let command = Command::Reference {
            author: "manager".to_owned(),
            records,
        };
        let drawn = self.strikes(&[&slot], Vec::new());
        let asked_us = self.now_us();
        let proposed = process.propose(command).await;
        let answer = match &proposed {
            Ok(Outcome::Changed { version }) => Some(Answer {
                at_us: self.now_us(),
                version: version.0,
            }),
            _ => None,
        };
        self.store.record(|history| {
            history.changed(Change {
                asked_us,
                answer,
                prices,
            });
        });
        let what = match proposed {
            Ok(outcome) => format!("a manager changed prices: {outcome:?}"),
            Err(failure) => format!("a manager could not change prices: {failure}"),
        };
        self.store.timeline.note(&slot.name, what);
        self.store.timeline.strike_over(drawn);
        if let Some(answer) = answer {
            self.read_prices(&slot, &process, asked_us, answer.version)
                .await;
        }
    }

    /// What a lane shows once a change made there has reached it is as good as read at the leader.
    async fn read_prices(&mut self, slot: &Slot, process: &Process, asked_us: u64, version: u64) {
        let deadline = Instant::now() + SEEN_MAX;
        while slot.runs(process.run) && Instant::now() < deadline {
            let read = process.lane.read(|tables| {
                let view = StoreView::new(tables);
                let seen = catalog::Reference::version(&view).0 >= version;
                seen.then(|| view.items_after(None, goods::ITEMS_MAX))
                    .transpose()
            });
            if let Ok(Some(items)) = read {
                let now_us = self.now_us();
                self.store.record(|history| {
                    for item in &items {
                        history.read(&item.id, asked_us, now_us, item.price.minor());
                    }
                });
                return;
            }
            sleep(LOOK_EVERY).await;
        }
    }

    pub(self) fn now_us(&self) -> u64 {
        let since = self.store.timeline.begun().elapsed();
        u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
    }
}

/// Both directions between one lane and others.
fn around(peer: &PeerId, others: &[PeerId]) -> Vec<(PeerId, PeerId)> {
    let others = others.iter().filter(|other| *other != peer);
    others
        .flat_map(|other| [(peer.clone(), other.clone()), (other.clone(), peer.clone())])
        .collect()
}
