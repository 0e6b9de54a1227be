//! Coupons, discounts by hand, who and where, and quotes for a tender: what reaches the promotions.

use money::Currency;
use promotions::{CompiledBook, PromotionFile};
use sale::{Receipt, Totals, price};
use testkit::sums::{assert_adds_up, assert_balances};
use testkit::words::show;

use crate::shop::{Lane, usd};

/// After these commands the next one says this, or is refused with these words.
#[track_caller]
fn check(before: &str, command: &str, expected: &str) {
    let mut lane = Lane::after(before);
    let said = match lane.submit(command) {
        Ok(events) => events.iter().map(show).collect::<Vec<_>>().join(" / "),
        Err(refusal) => refusal.to_string(),
    };
    assert!(said.contains(expected), "'{command}': {said}");
}

/// After these commands the open cart has these promotions, in cents.
#[track_caller]
fn check_off(commands: &str, expected: &[(&str, i64)]) -> Totals {
    let totals = Lane::after(&format!("in 101 1111 / {commands}")).totals();
    assert_adds_up(&totals);
    let got: Vec<(&str, i64)> = totals
        .promotions
        .iter()
        .map(|total| (total.name.as_str(), total.amount.minor()))
        .collect();
    assert_eq!(got, expected, "{commands}");
    totals
}

fn receipt(lane: &Lane) -> &Receipt {
    lane.register.last_receipt.as_ref().unwrap()
}

const BOOK: &str = "in 101 1111 / scan book";
const MAKER: &str = "(8110)10036000123456275110110";
const GLOBAL: &str = "(255)9501101021501123";

#[test]
fn coupons_are_scanned_or_typed() {
    check(BOOK, "scan SPRING", "coupon SPRING");
    check(BOOK, "coupon SPRING", "coupon SPRING");
    check(BOOK, "scan SPRING:1-000007", "coupon SPRING:1-000007");
    check("in 101 1111", "scan SPRING", "coupon SPRING");
    check(BOOK, "scan SPRINGS", "No item has the code");
    check(
        BOOK,
        "coupon SPRINGS",
        "No promotion here takes the coupon SPRINGS",
    );
    check(BOOK, "coupon book", "No promotion here takes");
    check(BOOK, "scan SPRING x 2", "one by one");
    check(BOOK, &format!("scan {MAKER}"), "coupon 0036000-123456");
    check(BOOK, &format!("scan {GLOBAL}"), "coupon 9501101021501:123");
    check(
        BOOK,
        "scan (8110)106141416543212751101103201231",
        "No promotion here takes the coupon 0614141-654321",
    );
    check(
        BOOK,
        "scan (8110)100360001234562751101103200101",
        "is good until 2020-01-01",
    );
    check(
        BOOK,
        "scan (8110)100360001234562751101107",
        "the number of an optional field must be one of",
    );
    check(BOOK, "uncoupon 1", "There is no coupon or discount 1");
}

#[test]
fn coupons_count_once_unless_a_promotion_counts_them() {
    check(
        &format!("{BOOK} / coupon SPRING"),
        "coupon SPRING",
        "handed over already",
    );
    check(
        &format!("{BOOK} / coupon SPRING"),
        "coupon SPRING:1-000007",
        "handed over already",
    );
    check_off("scan book / coupon SPRING", &[("Spring coupon", 50)]);
    check_off("scan book / coupon SPRING / uncoupon 1", &[]);
    check_off("scan 4006381333931 / coupon SPRING", &[]);
    let maker = format!("scan {MAKER}");
    check_off(
        &format!("scan 036000291452 x 2 / {maker} / {maker}"),
        &[("The maker's coupon", 200)],
    );
}

