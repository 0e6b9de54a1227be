//! A tenth of the scripted day, on a lane's process through its API. How scenarios are written stands in
//! `testkit`; those with `on_a_lane` are run here.

use std::path::Path;
use std::process::Command;

use api::{LaneView, Problem};
use catalog::Settings;
use sale::{Event, PriceCheck, Refusal, Register, Totals};
use testkit::scenario::{Scenario, Till, failure, files, run};
use testkit::words::command;
use tokio::runtime::Runtime;

use crate::common::{Lane, lanemesh, runtime, text};

/// What the shop of the scenarios knows, each file after those that it refers to.
const SHOP: [(&str, &str); 7] = [
    (
        "taxes",
        include_str!("../../crates/sale/tests/shop/taxes.csv"),
    ),
    (
        "departments",
        include_str!("../../crates/sale/tests/shop/departments.csv"),
    ),
    (
        "items",
        include_str!("../../crates/sale/tests/shop/items.csv"),
    ),
    (
        "employees",
        include_str!("../../crates/sale/tests/shop/employees.csv"),
    ),
    (
        "customers",
        include_str!("../../crates/sale/tests/shop/customers.csv"),
    ),
    (
        "recalls",
        include_str!("../../crates/sale/tests/shop/recalls.csv"),
    ),
    (
        "promotions",
        include_str!("../../crates/sale/tests/shop/promotions.toml"),
    ),
];

/// Scenarios are written for lane 3; this is the first of its store.
const NUMBER: u32 = 1;

/// Each scenario has a lane to itself, which knows the shop from a folder that is copied for it.
const OPTIONS: [&str; 2] = ["--no-mdns", "--moved"];

struct LaneTill<'a> {
    runtime: &'a Runtime,
    lane: &'a Lane,
    /// The newest entry that the lane has said it wrote.
    seq: u64,
}

impl LaneTill<'_> {
    /// What the lane shows once it shows all that it has said.
    fn view(&self) -> LaneView {
        let told = |view: &LaneView| view.status.journal_seq >= self.seq;
        self.runtime.block_on(self.lane.shown("what it did", told))
    }
}

fn refusal(problem: Problem) -> Refusal {
    match problem {
        Problem::Refused { refusal, .. } => refusal,
        other => panic!("{other:?}"),
    }
}

impl Till for LaneTill<'_> {
    fn submit(&mut self, text: &str) -> Result<Vec<Event>, Refusal> {
        let done = self.runtime.block_on(self.lane.try_do(command(text)));
        let done = done.map_err(refusal)?;
        self.seq = done.seq;
        Ok(done.events)
    }

    fn price_check(&mut self, code: &str) -> Result<PriceCheck, Refusal> {
        let asked = self.runtime.block_on(self.lane.client.price(code));
        asked.expect("the lane answers").map_err(refusal)
    }

    fn register(&self) -> Register {
        self.view().register
    }

    fn totals(&self) -> Option<Totals> {
        self.view().totals
    }

    fn wrong(&self) -> Option<String> {
        None
    }
}

async fn import(lane: &Lane, kind: &str, text: &str) {
    let bytes = text.as_bytes().to_vec();
    let report = lane.client.import(Some(kind), bytes, &mut |_| ()).await;
    let report = report.expect("the shop's data is imported");
    assert_eq!(report["problem_count"], 0, "{kind}: {report}");
}

/// Makes the folder of a lane that knows the shop.
fn shop(runtime: &Runtime, folder: &Path) {
    let create = ["store", "create", text(folder), "--name", "Corner shop"];
    let created = crate::common::run(&create);
    assert!(created.status.success(), "{created:?}");
    runtime.block_on(async {
        let mut lane = Lane::start_with(folder, &OPTIONS[..1]).await;
        for (kind, text) in SHOP {
            import(&lane, kind, text).await;
        }
        lane.stop();
    });
}

/// What differs from what the scenario expects, on a lane of its own.
fn run_on_a_lane(
    runtime: &Runtime,
    shop: &Path,
    folder: &Path,
    scenario: &Scenario,
) -> Vec<String> {
    let copied = Command::new("cp").arg("-r").args([shop, folder]).status();
    assert!(copied.expect("cp runs").success());
    let mut lane = runtime.block_on(Lane::start_with(folder, &OPTIONS));
    if scenario.settings != Settings::default() {
        let settings = toml::to_string(&scenario.settings).expect("settings are TOML");
        runtime.block_on(import(&lane, "settings", &settings));
    }
    let mut till = LaneTill {
        runtime,
        lane: &lane,
        seq: 0,
    };
    let mut wrong = run(&scenario.at_lane(NUMBER), &mut till);
    lane.stop();
    let verified = lanemesh().args(["verify", text(folder)]).output();
    let verified = verified.expect("the binary runs");
    if !verified.status.success() {
        wrong.push(format!("{verified:?}"));
    }
    wrong
}

#[test]
fn a_tenth_of_the_scripted_day_on_a_lane() {
    let runtime = runtime();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let shop_folder = folder.path().join("shop");
    shop(&runtime, &shop_folder);
    // Every one of them, or those whose names hold this.
    let wanted = std::env::var("LANEMESH_SCENARIOS").ok();
    let mut failures = Vec::new();
    let mut count = 0;
    for (file, scenarios) in files() {
        for scenario in &scenarios {
            let is_wanted = match &wanted {
                Some(part) => scenario.name.contains(part),
                None => scenario.on_a_lane,
            };
            if !is_wanted {
                continue;
            }
            count += 1;
            let own = folder.path().join(format!("lane-{count}"));
            let wrong = run_on_a_lane(&runtime, &shop_folder, &own, scenario);
            if !wrong.is_empty() {
                failures.push(failure(&file, scenario, &wrong));
            }
        }
    }
    let failed = failures.len();
    assert!(
        failures.is_empty(),
        "{failed} of {count} fail:\n{}",
        failures.concat()
    );
    assert!(count > 0, "no scenario is named so");
}
