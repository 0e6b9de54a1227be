//! What head office publishes, as stores and people meet it.

use catalog::{Department, Record};
use hq::{Publications, TakenByStore};
use ledger::StoreId;
use reqwest::{Client, StatusCode};
use sync::{HqLink, HttpHqLink};
use wire::{HQ_PUBLICATION_RECORDS_MAX, HqPublish, HqRecord};

use crate::office::Office;
use crate::shop::Shop;

const ONE: StoreId = StoreId([1; 16]);
const TWO: StoreId = StoreId([2; 16]);

fn record(name: &str) -> HqRecord {
    let department = Department {
        id: "grocery".into(),
        name: name.to_owned(),
    };
    HqRecord::of(&Record::Department(department)).unwrap()
}

/// Publishes so many records; gives the number, or head office's words.
pub async fn publish(
    office: &Office,
    stores: Option<Vec<StoreId>>,
    records: usize,
) -> Result<u64, String> {
    let records = vec![record("Grocery"); records];
    send(office, stores, "Ada", records).await
}

async fn send(
    office: &Office,
    stores: Option<Vec<StoreId>>,
    author: &str,
    records: Vec<HqRecord>,
) -> Result<u64, String> {
    let publish = HqPublish {
        author: author.to_owned(),
        stores,
        records,
    };
    let client = Client::builder().no_proxy().build().unwrap();
    let request = client.post(office.url("/v1/publications"));
    let request = request.bearer_auth(office.running.token());
    let answer = request.body(wire::encode(&publish).unwrap()).send().await;
    let answer = answer.unwrap();
    let status = answer.status();
    let value: serde_json::Value = answer.json().await.unwrap();
    match status {
        StatusCode::OK => Ok(value["number"].as_u64().unwrap()),
        _ => Err(value["error"].as_str().unwrap().to_owned()),
    }
}

fn link(office: &Office) -> HttpHqLink {
    HttpHqLink::new(&office.url(""), office.running.token()).unwrap()
}

/// The number of what comes behind `after` for a store.
async fn next(office: &Office, store: StoreId, after: u64) -> Option<u64> {
    let next = link(office).published(store, after).await.unwrap();
    next.map(|publication| publication.number)
}

async fn listed(office: &Office) -> Publications {
    let answer = office.get("/v1/publications").send().await.unwrap();
    answer.json().await.unwrap()
}

#[tokio::test]
async fn a_store_is_sent_what_is_for_it_in_order_and_nothing_else() {
    let office = Office::open().await;
    assert_eq!(next(&office, ONE, 0).await, None);
    assert_eq!(publish(&office, None, 1).await, Ok(1));
    assert_eq!(publish(&office, Some(vec![TWO]), 1).await, Ok(2));
    assert_eq!(publish(&office, Some(vec![ONE, ONE]), 2).await, Ok(3));
    assert_eq!(publish(&office, None, 1).await, Ok(4));
    let check = async |store, expected: &[u64]| {
        let mut taken = vec![0];
        while let Some(number) = next(&office, store, *taken.last().unwrap()).await {
            taken.push(number);
        }
        assert_eq!(taken[1..], *expected);
    };
    check(ONE, &[1, 3, 4]).await;
    check(TWO, &[1, 2, 4]).await;
    // A store that is created later takes all that is for every store.
    check(StoreId([3; 16]), &[1, 4]).await;
}

#[tokio::test]
async fn what_was_published_outlives_a_restart_and_is_listed_with_who_has_taken_it() {
    let office = Office::open().await;
    let mut shop = Shop::new(1, 1);
    shop.sell_some(1);
    office.deliver(&shop.everything()).await;
    assert_eq!(publish(&office, None, 3).await, Ok(1));
    assert_eq!(publish(&office, Some(vec![TWO]), 1).await, Ok(2));
    next(&office, shop.store, 1).await;
    next(&office, TWO, 0).await;

    let office = Office::open_in(office.close().await).await;
    let listed = listed(&office).await;
    let rows = listed.publications.iter();
    let rows: Vec<_> = rows
        .map(|p| (p.number, p.records, p.stores.clone()))
        .collect();
    assert_eq!(rows, [(1, 3, None), (2, 1, Some(vec![TWO]))]);
    let stands = |store: &TakenByStore| (store.store, store.last, store.taken);
    let stores: Vec<_> = listed.stores.iter().map(stands).collect();
    assert_eq!(stores, [(shop.store, 1, 1), (TWO, 2, 0)]);
    let ack = link(&office).deliver(shop.everything()).await.unwrap();
    assert_eq!(ack.published, 1, "each batch is told what there is");
}

#[tokio::test]
async fn no_number_is_given_out_that_a_store_has_taken_already() {
    let office = Office::open().await;
    // Its books were restored from a backup: a store has taken 5 that it does not know.
    assert_eq!(next(&office, ONE, 5).await, None);
    assert_eq!(publish(&office, None, 1).await, Ok(6));
    assert_eq!(next(&office, ONE, 5).await, Some(6));
}

#[tokio::test]
async fn what_no_store_could_take_is_not_published() {
    let office = Office::open().await;
    let check = async |stores, author: &str, records, expected: &str| {
        let message = send(&office, stores, author, records).await.unwrap_err();
        assert!(message.contains(expected), "{message}");
    };
    let one = || vec![record("Grocery")];
    check(None, "Ada", Vec::new(), "there are no records").await;
    let many = vec![record("Grocery"); HQ_PUBLICATION_RECORDS_MAX + 1];
    check(None, "Ada", many, "more than 500").await;
    let large = vec![record(&"x".repeat(1024 * 1024))];
    check(None, "Ada", large, "bytes, more than").await;
    check(None, "", one(), "an author has").await;
    check(Some(Vec::new()), "Ada", one(), "for no store").await;
    let later = vec![HqRecord(vec![1, 0x61, b'x'])];
    check(None, "Ada", later, "upgrade head office").await;
    assert!(listed(&office).await.publications.is_empty());
}
