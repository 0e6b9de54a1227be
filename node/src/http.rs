//! The local API: what the window can do, over HTTP and JSON on loopback, for robots, tests and a
//! shop's own kiosk.
//!
//! Every request carries the token of the lane's data folder, so only who may read that folder may
//! drive the lane. The description that `GET /v1/openapi.json` answers is `openapi.json` beside this
//! file; a test compares it with the routes, and with a sample of everything that goes over them.

mod customers;
mod day;
mod paper;
mod prices;
mod printer;
mod slips;
mod stock;

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use api::{CommandRequest, Problem};
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, Path, Query, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, post};
use axum::{Json, Router};
use catalog::{CodeRules, Item, ItemCode, Reference, ScannedCode};
use devices::{Beside, PrintKind};
use futures::{Stream, StreamExt};
use ledger::{DayTotal, LaneId, StoreView};
use sale::{BusinessDay, Pin, Refusal};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::net::TcpListener;
use tokio_stream::wrappers::{BroadcastStream, ReceiverStream, WatchStream};

use crate::client::Invitation;
use crate::import::{self, Source};
use crate::lane::{
    INVITATION_MINUTES, Lane, LaneEvent, NotKept, RetireError, receipt_on_paper, title_of,
};
use paper::{FormatQuery, paper};

/// The largest body of a command, in bytes.
const COMMAND_BYTES_MAX: usize = 64 * 1024;
/// The largest file that can be imported, in bytes: a catalog of a million items.
const IMPORT_BYTES_MAX: usize = 256 * 1024 * 1024;
/// How long one question about what is shared may wait.
const SHARED_LIMIT: Duration = Duration::from_secs(10);
/// Progress messages that a slow reader may fall behind.
const PROGRESS_MAX: usize = 64;

/// The description of this API.
pub const OPENAPI: &str = include_str!("openapi.json");
/// Where the description is: the one path that needs no token.
const DESCRIPTION_PATH: &str = "/v1/openapi.json";

struct Local {
    lane: Lane,
    token: String,
}

type Shared = State<Arc<Local>>;

/// An error answer: what happened and what to do.
struct Failure(StatusCode, Problem);

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        (self.0, Json(self.1)).into_response()
    }
}

fn unavailable(error: impl ToString) -> Failure {
    let message = error.to_string();
    Failure(
        StatusCode::SERVICE_UNAVAILABLE,
        Problem::Unavailable { message },
    )
}

/// A refusal, in the words of the store's language.
fn refused(local: &Local, status: StatusCode, refusal: Refusal) -> Failure {
    let language = local.lane.view().borrow().language;
    Failure(status, Problem::refused(refusal, language))
}

fn not_found(message: &str) -> Failure {
    let message = message.to_owned();
    Failure(StatusCode::NOT_FOUND, Problem::Unavailable { message })
}

/// Binds the API to loopback; port 0 takes any free one.
pub async fn bind(port: u16) -> std::io::Result<TcpListener> {
    TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await
}

/// One way into the lane.
struct Route {
    /// As the description names it, in small letters.
    method: &'static str,
    path: &'static str,
    handler: MethodRouter<Arc<Local>>,
    body_bytes_max: Option<usize>,
}

