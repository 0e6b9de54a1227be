//! A lane's data folder: real files in a temporary folder, workers as tasks of the simulation.
//!
//! What this does not do yet: lose what was not synced, tear pages, fail, fill up or be slow. A
//! crash keeps all that SQLite had handed to the operating system, like a killed process and unlike
//! a power cut.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use futures::future::BoxFuture;
use providers::{Disk, DiskError, SqliteLocation};
use storage::FileDisk;

/// The machine's folder for files in memory, where there is one.
const MEMORY_FOLDER: &str = "/dev/shm";

pub struct SimDisk(FileDisk);

impl SimDisk {
    pub fn new(folder: &Path) -> Result<SimDisk, DiskError> {
        FileDisk::new(folder).map(SimDisk)
    }
}

impl Disk for SimDisk {
    fn sqlite(&self, file: &str) -> SqliteLocation {
        self.0.sqlite(file)
    }

    fn read(&self, file: &str) -> Result<Option<Vec<u8>>, DiskError> {
        self.0.read(file)
    }

    fn write(&self, file: &str, bytes: &[u8]) -> Result<(), DiskError> {
        self.0.write(file, bytes)
    }

    fn set_aside(&self, file: &str) -> Result<String, DiskError> {
        self.0.set_aside(file)
    }

    fn remove(&self, file: &str) -> Result<(), DiskError> {
        self.0.remove(file)
    }

    fn spawn_worker(&self, _name: &str, worker: BoxFuture<'static, ()>) {
        tokio::spawn(worker);
    }
}

/// A folder for one simulation, gone when it is dropped.
pub fn scratch_folder() -> io::Result<tempfile::TempDir> {
    let mut builder = tempfile::Builder::new();
    builder.prefix("lanemesh-simulation-");
    match Path::new(MEMORY_FOLDER).is_dir() {
        true => builder
            .tempdir_in(MEMORY_FOLDER)
            .or_else(|_| builder.tempdir()),
        false => builder.tempdir(),
    }
}

/// Copies a data folder as it lies there, under a process that may still have it open: what the
/// next process finds after this one was killed now.
///
/// Nothing may write to the folder meanwhile; the simulation has one thread, so nothing does.
/// SQLite's index of its write-ahead log is left out: it belongs to the old process.
pub fn copy_as_after_a_kill(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    let mut files: Vec<PathBuf> = fs::read_dir(from)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    files.sort();
    for file in files.iter().filter(|file| file.is_file()) {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        if !name.ends_with("-shm") && !name.ends_with(".lock") {
            fs::copy(file, to.join(name.as_ref()))?;
        }
    }
    Ok(())
}
