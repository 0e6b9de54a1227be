//! The replicated state for openraft: committed entries are handed to the applier on a worker that
//! owns the state, a batch of them in one transaction.
//!
//! Invariant: the last applied log id, the membership and the rows an entry wrote are in the same
//! transaction. An answer is given only after that transaction.

use std::io;

use futures::{Stream, StreamExt};
use ledger::{TableError, Tables};
use openraft::storage::{EntryResponder, RaftStateMachine};
use openraft::{EntryPayload, OptionalSend, StoredMembership as OpenraftStoredMembership};
use providers::SharedDisk;
use storage::{Room, SnapshotFile, Snapshots, StateTransaction, StateWriter, StorageError};
use tokio::sync::{mpsc, oneshot, watch};

use crate::codec::{decode, encode};
use crate::snapshots::{APPLIED, MEMBERSHIP, SnapshotDesk, to_openraft};
use crate::types::{Applied, Entry, LogId, SnapshotMeta, StoredMembership, Types};

/// Entries applied in one transaction.
const BATCH_ENTRIES_MAX: usize = 512;
/// Batches that may wait for the worker; more wait at openraft.
const QUEUE_MAX: usize = 4;

/// The rules by which a committed proposal changes the store's state.
pub trait Applier: Send + 'static {
    /// Applies the proposal at `index` and answers its proposer. Must be deterministic: the same
    /// proposals in the same order give the same state and the same answers on every lane. An error
    /// means that the tables could not be read or written; it stops this lane's consensus.
    fn apply(
        &mut self,
        tables: &mut dyn Tables,
        index: u64,
        payload: &[u8],
    ) -> Result<Vec<u8>, TableError>;
}

type Reply<T> = oneshot::Sender<io::Result<T>>;

enum Job {
    State(Reply<(Option<LogId>, StoredMembership)>),
    Apply(Vec<EntryResponder<Types>>, Reply<()>),
    Install(SnapshotFile, Reply<()>),
}

/// openraft's side: hands work to the worker.
pub struct StateMachine {
    jobs: mpsc::Sender<Job>,
    desk: SnapshotDesk,
}

impl StateMachine {
    pub fn start(
        disk: &SharedDisk,
        writer: StateWriter,
        applier: Box<dyn Applier>,
        snapshots: Snapshots,
        desk: SnapshotDesk,
        room: Room,
    ) -> Result<(StateMachine, watch::Receiver<u64>), StorageError> {
        let (jobs, mut queue) = mpsc::channel(QUEUE_MAX);
        let (applied, applied_seen) = watch::channel(writer.applied_index()?);
        let mut worker = Worker {
            writer,
            applier,
            snapshots,
            applied,
            room,
        };
        disk.spawn_worker(
            "apply",
            Box::pin(async move {
                while let Some(job) = queue.recv().await {
                    worker.run(job).await;
                }
            }),
        );
        Ok((StateMachine { jobs, desk }, applied_seen))
    }

    async fn ask<T>(&self, job: impl FnOnce(Reply<T>) -> Job) -> io::Result<T> {
        let closed = || io::Error::other("the state is closed");
        let (reply, answer) = oneshot::channel();
        self.jobs.send(job(reply)).await.map_err(|_| closed())?;
        answer.await.map_err(|_| closed())?
    }
}

/// The only one that writes the state.
struct Worker {
    writer: StateWriter,
    applier: Box<dyn Applier>,
    snapshots: Snapshots,
    applied: watch::Sender<u64>,
    room: Room,
}

