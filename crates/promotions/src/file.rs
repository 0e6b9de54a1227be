//! Promotion files: TOML that a merchandiser reads and writes.
//!
//! ```toml
//! schema = 1
//!
//! [[promotion]]
//! id = "three-yogurts"
//! name = "3 yogurts for 2.50"
//! n_for = { units = 3, price = "2.50" }   # or percent_off = 12.5, or amount_off = "0.40"
//! items = ["10234", "10235"]              # any of items, departments and brands qualifies
//! departments = ["dairy"]
//! brands = ["Hill Farm"]
//! exclude_items = ["10299"]
//! from = 2026-05-01                       # the first and the last day
//! until = 2026-05-31
//! weekdays = ["fri", "sat"]
//! times = ["16:00-18:00", "22:00-02:00"]
//! tiers = ["silver", "gold"]              # empty: everyone
//! ```
//!
//! Strict: what is not understood is a problem with its line and what to do, and every problem of
//! the file is answered at once. What is left out does not limit.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use catalog::{DepartmentId, ItemId, Tier};
use money::Rate;
use serde::{Deserialize, Serialize};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::{Day, PromotionId, Span, Weekday, When};

/// The version of the format that is written as `schema`.
const SCHEMA: &str = "1";
/// The most units of one n-for-a-price set.
const SET_UNITS_MAX: u32 = 1000;
/// The most characters of an id, of a name.
const ID_CHARS_MAX: usize = 48;
const NAME_CHARS_MAX: usize = 80;

/// What is wrong with a promotion file, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileProblem {
    /// The line of the file, from 1.
    pub line: u32,
    pub message: String,
    pub hint: String,
}

impl fmt::Display for FileProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}: {}", self.line, self.message, self.hint)
    }
}

impl std::error::Error for FileProblem {}

/// A promotion file that was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PromotionFile {
    /// In the order of the file; their ids differ.
    pub promotions: Vec<Promotion>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Promotion {
    pub id: PromotionId,
    /// What receipts call it.
    pub name: String,
    pub gives: Gives,
    pub qualifies: Qualifies,
    pub when: When,
    /// The tiers it is for; empty for everyone.
    pub tiers: Vec<Tier>,
}

/// What a promotion gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Gives {
    /// A share off each piece, or off the price of what is weighed.
    PercentOff(Rate),
    /// An amount off each piece or kilogram.
    AmountOff(FileAmount),
    /// Any `units` qualifying pieces for `price` together, as often as there are enough.
    NFor { units: u32, price: FileAmount },
}

/// An amount as written, in the currency of the store that compiles the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileAmount {
    pub text: String,
    pub line: u32,
}

/// What a promotion is for: any of `items`, `departments` and `brands`, but never `exclude_items`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Qualifies {
    pub items: BTreeSet<ItemId>,
    pub departments: BTreeSet<DepartmentId>,
    pub brands: BTreeSet<String>,
    pub exclude_items: BTreeSet<ItemId>,
}

impl PromotionFile {
    /// Reads a promotion file, or answers every problem found, in the order of the file.
    pub fn parse(text: &str) -> Result<PromotionFile, Vec<FileProblem>> {
        let mut reader = Reader {
            text,
            problems: Vec::new(),
        };
        let (document, errors) = DeTable::parse_recoverable(text);
        for error in errors {
            let at = error.span().map_or(0, |span| span.start);
            reader.problem(at, error.message(), "the file is not TOML at this place");
        }
        let promotions = if reader.problems.is_empty() {
            reader.document(&document)
        } else {
            Vec::new()
        };
        if reader.problems.is_empty() {
            return Ok(PromotionFile { promotions });
        }
        reader.problems.sort_by_key(|problem| problem.line);
        Err(reader.problems)
    }
}

type Value<'i> = Spanned<DeValue<'i>>;

/// Collects the problems while the file is walked. Readers of a value answer `None` after noting
/// what is wrong with it.
struct Reader<'i> {
    text: &'i str,
    problems: Vec<FileProblem>,
}

