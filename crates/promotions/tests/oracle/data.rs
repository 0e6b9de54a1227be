//! A store's items and baskets, from the folder that `LANEMESH_DATA` names or else made up, and a
//! book of mixed promotions on what is bought most, so that they compete.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

use money::{Currency, Money};
use promotions::BasketLine;
use promotions::workload::{self, Dice, Product};

/// The items that the promotions are on.
const POPULAR: usize = 400;

pub struct Store {
    pub from: String,
    pub products: Vec<Product>,
    pub baskets: Vec<Vec<BasketLine>>,
}

pub fn store() -> Store {
    let folder = std::env::var_os("LANEMESH_DATA").filter(|folder| !folder.is_empty());
    match folder.map(PathBuf::from).and_then(|folder| real(&folder)) {
        Some((products, baskets)) => Store {
            from: format!("{} real baskets", baskets.len()),
            products,
            baskets,
        },
        None => {
            let (products, baskets) = workload::made_up();
            Store {
                from: format!("{} made-up baskets (no data folder)", baskets.len()),
                products,
                baskets,
            }
        }
    }
}

fn rows(path: &Path) -> Option<Vec<csv::StringRecord>> {
    let mut text = String::new();
    let file = std::fs::File::open(path).ok()?;
    flate2::read::MultiGzDecoder::new(file)
        .read_to_string(&mut text)
        .ok()?;
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    Some(reader.records().filter_map(Result::ok).collect())
}

/// `None` where the folder has not the two files.
fn real(folder: &Path) -> Option<(Vec<Product>, Vec<Vec<BasketLine>>)> {
    let products: Vec<Product> = rows(&folder.join("catalog.csv.gz"))?
        .iter()
        .map(|row| Product {
            id: row[0].to_owned(),
            category: row[2].replace('"', "") + ".",
            brand: row[4].to_owned(),
            price_minor: Money::parse(&row[7], Currency::USD)
                .map_or(100, Money::minor)
                .max(1),
        })
        .collect();
    let by_id: BTreeMap<&str, &Product> = products
        .iter()
        .map(|item| (item.id.as_str(), item))
        .collect();
    let mut baskets: BTreeMap<String, Vec<BasketLine>> = BTreeMap::new();
    for row in rows(&folder.join("baskets-week20.csv.gz"))? {
        let pieces: i64 = row[5].parse().unwrap_or(0);
        if let Some(product) = by_id.get(&row[4]).filter(|_| (1..=50).contains(&pieces)) {
            let basket = baskets.entry(row[0].to_owned()).or_default();
            basket.push(workload::line_of(product, pieces));
        }
    }
    let baskets = baskets.into_values().collect();
    Some((products, baskets))
}

/// `count` promotions of every kind that competes for units, on what these baskets buy most.
pub fn mixed(store: &Store, count: usize) -> String {
    let mut sold: BTreeMap<&str, usize> = BTreeMap::new();
    for line in store.baskets.iter().flatten() {
        *sold.entry(line.item.0.as_str()).or_default() += 1;
    }
    let mut ranked: Vec<(&str, usize)> = sold.into_iter().collect();
    ranked.sort_by_key(|(id, times)| (std::cmp::Reverse(*times), *id));
    let by_id: BTreeMap<&str, &Product> = (store.products.iter())
        .map(|item| (item.id.as_str(), item))
        .collect();
    let ranked = ranked.into_iter().take(POPULAR);
    let popular: Vec<&Product> = ranked
        .filter_map(|(id, _)| by_id.get(id).copied())
        .collect();
    let mut dice = Dice(120);
    let mut text = "schema = 2\n".to_owned();
    for number in 0..count {
        let keys = competing(&popular, number, &mut dice);
        text += &format!("[[promotion]]\nid = \"m{number:03}\"\nname = \"M {number}\"\n{keys}\n");
    }
    text
}

fn competing(popular: &[&Product], number: usize, dice: &mut Dice) -> String {
    let price = |minor: i64| format!("\"{}.{:02}\"", minor / 100, minor % 100);
    // Half of what is named comes from the tenth of the items that are bought most.
    let pick = |dice: &mut Dice| {
        let among = popular.len() / (1 + 9 * dice.roll(2));
        popular[dice.roll(among)]
    };
    let list = |dice: &mut Dice, least: usize| {
        let items: Vec<String> = (0..least + dice.roll(12))
            .map(|_| format!("\"{}\"", pick(dice).id))
            .collect();
        format!("items = [{}]", items.join(", "))
    };
    let item = pick(dice);
    let category = format!("departments = [\"{}\"]", item.category);
    let (rate, units) = (5 + dice.roll(35), 2 + dice.roll(3) as i64);
    let for_price = price((item.price_minor * units * (70 + dice.roll(25) as i64) / 100).max(1));
    match number % 12 {
        0 => format!("percent_off = {rate}\n{}", list(dice, 4)),
        1 => format!("percent_off = {rate}\n{category}"),
        2 => format!(
            "amount_off = {}\n{}",
            price(1 + item.price_minor / 8),
            list(dice, 4)
        ),
        3 => format!(
            "percent_off = {}\n{}\nlimit = {{ basket = 2 }}",
            rate + 30,
            list(dice, 3)
        ),
        4 => format!(
            "n_for = {{ units = {units}, price = {for_price} }}\n{}",
            list(dice, 4)
        ),
        5 => format!("n_for = {{ units = {units}, price = {for_price} }}\n{category}"),
        6 => format!(
            "cheapest = {{ of = {units}, percent_off = {} }}\n{}",
            rate + 50,
            list(dice, 6)
        ),
        7 => format!("dearest = {{ of = {units}, percent_off = {rate} }}\n{category}"),
        8 => format!(
            "set = {{ price = {for_price}, parts = [{{ {} }}, {{ units = {}, {} }}] }}",
            list(dice, 3),
            units - 1,
            list(dice, 5)
        ),
        9 => format!(
            "set = {{ parts = [{{ units = {units}, {} }}, {{ percent_off = {}, {} }}] }}",
            list(dice, 5),
            rate + 40,
            list(dice, 4)
        ),
        10 => format!(
            "steps = [{{ units = 2, percent_off = {rate} }}, {{ units = 4, percent_off = {} }}]\n{category}",
            rate + 5
        ),
        _ => format!(
            "different = [{{ titles = 2, percent_off = {rate} }}, {{ titles = 3, percent_off = {} }}]\n{}",
            rate + 5,
            list(dice, 3)
        ),
    }
}
