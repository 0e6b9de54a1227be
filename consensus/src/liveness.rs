//! Who has been heard from lately.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use providers::SharedClock;

/// How long a node may be told by its leader's heartbeats that the store has committed what it has
/// not applied before it counts as behind: longer than a lost append takes to come again.
const BEHIND_AFTER: Duration = Duration::from_secs(3);

/// What the store had committed at a moment, as a leader said.
#[derive(Default)]
struct Told {
    committed: u64,
    at_ms: u64,
}

/// Shared by the connections, the incoming requests and the status. Moments are in milliseconds of
/// the lane's monotonic clock.
pub struct Liveness {
    clock: SharedClock,
    /// This node leads, and has heard from a quorum lately.
    leads_quorum: AtomicBool,
    /// When a leader that has a quorum was last heard, plus one; 0 for never.
    leader_heard_ms: AtomicU64,
    /// What this node has applied.
    applied: AtomicU64,
    /// The first that a leader told since this node had applied all it was told before.
    told: Mutex<Told>,
}

impl Liveness {
    pub fn new(clock: SharedClock) -> Liveness {
        Liveness {
            clock,
            leads_quorum: AtomicBool::new(false),
            leader_heard_ms: AtomicU64::new(0),
            applied: AtomicU64::new(0),
            told: Mutex::default(),
        }
    }

    pub fn leads_quorum(&self) -> bool {
        self.leads_quorum.load(Ordering::Relaxed)
    }

    pub fn set_leads_quorum(&self, leads_quorum: bool) {
        self.leads_quorum.store(leads_quorum, Ordering::Relaxed);
    }

    /// Notes that a leader was heard whose append was accepted, and up to where it has committed.
    pub fn heard_leader(&self, has_quorum: bool, committed: u64) {
        let at_ms = self.now_ms();
        let heard = if has_quorum { at_ms + 1 } else { 0 };
        self.leader_heard_ms.store(heard, Ordering::Relaxed);
        let mut told = self
            .told
            .lock()
            .unwrap_or_else(|poison| poison.into_inner());
        if self.applied.load(Ordering::Relaxed) >= told.committed {
            *told = Told { committed, at_ms };
        }
    }

    /// Whether a leader with a quorum was heard within `span`.
    pub fn hears_leader(&self, span: Duration) -> bool {
        let heard_ms = self.leader_heard_ms.load(Ordering::Relaxed);
        heard_ms > 0 && self.now_ms().saturating_sub(heard_ms - 1) <= span.as_millis() as u64
    }

    /// Notes what this node has applied, and says whether it has known for [`BEHIND_AFTER`] of more:
    /// a bad line may let the small heartbeats through and nothing else.
    pub fn is_behind(&self, applied: u64) -> bool {
        self.applied.store(applied, Ordering::Relaxed);
        let told = self
            .told
            .lock()
            .unwrap_or_else(|poison| poison.into_inner());
        let since_ms = self.now_ms().saturating_sub(told.at_ms);
        applied < told.committed && since_ms > BEHIND_AFTER.as_millis() as u64
    }

    fn now_ms(&self) -> u64 {
        self.clock.monotonic().as_millis() as u64
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use futures::future::BoxFuture;
    use providers::Clock;

    use super::*;

    /// A clock that a test moves, in milliseconds.
    #[derive(Default)]
    struct Hand(AtomicU64);

    impl Clock for Hand {
        fn wall_ms(&self) -> u64 {
            self.0.load(Ordering::Relaxed)
        }

        fn monotonic(&self) -> Duration {
            Duration::from_millis(self.wall_ms())
        }

        fn sleep(&self, _: Duration) -> BoxFuture<'static, ()> {
            Box::pin(std::future::pending())
        }
    }

    #[test]
    fn a_node_that_is_told_of_what_it_does_not_get_is_behind() {
        // When; what a leader tells then, if anything; what is applied; whether that is behind.
        let steps: &[(u64, Option<u64>, u64, bool)] = &[
            (0, None, 0, false),
            (100, Some(5), 0, false),
            // Told of more and more, it is behind by the first.
            (2_000, Some(7), 4, false),
            (3_100, Some(9), 4, false),
            (3_101, None, 4, true),
            // It has what it was told first; what it is told now counts from now on.
            (3_200, None, 5, false),
            (9_000, Some(12), 5, false),
            (12_000, None, 6, false),
            (12_001, None, 6, true),
            (12_002, Some(12), 12, false),
            (99_000, None, 12, false),
        ];
        let clock = Arc::new(Hand::default());
        let liveness = Liveness::new(clock.clone());
        for &(at_ms, told, applied, expected) in steps {
            clock.0.store(at_ms, Ordering::Relaxed);
            if let Some(committed) = told {
                liveness.heard_leader(true, committed);
            }
            assert_eq!(liveness.is_behind(applied), expected, "at {at_ms} ms");
        }
    }
}
