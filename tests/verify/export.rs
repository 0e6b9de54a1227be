//! `lanemesh export`.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use ledger::{Entry, Fact};
use serde_json::Value;

use super::{LATER_FORMAT, Shop};

fn export(dir: &Path, more: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lanemesh"));
    command.arg("export").arg(dir).args(more);
    command.stdin(Stdio::null()).output().unwrap()
}

fn lines(bytes: &[u8]) -> Vec<Value> {
    let text = std::str::from_utf8(bytes).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// Lane, number and hash of every line.
fn labels(lines: &[Value]) -> Vec<(String, u64, String)> {
    let label = |line: &Value| {
        let text = |key: &str| line[key].as_str().unwrap().to_owned();
        (text("lane"), line["seq"].as_u64().unwrap(), text("hash"))
    };
    lines.iter().map(label).collect()
}

fn label(entry: &Entry) -> (String, u64, String) {
    (entry.lane.to_string(), entry.seq, entry.hash().to_string())
}

#[test]
fn every_journal_that_is_held_or_one() {
    let shop = Shop::built(1);
    let by_lane = |lanes: &[usize]| -> Vec<_> {
        let own = lanes.iter().flat_map(|lane| shop.own(*lane));
        own.map(label).collect()
    };
    let check = |more: &[&str], lanes: &[usize]| {
        let output = export(&shop.dir(1), more);
        assert!(output.status.success());
        assert_eq!(labels(&lines(&output.stdout)), by_lane(lanes));
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(
            said,
            format!("{} entries exported.\n", by_lane(lanes).len())
        );
    };
    check(&[], &[0, 1, 2]);
    check(&["--lane", "3"], &[2]);
    check(&["--lane", &shop.lane(0).to_string()], &[0]);
    check(&["--json", "--lane", "2"], &[1]);
    check(&["--lane", &"ab".repeat(16)], &[]);
}

#[test]
fn a_line_can_be_read_without_this_program() {
    let shop = Shop::built(1);
    let lines = lines(&export(&shop.dir(0), &["--lane", "1"]).stdout);
    let started = &lines[0];
    assert_eq!(started["number"], 1);
    assert_eq!(started["at"], "2026-11-27T10:00:00Z");
    assert_eq!(started["hlc"]["wall_ms"], 1_795_773_600_000_u64);
    assert_eq!(started["fact"]["LaneStarted"]["name"], "Lane 1");
    // The whole fact is there: it can be read back.
    for (line, entry) in lines.iter().zip(shop.own(0)) {
        let fact: Fact = serde_json::from_value(line["fact"].clone()).unwrap();
        assert_eq!(fact, entry.body().unwrap().fact);
    }
}

#[test]
fn an_entry_of_a_later_release_is_exported_as_its_bytes() {
    let shop = Shop::built_after(|shop| shop.happen_in_format(LATER_FORMAT, 0, Fact::LaneClosed));
    let output = export(&shop.dir(0), &["--lane", "1"]);
    assert!(output.status.success());
    let lines = lines(&output.stdout);
    let last = lines.last().unwrap();
    let own = shop.own(0);
    let hex: String = own[4].bytes.iter().map(|b| format!("{b:02x}")).collect();
    assert_eq!(last["bytes"], hex.as_str());
    assert!(
        last["unreadable"]
            .as_str()
            .unwrap()
            .contains(&format!("format {LATER_FORMAT}"))
    );
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("1 of them cannot be read"), "{said}");
}

#[test]
fn a_file_is_written_whole_or_not_at_all() {
    let shop = Shop::built(1);
    let file = shop.root().join("entries.jsonl");
    let out = file.display().to_string();
    let output = export(&shop.dir(0), &["--json", "--out", &out]);
    assert!(output.status.success());
    let summary: Value = serde_json::from_slice(&output.stdout).unwrap();
    let entries = shop.entries.len();
    assert_eq!(summary["entries"], entries);
    assert_eq!(
        (&summary["lanes"], &summary["ok"]),
        (&3.into(), &true.into())
    );
    assert_eq!(lines(&fs::read(&file).unwrap()).len(), entries);

    // A journal that is damaged further on: the old file stays, and no other is left behind.
    super::overwrite(&shop.journal(0), 4096, &[0x55; 4096]);
    let output = export(&shop.dir(0), &["--out", &out]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(lines(&fs::read(&file).unwrap()).len(), entries);
    assert!(!shop.root().join("entries.jsonl.new").exists());
}

#[test]
fn what_cannot_be_exported_is_told() {
    let shop = Shop::built(1);
    let check = |dir: &Path, more: &[&str], message: &str| {
        let output = export(dir, more);
        assert_eq!(output.status.code(), Some(1));
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains(message), "{said}");
    };
    check(&shop.dir(0), &["--lane", "7"], "knows no lane 7");
    check(
        &shop.dir(0),
        &["--lane", "x"],
        "neither a lane's number nor its id",
    );
    check(shop.root(), &[], "is no lane's folder");
    check(
        &shop.dir(0),
        &["--out", "/nowhere/x"],
        "/nowhere/x cannot be written",
    );
    fs::remove_file(shop.journal(0)).unwrap();
    check(&shop.dir(0), &[], "journal.db");
}

#[test]
fn receipts_are_exported_as_a_table_and_as_a_poslog() {
    let shop = Shop::built(1);
    let receipts = |text: &str| -> usize { text.matches("<ReceiptNumber>").count() };
    let run = |more: &[&str]| {
        let output = export(&shop.dir(1), more);
        let text = |bytes| String::from_utf8(bytes).unwrap();
        assert!(output.status.success(), "{}", text(output.stderr));
        (text(output.stdout), text(output.stderr))
    };
    let (log, said) = run(&["--format", "poslog"]);
    let sold = receipts(&log);
    assert!(sold > 0);
    assert_eq!(said, format!("{sold} transactions exported.\n"));
    assert!(log.starts_with("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<POSLog "));
    assert!(log.ends_with("</POSLog>\n"));
    let (table, said) = run(&["--format", "csv"]);
    assert_eq!(said, format!("{sold} receipts exported.\n"));
    assert!(table.starts_with("receipt,lane,business_day,time,"));
    // By business day, and by lane.
    let (none, _) = run(&["--format", "csv", "--day", "2020-02-29"]);
    assert_eq!(none.lines().count(), 1);
    let day = table.lines().nth(1).unwrap().split(',').nth(2).unwrap();
    let of_day = run(&["--format", "poslog", "--day", day]);
    assert!((1..=sold).contains(&receipts(&of_day.0)));
    let of_lane = |lane: &str| receipts(&run(&["--format", "poslog", "--lane", lane]).0);
    assert_eq!(["1", "2", "3"].map(of_lane).iter().sum::<usize>(), sold);
}

#[test]
fn days_are_for_receipts() {
    let shop = Shop::built(1);
    let check = |more: &[&str], expected: &str| {
        let output = export(&shop.dir(0), more);
        assert_eq!(output.status.code(), Some(1));
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains(expected), "{said}");
    };
    check(
        &["--day", "2026-11-27"],
        "add --format csv or --format poslog",
    );
    check(
        &["--format", "csv", "--day", "today"],
        "'today' is no day: write one like",
    );
}
