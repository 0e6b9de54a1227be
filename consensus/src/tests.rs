//! openraft's own checks of a log store and a state machine, and what they leave out: reading past
//! the memory, and what is on disk after a restart.

use std::sync::Arc;

use ledger::{LaneId, TableError, Tables};
use openraft::entry::RaftEntry;
use openraft::storage::{IOFlushed, RaftLogReader, RaftLogStorage};
use openraft::testing::log::{StoreBuilder, Suite};
use openraft::type_config::TypeConfigExt;
use openraft::vote::RaftLeaderIdExt;
use providers::SharedDisk;
use storage::{FileDisk, Room, Snapshots, StateDb};

use crate::log_store::LogStore;
use crate::snapshots::SnapshotDesk;
use crate::state_machine::StateMachine;
use crate::types::{Entry, LogId, Payload, Types, Vote};
use crate::{Applier, Member};

/// openraft's checks need a member that stands for any.
impl Default for Member {
    fn default() -> Member {
        Member {
            lane: LaneId([0; 16]),
            peer: String::new(),
            name: String::new(),
        }
    }
}

struct Silent;

impl Applier for Silent {
    fn apply(
        &mut self,
        _tables: &mut dyn Tables,
        _index: u64,
        _payload: &[u8],
    ) -> Result<Vec<u8>, TableError> {
        Ok(Vec::new())
    }
}

struct Stores;

impl StoreBuilder<Types, LogStore, StateMachine, tempfile::TempDir> for Stores {
    async fn build(
        &self,
    ) -> Result<(tempfile::TempDir, LogStore, StateMachine), openraft::StorageError<Types>> {
        let folder = tempfile::tempdir().unwrap();
        let disk: SharedDisk = Arc::new(FileDisk::new(folder.path()).unwrap());
        let (log, _) = LogStore::open(disk.clone(), Room::never_waited_for()).unwrap();
        let (StateDb { writer, reader }, _) = StateDb::open(disk.clone()).unwrap();
        let snapshots = Snapshots::open(disk.clone()).unwrap();
        let desk = SnapshotDesk::start(&disk, snapshots.clone(), reader, Room::never_waited_for());
        let (machine, _) = StateMachine::start(
            &disk,
            writer,
            Box::new(Silent),
            snapshots,
            desk,
            Room::never_waited_for(),
        )
        .unwrap();
        Ok((folder, log, machine))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_stores_are_what_openraft_expects() {
    Suite::test_all(Stores).await.unwrap();
}

fn log_id(index: u64) -> LogId {
    LogId::new(
        openraft::impls::leader_id_adv::LeaderId::new_committed(1, 1),
        index,
    )
}

fn entry(index: u64, bytes: usize) -> Entry {
    Entry::new_normal(log_id(index), Payload(vec![index as u8; bytes].into()))
}

async fn append(log: &mut LogStore, entries: Vec<Entry>) {
    let (done, flushed) = Types::oneshot();
    log.append(entries, IOFlushed::signal(done)).await.unwrap();
    flushed.await.unwrap().unwrap();
}

fn disk(folder: &std::path::Path) -> SharedDisk {
    loop {
        match FileDisk::new(folder) {
            Ok(disk) => return Arc::new(disk),
            Err(error) if error.source.kind() == std::io::ErrorKind::ResourceBusy => {
                std::thread::yield_now();
            }
            Err(error) => panic!("{error}"),
        }
    }
}

#[tokio::test]
async fn a_log_larger_than_the_memory_is_read_whole_and_in_portions() {
    const ENTRIES: u64 = 40;
    const BYTES: usize = 512 * 1024;
    let folder = tempfile::tempdir().unwrap();
    let (mut log, _) = LogStore::open(disk(folder.path()), Room::never_waited_for()).unwrap();
    for index in 0..ENTRIES {
        append(&mut log, vec![entry(index, BYTES)]).await;
    }
    let expected: Vec<Entry> = (0..ENTRIES).map(|index| entry(index, BYTES)).collect();
    let all = log.try_get_log_entries(0..).await.unwrap();
    assert!(all == expected, "{} entries", all.len());
    let mut portions = Vec::new();
    while portions.len() < expected.len() {
        let start = portions.len() as u64;
        let portion = log.limited_get_log_entries(start, ENTRIES).await.unwrap();
        assert!((1..=2).contains(&portion.len()), "{}", portion.len());
        portions.extend(portion);
    }
    assert!(portions == expected);
}

#[tokio::test]
async fn vote_and_log_are_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let vote = Vote::new(7, 3);
    {
        let (mut log, _) = LogStore::open(disk(folder.path()), Room::never_waited_for()).unwrap();
        assert!(log.is_pristine());
        log.save_vote(&vote).await.unwrap();
        append(&mut log, (0..10).map(|index| entry(index, 10)).collect()).await;
        log.truncate_after(Some(log_id(7))).await.unwrap();
        log.purge(log_id(2)).await.unwrap();
        log.save_committed(Some(log_id(5))).await.unwrap();
    }
    let (mut log, set_aside) =
        LogStore::open(disk(folder.path()), Room::never_waited_for()).unwrap();
    assert_eq!(set_aside, None);
    assert!(!log.is_pristine() && log.is_purged());
    assert_eq!(log.read_vote().await.unwrap(), Some(vote));
    assert_eq!(log.read_committed().await.unwrap(), Some(log_id(5)));
    let state = log.get_log_state().await.unwrap();
    assert_eq!(state.last_purged_log_id, Some(log_id(2)));
    assert_eq!(state.last_log_id, Some(log_id(7)));
    let entries = log.try_get_log_entries(0..100).await.unwrap();
    let indexes: Vec<u64> = entries.iter().map(|entry| entry.log_id.index()).collect();
    assert_eq!(indexes, [3, 4, 5, 6, 7]);
}
