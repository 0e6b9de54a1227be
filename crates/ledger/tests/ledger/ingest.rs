//! Journal entries become the store's: each once, in its lane's order, whoever offers them.

use std::collections::BTreeMap;

use catalog::ItemId;
use ledger::{Command, DayTotal, Entry, ExceptionKind, Fact, LaneId, Outcome, StoreId, TotalError};
use money::{Currency, Money};
use proptest::prelude::*;
use sale::{BusinessDay, CartId};

use crate::shop::{DAY, Journal, Shop, completed, lane, receipt, usd};

/// A journal of nine sales of lane `letter`.
fn journal(letter: char) -> Journal {
    let mut journal = Journal::of(letter);
    for n in 1..=9 {
        journal.sell(DAY, &[("1", 1000, 100 + n)]);
    }
    journal
}

/// `a3` is lane a's third entry; `a3!` the same with a damaged byte; `a3?` an entry in its place
/// with another past; `a3$` one of another store.
fn offered(token: &str) -> Entry {
    let letter = token.chars().next().unwrap();
    let seq: usize = token[1..2].parse().unwrap();
    let mut journal = journal(letter);
    match &token[2..] {
        "" => journal.entries[seq - 1].clone(),
        "!" => {
            let mut entry = journal.entries[seq - 1].clone();
            entry.bytes[60] ^= 1;
            entry
        }
        "?" => {
            journal.head.next_seq = seq as u64;
            journal.write(Fact::LaneClosed)
        }
        "$" => {
            let mut foreign = Journal::of(letter);
            foreign.store = StoreId([9; 16]);
            (0..seq)
                .map(|_| foreign.write(Fact::LaneClosed))
                .last()
                .unwrap()
        }
        other => panic!("{other} is no mark"),
    }
}

/// Offers what stands between the bars, one command each, to a store with lanes a and b. Expects
/// what is taken, in order, and the entries noted as broken.
fn check(offers: &str, taken: &str, broken: &str) {
    let mut shop = Shop::with_lanes("ab");
    for command in offers.split('|') {
        let entries: Vec<Entry> = command.split_whitespace().map(offered).collect();
        let offered_lanes: Vec<LaneId> = entries.iter().map(|e| e.lane).collect();
        let outcome = shop.apply(&Command::Ingest { entries });
        let Outcome::Ingested { next } = outcome else {
            panic!("{outcome:?}");
        };
        for (lane, next) in next {
            assert!(offered_lanes.contains(&lane));
            let known = shop.view().lane(lane).unwrap().unwrap();
            assert_eq!(next, known.head.next_seq, "{offers}");
        }
    }
    let name = |lane: LaneId, seq: u64| format!("{}{seq}", lane.0[0] as char);
    let entries = shop.view().entries_after(0, 100).unwrap();
    let got: Vec<String> = entries.iter().map(|(_, e)| name(e.lane, e.seq)).collect();
    assert_eq!(got.join(" "), taken, "{offers}");
    let globals: Vec<u64> = entries.iter().map(|(global, _)| *global).collect();
    let expected: Vec<u64> = (1..=globals.len() as u64).collect();
    assert_eq!(globals, expected, "numbered from 1 without a gap");
    let got: Vec<String> = shop
        .exceptions()
        .into_iter()
        .map(|(kind, entry)| {
            assert_eq!(kind, ExceptionKind::BrokenChain);
            let (lane, seq) = entry.unwrap();
            name(lane, seq)
        })
        .collect();
    assert_eq!(got.join(" "), broken, "{offers}");
    let receipts: u64 = shop
        .view()
        .totals()
        .unwrap()
        .iter()
        .map(|t| t.2.receipts)
        .sum();
    assert_eq!(receipts, globals.len() as u64, "each receipt counts once");
}

#[test]
fn entries_are_taken_once_and_in_order() {
    check("", "", "");
    check("a1", "a1", "");
    check("a1 a2 a3", "a1 a2 a3", "");
    check("a1 | a1 | a2 a1 | a1 a2", "a1 a2", "");
    check("a1 a1 a1", "a1", "");
    check("b1 a1 b2 a2", "b1 a1 b2 a2", "");
    check("a1 a2 | b1 b2 | a3 b3", "a1 a2 b1 b2 a3 b3", "");
}

