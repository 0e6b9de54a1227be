//! Promotions that are given only so often: what a sale is told is left, and what it then costs.

use money::Currency;
use promotions::{CompiledBook, PromotionFile};
use sale::{Receipt, price, used_up};
use testkit::words::show;

use crate::shop::Lane;

/// Bread at 3.00 costs 1.00 for the first 50 in the store, wine 2.00 less on 4 a day, book 1.00 less once a
/// customer and twice a customer and day for yogurt.
const LIMITED: &str = r#"
schema = 2

[[promotion]]
id = "first-50"
name = "The first 50"
price = "1.00"
items = ["bread"]
limit = { store = 50 }

[[promotion]]
id = "daily"
name = "Four a day"
amount_off = "2.00"
items = ["wine"]
limit = { day = 4 }

[[promotion]]
id = "once"
name = "Once a customer"
amount_off = "1.00"
items = ["book"]
limit = { customer = 1 }

[[promotion]]
id = "twice"
name = "Twice a customer and day"
amount_off = "0.50"
items = ["yogurt"]
limit = { customer_day = 2 }
"#;

fn lane() -> Lane {
    let mut lane = Lane::after("in 102 1111");
    let file = PromotionFile::parse(LIMITED).unwrap();
    lane.promotions = CompiledBook::compile(&file, Currency::USD).unwrap();
    lane
}

/// What a command leads to.
fn said(lane: &mut Lane, command: &str) -> Vec<String> {
    let events = lane.submit(command).unwrap();
    events.iter().map(show).collect()
}

fn off(lane: &Lane) -> i64 {
    lane.totals().discount.minor()
}

/// Sells that, and gives what was taken off, in cents.
fn buy(lane: &mut Lane, commands: &str) -> i64 {
    lane.all(commands);
    pay(lane, "cash").totals.discount.minor()
}

/// Pays the open sale. Its receipt says all that decided on its price.
fn pay(lane: &mut Lane, command: &str) -> Receipt {
    let mut cart = lane.register.cart.clone().unwrap();
    lane.all(command);
    let receipt = lane.register.last_receipt.as_deref().unwrap();
    cart.lines.clone_from(&receipt.lines);
    cart.terms = receipt.detail.terms.clone();
    let totals = price(&cart, &lane.promotions, receipt.priced_at, Currency::USD);
    assert_eq!(totals, receipt.totals);
    receipt.clone()
}

#[test]
fn the_51st_unit_costs_the_full_price() {
    let mut lane = lane();
    assert_eq!(buy(&mut lane, "scan bread x 48"), 48 * 200);
    // Two are left for three.
    assert_eq!(buy(&mut lane, "scan bread x 3"), 2 * 200);
    let asked = |lane: &Lane| lane.price_check("bread").unwrap().totals.discount.minor();
    assert_eq!(buy(&mut lane, "scan bread"), 0);
    assert_eq!(asked(&lane), 0);
    // As far as this lane knows: another gave it, or took some back.
    lane.shared.given_elsewhere.insert("first-50".into(), -1);
    assert_eq!(asked(&lane), 200);
    assert_eq!(buy(&mut lane, "scan bread x 2"), 200);
    lane.shared.given_elsewhere.insert("first-50".into(), -60);
    assert_eq!(buy(&mut lane, "scan bread x 2"), 400);
}

#[test]
fn what_is_left_is_looked_at_with_every_change_and_as_paying_begins() {
    let mut lane = lane();
    let elsewhere = |lane: &mut Lane, times: i64| {
        lane.shared.given_elsewhere.insert("first-50".into(), times);
    };
    assert_eq!(said(&mut lane, "scan 4006381333931").len(), 2);
    let told = said(&mut lane, "scan bread");
    assert_eq!(told[1..], ["left first-50 50 given"]);
    // What the sale cannot have makes no difference.
    elsewhere(&mut lane, 40);
    assert_eq!(said(&mut lane, "scan bread").len(), 1);
    elsewhere(&mut lane, 49);
    let told = said(&mut lane, "scan 4006381333931");
    assert_eq!(told[1..], ["left first-50 1 given"]);
    assert_eq!(off(&lane), 200);
    elsewhere(&mut lane, 50);
    let events = lane.journal.len();
    let receipt = pay(&mut lane, "cash 20");
    assert_eq!(show(&lane.journal[events]), "left first-50 0 given");
    assert_eq!(receipt.totals.discount.minor(), 0);
    assert_eq!(receipt.detail.terms.rights["first-50"], 0);
    // While it is paid, nothing changes any more.
    elsewhere(&mut lane, 0);
    lane.all("scan bread / cash 0.50");
    elsewhere(&mut lane, 50);
    assert_eq!(buy(&mut lane, ""), 200);
}

