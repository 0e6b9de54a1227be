//! Damaged, newer and half-made database files.

use std::fs;
use std::path::Path;

use futures::executor::block_on;
use ledger::{Table, TableError, Tables};
use rusqlite::{Connection, params};

use super::{Folder, LANE, STORE, Writer, overwrite, truncate};
use crate::{
    Journal, OfflineJournal, OfflineState, RaftLogDb, RaftWrite, Room, SetAside, Snapshots,
    StateDb, StorageError, check_databases,
};

const ENTRIES: usize = 200;
const VOTE: &[u8] = b"for lane 2";

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
    let vote = RaftWrite::Set("vote", VOTE.to_vec());
    block_on(log.submit(vote, |done| done.unwrap()));
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
        let known = if file == "journal.db" { 1 } else { 2 };
        assert_eq!(
            refused.to_string(),
            format!(
                "{file} was written by a newer release (format 99, this one knows {known}): \
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

/// What is read of an open database, piece by piece, each under its place.
type Content = Vec<(Vec<u8>, Vec<u8>)>;

/// A database that is open, and what reads all of it.
type Reading = Box<dyn Fn() -> Result<Content, StorageError>>;

fn reading(folder: &Folder, file: &str) -> Result<Reading, StorageError> {
    let disk = folder.disk();
    Ok(match file {
        "journal.db" => {
            let (journal, _) = Journal::open(disk, STORE)?;
            Box::new(move || {
                let entries = journal.read(LANE, 1, ENTRIES, usize::MAX)?.into_iter();
                Ok(entries
                    .map(|entry| (entry.seq.to_be_bytes().to_vec(), entry.bytes))
                    .collect())
            })
        }
        "store.db" => {
            let (state, _) = StateDb::open(disk)?;
            Box::new(move || {
                let got = state.reader.read(|tables| {
                    let mut rows = tables.scan(Table::Item, &[], 5000)?;
                    for key in (0..2000_u32).step_by(50).map(u32::to_be_bytes) {
                        let value = tables.get(Table::Item, &key)?;
                        rows.extend(value.map(|value| (key.to_vec(), value)));
                    }
                    Ok::<_, TableError>(rows)
                })?;
                state.reader.applied_index()?;
                Ok(got.unwrap())
            })
        }
        _ => {
            let (log, _) = RaftLogDb::open(disk, Room::never_waited_for())?;
            Box::new(move || {
                let entries = log.read(0..u64::MAX, usize::MAX)?.into_iter();
                let vote = log.value("vote")?.map(|vote| (b"vote".to_vec(), vote));
                Ok(entries
                    .map(|(index, bytes)| (index.to_be_bytes().to_vec(), bytes))
                    .chain(vote)
                    .collect())
            })
        }
    })
}

/// Numbers that look random (splitmix64).
fn numbers(seed: u64) -> impl FnMut(u64) -> u64 {
    let mut state = seed;
    move |below| {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % below
    }
}

/// Flips one bit behind the first page, which is read at every start.
fn flip(path: &Path, seed: u64) {
    let mut below = numbers(seed);
    let mut bytes = fs::read(path).unwrap();
    let place = 4096 + below(bytes.len() as u64 - 4096) as usize;
    bytes[place] ^= 1 << below(8);
    overwrite(path, place as u64, &bytes[place..=place]);
}

/// One bit of a cold page flips under an open database, 200 times anew: what is read is what was
/// written, or an error that names the file, and then the next start sets it aside.
fn check_flipped_bits(file: &str) {
    let whole = filled();
    let read = reading(&whole, file).unwrap();
    let written = read().unwrap();
    drop(read);
    let (mut noticed, mut fewer) = (0, 0);
    for seed in 0..200 {
        let folder = Folder::new();
        drop(folder.disk());
        for name in [file.to_owned(), format!("{file}.status")] {
            fs::copy(whole.file(&name), folder.file(&name)).unwrap();
        }
        let read = reading(&folder, file).unwrap();
        flip(&folder.file(file), seed);
        let met = match read() {
            Ok(content) => {
                let known = |piece| written.contains(piece);
                assert!(content.iter().all(known), "seed {seed}");
                fewer += usize::from(content.len() < written.len());
                continue;
            }
            Err(met) => met.to_string(),
        };
        assert!(met.contains(file), "seed {seed}: {met}");
        assert!(met.contains("Restart this lane"), "seed {seed}: {met}");
        drop(read);
        let set_aside = open_and_read(&folder, file).unwrap();
        // The end of a chain has nothing behind it that would tell, once nobody remembers it.
        assert!(
            set_aside.is_some() || met.contains("the last entry"),
            "seed {seed}: {met}"
        );
        noticed += 1;
    }
    assert!(noticed > 100, "{noticed}");
    assert!(fewer <= 1, "rows went out of sight {fewer} times");
}

#[test]
fn of_a_journal_in_which_a_bit_flips_nothing_else_is_read_than_was_written() {
    check_flipped_bits("journal.db");
}

#[test]
fn of_a_state_in_which_a_bit_flips_nothing_else_is_read_than_was_written() {
    check_flipped_bits("store.db");
}

#[test]
fn of_a_raft_log_in_which_a_bit_flips_nothing_else_is_read_than_was_written() {
    check_flipped_bits("raft.db");
}

/// Brings a database back to what the release before the sums would have written.
fn without_sums(folder: &Folder, file: &str) {
    let connection = Connection::open(folder.file(file)).unwrap();
    let kv = "CREATE TABLE old (
            tbl INTEGER NOT NULL, key BLOB NOT NULL, value BLOB NOT NULL,
            PRIMARY KEY (tbl, key)
        ) WITHOUT ROWID;
        INSERT INTO old SELECT tbl, key, value FROM kv;
        DROP TABLE kv; ALTER TABLE old RENAME TO kv";
    let log = "CREATE TABLE old (idx INTEGER PRIMARY KEY, bytes BLOB NOT NULL);
        INSERT INTO old SELECT idx, bytes FROM log;
        DROP TABLE log; ALTER TABLE old RENAME TO log;
        CREATE TABLE old (name TEXT PRIMARY KEY, bytes BLOB NOT NULL) WITHOUT ROWID;
        INSERT INTO old SELECT name, bytes FROM value;
        DROP TABLE value; ALTER TABLE old RENAME TO value";
    let tables = if file == "raft.db" { log } else { kv };
    connection.execute_batch(tables).unwrap();
    connection.pragma_update(None, "user_version", 1).unwrap();
}

#[test]
fn a_database_of_a_release_without_sums_is_read_and_gets_them_as_it_is_written() {
    for file in ["store.db", "raft.db"] {
        let folder = filled();
        let read = reading(&folder, file).unwrap();
        let written = read().unwrap();
        drop(read);
        drop(folder.disk());
        without_sums(&folder, file);
        // As it lies there, for whoever only looks.
        let offline = OfflineState::open(&folder.path).unwrap();
        let rows = offline.tables().scan(Table::Item, &[], 5000).unwrap();
        assert_eq!(rows.len(), 2000);
        assert_eq!(offline.applied_index().unwrap(), 1);
        drop(offline);
        assert!(check_databases(&folder.path).iter().all(|(_, c)| c.is_ok()));
        // Opened, it is upgraded, and still all there.
        let read = reading(&folder, file).unwrap();
        assert_eq!(read().unwrap(), written, "{file}");
        drop(read);
        drop(folder.disk());
        write_again(&folder, file);
        let sums = |condition: &str| -> i64 {
            let table = if file == "raft.db" { "value" } else { "kv" };
            let sql = format!("SELECT count(*) FROM {table} WHERE sum {condition}");
            let connection = Connection::open(folder.file(file)).unwrap();
            connection.query_row(&sql, [], |row| row.get(0)).unwrap()
        };
        assert_eq!(sums("IS NOT NULL"), 1, "{file}");
        // Those that have one are held against it.
        let connection = Connection::open(folder.file(file)).unwrap();
        let changed = match file {
            "raft.db" => "UPDATE value SET bytes = x'00' WHERE sum IS NOT NULL",
            _ => "UPDATE kv SET value = x'00' WHERE sum IS NOT NULL",
        };
        assert_eq!(connection.execute(changed, []).unwrap(), 1);
        drop(connection);
        let met = reading(&folder, file).and_then(|read| read()).unwrap_err();
        assert!(matches!(met, StorageError::Damaged { .. }), "{met}");
    }
}

/// Writes one piece again that was there before.
fn write_again(folder: &Folder, file: &str) {
    let disk = folder.disk();
    if file == "raft.db" {
        let (log, _) = RaftLogDb::open(disk, Room::never_waited_for()).unwrap();
        let vote = RaftWrite::Set("vote", VOTE.to_vec());
        block_on(log.submit(vote, |done| done.unwrap()));
    } else {
        let (mut state, _) = StateDb::open(disk).unwrap();
        let write = state.writer.transaction(|tables| {
            let key = 50_u32.to_be_bytes();
            tables.set(Table::Item, &key, Some(&[7; 50])).unwrap();
            Ok::<_, StorageError>(())
        });
        write.unwrap();
    }
    drop(folder.disk());
}

/// A lane's snapshot outlives an upgrade, too.
#[test]
fn a_snapshot_of_a_release_without_sums_is_installed() {
    let folder = filled();
    let disk = folder.disk();
    let (mut state, _) = StateDb::open(disk.clone()).unwrap();
    let built = Snapshots::open(disk.clone()).unwrap();
    let name = built.build(&state.reader).unwrap();
    let file = name
        .path()
        .file_name()
        .unwrap()
        .to_str()
        .unwrap()
        .to_owned();
    without_sums(&folder, &file);
    let snapshot = Snapshots::open(disk).unwrap().current().unwrap();
    assert_eq!(snapshot.seal(), name.seal());
    assert!(snapshot.private("applied-index").unwrap().is_some());
    state.writer.replace_with(&snapshot).unwrap();
    let rows = |tables: &dyn Tables| tables.scan(Table::Item, &[], 5000).unwrap().len();
    assert_eq!(state.reader.read(rows).unwrap(), 2000);
}

/// What has changed in a state is in no snapshot of it.
#[test]
fn of_a_state_with_a_changed_row_no_snapshot_is_made() {
    let folder = filled();
    let connection = Connection::open(folder.file("store.db")).unwrap();
    let changed = "UPDATE kv SET value = x'08' WHERE key = x'00000007'";
    assert_eq!(connection.execute(changed, []).unwrap(), 1);
    drop(connection);
    let disk = folder.disk();
    let (state, _) = StateDb::open(disk.clone()).unwrap();
    let snapshots = Snapshots::open(disk).unwrap();
    let refused = snapshots.build(&state.reader).err().unwrap();
    assert!(
        refused.to_string().contains("store.db is damaged"),
        "{refused}"
    );
    assert_eq!(state.reader.damage(), Some(refused));
    assert!(snapshots.current().is_none());
}

/// Goes through all of a state as a running lane does; says whether it came to the end.
fn check_all(state: &StateDb) -> Result<(), StorageError> {
    let mut place = None;
    loop {
        place = state.reader.check_some(place.as_ref())?;
        if place.is_none() {
            return Ok(());
        }
    }
}

/// A row that is hidden behind a changed key is missed by whoever only reads; whoever writes is not
/// misled by that, and the check of the running lane finds it.
#[test]
fn a_changed_key_misleads_no_writer_and_is_found_by_the_check() {
    let rows = [1, 63, 64, 127, 128, 1000, 1998, 1999_u32];
    for (row, is_behind) in rows.into_iter().flat_map(|row| [(row, true), (row, false)]) {
        let folder = filled();
        let (mut state, _) = StateDb::open(folder.disk()).unwrap();
        check_all(&state).unwrap();
        assert_eq!(state.reader.damage(), None);
        // One that keeps its place among the others: nothing is out of order.
        let key = row.to_be_bytes();
        let changed = match is_behind {
            true => [&key[..], &[0]].concat(),
            false => [&(row - 1).to_be_bytes()[..], &[0]].concat(),
        };
        let connection = Connection::open(folder.file("store.db")).unwrap();
        let change = "UPDATE kv SET key = ?1 WHERE tbl = ?2 AND key = ?3";
        let item = Table::Item as u8;
        let rows = connection.execute(change, params![changed, item, &key[..]]);
        assert_eq!(rows.unwrap(), 1);
        drop(connection);
        let read = state.reader.read(|tables| tables.get(Table::Item, &key));
        // The row that the search comes to is the changed one where that lies behind the place.
        match is_behind {
            true => assert!(matches!(read, Err(StorageError::Damaged { .. })), "{row}"),
            false => assert_eq!(read.unwrap().unwrap(), None, "{row}"),
        }
        let written = state.writer.transaction(|tables| {
            let found = tables.get(Table::Item, &key);
            assert!(found.is_err(), "{row}: {found:?}");
            Ok::<_, StorageError>(())
        });
        assert!(
            matches!(written, Err(StorageError::Damaged { .. })),
            "{row}"
        );
        let found = check_all(&state).unwrap_err();
        assert!(
            matches!(found, StorageError::Damaged { .. }),
            "{row}: {found}"
        );
        assert!(state.reader.damage().is_some());
        drop(state);
        let (_, set_aside) = StateDb::open(folder.disk()).unwrap();
        assert!(set_aside.is_some(), "{row}");
    }
}

/// A page whose directory has lost its last row: no row that is found is wrong, and one is missing.
#[test]
fn a_page_that_hides_a_row_is_found_by_the_check() {
    const PAGE: usize = 4096;
    /// The first byte of a page of an index that leads to no other page.
    const LEAF: u8 = 0x0A;
    let folder = filled();
    let (state, _) = StateDb::open(folder.disk()).unwrap();
    check_all(&state).unwrap();
    let path = folder.file("store.db");
    let bytes = fs::read(&path).unwrap();
    let counts_odd = |page: usize| {
        let at = page * PAGE;
        bytes[at] == LEAF && bytes[at + 4] % 2 == 1 && bytes[at + 4] > 1
    };
    // Behind the pages that every reader has kept.
    let mut pages = (1..bytes.len() / PAGE).rev();
    let page = pages
        .find(|page| counts_odd(*page))
        .expect("a page of rows");
    let count = page * PAGE + 4;
    overwrite(&path, count as u64, &[bytes[count] - 1]);
    let found = check_all(&state).unwrap_err();
    assert!(matches!(found, StorageError::Damaged { .. }), "{found}");
    assert_eq!(state.reader.damage(), Some(found));
    drop(state);
    let (_, set_aside) = StateDb::open(folder.disk()).unwrap();
    assert!(set_aside.is_some());
}
