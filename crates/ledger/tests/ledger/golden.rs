//! What journals and logs on disk look like, byte for byte. A release may add to the formats; what
//! stands in the golden files must stay readable for ever, with the same meaning.

use std::collections::BTreeMap;
use std::fmt::Write;

use catalog::{
    BookVersion, CustomerField, ItemCode, Least, Marks, Purchase, PurchaseRule, Purchases, Record,
    Settings, TaxCategory, TaxHoliday, TaxPart, TaxThreshold, Tier,
};
use expect_test::expect_file;
use ledger::{
    Command, CommandError, Entry, EntryBody, EntryHash, Epoch, FORMAT_UNSAID, Fact, Hlc, LeftWhy,
    Outcome, Run,
};
use money::{Money, Quantity, Rate};
use sale::{
    BusinessDay, CardAnswer, CardApproval, CardAsk, CardPaid, CardSource, CardTransaction,
    CardWork, Cart, CartId, CashMovement, DocumentKind, Event, HandDiscount, HandOff, HandedCoupon,
    History, Kept, LineDetail, LineTotal, OverrideReason, PartTotal, Phase, PointsTotal,
    PromotionTotal, ReturnOf, SoldAt, Standing, Tally, TaxDetail, TaxRules, TaxTotal, Tender,
    Terms,
};

use crate::shop::{
    DAY, STORE, at, completed, creation, employee, invite, item, lane, line, receipt, usd,
};

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().collect();
    let pairs = digits.chunks(2).map(|pair| str::from_utf8(pair).unwrap());
    pairs
        .map(|pair| u8::from_str_radix(pair, 16).unwrap())
        .collect()
}

/// Writes `name hex` lines as this release encodes them.
pub fn written<T>(samples: &[(&str, T)], encode: impl Fn(&T) -> Vec<u8>) -> String {
    samples
        .iter()
        .map(|(name, sample)| format!("{name} {}\n", hex(&encode(sample))))
        .collect()
}

/// Reads every line of a golden file and compares it with its sample.
pub fn check_read<T: PartialEq + std::fmt::Debug>(
    golden: &str,
    samples: &[(&str, T)],
    decode: impl Fn(Vec<u8>) -> T,
) {
    assert_eq!(golden.lines().count(), samples.len());
    for (line, (expected_name, expected)) in golden.lines().zip(samples) {
        let (name, bytes) = line.split_once(' ').unwrap();
        assert_eq!(name, *expected_name);
        assert_eq!(decode(unhex(bytes)), *expected, "{name}");
    }
}

pub fn of_register(event: Event) -> (&'static str, Fact) {
    let request = None;
    (event_name(&event), Fact::Register { event, request })
}

/// What an entry with these bytes says. Its label does not matter for reading.
pub fn body_of(bytes: Vec<u8>) -> EntryBody {
    let entry = Entry {
        lane: lane('a'),
        seq: 1,
        bytes,
    };
    entry.body().unwrap()
}

fn event_name(event: &Event) -> &'static str {
    // A new event needs a sample below: this is what reminds of it.
    match event {
        Event::SignedIn { .. } => "signed-in",
        Event::SignInFailed { .. } => "sign-in-failed",
        Event::SignedOut { .. } => "signed-out",
        Event::CartOpened { .. } => "cart-opened",
        Event::LineAdded { .. } => "line-added",
        Event::QuantityChanged { .. } => "quantity-changed",
        Event::PriceOverridden { .. } => "price-overridden",
        Event::LineVoided { .. } => "line-voided",
        Event::AgeConfirmed { .. } => "age-confirmed",
        Event::CustomerSet { .. } => "customer-set",
        Event::TenderStarted { .. } => "tender-started",
        Event::Tendered { .. } => "tendered",
        Event::TendersReturned { .. } => "tenders-returned",
        Event::CartVoided { .. } => "cart-voided",
        Event::Completed { .. } => "completed",
        Event::Approved { .. } => "approved",
        Event::TaxOverridden { .. } => "tax-overridden",
        Event::Noted { .. } => "noted",
        Event::Suspended { .. } => "suspended",
        Event::Resumed { .. } => "resumed",
        Event::DayOpened { .. } => "day-opened",
        Event::DayClosed { .. } => "day-closed",
        Event::DrawerOpened { .. } => "drawer-opened",
        Event::DrawerAssigned { .. } => "drawer-assigned",
        Event::NoSale { .. } => "no-sale",
        Event::CashMoved { .. } => "cash-moved",
        Event::DrawerCounted { .. } => "drawer-counted",
        Event::ReportedZ { .. } => "reported-z",
        Event::TenderVoided { .. } => "tender-voided",
        Event::CouponTaken { .. } => "coupon-taken",
        Event::CouponReturned { .. } => "coupon-returned",
        Event::DiscountGiven { .. } => "discount-given",
        Event::DiscountVoided { .. } => "discount-voided",
        Event::TenderQuoted { .. } => "tender-quoted",
        Event::Requoted { .. } => "requoted",
        Event::LimitsKnown { .. } => "limits-known",
        Event::CardAsked { .. } => "card-asked",
        Event::CardCancelled { .. } => "card-cancelled",
        Event::CardAnswered { .. } => "card-answered",
        Event::CardLeft { .. } => "card-left",
        Event::StockMoved { .. } => "stock-moved",
        Event::CustomerKept { .. } => "customer-kept",
        Event::CustomersMerged { .. } => "customers-merged",
        Event::CustomerErased { .. } => "customer-erased",
        Event::TrainingBegun { .. } => "training-begun",
        Event::TrainingEnded { .. } => "training-ended",
        Event::Training { .. } => "training",
    }
}

