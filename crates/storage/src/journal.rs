//! The journal: this lane's own entries and copies of its siblings', one hash chain per lane.
//!
//! Invariant: what [`Journal::append`] and [`Journal::store_copies`] answered with success is on
//! disk, and the entries of each lane are an unbroken chain from its first. The end of each chain is
//! read from the entries themselves, so it cannot disagree with them.
//!
//! This lane's entries are written by the register's own worker, which has nothing else to wait for;
//! copies by a worker of the journal's, all that wait in one commit. One of the two writes at a time.
//!
//! Nothing here decodes a fact or merges lanes. Where two machines wrote under one lane's id, the
//! journal holds the branch that it was given first, until it is told that the store has the other.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ledger::{ENTRY_BYTES_MAX, Entry, EntryError, Head, Seq};
use providers::SharedDisk;
use rusqlite::{Connection, OptionalExtension, params};
use sale::{LaneId, StoreId};
use tokio::sync::{mpsc, oneshot, watch};

use crate::database::{self, Checkpointer, Database, Durability, Kind, Limits};
use crate::{SetAside, StorageError};

/// Batches of copies that may wait for the worker; more wait at the caller.
const QUEUE_REQUESTS_MAX: usize = 1024;
/// Batches of copies that share one commit at most.
const GROUP_REQUESTS_MAX: usize = 256;

pub(crate) const JOURNAL: Kind = Kind {
    file: "journal.db",
    application_id: 0x4c4e_4d4a, // LNMJ
    schema_version: 1,
    schema: "CREATE TABLE entry (
        lane BLOB NOT NULL, seq INTEGER NOT NULL, bytes BLOB NOT NULL,
        PRIMARY KEY (lane, seq)
    ) WITHOUT ROWID",
    upgrades: &[],
    durability: Durability::EachCommit,
    auto_checkpoint_pages: 0,
    cache_kib: 2048,
    verify: broken_chain,
};

/// A handle to the journal; clones share it. The worker ends with the last handle.
#[derive(Clone)]
pub struct Journal {
    copies: mpsc::Sender<Copies>,
    writer: Arc<tokio::sync::Mutex<Writer>>,
    shared: Arc<Shared>,
}

struct Shared {
    store: StoreId,
    database: Database,
    heads: Mutex<BTreeMap<LaneId, Head>>,
    /// Lanes of which what is held may be another branch than the store has.
    doubted: Mutex<BTreeSet<LaneId>>,
    reader: Mutex<Connection>,
    /// Counts durable commits.
    commits: watch::Sender<u64>,
}

/// The next seq held of each lane in a batch of copies.
type Held = BTreeMap<LaneId, Seq>;

struct Copies {
    entries: Vec<Entry>,
    reply: oneshot::Sender<Result<Held, StorageError>>,
}

impl Journal {
    /// Opens the journal in a lane's folder, or begins one. A damaged journal is set aside, and the
    /// caller is told: its lane must not go on under its id unless its entries are recovered.
    pub fn open(
        disk: SharedDisk,
        store: StoreId,
    ) -> Result<(Journal, Option<SetAside>), StorageError> {
        Journal::open_limited(disk, store, Limits::default())
    }

