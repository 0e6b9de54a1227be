//! What lanes say of customers, in whatever order the store hears of it.

use std::collections::BTreeMap;

use catalog::{Customer, CustomerField, CustomerId, ItemId, Record, Tier};
use ledger::{
    Command, ENTRY_FORMAT, Entry, ExceptionKind, Fact, Hlc, MemoryTables, Said, StoreView,
    computed_hash, stored_hash,
};
use sale::{BusinessDay, CartId, Event, PointsTotal, PromotionTotal, points_key};

use testkit::words::fields;

use crate::shop::{DAY, Journal, Shop, at, completed, creation, lane, receipt, usd};

/// `new 700 name=Ada`, `edit 700 phone=`, `700 is 701`, `forget 700`, and `sell 700`: two pieces of tv for
/// 20.00, with a promotion of this name.
fn fact(text: &str, lane_letter: char, number: u64) -> Fact {
    let words: Vec<&str> = text.split(' ').collect();
    let by = "102".into();
    let event = match words.as_slice() {
        [how @ ("new" | "edit"), id, rest @ ..] => Event::CustomerKept {
            customer: (*id).into(),
            created: *how == "new",
            fields: fields(rest),
            by,
            at: at(),
        },
        ["forget", id] => Event::CustomerErased {
            customer: (*id).into(),
            reason: "asked for it".to_owned(),
            by,
            at: at(),
        },
        [from, "is", into] => Event::CustomersMerged {
            from: (*from).into(),
            into: (*into).into(),
            reason: "twice".to_owned(),
            by,
            at: at(),
        },
        ["sell", id] => {
            let cart = CartId {
                lane: lane(lane_letter),
                number,
            };
            let mut sold = receipt(cart, DAY, &[("tv", 2000, 2000)]);
            sold.id = format!("{lane_letter}-{number}");
            sold.customer = Some((*id).into());
            sold.detail.terms.rights = [("tv".to_owned(), 50)].into();
            sold.totals.points = vec![PointsTotal {
                promotion: "tv".to_owned(),
                name: "tv".to_owned(),
                points: 5,
            }];
            sold.totals.promotions = vec![PromotionTotal {
                promotion: "tv".to_owned(),
                name: "tv".to_owned(),
                amount: usd(100),
                times: 2,
            }];
            return completed(sold);
        }
        other => panic!("{other:?}"),
    };
    Fact::Register {
        event,
        request: None,
    }
}

/// A store whose lanes `a` and `b` read all that this release writes, with customer 700 from a file.
fn store() -> Shop {
    let mut commands = creation("ab");
    let Command::CreateStore { reads, .. } = &mut commands[0] else {
        panic!("a store begins with its creation");
    };
    *reads = ENTRY_FORMAT;
    let mut shop = Shop::default();
    for command in &commands {
        shop.apply(command);
    }
    let mut grace = Customer::new("700".into());
    grace.set(CustomerField::Name, "Grace").unwrap();
    grace.tier = Tier::Gold;
    shop.change(vec![Record::Customer(grace)]);
    shop
}

/// Steps such as `a 30: edit 700 name=Ada` (on lane a, at 30 seconds) as the entries of their lanes.
fn entries(steps: &[&str]) -> Vec<Entry> {
    let mut journals: BTreeMap<char, Journal> = BTreeMap::new();
    let entry = |step: &&str| {
        let (when, text) = step.split_once(": ").unwrap();
        let (letter, second) = when.split_once(' ').unwrap();
        let letter = letter.chars().next().unwrap();
        let journal = journals
            .entry(letter)
            .or_insert_with(|| Journal::of(letter));
        let hlc = Hlc {
            wall_ms: second.parse::<u64>().unwrap() * 1000,
            counter: 0,
        };
        journal.write_at(hlc, fact(text, letter, journal.head.next_seq))
    };
    steps.iter().map(entry).collect()
}

/// The store after these steps, in this order.
fn after(steps: &[&str]) -> Shop {
    let mut shop = store();
    shop.apply(&Command::Ingest {
        entries: entries(steps),
    });
    let hash = stored_hash(&shop.tables).unwrap();
    assert_eq!(computed_hash(&shop.tables).unwrap(), hash);
    shop
}

/// What is known under a number: `700 name=Ada phone=1`.
fn known(view: &StoreView<'_>, number: &str) -> String {
    let Some(customer) = view.customer_of(&number.into()).unwrap() else {
        return "nobody".to_owned();
    };
    let fields = CustomerField::ALL.map(|field| (field.name(), customer.text(field)));
    let fields = fields.iter().filter(|(_, text)| !text.is_empty());
    let fields: String = fields
        .map(|(name, text)| format!(" {name}={text}"))
        .collect();
    format!("{}{fields}", customer.id)
}

fn conflicts(shop: &Shop) -> usize {
    let kinds = shop.exceptions().into_iter().map(|(kind, _)| kind);
    kinds
        .filter(|kind| *kind == ExceptionKind::CustomerConflict)
        .count()
}

