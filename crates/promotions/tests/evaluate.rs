//! Pricing small baskets, each worked out by hand.

use catalog::Tier;
use money::{Currency, Money, Quantity};
use promotions::{
    Basket, BasketLine, CompiledBook, Customer, Instant, Pricing, PromotionFile, evaluate,
};

fn usd(minor: i64) -> Money {
    Money::from_minor(minor, Currency::USD)
}

/// Lines like `1 apple fruit 3 99`: line, item, department, pieces (or `455g`), unit price in cents.
/// A sixth word is the brand.
fn basket(lines: &[&str]) -> Basket {
    let line = |text: &&str| {
        let words: Vec<&str> = text.split(' ').collect();
        let quantity = match words[3].strip_suffix('g') {
            Some(grams) => Quantity::grams(grams.parse().unwrap()),
            None => Quantity::each(words[3].parse().unwrap()),
        };
        let unit_price = usd(words[4].parse().unwrap());
        BasketLine {
            brand: words.get(5).map(|brand| brand.to_string()),
            ..BasketLine::new(
                words[0].parse().unwrap(),
                words[1].into(),
                words[2].into(),
                quantity,
                unit_price,
            )
        }
    };
    Basket::new(Currency::USD, lines.iter().map(line).collect())
}

/// A book of promotions like `a: percent_off = 10; departments = ["fruit"]`.
fn book(promotions: &[&str]) -> CompiledBook {
    let mut text = "schema = 1\n".to_owned();
    for promotion in promotions {
        let (id, keys) = promotion.split_once(": ").unwrap();
        let keys = keys.replace("; ", "\n");
        text += &format!("[[promotion]]\nid = \"{id}\"\nname = \"The {id}\"\n{keys}\n");
    }
    let file = PromotionFile::parse(&text).unwrap();
    CompiledBook::compile(&file, Currency::USD).unwrap()
}

/// Friday 2026-05-01 12:00 in the store.
const NOON: Instant = Instant {
    unix_ms: (20_574 * 24 + 16) * 3_600_000,
    offset_minutes: -240,
};

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

fn check(promotions: &[&str], lines: &[&str], expected: &[&str]) {
    let customer = Customer::default();
    let pricing = evaluate(&book(promotions), &basket(lines), &customer, NOON);
    assert_eq!(shown(&pricing), expected, "{promotions:?} {lines:?}");
    assert!(pricing.proven);
}

#[test]
fn percent_off_is_rounded_per_unit() {
    let tenth = r#"a: percent_off = 10; departments = ["fruit"]"#;
    check(
        &[tenth],
        &["1 apple fruit 1 100", "2 soap home 1 100"],
        &["a 10: 1=10"],
    );
    // 33.3 cents become 33, three times.
    check(&[tenth], &["1 apple fruit 3 333"], &["a 99: 1=99"]);
    check(&[tenth], &["1 apple fruit 3 5"], &["a 3: 1=3"]);
    check(&[tenth], &["1 apple fruit 3 4"], &[]);
    // What is weighed is one unit: 0.455 kg at 3.99 is 1.82.
    check(&[tenth], &["1 apple fruit 455g 399"], &["a 18: 1=18"]);
    let eighth = r#"a: percent_off = 12.5; items = ["apple"]"#;
    check(&[eighth], &["1 apple fruit 1 200"], &["a 25: 1=25"]);
}

#[test]
fn amount_off_goes_to_zero_and_not_below() {
    let off = r#"a: amount_off = "0.40"; brands = ["Hill"]"#;
    check(
        &[off],
        &["1 jam food 2 100 Hill", "2 jam food 2 100"],
        &["a 80: 1=80"],
    );
    check(&[off], &["1 jam food 2 30 Hill"], &["a 60: 1=60"]);
    check(&[off], &["1 ham food 500g 1000 Hill"], &["a 20: 1=20"]);
    check(&[off], &["1 ham food 500g 30 Hill"], &["a 15: 1=15"]);
    let huge = r#"a: amount_off = "10000000000000.00"; brands = ["Hill"]"#;
    check(
        &[huge],
        &["1 ham food 100000000g 1000 Hill"],
        &["a 100000000: 1=100000000"],
    );
}

