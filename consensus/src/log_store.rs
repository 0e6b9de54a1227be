//! The Raft log and vote for openraft, on [`storage::RaftLogDb`].
//!
//! Invariant: an entry can be read from the moment `append` returns, though it is durable only when
//! its callback says so. The newest entries are kept in memory, always all that are not durable yet,
//! so replication and apply rarely touch the disk.

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Debug;
use std::io;
use std::ops::{Bound, Range, RangeBounds};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::{Stream, stream};
use openraft::entry::RaftEntry;
use openraft::storage::{IOFlushed, RaftLogReader, RaftLogStorage};
use openraft::{LogState, OptionalSend};
use providers::SharedDisk;
use storage::{DamageMet, RaftLogDb, RaftWrite, Room, SetAside, StorageError};
use tokio::sync::oneshot;

use crate::codec::{decode, encode};
use crate::types::{Entry, LogId, Types, Vote};

/// Durable entries beyond this many bytes are not kept in memory.
const CACHE_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Entries read from disk in one go, in bytes; a single one may exceed it. An append carries no
/// more than this, so that a slow link gets one through in its time.
const READ_BYTES_MAX: usize = 256 * 1024;
/// Entries read from disk in one go.
const READ_ENTRIES_MAX: u64 = 512;

const VOTE: &str = "vote";
const COMMITTED: &str = "committed";
const PURGED: &str = "purged";

/// A handle to the log; clones share it.
#[derive(Clone)]
pub struct LogStore {
    db: RaftLogDb,
    log: Arc<Mutex<Log>>,
}

/// What is known without the disk.
#[derive(Default)]
struct Log {
    vote: Option<Vote>,
    committed: Option<LogId>,
    purged: Option<LogId>,
    /// The last entry, or the last one purged.
    last: Option<LogId>,
    recent: Recent,
}

/// The newest entries: an unbroken tail of the log, each with its encoded size.
#[derive(Default)]
struct Recent {
    entries: BTreeMap<u64, (Entry, usize)>,
    bytes: usize,
    /// Entries up to this one are durable.
    durable: Option<u64>,
}

impl Recent {
    fn push(&mut self, entry: Entry, bytes: usize) {
        self.bytes += bytes;
        self.entries.insert(entry.log_id.index(), (entry, bytes));
    }

    /// Notes that everything up to `last` is durable, and forgets the oldest that exceed the cache.
    fn set_durable(&mut self, last: &LogId) {
        // An entry that was replaced since says nothing about the one in its place.
        let is_same = |(entry, _): &(Entry, usize)| entry.log_id == *last;
        if !self.entries.get(&last.index()).is_some_and(is_same) {
            return;
        }
        self.durable = self.durable.max(Some(last.index()));
        while self.bytes > CACHE_BYTES_MAX {
            match self.entries.first_entry() {
                Some(first) if Some(*first.key()) <= self.durable => {
                    self.bytes -= first.remove().1;
                }
                _ => break,
            }
        }
    }

    fn truncate_from(&mut self, index: u64) {
        for (_, bytes) in self.entries.split_off(&index).into_values() {
            self.bytes -= bytes;
        }
        self.durable = self.durable.min(index.checked_sub(1));
    }

    fn purge_to(&mut self, index: u64) {
        let kept = self.entries.split_off(&(index + 1));
        let purged = std::mem::replace(&mut self.entries, kept);
        self.bytes -= purged.values().map(|(_, bytes)| bytes).sum::<usize>();
    }
}

impl LogStore {
    /// Opens the log; also says whether a damaged one was set aside.
    pub fn open(
        disk: SharedDisk,
        room: Room,
    ) -> Result<(LogStore, Option<SetAside>), StorageError> {
        let (db, set_aside) = RaftLogDb::open(disk, room)?;
        let log = Log {
            vote: value(&db, VOTE)?,
            committed: value(&db, COMMITTED)?,
            purged: value(&db, PURGED)?,
            last: None,
            recent: Recent::default(),
        };
        let store = LogStore {
            db,
            log: Arc::new(Mutex::new(log)),
        };
        let last_entry = match store.db.last_index()? {
            Some(last) => store.read_disk(last..last + 1, usize::MAX)?.pop(),
            None => None,
        };
        let mut log = store.log();
        log.last = last_entry.map(|entry| entry.log_id).or(log.purged);
        drop(log);
        Ok((store, set_aside))
    }

