//! Codes that find an item: GTIN, PLU, the store's own short codes, and store codes that carry a
//! price or a weight.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A GTIN as GTIN-14, check digit proved. Source: GS1 General Specifications, section 7.9.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Gtin(pub u64);

/// What an item is looked up by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum ItemCode {
    Gtin(Gtin),
    /// IFPS price look-up code, 4 or 5 digits.
    Plu(u32),
    /// The item part of a price- or weight-embedded store code.
    Embedded(u32),
    /// Any other code of the store's own, such as its item number.
    Internal(String),
}

/// What stands in the variable part of an embedded store code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Embeds {
    /// A price in minor units.
    Price,
    /// A weight in grams.
    Weight,
    /// A number of pieces.
    Count,
}

/// One layout of a 13-digit store code: the prefix, `item_digits` for the item, a check digit of
/// the value where `value_check` says so, `value_digits` for the price, weight or count, and the
/// check digit of it all. Source: GS1 General Specifications, section 2.1.12 (restricted
/// circulation numbers for variable measure items).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EmbeddedLayout {
    pub prefix: String,
    pub item_digits: u8,
    pub value_digits: u8,
    pub embeds: Embeds,
    /// Whether the value has a check digit of its own in front of it; it then has four or five
    /// digits. Source: GS1 General Specifications, section 7.9.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub value_check: bool,
}

/// What stands in a store code.
pub(crate) struct EmbeddedParts {
    pub item: u32,
    pub value: i64,
    /// The value's check digit as it stands there and as it should be.
    pub check: Option<(u8, u8)>,
}

/// The most characters an internal code or item id may have.
pub(crate) const INTERNAL_CHARS_MAX: usize = 48;

/// Why a text is not a code, in words for the person at the lane.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CodeError {
    #[error("nothing was scanned: scan the item again or type its number")]
    Empty,
    #[error(
        "the check digit of {text} does not match (it would be {expected}): scan it again or type the number under the bars"
    )]
    WrongCheckDigit { text: String, expected: u8 },
    #[error("the code is longer than {INTERNAL_CHARS_MAX} characters: scan one code at a time")]
    TooLong,
    #[error(
        "'{0}' is not a code: scan the item again or type its number, digits, letters and dashes only"
    )]
    NotACode(String),
    #[error(
        "{0} is not a PLU code: they run from 3000 to 4999, with an 8 or a 9 in front for some"
    )]
    NotAPlu(String),
    #[error("the label {0} carries no price or weight: weigh the item again or type its price")]
    NothingEmbedded(String),
    #[error(
        "the price or weight in {text} was misread (its check digit is {found}, it would be {expected}): scan the label again"
    )]
    WrongValueDigit {
        text: String,
        found: u8,
        expected: u8,
    },
    #[error(
        "the part ({ai}) of the code cannot be used: {reason}; scan it again or type the number under the bars"
    )]
    WrongElement { ai: String, reason: String },
}

impl Gtin {
    /// The check digit that completes `digits` (all digits but the last). Source: GS1 General
    /// Specifications, section 7.9: weights 3 and 1 from the right, up to the next ten.
    pub fn check_digit(digits: u64) -> u8 {
        let mut rest = digits;
        let mut sum = 0;
        let mut weight = 3;
        while rest > 0 {
            sum += rest % 10 * weight;
            weight = 4 - weight;
            rest /= 10;
        }
        u8::try_from((10 - sum % 10) % 10).unwrap_or(0)
    }