impl<'i> Reader<'i> {
    fn line(&self, at: usize) -> u32 {
        let before = self.text.as_bytes().iter().take(at);
        let line = 1 + before.filter(|b| **b == b'\n').count();
        u32::try_from(line).unwrap_or(u32::MAX)
    }

    fn problem(&mut self, at: usize, message: impl Into<String>, hint: impl Into<String>) {
        let line = self.line(at);
        self.problems.push(FileProblem {
            line,
            message: message.into(),
            hint: hint.into(),
        });
    }

    fn document(&mut self, document: &Spanned<DeTable<'i>>) -> Vec<Promotion> {
        let mut keys = Keys::new(document.get_ref(), 0);
        match keys.take("schema") {
            None => self.problem(0, "the schema is not stated", "begin with schema = 1"),
            Some(value) => {
                let stated = value.get_ref().as_integer().map(ToString::to_string);
                if stated.as_deref() != Some(SCHEMA) {
                    let at = value.span().start;
                    self.problem(at, "this schema is not known", "write schema = 1");
                }
            }
        }
        let mut promotions = Vec::new();
        if let Some(value) = keys.take("promotion") {
            let hint = "write each promotion under a line [[promotion]]";
            for entry in self.array(value, hint).unwrap_or_default() {
                let at = entry.span().start;
                match entry.get_ref().as_table() {
                    Some(table) => promotions.extend(self.promotion(Keys::new(table, at))),
                    None => self.problem(at, "this is not a promotion", hint),
                }
            }
        }
        keys.finish(self);
        self.no_id_twice(document);
        promotions
    }

    fn promotion(&mut self, mut keys: Keys<'_, 'i>) -> Option<Promotion> {
        let id = self.needed_text(&mut keys, "id", ID_CHARS_MAX);
        let name = self.needed_text(&mut keys, "name", NAME_CHARS_MAX);
        let gives = self.gives(&mut keys);
        let qualifies = Qualifies {
            items: self.names(&mut keys, "items", ItemId),
            departments: self.names(&mut keys, "departments", DepartmentId),
            brands: self.names(&mut keys, "brands", |brand| brand),
            exclude_items: self.names(&mut keys, "exclude_items", ItemId),
        };
        let any = !qualifies.items.is_empty()
            || !qualifies.departments.is_empty()
            || !qualifies.brands.is_empty();
        if !any && !keys.unknown() {
            self.problem(
                keys.at,
                "it is for nothing",
                "name items, departments or brands",
            );
        }
        let when = self.when(&mut keys);
        let tiers =
            self.several(
                &mut keys,
                "tiers",
                "write basic, silver or gold",
                |text| match text {
                    "basic" => Some(Tier::Basic),
                    "silver" => Some(Tier::Silver),
                    "gold" => Some(Tier::Gold),
                    _ => None,
                },
            );
        keys.finish(self);
        Some(Promotion {
            id: PromotionId(id?),
            name: name?,
            gives: gives?,
            qualifies,
            when,
            tiers,
        })
    }

    fn gives(&mut self, keys: &mut Keys<'_, 'i>) -> Option<Gives> {
        let percent = keys.take("percent_off");
        let amount = keys.take("amount_off");
        let n_for = keys.take("n_for");
        match (percent, amount, n_for) {
            (Some(value), None, None) => {
                let hint = "write a percentage over 0 and up to 100, such as 12.5";
                let text = self.number(value, hint)?;
                match Rate::parse_percent(&text) {
                    Ok(rate) if rate > Rate::ZERO => Some(Gives::PercentOff(rate)),
                    _ => {
                        self.problem(value.span().start, "this is not a percentage", hint);
                        None
                    }
                }
            }
            (None, Some(value), None) => self.amount(value).map(Gives::AmountOff),
            (None, None, Some(value)) => self.n_for(value),
            (None, None, None) => {
                let hint = "write percent_off, amount_off or n_for";
                self.problem(keys.at, "it gives nothing", hint);
                None
            }
            _ => {
                let hint = "write one of percent_off, amount_off and n_for, and a second promotion for the other";
                self.problem(keys.at, "it gives two things", hint);
                None
            }
        }
    }

