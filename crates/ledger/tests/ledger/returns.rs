//! What comes back, credit notes, used coupons and what customers bought, in the store's books.

use ledger::{Command, Entry, ExceptionKind, FORMAT_BOUGHT, Fact};
use sale::{
    CardAnswer, CardApproval, CardAsk, CardPaid, CardSource, CardTransaction, CardWork, CartId,
    Event, HandedCoupon, LineTotal, PointsTotal, PromotionTotal, Receipt, ReturnOf, Tender,
    gift_card_key, points_key,
};

use crate::shop::{DAY, Journal, Shop, at, completed, creation, lane, receipt, usd};

/// A receipt of two milks on lane `a`.
fn sold(id: &str) -> Receipt {
    let cart = CartId {
        lane: lane('a'),
        number: 1,
    };
    let mut receipt = receipt(cart, DAY, &[("milk", 2000, 198)]);
    receipt.id = id.to_owned();
    receipt
}

/// A receipt that takes so much of it back.
fn back(id: &str, milli: i64, restock: bool) -> Receipt {
    let cart = CartId {
        lane: lane('b'),
        number: 1,
    };
    let mut receipt = receipt(cart, DAY, &[("milk", milli, 99)]);
    receipt.id = id.to_owned();
    receipt.lines[0].detail.returned = Some(Box::new(ReturnOf {
        receipt: "1-000001".to_owned(),
        line: 1,
        before_milli: 0,
        cost: LineTotal {
            line: 1,
            extended: usd(-99),
            discount: usd(0),
            deposit: usd(0),
            tax: usd(0),
            promotions: Vec::new(),
            tax_detail: Default::default(),
        },
        reason: "does not fit".to_owned(),
        restock,
        unreceipted: None,
    }));
    receipt
}

fn ingest(shop: &mut Shop, entries: Vec<Entry>) {
    shop.apply(&ledger::Command::Ingest { entries });
}

fn stock(shop: &Shop) -> i64 {
    shop.view().stock_milli(&"milk".into()).unwrap()
}

#[test]
fn stock_and_returns_follow_the_receipts() {
    let mut shop = Shop::with_lanes("ab");
    let (mut a, mut b) = (Journal::of('a'), Journal::of('b'));
    ingest(&mut shop, vec![a.write(completed(sold("1-000001")))]);
    assert_eq!(stock(&shop), -2000);
    ingest(
        &mut shop,
        vec![b.write(completed(back("2-000001", 1000, true)))],
    );
    assert_eq!(stock(&shop), -1000);
    ingest(
        &mut shop,
        vec![b.write(completed(back("2-000002", 1000, false)))],
    );
    assert_eq!(stock(&shop), -1000);
    let record = shop.view().receipt("1-000001").unwrap().unwrap();
    assert_eq!((record.entry, record.returned_milli[&1]), (Some(1), 2000));
    assert_eq!(shop.exceptions(), []);
}

#[test]
fn the_parts_of_a_kit_leave_stock_and_come_back() {
    let mut shop = Shop::with_lanes("ab");
    let (mut a, mut b) = (Journal::of('a'), Journal::of('b'));
    let part = |item: &str, milli| catalog::KitPart {
        item: item.into(),
        milli,
    };
    let kit = vec![part("milk", 2000), part("nuts", 500)];
    let mut receipt = sold("1-000001");
    receipt.lines[0].item = "hamper".into();
    receipt.lines[0].detail.kit.clone_from(&kit);
    let mut steps = vec![(a.write(completed(receipt)), [0, -4000, -1000])];
    for (id, restock, expected) in [
        ("2-000001", true, [0, -2000, -500]),
        ("2-000002", false, [0, -2000, -500]),
    ] {
        let mut receipt = back(id, 1000, restock);
        receipt.lines[0].item = "hamper".into();
        receipt.lines[0].detail.kit.clone_from(&kit);
        steps.push((b.write(completed(receipt)), expected));
    }
    for (entry, expected) in steps {
        assert_eq!(entry.body().unwrap().v, 5);
        ingest(&mut shop, vec![entry]);
        let stock = |item: &str| shop.view().stock_milli(&item.into()).unwrap();
        assert_eq!(["hamper", "milk", "nuts"].map(stock), expected);
    }
    assert_eq!(shop.exceptions(), []);
}

