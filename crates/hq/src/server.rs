//! Head office over HTTP: CBOR batches from stores and publications to them, JSON for everyone else, one
//! bearer token.
//!
//! Every answer that is no success is JSON `{"error"}` in words that say what to do. Nothing but
//! `/healthz` is answered without the token.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, QueryRejection};
use axum::extract::{DefaultBodyLimit, Path, Query, Request, State};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::{get, post};
use ledger::{LaneId, StoreId};
use providers::{SharedDisk, WorkerEnd};
use sale::BusinessDay;
use serde::{Deserialize, Serialize};
use serde_json::json;
use storage::{FileDisk, SetAside, StorageError};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use wire::{HqBatch, HqNext, HqPublish, MESSAGE_BYTES_MAX};

use crate::token::{self, Token};
use crate::{ENTRIES_PAGE_MAX, HqError, HqStore, OpenedBooks, SqliteStore, TotalsFilter};

/// How long a request may take, its body included.
const REQUEST_MAX: Duration = Duration::from_secs(30);

/// How long requests that are under way may go on once head office is told to stop.
const SHUTDOWN_MAX: Duration = Duration::from_secs(5);

/// The largest number of a publication that a store may name: what it names is believed, and the next
/// one is numbered above it.
const PUBLICATION_NUMBER_MAX: u64 = 1 << 40;

#[derive(Clone, Debug)]
pub struct HqConfig {
    /// The folder for the books and the token; made where there is none.
    pub dir: PathBuf,
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
}

/// A head office that is up. Dropping it stops it without waiting for requests under way.
pub struct RunningHq {
    local_addr: SocketAddr,
    token: String,
    set_aside: Option<SetAside>,
    stop: oneshot::Sender<()>,
    server: JoinHandle<()>,
    closed: WorkerEnd,
}

impl RunningHq {
    /// Where it listens, with the real port.
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// What stores must show. It is in the folder's `hq-token`, too; never log it.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// Says that damaged books were set aside at this start, for a person to read.
    pub fn set_aside(&self) -> Option<String> {
        self.set_aside.as_ref().map(SetAside::to_string)
    }

    /// Stops taking requests, lets those under way finish for a few seconds, and closes the books.
    pub async fn shutdown(self) {
        // The server may have ended by itself; then there is nothing to stop.
        let _ = self.stop.send(());
        let abort = self.server.abort_handle();
        let ended = async {
            let _ = self.server.await;
            self.closed.wait().await;
        };
        if tokio::time::timeout(SHUTDOWN_MAX, ended).await.is_err() {
            abort.abort();
        }
    }
}

/// Starts head office in a folder. It runs until it is shut down or dropped.
pub async fn serve(config: HqConfig) -> Result<RunningHq, HqError> {
    let disk: SharedDisk = Arc::new(FileDisk::new(config.dir)?);
    let token = token::load_or_create(disk.as_ref())?;
    let listener = listen(config.listen).await?;
    let OpenedBooks {
        store,
        set_aside,
        closed,
    } = SqliteStore::open(disk)?;
    let local_addr = listener.local_addr().map_err(|error| HqError::Listen {
        address: config.listen,
        reason: error.to_string(),
    })?;
    let router = router(Arc::new(store), Token::new(&token));
    let (stop, stopped) = oneshot::channel::<()>();
    let server = tokio::spawn(async move {
        let served = axum::serve(listener, router).with_graceful_shutdown(async move {
            // A dropped sender means that nobody holds this head office any more.
            let _ = stopped.await;
        });
        if let Err(error) = served.await {
            tracing::error!("head office has ended: {error}");
        }
    });
    tracing::info!("head office listens on {local_addr}");
    Ok(RunningHq {
        local_addr,
        token,
        set_aside,
        stop,
        server,
        closed,
    })
}