/// One of each event.
fn events() -> Vec<Event> {
    let (lane, number) = (lane('a'), 3);
    let cart = CartId { lane, number };
    let reason = OverrideReason {
        by: "102".into(),
        reason: "dented tin".to_owned(),
    };
    let mut full_line = line(1, "ham", 455, usd(899));
    full_line.deposit = Some(usd(25));
    full_line.price_override = Some(reason.clone());
    full_line.voided = true;
    let mut full_receipt = receipt(cart, DAY, &[("milk", 2000, 198), ("ham", 455, 250)]);
    full_receipt.customer = Some("700".into());
    full_receipt.reference = Some("basket 9".to_owned());
    let Fact::Register {
        event: completed, ..
    } = completed(full_receipt)
    else {
        unreachable!("a receipt is a fact of the register")
    };
    vec![
        Event::SignedIn {
            employee: "101".into(),
            name: "Ada".to_owned(),
            role: catalog::Role::Supervisor,
            at: at(),
        },
        Event::SignedOut { at: at() },
        Event::CartOpened {
            cart,
            book: BookVersion(7),
            day: BusinessDay(DAY.to_owned()),
            at: at(),
            reference: Some("basket 9".to_owned()),
            place: SoldAt::default(),
        },
        Event::LineAdded {
            cart,
            line: full_line,
        },
        Event::QuantityChanged {
            cart,
            line: 1,
            quantity: Quantity::grams(500),
        },
        Event::PriceOverridden {
            cart,
            line: 1,
            unit_price: usd(500),
            reason,
        },
        Event::LineVoided { cart, line: 1 },
        Event::AgeConfirmed {
            cart,
            years: 21,
            by: "101".into(),
        },
        Event::CustomerSet {
            cart,
            customer: "700".into(),
            name: "Grace".to_owned(),
            tier: Tier::Gold,
            standing: Box::default(),
        },
        Event::TenderStarted {
            cart,
            at: at(),
            due: usd(1234),
        },
        Event::Tendered {
            cart,
            tender: Tender::Cash { amount: usd(2000) },
        },
        Event::TendersReturned { cart },
        Event::CartVoided {
            cart,
            reason: "left the shop".to_owned(),
            at: at(),
        },
        completed,
    ]
}

/// The events that format 2 added, and what it added to older ones.
fn later_events() -> Vec<Event> {
    let by = || catalog::EmployeeId::from("102");
    let day = || BusinessDay(DAY.to_owned());
    let open = later_cart();
    let open_id = open.id;
    let mut report = Tally::default();
    let receipt = receipt(open.id, DAY, &[("milk", 2000, 198)]);
    report.add(&Event::Completed {
        cart: open.id,
        receipt: Box::new(receipt),
    });
    vec![
        Event::Approved {
            by: by(),
            name: "Barbara".to_owned(),
            role: catalog::Role::Supervisor,
            asked_by: "101".into(),
            command: "override-price".to_owned(),
            at: at(),
        },
        Event::LineAdded {
            cart: open.id,
            line: open.lines[0].clone(),
        },
        Event::TaxOverridden {
            cart: open.id,
            line: 1,
            tax: open.lines[0].tax.clone(),
            reason: OverrideReason {
                by: by(),
                reason: "exempt".to_owned(),
            },
        },
        Event::Noted {
            cart: open.id,
            line: Some(1),
            text: "gift".to_owned(),
        },
        Event::Suspended {
            slip: "S1-1".to_owned(),
            open: Box::new(open.clone()),
            by: by(),
            at: at(),
        },
        Event::Resumed {
            slip: "S1-1".to_owned(),
            open: Box::new(open),
            by: by(),
            at: at(),
        },
        Event::DayOpened {
            day: day(),
            by: by(),
            at: at(),
        },
        Event::DayClosed {
            day: day(),
            unshared_receipts: 3,
            by: by(),
            at: at(),
        },
        Event::DrawerOpened {
            float: usd(10_000),
            by: by(),
            at: at(),
        },
        Event::DrawerAssigned {
            employee: "101".into(),
            by: by(),
            at: at(),
        },
        Event::NoSale {
            reason: "change".to_owned(),
            by: by(),
            at: at(),
        },
        Event::CashMoved {
            movement: CashMovement::Drop,
            amount: usd(5000),
            reason: "safe".to_owned(),
            by: by(),
            at: at(),
        },
        Event::DrawerCounted {
            pieces: vec![(usd(2000), 3), (usd(25), 4)],
            counted: usd(6100),
            expected: usd(6050),
            by: by(),
            at: at(),
        },
        Event::TenderVoided {
            cart: open_id,
            number: 2,
        },
        returned_and_refunded(open_id),
        Event::ReportedZ {
            number: 1,
            report: Box::new(report),
            by: by(),
            at: at(),
        },
    ]
}

/// A receipt that takes goods back, paid with every tender.
fn returned_and_refunded(cart: CartId) -> Event {
    let mut receipt = receipt(cart, DAY, &[("milk", 1000, 99)]);
    receipt.detail.notes = vec!["collect at five".to_owned()];
    receipt.lines[0].detail.returned = Some(Box::new(ReturnOf {
        receipt: "1-000001".to_owned(),
        line: 2,
        before_milli: 1000,
        cost: LineTotal {
            line: 1,
            extended: usd(-99),
            discount: usd(-9),
            deposit: usd(0),
            tax: usd(-7),
            promotions: Vec::new(),
            tax_detail: Default::default(),
        },
        reason: "does not fit".to_owned(),
        restock: true,
        unreceipted: None,
    }));
    let number = || "V-1".to_owned();
    let amount = usd(-5);
    receipt.tenders = vec![
        Tender::Rounding { amount },
        Tender::ForeignCash {
            given: Money::from_minor(400, "EUR".parse().unwrap()),
            rate: "1.25".to_owned(),
            amount: usd(500),
        },
        Tender::Voucher {
            number: number(),
            face: usd(1000),
            amount: usd(500),
        },
        Tender::Cheque {
            number: number(),
            amount,
        },
        Tender::StoreCredit {
            number: number(),
            amount,
        },
        Tender::Account {
            customer: "700".into(),
            amount,
        },
    ];
    Event::Completed {
        cart,
        receipt: Box::new(receipt),
    }
}

