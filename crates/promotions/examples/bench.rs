//! Measures pricing: baskets of real size against books of 10 to 10,000 promotions.
//!
//! ```text
//! LANEMESH_DATA=FOLDER cargo run --release -p promotions --example bench [-- --json]
//! ```
//!
//! FOLDER has `catalog.csv.gz` and `baskets-week20.csv.gz`, as `crates/testkit/fetch-data.py` makes
//! them; without it a made-up store of 20,000 items is used. Sparse promotions are spread over the
//! whole catalog, dense ones are all on the categories of the basket. One promotion in twenty is off
//! a total, the best of which is given; the others are of every kind. Baskets of a size are put together from consecutive
//! real ones. Every figure is one `evaluate` of the whole basket, as after a scan.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Read;
use std::time::{Duration, Instant as Clock};

use money::{Currency, Money, Quantity};
use promotions::{Basket, BasketLine, CompiledBook, Customer, Instant, PromotionFile, evaluate};

const AT: Instant = Instant {
    unix_ms: 1_777_651_200_000,
    offset_minutes: 0,
};
/// Baskets of each size.
const BASKETS: usize = 100;

struct Item {
    id: String,
    category: String,
    brand: String,
    price: i64,
}

/// A small generator (splitmix64), so that every run measures the same.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % below.max(1) as u64) as usize
    }
}

fn main() {
    let json = std::env::args().any(|argument| argument == "--json");
    let (items, baskets) = store();
    let mut rows = Vec::new();
    for size in [5, 20, 50, 160] {
        let baskets = of_size(&baskets, size);
        for count in [10, 100, 1_000, 10_000] {
            for dense in [false, true] {
                let row = measure(&items, &baskets, (size, count, dense));
                eprintln!("{}", row.text());
                rows.push(row);
            }
        }
    }
    rows.push(pathological());
    let compile = compile_time(&items);
    if json {
        let rows: Vec<String> = rows.iter().map(Row::json).collect();
        println!(
            "{{\"compile_10000_ms\":{compile:.1},\"rows\":[{}]}}",
            rows.join(",")
        );
        return;
    }
    println!("lines promotions kind    p50 ms  p99 ms  worst ms  proven");
    rows.iter().for_each(|row| println!("{}", row.text()));
    println!(
        "compiling 10,000 promotions over {} items: {compile:.1} ms",
        items.len()
    );
}

struct Row {
    lines: usize,
    promotions: usize,
    kind: &'static str,
    times: Vec<Duration>,
    proven: usize,
}

impl Row {
    fn ms(&self, share: f64) -> f64 {
        let last = self.times.len().saturating_sub(1);
        let at = (last as f64 * share).ceil() as usize;
        self.times[at].as_secs_f64() * 1000.0
    }

    fn text(&self) -> String {
        format!(
            "{:5} {:10} {:6} {:7.3} {:7.3} {:9.3}  {}/{}",
            self.lines,
            self.promotions,
            self.kind,
            self.ms(0.5),
            self.ms(0.99),
            self.ms(1.0),
            self.proven,
            self.times.len()
        )
    }

    fn json(&self) -> String {
        format!(
            "{{\"lines\":{},\"promotions\":{},\"kind\":\"{}\",\"p50_ms\":{:.4},\"p99_ms\":{:.4},\"worst_ms\":{:.4},\"proven\":{},\"baskets\":{}}}",
            self.lines,
            self.promotions,
            self.kind,
            self.ms(0.5),
            self.ms(0.99),
            self.ms(1.0),
            self.proven,
            self.times.len()
        )
    }
}

fn measure(items: &[Item], baskets: &[Basket], (lines, count, dense): (usize, usize, bool)) -> Row {
    let mut times = Vec::new();
    let mut proven = 0;
    let whole = (!dense).then(|| compiled(&sparse_for(items, count)));
    let by_id: BTreeMap<&str, &Item> = items.iter().map(|item| (item.id.as_str(), item)).collect();
    // A dense book is made for its basket; 10,000 of them take long to make.
    let some = if dense {
        BASKETS.min(100_000 / count.max(1))
    } else {
        baskets.len()
    };
    for (number, basket) in baskets.iter().take(some.max(10)).enumerate() {
        let own;
        let book = match &whole {
            Some(book) => book,
            None => {
                own = compiled(&dense_for(items, &by_id, basket, count, number as u64));
                &own
            }
        };
        evaluate(book, basket, &Customer::default(), AT);
        let start = Clock::now();
        let pricing = evaluate(book, basket, &Customer::default(), AT);
        times.push(start.elapsed());
        proven += usize::from(pricing.proven);
    }
    times.sort_unstable();
    Row {
        lines,
        promotions: count,
        kind: if dense { "dense" } else { "sparse" },
        times,
        proven,
    }
}

