//! Goods that are sold in a way of their own: open prices, serial numbers, linked items, kits, packing.

use sale::{Command, Event, Refusal};
use testkit::sums::assert_balances;
use testkit::words::show;

use crate::commands::refuse;
use crate::shop::Lane;

/// The events of the last of these commands.
#[track_caller]
fn check(commands: &str, last: &str, expected: &[&str]) {
    let mut lane = Lane::after(&format!("in 102 1111 / open / {commands}"));
    let events = lane.submit(last).unwrap();
    let shown: Vec<String> = events.iter().map(show).collect();
    assert_eq!(shown, expected, "{commands} / {last}");
}

#[track_caller]
fn refused(commands: &str, last: &str, expected: &str) {
    refuse(&format!("in 102 1111 / open / {commands}"), last, expected);
}

#[test]
fn an_open_price_is_asked_for() {
    let mut lane = Lane::after("in 101 1111");
    let refusal = lane.submit("scan gift").unwrap_err();
    let expected = Refusal::PriceNeeded {
        scanned: "gift".to_owned(),
        description: "gift".to_owned(),
    };
    assert_eq!(refusal, expected);
    assert_eq!(refusal.hint(), "Type its price.");
    check("", "sell gift at 4.50", &["line 1: 1 gift at 4.50"]);
    check("", "sell gift x 3 at 4.50", &["line 1: 3 gift at 4.50"]);
    check(
        "",
        "sell cheese x 0.200 at 19.90",
        &["line 1: 0.200 kg cheese at 19.90"],
    );
    refused("", "sell cheese at 19.90", "sold by weight");
    refused("", "sell gift at 0", "Nothing would be charged");
    refused("", "sell gift at -1", "negative");
    refused("", "sell gift at much", "not an amount");
    refused(
        "",
        "sell gift at 10000000001",
        "more than one line can cost",
    );
    refused("", "sell yogurt at 1.00", "yogurt has a price of its own");
    refused(
        "",
        "sell 2112345006789 at 1.00",
        "ham has a price of its own",
    );
    // All else is as with a scan.
    check("", "sell yogurt x 2", &["line 1: 2 yogurt at 1.00"]);
    refused("", "sell nothing at 1", "No item has the code");
    refused("", "sell SPRING at 1", "one by one");
}

#[test]
fn a_serial_number_is_asked_for_and_kept() {
    refused("", "scan phone", "sold by its serial number");
    refused("", "sell phone x 2 no SN-1", "one by one");
    refused("", "sell phone no S*1", "cannot be kept");
    refused("", "sell phone no 4111111111111111", "cannot be kept");
    refused(
        "sell phone no SN-1",
        "sell phone no SN-1",
        "in this sale already",
    );
    refused("sell phone no SN-1", "line 1 x 2", "one by one");
    check(
        "sell phone no SN-1",
        "sell phone no SN-2",
        &["line 2: 1 phone at 299.00"],
    );
    check(
        "sell phone no SN-1 / void 1",
        "sell phone no SN-1",
        &["line 2: 1 phone at 299.00"],
    );
    // The number of a telephone looks like a card's, and is none.
    check(
        "",
        "sell phone no 356938035643809",
        &["line 1: 1 phone at 299.00"],
    );
    let mut lane = Lane::after("in 102 1111 / sell phone no SN-1 / cash");
    let receipt = lane.register.last_receipt.clone().unwrap();
    let serial = receipt.lines[0].detail.marks.serial.as_deref();
    assert_eq!(serial, Some("SN-1"));
    for (command, expected) in [
        ("return 3-000001 1", "sold by its serial number"),
        ("return 3-000001 1 no SN-2", "another serial number"),
    ] {
        let words = lane.submit(command).unwrap_err().to_string();
        assert!(words.contains(expected), "{words}");
    }
    lane.all("return 3-000001 1 no SN-1 / cash");
    let back = lane.register.last_receipt.clone().unwrap();
    assert_eq!(back.lines[0].detail.marks.serial.as_deref(), Some("SN-1"));
    assert_eq!(back.totals.total, -receipt.totals.total);
}

