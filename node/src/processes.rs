//! Child processes of this one, for the demo, the benchmarks and the tests: lanes and head offices.
//!
//! A child's standard input stays open while this process lives: one that was started with
//! `--until-stdin-closes` ends in good order when this process does, however that ends. A child is
//! killed when its [`Process`] is dropped.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use crate::client::{API_FILE, LaneClient};

/// How often a child is looked at that is waited for.
const LOOK_EVERY: Duration = Duration::from_millis(5);
/// How long a killed process may take to be gone, and how often that is looked at.
const KILL_LIMIT: Duration = Duration::from_secs(5);
const KILL_LOOK: Duration = Duration::from_millis(1);

/// How a process came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Closed,
    /// With this exit code.
    Failed(i32),
    /// By this signal.
    Killed(i32),
}

/// A child process.
#[derive(Debug)]
pub struct Process {
    child: Child,
    since: Instant,
    printed: PathBuf,
    /// Where this process's part of the file begins.
    printed_from: u64,
}

impl Process {
    /// Starts `command`. What it prints is appended to the file `printed`.
    pub fn start(mut command: Command, printed: &Path) -> anyhow::Result<Process> {
        let (output, printed_from) =
            open(printed).with_context(|| format!("{} cannot be written", printed.display()))?;
        let child = command
            .stdin(Stdio::piped())
            .stdout(output.try_clone()?)
            .stderr(output)
            .spawn()
            .with_context(|| format!("{:?} cannot be started", command.get_program()))?;
        Ok(Process {
            child,
            since: Instant::now(),
            printed: printed.to_owned(),
            printed_from,
        })
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// How long ago it was started.
    pub fn age(&self) -> Duration {
        self.since.elapsed()
    }

    /// How it ended, if it has.
    pub fn end(&mut self) -> Option<End> {
        self.child.try_wait().ok().flatten().map(end_of)
    }

    /// What it has printed, up to now.
    pub fn said(&self) -> String {
        read_from(&self.printed, self.printed_from)
    }

    /// SIGKILL, as a power cut would; returns once it is gone. A process that the system cannot end
    /// is the system's to report.
    pub fn kill(&mut self) {
        // What cannot be killed has ended already.
        let _ = self.child.kill();
        let asked = Instant::now();
        while self.end().is_none() && asked.elapsed() < KILL_LIMIT {
            std::thread::sleep(KILL_LOOK);
        }
    }

    /// Ends its standard input and waits; a process that does not end within `limit` is killed.
    pub async fn close(&mut self, limit: Duration) {
        drop(self.child.stdin.take());
        let asked = Instant::now();
        while self.end().is_none() {
            if asked.elapsed() >= limit {
                return self.kill();
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Resident memory in bytes.
    pub fn resident_bytes(&self) -> Option<u64> {
        resident_bytes_of(self.pid())
    }

    /// Processor time used so far.
    pub fn cpu_time(&self) -> Option<Duration> {
        /// Clock ticks a second as Linux reports them to user space.
        const TICKS: u64 = 100;
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.pid())).ok()?;
        // The name in parentheses may hold anything; the rest is numbers.
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        let user: u64 = fields.get(11)?.parse().ok()?;
        let system: u64 = fields.get(12)?.parse().ok()?;
        Some(Duration::from_millis((user + system) * 1000 / TICKS))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// This program, to be run once more.
pub fn program() -> anyhow::Result<Command> {
    let program = std::env::current_exe().context("this program does not find itself")?;
    Ok(Command::new(program))
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
    /// Runs `program lane FOLDER …` and waits until it answers; what it prints goes to `FOLDER.out`.
    /// Fails once it has ended, or after `limit`.
    pub async fn start(
        mut program: Command,
        folder: &Path,
        more: &[&str],
        limit: Duration,
    ) -> anyhow::Result<LaneProcess> {
        // A lane that was killed leaves its address behind.
        let _ = std::fs::remove_file(folder.join(API_FILE));
        program.arg("lane").arg(folder).args(more);
        let mut process = Process::start(program, &folder.with_extension("out"))?;
        loop {
            if let Ok(client) = LaneClient::of_folder(folder)
                && client.status().await.is_ok()
            {
                return Ok(LaneProcess {
                    folder: folder.to_owned(),
                    ready_after: process.age(),
                    process,
                    client,
                });
            }
            if process.end().is_some() || process.age() > limit {
                bail!(
                    "the lane in {} did not start: {}",
                    folder.display(),
                    process.said()
                );
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}

fn open(printed: &Path) -> io::Result<(File, u64)> {
    if let Some(folder) = printed.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let file = OpenOptions::new().create(true).append(true).open(printed)?;
    let length = file.metadata()?.len();
    Ok((file, length))
}

/// A file's text from a byte on; empty where it cannot be read.
pub fn read_from(path: &Path, from: u64) -> String {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|mut file| {
        file.seek(SeekFrom::Start(from))?;
        file.read_to_end(&mut bytes)
    });
    match read {
        Ok(_) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(_) => String::new(),
    }
}

fn end_of(status: ExitStatus) -> End {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return End::Killed(signal);
    }
    match status.code() {
        Some(0) => End::Closed,
        code => End::Failed(code.unwrap_or(-1)),
    }
}

/// Resident memory of a process in bytes; `None` where the system does not say.
pub(crate) fn resident_bytes_of(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kib * 1024)
}
