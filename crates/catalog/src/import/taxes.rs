//! Rows that are tax categories, with the parts of those that several authorities share.
//!
//! A part is written as `City 4.5 exempt-below 110 holiday 2026-08-01 2026-08-07 up-to 100`: the
//! authority, its percentage, a threshold (`exempt-below` or `only-above` a price per piece) and any
//! number of holidays, each with the dearest piece for which it holds. Parts are divided by `;`.

use money::{Currency, Money, Rate};

use super::header::Cells;
use super::reference::NO_TAX;
use super::words::{nice, slug};
use super::{ImportProblem, Problems, Seen, both};
use crate::gs1::days_of_month;
use crate::{Record, TaxCategory, TaxHoliday, TaxId, TaxPart, TaxThreshold};

/// The most authorities that share one tax, and the most holidays of one of them.
const PARTS_MAX: usize = 10;
const HOLIDAYS_MAX: usize = 20;

pub(super) fn tax(
    cells: &Cells<'_>,
    currency: Currency,
    seen: &mut Seen,
) -> Result<Vec<Record>, Problems> {
    let field = "tax_id";
    let named = cells.needed(field).and_then(|text| match slug(text) {
        none if none.is_empty() => Err(cells.problem(field, "it has no letter or digit")),
        id => Ok((text, id)),
    });
    let rate = cells.needed("rate").and_then(|text| {
        let why = "write a percentage from 0 to 100, such as 8.25";
        rate(text).ok_or_else(|| cells.problem("rate", why))
    });
    let rates = both(rate, both(cells.yes("included"), parts(cells, currency)));
    let (((text, id), name), (rate, (included, parts))) =
        both(both(named, cells.text("name")), rates)?;
    let name = match name {
        "" => nice(text),
        name => name.to_owned(),
    };
    if id == NO_TAX && rate != Rate::ZERO {
        let why = "'none' is the tax of items without one: its rate is 0";
        return Err(cells.problem(field, why).into());
    }
    let sum: i64 = parts.iter().map(|part| part.rate.millionths()).sum();
    if !parts.is_empty() && sum != rate.millionths() {
        let why = "the rates of the parts do not add up to the rate";
        return Err(cells.problem("parts", why).into());
    }
    seen.note(cells, &[(field, id.clone())])?;
    Ok(vec![Record::Tax(TaxCategory {
        id: TaxId(id),
        name,
        rate,
        included,
        parts,
    })])
}

fn rate(text: &str) -> Option<Rate> {
    Rate::parse_percent(text.trim_end_matches('%')).ok()
}

fn parts(cells: &Cells<'_>, currency: Currency) -> Result<Vec<TaxPart>, ImportProblem> {
    let why = "write parts like: State 4; City 4.5 exempt-below 110 holiday 2026-08-01 2026-08-07 up-to 100";
    cells.list("parts", PARTS_MAX, why, |text| part(text, currency))
}

fn part(text: &str, currency: Currency) -> Option<TaxPart> {
    let words: Vec<&str> = text.split_whitespace().collect();
    // A name may have digits: its rate is the last word before the clauses.
    let clauses = ["exempt-below", "only-above", "holiday"];
    let end = words.iter().position(|word| clauses.contains(word));
    let at = end
        .unwrap_or(words.len())
        .checked_sub(1)
        .filter(|at| *at > 0)?;
    let mut part = TaxPart {
        name: words[..at].join(" "),
        rate: rate(words[at])?,
        threshold: None,
        holidays: Vec::new(),
    };
    let mut rest = &words[at + 1..];
    while !rest.is_empty() {
        rest = clause(&mut part, rest, currency)?;
    }
    Some(part)
}

/// Reads one clause and gives what follows it.
fn clause<'w, 't>(
    part: &mut TaxPart,
    words: &'w [&'t str],
    currency: Currency,
) -> Option<&'w [&'t str]> {
    let price = |text: &str| {
        let price = Money::parse(text, currency).ok()?;
        (price.minor() > 0).then_some(price)
    };
    match words {
        ["exempt-below", text, rest @ ..] if part.threshold.is_none() => {
            part.threshold = Some(TaxThreshold::ExemptBelow(price(text)?));
            Some(rest)
        }
        ["only-above", text, rest @ ..] if part.threshold.is_none() => {
            part.threshold = Some(TaxThreshold::OnlyAbove(price(text)?));
            Some(rest)
        }
        ["holiday", first, last, rest @ ..] if part.holidays.len() < HOLIDAYS_MAX => {
            if !(is_date(first) && is_date(last) && first <= last) {
                return None;
            }
            let (price_max, rest) = match rest {
                ["up-to", text, rest @ ..] => (Some(price(text)?), rest),
                rest => (None, rest),
            };
            part.holidays.push(TaxHoliday {
                first_day: (*first).to_owned(),
                last_day: (*last).to_owned(),
                price_max,
            });
            Some(rest)
        }
        _ => None,
    }
}

/// Whether a text is a date as ISO 8601 writes it. Such dates sort as text.
fn is_date(text: &str) -> bool {
    let mut fields = text.split('-').map(|field| {
        let digits = field.bytes().all(|b| b.is_ascii_digit());
        digits.then(|| (field.len(), field.parse::<i32>().unwrap_or(0)))
    });
    let (year, month, day) = match (fields.next(), fields.next(), fields.next(), fields.next()) {
        (Some(Some((4, year))), Some(Some((2, month))), Some(Some((2, day))), None) => {
            (year, month, day)
        }
        _ => return false,
    };
    days_of_month(year, month).is_some_and(|longest| (1..=longest).contains(&day))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_days_of_the_calendar() {
        let check = |text: &str, expected: bool| assert_eq!(is_date(text), expected, "{text}");
        check("2026-08-01", true);
        check("2028-02-29", true);
        check("2100-02-29", false);
        check("2026-02-29", false);
        check("2026-13-01", false);
        check("2026-04-31", false);
        check("2026-4-30", false);
        check("2026-04-00", false);
        check("20260401", false);
        check("2026-04-01-01", false);
    }
}
