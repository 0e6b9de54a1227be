//! What is typed, and what it means: a code, `3*code`, a weight, or a number.
//!
//! A scanner types like a person, only faster, and ends with Enter. Whatever the screen asks for, a
//! text that can only be a barcode is never taken for a number.

use std::fmt;

/// The most characters kept; more than any code has, so a longer text is refused as a whole when it
/// is entered, never taken in part.
pub const ENTRY_CHARS_MAX: usize = 200;

/// As many digits in a row are a barcode and neither an amount nor a quantity: the shortest GTIN.
const BARCODE_DIGITS_MIN: usize = 8;

/// The text being typed. Its `Debug` gives the length only, because it may be a PIN.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Entry(String);

impl Entry {
    pub fn text(&self) -> &str {
        &self.0
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds what can be shown, up to [`ENTRY_CHARS_MAX`].
    pub fn push(&mut self, text: &str) {
        let room = ENTRY_CHARS_MAX.saturating_sub(self.0.chars().count());
        let shown = text.chars().filter(|c| !c.is_control());
        self.0.extend(shown.take(room));
    }

    pub fn erase(&mut self) {
        self.0.pop();
    }

    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// Gives the text away and leaves nothing.
    pub fn take(&mut self) -> String {
        std::mem::take(&mut self.0)
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Entry({} characters)", self.0.chars().count())
    }
}

/// What a text means where an item is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entered {
    Nothing,
    /// A quantity without an item yet: `3*`.
    QuantityOnly {
        quantity: String,
    },
    Code {
        code: String,
        quantity: Option<String>,
    },
}

/// Reads `code`, `3*code`, `0.455*code`, and `3 x code` with a space on either side of the x.
pub fn parse(text: &str) -> Entered {
    let text = text.trim();
    if text.is_empty() {
        return Entered::Nothing;
    }
    let (quantity, code) = match split_times(text) {
        Some((quantity, code)) => (Some(quantity.to_owned()), code),
        None => (None, text),
    };
    match (quantity, code.is_empty()) {
        (Some(quantity), true) => Entered::QuantityOnly { quantity },
        (quantity, _) => Entered::Code {
            code: code.to_owned(),
            quantity,
        },
    }
}

fn split_times(text: &str) -> Option<(&str, &str)> {
    let digits_end = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let (quantity, rest) = text.split_at(digits_end);
    if !is_number(quantity) {
        return None;
    }
    let bare = rest.trim_start();
    if let Some(code) = bare.strip_prefix(['*', '×']) {
        return Some((quantity, code.trim_start()));
    }
    // Without a space an x may be part of a store's own code, such as 2x4.
    let code = bare.strip_prefix(['x', 'X'])?;
    let spaced = rest.len() != bare.len() || code.starts_with(' ');
    spaced.then(|| (quantity, code.trim_start()))
}

/// Digits with at most one point among them.
fn is_number(text: &str) -> bool {
    text.bytes().any(|b| b.is_ascii_digit())
        && text.bytes().all(|b| b.is_ascii_digit() || b == b'.')
        && text.bytes().filter(|b| *b == b'.').count() <= 1
}

/// Whether a text can only be a scanned barcode.
pub fn is_barcode(text: &str) -> bool {
    let text = text.trim();
    text.len() >= BARCODE_DIGITS_MIN && text.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_read_in_front_of_a_code() {
        let check = |text: &str, quantity: Option<&str>, code: &str| {
            let expected = Entered::Code {
                code: code.to_owned(),
                quantity: quantity.map(str::to_owned),
            };
            assert_eq!(parse(text), expected, "{text}");
        };
        check("4011", None, "4011");
        check(" 4011 ", None, "4011");
        check("3*4011", Some("3"), "4011");
        check("3 * 4011", Some("3"), "4011");
        check("3×4011", Some("3"), "4011");
        check("3 x 4011", Some("3"), "4011");
        check("3 X4011", Some("3"), "4011");
        check("3x 4011", Some("3"), "4011");
        check("0.455*4011", Some("0.455"), "4011");
        check("2x4", None, "2x4");
        check("HAM-2", None, "HAM-2");
        check("*4011", None, "*4011");
        check("1.2.3*4011", None, "1.2.3*4011");
        check("4006381333931", None, "4006381333931");
        assert_eq!(parse("  "), Entered::Nothing);
        let three = Entered::QuantityOnly {
            quantity: "3".to_owned(),
        };
        assert_eq!(parse("3*"), three);
    }

    #[test]
    fn barcodes_are_never_numbers() {
        let check = |text: &str, expected| assert_eq!(is_barcode(text), expected, "{text}");
        check("4006381333931", true);
        check("12345670", true);
        check("20", false);
        check("1234.56", false);
        check("0.455", false);
        check("1234567", false);
    }

    #[test]
    fn what_is_typed_is_bounded_and_secret() {
        let mut entry = Entry::default();
        entry.push("12\u{8}34\n");
        assert_eq!(entry.text(), "1234");
        assert_eq!(format!("{entry:?}"), "Entry(4 characters)");
        entry.push(&"9".repeat(500));
        assert_eq!(entry.text().len(), ENTRY_CHARS_MAX);
    }
}
