//! Promotion files: TOML or JSON that a merchandiser reads and writes.
//!
//! The format is shown by example in the crate's README and described by `promotions.schema.json`.
//! Schema 2 is written today; schema 1, a part of it, is read as it always was.
//!
//! Strict: what is not understood is a problem with its line and what to do, and every problem of
//! the file is answered at once. What is left out does not limit.

mod promotion;
mod reader;

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::PromotionFile;
use crate::tree::{self, Node};
use reader::{Keys, Reader};

/// The schemas that are understood, as `schema` states them.
const SCHEMAS: [&str; 2] = ["1", "2"];
/// The most promotions of a file.
const PROMOTIONS_MAX: usize = 20_000;

/// The JSON Schema of the format, for editors.
pub const JSON_SCHEMA: &str = include_str!("../promotions.schema.json");

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

/// Which keys a file may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Schema {
    One,
    Two,
}

impl PromotionFile {
    /// Reads a promotion file, or answers every problem found, in the order of the file.
    pub fn parse(text: &str) -> Result<PromotionFile, Vec<FileProblem>> {
        let mut reader = Reader::new(text);
        let file = match tree::read(text) {
            Ok(root) => document(&mut reader, &root),
            Err(problems) => {
                let hint = match text.trim_start().starts_with('{') {
                    true => "the file is not JSON at this place",
                    false => "the file is not TOML at this place",
                };
                for (at, message) in problems {
                    reader.problem(at, message, hint);
                }
                PromotionFile::default()
            }
        };
        reader.finish(file)
    }
}

fn document(reader: &mut Reader<'_>, root: &Node) -> PromotionFile {
    let mut file = PromotionFile::default();
    let Some(mut keys) = Keys::of(root) else {
        reader.problem(0, "this is not a promotion file", "begin with schema = 2");
        return file;
    };
    let schema = schema(reader, &mut keys);
    let hint = "write each promotion under a line [[promotion]]";
    if let Some(node) = keys.take("promotion") {
        let entries = reader.array(node, hint).unwrap_or_default();
        if entries.len() > PROMOTIONS_MAX {
            let hint = format!("keep a file to {PROMOTIONS_MAX} promotions");
            reader.problem(node.at, "there are too many promotions", hint);
        }
        for entry in entries.iter().take(PROMOTIONS_MAX) {
            match Keys::of(entry) {
                Some(keys) => file.promotions.extend(reader.promotion(keys, schema)),
                None => reader.problem(entry.at, "this is not a promotion", hint),
            }
        }
        reader.no_id_twice(entries);
    }
    if schema == Schema::Two {
        reader.book(&mut keys, &mut file);
    }
    keys.finish(reader);
    file
}

fn schema(reader: &mut Reader<'_>, keys: &mut Keys<'_>) -> Schema {
    let Some(node) = keys.take("schema") else {
        reader.problem(0, "the schema is not stated", "begin with schema = 2");
        return Schema::Two;
    };
    let stated = reader::number_text(node);
    match SCHEMAS.iter().position(|known| stated == Some(known)) {
        Some(0) => Schema::One,
        Some(_) => Schema::Two,
        None => {
            reader.problem(node.at, "this schema is not known", "write schema = 2");
            Schema::Two
        }
    }
}