/// Whichever lane's entries come first, the same is known under each number, with so many conflicts.
#[track_caller]
fn check(steps: &[&str], expected: &[(&str, &str)], expected_conflicts: usize) {
    let (of_a, of_b): (Vec<&str>, Vec<&str>) = steps.iter().partition(|s| s.starts_with('a'));
    let orders = [
        steps.to_vec(),
        [of_a.clone(), of_b.clone()].concat(),
        [of_b, of_a].concat(),
    ];
    for order in orders {
        let shop = after(&order);
        for (number, text) in expected {
            assert_eq!(known(&shop.view(), number), *text, "{number} of {order:?}");
        }
        assert_eq!(conflicts(&shop), expected_conflicts, "{order:?}");
    }
}

#[test]
fn of_each_field_holds_what_was_said_last() {
    check(&[], &[("700", "700 name=Grace tier=gold")], 0);
    check(
        &["a 10: new 800 name=Ada phone=1"],
        &[("800", "800 name=Ada phone=1")],
        0,
    );
    check(
        &[
            "a 10: edit 700 phone=1 email=g@example.org",
            "b 20: edit 700 phone=2",
            "a 30: edit 700 name=Grace_H",
        ],
        &[(
            "700",
            "700 name=Grace H phone=2 email=g@example.org tier=gold",
        )],
        0,
    );
    check(
        &["a 10: edit 700 phone=1", "b 20: edit 700 phone="],
        &[("700", "700 name=Grace tier=gold")],
        0,
    );
    // At the same moment, the lane with the greater id.
    check(
        &["a 10: edit 700 phone=1", "b 10: edit 700 phone=2"],
        &[("700", "700 name=Grace phone=2 tier=gold")],
        0,
    );
}

#[test]
fn two_people_under_one_number_are_put_before_a_person() {
    check(
        &[
            "a 10: new 800 name=Ada phone=1",
            "b 20: new 800 name=Bo email=bo@example.org",
        ],
        &[("800", "800 name=Bo phone=1 email=bo@example.org")],
        1,
    );
}

#[test]
fn a_number_stands_for_another_for_good() {
    check(
        &[
            "a 5: new 800 name=G phone=1 email=g@example.org tier=silver",
            "a 10: 800 is 700",
            "a 30: edit 800 email=h@example.org",
            "a 40: 700 is 800",
        ],
        &[
            (
                "700",
                "700 name=Grace phone=1 email=h@example.org tier=gold",
            ),
            (
                "800",
                "700 name=Grace phone=1 email=h@example.org tier=gold",
            ),
        ],
        0,
    );
    // Found out at both lanes, the other way round.
    for first in ["a 10: 700 is 800", "a 10: 800 is 700"] {
        let shop = after(&["a 5: new 800 name=G", first, "b 10: 800 is 700"]);
        assert_eq!(
            known(&shop.view(), "700"),
            known(&shop.view(), "800"),
            "{first}"
        );
        assert_eq!(conflicts(&shop), 0);
    }
    // Over several numbers.
    let shop = after(&[
        "a 1: new 800 name=A",
        "a 2: new 900 name=B",
        "a 3: 900 is 800",
        "a 4: 800 is 700",
    ]);
    assert_eq!(known(&shop.view(), "900"), "700 name=Grace tier=gold");
}

/// Receipts, spent, times given, times given on the day, pieces bought, points.
fn counts(view: &StoreView<'_>, number: &str) -> [i64; 6] {
    let customer = CustomerId::from(number);
    let history = view.history(&customer).unwrap();
    let given = view.given("tv", Some(&customer)).unwrap();
    assert_eq!(
        history.given.get("tv").map_or(0, |times| u64::from(*times)),
        given.times
    );
    let small = |n: u64| i64::try_from(n).unwrap();
    [
        small(history.receipts),
        history.spent_minor,
        small(given.times),
        small(given.on(&BusinessDay(DAY.to_owned()))),
        view.bought(&customer, &ItemId::from("tv")).unwrap(),
        view.credit_minor(&points_key(&customer))
            .unwrap()
            .unwrap_or(0),
    ]
}

#[test]
fn what_one_bought_counts_as_the_others() {
    let check = |steps: &[&str], of_700: [i64; 6], of_800: [i64; 6]| {
        let shop = after(steps);
        let view = shop.view();
        assert_eq!(
            (counts(&view, "700"), counts(&view, "800")),
            (of_700, of_800),
            "{steps:?}"
        );
    };
    let (none, once) = ([0; 6], [1, 2000, 2, 2, 2, 5]);
    let twice = once.map(|count| 2 * count);
    let new = "a 5: new 800 name=G";
    check(&[new, "a 6: sell 800"], none, once);
    check(&[new, "a 6: sell 800", "a 7: 800 is 700"], once, none);
    // Sold by a lane that had not heard of it.
    check(&[new, "a 7: 800 is 700", "b 8: sell 800"], once, none);
    check(
        &[new, "a 6: sell 800", "a 7: sell 700", "a 8: 800 is 700"],
        twice,
        none,
    );
    check(&["a 6: sell 700", "a 7: forget 700"], none, none);
    check(&["a 7: forget 700", "b 8: sell 700"], none, none);
}

