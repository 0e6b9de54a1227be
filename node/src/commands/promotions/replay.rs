//! `lanemesh promotions try`: past baskets priced again, and what each promotion did to them.
//!
//! Baskets are priced in the order of their time, each at its own. What a household bought, spent and
//! was given in the baskets before counts for it, and what is limited is used up.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{IsTerminal, Write};

use catalog::{Item, ItemId};
use money::{Currency, Money};
use promotions::{
    Basket, BasketLine, CompiledBook, Customer, Instant, Pricing, PromotionFile, PromotionId,
    evaluate,
};
use serde_json::{Value, json};

use super::given::Given;
use super::past::{Past, PastFile};
use super::{SHOWN_MAX, book, instant, items, line_of, moment, past, unpacked, unusable};
use crate::cli::{Exit, PromotionsTryArgs, Report};

/// Baskets between two steps of the progress bar.
const PROGRESS_EVERY: usize = 500;

/// What a promotion would have done.
#[derive(Default)]
struct Moved {
    baskets: u64,
    times: u64,
    /// Pieces on the lines that it took something off; what is weighed is one.
    units: i64,
    /// What those lines brought after all promotions.
    revenue_minor: i64,
    cost_minor: i64,
    points: i64,
    coupons: u64,
}

/// What all baskets came to.
#[derive(Default)]
struct Totals {
    baskets: u64,
    /// Baskets that any promotion gave something.
    touched: u64,
    units: i64,
    gross_minor: i64,
    off_minor: i64,
    unproven: u64,
}

struct Replay<'b> {
    book: &'b CompiledBook,
    currency: Currency,
    households: BTreeMap<String, Customer>,
    given: Given<'b>,
    moved: BTreeMap<PromotionId, Moved>,
    totals: Totals,
}

pub fn run(args: &PromotionsTryArgs) -> anyhow::Result<Report> {
    let (file, book) = match book(&args.file, args.currency)? {
        Ok(book) => book,
        Err(problems) => return Ok(unusable(&args.file, &problems)),
    };
    let items = items(&args.catalog, args.currency)?;
    let read = past::read(&unpacked(&args.baskets)?, &items)?;
    if read.baskets.is_empty() && read.bad.is_empty() {
        anyhow::bail!("{} holds no basket", args.baskets.display());
    }
    let stated = moment(args.at.as_deref())?;
    let mut replay = Replay::new(&book, &file, args.currency);
    for (done, past) in read.baskets.iter().enumerate() {
        progress(done, read.baskets.len());
        let at = match (past.time, &args.at) {
            (Some(time), None) => instant(time.seconds())?,
            _ => stated,
        };
        replay.price(past, &items, at);
    }
    progress(read.baskets.len(), read.baskets.len());
    Ok(replay.report(&read))
}

