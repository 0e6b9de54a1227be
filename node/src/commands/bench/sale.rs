//! `lanemesh bench sale`: what the pure core of a register costs, without a disk or a network.
//!
//! A scan is measured from the command to the priced basket: decided, folded into the register and all
//! lines priced anew with every promotion, as a lane does it before it shows anything. The baseline of
//! each figure is the same without promotions. Commands a second are decided and folded on one core,
//! with what is looked up in memory; a lane reads that from its database.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow};
use catalog::{
    BookVersion, Customer, CustomerId, Department, DepartmentId, Employee, EmployeeId, Gtin, Item,
    ItemCode, ItemId, Reference, Role, Settings, TaxCategory, TaxId,
};
use figures::{Figure, machine, table};
use money::{Currency, Money, Rate, Unit};
use promotions::workload::{self, AT, Product};
use promotions::{Basket, CompiledBook};
use sale::{
    Command, Context, Event, LaneId, LocalRights, LocalTime, NothingShared, Pin, Register, Totals,
    decide, evolve, price,
};
use serde_json::json;

use super::promotions::{Store, compiled, store};
use super::store::say;
use crate::cli::{BenchSaleArgs, Report};

/// The lines at which a scan is measured; the last is how many a sale has.
const LINES: [usize; 3] = [1, 50, 160];
/// Samples of commands a second.
const SAMPLES: usize = 20;
/// Sales of commands a second have as many scans.
const SCANS: usize = 10;
const CASHIER: &str = "101";
const TAX: &str = "standard";
/// The first of the made-up codes of 13 digits, without its check digit: a prefix of codes that are
/// used within a store.
const CODES_FROM: u64 = 400_000_000_000;

/// What is sold, in memory, with the employee who sells it.
struct Shelf {
    items: BTreeMap<ItemId, Item>,
    codes: BTreeMap<String, ItemId>,
}

impl Shelf {
    /// All products, with as many more as are needed to make `count` items.
    fn of(products: &[Product], count: usize) -> Shelf {
        let more = (products.len()..count).map(|n| Product {
            id: format!("more-{n}"),
            category: format!("more-{}", n % 300),
            brand: String::new(),
            price_minor: 100 + (n % 900) as i64,
        });
        let mut shelf = Shelf {
            items: BTreeMap::new(),
            codes: BTreeMap::new(),
        };
        for (product, n) in products.iter().cloned().chain(more).zip(CODES_FROM..) {
            let item = item(&product, n);
            let keys = item.codes.iter().map(ItemCode::key);
            shelf.codes.extend(keys.map(|key| (key, item.id.clone())));
            shelf.items.insert(item.id.clone(), item);
        }
        shelf
    }

    /// What a scanner reads off an item.
    fn code_of(&self, id: &ItemId) -> anyhow::Result<String> {
        let item = self.items.get(id).context("a basket's item is sold")?;
        match item.codes.first() {
            Some(ItemCode::Gtin(gtin)) => Ok(gtin.to_string()),
            _ => Err(anyhow!("every item has a GTIN")),
        }
    }
}

fn item(product: &Product, body: u64) -> Item {
    let code = Gtin(body * 10 + u64::from(Gtin::check_digit(body)));
    Item {
        id: ItemId(product.id.clone()),
        description: format!("Item {}", product.id),
        department: DepartmentId(product.category.clone()),
        brand: Some(product.brand.clone()),
        sold_by: Unit::Each,
        price: Money::from_minor(product.price_minor, Currency::USD),
        earlier_prices: Vec::new(),
        price_since: BookVersion(1),
        tax: TaxId::from(TAX),
        age_min: None,
        deposit: None,
        codes: vec![ItemCode::Gtin(code)],
        selling: catalog::Selling::default(),
    }
}

impl Reference for Shelf {
    fn version(&self) -> BookVersion {
        BookVersion(1)
    }

    fn item(&self, id: &ItemId) -> Option<Item> {
        self.items.get(id).cloned()
    }

    fn item_by_code(&self, code: &ItemCode) -> Option<Item> {
        self.item(self.codes.get(&code.key())?)
    }

    fn department(&self, _: &DepartmentId) -> Option<Department> {
        None
    }

    fn tax(&self, id: &TaxId) -> Option<TaxCategory> {
        Some(TaxCategory {
            id: id.clone(),
            name: "Sales tax".to_owned(),
            rate: Rate::from_percent(8),
            included: false,
            parts: Vec::new(),
        })
    }

    fn employee(&self, id: &EmployeeId) -> Option<Employee> {
        Some(Employee {
            id: id.clone(),
            name: "Ada".to_owned(),
            role: Role::Supervisor,
            pin_hash: String::new(),
        })
    }

    fn customer(&self, _: &CustomerId) -> Option<Customer> {
        None
    }

    fn settings(&self) -> Settings {
        Settings::default()
    }
}

/// A register without a lane around it.
struct Till<'a> {
    shelf: &'a Shelf,
    book: &'a CompiledBook,
    register: Register,
    now: LocalTime,
}

impl<'a> Till<'a> {
    fn open(shelf: &'a Shelf, book: &'a CompiledBook) -> anyhow::Result<Till<'a>> {
        let mut till = Till {
            shelf,
            book,
            register: Register::default(),
            now: LocalTime {
                unix_ms: AT.unix_ms,
                offset_minutes: AT.offset_minutes,
            },
        };
        till.submit(&Command::SignIn {
            employee: EmployeeId::from(CASHIER),
            pin: Pin(String::new()),
        })?;
        Ok(till)
    }

    fn submit(&mut self, command: &Command) -> anyhow::Result<()> {
        let context = Context {
            reference: self.shelf,
            book: self.book,
            newest: self.book,
            requotes: true,
            limits: true,
            now: self.now,
            lane: LaneId([1; 16]),
            lane_number: 1,
            lane_name: "Lane 1",
            shared: &NothingShared,
            rights: &LocalRights,
            terminal: None,
            pin_matches: &|_, _| true,
        };
        let events: Vec<Event> = decide(&self.register, command, &context)
            .map_err(|refusal| anyhow!("{} was refused: {refusal}", command.name()))?;
        events
            .iter()
            .for_each(|event| evolve(&mut self.register, event));
        Ok(())
    }

    fn priced(&self) -> Option<Totals> {
        let cart = self.register.cart.as_ref()?;
        Some(price(cart, self.book, self.now, Currency::USD))
    }
}

