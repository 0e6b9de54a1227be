//! Links that are bad and not cut: slow, narrow, lossy.

use providers::PeerId;
use tokio::time::{Instant, sleep_until};

use super::Driver;
use crate::network::Quality;
use crate::scenario::{Range, What};

/// How long a frame takes on a slow link where the scenario does not say, in milliseconds.
const SLOW_MS: Range = (40, 150);
/// What a narrow link carries where the scenario does not say, in bytes a second.
const NARROW_BYTES_PER_S: u64 = 25_000;
/// Frames of a thousand that a lossy link loses where the scenario does not say.
const LOST_PERMILLE: u64 = 150;

impl Driver {
    /// Makes links worse in the way of the fault's word, until `end`.
    pub(super) async fn bad_links(&mut self, end: Instant) {
        let part = &self.part;
        let quality = match part.what {
            What::SlowLink => Quality {
                delay_ms: Some(part.delay_ms.unwrap_or(SLOW_MS)),
                ..Quality::default()
            },
            What::NarrowLink => Quality {
                bytes_per_s: Some(part.bytes_per_s.unwrap_or(NARROW_BYTES_PER_S)),
                ..Quality::default()
            },
            _ => Quality {
                lost_permille: part.lost_permille.unwrap_or(LOST_PERMILLE),
                ..Quality::default()
            },
        };
        let links = self.links().unwrap_or_else(|| self.both_ways());
        let drawn = self.strikes(&[], self.numbered(&links));
        for (from, to) in &links {
            self.store.fabric.worsen(from, to, self.number, quality);
        }
        sleep_until(end).await;
        for (from, to) in &links {
            self.store.fabric.relieve(from, to, self.number);
        }
        self.store.timeline.strike_over(drawn);
    }

    /// Both directions between two lanes.
    fn both_ways(&mut self) -> Vec<(PeerId, PeerId)> {
        let one_way = self.one_way();
        let back = one_way.iter().map(|(from, to)| (to.clone(), from.clone()));
        one_way.iter().cloned().chain(back).collect()
    }
}