#[test]
fn a_makers_coupon_gives_something_for_what_it_asks_for() {
    let off = [("The maker's coupon", 100)];
    let maker = format!("scan {MAKER}");
    check_off(&format!("scan book / {maker}"), &[]);
    check_off(&format!("scan 036000291452 / {maker}"), &off);
    check_off(&format!("{maker} / scan 036000291452"), &off);
    check_off(&format!("{maker} / scan (01)00036000291452(10)L7"), &off);
    check_off(&format!("scan 036000291452 / {maker} / void 1"), &[]);
    // One of company 0036000, and two of 4006381.
    let two = "scan (8110)1003600012345627511011011120850140063813261231";
    check_off(&format!("scan 036000291452 / {two}"), &[]);
    let milk = "scan 4006381333931";
    check_off(&format!("scan 036000291452 / {two} / {milk}"), &[]);
    check_off(&format!("scan 036000291452 / {two} / {milk} x 2"), &off);
    // Of two coupons of which one has its purchase, the other stays the customer's.
    let mut lane = Lane::after("in 101 1111 / scan 036000291452");
    lane.all(&format!("{maker} / {maker} / cash"));
    assert_balances(receipt(&lane));
    assert_eq!(receipt(&lane).detail.coupons_used.len(), 1);
    assert!(receipt(&lane).detail.coupons_used[0].asks.is_some());
}

#[test]
fn a_coupon_with_a_number_is_used_once_and_only_where_it_gave_something() {
    let mut lane = Lane::after("in 101 1111 / scan book / scan SPRING:7 / cash");
    assert_eq!(receipt(&lane).detail.coupons_used.len(), 1);
    assert_balances(receipt(&lane));
    lane.all("scan book");
    let refused = lane.submit("scan SPRING:7").unwrap_err().to_string();
    assert_eq!(refused, "The coupon SPRING:7 was used on receipt 3-000001.");
    lane.all("scan SPRING:8 / void 1 / scan yogurt / cash");
    assert_eq!(receipt(&lane).detail.coupons_used, []);
    lane.all("scan book / scan SPRING:8");
}

#[test]
fn discounts_by_hand_have_limits_by_role() {
    check(BOOK, "off 5% dented", "5% off the sale by 101: dented");
    check(BOOK, "off 1 0.54 dented", "0.54 off line 1 by 101: dented");
    check(BOOK, "off 6% dented", "needs a supervisor");
    check(BOOK, "off 1 0.55 dented", "needs a supervisor");
    check(
        BOOK,
        "102: off 6% dented",
        "102 approved discount / 6% off the sale by 102",
    );
    check(BOOK, "102: off 21% dented", "more than anybody may");
    check(BOOK, "off 5%", "A reason is needed");
    check(BOOK, "off 0% why", "Nothing would be taken off");
    check(BOOK, "off 2 5% why", "There is no line 2");
    check("in 101 1111", "off 5% why", "There is no open sale");
    // The second is counted on what the first left, and each stays within the limit of the role.
    check_off(
        "scan book / off 5% dented / off 1 5% torn",
        &[("dented", 54), ("torn", 51)],
    );
    check_off("scan book / off 5% dented / on 1", &[]);
    let lane = Lane::after("in 101 1111 / scan book / 102: off 20% damaged / cash");
    assert_eq!(receipt(&lane).totals.discount, usd(214));
    assert_eq!(receipt(&lane).detail.terms.discounts[0].by.0, "102");
    assert_balances(receipt(&lane));
}

#[test]
fn who_buys_and_where_reach_the_promotions() {
    check_off("scan bread / customer 700", &[("Bread at lane 3", 25)]);
    check_off("scan bread", &[]);
    // Once 5.00 were spent, and then once.
    let mut lane = Lane::after("in 101 1111 / customer 701 / scan 4011 x 1");
    assert_eq!(lane.totals().discount, usd(0));
    lane.all("scan book / cash / customer 701 / scan 4011 x 1");
    assert_eq!(lane.totals().discount, usd(99));
    lane.all("cash / customer 701 / scan 4011 x 1");
    assert_eq!(lane.totals().discount, usd(0));
    let points = Lane::after("in 101 1111 / scan book / cash");
    assert_eq!(receipt(&points).totals.points_total(), 7);
}

