//! What the shipper promises: every committed entry reaches head office once and in order, whatever
//! is lost on the way and whoever leads.

mod taker;
mod world;

use std::time::Duration;

use proptest::prelude::*;
use world::{Fault, World};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

fn leading(entries: usize) -> World {
    let mut world = World::new(1);
    world.append(entries);
    world.lead(0, true);
    world
}

#[test]
fn a_leader_asks_first_and_then_ships_in_full_batches() {
    let check = |entries: usize, bytes: usize, expected: &[usize]| {
        let mut world = World::new(1);
        world.append_sized(entries, bytes);
        world.lead(0, true);
        world.run(MINUTE);
        assert_eq!(world.tried(), expected, "{entries} of {bytes} bytes");
        world.assert_in_step();
        let acknowledged = world.status[0].borrow().acknowledged;
        assert_eq!(acknowledged, Some(entries as u64));
    };
    check(0, 10, &[0]);
    check(1, 10, &[0, 1]);
    check(2_000, 10, &[0, 2_000]);
    check(4_500, 10, &[0, 2_000, 2_000, 500]);
    check(5, 1024 * 1024, &[0, 2, 2, 1]);
    check(3, 3 * 1024 * 1024, &[0, 1, 1, 1]);
}

#[test]
fn new_entries_gather_and_silence_stays_silent() {
    let mut world = leading(1);
    world.run(SECOND);
    for _ in 0..10 {
        world.append(1);
        world.run(SECOND / 100);
    }
    world.run(SECOND);
    assert_eq!(world.tried(), [0, 1, 10]);
    world.run(60 * MINUTE);
    assert_eq!(world.tried(), [0, 1, 10], "nothing new, nothing sent");
    world.assert_in_step();
}

#[test]
fn a_recovered_store_ships_what_head_office_counted_under_other_numbers() {
    let mut world = World::new(1);
    world.append(5);
    {
        let mut store = world.store.lock().unwrap();
        store.recovered = true;
        store.cursor = 3;
        let mut hq = world.hq.lock().unwrap();
        hq.held = (1..).zip(store.entries[..3].iter().cloned()).collect();
        // It holds seven more that the lanes took with them.
        hq.claims = Some(10);
    }
    world.lead(0, true);
    world.run(MINUTE);
    assert_eq!(world.tried(), [0, 2]);
    world.append(1);
    world.run(MINUTE);
    assert_eq!(world.tried(), [0, 2, 1]);
    world.assert_in_step();
}

#[test]
fn a_lane_that_does_not_lead_ships_nothing() {
    let mut world = World::new(2);
    world.append(5);
    world.run(MINUTE);
    assert!(world.tried().is_empty());
    world.lead(1, true);
    world.run(MINUTE);
    world.assert_in_step();
    assert_eq!(world.status[0].borrow().acknowledged, None);
    assert_eq!(world.status[1].borrow().acknowledged, Some(5));
}

#[test]
fn failures_leave_no_gap_and_no_duplicate() {
    use Fault::*;
    let check = |faults: &[Fault]| {
        let mut world = leading(10);
        world.fail(faults);
        world.run(SECOND);
        world.append(10);
        world.run(10 * MINUTE);
        world.assert_in_step();
        assert_eq!(world.problem(0), None, "{faults:?}");
    };
    check(&[Lost]);
    check(&[Hangs]);
    check(&[Arrives, Lost]);
    check(&[Arrives, AckLost]);
    check(&[Arrives, Hangs, AckLost, Refused]);
    check(&[AckLost, Arrives, AckLost, AckLost, Lost, AckLost]);
    check(&[Lost; 12]);
}

#[test]
fn a_lost_acknowledgement_is_followed_by_the_same_entries() {
    let mut world = leading(10);
    world.fail(&[Fault::Arrives, Fault::AckLost]);
    world.run(MINUTE);
    assert_eq!(world.tried(), [0, 10, 10]);
    world.assert_in_step();
}

#[test]
fn a_problem_is_shown_until_it_is_over_and_retried_ever_more_slowly() {
    let check = |fault: Fault, expected: &str| {
        let mut world = leading(1);
        world.fail(&[fault; 100]);
        world.run(10 * MINUTE);
        assert_eq!(world.problem(0).as_deref(), Some(expected));
        // Half a second, doubling, then every 15 to 30 s: some 6 tries, and 20 to 40 more.
        let tried = world.tried().len();
        assert!((20..=46).contains(&tried), "{tried} tries in ten minutes");
        world.hq.lock().unwrap().faults.clear();
        world.run(MINUTE);
        assert_eq!(world.problem(0), None);
        world.assert_in_step();
    };
    check(
        Fault::Lost,
        "head office cannot be reached: the line is down",
    );
    check(
        Fault::Refused,
        "head office refused the store: the token is wrong",
    );
}

#[test]
fn a_new_leader_commits_what_the_old_one_did_not_live_to_commit() {
    let mut world = World::new(2);
    world.append(8);
    world.store.lock().unwrap().cursor_failures = 1;
    world.lead(0, true);
    world.run(SECOND / 10);
    assert_eq!(world.hq.lock().unwrap().cursor(), 8);
    assert_eq!(world.store.lock().unwrap().cursor, 0);
    world.lead(0, false);
    world.lead(1, true);
    world.run(MINUTE);
    assert_eq!(world.tried(), [0, 8, 0], "nothing is sent a second time");
    world.assert_in_step();
}

