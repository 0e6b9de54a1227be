//! What the simulated store sells, and who works there.

use std::collections::BTreeMap;

use catalog::{
    Action, Department, Employee, EmployeeId, Item, ItemCode, ItemId, Record, Role, Settings,
    TaxCategory,
};
use money::{Currency, Money, Rate, Unit};

use crate::random::Dice;

const CURRENCY: Currency = Currency::USD;
/// The one PIN of everybody; the simulated check compares texts.
pub const PIN: &str = "2468";
/// They take turns at the lanes.
pub const CASHIERS: [&str; 2] = ["101", "102"];
/// Approves what cashiers may not do.
pub const SUPERVISOR: &str = "201";
/// Closes the day.
pub const MANAGER: &str = "301";
/// Sold by the kilogram.
const WEIGHED: &str = "BANANAS";
/// Needs a look at the buyer's age.
const RESTRICTED: &str = "WINE";
/// The years that the restricted item needs.
pub const AGE_MIN: u8 = 18;
/// No item has this code.
pub const UNKNOWN_CODE: &str = "NO-SUCH-ITEM";

/// Item id, price in cents, tax.
const PIECES: [(&str, i64, &str); 10] = [
    ("BREAD", 349, "none"),
    ("MILK", 189, "none"),
    ("EGGS", 425, "none"),
    ("PASTA", 175, "none"),
    ("SAUCE", 260, "none"),
    ("SOAP", 310, "standard"),
    ("TOWELS", 899, "standard"),
    ("COLA", 125, "standard"),
    ("WINE", 1199, "standard"),
    ("CARD", 499, "included"),
];

/// More than there are items.
pub const ITEMS_MAX: usize = 100;
/// The item with a bottle deposit, and the deposit in cents.
const DEPOSIT: (&str, i64) = ("COLA", 10);
/// The price per kilogram of what is weighed, in cents.
const WEIGHED_CENTS: i64 = 152;

/// What an item costs before any change, in cents; 0 for what is not sold here.
pub fn first_price_minor(item: &str) -> i64 {
    let piece = PIECES.iter().find(|(id, ..)| *id == item);
    match piece {
        Some((_, cents, _)) => *cents,
        None if item == WEIGHED => WEIGHED_CENTS,
        None => 0,
    }
}

/// The tax of an item: millionths, and whether the price contains it.
pub fn tax_millionths(item: &str) -> (i64, bool) {
    let piece = PIECES.iter().find(|(id, ..)| *id == item);
    match piece.map(|(_, _, tax)| *tax) {
        Some("standard") => (82_500, false),
        Some("included") => (50_000, true),
        _ => (0, false),
    }
}

/// The bottle deposit on a piece of an item, in cents.
pub fn deposit_minor(item: &str) -> i64 {
    if item == DEPOSIT.0 { DEPOSIT.1 } else { 0 }
}

/// Three for a price, and a tenth off: promotions that span lines.
const PROMOTIONS: &str = r#"
schema = 1

[[promotion]]
id = "pasta-night"
name = "Pasta and sauce, 3 for 5.00"
n_for = { units = 3, price = "5.00" }
items = ["PASTA", "SAUCE"]
"#;

fn item(id: &str, cents: i64, tax: &str) -> Item {
    Item {
        id: ItemId::from(id),
        description: id.to_lowercase(),
        department: "all".into(),
        brand: None,
        sold_by: match id == WEIGHED {
            true => Unit::Kilogram,
            false => Unit::Each,
        },
        price: Money::from_minor(cents, CURRENCY),
        earlier_prices: Vec::new(),
        price_since: Default::default(),
        tax: tax.into(),
        age_min: (id == RESTRICTED).then_some(AGE_MIN),
        deposit: (id == DEPOSIT.0).then(|| Money::from_minor(DEPOSIT.1, CURRENCY)),
        codes: Vec::<ItemCode>::new(),
        selling: Default::default(),
    }
}

