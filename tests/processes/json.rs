//! What scripts rely on: with `--json` every command prints one JSON object on standard output, also
//! when it fails, and ends with the code that `lanemesh --help` lists.
//!
//! `demo` has tests of its own, and what `recover` and `retire` do when they succeed is in `members`.

use std::net::TcpListener;
use std::path::Path;

use node::sample;

use crate::common::{Store, run, run_json, runtime, text};

const DONE: i32 = 0;
const FAILED: i32 = 1;
const USAGE: i32 = 2;
const NOT_RUNNING: i32 = 3;
const ROWS_LEFT_OUT: i32 = 4;

/// Runs a command with `--json`; it ends with `code`, and the object has these keys.
fn check(arguments: &[&str], code: i32, keys: &[&str]) {
    let (ended, object) = run_json(arguments);
    let shown = format!("{arguments:?}: {object:#}");
    assert_eq!(ended, code, "{shown}");
    let fields = object.as_object().unwrap_or_else(|| panic!("{shown}"));
    assert_eq!(fields.get("ok"), Some(&(code == DONE).into()), "{shown}");
    for key in keys {
        assert!(fields.contains_key(*key), "no {key} in {shown}");
    }
}

/// Runs a command that cannot be done; what it says has these words.
fn check_refused(arguments: &[&str], code: i32, words: &str) {
    check(arguments, code, &["error"]);
    let (_, object) = run_json(arguments);
    let error = object["error"].as_str().unwrap_or_default();
    assert!(error.contains(words), "{arguments:?}: {error}");
}

fn write(folder: &Path, name: &str, content: &str) -> String {
    let file = folder.join(name);
    std::fs::write(&file, content).expect("the temporary folder can be written");
    text(&file).to_owned()
}

/// Promotions, items and a basket that the commands work on without a store.
struct Files {
    items: String,
    promotions: String,
    basket: String,
    baskets: String,
    wrong: String,
}

impl Files {
    fn write(folder: &Path) -> Files {
        let item = sample::items(sample::text_of("items").as_bytes()).remove(0);
        let id = &item.id.0;
        let basket = format!("item,quantity\n{id},2\n");
        let baskets =
            format!("basket_id,product_id,quantity,sales_value,retail_disc\nA,{id},2,3.00,0\n");
        Files {
            items: write(folder, "items.csv", sample::text_of("items")),
            promotions: write(folder, "promotions.toml", sample::text_of("promotions")),
            basket: write(folder, "basket.csv", &basket),
            baskets: write(folder, "baskets.csv", &baskets),
            wrong: write(folder, "wrong.toml", "this is no promotion"),
        }
    }
}

#[test]
fn commands_that_need_no_store_answer_in_json() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let files = Files::write(folder.path());
    let price = |promotions: &str, code, keys: &[&str]| {
        let with = ["--catalog", &files.items, "--promotions", promotions];
        let what = ["--basket", &files.basket, "--at", "2026-11-27T09:00"];
        check(&[&["price"], &with[..], &what].concat(), code, keys);
    };
    price(&files.promotions, DONE, &["priced"]);
    price(&files.wrong, FAILED, &["problems"]);
    let catalog = ["--catalog", &files.items];
    let checked = |file: &str, code, keys: &[&str]| {
        check(
            &[&["promotions", "check", file], &catalog[..]].concat(),
            code,
            keys,
        );
    };
    checked(&files.promotions, DONE, &["promotions", "findings"]);
    checked(&files.wrong, FAILED, &["problems"]);
    let tried = |file: &str, code, keys: &[&str]| {
        let past = ["--baskets", &files.baskets, "--at", "2026-11-27T09:00"];
        check(
            &[&["promotions", "try", file], &catalog[..], &past].concat(),
            code,
            keys,
        );
    };
    tried(&files.promotions, DONE, &["baskets", "gross", "off"]);
    tried(&files.wrong, FAILED, &["problems"]);
}

#[test]
fn the_core_of_a_register_is_measured_in_json() {
    let few = ["--promotions", "10", "--sales", "1", "--commands", "50"];
    check(
        &[&["bench", "sale"], &few[..]].concat(),
        DONE,
        &["bench", "machine", "from", "items", "promotions", "figures"],
    );
}

