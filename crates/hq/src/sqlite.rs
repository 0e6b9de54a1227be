//! The books on embedded SQLite: one worker owns the database, requests queue up to it.
//!
//! Invariant: an answer is sent after the commit it speaks of, and a commit returns once it is on
//! disk. A database found damaged at the start is set aside, never overwritten; the stores then
//! send everything again.

mod publish;
mod read;
mod take;

use async_trait::async_trait;
use ledger::{LaneId, Seq, StoreId};
use providers::{SharedDisk, WorkerEnd};
use rusqlite::Connection;
use storage::{
    Database, DatabaseKind, Durability, Limits, SetAside, nothing_to_verify, open_database,
    transact,
};
use tokio::sync::{mpsc, oneshot};
use wire::{HqAck, HqBatch, HqPublication, HqPublish};

use crate::{
    HeldEntries, HqError, HqStore, Publications, SetAsideEntry, StoreSummary, TotalRow,
    TotalsFilter,
};

pub(crate) use read::Reader;

/// Requests that may wait for the database; more wait in their own tasks.
const QUEUE_MAX: usize = 64;

/// Lanes are numbered within this database, so that an entry's row carries no long ids. A lane of
/// one store and a lane of another are different rows, whatever they call themselves.
pub(crate) const HQ_DATABASE: DatabaseKind = DatabaseKind {
    file: "hq.db",
    application_id: 0x4c4d_4851,
    schema_version: 3,
    schema: "
        CREATE TABLE store (
            id INTEGER PRIMARY KEY,
            store BLOB NOT NULL UNIQUE,
            name TEXT NOT NULL,
            cursor INTEGER NOT NULL,
            heard_ms INTEGER NOT NULL,
            -- The newest epoch that was heard of: ledger::Epoch.
            epoch INTEGER NOT NULL DEFAULT 1,
            epoch_mark INTEGER NOT NULL DEFAULT 0
        ) STRICT;
        CREATE TABLE lane (
            id INTEGER PRIMARY KEY,
            store INTEGER NOT NULL REFERENCES store (id),
            lane BLOB NOT NULL,
            number INTEGER NOT NULL,
            name TEXT NOT NULL,
            -- The end of the chain that is held.
            next_seq INTEGER NOT NULL,
            hash BLOB NOT NULL,
            UNIQUE (store, lane)
        ) STRICT;
        CREATE TABLE entry (
            lane INTEGER NOT NULL REFERENCES lane (id),
            seq INTEGER NOT NULL,
            global INTEGER NOT NULL,
            hash BLOB NOT NULL,
            bytes BLOB NOT NULL,
            PRIMARY KEY (lane, seq)
        ) STRICT;
        CREATE TABLE total (
            lane INTEGER NOT NULL REFERENCES lane (id),
            day TEXT NOT NULL,
            -- A ledger::DayTotal as CBOR.
            total BLOB NOT NULL,
            PRIMARY KEY (lane, day)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE set_aside (
            id INTEGER PRIMARY KEY,
            lane INTEGER NOT NULL REFERENCES lane (id),
            seq INTEGER NOT NULL,
            global INTEGER NOT NULL,
            hash BLOB NOT NULL,
            reason TEXT NOT NULL,
            held INTEGER NOT NULL,
            bytes BLOB NOT NULL,
            UNIQUE (lane, seq, hash)
        ) STRICT;
        CREATE TABLE publication (
            number INTEGER PRIMARY KEY,
            author TEXT NOT NULL,
            published_ms INTEGER NOT NULL,
            records INTEGER NOT NULL,
            -- Whether it is for the stores in publication_store alone.
            named INTEGER NOT NULL,
            -- A wire::HqPublication as CBOR.
            body BLOB NOT NULL
        ) STRICT;
        CREATE TABLE publication_store (
            number INTEGER NOT NULL REFERENCES publication (number),
            store BLOB NOT NULL,
            PRIMARY KEY (number, store)
        ) STRICT, WITHOUT ROWID;
        -- What a store says it has taken.
        CREATE TABLE taken (
            store BLOB PRIMARY KEY,
            number INTEGER NOT NULL,
            asked_ms INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID",
    upgrades: &[
        "ALTER TABLE store ADD COLUMN epoch INTEGER NOT NULL DEFAULT 1;
         ALTER TABLE store ADD COLUMN epoch_mark INTEGER NOT NULL DEFAULT 0",
        "CREATE TABLE publication (
            number INTEGER PRIMARY KEY,
            author TEXT NOT NULL,
            published_ms INTEGER NOT NULL,
            records INTEGER NOT NULL,
            named INTEGER NOT NULL,
            body BLOB NOT NULL
         ) STRICT;
         CREATE TABLE publication_store (
            number INTEGER NOT NULL REFERENCES publication (number),
            store BLOB NOT NULL,
            PRIMARY KEY (number, store)
         ) STRICT, WITHOUT ROWID;
         CREATE TABLE taken (
            store BLOB PRIMARY KEY,
            number INTEGER NOT NULL,
            asked_ms INTEGER NOT NULL
         ) STRICT, WITHOUT ROWID",
    ],
    durability: Durability::EachCommit,
    auto_checkpoint_pages: 1_000,
    cache_kib: 16 * 1024,
    verify: nothing_to_verify,
};

type Job = Box<dyn FnOnce(&Books) + Send>;

/// The database as its worker has it.
struct Books {
    database: Database,
    connection: Connection,
}

/// The books of head office in one SQLite file.
pub struct SqliteStore {
    jobs: mpsc::Sender<Job>,
}

/// Books that were opened.
pub struct OpenedBooks {
    pub store: SqliteStore,
    /// Damaged books that were set aside; the store is new.
    pub set_aside: Option<SetAside>,
    /// Comes once the store is gone, its worker has ended and the folder is free again.
    pub closed: WorkerEnd,
}

impl SqliteStore {
    /// Opens the books in a folder, or begins new ones where there are none or damaged ones.
    pub fn open(disk: SharedDisk) -> Result<OpenedBooks, HqError> {
        let (database, connection, set_aside) =
            open_database(&disk, &HQ_DATABASE, Limits::default())?;
        let books = Books {
            database,
            connection,
        };
        let (jobs, queue) = mpsc::channel(QUEUE_MAX);
        let closed = disk.spawn_worker(HQ_DATABASE.file, Box::pin(work(books, queue)));
        Ok(OpenedBooks {
            store: SqliteStore { jobs },
            set_aside,
            closed,
        })
    }

    async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Books) -> Result<T, HqError> + Send + 'static,
    ) -> Result<T, HqError> {
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |books| {
            // Whoever asked may be gone by now; what was committed stays.
            let _ = answer.send(job(books));
        });
        self.jobs.send(job).await.map_err(|_| HqError::Closed)?;
        answered.await.map_err(|_| HqError::Closed)?
    }

    /// Writes in one transaction.
    async fn write<T: Send + 'static>(
        &self,
        write: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, HqError> {
        self.run(move |books| {
            transact(&books.database, &books.connection, |connection| {
                let failed = |error| HqError::from(books.database.error("write", &error));
                write(connection).map_err(failed)
            })
        })
        .await
    }

    async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Reader<'_>) -> Result<T, HqError> + Send + 'static,
    ) -> Result<T, HqError> {
        self.run(move |books| {
            let error = |error: &rusqlite::Error| books.database.error("read", error);
            read(&Reader {
                connection: &books.connection,
                error: &error,
            })
        })
        .await
    }
}

