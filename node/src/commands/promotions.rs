//! `lanemesh price` and `lanemesh promotions`: promotion files tried out before they go live.
//!
//! Works from files alone; no lane need run.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};
use std::path::Path;

use anyhow::{Context, bail};
use catalog::{Import, ImportKind, Item, ItemId, Record, Tier};
use flate2::read::MultiGzDecoder;
use money::{Currency, Money, Quantity};
use promotions::{
    Basket, BasketLine, CheckItem, CompiledBook, Customer, Explained, FileProblem, Instant, Moment,
    PromotionFile, PromotionId, Verdict, Why, check, explain,
};
use serde_json::json;

use crate::cli::{Exit, PriceArgs, PromotionsArgs, PromotionsCheckArgs, PromotionsCommand, Report};

mod given;
mod past;
mod replay;

/// Lines of problems and findings that are printed for a person; `--json` has them all.
const SHOWN_MAX: usize = 40;

pub fn run(args: &PromotionsArgs) -> anyhow::Result<Report> {
    match &args.command {
        PromotionsCommand::Check(args) => run_check(args),
        PromotionsCommand::Try(args) => replay::run(args),
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
    basket.rights = rights(&args.rights, &book)?;
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

/// How often promotions that are limited in the store or by the day may still be given, from `PROMOTION=TIMES`.
fn rights(texts: &[String], book: &CompiledBook) -> anyhow::Result<BTreeMap<PromotionId, u32>> {
    let mut rights = BTreeMap::new();
    for text in texts {
        let (id, times) = text.split_once('=').with_context(|| {
            format!("'{text}' is no right: write a promotion and how often, such as door-buster=2")
        })?;
        let (id, times) = (PromotionId::from(id.trim()), times.trim());
        let limits = book.limits_of(&id).with_context(|| {
            format!("there is no promotion '{id}' in the file: write the id of one that is")
        })?;
        if !limits.by_right() {
            bail!(
                "the promotion '{id}' is not limited in the store or by the day, so there are no rights \
                 to it: leave it out, or give it limit = {{ store = {times} }}"
            );
        }
        let most = u32::MAX;
        let count: u32 = times.parse().ok().with_context(|| {
            format!("'{times}' is not how often '{id}' may be given: write 0 to {most}")
        })?;
        if rights.insert(id.clone(), count).is_some() {
            bail!("the rights to '{id}' are given twice: leave one of them out");
        }
    }
    Ok(rights)
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
    instant(seconds)
}

/// A time on the store's wall clock. It is stated as if it were UTC: promotions are judged by it alone.
fn instant(seconds: i64) -> anyhow::Result<Instant> {
    let unix_ms = u64::try_from(seconds.saturating_mul(1_000));
    Ok(Instant {
        unix_ms: unix_ms.context("a time before 1970 cannot be priced at")?,
        offset_minutes: 0,
    })
}

pub(super) fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    std::fs::read(path).with_context(|| format!("{} cannot be read", path.display()))
}

/// The bytes of a file, gzip or plain.
fn unpacked(path: &Path) -> anyhow::Result<Vec<u8>> {
    const GZIP: [u8; 2] = [0x1f, 0x8b];
    let bytes = read(path)?;
    if !bytes.starts_with(&GZIP) {
        return Ok(bytes);
    }
    let mut text = Vec::new();
    let unpacked = MultiGzDecoder::new(Cursor::new(bytes)).read_to_end(&mut text);
    unpacked.with_context(|| format!("{} is broken gzip", path.display()))?;
    Ok(text)
}

pub(super) fn items(path: &Path, currency: Currency) -> anyhow::Result<BTreeMap<ItemId, Item>> {
    let reader = Cursor::new(unpacked(path)?);
    let no_pins = Box::new(|_: &str| String::new());
    let records = Import::new(Box::new(reader), Some(ImportKind::Items), currency, no_pins);
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
        floor: item.selling.floor,
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
            floor: item.selling.floor,
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
                rights: Vec::new(),
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
    fn rights_say_how_often_what_is_limited_in_the_store_is_given() {
        let folder = tempfile::tempdir().unwrap();
        let promotions = "schema = 2\n\
                          [[promotion]]\nid = \"first-50\"\nname = \"The first 50\"\nprice = \"1.00\"\n\
                          items = [\"16102\"]\nlimit = { store = 50 }\n\
                          [[promotion]]\nid = \"other\"\nname = \"Other\"\npoints = 1\n";
        let promotions = written(&folder, "promotions.toml", promotions);
        let basket = written(&folder, "basket.csv", "item,quantity\n16102,3\n");
        let priced = |rights: &[&str]| {
            let report = price(&PriceArgs {
                catalog: sample("items.csv"),
                promotions: promotions.clone(),
                basket: basket.clone(),
                customer: None,
                tier: None,
                coupon: Vec::new(),
                tender: Vec::new(),
                rights: rights.iter().map(|text| (*text).to_owned()).collect(),
                at: Some("2026-05-04T12:00".to_owned()),
                explain: true,
                currency: Currency::USD,
            });
            match report {
                Ok(report) => report.text,
                Err(error) => error.to_string(),
            }
        };
        let check = |rights: &[&str], expected: &str| {
            let text = priced(rights);
            assert!(text.contains(expected), "{rights:?}: {text}");
        };
        // Three cans of 2.29.
        check(&[], "The first 50 (first-50): given as often as it may be");
        check(&["first-50=0"], "given as often as it may be");
        check(
            &["first-50=2"],
            "The first 50 (first-50): applied, 2.58 off",
        );
        check(&["first-50=50"], "applied, 3.87 off");
        check(&["first-50"], "'first-50' is no right: write a promotion");
        check(&["frist=2"], "there is no promotion 'frist' in the file");
        check(&["other=2"], "'other' is not limited in the store");
        for bad in ["first-50=-1", "first-50=many", "first-50=4294967296"] {
            check(&[bad], "is not how often 'first-50' may be given");
        }
        check(&["first-50=1", "first-50=2"], "given twice");
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
}
