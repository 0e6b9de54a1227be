//! The applied state: transactions, readers, snapshots.

use std::sync::atomic::{AtomicBool, Ordering};

use ledger::{Table, Tables, computed_hash};

use super::{Folder, overwrite};
use crate::{
    OfflineState, SnapshotChunk, SnapshotFile, Snapshots, StateDb, StateReader, StateWriter,
    StorageError,
};

fn open(folder: &Folder) -> StateDb {
    let (state, set_aside) = StateDb::open(folder.disk()).unwrap();
    assert_eq!(set_aside, None);
    state
}

/// Writes `rows` rows that all say `index`, and the applied index.
fn apply(writer: &mut StateWriter, index: u64, rows: u32) {
    let value = index.to_be_bytes();
    writer
        .transaction(|tables| {
            for row in 0..rows {
                tables
                    .set(Table::Item, &row.to_be_bytes(), Some(&value))
                    .unwrap();
            }
            tables.set_private("members", &value)?;
            tables.set_applied_index(index)
        })
        .unwrap();
}

/// What every row says, after checking that they agree; and how many there are.
fn agreed(reader: &StateReader) -> (u64, usize) {
    reader
        .read(|tables| {
            let rows = tables.scan(Table::Item, &[], 1 << 20).unwrap();
            let says = |value: &[u8]| u64::from_be_bytes(value.try_into().unwrap());
            let first = rows.first().map_or(0, |(_, value)| says(value));
            assert!(
                rows.iter().all(|(_, value)| says(value) == first),
                "half a transaction"
            );
            (first, rows.len())
        })
        .unwrap()
}

#[test]
fn a_transaction_is_all_or_nothing_and_is_kept() {
    let folder = Folder::new();
    let mut state = open(&folder);
    assert_eq!(state.reader.applied_index().unwrap(), 0);
    apply(&mut state.writer, 7, 10);
    let failed = state.writer.transaction(|tables| {
        tables.set(Table::Item, &0_u32.to_be_bytes(), None).unwrap();
        tables.set_applied_index(8)?;
        assert_eq!(tables.get(Table::Item, &0_u32.to_be_bytes()).unwrap(), None);
        Err::<(), _>(StorageError::Closed { file: "x".into() })
    });
    assert!(failed.is_err());
    assert_eq!(agreed(&state.reader), (7, 10));
    drop(state);
    let state = open(&folder);
    assert_eq!(agreed(&state.reader), (7, 10));
    assert_eq!(state.writer.applied_index().unwrap(), 7);
    assert_eq!(
        state.writer.private("members").unwrap(),
        Some(7_u64.to_be_bytes().to_vec())
    );
    assert_eq!(state.writer.private("other").unwrap(), None);
}

#[test]
fn tables_are_apart_and_scans_are_in_order() {
    let folder = Folder::new();
    let mut state = open(&folder);
    state
        .writer
        .transaction(|tables| {
            for (table, key) in [(Table::Item, "b"), (Table::Stock, "a"), (Table::Item, "a")] {
                tables.set(table, key.as_bytes(), Some(b"1")).unwrap();
            }
            tables.set(Table::Item, b"c", Some(b"")).unwrap();
            tables.set_applied_index(1)
        })
        .unwrap();
    let check = |table, from: &str, limit, expected: &[&str]| {
        let rows = state
            .reader
            .read(|tables| tables.scan(table, from.as_bytes(), limit).unwrap())
            .unwrap();
        let keys: Vec<&[u8]> = rows.iter().map(|(key, _)| key.as_slice()).collect();
        let expected: Vec<&[u8]> = expected.iter().map(|key| key.as_bytes()).collect();
        assert_eq!(keys, expected);
    };
    check(Table::Item, "", 9, &["a", "b", "c"]);
    check(Table::Item, "b", 9, &["b", "c"]);
    check(Table::Item, "", 1, &["a"]);
    check(Table::Stock, "", 9, &["a"]);
    check(Table::Meta, "", 9, &[]);
    let empty = state
        .reader
        .read(|tables| tables.get(Table::Item, b"c").unwrap());
    assert_eq!(empty.unwrap(), Some(vec![]));
}

