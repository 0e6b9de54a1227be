//! Stock: what sales do to it, and goods that come in, are counted, put right, or go to another store.
//!
//! A movement says what it adds, also a count: what was there less what the lane took to be there. So
//! sales that other lanes share later still count, and movements can be applied in any order.

use catalog::{Action, ItemId};
use money::Unit;
use serde::{Deserialize, Serialize};

use crate::decide::{Decision, bounded, parse_quantity};
use crate::people::{Who, reasoned};
use crate::scan::find_item;
use crate::{Context, Event, Line, Receipt, Refusal};

/// Why stock is moved besides selling.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum StockWork {
    /// Goods came in.
    Receive {
        /// Such as the number of the delivery note.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reference: Option<String>,
    },
    /// What is there was counted: the quantity is all of it, and may be 0.
    Count,
    /// Stock is put right: a quantity below zero takes from it.
    Adjust { reason: String },
    TransferIn {
        /// The store that they come from.
        from: String,
    },
    TransferOut {
        /// The store that they go to.
        to: String,
    },
}

impl StockWork {
    fn action(&self) -> Action {
        match self {
            StockWork::Receive { .. } => Action::ReceiveStock,
            StockWork::Count => Action::CountStock,
            StockWork::Adjust { .. } => Action::AdjustStock,
            StockWork::TransferIn { .. } | StockWork::TransferOut { .. } => Action::TransferStock,
        }
    }

    /// The same with texts as they are kept.
    fn kept(&self) -> Result<StockWork, Refusal> {
        let place = |text: &str| match text.trim() {
            "" => Err(Refusal::PlaceNeeded),
            text => Ok(bounded(text)),
        };
        Ok(match self {
            StockWork::Receive { reference } => {
                let reference = reference.as_deref().map(str::trim);
                let reference = reference.filter(|text| !text.is_empty());
                StockWork::Receive {
                    reference: reference.map(bounded),
                }
            }
            StockWork::Count => StockWork::Count,
            StockWork::Adjust { reason } => StockWork::Adjust {
                reason: reasoned(reason)?,
            },
            StockWork::TransferIn { from } => StockWork::TransferIn { from: place(from)? },
            StockWork::TransferOut { to } => StockWork::TransferOut { to: place(to)? },
        })
    }

    /// What a quantity adds to stock, in thousandths, where so much was there before.
    fn adds(&self, text: &str, unit: Unit, before_milli: i64) -> Result<i64, Refusal> {
        let text = text.trim();
        let milli = |text: &str| Ok(parse_quantity(text, unit)?.milli());
        match (self, text.strip_prefix('-')) {
            (StockWork::Adjust { .. }, Some(taken)) => Ok(-milli(taken)?),
            (StockWork::Count, _) => {
                let nothing = text.contains('0') && text.chars().all(|c| matches!(c, '0' | '.'));
                let counted = if nothing { 0 } else { milli(text)? };
                Ok(counted.saturating_sub(before_milli))
            }
            (StockWork::TransferOut { .. }, _) => Ok(-milli(text)?),
            (
                StockWork::Receive { .. } | StockWork::Adjust { .. } | StockWork::TransferIn { .. },
                _,
            ) => milli(text),
        }
    }
}

/// Moves stock of what a code stands for.
pub(crate) fn move_stock(
    who: &Who<'_>,
    code: &str,
    quantity: &str,
    work: &StockWork,
    ctx: &Context<'_>,
) -> Decision {
    who.may(work.action(), ctx)?;
    let code = code.trim();
    let item = find_item(code, ctx)?.item;
    if !item.selling.kit.is_empty() {
        return Err(Refusal::KitStock {
            description: item.description,
        });
    }
    let before_milli = ctx.shared.stock_milli(&item.id);
    Ok(vec![Event::StockMoved {
        work: work.kept()?,
        milli: work.adds(quantity, item.sold_by, before_milli.unwrap_or(0))?,
        before_milli,
        item: item.id,
        code: code.to_owned(),
        by: who.id(),
        at: ctx.now,
    }])
}

impl Line {
    /// What it adds to stock, in thousandths of each item's unit: below zero where goods leave it,
    /// nothing where goods come back that cannot be sold again. Of a kit its parts are in stock.
    pub fn stock_moves(&self) -> Vec<(&ItemId, i128)> {
        let sign = match &self.detail.returned {
            None => -1,
            Some(of) if of.restock => 1,
            Some(_) => return Vec::new(),
        };
        let milli = i128::from(self.quantity.milli()) * sign;
        match self.detail.kit.as_slice() {
            [] => vec![(&self.item, milli)],
            parts => {
                let moved = |part_milli: i64| milli * i128::from(part_milli) / 1000;
                parts
                    .iter()
                    .map(|part| (&part.item, moved(part.milli)))
                    .collect()
            }
        }
    }
}

impl Receipt {
    /// What its lines add to stock.
    pub fn stock_moves(&self) -> impl Iterator<Item = (&ItemId, i128)> {
        self.lines.iter().flat_map(Line::stock_moves)
    }
}

impl Event {
    /// What it adds to stock, in thousandths of each item's unit.
    pub fn stock_moves(&self) -> Vec<(&ItemId, i128)> {
        match self {
            Event::Completed { receipt, .. } => receipt.stock_moves().collect(),
            Event::StockMoved { item, milli, .. } => vec![(item, i128::from(*milli))],
            _ => Vec::new(),
        }
    }
}
