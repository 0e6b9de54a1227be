//! The part of the local API about a lane's day: its reports.

use api::LaneView;
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use catalog::{Action, EmployeeId, Reference, Settings};
use devices::{Document, ReportHead, ReportKind};
use ledger::StoreView;
use sale::{BusinessDay, Event, LocalTime, Refusal, Register, Tally};
use serde::Deserialize;
use serde_json::json;

use super::paper::{FormatQuery, paper};
use super::{Failure, Local, Shared, not_found, refused, unavailable};
use crate::lane::{title_of_z, z_on_paper};

/// The sums since this lane's last Z report. A second paper of the same sums is a reprint.
pub(super) async fn report_x(
    State(local): Shared,
    Query(query): Query<FormatQuery>,
) -> Result<Response, Failure> {
    allowed(&local, Action::ReportX)?;
    let view = local.lane.view().borrow().clone();
    let register = local.lane.working();
    let tally = &register.period;
    paper(
        &query,
        TITLE_X,
        || match register.is_training {
            true => Json(json!({ "training": true, "report": tally.as_ref() })).into_response(),
            false => Json(tally.as_ref()).into_response(),
        },
        || x_on_paper(&local, &view, &register),
    )
}

/// The same on paper, with its title.
pub(super) fn report_x_paper(local: &Local) -> Result<(String, Document), Failure> {
    allowed(local, Action::ReportX)?;
    let view = local.lane.view().borrow().clone();
    let document = x_on_paper(local, &view, &local.lane.working());
    Ok((TITLE_X.to_owned(), document))
}

const TITLE_X: &str = "X report";

fn x_on_paper(local: &Local, view: &LaneView, register: &Register) -> Document {
    let tally = &register.period;
    let head = ReportHead {
        store_name: view.store_name.clone(),
        kind: match register.is_training {
            true => ReportKind::TrainingX,
            false => ReportKind::X,
        },
        lane_name: view.lane_name.clone(),
        at: view.now,
        language: view.language,
        reprint: !register.is_training && local.lane.reprints_x(register.reports_z, tally),
    };
    devices::report(&head, tally, view.currency)
}

/// A Z report of this lane. Its first paper since it was made is the report, all others are reprints;
/// so is the first one after the lane was started anew.
pub(super) async fn report_z(
    State(local): Shared,
    Path(number): Path<u64>,
    Query(query): Query<FormatQuery>,
) -> Result<Response, Failure> {
    let made = z_of(&local, number)?;
    let Made { report, by, at, .. } = &made;
    paper(
        &query,
        &title_of_z(number),
        || Json(json!({ "number": number, "report": report, "by": by, "at": at })).into_response(),
        || made.on_paper(&local, number),
    )
}

/// The same on paper, with its title.
pub(super) fn report_z_paper(local: &Local, number: u64) -> Result<(String, Document), Failure> {
    let made = z_of(local, number)?;
    Ok((title_of_z(number), made.on_paper(local, number)))
}

/// A Z report that was made.
struct Made {
    report: Box<Tally>,
    by: EmployeeId,
    at: LocalTime,
    settings: Settings,
}

impl Made {
    fn on_paper(&self, local: &Local, number: u64) -> Document {
        let lane_name = &local.lane.identity().lane_name;
        let reprint = local.lane.reprints_z(number);
        let settings = self.settings.clone();
        z_on_paper(number, &self.report, self.at, lane_name, settings, reprint)
    }
}

fn z_of(local: &Local, number: u64) -> Result<Made, Failure> {
    let settings = allowed(local, Action::ReportZ)?;
    let found = local.lane.known(|known| known.report_z(number));
    match found.map_err(unavailable)? {
        Some(Event::ReportedZ { report, by, at, .. }) => Ok(Made {
            report,
            by,
            at,
            settings,
        }),
        _ => Err(not_found(
            "This lane has made no Z report with that number.",
        )),
    }
}

/// The store's settings, where whoever is signed in may have a report: it says what should be in the
/// drawer.
fn allowed(local: &Local, action: Action) -> Result<Settings, Failure> {
    let settings = local
        .lane
        .read(|tables| Ok(StoreView::new(tables).settings()))
        .map_err(unavailable)?;
    let needs = settings.role_for(action);
    let refusal = match &local.lane.working().cashier {
        None => Refusal::NotSignedIn,
        Some(cashier) if cashier.role < needs => Refusal::NotAllowed { needs },
        Some(_) => return Ok(settings),
    };
    Err(refused(local, StatusCode::CONFLICT, refusal))
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
