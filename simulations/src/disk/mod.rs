//! A lane's data folder in memory: a device that fails as devices do, and the process that has it
//! open.
//!
//! [`SimDevice`] outlives processes; its methods are the faults: errors, a full disk, slow syncs,
//! rot, a wiped disk, a disk that is a copy of another lane's, and the power cut. [`SimDisk`] is the
//! device as one process has it open (`providers::Disk`); it can die at a counted operation. SQLite
//! reaches it through a VFS of its own ([`vfs`]), small files go the same way.
//!
//! A killed process (SIGKILL) leaves everything that it had written; a power cut takes back what was
//! not synced (see [`device`]). What this does not do: reorder reads, lose what was synced, or fail
//! in the middle of one sync.

mod content;
pub mod device;
pub mod mount;
mod vfs;

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::future::BoxFuture;
use providers::{Disk, DiskError, SqliteLocation, WorkerEnd};
use tokio::time::Instant;

pub use device::{Errors, Work};

use crate::executor::{Executor, ProcessId};
use crate::random::Dice;
use crate::store::Death;
use device::{Device, Failure, Spared};
use mount::Mount;

/// How many damaged files of one name are kept before `set_aside` gives up.
const SET_ASIDE_MAX: u32 = 10_000;

/// A lane's device, through all its processes.
#[derive(Clone)]
pub struct SimDevice(Arc<Mutex<Device>>);

impl SimDevice {
    /// An empty one.
    pub fn new(dice: Dice) -> SimDevice {
        SimDevice(Arc::new(Mutex::new(Device::new(dice))))
    }

    fn lock(&self) -> MutexGuard<'_, Device> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on operations fail by chance, with EIO.
    pub fn set_errors(&self, errors: Errors) {
        let mut device = self.lock();
        device.mark_bad();
        device.errors = errors;
    }

    /// Leaves room for so many bytes more; `None`: as many as are wanted.
    pub fn leave_room(&self, bytes: Option<usize>) {
        let mut device = self.lock();
        device.mark_bad();
        device.room = bytes.map(|bytes| bytes + taken(&device));
    }

    /// Whether the device fails, is full or has rotted, or did, was or had at some moment of this last
    /// while.
    pub fn was_bad_within(&self, last: Duration) -> bool {
        self.lock().was_bad_within(last)
    }

    /// How long each sync takes, from and to; `None`: no time.
    pub fn set_sync_takes(&self, takes: Option<(Duration, Duration)>) {
        self.lock().sync_takes = takes;
    }

    /// Whether syncs take time now.
    pub fn is_slow(&self) -> bool {
        let device = self.lock();
        device.sync_takes.is_some() || device.done_at().is_some_and(|at| at > Instant::now())
    }

    /// Flips one bit of a file, behind its first page. Says where, unless the file is too small.
    pub fn rot(&self, file: &str) -> Option<usize> {
        self.lock().rot(file)
    }

    /// Whether what has rotted there is still to be seen to. Until then the device counts as bad.
    pub fn set_rot(&self, has_rot: bool) {
        let mut device = self.lock();
        device.mark_bad();
        device.has_rot = has_rot;
    }

    /// Every file is gone. The lane must not run.
    pub fn wipe(&self) {
        self.lock().wipe();
    }

    /// The device becomes a copy of what another lane's has durably. This lane must not run.
    pub fn become_copy_of(&self, other: &SimDevice) {
        if !Arc::ptr_eq(&self.0, &other.0) {
            self.lock().become_copy_of(&mut other.lock());
        }
    }

    /// The power fails: what was not synced is lost, kept or torn. The lane must not run any more.
    pub fn power_cut(&self) {
        self.lock().power_cut(Spared::AnyPart);
    }

    /// What the end of a process leaves of what it wrote.
    pub fn after(&self, death: Death) {
        match death {
            Death::Killed => {}
            Death::PowerCut => self.power_cut(),
            Death::TornPowerCut => self.lock().power_cut(Spared::TornWrites),
        }
    }

    /// Names of the files there.
    pub fn files(&self) -> Vec<String> {
        self.lock().names()
    }

    /// Bytes of all files.
    pub fn bytes(&self) -> usize {
        taken(&self.lock())
    }