fn dense_for(
    items: &[Item],
    by_id: &BTreeMap<&str, &Item>,
    basket: &Basket,
    count: usize,
    seed: u64,
) -> String {
    let categories: std::collections::BTreeSet<&str> = basket
        .lines
        .iter()
        .filter_map(|line| by_id.get(line.item.0.as_str()))
        .map(|item| item.category.as_str())
        .collect();
    let near: Vec<&Item> = items
        .iter()
        .filter(|item| categories.contains(item.category.as_str()))
        .collect();
    let bought = basket.lines.iter();
    let bought: Vec<&Item> = bought
        .filter_map(|line| by_id.get(line.item.0.as_str()).copied())
        .collect();
    promotions(&near, &bought, count, seed + 100)
}

fn compiled(text: &str) -> CompiledBook {
    let file = PromotionFile::parse(text).unwrap_or_else(|p| panic!("{:#?}", &p[..1]));
    CompiledBook::compile(&file, Currency::USD).unwrap_or_else(|p| panic!("{:#?}", &p[..1]))
}

fn compile_time(items: &[Item]) -> f64 {
    let file = PromotionFile::parse(&sparse_for(items, 10_000)).unwrap_or_default();
    let start = Clock::now();
    let book = CompiledBook::compile(&file, Currency::USD);
    let time = start.elapsed().as_secs_f64() * 1000.0;
    assert_eq!(book.map(|book| book.len()), Ok(10_000));
    time
}

fn price(minor: i64) -> String {
    format!("\"{}.{:02}\"", minor.max(1) / 100, minor.max(1) % 100)
}

fn sparse_for(items: &[Item], count: usize) -> String {
    let all: Vec<&Item> = items.iter().collect();
    promotions(&all, &[], count, 7)
}

