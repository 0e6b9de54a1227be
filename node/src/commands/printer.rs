//! `lanemesh printer`: how a lane's receipt printer stands, and its papers.

use anyhow::anyhow;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::cli::{PrinterArgs, Report};
use crate::client::{ClientError, LaneClient};

pub fn run(args: &PrinterArgs) -> anyhow::Result<Report> {
    super::runtime()?.block_on(printer(args))
}

async fn printer(args: &PrinterArgs) -> anyhow::Result<Report> {
    let client = LaneClient::of_folder(&args.dir)?;
    let asked = [
        args.receipt.as_ref().map(|id| json!({ "receipt": id })),
        args.gift_receipt
            .as_ref()
            .map(|id| json!({ "gift-receipt": id })),
        args.card_slip.as_ref().map(|id| json!({ "card-slip": id })),
        args.credit_note
            .as_ref()
            .map(|id| json!({ "credit-note": id })),
        args.slip.as_ref().map(|slip| json!({ "slip": slip })),
        args.report_z.map(|number| json!({ "report-z": number })),
    ];
    for paper in asked.into_iter().flatten() {
        client.print(&paper).await.map_err(refused)?;
    }
    if let Some(number) = args.cancel {
        client.cancel_paper(number).await.map_err(refused)?;
    }
    let view = client.json("/v1/printer").await?;
    let mut json = view.clone();
    json["ok"] = Value::Bool(true);
    Ok(Report::done(describe(&view), json))
}

/// What the lane says of a paper that it does not print: it runs, and need not be looked for.
fn refused(error: ClientError) -> anyhow::Error {
    match error {
        ClientError::Failed { status, message }
            if status == StatusCode::NOT_FOUND || status == StatusCode::CONFLICT =>
        {
            anyhow!(message)
        }
        other => other.into(),
    }
}

fn describe(view: &Value) -> String {
    let printer = &view["printer"];
    let mut text = match (printer["name"].as_str(), printer["trouble"].as_str()) {
        (None, _) => {
            "This lane has no printer: start it with --printer, such as --printer 192.168.1.50."
                .to_owned()
        }
        (Some(name), None) => format!("The printer {name} is all right."),
        (Some(name), Some(why)) => format!("The printer {name} does not print: {why}."),
    };
    let papers = view["papers"].as_array().map_or(&[][..], Vec::as_slice);
    for paper in papers {
        text.push_str(&format!(
            "\n  {:>3}  {}",
            paper["number"].as_u64().unwrap_or_default(),
            paper["title"].as_str().unwrap_or_default(),
        ));
    }
    if papers.is_empty() {
        text.push_str(" No paper waits.");
    }
    text
}
