//! A store whose lanes and head office each have a machine of their own, found by multicast alone.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use api::{LaneStatus, Mode};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use node::client::{API_FILE, LaneClient};
use node::processes::Process;
use node::sample;
use serde_json::Value;
use tempfile::TempDir;

use crate::lan::{FIRST_NETWORK, Host, Lan, lan};
use crate::robots::Robots;

/// The longest that anything may take on a busy machine before a test gives up.
pub const LIMIT: Duration = Duration::from_secs(90);
pub const LOOK_EVERY: Duration = Duration::from_millis(50);
const HQ_PORT: u16 = 7800;
const LANEMESH: &str = env!("CARGO_BIN_EXE_lanemesh");
/// The last lines of a lane's log that a failed test shows.
const LOG_LINES_SHOWN: usize = 30;

pub fn text(path: &Path) -> &str {
    path.to_str().expect("temporary folders have plain names")
}

pub fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Runtime::new().expect("a runtime")
}

fn checked(mut command: Command) -> Output {
    let output = command
        .stdin(Stdio::null())
        .output()
        .expect("the binary runs");
    assert!(output.status.success(), "{command:?}: {output:?}");
    output
}

/// Runs `lanemesh`, which has no need of the network.
fn lanemesh(arguments: &[&str]) -> Output {
    let mut command = Command::new(LANEMESH);
    command.args(arguments);
    checked(command)
}

/// Starts `lanemesh` on a host. It ends by itself when this process does.
fn start(host: &Host, folder: &Path, arguments: &[&str]) -> Process {
    let mut program = host.command(LANEMESH);
    program.args(arguments).arg("--until-stdin-closes");
    Process::start(program, &folder.with_extension("out")).expect("the binary runs")
}

fn send(process: &Process, signal: Signal) {
    // `ip netns exec` becomes the program it runs: the child is the lane itself.
    let pid = i32::try_from(process.pid()).expect("a process id");
    kill(Pid::from_raw(pid), signal).expect("a child can be sent signals");
}

/// A running lane.
pub struct Lane {
    // Before the host, whose namespace it is in.
    pub process: Process,
    pub host: Host,
    /// Its number in the store.
    pub number: u64,
    pub folder: PathBuf,
    /// For use on the host alone: the API listens on loopback.
    pub client: LaneClient,
}

impl Lane {
    async fn start(host: Host, number: u64, folder: PathBuf) -> Lane {
        let process = start(&host, &folder, &["lane", text(&folder)]);
        let client = Lane::answering(&host, &folder, &process).await;
        Lane {
            process,
            host,
            number,
            folder,
            client,
        }
    }

