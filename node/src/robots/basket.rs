//! A basket as a robot rings it up.

use money::Money;

/// What a customer carries to the lane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Basket {
    /// Unique among the baskets that are ever rung up on a lane; the receipt's reference.
    pub id: String,
    pub customer: Option<String>,
    pub lines: Vec<BasketLine>,
    pub habit: Habit,
}

/// What a shopper does besides putting goods down and paying with cash.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Habit {
    #[default]
    Plain,
    /// Does not want the last thing after all.
    ChangesMind,
    /// Has the sale put aside and goes on with it.
    SetsAside,
    /// Pays a part with a voucher.
    PaysInParts,
    /// Brings the first thing back at once.
    BringsBack,
}

/// A line of a basket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BasketLine {
    pub code: String,
    pub quantity: Amount,
    /// What the whole line costs, where that is known; what the lane says otherwise.
    pub extended: Option<Money>,
}

impl BasketLine {
    /// How many pieces; `None` for what is weighed.
    pub fn pieces(&self) -> Option<u32> {
        match &self.quantity {
            Amount::Pieces(pieces) => Some(*pieces),
            Amount::Weighed(_) | Amount::OnTheLabel => None,
        }
    }
}

/// How much of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Amount {
    /// At least one.
    Pieces(u32),
    /// Kilograms as a scale says them, such as `0.455`.
    Weighed(String),
    /// The code says how much it is.
    OnTheLabel,
}

/// One scan: as much of a line as has one price per piece.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ring {
    pub code: String,
    pub quantity: Option<String>,
    /// The price per piece that the line must have.
    pub unit_price: Option<Money>,
}

impl Basket {
    /// What to scan, in order.
    pub fn rings(&self) -> Vec<Ring> {
        self.lines.iter().flat_map(BasketLine::rings).collect()
    }

    /// What the lines come to where all of them say it.
    pub fn expected(&self) -> Option<Money> {
        let mut amounts = self.lines.iter().map(|line| line.extended);
        let first = amounts.next()??;
        amounts.try_fold(first, |sum, amount| Some(sum + amount?))
    }
}

impl BasketLine {
    /// The line as scans. An amount that its pieces do not divide becomes two scans whose prices
    /// differ by one minor unit, so that their sum is exact.
    fn rings(&self) -> Vec<Ring> {
        let ring = |quantity: Option<String>, unit_price| Ring {
            code: self.code.clone(),
            quantity,
            unit_price,
        };
        match (&self.quantity, self.extended) {
            (Amount::Pieces(pieces), Some(extended)) => {
                let split = split(i64::from(*pieces), extended);
                let rings = split
                    .into_iter()
                    .map(|(pieces, unit_price)| ring(Some(pieces.to_string()), Some(unit_price)));
                rings.collect()
            }
            (Amount::Pieces(pieces), None) => vec![ring(Some(pieces.to_string()), None)],
            (Amount::Weighed(kilograms), _) => vec![ring(Some(kilograms.clone()), None)],
            (Amount::OnTheLabel, _) => vec![ring(None, None)],
        }
    }
}

/// Pieces and their price each, so that the sum is `extended` to the minor unit. `pieces` is over 0.
fn split(pieces: i64, extended: Money) -> Vec<(i64, Money)> {
    let currency = extended.currency();
    let low = extended.minor().div_euclid(pieces);
    let rest = extended.minor().rem_euclid(pieces);
    [(pieces - rest, low), (rest, low + 1)]
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, minor)| (count, Money::from_minor(minor, currency)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use money::Currency;

    fn check_split(pieces: u32, extended: &str, expected: &[(&str, &str)]) {
        let extended = Money::parse(extended, Currency::USD).unwrap();
        let line = BasketLine {
            code: "1".to_owned(),
            quantity: Amount::Pieces(pieces),
            extended: Some(extended),
        };
        let rings = line.rings();
        let shown: Vec<(String, String)> = rings
            .iter()
            .map(|ring| {
                let price = ring.unit_price.map(|price| price.to_string());
                (ring.quantity.clone().unwrap(), price.unwrap())
            })
            .collect();
        let shown: Vec<(&str, &str)> = shown
            .iter()
            .map(|(a, b)| (a.as_str(), b.as_str()))
            .collect();
        assert_eq!(shown, expected);
        let sum = split(i64::from(pieces), extended)
            .into_iter()
            .fold(Money::zero(Currency::USD), |sum, (n, price)| {
                sum + price.times(n)
            });
        assert_eq!(sum, extended);
    }

    #[test]
    fn a_line_is_split_so_that_it_is_exact() {
        check_split(1, "3.77", &[("1", "3.77")]);
        check_split(2, "7.38", &[("2", "3.69")]);
        check_split(3, "10.00", &[("2", "3.33"), ("1", "3.34")]);
        check_split(3, "0.02", &[("1", "0.00"), ("2", "0.01")]);
        check_split(54, "20.00", &[("52", "0.37"), ("2", "0.38")]);
        check_split(4, "0.00", &[("4", "0.00")]);
    }

    #[test]
    fn what_a_basket_comes_to_is_known_only_with_every_line() {
        let line = |extended: Option<i64>| BasketLine {
            code: "1".to_owned(),
            quantity: Amount::Pieces(2),
            extended: extended.map(|minor| Money::from_minor(minor, Currency::USD)),
        };
        let check = |lines: &[Option<i64>], expected: Option<i64>| {
            let basket = Basket {
                id: "b".to_owned(),
                customer: None,
                lines: lines.iter().map(|extended| line(*extended)).collect(),
                habit: Habit::Plain,
            };
            assert_eq!(basket.expected().map(Money::minor), expected);
        };
        check(&[Some(738), Some(399)], Some(1137));
        check(&[Some(738), None], None);
        check(&[None, Some(738)], None);
        check(&[], None);
    }
}
