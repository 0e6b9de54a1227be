//! Head office as stores and people meet it: a real server, a real database, real sockets.

mod office;
mod publications;
mod shop;

use std::fs;
use std::sync::Arc;

use hq::{HqError, OfflineHq, TotalsFilter, serve};
use ledger::{DayTotal, Epoch, Fact, LaneId, StoreId};
use money::Currency;
use office::{Office, config};
use publications::publish;
use reqwest::StatusCode;
use shop::{DAY, Shop};
use sync::{HqError as LinkError, HqLink, HttpHqLink};
use wire::{HqAck, HqBatch, HqEntry, MESSAGE_BYTES_MAX};

/// Head office holds exactly the journals of the shop.
async fn assert_holds(office: &Office, shop: &Shop, lanes: usize) {
    for lane in 0..lanes {
        let held = office.journal(shop.store, shop.lane(lane), 7).await;
        assert_eq!(held, shop.journal(lane), "lane {lane}");
    }
    let stores = office.stores().await;
    let store = stores.iter().find(|s| s.store == shop.store).unwrap();
    assert_eq!(store.cursor, shop.committed.len() as u64);
    assert_eq!(store.entries, shop.committed.len() as u64);
}

fn cash(receipts: u64, total: i64) -> DayTotal {
    DayTotal {
        receipts,
        gross: total,
        total,
        tenders: [("cash".to_owned(), total)].into(),
        ..DayTotal::zero(Currency::USD)
    }
}

#[tokio::test]
async fn batches_are_taken_once_however_often_they_come() {
    let office = Office::open().await;
    let mut shop = Shop::new(1, 3);
    assert_eq!(office.deliver(&shop.everything()).await, 0);
    shop.sell_some(30);
    let steps = [
        ((1, 10), 10),
        ((1, 10), 10),
        ((5, 12), 12),
        ((1, 3), 12),
        ((13, 30), 30),
        ((1, 30), 30),
        ((31, 40), 30),
    ];
    for ((from, to), cursor) in steps {
        let got = office.deliver(&shop.batch(from, to)).await;
        assert_eq!(got, cursor, "after {from} to {to}");
    }
    assert_holds(&office, &shop, 3).await;
    assert!(office.set_aside().await.is_empty());
    let totals = office.totals("").await;
    let receipts: u64 = totals.iter().map(|row| row.total.receipts).sum();
    assert_eq!(receipts, 30, "no receipt counts twice");
}

#[tokio::test]
async fn a_batch_behind_a_gap_stores_nothing_and_is_told_the_cursor() {
    let office = Office::open().await;
    let mut shop = Shop::new(1, 2);
    shop.sell_some(10);
    assert_eq!(office.deliver(&shop.batch(2, 10)).await, 0);
    assert_eq!(office.deliver(&shop.batch(1, 4)).await, 4);
    assert_eq!(office.deliver(&shop.batch(6, 10)).await, 4);
    assert_eq!(office.stores().await[0].entries, 4);
    assert_eq!(office.deliver(&shop.batch(5, 10)).await, 10);
    assert_holds(&office, &shop, 2).await;
}

#[tokio::test]
async fn a_restart_keeps_the_cursor_the_token_and_the_books() {
    let office = Office::open().await;
    let token = office.running.token().to_owned();
    let mut shop = Shop::new(1, 2);
    shop.sell_some(6);
    office.deliver(&shop.everything()).await;
    let totals = office.totals("").await;

    let office = Office::open_in(office.close().await).await;
    assert_eq!(office.running.token(), token);
    assert_eq!(office.running.set_aside(), None);
    assert_eq!(office.deliver(&shop.batch(1, 0)).await, 6);
    assert_eq!(office.totals("").await, totals);
    shop.sell_some(6);
    assert_eq!(office.deliver(&shop.batch(7, 12)).await, 12);
    assert_holds(&office, &shop, 2).await;
}

