//! What the lines of a sale are taxed: by one authority or by several, added to the price or
//! contained in it, rounded on each line or once for the receipt.
//!
//! Whatever the rounding, the tax of a line is the sum of its parts, and the tax of a sale the sum of
//! its lines: so that a line which comes back gives back exactly what was paid on it. What decides on
//! it is in the cart: the taxes of its lines, how its store taxes, and its customer's exemption.

use std::collections::BTreeMap;

use catalog::{Settings, TaxHoliday, TaxPart, TaxRounding, TaxThreshold};
use money::{Money, Rate, Rounding, apportion};
use serde::{Deserialize, Serialize};

use crate::terms::is_plain;
use crate::{Cart, Line, LineTotal, LocalTime};

/// How a store taxes, besides the taxes of its items; a sale keeps to what was set when it began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TaxRules {
    #[serde(skip_serializing_if = "is_plain")]
    pub rounding: TaxRounding,
    /// Whether a deposit is taxed like what it is charged with.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub deposits_taxed: bool,
}

impl TaxRules {
    pub(crate) fn of(settings: &Settings) -> TaxRules {
        TaxRules {
            rounding: settings.tax_rounding,
            deposits_taxed: settings.deposits_taxed,
        }
    }
}

/// What one authority takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartTotal {
    /// The authority, such as a state or a city.
    pub name: String,
    pub rate: Rate,
    /// What it takes its rate of: nothing below its threshold and on its holidays.
    pub taxable: Money,
    pub amount: Money,
}

/// What is out of the ordinary about the tax of a line.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TaxDetail {
    /// Nothing was added, because the customer showed a certificate.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub exempt: bool,
    /// The deposit was taxed, too.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub deposit_taxed: bool,
    /// Where several authorities tax a line: what each takes of it, in the order of its tax.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<PartTotal>,
}

impl TaxDetail {
    pub fn is_plain(&self) -> bool {
        is_plain(self)
    }
}

impl LineTotal {
    /// What tax is counted of, whether anything is taken or not.
    pub fn taxable(&self) -> Money {
        match self.tax_detail.deposit_taxed {
            true => self.net() + self.deposit,
            false => self.net(),
        }
    }
}

/// What one authority takes of one line.
struct Share<'a> {
    /// The line's place.
    place: usize,
    /// The authority, where there are several; the category's id where there is one.
    of: (bool, &'a str),
    rate: Rate,
    /// The tax is `rate / whole` of the taxable amount, in millionths.
    whole: i64,
    taxable: Money,
    amount: Money,
}

/// Taxes lines that sell, whose other amounts are known. `at` is the moment for which they are
/// priced.
pub(crate) fn assess(cart: &Cart, lines: &mut [(&Line, LineTotal)], at: LocalTime) {
    let rules = cart.terms.place.tax;
    let certified = cart.terms.standing.exemption.is_some();
    let day = at.business_day().0;
    let mut shares: Vec<Share<'_>> = Vec::with_capacity(lines.len());
    for (place, (line, total)) in lines.iter_mut().enumerate() {
        total.tax_detail.exempt = certified && !line.tax.included;
        total.tax_detail.deposit_taxed = rules.deposits_taxed && !total.deposit.is_zero();
        if !total.tax_detail.exempt {
            shares.extend(shares_of(place, line, total, &day));
        }
    }
    match rules.rounding {
        TaxRounding::Line => shares.iter_mut().for_each(Share::round),
        TaxRounding::Invoice => round_together(&mut shares),
    }
    for share in shares {
        let (_, total) = &mut lines[share.place];
        total.tax += share.amount;
        if let (true, name) = share.of {
            total.tax_detail.parts.push(PartTotal {
                name: name.to_owned(),
                rate: share.rate,
                taxable: share.taxable,
                amount: share.amount,
            });
        }
    }
}

fn shares_of<'a>(place: usize, line: &'a Line, total: &LineTotal, day: &str) -> Vec<Share<'a>> {
    let zero = Money::zero(total.extended.currency());
    let share = |of, rate, taxable| Share {
        place,
        of,
        rate,
        whole: Rate::WHOLE,
        taxable,
        amount: zero,
    };
    let mut shares: Vec<Share<'a>> = match line.tax.parts.as_slice() {
        [] => vec![share(
            (false, &line.tax.id.0),
            line.tax.rate,
            total.taxable(),
        )],
        parts => parts
            .iter()
            .map(|part| {
                share(
                    (true, &part.name),
                    part.rate,
                    taxed_by(part, line, total, day),
                )
            })
            .collect(),
    };
    // A price that contains its taxes contains those that are taken.
    if line.tax.included {
        let taken = shares.iter().filter(|share| !share.taxable.is_zero());
        let rates: i64 = taken.map(|share| share.rate.millionths()).sum();
        shares.iter_mut().for_each(|share| share.whole += rates);
    }
    shares
}

/// What an authority takes its rate of. Its limits are about the price of a piece after discounts,
/// the deposit apart; goods that are weighed are one piece.
fn taxed_by(part: &TaxPart, line: &Line, total: &LineTotal, day: &str) -> Money {
    let net = total.net();
    let none = Money::zero(net.currency());
    let pieces = i128::from(line.quantity.pieces().unwrap_or(1).max(1));
    let whole = i128::from(net.minor());
    let limit = |price: Money| i128::from(price.minor()) * pieces;
    let free = |holiday: &TaxHoliday| {
        let days = holiday.first_day.as_str()..=holiday.last_day.as_str();
        days.contains(&day) && holiday.price_max.is_none_or(|max| whole <= limit(max))
    };
    if part.holidays.iter().any(free) {
        return none;
    }
    match part.threshold {
        Some(TaxThreshold::ExemptBelow(price)) if whole < limit(price) => none,
        Some(TaxThreshold::OnlyAbove(price)) => {
            let over = i64::try_from(whole - limit(price)).unwrap_or(0);
            Money::from_minor(over.max(0), net.currency())
        }
        Some(TaxThreshold::ExemptBelow(_)) | None => total.taxable(),
    }
}

impl Share<'_> {
    fn round(&mut self) {
        self.amount = self.of_taxable(self.taxable);
    }

    fn of_taxable(&self, taxable: Money) -> Money {
        let rounding = match self.whole {
            Rate::WHOLE => planted::instead("tax-rounded-down", Rounding::Down, Rounding::HalfUp),
            _ => Rounding::HalfUp,
        };
        taxable.ratio(self.rate.millionths(), self.whole, rounding)
    }
}

/// Rounds once for all that one authority takes at one rate, and divides that by largest remainder.
fn round_together(shares: &mut [Share<'_>]) {
    let mut groups: BTreeMap<_, Vec<usize>> = BTreeMap::new();
    for (place, share) in shares.iter().enumerate() {
        let key = (share.of, share.rate, share.whole);
        groups.entry(key).or_default().push(place);
    }
    for places in groups.values() {
        let Some(first) = places.first().map(|place| &shares[*place]) else {
            continue;
        };
        let taxable: Vec<Money> = places.iter().map(|place| shares[*place].taxable).collect();
        let zero = Money::zero(first.taxable.currency());
        let tax = first.of_taxable(taxable.iter().fold(zero, |sum, one| sum + *one));
        let weights: Vec<i64> = taxable.iter().map(|one| one.minor()).collect();
        for (place, amount) in places.iter().zip(apportion(tax, &weights)) {
            shares[*place].amount = amount;
        }
    }
}
