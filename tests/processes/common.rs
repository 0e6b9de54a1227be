//! A store of real processes in a temporary folder, driven through the lanes' own API.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use api::{CommandRequest, Done, LaneStatus, LaneView, Problem};
use catalog::{EmployeeId, Role};
use node::client::LaneClient;
use node::processes::{LaneProcess, Process};
use node::sample;
use sale::Pin;
use serde_json::Value;
use tempfile::TempDir;

/// The longest that anything may take on a busy machine before a test gives up.
pub const LIMIT: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// The binary under test.
pub fn lanemesh() -> Command {
    Command::new(env!("CARGO_BIN_EXE_lanemesh"))
}

/// Runs a command to its end.
pub fn run(arguments: &[&str]) -> Output {
    lanemesh()
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .expect("the binary runs")
}

/// Runs a command with `--json` and gives its exit code and the object it printed.
pub fn run_json(arguments: &[&str]) -> (i32, Value) {
    let output = run(&[arguments, &["--json"]].concat());
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let value = serde_json::from_str(&text).unwrap_or_else(|error| {
        let said = String::from_utf8_lossy(&output.stderr);
        panic!("{arguments:?} printed no JSON ({error}): {text}\n{said}")
    });
    (output.status.code().unwrap_or(-1), value)
}

pub fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Runtime::new().expect("a runtime")
}

pub fn text(path: &Path) -> &str {
    path.to_str().expect("temporary folders have plain names")
}

/// Starts `lanemesh`; what it prints goes to `FOLDER.out`.
pub fn start(folder: &Path, arguments: &[&str]) -> Process {
    let mut program = lanemesh();
    program.args(arguments);
    Process::start(program, &folder.with_extension("out")).expect("the binary runs")
}

/// SIGTERM, and waits for the end.
pub fn stop(process: &mut Process) {
    let pid = process.pid().to_string();
    let _ = Command::new("kill").args(["-TERM", &pid]).status();
    wait_for_end(process);
}

pub fn wait_for_end(process: &mut Process) {
    let started = Instant::now();
    while process.end().is_none() {
        let pid = process.pid();
        assert!(started.elapsed() < LIMIT, "{pid}: {}", process.said());
        std::thread::sleep(LOOK_EVERY);
    }
}

/// A running lane.
pub struct Lane {
    pub folder: PathBuf,
    pub process: Process,
    pub client: LaneClient,
}

impl Lane {
    pub async fn start(folder: &Path) -> Lane {
        Lane::start_with(folder, &[]).await
    }

    pub async fn start_with(folder: &Path, options: &[&str]) -> Lane {
        Lane::started(lanemesh(), folder, options).await
    }