async fn listen(address: SocketAddr) -> Result<TcpListener, HqError> {
    TcpListener::bind(address)
        .await
        .map_err(|error| match error.kind() {
            std::io::ErrorKind::AddrInUse => HqError::PortInUse { address },
            _ => HqError::Listen {
                address,
                reason: error.to_string(),
            },
        })
}

type Hq = State<Arc<dyn HqStore>>;

fn router(store: Arc<dyn HqStore>, token: Token) -> Router {
    Router::new()
        .route("/v1/stores/{store}/batches", post(take_batch))
        .route("/v1/stores/{store}/publications", get(published))
        .route("/v1/publications", post(publish).get(publications))
        .route("/v1/stores", get(stores))
        .route("/v1/totals", get(totals))
        .route("/v1/lanes/{lane}/entries", get(lane_entries))
        .route("/v1/set-aside", get(set_aside))
        .fallback(unknown_path)
        .layer(from_fn_with_state(token, require_token))
        .route("/healthz", get(healthy))
        .layer(DefaultBodyLimit::max(MESSAGE_BYTES_MAX))
        .layer(from_fn(bound_time))
        .with_state(store)
}

async fn bound_time(request: Request, next: Next) -> Response {
    match tokio::time::timeout(REQUEST_MAX, next.run(request)).await {
        Ok(response) => response,
        Err(_) => problem(
            StatusCode::REQUEST_TIMEOUT,
            format!("The request took longer than {REQUEST_MAX:?}: send it again."),
        ),
    }
}

async fn require_token(State(token): State<Token>, request: Request, next: Next) -> Response {
    if offered_token(request.headers()).is_some_and(|offered| token.matches(offered)) {
        return next.run(request).await;
    }
    let text = "The token is missing or wrong: send the text of head office's file hq-token as \
                'Authorization: Bearer …'.";
    let mut response = problem(StatusCode::UNAUTHORIZED, text.to_owned());
    let headers = response.headers_mut();
    headers.insert(
        WWW_AUTHENTICATE,
        axum::http::HeaderValue::from_static("Bearer"),
    );
    response
}

fn offered_token(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then_some(token.trim())
}

async fn healthy() -> Response {
    Json(json!({ "ok": true })).into_response()
}

async fn unknown_path() -> Response {
    let text = "There is nothing here: head office's paths begin with /v1/.";
    problem(StatusCode::NOT_FOUND, text.to_owned())
}

async fn take_batch(
    State(hq): Hq,
    Path(store): Path<String>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let store: StoreId = id(&store)?;
    let body = body.map_err(|rejection| unreadable_body(&rejection))?;
    let batch: HqBatch = wire::decode(&body).map_err(|error| {
        Problem::bad(format!(
            "The batch cannot be read ({error}). If this store runs a newer release, upgrade head \
             office."
        ))
    })?;
    if batch.store != store {
        return Err(Problem::bad(format!(
            "The batch is store {}'s, not store {store}'s.",
            batch.store
        )));
    }
    cbor(&hq.take(batch, now_ms()).await?)
}

fn cbor<T: Serialize>(message: &T) -> Result<Response, Problem> {
    let body = wire::encode(message)
        .map_err(|error| Problem(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))?;
    Ok(([(CONTENT_TYPE, "application/cbor")], body).into_response())
}

