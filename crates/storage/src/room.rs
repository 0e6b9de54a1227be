//! Waiting for room on a full disk, where giving up would cost more than waiting.
//!
//! A lane's journal answers a full disk at once: a cashier waits for it. Behind that, what the lanes
//! agree on is written again until there is room, so that a lane goes on by itself afterwards.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use providers::SharedClock;

use crate::StorageError;

/// Between two tries of a write for which there was no room.
const TRY_EVERY: Duration = Duration::from_millis(500);

/// Waits for room. Clones share the moment at which nobody waits any longer.
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

    /// Never waits: a full disk is an error like any other.
    pub fn never_waited_for() -> Room {
        Room::default()
    }

    /// After a failed write: waits for a moment where there was no room for it, and says whether to
    /// write it again. There is no bound but [`Room::give_up`]: only a person makes room.
    pub async fn wait_after(&self, error: &StorageError) -> bool {
        let full = matches!(
            error,
            StorageError::NotDurable {
                disk_full: true,
                ..
            }
        );
        match &self.clock {
            Some(clock) if full && !self.is_given_up() => {
                tracing::error!("{error}. It is written as soon as there is room");
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
