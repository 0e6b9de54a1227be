//! Books and baskets to measure and to test with: made from a store's own items, the same every
//! time.
//!
//! Nothing here is part of pricing. A workload is text and baskets, so that it goes through the same
//! reader and compiler as a merchandiser's file.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use money::{Currency, Money, Quantity};

use crate::{Basket, BasketLine, Instant};

/// A Friday noon at which every workload is priced.
pub const AT: Instant = Instant {
    unix_ms: 1_777_651_200_000,
    offset_minutes: 0,
};
/// Sizes of baskets, in lines, and of books, in promotions, that are measured.
pub const LINES: [usize; 4] = [5, 20, 50, 160];
pub const PROMOTIONS: [usize; 4] = [10, 100, 1_000, 10_000];

/// An item of a store, as far as promotions look at it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Product {
    pub id: String,
    pub category: String,
    pub brand: String,
    /// Over zero, in cents.
    pub price_minor: i64,
}

/// A small generator (splitmix64), so that every run measures the same.
#[derive(Clone, Debug)]
pub struct Dice(pub u64);

impl Dice {
    /// A number below `below`; 0 where that is 0.
    pub fn roll(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % below.max(1) as u64) as usize
    }
}

/// A line of a basket: so many pieces of a product. Lines are numbered by `of_size`.
pub fn line_of(product: &Product, pieces: i64) -> BasketLine {
    let price = Money::from_minor(product.price_minor, Currency::USD);
    BasketLine {
        brand: Some(product.brand.clone()),
        ..BasketLine::new(
            0,
            product.id.as_str().into(),
            product.category.as_str().into(),
            Quantity::each(pieces),
            price,
        )
    }
}

/// A basket of these lines, numbered.
pub fn basket_of(lines: impl IntoIterator<Item = BasketLine>) -> Basket {
    let numbered = lines.into_iter().zip(1..);
    let numbered = numbered.map(|(line, number)| BasketLine {
        line: number,
        ..line
    });
    Basket::new(Currency::USD, numbered.collect())
}

/// Baskets of `size` lines, each put together from consecutive real ones; fewer than `most` where
/// there are not lines enough.
pub fn of_size(baskets: &[Vec<BasketLine>], size: usize, most: usize) -> Vec<Basket> {
    let mut all = baskets.iter().flatten();
    let mut made = Vec::new();
    while made.len() < most {
        let lines: Vec<BasketLine> = all.by_ref().take(size).cloned().collect();
        if lines.len() < size {
            break;
        }
        made.push(basket_of(lines));
    }
    made
}

/// Promotions of every kind spread over all products.
pub fn sparse(products: &[Product], count: usize) -> String {
    let all: Vec<&Product> = products.iter().collect();
    promotions(&all, &[], count, 7)
}

/// Promotions of every kind, all of them on the categories of a basket.
pub fn dense(
    by_id: &BTreeMap<&str, &Product>,
    by_category: &BTreeMap<&str, Vec<&Product>>,
    basket: &Basket,
    (count, seed): (usize, u64),
) -> String {
    let bought: Vec<&Product> = basket
        .lines
        .iter()
        .filter_map(|line| by_id.get(line.item.0.as_str()).copied())
        .collect();
    let categories: BTreeSet<&str> = bought.iter().map(|item| item.category.as_str()).collect();
    let near: Vec<&Product> = categories
        .iter()
        .filter_map(|category| by_category.get(category))
        .flatten()
        .copied()
        .collect();
    promotions(&near, &bought, count, seed + 100)
}

/// Products by their ids and by their categories, as `dense` wants them.
pub fn indexed(products: &[Product]) -> (BTreeMap<&str, &Product>, BTreeMap<&str, Vec<&Product>>) {
    let mut by_category: BTreeMap<&str, Vec<&Product>> = BTreeMap::new();
    for product in products {
        let category = by_category.entry(&product.category).or_default();
        category.push(product);
    }
    let by_id = products.iter().map(|item| (item.id.as_str(), item));
    (by_id.collect(), by_category)
}

fn price(minor: i64) -> String {
    format!("\"{}.{:02}\"", minor.max(1) / 100, minor.max(1) % 100)
}

/// A book of every kind over some products. A third of what it names is `bought`, where that is
/// given. One promotion in twenty is off a total, the best of which is given.
pub fn promotions(products: &[&Product], bought: &[&Product], count: usize, seed: u64) -> String {
    let mut dice = Dice(seed);
    let mut text = "schema = 2\n[[group]]\nid = \"totals\"\n".to_owned();
    for number in 0..count {
        let keys = promotion(products, bought, &mut dice);
        let _ = write!(
            text,
            "[[promotion]]\nid = \"p{number}\"\nname = \"P {number}\"\n{keys}\n"
        );
    }
    text
}

