//! `lanemesh bench promotions`: how long a basket takes to price, and what the best price is worth.
//!
//! Baskets of real size against books of 10 to 10,000 promotions, each figure beside plain greedy
//! in the same code on the same basket. Every figure is a whole `evaluate`, as after a scan: nothing
//! is kept from the scan before.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, anyhow};
use catalog::{Item, ItemId};
use figures::{Figure, machine, table};
use money::Currency;
use promotions::workload::{self, AT, Product};
use promotions::{
    Basket, BasketLine, CompiledBook, Customer, Pricing, PromotionFile, evaluate, evaluate_greedily,
};
use serde_json::{Value, json};

use super::store::say;
use crate::cli::{BenchPromotionsArgs, Report};
use crate::commands::promotions::{items, read};
use crate::robots::read_baskets;

/// The promotions of all dense books of a figure: each is made for its basket, which takes long.
const DENSE_MAX: usize = 100_000;
/// No figure is of fewer baskets.
const BASKETS_MIN: usize = 10;
/// Lines of the basket to which one more is scanned.
const SCANNED_TO: usize = 50;
const COMPILED: usize = 10_000;
const COMPILES: usize = 10;

/// The items and baskets that are measured with, and where they come from.
pub(super) struct Store {
    pub from: String,
    pub products: Vec<Product>,
    pub baskets: Vec<Vec<BasketLine>>,
}

/// One figure, and what became of the baskets.
struct Row {
    figure: Figure,
    proven: usize,
    /// What all baskets get off, in minor units: at best, and greedily.
    off: [i64; 2],
}

pub fn run(args: &BenchPromotionsArgs) -> anyhow::Result<Report> {
    let store = store(args.data.clone())?;
    say(&format!("pricing with {}", store.from));
    let mut rows = Vec::new();
    for size in workload::LINES {
        let baskets = workload::of_size(&store.baskets, size, args.baskets);
        for count in workload::PROMOTIONS {
            say(&format!("{size} lines, {count} promotions"));
            rows.push(sparse(&store, &baskets, (size, count))?);
            rows.push(dense(&store, &baskets, (size, count))?);
        }
    }
    say("the pathological set");
    let (text, baskets) = workload::pathological(args.baskets);
    let book = compiled(&text)?;
    let tasks = baskets.iter().map(|basket| (&book, basket));
    let what = "any 6 of 20 products, 100 bundles".to_owned();
    rows.push(measured(what, tasks));
    say("one more scan");
    let baskets = workload::of_size(&store.baskets, SCANNED_TO + 1, args.baskets);
    let book = compiled(&workload::sparse(&store.products, 1_000))?;
    let tasks = baskets.iter().map(|basket| (&book, basket));
    let what = format!("one more scan on {SCANNED_TO} lines × 1000, sparse");
    rows.push(measured(what, tasks));
    say("compiling");
    let compile = compile(&store)?;
    Ok(report(&store, &rows, &compile))
}

fn sparse(store: &Store, baskets: &[Basket], (size, count): (usize, usize)) -> anyhow::Result<Row> {
    let book = compiled(&workload::sparse(&store.products, count))?;
    let tasks = baskets.iter().map(|basket| (&book, basket));
    Ok(measured(
        format!("{size} lines × {count} promotions, sparse"),
        tasks,
    ))
}

fn dense(store: &Store, baskets: &[Basket], (size, count): (usize, usize)) -> anyhow::Result<Row> {
    let (by_id, by_category) = workload::indexed(&store.products);
    let some = (DENSE_MAX / count).max(BASKETS_MIN);
    let mut tasks = Vec::new();
    for (basket, seed) in baskets.iter().take(some).zip(0..) {
        let text = workload::dense(&by_id, &by_category, basket, (count, seed));
        tasks.push((compiled(&text)?, basket));
    }
    let what = format!("{size} lines × {count} promotions, dense");
    let tasks = tasks.iter().map(|(book, basket)| (book, *basket));
    Ok(measured(what, tasks))
}

/// Prices each basket once to warm up, then once in each way with the clock running.
fn measured<'b>(what: String, tasks: impl Iterator<Item = (&'b CompiledBook, &'b Basket)>) -> Row {
    let (mut best, mut greedy) = (Vec::new(), Vec::new());
    let (mut proven, mut off) = (0, [0, 0]);
    type Way = fn(&CompiledBook, &Basket, &Customer, promotions::Instant) -> Pricing;
    for (book, basket) in tasks {
        let time = |way: Way| {
            let started = Instant::now();
            let pricing = way(book, basket, &Customer::default(), AT);
            (started.elapsed().as_secs_f64() * 1e6, pricing)
        };
        time(evaluate);
        let (micros, pricing) = time(evaluate);
        best.push(micros);
        proven += usize::from(pricing.proven);
        off[0] += pricing.total().minor();
        let (micros, pricing) = time(evaluate_greedily);
        greedy.push(micros);
        off[1] += pricing.total().minor();
    }
    let baseline = Figure::of("greedy", "µs", greedy, None).p50;
    Row {
        figure: Figure::of(what, "µs", best, Some(baseline)),
        proven,
        off,
    }
}

