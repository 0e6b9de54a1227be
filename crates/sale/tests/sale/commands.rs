//! Every command and every refusal: given what was done, when this is asked, then that happens.

use catalog::BookVersion;
use sale::{Event, LINES_MAX, Refusal, Register};
use testkit::words::show;

use crate::shop::Lane;

/// Given the commands (separated by `/`), the next one gives these events (separated by `/`).
#[track_caller]
pub fn check(given: &str, when: &str, then: &str) {
    let mut lane = Lane::after(given);
    let events = match lane.submit(when) {
        Ok(events) => events,
        Err(refusal) => panic!("refused: {refusal}"),
    };
    let got: Vec<String> = events.iter().map(show).collect();
    assert_eq!(got.join(" / "), then, "{given} / {when}");
}

/// Given the commands, the next one is refused with these words and changes nothing but the count
/// of wrong PINs.
#[track_caller]
pub fn refuse(given: &str, when: &str, words: &str) -> Refusal {
    let mut lane = Lane::after(given);
    let before = lane.register.clone();
    let refusal = lane.submit(when).expect_err("it should be refused");
    assert!(refusal.to_string().contains(words), "{refusal}");
    assert!(!refusal.hint().is_empty());
    let after = Register {
        wrong_pins: before.wrong_pins.clone(),
        ..lane.register
    };
    assert_eq!(after, before);
    refusal
}

const ADA: &str = "in 101 1111";
const MILK: &str = "in 101 1111 / scan 4006381333931";
/// 1.99 and tax of 0.16: 2.15 are due.
const PAYING: &str = "in 101 1111 / scan 4006381333931 / cash 1";

#[test]
fn signing_in_and_out() {
    check("", "in 101 1111", "Ada in as Cashier");
    check("", "in 103 1111", "Chien in as Manager");
    check(ADA, "out", "out");
    check(
        "in 101 1111 / out",
        "in 102 1111",
        "Barbara in as Supervisor",
    );
    let wrong = refuse("", "in 101 2222", "do not match");
    // Who does not exist is told the same as who typed a wrong PIN.
    assert_eq!(refuse("", "in 999 1111", "do not match"), wrong);
    refuse(ADA, "in 101 1111", "Ada is signed in");
    refuse(ADA, "in 102 1111", "Ada is signed in");
    refuse(MILK, "out", "A sale is open");
    check("in 101 1111 / open / void sale", "out", "out");
}

#[test]
fn nothing_goes_without_signing_in() {
    for when in [
        "out",
        "open",
        "scan 4011 x 1",
        "line 1 x 2",
        "void 1",
        "price 1 0.50",
        "age 21",
        "customer 700",
        "cash",
        "take back",
        "void sale",
    ] {
        assert_eq!(
            refuse("", when, "No one is signed in"),
            Refusal::NotSignedIn
        );
    }
}

#[test]
fn opening_a_cart() {
    check(ADA, "open", "cart 1 opened, book 5, 2026-11-27, -");
    check(ADA, "open b-9", "cart 1 opened, book 5, 2026-11-27, b-9");
    check(
        "in 101 1111 / open / void sale",
        "open",
        "cart 2 opened, book 5, 2026-11-27, -",
    );
    refuse("in 101 1111 / open", "open", "A sale is open");
    refuse(MILK, "open", "A sale is open");
}

#[test]
fn scanning_what_is_sold_by_the_piece() {
    check(
        ADA,
        "scan 4006381333931",
        "cart 1 opened, book 5, 2026-11-27, - / line 1: 1 milk at 1.99",
    );
    check(MILK, "scan 4006381333931", "line 2: 1 milk at 1.99");
    check(MILK, "scan 4006381333931 x 12", "line 2: 12 milk at 1.99");
    // By the item's own code, and by UPC-A.
    check(MILK, "scan yogurt", "line 2: 1 yogurt at 1.00");
    check(MILK, "scan 036000291452", "line 2: 1 cola at 1.50");
    check(
        MILK,
        "scan 4006381333931 x 100000",
        "line 2: 100000 milk at 1.99",
    );
}

#[test]
fn scanning_what_is_weighed() {
    check(
        MILK,
        "scan 4011 x 0.455",
        "line 2: 0.455 kg bananas at 1.29",
    );
    check(MILK, "scan 4011 x 2", "line 2: 2.000 kg bananas at 1.29");
    let refusal = refuse(MILK, "scan 4011", "bananas is sold by weight");
    let (scanned, description) = ("4011".to_owned(), "bananas".to_owned());
    assert_eq!(
        refusal,
        Refusal::WeightNeeded {
            scanned,
            description
        }
    );
}

