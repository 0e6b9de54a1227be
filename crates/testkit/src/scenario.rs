//! Scenarios as readable data, run against a register or against a whole lane.
//!
//! A scenario says what was done before (`given`), what is done (`when`) or which code's price is asked
//! for (`check`, whose answer has the rows `price`), and what comes of it: the events (`then`), or the
//! words of a refusal (`refused`) and what is said to do next (`hint`); and rows that the open sale
//! (`cart`), the last receipt (`receipt`), the sums of the period (`report`) or the lane (`lane`) must
//! have, or must not have where `!` stands before one. Commands are written as [`crate::words`] reads
//! them, with `/` between them; `settings` are the store's, as their file has them. One with
//! `on_a_lane` is run against a lane's process, too, which shows nobody its sums, what is in its drawer,
//! and what it is like outside of a training. Every scenario expects something.

use std::path::PathBuf;

use catalog::Settings;
use sale::{Event, PriceCheck, Receipt, Refusal, Register, Tally, Tender, Totals};
use serde::Deserialize;

use crate::sums::{assert_adds_up, assert_balances};
use crate::words::show;

/// What a scenario is run against.
pub trait Till {
    /// Carries out a command of [`crate::words`].
    fn submit(&mut self, text: &str) -> Result<Vec<Event>, Refusal>;
    /// What one of what a code stands for costs.
    fn price_check(&mut self, code: &str) -> Result<PriceCheck, Refusal>;
    fn register(&self) -> Register;
    /// What the open sale costs now.
    fn totals(&self) -> Option<Totals>;
    /// What is wrong with the till, whatever was done at it.
    fn wrong(&self) -> Option<String>;
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    pub scenario: Vec<Scenario>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    pub name: String,
    /// Run against a lane's process, too.
    #[serde(default)]
    pub on_a_lane: bool,
    #[serde(default)]
    pub settings: Settings,
    #[serde(default)]
    given: String,
    #[serde(default)]
    when: String,
    check: Option<String>,
    #[serde(default)]
    price: Vec<String>,
    then: Option<String>,
    refused: Option<String>,
    hint: Option<String>,
    #[serde(default)]
    cart: Vec<String>,
    #[serde(default)]
    receipt: Vec<String>,
    #[serde(default)]
    report: Vec<String>,
    #[serde(default)]
    lane: Vec<String>,
}

impl Scenario {
    /// The same at the lane with another number than 3, for which scenarios are written.
    pub fn at_lane(&self, number: u32) -> Scenario {
        let words = |text: &String| {
            let receipts = text.replace("3-0", &format!("{number}-0"));
            let slips = receipts.replace("S3-", &format!("S{number}-"));
            slips.replace("K3-", &format!("K{number}-"))
        };
        let rows = |rows: &Vec<String>| rows.iter().map(words).collect();
        Scenario {
            given: words(&self.given),
            when: words(&self.when),
            then: self.then.as_ref().map(words),
            refused: self.refused.as_ref().map(words),
            hint: self.hint.as_ref().map(words),
            price: rows(&self.price),
            cart: rows(&self.cart),
            receipt: rows(&self.receipt),
            report: rows(&self.report),
            lane: rows(&self.lane),
            ..self.clone()
        }
    }
}

/// What differs from what the scenario expects; empty where nothing does.
pub fn run(scenario: &Scenario, till: &mut dyn Till) -> Vec<String> {
    let mut wrong = Vec::new();
    let rows = [
        &scenario.price,
        &scenario.cart,
        &scenario.receipt,
        &scenario.report,
        &scenario.lane,
    ];
    let says = [&scenario.then, &scenario.refused, &scenario.hint];
    if says.iter().all(|text| text.is_none()) && rows.iter().all(|rows| rows.is_empty()) {
        wrong.push("it expects nothing, so it cannot fail".to_owned());
    }
    for text in commands(&scenario.given) {
        if let Err(refusal) = till.submit(text) {
            wrong.push(format!("given '{text}' was refused: {refusal}"));
            return wrong;
        }
    }
    let before = till.register();
    let done = match &scenario.check {
        None => till.submit(&scenario.when),
        Some(code) => till.price_check(code).map(|check| {
            check_rows(&mut wrong, "price", &scenario.price, &price(&check));
            Vec::new()
        }),
    };
    match done {
        Ok(events) => {
            let got: Vec<String> = events.iter().map(show).collect();
            said(
                &mut wrong,
                "then",
                scenario.then.as_deref(),
                &got.join(" / "),
            );
            if scenario.refused.is_some() {
                wrong.push(format!("it was not refused: {}", got.join(" / ")));
            }
        }
        Err(refusal) => {
            let words = refusal.to_string();
            match &scenario.refused {
                Some(_) => said(&mut wrong, "refused", scenario.refused.as_deref(), &words),
                None => wrong.push(format!("it was refused: {words}")),
            }
            said(&mut wrong, "hint", scenario.hint.as_deref(), refusal.hint());
            let mut after = till.register();
            after.wrong_pins.clone_from(&before.wrong_pins);
            if after != before {
                wrong.push("the refusal changed the register".to_owned());
            }
        }
    }
    wrong.extend(till.wrong());
    if !scenario.cart.is_empty() {
        let got = till.totals().map(|open| totals(&open));
        check_rows(&mut wrong, "cart", &scenario.cart, &got.unwrap_or_default());
    }
    let register = till.register();
    let got = register.last_receipt.as_deref().map(receipt);
    let got = got.unwrap_or_default();
    check_rows(&mut wrong, "receipt", &scenario.receipt, &got);
    let got = report(&register.period);
    check_rows(&mut wrong, "report", &scenario.report, &got);
    check_rows(&mut wrong, "lane", &scenario.lane, &state(&register));
    wrong
}

