//! What the demo says besides the board.
//!
//! With `--json`, standard output is kept for the one object at the end and everything is said on
//! standard error. A reader that has gone away is no reason to stop.

use std::fmt::Write as _;
use std::io::{IsTerminal, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::board::{self, Board, Paint};
use super::folder::DemoFolder;
use super::setup::FoundBy;
use crate::sample;

/// Between two lines where the board cannot be drawn over.
pub const LINE_EVERY: Duration = Duration::from_secs(5);

/// How lanes find each other where multicast is blocked.
pub const BY_ADDRESS: &str = "Multicast does not work here: the lanes use the addresses they know.";

/// Where the demo talks to.
pub struct Talk {
    json: bool,
    terminal: bool,
    paint: Paint,
    /// Lines of the board that are drawn over next.
    drawn: AtomicUsize,
}

impl Talk {
    pub fn new(json: bool) -> Talk {
        let terminal = match json {
            true => std::io::stderr().is_terminal(),
            false => std::io::stdout().is_terminal(),
        };
        let colour = terminal && std::env::var_os("NO_COLOR").is_none();
        Talk {
            json,
            terminal,
            paint: if colour { Paint::Colour } else { Paint::Plain },
            drawn: AtomicUsize::new(0),
        }
    }

    pub fn is_terminal(&self) -> bool {
        self.terminal
    }

    fn write(&self, text: &str) {
        let _ = match self.json {
            true => std::io::stderr().write_all(text.as_bytes()),
            false => {
                let mut out = std::io::stdout();
                out.write_all(text.as_bytes()).and_then(|()| out.flush())
            }
        };
    }

    pub fn say(&self, text: &str) {
        self.write(&format!("{text}\n"));
    }

    /// Shows how far something is; on a terminal only.
    pub fn progress(&self, text: &str) {
        if self.terminal {
            self.write(&format!("\r\x1b[2K{text}"));
        }
    }

    pub fn progress_ends(&self) {
        if self.terminal {
            self.write("\r\x1b[2K");
        }
    }

    /// Draws the board over the last one; without a terminal, one line of it.
    pub fn board(&self, board: &Board) {
        if !self.terminal {
            return self.say(&board::line(board));
        }
        let lines = board::block(board, self.paint);
        let before = self.drawn.swap(lines.len(), Ordering::Relaxed);
        let mut text = String::new();
        if before > 0 {
            let _ = write!(text, "\x1b[{before}A");
        }
        for line in &lines {
            let _ = writeln!(text, "\x1b[2K{line}");
        }
        // The last board may have been longer.
        text.push_str("\x1b[0J");
        self.write(&text);
    }

    /// What is said from now on stands below the board.
    pub fn board_ends(&self) {
        self.drawn.store(0, Ordering::Relaxed);
    }
}

/// Everything a person needs to play with the store.
pub fn introduction(folder: &DemoFolder, lanes: u32, found_by: FoundBy, window: &str) -> String {
    let mut text = String::from("\n");
    text.push_str(&people());
    if !folder.has_own_catalog() {
        text.push_str(&what_to_scan());
    }
    let _ = writeln!(text, "Window   {window}");
    let network = match found_by {
        FoundBy::Multicast => "The lanes find each other over mDNS.",
        FoundBy::Addresses => BY_ADDRESS,
        FoundBy::Earlier => "The lanes know each other from the last run; new ones use mDNS.",
    };
    let _ = writeln!(text, "Network  {network}");
    let _ = writeln!(
        text,
        "Folder   {}, the next run goes on from it",
        folder.shown().display()
    );
    let _ = writeln!(
        text,
        "Logs     {} and lane-N/logs",
        folder.shown().join("logs").display()
    );
    text.push_str(&how_to_kill(lanes));
    text
}

fn people() -> String {
    let mut text = String::from("Sign in with number and PIN\n");
    let people = sample::people();
    for equals in people.chunk_by(|a, b| a.role == b.role) {
        for pair in equals.chunks(2) {
            let role = format!("{:?}", pair[0].role).to_lowercase();
            let _ = write!(text, "  {role:<12}");
            for person in pair {
                let _ = write!(
                    text,
                    "{} {}  {:<22}",
                    person.number, person.pin, person.name
                );
            }
            text.truncate(text.trim_end().len());
            text.push('\n');
        }
    }
    text.push('\n');
    text
}

fn what_to_scan() -> String {
    let mut text = String::from("Scan, or type and press Enter\n");
    for suggestion in sample::what_to_scan() {
        let _ = writeln!(text, "  {:<14} {}", suggestion.scan, suggestion.shows);
    }
    text.push('\n');
    text
}

fn how_to_kill(lanes: u32) -> String {
    let see = match lanes {
        1 => "",
        _ => " The others go on selling; one of them takes over if it led the store.",
    };
    let text = format!(
        "Try      kill -9 PID with a pid of the board, in another terminal.{see} The lane is started \
         again after 10 seconds, with its open sale, and catches up.\n"
    );
    wrapped(&text, 9)
}

/// Breaks a text at spaces so that it fits the board's width; further lines are indented.
fn wrapped(text: &str, indent: usize) -> String {
    let mut lines = vec![String::new()];
    for word in text.split_inclusive(' ') {
        let line = lines.last().map_or(0, |line| line.chars().count());
        if line + word.trim_end().chars().count() > board::WIDTH {
            lines.push(" ".repeat(indent));
        }
        if let Some(line) = lines.last_mut() {
            line.push_str(word);
        }
    }
    let lines: Vec<&str> = lines
        .iter()
        .map(|line| line.trim_end_matches(' '))
        .collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_fits_the_terminal() {
        let root = tempfile::tempdir().unwrap();
        let (folder, _) = DemoFolder::open(root.path(), false).unwrap();
        let text = introduction(&folder, 3, FoundBy::Multicast, "On lane 1.");
        let longest = text
            .lines()
            .filter(|line| !line.contains(folder.shown().to_str().unwrap()));
        for line in longest {
            assert!(line.chars().count() <= board::WIDTH, "{line}");
        }
        assert!(text.contains("301 1357  Nia Fairweather"));
        assert!(text.contains("kill -9"));
    }

    #[test]
    fn a_text_is_broken_at_spaces() {
        let text = "Try  ".to_owned() + &"word ".repeat(20);
        let lines = wrapped(&text, 5);
        let lines: Vec<&str> = lines.lines().collect();
        assert_eq!(lines.len(), 2);
        assert!(lines[1].starts_with("     word"));
    }
}
