//! A simulation as one self-contained page: lanes as rows, time across; links that are cut,
//! leadership, sales, what is not shared yet, faults and violations drawn, each opening its details.
//!
//! The page needs nothing from anywhere: its script and its style are in it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::Context as _;
use serde_json::{Value, json};

use crate::scenario::Scenario;
use crate::simulation::Report;

const PAGE: &str = include_str!("page.html");
const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");

/// Where the page's parts go.
const PLACES: [&str; 3] = ["/*STYLE*/", "/*DATA*/", "/*SCRIPT*/"];

/// Writes the page of a simulation.
pub fn write(path: &Path, scenario: &Scenario, report: &Report) -> anyhow::Result<()> {
    let page = page(scenario, report);
    fs::write(path, page).with_context(|| format!("{} cannot be written", path.display()))
}

fn page(scenario: &Scenario, report: &Report) -> String {
    let [style, data, script] = PLACES;
    PAGE.replace(style, STYLE)
        .replace(script, SCRIPT)
        .replace(data, &inline(&everything(scenario, report)))
}

/// JSON that no browser takes for the end of its script.
fn inline(data: &Value) -> String {
    data.to_string().replace('<', "\\u003c")
}

fn everything(scenario: &Scenario, report: &Report) -> Value {
    let checks: BTreeMap<&str, Value> = crate::Check::ALL
        .iter()
        .map(|check| {
            let about = json!({ "promise": check.promise(), "about": check.about() });
            (check.name(), about)
        })
        .collect();
    json!({
        "scenario": scenario.name,
        "about": scenario.about,
        "seed": report.seed,
        "replay": report.replay(),
        "report": report,
        "opens_min": scenario.opens_at(),
        "faster": scenario.faster(),
        "marks": report.marks,
        "happenings": report.timeline,
        "checks": checks,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_has_all_its_parts_and_asks_nothing_of_the_network() {
        for place in PLACES {
            assert_eq!(PAGE.matches(place).count(), 1, "{place}");
        }
        for part in [PAGE, STYLE, SCRIPT] {
            for outside in ["http:", "https:", "src=", "@import", "fetch("] {
                assert!(!part.contains(outside), "{outside}");
            }
        }
    }

    #[test]
    fn no_text_ends_the_script() {
        let text = inline(&json!({ "what": "</script><b>" }));
        assert!(!text.contains('<'), "{text}");
        let back: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(back["what"], "</script><b>");
    }
}
