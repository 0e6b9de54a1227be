//! Creating the store, inviting and admitting lanes, and head office's cursor.

use ledger::{
    BARRED_RUNS_KEPT, Command, Entry, Epoch, ExceptionKind, Fact, InvitationId, LaneRecord,
    LeftWhy, Outcome, Run,
};

use crate::shop::{DAY, Journal, STORE, Shop, creation, invite, lane};

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
    // Its seat is its own, under whichever code it asks.
    assert_eq!(shop.apply(&admit(8, 'b', 0)), outcome);
    let stranger = Command::Admit {
        invitation: 8,
        lane: lane('b'),
        lane_name: "Lane b".to_owned(),
        peer: "peer-x".to_owned(),
        now_ms: 0,
    };
    assert_refused(&shop.apply(&stranger), "member already");

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

fn record(shop: &Shop, letter: char) -> LaneRecord {
    shop.view().lane(lane(letter)).unwrap().unwrap()
}

fn left(shop: &Shop, letter: char) -> Option<LeftWhy> {
    record(shop, letter).left.map(|left| left.why)
}

fn retire(letter: char, why: LeftWhy) -> Command {
    Command::Retire {
        lane: lane(letter),
        why,
        by: "102".to_owned(),
        now_ms: 5,
    }
}

#[test]
fn a_machine_that_begins_to_join_again_gets_a_seat_and_gives_up_the_one_it_had() {
    let mut shop = Shop::with_lanes("a");
    shop.apply(&invite(7, 1_000));
    shop.apply(&invite(8, 1_000));
    // The answer was lost, and the machine begins anew: same key, another lane id.
    let begin = |letter, invitation| Command::Admit {
        invitation,
        lane: lane(letter),
        lane_name: "Lane 2".to_owned(),
        peer: "peer-b".to_owned(),
        now_ms: 0,
    };
    let first = shop.apply(&begin('b', 7));
    let second = shop.apply(&begin('c', 7));
    let (node, number) = (shop.index, 3);
    assert_eq!(second, Outcome::Admitted { node, number });
    assert_ne!(first, second, "no node id or number is given out twice");
    assert_eq!(left(&shop, 'b'), Some(LeftWhy::Replaced { by: lane('c') }));
    // It begins once more, with another code.
    let third = shop.apply(&begin('d', 8));
    let (node, number) = (shop.index, 4);
    assert_eq!(third, Outcome::Admitted { node, number });
    assert_eq!(left(&shop, 'c'), Some(LeftWhy::Replaced { by: lane('d') }));
    assert_eq!(left(&shop, 'd'), None);
    assert_refused(&shop.apply(&begin('b', 8)), "has left the store");
    assert_refused(&shop.apply(&admit(7, 'x', 0)), "was used");
}

#[test]
fn a_lane_that_has_left_is_out_for_good_but_what_it_sold_is_taken() {
    let mut shop = Shop::with_lanes("abc");
    assert_refused(&shop.apply(&retire('x', LeftWhy::Retired)), "no such lane");
    let mut journal = Journal::of('b');
    let entries = vec![journal.write(Fact::LaneClosed)];
    shop.apply(&Command::Ingest { entries });
    assert_refused(
        &shop.apply(&retire('b', LeftWhy::NeverCame)),
        "begun to work",
    );
    assert_eq!(shop.apply(&retire('c', LeftWhy::NeverCame)), Outcome::Done);
    assert_eq!(shop.apply(&retire('b', LeftWhy::Retired)), Outcome::Done);
    // Said again, it stays as it was said first.
    assert_eq!(shop.apply(&retire('c', LeftWhy::Retired)), Outcome::Done);
    assert_eq!(left(&shop, 'c'), Some(LeftWhy::NeverCame));
    assert_refused(&shop.apply(&retire('a', LeftWhy::Retired)), "last lane");
    let entries = vec![journal.write(Fact::LaneClosed)];
    shop.apply(&Command::Ingest { entries });
    assert_eq!(record(&shop, 'b').head.next_seq, 3);
}

