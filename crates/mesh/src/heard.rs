//! When a connection last brought anything. Shared by the gate, which judges by it, and by the
//! connection's streams, which note what they read: on a slow or lossy link the answer to a ping
//! may come late while data goes on arriving.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// The moment of the last sign of life, to the millisecond.
#[derive(Debug)]
pub(crate) struct Heard {
    since: Instant,
    after_ms: AtomicU64,
}

impl Heard {
    /// Heard at `now` for the first time.
    pub fn new(now: Instant) -> Heard {
        Heard {
            since: now,
            after_ms: AtomicU64::new(0),
        }
    }

    pub fn note(&self, now: Instant) {
        let after = now.saturating_duration_since(self.since).as_millis();
        let after = u64::try_from(after).unwrap_or(u64::MAX);
        self.after_ms.fetch_max(after, Ordering::Relaxed);
    }

    /// For how many milliseconds nothing was heard.
    pub fn silent_ms(&self, now: Instant) -> u64 {
        let age = now.saturating_duration_since(self.since).as_millis();
        let age = u64::try_from(age).unwrap_or(u64::MAX);
        age.saturating_sub(self.after_ms.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn silence_is_counted_from_the_last_sign() {
        let start = Instant::now();
        let at = |ms: u64| start + Duration::from_millis(ms);
        let heard = Heard::new(start);
        assert_eq!(heard.silent_ms(at(40)), 40);
        heard.note(at(100));
        assert_eq!(heard.silent_ms(at(250)), 150);
        // Two threads may note in the wrong order.
        heard.note(at(90));
        assert_eq!(heard.silent_ms(at(250)), 150);
        assert_eq!(heard.silent_ms(at(60)), 0);
    }
}
