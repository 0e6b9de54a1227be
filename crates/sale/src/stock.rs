//! What sales do to stock.

use catalog::ItemId;

use crate::Line;

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