    pub(crate) fn open_limited(
        disk: SharedDisk,
        store: StoreId,
        limits: Limits,
    ) -> Result<(Journal, Option<SetAside>), StorageError> {
        let (database, connection, set_aside) = database::open(&disk, &JOURNAL, limits)?;
        let heads = heads(&connection).map_err(|error| database.error("read", &error))?;
        let shared = Arc::new(Shared {
            store,
            reader: Mutex::new(database.connect_reader()?),
            heads: Mutex::new(heads.clone()),
            doubted: Mutex::new(heads.keys().copied().collect()),
            commits: watch::Sender::new(0),
            database,
        });
        let (copies, mut queue) = mpsc::channel(QUEUE_REQUESTS_MAX);
        let writer = Arc::new(tokio::sync::Mutex::new(Writer {
            store,
            connection,
            heads,
            checkpointer: Checkpointer::start(&shared.database)?,
            shared: shared.clone(),
        }));
        let for_copies = writer.clone();
        disk.spawn_worker(
            "journal",
            Box::pin(async move {
                let mut group = Vec::with_capacity(GROUP_REQUESTS_MAX);
                while queue.recv_many(&mut group, GROUP_REQUESTS_MAX).await > 0 {
                    for_copies.lock().await.copies(group.drain(..)).await;
                }
            }),
        );
        let journal = Journal {
            copies,
            writer,
            shared,
        };
        Ok((journal, set_aside))
    }

    /// Appends entries to their lanes' chains, and returns once they are durable. They are taken
    /// whole or refused whole. After [`StorageError::NotDurable`] none of them counts as written, and
    /// the journal can be appended to again.
    ///
    /// Blocks the caller's thread while it writes: where others share that thread, call it from a
    /// worker of the disk, as the register does for all but its first entry.
    pub async fn append(&self, entries: Vec<Entry>) -> Result<(), StorageError> {
        self.writer.lock().await.append(entries).await
    }

    /// Stores copies of other lanes' entries: skips what is held, takes what continues a chain,
    /// leaves the rest. Returns, once durable, the next seq wanted of each lane in the request.
    pub async fn store_copies(&self, entries: Vec<Entry>) -> Result<Held, StorageError> {
        let closed = || self.shared.database.closed();
        let (reply, answer) = oneshot::channel();
        let sent = self.copies.send(Copies { entries, reply }).await;
        sent.map_err(|_| closed())?;
        answer.await.map_err(|_| closed())?
    }

    /// The durable end of every chain held.
    pub fn heads(&self) -> BTreeMap<LaneId, Head> {
        lock(&self.shared.heads).clone()
    }

    /// The durable end of one lane's chain.
    pub fn head(&self, lane: LaneId) -> Head {
        let heads = lock(&self.shared.heads);
        heads.get(&lane).copied().unwrap_or_default()
    }

    /// A lane's entries from `from` on, at most `entries_max`, and at most `bytes_max` unless the
    /// first alone is larger. Blocks for a quick read.
    ///
    /// An entry that is not what was written is [`StorageError::Damaged`]: each is held against the
    /// hash that the one behind it has of it, the last one against the end of its chain.
    pub fn read(
        &self,
        lane: LaneId,
        from: Seq,
        entries_max: usize,
        bytes_max: usize,
    ) -> Result<Vec<Entry>, StorageError> {
        let reader = lock(&self.shared.reader);
        let database = &self.shared.database;
        let found = read(&reader, lane, from, entries_max, bytes_max).and_then(|entries| {
            let flaw = self.shared.flaw(&reader, &entries, lane, from)?;
            Ok((entries, flaw))
        });
        match found {
            Ok((entries, None)) => Ok(entries),
            Ok((_, Some(flaw))) => Err(database.damaged(flaw)),
            Err(error) => Err(database.error("read", &error)),
        }
    }

    /// The first damage that was met since the journal was opened.
    pub fn damage(&self) -> Option<StorageError> {
        self.shared.database.damage_met().first()
    }

    /// Lanes of which a copy was offered that does not continue what is held, and all that were held
    /// when the journal was opened, until [`Journal::trust`].
    pub fn doubted(&self) -> BTreeSet<LaneId> {
        lock(&self.shared.doubted).clone()
    }

    /// What is held of a lane was found to be what the store has.
    pub fn trust(&self, lane: LaneId) {
        lock(&self.shared.doubted).remove(&lane);
    }

