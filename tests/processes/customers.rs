//! What lanes say of customers, on real lanes: also while they cannot reach each other.

use std::collections::BTreeMap;

use catalog::{CustomerField, CustomerId, Role};
use node::sample;
use sale::{Command, Event};
use serde_json::{Value, json};

use crate::common::{Lane, Store, plain_items, runtime};

fn fields(said: &[(CustomerField, &str)]) -> BTreeMap<CustomerField, String> {
    let said = said
        .iter()
        .map(|(field, text)| (*field, (*text).to_owned()));
    said.collect()
}

fn edit(customer: &CustomerId, said: &[(CustomerField, &str)]) -> Command {
    Command::EditCustomer {
        customer: customer.clone(),
        fields: fields(said),
    }
}

async fn known(lane: &Lane, number: &str) -> Value {
    let path = format!("/v1/customers/{number}");
    lane.client.json(&path).await.expect("a customer")
}

/// The numbers that a search finds.
async fn found(lane: &Lane, words: &str) -> Vec<String> {
    let path = format!("/v1/customers?search={words}");
    let rows = lane.client.json(&path).await.expect("rows");
    let rows = rows.as_array().expect("rows").iter();
    rows.map(|row| row["customer"].as_str().expect("a number").to_owned())
        .collect()
}

async fn restart(store: &mut Store, index: usize) {
    let folder = store.lanes[index].folder.clone();
    store.lanes[index] = Lane::start(&folder).await;
}

#[test]
fn what_is_said_of_customers_while_lanes_are_apart_is_one_in_the_end() {
    runtime().block_on(async {
        let mut store = Store::start(3, false).await;
        let known_to_all = CustomerId(sample::customers()[0].clone());
        for lane in &store.lanes {
            lane.sign_in_as(Role::Manager).await;
        }
        // Lane 1 is alone, and two people sign up there.
        store.lanes[1].stop();
        store.lanes[2].stop();
        let alone = &store.lanes[0];
        alone
            .wait("the lane is alone", |s| {
                matches!(s.mode, api::Mode::Alone { .. })
            })
            .await;
        let create = |name: &str, phone: &str| Command::CreateCustomer {
            customer: None,
            fields: fields(&[(CustomerField::Name, name), (CustomerField::Phone, phone)]),
        };
        let done = alone.done(create("Ada King", "555-7191")).await;
        let ada = match &done.events[..] {
            [Event::CustomerKept { customer, .. }] => customer.clone(),
            other => panic!("{other:?}"),
        };
        alone.done(create("A. King", "555-7192")).await;
        let said = [
            (CustomerField::Phone, "555-0193"),
            (CustomerField::Email, "x@example.org"),
        ];
        alone.done(edit(&known_to_all, &said)).await;
        store.lanes[0].crash_and_restart().await;
        let alone = &store.lanes[0];
        assert_eq!(found(alone, "king").await, ["K1-1", "K1-2"]);
        assert_eq!(found(alone, "5557191").await, ["K1-1"]);
        let set = Command::SetCustomer {
            customer: ada.clone(),
        };
        alone.scan(&plain_items(1)[0]).await;
        alone.done(set).await;
        alone.pay().await;
        assert_eq!(known(alone, "K1-1").await["receipts"], 1);
        // Lanes 2 and 3 are the store meanwhile, and say something later.
        store.lanes[0].stop();
        restart(&mut store, 1).await;
        restart(&mut store, 2).await;
        let later = [(CustomerField::Phone, "555-0194")];
        store.lanes[1].done(edit(&known_to_all, &later)).await;
        store.lanes[1].wait_shared().await;
        restart(&mut store, 0).await;
        store.wait_together().await;
        store.settle().await;
        let merge = Command::MergeCustomers {
            from: "K1-2".into(),
            into: ada,
            reason: "signed up twice".to_owned(),
        };
        store.lanes[2].done(merge).await;
        store.settle().await;
        for lane in &store.lanes {
            let both = known(lane, &known_to_all.0).await;
            assert_eq!(both["fields"]["phone"], "555-0194");
            assert_eq!(both["fields"]["email"], "x@example.org");
            assert_eq!(found(lane, "king").await, ["K1-1"]);
            let expected = json!({ "name": "Ada King", "phone": "555-7191" });
            let of_other_number = known(lane, "K1-2").await;
            assert_eq!(of_other_number["customer"], "K1-1");
            assert_eq!(of_other_number["fields"], expected);
            assert_eq!(of_other_number["receipts"], 1);
        }
        let erase = Command::EraseCustomer {
            customer: "K1-2".into(),
            reason: "asked for it".to_owned(),
        };
        store.lanes[1].done(erase).await;
        store.settle().await;
        for lane in &store.lanes {
            assert!(found(lane, "king").await.is_empty());
            assert!(lane.client.json("/v1/customers/K1-1").await.is_err());
        }
        store.assert_verified();
    });
}
