//! Reference data: versions, prices that carts have pinned, codes that move.

use catalog::{
    BookVersion, Customer, CustomerId, Department, Item, ItemCode, ItemId, Record, Reference,
    Settings, TaxCategory, Tier,
};
use ledger::{Command, ExceptionKind, Outcome};
use money::{Currency, Money, Rate};

use crate::shop::{Shop, employee, item, usd};

fn shop() -> Shop {
    Shop::with_lanes("a")
}

fn stored(shop: &Shop, id: &str) -> Item {
    shop.view().item(&ItemId::from(id)).unwrap()
}

#[test]
fn every_change_is_one_version() {
    let mut shop = shop();
    assert_eq!(shop.view().version(), BookVersion(0));
    assert_eq!(shop.change(vec![]), BookVersion(1));
    let records = vec![
        Record::Item(item("1", 100, &[])),
        Record::Item(item("2", 100, &[])),
        Record::Item(item("1", 110, &[])),
    ];
    assert_eq!(shop.change(records), BookVersion(2));
    assert_eq!(shop.view().version(), BookVersion(2));
    assert_eq!(shop.view().items().unwrap(), 2, "an item counts once");
    assert_eq!(stored(&shop, "1").price_at(BookVersion(2)), usd(110));
}

/// Until its settings say what it is called.
#[test]
fn a_store_is_called_what_it_was_created_as() {
    let mut shop = shop();
    let named = |shop: &Shop| shop.view().settings().store_name;
    assert_eq!(named(&shop), "Corner shop");
    let settings = |name: &str| {
        Record::Settings(Settings {
            store_name: name.to_owned(),
            ..Settings::default()
        })
    };
    shop.change(vec![settings("Corner Shop, Mill Lane")]);
    assert_eq!(named(&shop), "Corner Shop, Mill Lane");
    shop.change(vec![settings("")]);
    assert_eq!(named(&shop), "Corner shop");
}

#[test]
fn each_kind_of_record_is_found_again_and_replaced() {
    let mut shop = shop();
    let (grocery, standard) = ("grocery".into(), "standard".into());
    let (ada, grace) = ("101".into(), CustomerId::from("700"));
    for (name, rate, tier) in [("Old", 5, Tier::Basic), ("New", 8, Tier::Gold)] {
        let department = Department {
            id: "grocery".into(),
            name: name.to_owned(),
        };
        let tax = TaxCategory {
            id: "standard".into(),
            name: name.to_owned(),
            rate: Rate::from_percent(rate),
            included: false,
            parts: Vec::new(),
        };
        let customer = Customer {
            id: grace.clone(),
            name: name.to_owned(),
            tier,
            phone: None,
            detail: Default::default(),
        };
        let settings = Settings {
            store_name: name.to_owned(),
            ..Settings::default()
        };
        shop.change(vec![
            Record::Department(department.clone()),
            Record::Tax(tax.clone()),
            Record::Employee(employee("101")),
            Record::Customer(customer.clone()),
            Record::Settings(settings.clone()),
        ]);
        let view = shop.view();
        assert_eq!(view.department(&grocery), Some(department.clone()));
        assert_eq!(view.departments().unwrap(), [department]);
        assert_eq!(view.tax(&standard), Some(tax));
        assert_eq!(view.employee(&ada), Some(employee("101")));
        assert_eq!(view.customer(&grace), Some(customer));
        assert_eq!(view.settings(), settings);
        view.check().unwrap();
    }
    let view = shop.view();
    assert_eq!(view.item(&ItemId::from("nothing")), None);
    assert_eq!(view.customer(&"nobody".into()), None);
    view.check().unwrap();
}

#[test]
fn a_cart_keeps_the_price_of_its_version() {
    let mut shop = shop();
    shop.change(vec![]);
    for minor in [100, 100, 120, 90] {
        shop.change(vec![Record::Item(item("1", minor, &[]))]);
    }
    let item = stored(&shop, "1");
    for (version, minor) in [
        (0, 100),
        (1, 100),
        (2, 100),
        (3, 100),
        (4, 120),
        (5, 90),
        (9, 90),
    ] {
        assert_eq!(
            item.price_at(BookVersion(version)),
            usd(minor),
            "at version {version}"
        );
    }
}

