//! The databases on real files: durability, damage, and reading while writing.

use std::fs::OpenOptions;
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ledger::{Entry, EntryBody, Fact, Head, Hlc};
use providers::SharedDisk;
use sale::{LaneId, StoreId};

use crate::FileDisk;

mod damage;
mod journal;
mod raft_log;
mod state;

const STORE: StoreId = StoreId([1; 16]);
const LANE: LaneId = LaneId([2; 16]);
const SIBLING: LaneId = LaneId([3; 16]);

/// A lane's folder that is gone after the test.
struct Folder {
    path: PathBuf,
    _temporary: tempfile::TempDir,
}

impl Folder {
    fn new() -> Folder {
        let temporary = tempfile::tempdir().unwrap();
        Folder {
            path: temporary.path().join("lane"),
            _temporary: temporary,
        }
    }

    /// Takes the folder, once the workers of whoever had it before have ended.
    fn disk(&self) -> SharedDisk {
        loop {
            match FileDisk::new(&self.path) {
                Ok(disk) => return Arc::new(disk),
                Err(error) if error.source.kind() == std::io::ErrorKind::ResourceBusy => {
                    std::thread::yield_now();
                }
                Err(error) => panic!("{error}"),
            }
        }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }
}

fn overwrite(file: &Path, at: u64, bytes: &[u8]) {
    let mut file = OpenOptions::new().write(true).open(file).unwrap();
    file.seek(SeekFrom::Start(at)).unwrap();
    file.write_all(bytes).unwrap();
}

fn truncate(file: &Path, bytes: u64) {
    let file = OpenOptions::new().write(true).open(file).unwrap();
    file.set_len(bytes).unwrap();
}

/// A lane that writes entries.
struct Writer {
    lane: LaneId,
    head: Head,
}

impl Writer {
    fn new(lane: LaneId) -> Writer {
        Writer {
            lane,
            head: Head::default(),
        }
    }

    fn entry(&mut self, name: &str) -> Entry {
        let entry = Entry::seal(&EntryBody {
            v: ledger::ENTRY_FORMAT,
            store: STORE,
            lane: self.lane,
            seq: self.head.next_seq,
            prev: self.head.hash,
            hlc: Hlc::default(),
            fact: Fact::LaneStarted {
                name: name.to_owned(),
                release: String::new(),
                reads: ledger::ENTRY_FORMAT,
            },
        });
        self.head = entry.check_follows(STORE, &self.head).unwrap();
        entry
    }

    fn entries(&mut self, count: usize) -> Vec<Entry> {
        (0..count).map(|i| self.entry(&i.to_string())).collect()
    }
}
