//! The sample store: the files that ship with the binary, and what of them a person is told.
//!
//! The files are data of the project's own making, in the formats that `lanemesh import` reads;
//! nothing here knows more about them than their header.

use std::io::Read;

use catalog::{Import, Item, Record, Role};
use flate2::read::MultiGzDecoder;
use money::Currency;
use serde::Deserialize;

/// A file of the sample store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SampleFile {
    /// What `import` is told that the file holds.
    pub kind: &'static str,
    pub text: &'static str,
}

macro_rules! sample {
    ($kind:literal, $file:literal) => {
        SampleFile {
            kind: $kind,
            text: include_str!(concat!("../sample/", $file)),
        }
    };
}

/// The files, each after those that it refers to.
pub const FILES: [SampleFile; 7] = [
    sample!("settings", "settings.toml"),
    sample!("taxes", "taxes.csv"),
    sample!("departments", "departments.csv"),
    sample!("items", "items.csv"),
    sample!("employees", "employees.csv"),
    sample!("customers", "customers.csv"),
    sample!("promotions", "promotions.toml"),
];

const WHAT_TO_SCAN: &str = include_str!("../sample/what-to-scan.csv");

/// The currency of the sample store's prices.
pub const CURRENCY: Currency = Currency::USD;

/// The text of the sample file of a kind.
pub fn text_of(kind: &str) -> &'static str {
    let file = FILES.iter().find(|file| file.kind == kind);
    file.map_or("", |file| file.text)
}

/// Someone who can sign in to the sample store, with the PIN that a real store never shows.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Person {
    #[serde(rename = "employee_id")]
    pub number: String,
    pub name: String,
    pub role: Role,
    pub pin: String,
}

/// Everyone who can sign in, as the file has them.
pub fn people() -> Vec<Person> {
    rows(text_of("employees"))
}

/// Something worth scanning, and what it shows.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Suggestion {
    pub scan: String,
    pub shows: String,
}

/// What to scan to see what the lanes can do.
pub fn what_to_scan() -> Vec<Suggestion> {
    rows(WHAT_TO_SCAN)
}

/// The numbers of the sample store's customers.
pub fn customers() -> Vec<String> {
    #[derive(Deserialize)]
    struct Row {
        customer_id: String,
    }
    let rows: Vec<Row> = rows(text_of("customers"));
    rows.into_iter().map(|row| row.customer_id).collect()
}

/// The items of a file that `import` would take, without the rows that it would leave out.
pub fn items(csv: &[u8]) -> Vec<Item> {
    let no_pins = Box::new(|_: &str| String::new());
    Import::new(csv, Some(catalog::ImportKind::Items), CURRENCY, no_pins)
        .filter_map(|record| match record {
            Ok(Record::Item(item)) => Some(item),
            _ => None,
        })
        .collect()
}

/// The same for a file that may be gzip; what is damaged is left out.
pub fn items_of_file(bytes: &[u8]) -> Vec<Item> {
    const GZIP: [u8; 2] = [0x1f, 0x8b];
    if !bytes.starts_with(&GZIP) {
        return items(bytes);
    }
    let mut plain = Vec::new();
    match MultiGzDecoder::new(bytes).read_to_end(&mut plain) {
        Ok(_) => items(&plain),
        Err(_) => Vec::new(),
    }
}

/// Rows of a file that is part of this program; the tests read every one of them.
fn rows<T: for<'a> Deserialize<'a>>(csv: &str) -> Vec<T> {
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    reader.deserialize().filter_map(Result::ok).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_read() {
        let count = |csv: &str| csv::Reader::from_reader(csv.as_bytes()).records().count();
        assert_eq!(people().len(), count(text_of("employees")));
        assert_eq!(customers().len(), count(text_of("customers")));
        assert_eq!(what_to_scan().len(), count(WHAT_TO_SCAN));
        assert_eq!(
            items(text_of("items").as_bytes()).len(),
            count(text_of("items"))
        );
    }

    #[test]
    fn there_is_someone_of_every_role() {
        let roles: Vec<Role> = people().iter().map(|person| person.role).collect();
        for role in [Role::Cashier, Role::Supervisor, Role::Manager] {
            assert!(roles.contains(&role), "{role:?}");
        }
    }

    #[test]
    fn what_to_scan_is_in_the_catalog() {
        let settings: catalog::Settings = toml::from_str(text_of("settings")).unwrap();
        let items = items(text_of("items").as_bytes());
        for suggestion in what_to_scan() {
            let by_id = items.iter().any(|item| item.id.0 == suggestion.scan);
            let rules = catalog::CodeRules {
                layouts: &settings.embedded_codes,
                currency: settings.currency,
                this_year: 2026,
            };
            let by_code = match catalog::ScannedCode::parse(&suggestion.scan, &rules) {
                Ok(catalog::ScannedCode::Item(read)) => {
                    items.iter().any(|item| item.codes.contains(&read.code))
                }
                Ok(catalog::ScannedCode::Coupon(_)) | Err(_) => false,
            };
            assert!(by_id || by_code, "{suggestion:?}");
        }
    }
}
