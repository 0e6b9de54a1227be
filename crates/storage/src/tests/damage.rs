//! Damaged, newer and half-made database files.

use std::fs;
use std::path::Path;

use futures::executor::block_on;
use ledger::{Table, Tables};
use rusqlite::{Connection, params};

use super::{Folder, LANE, STORE, Writer, overwrite, truncate};
use crate::{
    Journal, OfflineJournal, RaftLogDb, RaftWrite, Room, SetAside, StateDb, StorageError,
    check_databases,
};

const ENTRIES: usize = 200;

/// A lane's folder with something in each database, closed in good order.
fn filled() -> Folder {
    let folder = Folder::new();
    let disk = folder.disk();
    let (journal, _) = Journal::open(disk.clone(), STORE).unwrap();
    block_on(journal.append(Writer::new(LANE).entries(ENTRIES))).unwrap();
    let (mut state, _) = StateDb::open(disk.clone()).unwrap();
    state
        .writer
        .transaction(|tables| {
            for i in 0..2000_u32 {
                tables
                    .set(Table::Item, &i.to_be_bytes(), Some(&[7; 50]))
                    .unwrap();
            }
            tables.set_applied_index(1)
        })
        .unwrap();
    let (log, _) = RaftLogDb::open(disk, Room::never_waited_for()).unwrap();
    let entries = (1..=200).map(|i| (i, vec![i as u8; 500])).collect();
    block_on(log.submit(RaftWrite::Append(entries), |done| done.unwrap()));
    drop((journal, state, log));
    drop(folder.disk());
    folder
}

/// Opens the database `file`, reads all of it, and closes it again.
fn open_and_read(folder: &Folder, file: &str) -> Result<Option<SetAside>, StorageError> {
    let disk = folder.disk();
    match file {
        "journal.db" => {
            let (journal, set_aside) = Journal::open(disk, STORE)?;
            journal.read(LANE, 1, ENTRIES, usize::MAX)?;
            Ok(set_aside)
        }
        "store.db" => {
            let (state, set_aside) = StateDb::open(disk)?;
            let rows = state
                .reader
                .read(|tables| tables.scan(Table::Item, &[], 5000))?;
            match rows {
                Ok(_) => Ok(set_aside),
                Err(error) => Err(StorageError::Damaged {
                    file: file.to_owned(),
                    reason: error.to_string(),
                }),
            }
        }
        _ => {
            let (log, set_aside) = RaftLogDb::open(disk, Room::never_waited_for())?;
            log.read(0..u64::MAX, usize::MAX)?;
            Ok(set_aside)
        }
    }
}

fn check_set_aside(file: &str, set_aside: &SetAside, folder: &Folder, damaged: Option<&[u8]>) {
    assert_eq!(set_aside.file, file);
    let moved_to = damaged.map(|_| format!("{file}.damaged-1"));
    assert_eq!(set_aside.moved_to, moved_to, "{set_aside}");
    if let (Some(name), Some(bytes)) = (moved_to, damaged) {
        assert_eq!(fs::read(folder.file(&name)).unwrap(), bytes, "{name}");
    }
    // What was begun in its place works, and is not damaged again at the next start.
    assert_eq!(open_and_read(folder, file).unwrap(), None);
}

const FILES: [&str; 3] = ["journal.db", "store.db", "raft.db"];

#[test]
fn damage_seen_at_the_start_sets_the_file_aside() {
    let check = |what: &str, damage: &dyn Fn(&Path)| {
        for file in FILES {
            let folder = filled();
            let path = folder.file(file);
            damage(&path);
            let damaged = fs::read(&path).ok();
            let set_aside = open_and_read(&folder, file).unwrap();
            let set_aside = set_aside.unwrap_or_else(|| panic!("{file} {what} went unnoticed"));
            check_set_aside(file, &set_aside, &folder, damaged.as_deref());
        }
    };
    check("with a header overwritten", &|path| {
        overwrite(path, 0, &[0x55; 100])
    });
    check("of another program", &|path| {
        overwrite(path, 68, &[1, 2, 3, 4])
    });
    check("truncated", &|path| truncate(path, 3 * 4096));
    check("truncated within a page", &|path| truncate(path, 5000));
    check("emptied", &|path| truncate(path, 0));
    check("deleted", &|path| fs::remove_file(path).unwrap());
}

#[test]
fn damage_met_later_is_reported_and_set_aside_at_the_next_start() {
    for file in FILES {
        let folder = filled();
        let path = folder.file(file);
        let pages = fs::metadata(&path).unwrap().len() / 4096;
        overwrite(&path, pages / 2 * 4096, &[0x55; 4096]);
        let damaged = fs::read(&path).unwrap();
        let met = open_and_read(&folder, file).unwrap_err();
        assert!(matches!(met, StorageError::Damaged { .. }), "{met}");
        let set_aside = open_and_read(&folder, file).unwrap().unwrap();
        check_set_aside(file, &set_aside, &folder, Some(&damaged));
    }
}

