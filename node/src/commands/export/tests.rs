//! Everything that a journal of any format says, as a table and as a POSLog.

use std::path::PathBuf;
use std::process::Command;

use expect_test::expect_file;
use money::{Currency, Money, Rounding};
use sale::{
    CashMovement, Event, Line, LineTotal, LocalTime, OverrideReason, PromotionTotal, Receipt,
};

use super::{Place, PosLog, Table};
use crate::golden;

fn events() -> Vec<Event> {
    let events = golden::events().map(|(_, event)| event);
    let moved = |movement| Event::CashMoved {
        movement,
        amount: Money::from_minor(5_000, Currency::USD),
        reason: "stamps".to_owned(),
        by: "102".into(),
        at: LocalTime {
            unix_ms: 1_795_773_600_000,
            offset_minutes: 330,
        },
    };
    let moved = [CashMovement::PayIn, CashMovement::PayOut].map(moved);
    let mut events: Vec<Event> = events.map(with_totals).chain(moved).collect();
    let mut receipts = events.iter_mut().filter_map(|event| match event {
        Event::Completed { receipt, .. } => Some(receipt),
        _ => None,
    });
    dress(receipts.next().expect("there are receipts"));
    events
}

/// Gives each line of a receipt what it costs, where the example leaves that out.
fn with_totals(mut event: Event) -> Event {
    if let Event::Completed { receipt, .. } = &mut event {
        let known = std::mem::take(&mut receipt.totals.lines);
        let total = |line: &Line| {
            let found = known.iter().find(|total| total.line == line.number);
            let returned = line.detail.returned.as_ref().map(|of| &of.cost);
            found.or(returned).cloned().unwrap_or_else(|| plain(line))
        };
        receipt.totals.lines = receipt.lines.iter().map(total).collect();
    }
    event
}

/// Gives a receipt what few lines have.
fn dress(receipt: &mut Receipt) {
    let usd = |minor| Money::from_minor(minor, Currency::USD);
    let (line, total) = (&mut receipt.lines[0], &mut receipt.totals.lines[0]);
    line.detail.marks.lot = Some("L7".to_owned());
    line.price_override = Some(OverrideReason {
        by: "102".into(),
        reason: "dented".to_owned(),
    });
    line.tax.included = true;
    total.deposit = usd(50);
    total.discount = usd(40);
    total.promotions = vec![PromotionTotal {
        promotion: "two-milks".to_owned(),
        name: "2 milks".to_owned(),
        amount: usd(40),
        times: 1,
    }];
    receipt.lines[1].detail.linked_to = Some(1);
}

fn plain(line: &Line) -> LineTotal {
    let zero = Money::zero(line.unit_price.currency());
    let pieces = line.quantity.pieces().unwrap_or(1);
    LineTotal {
        line: line.number,
        extended: line
            .unit_price
            .for_quantity(line.quantity, Rounding::HalfUp),
        discount: zero,
        deposit: line.deposit.map_or(zero, |deposit| deposit.times(pieces)),
        tax: zero,
        promotions: Vec::new(),
        tax_detail: Default::default(),
    }
}

fn poslog() -> String {
    let mut log = PosLog::begin(Vec::new()).unwrap();
    for (seq, event) in (1..).zip(events()) {
        let place = Place {
            store: "0042",
            store_name: "Müller & Söhne\u{1}",
            lane: 3,
            seq,
        };
        log.event(&place, &event).unwrap();
    }
    String::from_utf8(log.end().unwrap()).unwrap()
}

#[test]
fn receipts_and_cash_as_a_poslog() {
    expect_file!["golden/poslog.xml"].assert_eq(&poslog());
}

#[test]
fn receipts_as_a_table() {
    let mut bytes = Vec::new();
    let mut table = Table::begin(&mut bytes).unwrap();
    for event in events() {
        if let Event::Completed { receipt, .. } = event {
            table.receipt(3, &receipt).unwrap();
        }
    }
    table.end().unwrap();
    let text = String::from_utf8(bytes).unwrap();
    expect_file!["golden/receipts.csv"].assert_eq(&text);
}

/// The schema is the standard body's and not part of this project: where `LANEMESH_POSLOG_XSD` names
/// a copy of `POSLogV6.0.0.xsd`, what is written is held against it with `xmllint`.
#[test]
fn a_poslog_is_what_its_schema_allows() {
    let Some(schema) = std::env::var_os("LANEMESH_POSLOG_XSD") else {
        eprintln!("left out: LANEMESH_POSLOG_XSD does not name a copy of POSLogV6.0.0.xsd");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("poslog.xml");
    std::fs::write(&file, poslog()).unwrap();
    let mut xmllint = Command::new("xmllint");
    xmllint
        .args(["--noout", "--schema"])
        .arg(PathBuf::from(schema))
        .arg(&file);
    let output = xmllint
        .output()
        .expect("xmllint is of the package libxml2-utils");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
}
