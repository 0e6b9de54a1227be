//! What a cart costs: promotions, deposits, tax added and tax included, to the cent.

use money::Money;
use testkit::sums::{assert_adds_up, assert_balances};

use crate::shop::{Lane, usd};

/// After these commands the open cart costs this: gross, discount, deposits, tax added, tax
/// included, total, in cents.
#[track_caller]
fn check(commands: &str, expected: [i64; 6]) {
    let lane = Lane::after(&format!("in 102 1111 / open / {commands}"));
    let totals = lane.totals();
    assert_adds_up(&totals);
    let got = [
        totals.gross,
        totals.discount,
        totals.deposits,
        totals.tax_added,
        totals.tax_included,
        totals.total,
    ];
    assert_eq!(got.map(Money::minor), expected, "{commands}");
}

#[test]
fn tax_is_added_line_by_line() {
    check("scan 4006381333931", [199, 0, 0, 16, 0, 215]);
    check("scan 4006381333931 x 2", [398, 0, 0, 32, 0, 430]);
    // 8 % of 1.99 is 0.1592: rounded on each line, as the lines are shown.
    check(
        "scan 4006381333931 / scan 4006381333931 / scan 4006381333931",
        [597, 0, 0, 48, 0, 645],
    );
    check("scan yogurt x 2", [200, 0, 0, 0, 0, 200]);
}

#[test]
fn tax_that_a_price_contains_is_told_and_not_added() {
    check("scan book", [1070, 0, 0, 0, 70, 1070]);
    check("scan book / scan 4006381333931", [1269, 0, 0, 16, 70, 1285]);
}

#[test]
fn weights_are_rounded_once() {
    // 0.455 kg at 1.29 is 0.58695.
    check("scan 4011 x 0.455", [59, 0, 0, 0, 0, 59]);
    check("scan 4011 x 0.001", [0, 0, 0, 0, 0, 0]);
    check("scan 2312345004550", [409, 0, 0, 0, 0, 409]);
    check("scan 2112345006789", [678, 0, 0, 0, 0, 678]);
}

#[test]
fn deposits_are_charged_by_the_piece_and_never_taxed() {
    check("scan 036000291452", [150, 0, 25, 12, 0, 187]);
    check("scan 036000291452 x 6", [900, 0, 150, 72, 0, 1122]);
    check("scan 036000291452 / price 1 0", [0, 0, 25, 0, 0, 25]);
}

#[test]
fn promotions_come_off_before_tax() {
    check("scan yogurt x 3", [300, 50, 0, 0, 0, 250]);
    check(
        "scan yogurt / scan yogurt / scan yogurt",
        [300, 50, 0, 0, 0, 250],
    );
    check("scan yogurt x 4", [400, 50, 0, 0, 0, 350]);
    check("scan yogurt x 3 / void 1", [0, 0, 0, 0, 0, 0]);
    check("scan yogurt x 3 / line 1 x 2", [200, 0, 0, 0, 0, 200]);
    // 10 % off 12.00, and 8 % on the 10.80 that are left.
    check(
        "age 21 / scan 96385074 / customer 700",
        [1200, 120, 0, 86, 0, 1166],
    );
    check(
        "age 21 / scan 96385074 / customer 701",
        [1200, 0, 0, 96, 0, 1296],
    );
    check("age 21 / scan 96385074", [1200, 0, 0, 96, 0, 1296]);
}

#[test]
fn taxes_are_summed_by_category() {
    let lane = Lane::after("in 101 1111 / scan book / scan 4006381333931 / scan 036000291452");
    let totals = lane.totals();
    let got: Vec<_> = totals
        .taxes
        .iter()
        .map(|tax| {
            (
                tax.name.as_str(),
                tax.included,
                tax.taxable.minor(),
                tax.amount.minor(),
            )
        })
        .collect();
    assert_eq!(got, [("standard", false, 349, 28), ("vat", true, 1070, 70)]);
}

#[test]
fn receipts_balance() {
    for commands in [
        "scan 4006381333931 / cash",
        "scan 4006381333931 / cash 1 / cash 1 / cash 20",
        "scan yogurt x 3 / scan book / scan 036000291452 x 2 / cash 100",
        "scan 4011 x 0.001 / cash",
        "scan 4006381333931 / cash 1 / take back / void 1 / scan book / cash 50",
    ] {
        let lane = Lane::after(&format!("in 101 1111 / {commands}"));
        assert_balances(lane.register.last_receipt.as_ref().unwrap());
    }
}

#[test]
fn prices_are_fixed_when_paying_begins() {
    let mut lane = Lane::after("in 101 1111 / scan yogurt x 3 / cash 1");
    lane.now.unix_ms += 86_400_000;
    lane.all("cash");
    let receipt = lane.register.last_receipt.unwrap();
    assert_eq!(receipt.totals.total, usd(250));
    assert!(lane.now.unix_ms - receipt.priced_at.unix_ms > 86_000_000);
}
