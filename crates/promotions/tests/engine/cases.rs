//! Worked examples of how promotion engines in use calculate, each under its mode: engines differ
//! in where a remainder goes, whether percentages chain or add, and who wins among exclusives. A test
//! names the cases of `case_list` that it works.

use crate::case_list::{case, with_tax};
use crate::common::{NOON, basket, book, book_with, net, priced, unit_prices, usd};
use money::Money;
use promotions::{Customer, Pricing, ReturnPolicy, Why, explain};

/// `a 30: 1=20 2=10`, one word per promotion.
fn shown(pricing: &Pricing) -> Vec<String> {
    let one = |applied: &promotions::Applied| {
        let lines = applied.per_line.iter();
        let lines: Vec<String> = lines.map(|(l, m)| format!("{l}={}", m.minor())).collect();
        let (id, amount) = (&applied.promotion, applied.amount.minor());
        format!("{id} {amount}: {}", lines.join(" "))
    };
    pricing.applied.iter().map(one).collect()
}

fn check_in(keys: &str, promotions: &[&str], lines: &[&str], expected: &[&str]) -> Pricing {
    let basket = basket(lines);
    let pricing = priced(&book_with(keys, promotions), &basket);
    assert_eq!(shown(&pricing), expected, "{promotions:?} {lines:?}");
    assert!(pricing.proven, "{promotions:?} {lines:?}");
    pricing
}

fn check(promotions: &[&str], lines: &[&str], expected: &[&str]) -> Pricing {
    check_in("", promotions, lines, expected)
}

/// As `check`, of a case of the list.
fn check_case(id: &str, promotions: &[&str], lines: &[&str], expected: &[&str]) -> Pricing {
    let pricing = check(promotions, lines, expected);
    case(id, &basket(lines), &pricing);
    pricing
}

const DESK: [&str; 2] = [
    r#"bogo: cheapest = { of = 2 }; items = ["keyboard", "mouse"]"#,
    r#"simple: percent_off = 40; items = ["keyboard", "mouse"]"#,
];

#[test]
fn the_best_deal_is_found_among_competing_offers() {
    check_case(
        "opt-01",
        &DESK,
        &["keyboard 2 2000"],
        &["bogo 2000: 1=2000"],
    );
    check_case(
        "opt-03",
        &DESK,
        &["keyboard 1 2000", "mouse 1 1000"],
        &["simple 1200: 1=800 2=400"],
    );
    check_case(
        "opt-04",
        &DESK,
        &["keyboard 2 2000", "mouse 1 1000"],
        &["bogo 2000: 1=2000", "simple 400: 2=400"],
    );
}

#[test]
fn the_largest_saving_first_is_not_always_best() {
    let meal = r#"meal: set = { price = "4.50", parts = [{ items = ["coke"] }, { items = ["sandwich"] }, { items = ["bar"] }] }"#;
    let coke = r#"coke: cheapest = { of = 2 }; items = ["coke"]"#;
    let lines = ["coke 2 200", "sandwich 2 300", "bar 2 100"];
    let expected = ["meal 300: 1=100 2=150 3=50"];
    check_case("opt-07", &[meal, coke], &lines, &expected);
}

#[test]
fn different_titles_are_grouped_best() {
    let books = r#"books: different = [{ titles = 2, percent_off = 5 }, { titles = 3, percent_off = 10 }, { titles = 4, percent_off = 20 }, { titles = 5, percent_off = 25 }]; attributes = { kind = ["book"] }"#;
    let check = |copies: &[i64], expected: i64| {
        let lines: Vec<String> = copies
            .iter()
            .zip(1..)
            .map(|(copies, title)| format!("book{title} {copies} 800 kind=book"))
            .collect();
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let basket = crate::common::basket(&lines);
        let pricing = priced(&book(&[books]), &basket);
        assert_eq!(net(&pricing, &basket), expected, "{copies:?}");
        assert!(pricing.proven);
        (basket, pricing)
    };
    let (basket, pricing) = check(&[2, 2, 2, 1, 1], 5120);
    case("potter-01", &basket, &pricing);
    let (basket, pricing) = check(&[1, 1], 1520);
    case("potter-02", &basket, &pricing);
    check(&[3], 2400);
    check(&[1, 1, 1, 1, 1], 3000);
    check(&[5, 5, 4, 5, 4], 14_120);
}

#[test]
fn priority_orders_what_comes_off_the_basket() {
    let ten = r#"ten: total_amount_off = "10.00"; priority = 1"#;
    let fifth = "fifth: total_percent_off = 20; priority = 4";
    check_case(
        "stack-01",
        &[ten, fifth],
        &["mug 1 10000"],
        &["fifth 2000: 1=2000", "ten 1000: 1=1000"],
    );
}