    /// Whether nothing was ever written: no vote and no entry.
    pub fn is_pristine(&self) -> bool {
        let log = self.log();
        log.vote.is_none() && log.last.is_none()
    }

    /// The index of the last entry, or of the last one purged; 0 before the first.
    pub fn last_index(&self) -> u64 {
        self.log().last.map_or(0, |last| last.index())
    }

    /// Where the first damage is noted that is met in the log.
    pub fn damage_met(&self) -> DamageMet {
        self.db.damage_met()
    }

    /// Whether entries were purged, so that the state cannot be rebuilt from the log alone.
    pub fn is_purged(&self) -> bool {
        self.log().purged.is_some()
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        // Whoever panicked while holding it was only reading or had not begun to change it.
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read_disk(&self, range: Range<u64>, bytes_max: usize) -> Result<Vec<Entry>, StorageError> {
        let entries = self.db.read(range, bytes_max)?;
        entries
            .into_iter()
            .map(|(index, bytes)| {
                decode(&bytes).map_err(|error| unreadable(&format!("entry {index}: {error}")))
            })
            .collect()
    }

    /// Entries from the start of `range`: all of them, or as many as fit into `bytes_max` of disk.
    fn read(&self, range: Range<u64>, bytes_max: usize) -> io::Result<Vec<Entry>> {
        let (recent, recent_from): (Vec<Entry>, u64) = {
            let log = self.log();
            let entries = &log.recent.entries;
            let from = entries.keys().next().copied().unwrap_or(u64::MAX);
            let wanted = range.start.max(from)..range.end.max(from).max(range.start);
            let recent = entries.range(wanted);
            (recent.map(|(_, (entry, _))| entry.clone()).collect(), from)
        };
        let disk_end = range.end.min(recent_from);
        if range.start >= disk_end {
            return Ok(recent);
        }
        let older = self.read_disk(range.start..disk_end, bytes_max);
        let mut entries = older.map_err(io::Error::other)?;
        let is_cut = entries
            .last()
            .is_some_and(|entry| entry.log_id.index() + 1 < disk_end);
        if !is_cut {
            entries.extend(recent);
        }
        Ok(entries)
    }

    /// Some entries from the start of `range`, at least one if there is one.
    fn read_some(&self, range: Range<u64>) -> io::Result<Vec<Entry>> {
        let end = range.end.min(range.start.saturating_add(READ_ENTRIES_MAX));
        let mut entries = self.read(range.start..end, READ_BYTES_MAX)?;
        let mut bytes = 0;
        let fitting = entries.iter().position(|entry| {
            bytes += payload_bytes(entry);
            bytes > READ_BYTES_MAX
        });
        entries.truncate(fitting.unwrap_or(entries.len()).max(1));
        Ok(entries)
    }

    /// Writes, and waits until it is durable together with all before it.
    async fn write(&self, write: RaftWrite) -> io::Result<()> {
        let (done, outcome) = oneshot::channel();
        let report = |result| {
            // Nobody waits any more when the node shuts down.
            let _ = done.send(result);
        };
        self.db.submit(write, report).await;
        let outcome = outcome.await.map_err(io::Error::other)?;
        outcome.map_err(io::Error::other)
    }
}

fn unreadable(reason: &str) -> StorageError {
    StorageError::Damaged {
        file: "raft.db".to_owned(),
        reason: reason.to_owned(),
    }
}

fn value<T: serde::de::DeserializeOwned>(
    db: &RaftLogDb,
    name: &str,
) -> Result<Option<T>, StorageError> {
    let Some(bytes) = db.value(name)? else {
        return Ok(None);
    };
    let decoded = decode(&bytes).map_err(|error| unreadable(&format!("{name}: {error}")))?;
    Ok(Some(decoded))
}

fn payload_bytes(entry: &Entry) -> usize {
    match &entry.payload {
        openraft::EntryPayload::Normal(payload) => payload.0.len(),
        openraft::EntryPayload::Blank | openraft::EntryPayload::Membership(_) => 0,
    }
}

fn to_range(bounds: &impl RangeBounds<u64>) -> Range<u64> {
    let start = match bounds.start_bound() {
        Bound::Included(start) => *start,
        Bound::Excluded(before) => before + 1,
        Bound::Unbounded => 0,
    };
    let end = match bounds.end_bound() {
        Bound::Included(last) => last + 1,
        Bound::Excluded(end) => *end,
        Bound::Unbounded => u64::MAX,
    };
    start..end
}

impl RaftLogReader<Types> for LogStore {
    async fn try_get_log_entries<RB: RangeBounds<u64> + Clone + Debug + OptionalSend>(
        &mut self,
        range: RB,
    ) -> Result<Vec<Entry>, io::Error> {
        self.read(to_range(&range), usize::MAX)
    }

