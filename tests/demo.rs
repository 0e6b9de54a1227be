//! `lanemesh demo` as a person runs it: real processes, and what is left of them afterwards.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// The longest that a condition is waited for, on a machine busy with other tests.
const WAIT_LIMIT: Duration = Duration::from_secs(120);

fn lanemesh(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lanemesh"));
    command.args(args).stdin(Stdio::null());
    command
}

/// Waits until something is there.
fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + WAIT_LIMIT;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "{what} did not come");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// The one JSON object that a command printed.
fn answer(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
        let said = String::from_utf8_lossy(&output.stderr);
        panic!(
            "{error} in {:?}\n{said}",
            String::from_utf8_lossy(&output.stdout)
        )
    })
}

/// A demo's folder below a temporary one.
struct Demo {
    _root: tempfile::TempDir,
    dir: PathBuf,
}

impl Demo {
    fn new() -> Demo {
        let root = tempfile::tempdir().unwrap();
        Demo {
            dir: root.path().join("store"),
            _root: root,
        }
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = lanemesh(&["demo", "--headless", "--json", "--dir"]);
        command.arg(&self.dir).args(args);
        command
    }

    fn run(&self, args: &[&str]) -> Value {
        let output = self.command(args).output().unwrap();
        let answer = answer(&output);
        assert_eq!(output.status.success(), answer["ok"] == true, "{answer}");
        answer
    }

    fn lane(&self, number: u32) -> PathBuf {
        self.dir.join(format!("lane-{number}"))
    }

    /// The process of a running lane.
    fn pid(&self, number: u32) -> Option<u64> {
        let text = fs::read(self.lane(number).join("api.json")).ok()?;
        serde_json::from_slice::<Value>(&text).ok()?["pid"].as_u64()
    }

    /// Waits until robots have finished so many baskets of a file.
    fn wait_for_baskets(&self, count: usize) {
        wait_for("the first baskets", || {
            let folder = fs::read_dir(self.dir.join("robots")).ok()?;
            let progress: String = folder
                .flatten()
                .filter(|file| file.file_name() != "made-up.jsonl")
                .filter_map(|file| fs::read_to_string(file.path()).ok())
                .collect();
            (progress.matches("done").count() >= count).then_some(())
        });
    }

    fn kill(&self, mut process: Child) {
        process.kill().unwrap();
        process.wait().unwrap();
        wait_for("the end of all lanes", || {
            self.processes().is_empty().then_some(())
        });
    }

    fn verify(&self) {
        let mut command = lanemesh(&["verify", "--json"]);
        let output = command
            .args((1..=3).map(|number| self.lane(number)))
            .arg("--hq")
            .arg(self.dir.join("hq"))
            .output()
            .unwrap();
        let answer = answer(&output);
        assert!(
            output.status.success() && answer["ok"] == true,
            "{answer:#}"
        );
    }

    /// Processes that have this folder on their command line.
    fn processes(&self) -> Vec<String> {
        let dir = self.dir.to_str().unwrap();
        let all = fs::read_dir("/proc").into_iter().flatten().flatten();
        all.filter_map(|entry| fs::read(entry.path().join("cmdline")).ok())
            .map(|line| String::from_utf8_lossy(&line).replace('\0', " "))
            .filter(|line| line.contains(dir))
            .collect()
    }

    fn assert_nothing_is_left(&self) {
        assert_eq!(self.processes(), Vec::<String>::new());
        let noted: Value =
            serde_json::from_slice(&fs::read(self.dir.join("demo.json")).unwrap()).unwrap();
        let hq = u16::try_from(noted["hq_port"].as_u64().unwrap()).unwrap();
        let lanes = (1..=3).map(|number| {
            let text = fs::read_to_string(self.lane(number).join("port")).unwrap();
            text.trim().parse::<u16>().unwrap()
        });
        for port in lanes.chain([hq]) {
            let bound = TcpListener::bind((Ipv4Addr::LOCALHOST, port));
            assert!(bound.is_ok(), "port {port} is still taken");
        }
    }
}

fn kill_9(pid: u64) {
    let killed = Command::new("kill").args(["-9", &pid.to_string()]).status();
    assert!(killed.unwrap().success());
}

fn numbers(answer: &Value, list: &str, field: &str) -> Vec<u64> {
    let list = answer[list].as_array().unwrap().iter();
    list.map(|one| one[field].as_u64().unwrap()).collect()
}

