//! A store of real processes: selling together, alone, through crashes, and beside another store.

use crate::common::{Lane, Store, plain_items, run, run_json, runtime, scan, stop, text};
use api::Mode;

#[test]
fn three_lanes_sell_share_and_survive_their_leader() {
    runtime().block_on(async {
        let mut store = Store::start(3, true).await;
        let items = plain_items(10);
        for lane in &store.lanes {
            lane.sign_in().await;
            for item in &items {
                lane.sell(item).await;
            }
        }
        let leader = store.leader().await;
        store.lanes[leader].process.kill();
        for (index, lane) in store.lanes.iter().enumerate() {
            if index != leader {
                lane.sell(&items[0]).await;
            }
        }
        let folder = store.lanes[leader].folder.clone();
        store.lanes[leader] = Lane::start(&folder).await;
        store.lanes[leader].sell(&items[1]).await;
        store.wait_complete().await;
        store.assert_verified();
        assert_eq!(store.receipts().await, 33);
    });
}

#[test]
fn a_lane_alone_goes_on_selling_and_shares_everything_later() {
    runtime().block_on(async {
        let mut store = Store::start(3, true).await;
        let items = plain_items(5);
        store.lanes[2].sign_in().await;
        store.lanes[0].stop();
        store.lanes[1].stop();
        let (mut hq, url) = store.hq.take().expect("a head office");
        stop(&mut hq);
        let alone = &store.lanes[2];
        alone
            .wait("the lane is alone", |status| {
                matches!(status.mode, Mode::Alone { .. })
            })
            .await;
        for item in &items {
            alone.sell(item).await;
        }
        alone
            .wait("it says what is not shared", |status| {
                status.mode
                    == Mode::Alone {
                        unshared: 5,
                        since: alone_since(&status.mode),
                    }
            })
            .await;
        store.hq = Some((hq, url));
        store.start_hq().await;
        for index in 0..2 {
            let folder = store.lanes[index].folder.clone();
            store.lanes[index] = Lane::start(&folder).await;
        }
        store.wait_together().await;
        store.wait_complete().await;
        assert_eq!(store.lanes[2].status().await.mode, Mode::Together);
        store.assert_verified();
    });
}

#[test]
fn who_has_the_answer_to_a_command_is_shown_what_it_did() {
    runtime().block_on(async {
        let store = Store::start(1, false).await;
        let [item] = plain_items(1).try_into().expect("an item");
        let lane = &store.lanes[0];
        lane.sign_in().await;
        for scanned in 1..=100 {
            let seq = lane.done(scan(&item)).await.seq;
            let status = lane.status().await;
            assert!(status.journal_seq >= seq, "{scanned}: {status:#?}");
            let view = lane.client.view().await.expect("a view");
            let pieces = view.register.cart.expect("a sale").live_lines().count();
            assert_eq!(pieces, scanned);
            let priced = view.totals.map(|totals| totals.lines.len());
            assert_eq!(priced, Some(scanned));
        }
    });
}

fn alone_since(mode: &Mode) -> Option<sale::LocalTime> {
    match mode {
        Mode::Alone { since, .. } => *since,
        _ => None,
    }
}

#[test]
fn two_stores_on_one_network_never_mix() {
    runtime().block_on(async {
        let one = Store::start(1, false).await;
        let other = Store::start(1, false).await;
        let code = one.lanes[0].client.invite().await.expect("a code");
        // The other store's lane is the only one asked, with a code that is not its own.
        let invited = other.lanes[0].client.invite().await.expect("a code");
        let folder = other.folder.path().join("lane-2");
        let joined = run(&[
            "join",
            text(&folder),
            "--code",
            &code.code,
            "--peer",
            &invited.addresses[0],
            "--no-mdns",
            "--wait",
            "5",
        ]);
        assert_eq!(joined.status.code(), Some(1));
        let said = String::from_utf8_lossy(&joined.stderr).into_owned();
        assert!(said.contains("no open invitation with that code"), "{said}");
        for store in [&one, &other] {
            store.lanes[0].sign_in().await;
            store.lanes[0].sell(&plain_items(1)[0]).await;
            store.wait_complete().await;
            assert_eq!(store.lanes[0].status().await.lanes.len(), 1);
            store.assert_verified();
        }
        let mixed = [one.lane_folder(1), other.lane_folder(1)];
        let (exit, report) = run_json(&["verify", text(&mixed[0]), text(&mixed[1])]);
        assert_eq!(exit, 1, "{report}");
    });
}

#[test]
fn a_command_sent_twice_counts_once_even_across_a_crash() {
    runtime().block_on(async {
        let mut store = Store::start(1, false).await;
        let lane = &mut store.lanes[0];
        lane.sign_in().await;
        let item = plain_items(1)[0].clone();
        let request = api::CommandRequest {
            id: Some("one".to_owned()),
            command: scan(&item),
        };
        let first = lane.client.command(&request).await.expect("an answer");
        let again = lane.client.command(&request).await.expect("an answer");
        assert_eq!(first, again);
        lane.crash_and_restart().await;
        let after = lane.client.command(&request).await.expect("an answer");
        assert_eq!(first, after);
        let view = lane.client.view().await.expect("a view");
        assert_eq!(view.register.cart.expect("an open cart").lines.len(), 1);
    });
}