    async fn limited_get_log_entries(
        &mut self,
        start: u64,
        end: u64,
    ) -> Result<Vec<Entry>, io::Error> {
        self.read_some(start..end)
    }

    async fn entries_stream<RB>(
        &mut self,
        range: RB,
    ) -> impl Stream<Item = Result<Entry, io::Error>> + OptionalSend
    where
        RB: RangeBounds<u64> + Clone + Debug + OptionalSend,
    {
        let state = (self.clone(), to_range(&range), VecDeque::new());
        stream::try_unfold(state, |(store, mut range, mut read)| async move {
            if read.is_empty() && !range.is_empty() {
                read.extend(store.read_some(range.clone())?);
            }
            let Some(entry): Option<Entry> = read.pop_front() else {
                return Ok(None);
            };
            range.start = entry.log_id.index() + 1;
            Ok(Some((entry, (store, range, read))))
        })
    }

    async fn read_vote(&mut self) -> Result<Option<Vote>, io::Error> {
        Ok(self.log().vote)
    }
}

impl RaftLogStorage<Types> for LogStore {
    type LogReader = LogStore;

    async fn get_log_state(&mut self) -> Result<LogState<Types>, io::Error> {
        let log = self.log();
        Ok(LogState {
            last_purged_log_id: log.purged,
            last_log_id: log.last,
        })
    }

    async fn get_log_reader(&mut self) -> LogStore {
        self.clone()
    }

    async fn save_vote(&mut self, vote: &Vote) -> Result<(), io::Error> {
        if !planted::is("vote-not-kept") {
            self.write(RaftWrite::Set(VOTE, encode(vote))).await?;
        }
        self.log().vote = Some(*vote);
        Ok(())
    }

    async fn save_committed(&mut self, committed: Option<LogId>) -> Result<(), io::Error> {
        self.log().committed = committed;
        // Lost with a power cut it is learnt again from the leader, so no commit of its own.
        if let Some(committed) = committed {
            let write = RaftWrite::SetLazily(COMMITTED, encode(&committed));
            self.db.submit(write, |_| ()).await;
        }
        Ok(())
    }

    async fn read_committed(&mut self) -> Result<Option<LogId>, io::Error> {
        Ok(self.log().committed)
    }

    async fn append<I>(&mut self, entries: I, callback: IOFlushed<Types>) -> Result<(), io::Error>
    where
        I: IntoIterator<Item = Entry> + OptionalSend,
        I::IntoIter: OptionalSend,
    {
        let mut encoded = Vec::new();
        {
            let mut log = self.log();
            for entry in entries {
                let bytes = encode(&entry);
                log.last = Some(entry.log_id());
                log.recent.push(entry, bytes.len());
                encoded.push((log.last.map_or(0, |last| last.index()), bytes));
            }
        }
        let last = self.log().last;
        let log = self.log.clone();
        let done = move |result: Result<(), StorageError>| {
            if let (Ok(()), Some(last)) = (&result, last) {
                let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
                log.recent.set_durable(&last);
            }
            callback.io_completed(result.map_err(io::Error::other));
        };
        if planted::every(9, "append-not-kept") {
            done(Ok(()));
            return Ok(());
        }
        self.db.submit(RaftWrite::Append(encoded), done).await;
        Ok(())
    }

    async fn truncate_after(&mut self, last: Option<LogId>) -> Result<(), io::Error> {
        let from = last.map_or(0, |last| last.index() + 1);
        {
            let mut log = self.log();
            log.recent.truncate_from(from);
            // One beyond the end removes nothing, and must not become the end.
            if log.last.is_some_and(|end| end.index() >= from) {
                log.last = last.or(log.purged);
            }
        }
        let from = from + u64::from(planted::is("truncated-too-little"));
        self.write(RaftWrite::TruncateFrom(from)).await
    }

    async fn purge(&mut self, purged: LogId) -> Result<(), io::Error> {
        {
            let mut log = self.log();
            log.recent.purge_to(purged.index());
            log.purged = Some(purged);
            log.last = log.last.max(Some(purged));
        }
        let write = RaftWrite::PurgeTo(purged.index(), PURGED, encode(&purged));
        self.write(write).await
    }
}
