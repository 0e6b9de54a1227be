//! A lane's clock in virtual time.
//!
//! Virtual time is tokio's paused clock: it stands still while anything can run and jumps to the
//! next timer when nothing can. All lanes share it; each has a wall clock that is off by its own
//! offset and drift, and a monotonic clock that stands still while its machine is suspended, as on
//! Linux. The timers of openraft are tokio's and run on meanwhile.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::future::BoxFuture;
use providers::Clock;
use tokio::time::Instant;

/// Where every simulation begins, by the true wall clock: 2026-11-27 09:00 UTC.
pub const BEGIN_MS: u64 = 1_795_770_000_000;

pub struct SimClock {
    begun: Instant,
    /// Survives the lane's process.
    wall: Mutex<Wall>,
    jumps: AtomicU64,
    /// An arbitrary fixed moment lies this far back.
    up_for: Duration,
    /// For how long the machine was suspended, in microseconds.
    suspended_us: Arc<AtomicU64>,
}

/// How a wall clock runs.
struct Wall {
    /// How far it was off at `since`, in milliseconds.
    offset_ms: i64,
    /// How much faster it runs since then, in millionths.
    drift_ppm: i64,
    since: Instant,
}

impl Wall {
    fn off_ms(&self) -> i64 {
        let elapsed_ms = i64::try_from(self.since.elapsed().as_millis()).unwrap_or(i64::MAX);
        let drifted_ms = elapsed_ms.saturating_mul(self.drift_ppm) / 1_000_000;
        self.offset_ms.saturating_add(drifted_ms)
    }
}

impl SimClock {
    pub fn new(begun: Instant, offset_ms: i64, drift_ppm: i64, up_for: Duration) -> SimClock {
        let wall = Wall {
            offset_ms,
            drift_ppm,
            since: begun,
        };
        SimClock {
            begun,
            wall: Mutex::new(wall),
            jumps: AtomicU64::new(0),
            up_for,
            suspended_us: Arc::default(),
        }
    }

    fn wall(&self) -> MutexGuard<'_, Wall> {
        self.wall.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets the wall clock forward or back.
    pub fn jump(&self, by_ms: i64) {
        let mut wall = self.wall();
        wall.offset_ms = wall.offset_ms.saturating_add(by_ms);
        self.jumps.fetch_add(1, Ordering::Relaxed);
    }

    /// How often the wall clock was set.
    pub fn jumps(&self) -> u64 {
        self.jumps.load(Ordering::Relaxed)
    }

    /// From now on the wall clock runs so many millionths too fast; gives what it was before.
    pub fn set_drift(&self, ppm: i64) -> i64 {
        let mut wall = self.wall();
        let before = wall.drift_ppm;
        *wall = Wall {
            offset_ms: wall.off_ms(),
            drift_ppm: ppm,
            since: Instant::now(),
        };
        before
    }

    /// The machine was suspended for so long until now: its monotonic clock has stood still, and
    /// who sleeps by it sleeps on for what was left.
    pub fn was_suspended(&self, lasted: Duration) {
        let us = u64::try_from(lasted.as_micros()).unwrap_or(u64::MAX);
        self.suspended_us.fetch_add(us, Ordering::Relaxed);
    }
}

impl Clock for SimClock {
    fn wall_ms(&self) -> u64 {
        let true_ms = i64::try_from(self.begun.elapsed().as_millis()).unwrap_or(i64::MAX);
        BEGIN_MS.saturating_add_signed(true_ms.saturating_add(self.wall().off_ms()))
    }

    fn monotonic(&self) -> Duration {
        let suspended = Duration::from_micros(self.suspended_us.load(Ordering::Relaxed));
        (self.up_for + self.begun.elapsed()).saturating_sub(suspended)
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        let suspended_us = self.suspended_us.clone();
        let before_us = suspended_us.load(Ordering::Relaxed);
        let awake_until = Instant::now() + duration;
        Box::pin(async move {
            loop {
                let stood_us = suspended_us.load(Ordering::Relaxed) - before_us;
                let until = awake_until + Duration::from_micros(stood_us);
                tokio::time::sleep_until(until).await;
                if suspended_us.load(Ordering::Relaxed) == before_us + stood_us {
                    return;
                }
            }
        })
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

    #[tokio::test(start_paused = true)]
    async fn a_drift_begins_where_the_clock_stands_and_ends_there() {
        let clock = SimClock::new(Instant::now(), 0, 0, Duration::ZERO);
        clock.sleep(Duration::from_secs(10)).await;
        assert_eq!(clock.set_drift(10_000), 0);
        assert_eq!(clock.wall_ms(), BEGIN_MS + 10_000);
        clock.sleep(Duration::from_secs(10)).await;
        assert_eq!(clock.wall_ms(), BEGIN_MS + 20_100);
        assert_eq!(clock.set_drift(0), 10_000);
        clock.sleep(Duration::from_secs(10)).await;
        assert_eq!(clock.wall_ms(), BEGIN_MS + 30_100);
    }

    #[tokio::test(start_paused = true)]
    async fn who_sleeps_by_a_suspended_clock_sleeps_on() {
        let begun = Instant::now();
        let clock = SimClock::new(begun, 0, 0, Duration::from_secs(1));
        let slept = clock.sleep(Duration::from_secs(5));
        tokio::time::sleep(Duration::from_secs(60)).await;
        clock.was_suspended(Duration::from_secs(58));
        assert_eq!(clock.monotonic(), Duration::from_secs(3));
        slept.await;
        assert_eq!(begun.elapsed(), Duration::from_secs(63));
        assert_eq!(clock.wall_ms(), BEGIN_MS + 63_000);
    }
}