/// SQLite sees no damage in a row of which one bit has changed; the chain of the entries does.
#[test]
fn an_entry_of_which_a_bit_changed_is_never_given_out() {
    let flip = |folder: &Folder, seq: usize| {
        let connection = Connection::open(folder.file("journal.db")).unwrap();
        let read = "SELECT bytes FROM entry WHERE seq = ?1";
        let mut bytes: Vec<u8> = connection.query_row(read, [seq], |row| row.get(0)).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        let write = "UPDATE entry SET bytes = ?1 WHERE seq = ?2";
        connection.execute(write, params![bytes, seq]).unwrap();
    };
    for seq in [1, 2, ENTRIES / 2, ENTRIES - 1, ENTRIES] {
        let folder = filled();
        let (journal, _) = Journal::open(folder.disk(), STORE).unwrap();
        flip(&folder, seq);
        let at = seq as u64;
        let read = |from: u64, count: usize| journal.read(LANE, from, count, usize::MAX);
        for met in [read(1, ENTRIES), read(at, 1), read(at, 2)] {
            let met = met.unwrap_err();
            assert!(matches!(met, StorageError::Damaged { .. }), "{met}");
            assert!(matches!(
                journal.damage(),
                Some(StorageError::Damaged { .. })
            ));
        }
        // What lies before it is as it was; nobody can say so of the one right before.
        if seq > 2 {
            assert_eq!(read(1, seq - 2).unwrap().len(), seq - 2, "before {seq}");
        }
        drop(journal);
        // The end of a chain has nothing behind it that would tell, once nobody remembers it.
        if seq < ENTRIES {
            let set_aside = open_and_read(&folder, "journal.db").unwrap().unwrap();
            assert!(set_aside.moved_to.is_some(), "{set_aside}");
        }
    }
}

#[test]
fn a_suspicion_without_damage_moves_nothing() {
    for file in FILES {
        let folder = filled();
        let status = folder.file(&format!("{file}.status"));
        fs::write(&status, "check: a loose cable").unwrap();
        assert_eq!(open_and_read(&folder, file).unwrap(), None);
        assert_eq!(fs::read_to_string(&status).unwrap(), "made");
    }
}

#[test]
fn a_move_that_a_crash_interrupted_is_finished() {
    for file in FILES {
        let folder = filled();
        fs::write(folder.file(&format!("{file}.status")), "aside: it was bent").unwrap();
        fs::write(folder.file(&format!("{file}-wal")), "what a crash left").unwrap();
        let damaged = fs::read(folder.file(file)).unwrap();
        let set_aside = open_and_read(&folder, file).unwrap().unwrap();
        assert_eq!(set_aside.reason, "it was bent");
        let wal = folder.file(&format!("{file}-wal.damaged-1"));
        assert_eq!(fs::read_to_string(wal).unwrap(), "what a crash left");
        check_set_aside(file, &set_aside, &folder, Some(&damaged));
    }
}

#[test]
fn a_newer_format_is_refused_and_left_alone() {
    for file in FILES {
        let folder = filled();
        let connection = Connection::open(folder.file(file)).unwrap();
        connection.pragma_update(None, "user_version", 99).unwrap();
        drop(connection);
        let refused = open_and_read(&folder, file).unwrap_err();
        assert_eq!(
            refused.to_string(),
            format!(
                "{file} was written by a newer release (format 99, this one knows 1): \
                 upgrade this lane"
            )
        );
        assert!(folder.file(file).exists());
    }
}

#[test]
fn an_offline_reader_names_damage_and_changes_nothing() {
    let folder = filled();
    let checked = |folder: &Folder| check_databases(&folder.path);
    assert!(checked(&folder).iter().all(|(_, outcome)| outcome.is_ok()));
    overwrite(&folder.file("journal.db"), 0, &[0x55; 100]);
    overwrite(&folder.file("store.db"), 3 * 4096, &[0x55; 4096]);
    let error = OfflineJournal::open(&folder.path).err().unwrap();
    assert!(matches!(error, StorageError::Damaged { .. }), "{error}");
    for (file, outcome) in checked(&folder) {
        match (file, outcome) {
            ("raft.db", outcome) => assert_eq!(outcome, Ok(())),
            (_, Err(StorageError::Damaged { .. })) => {}
            (_, outcome) => panic!("{file}: {outcome:?}"),
        }
    }
    let status = fs::read_to_string(folder.file("journal.db.status")).unwrap();
    assert_eq!(status, "made");
    let missing = OfflineJournal::open(Path::new("/nowhere")).err().unwrap();
    assert!(matches!(missing, StorageError::Io { .. }), "{missing}");
}