fn commands(text: &str) -> impl Iterator<Item = &str> {
    text.split('/')
        .map(str::trim)
        .filter(|text| !text.is_empty())
}

fn said(wrong: &mut Vec<String>, what: &str, expected: Option<&str>, got: &str) {
    if let Some(expected) = expected.filter(|expected| *expected != got) {
        wrong.push(format!(
            "{what}:\n      expected {expected}\n      got      {got}"
        ));
    }
}

/// `!row` is a row that must not be there.
fn check_rows(wrong: &mut Vec<String>, what: &str, expected: &[String], got: &[String]) {
    let differs = |row: &&String| match row.strip_prefix('!') {
        Some(absent) => got.iter().any(|got| got == absent),
        None => !got.contains(row),
    };
    for row in expected.iter().filter(differs) {
        let rows: Vec<String> = got.iter().map(|row| format!("\n        {row}")).collect();
        wrong.push(format!("{what}: '{row}' does not hold of{}", rows.concat()));
    }
}

fn totals(totals: &Totals) -> Vec<String> {
    assert_adds_up(totals);
    let mut rows = vec![
        format!("gross {}", totals.gross),
        format!("discount {}", totals.discount),
        format!("deposits {}", totals.deposits),
        format!("tax added {}", totals.tax_added),
        format!("tax included {}", totals.tax_included),
        format!("total {}", totals.total),
        format!("points {}", totals.points_total()),
    ];
    rows.extend(
        totals
            .promotions
            .iter()
            .map(|p| format!("{}: {}", p.name, p.amount)),
    );
    for tax in &totals.taxes {
        let exempt = if tax.exempt { " exempt" } else { "" };
        let (name, rate) = (&tax.name, tax.rate);
        rows.push(format!(
            "{name} {rate}{exempt} of {}: {}",
            tax.taxable, tax.amount
        ));
        let parts = tax.parts.iter();
        rows.extend(parts.map(|p| format!("{} {} of {}: {}", p.name, p.rate, p.taxable, p.amount)));
    }
    rows
}

fn price(check: &PriceCheck) -> Vec<String> {
    let mut rows = totals(&check.totals);
    assert_eq!(check.total, check.totals.total);
    rows.push(format!("{} at {}", check.item, check.unit_price));
    rows.push(format!("for {}", check.quantity));
    rows.push(format!("book {}", check.book));
    match check.stock_milli {
        Some(milli) => rows.push(format!("stock {milli}")),
        None => rows.push("stock unknown".to_owned()),
    }
    rows.extend(check.age_min.map(|years| format!("from {years}")));
    rows.extend(
        check
            .lines
            .iter()
            .skip(1)
            .map(|l| format!("with {}", l.item)),
    );
    rows.extend(
        check
            .hints
            .iter()
            .map(|hint| format!("more: {}", hint.name)),
    );
    rows
}

fn receipt(receipt: &Receipt) -> Vec<String> {
    assert_balances(receipt);
    let mut rows = totals(&receipt.totals);
    rows.push(format!("number {}", receipt.id));
    rows.push(format!("day {}", receipt.day));
    rows.push(format!("cashier {}", receipt.cashier_name));
    rows.push(format!("change {}", receipt.change));
    rows.extend(receipt.customer.iter().map(|id| format!("customer {id}")));
    rows.extend(
        receipt
            .reference
            .iter()
            .map(|text| format!("reference {text}")),
    );
    let certificate = &receipt.detail.terms.standing.exemption;
    rows.extend(certificate.iter().map(|text| format!("certificate {text}")));
    rows.extend(
        receipt
            .detail
            .notes
            .iter()
            .map(|text| format!("note {text}")),
    );
    let used = receipt.detail.coupons_used.iter();
    rows.extend(used.map(|coupon| format!("used {coupon}")));
    let tenders = receipt.tenders.iter();
    rows.extend(tenders.map(|tender| format!("paid {} {}", tender.kind(), tender.amount())));
    rows.extend(receipt.tenders.iter().filter_map(|tender| match tender {
        Tender::GiftCard { number, left, .. } => Some(format!("gift card {number} holds {left}")),
        Tender::Points { points, left, .. } => Some(format!("points {points}, {left} left")),
        _ => None,
    }));
    for line in &receipt.lines {
        let (number, detail) = (line.number, &line.detail);
        rows.push(format!("line {number}: {} {}", line.quantity, line.item));
        if line.unreceipted().is_some() {
            rows.push(format!("line {number} unreceipted"));
        }
        let serial = detail.marks.serial.iter();
        rows.extend(serial.map(|serial| format!("line {number} serial {serial}")));
        rows.extend(
            detail
                .notes
                .iter()
                .map(|note| format!("line {number} note {note}")),
        );
        let loaded = detail.gift_card.iter();
        rows.extend(loaded.map(|card| format!("line {number} loaded onto {card}")));
        let parts = detail.kit.iter();
        rows.extend(parts.map(|part| format!("line {number} holds {} {}", part.milli, part.item)));
        if detail.tare_grams != 0 {
            rows.push(format!("line {number} packing {}", detail.tare_grams));
        }
    }
    rows
}