pub fn run(args: &BenchSaleArgs) -> anyhow::Result<Report> {
    let store = store(args.data.clone())?;
    let shelf = Shelf::of(&store.products, args.items);
    let full = compiled(&workload::sparse(&store.products, args.promotions))?;
    let empty = compiled("schema = 2\n")?;
    let last = LINES[LINES.len() - 1];
    let baskets = workload::of_size(&store.baskets, last, args.sales);
    if baskets.is_empty() {
        return Err(anyhow!("there are too few baskets for one of {last} lines"));
    }
    say(&format!("{} sales of {last} lines", baskets.len()));
    let bare = scans(&shelf, &empty, &baskets)?;
    let mut figures: Vec<Figure> = scans(&shelf, &full, &baskets)?
        .iter()
        .zip(&bare)
        .zip(LINES)
        .map(|((samples, bare), line)| {
            let baseline = Figure::times("without promotions", bare, None).p50;
            let what = format!("scan → priced basket, line {line}");
            Figure::times(what, samples, Some(baseline))
        })
        .collect();
    say("commands a second");
    for end in [End::Voided, End::Paid] {
        let script = script(&shelf, &baskets, end)?;
        let till = Till::open(&shelf, &full)?;
        figures.push(rate(end.what(), till, &script, args.commands)?);
    }
    Ok(report(args, &store, &shelf, &figures))
}

/// How long the scans at each of [`LINES`] take.
fn scans(
    shelf: &Shelf,
    book: &CompiledBook,
    baskets: &[Basket],
) -> anyhow::Result<[Vec<Duration>; LINES.len()]> {
    let mut samples: [Vec<Duration>; LINES.len()] = Default::default();
    let mut till = Till::open(shelf, book)?;
    for basket in baskets {
        for (line, number) in basket.lines.iter().zip(1..) {
            let scan = scan(shelf, line)?;
            let started = Instant::now();
            till.submit(&scan)?;
            let totals = till.priced();
            let took = started.elapsed();
            let shown = totals.map_or(0, |totals| totals.lines.len());
            assert_eq!(shown, number, "every line is priced");
            if let Some(place) = LINES.iter().position(|measured| *measured == number) {
                samples[place].push(took);
            }
        }
        till.submit(&void_sale())?;
    }
    Ok(samples)
}

fn scan(shelf: &Shelf, line: &promotions::BasketLine) -> anyhow::Result<Command> {
    let pieces = line.quantity.pieces().unwrap_or(1);
    Ok(Command::Scan {
        code: shelf.code_of(&line.item)?,
        quantity: (pieces > 1).then(|| pieces.to_string()),
    })
}

fn void_sale() -> Command {
    Command::VoidCart {
        reason: "measured".to_owned(),
    }
}

/// What becomes of the sales of which commands a second are measured.
#[derive(Clone, Copy)]
enum End {
    Voided,
    Paid,
}

impl End {
    fn what(self) -> &'static str {
        match self {
            End::Voided => "scans, quantities and voids, decided and folded",
            End::Paid => "the same with payments, which price the basket twice",
        }
    }

    fn command(self) -> Command {
        match self {
            End::Voided => void_sale(),
            End::Paid => Command::TenderCash { amount: None },
        }
    }
}

/// Sales of ten scans, a changed quantity and a voided line.
fn script(shelf: &Shelf, baskets: &[Basket], end: End) -> anyhow::Result<Vec<Command>> {
    let mut script = Vec::new();
    for lines in baskets.iter().flat_map(|basket| basket.lines.chunks(SCANS)) {
        for line in lines {
            script.push(scan(shelf, line)?);
        }
        script.push(Command::SetQuantity {
            line: 1,
            quantity: "3".to_owned(),
        });
        if lines.len() > 1 {
            script.push(Command::VoidLine { line: 2 });
        }
        script.push(end.command());
    }
    Ok(script)
}

/// Commands a second, of as many samples of so many commands.
fn rate(
    what: &str,
    mut till: Till<'_>,
    script: &[Command],
    commands: usize,
) -> anyhow::Result<Figure> {
    let mut script = script.iter().cycle();
    let mut rates = Vec::with_capacity(SAMPLES);
    for _ in 0..SAMPLES {
        let started = Instant::now();
        for command in script.by_ref().take(commands) {
            till.submit(command)?;
        }
        rates.push(commands as f64 / started.elapsed().as_secs_f64());
    }
    Ok(Figure::of(what, "1/s", rates, None))
}

fn report(args: &BenchSaleArgs, store: &Store, shelf: &Shelf, figures: &[Figure]) -> Report {
    let items = shelf.items.len();
    let from = format!(
        "{items} items and {} promotions; products and baskets: {}",
        args.promotions, store.from
    );
    let text = format!(
        "{from}\nbaseline: the same without promotions; one core, nothing on disk\n\n{}",
        table(figures)
    );
    let json = json!({
        "ok": true, "bench": "sale", "machine": machine(), "from": from, "items": items,
        "promotions": args.promotions, "figures": figures,
    });
    Report::done(text, json)
}