#[test]
fn scanning_labels_of_the_scale() {
    // The price is fixed by the label: one piece, whatever the item is sold by.
    check(MILK, "scan 2112345006789", "line 2: 1 ham at 6.78");
    check(MILK, "scan 212345006788", "line 2: 1 ham at 6.78");
    check(MILK, "scan 2112345006789 x 2", "line 2: 2 ham at 6.78");
    // The weight is fixed by the label, whatever is typed.
    check(MILK, "scan 2312345004550", "line 2: 0.455 kg ham at 8.99");
    check(
        MILK,
        "scan 2312345004550 x 9",
        "line 2: 0.455 kg ham at 8.99",
    );
    refuse(MILK, "scan 2154321006789", "No item has the code");
    refuse(MILK, "scan 2112345000008", "carries no price or weight");
}

#[test]
fn codes_that_find_nothing() {
    refuse(ADA, "scan 4012", "No item has the code 4012");
    refuse(ADA, "scan nothing", "No item has the code nothing");
    refuse(ADA, "scan 4006381333932", "check digit");
    refuse(ADA, "scan mi!k", "is not a code");
    refuse(ADA, "scan orphan", "tax category lost is missing");
}

#[test]
fn quantities_that_make_no_sense() {
    for (when, words) in [
        ("scan 4006381333931 x 0", "out of range"),
        ("scan 4006381333931 x -1", "out of range"),
        ("scan 4006381333931 x 1.5", "whole number"),
        ("scan 4006381333931 x many", "not a quantity"),
        ("scan 4006381333931 x 100001", "out of range"),
        ("scan 4011 x 0.4555", "finer than a gram"),
        ("scan gold x 3", "more than one line can cost"),
        ("line 1 x 0", "out of range"),
        ("line 1 x 0.5", "whole number"),
        ("line 2 x 3", "more than one line can cost"),
    ] {
        let given = "in 101 1111 / scan 4006381333931 / scan gold x 2";
        let refusal = refuse(given, when, words);
        assert!(matches!(refusal, Refusal::BadQuantity { .. }), "{refusal}");
    }
}

#[test]
fn the_age_of_the_buyer() {
    let refusal = refuse(MILK, "scan 96385074", "the buyer must be 21 or older");
    let (scanned, description) = ("96385074".to_owned(), "wine".to_owned());
    let years = 21;
    assert_eq!(
        refusal,
        Refusal::AgeCheck {
            scanned,
            description,
            years
        }
    );
    check(MILK, "age 21", "age 21 seen by 101");
    check(
        ADA,
        "age 18",
        "cart 1 opened, book 5, 2026-11-27, - / age 18 seen by 101",
    );
    let wine = "line 1: 1 wine at 12.00";
    check("in 101 1111 / age 21", "scan 96385074", wine);
    check("in 101 1111 / age 30", "scan 96385074", wine);
    // Having seen less later does not take back what was seen.
    check("in 101 1111 / age 21 / age 16", "scan 96385074", wine);
    refuse("in 101 1111 / age 18", "scan 96385074", "21 or older");
    // It holds for one sale only.
    refuse(
        "in 101 1111 / age 21 / void sale",
        "scan 96385074",
        "21 or older",
    );
    refuse(PAYING, "age 21", "Paying has begun");
}

#[test]
fn changing_a_line() {
    check(MILK, "line 1 x 3", "line 1 now 3");
    let weighed = "in 101 1111 / scan 4011 x 1";
    check(weighed, "line 1 x 0.5", "line 1 now 0.500 kg");
    check(MILK, "void 1", "line 1 void");
    // A number that was void is not used again.
    let voided = "in 101 1111 / scan 4006381333931 / void 1";
    check(voided, "scan yogurt", "line 2: 1 yogurt at 1.00");
    for when in ["line 2 x 3", "void 2", "price 2 1.00", "void 0"] {
        refuse(MILK, when, "There is no line");
    }
    for when in ["line 1 x 3", "void 1"] {
        refuse(voided, when, "There is no line 1");
        refuse(ADA, when, "There is no open sale");
        refuse(PAYING, when, "Paying has begun: 1.00 of 2.15 is paid");
    }
}

#[test]
fn overriding_a_price() {
    let supervisor = "in 102 1111 / scan 4006381333931";
    let manager = "in 103 1111 / scan 4006381333931";
    check(
        supervisor,
        "price 1 0.99",
        "line 1 now at 0.99 by 102: dented",
    );
    check(manager, "price 1 0", "line 1 now at 0.00 by 103: dented");
    let refusal = refuse(MILK, "price 1 0.99", "needs a supervisor");
    assert!(refusal.hint().contains("supervisor"));
    for (price, words) in [
        ("-1", "is negative"),
        ("0.999", "decimal places"),
        ("cheap", "not an amount"),
        ("99999999999999999", "out of range"),
        ("999999999999.99", "more than one line can cost"),
    ] {
        let refusal = refuse(supervisor, &format!("price 1 {price}"), words);
        assert!(matches!(refusal, Refusal::BadAmount { .. }), "{refusal}");
    }
    refuse("in 102 1111", "price 1 1.00", "There is no open sale");
    refuse(PAYING, "price 1 1.00", "Paying has begun");
}

