//! How much of something: pieces or kilograms, in thousandths.

use std::fmt;

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde::{Deserialize, Serialize};

/// The largest quantity one line may carry: 100,000 units, in thousandths.
pub const MILLI_MAX: i64 = 100_000_000;

/// What a quantity counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Unit {
    Each,
    Kilogram,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QuantityError {
    #[error("'{0}' is not a quantity: write a number such as 3 or 0.455")]
    NotAQuantity(String),
    #[error("'{0}' is out of range: a quantity is over 0 and at most 100000")]
    OutOfRange(String),
    #[error("this item is sold by the piece: '{0}' must be a whole number")]
    NotWhole(String),
    #[error("'{0}' has more than three decimal places, finer than a gram")]
    TooPrecise(String),
}

/// A quantity in thousandths of its unit: pieces × 1000, or grams.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Quantity {
    milli: i64,
    unit: Unit,
}

impl Quantity {
    pub const ONE: Quantity = Quantity::each(1);

    pub const fn each(count: i64) -> Quantity {
        Quantity {
            milli: count * 1000,
            unit: Unit::Each,
        }
    }

    pub const fn grams(grams: i64) -> Quantity {
        Quantity {
            milli: grams,
            unit: Unit::Kilogram,
        }
    }

    /// Thousandths of the unit.
    pub const fn milli(self) -> i64 {
        self.milli
    }

    pub const fn unit(self) -> Unit {
        self.unit
    }

    /// Whole pieces; `None` for a weight.
    pub fn pieces(self) -> Option<i64> {
        (self.unit == Unit::Each).then_some(self.milli / 1000)
    }

    /// Reads `3` or `0.455`. Pieces are whole; a weight is no finer than a gram; both lie over 0
    /// and within `MILLI_MAX`.
    pub fn parse(text: &str, unit: Unit) -> Result<Quantity, QuantityError> {
        let value: Decimal = text
            .trim()
            .parse()
            .map_err(|_| QuantityError::NotAQuantity(text.to_owned()))?;
        let scaled = value
            .checked_mul(Decimal::from(1000))
            .ok_or_else(|| QuantityError::OutOfRange(text.to_owned()))?;
        if scaled.fract() != Decimal::ZERO {
            return Err(match unit {
                Unit::Each => QuantityError::NotWhole(text.to_owned()),
                Unit::Kilogram => QuantityError::TooPrecise(text.to_owned()),
            });
        }
        let milli = scaled
            .to_i64()
            .filter(|milli| (1..=MILLI_MAX).contains(milli))
            .ok_or_else(|| QuantityError::OutOfRange(text.to_owned()))?;
        if unit == Unit::Each && milli % 1000 != 0 {
            return Err(QuantityError::NotWhole(text.to_owned()));
        }
        Ok(Quantity { milli, unit })
    }
}

impl fmt::Display for Quantity {
    /// `3` pieces, `0.455 kg`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.unit {
            Unit::Each => write!(f, "{}", self.milli / 1000),
            Unit::Kilogram => write!(f, "{} kg", Decimal::new(self.milli, 3)),
        }
    }
}

impl fmt::Debug for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_read_exactly() {
        let check = |text: &str, unit, expected: Result<i64, &str>| {
            let got = Quantity::parse(text, unit);
            match expected {
                Ok(milli) => assert_eq!(got.unwrap().milli(), milli, "{text}"),
                Err(part) => assert!(got.unwrap_err().to_string().contains(part), "{text}"),
            }
        };
        check("3", Unit::Each, Ok(3000));
        check("0.455", Unit::Kilogram, Ok(455));
        check("12", Unit::Kilogram, Ok(12_000));
        check("1.5", Unit::Each, Err("whole number"));
        check("0.4555", Unit::Kilogram, Err("gram"));
        check("0", Unit::Each, Err("out of range"));
        check("-1", Unit::Each, Err("out of range"));
        check("100001", Unit::Each, Err("out of range"));
        check("two", Unit::Each, Err("not a quantity"));
        assert_eq!(Quantity::grams(455).to_string(), "0.455 kg");
        assert_eq!(Quantity::each(3).to_string(), "3");
    }
}