#[test]
fn an_exclusive_promotion_stands_alone() {
    let ten = r#"ten: total_amount_off = "10.00"; priority = 5"#;
    let fifth = r#"fifth: total_percent_off = 20; priority = 1; exclusive = "always""#;
    let lines = ["mug 1 10000"];
    check_case("stack-03", &[ten, fifth], &lines, &["fifth 2000: 1=2000"]);
    // It wins although others would give more; unless it is to win only where it is better.
    let half = "half: total_percent_off = 50";
    check(&[half, fifth], &["mug 1 10000"], &["fifth 2000: 1=2000"]);
    let better = fifth.replace("always", "if-better");
    check(&[half, &better], &["mug 1 10000"], &["half 5000: 1=5000"]);
    check(&[ten, &better], &["mug 1 10000"], &["fifth 2000: 1=2000"]);
}

#[test]
fn groups_compound_within_and_compete_across() {
    let groups = "[[group]]\nid = \"ninety-nine\"\nwithin = \"chain\"\nacross = \"compete\"\n\
                  [[group]]\nid = \"zero\"\nwithin = \"chain\"\nacross = \"compete\"\n";
    let pricing = check_in(
        groups,
        &[
            r#"a: percent_off = 10; items = ["p"]; group = "ninety-nine""#,
            r#"b: percent_off = 20; items = ["p"]; group = "ninety-nine""#,
            r#"c: percent_off = 15; items = ["p"]; group = "zero""#,
        ],
        &["p 1 10000"],
        &["a 1000: 1=1000", "b 1800: 1=1800"],
    );
    case("concur-01", &basket(&["p 1 10000"]), &pricing);
    // The reverse: the best of each group, one group after the other.
    let groups = "[[group]]\nid = \"first\"\n[[group]]\nid = \"second\"\n";
    check_in(
        groups,
        &[
            r#"a: percent_off = 10; items = ["p"]; group = "first""#,
            r#"b: percent_off = 20; items = ["p"]; group = "first""#,
            r#"c: percent_off = 50; items = ["p"]; group = "second""#,
        ],
        &["p 1 10000"],
        &["b 2000: 1=2000", "c 4000: 1=4000"],
    );
}

#[test]
fn percentages_chain_or_add() {
    let promotions = [
        r#"five: percent_off = 5; items = ["p"]; group = "g""#,
        r#"ten: percent_off = 10; items = ["p"]; priority = 1; group = "g""#,
    ];
    let group = |within: &str| format!("[[group]]\nid = \"g\"\nwithin = \"{within}\"\n");
    let pricing = check_in(
        &group("chain"),
        &promotions,
        &["p 1 10000"],
        &["five 450: 1=450", "ten 1000: 1=1000"],
    );
    case("chain-01", &basket(&["p 1 10000"]), &pricing);
    let pricing = check_in(
        &group("add"),
        &promotions,
        &["p 1 10000"],
        &["five 500: 1=500", "ten 1000: 1=1000"],
    );
    case("chain-02", &basket(&["p 1 10000"]), &pricing);
    check_in(
        &group("first"),
        &promotions,
        &["p 1 10000"],
        &["ten 1000: 1=1000"],
    );
    // Off the basket they chain, unless their group adds.
    let totals = [
        r#"five: total_percent_off = 5; group = "g""#,
        r#"ten: total_percent_off = 10; priority = 1; group = "g""#,
    ];
    check_in(
        &group("chain"),
        &totals,
        &["p 1 10000"],
        &["five 450: 1=450", "ten 1000: 1=1000"],
    );
    check_in(
        &group("add"),
        &totals,
        &["p 1 10000"],
        &["five 500: 1=500", "ten 1000: 1=1000"],
    );
}

#[test]
fn a_threshold_reads_the_running_total_and_says_what_is_missing() {
    let promotions = [
        "first: total_percent_off = 10; priority = 2",
        r#"second: total_percent_off = 20; priority = 1; needs = [{ spend_over = "100.00", of = "running" }]"#,
    ];
    let lines = ["cart 1 10500"];
    check_case("thresh-order", &promotions, &lines, &["first 1050: 1=1050"]);
    let book = book(&promotions);
    let explained = explain(&book, &basket(&lines), &Customer::default(), NOON);
    let second = &explained.verdicts[1];
    // The running total is 94.50; more than 100.00 is 5.51 away.
    assert_eq!(second.why, Why::ShortOfAmount { amount: usd(551) });
    // On the list price it is reached.
    let on_list = promotions[1].replace(", of = \"running\"", "");
    check(
        &[promotions[0], &on_list],
        &lines,
        &["first 1050: 1=1050", "second 1890: 1=1890"],
    );
}