#[test]
fn naming_the_customer() {
    check(MILK, "customer 700", "customer Grace, Gold");
    check(
        ADA,
        "customer 701",
        "cart 1 opened, book 5, 2026-11-27, - / customer Grace, Basic",
    );
    refuse(MILK, "customer 999", "There is no customer 999");
    refuse(PAYING, "customer 700", "Paying has begun");
}

#[test]
fn paying_in_cash() {
    let exactly = "due 2.15 / cash 2.15 / receipt 3-000001, total 2.15, change 0.00";
    check(MILK, "cash", exactly);
    check(MILK, "cash 2.15", exactly);
    check(
        MILK,
        "cash 20",
        "due 2.15 / cash 20.00 / receipt 3-000001, total 2.15, change 17.85",
    );
    check(MILK, "cash 1", "due 2.15 / cash 1.00");
    check(PAYING, "cash 1", "cash 1.00");
    let rest = "cash 1.15 / receipt 3-000001, total 2.15, change 0.00";
    check(PAYING, "cash", rest);
    check(PAYING, "cash 1.15", rest);
    check(
        PAYING,
        "cash 5",
        "cash 5.00 / receipt 3-000001, total 2.15, change 3.85",
    );
    for (amount, words) in [
        ("0", "Nothing was handed over"),
        ("-5", "is negative"),
        ("1.999", "decimal places"),
        ("much", "not an amount"),
        ("100000.01", "more cash than a drawer holds"),
    ] {
        for given in [MILK, PAYING] {
            let refusal = refuse(given, &format!("cash {amount}"), words);
            assert!(matches!(refusal, Refusal::BadAmount { .. }), "{refusal}");
        }
    }
    refuse(ADA, "cash", "There is no open sale");
    refuse(
        "in 101 1111 / open",
        "cash",
        "nothing in the sale to pay for",
    );
    let all_void = "in 101 1111 / scan 4006381333931 / void 1";
    refuse(all_void, "cash 5", "nothing in the sale to pay for");
}

#[test]
fn a_sale_that_costs_nothing_is_paid_with_nothing() {
    let free = "in 102 1111 / scan yogurt / price 1 0";
    let done = "due 0.00 / cash 0.00 / receipt 3-000001, total 0.00, change 0.00";
    check(free, "cash", done);
    check(free, "cash 0", done);
}

#[test]
fn a_sale_too_dear_for_one_tender_is_paid_with_several() {
    let dear = "in 101 1111 / scan yogurt x 100000 / scan bread x 40000";
    refuse(dear, "cash", "more cash than a drawer holds");
    let mut lane = Lane::after(dear);
    lane.all("cash 100000 / cash 100000 / cash");
    let receipt = lane.register.last_receipt.unwrap();
    assert_eq!(receipt.tenders.len(), 3);
    assert_eq!(receipt.change.minor(), 0);
}

#[test]
fn giving_tenders_back() {
    check(PAYING, "take back", "tenders returned");
    refuse(MILK, "take back", "Paying has not begun");
    refuse(ADA, "take back", "There is no open sale");
    let back = "in 101 1111 / scan 4006381333931 / cash 1 / take back";
    check(back, "scan yogurt", "line 2: 1 yogurt at 1.00");
    check(
        back,
        "cash 5",
        "due 2.15 / cash 5.00 / receipt 3-000001, total 2.15, change 2.85",
    );
}

#[test]
fn voiding_the_sale() {
    check(MILK, "void sale", "cart void: left the shop");
    check(
        "in 101 1111 / open",
        "void sale",
        "cart void: left the shop",
    );
    refuse(ADA, "void sale", "There is no open sale");
    refuse(PAYING, "void sale", "Paying has begun");
}

#[test]
fn nothing_is_added_while_paying() {
    for when in ["scan 4011 x 1", "scan nothing", "age 21", "line 1 x 2"] {
        let refusal = refuse(PAYING, when, "Paying has begun: 1.00 of 2.15 is paid");
        assert!(matches!(refusal, Refusal::Paying { .. }));
    }
    refuse(PAYING, "open", "A sale is open");
    refuse(PAYING, "out", "A sale is open");
}

#[test]
fn a_cart_has_room_for_so_many_lines() {
    let mut lane = Lane::after("in 101 1111 / open");
    for _ in 0..LINES_MAX {
        lane.all("scan yogurt");
    }
    // Void lines count, too: their numbers are used up.
    lane.all("void 1");
    let lines = LINES_MAX;
    assert_eq!(lane.submit("scan yogurt"), Err(Refusal::CartFull { lines }));
    lane.all("cash 2000");
    lane.all("scan yogurt");
}