#[test]
fn n_for_a_price_mixes_its_lines_and_takes_the_dearest() {
    let three = r#"a: n_for = { units = 3, price = "2.50" }; departments = ["fruit"]"#;
    check(&[three], &["1 apple fruit 2 100"], &[]);
    check(
        &[three],
        &["1 apple fruit 2 100", "2 pear fruit 1 110"],
        &["a 60: 1=39 2=21"],
    );
    // The fourth, cheapest, unit stays outside.
    check(
        &[three],
        &["1 apple fruit 3 100", "2 plum fruit 1 90"],
        &["a 50: 1=50"],
    );
    check(&[three], &["1 apple fruit 7 100"], &["a 100: 1=100"]);
    // No set that would cost more than its units.
    check(&[three], &["1 plum fruit 3 80"], &[]);
    // Weighed lines take no part.
    check(
        &[three],
        &["1 apple fruit 2 100", "2 pear fruit 900g 300"],
        &[],
    );
    let one = r#"a: n_for = { units = 1, price = "0.75" }; items = ["apple"]"#;
    check(&[one], &["1 apple fruit 2 100"], &["a 50: 1=50"]);
}

#[test]
fn a_unit_takes_part_in_one_promotion_the_better_one() {
    let tenth = r#"ten: percent_off = 10; departments = ["fruit"]"#;
    let fifth = r#"twenty: percent_off = 20; items = ["pear"]"#;
    let three = r#"three: n_for = { units = 3, price = "2.50" }; departments = ["fruit"]"#;
    check(
        &[tenth, fifth],
        &["1 apple fruit 1 100", "2 pear fruit 1 100"],
        &["ten 10: 1=10", "twenty 20: 2=20"],
    );
    // Three for 2.50 gives 0.50 where 10 % gives 0.30; the fourth gets the 10 %.
    check(
        &[tenth, three],
        &["1 apple fruit 4 100"],
        &["ten 10: 1=10", "three 50: 1=50"],
    );
    // Cheap ones are better off with the percentage.
    check(&[tenth, three], &["1 plum fruit 3 90"], &["ten 27: 1=27"]);
    // Pears have 20 % already, so the set takes the apples.
    check(
        &[three, fifth],
        &["1 pear fruit 3 100", "2 apple fruit 3 100"],
        &["three 50: 2=50", "twenty 60: 1=60"],
    );
    // The same gain: the id that comes first.
    let other = r#"eleven: percent_off = 10; departments = ["fruit"]"#;
    check(
        &[tenth, other],
        &["1 apple fruit 1 100"],
        &["eleven 10: 1=10"],
    );
}

#[test]
fn sets_that_compete_are_weighed_against_each_other() {
    // Two y for 2.90 gain most, 1.10, and would leave x alone; x with y and y with z gain 1.30.
    let a = r#"a: n_for = { units = 2, price = "3.00" }; items = ["x", "y"]"#;
    let b = r#"b: n_for = { units = 2, price = "2.90" }; items = ["y", "z"]"#;
    check(
        &[a, b],
        &["1 x d 1 200", "2 y d 2 200", "3 z d 1 120"],
        &["a 100: 1=50 2=50", "b 30: 2=19 3=11"],
    );
    check(
        &[a, b],
        &["1 x d 1 200", "2 y d 1 200", "3 z d 1 200"],
        &["b 110: 2=55 3=55"],
    );
}

