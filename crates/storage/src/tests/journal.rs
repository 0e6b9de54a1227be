//! Appending, copying and reading back.

use std::collections::{BTreeMap, BTreeSet};

use futures::executor::block_on;
use futures::future::join_all;
use ledger::{EntryError, Head};

use super::{Folder, LANE, SIBLING, STORE, Writer};
use crate::database::Limits;
use crate::{Journal, OfflineJournal, StorageError};

fn open(folder: &Folder) -> Journal {
    let (journal, set_aside) = Journal::open(folder.disk(), STORE).unwrap();
    assert_eq!(set_aside, None);
    journal
}

#[test]
fn what_was_appended_is_there_after_an_abrupt_drop() {
    let folder = Folder::new();
    let mut lane = Writer::new(LANE);
    let entries = lane.entries(5);
    let journal = open(&folder);
    block_on(journal.append(entries[..2].to_vec())).unwrap();
    drop(journal);
    let journal = open(&folder);
    assert_eq!(journal.head(LANE).next_seq, 3);
    block_on(journal.append(entries[2..].to_vec())).unwrap();
    drop(journal);
    let journal = open(&folder);
    assert_eq!(journal.read(LANE, 1, 100, 1 << 20).unwrap(), entries);
    assert_eq!(journal.heads(), BTreeMap::from([(LANE, lane.head)]));
}

#[test]
fn a_read_is_bounded_by_entries_and_bytes() {
    let folder = Folder::new();
    let journal = open(&folder);
    let entries = Writer::new(LANE).entries(10);
    let bytes = entries[0].bytes.len();
    block_on(journal.append(entries)).unwrap();
    let check = |from, entries_max, bytes_max, expected: &[u64]| {
        let read = journal.read(LANE, from, entries_max, bytes_max).unwrap();
        let seqs: Vec<u64> = read.iter().map(|entry| entry.seq).collect();
        assert_eq!(seqs, expected, "{from} {entries_max} {bytes_max}");
    };
    check(1, 3, 1 << 20, &[1, 2, 3]);
    check(9, 3, 1 << 20, &[9, 10]);
    check(11, 3, 1 << 20, &[]);
    check(4, 100, 2 * bytes, &[4, 5]);
    check(4, 100, 0, &[4]);
    assert_eq!(journal.read(SIBLING, 1, 9, 9).unwrap(), []);
}

#[test]
fn copies_that_wait_together_share_commits() {
    let folder = Folder::new();
    let journal = open(&folder);
    let commits = journal.subscribe();
    let mut sibling = Writer::new(SIBLING);
    let copies = sibling.entries(300);
    let stored = copies
        .iter()
        .map(|entry| journal.store_copies(vec![entry.clone()]));
    let outcomes = block_on(join_all(stored));
    assert!(outcomes.iter().all(Result::is_ok));
    assert!(*commits.borrow() < 300, "{} commits", *commits.borrow());
    assert_eq!(journal.head(SIBLING), sibling.head);
}

#[test]
fn entries_are_appended_whole_or_not_at_all() {
    let folder = Folder::new();
    let journal = open(&folder);
    let mut lane = Writer::new(LANE);
    let mut sibling = Writer::new(SIBLING);
    let (good, other) = (lane.entries(3), sibling.entries(2));
    block_on(journal.append(good.clone())).unwrap();
    let broken = vec![other[0].clone(), good[0].clone()];
    let refused = block_on(journal.append(broken));
    assert!(
        matches!(
            refused,
            Err(StorageError::Refused(EntryError::BrokenChain { .. }))
        ),
        "{refused:?}"
    );
    assert_eq!(journal.head(LANE), lane.head);
    assert_eq!(journal.head(SIBLING), Head::default());
    // The sibling's chain was not touched by the refused request.
    block_on(journal.append(other)).unwrap();
}

#[test]
fn an_entry_of_another_store_is_refused() {
    let folder = Folder::new();
    let (journal, _) = Journal::open(folder.disk(), sale::StoreId([9; 16])).unwrap();
    let refused = block_on(journal.append(Writer::new(LANE).entries(1))).unwrap_err();
    assert!(matches!(refused, StorageError::Refused(_)), "{refused}");
}

