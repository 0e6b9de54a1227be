//! Goods that come back without a receipt and stock that is moved, in the store's books and in the
//! journal.

use catalog::{Record, Settings, UnreceiptedReturns};
use expect_test::expect_file;
use ledger::{Command, Entry, EntryBody, ExceptionKind};
use money::Money;
use sale::{CartId, Event, Line, LineTotal, Receipt, ReturnOf, Returner, StockWork, Unreceipted};

use crate::golden::{body_of, check_read, later_cart, of_register, sealed, written};
use crate::shop::{DAY, Journal, Shop, at, completed, lane, line, receipt, usd};

/// A line that takes a milk back without a receipt.
fn unreceipted(from: Returner, amount: Money, restock: bool) -> Line {
    let mut line = line(1, "milk", 1000, amount);
    let zero = usd(0);
    line.detail.returned = Some(Box::new(ReturnOf {
        receipt: String::new(),
        line: 0,
        before_milli: 0,
        cost: LineTotal {
            line: 1,
            extended: -amount,
            discount: zero,
            deposit: zero,
            tax: zero,
            promotions: Vec::new(),
            tax_detail: Default::default(),
        },
        reason: "sour".to_owned(),
        restock,
        unreceipted: Some(Box::new(Unreceipted {
            from,
            by: "103".into(),
        })),
    }));
    line
}

fn document() -> Returner {
    Returner::Document {
        note: "passport C01X0006H".to_owned(),
    }
}

fn grace() -> Returner {
    Returner::Customer {
        customer: "700".into(),
    }
}

/// A receipt on lane `a` that gives so much back.
fn given(number: u64, day: &str, from: Returner, minor: i64) -> Receipt {
    let cart = CartId {
        lane: lane('a'),
        number,
    };
    let mut receipt = receipt(cart, day, &[]);
    receipt.lines = vec![unreceipted(from, usd(minor), true)];
    receipt
}

fn ingest(shop: &mut Shop, entries: Vec<Entry>) {
    shop.apply(&Command::Ingest { entries });
}

#[test]
fn what_is_given_back_without_a_receipt_is_counted_by_person_and_day() {
    let mut shop = Shop::with_lanes("ab");
    let (mut a, mut b) = (Journal::of('a'), Journal::of('b'));
    let entries = [
        a.write(completed(given(1, DAY, grace(), 4000))),
        b.write(completed(given(2, DAY, grace(), 2000))),
        b.write(completed(given(3, "2026-11-28", grace(), 3000))),
        b.write(completed(given(4, DAY, document(), 500))),
    ];
    for entry in entries {
        ingest(&mut shop, vec![entry]);
    }
    let check = |day: &str, from: Returner, expected: i64| {
        let day = sale::BusinessDay(day.to_owned());
        let sum = shop.view().unreceipted_minor(&day, &from.key());
        assert_eq!(sum.unwrap(), expected, "{day} {from:?}");
    };
    check(DAY, grace(), 6000);
    check("2026-11-28", grace(), 3000);
    check(DAY, document(), 500);
    let other_writing = Returner::Document {
        note: "PASSPORT c01x-0006h".to_owned(),
    };
    check(DAY, other_writing, 500);
    assert_eq!(shop.exceptions(), []);
    // They are returns of no receipt, and go back to stock.
    assert_eq!(shop.view().receipt("").unwrap(), None);
    let stock = shop.view().stock_milli(&"milk".into()).unwrap();
    assert_eq!(stock, 4000);
}

#[test]
fn more_than_a_day_may_come_to_goes_to_a_person_once() {
    let mut shop = Shop::with_lanes("ab");
    let limits = UnreceiptedReturns {
        day_max_minor: 5000,
        ..UnreceiptedReturns::default()
    };
    shop.apply(&Command::Reference {
        author: "manager".to_owned(),
        records: vec![Record::Settings(Settings {
            unreceipted_returns: limits,
            ..Settings::default()
        })],
    });
    // Two lanes that could not reach each other.
    let (mut a, mut b) = (Journal::of('a'), Journal::of('b'));
    let entries = [
        a.write(completed(given(1, DAY, grace(), 5000))),
        b.write(completed(given(2, DAY, grace(), 1))),
        b.write(completed(given(3, DAY, grace(), 1))),
    ];
    for entry in entries {
        ingest(&mut shop, vec![entry]);
    }
    let expected = (ExceptionKind::ReturnedOverLimit, Some((lane('b'), 1)));
    assert_eq!(shop.exceptions(), [expected]);
    let list = shop.view().exception_list().unwrap();
    let words = "50.01 was given back without a receipt to customer/700 on 2026-11-27, where 50.00";
    assert!(list[0].message.starts_with(words), "{}", list[0].message);
}

fn moved(work: StockWork, milli: i64) -> Event {
    Event::StockMoved {
        item: "milk".into(),
        code: "4006381333931".to_owned(),
        work,
        milli,
        before_milli: Some(2000),
        by: "102".into(),
        at: at(),
    }
}

