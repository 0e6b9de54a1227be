//! Goods that come back: exactly what was paid, in any parts and order, and never more.

use proptest::prelude::*;
use sale::LineTotal;
use testkit::sums::{assert_adds_up, assert_balances};

use crate::commands::refuse;
use crate::shop::Lane;

/// Three yogurts for 2.50, two colas with deposit and tax, a book with tax included.
const SOLD: &str = "in 102 1111 / scan yogurt x 3 / scan 036000291452 x 2 / scan book / cash";

fn total(commands: &str) -> i64 {
    let lane = Lane::after(&format!("{SOLD} / {commands}"));
    let totals = lane.totals();
    assert_adds_up(&totals);
    totals.total.minor()
}

#[test]
fn a_line_comes_back_for_what_was_paid() {
    assert_eq!(total("return 3-000001 1"), -250);
    // 3.00, deposits of 0.50 and tax of 0.24.
    assert_eq!(total("return 3-000001 2"), -374);
    assert_eq!(total("return 3-000001 3"), -1070);
    assert_eq!(total("return 3-000001 1 x 1"), -84);
    assert_eq!(total("return 3-000001 1 x 1 / return 3-000001 1 x 1"), -167);
    assert_eq!(total("return 3-000001 1 x 1 / return 3-000001 1 x 2"), -250);
    assert_eq!(
        total("return 3-000001 1 / return 3-000001 2 / return 3-000001 3"),
        -250 - 374 - 1070
    );
}

#[test]
fn an_exchange_is_even_or_not() {
    assert_eq!(total("return 3-000001 3 / scan book"), 0);
    assert_eq!(total("return 3-000001 1 x 1 / scan yogurt"), 16);
    let lane = Lane::after(&format!("{SOLD} / return 3-000001 3 / scan book / cash"));
    let receipt = lane.register.last_receipt.unwrap();
    assert_balances(&receipt);
    assert_eq!(receipt.totals.total.minor(), 0);
}

#[test]
fn cash_goes_back_out_of_the_drawer() {
    let mut lane = Lane::after(&format!("in 102 1111 / drawer 50 / out / {SOLD}"));
    let before = lane.register.drawer.as_ref().unwrap().cash_minor;
    lane.all("return 3-000001 3 / cash");
    let receipt = lane.register.last_receipt.as_ref().unwrap();
    assert_balances(receipt);
    assert_eq!(receipt.totals.total.minor(), -1070);
    let after = lane.register.drawer.as_ref().unwrap().cash_minor;
    assert_eq!(after, before - 1070);
}

#[test]
fn nothing_comes_back_twice() {
    let once = format!("{SOLD} / return 3-000001 1 x 2 / cash");
    refuse(
        &once,
        "return 3-000001 1 x 2",
        "1 of it can still be returned",
    );
    let here = format!("{SOLD} / return 3-000001 1 x 2");
    refuse(
        &here,
        "return 3-000001 1 x 2",
        "1 of it can still be returned",
    );
    let all = format!("{SOLD} / return 3-000001 1 / cash");
    refuse(&all, "return 3-000001 1", "0 of it can still be returned");
    // What was taken back is no sale that could come back.
    refuse(&all, "return 3-000002 1", "no line 1");
    // A return that was voided can be made again.
    let voided = format!("{SOLD} / return 3-000001 1 / void 1");
    let mut lane = Lane::after(&voided);
    lane.all("return 3-000001 1");
    assert_eq!(lane.totals().total.minor(), -250);
}

#[test]
fn what_another_lane_took_back_meanwhile_is_not_paid_for() {
    let check = |meanwhile: u32, milli: i64, expected: Option<&str>| {
        for pay in ["cash", "with credit -"] {
            let mut lane = Lane::after(&format!("{SOLD} / return 3-000001 1 x 2"));
            let sold = lane.shared.receipts.get_mut("3-000001").unwrap();
            sold.returned_milli.insert(meanwhile, milli);
            let refusal = lane.submit(pay).err().map(|refusal| refusal.to_string());
            match (refusal, expected) {
                (Some(refusal), Some(expected)) => assert!(refusal.contains(expected), "{refusal}"),
                (refusal, expected) => assert_eq!(refusal.as_deref(), expected),
            }
        }
    };
    check(1, 0, None);
    check(2, 1_000, None);
    check(1, 2_000, Some("1 of it can still be returned"));
    check(1, 3_000, Some("0 of it can still be returned"));
    // Two are left, but what two give back depends on which they are.
    check(1, 1_000, Some("2 of it can still be returned"));
    // Voided and taken back again, they are paid for.
    let mut lane = Lane::after(&format!("{SOLD} / return 3-000001 1 x 2"));
    let sold = lane.shared.receipts.get_mut("3-000001").unwrap();
    sold.returned_milli.insert(1, 1_000);
    lane.all("void 1 / return 3-000001 1 x 2 / cash");
    let receipt = lane.register.last_receipt.unwrap();
    assert_eq!(receipt.totals.total.minor(), -166);
}

