//! Finding items by the words of their description, and customers by what they say of themselves.

use std::collections::BTreeSet;

use api::ItemFound;
use catalog::{Customer, CustomerId, Item, ItemCode, ItemId};
use ledger::StoreView;
use money::Unit;
use storage::StateReader;

use super::LaneError;

/// Items read at a time, so that a search in a large catalog holds up nothing else for long.
const PAGE: usize = 1000;
/// The most items, or customers, that one search answers.
const FOUND_MAX: usize = 30;

pub async fn search(state: &StateReader, words: &str) -> Result<Vec<ItemFound>, LaneError> {
    let words: Vec<String> = words.split_whitespace().map(str::to_lowercase).collect();
    let mut found = Vec::new();
    if words.is_empty() {
        return Ok(found);
    }
    let mut after: Option<ItemId> = None;
    loop {
        let page =
            state.read(|tables| StoreView::new(tables).items_after(after.as_ref(), PAGE))??;
        let Some(last) = page.last() else {
            return Ok(found);
        };
        after = Some(last.id.clone());
        for item in &page {
            let description = item.description.to_lowercase();
            if words.iter().all(|word| description.contains(word)) {
                found.push(describe(item));
                if found.len() == FOUND_MAX {
                    return Ok(found);
                }
            }
        }
        tokio::task::yield_now().await;
    }
}

/// The customers whom the store knows and who are found by these words, at most [`FOUND_MAX`].
pub async fn customers(
    state: &StateReader,
    words: &str,
) -> Result<BTreeSet<CustomerId>, LaneError> {
    let mut found = BTreeSet::new();
    let mut after: Option<CustomerId> = None;
    while found.len() < FOUND_MAX {
        let page =
            state.read(|tables| StoreView::new(tables).customers_after(after.as_ref(), PAGE))??;
        let Some(last) = page.last() else {
            break;
        };
        after = Some(last.id.clone());
        let theirs = page
            .into_iter()
            .filter(|customer| customer.is_found_by(words));
        found.extend(
            theirs
                .map(|customer: Customer| customer.id)
                .take(FOUND_MAX - found.len()),
        );
        tokio::task::yield_now().await;
    }
    Ok(found)
}

/// How an item is shown in a list, with the code that sells it.
pub fn describe(item: &Item) -> ItemFound {
    let plu = item.codes.iter().find_map(|code| match code {
        ItemCode::Plu(plu) => Some(plu.to_string()),
        _ => None,
    });
    ItemFound {
        code: plu.unwrap_or_else(|| item.id.0.clone()),
        description: item.description.clone(),
        department: item.department.0.clone(),
        price: match item.sold_by {
            Unit::Each => item.price.to_string(),
            Unit::Kilogram => format!("{} /kg", item.price),
        },
    }
}