/// A sale with all that one can have.
pub fn later_cart() -> Cart {
    let reason = OverrideReason {
        by: "102".into(),
        reason: "exempt".to_owned(),
    };
    let mut marked = line(1, "ham", 455, usd(899));
    marked.tax.parts = vec![TaxPart {
        name: "State".to_owned(),
        rate: Rate::from_percent(4),
        threshold: None,
        holidays: Vec::new(),
    }];
    marked.detail = LineDetail {
        marks: Marks {
            lot: Some("L7".to_owned()),
            serial: Some("S1".to_owned()),
            best_before: Some("2026-12-01".to_owned()),
            expires: Some("2026-12-31".to_owned()),
            add_on: Some("05".to_owned()),
        },
        notes: vec!["gift".to_owned()],
        tax_override: Some(reason),
        ..LineDetail::default()
    };
    Cart {
        id: CartId {
            lane: lane('a'),
            number: 3,
        },
        book: BookVersion(7),
        day: BusinessDay(DAY.to_owned()),
        opened_at: at(),
        reference: None,
        lines: vec![marked],
        customer: Some(("700".into(), "Grace".to_owned(), Tier::Gold)),
        age_confirmed: 21,
        phase: Phase::Paying {
            at: at(),
            due: usd(409),
        },
        tenders: vec![Tender::Cash { amount: usd(100) }],
        notes: vec!["for Grace".to_owned()],
        terms: Terms::default(),
        kept: None,
    }
}

/// All that can decide on a price besides the lines.
fn terms() -> Terms {
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    Terms {
        place: SoldAt {
            store: "12".to_owned(),
            store_groups: words(&["north"]),
            lane: 3,
            self_checkout: true,
            tax: TaxRules::default(),
        },
        standing: Standing {
            groups: words(&["club"]),
            employee: true,
            contracts: words(&["acme"]),
            birthday: Some((4, 27)),
            history: History {
                receipts: 7,
                spent_minor: 12_345,
                given: [("tv".to_owned(), 1)].into(),
            },
            exemption: None,
            bought: Default::default(),
        },
        coupons: vec![coupon()],
        discounts: [
            HandOff::Percent(Rate::from_percent(5)),
            HandOff::Amount(usd(50)),
        ]
        .map(discount)
        .into(),
        tender: Some("account".to_owned()),
        rights: BTreeMap::new(),
    }
}

fn coupon() -> HandedCoupon {
    HandedCoupon {
        code: "SPRING".to_owned(),
        serial: Some("1-000007".to_owned()),
        asks: None,
    }
}

fn discount(off: HandOff) -> HandDiscount {
    HandDiscount {
        line: Some(1),
        off,
        reason: "dented tin".to_owned(),
        by: "102".into(),
        role: catalog::Role::Supervisor,
    }
}

/// The events that format 3 added, and what it added to older ones.
fn terms_events() -> Vec<Event> {
    let mut open = later_cart();
    open.terms = terms();
    let cart = open.id;
    let mut receipt = receipt(cart, DAY, &[("milk", 2000, 198)]);
    receipt.detail.terms = terms();
    receipt.detail.coupons_used = vec![coupon()];
    receipt.totals.points = vec![PointsTotal {
        promotion: "double".to_owned(),
        name: "Double points".to_owned(),
        points: 18,
    }];
    receipt.totals.next_coupons = vec!["AUTUMN".to_owned()];
    receipt.totals.promotions = vec![PromotionTotal {
        promotion: "tv".to_owned(),
        name: "Door-buster".to_owned(),
        amount: usd(5),
        times: 1,
    }];
    vec![
        Event::CartOpened {
            cart,
            book: BookVersion(7),
            day: BusinessDay(DAY.to_owned()),
            at: at(),
            reference: None,
            place: terms().place,
        },
        Event::CustomerSet {
            cart,
            customer: "700".into(),
            name: "Grace".to_owned(),
            tier: Tier::Gold,
            standing: Box::new(terms().standing),
        },
        Event::CouponTaken {
            cart,
            coupon: coupon(),
        },
        Event::CouponReturned { cart, number: 1 },
        Event::DiscountGiven {
            cart,
            discount: discount(HandOff::Amount(usd(50))),
        },
        Event::DiscountVoided { cart, number: 1 },
        Event::TenderQuoted {
            cart,
            tender: Some("account".to_owned()),
            before: usd(1000),
            due: usd(900),
        },
        Event::Suspended {
            slip: "S1-1".to_owned(),
            open: Box::new(open),
            by: "102".into(),
            at: at(),
        },
        Event::Completed {
            cart,
            receipt: Box::new(receipt),
        },
    ]
}

fn terms_bodies() -> Vec<(&'static str, EntryBody)> {
    let bodies = sealed(terms_events().into_iter().map(of_register).collect());
    as_written_in(3, bodies)
}

