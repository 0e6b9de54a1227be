//! Past baskets from a CSV file, one row per line of a basket.
//!
//! A row that cannot be used is named and left out; the rest is read. Whether a quantity is pieces or
//! kilograms is for the item to say, so it is read with the catalog beside.

use std::collections::BTreeMap;
use std::fmt;

use anyhow::Context;
use catalog::{Item, ItemId};
use csv::{ReaderBuilder, StringRecord, Trim};
use money::{Quantity, Unit};
use promotions::Moment;

/// Column names that mean the same; the first of them that the header has is read.
const ITEM: [&str; 2] = ["item", "product_id"];
const QUANTITY: [&str; 1] = ["quantity"];
const BASKET: [&str; 2] = ["basket", "basket_id"];
const TIME: [&str; 2] = ["time", "transaction_timestamp"];
const HOUSEHOLD: [&str; 2] = ["household", "household_id"];

/// A basket that was sold once.
#[derive(Debug, PartialEq, Eq)]
pub struct Past {
    /// On the store's clock, where the file tells.
    pub time: Option<Moment>,
    pub household: Option<String>,
    pub lines: Vec<(ItemId, Quantity)>,
}

/// What is wrong with a row.
#[derive(Debug, PartialEq, Eq)]
pub struct BadRow {
    /// The line of the file, from 1.
    pub line: u64,
    pub why: String,
}

impl fmt::Display for BadRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.why)
    }
}

/// What a file holds.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct PastFile {
    /// In the order of time; those of the same time, or of none, in the order of the file.
    pub baskets: Vec<Past>,
    pub bad: Vec<BadRow>,
    /// Items that the catalog has not, and how many rows each has.
    pub unknown: BTreeMap<ItemId, u64>,
}

/// Where the columns stand.
struct Columns {
    item: usize,
    quantity: usize,
    basket: Option<usize>,
    time: Option<usize>,
    household: Option<usize>,
}

/// A row that can be used, of the basket that it names.
struct Row {
    basket: String,
    time: Option<Moment>,
    household: Option<String>,
    item: ItemId,
    /// `None` where the catalog has not the item.
    quantity: Option<Quantity>,
}

/// Reads past baskets. Fails where the header lacks a column that is needed.
pub fn read(bytes: &[u8], items: &BTreeMap<ItemId, Item>) -> anyhow::Result<PastFile> {
    let mut reader = ReaderBuilder::new().trim(Trim::All).from_reader(bytes);
    let columns = Columns::of(reader.headers().context("the baskets have no header")?)?;
    let mut file = PastFile::default();
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    for record in reader.records() {
        let (line, row) = match &record {
            Ok(record) => (record.position(), columns.row(record, items)),
            Err(error) => (error.position(), Err(unreadable(error))),
        };
        let line = line.map_or(0, csv::Position::line);
        if let Err(why) = row.and_then(|row| file.add(row, &mut places)) {
            file.bad.push(BadRow { line, why });
        }
    }
    file.baskets.sort_by_key(|basket| basket.time);
    Ok(file)
}

fn unreadable(error: &csv::Error) -> String {
    match error.kind() {
        csv::ErrorKind::UnequalLengths {
            expected_len, len, ..
        } => format!("it has {len} cells, and the header has {expected_len}"),
        csv::ErrorKind::Utf8 { .. } => "it is not UTF-8 text".to_owned(),
        _ => format!("it cannot be read: {error}"),
    }
}

impl Columns {
    fn of(header: &StringRecord) -> anyhow::Result<Columns> {
        let column = |names: &[&str]| {
            let mut found = names
                .iter()
                .filter_map(|name| header.iter().position(|title| title == *name));
            found.next()
        };
        let needed = |names: &[&str]| {
            column(names).with_context(|| {
                let name = names[0];
                format!("the baskets have no column '{name}': they need item and quantity, and may have basket, time and household")
            })
        };
        Ok(Columns {
            item: needed(&ITEM)?,
            quantity: needed(&QUANTITY)?,
            basket: column(&BASKET),
            time: column(&TIME),
            household: column(&HOUSEHOLD),
        })
    }

    fn row(&self, record: &StringRecord, items: &BTreeMap<ItemId, Item>) -> Result<Row, String> {
        let text = |column: usize| record.get(column).unwrap_or_default();
        let stated = |column: Option<usize>| column.map(text).filter(|text| !text.is_empty());
        let item = text(self.item);
        if item.is_empty() {
            return Err("it names no item".to_owned());
        }
        let basket = match (self.basket, stated(self.basket)) {
            (Some(_), None) => return Err("it names no basket".to_owned()),
            (_, basket) => basket.unwrap_or_default(),
        };
        let item = ItemId(item.to_owned());
        let found = items.get(&item);
        // What is not in the catalog may be weighed.
        let unit = found.map_or(Unit::Kilogram, |item| item.sold_by);
        let quantity = Quantity::parse(text(self.quantity), unit).map_err(|e| e.to_string())?;
        Ok(Row {
            basket: basket.to_owned(),
            time: stated(self.time).map(time).transpose()?,
            household: stated(self.household).map(str::to_owned),
            item,
            quantity: found.map(|_| quantity),
        })
    }
}