    async fn answering(host: &Host, folder: &Path, process: &Process) -> LaneClient {
        let started = Instant::now();
        loop {
            if let Ok(client) = LaneClient::of_folder(folder) {
                let asked = client.clone();
                if host.run(async move { asked.status().await }).await.is_ok() {
                    return client;
                }
            }
            let waited = started.elapsed();
            assert!(waited < LIMIT, "no answer: {}", process.said());
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Closes the lane as for the night, and waits until it has ended.
    pub fn close(&mut self) {
        send(&self.process, Signal::SIGTERM);
        let started = Instant::now();
        while self.process.end().is_none() {
            let said = self.process.said();
            assert!(started.elapsed() < LIMIT, "it did not end: {said}");
            std::thread::sleep(LOOK_EVERY);
        }
    }

    /// Stops it where it stands, as a machine does that hangs.
    pub fn freeze(&self) {
        send(&self.process, Signal::SIGSTOP);
    }

    pub fn thaw(&self) {
        send(&self.process, Signal::SIGCONT);
    }

    /// Memory in use.
    pub fn resident_bytes(&self) -> u64 {
        let bytes = self.process.resident_bytes();
        bytes.expect("the process runs")
    }

    /// Starts the lane again after it was closed.
    pub async fn open(&mut self) {
        let _ = std::fs::remove_file(self.folder.join(API_FILE));
        self.process = start(&self.host, &self.folder, &["lane", text(&self.folder)]);
        self.client = Lane::answering(&self.host, &self.folder, &self.process).await;
    }

    pub async fn status(&self) -> LaneStatus {
        let client = self.client.clone();
        let status = self.host.run(async move { client.status().await }).await;
        status.expect("the lane answers")
    }

    pub async fn wait(&self, what: &str, settled: impl Fn(&LaneStatus) -> bool) {
        let started = Instant::now();
        loop {
            let status = self.status().await;
            if settled(&status) {
                return;
            }
            assert!(
                started.elapsed() < LIMIT,
                "not within {LIMIT:?}: {what}\n{status:#?}\n{}",
                self.log()
            );
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// The end of its log.
    fn log(&self) -> String {
        let files = std::fs::read_dir(self.folder.join("logs"))
            .into_iter()
            .flatten()
            .flatten();
        let texts = files.filter_map(|file| std::fs::read_to_string(file.path()).ok());
        let text: String = texts.collect();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(LOG_LINES_SHOWN)..].join("\n")
    }

    /// Receipts of every lane as this one has applied them.
    pub async fn receipts_applied(&self) -> BTreeMap<u64, u64> {
        let client = self.client.clone();
        let totals = self.host.run(async move { client.totals().await }).await;
        let totals = totals.expect("the lane answers");
        let rows = totals.as_array().expect("rows").iter();
        rows.map(|row| {
            let number = row["lane_number"].as_u64().expect("a lane's number");
            (number, row["total"]["receipts"].as_u64().expect("a count"))
        })
        .collect()
    }
}

/// A store: lanes 1, 2, … and a head office, each on its own host.
pub struct Store {
    pub lanes: Vec<Lane>,
    hq: Process,
    pub hq_host: Host,
    pub lan: Lan,
    folder: TempDir,
}

impl Store {
    /// A store with the sample store's data whose lanes are together; `None` where this machine
    /// cannot have such a network.
    pub async fn start(count: usize) -> Option<Store> {
        let mut lan = lan()?;
        let folder = tempfile::tempdir().expect("a temporary folder");
        let hq_host = lan.plug_in();
        let hq = start_hq(&hq_host, &folder.path().join("hq"));
        let mut store = Store {
            lanes: Vec::new(),
            hq,
            hq_host,
            lan,
            folder,
        };
        store.create().await;
        for number in 2..=count as u64 {
            store.join(number).await;
        }
        store.wait_together().await;
        Some(store)
    }

    fn lane_folder(&self, number: u64) -> PathBuf {
        self.folder.path().join(format!("lane-{number}"))
    }

    /// The first lane, with the sample data.
    async fn create(&mut self) {
        let folder = self.lane_folder(1);
        let address = self.hq_host.address_in(FIRST_NETWORK);
        let url = format!("http://{address}:{HQ_PORT}");
        let token = self.folder.path().join("hq").join("hq-token");
        let create = ["store", "create", text(&folder), "--name", "Test store"];
        let hq = ["--hq", &url, "--hq-token-file", text(&token)];
        lanemesh(&[&create[..], &hq].concat());
        let lane = Lane::start(self.lan.plug_in(), 1, folder).await;
        for file in sample::FILES {
            let client = lane.client.clone();
            let bytes = file.text.as_bytes().to_vec();
            let imported = lane.host.run(async move {
                let imported = client.import(Some(file.kind), bytes, &mut |_| ()).await;
                imported.map_err(|error| error.to_string())
            });
            let report = imported.await.expect("the sample store imports");
            assert_eq!(report["problem_count"], 0, "{report}");
        }
        self.lanes.push(lane);
    }

    /// Opens an invitation; gives its code.
    pub async fn invite(&self) -> String {
        let first = &self.lanes[0];
        let client = first.client.clone();
        let invited = first.host.run(async move { client.invite().await });
        invited.await.expect("a code").code
    }

    /// The name under which its lanes announce the store.
    pub async fn announced(&self) -> String {
        let first = &self.lanes[0];
        let client = first.client.clone();
        let view = first.host.run(async move { client.view().await });
        view.await.expect("the lane answers").store.short()
    }

    /// One more lane, which is told the code and nothing else.
    pub async fn join(&mut self, number: u64) {
        let folder = self.lane_folder(number);
        let code = self.invite().await;
        let host = self.lan.plug_in();
        let mut join = host.command(LANEMESH);
        join.args(["join", text(&folder), "--code", &code]);
        join.args(["--lane-name", &format!("Lane {number}")]);
        checked(join);
        self.lanes.push(Lane::start(host, number, folder).await);
    }

    /// Waits until every lane reaches every other and they agree.
    pub async fn wait_together(&self) {
        let count = self.lanes.len();
        let voters = match count {
            0..=2 => 1,
            3..=4 => 3,
            _ => 5,
        };
        for lane in &self.lanes {
            lane.wait("the lanes are together", |status| {
                status.mode == Mode::Together
                    && status.lanes.len() == count
                    && status.lanes.iter().all(|lane| lane.reachable)
                    && status.lanes.iter().filter(|lane| lane.voter).count() == voters
                    && status.leader.is_some()
                    && status.items > 0
            })
            .await;
        }
    }

    /// The index of the lane that leads.
    pub async fn leader(&self) -> usize {
        let all: Vec<usize> = (0..self.lanes.len()).collect();
        self.leader_among(&all).await
    }

    /// Waits until one of these lanes leads a quorum; gives its index.
    pub async fn leader_among(&self, indexes: &[usize]) -> usize {
        let started = Instant::now();
        loop {
            for index in indexes {
                let status = self.lanes[*index].status().await;
                if status.is_leader && status.mode == Mode::Together {
                    return *index;
                }
            }
            assert!(started.elapsed() < LIMIT, "none of {indexes:?} leads");
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// The indexes of all lanes but these.
    pub fn others(&self, than: &[usize]) -> Vec<usize> {
        let all = 0..self.lanes.len();
        all.filter(|index| !than.contains(index)).collect()
    }

    /// The end of every test: the faults are over, the robots go home, the lanes come together,
    /// and each receipt that a robot was given is in the journal, the totals and head office once.
    pub async fn assert_all_counted(&self, robots: Robots) {
        self.assert_counted(robots.finish().await).await;
    }

    /// The same for receipts that robots were given before.
    pub async fn assert_counted(&self, mut receipts: Vec<String>) {
        receipts.sort();
        self.wait_together().await;
        for lane in &self.lanes {
            let what = "the store has all of this lane";
            lane.wait(what, |status| status.unshared_entries == 0).await;
        }
        let leader = &self.lanes[self.leader().await];
        let what = "head office has everything";
        leader.wait(what, |status| status.hq.lag_entries == 0).await;
        self.assert_verified();
        let counted: u64 = leader.receipts_applied().await.values().sum();
        assert_eq!(counted, receipts.len() as u64, "receipts in the totals");
        for lane in &self.lanes {
            // A copy comes beside what is agreed on, and after a fault later than that.
            let started = Instant::now();
            while self.journalled(lane) != receipts && started.elapsed() < LIMIT {
                tokio::time::sleep(LOOK_EVERY).await;
            }
            assert_eq!(self.journalled(lane), receipts, "{}", lane.folder.display());
        }
        println!("{} receipts, each counted once", receipts.len());
    }

    fn assert_verified(&self) {
        let hq = self.folder.path().join("hq");
        let mut arguments = vec!["verify", "--json", "--hq", text(&hq)];
        arguments.extend(self.lanes.iter().map(|lane| text(&lane.folder)));
        let mut verify = Command::new(LANEMESH);
        let output = verify.args(arguments).output().expect("the binary runs");
        let report = serde_json::from_slice::<Value>(&output.stdout).expect("JSON");
        assert_eq!(report["ok"], true, "{report:#}");
        assert!(output.status.success(), "{output:?}");
    }

    /// The receipts of all lanes in the journals that a lane holds, sorted.
    fn journalled(&self, lane: &Lane) -> Vec<String> {
        let out = lane.folder.with_extension("jsonl");
        lanemesh(&["export", text(&lane.folder), "--out", text(&out)]);
        let journal = std::fs::read_to_string(out).expect("the export is text");
        let mut receipts: Vec<String> = journal
            .lines()
            .filter_map(|line| {
                let entry: Value = serde_json::from_str(line).expect("JSON lines");
                let id = entry["fact"]["Register"]["event"]["receipt"]["id"].as_str();
                id.map(str::to_owned)
            })
            .collect();
        receipts.sort();
        receipts
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.folder.disable_cleanup(true);
            eprintln!("the store is kept: {}", self.folder.path().display());
            eprintln!("head office said: {}", self.hq.said());
        }
    }
}

fn start_hq(host: &Host, folder: &Path) -> Process {
    let listen = format!("0.0.0.0:{HQ_PORT}");
    let process = start(
        host,
        folder,
        &["hq", text(folder), "--listen", &listen, "--json"],
    );
    let started = Instant::now();
    while !process.said().contains("\"running\":true") {
        let waited = started.elapsed();
        assert!(waited < LIMIT, "no head office: {}", process.said());
        std::thread::sleep(LOOK_EVERY);
    }
    process
}
