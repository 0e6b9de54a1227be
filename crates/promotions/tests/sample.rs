//! The promotions of the sample store: they compile, are for items and departments that exist, and
//! do what their names say.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use catalog::{Import, Item, Record, Tier};
use money::{Currency, Money, Quantity};
use promotions::{
    Basket, BasketLine, CheckItem, CompiledBook, Customer, Gives, Instant, PromotionFile, check,
    evaluate,
};

/// 2026-05-04, noon: for nobody in particular, no promotion of a time or a tier holds.
const MONDAY: Instant = Instant {
    unix_ms: (20_577 * 24 + 12) * 3_600_000,
    offset_minutes: 0,
};

fn file(name: &str) -> String {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../node/sample");
    std::fs::read_to_string(folder.join(name)).unwrap()
}

fn promotions() -> PromotionFile {
    PromotionFile::parse(&file("promotions.toml")).unwrap_or_else(|p| panic!("{p:#?}"))
}

fn items() -> BTreeMap<String, Item> {
    let text = file("items.csv");
    let pins = Box::new(|_: &str| String::new());
    let items = Import::new(text.as_bytes(), None, Currency::USD, pins);
    let item = |record| match record {
        Ok(Record::Item(item)) => Some((item.id.0.clone(), item)),
        _ => None,
    };
    items.filter_map(item).collect()
}

#[test]
fn nothing_is_wrong_with_them() {
    let goods: Vec<CheckItem> = items()
        .into_values()
        .map(|item| CheckItem {
            item: item.id,
            department: item.department,
            brand: item.brand,
            price: item.price,
            cost: None,
            floor: None,
        })
        .collect();
    let file = promotions();
    assert_eq!(check(&file, Currency::USD, &goods), []);
    assert_eq!(
        CompiledBook::compile(&file, Currency::USD).unwrap().len(),
        20
    );
    for promotion in &file.promotions {
        let until = promotion.when.until;
        assert_eq!(until, None, "the demo shows every promotion, always");
    }
}

#[test]
fn they_are_of_every_kind() {
    let file = promotions();
    let gives = file.promotions.iter().flat_map(|p| &p.gives);
    let kinds: BTreeSet<&str> = gives
        .map(|give| match &give.what {
            Gives::Unit { steps, .. } if steps.len() > 1 => "steps",
            Gives::Unit { .. } => "unit",
            Gives::NFor { .. } => "n-for",
            Gives::OfEvery { .. } => "of-every",
            Gives::Set { .. } => "set",
            Gives::Different { .. } => "different",
            Gives::Total { .. } => "total",
            Gives::PointsPer { .. } => "points",
            _ => "other",
        })
        .collect();
    let expected = [
        "different",
        "n-for",
        "of-every",
        "points",
        "set",
        "steps",
        "total",
        "unit",
    ];
    assert_eq!(kinds, expected.into());
    assert!(file.promotions.iter().any(|p| p.coupon.is_some()));
    let limited = file.promotions.iter().filter(|promotion| {
        let when = &promotion.when;
        !(promotion.who.tiers.is_empty() && when.weekdays.is_empty() && when.times.is_empty())
    });
    assert!(limited.count() >= 4);
}

/// What the sample store had in its first schema is read as it was.
#[test]
fn a_file_of_the_first_schema_is_still_a_book() {
    let file = PromotionFile::parse(include_str!("golden/sample-1.toml")).unwrap();
    let book = CompiledBook::compile(&file, Currency::USD).unwrap();
    assert_eq!(book.len(), 20);
    let line = |number: u32, price: i64| {
        let price = Money::from_minor(price, Currency::USD);
        BasketLine::new(
            number,
            "10004".into(),
            "produce".into(),
            Quantity::ONE,
            price,
        )
    };
    let basket = Basket::new(Currency::USD, (1..=3).map(|n| line(n, 149)).collect());
    let pricing = evaluate(&book, &basket, &Customer::default(), MONDAY);
    assert_eq!(pricing.total(), Money::from_minor(47, Currency::USD));
}

/// Prices as many of the dearest item of each n-for-a-price as one set needs.
#[test]
fn every_set_is_cheaper_than_its_dearest_units() {
    let items = items();
    let file = promotions();
    let book = CompiledBook::compile(&file, Currency::USD).unwrap();
    for promotion in &file.promotions {
        let Gives::NFor {
            units, selector, ..
        } = &promotion.gives[0].what
        else {
            continue;
        };
        let dearest = selector.items.iter().map(|id| &items[&id.0]);
        let dearest = dearest.max_by_key(|item| item.price.minor()).unwrap();
        let line = |number: u32| BasketLine {
            brand: dearest.brand.clone(),
            ..BasketLine::new(
                number,
                dearest.id.clone(),
                dearest.department.clone(),
                Quantity::ONE,
                dearest.price,
            )
        };
        let basket = Basket::new(Currency::USD, (1..=*units).map(line).collect());
        let pricing = evaluate(&book, &basket, &Customer::default(), MONDAY);
        assert_eq!(pricing.applied.len(), 1, "{}", promotion.id);
        assert_eq!(pricing.applied[0].promotion, promotion.id);
    }
}

#[test]
fn a_cart_of_the_whole_store_is_priced_within_its_lines() {
    let book = CompiledBook::compile(&promotions(), Currency::USD).unwrap();
    let items = items();
    let every_13th = items.values().step_by(13);
    let line = |(number, item): (u32, &Item)| {
        let quantity = Quantity::each(1 + i64::from(number % 4));
        BasketLine {
            brand: item.brand.clone(),
            ..BasketLine::new(
                number,
                item.id.clone(),
                item.department.clone(),
                quantity,
                item.price,
            )
        }
    };
    let basket = Basket::new(Currency::USD, (1..).zip(every_13th).map(line).collect());
    assert!(basket.lines.len() >= 150);
    let gold = Customer {
        tier: Some(Tier::Gold),
        ..Customer::default()
    };
    // Friday 2026-05-01, 19:00.
    let friday = Instant {
        unix_ms: (20_574 * 24 + 19) * 3_600_000,
        offset_minutes: 0,
    };
    let pricing = evaluate(&book, &basket, &gold, friday);
    assert!(pricing.proven);
    assert!(pricing.applied.len() >= 8, "{pricing:#?}");
    for line in &basket.lines {
        let off = pricing.line_discount(line.line);
        assert!(off >= Money::zero(Currency::USD) && off <= line.extended);
    }
}
