//! GS1 element strings: application identifiers as GS1-128, GS1 DataBar, GS1 DataMatrix and GS1 QR
//! carry them, as people write them in brackets, and as a GS1 Digital Link.
//!
//! Every element that is returned has the length, the characters and, where its identifier has one,
//! the check digit that the standard wants. Identifiers that a lane has no use for are read over,
//! never guessed at: an identifier that the table does not know ends the reading with an error,
//! because where its value ends is not known. Source: GS1 General Specifications, section 3, and
//! GS1 Digital Link: URI syntax.
//!
//! `compare-codes.py` in this crate's folder holds what is read from thousands of drawn codes against
//! another parser.

use crate::{CodeError, Gtin};

/// The most characters of a scan that is read at all: a DataMatrix holds more than any till needs.
pub(crate) const SCAN_CHARS_MAX: usize = 400;
/// The most elements of one scan.
const ELEMENTS_MAX: usize = 24;
/// FNC1 as scanners transmit it between elements: ASCII group separator.
const SEPARATOR: char = '\u{1d}';
/// Symbology identifiers after which element strings come: GS1-128, GS1 DataBar, GS1 DataMatrix,
/// GS1 QR Code, GS1 DotCode. Source: ISO/IEC 15424.
const GS1_SYMBOLOGIES: [&str; 5] = ["]C1", "]e0", "]d2", "]Q3", "]J1"];

/// One application identifier and its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Element {
    /// Two to four digits, such as `01` or `3103`.
    pub ai: String,
    pub value: String,
}

/// What may stand in a value.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Characters {
    Digits,
    /// GS1 AI encodable character set 82.
    Text,
}

/// How the value of an identifier is made.
struct Rule {
    characters: Characters,
    length_min: usize,
    length_max: usize,
    /// No separator follows: the length is known from the identifier alone.
    fixed: bool,
}

const fn digits(length: usize, fixed: bool) -> Rule {
    Rule {
        characters: Characters::Digits,
        length_min: length,
        length_max: length,
        fixed,
    }
}

const fn up_to(characters: Characters, length_max: usize) -> Rule {
    Rule {
        characters,
        length_min: 1,
        length_max,
        fixed: false,
    }
}

/// How many digits the identifiers that begin with these two have. Source: GS1 General
/// Specifications, figure 3.2-1.
fn identifier_digits(first_two: &str) -> Option<usize> {
    Some(match first_two {
        "00" | "01" | "02" | "03" | "10" | "11" | "12" | "13" | "15" | "16" | "17" | "20"
        | "21" | "22" | "30" | "37" | "90" | "91" | "92" | "93" | "94" | "95" | "96" | "97"
        | "98" | "99" => 2,
        "23" | "24" | "25" | "40" | "41" | "42" | "71" => 3,
        "31" | "32" | "33" | "34" | "35" | "36" | "39" | "43" | "70" | "72" | "80" | "81"
        | "82" => 4,
        _ => return None,
    })
}

/// The rule of an identifier that [`identifier_digits`] knows.
fn rule(ai: &str) -> Rule {
    use Characters::{Digits, Text};
    match ai {
        "00" => digits(18, true),
        "01" | "02" | "03" => digits(14, true),
        "11" | "12" | "13" | "15" | "16" | "17" => digits(6, true),
        "20" => digits(2, true),
        "30" | "37" => up_to(Digits, 8),
        "10" | "21" | "22" => up_to(Text, 20),
        "255" => Rule {
            characters: Digits,
            length_min: 13,
            length_max: 25,
            fixed: false,
        },
        "8110" | "8112" => up_to(Digits, 70),
        _ => match (&ai[..2], ai.len()) {
            ("31" | "32" | "33" | "34" | "35" | "36", 4) => digits(6, true),
            ("41", 3) => digits(13, true),
            ("39", 4) => match &ai[..3] {
                "390" | "392" => up_to(Digits, 15),
                "391" | "393" => Rule {
                    characters: Digits,
                    length_min: 4,
                    length_max: 18,
                    fixed: false,
                },
                "394" => digits(4, false),
                _ => digits(6, false),
            },
            _ => up_to(Text, 90),
        },
    }
}

fn wrong(ai: &str, reason: impl Into<String>) -> CodeError {
    CodeError::WrongElement {
        ai: ai.to_owned(),
        reason: reason.into(),
    }
}

fn is_set_82(c: char) -> bool {
    c.is_ascii_graphic()
        && !matches!(
            c,
            '#' | '$' | '@' | '[' | '\\' | ']' | '^' | '`' | '{'..='~'
        )
}

