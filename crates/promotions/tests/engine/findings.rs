//! What `check` finds fault with, and what a customer is told of.

use money::{Currency, Money};
use promotions::{CheckItem, Customer, PromotionFile, PromotionId, check, evaluate, hints};

use crate::common::{NOON, basket, book};

fn found(promotions: &str, goods: &[(&str, &str, i64)], expected: &[&str]) {
    let file = PromotionFile::parse(&format!("schema = 2\n{promotions}"))
        .unwrap_or_else(|problems| panic!("{problems:#?}"));
    let goods: Vec<CheckItem> = goods
        .iter()
        .map(|&(item, department, price)| CheckItem {
            item: item.into(),
            department: department.into(),
            brand: None,
            price: Money::from_minor(price, Currency::USD),
            cost: None,
            floor: None,
        })
        .collect();
    let findings = check(&file, Currency::USD, &goods);
    let shown: Vec<String> = findings.iter().map(ToString::to_string).collect();
    assert_eq!(shown, expected, "{promotions}");
}

fn promotion(id: &str, keys: &str) -> String {
    format!("[[promotion]]\nid = \"{id}\"\nname = \"{id}\"\n{keys}\n")
}

#[test]
fn what_can_never_be_given_is_found() {
    let goods = [("1", "dairy", 99), ("2", "dairy", 149)];
    let check = |keys: &str, expected: &[&str]| found(&promotion("a", keys), &goods, expected);
    check("percent_off = 10\ndepartments = [\"dairy\"]", &[]);
    check(
        "percent_off = 10\nitems = [\"1\", \"9\"]",
        &["line 2: a: the item '9' is not in the catalog"],
    );
    check(
        "percent_off = 10\ndepartments = [\"dariy\"]",
        &["line 2: a: nothing in the catalog is what it is for"],
    );
    check(
        "n_for = { units = 2, price = \"2.98\" }\ndepartments = [\"dairy\"]",
        &["line 2: a: the set never costs less than its units"],
    );
    check(
        "n_for = { units = 2, price = \"2.97\" }\ndepartments = [\"dairy\"]",
        &[],
    );
    check(
        "set = { price = \"2.48\", parts = [{ items = [\"1\"] }, { items = [\"2\"] }] }",
        &["line 2: a: the set never costs less than its units"],
    );
    check(
        "price = \"1.49\"\ndepartments = [\"dairy\"]",
        &["line 2: a: all of its goods cost no more already"],
    );
}

#[test]
fn what_gives_goods_away_is_found() {
    let check = |keys: &str, expected: &[&str]| {
        found(&promotion("a", keys), &[("1", "dairy", 99)], expected);
    };
    let away = "line 2: a: it takes 90% or more off, without any limit";
    check("percent_off = 90\nitems = [\"1\"]", &[away]);
    check(
        "percent_off = 90\nitems = [\"1\"]\nlimit = { basket = 1 }",
        &[],
    );
    check("percent_off = 90\nitems = [\"1\"]\ncoupon = \"C\"", &[]);
    check(
        "cheapest = { of = 10, units = 9 }\nitems = [\"1\"]",
        &[away],
    );
    check("cheapest = { of = 2 }\nitems = [\"1\"]", &[]);
    check("total_percent_off = 95", &[away]);
    check(
        "amount_off = \"0.99\"\nitems = [\"1\"]",
        &["line 2: a: it makes the cheapest of its goods free"],
    );
    check("amount_off = \"0.98\"\nitems = [\"1\"]", &[]);
}