#[test]
fn what_two_lanes_took_back_is_put_before_a_person() {
    let mut shop = Shop::with_lanes("ab");
    let (mut a, mut b) = (Journal::of('a'), Journal::of('b'));
    ingest(&mut shop, vec![a.write(completed(sold("1-000001")))]);
    ingest(
        &mut shop,
        vec![b.write(completed(back("2-000001", 2000, true)))],
    );
    ingest(
        &mut shop,
        vec![a.write(completed(back("1-000002", 1000, true)))],
    );
    let expected = [(ExceptionKind::ReturnedTwice, Some((lane('a'), 2)))];
    assert_eq!(shop.exceptions(), expected);
}

#[test]
fn a_return_may_come_before_its_receipt() {
    let check = |milli: i64, expected: usize| {
        let mut shop = Shop::with_lanes("ab");
        let (mut a, mut b) = (Journal::of('a'), Journal::of('b'));
        ingest(
            &mut shop,
            vec![b.write(completed(back("2-000001", milli, true)))],
        );
        assert_eq!(shop.exceptions(), []);
        ingest(&mut shop, vec![a.write(completed(sold("1-000001")))]);
        assert_eq!(shop.exceptions().len(), expected, "{milli}");
        assert_eq!(stock(&shop), milli - 2000);
    };
    check(1000, 0);
    check(2000, 0);
    check(3000, 1);
}

#[test]
fn credit_notes_are_made_and_spent() {
    let mut shop = Shop::with_lanes("ab");
    let mut a = Journal::of('a');
    let mut credit = |shop: &mut Shop, minor: i64| {
        let mut receipt = sold("1-000001");
        receipt.tenders = vec![Tender::StoreCredit {
            number: "C1-1".to_owned(),
            amount: usd(minor),
        }];
        ingest(shop, vec![a.write(completed(receipt))]);
        shop.view().credit_minor("C1-1").unwrap()
    };
    assert_eq!(shop.view().credit_minor("C1-1").unwrap(), None);
    assert_eq!(credit(&mut shop, -500), Some(500));
    assert_eq!(credit(&mut shop, 300), Some(200));
    assert_eq!(shop.exceptions(), []);
    assert_eq!(credit(&mut shop, 300), Some(-100));
    let expected = [(ExceptionKind::CreditOverspent, Some((lane('a'), 3)))];
    assert_eq!(shop.exceptions(), expected);
    // Only a damaged receipt says that.
    assert_eq!(credit(&mut shop, i64::MIN), Some(i64::MAX - 100));
}

#[test]
fn gift_cards_are_loaded_and_spent() {
    let mut shop = Shop::with_lanes("ab");
    let mut a = Journal::of('a');
    let mut pay = |shop: &mut Shop, number: &str, minor: i64| {
        let mut receipt = sold("1-000001");
        receipt.tenders = vec![Tender::GiftCard {
            number: number.to_owned(),
            amount: usd(minor),
            left: usd(0),
        }];
        ingest(shop, vec![a.write(completed(receipt))]);
        let key = gift_card_key(number);
        shop.view().credit_minor(&key).unwrap()
    };
    let mut receipt = sold("1-000001");
    receipt.lines[0].detail.gift_card = Some("G-1".to_owned());
    let loaded = receipt.lines[0].unit_price.minor();
    let mut b = Journal::of('b');
    ingest(&mut shop, vec![b.write(completed(receipt))]);
    assert_eq!(pay(&mut shop, "G-1", loaded - 1), Some(1));
    assert_eq!(pay(&mut shop, "G-1", -1), Some(2));
    assert_eq!(shop.view().credit_minor("G-1").unwrap(), None);
    assert_eq!(shop.exceptions(), []);
    assert_eq!(pay(&mut shop, "G-1", 3), Some(-1));
    let expected = [(ExceptionKind::CreditOverspent, Some((lane('a'), 3)))];
    assert_eq!(shop.exceptions(), expected);
    let told = shop.view().exception_list().unwrap()[0].message.clone();
    assert!(told.starts_with("Gift card G-1 was spent"), "{told}");
}