#[test]
fn readers_see_whole_transactions_while_the_writer_writes() {
    let folder = Folder::new();
    let StateDb { mut writer, reader } = open(&folder);
    apply(&mut writer, 1, 50);
    let stop = Stop::default();
    std::thread::scope(|scope| {
        let _stop_in_the_end = StopGuard(&stop);
        for _ in 0..3 {
            let (reader, stop) = (reader.clone(), &stop);
            scope.spawn(move || {
                let mut last = 0;
                while !stop.0.load(Ordering::Relaxed) {
                    let (index, rows) = agreed(&reader);
                    assert!(index >= last && rows == 50);
                    last = index;
                }
            });
        }
        for index in 2..300 {
            apply(&mut writer, index, 50);
        }
    });
    assert_eq!(agreed(&reader), (299, 50));
}

/// Tells threads to stop, also when the test fails.
#[derive(Default)]
struct Stop(AtomicBool);

struct StopGuard<'a>(&'a Stop);

impl Drop for StopGuard<'_> {
    fn drop(&mut self) {
        self.0.0.store(true, Ordering::Relaxed);
    }
}

/// Sends a snapshot into another folder, stopping once in the middle.
fn transfer(snapshot: &SnapshotFile, to: &Snapshots) -> Result<SnapshotFile, StorageError> {
    let mut incoming = to.receive()?;
    loop {
        // A sender that starts anew each time goes on where the receiver stands.
        let SnapshotChunk { bytes, last } = snapshot.rows()?.chunk(incoming.last())?;
        if last.is_none() {
            return incoming.finish(&snapshot.seal());
        }
        incoming.append(&bytes)?;
        assert_eq!(incoming.last(), last.as_ref());
    }
}

fn all_hash(reader: &StateReader) -> String {
    reader
        .read(|tables| computed_hash(tables).unwrap().to_string())
        .unwrap()
}

/// Whoever verifies a running lane reads one moment of the state for minutes.
#[test]
fn a_long_reader_does_not_hold_up_a_snapshot() {
    let (here, there) = (Folder::new(), Folder::new());
    let (here_disk, there_disk) = (here.disk(), there.disk());
    let (mut from, _) = StateDb::open(here_disk.clone()).unwrap();
    let (mut to, _) = StateDb::open(there_disk.clone()).unwrap();
    apply(&mut from.writer, 40, 30);
    apply(&mut to.writer, 3, 10);
    let snapshot = Snapshots::open(here_disk).unwrap().build(&from.reader);
    let received = Snapshots::open(there_disk).unwrap();
    let file = transfer(&snapshot.unwrap(), &received).unwrap();
    received.adopt(&file).unwrap();
    let read = to.reader.read(|tables| {
        let before = computed_hash(tables).unwrap();
        to.writer.replace_with(&file).unwrap();
        assert_eq!(computed_hash(tables).unwrap(), before, "one moment");
    });
    read.unwrap();
    assert_eq!(all_hash(&to.reader), all_hash(&from.reader));
}

#[test]
fn a_snapshot_is_one_moment_and_replaces_another_lanes_state() {
    let (here, there) = (Folder::new(), Folder::new());
    let (here_disk, there_disk) = (here.disk(), there.disk());
    let (mut from, _) = StateDb::open(here_disk.clone()).unwrap();
    let (mut to, _) = StateDb::open(there_disk.clone()).unwrap();
    let snapshots = Snapshots::open(here_disk).unwrap();
    let received = Snapshots::open(there_disk.clone()).unwrap();
    apply(&mut from.writer, 40, 30_000);
    apply(&mut to.writer, 3, 10);

    let snapshot = snapshots.build(&from.reader).unwrap();
    let hash = all_hash(&from.reader);
    apply(&mut from.writer, 41, 5);
    assert_eq!(snapshot.seal().applied_index, 40);
    let file = transfer(&snapshot, &received).unwrap();
    assert!(received.current().is_none());
    let reader = to.reader();
    let stop = Stop::default();
    std::thread::scope(|scope| {
        let _stop_in_the_end = StopGuard(&stop);
        scope.spawn(|| {
            while !stop.0.load(Ordering::Relaxed) {
                let seen = agreed(&reader);
                assert!([(3, 10), (40, 30_000)].contains(&seen), "{seen:?}");
            }
        });
        received.adopt(&file).unwrap();
        received.adopt(&file).unwrap();
        to.writer.replace_with(&file).unwrap();
    });
    assert_eq!(all_hash(&reader), hash);
    assert_eq!(to.writer.applied_index().unwrap(), 40);
    assert_eq!(
        file.private("members").unwrap(),
        Some(40_u64.to_be_bytes().to_vec())
    );
    drop((to, reader, received, file, there_disk));

    // After a restart both are there: the state and the snapshot it can be rebuilt from.
    let disk = there.disk();
    let (to, _) = StateDb::open(disk.clone()).unwrap();
    assert_eq!(all_hash(&to.reader), hash);
    let kept = Snapshots::open(disk).unwrap().current().unwrap();
    assert_eq!(kept.seal(), snapshot.seal());
    let offline = OfflineState::open(&there.path).unwrap();
    assert_eq!(offline.applied_index().unwrap(), 40);
    assert_eq!(
        offline
            .tables()
            .scan(Table::Item, &[], 1 << 20)
            .unwrap()
            .len(),
        30_000
    );
}