#[test]
fn one_thing_qualifies_and_another_is_rewarded() {
    check_case(
        "cross-01",
        &[
            r#"jackets: percent_off = 10; items = ["jacket"]; needs = [{ units = 1, items = ["trousers"] }]"#,
        ],
        &["trousers 1 8000", "jacket 1 10000"],
        &["jackets 1000: 2=1000"],
    );
    check(
        &[
            r#"jackets: percent_off = 10; items = ["jacket"]; needs = [{ units = 1, items = ["trousers"] }]"#,
        ],
        &["jacket 1 10000"],
        &[],
    );
}

#[test]
fn one_promotion_gives_two_things() {
    let jackets = r#"jackets: needs = [{ spend = "500.00" }]; [[promotion.gives]]; percent_off = 20; items = ["jacket"]; [[promotion.gives]]; total_amount_off = "50.00""#;
    let lines = ["jacket 7 10000"];
    check_case("cross-02", &[jackets], &lines, &["jackets 19000: 1=19000"]);
    // Of that, 140.00 are off the jackets themselves.
    let line_alone =
        r#"jackets: percent_off = 20; items = ["jacket"]; needs = [{ spend = "500.00" }]"#;
    check(&[line_alone], &lines, &["jackets 14000: 1=14000"]);
    // Two percentages of one promotion add.
    let shirts = r#"shirts: [[promotion.gives]]; percent_off = 20; price_from = "30.00"; price_to = "150.00"; [[promotion.gives]]; percent_off = 10; items = ["shirt"]"#;
    let lines = ["shirt 1 10000", "mug 1 2000"];
    check_case("multi-02", &[shirts], &lines, &["shirts 3000: 1=3000"]);
}

#[test]
fn sets_repeat_and_a_free_unit_must_be_there() {
    // One free for three paid is one of every four; of 75, 18, and three are left.
    let of_four = r#"cabinets: cheapest = { of = 4 }; items = ["cabinet"]"#;
    let pricing = check(
        &[of_four],
        &["cabinet 75 32000"],
        &["cabinets 576000: 1=576000"],
    );
    assert_eq!(pricing.applied[0].times, 18);
    // For 75 paid 25 are free.
    let lines = ["cabinet 100 32000"];
    let pricing = check(&[of_four], &lines, &["cabinets 800000: 1=800000"]);
    assert_eq!(pricing.applied[0].times, 25);
    case("bxgy-02", &basket(&lines), &pricing);
    // One of every three free: 25 of 75.
    let of_three =
        r#"cabinets: cheapest = { of = 3 }; items = ["cabinet"]; spread_over = "reward""#;
    let pricing = check(
        &[of_three],
        &["cabinet 75 32000"],
        &["cabinets 800000: 1=800000"],
    );
    let free = unit_prices(&pricing, 1)
        .iter()
        .filter(|price| **price == 0)
        .count();
    assert_eq!(free, 25);
    let table = r#"table: set = { parts = [{ items = ["drawer"] }, { items = ["table"], percent_off = 100 }] }; spread_over = "reward""#;
    let pricing = check_case(
        "bxgy-04",
        &[table],
        &["drawer 3 2500", "table 1 4000000"],
        &["table 4000000: 2=4000000"],
    );
    assert_eq!(pricing.applied[0].times, 1);
    let explained = explain(
        &book(&[table]),
        &basket(&["drawer 3 2500"]),
        &Customer::default(),
        NOON,
    );
    assert_eq!(explained.verdicts[0].why, Why::ShortOfUnits { units: 1 });
}

#[test]
fn tax_is_on_what_is_left() {
    let check = |promotion: &str, line: &str, expected: (i64, i64)| {
        let basket = crate::common::basket(&[line]);
        let pricing = priced(&book(&[promotion]), &basket);
        assert_eq!(with_tax(&pricing, &basket), expected, "{promotion} {line}");
        (basket, pricing)
    };
    let fifth = r#"fifth: percent_off = 20; items = ["cabinet"]; needs = [{ spend = "320.00", tax = "net" }]"#;
    let (basket, pricing) = check(fifth, "cabinet 1 32000 tax:15", (3840, 29_440));
    case("tax-01", &basket, &pricing);
    check(fifth, "cabinet 1 36800 vat:15", (0, 29_440));
    check(fifth, "cabinet 1 36799 vat:15", (0, 36_799));
    let ten = r#"ten: total_amount_off = "10.00""#;
    let (basket, pricing) = check(ten, "item 1 5000 tax:20", (800, 4800));
    case("tax-04", &basket, &pricing);
    let (basket, pricing) = check(ten, "item 1 6000 vat:20", (0, 5000));
    case("tax-05", &basket, &pricing);
    let gross = r#"fifth: percent_off = 20; items = ["cabinet"]; needs = [{ spend = "368.00", tax = "gross" }]"#;
    check(gross, "cabinet 1 32000 tax:15", (3840, 29_440));
}