#[test]
fn what_a_tender_changes_is_told_before_the_money_is_taken() {
    let sale = "in 101 1111 / customer 700 / scan book";
    check(
        sale,
        "with account",
        "Paid with account it costs 10.16, and the customer was told 10.70.",
    );
    check(sale, "cash", "due 10.70");
    check(sale, "quote account", "10.70 with account is 10.16");
    check(sale, "quote Account", "no name of a tender");
    let quoted = format!("{sale} / quote account");
    check(
        &quoted,
        "with account",
        "due 10.16 / account 10.16 / receipt",
    );
    check(
        &quoted,
        "cash",
        "Paid with cash it costs 10.70, and the customer was told 10.16.",
    );
    check(&format!("{quoted} / quote"), "cash", "due 10.70");
    // Part of it on account, the rest otherwise: the price was for all of it.
    check(
        &format!("{quoted} / with account 1"),
        "cash",
        "Paid with cash it costs 10.70",
    );
    // Who pays a part in cash was told the price without.
    check(
        &format!("{sale} / cash 1"),
        "with account",
        "account 9.70 / receipt",
    );
    let lane = Lane::after(&format!("{quoted} / with account"));
    assert_balances(receipt(&lane));
}

#[test]
fn a_suspended_sale_keeps_its_terms() {
    let mut lane = Lane::after(
        "in 101 1111 / customer 700 / scan book / coupon SPRING / off 5% torn / quote account",
    );
    let before = lane.totals();
    lane.all("suspend / resume S3-1");
    assert_eq!(lane.totals(), before);
    assert_eq!(before.discount, usd(54 + 50 + 48));
}

#[test]
fn a_receipt_can_be_priced_again_from_itself() {
    let mut lane = Lane::after(
        "in 101 1111 / customer 700 / scan book x 2 / coupon SPRING / off 1 5% torn / scan bread",
    );
    let cart = lane.register.cart.clone().unwrap();
    lane.all("cash");
    let receipt = receipt(&lane);
    let mut again = cart.clone();
    again.lines.clone_from(&receipt.lines);
    again.terms = receipt.detail.terms.clone();
    let currency = receipt.totals.total.currency();
    let totals = price(&again, &lane.promotions, receipt.priced_at, currency);
    assert_eq!(totals, receipt.totals);
}

#[test]
fn what_a_customer_bought_before_reaches_the_promotions() {
    let file = PromotionFile::parse(
        r#"
schema = 2

[[promotion]]
id = "fourth"
name = "The fourth yogurt is free"
percent_off = 100
items = ["yogurt"]
limit = { basket = 1 }
who = { bought = { units = 3, items = ["yogurt", "cheese"] } }
"#,
    )
    .unwrap();
    let mut lane = Lane::after("in 102 1111");
    lane.promotions = CompiledBook::compile(&file, Currency::USD).unwrap();
    let mut buy = |commands: &str| {
        lane.all(commands);
        lane.all("cash");
        let receipt = receipt(&lane);
        let bought = receipt.detail.terms.standing.bought.iter();
        let bought: Vec<(&str, u32)> = bought.map(|(item, n)| (item.0.as_str(), *n)).collect();
        let bought = bought
            .first()
            .map(|(item, pieces)| format!("{pieces} {item}"));
        (receipt.totals.discount, bought)
    };
    let bought = |text: &str| Some(text.to_owned());
    assert_eq!(buy("customer 700 / scan yogurt x 2"), (usd(0), None));
    // Somebody else, and something else.
    assert_eq!(buy("scan yogurt x 5"), (usd(0), None));
    assert_eq!(
        buy("customer 700 / scan bread x 5"),
        (usd(0), bought("2 yogurt"))
    );
    assert_eq!(
        buy("customer 700 / scan yogurt"),
        (usd(0), bought("2 yogurt"))
    );
    assert_eq!(
        buy("customer 700 / scan yogurt"),
        (usd(100), bought("3 yogurt"))
    );
    assert_eq!(
        buy("customer 700 / return 3-000001 1 x 2"),
        (usd(0), bought("4 yogurt"))
    );
    assert_eq!(
        buy("customer 700 / scan yogurt"),
        (usd(0), bought("2 yogurt"))
    );
}