fn time(text: &str) -> Result<Moment, String> {
    let time = Moment::parse(text).filter(|time| time.seconds() >= 0);
    time.ok_or_else(|| format!("'{text}' is not a time: write one like 2026-11-27 09:00:00"))
}

impl PastFile {
    /// Adds a row to its basket, which the first of its rows begins.
    fn add(&mut self, row: Row, places: &mut BTreeMap<String, usize>) -> Result<(), String> {
        let next = self.baskets.len();
        let place = *places.entry(row.basket.clone()).or_insert(next);
        if place == next {
            self.baskets.push(Past {
                time: row.time,
                household: row.household.clone(),
                lines: Vec::new(),
            });
        }
        let basket = &mut self.baskets[place];
        if basket.time != row.time || basket.household != row.household {
            let id = row.basket;
            return Err(format!(
                "the basket '{id}' began at another time or for another household"
            ));
        }
        match row.quantity {
            Some(quantity) => basket.lines.push((row.item, quantity)),
            None => *self.unknown.entry(row.item).or_default() += 1,
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use money::Currency;

    use super::*;

    /// `16102` is sold by the piece, `potatoes` by the kilogram.
    fn items() -> BTreeMap<ItemId, Item> {
        let sample = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("sample/items.csv");
        let mut items = super::super::items(&sample, Currency::USD).unwrap();
        let mut potatoes = items[&ItemId("16102".to_owned())].clone();
        potatoes.id = ItemId("potatoes".to_owned());
        potatoes.sold_by = Unit::Kilogram;
        items.insert(potatoes.id.clone(), potatoes);
        items
    }

    /// `8: 16102 2, potatoes 0.4; bad line 3: …; unknown x 1`, baskets by household.
    fn check(text: &str, expected: &str) {
        let file = read(text.as_bytes(), &items()).unwrap();
        let baskets = file.baskets.iter().map(|basket| {
            let lines = basket.lines.iter();
            let lines: Vec<String> = lines
                .map(|(item, count)| format!("{item} {count}"))
                .collect();
            let household = basket.household.as_deref().unwrap_or("?");
            format!("{household}: {}", lines.join(", "))
        });
        let bad = file.bad.iter().map(|bad| format!("bad {bad}"));
        let unknown = file
            .unknown
            .iter()
            .map(|(item, rows)| format!("unknown {item} {rows}"));
        let got: Vec<String> = baskets.chain(bad).chain(unknown).collect();
        assert_eq!(got.join("; "), expected, "{text}");
    }

    #[test]
    fn plain_rows_are_one_basket_or_several() {
        check(
            "item,quantity\n16102,2\npotatoes,0.4\n",
            "?: 16102 2, potatoes 0.400 kg",
        );
        check(
            "basket,item,quantity\na,16102,2\nb,16102,1\na,potatoes,1\n",
            "?: 16102 2, potatoes 1.000 kg; ?: 16102 1",
        );
    }

    #[test]
    fn baskets_stand_in_the_order_of_their_time() {
        check(
            "basket_id,household_id,store_id,transaction_timestamp,product_id,quantity,sales_value\n\
             1,8,3,2017-01-02 18:24:46,16102,2,7.38\n\
             2,9,3,2017-01-01 09:00:00,16102,1,3.69\n",
            "9: 16102 1; 8: 16102 2",
        );
    }

    #[test]
    fn a_row_that_cannot_be_used_is_named_and_the_rest_is_read() {
        check(
            "basket,household,time,item,quantity\n\
             a,8,2026-05-01 12:00,16102,1\n\
             a,8,2026-05-01 12:00,16102,0.5\n\
             a,8,2026-05-01 12:00,,1\n\
             a,8,yesterday,16102,1\n\
             a,9,2026-05-01 12:00,16102,1\n\
             ,8,2026-05-01 12:00,16102,1\n\
             a,8\n\
             a,8,2026-05-01 12:00,x,1\n\
             a,8,2026-05-01 12:00,x,many\n\
             a,8,2026-05-01 12:00,16102,4\n",
            "8: 16102 1, 16102 4; \
             bad line 3: this item is sold by the piece: '0.5' must be a whole number; \
             bad line 4: it names no item; \
             bad line 5: 'yesterday' is not a time: write one like 2026-11-27 09:00:00; \
             bad line 6: the basket 'a' began at another time or for another household; \
             bad line 7: it names no basket; \
             bad line 8: it has 2 cells, and the header has 5; \
             bad line 10: 'many' is not a quantity: write a number such as 3 or 0.455; \
             unknown x 1",
        );
    }

    #[test]
    fn a_header_without_a_needed_column_is_refused() {
        let error = read(b"basket,item\n1,16102\n", &items()).unwrap_err();
        assert!(
            error.to_string().contains("no column 'quantity'"),
            "{error}"
        );
    }
}