#[test]
fn imports_cannot_bring_a_price_history_of_their_own() {
    let mut shop = shop();
    let mut forged = item("1", 100, &[]);
    forged.price_since = BookVersion(77);
    forged.earlier_prices = vec![catalog::PriceSince {
        since: BookVersion(0),
        price: usd(1),
    }];
    shop.change(vec![Record::Item(forged)]);
    let item = stored(&shop, "1");
    assert_eq!(item.price_since, BookVersion(1));
    assert!(item.earlier_prices.is_empty());
}

#[test]
fn only_the_last_prices_are_kept() {
    let mut shop = shop();
    for minor in 1..=20 {
        shop.change(vec![Record::Item(item("1", minor, &[]))]);
    }
    let item = stored(&shop, "1");
    assert_eq!(item.earlier_prices.len(), Item::PRICES_KEPT);
    for version in 12..=20 {
        assert_eq!(item.price_at(BookVersion(version)), usd(version as i64));
    }
    // A cart older than all that gets the oldest price known.
    assert_eq!(item.price_at(BookVersion(3)), usd(12));
}

/// Imports items one after the other, `1:4011,4012` for item 1 with two codes; expects which item
/// each code finds then, and how many codes have moved.
fn check_codes(imports: &str, expected: &str, moved: usize) {
    let mut shop = shop();
    for import in imports.split_whitespace() {
        let (id, codes) = import.split_once(':').unwrap();
        let codes: Vec<&str> = codes.split(',').filter(|code| !code.is_empty()).collect();
        shop.change(vec![Record::Item(item(id, 100, &codes))]);
    }
    for found in expected.split_whitespace() {
        let (code, id) = found.split_once('=').unwrap();
        let code = match code.strip_prefix('#') {
            Some(number) => ItemCode::Internal(number.to_owned()),
            None => ItemCode::parse(code).unwrap(),
        };
        let got = shop.view().item_by_code(&code);
        let got = got.map_or("-".to_owned(), |item| item.id.0);
        assert_eq!(got, id, "{found} after {imports}");
    }
    let exceptions = shop.exceptions();
    assert!(exceptions.iter().all(|e| e.0 == ExceptionKind::CodeMoved));
    assert_eq!(exceptions.len(), moved, "{imports}");
}

#[test]
fn codes_find_their_items() {
    check_codes("1:4011", "4011=1 #1=1 4012=- #2=-", 0);
    check_codes("1:4011,4012,4006381333931", "4006381333931=1 4012=1", 0);
    // A code that is taken off an item finds nothing; its own number always finds it.
    check_codes("1:4011,4012 1:4012", "4011=- 4012=1 #1=1", 0);
    check_codes("1:4011 1:", "4011=- #1=1", 0);
    check_codes("1:4011 1:4011", "4011=1", 0);
    // The newer item has a code that two claim, and a person is told.
    check_codes("1:4011 2:4011", "4011=2 #1=1 #2=2", 1);
    check_codes("1:4011 2:4011 1:4011", "4011=1", 2);
    // Taking the code off its old item later does not take it from the new one.
    check_codes("1:4011 2:4011 1:", "4011=2", 1);
    // Handed over in good order nothing is reported.
    check_codes("1:4011 1: 2:4011", "4011=2", 0);
}

#[test]
fn promotions_are_kept_for_carts_that_pinned_them() {
    let mut shop = shop();
    assert_eq!(shop.view().promotions_at(BookVersion(9)).unwrap(), None);
    for version in 1..=20 {
        let records = match version {
            3 => vec![],
            _ => vec![Record::Promotions(format!("file {version}"))],
        };
        shop.change(records);
    }
    let at = |version| shop.view().promotions_at(BookVersion(version)).unwrap();
    for version in 5..=20 {
        assert_eq!(at(version), Some(format!("file {version}")));
    }
    assert_eq!(at(99), Some("file 20".to_owned()));
    assert_eq!(at(4), None, "sixteen are kept");
}

