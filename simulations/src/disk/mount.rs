//! A device as one process has it open: files, their locks, and the memory that SQLite's
//! connections share.
//!
//! Invariant: once its process is dead a mount changes nothing on the device and tells nothing of
//! it; whatever is still open fails.

use std::cell::UnsafeCell;
use std::collections::BTreeMap;
use std::ffi::c_int;
use std::ops::Range;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::ffi;

use super::device::{Device, Failure};
use crate::trace::{self, Kind};

/// A region of the memory that the connections to one database share (SQLite's WAL index).
pub const REGION_BYTES: usize = 32 * 1024;
/// Locks on that memory.
const SHM_LOCKS: usize = ffi::SQLITE_SHM_NLOCK as usize;

/// SQLite's levels of a file lock, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LockLevel(pub c_int);

const NONE: LockLevel = LockLevel(ffi::SQLITE_LOCK_NONE);
const SHARED: LockLevel = LockLevel(ffi::SQLITE_LOCK_SHARED);
const RESERVED: LockLevel = LockLevel(ffi::SQLITE_LOCK_RESERVED);
const PENDING: LockLevel = LockLevel(ffi::SQLITE_LOCK_PENDING);
const EXCLUSIVE: LockLevel = LockLevel(ffi::SQLITE_LOCK_EXCLUSIVE);

/// Aligned for SQLite, and never moved; only SQLite reads and writes it.
#[repr(C, align(8))]
struct Region(UnsafeCell<[u8; REGION_BYTES]>);

/// What the connections to one database share.
#[derive(Default)]
struct Shm {
    mapped_by: usize,
    regions: Vec<Box<Region>>,
    /// How many hold a lock shared; -1 is one alone.
    locks: [i32; SHM_LOCKS],
}

#[derive(Default)]
struct Shared {
    handles_begun: u64,
    /// Levels of the open handles above `NONE`, by handle.
    locks: BTreeMap<Arc<str>, BTreeMap<u64, LockLevel>>,
    shms: BTreeMap<Arc<str>, Shm>,
}

/// Kills the process that the mount belongs to.
type OnCountdown = Box<dyn Fn() + Send + Sync>;

