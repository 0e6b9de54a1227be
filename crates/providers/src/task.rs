//! Where tasks run: on tokio in a shop, on whatever runs this thread in the simulator.
//!
//! Invariant: whatever a lane spawns, consensus included, goes through [`spawn`], so that a
//! simulated process can be killed or frozen as a whole. The choice hangs on the thread and not on
//! an argument, because openraft spawns through a function without any.
//!
//! In a shop this costs one look at a thread-local per spawned task.

use std::cell::RefCell;
use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures::channel::oneshot;
use futures::future::BoxFuture;

/// Runs the tasks of one thread in tokio's place.
pub trait Spawner {
    /// Runs `task`, which was spawned at `from`.
    fn spawn(
        &self,
        from: &'static Location<'static>,
        task: BoxFuture<'static, ()>,
    ) -> Arc<dyn Abort>;

    /// Seeded randomness for what cannot be handed a [`crate::Random`].
    fn random(&self) -> u64;
}

/// Ends a task at its next await, or before it begins.
pub trait Abort: Send + Sync {
    fn abort(&self);
}

thread_local! {
    static SPAWNER: RefCell<Option<Rc<dyn Spawner>>> = const { RefCell::new(None) };
}

/// This thread's tasks run on a [`Spawner`] while this lives.
#[must_use]
pub struct Entered(Option<Rc<dyn Spawner>>);

/// Has everything that this thread spawns run on `spawner` until the guard is dropped.
pub fn enter(spawner: Rc<dyn Spawner>) -> Entered {
    Entered(SPAWNER.replace(Some(spawner)))
}

impl Drop for Entered {
    fn drop(&mut self) {
        SPAWNER.set(self.0.take());
    }
}

/// Seeded randomness of this thread's [`Spawner`]; `None` in a shop.
pub fn seeded_random() -> Option<u64> {
    SPAWNER.with_borrow(|spawner| spawner.as_ref().map(|spawner| spawner.random()))
}

/// Runs `task` beside whatever runs now. Dropping the handle leaves it running.
#[track_caller]
pub fn spawn<F>(task: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let spawner = SPAWNER.with_borrow(Clone::clone);
    JoinHandle(match spawner {
        None => Handle::Tokio(tokio::spawn(task)),
        Some(spawner) => {
            let (sender, outcome) = oneshot::channel();
            let report = Report(Some(sender));
            let task = Box::pin(async move {
                let report = report;
                let value = task.await;
                report.send(value);
            });
            Handle::Other {
                outcome,
                task: spawner.spawn(Location::caller(), task),
            }
        }
    })
}

/// Tells the handle how its task ended.
struct Report<T>(Option<oneshot::Sender<Result<T, JoinError>>>);

impl<T> Report<T> {
    fn send(mut self, value: T) {
        if let Some(sender) = self.0.take() {
            // Whoever spawned it need not wait for it.
            let _ = sender.send(Ok(value));
        }
    }
}

impl<T> Drop for Report<T> {
    fn drop(&mut self) {
        let error = match std::thread::panicking() {
            true => JoinError::Panicked,
            false => JoinError::Aborted,
        };
        if let Some(sender) = self.0.take() {
            let _ = sender.send(Err(error));
        }
    }
}

/// Waits for a task's outcome.
pub struct JoinHandle<T>(Handle<T>);

enum Handle<T> {
    Tokio(tokio::task::JoinHandle<T>),
    Other {
        outcome: oneshot::Receiver<Result<T, JoinError>>,
        task: Arc<dyn Abort>,
    },
}

impl<T> JoinHandle<T> {
    pub fn abort_handle(&self) -> AbortHandle {
        AbortHandle(match &self.0 {
            Handle::Tokio(handle) => Ender::Tokio(handle.abort_handle()),
            Handle::Other { task, .. } => Ender::Other(task.clone()),
        })
    }
}

impl<T> Future for JoinHandle<T> {
    type Output = Result<T, JoinError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            Handle::Tokio(handle) => {
                Pin::new(handle)
                    .poll(cx)
                    .map_err(|error| match error.is_panic() {
                        true => JoinError::Panicked,
                        false => JoinError::Aborted,
                    })
            }
            Handle::Other { outcome, .. } => Pin::new(outcome)
                .poll(cx)
                .map(|told| told.unwrap_or(Err(JoinError::Aborted))),
        }
    }
}

/// Why a task has no outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JoinError {
    #[error("the task was ended before it was done")]
    Aborted,
    #[error("the task panicked")]
    Panicked,
}

/// Ends a task.
#[derive(Clone)]
pub struct AbortHandle(Ender);

#[derive(Clone)]
enum Ender {
    Tokio(tokio::task::AbortHandle),
    Other(Arc<dyn Abort>),
}

impl AbortHandle {
    /// Ends the task at its next await. Ending it again changes nothing.
    pub fn abort(&self) {
        match &self.0 {
            Ender::Tokio(handle) => handle.abort(),
            Ender::Other(task) => task.abort(),
        }
    }
}

impl fmt::Debug for AbortHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AbortHandle")
    }
}