    /// Starts a lane that is not ended by the signal which comes with a file that is too large.
    pub async fn start_where_files_may_be_limited(folder: &Path, options: &[&str]) -> Lane {
        let mut shell = Command::new("sh");
        shell.args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\""]);
        shell.arg(env!("CARGO_BIN_EXE_lanemesh"));
        Lane::started(shell, folder, options).await
    }

    async fn started(program: Command, folder: &Path, options: &[&str]) -> Lane {
        let started = LaneProcess::start(program, folder, options, LIMIT).await;
        let LaneProcess {
            folder,
            process,
            client,
            ..
        } = started.expect("the lane starts");
        Lane {
            folder,
            process,
            client,
        }
    }

    /// SIGTERM, and waits for the end.
    pub fn stop(&mut self) {
        stop(&mut self.process);
    }

    /// SIGKILL and a new start.
    pub async fn crash_and_restart(&mut self) {
        self.process.kill();
        *self = Lane::start(&self.folder.clone()).await;
    }

    pub async fn status(&self) -> LaneStatus {
        self.client.status().await.expect("the lane answers")
    }

    pub async fn try_do(&self, command: sale::Command) -> Result<Done, Problem> {
        let request = CommandRequest { id: None, command };
        self.client
            .command(&request)
            .await
            .expect("the lane answers")
    }

    pub async fn done(&self, command: sale::Command) -> Done {
        let shown = format!("{command:?}");
        self.try_do(command)
            .await
            .unwrap_or_else(|problem| panic!("{shown}: {problem:?}"))
    }

    /// Signs the sample store's first supervisor in.
    pub async fn sign_in(&self) {
        self.sign_in_as(Role::Supervisor).await;
    }

    /// Signs the first of the sample store's people with this role in.
    pub async fn sign_in_as(&self, role: Role) {
        let people = sample::people();
        let person = people.iter().find(|p| p.role == role);
        let person = person.expect("the sample store has somebody with each role");
        self.done(sale::Command::SignIn {
            employee: EmployeeId(person.number.clone()),
            pin: Pin(person.pin.clone()),
        })
        .await;
    }

    pub async fn scan(&self, code: &str) -> Done {
        self.done(scan(code)).await
    }

    /// Pays with what is due; gives the number of the receipt's entry.
    pub async fn pay(&self) -> u64 {
        let paid = self.done(sale::Command::TenderCash { amount: None }).await;
        paid.seq
    }

    /// Rings up one item and pays.
    pub async fn sell(&self, code: &str) -> u64 {
        self.scan(code).await;
        self.pay().await
    }

    pub async fn wait(&self, what: &str, settled: impl Fn(&LaneStatus) -> bool) {
        let started = Instant::now();
        loop {
            let status = self.status().await;
            if settled(&status) {
                return;
            }
            assert!(started.elapsed() < LIMIT, "{what}: {status:#?}");
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// What the lane shows once it shows that.
    pub async fn shown(&self, what: &str, is_it: impl Fn(&LaneView) -> bool) -> LaneView {
        let started = Instant::now();
        loop {
            let view = self.client.view().await.expect("the lane answers");
            if is_it(&view) {
                return view;
            }
            assert!(started.elapsed() < LIMIT, "{what}: {view:#?}");
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Waits until this lane has applied as much as the other one.
    pub async fn wait_applied(&self, other: &Lane) {
        let index = other.status().await.applied_index;
        let what = "the lane has applied what the other has";
        self.wait(what, |status| status.applied_index >= index)
            .await;
    }

    /// Waits until the store has everything of this lane.
    pub async fn wait_shared(&self) {
        let what = "the store has all of this lane";
        self.wait(what, |status| status.unshared_entries == 0).await;
    }
}

pub fn scan(code: &str) -> sale::Command {
    sale::Command::Scan {
        code: code.to_owned(),
        quantity: None,
    }
}

/// Items of the sample store that can be scanned without a question.
pub fn plain_items(count: usize) -> Vec<String> {
    let items = sample::items(sample::text_of("items").as_bytes()).into_iter();
    let plain = items.filter(|i| i.sold_by == money::Unit::Each && i.age_min.is_none());
    plain.take(count).map(|item| item.id.0).collect()
}

/// A store in a temporary folder.
pub struct Store {
    pub folder: TempDir,
    pub hq: Option<(Process, String)>,
    pub lanes: Vec<Lane>,
}

impl Store {
    /// A store of `count` lanes with the sample store's data, all of them together.
    pub async fn start(count: usize, with_hq: bool) -> Store {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut store = Store {
            folder,
            hq: None,
            lanes: Vec::new(),
        };
        if with_hq {
            store.start_hq().await;
        }
        let first = store.lane_folder(1);
        let mut create = vec!["store", "create", text(&first), "--name", "Test store"];
        let token = store.hq_folder().join("hq-token");
        if let Some((_, url)) = &store.hq {
            create.extend(["--hq", url, "--hq-token-file", text(&token)]);
        }
        let created = run(&create);
        assert!(created.status.success(), "{created:?}");
        store.lanes.push(Lane::start(&first).await);
        for file in sample::FILES {
            let bytes = file.text.as_bytes().to_vec();
            let client = &store.lanes[0].client;
            let report = client.import(Some(file.kind), bytes, &mut |_| ()).await;
            let report = report.expect("the sample store imports");
            assert_eq!(report["problem_count"], 0, "{report}");
        }
        for number in 2..=count {
            store.join(number).await;
        }
        store.wait_together().await;
        store
    }

    pub fn lane_folder(&self, number: usize) -> PathBuf {
        self.folder.path().join(format!("lane-{number}"))
    }

    pub fn hq_folder(&self) -> PathBuf {
        self.folder.path().join("hq")
    }

    /// Starts head office, on the port of its last start.
    pub async fn start_hq(&mut self) {
        let folder = self.hq_folder();
        let listen = match &self.hq {
            Some((_, url)) => url.trim_start_matches("http://").to_owned(),
            None => "127.0.0.1:0".to_owned(),
        };
        let arguments = ["hq", text(&folder), "--listen", &listen, "--json"];
        let process = start(&folder, &arguments);
        let started = Instant::now();
        loop {
            let said = process.said();
            let said = said
                .lines()
                .find_map(|l| serde_json::from_str::<Value>(l).ok());
            if let Some(url) = said.and_then(|said| said["url"].as_str().map(str::to_owned)) {
                self.hq = Some((process, url));
                return;
            }
            assert!(
                started.elapsed() < LIMIT,
                "no head office: {}",
                process.said()
            );
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Lets a new lane join, and starts it.
    pub async fn join(&mut self, number: usize) {
        let folder = self.lane_folder(number);
        let invitation = self.lanes[0].client.invite().await.expect("a code");
        let name = format!("Lane {number}");
        let mut arguments = vec!["join", text(&folder), "--code", &invitation.code];
        arguments.extend(["--lane-name", &name]);
        for address in &invitation.addresses {
            arguments.extend(["--peer", address]);
        }
        let joined = run(&arguments);
        assert!(joined.status.success(), "{joined:?}");
        self.lanes.push(Lane::start(&folder).await);
    }

    /// Waits until every lane reaches every other, a leader is known and the books are the same.
    pub async fn wait_together(&self) {
        let count = self.lanes.len();
        let voters = match count {
            0..=2 => 1,
            3..=4 => 3,
            _ => 5,
        };
        for lane in &self.lanes {
            lane.wait("the lanes come together", |status| {
                status.lanes.len() == count
                    && status.lanes.iter().all(|lane| lane.reachable)
                    && status.lanes.iter().filter(|lane| lane.voter).count() == voters
                    && status.leader.is_some()
                    && status.items > 0
            })
            .await;
        }
    }

    pub async fn leader(&self) -> usize {
        let started = Instant::now();
        loop {
            for (index, lane) in self.lanes.iter().enumerate() {
                if lane.client.status().await.is_ok_and(|s| s.is_leader) {
                    return index;
                }
            }
            assert!(started.elapsed() < LIMIT, "no lane leads");
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Waits until every lane has applied what every other did.
    pub async fn settle(&self) {
        for lane in &self.lanes {
            lane.wait_shared().await;
            for other in &self.lanes {
                other.wait_applied(lane).await;
            }
        }
    }

    /// Waits until every lane and head office have everything.
    pub async fn wait_complete(&self) {
        for lane in &self.lanes {
            lane.wait_shared().await;
        }
        if self.hq.is_some() {
            let leader = &self.lanes[self.leader().await];
            let what = "head office has everything";
            leader.wait(what, |status| status.hq.lag_entries == 0).await;
        }
    }

    /// Receipts that the store has counted.
    pub async fn receipts(&self) -> u64 {
        let totals = self.lanes[0].client.totals().await.expect("totals");
        let rows = totals.as_array().expect("rows").iter();
        rows.map(|row| row["total"]["receipts"].as_u64().expect("a count"))
            .sum()
    }

    /// Runs `verify` over all folders; gives its exit code and report.
    pub fn verify(&self) -> (i32, Value) {
        let folders: Vec<PathBuf> = (1..=self.lanes.len())
            .map(|n| self.lane_folder(n))
            .collect();
        let mut arguments = vec!["verify"];
        arguments.extend(folders.iter().map(|folder| text(folder)));
        let hq = self.hq_folder();
        if self.hq.is_some() {
            arguments.extend(["--hq", text(&hq)]);
        }
        run_json(&arguments)
    }

    pub fn assert_verified(&self) {
        let (code, report) = self.verify();
        assert_eq!((code, &report["ok"]), (0, &Value::Bool(true)), "{report:#}");
    }
}
