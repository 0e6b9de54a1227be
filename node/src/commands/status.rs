//! `lanemesh status`.

use std::path::Path;

use api::{LaneView, Mode};
use serde_json::json;

use crate::cli::Report;
use crate::client::LaneClient;

pub fn run(dir: &Path) -> anyhow::Result<Report> {
    let view = super::runtime()?.block_on(async { LaneClient::of_folder(dir)?.view().await })?;
    let json = json!({
        "ok": true,
        "store": view.store,
        "store_name": view.store_name,
        "lane": view.lane,
        "lane_number": view.lane_number,
        "lane_name": view.lane_name,
        "status": view.status,
    });
    Ok(Report::done(describe(&view), json))
}

/// The mode in one line.
pub fn mode_text(mode: &Mode) -> String {
    match mode {
        Mode::Together => "together".to_owned(),
        Mode::Partial { reachable, lanes } => format!("partial: {reachable} of {lanes} lanes"),
        Mode::Alone { unshared, since } => format!(
            "alone: selling, {unshared} sales not yet shared{}",
            since.map_or(String::new(), |since| format!(
                ", since {}",
                since.hour_minute()
            )),
        ),
        Mode::Stop { reason } => format!("STOP: {reason}"),
    }
}

fn describe(view: &LaneView) -> String {
    let status = &view.status;
    let mut text = format!(
        "{} · {} (lane {}) · {}\n",
        view.store_name,
        view.lane_name,
        view.lane_number,
        mode_text(&status.mode),
    );
    text.push_str(&format!(
        "leader {} · term {} · applied {} of {} · journal {} · unshared {} entries, {} sales\n",
        status.leader.as_deref().unwrap_or("none"),
        status.term,
        status.applied_index,
        status.committed_index,
        status.journal_seq,
        status.unshared_entries,
        status.unshared_sales,
    ));
    text.push_str(&format!(
        "{} items · book version {} · {} receipts · {} exceptions · head office {}\n",
        status.items,
        status.book_version,
        status.receipts,
        status.exceptions,
        match (status.hq.configured, &status.hq.problem) {
            (false, _) => "not set up".to_owned(),
            (true, None) => format!("{} entries behind", status.hq.lag_entries),
            (true, Some(problem)) => format!("{} entries behind: {problem}", status.hq.lag_entries),
        },
    ));
    if status.hq.published > 0 {
        let published = status.hq.published;
        text.push_str(&format!(
            "head office's publication {published} is in force\n"
        ));
    }
    for lane in &status.lanes {
        text.push_str(&format!(
            "  {:>2}  {:<16} {}{}{}\n",
            lane.number,
            lane.name,
            if lane.reachable {
                "reachable"
            } else {
                "not reachable"
            },
            if lane.leader { ", leader" } else { "" },
            if lane.voter { ", voter" } else { "" },
        ));
    }
    if let Some(printer) = &status.printer {
        text.push_str(&format!(
            "printer {} · {} papers wait{}\n",
            printer.name.as_deref().unwrap_or("none"),
            printer.waiting,
            (printer.trouble.as_ref()).map_or(String::new(), |why| format!(": {why}")),
        ));
    }
    for warning in &status.warnings {
        text.push_str(&format!("note: {warning}\n"));
    }
    text.trim_end().to_owned()
}