#[test]
fn copies_are_idempotent_and_take_only_what_continues() {
    let folder = Folder::new();
    let journal = open(&folder);
    let a = Writer::new(LANE).entries(4);
    let b = Writer::new(SIBLING).entries(4);
    let check = |copies: &[&ledger::Entry], expected: &[(sale::LaneId, u64)]| {
        let copies = copies.iter().map(|entry| (*entry).clone()).collect();
        let wanted = block_on(journal.store_copies(copies)).unwrap();
        assert_eq!(wanted, expected.iter().copied().collect());
        let heads = journal.heads();
        for (lane, next) in wanted {
            assert_eq!(heads.get(&lane).copied().unwrap_or_default().next_seq, next);
        }
    };
    check(&[&a[0], &a[1]], &[(LANE, 3)]);
    check(&[&a[0], &a[1]], &[(LANE, 3)]);
    check(&[&a[1], &a[2], &b[1]], &[(LANE, 4), (SIBLING, 1)]);
    let mut forged = b[0].clone();
    forged.bytes[20] ^= 1;
    check(&[&forged, &b[1]], &[(SIBLING, 1)]);
    check(&[&b[0], &b[1], &b[3], &a[3]], &[(LANE, 5), (SIBLING, 3)]);
    assert_eq!(journal.read(LANE, 1, 9, 1 << 20).unwrap(), a);
    assert_eq!(journal.read(SIBLING, 1, 9, 1 << 20).unwrap(), b[..2]);
}

#[test]
fn a_full_disk_loses_nothing_acknowledged_and_stops_nothing_else() {
    let folder = Folder::new();
    let limits = Limits {
        pages_max: Some(12),
    };
    let (journal, _) = Journal::open_limited(folder.disk(), STORE, limits).unwrap();
    let mut lane = Writer::new(LANE);
    let name = "x".repeat(1000);
    let mut durable = Vec::new();
    let (failed, error) = loop {
        let entry = lane.entry(&name);
        match block_on(journal.append(vec![entry.clone()])) {
            Ok(()) => durable.push(entry),
            Err(error) => break (entry, error),
        }
    };
    let message = format!(
        "journal.db could not be made durable: the disk is full: free space on {}, \
         nothing acknowledged was lost",
        folder.path.display()
    );
    assert_eq!(error.to_string(), message);
    assert!(matches!(
        error,
        StorageError::NotDurable { may_pass: true, .. }
    ));
    assert!(!durable.is_empty());
    assert_eq!(journal.head(LANE).next_seq, failed.seq);
    assert_eq!(journal.read(LANE, 1, 100, 1 << 20).unwrap(), durable);
    // The next append is tried afresh, and fails for the same reason.
    assert!(block_on(journal.append(vec![failed.clone()])).is_err());
    drop(journal);
    let journal = open(&folder);
    block_on(journal.append(vec![failed.clone()])).unwrap();
    durable.push(failed);
    assert_eq!(journal.read(LANE, 1, 100, 1 << 20).unwrap(), durable);
}

#[test]
fn another_process_can_read_while_the_lane_writes() {
    let folder = Folder::new();
    let disk = folder.disk();
    let (journal, _) = Journal::open(disk, STORE).unwrap();
    let mut lane = Writer::new(LANE);
    block_on(journal.append(lane.entries(3))).unwrap();
    let offline = OfflineJournal::open(&folder.path).unwrap();
    let seen = lane.head;
    block_on(journal.append(lane.entries(3))).unwrap();
    assert_eq!(offline.heads().unwrap(), BTreeMap::from([(LANE, seen)]));
    assert_eq!(offline.read(LANE, 2, 9, 1 << 20).unwrap().len(), 2);
    let later = OfflineJournal::open(&folder.path).unwrap();
    assert_eq!(later.heads().unwrap(), journal.heads());
}

#[test]
fn a_branch_that_the_store_does_not_have_is_forgotten_and_its_place_taken() {
    let folder = Folder::new();
    let journal = open(&folder);
    let mut sibling = Writer::new(SIBLING);
    let (start, keep) = (sibling.entries(2), sibling.head);
    let mut copy = Writer {
        lane: SIBLING,
        head: keep,
    };
    let branch = [start.clone(), vec![copy.entry("copy"), copy.entry("more")]].concat();
    let entries = [start, vec![sibling.entry("original")]].concat();
    block_on(journal.store_copies(branch)).unwrap();
    assert_eq!(journal.doubted(), BTreeSet::new());
    // As long as the branch is held, nothing else is taken, and it is known that there is.
    let third = vec![entries[2].clone()];
    let due = BTreeMap::from([(SIBLING, 5)]);
    assert_eq!(block_on(journal.store_copies(third.clone())), Ok(due));
    let mut fourth = Writer {
        lane: SIBLING,
        head: sibling.head,
    };
    fourth.entry("4");
    block_on(journal.store_copies(vec![fourth.entry("5")])).unwrap();
    assert_eq!(journal.doubted(), BTreeSet::from([SIBLING]));
    let forget = |end| block_on(journal.forget_branch(SIBLING, keep, end)).unwrap();
    assert!(!forget(keep), "it ends elsewhere");
    assert!(forget(copy.head));
    assert_eq!(journal.head(SIBLING), keep);
    block_on(journal.store_copies(third)).unwrap();
    journal.trust(SIBLING);
    drop(journal);
    let journal = open(&folder);
    assert_eq!(journal.read(SIBLING, 1, 9, 1 << 20).unwrap(), entries);
    assert_eq!(
        journal.doubted(),
        BTreeSet::from([SIBLING]),
        "not looked at yet"
    );
}
