//! Time as a lane may see it.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures::future::{BoxFuture, Either, select};

/// A source of time. Wall time may jump either way; monotonic time never goes back.
pub trait Clock: Send + Sync + 'static {
    /// Milliseconds since the Unix epoch by the lane's own wall clock. May jump either way.
    fn wall_ms(&self) -> u64;
    /// Time since an arbitrary fixed moment. Never goes back.
    fn monotonic(&self) -> Duration;
    /// Completes once `duration` of monotonic time has gone by.
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()>;
}

pub type SharedClock = Arc<dyn Clock>;

/// Runs `work` for at most `limit`; `None` when the limit came first.
pub async fn timeout<T>(
    clock: &dyn Clock,
    limit: Duration,
    work: impl Future<Output = T>,
) -> Option<T> {
    let work = std::pin::pin!(work);
    match select(work, clock.sleep(limit)).await {
        Either::Left((value, _)) => Some(value),
        Either::Right(((), _)) => None,
    }
}