fn refunded(id: &str, tender: u32, minor: i64) -> Receipt {
    let mut receipt = back(id, 500, true);
    receipt.tenders = vec![Tender::Card {
        amount: usd(-minor),
        card: Box::new(CardPaid {
            number: 3,
            terminal: "POI-1".to_owned(),
            approval: CardApproval {
                amount: usd(minor),
                tip: None,
                transaction: transaction(),
                brand: None,
                last_four: None,
                token: None,
                approval_code: None,
                offline: false,
            },
            refund_of: Some(CardSource {
                receipt: "1-000001".to_owned(),
                tender,
            }),
        }),
    }];
    receipt
}

fn transaction() -> CardTransaction {
    CardTransaction {
        id: "t-1".to_owned(),
        time: "2026-11-27T10:00:00Z".to_owned(),
    }
}

#[test]
fn what_goes_back_to_a_card_is_counted_by_tender() {
    let mut shop = Shop::with_lanes("ab");
    let (mut a, mut b) = (Journal::of('a'), Journal::of('b'));
    // A refund may come before the receipt that it is of.
    let steps = [
        b.write(completed(refunded("2-000001", 1, 40))),
        a.write(completed(sold("1-000001"))),
        b.write(completed(refunded("2-000002", 1, 9))),
        b.write(completed(refunded("2-000003", 2, 50))),
    ];
    for entry in steps {
        ingest(&mut shop, vec![entry]);
    }
    let record = shop.view().receipt("1-000001").unwrap().unwrap();
    assert_eq!(record.refunded_minor, [(1, 49), (2, 50)].into());
    assert_eq!(record.entry, Some(2));
    assert_eq!(shop.exceptions(), []);
}

#[test]
fn a_card_payment_in_doubt_and_what_became_of_it_go_to_a_person() {
    let pay = CardWork::Pay {
        amount: usd(1200),
        tip: Some(usd(100)),
    };
    let refund = CardWork::Refund {
        amount: usd(1200),
        of: CardSource {
            receipt: "1-000001".to_owned(),
            tender: 1,
        },
        original: transaction(),
    };
    let reverse = CardWork::Reverse {
        amount: usd(1300),
        original: transaction(),
        tender: None,
    };
    let approved = || {
        let Tender::Card { card, .. } = refunded("2-000001", 1, 1300).tenders.remove(0) else {
            unreachable!("it was made as one")
        };
        let approval = Box::new(card.approval);
        CardAnswer::Approved { approval }
    };
    let reason = || "no answer".to_owned();
    let declined = || CardAnswer::Declined { reason: reason() };
    let check = |work: &CardWork, left: &str, approved_says: &str, declined_says: &str| {
        let mut shop = Shop::with_lanes("a");
        let mut a = Journal::of('a');
        let ask = Box::new(CardAsk {
            number: 7,
            cart: CartId {
                lane: lane('a'),
                number: 1,
            },
            terminal: "POI-1".to_owned(),
            work: work.clone(),
            by: "101".into(),
            at: at(),
        });
        let answered = |answer, late| Event::CardAnswered {
            ask: ask.clone(),
            answer,
            late,
            at: at(),
        };
        let doubtful = CardAnswer::Doubtful { reason: reason() };
        let events = [
            Event::CardAsked { ask: ask.clone() },
            // In time, the answer is on the receipt or of no account.
            answered(approved(), false),
            answered(declined(), false),
            answered(doubtful.clone(), false),
            Event::CardLeft {
                ask: ask.clone(),
                doubt: reason(),
                reason: "closing time".to_owned(),
                by: "102".into(),
                at: at(),
            },
            answered(doubtful, true),
            answered(approved(), true),
            answered(declined(), true),
        ];
        let entries = events.into_iter().map(|event| {
            let request = None;
            a.write(Fact::Register { event, request })
        });
        ingest(&mut shop, entries.collect());
        let told = |seq| Some((lane('a'), seq));
        let expected = [
            (ExceptionKind::CardInDoubt, told(5)),
            (ExceptionKind::CardFound, told(7)),
            (ExceptionKind::CardFound, told(8)),
        ];
        assert_eq!(shop.exceptions(), expected);
        let list = shop.view().exception_list().unwrap();
        for (exception, words) in list.iter().zip([left, approved_says, declined_says]) {
            assert!(exception.message.contains(words), "{}", exception.message);
        }
    };
    check(
        &pay,
        "whether a card was charged 12.00 and a tip of 1.00 (no answer)",
        "the terminal is asked to take it back",
        "Nothing is left to do",
    );
    check(
        &refund,
        "whether 12.00 went back to the card of receipt 1-000001 (no answer)",
        "check whether the customer was given it another way",
        "Nothing is left to do",
    );
    check(
        &reverse,
        "whether a charge of 13.00 was taken back (no answer)",
        "Nothing is left to do",
        "does not take the charge of 13.00 back (no answer)",
    );
}

