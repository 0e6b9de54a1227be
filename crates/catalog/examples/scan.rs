//! Reads codes, a JSON string on each line, and says on a line of JSON each what a lane makes of them.
//! For `compare-codes.py`, which holds that against another parser.

use std::error::Error;
use std::io::{BufRead, Write, stdin, stdout};

use catalog::{CodeRules, ItemCode, ScannedCode};
use money::Currency;
use serde_json::{Value, json};

/// Decides on the centuries of dates.
const THIS_YEAR: i32 = 2026;

fn main() -> Result<(), Box<dyn Error>> {
    let mut out = std::io::BufWriter::new(stdout().lock());
    for line in stdin().lock().lines() {
        let code: String = serde_json::from_str(&line?)?;
        writeln!(out, "{}", read(&code))?;
    }
    Ok(())
}

fn read(code: &str) -> Value {
    let rules = CodeRules {
        layouts: &[],
        currency: Currency::USD,
        this_year: THIS_YEAR,
    };
    let item = match ScannedCode::parse(code, &rules) {
        Ok(ScannedCode::Item(item)) => item,
        Ok(ScannedCode::Coupon(coupon)) => {
            return json!({ "coupon": coupon.name(), "serial": coupon.serial });
        }
        Err(error) => return json!({ "error": error.to_string() }),
    };
    json!({
        "gtin": match &item.code {
            ItemCode::Gtin(gtin) => Some(gtin.to_string()),
            _ => None,
        },
        "price_minor": item.price.map(|price| price.minor()),
        "weight_milli": item.weight.map(|weight| weight.milli()),
        "count_milli": item.count.map(|count| count.milli()),
        "lot": item.marks.lot,
        "serial": item.marks.serial,
        "best_before": item.marks.best_before,
        "expires": item.marks.expires,
    })
}
