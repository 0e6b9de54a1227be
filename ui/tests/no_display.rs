//! Without a display the window says so, in words, and gives control back. A test of its own
//! process, because a window belongs to the main thread, and with its own environment, because the
//! machine that runs it may well have a display.

use std::process::{self, ExitCode};

use api::{Lane, Ticket, Update};
use sale::Command;
use ui::{WindowError, WindowOptions};

/// No window, so nobody asks this lane anything.
struct Silent;

impl Lane for Silent {
    fn submit(&mut self, _: Ticket, _: Command) {}

    fn search(&mut self, _: Ticket, _: &str) {}

    fn print(&mut self, _: &str) {}

    fn poll(&mut self) -> Vec<Update> {
        Vec::new()
    }
}

/// What tells a program of a display.
const DISPLAYS: [&str; 3] = ["DISPLAY", "WAYLAND_DISPLAY", "WAYLAND_SOCKET"];

fn main() -> ExitCode {
    if DISPLAYS.iter().any(|name| std::env::var_os(name).is_some()) {
        return without_display();
    }
    let error = match ui::run(WindowOptions::default(), |_| Box::new(Silent), || ()) {
        Err(error @ WindowError::NoDisplay { .. }) => error,
        other => panic!("a window without a display: {other:?}"),
    };
    let words = error.to_string();
    assert!(words.contains("there is no display"), "{words}");
    assert!(words.contains("go on without one"), "{words}");
    ExitCode::SUCCESS
}

/// Runs this test again with no display to be found.
fn without_display() -> ExitCode {
    let mut again =
        process::Command::new(std::env::current_exe().expect("a test knows where it is"));
    for name in DISPLAYS {
        again.env_remove(name);
    }
    match again.status() {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        other => panic!("without a display: {other:?}"),
    }
}
