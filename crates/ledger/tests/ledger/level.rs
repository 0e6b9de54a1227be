//! What the lanes of a store can read, and what waits until all of them can.

use catalog::{
    Action, Customer, CustomerDetail, Language, Record, Role, Selling, Settings, TaxRounding,
    TenderRule,
};
use ledger::{Command, record_format};

use crate::membership::started;
use crate::shop::{Journal, Shop, item, usd};

#[test]
fn who_holds_a_store_back_is_named() {
    let mut shop = Shop::with_lanes("ab");
    let now = shop.view().level().unwrap();
    let held_back = |shop: &Shop, format| shop.view().held_back_by(format).unwrap();
    assert_eq!(held_back(&shop, now), None);
    let both = "lane 1 (Lane 1), lane 2 (Lane 2)".to_owned();
    assert_eq!(held_back(&shop, now + 1), Some(both));
    let entries = vec![Journal::of('b').write(started(now + 1))];
    shop.apply(&Command::Ingest { entries });
    assert_eq!(
        held_back(&shop, now + 1),
        Some("lane 1 (Lane 1)".to_owned())
    );
}

#[test]
fn records_that_an_earlier_release_would_keep_a_part_of_need_a_later_one() {
    let plain = item("1", 500, &[]);
    let sold = |change: fn(&mut Selling)| {
        let mut item = plain.clone();
        change(&mut item.selling);
        Record::Item(item)
    };
    let settings = |change: fn(&mut Settings)| {
        let mut settings = Settings::default();
        change(&mut settings);
        Record::Settings(settings)
    };
    let promotions = |limit: &str| {
        Record::Promotions(format!(
            "schema = 2\n[[promotion]]\nid = \"p\"\nname = \"P\"\npercent_off = 10\n\
             everything = true\n{limit}"
        ))
    };
    for (record, format) in [
        (Record::Item(plain.clone()), 1),
        (sold(|how| how.tare_grams = 20), 5),
        (sold(|how| how.floor = Some(usd(400))), 13),
        (sold(|how| how.gift_card = true), 15),
        (
            Record::Customer(Customer {
                detail: CustomerDetail {
                    consent: ["sms".to_owned()].into(),
                    ..CustomerDetail::default()
                },
                ..Customer::new("700".into())
            }),
            16,
        ),
        (settings(|_| {}), 1),
        (settings(|s| s.store_number = "7".to_owned()), 3),
        (settings(|s| s.deposits_taxed = true), 5),
        (settings(|s| s.tax_rounding = TaxRounding::Invoice), 5),
        (settings(|s| s.tips = true), 8),
        (settings(|s| s.language = Language::German), 16),
        (settings(|s| s.receipts_on_request = true), 17),
        (settings(|s| s.receipt_logo = "iVBORw0KGgo=".to_owned()), 18),
        (settings(|s| s.receipt_qr = "{receipt}".to_owned()), 18),
        (settings(|s| s.points.worth_minor = 500), 16),
        (
            settings(|s| {
                let rule = TenderRule {
                    whole: true,
                    ..TenderRule::default()
                };
                s.tenders.insert("account".to_owned(), rule);
            }),
            16,
        ),
        (
            settings(|s| {
                s.permissions
                    .insert(Action::ReturnUnreceipted, Role::Supervisor);
            }),
            12,
        ),
        (settings(|s| s.unreceipted_returns.day_max_minor = 1), 12),
        (promotions("limit = { store = 5, customer = 1 }"), 1),
        (promotions("limit = { day = 5 }"), 14),
        (promotions("limit = { customer_day = 1 }"), 14),
    ] {
        assert_eq!(record_format(&record), format, "{record:?}");
    }
}