    /// Reads a GTIN-8, -12 (UPC-A), -13 or -14, or an 8-digit UPC-E, and proves its check digit.
    ///
    /// Eight digits that begin with 0 are read as UPC-E where its check digit holds, and otherwise
    /// as a GTIN-8. Both hold for one such code in ten, and then UPC-E wins: GTIN-8s that begin
    /// with 0 are only ever given out inside one company.
    pub fn parse(text: &str) -> Result<Gtin, CodeError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(CodeError::Empty);
        }
        if !matches!(text.len(), 8 | 12..=14) || !all_digits(text) {
            return Err(CodeError::NotACode(text.to_owned()));
        }
        if let Some(upc_a) = expand_upc_e(text)
            && let Some(gtin) = Gtin::proved(upc_a)
        {
            return Ok(gtin);
        }
        let value = number(text)?;
        Gtin::proved(value).ok_or_else(|| CodeError::WrongCheckDigit {
            text: text.to_owned(),
            expected: Gtin::check_digit(value / 10),
        })
    }

    /// Reads the eight digits of an EAN-8, which are never a UPC-E.
    pub(crate) fn parse_ean_8(text: &str) -> Result<Gtin, CodeError> {
        if text.len() != 8 || !all_digits(text) {
            return Err(CodeError::NotACode(text.to_owned()));
        }
        let value = number(text)?;
        Gtin::proved(value).ok_or_else(|| CodeError::WrongCheckDigit {
            text: text.to_owned(),
            expected: Gtin::check_digit(value / 10),
        })
    }

    fn proved(value: u64) -> Option<Gtin> {
        (u64::from(Gtin::check_digit(value / 10)) == value % 10).then_some(Gtin(value))
    }
}

impl fmt::Display for Gtin {
    /// Fourteen digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:014}", self.0)
    }
}

/// The UPC-A number that a zero-suppressed UPC-E (number system 0, six digits, check digit) stands
/// for. Source: GS1 General Specifications, section 5.2.2.4.
fn expand_upc_e(text: &str) -> Option<u64> {
    let digits: Vec<u64> = text.bytes().map(|b| u64::from(b - b'0')).collect();
    let &[0, a, b, c, d, e, last, check] = digits.as_slice() else {
        return None;
    };
    let (company, item) = match last {
        0..=2 => (a * 10_000 + b * 1000 + last * 100, c * 100 + d * 10 + e),
        3 => (a * 10_000 + b * 1000 + c * 100, d * 10 + e),
        4 => (a * 10_000 + b * 1000 + c * 100 + d * 10, e),
        _ => (a * 10_000 + b * 1000 + c * 100 + d * 10 + e, last),
    };
    Some((company * 100_000 + item) * 10 + check)
}

fn all_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

fn number(digits: &str) -> Result<u64, CodeError> {
    digits
        .parse()
        .map_err(|_| CodeError::NotACode(digits.to_owned()))
}

impl ItemCode {
    /// A short text that no other code has: `g:00012345678905`, `p:4011`, `e:12345`, `i:HAM-2`.
    pub fn key(&self) -> String {
        match self {
            ItemCode::Gtin(gtin) => format!("g:{gtin}"),
            ItemCode::Plu(plu) => format!("p:{plu}"),
            ItemCode::Embedded(item) => format!("e:{item}"),
            ItemCode::Internal(text) => format!("i:{text}"),
        }
    }

    /// Reads what `key` wrote, or a bare code as a scanner would send it. `e:12345` is the only way
    /// to write the item part of an embedded code.
    pub fn parse(text: &str) -> Result<ItemCode, CodeError> {
        let text = text.trim();
        match text.split_once(':') {
            Some(("g", rest)) => Gtin::parse(rest).map(ItemCode::Gtin),
            Some(("p", rest)) => ItemCode::parse_plu(rest),
            Some(("e", rest)) if all_digits(rest) && rest.len() <= 9 => rest
                .parse()
                .map(ItemCode::Embedded)
                .map_err(|_| CodeError::NotACode(text.to_owned())),
            Some(("i", rest)) => ItemCode::parse_internal(rest),
            _ => ItemCode::parse_bare(text),
        }
    }

