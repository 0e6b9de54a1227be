//! The columns of an item about how it is sold: `open_price`, `ask_serial`, `not_returnable` and
//! `gift_card` are yes or no; `linked` names items divided by `;`; `kit` is parts such as `4711 x 2; 4712
//! x 0.5`; `tare` is in grams.

use money::{Quantity, Unit};

use super::header::Cells;
use super::{ImportProblem, Problems, both};
use crate::{ItemCode, ItemId, KitPart, Selling};

/// The heaviest packing, in grams.
const TARE_GRAMS_MAX: i64 = 100_000;

pub(super) fn selling(cells: &Cells<'_>) -> Result<Selling, Problems> {
    let asked = both(
        cells.yes("open_price"),
        both(cells.yes("ask_serial"), cells.yes("gift_card")),
    );
    let parts = both(linked(cells), both(kit(cells), tare(cells)));
    let ((open_price, (ask_serial, gift_card)), (not_returnable, (linked, (kit, tare_grams)))) =
        both(asked, both(cells.yes("not_returnable"), parts))?;
    Ok(Selling {
        open_price,
        ask_serial,
        not_returnable,
        linked,
        kit,
        tare_grams,
        floor: None,
        gift_card,
    })
}

fn item(text: &str) -> Option<ItemId> {
    ItemCode::parse_internal(text)
        .is_ok()
        .then(|| ItemId::from(text))
}

fn linked(cells: &Cells<'_>) -> Result<Vec<ItemId>, ImportProblem> {
    let why = "write item numbers divided by ;";
    cells.list("linked", Selling::PARTS_MAX, why, item)
}

fn kit(cells: &Cells<'_>) -> Result<Vec<KitPart>, ImportProblem> {
    let why = "write parts like: 4711 x 2; 4712 x 0.5";
    cells.list("kit", Selling::PARTS_MAX, why, |text| {
        let (id, much) = text.rsplit_once(" x ").unwrap_or((text, "1"));
        // A part may be sold by the piece or by weight: both are kept in thousandths.
        let quantity = Quantity::parse(much, Unit::Kilogram).ok()?;
        Some(KitPart {
            item: item(id.trim())?,
            milli: quantity.milli(),
        })
    })
}

fn tare(cells: &Cells<'_>) -> Result<i64, ImportProblem> {
    match cells.text("tare")? {
        "" => Ok(0),
        text => match text.parse() {
            Ok(grams) if (0..=TARE_GRAMS_MAX).contains(&grams) => Ok(grams),
            _ => Err(cells.problem("tare", "write whole grams")),
        },
    }
}
