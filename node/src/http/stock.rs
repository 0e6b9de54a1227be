//! The part of the local API about what is in stock.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::response::IntoResponse;
use catalog::{Item, ItemId, Reference};
use ledger::StoreView;
use money::Unit;
use serde::{Deserialize, Serialize};

use super::{Failure, Shared, item_of_code, not_found, unavailable};

/// The most rows of one answer.
const ROWS_MAX: usize = 1000;

/// What is in stock of an item, as far as this lane knows.
#[derive(Serialize)]
pub(super) struct StockRow {
    pub item: ItemId,
    /// Empty for an item that is not in the catalog any more.
    pub description: String,
    pub unit: Option<Unit>,
    /// Thousandths of the unit, below zero once more was sold than came in; none where nothing was
    /// ever moved of it.
    pub stock_milli: Option<i64>,
}

impl StockRow {
    fn of(item: Option<Item>, id: ItemId, stock_milli: Option<i64>) -> StockRow {
        StockRow {
            item: id,
            unit: item.as_ref().map(|item| item.sold_by),
            description: item.map_or(String::new(), |item| item.description),
            stock_milli,
        }
    }
}

pub(super) async fn stock_of(
    State(local): Shared,
    Path(code): Path<String>,
) -> Result<impl IntoResponse, Failure> {
    let item = item_of_code(&local, &code)?;
    let item = item.ok_or_else(|| not_found("No item has this code."))?;
    let stock = local
        .lane
        .known(|known| sale::Shared::stock_milli(known, &item.id));
    let id = item.id.clone();
    Ok(Json(StockRow::of(
        Some(item),
        id,
        stock.map_err(unavailable)?,
    )))
}

#[derive(Deserialize)]
pub(super) struct StockQuery {
    /// The item after which to go on.
    after: Option<ItemId>,
    limit: Option<usize>,
}

/// A page of everything of which something was ever moved, in order of items.
pub(super) async fn stock(
    State(local): Shared,
    Query(query): Query<StockQuery>,
) -> Result<impl IntoResponse, Failure> {
    let limit = query.limit.unwrap_or(ROWS_MAX).clamp(1, ROWS_MAX);
    let page = local
        .lane
        .known(|known| known.stock_after(query.after.as_ref(), limit));
    let page = page.map_err(unavailable)?;
    let rows = local.lane.read(|tables| {
        let store = StoreView::new(tables);
        let rows = page.into_iter().map(|(id, milli)| {
            let item = store.item(&id);
            StockRow::of(item, id, Some(milli))
        });
        let rows: Vec<StockRow> = rows.collect();
        store.check()?;
        Ok(rows)
    });
    Ok(Json(rows.map_err(unavailable)?))
}
