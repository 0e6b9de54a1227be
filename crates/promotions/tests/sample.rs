//! The promotions of the sample store: they compile, are for items and departments that exist, and
//! do what their names say.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use catalog::{Import, Item, Record, Tier};
use money::{Currency, Money, Quantity};
use promotions::{
    Basket, BasketLine, CompiledBook, Customer, FileReward, Gives, Instant, Promotion,
    PromotionFile, Selector, evaluate,
};

fn file(name: &str) -> String {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../node/sample");
    std::fs::read_to_string(folder.join(name)).unwrap()
}

fn promotions() -> PromotionFile {
    PromotionFile::parse(&file("promotions.toml")).unwrap_or_else(|p| panic!("{p:#?}"))
}

/// What a promotion of the first schema is for.
fn selector(promotion: &Promotion) -> &Selector {
    match &promotion.gives[0].what {
        Gives::Unit { selector, .. } | Gives::NFor { selector, .. } => selector,
        other => panic!("{other:?}"),
    }
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
fn they_are_for_what_exists() {
    let items = items();
    let departments: BTreeSet<_> = items.values().map(|item| &item.department).collect();
    let brands: BTreeSet<_> = items
        .values()
        .filter_map(|item| item.brand.as_ref())
        .collect();
    let file = promotions();
    assert_eq!(file.promotions.len(), 20);
    for promotion in &file.promotions {
        let qualifies = selector(promotion);
        let excluded = qualifies.except.iter().flat_map(|except| &except.items);
        let named = qualifies.items.iter().chain(excluded);
        for item in named {
            assert!(items.contains_key(&item.0), "{} names {item}", promotion.id);
        }
        assert!(
            qualifies
                .departments
                .iter()
                .all(|d| departments.contains(d))
        );
        assert!(qualifies.brands.iter().all(|brand| brands.contains(brand)));
        assert_eq!(
            promotion.when.until, None,
            "the demo shows every promotion, always"
        );
    }
    assert_eq!(
        CompiledBook::compile(&file, Currency::USD).unwrap().len(),
        20
    );
}

#[test]
fn they_are_of_every_kind() {
    let file = promotions();
    let count = |what: fn(&Gives) -> bool| {
        let gives = file
            .promotions
            .iter()
            .flat_map(|promotion| &promotion.gives);
        gives.filter(|give| what(&give.what)).count()
    };
    let unit = |gives: &Gives| match gives {
        Gives::Unit { steps, .. } => Some(steps[0].1.clone()),
        _ => None,
    };
    let count_rewards = |what: fn(&FileReward) -> bool| {
        let gives = file
            .promotions
            .iter()
            .flat_map(|promotion| &promotion.gives);
        let rewards = gives.filter_map(|give| unit(&give.what));
        rewards.filter(what).count()
    };
    assert!(count_rewards(|reward| matches!(reward, FileReward::Percent(_))) >= 3);
    assert!(count_rewards(|reward| matches!(reward, FileReward::Amount(_))) >= 3);
    assert!(count(|gives| matches!(gives, Gives::NFor { .. })) >= 3);
    let limited = file.promotions.iter().filter(|promotion| {
        let when = &promotion.when;
        !(promotion.who.tiers.is_empty() && when.weekdays.is_empty() && when.times.is_empty())
    });
    assert!(limited.count() >= 4);
}

/// Prices as many of the dearest item of each n-for-a-price as one set needs.
#[test]
fn every_set_is_cheaper_than_its_dearest_units() {
    let items = items();
    let file = promotions();
    let book = CompiledBook::compile(&file, Currency::USD).unwrap();
    // Monday 2026-05-04, noon, and nobody in particular: no other promotion holds.
    let monday = Instant {
        unix_ms: (20_577 * 24 + 12) * 3_600_000,
        offset_minutes: 0,
    };
    for promotion in &file.promotions {
        let Gives::NFor { units, .. } = promotion.gives[0].what else {
            continue;
        };
        let dearest = selector(promotion).items.iter().map(|id| &items[&id.0]);
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
        let basket = Basket::new(Currency::USD, (1..=units).map(line).collect());
        let pricing = evaluate(&book, &basket, &Customer::default(), monday);
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