#[test]
fn a_farewell_is_known_until_the_next_start() {
    let mut shop = Shop::with_lanes("a");
    let mut journal = Journal::of('a');
    let started = Fact::LaneStarted {
        name: "Lane 1".to_owned(),
        release: "0.1.0".to_owned(),
        reads: ledger::ENTRY_FORMAT,
    };
    for (fact, closed) in [
        (started.clone(), false),
        (Fact::LaneClosed, true),
        (started, false),
    ] {
        let entries = vec![journal.write(fact)];
        shop.apply(&Command::Ingest { entries });
        assert_eq!(record(&shop, 'a').closed, closed);
    }
}

#[test]
fn a_new_epoch_goes_on_with_one_lane_and_misses_the_others() {
    let mut shop = Shop::with_lanes("abcd");
    shop.apply(&retire('d', LeftWhy::Retired));
    let recover = |number, mark| Command::Recover {
        epoch: Epoch { number, mark },
        keeper: lane('b'),
        by: "102".to_owned(),
        now_ms: 9,
    };
    assert_refused(&shop.apply(&recover(3, 7)), "cannot be recovered");
    assert_eq!(shop.apply(&recover(2, 7)), Outcome::Done);
    assert_eq!(shop.apply(&recover(2, 7)), Outcome::Done);
    // Another lane was recovered into an epoch of the same number: that is another store now.
    assert_refused(&shop.apply(&recover(2, 8)), "cannot be recovered");
    let epoch = shop.view().store().unwrap().unwrap().epoch();
    assert_eq!(epoch, Epoch { number: 2, mark: 7 });
    let missing = Some(LeftWhy::Missing { epoch: 2 });
    assert_eq!(left(&shop, 'a'), missing);
    assert_eq!(left(&shop, 'b'), None);
    assert_eq!(left(&shop, 'c'), missing);
    assert_eq!(left(&shop, 'd'), Some(LeftWhy::Retired));
    let kinds: Vec<ExceptionKind> = shop
        .exceptions()
        .into_iter()
        .map(|(kind, _)| kind)
        .collect();
    assert_eq!(kinds, [ExceptionKind::LaneMissing; 2]);
    // What a missing lane sold is taken over when its machine is back, once.
    let mut journal = Journal::of('a');
    let entries: Vec<_> = (0..3).map(|_| journal.write(Fact::LaneClosed)).collect();
    for _ in 0..2 {
        let entries = entries.clone();
        shop.apply(&Command::Ingest { entries });
        assert_eq!(shop.view().entries().unwrap(), 3);
    }
}

#[test]
fn of_two_copies_the_first_that_was_confirmed_goes_on() {
    let mut shop = Shop::with_lanes("a");
    let bar = |keeps, bars| Command::Bar {
        lane: lane('a'),
        keeps: Run(keeps),
        bars: Run(bars),
    };
    assert_eq!(shop.apply(&bar(1, 2)), Outcome::Done);
    assert_eq!(shop.apply(&bar(1, 2)), Outcome::Done);
    // Another lane saw them in the other order, and one its own restart.
    for (keeps, bars) in [(2, 1), (3, 1), (2, 3), (4, 4)] {
        assert_refused(&shop.apply(&bar(keeps, bars)), "decided on before");
    }
    assert_eq!(shop.apply(&bar(1, 5)), Outcome::Done);
    assert_eq!(record(&shop, 'a').barred, [Run(2), Run(5)]);
    let kinds: Vec<ExceptionKind> = shop
        .exceptions()
        .into_iter()
        .map(|(kind, _)| kind)
        .collect();
    assert_eq!(kinds, [ExceptionKind::LaneCopied; 2]);
    for run in 100..200 {
        shop.apply(&bar(1, run));
    }
    assert_eq!(record(&shop, 'a').barred.len(), BARRED_RUNS_KEPT);
    assert_eq!(record(&shop, 'a').confirmed, [Run(1)]);
}

