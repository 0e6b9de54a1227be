//! An exact amount with its currency, rates, and the roundings by name.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Neg, Sub, SubAssign};

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde::{Deserialize, Serialize};

use crate::{Currency, Quantity};

/// The largest amount that input may carry, in minor units: 10^15. Sums of thousands of such
/// amounts still fit an `i64`.
const MINOR_INPUT_MAX: i64 = 1_000_000_000_000_000;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    #[error("'{0}' is not a currency: write its ISO 4217 code, such as USD")]
    NotACurrency(String),
    #[error("'{0}' is not an amount: write it like 12.34")]
    NotAnAmount(String),
    #[error("'{text}' has more than {digits} decimal places, the most that {currency} has")]
    TooPrecise {
        text: String,
        digits: u32,
        currency: Currency,
    },
    #[error("'{0}' is out of range")]
    OutOfRange(String),
    #[error("'{0}' is not a rate: write a percentage from 0 to 100, such as 8.25")]
    NotARate(String),
}

/// How a fraction of a minor unit is settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Rounding {
    /// Halves away from zero: the common rule for prices and sales tax.
    HalfUp,
    /// Halves to the even neighbour.
    HalfEven,
    /// Towards zero.
    Down,
    /// Away from zero.
    Up,
}

/// An exact amount of money: minor units (cents) and a currency.
///
/// Arithmetic between two currencies, and sums beyond an `i64`, are bugs of the caller and panic;
/// input is kept out of their reach by `parse`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Money {
    minor: i64,
    currency: Currency,
}

impl Money {
    pub const fn from_minor(minor: i64, currency: Currency) -> Money {
        Money { minor, currency }
    }

    pub const fn zero(currency: Currency) -> Money {
        Money { minor: 0, currency }
    }

    /// Minor units: cents for USD, whole yen for JPY.
    pub const fn minor(self) -> i64 {
        self.minor
    }

    pub const fn currency(self) -> Currency {
        self.currency
    }

    pub const fn is_zero(self) -> bool {
        self.minor == 0
    }

    pub const fn is_negative(self) -> bool {
        self.minor < 0
    }

    /// Reads `12.34`, `12`, `-0.5`. Fails on anything else, and on more decimal places than the
    /// currency has (trailing zeros excepted).
    pub fn parse(text: &str, currency: Currency) -> Result<Money, MoneyError> {
        let value: Decimal = text
            .trim()
            .parse()
            .map_err(|_| MoneyError::NotAnAmount(text.to_owned()))?;
        let digits = currency.minor_digits();
        let scaled = value
            .checked_mul(Decimal::from(10_i64.pow(digits)))
            .ok_or_else(|| MoneyError::OutOfRange(text.to_owned()))?;
        if scaled.fract() != Decimal::ZERO {
            return Err(MoneyError::TooPrecise {
                text: text.to_owned(),
                digits,
                currency,
            });
        }
        match scaled.to_i64() {
            Some(minor) if minor.abs() <= MINOR_INPUT_MAX => Ok(Money { minor, currency }),
            _ => Err(MoneyError::OutOfRange(text.to_owned())),
        }
    }

    /// The amount times a whole number.
    pub fn times(self, count: i64) -> Money {
        let minor = self
            .minor
            .checked_mul(count)
            .expect("amounts are bounded on input");
        Money { minor, ..self }
    }

    /// A price per unit times a quantity, rounded once.
    pub fn for_quantity(self, quantity: Quantity, rounding: Rounding) -> Money {
        self.ratio(quantity.milli(), 1000, rounding)
    }

    /// `self × numerator ÷ denominator`, rounded once. `denominator` is positive.
    pub fn ratio(self, numerator: i64, denominator: i64, rounding: Rounding) -> Money {
        assert!(denominator > 0, "a ratio has a positive denominator");
        let product = i128::from(self.minor) * i128::from(numerator);
        let minor = divide(product, i128::from(denominator), rounding);
        Money { minor, ..self }
    }

    /// The share of this amount at `rate`, rounded once.
    pub fn share(self, rate: Rate, rounding: Rounding) -> Money {
        self.ratio(rate.0, Rate::WHOLE, rounding)
    }

    /// The tax contained in this amount when it already includes tax at `rate`.
    pub fn share_included(self, rate: Rate, rounding: Rounding) -> Money {
        self.ratio(rate.0, Rate::WHOLE + rate.0, rounding)
    }

    fn with(self, other: Money, minor: Option<i64>) -> Money {
        assert_eq!(self.currency, other.currency, "one sale, one currency");
        Money {
            minor: minor.expect("amounts are bounded on input"),
            ..self
        }
    }
}

fn divide(product: i128, denominator: i128, rounding: Rounding) -> i64 {
    let quotient = product / denominator;
    let remainder = (product % denominator).abs();
    let away = if product < 0 { -1 } else { 1 };
    let twice = remainder * 2;
    let step = match rounding {
        Rounding::Down => false,
        Rounding::Up => remainder != 0,
        Rounding::HalfUp => twice >= denominator,
        Rounding::HalfEven => twice > denominator || (twice == denominator && quotient % 2 != 0),
    };
    let rounded = if step { quotient + away } else { quotient };
    i64::try_from(rounded).expect("amounts are bounded on input")
}

impl Add for Money {
    type Output = Money;
    fn add(self, other: Money) -> Money {
        self.with(other, self.minor.checked_add(other.minor))
    }
}

impl Sub for Money {
    type Output = Money;
    fn sub(self, other: Money) -> Money {
        self.with(other, self.minor.checked_sub(other.minor))
    }
}

impl Neg for Money {
    type Output = Money;
    fn neg(self) -> Money {
        Money {
            minor: -self.minor,
            ..self
        }
    }
}

