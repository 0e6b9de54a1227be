//! A printed document as blocks of known width, before it becomes text or bytes.
//!
//! Every row fits [`COLUMNS`] characters once it is in a document; text that is longer is wrapped on
//! the way in, never cut.

use catalog::Language;
use serde::{Deserialize, Serialize};

use crate::picture::{Picture, QR_BYTES_MAX, Qr};
use crate::words::{Phrase, Words};

/// Characters of a row: font A of an 80 mm printer with a 42-column head, the narrowest that is
/// common.
pub const COLUMNS: usize = 42;

/// The most blocks of a document that comes from elsewhere: some metres of paper.
const BLOCKS_MAX: usize = 4_000;
/// The longest barcode of one.
const BARCODE_CHARS_MAX: usize = 64;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Align {
    Left,
    Center,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Emphasis {
    Plain,
    Bold,
    /// Bold and twice as high, as wide as the rest.
    Tall,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Block {
    /// One row, at most [`COLUMNS`] characters, without control characters.
    Row {
        align: Align,
        emphasis: Emphasis,
        text: String,
    },
    /// A row of dashes.
    Rule,
    Blank,
    /// Code 128 with the text under it. In plain text, the text alone.
    Barcode(String),
    /// A QR code of a text that is not empty, at most [`QR_BYTES_MAX`] bytes. In plain text, the text.
    Qr(String),
    /// Left out in plain text.
    Picture(Picture),
}

/// What is printed, from top to bottom.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
pub struct Document {
    language: Language,
    blocks: Vec<Block>,
}

/// A document as it is read from a file or from another lane.
#[derive(Deserialize)]
struct Unchecked {
    language: Language,
    blocks: Vec<Block>,
}

/// Why something read is no document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    #[error("a row of a paper is longer than {COLUMNS} characters, or has control characters")]
    Row,
    #[error("a barcode is longer than {BARCODE_CHARS_MAX} characters, or has control characters")]
    Barcode,
    #[error("a QR code has no text, more than {QR_BYTES_MAX} bytes, or control characters")]
    Qr,
    #[error("a paper has more than {BLOCKS_MAX} rows")]
    TooLong,
}

impl TryFrom<Unchecked> for Document {
    type Error = DocumentError;

    fn try_from(read: Unchecked) -> Result<Document, DocumentError> {
        let Unchecked { language, blocks } = read;
        if blocks.len() > BLOCKS_MAX {
            return Err(DocumentError::TooLong);
        }
        let fits = |text: &str, chars_max| {
            text.chars().count() <= chars_max && !text.chars().any(char::is_control)
        };
        for block in &blocks {
            match block {
                Block::Row { text, .. } if !fits(text, COLUMNS) => return Err(DocumentError::Row),
                Block::Barcode(text) if !fits(text, BARCODE_CHARS_MAX) => {
                    return Err(DocumentError::Barcode);
                }
                Block::Qr(text) if !fits(text, QR_BYTES_MAX) || Qr::of(text).is_none() => {
                    return Err(DocumentError::Qr);
                }
                _ => {}
            }
        }
        Ok(Document { language, blocks })
    }
}

impl Document {
    pub(crate) fn new(language: Language) -> Document {
        Document {
            language,
            blocks: Vec::new(),
        }
    }

    pub fn language(&self) -> Language {
        self.language
    }

    pub fn blocks(&self) -> &[Block] {
        &self.blocks
    }

    /// The same, marked so that it cannot pass for the first one.
    #[must_use]
    pub fn as_reprint(&self) -> Document {
        let mut again = Document::new(self.language);
        let reprint = Words(self.language).say(Phrase::Reprint);
        again.text(Align::Center, Emphasis::Bold, reprint);
        again.push(Block::Blank);
        again.blocks.extend(self.blocks.iter().cloned());
        again
    }

    pub(crate) fn push(&mut self, block: Block) {
        self.blocks.push(block);
    }

    /// A QR code, or, of what is too long for one, the text.
    pub(crate) fn qr(&mut self, text: &str) {
        let text = printable(text);
        match Qr::of(&text) {
            Some(_) => self.push(Block::Qr(text)),
            None => self.text(Align::Center, Emphasis::Plain, &text),
        }
    }

    /// Text of any length, wrapped at words.
    pub(crate) fn text(&mut self, align: Align, emphasis: Emphasis, text: &str) {
        for text in wrap(&printable(text), COLUMNS) {
            self.push(Block::Row {
                align,
                emphasis,
                text,
            });
        }
    }

    /// Words on the left, an amount on the right. Long words take several rows, and the amount
    /// stands in the last.
    pub(crate) fn columns(&mut self, emphasis: Emphasis, left: &str, right: &str) {
        let right = printable(right);
        let indent = left.len() - left.trim_start().len();
        let room = COLUMNS.saturating_sub(right.chars().count() + 1 + indent);
        let mut rows = wrap(&printable(left.trim_start()), room.max(1));
        let last = rows.pop().unwrap_or_default();
        let pad = " ".repeat(indent);
        for row in rows {
            self.row(emphasis, format!("{pad}{row}"));
        }
        let used = indent + last.chars().count() + right.chars().count();
        let gap = " ".repeat(COLUMNS.saturating_sub(used));
        self.row(emphasis, format!("{pad}{last}{gap}{right}"));
    }

    fn row(&mut self, emphasis: Emphasis, text: String) {
        self.push(Block::Row {
            align: Align::Left,
            emphasis,
            text,
        });
    }
}

/// Control characters would be commands to a printer: each becomes a space.
fn printable(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

/// Rows of at most `width` characters, broken at spaces, and inside a word only where the word
/// alone is too long.
pub(crate) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut rows = Vec::new();
    let mut row = String::new();
    for word in text.split_whitespace() {
        let mut rest: Vec<char> = word.chars().collect();
        let fits = row.chars().count() + 1 + rest.len() <= width;
        if !row.is_empty() && !fits {
            rows.push(std::mem::take(&mut row));
        }
        while rest.len() > width {
            let tail = rest.split_off(width);
            rows.push(rest.into_iter().collect());
            rest = tail;
        }
        if !row.is_empty() {
            row.push(' ');
        }
        row.extend(rest);
    }
    if !row.is_empty() {
        rows.push(row);
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_wrapped_and_never_cut() {
        let check = |text: &str, width, expected: &[&str]| assert_eq!(wrap(text, width), expected);
        check("", 5, &[]);
        check("one", 5, &["one"]);
        check("one two", 7, &["one two"]);
        check("one two", 6, &["one", "two"]);
        check("abcdefghijkl", 5, &["abcde", "fghij", "kl"]);
        check("a bcdefghi", 4, &["a", "bcde", "fghi"]);
    }

    #[test]
    fn a_document_from_elsewhere_is_looked_at() {
        let row = |text: &str| {
            let text = serde_json::to_string(text).unwrap();
            format!(r#"{{"row":{{"align":"left","emphasis":"plain","text":{text}}}}}"#)
        };
        let check = |block: &str, expected: Option<DocumentError>| {
            let json = format!(r#"{{"language":"de","blocks":["rule",{block}]}}"#);
            let read = serde_json::from_str::<Document>(&json);
            let told = read.as_ref().err().map(ToString::to_string);
            match expected {
                None => assert_eq!(serde_json::to_string(&read.unwrap()).unwrap(), json),
                Some(error) => assert!(told.unwrap().starts_with(&error.to_string()), "{block}"),
            }
        };
        check(&row("Brötchen"), None);
        check(&row(&"x".repeat(COLUMNS)), None);
        check(&row(&"x".repeat(COLUMNS + 1)), Some(DocumentError::Row));
        check(&row("\u{1b}p"), Some(DocumentError::Row));
        check(r#"{"barcode":"1-000042"}"#, None);
        check(r#"{"barcode":"1\n"}"#, Some(DocumentError::Barcode));
        check(r#"{"qr":"https://example.com/1-000042"}"#, None);
        check(r#"{"qr":""}"#, Some(DocumentError::Qr));
        check(r#"{"qr":"a\n"}"#, Some(DocumentError::Qr));
        let long = "x".repeat(QR_BYTES_MAX + 1);
        check(&format!(r#"{{"qr":"{long}"}}"#), Some(DocumentError::Qr));
        let many = vec![r#""blank""#; BLOCKS_MAX].join(",");
        check(&many, Some(DocumentError::TooLong));
    }

    #[test]
    fn a_reprint_says_so_first() {
        let mut document = Document::new(Language::German);
        document.text(Align::Left, Emphasis::Plain, "Brot");
        let again = document.as_reprint();
        let text = crate::text_of(&again);
        assert!(
            text.contains("NACHDRUCK") && text.ends_with("Brot\n"),
            "{text}"
        );
        assert!(text.find("NACHDRUCK") < text.find("Brot"));
    }

    #[test]
    fn amounts_stand_in_one_column() {
        let mut document = Document::default();
        document.columns(Emphasis::Plain, "  deposit", "0.25");
        document.columns(
            Emphasis::Plain,
            "A description that is longer than what fits beside it",
            "1234.56",
        );
        document.columns(Emphasis::Plain, "tab\there", "\x1b1.00");
        for block in document.blocks() {
            let Block::Row { text, .. } = block else {
                panic!("only rows were pushed");
            };
            assert!(text.chars().count() <= COLUMNS, "{text}");
            assert!(!text.chars().any(char::is_control), "{text:?}");
        }
        let Some(Block::Row { text, .. }) = document.blocks().first() else {
            panic!("a row was pushed");
        };
        assert_eq!(text, &format!("{:<38}0.25", "  deposit"));
    }
}
