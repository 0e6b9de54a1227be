//! Lanes and a head office as child processes of this one, for benchmarks.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use crate::client::{API_FILE, LaneClient};

/// How long a process may take to answer after its start.
const READY_LIMIT: Duration = Duration::from_secs(30);
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// A child process that is killed when it is dropped.
pub struct Process {
    child: Child,
}

impl Process {
    /// Runs this binary with other arguments; what it prints goes to `<folder>.out`.
    pub fn start(folder: &Path, arguments: &[&str]) -> anyhow::Result<Process> {
        let output = File::create(folder.with_extension("out"))
            .with_context(|| format!("{} cannot be written beside", folder.display()))?;
        let program = std::env::current_exe().context("this program cannot find itself")?;
        let child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .spawn()
            .context("no process can be started")?;
        Ok(Process { child })
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// SIGKILL, as a power cut would.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A lane process and the way to its API.
pub struct LaneProcess {
    pub folder: PathBuf,
    pub process: Process,
    pub client: LaneClient,
    /// From the start of the process to its first answer.
    pub ready_after: Duration,
}

impl LaneProcess {
    pub async fn start(folder: &Path) -> anyhow::Result<LaneProcess> {
        LaneProcess::start_with(folder, &[]).await
    }

    /// Starts a lane with more arguments than its folder.
    pub async fn start_with(folder: &Path, more: &[&str]) -> anyhow::Result<LaneProcess> {
        // A lane that was killed leaves its address behind.
        let _ = std::fs::remove_file(folder.join(API_FILE));
        let started = Instant::now();
        let name = folder.to_string_lossy().into_owned();
        let arguments = [&["lane", &name], more].concat();
        let process = Process::start(folder, &arguments)?;
        loop {
            if let Ok(client) = LaneClient::of_folder(folder)
                && client.status().await.is_ok()
            {
                return Ok(LaneProcess {
                    folder: folder.to_owned(),
                    process,
                    client,
                    ready_after: started.elapsed(),
                });
            }
            if started.elapsed() > READY_LIMIT {
                let said = std::fs::read_to_string(folder.with_extension("out"));
                bail!(
                    "the lane in {name} did not start: {}",
                    said.unwrap_or_default()
                );
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Waits until the process has printed `words`; answers how long after `since` that was.
    pub async fn said(&self, words: &str, since: Instant) -> anyhow::Result<Duration> {
        loop {
            let printed = std::fs::read_to_string(self.folder.with_extension("out"))?;
            if printed.contains(words) {
                return Ok(since.elapsed());
            }
            if since.elapsed() > READY_LIMIT || printed.contains("no window") {
                bail!("{}", printed.lines().last().unwrap_or_default());
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Resident memory in bytes.
    pub fn resident_bytes(&self) -> Option<u64> {
        let status =
            std::fs::read_to_string(format!("/proc/{}/status", self.process.pid())).ok()?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))?;
        let kib: u64 = line.split_whitespace().next()?.parse().ok()?;
        Some(kib * 1024)
    }

    /// Processor time used so far.
    pub fn cpu_time(&self) -> Option<Duration> {
        /// Clock ticks a second as Linux reports them to user space.
        const TICKS: u64 = 100;
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.process.pid())).ok()?;
        // The name in parentheses may hold anything; the rest is numbers.
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        let user: u64 = fields.get(11)?.parse().ok()?;
        let system: u64 = fields.get(12)?.parse().ok()?;
        Some(Duration::from_millis((user + system) * 1000 / TICKS))
    }
}
