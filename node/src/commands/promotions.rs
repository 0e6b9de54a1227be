//! `lanemesh price` and `lanemesh promotions`: promotion files tried out before they go live.
//!
//! Works from files alone; no lane need run.

use std::collections::BTreeMap;
use std::io::{Cursor, IsTerminal, Read, Write};
use std::path::Path;

use anyhow::{Context, bail};
use catalog::{Import, ImportKind, Item, ItemId, Record, Tier};
use flate2::read::MultiGzDecoder;
use money::{Currency, Money, Quantity};
use promotions::{
    Basket, BasketLine, CheckItem, CompiledBook, Customer, Explained, FileProblem, Instant, Moment,
    PromotionFile, Verdict, Why, check, evaluate, explain,
};
use serde_json::{Value, json};

use crate::cli::{Exit, PriceArgs, PromotionsArgs, PromotionsCheckArgs, PromotionsCommand};
use crate::cli::{PromotionsTryArgs, Report};
use crate::robots::read_baskets;

/// Lines of problems and findings that are printed for a person; `--json` has them all.
const SHOWN_MAX: usize = 40;
/// Baskets between two steps of the progress bar.
const PROGRESS_EVERY: usize = 500;

pub fn run(args: &PromotionsArgs) -> anyhow::Result<Report> {
    match &args.command {
        PromotionsCommand::Check(args) => run_check(args),
        PromotionsCommand::Try(args) => run_try(args),
    }
}

/// `lanemesh price`.
pub fn price(args: &PriceArgs) -> anyhow::Result<Report> {
    let items = items(&args.catalog, args.currency)?;
    let (_, book) = match book(&args.promotions, args.currency)? {
        Ok(book) => book,
        Err(problems) => return Ok(unusable(&args.promotions, &problems)),
    };
    let mut basket = basket(&args.basket, &items, args.currency)?;
    for coupon in &args.coupon {
        *basket.coupons.entry(coupon.clone()).or_default() += 1;
    }
    basket.tenders.extend(args.tender.clone());
    let customer = Customer {
        id: args.customer.as_deref().map(Into::into),
        tier: args.tier.as_deref().map(tier).transpose()?,
        ..Customer::default()
    };
    let at = moment(args.at.as_deref())?;
    let explained = explain(&book, &basket, &customer, at);
    let text = priced_text(&basket, &items, &explained, args.explain);
    let json = serde_json::to_value(&explained).context("a pricing is always JSON")?;
    Ok(Report::done(text, json!({ "ok": true, "priced": json })))
}

fn tier(text: &str) -> anyhow::Result<Tier> {
    match text {
        "basic" => Ok(Tier::Basic),
        "silver" => Ok(Tier::Silver),
        "gold" => Ok(Tier::Gold),
        other => bail!("'{other}' is not a tier: write basic, silver or gold"),
    }
}

/// The store's time as it was given, or this machine's.
fn moment(text: Option<&str>) -> anyhow::Result<Instant> {
    let seconds = match text {
        Some(text) => Moment::parse(text)
            .with_context(|| format!("'{text}' is not a time: write one like 2026-11-27T09:00"))?
            .seconds(),
        None => {
            let now = jiff::Zoned::now();
            now.timestamp().as_second() + i64::from(now.offset().seconds())
        }
    };
    // The wall clock is stated as if it were UTC: promotions are judged by it alone.
    let unix_ms = u64::try_from(seconds.saturating_mul(1_000));
    Ok(Instant {
        unix_ms: unix_ms.context("a time before 1970 cannot be priced at")?,
        offset_minutes: 0,
    })
}

pub(super) fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    std::fs::read(path).with_context(|| format!("{} cannot be read", path.display()))
}

