//! Machines that sleep, take their time, or know the wrong time.

use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until};

use super::{Driver, around};
use crate::scenario::{What, Who};
use crate::store::Death;
use crate::timeline::Strike;

/// The most that a clock drifts where the scenario does not say, in millionths: five seconds in a
/// hundred.
const DRIFT_PPM_MAX: u64 = 50_000;
/// How far a wall clock may be off after a suspend, in milliseconds.
const WAKES_OFF_MS_MAX: u64 = 5_000;
const DAY_MS: i64 = 24 * 60 * 60 * 1000;
/// How far into its start a slow process comes before it stands still, in milliseconds.
const STARTS_FOR_MS_MAX: u64 = 20;

impl Driver {
    /// A lane's machine is suspended and wakes up.
    pub(super) async fn suspend(&mut self, end: Instant) {
        let Some((slot, _)) = self.victim() else {
            return;
        };
        let off_ms = self.part.by_ms.unwrap_or_else(|| {
            let drawn_ms = self.dice.between(0, 2 * WAKES_OFF_MS_MAX);
            drawn_ms as i64 - WAKES_OFF_MS_MAX as i64
        });
        let drawn = self.store.timeline.strike(Strike {
            what: self.part.what.word(),
            part: self.number,
            lanes: vec![slot.number()],
            by_ms: Some(off_ms),
            ..Strike::default()
        });
        let begun = Instant::now();
        let links = around(&slot.peer, &self.peers());
        self.store.freeze(&slot);
        links
            .iter()
            .for_each(|(from, to)| self.store.fabric.cut(from, to));
        sleep_until(end).await;
        links
            .iter()
            .for_each(|(from, to)| self.store.fabric.mend(from, to));
        slot.clock.was_suspended(begun.elapsed());
        slot.clock.jump(off_ms);
        self.store.thaw(&slot);
        self.store.announce_again();
        self.store.timeline.strike_over(drawn);
    }

    /// A lane's process is killed, and its next one stands still on its way up until `end`.
    pub(super) async fn slow_start(&mut self, end: Instant) {
        let Some((slot, _)) = self.victim() else {
            return;
        };
        let drawn = self.strikes(&[&slot], Vec::new());
        self.store.kill(&slot, Death::Killed);
        let stands_still_after = self.dice.between(0, STARTS_FOR_MS_MAX);
        let stands_still = async {
            sleep(Duration::from_millis(stands_still_after)).await;
            self.store.freeze(&slot);
            sleep_until(end).await;
            self.store.thaw(&slot);
        };
        futures::join!(self.store.start(&slot), stands_still);
        self.store.timeline.strike_over(drawn);
    }

    pub(super) async fn drift(&mut self, end: Instant) {
        let slots = self.store.slots();
        let slot = match self.part.lane {
            Who::Lane(number) => slots.iter().find(|slot| slot.number() == number),
            Who::Leader | Who::Any => Some(self.dice.pick(&slots)),
        };
        let Some(slot) = slot else {
            return;
        };
        let drawn_ppm = self.dice.between(0, 2 * DRIFT_PPM_MAX) as i64 - DRIFT_PPM_MAX as i64;
        let ppm = self.part.ppm.unwrap_or(drawn_ppm);
        let drawn = self.strikes(&[slot], Vec::new());
        let note = |what: String| self.store.timeline.note(&slot.name, what);
        let before = slot.clock.set_drift(ppm);
        note(format!("its wall clock runs {ppm} millionths too fast"));
        sleep_until(end).await;
        slot.clock.set_drift(before);
        note("its wall clock runs as before".to_owned());
        self.store.timeline.strike_over(drawn);
    }

    /// Head office is in another day than the lanes.
    pub(super) async fn wrong_day(&mut self, end: Instant) {
        debug_assert_eq!(self.part.what, What::WrongDay);
        let drawn_ms = if self.dice.chance(500) {
            DAY_MS
        } else {
            -DAY_MS
        };
        let by_ms = self.part.by_ms.unwrap_or(drawn_ms);
        let drawn = self.store.timeline.strike(Strike {
            what: self.part.what.word(),
            part: self.number,
            by_ms: Some(by_ms),
            ..Strike::default()
        });
        let clock = self.store.office.clock();
        clock.jump(by_ms);
        let what = format!("its wall clock is {by_ms} ms off");
        self.store.timeline.note("hq", what);
        sleep_until(end).await;
        clock.jump(-by_ms);
        self.store.timeline.note("hq", "its wall clock is right");
        self.store.timeline.strike_over(drawn);
    }
}
