//! A lane's clock in virtual time.
//!
//! Virtual time is tokio's paused clock: it stands still while anything can run and jumps to the
//! next timer when nothing can. All lanes share it; each has a wall clock that is off by its own
//! offset and drift.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use futures::future::BoxFuture;
use providers::Clock;
use tokio::time::Instant;

/// Where every simulation begins, by the true wall clock: 2026-11-27 09:00 UTC.
pub const BEGIN_MS: u64 = 1_795_770_000_000;

pub struct SimClock {
    begun: Instant,
    /// How far the wall clock is off, in milliseconds; survives the lane's process.
    offset_ms: AtomicI64,
    jumps: AtomicU64,
    /// How much faster the wall clock runs, in millionths.
    drift_ppm: i64,
    /// An arbitrary fixed moment lies this far back.
    up_for: Duration,
}

impl SimClock {
    pub fn new(begun: Instant, offset_ms: i64, drift_ppm: i64, up_for: Duration) -> SimClock {
        SimClock {
            begun,
            offset_ms: AtomicI64::new(offset_ms),
            jumps: AtomicU64::new(0),
            drift_ppm,
            up_for,
        }
    }

    /// Sets the wall clock forward or back.
    pub fn jump(&self, by_ms: i64) {
        self.offset_ms.fetch_add(by_ms, Ordering::Relaxed);
        self.jumps.fetch_add(1, Ordering::Relaxed);
    }

    /// How often the wall clock was set.
    pub fn jumps(&self) -> u64 {
        self.jumps.load(Ordering::Relaxed)
    }
}

impl Clock for SimClock {
    fn wall_ms(&self) -> u64 {
        let true_ms = i64::try_from(self.begun.elapsed().as_millis()).unwrap_or(i64::MAX);
        let drifted_ms = true_ms.saturating_mul(self.drift_ppm) / 1_000_000;
        let off_ms = self.offset_ms.load(Ordering::Relaxed);
        BEGIN_MS.saturating_add_signed(true_ms.saturating_add(drifted_ms).saturating_add(off_ms))
    }

    fn monotonic(&self) -> Duration {
        self.up_for + self.begun.elapsed()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(duration))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_wall_clock_is_off_and_drifts_and_monotonic_time_is_not() {
        let clock = SimClock::new(Instant::now(), -1_000, 500, Duration::from_secs(9));
        assert_eq!(clock.wall_ms(), BEGIN_MS - 1_000);
        clock.sleep(Duration::from_secs(100)).await;
        assert_eq!(clock.wall_ms(), BEGIN_MS - 1_000 + 100_050);
        clock.jump(-3_600_000);
        assert_eq!(clock.wall_ms(), BEGIN_MS - 3_601_000 + 100_050);
        assert_eq!(clock.monotonic(), Duration::from_secs(109));
    }
}
