//! What a decision may know of other lanes.

use std::collections::{BTreeMap, BTreeSet};

use catalog::{Customer, CustomerId, ItemId, Reference};

use crate::{BusinessDay, Cart, Given, History, SoldReceipt};

/// What the lanes of the store did, as far as this lane knows: what the store has applied, and
/// entries on this lane that are not applied yet, its own and copies of its siblings'.
pub trait Shared {
    /// A customer by their number, or by one that stands for it. `reference` is what the store has
    /// applied.
    fn customer(&self, reference: &dyn Reference, id: &CustomerId) -> Option<Customer> {
        reference.customer(id)
    }
    /// The suspended sale of a slip, unless it was taken up.
    fn suspended(&self, slip: &str) -> Option<Cart>;
    /// Receipts of this lane that the store does not have yet.
    fn unshared_receipts(&self) -> u64;
    /// A receipt of any lane, with what was returned of it.
    fn receipt(&self, id: &str) -> Option<SoldReceipt>;
    /// What a credit note still holds, by its number, or a gift card, by [`crate::gift_card_key`], in
    /// minor units, or how many points a customer has, by [`crate::points_key`]; `None` where there is no
    /// such note or card, or were never any points.
    fn credit_minor(&self, number: &str) -> Option<i64>;
    /// The receipt on which a coupon that can be used once was used.
    fn coupon_used(&self, single: &str) -> Option<String>;
    /// Pieces that a customer bought before of these items, those of which there were none left out.
    fn bought(&self, customer: &CustomerId, items: &BTreeSet<ItemId>) -> BTreeMap<ItemId, u32>;
    /// How often each of these promotions was given, in their order: in the store, on a business day,
    /// and to a customer.
    fn given(
        &self,
        promotions: &[&str],
        day: &BusinessDay,
        customer: Option<&CustomerId>,
    ) -> Vec<Given>;
    /// How much a customer bought before.
    fn history(&self, customer: &CustomerId) -> History;
    /// What was given back without a receipt on a business day under a key of [`crate::Returner`], in
    /// minor units.
    fn unreceipted_minor(&self, day: &BusinessDay, key: &str) -> i64;
    /// Thousandths in stock of an item; `None` where nothing was ever moved of it.
    fn stock_milli(&self, item: &ItemId) -> Option<i64>;
}

/// A lane that knows of nothing but itself.
#[derive(Clone, Copy, Debug, Default)]
pub struct NothingShared;

impl Shared for NothingShared {
    fn suspended(&self, _slip: &str) -> Option<Cart> {
        None
    }

    fn unshared_receipts(&self) -> u64 {
        0
    }

    fn receipt(&self, _id: &str) -> Option<SoldReceipt> {
        None
    }

    fn credit_minor(&self, _number: &str) -> Option<i64> {
        None
    }

    fn coupon_used(&self, _single: &str) -> Option<String> {
        None
    }

    fn bought(&self, _customer: &CustomerId, _items: &BTreeSet<ItemId>) -> BTreeMap<ItemId, u32> {
        BTreeMap::new()
    }

    fn given(
        &self,
        promotions: &[&str],
        _day: &BusinessDay,
        _customer: Option<&CustomerId>,
    ) -> Vec<Given> {
        vec![Given::default(); promotions.len()]
    }

    fn history(&self, _customer: &CustomerId) -> History {
        History::default()
    }

    fn unreceipted_minor(&self, _day: &BusinessDay, _key: &str) -> i64 {
        0
    }

    fn stock_milli(&self, _item: &ItemId) -> Option<i64> {
        None
    }
}
