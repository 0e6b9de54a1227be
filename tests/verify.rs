//! `lanemesh verify` and `lanemesh export` on stores that are sound, and on stores with one fault
//! each: the fault is found, and nothing else is accused.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use ledger::{DayTotal, ENTRY_FORMAT, Fact, Table};
use serde_json::Value;
use storage::{Journal, OfflineState};

#[path = "verify/export.rs"]
mod export;
#[path = "verify/shop.rs"]
mod shop;

use shop::{LANES, Shop, overwrite};

const FOLDERS: &str = "lane folders of one store";
const FILES: &str = "database files without damage";
const CHAINS: &str = "journal entries in unbroken hash chains";
const SAME: &str = "entries compared with another holder's";
const WHOLE: &str = "journals that end no earlier than anyone's copy";
const APPLIED: &str = "applied entries without a gap";
const RECEIPTS: &str = "receipts counted once";
const TOTALS: &str = "day totals equal to their receipts";
const STOCK: &str = "stock figures equal to the sales";
const HASHES: &str = "state hashes equal to the rows";
const AGREEMENT: &str = "lanes in agreement on the store's state";
const HQ: &str = "entries at head office";
const HQ_TOTALS: &str = "day totals at head office equal to their receipts";

/// A format that this release does not read.
const LATER_FORMAT: u16 = ENTRY_FORMAT + 1;

/// What `verify --json` said.
struct Said {
    code: i32,
    json: Value,
}

fn command(dirs: &[PathBuf], more: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lanemesh"));
    command.args(["verify", "--json"]).args(dirs).args(more);
    command.stdin(Stdio::null());
    command
}

fn said(output: &Output) -> Said {
    let json = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
        panic!("{error}: {}", String::from_utf8_lossy(&output.stderr));
    });
    Said {
        code: output.status.code().unwrap(),
        json,
    }
}

fn verify(dirs: &[PathBuf], more: &[&str]) -> Said {
    said(&command(dirs, more).output().unwrap())
}

/// All lanes and head office's folder.
fn verify_all(shop: &Shop) -> Said {
    verify(
        &shop.dirs(),
        &["--hq", &shop.hq_dir().display().to_string()],
    )
}

impl Said {
    fn counts(&self) -> BTreeMap<&str, u64> {
        let checked = self.json["checked"].as_array().unwrap();
        checked
            .iter()
            .map(|c| (c["what"].as_str().unwrap(), c["count"].as_u64().unwrap()))
            .collect()
    }

    /// What, where and why, of every problem.
    fn problems(&self) -> Vec<[&str; 3]> {
        let problems = self.json["problems"].as_array().unwrap();
        problems
            .iter()
            .map(|p| ["what", "where", "message"].map(|key| p[key].as_str().unwrap()))
            .collect()
    }

    fn notes(&self) -> Vec<&str> {
        let notes = self.json["notes"].as_array().unwrap();
        notes.iter().map(|note| note.as_str().unwrap()).collect()
    }

    fn assert_ok(&self) {
        assert_eq!(self.problems(), Vec::<[&str; 3]>::new());
        assert_eq!((self.code, &self.json["ok"]), (0, &Value::Bool(true)));
    }

    /// Exactly these problems: what, a part of where, a part of the message.
    fn assert_found(&self, expected: &[[&str; 3]]) {
        let problems = self.problems();
        let is_expected = |found: &[&str; 3], [what, place, message]: &[&str; 3]| {
            found[0] == *what && found[1].contains(place) && found[2].contains(message)
        };
        for found in &problems {
            let known = expected.iter().any(|e| is_expected(found, e));
            assert!(known, "not planted: {found:#?}");
        }
        for wanted in expected {
            let is_there = problems.iter().any(|found| is_expected(found, wanted));
            assert!(is_there, "not found: {wanted:?} in {problems:#?}");
        }
        assert_eq!((self.code, &self.json["ok"]), (1, &Value::Bool(false)));
    }
}

/// Plants a fault in a sound store; verifying all of it finds these problems and no others.
fn check(plant: impl FnOnce(&Shop), expected: &[[&str; 3]]) {
    let shop = Shop::built(1);
    plant(&shop);
    verify_all(&shop).assert_found(expected);
}