pub(super) fn items(path: &Path, currency: Currency) -> anyhow::Result<BTreeMap<ItemId, Item>> {
    const GZIP: [u8; 2] = [0x1f, 0x8b];
    let bytes = read(path)?;
    let reader: Box<dyn Read> = match bytes.starts_with(&GZIP) {
        true => Box::new(MultiGzDecoder::new(Cursor::new(bytes))),
        false => Box::new(Cursor::new(bytes)),
    };
    let no_pins = Box::new(|_: &str| String::new());
    let records = Import::new(reader, Some(ImportKind::Items), currency, no_pins);
    let items = records.filter_map(|record| match record {
        Ok(Record::Item(item)) => Some((item.id.clone(), item)),
        _ => None,
    });
    let items: BTreeMap<ItemId, Item> = items.collect();
    if items.is_empty() {
        bail!(
            "{} holds no item: it needs a header and rows",
            path.display()
        );
    }
    Ok(items)
}

type Compiled = Result<(PromotionFile, CompiledBook), Vec<FileProblem>>;

fn book(path: &Path, currency: Currency) -> anyhow::Result<Compiled> {
    let text = String::from_utf8(read(path)?)
        .with_context(|| format!("{} is not text", path.display()))?;
    Ok(PromotionFile::parse(&text).and_then(|file| {
        let book = CompiledBook::compile(&file, currency)?;
        Ok((file, book))
    }))
}

fn unusable(path: &Path, problems: &[FileProblem]) -> Report {
    let mut text = format!("{} cannot be used:", path.display());
    for problem in problems.iter().take(SHOWN_MAX) {
        text.push_str(&format!("\n  {problem}"));
    }
    Report {
        text,
        json: json!({ "ok": false, "problems": problems }),
        exit: Exit::Failed,
    }
}

fn line_of(number: u32, item: &Item, quantity: Quantity) -> BasketLine {
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
}

/// The columns `item` and `value` of a CSV, which is called `what` where something is wrong with it.
fn of_items(path: &Path, what: &str, value: &str) -> anyhow::Result<Vec<(ItemId, String)>> {
    let mut rows = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .from_path(path)
        .with_context(|| format!("{} cannot be read", path.display()))?;
    let headers = rows.headers();
    let headers = headers.with_context(|| format!("the {what} has no header"))?;
    let column = |name: &str| {
        let place = headers.iter().position(|title| title == name);
        place.with_context(|| format!("the {what} has no column '{name}'"))
    };
    let (item, value) = (column("item")?, column(value)?);
    let read = rows.records().zip(1_u32..).map(|(row, number)| {
        let row = row.with_context(|| format!("row {number} of the {what} cannot be read"))?;
        let cell = |place| row.get(place).unwrap_or_default().to_owned();
        Ok((ItemId(cell(item)), cell(value)))
    });
    read.collect()
}

/// A CSV with the columns `item` and `quantity`.
fn basket(
    path: &Path,
    items: &BTreeMap<ItemId, Item>,
    currency: Currency,
) -> anyhow::Result<Basket> {
    let mut lines = Vec::new();
    for ((id, text), number) in of_items(path, "basket", "quantity")?.into_iter().zip(1..) {
        let found = items.get(&id);
        let found = found.with_context(|| format!("the item '{id}' is not in the catalog"))?;
        let quantity = Quantity::parse(&text, found.sold_by)?;
        lines.push(line_of(number, found, quantity));
    }
    Ok(Basket::new(currency, lines))
}