async fn work(books: Books, mut queue: mpsc::Receiver<Job>) {
    while let Some(job) = queue.recv().await {
        job(&books);
    }
}

#[async_trait]
impl HqStore for SqliteStore {
    async fn take(&self, batch: HqBatch, heard_ms: u64) -> Result<HqAck, HqError> {
        take::check(&batch)?;
        self.run(move |books| {
            transact(&books.database, &books.connection, |connection| {
                let failed = |error| books.database.error("write", &error);
                let known = take::epoch(connection, batch.store).map_err(failed)?;
                if known.is_some_and(|known| take::is_left_behind(batch.epoch, known)) {
                    return Err(HqError::LeftBehind(batch.store));
                }
                let cursor = take::take(connection, &batch, heard_ms).map_err(failed)?;
                let published = publish::last_for(connection, batch.store).map_err(failed)?;
                Ok::<_, HqError>(HqAck { cursor, published })
            })
        })
        .await
    }

    async fn stores(&self) -> Result<Vec<StoreSummary>, HqError> {
        self.read(|reader| reader.stores()).await
    }

    async fn totals(&self, filter: TotalsFilter) -> Result<Vec<TotalRow>, HqError> {
        self.read(move |reader| reader.totals(&filter)).await
    }

    async fn lane_entries(
        &self,
        store: StoreId,
        lane: LaneId,
        from: Seq,
        limit: usize,
    ) -> Result<HeldEntries, HqError> {
        self.read(move |reader| reader.lane_entries(store, lane, from, limit))
            .await
    }

    async fn set_aside(&self, store: Option<StoreId>) -> Result<Vec<SetAsideEntry>, HqError> {
        self.read(move |reader| reader.set_aside(store)).await
    }

    async fn publish(&self, publish: HqPublish, now_ms: u64) -> Result<u64, HqError> {
        publish::check(&publish)?;
        self.write(move |connection| publish::publish(connection, publish, now_ms))
            .await
    }

    async fn published(
        &self,
        store: StoreId,
        after: u64,
        now_ms: u64,
    ) -> Result<Option<HqPublication>, HqError> {
        self.write(move |connection| {
            publish::note_taken(connection, store, after, now_ms)?;
            publish::next(connection, store, after)
        })
        .await
    }

    async fn publications(&self) -> Result<Publications, HqError> {
        self.read(|reader| reader.publications()).await
    }
}