fn stock_works() -> [StockWork; 5] {
    let word = || "north".to_owned();
    [
        StockWork::Receive {
            reference: Some("D-1".to_owned()),
        },
        StockWork::Count,
        StockWork::Adjust { reason: word() },
        StockWork::TransferIn { from: word() },
        StockWork::TransferOut { to: word() },
    ]
}

#[test]
fn stock_that_is_moved_is_in_stock_in_whatever_order() {
    let movements: Vec<Event> = stock_works()
        .into_iter()
        .zip([10_000, -500, -2000, 3000, -1000])
        .map(|(work, milli)| moved(work, milli))
        .collect();
    let stock_after = |movements: &mut dyn Iterator<Item = &Event>| {
        let mut shop = Shop::with_lanes("a");
        let mut a = Journal::of('a');
        assert_eq!(shop.view().stock_known(&"milk".into()).unwrap(), None);
        for event in movements {
            let (event, request) = (event.clone(), None);
            let entry = a.write(ledger::Fact::Register { event, request });
            ingest(&mut shop, vec![entry]);
        }
        ingest(&mut shop, vec![a.sell(DAY, &[("milk", 1000, 99)])]);
        assert_eq!(shop.exceptions(), []);
        let page = shop.view().stock_after(None, 10).unwrap();
        assert_eq!(page.len(), 1);
        assert_eq!(
            shop.view().stock_after(Some(&"milk".into()), 10).unwrap(),
            []
        );
        page[0].1
    };
    assert_eq!(stock_after(&mut movements.iter()), 8500);
    assert_eq!(stock_after(&mut movements.iter().rev()), 8500);
}

/// A training with a sale in it.
fn training() -> Vec<Event> {
    let by = || "102".into();
    let cart = CartId {
        lane: lane('a'),
        number: 1,
    };
    let mut receipt = receipt(cart, DAY, &[("milk", 1000, 99)]);
    receipt.id = "T1-000001".to_owned();
    receipt.detail.training = true;
    let receipt = Box::new(receipt);
    let event = Box::new(Event::Completed { cart, receipt });
    vec![
        Event::TrainingBegun { by: by(), at: at() },
        Event::Training { event },
        Event::TrainingEnded { by: by(), at: at() },
    ]
}

#[test]
fn a_training_leaves_the_books_as_they_are() {
    let mut shop = Shop::with_lanes("a");
    let mut a = Journal::of('a');
    ingest(&mut shop, vec![a.sell(DAY, &[("milk", 1000, 99)])]);
    let figures = |shop: &Shop| {
        let view = shop.view();
        let day = sale::BusinessDay(DAY.to_owned());
        (
            view.totals().unwrap(),
            view.tallies(&day).unwrap(),
            view.stock_after(None, 10).unwrap(),
            view.receipt("T1-000001").unwrap(),
            shop.exceptions(),
        )
    };
    let before = figures(&shop);
    for event in training() {
        let request = None;
        let entry = a.write(ledger::Fact::Register { event, request });
        ingest(&mut shop, vec![entry]);
    }
    assert_eq!(figures(&shop), before);
    assert_eq!(shop.view().entries().unwrap(), 4);
}

/// What format 12 added: goods that come back without a receipt, stock that is moved, training.
fn events() -> Vec<Event> {
    let mut open = later_cart();
    let cart = open.id;
    open.lines = vec![unreceipted(document(), usd(99), false)];
    let mut receipt = receipt(cart, DAY, &[]);
    receipt.lines = vec![unreceipted(grace(), usd(99), true)];
    let mut events = vec![
        Event::LineAdded {
            cart,
            line: unreceipted(document(), usd(99), true),
        },
        Event::Suspended {
            slip: "S1-1".to_owned(),
            open: Box::new(open.clone()),
            by: "103".into(),
            at: at(),
        },
        Event::Resumed {
            slip: "S1-1".to_owned(),
            open: Box::new(open),
            by: "103".into(),
            at: at(),
        },
        Event::Completed {
            cart,
            receipt: Box::new(receipt),
        },
    ];
    let works = stock_works().into_iter();
    events.extend(works.map(|work| moved(work, -1500)));
    events.extend(training());
    events
}

fn bodies() -> Vec<(&'static str, EntryBody)> {
    sealed(events().into_iter().map(of_register).collect())
}

#[test]
fn entries_of_format_12_are_read() {
    check_read(include_str!("../golden/entries-12.txt"), &bodies(), body_of);
}

#[test]
fn what_earlier_formats_cannot_say_is_written_in_format_12() {
    let text = written(&bodies(), |body| Entry::seal(body).bytes);
    expect_file!["../golden/entries-12.txt"].assert_eq(&text);
    assert!(bodies().iter().all(|(_, body)| body.v == 12));
}