/// Checks an element against its rule and its check digit.
fn checked(ai: &str, value: &str) -> Result<Element, CodeError> {
    let rule = rule(ai);
    let length = value.chars().count();
    if !(rule.length_min..=rule.length_max).contains(&length) {
        return Err(wrong(ai, format!("it has {length} characters")));
    }
    let sound = match rule.characters {
        Characters::Digits => value.bytes().all(|b| b.is_ascii_digit()),
        Characters::Text => value.chars().all(is_set_82),
    };
    if !sound {
        return Err(wrong(
            ai,
            format!("'{value}' has characters that it cannot have"),
        ));
    }
    let proved = match ai {
        "00" | "01" | "02" | "03" => Some(value),
        "255" => Some(&value[..13]),
        _ => None,
    };
    if let Some(number) = proved {
        let (body, last) = number.split_at(number.len() - 1);
        let body: u64 = body.parse().map_err(|_| wrong(ai, "it is no number"))?;
        let expected = Gtin::check_digit(body);
        if last != expected.to_string() {
            return Err(CodeError::WrongCheckDigit {
                text: value.to_owned(),
                expected,
            });
        }
    }
    if matches!(ai, "11" | "12" | "13" | "15" | "16" | "17") {
        // The century does not matter for whether it is a date.
        date(value, 2000).map_err(|()| wrong(ai, format!("{value} is no date")))?;
    }
    Ok(Element {
        ai: ai.to_owned(),
        value: value.to_owned(),
    })
}

/// Takes the identifier off the front.
fn identifier(text: &str) -> Result<(&str, &str), CodeError> {
    let unknown = || wrong(&text.chars().take(4).collect::<String>(), "it is not known");
    let digits = text
        .get(..2)
        .and_then(identifier_digits)
        .ok_or_else(unknown)?;
    let (ai, rest) = text.split_at_checked(digits).ok_or_else(unknown)?;
    match ai.bytes().all(|b| b.is_ascii_digit()) {
        true => Ok((ai, rest)),
        false => Err(unknown()),
    }
}

/// Adds an element; the same identifier twice must say the same.
fn add(elements: &mut Vec<Element>, element: Element) -> Result<(), CodeError> {
    match elements.iter().find(|known| known.ai == element.ai) {
        Some(known) if known.value == element.value => Ok(()),
        Some(_) => Err(wrong(&element.ai, "it stands there twice")),
        None if elements.len() >= ELEMENTS_MAX => Err(CodeError::TooLong),
        None => {
            elements.push(element);
            Ok(())
        }
    }
}

/// Reads elements as scanners transmit them: one after the other, with a separator after those
/// whose length is not known from their identifier.
fn transmitted(mut text: &str) -> Result<Vec<Element>, CodeError> {
    let mut elements = Vec::new();
    text = text.trim_start_matches(SEPARATOR);
    while !text.is_empty() {
        let (ai, rest) = identifier(text)?;
        let rule = rule(ai);
        let (value, after) = if rule.fixed {
            rest.split_at_checked(rule.length_max)
                .ok_or_else(|| wrong(ai, "it is cut off"))?
        } else {
            rest.split_once(SEPARATOR).unwrap_or((rest, ""))
        };
        add(&mut elements, checked(ai, value)?)?;
        text = after.trim_start_matches(SEPARATOR);
    }
    Ok(elements)
}

/// Reads elements as people write them: `(01)09521234543213(10)ABC`.
fn bracketed(text: &str) -> Result<Vec<Element>, CodeError> {
    let mut elements = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (ai, after) = opening(rest).ok_or_else(|| CodeError::NotACode(text.to_owned()))?;
        let end = (1..after.len())
            .filter(|at| after.is_char_boundary(*at))
            .find(|at| opening(&after[*at..]).is_some())
            .unwrap_or(after.len());
        let (value, next) = after.split_at(end);
        if identifier_digits(&ai[..2]) != Some(ai.len()) {
            return Err(wrong(ai, "it is not known"));
        }
        add(&mut elements, checked(ai, value)?)?;
        rest = next;
    }
    Ok(elements)
}

/// An identifier in brackets at the front, and what follows.
fn opening(text: &str) -> Option<(&str, &str)> {
    let (ai, rest) = text.strip_prefix('(')?.split_once(')')?;
    let sound = (2..=4).contains(&ai.len()) && ai.bytes().all(|b| b.is_ascii_digit());
    sound.then_some((ai, rest))
}

