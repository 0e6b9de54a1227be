//! Taxes of several authorities, thresholds, holidays, exemptions, taxed deposits, and rounding on
//! the line or once for the receipt: to the cent, also in what comes back.

use catalog::TaxRounding;
use sale::{Tally, Totals};
use testkit::sums::{assert_adds_up, assert_balances};

use crate::shop::{Lane, at};

/// `tax total: part taxable amount, …` for each tax of a sale, and the total.
fn shown(totals: &Totals) -> Vec<String> {
    assert_adds_up(totals);
    let taxes = totals.taxes.iter().map(|tax| {
        let parts = tax.parts.iter();
        let parts = parts.map(|part| format!("{} {} {}", part.name, part.taxable, part.amount));
        let parts = parts.collect::<Vec<_>>().join(", ");
        let exempt = if tax.exempt { " exempt" } else { "" };
        format!(
            "{}{exempt} {} {}: {parts}",
            tax.tax, tax.taxable, tax.amount
        )
    });
    let total = format!("total {}", totals.total);
    taxes.chain([total]).collect()
}

/// A lane whose store rounds once a receipt and taxes deposits, or does not.
fn lane(rounding: TaxRounding, deposits_taxed: bool) -> Lane {
    let mut lane = Lane::new();
    lane.books.settings.tax_rounding = rounding;
    lane.books.settings.deposits_taxed = deposits_taxed;
    lane.all("in 102 1111 / open");
    lane
}

#[track_caller]
fn check(rounding: TaxRounding, deposits_taxed: bool, commands: &str, expected: &[&str]) {
    let mut lane = lane(rounding, deposits_taxed);
    lane.all(commands);
    assert_eq!(shown(&lane.totals()), expected, "{commands}");
}

#[track_caller]
fn by_line(commands: &str, expected: &[&str]) {
    check(TaxRounding::Line, false, commands, expected);
}

#[test]
fn each_authority_takes_its_part() {
    // 4 %, 0.375 % and 4.5 % of 1.01 are 4.04, 0.37875 and 4.545 cents.
    by_line(
        "scan pen",
        &[
            "local 1.01 0.09: State 1.01 0.04, County 1.01 0.00, City 1.01 0.05",
            "total 1.10",
        ],
    );
    by_line(
        "scan pen / scan pen x 2",
        &[
            "local 3.03 0.27: State 3.03 0.12, County 3.03 0.01, City 3.03 0.14",
            "total 3.30",
        ],
    );
    // 5 % and 7 % are in 11.20: 11.20 × 5/112 and 11.20 × 7/112.
    by_line(
        "scan maple",
        &[
            "contained 11.20 1.20: Union 11.20 0.50, Province 11.20 0.70",
            "total 11.20",
        ],
    );
}

#[test]
fn thresholds_are_about_the_price_of_a_piece() {
    by_line(
        "scan shirt x 2",
        &[
            "clothes 120.00 4.80: State 120.00 4.80, City 0.00 0.00",
            "total 124.80",
        ],
    );
    by_line(
        "scan coat",
        &[
            "clothes 120.00 10.20: State 120.00 4.80, City 120.00 5.40",
            "total 130.20",
        ],
    );
    by_line(
        "scan coat / price 1 109.99",
        &[
            "clothes 109.99 4.40: State 109.99 4.40, City 0.00 0.00",
            "total 114.39",
        ],
    );
    by_line(
        "scan coat / price 1 110",
        &[
            "clothes 110.00 9.35: State 110.00 4.40, City 110.00 4.95",
            "total 119.35",
        ],
    );
    // Only what is above 175.00 a piece.
    by_line(
        "scan ring x 2",
        &["luxury 400.00 3.13: State 50.00 3.13", "total 403.13"],
    );
    by_line(
        "scan ring / price 1 175",
        &["luxury 175.00 0.00: State 0.00 0.00", "total 175.00"],
    );
}

#[test]
fn what_a_discount_leaves_decides_on_a_threshold() {
    by_line(
        "scan coat / off 1 10% dented",
        &[
            "clothes 108.00 4.32: State 108.00 4.32, City 0.00 0.00",
            "total 112.32",
        ],
    );
}

#[test]
fn holidays_are_days_of_the_store() {
    let on = &[
        "school 800.00 36.00: State 0.00 0.00, City 800.00 36.00",
        "total 836.00",
    ];
    let off = &[
        "school 800.00 68.00: State 800.00 32.00, City 800.00 36.00",
        "total 868.00",
    ];
    by_line("scan laptop", on);
    by_line(
        "scan laptop / price 1 1000.01",
        &[
            "school 1000.01 85.00: State 1000.01 40.00, City 1000.01 45.00",
            "total 1085.01",
        ],
    );
    let mut lane = lane(TaxRounding::Line, false);
    lane.all("scan laptop");
    // Until midnight where the store is, not in Greenwich.
    let midnight = 19 * 3600;
    for (second, expected) in [(midnight - 1, on), (midnight, off)] {
        lane.now = at(second);
        assert_eq!(shown(&lane.totals()), expected, "{second}");
    }
}