fn tax(id: &str, millionths_percent: &str, included: bool) -> Option<Record> {
    let rate = Rate::parse_percent(millionths_percent).ok()?;
    Some(Record::Tax(TaxCategory {
        id: id.into(),
        name: format!("{id} tax"),
        rate,
        included,
        parts: Vec::new(),
    }))
}

fn employee(id: &str, name: &str, role: Role) -> Record {
    Record::Employee(Employee {
        id: EmployeeId::from(id),
        name: name.to_owned(),
        role,
        pin_hash: PIN.to_owned(),
    })
}

/// A supervisor voids what a customer has left at the lane.
fn settings() -> Settings {
    Settings {
        permissions: BTreeMap::from([(Action::VoidSale, Role::Supervisor)]),
        ..Settings::default()
    }
}

/// The reference data that a new store is given.
pub fn everything() -> Vec<Record> {
    let mut records = vec![
        Record::Settings(settings()),
        Record::Department(Department {
            id: "all".into(),
            name: "All".to_owned(),
        }),
        employee(CASHIERS[0], "Ada", Role::Cashier),
        employee(CASHIERS[1], "Ben", Role::Cashier),
        employee(SUPERVISOR, "Cleo", Role::Supervisor),
        employee(MANAGER, "Dora", Role::Manager),
    ];
    records.extend(tax("none", "0", false));
    records.extend(tax("standard", "8.25", false));
    records.extend(tax("included", "5", true));
    records.push(Record::Item(item(WEIGHED, WEIGHED_CENTS, "none")));
    records.extend(PIECES.map(|(id, cents, tax)| Record::Item(item(id, cents, tax))));
    records.push(Record::Promotions(PROMOTIONS.to_owned()));
    records
}

/// New prices for some items: the records, and the prices in cents. `number` counts the changes, so
/// that no price is ever set twice and each tells who set it.
pub fn new_prices(dice: &mut Dice, number: usize) -> (Vec<Record>, BTreeMap<ItemId, i64>) {
    let mut pieces = PIECES;
    dice.shuffle(&mut pieces);
    let changed = dice.between(1, 4) as usize;
    let mut records = Vec::new();
    let mut prices = BTreeMap::new();
    for (id, cents, tax) in &pieces[..changed] {
        let cents = cents + 1 + number as i64;
        records.push(Record::Item(item(id, cents, tax)));
        prices.insert(ItemId::from(*id), cents);
    }
    (records, prices)
}

/// An item that a store of this currency cannot sell.
pub fn foreign() -> Record {
    Record::Item(Item {
        price: Money::from_minor(700, Currency::EUR),
        ..item("FOREIGN", 700, "none")
    })
}

/// A code to scan and, for what is not one piece, how much of it. A line of several pieces, where that
/// is known, is not weighed.
pub fn pick(dice: &mut Dice, pieces: Option<u32>) -> (String, Option<String>) {
    match (dice.between(1, 20), pieces) {
        (1, _) => (UNKNOWN_CODE.to_owned(), None),
        (2 | 3, None | Some(1)) => {
            let grams = dice.between(50, 2_500);
            let weight = format!("{}.{:03}", grams / 1000, grams % 1000);
            (WEIGHED.to_owned(), Some(weight))
        }
        (4..=6, None) => {
            let (id, ..) = dice.pick(&PIECES);
            let id = (*id).to_owned();
            (id, Some(dice.between(2, 6).to_string()))
        }
        _ => {
            let (id, ..) = dice.pick(&PIECES);
            let several = pieces.filter(|pieces| *pieces > 1);
            ((*id).to_owned(), several.map(|pieces| pieces.to_string()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use promotions::{CompiledBook, PromotionFile};

    #[test]
    fn the_promotions_compile_and_every_tax_exists() {
        let file = PromotionFile::parse(PROMOTIONS).unwrap();
        CompiledBook::compile(&file, CURRENCY).unwrap();
        let taxes = everything()
            .iter()
            .filter(|r| matches!(r, Record::Tax(_)))
            .count();
        assert_eq!(taxes, 3);
    }
}