/// Baskets of sample items, at prices of their own, some of which their pieces do not divide.
/// Answers what they come to, in cents.
fn write_baskets(path: &Path, baskets: u64) -> u64 {
    let mut text = String::from("basket_id,product_id,quantity,sales_value,retail_disc\n");
    let mut cents = 0;
    for basket in 1..=baskets {
        for line in 1..=1 + basket % 9 {
            let item = 11001 + (basket * 7 + line * 3) % 60;
            let (paid, off) = (100 + basket * 13 + line, line % 3 * 25);
            let pieces = 1 + (basket + line) % 4;
            cents += paid + off;
            text.push_str(&format!(
                "{basket},{item},{pieces},{}.{:02},0.{off:02}\n",
                paid / 100,
                paid % 100
            ));
        }
    }
    fs::write(path, text).unwrap();
    cents
}

#[test]
fn a_store_is_set_up_sells_and_goes_on_in_the_next_run() {
    let demo = Demo::new();
    let first = demo.run(&["--fresh", "--robots", "2", "--seconds", "15"]);
    assert_eq!(first["ok"], true, "{first:#}");
    assert_eq!(numbers(&first, "lanes", "number"), [1, 2, 3]);
    for lane in first["lanes"].as_array().unwrap() {
        assert_eq!(lane["mode"], "together", "{first:#}");
    }
    let receipts = numbers(&first, "lanes", "receipts");
    // Two robots leave lane 1 to a person.
    assert!(
        receipts[0] == 0 && receipts[1] > 0 && receipts[2] > 0,
        "{first:#}"
    );
    assert_eq!(first["all_lanes"]["gross"], first["hq"]["gross"]);
    demo.assert_nothing_is_left();
    demo.verify();

    // The same folder, baskets from a file, and a lane that is killed in the middle of one.
    let file = demo.dir.with_file_name("baskets.csv");
    let cents = write_baskets(&file, 150);
    let args = ["--baskets", file.to_str().unwrap()];
    let command = demo.command(&args).stdout(Stdio::piped()).spawn().unwrap();
    demo.wait_for_baskets(15);
    let victim = demo.pid(2).unwrap();
    kill_9(victim);
    let output = command.wait_with_output().unwrap();
    let second = answer(&output);
    assert_eq!(second["ok"], true, "{second:#}");
    assert_eq!(second["file"]["gross_minor"], cents);
    assert_eq!(second["file"]["left"], 0);
    assert_eq!(second["robots"]["gross_minor"], cents);
    assert_eq!(second["robots"]["problem_count"], 0, "{second:#}");
    assert!(second["robots"]["retries"].as_u64().unwrap() > 0);
    let before = first["all_lanes"]["gross_minor"].as_u64().unwrap();
    assert_eq!(second["all_lanes"]["gross_minor"], before + cents);
    demo.assert_nothing_is_left();
    demo.verify();

    // Everything is rung up: the same file again sells nothing.
    let third = demo.run(&args);
    assert_eq!(
        (&third["ok"], &third["baskets"]),
        (&Value::from(true), &Value::from(0))
    );
    assert_eq!(third["all_lanes"], second["all_lanes"]);
}

#[test]
fn a_demo_that_is_killed_leaves_no_process_and_the_next_one_goes_on() {
    let demo = Demo::new();
    let silent = |args: &[&str]| {
        let mut command = demo.command(args);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().unwrap()
    };

    // Killed during the set-up.
    let first = silent(&[]);
    wait_for("lane 2", || demo.pid(2));
    let refused = demo.command(&["--fresh"]).output().unwrap();
    let refusal = answer(&refused)["error"].to_string();
    assert!(refusal.contains("is running on"), "{refusal}");
    assert_eq!(refused.status.code(), Some(1));
    demo.kill(first);

    // Killed while robots are in the middle of baskets.
    let file = demo.dir.with_file_name("baskets.csv");
    let cents = write_baskets(&file, 90);
    let args = ["--baskets", file.to_str().unwrap()];
    let second = silent(&args);
    demo.wait_for_baskets(15);
    demo.kill(second);

    let third = demo.run(&args);
    assert_eq!(third["ok"], true, "{third:#}");
    assert_eq!(numbers(&third, "lanes", "number"), [1, 2, 3]);
    assert_eq!(third["file"]["left"], 0);
    assert_eq!(third["all_lanes"]["receipts"], 90);
    assert_eq!(third["all_lanes"]["gross_minor"], cents);
    assert_eq!(third["hq"]["gross_minor"], cents);
    demo.assert_nothing_is_left();
    demo.verify();
}

#[test]
fn baskets_that_cannot_be_rung_up_are_told_before_anything_starts() {
    let demo = Demo::new();
    let file = demo.dir.with_file_name("baskets.csv");
    fs::write(
        &file,
        "basket_id,product_id,quantity,sales_value,retail_disc\n1,2,x,1.00,0\n",
    )
    .unwrap();
    let output = demo
        .command(&["--baskets", file.to_str().unwrap()])
        .output()
        .unwrap();
    let error = answer(&output)["error"].to_string();
    assert!(error.contains("line 2, quantity: 'x'"), "{error}");
    assert!(!demo.dir.exists());
}