#[test]
fn what_comes_too_early_waits_to_be_offered_again() {
    check("a2", "", "");
    check("a3 a2 a1", "a1", "");
    check("a3 a2 a1 | a3 a2 | a3", "a1 a2 a3", "");
    check("a1 a4 | b1", "a1 b1", "");
}

#[test]
fn lanes_that_are_no_members_are_passed_over() {
    check("c1", "", "");
    check("c1 a1 c2 b1", "a1 b1", "");
}

#[test]
fn what_breaks_its_chain_is_not_taken_and_noted_once() {
    check("a1 a2!", "a1", "a2");
    check("a1 a2? a3", "a1", "a2");
    check("a1$", "", "a1");
    check("a1 a2? | a2? | a2? b1", "a1 b1", "a2");
    check("a1 a2! b1 b2! b3", "a1 b1", "a2 b2");
    // The true one is taken all the same, once it is offered.
    check("a1 a2? | a2 a3", "a1 a2 a3", "a2");
    // Damage to what is known already, or not due yet, is nobody's trouble.
    check("a1 | a1! | a3!", "a1", "");
}

#[test]
fn nothing_is_taken_before_the_store_exists() {
    let mut shop = Shop::default();
    let entries = vec![offered("a1")];
    let outcome = shop.apply(&Command::Ingest { entries });
    assert!(matches!(outcome, Outcome::Refused { .. }), "{outcome:?}");
    assert_eq!(shop.view().entries().unwrap(), 0);
}

#[test]
fn totals_and_stock_are_those_of_the_receipts() {
    let mut shop = Shop::with_lanes("ab");
    let (mut a, mut b) = (Journal::of('a'), Journal::of('b'));
    let entries = vec![
        a.write(Fact::LaneClosed),
        a.sell(DAY, &[("milk", 2000, 198), ("ham", 455, 250)]),
        a.sell(DAY, &[("milk", 1000, 99)]),
        b.sell("2026-11-26", &[("milk", 1000, 99)]),
        b.sell(DAY, &[]),
    ];
    shop.apply(&Command::Ingest { entries });
    let total = |receipts, lines, minor: i64| DayTotal {
        receipts,
        lines,
        gross: minor,
        total: minor,
        // Change was given back.
        tenders: [("cash".to_owned(), minor)].into(),
        ..DayTotal::zero(Currency::USD)
    };
    let day = |text: &str| BusinessDay(text.to_owned());
    assert_eq!(
        shop.view().totals().unwrap(),
        [
            (day("2026-11-26"), lane('b'), total(1, 1, 99)),
            (day(DAY), lane('a'), total(2, 3, 547)),
            (day(DAY), lane('b'), total(1, 0, 0)),
        ]
    );
    for (item, milli) in [("milk", -4000), ("ham", -455), ("never", 0)] {
        let stock = shop.view().stock_milli(&ItemId::from(item)).unwrap();
        assert_eq!(stock, milli, "{item}");
    }
}

#[test]
fn an_entry_of_a_later_release_is_kept_and_reported() {
    let mut shop = Shop::with_lanes("a");
    let mut a = Journal::of('a');
    let entries = vec![
        a.write_in_format(99, Fact::LaneClosed),
        a.sell(DAY, &[("1", 1000, 100)]),
    ];
    shop.apply(&Command::Ingest { entries });
    assert_eq!(shop.view().entries().unwrap(), 2);
    assert_eq!(
        shop.exceptions(),
        [(ExceptionKind::UnreadableFact, Some((lane('a'), 1)))]
    );
    // Nothing counts it later, so a person is told to.
    let told = &shop.view().exception_list().unwrap()[0].message;
    for words in ["also after an upgrade", "one release", "add it by hand"] {
        assert!(told.contains(words), "{told}");
    }
    assert_eq!(shop.view().totals().unwrap()[0].2.receipts, 1);
}

