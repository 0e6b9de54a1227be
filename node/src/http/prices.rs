//! The part of the local API about what goods cost and what gift cards hold.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use money::Money;
use sale::Refusal;
use serde::Serialize;

use super::{Failure, Shared, refused, unavailable};

/// What one of what a code stands for costs now at this lane. No sale is touched, and nobody need be
/// signed in.
pub(super) async fn price(
    State(local): Shared,
    Path(code): Path<String>,
) -> Result<impl IntoResponse, Failure> {
    match local.lane.price_check(&code).map_err(unavailable)? {
        Ok(check) => Ok(Json(check)),
        Err(refusal) => Err(refused(&local, StatusCode::CONFLICT, refusal)),
    }
}

/// What a gift card holds as far as this lane knows.
pub(super) async fn gift_card(
    State(local): Shared,
    Path(number): Path<String>,
) -> Result<impl IntoResponse, Failure> {
    match local.lane.gift_card(&number).map_err(unavailable)? {
        Some(holds) => Ok(Json(GiftCard { number, holds })),
        None => {
            let refusal = Refusal::UnknownGiftCard { number };
            Err(refused(&local, StatusCode::NOT_FOUND, refusal))
        }
    }
}

#[derive(Serialize)]
struct GiftCard {
    number: String,
    holds: Money,
}
