//! Reads single values, and notes what is wrong with them.

use std::collections::{BTreeMap, BTreeSet};

use money::Rate;

use crate::tree::{Node, Value};
use crate::{FileAmount, FileProblem, PromotionFile};

/// The most problems that are answered.
const PROBLEMS_MAX: usize = 1_000;

/// Collects the problems while the file is walked. Readers of a value answer `None` after noting
/// what is wrong with it.
pub(super) struct Reader<'i> {
    text: &'i str,
    problems: Vec<FileProblem>,
    /// Where each line begins.
    lines: Vec<usize>,
}

/// The digits of a number, as written.
pub(super) fn number_text(node: &Node) -> Option<&str> {
    match &node.value {
        Value::Number(text) => Some(text),
        _ => None,
    }
}

impl<'i> Reader<'i> {
    pub fn new(text: &'i str) -> Reader<'i> {
        let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let lines = std::iter::once(0)
            .chain(breaks.map(|(at, _)| at + 1))
            .collect();
        Reader {
            text,
            problems: Vec::new(),
            lines,
        }
    }

    /// The file, or every problem in the order of the file.
    pub fn finish(mut self, file: PromotionFile) -> Result<PromotionFile, Vec<FileProblem>> {
        if self.problems.is_empty() {
            return Ok(file);
        }
        self.problems.sort_by_key(|problem| problem.line);
        Err(self.problems)
    }

    pub fn line(&self, at: usize) -> u32 {
        let line = self
            .lines
            .partition_point(|start| *start <= at.min(self.text.len()));
        u32::try_from(line).unwrap_or(u32::MAX)
    }

    pub fn problem(&mut self, at: usize, message: impl Into<String>, hint: impl Into<String>) {
        if self.problems.len() < PROBLEMS_MAX {
            let line = self.line(at);
            self.problems.push(FileProblem {
                line,
                message: message.into(),
                hint: hint.into(),
            });
        }
    }

    /// A number, also in quotes.
    pub fn number(&mut self, node: &Node, hint: &str) -> Option<String> {
        match &node.value {
            Value::Text(text) | Value::Number(text) => Some(text.clone()),
            _ => {
                self.problem(node.at, "this is not a number", hint);
                None
            }
        }
    }

    pub fn amount(&mut self, node: &Node) -> Option<FileAmount> {
        let text = self.number(node, "write an amount such as \"2.50\"")?;
        let line = self.line(node.at);
        Some(FileAmount { text, line })
    }

    pub fn percent(&mut self, node: &Node) -> Option<Rate> {
        let hint = "write a percentage over 0 and up to 100, such as 12.5";
        let text = self.number(node, hint)?;
        match Rate::parse_percent(&text) {
            Ok(rate) if rate > Rate::ZERO => Some(rate),
            _ => {
                self.problem(node.at, "this is not a percentage", hint);
                None
            }
        }
    }

    /// A whole number from `min` to `max`.
    pub fn whole(&mut self, node: &Node, what: &str, (min, max): (i64, i64)) -> Option<i64> {
        let number = number_text(node).and_then(|text| text.parse().ok());
        let number = number.filter(|number| (min..=max).contains(number));
        if number.is_none() {
            let hint = format!("write a whole number from {min} to {max}");
            self.problem(node.at, format!("this is not a {what}"), hint);
        }
        number
    }

    pub fn count(&mut self, node: &Node, what: &str, max: u32) -> Option<u32> {
        let count = self.whole(node, what, (1, i64::from(max)))?;
        u32::try_from(count).ok()
    }

    pub fn yes(&mut self, keys: &mut Keys<'_>, key: &'static str) -> bool {
        match keys.take(key).map(|node| (node.at, &node.value)) {
            None => false,
            Some((_, Value::Bool(yes))) => *yes,
            Some((at, _)) => {
                self.problem(at, format!("{key} is yes or no"), "write true or false");
                false
            }
        }
    }

    pub fn text(&mut self, node: &Node, what: &str, chars_max: usize) -> Option<String> {
        let sound = |text: &&String| {
            !text.trim().is_empty()
                && text.chars().count() <= chars_max
                && !text.chars().any(char::is_control)
        };
        let text = match &node.value {
            Value::Text(text) => Some(text).filter(sound),
            _ => None,
        };
        if text.is_none() {
            let hint = format!("write 1 to {chars_max} characters in quotes");
            self.problem(node.at, format!("this is not a {what}"), hint);
        }
        text.map(|text| text.trim().to_owned())
    }

    pub fn needed_text(
        &mut self,
        keys: &mut Keys<'_>,
        key: &'static str,
        chars_max: usize,
    ) -> Option<String> {
        match keys.take(key) {
            Some(node) => self.text(node, key, chars_max),
            None => {
                let message = format!("{key} is missing");
                self.problem(keys.at, message, format!("write {key} = \"…\""));
                None
            }
        }
    }

    /// One of some words.
    pub fn word<T: Copy>(
        &mut self,
        keys: &mut Keys<'_>,
        key: &'static str,
        words: &[(&str, T)],
    ) -> Option<T> {
        let node = keys.take(key)?;
        let found = match &node.value {
            Value::Text(text) => words.iter().find(|(word, _)| word == text),
            _ => None,
        };
        if found.is_none() {
            let names: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            let hint = format!("write one of {}", names.join(", "));
            self.problem(node.at, format!("this is not a {key}"), hint);
        }
        found.map(|(_, value)| *value)
    }

    pub fn array<'v>(&mut self, node: &'v Node, hint: &str) -> Option<&'v [Node]> {
        match &node.value {
            Value::List(list) => Some(list),
            _ => {
                self.problem(node.at, "this is not a list", hint);
                None
            }
        }
    }

    /// The keys of a table.
    pub fn table<'v>(&mut self, node: &'v Node, message: &str, hint: &str) -> Option<Keys<'v>> {
        let keys = Keys::of(node);
        if keys.is_none() {
            self.problem(node.at, message, hint);
        }
        keys
    }

    /// The entries of a list, each read by `read`.
    pub fn several<T>(
        &mut self,
        keys: &mut Keys<'_>,
        key: &'static str,
        hint: &str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Vec<T> {
        let Some(node) = keys.take(key) else {
            return Vec::new();
        };
        let list = format!("in a list such as {key} = [\"…\"], {hint}");
        let mut entries = Vec::new();
        for entry in self.array(node, &list).unwrap_or_default() {
            let read = match &entry.value {
                Value::Text(text) | Value::Number(text) => read(text),
                _ => None,
            };
            match read {
                Some(entry) => entries.push(entry),
                None => {
                    let message = format!("this is not one of {key}");
                    self.problem(entry.at, message, hint);
                }
            }
        }
        entries
    }

    pub fn names<T: Ord>(
        &mut self,
        keys: &mut Keys<'_>,
        key: &'static str,
        make: impl Fn(String) -> T,
    ) -> BTreeSet<T> {
        let Some(node) = keys.take(key) else {
            return BTreeSet::new();
        };
        let hint = "write each in quotes";
        let list = format!("in a list such as {key} = [\"…\"], {hint}");
        let mut names = BTreeSet::new();
        for entry in self.array(node, &list).unwrap_or_default() {
            match &entry.value {
                Value::Text(text) if !text.trim().is_empty() => {
                    names.insert(make(text.trim().to_owned()));
                }
                _ => self.problem(entry.at, format!("this is not one of {key}"), hint),
            }
        }
        names
    }

    pub fn no_id_twice(&mut self, entries: &[Node]) {
        let mut lines: BTreeMap<&str, u32> = BTreeMap::new();
        for entry in entries {
            let Value::Table(table) = &entry.value else {
                continue;
            };
            let id = table.iter().find(|entry| entry.key == "id");
            let Some((at, Value::Text(id))) = id.map(|id| (id.node.at, &id.node.value)) else {
                continue;
            };
            let id = id.trim();
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
pub(super) struct Keys<'v> {
    left: BTreeMap<&'v str, (usize, &'v Node)>,
    asked: Vec<&'static str>,
    /// Where the table begins.
    pub at: usize,
}

impl<'v> Keys<'v> {
    /// `None` where the node is no table.
    pub fn of(node: &'v Node) -> Option<Keys<'v>> {
        let Value::Table(table) = &node.value else {
            return None;
        };
        let left = table
            .iter()
            .map(|entry| (entry.key.as_str(), (entry.at, &entry.node)))
            .collect();
        Some(Keys {
            left,
            asked: Vec::new(),
            at: node.at,
        })
    }

    pub fn take(&mut self, key: &'static str) -> Option<&'v Node> {
        self.asked.push(key);
        self.left.remove(key).map(|(_, node)| node)
    }

    /// Whether a key is left that is not one of these: probably one that is missing, misspelt.
    pub fn has_other_than(&self, later: &[&str]) -> bool {
        self.left.keys().any(|key| !later.contains(key))
    }

    /// Every key that is left, for tables whose keys are names. Marks them as asked for.
    pub fn rest(&mut self) -> Vec<(&'v str, &'v Node)> {
        let left = std::mem::take(&mut self.left);
        left.into_iter()
            .map(|(key, (_, node))| (key, node))
            .collect()
    }

    /// Notes every key that nobody asked for, with the nearest one that would be understood.
    pub fn finish(self, reader: &mut Reader<'_>) {
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
    for (i, letter) in a.chars().take(64).enumerate() {
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