#[test]
fn a_coupon_with_a_number_is_used_once_in_the_store() {
    let mut shop = Shop::with_lanes("ab");
    let (mut a, mut b) = (Journal::of('a'), Journal::of('b'));
    let used = |id: &str, serial: Option<&str>| {
        let mut receipt = sold(id);
        receipt.detail.coupons_used = vec![HandedCoupon {
            code: "SPRING".to_owned(),
            serial: serial.map(str::to_owned),
            asks: None,
        }];
        completed(receipt)
    };
    ingest(&mut shop, vec![a.write(used("1-000001", Some("7")))]);
    ingest(&mut shop, vec![b.write(used("2-000001", None))]);
    ingest(&mut shop, vec![b.write(used("2-000002", Some("8")))]);
    assert_eq!(shop.exceptions(), []);
    ingest(&mut shop, vec![b.write(used("2-000003", Some("7")))]);
    let expected = [(ExceptionKind::CouponUsedTwice, Some((lane('b'), 3)))];
    assert_eq!(shop.exceptions(), expected);
    let first = shop.view().coupon_used("SPRING:7").unwrap();
    assert_eq!(first.as_deref(), Some("1-000001"));
}

#[test]
fn what_customers_bought_is_kept() {
    let mut shop = Shop::with_lanes("ab");
    let mut a = Journal::of('a');
    let mut buy = |times: u32| {
        let mut receipt = sold("1-000001");
        receipt.customer = Some("700".into());
        receipt.totals.promotions = vec![PromotionTotal {
            promotion: "tv".to_owned(),
            name: "Door-buster".to_owned(),
            amount: usd(10),
            times,
        }];
        ingest(&mut shop, vec![a.write(completed(receipt))]);
        let history = shop.view().history(&"700".into()).unwrap();
        let given = history.given.get("tv").copied();
        (history.receipts, history.spent_minor, given)
    };
    assert_eq!(buy(0), (1, 198, None));
    assert_eq!(buy(2), (2, 396, Some(2)));
    assert_eq!(buy(1), (3, 594, Some(3)));
}

