//! Wrong input, damaged files and taken ports: each has a message that says what to do, loses
//! nothing and stops nothing else.

use std::io::{Read, Seek, SeekFrom, Write};
use std::net::TcpListener;
use std::path::Path;

use crate::common::{
    Lane, Store, lanemesh, plain_items, run, run_json, runtime, scan, start, text, wait_for_end,
};
use api::Problem;
use catalog::EmployeeId;
use node::sample;
use sale::Pin;

fn said(output: &std::process::Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn wrong_scans_files_and_codes_are_answered_with_what_to_do() {
    runtime().block_on(async {
        let store = Store::start(1, false).await;
        let lane = &store.lanes[0];
        lane.sign_in().await;
        let refused = |answer: Result<api::Done, Problem>| match answer {
            Err(Problem::Refused { message, hint, .. }) => format!("{message} {hint}"),
            other => panic!("{other:?}"),
        };
        let unknown = refused(lane.try_do(scan("4006381333931")).await);
        assert!(
            unknown.contains("No item has the code 4006381333931"),
            "{unknown}"
        );
        let digit = refused(lane.try_do(scan("4006381333932")).await);
        assert!(digit.contains("check digit"), "{digit}");
        assert!(digit.contains("type the number under the bars"), "{digit}");

        damaged_csv(&store);
        other_currency(&store);
        wrong_join_code(&store).await;
        wrong_token(&store).await;
        // None of it did anything to the lane.
        lane.sell(&plain_items(1)[0]).await;
        store.wait_complete().await;
        store.assert_verified();
    });
}

/// Good rows are taken, bad ones named by row and column.
fn damaged_csv(store: &Store) {
    let file = store.folder.path().join("items.csv");
    let rows = "item_id,description,department,price,tax\n\
                X1,Good,grocery,1.00,none\n\
                X2,Bad price,grocery,one,none\n\
                X3,\"never closed,grocery,1.00,none\n\
                X4,Good again,grocery,2.00,none\n";
    std::fs::write(&file, rows).expect("a file");
    let (exit, report) = run_json(&["import", text(&store.lane_folder(1)), text(&file)]);
    assert_eq!(exit, 4, "{report}");
    let problems = report["problems"].as_array().expect("problems");
    assert!(
        problems
            .iter()
            .any(|p| p["row"] == 3 && p["column"] == "price"),
        "{report}"
    );
    assert!(problems.iter().any(|p| p["row"] == 4), "{report}");
    assert!(report["imported"].as_u64() >= Some(2), "{report}");
}

/// A store that has prices keeps its currency.
fn other_currency(store: &Store) {
    let file = store.folder.path().join("settings.toml");
    std::fs::write(&file, "currency = \"EUR\"\n").expect("a file");
    let refused = run(&["import", text(&store.lane_folder(1)), text(&file)]);
    assert_eq!(refused.status.code(), Some(1));
    let words = said(&refused);
    assert!(words.contains("prices are in USD"), "{words}");
}

async fn wrong_join_code(store: &Store) {
    let invitation = store.lanes[0].client.invite().await.expect("a code");
    let folder = store.folder.path().join("stranger");
    let join = |code: &str| {
        let peer = &invitation.addresses[0];
        run(&[
            "join",
            text(&folder),
            "--code",
            code,
            "--peer",
            peer,
            "--no-mdns",
            "--wait",
            "5",
        ])
    };
    let no_code = join("nonsense");
    assert!(
        said(&no_code).contains("is not an invitation code"),
        "{no_code:?}"
    );
    let wrong = join("0000-0000-0000-0000");
    assert_eq!(wrong.status.code(), Some(1));
    assert!(said(&wrong).contains("Check the code"), "{wrong:?}");
    assert!(!folder.join("lane.toml").exists(), "nothing was joined");
}

/// Without the folder's token the API answers nothing but its refusal.
async fn wrong_token(store: &Store) {
    let folder = store.folder.path().join("no-token");
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::copy(
        store.lane_folder(1).join("api.json"),
        folder.join("api.json"),
    )
    .expect("a copy");
    std::fs::write(folder.join("api-token"), "guess").expect("a file");
    let status = run(&["status", text(&folder)]);
    assert_eq!(status.status.code(), Some(3));
    assert!(said(&status).contains("401"), "{status:?}");
}

/// Who tries PINs waits longer and longer, and a restart does not help.
#[test]
fn wrong_pins_make_wait_also_after_a_restart() {
    const WRONG_PIN: &str = "9753186420";
    runtime().block_on(async {
        let mut store = Store::start(1, false).await;
        let lane = &mut store.lanes[0];
        let people = sample::people();
        let sign_in = |pin: &str| sale::Command::SignIn {
            employee: EmployeeId(people[0].number.clone()),
            pin: Pin(pin.to_owned()),
        };
        let waits = |answer: Result<api::Done, Problem>| match answer {
            Err(Problem::Refused { message, .. }) => message.contains("Try again in"),
            other => panic!("{other:?}"),
        };
        let mut wrong = 0;
        while !waits(lane.try_do(sign_in(WRONG_PIN)).await) {
            wrong += 1;
            assert!(wrong < 10, "{wrong} wrong PINs were looked at");
        }
        // Two more, so that the wait outlasts the restart.
        for _ in 0..2 {
            while waits(lane.try_do(sign_in(WRONG_PIN)).await) {
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            }
        }
        lane.crash_and_restart().await;
        assert!(waits(lane.try_do(sign_in(&people[0].pin)).await));
        lane.sign_in().await;
        let journal = std::fs::read(lane.folder.join("journal.db-wal")).expect("a journal");
        let pin = WRONG_PIN.as_bytes();
        assert!(!journal.windows(pin.len()).any(|bytes| bytes == pin));
    });
}

#[test]
fn a_port_in_use_is_named() {
    let taken = TcpListener::bind("0.0.0.0:0").expect("a port");
    let port = taken.local_addr().expect("an address").port().to_string();
    let folder = tempfile::tempdir().expect("a folder");
    let lane = folder.path().join("lane");
    assert!(run(&["store", "create", text(&lane)]).status.success());
    let started = run(&["lane", text(&lane), "--port", &port]);
    assert_eq!(started.status.code(), Some(1));
    assert!(said(&started).contains(&port), "{started:?}");
    assert!(said(&started).contains("--port"), "{started:?}");
    let started = run(&["lane", text(&lane), "--api-port", &port]);
    assert_eq!(started.status.code(), Some(1));
    assert!(said(&started).contains("--api-port"), "{started:?}");
}

/// A lane whose journal is damaged says so and joins again as a new one; nothing shared is lost.
#[test]
fn a_damaged_journal_is_set_aside_and_the_lane_joins_again() {
    check_joins_again("journal.db");
}

/// So does one that no longer knows what it promised the others.
#[test]
fn a_damaged_raft_log_is_set_aside_and_the_lane_joins_again() {
    check_joins_again("raft.db");
}

/// The copy of the store is made again from what the lane and the others have.
#[test]
fn a_damaged_copy_of_the_store_is_set_aside_and_made_again() {
    runtime().block_on(async {
        let mut store = Store::start(3, false).await;
        let item = plain_items(1)[0].clone();
        for lane in &store.lanes {
            lane.sign_in().await;
            lane.sell(&item).await;
        }
        store.wait_complete().await;
        let folder = store.lane_folder(3);
        for damage in [truncate, overwrite] {
            store.lanes[2].stop();
            damage_database(&folder, "store.db", damage);
            store.lanes[2] = Lane::start(&folder).await;
            let lane = &store.lanes[2];
            lane.wait("it says what it did", |status| {
                let warned = |w: &String| w.contains("store.db") && w.contains("was kept as");
                status.warnings.iter().any(warned)
            })
            .await;
            store.wait_together().await;
            lane.sell(&item).await;
            store.wait_complete().await;
            store.assert_verified();
        }
        assert_eq!(set_aside(&folder, "store.db"), 2);
        assert_eq!(store.receipts().await, 5);
    });
}

fn damage_database(folder: &Path, file: &str, damage: fn(&Path)) {
    // What the write-ahead log still has would repair the file.
    for suffix in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(folder.join(format!("{file}{suffix}")));
    }
    damage(&folder.join(file));
}

