//! Goods that are sold in a way of their own: with a price that is typed, by serial number, along with
//! others, in kits, and weighed with their packing.
//!
//! What a line needs later is kept on it when it is added, so that nobody looks an item up again to
//! change, take back or count what was sold; only what is asked for is asked by the item of today.

use catalog::{Item, ItemId, KitPart, Marks, Selling};
use money::{Money, Quantity, Unit};

use crate::decide::parse_amount;
use crate::scan::{FoundItem, Given, line_for};
use crate::tender::number_of;
use crate::{Cart, Context, Line, Refusal, Why};

/// Checks what came with a code against what its item asks for, and puts it into what was found.
pub(crate) fn asked_for(
    found: &mut FoundItem,
    code: &str,
    given: &Given<'_>,
    cart: Option<&Cart>,
    ctx: &Context<'_>,
) -> Result<(), Refusal> {
    open_price(found, code, given.price, ctx)?;
    serial(found, code, given, cart)
}

/// Checks a price that came with a code against whether its goods have one of their own.
pub(crate) fn open_price(
    found: &mut FoundItem,
    code: &str,
    price: Option<&str>,
    ctx: &Context<'_>,
) -> Result<(), Refusal> {
    let asked = found.item.selling.open_price && found.price.is_none();
    match price {
        Some(text) if asked => {
            let currency = ctx.reference.settings().currency;
            let price = parse_amount(text, Money::zero(currency))?;
            if price.is_zero() {
                return Err(Refusal::amount(Why::NothingCharged));
            }
            found.typed_price = Some(price);
            Ok(())
        }
        Some(_) => Err(Refusal::PriceIsSet {
            description: found.item.description.clone(),
        }),
        None if asked => Err(Refusal::PriceNeeded {
            scanned: code.to_owned(),
            description: found.item.description.clone(),
        }),
        None => Ok(()),
    }
}

/// A serial number is kept where the item asks for one, or its code says it. That of a gift card is the
/// card's.
fn serial(
    found: &mut FoundItem,
    code: &str,
    given: &Given<'_>,
    cart: Option<&Cart>,
) -> Result<(), Refusal> {
    let serial = match (&found.marks.serial, given.serial) {
        (Some(scanned), _) => Some(scanned.clone()),
        (None, Some(typed)) => Some(number_of(typed)?),
        (None, None) => None,
    };
    found.marks.serial.clone_from(&serial);
    let is_gift_card = found.item.selling.gift_card;
    if !found.item.selling.ask_serial && !is_gift_card {
        return Ok(());
    }
    let description = || found.item.description.clone();
    let Some(serial) = serial else {
        let (scanned, description) = (code.to_owned(), description());
        return Err(match is_gift_card {
            true => Refusal::GiftCardNeeded {
                scanned,
                description,
            },
            false => Refusal::SerialNeeded {
                scanned,
                description,
            },
        });
    };
    let pieces = found.quantity.map(|fixed| fixed == Quantity::ONE);
    let typed = given.quantity.map(|text| {
        let quantity = Quantity::parse(text, Unit::Each);
        quantity == Ok(Quantity::ONE)
    });
    if !pieces.or(typed).unwrap_or(true) {
        return Err(one_by_one());
    }
    let lines = cart.into_iter().flat_map(Cart::live_lines);
    let mut same = lines.filter(|line| {
        let sold = line.detail.returned.is_none() && line.item == found.item.id;
        sold && line.detail.marks.serial.as_ref() == Some(&serial)
    });
    match same.next() {
        Some(_) => Err(Refusal::SerialTwice {
            description: description(),
            serial,
        }),
        None => Ok(()),
    }
}

fn one_by_one() -> Refusal {
    Refusal::quantity(Why::PiecesOneByOne)
}

