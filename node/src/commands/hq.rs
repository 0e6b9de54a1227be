//! `lanemesh hq`: runs a head office until it is asked to stop.

use hq::{HqConfig, serve};
use serde_json::json;

use crate::cli::{HqArgs, Report};
use crate::production::log_to_files;

pub fn run(args: &HqArgs, json: bool) -> anyhow::Result<Report> {
    if args.until_stdin_closes {
        super::close_with_stdin();
    }
    let _log = log_to_files(&args.dir, "hq");
    super::runtime()?.block_on(async {
        let running = serve(HqConfig {
            dir: args.dir.clone(),
            listen: args.listen,
        })
        .await?;
        let url = format!("http://{}", running.local_addr());
        if json {
            eprintln!("{}", json!({ "running": true, "url": url }));
        } else {
            eprintln!(
                "Head office is running on {url}. Its token for stores is in {}. Ctrl-C closes it.",
                args.dir.join(::hq::TOKEN_FILE).display(),
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
