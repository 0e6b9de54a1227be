//! The part of the local API about what goods cost.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;

use super::{Failure, Shared, unavailable};

/// What one of what a code stands for costs now at this lane. No sale is touched, and nobody need be
/// signed in.
pub(super) async fn price(
    State(local): Shared,
    Path(code): Path<String>,
) -> Result<impl IntoResponse, Failure> {
    match local.lane.price_check(&code).map_err(unavailable)? {
        Ok(check) => Ok(Json(check)),
        Err(refusal) => Err(Failure(StatusCode::CONFLICT, refusal.into())),
    }
}
