//! A tenth of a year's baskets rung up by robots through three lanes while the leader, and then
//! another lane, are killed: lanes, head office and an independent sum agree to the cent.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use api::LaneStatus;
use node::client::{API_FILE, ApiAddress, LaneClient};
use serde_json::Value;

use crate::common::{LIMIT, lanemesh, run_json, text};

/// Every tenth basket.
const TAKEN: usize = 10;
const LANES: usize = 3;
/// The longest that ringing everything up may take.
const RING_LIMIT: Duration = Duration::from_secs(600);

/// Writes a tenth of the year's baskets; `None` where the data is not there.
fn a_tenth(folder: &Path) -> Option<(PathBuf, PathBuf)> {
    use std::io::Read;
    let data = std::env::var_os("LANEMESH_DATA").filter(|folder| !folder.is_empty())?;
    let data = PathBuf::from(data);
    let packed = std::fs::read(data.join("baskets-store367-year.csv.gz")).expect("the baskets");
    let mut year = String::new();
    flate2::read::MultiGzDecoder::new(packed.as_slice())
        .read_to_string(&mut year)
        .expect("gzip text");
    let mut lines = year.lines();
    let mut tenth = format!("{}\n", lines.next().expect("a header"));
    let mut basket = ("", 0_usize);
    for line in lines {
        let id = line.split(',').next().unwrap_or_default();
        if id != basket.0 {
            basket = (id, basket.1 + 1);
        }
        if basket.1.is_multiple_of(TAKEN) {
            tenth.push_str(line);
            tenth.push('\n');
        }
    }
    let file = folder.join("baskets.csv");
    std::fs::write(&file, tenth).expect("a file");
    Some((data.join("catalog.csv.gz"), file))
}

/// The same shape of file from the sample store, for machines without the data.
fn generated(folder: &Path) -> PathBuf {
    let mut file = String::from(
        "basket_id,household_id,store_id,transaction_timestamp,product_id,quantity,sales_value,\
         retail_disc,coupon_disc,coupon_match_disc\n",
    );
    let items = crate::common::plain_items(60);
    for basket in 1..=200_usize {
        for line in 0..(basket % 9 + 1) {
            let item = &items[(basket * 7 + line * 13) % items.len()];
            let quantity = (basket + line) % 3 + 1;
            // Some amounts do not divide by their quantity, as in real baskets.
            let cents = 99 + basket * 3 + line * 101;
            file.push_str(&format!(
                "{basket},1,1,2026-01-01 10:00:00,{item},{quantity},{}.{:02},0.10,0.0,0.0\n",
                cents / 100,
                cents % 100
            ));
        }
    }
    let path = folder.join("baskets.csv");
    std::fs::write(&path, file).expect("a file");
    path
}

fn independent_sum(baskets: &Path) -> i64 {
    let script = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../tests/processes/sum_baskets.py"
    );
    let output = Command::new("python3").arg(script).arg(baskets).output();
    let output = output.expect("python3 is needed for the independent sum: install it");
    let sum = String::from_utf8_lossy(&output.stdout).trim().parse();
    sum.unwrap_or_else(|_| panic!("{output:?}"))
}

async fn statuses(folder: &Path) -> Vec<Option<LaneStatus>> {
    let mut all = Vec::new();
    for n in 1..=LANES {
        let client = LaneClient::of_folder(&folder.join(format!("lane-{n}")));
        all.push(match client {
            Ok(client) => client.status().await.ok(),
            Err(_) => None,
        });
    }
    all
}

/// Waits until a lane fits, and kills it.
async fn kill_a_lane(folder: &Path, fits: impl Fn(&LaneStatus) -> bool) {
    let started = Instant::now();
    loop {
        let all = statuses(folder).await;
        let busy = all.iter().flatten().map(|s| s.receipts).sum::<u64>() > 20;
        let found = all.iter().position(|s| s.as_ref().is_some_and(&fits));
        if let Some(index) = found.filter(|_| busy && all.iter().flatten().count() == LANES) {
            let file = folder.join(format!("lane-{}", index + 1)).join(API_FILE);
            let address = std::fs::read(file).expect("a running lane has an address");
            let address: ApiAddress = serde_json::from_slice(&address).expect("JSON");
            let mut kill = Command::new("kill");
            kill.args(["-9", &address.pid.to_string()]);
            assert!(kill.status().expect("kill runs").success());
            return;
        }
        assert!(started.elapsed() < RING_LIMIT, "no lane to kill");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[test]
fn lanes_head_office_and_an_independent_sum_agree_to_the_cent() {
    let temporary = tempfile::tempdir().expect("a folder");
    let folder = temporary.path().join("demo");
    let with_data = a_tenth(temporary.path());
    let baskets = match &with_data {
        Some((_, baskets)) => baskets.clone(),
        None => {
            println!("LANEMESH_DATA is not set: baskets are generated from the sample store");
            generated(temporary.path())
        }
    };
    let expected = independent_sum(&baskets);

    let mut demo = lanemesh();
    demo.args(["demo", "--fresh", "--headless", "--robots", "3", "--json"]);
    demo.args(["--dir", text(&folder), "--baskets", text(&baskets)]);
    if let Some((catalog, _)) = &with_data {
        demo.args(["--catalog", text(catalog)]);
    }
    let demo = demo
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let demo = demo.spawn().expect("the demo starts");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        kill_a_lane(&folder, |status| status.is_leader).await;
        kill_a_lane(&folder, |status| !status.is_leader).await;
    });
    let started = Instant::now();
    let output = demo.wait_with_output().expect("the demo ends");
    assert!(started.elapsed() < RING_LIMIT + LIMIT);
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    let report: Value = serde_json::from_str(&printed).unwrap_or_else(|error| {
        panic!(
            "{error}: {printed}\n{}",
            String::from_utf8_lossy(&output.stderr)
        )
    });
    assert_eq!(output.status.code(), Some(0), "{report:#}");
    let gross = |value: &Value| value["gross_minor"].as_i64();
    assert_eq!(gross(&report["all_lanes"]), Some(expected), "{report:#}");
    assert_eq!(gross(&report["hq"]), Some(expected), "{report:#}");

    let hq = folder.join("hq");
    let lanes: Vec<PathBuf> = (1..=LANES)
        .map(|n| folder.join(format!("lane-{n}")))
        .collect();
    let mut verify = vec!["verify"];
    verify.extend(lanes.iter().map(|lane| text(lane)));
    verify.extend(["--hq", text(&hq)]);
    let (exit, verified) = run_json(&verify);
    assert_eq!(exit, 0, "{verified:#}");
}
