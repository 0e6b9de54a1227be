//! Every way of paying, in parts and over, and the rounding of cash.

use catalog::{ForeignRate, PointsWorth};
use sale::{Event, Refusal, Tender};
use testkit::sums::assert_balances;
use testkit::words::show;

use crate::commands::{check, refuse};
use crate::shop::Lane;

/// 1.99 and tax of 0.16: 2.15 are due.
const MILK: &str = "in 102 1111 / scan 4006381333931";

/// A lane whose store rounds cash to 0.05 and takes euros.
fn swiss(commands: &str) -> Lane {
    let mut lane = Lane::new();
    lane.books.settings.cash_rounding_minor = 5;
    lane.books.settings.foreign_cash = vec![ForeignRate {
        currency: "EUR".parse().unwrap(),
        rate: "1.25".to_owned(),
    }];
    lane.all(commands);
    lane
}

/// What the last receipt was paid with, and the change.
#[track_caller]
fn paid(lane: &Lane, expected: &str) {
    let receipt = lane.register.last_receipt.as_ref().unwrap();
    assert_balances(receipt);
    let parts = receipt
        .tenders
        .iter()
        .map(|t| format!("{} {}", t.kind(), t.amount()));
    let parts: Vec<String> = parts.collect();
    let got = format!("{}; change {}", parts.join(", "), receipt.change);
    assert_eq!(got, expected);
}

#[test]
fn tenders_are_split_in_any_number() {
    let mut lane = Lane::after(MILK);
    lane.all("with voucher V-1 0.50 / with cheque 1001 0.50 / cash 0.15 / cash 5");
    paid(
        &lane,
        "voucher 0.50, cheque 0.50, cash 0.15, cash 5.00; change 4.00",
    );
    let cents = "/ cash 0.01".repeat(50);
    refuse(&format!("{MILK} {cents}"), "cash 0.01", "at most 50 parts");
}

#[test]
fn over_tender_follows_the_kind() {
    refuse(MILK, "with cheque 1001 2.16", "No more than 2.15");
    let mut lane = Lane::after(MILK);
    lane.all("with voucher V-1 10");
    // What a voucher is worth beyond the sale is lost, and kept as its face value.
    paid(&lane, "voucher 2.15; change 0.00");
    let receipt = lane.register.last_receipt.as_ref().unwrap();
    assert!(matches!(&receipt.tenders[0], Tender::Voucher { face, .. } if face.minor() == 1000));
    check(MILK, "with voucher V-1 1", "due 2.15 / voucher 1.00");
    refuse(MILK, "with voucher V-1 0", "Nothing");
    refuse(MILK, "with voucher 4111111111111111 1", "cannot be kept");
    refuse(MILK, "with voucher", "cannot be kept");
    refuse(
        "in 101 1111 / scan yogurt",
        "with cheque 1001",
        "needs a supervisor",
    );
    refuse("in 101 1111", "with voucher V-1 1", "no open sale");
}

#[test]
fn an_account_is_for_customers_who_have_one() {
    refuse(MILK, "with account", "no customer who may buy on account");
    refuse(
        "in 102 1111 / customer 701 / scan yogurt",
        "with account",
        "no customer",
    );
    let mut lane = Lane::after("in 102 1111 / customer 700 / scan yogurt / with account");
    paid(&lane, "account 1.00; change 0.00");
    lane.all("customer 700 / return 3-000001 1 / with account");
    paid(&lane, "account -1.00; change 0.00");
}

#[test]
fn foreign_cash_is_changed_in_the_stores_own() {
    let mut lane = swiss(MILK);
    lane.all("with eur 10");
    paid(&lane, "foreign-cash 12.50; change 10.35");
    refuse(MILK, "with eur 10", "EUR is not taken here");
    let mut lane = swiss(MILK);
    let words = lane.submit("with eur").unwrap_err().to_string();
    assert!(words.contains("Say how much"), "{words}");
    let words = lane.submit("with eur 0").unwrap_err().to_string();
    assert!(words.contains("cannot be taken"), "{words}");
    lane.all("with eur 1 / cash 1");
    paid(
        &lane,
        "foreign-cash 1.25, cash 1.00, rounding -0.10; change 0.00"
            .replace(", rounding -0.10", "")
            .replace("cash 1.00; change 0.00", "cash 1.00; change 0.10")
            .as_str(),
    );
}

