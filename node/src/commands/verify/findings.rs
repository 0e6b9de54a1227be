//! What a verification checked and found, and how it is printed.
//!
//! Problems decide about success; notes tell what a person should know and is no fault.

use std::collections::BTreeMap;

use serde_json::json;

use crate::cli::{Exit, Report};

/// The most problems listed of one check; the others are counted.
const PROBLEMS_LISTED_MAX: usize = 100;

/// The checks, in the order in which they are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Check {
    Folders,
    Files,
    Chains,
    SameEverywhere,
    JournalsWhole,
    AppliedEntries,
    Receipts,
    Totals,
    Stock,
    StateHashes,
    Agreement,
    HeadOffice,
    HeadOfficeTotals,
}

impl Check {
    /// What was checked, as people and programs read it.
    pub fn what(self) -> &'static str {
        match self {
            Check::Folders => "lane folders of one store",
            Check::Files => "database files without damage",
            Check::Chains => "journal entries in unbroken hash chains",
            Check::SameEverywhere => "entries compared with another holder's",
            Check::JournalsWhole => "journals that end no earlier than anyone's copy",
            Check::AppliedEntries => "applied entries without a gap",
            Check::Receipts => "receipts counted once",
            Check::Totals => "day totals equal to their receipts",
            Check::Stock => "stock figures equal to the sales",
            Check::StateHashes => "state hashes equal to the rows",
            Check::Agreement => "lanes in agreement on the store's state",
            Check::HeadOffice => "entries at head office",
            Check::HeadOfficeTotals => "day totals at head office equal to their receipts",
        }
    }
}

struct Problem {
    check: Check,
    place: String,
    message: String,
}

/// Everything that was checked, and what came of it.
#[derive(Default)]
pub struct Findings {
    counts: BTreeMap<Check, u64>,
    problems: Vec<Problem>,
    /// How many problems each check has, listed or not.
    found: BTreeMap<Check, usize>,
    notes: Vec<String>,
}

impl Findings {
    /// Says that `n` more things were checked, with whatever outcome.
    pub fn checked(&mut self, check: Check, n: u64) {
        *self.counts.entry(check).or_default() += n;
    }

    pub fn problem(&mut self, check: Check, place: &str, message: impl Into<String>) {
        // What went wrong was looked at.
        self.counts.entry(check).or_default();
        let found = self.found.entry(check).or_default();
        *found += 1;
        if *found <= PROBLEMS_LISTED_MAX {
            self.problems.push(Problem {
                check,
                place: place.to_owned(),
                message: message.into(),
            });
        }
    }

    pub fn note(&mut self, text: impl Into<String>) {
        self.notes.push(text.into());
    }

    pub fn into_report(mut self) -> Report {
        for (check, found) in &self.found {
            if let Some(more @ 1..) = found.checked_sub(PROBLEMS_LISTED_MAX) {
                self.problems.push(Problem {
                    check: *check,
                    place: String::new(),
                    message: format!("{more} more problems of this kind are not listed."),
                });
            }
        }
        let ok = self.problems.is_empty();
        let checked = self.counts.iter();
        let problems = self.problems.iter();
        let json = json!({
            "ok": ok,
            "checked": checked
                .map(|(check, count)| json!({ "what": check.what(), "count": count }))
                .collect::<Vec<_>>(),
            "problems": problems
                .map(|p| json!({
                    "what": p.check.what(),
                    "where": p.place,
                    "message": p.message,
                }))
                .collect::<Vec<_>>(),
            "notes": self.notes,
        });
        Report {
            text: self.text(),
            json,
            exit: if ok { Exit::Done } else { Exit::Failed },
        }
    }

    fn text(&self) -> String {
        let mut lines = vec!["Checked:".to_owned()];
        lines.extend(self.counts.iter().map(|(check, count)| {
            let mark = match self.found.get(check) {
                None => "ok",
                Some(_) => "NO",
            };
            format!("  {mark} {count:>9}  {}", check.what())
        }));
        lines.extend(self.notes.iter().map(|note| format!("Note: {note}")));
        for problem in &self.problems {
            lines.push(format!("Problem: {}", problem.check.what()));
            if !problem.place.is_empty() {
                lines.push(format!("  in {}", problem.place));
            }
            lines.push(format!("  {}", problem.message));
        }
        lines.push(match self.found.values().sum::<usize>() {
            0 => "Nothing is lost, doubled or changed.".to_owned(),
            1 => "One problem was found.".to_owned(),
            n => format!("{n} problems were found."),
        });
        lines.join("\n")
    }
}