    fn n_for(&mut self, value: &Value<'i>) -> Option<Gives> {
        let hint = "write n_for = { units = 3, price = \"5.00\" }";
        let at = value.span().start;
        let Some(table) = value.get_ref().as_table() else {
            self.problem(at, "this is not an n-for-a-price", hint);
            return None;
        };
        let mut keys = Keys::new(table, at);
        let units = keys.take("units").map(|value| {
            let number = value.get_ref().as_integer();
            let units = number.and_then(|number| number.to_string().parse().ok());
            (
                units.filter(|units| (1..=SET_UNITS_MAX).contains(units)),
                value,
            )
        });
        let price = keys.take("price").map(|value| self.amount(value));
        keys.finish(self);
        match (units, price) {
            (Some((Some(units), _)), Some(price)) => Some(Gives::NFor {
                units,
                price: price?,
            }),
            (Some((None, value)), _) => {
                let hint = format!("write a whole number from 1 to {SET_UNITS_MAX}");
                self.problem(value.span().start, "this is not a number of units", hint);
                None
            }
            _ => {
                self.problem(at, "units or price is missing", hint);
                None
            }
        }
    }

    fn amount(&mut self, value: &Value<'i>) -> Option<FileAmount> {
        let text = self.number(value, "write an amount such as \"2.50\"")?;
        let line = self.line(value.span().start);
        Some(FileAmount { text, line })
    }

    fn when(&mut self, keys: &mut Keys<'_, 'i>) -> When {
        let start = keys.at;
        let from = keys.take("from").and_then(|value| self.day(value));
        let until = keys.take("until").and_then(|value| self.day(value));
        if from.zip(until).is_some_and(|(from, until)| until < from) {
            self.problem(
                start,
                "it ends before it begins",
                "until is the last day: write one that is not before from",
            );
        }
        let hint = "write mon, tue, wed, thu, fri, sat or sun";
        let weekdays = self.several(keys, "weekdays", hint, Weekday::parse);
        let hint = "write \"16:00-18:00\"";
        let times = self.several(keys, "times", hint, Span::parse);
        When {
            from,
            until,
            weekdays,
            times,
        }
    }

    fn day(&mut self, value: &Value<'i>) -> Option<Day> {
        let day = match value.get_ref() {
            DeValue::String(text) => Day::parse(text),
            DeValue::Datetime(date) => Day::parse(&date.to_string()),
            _ => None,
        };
        if day.is_none() {
            let hint = "write a date such as 2026-05-31, without a time";
            self.problem(value.span().start, "this is not a date", hint);
        }
        day
    }

    /// The digits of a number, as written: no binary fraction comes between.
    fn number(&mut self, value: &Value<'i>, hint: &str) -> Option<String> {
        match value.get_ref() {
            DeValue::String(text) => Some(text.to_string()),
            DeValue::Integer(number) if number.radix() == 10 => Some(number.as_str().to_owned()),
            DeValue::Float(number) => Some(number.as_str().to_owned()),
            _ => {
                self.problem(value.span().start, "this is not a number", hint);
                None
            }
        }
    }

    fn needed_text(
        &mut self,
        keys: &mut Keys<'_, 'i>,
        key: &'static str,
        chars_max: usize,
    ) -> Option<String> {
        let Some(value) = keys.take(key) else {
            let message = format!("{key} is missing");
            self.problem(keys.at, message, format!("write {key} = \"…\""));
            return None;
        };
        let sound = |text: &&str| {
            !text.trim().is_empty()
                && text.chars().count() <= chars_max
                && !text.chars().any(char::is_control)
        };
        let text = value.get_ref().as_str().filter(sound);
        if text.is_none() {
            let hint = format!("write 1 to {chars_max} characters in quotes");
            self.problem(value.span().start, format!("this is not a {key}"), hint);
        }
        text.map(|text| text.trim().to_owned())
    }