#[test]
fn nothing_is_added_for_who_is_exempt() {
    by_line(
        "scan pen / customer 702",
        &["local exempt 1.01 0.00: ", "total 1.01"],
    );
    // What a price contains stays in it.
    by_line(
        "scan book / customer 702",
        &["vat 10.70 0.70: ", "total 10.70"],
    );
    // Another customer, another tax.
    by_line(
        "scan 4006381333931 / customer 702 / customer 701",
        &["standard 1.99 0.16: ", "total 2.15"],
    );
    let mut lane = lane(TaxRounding::Line, false);
    lane.all("scan 4006381333931 / customer 702 / cash");
    let receipt = lane.register.last_receipt.clone().unwrap();
    assert_balances(&receipt);
    let certificate = receipt.detail.terms.standing.exemption.as_deref();
    assert_eq!(certificate, Some("EX-17"));
    let period = &lane.register.period;
    assert_eq!(period.taxable["standard 8% exempt"].amount, 199);
    assert_eq!(period.taxes["standard 8% exempt"].amount, 0);
    // It was bought without tax, and goes back without tax, whoever brings it.
    lane.all("return 3-000001 1");
    assert_eq!(
        shown(&lane.totals()),
        ["standard exempt -1.99 0.00: ", "total -1.99"]
    );
}

#[test]
fn deposits_are_taxed_where_that_is_set() {
    let colas = "scan 036000291452 x 6";
    by_line(colas, &["standard 9.00 0.72: ", "total 11.22"]);
    let taxed = &["standard 10.50 0.84: ", "total 11.34"];
    check(TaxRounding::Line, true, colas, taxed);
    // As it was set when the sale began.
    let mut lane = lane(TaxRounding::Line, true);
    lane.books.settings.deposits_taxed = false;
    lane.all(colas);
    assert_eq!(shown(&lane.totals()), taxed);
    lane.all("cash / return 3-000001 1 x 1 / return 3-000001 1 x 5");
    assert_eq!(
        shown(&lane.totals()),
        ["standard -10.50 -0.84: ", "total -11.34"]
    );
}

#[test]
fn a_receipt_may_be_rounded_once() {
    let three = "scan 4006381333931 / scan 4006381333931 / scan 4006381333931";
    // 8 % of 1.99 is 15.92 cents: 16 three times, or 47.76 once.
    by_line(three, &["standard 5.97 0.48: ", "total 6.45"]);
    let ten = "scan pen / scan pen / scan pen / scan pen / scan pen / scan pen / scan pen / scan pen / scan pen / scan pen";
    by_line(
        ten,
        &[
            "local 10.10 0.90: State 10.10 0.40, County 10.10 0.00, City 10.10 0.50",
            "total 11.00",
        ],
    );
    // 3.7875 and 45.45 cents.
    check(
        TaxRounding::Invoice,
        false,
        ten,
        &[
            "local 10.10 0.89: State 10.10 0.40, County 10.10 0.04, City 10.10 0.45",
            "total 10.99",
        ],
    );
    // An authority rounds once for all goods it takes one rate of: 4 % of 121.01.
    check(
        TaxRounding::Invoice,
        false,
        "scan pen / scan coat",
        &[
            "clothes 120.00 10.20: State 120.00 4.80, City 120.00 5.40",
            "local 1.01 0.09: State 1.01 0.04, County 1.01 0.00, City 1.01 0.05",
            "total 131.30",
        ],
    );
    check(
        TaxRounding::Invoice,
        false,
        "scan book / scan book / scan maple",
        &[
            "contained 11.20 1.20: Union 11.20 0.50, Province 11.20 0.70",
            "vat 21.40 1.40: ",
            "total 32.60",
        ],
    );
}

#[test]
fn reports_say_what_each_authority_took() {
    let mut lane = lane(TaxRounding::Line, false);
    lane.all("scan pen x 3 / scan coat / cash / return 3-000001 2 / cash");
    let period: &Tally = &lane.register.period;
    let got: Vec<String> = period
        .tax_parts
        .iter()
        .map(|(name, sum)| {
            let taxable = period.taxable_parts[name].amount;
            format!("{name} {taxable} {}", sum.amount)
        })
        .collect();
    assert_eq!(
        got,
        ["City 4.5% 303 14", "County 0.375% 303 1", "State 4% 303 12"]
    );
    let parts: i64 = period.tax_parts.values().map(|sum| sum.amount).sum();
    assert_eq!(parts, period.tax_added);
}

#[test]
fn what_comes_back_gives_back_each_part() {
    let mut lane = lane(TaxRounding::Invoice, false);
    lane.all("scan pen x 7 / scan pen / cash");
    let sold = lane.register.last_receipt.clone().unwrap();
    lane.all("return 3-000001 1 x 3 / return 3-000001 2 / return 3-000001 1 x 4 / cash");
    let back = lane.register.last_receipt.clone().unwrap();
    assert_balances(&back);
    let of = |totals: &Totals| {
        let parts = totals.taxes.iter().flat_map(|tax| &tax.parts);
        let parts = parts.map(|part| (part.taxable.minor(), part.amount.minor()));
        parts.collect::<Vec<_>>()
    };
    let paid: Vec<(i64, i64)> = of(&sold.totals);
    let given: Vec<(i64, i64)> = of(&back.totals).iter().map(|(t, a)| (-t, -a)).collect();
    assert_eq!(given, paid);
    assert_eq!(back.totals.total, -sold.totals.total);
}

#[test]
fn another_tax_brings_its_parts() {
    by_line(
        "scan 4006381333931 / tax 1 local asked",
        &[
            "local 1.99 0.18: State 1.99 0.08, County 1.99 0.01, City 1.99 0.09",
            "total 2.17",
        ],
    );
}
