//! `lanemesh invite`.

use std::path::Path;

use serde_json::json;

use crate::cli::Report;
use crate::client::LaneClient;

pub fn run(dir: &Path) -> anyhow::Result<Report> {
    let invitation =
        super::runtime()?.block_on(async { LaneClient::of_folder(dir)?.invite().await })?;
    let address = invitation.addresses.first().cloned().unwrap_or_default();
    let text = format!(
        "Code for one lane, good for {} minutes:\n\n    {}\n\nOn the new lane: lanemesh join DIR --code {}\nWhere multicast is blocked, add: --peer {address}",
        invitation.valid_minutes, invitation.code, invitation.code,
    );
    let json = json!({
        "ok": true,
        "code": invitation.code,
        "valid_minutes": invitation.valid_minutes,
        "addresses": invitation.addresses,
    });
    Ok(Report::done(text, json))
}
