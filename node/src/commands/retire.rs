//! `lanemesh retire`: takes a lane out of the store for good.

use std::path::Path;

use anyhow::anyhow;
use reqwest::StatusCode;
use serde_json::json;

use crate::cli::{Report, RetireArgs};
use crate::client::{ClientError, LaneClient};

pub fn run(args: &RetireArgs) -> anyhow::Result<Report> {
    super::runtime()?.block_on(retire(&args.dir, args))
}

async fn retire(dir: &Path, args: &RetireArgs) -> anyhow::Result<Report> {
    let client = LaneClient::of_folder(dir)?;
    let status = client.status().await?;
    let is_meant = |lane: &&api::PeerStatus| {
        lane.number.to_string() == args.lane || lane.lane.to_string() == args.lane
    };
    let lane = status.lanes.iter().find(is_meant).ok_or_else(|| {
        anyhow!(
            "this store has no lane '{}': name it by its number or id, as `lanemesh status` shows it",
            args.lane
        )
    })?;
    let pin = super::pin::read(args.pin.pin_file.as_deref())?;
    let retired = client.retire(lane.lane, &args.manager, &pin.0).await;
    retired.map_err(|error| match error {
        ClientError::Failed { status, message } if status == StatusCode::CONFLICT => {
            anyhow!(message)
        }
        other => other.into(),
    })?;
    let text = format!(
        "Lane {} ({}) is out of the store. What it sold stays counted. If its machine comes back, it \
         has to join again as a new lane.",
        lane.number, lane.name
    );
    let json = json!({
        "ok": true,
        "lane": lane.lane,
        "number": lane.number,
        "name": lane.name,
    });
    Ok(Report::done(text, json))
}