    /// Forgets what is held of another lane behind `keep`, whose end must still be `end`: it is a
    /// branch that the store does not have, and its entries are kept elsewhere. Answers whether it
    /// was forgotten, once that is durable.
    pub async fn forget_branch(
        &self,
        lane: LaneId,
        keep: Head,
        end: Head,
    ) -> Result<bool, StorageError> {
        self.writer.lock().await.forget(lane, keep, end).await
    }

    /// Changes after each durable commit.
    pub fn subscribe(&self) -> watch::Receiver<u64> {
        self.shared.commits.subscribe()
    }
}

/// A lock's content. Whoever panicked while holding it left nothing half done: every value behind
/// our locks is replaced in one step.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    /// Whether the heads tell of this entry, and the file does not have it.
    fn lacks(&self, reader: &Connection, lane: LaneId, seq: Seq) -> rusqlite::Result<bool> {
        let once = || {
            let end = lock(&self.heads).get(&lane).copied().unwrap_or_default();
            if seq >= end.next_seq {
                return Ok(false);
            }
            let found = read(reader, lane, seq, 1, 1)?.pop();
            Ok::<_, rusqlite::Error>(found.is_none_or(|found| found.seq != seq))
        };
        // A branch may have been forgotten after the first look at the heads: then the second tells.
        Ok(once()? && once()?)
    }

    /// What is wrong with entries that were read from `from` on, if they are not what was written.
    fn flaw(
        &self,
        reader: &Connection,
        entries: &[Entry],
        lane: LaneId,
        from: Seq,
    ) -> rusqlite::Result<Option<String>> {
        let missing = |from: Seq| Ok(Some(format!("entry {from} of lane {lane} is missing")));
        let Some(last) = entries.last() else {
            return match self.lacks(reader, lane, from)? {
                true => missing(from),
                false => Ok(None),
            };
        };
        if !is_gapless(entries, from) {
            return missing(from);
        }
        // Its follower vouches for the last entry, or the head of its lane where it is the end.
        let end = lock(&self.heads).get(&last.lane).copied();
        let end = end.filter(|end| end.next_seq == last.seq + 1);
        let next = match end {
            Some(_) => None,
            None => read(reader, last.lane, last.seq + 1, 1, 1)?.pop(),
        };
        let next = next.filter(|next| next.seq == last.seq + 1);
        if end.is_none() && next.is_none() && self.lacks(reader, lane, last.seq + 1)? {
            return missing(last.seq + 1);
        }
        let followers = entries[1..].iter().chain(&next);
        let mut pairs = entries.iter().zip(followers);
        let flaw = pairs.find_map(|(entry, follower)| {
            follower
                .check_follows(self.store, &head_behind(entry))
                .err()
        });
        Ok(match flaw {
            Some(flaw) => Some(flaw.to_string()),
            // An entry is in the file before the heads tell of it; nothing vouches for such a one yet.
            None if end.is_some_and(|end| end != head_behind(last)) => {
                Some(format!("the last entry {last:?} is not what was written"))
            }
            None => None,
        })
    }
}

/// The end of a chain whose last entry this is.
fn head_behind(entry: &Entry) -> Head {
    Head {
        next_seq: entry.seq + 1,
        hash: entry.hash(),
    }
}

/// Goes through every chain of a journal in which damage was seen; where one is broken, if one is.
fn broken_chain(connection: &Connection) -> rusqlite::Result<Option<String>> {
    let mut select = connection.prepare("SELECT lane, seq, bytes FROM entry ORDER BY lane, seq")?;
    let mut rows = select.query([])?;
    let mut before: Option<Entry> = None;
    while let Some(row) = rows.next()? {
        let entry = Entry {
            lane: LaneId(row.get(0)?),
            seq: row.get(1)?,
            bytes: row.get(2)?,
        };
        let previous = before.take().filter(|previous| previous.lane == entry.lane);
        let end = previous.as_ref().map_or(Head::default(), head_behind);
        let follows = entry
            .store()
            .and_then(|store| entry.check_follows(store, &end));
        if let Err(flaw) = follows {
            return Ok(Some(flaw.to_string()));
        }
        before = Some(entry);
    }
    Ok(None)
}