/// Reads the elements of a GS1 Digital Link; `None` where the address is none.
fn digital_link(text: &str) -> Option<Result<Vec<Element>, CodeError>> {
    let rest = strip_scheme(text)?;
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    let query = query.split('#').next().unwrap_or("");
    let path = path.split('#').next().unwrap_or("");
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    let key = segments.windows(2).position(|pair| {
        primary_key(pair[0]).is_some() && pair[1].bytes().all(|b| b.is_ascii_digit())
    })?;
    let mut elements = Vec::new();
    let in_path = segments[key..]
        .chunks_exact(2)
        .map(|pair| (pair[0], pair[1]));
    let in_query = query.split('&').filter_map(|part| part.split_once('='));
    for (name, value) in in_path.chain(in_query) {
        let ai = primary_key(name).unwrap_or(name);
        // What else an address carries is none of ours.
        let known = ai.len() >= 2
            && ai.bytes().all(|b| b.is_ascii_digit())
            && identifier_digits(&ai[..2]) == Some(ai.len());
        if !known {
            continue;
        }
        let element = percent_decoded(value)
            .ok_or_else(|| wrong(ai, "it is not written as an address"))
            .and_then(|value| checked(ai, &padded(ai, &value)))
            .and_then(|element| add(&mut elements, element));
        if let Err(error) = element {
            return Some(Err(error));
        }
    }
    Some(Ok(elements))
}

fn strip_scheme(text: &str) -> Option<&str> {
    let at = text.find("://")?;
    let scheme = &text[..at];
    let is_web = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
    is_web.then(|| &text[at + 3..])
}

/// The identifier that opens a Digital Link a till can use.
fn primary_key(name: &str) -> Option<&'static str> {
    match name {
        "01" | "gtin" => Some("01"),
        "255" | "gcn" => Some("255"),
        _ => None,
    }
}

/// A GTIN may be written with 8, 12 or 13 digits in an address.
fn padded(ai: &str, value: &str) -> String {
    match ai {
        "01" if matches!(value.len(), 8 | 12 | 13) => format!("{value:0>14}"),
        _ => value.to_owned(),
    }
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let pair = [rest.next()?, rest.next()?];
        let pair = std::str::from_utf8(&pair).ok()?;
        bytes.push(u8::from_str_radix(pair, 16).ok()?);
    }
    String::from_utf8(bytes).ok()
}

/// The elements of a scan; `None` where it is no element string but some other code.
///
/// Without a symbology identifier, a separator or brackets, a text counts as element strings only
/// where it begins with `01` and a GTIN whose check digit holds, and is longer than that.
pub fn elements(text: &str) -> Option<Result<Vec<Element>, CodeError>> {
    if text.chars().count() > SCAN_CHARS_MAX {
        return Some(Err(CodeError::TooLong));
    }
    if let Some(rest) = GS1_SYMBOLOGIES.iter().find_map(|id| text.strip_prefix(id)) {
        return Some(match rest.starts_with("http") {
            true => digital_link(rest).unwrap_or_else(|| Err(CodeError::NotACode(text.to_owned()))),
            false => transmitted(rest),
        });
    }
    if text.starts_with('(') {
        return Some(bracketed(text));
    }
    if text.contains("://") {
        let plain = without_symbology(text);
        return Some(
            digital_link(plain).unwrap_or_else(|| Err(CodeError::NotACode(plain.to_owned()))),
        );
    }
    let bare = text.strip_prefix("01").is_some_and(|rest| {
        rest.len() > 14
            && rest.get(..14).is_some_and(|gtin| {
                gtin.bytes().all(|b| b.is_ascii_digit()) && Gtin::parse(gtin).is_ok()
            })
    });
    (bare || text.contains(SEPARATOR)).then(|| transmitted(text))
}

/// The text without the symbology identifier (`]E0`, `]C0`, …) that a scanner may send first.
pub(crate) fn without_symbology(text: &str) -> &str {
    match text.as_bytes() {
        [b']', letter, modifier, ..]
            if letter.is_ascii_alphabetic() && modifier.is_ascii_alphanumeric() =>
        {
            &text[3..]
        }
        _ => text,
    }
}

/// How many days a month has; `None` where there is no such month.
pub(crate) fn days_of_month(year: i32, month: i32) -> Option<i32> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => Some(31),
        4 | 6 | 9 | 11 => Some(30),
        2 if leap => Some(29),
        2 => Some(28),
        _ => None,
    }
}

