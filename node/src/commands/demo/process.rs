//! One child process of the demo: started, watched, asked to close, waited for.
//!
//! A child closes in good order when its standard input ends, so none outlives the demo, however
//! the demo ends. Its own process group keeps the terminal's Ctrl-C from it: the demo decides who
//! closes when.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use anyhow::Context;
use tokio::process::{Child, Command};
use tokio::time::Instant;

/// Bytes looked at for the last words of a process.
const LAST_WORDS_BYTES: u64 = 16 * 1024;
/// How long a killed process may take to be gone.
const KILL_LIMIT: Duration = Duration::from_secs(5);

/// How a process came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Closed,
    Failed(i32),
    Killed(i32),
}

/// A process that is to run.
pub struct Process {
    /// As a person calls it: `Lane 2`, `Head office`.
    pub title: String,
    args: Vec<OsString>,
    log: PathBuf,
    running: Option<Running>,
}

struct Running {
    child: Child,
    pid: u32,
    since: Instant,
    /// Where this process's part of the log begins.
    log_from: u64,
}

impl Process {
    /// A process that is not started yet. Its output is appended to `log`.
    pub fn new(title: String, args: Vec<OsString>, log: PathBuf) -> Process {
        Process {
            title,
            args,
            log,
            running: None,
        }
    }

    /// Starts it with some arguments more than it was made with.
    pub fn start(&mut self, more: &[&str]) -> anyhow::Result<()> {
        let log = open_log(&self.log)?;
        let log_from = log.metadata()?.len();
        let mut command = program()?;
        command
            .args(&self.args)
            .args(more)
            .stdin(Stdio::piped())
            .stdout(log.try_clone()?)
            .stderr(log);
        let child = command
            .spawn()
            .with_context(|| format!("{} cannot be started", self.title))?;
        self.running = Some(Running {
            pid: child.id().unwrap_or(0),
            child,
            since: Instant::now(),
            log_from,
        });
        Ok(())
    }

    pub fn pid(&self) -> Option<u32> {
        self.running.as_ref().map(|running| running.pid)
    }

    pub fn log(&self) -> &Path {
        &self.log
    }

    /// Whether it has ended since the last look, after how long, and how.
    pub fn look(&mut self) -> Option<(Duration, End)> {
        let running = self.running.as_mut()?;
        let status = running.child.try_wait().ok().flatten()?;
        let lived = running.since.elapsed();
        self.running = None;
        Some((lived, end_of(status)))
    }

    /// Asks it to close and waits; a process that does not within `limit` is killed, which loses
    /// nothing but its farewell.
    pub async fn close(&mut self, limit: Duration) {
        let Some(mut running) = self.running.take() else {
            return;
        };
        drop(running.child.stdin.take());
        if tokio::time::timeout(limit, running.child.wait())
            .await
            .is_err()
        {
            kill(&mut running.child).await;
        }
    }

    pub async fn kill(&mut self) {
        if let Some(mut running) = self.running.take() {
            kill(&mut running.child).await;
        }
    }

    /// What the running process has printed, up to now.
    pub fn printed(&self) -> String {
        let from = self.running.as_ref().map_or(0, |running| running.log_from);
        read_from(&self.log, from)
    }

    /// Its last words, for a person who asks why it ended.
    pub fn last_words(&self) -> String {
        let length = std::fs::metadata(&self.log).map_or(0, |meta| meta.len());
        last_words(&read_from(
            &self.log,
            length.saturating_sub(LAST_WORDS_BYTES),
        ))
    }
}

/// The error that a process ended with, or whatever it printed last.
fn last_words(printed: &str) -> String {
    let filled = printed
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty());
    let said: Vec<&str> = filled.collect();
    let error = said.iter().rev().find(|line| line.starts_with("error: "));
    // What a panic says stands on the line after where it happened.
    let panic = said.iter().rposition(|line| line.contains(" panicked at "));
    let panic = panic.and_then(|place| said.get(place + 1));
    let last = error.or(panic).or(said.last());
    last.map_or("it printed nothing".to_owned(), |line| (*line).to_owned())
}

/// This program, to be run in a process group of its own.
pub fn program() -> anyhow::Result<Command> {
    let program = std::env::current_exe().context("this program does not find itself")?;
    let mut command = Command::new(program);
    #[cfg(unix)]
    command.process_group(0);
    Ok(command)
}

async fn kill(child: &mut Child) {
    if child.start_kill().is_ok() {
        // A process that the system cannot end is the system's to report.
        let _ = tokio::time::timeout(KILL_LIMIT, child.wait()).await;
    }
}

fn open_log(path: &Path) -> anyhow::Result<File> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .with_context(|| format!("the log {} cannot be written", path.display()))
}

fn read_from(path: &Path, from: u64) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_words_are_those_that_say_why() {
        let check = |printed: &str, expected: &str| assert_eq!(last_words(printed), expected);
        check("", "it printed nothing");
        check("Lane 1 is running.\nClosed.\n\n", "Closed.");
        check("error: no port\nsee the log\n", "error: no port");
        check(
            "thread 'main' panicked at src/x.rs:1:2:\nno display\nstack backtrace:\n   0: main\n",
            "no display",
        );
    }
}
