//! Creating the store, inviting and admitting lanes, and head office's cursor.

use ledger::{Command, Fact, InvitationId, Outcome};

use crate::shop::{Journal, STORE, Shop, creation, invite, lane};

fn admit(invitation: InvitationId, letter: char, now_ms: u64) -> Command {
    Command::Admit {
        invitation,
        lane: lane(letter),
        lane_name: format!("Lane {letter}"),
        peer: format!("peer-{letter}"),
        now_ms,
    }
}

#[track_caller]
fn assert_refused(outcome: &Outcome, expected: &str) {
    match outcome {
        Outcome::Refused { reason } => assert!(reason.contains(expected), "{reason}"),
        other => panic!("not refused: {other:?}"),
    }
}

#[test]
fn a_store_is_created_once() {
    let mut shop = Shop::default();
    assert!(shop.view().store().unwrap().is_none());
    let create = &creation("a")[0];
    let admitted = Outcome::Admitted { node: 1, number: 1 };
    assert_eq!(shop.apply(create), admitted);
    let store = shop.view().store().unwrap().unwrap();
    assert_eq!((store.store, store.epoch), (STORE, 1));
    assert_refused(&shop.apply(create), "exists already");
    assert_eq!(shop.view().lanes().unwrap().len(), 1);
}

#[test]
fn an_invitation_admits_one_lane_until_it_runs_out() {
    let mut shop = Shop::with_lanes("a");
    assert_refused(&shop.apply(&admit(7, 'b', 0)), "no such invitation");
    for invitation in [7, 8, 9] {
        assert_eq!(shop.apply(&invite(invitation, 1_000)), Outcome::Done);
    }
    assert!(shop.view().invitation_open(1_000).unwrap());
    assert!(!shop.view().invitation_open(1_001).unwrap());

    let outcome = shop.apply(&admit(7, 'b', 1_000));
    let (node, number) = (shop.index, 2);
    assert_eq!(outcome, Outcome::Admitted { node, number });
    let record = shop.view().invitation(7).unwrap().unwrap();
    assert_eq!(record.used_by, Some(lane('b')));

    // The answer was lost; the same lane asks again, even after the invitation has run out.
    assert_eq!(shop.apply(&admit(7, 'b', 5_000)), outcome);
    assert_refused(&shop.apply(&admit(7, 'c', 0)), "was used");
    assert_refused(&shop.apply(&admit(8, 'c', 1_001)), "has run out");
    assert_refused(&shop.apply(&admit(8, 'b', 0)), "member already");

    let outcome = shop.apply(&admit(8, 'c', 0));
    let (node, number) = (shop.index, 3);
    assert_eq!(outcome, Outcome::Admitted { node, number });
    let lanes = shop.view().lanes().unwrap();
    let names: Vec<&str> = lanes.iter().map(|lane| lane.name.as_str()).collect();
    assert_eq!(names, ["Lane 1", "Lane b", "Lane c"]);
    assert!(shop.view().invitation_open(0).unwrap(), "9 is unused");
}

#[test]
fn head_offices_cursor_only_ever_grows() {
    let mut shop = Shop::with_lanes("a");
    let mut journal = Journal::of('a');
    let entries = (0..5).map(|_| journal.write(Fact::LaneClosed)).collect();
    shop.apply(&Command::Ingest { entries });
    for (cursor, expected, after) in [
        (3, Outcome::Done, 3),
        (2, Outcome::Done, 3),
        (3, Outcome::Done, 3),
        (0, Outcome::Done, 3),
        (5, Outcome::Done, 5),
    ] {
        assert_eq!(shop.apply(&Command::HqCursor { cursor }), expected);
        assert_eq!(shop.view().hq_cursor().unwrap(), after);
    }
    let outcome = shop.apply(&Command::HqCursor { cursor: 6 });
    assert_refused(&outcome, "does not have");
    assert_eq!(shop.view().hq_cursor().unwrap(), 5);
}
