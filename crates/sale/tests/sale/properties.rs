//! What holds after any commands at all.

use std::collections::BTreeMap;

use catalog::ItemId;
use proptest::prelude::*;
use sale::{Event, Phase, Refusal, Register, Tally, evolve, price};
use testkit::sums::{assert_adds_up, assert_balances};

use crate::shop::Lane;

/// What people and machines may send, sensible and not.
const COMMANDS: [&str; 87] = [
    "in 101 1111",
    "in 102 1111",
    "in 102 1111",
    "in 101 2222",
    "out",
    "open",
    "open b-9",
    "scan 4006381333931",
    "scan 4006381333931",
    "scan 4006381333931 x 7",
    "scan 4006381333931 x 100000",
    "scan 4011",
    "scan 4011 x 0.455",
    "scan yogurt",
    "scan yogurt",
    "scan yogurt x 3",
    "scan book",
    "scan bread",
    "scan 036000291452",
    "scan 036000291452 x 24",
    "scan 96385074",
    "scan 2112345006789",
    "scan 2312345004550",
    "scan gold x 2",
    "scan nothing",
    "line 1 x 2",
    "line 2 x 100000",
    "line 3 x 0.25",
    "void 1",
    "void 2",
    "price 1 0.01",
    "price 2 99999999.99",
    "age 21",
    "customer 700",
    "cash",
    "cash 1",
    "cash 50",
    "cash 100000",
    "take back",
    "void sale",
    "drawer 100",
    "drop 20",
    "pay in 5 change",
    "pay out 3 stamps",
    "count 20x4 0.25x10",
    "no sale change",
    "suspend",
    "resume S3-1",
    "scan S3-2",
    "note gift",
    "note 1 gift",
    "tax 1 food why",
    "103: z",
    "103: open day",
    "103: close day",
    "assign 101",
    "102: price 1 1.00",
    "return 3-000001 1",
    "return 3-000001 1 x 1",
    "return 3-000002 2",
    "with voucher V-1 5",
    "with cheque 7 1",
    "with account",
    "with credit -",
    "with credit C3-000002 0.50",
    "untender 1",
    "scan pen x 3",
    "scan coat",
    "scan maple x 2",
    "customer 702",
    "sell gift at 4.50",
    "sell phone no SN-1",
    "sell phone no SN-2",
    "scan water x 3",
    "scan crate",
    "scan hamper",
    "scan nuts x 0.250",
    "line 1 x 0.1",
    "line 2 x 5",
    "void 3",
    "born 1999-12-31",
    "103: stock receive yogurt x 10 D-1",
    "103: stock count yogurt x 8",
    "103: stock adjust pen x -2 broken",
    "103: stock out pen x 1 north",
    "103: back yogurt x 2 by ID-7 why sour",
    "103: back hamper by ID-8 damaged why wet",
];

fn fold(events: &[Event]) -> Register {
    let mut register = Register::default();
    events.iter().for_each(|event| evolve(&mut register, event));
    register
}

/// An event as it comes back from a journal, and from the API.
fn read_back(event: &Event) -> (Event, Event) {
    let cbor = cbor4ii::serde::to_vec(Vec::new(), event).unwrap();
    let json = serde_json::to_string(event).unwrap();
    (
        cbor4ii::serde::from_slice(&cbor).unwrap(),
        serde_json::from_str(&json).unwrap(),
    )
}

fn check_register(lane: &Lane) {
    assert_eq!(lane.register, fold(&lane.journal), "the state is the fold");
    check_cash(lane);
    let Some(cart) = &lane.register.cart else {
        return;
    };
    assert!(lane.register.cashier.is_some(), "no cart without a cashier");
    let totals = lane.totals();
    assert_adds_up(&totals);
    assert_eq!(totals, lane.totals(), "the same cart costs the same again");
    match cart.phase {
        Phase::Selling => assert!(cart.tenders.is_empty()),
        Phase::Paying { at, due } => {
            let currency = due.currency();
            assert_eq!(price(cart, &lane.promotions, at, currency).total, due);
            let paid = cart.paid().unwrap();
            let open = if due.is_negative() {
                paid > due
            } else {
                paid < due
            };
            assert!(open, "else it is done");
        }
    }
}

/// What should be in the drawer is the sum of the facts about cash since it was opened.
fn check_cash(lane: &Lane) {
    let Some(drawer) = &lane.register.drawer else {
        return;
    };
    let opened = |event: &Event| matches!(event, Event::DrawerOpened { .. });
    let since = lane.journal.iter().rposition(opened).unwrap();
    let mut facts = Tally::default();
    lane.journal[since..]
        .iter()
        .for_each(|event| facts.add(event));
    assert_eq!(drawer.cash_minor, facts.cash());
}

