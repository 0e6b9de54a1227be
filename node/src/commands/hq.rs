//! `lanemesh hq`: runs a head office until it is asked to stop, or publishes at one.

mod publish;

use std::path::Path;

use hq::{HqConfig, serve};
use serde_json::json;

use crate::cli::{HqArgs, HqCommand, Report};
use crate::production::log_to_files;

pub fn run(args: &HqArgs, json: bool) -> anyhow::Result<Report> {
    match (&args.command, &args.dir) {
        (Some(HqCommand::Publish(args)), _) => publish::publish(args),
        (Some(HqCommand::Publications(office)), _) => publish::publications(office),
        (None, Some(dir)) => serve_until_stopped(args, dir, json),
        (None, None) => anyhow::bail!("name the folder for head office's books"),
    }
}

fn serve_until_stopped(args: &HqArgs, dir: &Path, json: bool) -> anyhow::Result<Report> {
    if args.until_stdin_closes {
        super::close_with_stdin();
    }
    let _log = log_to_files(dir, "hq");
    super::runtime()?.block_on(async {
        let running = serve(HqConfig {
            dir: dir.to_owned(),
            listen: args.listen,
        })
        .await?;
        let url = format!("http://{}", running.local_addr());
        if json {
            eprintln!("{}", json!({ "running": true, "url": url }));
        } else {
            eprintln!(
                "Head office is running on {url}. Its token for stores is in {}. Ctrl-C closes it.",
                dir.join(::hq::TOKEN_FILE).display(),
            );
        }
        if let Some(note) = running.set_aside() {
            eprintln!("{note}");
        }
        super::asked_to_stop().await;
        running.shutdown().await;
        Ok(Report::done("Closed.", json!({ "ok": true })))
    })
}