/// Every route that needs the token.
fn routes() -> Vec<Route> {
    let reads = |path, handler| Route {
        method: "get",
        path,
        handler,
        body_bytes_max: None,
    };
    let writes = |path, handler, bytes| Route {
        method: "post",
        path,
        handler,
        body_bytes_max: Some(bytes),
    };
    vec![
        reads("/v1/view", get(view)),
        reads("/v1/status", get(status)),
        reads("/v1/events", get(events)),
        reads("/v1/shared", get(shared)),
        reads("/v1/items", get(search)),
        reads("/v1/items/{code}", get(item)),
        reads("/v1/prices/{code}", get(prices::price)),
        reads("/v1/gift-cards/{number}", get(prices::gift_card)),
        reads("/v1/customers", get(customers::search)),
        reads("/v1/customers/{number}", get(customers::customer)),
        reads("/v1/receipts/{id}", get(receipt)),
        reads("/v1/reports/x", get(day::report_x)),
        reads("/v1/reports/z/{number}", get(day::report_z)),
        reads("/v1/reports/day", get(day::report_day)),
        reads("/v1/slips", get(slips::slips)),
        reads("/v1/slips/{slip}", get(slips::slip)),
        reads("/v1/printer", get(printer::printer)),
        reads("/v1/stock", get(stock::stock)),
        reads("/v1/stock/{code}", get(stock::stock_of)),
        reads("/v1/totals", get(totals)),
        reads("/v1/exceptions", get(exceptions)),
        writes("/v1/commands", post(command), COMMAND_BYTES_MAX),
        writes("/v1/invitations", post(invite), COMMAND_BYTES_MAX),
        writes("/v1/lanes/{lane}/retire", post(retire), COMMAND_BYTES_MAX),
        writes(
            "/v1/printer/papers",
            post(printer::print),
            COMMAND_BYTES_MAX,
        ),
        writes(
            "/v1/printer/papers/{number}/cancel",
            post(printer::cancel),
            COMMAND_BYTES_MAX,
        ),
        writes("/v1/import", post(import), IMPORT_BYTES_MAX),
    ]
}

/// Serves until the listener's task is ended.
pub async fn serve(listener: TcpListener, lane: Lane, token: String) -> std::io::Result<()> {
    let local = Arc::new(Local { lane, token });
    let routes = routes()
        .into_iter()
        .fold(Router::new(), |router, route| {
            tracing::debug!(route.method, route.path, "the local API takes");
            let handler = match route.body_bytes_max {
                Some(bytes) => route.handler.layer(DefaultBodyLimit::max(bytes)),
                None => route.handler,
            };
            router.route(route.path, handler)
        })
        .layer(middleware::from_fn_with_state(local.clone(), authorize))
        .route(DESCRIPTION_PATH, get(openapi))
        .with_state(local);
    let listener = axum::serve::ListenerExt::tap_io(listener, |stream| {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "answers may be delayed");
        }
    });
    axum::serve(listener, routes).await
}

async fn authorize(State(local): Shared, request: Request, next: Next) -> Response {
    let given = request
        .headers()
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "));
    let expected = blake3::hash(local.token.as_bytes());
    // Hashes compare in constant time.
    if given.is_some_and(|given| blake3::hash(given.as_bytes()) == expected) {
        return next.run(request).await;
    }
    let message =
        "Send the token of the lane's folder (file api-token) as 'Authorization: Bearer'.";
    let problem = json!({ "problem": "unauthorized", "message": message });
    (StatusCode::UNAUTHORIZED, Json(problem)).into_response()
}

async fn openapi() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], OPENAPI)
}

async fn view(State(local): Shared) -> impl IntoResponse {
    Json(local.lane.shown().await.as_ref().clone())
}

async fn status(State(local): Shared) -> impl IntoResponse {
    Json(local.lane.shown().await.status.clone())
}

async fn command(
    State(local): Shared,
    Json(request): Json<CommandRequest>,
) -> Result<impl IntoResponse, Failure> {
    match local.lane.command(request).await {
        Ok(done) => Ok(Json(done)),
        Err(problem) => {
            let status = match problem {
                Problem::Refused { .. } => StatusCode::CONFLICT,
                Problem::Stopped { .. } | Problem::Unavailable { .. } => {
                    StatusCode::SERVICE_UNAVAILABLE
                }
            };
            Err(Failure(status, problem))
        }
    }
}