#[test]
fn a_sound_store_passes_and_everything_was_checked() {
    let shop = Shop::built(1);
    let said = verify_all(&shop);
    said.assert_ok();
    let entries = shop.entries.len() as u64;
    let (lanes, sales) = (LANES as u64, entries - LANES as u64);
    let expected = BTreeMap::from([
        (FOLDERS, lanes),
        (FILES, 3 * lanes),
        (CHAINS, lanes * entries),
        // Held by three states, three journals and head office.
        (SAME, 6 * entries),
        (WHOLE, lanes),
        (APPLIED, lanes * entries),
        (RECEIPTS, lanes * sales),
        (TOTALS, lanes * lanes),
        (STOCK, lanes),
        (HASHES, lanes),
        (AGREEMENT, lanes),
        (HQ, entries),
        (HQ_TOTALS, lanes),
    ]);
    assert_eq!(said.counts(), expected);
    assert_eq!(said.notes(), Vec::<&str>::new());
}

/// What a person is shown.
fn said_of_people(shop: &Shop) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lanemesh"));
    let output = command.arg("verify").args(shop.dirs()).output().unwrap();
    let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert_eq!(output.status.success(), text.contains("Nothing is lost"));
    text
}

#[test]
fn a_person_reads_what_was_checked_and_what_to_do() {
    let shop = Shop::built(1);
    let text = said_of_people(&shop);
    assert!(
        text.starts_with("Checked:\n  ok         3  lane folders"),
        "{text}"
    );
    shop.remove(1, 0, 2);
    let text = said_of_people(&shop);
    for part in [
        "  NO        35  journal entries in unbroken hash chains",
        "lane-2/journal.db\n  Entry 2 of lane 1 (11111111) is missing.",
        "lanemesh join --again",
        "One problem was found.",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
}

/// A byte in the middle of a word: the entry can still be read.
fn flip(bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let at = bytes.windows(5).position(|w| w == b"Apple").unwrap();
    bytes[at] = b'a';
    bytes
}

#[test]
fn a_changed_byte_in_a_journal() {
    check(
        |shop| shop.replace(0, 0, 2, &flip(&shop.own(0)[1].bytes)),
        &[
            [CHAINS, "lane-1/journal.db", "Entry 3 of lane 1 (11111111)"],
            [SAME, "lane-1/journal.db", "Entry 2 of lane 1 (11111111)"],
        ],
    );
    check(
        |shop| shop.replace(2, 0, 2, &[0xff; 40]),
        &[
            [
                CHAINS,
                "lane-3/journal.db",
                "Entry 2 of lane 1 (11111111) cannot be read",
            ],
            [SAME, "lane-3/journal.db", "Entry 2 of lane 1 (11111111)"],
        ],
    );
}

#[test]
fn an_entry_that_is_gone_from_a_journal() {
    check(
        |shop| shop.remove(1, 0, 2),
        &[[
            CHAINS,
            "lane-2/journal.db",
            "Entry 2 of lane 1 (11111111) is missing",
        ]],
    );
    check(
        |shop| {
            shop.remove(1, 1, 2);
            shop.remove(1, 1, 3);
        },
        &[[
            CHAINS,
            "lane-2/journal.db",
            "Entries 2 to 3 of lane 2 (12121212) are missing",
        ]],
    );
    check(
        |shop| shop.remove(0, 0, shop.last(0)),
        &[[WHOLE, "lane-1/journal.db", "ends with entry 3"]],
    );
    // A copy may end earlier than what it is a copy of.
    let shop = Shop::built(1);
    shop.remove(1, 0, shop.last(0));
    verify_all(&shop).assert_ok();
}

#[test]
fn two_entries_of_one_number() {
    check(
        |shop| shop.replace(1, 0, shop.last(0), &shop.other_last(0).bytes),
        &[[
            SAME,
            "lane-2/journal.db",
            "Entry 4 of lane 1 (11111111) is not the same everywhere",
        ]],
    );
}

#[test]
fn a_gap_in_what_was_applied() {
    // The third entry is a lane's start, which counts in no figure.
    check(
        |shop| {
            let key = 3_u64.to_be_bytes();
            let sql = "DELETE FROM kv WHERE tbl = 2 AND key = ?1";
            shop.sql(&shop.state(1), sql, [&key[..]]);
        },
        &[
            [APPLIED, "lane-2/store.db", "Entry 3 in the store's order"],
            [HASHES, "lane-2/store.db", "changed past the store's rules"],
        ],
    );
    // The last is a sale.
    check(
        |shop| {
            let key = (shop.entries.len() as u64).to_be_bytes();
            let sql = "DELETE FROM kv WHERE tbl = 2 AND key = ?1";
            shop.sql(&shop.state(1), sql, [&key[..]]);
        },
        &[
            [APPLIED, "lane-2/store.db", "Entry 12 in the store's order"],
            [HASHES, "lane-2/store.db", ""],
            [TOTALS, "lane-2/store.db", "lane 3 (13131313), 2026-11-27"],
            [STOCK, "lane-2/store.db", "Item 4711"],
        ],
    );
    check(
        |shop| {
            let key = 2_u64.to_be_bytes();
            shop.write_past_the_rules(1, Table::Entry, &key, &[0xff]);
        },
        &[
            [
                APPLIED,
                "lane-2/store.db",
                "Number 2 of the applied entries cannot be read",
            ],
            [HASHES, "lane-2/store.db", ""],
        ],
    );
}

/// The row of the first lane's total of the day, with one cent more.
fn one_cent_more(shop: &Shop) -> (Vec<u8>, Vec<u8>) {
    let state = OfflineState::open(&shop.dir(0)).unwrap();
    let rows = state.tables().scan(Table::Total, &[], 1).unwrap();
    let (key, value) = rows.into_iter().next().unwrap();
    let mut total: DayTotal = cbor4ii::serde::from_slice(&value).unwrap();
    total.total += 1;
    (key, cbor4ii::serde::to_vec(Vec::new(), &total).unwrap())
}

#[test]
fn a_wrong_total() {
    let message = "lane 1 (11111111), 2026-11-27: 3 receipts, 3 lines, 6.07 USD in all stand there; \
                   the receipts come to 3 receipts, 3 lines, 6.06 USD in all";
    let wrong = |lanes: std::ops::Range<usize>| {
        move |shop: &Shop| {
            let (key, value) = one_cent_more(shop);
            lanes.for_each(|lane| shop.write_state(lane, Table::Total, &key, &value));
        }
    };
    // All lanes agree on it, as they would if the store's rules were wrong.
    check(
        wrong(0..LANES),
        &[
            [TOTALS, "lane-1/store.db", message],
            [TOTALS, "lane-2/store.db", message],
            [TOTALS, "lane-3/store.db", message],
        ],
    );
    check(
        wrong(1..2),
        &[
            [TOTALS, "lane-2/store.db", message],
            [AGREEMENT, "lane-2/store.db", "Rows that differ: Total 1."],
        ],
    );
}

#[test]
fn a_row_that_was_changed_in_a_state() {
    check(
        |shop| {
            let items = OfflineState::open(&shop.dir(2)).unwrap();
            let rows = items.tables().scan(Table::Item, &[], 2).unwrap();
            let [(key, value)] = rows.as_slice() else {
                panic!("one item: {rows:?}");
            };
            let changed = [value.as_slice(), &[0]].concat();
            drop(items);
            shop.write_past_the_rules(2, Table::Item, key, &changed);
        },
        &[[
            HASHES,
            "lane-3/store.db",
            "a row was changed past the store's rules",
        ]],
    );
}

#[test]
fn lanes_that_disagree_although_one_has_applied_more() {
    let mut shop = Shop::built(1);
    let before = shop.entries.len();
    // Item 4712 exists in the state of lane 3 only.
    shop.write_state(2, Table::Item, b"4712", b"x");
    shop.sell(0);
    for lane in 0..2 {
        shop.apply(lane, &shop.entries[before..]);
    }
    shop.write_journal(0, &shop.entries[before..]);
    verify(&shop.dirs(), &[]).assert_found(&[[AGREEMENT, "lane-3/store.db", "lane-1/store.db"]]);
}

#[test]
fn a_lane_that_was_away_is_no_fault() {
    let mut shop = Shop::built(1);
    let before = shop.entries.len();
    shop.sell(0);
    shop.sell(1);
    for lane in 0..2 {
        shop.write_journal(lane, &shop.entries[before..]);
        shop.apply(lane, &shop.entries[before..]);
    }
    shop.send(shop.entries.len());
    verify_all(&shop).assert_ok();
    // Nor is it one to look at that lane alone.
    let hq = shop.hq_dir().display().to_string();
    let said = verify(&shop.dirs()[2..], &["--hq", &hq]);
    said.assert_ok();
    let notes = said.notes();
    assert!(
        notes.len() == 2 && notes[0].contains("holds entries up to 5, these folders only up to 4"),
        "{notes:?}"
    );
}

#[test]
fn what_is_not_shared_yet_is_said_and_is_a_fault_only_at_head_office() {
    let mut shop = Shop::built(1);
    let before = shop.entries.len();
    shop.happen(1, Fact::LaneClosed);
    shop.sell(1);
    shop.write_journal(1, &shop.entries[before..]);
    let said = verify(&shop.dirs(), &[]);
    said.assert_ok();
    let note = "lane 2 (12121212): not shared yet: 2 entries, 1 sales. They are in its journal.";
    assert_eq!(said.notes(), [note]);
    verify_all(&shop).assert_found(&[[
        HQ,
        "head office",
        "Entries 5 to 6 of lane 2 (12121212) have not come to head office: 2 entries, 1 sales",
    ]]);
}

#[test]
fn head_office_lacks_an_entry() {
    check(
        |shop| {
            let sql = "DELETE FROM entry WHERE seq = 2 AND lane = \
                       (SELECT id FROM lane WHERE number = 1)";
            shop.sql(&shop.hq_dir().join("hq.db"), sql, []);
        },
        &[
            [HQ, "head office", "Entry 2 of lane 1 (11111111) is missing"],
            [HQ_TOTALS, "head office", "lane 1 (11111111), 2026-11-27"],
        ],
    );
    check(
        |shop| {
            let sql = "DELETE FROM entry WHERE seq = 4 AND lane = \
                       (SELECT id FROM lane WHERE number = 1)";
            shop.sql(&shop.hq_dir().join("hq.db"), sql, []);
        },
        &[
            [HQ, "head office", "Entry 4 of lane 1 (11111111) is missing"],
            [HQ_TOTALS, "head office", "lane 1 (11111111), 2026-11-27"],
        ],
    );
    check(
        |shop| fs::remove_dir_all(shop.hq_dir()).unwrap(),
        &[[HQ, "head office", "Head office could not be checked"]],
    );
}

#[test]
fn head_office_has_another_entry() {
    check(
        |shop| {
            let other = shop.other_last(0);
            let sql = "UPDATE entry SET bytes = ?1, hash = ?2 WHERE seq = 4 AND lane = \
                       (SELECT id FROM lane WHERE number = 1)";
            let values = (&other.bytes[..], &other.hash().0[..]);
            shop.sql(&shop.hq_dir().join("hq.db"), sql, values);
        },
        &[
            [SAME, "head office", "Entry 4 of lane 1 (11111111)"],
            [
                HQ,
                "head office",
                "do not end with the one that head office last took",
            ],
            [HQ_TOTALS, "head office", "lane 1 (11111111), 2026-11-27"],
        ],
    );
    check(
        |shop| {
            let sql = "UPDATE entry SET bytes = ?1 WHERE seq = 2 AND lane = \
                       (SELECT id FROM lane WHERE number = 1)";
            let values = [flip(&shop.own(0)[1].bytes)];
            shop.sql(&shop.hq_dir().join("hq.db"), sql, values);
        },
        &[
            [SAME, "head office", "Entry 2 of lane 1 (11111111)"],
            [
                HQ,
                "head office",
                "Entry 3 of lane 1 (11111111) does not continue",
            ],
            [
                HQ,
                "head office",
                "Entry 2 of lane 1 (11111111) was changed after",
            ],
        ],
    );
}

#[test]
fn what_head_office_set_aside_is_told() {
    check(
        |shop| {
            let mut batch = shop.batch(shop.entries.len());
            let last = batch.entries.last_mut().unwrap();
            last.entry = shop.other_last(2);
            shop.send_batch(batch);
        },
        &[[
            HQ,
            "head office",
            "Entry 4 of lane 3 (13131313) was set aside: another entry",
        ]],
    );
}

#[test]
fn entries_of_a_later_release_are_no_fault() {
    let shop = Shop::built_after(|shop| {
        shop.happen_in_format(LATER_FORMAT, 0, Fact::LaneClosed);
        shop.sell(0);
    });
    let said = verify_all(&shop);
    said.assert_ok();
    let notes = said.notes().join("\n");
    assert!(
        notes.contains("1 entries are of a later release"),
        "{notes}"
    );
    assert!(notes.contains("was set aside"), "{notes}");
}

#[test]
fn a_receipt_that_was_written_twice() {
    let shop = Shop::built_after(|shop| {
        let again = shop::receipt(shop.lane(1), "2-000001", 201);
        shop.happen(1, shop::sold(again));
    });
    let message = "Receipt 2-000001";
    verify_all(&shop).assert_found(&[
        [RECEIPTS, "lane-1/store.db", message],
        [RECEIPTS, "lane-2/store.db", message],
        [RECEIPTS, "lane-3/store.db", message],
        [RECEIPTS, "head office", message],
    ]);
}

#[test]
fn folders_that_do_not_belong_together() {
    let shop = Shop::built(1);
    let other = Shop::built(2);
    let with = |more: PathBuf| {
        let mut dirs = vec![more];
        dirs.extend(shop.dirs());
        verify(&dirs, &[])
    };
    with(other.dir(0)).assert_found(&[[FOLDERS, "lane-1", "belongs to store 02020202"]]);
    with(shop.dir(2)).assert_found(&[[FOLDERS, "lane-3", "the same lane as in"]]);
    with(shop.root().to_owned()).assert_found(&[[FOLDERS, "", "holds no lane"]]);
    with(shop.root().join("nowhere")).assert_found(&[[FOLDERS, "nowhere", "holds no lane"]]);
    verify(&[shop.hq_dir()], &[]).assert_found(&[[FOLDERS, "hq", "holds no lane"]]);
}

#[test]
fn a_lane_file_that_cannot_be_read() {
    for text in ["", "format = 1\nstore = 7\n", "\u{0}\u{1}"] {
        check(
            |shop| fs::write(shop.dir(1).join("lane.toml"), text).unwrap(),
            &[[FOLDERS, "lane-2", "lane.toml cannot be read"]],
        );
    }
}

#[test]
fn a_lane_that_was_never_started_is_no_fault() {
    let shop = Shop::built(1);
    for file in fs::read_dir(shop.dir(2)).unwrap() {
        let path = file.unwrap().path();
        if !path.ends_with("lane.toml") {
            fs::remove_file(path).unwrap();
        }
    }
    let said = verify_all(&shop);
    said.assert_ok();
    assert!(said.notes()[0].ends_with("lane-3 was never started."));
}

#[test]
fn damaged_database_files() {
    let damage = |file: &'static str, at: u64| {
        move |shop: &Shop| overwrite(&shop.dir(1).join(file), at, &[0x55; 4096])
    };
    for (file, at) in [
        ("journal.db", 0),
        ("journal.db", 4096),
        ("raft.db", 0),
        ("store.db", 0),
        ("store.db", 2 * 4096),
    ] {
        let place = format!("lane-2/{file}");
        check(
            damage(file, at),
            &[[FILES, &place, "What it holds was not checked"]],
        );
    }
    check(
        |shop| fs::remove_file(shop.journal(1)).unwrap(),
        &[[FILES, "lane-2/journal.db", "unable to open database file"]],
    );
    check(
        |shop| overwrite(&shop.hq_dir().join("hq.db"), 4096, &[0x55; 4096]),
        &[[HQ, "head office", "Head office could not be checked"]],
    );
}

