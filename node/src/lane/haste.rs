//! When journal entries travel to the other lanes: receipts are offered to the store's log at once,
//! everything else waits for company.
//!
//! A scan that waits for the next ones for a moment costs nobody anything: it is durable on its own
//! lane, and it leaves long before a cashier has the next item in hand. Sending a cart's scans
//! together saves each sibling a commit per scan, and the store's log an entry per scan. Copies never
//! hurry: a receipt that the lanes agree on is on most of their disks by then, and the commits that
//! its copies cost would only hold that up.

use std::sync::Arc;
use std::time::Duration;

use ledger::Seq;
use providers::SharedClock;
use tokio::sync::watch;

/// How long an entry may wait for company.
const LINGER: Duration = Duration::from_millis(50);
/// Entries that are company enough.
const COMPANY: Seq = 64;

/// Shared by whoever appends to this lane's journal and whoever sends it on.
#[derive(Clone)]
pub struct Haste {
    clock: SharedClock,
    urgent: Arc<watch::Sender<Seq>>,
}

impl Haste {
    pub fn new(clock: SharedClock) -> Haste {
        Haste {
            clock,
            urgent: Arc::new(watch::Sender::new(0)),
        }
    }

    /// Entries up to `seq` are to travel at once.
    pub fn hurry(&self, seq: Seq) {
        self.urgent.send_if_modified(|urgent| {
            let more = seq > *urgent;
            *urgent = seq.max(*urgent);
            more
        });
    }

    /// Returns when the entries from `from` on, the last being before `end`, should be offered.
    pub async fn gather(&self, from: Seq, end: Seq) {
        let mut urgent = self.urgent.subscribe();
        let hurried = urgent.wait_for(|urgent| *urgent >= from);
        tokio::select! {
            biased;
            _ = hurried => {}
            () = self.company(from, end) => {}
        }
    }

    /// Returns when the entries from `from` on, the last being before `end`, should be copied.
    pub async fn company(&self, from: Seq, end: Seq) {
        if end.saturating_sub(from) < COMPANY {
            self.clock.sleep(LINGER).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::task::Poll;

    use futures::future::BoxFuture;
    use providers::Clock;

    use super::*;

    /// A clock on which no time ever goes by.
    struct Stopped;

    impl Clock for Stopped {
        fn wall_ms(&self) -> u64 {
            0
        }
        fn monotonic(&self) -> Duration {
            Duration::ZERO
        }
        fn sleep(&self, _: Duration) -> BoxFuture<'static, ()> {
            Box::pin(std::future::pending())
        }
    }

    #[test]
    fn only_what_is_urgent_or_many_goes_at_once() {
        let check = |urgent: Seq, from: Seq, end: Seq, at_once: bool| {
            let haste = Haste::new(Arc::new(Stopped));
            haste.hurry(urgent);
            let mut gather = std::pin::pin!(haste.gather(from, end));
            let mut context = std::task::Context::from_waker(std::task::Waker::noop());
            let polled = gather.as_mut().poll(&mut context);
            let is_ready = matches!(polled, Poll::Ready(()));
            assert_eq!(is_ready, at_once, "urgent {urgent}, {from}..{end}");
            let mut company = std::pin::pin!(haste.company(from, end));
            let are_many = company.as_mut().poll(&mut context).is_ready();
            assert_eq!(are_many, end - from >= COMPANY, "copies {from}..{end}");
        };
        check(0, 1, 2, false);
        check(4, 5, 6, false);
        check(5, 5, 6, true);
        check(9, 5, 10, true);
        check(0, 1, 1 + COMPANY, true);
        check(0, 1, COMPANY, false);
    }

    #[test]
    fn haste_is_never_taken_back() {
        let haste = Haste::new(Arc::new(Stopped));
        haste.hurry(7);
        haste.hurry(3);
        let mut gather = std::pin::pin!(haste.gather(7, 8));
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(gather.as_mut().poll(&mut context).is_ready());
    }
}
