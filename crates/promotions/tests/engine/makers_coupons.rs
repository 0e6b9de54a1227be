//! What a maker's coupon asks to be bought, and how far a basket is from it.

use promotions::{CompiledBook, Customer, Why, explain};

use crate::common::{NOON, basket, book, hand_over};

/// Company 0036000, offer 123456; the digits after the save value follow.
const HEAD: &str = "(8110)100360001234563100";

fn maker() -> CompiledBook {
    book(&[
        "maker: total_amount_off = \"1.00\"; everything = true; coupon = \"0036000-123456\"; limit = { basket = 1 }",
    ])
}

/// So many coupons that go on with these digits give this much, or want this, with these lines.
#[track_caller]
fn check(coupons: usize, asks: &str, lines: &[&str], expected: &str) {
    let mut basket = basket(lines);
    for _ in 0..coupons {
        hand_over(&mut basket, &format!("{HEAD}{asks}"));
    }
    let explained = explain(&maker(), &basket, &Customer::default(), NOON);
    let got = match &explained.verdicts[0].why {
        Why::Applied { amount, .. } => format!("gives {}", amount.minor()),
        Why::ShortOfUnits { units } => format!("wants {units} units"),
        Why::ShortOfGrams { grams } => format!("wants {grams} g"),
        Why::ShortOfAmount { amount } => format!("wants {} cents", amount.minor()),
        other => format!("{other:?}"),
    };
    assert_eq!(got, expected, "{asks}: {lines:?}");
}

const COLA: &str = "cola 1 150 gtin:036000291452";
const TWO_COLAS: &str = "cola 2 150 gtin:036000291452";
const PENS: &str = "pen 4 200 gtin:4006381333931";
const NUTS: &str = "nuts 500g 1000 gtin:036000291452";

#[test]
fn every_kind_of_requirement_is_enforced() {
    // Units.
    check(1, "120110", &[TWO_COLAS], "gives 100");
    check(1, "120110", &[COLA], "wants 1 units");
    check(1, "120110", &[COLA, NUTS], "gives 100");
    check(1, "120110", &[PENS], "wants 2 units");
    check(1, "120110", &["cola 2 150"], "wants 2 units");
    // For so much of the company's goods.
    check(1, "33001110", &[TWO_COLAS], "gives 100");
    check(1, "33011110", &[TWO_COLAS, PENS], "wants 1 cents");
    // A sale of so much.
    check(1, "411002110", &[TWO_COLAS, PENS], "gives 100");
    check(1, "411012110", &[TWO_COLAS, PENS], "wants 1 cents");
    // Pounds, of which 1.10 are 499 g and 1.11 are 504 g; kilograms.
    check(1, "31103110", &[NUTS], "gives 100");
    check(1, "31113110", &[NUTS], "wants 4 g");
    check(1, "2504110", &[NUTS], "gives 100");
    check(1, "2514110", &[NUTS, TWO_COLAS], "wants 10 g");
    // The cashier looks.
    check(1, "109992", &["bread 1 300"], "gives 100");
}

#[test]
fn further_purchases_are_joined_as_the_code_says() {
    // Two of the first company, or three of 4006381.
    let any = "1201101013085014006381";
    check(1, any, &[TWO_COLAS], "gives 100");
    check(1, any, &[PENS], "gives 100");
    check(1, any, &[COLA], "wants 1 units");
    // Both.
    let all = "1201101113085014006381";
    check(1, all, &[TWO_COLAS, PENS], "gives 100");
    check(1, all, &[TWO_COLAS], "wants 3 units");
    check(1, all, &[PENS], "wants 2 units");
    // Both of the first company: the same piece never counts for both.
    let same = "120110111108509";
    check(1, same, &[TWO_COLAS], "wants 1 units");
    check(1, same, &[TWO_COLAS, COLA], "gives 100");
    // One of the first company, and three of 4006381 or a sale for 20.00.
    let other = "110110121308501400638124200020009";
    check(1, other, &[COLA, PENS], "gives 100");
    check(1, other, &[COLA, "bread 1 1850"], "gives 100");
    check(1, other, &[COLA], "wants 3 units");
    check(1, other, &[PENS, "bread 1 2000"], "wants 1 units");
    // The second or the third alone.
    let others = "110110131308501400638124200020009";
    check(1, others, &[PENS], "gives 100");
    check(1, others, &["bread 1 2000"], "gives 100");
    check(1, others, &[COLA], "wants 3 units");
}

#[test]
fn each_coupon_needs_purchases_of_its_own() {
    check(2, "120110", &[TWO_COLAS, TWO_COLAS], "gives 200");
    check(2, "120110", &[TWO_COLAS, COLA], "gives 100");
    check(3, "120110", &[COLA], "wants 1 units");
}