/// Times to compile a large book, and what it takes of memory.
fn compile(store: &Store) -> anyhow::Result<Vec<Figure>> {
    let text = workload::sparse(&store.products, COMPILED);
    let file = PromotionFile::parse(&text).map_err(|problems| unusable(&problems))?;
    let mut times = Vec::new();
    for _ in 0..COMPILES {
        let started = Instant::now();
        let book = CompiledBook::compile(&file, Currency::USD);
        times.push(started.elapsed());
        drop(book.map_err(|problems| unusable(&problems))?);
    }
    let before = resident_bytes();
    let book = CompiledBook::compile(&file, Currency::USD);
    let grown = resident_bytes().zip(before);
    let grown = grown.map(|(after, before)| after.saturating_sub(before) as f64 / 1e6);
    drop(book);
    let what = format!("compiling {COMPILED} promotions");
    Ok(vec![
        Figure::times(what, &times, None),
        Figure::of(
            "resident memory that a compiled book adds",
            "MB",
            grown.into_iter().collect(),
            None,
        ),
    ])
}

/// This process's resident memory; `None` where the system does not say.
fn resident_bytes() -> Option<u64> {
    crate::processes::resident_bytes_of(std::process::id())
}

pub(super) fn compiled(text: &str) -> anyhow::Result<CompiledBook> {
    let book =
        PromotionFile::parse(text).and_then(|file| CompiledBook::compile(&file, Currency::USD));
    book.map_err(|problems| unusable(&problems))
}

fn unusable(problems: &[promotions::FileProblem]) -> anyhow::Error {
    let first = problems.first().map(ToString::to_string);
    anyhow!("the made-up promotions cannot be used: {first:?}")
}

pub(super) fn store(folder: Option<PathBuf>) -> anyhow::Result<Store> {
    let named = std::env::var_os("LANEMESH_DATA").filter(|folder| !folder.is_empty());
    match folder.or(named.map(PathBuf::from)) {
        Some(folder) => real(&folder),
        None => {
            let (products, baskets) = workload::made_up();
            let count = products.len();
            Ok(Store {
                from: format!("a store that was made up, {count} items (no data folder is named)"),
                products,
                baskets,
            })
        }
    }
}

fn real(folder: &Path) -> anyhow::Result<Store> {
    let items = items(&folder.join("catalog.csv.gz"), Currency::USD)?;
    let products: BTreeMap<&ItemId, Product> = items
        .iter()
        .filter(|(_, item)| item.price.minor() > 0)
        .map(|(id, item)| (id, product(item)))
        .collect();
    let path = folder.join("baskets-week20.csv.gz");
    let past = read_baskets(&read(&path)?, Currency::USD).map_err(|problems| {
        let first = problems.first().map(ToString::to_string);
        anyhow!("{} cannot be used: {first:?}", path.display())
    })?;
    let line = |line: &crate::robots::BasketLine| {
        let product = products.get(&ItemId(line.code.clone()))?;
        Some(workload::line_of(product, i64::from(line.pieces()?)))
    };
    let baskets = past
        .baskets
        .iter()
        .map(|basket| basket.lines.iter().filter_map(line).collect());
    let baskets: Vec<Vec<BasketLine>> = baskets.collect();
    let lines: usize = baskets.iter().map(Vec::len).sum();
    (lines > 0)
        .then_some(())
        .context("none of the baskets' items is in the catalog")?;
    Ok(Store {
        from: format!(
            "{} items and {} baskets of a real store",
            products.len(),
            baskets.len()
        ),
        products: products.into_values().collect(),
        baskets,
    })
}

fn product(item: &Item) -> Product {
    Product {
        id: item.id.0.clone(),
        category: item.department.0.replace('"', ""),
        brand: item.brand.clone().unwrap_or_default().replace('"', ""),
        price_minor: item.price.minor(),
    }
}

fn report(store: &Store, rows: &[Row], compile: &[Figure]) -> Report {
    let all: Vec<Figure> = rows.iter().map(|row| row.figure.clone()).collect();
    let mut text = format!("{}\nbaseline: greedy\n\n", store.from);
    text.push_str(&table(&all));
    text.push_str("\nproven, and what greedy gives away:\n");
    for row in rows {
        let more = row.off[0] - row.off[1];
        text.push_str(&format!(
            "{:<58} {:>4} of {:<4} {:>8} more off than greedy\n",
            row.figure.what,
            row.proven,
            row.figure.n,
            money::Money::from_minor(more, Currency::USD)
        ));
    }
    text.push('\n');
    text.push_str(&table(compile));
    let row_json = |row: &Row| -> Value {
        json!({
            "figure": row.figure, "proven": row.proven,
            "off_minor": row.off[0], "greedy_off_minor": row.off[1],
        })
    };
    let json = json!({
        "ok": true, "bench": "promotions", "machine": machine(), "from": store.from,
        "rows": rows.iter().map(row_json).collect::<Vec<Value>>(), "compile": compile,
    });
    Report::done(text, json)
}
