//! The part of the local API about customers.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::response::IntoResponse;
use catalog::{Customer, CustomerField, CustomerId, Reference};
use ledger::StoreView;
use money::Money;
use sale::{Shared as _, points_key};
use serde::Serialize;

use super::{Failure, Shared, Words, not_found, unavailable};

/// A customer, as far as this lane knows.
#[derive(Serialize)]
pub(super) struct CustomerRow {
    pub customer: CustomerId,
    /// As they are written in commands; those of which nothing is known are left out.
    pub fields: BTreeMap<CustomerField, String>,
}

impl CustomerRow {
    pub fn of(customer: Customer) -> CustomerRow {
        let fields = CustomerField::ALL.map(|field| (field, customer.text(field)));
        CustomerRow {
            fields: fields
                .into_iter()
                .filter(|(_, text)| !text.is_empty())
                .collect(),
            customer: customer.id,
        }
    }
}

/// A customer with what they bought.
#[derive(Serialize)]
pub(super) struct CustomerKnown {
    #[serde(flatten)]
    pub row: CustomerRow,
    pub receipts: u64,
    /// What came back is taken off.
    pub spent: Money,
    /// Loyalty points; below zero where what had earned them came back after they had been spent.
    pub points: i64,
}

/// The customers who are found by a number, a telephone number, an e-mail address or a name.
pub(super) async fn search(
    State(local): Shared,
    Query(words): Query<Words>,
) -> Result<impl IntoResponse, Failure> {
    let found = local.lane.customers(&words.search).await;
    let rows = found.map_err(unavailable)?.into_iter().map(CustomerRow::of);
    Ok(Json(rows.collect::<Vec<_>>()))
}

/// The customer for whom a number stands.
pub(super) async fn customer(
    State(local): Shared,
    Path(number): Path<CustomerId>,
) -> Result<impl IntoResponse, Failure> {
    let settings = local
        .lane
        .read(|tables| Ok(StoreView::new(tables).settings()));
    let currency = settings.map_err(unavailable)?.currency;
    let found = local.lane.known(|known| {
        let customer = known.find_customer(&number)?;
        let history = known.history(&customer.id);
        let points = known.credit_minor(&points_key(&customer.id));
        Some(CustomerKnown {
            row: CustomerRow::of(customer),
            receipts: history.receipts,
            spent: Money::from_minor(history.spent_minor, currency),
            points: points.unwrap_or(0),
        })
    });
    match found.map_err(unavailable)? {
        Some(known) => Ok(Json(known)),
        None => Err(not_found("No customer has this number.")),
    }
}