#[test]
fn only_cash_is_rounded() {
    let check = |price: &str, commands: &str, expected: &str| {
        let mut lane = swiss("in 102 1111 / scan book");
        lane.all(&format!("price 1 {price} / {commands}"));
        paid(&lane, expected);
    };
    check("10.01", "cash", "cash 10.00, rounding 0.01; change 0.00");
    check("10.02", "cash", "cash 10.00, rounding 0.02; change 0.00");
    check("10.03", "cash", "cash 10.05, rounding -0.02; change 0.00");
    check("10.05", "cash", "cash 10.05; change 0.00");
    check(
        "10.02",
        "cash 20",
        "cash 20.00, rounding 0.02; change 10.00",
    );
    check(
        "10.03",
        "cash 20",
        "cash 20.00, rounding -0.02; change 9.95",
    );
    check("10.02", "with cheque 1", "cheque 10.02; change 0.00");
    check(
        "10.02",
        "with cheque 1 5.01 / cash",
        "cheque 5.01, cash 5.00, rounding 0.01; change 0.00",
    );
    check("0.02", "cash", "cash 0.00, rounding 0.02; change 0.00");
}

#[test]
fn a_tender_is_given_back() {
    check(
        &format!("{MILK} / cash 1"),
        "untender 1",
        "tender 1 given back",
    );
    refuse(&format!("{MILK} / cash 1"), "untender 2", "no tender 2");
    refuse(&format!("{MILK} / cash 1"), "untender 0", "no tender 0");
    refuse(MILK, "untender 1", "has not begun");
    let mut lane = Lane::after(&format!(
        "{MILK} / cash 1 / with voucher V-1 1 / untender 1"
    ));
    lane.all("cash 1.15");
    paid(&lane, "voucher 1.00, cash 1.15; change 0.00");
    // The sale goes on where the only tender was given back.
    let lane = Lane::after(&format!(
        "{MILK} / cash 1 / untender 1 / scan yogurt / cash"
    ));
    paid(&lane, "cash 3.15; change 0.00");
}

#[test]
fn store_credit_is_made_and_spent() {
    let mut lane = Lane::after("in 102 1111 / scan yogurt x 3 / cash / return 3-000001 1");
    let events = lane.submit("with credit -").unwrap();
    let shown: Vec<String> = events.iter().map(show).collect();
    assert_eq!(
        shown.join(" / "),
        "due -2.50 / store-credit -2.50 / receipt 3-000002, total -2.50, change 0.00"
    );
    let Event::Tendered {
        tender: Tender::StoreCredit { number, .. },
        ..
    } = &events[1]
    else {
        panic!("{events:?}");
    };
    assert_eq!(number, "C3-000002");
    lane.all("scan yogurt / with credit C3-000002");
    paid(&lane, "store-credit 1.00; change 0.00");
    lane.all("scan yogurt x 2");
    let words = lane
        .submit("with credit C3-000002 1.51")
        .unwrap_err()
        .to_string();
    assert_eq!(words, "The credit note holds 1.50.");
    lane.all("with credit C3-000002 1");
    let words = lane
        .submit("with credit C3-000002 0.60")
        .unwrap_err()
        .to_string();
    assert_eq!(words, "The credit note holds 0.50.");
    let words = lane.submit("with credit C3-9").unwrap_err().to_string();
    assert_eq!(words, "There is no credit note C3-9.");
    lane.all("with credit C3-000002 0.50 / cash");
    paid(
        &lane,
        "store-credit 1.00, store-credit 0.50, cash 0.50; change 0.00",
    );
}

#[test]
fn a_lane_without_a_terminal_takes_all_but_cards() {
    let mut lane = Lane::after("in 101 1111 / scan 4006381333931");
    lane.terminal = None;
    let before = lane.register.clone();
    assert_eq!(lane.submit("with card"), Err(Refusal::NoTerminal));
    assert_eq!(lane.register, before, "nothing is left of it");
    lane.all("cash");
    assert_eq!(lane.register.receipts, 1);
    // A charge of before the terminal was taken away stays on the sale.
    let mut lane =
        Lane::after("in 101 1111 / scan 4006381333931 / with card 1 / terminal approves");
    lane.terminal = None;
    assert_eq!(lane.submit("untender 1"), Err(Refusal::NoTerminal));
    lane.all("cash");
    assert_eq!(lane.register.last_receipt.unwrap().tenders.len(), 2);
}

#[test]
fn a_lane_that_is_cut_off_takes_no_points() {
    let mut lane = Lane::new();
    lane.books.settings.points = PointsWorth {
        step: 7,
        worth_minor: 50,
    };
    lane.all("in 101 1111 / scan book / customer 701 / cash / scan bread / customer 701");
    lane.cut_off = true;
    assert_eq!(lane.submit("with points"), Err(Refusal::PointsCutOff));
    lane.cut_off = false;
    lane.all("with points");
}