#[test]
fn what_is_sold_for_less_than_it_costs_is_found() {
    let check = |keys: &str, expected: &[&str]| {
        let text = format!("schema = 2\n{}", promotion("a", keys));
        let file = PromotionFile::parse(&text).unwrap_or_else(|problems| panic!("{problems:#?}"));
        let usd = |minor| Money::from_minor(minor, Currency::USD);
        type Item = (&'static str, i64, Option<i64>, Option<i64>);
        let item = |(item, price, cost, floor): Item| CheckItem {
            item: item.into(),
            department: "dairy".into(),
            brand: None,
            price: usd(price),
            cost: cost.map(usd),
            floor: floor.map(usd),
        };
        let goods = [
            ("1", 100, Some(80), None),
            ("2", 200, Some(170), None),
            ("3", 90, None, None),
            ("4", 500, Some(300), Some(350)),
            ("5", 500, Some(360), Some(350)),
        ]
        .map(item);
        let findings = check(&file, Currency::USD, &goods);
        let shown: Vec<String> = findings.iter().map(ToString::to_string).collect();
        assert_eq!(shown, expected, "{keys}");
    };
    check(
        "percent_off = 40\nitems = [\"4\"]",
        &["line 2: a: it would take '4' to 3.00, below its floor of 3.50: less is taken off"],
    );
    check(
        "percent_off = 90\nitems = [\"5\"]\ncap = \"9.00\"",
        &[
            "line 2: a: '5' is then sold for 3.50, and costs 3.60",
            "line 2: a: it would take '5' to 0.50, below its floor of 3.50: less is taken off",
        ],
    );
    check("percent_off = 30\nitems = [\"4\"]", &[]);
    let dairy = "items = [\"1\", \"2\"]";
    check(&format!("percent_off = 15\n{dairy}"), &[]);
    check(
        &format!("percent_off = 20\n{dairy}"),
        &["line 2: a: '2' is then sold for 1.60, and costs 1.70"],
    );
    check("percent_off = 50\nitems = [\"3\"]", &[]);
    check(
        "amount_off = \"0.25\"\nitems = [\"1\"]",
        &["line 2: a: '1' is then sold for 0.75, and costs 0.80"],
    );
    check(
        "n_for = { units = 2, price = \"1.50\" }\nitems = [\"1\"]",
        &["line 2: a: '1' is then sold for 0.75, and costs 0.80"],
    );
    check("cheapest = { of = 6 }\nitems = [\"1\"]", &[]);
    check(
        "cheapest = { of = 4 }\nitems = [\"1\"]",
        &["line 2: a: '1' is then sold for 0.75, and costs 0.80"],
    );
    check(
        "different = [{ titles = 2, percent_off = 30 }]\nitems = [\"1\", \"2\"]",
        &["line 2: a: '2' is then sold for 1.40, and costs 1.70"],
    );
    check(
        "prices = { \"1\" = [{ units = 1, price = \"0.90\" }, { units = 9, price = \"0.79\" }] }",
        &["line 2: a: '1' is then sold for 0.79, and costs 0.80"],
    );
}

#[test]
fn what_another_keeps_out_is_found() {
    let check = |narrow: &str, wide: &str, expected: &[&str]| {
        let text = promotion("a", narrow) + &promotion("b", wide);
        found(&text, &[], expected);
    };
    let shadowed = "line 2: a: b is always at least as good for the same goods";
    let narrow = "percent_off = 10\nitems = [\"1\"]";
    check(
        narrow,
        "percent_off = 15\nitems = [\"1\", \"2\"]",
        &[shadowed],
    );
    check(narrow, "percent_off = 15\neverything = true", &[shadowed]);
    check(narrow, "percent_off = 5\neverything = true", &[]);
    check(
        narrow,
        "percent_off = 15\neverything = true\ntiers = [\"gold\"]",
        &[],
    );
    check(
        narrow,
        "percent_off = 15\neverything = true\nweekdays = [\"fri\"]",
        &[],
    );
    check(narrow, "percent_off = 15\nitems = [\"2\"]", &[]);
    check(
        narrow,
        "percent_off = 15\neverything = true\nneeds = [{ units = 2 }]",
        &[],
    );
}

#[test]
fn what_is_nearest_is_hinted_at() {
    let book = book(&[
        "soup: n_for = { units = 3, price = \"2.00\" }; items = [\"soup\"]",
        "more: steps = [{ units = 5, percent_off = 20 }]; items = [\"soup\"]",
        "spend: total_amount_off = \"1.00\"; needs = [{ spend = \"5.00\" }]",
        "coupon: percent_off = 50; items = [\"soup\"]; coupon = \"C\"",
        "titles: different = [{ titles = 2, percent_off = 5 }]; items = [\"soup\", \"bread\"]",
    ]);
    let check = |lines: &[&str], expected: &[&str]| {
        let basket = basket(lines);
        let pricing = evaluate(&book, &basket, &Customer::default(), NOON);
        let given = |id: &PromotionId| pricing.applied.iter().any(|a| a.promotion == *id);
        let hints = hints(&book, &basket, &Customer::default(), NOON, &given);
        let shown: Vec<String> = hints.iter().map(ToString::to_string).collect();
        assert_eq!(shown, expected, "{lines:?}");
    };
    check(&[], &[]);
    check(
        &["soup 2 100"],
        &[
            "Add 1 more: The soup",
            "Add 1 different: The titles",
            "Add 3 more: The more",
        ],
    );
    check(
        &["soup 3 100"],
        &[
            "Add 1 different: The titles",
            "Add 2 more: The more",
            "Spend 2.00 more: The spend",
        ],
    );
    check(&["tea 1 100"], &[]);
    check(&["tea 1 260"], &["Spend 2.40 more: The spend"]);
    check(&["tea 1 500"], &[]);
}