    /// What was done to the device so far.
    pub fn work(&self) -> Work {
        self.lock().work
    }
}

fn taken(device: &Device) -> usize {
    let names = device.names().into_iter();
    names.filter_map(|name| device.len(&name).ok()).sum()
}

/// Who runs a disk's workers.
#[derive(Clone)]
pub enum Workers {
    /// They are tasks of a process.
    Process(Executor, ProcessId),
    /// They are kept for whoever polls them itself.
    Kept(Arc<Mutex<Vec<BoxFuture<'static, ()>>>>),
}

/// A device as one process has it open.
pub struct SimDisk {
    mount: Arc<Mount>,
    workers: Workers,
}

impl SimDisk {
    /// `name` is the folder's, used once in a simulation. `on_countdown` is called by the operation
    /// that [`SimDisk::die_after`] counts down to, after which nothing reaches the device.
    pub fn new(
        name: &str,
        device: &SimDevice,
        workers: Workers,
        on_countdown: impl Fn() + Send + Sync + 'static,
    ) -> SimDisk {
        let path = format!("/{}/{name}", vfs::VFS);
        let mount = Mount::new(path, device.0.clone(), on_countdown);
        vfs::register(&mount);
        SimDisk { mount, workers }
    }

    /// The process has ended: nothing it still does reaches the device.
    pub fn die(&self) {
        self.mount.die();
    }

    /// The process dies at its `operations`-th next write, sync, deletion or the like.
    pub fn die_after(&self, operations: u64) {
        self.mount.die_after(operations);
    }

    fn failed(&self, action: &'static str, file: &str) -> impl Fn(Failure) -> DiskError {
        let file = format!("{}/{file}", self.mount.path());
        move |failure| DiskError {
            action,
            file: file.clone(),
            source: match failure {
                Failure::Broken => io::Error::other("the simulated disk failed"),
                Failure::Full => io::ErrorKind::StorageFull.into(),
                Failure::Absent => io::ErrorKind::NotFound.into(),
            },
        }
    }
}

impl Disk for SimDisk {
    fn sqlite(&self, file: &str) -> SqliteLocation {
        SqliteLocation {
            path: PathBuf::from(format!("{}/{file}", self.mount.path())),
            vfs: Some(vfs::VFS.to_owned()),
        }
    }

    fn read(&self, file: &str) -> Result<Option<Vec<u8>>, DiskError> {
        match self.mount.with(|device| device.read_whole(file)) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(Failure::Absent) => Ok(None),
            Err(failure) => Err(self.failed("read", file)(failure)),
        }
    }

    fn write(&self, file: &str, bytes: &[u8]) -> Result<(), DiskError> {
        let fields = [0, bytes.len() as u64];
        let replaced = self.mount.change("replaced", file, fields, |device| {
            device.replace(file, bytes)
        });
        replaced.map_err(self.failed("write", file))
    }

    fn set_aside(&self, file: &str) -> Result<String, DiskError> {
        let failed = self.failed("set aside", file);
        for n in 1..=SET_ASIDE_MAX {
            let name = format!("{file}.damaged-{n}");
            let is_taken = self.mount.with(|device| Ok(device.exists(&name)));
            if !is_taken.map_err(&failed)? {
                let renamed = self.mount.change("set aside", file, [0, 0], |device| {
                    device.rename(file, &name)
                });
                renamed.map_err(&failed)?;
                return Ok(name);
            }
        }
        Err(failed(Failure::Full))
    }

    fn remove(&self, file: &str) -> Result<(), DiskError> {
        let removed = self
            .mount
            .change("removed", file, [0, 0], |device| device.remove(file, true));
        match removed {
            Ok(()) | Err(Failure::Absent) => Ok(()),
            Err(failure) => Err(self.failed("remove", file)(failure)),
        }
    }

    fn spawn_worker(&self, _name: &str, worker: BoxFuture<'static, ()>) -> WorkerEnd {
        let (gone, end) = WorkerEnd::new();
        let worker = async move {
            worker.await;
            drop(gone);
        };
        match &self.workers {
            Workers::Process(executor, process) => drop(executor.spawn(*process, worker)),
            Workers::Kept(kept) => kept
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(Box::pin(worker)),
        }
        end
    }