#[test]
fn returns_are_refused_with_words() {
    refuse(SOLD, "return 3-000009 1", "No receipt 3-000009");
    refuse(SOLD, "return 3-000001 9", "no line 9");
    refuse(SOLD, "return 3-000001 1 x 0", "out of range");
    refuse(SOLD, "return 3-000001 1 x 1.5", "whole number");
    refuse(
        &format!("{SOLD} / out / in 101 1111"),
        "return 3-000001 1",
        "needs a supervisor",
    );
    let open = format!("{SOLD} / return 3-000001 1");
    refuse(&open, "line 1 x 2", "takes goods back");
    refuse(&open, "price 1 99", "takes goods back");
    refuse(&open, "tax 1 food why", "takes goods back");
    refuse(&open, "cash 2.51", "No more than 2.50");
    refuse(&open, "with voucher V-1", "not given back that way");
    let mut lane = Lane::after(SOLD);
    for item in &mut lane.books.items {
        item.selling.not_returnable = item.id.0 == "book";
    }
    let words = lane.submit("return 3-000001 3").unwrap_err().to_string();
    assert_eq!(words, "book is not taken back.");
}

/// Adds what a line total says to sums of extended, discount, deposit and tax.
fn add(sums: &mut [i64; 4], total: &LineTotal) {
    let parts = [total.extended, total.discount, total.deposit, total.tax];
    for (sum, part) in sums.iter_mut().zip(parts) {
        *sum += part.minor();
    }
}

proptest! {
    /// Whatever was sold, in whatever parts and order it comes back: all of it gives back exactly
    /// what was paid, and at no time more.
    #[test]
    fn all_parts_give_back_exactly_what_was_paid(
        scans in prop::collection::vec(
            prop::sample::select(vec![
                "scan 4006381333931", "scan 4006381333931 x 7", "scan yogurt x 3",
                "scan yogurt x 11", "scan book x 5", "scan 036000291452 x 6", "scan bread x 2",
                "scan 4011 x 0.455", "scan 2112345006789", "scan pen x 7", "scan coat x 3",
                "scan maple x 3", "scan water x 3", "scan hamper x 2", "scan nuts x 0.250",
            ]),
            1..6,
        ),
        by_invoice in any::<bool>(),
        picks in prop::collection::vec((any::<prop::sample::Index>(), 1..4_i64, any::<bool>()), 1..40),
    ) {
        let mut lane = Lane::new();
        if by_invoice {
            lane.books.settings.tax_rounding = catalog::TaxRounding::Invoice;
            lane.books.settings.deposits_taxed = true;
        }
        lane.all(&format!("in 102 1111 / customer 700 / {} / cash", scans.join(" / ")));
        let sold = lane.register.last_receipt.clone().unwrap();
        let mut left: Vec<(u32, i64)> = sold
            .lines
            .iter()
            .map(|line| (line.number, line.quantity.pieces().unwrap_or(0)))
            .collect();
        let mut back = [0; 4];
        let paid = sold.totals.lines.iter().fold([0; 4], |mut sums, total| {
            add(&mut sums, total);
            sums
        });
        let mut refunded = 0;
        let mut rest: Vec<String> = Vec::new();
        for (pick, pieces, pay) in picks {
            let (line, pieces_left) = pick.get(&left).to_owned();
            let take = pieces.min(pieces_left);
            if take == 0 {
                continue;
            }
            lane.all(&format!("return 3-000001 {line} x {take}"));
            left.iter_mut().find(|(n, _)| *n == line).unwrap().1 -= take;
            if pay {
                refunded += pay_out(&mut lane, &mut back);
            }
        }
        for (line, pieces_left) in &left {
            let weighed = sold.lines.iter().any(|l| l.number == *line && l.quantity.pieces().is_none());
            if weighed || *pieces_left > 0 {
                rest.push(format!("return 3-000001 {line}"));
            }
        }
        lane.all(&rest.join(" / "));
        refunded += pay_out(&mut lane, &mut back);
        prop_assert_eq!(refunded, sold.totals.total.minor());
        prop_assert_eq!(back.map(|minor| -minor), paid);
    }
}

/// Gives back what the open cart owes, and returns it.
fn pay_out(lane: &mut Lane, back: &mut [i64; 4]) -> i64 {
    if lane.register.cart.is_none() {
        return 0;
    }
    lane.all("cash");
    let receipt = lane.register.last_receipt.as_ref().unwrap();
    assert_balances(receipt);
    assert_adds_up(&receipt.totals);
    receipt
        .totals
        .lines
        .iter()
        .for_each(|total| add(back, total));
    -receipt.totals.total.minor()
}