#[derive(Debug, thiserror::Error)]
enum ApplyError {
    #[error(transparent)]
    Storage(#[from] StorageError),
    #[error(transparent)]
    Table(#[from] TableError),
}

impl Worker {
    async fn run(&mut self, job: Job) {
        // openraft is the one that asks; when it is gone, so is the need for an answer.
        match job {
            Job::State(reply) => drop(reply.send(self.state())),
            Job::Apply(batch, reply) => drop(reply.send(self.apply(batch).await)),
            Job::Install(file, reply) => drop(reply.send(self.install(&file).await)),
        }
    }

    fn state(&self) -> io::Result<(Option<LogId>, StoredMembership)> {
        let private = |name| self.writer.private(name).map_err(io::Error::other);
        let applied = private(APPLIED)?.map(|bytes| decode(&bytes)).transpose()?;
        let membership = private(MEMBERSHIP)?
            .map(|bytes| decode(&bytes))
            .transpose()?
            .unwrap_or_default();
        Ok((applied, membership))
    }

    async fn apply(&mut self, batch: Vec<EntryResponder<Types>>) -> io::Result<()> {
        let answers = loop {
            match self.apply_all(&batch) {
                Err(ApplyError::Storage(error)) if self.room.wait_after(&error).await => {}
                applied => break applied.map_err(io::Error::other)?,
            }
        };
        let last = batch.last().map(|(entry, _)| entry.log_id.index());
        for ((_, responder), answer) in batch.into_iter().zip(answers) {
            if let Some(responder) = responder {
                responder.send(answer);
            }
        }
        if let Some(last) = last {
            self.applied.send_replace(last);
        }
        Ok(())
    }

    /// Applies a batch in one transaction: all of it or nothing.
    fn apply_all(&mut self, batch: &[EntryResponder<Types>]) -> Result<Vec<Applied>, ApplyError> {
        let applier = &mut self.applier;
        self.writer.transaction(|state| {
            let answers = batch
                .iter()
                .map(|(entry, _)| apply(state, applier.as_mut(), entry));
            let answers = answers.collect::<Result<Vec<Applied>, ApplyError>>()?;
            if let Some((last, _)) = batch.last()
                && !planted::is("applied-index-not-kept")
            {
                state.set_private(APPLIED, &encode(&last.log_id))?;
                state.set_applied_index(last.log_id.index())?;
            }
            Ok(answers)
        })
    }

    async fn install(&mut self, file: &SnapshotFile) -> io::Result<()> {
        loop {
            // Adopted first: after a crash in between, the next start installs it again.
            let adopted = self.snapshots.adopt(file);
            match adopted.and_then(|()| self.writer.replace_with(file)) {
                Err(error) if self.room.wait_after(&error).await => {}
                installed => break installed.map_err(io::Error::other)?,
            }
        }
        self.applied.send_replace(file.seal().applied_index);
        Ok(())
    }
}

fn apply(
    state: &mut StateTransaction<'_>,
    applier: &mut dyn Applier,
    entry: &Entry,
) -> Result<Applied, ApplyError> {
    let answer = match &entry.payload {
        EntryPayload::Blank => Vec::new(),
        EntryPayload::Normal(_) if planted::every(40, "apply-skips-an-entry") => Vec::new(),
        EntryPayload::Normal(payload) => applier.apply(state, entry.log_id.index(), &payload.0)?,
        EntryPayload::Membership(membership) => {
            let stored = OpenraftStoredMembership::new(Some(entry.log_id), membership.clone());
            state.set_private(MEMBERSHIP, &encode(&stored))?;
            Vec::new()
        }
    };
    Ok(Applied(answer))
}

impl RaftStateMachine<Types> for StateMachine {
    type SnapshotData = SnapshotFile;
    type SnapshotBuilder = SnapshotDesk;

    async fn applied_state(&mut self) -> Result<(Option<LogId>, StoredMembership), io::Error> {
        self.ask(Job::State).await
    }

    async fn apply<Strm>(&mut self, entries: Strm) -> Result<(), io::Error>
    where
        Strm: Stream<Item = Result<EntryResponder<Types>, io::Error>> + Unpin + OptionalSend,
    {
        let mut batches = entries.ready_chunks(BATCH_ENTRIES_MAX);
        while let Some(batch) = batches.next().await {
            let batch = batch.into_iter().collect::<io::Result<Vec<_>>>()?;
            self.ask(|reply| Job::Apply(batch, reply)).await?;
        }
        Ok(())
    }

    async fn get_snapshot_builder(&mut self) -> SnapshotDesk {
        self.desk.clone()
    }

    async fn install_snapshot(
        &mut self,
        _meta: &SnapshotMeta,
        snapshot: SnapshotFile,
    ) -> Result<(), io::Error> {
        self.ask(|reply| Job::Install(snapshot, reply)).await
    }

    async fn get_current_snapshot(
        &mut self,
    ) -> Result<Option<openraft::type_config::alias::SnapshotOf<Types, SnapshotFile>>, io::Error>
    {
        self.desk.current().map(to_openraft).transpose()
    }
}