#[test]
fn a_basket_is_never_paid_out_and_a_fee_is_left_alone() {
    let ten = r#"ten: total_amount_off = "10.00""#;
    let lines = ["item 1 100 tax:20", "shipping 1 500 fee"];
    let pricing = check_case("floor-01", &[ten], &lines, &["ten 100: 1=100"]);
    assert_eq!(with_tax(&pricing, &basket(&lines)), (0, 500));
    // Unless the promotion is for fees.
    let free = r#"free-delivery: percent_off = 100; fees = true; items = ["shipping"]; needs = [{ spend = "1.00" }]"#;
    check(&[free], &lines, &["free-delivery 500: 2=500"]);
}

#[test]
fn what_does_not_divide_goes_where_the_promotion_says() {
    let off = |amount: &str, more: &str| format!("off: total_amount_off = \"{amount}\"{more}");
    check_case(
        "prorate-01",
        &[&off("2.99", "")],
        &["a 1 4300", "b 1 1400", "c 1 2300"],
        &["off 299: 1=161 2=52 3=86"],
    );
    let lines = ["a 1 200", "b 1 200", "c 1 200"];
    let needs = "; needs = [{ units = 2 }]";
    check(
        &[&off("4.00", needs)],
        &lines,
        &["off 400: 1=134 2=133 3=133"],
    );
    let last = format!("{needs}; remainder = \"last\"");
    check_case(
        "prorate-07",
        &[&off("4.00", &last)],
        &lines,
        &["off 400: 1=133 2=133 3=134"],
    );
    let first = format!("{needs}; remainder = \"first\"");
    check(
        &[&off("4.00", &first)],
        &lines,
        &["off 400: 1=134 2=133 3=133"],
    );
    let three = r#"three: n_for = { units = 3, price = "1.00" }; items = ["item"]"#;
    let last = format!("{three}; remainder = \"last\"");
    let lines = ["item 3 50"];
    let pricing = check_case("group-01", &[&last], &lines, &["three 50: 1=50"]);
    assert_eq!(unit_prices(&pricing, 1), [34, 34, 32]);
    let pricing = check(&[three], &["item 3 50"], &["three 50: 1=50"]);
    assert_eq!(unit_prices(&pricing, 1), [34, 33, 33]);
}

#[test]
fn what_a_floor_holds_back_is_borne_by_the_others() {
    let pricing = check_case(
        "floor-03",
        &[r#"off: total_amount_off = "25.00""#],
        &["shirt 1 5000 floor:4500", "mug 3 2000"],
        &["off 2500: 1=500 2=2000"],
    );
    assert_eq!(unit_prices(&pricing, 1), [4500]);
    assert_eq!(unit_prices(&pricing, 2), [1334, 1333, 1333]);
}

#[test]
fn units_that_earned_and_units_that_received_bear_a_set_together() {
    let ties = r#"ties: set = { parts = [{ units = 2, items = ["shirt"] }, { units = 1, items = ["tie"], percent_off = 10 }] }"#;
    let lines = ["shirt 5 1000", "tie 3 1000"];
    let pricing = check_case("return-00", &[ties], &lines, &["ties 200: 1=132 2=68"]);
    assert_eq!(unit_prices(&pricing, 1), [1000, 967, 967, 967, 967]);
    assert_eq!(unit_prices(&pricing, 2), [1000, 966, 966]);
    // Two shirts of a set bore 66 of its 100.
    case("return-01", &basket(&lines), &pricing);
    let refund = pricing.refund(1, 0, 2, ReturnPolicy::Prorated);
    assert_eq!(refund, Some(usd(1934)));
    // Or only those that received.
    let kept = format!("{ties}; spread_over = \"reward\"");
    let pricing = check(&[&kept], &lines, &["ties 200: 2=200"]);
    assert_eq!(unit_prices(&pricing, 2), [1000, 900, 900]);
}

#[test]
fn two_bought_one_free() {
    let free = r#"free: cheapest = { of = 3 }; items = ["a"]"#;
    let lines = ["a 3 1399"];
    let pricing = check_case("return-04", &[free], &lines, &["free 1399: 1=1399"]);
    let refund = pricing.refund(1, 0, 3, ReturnPolicy::Prorated);
    assert_eq!(refund, Some(usd(2798)));
    let paid: Money = pricing
        .units
        .iter()
        .map(|units| units.paid.times(i64::from(units.count)))
        .sum();
    assert_eq!(paid, usd(2798));
}
