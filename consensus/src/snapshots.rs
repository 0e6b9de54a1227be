//! Snapshots on a worker of their own: built, sent and received without holding up apply.
//!
//! A transfer is one seal (what the whole must be) and chunks of rows. The receiver says after which
//! row it stands, so a broken transfer goes on instead of starting over.

use std::io;

use openraft::storage::{RaftSnapshotBuilder, Snapshot};
use providers::SharedDisk;
use serde::{Deserialize, Serialize};
use storage::{
    Room, RowKey, SnapshotFile, SnapshotIncoming, SnapshotRows, SnapshotSeal, Snapshots,
    StateReader, StorageError,
};
use tokio::sync::{mpsc, oneshot};

use crate::codec::decode;
use crate::types::{LogId, SnapshotMeta, Types};

/// Requests that may wait for the worker; more wait at the caller.
const QUEUE_MAX: usize = 64;

/// The private values of the state that openraft needs: the last applied log id and membership.
pub const APPLIED: &str = "applied";
pub const MEMBERSHIP: &str = "membership";

type Reply<T> = oneshot::Sender<Result<T, StorageError>>;

/// How far a transfer has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// The last row received.
    pub last: Option<RowKey>,
    /// Nothing is missing: the snapshot was received, and adopted, before.
    pub complete: bool,
}

enum Job {
    Build(Reply<SnapshotFile>),
    Chunk(SnapshotFile, Option<RowKey>, Reply<storage::SnapshotChunk>),
    Begin(SnapshotSeal, Reply<Progress>),
    Take(SnapshotSeal, Option<RowKey>, Vec<u8>, Reply<Progress>),
    Finish(SnapshotSeal, Reply<SnapshotFile>),
}

/// A handle to the worker; clones share it.
#[derive(Clone)]
pub struct SnapshotDesk {
    jobs: mpsc::Sender<Job>,
    snapshots: Snapshots,
    room: Room,
}

impl SnapshotDesk {
    pub fn start(
        disk: &SharedDisk,
        snapshots: Snapshots,
        state: StateReader,
        room: Room,
    ) -> SnapshotDesk {
        let (jobs, mut queue) = mpsc::channel(QUEUE_MAX);
        let mut worker = Worker {
            snapshots: snapshots.clone(),
            state,
            sending: None,
            receiving: None,
        };
        disk.spawn_worker(
            "snapshots",
            Box::pin(async move {
                while let Some(job) = queue.recv().await {
                    worker.run(job);
                }
            }),
        );
        SnapshotDesk {
            jobs,
            snapshots,
            room,
        }
    }

    pub fn current(&self) -> Option<SnapshotFile> {
        self.snapshots.current()
    }

    /// The rows of `file` that follow the row `after`.
    pub async fn chunk(
        &self,
        file: SnapshotFile,
        after: Option<RowKey>,
    ) -> Result<storage::SnapshotChunk, StorageError> {
        self.ask(|reply| Job::Chunk(file, after, reply)).await
    }

    /// Begins to receive what `seal` describes, or goes on with it.
    pub async fn begin(&self, seal: SnapshotSeal) -> Result<Progress, StorageError> {
        self.ask(|reply| Job::Begin(seal, reply)).await
    }

    /// Takes the rows that follow the row `after`.
    pub async fn take(
        &self,
        seal: SnapshotSeal,
        after: Option<RowKey>,
        rows: Vec<u8>,
    ) -> Result<Progress, StorageError> {
        self.ask(|reply| Job::Take(seal, after, rows, reply)).await
    }

    /// The whole snapshot, checked and durable, when all rows are there.
    pub async fn finish(&self, seal: SnapshotSeal) -> Result<SnapshotFile, StorageError> {
        self.ask(|reply| Job::Finish(seal, reply)).await
    }

    async fn ask<T>(&self, job: impl FnOnce(Reply<T>) -> Job) -> Result<T, StorageError> {
        let closed = || StorageError::Closed {
            file: "the snapshots".to_owned(),
        };
        let (reply, answer) = oneshot::channel();
        self.jobs.send(job(reply)).await.map_err(|_| closed())?;
        answer.await.map_err(|_| closed())?
    }
}

struct Worker {
    snapshots: Snapshots,
    state: StateReader,
    /// The snapshot that was read from last, kept open for the next chunk.
    sending: Option<(SnapshotSeal, SnapshotRows)>,
    receiving: Option<(SnapshotSeal, SnapshotIncoming)>,
}

