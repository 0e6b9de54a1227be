//! Lanes that come and go: a wiped disk, a store that lost its majority, voters that die, a night.
//! Each with real processes, and `verify` at the end.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::common::{Lane, Store, plain_items, run, run_json, text};
use api::Mode;
use catalog::Role;
use node::sample;
use serde_json::Value;

/// Number and PIN of the sample store's manager.
fn manager() -> (String, String) {
    let people = sample::people();
    let person = people.iter().find(|person| person.role == Role::Manager);
    let person = person.expect("the sample store has a manager");
    (person.number.clone(), person.pin.clone())
}

async fn is_signed_in(lane: &Lane) -> bool {
    let view = lane.client.view().await.expect("the lane answers");
    view.register.cashier.is_some()
}

async fn sell_and_share(lane: &Lane, sales: usize) {
    if !is_signed_in(lane).await {
        // A lane that has just joined knows the store's people once its own first entry, which comes
        // after them in the log, has come back to it.
        lane.wait_shared().await;
        lane.sign_in().await;
    }
    for item in plain_items(sales) {
        lane.sell(&item).await;
    }
    lane.wait_shared().await;
}

/// Joins the store of `member` in `folder`.
async fn join(member: &Lane, folder: &Path, name: &str, options: &[&str]) {
    let invitation = member.client.invite().await.expect("a code");
    let mut arguments = vec!["join", text(folder), "--code", &invitation.code];
    arguments.extend(["--lane-name", name]);
    arguments.extend(options);
    for address in &invitation.addresses {
        arguments.extend(["--peer", address]);
    }
    let joined = run(&arguments);
    assert!(joined.status.success(), "{joined:?}");
}

/// A file with a PIN, beside the lane's folder.
fn pin_file(lane: &Path, pin: &str) -> String {
    let file = lane.with_extension("pin");
    std::fs::write(&file, pin).expect("the temporary folder can be written");
    text(&file).to_owned()
}

fn retire(member: &Lane, lane: u32, pin: &str) -> (i32, Value) {
    let (number, _) = manager();
    let lane = lane.to_string();
    let file = pin_file(&member.folder, pin);
    let arguments = ["retire", text(&member.folder), &lane, "--manager", &number];
    run_json(&[&arguments[..], &["--pin-file", &file]].concat())
}

fn assert_verified(folders: &[PathBuf], hq: Option<PathBuf>) {
    let mut arguments = vec!["verify"];
    arguments.extend(folders.iter().map(|folder| text(folder)));
    if let Some(hq) = &hq {
        arguments.extend(["--hq", text(hq)]);
    }
    let (code, report) = run_json(&arguments);
    assert_eq!((code, &report["ok"]), (0, &Value::Bool(true)), "{report:#}");
}

