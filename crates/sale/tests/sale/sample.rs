//! The sample store's promotions at the register.

use catalog::{Import, Item, ItemCode, Record};
use money::Currency;
use promotions::{CompiledBook, PromotionFile};
use testkit::sums::assert_adds_up;

use crate::shop::Lane;

/// A lane of the sample store; its items are untaxed here.
fn lane() -> Lane {
    let pins = Box::new(|_: &str| String::new());
    let text = include_str!("../../../../node/sample/items.csv");
    let records = Import::new(text.as_bytes(), None, Currency::USD, pins);
    let items = records.filter_map(|record| match record {
        Ok(Record::Item(mut item)) => {
            item.codes.push(ItemCode::Internal(item.id.0.clone()));
            item.tax = "food".into();
            Some(item)
        }
        _ => None,
    });
    let items: Vec<Item> = items.collect();
    assert!(items.len() > 2_000);
    let text = include_str!("../../../../node/sample/promotions.toml");
    let file = PromotionFile::parse(text).unwrap();
    let mut lane = Lane::new();
    lane.books.items = items;
    lane.promotions = CompiledBook::compile(&file, Currency::USD).unwrap();
    lane.all("in 101 1111 / age 21");
    lane
}

/// After these commands the open cart has these promotions, with what they take off in cents; those
/// that give points have 0. It is a Friday, five in the morning.
#[track_caller]
fn check(commands: &str, expected: &[(&str, i64)]) {
    let mut lane = lane();
    lane.all(commands);
    let totals = lane.totals();
    assert_adds_up(&totals);
    let money = totals.promotions.iter();
    let money = money.map(|p| (p.promotion.as_str(), p.amount.minor()));
    let points = totals.points.iter().map(|p| (p.promotion.as_str(), 0));
    let got: Vec<(&str, i64)> = money.chain(points).collect();
    assert_eq!(got, expected, "{commands}");
}

#[test]
fn the_sample_promotions_apply_at_the_register() {
    check("scan 16102", &[]);
    check("scan 16102 x 4", &[("soup-4-for-7", 216)]);
    check("scan 16074 x 5", &[("beans", 120)]);
    check("scan 10004 x 3", &[("avocado-buy-2", 149)]);
    check("scan 10004", &[("fresh-friday", 15)]);
    check("scan 17013 / scan 18009", &[("chips-and-soda", 168)]);
    check("scan 17124 x 3", &[("chocolate-3-for-2", 339)]);
    check(
        "scan 19063 / customer 700",
        &[("gold-wine", 210), ("points", 0)],
    );
    check(
        "scan 19063 x 2 / coupon LANTERN",
        &[("lantern-coupon", 300)],
    );
    check("scan 19063 x 5", &[("spend-and-save", 500)]);
}