fn is_gapless(entries: &[Entry], from: Seq) -> bool {
    entries
        .iter()
        .zip(from..)
        .all(|(entry, seq)| entry.seq == seq)
}

/// The one side that writes.
struct Writer {
    store: StoreId,
    connection: Connection,
    heads: BTreeMap<LaneId, Head>,
    checkpointer: Checkpointer,
    shared: Arc<Shared>,
}

/// What one commit will add: the entries, and the chains' ends with them.
struct Group {
    heads: BTreeMap<LaneId, Head>,
    entries: Vec<Entry>,
}

impl Writer {
    fn group(&self) -> Group {
        Group {
            heads: self.heads.clone(),
            entries: Vec::new(),
        }
    }

    async fn append(&mut self, entries: Vec<Entry>) -> Result<(), StorageError> {
        let group = self.take_whole(entries)?;
        self.commit(group).await
    }

    /// One commit for all that wait, and the answers after it.
    async fn copies(&mut self, requests: impl Iterator<Item = Copies>) {
        let mut group = self.group();
        let answers: Vec<_> = requests
            .map(|Copies { entries, reply }| {
                let held = self.take_what_follows(&mut group, entries);
                (reply, held)
            })
            .collect();
        let written = self.commit(group).await;
        // A caller that has gone away does not need its answer.
        for (reply, held) in answers {
            drop(reply.send(written.clone().map(|()| held)));
        }
    }

    async fn commit(&mut self, group: Group) -> Result<(), StorageError> {
        let Group { heads, entries } = group;
        if entries.is_empty() {
            return Ok(());
        }
        if !planted::every(9, "journal-acknowledged-unwritten") {
            self.write(&entries)?;
        }
        // From here on the entries are in the file, whatever becomes of the caller.
        self.heads.clone_from(&heads);
        self.shared.database.flushed().await;
        *lock(&self.shared.heads) = heads;
        self.shared.commits.send_modify(|commits| *commits += 1);
        let bytes = entries.iter().map(|entry| entry.bytes.len()).sum();
        let shared = &self.shared;
        self.checkpointer
            .committed(bytes, &shared.database, &self.connection);
        Ok(())
    }

    fn follows(&self, group: &Group, entry: &Entry) -> Result<Head, EntryError> {
        if entry.bytes.len() > ENTRY_BYTES_MAX {
            return Err(EntryError::Unreadable {
                lane: entry.lane,
                seq: entry.seq,
                reason: format!("{} bytes are over {ENTRY_BYTES_MAX}", entry.bytes.len()),
            });
        }
        let before = group.heads.get(&entry.lane).copied().unwrap_or_default();
        entry.check_follows(self.store, &before)
    }

    fn take_whole(&self, entries: Vec<Entry>) -> Result<Group, EntryError> {
        let mut group = self.group();
        for entry in entries {
            let head = self.follows(&group, &entry)?;
            group.heads.insert(entry.lane, head);
            group.entries.push(entry);
        }
        Ok(group)
    }

    fn take_what_follows(&self, group: &mut Group, entries: Vec<Entry>) -> Held {
        let mut wanted = BTreeMap::new();
        for entry in entries {
            let lane = entry.lane;
            let next = group.heads.get(&lane).copied().unwrap_or_default().next_seq;
            if entry.seq == next {
                match self.follows(group, &entry) {
                    Ok(head) => {
                        group.heads.insert(lane, head);
                        group.entries.push(entry);
                    }
                    Err(error) => {
                        tracing::warn!("a copy is left out: {error}");
                        lock(&self.shared.doubted).insert(lane);
                    }
                }
            }
            let head = group.heads.get(&lane).copied().unwrap_or_default();
            wanted.insert(lane, head.next_seq);
        }
        wanted
    }

