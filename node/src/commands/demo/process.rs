//! One of the demo's processes: a lane or head office, which may run, have ended, or run again.
//!
//! Its own process group keeps the terminal's Ctrl-C from it: the demo decides who closes when.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::processes::{self, End, read_from};

/// Bytes looked at for the last words of a process.
const LAST_WORDS_BYTES: u64 = 16 * 1024;

/// A process that is to run.
pub struct Process {
    /// As a person calls it: `Lane 2`, `Head office`.
    pub title: String,
    args: Vec<OsString>,
    log: PathBuf,
    running: Option<processes::Process>,
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
        let mut command = program()?;
        command.args(&self.args).args(more);
        let started = processes::Process::start(command, &self.log);
        self.running = Some(started.map_err(|error| error.context(self.title.clone()))?);
        Ok(())
    }

    pub fn pid(&self) -> Option<u32> {
        self.running.as_ref().map(processes::Process::pid)
    }

    pub fn log(&self) -> &Path {
        &self.log
    }

    /// Whether it has ended since the last look, after how long, and how.
    pub fn look(&mut self) -> Option<(Duration, End)> {
        let running = self.running.as_mut()?;
        let end = running.end()?;
        let lived = running.age();
        self.running = None;
        Some((lived, end))
    }

    /// Asks it to close and waits; a process that does not within `limit` is killed, which loses
    /// nothing but its farewell.
    pub async fn close(&mut self, limit: Duration) {
        if let Some(mut running) = self.running.take() {
            running.close(limit).await;
        }
    }

    /// Ends it at once.
    pub fn kill(&mut self) {
        self.running = None;
    }

    /// What the running process has printed, up to now.
    pub fn printed(&self) -> String {
        let running = self.running.as_ref();
        running.map(processes::Process::said).unwrap_or_default()
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
    let mut command = processes::program()?;
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    Ok(command)
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