impl Worker {
    fn run(&mut self, job: Job) {
        // Whoever asked may have gone away; the work is kept for whoever asks again.
        match job {
            Job::Build(reply) => drop(reply.send(self.snapshots.build(&self.state))),
            Job::Chunk(file, after, reply) => {
                drop(reply.send(self.chunk(&file, after.as_ref())));
            }
            Job::Begin(seal, reply) => drop(reply.send(self.begin(seal))),
            Job::Take(seal, after, rows, reply) => {
                drop(reply.send(self.take(seal, after.as_ref(), &rows)));
            }
            Job::Finish(seal, reply) => drop(reply.send(self.finish(seal))),
        }
    }

    fn chunk(
        &mut self,
        file: &SnapshotFile,
        after: Option<&RowKey>,
    ) -> Result<storage::SnapshotChunk, StorageError> {
        let rows = match self.sending.take() {
            Some((seal, rows)) if seal == file.seal() => rows,
            _ => file.rows()?,
        };
        let chunk = rows.chunk(after)?;
        // The last chunk is empty: then nothing is kept open.
        if chunk.last.is_some() {
            self.sending = Some((file.seal(), rows));
        }
        Ok(chunk)
    }

    fn begin(&mut self, seal: SnapshotSeal) -> Result<Progress, StorageError> {
        let current = self.snapshots.current();
        if current.is_some_and(|current| current.seal() == seal) {
            return Ok(Progress {
                last: None,
                complete: true,
            });
        }
        if self
            .receiving
            .as_ref()
            .is_none_or(|(begun, _)| *begun != seal)
        {
            // The one given up is let go of first, so that its place is free.
            self.receiving = None;
            self.receiving = Some((seal, self.snapshots.receive()?));
        }
        Ok(self.progress())
    }

    fn take(
        &mut self,
        seal: SnapshotSeal,
        after: Option<&RowKey>,
        rows: &[u8],
    ) -> Result<Progress, StorageError> {
        match &mut self.receiving {
            // A chunk that came twice or out of turn is answered with where we stand.
            Some((begun, incoming)) if *begun == seal && incoming.last() == after => {
                let taken = incoming.append(rows);
                if taken.is_err() {
                    self.receiving = None;
                }
                taken.map(|()| self.progress())
            }
            _ => self.begin(seal),
        }
    }

    fn finish(&mut self, seal: SnapshotSeal) -> Result<SnapshotFile, StorageError> {
        if let Some(current) = self.snapshots.current()
            && current.seal() == seal
        {
            return Ok(current);
        }
        match self.receiving.take() {
            Some((begun, incoming)) if begun == seal => incoming.finish(&seal),
            _ => Err(StorageError::BadSnapshot {
                file: "a snapshot".to_owned(),
                reason: "its rows were not sent".to_owned(),
            }),
        }
    }

    fn progress(&self) -> Progress {
        let incoming = self.receiving.as_ref().map(|(_, incoming)| incoming);
        Progress {
            last: incoming.and_then(|incoming| incoming.last().cloned()),
            complete: false,
        }
    }
}

/// What openraft knows a snapshot by, from the snapshot itself.
pub fn meta_of(file: &SnapshotFile) -> io::Result<SnapshotMeta> {
    let private = |name| file.private(name).map_err(io::Error::other);
    let applied: Option<LogId> = private(APPLIED)?.map(|bytes| decode(&bytes)).transpose()?;
    Ok(SnapshotMeta {
        last_log_id: planted::instead(
            "snapshot-lacks-its-last-entries",
            applied.map(|id| LogId::new(*id.committed_leader_id(), id.index() + 2)),
            applied,
        ),
        last_membership: private(MEMBERSHIP)?
            .map(|bytes| decode(&bytes))
            .transpose()?
            .unwrap_or_default(),
    })
}

pub fn to_openraft(
    file: SnapshotFile,
) -> io::Result<openraft::type_config::alias::SnapshotOf<Types, SnapshotFile>> {
    Ok(Snapshot {
        meta: meta_of(&file)?,
        snapshot: file,
    })
}

impl RaftSnapshotBuilder<Types> for SnapshotDesk {
    type SnapshotData = SnapshotFile;

    async fn build_snapshot(
        &mut self,
    ) -> Result<openraft::type_config::alias::SnapshotOf<Types, SnapshotFile>, io::Error> {
        loop {
            match self.ask(Job::Build).await {
                Err(error) if self.room.wait_after(&error).await => {}
                built => return to_openraft(built.map_err(io::Error::other)?),
            }
        }
    }
}