fn priced_text(
    basket: &Basket,
    items: &BTreeMap<ItemId, Item>,
    explained: &Explained,
    why: bool,
) -> String {
    let pricing = &explained.pricing;
    let mut rows = Vec::new();
    let mut gross = Money::zero(basket.currency);
    for line in &basket.lines {
        gross += line.extended;
        let name = items
            .get(&line.item)
            .map_or("", |item| item.description.as_str());
        let words = format!("{} × {name}", line.quantity);
        rows.push(format!("{words:44} {:>10}", line.extended));
        for applied in &pricing.applied {
            let part = applied
                .per_line
                .iter()
                .find(|(number, _)| *number == line.line);
            if let Some((_, part)) = part {
                let words = format!("  {}", applied.name);
                rows.push(format!("{words:44} {:>10}", -*part));
            }
        }
    }
    let total = gross - pricing.total();
    rows.push(format!("{:44} {total:>10}", "Total before tax"));
    if pricing.points_total() > 0 {
        rows.push(format!("{:44} {:>10}", "Points", pricing.points_total()));
    }
    if !pricing.proven {
        rows.push("The search ended before it was sure that nothing is better.".to_owned());
    }
    if why {
        rows.push(String::new());
        rows.extend(explained.verdicts.iter().map(in_words));
    }
    rows.join("\n")
}

fn in_words(verdict: &Verdict) -> String {
    let words = match &verdict.why {
        Why::Applied {
            amount,
            points,
            capped,
        } => {
            let mut words = format!("applied, {amount} off");
            if *points > 0 {
                words = format!("{words}, {points} points");
            }
            if *capped {
                words.push_str(", held back by a cap or a floor");
            }
            words
        }
        Why::Inactive { until: Some(until) } => format!("not active until {until}"),
        Why::Inactive { until: None } => "over".to_owned(),
        Why::NotForThisCustomer => "not for this customer".to_owned(),
        Why::NotHere => "not here".to_owned(),
        Why::NeedsCoupon { coupon } => format!("needs the coupon {coupon}"),
        Why::NeedsTender { tender } => format!("must be paid with {tender}"),
        Why::LimitReached => "given as often as it may be".to_owned(),
        Why::ShortOfUnits { units } => format!("add {units} more to get it"),
        Why::ShortOfDifferent { items } => format!("add {items} more different items to get it"),
        Why::ShortOfGrams { grams } => format!("add {grams} g more to get it"),
        Why::ShortOfAmount { amount } => format!("spend {amount} more to get it"),
        Why::Blocked { by } => format!("kept out by {by}"),
        Why::Beaten { by, gain } => {
            let by: Vec<String> = by.iter().map(ToString::to_string).collect();
            format!("{} is better by {gain}", by.join(", "))
        }
        Why::NothingToGain => "would take nothing off".to_owned(),
    };
    format!("{} ({}): {words}", verdict.name, verdict.promotion)
}

/// What the store pays for its items.
fn costs(path: &Path, currency: Currency) -> anyhow::Result<BTreeMap<ItemId, Money>> {
    let rows = of_items(path, "file of costs", "cost")?.into_iter();
    let costs = rows.zip(1_u32..).map(|((item, text), number)| {
        let money = Money::parse(&text, currency)
            .with_context(|| format!("row {number} of the costs: '{text}' is no amount"))?;
        Ok((item, money))
    });
    costs.collect()
}

fn run_check(args: &PromotionsCheckArgs) -> anyhow::Result<Report> {
    let (file, book) = match book(&args.file, args.currency)? {
        Ok(book) => book,
        Err(problems) => return Ok(unusable(&args.file, &problems)),
    };
    let items = match &args.catalog {
        Some(catalog) => items(catalog, args.currency)?,
        None => BTreeMap::new(),
    };
    let costs = match &args.costs {
        Some(path) => costs(path, args.currency)?,
        None => BTreeMap::new(),
    };
    let goods: Vec<CheckItem> = items
        .values()
        .map(|item| CheckItem {
            item: item.id.clone(),
            department: item.department.clone(),
            brand: item.brand.clone(),
            price: item.price,
            cost: costs.get(&item.id).copied(),
        })
        .collect();
    let findings = check(&file, args.currency, &goods);
    let name = args.file.display();
    let mut text = match findings.as_slice() {
        [] => format!(
            "{name}: {} promotions, nothing to find fault with.",
            book.len()
        ),
        findings => format!(
            "{name}: {} promotions, {} to look at:",
            book.len(),
            findings.len()
        ),
    };
    for finding in findings.iter().take(SHOWN_MAX) {
        text.push_str(&format!("\n  {finding}"));
    }
    Ok(Report {
        text,
        json: json!({
            "ok": findings.is_empty(), "promotions": book.len(), "findings": findings,
        }),
        exit: match findings.is_empty() {
            true => Exit::Done,
            false => Exit::Failed,
        },
    })
}

