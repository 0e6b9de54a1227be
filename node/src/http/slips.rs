//! The part of the local API about sales that are put aside: suspended ones, quotes and orders.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use catalog::CustomerId;
use devices::Document;
use money::Money;
use sale::{BusinessDay, Cart, DocumentKind, LocalTime, Shared as _};
use serde::{Deserialize, Serialize};

use super::paper::{FormatQuery, paper};
use super::{Failure, Local, Shared, not_found, unavailable};
use crate::lane::title_of_slip;

/// The most rows of one answer.
const ROWS_MAX: usize = 1000;

/// A sale that is put aside.
#[derive(Serialize)]
pub(super) struct SlipRow {
    pub slip: String,
    /// None of a suspended sale.
    pub kind: Option<DocumentKind>,
    /// Until when a quote holds, or when an order is collected.
    pub until: Option<BusinessDay>,
    /// What a quote or an order costs.
    pub due: Option<Money>,
    pub paid: Option<Money>,
    pub customer: Option<CustomerId>,
    pub customer_name: Option<String>,
    pub lines: usize,
    pub opened_at: LocalTime,
}

impl SlipRow {
    pub fn of(slip: String, cart: &Cart) -> SlipRow {
        let (kept, customer) = (cart.kept.as_ref(), cart.customer.as_ref());
        SlipRow {
            slip,
            kind: kept.map(|kept| kept.kind),
            until: kept.and_then(|kept| kept.until.clone()),
            due: kept.map(|kept| kept.due),
            paid: cart.paid(),
            customer: customer.map(|(id, _, _)| id.clone()),
            customer_name: customer.map(|(_, name, _)| name.clone()),
            lines: cart.live_lines().count(),
            opened_at: cart.opened_at,
        }
    }
}

#[derive(Deserialize)]
pub(super) struct SlipsQuery {
    /// The slip after which to go on.
    after: Option<String>,
    limit: Option<usize>,
}

/// A page of the sales that are put aside and were not taken up, in order of slips.
pub(super) async fn slips(
    State(local): Shared,
    Query(query): Query<SlipsQuery>,
) -> Result<impl IntoResponse, Failure> {
    let limit = query.limit.unwrap_or(ROWS_MAX).clamp(1, ROWS_MAX);
    let page = local
        .lane
        .known(|known| known.put_aside_after(query.after.as_deref(), limit));
    let page = page.map_err(unavailable)?.into_iter();
    let rows = page.map(|(slip, cart)| SlipRow::of(slip, &cart));
    Ok(Json(rows.collect::<Vec<_>>()))
}

/// The slip of a sale that is put aside and that nobody has taken up.
pub(super) async fn slip(
    State(local): Shared,
    Path(number): Path<String>,
    Query(query): Query<FormatQuery>,
) -> Result<Response, Failure> {
    let open = open_of(&local, &number)?;
    paper(
        &query,
        &title_of_slip(&number),
        || Json(&open).into_response(),
        || on_paper(&local, &number, &open),
    )
}

/// The same on paper, with its title.
pub(super) fn slip_paper(local: &Local, number: &str) -> Result<(String, Document), Failure> {
    let open = open_of(local, number)?;
    Ok((title_of_slip(number), on_paper(local, number, &open)))
}

fn open_of(local: &Local, number: &str) -> Result<Cart, Failure> {
    let found = local.lane.known(|known| known.suspended(number));
    let missing = || not_found("No sale that is put aside has this slip, or it was taken up.");
    found.map_err(unavailable)?.ok_or_else(missing)
}

fn on_paper(local: &Local, number: &str, open: &Cart) -> Document {
    let view = local.lane.view().borrow().clone();
    devices::slip(number, open, &view.store_name, view.now, view.language)
}