/// A book of every kind over some items. A third of what it names is `bought`, where that is given.
fn promotions(items: &[&Item], bought: &[&Item], count: usize, seed: u64) -> String {
    let mut dice = Dice(seed);
    let pick = |dice: &mut Dice| match !bought.is_empty() && dice.roll(3) == 0 {
        true => bought[dice.roll(bought.len())],
        false => items[dice.roll(items.len())],
    };
    let mut text = "schema = 2\n[[group]]\nid = \"totals\"\n".to_owned();
    for number in 0..count {
        let (item, other) = (pick(&mut dice), pick(&mut dice));
        let category = format!("departments = [\"{}\"]", item.category);
        let alike: Vec<String> = (0..3 + dice.roll(6))
            .map(|_| format!("\"{}\"", pick(&mut dice).id))
            .chain([format!("\"{}\"", item.id)])
            .collect();
        let alike = format!("items = [{}]", alike.join(", "));
        let rate = 5 + dice.roll(30);
        let units = 2 + dice.roll(3) as i64;
        let keys = match dice.roll(20) {
            0..=4 => format!("percent_off = {rate}\n{alike}"),
            5..=6 => format!(
                "percent_off = {rate}\n{category}\nbrands = [\"{}\"]\nmatch = \"all\"",
                item.brand
            ),
            7..=8 => format!("amount_off = {}\n{alike}", price(item.price / 10)),
            9..=12 => format!(
                "n_for = {{ units = {units}, price = {} }}\n{alike}",
                price(item.price * units * 85 / 100)
            ),
            13 => format!("cheapest = {{ of = {units} }}\n{alike}"),
            14 => format!("cheapest = {{ of = 3, percent_off = {rate} }}\n{category}"),
            15..=16 => format!(
                "set = {{ price = {}, parts = [{{ items = [\"{}\"] }}, {{ items = [\"{}\"] }}] }}",
                price((item.price + other.price) * 8 / 10),
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
        };
        let _ = write!(
            text,
            "[[promotion]]\nid = \"p{number}\"\nname = \"P {number}\"\n{keys}\n"
        );
    }
    text
}

/// Any six of twenty products, and 100 bundles over the same.
fn pathological() -> Row {
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
    let book = compiled(&text);
    let mut times = Vec::new();
    let mut proven = 0;
    for _ in 0..BASKETS {
        let lines = (0..20).map(|item| {
            let pieces = Quantity::each(1 + dice.roll(3) as i64);
            let price = Money::from_minor(220 + dice.roll(160) as i64, Currency::USD);
            BasketLine::new(
                item,
                format!("i{item}").as_str().into(),
                "d".into(),
                pieces,
                price,
            )
        });
        let basket = Basket::new(Currency::USD, lines.collect());
        let start = Clock::now();
        let pricing = evaluate(&book, &basket, &Customer::default(), AT);
        times.push(start.elapsed());
        proven += usize::from(pricing.proven);
    }
    times.sort_unstable();
    Row {
        lines: 20,
        promotions: 101,
        kind: "worst",
        times,
        proven,
    }
}

/// Baskets of so many lines, each made of consecutive real ones.
fn of_size(baskets: &[Vec<BasketLine>], size: usize) -> Vec<Basket> {
    let mut all = baskets.iter().flatten();
    let mut made = Vec::new();
    while made.len() < BASKETS {
        let lines: Vec<BasketLine> = all
            .by_ref()
            .take(size)
            .zip(1..)
            .map(|(line, number)| BasketLine {
                line: number,
                ..line.clone()
            })
            .collect();
        if lines.len() < size {
            break;
        }
        made.push(Basket::new(Currency::USD, lines));
    }
    made
}

fn store() -> (Vec<Item>, Vec<Vec<BasketLine>>) {
    let folder = std::env::var_os("LANEMESH_DATA").map(std::path::PathBuf::from);
    match folder.and_then(|folder| real(&folder)) {
        Some(store) => store,
        None => made_up(),
    }
}

fn rows(path: &std::path::Path) -> Option<Vec<Vec<String>>> {
    let mut text = String::new();
    let file = std::fs::File::open(path).ok()?;
    flate2::read::MultiGzDecoder::new(file)
        .read_to_string(&mut text)
        .ok()?;
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let rows = reader.records().filter_map(Result::ok);
    Some(
        rows.map(|row| row.iter().map(str::to_owned).collect())
            .collect(),
    )
}

fn real(folder: &std::path::Path) -> Option<(Vec<Item>, Vec<Vec<BasketLine>>)> {
    let catalog = rows(&folder.join("catalog.csv.gz"))?;
    let items: Vec<Item> = catalog
        .into_iter()
        .map(|row| Item {
            price: Money::parse(&row[7], Currency::USD)
                .map_or(100, Money::minor)
                .max(1),
            id: row[0].clone(),
            category: match row[2].replace('"', "") {
                none if none.trim().is_empty() => "OTHER".to_owned(),
                category => category,
            },
            brand: row[4].clone(),
        })
        .collect();
    let by_id: BTreeMap<&str, &Item> = items.iter().map(|item| (item.id.as_str(), item)).collect();
    let mut baskets: BTreeMap<String, Vec<BasketLine>> = BTreeMap::new();
    for row in rows(&folder.join("baskets-week20.csv.gz"))? {
        let Some(item) = by_id.get(row[4].as_str()) else {
            continue;
        };
        let pieces: i64 = row[5].parse().unwrap_or(1);
        if (1..=50).contains(&pieces) {
            let basket = baskets.entry(row[0].clone()).or_default();
            basket.push(line_of(item, pieces));
        }
    }
    Some((
        items.iter().map(copy).collect(),
        baskets.into_values().collect(),
    ))
}

fn copy(item: &Item) -> Item {
    Item {
        id: item.id.clone(),
        category: item.category.clone(),
        brand: item.brand.clone(),
        price: item.price,
    }
}

fn line_of(item: &Item, pieces: i64) -> BasketLine {
    let price = Money::from_minor(item.price, Currency::USD);
    BasketLine {
        brand: Some(item.brand.clone()),
        ..BasketLine::new(
            0,
            item.id.as_str().into(),
            item.category.as_str().into(),
            Quantity::each(pieces),
            price,
        )
    }
}

fn made_up() -> (Vec<Item>, Vec<Vec<BasketLine>>) {
    let mut dice = Dice(3);
    let items: Vec<Item> = (0..20_000)
        .map(|id| Item {
            id: id.to_string(),
            category: format!("c{}", id % 300),
            brand: format!("b{}", id % 7),
            price: 80 + dice.roll(900) as i64,
        })
        .collect();
    let baskets = (0..8_000).map(|_| {
        let lines = (0..1 + dice.roll(12)).map(|_| {
            let item = &items[dice.roll(items.len())];
            line_of(item, 1 + dice.roll(2) as i64)
        });
        lines.collect()
    });
    let baskets = baskets.collect();
    (items, baskets)
}
