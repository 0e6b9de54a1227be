//! Lanes that apply the same log have the same state, to the hash.

use catalog::Record;
use expect_test::expect;
use ledger::{
    Command, Entry, Fact, HASHES_KEPT, Outcome, Row, Table, Tables, hashes_at, stored_hash,
};
use proptest::prelude::*;

use crate::shop::{DAY, Journal, Shop, creation, invite, item};

/// A day in the life of a store: everything that the log can hold.
fn history() -> Vec<Command> {
    let mut commands = creation("abc");
    let (mut a, mut b) = (Journal::of('a'), Journal::of('b'));
    let reference = |records| Command::Reference {
        author: "test".to_owned(),
        records,
    };
    commands.push(reference(vec![
        Record::Item(item("1", 100, &["4011"])),
        Record::Item(item("2", 250, &["4012"])),
        Record::Promotions("a file".to_owned()),
    ]));
    let entries = vec![a.sell(DAY, &[("1", 2000, 200)]), b.write(Fact::LaneClosed)];
    commands.push(Command::Ingest { entries });
    commands.push(reference(vec![Record::Item(item("2", 260, &["4011"]))]));
    let entries = vec![
        b.sell(DAY, &[("2", 1000, 250)]),
        b.write_in_format(99, Fact::LaneClosed),
    ];
    commands.push(Command::Ingest { entries });
    commands.push(Command::HqCursor { cursor: 3 });
    commands.push(Command::HqCursor { cursor: 99 });
    commands.push(invite(9, 1_000));
    commands
}

fn rows(shop: &Shop, left_out: &[Table]) -> Vec<(Table, Vec<Row>)> {
    let kept = Table::ALL.iter().filter(|table| !left_out.contains(table));
    kept.map(|table| (*table, shop.tables.scan(*table, &[], usize::MAX).unwrap()))
        .collect()
}

#[test]
fn two_replicas_have_the_same_hash_at_every_index() {
    let (mut one, mut two) = (Shop::default(), Shop::default());
    let mut outcomes: Vec<Outcome> = Vec::new();
    for command in history() {
        outcomes.push(one.apply(&command));
    }
    for (command, outcome) in history().iter().zip(outcomes) {
        assert_eq!(two.apply(command), outcome);
    }
    assert_eq!(one.tables, two.tables);
    let hashes = hashes_at(&one.tables).unwrap();
    assert_eq!(hashes.len(), history().len());
    assert_eq!(hashes, hashes_at(&two.tables).unwrap());
    assert_eq!(hashes[&one.index], stored_hash(&one.tables).unwrap());
}

#[test]
fn a_replica_that_misses_a_command_is_found_out() {
    let history = history();
    let mut whole = Shop::default();
    history.iter().for_each(|command| {
        whole.apply(command);
    });
    let expected = stored_hash(&whole.tables).unwrap();
    for missed in 0..history.len() {
        let mut lame = Shop::default();
        for (number, command) in history.iter().enumerate() {
            if number == missed {
                lame.index += 1;
            } else {
                lame.apply(command);
            }
        }
        let same = stored_hash(&lame.tables).unwrap() == expected;
        // A refused command changes nothing, so missing it changes nothing either.
        let refused = history[missed] == Command::HqCursor { cursor: 99 };
        assert_eq!(same, refused, "without {:?}", history[missed]);
    }
}

/// A changed hash here means that this release and the ones before it do not agree about the state
/// that the same log gives: lanes of both would report each other as wrong. That must be meant.
#[test]
fn this_history_gives_this_state() {
    let mut shop = Shop::default();
    for command in history() {
        shop.apply(&command);
    }
    expect!["7401dc1b513049403998cdd209cc91dadfac1ccefb0290b155dcc12d800a3335"]
        .assert_eq(&stored_hash(&shop.tables).unwrap().to_string());
}

#[test]
fn only_the_latest_hashes_are_kept() {
    let mut shop = Shop::with_lanes("a");
    shop.index = 10 * HASHES_KEPT;
    for _ in 0..HASHES_KEPT + 5 {
        shop.apply(&Command::HqCursor { cursor: 0 });
    }
    let hashes = hashes_at(&shop.tables).unwrap();
    let newest: Vec<u64> = hashes
        .keys()
        .rev()
        .take(HASHES_KEPT as usize)
        .copied()
        .collect();
    assert_eq!(newest.first(), Some(&shop.index));
    assert_eq!(newest.last(), Some(&(shop.index - HASHES_KEPT + 1)));
    // The one of the first index lies before the jump that this test made.
    assert_eq!(hashes.len() as u64, HASHES_KEPT + 1);
}

proptest! {
    /// How offers are cut into commands leaves no trace in the state but the index.
    #[test]
    fn batching_does_not_matter(cuts in prop::collection::vec(any::<bool>(), 12)) {
        let (mut a, mut b) = (Journal::of('a'), Journal::of('b'));
        let entries: Vec<Entry> = (0..6)
            .flat_map(|n| {
                [a.sell(DAY, &[("1", 1000, 100 + n)]), b.sell(DAY, &[("2", 250, 30 + n)])]
            })
            .collect();
        let mut whole = Shop::with_lanes("ab");
        whole.apply(&Command::Ingest { entries: entries.clone() });
        let mut parts = Shop::with_lanes("ab");
        let mut pending = Vec::new();
        for (entry, cut) in entries.into_iter().zip(cuts) {
            pending.push(entry);
            if cut {
                let entries = std::mem::take(&mut pending);
                parts.apply(&Command::Ingest { entries });
            }
        }
        parts.apply(&Command::Ingest { entries: pending });
        prop_assert_eq!(rows(&whole, &[Table::HashAt]), rows(&parts, &[Table::HashAt]));
    }
}