/// What a promotion would have done.
#[derive(Default)]
struct Moved {
    name: String,
    baskets: u64,
    times: u64,
    cost_minor: i64,
}

fn run_try(args: &PromotionsTryArgs) -> anyhow::Result<Report> {
    let (_, book) = match book(&args.file, args.currency)? {
        Ok(book) => book,
        Err(problems) => return Ok(unusable(&args.file, &problems)),
    };
    let items = items(&args.catalog, args.currency)?;
    let past = read_baskets(&read(&args.baskets)?, args.currency).map_err(|problems| {
        let first = problems
            .first()
            .map(ToString::to_string)
            .unwrap_or_default();
        anyhow::anyhow!("{} cannot be used: {first}", args.baskets.display())
    })?;
    let at = moment(args.at.as_deref())?;
    let (mut moved, mut unknown): (BTreeMap<String, Moved>, u64) = (BTreeMap::new(), 0);
    let (mut gross, mut off, mut unproven) = (0_i64, 0_i64, 0_u64);
    for (done, past_basket) in past.baskets.iter().enumerate() {
        progress(done, past.baskets.len());
        let mut lines = Vec::new();
        for (line, number) in past_basket.lines.iter().zip(1_u32..) {
            match (items.get(&ItemId(line.code.clone())), line.pieces()) {
                (Some(item), Some(pieces)) => {
                    let quantity = Quantity::each(i64::from(pieces));
                    lines.push(line_of(number, item, quantity));
                }
                _ => unknown += 1,
            }
        }
        let basket = Basket::new(args.currency, lines);
        gross += basket
            .lines
            .iter()
            .map(|line| line.extended.minor())
            .sum::<i64>();
        let pricing = evaluate(&book, &basket, &Customer::default(), at);
        unproven += u64::from(!pricing.proven);
        off += pricing.total().minor();
        for applied in pricing.applied {
            let moved = moved.entry(applied.promotion.to_string()).or_default();
            moved.name = applied.name;
            moved.baskets += 1;
            moved.times += u64::from(applied.times);
            moved.cost_minor += applied.amount.minor();
        }
    }
    progress(past.baskets.len(), past.baskets.len());
    let money = |minor| Money::from_minor(minor, args.currency);
    let mut text = format!(
        "{:36} {:>8} {:>8} {:>12}",
        "promotion", "baskets", "times", "cost"
    );
    for moved in moved.values() {
        let (name, cost) = (&moved.name, money(moved.cost_minor));
        let row = format!(
            "\n{name:36} {:>8} {:>8} {cost:>12}",
            moved.baskets, moved.times
        );
        text.push_str(&row);
    }
    text.push_str(&format!(
        "\n{} baskets, {} before promotions, {} taken off; {unknown} lines of unknown items left out",
        past.baskets.len(),
        money(gross),
        money(off),
    ));
    let rows: Vec<Value> = moved
        .iter()
        .map(|(id, moved)| {
            json!({
                "promotion": id, "name": moved.name, "baskets": moved.baskets,
                "times": moved.times, "cost": money(moved.cost_minor).to_string(),
            })
        })
        .collect();
    let json = json!({
        "ok": true, "baskets": past.baskets.len(), "gross": money(gross).to_string(),
        "off": money(off).to_string(), "unproven": unproven, "unknown_lines": unknown,
        "promotions": rows,
    });
    Ok(Report::done(text, json))
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
    use std::path::PathBuf;

    use super::*;

    fn sample(name: &str) -> PathBuf {
        PathBuf::from(env!("CARGO_MANIFEST_DIR"))
            .join("sample")
            .join(name)
    }

    fn written(folder: &tempfile::TempDir, name: &str, text: &str) -> PathBuf {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    /// The sample store prices three cans of soup and one more.
    #[test]
    fn a_basket_is_priced_and_explained() {
        let folder = tempfile::tempdir().unwrap();
        let check = |pieces: u32, expected: &str| {
            let basket = format!("item,quantity\n16102,{pieces}\n");
            let report = price(&PriceArgs {
                catalog: sample("items.csv"),
                promotions: sample("promotions.toml"),
                basket: written(&folder, "basket.csv", &basket),
                customer: None,
                tier: Some("gold".to_owned()),
                coupon: Vec::new(),
                tender: Vec::new(),
                at: Some("2026-05-04T12:00".to_owned()),
                explain: true,
                currency: Currency::USD,
            });
            let text = report.unwrap().text;
            assert!(text.contains(expected), "{text}");
        };
        check(3, "Soup, 4 for 7.00 (soup-4-for-7): add 1 more to get it");
        check(4, "Soup, 4 for 7.00 (soup-4-for-7): applied, ");
    }

    #[test]
    fn a_file_is_checked_with_and_without_a_catalog() {
        let folder = tempfile::tempdir().unwrap();
        let costs = written(&folder, "costs.csv", "item,cost\n16102,1.00\n");
        let check = |file: PathBuf, exit: Exit, expected: &str| {
            let report = run_check(&PromotionsCheckArgs {
                file,
                catalog: Some(sample("items.csv")),
                costs: Some(costs.clone()),
                currency: Currency::USD,
            });
            let report = report.unwrap();
            assert_eq!(report.exit, exit, "{}", report.text);
            assert!(report.text.contains(expected), "{}", report.text);
        };
        check(
            sample("promotions.toml"),
            Exit::Done,
            "20 promotions, nothing",
        );
        let wrong = "schema = 2\n[[promotion]]\nid = \"a\"\nname = \"a\"\npercent_of = 5\n";
        let hint = "line 5: 'percent_of' is not understood here: did you mean percent_off?";
        check(written(&folder, "wrong.toml", wrong), Exit::Failed, hint);
        let cheap = "schema = 2\n[[promotion]]\nid = \"a\"\nname = \"a\"\nprice = \"0.95\"\nitems = [\"16102\"]\n";
        let finding = "'16102' is then sold for 0.95, and costs 1.00";
        check(written(&folder, "cheap.toml", cheap), Exit::Failed, finding);
        let unknown = "schema = 2\n[[promotion]]\nid = \"a\"\nname = \"a\"\npercent_off = 5\nitems = [\"no\"]\n";
        let finding = "the item 'no' is not in the catalog";
        check(
            written(&folder, "unknown.toml", unknown),
            Exit::Failed,
            finding,
        );
    }

    #[test]
    fn past_baskets_say_what_a_promotion_would_have_cost() {
        let folder = tempfile::tempdir().unwrap();
        let baskets = "basket_id,product_id,quantity,sales_value,retail_disc\n\
                       1,16102,8,20.00,0\n2,16102,4,10.00,0\n2,unknown,1,1.00,0\n";
        let report = run_try(&PromotionsTryArgs {
            file: sample("promotions.toml"),
            catalog: sample("items.csv"),
            baskets: written(&folder, "baskets.csv", baskets),
            at: Some("2026-05-04T12:00".to_owned()),
            currency: Currency::USD,
        });
        let json = report.unwrap().json;
        let soup = &json["promotions"][0];
        let got = [
            &soup["promotion"],
            &soup["baskets"],
            &soup["times"],
            &json["unknown_lines"],
        ];
        let shown: Vec<String> = got.iter().map(|value| value.to_string()).collect();
        assert_eq!(shown, ["\"soup-4-for-7\"", "2", "3", "1"]);
    }
}
