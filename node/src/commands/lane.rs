//! `lanemesh lane`: runs a lane until it is asked to stop or its window is closed.

use anyhow::Context;
use serde_json::json;

use crate::cli::{LaneArgs, Report};
use crate::production::{RunningLane, log_to_files, start_lane};
use crate::window;

pub fn run(args: &LaneArgs, json: bool) -> anyhow::Result<Report> {
    if args.until_stdin_closes {
        super::close_with_stdin();
    }
    let _log = log_to_files(&args.dir, "lane");
    let runtime = super::runtime()?;
    let running = runtime
        .block_on(start_lane(&args.dir, &args.options()))
        .with_context(|| format!("the lane in {} was not started", args.dir.display()))?;
    announce(&running, json);
    if args.window {
        match window::show(&runtime, &running.lane, move || announce_window(json)) {
            Ok(()) => {}
            Err(error) => {
                eprintln!("no window: {error}. The lane goes on without one.");
                runtime.block_on(super::asked_to_stop());
            }
        }
    } else {
        runtime.block_on(super::asked_to_stop());
    }
    runtime.block_on(running.close());
    Ok(Report::done("Closed.", json!({ "ok": true })))
}

fn announce_window(json: bool) {
    tracing::info!("the window is on the screen");
    if json {
        eprintln!("{}", json!({ "window": true }));
    }
}

fn announce(running: &RunningLane, json: bool) {
    let identity = running.lane.identity();
    let network = &running.lane.providers().network;
    if json {
        let line = json!({
            "running": true,
            "lane": identity.lane,
            "api": running.api_url,
            "peer": network.local_peer().0,
            "addresses": network.local_addresses(),
        });
        eprintln!("{line}");
        return;
    }
    eprintln!(
        "{} of '{}' is running. Local API: {} (token in {}/api-token). Ctrl-C closes it.",
        identity.lane_name,
        identity.store_name,
        running.api_url,
        running.folder.display(),
    );
}