#[test]
fn a_receipt_that_cannot_be_added_up_stops_nothing_else() {
    let check = |spoil: &dyn Fn(&mut sale::Receipt), expected: &str| {
        let mut shop = Shop::with_lanes("a");
        let mut a = Journal::of('a');
        let number = 2;
        let mut spoiled = receipt(
            CartId {
                lane: a.lane,
                number,
            },
            DAY,
            &[("1", 1000, 7)],
        );
        spoil(&mut spoiled);
        let entries = vec![
            a.sell(DAY, &[("1", 1000, 100)]),
            a.write(completed(spoiled)),
            a.sell(DAY, &[("1", 1000, 100)]),
        ];
        shop.apply(&Command::Ingest { entries });
        let exceptions = shop.view().exception_list().unwrap();
        assert_eq!(exceptions.len(), 1);
        assert_eq!(exceptions[0].kind, ExceptionKind::NotCounted);
        assert!(exceptions[0].message.contains(expected), "{exceptions:?}");
        let total = &shop.view().totals().unwrap()[0].2;
        assert_eq!((total.receipts, total.total), (2, 200));
    };
    let eur = Money::from_minor(7, Currency::EUR);
    check(&|receipt| receipt.totals.total = eur, "it is in EUR");
    check(&|receipt| receipt.totals.total = usd(i64::MAX), "too large");
    check(&|receipt| receipt.change = usd(i64::MIN), "too large");
}

#[test]
fn totals_are_added_whole_or_not_at_all() {
    let one = |minor| {
        let mut total = DayTotal::zero(Currency::USD);
        let number = 1;
        let cart = CartId {
            lane: lane('a'),
            number,
        };
        total
            .add_receipt(&receipt(cart, DAY, &[("1", 1000, minor)]))
            .unwrap();
        total
    };
    let mut sum = one(100);
    sum.add(&one(50)).unwrap();
    assert_eq!(
        (sum.receipts, sum.total, sum.tenders["cash"]),
        (2, 150, 150)
    );
    let before = sum.clone();
    assert_eq!(sum.add(&one(i64::MAX - 120)), Err(TotalError::TooLarge));
    let eur = DayTotal::zero(Currency::EUR);
    assert!(matches!(
        sum.add(&eur),
        Err(TotalError::OtherCurrency { .. })
    ));
    assert_eq!(sum, before);
}

proptest! {
    /// Whoever offers which stretch of whose journal when, and how often: once every journal was
    /// offered to its end, each lane's entries are there once and in order.
    #[test]
    fn any_offers_give_each_entry_once_and_in_order(
        offers in prop::collection::vec((0..3_usize, 0..9_usize, 1..6_usize), 0..40),
        split in prop::collection::vec(any::<bool>(), 40),
    ) {
        let journals: Vec<Journal> = "abc".chars().map(journal).collect();
        let mut shop = Shop::with_lanes("abc");
        let mut pending: Vec<Entry> = Vec::new();
        for ((who, from, count), end_of_command) in offers.into_iter().zip(split) {
            let entries = &journals[who].entries;
            pending.extend_from_slice(&entries[from..(from + count).min(entries.len())]);
            if end_of_command {
                let entries = std::mem::take(&mut pending);
                shop.apply(&Command::Ingest { entries });
            }
        }
        for journal in &journals {
            let entries = journal.entries.clone();
            shop.apply(&Command::Ingest { entries });
        }
        let mut taken: BTreeMap<LaneId, Vec<Entry>> = BTreeMap::new();
        for (expected, (global, entry)) in (1..).zip(shop.view().entries_after(0, 100).unwrap()) {
            prop_assert_eq!(expected, global);
            taken.entry(entry.lane).or_default().push(entry);
        }
        for journal in &journals {
            prop_assert_eq!(&taken[&journal.lane], &journal.entries);
        }
        prop_assert!(shop.exceptions().is_empty());
        let total: i64 = shop.view().totals().unwrap().iter().map(|t| t.2.total).sum();
        prop_assert_eq!(total, 3 * (101..=109).sum::<i64>());
    }
}