#[test]
fn what_customers_bought_is_counted_by_item_once_all_lanes_read_it() {
    let mut commands = creation("a");
    let Command::CreateStore { reads, .. } = &mut commands[0] else {
        panic!("a store begins with its creation");
    };
    *reads = FORMAT_BOUGHT - 1;
    let mut shop = Shop::default();
    for command in &commands {
        shop.apply(command);
    }
    let mut a = Journal::of('a');
    let bought = |shop: &mut Shop, a: &mut Journal, mut receipt: Receipt, customer: &str| {
        receipt.customer = Some(customer.into());
        ingest(shop, vec![a.write(completed(receipt))]);
        let view = shop.view();
        ["700", "701"].map(|customer| view.bought(&customer.into(), &"milk".into()).unwrap())
    };
    assert_eq!(bought(&mut shop, &mut a, sold("1-000001"), "700"), [0, 0]);
    let started = Fact::LaneStarted {
        name: "Lane 1".to_owned(),
        release: "0.1.0".to_owned(),
        reads: FORMAT_BOUGHT,
    };
    ingest(&mut shop, vec![a.write(started)]);
    assert_eq!(bought(&mut shop, &mut a, sold("1-000002"), "700"), [2, 0]);
    assert_eq!(bought(&mut shop, &mut a, sold("1-000003"), "701"), [2, 2]);
    assert_eq!(
        bought(&mut shop, &mut a, back("1-000004", 1000, true), "700"),
        [1, 2]
    );
    assert_eq!(shop.exceptions(), []);
}

/// Points of customer 700 after receipts of lane `a` in a store that keeps to a format.
fn points_after(level: u16, receipts: &[Receipt]) -> Option<i64> {
    let mut commands = creation("a");
    let Command::CreateStore { reads, .. } = &mut commands[0] else {
        panic!("a store begins with its creation");
    };
    *reads = level;
    let mut shop = Shop::default();
    for command in &commands {
        shop.apply(command);
    }
    let mut a = Journal::of('a');
    for receipt in receipts {
        ingest(&mut shop, vec![a.write(completed(receipt.clone()))]);
    }
    let key = points_key(&"700".into());
    shop.view().credit_minor(&key).unwrap()
}

#[test]
fn points_are_earned_spent_and_taken_back() {
    let level = ledger::ENTRY_FORMAT;
    let total = |line| LineTotal {
        line,
        extended: usd(1000),
        discount: usd(0),
        deposit: usd(0),
        tax: usd(0),
        promotions: Vec::new(),
        tax_detail: Default::default(),
    };
    let mut earns = receipt(
        CartId {
            lane: lane('a'),
            number: 1,
        },
        "2026-11-27",
        &[("tv", 3000, 1000)],
    );
    earns.customer = Some("700".into());
    earns.totals.lines = vec![total(1)];
    earns.totals.points = vec![PointsTotal {
        promotion: "tv".to_owned(),
        name: "tv".to_owned(),
        points: 10,
    }];
    let mut spends = earns.clone();
    spends.id = "1-000009".to_owned();
    spends.totals.points.clear();
    spends.tenders = vec![Tender::Points {
        customer: "700".into(),
        points: 8,
        amount: usd(100),
        left: 2,
    }];
    let back = |milli: i64| {
        let mut back = spends.clone();
        back.id = format!("1-00001{milli}");
        back.tenders.clear();
        back.customer = None;
        back.lines[0].quantity = money::Quantity::each(milli / 1000);
        back.lines[0].detail.returned = Some(Box::new(ReturnOf {
            receipt: earns.id.clone(),
            line: 1,
            before_milli: 0,
            cost: total(1),
            reason: "broken".to_owned(),
            restock: true,
            unreceipted: None,
        }));
        back
    };
    let check = |receipts: &[&Receipt], expected: Option<i64>| {
        let receipts: Vec<Receipt> = receipts.iter().map(|r| (*r).clone()).collect();
        assert_eq!(points_after(level, &receipts), expected);
    };
    check(&[], None);
    check(&[&earns], Some(10));
    check(&[&earns, &spends], Some(2));
    // A third of the goods takes a third of the points, rounded down; all of them take all.
    check(&[&earns, &back(1000)], Some(7));
    check(&[&earns, &back(1000), &back(2000)], Some(0));
    check(&[&earns, &spends, &back(3000)], Some(-8));
    // The return came before the sale.
    check(&[&back(1000), &earns], Some(7));
    // Nobody's points.
    let mut nobody = earns.clone();
    nobody.customer = None;
    check(&[&nobody], None);
    // A store with a lane that does not count them.
    assert_eq!(points_after(15, &[earns.clone()]), None);
}