#[test]
fn who_is_forgotten_is_gone() {
    check(&["a 10: forget 700"], &[("700", "nobody")], 0);
    // Said before it.
    check(
        &["b 5: edit 700 phone=1", "a 10: forget 700"],
        &[("700", "nobody")],
        0,
    );
    // Made known again.
    check(
        &["a 10: forget 700", "a 20: new 700 name=Ada"],
        &[("700", "700 name=Ada")],
        0,
    );
    // By their other number.
    check(
        &["a 5: new 800 name=G", "a 6: 800 is 700", "a 10: forget 800"],
        &[("700", "nobody"), ("800", "nobody")],
        0,
    );
    // Said after it by a lane that had not heard of it: kept by neither order, and a person is told
    // where it was noticed.
    let shop = after(&["a 10: forget 700", "b 20: edit 700 phone=1"]);
    assert_eq!(
        (known(&shop.view(), "700").as_str(), conflicts(&shop)),
        ("nobody", 1)
    );
    let shop = after(&["b 20: edit 700 phone=1", "a 10: forget 700"]);
    assert_eq!(
        (known(&shop.view(), "700").as_str(), conflicts(&shop)),
        ("nobody", 0)
    );
    // Found to be one with somebody who is gone.
    let shop = after(&[
        "a 5: new 800 name=G",
        "a 10: forget 700",
        "b 20: 800 is 700",
    ]);
    assert_eq!(
        (known(&shop.view(), "800").as_str(), conflicts(&shop)),
        ("800 name=G", 1)
    );
}

#[test]
fn a_file_replaces_what_was_said_before_it() {
    let mut shop = store();
    let mut journal = Journal::of('a');
    let mut say = |shop: &mut Shop, second: u64, text: &str| {
        let hlc = Hlc {
            wall_ms: second * 1000,
            counter: 0,
        };
        let entries = vec![journal.write_at(hlc, fact(text, 'a', 0))];
        shop.apply(&Command::Ingest { entries });
    };
    let file = |shop: &mut Shop, number: &str| {
        let mut customer = Customer::new(number.into());
        customer.name = "Of the file".to_owned();
        shop.change(vec![Record::Customer(customer)]);
    };
    say(&mut shop, 50, "edit 700 phone=1 name=Ada");
    file(&mut shop, "700");
    assert_eq!(known(&shop.view(), "700"), "700 name=Of the file");
    // Also what was said earlier and comes later.
    say(&mut shop, 40, "edit 700 phone=2");
    assert_eq!(known(&shop.view(), "700"), "700 name=Of the file phone=2");
    // A file does not undo what people found out, or asked for.
    say(&mut shop, 60, "new 800 name=G");
    say(&mut shop, 61, "800 is 700");
    file(&mut shop, "800");
    assert_eq!(known(&shop.view(), "800"), "700 name=Of the file phone=2");
    say(&mut shop, 62, "forget 700");
    file(&mut shop, "700");
    assert_eq!(known(&shop.view(), "700"), "nobody");
    assert_eq!(conflicts(&shop), 0);
}

#[test]
fn what_is_not_applied_yet_is_seen_as_it_will_be() {
    let steps = [
        "a 5: new 800 name=G phone=1",
        "b 6: edit 700 phone=2",
        "a 7: 800 is 700",
        "a 8: new 900 name=Bo",
        "b 9: forget 900",
        "b 10: new 950 name=Cy",
    ];
    let ahead: Vec<(Said, Event)> = entries(&steps)
        .into_iter()
        .map(|entry| {
            let body = entry.body().unwrap();
            let Fact::Register { event, .. } = body.fact else {
                panic!("a fact of the register");
            };
            let (at, on) = (body.hlc, entry.lane);
            (Said { at, on }, event)
        })
        .rev()
        .collect();
    let (before, applied) = (store(), after(&steps));
    let untouched: MemoryTables = before.tables.clone();
    let seen = before.view().with_customers(ahead, |view| {
        for number in ["700", "800", "900", "950"] {
            assert_eq!(known(view, number), known(&applied.view(), number));
        }
        let ids = |view: &StoreView<'_>| {
            let mut ids = Vec::new();
            while let Some(next) = view.customers_after(ids.last(), 1).unwrap().pop() {
                ids.push(next.id);
            }
            ids
        };
        assert_eq!(ids(view), ids(&applied.view()));
        view.customers_after(None, 10)
    });
    assert_eq!(seen.unwrap().len(), 2);
    assert_eq!(before.tables, untouched);
}