    fn flushed(&self) -> BoxFuture<'static, ()> {
        let done_at = self.mount.with(|device| Ok(device.done_at()));
        match done_at {
            Ok(Some(done_at)) => Box::pin(tokio::time::sleep_until(done_at)),
            _ => Box::pin(std::future::ready(())),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use ledger::{Entry, EntryBody, Fact, Head, Hlc, LaneId, StoreId, Table, Tables as _};
    use providers::SharedDisk;
    use storage::{Journal, RaftLogDb, Room, StateDb, StorageError};

    use super::*;

    const LANE: LaneId = LaneId([2; 16]);

    /// Opens a lane's databases; says what was set aside.
    fn open(disk: &SharedDisk) -> Result<Vec<String>, StorageError> {
        let (_journal, journal_aside) = Journal::open(disk.clone(), StoreId([7; 16]))?;
        let (_log, log_aside) = RaftLogDb::open(disk.clone(), Room::never_waited_for())?;
        let (_state, state_aside) = StateDb::open(disk.clone())?;
        let aside = [journal_aside, log_aside, state_aside];
        Ok(aside.iter().flatten().map(ToString::to_string).collect())
    }

    fn mounted(device: &SimDevice, name: &str) -> SimDisk {
        SimDisk::new(name, device, Workers::Kept(Arc::default()), || {})
    }

    /// Found by power-cut-all with seed 3: the removal of the rollback journal, with which a
    /// database gets its write-ahead log, was not durable; the next start rolled the journal back
    /// to nothing.
    #[tokio::test(start_paused = true)]
    async fn databases_survive_a_power_cut_at_any_operation_of_their_beginning() {
        let mut finished = 0;
        for seed in 0..150 {
            let device = SimDevice::new(Dice::new(seed));
            let first = mounted(&device, "first");
            first.die_after(1 + seed);
            finished += usize::from(open(&(Arc::new(first) as SharedDisk)).is_ok());
            device.power_cut();
            let second: SharedDisk = Arc::new(mounted(&device, "second"));
            let aside = open(&second).expect("they can be opened");
            assert_eq!(aside, [""; 0], "seed {seed}");
        }
        assert!(finished > 10, "{finished} began in peace");
    }

    type Kept = Arc<Mutex<Vec<BoxFuture<'static, ()>>>>;

    /// Polls what is asked and the workers it waits for, in turn.
    fn answered<T>(workers: &Kept, asked: impl Future<Output = T>) -> T {
        let mut asked = pin!(asked);
        let mut cx = Context::from_waker(Waker::noop());
        loop {
            if let Poll::Ready(answer) = asked.as_mut().poll(&mut cx) {
                return answer;
            }
            let mut workers = workers.lock().unwrap();
            workers.retain_mut(|worker| worker.as_mut().poll(&mut cx).is_pending());
        }
    }

    fn entries(mut head: Head, count: u64) -> Vec<Entry> {
        let entries = (0..count).map(|_| {
            let entry = Entry::seal(&EntryBody {
                v: ledger::ENTRY_FORMAT,
                store: StoreId([7; 16]),
                lane: LANE,
                seq: head.next_seq,
                prev: head.hash,
                hlc: Hlc::default().tick(1_000 + head.next_seq),
                fact: Fact::LaneClosed,
            });
            head = Head {
                next_seq: entry.seq + 1,
                hash: entry.hash(),
            };
            entry
        });
        entries.collect()
    }

    /// One process that appends to the journal and is killed: whether that went well, and the next
    /// entry of which it knew at its beginning.
    fn append(device: &SimDevice, name: &str, count: u64) -> (Result<(), StorageError>, u64) {
        let workers = Kept::default();
        let disk = SimDisk::new(name, device, Workers::Kept(workers.clone()), || {});
        let disk = Arc::new(disk);
        let (journal, _) = Journal::open(disk.clone(), StoreId([7; 16])).unwrap();
        let head = journal.head(LANE);
        let appended = answered(&workers, journal.append(entries(head, count)));
        disk.die();
        (appended, head.next_seq)
    }

    /// Found by bad-disks with failing syncs and seed 3: a sync had failed, the next process took what it read back for
    /// durable and wrote on behind it, and a power cut left a hole there that took everything behind.
    #[test]
    fn what_was_appended_after_a_failed_sync_and_a_restart_survives_a_power_cut() {
        let broken = Errors {
            syncs_permille: 1_000,
            ..Errors::default()
        };
        for seed in 0..20 {
            let device = SimDevice::new(Dice::new(seed));
            append(&device, "1", 3).0.unwrap();
            let workers = Kept::default();
            let disk = SimDisk::new("2", &device, Workers::Kept(workers.clone()), || {});
            let disk = Arc::new(disk);
            let (journal, _) = Journal::open(disk.clone(), StoreId([7; 16])).unwrap();
            device.set_errors(broken);
            let more = entries(journal.head(LANE), 2);
            answered(&workers, journal.append(more)).unwrap_err();
            disk.die();
            device.set_errors(Errors::default());
            let (appended, began_at) = append(&device, "3", 2);
            appended.unwrap();
            device.power_cut();
            let (_, next) = append(&device, "4", 0);
            assert_eq!(next, began_at + 2, "seed {seed}");
        }
    }

    /// Found by bad-disks with seed 1: a read failed inside a transaction, SQLite rolled back, whoever
    /// wrote took a default for what it had not read, and its rows became durable one by one.
    #[tokio::test(start_paused = true)]
    async fn a_transaction_in_which_a_read_failed_leaves_nothing_behind() {
        const KEY: [u8; 1] = [0];
        let device = SimDevice::new(Dice::new(1));
        let fill = |state: &mut StateDb| {
            state.writer.transaction(|tables| {
                for n in 0..2_000_u32 {
                    let key = n.to_be_bytes();
                    tables.set(Table::Item, &key, Some(&[1; 100])).unwrap();
                }
                tables.set_applied_index(1)
            })
        };
        let disk = Arc::new(mounted(&device, "first"));
        let (mut state, _) = StateDb::open(disk.clone()).unwrap();
        fill(&mut state).unwrap();
        disk.die();
        let (mut state, _) = StateDb::open(Arc::new(mounted(&device, "second"))).unwrap();
        let outcome = state.writer.transaction(|tables| {
            device.set_errors(Errors {
                reads_permille: 1_000,
                ..Errors::default()
            });
            tables.get(Table::Item, &900_u32.to_be_bytes()).unwrap_err();
            device.set_errors(Errors::default());
            // It goes on as if nothing had been.
            tables.set(Table::Stock, &KEY, Some(&[1])).unwrap_err();
            tables.set_applied_index(2).unwrap_err();
            Ok::<_, StorageError>(())
        });
        outcome.unwrap_err();
        assert_eq!(state.reader.applied_index().unwrap(), 1);
        let stock = state.reader.read(|tables| tables.get(Table::Stock, &KEY));
        assert_eq!(stock.unwrap().unwrap(), None);
    }

    /// One bit of a page that was durable long ago flips under a running lane: whatever it reads of its
    /// journal is what was written, or it says that the journal is damaged.
    #[test]
    fn of_a_journal_in_which_a_bit_flips_nothing_else_is_read_than_was_written() {
        let (mut damaged, mut harmless) = (0, 0);
        for seed in 0..200 {
            let device = SimDevice::new(Dice::new(seed));
            append(&device, "1", 120).0.unwrap();
            let disk: SharedDisk = Arc::new(mounted(&device, "2"));
            let written = entries(Head::default(), 120);
            // Opening it has copied the write-ahead log into the database.
            let (journal, _) = Journal::open(disk.clone(), StoreId([7; 16])).unwrap();
            assert!(device.rot("journal.db").is_some(), "seed {seed}");
            match journal.read(LANE, 1, 200, usize::MAX) {
                Ok(read) => {
                    assert!(written.starts_with(&read), "seed {seed}: {read:?}");
                    harmless += 1;
                }
                Err(StorageError::Damaged { .. }) => {
                    assert!(journal.damage().is_some(), "seed {seed}");
                    damaged += 1;
                }
                Err(other) => panic!("seed {seed}: {other}"),
            }
        }
        assert!(damaged > 100 && harmless > 0, "{damaged} {harmless}");
    }

    /// Found by bad-disks with seed 22: the log lacked what the state had applied, was forgotten up to
    /// there, and a power cut then took the state.
    #[tokio::test(start_paused = true)]
    async fn a_state_that_was_made_durable_survives_a_power_cut() {
        let mut lost = 0;
        for seed in 0..20 {
            let device = SimDevice::new(Dice::new(seed));
            let disk = Arc::new(mounted(&device, "first"));
            let (mut state, _) = StateDb::open(disk.clone()).unwrap();
            let apply = |state: &mut StateDb, index: u64| {
                let written: Result<(), StorageError> = state
                    .writer
                    .transaction(|tables| tables.set_applied_index(index));
                written.unwrap();
            };
            apply(&mut state, 1);
            state.writer.make_durable().unwrap();
            apply(&mut state, 2);
            disk.die();
            drop(state);
            device.power_cut();
            let (state, _) = StateDb::open(Arc::new(mounted(&device, "second"))).unwrap();
            let applied = state.reader.applied_index().unwrap();
            assert!(applied >= 1, "seed {seed}: {applied}");
            lost += usize::from(applied == 1);
        }
        assert!(lost > 0, "a power cut takes back what was not made durable");
    }

    /// What a lane's person is told of a disk that fails: what happened, and not something else.
    #[test]
    fn what_a_disk_failed_to_do_is_told_as_it_is() {
        let check = |errors: Errors, told: &[&str]| {
            let device = SimDevice::new(Dice::new(1));
            let workers = Kept::default();
            let disk = SimDisk::new("1", &device, Workers::Kept(workers.clone()), || {});
            let (journal, _) = Journal::open(Arc::new(disk), StoreId([7; 16])).unwrap();
            let first = entries(journal.head(LANE), 3);
            answered(&workers, journal.append(first.clone())).unwrap();
            device.set_errors(errors);
            let more = entries(journal.head(LANE), 1);
            let error = match errors.reads_permille {
                0 => answered(&workers, journal.append(more.clone())).unwrap_err(),
                _ => journal.read(LANE, 1, 3, usize::MAX).unwrap_err(),
            };
            for part in told.iter().chain(&["system's log"]) {
                assert!(error.to_string().contains(part), "{error}");
            }
            assert!(!error.to_string().contains("is full"), "{error}");
            device.set_errors(Errors::default());
            assert_eq!(journal.read(LANE, 1, 9, usize::MAX).unwrap(), first);
            answered(&workers, journal.append(more)).unwrap();
        };
        let errors = Errors::default();
        check(
            Errors {
                writes_permille: 1_000,
                ..errors
            },
            &["refused a write", "is tried again", "replace the disk"],
        );
        check(
            Errors {
                syncs_permille: 1_000,
                ..errors
            },
            &["failed to make a write durable", "does not count"],
        );
        check(
            Errors {
                reads_permille: 1_000,
                ..errors
            },
            &["failed to read", "nothing was changed", "Restart this lane"],
        );
    }

    /// A read that failed, and that whoever asked took for nothing: the end of the transaction was
    /// told, which SQLite had ended by itself.
    #[tokio::test(start_paused = true)]
    async fn a_read_that_failed_and_was_overlooked_is_told_as_what_it_was() {
        let device = SimDevice::new(Dice::new(1));
        let disk = Arc::new(mounted(&device, "first"));
        let (mut state, _) = StateDb::open(disk.clone()).unwrap();
        let filled = state.writer.transaction(|tables| {
            for n in 0..2_000_u32 {
                let row = tables.set(Table::Item, &n.to_be_bytes(), Some(&[1; 100]));
                row.unwrap();
            }
            tables.set_applied_index(1)
        });
        filled.unwrap();
        drop(state);
        disk.die();
        let (state, _) = StateDb::open(Arc::new(mounted(&device, "second"))).unwrap();
        let read = |n: u32| {
            let key = n.to_be_bytes();
            state
                .reader
                .read(|tables| tables.get(Table::Item, &key).ok().flatten())
        };
        device.set_errors(Errors {
            reads_permille: 1_000,
            ..Errors::default()
        });
        let error = read(900).unwrap_err().to_string();
        assert!(error.contains("failed to read"), "{error}");
        assert!(!error.contains("no transaction"), "{error}");
        device.set_errors(Errors::default());
        assert_eq!(read(900).unwrap(), Some(vec![1; 100]));
    }
}