/// Server-sent events: `event` for what becomes durable, `view` for what is shown.
async fn events(State(local): Shared) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let facts = BroadcastStream::new(local.lane.events()).map(|event| match event {
        Ok(event) => sse("event", event.as_ref() as &LaneEvent),
        // The listener was too slow: it has to read the view anew.
        Err(_) => Event::default().event("missed").data("{}"),
    });
    let views = WatchStream::new(local.lane.view()).map(|view| sse("view", view.as_ref()));
    let all = futures::stream::select(facts, views).map(Ok);
    Sse::new(all).keep_alive(KeepAlive::default())
}

fn sse<T: Serialize>(kind: &str, value: &T) -> Event {
    let event = Event::default().event(kind);
    event.json_data(value).unwrap_or_default()
}

#[derive(Deserialize)]
struct SharedQuery {
    seq: u64,
}

/// How far the store has agreed on this lane's journal.
#[derive(Serialize)]
struct Applied {
    applied_seq: u64,
}

/// Answers once the store has agreed on this lane's journal up to `seq`, or after ten seconds.
async fn shared(
    State(local): Shared,
    Query(query): Query<SharedQuery>,
) -> Result<impl IntoResponse, Failure> {
    let applied = local.lane.wait_shared(query.seq, SHARED_LIMIT).await;
    let applied_seq = applied.map_err(unavailable)?;
    Ok(Json(Applied { applied_seq }))
}

#[derive(Deserialize)]
struct Words {
    search: String,
}

async fn search(
    State(local): Shared,
    Query(words): Query<Words>,
) -> Result<impl IntoResponse, Failure> {
    let found = local.lane.search(&words.search).await;
    Ok(Json(found.map_err(unavailable)?))
}

async fn item(
    State(local): Shared,
    Path(code): Path<String>,
) -> Result<impl IntoResponse, Failure> {
    match item_of_code(&local, &code)? {
        Some(item) => Ok(Json(item)),
        None => Err(not_found("No item has this code.")),
    }
}

/// The item that a code stands for.
fn item_of_code(local: &Local, code: &str) -> Result<Option<Item>, Failure> {
    let this_year = local.lane.view().borrow().now.year();
    let found = local.lane.read(|tables| {
        let store = StoreView::new(tables);
        let settings = store.settings();
        let internal = store.item_by_code(&ItemCode::Internal(code.to_owned()));
        let found = internal.or_else(|| {
            let rules = CodeRules {
                layouts: &settings.embedded_codes,
                currency: settings.currency,
                this_year,
            };
            match ScannedCode::parse(code, &rules).ok()? {
                ScannedCode::Item(scanned) => store.item_by_code(&scanned.code),
                ScannedCode::Coupon(_) => None,
            }
        });
        store.check()?;
        Ok(found)
    });
    found.map_err(unavailable)
}

#[derive(Deserialize)]
struct BesideQuery {
    /// A paper that goes with the receipt, instead of it.
    #[serde(default)]
    paper: Option<Beside>,
}

/// A receipt of any lane, or a paper that goes with it.
async fn receipt(
    State(local): Shared,
    Path(id): Path<String>,
    Query(query): Query<FormatQuery>,
    Query(BesideQuery { paper: beside }): Query<BesideQuery>,
) -> Result<Response, Failure> {
    if let Some(beside) = beside {
        let laid_out = local.lane.beside(beside, &id);
        let (title, document) = laid_out.map_err(|error| printer::not_kept(&error))?;
        let as_text = FormatQuery {
            format: query.format.or_else(|| Some("text".to_owned())),
        };
        let no_json = || not_found("This paper has no JSON form.").into_response();
        return paper(&as_text, &title, no_json, || document);
    }
    let found = local.lane.receipt(&id).map_err(unavailable)?;
    let (receipt, settings) = found.ok_or_else(|| not_found(&NotKept::Unknown.to_string()))?;
    paper(
        &query,
        &title_of(&receipt),
        || Json(&receipt).into_response(),
        || receipt_on_paper(&receipt, settings, PrintKind::Reprint),
    )
}

