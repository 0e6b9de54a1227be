//! One seed gives one trace, byte for byte, in every scenario.

use std::thread;

use simulations::scenario::{self, Scenario};
use simulations::trace::{Keep, Trace, first_difference};
use simulations::{Options, simulate};

/// How long cashiers sell and faults happen, in virtual seconds.
const SELLING_S: u64 = 8;

fn shorten(scenario: &mut Scenario) {
    scenario.sells_for.0 = SELLING_S * 1_000 * scenario.faster();
}

fn trace(scenario: &Scenario, seed: u64, keep: Keep) -> Trace {
    let options = Options {
        keep,
        ..Options::default()
    };
    simulate(scenario, seed, options).expect("it runs").trace
}

fn check(scenario: &Scenario, seed: u64) {
    let one = trace(scenario, seed, Keep::HashOnly);
    let other = trace(scenario, seed, Keep::HashOnly);
    assert!(
        one.events > 1_000,
        "{} {seed}: {}",
        scenario.name,
        one.events
    );
    if one != other {
        let one = trace(scenario, seed, Keep::Text);
        let other = trace(scenario, seed, Keep::Text);
        let difference = first_difference(&one, &other);
        let difference = difference.unwrap_or("equal when tried again".to_owned());
        panic!("{} with seed {seed}: {difference}", scenario.name);
    }
}

#[test]
fn one_seed_gives_one_trace() {
    let mut scenarios = scenario::named("all").expect("sound scenarios");
    scenarios.iter_mut().for_each(shorten);
    let scenarios = &scenarios;
    // A seed for each.
    let seeds = scenarios.len() as u64;
    // Two at once, so that what threads share would show, too.
    thread::scope(|scope| {
        for half in 0..2 {
            scope.spawn(move || {
                for seed in (0..seeds).filter(|seed| seed % 2 == half) {
                    check(&scenarios[seed as usize], seed);
                }
            });
        }
    });
}

#[test]
fn another_seed_gives_another_trace() {
    let scenarios = scenario::named("calm").expect("it ships");
    let mut scenario = scenarios[0].clone();
    shorten(&mut scenario);
    let one = trace(&scenario, 1, Keep::HashOnly);
    assert_ne!(one.hash, trace(&scenario, 2, Keep::HashOnly).hash);
}