#[tokio::test]
async fn totals_are_those_of_the_receipts() {
    let office = Office::open().await;
    let (mut first, mut second) = (Shop::new(1, 2), Shop::new(2, 1));
    first.happen(0, Fact::LaneClosed);
    first.sell(0, DAY, 1000);
    first.sell(0, DAY, 250);
    first.sell(1, DAY, 99);
    first.sell(1, "2026-11-28", 1);
    second.sell(0, DAY, 5);
    for shop in [&first, &second] {
        // In two deliveries, so that totals are read back and added to.
        office.deliver(&shop.batch(1, 2)).await;
        office.deliver(&shop.batch(3, 9)).await;
    }
    let check = async |query: &str, expected: &[(u8, &str, u32, DayTotal)]| {
        let rows = office.totals(query).await;
        let got: Vec<_> = rows
            .iter()
            .map(|r| {
                (
                    r.store.0[0],
                    r.day.0.as_str(),
                    r.lane_number,
                    r.total.clone(),
                )
            })
            .collect();
        assert_eq!(got, expected, "{query}");
    };
    let all = [
        (1, DAY, 1, cash(2, 1250)),
        (1, DAY, 2, cash(1, 99)),
        (1, "2026-11-28", 2, cash(1, 1)),
        (2, DAY, 1, cash(1, 5)),
    ];
    check("", &all).await;
    check(&format!("?store={}", first.store), &all[..3]).await;
    check("?day=2026-11-28", &all[2..3]).await;
    check(&format!("?store={}&day={DAY}", second.store), &all[3..]).await;
    check("?day=1999-01-01", &[]).await;
}

#[tokio::test]
async fn two_stores_never_mix() {
    let office = Office::open().await;
    // Their lanes even have the same ids.
    let (mut first, mut second) = (Shop::new(1, 2), Shop::new(2, 2));
    first.sell_some(8);
    second.sell_some(5);
    assert_eq!(office.deliver(&first.batch(1, 4)).await, 4);
    assert_eq!(office.deliver(&second.everything()).await, 5);
    assert_eq!(office.deliver(&first.batch(5, 8)).await, 8);
    assert_holds(&office, &first, 2).await;
    assert_holds(&office, &second, 2).await;
    // What one store journalled is not taken as another's.
    let mut foreign = first.everything();
    foreign.store = StoreId([3; 16]);
    assert_eq!(office.deliver(&foreign).await, 8);
    let stores = office.stores().await;
    let third = &stores[2];
    assert_eq!((third.entries, third.set_aside), (0, 8));
    assert!(office.set_aside().await[0].reason.contains("belongs to"));
}

#[tokio::test]
async fn what_breaks_its_chain_is_set_aside_and_blocks_nothing_else() {
    let office = Office::open().await;
    let mut shop = Shop::new(1, 3);
    shop.sell_some(9);
    let mut batch = shop.everything();
    // Lane 2's second entry is damaged; lane 3's third is another lane's.
    batch.entries[4].entry.bytes[40] ^= 1;
    batch.entries[8].entry.lane = LaneId([9; 16]);
    assert_eq!(office.deliver(&batch).await, 9);
    assert_eq!(office.journal(shop.store, shop.lane(0), 9).await.len(), 3);
    assert_eq!(office.journal(shop.store, shop.lane(1), 9).await.len(), 1);
    assert_eq!(office.journal(shop.store, shop.lane(2), 9).await.len(), 2);
    let set_aside = || async {
        let rows = office.set_aside().await;
        rows.iter()
            .map(|e| (e.global, e.lane.0[0], e.seq, e.held))
            .collect::<Vec<_>>()
    };
    // Lane 2's third entry cannot follow a second that is not there.
    let expected = [(5, 2, 2, false), (8, 2, 3, false), (9, 9, 3, false)];
    assert_eq!(set_aside().await, expected);
    office.deliver(&batch).await;
    assert_eq!(set_aside().await, expected, "once, however often it comes");
    // The undamaged journal continues the chains where they are.
    assert_eq!(office.deliver(&shop.everything()).await, 9);
    assert_holds(&office, &shop, 3).await;
    let receipts: u64 = office
        .totals("")
        .await
        .iter()
        .map(|r| r.total.receipts)
        .sum();
    assert_eq!(receipts, 9);
}

#[tokio::test]
async fn another_entry_under_a_known_number_is_set_aside() {
    let office = Office::open().await;
    let (mut shop, mut forger) = (Shop::new(1, 1), Shop::new(1, 1));
    shop.sell_some(3);
    forger.sell(0, DAY, 999_999);
    office.deliver(&shop.everything()).await;
    office.deliver(&forger.everything()).await;
    assert_holds(&office, &shop, 1).await;
    let set_aside = office.set_aside().await;
    assert_eq!(set_aside.len(), 1);
    assert_eq!(
        set_aside[0].reason,
        "another entry of the same number is held"
    );
}

fn epoch(number: u32, mark: u32) -> Epoch {
    Epoch { number, mark }
}

