//! Rows that are items, departments and recalls.

use money::{Currency, Money, Rate, Unit};

use super::header::Cells;
use super::selling::selling;
use super::words::{nice, size, slug};
use super::{ImportProblem, Problems, Seen, both};
use crate::{
    BookVersion, CodeError, Department, DepartmentId, Item, ItemCode, ItemId, Recall, Record,
    Selling, TaxCategory, TaxId,
};

/// The tax of items for which no tax is stated.
pub(super) const NO_TAX: &str = "none";

/// An item, after the department and the tax that it is the first in the file to name.
pub(super) fn item(
    cells: &Cells<'_>,
    currency: Currency,
    seen: &mut Seen,
) -> Result<Vec<Record>, Problems> {
    let named = both(
        own_number(cells),
        both(department_named(cells), description(cells)),
    );
    let told = both(cells.text("brand"), both(cells.text("tax"), age_min(cells)));
    let sold = selling(cells).and_then(|selling| {
        let priced = priced(cells, selling.open_price, currency)?;
        let floor = floor(cells, priced.price, currency)?;
        if selling.gift_card && priced.sold_by == Unit::Kilogram {
            let why = "a gift card is sold by the piece";
            return Err(cells.problem("gift_card", why).into());
        }
        Ok((priced, Selling { floor, ..selling }))
    });
    let ((own, (department, description)), ((brand, (tax, age_min)), (priced, selling))) =
        both(named, both(told, sold))?;
    let tax = match slug(tax) {
        none if none.is_empty() => TaxId::from(NO_TAX),
        tax => TaxId(tax),
    };
    let Priced {
        codes,
        price,
        sold_by,
        deposit,
    } = priced;
    let item = Item {
        id: ItemId::from(own),
        description,
        department: department.id.clone(),
        brand: Some(brand.to_owned()).filter(|brand| !brand.is_empty()),
        sold_by,
        price,
        earlier_prices: Vec::new(),
        price_since: BookVersion::default(),
        tax,
        age_min,
        deposit,
        codes: codes.iter().map(|(_, code)| code.clone()).collect(),
        selling,
    };
    let mut keys = vec![("item_id", ItemCode::Internal(own.to_owned()).key())];
    keys.extend(codes.iter().map(|(field, code)| (*field, code.key())));
    seen.note(cells, &keys)?;
    Ok(with_what_it_names(item, department, seen))
}

fn own_number<'a>(cells: &Cells<'a>) -> Result<&'a str, ImportProblem> {
    let text = cells.needed("item_id")?;
    match ItemCode::parse_internal(text) {
        Ok(_) => Ok(text),
        Err(_) => Err(cells.problem("item_id", "write at most 48 letters, digits and dashes")),
    }
}