async fn publish(State(hq): Hq, body: Result<Bytes, BytesRejection>) -> Result<Response, Problem> {
    let body = body.map_err(|rejection| unreadable_body(&rejection))?;
    let publish: HqPublish = wire::decode(&body).map_err(|error| {
        Problem::bad(format!(
            "What is to be published cannot be read ({error}). If it was made by a newer release, \
             upgrade head office."
        ))
    })?;
    let number = hq.publish(publish, now_ms()).await?;
    tracing::info!("published {number}");
    Ok(Json(json!({ "number": number })).into_response())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PublishedQuery {
    after: u64,
}

async fn published(
    State(hq): Hq,
    Path(store): Path<String>,
    query: Result<Query<PublishedQuery>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(query) = query.map_err(|rejection| bad_query(&rejection))?;
    let store: StoreId = id(&store)?;
    if query.after > PUBLICATION_NUMBER_MAX {
        let text = "No store has taken so many publications.";
        return Err(Problem::bad(text.to_owned()));
    }
    let publication = hq.published(store, query.after, now_ms()).await?;
    cbor(&HqNext { publication })
}

async fn publications(State(hq): Hq) -> Result<Response, Problem> {
    Ok(Json(hq.publications().await?).into_response())
}

fn unreadable_body(rejection: &BytesRejection) -> Problem {
    match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Problem(
            StatusCode::PAYLOAD_TOO_LARGE,
            format!(
                "A message has at most {MESSAGE_BYTES_MAX} bytes: send fewer entries, or records."
            ),
        ),
        status => Problem(status, rejection.body_text()),
    }
}

/// Head office's own wall clock; used in reports only.
fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    })
}

async fn stores(State(hq): Hq) -> Result<Response, Problem> {
    Ok(Json(json!({ "stores": hq.stores().await? })).into_response())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TotalsQuery {
    store: Option<String>,
    day: Option<String>,
}

async fn totals(
    State(hq): Hq,
    query: Result<Query<TotalsQuery>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(query) = query.map_err(|rejection| bad_query(&rejection))?;
    let filter = TotalsFilter {
        store: query.store.as_deref().map(id).transpose()?,
        day: query.day.map(BusinessDay),
    };
    Ok(Json(json!({ "totals": hq.totals(filter).await? })).into_response())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EntriesQuery {
    store: String,
    from: Option<u64>,
    limit: Option<usize>,
}

async fn lane_entries(
    State(hq): Hq,
    Path(lane): Path<String>,
    query: Result<Query<EntriesQuery>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(query) = query.map_err(|rejection| bad_query(&rejection))?;
    let store: StoreId = id(&query.store)?;
    let lane: LaneId = id(&lane)?;
    let (from, limit) = (
        query.from.unwrap_or(1),
        query.limit.unwrap_or(ENTRIES_PAGE_MAX),
    );
    let page = hq.lane_entries(store, lane, from, limit).await?;
    Ok(Json(page).into_response())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SetAsideQuery {
    store: Option<String>,
}

async fn set_aside(
    State(hq): Hq,
    query: Result<Query<SetAsideQuery>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(query) = query.map_err(|rejection| bad_query(&rejection))?;
    let store = query.store.as_deref().map(id).transpose()?;
    Ok(Json(json!({ "set_aside": hq.set_aside(store).await? })).into_response())
}

fn bad_query(rejection: &QueryRejection) -> Problem {
    Problem(rejection.status(), rejection.body_text())
}

fn id<T: std::str::FromStr<Err = sale::IdError>>(text: &str) -> Result<T, Problem> {
    text.parse()
        .map_err(|error: sale::IdError| Problem::bad(error.to_string()))
}

/// An answer that is no success.
struct Problem(StatusCode, String);

impl Problem {
    fn bad(message: String) -> Problem {
        Problem(StatusCode::BAD_REQUEST, message)
    }
}

impl From<HqError> for Problem {
    fn from(error: HqError) -> Problem {
        let status = match &error {
            HqError::BadBatch(_) | HqError::BadPublication(_) => StatusCode::BAD_REQUEST,
            HqError::LeftBehind(_) => StatusCode::CONFLICT,
            HqError::UnknownStore(_) | HqError::UnknownLane { .. } => StatusCode::NOT_FOUND,
            HqError::Closed | HqError::Storage(StorageError::NotDurable { .. }) => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        };
        if status.is_server_error() {
            tracing::error!("a request failed: {error}");
        }
        Problem(status, error.to_string())
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        problem(self.0, self.1)
    }
}

fn problem(status: StatusCode, error: String) -> Response {
    (status, Json(json!({ "error": error }))).into_response()
}
