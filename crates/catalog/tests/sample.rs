//! The sample store imports without a problem, and what it says one can scan is there.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use catalog::{
    CodeRules, EmbeddedLayout, Import, Item, ItemCode, ItemId, Record, Role, ScannedCode, Settings,
    Tier,
};
use money::{Currency, Unit};

fn file(name: &str) -> String {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../node/sample");
    std::fs::read_to_string(folder.join(name)).unwrap()
}

/// Every record of a file; a problem fails the test with its line and column.
fn records(name: &str) -> Vec<Record> {
    let map_pin = Box::new(|pin: &str| format!("{} digits", pin.len()));
    let text = file(name);
    Import::new(text.as_bytes(), None, Currency::USD, map_pin)
        .map(|record| record.unwrap_or_else(|problem| panic!("{name}: {problem}")))
        .collect()
}

fn items() -> Vec<Item> {
    let item = |record| match record {
        Record::Item(item) => Some(item),
        _ => None,
    };
    records("items.csv").into_iter().filter_map(item).collect()
}

#[test]
fn items_are_many_and_of_every_kind() {
    let items = items();
    let count = |what: &dyn Fn(&Item) -> bool| items.iter().filter(|item| what(item)).count();
    let has_code = |item: &Item, is: fn(&ItemCode) -> bool| item.codes.iter().any(is);
    assert!(items.len() >= 2000, "{}", items.len());
    assert!(count(&|item| has_code(item, |code| matches!(code, ItemCode::Plu(_)))) >= 60);
    assert!(count(&|item| has_code(item, |code| matches!(code, ItemCode::Embedded(_)))) >= 10);
    assert!(count(&|item| item.age_min == Some(21)) >= 50);
    assert!(count(&|item| item.sold_by == Unit::Kilogram) >= 50);
    let deposits: BTreeSet<i64> = items
        .iter()
        .filter_map(|i| Some(i.deposit?.minor()))
        .collect();
    assert!(deposits.contains(&5) && deposits.contains(&10));
    let descriptions: BTreeSet<&str> = items.iter().map(|i| i.description.as_str()).collect();
    assert_eq!(descriptions.len(), items.len());
}

#[test]
fn gtins_are_the_stores_own_and_never_an_embedded_code() {
    let mut gtins = 0;
    for item in items() {
        for code in &item.codes {
            let ItemCode::Gtin(gtin) = code else {
                continue;
            };
            gtins += 1;
            let digits = gtin.to_string();
            assert!(
                digits.starts_with("0041") || digits.starts_with("029"),
                "{digits}"
            );
            let layouts = EmbeddedLayout::defaults();
            assert_eq!(scanned(&digits[1..], &layouts), *code);
        }
    }
    assert!(gtins >= 1800, "{gtins}");
}

/// The code by which a scan finds its item.
fn scanned(text: &str, layouts: &[EmbeddedLayout]) -> ItemCode {
    let rules = CodeRules {
        layouts,
        currency: Currency::USD,
        this_year: 2026,
    };
    match ScannedCode::parse(text, &rules).unwrap() {
        ScannedCode::Item(item) => item.code,
        ScannedCode::Coupon(coupon) => panic!("{text} is coupon {coupon:?}"),
    }
}

#[test]
fn departments_and_taxes_fit_the_items() {
    let mut departments = BTreeMap::new();
    for record in records("departments.csv") {
        let Record::Department(department) = record else {
            panic!("{record:?}");
        };
        departments.insert(department.id.clone(), department);
    }
    assert_eq!(departments.len(), 12);
    let mut rates = BTreeMap::new();
    for record in records("taxes.csv") {
        let Record::Tax(tax) = record else {
            panic!("{record:?}");
        };
        rates.insert(tax.id.clone(), tax.rate.to_string());
    }
    let rates: Vec<String> = rates.into_values().collect();
    assert_eq!(rates, ["0%", "2%", "8.25%"]);
    let mut used = BTreeSet::new();
    for record in records("items.csv") {
        match record {
            // The items' file gives departments the very same names.
            Record::Department(named) => assert_eq!(departments[&named.id], named),
            Record::Item(item) => {
                used.insert(item.tax.0.clone());
                assert!(departments.contains_key(&item.department));
            }
            _ => {}
        }
    }
    assert_eq!(
        used.into_iter().collect::<Vec<_>>(),
        ["none", "reduced", "standard"]
    );
}

#[test]
fn people_have_roles_and_tiers() {
    let mut roles = BTreeMap::new();
    for record in records("employees.csv") {
        let Record::Employee(employee) = record else {
            panic!("{record:?}");
        };
        *roles.entry(employee.role).or_insert(0) += 1;
    }
    let expected = [
        (Role::Cashier, 4),
        (Role::Supervisor, 2),
        (Role::Manager, 2),
    ];
    assert_eq!(roles, BTreeMap::from(expected));
    let mut tiers = BTreeMap::new();
    for record in records("customers.csv") {
        let Record::Customer(customer) = record else {
            panic!("{record:?}");
        };
        assert!(customer.phone.unwrap().contains("555-01"));
        *tiers.entry(customer.tier).or_insert(0) += 1;
    }
    let expected = [(Tier::Basic, 125), (Tier::Silver, 50), (Tier::Gold, 25)];
    assert_eq!(tiers, BTreeMap::from(expected));
}

#[test]
fn settings_are_read() {
    let settings: Settings = toml::from_str(&file("settings.toml")).unwrap();
    assert_eq!(settings.currency, Currency::USD);
    assert_eq!(settings.time_zone, "America/New_York");
    assert_eq!(settings.embedded_codes, EmbeddedLayout::defaults());
    assert!(!settings.store_name.is_empty() && !settings.address.is_empty());
}

#[test]
fn what_to_scan_is_there() {
    let items = items();
    let mut by_code: BTreeMap<ItemCode, &ItemId> = BTreeMap::new();
    for item in &items {
        by_code.insert(ItemCode::Internal(item.id.0.clone()), &item.id);
        for code in &item.codes {
            by_code.insert(code.clone(), &item.id);
        }
    }
    let text = file("what-to-scan.csv");
    let mut rows = csv::Reader::from_reader(text.as_bytes());
    let mut examples = 0;
    for row in rows.records() {
        let row = row.unwrap();
        let scan = &row[0];
        let layouts = EmbeddedLayout::defaults();
        let internal = ItemCode::Internal(scan.to_owned());
        let code = if by_code.contains_key(&internal) {
            internal
        } else {
            scanned(scan, &layouts)
        };
        assert_eq!(
            by_code.get(&code).map(|id| id.0.as_str()),
            Some(&row[1]),
            "{scan}"
        );
        examples += 1;
    }
    assert_eq!(examples, 12);
}