#[test]
fn a_lane_at_work_can_be_verified() {
    let shop = Shop::built(1);
    // Held as a running lane holds it.
    let disk = shop.disk(&shop.dir(0));
    let (_journal, _) = Journal::open(disk, shop.store).unwrap();
    verify_all(&shop).assert_ok();
}

/// A head office that answers on an address.
struct RunningHq {
    runtime: tokio::runtime::Runtime,
    running: hq::RunningHq,
    url: String,
}

impl RunningHq {
    fn of(shop: &Shop) -> RunningHq {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let config = hq::HqConfig {
            dir: shop.hq_dir(),
            listen: ([127, 0, 0, 1], 0).into(),
        };
        let running = runtime.block_on(hq::serve(config)).unwrap();
        RunningHq {
            url: format!("http://{}", running.local_addr()),
            runtime,
            running,
        }
    }

    fn token_file(shop: &Shop) -> String {
        shop.hq_dir().join(hq::TOKEN_FILE).display().to_string()
    }

    fn take(&self, batch: &wire::HqBatch) {
        let url = format!("{}/v1/stores/{}/batches", self.url, batch.store);
        let request = reqwest::Client::new()
            .post(url)
            .bearer_auth(self.running.token())
            .body(wire::encode(batch).unwrap());
        let answer = self.runtime.block_on(request.send()).unwrap();
        assert!(answer.status().is_success());
    }
}

