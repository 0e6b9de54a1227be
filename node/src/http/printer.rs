//! The part of the local API about the lane's printer.

use api::{PrinterStatus, Problem};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use devices::Beside;
use serde::{Deserialize, Serialize};

use super::{Failure, Shared, day, not_found, slips, unavailable};
use crate::lane::NotKept;

/// A paper that is asked for.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Asked {
    /// A receipt of any lane, by its number, as a reprint.
    Receipt(String),
    /// A receipt of any lane without prices.
    GiftReceipt(String),
    /// What cards paid on a receipt of any lane.
    CardSlip(String),
    /// The credit note that a receipt of any lane made, as a reprint.
    CreditNote(String),
    /// The slip of a sale that is put aside.
    Slip(String),
    /// The X report of this lane.
    ReportX,
    /// A Z report of this lane.
    ReportZ(u64),
}

/// A paper that waits.
#[derive(Serialize)]
struct Waiting {
    number: u64,
    title: String,
    /// In milliseconds since 1970, by this lane's clock.
    made_at_ms: u64,
    /// A printer has taken some of it.
    begun: bool,
}

#[derive(Serialize)]
struct PrinterView {
    /// None where the lane has no printer and no paper waits.
    printer: Option<PrinterStatus>,
    papers: Vec<Waiting>,
}

/// How the printer stands, and what waits for it.
pub(super) async fn printer(State(local): Shared) -> impl IntoResponse {
    let print = local.lane.print();
    let papers = print.waiting();
    let papers = papers.iter().map(|paper| Waiting {
        number: paper.number,
        title: paper.title.clone(),
        made_at_ms: paper.made_at_ms,
        begun: paper.begun,
    });
    Json(PrinterView {
        papers: papers.collect(),
        printer: print.status.borrow().clone(),
    })
}

/// Has a paper printed; answers its number once it is kept.
pub(super) async fn print(
    State(local): Shared,
    Json(asked): Json<Asked>,
) -> Result<impl IntoResponse, Failure> {
    let lane = &local.lane;
    let paper = match asked {
        Asked::Receipt(id) => return answer(lane.print_receipt(&id).await),
        Asked::GiftReceipt(id) => {
            return answer(lane.print_beside(Beside::GiftReceipt, &id).await);
        }
        Asked::CardSlip(id) => return answer(lane.print_beside(Beside::CardSlip, &id).await),
        Asked::CreditNote(id) => return answer(lane.print_beside(Beside::CreditNote, &id).await),
        Asked::Slip(slip) => slips::slip_paper(&local, &slip)?,
        Asked::ReportX => day::report_x_paper(&local)?,
        Asked::ReportZ(number) => day::report_z_paper(&local, number)?,
    };
    let (title, document) = paper;
    answer(local.lane.print().print(title, document).await)
}

fn answer(kept: Result<u64, NotKept>) -> Result<impl IntoResponse, Failure> {
    match kept {
        Ok(number) => Ok(Json(serde_json::json!({ "number": number }))),
        Err(error) => Err(not_kept(&error)),
    }
}

pub(super) fn not_kept(error: &NotKept) -> Failure {
    let message = error.to_string();
    let status = match error {
        NotKept::Unknown | NotKept::Without => StatusCode::NOT_FOUND,
        NotKept::NoPrinter | NotKept::Full => StatusCode::CONFLICT,
        NotKept::Closing | NotKept::Unreadable(_) => StatusCode::SERVICE_UNAVAILABLE,
    };
    Failure(status, Problem::Unavailable { message })
}

/// Takes a paper that waits out.
pub(super) async fn cancel(
    State(local): Shared,
    Path(number): Path<u64>,
) -> Result<impl IntoResponse, Failure> {
    match local.lane.print().cancel(number).await {
        Some(true) => Ok(Json(serde_json::json!({ "number": number }))),
        Some(false) => Err(not_found("No paper with that number waits.")),
        None => Err(unavailable("This lane is closing.")),
    }
}