/// Refuses more or less than one of a piece with a number of its own.
pub(crate) fn one_piece(line: &Line, quantity: Quantity, ctx: &Context<'_>) -> Result<(), Refusal> {
    let by_serial = line.detail.marks.serial.is_some() && asks_serial(&line.item, ctx);
    let numbered = by_serial || line.detail.gift_card.is_some();
    match numbered && quantity != Quantity::ONE {
        true => Err(one_by_one()),
        false => Ok(()),
    }
}

fn asks_serial(item: &ItemId, ctx: &Context<'_>) -> bool {
    let found = ctx.reference.item(item);
    found.is_some_and(|item| item.selling.ask_serial)
}

/// Whether the piece that comes back is the one that was sold.
pub(crate) fn same_piece(
    source: &Line,
    named: Option<&str>,
    ctx: &Context<'_>,
) -> Result<(), Refusal> {
    let Some(serial) = &source.detail.marks.serial else {
        return Ok(());
    };
    match named.map(str::trim) {
        Some(named) if named == serial => Ok(()),
        Some(_) => Err(Refusal::OtherSerial {
            description: source.description.clone(),
        }),
        None if asks_serial(&source.item, ctx) => Err(Refusal::SerialNeeded {
            scanned: source.code.clone(),
            description: source.description.clone(),
        }),
        None => Ok(()),
    }
}

/// The items that are sold along with one. What they are linked to themselves is not followed.
pub(crate) fn linked(item: &Item, ctx: &Context<'_>) -> Result<Vec<FoundItem>, Refusal> {
    let linked = item.selling.linked.iter().take(Selling::PARTS_MAX);
    linked
        .map(|id| {
            let found = ctx.reference.item(id);
            let found = found.filter(|other| {
                let how = &other.selling;
                let plain = !how.open_price && !how.ask_serial && !how.gift_card;
                plain && other.sold_by == Unit::Each
            });
            let item = found.ok_or_else(|| Refusal::LinkedMissing {
                description: item.description.clone(),
                item: id.to_string(),
            })?;
            Ok(FoundItem {
                item,
                price: None,
                typed_price: None,
                quantity: None,
                marks: Marks::default(),
            })
        })
        .collect()
}

/// The line of an item that is sold along with another line: one for each of its pieces.
pub(crate) fn along_with(
    main: &Line,
    mut found: FoundItem,
    number: u32,
    cart: Option<&Cart>,
    ctx: &Context<'_>,
) -> Result<Line, Refusal> {
    found.quantity = Some(along(main.quantity));
    let code = found.item.id.to_string();
    let mut line = line_for(found, &code, number, None, cart, ctx)?;
    line.detail.linked_to = Some(main.number);
    Ok(line)
}

/// How many of a linked item go along: one for each piece, one for what is weighed.
pub(crate) fn along(quantity: Quantity) -> Quantity {
    Quantity::each(quantity.pieces().unwrap_or(1))
}

/// A line that is not sold along with another.
pub(crate) fn own_line(line: &Line) -> Result<&Line, Refusal> {
    match line.detail.linked_to {
        Some(with) => Err(Refusal::LinkedLine { with }),
        None => Ok(line),
    }
}

/// The lines that are sold along with one.
pub(crate) fn lines_along(cart: &Cart, main: u32) -> impl Iterator<Item = &Line> {
    cart.live_lines()
        .filter(move |line| line.detail.linked_to == Some(main))
}

/// A weight without its packing.
pub(crate) fn net(gross: Quantity, tare_grams: i64) -> Result<Quantity, Refusal> {
    if tare_grams == 0 {
        return Ok(gross);
    }
    match gross.milli() - tare_grams {
        net if net > 0 => Ok(Quantity::grams(net)),
        _ => Err(Refusal::quantity(Why::OnlyPacking {
            gross,
            grams: tare_grams,
        })),
    }
}

pub(crate) fn kit(selling: &Selling) -> Vec<KitPart> {
    let parts = selling.kit.iter().take(Selling::PARTS_MAX);
    parts.cloned().collect()
}