#[test]
fn linked_items_come_and_go_together() {
    check(
        "",
        "scan water x 3",
        &["line 1: 3 water at 0.90", "line 2: 3 bottle at 0.25"],
    );
    check(
        "scan water",
        "line 1 x 4",
        &["line 1 now 4", "line 2 now 4"],
    );
    check(
        "scan water / scan yogurt",
        "void 1",
        &["line 1 void", "line 2 void"],
    );
    check(
        "scan water / void 1",
        "scan water",
        &["line 3: 1 water at 0.90", "line 4: 1 bottle at 0.25"],
    );
    refused("scan water", "void 2", "along with line 1");
    refused("scan water", "line 2 x 2", "along with line 1");
    refused(
        "",
        "scan broken",
        "along with item nowhere, which cannot be sold so",
    );
    // A linked item is asked about as if it were scanned itself.
    refused("", "scan crate", "wine: the buyer must be 21 or older");
    check(
        "age 21",
        "scan crate",
        &[
            "line 1: 1 crate at 9.00",
            "line 2: 1 bottle at 0.25",
            "line 3: 1 wine at 12.00",
        ],
    );
    let mut lane = Lane::after("in 102 1111 / scan water x 2 / cash");
    assert_balances(lane.register.last_receipt.as_ref().unwrap());
    // The bottle comes back by itself.
    lane.all("return 3-000001 2 x 1 / cash");
    let back = lane.register.last_receipt.as_ref().unwrap();
    assert_eq!(back.totals.total.minor(), -25);
}

#[test]
fn a_full_sale_takes_no_linked_items() {
    let mut lane = Lane::after("in 102 1111");
    for _ in 0..sale::LINES_MAX - 1 {
        lane.all("scan yogurt");
    }
    let words = lane.submit("scan water").unwrap_err().to_string();
    assert!(words.contains("the most that one sale can have"), "{words}");
    lane.all("scan yogurt");
}

#[test]
fn a_kit_is_one_line_that_knows_its_parts() {
    let mut lane = Lane::after("in 102 1111 / scan hamper x 2 / cash");
    let receipt = lane.register.last_receipt.clone().unwrap();
    assert_eq!(receipt.lines.len(), 1);
    let parts: Vec<(&str, i64)> = receipt.lines[0]
        .detail
        .kit
        .iter()
        .map(|part| (part.item.0.as_str(), part.milli))
        .collect();
    assert_eq!(parts, [("milk", 2000), ("bananas", 500)]);
    // What comes back are the parts that were sold, whatever a kit is made of by then.
    for item in &mut lane.books.items {
        item.selling.kit.clear();
    }
    let events = lane.submit("return 3-000001 1 x 1").unwrap();
    let Some(Event::LineAdded { line, .. }) = events.last() else {
        panic!("{events:?}")
    };
    assert_eq!(line.detail.kit, receipt.lines[0].detail.kit);
}

#[test]
fn packing_is_taken_off_a_weight_that_is_entered() {
    check("", "scan nuts x 0.250", &["line 1: 0.230 kg nuts at 10.00"]);
    check(
        "scan nuts x 0.250",
        "line 1 x 0.100",
        &["line 1 now 0.080 kg"],
    );
    refused("", "scan nuts x 0.020", "no more than the packing of 20 g");
    refused(
        "scan nuts x 0.250",
        "line 1 x 0.010",
        "no more than the packing of 20 g",
    );
    // Goods without packing, and weights on labels, are net.
    check(
        "",
        "scan 4011 x 0.250",
        &["line 1: 0.250 kg bananas at 1.29"],
    );
    check("", "scan 2312345004550", &["line 1: 0.455 kg ham at 8.99"]);
}

#[test]
fn some_goods_never_come_back() {
    refuse(
        "in 102 1111 / scan razor / cash",
        "return 3-000001 1",
        "razor is not taken back",
    );
}

#[test]
fn an_age_is_asked_for_once_a_sale() {
    refused("", "scan 96385074", "wine: the buyer must be 21 or older");
    // 2026-11-27 in the shop.
    refused(
        "born 2005-11-28",
        "scan 96385074",
        "wine: the buyer must be 21 or older",
    );
    check(
        "born 2005-11-27",
        "scan 96385074",
        &["line 1: 1 wine at 12.00"],
    );
    check(
        "born 1999-12-31 / scan 96385074",
        "scan 96385074",
        &["line 2: 1 wine at 12.00"],
    );
    check("", "born 1999-12-31", &["age 26 seen by 102"]);
    refused("", "born 2027-01-01", "no date of birth");
    refused("", "born 31.12.1999", "no date of birth");
    refused(
        "age 21 / scan 96385074 / cash / open",
        "scan 96385074",
        "must be 21 or older",
    );
}

#[test]
fn what_is_asked_for_can_be_approved_like_a_scan() {
    let command = Command::Sell {
        code: "gift".to_owned(),
        quantity: None,
        price: Some("4.50".to_owned()),
        serial: None,
    };
    assert_eq!(command.name(), "sell");
    check(
        "",
        "103: sell gift at 4.50",
        &["103 approved sell", "line 1: 1 gift at 4.50"],
    );
}
