//! The checkout window on a lane in memory, to try every screen without a node:
//!
//!     cargo run -p ui --example window -- [partial|alone|stop|slow] [--fullscreen] [SECONDS]
//!
//! With a number of seconds the window closes itself, as a node does that is told to end.
//! Sign in as 101 with 1234, or as supervisor 201 with 2222. PLU 4011 is weighed, 10007 is wine.

use std::time::Duration;
use std::{env, thread};

use api::{HqStatus, Mode};
use sale::LocalTime;

mod support;

fn main() -> Result<(), ui::WindowError> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let has = |word: &str| arguments.iter().any(|argument| argument == word);
    for item in ["10001", "10005", "10007", "10010", "10011"] {
        println!("item {item}: {}", support::barcode(item));
    }
    let options = ui::WindowOptions {
        fullscreen: has("--fullscreen"),
        ..ui::WindowOptions::default()
    };
    let (lane, handle) = support::lane();
    handle.set(|inside| {
        if has("partial") {
            inside.mode = Mode::Partial {
                reachable: 2,
                lanes: 3,
            };
            inside.hq.lag_entries = 37;
        }
        if has("alone") {
            let since = Some(LocalTime {
                unix_ms: 1_795_783_020_000,
                offset_minutes: -300,
            });
            inside.mode = Mode::Alone {
                unshared: 12,
                since,
            };
            inside.hq = HqStatus {
                configured: true,
                lag_entries: 214,
                published: 0,
                problem: Some("connection refused".to_owned()),
            };
            let warning = "No multicast on this network: lanes are found by the static list.";
            inside.warnings = vec![warning.to_owned()];
        }
        if has("stop") {
            let reason = "The journal could not be written: no space left on the disk.".to_owned();
            inside.mode = Mode::Stop { reason };
        }
        inside.held = has("slow");
    });
    let open_s = arguments.iter().find_map(|argument| argument.parse().ok());
    let connect = |context: ui::Context| -> Box<dyn api::Lane> {
        if let Some(open_s) = open_s {
            thread::spawn(move || {
                thread::sleep(Duration::from_secs(open_s));
                ui::close(&context);
            });
        }
        lane
    };
    ui::run(options, connect, || ())
}