    fn array<'v>(&mut self, value: &'v Value<'i>, hint: &str) -> Option<Vec<&'v Value<'i>>> {
        let entries = value
            .get_ref()
            .as_array()
            .map(|array| array.iter().collect());
        if entries.is_none() {
            self.problem(value.span().start, "this is not a list", hint);
        }
        entries
    }

    /// The entries of a list, each read by `read`.
    fn several<T>(
        &mut self,
        keys: &mut Keys<'_, 'i>,
        key: &'static str,
        hint: &str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Vec<T> {
        let Some(value) = keys.take(key) else {
            return Vec::new();
        };
        let list = format!("in a list such as {key} = [\"…\"], {hint}");
        let mut entries = Vec::new();
        for entry in self.array(value, &list).unwrap_or_default() {
            match entry.get_ref().as_str().and_then(&read) {
                Some(entry) => entries.push(entry),
                None => {
                    let message = format!("this is not one of {key}");
                    self.problem(entry.span().start, message, hint);
                }
            }
        }
        entries
    }

    fn names<T: Ord>(
        &mut self,
        keys: &mut Keys<'_, 'i>,
        key: &'static str,
        make: impl Fn(String) -> T,
    ) -> BTreeSet<T> {
        let read = |text: &str| (!text.trim().is_empty()).then(|| make(text.trim().to_owned()));
        let names = self.several(keys, key, "write each in quotes", read);
        names.into_iter().collect()
    }

    fn no_id_twice(&mut self, document: &Spanned<DeTable<'i>>) {
        let mut lines: BTreeMap<&str, u32> = BTreeMap::new();
        let promotions = document.get_ref().get("promotion");
        let entries = promotions.and_then(|value| value.get_ref().as_array());
        for entry in entries.into_iter().flat_map(|entries| entries.iter()) {
            let Some(value) = entry.get_ref().get("id") else {
                continue;
            };
            let Some(id) = value.get_ref().as_str().map(str::trim) else {
                continue;
            };
            let at = value.span().start;
            if let Some(earlier) = lines.get(id) {
                let message = format!("the id '{id}' is on line {earlier} already");
                self.problem(at, message, "give each promotion an id of its own");
            } else {
                lines.insert(id, self.line(at));
            }
        }
    }
}

/// The keys of a table that were not asked for yet.
struct Keys<'v, 'i> {
    left: BTreeMap<&'v str, (usize, &'v Value<'i>)>,
    asked: Vec<&'static str>,
    /// Where the table begins.
    at: usize,
}

impl<'v, 'i> Keys<'v, 'i> {
    fn new(table: &'v DeTable<'i>, at: usize) -> Keys<'v, 'i> {
        let left = table
            .iter()
            .map(|(key, value)| (key.get_ref().as_ref(), (key.span().start, value)))
            .collect();
        Keys {
            left,
            asked: Vec::new(),
            at,
        }
    }

    fn take(&mut self, key: &'static str) -> Option<&'v Value<'i>> {
        self.asked.push(key);
        self.left.remove(key).map(|(_, value)| value)
    }

    /// Whether a key is left that no promotion has: probably one that is missing, misspelt.
    fn unknown(&self) -> bool {
        let later = ["from", "until", "weekdays", "times", "tiers"];
        self.left.keys().any(|key| !later.contains(key))
    }

    /// Notes every key that nobody asked for, with the nearest one that would be understood.
    fn finish(self, reader: &mut Reader<'_>) {
        for (key, (at, _)) in self.left {
            let nearest = self.asked.iter().min_by_key(|asked| distance(key, asked));
            let hint = match nearest {
                Some(near) if distance(key, near) <= near.len() / 2 => {
                    format!("did you mean {near}?")
                }
                _ => format!("leave it out; understood are {}", self.asked.join(", ")),
            };
            reader.problem(at, format!("'{key}' is not understood here"), hint);
        }
    }
}

/// How many letters must change to make one word the other (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, letter) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, other) in b.iter().enumerate() {
            let changed = diagonal + usize::from(letter != *other);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}
