//! What goes wrong in a store, and when.
//!
//! Each fault of a scenario has a driver of its own, with dice of its own; it takes back what it
//! did by the end of the selling time, so that afterwards everything works again.

use std::sync::Arc;
use std::time::Duration;

use ledger::Command;
use providers::PeerId;
use tokio::time::{Instant, sleep_until};

use crate::goods;
use crate::random::Dice;
use crate::scenario::{FaultPart, Range, What};
use crate::store::{Process, Slot, Store};

/// The most a clock jumps, either way, in milliseconds.
const JUMP_MS_MAX: u64 = 3_600_000;
/// Lanes a simulated store has at most.
const LANES_MAX: usize = 12;

pub struct Driver {
    pub store: Arc<Store>,
    pub part: FaultPart,
    pub dice: Dice,
    /// When everything must work again.
    pub until: Instant,
    /// Told about lanes that joined.
    pub joined: tokio::sync::mpsc::UnboundedSender<Arc<Slot>>,
}

impl Driver {
    pub async fn run(mut self) {
        let mut next = Instant::now() + self.draw(self.part.first_ms);
        while next < self.until {
            sleep_until(next).await;
            let end = (next + self.draw(self.part.lasts_ms)).min(self.until);
            self.strike(end).await;
            let Some(again_ms) = self.part.again_ms else {
                return;
            };
            next = Instant::now() + self.draw(again_ms);
        }
    }

    fn draw(&mut self, range_ms: Range) -> Duration {
        Duration::from_millis(self.dice.between(range_ms.0, range_ms.1))
    }

    async fn strike(&mut self, end: Instant) {
        match self.part.what {
            What::Split => {
                let cuts = self.split();
                self.cut("splits", cuts, end).await;
            }
            What::AloneAll => {
                let peers = self.peers();
                let cuts = peers.iter().flat_map(|a| peers.iter().map(move |b| (a, b)));
                let cuts = cuts.filter(|(a, b)| a != b);
                let cuts = cuts.map(|(a, b)| (a.clone(), b.clone())).collect();
                self.cut("leaves every lane alone", cuts, end).await;
            }
            What::OneWay => {
                let mut peers = self.peers();
                self.dice.shuffle(&mut peers);
                if let [from, to, ..] = &peers[..] {
                    let cuts = vec![(from.clone(), to.clone())];
                    let what = format!("is cut from {from} to {to}");
                    self.cut(&what, cuts, end).await;
                }
            }
            What::LeaderCut => {
                if let Some((leader, _)) = self.store.leader() {
                    let cuts = around(&leader.peer, &self.peers());
                    let what = format!("is cut around the leader, {}", leader.name);
                    self.cut(&what, cuts, end).await;
                }
            }
            What::Crash => {
                let victim = self.any_running();
                self.kill(victim, end).await;
            }
            What::LeaderCrash => {
                let victim = self.store.leader();
                self.kill(victim, end).await;
            }
            What::Restart => {
                if let Some((slot, _)) = self.any_running() {
                    self.store.close(&slot).await;
                    sleep_until(end).await;
                    self.store.start(&slot).await;
                }
            }
            What::WanDown => {
                self.store.timeline.note("wan", "is down");
                self.store.office.wan_down();
                sleep_until(end).await;
                self.store.office.wan_up();
                self.store.timeline.note("wan", "is up");
            }
            What::ClockJump => self.jump(),
            What::Join => self.join().await,
            What::NewPrices => self.new_prices().await,
        }
    }

    fn peers(&self) -> Vec<PeerId> {
        let slots = self.store.slots();
        slots.iter().map(|slot| slot.peer.clone()).collect()
    }

    fn any_running(&mut self) -> Option<(Arc<Slot>, Process)> {
        let mut running = self.store.running();
        match running.is_empty() {
            true => None,
            false => Some(running.swap_remove(self.dice.index(running.len()))),
        }
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

    async fn cut(&self, what: &str, cuts: Vec<(PeerId, PeerId)>, end: Instant) {
        if cuts.is_empty() {
            return;
        }
        self.store
            .timeline
            .note("network", format!("{what}: {}", listed(&cuts)));
        for (from, to) in &cuts {
            self.store.fabric.cut(from, to);
        }
        sleep_until(end).await;
        for (from, to) in &cuts {
            self.store.fabric.mend(from, to);
        }
        self.store
            .timeline
            .note("network", format!("no longer {what}"));
        self.store.announce_again();
    }

    async fn kill(&self, victim: Option<(Arc<Slot>, Process)>, end: Instant) {
        if let Some((slot, _)) = victim {
            self.store.kill(&slot);
            sleep_until(end).await;
            self.store.start(&slot).await;
        }
    }

    fn jump(&mut self) {
        let slots = self.store.slots();
        let slot = self.dice.pick(&slots).clone();
        let by_ms = self.dice.between(0, 2 * JUMP_MS_MAX) as i64 - JUMP_MS_MAX as i64;
        slot.clock.jump(by_ms);
        let what = format!("its wall clock jumps by {by_ms} ms");
        self.store.timeline.note(&slot.name, what);
    }

    async fn join(&mut self) {
        if self.store.slots().len() >= LANES_MAX {
            return;
        }
        if let Some(inviter) = self.any_running()
            && let Some(slot) = self.store.join(&inviter).await
        {
            // Nobody listens any more once the store has closed.
            drop(self.joined.send(slot));
        }
    }

    async fn new_prices(&mut self) {
        let Some((slot, process)) = self.any_running() else {
            return;
        };
        let command = Command::Reference {
            author: "manager".to_owned(),
            records: goods::new_prices(&mut self.dice),
        };
        let what = match process.lane.propose(&command).await {
            Ok(outcome) => format!("a manager changed prices: {outcome:?}"),
            Err(failure) => format!("a manager could not change prices: {failure}"),
        };
        self.store.timeline.note(&slot.name, what);
    }
}

/// Both directions between one lane and others.
fn around(peer: &PeerId, others: &[PeerId]) -> Vec<(PeerId, PeerId)> {
    let others = others.iter().filter(|other| *other != peer);
    others
        .flat_map(|other| [(peer.clone(), other.clone()), (other.clone(), peer.clone())])
        .collect()
}

fn listed(cuts: &[(PeerId, PeerId)]) -> String {
    let cuts = cuts.iter().map(|(from, to)| {
        let short = |peer: &PeerId| peer.0.trim_start_matches("peer-of-lane-").to_owned();
        format!("{}→{}", short(from), short(to))
    });
    cuts.collect::<Vec<_>>().join(" ")
}