/// Each Z is the sum of what was reported of its period before, however that was divided: here where
/// `cuts` say, counted in thousandths of the period.
fn check_reports(lane: &Lane, cuts: &[usize]) {
    let is_z = |event: &Event| matches!(event, Event::ReportedZ { .. });
    let mut periods = lane.journal.split_inclusive(is_z).peekable();
    while let Some(period) = periods.next() {
        let (report, facts) = match period.split_last() {
            Some((Event::ReportedZ { report, .. }, facts)) => (report.as_ref(), facts),
            // The last one is still open: what an X would say.
            _ => (lane.register.period.as_ref(), period),
        };
        let mut bounds: Vec<usize> = cuts.iter().map(|cut| facts.len() * cut / 1000).collect();
        bounds.extend([0, facts.len()]);
        bounds.sort_unstable();
        let mut sum = Tally::default();
        for part in bounds.windows(2) {
            let mut x = Tally::default();
            facts[part[0]..part[1]]
                .iter()
                .for_each(|event| x.add(event));
            sum.merge(&x);
        }
        assert_eq!(sum, *report);
        assert!(is_z(&period[period.len() - 1]) || periods.peek().is_none());
    }
}

/// Stock is what came in and was counted, less what was sold, and what came back to it; a kit is its
/// parts. Worked out here from the receipts.
fn check_stock(lane: &Lane) {
    let mut stock: BTreeMap<&str, i64> = BTreeMap::new();
    for event in &lane.journal {
        let receipt = match event {
            Event::StockMoved { item, milli, .. } => {
                *stock.entry(&item.0).or_default() += milli;
                continue;
            }
            Event::Completed { receipt, .. } => receipt,
            _ => continue,
        };
        for line in &receipt.lines {
            let back = line.detail.returned.as_ref();
            let milli = match back {
                None => -line.quantity.milli(),
                Some(of) if of.restock => line.quantity.milli(),
                Some(_) => 0,
            };
            if line.detail.kit.is_empty() {
                *stock.entry(&line.item.0).or_default() += milli;
            }
            for part in &line.detail.kit {
                *stock.entry(&part.item.0).or_default() += milli / 1000 * part.milli;
            }
        }
    }
    let known = |item: &str| lane.shared.stock_milli.get(&ItemId::from(item)).copied();
    for (item, milli) in stock {
        assert_eq!(known(item).unwrap_or(0), milli, "{item}");
    }
}

proptest! {
    #[test]
    fn any_commands_leave_a_register_that_adds_up(
        commands in prop::collection::vec(prop::sample::select(&COMMANDS[..]), 0..80),
        cuts in prop::collection::vec(0_usize..1000, 0..4),
    ) {
        let mut lane = Lane::after("in 102 1111");
        let mut receipts = 0;
        for command in commands {
            let before = lane.register.clone();
            match lane.submit(command) {
                Ok(events) => {
                    for event in &events {
                        let (cbor, json) = read_back(event);
                        prop_assert_eq!(&cbor, event);
                        prop_assert_eq!(&json, event);
                        if let Event::Completed { receipt, .. } = event {
                            receipts += 1;
                            assert_balances(receipt);
                            prop_assert_eq!(&receipt.id, &format!("3-{receipts:06}"));
                        }
                    }
                }
                Err(refusal) => {
                    let mut expected = before;
                    expected.wrong_pins = lane.register.wrong_pins.clone();
                    prop_assert_eq!(&lane.register, &expected);
                    let json = serde_json::to_string(&refusal).unwrap();
                    prop_assert_eq!(serde_json::from_str::<Refusal>(&json).unwrap(), refusal);
                }
            }
            check_register(&lane);
        }
        prop_assert_eq!(lane.register.receipts, receipts);
        check_reports(&lane, &cuts);
        check_stock(&lane);
    }

    /// Two carts with the same lines in another order cost the same: no rounding and no promotion
    /// depends on who comes first.
    #[test]
    fn the_order_of_scanning_does_not_change_the_total(
        scans in prop::sample::subsequence(
            vec![
                "scan 4006381333931", "scan yogurt", "scan yogurt x 2", "scan book", "scan pen x 3",
                "scan 036000291452 x 3", "scan 4011 x 0.455", "scan 2112345006789", "scan bread",
            ],
            1..8,
        ).prop_shuffle(),
    ) {
        let mut sorted = scans.clone();
        sorted.sort_unstable();
        let total = |scans: &[&str]| {
            Lane::after(&format!("in 101 1111 / {}", scans.join(" / "))).totals().total
        };
        prop_assert_eq!(total(&scans), total(&sorted));
    }

    /// Events that do not fit change nothing and break nothing: a damaged journal must not stop a
    /// lane from starting.
    #[test]
    fn no_order_of_events_makes_folding_panic(picks in prop::collection::vec(any::<prop::sample::Index>(), 0..60)) {
        let mut lane = Lane::after("in 102 1111 / scan yogurt x 3 / age 21 / scan 96385074 / line 1 x 2");
        lane.all("price 2 1.00 / customer 700 / cash 1 / take back / void 1 / cash 50");
        lane.all("scan book / void sale / out");
        let mixed: Vec<Event> = picks.iter().map(|pick| pick.get(&lane.journal).clone()).collect();
        let register = fold(&mixed);
        prop_assert!(register.receipts <= mixed.len() as u64);
    }
}
