//! The lane's data folder: databases for SQLite and a few small files.

use std::path::PathBuf;
use std::sync::Arc;

use futures::channel::oneshot;
use futures::future::BoxFuture;

/// Where SQLite finds a database: a path, and the VFS to open it with (`None`: the system's).
#[derive(Clone, Debug)]
pub struct SqliteLocation {
    pub path: PathBuf,
    pub vfs: Option<String>,
}

#[derive(Debug, thiserror::Error)]
#[error("{action} {file}: {source}")]
pub struct DiskError {
    pub action: &'static str,
    pub file: String,
    pub source: std::io::Error,
}

/// One lane's data folder. File names are relative, without separators.
pub trait Disk: Send + Sync + 'static {
    /// Where the database `file` lives.
    fn sqlite(&self, file: &str) -> SqliteLocation;
    /// Reads a whole small file; `None` when there is none.
    fn read(&self, file: &str) -> Result<Option<Vec<u8>>, DiskError>;
    /// Replaces a small file as one step and makes it durable before it returns. The file is
    /// readable by its owner only.
    fn write(&self, file: &str, bytes: &[u8]) -> Result<(), DiskError>;
    /// Moves `file` out of the way under a new name, which it returns; nothing is ever overwritten.
    fn set_aside(&self, file: &str) -> Result<String, DiskError>;
    /// Removes a file; a file that is not there is not an error.
    fn remove(&self, file: &str) -> Result<(), DiskError>;
    /// Makes room for `file` up to `bytes` ahead of its use, where that makes later syncs faster.
    /// What is in the file stays. Best effort: without it everything works the same, slower.
    fn reserve(&self, _file: &str, _bytes: u64) {}
    /// Runs a worker that blocks on the disk: on a thread of its own in a shop, as a task among
    /// the others in the simulator. Workers wait on channels, [`Disk::flushed`] and the clock, never
    /// on a socket.
    fn spawn_worker(&self, name: &str, worker: BoxFuture<'static, ()>) -> WorkerEnd;
    /// Completes once the device has done what was last made durable; a worker awaits it between a
    /// commit and its answers. In a shop the commit itself has waited for the device, so this is
    /// done at once; the simulator's slow disks wait here, where virtual time can pass.
    fn flushed(&self) -> BoxFuture<'static, ()> {
        Box::pin(std::future::ready(()))
    }
}

/// The end of a worker, for whoever needs to know of it; may be dropped.
pub struct WorkerEnd(oneshot::Receiver<()>);

impl WorkerEnd {
    /// What the worker's runner drops once the worker is gone, and the end that it tells.
    pub fn new() -> (oneshot::Sender<()>, WorkerEnd) {
        let (gone, end) = oneshot::channel();
        (gone, WorkerEnd(end))
    }

    /// Waits until the worker is gone and holds nothing of the folder any more.
    pub async fn wait(self) {
        // The sender is dropped, never used.
        let _ = self.0.await;
    }
}

pub type SharedDisk = Arc<dyn Disk>;