#[test]
fn who_and_when_are_kept_to() {
    let lines = ["1 apple fruit 1 100"];
    let check = |limits: &str, tier: Option<Tier>, hours_later: u64, expected: bool| {
        let promotion = format!(r#"a: percent_off = 10; departments = ["fruit"]; {limits}"#);
        let customer = Customer {
            tier,
            ..Customer::default()
        };
        let at = Instant {
            unix_ms: NOON.unix_ms + hours_later * 3_600_000,
            ..NOON
        };
        let pricing = evaluate(&book(&[&promotion]), &basket(&lines), &customer, at);
        assert_eq!(
            pricing.total() == usd(10),
            expected,
            "{limits} {tier:?} {hours_later}"
        );
    };
    let silver = r#"tiers = ["silver", "gold"]"#;
    check(silver, None, 0, false);
    check(silver, Some(Tier::Basic), 0, false);
    check(silver, Some(Tier::Gold), 0, true);
    check(r#"weekdays = ["fri"]"#, None, 11, true);
    check(r#"weekdays = ["fri"]"#, None, 12, false);
    check(r#"times = ["12:00-13:00"]"#, None, 0, true);
    check(r#"times = ["12:00-13:00"]"#, None, 1, false);
    check("until = 2026-05-01", None, 11, true);
    check("until = 2026-05-01", None, 12, false);
    check(r#"exclude_items = ["apple"]"#, None, 0, false);
}

#[test]
fn what_cannot_be_discounted_is_left_alone() {
    let tenth = r#"a: percent_off = 10; departments = ["fruit"]"#;
    check(&[tenth], &["1 apple fruit 1 0"], &[]);
    check(&[tenth], &["1 apple fruit -1 100"], &[]);
    check(&[], &["1 apple fruit 1 100"], &[]);
    let lines = basket(&["1 apple fruit 1 100"]);
    let empty = evaluate(&CompiledBook::empty(), &lines, &Customer::default(), NOON);
    assert_eq!(empty, Pricing::none(Currency::USD));
    let euros = Basket::new(Currency::EUR, Vec::new());
    let pricing = evaluate(&book(&[tenth]), &euros, &Customer::default(), NOON);
    assert_eq!(pricing, Pricing::none(Currency::EUR));
}

#[test]
fn a_line_whose_price_does_not_divide_keeps_its_sum() {
    // Three for 1.00, priced as a whole: 34, 33 and 33 cents.
    let mut lines = basket(&["1 apple fruit 3 33"]);
    lines.lines[0].extended = usd(100);
    let half = book(&[r#"a: percent_off = 50; departments = ["fruit"]"#]);
    let pricing = evaluate(&half, &lines, &Customer::default(), NOON);
    assert_eq!(pricing.line_discount(1), usd(17 + 17 + 17));
    let all = book(&[r#"a: percent_off = 100; departments = ["fruit"]"#]);
    let pricing = evaluate(&all, &lines, &Customer::default(), NOON);
    assert_eq!(pricing.line_discount(1), usd(100));
    assert_eq!(pricing.line_discount(2), usd(0));
}

/// A basket as large as they come, with every promotion competing: the budget holds, and what is
/// found is a valid pricing that is no worse than any single promotion.
#[test]
fn a_search_that_is_cut_short_says_so_and_still_prices() {
    let promotions: Vec<String> = (0..20)
        .map(|i| {
            let items: Vec<String> = (0..9)
                .map(|k| format!("\"i{}\"", (i * 3 + k * 7) % 40))
                .collect();
            let (units, price) = (2 + i % 4, 110 * (2 + i % 4) + 7 * i);
            format!(
                "p{i:02}: n_for = {{ units = {units}, price = {}.{:02} }}; items = [{}]",
                price / 100,
                price % 100,
                items.join(", ")
            )
        })
        .collect();
    let promotions: Vec<&str> = promotions.iter().map(String::as_str).collect();
    let lines: Vec<String> = (0..160)
        .map(|l| format!("{l} i{} d {} {}", l % 40, 1 + l % 5, 120 + l * 37 % 90))
        .collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let basket = basket(&lines);
    let customer = Customer::default();
    let pricing = evaluate(&book(&promotions), &basket, &customer, NOON);
    assert!(!pricing.proven);
    for single in &promotions {
        let alone = evaluate(&book(&[single]), &basket, &customer, NOON);
        assert!(alone.proven && alone.total().minor() <= pricing.total().minor());
    }
    for line in &basket.lines {
        let off = pricing.line_discount(line.line);
        assert!(!off.is_negative() && off.minor() <= line.extended.minor());
    }
}