/// What one lane took on one business day.
#[derive(Serialize)]
struct TotalRow {
    day: BusinessDay,
    lane: LaneId,
    lane_number: Option<u32>,
    lane_name: Option<String>,
    total: DayTotal,
}

async fn totals(State(local): Shared) -> Result<impl IntoResponse, Failure> {
    let (totals, lanes) = local
        .lane
        .read(|tables| {
            let store = StoreView::new(tables);
            Ok((store.totals()?, store.lanes()?))
        })
        .map_err(unavailable)?;
    let rows: Vec<_> = totals
        .into_iter()
        .map(|(day, lane, total)| {
            let record = lanes.iter().find(|record| record.lane == lane);
            TotalRow {
                day,
                lane,
                lane_number: record.map(|record| record.number),
                lane_name: record.map(|record| record.name.clone()),
                total,
            }
        })
        .collect();
    Ok(Json(rows))
}

async fn exceptions(State(local): Shared) -> Result<impl IntoResponse, Failure> {
    let list = local
        .lane
        .read(|tables| StoreView::new(tables).exception_list());
    Ok(Json(list.map_err(unavailable)?))
}

#[derive(Deserialize)]
struct Retiring {
    manager: String,
    pin: Pin,
}

async fn retire(
    State(local): Shared,
    Path(lane): Path<LaneId>,
    Json(retiring): Json<Retiring>,
) -> Result<impl IntoResponse, Failure> {
    let retired = local
        .lane
        .retire(lane, &retiring.manager, &retiring.pin)
        .await;
    match retired {
        Ok(()) => Ok(Json(json!({ "lane": lane }))),
        Err(error @ RetireError::Propose(_)) => Err(unavailable(error)),
        Err(error) => {
            let message = error.to_string();
            Err(Failure(
                StatusCode::CONFLICT,
                Problem::Unavailable { message },
            ))
        }
    }
}

async fn invite(State(local): Shared) -> Result<impl IntoResponse, Failure> {
    let code = local.lane.invite().await.map_err(unavailable)?;
    let network = &local.lane.providers().network;
    let addresses: Vec<String> = network
        .local_addresses()
        .into_iter()
        .map(|address| format!("{address}/p2p/{}", network.local_peer()))
        .collect();
    Ok(Json(Invitation {
        code: code.text(),
        valid_minutes: INVITATION_MINUTES,
        addresses,
    }))
}

#[derive(Deserialize)]
struct ImportQuery {
    kind: Option<String>,
    /// Who imports, for the log.
    #[serde(default)]
    author: Option<String>,
}

/// Takes a CSV file (gzip or plain), a promotions or a settings file (TOML); answers JSON lines:
/// progress while it works, the report last.
async fn import(
    State(local): Shared,
    Query(query): Query<ImportQuery>,
    body: Bytes,
) -> Result<Response, Failure> {
    let source = Source {
        kind: query.kind,
        author: query.author.unwrap_or_else(|| "api".to_owned()),
        bytes: body,
    };
    let (lines, receiver) = tokio::sync::mpsc::channel::<String>(PROGRESS_MAX);
    let lane = local.lane.clone();
    tokio::spawn(async move {
        let progress = lines.clone();
        let report = import::import(&lane, source, &mut |done| {
            // A reader that falls behind misses progress, never the report.
            let _ = progress.try_send(json_line(&json!({ "progress": done })));
        })
        .await;
        let line = match report {
            Ok(report) => json_line(&json!({ "report": report })),
            Err(error) => json_line(&json!({ "error": error.to_string() })),
        };
        let _ = lines.send(line).await;
    });
    let body = Body::from_stream(ReceiverStream::new(receiver).map(Ok::<_, Infallible>));
    Ok(([(header::CONTENT_TYPE, "application/x-ndjson")], body).into_response())
}

fn json_line(value: &serde_json::Value) -> String {
    format!("{value}\n")
}

#[cfg(test)]
mod tests;