/// What this release writes in a later format, because it makes more of it: as it was written in
/// that of an earlier one.
fn as_written_in(
    format: u16,
    mut bodies: Vec<(&'static str, EntryBody)>,
) -> Vec<(&'static str, EntryBody)> {
    for (name, body) in &mut bodies {
        // Lines were there from the first.
        let first = *name == "line-added";
        body.v = body.v.min(if first { 1 } else { format });
    }
    bodies
}

#[test]
fn entries_of_format_3_are_read() {
    check_read(
        include_str!("../golden/entries-3.txt"),
        &terms_bodies(),
        body_of,
    );
}

#[test]
fn what_format_2_cannot_say_is_written_in_format_3() {
    let text = written(&terms_bodies(), |body| Entry::seal(body).bytes);
    expect_file!["../golden/entries-3.txt"].assert_eq(&text);
    let formats: Vec<u16> = terms_bodies().iter().map(|(_, body)| body.v).collect();
    // An older release sells on, and counts a receipt, without knowing what decided on its price.
    assert_eq!(formats, [1, 1, 3, 3, 3, 3, 3, 3, 1]);
}

/// Entry bodies of what format 4 added.
fn carried_bodies() -> Vec<(&'static str, EntryBody)> {
    let (_, original) = bodies().swap_remove(0);
    let entry = Entry::seal(&original);
    sealed(vec![("carried-over", Fact::CarriedOver { entry })])
}

#[test]
fn entries_of_format_4_are_read() {
    check_read(
        include_str!("../golden/entries-4.txt"),
        &carried_bodies(),
        body_of,
    );
}

#[test]
fn what_format_3_cannot_say_is_written_in_format_4() {
    let text = written(&carried_bodies(), |body| Entry::seal(body).bytes);
    expect_file!["../golden/entries-4.txt"].assert_eq(&text);
    assert_eq!(carried_bodies()[0].1.v, 4);
}

/// What format 5 added to older events: taxes of several authorities, sales that are not taxed line
/// by line, customers who are exempt, and goods that are linked, in kits or weighed with packing.
fn tax_events() -> Vec<Event> {
    let mut open = later_cart();
    let cart = open.id;
    open.lines[0].detail.kit = vec![catalog::KitPart {
        item: "4".into(),
        milli: 2000,
    }];
    open.lines[0].detail.linked_to = Some(7);
    open.lines[0].detail.tare_grams = 20;
    open.terms.place.tax = TaxRules {
        rounding: catalog::TaxRounding::Invoice,
        deposits_taxed: true,
    };
    open.terms.standing.exemption = Some("EX-17".to_owned());
    let part = PartTotal {
        name: "State".to_owned(),
        rate: Rate::from_percent(4),
        taxable: usd(198),
        amount: usd(8),
    };
    let mut receipt = receipt(cart, DAY, &[("milk", 2000, 198)]);
    receipt.lines[0].tax = open.lines[0].tax.clone();
    receipt.totals.lines = vec![LineTotal {
        line: 1,
        extended: usd(198),
        discount: usd(0),
        deposit: usd(0),
        tax: usd(8),
        promotions: Vec::new(),
        tax_detail: TaxDetail {
            exempt: true,
            deposit_taxed: true,
            parts: vec![part.clone()],
        },
    }];
    receipt.totals.taxes = vec![TaxTotal {
        tax: "local".into(),
        name: "Sales tax".to_owned(),
        rate: Rate::from_percent(4),
        included: false,
        taxable: usd(198),
        amount: usd(8),
        exempt: true,
        parts: vec![part],
    }];
    let mut report = Tally::default();
    let completed = Event::Completed {
        cart,
        receipt: Box::new(receipt),
    };
    report.add(&completed);
    assert!(!report.tax_parts.is_empty());
    vec![
        Event::CartOpened {
            cart,
            book: BookVersion(7),
            day: BusinessDay(DAY.to_owned()),
            at: at(),
            reference: None,
            place: open.terms.place.clone(),
        },
        Event::CustomerSet {
            cart,
            customer: "702".into(),
            name: "Alan".to_owned(),
            tier: Tier::Basic,
            standing: Box::new(open.terms.standing.clone()),
        },
        Event::LineAdded {
            cart,
            line: open.lines[0].clone(),
        },
        Event::Suspended {
            slip: "S1-1".to_owned(),
            open: Box::new(open),
            by: "102".into(),
            at: at(),
        },
        completed,
        Event::ReportedZ {
            number: 1,
            report: Box::new(report),
            by: "102".into(),
            at: at(),
        },
    ]
}

fn tax_bodies() -> Vec<(&'static str, EntryBody)> {
    sealed(tax_events().into_iter().map(of_register).collect())
}

#[test]
fn entries_of_format_5_are_read() {
    check_read(
        include_str!("../golden/entries-5.txt"),
        &tax_bodies(),
        body_of,
    );
}

#[test]
fn what_format_4_cannot_say_is_written_in_format_5() {
    let text = written(&tax_bodies(), |body| Entry::seal(body).bytes);
    expect_file!["../golden/entries-5.txt"].assert_eq(&text);
    let formats: Vec<u16> = tax_bodies().iter().map(|(_, body)| body.v).collect();
    // A report says how it was summed up; an older release reads it, and shows less of it.
    assert_eq!(formats, [5, 5, 5, 5, 5, 2]);
}

/// What format 6 added to older events: what must be bought for a coupon.
fn asking_events() -> Vec<Event> {
    let purchase = |least, family: &str| Purchase {
        least,
        company: "0036000".to_owned(),
        family: family.to_owned(),
    };
    let coupon = |rule, others: &[Purchase]| HandedCoupon {
        code: "0036000-123456".to_owned(),
        serial: None,
        asks: Some(Box::new(Purchases {
            rule,
            first: purchase(Least::Units(2), "110"),
            others: others.to_vec(),
        })),
    };
    let weight = purchase(Least::Grams(454), "850");
    let spent = purchase(Least::Spend(500), "851");
    let sale = purchase(Least::Sale(2500), "000");
    let looked_at = purchase(Least::CashierLooks, "992");
    let coupons = [
        coupon(PurchaseRule::Any, &[]),
        coupon(PurchaseRule::All, &[weight, spent]),
        coupon(PurchaseRule::FirstAndOther, &[sale]),
        coupon(PurchaseRule::Other, &[looked_at]),
    ];
    let mut open = later_cart();
    open.terms.coupons = coupons.to_vec();
    let cart = open.id;
    let mut receipt = receipt(cart, DAY, &[("milk", 2000, 198)]);
    receipt.detail.terms = open.terms.clone();
    receipt.detail.coupons_used = coupons[..1].to_vec();
    let mut events: Vec<Event> = coupons
        .into_iter()
        .map(|coupon| Event::CouponTaken { cart, coupon })
        .collect();
    events.push(Event::Completed {
        cart,
        receipt: Box::new(receipt),
    });
    events
}

fn asking_bodies() -> Vec<(&'static str, EntryBody)> {
    sealed(asking_events().into_iter().map(of_register).collect())
}

#[test]
fn entries_of_format_6_are_read() {
    check_read(
        include_str!("../golden/entries-6.txt"),
        &asking_bodies(),
        body_of,
    );
}

#[test]
fn what_format_5_cannot_say_is_written_in_format_6() {
    let text = written(&asking_bodies(), |body| Entry::seal(body).bytes);
    expect_file!["../golden/entries-6.txt"].assert_eq(&text);
    let formats: Vec<u16> = asking_bodies().iter().map(|(_, body)| body.v).collect();
    assert_eq!(formats, [6, 6, 6, 6, 6]);
}

/// The events that format 8 added, and what it added to older ones: payments by card.
fn card_events() -> Vec<Event> {
    let mut open = later_cart();
    let cart = open.id;
    let by = || catalog::EmployeeId::from("102");
    let words = || "no answer".to_owned();
    let asks = card_works().map(|work| Box::new(card_ask(cart, work)));
    let tender = |amount, refund_of| Tender::Card {
        amount,
        card: Box::new(CardPaid {
            number: 7,
            terminal: "POI-1".to_owned(),
            approval: card_approval(),
            refund_of,
        }),
    };
    let charged = tender(usd(200), None);
    open.tenders = vec![charged.clone()];
    let mut receipt = receipt(cart, DAY, &[("milk", 2000, 198)]);
    receipt.tenders = vec![charged.clone(), tender(usd(-99), Some(card_source()))];
    let approval = Box::new(card_approval());
    let answers = [
        CardAnswer::Approved { approval },
        CardAnswer::Declined { reason: words() },
        CardAnswer::Doubtful { reason: words() },
    ];
    let asked = asks.iter().map(|ask| Event::CardAsked { ask: ask.clone() });
    let answered = answers.into_iter().map(|answer| Event::CardAnswered {
        ask: asks[0].clone(),
        late: matches!(answer, CardAnswer::Declined { .. }),
        answer,
        at: at(),
    });
    let mut events: Vec<Event> = asked.chain(answered).collect();
    let (slip, reason) = ("S1-1".to_owned(), "closing time".to_owned());
    events.extend([
        Event::CardCancelled {
            number: 7,
            by: by(),
            at: at(),
        },
        Event::CardLeft {
            ask: asks[0].clone(),
            doubt: words(),
            reason,
            by: by(),
            at: at(),
        },
        Event::Tendered {
            cart,
            tender: charged,
        },
        Event::Suspended {
            slip: slip.clone(),
            open: Box::new(open.clone()),
            by: by(),
            at: at(),
        },
        Event::Resumed {
            slip,
            open: Box::new(open),
            by: by(),
            at: at(),
        },
        Event::Completed {
            cart,
            receipt: Box::new(receipt),
        },
    ]);
    events
}

fn card_ask(cart: CartId, work: CardWork) -> CardAsk {
    CardAsk {
        number: 7,
        cart,
        terminal: "POI-1".to_owned(),
        work,
        by: "101".into(),
        at: at(),
    }
}

fn card_source() -> CardSource {
    CardSource {
        receipt: "1-000001".to_owned(),
        tender: 1,
    }
}

fn card_transaction() -> CardTransaction {
    CardTransaction {
        id: "t-1".to_owned(),
        time: "2026-11-27T10:00:00Z".to_owned(),
    }
}

fn card_approval() -> CardApproval {
    let word = |word: &str| Some(word.to_owned());
    CardApproval {
        amount: usd(230),
        tip: Some(usd(30)),
        transaction: card_transaction(),
        brand: word("VISA"),
        last_four: word("0119"),
        token: word("tok-1"),
        approval_code: word("000001"),
        offline: true,
    }
}

fn card_works() -> [CardWork; 3] {
    [
        CardWork::Pay {
            amount: usd(200),
            tip: Some(usd(30)),
        },
        CardWork::Refund {
            amount: usd(99),
            of: card_source(),
            original: card_transaction(),
        },
        CardWork::Reverse {
            amount: usd(230),
            original: card_transaction(),
            tender: Some(1),
        },
    ]
}

fn card_bodies() -> Vec<(&'static str, EntryBody)> {
    sealed(card_events().into_iter().map(of_register).collect())
}

#[test]
fn entries_of_format_8_are_read() {
    check_read(
        include_str!("../golden/entries-8.txt"),
        &card_bodies(),
        body_of,
    );
}

#[test]
fn what_format_7_cannot_say_is_written_in_format_8() {
    let text = written(&card_bodies(), |body| Entry::seal(body).bytes);
    expect_file!["../golden/entries-8.txt"].assert_eq(&text);
    assert!(card_bodies().iter().all(|(_, body)| body.v == 8));
}

/// The event that format 9 added.
fn requote_bodies() -> Vec<(&'static str, EntryBody)> {
    let requoted = Event::Requoted {
        cart: later_cart().id,
        book: catalog::BookVersion(9),
        prices: [(1, usd(280)), (3, usd(99))].into(),
        before: usd(640),
        due: usd(579),
    };
    sealed(vec![of_register(requoted)])
}

#[test]
fn entries_of_format_9_are_read() {
    check_read(
        include_str!("../golden/entries-9.txt"),
        &requote_bodies(),
        body_of,
    );
}

#[test]
fn what_format_8_cannot_say_is_written_in_format_9() {
    let text = written(&requote_bodies(), |body| Entry::seal(body).bytes);
    expect_file!["../golden/entries-9.txt"].assert_eq(&text);
    assert!(requote_bodies().iter().all(|(_, body)| body.v == 9));
}

/// What format 10 added to older events: what a customer bought before, by item.
fn bought_events() -> Vec<Event> {
    let mut open = later_cart();
    let cart = open.id;
    open.terms.standing.bought = [("milk".into(), 3), ("ham".into(), 1)].into();
    let standing = Box::new(open.terms.standing.clone());
    let mut receipt = receipt(cart, DAY, &[("milk", 2000, 198)]);
    receipt.detail.terms = open.terms.clone();
    vec![
        Event::CustomerSet {
            cart,
            customer: "700".into(),
            name: "Grace".to_owned(),
            tier: Tier::Gold,
            standing,
        },
        Event::Suspended {
            slip: "S1-1".to_owned(),
            open: Box::new(open.clone()),
            by: "102".into(),
            at: at(),
        },
        Event::Resumed {
            slip: "S1-1".to_owned(),
            open: Box::new(open),
            by: "102".into(),
            at: at(),
        },
        Event::Completed {
            cart,
            receipt: Box::new(receipt),
        },
    ]
}

fn bought_bodies() -> Vec<(&'static str, EntryBody)> {
    sealed(bought_events().into_iter().map(of_register).collect())
}

#[test]
fn entries_of_format_10_are_read() {
    check_read(
        include_str!("../golden/entries-10.txt"),
        &bought_bodies(),
        body_of,
    );
}

#[test]
fn what_format_9_cannot_say_is_written_in_format_10() {
    let text = written(&bought_bodies(), |body| Entry::seal(body).bytes);
    expect_file!["../golden/entries-10.txt"].assert_eq(&text);
    assert!(bought_bodies().iter().all(|(_, body)| body.v == 10));
}

/// What format 13 added to older events: what goods must cost at least.
fn floor_events() -> Vec<Event> {
    let mut open = later_cart();
    let cart = open.id;
    open.lines[0].detail.floor = Some(usd(700));
    let mut receipt = receipt(cart, DAY, &[("milk", 2000, 198)]);
    receipt.lines[0].detail.floor = Some(usd(90));
    vec![
        Event::LineAdded {
            cart,
            line: open.lines[0].clone(),
        },
        Event::Suspended {
            slip: "S1-1".to_owned(),
            open: Box::new(open.clone()),
            by: "102".into(),
            at: at(),
        },
        Event::Resumed {
            slip: "S1-1".to_owned(),
            open: Box::new(open),
            by: "102".into(),
            at: at(),
        },
        Event::Completed {
            cart,
            receipt: Box::new(receipt),
        },
    ]
}

fn floor_bodies() -> Vec<(&'static str, EntryBody)> {
    sealed(floor_events().into_iter().map(of_register).collect())
}

#[test]
fn entries_of_format_13_are_read() {
    check_read(
        include_str!("../golden/entries-13.txt"),
        &floor_bodies(),
        body_of,
    );
}

#[test]
fn what_format_12_cannot_say_is_written_in_format_13() {
    let text = written(&floor_bodies(), |body| Entry::seal(body).bytes);
    expect_file!["../golden/entries-13.txt"].assert_eq(&text);
    assert!(floor_bodies().iter().all(|(_, body)| body.v == 13));
}

/// The event that format 14 added, and what it added to older ones: what is left of promotions that are
/// given only so often.
fn limits_events() -> Vec<Event> {
    let mut open = later_cart();
    let cart = open.id;
    let rights: BTreeMap<String, u32> = [("tv".to_owned(), 2), ("eggs".to_owned(), 0)].into();
    open.terms.rights.clone_from(&rights);
    let mut receipt = receipt(cart, DAY, &[("milk", 2000, 198)]);
    receipt.detail.terms = open.terms.clone();
    vec![
        Event::LimitsKnown {
            cart,
            rights: rights.clone(),
            given: [("tv".to_owned(), 1)].into(),
        },
        Event::LimitsKnown {
            cart,
            rights,
            given: BTreeMap::new(),
        },
        Event::Suspended {
            slip: "S1-1".to_owned(),
            open: Box::new(open.clone()),
            by: "102".into(),
            at: at(),
        },
        Event::Resumed {
            slip: "S1-1".to_owned(),
            open: Box::new(open),
            by: "102".into(),
            at: at(),
        },
        Event::Completed {
            cart,
            receipt: Box::new(receipt),
        },
    ]
}

fn limits_bodies() -> Vec<(&'static str, EntryBody)> {
    sealed(limits_events().into_iter().map(of_register).collect())
}

#[test]
fn entries_of_format_14_are_read() {
    check_read(
        include_str!("../golden/entries-14.txt"),
        &limits_bodies(),
        body_of,
    );
}

#[test]
fn what_format_13_cannot_say_is_written_in_format_14() {
    let text = written(&limits_bodies(), |body| Entry::seal(body).bytes);
    expect_file!["../golden/entries-14.txt"].assert_eq(&text);
    assert!(limits_bodies().iter().all(|(_, body)| body.v == 14));
}

/// What format 15 added to older events: gift cards that are loaded, and spent.
fn gift_card_events() -> Vec<Event> {
    let mut open = later_cart();
    let cart = open.id;
    let mut loaded = line(1, "gift-card", 1000, usd(2500));
    loaded.detail.gift_card = Some("G-1".to_owned());
    open.lines = vec![loaded.clone()];
    let mut spent = receipt(cart, DAY, &[("milk", 2000, 198)]);
    spent.tenders = vec![Tender::GiftCard {
        number: "G-1".to_owned(),
        amount: usd(396),
        left: usd(2104),
    }];
    vec![
        Event::LineAdded { cart, line: loaded },
        Event::Tendered {
            cart,
            tender: spent.tenders[0].clone(),
        },
        Event::Suspended {
            slip: "S1-1".to_owned(),
            open: Box::new(open.clone()),
            by: "102".into(),
            at: at(),
        },
        Event::Resumed {
            slip: "S1-1".to_owned(),
            open: Box::new(open),
            by: "102".into(),
            at: at(),
        },
        Event::Completed {
            cart,
            receipt: Box::new(spent),
        },
    ]
}

fn gift_card_bodies() -> Vec<(&'static str, EntryBody)> {
    sealed(gift_card_events().into_iter().map(of_register).collect())
}

#[test]
fn entries_of_format_15_are_read() {
    check_read(
        include_str!("../golden/entries-15.txt"),
        &gift_card_bodies(),
        body_of,
    );
}

#[test]
fn what_format_14_cannot_say_is_written_in_format_15() {
    let text = written(&gift_card_bodies(), |body| Entry::seal(body).bytes);
    expect_file!["../golden/entries-15.txt"].assert_eq(&text);
    assert!(gift_card_bodies().iter().all(|(_, body)| body.v == 15));
}

/// What format 16 added: what lanes say of customers, and points that pay.
fn customer_events() -> Vec<Event> {
    let said = CustomerField::ALL.map(|field| (field, format!("{} said", field.name())));
    vec![
        Event::CustomerKept {
            customer: "700".into(),
            created: true,
            fields: said.into_iter().collect(),
            by: "102".into(),
            at: at(),
        },
        Event::CustomersMerged {
            from: "701".into(),
            into: "700".into(),
            reason: "signed up twice".to_owned(),
            by: "102".into(),
            at: at(),
        },
        Event::CustomerErased {
            customer: "700".into(),
            reason: "asked for it".to_owned(),
            by: "103".into(),
            at: at(),
        },
    ]
}

/// What format 16 added to older events: sales that are kept as documents, and points that pay.
fn points_events() -> Vec<Event> {
    let mut open = later_cart();
    let cart = open.id;
    let tender = Tender::Points {
        customer: "700".into(),
        points: 300,
        amount: usd(150),
        left: 40,
    };
    open.tenders = vec![tender.clone()];
    let mut spent = receipt(cart, DAY, &[("milk", 2000, 198)]);
    spent.tenders = vec![tender.clone()];
    let (slip, by) = ("S1-1".to_owned(), "102".into());
    let mut order = later_cart();
    order.kept = Some(Box::new(Kept {
        kind: DocumentKind::Order,
        until: Some(BusinessDay(DAY.to_owned())),
        due: usd(500),
    }));
    vec![
        Event::Suspended {
            slip: "S1-2".to_owned(),
            open: Box::new(order),
            by: "102".into(),
            at: at(),
        },
        Event::Tendered { cart, tender },
        Event::Suspended {
            slip: slip.clone(),
            open: Box::new(open.clone()),
            by: "102".into(),
            at: at(),
        },
        Event::Resumed {
            slip,
            open: Box::new(open),
            by,
            at: at(),
        },
        Event::Completed {
            cart,
            receipt: Box::new(spent),
        },
    ]
}

fn customer_bodies() -> Vec<(&'static str, EntryBody)> {
    let events = customer_events().into_iter().chain(points_events());
    sealed(events.map(of_register).collect())
}

#[test]
fn entries_of_format_16_are_read() {
    check_read(
        include_str!("../golden/entries-16.txt"),
        &customer_bodies(),
        body_of,
    );
}

#[test]
fn what_format_15_cannot_say_is_written_in_format_16() {
    let text = written(&customer_bodies(), |body| Entry::seal(body).bytes);
    expect_file!["../golden/entries-16.txt"].assert_eq(&text);
    assert!(customer_bodies().iter().all(|(_, body)| body.v == 16));
}

/// Entry bodies of what format 2 added.
fn later_bodies() -> Vec<(&'static str, EntryBody)> {
    let bodies = sealed(later_events().into_iter().map(of_register).collect());
    as_written_in(2, bodies)
}

#[test]
fn entries_of_format_2_are_read() {
    check_read(
        include_str!("../golden/entries-2.txt"),
        &later_bodies(),
        body_of,
    );
}

#[test]
fn what_format_1_cannot_say_is_written_in_format_2() {
    let text = written(&later_bodies(), |body| Entry::seal(body).bytes);
    expect_file!["../golden/entries-2.txt"].assert_eq(&text);
}

/// One entry body of each kind.
fn bodies() -> Vec<(&'static str, EntryBody)> {
    let started = Fact::LaneStarted {
        name: "Lane 1".to_owned(),
        release: "0.1.0".to_owned(),
        reads: 3,
    };
    let mut facts = vec![
        ("lane-started", started),
        ("lane-closed", Fact::LaneClosed),
        (
            "request",
            Fact::Register {
                event: Event::SignedOut { at: at() },
                request: Some("robot-7/42".to_owned()),
            },
        ),
    ];
    facts.extend(events().into_iter().map(of_register));
    let resumed = Fact::SellingResumed {
        reason: "the disk was full".to_owned(),
        since_ms: 1_795_773_500_000,
    };
    facts.push(("selling-resumed", resumed));
    let wrong_pin = Event::SignInFailed {
        employee: "101".into(),
        at: at(),
    };
    facts.push(of_register(wrong_pin));
    sealed(facts)
}

pub fn sealed(facts: Vec<(&'static str, Fact)>) -> Vec<(&'static str, EntryBody)> {
    (1..)
        .zip(facts)
        .map(|(seq, (name, fact))| {
            let body = EntryBody {
                v: fact.format(),
                store: STORE,
                lane: lane('a'),
                seq,
                prev: EntryHash::of(name.as_bytes()),
                hlc: Hlc {
                    wall_ms: 1_795_773_600_000,
                    counter: 3,
                },
                fact,
            };
            (name, body)
        })
        .collect()
}

#[test]
fn entries_of_format_1_are_read() {
    check_read(include_str!("../golden/entries-1.txt"), &bodies(), body_of);
}

#[test]
fn entries_are_written_in_format_1() {
    let text = written(&bodies(), |body| Entry::seal(body).bytes);
    expect_file!["../golden/entries-1.txt"].assert_eq(&text);
}

/// One command of each kind, and one record of each kind.
fn commands() -> Vec<(&'static str, Command)> {
    let mut full_item = item("1", 100, &["4011", "4006381333931", "e:12345", "i:HAM-2"]);
    full_item.age_min = Some(18);
    full_item.deposit = Some(usd(25));
    full_item.brand = Some("Hill Farm".to_owned());
    assert!(full_item.codes.contains(&ItemCode::Plu(4011)));
    let records = vec![
        Record::Item(full_item),
        Record::Department(catalog::Department {
            id: "grocery".into(),
            name: "Grocery".to_owned(),
        }),
        Record::Tax(TaxCategory {
            id: "standard".into(),
            name: "Sales tax".to_owned(),
            rate: Rate::from_percent(8),
            included: true,
            parts: Vec::new(),
        }),
        Record::Employee(employee("101")),
        Record::Customer(catalog::Customer {
            id: "700".into(),
            name: "Grace".to_owned(),
            tier: Tier::Silver,
            phone: Some("555-0141".to_owned()),
            detail: Default::default(),
        }),
        Record::Promotions("schema = 1".to_owned()),
        Record::Settings(Settings {
            store_name: "Lanemesh store".to_owned(),
            ..Settings::default()
        }),
    ];
    let mut creation = creation("ab").into_iter().map(|mut command| {
        // As the first release wrote it, which did not say what it reads.
        if let Command::CreateStore { reads, .. } = &mut command {
            *reads = FORMAT_UNSAID;
        }
        command
    });
    let mut next = || creation.next().unwrap();
    let entry = Entry {
        lane: lane('a'),
        seq: 1,
        bytes: vec![1, 2, 3],
    };
    vec![
        ("create-store", next()),
        ("invite", next()),
        ("admit", next()),
        (
            "ingest",
            Command::Ingest {
                entries: vec![entry],
            },
        ),
        (
            "reference",
            Command::Reference {
                author: "head office".to_owned(),
                records,
            },
        ),
        ("hq-cursor", Command::HqCursor { cursor: 300 }),
        (
            "retire",
            Command::Retire {
                lane: lane('b'),
                why: LeftWhy::Replaced { by: lane('c') },
                by: "102".to_owned(),
                now_ms: 1_795_773_600_000,
            },
        ),
        (
            "recover",
            Command::Recover {
                epoch: Epoch {
                    number: 2,
                    mark: 0xfeed_f00d,
                },
                keeper: lane('a'),
                by: "102".to_owned(),
                now_ms: 1_795_773_600_000,
            },
        ),
        (
            "bar",
            Command::Bar {
                lane: lane('a'),
                keeps: Run(7),
                bars: Run(u64::MAX),
            },
        ),
        (
            "reference-2",
            Command::Reference {
                author: "Ada".to_owned(),
                records: later_records(),
            },
        ),
        (
            "reference-3",
            Command::Reference {
                author: "Ada".to_owned(),
                records: records_for_promotions(),
            },
        ),
        (
            "publish",
            Command::Publish {
                number: 7,
                after: 4,
                author: "head office".to_owned(),
                records: vec![Record::Promotions("schema = 1".to_owned())],
                left_out: vec!["A record of a later release.".to_owned()],
            },
        ),
    ]
}

/// What promotions ask of customers and stores.
fn records_for_promotions() -> Vec<Record> {
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    vec![
        Record::Customer(catalog::Customer {
            id: "702".into(),
            name: "Edsger".to_owned(),
            tier: Tier::Gold,
            phone: None,
            detail: catalog::CustomerDetail {
                groups: words(&["club"]),
                employee: true,
                contracts: words(&["acme"]),
                birthday: Some((2, 29)),
                ..Default::default()
            },
        }),
        Record::Settings(Settings {
            store_name: "Lanemesh store".to_owned(),
            store_number: "12".to_owned(),
            store_groups: words(&["north"]),
            self_checkout_lanes: [4].into(),
            ..Settings::default()
        }),
    ]
}

/// What later releases added to records.
fn later_records() -> Vec<Record> {
    let mut kit = item("2", 500, &[]);
    kit.selling = catalog::Selling {
        floor: None,
        open_price: true,
        ask_serial: true,
        not_returnable: true,
        linked: vec!["3".into()],
        kit: vec![catalog::KitPart {
            item: "4".into(),
            milli: 2000,
        }],
        tare_grams: 20,
        gift_card: false,
    };
    let part = |threshold| TaxPart {
        name: "State".to_owned(),
        rate: Rate::from_percent(4),
        threshold,
        holidays: vec![TaxHoliday {
            first_day: "2026-08-01".to_owned(),
            last_day: "2026-08-07".to_owned(),
            price_max: Some(usd(10_000)),
        }],
    };
    vec![
        Record::Item(kit),
        Record::Tax(TaxCategory {
            id: "clothing".into(),
            name: "Sales tax".to_owned(),
            rate: Rate::from_percent(8),
            included: false,
            parts: vec![
                part(Some(TaxThreshold::ExemptBelow(usd(11_000)))),
                part(Some(TaxThreshold::OnlyAbove(usd(17_500)))),
            ],
        }),
        Record::Customer(catalog::Customer {
            id: "701".into(),
            name: "Alan".to_owned(),
            tier: Tier::Basic,
            phone: None,
            detail: catalog::CustomerDetail {
                email: Some("alan@example.org".to_owned()),
                exemption: Some("EX-1".to_owned()),
                on_account: true,
                ..Default::default()
            },
        }),
        Record::Recall(catalog::Recall {
            item: "1".into(),
            all_lots: false,
            lots: vec!["L7".to_owned()],
            reason: "glass".to_owned(),
        }),
    ]
}

#[test]
fn commands_of_format_1_are_read() {
    check_read(
        include_str!("../golden/commands-1.txt"),
        &commands(),
        |bytes| Command::decode(&bytes).unwrap(),
    );
}

#[test]
fn commands_are_written_in_format_1() {
    let text = written(&commands(), Command::encode);
    expect_file!["../golden/commands-1.txt"].assert_eq(&text);
}

#[test]
fn what_is_no_command_is_an_error() {
    let good = invite(1, 1).encode();
    let check = |bytes: &[u8], expected: &str| {
        let message = Command::decode(bytes).unwrap_err().to_string();
        assert!(message.contains(expected), "{message}");
    };
    check(&[], "it is empty");
    check(&good[..good.len() - 1], "cannot be read");
    check(&[1, 0xff], "cannot be read");
    let mut later = good.clone();
    later[0] = 2;
    check(&later, "format 2");
    assert_eq!(
        Outcome::decode(&later),
        Err(CommandError::FromTheFuture { found: 2 })
    );
}
