//! Wrong PINs: three cost nothing, every further one makes the next wait longer.

use sale::{Refusal, Register, evolve};

use crate::shop::Lane;

/// Types a PIN `seconds` after the last one; gives the seconds to wait, or 0 where it was looked at.
fn wait(lane: &mut Lane, seconds: u64, command: &str) -> u32 {
    // The lane's clock goes on by a second with every command.
    lane.now.unix_ms += (seconds - 1) * 1000;
    match lane.submit(command) {
        Err(Refusal::TooManyWrongPins { seconds }) => seconds,
        Err(Refusal::WrongPin) | Ok(_) => 0,
        Err(other) => panic!("{other}"),
    }
}

fn check(number: &str, tries: &[(u64, u32)]) -> Lane {
    let mut lane = Lane::new();
    for (i, (after, expected)) in tries.iter().enumerate() {
        let got = wait(&mut lane, *after, &format!("in {number} 2222"));
        assert_eq!(got, *expected, "try {i} for {number}, {after} s later");
    }
    lane
}

#[test]
fn the_wait_doubles_up_to_five_minutes() {
    // A number that nobody has is treated the same.
    for number in ["101", "999"] {
        check(
            number,
            &[
                (1, 0),
                (1, 0),
                (1, 0),
                (1, 4),
                (1, 3),
                (3, 0),
                (1, 9),
                (9, 0),
                (1, 19),
            ],
        );
        let long = [
            (1, 0),
            (1, 0),
            (1, 0),
            (5, 0),
            (10, 0),
            (20, 0),
            (40, 0),
            (80, 0),
            (160, 0),
        ];
        let longest = [(1, 299), (299, 0), (299, 1), (1, 0)];
        check(number, &[&long[..], &longest[..]].concat());
    }
}

#[test]
fn while_it_waits_no_pin_is_looked_at() {
    let mut lane = check("101", &[(1, 0), (1, 0), (1, 0)]);
    assert_eq!(wait(&mut lane, 1, "in 101 1111"), 4);
    // Another number is not held up, and the right PIN counts once the time is over.
    assert_eq!(wait(&mut lane, 1, "in 102 1111"), 0);
    assert_eq!(wait(&mut lane, 1, "out"), 0);
    assert_eq!(wait(&mut lane, 2, "in 101 1111"), 0);
    assert!(lane.register.wrong_pins.is_empty());
}

#[test]
fn a_restart_does_not_shorten_the_wait() {
    let mut lane = check("101", &[(1, 0), (1, 0), (1, 0), (5, 0)]);
    let mut register = Register::default();
    for event in &lane.journal {
        evolve(&mut register, event);
        assert!(!format!("{event:?}").contains("2222"), "no PIN is kept");
    }
    assert_eq!(register, lane.register);
    lane.register = register;
    assert_eq!(wait(&mut lane, 1, "in 101 1111"), 9);
}

#[test]
fn a_clock_that_was_set_back_locks_nobody_out() {
    let mut lane = check("101", &[(1, 0), (1, 0), (1, 0)]);
    lane.now.unix_ms -= 3_600_000;
    assert_eq!(wait(&mut lane, 1, "in 101 2222"), 0);
    assert_eq!(wait(&mut lane, 1, "in 101 2222"), 9, "it still counts");
}

#[test]
fn only_so_many_numbers_are_remembered() {
    let mut lane = check("101", &[(1, 0), (1, 0), (1, 0)]);
    for number in 0..99 {
        wait(&mut lane, 1, &format!("in x{number} 2222"));
    }
    assert_eq!(wait(&mut lane, 1, "in 101 2222"), 0, "long over");
    for number in 0..100 {
        wait(&mut lane, 1, &format!("in y{number} 2222"));
    }
    assert_eq!(lane.register.wrong_pins.wait_s(&"101".into(), lane.now), 0);
}