#[test]
fn a_snapshot_that_is_not_what_was_sealed_is_refused() {
    let folder = Folder::new();
    let disk = folder.disk();
    let (mut state, _) = StateDb::open(disk.clone()).unwrap();
    let snapshots = Snapshots::open(disk).unwrap();
    apply(&mut state.writer, 5, 2000);
    let snapshot = snapshots.build(&state.reader).unwrap();
    let chunk = snapshot.rows().unwrap().chunk(None).unwrap();

    let mut incoming = snapshots.receive().unwrap();
    let mut changed = chunk.bytes.clone();
    *changed.last_mut().unwrap() ^= 1;
    incoming.append(&changed).unwrap();
    assert!(incoming.finish(&snapshot.seal()).is_err());

    let mut incoming = snapshots.receive().unwrap();
    assert!(incoming.append(&chunk.bytes[1..]).is_err());
    drop(incoming);

    // Flips a byte of a value in the sealed file.
    let bytes = std::fs::read(snapshot.path()).unwrap();
    let middle = bytes.len() / 2;
    let needle = 5_u64.to_be_bytes();
    let at = middle
        + bytes[middle..]
            .windows(8)
            .position(|w| w == needle)
            .unwrap();
    overwrite(snapshot.path(), at as u64 + 7, &[6]);
    let refused = state.writer.replace_with(&snapshot).unwrap_err();
    assert!(
        matches!(refused, StorageError::BadSnapshot { .. }),
        "{refused}"
    );
    assert_eq!(agreed(&state.reader), (5, 2000));
}

#[test]
fn only_adopted_snapshots_count_and_the_newest_is_kept() {
    let folder = Folder::new();
    let disk = folder.disk();
    let (mut state, _) = StateDb::open(disk.clone()).unwrap();
    let snapshots = Snapshots::open(disk.clone()).unwrap();
    assert!(snapshots.current().is_none());
    for index in 1..=6 {
        apply(&mut state.writer, index, 10);
        snapshots.build(&state.reader).unwrap();
        let mut unfinished = snapshots.receive().unwrap();
        unfinished.append(&[]).unwrap();
    }
    let again = Snapshots::open(disk).unwrap();
    for snapshots in [snapshots, again] {
        let seal = snapshots.current().unwrap().seal();
        assert_eq!(seal.applied_index, 6);
    }
}

#[test]
fn a_snapshot_being_sent_is_never_overwritten() {
    let folder = Folder::new();
    let disk = folder.disk();
    let (mut state, _) = StateDb::open(disk.clone()).unwrap();
    let snapshots = Snapshots::open(disk).unwrap();
    let mut held = Vec::new();
    for index in 1..=4 {
        apply(&mut state.writer, index, 10);
        held.push(snapshots.build(&state.reader).unwrap());
    }
    let full = snapshots.build(&state.reader).err().unwrap();
    assert!(full.to_string().contains("too many"), "{full}");
    for (snapshot, index) in held.iter().zip(1..) {
        snapshot.verify().unwrap();
        assert_eq!(snapshot.seal().applied_index, index);
    }
    held.clear();
    snapshots.build(&state.reader).unwrap();
}