impl<'b> Replay<'b> {
    fn new(book: &'b CompiledBook, file: &PromotionFile, currency: Currency) -> Replay<'b> {
        Replay {
            book,
            currency,
            households: BTreeMap::new(),
            given: Given::new(book, file),
            moved: BTreeMap::new(),
            totals: Totals::default(),
        }
    }

    fn price(&mut self, past: &Past, items: &BTreeMap<ItemId, Item>, at: Instant) {
        let lines = past.lines.iter().zip(1_u32..);
        let lines = lines.filter_map(|((item, quantity), number)| {
            Some(line_of(number, items.get(item)?, *quantity))
        });
        let mut basket = Basket::new(self.currency, lines.collect());
        let household = past.household.clone();
        basket.rights = self.given.left(at, household.as_ref());
        let known = household.as_ref().map(|id| self.household(id));
        let mut customer = known.unwrap_or_default();
        let pricing = evaluate(self.book, &basket, &customer, at);
        self.given.add(&pricing.applied, at, household.as_ref());
        if let Some(id) = household {
            remember(&mut customer, &basket, &pricing);
            self.households.insert(id, customer);
        }
        self.count(&basket, &pricing);
    }

    /// What is known of a household from the baskets before.
    fn household(&self, id: &str) -> Customer {
        self.households
            .get(id)
            .cloned()
            .unwrap_or_else(|| Customer {
                id: Some(id.into()),
                first_purchase: true,
                ..Customer::default()
            })
    }

    fn count(&mut self, basket: &Basket, pricing: &Pricing) {
        let totals = &mut self.totals;
        totals.baskets += 1;
        totals.units += basket.lines.iter().map(pieces).sum::<i64>();
        totals.gross_minor += gross(basket).minor();
        totals.off_minor += pricing.total().minor();
        totals.unproven += u64::from(!pricing.proven);
        let mut gave: BTreeSet<&PromotionId> = BTreeSet::new();
        for applied in &pricing.applied {
            gave.insert(&applied.promotion);
            let moved = self.moved.entry(applied.promotion.clone()).or_default();
            moved.times += u64::from(applied.times);
            moved.cost_minor += applied.amount.minor();
            let off = |line: &&BasketLine| applied.per_line.iter().any(|(of, _)| *of == line.line);
            for line in basket.lines.iter().filter(off) {
                moved.units += pieces(line);
                moved.revenue_minor += (line.extended - pricing.line_discount(line.line)).minor();
            }
        }
        for points in &pricing.points {
            gave.insert(&points.promotion);
            let moved = self.moved.entry(points.promotion.clone()).or_default();
            moved.points = moved.points.saturating_add(points.points);
        }
        for coupon in &pricing.next_coupons {
            gave.insert(&coupon.promotion);
            let moved = self.moved.entry(coupon.promotion.clone()).or_default();
            moved.coupons += u64::from(coupon.count);
        }
        totals.touched += u64::from(!gave.is_empty());
        for promotion in gave {
            self.moved.entry(promotion.clone()).or_default().baskets += 1;
        }
    }

    fn money(&self, minor: i64) -> Money {
        Money::from_minor(minor, self.currency)
    }

    fn report(&self, read: &PastFile) -> Report {
        let exit = match read.bad.is_empty() {
            true => Exit::Done,
            false => Exit::RowsLeftOut,
        };
        Report {
            text: self.text(read),
            json: self.json(read),
            exit,
        }
    }

    fn text(&self, read: &PastFile) -> String {
        let totals = &self.totals;
        let mut rows = vec![format!(
            "{:36} {:>8} {:>7} {:>8} {:>8} {:>12} {:>12} {:>8}",
            "promotion", "baskets", "share", "times", "units", "revenue", "cost", "points"
        )];
        let names: BTreeMap<&PromotionId, &str> = self.book.promotions().collect();
        for (id, moved) in &self.moved {
            let name = names.get(id).copied().unwrap_or_default();
            let share = format!("{}%", percent(moved.baskets, totals.baskets));
            let (revenue, cost) = (
                self.money(moved.revenue_minor),
                self.money(moved.cost_minor),
            );
            rows.push(format!(
                "{name:36} {:>8} {share:>7} {:>8} {:>8} {revenue:>12} {cost:>12} {:>8}",
                moved.baskets, moved.times, moved.units, moved.points
            ));
        }
        let idle = self.book.len() - self.moved.len();
        if idle > 0 {
            rows.push(format!(
                "{idle} of {} promotions gave nothing.",
                self.book.len()
            ));
        }
        rows.push(format!(
            "{} baskets, {} of them ({}%) given something; {} units, {} before promotions, {} taken off",
            totals.baskets,
            totals.touched,
            percent(totals.touched, totals.baskets),
            totals.units,
            self.money(totals.gross_minor),
            self.money(totals.off_minor),
        ));
        if totals.unproven > 0 {
            rows.push(format!(
                "In {} baskets the search ended before it was sure that nothing is better.",
                totals.unproven
            ));
        }
        rows.extend(left_out(read));
        rows.join("\n")
    }

    fn json(&self, read: &PastFile) -> Value {
        let totals = &self.totals;
        let money = |minor| self.money(minor).to_string();
        let names: BTreeMap<&PromotionId, &str> = self.book.promotions().collect();
        let promotions = self.moved.iter().map(|(id, moved)| {
            json!({
                "promotion": id, "name": names.get(id), "baskets": moved.baskets,
                "share_percent": percent(moved.baskets, totals.baskets), "times": moved.times,
                "units": moved.units, "revenue": money(moved.revenue_minor),
                "cost": money(moved.cost_minor), "points": moved.points,
                "coupons": moved.coupons,
            })
        });
        let promotions: Vec<Value> = promotions.collect();
        let idle = self.book.promotions().map(|(id, _)| id);
        let idle: Vec<&PromotionId> = idle.filter(|id| !self.moved.contains_key(id)).collect();
        let unknown = read.unknown.iter();
        let unknown: Vec<Value> = unknown
            .map(|(item, rows)| json!({ "item": item, "rows": rows }))
            .collect();
        let bad = read.bad.iter();
        let bad: Vec<Value> = bad
            .map(|bad| json!({ "line": bad.line, "why": bad.why }))
            .collect();
        json!({
            "ok": read.bad.is_empty(), "baskets": totals.baskets, "touched": totals.touched,
            "share_percent": percent(totals.touched, totals.baskets), "units": totals.units,
            "gross": money(totals.gross_minor), "off": money(totals.off_minor),
            "revenue": money(totals.gross_minor - totals.off_minor),
            "unproven": totals.unproven, "promotions": promotions, "idle": idle,
            "unknown_items": unknown, "rows_left_out": bad,
        })
    }
}

fn pieces(line: &BasketLine) -> i64 {
    line.quantity.pieces().unwrap_or(1)
}

fn gross(basket: &Basket) -> Money {
    let lines = basket.lines.iter().map(|line| line.extended);
    lines.fold(Money::zero(basket.currency), |sum, line| sum + line)
}

/// Adds a basket to what is known of who bought it.
fn remember(customer: &mut Customer, basket: &Basket, pricing: &Pricing) {
    customer.first_purchase = false;
    customer.spent_minor += (gross(basket) - pricing.total()).minor();
    for line in &basket.lines {
        let bought = customer.bought.entry(line.item.clone()).or_default();
        *bought = bought.saturating_add(u32::try_from(pieces(line)).unwrap_or(u32::MAX));
    }
    for applied in &pricing.applied {
        let given = customer.given.entry(applied.promotion.clone()).or_default();
        *given = given.saturating_add(applied.times);
    }
}

/// `12.5`, to the nearest tenth.
fn percent(part: u64, of: u64) -> String {
    let tenths = (part * 1000 + of / 2).checked_div(of).unwrap_or(0);
    format!("{}.{}", tenths / 10, tenths % 10)
}

/// The items and the rows that were not tried.
fn left_out(read: &PastFile) -> Vec<String> {
    let mut rows = Vec::new();
    if !read.unknown.is_empty() {
        rows.push(format!(
            "{} items are not in the catalog; their rows are left out:",
            read.unknown.len()
        ));
        let unknown = read.unknown.iter().take(SHOWN_MAX);
        rows.extend(unknown.map(|(item, count)| format!("  {item}: {count}")));
    }
    if !read.bad.is_empty() {
        let count = read.bad.len();
        rows.push(format!("{count} rows cannot be used and are left out:"));
        rows.extend(
            read.bad
                .iter()
                .take(SHOWN_MAX)
                .map(|bad| format!("  {bad}")),
        );
    }
    rows
}

/// A bar on standard error, where a person watches.
fn progress(done: usize, of: usize) {
    let mut out = std::io::stderr();
    if !out.is_terminal() || !(done.is_multiple_of(PROGRESS_EVERY) || done == of) {
        return;
    }
    let filled = 30 * done / of.max(1);
    let bar = format!("{}{}", "█".repeat(filled), "░".repeat(30 - filled));
    let end = if done == of { "\r\x1b[2K" } else { "" };
    // A terminal that is gone needs no progress.
    let _ = write!(out, "\r{bar} {done} of {of} baskets{end}");
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::*;

    const BOOK: &str = r#"schema = 2
[[promotion]]
id = "soup"
name = "Soup, 4 for 2.00"
n_for = { units = 4, price = "2.00" }
items = ["16102"]

[[promotion]]
id = "first"
name = "First purchase"
total_amount_off = "0.50"
who = { first_purchase = true }

[[promotion]]
id = "may"
name = "Points in May"
points = 10
from = 2026-05-01
until = 2026-05-31

[[promotion]]
id = "named"
name = "For household 9"
points = 7
who = { customers = ["9"] }

[[promotion]]
id = "buster"
name = "Two in the store"
price = "0.10"
items = ["16101"]
limit = { store = 2 }

[[promotion]]
id = "never"
name = "Never"
percent_off = 5
items = ["16101"]
until = 2020-01-01
"#;

    fn tried(book: &str, baskets: &str, at: Option<&str>) -> Report {
        let folder = tempfile::tempdir().unwrap();
        let written = |name: &str, text: &str| -> PathBuf {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        let report = run(&PromotionsTryArgs {
            file: written("promotions.toml", book),
            catalog: Path::new(env!("CARGO_MANIFEST_DIR")).join("sample/items.csv"),
            baskets: written("baskets.csv", baskets),
            at: at.map(str::to_owned),
            currency: Currency::USD,
        });
        report.unwrap()
    }

    /// `soup: 2 baskets 50.0%, 3 times, 12 units, …`, by promotion.
    fn shown(report: &Report) -> Vec<String> {
        let promotions = report.json["promotions"].as_array().unwrap();
        let one = |row: &Value| {
            let text = |key: &str| row[key].as_str().unwrap_or_default().to_owned();
            format!(
                "{}: {} baskets {}%, {} times, {} units, {} for {}, {} points",
                text("promotion"),
                row["baskets"],
                text("share_percent"),
                row["times"],
                row["units"],
                text("revenue"),
                text("cost"),
                row["points"]
            )
        };
        promotions.iter().map(one).collect()
    }

    #[test]
    fn units_revenue_and_share_of_baskets_are_reported() {
        let baskets = "basket,item,quantity\n1,16102,8\n2,16102,5\n3,16101,3\n4,16103,1\n";
        let report = tried(BOOK, baskets, Some("2026-06-04T12:00"));
        assert_eq!(
            shown(&report),
            [
                "buster: 1 baskets 25.0%, 2 times, 3 units, 2.09 for 3.58, 0 points",
                "soup: 2 baskets 50.0%, 3 times, 13 units, 8.29 for 21.48, 0 points",
            ]
        );
        assert_eq!(report.exit, Exit::Done);
        let total = "4 baskets, 3 of them (75.0%) given something; 17 units, 37.73 before \
                     promotions, 25.06 taken off";
        assert!(report.text.contains(total), "{}", report.text);
        assert!(report.text.contains("4 of 6 promotions gave nothing."));
        assert_eq!(
            report.json["idle"],
            json!(["first", "may", "named", "never"])
        );
    }

    #[test]
    fn each_basket_is_priced_at_its_own_time_and_for_its_household() {
        let baskets = "basket,household,time,item,quantity\n\
                       later,8,2026-06-02 09:00,16103,1\n\
                       first,8,2026-05-31 23:59:59,16103,1\n\
                       other,9,2026-06-01 00:00,16103,1\n";
        let report = tried(BOOK, baskets, None);
        let first = "first: 2 baskets 66.7%, 2 times, 2 units, 3.58 for 1.00, 0 points";
        assert_eq!(
            shown(&report),
            [
                first,
                "may: 1 baskets 33.3%, 0 times, 0 units, 0.00 for 0.00, 10 points",
                "named: 1 baskets 33.3%, 0 times, 0 units, 0.00 for 0.00, 7 points",
            ]
        );
        // Unless a time is given for all of them.
        let report = tried(BOOK, baskets, Some("2026-05-04T12:00"));
        let may = "may: 3 baskets 100.0%, 0 times, 0 units, 0.00 for 0.00, 30 points";
        assert_eq!(shown(&report)[..2], [first, may]);
    }

    #[test]
    fn a_limit_is_used_up_by_the_baskets_before() {
        let baskets = "basket,item,quantity\n1,16101,1\n2,16101,1\n3,16101,1\n";
        let report = tried(BOOK, baskets, Some("2026-06-04T12:00"));
        let buster = "buster: 2 baskets 66.7%, 2 times, 2 units, 0.20 for 3.58, 0 points";
        assert_eq!(shown(&report), [buster]);
        // A day of the calendar, whoever buys.
        let a_day = BOOK.replace("store = 2", "day = 1");
        let baskets = "basket,household,time,item,quantity\n\
                       1,8,2026-06-01 09:00,16101,3\n\
                       2,9,2026-06-01 23:59,16101,1\n\
                       3,9,2026-06-02 00:00,16101,1\n";
        let given = |report: &Report| {
            let shown = shown(report);
            let buster = shown.into_iter().find(|row| row.starts_with("buster"));
            buster.unwrap().split(", ").nth(1).unwrap().to_owned()
        };
        assert_eq!(given(&tried(&a_day, baskets, None)), "2 times");
        let a_customer_and_day = BOOK.replace("store = 2", "customer_day = 1");
        assert_eq!(given(&tried(&a_customer_and_day, baskets, None)), "3 times");
        let a_customer = BOOK.replace("store = 2", "customer = 1");
        let baskets = "basket,household,item,quantity\n1,8,16101,1\n2,8,16101,1\n3,9,16101,1\n";
        let report = tried(&a_customer, baskets, Some("2026-06-04T12:00"));
        let buster = &shown(&report)[0];
        assert!(
            buster.starts_with("buster: 2 baskets 66.7%, 2 times"),
            "{buster}"
        );
    }

    #[test]
    fn rows_that_cannot_be_used_are_named_and_the_rest_is_tried() {
        let baskets = "item,quantity\n16102,4\n16102,none\nunknown,1\n16102,0\n";
        let report = tried(BOOK, baskets, Some("2026-06-04T12:00"));
        assert_eq!(report.exit, Exit::RowsLeftOut);
        assert_eq!(report.json["promotions"][0]["cost"], "7.16");
        let unknown = json!([{ "item": "unknown", "rows": 1 }]);
        assert_eq!(report.json["unknown_items"], unknown);
        let lines = report.json["rows_left_out"].as_array().unwrap().iter();
        let lines: Vec<&Value> = lines.map(|row| &row["line"]).collect();
        assert_eq!(lines, [3, 5]);
        let text = "1 items are not in the catalog; their rows are left out:\n  unknown: 1\n\
                    2 rows cannot be used and are left out:\n  line 3: 'none' is not a quantity";
        assert!(report.text.contains(text), "{}", report.text);
        // What is not in the catalog alone is no failure.
        let report = tried(BOOK, "item,quantity\n16102,4\nunknown,1\n", None);
        assert_eq!(report.exit, Exit::Done);
    }
}