#[tokio::test]
async fn who_was_left_behind_by_a_recovery_is_refused() {
    let office = Office::open().await;
    let mut shop = Shop::new(1, 2);
    shop.sell_some(10);
    assert_eq!(office.deliver(&shop.everything()).await, 10);
    let batch = |epoch, from, to| HqBatch {
        epoch,
        ..shop.batch(from, to)
    };
    assert_eq!(office.deliver(&batch(epoch(2, 7), 9, 10)).await, 10);
    // The lanes that were left behind are enough to agree, and count on under the same numbers.
    for left_behind in [Epoch::FIRST, epoch(2, 8), epoch(1, 9)] {
        let body = wire::encode(&batch(left_behind, 10, 10)).unwrap();
        let request = office.post(shop.store, body);
        let answer = request.bearer_auth(office.running.token()).send().await;
        let answer = answer.unwrap();
        assert_eq!(answer.status(), StatusCode::CONFLICT, "{left_behind:?}");
        let why = answer.text().await.unwrap();
        assert!(why.contains("recovered on another of its lanes"), "{why}");
    }
    assert!(office.set_aside().await.is_empty());
    for newer in [epoch(2, 7), epoch(3, 1)] {
        assert_eq!(office.deliver(&batch(newer, 10, 10)).await, 10);
    }
    assert_holds(&office, &shop, 2).await;
}

#[tokio::test]
async fn books_of_the_first_format_are_read_and_kept_on() {
    let office = Office::open().await;
    let mut shop = Shop::new(1, 2);
    shop.sell_some(4);
    office.deliver(&shop.everything()).await;
    let folder = office.close().await;
    let books = rusqlite::Connection::open(folder.path().join("hq.db")).unwrap();
    books
        .execute_batch(
            "ALTER TABLE store DROP COLUMN epoch; ALTER TABLE store DROP COLUMN epoch_mark;
             DROP TABLE publication_store; DROP TABLE publication; DROP TABLE taken;
             PRAGMA user_version = 1",
        )
        .unwrap();
    drop(books);
    let offline = OfflineHq::open(folder.path()).unwrap();
    assert_eq!(offline.stores().unwrap()[0].entries, 4);
    drop(offline);
    let office = Office::open_in(folder).await;
    assert_eq!(office.running.set_aside(), None);
    shop.sell_some(4);
    assert_eq!(office.deliver(&shop.everything()).await, 8);
    assert_holds(&office, &shop, 2).await;
    assert_eq!(publish(&office, None, 1).await, Ok(1));
}

#[tokio::test]
async fn an_entry_of_a_later_release_is_held_and_reported() {
    let office = Office::open().await;
    let mut shop = Shop::new(1, 1);
    let later = ledger::ENTRY_FORMAT + 1;
    shop.happen_in_format(0, later, Fact::LaneClosed);
    shop.sell(0, DAY, 100);
    assert_eq!(office.deliver(&shop.everything()).await, 2);
    assert_holds(&office, &shop, 1).await;
    assert_eq!(office.totals("").await[0].total, cash(1, 100));
    let set_aside = office.set_aside().await;
    assert_eq!(set_aside.len(), 1);
    assert!(set_aside[0].held);
    let format = format!("format {later}");
    assert!(set_aside[0].reason.contains(&format));
}

#[tokio::test]
async fn a_receipt_that_cannot_be_added_up_is_held_and_reported() {
    let office = Office::open().await;
    let mut shop = Shop::new(1, 1);
    shop.sell(0, DAY, 100);
    shop.sell(0, DAY, i64::MAX - 50);
    shop.sell(0, DAY, 100);
    assert_eq!(office.deliver(&shop.everything()).await, 3);
    assert_holds(&office, &shop, 1).await;
    assert_eq!(office.totals("").await[0].total, cash(2, 200));
    let set_aside = office.set_aside().await;
    assert_eq!((set_aside.len(), set_aside[0].held), (1, true));
    assert!(set_aside[0].reason.contains("too large"));
}

#[tokio::test]
async fn concurrent_batches_of_one_store_are_taken_one_after_the_other() {
    let office = Arc::new(Office::open().await);
    let mut shop = Shop::new(1, 3);
    shop.sell_some(60);
    let shop = Arc::new(shop);
    let mut shippers = tokio::task::JoinSet::new();
    for size in [1, 2, 3, 5, 7, 11] {
        let (office, shop) = (office.clone(), shop.clone());
        shippers.spawn(async move {
            let mut cursor = 0;
            while cursor < 60 {
                let after = office.deliver(&shop.batch(cursor + 1, cursor + size)).await;
                assert!(after > cursor, "every answer is ahead of what was sent");
                cursor = after;
            }
        });
    }
    while let Some(shipped) = shippers.join_next().await {
        shipped.unwrap();
    }
    assert_holds(&office, &shop, 3).await;
}