fn promotion(products: &[&Product], bought: &[&Product], dice: &mut Dice) -> String {
    let pick = |dice: &mut Dice| match !bought.is_empty() && dice.roll(3) == 0 {
        true => bought[dice.roll(bought.len())],
        false => products[dice.roll(products.len())],
    };
    let (item, other) = (pick(dice), pick(dice));
    let category = format!("departments = [\"{}\"]", item.category);
    let alike: Vec<String> = (0..3 + dice.roll(6))
        .map(|_| format!("\"{}\"", pick(dice).id))
        .chain([format!("\"{}\"", item.id)])
        .collect();
    let alike = format!("items = [{}]", alike.join(", "));
    let rate = 5 + dice.roll(30);
    let units = 2 + dice.roll(3) as i64;
    match dice.roll(20) {
        0..=4 => format!("percent_off = {rate}\n{alike}"),
        5..=6 => format!(
            "percent_off = {rate}\n{category}\nbrands = [\"{}\"]\nmatch = \"all\"",
            item.brand
        ),
        7..=8 => format!("amount_off = {}\n{alike}", price(item.price_minor / 10)),
        9..=12 => format!(
            "n_for = {{ units = {units}, price = {} }}\n{alike}",
            price(item.price_minor * units * 85 / 100)
        ),
        13 => format!("cheapest = {{ of = {units} }}\n{alike}"),
        14 => format!("cheapest = {{ of = 3, percent_off = {rate} }}\n{category}"),
        15..=16 => format!(
            "set = {{ price = {}, parts = [{{ items = [\"{}\"] }}, {{ items = [\"{}\"] }}] }}",
            price((item.price_minor + other.price_minor) * 8 / 10),
            item.id,
            other.id
        ),
        17 => format!(
            "set = {{ parts = [{{ units = 2, {category} }}, {{ percent_off = {rate}, departments = [\"{}\"] }}] }}",
            other.category
        ),
        18 => format!("steps = [{{ units = 3, percent_off = {rate} }}]\n{category}"),
        _ => format!(
            "total_amount_off = \"1.00\"\nneeds = [{{ spend = \"{}.00\" }}]\n{category}\ngroup = \"totals\"",
            20 + rate
        ),
    }
}

/// A pathological set: any six of twenty products for a price, 100 bundles that overlap over the
/// same, and baskets of one to three of each product.
pub fn pathological(baskets: usize) -> (String, Vec<Basket>) {
    let mut dice = Dice(1);
    let all: Vec<String> = (0..20).map(|item| format!("\"i{item}\"")).collect();
    let mut text = format!(
        "schema = 2\n[[promotion]]\nid = \"six\"\nname = \"six\"\nn_for = {{ units = 6, price = \"15.00\" }}\nitems = [{}]\n",
        all.join(", ")
    );
    for number in 0..100 {
        let parts: Vec<String> = (0..2 + dice.roll(3))
            .map(|_| format!("{{ items = [{}] }}", all[dice.roll(20)]))
            .collect();
        let cost = price(250 * parts.len() as i64 + dice.roll(120) as i64);
        let _ = write!(
            text,
            "[[promotion]]\nid = \"b{number}\"\nname = \"b\"\nset = {{ price = {cost}, parts = [{}] }}\n",
            parts.join(", ")
        );
    }
    let baskets = (0..baskets).map(|_| {
        let lines = (0..20).map(|item| {
            let pieces = 1 + dice.roll(3) as i64;
            let product = Product {
                id: format!("i{item}"),
                category: "d".to_owned(),
                brand: String::new(),
                price_minor: 220 + dice.roll(160) as i64,
            };
            line_of(&product, pieces)
        });
        basket_of(lines.collect::<Vec<_>>())
    });
    let baskets = baskets.collect();
    (text, baskets)
}

/// A store that was made up, for where there is no data of a real one: 20,000 items in 300
/// categories and 8,000 baskets of one to twelve lines.
pub fn made_up() -> (Vec<Product>, Vec<Vec<BasketLine>>) {
    let mut dice = Dice(3);
    let products: Vec<Product> = (0..20_000)
        .map(|id| Product {
            id: id.to_string(),
            category: format!("c{}", id % 300),
            brand: format!("b{}", id % 7),
            price_minor: 80 + dice.roll(900) as i64,
        })
        .collect();
    let baskets = (0..8_000).map(|_| {
        let lines = (0..1 + dice.roll(12)).map(|_| {
            let product = &products[dice.roll(products.len())];
            line_of(product, 1 + dice.roll(2) as i64)
        });
        lines.collect()
    });
    let baskets = baskets.collect();
    (products, baskets)
}
