//! Codes that find an item: GTIN, PLU, the store's own short codes, and store codes that carry a
//! price or a weight.

use std::fmt;

use money::{Currency, Money, Quantity};
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
}

/// One layout of a 13-digit store code: two prefix digits, `item_digits` for the item,
/// `value_digits` for the price or weight, and the check digit. Source: GS1 General
/// Specifications, section 2.1.12 (restricted circulation numbers for variable measure items).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EmbeddedLayout {
    pub prefix: String,
    pub item_digits: u8,
    pub value_digits: u8,
    pub embeds: Embeds,
}

/// A code as scanned or typed, understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScannedCode {
    /// Look this up.
    Item(ItemCode),
    /// Look up `ItemCode::Embedded(item)`, sell it at this price.
    PriceEmbedded { item: u32, price: Money },
    /// Look up `ItemCode::Embedded(item)`, sell this weight.
    WeightEmbedded { item: u32, weight: Quantity },
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

    fn parse_bare(text: &str) -> Result<ItemCode, CodeError> {
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
    const DIGITS: usize = 12;

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
        })
        .collect()
    }

    /// Whether prefix, item and value fill the twelve digits. A layout that is not sound matches no
    /// code.
    pub fn is_sound(&self) -> bool {
        let variable = usize::from(self.item_digits) + usize::from(self.value_digits);
        all_digits(&self.prefix)
            && self.item_digits > 0
            && self.value_digits > 0
            && self.prefix.len() + variable == Self::DIGITS
    }

    /// The item and the value in the first twelve of thirteen digits.
    fn split(&self, twelve: &str) -> Option<(u32, i64)> {
        if !self.is_sound() {
            return None;
        }
        let rest = twelve.strip_prefix(self.prefix.as_str())?;
        let (item, value) = rest.split_at_checked(usize::from(self.item_digits))?;
        Some((item.parse().ok()?, value.parse().ok()?))
    }
}

impl ScannedCode {
    /// Understands what a scanner read or a person typed.
    ///
    /// Callers look the text up as `ItemCode::Internal` first, because an item number may look like
    /// anything; this is for what is not found that way. By length: 8, 12, 13 and 14 digits are a
    /// GTIN and must have the right check digit; 4 and 5 digits in the IFPS ranges are a PLU code;
    /// everything else is a code of the store's own. Of two layouts that match, the first wins.
    pub fn parse(
        text: &str,
        layouts: &[EmbeddedLayout],
        currency: Currency,
    ) -> Result<ScannedCode, CodeError> {
        let text = text.trim();
        let code = ItemCode::parse_bare(text)?;
        let ItemCode::Gtin(gtin) = &code else {
            return Ok(ScannedCode::Item(code));
        };
        let digits = gtin.to_string();
        // A 14-digit code with an indicator digit is a case of something, never a scale's label.
        let Some(thirteen) = digits.strip_prefix('0') else {
            return Ok(ScannedCode::Item(code));
        };
        let twelve = &thirteen[..EmbeddedLayout::DIGITS];
        let Some((layout, item, value)) = layouts.iter().find_map(|layout| {
            let (item, value) = layout.split(twelve)?;
            Some((layout, item, value))
        }) else {
            return Ok(ScannedCode::Item(code));
        };
        if value == 0 {
            return Err(CodeError::NothingEmbedded(text.to_owned()));
        }
        Ok(match layout.embeds {
            Embeds::Price => ScannedCode::PriceEmbedded {
                item,
                price: Money::from_minor(value, currency),
            },
            Embeds::Weight => ScannedCode::WeightEmbedded {
                item,
                weight: Quantity::grams(value),
            },
        })
    }
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
    fn scanned_codes_are_understood() {
        let check = |text: &str, expected: &str| {
            let got = match ScannedCode::parse(text, &EmbeddedLayout::defaults(), Currency::USD) {
                Ok(ScannedCode::Item(code)) => code.key(),
                Ok(ScannedCode::PriceEmbedded { item, price }) => format!("{item} at {price}"),
                Ok(ScannedCode::WeightEmbedded { item, weight }) => format!("{item} of {weight}"),
                Err(error) => format!("{error:?}"),
            };
            assert_eq!(got, expected, "{text}");
        };
        check("4011", "p:4011");
        check("94011", "p:94011");
        check("2999", "i:2999");
        check("54011", "i:54011");
        check("852856", "i:852856");
        check(" HAM-2 ", "i:HAM-2");
        check("036000291452", "g:00036000291452");
        // The same scale's label as UPC-A and as EAN-13.
        check("212345006788", "12345 at 6.78");
        check("0212345006788", "12345 at 6.78");
        check("2112345006789", "12345 at 6.78");
        check("2312345004550", "12345 of 0.455 kg");
        check("12112345006786", "g:12112345006786");
        check("2112345000008", r#"NothingEmbedded("2112345000008")"#);
        check(
            "2112345006780",
            r#"WrongCheckDigit { text: "2112345006780", expected: 9 }"#,
        );
        check("", "Empty");
        check("a b", r#"NotACode("a b")"#);
        check(&"9".repeat(49), "TooLong");
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
    fn a_layout_that_does_not_fill_the_code_matches_nothing() {
        let mut layout = EmbeddedLayout::defaults().remove(1);
        layout.value_digits = 4;
        let got = ScannedCode::parse("2112345006789", &[layout], Currency::USD).unwrap();
        assert!(matches!(got, ScannedCode::Item(ItemCode::Gtin(_))));
    }
}