#[tokio::test]
async fn the_stores_own_link_speaks_to_it() {
    let office = Office::open().await;
    let mut shop = Shop::new(1, 1);
    shop.sell_some(3);
    let link = HttpHqLink::new(&office.url(""), office.running.token()).unwrap();
    let ack = link.deliver(shop.everything()).await;
    assert_eq!(
        ack,
        Ok(HqAck {
            cursor: 3,
            published: 0
        })
    );
    let stranger = HttpHqLink::new(&office.url(""), "not-the-token").unwrap();
    let refusal = stranger.deliver(shop.everything()).await;
    assert!(
        matches!(&refusal, Err(LinkError::Refused(reason)) if reason.contains("hq-token")),
        "{refusal:?}"
    );
}

#[tokio::test]
async fn without_the_token_there_is_nothing_but_health() {
    let office = Office::open().await;
    let mut shop = Shop::new(1, 1);
    shop.sell_some(1);
    let body = wire::encode(&shop.everything()).unwrap();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let lane = format!("/v1/lanes/{}/entries?store={}", shop.lane(0), shop.store);
    for path in ["/v1/stores", "/v1/totals", "/v1/set-aside", &lane, "/other"] {
        let (status, words) = office.fails(client.get(office.url(path))).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{path}");
        assert!(words.contains("hq-token"), "{words}");
    }
    let token = office.running.token();
    for wrong in ["", &token[1..], &token.to_uppercase(), "Bearer"] {
        let request = office.post(shop.store, body.clone()).bearer_auth(wrong);
        let (status, _) = office.fails(request).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{wrong:?}");
    }
    let health = client.get(office.url("/healthz")).send().await.unwrap();
    assert_eq!(health.status(), StatusCode::OK);
    assert!(office.stores().await.is_empty(), "nothing was taken");
}

#[cfg(unix)]
#[tokio::test]
async fn the_token_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let office = Office::open().await;
    let file = office.folder.path().join(hq::TOKEN_FILE);
    assert_eq!(fs::read_to_string(&file).unwrap(), office.running.token());
    let mode = fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[tokio::test]
async fn requests_that_make_no_sense_are_told_what_is_wrong() {
    let office = Office::open().await;
    let mut shop = Shop::new(1, 1);
    shop.sell_some(4);
    let token = office.running.token();
    let check = async |body: Vec<u8>, status: u16, expected: &str| {
        let request = office.post(shop.store, body).bearer_auth(token);
        let (got, words) = office.fails(request).await;
        assert_eq!(got.as_u16(), status, "{words}");
        assert!(words.contains(expected), "{words}");
    };
    let good = wire::encode(&shop.everything()).unwrap();
    check(Vec::new(), 400, "it is empty").await;
    check(b"garbage".to_vec(), 400, "format 103").await;
    check(good[..good.len() / 2].to_vec(), 400, "cannot be read").await;
    check(vec![1; MESSAGE_BYTES_MAX + 1], 413, "send fewer entries").await;
    let mut other = shop.everything();
    other.store = StoreId([2; 16]);
    check(wire::encode(&other).unwrap(), 400, "The batch is store").await;
    let mut hole = shop.everything();
    hole.entries.remove(1);
    check(
        wire::encode(&hole).unwrap(),
        400,
        "entry 3 comes right behind entry 1",
    )
    .await;
    let mut zero = shop.everything();
    zero.entries[0].global = 0;
    zero.entries.truncate(1);
    check(wire::encode(&zero).unwrap(), 400, "numbered from 1").await;
    let mut crowd = shop.everything();
    crowd.entries = (1..=2_001)
        .map(|global| HqEntry {
            global,
            entry: shop.committed[0].clone(),
        })
        .collect();
    check(wire::encode(&crowd).unwrap(), 400, "2001 entries").await;

    let id = "00".repeat(16);
    let lane = format!("/v1/lanes/{}/entries", shop.lane(0));
    let store = format!("?store={}", shop.store);
    office.deliver(&shop.batch(1, 1)).await;
    for (path, status, expected) in [
        ("/v1/stores/7/batches".to_owned(), 405, ""),
        ("/v1/totals?store=7".to_owned(), 400, "'7' is not an id"),
        ("/v1/totals?shop=7".to_owned(), 400, "unknown field"),
        (lane.clone(), 400, "missing field `store`"),
        (format!("{lane}{store}&from=x"), 400, "from"),
        (format!("{lane}?store={id}"), 404, "check the id"),
        (format!("/v1/lanes/{id}/entries{store}"), 404, "no lane"),
        ("/v2/stores".to_owned(), 404, "begin with /v1/"),
    ] {
        let answer = office.get(&path).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), status, "{path}");
        let words = answer.text().await.unwrap();
        assert!(words.contains(expected), "{path}: {words}");
    }
    // After all that it still works.
    assert_eq!(office.deliver(&shop.everything()).await, 4);
    assert_holds(&office, &shop, 1).await;
}