    /// Reads an IFPS PLU code: 3000 to 4999, or the same with an 8 or a 9 in front. Source: the
    /// IFPS PLU code user's guide.
    pub fn parse_plu(text: &str) -> Result<ItemCode, CodeError> {
        let text = text.trim();
        plu(text)
            .map(ItemCode::Plu)
            .ok_or_else(|| CodeError::NotAPlu(text.to_owned()))
    }

    /// Reads a code of the store's own: letters, digits, `-`, `_` and `.`, at most 48.
    pub fn parse_internal(text: &str) -> Result<ItemCode, CodeError> {
        let text = text.trim();
        let sound = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if text.is_empty() {
            Err(CodeError::Empty)
        } else if text.chars().count() > INTERNAL_CHARS_MAX {
            Err(CodeError::TooLong)
        } else if !text.chars().all(sound) {
            Err(CodeError::NotACode(text.to_owned()))
        } else {
            Ok(ItemCode::Internal(text.to_owned()))
        }
    }

    pub(crate) fn parse_bare(text: &str) -> Result<ItemCode, CodeError> {
        if all_digits(text) && matches!(text.len(), 8 | 12..=14) {
            return Gtin::parse(text).map(ItemCode::Gtin);
        }
        match plu(text) {
            Some(plu) => Ok(ItemCode::Plu(plu)),
            None => ItemCode::parse_internal(text),
        }
    }
}

fn plu(text: &str) -> Option<u32> {
    if !all_digits(text) || !matches!(text.len(), 4 | 5) {
        return None;
    }
    let value: u32 = text.parse().ok()?;
    matches!(value, 3000..=4999 | 83_000..=84_999 | 93_000..=94_999).then_some(value)
}

impl EmbeddedLayout {
    /// All digits of an embedded store code but its check digit.
    pub(crate) const DIGITS: usize = 12;

    /// What a new store understands, each with five item digits and five digits of value:
    /// - `02` price: the UPC-A label of number system 2 that scales print in the United States,
    ///   with the price in all five digits and no price check digit;
    /// - `21` price and `23` weight in grams: prefixes that GS1 leaves to each country or store.
    pub fn defaults() -> Vec<EmbeddedLayout> {
        [
            ("02", Embeds::Price),
            ("21", Embeds::Price),
            ("23", Embeds::Weight),
        ]
        .into_iter()
        .map(|(prefix, embeds)| EmbeddedLayout {
            prefix: prefix.to_owned(),
            item_digits: 5,
            value_digits: 5,
            embeds,
            value_check: false,
        })
        .collect()
    }

    /// Whether prefix, item and value fill the twelve digits. A layout that is not sound matches no
    /// code.
    pub fn is_sound(&self) -> bool {
        let variable = usize::from(self.item_digits)
            + usize::from(self.value_check)
            + usize::from(self.value_digits);
        all_digits(&self.prefix)
            && (1..=9).contains(&self.item_digits)
            && self.value_digits > 0
            && (!self.value_check || matches!(self.value_digits, 4 | 5))
            && self.prefix.len() + variable == Self::DIGITS
    }

    /// What stands in the first twelve of thirteen digits.
    pub(crate) fn split(&self, twelve: &str) -> Option<EmbeddedParts> {
        if !self.is_sound() {
            return None;
        }
        let rest = twelve.strip_prefix(self.prefix.as_str())?;
        let (item, rest) = rest.split_at_checked(usize::from(self.item_digits))?;
        let (check, value) = rest.split_at_checked(usize::from(self.value_check))?;
        let check = match check.bytes().next() {
            Some(found) => Some((found - b'0', value_check_digit(value)?)),
            None => None,
        };
        Some(EmbeddedParts {
            item: item.parse().ok()?,
            value: value.parse().ok()?,
            check,
        })
    }
}

