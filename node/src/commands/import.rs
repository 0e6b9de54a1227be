//! `lanemesh import`.

use std::io::{IsTerminal, Write};
use std::path::Path;

use anyhow::Context;
use devices::Picture;
use serde_json::Value;

use crate::cli::{Exit, ImportArgs, Report};
use crate::client::LaneClient;

/// Problems printed for a person; `--json` has them all.
const PROBLEMS_SHOWN: usize = 20;
/// The setting that may name a file.
const LOGO: &str = "receipt_logo";

pub fn run(args: &ImportArgs) -> anyhow::Result<Report> {
    let bytes = content(&args.file)?;
    let kind = args.kind.clone().or_else(|| kind_by_name(&args.file));
    let mut meter = Meter::default();
    let report = super::runtime()?.block_on(async {
        let client = LaneClient::of_folder(&args.dir)?;
        let mut progress = |done| meter.show(done);
        client.import(kind.as_deref(), bytes, &mut progress).await
    });
    meter.clear();
    let report = report?;
    let count = report["problem_count"].as_u64().unwrap_or(0);
    let mut json = report.clone();
    json["ok"] = Value::Bool(count == 0);
    Ok(Report {
        text: describe(&args.file, &report, "took effect"),
        json,
        exit: match count {
            0 => Exit::Done,
            _ => Exit::RowsLeftOut,
        },
    })
}

/// A file as it is imported: in settings, a logo that is named as a file beside them stands in its place.
pub fn content(file: &Path) -> anyhow::Result<Vec<u8>> {
    let bytes =
        std::fs::read(file).with_context(|| format!("{} cannot be read", file.display()))?;
    let Some(settings) = std::str::from_utf8(&bytes)
        .ok()
        .filter(|text| text.contains(LOGO))
    else {
        return Ok(bytes);
    };
    let named = settings.parse::<toml::Table>().ok().and_then(|table| {
        let logo = table.get(LOGO)?.as_str()?.to_owned();
        // Base64 has no such end.
        logo.to_ascii_lowercase().ends_with(".png").then_some(logo)
    });
    let Some(name) = named else {
        return Ok(bytes);
    };
    let path = file.with_file_name(&name);
    let logo = std::fs::read(&path)
        .with_context(|| format!("the logo {} cannot be read", path.display()))?;
    let logo = Picture::from_png(&logo)
        .with_context(|| format!("{} cannot be the logo", path.display()))?;
    // Line by line, so that what is wrong elsewhere keeps its line.
    let lines =
        settings
            .split_inclusive('\n')
            .map(|line| match line.trim_start().starts_with(LOGO) {
                true => line.replacen(&name, &logo.to_base64(), 1),
                false => line.to_owned(),
            });
    Ok(lines.collect::<String>().into_bytes())
}

/// TOML files are told by their name, CSV files by their header.
pub fn kind_by_name(file: &Path) -> Option<String> {
    let name = file.file_name()?.to_str()?;
    let known = ["promotions", "settings"];
    let kind = known.iter().find(|kind| name.starts_with(**kind));
    kind.filter(|_| name.ends_with(".toml"))
        .map(|kind| (*kind).to_owned())
}

/// What became of a file; `done` is what was done with its good rows.
pub fn describe(file: &Path, report: &Value, done: &str) -> String {
    let count = report["problem_count"].as_u64().unwrap_or(0);
    let kind = report["kind"].as_str().unwrap_or("records");
    // Promotions and settings take effect as a whole file.
    let what = match kind {
        "promotions" | "settings" if report["imported"] == 1 => format!("the {kind}"),
        _ => format!("{} {kind}", report["imported"]),
    };
    let mut text = match report["version"].as_u64() {
        Some(version @ 1..) => {
            format!(
                "{}: {what} {done} (book version {version}).",
                file.display()
            )
        }
        _ if report["imported"] == 0 => format!("{}: nothing {done}.", file.display()),
        _ => format!("{}: {what} {done}.", file.display()),
    };
    if let Some(ignored) = report["ignored_columns"].as_array()
        && !ignored.is_empty()
    {
        let names: Vec<&str> = ignored.iter().filter_map(Value::as_str).collect();
        text.push_str(&format!("\nColumns left out: {}.", names.join(", ")));
    }
    let problems = report["problems"].as_array().cloned().unwrap_or_default();
    if count > 0 {
        let rows = report["rows_left_out"].as_u64().unwrap_or(count);
        let were = if rows == 1 { "row was" } else { "rows were" };
        text.push_str(&format!("\n{rows} {were} left out:"));
    }
    for problem in problems.iter().take(PROBLEMS_SHOWN) {
        text.push_str(&format!("\n  {}", problem_line(problem)));
    }
    if count as usize > PROBLEMS_SHOWN {
        text.push_str("\n  … (--json lists more)");
    }
    text
}

fn problem_line(problem: &Value) -> String {
    let mut line = format!("line {}", problem["row"]);
    if let Some(column) = problem["column"].as_str() {
        line.push_str(&format!(", {column}"));
    }
    if let Some(value) = problem["value"].as_str().filter(|value| !value.is_empty()) {
        line.push_str(&format!(" '{value}'"));
    }
    format!(
        "{line}: {}",
        problem["message"].as_str().unwrap_or_default()
    )
}

/// Progress on a terminal; silent elsewhere.
#[derive(Default)]
struct Meter {
    shown: bool,
}

impl Meter {
    fn show(&mut self, done: u64) {
        if std::io::stderr().is_terminal() {
            self.shown = true;
            eprint!("\r{done} records …");
            let _ = std::io::stderr().flush();
        }
    }

    fn clear(&self) {
        if self.shown {
            eprint!("\r                        \r");
        }
    }
}
