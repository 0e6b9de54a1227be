//! A lane's data folder on the machine's own file system.
//!
//! Invariant: one process at a time works in a folder; small files are replaced whole and durable;
//! nothing is ever overwritten by `set_aside`. Database files are SQLite's own business.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures::future::BoxFuture;
use providers::{Disk, DiskError, SqliteLocation, WorkerEnd};

/// Held by the process that works in a folder.
const LOCK_FILE: &str = "in-use.lock";
/// How many damaged files of one name are kept before `set_aside` gives up.
const SET_ASIDE_MAX: u32 = 10_000;

/// A data folder. The folder stays locked until this and every worker it started are gone.
pub struct FileDisk {
    folder: PathBuf,
    lock: Arc<File>,
}

impl FileDisk {
    /// Takes `folder` for this process; it is made, readable by its owner only, where there is none.
    /// Fails when another process works in it.
    pub fn new(folder: impl Into<PathBuf>) -> Result<FileDisk, DiskError> {
        let folder = folder.into();
        let failed = |action| {
            let file = folder.display().to_string();
            move |source| DiskError {
                action,
                file,
                source,
            }
        };
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&folder)
            .map_err(failed("make the folder"))?;
        let lock = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(folder.join(LOCK_FILE))
            .map_err(failed("write to the folder"))?;
        match lock.try_lock() {
            Ok(()) => Ok(FileDisk {
                folder,
                lock: Arc::new(lock),
            }),
            Err(TryLockError::WouldBlock) => Err(failed("use the folder")(io::Error::new(
                io::ErrorKind::ResourceBusy,
                "another process is running in it; stop that one or choose another folder",
            ))),
            Err(TryLockError::Error(source)) => Err(failed("lock the folder")(source)),
        }
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    fn path(&self, file: &str) -> PathBuf {
        debug_assert!(!file.contains(['/', '\\']), "{file} is not a plain name");
        self.folder.join(file)
    }

    fn failed(&self, action: &'static str, file: &str) -> impl Fn(io::Error) -> DiskError {
        let file = self.path(file).display().to_string();
        move |source| DiskError {
            action,
            file: file.clone(),
            source,
        }
    }

    /// Makes renames and new names in the folder survive a power cut.
    fn sync_folder(&self) -> io::Result<()> {
        File::open(&self.folder)?.sync_all()
    }
}

impl Disk for FileDisk {
    fn sqlite(&self, file: &str) -> SqliteLocation {
        SqliteLocation {
            path: self.path(file),
            vfs: None,
        }
    }

    fn read(&self, file: &str) -> Result<Option<Vec<u8>>, DiskError> {
        match fs::read(self.path(file)) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.failed("read", file)(error)),
        }
    }

    fn write(&self, file: &str, bytes: &[u8]) -> Result<(), DiskError> {
        let failed = self.failed("write", file);
        let temporary = self.path(&format!("{file}.new"));
        let mut new = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&temporary)
            .map_err(&failed)?;
        new.write_all(bytes).map_err(&failed)?;
        new.sync_all().map_err(&failed)?;
        fs::rename(&temporary, self.path(file)).map_err(&failed)?;
        self.sync_folder().map_err(&failed)
    }

    fn set_aside(&self, file: &str) -> Result<String, DiskError> {
        let failed = self.failed("set aside", file);
        for n in 1..=SET_ASIDE_MAX {
            let name = format!("{file}.damaged-{n}");
            // Only this process works in the folder, so the name cannot be taken in between.
            if !self.path(&name).try_exists().map_err(&failed)? {
                fs::rename(self.path(file), self.path(&name)).map_err(&failed)?;
                self.sync_folder().map_err(&failed)?;
                return Ok(name);
            }
        }
        Err(failed(io::Error::other(
            "there are too many damaged files already; move them elsewhere",
        )))
    }

    fn remove(&self, file: &str) -> Result<(), DiskError> {
        match fs::remove_file(self.path(file)) {
            Ok(()) => self.sync_folder().map_err(self.failed("remove", file)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(self.failed("remove", file)(error)),
        }
    }

    /// Zeros, written: a sync of bytes that are there already changes nothing of the file system's
    /// own, and takes about two thirds of the time.
    fn reserve(&self, file: &str, bytes: u64) {
        let grow = || -> io::Result<()> {
            let mut file = OpenOptions::new().append(true).open(self.path(file))?;
            let missing = bytes.saturating_sub(file.metadata()?.len());
            io::copy(&mut io::repeat(0).take(missing), &mut file)?;
            file.sync_all()
        };
        if let Err(error) = grow() {
            tracing::debug!(%error, "no room was reserved for {file}");
        }
    }

    fn spawn_worker(&self, name: &str, worker: BoxFuture<'static, ()>) -> WorkerEnd {
        let lock = self.lock.clone();
        let (gone, end) = WorkerEnd::new();
        let runtime = tokio::runtime::Handle::try_current();
        let spawned = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || {
                // For the timers of a worker that waits with one.
                let _entered = runtime.as_ref().map(tokio::runtime::Handle::enter);
                futures::executor::block_on(worker);
                drop(lock);
                drop(gone);
            });
        // Without its worker a database answers every request with `Closed`.
        if let Err(error) = spawned {
            tracing::error!("cannot start the worker {name}: {error}");
        }
        end
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_file_is_replaced_whole_and_readable_by_its_owner_only() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let disk = FileDisk::new(folder.path().join("lane")).unwrap();
        assert_eq!(disk.read("key").unwrap(), None);
        disk.write("key", b"one").unwrap();
        disk.write("key", b"two").unwrap();
        assert_eq!(disk.read("key").unwrap(), Some(b"two".to_vec()));
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&disk.path("key")), 0o600);
        assert_eq!(mode(disk.folder()), 0o700);
        disk.remove("key").unwrap();
        disk.remove("key").unwrap();
        assert_eq!(disk.read("key").unwrap(), None);
    }

    #[test]
    fn set_aside_overwrites_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let disk = FileDisk::new(folder.path()).unwrap();
        for (content, name) in [("one", "a.damaged-1"), ("two", "a.damaged-2")] {
            disk.write("a", content.as_bytes()).unwrap();
            assert_eq!(disk.set_aside("a").unwrap(), name);
            assert_eq!(disk.read(name).unwrap(), Some(content.as_bytes().to_vec()));
        }
        assert_eq!(disk.read("a").unwrap(), None);
        assert_eq!(
            disk.set_aside("a").unwrap_err().source.kind(),
            io::ErrorKind::NotFound
        );
    }

    #[test]
    fn a_folder_serves_one_process_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let disk = FileDisk::new(folder.path()).unwrap();
        let refusal = FileDisk::new(folder.path()).err().unwrap().to_string();
        assert_eq!(
            refusal,
            format!(
                "use the folder {}: another process is running in it; \
                 stop that one or choose another folder",
                folder.path().display()
            )
        );
        drop(disk);
        FileDisk::new(folder.path()).unwrap();
    }
}