#[test]
fn commands_without_a_lane_say_so_in_json() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = |name: &str| text(&folder.path().join(name)).to_owned();
    let (none, file) = (path("none"), write(folder.path(), "file", "no folder"));
    let made = path("made");

    check(&["store", "create", &made], DONE, &["store", "lane"]);
    check_refused(&["store", "create", &made], FAILED, "holds a lane already");
    check_refused(&["lane", &none], FAILED, &none);
    check_refused(&["recover", &none, "--yes"], FAILED, "holds no lane");
    check_refused(&["export", &none, "--out", &file], FAILED, &none);
    check_refused(&["hq", &file], FAILED, &file);
    check_refused(&["bench", "store", "--dir", &file], FAILED, &file);
    check_refused(&["bench", "failover", "--dir", &file], FAILED, &file);
    check(&["verify", &none], FAILED, &["checked", "problems"]);

    // A lane that was made and does not run.
    for lane in [&made, &none] {
        check_refused(&["status", lane], NOT_RUNNING, lane);
        check_refused(&["invite", lane], NOT_RUNNING, lane);
        check_refused(&["import", lane, &file], NOT_RUNNING, lane);
        check_refused(
            &["retire", lane, "2", "--manager", "100"],
            NOT_RUNNING,
            lane,
        );
    }
    check_refused(&["export", &made, "--out", &file], FAILED, "never run");

    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let listen = taken.local_addr().expect("an address").to_string();
    check_refused(&["hq", &path("hq"), "--listen", &listen], FAILED, &listen);
}

#[test]
fn commands_at_a_running_lane_answer_in_json() {
    runtime().block_on(async {
        let store = Store::start(1, false).await;
        let files = Files::write(store.folder.path());
        let lane = store.lane_folder(1);
        let lane = text(&lane);
        check(&["status", lane], DONE, &["store", "lane", "status"]);
        check(&["invite", lane], DONE, &["code", "addresses"]);
        let counts = ["kind", "imported", "problems", "problem_count"];
        check(&["import", lane, &files.items], DONE, &counts);
        let rows = "item_id,description,department,price,tax\nX1,Soap,grocery,one,none\n";
        let damaged = write(store.folder.path(), "damaged.csv", rows);
        check(&["import", lane, &damaged], ROWS_LEFT_OUT, &counts);
        check_refused(&["import", lane, "none.csv"], FAILED, "none.csv");
        let nobody = ["--manager", "100"];
        check_refused(
            &[&["retire", lane, "9"], &nobody[..]].concat(),
            FAILED,
            "no lane '9'",
        );
        check_refused(&["recover", lane, "--yes"], FAILED, "does not run");
        check(&["verify", lane], DONE, &["checked", "problems"]);
        let out = store.folder.path().join("journal.jsonl");
        let written = ["file", "lanes", "entries", "unreadable"];
        check(&["export", lane, "--out", text(&out)], DONE, &written);

        let invitation = store.lanes[0].client.invite().await.expect("a code");
        let folder = store.folder.path().join("second");
        let mut join = vec!["join", text(&folder), "--no-mdns", "--wait", "5"];
        join.extend(["--peer", &invitation.addresses[0]]);
        let wrong = [&join[..], &["--code", "0000-0000-0000-0000"]].concat();
        check_refused(&wrong, FAILED, "Check the code");
        let right = [&join[..], &["--code", &invitation.code]].concat();
        check(&right, DONE, &["store", "lane", "number"]);
    });
}

/// A command line that is not understood is nothing that a script reads as an answer.
#[test]
fn a_wrong_command_line_prints_nothing_on_standard_output() {
    for arguments in [
        &["stauts"][..],
        &["status"],
        &["import", "lane-1"],
        &["demo", "--lanes", "0"],
        &["price", "--currency", "ducats"],
        &["bench"],
    ] {
        let output = run(&[arguments, &["--json"]].concat());
        assert_eq!(output.status.code(), Some(USAGE), "{output:?}");
        assert!(output.stdout.is_empty(), "{output:?}");
        assert!(!output.stderr.is_empty(), "{output:?}");
    }
}
