//! Baskets and books in a few words, for tests.

use std::collections::BTreeMap;

use catalog::{CodeRules, Gtin, ScannedCode};
use money::{Currency, Money, Quantity, Rate};
use promotions::{
    Applied, Basket, BasketLine, CompiledBook, Customer, Instant, Phase, Pricing, PromotionFile,
    evaluate,
};

pub fn usd(minor: i64) -> Money {
    Money::from_minor(minor, Currency::USD)
}

/// Friday 2026-05-01 12:00 in the store.
pub const NOON: Instant = Instant {
    unix_ms: (20_574 * 24 + 16) * 3_600_000,
    offset_minutes: -240,
};

/// Lines like `apple 3 99`: item, pieces (or `455g`), unit price in cents, and after that any of
/// `in:DEPARTMENT`, `by:BRAND`, `floor:CENTS`, `gtin:NUMBER`, `tax:PERCENT`, `vat:PERCENT` (contained), `fee`, or
/// an attribute `size=1l`. The department is the item's name where it is not stated.
pub fn basket(lines: &[&str]) -> Basket {
    let lines = lines
        .iter()
        .zip(1..)
        .map(|(text, number)| line(text, number));
    Basket::new(Currency::USD, lines.collect())
}

/// Hands over a coupon by the code on it.
pub fn hand_over(basket: &mut Basket, code: &str) {
    let rules = CodeRules {
        layouts: &[],
        currency: Currency::USD,
        this_year: 2026,
    };
    let ScannedCode::Coupon(coupon) = ScannedCode::parse(code, &rules).unwrap() else {
        panic!("{code} is no coupon");
    };
    *basket.coupons.entry(coupon.name()).or_default() += 1;
    let asks = basket.asks.entry(coupon.name()).or_default();
    asks.extend(coupon.asks);
}

fn line(text: &str, number: u32) -> BasketLine {
    let words: Vec<&str> = text.split(' ').collect();
    let quantity = match words[1].strip_suffix('g') {
        Some(grams) => Quantity::grams(grams.parse().unwrap()),
        None => Quantity::each(words[1].parse().unwrap()),
    };
    let price = usd(words[2].parse().unwrap());
    let mut line = BasketLine::new(number, words[0].into(), words[0].into(), quantity, price);
    for word in &words[3..] {
        match word.split_once([':', '=']) {
            Some(("in", department)) => line.department = department.into(),
            Some(("by", brand)) => line.brand = Some(brand.to_owned()),
            Some(("gtin", gtin)) => line.gtin = Some(Gtin::parse(gtin).unwrap()),
            Some(("floor", floor)) => line.floor = Some(usd(floor.parse().unwrap())),
            Some(("tax", rate)) => line.tax = Some((Rate::parse_percent(rate).unwrap(), false)),
            Some(("vat", rate)) => line.tax = Some((Rate::parse_percent(rate).unwrap(), true)),
            Some((key, value)) => {
                line.attributes.insert(key.to_owned(), value.to_owned());
            }
            None => line.fee = *word == "fee",
        }
    }
    line
}

/// A book of schema 2. Each promotion is its id, a colon, and its keys, divided by `; `.
pub fn book(promotions: &[&str]) -> CompiledBook {
    compiled(&file(promotions))
}

/// As `book`, with keys of the file before.
pub fn book_with(keys: &str, promotions: &[&str]) -> CompiledBook {
    let text = file(promotions);
    compiled(&text.replacen("schema = 2\n", &format!("schema = 2\n{keys}\n"), 1))
}

fn file(promotions: &[&str]) -> String {
    let mut text = "schema = 2\n".to_owned();
    for promotion in promotions {
        let (id, keys) = promotion.split_once(": ").unwrap();
        let keys = keys.replace("; ", "\n");
        text += &format!("[[promotion]]\nid = \"{id}\"\nname = \"The {id}\"\n{keys}\n");
    }
    text
}

fn compiled(text: &str) -> CompiledBook {
    let file =
        PromotionFile::parse(text).unwrap_or_else(|problems| panic!("{text}\n{problems:#?}"));
    CompiledBook::compile(&file, Currency::USD).unwrap_or_else(|p| panic!("{text}\n{p:#?}"))
}

/// Prices a basket at noon for nobody in particular, and checks what holds for every pricing.
pub fn priced(book: &CompiledBook, basket: &Basket) -> Pricing {
    let pricing = evaluate(book, basket, &Customer::default(), NOON);
    assert_sound(&pricing, basket);
    pricing
}

/// Parts sum to their wholes, nothing is negative or below a floor.
pub fn assert_sound(pricing: &Pricing, basket: &Basket) {
    let mut by_line: BTreeMap<u32, i64> = BTreeMap::new();
    for applied in &pricing.applied {
        let parts = applied.per_line.iter().map(|(_, part)| part.minor());
        assert_eq!(parts.clone().sum::<i64>(), applied.amount.minor());
        assert!(parts.clone().all(|part| part > 0));
        assert!(applied.per_line.is_sorted_by(|a, b| a.0 < b.0));
        for (line, part) in &applied.per_line {
            *by_line.entry(*line).or_default() += part.minor();
        }
    }
    let order = |a: &Applied| (a.phase == Phase::Manual, a.promotion.clone());
    assert!(pricing.applied.is_sorted_by(|a, b| order(a) < order(b)));
    for line in &basket.lines {
        let off = by_line.get(&line.line).copied().unwrap_or(0);
        let of_line = pricing.units.iter().filter(|units| units.line == line.line);
        let (mut list, mut paid, mut count) = (0, 0, 0);
        for units in of_line {
            list += units.list.minor() * i64::from(units.count);
            paid += units.paid.minor() * i64::from(units.count);
            count += i64::from(units.count);
            let floor = line.floor.map_or(0, Money::minor);
            let weighed = line.quantity.pieces().is_none();
            assert!(weighed || units.paid.minor() >= floor.min(units.list.minor()));
            assert!(!units.paid.is_negative());
        }
        if count > 0 {
            assert_eq!(list, line.extended.minor());
            assert_eq!(list - paid, off, "line {}", line.line);
            assert_eq!(count, line.quantity.pieces().unwrap_or(1));
        }
    }
}

/// What the basket costs after all discounts, before added tax.
pub fn net(pricing: &Pricing, basket: &Basket) -> i64 {
    let gross: i64 = basket.lines.iter().map(|line| line.extended.minor()).sum();
    gross - pricing.total().minor()
}

/// What each unit of a line costs, the dearest first.
pub fn unit_prices(pricing: &Pricing, line: u32) -> Vec<i64> {
    let units = pricing.units.iter().filter(|units| units.line == line);
    units
        .flat_map(|units| std::iter::repeat_n(units.paid.minor(), units.count as usize))
        .collect()
}