fn warns_of(lane: &api::LaneStatus, words: &str) -> bool {
    lane.warnings.iter().any(|warning| warning.contains(words))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wiped_lane_joins_as_a_new_one_and_the_old_one_is_retired() {
    let mut store = Store::start(3, true).await;
    sell_and_share(&store.lanes[2], 2).await;
    let mut wiped = store.lanes.remove(2);
    wiped.process.kill();
    std::fs::remove_dir_all(&wiped.folder).expect("the folder can be removed");
    join(&store.lanes[0], &wiped.folder, "Lane 3 again", &[]).await;
    let again = Lane::start(&wiped.folder).await;
    let (code, refused) = retire(&store.lanes[0], 3, "0");
    assert_eq!(
        (code, &refused["ok"]),
        (1, &Value::Bool(false)),
        "{refused}"
    );
    let (code, retired) = retire(&store.lanes[0], 3, &manager().1);
    assert_eq!(
        (code, &retired["number"]),
        (0, &Value::from(3)),
        "{retired}"
    );
    store.lanes.push(again);
    for lane in &store.lanes {
        lane.wait("the new lane votes in the old one's place", |status| {
            let numbers: Vec<u32> = status.lanes.iter().map(|lane| lane.number).collect();
            numbers == [1, 2, 4] && status.lanes.iter().all(|lane| lane.voter && lane.reachable)
        })
        .await;
    }
    sell_and_share(&store.lanes[2], 2).await;
    store.wait_complete().await;
    store.assert_verified();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_lost_its_majority_goes_on_and_takes_over_what_comes_back() {
    let mut store = Store::start(3, true).await;
    for lane in &store.lanes {
        sell_and_share(lane, 2).await;
    }
    store.wait_complete().await;
    let mut last = store.lanes.pop().expect("three lanes");
    let (number, pin) = manager();
    let folder = last.folder.clone();
    let recover = |wait: &str| {
        let file = pin_file(&folder, &pin);
        let arguments = ["recover", text(&folder), "--yes", "--manager", &number];
        run_json(&[&arguments[..], &["--pin-file", &file, "--wait", wait]].concat())
    };
    last.process.kill();
    let (code, refused) = recover("30");
    assert_eq!(code, 1, "{refused}");
    let why = refused["error"].as_str().expect("words");
    assert!(why.contains("the store is not lost"), "{why}");

    // Both others are lost, one of them for good; the other one sells alone before it is.
    let mut gone = store.lanes.pop().expect("two lanes");
    gone.process.kill();
    let mut back = store.lanes.pop().expect("one lane");
    let item = plain_items(1).remove(0);
    back.sell(&item).await;
    back.process.kill();
    let (code, recovered) = recover("2");
    assert_eq!(
        (code, &recovered["epoch"]),
        (0, &Value::from(2)),
        "{recovered}"
    );
    let missing = recovered["survey"]["others"].as_array().expect("lanes");
    assert!(
        missing.iter().all(|lane| lane["reachable"] == false),
        "{recovered}"
    );
    let last = Lane::start(&folder).await;
    last.wait("it agrees with itself", |status| {
        status.is_leader && status.lanes.len() == 1 && status.mode == Mode::Together
    })
    .await;
    last.sell(&item).await;
    last.wait_shared().await;

    // One machine is mended. It learns what happened, sells on, and joins again.
    let mut back = Lane::start(&back.folder).await;
    back.wait("it is told of the new epoch", |status| {
        warns_of(status, "recovered on another lane")
    })
    .await;
    back.sell(&item).await;
    back.stop();
    join(&last, &back.folder, "Lane 1 again", &["--again"]).await;
    let back = Lane::start(&back.folder).await;
    last.wait("both are together", |status| {
        status.lanes.len() == 2 && status.lanes.iter().all(|lane| lane.reachable)
    })
    .await;
    sell_and_share(&back, 1).await;
    last.wait("head office has everything", |status| {
        status.hq.lag_entries == 0
    })
    .await;
    // Three lanes sold two each; one more before the loss, one on each side of it, one after it.
    let expected = 3 * 2 + 1 + 1 + 1 + 1;
    for lane in [&last, &back] {
        let receipts = async || -> u64 {
            let totals = lane.client.totals().await.expect("totals");
            let rows = totals.as_array().expect("rows").iter();
            rows.map(|row| row["total"]["receipts"].as_u64().expect("a count"))
                .sum()
        };
        while receipts().await < expected {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        assert_eq!(receipts().await, expected);
    }
    last.wait("head office has everything", |status| {
        status.hq.lag_entries == 0
    })
    .await;
    let folders = [last.folder.clone(), back.folder.clone()];
    assert_verified(&folders, Some(store.hq_folder()));
}

/// Copies a folder of files.
fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir(to).expect("the temporary folder can be written");
    for entry in std::fs::read_dir(from).expect("the folder is there") {
        let file = entry.expect("the folder can be read");
        if file.file_type().expect("a file").is_file() {
            std::fs::copy(file.path(), to.join(file.file_name())).expect("a copy");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copied_folder_does_not_start_and_a_copied_disk_is_stopped_by_the_others() {
    let mut store = Store::start(3, true).await;
    for lane in &store.lanes {
        sell_and_share(lane, 1).await;
    }
    let original = store.lanes[1].folder.clone();
    store.lanes[1].stop();
    let copy = original.with_file_name("copy-of-lane-2");
    copy_folder(&original, &copy);
    store.lanes[1] = Lane::start(&original).await;
    sell_and_share(&store.lanes[1], 1).await;

    let (code, refused) = run_json(&["lane", text(&copy)]);
    let why = refused["error"].as_str().expect("words");
    assert_eq!(code, 1, "{refused}");
    assert!(why.contains("a copy of a lane's folder"), "{why}");

    // Somebody insists, as with an image of the whole disk.
    let mut twin = Lane::start_with(&copy, &["--moved"]).await;
    twin.wait("it is stopped", |status| {
        let words = "worked as this register with a copy of its disk";
        matches!(&status.mode, Mode::Stop { reason } if reason.contains(words))
    })
    .await;
    let item = plain_items(1).remove(0);
    let scan = sale::Command::Scan {
        code: item,
        quantity: None,
    };
    let refused = twin.try_do(scan).await;
    assert!(
        matches!(refused, Err(api::Problem::Stopped { .. })),
        "{refused:?}"
    );
    for lane in &store.lanes {
        sell_and_share(lane, 1).await;
    }
    twin.stop();
    store.wait_complete().await;
    store.assert_verified();
}

/// Kills a lane that votes and does not lead; gives its number.
async fn kill_a_voter(store: &mut Store) -> u32 {
    let status = store.lanes[store.leader().await].status().await;
    let may_die = |lane: &&api::PeerStatus| lane.voter && !lane.leader && lane.reachable;
    let number = status.lanes.iter().find(may_die).expect("a voter").number;
    let folder = store.lane_folder(number as usize);
    let index = store.lanes.iter().position(|lane| lane.folder == folder);
    let mut dead = store.lanes.remove(index.expect("it runs"));
    dead.process.kill();
    number
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_voter_is_replaced_and_a_leader_that_closes_hands_over() {
    let mut store = Store::start(4, true).await;
    for lane in &store.lanes {
        sell_and_share(lane, 1).await;
    }

    // Who closes in good order has had somebody else lead before it ends: nobody waits for an
    // election.
    let leader = store.leader().await;
    let name = store.lanes[leader].status().await.leader;
    store.lanes[leader].stop();
    let other = &store.lanes[(leader + 1) % 4];
    let after = other.status().await.leader;
    assert!(
        after.is_some() && after != name,
        "{after:?} follows {name:?}"
    );
    let folder = store.lanes[leader].folder.clone();
    store.lanes[leader] = Lane::start(&folder).await;
    store.wait_together().await;

    // Of four lanes three vote. One of them dies, and the fourth votes in its place; the store
    // survives the next one.
    let first = kill_a_voter(&mut store).await;
    store.lanes[0]
        .wait("another lane votes in the dead one's place", |status| {
            let voters = || status.lanes.iter().filter(|lane| lane.voter);
            voters().count() == 3 && voters().all(|lane| lane.reachable && lane.number != first)
        })
        .await;
    let second = kill_a_voter(&mut store).await;
    for lane in &store.lanes {
        sell_and_share(lane, 1).await;
    }
    for number in [first, second] {
        let folder = store.lane_folder(number as usize);
        store.lanes.push(Lane::start(&folder).await);
    }
    store.wait_together().await;
    store.wait_complete().await;
    store.assert_verified();
}

async fn voters(store: &Store) -> BTreeSet<u32> {
    let status = store.lanes[store.leader().await].status().await;
    let voters = status.lanes.iter().filter(|lane| lane.voter);
    voters.map(|lane| lane.number).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lanes_that_are_closed_are_not_taken_for_dead() {
    /// Longer than what makes a voter that fell silent a dead one (30 s).
    const LUNCH: Duration = Duration::from_secs(40);
    let mut store = Store::start(6, true).await;
    let voting = voters(&store).await;
    assert_eq!(voting.len(), 5, "of six lanes five vote: {voting:?}");

    // Over lunch one of those that vote is closed, while a lane is ready to take its place.
    let status = store.lanes[store.leader().await].status().await;
    let may_close = |lane: &&api::PeerStatus| lane.voter && !lane.leader;
    let number = status.lanes.iter().find(may_close).expect("a voter").number;
    let folder = store.lane_folder(number as usize);
    let index = store.lanes.iter().position(|lane| lane.folder == folder);
    let index = index.expect("it runs");
    store.lanes[index].stop();
    let mut closed = store.lanes.remove(index);
    let noon = Instant::now();
    while noon.elapsed() < LUNCH {
        assert_eq!(voters(&store).await, voting, "{:?}", noon.elapsed());
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    closed = Lane::start(&closed.folder).await;
    store.lanes.insert(index, closed);
    store.wait_together().await;
    sell_and_share(&store.lanes[index], 1).await;

    // In the evening all are closed, one after the other; in the morning all open.
    for lane in &mut store.lanes {
        lane.stop();
    }
    for lane in &mut store.lanes {
        *lane = Lane::start(&lane.folder).await;
    }
    store.wait_together().await;
    assert_eq!(voters(&store).await, voting);
    for lane in &store.lanes {
        sell_and_share(lane, 1).await;
    }
    store.wait_complete().await;
    store.assert_verified();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_of_voters_outlives_the_leader_that_began_it() {
    let mut store = Store::start(2, true).await;
    let leader = store.leader().await;
    sell_and_share(&store.lanes[leader], 2).await;
    // With the third lane three vote instead of one. Whoever leads dies at once when it is seen that
    // the change has begun.
    store.join(3).await;
    store.lanes[leader]
        .wait("more than one lane votes", |status| {
            status.lanes.iter().filter(|lane| lane.voter).count() > 1
        })
        .await;
    store.lanes[leader].crash_and_restart().await;
    store.wait_together().await;
    for lane in &store.lanes {
        sell_and_share(lane, 1).await;
    }
    store.wait_complete().await;
    store.assert_verified();
}