/// What a row says of codes and money, which must fit together.
struct Priced {
    codes: Vec<(&'static str, ItemCode)>,
    price: Money,
    sold_by: Unit,
    deposit: Option<Money>,
}

fn priced(cells: &Cells<'_>, open_price: bool, currency: Currency) -> Result<Priced, Problems> {
    let costs = both(price(cells, currency), deposit(cells, currency));
    let (codes, ((field, price, sold_by), deposit)) = both(codes(cells), costs)?;
    let is_embedded = |(_, code): &(_, ItemCode)| matches!(code, ItemCode::Embedded(_));
    if price.is_zero() && !open_price && !codes.iter().any(is_embedded) {
        let why = "a price of 0 would give it away; only items with an e: code or an open price may have it";
        return Err(cells.problem(field, why).into());
    }
    if deposit.is_some() && sold_by == Unit::Kilogram {
        let why = "what is sold by weight has no deposit per piece";
        return Err(cells.problem("deposit", why).into());
    }
    Ok(Priced {
        codes,
        price,
        sold_by,
        deposit,
    })
}

/// The least that the item may cost.
fn floor(cells: &Cells<'_>, price: Money, currency: Currency) -> Result<Option<Money>, Problems> {
    let floor = match cells.text("floor")? {
        "" => return Ok(None),
        text => Money::parse(text, currency).ok(),
    };
    let why = "write an amount such as 2.49, over zero and at most the price";
    let sound = floor.filter(|floor| !floor.is_zero() && !floor.is_negative() && *floor <= price);
    match sound {
        Some(floor) => Ok(Some(floor)),
        None => Err(cells.problem("floor", why).into()),
    }
}

fn with_what_it_names(item: Item, department: Department, seen: &mut Seen) -> Vec<Record> {
    let mut records = Vec::new();
    if item.tax.0 == NO_TAX && !seen.no_tax {
        seen.no_tax = true;
        records.push(Record::Tax(TaxCategory {
            id: item.tax.clone(),
            name: "No tax".to_owned(),
            rate: Rate::ZERO,
            included: false,
            parts: Vec::new(),
        }));
    }
    if seen.departments.insert(department.id.clone()) {
        records.push(Record::Department(department));
    }
    records.push(Record::Item(item));
    records
}

fn department_named(cells: &Cells<'_>) -> Result<Department, ImportProblem> {
    let text = cells.needed("department")?;
    named(text).ok_or_else(|| cells.problem("department", "it has no letter or digit"))
}

fn named(text: &str) -> Option<Department> {
    let id = slug(text);
    (!id.is_empty()).then(|| Department {
        id: DepartmentId(id),
        name: nice(text),
    })
}

/// The description as it stands, or one made of type, brand and size.
fn description(cells: &Cells<'_>) -> Result<String, ImportProblem> {
    let stated = cells.text("description")?;
    if !stated.is_empty() {
        return Ok(stated.to_owned());
    }
    let what = match cells.text("product_type")? {
        "" => {
            let (department, id) = (cells.text("department")?, cells.text("item_id")?);
            format!("{} {id}", nice(department))
        }
        product_type => nice(product_type),
    };
    let parts = [
        what,
        nice(cells.text("brand")?),
        size(cells.text("package_size")?),
    ];
    let filled: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    Ok(filled.join(", "))
}

/// Every code of the row with the column it stands in.
fn codes(cells: &Cells<'_>) -> Result<Vec<(&'static str, ItemCode)>, Problems> {
    type Parse = fn(&str) -> Result<ItemCode, CodeError>;
    let columns: [(&'static str, Parse); 3] = [
        ("gtin", |text| crate::Gtin::parse(text).map(ItemCode::Gtin)),
        ("plu", ItemCode::parse_plu),
        ("codes", ItemCode::parse),
    ];
    let mut codes: Result<Vec<(&'static str, ItemCode)>, Problems> = Ok(Vec::new());
    for (field, parse) in columns {
        let parsed = cells.text(field).and_then(|texts| {
            let texts = texts.split(';').map(str::trim);
            let codes = texts.filter(|text| !text.is_empty()).map(|text| {
                let code = parse(text).map_err(|e| cells.problem(field, advice(field, &e)))?;
                Ok((field, code))
            });
            codes.collect::<Result<Vec<_>, ImportProblem>>()
        });
        codes = both(codes, parsed).map(|(mut known, more)| {
            for (field, code) in more {
                if !known.iter().any(|(_, other)| *other == code) {
                    known.push((field, code));
                }
            }
            known
        });
    }
    codes
}

/// What to do about a code in a file, where a cashier would be told to scan it again.
fn advice(field: &str, error: &CodeError) -> String {
    match error {
        CodeError::WrongCheckDigit { text, expected } => {
            format!("the check digit of {text} does not match: it would be {expected}")
        }
        CodeError::NotAPlu(_) => {
            "PLU codes run from 3000 to 4999, with an 8 or a 9 in front for some: write other short codes into the column codes".to_owned()
        }
        _ if field == "gtin" => {
            "a GTIN has 8, 12, 13 or 14 digits: did a spreadsheet take the zeros in front away?".to_owned()
        }
        _ => "write codes like 4006381333931, 4011, HAM-2 or e:12345, several divided by ;".to_owned(),
    }
}

/// The column with the price, the price, and whether it is for a piece or for a kilogram.
fn price(
    cells: &Cells<'_>,
    currency: Currency,
) -> Result<(&'static str, Money, Unit), ImportProblem> {
    let stated = match cells.text("sold_by")?.to_lowercase().as_str() {
        "" => None,
        "each" | "ea" | "piece" => Some(Unit::Each),
        "kg" | "kilogram" => Some(Unit::Kilogram),
        _ => return Err(cells.problem("sold_by", "write each or kg")),
    };
    let (field, sold_by) = match (cells.text("price")?, cells.text("price_per_kg")?) {
        ("", "") => return Err(cells.problem("price", "there is no price")),
        (_, "") => ("price", stated.unwrap_or(Unit::Each)),
        ("", _) if stated == Some(Unit::Each) => {
            return Err(cells.problem("sold_by", "it says each, but the price is per kilogram"));
        }
        ("", _) => ("price_per_kg", Unit::Kilogram),
        _ => return Err(cells.problem("price_per_kg", "there are two prices: leave one out")),
    };
    Ok((field, amount(cells, field, currency)?, sold_by))
}

/// An amount that is not negative.
fn amount(cells: &Cells<'_>, field: &str, currency: Currency) -> Result<Money, ImportProblem> {
    let wrong = |_| {
        let message = format!("write an amount such as 12.34, as {currency} has it");
        cells.problem(field, message)
    };
    let amount = Money::parse(cells.text(field)?, currency).map_err(wrong)?;
    if amount.is_negative() {
        return Err(cells.problem(field, "it is below zero"));
    }
    Ok(amount)
}

fn age_min(cells: &Cells<'_>) -> Result<Option<u8>, ImportProblem> {
    match cells.text("age_min")? {
        "" | "0" => Ok(None),
        text => match text.parse() {
            Ok(age @ 1..=99) => Ok(Some(age)),
            _ => Err(cells.problem("age_min", "write whole years from 1 to 99, or nothing")),
        },
    }
}

fn deposit(cells: &Cells<'_>, currency: Currency) -> Result<Option<Money>, ImportProblem> {
    if cells.text("deposit")?.is_empty() {
        return Ok(None);
    }
    let deposit = amount(cells, "deposit", currency)?;
    Ok(Some(deposit).filter(|deposit| !deposit.is_zero()))
}

pub(super) fn department(cells: &Cells<'_>, seen: &mut Seen) -> Result<Vec<Record>, Problems> {
    let field = "department_id";
    let department = cells.needed(field).and_then(|text| {
        named(text).ok_or_else(|| cells.problem(field, "it has no letter or digit"))
    });
    let (mut department, name) = both(department, cells.text("name"))?;
    if !name.is_empty() {
        department.name = name.to_owned();
    }
    seen.note(cells, &[(field, department.id.0.clone())])?;
    Ok(vec![Record::Department(department)])
}

/// Goods that must not be sold: an item and its lots divided by `;`, or `*` for all of it. A row
/// without lots lifts the item's recall.
pub(super) fn recall(cells: &Cells<'_>, seen: &mut Seen) -> Result<Vec<Record>, Problems> {
    let numbered = cells.needed("item_id").and_then(|id| {
        let own = ItemCode::parse_internal(id);
        own.map(|own| (id, own))
            .map_err(|_| cells.problem("item_id", "write the item's own number"))
    });
    let told = both(cells.text("recalled_lots"), cells.text("reason"));
    let ((id, own), (text, reason)) = both(numbered, told)?;
    let lots: Vec<String> = text
        .split(';')
        .map(str::trim)
        .filter(|lot| !lot.is_empty() && *lot != "*")
        .map(str::to_owned)
        .collect();
    if lots.len() > Recall::LOTS_MAX {
        let why = "recall all of it with *";
        return Err(cells.problem("recalled_lots", why).into());
    }
    seen.note(cells, &[("item_id", own.key())])?;
    Ok(vec![Record::Recall(Recall {
        item: ItemId::from(id),
        all_lots: text == "*",
        lots,
        reason: reason.to_owned(),
    })])
}