/// How many damaged files of a name are kept.
fn set_aside(folder: &Path, file: &str) -> usize {
    let prefix = format!("{file}.damaged");
    let kept = std::fs::read_dir(folder).expect("a folder").flatten();
    kept.filter(|f| f.file_name().to_string_lossy().starts_with(&prefix))
        .count()
}

fn check_joins_again(file: &str) {
    runtime().block_on(async {
        let mut store = Store::start(3, false).await;
        let item = plain_items(1)[0].clone();
        store.lanes[2].sign_in().await;
        store.lanes[2].sell(&item).await;
        store.wait_complete().await;
        store.lanes[2].stop();
        let folder = store.lane_folder(3);
        for damage in [truncate, overwrite] {
            damage_database(&folder, file, damage);
            let mut process = start(&folder, &["lane", text(&folder)]);
            wait_for_end(&mut process);
            assert!(
                process.said().contains("join again as a new lane"),
                "{}",
                process.said()
            );
        }
        let invitation = store.lanes[0].client.invite().await.expect("a code");
        let mut again = lanemesh();
        again.args(["join", text(&folder), "--again", "--code", &invitation.code]);
        for address in &invitation.addresses {
            again.args(["--peer", address]);
        }
        let joined = again.output().expect("the binary runs");
        assert!(joined.status.success(), "{joined:?}");
        store.lanes[2] = Lane::start(&folder).await;
        store.lanes[2]
            .wait("the lane has the store again", |status| {
                status.items > 0 && status.leader.is_some() && status.lanes.len() == 4
            })
            .await;
        store.lanes[2].sign_in().await;
        store.lanes[2].sell(&item).await;
        for lane in &store.lanes {
            lane.wait_shared().await;
        }
        assert!(set_aside(&folder, file) >= 1, "the damaged file is kept");
    });
}

fn truncate(file: &Path) {
    let bytes = std::fs::metadata(file).expect("a journal").len();
    let file = std::fs::OpenOptions::new().write(true).open(file);
    file.expect("a journal")
        .set_len(bytes / 2 + 7)
        .expect("cut");
}

fn overwrite(file: &Path) {
    let mut file = std::fs::OpenOptions::new()
        .read(true)
        .write(true)
        .open(file)
        .expect("a file");
    let mut header = [0; 16];
    file.read_exact(&mut header).expect("a header");
    file.seek(SeekFrom::Start(0)).expect("seek");
    file.write_all(&[0xAA; 4096]).expect("write");
}