#[test]
fn head_office_is_asked_over_its_address() {
    let shop = Shop::built(1);
    let hq = RunningHq::of(&shop);
    let token_file = RunningHq::token_file(&shop);
    let known = ["--hq", &hq.url, "--hq-token-file", &token_file];
    let said = verify(&shop.dirs(), &known);
    said.assert_ok();
    assert_eq!(said.counts()[HQ], shop.entries.len() as u64);

    let unknown = verify(&shop.dirs(), &["--hq", &hq.url]);
    assert_eq!(unknown.code, 1);
    let error = unknown.json["error"].as_str().unwrap();
    assert!(error.contains("--hq-token-file"), "{error}");
    // A lane's own key will do.
    fs::copy(&token_file, shop.dir(1).join(hq::TOKEN_FILE)).unwrap();
    verify(&shop.dirs(), &["--hq", &hq.url]).assert_ok();

    fs::write(shop.dir(1).join(hq::TOKEN_FILE), "x".repeat(64)).unwrap();
    verify(&shop.dirs(), &["--hq", &hq.url]).assert_found(&[[HQ, "", "401 Unauthorized"]]);
    hq.runtime.block_on(hq.running.shutdown());
    verify(&shop.dirs(), &known).assert_found(&[[HQ, "", "it does not answer"]]);
}

#[test]
fn what_a_running_store_has_yet_to_send_is_waited_for() {
    let mut shop = Shop::built(1);
    let before = shop.entries.len();
    shop.sell(1);
    shop.write_journal(1, &shop.entries[before..]);
    // As a running lane leaves it.
    fs::write(shop.dir(1).join("api.json"), "{}").unwrap();
    let hq = RunningHq::of(&shop);
    let token_file = RunningHq::token_file(&shop);
    let mut command = command(
        &shop.dirs(),
        &["--hq", &hq.url, "--hq-token-file", &token_file],
    );
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let verifying = command.spawn().unwrap();
    hq.take(&shop.batch(shop.entries.len()));
    let said = said(&verifying.wait_with_output().unwrap());
    said.assert_ok();
    assert_eq!(said.counts()[HQ], shop.entries.len() as u64);
}

#[test]
fn the_checks_have_names_of_their_own() {
    let names = [
        FOLDERS, FILES, CHAINS, SAME, WHOLE, APPLIED, RECEIPTS, TOTALS, STOCK, HASHES, AGREEMENT,
        HQ, HQ_TOTALS,
    ];
    assert_eq!(BTreeSet::from(names).len(), names.len());
}