/// A date of six digits, YYMMDD, as an ISO 8601 date. The century is the one that brings it within
/// 49 years before and 50 after `this_year`; day 00 is the month's last. Source: GS1 General
/// Specifications, sections 3.4.2 and 7.12.
pub fn date(value: &str, this_year: i32) -> Result<String, ()> {
    let number = |range: std::ops::Range<usize>| -> Result<i32, ()> {
        value.get(range).ok_or(())?.parse().map_err(|_| ())
    };
    if value.len() != 6 || !value.bytes().all(|b| b.is_ascii_digit()) {
        return Err(());
    }
    let (short, month, day) = (number(0..2)?, number(2..4)?, number(4..6)?);
    let century = this_year - this_year.rem_euclid(100);
    let year = match short - this_year.rem_euclid(100) {
        51.. => century - 100 + short,
        ..=-50 => century + 100 + short,
        _ => century + short,
    };
    let days = days_of_month(year, month).ok_or(())?;
    let day = if day == 0 { days } else { day };
    match day <= days {
        true => Ok(format!("{year:04}-{month:02}-{day:02}")),
        false => Err(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        match elements(text) {
            None => "no elements".to_owned(),
            Some(Err(error)) => format!("{error}"),
            Some(Ok(elements)) => elements
                .iter()
                .map(|e| format!("({}){}", e.ai, e.value))
                .collect(),
        }
    }

    #[test]
    fn element_strings_are_read() {
        let check = |text: &str, expected: &str| assert_eq!(shown(text), expected, "{text}");
        // The examples of the GS1 General Specifications and of the Digital Link standard.
        check(
            "]C10109521234543213\u{1d}10ABC123",
            "(01)09521234543213(10)ABC123",
        );
        check(
            "]d201095212345432131525123110ABC\u{1d}21XYZ",
            "(01)09521234543213(15)251231(10)ABC(21)XYZ",
        );
        check(
            "]e001952123456788973103000195",
            "the check digit of 95212345678897 does not match (it would be 1): scan it again or type the number under the bars",
        );
        check(
            "01095212345432133103000195",
            "(01)09521234543213(3103)000195",
        );
        check(
            "(01)09521234543213(17)261231(10)A(B)1",
            "(01)09521234543213(17)261231(10)A(B)1",
        );
        check(
            "https://id.gs1.org/01/09521234543213/10/ABC%2F1/21/12345?17=261231&utm=x#frag",
            "(01)09521234543213(10)ABC/1(21)12345(17)261231",
        );
        check(
            "https://example.com/some/path/gtin/9521234543213?3103=000195",
            "(01)09521234543213(3103)000195",
        );
        check(
            "]Q3https://id.gs1.org/01/09521234543213",
            "(01)09521234543213",
        );
        check(
            "(8112)106141416543213500110000310123196",
            "(8112)106141416543213500110000310123196",
        );
    }

    #[test]
    fn what_is_no_element_string_is_said() {
        let check = |text: &str, part: &str| {
            let got = shown(text);
            assert!(got.contains(part), "{text}: {got}");
        };
        check("4006381333931", "no elements");
        check("01095212345432", "no elements");
        check("HAM-2", "no elements");
        check("(01)0952123454321", "it has 13 characters");
        check("(01)09521234543214", "check digit");
        check("(17)261331(01)09521234543213", "is no date");
        check("(10)", "it has 0 characters");
        check("(10)A(10)B", "it stands there twice");
        check("(50)A", "it is not known");
        check("]C1505", "it is not known");
        check("]C10109", "it is cut off");
        check("]C110A{B", "characters that it cannot have");
        check("https://example.com/", "is not a code");
        check(
            "https://id.gs1.org/01/09521234543213/10/%zz",
            "not written as an address",
        );
        check(&"9".repeat(401), "longer");
        check("é\u{1d}", "it is not known");
        check("(é", "is not a code");
    }

    #[test]
    fn dates_are_of_the_nearest_century() {
        let check = |value: &str, this_year, expected: Result<&str, ()>| {
            assert_eq!(
                date(value, this_year),
                expected.map(str::to_owned),
                "{value}"
            );
        };
        check("261130", 2026, Ok("2026-11-30"));
        check("260200", 2026, Ok("2026-02-28"));
        check("280200", 2026, Ok("2028-02-29"));
        check("770101", 2026, Ok("1977-01-01"));
        check("760101", 2026, Ok("2076-01-01"));
        check("400101", 2099, Ok("2140-01-01"));
        check("261301", 2026, Err(()));
        check("260230", 2026, Err(()));
        check("26023", 2026, Err(()));
        check("26०101", 2026, Err(()));
    }
}
