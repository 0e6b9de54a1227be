//! The part of the local API about a lane's day: its reports.

use api::LaneView;
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use catalog::{Action, Reference};
use devices::{ReportHead, ReportKind};
use ledger::StoreView;
use sale::{BusinessDay, Event, Refusal, Tally};
use serde::Deserialize;
use serde_json::json;

use super::paper::{FormatQuery, paper};
use super::{Failure, Local, Shared, not_found, unavailable};

/// The sums since this lane's last Z report. A second paper of the same sums is a reprint.
pub(super) async fn report_x(
    State(local): Shared,
    Query(query): Query<FormatQuery>,
) -> Result<Response, Failure> {
    let lane = &local.lane;
    let view = lane.view().borrow().clone();
    allowed(&local, &view, Action::ReportX)?;
    let register = lane.working();
    let tally = &register.period;
    paper(
        &query,
        "X report",
        || match register.is_training {
            true => Json(json!({ "training": true, "report": tally.as_ref() })).into_response(),
            false => Json(tally.as_ref()).into_response(),
        },
        || {
            let head = ReportHead {
                store_name: view.store_name.clone(),
                kind: match register.is_training {
                    true => ReportKind::TrainingX,
                    false => ReportKind::X,
                },
                lane_name: view.lane_name.clone(),
                at: view.now,
                language: view.language,
                reprint: !register.is_training && lane.reprints_x(register.reports_z, tally),
            };
            devices::report(&head, tally, view.currency)
        },
    )
}

/// A Z report of this lane. Its first paper since it was made is the report, all others are reprints;
/// so is the first one after the lane was started anew.
pub(super) async fn report_z(
    State(local): Shared,
    Path(number): Path<u64>,
    Query(query): Query<FormatQuery>,
) -> Result<Response, Failure> {
    let lane = &local.lane;
    let view = lane.view().borrow().clone();
    allowed(&local, &view, Action::ReportZ)?;
    let found = lane.known(|known| known.report_z(number));
    let found = found.map_err(unavailable)?;
    let Some(Event::ReportedZ { report, by, at, .. }) = found else {
        return Err(not_found(
            "This lane has made no Z report with that number.",
        ));
    };
    paper(
        &query,
        &format!("Z report {number}"),
        || Json(json!({ "number": number, "report": report, "by": by, "at": at })).into_response(),
        || {
            let head = ReportHead {
                store_name: view.store_name.clone(),
                kind: ReportKind::Z(number),
                lane_name: view.lane_name.clone(),
                at,
                language: view.language,
                reprint: lane.reprints_z(number),
            };
            devices::report(&head, &report, view.currency)
        },
    )
}

/// Whether whoever is signed in may have a report: it says what should be in the drawer.
fn allowed(local: &Local, view: &LaneView, action: Action) -> Result<(), Failure> {
    let settings = local
        .lane
        .read(|tables| Ok(StoreView::new(tables).settings()))
        .map_err(unavailable)?;
    let needs = settings.role_for(action);
    let refusal = match &view.register.cashier {
        None => Refusal::NotSignedIn,
        Some(cashier) if cashier.role < needs => Refusal::NotAllowed { needs },
        Some(_) => return Ok(()),
    };
    Err(Failure(StatusCode::CONFLICT, refusal.into()))
}

#[derive(Deserialize)]
pub(super) struct DayQuery {
    day: BusinessDay,
}

/// The sums of a business day as the store has applied it: each lane's, all together, and which
/// lanes have not closed the day.
pub(super) async fn report_day(
    State(local): Shared,
    Query(query): Query<DayQuery>,
) -> Result<impl IntoResponse, Failure> {
    if !query.day.is_date() {
        return Err(not_found("Name the business day like 2026-11-27."));
    }
    let read = local.lane.read(|tables| {
        let store = StoreView::new(tables);
        let mut lanes = Vec::new();
        for record in store.lanes()? {
            let day = store.lane_day(record.lane)?;
            lanes.push((record, day));
        }
        Ok((store.tallies(&query.day)?, lanes))
    });
    let (tallies, lanes) = read.map_err(unavailable)?;
    let mut sum = Tally::default();
    for (_, tally) in &tallies {
        sum.merge(tally);
    }
    let of_lane = |lane| tallies.iter().find(|(of, _)| *of == lane);
    let lanes: Vec<_> = lanes
        .iter()
        .map(|(record, state)| {
            let closed = state.closed.as_ref().is_some_and(|day| *day >= query.day);
            json!({
                "lane": record.lane,
                "lane_number": record.number,
                "lane_name": record.name,
                "closed": closed,
                "report": of_lane(record.lane).map(|(_, tally)| tally),
            })
        })
        .collect();
    Ok(Json(
        json!({ "day": query.day, "lanes": lanes, "sum": sum }),
    ))
}