    async fn forget(&mut self, lane: LaneId, keep: Head, end: Head) -> Result<bool, StorageError> {
        if self.heads.get(&lane) != Some(&end) || keep.next_seq >= end.next_seq {
            return Ok(false);
        }
        let mut heads = self.heads.clone();
        match keep == Head::default() {
            true => heads.remove(&lane),
            false => heads.insert(lane, keep),
        };
        // The heads tell of nothing that is not in the file: see `Shared::lacks`.
        *lock(&self.shared.heads) = heads.clone();
        let database = &self.shared.database;
        let forgotten = database::transact(database, &self.connection, |connection| {
            connection
                .execute(
                    "DELETE FROM entry WHERE lane = ?1 AND seq >= ?2",
                    params![&lane.0[..], keep.next_seq],
                )
                .map_err(|error| database.commit_failed(&error))
        });
        if let Err(error) = forgotten {
            *lock(&self.shared.heads) = self.heads.clone();
            return Err(error);
        }
        self.heads = heads;
        self.shared.database.flushed().await;
        self.shared.commits.send_modify(|commits| *commits += 1);
        Ok(true)
    }

    fn write(&self, entries: &[Entry]) -> Result<(), StorageError> {
        let database = &self.shared.database;
        let insert = |connection: &Connection| -> rusqlite::Result<()> {
            let mut insert = connection
                .prepare_cached("INSERT INTO entry (lane, seq, bytes) VALUES (?1, ?2, ?3)")?;
            entries.iter().try_for_each(|entry| {
                insert
                    .execute(params![&entry.lane.0[..], entry.seq, &entry.bytes])
                    .map(|_| ())
            })
        };
        database::transact(database, &self.connection, |connection| {
            insert(connection).map_err(|error| database.commit_failed(&error))
        })
    }
}

/// The end of each chain, by one look-up per lane.
pub(crate) fn heads(connection: &Connection) -> rusqlite::Result<BTreeMap<LaneId, Head>> {
    let mut next_lane =
        connection.prepare("SELECT lane FROM entry WHERE lane > ?1 ORDER BY lane LIMIT 1")?;
    let mut last = connection
        .prepare("SELECT seq, bytes FROM entry WHERE lane = ?1 ORDER BY seq DESC LIMIT 1")?;
    let mut heads = BTreeMap::new();
    let mut after: Vec<u8> = Vec::new();
    while let Some(lane) = next_lane
        .query_row([&after], |row| row.get::<_, [u8; 16]>(0))
        .optional()?
    {
        let lane = LaneId(lane);
        let entry = last.query_row([&lane.0[..]], |row| {
            Ok(Entry {
                lane,
                seq: row.get(0)?,
                bytes: row.get(1)?,
            })
        })?;
        heads.insert(lane, head_behind(&entry));
        after = lane.0.to_vec();
    }
    Ok(heads)
}

pub(crate) fn read(
    connection: &Connection,
    lane: LaneId,
    from: Seq,
    entries_max: usize,
    bytes_max: usize,
) -> rusqlite::Result<Vec<Entry>> {
    let mut select = connection.prepare_cached(
        "SELECT seq, bytes FROM entry WHERE lane = ?1 AND seq >= ?2 ORDER BY seq LIMIT ?3",
    )?;
    let limit = i64::try_from(entries_max).unwrap_or(i64::MAX);
    let mut rows = select.query(params![&lane.0[..], from, limit])?;
    let mut entries: Vec<Entry> = Vec::new();
    let mut bytes_total = 0;
    while let Some(row) = rows.next()? {
        let bytes: Vec<u8> = row.get(1)?;
        bytes_total += bytes.len();
        if bytes_total > bytes_max && !entries.is_empty() {
            break;
        }
        entries.push(Entry {
            lane,
            seq: row.get(0)?,
            bytes,
        });
    }
    Ok(entries)
}
