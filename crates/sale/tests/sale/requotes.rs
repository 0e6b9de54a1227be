//! Prices and promotions that change while a sale is open.

use catalog::{BookVersion, PriceSince};
use money::Currency;
use promotions::{CompiledBook, PromotionFile};
use sale::Refusal;
use testkit::words::show;

use crate::shop::{Lane, usd};

/// A lane whose open sale has what these commands did, by book 5; with book 6 bread has this price,
/// and there are these promotions, where any are said.
fn lane_with(commands: &str, bread: i64, promotions: Option<&str>) -> Lane {
    let mut lane = Lane::after("in 102 1111 / open");
    lane.all(commands);
    let items = lane.books.items.iter_mut();
    for item in items.filter(|item| item.id.0 == "bread") {
        let (since, price) = (item.price_since, item.price);
        item.earlier_prices.insert(0, PriceSince { since, price });
        item.price_since = BookVersion(6);
        item.price = usd(bread);
    }
    lane.books.version = BookVersion(6);
    lane.newest = promotions.map(|text| {
        let file = PromotionFile::parse(&format!("schema = 2\n{text}")).unwrap();
        CompiledBook::compile(&file, Currency::USD).unwrap()
    });
    lane
}

const HALF_PRICE: &str = r#"
[[promotion]]
id = "half"
name = "Half price"
percent_off = 50
items = ["bread", "yogurt"]
"#;

/// What comes of paying, or of another command, in a sale of bread at 3.00 and a yogurt at 1.00.
#[test]
fn a_sale_is_quoted_anew_as_paying_begins_where_the_customer_gains() {
    let bread = "scan bread / scan yogurt";
    for (given, price, promotions, when, expected) in [
        (
            bread,
            250,
            None,
            "cash",
            "quoted anew by book 6 1:2.50: 4.00 is 3.50",
        ),
        (
            bread,
            250,
            None,
            "with cheque 77",
            "quoted anew by book 6 1:2.50: 4.00 is 3.50",
        ),
        (
            bread,
            300,
            Some(HALF_PRICE),
            "cash",
            "quoted anew by book 6: 4.00 is 2.00",
        ),
        // Dearer bread, and half of it off.
        (
            bread,
            400,
            Some(HALF_PRICE),
            "cash",
            "quoted anew by book 6 1:4.00: 4.00 is 2.50",
        ),
        // It would cost more, or the same.
        (bread, 350, None, "cash", ""),
        (bread, 300, None, "cash", ""),
        // The promotions that it pinned are no more, and were worth something.
        (
            "scan yogurt / scan yogurt / scan yogurt",
            200,
            Some(""),
            "cash",
            "",
        ),
        // Its price was set by hand.
        ("scan bread / price 1 2.90", 250, None, "cash", ""),
        // By the cashier's choice, whatever it costs.
        (
            bread,
            350,
            None,
            "requote",
            "quoted anew by book 6 1:3.50: 4.00 is 4.50",
        ),
        (
            bread,
            300,
            None,
            "requote",
            "quoted anew by book 6: 4.00 is 4.00",
        ),
    ] {
        let mut lane = lane_with(given, price, promotions);
        let events = lane.submit(when).unwrap();
        let requoted: Vec<String> = events.iter().map(show).collect();
        let requoted = requoted.iter().find(|event| event.starts_with("quoted"));
        assert_eq!(
            requoted.map_or("", String::as_str),
            expected,
            "{given}, {price}, {when}"
        );
    }
}

#[test]
fn a_receipt_has_the_prices_and_the_book_that_it_was_quoted_by() {
    let mut lane = lane_with("scan bread / scan yogurt", 400, Some(HALF_PRICE));
    lane.all("cash");
    let receipt = lane.register.last_receipt.clone().unwrap();
    assert_eq!(receipt.book, BookVersion(6));
    assert_eq!(receipt.totals.total, usd(250));
    assert_eq!(receipt.lines[0].unit_price, usd(400));
}

#[test]
fn what_was_begun_to_be_paid_keeps_its_prices() {
    let mut lane = lane_with("scan bread / cash 1.00", 250, None);
    assert_eq!(lane.submit("requote").map_err(|e| e.to_string()), {
        Err("Paying has begun: 1.00 of 3.00 is paid.".to_owned())
    });
    lane.all("cash");
    assert_eq!(lane.register.last_receipt.unwrap().totals.total, usd(300));
}

#[test]
fn what_comes_back_is_paid_back_as_it_was_paid() {
    let mut lane = Lane::after("in 102 1111 / scan bread / cash");
    let receipt = lane.register.last_receipt.clone().unwrap();
    lane.all(&format!("return {} 1", receipt.id));
    lane.books.version = BookVersion(6);
    let bread = lane.books.items.iter_mut().find(|i| i.id.0 == "bread");
    bread.unwrap().price = usd(100);
    lane.all("cash");
    let back = lane.register.last_receipt.unwrap();
    assert_eq!(back.totals.total, usd(-300));
}

#[test]
fn a_sale_with_the_newest_prices_is_not_quoted_anew() {
    let mut lane = Lane::after("in 101 1111 / scan bread");
    assert_eq!(lane.submit("requote"), Err(Refusal::NoNewerPrices));
}

/// A lane of the store runs a release that could not read it.
#[test]
fn no_sale_is_quoted_anew_by_itself_before_all_lanes_can_read_it() {
    let mut lane = lane_with("scan bread", 250, None);
    lane.requotes = false;
    lane.all("cash");
    assert_eq!(lane.register.last_receipt.unwrap().totals.total, usd(300));
}

#[test]
fn a_quote_holds_until_its_day_and_then_costs_what_it_costs() {
    const DAY_MS: u64 = 24 * 60 * 60 * 1000;
    let dearer = "quoted anew by book 6 1:3.50: 4.00 is 4.50";
    for (kept, days, expected) in [
        ("keep quote 2026-11-28", 0, None),
        ("keep quote 2026-11-28", 1, None),
        ("keep quote 2026-11-28", 2, Some(dearer)),
        ("keep quote", 2, None),
        ("customer 702 / keep order 2026-11-28", 2, None),
    ] {
        let given = format!("scan bread / scan yogurt / {kept}");
        let mut lane = lane_with(&given, 350, None);
        lane.now.unix_ms += days * DAY_MS;
        let events = lane.submit("resume S3-1").unwrap();
        let shown: Vec<String> = events.iter().map(show).collect();
        let expected: Vec<&str> = ["S3-1 goes on, 2 lines"]
            .into_iter()
            .chain(expected)
            .collect();
        assert_eq!(shown, expected, "{kept}, {days}");
        assert_eq!(lane.register.cart.as_ref().unwrap().kept, None);
    }
}