#[test]
fn days_and_customers_have_limits_of_their_own() {
    let mut lane = lane();
    assert_eq!(buy(&mut lane, "age 21 / scan 96385074 x 3"), 600);
    assert_eq!(buy(&mut lane, "age 21 / scan 96385074 x 3"), 200);
    lane.now.unix_ms += 24 * 60 * 60 * 1000;
    assert_eq!(buy(&mut lane, "age 21 / scan 96385074 x 3"), 600);

    assert_eq!(buy(&mut lane, "customer 700 / scan book"), 100);
    assert_eq!(buy(&mut lane, "customer 700 / scan book"), 0);
    assert_eq!(buy(&mut lane, "customer 701 / scan book"), 100);

    assert_eq!(buy(&mut lane, "scan yogurt x 3 / customer 700"), 100);
    assert_eq!(buy(&mut lane, "customer 700 / scan yogurt"), 0);
    assert_eq!(buy(&mut lane, "customer 701 / scan yogurt"), 50);
    lane.now.unix_ms += 24 * 60 * 60 * 1000;
    assert_eq!(buy(&mut lane, "customer 700 / scan yogurt"), 50);
}

/// Two sales of one customer that are open at once: the one that is paid first has it.
#[test]
fn a_customer_has_it_once_in_two_open_sales() {
    let mut lane = lane();
    lane.all("customer 700 / scan book / suspend");
    assert_eq!(buy(&mut lane, "customer 700 / scan book"), 100);
    lane.all("resume S3-1");
    assert_eq!(off(&lane), 100);
    let events = lane.journal.len();
    let receipt = pay(&mut lane, "cash");
    assert_eq!(show(&lane.journal[events]), "left given once 1");
    assert_eq!(receipt.totals.discount.minor(), 0);
}

#[test]
fn a_lane_that_is_cut_off_begins_to_give_nothing_that_is_limited_in_the_store() {
    let words = |lane: &Lane| -> Vec<String> {
        let cart = lane.register.cart.as_ref().unwrap();
        let used_up = used_up(cart, &lane.promotions, lane.now, lane.cut_off);
        used_up.iter().map(ToString::to_string).collect()
    };
    let mut lane = lane();
    lane.cut_off = true;
    lane.all("customer 700 / scan bread / scan book");
    // What is limited by customer alone is given all the same.
    assert_eq!(off(&lane), 100);
    lane.all("scan yogurt");
    assert_eq!(off(&lane), 150);
    lane.all("void 3");
    assert_eq!(
        words(&lane),
        ["The first 50: not while this lane is cut off"]
    );
    lane.cut_off = false;
    lane.all("scan 4006381333931");
    assert_eq!((off(&lane), words(&lane)), (300, vec![]));
    // It keeps what it was told, as far as that is still left.
    lane.cut_off = true;
    lane.all("scan bread");
    assert_eq!((off(&lane), words(&lane)), (500, vec![]));
    lane.shared.given_elsewhere.insert("first-50".into(), 49);
    lane.all("scan 4006381333931");
    assert_eq!(off(&lane), 300);
    assert_eq!(buy(&mut lane, ""), 300);
    assert_eq!(buy(&mut lane, "scan bread"), 0);
    lane.cut_off = false;
    lane.all("scan bread");
    assert_eq!(words(&lane), ["The first 50: limit reached"]);
}

/// Lanes of earlier releases could not read what is left.
#[test]
fn nothing_is_told_before_all_lanes_read_it() {
    let mut lane = lane();
    lane.limits = false;
    assert_eq!(said(&mut lane, "scan bread").len(), 2);
    assert_eq!(buy(&mut lane, ""), 0);
    lane.limits = true;
    assert_eq!(buy(&mut lane, "scan bread"), 200);
}
