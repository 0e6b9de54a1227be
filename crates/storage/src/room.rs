//! Waiting for a disk that takes no write, because it is full or fails, where giving up would cost
//! more than waiting.
//!
//! A lane's journal answers such a disk at once: a cashier waits for it. Behind that, what the lanes
//! agree on is written again until the disk takes it, so that a lane goes on by itself afterwards. A
//! sync that failed is another matter: what it was to make durable may be lost, and nobody waits.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use providers::SharedClock;

use crate::StorageError;

/// Between two tries of a write that the disk did not take.
const TRY_EVERY: Duration = Duration::from_millis(500);

/// Waits for a disk to take writes. Clones share the moment at which nobody waits any longer.
#[derive(Clone, Default)]
pub struct Room {
    clock: Option<SharedClock>,
    given_up: Arc<AtomicBool>,
}

impl Room {
    pub fn new(clock: SharedClock) -> Room {
        Room {
            clock: Some(clock),
            given_up: Arc::default(),
        }
    }

    /// Never waits: a disk that takes nothing is an error like any other.
    pub fn never_waited_for() -> Room {
        Room::default()
    }

    /// After a failed write: waits for a moment where the disk did not take it, and says whether to
    /// write it again. There is no bound but [`Room::give_up`]: only a person makes room, or mends the
    /// disk.
    pub async fn wait_after(&self, error: &StorageError) -> bool {
        let may_pass = matches!(error, StorageError::NotDurable { may_pass: true, .. });
        match &self.clock {
            Some(clock) if may_pass && !self.is_given_up() => {
                tracing::error!("{error}. It is written as soon as the disk takes it");
                clock.sleep(TRY_EVERY).await;
                !self.is_given_up()
            }
            _ => false,
        }
    }

    /// Lets every write that waits, now or later, fail: the lane closes.
    pub fn give_up(&self) {
        self.given_up.store(true, Ordering::Release);
    }

    fn is_given_up(&self) -> bool {
        self.given_up.load(Ordering::Acquire)
    }
}