#[test]
fn a_cart_keeps_the_prices_of_its_first_scan() {
    let mut lane = Lane::new();
    lane.books.version = BookVersion(4);
    lane.all("in 101 1111 / open");
    // The new price comes while the cart is open.
    lane.books.version = BookVersion(5);
    let price_of_bread = |events: Vec<Event>| match events.last() {
        Some(Event::LineAdded { line, .. }) => line.unit_price.minor(),
        other => panic!("{other:?}"),
    };
    assert_eq!(price_of_bread(lane.submit("scan bread").unwrap()), 280);
    lane.all("cash");
    assert_eq!(
        lane.register.last_receipt.as_ref().unwrap().book,
        BookVersion(4)
    );
    assert_eq!(price_of_bread(lane.submit("scan bread").unwrap()), 300);
}

#[test]
fn receipts_and_carts_are_numbered_on() {
    let mut lane = Lane::after("in 101 1111");
    for number in 1..=3 {
        lane.all("scan yogurt / void sale / scan yogurt / cash");
        let receipt = lane.register.last_receipt.as_ref().unwrap();
        assert_eq!(receipt.id, format!("3-{number:06}"));
        assert_eq!(receipt.cart.number, 2 * number);
    }
    assert_eq!((lane.register.carts, lane.register.receipts), (6, 3));
}

#[test]
fn a_receipt_says_all_about_its_sale() {
    let mut lane =
        Lane::after("in 102 1111 / open b-9 / customer 700 / scan yogurt / scan 4011 x 1");
    lane.all("void 1 / price 2 1.00 / cash 5");
    let receipt = lane.register.last_receipt.unwrap();
    assert_eq!(receipt.store_name, "Corner shop");
    assert_eq!(receipt.lane_name, "Lane 3");
    assert_eq!(
        (receipt.cashier.0.as_str(), receipt.cashier_name.as_str()),
        ("102", "Barbara")
    );
    assert_eq!(receipt.customer, Some("700".into()));
    assert_eq!(receipt.reference.as_deref(), Some("b-9"));
    assert_eq!(receipt.day.0, "2026-11-27");
    assert_eq!(receipt.lines.len(), 1, "void lines are left out");
    let line = &receipt.lines[0];
    assert_eq!((line.number, line.unit_price.minor()), (2, 100));
    assert_eq!(line.price_override.as_ref().unwrap().reason, "dented");
    assert!(receipt.opened_at < receipt.priced_at);
}

#[test]
fn words_are_kept_to_a_length() {
    let long = "é".repeat(150);
    let mut lane = Lane::after("in 101 1111");
    let events = lane.submit(&format!("open {long}")).unwrap();
    let Event::CartOpened { reference, .. } = &events[0] else {
        panic!("{events:?}");
    };
    assert_eq!(reference.as_deref(), Some("é".repeat(100).as_str()));
}

#[test]
fn goods_with_a_date_or_a_lot() {
    // Today is 2026-11-27; what expires today may still be sold.
    check(
        MILK,
        "scan (01)04006381333931(17)261127(10)L8",
        "line 2: 1 milk at 1.99",
    );
    check(
        MILK,
        "scan https://id.gs1.org/01/4006381333931/10/L8",
        "line 2: 1 milk at 1.99",
    );
    refuse(
        ADA,
        "scan (01)04006381333931(17)261126",
        "milk expired on 2026-11-26",
    );
    refuse(
        ADA,
        "scan (01)04006381333931(10)L7",
        "milk was recalled: glass",
    );
    refuse(ADA, "scan soup", "soup was recalled");
    refuse(ADA, "scan (01)04006381333932", "check digit");
    refuse(ADA, "scan (255)9501101021518123", "No promotion here takes");
    check(
        MILK,
        "scan (01)04006381333931(30)3",
        "line 2: 3 milk at 1.99",
    );
    check(
        MILK,
        "scan (01)04006381333931(3922)0150",
        "line 2: 1 milk at 1.50",
    );
    // A weight on goods that are sold by the piece changes nothing.
    check(
        MILK,
        "scan (01)04006381333931(3103)000455",
        "line 2: 1 milk at 1.99",
    );
}

#[test]
fn a_line_remembers_what_its_code_said() {
    let mut lane = Lane::after("in 101 1111 / scan (01)04006381333931(10)L8(21)S1(15)261130");
    let marks = &lane.register.cart.take().unwrap().lines[0].detail.marks;
    assert_eq!(marks.lot.as_deref(), Some("L8"));
    assert_eq!(marks.serial.as_deref(), Some("S1"));
    assert_eq!(marks.best_before.as_deref(), Some("2026-11-30"));
}
