//! Who has been heard from lately.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use providers::SharedClock;

/// Shared by the connections, the incoming requests and the status. Moments are in milliseconds of
/// the lane's monotonic clock.
pub struct Liveness {
    clock: SharedClock,
    /// This node leads, and has heard from a quorum lately.
    leads_quorum: AtomicBool,
    /// When a leader that has a quorum was last heard, plus one; 0 for never.
    leader_heard_ms: AtomicU64,
}

impl Liveness {
    pub fn new(clock: SharedClock) -> Liveness {
        Liveness {
            clock,
            leads_quorum: AtomicBool::new(false),
            leader_heard_ms: AtomicU64::new(0),
        }
    }

    pub fn leads_quorum(&self) -> bool {
        self.leads_quorum.load(Ordering::Relaxed)
    }

    pub fn set_leads_quorum(&self, leads_quorum: bool) {
        self.leads_quorum.store(leads_quorum, Ordering::Relaxed);
    }

    /// Notes that a leader was heard whose append was accepted.
    pub fn heard_leader(&self, has_quorum: bool) {
        let now_ms = self.clock.monotonic().as_millis() as u64;
        let heard = if has_quorum { now_ms + 1 } else { 0 };
        self.leader_heard_ms.store(heard, Ordering::Relaxed);
    }

    /// Whether a leader with a quorum was heard within `span`.
    pub fn hears_leader(&self, span: Duration) -> bool {
        let heard_ms = self.leader_heard_ms.load(Ordering::Relaxed);
        let now_ms = self.clock.monotonic().as_millis() as u64;
        heard_ms > 0 && now_ms.saturating_sub(heard_ms - 1) <= span.as_millis() as u64
    }
}
