//! Head office: killed and started again, late, out of reach; and what it publishes.

use tokio::time::{Instant, sleep_until};

use wire::{HqPublish, HqRecord};

use super::Driver;
use crate::checks::{Check, Publishing};
use crate::goods;
use crate::scenario::Range;
use crate::store::Death;

/// How much later a late head office answers where the scenario does not say, in milliseconds:
/// within what a lane waits for, and beyond.
const LATE_MS: Range = (500, 12_000);
/// Within how many operations on its disk head office's process dies midway.
const OPERATIONS_MAX: u64 = 40;

impl Driver {
    pub(super) async fn wan_down(&self, end: Instant) {
        let drawn = self.strikes(&[], Vec::new());
        self.store.timeline.note("wan", "is down");
        self.store.office.wan_down();
        sleep_until(end).await;
        self.store.office.wan_up();
        self.store.timeline.strike_over(drawn);
        self.store.timeline.note("wan", "is up");
    }

    /// Head office dies: at once or in the middle of taking a batch, with its power or without.
    pub(super) async fn office_crash(&mut self, end: Instant) {
        let drawn = self.strikes(&[], Vec::new());
        let office = &self.store.office;
        let death = match self.dice.chance(500) {
            true => Death::Killed,
            false => Death::PowerCut,
        };
        match self.dice.chance(500) {
            true => office.die_after(self.dice.between(1, OPERATIONS_MAX), death),
            false => office.kill(death),
        }
        self.store.timeline.note("hq", "its process is to die");
        sleep_until(end).await;
        // One that had nothing to do came through; it dies now.
        office.kill(death);
        match office.start() {
            Ok(()) => self.store.timeline.note("hq", "runs again"),
            Err(what) => self.store.timeline.violation(Check::Starts, "hq", what),
        }
        self.store.timeline.strike_over(drawn);
    }

    /// Head office publishes new prices; and now and then beside them a record that this store cannot
    /// use.
    pub(super) fn office_publishes(&mut self) {
        let Some(number) = self.store.record(|history| history.begin()) else {
            return;
        };
        let (mut records, prices) = goods::new_prices(&mut self.dice, number);
        let has_foreign = self.dice.chance(250);
        if has_foreign {
            records.insert(0, goods::foreign());
        }
        let publish = HqPublish {
            author: number.to_string(),
            stores: None,
            records: records.iter().flat_map(HqRecord::of).collect(),
        };
        let drawn = self.strikes(&[], Vec::new());
        let asked_us = self.now_us();
        let answer = self.store.office.publish(publish);
        let what = match &answer {
            Ok(number) => format!("publishes {number}"),
            Err(error) => format!("does not publish: {error}"),
        };
        self.store.timeline.note("hq", what);
        self.store.timeline.strike_over(drawn);
        self.store.record(|history| {
            history.publishing(Publishing {
                number,
                asked_us,
                answer: answer.ok(),
                prices,
                has_foreign,
            });
        });
    }

    pub(super) async fn office_late(&mut self, end: Instant) {
        let drawn = self.strikes(&[], Vec::new());
        let late_ms = self.part.delay_ms.unwrap_or(LATE_MS);
        self.store.office.set_late(Some(late_ms));
        self.store.timeline.note("hq", "answers late");
        sleep_until(end).await;
        self.store.office.set_late(None);
        self.store.timeline.note("hq", "answers at once again");
        self.store.timeline.strike_over(drawn);
    }
}