/// See the module.
pub struct Mount {
    path: String,
    tag: u64,
    device: Arc<Mutex<Device>>,
    dead: AtomicBool,
    /// Operations until the process is killed by one; 0 for never.
    operations_left: AtomicU64,
    on_countdown: OnCountdown,
    shared: Mutex<Shared>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Mount {
    /// `on_countdown` is called by the operation that [`Mount::die_after`] counted down to.
    pub fn new(
        path: String,
        device: Arc<Mutex<Device>>,
        on_countdown: impl Fn() + Send + Sync + 'static,
    ) -> Arc<Mount> {
        Arc::new(Mount {
            tag: trace::hash_of(path.as_bytes()),
            path,
            device,
            dead: AtomicBool::new(false),
            operations_left: AtomicU64::new(0),
            on_countdown: Box::new(on_countdown),
            shared: Mutex::default(),
        })
    }

    /// The folder, without a slash at its end.
    pub fn path(&self) -> &str {
        &self.path
    }

    pub fn device(&self) -> &Arc<Mutex<Device>> {
        &self.device
    }

    /// The process has ended: nothing it still does reaches the device.
    pub fn die(&self) {
        self.dead.store(true, Ordering::Relaxed);
    }

    /// The process dies at its `operations`-th next operation that changes the device.
    pub fn die_after(&self, operations: u64) {
        self.operations_left
            .store(operations.max(1), Ordering::Relaxed);
    }

    pub fn is_dead(&self) -> bool {
        self.dead.load(Ordering::Relaxed)
    }

    /// Does something with the device, if the process lives.
    pub fn with<T>(
        &self,
        work: impl FnOnce(&mut Device) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        match self.is_dead() {
            true => Err(Failure::Broken),
            false => work(&mut lock(&self.device)),
        }
    }

    /// As [`Mount::with`], for what changes the device: this is where a countdown counts.
    pub fn change<T>(
        &self,
        what: &'static str,
        file: &str,
        fields: [u64; 2],
        work: impl FnOnce(&mut Device) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        if self.is_dead() {
            return Err(Failure::Broken);
        }
        let left = self.operations_left.load(Ordering::Relaxed);
        if left > 0 {
            self.operations_left.store(left - 1, Ordering::Relaxed);
            if left == 1 {
                self.die();
                (self.on_countdown)();
                return Err(Failure::Broken);
            }
        }
        let done = work(&mut lock(&self.device));
        let outcome = u64::from(done.is_err());
        let [one, other] = fields;
        trace::record(Kind::Disk, &[self.tag, one, other, outcome], || {
            let failed = if done.is_err() { " failed" } else { "" };
            format!("{}/{file} {what} {one} {other}{failed}", self.path)
        });
        done
    }

    pub fn has_content(&self, file: &str) -> bool {
        let len = self.with(|device| device.len(file));
        len.is_ok_and(|len| len > 0)
    }

    pub fn delete(&self, file: &str, durable: bool) -> Result<(), c_int> {
        let fields = [u64::from(durable), 0];
        match self.change("deleted", file, fields, |device| {
            device.remove(file, durable)
        }) {
            Ok(()) => Ok(()),
            Err(Failure::Absent) => Err(ffi::SQLITE_IOERR_DELETE_NOENT),
            Err(_) => Err(ffi::SQLITE_IOERR_DELETE),
        }
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        lock(&self.shared)
    }
}

/// SQLite's code for a failure; `broken` is the one for EIO at this operation.
fn code(failure: Failure, broken: c_int) -> c_int {
    match failure {
        Failure::Full => ffi::SQLITE_FULL,
        Failure::Broken | Failure::Absent => broken,
    }
}

/// An open file.
pub struct Handle {
    mount: Arc<Mount>,
    file: Arc<str>,
    number: u64,
    delete_at_close: bool,
    maps_shm: bool,
    /// Locks that this handle has on the shared memory: shared and alone.
    shm_shared: [bool; SHM_LOCKS],
    shm_alone: [bool; SHM_LOCKS],
}

impl Handle {
    /// Opens a file, or says with SQLite's code why not.
    pub fn open(
        mount: Arc<Mount>,
        file: String,
        create: bool,
        must_be_new: bool,
        delete_at_close: bool,
    ) -> Result<Handle, c_int> {
        let opened = mount.with(|device| match device.exists(&file) {
            true if must_be_new => Err(Failure::Broken),
            true => Ok(()),
            false if create => {
                device.create(&file);
                Ok(())
            }
            false => Err(Failure::Absent),
        });
        opened.map_err(|_| ffi::SQLITE_CANTOPEN)?;
        let number = {
            let mut shared = mount.shared();
            shared.handles_begun += 1;
            shared.handles_begun
        };
        Ok(Handle {
            mount,
            file: file.into(),
            number,
            delete_at_close,
            maps_shm: false,
            shm_shared: [false; SHM_LOCKS],
            shm_alone: [false; SHM_LOCKS],
        })
    }

    pub fn read(&self, offset: usize, into: &mut [u8]) -> Result<usize, c_int> {
        let read = self
            .mount
            .with(|device| device.read(&self.file, offset, into));
        read.map_err(|failure| code(failure, ffi::SQLITE_IOERR_READ))
    }

    pub fn write(&self, offset: usize, bytes: &[u8]) -> Result<(), c_int> {
        let fields = [offset as u64, bytes.len() as u64];
        let written = self.mount.change("written", &self.file, fields, |device| {
            device.write(&self.file, offset, bytes)
        });
        written.map_err(|failure| code(failure, ffi::SQLITE_IOERR_WRITE))
    }

    pub fn truncate(&self, len: usize) -> Result<(), c_int> {
        let fields = [len as u64, 0];
        let cut = self
            .mount
            .change("truncated", &self.file, fields, |device| {
                device.truncate(&self.file, len)
            });
        cut.map_err(|failure| code(failure, ffi::SQLITE_IOERR_TRUNCATE))
    }

    pub fn sync(&self) -> Result<(), c_int> {
        let synced = self.mount.change("synced", &self.file, [0, 0], |device| {
            device.sync(&self.file)
        });
        synced.map_err(|failure| code(failure, ffi::SQLITE_IOERR_FSYNC))
    }

    pub fn size(&self) -> Result<usize, c_int> {
        let len = self.mount.with(|device| device.len(&self.file));
        len.map_err(|failure| code(failure, ffi::SQLITE_IOERR_FSTAT))
    }

