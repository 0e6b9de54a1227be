//! The scripted day: scenarios as readable data in `tests/scenarios/*.toml`, run against the register.
//! How they are written stands in `testkit`. At the end of each the register is the fold of its journal.

use catalog::Settings;
use sale::{Event, PriceCheck, Refusal, Register, Totals, evolve};
use testkit::scenario::{File, Scenario, Till, failure, files, run};

use crate::shop::Lane;

/// No fewer scenarios than this make up the day.
const SCENARIOS_MIN: usize = 150;

impl Till for Lane {
    fn submit(&mut self, text: &str) -> Result<Vec<Event>, Refusal> {
        Lane::submit(self, text)
    }

    fn price_check(&mut self, code: &str) -> Result<PriceCheck, Refusal> {
        Lane::price_check(self, code)
    }

    fn register(&self) -> Register {
        self.register.clone()
    }

    fn totals(&self) -> Option<Totals> {
        self.register.cart.as_ref().map(|_| Lane::totals(self))
    }

    fn wrong(&self) -> Option<String> {
        let mut folded = Register::default();
        self.journal
            .iter()
            .for_each(|event| evolve(&mut folded, event));
        let differs = self.register != folded;
        differs.then(|| "the register is not the fold of its journal".to_owned())
    }
}

fn run_here(scenario: &Scenario) -> Vec<String> {
    let mut lane = Lane::new();
    lane.books.settings = scenario.settings.clone();
    run(scenario, &mut lane)
}

#[test]
fn the_scripted_day() {
    let (mut failures, mut names, mut on_a_lane) = (Vec::new(), Vec::new(), 0);
    for (file, scenarios) in files() {
        for scenario in &scenarios {
            let wrong = run_here(scenario);
            on_a_lane += usize::from(scenario.on_a_lane);
            if !wrong.is_empty() {
                failures.push(failure(&file, scenario, &wrong));
            }
            names.push(scenario.name.clone());
        }
    }
    assert!(
        failures.is_empty(),
        "{} scenarios fail:\n{}",
        failures.len(),
        failures.concat()
    );
    let count = names.len();
    assert!(count >= SCENARIOS_MIN, "only {count} scenarios are left");
    assert!(
        10 * on_a_lane >= count,
        "only {on_a_lane} of {count} run on a lane"
    );
    names.sort();
    names.dedup();
    assert_eq!(names.len(), count, "each scenario has a name of its own");
}

#[test]
fn a_scenario_can_fail() {
    let check = |text: &str, expected: &str| {
        let file: File = toml::from_str(&format!("[[scenario]]\nname = 'x'\n{text}")).unwrap();
        let wrong = run_here(&file.scenario[0]).join("\n");
        assert!(wrong.contains(expected), "{text}: {wrong}");
    };
    let when = "given = 'in 101 1111'\nwhen = 'scan yogurt'\n";
    check(when, "it expects nothing");
    check(&format!("{when}then = 'out'"), "expected out");
    check(&format!("{when}refused = 'no'"), "it was not refused");
    check(
        &format!("{when}cart = ['total 2.00']"),
        "'total 2.00' does not hold of",
    );
    check(
        &format!("{when}cart = ['!total 1.00']"),
        "'!total 1.00' does not hold of",
    );
    check(
        &format!("{when}receipt = ['total 1.00']"),
        "does not hold of",
    );
    check(
        &format!("{when}report = ['receipts 1 × 100']"),
        "does not hold of",
    );
    check(&format!("{when}lane = ['no sale']"), "does not hold of");
    let asked = "check = 'yogurt'\n";
    check(asked, "it expects nothing");
    check(
        &format!("{asked}price = ['total 2.00']"),
        "'total 2.00' does not hold of",
    );
    check(&format!("{asked}refused = 'no'"), "it was not refused");
    let refused = "when = 'scan yogurt'\n";
    check(
        &format!("{refused}then = 'line 1'"),
        "it was refused: No one is signed in",
    );
    check(
        &format!("{refused}refused = 'A sale is open.'"),
        "expected A sale is open",
    );
    check(
        &format!("{refused}refused = 'No one is signed in on this lane.'\nhint = 'Wait.'"),
        "expected Wait.",
    );
    check(
        "given = 'out'\nwhen = 'out'\nthen = 'out'",
        "given 'out' was refused",
    );
    assert!(
        toml::from_str::<File>("[[scenario]]\nname = 'x'\nwhen = 'out'\nthan = 'out'").is_err()
    );
}

/// The guide names the settings with their defaults.
#[test]
fn the_guide_tells_the_defaults() {
    let guide = include_str!("../../README.md");
    let written = guide.split("```toml\n").nth(1).unwrap();
    let written = written.split("```").next().unwrap();
    let told: Settings = toml::from_str(written).unwrap();
    let usual = Settings::default();
    assert_eq!(told.unreceipted_returns, usual.unreceipted_returns);
    let action = catalog::Action::ReturnUnreceipted;
    assert_eq!(told.role_for(action), usual.role_for(action));
}
