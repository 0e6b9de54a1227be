//! Business days, sums of reports and suspended sales in the store's books.

use ledger::{Entry, ExceptionKind, Fact, LaneId};
use sale::{BusinessDay, Cart, CartId, CashMovement, Event, Phase};

use crate::shop::{DAY, Journal, Shop, at, lane, usd};

fn fact(event: Event) -> Fact {
    Fact::Register {
        event,
        request: None,
    }
}

fn ingest(shop: &mut Shop, entries: Vec<Entry>) {
    shop.apply(&ledger::Command::Ingest { entries });
}

fn cart(lane: LaneId) -> Cart {
    Cart {
        id: CartId { lane, number: 1 },
        book: catalog::BookVersion(1),
        day: BusinessDay(DAY.to_owned()),
        opened_at: at(),
        reference: None,
        lines: Vec::new(),
        customer: None,
        age_confirmed: 0,
        phase: Phase::Selling,
        tenders: Vec::new(),
        notes: Vec::new(),
        terms: Default::default(),
        kept: None,
    }
}

fn suspended(letter: char) -> Fact {
    fact(Event::Suspended {
        slip: "S1-1".to_owned(),
        open: Box::new(cart(lane(letter))),
        by: "101".into(),
        at: at(),
    })
}

fn resumed(letter: char) -> Fact {
    fact(Event::Resumed {
        slip: "S1-1".to_owned(),
        open: Box::new(cart(lane(letter))),
        by: "101".into(),
        at: at(),
    })
}

#[test]
fn a_suspended_sale_is_known_until_it_is_taken_up() {
    let mut shop = Shop::with_lanes("ab");
    let (mut a, mut b) = (Journal::of('a'), Journal::of('b'));
    ingest(&mut shop, vec![a.write(suspended('a'))]);
    let known = shop.view().suspended("S1-1").unwrap().unwrap();
    assert_eq!(known.open, Some(cart(lane('a'))));
    ingest(&mut shop, vec![b.write(resumed('a'))]);
    let known = shop.view().suspended("S1-1").unwrap().unwrap();
    assert_eq!((known.open, known.resumed_on), (None, Some(lane('b'))));
    assert_eq!(shop.exceptions(), []);
}

#[test]
fn a_sale_taken_up_before_its_suspension_arrives_stays_taken_up() {
    let mut shop = Shop::with_lanes("ab");
    let (mut a, mut b) = (Journal::of('a'), Journal::of('b'));
    ingest(&mut shop, vec![b.write(resumed('a'))]);
    ingest(&mut shop, vec![a.write(suspended('a'))]);
    let known = shop.view().suspended("S1-1").unwrap().unwrap();
    assert_eq!((known.open, known.resumed_on), (None, Some(lane('b'))));
}

#[test]
fn a_sale_that_two_lanes_took_up_is_put_before_a_person() {
    let mut shop = Shop::with_lanes("ab");
    let (mut a, mut b) = (Journal::of('a'), Journal::of('b'));
    ingest(
        &mut shop,
        vec![a.write(suspended('a')), b.write(resumed('a'))],
    );
    ingest(&mut shop, vec![a.write(resumed('a'))]);
    let expected = [(ExceptionKind::ResumedTwice, Some((lane('a'), 2)))];
    assert_eq!(shop.exceptions(), expected);
}

#[test]
fn days_and_sums_are_kept_by_lane() {
    let mut shop = Shop::with_lanes("ab");
    let (mut a, mut b) = (Journal::of('a'), Journal::of('b'));
    let day = BusinessDay("2026-11-26".to_owned());
    let by = || "103".into();
    let opened = a.write(fact(Event::DayOpened {
        day: day.clone(),
        by: by(),
        at: at(),
    }));
    let float = a.write(fact(Event::DrawerOpened {
        float: usd(10_000),
        by: by(),
        at: at(),
    }));
    let dropped = a.write(fact(Event::CashMoved {
        movement: CashMovement::Drop,
        amount: usd(2_000),
        reason: String::new(),
        by: by(),
        at: at(),
    }));
    let sold = a.sell("2026-11-26", &[("milk", 1000, 199)]);
    ingest(&mut shop, vec![opened, float, dropped, sold]);
    // A lane on which no day was opened follows the calendar.
    let voided = b.write(fact(Event::NoSale {
        reason: "change".to_owned(),
        by: by(),
        at: at(),
    }));
    ingest(&mut shop, vec![voided]);
    let tallies = shop.view().tallies(&day).unwrap();
    assert_eq!(tallies.len(), 1);
    assert_eq!(tallies[0].0, lane('a'));
    assert_eq!(tallies[0].1.cash(), 10_000 - 2_000 + 199);
    let today = BusinessDay(DAY.to_owned());
    let tallies = shop.view().tallies(&today).unwrap();
    assert_eq!(tallies.len(), 1);
    assert_eq!((tallies[0].0, tallies[0].1.no_sales), (lane('b'), 1));

    let state = shop.view().lane_day(lane('a')).unwrap();
    assert_eq!((state.open, state.closed), (Some(day.clone()), None));
    let closed = a.write(fact(Event::DayClosed {
        day: day.clone(),
        unshared_receipts: 1,
        by: by(),
        at: at(),
    }));
    ingest(&mut shop, vec![closed]);
    let state = shop.view().lane_day(lane('a')).unwrap();
    assert_eq!((state.open, state.closed), (None, Some(day)));
}