    /// Raises this handle's lock to `level`.
    pub fn lock(&self, level: LockLevel) -> Result<(), c_int> {
        let mut shared = self.mount.shared();
        let locks = shared.locks.entry(self.file.clone()).or_default();
        let mine = locks.get(&self.number).copied().unwrap_or(NONE);
        if mine >= level {
            return Ok(());
        }
        let others = || locks.iter().filter(|(number, _)| **number != self.number);
        let highest = others().map(|(_, level)| *level).max().unwrap_or(NONE);
        let (granted, busy) = match level {
            SHARED if highest >= PENDING => (mine, true),
            SHARED => (SHARED, false),
            _ if highest >= RESERVED => (mine, true),
            // New readers are kept out while the ones there finish.
            EXCLUSIVE if highest >= SHARED => (PENDING, true),
            level => (level, false),
        };
        if granted > NONE {
            locks.insert(self.number, granted);
        }
        match busy {
            true => Err(ffi::SQLITE_BUSY),
            false => Ok(()),
        }
    }

    pub fn unlock(&self, level: LockLevel) {
        let mut shared = self.mount.shared();
        let Some(locks) = shared.locks.get_mut(&self.file) else {
            return;
        };
        match level {
            NONE => drop(locks.remove(&self.number)),
            level => drop(locks.insert(self.number, level)),
        }
    }

    /// Whether anyone means to write.
    pub fn is_reserved(&self) -> bool {
        let shared = self.mount.shared();
        let locks = shared.locks.get(&self.file);
        locks.is_some_and(|locks| locks.values().any(|level| *level >= RESERVED))
    }

    /// A region of the shared memory; `None` if there is none yet and it is not to be made.
    pub fn shm_map(&mut self, region: usize, extend: bool) -> Result<Option<NonNull<u8>>, c_int> {
        let mut shared = self.mount.shared();
        let shm = shared.shms.entry(self.file.clone()).or_default();
        if !self.maps_shm {
            self.maps_shm = true;
            shm.mapped_by += 1;
        }
        while extend && shm.regions.len() <= region {
            let empty = Region(UnsafeCell::new([0; REGION_BYTES]));
            shm.regions.push(Box::new(empty));
        }
        let region = shm.regions.get(region);
        Ok(region.and_then(|region| NonNull::new(region.0.get().cast())))
    }

    pub fn shm_lock(&mut self, slots: Range<usize>, shared_lock: bool) -> Result<(), c_int> {
        let mut shared = self.mount.shared();
        let shm = shared.shms.entry(self.file.clone()).or_default();
        for slot in slots.clone() {
            let held = shm.locks[slot];
            let is_free = match shared_lock {
                true => held >= 0,
                // A lock that this handle alone shares may become its own.
                false => held == i32::from(self.shm_shared[slot]),
            };
            if !is_free && !self.shm_alone[slot] {
                return Err(ffi::SQLITE_BUSY);
            }
        }
        for slot in slots {
            match shared_lock {
                true if self.shm_shared[slot] => {}
                true => {
                    shm.locks[slot] += 1;
                    self.shm_shared[slot] = true;
                }
                false => {
                    shm.locks[slot] = -1;
                    self.shm_shared[slot] = false;
                    self.shm_alone[slot] = true;
                }
            }
        }
        Ok(())
    }

    pub fn shm_unlock(&mut self, slots: Range<usize>) {
        let mut shared = self.mount.shared();
        let Some(shm) = shared.shms.get_mut(&self.file) else {
            return;
        };
        for slot in slots {
            if std::mem::take(&mut self.shm_alone[slot]) {
                shm.locks[slot] = 0;
            }
            if std::mem::take(&mut self.shm_shared[slot]) {
                shm.locks[slot] -= 1;
            }
        }
    }

    /// Lets go of the shared memory; its content ends with the last that has it.
    pub fn shm_unmap(&mut self) {
        self.shm_unlock(0..SHM_LOCKS);
        if !std::mem::take(&mut self.maps_shm) {
            return;
        }
        let mut shared = self.mount.shared();
        if let Some(shm) = shared.shms.get_mut(&self.file) {
            shm.mapped_by -= 1;
            if shm.mapped_by == 0 {
                shared.shms.remove(&self.file);
            }
        }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.shm_unmap();
        self.unlock(NONE);
        if self.delete_at_close {
            // A file that is there no more is as good.
            let _ = self.mount.delete(&self.file, false);
        }
    }
}