/// The check digit of a price or weight of four or five digits; `None` for other lengths. Source:
/// GS1 General Specifications, section 7.9.2 to 7.9.4.
pub(crate) fn value_check_digit(value: &str) -> Option<u8> {
    /// Units of the digit's double, less its tens.
    const TWO_MINUS: [u32; 10] = [0, 2, 4, 6, 8, 9, 1, 3, 5, 7];
    /// Three times the digit.
    const THREE: [u32; 10] = [0, 3, 6, 9, 2, 5, 8, 1, 4, 7];
    /// Units of five times the digit, plus its tens.
    const FIVE_PLUS: [u32; 10] = [0, 5, 1, 6, 2, 7, 3, 8, 4, 9];
    /// Units of five times the digit, less its tens.
    const FIVE_MINUS: [u32; 10] = [0, 5, 9, 4, 8, 3, 7, 2, 6, 1];
    let weighted = |weights: &[[u32; 10]]| -> u32 {
        let digits = value.bytes().map(|b| usize::from(b - b'0'));
        weights.iter().zip(digits).map(|(w, d)| w[d]).sum()
    };
    let digit = match value.len() {
        4 => weighted(&[TWO_MINUS, TWO_MINUS, THREE, FIVE_MINUS]) * 3 % 10,
        5 => {
            let sum = weighted(&[FIVE_PLUS, TWO_MINUS, FIVE_MINUS, FIVE_PLUS, TWO_MINUS]);
            let missing = (10 - sum % 10) % 10;
            let place = FIVE_MINUS.iter().position(|product| *product == missing)?;
            u32::try_from(place).ok()?
        }
        _ => return None,
    };
    u8::try_from(digit).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gtins_are_read_in_all_their_lengths() {
        let check = |text: &str, expected: Result<&str, &str>| match expected {
            Ok(digits) => assert_eq!(Gtin::parse(text).unwrap().to_string(), digits, "{text}"),
            Err(part) => {
                let message = Gtin::parse(text).unwrap_err().to_string();
                assert!(message.contains(part), "{text}: {message}");
            }
        };
        check("4006381333931", Ok("04006381333931"));
        check(" 036000291452 ", Ok("00036000291452"));
        check("96385074", Ok("00000096385074"));
        check("10036000291459", Ok("10036000291459"));
        // UPC-E, one for each way of leaving zeros out.
        check("04252614", Ok("00042100005264"));
        check("01234133", Ok("00012300000413"));
        check("01234543", Ok("00012340000053"));
        check("01234558", Ok("00012345000058"));
        check("01234557", Err("check digit"));
        check("01234565", Ok("00012345000065"));
        check("4006381333932", Err("would be 1"));
        check("400638133393", Err("check digit"));
        check("40063813339", Err("not a code"));
        check("4006381333 31", Err("not a code"));
        check("٤٠٠٦٣٨١٣", Err("not a code"));
        check("", Err("scan the item again"));
    }

    #[test]
    fn every_wrong_digit_is_noticed() {
        let good = "4006381333931";
        for place in 0..good.len() {
            for digit in '0'..='9' {
                let mut text: Vec<char> = good.chars().collect();
                let was = std::mem::replace(&mut text[place], digit);
                let text: String = text.into_iter().collect();
                assert_eq!(Gtin::parse(&text).is_ok(), was == digit, "{text}");
            }
        }
    }

    #[test]
    fn keys_are_read_back() {
        for text in ["g:00036000291452", "p:4011", "e:12345", "i:HAM-2", "i:4011"] {
            assert_eq!(ItemCode::parse(text).unwrap().key(), text);
        }
        for text in ["x:1", "p:1", "e:", "e:1a", "e:1234567890", "i:", "g:1"] {
            assert!(ItemCode::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn values_have_the_check_digit_of_the_standard() {
        let check = |value: &str, expected: Option<u8>| {
            assert_eq!(value_check_digit(value), expected, "{value}");
        };
        check("2875", Some(9));
        check("0000", Some(0));
        check("14685", Some(6));
        check("00000", Some(0));
        check("123", None);
    }
}
