//! Times as a scenario file writes them: `250ms`, `3s`, `5min`, `4h`, the hour of the day `9:47`,
//! and ranges of them, `["3s", "10s"]`, from which a seed draws.

use std::fmt;

use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// The longest time that a file may name, in milliseconds: a week.
const MS_MAX: u64 = 7 * 24 * 3_600_000;
const UNITS: [(&str, u64); 4] = [("ms", 1), ("min", 60_000), ("s", 1_000), ("h", 3_600_000)];
const HOW: &str = "write a time like 250ms, 3s, 5min or 4h";

/// A length of time in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Span(pub u64);

/// From the first to the second, both included, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct SpanRange(pub u64, pub u64);

/// When something happens: so long after the store opened, or at an hour of the story's day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    After(SpanRange),
    /// Minutes since midnight.
    At(u64),
}

/// A whole number, or a range of them to draw from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count(pub u64, pub u64);

impl Span {
    /// Reads `250ms`, `3s`, `5min` or `4h`; at most a week.
    pub fn parse(text: &str) -> Option<Span> {
        let text = text.trim();
        let digits = text.find(|c: char| !c.is_ascii_digit())?;
        let number: u64 = text[..digits].parse().ok()?;
        let (_, unit_ms) = UNITS.iter().find(|(unit, _)| *unit == &text[digits..])?;
        let ms = number.checked_mul(*unit_ms)?;
        (ms <= MS_MAX).then_some(Span(ms))
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fits = |unit_ms: u64| self.0 > 0 && self.0.is_multiple_of(unit_ms);
        match self.0 {
            ms if fits(3_600_000) => write!(f, "{}h", ms / 3_600_000),
            ms if fits(60_000) => write!(f, "{}min", ms / 60_000),
            ms if fits(1_000) => write!(f, "{}s", ms / 1_000),
            ms => write!(f, "{ms}ms"),
        }
    }
}

impl fmt::Display for SpanRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 == self.1 {
            true => write!(f, "\"{}\"", Span(self.0)),
            false => write!(f, "[\"{}\", \"{}\"]", Span(self.0), Span(self.1)),
        }
    }
}

/// Reads `9:47` as minutes since midnight.
pub fn minutes_of_day(text: &str) -> Option<u64> {
    let (hours, minutes) = text.trim().split_once(':')?;
    let (hours, minutes): (u64, u64) = (hours.parse().ok()?, minutes.parse().ok()?);
    (hours < 24 && minutes < 60).then_some(hours * 60 + minutes)
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Span, D::Error> {
        let text = String::deserialize(deserializer)?;
        Span::parse(&text).ok_or_else(|| D::Error::custom(format!("'{text}' is no time: {HOW}")))
    }
}

/// Reads one value or a list of two of the same kind.
struct OneOrTwo<T> {
    parse: fn(&str) -> Result<T, String>,
    range: fn(T, T) -> Result<T, String>,
    how: &'static str,
}

impl<'de, T> Visitor<'de> for OneOrTwo<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.how)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        (self.parse)(text).map_err(E::custom)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<T, E> {
        (self.parse)(&number.to_string()).map_err(E::custom)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<T, A::Error> {
        let mut next = || -> Result<T, A::Error> {
            let text: Text = list
                .next_element()?
                .ok_or_else(|| A::Error::custom("a range is a list of two"))?;
            (self.parse)(&text.0).map_err(A::Error::custom)
        };
        let (low, high) = (next()?, next()?);
        if list.next_element::<Text>()?.is_some() {
            return Err(A::Error::custom("a range is a list of two"));
        }
        (self.range)(low, high).map_err(A::Error::custom)
    }
}

/// A text, or a number as text.
struct Text(String);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Text, D::Error> {
        struct AsText;
        impl Visitor<'_> for AsText {
            type Value = Text;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a time or a number")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Text, E> {
                Ok(Text(text.to_owned()))
            }
            fn visit_i64<E: Error>(self, number: i64) -> Result<Text, E> {
                Ok(Text(number.to_string()))
            }
        }
        deserializer.deserialize_any(AsText)
    }
}

fn span(text: &str) -> Result<SpanRange, String> {
    let Span(ms) = Span::parse(text).ok_or_else(|| format!("'{text}' is no time: {HOW}"))?;
    Ok(SpanRange(ms, ms))
}

fn span_range(low: SpanRange, high: SpanRange) -> Result<SpanRange, String> {
    match low.0 <= high.0 {
        true => Ok(SpanRange(low.0, high.0)),
        false => Err(format!(
            "the range ends before it begins: {} to {}",
            Span(low.0),
            Span(high.0)
        )),
    }
}

impl<'de> Deserialize<'de> for SpanRange {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<SpanRange, D::Error> {
        deserializer.deserialize_any(OneOrTwo {
            parse: span,
            range: span_range,
            how: "a time such as \"3s\", or a range such as [\"3s\", \"10s\"]",
        })
    }
}

fn when(text: &str) -> Result<When, String> {
    match minutes_of_day(text) {
        Some(minutes) => Ok(When::At(minutes)),
        None => span(text).map(When::After),
    }
}

fn when_range(low: When, high: When) -> Result<When, String> {
    match (low, high) {
        (When::After(low), When::After(high)) => span_range(low, high).map(When::After),
        _ => Err("an hour of the day stands alone, not in a range".to_owned()),
    }
}

impl<'de> Deserialize<'de> for When {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<When, D::Error> {
        deserializer.deserialize_any(OneOrTwo {
            parse: when,
            range: when_range,
            how: "a time after opening such as \"3s\", an hour such as \"9:47\", or a range such as \
                  [\"3s\", \"10s\"]",
        })
    }
}

fn count(text: &str) -> Result<Count, String> {
    let number = text
        .parse()
        .map_err(|_| format!("'{text}' is no whole number"))?;
    Ok(Count(number, number))
}

fn count_range(low: Count, high: Count) -> Result<Count, String> {
    match low.0 <= high.0 {
        true => Ok(Count(low.0, high.0)),
        false => Err(format!(
            "the range ends before it begins: {} to {}",
            low.0, high.0
        )),
    }
}

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Count, D::Error> {
        deserializer.deserialize_any(OneOrTwo {
            parse: count,
            range: count_range,
            how: "a whole number such as 5, or a range such as [2, 5]",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_and_written() {
        let check = |text: &str, expected: Option<u64>| {
            assert_eq!(Span::parse(text).map(|span| span.0), expected, "{text}");
            if let Some(ms) = expected {
                assert_eq!(Span::parse(&Span(ms).to_string()), Some(Span(ms)), "{text}");
            }
        };
        check("250ms", Some(250));
        check("3s", Some(3_000));
        check("5min", Some(300_000));
        check("4h", Some(14_400_000));
        check("0s", Some(0));
        check("3", None);
        check("s", None);
        check("3 s", None);
        check("-3s", None);
        check("1.5s", None);
        check("200h", None);
    }

    #[test]
    fn hours_are_read() {
        let check = |text: &str, expected| assert_eq!(minutes_of_day(text), expected, "{text}");
        check("9:47", Some(587));
        check("23:59", Some(1439));
        check("24:00", None);
        check("9:60", None);
        check("9s", None);
    }
}