#[tokio::test]
async fn damaged_books_are_set_aside_and_filled_anew() {
    let check = async |damage: &dyn Fn(&std::path::Path), expected: &str| {
        let office = Office::open().await;
        let mut shop = Shop::new(1, 2);
        shop.sell_some(20);
        office.deliver(&shop.everything()).await;
        let folder = office.close().await;
        damage(&folder.path().join("hq.db"));

        let office = Office::open_in(folder).await;
        let told = office.running.set_aside().unwrap();
        assert!(told.contains(expected), "{told}");
        assert_eq!(office.deliver(&shop.batch(1, 0)).await, 0);
        assert_eq!(office.deliver(&shop.everything()).await, 20);
        assert_holds(&office, &shop, 2).await;
    };
    check(
        &|file| fs::write(file, "not a database at all, but long enough").unwrap(),
        "kept as hq.db.damaged-1",
    )
    .await;
    check(&|file| fs::remove_file(file).unwrap(), "it was deleted").await;
    check(&|file| fs::write(file, "").unwrap(), "it was emptied").await;
}

#[tokio::test]
async fn one_folder_and_one_port_serve_one_head_office() {
    let office = Office::open().await;
    let same_folder = serve(config(office.folder.path())).await.err().unwrap();
    let words = same_folder.to_string();
    assert!(words.contains("another process is running"), "{words}");

    let folder = tempfile::tempdir().unwrap();
    let mut same_port = config(folder.path());
    same_port.listen = office.running.local_addr();
    let error = serve(same_port).await.err().unwrap();
    assert!(matches!(error, HqError::PortInUse { .. }));
    let words = error.to_string();
    assert!(words.contains("choose another address"), "{words}");
}

#[tokio::test]
async fn the_books_can_be_read_beside_and_without_a_running_head_office() {
    let office = Office::open().await;
    let mut shop = Shop::new(1, 2);
    shop.sell_some(10);
    office.deliver(&shop.everything()).await;
    let read = |folder: &std::path::Path| {
        let books = OfflineHq::open(folder).unwrap();
        let stores = books.stores().unwrap();
        assert_eq!(stores.len(), 1);
        assert_eq!((stores[0].cursor, stores[0].entries), (10, 10));
        assert_eq!(stores[0].lanes.len(), 2);
        for (lane, summary) in stores[0].lanes.iter().enumerate() {
            let page = books
                .lane_entries(shop.store, summary.lane, 1, 100)
                .unwrap();
            let held = page.entries.iter().map(|e| (e.seq, e.bytes.clone()));
            assert_eq!(held.collect::<Vec<_>>(), shop.journal(lane));
            assert_eq!(page.next, None);
            assert_eq!(page.entries.last().unwrap().hash, summary.hash);
        }
        let totals = books.totals(&TotalsFilter::default()).unwrap();
        let receipts: u64 = totals.iter().map(|row| row.total.receipts).sum();
        assert_eq!(receipts, 10);
        assert!(books.set_aside(None).unwrap().is_empty());
    };
    read(office.folder.path());
    // As a killed head office leaves it: the write-ahead log is still there.
    let killed = tempfile::tempdir().unwrap();
    for file in ["hq.db", "hq.db-wal"] {
        fs::copy(office.folder.path().join(file), killed.path().join(file)).unwrap();
    }
    read(killed.path());
    let folder = office.close().await;
    read(folder.path());
    let nothing = tempfile::tempdir().unwrap();
    assert!(OfflineHq::open(nothing.path()).is_err());
}