#[test]
fn a_promotion_file_holds_until_the_next_one() {
    let mut shop = shop();
    shop.change(vec![Record::Promotions("first".to_owned())]);
    shop.change(vec![]);
    shop.change(vec![Record::Promotions("second".to_owned())]);
    for (version, expected) in [
        (0, None),
        (1, Some("first")),
        (2, Some("first")),
        (3, Some("second")),
    ] {
        let got = shop.view().promotions_at(BookVersion(version)).unwrap();
        assert_eq!(got.as_deref(), expected, "at version {version}");
    }
}

#[test]
fn a_store_has_one_currency() {
    let euros = || {
        let mut item = item("2", 0, &[]);
        item.price = Money::from_minor(100, Currency::EUR);
        Record::Item(item)
    };
    let deposit = || {
        let mut item = item("3", 100, &[]);
        item.deposit = Some(Money::from_minor(25, Currency::EUR));
        Record::Item(item)
    };
    let settings = |currency| {
        Record::Settings(Settings {
            currency,
            ..Settings::default()
        })
    };
    let check = |before: Vec<Record>, records: Vec<Record>, refused: Option<&str>| {
        let mut shop = shop();
        shop.change(before);
        let author = "test".to_owned();
        let outcome = shop.apply(&Command::Reference { author, records });
        match (&outcome, refused) {
            (Outcome::Changed { .. }, None) => {}
            (Outcome::Refused { reason }, Some(part)) => {
                assert!(reason.contains(part), "{reason}");
                assert_eq!(shop.view().version(), BookVersion(1), "nothing was changed");
            }
            _ => panic!("{outcome:?}"),
        }
    };
    let dollars = || Record::Item(item("1", 100, &[]));
    check(vec![], vec![dollars()], None);
    check(
        vec![],
        vec![dollars(), euros()],
        Some("Item 2 is priced in EUR"),
    );
    check(vec![], vec![deposit()], Some("Item 3 is priced in EUR"));
    check(vec![], vec![settings(Currency::EUR), euros()], None);
    check(
        vec![settings(Currency::EUR)],
        vec![dollars()],
        Some("currency is EUR"),
    );
    check(vec![dollars()], vec![settings(Currency::USD)], None);
    check(
        vec![dollars()],
        vec![settings(Currency::EUR)],
        Some("only before the first item"),
    );
}

#[test]
fn the_catalog_is_read_page_by_page() {
    let mut shop = shop();
    let records = (0..10).map(|n| Record::Item(item(&format!("{n}"), 100, &[])));
    shop.change(records.collect());
    let mut pages = Vec::new();
    let mut after: Option<ItemId> = None;
    loop {
        let page = shop.view().items_after(after.as_ref(), 4).unwrap();
        let Some(last) = page.last() else { break };
        after = Some(last.id.clone());
        pages.push(
            page.iter()
                .map(|item| item.id.0.as_str())
                .collect::<String>(),
        );
    }
    assert_eq!(pages, ["0123", "4567", "89"]);
}

#[test]
fn recalls_are_made_and_lifted() {
    let mut shop = Shop::with_lanes("a");
    let recall = |all_lots: bool, lots: &[&str]| {
        Record::Recall(catalog::Recall {
            item: "1".into(),
            all_lots,
            lots: lots.iter().map(|lot| (*lot).to_owned()).collect(),
            reason: "glass".to_owned(),
        })
    };
    let mut check = |record: Record, lot: Option<&str>, expected: Option<bool>| {
        shop.change(vec![record]);
        let found = shop.view().recall(&"1".into());
        assert_eq!(found.map(|recall| recall.covers(lot)), expected);
    };
    check(recall(false, &["L7"]), Some("L7"), Some(true));
    check(recall(false, &["L7"]), Some("L8"), Some(false));
    check(recall(false, &["L7"]), None, Some(false));
    check(recall(true, &[]), None, Some(true));
    check(recall(false, &[]), None, None);
}
