//! What head office publishes: taken once and in order, whatever is proposed how often; and what of it a
//! store cannot use is before a person.

use catalog::{BookVersion, ItemId, Record, Reference};
use ledger::{
    Command, ExceptionKind, FORMAT_PUBLICATIONS, Outcome, PUBLICATIONS_KEPT, TakenPublication,
    stored_hash,
};
use money::{Currency, Money};

use crate::shop::{Shop, creation, item};

fn publication(number: u64, after: u64, records: Vec<Record>) -> Command {
    Command::Publish {
        number,
        after,
        author: "head office".to_owned(),
        records,
        left_out: Vec::new(),
    }
}

fn milk(cents: i64) -> Record {
    Record::Item(item("milk", cents, &[]))
}

fn price(shop: &Shop, id: &str) -> Option<i64> {
    let item = shop.view().item(&ItemId::from(id));
    item.map(|item| item.price.minor())
}

#[test]
fn a_publication_is_taken_once_and_only_behind_the_one_before() {
    let mut shop = Shop::with_lanes("ab");
    let mut check = |number, after, cents, taken: bool, last: u64| {
        let before = stored_hash(&shop.tables).unwrap();
        let outcome = shop.apply(&publication(number, after, vec![milk(cents)]));
        let what = format!("{number} after {after}");
        assert_eq!(matches!(outcome, Outcome::Changed { .. }), taken, "{what}");
        let is_same = stored_hash(&shop.tables).unwrap() == before;
        assert_eq!(is_same, !taken, "{what}: what is refused changes nothing");
        assert_eq!(shop.view().published().unwrap().last, last, "{what}");
        price(&shop, "milk")
    };
    assert_eq!(check(2, 1, 100, false, 0), None, "a gap");
    assert_eq!(check(0, 0, 100, false, 0), None, "numbers begin at 1");
    assert_eq!(check(1, 0, 100, true, 1), Some(100));
    assert_eq!(check(1, 0, 100, false, 1), Some(100), "the answer was lost");
    assert_eq!(check(1, 1, 100, false, 1), Some(100));
    // Publication 2 was for other stores.
    assert_eq!(check(3, 1, 110, true, 3), Some(110));
    assert_eq!(check(1, 0, 100, false, 3), Some(110), "an old leader");
    assert_eq!(check(4, 3, 120, true, 4), Some(120));
}

#[test]
fn of_head_office_and_a_manager_the_later_one_in_the_log_is_in_force() {
    let mut shop = Shop::with_lanes("a");
    shop.change(vec![milk(100)]);
    shop.apply(&publication(1, 0, vec![milk(90)]));
    assert_eq!(price(&shop, "milk"), Some(90));
    assert_eq!(shop.change(vec![milk(95)]), BookVersion(3));
    assert_eq!(price(&shop, "milk"), Some(95));
    let recent = shop.view().published().unwrap().recent;
    let version = BookVersion(2);
    assert_eq!(recent, [TakenPublication { number: 1, version }]);
}

#[test]
fn what_a_store_cannot_use_is_before_a_person_and_blocks_nothing() {
    let mut shop = Shop::with_lanes("a");
    let mut foreign = item("wine", 700, &[]);
    foreign.price = Money::from_minor(700, Currency::EUR);
    shop.apply(&Command::Publish {
        number: 1,
        after: 0,
        author: "head office".to_owned(),
        records: vec![milk(100), Record::Item(foreign), milk(105)],
        left_out: vec!["A record is of a later release.".to_owned()],
    });
    assert_eq!(price(&shop, "milk"), Some(105));
    assert_eq!(price(&shop, "wine"), None);
    assert_eq!(shop.exceptions(), [(ExceptionKind::NotPublished, None)]);
    let message = shop.view().exception_list().unwrap()[0].message.clone();
    let parts = ["publication 1: 2 of its 4 records", "later release", "wine"];
    assert!(parts.iter().all(|part| message.contains(part)), "{message}");
    shop.apply(&publication(2, 1, vec![milk(110)]));
    assert_eq!(price(&shop, "milk"), Some(110));
    assert_eq!(shop.exceptions().len(), 1);
}

#[test]
fn while_a_lane_cannot_read_publications_none_is_taken() {
    let mut commands = creation("a");
    let Command::CreateStore { reads, .. } = &mut commands[0] else {
        panic!("a store is created first");
    };
    *reads = FORMAT_PUBLICATIONS - 1;
    let mut shop = Shop::default();
    shop.apply(&commands[0]);
    let before = stored_hash(&shop.tables).unwrap();
    let outcome = shop.apply(&publication(1, 0, vec![milk(100)]));
    assert!(matches!(outcome, Outcome::Refused { .. }), "{outcome:?}");
    assert_eq!(stored_hash(&shop.tables).unwrap(), before);
}

#[test]
fn a_store_remembers_so_many_publications_and_no_more() {
    let mut shop = Shop::with_lanes("a");
    let all = PUBLICATIONS_KEPT as u64 + 3;
    for number in 1..=all {
        shop.apply(&publication(number, number - 1, vec![milk(number as i64)]));
    }
    let published = shop.view().published().unwrap();
    assert_eq!(published.last, all);
    let kept = published.recent.iter().map(|taken| taken.number);
    assert!(kept.eq(4..=all));
}
