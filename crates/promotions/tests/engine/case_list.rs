//! The worked examples that the tests in `cases` are made from, and that none of them is left out.
//!
//! The examples themselves come as a file, `cases.json`, which is not the project's own. Where it is
//! in the folder that `LANEMESH_DATA` names, or in `promotions` beside that folder, what is listed
//! here is held against it.

use std::path::PathBuf;

use money::Rounding;
use promotions::{Basket, Pricing};
use serde_json::Value;

/// The tests, to see which cases they name.
const TESTS: &str = include_str!("cases.rs");

/// A case by its id, what it takes off in cents, and what is paid with tax and fees.
const CASES: [(&str, i64, i64); 28] = [
    ("opt-01", 2000, 2000),
    ("opt-03", 1200, 1800),
    ("opt-04", 2400, 2600),
    ("opt-07", 300, 900),
    ("potter-01", 1280, 5120),
    ("potter-02", 80, 1520),
    ("stack-01", 3000, 7000),
    ("stack-03", 2000, 8000),
    ("concur-01", 2800, 7200),
    ("chain-01", 1450, 8550),
    ("chain-02", 1500, 8500),
    ("thresh-order", 1050, 9450),
    ("cross-01", 1000, 17_000),
    ("cross-02", 19_000, 51_000),
    ("multi-02", 3000, 9000),
    ("bxgy-02", 800_000, 2_400_000),
    ("bxgy-04", 4_000_000, 7500),
    ("tax-01", 6400, 29_440),
    ("tax-04", 1000, 4800),
    ("tax-05", 1000, 5000),
    ("floor-01", 100, 500),
    ("prorate-01", 299, 7701),
    ("prorate-07", 400, 200),
    ("floor-03", 2500, 8500),
    ("group-01", 50, 100),
    ("return-00", 200, 7800),
    ("return-01", 200, 7800),
    ("return-04", 1399, 2798),
];

/// The discount and the total of a case of the list are these.
pub fn case(id: &str, basket: &Basket, pricing: &Pricing) {
    let listed = CASES.iter().find(|(listed, ..)| *listed == id);
    let (_, discount, total) = listed.unwrap_or_else(|| panic!("the case {id} is not listed"));
    assert_eq!(pricing.total().minor(), *discount, "{id}");
    assert_eq!(with_tax(pricing, basket).1, *total, "{id}");
}

/// Tax on what is left of each line, as the register computes it: added, or contained; and what is
/// paid with it.
pub fn with_tax(pricing: &Pricing, basket: &Basket) -> (i64, i64) {
    let (mut tax, mut total) = (0, 0);
    for line in &basket.lines {
        let net = line.extended - pricing.line_discount(line.line);
        total += net.minor();
        if let Some((rate, false)) = line.tax {
            tax += net.share(rate, Rounding::HalfUp).minor();
        }
    }
    (tax, total + tax)
}

#[test]
fn every_case_has_a_test() {
    let of_tests: Vec<&str> = TESTS.split("#[test]").skip(1).collect();
    for (id, ..) in CASES {
        let named = format!("\"{id}\",");
        let works = of_tests.iter().any(|test| test.contains(&named));
        assert!(works, "no test works {id}");
    }
}

/// `None` where the file is not there.
fn cases_file() -> Option<Value> {
    let folder = PathBuf::from(std::env::var_os("LANEMESH_DATA")?);
    let beside = folder.join("../promotions");
    let found = [folder, beside].map(|folder| std::fs::read(folder.join("cases.json")));
    let bytes = found.into_iter().find_map(Result::ok)?;
    Some(serde_json::from_slice(&bytes).unwrap())
}

#[test]
fn the_list_is_that_of_the_file() {
    let Some(file) = cases_file() else {
        eprintln!("left out: LANEMESH_DATA names no folder with or beside promotions/cases.json");
        return;
    };
    let cases = file["cases"].as_array().unwrap();
    let ids: Vec<&str> = cases
        .iter()
        .map(|case| case["id"].as_str().unwrap())
        .collect();
    assert_eq!(ids, CASES.map(|(id, ..)| id));
    let mut compared = 0;
    for (case, (id, discount, total)) in cases.iter().zip(CASES) {
        let expected = &case["expected"];
        for (key, ours) in [
            ("discount_cents", discount),
            ("total_cents", total),
            ("sale_total_cents", total),
        ] {
            if let Some(theirs) = expected[key].as_i64() {
                assert_eq!(theirs, ours, "{id} {key}");
                compared += 1;
            }
        }
    }
    assert!(compared >= CASES.len() / 2, "{compared}");
}