fn report(tally: &Tally) -> Vec<String> {
    let mut rows = vec![
        format!("tax added {}", tally.tax_added),
        format!("tax included {}", tally.tax_included),
        format!("cash {}", tally.cash()),
        format!("set aside {}", tally.set_aside),
    ];
    for (name, sum) in [
        ("receipts", tally.receipts),
        ("gross", tally.gross),
        ("discount", tally.discount),
        ("deposits", tally.deposits),
        ("floats", tally.floats),
        ("drops", tally.drops),
        ("paid in", tally.paid_in),
        ("paid out", tally.paid_out),
        ("over and short", tally.over_short),
        ("tips", tally.tips),
    ] {
        rows.push(format!("{name} {} × {}", sum.count, sum.amount));
    }
    for (kind, sums) in [
        ("tender", &tally.tenders),
        ("department", &tally.departments),
        ("tax", &tally.taxes),
        ("taxed", &tally.taxable),
        ("tax of", &tally.tax_parts),
        ("taxed by", &tally.taxable_parts),
        ("promotion", &tally.promotions),
        ("hour", &tally.hours),
        ("cashier", &tally.cashiers),
    ] {
        rows.extend(
            sums.iter()
                .map(|(name, sum)| format!("{kind} {name}: {}", sum.amount)),
        );
    }
    for (name, count) in [
        ("voided sales", tally.voided_sales),
        ("voided lines", tally.voided_lines),
        ("price overrides", tally.price_overrides),
        ("tax overrides", tally.tax_overrides),
        ("suspended", tally.suspended),
        ("resumed", tally.resumed),
        ("approvals", tally.approvals),
        ("no sales", tally.no_sales),
    ] {
        rows.push(format!("{name} {count}"));
    }
    rows
}

fn state(register: &Register) -> Vec<String> {
    let mut rows = Vec::new();
    match &register.cashier {
        Some(cashier) => rows.push(format!("{} is signed in", cashier.name)),
        None => rows.push("nobody is signed in".to_owned()),
    }
    match &register.cart {
        Some(cart) => {
            rows.push(format!("a sale of {} lines", cart.live_lines().count()));
            let paid = cart
                .paid()
                .map_or("nothing".to_owned(), |paid| paid.to_string());
            rows.push(format!("paid {paid}"));
        }
        None => rows.push("no sale".to_owned()),
    }
    if let Some(open) = &register.cards.open {
        rows.push(format!("card {} is asked", open.ask.number));
    }
    rows.extend(
        register
            .cards
            .left
            .keys()
            .map(|n| format!("card {n} is left")),
    );
    match &register.drawer {
        Some(drawer) => rows.push(format!(
            "{} in the drawer of {}",
            drawer.cash_minor, drawer.assigned
        )),
        None => rows.push("no drawer".to_owned()),
    }
    match &register.day {
        Some(day) => rows.push(format!("day {day} is open")),
        None => rows.push("no day is open".to_owned()),
    }
    rows.push(format!("{} receipts", register.receipts));
    let Some(training) = &register.training else {
        rows.push("not in training".to_owned());
        return rows;
    };
    rows.push("in training".to_owned());
    assert!(training.register.is_training && training.register.training.is_none());
    let inner = state(&training.register);
    rows.extend(inner.iter().map(|row| format!("training: {row}")));
    if let Some(receipt) = &training.register.last_receipt {
        assert!(receipt.detail.training);
        rows.push(format!("training: receipt {} marked", receipt.id));
    }
    rows
}

/// The scenarios of each file.
pub fn files() -> Vec<(String, Vec<Scenario>)> {
    let folder: PathBuf = [
        env!("CARGO_MANIFEST_DIR"),
        "..",
        "sale",
        "tests",
        "scenarios",
    ]
    .iter()
    .collect();
    let paths = std::fs::read_dir(&folder).expect("the folder of scenarios is there");
    let mut paths: Vec<PathBuf> = paths.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
        .iter()
        .map(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let text = std::fs::read_to_string(path).expect("a scenario file can be read");
            let file: File =
                toml::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
            (name, file.scenario)
        })
        .collect()
}

/// A failure as a person reads it.
pub fn failure(file: &str, scenario: &Scenario, wrong: &[String]) -> String {
    format!(
        "\n{file}: {}\n  given {}\n  when  {}\n    {}\n",
        scenario.name,
        scenario.given,
        scenario.when,
        wrong.join("\n    ")
    )
}