#[test]
fn a_sale_at_a_copy_is_put_before_a_person_once_and_counts_nowhere() {
    let mut shop = Shop::with_lanes("abc");
    let mut original = Journal::of('a');
    original.sell(DAY, &[("1", 1000, 100)]);
    // Both go on from there.
    let mut copy = original.clone();
    copy.write(Fact::LaneClosed);
    copy.sell(DAY, &[("1", 1000, 700)]);
    original.sell(DAY, &[("1", 1000, 250)]);
    let entries = original.entries.clone();
    shop.apply(&Command::Ingest { entries });
    let totals = shop.view().totals().unwrap();
    // Two lanes held it, and one of them carries it over twice.
    for letter in ['b', 'c'] {
        let mut journal = Journal::of(letter);
        let branch = copy.entries[1..].iter().chain(&copy.entries[2..]);
        for entry in branch.cloned() {
            journal.write(Fact::CarriedOver { entry });
        }
        let entries = journal.entries;
        shop.apply(&Command::Ingest { entries });
    }
    assert_eq!(shop.view().totals().unwrap(), totals);
    let carried = (ExceptionKind::SoldOnCopy, Some((lane('b'), 2)));
    assert_eq!(shop.exceptions(), [carried]);
    let message = &shop.view().exception_list().unwrap()[0].message;
    assert!(
        message.contains("Receipt 1-000003 over 7.00 was"),
        "{message}"
    );
    let is_carried = |entry: &Entry| shop.view().is_carried_over(entry.hash()).unwrap();
    assert!(copy.entries[1..].iter().all(is_carried));
    assert!(!original.entries.iter().any(is_carried));
}

pub fn started(reads: u16) -> Fact {
    Fact::LaneStarted {
        name: "Lane".to_owned(),
        release: "0.1.0".to_owned(),
        reads,
    }
}

#[test]
fn a_store_keeps_to_what_all_its_lanes_read() {
    let mut shop = Shop::with_lanes("abc");
    let level = |shop: &Shop| shop.view().level().unwrap();
    let now = level(&shop);
    let (a, b, c) = (
        &mut Journal::of('a'),
        &mut Journal::of('b'),
        &mut Journal::of('c'),
    );
    let start = |shop: &mut Shop, journal: &mut Journal, reads| {
        let entries = vec![journal.write(started(reads))];
        shop.apply(&Command::Ingest { entries });
        level(shop)
    };
    // The last one to be updated raises it, and an update taken back lowers it no more.
    assert_eq!(start(&mut shop, a, now + 1), now);
    assert_eq!(start(&mut shop, b, now + 2), now);
    assert_eq!(start(&mut shop, c, now + 1), now + 1);
    assert_eq!(start(&mut shop, c, now), now + 1);
    assert_eq!(start(&mut shop, a, now + 2), now + 1);
    // Who comes now is taken to read it; who leaves holds nobody back.
    shop.apply(&invite(9, 1_000));
    shop.apply(&admit(9, 'd', 0));
    assert_eq!(record(&shop, 'd').reads, now + 1);
    shop.apply(&retire('c', LeftWhy::Retired));
    assert_eq!(level(&shop), now + 1);
    shop.apply(&retire('d', LeftWhy::NeverCame));
    assert_eq!(level(&shop), now + 2);
}

#[test]
fn what_is_above_the_level_counts_nowhere_also_after_an_update() {
    let mut commands = creation("a");
    let Command::CreateStore { reads, .. } = &mut commands[0] else {
        panic!("a store begins with its creation");
    };
    *reads = 1;
    let mut shop = Shop::default();
    for command in &commands {
        shop.apply(command);
    }
    let mut journal = Journal::of('a');
    let entries = vec![
        journal.write_in_format(2, Fact::LaneClosed),
        journal.write(started(2)),
        journal.write_in_format(2, Fact::LaneClosed),
    ];
    shop.apply(&Command::Ingest { entries });
    assert_eq!(shop.view().entries().unwrap(), 3);
    let uncounted = (ExceptionKind::UnreadableFact, Some((lane('a'), 1)));
    assert_eq!(shop.exceptions(), [uncounted]);
    let told = &shop.view().exception_list().unwrap()[0].message;
    assert!(told.contains("keeps to format 1"), "{told}");
}
