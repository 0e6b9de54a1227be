//! The hash chain of a journal: what fits, what does not, and that no change goes unnoticed.

use ledger::{Entry, EntryBody, EntryError, EntryHash, Fact, Head, Hlc, StoreId};
use proptest::prelude::*;

use crate::shop::{DAY, Journal, STORE, lane};

fn journal() -> Journal {
    let mut journal = Journal::of('a');
    journal.write(Fact::LaneStarted {
        name: "Lane 1".to_owned(),
        release: "0.1.0".to_owned(),
        reads: ledger::ENTRY_FORMAT,
    });
    journal.sell(DAY, &[("1", 1000, 100)]);
    journal.write(Fact::LaneClosed);
    journal
}

/// The first entry that does not follow from the ones before it.
fn first_break(entries: &[Entry]) -> Option<usize> {
    let mut head = Head::default();
    entries.iter().position(|entry| {
        let next = entry.check_follows(STORE, &head);
        head = *next.as_ref().unwrap_or(&head);
        next.is_err()
    })
}

#[test]
fn a_journal_follows_from_its_beginning_to_its_head() {
    let journal = journal();
    let mut head = Head::default();
    for entry in &journal.entries {
        head = entry.check_follows(STORE, &head).unwrap();
        assert_eq!(head.hash, entry.hash());
        assert_eq!(head.next_seq, entry.seq + 1);
        assert_eq!(entry.body().unwrap().seq, entry.seq);
    }
    assert_eq!(head, journal.head);
}

#[test]
fn what_does_not_follow_is_named() {
    let good = journal();
    let before = Head {
        next_seq: 2,
        hash: good.entries[0].hash(),
    };
    let check = |store: StoreId, head: Head, change: &dyn Fn(&mut Entry), expected: &str| {
        let mut entry = good.entries[1].clone();
        change(&mut entry);
        let error = entry.check_follows(store, &head).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    };
    let other = StoreId([9; 16]);
    check(other, before, &|_| {}, "belongs to store 5a5a5a5a");
    check(STORE, before, &|e| e.lane = lane('b'), "it is 61616161/2");
    check(STORE, before, &|e| e.seq = 3, "it is 61616161/2");
    check(STORE, Head::default(), &|_| {}, "entry 1 is due");
    let late = Head {
        next_seq: 3,
        ..before
    };
    check(STORE, late, &|_| {}, "entry 3 is due");
    let forked = Head {
        hash: EntryHash::of(b"another past"),
        ..before
    };
    check(STORE, forked, &|_| {}, "hash of the one before differs");
    check(STORE, before, &|e| e.bytes.truncate(20), "cannot be read");
    check(STORE, before, &|e| e.bytes.clear(), "cannot be read");
}

#[test]
fn an_entry_of_a_later_release_can_be_chained_but_not_read() {
    let mut journal = Journal::of('a');
    let entry = journal.write_in_format(99, Fact::LaneClosed);
    assert!(entry.check_follows(STORE, &Head::default()).is_ok());
    assert!(matches!(
        entry.body(),
        Err(EntryError::FromTheFuture { found: 99, .. })
    ));
    assert_eq!(entry.stamp(), Ok(hlc((1_795_773_600_001, 0))));
}

fn hlc((wall_ms, counter): (u64, u32)) -> Hlc {
    Hlc { wall_ms, counter }
}

#[test]
fn the_clock_of_a_lane_never_goes_back() {
    let check = |before: (u64, u32), wall_ms: u64, after: (u64, u32)| {
        let next = hlc(before).tick(wall_ms);
        assert_eq!(next, hlc(after));
        assert!(next > hlc(before));
    };
    check((0, 0), 5, (5, 0));
    check((5, 3), 6, (6, 0));
    check((5, 0), 5, (5, 1));
    check((5, 7), 2, (5, 8));
    check((5, u32::MAX), 5, (6, 0));
}

#[test]
fn a_stamp_that_was_seen_is_followed_unless_it_is_too_far_ahead() {
    const AHEAD: u64 = Hlc::AHEAD_MS_MAX;
    let check = |own: (u64, u32), seen: (u64, u32), wall_ms: u64, merged: (u64, u32)| {
        let after = hlc(own).merge(hlc(seen), wall_ms);
        assert_eq!(after, hlc(merged), "{own:?} saw {seen:?} at {wall_ms}");
        let next = after.tick(wall_ms);
        assert!(next > hlc(own));
        assert!(next > hlc(seen) || hlc(seen).is_ahead_of(wall_ms));
    };
    check((5, 3), (4, 9), 5, (5, 3));
    check((5, 3), (5, 3), 5, (5, 3));
    check((5, 3), (5, 4), 5, (5, 4));
    check((5, 3), (7, 0), 5, (7, 0));
    // The own wall clock is the measure, not the own stamp, which may be ahead itself.
    check((5, 3), (5 + AHEAD, 9), 5, (5 + AHEAD, 9));
    check((5, 3), (6 + AHEAD, 0), 5, (5, 3));
    check((7 + AHEAD, 0), (8 + AHEAD, 0), 5, (7 + AHEAD, 0));
    check((5, 3), (u64::MAX, u32::MAX), 5, (5, 3));
    check((5, 3), (9, u32::MAX), 5, (9, u32::MAX));
    check(
        (u64::MAX - 1, 0),
        (u64::MAX - 1, 7),
        u64::MAX - 1,
        (u64::MAX - 1, 7),
    );
}

proptest! {
    #[test]
    fn no_changed_bit_goes_unnoticed(which in 0..2_usize, at in any::<prop::sample::Index>(), bit in 0..8) {
        let mut entries = journal().entries;
        let bytes = &mut entries[which].bytes;
        let at = at.index(bytes.len());
        bytes[at] ^= 1_u8 << bit;
        // At once, or at the next entry, which names the hash of the true one.
        let broken = first_break(&entries);
        prop_assert!(broken == Some(which) || broken == Some(which + 1), "{:?}", broken);
    }

    #[test]
    fn no_bytes_make_reading_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let entry = Entry { lane: lane('a'), seq: 1, bytes };
        prop_assert!(entry.check_follows(STORE, &Head::default()).is_err());
        prop_assert!(entry.body().is_err());
    }

    #[test]
    fn what_was_sealed_is_read_back(name in ".*", wall_ms: u64, counter: u32, seq in 1..u64::MAX) {
        let body = EntryBody {
            v: 1,
            store: STORE,
            lane: lane('a'),
            seq,
            prev: EntryHash::of(name.as_bytes()),
            hlc: Hlc { wall_ms, counter },
            fact: Fact::LaneStarted { name, release: String::new(), reads: ledger::ENTRY_FORMAT },
        };
        let entry = Entry::seal(&body);
        prop_assert_eq!(entry.stamp().unwrap(), body.hlc);
        prop_assert_eq!(entry.body().unwrap(), body);
    }
}