#[test]
fn a_cursor_that_could_not_be_committed_is_committed_later() {
    let mut world = leading(8);
    world.store.lock().unwrap().cursor_failures = 3;
    world.run(SECOND / 10);
    assert_eq!(world.problem(0).as_deref(), Some("no quorum"));
    world.run(MINUTE);
    assert_eq!(world.tried(), [0, 8]);
    assert_eq!(world.problem(0), None);
    world.assert_in_step();
}

#[test]
fn a_delivery_of_an_old_leader_that_arrives_late_does_no_harm() {
    let check = |arrives_before_the_new_leaders: bool| {
        let mut world = World::new(2);
        world.append(6);
        world.fail(&[Fault::Arrives, Fault::Held]);
        world.lead(0, true);
        world.run(SECOND);
        world.lead(0, false);
        world.append(3);
        if arrives_before_the_new_leaders {
            world.release_held();
        }
        world.lead(1, true);
        world.run(MINUTE);
        world.release_held();
        world.append(2);
        world.run(MINUTE);
        world.assert_in_step();
    };
    check(true);
    check(false);
}

#[test]
fn two_that_both_believe_to_lead_do_no_harm() {
    let mut world = World::new(2);
    world.lead(0, true);
    world.lead(1, true);
    for _ in 0..50 {
        world.append(7);
        world.run(SECOND / 3);
    }
    world.run(MINUTE);
    world.assert_in_step();
}

#[test]
fn a_head_office_restored_from_a_backup_gets_everything_again() {
    let mut world = leading(10);
    world.run(MINUTE);
    world.hq.lock().unwrap().held.truncate(3);
    // Noticed with the next entry: head office answers that it is behind.
    world.append(1);
    world.run(MINUTE);
    let gaps = std::mem::take(&mut world.hq.lock().unwrap().gaps);
    assert_eq!(gaps, 1);
    assert_eq!(world.tried(), [0, 10, 1, 8]);
    assert_eq!(world.problem(0), None);
    world.assert_in_step();

    world.lead(0, false);
    world.run(SECOND);
    world.hq.lock().unwrap().held.clear();
    world.lead(0, true);
    world.run(MINUTE);
    assert_eq!(world.tried(), [0, 10, 1, 8, 0, 11]);
    world.assert_in_step();
}

#[test]
fn a_head_office_with_entries_that_the_store_does_not_have_is_a_problem() {
    let mut world = leading(5);
    world.hq.lock().unwrap().claims = Some(99);
    world.run(MINUTE);
    assert!(world.tried().iter().all(|entries| *entries == 0));
    assert_eq!(
        world.problem(0).as_deref(),
        Some("not an entry of this store")
    );
}

#[test]
fn a_head_office_that_takes_nothing_is_not_stormed() {
    let mut world = leading(5);
    world.hq.lock().unwrap().stubborn = true;
    world.run(10 * MINUTE);
    let tried = world.tried().len();
    assert!((20..=47).contains(&tried), "{tried} tries in ten minutes");
    assert_eq!(
        world.problem(0).as_deref(),
        Some(
            "head office holds the store's entries up to 0 and did not take the 5 that were sent \
             to it; they are sent again"
        )
    );
}

#[test]
fn the_shipper_and_the_taker_end_with_their_lane() {
    let mut world = leading(5);
    world.fail(&[Fault::Hangs]);
    world.run(SECOND);
    assert_eq!(world.close(), 2);
}

/// One step of a random history.
#[derive(Clone, Debug)]
enum Step {
    Append(usize),
    Fail(Fault),
    FailCursor,
    Lead(usize, bool),
    Restore(usize),
    ReleaseHeld,
    Run(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let fault = prop_oneof![
        Just(Fault::Arrives),
        Just(Fault::Lost),
        Just(Fault::AckLost),
        Just(Fault::Hangs),
        Just(Fault::Held),
        Just(Fault::Refused),
    ];
    prop_oneof![
        3 => (1..50_usize).prop_map(Step::Append),
        4 => fault.prop_map(Step::Fail),
        1 => Just(Step::FailCursor),
        3 => (0..3_usize, any::<bool>()).prop_map(|(lane, leads)| Step::Lead(lane, leads)),
        1 => (0..50_usize).prop_map(Step::Restore),
        1 => Just(Step::ReleaseHeld),
        4 => (1..20_000_u64).prop_map(Step::Run),
    ]
}

proptest! {
    /// Whatever happened: once one lane leads and nothing fails any more, all is in step. The head
    /// office may have been restored meanwhile, so a batch may have begun behind what it held.
    #[test]
    fn any_history_ends_in_step(steps in prop::collection::vec(step(), 0..60)) {
        let mut world = World::new(3);
        for step in steps {
            match step {
                Step::Append(count) => world.append(count),
                Step::Fail(fault) => world.fail(&[fault]),
                Step::FailCursor => world.store.lock().unwrap().cursor_failures += 1,
                Step::Lead(lane, leads) => world.lead(lane, leads),
                Step::Restore(held) => world.hq.lock().unwrap().held.truncate(held),
                Step::ReleaseHeld => world.release_held(),
                Step::Run(ms) => world.run(Duration::from_millis(ms)),
            }
        }
        world.hq.lock().unwrap().faults.clear();
        world.store.lock().unwrap().cursor_failures = 0;
        world.lead(1, false);
        world.lead(2, false);
        world.lead(0, true);
        world.append(1);
        world.run(2 * MINUTE);
        world.release_held();
        world.append(1);
        world.run(2 * MINUTE);
        world.hq.lock().unwrap().gaps = 0;
        world.assert_in_step();
    }
}