impl AddAssign for Money {
    fn add_assign(&mut self, other: Money) {
        *self = *self + other;
    }
}

impl SubAssign for Money {
    fn sub_assign(&mut self, other: Money) {
        *self = *self - other;
    }
}

impl PartialOrd for Money {
    /// `None` between two currencies.
    fn partial_cmp(&self, other: &Money) -> Option<std::cmp::Ordering> {
        (self.currency == other.currency).then(|| self.minor.cmp(&other.minor))
    }
}

impl Sum for Money {
    /// The sum of at least one amount; an empty sum has no currency and is zero US dollars only by
    /// convention, so callers with possibly empty lists fold from `Money::zero`.
    fn sum<I: Iterator<Item = Money>>(mut amounts: I) -> Money {
        let first = amounts.next().unwrap_or(Money::zero(Currency::USD));
        amounts.fold(first, Add::add)
    }
}

impl fmt::Display for Money {
    /// The bare number with the currency's decimal places: `-0.50`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.currency.minor_digits();
        let sign = if self.minor < 0 { "-" } else { "" };
        let absolute = self.minor.unsigned_abs();
        let one = 10_u64.pow(digits);
        let text = if digits == 0 {
            format!("{sign}{absolute}")
        } else {
            let width = digits as usize;
            format!("{sign}{}.{:0width$}", absolute / one, absolute % one)
        };
        f.pad(&text)
    }
}

impl fmt::Debug for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self} {}", self.currency)
    }
}

/// A rate in millionths: 8.25 % is 82,500. Never negative, at most 100 %.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Rate(i64);

impl Rate {
    /// One, in millionths.
    pub const WHOLE: i64 = 1_000_000;
    pub const ZERO: Rate = Rate(0);

    pub fn from_percent(percent: u32) -> Rate {
        Rate(i64::from(percent.min(100)) * 10_000)
    }

    /// Millionths, 0 to 1,000,000.
    pub fn millionths(self) -> i64 {
        self.0
    }

    /// Reads a percentage with up to four decimal places: `8.25`.
    pub fn parse_percent(text: &str) -> Result<Rate, MoneyError> {
        let bad = || MoneyError::NotARate(text.to_owned());
        let value: Decimal = text.trim().parse().map_err(|_| bad())?;
        let scaled = value.checked_mul(Decimal::from(10_000)).ok_or_else(bad)?;
        if scaled.fract() != Decimal::ZERO {
            return Err(bad());
        }
        match scaled.to_i64() {
            Some(millionths) if (0..=Self::WHOLE).contains(&millionths) => Ok(Rate(millionths)),
            _ => Err(bad()),
        }
    }
}

impl fmt::Display for Rate {
    /// As a percentage without trailing zeros: `8.25%`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = Decimal::new(self.0, 4).normalize();
        write!(f, "{percent}%")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usd(minor: i64) -> Money {
        Money::from_minor(minor, Currency::USD)
    }

    #[test]
    fn amounts_are_read_and_written_exactly() {
        let check = |text: &str, code: &str, expected: Result<i64, &str>| {
            let currency: Currency = code.parse().unwrap();
            let got = Money::parse(text, currency);
            match expected {
                Ok(minor) => assert_eq!(got.unwrap().minor(), minor, "{text}"),
                Err(part) => {
                    let message = got.unwrap_err().to_string();
                    assert!(message.contains(part), "{text}: {message}");
                }
            }
        };
        check("12.34", "USD", Ok(1234));
        check(" 7 ", "USD", Ok(700));
        check("-0.5", "USD", Ok(-50));
        check("0.500", "USD", Ok(50));
        check("100", "JPY", Ok(100));
        check("1.234", "KWD", Ok(1234));
        check("1.234", "USD", Err("more than 2 decimal places"));
        check("1.5", "JPY", Err("more than 0 decimal places"));
        check("abc", "USD", Err("not an amount"));
        check("", "USD", Err("not an amount"));
        check("99999999999999999", "USD", Err("out of range"));
        assert_eq!(usd(-50).to_string(), "-0.50");
        assert_eq!(usd(123_405).to_string(), "1234.05");
        assert_eq!(
            Money::from_minor(7, "JPY".parse().unwrap()).to_string(),
            "7"
        );
    }

    #[test]
    fn rounding_is_what_its_name_says() {
        use Rounding::*;
        let check = |minor, numerator, denominator, rounding, expected| {
            assert_eq!(
                usd(minor).ratio(numerator, denominator, rounding).minor(),
                expected,
                "{minor} × {numerator}/{denominator} {rounding:?}"
            );
        };
        check(5, 1, 2, HalfUp, 3);
        check(-5, 1, 2, HalfUp, -3);
        check(5, 1, 2, HalfEven, 2);
        check(7, 1, 2, HalfEven, 4);
        check(5, 1, 2, Down, 2);
        check(-5, 1, 2, Down, -2);
        check(1, 1, 3, Up, 1);
        check(100, 1, 3, HalfUp, 33);
        check(200, 1, 3, HalfUp, 67);
    }

    #[test]
    fn rates_are_exact() {
        let rate = Rate::parse_percent("8.25").unwrap();
        assert_eq!(rate.to_string(), "8.25%");
        assert_eq!(usd(1000).share(rate, Rounding::HalfUp).minor(), 83);
        let vat = Rate::from_percent(20);
        assert_eq!(usd(1200).share_included(vat, Rounding::HalfUp).minor(), 200);
        for bad in ["-1", "101", "x", "1.23456"] {
            assert!(Rate::parse_percent(bad).is_err(), "{bad}");
        }
    }
}
