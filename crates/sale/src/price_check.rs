//! What a code would cost now, without selling it.
//!
//! One of it is priced as the only goods of a sale: of the open sale's customer and book where one is
//! open, of nobody in particular otherwise. Coupons and discounts by hand are the open sale's own.
//! What a scan refuses for the goods' sake is refused alike; what it asks of the buyer or of the piece,
//! an age or a serial number, is not asked for.

use catalog::{BookVersion, ItemId};
use money::{Money, Quantity, Unit};
use promotions::Hint;
use serde::{Deserialize, Serialize};

use crate::scan::{FoundItem, find_item, line_for, may_be_sold};
use crate::{
    Cart, CartId, Context, Line, Phase, Refusal, Register, SoldAt, Standing, Terms, Totals, drawer,
    goods, hints, limits, price, terms,
};

/// What one of something costs now at a lane.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriceCheck {
    pub item: ItemId,
    pub description: String,
    /// One piece, one kilogram, or what the code itself says.
    pub quantity: Quantity,
    /// Per piece or per kilogram, before promotions.
    pub unit_price: Money,
    /// What the buyer would pay for it: less promotions, with deposit, added tax, and whatever is sold
    /// along with it.
    pub total: Money,
    /// The prices and promotions by which it is priced.
    pub book: BookVersion,
    /// The age that the buyer must have, in whole years.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub age_min: Option<u8>,
    /// Thousandths in stock, as far as this lane knows; none where nothing was ever moved of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stock_milli: Option<i64>,
    /// The goods, and what is sold along with them.
    pub lines: Vec<Line>,
    /// What they cost, with each promotion that applies.
    pub totals: Totals,
    /// What more of it would be given for, the nearest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hints: Vec<Hint>,
}

/// Says what one of what a code stands for costs, or why it is not sold. Changes nothing.
pub fn price_check(
    register: &Register,
    code: &str,
    ctx: &Context<'_>,
) -> Result<PriceCheck, Refusal> {
    let code = code.trim();
    let open = register.cart.as_ref();
    let mut found = find_item(code, ctx)?;
    let along = goods::linked(&found.item, ctx)?;
    let mut age_min = None;
    for found in [&found].into_iter().chain(&along) {
        may_be_sold(found, ctx)?;
        age_min = age_min.max(found.item.age_min);
    }
    goods::open_price(&mut found, code, None, ctx)?;
    one_of_it(&mut found);
    let item = found.item.id.clone();
    let is_gift_card = found.item.selling.gift_card;
    let mut lines = vec![line_for(found, code, 1, None, open, ctx)?];
    if is_gift_card {
        // Any card: no promotion takes anything off what is loaded onto one.
        lines[0].detail.gift_card.get_or_insert_default();
    }
    for (number, found) in (2..).zip(along) {
        let line = goods::along_with(&lines[0], found, number, open, ctx)?;
        lines.push(line);
    }
    let mut cart = alone(register, lines, ctx);
    if let Some(left) = limits::known(&cart, ctx.book, ctx) {
        terms::evolve(&mut cart.terms, &left);
    }
    let totals = price(&cart, ctx.book, ctx.now, ctx.reference.settings().currency);
    let line = &cart.lines[0];
    Ok(PriceCheck {
        description: line.description.clone(),
        quantity: line.quantity,
        unit_price: line.unit_price,
        total: totals.total,
        book: cart.book,
        age_min,
        stock_milli: ctx.shared.stock_milli(&item),
        hints: hints(&cart, ctx.book, ctx.now, &totals),
        item,
        lines: cart.lines,
        totals,
    })
}

/// A kilogram of what is weighed, unless its code says how much or what it costs.
fn one_of_it(found: &mut FoundItem) {
    let weighed = found.item.sold_by == Unit::Kilogram && found.price.is_none();
    if weighed && found.quantity.is_none() {
        found.quantity = Some(Quantity::grams(1000));
    }
}

/// A sale of these lines and no others, as it would be opened now for the customer of the open one.
pub(crate) fn alone(register: &Register, lines: Vec<Line>, ctx: &Context<'_>) -> Cart {
    let open = register.cart.as_ref();
    let standing = open.map_or(Standing::default(), |cart| cart.terms.standing.clone());
    let place = match open {
        Some(cart) => cart.terms.place.clone(),
        None => SoldAt::of(&ctx.reference.settings(), ctx.lane_number),
    };
    Cart {
        id: CartId {
            lane: ctx.lane,
            number: register.carts + 1,
        },
        book: open.map_or(ctx.reference.version(), |cart| cart.book),
        day: drawer::day(register, ctx),
        opened_at: ctx.now,
        reference: None,
        lines,
        customer: open.and_then(|cart| cart.customer.clone()),
        age_confirmed: 0,
        phase: Phase::Selling,
        tenders: Vec::new(),
        notes: Vec::new(),
        terms: Terms {
            place,
            standing,
            ..Terms::default()
        },
        kept: None,
    }
}
